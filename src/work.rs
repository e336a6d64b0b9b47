//! How much at once: threads, queue, bytes of pixels, and one job a variant.

pub mod budget;
pub mod pool;
pub mod singleflight;

use std::time::Duration;

/// How much may be done at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Threads that decode and encode.
    pub workers: usize,
    /// Jobs that may wait for one of them; one more is refused at once.
    pub queue: usize,
    /// How long a job may wait, for a thread and for memory.
    pub queue_wait: Duration,
    /// How long a job may run.
    pub job_time: Duration,
    /// Bytes that all running jobs may hold together.
    pub pixel_bytes: u64,
    /// Bytes that all fetched sources may hold together.
    pub source_bytes: u64,
}
