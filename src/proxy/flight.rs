//! One flight: the source, its picture, and the variant that is kept of it. Owned by no client.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Error, How, Inner, Object, Times, fetches::Got, render::Picture};
use crate::{
    cache::{
        Age, Kept, Lifetime,
        variant::{Variant, VariantKey},
    },
    origin::{self, Source},
    recipe::Recipe,
};

/// Everything that a flight needs.
pub(super) struct Flight {
    pub(super) proxy: Arc<Inner>,
    pub(super) key: VariantKey,
    pub(super) object: Object,
    pub(super) recipe: Recipe,
    /// The stale variant that it may find still standing.
    pub(super) kept: Option<Kept>,
    /// What has been served in its place, and stays if it is not larger.
    pub(super) stand_in: Option<Arc<Variant>>,
}

/// What a flight lands with.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) variant: Arc<Variant>,
    pub(super) how: How,
    pub(super) times: Option<Times>,
}

impl Flight {
    pub(super) async fn run(self) -> Result<Made, Arc<Error>> {
        if let Some(made) = self.made_meanwhile() {
            return Ok(made);
        }
        // Whoever has to be refused is refused before the origin is troubled. A look at a stale
        // variant seldom needs a thread.
        if self.kept.is_none() && self.proxy.studio.pool().is_full() {
            return Err(Arc::new(Error::Overloaded));
        }
        let start = Instant::now();
        let got = self.fetch().await?;
        let fetch = start.elapsed();
        // Fresh from the moment of asking: the object may have changed while it was on its way.
        match (got, &self.kept) {
            (Got::NotModified, Some(kept)) => Ok(self.renew(kept, start)),
            (Got::NotModified, None) => Err(Arc::new(Error::not_asked())),
            (Got::Source(source), Some(kept)) if source.meta.version == kept.variant.version => {
                Ok(self.renew(kept, start))
            }
            (Got::Source(source), _) => self.make(source, start, fetch).await,
        }
    }

    /// Another flight of this variant may have landed between our look into the cache and our
    /// start.
    fn made_meanwhile(&self) -> Option<Made> {
        let kept = self.proxy.cache.peek(&self.key)?;
        (kept.age(Instant::now()) == Age::Fresh).then(|| Made {
            variant: kept.variant,
            how: How::Miss { collapsed: true },
            times: None,
        })
    }

    async fn fetch(&self) -> Result<Got, Arc<Error>> {
        let known = self.kept.as_ref().map(|kept| &kept.variant.version);
        let proxy = &self.proxy;
        let got = proxy.fetches.get(&self.object, known, &proxy.metrics).await;
        let missing = proxy.cache.missing();
        match got.as_ref().map_err(|error| &**error) {
            Ok(_) => missing.remove(&self.object.id()),
            Err(Error::Origin(origin::Error::NotFound { cause })) => {
                proxy.cache.remove(&self.key);
                missing.put(self.object.id(), cause, Instant::now());
            }
            Err(_) => {}
        }
        got
    }

    async fn make(
        &self,
        source: Arc<Source>,
        seen: Instant,
        fetch: Duration,
    ) -> Result<Made, Arc<Error>> {
        if let Some(stays) = self.stays(&source).await? {
            return Ok(self.lasting(&stays, &source, seen));
        }
        let studio = &self.proxy.studio;
        let Picture {
            rendered,
            queue,
            source,
        } = studio
            .render(self.object.id(), source, &self.recipe)
            .await?;
        let times = Times {
            fetch,
            queue,
            stages: rendered.stages,
        };
        self.proxy.metrics.observe(&times);
        if let Some(smaller) = self.stand_in(&source)
            && smaller.bytes.len() <= rendered.bytes.len()
        {
            return Ok(self.lasting(smaller, &source, seen));
        }
        let said = self.said(&source);
        let lifetime = Lifetime::new(said, &self.proxy.settings);
        let until = seen + lifetime.fresh;
        let variant = Variant::new(rendered, &source.meta, &self.key, said, until);
        Ok(Made {
            variant: self.keep(variant, &lifetime, seen),
            how: How::Miss { collapsed: false },
            times: Some(times),
        })
    }

    /// What the object says of caching, where that counts.
    fn said<'a>(&self, source: &'a Source) -> Option<&'a str> {
        let honoured = self.object.origin.settings.honour_cache_control;
        source.meta.cache_control.as_deref().filter(|_| honoured)
    }

    /// What stands in, if it was made of this very source.
    fn stand_in(&self, source: &Source) -> Option<&Arc<Variant>> {
        let stand_in = self.stand_in.as_ref();
        stand_in.filter(|stand_in| stand_in.version == source.meta.version)
    }

    /// What stands in, if this picture would be of its format anyway: too large for another, or
    /// moving.
    async fn stays(&self, source: &Arc<Source>) -> Result<Option<Arc<Variant>>, Error> {
        let Some(stand_in) = self.stand_in(source) else {
            return Ok(None);
        };
        let studio = &self.proxy.studio;
        let job = studio.prepare(Arc::clone(source), &self.recipe).await?;
        Ok((job.format == stand_in.format).then(|| Arc::clone(stand_in)))
    }

    /// Keeps what stood in, from now on as the variant itself.
    fn lasting(&self, stand_in: &Variant, source: &Source, seen: Instant) -> Made {
        let lifetime = Lifetime::new(self.said(source), &self.proxy.settings);
        let variant = stand_in.renewed(seen + lifetime.fresh);
        Made {
            variant: self.keep(variant, &lifetime, seen),
            how: How::Miss { collapsed: true },
            times: None,
        }
    }

    fn renew(&self, kept: &Kept, seen: Instant) -> Made {
        let said = kept.variant.cache_control.as_ref();
        let said = said.and_then(|value| value.to_str().ok());
        let lifetime = Lifetime::new(said, &self.proxy.settings);
        let variant = kept.variant.renewed(seen + lifetime.fresh);
        Made {
            variant: self.keep(variant, &lifetime, seen),
            how: How::Revalidated,
            times: None,
        }
    }

    /// Keeps it, unless the object says `no-store` or `private`: then it lives only as long as the
    /// requests that wait for this flight.
    fn keep(&self, variant: Variant, lifetime: &Lifetime, seen: Instant) -> Arc<Variant> {
        let variant = Arc::new(variant);
        if lifetime.store {
            let kept = Kept::new(Arc::clone(&variant), lifetime, seen);
            self.proxy.cache.put(self.key, kept);
        } else {
            self.proxy.cache.remove(&self.key);
        }
        variant
    }
}
