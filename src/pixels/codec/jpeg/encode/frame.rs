//! What is coded: components, and their blocks a row of units at a time.

use super::{
    Picture,
    forward::{ACROSS, BLOCKS, Coefficients, Quantiser, SIDE},
};
use crate::pixels::codec::{Error, admit};

/// A picture, ready to be transformed.
pub(super) struct Frame<'a> {
    pub(super) components: Vec<Component<'a>>,
    /// Minimum coded units across and down.
    pub(super) units: (usize, usize),
}

/// A plane of it.
pub(super) struct Component<'a> {
    samples: &'a [u8],
    /// Samples across and down.
    size: (usize, usize),
    /// Blocks across, and down, in a unit.
    pub(super) factor: usize,
    /// Blocks that hold something of the picture.
    pub(super) blocks: (usize, usize),
    /// Which tables it has: luma's are the first.
    pub(super) tables: usize,
    /// Blocks by eights in a row of them.
    pub(super) eights: usize,
}

impl<'a> Frame<'a> {
    pub(super) fn new(picture: &Picture<'a>) -> Result<Self, Error> {
        let factor = match picture.chroma {
            Some(chroma) if chroma.halved => 2,
            _ => 1,
        };
        let size = (picture.size.width as usize, picture.size.height as usize);
        let units = (
            size.0.div_ceil(SIDE * factor),
            size.1.div_ceil(SIDE * factor),
        );
        let narrow = (size.0.div_ceil(factor), size.1.div_ceil(factor));
        let mut components = vec![Component::new(picture.luma, size, (factor, 0), units)?];
        if let Some(chroma) = picture.chroma {
            for samples in [chroma.blue, chroma.red] {
                components.push(Component::new(samples, narrow, (1, 1), units)?);
            }
        }
        Ok(Self { components, units })
    }

    /// Blocks of a row of units.
    pub(super) fn row_blocks(&self) -> usize {
        let blocks = |component: &Component<'_>| component.factor * component.factor;
        self.units.0 * self.components.iter().map(blocks).sum::<usize>()
    }

    /// Room for the coefficients of so many rows of units, by component.
    pub(super) fn room(&self, rows: usize) -> Vec<Vec<Coefficients>> {
        let room = |component: &Component<'_>| {
            vec![Coefficients::NONE; component.eights * component.factor * rows]
        };
        self.components.iter().map(room).collect()
    }
}

impl<'a> Component<'a> {
    fn new(
        samples: &'a [u8],
        size: (usize, usize),
        (factor, tables): (usize, usize),
        units: (usize, usize),
    ) -> Result<Self, Error> {
        if samples.len() != size.0 * size.1 || samples.is_empty() {
            return Err(admit::encode(
                "a plane of another length than its size says",
            ));
        }
        Ok(Self {
            samples,
            size,
            factor,
            blocks: (size.0.div_ceil(SIDE), size.1.div_ceil(SIDE)),
            tables,
            eights: (units.0 * factor).div_ceil(BLOCKS),
        })
    }

    /// The coefficients of a row of units, row of blocks by row of blocks.
    pub(super) fn row(
        &self,
        number: usize,
        quantiser: &Quantiser,
        band: &mut Vec<u8>,
        to: &mut [Coefficients],
    ) {
        let stride = self.eights * ACROSS;
        band.resize(stride * SIDE, 0);
        for (down, to) in to.chunks_mut(self.eights).enumerate() {
            self.fill((number * self.factor + down) * SIDE, stride, band);
            quantiser.run(band, stride, to);
        }
    }

    /// Eight rows from `top` on. What lies beyond the edges is as they are.
    fn fill(&self, top: usize, stride: usize, band: &mut [u8]) {
        let (width, height) = self.size;
        for (index, row) in band.chunks_exact_mut(stride).enumerate() {
            let y = (top + index).min(height - 1);
            let own = &self.samples[y * width..(y + 1) * width];
            let (inside, beyond) = row.split_at_mut(width.min(stride));
            inside.copy_from_slice(&own[..inside.len()]);
            beyond.fill(own.last().copied().unwrap_or(0));
        }
    }

    /// Which of a row's coefficients, and which of their blocks, is the block at this place.
    #[inline(always)]
    pub(super) fn place(&self, x: usize, row: usize) -> (usize, usize) {
        (row * self.eights + x / BLOCKS, x % BLOCKS)
    }
}
