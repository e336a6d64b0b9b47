//! Windows bitmaps, through the `image` crate.

use std::io::Cursor;

use image::{ColorType, ImageDecoder, codecs::bmp::BmpDecoder};

use super::{
    super::{Cancel, DecodeOptions, Error, Header, Limits},
    failed, guarded,
};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    format::InputFormat,
    geometry::Size,
};

/// Rows, tables, and what the library reads ahead.
const OVERHEAD: u64 = 1 << 20;

pub(in super::super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    let (width, height) = sides(bytes).ok_or_else(|| Error::broken("no whole BMP header"))?;
    let size = limits.admit(width, height)?;
    let decoder = guarded(|| BmpDecoder::new(Cursor::new(bytes)).map_err(failed))?;
    if decoder.dimensions() != (size.width, size.height) {
        return Err(Error::broken("two sizes of one BMP"));
    }
    Ok(Header {
        format: InputFormat::Bmp,
        size,
        orientation: 1,
        frames: 1,
        animated: false,
        alpha: decoder.color_type().has_alpha(),
        depth: 8,
        lossless: true,
        held_bytes: 0,
        planes: None,
    })
}

/// Width and height as the header says, before anything is made of them. A height below 0 says
/// that the top row comes first.
fn sides(bytes: &[u8]) -> Option<(u32, u32)> {
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(u32::from(u16::from_le_bytes(bytes)))
    };
    let long = |at: usize| {
        let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(i32::from_le_bytes(bytes).unsigned_abs())
    };
    // The oldest header has sides of 16 bits.
    match long(14)? {
        12 => Some((word(18)?, word(20)?)),
        _ => Some((long(18)?, long(22)?)),
    }
}

pub(in super::super) fn decode_bytes(header: &Header, _options: &DecodeOptions) -> u64 {
    let pixels = u64::from(header.size.width) * u64::from(header.size.height);
    let pixel = if header.alpha { 4 } else { 3 };
    pixels.saturating_mul(pixel).saturating_add(OVERHEAD)
}

pub(in super::super) fn decode(
    bytes: &[u8],
    header: &Header,
    options: &DecodeOptions,
    _limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    cancel.check()?;
    let most = decode_bytes(header, options);
    guarded(|| {
        let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(failed)?;
        let mut bitmap = read(decoder, header.size, most)?;
        show_if_hidden(&mut bitmap);
        Ok(bitmap)
    })
}

/// Some writers announce alpha and leave it 0 throughout. Nobody means a picture of nothing.
fn show_if_hidden(bitmap: &mut Bitmap) {
    if let (Layout::Rgba, Samples::U8(samples)) = (bitmap.layout, &mut bitmap.samples) {
        let pixels = samples.as_chunks_mut::<4>().0;
        if pixels.iter().all(|pixel| pixel[3] == 0) {
            for pixel in pixels {
                pixel[3] = 255;
            }
        }
    }
}

/// Reads all pixels of a decoder of the `image` crate.
pub(super) fn read(mut decoder: impl ImageDecoder, size: Size, most: u64) -> Result<Bitmap, Error> {
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(most);
    decoder.set_limits(limits).map_err(failed)?;
    let layout = match decoder.color_type() {
        ColorType::L8 => Layout::Gray,
        ColorType::La8 => Layout::GrayAlpha,
        ColorType::Rgb8 => Layout::Rgb,
        ColorType::Rgba8 => Layout::Rgba,
        _ => return Err(Error::broken("samples of an unforeseen type")),
    };
    let wanted = size.width as usize * size.height as usize * layout.channels();
    let length = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
    if length != wanted {
        return Err(Error::broken("two sizes of one picture"));
    }
    let mut samples = vec![0; length];
    decoder.read_image(&mut samples).map_err(failed)?;
    Ok(Bitmap {
        size,
        layout,
        samples: Samples::U8(samples),
        colour: Colour::Srgb,
    })
}
