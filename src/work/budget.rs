//! One number of bytes, shared out. What is asked of it is what a job says it will hold at its peak.
//!
//! First come, first served: a large request that waits is not overtaken by small ones, so it
//! gets its turn. Knows nothing of what the bytes are for, and allocates none of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::{Registry, Unit},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes are counted in units of this many: tokio's semaphore hands out at most `u32::MAX` at
/// once, and nobody needs a budget by the byte.
const UNIT: u64 = 1024;

/// Most that may wait at once; one more is refused at once. Far above what the pool's queue and
/// the flights let through: it bounds the list of waiters, not the work.
pub const MAX_WAITERS: usize = 4096;

/// Bytes that may be held together. Clones share them.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    units: u32,
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct Metrics {
    capacity: Gauge,
    in_use: Gauge,
    waiting: Gauge,
    refused: Counter,
}

/// A share of a budget; given back when it is dropped. Travels with the work that it covers.
#[derive(Debug)]
pub struct Permit {
    held: OwnedSemaphorePermit,
    in_use: Gauge,
}

impl Budget {
    /// A budget of this many bytes, rounded down to whole KiB (and to 4 TiB).
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX);
        let metrics = Metrics::default();
        metrics.capacity.set(bytes_of(units as usize).cast_signed());
        Self(Arc::new(Inner {
            units,
            free: Arc::new(Semaphore::new(units as usize)),
            waiting: AtomicUsize::new(0),
            metrics,
        }))
    }

    /// The whole of it, in bytes. Nothing larger is ever admitted.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        bytes_of(self.0.units as usize)
    }

    /// Bytes that nobody holds and nobody waits for.
    #[must_use]
    pub fn available(&self) -> u64 {
        bytes_of(self.0.free.available_permits())
    }

    /// Takes `bytes` (at least one KiB) if they are free now, and nobody waits before us.
    #[must_use]
    pub fn try_admit(&self, bytes: u64) -> Option<Permit> {
        let units = units_of(bytes)?;
        // While anybody waits, tokio hands freed permits to the first in the line and leaves none
        // free: this cannot overtake.
        let held = Arc::clone(&self.0.free).try_acquire_many_owned(units);
        held.ok().map(|held| self.permit(held))
    }

    /// Takes `bytes` (at least one KiB), after those who asked before. `None`: not within `wait`,
    /// more than [`Self::capacity`], or [`MAX_WAITERS`] wait already; the last two at once.
    pub async fn admit(&self, bytes: u64, wait: Duration) -> Option<Permit> {
        if let Some(permit) = self.try_admit(bytes) {
            return Some(permit);
        }
        let permit = self.wait(bytes, wait).await;
        if permit.is_none() {
            self.0.metrics.refused.inc();
        }
        permit
    }

    async fn wait(&self, bytes: u64, wait: Duration) -> Option<Permit> {
        let units = units_of(bytes).filter(|units| *units <= self.0.units)?;
        let _place = Place::take(&self.0)?;
        let held = Arc::clone(&self.0.free).acquire_many_owned(units);
        // The semaphore is never closed, so its only failure is the time-out's.
        let held = tokio::time::timeout(wait, held).await.ok()?.ok()?;
        Some(self.permit(held))
    }

    fn permit(&self, held: OwnedSemaphorePermit) -> Permit {
        let in_use = self.0.metrics.in_use.clone();
        in_use.inc_by(bytes_of(held.num_permits()).cast_signed());
        Permit { held, in_use }
    }

    /// Registers this budget's metrics, each name beginning with `name`.
    pub fn register(&self, registry: &mut Registry, name: &str) {
        let metrics = &self.0.metrics;
        let registry = registry.sub_registry_with_prefix(name);
        registry.register_with_unit(
            "budget_capacity",
            "Most that may be held at once",
            Unit::Bytes,
            metrics.capacity.clone(),
        );
        registry.register_with_unit(
            "budget_in_use",
            "Held now",
            Unit::Bytes,
            metrics.in_use.clone(),
        );
        registry.register(
            "budget_waiting",
            "Waiting for a share",
            metrics.waiting.clone(),
        );
        registry.register(
            "budget_refused",
            "Went without a share: too large, too late, or too many waiting",
            metrics.refused.clone(),
        );
    }
}

impl Permit {
    /// Bytes that it covers: what was asked for, in whole KiB.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        bytes_of(self.held.num_permits())
    }

    /// Gives back what is over `bytes` (at least one KiB is kept). For work that turns out to be
    /// smaller than it might have been.
    pub fn shrink(&mut self, bytes: u64) {
        let keep = units_of(bytes).map_or(usize::MAX, |units| units as usize);
        let surplus = self.held.num_permits().saturating_sub(keep);
        if let Some(surplus) = self.held.split(surplus) {
            let freed = bytes_of(surplus.num_permits());
            self.in_use.dec_by(freed.cast_signed());
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.in_use.dec_by(self.bytes().cast_signed());
    }
}

/// A place among the waiters.
struct Place<'a>(&'a Inner);

