//! Rows of a plane while they are drawn, in whole blocks; and which coefficients a scale keeps.

use super::frame::Component;
use crate::pixels::{
    codec::{Error, jpeg::ZIGZAG},
    geometry::Size,
    rows::{Rows, Shape, Sink},
};

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

/// Some rows of one component, in whole blocks: as many as a row of units has.
pub(super) struct Strip {
    /// Samples across and down of each block.
    pub(super) eighths: u8,
    pub(super) stride: usize,
    pub(super) samples: Vec<u8>,
    shape: Shape,
    /// Rows that are still to be given.
    left: usize,
}

impl Strip {
    /// An empty one, above the first row.
    pub(super) fn new(component: &Component, eighths: u8) -> Self {
        let side = usize::from(eighths);
        let stride = component.padded.0 * side;
        let shape = shape(component, eighths);
        Self {
            eighths,
            stride,
            samples: vec![0; stride * component.factors.1 * side],
            left: shape.size.height as usize,
            shape,
        }
    }

    /// Bytes of one.
    pub(super) fn bytes(component: &Component, eighths: u8) -> u64 {
        let side = usize::from(eighths);
        (component.padded.0 * side * component.factors.1 * side) as u64
    }

    /// Gives its rows, without what fills up the last blocks; the next are to be drawn over them.
    pub(super) fn give(&mut self, plane: usize, sink: &mut dyn Sink) -> Result<(), Error> {
        let held = self.samples.len() / self.stride;
        let count = held.min(self.left);
        if count == 0 {
            return Ok(());
        }
        self.left -= count;
        let rows = self.samples.get(..count * self.stride).unwrap_or_default();
        sink.take(plane, Rows::new(rows, self.shape.row(), self.stride)?)
    }
}

/// The plane of a component, without what fills up its last blocks.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an eighth and more of a side of 16 bits"
)]
pub(super) fn shape(component: &Component, eighths: u8) -> Shape {
    let share = f64::from(eighths) / 8.0;
    let extent = (component.extent.0 * share, component.extent.1 * share);
    Shape {
        size: Size::new(extent.0.ceil() as u32, extent.1.ceil() as u32),
        channels: 1,
        extent,
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
