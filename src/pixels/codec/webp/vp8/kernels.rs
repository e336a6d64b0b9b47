//! What is done to pixels most often, once for any processor and once for those with AVX2. Both
//! give the same numbers to the bit, so a picture is the same file wherever it was made.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;

use super::{cost::Model, lanes::Four, predict::Block, quantise::Quantiser};
#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Avx2;
pub(super) use portable::Portable;

/// Four rows of a block of sixteen columns: four small blocks.
pub(super) type Rows = [[u8; 16]; 4];

/// What a small block is, and what it is weighed with.
pub(super) struct Small<'a> {
    /// Its rows.
    pub(super) pixels: [[u8; 4]; 4],
    /// What it is predicted from: four to its left, the lowest first, the corner, eight above.
    pub(super) edge: [u8; 16],
    /// What each way of predicting costs to say; the last two are none.
    pub(super) costs: &'a [[u32; 4]; 3],
    pub(super) quantiser: &'a Quantiser,
    pub(super) model: &'a Model,
    /// What a 256th of a bit weighs, beside squared errors of samples in 256ths.
    pub(super) weight: u32,
}

/// The best way to predict a small block, and what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Picked {
    pub(super) mode: u8,
    /// One more than the number of the last coefficient that is not zero.
    pub(super) end: u8,
    /// In the order of coding.
    pub(super) numbers: [i16; 16],
    pub(super) pixels: [[u8; 4]; 4],
    /// Sum of squared errors.
    pub(super) errors: u32,
}

/// Four blocks' numbers.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    /// Column by column.
    pub(super) columns: Four<16>,
    /// Block by block, in the order of coding.
    pub(super) in_order: [[i16; 16]; 4],
}

pub(super) trait Kernels: Copy {
    /// About what the difference would cost.
    fn activity<const H: usize>(self, source: &Block<H>, guess: &Block<H>) -> u32;

    /// Columns of coefficients of the difference.
    fn forward(self, source: &Rows, guess: &Rows) -> Four<16>;

    /// The numbers that coefficients become.
    fn numbers(self, columns: &Four<16>, quantiser: &Quantiser) -> Numbers;

    /// The guess and what columns of coefficients add to it; and the sum of squared errors.
    fn restore(self, source: &Rows, guess: &Rows, columns: &Four<16>, out: &mut Rows) -> u32;

    /// Tries all ways to predict a small block.
    fn pick(self, small: &Small<'_>) -> Picked;
}