impl<'a> Place<'a> {
    fn take(inner: &'a Inner) -> Option<Self> {
        let count = inner.waiting.fetch_add(1, Ordering::Relaxed);
        inner.metrics.waiting.inc();
        let place = Self(inner);
        (count < MAX_WAITERS).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.metrics.waiting.dec();
    }
}

/// Whole units that cover `bytes`; `None` where no budget is that large.
fn units_of(bytes: u64) -> Option<u32> {
    u32::try_from(bytes.div_ceil(UNIT).max(1)).ok()
}

fn bytes_of(units: usize) -> u64 {
    units as u64 * UNIT
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1024;
    const SOON: Duration = Duration::from_secs(1);

    #[test]
    fn the_whole_budget_is_admitted_and_one_byte_more_is_not() {
        let budget = Budget::new(8 * KIB);
        assert!(budget.try_admit(8 * KIB + 1).is_none());
        let all = budget.try_admit(8 * KIB).expect("the whole of it");
        assert_eq!((all.bytes(), budget.available()), (8 * KIB, 0));
        assert!(budget.try_admit(1).is_none());
        drop(all);
        assert_eq!(budget.available(), 8 * KIB);
    }

    #[test]
    fn nothing_costs_at_least_one_unit() {
        let budget = Budget::new(2 * KIB);
        let _a = budget.try_admit(0).expect("free");
        let _b = budget.try_admit(1).expect("free");
        assert!(budget.try_admit(0).is_none());
    }

    #[test]
    fn sizes_beyond_all_reason_do_not_wrap() {
        let budget = Budget::new(u64::MAX);
        assert_eq!(budget.capacity(), u64::from(u32::MAX) * KIB);
        assert!(budget.try_admit(u64::MAX).is_none());
        assert!(budget.try_admit(budget.capacity()).is_some());
    }

    #[test]
    fn shrinking_gives_back_the_surplus_only() {
        let budget = Budget::new(8 * KIB);
        let mut permit = budget.try_admit(6 * KIB).expect("free");
        permit.shrink(7 * KIB);
        assert_eq!(permit.bytes(), 6 * KIB);
        permit.shrink(KIB + 1);
        assert_eq!((permit.bytes(), budget.available()), (2 * KIB, 6 * KIB));
        assert_eq!(budget.0.metrics.in_use.get(), 2 * 1024);
        drop(permit);
        assert_eq!(
            (budget.available(), budget.0.metrics.in_use.get()),
            (8 * KIB, 0)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_the_whole_is_refused_at_once() {
        let budget = Budget::new(KIB);
        let start = tokio::time::Instant::now();
        assert!(budget.admit(KIB + 1, SOON).await.is_none());
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_when_its_time_is_over() {
        let budget = Budget::new(KIB);
        let _all = budget.try_admit(KIB);
        let start = tokio::time::Instant::now();
        assert!(budget.admit(1, SOON).await.is_none());
        assert!(start.elapsed() >= SOON);
        assert_eq!(budget.0.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn small_ones_do_not_overtake_a_large_one() {
        let budget = Budget::new(4 * KIB);
        let some = budget.try_admit(2 * KIB).expect("free");
        let large = tokio::spawn({
            let budget = budget.clone();
            async move { budget.admit(4 * KIB, SOON).await }
        });
        tokio::task::yield_now().await;
        assert!(
            budget.try_admit(KIB).is_none(),
            "2 KiB are free, but spoken for"
        );
        let small = tokio::spawn({
            let budget = budget.clone();
            async move { budget.admit(KIB, SOON).await }
        });
        tokio::task::yield_now().await;
        drop(some);
        let large = large.await.expect("no panic").expect("its turn");
        assert!(!small.is_finished());
        drop(large);
        assert!(small.await.expect("no panic").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiter_that_leaves_gives_back_what_was_set_aside() {
        let budget = Budget::new(4 * KIB);
        let some = budget.try_admit(2 * KIB).expect("free");
        assert!(budget.admit(4 * KIB, SOON).await.is_none());
        assert_eq!(budget.available(), 2 * KIB);
        drop(some);
        assert_eq!(budget.available(), 4 * KIB);
    }

    #[tokio::test(start_paused = true)]
    async fn waiters_are_bounded() {
        let budget = Budget::new(KIB);
        let all = budget.try_admit(KIB).expect("free");
        let waiters: Vec<_> = (0..MAX_WAITERS)
            .map(|_| {
                let budget = budget.clone();
                tokio::spawn(async move { budget.admit(1, SOON * 60).await.is_some() })
            })
            .collect();
        while budget.0.waiting.load(Ordering::Relaxed) < MAX_WAITERS {
            tokio::task::yield_now().await;
        }
        let start = tokio::time::Instant::now();
        assert!(budget.admit(1, SOON * 60).await.is_none());
        assert_eq!(start.elapsed(), Duration::ZERO);
        drop(all);
        for waiter in waiters {
            assert!(
                waiter.await.expect("no panic"),
                "those before the limit get their turn"
            );
        }
    }
}
