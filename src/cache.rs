//! Where variants rest. A cache never fails a request: whatever goes wrong here is a miss.

pub mod memory;
pub mod variant;

use std::time::Duration;

/// How much is kept, and how long it counts as fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of variants, with their keys and headers.
    pub memory_bytes: u64,
    /// A variant is fresh this long after its source was seen, where the object says nothing.
    pub fresh: Duration,
    /// After that it is still served this long while one request looks at the origin.
    pub stale_while_revalidate: Duration,
    /// … and this long when the origin cannot be reached.
    pub stale_if_error: Duration,
    /// How long "no such object" is remembered.
    pub negative: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            fresh: Duration::from_secs(3600),
            stale_while_revalidate: Duration::from_secs(60),
            stale_if_error: Duration::from_secs(24 * 3600),
            // A picture uploaded after its page was first seen must not stay missing.
            negative: Duration::from_secs(5),
        }
    }
}
