//! The blur that SSIMULACRA2 takes its averages with: close to a Gaussian of 1.5 pixels.
//!
//! The original runs it as a recursion (Charalampidis 2016, truncated cosines). Its response ends
//! after four samples, so the same numbers come of a plain sum of nine, which has no order and
//! fills wide registers. Beyond the edges there is nothing: what lies there counts as 0.

/// Samples on either side that count.
pub(super) const REACH: usize = 4;

/// All of them.
pub(super) const TAPS: usize = 2 * REACH + 1;

/// Of the middle, and of those at each distance on either side.
const WEIGHTS: [f32; REACH + 1] = [
    0.264_621_1,
    0.212_928_6,
    0.109_335_37,
    0.036_011_115,
    0.009_414_368,
];

/// The weighted sum of nine slices, the middle one in the middle, all as long as `sum`.
#[inline(always)]
fn blend(slices: [&[f32]; TAPS], sum: &mut [f32]) {
    let length = sum.len();
    let [a4, a3, a2, a1, middle, b1, b2, b3, b4] = slices.map(|slice| &slice[..length]);
    let [w0, w1, w2, w3, w4] = WEIGHTS;
    for at in 0..length {
        sum[at] = w0 * middle[at]
            + w1 * (a1[at] + b1[at])
            + w2 * (a2[at] + b2[at])
            + w3 * (a3[at] + b3[at])
            + w4 * (a4[at] + b4[at]);
    }
}

/// Down: the average of nine rows, the middle one in the middle.
#[inline(always)]
pub(super) fn down(rows: [&[f32]; TAPS], average: &mut [f32]) {
    blend(rows, average);
}

/// Across: the averages along a row that has [`REACH`] zeros before it and after it.
#[inline(always)]
pub(super) fn across(padded: &[f32], average: &mut [f32]) {
    blend(std::array::from_fn(|tap| &padded[tap..]), average);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_an_average() {
        let [middle, sides @ ..] = WEIGHTS;
        let sum = middle + 2.0 * sides.iter().sum::<f32>();
        assert!((sum - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_single_sample_spreads_over_nine() {
        let mut padded = [0.0; 2 * REACH + 11];
        padded[REACH + 5] = 1.0;
        let mut average = [0.0; 11];
        across(&padded, &mut average);
        let [w0, w1, .., w4] = WEIGHTS;
        let expected = [0.0, w4, w1, w0, w1, w4, 0.0];
        let found = [0, 1, 4, 5, 6, 9, 10].map(|at| average[at]);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9);
        }
    }
}
