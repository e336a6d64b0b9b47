//! The filter's weights along one side: which source samples a result is the sum of, and how much
//! of each. Source samples are counted in pairs, for that is how processors multiply and add.

use std::f64::consts::PI;

/// Lobes of the filter: source samples that it reaches to either side, where nothing is shrunk.
const LOBES: f64 = 3.0;

/// The whole: what the weights of a result add up to.
pub(super) const ONE: i16 = 1 << PRECISION;

/// Bits behind the point of a weight. At the most, for some weights are a little larger than one.
pub(super) const PRECISION: u32 = 14;

/// Results that are made at a time across.
pub(super) const GROUP: usize = 8;

/// One side: where it is cut, and to how much it is resampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Side {
    /// Where the first result begins, in source samples. May lie before the bounds, as far as
    /// rounding goes: the edge is then drawn out.
    pub(super) start: f64,
    /// How much the results span, more than 0. May reach beyond the bounds in the same way.
    pub(super) extent: f64,
    /// Source samples that may be looked at.
    pub(super) bounds: (u32, u32),
    /// Results, at least 1.
    pub(super) results: u32,
}

/// Weights of each result.
#[derive(Debug)]
pub(super) struct Taps {
    /// The first source sample that counts, rounded down to an even one.
    pub(super) first: u32,
    /// The one after the last that counts.
    pub(super) end: u32,
    /// Pairs of source samples for each result.
    pub(super) pairs: usize,
    /// The first pair of each result, counted from `first`. As many as there are results, and up to
    /// a whole [`GROUP`] more that weigh nothing.
    pub(super) starts: Vec<u32>,
    /// For each result, the weights of its pairs.
    pub(super) weights: Vec<[i16; 2]>,
}

impl Taps {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the bounds"
    )]
    pub(super) fn new(side: Side) -> Self {
        let scale = side.extent / f64::from(side.results);
        let stretch = scale.max(1.0);
        let reach = LOBES * stretch;
        let (low, high) = (f64::from(side.bounds.0), f64::from(side.bounds.1));
        // Where the edge is drawn out to.
        let drawn = (
            low.min((side.start + ROUNDING).floor()),
            high.max((side.start + side.extent - ROUNDING).ceil()),
        );
        let clamped = |place: f64| place.clamp(low, high - 1.0) as u32;
        let mut results = Vec::with_capacity(side.results as usize);
        let mut flat: Vec<f64> = Vec::new();
        for result in 0..side.results {
            let centre = side.start + (f64::from(result) + 0.5) * scale;
            let from = (centre - reach).floor().max(drawn.0);
            let to = (centre + reach).ceil().min(drawn.1);
            let from = from.min(drawn.1 - 1.0);
            let count = (to - from).max(1.0) as u32;
            let (base, last) = (clamped(from), clamped(from + f64::from(count) - 1.0));
            let begun = flat.len();
            flat.resize(begun + (last - base + 1) as usize, 0.0);
            let weights = &mut flat[begun..];
            let mut lanczos = Lanczos::new((from + 0.5 - centre) / stretch, 1.0 / stretch);
            for place in (0..count).map(|index| from + f64::from(index)) {
                weights[(clamped(place) - base) as usize] += lanczos.next();
            }
            results.push((base, begun..flat.len()));
        }
        let first = results.iter().map(|(base, _)| *base).min().unwrap_or(0) & !1;
        let ends = results.iter().map(|(base, own)| base + own.len() as u32);
        let end = ends.max().unwrap_or(1);
        let paired = |base: u32, count: usize| ((base % 2) as usize + count).div_ceil(2);
        let pairs = results.iter().map(|(base, own)| paired(*base, own.len()));
        let pairs = pairs.max().unwrap_or(1);
        let mut taps = Self {
            first,
            end,
            pairs,
            starts: Vec::with_capacity(results.len().next_multiple_of(GROUP)),
            weights: Vec::with_capacity(results.len().next_multiple_of(GROUP) * pairs),
        };
        for (base, own) in results {
            taps.add(base, &flat[own]);
        }
        let padded = taps.starts.len().next_multiple_of(GROUP);
        taps.starts.resize(padded, 0);
        taps.weights.resize(padded * pairs, [0; 2]);
        taps
    }

    /// Pairs that there are from `first` on, and all that a result may touch.
    pub(super) fn source_pairs(&self) -> usize {
        ((self.end - self.first) as usize)
            .div_ceil(2)
            .max(self.pairs)
    }

    /// The first pair of a result, and its weights.
    pub(super) fn of(&self, result: usize) -> Option<(usize, &[[i16; 2]])> {
        let at = result * self.pairs;
        let weights = self.weights.get(at..at + self.pairs)?;
        Some((*self.starts.get(result)? as usize, weights))
    }

    /// Bytes of all weights, from the same numbers that [`Taps::new`] is given; errs high.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sides of a picture"
    )]
    pub(super) fn bytes(side: Side) -> u64 {
        let scale = (side.extent / f64::from(side.results)).max(1.0);
        let each = (2.0 * LOBES * scale + 4.0) as u64;
        // As computed, as kept, and where each begins.
        (u64::from(side.results) + GROUP as u64) * (each * (8 + 2) + 40)
    }

    /// Adds a result: weights that add up to [`ONE`] exactly, or flat colours would change.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "weights are little more than 1 at the most, and `as` clamps"
    )]
    fn add(&mut self, base: u32, weights: &[f64]) {
        // Not past the last pair: the pairs of every result can be read.
        let last = self.source_pairs() - self.pairs;
        let start = (((base - self.first) / 2) as usize).min(last);
        let before = (base - self.first) as usize - start * 2;
        let at = self.weights.len();
        self.weights.resize(at + self.pairs, [0; 2]);
        let own = self.weights[at..].as_flattened_mut();
        let sum: f64 = weights.iter().sum();
        let (mut exact, mut given) = (0.0, 0.0);
        for (own, weight) in own.iter_mut().skip(before).zip(weights) {
            // What rounding took from one weight goes to the next.
            exact += weight / sum * f64::from(ONE);
            let rounded = (exact - given).round();
            *own = rounded as i16;
            given += rounded;
        }
        self.starts.push(start as u32);
    }
}

