//! What is wrong with a bucket's settings, told from what it answers. For people: every sentence
//! here is read by somebody who is setting a source up.

use std::time::Instant;

use reqwest::{Response, StatusCode, Url};
use s3::signing;

use super::{
    super::{CheckReport, Diagnosis, Error, Part, deadline::Deadline},
    S3,
    answer::{Refusal, start_of},
};

/// An object that surely is not there.
const ABSENT: &str = ".aquatint-probe/absent";

impl S3 {
    /// Lists one key; where that is not allowed, asks for an absent object.
    pub(in super::super) async fn check(&self, prefix: &str) -> Result<CheckReport, Diagnosis> {
        let start = Instant::now();
        let listed = signing::uri_encode(prefix, true);
        let url = format!("{}/?list-type=2&max-keys=1&prefix={listed}", self.base);
        let response = self.ask(&url).await?;
        let report = |says: &str| CheckReport {
            took: start.elapsed(),
            says: says.to_owned(),
        };
        if response.status() == StatusCode::OK {
            let body = start_of(response).await;
            if String::from_utf8_lossy(&body).contains("ListBucketResult") {
                self.clock_is_right()?;
                self.ask_for_absent(prefix).await?;
                return Ok(report("the bucket can be listed and read"));
            }
            return Err(Diagnosis::new(
                Part::Endpoint,
                "something answers there, but not as S3 does",
                "Set `endpoint` to the address of the S3 API, not to a web page or a CDN.",
            ));
        }
        let refusal = Refusal::read(response).await;
        let diagnosis = self.diagnose(&refusal);
        let cannot_list = matches!(refusal.code.as_str(), "NoSuchKey" | "NotImplemented");
        if diagnosis.part != Part::Permission && !cannot_list {
            return Err(diagnosis);
        }
        self.probe(prefix).await?;
        Ok(report(
            "the bucket answers, and does not let itself be listed: an absent object may look \
             like a forbidden one in the log",
        ))
    }

    /// Asks for an object that is not there. Where listing is forbidden, S3 calls it forbidden.
    pub(in super::super) async fn probe(&self, prefix: &str) -> Result<(), Diagnosis> {
        match self.ask_for_absent(prefix).await {
            Err(diagnosis) if diagnosis.part == Part::Permission => Ok(()),
            answer => answer,
        }
    }

    async fn ask_for_absent(&self, prefix: &str) -> Result<(), Diagnosis> {
        let key = signing::uri_encode(&format!("{prefix}{ABSENT}"), false);
        let response = self.ask(&format!("{}/{key}", self.base)).await?;
        if response.status() == StatusCode::OK {
            return Ok(());
        }
        let refusal = Refusal::read(response).await;
        if refusal.status == StatusCode::NOT_FOUND && refusal.code != "NoSuchBucket" {
            return Ok(());
        }
        Err(self.diagnose(&refusal))
    }

    async fn ask(&self, url: &str) -> Result<Response, Diagnosis> {
        let url = Url::parse(url).map_err(|error| {
            Diagnosis::new(
                Part::Endpoint,
                format!("no URL can be made of it: {error}"),
                "Write `endpoint` like https://s3.example.com.",
            )
        })?;
        let deadline = Deadline::start(self.limits.total);
        let answer = self.send(&url, None, &deadline).await;
        let (response, _) = answer.map_err(|failure| self.unanswered(&failure.error))?;
        Ok(response)
    }

    fn clock_is_right(&self) -> Result<(), Diagnosis> {
        match self.clock.ahead() {
            0 => Ok(()),
            ahead => Err(wrong_clock(ahead)),
        }
    }

    /// No answer came.
    fn unanswered(&self, error: &Error) -> Diagnosis {
        let (cause, timed_out) = match error {
            Error::TimedOut { cause } => (cause.as_str(), true),
            Error::Failed { cause } => (cause.as_str(), false),
            _ => ("", false),
        };
        let lower = cause.to_ascii_lowercase();
        let endpoint = |says: &str, hint: &str| {
            let says = format!("{says} ({cause})");
            Diagnosis::new(Part::Endpoint, says, hint)
        };
        if cause.starts_with("no credentials") || lower.contains("credentials") {
            return Diagnosis::new(
                Part::Credentials,
                cause,
                "Set `access_key` and `secret_key`, or AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY, or give the machine a role.",
            );
        }
        if lower.contains("dns error") {
            if self.path_style {
                return endpoint("no such host", "Check the spelling of `endpoint`.");
            }
            return endpoint(
                "no such host, with the bucket as a part of its name",
                "Check the spelling of `endpoint` and `bucket`, or set `path_style = true`.",
            );
        }
        if lower.contains("certificate") || lower.contains("tls") || lower.contains("corrupt") {
            return endpoint(
                "no secure connection",
                "If the store speaks plain HTTP, begin `endpoint` with http://; otherwise its \
                 certificate must be a public one for that very name.",
            );
        }
        if timed_out {
            return endpoint(
                "no answer in time",
                "Check host and port of `endpoint`, and the firewall in between.",
            );
        }
        endpoint(
            "no connection",
            "Check host and port of `endpoint`, and that the store runs.",
        )
    }

