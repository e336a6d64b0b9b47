//! The threads that pixels go through: as many as cores, behind a bounded queue.
//!
//! Knows jobs as closures only. A job that nobody waits for any more does not start; one that runs
//! is asked to stop, by its [`Cancel`], and keeps what its closure holds until it really has.

use std::{
    any::Any,
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use tokio::{sync::oneshot, time::timeout};

use super::{Settings, freed};
use crate::pixels::codec::Cancel;

/// As much as a main thread has, which is what C codecs are written against. Only what is touched
/// costs memory.
const STACK_BYTES: usize = 8 << 20;

/// The pool is stuck when all its threads are this many times `job_time` into a job: every one of
/// them was asked to stop long ago, and none has.
const STUCK_JOB_TIMES: u32 = 2;

/// The threads and their queue.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
}

/// Why a job has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The queue is full, or no thread came free in time.
    #[error("too many jobs are waiting")]
    Overloaded,
    /// The job's time ran out; it has been asked to stop.
    #[error("the job took too long")]
    TimedOut,
    /// The job panicked, and said this. Its thread lives on.
    #[error("the job panicked: {0}")]
    Panicked(String),
    /// The pool is shutting down.
    #[error("the pool is closed")]
    Closed,
}

struct Shared {
    settings: Settings,
    state: Mutex<State>,
    /// Told when a job is queued, a thread ends, or the pool closes.
    changed: Condvar,
    metrics: Metrics,
}

struct State {
    queue: VecDeque<Queued>,
    /// What each thread is at.
    running: Vec<Option<Arc<Cancel>>>,
    /// When a job last started or ended.
    progress: Instant,
    alive: usize,
    closed: bool,
}

struct Queued {
    cancel: Arc<Cancel>,
    run: Box<dyn FnOnce() + Send>,
}

#[derive(Debug, Default)]
struct Metrics {
    busy: Gauge,
    queued: Gauge,
    refused: Counter,
    timed_out: Counter,
    abandoned: Counter,
    panics: Counter,
}

impl Pool {
    /// Starts the threads (at least one).
    ///
    /// # Errors
    /// The system has no thread for us.
    pub fn new(settings: &Settings) -> io::Result<Self> {
        let workers = settings.workers.max(1);
        let pool = Self {
            shared: Arc::new(Shared {
                settings: *settings,
                state: Mutex::new(State {
                    queue: VecDeque::new(),
                    running: vec![None; workers],
                    progress: Instant::now(),
                    alive: 0,
                    closed: false,
                }),
                changed: Condvar::new(),
                metrics: Metrics::default(),
            }),
        };
        for worker in 0..workers {
            let shared = Arc::clone(&pool.shared);
            shared.lock().alive += 1;
            let thread = thread::Builder::new()
                .name(format!("pixels-{worker}"))
                .stack_size(STACK_BYTES);
            // Dropping the pool on an error ends the threads that did start.
            thread.spawn(move || shared.work(worker))?;
        }
        Ok(pool)
    }

    /// Runs `job` on one of the threads. Dropping the future calls the job off.
    ///
    /// Whatever the job needs to hold until it is really over (permits, sources) must be moved
    /// into the closure: dropping this future does not stop a thread.
    ///
    /// # Errors
    /// As [`Refused`].
    pub async fn run<T, J>(&self, job: J) -> Result<T, Refused>
    where
        T: Send + 'static,
        J: FnOnce(&Cancel) -> T + Send + 'static,
    {
        let result = self.submit(job).await;
        let metrics = &self.shared.metrics;
        match &result {
            Err(Refused::Overloaded | Refused::Closed) => metrics.refused.inc(),
            Err(Refused::TimedOut) => metrics.timed_out.inc(),
            Ok(_) | Err(Refused::Panicked(_)) => 0,
        };
        result
    }

