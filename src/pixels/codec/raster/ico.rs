//! Windows icons and cursors: the largest picture, of those the deepest. Pictures inside are PNGs,
//! which are ours to read, or bitmaps with a mask, which the `image` crate reads.

use std::io::Cursor;

use image::codecs::ico::IcoDecoder;

use super::{
    super::{Cancel, DecodeOptions, Error, Header, Limits, png},
    bmp, guarded,
};
use crate::pixels::{
    bitmap::Bitmap,
    format::{InputFormat, Sniffed, sniff},
};

/// Real icons hold a dozen pictures; those further down are not looked at.
const MOST_ENTRIES: usize = 256;

const OVERHEAD: u64 = 1 << 20;

/// A picture inside.
enum Entry<'a> {
    Png(&'a [u8]),
    Bitmap(&'a [u8]),
}

pub(in super::super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    let header = match largest(bytes)? {
        Entry::Png(inside) => png::probe(inside, limits)?,
        Entry::Bitmap(inside) => {
            let (width, height) = sides(inside)?;
            Header {
                format: InputFormat::Ico,
                size: limits.admit(width, height)?,
                orientation: 1,
                frames: 1,
                animated: false,
                alpha: true,
                depth: 8,
                lossless: true,
                held_bytes: 0,
                planes: None,
            }
        }
    };
    Ok(Header {
        format: InputFormat::Ico,
        frames: 1,
        animated: false,
        ..header
    })
}

pub(in super::super) fn decode_bytes(header: &Header, options: &DecodeOptions) -> u64 {
    png::decode_bytes(header, options).saturating_add(OVERHEAD)
}

pub(in super::super) fn decode(
    bytes: &[u8],
    header: &Header,
    options: &DecodeOptions,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    match largest(bytes)? {
        Entry::Png(inside) => png::decode(inside, header, options, limits, cancel),
        Entry::Bitmap(inside) => {
            let alone = alone(inside)?;
            let most = decode_bytes(header, options);
            guarded(|| {
                let decoder = IcoDecoder::new(Cursor::new(&alone[..])).map_err(super::failed)?;
                bmp::read(decoder, header.size, most)
            })
        }
    }
}

/// The picture with the most pixels. What the directory says of sizes and depths is often wrong;
/// only what the pictures say counts.
fn largest(bytes: &[u8]) -> Result<Entry<'_>, Error> {
    let count = bytes
        .get(4..6)
        .map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])))
        .ok_or_else(|| Error::broken("no icon directory"))?;
    let entries = bytes[6..].chunks_exact(16).take(count.min(MOST_ENTRIES));
    let word = |entry: &[u8], at: usize| {
        u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]) as usize
    };
    entries
        .filter_map(|entry| {
            let start = word(entry, 12);
            let end = start.checked_add(word(entry, 8))?.min(bytes.len());
            rank(bytes.get(start..end)?)
        })
        // Of equals, the first.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, entry)| entry)
        .ok_or_else(|| Error::broken("no picture in the icon"))
}

/// A picture, by its pixels and its bits a pixel.
fn rank(inside: &[u8]) -> Option<((u64, u16), Entry<'_>)> {
    if sniff(inside) == Sniffed::Known(InputFormat::Png) {
        let side = |at: usize| {
            let bytes = inside.get(at..at + 4)?.try_into().ok()?;
            Some(u64::from(u32::from_be_bytes(bytes)))
        };
        let pixels = side(16)?.saturating_mul(side(20)?);
        return Some(((pixels, 32), Entry::Png(inside)));
    }
    let (width, height) = sides(inside).ok()?;
    let bits = inside.get(14..16)?;
    let bits = u16::from_le_bytes([bits[0], bits[1]]);
    let pixels = u64::from(width) * u64::from(height);
    Some(((pixels, bits), Entry::Bitmap(inside)))
}

/// Width and height of a bitmap inside: its header counts the rows of the mask as well.
fn sides(inside: &[u8]) -> Result<(u32, u32), Error> {
    let head = inside
        .first_chunk::<16>()
        .filter(|head| matches!(head[..4], [40 | 52 | 56 | 108 | 124, 0, 0, 0]))
        .ok_or_else(|| Error::broken("no bitmap header in the icon"))?;
    let side = |at: usize| {
        i32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]).unsigned_abs()
    };
    Ok((side(4), side(8) / 2))
}

/// An icon of this bitmap alone, with a directory that tells the truth.
fn alone(inside: &[u8]) -> Result<Vec<u8>, Error> {
    const START: u32 = 6 + 16;
    let (width, height) = sides(inside)?;
    // 256 and more are written as 0.
    let side = |length: u32| u8::try_from(length).unwrap_or(0);
    let length = u32::try_from(inside.len()).map_err(Error::broken)?;
    let mut icon = vec![
        0,
        0,
        1,
        0,
        1,
        0,
        side(width),
        side(height),
        0,
        0,
        1,
        0,
        32,
        0,
    ];
    icon.extend_from_slice(&length.to_le_bytes());
    icon.extend_from_slice(&START.to_le_bytes());
    icon.extend_from_slice(inside);
    Ok(icon)
}
