//! What one run may take: five seconds of its own time, however busy the machine is.

use rustix::time::{ClockId, clock_gettime};

const MOST_SECONDS: i64 = 5;

/// Runs, and holds the run to its time.
///
/// # Panics
/// Where it took longer: that is the finding.
pub fn within<T>(run: impl FnOnce() -> T) -> T {
    let now = || clock_gettime(ClockId::ProcessCPUTime).tv_sec;
    let began = now();
    let answer = run();
    let took = now() - began;
    assert!(took <= MOST_SECONDS, "{took} s of CPU time");
    answer
}
