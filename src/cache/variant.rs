//! A finished encoding, with everything that its responses repeat computed once.

use std::time::{Instant, SystemTime};

use bytes::Bytes;

use crate::{
    origin::Version,
    pixels::{format::OutputFormat, geometry::Size},
};

/// 128 bits that name a variant: equal for requests that mean the same, and for no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VariantKey(pub [u8; 16]);

/// A finished encoding.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The encoded picture.
    pub bytes: Bytes,
    /// What it is.
    pub format: OutputFormat,
    /// How large it is.
    pub size: Size,
    /// Strong entity tag, quotes and all; equal for equal key and source version.
    pub etag: http::HeaderValue,
    /// When the origin says that the source changed.
    pub last_modified: Option<SystemTime>,
    /// The source that it was made of.
    pub version: Version,
    /// What the object itself says of caching, verbatim, where the source's setting honours it.
    pub cache_control: Option<http::HeaderValue>,
    /// Fresh until then.
    pub fresh_until: Instant,
}
