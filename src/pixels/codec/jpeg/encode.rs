//! Planes to JPEG: baseline, or progressive. Codes are made for each picture.
#![expect(
    clippy::inline_always,
    reason = "what runs for each coefficient has to be part of the code that is made for the processor"
)]

mod bits;
mod code;
mod file;
mod forward;
mod frame;
mod progressive;
mod sequential;
mod symbols;
mod tables;

use self::{
    file::Scan,
    forward::{Coefficients, Quantiser},
    frame::Frame,
    symbols::REST,
};
use crate::pixels::{
    codec::{Cancel, Error, quality},
    geometry::Size,
};

/// What to encode, and how.
pub(super) struct Input<'a> {
    pub(super) picture: Picture<'a>,
    pub(super) quality: u8,
    pub(super) progressive: bool,
    pub(super) icc: Option<&'a [u8]>,
    pub(super) exif: Option<&'a [u8]>,
}

/// The picture itself, as it is to be coded.
#[derive(Clone, Copy)]
pub(super) struct Picture<'a> {
    pub(super) size: Size,
    pub(super) luma: &'a [u8],
    /// Absent: gray.
    pub(super) chroma: Option<Chroma<'a>>,
}

/// Colour differences of BT.601.
#[derive(Clone, Copy)]
pub(super) struct Chroma<'a> {
    pub(super) blue: &'a [u8],
    pub(super) red: &'a [u8],
    /// Whether at half the resolution, across and down, rounded up.
    pub(super) halved: bool,
}

/// Bytes that [`encode`] holds at its peak, the file aside, and planes that were made for it put in.
pub(super) fn bytes(size: Size, halved: bool, progressive: bool) -> u64 {
    let across = u64::from(size.width).next_multiple_of(2 * forward::ACROSS as u64);
    let down = u64::from(size.height).next_multiple_of(2 * forward::SIDE as u64);
    // Samples of all planes, in halves of a pixel.
    let samples = |pixels: u64| pixels.saturating_mul(if halved { 3 } else { 6 }) / 2;
    let coefficients = if progressive {
        let each = size_of::<Coefficients>() as u64;
        samples(across.saturating_mul(down)).saturating_mul(each)
            / (forward::ACROSS * forward::SIDE) as u64
    } else {
        0
    };
    // A row of units: its coefficients, its samples and its bits.
    samples(u64::from(size.width) * u64::from(size.height))
        .saturating_add(coefficients)
        .saturating_add(across.saturating_mul(ROW))
        .saturating_add(TABLES)
}

/// Bytes of a row of units, by what it is across: 54 of coefficients, 81 of bits, 8 of samples.
const ROW: u64 = 143;

/// Bytes of all codes, and of what they are made of.
const TABLES: u64 = 32 << 10;

/// Encodes.
///
/// # Errors
/// [`Error::Encode`], [`Error::Cancelled`].
pub(super) fn encode(input: &Input<'_>, cancel: &Cancel) -> Result<Vec<u8>, Error> {
    let frame = Frame::new(&input.picture)?;
    let tables = tables::of(quality::jpeg(input.quality));
    let quantisers = tables.each_ref().map(Quantiser::new);
    let mut bytes = file::head(input, &frame, &tables)?;
    if input.progressive {
        let bytes = progressive::write(&frame, &quantisers, bytes, cancel)?;
        return Ok(file::end(bytes));
    }
    let codes = sequential::codes(&frame, &quantisers, cancel)?;
    for (number, code) in codes.iter().enumerate() {
        if frame
            .components
            .iter()
            .any(|component| component.tables == number % REST)
        {
            file::codes(&mut bytes, number, code);
        }
    }
    file::scan(&mut bytes, &Scan::of_all(&frame, (0, 63)));
    let bytes = sequential::write(&frame, &quantisers, &codes, bytes, cancel)?;
    Ok(file::end(bytes))
}
