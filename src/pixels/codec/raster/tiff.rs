//! TIFF, chunk by chunk through the `tiff` crate: gray, RGB, CMYK, YCbCr and palettes, of 1 to 64
//! bits a sample. Everything beyond 8 bits becomes 16.

mod pixels;

use std::{borrow::Cow, io::Cursor};

use tiff::{
    ColorType,
    decoder::Decoder,
    tags::{CompressionMethod, PhotometricInterpretation, PlanarConfiguration, Tag},
};

use super::{
    super::{Cancel, DecodeOptions, Error, Header, Limits, exif as block},
    guarded,
};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout},
    format::InputFormat,
    geometry::Size,
};
use pixels::{Canvas, Place};

/// Directories that are counted; a page past them cannot be asked for.
const MOST_PAGES: u32 = 1000;

/// Bytes of one tag's values: offsets of a million strips, no more.
const TAG_BYTES: usize = 8 << 20;

/// Dictionaries, rows.
const OVERHEAD: u64 = 2 << 20;

const ICC_PROFILE: u16 = 34_675;
const PHOTOMETRIC: u16 = 262;
const BLACK_IS_ZERO: u16 = 1;

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

pub(in super::super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    guarded(|| {
        let mut reader = open(bytes, 0)?;
        let (width, height) = reader.dimensions().map_err(failed)?;
        let size = limits.admit(width, height)?;
        let (alpha, depth) = if is_palette(&mut reader)? {
            (false, palette_bits(&mut reader)?)
        } else {
            let colour = reader.colortype().map_err(failed)?;
            let alpha = matches!(
                colour,
                ColorType::GrayA(_) | ColorType::RGBA(_) | ColorType::Multiband { .. }
            );
            (alpha, colour.bit_depth())
        };
        let compression = reader
            .find_tag_unsigned::<u16>(Tag::Compression)
            .map_err(failed)?;
        let jpeg = CompressionMethod::ModernJPEG.to_u16();
        Ok(Header {
            format: InputFormat::Tiff,
            size,
            orientation: block::orientation(bytes).unwrap_or(1),
            frames: block::directories(bytes, MOST_PAGES).max(1),
            animated: false,
            alpha,
            depth: depth.clamp(1, 16),
            lossless: compression != Some(jpeg),
            held_bytes: held_bytes(bytes, &mut reader, size)?,
            planes: None,
        })
    })
}

pub(in super::super) fn decode_bytes(header: &Header, _options: &DecodeOptions) -> u64 {
    let pixels = u64::from(header.size.width) * u64::from(header.size.height);
    let pixel = if header.depth > 8 { 4 * 2 } else { 4 };
    pixels
        .saturating_mul(pixel)
        .saturating_add(header.held_bytes)
        .saturating_add(OVERHEAD)
}

/// One chunk, which may be all of the picture, as it was stored and as the library hands it out;
/// the tables of where chunks are; and of a palette the whole file, for it is changed.
fn held_bytes(bytes: &[u8], reader: &mut Reader<'_>, size: Size) -> Result<u64, Error> {
    const STORED_AND_READ: u64 = 2;
    const PLACE: u64 = 2 * 8;
    // The fourth ink, of which others know nothing: in the copy of what is cut out, while both are
    // converted, and in the picture.
    const FOURTH: u64 = 3;
    let sample = if is_palette(reader)? {
        8
    } else {
        reader.colortype().map_err(failed)?.bit_depth()
    };
    let samples = reader
        .find_tag_unsigned::<u16>(Tag::SamplesPerPixel)
        .map_err(failed)?
        .unwrap_or(1);
    let inks = matches!(reader.colortype(), Ok(ColorType::CMYK(_)));
    let fourth = if inks {
        let sample = u64::from(sample.div_ceil(8));
        size.pixels().saturating_mul(sample * FOURTH)
    } else {
        0
    };
    let chunk = chunk_size(reader, size)?;
    let pixel = u64::from(samples) * u64::from(sample.div_ceil(8)) * STORED_AND_READ;
    let chunks = u64::from(size.width.div_ceil(chunk.width.max(1)))
        .saturating_mul(u64::from(size.height.div_ceil(chunk.height.max(1))))
        .saturating_mul(samples.into());
    Ok(chunk
        .pixels()
        .saturating_mul(pixel)
        .saturating_add(fourth)
        .saturating_add(chunks.saturating_mul(PLACE))
        .saturating_add(if is_palette(reader)? {
            bytes.len() as u64
        } else {
            0
        }))
}

