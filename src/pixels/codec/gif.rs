//! GIF: a walker and a compositor of our own on an LZW decoder, and a writer that chooses the
//! colours. Colour is sRGB; profiles in application extensions are ignored, as browsers do.

mod blocks;
mod compose;
mod encode;
mod lzw;
mod strip;

use std::num::NonZeroU32;

use super::{
    Cancel, DecodeOptions, EncodeOptions, Error, FrameReader, FrameWriter, Header, Limits, Loops,
};
use crate::pixels::{bitmap::Bitmap, format::InputFormat, geometry::Size};
use blocks::Kind;
use compose::Frames;

pub(super) use encode::{encode, encode_bytes};
pub(super) use strip::strip;

/// Rows, tables and the LZW dictionary.
const OVERHEAD: u64 = 1 << 20;

/// Reads the screen and hops over the blocks. Frames without a pixel do not count; those past
/// `limits.frames` do, because the first of them is a still like any other.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    let (screen, blocks) = blocks::open(bytes)?;
    let size = limits.admit(u32::from(screen.width), u32::from(screen.height))?;
    let mut frames = 0u32;
    let mut alpha = false;
    for block in blocks {
        match block.kind {
            Kind::Control(control) => alpha |= control.transparent.is_some(),
            Kind::Image(image) if image.pixels() > 0 => {
                if image.pixels() > limits.pixels {
                    return Err(Error::Limit(format!(
                        "has a frame of {} × {} pixels; {} are allowed",
                        image.width, image.height, limits.pixels
                    )));
                }
                frames = frames.saturating_add(1);
            }
            Kind::Trailer => break,
            _ => {}
        }
    }
    if frames == 0 {
        return Err(Error::broken("no whole GIF frame"));
    }
    Ok(Header {
        format: InputFormat::Gif,
        size,
        orientation: 1,
        frames,
        animated: frames > 1,
        alpha,
        depth: 8,
        lossless: true,
        held_bytes: 0,
        planes: None,
    })
}

pub(super) fn decode_bytes(header: &Header, options: &DecodeOptions) -> u64 {
    let pixels = u64::from(header.size.width) * u64::from(header.size.height);
    // The canvas, and for a later frame what frames before it covered.
    let pixel = if options.page == 0 { 4 } else { 8 };
    pixels
        .saturating_mul(pixel)
        .saturating_add(lzw::bytes(pixels))
        .saturating_add(OVERHEAD)
}

pub(super) fn decode(
    bytes: &[u8],
    header: &Header,
    options: &DecodeOptions,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    let count = options.page.saturating_add(1);
    let allowance = compose::allowance(limits);
    Frames::open(bytes, header, None, count, allowance)?.last(cancel)
}

pub(super) fn frames<'a>(
    bytes: &'a [u8],
    header: &Header,
    limits: &Limits,
) -> Result<Box<dyn FrameReader + 'a>, Error> {
    let loops = loops(bytes)?;
    let allowance = compose::allowance(limits);
    let frames = Frames::open(bytes, header, loops, header.frames, allowance)?;
    Ok(Box::new(frames))
}

pub(super) fn animation(
    size: Size,
    loops: Loops,
    _options: &EncodeOptions<'_>,
) -> Result<Box<dyn FrameWriter>, Error> {
    Ok(Box::new(encode::Writer::new(size, loops)?))
}

/// How often the file says it runs. Without a word about it, once; with one, that many times
/// *again*, and 0 is for ever.
fn loops(bytes: &[u8]) -> Result<Loops, Error> {
    let (_, blocks) = blocks::open(bytes)?;
    for block in blocks {
        let Kind::Application(data) = block.kind else {
            continue;
        };
        let mut data = data.pieces();
        if matches!(data.next(), Some(b"NETSCAPE2.0" | b"ANIMEXTS1.0"))
            && let Some([1, low, high]) = data.next()
        {
            return Ok(match u16::from_le_bytes([*low, *high]) {
                0 => None,
                again => NonZeroU32::new(u32::from(again) + 1),
            });
        }
    }
    Ok(NonZeroU32::new(1))
}

#[cfg(test)]
mod tests;
