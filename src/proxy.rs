//! The request, once it is understood: cache, single flight, origin, pool, cache.
//!
//! A hit ends in `answer`. A miss becomes a flight of its own (`flight`), which gets the source
//! (`fetches`), has it rendered (`render`) and keeps what came of it. Knows no status code.

mod behind;
mod fetches;
mod flight;
mod metrics;
mod qualities;
mod readiness;
mod render;

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;

use crate::{
    cache::{
        self, Age, Cache, Kept,
        variant::{ObjectId, Variant, VariantKey},
    },
    origin::{self, ObjectKey, Origin, Sources},
    pixels::{
        codec,
        render::{Engine, Job, OutputLimits, Stages},
    },
    recipe::Recipe,
    work::{
        self,
        singleflight::{self, Flights, Role},
    },
};
use fetches::{Fetches, Got};
use flight::{Flight, Made};
use metrics::Metrics;
use readiness::Probes;
pub use readiness::Readiness;
use render::Studio;

/// Flights that may wait for their origins beside those that fill the pool and its queue: as many
/// as four sources fetch at once by default. A slow origin must not idle the threads, nor fill the
/// memory with waiters.
const FLIGHTS_BESIDE_THE_POOL: usize = 256;

/// Waiters of one flight. Twice the connections that a server takes by default.
const WAITERS: usize = 4096;

/// After an origin could not be reached, a variant that may be served without it does not ask it
/// again for so long: an outage would otherwise cost every request a time-out.
const PAUSE_AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// One object of one source.
#[derive(Clone, Debug)]
pub struct Object {
    /// Where it is.
    pub origin: Arc<Origin>,
    /// What it is called there.
    pub key: ObjectKey,
}

/// A variant, and how it came about.
#[derive(Clone, Debug)]
pub struct Served {
    /// The picture.
    pub variant: Arc<Variant>,
    /// From where.
    pub how: How,
    /// Where the time went, if work was done for this very request.
    pub times: Option<Times>,
    /// Whether a better one is being made: not to be kept for long.
    pub provisional: bool,
}

/// How a variant came about (RFC 9211's words).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Kept, and fresh.
    Hit,
    /// Kept, and stale: served because the origin is being asked, or cannot be reached.
    Stale,
    /// Kept, and the origin says that it still stands.
    Revalidated,
    /// Made now; `collapsed` if another request's job made it.
    Miss {
        /// Whether this request only waited.
        collapsed: bool,
    },
}

/// Where a miss spent its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// From the origin.
    pub fetch: Duration,
    /// Waiting for memory and a thread.
    pub queue: Duration,
    /// On the thread.
    pub stages: Stages,
}

