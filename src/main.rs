//! Parses the command line and runs one command.

use std::process::ExitCode;

// Pictures are large buffers that come and go on many threads: glibc's allocator keeps a heap a
// thread and gives little back. The codecs in C allocate through this one too (its feature
// `override`), or there would be two that each keep what the other could use.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keep_pages_small();
    aquatint::work::freed::given_back_by(give_memory_back);
    aquatint::cli::run()
}

/// What pictures held goes back to the system: the budget of memory counts what is used, the
/// kernel what is not given back. The allocator does so by itself a second after it was freed, but
/// only if something is freed then.
fn give_memory_back() {
    #[expect(unsafe_code, reason = "a call of the allocator")]
    // SAFETY: any thread may call it, at any time.
    unsafe {
        libmimalloc_sys::mi_collect(true);
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
