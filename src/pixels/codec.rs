//! One file a format: probe, decode (at a scale), encode. The only place that names codec crates.
//!
//! Codecs know of bytes and bitmaps; they know nothing of recipes, and decide no policy but the
//! limits that they are handed.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{
    bitmap::{Bitmap, Layout, Samples},
    format::{self, InputFormat, OutputFormat, Sniffed},
    geometry::Size,
    planes::Sampling,
};
pub use input::{Input, Rest, head};
pub use planar::{
    PlaneOptions, Wanted, colour, encode_planes, planes, planes_bytes, rows, rows_bytes, wanted,
};
pub use rowwise::{Rowwise, rowwise_bytes};

mod admit;
mod avif;
mod delta;
pub mod exif;
mod gif;
mod input;
mod jpeg;
#[cfg(feature = "jxl")]
mod jxl;
mod palette;
mod planar;
mod png;
mod prefix;
pub(crate) mod processor;
mod quality;
mod raster;
mod rowwise;
mod samples;
mod svg;
mod webp;
mod yuv;

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
    /// As stored, before `orientation` is undone. Of a drawing, the size that it says of itself;
    /// whoever decodes it may set another, and `held_bytes` for it.
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
    /// Bytes that decoding holds beside its pixels, at whatever scale: the coefficients of a
    /// progressive JPEG. 0 where the format's `decode_bytes` knows without it.
    pub held_bytes: u64,
    /// The planes that it is coded in, where [`planes`] can give them: of eight bits, by BT.601,
    /// without alpha.
    pub planes: Option<Sampling>,
}

/// What a picture may cost to decode. Every number is checked from the header, before a pixel
/// is allocated.
///
/// [`probe`] holds `pixels` and `side` against the header. `frames` and `animation_pixels` bind
/// [`frames`] and a [`decode`] of a later frame only: the first frame of a long animation is a
/// still like any other.
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
    /// Whether drawings (SVG) are read at all.
    pub svg: bool,
    /// Bytes of a drawing's text, with its entities put in.
    pub svg_bytes: usize,
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
            svg: true,
            // Maps and traced photographs have 1 to 3 MB; pictures inside make them larger.
            svg_bytes: 8 << 20,
        }
    }
}

impl Limits {
    /// The size, where it is within the limits.
    ///
    /// # Errors
    /// [`Error::Broken`] for a side of 0, [`Error::Limit`] past `side` or `pixels`.
    pub fn admit(&self, width: u32, height: u32) -> Result<Size, Error> {
        if width == 0 || height == 0 {
            return Err(Error::broken("a side of 0 pixels"));
        }
        if width.max(height) > self.side {
            return Err(Error::Limit(format!(
                "is {width} × {height} pixels; a side may have {} at most",
                self.side
            )));
        }
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.pixels {
            return Err(Error::Limit(format!(
                "is {width} × {height} pixels, {pixels} in all; {} are allowed",
                self.pixels
            )));
        }
        Ok(Size { width, height })
    }

    /// Holds an animation, or its first frames, against `frames` and `animation_pixels`.
    fn admit_frames(&self, size: Size, frames: u32) -> Result<(), Error> {
        if frames > self.frames {
            return Err(Error::Limit(format!(
                "has {frames} frames; {} are allowed",
                self.frames
            )));
        }
        let canvas = u64::from(size.width) * u64::from(size.height);
        let pixels = canvas.saturating_mul(u64::from(frames));
        if pixels > self.animation_pixels {
            return Err(Error::Limit(format!(
                "has {frames} frames of {} × {} pixels, {pixels} in all; {} are allowed",
                size.width, size.height, self.animation_pixels
            )));
        }
        Ok(())
    }
}

impl Error {
    /// Damaged, for this reason.
    pub(super) fn broken(cause: impl Into<Box<dyn std::error::Error>>) -> Self {
        Self::Broken {
            cause: cause.into().to_string(),
        }
    }

