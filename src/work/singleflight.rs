//! One job for everybody who wants the same: the first to ask starts it, nobody owns it.
//!
//! A flight is a task of its own. Those who want its result only wait: whoever leaves, the first
//! included, changes nothing for the others, and when the last one leaves the flight is aborted.
//! It lands in one of three ways, and every waiter learns of it: with a value, by a panic, or
//! (with the runtime itself) by an abort. Knows nothing of what is being made.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use tokio::{sync::watch, task::AbortHandle};

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Flights at once; one more is refused at once.
    pub flights: usize,
    /// Waiters of one flight; one more is refused at once.
    pub waiters: usize,
}

/// Whose idea a flight was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// This caller's.
    Started,
    /// Another caller's.
    Joined,
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too many flights, or too many waiters for this one.
    #[error("too many are waiting")]
    Full,
    /// The flight panicked, or the runtime is shutting down.
    #[error("the work was lost")]
    Lost,
}

/// The flights under way, by what they make. Clones share them.
pub struct Flights<K, V>(Arc<Inner<K, V>>);

struct Inner<K, V> {
    limits: Limits,
    state: Mutex<State<K, V>>,
    metrics: Metrics,
}

struct State<K, V> {
    flights: HashMap<K, Flight<V>>,
    /// Tells a flight from an earlier one of the same key.
    next: u64,
}

struct Flight<V> {
    number: u64,
    waiters: usize,
    /// `None` until it lands; closed without a value if it is lost.
    value: watch::Receiver<Option<V>>,
    /// `None` while it is being started.
    task: Option<AbortHandle>,
}

type Boarded<K, V> = (Seat<K, V>, watch::Receiver<Option<V>>, Role);

#[derive(Debug, Default)]
struct Metrics {
    under_way: Gauge,
    joined: Counter,
    refused: Counter,
    aborted: Counter,
    lost: Counter,
}

impl<K, V> Flights<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// No flights yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Inner {
            limits,
            state: Mutex::new(State {
                flights: HashMap::new(),
                next: 0,
            }),
            metrics: Metrics::default(),
        }))
    }

    /// The value of the flight of this key: of the one under way, or else of a new one, which runs
    /// what `make` returns. Dropping the future leaves; the last to leave aborts the flight.
    ///
    /// A flight leaves the table before its value is seen. Who must not make a thing twice keeps
    /// it at the end of the flight, and looks for it at the beginning.
    ///
    /// # Errors
    /// As [`Refused`].
    pub async fn run<F>(&self, key: K, make: impl FnOnce() -> F) -> Result<(V, Role), Refused>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let (seat, mut value, role) = self.board(key, make)?;
        // A closed channel is a flight whose task is gone, and with it the sender.
        let landed = value.wait_for(Option::is_some).await.map(|v| v.clone());
        drop(seat);
        let Some(value) = landed.ok().flatten() else {
            self.0.metrics.lost.inc();
            return Err(Refused::Lost);
        };
        Ok((value, role))
    }

    /// Whether a flight of this key is under way.
    #[must_use]
    pub fn is_under_way(&self, key: &K) -> bool {
        self.0.lock().flights.contains_key(key)
    }

    /// Flights under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().flights.len()
    }

    /// Whether there is no flight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Registers the metrics, each name beginning with `name`.
    pub fn register(&self, registry: &mut Registry, name: &str) {
        let metrics = &self.0.metrics;
        let registry = registry.sub_registry_with_prefix(name);
        registry.register("flights", "Flights under way", metrics.under_way.clone());
        registry.register(
            "flights_joined",
            "Waited for a flight that another began",
            metrics.joined.clone(),
        );
        registry.register(
            "flights_refused",
            "Refused: too many flights, or too many waiters for one",
            metrics.refused.clone(),
        );
        registry.register(
            "flights_aborted",
            "Flights that everybody had left",
            metrics.aborted.clone(),
        );
        registry.register(
            "flights_lost",
            "Waited for a flight that panicked",
            metrics.lost.clone(),
        );
    }

    /// Takes a place in the flight of this key, and starts it if there is none.
    fn board<F>(&self, key: K, make: impl FnOnce() -> F) -> Result<Boarded<K, V>, Refused>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let (sender, value) = watch::channel(None);
        let mut state = self.0.lock();
        let under_way = state.flights.len();
        if let Some(flight) = state.flights.get_mut(&key) {
            if flight.waiters >= self.0.limits.waiters {
                return Err(self.refuse());
            }
            flight.waiters += 1;
            self.0.metrics.joined.inc();
            let (value, number) = (flight.value.clone(), flight.number);
            return Ok((self.seat(key, number), value, Role::Joined));
        }
        if under_way >= self.0.limits.flights {
            return Err(self.refuse());
        }
        let number = state.next;
        state.next += 1;
        let flight = Flight {
            number,
            waiters: 1,
            value: value.clone(),
            task: None,
        };
        state.flights.insert(key.clone(), flight);
        drop(state);
        let seat = self.seat(key, number);
        self.start(&seat, sender, make);
        Ok((seat, value, Role::Started))
    }

    /// Not under the lock: a runtime that is shutting down drops the task at once, and that locks.
    /// The seat keeps the flight in the table meanwhile.
    fn start<F>(&self, seat: &Seat<K, V>, value: watch::Sender<Option<V>>, make: impl FnOnce() -> F)
    where
        F: Future<Output = V> + Send + 'static,
    {
        let work = make();
        // Made here, not in the task: an abort before the first poll drops what the task was
        // given, but runs nothing of it.
        let entry = Entry {
            flights: Arc::clone(&self.0),
            key: seat.key.clone(),
            number: seat.number,
        };
        self.0.metrics.under_way.inc();
        let flight = tokio::spawn(async move {
            let landed = work.await;
            // First out of the table, then the value: nobody joins what has already landed.
            drop(entry);
            value.send_replace(Some(landed));
        });
        if let Some(line) = self.0.lock().flight(&seat.key, seat.number) {
            line.task = Some(flight.abort_handle());
        }
    }

    fn seat(&self, key: K, number: u64) -> Seat<K, V> {
        Seat {
            flights: Arc::clone(&self.0),
            key,
            number,
        }
    }

    fn refuse(&self) -> Refused {
        self.0.metrics.refused.inc();
        Refused::Full
    }
}

