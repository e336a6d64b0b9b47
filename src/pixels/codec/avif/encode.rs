//! Pixels to an AVIF file: to planes, to AV1, into the container.

use super::{
    aom::{self, Chroma, Planes},
    sequence::Sequence,
    writer::{self, Stream},
};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout},
    codec::{
        Cancel, EncodeOptions, Error, admit,
        quality::{self, Aom, Depth},
        samples,
        yuv::{Form, Yuv},
    },
    geometry::Size,
    planes::{Planes as AnyPlanes, Range},
};

/// AV1 says a side in 16 bits.
const LONGEST_SIDE: u32 = 65_536;

/// Encodes.
///
/// # Errors
/// [`Error::Encode`], [`Error::Limit`], [`Error::Cancelled`].
pub(super) fn encode(
    bitmap: &Bitmap,
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let size = bitmap.size;
    admit_size(size)?;
    let pixels = samples::eight_bits(&bitmap.samples);
    let channels = bitmap.layout.channels();
    if pixels.len() != admit::buffer(size, channels)? {
        return Err(admit::encode(
            "a bitmap of another length than its size says",
        ));
    }
    let points = points(&bitmap.colour);
    let halved = options.quality < quality::FULL_COLOUR_FROM;
    let alpha = || pixels.iter().skip(channels - 1).step_by(channels).copied();
    let opaque = !bitmap.layout.has_alpha() || alpha().all(|alpha| alpha == u8::MAX);
    let depth = if opaque {
        quality::avif_depth(options.quality)
    } else {
        Depth::Eight
    };
    let aom = quality::aom(options.quality, depth);
    let colour = match bitmap.layout {
        Layout::Gray | Layout::GrayAlpha => {
            let luma: Vec<u8> = pixels.iter().step_by(channels).copied().collect();
            stream(size, &luma, None, aom, points)?
        }
        Layout::Rgb | Layout::Rgba => {
            let form = Form {
                range: Range::Full,
                halved,
            };
            let planes = Yuv::of(&pixels, channels, size.width as usize, form);
            let [u, v] = &planes.colour;
            let chroma = Chroma { u, v, halved };
            stream(size, &planes.luma, Some(chroma), aom, points)?
        }
        Layout::Cmyk => return Err(admit::encode("AVIF cannot hold ink")),
    };
    let alpha = if opaque {
        None
    } else {
        // libaom cannot be called off within a picture.
        cancel.check()?;
        let alpha: Vec<u8> = alpha().collect();
        let aom = quality::aom_alpha(options.quality);
        Some(stream(size, &alpha, None, aom, (2, 2))?)
    };
    let icc = match &bitmap.colour {
        Colour::Icc(profile) => Some(&**profile),
        _ => None,
    };
    writer::write(&writer::File {
        size,
        colour,
        alpha,
        points,
        icc,
        exif: options.exif,
    })
}

/// Encodes planes: in full range, colour at half or at full resolution.
///
/// # Errors
/// As [`encode`].
pub(super) fn encode_planes(
    planes: &AnyPlanes,
    options: &EncodeOptions<'_>,
) -> Result<Vec<u8>, Error> {
    let size = planes.luma.size;
    admit_size(size)?;
    let points = points(&planes.colour);
    let chroma = planes.chroma.as_ref().map(|[blue, red]| Chroma {
        u: &blue.samples,
        v: &red.samples,
        halved: options.quality < quality::FULL_COLOUR_FROM,
    });
    let aom = quality::aom(options.quality, quality::avif_depth(options.quality));
    writer::write(&writer::File {
        size,
        colour: stream(size, &planes.luma.samples, chroma, aom, points)?,
        alpha: None,
        points,
        icc: match &planes.colour {
            Colour::Icc(profile) => Some(&**profile),
            _ => None,
        },
        exif: options.exif,
    })
}

fn admit_size(size: Size) -> Result<(), Error> {
    if size.width.max(size.height) > LONGEST_SIDE {
        return Err(Error::Limit(format!(
            "would be {}×{} pixels, and an AVIF has at most {LONGEST_SIDE} on a side",
            size.width, size.height
        )));
    }
    Ok(())
}

/// Primaries and transfer characteristics of a colour.
fn points(colour: &Colour) -> aom::Points {
    match *colour {
        Colour::Srgb => (1, 13),
        Colour::Icc(_) => (2, 2),
        Colour::Cicp {
            primaries,
            transfer,
        } => (primaries, transfer),
    }
}

fn stream(
    size: Size,
    luma: &[u8],
    chroma: Option<Chroma<'_>>,
    setting: Aom,
    points: aom::Points,
) -> Result<Stream, Error> {
    let bytes = aom::encode(&Planes { size, luma, chroma }, setting, points)?;
    let sequence = Sequence::find(&bytes);
    let sequence = sequence.ok_or_else(|| admit::encode("libaom wrote no sequence header"))?;
    Ok(Stream { bytes, sequence })
}
