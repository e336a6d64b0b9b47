//! Where variants rest. A cache never fails a request: whatever goes wrong here is a miss.
//!
//! Knows how long a variant may be served, and nothing of who asks the origin about it.

pub mod lifetime;
pub mod memory;
pub mod missing;
pub mod variant;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub use lifetime::{Age, Lifetime};
use memory::Memory;
use missing::Missing;
use prometheus_client::registry::Registry;
use variant::{Variant, VariantKey};

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
            fresh: Duration::from_hours(1),
            stale_while_revalidate: Duration::from_mins(1),
            stale_if_error: Duration::from_hours(24),
            // A picture uploaded after its page was first seen must not stay missing.
            negative: Duration::from_secs(5),
        }
    }
}

/// A variant, and until when it may be served in which way.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The picture.
    pub variant: Arc<Variant>,
    /// Fresh until then.
    pub fresh_until: Instant,
    /// Served without asking the origin, which is in trouble, until then.
    pub quiet_until: Instant,
    /// Served while the origin is asked, until then.
    pub stale_until: Instant,
    /// Served when the origin cannot be reached, until then.
    pub error_until: Instant,
}

/// Variants in memory, and objects that are known not to exist.
#[derive(Debug)]
pub struct Cache {
    memory: Memory,
    missing: Missing,
}

impl Cache {
    /// An empty cache.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            memory: Memory::new(settings.memory_bytes),
            missing: Missing::new(settings.negative),
        }
    }

    /// The variant of this key, however old.
    #[must_use]
    pub fn get(&self, key: &VariantKey) -> Option<Kept> {
        self.memory.get(key)
    }

    /// As [`Self::get`], but nobody has asked: it counts for no statistics and no eviction.
    #[must_use]
    pub fn peek(&self, key: &VariantKey) -> Option<Kept> {
        self.memory.peek(key)
    }

    /// Keeps a variant in place of what was kept under this key.
    pub fn put(&self, key: VariantKey, kept: Kept) {
        self.memory.put(key, kept);
    }

    /// Forgets the variant of this key.
    pub fn remove(&self, key: &VariantKey) {
        self.memory.remove(key);
    }

    /// Objects that the origin does not have.
    #[must_use]
    pub fn missing(&self) -> &Missing {
        &self.missing
    }

    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("cache");
        self.memory.register(registry);
        self.missing.register(registry);
    }
}
