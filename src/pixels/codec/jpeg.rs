//! JPEG: decoded here, or where a file is odd through libjpeg (mozjpeg's); encoded here. Knows the
//! format; decides no policy but the limits.
//!
//! What is damaged is refused, not drawn gray: a stream that ends early, or whose codes make no
//! sense, is [`Error::Broken`]. Stray bytes between segments, and a missing end-of-image marker
//! after a complete picture, are tolerated.

#[cfg(fuzzing)]
pub(super) mod compare;
mod decode;
mod encode;
mod held;
mod library;
mod markers;
mod raw;
mod scaled;
mod survey;

use std::borrow::Cow;

pub(super) use self::held::{planes_bytes, rows_bytes};
use self::markers::{Segment, Segments};
use super::{
    Cancel, DecodeOptions, EncodeOptions, Error, Header, Input, Limits, PlaneOptions, admit,
    quality, samples,
    yuv::{Form, Yuv},
};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    format::InputFormat,
    geometry::Size,
    planes::{Planes, Range, Sampling},
    rows::{Kept, Sink},
};

/// What libjpeg allocates beside pixels and coefficients: tables, and rows between its stages.
const LIBRARY_BYTES: u64 = 1 << 20;

/// Which coefficient of a block, row by row, comes at each place of the file's order.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Reads the header.
///
/// # Errors
/// [`Error::Broken`], [`Error::UnsupportedFeature`] or [`Error::Limit`].
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    let survey = survey::survey(bytes, limits)?;
    // Coefficients have 16 bits.
    let coefficients = if survey.buffered {
        survey.samples.saturating_mul(2)
    } else {
        0
    };
    // `decode_bytes` knows a header only, and takes three channels for granted.
    let fourth = if survey.components == 4 {
        admit::pixels(survey.size)
    } else {
        0
    };
    Ok(Header {
        format: InputFormat::Jpeg,
        size: survey.size,
        orientation: survey.orientation,
        frames: 1,
        animated: false,
        alpha: false,
        depth: 8,
        lossless: false,
        held_bytes: coefficients.saturating_add(fourth),
        planes: survey.planes,
    })
}

/// Bytes that [`decode`] holds at its peak.
pub(super) fn decode_bytes(header: &Header, options: &DecodeOptions) -> u64 {
    let output = scaled(header.size, eighths(header.size, options.at_least));
    // Rows between the stages: a few, of the full width.
    let rows = u64::from(header.size.width).saturating_mul(64);
    admit::pixels(output)
        .saturating_mul(3)
        .saturating_add(rows)
        .saturating_add(header.held_bytes)
        .saturating_add(LIBRARY_BYTES)
}

/// Decodes, at the smallest eighth of the size that is not less than `options.at_least`.
///
/// # Errors
/// [`Error::Broken`], [`Error::UnsupportedFeature`], [`Error::Limit`] or [`Error::Cancelled`].
pub(super) fn decode(
    bytes: &[u8],
    header: &Header,
    options: &DecodeOptions,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    cancel.check()?;
    let survey = survey::survey(bytes, limits)?;
    let eighths = eighths(header.size, options.at_least);
    let mut rows = decode::decode(bytes, eighths, survey.buffered, limits, cancel)?;
    if rows.layout == Layout::Cmyk && survey.adobe {
        for ink in &mut rows.samples {
            *ink = 255 - *ink;
        }
    }
    Ok(Bitmap {
        size: rows.size,
        layout: rows.layout,
        samples: Samples::U8(rows.samples),
        colour: colour(bytes, limits),
    })
}

/// What the numbers mean.
pub(super) fn colour(bytes: &[u8], limits: &Limits) -> Colour {
    survey::icc(bytes, limits).map_or(Colour::Srgb, |icc| Colour::Icc(icc.into()))
}

