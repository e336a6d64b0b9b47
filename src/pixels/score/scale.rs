//! One of the sizes at which two pictures are compared: takes rows from the top, holds as many as
//! the blur reaches over, and sums up how far they differ.

use super::{
    blur::{self, REACH, TAPS},
    xyb,
};

/// What is averaged of the two pictures: each of them, the sum of their squares, and the square of
/// their difference. (The product of both, which the formula has, follows from these; but where
/// the pictures are nearly alike, what is left of it after subtraction is mostly rounding.)
const KINDS: usize = 4;

/// Keeps the structure term from dividing by nothing where a picture is flat.
const FLAT: f32 = 0.0009;

/// Numbers that are summed up side by side.
const LANES: usize = 16;

/// Sums of a channel: difference of structure, edges that are new, edges that are gone; of each
/// the sum, and the sum of fourth powers.
pub(super) const SUMS: usize = 6;

/// A row of each picture in linear light: red, green and blue.
pub(super) type Rows = [[Vec<f32>; 3]; 2];

pub(super) fn rows(width: usize) -> Rows {
    std::array::from_fn(|_| std::array::from_fn(|_| vec![0.0; width]))
}

/// One of the sizes.
pub(super) struct Scale {
    width: usize,
    /// Rows that were pushed.
    pushed: usize,
    /// Of each channel that counts, and each kind, the last rows.
    rings: [Option<[Ring; KINDS]>; 3],
    seen: Rows,
    /// Of each kind: averaged down, with zeros on either side, and then across as well.
    averaged: [(Vec<f32>, Vec<f32>); KINDS],
    /// The upper one of two rows that make one of the next scale.
    upper: Option<Rows>,
    /// Of each channel.
    pub(super) sums: [[f64; SUMS]; 3],
}

impl Scale {
    /// One of this width, in the channels that count.
    pub(super) fn new(width: usize, counts: [bool; 3]) -> Self {
        let rings = || std::array::from_fn(|_| Ring::new(width));
        let averaged = || (vec![0.0; width + 2 * REACH], vec![0.0; width]);
        Self {
            width,
            pushed: 0,
            rings: counts.map(|counts| counts.then(rings)),
            seen: rows(width),
            averaged: std::array::from_fn(|_| averaged()),
            upper: None,
            sums: [[0.0; SUMS]; 3],
        }
    }

    /// Takes the next row; gives one of half the width where two are complete.
    #[inline(always)]
    pub(super) fn push(&mut self, light: &Rows) -> Option<Rows> {
        let colours = self.rings[0].is_some() || self.rings[2].is_some();
        for (light, seen) in light.iter().zip(&mut self.seen) {
            if colours {
                xyb::row(light, seen);
            } else if self.rings[1].is_some() {
                xyb::brightness(light, &mut seen[1]);
            }
        }
        for (channel, rings) in self.rings.iter_mut().enumerate() {
            let [reference, picture] = &self.seen;
            if let Some(rings) = rings {
                keep(rings, self.pushed, &reference[channel], &picture[channel]);
            }
        }
        self.compare();
        if let Some(upper) = self.upper.take() {
            return Some(halved(&upper, light));
        }
        self.upper = Some(light.clone());
        None
    }

    /// What is left at the bottom: rows that waited for those below, and the last one of the next
    /// scale, where their number is odd.
    #[inline(always)]
    pub(super) fn finish(&mut self) -> Option<Rows> {
        for _ in 0..REACH {
            for ring in self.rings.iter_mut().flatten().flatten() {
                ring.row_mut(self.pushed).fill(0.0);
            }
            self.compare();
        }
        self.upper.take().map(|last| halved(&last, &last))
    }

    /// Compares the row that now has all its neighbours.
    #[inline(always)]
    fn compare(&mut self) {
        let newest = self.pushed;
        self.pushed += 1;
        let Some(middle) = newest.checked_sub(REACH) else {
            return;
        };
        for (rings, sums) in self.rings.iter().zip(&mut self.sums) {
            let Some(rings) = rings else { continue };
            for (ring, (down, across)) in rings.iter().zip(&mut self.averaged) {
                let inside = REACH..REACH + self.width;
                blur::down(ring.around(middle), &mut down[inside]);
                blur::across(down, across);
            }
            let [of_reference, of_picture, squares, difference] = &self.averaged;
            let averages = [of_reference, of_picture, squares, difference].map(|(_, row)| &row[..]);
            let [reference, picture, ..] = rings;
            add(reference.row(middle), picture.row(middle), averages, sums);
        }
    }
}

