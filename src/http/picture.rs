//! One request for a picture, from its target to its answer. Nothing here decodes, fetches or
//! keeps: it asks the rooms below, in order.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::response::Response;
use http::{Method, header::ACCEPT, request::Parts};

use super::{Inner, explain, problem::Problem, respond::respond, target::Target};
use crate::{
    origin::{ObjectKey, Origin},
    pixels::format::OutputFormat,
    proxy::{How, Object, Times},
    recipe::{Recipe, negotiate::Accepts},
};

/// What became known of a request on its way: for its headers, its log line and the counters, also
/// where it fails half-way.
#[derive(Debug, Default)]
pub(super) struct Note {
    /// Whether `Accept` could have changed the answer.
    pub(super) varies: bool,
    pub(super) origin: Option<Arc<Origin>>,
    pub(super) how: Option<How>,
    pub(super) times: Option<Times>,
    pub(super) format: Option<OutputFormat>,
}

/// The answer to a request.
pub(super) async fn answer(
    app: &Inner,
    request: &Parts,
    note: &mut Note,
) -> Result<Response, Problem> {
    match request.method {
        Method::GET | Method::HEAD => picture(app, request, note).await,
        Method::OPTIONS => Ok(app.cors.options(&request.headers)),
        _ => Err(Problem::method_not_allowed()),
    }
}

async fn picture(app: &Inner, request: &Parts, note: &mut Note) -> Result<Response, Problem> {
    let settings = &app.settings;
    let target = Target::read(request, settings.max_url_bytes, settings.max_parameters)?;
    let (origin, rest) = app
        .sources
        .route(target.host, target.path)
        .ok_or_else(Problem::not_found)?;
    note.origin = Some(origin.clone());
    let site = app.site(origin).ok_or_else(Problem::not_found)?;
    let object = Object {
        origin: origin.clone(),
        key: ObjectKey::from_path(rest)?,
    };

    let without_explain = settings
        .explain
        .then(|| explain::strip(target.query))
        .flatten();
    let query = without_explain.as_deref().unwrap_or(target.query);
    let transform = site.policy.admit(target.path, query, unix_now())?;
    note.varies = site.policy.varies(&transform);
    let accepts = Accepts::from_header(request.headers.get_all(ACCEPT));
    let recipe = Recipe::resolve(&transform, accepts, &site.policy);
    if without_explain.is_some() {
        return explain::answer(&app.proxy, &object, &recipe, accepts).await;
    }

    let served = if site.policy.settings.avif_behind {
        app.proxy.serve_soon(&object, &recipe).await
    } else {
        app.proxy.serve(&object, &recipe).await
    };
    let served = served.map_err(|error| Problem::from(&*error))?;
    note.how = Some(served.how);
    note.times = served.times;
    note.format = Some(served.variant.format);
    respond(
        &request.method,
        &request.headers,
        &served,
        &site.cache_control,
    )
}

fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
