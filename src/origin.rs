//! Where sources come from: an object's key → its bytes and version.

pub mod folder;
pub mod key;
pub mod s3;

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use bytes::Bytes;

pub use key::ObjectKey;

use crate::recipe::policy::PolicySettings;

/// The origin's name for one state of an object (its `ETag`): equal for equal bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub String);

/// An original, whole, as the origin has it.
#[derive(Debug)]
pub struct Source {
    /// All of it, never less than the origin promised.
    pub bytes: Bytes,
    /// What is known of it.
    pub meta: Meta,
    /// The share of the memory budget that its bytes hold.
    pub permit: Option<crate::work::budget::Permit>,
}

/// What the origin says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Which state of it this is.
    pub version: Version,
    /// When it changed.
    pub last_modified: Option<SystemTime>,
    /// Its own `Cache-Control`.
    pub cache_control: Option<String>,
}

/// The answer to a fetch.
#[derive(Debug)]
pub enum Fetched {
    /// The object.
    Full(Source),
    /// It is still the version that was named.
    NotModified,
}

/// Why there are no bytes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The origin has no such object, or will not show it to us (S3 says 403 for both).
    #[error("there is no such object")]
    NotFound {
        /// For the log: absent, or forbidden.
        cause: String,
    },
    /// Larger than the byte cap.
    #[error("the object is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The cap.
        limit: u64,
    },
    /// No room for its bytes within the wait.
    #[error("there is no memory for another source")]
    Overloaded,
    /// The origin says that it is busy, after all retries.
    #[error("the origin is busy")]
    Busy {
        /// For the log.
        cause: String,
    },
    /// No connection, an incomplete body, a 5xx, or an answer that makes no sense; after all retries.
    #[error("the origin failed")]
    Failed {
        /// For the log.
        cause: String,
    },
    /// A deadline passed.
    #[error("the origin did not answer in time")]
    TimedOut {
        /// For the log: which deadline.
        cause: String,
    },
}

/// One `[[source]]`.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// Its name, in logs and metrics.
    pub name: String,
    /// URL paths below this go to it; `/` for all. Begins and ends with a slash.
    pub prefix: String,
    /// Only for these `Host`s (without port, lower case); empty: for any.
    pub hosts: Vec<String>,
    /// What stands there.
    pub kind: SourceKind,
    /// Put before the key, verbatim; nothing outside it can be reached.
    pub key_prefix: String,
    /// `Cache-Control` of its variants, in place of the server's.
    pub cache_control: Option<String>,
    /// Whether an object's own `Cache-Control` goes before both.
    pub honour_cache_control: bool,
    /// Rules of its own; `None`: the server's.
    pub policy: Option<PolicySettings>,
}

/// What kind of store.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// An S3-compatible bucket.
    S3(S3Settings),
    /// A folder of this machine.
    Folder {
        /// Its root; symbolic links out of it are not followed.
        root: PathBuf,
    },
}

/// An S3-compatible bucket.
#[derive(Clone, Debug, Default)]
pub struct S3Settings {
    /// Whose dialect of S3; fills what is left out below.
    pub provider: Provider,
    /// The bucket.
    pub bucket: String,
    /// `https://…`, without the bucket.
    pub endpoint: Option<String>,
    /// Region, as it is signed.
    pub region: Option<String>,
    /// R2's account, in place of an endpoint.
    pub account_id: Option<String>,
    /// The bucket in the path (`/bucket/key`) rather than in the host's name.
    pub path_style: Option<bool>,
    /// Access key; without one, the environment, the profile and the machine's role are asked.
    pub access_key: Option<String>,
    /// Its secret.
    pub secret_key: Option<Secret>,
    /// For temporary credentials.
    pub session_token: Option<Secret>,
}

/// Text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whose S3 it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// Cloudflare R2.
    R2,
    /// MinIO.
    Minio,
    /// Linode (Akamai) Object Storage.
    Linode,
    /// Backblaze B2.
    B2,
    /// DigitalOcean Spaces.
    Spaces,
    /// Wasabi.
    Wasabi,
    /// Amazon.
    Aws,
    /// Anything else that speaks S3: say everything yourself.
    #[default]
    Custom,
}

/// The bounds of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// Bytes of one object.
    pub bytes: u64,
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the first byte of the answer.
    pub first_byte: Duration,
    /// Until the last byte, retries included.
    pub total: Duration,
    /// Tries, the first included.
    pub tries: u32,
    /// Fetches from one source at once.
    pub concurrency: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            bytes: 50 << 20,
            connect: Duration::from_secs(1),
            first_byte: Duration::from_secs(3),
            total: Duration::from_secs(10),
            tries: 3,
            concurrency: 64,
        }
    }
}

/// One source, opened: its settings, and the client that fetches from it.
#[derive(Debug)]
pub struct Origin {
    /// As configured.
    pub settings: SourceSettings,
}

impl Origin {
    /// Fetches an object whole, within the limits. Given a `known` version, may answer
    /// [`Fetched::NotModified`]. Dropping the future ends the transfer.
    ///
    /// # Errors
    /// As [`Error`].
    pub async fn fetch(
        &self,
        _key: &ObjectKey,
        _known: Option<&Version>,
    ) -> Result<Fetched, Error> {
        Err(Error::Overloaded)
    }
}

/// All sources, in order.
#[derive(Debug)]
pub struct Sources {
    /// The first that matches a request serves it.
    pub origins: Vec<std::sync::Arc<Origin>>,
}

impl Sources {
    /// The source for a request, and the rest of its path (still percent-encoded, without a
    /// leading slash).
    #[must_use]
    pub fn route<'p>(
        &self,
        _host: &str,
        _path: &'p str,
    ) -> Option<(&std::sync::Arc<Origin>, &'p str)> {
        None
    }
}
