//! From a source to a picture: the threads, the memory, and the wait for both.
//!
//! Reading a header is cheap, but not free (a profile is inflated, a JPEG's scans are counted), so
//! that is done on the pool, too. If the memory for the rest is free at that moment, the same
//! thread goes on at once: one trip through the queue. If not, the thread is given back, the wait
//! for memory holds none, and the rest of the work queues again.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use prometheus_client::registry::Registry;

use super::{Error, qualities::Qualities};
use crate::{
    cache::variant::ObjectId,
    origin::Source,
    pixels::{
        codec::{self, Cancel, Input, Limits},
        render::{Engine, Job, OutputLimits, Rendered},
    },
    recipe::Recipe,
    work::{
        self,
        budget::{Budget, Permit},
        pool::{self, Pool},
    },
};

/// Where pictures are made.
#[derive(Debug)]
pub(super) struct Studio {
    pool: Pool,
    /// Bytes of pixels.
    budget: Budget,
    queue_wait: Duration,
    engine: Engine,
    limits: Limits,
    output: OutputLimits,
    qualities: Qualities,
}

/// A finished picture, and what it was made of.
pub(super) struct Picture {
    pub(super) rendered: Rendered,
    /// Time spent waiting for threads and memory.
    pub(super) queue: Duration,
    pub(super) source: Arc<Source>,
}

/// How far the first trip through the pool got.
enum First {
    Done(Rendered),
    /// There was no memory for it.
    Planned(Box<Job>),
    /// The source has to be read as a whole.
    Short,
}

