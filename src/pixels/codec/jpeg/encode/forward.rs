//! Samples to quantised coefficients, eight blocks at a time.
//!
//! The transform is that of Arai, Agui and Nakajima, "A fast DCT-SQ scheme for images", 1988: its
//! results are each a factor too large, which is divided out together with the quantiser.

#[cfg(target_arch = "x86_64")]
mod avx2;

use std::sync::LazyLock;

use crate::pixels::codec::{
    jpeg::ZIGZAG,
    processor::{self, Work},
};

/// Samples a side of a block.
pub(super) const SIDE: usize = 8;
/// Blocks that are transformed side by side.
pub(super) const BLOCKS: usize = 8;
/// Samples across them.
pub(super) const ACROSS: usize = SIDE * BLOCKS;

/// Samples, or coefficients, of eight blocks side by side.
type Eight<T> = [[T; ACROSS]; SIDE];

/// The coefficients of eight blocks side by side.
#[derive(Clone, Debug)]
pub(super) struct Coefficients {
    /// One row for each frequency across, and in it the frequencies down of each block.
    values: Eight<i16>,
    /// Of each block, which are not zero: the bit of each in the file's order.
    present: [u64; BLOCKS],
    /// And which are more than one; known where it is asked for.
    large: [u64; BLOCKS],
}

/// Where each coefficient of the file's order stands: which frequency across, and which down.
const PLACES: [(u8, u8); 64] = {
    let mut places = [(0, 0); 64];
    let mut at = 0;
    while at < 64 {
        places[at] = (ZIGZAG[at] % 8, ZIGZAG[at] / 8);
        at += 1;
    }
    places
};

/// The same as one number, for the first of the blocks.
const FLAT: [usize; 64] = {
    let mut flat = [0; 64];
    let mut at = 0;
    while at < 64 {
        flat[at] = PLACES[at].0 as usize * ACROSS + PLACES[at].1 as usize;
        at += 1;
    }
    flat
};

/// What the bits of a byte, one frequency across and all of those down, are in the file's order.
static ORDERED: LazyLock<Box<[[u64; 256]; SIDE]>> = LazyLock::new(|| {
    let mut ordered = Box::new([[0; 256]; SIDE]);
    for (number, (across, down)) in PLACES.iter().enumerate() {
        for (byte, bits) in ordered[usize::from(*across)].iter_mut().enumerate() {
            *bits |= (byte as u64 >> down & 1) << number;
        }
    }
    ordered
});

impl Coefficients {
    pub(super) const NONE: Self = Self {
        values: [[0; ACROSS]; SIDE],
        present: [0; BLOCKS],
        large: [0; BLOCKS],
    };

    /// A block's coefficient, by its number in the file's order.
    #[inline(always)]
    pub(super) fn of(&self, block: usize, number: u32) -> i32 {
        let values = self.values.as_flattened();
        let place = FLAT[number as usize % 64] + block * SIDE;
        values[place % values.len()].into()
    }

    /// A bit for each of a block's coefficients that is not zero, in the file's order.
    #[inline(always)]
    pub(super) fn present(&self, block: usize) -> u64 {
        self.present[block % BLOCKS]
    }

    /// The same for those that are more than one, or less than minus one, after
    /// [`Coefficients::look`].
    #[inline(always)]
    pub(super) fn large(&self, block: usize) -> u64 {
        self.large[block % BLOCKS]
    }

    /// Finds out which are more than one.
    pub(super) fn look(&mut self) {
        let halves = self.values.map(|row| row.map(|value| value / 2));
        self.large = in_order(&Kernels::new().present(&halves), &ORDERED);
    }
}

/// What coefficients of a component are divided by.
#[derive(Debug)]
pub(super) struct Quantiser {
    /// One row for each frequency across.
    factors: [[f32; SIDE]; SIDE],
    /// From where on they are not zero.
    thresholds: [[f32; SIDE]; SIDE],
}

impl Quantiser {
    /// For a table row by row.
    pub(super) fn new(table: &[u8; 64]) -> Self {
        let mut factors = [[0.0; SIDE]; SIDE];
        for (place, step) in table.iter().enumerate() {
            let (across, down) = (place % SIDE, place / SIDE);
            factors[across][down] = 1.0 / (f32::from(*step) * LARGER[across] * LARGER[down] * BOTH);
        }
        let mut thresholds = [[ZERO; SIDE]; SIDE];
        // A mean is as near as it can be.
        thresholds[0][0] = 0.0;
        Self {
            factors,
            thresholds,
        }
    }

    /// Makes coefficients of the blocks of eight rows of samples, `stride` from one to the next.
    pub(super) fn run(&self, samples: &[u8], stride: usize, to: &mut [Coefficients]) {
        processor::fastest(Run {
            quantiser: self,
            ordered: &ORDERED,
            samples,
            stride,
            to,
        });
    }
}

