//! Variants in memory: sharded, bounded in bytes, resistant to scans.
//!
//! Each shard is a 2Q of three `LruCache`s: what is new is on probation, in a short queue; what is
//! asked for again moves to the protected part; and the names of what fell off the queue are
//! remembered, so that what comes back soon is protected at once. A crawler that asks for
//! everything once passes through a tenth of the memory and pushes nothing else out.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use lru::LruCache;
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::{Kept, variant::VariantKey};

/// What an entry costs beside its picture: the `Variant` and its headers, the key (twice: it stays
/// as a ghost), links, a line of the hash table, and what the allocator rounds up. Errs high.
pub const OVERHEAD: u64 = 640;

/// No shard is smaller, so that a quarter of one still holds a large picture.
const SMALLEST_SHARD: u64 = 16 << 20;

/// More shards than cores, so that two of them seldom want the same one.
const SHARDS_PER_CORE: usize = 4;

/// An entry of more than this share of a shard would push out too much for one picture.
const LARGEST_ENTRY: u64 = 4;

/// The share of a shard that probation may take while there is anything protected.
const PROBATION: u64 = 10;

/// Asked for this often while on probation, an entry is protected when it reaches the end of the
/// queue. Once is not enough: a page that is reloaded asks twice.
const PROMOTED_AT: u8 = 2;

/// Ghosts beyond the number of entries, so that a small shard has some too.
const SPARE_GHOSTS: usize = 64;

/// The cache.
#[derive(Debug)]
pub struct Memory {
    /// A power of two of them.
    shards: Box<[Mutex<Shard>]>,
    metrics: Metrics,
}

#[derive(Debug)]
struct Shard {
    capacity: u64,
    /// A queue: asking does not reorder it, only counts.
    probation: LruCache<VariantKey, (Kept, u8)>,
    probation_bytes: u64,
    protected: LruCache<VariantKey, Kept>,
    protected_bytes: u64,
    ghosts: LruCache<VariantKey, ()>,
}

#[derive(Debug, Default)]
struct Metrics {
    hits: Counter,
    misses: Counter,
    insertions: Counter,
    evictions: Counter,
    oversized: Counter,
    bytes: Gauge,
    entries: Gauge,
}

impl Memory {
    /// An empty cache of at most so many bytes; with none, nothing is kept.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::with_shards(bytes, shards(bytes, cores))
    }

    fn with_shards(bytes: u64, shards: usize) -> Self {
        let capacity = bytes / shards as u64;
        Self {
            shards: (0..shards)
                .map(|_| Mutex::new(Shard::new(capacity)))
                .collect(),
            metrics: Metrics::default(),
        }
    }

    /// The entry of this key, however old.
    #[must_use]
    pub fn get(&self, key: &VariantKey) -> Option<Kept> {
        let kept = self.shard(key).get(key);
        let counter = match kept {
            Some(_) => &self.metrics.hits,
            None => &self.metrics.misses,
        };
        counter.inc();
        kept
    }

    /// As [`Self::get`], but leaves no trace.
    #[must_use]
    pub fn peek(&self, key: &VariantKey) -> Option<Kept> {
        let shard = self.shard(key);
        let protected = shard.protected.peek(key);
        let on_probation = || shard.probation.peek(key).map(|(kept, _)| kept);
        protected.or_else(on_probation).cloned()
    }

    /// Keeps an entry, in place of an older one of the same key; pushes out others as need be.
    pub fn put(&self, key: VariantKey, kept: Kept) {
        if weight(&kept) > self.largest() {
            self.metrics.oversized.inc();
            // An older one, which may have been small enough, must not outlive it.
            self.remove(&key);
            return;
        }
        self.metrics.insertions.inc();
        let mut shard = self.shard(&key);
        let before = shard.measure();
        let evicted = shard.put(key, kept);
        self.note(before, shard.measure());
        drop(shard);
        self.metrics.evictions.inc_by(evicted.len() as u64);
        // Only here, without the lock, is the memory of what was pushed out given back.
        drop(evicted);
    }

    /// Forgets an entry.
    pub fn remove(&self, key: &VariantKey) {
        let mut shard = self.shard(key);
        let before = shard.measure();
        let removed = shard.remove(key);
        self.note(before, shard.measure());
        drop(shard);
        drop(removed);
    }

    /// Bytes of the largest entry that is kept, its overhead included.
    #[must_use]
    pub fn largest(&self) -> u64 {
        self.shard_at(0).capacity / LARGEST_ENTRY
    }

    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        let metrics = &self.metrics;
        registry.register("hits", "Found, fresh or stale", metrics.hits.clone());
        registry.register("misses", "Not found", metrics.misses.clone());
        registry.register("insertions", "Variants put in", metrics.insertions.clone());
        registry.register(
            "evictions",
            "Variants pushed out",
            metrics.evictions.clone(),
        );
        registry.register(
            "oversized",
            "Variants too large to be kept",
            metrics.oversized.clone(),
        );
        registry.register_with_unit(
            "memory",
            "Held by variants, overhead included",
            Unit::Bytes,
            metrics.bytes.clone(),
        );
        registry.register("entries", "Variants held", metrics.entries.clone());
    }

    fn shard(&self, key: &VariantKey) -> MutexGuard<'_, Shard> {
        // Keys are hashes: any of their bits will do.
        let bits = usize::from(u16::from_le_bytes([key.0[0], key.0[1]]));
        self.shard_at(bits & (self.shards.len() - 1))
    }

    fn shard_at(&self, index: usize) -> MutexGuard<'_, Shard> {
        // What a panic could leave behind is a wrong count of bytes, not a wrong picture.
        self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, before: (u64, usize), after: (u64, usize)) {
        let bytes = after.0.cast_signed() - before.0.cast_signed();
        let entries = after.1.cast_signed() - before.1.cast_signed();
        self.metrics.bytes.inc_by(bytes);
        self.metrics.entries.inc_by(entries as i64);
    }
}

