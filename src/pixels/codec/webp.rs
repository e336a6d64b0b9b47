//! WebP: read through libwebp, and written by it where nothing is lost, and stills with alpha; opaque
//! stills and all frames are written by [`vp8`], up to a quality. Knows the format; decides no policy
//! but the limits.

mod animate;
mod animation;
mod change;
mod mask;
mod part;
mod riff;
mod still;
mod survey;
mod vp8;
mod yuv;

use std::borrow::Cow;

use super::{
    Cancel, DecodeOptions, EncodeOptions, Error, FrameReader, FrameWriter, Header, Limits, Loops,
    admit, samples,
};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    format::InputFormat,
    geometry::Size,
    planes::{Planes, Range, Sampling},
};
use riff::{ALPHA_FLAG, EXIF_FLAG, Extended, ICC_FLAG, XMP_FLAG};

/// 14 bits of a side, less one value that stands for nothing.
const LONGEST_SIDE: u32 = 16_383;
/// What libwebp allocates whatever the size.
const LIBRARY_BYTES: u64 = 1 << 20;

/// Reads the header. An animation's frames are counted, and held against the limits only by
/// [`frames`]: a still can be made of any of them.
///
/// # Errors
/// [`Error::Broken`] or [`Error::Limit`].
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    let survey = survey::survey(bytes, limits)?;
    Ok(Header {
        format: InputFormat::WebP,
        size: survey.size,
        orientation: survey.orientation,
        frames: survey.frames,
        animated: survey.frames > 1,
        alpha: survey.alpha,
        depth: 8,
        lossless: survey.lossless,
        held_bytes: 0,
        planes: (!survey.alpha && !survey.lossless && !survey.framed).then_some(Sampling::HALVED),
    })
}

/// Bytes that [`decode`] holds at its peak; for an animation also what [`frames`] does, with one
/// frame in the caller's hands.
pub(super) fn decode_bytes(header: &Header, _options: &DecodeOptions) -> u64 {
    // The result, and beside it: of an animation two canvases and the picture of a frame; of
    // alpha, and of anything without loss, a copy in 32 bits; of the rest some rows.
    let per_pixel = if header.frames > 1 {
        4 + 8 + 8
    } else if header.alpha {
        4 + 6
    } else if header.lossless {
        3 + 5
    } else {
        3 + 1
    };
    admit::pixels(header.size)
        .saturating_mul(per_pixel)
        .saturating_add(LIBRARY_BYTES)
}

/// Decodes a still, or one frame of an animation as it is seen.
///
/// # Errors
/// [`Error::Broken`], [`Error::Limit`] or [`Error::Cancelled`].
pub(super) fn decode(
    bytes: &[u8],
    header: &Header,
    options: &DecodeOptions,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    cancel.check()?;
    let survey = survey::survey(bytes, limits)?;
    let colour = colour(bytes, limits);
    if options.page >= survey.frames {
        return Err(Error::Limit(format!(
            "has {} frames, and number {} was asked for",
            survey.frames,
            u64::from(options.page) + 1
        )));
    }
    if survey.framed {
        let mut reader =
            animation::Reader::new(bytes, header.size, survey.frames, survey.alpha, colour)?;
        for _ in 0..options.page {
            reader.next_frame(cancel)?;
        }
        let frame = reader.next_frame(cancel)?;
        return frame
            .map(|frame| frame.bitmap)
            .ok_or_else(|| admit::broken("fewer frames than were counted"));
    }
    Ok(Bitmap {
        size: survey.size,
        layout: if survey.alpha {
            Layout::Rgba
        } else {
            Layout::Rgb
        },
        samples: Samples::U8(still::decode(bytes, survey.size, survey.alpha, cancel)?),
        colour,
    })
}

/// What the numbers mean.
pub(super) fn colour(bytes: &[u8], limits: &Limits) -> Colour {
    survey::icc(bytes, limits).map_or(Colour::Srgb, |icc| Colour::Icc(icc.into()))
}

