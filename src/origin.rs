//! Where sources come from: an object's key → its bytes and version. Knows no request, no picture.

pub mod check;
mod deadline;
pub mod file;
pub mod folder;
pub mod key;
pub mod s3;
pub mod sources;

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use bytes::Bytes;

pub use check::{CheckReport, Diagnosis, Part};
pub use key::{KeyError, ObjectKey};
pub use sources::{SetupError, Sources};

use crate::{pixels::codec::Input, recipe::policy::PolicySettings, work::budget::Budget};

/// The origin's name for one state of an object (its `ETag`): equal for equal bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub String);

/// An original, as the origin has it.
#[derive(Debug)]
pub struct Source {
    /// All of it, never less than the origin promised; or, where there is a file, its head.
    pub bytes: Bytes,
    /// Where the rest stands, if it is read while it is decoded.
    pub file: Option<Box<file::OpenFile>>,
    /// What is known of it.
    pub meta: Meta,
    /// The share of the memory budget that its bytes hold.
    pub permit: Option<crate::work::budget::Permit>,
}

impl Source {
    /// As much of it as is in memory, and a way to the rest.
    #[must_use]
    pub fn input(&self) -> Input<'_> {
        match &self.file {
            None => Input::Whole(&self.bytes),
            Some(file) => match file.whole() {
                None => Input::Head(&self.bytes, &**file),
                Some(whole) => Input::Whole(whole),
            },
        }
    }

    /// Bytes of all of it.
    #[must_use]
    pub fn length(&self) -> u64 {
        let file = self.file.as_ref().map(|file| file.length());
        file.unwrap_or(self.bytes.len() as u64)
    }

    /// Brings all of it into memory, once for all who share it.
    ///
    /// # Errors
    /// [`Error::Overloaded`] or [`Error::Failed`].
    pub async fn complete(&self) -> Result<(), Error> {
        match &self.file {
            None => Ok(()),
            Some(file) => file.complete().await,
        }
    }

    /// Whether what was read of it so far is one version of it.
    ///
    /// # Errors
    /// [`Error::Failed`] where it is not.
    pub fn check(&self) -> Result<(), Error> {
        match &self.file {
            None => Ok(()),
            Some(file) => file.check(),
        }
    }
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
    /// `MinIO`.
    Minio,
    /// Linode (Akamai) Object Storage.
    Linode,
    /// Backblaze B2.
    B2,
    /// `DigitalOcean` Spaces.
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
    /// Of one try, until the first byte of the answer; also the longest pause within its body.
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
            // A camera's largest JPEG, and then some; what other proxies take too.
            bytes: 50 << 20,
            // One lost SYN would take a second to be sent again: another try is as quick.
            connect: Duration::from_secs(1),
            // Stores answer within 200 ms; three tries of this fit into the whole.
            first_byte: Duration::from_secs(3),
            // A visitor is gone by then.
            total: Duration::from_secs(10),
            // The second mends a broken connection, the third a store that stumbles.
            tries: 3,
            // Enough for a gigabit at 20 ms a fetch, and few enough for a small store.
            concurrency: 64,
        }
    }
}

/// One source, opened: its settings, and the client that fetches from it.
#[derive(Debug)]
pub struct Origin {
    /// As configured.
    pub settings: SourceSettings,
    store: Store,
}

#[derive(Debug)]
enum Store {
    S3(Box<self::s3::S3>),
    Folder(folder::Folder),
}

impl Origin {
    fn open(
        settings: SourceSettings,
        limits: &FetchLimits,
        budget: Budget,
    ) -> Result<Self, Vec<String>> {
        let store = match &settings.kind {
            SourceKind::S3(bucket) => {
                Store::S3(Box::new(self::s3::S3::open(bucket, limits, budget)?))
            }
            SourceKind::Folder { root } => {
                if settings.key_prefix.starts_with('/') {
                    return Err(vec!["`key_prefix` of a folder must be relative".to_owned()]);
                }
                Store::Folder(folder::Folder::open(root, limits, budget)?)
            }
        };
        Ok(Self { settings, store })
    }

    /// Fetches an object whole, within the limits. Given a `known` version, may answer
    /// [`Fetched::NotModified`]. Dropping the future ends the transfer.
    ///
    /// # Errors
    /// As [`Error`].
    pub async fn fetch(&self, key: &ObjectKey, known: Option<&Version>) -> Result<Fetched, Error> {
        let full = format!("{}{}", self.settings.key_prefix, key.as_str());
        match &self.store {
            Store::S3(bucket) => bucket.fetch(&full, known).await,
            Store::Folder(folder) => folder.fetch(&full, known).await,
        }
    }

    /// Tries the source out, and finds what is wrong with its settings: for people.
    ///
    /// # Errors
    /// As [`Diagnosis`].
    pub async fn check(&self) -> Result<CheckReport, Diagnosis> {
        match &self.store {
            Store::S3(bucket) => bucket.check(&self.settings.key_prefix).await,
            Store::Folder(folder) => folder.check().await,
        }
    }

    /// Whether the source answers and takes our credentials: one small request, no retry; for
    /// readiness.
    ///
    /// # Errors
    /// As [`Diagnosis`].
    pub async fn probe(&self) -> Result<(), Diagnosis> {
        match &self.store {
            Store::S3(bucket) => bucket.probe(&self.settings.key_prefix).await,
            Store::Folder(folder) => folder.check().await.map(drop),
        }
    }
}
