//! `?explain`: what a URL means, as JSON, without making the picture. Off unless the operator says
//! otherwise: it tells about objects, and a request for it costs a fetch.

use std::borrow::Cow;

use axum::{body::Body, response::Response};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde_json::{Value, json};

use super::{headers, problem::Problem};
use crate::{
    pixels::render::Job,
    proxy::{Object, Proxy},
    recipe::{Recipe, negotiate::Accepts},
};

const NAME: &str = "explain";

/// The query without `explain`, where it stands in it. The rest is as it was sent, so that a
/// signed URL can be explained too.
pub(super) fn strip(query: &str) -> Option<Cow<'_, str>> {
    let is_explain = |pair: &&str| pair.split('=').next() == Some(NAME);
    if !query.split('&').any(|pair| is_explain(&pair)) {
        return None;
    }
    let rest: Vec<&str> = query.split('&').filter(|pair| !is_explain(pair)).collect();
    Some(Cow::Owned(rest.join("&")))
}

/// The answer.
pub(super) async fn answer(
    proxy: &Proxy,
    object: &Object,
    recipe: &Recipe,
    accepts: Accepts,
) -> Result<Response, Problem> {
    let job = proxy
        .explain(object, recipe)
        .await
        .map_err(|error| Problem::from(&*error))?;
    let key = object.variant_key(recipe);
    let document = json!({
        "source": object.origin.settings.name,
        "object": object.key.as_str(),
        "accepts": { "avif": accepts.avif, "webp": accepts.webp },
        "recipe": recipe.canonical(),
        "key": hex::encode(key.0),
        "plan": plan(&job),
    });
    let mut response = Response::new(Body::from(document.to_string()));
    let map = response.headers_mut();
    map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    map.insert(CACHE_CONTROL, headers::NO_STORE);
    Ok(response)
}

fn plan(job: &Job) -> Value {
    let header = &job.header;
    json!({
        "source": {
            "format": format!("{:?}", header.format).to_ascii_lowercase(),
            "width": header.size.width,
            "height": header.size.height,
            "orientation": header.orientation,
            "frames": header.frames,
            "animated": header.animated,
            "alpha": header.alpha,
            "depth": header.depth,
        },
        "output": {
            "format": job.format.name(),
            "width": job.output.width,
            "height": job.output.height,
        },
        "peak_bytes": job.peak_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: Option<&str>) {
        assert_eq!(strip(query).as_deref(), expected, "{query}");
    }

    #[test]
    fn only_the_word_itself_is_taken_out() {
        check("w=1&explain", Some("w=1"));
        check("explain=1&w=1&s=a%26b", Some("w=1&s=a%26b"));
        check("explain", Some(""));
        check("w=1&explained=1", None);
        check("w=explain", None);
        check("", None);
    }
}
