//! Sources on their way, and those still at work: one transfer for all variants of an object.
//!
//! Nothing is kept for later: a source lives as long as some flight uses it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use prometheus_client::registry::Registry;

use super::{Error, Object, metrics::Metrics};
use crate::{
    cache::variant::ObjectId,
    origin::{Fetched, Source, Version},
    work::singleflight::{Flights, Limits},
};

/// A source that some flight still uses serves another one, if it is not older than this. Without
/// the bound, flights without a gap could hold on to a replaced object for ever.
const SHARED_FOR: Duration = Duration::from_secs(5);

/// The transfers under way, and the sources in use.
#[derive(Debug)]
pub(super) struct Fetches {
    /// By object, and by the version that need not be sent again.
    flights: Flights<(ObjectId, Option<Version>), Result<Got, Arc<Error>>>,
    in_use: Arc<InUse>,
}

/// What a fetch brings.
#[derive(Clone, Debug)]
pub(super) enum Got {
    /// The object.
    Source(Arc<Source>),
    /// It is still the version that was named.
    NotModified,
}

impl Fetches {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            flights: Flights::new(limits),
            in_use: Arc::default(),
        }
    }

    /// The object: one that is in use, the one on its way, or a new one. Dropping the future ends
    /// the transfer, if nobody else waits for it.
    pub(super) async fn get(
        &self,
        object: &Object,
        known: Option<&Version>,
        metrics: &Metrics,
    ) -> Result<Got, Arc<Error>> {
        let id = object.id();
        if let Some(source) = self.in_use.get(&id, Instant::now()) {
            return Ok(Got::Source(source));
        }
        let fetch = || {
            let (object, known) = (object.clone(), known.cloned());
            let (in_use, metrics) = (Arc::clone(&self.in_use), metrics.clone());
            async move {
                let asked = Instant::now();
                let fetched = object.origin.fetch(&object.key, known.as_ref()).await;
                metrics.fetched(&fetched);
                match fetched {
                    Ok(Fetched::Full(source)) => {
                        Ok(Got::Source(in_use.put(id, Arc::new(source), asked)))
                    }
                    Ok(Fetched::NotModified) => Ok(Got::NotModified),
                    Err(error) => Err(Arc::new(Error::Origin(error))),
                }
            }
        };
        match self.flights.run((id, known.cloned()), fetch).await {
            Ok((got, _)) => got,
            Err(refused) => Err(Arc::new(refused.into())),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        self.flights.register(registry, "source");
    }
}

/// Sources that flights use, and when they were asked for. Keeps none of them alive.
#[derive(Debug, Default)]
struct InUse(Mutex<HashMap<ObjectId, (Weak<Source>, Instant)>>);

impl InUse {
    fn get(&self, id: &ObjectId, now: Instant) -> Option<Arc<Source>> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (source, asked) = sources.get(id)?;
        let recent = now.saturating_duration_since(*asked) < SHARED_FOR;
        source.upgrade().filter(|_| recent)
    }

    fn put(&self, id: ObjectId, source: Arc<Source>, asked: Instant) -> Arc<Source> {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Never more lines than flights, but for those whose source has just gone.
        sources.retain(|_, (source, _)| source.strong_count() > 0);
        sources.insert(id, (Arc::downgrade(&source), asked));
        source
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Meta;

    const ID: ObjectId = ObjectId([1; 16]);

    fn source() -> Arc<Source> {
        Arc::new(Source {
            bytes: bytes::Bytes::from_static(b"bytes"),
            file: None,
            meta: Meta {
                version: Version("v1".to_owned()),
                last_modified: None,
                cache_control: None,
            },
            permit: None,
        })
    }

    #[test]
    fn a_source_is_shared_while_somebody_uses_it() {
        let (in_use, now) = (InUse::default(), Instant::now());
        assert!(in_use.get(&ID, now).is_none());
        let used = in_use.put(ID, source(), now);
        let shared = in_use.get(&ID, now).expect("in use");
        assert!(Arc::ptr_eq(&used, &shared));
        drop((used, shared));
        assert!(in_use.get(&ID, now).is_none());
    }

    #[test]
    fn a_source_is_not_shared_for_ever() {
        let (in_use, now) = (InUse::default(), Instant::now());
        let _used = in_use.put(ID, source(), now);
        let last = now + Duration::from_nanos(4_999_999_999);
        assert!(in_use.get(&ID, last).is_some());
        assert!(in_use.get(&ID, now + SHARED_FOR).is_none());
    }

    #[test]
    fn sources_that_are_gone_leave_no_line() {
        let (in_use, now) = (InUse::default(), Instant::now());
        for number in 0..100 {
            drop(in_use.put(ObjectId([number; 16]), source(), now));
        }
        let _used = in_use.put(ID, source(), now);
        assert_eq!(in_use.0.lock().expect("no panic").len(), 1);
    }
}
