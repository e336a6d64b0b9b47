//! Progressive scans of all but the first coefficient: a band of them, of one component.

use super::{
    entropy::{Bits, Window},
    frame::Scan,
    huffman::{BLOCK, Codes, Grown, end_of_bands},
    progressive::{Blocks, band, square},
    units::Scanner,
};
use crate::pixels::codec::jpeg::ZIGZAG;

/// A place that is not kept.
const NOWHERE: u8 = u8::MAX;
/// Bits that are surely there after a refill.
const SURE: u32 = 56;
/// Half of the coefficients.
const LOW_HALF: u64 = u32::MAX as u64;

/// A band of a component, over all of its blocks.
struct Band<'a> {
    /// Its first coefficient, and the one after its last.
    first: usize,
    end: usize,
    /// The bit that a scan brings.
    low: u32,
    /// Blocks of which nothing more comes in this scan.
    over: u32,
    /// Where each coefficient is kept.
    places: [u8; BLOCK],
    across: usize,
    held: usize,
    kept: &'a mut [i16],
    history: &'a mut [u64],
}

/// A block of a band.
struct Block<'a> {
    kept: &'a mut [i16],
    /// Which coefficients are not zero.
    history: &'a mut u64,
    places: &'a [u8; BLOCK],
}

impl<'a> Band<'a> {
    fn new(scan: &Scan<'_>, blocks: &'a mut Blocks) -> Self {
        let side = blocks.eighths;
        let place = |natural: u8| {
            let (row, column) = (natural / 8, natural % 8);
            if row < side && column < side {
                row * side + column
            } else {
                NOWHERE
            }
        };
        Self {
            first: scan.band.0.into(),
            end: usize::from(scan.band.1) + 1,
            low: scan.low.into(),
            over: 0,
            places: ZIGZAG.map(place),
            across: blocks.across,
            held: usize::from(side) * usize::from(side),
            kept: &mut blocks.kept,
            history: &mut blocks.history,
        }
    }

    #[inline(always)]
    fn block(&mut self, x: usize, y: usize) -> Option<Block<'_>> {
        let at = y * self.across + x;
        Some(Block {
            kept: self.kept.get_mut(at * self.held..(at + 1) * self.held)?,
            history: self.history.get_mut(at)?,
            places: &self.places,
        })
    }
}

impl Block<'_> {
    /// Where a coefficient is kept, if it is.
    #[inline(always)]
    fn kept(&mut self, zigzag: usize) -> Option<&mut i16> {
        self.kept.get_mut(usize::from(self.places[zigzag % BLOCK]))
    }

    /// Takes the next bit of each of these coefficients, none of which is zero; those of `keep`
    /// get it.
    #[inline(always)]
    fn correct(&mut self, bits: &mut Bits, window: &Window, passed: u64, keep: u64, bit: i16) {
        if passed == 0 {
            return;
        }
        if passed.count_ones() > SURE {
            self.correct_few(bits, window, passed & LOW_HALF, keep, bit);
            self.correct_few(bits, window, passed & !LOW_HALF, keep, bit);
        } else {
            self.correct_few(bits, window, passed, keep, bit);
        }
    }

    /// The same for so few that there are surely bits for them after a refill.
    #[inline(always)]
    fn correct_few(&mut self, bits: &mut Bits, window: &Window, few: u64, keep: u64, bit: i16) {
        bits.refill(window);
        let mut wanted = few & keep;
        while wanted != 0 {
            let zigzag = wanted.trailing_zeros();
            wanted &= wanted - 1;
            let before = (few & ((1 << zigzag) - 1)).count_ones();
            let more = if bits.is_set(before) { bit } else { 0 };
            if let Some(kept) = self.kept(zigzag as usize) {
                *kept = kept.wrapping_add(if *kept < 0 { -more } else { more });
            }
        }
        bits.take(few.count_ones());
    }
}

/// `set` without its `count` lowest bits, `count` being at most 15. Runs are short and hard to
/// foresee, so it is done without branches for most.
#[inline(always)]
fn without_lowest(set: u64, count: u8) -> u64 {
    let clear = |set: u64| set & set.wrapping_sub(1);
    let mut rest = set;
    rest = if count & 1 == 0 { rest } else { clear(rest) };
    rest = if count & 2 == 0 {
        rest
    } else {
        clear(clear(rest))
    };
    for _ in 0..count >> 2 {
        rest = clear(clear(clear(clear(rest))));
    }
    rest
}

/// The first scan of a band.
pub(super) struct First<'a> {
    band: Band<'a>,
    codes: &'a Grown,
}