pub(in super::super) fn decode(
    bytes: &[u8],
    _header: &Header,
    options: &DecodeOptions,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    guarded(|| {
        let mut reader = open(bytes, options.page)?;
        let place = directory(&mut reader);
        let palette = if is_palette(&mut reader)? {
            Some(colour_map(&mut reader)?)
        } else {
            None
        };
        // The library reads no palettes; it reads their numbers when they are called grays.
        let source = match palette {
            Some(_) => Cow::Owned(as_grays(bytes, place)?),
            None => Cow::Borrowed(bytes),
        };
        if palette.is_some() {
            reader = open(&source, options.page)?;
        }
        let mut bitmap = read(&source, &mut reader, palette.as_deref(), limits, cancel)?;
        bitmap.colour = profile(bytes, place, limits)?;
        Ok(bitmap)
    })
}

/// What of a TIFF's own tags may be carried along: whose it is. The rest describes the file.
pub(in super::super) fn exif(bytes: &[u8], limits: &Limits) -> Option<Vec<u8>> {
    block::copyright_only(bytes).filter(|block| block.len() <= limits.exif_bytes)
}

/// A reader at a page. What the library may allocate at a time follows from the file, and from the
/// size of the page: four samples of 64 bits.
fn open(bytes: &[u8], page: u32) -> Result<Reader<'_>, Error> {
    const PIXEL: usize = 4 * 8;
    let mut limits = tiff::decoder::Limits::default();
    limits.ifd_value_size = TAG_BYTES;
    limits.intermediate_buffer_size = bytes.len();
    let reader = Decoder::new(Cursor::new(bytes)).map_err(failed)?;
    let mut reader = reader.with_limits(limits.clone());
    if page > 0 {
        reader.seek_to_image(page as usize).map_err(failed)?;
    }
    let (width, height) = reader.dimensions().map_err(failed)?;
    limits.decoding_buffer_size = (width as usize)
        .saturating_mul(height as usize)
        .saturating_mul(PIXEL);
    Ok(reader.with_limits(limits))
}

fn directory(reader: &mut Reader<'_>) -> usize {
    let pointer = reader.ifd_pointer();
    pointer.map_or(0, |p| usize::try_from(p.0).unwrap_or(0))
}

fn is_palette(reader: &mut Reader<'_>) -> Result<bool, Error> {
    let kind = reader
        .find_tag_unsigned::<u16>(Tag::PhotometricInterpretation)
        .map_err(failed)?;
    Ok(kind == Some(PhotometricInterpretation::RGBPalette.to_u16()))
}

fn palette_bits(reader: &mut Reader<'_>) -> Result<u8, Error> {
    let bits = reader
        .find_tag_unsigned_vec::<u8>(Tag::BitsPerSample)
        .map_err(failed)?;
    match bits.as_deref() {
        None => Ok(1),
        Some([bits @ (1 | 2 | 4 | 8)]) => Ok(*bits),
        Some(_) => Err(Error::UnsupportedFeature {
            format: "TIFF",
            feature: "a palette of more than 256 colours",
        }),
    }
}

/// RGB of 8 bits by number. The file has all reds, then greens, then blues, in 16 bits.
fn colour_map(reader: &mut Reader<'_>) -> Result<Vec<[u8; 3]>, Error> {
    let bits = palette_bits(reader)?;
    let map = reader.get_tag_u16_vec(Tag::ColorMap).map_err(failed)?;
    let count = 1usize << bits;
    if map.len() < 3 * count {
        return Err(Error::broken("a colour map of another size"));
    }
    let byte = |v: u16| v.to_be_bytes()[0];
    let colours = (0..count).map(|i| [map[i], map[count + i], map[2 * count + i]].map(byte));
    Ok(colours.collect())
}

fn as_grays(bytes: &[u8], directory: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = bytes.to_vec();
    block::set_short(&mut bytes, directory, PHOTOMETRIC, BLACK_IS_ZERO)
        .ok_or_else(|| Error::broken("a palette without an interpretation"))?;
    Ok(bytes)
}

fn profile(bytes: &[u8], directory: usize, limits: &Limits) -> Result<Colour, Error> {
    match block::bytes_of(bytes, directory, ICC_PROFILE) {
        None | Some([]) => Ok(Colour::Srgb),
        Some(profile) if profile.len() > limits.icc_bytes => Err(Error::Limit(format!(
            "has a colour profile of more than {} bytes",
            limits.icc_bytes
        ))),
        Some(profile) => Ok(Colour::Icc(profile.into())),
    }
}

