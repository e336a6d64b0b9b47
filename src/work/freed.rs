//! What jobs freed: left with the allocator for the next job, and given back to the system when
//! there is none, or when there is too much of it.
//!
//! Memory that comes from the system anew costs a job up to a tenth of its time, page by page. So
//! the next job gets the last one's, as if every thread had buffers of its own. But the kernel
//! counts it meanwhile, and freed pieces of many sizes do not add up to the next large one: 64
//! first requests at once held 178 MB where 85 do if all is given back at once.

use std::{fs, sync::OnceLock, time::Duration};

/// How long a thread without work leaves what its last job freed: a page's pictures come within
/// a second.
pub(super) const KEPT: Duration = Duration::from_secs(1);

/// The program's way to give back; the allocator is one for all.
static GIVE_BACK: OnceLock<fn()> = OnceLock::new();

/// Says what gives back to the system all that is free by now. The first word counts; without
/// one, the allocator does as it likes.
pub fn given_back_by(give_back: fn()) {
    let _ = GIVE_BACK.set(give_back);
}

pub(super) fn give_back() {
    if let Some(give_back) = GIVE_BACK.get() {
        give_back();
    }
}

/// Gives back if the process holds more than this in all, or nobody can say what it holds.
pub(super) fn give_back_over(bytes: u64) {
    if resident_bytes().is_none_or(|resident| resident > bytes) {
        give_back();
    }
}

/// What the process holds in memory; `None` where there is no `/proc`.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}
