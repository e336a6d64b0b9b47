//! Writing a PNG: filters and codes for photographs, an exact palette for few colours.

use std::borrow::Cow;

use ::png::{BitDepth, ColorType, Compression, Filter, Info, SrgbRenderingIntent};

use super::{
    super::{
        Cancel, EncodeOptions, Error,
        palette::{self, Indexed},
    },
    deflate::{self, Deflate},
    filter::Filters,
};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    geometry::Size,
};

/// Bytes a pixel that the encoder holds at its worst, without and with alpha: a zlib stream with
/// room for noise, and the file.
const PIXEL_BYTES: [u64; 2] = [7, 9];

/// Bytes of a file besides pixels and what is carried along.
const HEADERS: usize = 1 << 10;

/// Tables, rows and the profile.
const OVERHEAD: u64 = 3 << 19;

pub(in super::super) fn encode_bytes(size: Size, alpha: bool) -> u64 {
    let pixels = u64::from(size.width) * u64::from(size.height);
    pixels
        .saturating_mul(PIXEL_BYTES[usize::from(alpha)])
        .saturating_add(OVERHEAD)
}

/// Encodes a still. All pixels are exact, `lossless` or not.
pub(in super::super) fn encode(
    bitmap: &Bitmap,
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    // Grays are as small as a palette, and cICP must stand before one, where the library
    // does not let us put it.
    let worth = matches!(bitmap.layout, Layout::Rgb | Layout::Rgba)
        && !matches!(bitmap.colour, Colour::Cicp { .. });
    let few = if worth { palette::exact(bitmap) } else { None };
    cancel.check()?;
    match few {
        Some(few) => indexed(bitmap, &few, options.exif),
        None => direct(bitmap, options.exif),
    }
}

/// Encodes pixels as they are.
pub(super) fn direct(bitmap: &Bitmap, exif: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    let mut info = info(bitmap, exif);
    info.color_type = match bitmap.layout {
        Layout::Gray => ColorType::Grayscale,
        Layout::GrayAlpha => ColorType::GrayscaleAlpha,
        Layout::Rgb => ColorType::Rgb,
        Layout::Rgba => ColorType::Rgba,
        Layout::Cmyk => return Err(Error::encode("PNG holds no CMYK")),
    };
    let sample = match bitmap.samples {
        Samples::U8(_) => 1,
        Samples::U16(_) => 2,
    };
    if sample == 2 {
        info.bit_depth = BitDepth::Sixteen;
    }
    let data = filtered(bitmap, sample);
    let profile = match &bitmap.colour {
        Colour::Icc(profile) => profile.len(),
        Colour::Srgb | Colour::Cicp { .. } => 0,
    };
    // A file that grows would be copied.
    let carried = profile + exif.map_or(0, <[u8]>::len);
    let mut out = Vec::with_capacity(data.len() + carried + HEADERS);
    let mut writer = open(&mut out, info, bitmap, Compression::Fast)?;
    let kind = ::png::chunk::IDAT;
    writer.write_chunk(kind, &data).map_err(Error::encode)?;
    writer.finish().map_err(Error::encode)?;
    Ok(out)
}

/// All rows, filtered and deflated.
fn filtered(bitmap: &Bitmap, sample: usize) -> Vec<u8> {
    let pixel = bitmap.layout.channels() * sample;
    let line = bitmap.size.width as usize * pixel;
    let height = bitmap.size.height as usize;
    let mut filters = Filters::new(line, pixel);
    let mut deflate = Deflate::new((line + 1) * height);
    let mut block = Vec::with_capacity(deflate::BLOCK + line + 1);
    for y in 0..height {
        let fill = |row: &mut [u8]| match &bitmap.samples {
            Samples::U8(samples) => row.copy_from_slice(&samples[y * line..][..line]),
            Samples::U16(samples) => {
                let samples = &samples[y * line / 2..];
                for (bytes, sample) in row.as_chunks_mut().0.iter_mut().zip(samples) {
                    *bytes = sample.to_be_bytes();
                }
            }
        };
        filters.push(fill, &mut block);
        if block.len() >= deflate::BLOCK || y + 1 == height {
            deflate.block(&block, y + 1 == height);
            block.clear();
        }
    }
    deflate.finish()
}

/// Encodes a palette and its numbers, in as few bits as they need.
fn indexed(bitmap: &Bitmap, few: &Indexed, exif: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    let mut info = info(bitmap, exif);
    info.color_type = ColorType::Indexed;
    let (depth, bits) = match few.colours.len() {
        0..=2 => (BitDepth::One, 1),
        3..=4 => (BitDepth::Two, 2),
        5..=16 => (BitDepth::Four, 4),
        _ => (BitDepth::Eight, 8),
    };
    info.bit_depth = depth;
    let colours: Vec<u8> = few
        .colours
        .iter()
        .flat_map(|c| [c[0], c[1], c[2]])
        .collect();
    let alphas: Vec<u8> = few
        .colours
        .iter()
        .map(|c| c[3])
        .take_while(|a| *a < 255)
        .collect();
    info.palette = Some(colours.into());
    info.trns = (!alphas.is_empty()).then(|| alphas.into());
    let mut out = Vec::new();
    // Filters see no likeness between numbers of colours; repetition is what there is to find.
    let mut writer = open(&mut out, info, bitmap, Compression::Balanced)?;
    writer.set_filter(Filter::NoFilter);
    let packed = pack(&few.indices, bitmap.size.width as usize, bits);
    writer.write_image_data(&packed).map_err(Error::encode)?;
    writer.finish().map_err(Error::encode)?;
    Ok(out)
}

/// Numbers of `bits` bits each, high bits first, rows padded to whole bytes.
fn pack(indices: &[u8], width: usize, bits: usize) -> Cow<'_, [u8]> {
    if bits == 8 {
        return Cow::Borrowed(indices);
    }
    let pixels = 8 / bits;
    let rows = indices.chunks_exact(width);
    let packed = rows.flat_map(|row| {
        row.chunks(pixels).map(move |group| {
            let byte = group.iter().fold(0, |byte, index| byte << bits | index);
            byte << (bits * (pixels - group.len()))
        })
    });
    Cow::Owned(packed.collect())
}

fn info<'a>(bitmap: &'a Bitmap, exif: Option<&'a [u8]>) -> Info<'a> {
    let mut info = Info::with_size(bitmap.size.width, bitmap.size.height);
    info.bit_depth = BitDepth::Eight;
    match &bitmap.colour {
        Colour::Srgb => info.srgb = Some(SrgbRenderingIntent::Perceptual),
        Colour::Icc(profile) => info.icc_profile = Some(Cow::Borrowed(profile)),
        Colour::Cicp { .. } => {}
    }
    info.exif_metadata = exif.map(Cow::Borrowed);
    info
}

fn open<'a>(
    out: &'a mut Vec<u8>,
    info: Info<'_>,
    bitmap: &Bitmap,
    compression: Compression,
) -> Result<::png::Writer<&'a mut Vec<u8>>, Error> {
    let mut encoder = ::png::Encoder::with_info(out, info).map_err(Error::encode)?;
    encoder.set_compression(compression);
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header().map_err(Error::encode)?;
    if let Colour::Cicp {
        primaries,
        transfer,
    } = bitmap.colour
    {
        // No matrix, full range.
        let kind = ::png::chunk::ChunkType(*b"cICP");
        let written = writer.write_chunk(kind, &[primaries, transfer, 0, 1]);
        written.map_err(Error::encode)?;
    }
    Ok(writer)
}
