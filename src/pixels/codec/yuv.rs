//! RGB to the planes that lossy formats code: luma and two colour differences of BT.601. Knows
//! nothing of files.
#![expect(
    clippy::inline_always,
    reason = "what runs at each pixel has to be part of the code that is made for the processor"
)]

use super::processor::{self, Work};
use crate::pixels::planes::Range;

/// Code of no colour.
pub(super) const NEUTRAL: u8 = 128;

/// What is made of red, green and blue, in 65536ths. The shares of a difference make up nothing, so
/// that gray has none.
#[derive(Clone, Copy)]
struct Shares {
    luma: [i32; 3],
    blue: [i32; 3],
    red: [i32; 3],
    /// Code of black.
    black: i32,
}

const LIMITED: Shares = Shares {
    luma: [16_829, 33_039, 6_416],
    blue: [-9_714, -19_071, 28_785],
    red: [28_785, -24_104, -4_681],
    black: 16,
};

const FULL: Shares = Shares {
    luma: [19_595, 38_470, 7_471],
    blue: [-11_059, -21_709, 32_768],
    red: [32_768, -27_439, -5_329],
    black: 0,
};

/// Which planes are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// What their numbers span.
    pub(super) range: Range,
    /// Whether colour is at half the resolution, across and down, rounded up.
    pub(super) halved: bool,
}

/// A picture in planes, and room for the next.
#[derive(Debug, Default)]
pub(super) struct Yuv {
    pub(super) luma: Vec<u8>,
    /// Blue's and red's differences.
    pub(super) colour: [Vec<u8>; 2],
}

impl Yuv {
    /// Of pixels of RGB, or of RGBA, whose alpha counts for nothing.
    pub(super) fn of(samples: &[u8], channels: usize, width: usize, form: Form) -> Self {
        let mut yuv = Self::default();
        let stride = (width * channels).max(1);
        let (height, rows) = (samples.len() / stride, samples.chunks_exact(stride));
        if channels == 4 {
            yuv.fill::<4>((width, height), rows, form);
        } else {
            yuv.fill::<3>((width, height), rows, form);
        }
        yuv
    }

    /// Takes the rows of a picture: RGB of `N` 3, or RGBA of `N` 4, whose alpha counts for nothing.
    pub(super) fn fill<'a, const N: usize>(
        &mut self,
        (width, height): (usize, usize),
        mut rows: impl Iterator<Item = &'a [u8]>,
        form: Form,
    ) {
        let each = if form.halved { 2 } else { 1 };
        let across = width.div_ceil(each);
        self.luma.resize(width * height, 0);
        for plane in &mut self.colour {
            plane.resize(across * height.div_ceil(each), 0);
        }
        let [blue, red] = &mut self.colour;
        let mut luma = self.luma.chunks_mut(each * width.max(1));
        let mut colour = blue
            .chunks_mut(across.max(1))
            .zip(red.chunks_mut(across.max(1)));
        while let Some(first) = rows.next() {
            // The last row of an odd number stands for the next.
            let second = if form.halved { rows.next() } else { None };
            let (Some(luma), Some((blue, red))) = (luma.next(), colour.next()) else {
                return;
            };
            let shares = match form.range {
                Range::Full => FULL,
                Range::Limited => LIMITED,
            };
            let rows = [first, second.unwrap_or(first)].map(|row| row.as_chunks::<N>().0);
            if form.halved {
                processor::fastest(Pair::<N> {
                    shares,
                    rows,
                    luma,
                    blue,
                    red,
                });
            } else {
                processor::fastest(Single::<N> {
                    shares,
                    row: rows[0],
                    luma,
                    blue,
                    red,
                });
            }
        }
    }
}

/// Pixels of a row that are converted at a time: an even number, whose samples fill registers.
const CHUNK: usize = 32;

/// Two rows on their way into the planes; luma has one row less where there is one row.
struct Pair<'a, const N: usize> {
    shares: Shares,
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
            // Not by `map`, which the compiler would leave outside of what is made for the processor.
            let [above, below] = self.rows;
            let rows = [
                split(above.get(left..).unwrap_or_default()),
                split(below.get(left..).unwrap_or_default()),
            ];
            copy(&luma(&self.shares, &rows[0]), first);
            copy(
                &luma(&self.shares, &rows[1]),
                second.get_mut(left..).unwrap_or_default(),
            );
            let sums = sums(&rows);
            copy(&difference::<18, _>(self.shares.blue, &sums), blue);
            copy(&difference::<18, _>(self.shares.red, &sums), red);
        }
    }
}

/// A row on its way into planes of the same resolution.
struct Single<'a, const N: usize> {
    shares: Shares,
    row: &'a [[u8; N]],
    luma: &'a mut [u8],
    blue: &'a mut [u8],
    red: &'a mut [u8],
}

impl<const N: usize> Work for Single<'_, N> {
    type Done = ();

    #[inline(always)]
    fn run(self) {
        let places = self.luma.chunks_mut(CHUNK);
        let places = places.zip(self.blue.chunks_mut(CHUNK));
        let places = places.zip(self.red.chunks_mut(CHUNK));
        for (((places, blue), red), pixels) in places.zip(self.row.chunks(CHUNK)) {
            let colours = split(pixels);
            copy(&luma(&self.shares, &colours), places);
            let colours = wide(&colours);
            copy(&difference::<16, _>(self.shares.blue, &colours), blue);
            copy(&difference::<16, _>(self.shares.red, &colours), red);
        }
    }
}

