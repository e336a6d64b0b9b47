//! What each difference counts for, and how their sum becomes a score: fitted to what people said of
//! thousands of pairs of pictures, by SSIMULACRA2's author.

use super::{SCALES, scale::SUMS};

/// Of each channel (X, Y, B) at each scale, from the largest: structure, new edges and lost edges by
/// their means, then the same by their fourth powers. Weights below 0.01 are left out: together
/// they are less than a thousandth of a point, and with them go whole channels of the large scales.
const WEIGHTS: [[f64; SUMS]; 3 * SCALES] = [
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 1.104_172_64, 0.0, 0.0],
    [0.0, 0.0, 0.0, 1.842_245_55, 11.441_172_6, 0.0],
    [0.0, 0.0, 0.0, 1.878_759_5, 10.949_069_9, 0.0],
    [0.0, 0.967_793_708, 0.0, 0.0, 0.998_176_698, 0.0],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 7.466_890_33, 0.0, 17.445_834],
    [0.0, 0.0, 0.0, 6.683_678_15, 0.0, 1.027_889_94],
    [225.205_153, 0.0, 0.0, 19.213_238_2, 0.0, 0.0],
    [176.393_176, 0.0, 0.0, 24.433_01, 0.285_208_026, 0.0],
    [0.0, 0.0, 0.0, 34.779_063_4, 44.835_625_3, 0.0],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 8.826_982_76, 23.192_433_4, 0.0],
    [
        95.108_049_9,
        0.986_397_803,
        0.983_438_279,
        0.0,
        171.266_726,
        0.980_785_887,
    ],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
];

/// The weights of a channel at a scale. Of a picture too small for all scales, the original numbers
/// them without gaps, so the others have those that come next in the table.
fn of(scales: usize, channel: usize, scale: usize) -> &'static [f64; SUMS] {
    &WEIGHTS[channel * scales + scale]
}

/// Whether a channel counts for anything at a scale, if there are so many.
pub(super) fn counts(scales: usize, channel: usize, scale: usize) -> bool {
    of(scales, channel, scale)
        .iter()
        .any(|weight| *weight > 0.0)
}

/// The score of means, by scale and channel; [`super::scale`] has the order of the innermost.
pub(super) fn score(means: &[[[f64; SUMS]; 3]]) -> f64 {
    let mut sum = 0.0;
    for (scale, channels) in means.iter().enumerate() {
        for (channel, means_of) in channels.iter().enumerate() {
            let [structure, structure_4, new, new_4, lost, lost_4] = *means_of;
            let terms = [structure, new, lost, structure_4, new_4, lost_4];
            let weights = of(means.len(), channel, scale);
            sum += weights
                .iter()
                .zip(terms)
                .map(|(weight, term)| weight * term)
                .sum::<f64>();
        }
    }
    as_score(sum)
}

/// The sum on the scale of people's answers: a line with a little bend, then a power.
fn as_score(sum: f64) -> f64 {
    let sum = sum * 0.956_238_261_683_484_4;
    let bent = 2.326_765_642_916_932 * sum - 0.020_884_521_182_843_837 * sum.powi(2)
        + 6.248_496_625_763_138e-5 * sum.powi(3);
    if bent > 0.0 {
        100.0 - 10.0 * bent.powf(0.627_633_646_783_138_7)
    } else {
        100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_scale_is_judged_by_brightness_alone() {
        let channels = |scale| [0, 1, 2].map(|channel| counts(SCALES, channel, scale));
        assert_eq!(channels(0), [false, true, false]);
        assert_eq!(channels(1), [true, true, false]);
        assert_eq!(channels(3), [true, true, true]);
        assert_eq!(channels(5), [false, false, false]);
    }

    #[test]
    fn no_difference_is_a_hundred_and_more_is_less() {
        assert!((as_score(0.0) - 100.0).abs() < 1e-9);
        assert!(as_score(10.0) > as_score(20.0));
    }
}
