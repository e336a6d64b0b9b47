//! RGB to the planes that VP8 codes: BT.601, limited range, colour at half the resolution. Knows
//! nothing of files.
#![expect(
    clippy::inline_always,
    reason = "what runs at each pixel has to be part of the code that is made for the processor"
)]

use super::{
    change::{BLOCK, Blocks},
    vp8::{Rows, Source},
};
use crate::pixels::codec::processor::{self, Work};

/// Shares of red, green and blue in 65536ths: of luma, and of blue's and red's differences. Those
/// of a difference make up nothing, so that gray has none.
const LUMA: [i32; 3] = [16_829, 33_039, 6_416];
const BLUE: [i32; 3] = [-9_714, -19_071, 28_785];
const RED: [i32; 3] = [28_785, -24_104, -4_681];

/// Codes of black, and of no colour.
const BLACK: i32 = 16;
const NEUTRAL: u8 = 128;

/// A picture in planes, and room for the next.
#[derive(Debug, Default)]
pub(super) struct Yuv {
    width: usize,
    height: usize,
    luma: Vec<u8>,
    colour: [Vec<u8>; 2],
}

impl Yuv {
    /// Takes the rows of a picture: RGB of `N` 3, or RGBA of `N` 4, whose alpha counts for nothing.
    pub(super) fn fill<'a, const N: usize>(
        &mut self,
        (width, height): (usize, usize),
        rows: impl Iterator<Item = &'a [u8]>,
    ) {
        (self.width, self.height) = (width, height);
        let half = width.div_ceil(2);
        self.luma.resize(width * height, 0);
        for plane in &mut self.colour {
            plane.resize(half * height.div_ceil(2), 0);
        }
        let [blue, red] = &mut self.colour;
        let mut luma = self.luma.chunks_mut(2 * width.max(1));
        let mut colour = blue
            .chunks_mut(half.max(1))
            .zip(red.chunks_mut(half.max(1)));
        let mut rows = rows;
        while let Some(first) = rows.next() {
            // The last row of an odd number stands for the next.
            let second = rows.next().unwrap_or(first);
            let (Some(luma), Some((blue, red))) = (luma.next(), colour.next()) else {
                return;
            };
            processor::fastest(Pair::<N> {
                rows: [first, second].map(|row| row.as_chunks::<N>().0),
                luma,
                blue,
                red,
            });
        }
    }

    pub(super) fn source(&self) -> Source<'_> {
        let rows = |samples, stride| Rows { samples, stride };
        let [blue, red] = &self.colour;
        let half = self.width.div_ceil(2);
        Source {
            width: self.width,
            height: self.height,
            luma: rows(&self.luma, self.width),
            colour: Some([rows(blue, half), rows(red, half)]),
        }
    }

    /// Gives those blocks that nobody sees the samples that are coded shortest: what VP8 predicts
    /// where it is said nothing else, the mean of those above and to the left.
    pub(super) fn flatten(&mut self, blocks: &Blocks) {
        for (number, shown) in blocks.shown.iter().enumerate() {
            if *shown {
                continue;
            }
            let at = (number % blocks.across, number / blocks.across);
            flatten(&mut self.luma, self.width, at, BLOCK);
            for plane in &mut self.colour {
                flatten(plane, self.width.div_ceil(2), at, BLOCK / 2);
            }
        }
    }
}

/// Gives a block the mean of the samples above it and to its left.
fn flatten(plane: &mut [u8], stride: usize, (column, row): (usize, usize), side: usize) {
    let (left, top) = (column * side, row * side);
    let right = (left + side).min(stride);
    let height = plane.len().checked_div(stride).unwrap_or(0);
    let bottom = (top + side).min(height);
    let above = top.checked_sub(1).map_or(&[][..], |above| {
        plane
            .get(above * stride + left..above * stride + right)
            .unwrap_or_default()
    });
    let before = left.checked_sub(1).into_iter();
    let before = before.flat_map(|x| (top..bottom).map(move |y| y * stride + x));
    let before = before.filter_map(|place| plane.get(place));
    let (mut sum, mut count) = (0_u32, 0_u32);
    for sample in above.iter().chain(before) {
        sum += u32::from(*sample);
        count += 1;
    }
    let mean = (sum + count / 2)
        .checked_div(count)
        .map_or(NEUTRAL, |mean| u8::try_from(mean).unwrap_or(NEUTRAL));
    for y in top..bottom {
        if let Some(row) = plane.get_mut(y * stride + left..y * stride + right) {
            row.fill(mean);
        }
    }
}

/// Two rows on their way into the planes; luma has one place less where there is one row.
struct Pair<'a, const N: usize> {
    rows: [&'a [[u8; N]]; 2],
    luma: &'a mut [u8],
    blue: &'a mut [u8],
    red: &'a mut [u8],
}

impl<const N: usize> Work for Pair<'_, N> {
    type Done = ();

    #[inline(always)]
    fn run(self) {
        let [first, second] = self.rows;
        let luma = self.luma.chunks_mut(first.len().max(1));
        for (luma, row) in luma.zip([first, second]) {
            for (luma, pixel) in luma.iter_mut().zip(row) {
                let [red, green, blue] = [0, 1, 2].map(|c| i32::from(pixel[c]));
                let sum = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue;
                *luma = code((sum + (BLACK << 16) + (1 << 15)) >> 16);
            }
        }
        let (first, first_odd) = first.as_chunks::<2>();
        let (second, second_odd) = second.as_chunks::<2>();
        let places = self.blue.iter_mut().zip(self.red.iter_mut());
        for ((blue, red), ([a, b], [c, d])) in places.zip(first.iter().zip(second)) {
            let sums = [0, 1, 2].map(|i| [a, b, c, d].map(|pixel| i32::from(pixel[i])));
            let sums = sums.map(|[a, b, c, d]| a + b + c + d);
            (*blue, *red) = (difference(BLUE, sums), difference(RED, sums));
        }
        // The last pixel of an odd width stands for the next.
        if let ([a], [c]) = (first_odd, second_odd) {
            let sums = [0, 1, 2].map(|i| 2 * (i32::from(a[i]) + i32::from(c[i])));
            if let (Some(blue), Some(red)) = (self.blue.last_mut(), self.red.last_mut()) {
                (*blue, *red) = (difference(BLUE, sums), difference(RED, sums));
            }
        }
    }
}

/// Of the sums of four pixels.
#[inline(always)]
fn difference(shares: [i32; 3], sums: [i32; 3]) -> u8 {
    let sum = shares[0] * sums[0] + shares[1] * sums[1] + shares[2] * sums[2];
    code((sum + (i32::from(NEUTRAL) << 18) + (1 << 17)) >> 18)
}

#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "16 to 240, as the shares have it"
)]
fn code(number: i32) -> u8 {
    number as u8
}
