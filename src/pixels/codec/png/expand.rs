//! Rows as they are coded to rows of samples: palettes, gray of less than eight bits, and the one
//! colour that is transparent.

use ::png::{ColorType, Info};

use super::super::Error;
use crate::pixels::bitmap::Layout;

/// What is to be done to each row, beyond its filter.
pub(super) enum Expand {
    /// Nothing: samples stand as they are, those of sixteen bits high byte first.
    Nothing,
    /// Numbers of so many bits are looked up; the first `channels` bytes count.
    Look {
        table: Box<[[u8; 4]; 256]>,
        bits: u8,
        channels: usize,
    },
    /// Alpha is added: none where a pixel is exactly this.
    Alpha {
        clear: Vec<u8>,
        /// Bytes of a pixel without alpha.
        pixel: usize,
        /// Bytes of alpha.
        sample: usize,
    },
}

impl Expand {
    /// By what the library has read, and was found consistent.
    pub(super) fn new(info: &Info<'_>) -> Result<Self, Error> {
        let bits = info.bit_depth as u8;
        let clear = info.trns.as_deref();
        Ok(match (info.color_type, clear) {
            (ColorType::Indexed, clear) => {
                let colours = info.palette.as_deref();
                let colours = colours.ok_or_else(|| Error::broken("no palette"))?;
                Self::Look {
                    table: palette(colours, clear.unwrap_or_default()),
                    bits,
                    channels: 3 + usize::from(clear.is_some()),
                }
            }
            (ColorType::Grayscale, clear) if bits < 8 || (bits == 8 && clear.is_some()) => {
                Self::Look {
                    table: grays(bits, clear.and_then(|clear| clear.first().copied())),
                    bits,
                    channels: 1 + usize::from(clear.is_some()),
                }
            }
            (ColorType::Grayscale | ColorType::Rgb, Some(clear)) => Self::Alpha {
                clear: clear.to_vec(),
                pixel: info.bytes_per_pixel(),
                sample: usize::from(bits.div_ceil(8)),
            },
            _ => Self::Nothing,
        })
    }

    /// Expands one row.
    pub(super) fn row(&self, coded: &[u8], out: &mut [u8]) {
        match self {
            Self::Nothing => out.copy_from_slice(coded),
            Self::Look {
                table,
                bits,
                channels,
            } => match channels {
                1 => look::<1>(coded, out, table, *bits),
                2 => look::<2>(coded, out, table, *bits),
                3 => look::<3>(coded, out, table, *bits),
                _ => look::<4>(coded, out, table, *bits),
            },
            Self::Alpha {
                clear,
                pixel,
                sample,
            } => {
                let pixels = out.chunks_exact_mut(pixel + sample);
                for (out, coded) in pixels.zip(coded.chunks_exact(*pixel)) {
                    let (colours, alpha) = out.split_at_mut(*pixel);
                    colours.copy_from_slice(coded);
                    alpha.fill(if coded == clear { 0 } else { 255 });
                }
            }
        }
    }
}

/// What pixels are after that.
pub(super) fn layout(info: &Info<'_>) -> Layout {
    match (info.color_type, info.trns.is_some()) {
        (ColorType::Grayscale, false) => Layout::Gray,
        (ColorType::Grayscale, true) | (ColorType::GrayscaleAlpha, _) => Layout::GrayAlpha,
        (ColorType::Rgb | ColorType::Indexed, false) => Layout::Rgb,
        (ColorType::Rgb | ColorType::Indexed, true) | (ColorType::Rgba, _) => Layout::Rgba,
    }
}

/// Colours that are missing are black, and more alphas than there are colours are none.
fn palette(colours: &[u8], alphas: &[u8]) -> Box<[[u8; 4]; 256]> {
    let mut table = Box::new([[0, 0, 0, 255]; 256]);
    let colours = colours.as_chunks::<3>().0;
    for (entry, colour) in table.iter_mut().zip(colours) {
        entry[..3].copy_from_slice(colour);
    }
    if alphas.len() <= colours.len() {
        for (entry, alpha) in table.iter_mut().zip(alphas) {
            entry[3] = *alpha;
        }
    }
    table
}

/// Grays, from black to white.
fn grays(bits: u8, clear: Option<u8>) -> Box<[[u8; 4]; 256]> {
    let most = u8::MAX >> (8 - bits);
    let mut table = Box::new([[0; 4]; 256]);
    for (number, entry) in (0..=most).zip(table.iter_mut()) {
        let alpha = if Some(number) == clear { 0 } else { 255 };
        *entry = [number * (u8::MAX / most), alpha, 0, 0];
    }
    table
}

fn look<const CHANNELS: usize>(coded: &[u8], out: &mut [u8], table: &[[u8; 4]; 256], bits: u8) {
    let pixels = out.as_chunks_mut::<CHANNELS>().0;
    let entry = |number: u8| -> [u8; CHANNELS] {
        let entry = &table[usize::from(number)];
        std::array::from_fn(|channel| entry[channel])
    };
    if bits == 8 {
        for (pixel, number) in pixels.iter_mut().zip(coded) {
            *pixel = entry(*number);
        }
        return;
    }
    // The high bits come first.
    let each = usize::from(8 / bits);
    let mask = u8::MAX >> (8 - bits);
    for (pixels, byte) in pixels.chunks_mut(each).zip(coded) {
        let mut rest = *byte;
        for pixel in pixels {
            rest = rest.rotate_left(bits.into());
            *pixel = entry(rest & mask);
        }
    }
}
