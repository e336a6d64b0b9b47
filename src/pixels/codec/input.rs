//! The bytes of a source, as far as they are in memory.

use std::fmt;

use super::{Limits, jpeg};

/// Bytes that stand somewhere else, and are read when they are needed.
pub trait Rest: fmt::Debug + Send + Sync {
    /// Reads from the place `at` on, and says how many bytes were read: 0 at the end, and where no
    /// more can be had. Whoever gave this knows which of the two it was.
    fn read(&self, at: u64, into: &mut [u8]) -> usize;
}

/// The bytes of a source.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// All of them.
    Whole(&'a [u8]),
    /// As many as [`head`] said, and those that follow.
    Head(&'a [u8], &'a dyn Rest),
}

impl<'a> Input<'a> {
    /// Those that are in memory.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Whole(bytes) | Self::Head(bytes, _) => bytes,
        }
    }
}

impl<'a> From<&'a [u8]> for Input<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Whole(bytes)
    }
}

/// How many of a file's first bytes say all that there is to say of it but its pixels, which can
/// then be decoded as the rest is read, once and in order. `None`: it is not a file of that kind, or
/// these are not enough of them.
#[must_use]
pub fn head(start: &[u8], limits: &Limits) -> Option<usize> {
    jpeg::head(start, limits)
}
