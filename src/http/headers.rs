//! Header values that are the same for many answers, made once; and the few that are not.

use std::{fmt::Write as _, time::Duration};

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, VARY, X_CONTENT_TYPE_OPTIONS},
};

use crate::proxy::{How, Times};

pub(super) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
pub(super) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
pub(super) const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Of errors: nobody keeps them.
pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Of a stale picture, or of one that stands in for a better: caches in front of us ask again
/// soon, when we may have it.
const BRIEFLY: HeaderValue = HeaderValue::from_static("public, max-age=10");

/// Puts on what every answer carries, whatever it is.
///
/// A picture is data and never a page: no sniffing, no script, no frame; and any site may embed
/// it, which is what an image proxy is for.
pub(super) fn put_common(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    headers.insert(
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("cross-origin"),
    );
}

/// Says which request headers chose this answer.
pub(super) fn put_vary(headers: &mut HeaderMap, accept: bool, origin: bool) {
    let value = match (accept, origin) {
        (false, false) => return,
        (true, false) => "Accept",
        (false, true) => "Origin",
        (true, true) => "Accept, Origin",
    };
    headers.insert(VARY, HeaderValue::from_static(value));
}

/// Puts `Cache-Control` of a picture. One that is stale or stands in for another is kept briefly,
/// unless it may not be kept (or shared) at all: neither widens who may have it.
pub(super) fn put_cache_control(headers: &mut HeaderMap, briefly: bool, usual: &HeaderValue) {
    let value = if briefly && !is_restricted(usual) {
        BRIEFLY
    } else {
        usual.clone()
    };
    headers.insert(CACHE_CONTROL, value);
}

fn is_restricted(cache_control: &HeaderValue) -> bool {
    let text = cache_control.as_bytes().to_ascii_lowercase();
    [&b"no-store"[..], b"no-cache", b"private"]
        .iter()
        .any(|word| text.windows(word.len()).any(|part| part == *word))
}

/// `Cache-Status` (RFC 9211). `overdue`: how long the variant has been stale.
pub(super) fn cache_status(how: How, overdue: Duration) -> HeaderValue {
    match how {
        How::Hit => HeaderValue::from_static("aquatint; hit"),
        How::Stale => {
            // A negative time to live is how the RFC spells a stale hit.
            let text = format!("aquatint; hit; ttl=-{}", overdue.as_secs().max(1));
            HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("aquatint; hit"))
        }
        How::Revalidated => HeaderValue::from_static("aquatint; fwd=stale; fwd-status=304"),
        How::Miss { collapsed: false } => HeaderValue::from_static("aquatint; fwd=miss; stored"),
        How::Miss { collapsed: true } => HeaderValue::from_static("aquatint; fwd=miss; collapsed"),
    }
}

/// The word for logs and metrics.
pub(super) const fn how_name(how: Option<How>) -> &'static str {
    match how {
        None => "none",
        Some(How::Hit) => "hit",
        Some(How::Stale) => "stale",
        Some(How::Revalidated) => "revalidated",
        Some(How::Miss { collapsed: false }) => "miss",
        Some(How::Miss { collapsed: true }) => "collapsed",
    }
}

/// The stages of a miss, in order, by name.
pub(super) const fn stages(times: &Times) -> [(&'static str, Duration); 5] {
    [
        ("fetch", times.fetch),
        ("queue", times.queue),
        ("decode", times.stages.decode),
        ("transform", times.stages.transform),
        ("encode", times.stages.encode),
    ]
}

/// `Server-Timing`: the stages, where there were any, and the whole, in milliseconds.
pub(super) fn server_timing(times: Option<&Times>, total: Duration) -> Option<HeaderValue> {
    let mut text = String::with_capacity(96);
    for (stage, spent) in times.map(stages).into_iter().flatten() {
        write!(text, "{stage};dur={:.2}, ", milliseconds(spent)).ok()?;
    }
    write!(text, "total;dur={:.2}", milliseconds(total)).ok()?;
    HeaderValue::try_from(text).ok()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::render::Stages;

    #[track_caller]
    fn check_status(how: How, overdue: u64, expected: &str) {
        assert_eq!(cache_status(how, Duration::from_secs(overdue)), expected);
    }

    #[test]
    fn cache_status_speaks_rfc_9211() {
        check_status(How::Hit, 0, "aquatint; hit");
        check_status(How::Stale, 90, "aquatint; hit; ttl=-90");
        check_status(How::Stale, 0, "aquatint; hit; ttl=-1");
        check_status(How::Revalidated, 0, "aquatint; fwd=stale; fwd-status=304");
        check_status(
            How::Miss { collapsed: false },
            0,
            "aquatint; fwd=miss; stored",
        );
        check_status(
            How::Miss { collapsed: true },
            0,
            "aquatint; fwd=miss; collapsed",
        );
    }

    #[track_caller]
    fn check_vary(accept: bool, origin: bool, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        put_vary(&mut headers, accept, origin);
        let value = headers.get(VARY).map(|value| value.to_str().expect("text"));
        assert_eq!(value, expected);
    }

    #[test]
    fn vary_names_exactly_what_counts() {
        check_vary(false, false, None);
        check_vary(true, false, Some("Accept"));
        check_vary(false, true, Some("Origin"));
        check_vary(true, true, Some("Accept, Origin"));
    }

    #[track_caller]
    fn check_cache_control(briefly: bool, usual: &'static str, expected: &str) {
        let mut headers = HeaderMap::new();
        put_cache_control(&mut headers, briefly, &HeaderValue::from_static(usual));
        assert_eq!(headers[CACHE_CONTROL], expected);
    }

    #[test]
    fn a_stale_picture_is_kept_briefly_and_never_more_widely() {
        check_cache_control(false, "max-age=5, s-maxage=9", "max-age=5, s-maxage=9");
        check_cache_control(true, "max-age=500", "public, max-age=10");
        check_cache_control(true, "Private, max-age=5", "Private, max-age=5");
        check_cache_control(true, "no-store", "no-store");
    }

    #[test]
    fn server_timing_lists_the_stages_in_milliseconds() {
        let times = Times {
            fetch: Duration::from_micros(12_340),
            queue: Duration::ZERO,
            stages: Stages {
                decode: Duration::from_millis(3),
                transform: Duration::from_millis(2),
                encode: Duration::from_millis(1),
            },
        };
        assert_eq!(
            server_timing(Some(&times), Duration::from_millis(20)).expect("a header"),
            "fetch;dur=12.34, queue;dur=0.00, decode;dur=3.00, transform;dur=2.00, encode;dur=1.00, total;dur=20.00"
        );
        assert_eq!(
            server_timing(None, Duration::from_micros(50)).expect("a header"),
            "total;dur=0.05"
        );
    }
}
