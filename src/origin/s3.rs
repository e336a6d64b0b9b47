//! An S3-compatible bucket as a source: rust-s3 for the address, the credentials and the
//! signature, a pooled client of our own for the transfer.
//!
//! What rust-s3 0.38 does by itself, and what is done here instead:
//!
//! | rust-s3 | here |
//! |---|---|
//! | folds `.` and `..` segments: a key could leave its bucket | [`ObjectKey`](super::ObjectKey) and `key_prefix` refuse them; `S3::url` checks that the URL holds the key as it is |
//! | collects a body without bound, that of an error too | `Content-Length` and every chunk are held against `bytes`; of an error 8 KiB are read |
//! | a stream comes without its headers | version, dates and length are read from the answer |
//! | a 304 is an error, a condition clones the bucket | `If-None-Match` is one header more, a 304 is an answer |
//! | one timeout of 60 s for all | `connect`, `first_byte` (also for a pause in the body) and `total` |
//! | retries after 1, 4, 9 s, one number for the process | own retries in `retry.rs`: 0, 25, 50 ms … with jitter, inside `total`, at most a tenth more load |
//! | retries a client's mistake (0.37) | 408, 429, 500, 502, 503, 504 and the connection's failures only |
//! | follows redirects, without the signature | none are followed: a 301 or 307 says that the region is wrong |
//! | its HTTP client cannot be set up | `client` below: no proxy, no delay, idle connections end before the store ends them |
//! | renews credentials once they have expired, in a request | `credentials.rs` renews ahead, in a task; blocking parts on a blocking thread |
//! | dates by this machine's clock | `sign.rs` follows the store's `Date` when that is why it refuses |
//! | signs into the URL (`presign_get`) | signed headers, marked as sensitive: no URL is a secret |
//! | a body that is closed early without a length looks whole | refused: neither length nor chunks |
//!
//! Left as they are: rust-s3 asks only the global `sts.amazonaws.com`, knows no SSO, no
//! `credential_process` and no profile but `default`, and there is no private certificate
//! authority: put a proxy with a public certificate in front, or speak HTTP inside the cluster.
//!
//! An object's `Content-Encoding` is not undone, so a compressed bomb stays as small as it is.
//! Its bytes are judged as they are: gzip is no picture; a picture with a wrong label is one.

mod answer;
mod credentials;
mod diagnose;
mod provider;
mod retry;
mod sign;
mod transfer;

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Url};
use s3::{Bucket, Region, creds::Credentials, signing};
use tokio::sync::Semaphore;

use super::{
    Error, FetchLimits, Fetched, S3Settings, Version,
    deadline::Deadline,
    key::{LONGEST_KEY, has_dot_segment},
};
use crate::work::budget::Budget;
use credentials::Keyring;
use retry::{Again, RetryBudget};
use sign::Clock;

/// Idle connections are dropped after this: before the 20 s after which Amazon does, and a
/// request would be the one to find out.
const IDLE: Duration = Duration::from_secs(15);

/// An open bucket.
#[derive(Debug)]
pub(super) struct S3 {
    /// What all keys come after; without a slash at its end.
    base: String,
    bucket: String,
    region: Region,
    path_style: bool,
    client: Client,
    keyring: Arc<Keyring>,
    clock: Clock,
    retries: RetryBudget,
    turns: Semaphore,
    limits: FetchLimits,
    budget: Budget,
}

impl S3 {
    pub(super) fn open(
        settings: &S3Settings,
        limits: &FetchLimits,
        budget: Budget,
    ) -> Result<Self, Vec<String>> {
        let one = |problem: String| vec![problem];
        let address = provider::address(settings)?;
        let region = Region::Custom {
            region: address.region,
            endpoint: address.endpoint,
        };
        // Only its address is taken: keys are in the keyring.
        let nobody = Credentials::anonymous().map_err(|error| one(error.to_string()))?;
        let bucket = Bucket::new(&settings.bucket, region.clone(), nobody)
            .map_err(|error| one(error.to_string()))?;
        let bucket = if address.path_style {
            bucket.with_path_style()
        } else {
            bucket
        };
        Ok(Self {
            base: bucket.url(),
            bucket: settings.bucket.clone(),
            region,
            path_style: address.path_style,
            client: client(limits).map_err(one)?,
            keyring: Keyring::open(settings).map_err(one)?,
            clock: Clock::default(),
            retries: RetryBudget::default(),
            turns: Semaphore::new(limits.concurrency),
            limits: *limits,
            budget,
        })
    }

