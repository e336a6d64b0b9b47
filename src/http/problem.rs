//! An error as the client sees it (RFC 9457), and the only place where errors become statuses.
//!
//! A 4xx tells the client what to change. A 5xx says its reason phrase and the request's id; what
//! happened stays in `cause`, for the access log.

use axum::{body::Body, response::Response};
use http::{
    HeaderValue, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER},
};
use serde::Serialize;

use super::headers;
use crate::{
    origin::{self, KeyError},
    pixels::codec,
    proxy,
    recipe::policy,
};

/// Methods that the public side answers.
pub(super) const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// Longest `detail`, in bytes of JSON: a client's own words may stand in it, and the whole body
/// stays under 1 KiB.
const MAX_DETAIL: usize = 500;

/// Longest `parameter`, in bytes of JSON.
const MAX_PARAMETER: usize = 64;

/// Seconds after which a refused client may come again: drawn for each, so that those who were
/// refused together do not return together.
const RETRY_AFTER_SECONDS: std::ops::RangeInclusive<u8> = 1..=3;

/// An error, ready to be told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    detail: Option<String>,
    parameter: Option<String>,
    /// The length of the body that a range missed.
    length: Option<usize>,
    /// For the log alone.
    pub(super) cause: Option<String>,
    /// Whether it is a bug of ours, whatever the status says: the log is loud about those.
    pub(super) is_bug: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    request_id: &'a str,
}

impl Problem {
    /// A 4xx whose sentence the client reads.
    fn client(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self {
            status,
            detail: Some(cut(sentence.into(), MAX_DETAIL)),
            parameter: None,
            length: None,
            cause: None,
            is_bug: false,
        }
    }

    /// A 5xx, whose cause the client does not read.
    fn server(status: StatusCode, cause: impl Into<String>) -> Self {
        Self {
            status,
            detail: None,
            parameter: None,
            length: None,
            cause: Some(cause.into()),
            is_bug: status == StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn because(self, cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..self
        }
    }

    pub(super) fn bad_request(sentence: impl Into<String>) -> Self {
        Self::client(StatusCode::BAD_REQUEST, sentence)
    }

    /// One answer, byte for byte, for everything that is not there or not to be shown.
    pub(super) fn not_found() -> Self {
        Self::client(StatusCode::NOT_FOUND, "there is no such object")
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::client(
            StatusCode::METHOD_NOT_ALLOWED,
            "pictures are asked for with GET or HEAD",
        )
    }

    pub(super) fn uri_too_long(limit: usize) -> Self {
        Self::client(
            StatusCode::URI_TOO_LONG,
            format!("the URL is longer than the limit of {limit} bytes"),
        )
    }

    pub(super) fn range_not_satisfiable(length: usize) -> Self {
        Self {
            length: Some(length),
            ..Self::client(
                StatusCode::RANGE_NOT_SATISFIABLE,
                format!("the range begins past the end: there are {length} bytes"),
            )
        }
    }

    pub(super) fn timed_out(cause: impl Into<String>) -> Self {
        Self::server(StatusCode::GATEWAY_TIMEOUT, cause)
    }

    pub(super) fn bug(cause: impl Into<String>) -> Self {
        Self::server(StatusCode::INTERNAL_SERVER_ERROR, cause)
    }

    /// What the client gets, apart from the headers that every answer carries.
    pub(super) fn into_response(self, request_id: &str) -> Response {
        let document = Document {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail.as_deref(),
            parameter: self.parameter.as_deref(),
            request_id,
        };
        // Strings and a number always serialise; an empty body is still an honest status.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        let map = response.headers_mut();
        map.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        map.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        map.insert(CACHE_CONTROL, headers::NO_STORE);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            map.insert(ALLOW, ALLOWED);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            map.insert(
                RETRY_AFTER,
                HeaderValue::from(u16::from(fastrand::u8(RETRY_AFTER_SECONDS))),
            );
        }
        if let Some(value) = self
            .length
            .and_then(|length| HeaderValue::try_from(format!("bytes */{length}")).ok())
        {
            map.insert(CONTENT_RANGE, value);
        }
        *response.body_mut() = Body::from(body);
        response
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Escape | KeyError::NotUtf8 | KeyError::Control | KeyError::TooLong => {
                Self::bad_request(error.to_string())
            }
            // Nothing can be there, so nothing is; and nobody learns what lies outside a prefix.
            KeyError::Empty | KeyError::Dots | KeyError::EmptySegment => {
                Self::not_found().because(error.to_string())
            }
        }
    }
}

