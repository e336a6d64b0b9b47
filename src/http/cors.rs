//! Which other sites' scripts may read our pictures (the `Fetch` standard). By hand rather than by
//! a layer: it is three headers, on the path of every hit.

use axum::{body::Body, response::Response};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
        ALLOW, ORIGIN,
    },
};

use super::problem::ALLOWED;

/// Who may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cors {
    /// Nothing is said: scripts of other sites may show pictures, not read them.
    Off,
    /// Anybody.
    Any,
    /// These.
    List(Vec<HeaderValue>),
}

impl Cors {
    /// As configured: `*` anywhere means anybody.
    pub(super) fn new(origins: &[String]) -> Result<Self, http::header::InvalidHeaderValue> {
        if origins.is_empty() {
            return Ok(Self::Off);
        }
        if origins.iter().any(|origin| origin == "*") {
            return Ok(Self::Any);
        }
        let list = origins.iter().map(HeaderValue::try_from);
        Ok(Self::List(list.collect::<Result<_, _>>()?))
    }

    /// Whether answers depend on `Origin`, and must say so.
    pub(super) fn varies(&self) -> bool {
        matches!(self, Self::List(_))
    }

    /// Puts the headers of any answer.
    pub(super) fn put(&self, answer: &mut HeaderMap, origin: Option<&HeaderValue>) {
        let Some(allowed) = self.allowed(origin) else {
            return;
        };
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        answer.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(
                "cache-status, content-length, etag, server-timing, x-request-id",
            ),
        );
    }

    fn allowed(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        match self {
            Self::Off => None,
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::List(list) => origin.filter(|origin| list.contains(origin)).cloned(),
        }
    }

    /// The answer to `OPTIONS`: what may be done here, and what a script of that site may.
    pub(super) fn options(&self, request: &HeaderMap) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        answer.insert(ALLOW, ALLOWED);
        let preflight = request.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if preflight && self.allowed(request.get(ORIGIN)).is_some() {
            answer.insert(
                ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("GET, HEAD"),
            );
            answer.insert(
                ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static(
                    "if-modified-since, if-none-match, if-range, range, x-request-id",
                ),
            );
            answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: HeaderValue = HeaderValue::from_static("https://here.example");
    const ELSEWHERE: HeaderValue = HeaderValue::from_static("https://elsewhere.example");

    fn cors(origins: &[&str]) -> Cors {
        let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
        Cors::new(&origins).expect("header values")
    }

    #[track_caller]
    fn check(origins: &[&str], origin: Option<&HeaderValue>, expected: Option<&str>) {
        let mut answer = HeaderMap::new();
        cors(origins).put(&mut answer, origin);
        let allowed = answer.get(ACCESS_CONTROL_ALLOW_ORIGIN);
        assert_eq!(allowed.map(|value| value.to_str().expect("text")), expected);
    }

    #[test]
    fn only_who_is_listed_may_read() {
        let list = &["https://here.example", "https://there.example"];
        check(&[], Some(&HERE), None);
        check(&["*"], Some(&HERE), Some("*"));
        check(&["*"], None, Some("*"));
        check(list, Some(&HERE), Some("https://here.example"));
        check(list, Some(&ELSEWHERE), None);
        check(list, None, None);
        assert!(cors(list).varies());
        assert!(!cors(&["*"]).varies());
    }

    #[test]
    fn a_preflight_says_what_may_be_sent() {
        let mut request = HeaderMap::new();
        request.insert(ORIGIN, HERE);
        let plain = cors(&["*"]).options(&request);
        assert_eq!(plain.status(), 204);
        assert_eq!(plain.headers()[ALLOW], "GET, HEAD, OPTIONS");
        assert!(!plain.headers().contains_key(ACCESS_CONTROL_ALLOW_METHODS));
        request.insert(
            ACCESS_CONTROL_REQUEST_METHOD,
            HeaderValue::from_static("GET"),
        );
        let preflight = cors(&["*"]).options(&request);
        assert_eq!(
            preflight.headers()[ACCESS_CONTROL_ALLOW_METHODS],
            "GET, HEAD"
        );
        let refused = cors(&["https://other.example"]).options(&request);
        assert!(!refused.headers().contains_key(ACCESS_CONTROL_ALLOW_METHODS));
    }
}