    async fn submit<T, J>(&self, job: J) -> Result<T, Refused>
    where
        T: Send + 'static,
        J: FnOnce(&Cancel) -> T + Send + 'static,
    {
        let settings = &self.shared.settings;
        let cancel = Arc::new(Cancel::default());
        let (starts, started) = oneshot::channel();
        let (ends, ended) = oneshot::channel();
        let run = Box::new({
            let (cancel, panics) = (Arc::clone(&cancel), self.shared.metrics.panics.clone());
            move || {
                // Whether anybody still listens does not matter: `Waiter` has told `cancel` so.
                let _ = starts.send(());
                let _ = ends.send(run_caught(|| job(&cancel), &panics));
            }
        });
        let _waiter = Waiter::queue(&self.shared, Queued { cancel, run })?;
        // A closed channel means that the job was dropped unrun: the pool has closed.
        let Ok(started) = timeout(settings.queue_wait, started).await else {
            return Err(Refused::Overloaded);
        };
        started.map_err(|_| Refused::Closed)?;
        let Ok(ended) = timeout(settings.job_time, ended).await else {
            return Err(Refused::TimedOut);
        };
        ended.map_err(|_| Refused::Closed)?
    }

    /// Whether one more job would be refused now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.shared.lock().is_full(&self.shared.settings)
    }

    /// Whether a thread has nothing to do, and nothing waits for one.
    #[must_use]
    pub fn has_idle(&self) -> bool {
        let state = self.shared.lock();
        state.queue.len() < state.idle()
    }

    /// Whether all threads are lost in jobs that do not end.
    #[must_use]
    pub fn is_stuck(&self, now: Instant) -> bool {
        let state = self.shared.lock();
        let patience = self.shared.settings.job_time * STUCK_JOB_TIMES;
        state.idle() == 0 && now.saturating_duration_since(state.progress) > patience
    }

    /// Refuses new jobs, drops those that wait, calls off those that run, and waits until all
    /// threads have ended. Blocks. `false`: some had not within `patience`.
    #[must_use]
    pub fn shutdown(&self, patience: Duration) -> bool {
        self.close();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), patience, |state| state.alive > 0)
            .unwrap_or_else(PoisonError::into_inner);
        state.alive == 0
    }

    fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        for cancel in state.running.iter().flatten() {
            cancel.cancel();
        }
        let waiting = std::mem::take(&mut state.queue);
        self.shared.changed.notify_all();
        drop(state);
        dec_by(&self.shared.metrics.queued, waiting.len());
    }

    /// Registers the pool's metrics.
    pub fn register(&self, registry: &mut Registry) {
        let metrics = &self.shared.metrics;
        let registry = registry.sub_registry_with_prefix("pool");
        registry.register("busy", "Threads at work", metrics.busy.clone());
        registry.register(
            "queued",
            "Jobs waiting for a thread",
            metrics.queued.clone(),
        );
        registry.register(
            "refused",
            "Jobs refused: the queue was full, or no thread came free in time",
            metrics.refused.clone(),
        );
        registry.register(
            "timed_out",
            "Jobs over their time",
            metrics.timed_out.clone(),
        );
        registry.register(
            "abandoned",
            "Jobs that nobody waited for when their turn came",
            metrics.abandoned.clone(),
        );
        registry.register("panics", "Jobs that panicked", metrics.panics.clone());
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Joining could block a thread of the runtime; the workers end by themselves.
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock; and if it did, the state would still be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread's life.
    fn work(&self, worker: usize) {
        while let Some(run) = self.next(worker) {
            self.metrics.busy.inc();
            run();
            freed::give_back_over(self.settings.pixel_bytes);
            self.metrics.busy.dec();
            let mut state = self.lock();
            state.running[worker] = None;
            state.progress = Instant::now();
        }
        self.lock().alive -= 1;
        self.changed.notify_all();
    }

    /// Waits for a job; `None` once the pool has closed.
    fn next(&self, worker: usize) -> Option<Box<dyn FnOnce() + Send>> {
        let idle = |state: &mut State| state.queue.is_empty() && !state.closed;
        let (mut state, wait) = self
            .changed
            .wait_timeout_while(self.lock(), freed::KEPT, idle)
            .unwrap_or_else(PoisonError::into_inner);
        if wait.timed_out() {
            drop(state);
            freed::give_back();
            state = self
                .changed
                .wait_while(self.lock(), idle)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return None;
        }
        let Queued { cancel, run } = state.queue.pop_front()?;
        state.running[worker] = Some(cancel);
        state.progress = Instant::now();
        self.metrics.queued.dec();
        Some(run)
    }
}

