//! PNG and APNG: all depths and colour types in, 8 and 16 bits out. Knows nothing of profiles but
//! how to carry them.

mod animation;
mod chunks;
mod data;
mod deflate;
mod encode;
mod expand;
mod filter;
mod inflate;
mod still;
mod strip;
mod unfilter;

use std::io::Cursor;

use super::{
    Cancel, DecodeOptions, EncodeOptions, Error, FrameReader, FrameWriter, Header, Limits, Loops,
};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    format::InputFormat,
    geometry::Size,
};
use chunks::Info;

pub(super) use encode::{encode, encode_bytes};
pub(super) use still::Still;
pub(super) use strip::strip;

/// Bytes that the library may hold of a still besides the pixels: its rows, and an EXIF block,
/// which it cannot be told to leave alone.
const STILL_BYTES: usize = 8 << 20;

/// As [`STILL_BYTES`], of an animation: the library counts the rows of each frame anew.
const ANIMATION_BYTES: usize = 80 << 20;

/// What the library, its rows and its inflate state hold besides the pixels, as a rule.
const OVERHEAD: u64 = 1 << 20;

type Reader<'a> = ::png::Reader<Cursor<&'a [u8]>>;

/// Where the rows of the seven passes of an interlaced picture begin and how far apart their
/// pixels stand: x, y, Δx, Δy.
const ADAM7: [(usize, usize, usize, usize); 7] = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
];

pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    let info = Info::read(bytes)?;
    Ok(Header {
        format: InputFormat::Png,
        size: limits.admit(info.width, info.height)?,
        orientation: info.orientation(),
        frames: info.frames,
        animated: info.frames > 1,
        alpha: info.alpha(),
        depth: info.depth,
        lossless: true,
        held_bytes: 0,
        planes: None,
    })
}

pub(super) fn decode_bytes(header: &Header, options: &DecodeOptions) -> u64 {
    let pixels = u64::from(header.size.width) * u64::from(header.size.height);
    let sample = u64::from(header.depth.div_ceil(8));
    let pixel = match (options.page, header.alpha) {
        (0, false) => 3 * sample,
        (0, true) => 4 * sample,
        // The canvas, the frame upon it, and what the frame covered.
        _ => 4 + 4 * sample + 4 + 4,
    };
    pixels
        .saturating_mul(pixel)
        .saturating_add(row_bytes(header))
        .saturating_add(OVERHEAD)
}

/// Bytes of the rows that are worked on.
fn row_bytes(header: &Header) -> u64 {
    let sample = header.depth.div_ceil(8);
    let channels = if header.alpha { 4 } else { 3 };
    let line = header.size.width as usize * channels * usize::from(sample);
    let row = unfilter::Row { line, pixel: 1 };
    still::bytes(row, header.size.height as usize, line) as u64
}

/// Decodes the image that viewers without animation show (page 0), or a later frame.
pub(super) fn decode(
    bytes: &[u8],
    header: &Header,
    options: &DecodeOptions,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    if options.page > 0 {
        let mut frames = animation::Frames::open(bytes, limits)?;
        return frames.nth(options.page, cancel);
    }
    let info = Info::read(bytes)?;
    let colour = info.colour(limits)?;
    let mut reader = open(bytes, ::png::Transformations::EXPAND, STILL_BYTES)?;
    let (layout, samples) = match Still::new(bytes, &reader)? {
        Some(still) => {
            drop(reader);
            (still.layout(), whole(still, header.size, cancel)?)
        }
        None => (layout(&reader), scattered(&mut reader, &info, cancel)?),
    };
    Ok(Bitmap {
        size: header.size,
        layout,
        samples,
        colour,
    })
}

/// Bytes that reading a still row by row holds at its peak; `None` where rows of eight bits do not
/// come one after the other.
pub(super) fn rowwise_bytes(bytes: &[u8], header: &Header) -> Option<u64> {
    let info = Info::read(bytes).ok()?;
    if info.interlaced || info.framed || header.frames > 1 || header.depth > 8 {
        return None;
    }
    Some(row_bytes(header).saturating_add(OVERHEAD))
}

/// Opens a still of which [`rowwise_bytes`] knows what it holds.
pub(super) fn still<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(Still<'a>, Colour), Error> {
    let colour = Info::read(bytes)?.colour(limits)?;
    let reader = open(bytes, ::png::Transformations::EXPAND, STILL_BYTES)?;
    let still = Still::new(bytes, &reader)?.filter(|still| !still.is_wide());
    let still = still.ok_or_else(|| Error::broken("rows that come in another order"))?;
    Ok((still, colour))
}

/// All rows of a still.
fn whole(still: Still<'_>, size: Size, cancel: &Cancel) -> Result<Samples, Error> {
    let count = size.width as usize * size.height as usize * still.layout().channels();
    if still.is_wide() {
        let mut samples = Vec::with_capacity(count);
        still.read(cancel, |rows| {
            for row in rows.iter() {
                let pairs = row.as_chunks::<2>().0.iter();
                samples.extend(pairs.map(|pair| u16::from_be_bytes(*pair)));
            }
            Ok(())
        })?;
        return Ok(Samples::U16(samples));
    }
    let mut samples = Vec::with_capacity(count);
    still.read(cancel, |rows| {
        rows.iter().for_each(|row| samples.extend_from_slice(row));
        Ok(())
    })?;
    Ok(Samples::U8(samples))
}

