//! Pixels to an AVIF file: to planes, to AV1, into the container.

use super::{
    aom::{self, Chroma, Planes},
    sequence::Sequence,
    writer::{self, Stream},
};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout},
    codec::{Cancel, EncodeOptions, Error, admit, quality, samples},
    geometry::Size,
    planes,
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
    let colour = match bitmap.layout {
        Layout::Gray | Layout::GrayAlpha => {
            let luma: Vec<u8> = pixels.iter().step_by(channels).copied().collect();
            stream(size, &luma, None, quality::aom(options.quality), points)?
        }
        Layout::Rgb | Layout::Rgba => {
            let planes = OwnedPlanes::new(&pixels, channels, size, halved);
            let chroma = Chroma {
                u: &planes.u,
                v: &planes.v,
                halved,
            };
            stream(
                size,
                &planes.luma,
                Some(chroma),
                quality::aom(options.quality),
                points,
            )?
        }
        Layout::Cmyk => return Err(admit::encode("AVIF cannot hold ink")),
    };
    let alpha = if bitmap.layout.has_alpha() {
        // libaom cannot be called off within a picture.
        cancel.check()?;
        let alpha = pixels.iter().skip(channels - 1).step_by(channels);
        let alpha: Vec<u8> = alpha.copied().collect();
        let opaque = alpha.iter().all(|alpha| *alpha == u8::MAX);
        let encoded = || {
            stream(
                size,
                &alpha,
                None,
                quality::aom_alpha(options.quality),
                (2, 2),
            )
        };
        (!opaque).then(encoded).transpose()?
    } else {
        None
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
    planes: &planes::Planes,
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
    let level = quality::aom(options.quality);
    writer::write(&writer::File {
        size,
        colour: stream(size, &planes.luma.samples, chroma, level, points)?,
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
    level: u8,
    points: aom::Points,
) -> Result<Stream, Error> {
    let bytes = aom::encode(&Planes { size, luma, chroma }, level, points)?;
    let sequence = Sequence::find(&bytes);
    let sequence = sequence.ok_or_else(|| admit::encode("libaom wrote no sequence header"))?;
    Ok(Stream { bytes, sequence })
}

/// RGB as luma and colour differences of BT.601, in full range, as JFIF has them.
struct OwnedPlanes {
    luma: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl OwnedPlanes {
    fn new(pixels: &[u8], channels: usize, size: Size, halved: bool) -> Self {
        let luma = pixels
            .chunks_exact(channels)
            .map(|p| luma([p[0], p[1], p[2]]));
        let luma = luma.collect();
        let step = if halved { 2 } else { 1 };
        let width = usize::try_from(size.width).unwrap_or(0);
        let stride = width * channels;
        let (mut u, mut v) = (Vec::new(), Vec::new());
        for rows in pixels.chunks(stride.max(1) * step) {
            for x in (0..width).step_by(step) {
                let mut sum = [0i32; 3];
                let mut count = 0;
                for row in rows.chunks_exact(stride) {
                    let across = row.chunks_exact(channels).skip(x).take(step);
                    for pixel in across {
                        for (sum, sample) in sum.iter_mut().zip(pixel) {
                            *sum += i32::from(*sample);
                        }
                        count += 1;
                    }
                }
                let (blue, red) = differences(sum, count);
                u.push(blue);
                v.push(red);
            }
        }
        Self { luma, u, v }
    }
}

/// Shares of 65536: 0.299, 0.587 and 0.114.
fn luma(rgb: [u8; 3]) -> u8 {
    let [r, g, b] = rgb.map(u32::from);
    u8::try_from((19_595 * r + 38_470 * g + 7_471 * b + 32_768) >> 16).unwrap_or(u8::MAX)
}

/// Blue and red less luma, of the mean of `count` pixels.
fn differences([r, g, b]: [i32; 3], count: i32) -> (u8, u8) {
    let count = i64::from(count.max(1));
    let [r, g, b] = [r, g, b].map(i64::from);
    let sample = |sum: i64| {
        let half = count << 15;
        let value = (sum + half).div_euclid(count << 16) + 128;
        u8::try_from(value.clamp(0, 255)).unwrap_or(128)
    };
    (
        sample(-11_059 * r - 21_709 * g + 32_768 * b),
        sample(32_768 * r - 27_439 * g - 5_329 * b),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rgb: [u8; 3], yuv: [u8; 3]) {
        let (u, v) = differences(rgb.map(i32::from), 1);
        assert_eq!([luma(rgb), u, v], yuv);
    }

    #[test]
    fn colours_become_those_of_jfif() {
        check([255, 255, 255], [255, 128, 128]);
        check([0, 0, 0], [0, 128, 128]);
        check([255, 0, 0], [76, 85, 255]);
        check([0, 255, 0], [150, 44, 21]);
        check([0, 0, 255], [29, 255, 107]);
    }

    #[test]
    fn odd_sides_have_half_a_column_more() {
        let size = Size {
            width: 3,
            height: 3,
        };
        let planes = OwnedPlanes::new(&[200; 27], 3, size, true);
        assert_eq!((planes.u.len(), planes.v.len()), (4, 4));
        assert!(
            planes
                .u
                .iter()
                .chain(&planes.v)
                .all(|sample| *sample == 128)
        );
        assert!(planes.luma.iter().all(|sample| *sample == 200));
    }
}
