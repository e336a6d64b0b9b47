//! What every target holds the code to, whatever the bytes: no panic, and answers that keep their
//! word. `fuzz/run` starts the targets.

pub mod picture;
pub mod request;
pub mod watch;
pub mod written;
