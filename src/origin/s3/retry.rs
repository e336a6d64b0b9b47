//! When to try again: seldom, soon, and never so often that a sick store gets sicker.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// The first pause; it doubles with each try.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// A fetch earns one, and a retry costs ten: a tenth more load in the long run.
const COST: u32 = 10;

/// What can be saved up: twenty retries, for a burst of resets such as a store's restart.
const PURSE: u32 = 20 * COST;

/// The retries that one source may still make.
#[derive(Debug)]
pub(super) struct RetryBudget {
    purse: AtomicU32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            purse: AtomicU32::new(PURSE),
        }
    }
}

impl RetryBudget {
    /// A fetch begins.
    pub(super) fn earn(&self) {
        self.change(|purse| Some((purse + 1).min(PURSE)));
    }

    /// Whether there may be a retry now.
    pub(super) fn spend(&self) -> bool {
        self.change(|purse| purse.checked_sub(COST))
    }

    fn change(&self, change: impl FnMut(u32) -> Option<u32>) -> bool {
        let purse = &self.purse;
        purse
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, change)
            .is_ok()
    }
}

/// How soon the next try may come after a failed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// It would fail the same way.
    Never,
    /// The connection failed, perhaps only because it was an old one.
    Soon,
    /// The store is unwell.
    Later,
}

/// The pause before a retry, after so many tries.
pub(super) fn pause(again: Again, tries: u32) -> Duration {
    if again == Again::Soon && tries == 1 {
        return Duration::ZERO;
    }
    let doubled = FIRST_PAUSE * (1 << tries.saturating_sub(1).min(6));
    // From half of it to one and a half, so that those who failed together do not return together.
    doubled.mul_f64(0.5 + fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sick_store_gets_a_tenth_more_load() {
        let budget = RetryBudget::default();
        let mut retries = 0;
        for _ in 0..1000 {
            budget.earn();
            retries += u32::from(budget.spend()) + u32::from(budget.spend());
        }
        // The first fetch found the purse full.
        assert_eq!(retries, (PURSE + 999) / COST);
    }

    #[test]
    fn an_empty_purse_refuses_until_ten_fetches_later() {
        let budget = RetryBudget::default();
        while budget.spend() {}
        for _ in 1..COST {
            budget.earn();
            assert!(!budget.spend());
        }
        budget.earn();
        assert!(budget.spend());
    }

    #[test]
    fn pauses_double_and_scatter() {
        assert_eq!(pause(Again::Soon, 1), Duration::ZERO);
        for (tries, middle) in [(1, 25), (2, 50), (3, 100), (9, 1600), (40, 1600)] {
            let middle = Duration::from_millis(middle);
            let pause = pause(Again::Later, tries);
            assert!(
                pause >= middle / 2 && pause < middle * 3 / 2,
                "{tries}: {pause:?}"
            );
        }
    }
}