/// Below so much of a step, a coefficient is none: a one costs more bytes than it is worth, and most
/// of those that would be one are nearer to it than to zero by little. For the same look (SSIMULACRA2,
/// 27 photographs) that saves 1 to 4 %; a search by rate and distortion would save 1 % more.
const ZERO: f32 = 0.6;

/// How much larger it makes all of them, in both dimensions.
const BOTH: f32 = 8.0;

/// How much larger the transform makes each frequency: the cosine of its number's 16th of a half
/// turn, times the root of 2; nothing for the first.
const LARGER: [f32; SIDE] = [
    1.0,
    1.387_039_8,
    1.306_563,
    1.175_875_6,
    1.0,
    0.785_694_96,
    0.541_196_1,
    0.275_899_38,
];

struct Run<'a> {
    quantiser: &'a Quantiser,
    ordered: &'a [[u64; 256]; SIDE],
    samples: &'a [u8],
    stride: usize,
    to: &'a mut [Coefficients],
}

impl Work for Run<'_> {
    type Done = ();

    #[inline(always)]
    fn run(self) {
        let kernels = Kernels::new();
        let mut down = [[0.0; ACROSS]; SIDE];
        let mut turned = [[0.0; ACROSS]; SIDE];
        for (number, to) in self.to.iter_mut().enumerate() {
            let row = |y: usize| {
                let row = self.samples.get(y * self.stride + number * ACROSS..);
                row.and_then(<[u8]>::first_chunk).unwrap_or(&[0; ACROSS])
            };
            columns(&std::array::from_fn(row), &mut down);
            kernels.turn(&down, &mut turned);
            rows(&turned, self.quantiser, &mut to.values);
            to.present = in_order(&kernels.present(&to.values), self.ordered);
        }
    }
}

#[inline(always)]
fn columns(rows: &[&[u8; ACROSS]; SIDE], to: &mut Eight<f32>) {
    for x in 0..ACROSS {
        let column = transformed(std::array::from_fn(|y| f32::from(rows[y][x]) - 128.0));
        for (to, value) in to.iter_mut().zip(column) {
            to[x] = value;
        }
    }
}

#[inline(always)]
fn rows(turned: &Eight<f32>, quantiser: &Quantiser, to: &mut Eight<i16>) {
    for left in (0..ACROSS).step_by(SIDE) {
        for y in 0..SIDE {
            let at = left + y;
            let row = transformed(std::array::from_fn(|x| turned[x][at]));
            for (x, value) in row.into_iter().enumerate() {
                let value = value * quantiser.factors[x][y];
                let is_zero = value.abs() < quantiser.thresholds[x][y];
                to[x][at] = rounded(if is_zero { 0.0 } else { value });
            }
        }
    }
}

/// To the nearest: of so large a sum, the lowest bits are those before the point.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the bits that are meant")]
fn rounded(value: f32) -> i16 {
    const LARGE: f32 = 12_582_912.0;
    (value + LARGE).to_bits() as i16
}

/// One dimension of the transform.
#[inline(always)]
fn transformed(d: [f32; SIDE]) -> [f32; SIDE] {
    /// Cosines of 16ths of a half turn: of four, of six; the difference and the sum of two and six.
    const C4: f32 = 0.707_106_77;
    const C6: f32 = 0.382_683_43;
    const LESS: f32 = 0.541_196_1;
    const MORE: f32 = 1.306_563;

    let (sums, differences): ([f32; 4], [f32; 4]) = (
        std::array::from_fn(|n| d[n] + d[7 - n]),
        std::array::from_fn(|n| d[n] - d[7 - n]),
    );
    let (outer, inner) = (sums[0] + sums[3], sums[1] + sums[2]);
    let (far, near) = (sums[0] - sums[3], sums[1] - sums[2]);
    let turned = (near + far) * C4;

    let [first, second, third, fourth] = differences;
    let (low, middle, high) = (fourth + third, third + second, second + first);
    let both = (low - high) * C6;
    let (low, high) = (low * LESS + both, high * MORE + both);
    let middle = middle * C4;
    let (plus, minus) = (first + middle, first - middle);
    [
        outer + inner,
        plus + high,
        far + turned,
        minus - low,
        outer - inner,
        minus + low,
        far - turned,
        plus - high,
    ]
}

/// A bit for each coefficient of each block in the file's order, of a byte for each frequency across.
#[inline(always)]
fn in_order(bytes: &[[u8; SIDE]; BLOCKS], ordered: &[[u64; 256]; SIDE]) -> [u64; BLOCKS] {
    let mut all = [0; BLOCKS];
    for (all, bytes) in all.iter_mut().zip(bytes) {
        for (byte, ordered) in bytes.iter().zip(ordered) {
            *all |= ordered[usize::from(*byte)];
        }
    }
    all
}