/// The rows of a picture that is interlaced, or the first frame of an animation.
fn scattered(reader: &mut Reader<'_>, info: &Info<'_>, cancel: &Cancel) -> Result<Samples, Error> {
    let rows = Rows {
        size: Size::new(info.width, info.height),
        channels: layout(reader).channels(),
        interlaced: info.interlaced,
    };
    let (_, depth) = reader.output_color_type();
    Ok(if depth == ::png::BitDepth::Sixteen {
        Samples::U16(rows.read(reader, cancel)?)
    } else {
        Samples::U8(rows.read(reader, cancel)?)
    })
}

pub(super) fn frames<'a>(
    bytes: &'a [u8],
    _header: &Header,
    limits: &Limits,
) -> Result<Box<dyn FrameReader + 'a>, Error> {
    Ok(Box::new(animation::Frames::open(bytes, limits)?))
}

pub(super) fn animation(
    size: Size,
    loops: Loops,
    options: &EncodeOptions<'_>,
) -> Result<Box<dyn FrameWriter>, Error> {
    Ok(Box::new(animation::Writer::new(size, loops, options)?))
}

pub(super) fn exif(bytes: &[u8], limits: &Limits) -> Option<Vec<u8>> {
    let data = Info::read(bytes).ok()?.exif?;
    (data.len() <= limits.exif_bytes).then(|| data.to_vec())
}

/// The library's reader, told to leave alone what it would inflate without a limit.
fn open(
    bytes: &[u8],
    transformations: ::png::Transformations,
    most: usize,
) -> Result<Reader<'_>, Error> {
    let limits = ::png::Limits { bytes: most };
    let mut decoder = ::png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(transformations);
    decoder.read_info().map_err(failed)
}

#[cfg(fuzzing)]
pub(super) fn compare_inflated(bytes: &[u8]) {
    let [first, second, stream @ ..] = bytes else {
        return;
    };
    // What comes at a time, and how much is wanted at a time.
    let (step, room) = (usize::from(*first) * 64, usize::from(*second) * 64);
    inflate::compare::compare(stream, 1 << 18, step.max(1), room.max(1));
}

fn layout(reader: &Reader<'_>) -> Layout {
    use ::png::ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
    match reader.output_color_type().0 {
        Grayscale => Layout::Gray,
        GrayscaleAlpha => Layout::GrayAlpha,
        // Palettes are expanded.
        Rgb | Indexed => Layout::Rgb,
        Rgba => Layout::Rgba,
    }
}

fn failed(error: ::png::DecodingError) -> Error {
    match error {
        ::png::DecodingError::LimitsExceeded => {
            Error::Limit("needs more memory for its metadata than is allowed".to_owned())
        }
        other => Error::broken(other),
    }
}

/// How rows that the library reads become samples.
struct Rows {
    size: Size,
    channels: usize,
    interlaced: bool,
}

impl Rows {
    fn read<S: Sample>(&self, reader: &mut Reader<'_>, cancel: &Cancel) -> Result<Vec<S>, Error> {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let line = reader
            .output_line_size(self.size.width)
            .ok_or_else(|| Error::broken("a row beyond memory"))?;
        if line != width * self.channels * S::BYTES {
            return Err(Error::broken("rows of another width than the header's"));
        }
        let mut samples = vec![S::default(); width * height * self.channels];
        let mut row = vec![0; line];
        let whole = [(0, 0, 1, 1)];
        let passes = if self.interlaced { &ADAM7[..] } else { &whole };
        for &(left, top, across, down) in passes {
            // A pass without a column has no rows either.
            let bottom = if left < width { height } else { 0 };
            for y in (top..bottom).step_by(down) {
                cancel.check()?;
                if reader.read_row(&mut row).map_err(failed)?.is_none() {
                    return Err(Error::broken("fewer rows than the header says"));
                }
                let out = &mut samples[y * width * self.channels..][..width * self.channels];
                let pixels = out
                    .chunks_exact_mut(self.channels)
                    .skip(left)
                    .step_by(across);
                let bytes = row.chunks_exact(self.channels * S::BYTES);
                for (pixel, bytes) in pixels.zip(bytes) {
                    S::read(bytes, pixel);
                }
            }
        }
        // Past the last row: the checksums.
        if reader.read_row(&mut row).map_err(failed)?.is_some() {
            return Err(Error::broken("more rows than the header says"));
        }
        Ok(samples)
    }
}

/// A sample as it stands in the file.
trait Sample: Copy + Default {
    const BYTES: usize;

    fn read(bytes: &[u8], pixel: &mut [Self]);
}

impl Sample for u8 {
    const BYTES: usize = 1;

    fn read(bytes: &[u8], pixel: &mut [Self]) {
        pixel.copy_from_slice(bytes);
    }
}

impl Sample for u16 {
    const BYTES: usize = 2;

    fn read(bytes: &[u8], pixel: &mut [Self]) {
        for (sample, bytes) in pixel.iter_mut().zip(bytes.chunks_exact(2)) {
            *sample = Self::from_be_bytes([bytes[0], bytes[1]]);
        }
    }
}

#[cfg(test)]
mod tests;