    /// Fetches the object with this full key.
    pub(super) async fn fetch(&self, key: &str, known: Option<&Version>) -> Result<Fetched, Error> {
        let url = self.url(key)?;
        let deadline = Deadline::start(self.limits.total);
        let _turn = deadline.turn(&self.turns).await?;
        self.retries.earn();
        let mut tries = 1;
        loop {
            let failure = match self.attempt(&url, known, &deadline).await {
                Ok(fetched) => return Ok(fetched),
                Err(failure) => failure,
            };
            let pause = retry::pause(failure.again, tries);
            let may = failure.again != Again::Never
                && tries < self.limits.tries
                && pause < deadline.left()
                && self.retries.spend();
            if !may {
                return Err(failure.error);
            }
            tracing::debug!(tries, error = ?failure.error, "fetching again");
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    /// Where an object is. Keys that a URL cannot hold as they are, are none.
    fn url(&self, key: &str) -> Result<Url, Error> {
        let odd = |what: &str| Error::NotFound {
            cause: format!("the key with its prefix {what}"),
        };
        if key.len() > LONGEST_KEY {
            return Err(odd("is too long for S3"));
        }
        if has_dot_segment(key) {
            return Err(odd("has a dot segment"));
        }
        let text = format!("{}/{}", self.base, signing::uri_encode(key, false));
        match Url::parse(&text) {
            Ok(url) if url.as_str() == text => Ok(url),
            _ => Err(odd("changes in a URL")),
        }
    }
}

/// A client for transfers: what it is asked for, it does once, directly, and untouched.
fn client(limits: &FetchLimits) -> Result<Client, String> {
    Client::builder()
        .connect_timeout(limits.connect)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(limits.concurrency)
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only()
        // No feature of the client's turns decompression on today; none ever may.
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .build()
        .map_err(|error| format!("no HTTP client: {}", answer::chain(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Secret;

    fn open(endpoint: &str) -> S3 {
        let settings = S3Settings {
            bucket: "img".to_owned(),
            endpoint: Some(endpoint.to_owned()),
            access_key: Some("AK".to_owned()),
            secret_key: Some(Secret("SK-CANARY".to_owned())),
            ..S3Settings::default()
        };
        S3::open(&settings, &FetchLimits::default(), Budget::new(1 << 20)).expect("settings")
    }

    #[track_caller]
    fn check(key: &str, url: &str) {
        let found = open("http://127.0.0.1:9/base").url(key).expect("a key");
        assert_eq!(found.as_str(), format!("http://127.0.0.1:9/base/img/{url}"));
    }

    #[test]
    fn keys_stand_in_urls_as_they_are() {
        check("a b+c%d#e?f.jpg", "a%20b%2Bc%25d%23e%3Ff.jpg");
        check("ü/a..b/.hidden", "%C3%BC/a..b/.hidden");
        check("%2e%2e/x", "%252e%252e/x");
        check("a\\b;c,d&e=f", "a%5Cb%3Bc%2Cd%26e%3Df");
    }

    #[track_caller]
    fn refused(key: &str) {
        let found = open("http://127.0.0.1:9").url(key);
        assert!(matches!(found, Err(Error::NotFound { .. })), "{found:?}");
    }

    #[test]
    fn no_key_leaves_its_bucket() {
        for key in ["../other/secret.jpg", "a/../../x", "./a", "..", "a\\..\\b"] {
            refused(key);
        }
        refused(&"a".repeat(1025));
    }

    #[test]
    fn the_default_port_of_an_endpoint_changes_nothing() {
        let url = open("http://s3.example:80").url("k").expect("a key");
        assert_eq!(url.as_str(), "http://s3.example/img/k");
    }

    #[test]
    fn nothing_prints_a_secret() {
        assert!(!format!("{:?}", open("http://127.0.0.1:9")).contains("CANARY"));
    }
}