/// Less than a hundredth of a sample beyond an edge is rounding.
const ROUNDING: f64 = 0.01;

/// The filter, sin(πx)/πx · sin(πx/3)/(πx/3), at equal steps. Sines would cost more than all else.
struct Lanczos {
    x: f64,
    step: f64,
    /// Sine and cosine of πx/3, and of a step.
    at: (f64, f64),
    turn: (f64, f64),
}

impl Lanczos {
    fn new(x: f64, step: f64) -> Self {
        Self {
            x,
            step,
            at: (x * PI / LOBES).sin_cos(),
            turn: (step * PI / LOBES).sin_cos(),
        }
    }

    fn next(&mut self) -> f64 {
        let ((sine, cosine), angle) = (self.at, self.x * PI);
        let weight = if angle.abs() < 1e-6 {
            1.0
        } else if self.x.abs() < LOBES {
            // sin 3a = 3 sin a - 4 sin³ a.
            let triple = sine * (3.0 - 4.0 * sine * sine);
            triple * sine * LOBES / (angle * angle)
        } else {
            0.0
        };
        let (by_sine, by_cosine) = self.turn;
        self.at = (
            sine * by_cosine + cosine * by_sine,
            cosine * by_cosine - sine * by_sine,
        );
        self.x += self.step;
        weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(start: f64, extent: f64, bounds: (u32, u32), results: u32) -> Side {
        Side {
            start,
            extent,
            bounds,
            results,
        }
    }

    #[track_caller]
    fn check(side: Side, first: u32, end: u32) {
        let taps = Taps::new(side);
        assert_eq!((taps.first, taps.end), (first, end));
        for result in 0..side.results as usize {
            let (start, weights) = taps.of(result).unwrap();
            let sum: i32 = weights
                .as_flattened()
                .iter()
                .map(|own| i32::from(*own))
                .sum();
            assert_eq!(sum, i32::from(ONE), "{side:?}, {result}");
            assert!(start + weights.len() <= taps.source_pairs());
            for (place, weight) in (taps.first as usize + start * 2..).zip(weights.as_flattened()) {
                let counts = place >= side.bounds.0 as usize && place < side.bounds.1 as usize;
                assert!(*weight == 0 || counts, "{side:?}: {place} of {result}");
            }
        }
        assert_eq!(taps.starts.len() % GROUP, 0);
        assert_eq!(taps.weights.len(), taps.starts.len() * taps.pairs);
        let held = taps.weights.capacity() * 4 + taps.starts.capacity() * 4;
        assert!(Taps::bytes(side) >= held as u64);
    }

    #[test]
    fn weights_add_up_and_stay_inside() {
        check(side(0.0, 1500.0, (0, 1500), 800), 0, 1500);
        check(side(3.25, 40.5, (3, 60), 9), 2, 55);
        check(side(0.0, 1.0, (0, 1), 1), 0, 1);
        check(side(0.0, 1.0, (0, 1), 8192), 0, 1);
        check(side(0.0, 5.0, (0, 5), 7), 0, 5);
        check(side(0.0, 65535.0, (0, 65535), 1), 0, 65535);
        check(side(10.0, 0.001, (7, 13), 3), 6, 13);
    }

    #[test]
    fn an_area_beyond_its_bounds_draws_the_edge_out() {
        check(side(-0.5, 4.0, (0, 3), 4), 0, 3);
        check(side(7.5, 8.0, (8, 15), 4), 8, 15);
        check(side(20.0, 4.0, (0, 8), 4), 6, 8);
    }

    #[test]
    fn what_keeps_its_size_keeps_its_samples() {
        let taps = Taps::new(side(2.0, 9.0, (0, 20), 9));
        for result in 0..9 {
            let (start, weights) = taps.of(result).unwrap();
            let at = taps.first as usize + start * 2;
            let own = weights.as_flattened().iter().position(|own| *own == ONE);
            assert_eq!(at + own.unwrap(), result + 2);
        }
    }
}