/// Why there is no variant.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The origin's part.
    #[error(transparent)]
    Origin(#[from] origin::Error),
    /// The picture's part.
    #[error(transparent)]
    Picture(#[from] codec::Error),
    /// A queue or the memory is full.
    #[error("too much work is waiting")]
    Overloaded,
    /// The job's time ran out.
    #[error("the work took too long")]
    TimedOut,
    /// A codec panicked on this picture: the picture's fault as much as ours.
    #[error("the picture is damaged and cannot be decoded")]
    Panicked {
        /// For the log.
        cause: String,
    },
    /// A bug of ours.
    #[error("internal error")]
    Bug(String),
}

/// Everything below HTTP. Clones are the same.
#[derive(Clone, Debug)]
pub struct Proxy(Arc<Inner>);

/// The inside of [`Proxy`], which flights share.
#[derive(Debug)]
struct Inner {
    settings: cache::Settings,
    cache: Cache,
    flights: Flights<VariantKey, Result<Made, Arc<Error>>>,
    fetches: Fetches,
    studio: Studio,
    probes: Probes,
    metrics: Metrics,
    /// Places for variants that are made behind an answer.
    behind: Arc<Semaphore>,
}

impl Proxy {
    /// Puts the parts together, and starts the threads.
    ///
    /// # Errors
    /// The system has no threads for us.
    pub fn new(
        sources: Arc<Sources>,
        limits: codec::Limits,
        output: OutputLimits,
        work: &work::Settings,
        cache: &cache::Settings,
    ) -> io::Result<Self> {
        Self::with_engine(Engine::default(), sources, limits, output, work, cache)
    }

    /// As [`Proxy::new`], with pictures made by this engine.
    ///
    /// # Errors
    /// The system has no threads for us.
    pub fn with_engine(
        engine: Engine,
        sources: Arc<Sources>,
        limits: codec::Limits,
        output: OutputLimits,
        work: &work::Settings,
        cache: &cache::Settings,
    ) -> io::Result<Self> {
        let flights = singleflight::Limits {
            flights: (work.workers.max(1))
                .saturating_add(work.queue)
                .saturating_add(FLIGHTS_BESIDE_THE_POOL),
            waiters: WAITERS,
        };
        Ok(Self(Arc::new(Inner {
            settings: *cache,
            cache: Cache::new(cache),
            flights: Flights::new(flights),
            fetches: Fetches::new(flights),
            studio: Studio::new(engine, limits, output, work)?,
            probes: Probes::new(sources),
            metrics: Metrics::new(),
            behind: Arc::new(Semaphore::new(behind::places(work))),
        })))
    }

    /// The variant of an object that a recipe names: kept, or made now.
    ///
    /// # Errors
    /// As [`Error`]; shared by all who wait for the same job.
    pub async fn serve(&self, object: &Object, recipe: &Recipe) -> Result<Served, Arc<Error>> {
        let answer = self.answer(object, recipe).await;
        self.0.metrics.count(&answer);
        answer
    }

    async fn answer(&self, object: &Object, recipe: &Recipe) -> Result<Served, Arc<Error>> {
        let key = object.variant_key(recipe);
        let Some(kept) = self.0.cache.get(&key) else {
            self.0.known_missing(object)?;
            return self.fly(key, object, recipe, None, None).await;
        };
        match kept.age(Instant::now()) {
            Age::Fresh => Ok(Served::kept(&kept, How::Hit)),
            Age::Quiet => Ok(Served::kept(&kept, How::Stale)),
            Age::Stale => {
                self.revalidate(key, object, recipe, &kept);
                Ok(Served::kept(&kept, How::Stale))
            }
            Age::StaleIfError | Age::Expired => {
                let made = self.fly(key, object, recipe, Some(&kept), None).await;
                made.or_else(|error| self.0.instead(key, &kept, error))
            }
        }
    }

    /// Joins the flight of this variant, or starts it.
    async fn fly(
        &self,
        key: VariantKey,
        object: &Object,
        recipe: &Recipe,
        kept: Option<&Kept>,
        stand_in: Option<Arc<Variant>>,
    ) -> Result<Served, Arc<Error>> {
        let flight = || Flight {
            proxy: Arc::clone(&self.0),
            key,
            object: object.clone(),
            recipe: recipe.clone(),
            kept: kept.cloned(),
            stand_in,
        };
        match self.0.flights.run(key, || flight().run()).await {
            Ok((made, role)) => made.map(|made| Served::made(made, role)),
            Err(refused) => Err(Arc::new(refused.into())),
        }
    }

    /// Looks at the origin while stale variants are served: once, however many are.
    fn revalidate(&self, key: VariantKey, object: &Object, recipe: &Recipe, kept: &Kept) {
        if self.0.flights.is_under_way(&key) {
            return;
        }
        let (proxy, object) = (self.clone(), object.clone());
        let (recipe, kept) = (recipe.clone(), kept.clone());
        // A waiter that no client can hang up on. Bounded as the flights are.
        tokio::spawn(async move {
            let flown = proxy.fly(key, &object, &recipe, Some(&kept), None).await;
            if let Err(error) = flown {
                let source = &object.origin.settings.name;
                tracing::warn!(source, %error, "a stale variant could not be revalidated");
                let _ = proxy.0.instead(key, &kept, error);
            }
        });
    }

    /// Fetches and plans, and decodes nothing: what `?explain` shows.
    ///
    /// # Errors
    /// As [`Error`].
    pub async fn explain(&self, object: &Object, recipe: &Recipe) -> Result<Job, Arc<Error>> {
        self.0.known_missing(object)?;
        match self.0.fetches.get(object, None, &self.0.metrics).await? {
            Got::Source(source) => Ok(self.0.studio.prepare(source, recipe).await?),
            Got::NotModified => Err(Arc::new(Error::not_asked())),
        }
    }

    /// Whether the sources can be reached and the threads are alive.
    pub async fn ready(&self) -> Readiness {
        let stuck = self.0.studio.pool().is_stuck(Instant::now());
        self.0.probes.ready(stuck).await
    }

    /// Variants being made, or being looked at again.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.flights.len()
    }

    /// Ends the threads: drops what waits, calls off what runs. Blocks up to `patience`; `false`
    /// if some thread had not ended by then.
    #[must_use]
    pub fn shutdown(&self, patience: Duration) -> bool {
        self.0.studio.pool().shutdown(patience)
    }

    /// Registers the metrics of everything below HTTP but the origins.
    pub fn register(&self, registry: &mut Registry) {
        self.0.cache.register(registry);
        self.0.flights.register(registry, "variant");
        self.0.fetches.register(registry);
        self.0.studio.register(registry);
        self.0.metrics.register(registry);
    }
}

