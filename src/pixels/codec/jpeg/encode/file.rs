//! The segments of a file.

use super::{Input, code::Code, frame::Frame, symbols::REST};
use crate::pixels::codec::{Error, admit, jpeg::ZIGZAG};

/// Bytes of a segment's payload: its length field counts itself.
const SEGMENT: usize = 65_533;
const EXIF: &[u8] = b"Exif\0\0";
const ICC: &[u8] = b"ICC_PROFILE\0";

const START: u8 = 0xD8;
const END: u8 = 0xD9;
const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const QUANTISERS: u8 = 0xDB;
const BASELINE: u8 = 0xC0;
const PROGRESSIVE: u8 = 0xC2;
const CODES: u8 = 0xC4;
const SCAN: u8 = 0xDA;

/// A scan's header.
pub(super) struct Scan {
    /// The tables of each.
    pub(super) components: Vec<usize>,
    /// The first component of them.
    pub(super) first: usize,
    /// The first and the last coefficient.
    pub(super) band: (u32, u32),
    /// The lowest bit that was there before, and the lowest now.
    pub(super) bits: (u32, u32),
}

impl Scan {
    /// Of all components.
    pub(super) fn of_all(frame: &Frame<'_>, band: (u32, u32)) -> Self {
        let tables = frame.components.iter().map(|component| component.tables);
        Self {
            components: tables.collect(),
            first: 0,
            band,
            bits: (0, 0),
        }
    }
}

/// All before the first scan.
pub(super) fn head(
    input: &Input<'_>,
    frame: &Frame<'_>,
    tables: &[[u8; 64]; 2],
) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0xFF, START];
    // Version 1.1, square pixels, no thumbnail.
    segment(&mut bytes, APP0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")?;
    metadata(&mut bytes, input)?;
    for component in frame.components.iter().take(tables.len()) {
        let number = component.tables;
        let mut payload = vec![number.to_le_bytes()[0]];
        payload.extend(ZIGZAG.map(|place| tables[number][usize::from(place)]));
        segment(&mut bytes, QUANTISERS, &payload)?;
    }
    let side = |side: u32| {
        u16::try_from(side)
            .map(u16::to_be_bytes)
            .map_err(|_| admit::encode("a side that JPEG cannot say"))
    };
    let mut payload = vec![8];
    payload.extend(side(input.picture.size.height)?);
    payload.extend(side(input.picture.size.width)?);
    payload.push(frame.components.len().to_le_bytes()[0]);
    for (number, component) in (1..).zip(&frame.components) {
        let factor = component.factor.to_le_bytes()[0];
        payload.extend([
            number,
            factor << 4 | factor,
            component.tables.to_le_bytes()[0],
        ]);
    }
    let kind = if input.progressive {
        PROGRESSIVE
    } else {
        BASELINE
    };
    segment(&mut bytes, kind, &payload)?;
    Ok(bytes)
}

/// EXIF, where it fits its one segment, and the profile, in as many as it needs.
fn metadata(bytes: &mut Vec<u8>, input: &Input<'_>) -> Result<(), Error> {
    if let Some(exif) = input.exif
        && EXIF.len() + exif.len() <= SEGMENT
    {
        segment(bytes, APP1, &[EXIF, exif].concat())?;
    }
    let Some(profile) = input.icc else {
        return Ok(());
    };
    let chunks = profile.chunks(SEGMENT - ICC.len() - 2);
    let count = u8::try_from(chunks.len())
        .map_err(|_| admit::encode("a colour profile of more than 255 segments"))?;
    for (number, chunk) in (1..=count).zip(chunks) {
        segment(bytes, APP2, &[ICC, &[number, count], chunk].concat())?;
    }
    Ok(())
}

fn segment(bytes: &mut Vec<u8>, marker: u8, payload: &[u8]) -> Result<(), Error> {
    let length = u16::try_from(payload.len() + 2)
        .map_err(|_| admit::encode("a segment that is too long"))?;
    bytes.extend([0xFF, marker]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(payload);
    Ok(())
}

/// A table of codes: those of means come first, then those of the rest.
pub(super) fn codes(bytes: &mut Vec<u8>, table: usize, code: &Code) {
    let (class, number) = (table / REST, table % REST);
    let mut payload = vec![(class << 4 | number).to_le_bytes()[0]];
    code.write(&mut payload);
    // 17 + 256 bytes at most.
    let _ = segment(bytes, CODES, &payload);
}

/// The header of a scan.
pub(super) fn scan(bytes: &mut Vec<u8>, scan: &Scan) {
    let mut payload = vec![scan.components.len().to_le_bytes()[0]];
    for (number, tables) in (scan.first + 1..).zip(&scan.components) {
        payload.extend([number, tables << 4 | tables].map(|byte| byte.to_le_bytes()[0]));
    }
    let (before, low) = scan.bits;
    payload.extend([scan.band.0, scan.band.1, before << 4 | low].map(|byte| byte.to_le_bytes()[0]));
    // A few bytes.
    let _ = segment(bytes, SCAN, &payload);
}

/// Ends the file.
pub(super) fn end(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend([0xFF, END]);
    bytes
}