    /// A failure of an encoder, for this reason.
    fn encode(cause: impl Into<Box<dyn std::error::Error>>) -> Self {
        Self::Encode {
            cause: cause.into().to_string(),
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

/// What counts more where an encoder can trade one for the other; the look is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Time.
    Quick,
    /// Bytes.
    Thorough,
}

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
    /// What an encoder that can search is to spare.
    pub effort: Effort,
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
/// [`Error::Unsupported`], [`Error::UnsupportedFeature`], [`Error::Broken`] or [`Error::Limit`].
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    let format = match format::sniff(bytes) {
        Sniffed::Known(format) => format,
        Sniffed::Unsupported(name) => return Err(Error::Unsupported(name)),
        Sniffed::Unknown if bytes.is_empty() => return Err(Error::Unsupported("empty")),
        Sniffed::Unknown => return Err(Error::Unsupported("of an unknown kind")),
    };
    match format {
        InputFormat::Jpeg => jpeg::probe(bytes, limits),
        InputFormat::Png => png::probe(bytes, limits),
        InputFormat::WebP => webp::probe(bytes, limits),
        InputFormat::Avif => avif::probe(bytes, limits),
        InputFormat::Gif => gif::probe(bytes, limits),
        InputFormat::Tiff => raster::tiff::probe(bytes, limits),
        InputFormat::Bmp => raster::bmp::probe(bytes, limits),
        InputFormat::Ico => raster::ico::probe(bytes, limits),
        InputFormat::Svg => svg::probe(bytes, limits),
        #[cfg(feature = "jxl")]
        InputFormat::Jxl => jxl::probe(bytes, limits),
        #[cfg(not(feature = "jxl"))]
        InputFormat::Jxl => Err(Error::Unsupported("a JPEG XL picture")),
    }
}

/// Bytes that [`probe`] holds at its peak, where that is more than a header: of a drawing, the whole
/// of it.
#[must_use]
pub fn probe_bytes(bytes: &[u8]) -> u64 {
    match format::sniff(bytes) {
        Sniffed::Known(InputFormat::Svg) => svg::probe_bytes(bytes),
        _ => 0,
    }
}

/// Bytes that [`decode`] holds at its peak, its result included; errs high.
#[must_use]
pub fn decode_bytes(header: &Header, options: &DecodeOptions) -> u64 {
    match header.format {
        InputFormat::Jpeg => jpeg::decode_bytes(header, options),
        InputFormat::Png => png::decode_bytes(header, options),
        InputFormat::WebP => webp::decode_bytes(header, options),
        InputFormat::Avif => avif::decode_bytes(header, options),
        InputFormat::Gif => gif::decode_bytes(header, options),
        InputFormat::Tiff => raster::tiff::decode_bytes(header, options),
        InputFormat::Bmp => raster::bmp::decode_bytes(header, options),
        InputFormat::Ico => raster::ico::decode_bytes(header, options),
        InputFormat::Svg => svg::decode_bytes(header, options),
        #[cfg(feature = "jxl")]
        InputFormat::Jxl => jxl::decode_bytes(header, options),
        #[cfg(not(feature = "jxl"))]
        InputFormat::Jxl => 0,
    }
}

/// Decodes one frame or page, in stored orientation.
///
/// # Errors
/// [`Error::Broken`], [`Error::UnsupportedFeature`], [`Error::Limit`] or [`Error::Cancelled`].
pub fn decode(
    bytes: &[u8],
    header: &Header,
    options: &DecodeOptions,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    if options.page >= header.frames {
        return Err(Error::Limit(format!(
            "has {} frames or pages, counted from 0; there is no {}",
            header.frames, options.page
        )));
    }
    if header.animated && options.page > 0 {
        // A later frame stands on all before it.
        limits.admit_frames(header.size, options.page.saturating_add(1))?;
    }
    cancel.check()?;
    match header.format {
        InputFormat::Jpeg => jpeg::decode(bytes, header, options, limits, cancel),
        InputFormat::Png => png::decode(bytes, header, options, limits, cancel),
        InputFormat::WebP => webp::decode(bytes, header, options, limits, cancel),
        InputFormat::Avif => avif::decode(bytes, header, options, limits, cancel),
        InputFormat::Gif => gif::decode(bytes, header, options, limits, cancel),
        InputFormat::Tiff => raster::tiff::decode(bytes, header, options, limits, cancel),
        InputFormat::Bmp => raster::bmp::decode(bytes, header, options, limits, cancel),
        InputFormat::Ico => raster::ico::decode(bytes, header, options, limits, cancel),
        InputFormat::Svg => svg::decode(bytes, header, limits, cancel),
        #[cfg(feature = "jxl")]
        InputFormat::Jxl => jxl::decode(bytes, header, options, limits, cancel),
        #[cfg(not(feature = "jxl"))]
        InputFormat::Jxl => Err(Error::Unsupported("a JPEG XL picture")),
    }
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
/// As [`decode`]; [`Error::Limit`] past `limits.frames` or `limits.animation_pixels`.
pub fn frames<'a>(
    bytes: &'a [u8],
    header: &Header,
    limits: &Limits,
) -> Result<Box<dyn FrameReader + 'a>, Error> {
    limits.admit_frames(header.size, header.frames)?;
    match header.format {
        InputFormat::Png => png::frames(bytes, header, limits),
        InputFormat::WebP => webp::frames(bytes, header, limits),
        InputFormat::Gif => gif::frames(bytes, header, limits),
        InputFormat::Jpeg
        | InputFormat::Avif
        | InputFormat::Tiff
        | InputFormat::Bmp
        | InputFormat::Ico
        | InputFormat::Svg
        | InputFormat::Jxl => Err(Error::UnsupportedFeature {
            format: header.format.title(),
            feature: "animation",
        }),
    }
}