    /// An answer came, and is no yes.
    fn diagnose(&self, refusal: &Refusal) -> Diagnosis {
        let says = refusal.to_string();
        let message = refusal.message.to_ascii_lowercase();
        let tell = |part, hint: String| Diagnosis::new(part, says.clone(), hint);
        match (refusal.status.as_u16(), refusal.code.as_str()) {
            (_, "RequestTimeTooSkewed") => wrong_clock(self.skew(refusal)),
            (_, "InvalidAccessKeyId" | "NotSignedUp") => tell(Part::Credentials, unknown_key()),
            (_, "SignatureDoesNotMatch") => tell(Part::Credentials, wrong_secret()),
            (_, "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired") => tell(
                Part::Credentials,
                "The `session_token` has expired, or belongs to another access key.".to_owned(),
            ),
            (_, "NoSuchBucket") => tell(Part::Bucket, self.no_bucket()),
            (300..=399, _)
            | (_, "AuthorizationHeaderMalformed" | "PermanentRedirect" | "InvalidRegion") => {
                tell(Part::Region, self.other_region(refusal))
            }
            (405, _) => tell(Part::PathStyle, self.other_style()),
            // Garage says only AccessDenied, and the reason in its sentence.
            (_, "AccessDenied") if message.contains("signature") => {
                tell(Part::Credentials, wrong_secret())
            }
            (_, "AccessDenied") if message.contains("no such key") => {
                tell(Part::Credentials, unknown_key())
            }
            (401, _) => tell(Part::Credentials, unknown_key()),
            (403, _) => tell(
                Part::Permission,
                format!(
                    "Allow this access key to read the bucket {:?}.",
                    self.bucket
                ),
            ),
            (404, _) => tell(Part::PathStyle, self.other_style()),
            (500.., _) => tell(
                Part::Store,
                "The store itself is unwell: look at its own log or status page.".to_owned(),
            ),
            _ => tell(
                Part::Endpoint,
                "Check that `endpoint` is the address of an S3 API, and `region` its region."
                    .to_owned(),
            ),
        }
    }

    /// Seconds that the store's clock is ahead, as far as it says so.
    fn skew(&self, refusal: &Refusal) -> i64 {
        self.clock.follow(refusal.date.as_ref());
        self.clock.ahead()
    }

    fn no_bucket(&self) -> String {
        let style = if self.path_style {
            ""
        } else {
            "; if the store has no host name for each bucket, set `path_style = true`"
        };
        format!(
            "There is no bucket {:?} at this endpoint: check `bucket`, and leave it out of \
             `endpoint`{style}.",
            self.bucket
        )
    }

    fn other_region(&self, refusal: &Refusal) -> String {
        match &refusal.region {
            Some(region) => format!(
                "Set `region = {region:?}`; it is {:?} now.",
                self.region_name()
            ),
            None => format!(
                "Set `region` to the bucket's own (it is {:?} now), and `endpoint` to that \
                 region's.",
                self.region_name()
            ),
        }
    }

    fn other_style(&self) -> String {
        format!(
            "Set `path_style = {}`, or check `endpoint`.",
            !self.path_style
        )
    }

    fn region_name(&self) -> String {
        self.region.to_string()
    }
}

fn unknown_key() -> String {
    "The store does not know this `access_key`: check its spelling, and that it belongs to this \
     endpoint."
        .to_owned()
}

fn wrong_secret() -> String {
    "The store knows the access key, and `secret_key` does not belong to it (check for a line end \
     or a space), or a proxy in between changes the request."
        .to_owned()
}

fn wrong_clock(ahead: i64) -> Diagnosis {
    let side = if ahead < 0 { "ahead" } else { "behind" };
    Diagnosis::new(
        Part::Clock,
        format!(
            "this machine's clock is {} seconds {side}",
            ahead.unsigned_abs()
        ),
        "Set the clock, best by NTP: signatures are dated.",
    )
}