/// As many shards as the cores want and the bytes allow: a power of two, at least one.
fn shards(bytes: u64, cores: usize) -> usize {
    let wanted = cores.saturating_mul(SHARDS_PER_CORE).next_power_of_two();
    let allowed = usize::try_from(bytes / SMALLEST_SHARD).unwrap_or(usize::MAX);
    // Keys are spread by 16 of their bits.
    let most = wanted.min(allowed).clamp(1, 1 << 16);
    1 << most.ilog2()
}

fn weight(kept: &Kept) -> u64 {
    (kept.variant.bytes.len() as u64).saturating_add(OVERHEAD)
}

impl Shard {
    fn new(capacity: u64) -> Self {
        Self {
            capacity,
            probation: LruCache::unbounded(),
            probation_bytes: 0,
            protected: LruCache::unbounded(),
            protected_bytes: 0,
            ghosts: LruCache::unbounded(),
        }
    }

    fn get(&mut self, key: &VariantKey) -> Option<Kept> {
        if let Some(kept) = self.protected.get(key) {
            return Some(kept.clone());
        }
        let (kept, asked) = self.probation.peek_mut(key)?;
        *asked = asked.saturating_add(1);
        Some(kept.clone())
    }

    /// Returns what had to go. `kept` itself fits: it is far smaller than the shard.
    fn put(&mut self, key: VariantKey, kept: Kept) -> Vec<Kept> {
        let weight = weight(&kept);
        let mut gone = Vec::new();
        // A newer one takes the old one's place, and its standing.
        if let Some(slot) = self.protected.get_mut(&key) {
            let old = std::mem::replace(slot, kept);
            self.protected_bytes = self.protected_bytes - self::weight(&old) + weight;
            self.shrink(&mut gone);
            return gone;
        }
        if let Some((slot, _)) = self.probation.peek_mut(&key) {
            let old = std::mem::replace(slot, kept);
            self.probation_bytes = self.probation_bytes - self::weight(&old) + weight;
        } else if self.ghosts.pop(&key).is_some() {
            self.protected.put(key, kept);
            self.protected_bytes += weight;
        } else {
            self.probation.put(key, (kept, 0));
            self.probation_bytes += weight;
        }
        self.shrink(&mut gone);
        gone
    }

    fn remove(&mut self, key: &VariantKey) -> Option<Kept> {
        self.ghosts.pop(key);
        if let Some(kept) = self.protected.pop(key) {
            self.protected_bytes -= weight(&kept);
            return Some(kept);
        }
        let (kept, _) = self.probation.pop(key)?;
        self.probation_bytes -= weight(&kept);
        Some(kept)
    }

