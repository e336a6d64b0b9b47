//! RGB to the planes that VP8 codes: BT.601, limited range, colour at half the resolution. Knows
//! nothing of files.
#![expect(
    clippy::inline_always,
    reason = "what runs at each pixel has to be part of the code that is made for the processor"
)]

use super::{
    change::Blocks,
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
            flatten(&mut self.luma, self.width, at, blocks.side);
            for plane in &mut self.colour {
                flatten(plane, self.width.div_ceil(2), at, blocks.side / 2);
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

/// Pixels of a row that are converted at a time: an even number, whose samples fill registers.
const CHUNK: usize = 32;

/// Two rows on their way into the planes; luma has one row less where there is one row.
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
        let width = self.rows[0].len();
        let (first, second) = self.luma.split_at_mut(width.min(self.luma.len()));
        let first = first.chunks_mut(CHUNK);
        let blue = self.blue.chunks_mut(CHUNK / 2);
        let red = self.red.chunks_mut(CHUNK / 2);
        for (number, ((first, blue), red)) in first.zip(blue).zip(red).enumerate() {
            let left = number * CHUNK;
            let rows = self
                .rows
                .map(|row| split(row.get(left..).unwrap_or_default()));
            copy(&luma(&rows[0]), first);
            copy(&luma(&rows[1]), second.get_mut(left..).unwrap_or_default());
            let sums = sums(&rows);
            copy(&difference(BLUE, &sums), blue);
            copy(&difference(RED, &sums), red);
        }
    }
}

/// Red, green and blue of the pixels that come next; the last stands for those that do not.
#[inline(always)]
fn split<const N: usize>(pixels: &[[u8; N]]) -> [[u8; CHUNK]; 3] {
    let mut colours = [[0; CHUNK]; 3];
    let mut put = |pixels: &[[u8; N]; CHUNK]| {
        for (at, pixel) in pixels.iter().enumerate() {
            for (colours, sample) in colours.iter_mut().zip(pixel) {
                colours[at] = *sample;
            }
        }
    };
    if let Some(chunk) = pixels.first_chunk() {
        put(chunk);
    } else if let Some(last) = pixels.last() {
        let mut chunk = [*last; CHUNK];
        chunk[..pixels.len()].copy_from_slice(pixels);
        put(&chunk);
    }
    colours
}

#[inline(always)]
fn luma([red, green, blue]: &[[u8; CHUNK]; 3]) -> [u8; CHUNK] {
    let mut luma = [0; CHUNK];
    for (at, luma) in luma.iter_mut().enumerate() {
        let [red, green, blue] = [red[at], green[at], blue[at]].map(i32::from);
        let sum = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue;
        *luma = code((sum + (BLACK << 16) + (1 << 15)) >> 16);
    }
    luma
}

/// Of each colour, the sums of two by two pixels.
#[inline(always)]
fn sums(rows: &[[[u8; CHUNK]; 3]; 2]) -> [[i32; CHUNK / 2]; 3] {
    let mut sums = [[0; CHUNK / 2]; 3];
    for (colour, sums) in sums.iter_mut().enumerate() {
        for (at, sum) in sums.iter_mut().enumerate() {
            let [above, below] = [&rows[0][colour], &rows[1][colour]];
            let above = u16::from(above[2 * at]) + u16::from(above[2 * at + 1]);
            let below = u16::from(below[2 * at]) + u16::from(below[2 * at + 1]);
            *sum = i32::from(above + below);
        }
    }
    sums
}

#[inline(always)]
fn difference(shares: [i32; 3], [red, green, blue]: &[[i32; CHUNK / 2]; 3]) -> [u8; CHUNK / 2] {
    let mut difference = [0; CHUNK / 2];
    for (at, difference) in difference.iter_mut().enumerate() {
        let sum = shares[0] * red[at] + shares[1] * green[at] + shares[2] * blue[at];
        *difference = code((sum + (i32::from(NEUTRAL) << 18) + (1 << 17)) >> 18);
    }
    difference
}

/// As many as there are places.
#[inline(always)]
fn copy(samples: &[u8], places: &mut [u8]) {
    for (place, sample) in places.iter_mut().zip(samples) {
        *place = *sample;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Luma, blue's and red's differences.
    fn planes<const N: usize>(pixels: &[[u8; N]], width: usize) -> [Vec<u8>; 3] {
        let mut yuv = Yuv::default();
        let rows = pixels.chunks(width).map(<[_]>::as_flattened);
        yuv.fill::<N>((width, pixels.len() / width), rows);
        let [blue, red] = yuv.colour;
        [yuv.luma, blue, red]
    }

    #[track_caller]
    fn check(pixel: [u8; 3], expected: [u8; 3]) {
        for width in [1, 2, 31, 32, 33, 67] {
            let found = planes(&vec![pixel; width * 3], width);
            let lengths = [width * 3, width.div_ceil(2) * 2, width.div_ceil(2) * 2];
            let wanted = [0, 1, 2].map(|plane| vec![expected[plane]; lengths[plane]]);
            assert_eq!(found, wanted, "{width} pixels wide");
        }
    }

    #[test]
    fn colours_are_those_of_bt_601() {
        check([0, 0, 0], [16, 128, 128]);
        check([255, 255, 255], [235, 128, 128]);
        check([77, 77, 77], [82, 128, 128]);
        check([255, 0, 0], [81, 90, 240]);
        check([0, 255, 0], [145, 54, 34]);
        check([0, 0, 255], [41, 240, 110]);
    }

    #[test]
    fn colour_is_the_mean_of_four_pixels_and_alpha_is_nothing() {
        let (red, gray) = ([255, 0, 0, 7], [0, 0, 0, 255]);
        // 3 × 3, of which the first, the right and the lower edge are red.
        let pixels = [red, gray, red, gray, gray, red, red, red, red];
        let [luma, blue, difference] = planes(&pixels, 3);
        assert_eq!(luma, [81, 16, 81, 16, 16, 81, 81, 81, 81]);
        assert_eq!(blue, [119, 90, 90, 90]);
        assert_eq!(difference, [156, 240, 240, 240]);
    }

    #[test]
    fn blocks_that_nobody_sees_are_as_those_around_them() {
        let mut yuv = Yuv::default();
        let shade = |x: usize, y: usize| if x < 16 && y < 16 { [90; 3] } else { [200; 3] };
        let pixels: Vec<[u8; 3]> = (0..35 * 20).map(|at| shade(at % 35, at / 35)).collect();
        yuv.fill::<3>((35, 20), pixels.chunks(35).map(<[_]>::as_flattened));
        let seen = yuv.luma[0];
        yuv.flatten(&Blocks {
            side: 16,
            across: 3,
            shown: vec![true, false, false, false, false, false],
        });
        assert!(yuv.luma.iter().all(|sample| *sample == seen));
        assert!(yuv.colour.iter().flatten().all(|sample| *sample == NEUTRAL));
        // With nothing around it.
        yuv.flatten(&Blocks {
            side: 16,
            across: 3,
            shown: vec![false; 6],
        });
        assert!(yuv.luma.iter().all(|sample| *sample == NEUTRAL));
    }
}