/// Bytes that an open animation holds at its peak, the frame that it hands out included; errs high.
#[must_use]
pub fn frames_bytes(header: &Header) -> u64 {
    // The canvas, the frame upon it, what the frame covered, and the copy that is handed out.
    const PIXEL: u64 = 4 * 4;
    const OVERHEAD: u64 = 1 << 20;
    u64::from(header.size.width)
        .saturating_mul(u64::from(header.size.height))
        .saturating_mul(PIXEL)
        .saturating_add(OVERHEAD)
}

/// Encodes a still. The bitmap is Gray, `GrayAlpha`, RGB or RGBA; JPEG refuses alpha (the caller
/// flattens it). Its colour is written along where it is not sRGB and the format can carry it
/// (GIF cannot).
///
/// # Errors
/// [`Error::Encode`] or [`Error::Cancelled`].
pub fn encode(
    bitmap: &Bitmap,
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    check_bitmap(bitmap)?;
    cancel.check()?;
    match options.format {
        OutputFormat::Jpeg => jpeg::encode(bitmap, options, cancel),
        OutputFormat::Png => png::encode(bitmap, options, cancel),
        OutputFormat::WebP => webp::encode(bitmap, options, cancel),
        OutputFormat::Avif => avif::encode(bitmap, options, cancel),
        OutputFormat::Gif => gif::encode(bitmap, options, cancel),
    }
}

/// What every encoder relies on: the right number of samples, of a layout that can be written.
fn check_bitmap(bitmap: &Bitmap) -> Result<(), Error> {
    if bitmap.layout == Layout::Cmyk {
        return Err(Error::encode("CMYK was not converted"));
    }
    let wanted = (bitmap.size.width as usize)
        .checked_mul(bitmap.size.height as usize)
        .and_then(|pixels| pixels.checked_mul(bitmap.layout.channels()));
    let found = match &bitmap.samples {
        Samples::U8(samples) => samples.len(),
        Samples::U16(samples) => samples.len(),
    };
    if found == 0 || wanted != Some(found) {
        return Err(Error::encode(format!(
            "{found} samples for {:?} {:?}",
            bitmap.size, bitmap.layout
        )));
    }
    Ok(())
}

/// Bytes that [`encode`] holds at its peak beside the bitmap, its result included, where every
/// pixel is noise; errs high. `alpha`: whether the bitmap has it.
#[must_use]
pub fn encode_bytes(size: Size, alpha: bool, options: &EncodeOptions<'_>) -> u64 {
    match options.format {
        OutputFormat::Jpeg => jpeg::encode_bytes(size, options),
        OutputFormat::Png => png::encode_bytes(size, alpha),
        OutputFormat::WebP => webp::encode_bytes(size, alpha, options),
        OutputFormat::Avif => avif::encode_bytes(size, options),
        OutputFormat::Gif => gif::encode_bytes(size),
    }
}

/// Bytes that a writer of animations holds at its peak while it takes a frame, beside the frame,
/// what it has written and, of WebP, what is seen; errs high.
#[must_use]
pub fn frame_bytes(size: Size, alpha: bool, options: &EncodeOptions<'_>) -> u64 {
    match options.format {
        OutputFormat::WebP => webp::frame_bytes(size, alpha, options),
        _ => encode_bytes(size, alpha, options),
    }
}

/// Bytes that a writer of animations holds of each frame that it has written, at most: of PNG and of
/// anything without loss, as many as there are samples; of GIF, numbers of colours that cannot be
/// made smaller. Twice that, because vectors grow ahead.
#[must_use]
pub fn written_bytes(size: Size, alpha: bool, options: &EncodeOptions<'_>) -> u64 {
    let samples = if alpha { 4 } else { 3 };
    let per_pixel = match options.format {
        OutputFormat::WebP if !options.lossless => webp::written_bytes(alpha, options),
        OutputFormat::Gif => 3,
        _ => 2 * samples,
    };
    size.pixels().saturating_mul(per_pixel)
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
    size: Size,
    loops: Loops,
    options: &EncodeOptions<'_>,
) -> Result<Box<dyn FrameWriter>, Error> {
    match options.format {
        OutputFormat::Png => png::animation(size, loops, options),
        OutputFormat::WebP => webp::animation(size, loops, options),
        OutputFormat::Gif => gif::animation(size, loops, options),
        OutputFormat::Jpeg | OutputFormat::Avif => {
            Err(Error::encode("no animation in this format"))
        }
    }
}

