//! A plane while it is drawn, in whole blocks; and which coefficients a scale keeps.

use super::frame::Component;
use crate::pixels::{geometry::Size, planes::Plane};

/// Which coefficient of a block, row by row, comes at each place of the file's order.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The place in the file's order of the last coefficient that is kept of a block at `n` eighths.
pub(super) const fn last(n: usize) -> usize {
    let mut place = 63;
    while place > 0 {
        let natural = ZIGZAG[place] as usize;
        if natural / 8 < n && natural % 8 < n {
            return place;
        }
        place -= 1;
    }
    0
}

/// The place behind `n × n` coefficients: what is put there is not wanted.
pub(super) fn behind(n: usize) -> u32 {
    u32::try_from(n * n).unwrap_or(0)
}

/// Samples of one component, with those that fill up the last units.
pub(super) struct Draft {
    /// Samples across and down of each block.
    pub(super) eighths: u8,
    pub(super) stride: usize,
    pub(super) samples: Vec<u8>,
    extent: (f64, f64),
}

impl Draft {
    /// An empty plane.
    pub(super) fn new(component: &Component, eighths: u8) -> Self {
        let side = usize::from(eighths);
        let stride = component.padded.0 * side;
        let share = f64::from(eighths) / 8.0;
        Self {
            eighths,
            stride,
            samples: vec![0; stride * component.padded.1 * side],
            extent: (component.extent.0 * share, component.extent.1 * share),
        }
    }

    /// The plane without what filled up its last blocks.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an eighth and more of a side of 16 bits"
    )]
    pub(super) fn finish(self) -> Plane {
        let (across, down) = (self.extent.0.ceil(), self.extent.1.ceil());
        let (width, height) = (across as usize, down as usize);
        let mut samples = self.samples;
        if width < self.stride {
            for row in 1..height {
                let from = row * self.stride;
                samples.copy_within(from..from + width, row * width);
            }
        }
        samples.truncate(width * height);
        Plane {
            size: Size::new(across as u32, down as u32),
            extent: self.extent,
            samples,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_keeps_a_square_of_low_coefficients() {
        let places = [0, 4, 12, 24, 39, 51, 59, 63];
        for (n, place) in (1..=8).zip(places) {
            assert_eq!(last(n), place, "at {n} eighths");
        }
    }
}
