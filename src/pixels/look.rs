//! What a quality looks like, on the mean of many photographs: SSIMULACRA2 at each number of JPEG's
//! scale. Pure numbers; nothing of pictures.
//!
//! The formats agree within two points (that is what their scales of quality are made for), so one
//! line stands for all: straight between the qualities of the table in `docs/benchmarks.md`, and
//! drawn out to the ends of the scale. A search along it finds out where a picture differs.

/// Quality, and the mean score at it. The first and the last are guesses.
const MEANS: [(f64, f64); 6] = [
    (1.0, 10.0),
    (40.0, 58.7),
    (60.0, 68.5),
    (80.0, 79.1),
    (90.0, 87.6),
    (100.0, 94.0),
];

/// The mean score at a quality.
#[must_use]
pub fn score(quality: u8) -> f64 {
    along(&MEANS, f64::from(quality))
}

/// The quality, 1 to 100, at which the mean score is nearest to this.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within 1 to 100"
)]
pub fn quality(score: f64) -> u8 {
    let turned = MEANS.map(|(quality, score)| (score, quality));
    along(&turned, score).round().clamp(1.0, 100.0) as u8
}

/// The value at `at` on straight lines through the points, which are in order; at the ends, theirs.
fn along(points: &[(f64, f64)], at: f64) -> f64 {
    let after = points.partition_point(|(x, _)| *x <= at);
    let before = points.get(after.saturating_sub(1));
    match (before, points.get(after)) {
        (Some(low), Some(high)) if at > low.0 => {
            low.1 + (high.1 - low.1) * (at - low.0) / (high.0 - low.0)
        }
        (Some(point), _) => point.1,
        (None, _) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_and_qualities_are_two_sides_of_one_line() {
        for at in 1..=100 {
            assert_eq!(quality(score(at)), at);
        }
    }

    #[test]
    fn the_ends_are_the_ends() {
        assert_eq!([quality(-50.0), quality(f64::MAX)], [1, 100]);
        assert!((score(0) - score(1)).abs() < 1e-9);
    }
}