/// The last rows of one kind.
struct Ring {
    width: usize,
    samples: Vec<f32>,
}

impl Ring {
    fn new(width: usize) -> Self {
        Self {
            width,
            samples: vec![0.0; width * TAPS],
        }
    }

    #[inline(always)]
    fn row(&self, at: usize) -> &[f32] {
        &self.samples[at % TAPS * self.width..][..self.width]
    }

    #[inline(always)]
    fn row_mut(&mut self, at: usize) -> &mut [f32] {
        &mut self.samples[at % TAPS * self.width..][..self.width]
    }

    /// The rows around one, from the top. Above the first, the ring is as it began: zeros.
    #[inline(always)]
    fn around(&self, middle: usize) -> [&[f32]; TAPS] {
        std::array::from_fn(|tap| self.row(middle + TAPS + tap - REACH))
    }
}

#[inline(always)]
fn keep(rings: &mut [Ring; KINDS], at: usize, reference: &[f32], picture: &[f32]) {
    let [first, second, squares, difference] = rings;
    first.row_mut(at).copy_from_slice(reference);
    second.row_mut(at).copy_from_slice(picture);
    let sums = squares.row_mut(at).iter_mut().zip(difference.row_mut(at));
    for ((squares, difference), (a, b)) in sums.zip(reference.iter().zip(picture)) {
        *squares = a * a + b * b;
        *difference = (a - b) * (a - b);
    }
}

/// Adds a row's differences to the sums.
#[inline(always)]
fn add(reference: &[f32], picture: &[f32], averages: [&[f32]; KINDS], sums: &mut [f64; SUMS]) {
    let mut lanes = [[0.0_f32; LANES]; SUMS];
    let rows = [
        reference,
        picture,
        averages[0],
        averages[1],
        averages[2],
        averages[3],
    ];
    let split = rows.map(|row| row.as_chunks::<LANES>());
    for at in 0..split[0].0.len() {
        let group = split.map(|(groups, _)| &groups[at]);
        for lane in 0..LANES {
            let terms = differences(group.map(|group| group[lane]));
            for (lanes, term) in lanes.iter_mut().zip(terms) {
                lanes[lane] += term;
            }
        }
    }
    let rest = split.map(|(_, rest)| rest);
    for at in 0..rest[0].len() {
        let terms = differences(rest.map(|rest| rest[at]));
        for (lanes, term) in lanes.iter_mut().zip(terms) {
            lanes[0] += term;
        }
    }
    for (sum, lanes) in sums.iter_mut().zip(lanes) {
        *sum += lanes.iter().copied().map(f64::from).sum::<f64>();
    }
}

/// How one sample differs: structure, new edge, lost edge; each as it is and to the fourth power.
#[inline(always)]
fn differences([a, b, mean_a, mean_b, squares, difference]: [f32; 6]) -> [f32; SUMS] {
    let apart = (mean_a - mean_b) * (mean_a - mean_b);
    // The variances of both; and what is missing of them in twice the covariance.
    let variances = squares - mean_a * mean_a - mean_b * mean_b + FLAT;
    let unlike = difference - apart;
    let structure = ((unlike + apart * (variances - unlike)) / variances).max(0.0);
    let (edge_a, edge_b) = ((a - mean_a).abs(), (b - mean_b).abs());
    let edge = (edge_b - edge_a) / (1.0 + edge_a);
    let (new, lost) = (edge.max(0.0), (-edge).max(0.0));
    let fourth = |value: f32| (value * value) * (value * value);
    [
        structure,
        fourth(structure),
        new,
        fourth(new),
        lost,
        fourth(lost),
    ]
}

/// Two rows as one of half the width; the last sample of an odd row stands for two.
#[inline(always)]
fn halved(upper: &Rows, lower: &Rows) -> Rows {
    std::array::from_fn(|picture| {
        std::array::from_fn(|channel| {
            halved_row(&upper[picture][channel], &lower[picture][channel])
        })
    })
}

#[inline(always)]
fn halved_row(upper: &[f32], lower: &[f32]) -> Vec<f32> {
    let (uppers, upper_last) = upper.as_chunks::<2>();
    let (lowers, lower_last) = lower.as_chunks::<2>();
    let mut row = Vec::with_capacity(upper.len().div_ceil(2));
    let pairs = uppers.iter().zip(lowers);
    row.extend(pairs.map(|([a, b], [c, d])| 0.25 * (a + b + c + d)));
    let last = upper_last.iter().zip(lower_last);
    row.extend(last.map(|(a, b)| 0.5 * (a + b)));
    row
}
