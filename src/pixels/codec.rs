//! One file a format: probe, decode (at a scale), encode. The only place that names codec crates.
//!
//! Codecs know of bytes and bitmaps; they know nothing of recipes, and decide no policy but the
//! limits that they are handed.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{
    bitmap::Bitmap,
    format::{InputFormat, OutputFormat},
    geometry::Size,
};

/// Why a picture could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a picture that we read. Says what it is, where that is known.
    #[error("the object is {0}, which is not a picture format that can be read here")]
    Unsupported(&'static str),
    /// A feature of a readable format that is not built in.
    #[error("the {format} picture uses {feature}, which is not supported")]
    UnsupportedFeature {
        /// The format's name.
        format: &'static str,
        /// What it uses, in a few words.
        feature: &'static str,
    },
    /// Over a limit. The sentence says which, and both numbers.
    #[error("the picture {0}")]
    Limit(String),
    /// Damaged. The text of the library stays in `cause`, for the log; clients read the sentence.
    #[error("the picture is damaged and cannot be decoded")]
    Broken {
        /// For the log.
        cause: String,
    },
    /// The encoder failed: a bug of ours, or no memory.
    #[error("the picture could not be encoded")]
    Encode {
        /// For the log.
        cause: String,
    },
    /// Nobody waits for it any more, or its time is up.
    #[error("the work was called off")]
    Cancelled,
}

/// What the first bytes say, before a pixel is decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The container.
    pub format: InputFormat,
    /// As stored, before `orientation` is undone.
    pub size: Size,
    /// EXIF orientation, 1 to 8 (for AVIF: of `irot` and `imir`).
    pub orientation: u8,
    /// Frames of an animation, or pages; 1 for a still. At least 1.
    pub frames: u32,
    /// Whether the picture moves (several frames, as opposed to pages or icon sizes).
    pub animated: bool,
    /// Whether some pixel may be transparent.
    pub alpha: bool,
    /// Bits a sample, as stored: 1 to 16.
    pub depth: u8,
    /// Stored without loss (PNG, GIF, BMP, lossless WebP …).
    pub lossless: bool,
}

/// What a picture may cost to decode. Every number is checked from the header, before a pixel
/// is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Width × height of one frame.
    pub pixels: u64,
    /// Width or height.
    pub side: u32,
    /// Frames of an animation.
    pub frames: u32,
    /// Width × height × frames of an animation.
    pub animation_pixels: u64,
    /// Scans of a progressive JPEG.
    pub scans: u32,
    /// Bytes of an ICC profile, after inflation.
    pub icc_bytes: usize,
    /// Bytes of EXIF.
    pub exif_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Between weserv's 71 MP and Cloudflare's 100 MP.
            pixels: 100_000_000,
            side: 32_768,
            frames: 256,
            animation_pixels: 100_000_000,
            // A 130 kB file of 882 scans takes libjpeg 8 to 16 seconds; real encoders write ten.
            scans: 100,
            icc_bytes: 4 << 20,
            exif_bytes: 1 << 20,
        }
    }
}

/// Tells a codec to stop. Cheap to ask; ask once a row or so.
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// Asks for an end.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked for an end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// `Err(Error::Cancelled)` once somebody asked for an end.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn check(&self) -> Result<(), Error> {
        if self.is_cancelled() {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }
}

/// One frame of an animation: the whole canvas as it is seen at that moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The canvas, composited.
    pub bitmap: Bitmap,
    /// How long it stands.
    pub delay: Duration,
}

/// How often an animation runs; `None`: for ever.
pub type Loops = Option<std::num::NonZeroU32>;

/// How to encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions<'a> {
    /// The format.
    pub format: OutputFormat,
    /// On JPEG's scale of 1 to 100.
    pub quality: u8,
    /// Every pixel exact, where the format can.
    pub lossless: bool,
    /// Coarse first, where the format can.
    pub progressive: bool,
    /// A TIFF-structured EXIF block to carry along (without the `Exif\0\0` prefix).
    pub exif: Option<&'a [u8]>,
}