impl From<policy::Error> for Problem {
    fn from(error: policy::Error) -> Self {
        match error {
            policy::Error::Parameter(error) => Self {
                parameter: Some(cut(error.parameter, MAX_PARAMETER)),
                ..Self::bad_request(error.sentence)
            },
            policy::Error::Signature | policy::Error::NotAllowed(_) => {
                Self::client(StatusCode::FORBIDDEN, error.to_string())
            }
            policy::Error::Expired => Self::client(StatusCode::GONE, error.to_string()),
        }
    }
}

impl From<&proxy::Error> for Problem {
    fn from(error: &proxy::Error) -> Self {
        match error {
            proxy::Error::Origin(error) => Self::from(error),
            proxy::Error::Picture(error) => Self::from(error),
            proxy::Error::Overloaded => {
                Self::server(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
            proxy::Error::TimedOut => Self::timed_out(error.to_string()),
            proxy::Error::Panicked { cause } => Self {
                is_bug: true,
                ..Self::client(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
                    .because(format!("a codec panicked: {cause}"))
            },
            proxy::Error::Bug(cause) => Self::bug(cause),
        }
    }
}

impl From<&origin::Error> for Problem {
    fn from(error: &origin::Error) -> Self {
        match error {
            origin::Error::NotFound { cause } => Self::not_found().because(cause),
            origin::Error::TooLarge { .. } => {
                Self::client(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())
            }
            origin::Error::Overloaded => {
                Self::server(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
            // The origin asks for patience; so do we.
            origin::Error::Busy { cause } => Self::server(StatusCode::SERVICE_UNAVAILABLE, cause),
            origin::Error::Failed { cause } => Self::server(StatusCode::BAD_GATEWAY, cause),
            origin::Error::TimedOut { cause } => Self::timed_out(cause),
        }
    }
}

impl From<&codec::Error> for Problem {
    fn from(error: &codec::Error) -> Self {
        match error {
            codec::Error::Unsupported(_) | codec::Error::UnsupportedFeature { .. } => {
                Self::client(StatusCode::UNSUPPORTED_MEDIA_TYPE, error.to_string())
            }
            codec::Error::Limit(_) => {
                Self::client(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            codec::Error::Broken { cause } => {
                Self::client(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).because(cause)
            }
            codec::Error::Encode { cause } => Self::bug(cause),
            codec::Error::Cancelled => Self::timed_out(error.to_string()),
        }
    }
}

/// The text, or its beginning where it would take more than `limit` bytes as JSON.
fn cut(text: String, limit: usize) -> String {
    let mut used = 0;
    let end = text.char_indices().find_map(|(at, character)| {
        used += match character {
            '"' | '\\' => 2,
            '\0'..='\x1f' => 6,
            _ => character.len_utf8(),
        };
        (used > limit).then_some(at)
    });
    match end {
        Some(end) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::params;

    fn text(problem: Problem, id: &str) -> String {
        let response = problem.into_response(id);
        let body = axum::body::to_bytes(response.into_body(), usize::MAX);
        let body = futures_util::FutureExt::now_or_never(body);
        let body = body.expect("a body in memory").expect("a body");
        String::from_utf8(body.to_vec()).expect("text")
    }

    #[track_caller]
    fn check(problem: Problem, status: u16, detail: Option<&str>, cause: Option<&str>) {
        assert_eq!(problem.status.as_u16(), status);
        assert_eq!(problem.cause.as_deref(), cause);
        let document: serde_json::Value =
            serde_json::from_str(&text(problem, "id")).expect("a document");
        assert_eq!(document["status"], status);
        assert_eq!(
            document.get("detail").and_then(|text| text.as_str()),
            detail
        );
        assert_eq!(document["request_id"], "id");
    }

    #[track_caller]
    fn check_proxy(
        error: impl Into<proxy::Error>,
        status: u16,
        detail: Option<&str>,
        cause: Option<&str>,
    ) {
        check(Problem::from(&error.into()), status, detail, cause);
    }

    fn cause() -> String {
        "secret cause".to_owned()
    }

    const SECRET: Option<&str> = Some("secret cause");

    #[test]
    fn origin_errors_have_their_statuses() {
        use origin::Error;
        let absent = Some("there is no such object");
        check_proxy(Error::NotFound { cause: cause() }, 404, absent, SECRET);
        check_proxy(
            Error::TooLarge { limit: 9 },
            413,
            Some("the object is larger than the limit of 9 bytes"),
            None,
        );
        check_proxy(
            Error::Overloaded,
            503,
            None,
            Some("there is no memory for another source"),
        );
        check_proxy(Error::Busy { cause: cause() }, 503, None, SECRET);
        check_proxy(Error::Failed { cause: cause() }, 502, None, SECRET);
        check_proxy(Error::TimedOut { cause: cause() }, 504, None, SECRET);
    }

    #[test]
    fn picture_errors_have_their_statuses() {
        use codec::Error;
        check_proxy(
            Error::Unsupported("a PDF"),
            415,
            Some("the object is a PDF, which is not a picture format that can be read here"),
            None,
        );
        check_proxy(
            Error::UnsupportedFeature {
                format: "JPEG",
                feature: "arithmetic coding",
            },
            415,
            Some("the JPEG picture uses arithmetic coding, which is not supported"),
            None,
        );
        check_proxy(
            Error::Limit("has 2 pixels; the limit is 1".to_owned()),
            422,
            Some("the picture has 2 pixels; the limit is 1"),
            None,
        );
        let damaged = Some("the picture is damaged and cannot be decoded");
        check_proxy(Error::Broken { cause: cause() }, 422, damaged, SECRET);
        check_proxy(
            proxy::Error::Panicked { cause: cause() },
            422,
            damaged,
            Some("a codec panicked: secret cause"),
        );
        check_proxy(Error::Encode { cause: cause() }, 500, None, SECRET);
        check_proxy(Error::Cancelled, 504, None, Some("the work was called off"));
    }

    #[test]
    fn our_own_errors_have_their_statuses() {
        check_proxy(
            proxy::Error::Overloaded,
            503,
            None,
            Some("too much work is waiting"),
        );
        check_proxy(
            proxy::Error::TimedOut,
            504,
            None,
            Some("the work took too long"),
        );
        check_proxy(proxy::Error::Bug(cause()), 500, None, SECRET);
    }

    #[test]
    fn policy_errors_have_their_statuses() {
        use policy::Error;
        let unsigned = "the URL is not signed, or its signature does not match";
        check(Error::Signature.into(), 403, Some(unsigned), None);
        check(
            Error::NotAllowed("no".to_owned()).into(),
            403,
            Some("no"),
            None,
        );
        check(
            Error::Expired.into(),
            410,
            Some("the URL has expired"),
            None,
        );
        let error = params::Error {
            parameter: "w".to_owned(),
            sentence: "parameter `w` must be a number".to_owned(),
        };
        let problem = Problem::from(Error::Parameter(error));
        assert_eq!(problem.parameter.as_deref(), Some("w"));
        check(problem, 400, Some("parameter `w` must be a number"), None);
    }

    #[test]
    fn overload_says_when_to_come_back_and_no_error_is_kept() {
        let response = Problem::from(&proxy::Error::Overloaded).into_response("id");
        let seconds: u8 = response.headers()[RETRY_AFTER]
            .to_str()
            .expect("text")
            .parse()
            .expect("a number");
        assert!(RETRY_AFTER_SECONDS.contains(&seconds));
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let response = Problem::method_not_allowed().into_response("id");
        assert_eq!(response.headers()[ALLOW], "GET, HEAD, OPTIONS");
        let response = Problem::range_not_satisfiable(7).into_response("id");
        assert_eq!(response.headers()[CONTENT_RANGE], "bytes */7");
    }

    #[test]
    fn absent_hidden_and_outside_look_the_same() {
        let absent = text(Problem::not_found(), "id");
        let hidden = origin::Error::NotFound {
            cause: "403 AccessDenied".to_owned(),
        };
        assert_eq!(text(Problem::from(&hidden), "id"), absent);
        assert_eq!(text(KeyError::Dots.into(), "id"), absent);
    }

    proptest::proptest! {
        #[test]
        fn a_body_is_at_most_one_kibibyte(parameter in "\\PC{0,400}|[\\x00-\\x1f\"\\\\]{0,400}", sentence in "\\PC{0,400}|[\\x00-\\x1f\"\\\\]{0,400}") {
            let error = policy::Error::Parameter(params::Error { parameter, sentence });
            let body = text(Problem::from(error), &"x".repeat(64));
            proptest::prop_assert!(body.len() <= 1024, "{}", body.len());
        }
    }
}
