//! JPEG to rows of planes, through libjpeg: what it has before it makes colours of them. For what the
//! scaled decoder leaves to it.
#![expect(unsafe_code, reason = "libjpeg is C")]

use std::ptr;

use mozjpeg_sys::{
    J_COLOR_SPACE, JSAMPROW_MUT, jpeg_decompress_struct, jpeg_read_raw_data, jpeg_start_decompress,
};

use super::{decode::Decoder, library};
use crate::pixels::{
    codec::{Cancel, Error, Limits, admit},
    geometry::Size,
    rows::{Rows, Shape, Sink},
};

/// Rows of a component that libjpeg gives at once: up to 4 blocks of up to 16.
const ROWS: usize = 64;

/// A component: where its samples go.
struct Part {
    shape: Shape,
    /// Rows of one row of MCUs.
    step: usize,
    /// As many, in whole blocks.
    samples: Vec<u8>,
    /// Rows that are still to be given.
    left: usize,
}

/// Decodes to one plane (gray) or three at `eighths`/8 of the size, row by row. libjpeg doubles
/// colour planes of half the resolution while it is at it, where `eighths` is 4 or less.
///
/// # Errors
/// As [`super::decode::decode`], and what the sink says.
pub(super) fn rows(
    bytes: &[u8],
    eighths: u8,
    buffered: bool,
    limits: &Limits,
    cancel: &Cancel,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    super::decode::with_decoder(buffered, limits, cancel, |mut decoder| {
        run(&mut decoder, bytes, eighths, limits, sink)
    })
}

fn run(
    decoder: &mut Decoder,
    bytes: &[u8],
    eighths: u8,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    decoder.open(bytes)?;
    let library = &mut *decoder.library;
    let known = matches!(
        library.jpeg_color_space,
        J_COLOR_SPACE::JCS_GRAYSCALE | J_COLOR_SPACE::JCS_YCbCr
    );
    if !known {
        return Err(admit::broken("planes of other colours than was surveyed"));
    }
    library.out_color_space = library.jpeg_color_space;
    library.scale_num = u32::from(eighths);
    library.scale_denom = 8;
    library.raw_data_out = 1;
    // SAFETY: the header is read; the source is not a suspending one.
    unsafe { jpeg_start_decompress(library) };
    admit::size(library.output_width, library.output_height, limits)?;
    let mut parts = parts(library, u32::from(eighths))?;
    let rows_of_mcus = u32::try_from(library.max_v_samp_factor).unwrap_or(0) * u32::from(eighths);
    let shapes: Vec<Shape> = parts.iter().map(|part| part.shape).collect();
    sink.begin(&shapes)?;
    while library.output_scanline < library.output_height {
        // SAFETY: the session outlives the decoder, and libjpeg is not using it between calls.
        unsafe { library::session(&library.common) }
            .cancel
            .check()?;
        let mut rows = [[ptr::null_mut(); ROWS]; 3];
        let mut components: [*mut JSAMPROW_MUT; 3] = [ptr::null_mut(); 3];
        for ((part, rows), component) in parts.iter_mut().zip(&mut rows).zip(&mut components) {
            part.point(rows);
            *component = rows.as_mut_ptr();
        }
        // SAFETY: for every component, as many rows as one row of MCUs has, each as wide as all
        // of its blocks (see `parts`).
        let read = unsafe { jpeg_read_raw_data(library, components.as_mut_ptr(), rows_of_mcus) };
        if read == 0 {
            return Err(admit::broken("libjpeg gave no rows"));
        }
        for (plane, part) in parts.iter_mut().enumerate() {
            part.give(plane, sink)?;
        }
    }
    Ok(())
}

/// The components, room for a row of MCUs allocated: whole blocks, as many as libjpeg has.
fn parts(library: &jpeg_decompress_struct, eighths: u32) -> Result<Vec<Part>, Error> {
    let factor = |factor| {
        u32::try_from(factor)
            .ok()
            .filter(|factor| (1..=4).contains(factor))
    };
    let odd = || admit::broken("sampling factors that there cannot be");
    let count = usize::try_from(library.num_components).unwrap_or(0);
    let widest = factor(library.max_h_samp_factor).ok_or_else(odd)?;
    let highest = factor(library.max_v_samp_factor).ok_or_else(odd)?;
    let rows_of_mcus = library.image_height.div_ceil(8 * highest);
    let mut parts = Vec::new();
    for index in 0..count.min(3) {
        // SAFETY: libjpeg allocated `num_components` of them while it read the header.
        let component = unsafe { &*library.comp_info.add(index) };
        let across = factor(component.h_samp_factor).ok_or_else(odd)?;
        let down = factor(component.v_samp_factor).ok_or_else(odd)?;
        let block = block((widest, across), (highest, down), eighths);
        let step = down * block;
        if step as usize > ROWS {
            return Err(odd());
        }
        let size = Size::new(component.width_in_blocks * block, rows_of_mcus * step);
        let extent = |side: u32, own: u32, most: u32| {
            f64::from(side) * f64::from(own * block) / f64::from(most * 8)
        };
        let strip = Size::new(size.width, step);
        parts.push(Part {
            shape: Shape {
                size,
                channels: 1,
                extent: (
                    extent(library.image_width, across, widest),
                    extent(library.image_height, down, highest),
                ),
            },
            step: step as usize,
            samples: vec![0; admit::buffer(strip, 1)?],
            left: size.height as usize,
        });
    }
    Ok(parts)
}

/// Samples a side that libjpeg makes of a block: `eighths`, doubled for coarser components as long
/// as both directions allow it, for then it need not widen them later.
fn block((widest, across): (u32, u32), (highest, down): (u32, u32), eighths: u32) -> u32 {
    let mut block = eighths;
    while block < 8
        && (widest * eighths).is_multiple_of(across * block * 2)
        && (highest * eighths).is_multiple_of(down * block * 2)
    {
        block *= 2;
    }
    block
}

impl Part {
    /// Where the next row of MCUs goes.
    fn point(&mut self, rows: &mut [JSAMPROW_MUT; ROWS]) {
        for (row, pointer) in self.samples.chunks_exact_mut(self.shape.row()).zip(rows) {
            *pointer = row.as_mut_ptr();
        }
    }

    /// Gives what libjpeg has drawn.
    fn give(&mut self, plane: usize, sink: &mut dyn Sink) -> Result<(), Error> {
        let (count, width) = (self.step.min(self.left), self.shape.row());
        if count == 0 {
            return Ok(());
        }
        self.left -= count;
        let rows = self.samples.get(..count * width).unwrap_or_default();
        sink.take(plane, Rows::new(rows, width, width)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_blocks_are_doubled_where_both_directions_allow_it() {
        assert_eq!(block((2, 1), (2, 1), 3), 6);
        assert_eq!(block((2, 1), (2, 1), 4), 8);
        assert_eq!(block((2, 1), (2, 1), 8), 8);
        assert_eq!(block((2, 1), (2, 1), 5), 10);
        assert_eq!(block((2, 1), (1, 1), 3), 3);
        assert_eq!(block((4, 1), (4, 1), 1), 4);
        assert_eq!(block((1, 1), (1, 1), 3), 3);
    }
}