/// Decodes to rows of planes, each at the smallest eighth of its size that is not less than what is
/// asked for; through libjpeg, which has one scale for all, where the scaled decoder does not do it.
///
/// # Errors
/// As [`decode`], and what the sink says.
pub(super) fn rows(
    input: Input<'_>,
    header: &Header,
    options: &PlaneOptions,
    limits: &Limits,
    cancel: &Cancel,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let scales = scales(header, options);
    let bytes = input.bytes();
    let reading = scaled::Reading::open(bytes, scales, limits)?;
    match (reading, input) {
        (Some(reading), Input::Head(_, rest)) if reading.head().is_some() => {
            return reading.rows_of(rest, cancel, sink);
        }
        (Some(reading), Input::Whole(_)) => return reading.rows(cancel, sink),
        (None, Input::Whole(_)) => {}
        (_, Input::Head(..)) => return Err(admit::broken("a file whose head is not all")),
    }
    let survey = survey::survey(bytes, limits)?;
    raw::rows(bytes, scales.luma, survey.buffered, limits, cancel, sink)
}

/// How much of a file says all of it but the data of its only scan, where [`rows()`] can do with the
/// data as they are read.
pub(super) fn head(start: &[u8], limits: &Limits) -> Option<usize> {
    let planes = survey::survey(start, limits).ok()?.planes;
    let whole = scaled::Scales { luma: 8, chroma: 8 };
    let reading = scaled::Reading::open(start, whole, limits).ok()??;
    planes.and(reading.head())
}

