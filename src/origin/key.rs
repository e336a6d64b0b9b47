//! Object keys: decoded from a URL path once, never normalised, never outside their prefix.

/// The name of an object in its bucket, without the source's key prefix: 1 to 1024 bytes of UTF-8
/// with no control characters, no `.` or `..` or empty segment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
