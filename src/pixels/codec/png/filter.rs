//! Filters for rows that are written: of each row the one that leaves the smallest differences.
#![expect(
    clippy::inline_always,
    reason = "what runs for each byte has to be part of the code that is made for the processor"
)]

use super::super::processor::{Work, fastest};

/// Bytes before a row, of zeros: more than the largest pixel has.
const BEFORE: usize = 8;

/// The filters that are tried, by their numbers in the file. Of two as good, the later is taken.
const KINDS: [u8; 4] = [2, 1, 3, 4];

/// Rows as they are filtered.
pub(super) struct Filters {
    /// Bytes of a pixel.
    pixel: usize,
    above: Vec<u8>,
    row: Vec<u8>,
    /// What each filter leaves.
    left: [Vec<u8>; KINDS.len()],
}

impl Filters {
    /// For rows of `line` bytes, of pixels of at most eight.
    pub(super) fn new(line: usize, pixel: usize) -> Self {
        Self {
            pixel: pixel.min(BEFORE),
            above: vec![0; BEFORE + line],
            row: vec![0; BEFORE + line],
            left: std::array::from_fn(|_| vec![0; line]),
        }
    }

    /// Writes the next row, filtered, behind the number of its filter.
    pub(super) fn push(&mut self, row: impl FnOnce(&mut [u8]), out: &mut Vec<u8>) {
        std::mem::swap(&mut self.above, &mut self.row);
        row(&mut self.row[BEFORE..]);
        let costs = fastest(Row(&mut *self));
        let best = (0..KINDS.len()).rev().min_by_key(|kind| costs[*kind]);
        let best = best.unwrap_or(0);
        out.push(KINDS[best]);
        out.extend_from_slice(&self.left[best]);
    }
}

/// A row to be filtered in each way.
struct Row<'a>(&'a mut Filters);

impl Work for Row<'_> {
    type Done = [u64; KINDS.len()];

    #[inline(always)]
    fn run(self) -> Self::Done {
        let filters = self.0;
        let [up, sub, mean, paeth] = &mut filters.left;
        let count = up.len();
        let back = BEFORE - filters.pixel;
        let row = &filters.row[BEFORE..][..count];
        let left = &filters.row[back..][..count];
        let above = &filters.above[BEFORE..][..count];
        let corner = &filters.above[back..][..count];
        let (up, sub) = (&mut up[..count], &mut sub[..count]);
        let (mean, paeth) = (&mut mean[..count], &mut paeth[..count]);
        for at in 0..count {
            up[at] = row[at].wrapping_sub(above[at]);
            sub[at] = row[at].wrapping_sub(left[at]);
            mean[at] = row[at].wrapping_sub(left[at].midpoint(above[at]));
            paeth[at] = row[at].wrapping_sub(nearest(left[at], above[at], corner[at]));
        }
        [cost(up), cost(sub), cost(mean), cost(paeth)]
    }
}

/// The sum of the differences, as numbers with a sign.
#[inline(always)]
fn cost(row: &[u8]) -> u64 {
    let part = |part: &[u8]| {
        let sizes = part
            .iter()
            .map(|byte| u16::from(byte.cast_signed().unsigned_abs()));
        u64::from(sizes.sum::<u16>())
    };
    // As many as a sum of sixteen bits holds.
    row.chunks(256).map(part).sum()
}

/// As [`super::unfilter`] predicts it.
#[inline(always)]
fn nearest(left: u8, above: u8, corner: u8) -> u8 {
    let (low, high) = (left.min(above), left.max(above));
    let over = high.saturating_sub(corner);
    let under = corner.saturating_sub(low);
    let is_high = under.saturating_add(under) <= over;
    let is_low = over.saturating_add(over) <= under;
    let other = if is_low { low } else { corner };
    if is_high { high } else { other }
}
