//! Planes to libjpeg, a row of MCUs at a time.
#![expect(unsafe_code, reason = "libjpeg is C")]

use std::ptr;

use mozjpeg_sys::{JSAMPROW, jpeg_compress_struct, jpeg_write_raw_data};

use super::library;
use crate::pixels::{
    codec::{Error, admit},
    planes::{Plane, Planes},
};

/// Samples a side of a block.
const BLOCK: usize = 8;
/// Blocks of a component that an MCU has at most, across or down.
const MOST: usize = 2;

/// Some rows of a plane, widened to whole blocks by drawing out its edge.
struct Band<'a> {
    plane: &'a Plane,
    /// Rows of a row of MCUs.
    rows: usize,
    stride: usize,
    samples: Vec<u8>,
}

/// Writes all rows. Sampling factors have been set to what the planes have.
pub(super) fn write(library: &mut jpeg_compress_struct, planes: &Planes) -> Result<(), Error> {
    // Of one pixel, halved planes have the size of whole ones: their sizes do not tell.
    // SAFETY: libjpeg allocated its components when the defaults were set, one at least.
    let factor = unsafe { (*library.comp_info).v_samp_factor };
    let blocks = usize::try_from(factor).unwrap_or(1).clamp(1, MOST);
    let height = planes.luma.size.height as usize;
    let mut bands = vec![Band::new(&planes.luma, blocks, blocks)];
    for plane in planes.chroma.iter().flatten() {
        bands.push(Band::new(plane, 1, 1));
    }
    for number in 0..height.div_ceil(blocks * BLOCK) {
        // SAFETY: the session outlives the encoder; libjpeg is not using it between calls.
        unsafe { library::session(&library.common) }
            .cancel
            .check()?;
        let mut rows: [[JSAMPROW; MOST * BLOCK]; 3] = [[ptr::null(); MOST * BLOCK]; 3];
        let mut components: [*const JSAMPROW; 3] = [ptr::null(); 3];
        for ((band, rows), component) in bands.iter_mut().zip(&mut rows).zip(&mut components) {
            band.fill(number)?;
            for (row, pointer) in band.samples.chunks_exact(band.stride).zip(rows.iter_mut()) {
                *pointer = row.as_ptr();
            }
            *component = rows.as_ptr();
        }
        let count = u32::try_from(blocks * BLOCK).unwrap_or(0);
        // SAFETY: for every component as many rows as an MCU has, each of whole MCUs in width.
        unsafe { jpeg_write_raw_data(library, components.as_ptr(), count) };
    }
    Ok(())
}

impl<'a> Band<'a> {
    fn new(plane: &'a Plane, across: usize, down: usize) -> Self {
        let stride = (plane.size.width as usize).next_multiple_of(across * BLOCK);
        let rows = down * BLOCK;
        Self {
            plane,
            rows,
            stride,
            samples: vec![0; stride * rows],
        }
    }

    /// The rows of the row of MCUs with this number.
    fn fill(&mut self, number: usize) -> Result<(), Error> {
        let width = self.plane.size.width as usize;
        let last = (self.plane.size.height as usize).saturating_sub(1);
        for (index, row) in self.samples.chunks_exact_mut(self.stride).enumerate() {
            let y = (number * self.rows + index).min(last);
            let source = self.plane.samples.get(y * width..(y + 1) * width);
            let source = source.ok_or_else(|| admit::encode("a plane without its rows"))?;
            let (own, beyond) = row.split_at_mut(width);
            own.copy_from_slice(source);
            beyond.fill(source.last().copied().unwrap_or(0));
        }
        Ok(())
    }
}
