//! Parses the command line and runs one command.

use std::process::ExitCode;

// Pictures are large buffers that come and go on many threads: glibc's allocator keeps a heap a
// thread and gives little back. The codecs in C allocate through this one too (its feature
// `override`), or there would be two that each keep what the other could use.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    give_memory_back();
    keep_pages_small();
    aquatint::cli::run()
}

/// What a picture held goes back to the system when it is freed, not at some later allocation of
/// the same thread: the budget of memory counts what is used, the kernel what is not given back.
fn give_memory_back() {
    /// `mi_option_purge_delay` of `mimalloc.h`, which the bindings do not name. Milliseconds.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    #[expect(unsafe_code, reason = "sets a number that the allocator reads")]
    // SAFETY: the option exists in both versions of mimalloc that the bindings can build.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, 0);
    }
}

/// A huge page is held as a whole for a few bytes of it: four jobs at once held 60 MB where 23 do.
/// The allocator asks for none (its feature `no_thp`), but some systems give them unasked.
fn keep_pages_small() {
    #[cfg(target_os = "linux")]
    {
        // A kernel that cannot do it gives larger pages, and no other harm is done.
        let _ = rustix::thread::disable_transparent_huge_pages(true);
    }
}
