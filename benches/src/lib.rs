//! What aquatint costs and how its pictures look, beside others. `docs/benchmarks.md` has the
//! commands and what they printed.
//!
//! Photographs come from Debian packages, the rivals from npm and crates.io, each by name into
//! `target/bench`; nothing of theirs is part of this repository.

pub mod arguments;
pub mod contest;
pub mod decoder;
pub mod engine;
pub mod judge;
pub mod light;
pub mod pictures;
pub mod process;
pub mod report;
pub mod score;
pub mod table;

/// What goes wrong here ends the run, with a sentence.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Runs a benchmark and turns its error into a sentence and a status.
pub fn main(run: impl FnOnce() -> Result<()>) -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
