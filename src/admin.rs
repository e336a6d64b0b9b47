//! The second port: for the operator and the orchestrator, never for the public. It says how the
//! process is; it names no key and no picture.

mod process;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use prometheus_client::{encoding::text, registry::Registry};
use serde_json::json;
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer};

use crate::proxy::{Proxy, Readiness};

/// What Prometheus asks for first, and understands best.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the operator's side looks at. Clones are the same.
#[derive(Clone, Debug)]
pub struct Admin(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    draining: AtomicBool,
    proxy: Proxy,
}

impl Admin {
    /// Looks at this proxy, and shows what is registered.
    #[must_use]
    pub fn new(mut registry: Registry, proxy: Proxy) -> Self {
        process::register(&mut registry);
        Self(Arc::new(Inner {
            registry,
            draining: AtomicBool::new(false),
            proxy,
        }))
    }

    /// From now on the process is not ready: it is about to stop.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Why the process should get no requests; empty if it should.
    async fn reasons(&self) -> Vec<String> {
        if self.0.draining.load(Ordering::Relaxed) {
            return vec!["the process is shutting down".to_owned()];
        }
        sentences(self.0.proxy.ready().await)
    }

    fn metrics(&self) -> Result<String, std::fmt::Error> {
        let mut page = String::with_capacity(16 << 10);
        text::encode(&mut page, &self.0.registry).map(|()| page)
    }
}

/// What stands against it, for people.
fn sentences(readiness: Readiness) -> Vec<String> {
    let sources = readiness.sources.into_iter();
    let mut sentences: Vec<String> = sources
        .filter_map(|(name, probe)| Some(format!("source `{name}`: {}", probe.err()?)))
        .collect();
    if readiness.stuck {
        sentences.push("all threads are stuck in jobs that do not end".to_owned());
    }
    sentences
}

/// The operator's router.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/version", get(version))
        .layer(SetResponseHeaderLayer::overriding(
            CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .layer(CatchPanicLayer::new())
        .with_state(admin)
}

/// Alive: the runtime answers. Nothing else is looked at, or a slow bucket would have the
/// orchestrator kill a process that is well.
async fn health() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

async fn ready(State(admin): State<Admin>) -> Response {
    let reasons = admin.reasons().await;
    let status = if reasons.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let answer = json!({ "ready": reasons.is_empty(), "reasons": reasons });
    (status, Json(answer)).into_response()
}

async fn metrics(State(admin): State<Admin>) -> Response {
    match admin.metrics() {
        Ok(page) => ([(CONTENT_TYPE, OPEN_METRICS)], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn version() -> Response {
    Json(json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
    }))
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_against_readiness_is_said_by_name() {
        let readiness = Readiness {
            sources: vec![
                ("cats".to_owned(), Ok(())),
                ("dogs".to_owned(), Err("no answer within 3 s".to_owned())),
            ],
            stuck: true,
        };
        assert_eq!(
            sentences(readiness),
            [
                "source `dogs`: no answer within 3 s",
                "all threads are stuck in jobs that do not end"
            ]
        );
    }
}