/// Decodes a lossy still without alpha to planes.
///
/// # Errors
/// [`Error::Broken`], [`Error::Limit`] or [`Error::Cancelled`].
pub(super) fn planes(bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Planes, Error> {
    let survey = survey::survey(bytes, limits)?;
    if survey.alpha || survey.lossless || survey.framed {
        return Err(admit::broken("another picture than was surveyed"));
    }
    let [luma, blue, red] = still::decode_planes(bytes, survey.size, cancel)?;
    Ok(Planes {
        luma,
        chroma: Some([blue, red]),
        range: Range::Limited,
        colour: colour(bytes, limits),
    })
}

/// Bytes that [`planes`] holds at its peak: the planes, and some rows.
pub(super) fn planes_bytes(header: &Header) -> u64 {
    let pixels = admit::pixels(header.size);
    let sides = u64::from(header.size.width) + u64::from(header.size.height);
    (pixels.saturating_mul(3) / 2)
        .saturating_add(sides.saturating_mul(64))
        .saturating_add(LIBRARY_BYTES)
}

/// Opens an animation.
///
/// # Errors
/// [`Error::Limit`] for too many frames, or pixels of all of them; otherwise as [`decode`].
pub(super) fn frames<'a>(
    bytes: &'a [u8],
    header: &Header,
    limits: &Limits,
) -> Result<Box<dyn FrameReader + 'a>, Error> {
    let survey = survey::survey(bytes, limits)?;
    if survey.frames > limits.frames {
        return Err(Error::Limit(format!(
            "has {} frames, and at most {} are decoded",
            survey.frames, limits.frames
        )));
    }
    let pixels = admit::pixels(survey.size).saturating_mul(u64::from(survey.frames));
    if pixels > limits.animation_pixels {
        return Err(Error::Limit(format!(
            "has {pixels} pixels in its frames, and at most {} are decoded",
            limits.animation_pixels
        )));
    }
    let colour = colour(bytes, limits);
    Ok(Box::new(animation::Reader::new(
        bytes,
        header.size,
        survey.frames,
        survey.alpha,
        colour,
    )?))
}

/// Encodes a still.
///
/// # Errors
/// [`Error::Encode`], also for ink or code points; [`Error::Limit`] past the format's side;
/// [`Error::Cancelled`].
pub(super) fn encode(
    bitmap: &Bitmap,
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    cancel.check()?;
    admit_size(bitmap.size)?;
    let icc = profile(&bitmap.colour)?;
    let (samples, channels) = colours(bitmap)?;
    let file = still::encode(&samples, bitmap.size, channels, options, cancel)?;
    drop(samples);
    with_metadata(file, bitmap.size, icc, options.exif)
}

/// Encodes planes of a still: limited range, colour at half the resolution.
///
/// # Errors
/// As [`encode`].
pub(super) fn encode_planes(
    planes: &Planes,
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let size = planes.luma.size;
    admit_size(size)?;
    let icc = profile(&planes.colour)?;
    let file = still::encode_planes(planes, options, cancel)?;
    with_metadata(file, size, icc, options.exif)
}

/// Bytes that [`encode`] holds at its peak.
pub(super) fn encode_bytes(size: Size, alpha: bool, options: &EncodeOptions<'_>) -> u64 {
    // libwebp's own copy, in YUVA or ARGB; what it counts and remembers on the way; the output.
    // As measured with noise, of large and of small pictures. Alpha is coded without loss.
    let pixels = admit::pixels(size);
    let (per_pixel, library) = match (options.lossless, alpha, still::own(options)) {
        (true, ..) => (38, 36 << 20),
        (false, true, _) => (42, 5 << 20),
        (false, false, None) => (26, LIBRARY_BYTES),
        // What libwebp makes of RGB are planes.
        (false, false, Some(_)) => (2, vp8::encode_bytes(pixels)),
    };
    pixels.saturating_mul(per_pixel).saturating_add(library)
}

/// Bytes that a frame of an animation takes at its peak, beside its pixels and what is seen.
pub(super) fn frame_bytes(size: Size, alpha: bool, options: &EncodeOptions<'_>) -> u64 {
    // What is shown of it, its copy, and what the encoder makes of that: as measured with noise,
    // of large and of small pictures.
    let pixels = admit::pixels(size);
    let own = still::own(options).is_some();
    let (per_pixel, library) = match (options.lossless, alpha, own) {
        // Of tiles of 16×16 at least, of which there are not more than some thousands.
        (true, ..) => (48, pixels.saturating_mul(62).min(36 << 20)),
        // Alpha alone may be noise.
        (false, true, _) => (50, LIBRARY_BYTES),
        (false, false, false) => (21, LIBRARY_BYTES),
        (false, false, true) => (1, vp8::encode_bytes(pixels)),
    };
    pixels.saturating_mul(per_pixel).saturating_add(library)
}

/// Bytes a pixel of a lossy frame, of noise: alpha is not lossy.
pub(super) fn written_bytes(alpha: bool, options: &EncodeOptions<'_>) -> u64 {
    let colours = if still::own(options).is_some() { 1 } else { 3 };
    colours + u64::from(alpha)
}

fn admit_size(size: Size) -> Result<(), Error> {
    if size.width.max(size.height) <= LONGEST_SIDE {
        return Ok(());
    }
    Err(Error::Limit(format!(
        "would be {}×{} pixels, and a WebP has at most {LONGEST_SIDE} on a side",
        size.width, size.height
    )))
}

fn profile(colour: &Colour) -> Result<Option<&[u8]>, Error> {
    match colour {
        Colour::Srgb => Ok(None),
        Colour::Icc(profile) => Ok(Some(profile)),
        Colour::Cicp { .. } => Err(admit::encode("WebP cannot hold code points")),
    }
}