/// Red, green and blue of the pixels that come next; the last stands for those that do not.
#[inline(always)]
fn split<const N: usize>(pixels: &[[u8; N]]) -> [[u8; CHUNK]; 3] {
    let mut colours = [[0; CHUNK]; 3];
    let mut put = |pixels: &[[u8; N]; CHUNK]| {
        let [red, green, blue] = &mut colours;
        let samples = pixels.as_flattened();
        // Written so, the compiler takes them apart many at a time: in a third of the time.
        for at in 0..CHUNK {
            red[at] = samples[at * N];
            green[at] = samples[at * N + 1];
            blue[at] = samples[at * N + 2];
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
fn wide(colours: &[[u8; CHUNK]; 3]) -> [[i32; CHUNK]; 3] {
    let mut wide = [[0; CHUNK]; 3];
    for (wide, colours) in wide.iter_mut().zip(colours) {
        for (wide, colour) in wide.iter_mut().zip(colours) {
            *wide = i32::from(*colour);
        }
    }
    wide
}

#[inline(always)]
fn luma(shares: &Shares, [red, green, blue]: &[[u8; CHUNK]; 3]) -> [u8; CHUNK] {
    let mut luma = [0; CHUNK];
    for (at, luma) in luma.iter_mut().enumerate() {
        let [red, green, blue] = [red[at], green[at], blue[at]].map(i32::from);
        let [r, g, b] = shares.luma;
        let sum = r * red + g * green + b * blue;
        *luma = code((sum + (shares.black << 16) + (1 << 15)) >> 16);
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

/// A colour difference of sums of which 2 to the power of `BITS`, less 16, make up a pixel.
#[inline(always)]
fn difference<const BITS: u32, const COUNT: usize>(
    [r, g, b]: [i32; 3],
    [red, green, blue]: &[[i32; COUNT]; 3],
) -> [u8; COUNT] {
    let mut difference = [0; COUNT];
    for (at, difference) in difference.iter_mut().enumerate() {
        let sum = r * red[at] + g * green[at] + b * blue[at];
        *difference = code((sum + (i32::from(NEUTRAL) << BITS) + (1 << (BITS - 1))) >> BITS);
    }
    difference
}

/// As many as there are places.
#[inline(always)]
fn copy<const N: usize>(samples: &[u8; N], places: &mut [u8]) {
    if let Some(places) = places.first_chunk_mut() {
        *places = *samples;
        return;
    }
    for (place, sample) in places.iter_mut().zip(samples) {
        *place = *sample;
    }
}

#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 to 256, as the shares have it"
)]
fn code(number: i32) -> u8 {
    number.min(255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Luma, blue's and red's differences.
    fn planes<const N: usize>(pixels: &[[u8; N]], width: usize, form: Form) -> [Vec<u8>; 3] {
        let yuv = Yuv::of(pixels.as_flattened(), N, width, form);
        let [blue, red] = yuv.colour;
        [yuv.luma, blue, red]
    }

    #[track_caller]
    fn check(range: Range, pixel: [u8; 3], expected: [u8; 3]) {
        for width in [1, 2, 31, 32, 33, 67] {
            for (halved, each) in [(true, 2), (false, 1)] {
                let form = Form { range, halved };
                let found = planes(&vec![pixel; width * 3], width, form);
                let colour = width.div_ceil(each) * 3_usize.div_ceil(each);
                let lengths = [width * 3, colour, colour];
                let wanted = [0, 1, 2].map(|plane| vec![expected[plane]; lengths[plane]]);
                assert_eq!(found, wanted, "{width} pixels wide, {form:?}");
            }
        }
    }

    #[test]
    fn colours_are_those_of_bt_601() {
        check(Range::Limited, [0, 0, 0], [16, 128, 128]);
        check(Range::Limited, [255, 255, 255], [235, 128, 128]);
        check(Range::Limited, [77, 77, 77], [82, 128, 128]);
        check(Range::Limited, [255, 0, 0], [81, 90, 240]);
        check(Range::Limited, [0, 255, 0], [145, 54, 34]);
        check(Range::Limited, [0, 0, 255], [41, 240, 110]);
        check(Range::Full, [0, 0, 0], [0, 128, 128]);
        check(Range::Full, [255, 255, 255], [255, 128, 128]);
        check(Range::Full, [77, 77, 77], [77, 128, 128]);
        check(Range::Full, [255, 0, 0], [76, 85, 255]);
        check(Range::Full, [0, 255, 0], [150, 44, 21]);
        check(Range::Full, [0, 0, 255], [29, 255, 107]);
    }

    #[test]
    fn colour_is_the_mean_of_four_pixels_and_alpha_is_nothing() {
        let (red, gray) = ([255, 0, 0, 7], [0, 0, 0, 255]);
        // 3 × 3, of which the first, the right and the lower edge are red.
        let pixels = [red, gray, red, gray, gray, red, red, red, red];
        let form = Form {
            range: Range::Limited,
            halved: true,
        };
        let [luma, blue, difference] = planes(&pixels, 3, form);
        assert_eq!(luma, [81, 16, 81, 16, 16, 81, 81, 81, 81]);
        assert_eq!(blue, [119, 90, 90, 90]);
        assert_eq!(difference, [156, 240, 240, 240]);
    }
}
