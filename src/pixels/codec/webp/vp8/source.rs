//! The picture, block by block.

use super::predict::Block;

/// A plane: its rows are `stride` samples apart.
#[derive(Clone, Copy)]
pub(in crate::pixels::codec::webp) struct Rows<'a> {
    pub(in crate::pixels::codec::webp) samples: &'a [u8],
    pub(in crate::pixels::codec::webp) stride: usize,
}

/// Planes of a picture: limited range, colour at half the resolution, rounded up.
#[derive(Clone, Copy)]
pub(in crate::pixels::codec::webp) struct Source<'a> {
    /// Up to 16383 each.
    pub(in crate::pixels::codec::webp) width: usize,
    pub(in crate::pixels::codec::webp) height: usize,
    pub(in crate::pixels::codec::webp) luma: Rows<'a>,
    /// Blue and red; `None`: gray.
    pub(in crate::pixels::codec::webp) colour: Option<[Rows<'a>; 2]>,
}

impl Source<'_> {
    /// Blocks across and down.
    pub(super) fn blocks(&self) -> (usize, usize) {
        (self.width.div_ceil(16), self.height.div_ceil(16))
    }

    /// A block's luma, and its colour differences side by side. Past the picture's edges its last
    /// samples are repeated.
    #[inline(always)]
    pub(super) fn block(&self, column: usize, row: usize) -> (Block<16>, Block<8>) {
        let mut luma = [[0; 16]; 16];
        for (y, out) in luma.iter_mut().enumerate() {
            self.luma
                .copy((self.width, self.height), (column * 16, row * 16 + y), out);
        }
        let mut colour = [[128; 16]; 8];
        let size = (self.width.div_ceil(2), self.height.div_ceil(2));
        for (half, plane) in self.colour.iter().flatten().enumerate() {
            for (y, out) in colour.iter_mut().enumerate() {
                let out = &mut out[half * 8..half * 8 + 8];
                plane.copy(size, (column * 8, row * 8 + y), out);
            }
        }
        (luma, colour)
    }
}

impl Rows<'_> {
    /// Samples from a place on, of a plane of that size.
    #[inline(always)]
    fn copy(&self, (width, height): (usize, usize), (x, y): (usize, usize), out: &mut [u8]) {
        let start = y.min(height.saturating_sub(1)) * self.stride;
        let row = self.samples.get(start..).unwrap_or_default();
        let row = row.get(..width).unwrap_or(row);
        let rest = row.get(x..).unwrap_or_default();
        if let Some(rest) = rest.get(..out.len()) {
            out.copy_from_slice(rest);
            return;
        }
        out.fill(row.last().copied().unwrap_or_default());
        out[..rest.len()].copy_from_slice(rest);
    }
}
