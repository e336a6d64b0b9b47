//! One end for a whole fetch, and shorter ones for its steps; each says its name when it passes.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

use super::Error;

/// How long a fetch waits for its turn at a source: past it, a client is better off asking again.
const TURN_WAIT: Duration = Duration::from_secs(5);

/// How long a fetch waits for memory while the origin waits for it to read on.
pub(super) const MEMORY_WAIT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    end: Instant,
    total: Duration,
}

impl Deadline {
    pub(super) fn start(total: Duration) -> Self {
        Self {
            end: Instant::now() + total,
            total,
        }
    }

    /// Time that is left; zero once it has passed.
    pub(super) fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Does `work`, which is described by `what`, within `limit` and within the whole.
    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        what: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let step = Instant::now() + limit;
        timeout_at(step.min(self.end), work).await.map_err(|_| {
            let cause = if step < self.end {
                format!("{what} took longer than {limit:?}")
            } else {
                format!("the whole {:?} passed, at last while {what}", self.total)
            };
            Error::TimedOut { cause }
        })
    }

    /// A turn among the fetches of one source.
    pub(super) async fn turn<'t>(
        &self,
        turns: &'t Semaphore,
    ) -> Result<SemaphorePermit<'t>, Error> {
        let wait = TURN_WAIT.min(self.left());
        match tokio::time::timeout(wait, turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Error::Busy {
                cause: format!("no turn within {wait:?}: too many fetches at once"),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[track_caller]
    fn cause(result: Result<(), Error>) -> String {
        match result {
            Err(Error::TimedOut { cause }) => cause,
            other => panic!("not a deadline: {other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_waited_for_and_not_for_ever() {
        let turns = Semaphore::new(1);
        let deadline = Deadline::start(Duration::from_secs(20));
        let held = deadline.turn(&turns).await.expect("a free turn");
        let busy = deadline.turn(&turns).await;
        assert!(matches!(busy, Err(Error::Busy { .. })), "{busy:?}");
        assert_eq!(deadline.left(), Duration::from_secs(15));
        drop(held);
        assert!(deadline.turn(&turns).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_shorter_end_comes_first_and_says_its_name() {
        let deadline = Deadline::start(Duration::from_secs(5));
        let short = deadline
            .within(Duration::from_secs(3), "reading", pending())
            .await;
        assert_eq!(cause(short), "reading took longer than 3s");
        assert_eq!(deadline.left(), Duration::from_secs(2));
        let whole = deadline
            .within(Duration::from_secs(3), "reading", pending())
            .await;
        assert_eq!(cause(whole), "the whole 5s passed, at last while reading");
        assert_eq!(deadline.left(), Duration::ZERO);
    }
}