/// How the samples of a page become ours.
fn interpret(reader: &mut Reader<'_>, palette: Option<&[[u8; 3]]>) -> Result<Place, Error> {
    let colour = reader.colortype().map_err(failed)?;
    let extra = reader
        .find_tag_unsigned_vec::<u16>(Tag::ExtraSamples)
        .map_err(failed)?;
    let (layout, stored) = match colour {
        ColorType::Gray(_) if palette.is_some() => (Layout::Rgb, 1),
        ColorType::Gray(_) => (Layout::Gray, 1),
        ColorType::GrayA(_) | ColorType::Multiband { num_samples: 2, .. } => (Layout::GrayAlpha, 2),
        ColorType::RGB(_) | ColorType::YCbCr(8) => (Layout::Rgb, 3),
        ColorType::RGBA(_) => (Layout::Rgba, 4),
        ColorType::CMYK(_) => (Layout::Cmyk, 4),
        _ => {
            return Err(Error::UnsupportedFeature {
                format: "TIFF",
                feature: "samples of a kind other than gray, RGB, CMYK, YCbCr or a palette",
            });
        }
    };
    let planar = reader
        .find_tag_unsigned::<u16>(Tag::PlanarConfiguration)
        .map_err(failed)?
        == Some(PlanarConfiguration::Planar.to_u16());
    Ok(Place {
        layout,
        stored,
        bits: colour.bit_depth(),
        planar: planar && stored > 1,
        ycbcr: matches!(colour, ColorType::YCbCr(_)),
        // 1 is alpha that the colours have been multiplied by.
        premultiplied: extra.is_some_and(|kinds| kinds.first() == Some(&1)),
    })
}

fn read(
    bytes: &[u8],
    reader: &mut Reader<'_>,
    palette: Option<&[[u8; 3]]>,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    let (width, height) = reader.dimensions().map_err(failed)?;
    let size = limits.admit(width, height)?;
    let place = interpret(reader, palette)?;
    let chunk = chunk_size(reader, size)?;
    check_jpegs(bytes, reader, chunk)?;
    let (across, down) = (width.div_ceil(chunk.width), height.div_ceil(chunk.height));
    let planes = if place.planar { place.stored } else { 1 };
    let mut canvas = Canvas::new(size, place);
    for plane in 0..planes {
        for index in 0..across * down {
            cancel.check()?;
            let number = u32::try_from(plane).unwrap_or(0) * across * down + index;
            let (columns, rows) = reader.chunk_data_dimensions(number);
            let data = reader.read_chunk(number).map_err(failed)?;
            let part = pixels::Part {
                left: (index % across * chunk.width) as usize,
                top: (index / across * chunk.height) as usize,
                width: columns as usize,
                height: rows as usize,
                plane,
            };
            canvas.put(data, &part, palette)?;
        }
    }
    Ok(canvas.finish())
}

/// The size of strips or tiles. One at a time is in memory, as far as it lies in the picture.
fn chunk_size(reader: &Reader<'_>, size: Size) -> Result<Size, Error> {
    let (width, height) = reader.chunk_dimensions();
    // One strip may stand for all rows, whatever their number; tiles may hang over the edge.
    let height = height.min(size.height.next_multiple_of(1024));
    if width == 0 || height == 0 || width > size.width.next_multiple_of(1024) {
        return Err(Error::broken("strips or tiles of an impossible size"));
    }
    Ok(Size { width, height })
}

/// JPEGs inside are decoded whole, by what they say of their size: hold that against the chunk's.
fn check_jpegs(bytes: &[u8], reader: &mut Reader<'_>, chunk: Size) -> Result<(), Error> {
    let compression = reader
        .find_tag_unsigned::<u16>(Tag::Compression)
        .map_err(failed)?;
    if compression != Some(CompressionMethod::ModernJPEG.to_u16()) {
        return Ok(());
    }
    let mut offsets = None;
    for tag in [Tag::StripOffsets, Tag::TileOffsets] {
        let found = reader.find_tag_unsigned_vec::<u32>(tag).map_err(failed)?;
        offsets = offsets.or(found);
    }
    for offset in offsets.unwrap_or_default() {
        let inside = bytes.get(offset as usize..).unwrap_or_default();
        let (width, height) =
            jpeg_sides(inside).ok_or_else(|| Error::broken("a JPEG without a frame"))?;
        let padded = |side: u32| side.saturating_add(64);
        if width > padded(chunk.width) || height > padded(chunk.height) {
            return Err(Error::broken("a JPEG larger than its strip or tile"));
        }
    }
    Ok(())
}

/// Width and height of a JPEG, from its first frame header.
fn jpeg_sides(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
    loop {
        let [0xFF, marker, high, low, tail @ ..] = rest else {
            return None;
        };
        match marker {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                let [_, a, b, c, d, ..] = *tail else {
                    return None;
                };
                let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
                return Some((side(c, d), side(a, b)));
            }
            0xD9 | 0xDA => return None,
            _ => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest = tail.get(length.checked_sub(2)?..)?;
            }
        }
    }
}

fn failed(error: tiff::TiffError) -> Error {
    match error {
        tiff::TiffError::LimitsExceeded => {
            Error::Limit("needs more memory to decode than is allowed".to_owned())
        }
        tiff::TiffError::UnsupportedError(_) => Error::UnsupportedFeature {
            format: "TIFF",
            feature: "a compression or a kind of samples",
        },
        other => Error::broken(other),
    }
}
