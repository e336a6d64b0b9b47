//! Parses the command line and runs one command.

use std::process::ExitCode;

// Pictures are large buffers that come and go on many threads: glibc's allocator keeps a heap a
// thread and gives little back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    aquatint::cli::run()
}
