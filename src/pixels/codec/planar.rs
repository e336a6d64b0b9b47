//! Codecs that give and take planes: the way without RGB between two lossy formats.

use super::{Cancel, EncodeOptions, Error, Header, Input, Limits, avif, jpeg, webp};
use crate::pixels::{
    bitmap::Colour,
    format::{InputFormat, OutputFormat},
    geometry::Size,
    planes::{Plane, Planes, Range, Sampling},
    rows::{self, Sink},
};

/// At which scale to decode planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaneOptions {
    /// A decoder that can scale on the way may leave less than the whole luma, but never less
    /// than this, on either side (in stored orientation). `None`: the whole.
    pub luma_at_least: Option<Size>,
    /// The same of the colour differences, in their own samples.
    pub chroma_at_least: Option<Size>,
}

/// The planes that an encoder wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of a picture in colour; gray stays gray.
    pub sampling: Sampling,
    /// What the numbers span.
    pub range: Range,
}

/// What a picture's numbers mean, from its header; only of those that have `header.planes`.
#[must_use]
pub fn colour(bytes: &[u8], header: &Header, limits: &Limits) -> Option<Colour> {
    header.planes?;
    match header.format {
        InputFormat::Jpeg => Some(jpeg::colour(bytes, limits)),
        InputFormat::WebP => Some(webp::colour(bytes, limits)),
        InputFormat::Avif => avif::plane_colour(bytes, limits),
        _ => None,
    }
}

/// Decodes to planes, in stored orientation. `None`: the picture has none (see `header.planes`).
///
/// # Errors
/// [`Error::Broken`], [`Error::Limit`] or [`Error::Cancelled`].
pub fn planes(
    bytes: &[u8],
    header: &Header,
    options: &PlaneOptions,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Option<Planes>, Error> {
    cancel.check()?;
    if header.planes.is_none() {
        return Ok(None);
    }
    let planes = match header.format {
        InputFormat::Jpeg => jpeg::planes(bytes, header, options, limits, cancel)?,
        InputFormat::WebP => webp::planes(bytes, limits, cancel)?,
        InputFormat::Avif => avif::planes(bytes, limits, cancel)?,
        _ => return Ok(None),
    };
    if !planes.is_complete() {
        return Err(Error::broken("planes with fewer samples than their size"));
    }
    Ok(Some(planes))
}

/// Decodes to planes as [`planes`] does, and hands them on row by row: where the decoder can, no
/// plane is ever held. Says what the numbers span; `None`: the picture has no planes, and the sink
/// has heard of none.
///
/// # Errors
/// As [`planes`], and what the sink says.
pub fn rows(
    input: Input<'_>,
    header: &Header,
    options: &PlaneOptions,
    limits: &Limits,
    cancel: &Cancel,
    sink: &mut dyn Sink,
) -> Result<Option<Range>, Error> {
    cancel.check()?;
    if header.planes.is_some() && header.format == InputFormat::Jpeg {
        jpeg::rows(input, header, options, limits, cancel, sink)?;
        return Ok(Some(Range::Full));
    }
    let Some(planes) = planes(input.bytes(), header, options, limits, cancel)? else {
        return Ok(None);
    };
    let all: Vec<&Plane> = std::iter::once(&planes.luma)
        .chain(planes.chroma.iter().flatten())
        .collect();
    sink.spans(planes.range);
    rows::pour(&all, sink)?;
    Ok(Some(planes.range))
}

/// Bytes that [`rows()`] holds at its peak, the sink aside; errs high.
#[must_use]
pub fn rows_bytes(bytes: &[u8], header: &Header, options: &PlaneOptions, limits: &Limits) -> u64 {
    match header.format {
        InputFormat::Jpeg => jpeg::rows_bytes(bytes, header, options, limits),
        _ => planes_bytes(bytes, header, options, limits),
    }
}

/// Bytes that [`planes`] holds at its peak, its result included; errs high.
#[must_use]
pub fn planes_bytes(bytes: &[u8], header: &Header, options: &PlaneOptions, limits: &Limits) -> u64 {
    match header.format {
        InputFormat::Jpeg => jpeg::planes_bytes(bytes, header, options, limits),
        InputFormat::WebP => webp::planes_bytes(header),
        InputFormat::Avif => avif::planes_bytes(header),
        _ => 0,
    }
}

/// Which planes an encoder takes; `None`: it takes none.
#[must_use]
pub fn wanted(options: &EncodeOptions<'_>) -> Option<Wanted> {
    let wanted = |sampling, range| Some(Wanted { sampling, range });
    match options.format {
        OutputFormat::Jpeg => wanted(jpeg::sampling(options.quality), Range::Full),
        // Nothing is lost on the way either, so RGB it must be.
        OutputFormat::WebP if options.lossless => None,
        OutputFormat::WebP => wanted(Sampling::HALVED, Range::Limited),
        OutputFormat::Avif => wanted(avif::sampling(options.quality), Range::Full),
        OutputFormat::Png | OutputFormat::Gif => None,
    }
}

/// Encodes planes that are as [`wanted`] says, of exactly the picture's size.
///
/// # Errors
/// [`Error::Encode`], also for other planes; [`Error::Limit`]; [`Error::Cancelled`].
pub fn encode_planes(
    planes: &Planes,
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    cancel.check()?;
    let wanted = wanted(options).ok_or_else(|| Error::encode("a format without planes"))?;
    let chroma = wanted.sampling.chroma(planes.luma.size);
    let alike = |plane: &super::super::planes::Plane| Some(plane.size) == chroma;
    let fits = planes.chroma.iter().flatten().all(alike);
    if !fits || planes.range != wanted.range || !planes.is_complete() {
        return Err(Error::encode("other planes than the encoder wants"));
    }
    match options.format {
        OutputFormat::Jpeg => jpeg::encode_planes(planes, options, cancel),
        OutputFormat::WebP => webp::encode_planes(planes, options, cancel),
        OutputFormat::Avif => avif::encode_planes(planes, options, cancel),
        OutputFormat::Png | OutputFormat::Gif => Err(Error::encode("a format without planes")),
    }
}
