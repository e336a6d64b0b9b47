//! One try: a signed request, its answer, and the body as far as it may go.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::{
    Method, Response, StatusCode, Url,
    header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HeaderMap,
        HeaderName, HeaderValue, IF_NONE_MATCH, LAST_MODIFIED, TRANSFER_ENCODING,
    },
};
use s3::creds::Credentials;

use super::{
    super::{
        Error, Fetched, Meta, Source, Version,
        deadline::{Deadline, MEMORY_WAIT},
    },
    S3,
    answer::{Failure, Refusal, connection},
    sign,
};

/// Begins the version of an object without an `ETag`: the hash of its bytes follows.
const HASHED: &str = "blake3-";

/// Without a length, memory is asked for as the bytes come; the first step.
const FIRST_STEP: usize = 64 << 10;

impl S3 {
    /// One try; a second request only where the first was wrongly dated, or signed with keys that
    /// had just expired.
    pub(super) async fn attempt(
        &self,
        url: &Url,
        known: Option<&Version>,
        deadline: &Deadline,
    ) -> Result<Fetched, Failure> {
        let mut amended = false;
        loop {
            let (response, keys) = self.send(url, known, deadline).await?;
            match response.status() {
                StatusCode::OK => return self.receive(response, known, deadline).await,
                StatusCode::NOT_MODIFIED if known.is_some() => return Ok(Fetched::NotModified),
                _ => {}
            }
            let refusal = Refusal::read(response).await;
            if amended || !self.amend(&refusal, &keys).await {
                return Err(refusal.failure());
            }
            amended = true;
        }
    }

    /// Sends a signed GET, and waits for the head of the answer.
    pub(super) async fn send(
        &self,
        url: &Url,
        known: Option<&Version>,
        deadline: &Deadline,
    ) -> Result<(Response, Arc<Credentials>), Failure> {
        let total = self.limits.total;
        let keys = self.keyring.current();
        let keys = deadline
            .within(total, "looking for credentials", keys)
            .await;
        let keys = keys.map_err(Failure::for_good)?;
        let failed = |cause| Failure::for_good(Error::Failed { cause });
        let keys = keys.map_err(failed)?;
        let headers = sign::headers(&Method::GET, url, &self.region, &keys, &self.clock);
        let mut headers = headers.map_err(failed)?;
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(condition) = known.and_then(condition) {
            headers.insert(IF_NONE_MATCH, condition);
        }
        let answer = self.client.get(url.clone()).headers(headers).send();
        let limit = self.limits.first_byte;
        let response = deadline.within(limit, "waiting for the first byte", answer);
        let response = response.await.map_err(Failure::of_connection)?;
        let response = response.map_err(|error| connection(error, self.limits.connect))?;
        Ok((response, keys))
    }

    /// Whether a request signed anew could do better.
    async fn amend(&self, refusal: &Refusal, keys: &Arc<Credentials>) -> bool {
        if refusal.is_about_time() {
            if let Some(ahead) = self.clock.follow(refusal.date.as_ref()) {
                tracing::warn!(
                    seconds = -ahead,
                    bucket = self.bucket,
                    "this machine's clock is off against the store's; signing by the store's"
                );
            }
            // Without news of the clock too: another fetch may have set it since this one signed.
            return true;
        }
        refusal.is_about_expiry() && self.keyring.renewed(keys).await.is_some()
    }

