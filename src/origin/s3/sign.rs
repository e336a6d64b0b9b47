//! Signed headers (`SigV4`), by rust-s3's signing functions and a clock that can be set right.
//!
//! The signature is in a header rather than in the URL, so that no URL is a secret.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime},
};

use hmac::{KeyInit as _, Mac as _};
use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue},
};
use s3::{Region, creds::Credentials, signing};
use time::OffsetDateTime;

/// SHA-256 of nothing: the payload of every request of ours.
const NO_PAYLOAD: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Stores refuse what is dated more than 15 minutes away; less than that needs no correction.
const TOLERATED: Duration = Duration::from_mins(1);

/// This machine's clock, and how far the store's is ahead of it.
#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead: AtomicI64,
}

impl Clock {
    /// Seconds that the store's clock is ahead of ours.
    pub(super) fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// Takes over the store's `Date`. `None` if it does not explain the refusal.
    pub(super) fn follow(&self, date: Option<&HeaderValue>) -> Option<i64> {
        let theirs = httpdate::parse_http_date(date?.to_str().ok()?).ok()?;
        let ahead = OffsetDateTime::from(theirs) - OffsetDateTime::now_utc();
        let ahead = ahead.whole_seconds();
        let news = ahead.abs_diff(self.ahead()) > TOLERATED.as_secs();
        news.then(|| self.ahead.store(ahead, Ordering::Relaxed))?;
        Some(ahead)
    }

    fn now(&self) -> OffsetDateTime {
        let now = OffsetDateTime::from(SystemTime::now());
        now.saturating_add(time::Duration::seconds(self.ahead()))
    }
}

/// The headers that make a request without a body ours.
pub(super) fn headers(
    method: &Method,
    url: &Url,
    region: &Region,
    keys: &Credentials,
    clock: &Clock,
) -> Result<HeaderMap, String> {
    sign(method, url, region, keys, clock.now())
}

fn sign(
    method: &Method,
    url: &Url,
    region: &Region,
    keys: &Credentials,
    now: OffsetDateTime,
) -> Result<HeaderMap, String> {
    let (Some(access), Some(secret)) = (&keys.access_key, &keys.secret_key) else {
        return Err("the credentials are incomplete".to_owned());
    };
    let mut headers = HeaderMap::new();
    headers.insert(HOST, value(&authority(url))?);
    headers.insert(
        HeaderName::from_static("x-amz-content-sha256"),
        HeaderValue::from_static(NO_PAYLOAD),
    );
    headers.insert(
        HeaderName::from_static("x-amz-date"),
        value(&long_date(now))?,
    );
    if let Some(token) = keys.session_token.as_ref().or(keys.security_token.as_ref()) {
        let mut token = value(token)?;
        token.set_sensitive(true);
        headers.insert(HeaderName::from_static("x-amz-security-token"), token);
    }
    let said = |error: s3::error::S3Error| format!("signing failed: {error}");
    let request = signing::canonical_request(method.as_str(), url, &headers, NO_PAYLOAD);
    let text = signing::string_to_sign(&now, region, &request.map_err(said)?).map_err(said)?;
    let key = signing::signing_key(&now, secret, region, "s3").map_err(said)?;
    let mut hmac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key)
        .map_err(|error| format!("signing failed: {error}"))?;
    hmac.update(text.as_bytes());
    let signature = hex::encode(hmac.finalize().into_bytes());
    let signed = signing::signed_header_string(&headers);
    let header = signing::authorization_header(access, &now, region, &signed, &signature);
    let mut header = value(&header.map_err(said)?)?;
    header.set_sensitive(true);
    headers.insert(AUTHORIZATION, header);
    Ok(headers)
}

fn value(text: &str) -> Result<HeaderValue, String> {
    // Without the text: it may be a secret.
    HeaderValue::from_str(text).map_err(|_| "the credentials hold odd characters".to_owned())
}

/// Host and port as the HTTP client will write them.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// `20260102T030405Z`.
fn long_date(at: OffsetDateTime) -> String {
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Amazon's published example of a signed GET, but for its `Range` header, which we do not
    /// sign: `GET /?max-keys=2&prefix=J` of `examplebucket`.
    #[test]
    fn amazons_own_example_has_amazons_own_signature() {
        let keys = Credentials::new(
            Some("AKIAIOSFODNN7EXAMPLE"),
            Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            None,
            None,
            None,
        )
        .expect("given keys are taken");
        let url = "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J";
        let url = Url::parse(url).expect("a URL");
        let at = OffsetDateTime::from_unix_timestamp(1_369_353_600).expect("a time");
        assert_eq!(long_date(at), "20130524T000000Z");
        let headers = sign(&Method::GET, &url, &Region::UsEast1, &keys, at).expect("signed");
        let header = headers[AUTHORIZATION].to_str().expect("text");
        assert!(
            header.ends_with(
                "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
            ),
            "{header}"
        );
    }

    #[test]
    fn headers_hide_their_secrets() {
        let keys = Credentials::new(Some("AK"), Some("SK"), None, Some("TOKEN"), None)
            .expect("given keys are taken");
        let url = Url::parse("http://h:9000/b/k").expect("a URL");
        let headers = headers(
            &Method::GET,
            &url,
            &Region::UsEast1,
            &keys,
            &Clock::default(),
        );
        let headers = headers.expect("signed");
        assert_eq!(headers[HOST], "h:9000");
        let shown = format!("{headers:?}");
        assert!(
            !shown.contains("TOKEN") && !shown.contains("Signature"),
            "{shown}"
        );
    }

    #[test]
    fn the_clock_follows_the_store_once() {
        let clock = Clock::default();
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_hours(1));
        let date = HeaderValue::from_str(&date).expect("a date");
        let ahead = clock.follow(Some(&date)).expect("an hour off");
        assert!((3598..=3600).contains(&ahead), "{ahead}");
        assert_eq!(clock.follow(Some(&date)), None);
        assert_eq!(clock.follow(None), None);
        let off = clock.now() - OffsetDateTime::now_utc();
        assert!((3597..=3600).contains(&off.whole_seconds()));
    }
}
