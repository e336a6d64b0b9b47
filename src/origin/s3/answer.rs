//! What a store says when it refuses, and what a connection says when it breaks: read with a
//! bound, and told without an address.

use std::{error::Error as _, time::Duration};

use reqwest::{
    Response, StatusCode,
    header::{DATE, HeaderMap, HeaderValue},
};

use super::{super::Error, retry::Again};

/// S3's errors are a few hundred bytes.
const LONGEST_REFUSAL: usize = 8 << 10;

/// They come with the head, or they are not worth the wait.
const REFUSAL_WAIT: Duration = Duration::from_millis(500);

/// Names and messages of a store's go into our log: cut there.
const LONGEST_WORD: usize = 200;

/// A try that gave no object.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) again: Again,
}

impl Failure {
    pub(super) fn for_good(error: Error) -> Self {
        Self {
            error,
            again: Again::Never,
        }
    }

    pub(super) fn of_connection(error: Error) -> Self {
        Self {
            error,
            again: Again::Soon,
        }
    }
}

/// An answer that is no object.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// S3's word for it, such as `NoSuchKey`; empty if it gave none.
    pub(super) code: String,
    /// The sentence that came with it.
    pub(super) message: String,
    /// Where the bucket is, if the store says so.
    pub(super) region: Option<String>,
    /// The store's clock.
    pub(super) date: Option<HeaderValue>,
}

impl Refusal {
    pub(super) async fn read(response: Response) -> Self {
        let status = response.status();
        let headers = response.headers().clone();
        let body = start_of(response).await;
        Self::parse(status, &headers, &String::from_utf8_lossy(&body))
    }

    fn parse(status: StatusCode, headers: &HeaderMap, xml: &str) -> Self {
        let region = headers.get("x-amz-bucket-region");
        let region = region.and_then(|region| region.to_str().ok());
        let region = region.map_or_else(|| element(xml, "Region"), printable);
        Self {
            status,
            code: element(xml, "Code"),
            message: element(xml, "Message"),
            region: Some(region).filter(|region| !region.is_empty()),
            date: headers.get(DATE).cloned(),
        }
    }

    /// Whether it says that our date is wrong.
    pub(super) fn is_about_time(&self) -> bool {
        self.code == "RequestTimeTooSkewed"
    }

    /// Whether it says that temporary keys have had their time.
    pub(super) fn is_about_expiry(&self) -> bool {
        matches!(
            self.code.as_str(),
            "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired"
        )
    }

    pub(super) fn failure(&self) -> Failure {
        let cause = self.to_string();
        let failed = |again| Failure {
            error: Error::Failed {
                cause: cause.clone(),
            },
            again,
        };
        match self.status.as_u16() {
            // Ours to mend, and not the same as an object that is forbidden.
            _ if self.is_about_time() || self.is_about_expiry() => failed(Again::Never),
            401 | 403 | 404 => Failure::for_good(Error::NotFound { cause }),
            400 if self.is_about_key() => Failure::for_good(Error::NotFound { cause }),
            429 | 503 => Failure {
                error: Error::Busy { cause },
                again: Again::Later,
            },
            408 | 500 | 502 | 504 => failed(Again::Later),
            _ => failed(Again::Never),
        }
    }

    /// Some stores take fewer keys than others.
    fn is_about_key(&self) -> bool {
        matches!(
            self.code.as_str(),
            "KeyTooLongError" | "InvalidURI" | "InvalidObjectName" | "XMinioInvalidObjectName"
        )
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the bucket says {}", self.status.as_u16())?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, " ({})", self.message)?;
        }
        match &self.region {
            Some(region) => write!(f, "; its region is {region}"),
            None if self.status.is_redirection() => write!(f, "; its region is another one"),
            None => Ok(()),
        }
    }
}

/// The first bytes of a body, as far as they come soon.
pub(super) async fn start_of(mut response: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = LONGEST_REFUSAL - bytes.len();
            bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if bytes.len() == LONGEST_REFUSAL {
                break;
            }
        }
    };
    // What came until then is enough.
    let _in_time = tokio::time::timeout(REFUSAL_WAIT, read).await;
    bytes
}

/// The text of the first such element: S3's errors are flat.
fn element(xml: &str, name: &str) -> String {
    let after = xml.split_once(&format!("<{name}>"));
    let text = after.and_then(|(_, rest)| rest.split_once('<'));
    text.map_or_else(String::new, |(text, _)| printable(text))
}

fn printable(text: &str) -> String {
    let clean = text.chars().filter(|char| !char.is_control());
    clean.take(LONGEST_WORD).collect()
}

/// An error of the HTTP client, without the URL, and with what caused it.
pub(super) fn connection(error: reqwest::Error, connect: Duration) -> Failure {
    let error = error.without_url();
    if error.is_connect() && error.is_timeout() {
        let cause = format!("no connection within {connect:?}");
        return Failure::of_connection(Error::TimedOut { cause });
    }
    let cause = chain(&error);
    Failure::of_connection(Error::Failed { cause })
}

/// An error and all that caused it.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, xml: &str) -> Refusal {
        let status = StatusCode::from_u16(status).expect("a status");
        Refusal::parse(status, &HeaderMap::new(), xml)
    }

    #[track_caller]
    fn check(status: u16, code: &str, kind: &str, again: Again) {
        let xml = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");
        let failure = refusal(status, &xml).failure();
        assert_eq!(failure.again, again);
        let shown = format!("{:?}", failure.error);
        assert!(shown.starts_with(kind), "{shown}");
        assert!(
            shown.contains(code) && shown.contains(&status.to_string()),
            "{shown}"
        );
    }

    #[test]
    fn absent_and_forbidden_look_the_same() {
        check(404, "NoSuchKey", "NotFound", Again::Never);
        check(404, "NoSuchBucket", "NotFound", Again::Never);
        check(403, "AccessDenied", "NotFound", Again::Never);
        check(401, "Unauthorized", "NotFound", Again::Never);
        check(400, "KeyTooLongError", "NotFound", Again::Never);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        check(503, "SlowDown", "Busy", Again::Later);
        check(429, "TooManyRequests", "Busy", Again::Later);
        for status in [408, 500, 502, 504] {
            check(status, "X", "Failed", Again::Later);
        }
        for status in [206, 301, 307, 400, 409, 416, 501] {
            check(status, "X", "Failed", Again::Never);
        }
    }

    #[test]
    fn what_is_ours_to_mend_is_no_absent_object() {
        check(403, "RequestTimeTooSkewed", "Failed", Again::Never);
        check(400, "ExpiredToken", "Failed", Again::Never);
    }

    #[test]
    fn the_region_comes_from_header_or_body() {
        let xml =
            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>";
        assert!(
            refusal(400, xml)
                .to_string()
                .ends_with("its region is eu-west-1")
        );
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-amz-bucket-region",
            HeaderValue::from_static("eu-north-1"),
        );
        let moved = Refusal::parse(StatusCode::MOVED_PERMANENTLY, &headers, "");
        assert_eq!(
            moved.to_string(),
            "the bucket says 301; its region is eu-north-1"
        );
    }

    #[test]
    fn a_hostile_refusal_stays_short_and_printable() {
        let xml = format!("<Code>a\n\u{1b}[31m{}</Code>", "x".repeat(9000));
        let code = refusal(500, &xml).code;
        assert_eq!(code.chars().count(), LONGEST_WORD);
        assert!(code.starts_with("a[31mx"));
        assert_eq!(refusal(500, "<Code>open").code, "");
    }
}
