//! What is said before the coefficients: the frame's header, and how each block is predicted.

use super::{
    bits::Writer,
    quantise::OFFSETS,
    tables::{Chances, INITIAL_CHANCES, RENEWAL_CHANCES, SMALL_MODE_CHANCES},
};

/// What is said of a block of 16×16.
#[derive(Clone, Copy, Default)]
pub(super) struct Said {
    /// 0 to 3 where luma is predicted whole.
    pub(super) whole: Option<u8>,
    pub(super) colour: u8,
    /// Whether there are coefficients.
    pub(super) some: bool,
    /// Ways of predicting small blocks, two a byte.
    pub(super) small: [u8; 8],
}

impl Said {
    pub(super) fn pack(small: &[u8; 16]) -> [u8; 8] {
        std::array::from_fn(|i| small[2 * i] | small[2 * i + 1] << 4)
    }

    fn mode(&self, number: usize) -> u8 {
        self.whole
            .unwrap_or_else(|| self.small[number / 2] >> (number % 2 * 4) & 15)
    }
}

/// What is said of the whole frame.
pub(super) struct Frame<'a> {
    /// Index of luma's quantiser.
    pub(super) quantiser: u8,
    /// 0 to 63.
    pub(super) filter: u8,
    pub(super) chances: &'a Chances,
}

/// Writes the first partition; `across` blocks are in a row.
pub(super) fn write(writer: &mut Writer<'_>, frame: &Frame<'_>, blocks: &[Said], across: usize) {
    // Colour by the usual matrix; decoders clamp.
    writer.number(0, 2);
    // No segments.
    writer.put(false, 128);
    // The normal filter, without sharpness.
    writer.put(false, 128);
    writer.number(u32::from(frame.filter), 6);
    writer.number(0, 3);
    // No adjustments of the filter; one partition of coefficients.
    writer.put(false, 128);
    writer.number(0, 2);
    writer.number(u32::from(frame.quantiser), 7);
    for offset in OFFSETS {
        writer.signed(i32::from(offset), 4);
    }
    // The chances are not kept for another frame.
    writer.put(false, 128);
    write_chances(writer, frame.chances);
    let empty = blocks.iter().filter(|block| !block.some).count();
    let chance = ((blocks.len() - empty) * 255 / blocks.len().max(1)).clamp(1, 255) as u8;
    writer.put(empty > 0, 128);
    if empty > 0 {
        writer.number(u32::from(chance), 8);
    }
    let mut above = vec![[0; 4]; across];
    for row in blocks.chunks(across.max(1)) {
        let mut left = [0; 4];
        for (block, above) in row.iter().zip(&mut above) {
            if empty > 0 {
                writer.put(!block.some, chance);
            }
            write_block(writer, block, above, &mut left);
        }
    }
}

fn write_chances(writer: &mut Writer<'_>, chances: &Chances) {
    let all = chances.as_flattened().as_flattened().as_flattened();
    let initial = INITIAL_CHANCES.as_flattened().as_flattened().as_flattened();
    let renewal = RENEWAL_CHANCES.as_flattened().as_flattened().as_flattened();
    for ((chance, initial), renewal) in all.iter().zip(initial).zip(renewal) {
        writer.put(chance != initial, *renewal);
        if chance != initial {
            writer.number(u32::from(*chance), 8);
        }
    }
}

fn write_block(writer: &mut Writer<'_>, block: &Said, above: &mut [u8; 4], left: &mut [u8; 4]) {
    writer.put(block.whole.is_some(), 145);
    if let Some(mode) = block.whole {
        // Mean 0, slope 1, down 2, across 3.
        let far = mode == 1 || mode == 3;
        writer.put(far, 156);
        if far {
            writer.put(mode == 1, 128);
        } else {
            writer.put(mode == 2, 163);
        }
        (*above, *left) = ([mode; 4], [mode; 4]);
    } else {
        for number in 0..16 {
            let (x, y) = (number % 4, number / 4);
            let mode = block.mode(number);
            let chances = &SMALL_MODE_CHANCES[usize::from(above[x])][usize::from(left[y])];
            write_small(writer, mode, chances);
            (above[x], left[y]) = (mode, mode);
        }
    }
    let colour = block.colour;
    writer.put(colour != 0, 142);
    if colour != 0 {
        writer.put(colour != 2, 114);
        if colour != 2 {
            writer.put(colour != 3, 183);
        }
    }
}

fn write_small(writer: &mut Writer<'_>, mode: u8, p: &[u8; 9]) {
    // The order in which the tree asks.
    for (asked, chance) in (0..3).zip(p) {
        writer.put(mode != asked, *chance);
        if mode == asked {
            return;
        }
    }
    writer.put(mode >= 6, p[3]);
    if mode < 6 {
        writer.put(mode != 3, p[4]);
        if mode != 3 {
            writer.put(mode != 4, p[5]);
        }
        return;
    }
    for (asked, chance) in (6..9).zip(&p[6..]) {
        writer.put(mode != asked, *chance);
        if mode == asked {
            return;
        }
    }
}