/// Which pixels to decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Frame or page, counted from 0.
    pub page: u32,
    /// A decoder that can scale on the way may return less than the whole size, but never less
    /// than this, on either side (in stored orientation). `None`: the whole size.
    pub at_least: Option<Size>,
}

/// Reads the header alone, and holds it against the limits. Allocates nothing of the picture's size.
///
/// # Errors
/// [`Error::Unsupported`], [`Error::Broken`] or [`Error::Limit`].
pub fn probe(_bytes: &[u8], _limits: &Limits) -> Result<Header, Error> {
    Err(Error::Cancelled)
}

/// Bytes that [`decode`] holds at its peak, its result included; errs high.
#[must_use]
pub fn decode_bytes(_header: &Header, _options: &DecodeOptions) -> u64 {
    u64::MAX
}

/// Decodes one frame or page, in stored orientation.
///
/// # Errors
/// [`Error::Broken`], [`Error::UnsupportedFeature`], [`Error::Limit`] or [`Error::Cancelled`].
pub fn decode(
    _bytes: &[u8],
    _header: &Header,
    _options: &DecodeOptions,
    _limits: &Limits,
    _cancel: &Cancel,
) -> Result<Bitmap, Error> {
    Err(Error::Cancelled)
}

/// The frames of an animation, one at a time.
pub trait FrameReader {
    /// How often it runs.
    fn loops(&self) -> Loops;

    /// The next frame, composited on its canvas; `None` after the last.
    ///
    /// # Errors
    /// As [`decode`].
    fn next_frame(&mut self, cancel: &Cancel) -> Result<Option<Frame>, Error>;
}

/// Opens an animation (`header.animated`).
///
/// # Errors
/// As [`decode`].
pub fn frames<'a>(
    _bytes: &'a [u8],
    _header: &Header,
    _limits: &Limits,
) -> Result<Box<dyn FrameReader + 'a>, Error> {
    Err(Error::Cancelled)
}

/// Encodes a still. The bitmap is Gray, `GrayAlpha`, RGB or RGBA; JPEG refuses alpha (the caller
/// flattens it). Its colour is written along where it is not sRGB.
///
/// # Errors
/// [`Error::Encode`] or [`Error::Cancelled`].
pub fn encode(
    _bitmap: &Bitmap,
    _options: &EncodeOptions<'_>,
    _cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    Err(Error::Cancelled)
}

/// Bytes that [`encode`] holds at its peak, its result included; errs high.
#[must_use]
pub fn encode_bytes(_size: Size, _options: &EncodeOptions<'_>) -> u64 {
    u64::MAX
}

/// Writes an animation, one frame at a time.
pub trait FrameWriter {
    /// Adds a frame: the whole canvas.
    ///
    /// # Errors
    /// As [`encode`].
    fn push(&mut self, frame: &Frame, cancel: &Cancel) -> Result<(), Error>;

    /// The encoded animation.
    ///
    /// # Errors
    /// As [`encode`].
    fn finish(self: Box<Self>) -> Result<Vec<u8>, Error>;
}

/// Starts an animation: WebP, GIF or PNG (APNG).
///
/// # Errors
/// As [`encode`].
pub fn animation(
    _size: Size,
    _loops: Loops,
    _options: &EncodeOptions<'_>,
) -> Result<Box<dyn FrameWriter>, Error> {
    Err(Error::Cancelled)
}

/// The EXIF block of a picture (TIFF-structured, without prefix), where it has one within limits.
#[must_use]
pub fn exif(_bytes: &[u8], _header: &Header, _limits: &Limits) -> Option<Vec<u8>> {
    None
}

/// The same encoded pixels without metadata (a colour profile stays), where that can be done
/// without decoding and the result is complete and well-formed; `None` otherwise.
#[must_use]
pub fn strip(_bytes: &[u8], _header: &Header) -> Option<Vec<u8>> {
    None
}