    async fn receive(
        &self,
        response: Response,
        known: Option<&Version>,
        deadline: &Deadline,
    ) -> Result<Fetched, Failure> {
        let limit = self.limits.bytes;
        let promised = promised(response.headers()).map_err(Failure::for_good)?;
        if promised.is_some_and(|length| length > limit) {
            return Err(Failure::for_good(Error::TooLarge { limit }));
        }
        let headers = response.headers().clone();
        if let Some(encoding) = headers.get(CONTENT_ENCODING) {
            tracing::debug!(
                ?encoding,
                "the object is labelled as encoded; taken as it is"
            );
        }
        // Without a length it could be as much as there may be.
        let permit = self.budget.admit(promised.unwrap_or(limit), MEMORY_WAIT);
        let permit = deadline
            .within(MEMORY_WAIT * 2, "waiting for memory", permit)
            .await;
        let permit = permit.map_err(Failure::for_good)?;
        let permit = permit.ok_or(Failure::for_good(Error::Overloaded))?;
        let bytes = self.body(response, promised, deadline).await?;
        let version = text(&headers, &ETAG).map_or_else(|| hashed(&bytes), Version);
        if known == Some(&version) {
            return Ok(Fetched::NotModified);
        }
        Ok(Fetched::Full(Source {
            bytes,
            file: None,
            meta: Meta {
                version,
                last_modified: text(&headers, &LAST_MODIFIED)
                    .and_then(|date| httpdate::parse_http_date(&date).ok()),
                cache_control: text(&headers, &CACHE_CONTROL),
            },
            permit: Some(permit),
        }))
    }

    /// The whole body, or none of it.
    async fn body(
        &self,
        mut response: Response,
        promised: Option<u64>,
        deadline: &Deadline,
    ) -> Result<Bytes, Failure> {
        let limit = self.limits.bytes;
        let too_large = || Failure::for_good(Error::TooLarge { limit });
        let room = usize::try_from(limit).unwrap_or(usize::MAX);
        let whole = promised.map(usize::try_from).transpose();
        let whole = whole.map_err(|_| too_large())?;
        let mut bytes = Vec::with_capacity(whole.unwrap_or(FIRST_STEP.min(room)));
        loop {
            let pause = self.limits.first_byte;
            let chunk = deadline.within(pause, "waiting for more of the body", response.chunk());
            let chunk = chunk.await.map_err(Failure::of_connection)?;
            let chunk = chunk.map_err(|error| connection(error, self.limits.connect))?;
            let Some(chunk) = chunk else { break };
            if chunk.len() > room.saturating_sub(bytes.len()) {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        if whole.is_some_and(|whole| bytes.len() != whole) {
            let cause = format!("{} of {} bytes came", bytes.len(), whole.unwrap_or(0));
            return Err(Failure::of_connection(Error::Failed { cause }));
        }
        Ok(Bytes::from(bytes))
    }
}

/// The length that the store promises. Without one, only chunks tell where a body ends.
fn promised(headers: &HeaderMap) -> Result<Option<u64>, Error> {
    if let Some(length) = text(headers, &CONTENT_LENGTH) {
        let length = length.parse().map(Some);
        return length.map_err(|_| Error::Failed {
            cause: "the `Content-Length` is no number".to_owned(),
        });
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        return Ok(None);
    }
    Err(Error::Failed {
        cause: "the answer has no length, so nobody can tell whether it is whole".to_owned(),
    })
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn hashed(bytes: &[u8]) -> Version {
    Version(format!("{HASHED}{}", blake3::hash(bytes).to_hex()))
}

/// What to ask the store for; nothing if the version is one of ours.
fn condition(known: &Version) -> Option<HeaderValue> {
    if known.0.starts_with(HASHED) {
        return None;
    }
    HeaderValue::from_str(&known.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_must_have_an_end_that_can_be_seen() {
        let mut headers = HeaderMap::new();
        assert!(matches!(promised(&headers), Err(Error::Failed { .. })));
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        assert!(matches!(promised(&headers), Ok(None)));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("12"));
        assert!(matches!(promised(&headers), Ok(Some(12))));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("-1"));
        assert!(matches!(promised(&headers), Err(Error::Failed { .. })));
    }

    #[test]
    fn versions_of_our_own_making_are_not_sent() {
        assert_eq!(condition(&hashed(b"x")), None);
        let etag = Version("\"abc\"".to_owned());
        assert_eq!(condition(&etag), Some(HeaderValue::from_static("\"abc\"")));
    }
}
