//! What the socket's side and the request's side of one connection tell each other: how many
//! requests are under way, since when there are none, and how many were given up by the client.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// Answers that a client may throw away on one connection within [`ABORT_WINDOW`]. A page that is
/// left while its pictures load cancels some dozens at once; a rapid-reset attack (CVE-2023-44487)
/// thousands. Varnish, too, stands at a hundred.
const MAX_ABORTED: usize = 100;

/// The stretch of time in which aborted answers are counted together.
const ABORT_WINDOW: Duration = Duration::from_mins(1);

/// One connection's counts. Both sides run in tasks of one connection, so the loosest ordering
/// will do: nothing else is read on the strength of these numbers.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    started: AtomicUsize,
    in_flight: AtomicUsize,
    /// Milliseconds from `opened` to when the connection last did something for its client.
    quiet_since: AtomicU64,
    aborted: AtomicUsize,
    /// Milliseconds from `opened` to the beginning of the current abort window.
    window_since: AtomicU64,
}

impl Activity {
    pub(super) fn new(opened: Instant) -> Arc<Self> {
        Arc::new(Self {
            opened,
            started: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            quiet_since: AtomicU64::new(0),
            aborted: AtomicUsize::new(0),
            window_since: AtomicU64::new(0),
        })
    }

    /// Requests whose head was complete, ever.
    pub(super) fn started(&self) -> usize {
        self.started.load(Relaxed)
    }

    /// Whether a request is being answered.
    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.load(Relaxed) > 0
    }

    /// When the connection last did something for its client.
    pub(super) fn quiet_since(&self) -> Instant {
        self.opened + Duration::from_millis(self.quiet_since.load(Relaxed))
    }

    /// Something was done for the client just now.
    pub(super) fn touch(&self, now: Instant) {
        self.quiet_since.store(self.age(now), Relaxed);
    }

    /// Whether the client throws away too many answers.
    pub(super) fn is_abusive(&self) -> bool {
        self.aborted.load(Relaxed) > MAX_ABORTED
    }

    /// A request begins; it ends when the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.started.fetch_add(1, Relaxed);
        self.in_flight.fetch_add(1, Relaxed);
        InFlight {
            activity: self.clone(),
            finished: false,
        }
    }

    fn abort(&self, now: Instant) {
        let age = self.age(now);
        let window = u64::try_from(ABORT_WINDOW.as_millis()).unwrap_or(u64::MAX);
        if age.saturating_sub(self.window_since.load(Relaxed)) > window {
            self.window_since.store(age, Relaxed);
            self.aborted.store(0, Relaxed);
        }
        self.aborted.fetch_add(1, Relaxed);
    }

    fn age(&self, now: Instant) -> u64 {
        let age = now.saturating_duration_since(self.opened);
        u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A request under way. Dropped before [`InFlight::finish`], it was given up by the client.
#[derive(Debug)]
pub(super) struct InFlight {
    activity: Arc<Activity>,
    finished: bool,
}

impl InFlight {
    /// The answer's head is there; its body is watched from here on.
    pub(super) fn finish<B>(mut self, body: B) -> Watched<B>
    where
        B: Body,
    {
        self.finished = true;
        Watched {
            body,
            activity: self.activity.clone(),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let now = Instant::now();
        self.activity.in_flight.fetch_sub(1, Relaxed);
        self.activity.touch(now);
        if !self.finished {
            self.activity.abort(now);
        }
    }
}

/// A body that notices when it is thrown away unread.
#[derive(Debug)]
pub(super) struct Watched<B: Body> {
    body: B,
    activity: Arc<Activity>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: Body> Drop for Watched<B> {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            self.activity.abort(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    fn body() -> Full<Bytes> {
        Full::new(Bytes::from_static(b"picture"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_its_answers_is_never_abusive() {
        let activity = Activity::new(Instant::now());
        for _ in 0..=MAX_ABORTED {
            let request = activity.begin();
            assert!(activity.is_busy());
            let answer = request.finish(body());
            answer.collect().await.expect("a body");
            activity.begin().finish(Full::<Bytes>::default());
        }
        assert!(!activity.is_busy());
        assert!(!activity.is_abusive());
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_aborted_answers_a_minute_are_borne_and_no_more() {
        let activity = Activity::new(Instant::now());
        for _ in 0..MAX_ABORTED / 2 {
            drop(activity.begin());
            drop(activity.begin().finish(body()));
        }
        assert!(!activity.is_abusive());
        drop(activity.begin());
        assert!(activity.is_abusive());
    }

    #[tokio::test(start_paused = true)]
    async fn old_aborts_are_forgotten() {
        let activity = Activity::new(Instant::now());
        for _ in 0..MAX_ABORTED {
            drop(activity.begin());
        }
        tokio::time::advance(ABORT_WINDOW + Duration::from_secs(1)).await;
        drop(activity.begin());
        assert!(!activity.is_abusive());
    }
}