/// What is done the one way or the other.
#[derive(Clone, Copy)]
enum Kernels {
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    Portable,
}

impl Kernels {
    fn new() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(kernels) = avx2::Avx2::new() {
            return Self::Avx2(kernels);
        }
        Self::Portable
    }

    /// Makes columns of the rows of each block.
    #[inline(always)]
    fn turn(self, from: &Eight<f32>, to: &mut Eight<f32>) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(kernels) => kernels.turn(from, to),
            Self::Portable => turn(from, to),
        }
    }

    /// Of each block and each row of it, a bit for each number that is not zero.
    #[inline(always)]
    fn present(self, values: &Eight<i16>) -> [[u8; SIDE]; BLOCKS] {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(kernels) => kernels.present(values),
            Self::Portable => present(values),
        }
    }
}

fn turn(from: &Eight<f32>, to: &mut Eight<f32>) {
    for left in (0..ACROSS).step_by(SIDE) {
        for (y, from) in from.iter().enumerate() {
            for (x, to) in to.iter_mut().enumerate() {
                to[left + y] = from[left + x];
            }
        }
    }
}

fn present(values: &Eight<i16>) -> [[u8; SIDE]; BLOCKS] {
    let mut present = [[0; SIDE]; BLOCKS];
    for (x, values) in values.iter().enumerate() {
        let bytes = values.map(|value| u8::from(value != 0));
        for (block, present) in bytes.as_chunks::<SIDE>().0.iter().zip(&mut present) {
            // Each byte's bit to the place of its number in the highest byte.
            let bits = u64::from_le_bytes(*block).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            present[x] = bits.to_le_bytes()[0];
        }
    }
    present
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise() -> impl FnMut() -> u8 {
        let mut state = 1_u32;
        move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        }
    }

    /// The definition, ITU T.81 A.3.3.
    fn defined(block: &[[u8; SIDE]; SIDE], u: u8, v: u8) -> f64 {
        let scale = |k: u8| if k == 0 { 0.5_f64.sqrt() } else { 1.0 };
        let cosine = |x: u8, u: u8| {
            (f64::from(2 * x + 1) * f64::from(u) * std::f64::consts::PI / 16.0).cos()
        };
        let mut sum = 0.0;
        for (y, row) in (0..).zip(block) {
            for (x, sample) in (0..).zip(row) {
                sum += (f64::from(*sample) - 128.0) * cosine(x, u) * cosine(y, v);
            }
        }
        sum * scale(u) * scale(v) / 4.0
    }

    #[test]
    fn coefficients_are_those_of_the_definition_and_known_where_they_are_none() {
        let mut next = noise();
        for step in [1_u8, 16, 255] {
            let samples: Vec<u8> = (0..ACROSS * SIDE).map(|_| next()).collect();
            let mut found = [Coefficients::NONE];
            Quantiser::new(&[step; 64]).run(&samples, ACROSS, &mut found);
            for block in 0..BLOCKS {
                let square: [[u8; SIDE]; SIDE] = std::array::from_fn(|y| {
                    std::array::from_fn(|x| samples[y * ACROSS + block * SIDE + x])
                });
                for number in 0..64 {
                    let natural = ZIGZAG[number as usize];
                    let wanted = defined(&square, natural % 8, natural / 8) / f64::from(step);
                    let value = found[0].of(block, number);
                    let most = if number > 0 && value == 0 {
                        f64::from(ZERO)
                    } else {
                        0.5
                    };
                    let off = (f64::from(value) - wanted).abs();
                    assert!(off < most + 0.002, "{value} for {wanted}");
                    assert_eq!(found[0].present(block) >> number & 1 == 1, value != 0);
                }
            }
        }
    }

    #[test]
    fn kernels_do_the_same() {
        let mut next = noise();
        let mut eight = || std::array::from_fn(|_| std::array::from_fn(|_| next()));
        let samples: Eight<u8> = eight();
        let samples = samples.map(|row| row.map(f32::from));
        let mut turned = [[[0.0; ACROSS]; SIDE]; 2];
        turn(&samples, &mut turned[0]);
        Kernels::new().turn(&samples, &mut turned[1]);
        assert_eq!(
            turned[0].map(|row| row.map(f32::to_bits)),
            turned[1].map(|row| row.map(f32::to_bits))
        );
        assert_eq!(turned[0][3][8 + 5].to_bits(), samples[5][8 + 3].to_bits());
        let values = eight().map(|row| row.map(|value: u8| i16::from(value) - 128));
        let values = values.map(|row| row.map(|value| if value < 0 { 0 } else { value * 99 }));
        assert_eq!(present(&values), Kernels::new().present(&values));
        assert_eq!(
            present(&values)[3][2] >> 5 & 1 == 1,
            values[2][3 * SIDE + 5] != 0
        );
    }
}
