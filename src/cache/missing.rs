//! "There is no such object", remembered for a moment: a page full of broken links, or a guesser
//! of names, does not become as many requests to the origin.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use lru::LruCache;
use prometheus_client::{metrics::counter::Counter, registry::Registry};

use super::variant::ObjectId;

/// Most names remembered. About 2 MiB; at the default of five seconds it takes 3000 different
/// missing names a second to push one out early, which costs a request to the origin and no more.
pub const MOST: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

/// Characters of a cause; it is for the log, and an origin may talk at length.
const LONGEST_CAUSE: usize = 100;

/// Objects that the origin did not have, a moment ago.
#[derive(Debug)]
pub struct Missing {
    remember: Duration,
    /// Why (for the log), and until when.
    names: Mutex<LruCache<ObjectId, (Box<str>, Instant)>>,
    hits: Counter,
}

impl Missing {
    /// Remembers each name for this long; not at all if it is zero.
    #[must_use]
    pub fn new(remember: Duration) -> Self {
        Self {
            remember: remember.min(super::lifetime::LONGEST),
            names: Mutex::new(LruCache::new(MOST)),
            hits: Counter::default(),
        }
    }

    /// Why the object is missing, if that is known and recent.
    #[must_use]
    pub fn get(&self, object: &ObjectId, now: Instant) -> Option<String> {
        let mut names = self.lock();
        let (cause, until) = names.peek(object)?;
        if now >= *until {
            names.pop(object);
            return None;
        }
        self.hits.inc();
        Some(cause.to_string())
    }

    /// The origin has just said that it has no such object.
    pub fn put(&self, object: ObjectId, cause: &str, now: Instant) {
        if !self.remember.is_zero() {
            let until = now + self.remember;
            let cause: String = cause.chars().take(LONGEST_CAUSE).collect();
            self.lock().put(object, (cause.into(), until));
        }
    }

    /// The object has been seen.
    pub fn remove(&self, object: &ObjectId) {
        self.lock().pop(object);
    }

    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "missing_hits",
            "Answered \"no such object\" from memory",
            self.hits.clone(),
        );
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<ObjectId, (Box<str>, Instant)>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REMEMBER: Duration = Duration::from_secs(5);

    fn id(number: usize) -> ObjectId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        ObjectId(id)
    }

    #[test]
    fn a_name_is_missing_until_its_time_is_over() {
        let (missing, now) = (Missing::new(REMEMBER), Instant::now());
        assert_eq!(missing.get(&id(1), now), None);
        missing.put(id(1), "absent", now);
        assert_eq!(missing.get(&id(1), now).as_deref(), Some("absent"));
        let last = now + Duration::from_nanos(4_999_999_999);
        assert_eq!(missing.get(&id(1), last).as_deref(), Some("absent"));
        assert_eq!(missing.get(&id(1), now + REMEMBER), None);
        assert_eq!(missing.hits.get(), 2);
    }

    #[test]
    fn asking_does_not_prolong() {
        let (missing, now) = (Missing::new(REMEMBER), Instant::now());
        missing.put(id(1), "absent", now);
        for _ in 0..10 {
            let _ = missing.get(&id(1), now + REMEMBER / 2);
        }
        assert_eq!(missing.get(&id(1), now + REMEMBER), None);
    }

    #[test]
    fn with_no_time_nothing_is_remembered() {
        let (missing, now) = (Missing::new(Duration::ZERO), Instant::now());
        missing.put(id(1), "absent", now);
        assert_eq!(missing.get(&id(1), now), None);
    }

    #[test]
    fn an_object_that_has_been_seen_is_not_missing() {
        let (missing, now) = (Missing::new(REMEMBER), Instant::now());
        missing.put(id(1), "absent", now);
        missing.remove(&id(1));
        assert_eq!(missing.get(&id(1), now), None);
    }

    #[test]
    fn names_are_bounded_and_the_oldest_goes_first() {
        let (missing, now) = (Missing::new(REMEMBER), Instant::now());
        for number in 0..MOST.get() {
            missing.put(id(number), "absent", now);
        }
        assert!(
            missing.get(&id(0), now).is_some(),
            "at the limit all are there"
        );
        missing.put(id(MOST.get()), "absent", now);
        assert_eq!(missing.lock().len(), MOST.get());
        assert_eq!(missing.get(&id(0), now), None);
        assert!(missing.get(&id(1), now).is_some());
    }
}
