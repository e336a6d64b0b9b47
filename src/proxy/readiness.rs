//! Whether requests can be served: each source is asked, but not more often than it matters.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::origin::{Origin, Sources};

/// An answer holds for so long: orchestrators ask every few seconds, some from many places at
/// once, and every question would be a request to the bucket.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// A source that takes longer counts as unreachable. Less than what orchestrators usually wait.
const PROBE_TIME: Duration = Duration::from_secs(3);

/// Whether requests can be served, and what stands against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Each source by name, with what is wrong with it.
    pub sources: Vec<(String, Result<(), String>)>,
    /// All threads are lost in jobs that do not end.
    pub stuck: bool,
}

impl Readiness {
    /// Whether nothing stands against it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.stuck && self.sources.iter().all(|(_, probe)| probe.is_ok())
    }
}

/// The sources, and what they answered last.
#[derive(Debug)]
pub(super) struct Probes {
    sources: Arc<Sources>,
    last: Mutex<Option<(Instant, Probed)>>,
}

type Probed = Vec<(String, Result<(), String>)>;

impl Probes {
    pub(super) fn new(sources: Arc<Sources>) -> Self {
        Self {
            sources,
            last: Mutex::new(None),
        }
    }

    pub(super) async fn ready(&self, stuck: bool) -> Readiness {
        // Held while probing: who asks meanwhile waits for the same answer.
        let mut last = self.last.lock().await;
        let sources = match &*last {
            Some((at, probed)) if at.elapsed() < PROBE_EVERY => probed.clone(),
            _ => {
                let probed = join_all(self.sources.origins.iter().map(probe)).await;
                *last = Some((Instant::now(), probed.clone()));
                probed
            }
        };
        Readiness { sources, stuck }
    }
}

async fn probe(origin: &Arc<Origin>) -> (String, Result<(), String>) {
    let answer = match timeout(PROBE_TIME, origin.probe()).await {
        Ok(answer) => answer.map_err(|wrong| wrong.to_string()),
        Err(_) => Err(format!("no answer within {} s", PROBE_TIME.as_secs())),
    };
    (origin.settings.name.clone(), answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stuck: bool, probes: &[Result<(), &str>], ready: bool) {
        let named = |probe: &Result<(), &str>| ("s".to_owned(), probe.map_err(str::to_owned));
        let readiness = Readiness {
            sources: probes.iter().map(named).collect(),
            stuck,
        };
        assert_eq!(readiness.is_ready(), ready);
    }

    #[test]
    fn ready_means_every_source_and_the_threads() {
        check(false, &[], true);
        check(false, &[Ok(()), Ok(())], true);
        check(false, &[Ok(()), Err("down")], false);
        check(true, &[Ok(())], false);
    }
}