impl<K, V> Inner<K, V> {
    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        // Nothing of a caller's runs under the lock, so nothing panics there.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, V> State<K, V> {
    /// The flight of this key, if it is still the one of this number.
    fn flight(&mut self, key: &K, number: u64) -> Option<&mut Flight<V>> {
        let flight = self.flights.get_mut(key)?;
        (flight.number == number).then_some(flight)
    }
}

/// A waiter of a flight. The last one to leave aborts it.
struct Seat<K: Eq + Hash, V> {
    flights: Arc<Inner<K, V>>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, V> Drop for Seat<K, V> {
    fn drop(&mut self) {
        let mut state = self.flights.lock();
        let Some(flight) = state.flight(&self.key, self.number) else {
            return; // It has landed.
        };
        flight.waiters -= 1;
        if flight.waiters > 0 {
            return;
        }
        // Out of the table under the same lock: whoever comes now starts anew.
        let flight = state.flights.remove(&self.key);
        drop(state);
        self.flights.metrics.aborted.inc();
        if let Some(task) = flight.and_then(|flight| flight.task) {
            task.abort();
        }
    }
}

/// A flight's line in the table: gone when the flight has landed, however it did.
struct Entry<K: Eq + Hash, V> {
    flights: Arc<Inner<K, V>>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, V> Drop for Entry<K, V> {
    fn drop(&mut self) {
        self.flights.metrics.under_way.dec();
        let mut state = self.flights.lock();
        if state.flight(&self.key, self.number).is_some() {
            state.flights.remove(&self.key);
        }
    }
}

impl<K, V> Clone for Flights<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> fmt::Debug for Flights<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights")
            .field("limits", &self.0.limits)
            .field("metrics", &self.0.metrics)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use tokio::{sync::oneshot, task::JoinHandle, time::sleep};

    use super::*;

    const LIMITS: Limits = Limits {
        flights: 4,
        waiters: 300,
    };
    const A_WHILE: Duration = Duration::from_secs(1);

    type Outcome = Result<(u32, Role), Refused>;

    /// Counts how often work began, was finished, and was dropped.
    #[derive(Clone, Default)]
    struct Ledger(Arc<[AtomicUsize; 3]>);

