//! The work itself, on eight rows at a time: made once for any processor ([`portable`]) and once
//! for the instructions of the last ten years, with the same result to the last bit.
//!
//! Across, eight rows stand side by side, so that each weight is multiplied with eight pairs of
//! samples at once; down, eight samples of a pair of rows do.
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "instructions that not every processor has are asked for first"
    )
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;

use super::taps::{GROUP, PRECISION, Taps};

/// Rows that are resampled across at a time.
pub(super) const ROWS: usize = 8;

/// Samples that a row is held longer than it is, and lanes that a row of lanes is: whole registers
/// are read and written.
pub(super) const SLACK: usize = 16;

/// Bits behind the point of eight-bit samples between the two directions.
const KEPT: u32 = 6;

/// Lanes that are done at a time down.
const STRIDE: usize = 4;

/// Eight pairs side by side: of two neighbours in eight rows, or of eight samples in two rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(32))]
pub(in super::super) struct Lane(pub(super) [i16; 16]);

/// Lanes of a pair of rows, for so many results of so many samples.
pub(super) fn lanes(results: usize, channels: usize) -> usize {
    (results.div_ceil(GROUP) * channels).next_multiple_of(STRIDE)
}

/// A sample on its way in and out.
pub(in super::super) trait Sample: Copy + Default + 'static {
    /// Bits of a sum that are dropped across.
    const ACROSS: u32;

    /// Stands eight rows side by side, each `stride` from the next: for each pair of pixels, each
    /// channel's two samples. Both rows and lanes are [`SLACK`] longer than what counts of them.
    fn gather(rows: &[Self], stride: usize, pixels: usize, channels: usize, lanes: &mut [Lane]);

    /// Sums weighted pairs of rows, those that begin at these places of the ring. As many results
    /// as `out` has room for: a multiple of 32.
    fn down(ring: &[Lane], places: &[usize], weights: &[[i16; 2]], out: &mut [Self]);
}

/// Samples as they are coded, pixels interleaved.
impl Sample for u8 {
    const ACROSS: u32 = PRECISION - KEPT;

    fn gather(rows: &[Self], stride: usize, pixels: usize, channels: usize, lanes: &mut [Lane]) {
        #[cfg(target_arch = "x86_64")]
        if is_modern() {
            // SAFETY: the processor has just said that it knows the instructions.
            return unsafe { avx2::gather_bytes(rows, stride, pixels, channels, lanes) };
        }
        portable::gather_bytes(rows, stride, pixels, channels, lanes);
    }

    fn down(ring: &[Lane], places: &[usize], weights: &[[i16; 2]], out: &mut [Self]) {
        #[cfg(target_arch = "x86_64")]
        if is_modern() {
            // SAFETY: the processor has just said that it knows the instructions.
            return unsafe { avx2::down_to_bytes(ring, places, weights, out) };
        }
        portable::down_to_bytes(ring, places, weights, out);
    }
}

/// Numbers of a finer kind. Of each pair of pixels, first both samples of the first channel, then
/// both of the next: of a plane, that is one after the other.
impl Sample for i16 {
    const ACROSS: u32 = PRECISION;

    fn gather(rows: &[Self], stride: usize, pixels: usize, channels: usize, lanes: &mut [Lane]) {
        let pairs = pixels.div_ceil(2) * channels;
        #[cfg(target_arch = "x86_64")]
        if is_modern() {
            // SAFETY: the processor has just said that it knows the instructions.
            return unsafe { avx2::gather_pairs(rows, stride, pairs, lanes) };
        }
        portable::gather_pairs(rows, stride, pairs, lanes);
    }

    fn down(ring: &[Lane], places: &[usize], weights: &[[i16; 2]], out: &mut [Self]) {
        #[cfg(target_arch = "x86_64")]
        if is_modern() {
            // SAFETY: the processor has just said that it knows the instructions.
            return unsafe { avx2::down_to_numbers(ring, places, weights, out) };
        }
        portable::down_to_numbers(ring, places, weights, out);
    }
}

/// Whether the processor has what [`avx2`] is made of.
#[cfg(target_arch = "x86_64")]
fn is_modern() -> bool {
    std::is_x86_feature_detected!("avx2")
}

/// Resamples eight rows across, to four pairs of rows: lanes of eight results each, pixels
/// interleaved.
pub(super) fn across<S: Sample>(
    gathered: &[Lane],
    channels: usize,
    taps: &Taps,
    out: [&mut [Lane]; ROWS / 2],
) {
    #[cfg(target_arch = "x86_64")]
    if is_modern() {
        // SAFETY: the processor has just said that it knows the instructions.
        return unsafe { avx2::across(gathered, channels, taps, S::ACROSS, out) };
    }
    portable::across(gathered, channels, taps, S::ACROSS, out);
}

#[cfg(test)]
mod tests;