/// The samples as RGB or RGBA in 8 bits, and which of them by the number of channels.
fn colours(bitmap: &Bitmap) -> Result<(Cow<'_, [u8]>, usize), Error> {
    let samples = samples::eight_bits(&bitmap.samples);
    match bitmap.layout {
        Layout::Rgb => Ok((samples, 3)),
        Layout::Rgba => Ok((samples, 4)),
        Layout::Gray => Ok((samples.iter().flat_map(|gray| [*gray; 3]).collect(), 3)),
        Layout::GrayAlpha => {
            let pixels = samples.chunks_exact(2);
            let colours = pixels.flat_map(|pixel| [pixel[0], pixel[0], pixel[0], pixel[1]]);
            Ok((colours.collect(), 4))
        }
        Layout::Cmyk => Err(admit::encode("WebP cannot hold ink")),
    }
}

/// The file with a profile and EXIF in it.
fn with_metadata(
    file: Vec<u8>,
    size: Size,
    icc: Option<&[u8]>,
    exif: Option<&[u8]>,
) -> Result<Vec<u8>, Error> {
    if icc.is_none() && exif.is_none() {
        return Ok(file);
    }
    let mut extended = Extended {
        flags: if survey::has_alpha(&file) {
            ALPHA_FLAG
        } else {
            0
        },
        width: size.width,
        height: size.height,
    };
    let mut pictures = Vec::new();
    for chunk in riff::chunks(&file) {
        if chunk.kind == *b"VP8X" {
            let old = Extended::read(chunk.payload(&file));
            extended.flags |= old.map_or(0, |old| old.flags);
        } else {
            pictures.push((chunk.kind, chunk.payload(&file)));
        }
    }
    extended.flags |= if icc.is_some() { ICC_FLAG } else { 0 };
    extended.flags |= if exif.is_some() { EXIF_FLAG } else { 0 };
    let header = extended.write();
    let chunks = std::iter::once((*b"VP8X", header.as_slice()))
        .chain(icc.map(|icc| (*b"ICCP", icc)))
        .chain(pictures)
        .chain(exif.map(|exif| (*b"EXIF", exif)));
    riff::write(chunks)
}

/// Starts an animation.
///
/// # Errors
/// [`Error::Encode`], [`Error::Limit`].
pub(super) fn animation(
    size: Size,
    loops: Loops,
    options: &EncodeOptions<'_>,
) -> Result<Box<dyn FrameWriter>, Error> {
    Ok(Box::new(animate::Writer::new(size, loops, options)?))
}

/// The EXIF block.
pub(super) fn exif(bytes: &[u8], limits: &Limits) -> Option<Vec<u8>> {
    survey::exif_block(bytes)
        .filter(|exif| exif.len() <= limits.exif_bytes)
        .map(<[u8]>::to_vec)
}

/// The same pictures without EXIF, XMP and unknown chunks; `None` where the file is cut short, or
/// must be turned to be upright: its orientation would be lost.
pub(super) fn strip(bytes: &[u8]) -> Option<Vec<u8>> {
    let upright = survey::exif_block(bytes)
        .and_then(super::exif::orientation)
        .is_none_or(|orientation| orientation == 1);
    if !upright || riff::end(bytes)? > bytes.len() {
        return None;
    }
    let mut header = [0; 10];
    let mut kept = Vec::new();
    for chunk in riff::chunks(bytes) {
        match &chunk.kind {
            // Anywhere but first it means nothing, and decoders differ on what to make of it.
            b"VP8X" if !kept.is_empty() => return None,
            b"VP8X" => {
                let mut extended = Extended::read(chunk.payload(bytes))?;
                extended.flags &= !(EXIF_FLAG | XMP_FLAG);
                header = extended.write();
                kept.push((chunk.kind, [].as_slice()));
            }
            b"VP8 " | b"VP8L" | b"ALPH" | b"ICCP" | b"ANIM" | b"ANMF" => {
                kept.push((chunk.kind, chunk.payload(bytes)));
            }
            _ => {}
        }
    }
    let complete = kept
        .iter()
        .any(|(kind, _)| matches!(kind, b"VP8 " | b"VP8L" | b"ANMF"));
    let chunks = kept.into_iter().map(|(kind, payload)| {
        if kind == *b"VP8X" {
            (kind, header.as_slice())
        } else {
            (kind, payload)
        }
    });
    let stripped = complete.then(|| riff::write(chunks).ok()).flatten()?;
    // libwebp reads on where a chunk says that it ends too early; what stood there is gone.
    (survey::sides(&stripped) == survey::sides(bytes)).then_some(stripped)
}

#[cfg(test)]
mod tests;