    impl Ledger {
        fn counts(&self) -> [usize; 3] {
            [0, 1, 2].map(|i| self.0[i].load(Ordering::Relaxed))
        }

        /// A flight that takes a while.
        fn work(&self, value: u32) -> impl Future<Output = u32> + Send + 'static {
            struct Dropped(Ledger);
            impl Drop for Dropped {
                fn drop(&mut self) {
                    self.0.0[2].fetch_add(1, Ordering::Relaxed);
                }
            }
            let ledger = self.clone();
            async move {
                let dropped = Dropped(ledger);
                dropped.0.0[0].fetch_add(1, Ordering::Relaxed);
                sleep(A_WHILE).await;
                dropped.0.0[1].fetch_add(1, Ordering::Relaxed);
                value
            }
        }
    }

    fn waiter(flights: &Flights<u8, u32>, ledger: &Ledger, key: u8) -> JoinHandle<Outcome> {
        let (flights, ledger) = (flights.clone(), ledger.clone());
        tokio::spawn(async move { flights.run(key, || ledger.work(key.into())).await })
    }

    /// Lets every task that can go on do so.
    async fn settle() {
        sleep(Duration::from_millis(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn many_ask_and_one_works() {
        let (flights, ledger) = (Flights::new(LIMITS), Ledger::default());
        let waiters: Vec<_> = (0..200).map(|_| waiter(&flights, &ledger, 1)).collect();
        let mut started = 0;
        for waiter in waiters {
            let (value, role) = waiter.await.expect("no panic").expect("it lands");
            assert_eq!(value, 1);
            started += usize::from(role == Role::Started);
        }
        assert_eq!((started, ledger.counts()), (1, [1, 1, 1]));
        assert!(flights.is_empty());
        assert_eq!(flights.0.metrics.joined.get(), 199);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_leaving_changes_nothing_for_the_others() {
        let (flights, ledger) = (Flights::new(LIMITS), Ledger::default());
        let first = waiter(&flights, &ledger, 1);
        settle().await;
        let second = waiter(&flights, &ledger, 1);
        settle().await;
        first.abort();
        let outcome = second.await.expect("no panic");
        assert_eq!(outcome, Ok((1, Role::Joined)));
        assert_eq!(ledger.counts(), [1, 1, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_leaving_ends_the_work() {
        let (flights, ledger) = (Flights::new(LIMITS), Ledger::default());
        let waiters = [waiter(&flights, &ledger, 1), waiter(&flights, &ledger, 1)];
        settle().await;
        assert!(flights.is_under_way(&1));
        waiters[0].abort();
        settle().await;
        assert!(flights.is_under_way(&1));
        waiters[1].abort();
        settle().await;
        assert!(!flights.is_under_way(&1));
        assert_eq!(ledger.counts(), [1, 0, 1]);
        assert_eq!(flights.0.metrics.under_way.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_after_the_last_left_starts_anew() {
        let (flights, ledger) = (Flights::new(LIMITS), Ledger::default());
        // Dropped between the first poll of the waiter and the first poll of the flight.
        let mut first = Box::pin(flights.run(1, || ledger.work(1)));
        assert!(futures_util::poll!(&mut first).is_pending());
        drop(first);
        let second = flights.run(1, || ledger.work(2)).await;
        assert_eq!(second, Ok((2, Role::Started)));
        assert_eq!(ledger.counts(), [1, 1, 1], "the first flight never ran");
        assert!(flights.is_empty());
        assert_eq!(flights.0.metrics.under_way.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_wakes_everybody_and_the_key_is_free_again() {
        let (flights, ledger) = (Flights::<u8, u32>::new(LIMITS), Ledger::default());
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let flights = flights.clone();
                tokio::spawn(async move {
                    let make = || async {
                        sleep(A_WHILE).await;
                        assert!(std::hint::black_box(false), "a bug");
                        0
                    };
                    flights.run(1, make).await
                })
            })
            .collect();
        for waiter in waiters {
            assert_eq!(waiter.await.expect("caught"), Err(Refused::Lost));
        }
        let next = flights.run(1, || ledger.work(1)).await;
        assert_eq!(next, Ok((1, Role::Started)));
        assert_eq!(flights.0.metrics.lost.get(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn flights_are_bounded() {
        let (flights, ledger) = (Flights::new(LIMITS), Ledger::default());
        let waiters: Vec<_> = (0..4).map(|key| waiter(&flights, &ledger, key)).collect();
        settle().await;
        let one_more = waiter(&flights, &ledger, 4);
        assert_eq!(one_more.await.expect("no panic"), Err(Refused::Full));
        let joins = waiter(&flights, &ledger, 3);
        assert_eq!(joins.await.expect("no panic"), Ok((3, Role::Joined)));
        for waiter in waiters {
            waiter.await.expect("no panic").expect("it lands");
        }
        assert_eq!(ledger.counts(), [4, 4, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn waiters_of_one_flight_are_bounded() {
        let (flights, ledger) = (Flights::new(LIMITS), Ledger::default());
        let waiters: Vec<_> = (0..LIMITS.waiters)
            .map(|_| waiter(&flights, &ledger, 1))
            .collect();
        settle().await;
        let one_more = waiter(&flights, &ledger, 1);
        assert_eq!(one_more.await.expect("no panic"), Err(Refused::Full));
        waiters[0].abort();
        settle().await;
        let in_its_place = waiter(&flights, &ledger, 1);
        assert_eq!(in_its_place.await.expect("no panic"), Ok((1, Role::Joined)));
    }

    #[tokio::test]
    async fn a_runtime_that_shuts_down_leaves_nobody_waiting() {
        let flights = Flights::<u8, u32>::new(LIMITS);
        let (begins, begun) = oneshot::channel();
        let other = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .expect("a runtime");
        // The flight lives in the other runtime, a waiter here.
        let theirs = flights.clone();
        other.spawn(async move {
            let make = || async {
                let _ = begins.send(());
                std::future::pending().await
            };
            theirs.run(1, make).await
        });
        begun.await.expect("it runs");
        let mut ours = Box::pin(flights.run(1, std::future::pending));
        assert!(futures_util::poll!(&mut ours).is_pending());
        let handle = other.handle().clone();
        other.shutdown_background();
        assert_eq!(ours.await, Err(Refused::Lost));
        // A task that is dropped as soon as it is spawned is no deadlock.
        let mut late = Box::pin(flights.run(1, std::future::pending));
        let entered = handle.enter();
        let polled = futures_util::poll!(&mut late);
        drop(entered);
        assert_eq!(polled, std::task::Poll::Ready(Err(Refused::Lost)));
        assert!(flights.is_empty());
    }

    /// Comings and goings in many orders, on several threads: nobody hangs, nobody gets another
    /// key's value, and nothing is left over.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn any_interleaving_ends_with_an_empty_table() {
        let flights = Flights::<u8, u32>::new(Limits {
            flights: 64,
            waiters: 64,
        });
        let most_at_once = Arc::new(AtomicUsize::new(0));
        for round in 0..200_u64 {
            let mut random = fastrand::Rng::with_seed(round);
            let at_work = Arc::new(AtomicUsize::new(0));
            let tasks: Vec<_> = (0..32)
                .map(|_| {
                    let (flights, at_work) = (flights.clone(), Arc::clone(&at_work));
                    let most_at_once = Arc::clone(&most_at_once);
                    let (key, fate, yields) = (random.u8(0..3), random.u8(0..4), random.u8(0..6));
                    tokio::spawn(async move {
                        let make = || async move {
                            if key == 0 {
                                most_at_once.fetch_max(
                                    at_work.fetch_add(1, Ordering::SeqCst) + 1,
                                    Ordering::SeqCst,
                                );
                            }
                            for _ in 0..yields {
                                tokio::task::yield_now().await;
                            }
                            if key == 0 {
                                at_work.fetch_sub(1, Ordering::SeqCst);
                            }
                            u32::from(key)
                        };
                        let wait = flights.run(key, make);
                        // Key 0 is never left, so its flights must never overlap.
                        if fate == 0 && key != 0 {
                            let _ = futures_util::poll!(Box::pin(wait));
                        } else {
                            let (value, _) = wait.await.expect("it lands");
                            assert_eq!(value, u32::from(key));
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("no panic");
            }
        }
        assert!(flights.is_empty());
        assert_eq!(most_at_once.load(Ordering::SeqCst), 1);
    }
}
