//! Around every request: its id, its deadline, the net under a panic, the headers that every answer
//! carries, and its line in the log.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, HttpBody as _},
    response::Response,
};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, Request, header::ORIGIN, request::Parts};

use super::{
    Inner, access,
    headers::{self, SERVER_TIMING, TIMING_ALLOW_ORIGIN, X_REQUEST_ID},
    picture::{self, Note},
    problem::Problem,
};

/// Longest request id that is taken over from a client.
const MAX_REQUEST_ID: usize = 64;

/// Answers a request. Its body, if it has one, is dropped unread: nothing here takes one.
pub(super) async fn answer(app: Arc<Inner>, request: Request<Body>) -> Response {
    let started = Instant::now();
    let (request, _body) = request.into_parts();
    let id = request_id(&request.headers);
    let mut note = Note::default();
    let gone = access::Gone::new(&app, &request, &id, started);
    let result = bounded(&app, &request, &mut note).await;
    gone.disarm();
    let (mut response, cause, is_bug) = match result {
        Ok(response) => (response, None, false),
        Err(mut problem) => {
            let (cause, is_bug) = (problem.cause.take(), problem.is_bug);
            (problem.into_response(&id), cause, is_bug)
        }
    };
    let elapsed = started.elapsed();
    dress(&app, &request, &note, &id, elapsed, response.headers_mut());
    let line = access::Line {
        id: &id,
        status: response.status().as_u16(),
        bytes: body_bytes(&response),
        elapsed,
        cause: cause.as_deref(),
        is_bug,
    };
    line.tell(&app, &request, &note);
    response
}

/// The answer, in time, whatever happens: a panic is a 500, and its text stays here.
async fn bounded(app: &Inner, request: &Parts, note: &mut Note) -> Result<Response, Problem> {
    let work = AssertUnwindSafe(picture::answer(app, request, note)).catch_unwind();
    match tokio::time::timeout(app.settings.request_time, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(Problem::bug(format!("panicked: {}", panic_text(&*panic)))),
        Err(_elapsed) => Err(Problem::timed_out("the request took longer than its limit")),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}

/// Puts on what every answer carries.
fn dress(
    app: &Inner,
    request: &Parts,
    note: &Note,
    id: &str,
    elapsed: Duration,
    answer: &mut HeaderMap,
) {
    headers::put_common(answer);
    headers::put_vary(answer, note.varies, app.cors.varies());
    app.cors.put(answer, request.headers.get(ORIGIN));
    if let Some(value) = &app.timing_allow_origin {
        answer.insert(TIMING_ALLOW_ORIGIN, value.clone());
    }
    if app.settings.server_timing
        && let Some(value) = headers::server_timing(note.times.as_ref(), elapsed)
    {
        answer.insert(SERVER_TIMING, value);
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        answer.insert(X_REQUEST_ID, value);
    }
}

/// The client's (or the load balancer's) own id where it is harmless in logs and headers; else a
/// new one. 64 random bits: enough to find one line among a day's.
fn request_id(request: &HeaderMap) -> String {
    request
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_harmless(id))
        .map_or_else(|| format!("{:016x}", fastrand::u64(..)), str::to_owned)
}

fn is_harmless(id: &str) -> bool {
    (1..=MAX_REQUEST_ID).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// What goes over the wire after the head.
fn body_bytes(response: &Response) -> u64 {
    response.body().size_hint().exact().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_id(sent: Option<&str>, kept: bool) {
        let headers: HeaderMap = sent
            .map(|id| (X_REQUEST_ID, HeaderValue::from_str(id).expect("a value")))
            .into_iter()
            .collect();
        let id = request_id(&headers);
        assert!(is_harmless(&id));
        assert_eq!(Some(id.as_str()) == sent, kept, "{sent:?}");
    }

    #[test]
    fn a_harmless_request_id_is_kept_and_any_other_replaced() {
        check_id(Some("abc-DEF_123"), true);
        check_id(Some(&"a".repeat(MAX_REQUEST_ID)), true);
        check_id(Some(&"a".repeat(MAX_REQUEST_ID + 1)), false);
        check_id(Some("a b"), false);
        check_id(Some("evil.example"), false);
        check_id(Some(""), false);
        check_id(None, false);
    }
}
