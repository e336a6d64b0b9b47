//! What the public side counts. No key, path or query ever becomes a label: a client could mint
//! as many as it likes.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

/// The counters; clones count into the same.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    bytes: Counter,
    seconds: Family<CacheLabel, Histogram, fn() -> Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    status: u16,
    cache: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabel {
    cache: &'static str,
}

/// From a quarter of a millisecond (a hit) to 16 seconds (about any deadline), doubling.
fn buckets() -> Histogram {
    Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(
        0.000_25, 2.0, 17,
    ))
}

impl Metrics {
    pub(super) fn new() -> Self {
        Self {
            requests: Family::default(),
            bytes: Counter::default(),
            seconds: Family::new_with_constructor(buckets),
        }
    }

    /// Makes them visible.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "Requests answered, by status and by what the cache did",
            self.requests.clone(),
        );
        registry.register(
            "http_response_bytes",
            "Bytes of bodies answered",
            self.bytes.clone(),
        );
        registry.register(
            "http_request_seconds",
            "Time to the head of the answer, by what the cache did",
            self.seconds.clone(),
        );
    }

    /// One request, answered.
    pub(super) fn request(&self, status: u16, cache: &'static str, bytes: u64, elapsed: Duration) {
        self.requests
            .get_or_create(&RequestLabels { status, cache })
            .inc();
        self.bytes.inc_by(bytes);
        self.seconds
            .get_or_create(&CacheLabel { cache })
            .observe(elapsed.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stand_in_the_text_by_status_and_cache() {
        let metrics = Metrics::new();
        let mut registry = Registry::with_prefix("aquatint");
        metrics.register(&mut registry);
        metrics.request(200, "hit", 10, Duration::from_millis(1));
        metrics.request(200, "hit", 5, Duration::from_millis(1));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("writing to memory");
        assert!(
            text.contains(r#"aquatint_http_requests_total{status="200",cache="hit"} 2"#),
            "{text}"
        );
        assert!(
            text.contains("aquatint_http_response_bytes_total 15"),
            "{text}"
        );
    }
}
