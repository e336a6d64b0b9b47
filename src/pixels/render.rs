//! Source bytes and a recipe → encoded bytes: probe, plan, decode, operate, encode.

use std::time::Duration;

use super::{
    codec::{self, Cancel, Header, Limits},
    format::OutputFormat,
    geometry::Size,
};
use crate::recipe::Recipe;

/// What a picture may cost to write. Checked before the output is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimits {
    /// Width or height.
    pub side: u32,
    /// Width × height.
    pub pixels: u64,
    /// Width × height of an AVIF; larger ones fall back to the next format.
    pub avif_pixels: u64,
}

impl Default for OutputLimits {
    fn default() -> Self {
        Self {
            side: 8192,
            pixels: 16_777_216,
            avif_pixels: 4_194_304,
        }
    }
}

/// A job that is understood and admitted by the limits, but has not decoded a pixel.
#[derive(Clone, Debug)]
pub struct Job {
    /// What the source is.
    pub header: Header,
    /// What will be written.
    pub format: OutputFormat,
    /// How large.
    pub output: Size,
    /// Bytes that the job will hold at its peak, the source itself left out; errs high.
    pub peak_bytes: u64,
}

/// A finished encoding.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The encoded picture.
    pub bytes: Vec<u8>,
    /// What it is.
    pub format: OutputFormat,
    /// How large.
    pub size: Size,
    /// Where the time went.
    pub stages: Stages,
}

/// Where a job's time went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stages {
    /// Bytes to pixels.
    pub decode: Duration,
    /// Pixels to other pixels.
    pub transform: Duration,
    /// Pixels to bytes.
    pub encode: Duration,
}

/// Reads the header and plans the work; allocates nothing of the picture's size.
///
/// # Errors
/// As [`codec::Error`]: no picture, damaged, or over a limit.
pub fn prepare(
    _source: &[u8],
    _recipe: &Recipe,
    _limits: &Limits,
    _output: &OutputLimits,
) -> Result<Job, codec::Error> {
    Err(codec::Error::Cancelled)
}

/// Does the work of a [`Job`].
///
/// # Errors
/// As [`codec::Error`].
pub fn render(
    _source: &[u8],
    _recipe: &Recipe,
    _job: &Job,
    _limits: &Limits,
    _cancel: &Cancel,
) -> Result<Rendered, codec::Error> {
    Err(codec::Error::Cancelled)
}
