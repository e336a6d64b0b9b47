//! How much at once: threads, queue, bytes of pixels, and one job a variant.
//!
//! Knows nothing of pictures, HTTP or buckets: jobs are closures, and bytes are a number.

pub mod budget;
pub mod freed;
pub mod pool;
pub mod singleflight;

use std::{thread, time::Duration};

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

/// A thread gets through about this many jobs of 150 ms within the default `queue_wait`: a queue
/// any longer only makes clients wait for a refusal, and a shorter one refuses half of a gallery's
/// first visit.
const QUEUE_PER_WORKER: usize = 32;

/// As many jobs as may wait for these threads, unless somebody says otherwise.
#[must_use]
pub fn queue(workers: usize) -> usize {
    workers.saturating_mul(QUEUE_PER_WORKER)
}

impl Default for Settings {
    fn default() -> Self {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        Self {
            workers,
            queue: queue(workers),
            queue_wait: Duration::from_secs(5),
            job_time: Duration::from_secs(10),
            // One picture of 100 megapixels, decoded and scaled, or a dozen of 12 megapixels.
            pixel_bytes: 1 << 30,
            // Five of the largest sources.
            source_bytes: 256 << 20,
        }
    }
}