impl State {
    fn idle(&self) -> usize {
        self.running.iter().filter(|job| job.is_none()).count()
    }

    fn is_full(&self, settings: &Settings) -> bool {
        // A job passes through the queue even where a thread is free to take it at once.
        self.queue.len() >= settings.queue.saturating_add(self.idle())
    }
}

/// Somebody who waits for a job. When they leave, the job is called off.
struct Waiter<'a> {
    shared: &'a Shared,
    cancel: Arc<Cancel>,
}

impl<'a> Waiter<'a> {
    fn queue(shared: &'a Shared, job: Queued) -> Result<Self, Refused> {
        let cancel = Arc::clone(&job.cancel);
        let mut state = shared.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.is_full(&shared.settings) {
            return Err(Refused::Overloaded);
        }
        state.queue.push_back(job);
        shared.metrics.queued.inc();
        drop(state);
        shared.changed.notify_one();
        Ok(Self { shared, cancel })
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.cancel.cancel();
        // A job that still waits gives back its place, and all that its closure holds, at once.
        let mut state = self.shared.lock();
        let place = state
            .queue
            .iter()
            .position(|job| Arc::ptr_eq(&job.cancel, &self.cancel));
        let job = place.and_then(|place| state.queue.remove(place));
        drop(state);
        if job.is_some() {
            self.shared.metrics.queued.dec();
            self.shared.metrics.abandoned.inc();
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("settings", &self.settings)
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}

fn run_caught<T>(job: impl FnOnce() -> T, panics: &Counter) -> Result<T, Refused> {
    // Whatever the job had is dropped by the unwinding: nobody sees it half done.
    catch_unwind(AssertUnwindSafe(job)).map_err(|payload| {
        panics.inc();
        let message = message(payload.as_ref());
        // Whoever waits names the request; it may be that nobody does any more.
        tracing::error!(panic = message, "a job panicked");
        Refused::Panicked(message.to_owned())
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    let formatted = payload.downcast_ref::<String>().map(String::as_str);
    literal.or(formatted).unwrap_or("no message")
}

fn dec_by(gauge: &Gauge, count: usize) {
    gauge.dec_by(i64::try_from(count).unwrap_or(i64::MAX));
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread::ThreadId};

    use super::*;
    use crate::work::budget::Budget;

    const LONG: Duration = Duration::from_mins(1);

    /// Who gave back what was free: threads of all pools in these tests.
    static GIVEN_BACK: Mutex<Vec<ThreadId>> = Mutex::new(Vec::new());

    fn pool(workers: usize, queue: usize) -> Arc<Pool> {
        pool_with(&Settings {
            workers,
            queue,
            queue_wait: LONG,
            job_time: LONG,
            ..Settings::default()
        })
    }

    fn pool_with(settings: &Settings) -> Arc<Pool> {
        Arc::new(Pool::new(settings).expect("threads"))
    }

    /// Waits until the thread has given back so often.
    async fn given_back(worker: ThreadId, times: usize) {
        let given = || {
            let calls = GIVEN_BACK.lock().expect("whole");
            calls.iter().filter(|&&caller| caller == worker).count()
        };
        let enough = async {
            while given() < times {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(LONG, enough).await.expect("it gives back");
    }

    /// A thread of a pool, that has done a job.
    async fn worked(pool: &Pool) -> ThreadId {
        freed::given_back_by(|| {
            let caller = thread::current().id();
            GIVEN_BACK.lock().expect("whole").push(caller);
        });
        let worker = pool.run(|_| thread::current().id()).await;
        worker.expect("no panic")
    }

    #[tokio::test]
    async fn an_idle_thread_gives_freed_memory_back() {
        let pool = pool(1, 1);
        given_back(worked(&pool).await, 1).await;
    }

    #[tokio::test]
    async fn a_process_that_holds_too_much_gives_back_after_each_job() {
        let pool = pool_with(&Settings {
            workers: 1,
            pixel_bytes: 0,
            ..Settings::default()
        });
        given_back(worked(&pool).await, 1).await;
        // Once after the job, and once when idle.
        given_back(worked(&pool).await, 3).await;
    }

    /// A job that has begun, and ends when it is told to.
    struct Gate {
        go: mpsc::Sender<()>,
        result: tokio::task::JoinHandle<Result<bool, Refused>>,
    }

    /// Occupies a thread; the result is whether the job was called off meanwhile.
    async fn occupy(pool: &Arc<Pool>) -> Gate {
        let (go, wait) = mpsc::channel();
        let (begins, begun) = oneshot::channel();
        let pool = Arc::clone(pool);
        let result = tokio::spawn(async move {
            pool.run(move |cancel| {
                let _ = begins.send(());
                let _ = wait.recv();
                cancel.is_cancelled()
            })
            .await
        });
        begun.await.expect("it runs");
        Gate { go, result }
    }

    /// Puts a job into the queue and waits until it is there.
    async fn enqueue(pool: &Arc<Pool>) -> tokio::task::JoinHandle<Result<(), Refused>> {
        let before = pool.shared.metrics.queued.get();
        let task = tokio::spawn({
            let pool = Arc::clone(pool);
            async move { pool.run(|_| ()).await }
        });
        while pool.shared.metrics.queued.get() == before && !task.is_finished() {
            tokio::task::yield_now().await;
        }
        task
    }

    #[tokio::test]
    async fn a_job_answers() {
        assert_eq!(pool(1, 0).run(|_| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn as_many_as_the_queue_wait_and_one_more_is_refused() {
        let pool = pool(1, 2);
        let gate = occupy(&pool).await;
        let waiting = [enqueue(&pool).await, enqueue(&pool).await];
        assert!(pool.is_full());
        assert_eq!(pool.run(|_| ()).await, Err(Refused::Overloaded));
        gate.go.send(()).expect("it waits");
        for task in waiting {
            assert_eq!(task.await.expect("no panic"), Ok(()));
        }
        assert!(!pool.is_full());
        assert_eq!(pool.shared.metrics.refused.get(), 1);
        assert_eq!(pool.shared.metrics.queued.get(), 0);
    }

    #[tokio::test]
    async fn a_pool_without_queue_takes_as_many_as_it_has_threads() {
        let pool = pool(2, 0);
        let gates = [occupy(&pool).await, occupy(&pool).await];
        assert_eq!(pool.run(|_| ()).await, Err(Refused::Overloaded));
        for gate in gates {
            gate.go.send(()).expect("it waits");
            assert_eq!(gate.result.await.expect("no panic"), Ok(false));
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_and_the_thread_lives_on() {
        let pool = pool(1, 1);
        let budget = Budget::new(1 << 20);
        let permit = budget.try_admit(1 << 20);
        let result = pool
            .run(move |_| {
                let _permit = permit;
                assert!(std::hint::black_box(false), "a codec's bug");
            })
            .await;
        assert_eq!(result, Err(Refused::Panicked("a codec's bug".to_owned())));
        assert_eq!(
            budget.available(),
            1 << 20,
            "unwinding gives the permit back"
        );
        assert_eq!(pool.run(|_| 1).await, Ok(1));
        assert_eq!(pool.shared.metrics.panics.get(), 1);
    }

    #[tokio::test]
    async fn a_job_that_nobody_waits_for_leaves_the_queue_with_its_permit() {
        let pool = pool(1, 1);
        let gate = occupy(&pool).await;
        let budget = Budget::new(1 << 20);
        let permit = budget.try_admit(1 << 20);
        let (ran, has_run) = mpsc::channel();
        let mut waiter = Box::pin(pool.run(move |_| {
            let _permit = permit;
            let _ = ran.send(());
        }));
        assert!(futures_util::poll!(&mut waiter).is_pending());
        assert_eq!(budget.available(), 0);
        drop(waiter);
        assert_eq!(budget.available(), 1 << 20);
        assert!(!pool.is_full());
        gate.go.send(()).expect("it waits");
        pool.run(|_| ()).await.expect("the next in the line");
        assert!(has_run.try_recv().is_err());
        assert_eq!(pool.shared.metrics.abandoned.get(), 1);
    }

    #[tokio::test]
    async fn a_running_job_hears_that_nobody_waits_and_keeps_its_permit_until_it_ends() {
        let pool = pool(1, 1);
        let budget = Budget::new(1 << 20);
        let permit = budget.try_admit(1 << 20);
        let (go, wait) = mpsc::channel::<()>();
        let (begins, begun) = oneshot::channel();
        let (tells, told) = oneshot::channel();
        let task = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move {
                pool.run(move |cancel| {
                    let permit = permit;
                    let _ = begins.send(());
                    let _ = wait.recv();
                    drop(permit);
                    let _ = tells.send(cancel.is_cancelled());
                })
                .await
            }
        });
        begun.await.expect("it runs");
        task.abort();
        let _ = task.await;
        assert_eq!(budget.available(), 0, "the thread is still at it");
        go.send(()).expect("it waits");
        assert!(told.await.expect("it ends"));
        assert_eq!(budget.available(), 1 << 20);
    }

    #[tokio::test]
    async fn a_job_over_its_time_is_called_off() {
        let pool = pool_with(&Settings {
            workers: 1,
            job_time: Duration::from_millis(1),
            ..Settings::default()
        });
        let (tells, told) = oneshot::channel();
        let result = pool.run(move |cancel| {
            while !cancel.is_cancelled() {
                thread::yield_now();
            }
            let _ = tells.send(());
        });
        assert_eq!(result.await, Err(Refused::TimedOut));
        told.await.expect("it heard of it");
        assert_eq!(pool.run(|_| ()).await, Ok(()));
    }

    #[tokio::test]
    async fn a_job_that_waits_too_long_for_a_thread_is_refused() {
        let pool = pool_with(&Settings {
            workers: 1,
            queue: 1,
            queue_wait: LONG,
            job_time: LONG * 2,
            ..Settings::default()
        });
        let gate = occupy(&pool).await;
        // From here on the clock jumps to the next deadline whenever nothing else happens.
        tokio::time::pause();
        assert_eq!(pool.run(|_| ()).await, Err(Refused::Overloaded));
        assert!(!pool.is_full(), "it gave back its place");
        gate.go.send(()).expect("it waits");
    }

    #[tokio::test]
    async fn a_pool_is_stuck_when_every_thread_is_lost() {
        let pool = pool(2, 2);
        let patience = LONG * STUCK_JOB_TIMES;
        let later = |by: Duration| Instant::now() + by;
        assert!(!pool.is_stuck(later(patience * 2)), "nothing to do");
        let first = occupy(&pool).await;
        assert!(!pool.is_stuck(later(patience * 2)), "one thread is left");
        let second = occupy(&pool).await;
        assert!(
            !pool.is_stuck(later(Duration::ZERO)),
            "they have only begun"
        );
        assert!(pool.is_stuck(later(patience + LONG)));
        first.go.send(()).expect("it waits");
        let _ = first.result.await;
        pool.run(|_| ()).await.expect("a thread is back");
        assert!(!pool.is_stuck(Instant::now()));
        second.go.send(()).expect("it waits");
    }

    #[tokio::test]
    async fn shutdown_drops_what_waits_calls_off_what_runs_and_joins() {
        let pool = pool(1, 1);
        let running = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move {
                pool.run(|cancel| {
                    while !cancel.is_cancelled() {
                        thread::yield_now();
                    }
                })
                .await
            }
        });
        while pool.shared.metrics.busy.get() == 0 {
            tokio::task::yield_now().await;
        }
        let waiting = enqueue(&pool).await;
        let ended = tokio::task::spawn_blocking({
            let pool = Arc::clone(&pool);
            move || pool.shutdown(LONG)
        });
        assert!(ended.await.expect("no panic"));
        assert_eq!(waiting.await.expect("no panic"), Err(Refused::Closed));
        assert_eq!(running.await.expect("no panic"), Ok(()));
        assert_eq!(pool.run(|_| ()).await, Err(Refused::Closed));
    }

    #[tokio::test]
    async fn shutdown_does_not_wait_for_ever() {
        let pool = pool(1, 1);
        let gate = occupy(&pool).await;
        assert!(!pool.shutdown(Duration::from_millis(1)));
        gate.go.send(()).expect("it waits");
        assert!(pool.shutdown(LONG));
    }
}
