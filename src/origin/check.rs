//! What trying a source out says: for people who set it up.

use std::{fmt, time::Duration};

/// A source that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// How long the answer took.
    pub took: Duration,
    /// One sentence: what was found.
    pub says: String,
}

/// A source that does not work, and which part of its settings is to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {says}. {hint}")]
pub struct Diagnosis {
    /// The part.
    pub part: Part,
    /// One clause: what happened.
    pub says: String,
    /// One sentence: what to do.
    pub hint: String,
}

/// What can be wrong with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// No such host, no connection, no TLS, or something there that is no S3.
    Endpoint,
    /// The bucket is in another one.
    Region,
    /// The bucket belongs into the path, or into the host's name.
    PathStyle,
    /// Access key, secret or token.
    Credentials,
    /// There is none of that name.
    Bucket,
    /// The keys are good, but not for this.
    Permission,
    /// This machine's clock.
    Clock,
    /// The folder of a folder source.
    Folder,
    /// The store's own failure.
    Store,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Endpoint => "endpoint",
            Self::Region => "region",
            Self::PathStyle => "path style",
            Self::Credentials => "credentials",
            Self::Bucket => "bucket",
            Self::Permission => "permission",
            Self::Clock => "clock",
            Self::Folder => "folder",
            Self::Store => "store",
        })
    }
}

impl Diagnosis {
    pub(super) fn new(part: Part, says: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            part,
            says: says.into(),
            hint: hint.into(),
        }
    }
}