/// [`rows`], kept.
///
/// # Errors
/// As [`decode`].
pub(super) fn planes(
    bytes: &[u8],
    header: &Header,
    options: &PlaneOptions,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Planes, Error> {
    let mut kept = Kept::default();
    rows(bytes.into(), header, options, limits, cancel, &mut kept)?;
    let mut planes = kept.finish()?.into_iter();
    let luma = planes.next();
    Ok(Planes {
        luma: luma.ok_or_else(|| admit::broken("a picture without planes"))?,
        chroma: planes.next().zip(planes.next()).map(Into::into),
        range: Range::Full,
        colour: colour(bytes, limits),
    })
}

/// Eighths for luma and for colour.
fn scales(header: &Header, options: &PlaneOptions) -> scaled::Scales {
    let chroma = header.planes.and_then(|planes| planes.chroma(header.size));
    let luma = eighths(header.size, options.luma_at_least);
    scaled::Scales {
        luma,
        chroma: chroma.map_or(luma, |size| eighths(size, options.chroma_at_least)),
    }
}

/// The smallest number of eighths of `size` that has no side less than `at_least`.
fn eighths(size: Size, at_least: Option<Size>) -> u8 {
    let Some(least) = at_least else {
        return 8;
    };
    (1..8)
        .find(|eighths| {
            let scaled = scaled(size, *eighths);
            scaled.width >= least.width && scaled.height >= least.height
        })
        .unwrap_or(8)
}

/// libjpeg's size at `eighths`/8: rounded up.
fn scaled(size: Size, eighths: u8) -> Size {
    let part = |length: u32| {
        let scaled = (u64::from(length) * u64::from(eighths)).div_ceil(8);
        u32::try_from(scaled).unwrap_or(length)
    };
    Size {
        width: part(size.width),
        height: part(size.height),
    }
}

/// Encodes: baseline unless progressive is asked for; colour at half the resolution below
/// quality 90, as libjpeg-turbo's and libvips' defaults are.
///
/// # Errors
/// [`Error::Encode`], also for a bitmap with alpha, ink or code points; [`Error::Cancelled`].
pub(super) fn encode(
    bitmap: &Bitmap,
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let channels = match bitmap.layout {
        Layout::Gray => 1,
        Layout::Rgb => 3,
        layout => return Err(admit::encode(format!("JPEG cannot hold {layout:?}"))),
    };
    let icc = match &bitmap.colour {
        Colour::Srgb => None,
        Colour::Icc(profile) => Some(&**profile),
        Colour::Cicp { .. } => return Err(admit::encode("JPEG cannot hold code points")),
    };
    admit_size(bitmap.size)?;
    let samples: Cow<'_, [u8]> = samples::eight_bits(&bitmap.samples);
    let halved = sampling(options.quality) == Sampling::HALVED;
    let form = Form {
        range: Range::Full,
        halved,
    };
    let yuv =
        (channels == 3).then(|| Yuv::of(&samples, channels, bitmap.size.width as usize, form));
    let (luma, chroma) = match &yuv {
        None => (&*samples, None),
        Some(Yuv {
            luma,
            colour: [blue, red],
        }) => (&**luma, Some(encode::Chroma { blue, red, halved })),
    };
    let input = encode::Input {
        picture: encode::Picture {
            size: bitmap.size,
            luma,
            chroma,
        },
        quality: options.quality,
        progressive: options.progressive,
        icc,
        exif: options.exif,
    };
    encode::encode(&input, cancel)
}

fn admit_size(size: Size) -> Result<(), Error> {
    let most = u32::from(u16::MAX) - 35;
    if size.width.max(size.height) > most {
        return Err(Error::Limit(format!(
            "would be {}×{} pixels, and a JPEG has at most {most} on a side",
            size.width, size.height
        )));
    }
    Ok(())
}

/// The resolution of colour at a quality.
pub(super) const fn sampling(quality: u8) -> Sampling {
    if quality >= quality::FULL_COLOUR_FROM {
        Sampling::FULL
    } else {
        Sampling::HALVED
    }
}

/// Encodes planes: in full range, colour as [`sampling`] says.
///
/// # Errors
/// As [`encode`].
pub(super) fn encode_planes(
    planes: &Planes,
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    admit_size(planes.luma.size)?;
    let icc = match &planes.colour {
        Colour::Srgb => None,
        Colour::Icc(profile) => Some(&**profile),
        Colour::Cicp { .. } => return Err(admit::encode("JPEG cannot hold code points")),
    };
    let chroma = planes.chroma.as_ref().map(|[blue, red]| encode::Chroma {
        blue: &blue.samples,
        red: &red.samples,
        halved: sampling(options.quality) == Sampling::HALVED,
    });
    let input = encode::Input {
        picture: encode::Picture {
            size: planes.luma.size,
            luma: &planes.luma.samples,
            chroma,
        },
        quality: options.quality,
        progressive: options.progressive,
        icc,
        exif: options.exif,
    };
    encode::encode(&input, cancel)
}

/// Bytes that [`encode`] holds at its peak.
pub(super) fn encode_bytes(size: Size, options: &EncodeOptions<'_>) -> u64 {
    // The file, and what its vector grows ahead; of noise, measured: 1.1 and 4.3.
    let output = match options.quality {
        quality::FULL_COLOUR_FROM.. => 5,
        _ => 2,
    };
    let halved = sampling(options.quality) == Sampling::HALVED;
    admit::pixels(size)
        .saturating_mul(output)
        .saturating_add(encode::bytes(size, halved, options.progressive))
}

/// The EXIF block.
pub(super) fn exif(bytes: &[u8], limits: &Limits) -> Option<Vec<u8>> {
    Segments::header(bytes)?
        .find_map(|segment| segment.exif(bytes))
        .filter(|exif| exif.len() <= limits.exif_bytes)
        .map(<[u8]>::to_vec)
}

/// The same scans without metadata; `None` where the file is not whole, or must be turned to be
/// upright: its orientation would be lost.
pub(super) fn strip(bytes: &[u8]) -> Option<Vec<u8>> {
    let upright = Segments::header(bytes)?
        .filter_map(|segment| segment.exif(bytes).and_then(super::exif::orientation))
        .all(|orientation| orientation == 1);
    if !upright {
        return None;
    }
    let mut stripped = vec![0xFF, 0xD8];
    let mut scans = 0;
    let mut ended = false;
    for segment in Segments::all(bytes)? {
        scans += usize::from(segment.is_scan());
        ended = Segment::is_end(&segment);
        if !segment.is_metadata(bytes) {
            stripped.extend_from_slice(bytes.get(segment.whole)?);
        }
    }
    (ended && scans > 0).then_some(stripped)
}

#[cfg(test)]
mod tests;
