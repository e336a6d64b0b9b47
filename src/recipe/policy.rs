//! What may be asked: presets, the width ladder, signatures, limits. Decided before the cache.

use std::collections::BTreeMap;

use super::{dialect::Dialect, transform::Transform};

/// The rules of one listener, or of one source where it has its own.
#[derive(Clone, Debug)]
pub struct PolicySettings {
    /// Refuse unknown parameter names instead of ignoring them.
    pub strict: bool,
    /// What the words that services disagree on mean.
    pub dialect: Dialect,
    /// Named transforms: `preset=thumb`.
    pub presets: BTreeMap<String, Transform>,
    /// Only presets may be asked for.
    pub presets_only: bool,
    /// Widths and heights snap up to the next of these; empty: any size.
    pub widths: Vec<u32>,
    /// Refuse a width that is not on the ladder instead of snapping it.
    pub widths_strict: bool,
    /// Qualities are rounded up to a multiple of this; 1: any quality.
    pub quality_step: u8,
    /// Signature keys, the current one first; empty: unsigned.
    pub keys: Vec<super::signature::Key>,
    /// Which signatures are understood.
    pub signature: super::signature::Scheme,
    /// Quality where none is asked for.
    pub quality: u8,
    /// Quality where `auto=compress` is asked for, and no quality.
    pub quality_compress: u8,
    /// Choose the format by `Accept` even where `auto=format` is not asked for.
    pub auto_format: bool,
    /// Largest `dpr`, in thousandths.
    pub max_dpr: u32,
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            strict: false,
            dialect: Dialect::default(),
            presets: BTreeMap::new(),
            presets_only: false,
            widths: Vec::new(),
            widths_strict: false,
            quality_step: 1,
            keys: Vec::new(),
            signature: super::signature::Scheme::default(),
            quality: 80,
            quality_compress: 60,
            auto_format: false,
            max_dpr: 5_000,
        }
    }
}

/// The rules, ready to be asked.
#[derive(Clone, Debug)]
pub struct Policy {
    /// As configured.
    pub settings: PolicySettings,
}

/// Why a request is not admitted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A parameter is unknown under `strict`, malformed or repeated. 400.
    #[error(transparent)]
    Parameter(#[from] super::params::Error),
    /// A signature is missing or wrong: one answer for all reasons. 403.
    #[error("the URL is not signed, or its signature does not match")]
    Signature,
    /// It was signed, and its time is over. 410.
    #[error("the URL has expired")]
    Expired,
    /// Not one of the presets, or not on the ladder. 403.
    #[error("{0}")]
    NotAllowed(String),
}

impl Policy {
    /// Parses a request's query and decides whether it may be asked: signature, expiry, presets,
    /// ladder. `path` and `query` as they were sent, percent-encoded; `now` in seconds since 1970.
    ///
    /// # Errors
    /// As [`Error`].
    pub fn admit(&self, _path: &str, _query: &str, _now: u64) -> Result<Transform, Error> {
        Err(Error::Signature)
    }

    /// Whether `Accept` could change the recipe of this transform.
    #[must_use]
    pub fn varies(&self, _transform: &Transform) -> bool {
        false
    }
}
