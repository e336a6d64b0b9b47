//! What is counted below HTTP. No label ever holds a key's name.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use super::{Error, How, Served, Times};
use crate::origin::{self, Fetched};

/// Half a millisecond to 16 seconds, doubling: from a header's decoding to past every deadline.
const BUCKETS: (f64, f64, u16) = (0.000_5, 2.0, 16);

/// The counters; clones count together.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    served: Family<Outcome, Counter>,
    fetches: Family<Outcome, Counter>,
    fetched_bytes: Counter,
    renders: Counter,
    stages: Family<Stage, Histogram, fn() -> Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stage {
    stage: &'static str,
}

impl Metrics {
    pub(super) fn new() -> Self {
        Self {
            served: Family::default(),
            fetches: Family::default(),
            fetched_bytes: Counter::default(),
            renders: Counter::default(),
            stages: Family::new_with_constructor(|| {
                let (first, factor, count) = BUCKETS;
                Histogram::new(exponential_buckets(first, factor, count))
            }),
        }
    }

    /// An answer to a request.
    pub(super) fn count(&self, answer: &Result<Served, Arc<Error>>) {
        let outcome = match answer {
            Ok(served) => how(served.how),
            Err(error) => why(error),
        };
        self.served.get_or_create(&Outcome { outcome }).inc();
    }

    /// An answer of an origin.
    pub(super) fn fetched(&self, fetched: &Result<Fetched, origin::Error>) {
        let outcome = match fetched {
            Ok(Fetched::Full(source)) => {
                self.fetched_bytes.inc_by(source.length());
                "full"
            }
            Ok(Fetched::NotModified) => "not_modified",
            Err(error) => origin_says(error),
        };
        self.fetches.get_or_create(&Outcome { outcome }).inc();
    }

    /// A picture that was made, whoever saw it.
    pub(super) fn observe(&self, times: &Times) {
        self.renders.inc();
        let stages = [
            ("fetch", times.fetch),
            ("queue", times.queue),
            ("decode", times.stages.decode),
            ("transform", times.stages.transform),
            ("encode", times.stages.encode),
        ];
        for (stage, time) in stages {
            self.stage(stage, time);
        }
    }

    fn stage(&self, stage: &'static str, time: Duration) {
        let histogram = self.stages.get_or_create(&Stage { stage });
        histogram.observe(time.as_secs_f64());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "served",
            "Requests for a variant, by where it came from or why there is none",
            self.served.clone(),
        );
        registry.register(
            "origin_fetches",
            "Answers of origins, by kind",
            self.fetches.clone(),
        );
        registry.register_with_unit(
            "origin",
            "Read from origins",
            Unit::Bytes,
            self.fetched_bytes.clone(),
        );
        registry.register("renders", "Pictures made", self.renders.clone());
        registry.register_with_unit(
            "render_stage",
            "Where pictures spend their time, whether or not a client still waited",
            Unit::Seconds,
            self.stages.clone(),
        );
    }
}

fn how(how: How) -> &'static str {
    match how {
        How::Hit => "hit",
        How::Stale => "stale",
        How::Revalidated => "revalidated",
        How::Miss { collapsed: false } => "miss",
        How::Miss { collapsed: true } => "collapsed",
    }
}

fn why(error: &Error) -> &'static str {
    match error {
        Error::Origin(error) => origin_says(error),
        Error::Picture(_) => "picture",
        Error::Overloaded => "overloaded",
        Error::TimedOut => "timed_out",
        Error::Panicked { .. } => "panicked",
        Error::Bug(_) => "bug",
    }
}

fn origin_says(error: &origin::Error) -> &'static str {
    match error {
        origin::Error::NotFound { .. } => "not_found",
        origin::Error::TooLarge { .. } => "too_large",
        origin::Error::Overloaded => "no_memory",
        origin::Error::Busy { .. } => "origin_busy",
        origin::Error::Failed { .. } => "origin_failed",
        origin::Error::TimedOut { .. } => "origin_timed_out",
    }
}
