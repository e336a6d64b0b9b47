//! RGB to the planes that VP8 codes: BT.601, limited range, colour at half the resolution. Knows
//! nothing of files.

use super::{
    change::Blocks,
    vp8::{Rows, Source},
};
use crate::pixels::{
    codec::yuv::{self, Form, NEUTRAL},
    planes::Range,
};

/// A picture in planes, and room for the next.
#[derive(Debug, Default)]
pub(super) struct Yuv {
    width: usize,
    height: usize,
    planes: yuv::Yuv,
}

impl Yuv {
    /// Takes the rows of a picture: RGB of `N` 3, or RGBA of `N` 4, whose alpha counts for nothing.
    pub(super) fn fill<'a, const N: usize>(
        &mut self,
        size: (usize, usize),
        rows: impl Iterator<Item = &'a [u8]>,
    ) {
        (self.width, self.height) = size;
        let form = Form {
            range: Range::Limited,
            halved: true,
        };
        self.planes.fill::<N>(size, rows, form);
    }

    pub(super) fn source(&self) -> Source<'_> {
        let rows = |samples, stride| Rows { samples, stride };
        let [blue, red] = &self.planes.colour;
        let half = self.width.div_ceil(2);
        Source {
            width: self.width,
            height: self.height,
            luma: rows(&self.planes.luma, self.width),
            colour: Some([rows(blue, half), rows(red, half)]),
        }
    }

    /// Gives those blocks that nobody sees the samples that are coded shortest: what VP8 predicts
    /// where it is said nothing else, the mean of those above and to the left.
    pub(super) fn flatten(&mut self, blocks: &Blocks) {
        for (number, shown) in blocks.shown.iter().enumerate() {
            if *shown {
                continue;
            }
            let at = (number % blocks.across, number / blocks.across);
            flatten(&mut self.planes.luma, self.width, at, blocks.side);
            for plane in &mut self.planes.colour {
                flatten(plane, self.width.div_ceil(2), at, blocks.side / 2);
            }
        }
    }
}

/// Gives a block the mean of the samples above it and to its left.
fn flatten(plane: &mut [u8], stride: usize, (column, row): (usize, usize), side: usize) {
    let (left, top) = (column * side, row * side);
    let right = (left + side).min(stride);
    let height = plane.len().checked_div(stride).unwrap_or(0);
    let bottom = (top + side).min(height);
    let above = top.checked_sub(1).map_or(&[][..], |above| {
        plane
            .get(above * stride + left..above * stride + right)
            .unwrap_or_default()
    });
    let before = left.checked_sub(1).into_iter();
    let before = before.flat_map(|x| (top..bottom).map(move |y| y * stride + x));
    let before = before.filter_map(|place| plane.get(place));
    let (mut sum, mut count) = (0_u32, 0_u32);
    for sample in above.iter().chain(before) {
        sum += u32::from(*sample);
        count += 1;
    }
    let mean = (sum + count / 2)
        .checked_div(count)
        .map_or(NEUTRAL, |mean| u8::try_from(mean).unwrap_or(NEUTRAL));
    for y in top..bottom {
        if let Some(row) = plane.get_mut(y * stride + left..y * stride + right) {
            row.fill(mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_nobody_sees_are_as_those_around_them() {
        let mut yuv = Yuv::default();
        let shade = |x: usize, y: usize| if x < 16 && y < 16 { [90; 3] } else { [200; 3] };
        let pixels: Vec<[u8; 3]> = (0..35 * 20).map(|at| shade(at % 35, at / 35)).collect();
        yuv.fill::<3>((35, 20), pixels.chunks(35).map(<[_]>::as_flattened));
        let seen = yuv.planes.luma[0];
        yuv.flatten(&Blocks {
            side: 16,
            across: 3,
            shown: vec![true, false, false, false, false, false],
        });
        assert!(yuv.planes.luma.iter().all(|sample| *sample == seen));
        assert!(
            yuv.planes
                .colour
                .iter()
                .flatten()
                .all(|sample| *sample == NEUTRAL)
        );
        // With nothing around it.
        yuv.flatten(&Blocks {
            side: 16,
            across: 3,
            shown: vec![false; 6],
        });
        assert!(yuv.planes.luma.iter().all(|sample| *sample == NEUTRAL));
    }
}