impl Studio {
    pub(super) fn new(
        engine: Engine,
        limits: Limits,
        output: OutputLimits,
        work: &work::Settings,
    ) -> io::Result<Self> {
        Ok(Self {
            pool: Pool::new(work)?,
            budget: Budget::new(work.pixel_bytes),
            queue_wait: work.queue_wait,
            engine,
            limits,
            output,
            qualities: Qualities::new(),
        })
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Reads the header and plans, no more.
    pub(super) async fn prepare(&self, source: Arc<Source>, recipe: &Recipe) -> Result<Job, Error> {
        let (recipe, limits, output) = (recipe.clone(), self.limits, self.output);
        let prepare = self.engine.prepare;
        let reading = self.reading(&source).await?;
        let work = move |_: &Cancel| {
            let _reading = reading;
            prepare(source.input().bytes(), &recipe, &limits, &output)
        };
        self.run(work).await.map(|(job, _)| job)
    }

    /// Makes the picture. `object` is what it is a picture of.
    pub(super) async fn render(
        &self,
        object: ObjectId,
        source: Arc<Source>,
        recipe: &Recipe,
    ) -> Result<Picture, Error> {
        let made = self.made(object, &source, recipe).await;
        // What is wrong with a file that changed is no fault of the picture's.
        source.check()?;
        let (rendered, queue) = made?;
        let version = &source.meta.version;
        self.qualities.put((object, version), recipe, &rendered);
        Ok(Picture {
            rendered,
            queue,
            source,
        })
    }

    /// The picture, and the time spent waiting.
    async fn made(
        &self,
        object: ObjectId,
        source: &Arc<Source>,
        recipe: &Recipe,
    ) -> Result<(Rendered, Duration), Error> {
        let start = Instant::now();
        let reading = self.reading(source).await?;
        let mut queue = start.elapsed();
        let picture = || (Arc::clone(source), recipe.clone());
        let (mut first, waited) = self.first(object, picture(), reading).await?;
        queue += waited;
        if matches!(first, First::Short) {
            source.complete().await?;
            let (again, waited) = self.first(object, picture(), None).await?;
            first = again;
            queue += waited;
        }
        let job = match first {
            First::Done(rendered) => return Ok((rendered, queue)),
            First::Planned(job) => job,
            First::Short => return Err(Error::Bug("a whole source that is short".to_owned())),
        };
        let start = Instant::now();
        let permit = self.admit(job.peak_bytes).await?;
        queue += start.elapsed();
        let (rendered, waited) = self.rest(picture(), *job, permit).await?;
        Ok((rendered, queue + waited))
    }

    async fn first(
        &self,
        object: ObjectId,
        (source, recipe): (Arc<Source>, Recipe),
        reading: Option<Permit>,
    ) -> Result<(First, Duration), Error> {
        let (limits, output, budget) = (self.limits, self.output, self.budget.clone());
        let qualities = self.qualities.clone();
        let Engine { prepare, render } = self.engine;
        self.run(move |cancel| {
            let input = source.input();
            let mut job = prepare(input.bytes(), &recipe, &limits, &output)?;
            if job.needs_whole && matches!(input, Input::Head(..)) {
                return Ok(First::Short);
            }
            // What was read is dropped; the job counts what it reads again.
            drop(reading);
            job.hint = qualities.get((object, &source.meta.version), &recipe, job.format);
            let Some(_permit) = budget.try_admit(job.peak_bytes) else {
                return Ok(First::Planned(Box::new(job)));
            };
            render(input, &recipe, &job, &limits, cancel).map(First::Done)
        })
        .await
    }

    async fn rest(
        &self,
        (source, recipe): (Arc<Source>, Recipe),
        job: Job,
        permit: Permit,
    ) -> Result<(Rendered, Duration), Error> {
        let (render, limits) = (self.engine.render, self.limits);
        self.run(move |cancel| {
            // Dropping this future does not stop the thread, so the thread, not the future, holds
            // the permit until the work is truly over.
            let _permit = permit;
            render(source.input(), &recipe, &job, &limits, cancel)
        })
        .await
    }

    /// Memory for what is read before anything can be said of the job.
    async fn reading(&self, source: &Source) -> Result<Option<Permit>, Error> {
        match codec::probe_bytes(&source.bytes) {
            0 => Ok(None),
            bytes => self.admit(bytes).await.map(Some),
        }
    }

    /// Memory, the wait for which holds no thread.
    async fn admit(&self, bytes: u64) -> Result<Permit, Error> {
        let capacity = self.budget.capacity();
        if bytes > capacity {
            return Err(codec::Error::Limit(too_much(bytes, capacity)).into());
        }
        let permit = self.budget.admit(bytes, self.queue_wait).await;
        permit.ok_or(Error::Overloaded)
    }

    /// Runs work on the pool, and measures its wait for a thread.
    async fn run<T, W>(&self, work: W) -> Result<(T, Duration), Error>
    where
        T: Send + 'static,
        W: FnOnce(&Cancel) -> Result<T, codec::Error> + Send + 'static,
    {
        let queued = Instant::now();
        let run = self.pool.run(move |cancel| {
            let waited = queued.elapsed();
            work(cancel).map(|done| (done, waited))
        });
        match run.await? {
            // Whoever could have called it off is still here: the pool is closing.
            Err(codec::Error::Cancelled) => Err(Error::Overloaded),
            done => Ok(done?),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        self.pool.register(registry);
        self.budget.register(registry, "pixel");
    }
}

impl From<pool::Refused> for Error {
    fn from(refused: pool::Refused) -> Self {
        match refused {
            // A server that shuts down is as good as a full one: another may do it.
            pool::Refused::Overloaded | pool::Refused::Closed => Self::Overloaded,
            pool::Refused::TimedOut => Self::TimedOut,
            pool::Refused::Panicked(cause) => Self::Panicked { cause },
        }
    }
}

/// What a client reads after "the picture".
fn too_much(needed: u64, capacity: u64) -> String {
    const MB: u64 = 1_000_000;
    format!(
        "needs {} MB of memory for this, and the limit is {} MB",
        needed.div_ceil(MB),
        capacity / MB
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_larger_than_the_memory_says_both_numbers() {
        let error = codec::Error::Limit(too_much(1_500_000_001, 1_073_741_824));
        assert_eq!(
            error.to_string(),
            "the picture needs 1501 MB of memory for this, and the limit is 1073 MB"
        );
    }
}