    /// Each step makes the queue shorter or the shard smaller, so it ends.
    fn shrink(&mut self, gone: &mut Vec<Kept>) {
        while self.probation_bytes + self.protected_bytes > self.capacity {
            let long = self.probation_bytes > self.capacity / PROBATION;
            let next = if long || self.protected.is_empty() {
                self.end_probation()
            } else {
                self.drop_protected()
            };
            gone.extend(next);
        }
    }

    /// The oldest on probation: protected, or gone but for its name.
    fn end_probation(&mut self) -> Option<Kept> {
        let (key, (kept, asked)) = self.probation.pop_lru()?;
        self.probation_bytes -= weight(&kept);
        if asked >= PROMOTED_AT {
            self.protected_bytes += weight(&kept);
            self.protected.put(key, kept);
            return None;
        }
        self.ghosts.put(key, ());
        while self.ghosts.len() > self.measure().1 + SPARE_GHOSTS {
            self.ghosts.pop_lru();
        }
        Some(kept)
    }

    fn drop_protected(&mut self) -> Option<Kept> {
        let (_, kept) = self.protected.pop_lru()?;
        self.protected_bytes -= weight(&kept);
        Some(kept)
    }

    /// Bytes and entries.
    fn measure(&self) -> (u64, usize) {
        (
            self.probation_bytes + self.protected_bytes,
            self.probation.len() + self.protected.len(),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;
    use crate::cache::{Lifetime, Settings, variant::tests::variant};

    fn key(number: u32) -> VariantKey {
        let mut key = [0; 16];
        // Spread over the shards, as a hash would be.
        key[..4].copy_from_slice(&number.to_le_bytes());
        VariantKey(key)
    }

    /// An entry that weighs this much altogether.
    fn entry(weight: u64) -> Kept {
        let bytes = usize::try_from(weight - OVERHEAD).expect("small");
        let lifetime = Lifetime::new(None, &Settings::default());
        Kept::new(variant(bytes), &lifetime, Instant::now())
    }

    /// Bytes and entries, counted anew, and held against what the metrics say.
    fn measured(memory: &Memory) -> (u64, usize) {
        let (mut bytes, mut entries) = (0, 0);
        for index in 0..memory.shards.len() {
            let shard = memory.shard_at(index);
            let probation = shard.probation.iter().map(|(_, (kept, _))| weight(kept));
            let protected = shard.protected.iter().map(|(_, kept)| weight(kept));
            let sum: u64 = probation.chain(protected).sum();
            assert_eq!(shard.measure().0, sum);
            assert!(sum <= shard.capacity);
            let most = shard.capacity / OVERHEAD + SPARE_GHOSTS as u64;
            assert!(shard.ghosts.len() as u64 <= most);
            bytes += sum;
            entries += shard.measure().1;
        }
        assert_eq!(memory.metrics.bytes.get(), bytes.cast_signed());
        assert_eq!(
            memory.metrics.entries.get(),
            i64::try_from(entries).expect("few")
        );
        (bytes, entries)
    }

    #[test]
    fn what_is_put_is_found() {
        let memory = Memory::new(1 << 20);
        assert!(memory.get(&key(1)).is_none());
        memory.put(key(1), entry(1000));
        let kept = memory.get(&key(1)).expect("kept");
        assert_eq!(weight(&kept), 1000);
        assert_eq!(
            (memory.metrics.hits.get(), memory.metrics.misses.get()),
            (1, 1)
        );
        assert!(memory.peek(&key(1)).is_some());
        assert_eq!(memory.metrics.hits.get(), 1, "peeking does not count");
        memory.remove(&key(1));
        assert!(memory.get(&key(1)).is_none());
        assert_eq!(measured(&memory), (0, 0));
    }

    #[test]
    fn a_newer_one_takes_the_place_of_the_older() {
        let memory = Memory::new(1 << 20);
        memory.put(key(1), entry(1000));
        memory.put(key(1), entry(3000));
        assert_eq!(measured(&memory), (3000, 1));
        memory.put(key(1), entry(2000));
        assert_eq!(measured(&memory), (2000, 1));
    }

    #[test]
    fn the_capacity_is_used_to_the_last_byte_and_no_further() {
        let memory = Memory::with_shards(100_000, 1);
        for number in 0..10 {
            memory.put(key(number), entry(10_000));
        }
        assert_eq!(measured(&memory), (100_000, 10));
        assert_eq!(memory.metrics.evictions.get(), 0);
        memory.put(key(10), entry(1_000));
        assert_eq!(measured(&memory), (91_000, 10));
        assert_eq!(memory.metrics.evictions.get(), 1);
        assert!(memory.get(&key(0)).is_none(), "the oldest went");
    }

    #[test]
    fn an_entry_of_a_quarter_of_a_shard_is_kept_and_one_byte_more_is_not() {
        let memory = Memory::with_shards(100_000, 1);
        assert_eq!(memory.largest(), 25_000);
        memory.put(key(1), entry(25_000));
        assert!(memory.get(&key(1)).is_some());
        memory.put(key(1), entry(25_001));
        assert!(memory.get(&key(1)).is_none(), "nor is the older one");
        assert_eq!(memory.metrics.oversized.get(), 1);
        assert_eq!(measured(&memory), (0, 0));
    }

    #[test]
    fn a_cache_of_no_bytes_keeps_nothing() {
        let memory = Memory::new(0);
        memory.put(key(1), entry(OVERHEAD));
        assert!(memory.get(&key(1)).is_none());
    }

    #[test]
    fn a_crawler_does_not_push_out_what_people_look_at() {
        let memory = Memory::with_shards(100_000, 1);
        let ask = |number| {
            if memory.get(&key(number)).is_none() {
                memory.put(key(number), entry(1_000));
            }
        };
        for _ in 0..5 {
            (0..80).for_each(ask);
        }
        // Each name once, fifty times the memory.
        (1_000..6_000).for_each(ask);
        let found = (0..80).filter(|number| memory.get(&key(*number)).is_some());
        assert_eq!(found.count(), 80);
        measured(&memory);
    }

    #[test]
    fn what_comes_back_soon_after_it_fell_off_is_protected() {
        let memory = Memory::with_shards(100_000, 1);
        for number in 0..101 {
            memory.put(key(number), entry(1_000));
        }
        assert!(memory.get(&key(0)).is_none(), "it fell off");
        memory.put(key(0), entry(1_000));
        assert!(memory.shard_at(0).protected.contains(&key(0)));
    }

    #[test]
    fn popularity_that_is_over_does_not_last() {
        let memory = Memory::with_shards(100_000, 1);
        let ask = |number| {
            if memory.get(&key(number)).is_none() {
                memory.put(key(number), entry(1_000));
            }
        };
        for _ in 0..5 {
            (0..90).for_each(ask);
        }
        for _ in 0..5 {
            (100..190).for_each(ask);
        }
        let found = (100..190).filter(|number| memory.get(&key(*number)).is_some());
        assert!(found.count() >= 80);
    }

    #[track_caller]
    fn check_shards(mebibytes: u64, cores: usize, expected: usize) {
        let bytes = mebibytes << 20;
        assert_eq!(shards(bytes, cores), expected);
    }

    #[test]
    fn shards_are_a_power_of_two_as_cores_want_and_bytes_allow() {
        check_shards(0, 4, 1);
        check_shards(15, 4, 1);
        check_shards(16, 4, 1);
        check_shards(31, 4, 1);
        check_shards(32, 4, 2);
        check_shards(64, 4, 4);
        check_shards(100, 4, 4);
        check_shards(1024, 4, 16);
        check_shards(1024, 3, 16);
        check_shards(1024, 1, 4);
        check_shards(1 << 40, usize::MAX / 8, 1 << 16);
    }

    proptest! {
        #[test]
        fn whatever_happens_the_counts_are_right_and_the_bound_holds(
            steps in prop::collection::vec((0..3_u8, 0..40_u32, 0..6_000_u64), 0..400),
        ) {
            let memory = Memory::with_shards(40_000, 2);
            for (what, number, size) in steps {
                match what {
                    0 => memory.put(key(number), entry(OVERHEAD + size)),
                    1 => drop(memory.get(&key(number))),
                    _ => memory.remove(&key(number)),
                }
                measured(&memory);
            }
        }
    }
}
