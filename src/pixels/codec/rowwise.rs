//! Pictures whose pixels come row by row, eight bits a sample: nobody needs to hold the whole.

use super::{Cancel, Error, Header, Limits, png};
use crate::pixels::{
    bitmap::{Colour, Layout},
    format::InputFormat,
    rows::Sink,
};

/// Such a picture, of which nothing but the header is read.
pub struct Rowwise<'a> {
    still: png::Still<'a>,
    /// What a pixel holds.
    pub layout: Layout,
    /// What the numbers mean.
    pub colour: Colour,
}

impl<'a> Rowwise<'a> {
    /// Opens a picture of which [`rowwise_bytes`] knows what it holds.
    ///
    /// # Errors
    /// [`Error::Broken`] or [`Error::Limit`].
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        let (still, colour) = png::still(bytes, limits)?;
        Ok(Self {
            layout: still.layout(),
            still,
            colour,
        })
    }

    /// Gives all rows, in stored orientation: one plane of interleaved pixels.
    ///
    /// # Errors
    /// [`Error::Broken`], [`Error::Cancelled`], and what the sink says.
    pub fn read(self, cancel: &Cancel, sink: &mut dyn Sink) -> Result<(), Error> {
        self.still.pour(cancel, sink)
    }
}

impl std::fmt::Debug for Rowwise<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rowwise")
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

/// Bytes that reading a picture row by row holds at its peak; errs high. `None`: its pixels do not
/// come so.
#[must_use]
pub fn rowwise_bytes(bytes: &[u8], header: &Header) -> Option<u64> {
    match header.format {
        InputFormat::Png => png::rowwise_bytes(bytes, header),
        _ => None,
    }
}