impl<'a> First<'a> {
    pub(super) fn new(scan: &Scan<'_>, codes: &'a Grown, blocks: &'a mut Blocks) -> Self {
        let band = Band::new(scan, blocks);
        Self { band, codes }
    }
}

impl Scanner for First<'_> {
    fn restart(&mut self) {
        self.band.over = 0;
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "as libjpeg does")]
    fn unit(&mut self, bits: &mut Bits, window: &Window, x: usize, y: usize) {
        if self.band.over > 0 {
            self.band.over -= 1;
            return;
        }
        let (mut next, end, low) = (self.band.first, self.band.end, self.band.low);
        let Some(mut block) = self.band.block(x, y) else {
            return;
        };
        let (mut now, mut over, mut found) = (*bits, 0, 0);
        while next < end {
            now.refill(window);
            // Four times 11 bits are surely there.
            for _ in 0..4 {
                let mut step = self.codes.step(&now);
                if step.bits == 0 {
                    now.refill(window);
                    (step, over) = self.codes.single(&mut now);
                    now.refill(window);
                }
                now.take(step.bits.into());
                next += usize::from(step.advance);
                if next > end {
                    // Past the band there may be an end, but no coefficient.
                    now.invalid |= step.value != 0;
                    break;
                }
                found |= u64::from(step.value != 0) << (next - 1);
                if let Some(kept) = block.kept(next - 1) {
                    *kept = (i32::from(step.value) << low) as i16;
                }
                if next == end {
                    break;
                }
            }
        }
        *block.history |= found;
        *bits = now;
        self.band.over = over;
    }
}

/// A later scan of a band: a bit more of each coefficient that is not zero, and those that the
/// bit makes so.
pub(super) struct Next<'a> {
    band: Band<'a>,
    codes: &'a Codes,
    /// The coefficients of the band, and those that are kept at all, a bit each.
    whole: u64,
    keep: u64,
}

impl<'a> Next<'a> {
    pub(super) fn new(scan: &Scan<'_>, codes: &'a Codes, blocks: &'a mut Blocks) -> Self {
        let (whole, keep) = (band(scan), square(blocks.eighths));
        let band = Band::new(scan, blocks);
        Self {
            band,
            codes,
            whole,
            keep,
        }
    }
}

impl Scanner for Next<'_> {
    fn restart(&mut self) {
        self.band.over = 0;
    }

    #[inline(always)]
    fn unit(&mut self, bits: &mut Bits, window: &Window, x: usize, y: usize) {
        let (mut next, end, bit) = (self.band.first, self.band.end, 1i16 << self.band.low);
        let (whole, keep, mut over) = (self.whole, self.keep, self.band.over);
        let Some(mut block) = self.band.block(x, y) else {
            return;
        };
        let mut now = *bits;
        while over == 0 && next < end {
            now.refill(window);
            let symbol = self.codes.symbol(&mut now);
            let (run, size) = (symbol >> 4, symbol & 15);
            if size == 0 && run < 15 {
                // This block is one of them.
                over = end_of_bands(&mut now, run) + 1;
                break;
            }
            let value = if now.is_set(0) { bit } else { -bit };
            now.take(size.into());
            // Of the coefficients that are zero, the one after `run` others.
            let rest = whole & (u64::MAX << next);
            let zeros = rest & !*block.history;
            let place = without_lowest(zeros, run).trailing_zeros();
            let passed = rest & *block.history & (u64::MAX >> (u64::BITS - place));
            block.correct(&mut now, window, passed, keep, bit);
            next = place as usize + 1;
            if size > 0 {
                now.invalid |= size > 1 || place == u64::BITS;
                *block.history |= 1u64.checked_shl(place).unwrap_or(0);
                if let Some(kept) = block.kept(place as usize) {
                    *kept = value;
                }
            }
        }
        if over > 0 {
            over -= 1;
            let rest = if next < end { u64::MAX << next } else { 0 };
            let passed = whole & rest & *block.history;
            block.correct(&mut now, window, passed, keep, bit);
        }
        *bits = now;
        self.band.over = over;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_bits_are_cleared() {
        for set in [
            0,
            1,
            0b1011_0101,
            u64::MAX,
            u64::MAX << 60,
            0x8000_0000_0000_0001,
        ] {
            let mut rest = set;
            for count in 0..16 {
                assert_eq!(without_lowest(set, count), rest, "{count} of {set:b}");
                rest &= rest.wrapping_sub(1);
            }
        }
    }
}
