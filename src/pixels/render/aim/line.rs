//! A picture's own line of score over quality, as far as it is known, and the quality that promises
//! most. Numbers alone.

use super::Aim;
use crate::pixels::look;

/// Trials at most. The first is off by the picture's own distance from the mean, the second by a
/// tenth of that.
const TRIALS: usize = 3;

/// Points of the score within which a trial has found it. A step of quality is about half a point.
const NEAR: f64 = 0.75;

/// The qualities that are tried. Below, a picture that is almost empty would lose what it has;
/// above, bytes double for what nobody sees.
pub(super) const LEAST: u8 = 30;
const MOST: u8 = 95;

/// The same for an aim of no more than [`MODEST`]: from 90 on colour has its full resolution, which
/// costs more bytes and memory than such an aim is worth.
const MOST_FOR_MODEST: u8 = 89;
const MODEST: u8 = 82;

/// The highest quality that is tried for a score.
pub(in super::super) fn most(score: u8) -> u8 {
    if score > MODEST {
        MOST
    } else {
        MOST_FOR_MODEST
    }
}

/// How steep a picture's own line may be beside the mean one. What lies outside comes from noise
/// between two trials that are close.
const LEAST_SLOPE: f64 = 0.5;
const MOST_SLOPE: f64 = 2.0;

/// A picture's own line of score over quality, as far as it is known.
pub(super) struct Line {
    target: f64,
    most: u8,
    start: u8,
    tried: Vec<(u8, f64)>,
}

impl Line {
    pub(super) fn new(aim: Aim) -> Self {
        Self {
            target: f64::from(aim.score),
            most: most(aim.score),
            start: aim.start.clamp(LEAST, most(aim.score)),
            tried: Vec::with_capacity(TRIALS),
        }
    }

    pub(super) fn add(&mut self, quality: u8, score: f64) {
        self.tried.push((quality, score));
        let target = self.target;
        let off = |tried: &(u8, f64)| (tried.1 - target).abs();
        // Of two that are as far off, the one of fewer bytes.
        let by = |tried: &(u8, f64)| (off(tried), tried.0);
        self.tried.sort_by(|one, other| {
            let (one, other) = (by(one), by(other));
            one.0.total_cmp(&other.0).then(one.1.cmp(&other.1))
        });
    }

    /// Whether another trial may come nearer.
    pub(super) fn goes_on(&self) -> bool {
        let next = self.next();
        self.tried.len() < TRIALS && self.tried.iter().all(|(quality, _)| *quality != next)
    }

    /// The quality that promises most: the best of those tried if it is near, or if the next step
    /// leads nowhere new.
    pub(super) fn next(&self) -> u8 {
        let (best, slope) = match self.tried[..] {
            [] => return self.start,
            [best] => (best, 1.0),
            [best, second, ..] => (best, slope(best, second)),
        };
        if (self.target - best.1).abs() <= NEAR {
            return best.0;
        }
        let lower = (lost(self.target) - lost(best.1)) / slope;
        let mean = 100.0 - (lost(look::score(best.0)) + lower).exp();
        let next = look::quality(mean).clamp(LEAST, self.most);
        if self.tried.iter().any(|(quality, _)| *quality == next) {
            best.0
        } else {
            next
        }
    }
}

/// What a score lacks of the best, as a logarithm: where a picture loses half as much again as the
/// mean at one quality, it does so at most, so that its line lies beside the mean one.
fn lost(score: f64) -> f64 {
    (100.0 - score).max(1.0).ln()
}

/// How much this picture loses where the mean loses one, in logarithms.
fn slope((quality, score): (u8, f64), (other, its): (u8, f64)) -> f64 {
    let mean = lost(look::score(quality)) - lost(look::score(other));
    if mean == 0.0 {
        return 1.0;
    }
    ((lost(score) - lost(its)) / mean).clamp(LEAST_SLOPE, MOST_SLOPE)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const AIM: Aim = Aim {
        score: 79,
        start: 80,
        time: Duration::ZERO,
    };

    /// The qualities that are tried of a picture with this line, and the one that is taken.
    #[track_caller]
    fn check(line: impl Fn(f64) -> f64, expected: &[u8], taken: u8) {
        let mut search = Line::new(AIM);
        let mut tried = Vec::new();
        while search.goes_on() {
            let next = search.next();
            tried.push(next);
            search.add(next, line(look::score(next)));
        }
        assert_eq!((&tried[..], search.next()), (expected, taken));
    }

    #[test]
    fn a_mean_picture_is_found_at_once() {
        check(|mean| mean, &[80], 80);
        check(|mean| mean - 0.7, &[80], 80);
    }

    #[test]
    fn a_picture_that_loses_more_or_less_than_the_mean_takes_two() {
        // What may be lost is 21; at half as much again, the mean may lose 14.
        let more = look::quality(100.0 - 21.0 / 1.5);
        check(|mean| 100.0 - (100.0 - mean) * 1.5, &[80, more], more);
        let less = look::quality(100.0 - 21.0 / 0.8);
        check(|mean| 100.0 - (100.0 - mean) * 0.8, &[80, less], less);
    }

    #[test]
    fn a_line_of_another_slope_takes_three() {
        let steep = |mean: f64| 100.0 - 30.0 * ((100.0 - mean) / 20.9).powf(1.6);
        let mut search = Line::new(AIM);
        while search.goes_on() {
            let next = search.next();
            search.add(next, steep(look::score(next)));
        }
        assert!((steep(look::score(search.next())) - 79.0).abs() < 1.0);
        assert!(search.tried.len() <= TRIALS);
    }

    #[test]
    fn no_picture_takes_more_than_there_may_be() {
        check(|_| 100.0, &[80, 30], 30);
        check(|_| 10.0, &[80, 89], 80);
    }

    #[test]
    fn full_colour_is_for_high_aims() {
        assert_eq!((most(82), most(83)), (89, 95));
    }
}
