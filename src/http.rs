//! The public side: axum's router, one handler, and what every response carries.
//!
//! Everything that knows a status code is in here; nothing below is told of HTTP.

mod access;
mod conditional;
mod cors;
mod explain;
mod front_page;
mod headers;
mod metrics;
mod observe;
mod picture;
mod problem;
mod range;
mod respond;
mod target;

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::State, routing::get};
use http::HeaderValue;
use prometheus_client::registry::Registry;

use self::{cors::Cors, metrics::Metrics};
use crate::{
    origin::{Origin, Sources},
    proxy::Proxy,
    recipe::policy::Policy,
};

/// What responses say and which extras are on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `Cache-Control` of a picture where neither its source nor its object says another.
    pub cache_control: String,
    /// Origins for `Access-Control-Allow-Origin`; `*` for any; empty: the header is not sent.
    pub cors_origins: Vec<String>,
    /// `Timing-Allow-Origin`, verbatim.
    pub timing_allow_origin: Option<String>,
    /// Whether `?explain` answers.
    pub explain: bool,
    /// Whether `Server-Timing` is sent.
    pub server_timing: bool,
    /// Longest URL, in bytes.
    pub max_url_bytes: usize,
    /// Most parameters in a query.
    pub max_parameters: usize,
    /// From the first byte of a request to the last of its answer's head.
    pub request_time: Duration,
    /// A page of HTML for `/`, in place of a picture; it names no resource but pictures of ours.
    pub front_page: Option<&'static str>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache_control: "public, max-age=86400, stale-while-revalidate=604800".to_owned(),
            cors_origins: Vec::new(),
            timing_allow_origin: None,
            explain: false,
            server_timing: true,
            max_url_bytes: 4096,
            max_parameters: 64,
            request_time: Duration::from_secs(30),
            front_page: None,
        }
    }
}

/// A setting that cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` must be text that can stand in an HTTP header")]
pub struct SettingsError {
    /// Which one.
    pub setting: &'static str,
}

/// Everything that a request needs. Clones are the same.
#[derive(Clone, Debug)]
pub struct App(Arc<Inner>);

/// The inside of [`App`].
#[derive(Debug)]
struct Inner {
    proxy: Proxy,
    sources: Arc<Sources>,
    /// The rules of each source, in the order of `sources.origins`.
    sites: Vec<Site>,
    settings: Settings,
    cors: Cors,
    timing_allow_origin: Option<HeaderValue>,
    metrics: Metrics,
}

/// What one source's settings make of the server's.
#[derive(Debug)]
struct Site {
    policy: Policy,
    cache_control: HeaderValue,
}

impl App {
    /// Puts the parts together. `policy` holds for every source that has none of its own.
    ///
    /// # Errors
    /// Where a setting cannot stand in a header.
    pub fn new(
        proxy: Proxy,
        sources: Arc<Sources>,
        policy: &Policy,
        settings: Settings,
    ) -> Result<Self, SettingsError> {
        let sites = sources
            .origins
            .iter()
            .map(|origin| Site::new(origin, policy, &settings))
            .collect::<Result<_, _>>()?;
        let cors = Cors::new(&settings.cors_origins).map_err(|_| SettingsError {
            setting: "cors_origins",
        })?;
        let timing_allow_origin = settings
            .timing_allow_origin
            .as_deref()
            .map(|text| header(text, "timing_allow_origin"))
            .transpose()?;
        Ok(Self(Arc::new(Inner {
            proxy,
            sources,
            sites,
            settings,
            cors,
            timing_allow_origin,
            metrics: Metrics::new(),
        })))
    }

    /// Shows what the public side counts.
    pub fn register(&self, registry: &mut Registry) {
        self.0.metrics.register(registry);
    }
}

impl Inner {
    /// The rules of a source; `None` if it is none of ours.
    fn site(&self, origin: &Arc<Origin>) -> Option<&Site> {
        let mut places = self.sources.origins.iter();
        let place = places.position(|each| Arc::ptr_eq(each, origin))?;
        self.sites.get(place)
    }
}

impl Site {
    fn new(origin: &Origin, policy: &Policy, settings: &Settings) -> Result<Self, SettingsError> {
        let own = &origin.settings;
        let cache_control = own
            .cache_control
            .as_deref()
            .unwrap_or(&settings.cache_control);
        Ok(Self {
            policy: own
                .policy
                .clone()
                .map_or_else(|| policy.clone(), Policy::new),
            cache_control: header(cache_control, "cache_control")?,
        })
    }
}

fn header(text: &str, setting: &'static str) -> Result<HeaderValue, SettingsError> {
    HeaderValue::try_from(text).map_err(|_| SettingsError { setting })
}

/// The public side as a router of its own: every path is a key, none is ours. It may be nested in
/// another application's router; keys are then what follows the prefix.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    if let Some(html) = app.0.settings.front_page {
        router = router.route("/", get(async move || front_page::answer(html)));
    }
    router
        .fallback(|State(App(app)), request| observe::answer(app, request))
        .with_state(app)
}