/// The EXIF block of a picture (TIFF-structured, without prefix), where it has one within limits.
#[must_use]
pub fn exif(bytes: &[u8], header: &Header, limits: &Limits) -> Option<Vec<u8>> {
    match header.format {
        InputFormat::Jpeg => jpeg::exif(bytes, limits),
        InputFormat::Png => png::exif(bytes, limits),
        InputFormat::WebP => webp::exif(bytes, limits),
        InputFormat::Avif => avif::exif(bytes, limits),
        InputFormat::Tiff => raster::tiff::exif(bytes, limits),
        InputFormat::Gif
        | InputFormat::Bmp
        | InputFormat::Ico
        | InputFormat::Svg
        | InputFormat::Jxl => None,
    }
}

/// The same encoded pixels without metadata (a colour profile stays), where that can be done
/// without decoding and the result is complete and well-formed; `None` otherwise, also for a
/// picture that would come out turned, because its orientation is metadata.
#[must_use]
pub fn strip(bytes: &[u8], header: &Header) -> Option<Vec<u8>> {
    if header.orientation != 1 {
        return None;
    }
    match header.format {
        InputFormat::Jpeg => jpeg::strip(bytes),
        InputFormat::Png => png::strip(bytes),
        InputFormat::WebP => webp::strip(bytes),
        InputFormat::Gif => gif::strip(bytes),
        // Of AVIF the places of all items would have to be written anew.
        InputFormat::Avif
        | InputFormat::Tiff
        | InputFormat::Bmp
        | InputFormat::Ico
        | InputFormat::Svg
        | InputFormat::Jxl => None,
    }
}

/// For `fuzz/` alone: panics where the scaled JPEG decoder and libjpeg disagree.
#[cfg(fuzzing)]
pub fn compare_jpeg(bytes: &[u8], limits: &Limits) {
    jpeg::compare::compare(bytes, limits);
}

/// For `fuzz/` alone: panics where two ways to inflate disagree.
#[cfg(fuzzing)]
pub fn compare_inflated(bytes: &[u8]) {
    png::compare_inflated(bytes);
}

/// How long a frame stands whose file says `delay`. A hundredth of a second or less has always
/// meant "as fast as you can", and browsers agree to answer with a tenth.
fn frame_delay(delay: Duration) -> Duration {
    if delay <= Duration::from_millis(10) {
        Duration::from_millis(100)
    } else {
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn admits(width: u32, height: u32, expected: Option<&str>) {
        let limits = Limits {
            pixels: 100,
            side: 20,
            ..Limits::default()
        };
        let found = limits.admit(width, height).err().map(|e| e.to_string());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_picture_may_have_exactly_its_limits() {
        admits(10, 10, None);
        admits(20, 5, None);
        admits(
            21,
            1,
            Some("the picture is 21 × 1 pixels; a side may have 20 at most"),
        );
        admits(
            11,
            10,
            Some("the picture is 11 × 10 pixels, 110 in all; 100 are allowed"),
        );
        admits(0, 1, Some("the picture is damaged and cannot be decoded"));
    }

    #[track_caller]
    fn admits_frames(frames: u32, expected: bool) {
        let limits = Limits {
            frames: 4,
            animation_pixels: 300,
            ..Limits::default()
        };
        let size = Size {
            width: 10,
            height: 10,
        };
        assert_eq!(limits.admit_frames(size, frames).is_ok(), expected);
    }

    #[test]
    fn an_animation_may_have_exactly_its_limits() {
        admits_frames(3, true);
        admits_frames(4, false);
        admits_frames(u32::MAX, false);
        let limits = Limits {
            frames: 4,
            ..Limits::default()
        };
        let size = Size {
            width: 1,
            height: 1,
        };
        assert!(limits.admit_frames(size, 4).is_ok());
        assert!(limits.admit_frames(size, 5).is_err());
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let error = probe(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", &Limits::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the object is a HEIC picture, which is not a picture format that can be read here"
        );
        assert!(matches!(
            probe(b"", &Limits::default()),
            Err(Error::Unsupported("empty"))
        ));
    }

    #[test]
    fn a_page_that_is_not_there_is_refused() {
        let header = Header {
            format: InputFormat::Png,
            size: Size {
                width: 1,
                height: 1,
            },
            orientation: 1,
            frames: 2,
            animated: true,
            alpha: false,
            depth: 8,
            lossless: true,
            held_bytes: 0,
            planes: None,
        };
        let options = DecodeOptions {
            page: 2,
            at_least: None,
        };
        let error = decode(
            b"",
            &header,
            &options,
            &Limits::default(),
            &Cancel::default(),
        );
        assert!(matches!(error, Err(Error::Limit(_))));
    }
}