impl Inner {
    fn known_missing(&self, object: &Object) -> Result<(), Error> {
        let cause = self.cache.missing().get(&object.id(), Instant::now());
        cause.map_or(
            Ok(()),
            |cause| Err(origin::Error::NotFound { cause }.into()),
        )
    }

    /// What is served when the origin cannot be asked: the stale variant, where it may be.
    fn instead(
        &self,
        key: VariantKey,
        kept: &Kept,
        error: Arc<Error>,
    ) -> Result<Served, Arc<Error>> {
        let now = Instant::now();
        if !error.is_passing() || matches!(kept.age(now), Age::Expired) {
            return Err(error);
        }
        // Not in place of a newer one, nor of nothing.
        let current = self.cache.peek(&key);
        if current.is_some_and(|current| Arc::ptr_eq(&current.variant, &kept.variant)) {
            let quiet = kept.clone().quiet(now, PAUSE_AFTER_TROUBLE);
            self.cache.put(key, quiet);
        }
        Ok(Served::kept(kept, How::Stale))
    }
}

impl Object {
    /// What its variants are called.
    #[must_use]
    pub fn variant_key(&self, recipe: &Recipe) -> VariantKey {
        VariantKey::new(&self.origin.settings.name, &self.key, recipe)
    }

    /// What it is called, among the objects of all sources.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        ObjectId::new(&self.origin.settings.name, &self.key)
    }
}

impl Served {
    /// Whether caches in front of us should ask again soon: it is stale, or stands in for another.
    #[must_use]
    pub fn is_brief(&self) -> bool {
        self.provisional || self.how == How::Stale
    }

    fn kept(kept: &Kept, how: How) -> Self {
        Self {
            variant: Arc::clone(&kept.variant),
            how,
            times: None,
            provisional: false,
        }
    }

    fn made(made: Made, role: Role) -> Self {
        let joined = role == Role::Joined;
        let how = match made.how {
            How::Miss { collapsed } => How::Miss {
                collapsed: collapsed || joined,
            },
            how => how,
        };
        Self {
            variant: made.variant,
            how,
            times: made.times.filter(|_| !joined),
            provisional: false,
        }
    }
}

impl Error {
    /// Whether the same request may well succeed a little later, and a stale answer is better.
    fn is_passing(&self) -> bool {
        match self {
            Self::Origin(error) => match error {
                origin::Error::Overloaded
                | origin::Error::Busy { .. }
                | origin::Error::Failed { .. }
                | origin::Error::TimedOut { .. } => true,
                origin::Error::NotFound { .. } | origin::Error::TooLarge { .. } => false,
            },
            Self::Overloaded | Self::TimedOut => true,
            Self::Picture(_) | Self::Panicked { .. } | Self::Bug(_) => false,
        }
    }

    /// An origin that says "not modified" although no version was named.
    fn not_asked() -> Self {
        let cause = "not modified, although no version was named".to_owned();
        Self::Origin(origin::Error::Failed { cause })
    }
}

impl From<singleflight::Refused> for Error {
    fn from(refused: singleflight::Refused) -> Self {
        match refused {
            singleflight::Refused::Full => Self::Overloaded,
            singleflight::Refused::Lost => Self::Bug("a flight was lost".to_owned()),
        }
    }
}
