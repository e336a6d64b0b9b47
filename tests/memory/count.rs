//! Every byte that is allocated, in Rust or in C: `malloc` and its kin, taken over from glibc.

#![expect(
    unsafe_code,
    reason = "stands where the allocator's own functions stand"
)]

use std::{
    ffi::{c_int, c_void},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// What is held now, and the most that was held since [`peak_of`] began.
static HELD: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);

/// The result, and the most that was held at once beside what was held before. Counts all threads,
/// so only one measurement can run at a time.
pub(crate) fn peak_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = work();
    (result, PEAK.load(Relaxed).saturating_sub(before))
}

// glibc's own names for what is taken over below.
unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
    fn malloc_usable_size(block: *mut c_void) -> usize;
}

const NO_MEMORY: c_int = 12;

fn taken(block: *mut c_void) -> *mut c_void {
    // SAFETY: a block of glibc's, or null, for which it says 0.
    let size = unsafe { malloc_usable_size(block) } as u64;
    let held = HELD.fetch_add(size, Relaxed) + size;
    PEAK.fetch_max(held, Relaxed);
    block
}

fn given_back(block: *mut c_void) {
    // SAFETY: as above; the block is not freed yet.
    HELD.fetch_sub(unsafe { malloc_usable_size(block) } as u64, Relaxed);
}

// SAFETY, for all of these: they do what glibc's do, by glibc's own functions, with the caller's
// arguments; the counters allocate nothing.

#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    taken(unsafe { __libc_malloc(size) })
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    taken(unsafe { __libc_calloc(count, size) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    let before = unsafe { malloc_usable_size(block) } as u64;
    let moved = unsafe { __libc_realloc(block, size) };
    if !moved.is_null() || size == 0 {
        HELD.fetch_sub(before, Relaxed);
    }
    taken(moved)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    given_back(block);
    unsafe { __libc_free(block) }
}

#[unsafe(no_mangle)]
extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    taken(unsafe { __libc_memalign(align, size) })
}

#[unsafe(no_mangle)]
extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    memalign(align, size)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(place: *mut *mut c_void, align: usize, size: usize) -> c_int {
    let block = memalign(align, size);
    if block.is_null() {
        return NO_MEMORY;
    }
    unsafe { *place = block };
    0
}
