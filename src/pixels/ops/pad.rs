//! Putting a picture on a larger canvas.

use crate::pixels::{bitmap::Raster, geometry::Size};

/// What stands around the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// One colour: red, green, blue, alpha.
    Colour([u8; 4]),
    /// Each pixel of the canvas as the nearest one of the picture.
    Edges,
}

/// Puts the picture at (`x`, `y`) of a canvas that is large enough to hold it there.
#[must_use]
pub fn place(raster: Raster, canvas: Size, x: u32, y: u32, around: Around) -> Raster {
    if canvas == raster.size {
        return raster;
    }
    match around {
        Around::Colour(colour) => on_colour(raster, canvas, x, y, colour),
        Around::Edges => on_edges(&raster, canvas, x, y),
    }
}

fn on_colour(raster: Raster, canvas: Size, x: u32, y: u32, fill: [u8; 4]) -> Raster {
    let coloured = fill[0] != fill[1] || fill[1] != fill[2];
    let raster = raster.expanded(coloured, fill[3] < 255);
    let pixel = filling(&raster, fill);
    let row = raster.size.width as usize * pixel.len();
    let before = x as usize * pixel.len();
    let stride = canvas.width as usize * pixel.len();
    let mut samples = pixel.repeat(canvas.width as usize * canvas.height as usize);
    let lines = samples.chunks_exact_mut(stride).skip(y as usize);
    for (line, from) in lines.zip(raster.samples.chunks_exact(row)) {
        line[before..before + row].copy_from_slice(from);
    }
    Raster {
        size: canvas,
        samples,
        ..raster
    }
}

fn on_edges(raster: &Raster, canvas: Size, x: u32, y: u32) -> Raster {
    let channels = raster.layout.channels();
    let row = raster.size.width as usize * channels;
    let stride = canvas.width as usize * channels;
    let mut samples = Vec::with_capacity(stride * canvas.height as usize);
    for line in 0..canvas.height {
        let line = line.saturating_sub(y).min(raster.size.height - 1) as usize;
        let from = &raster.samples[line * row..][..row];
        let before = x as usize;
        let after = canvas.width as usize - before - raster.size.width as usize;
        samples.extend_from_slice(&from[..channels].repeat(before));
        samples.extend_from_slice(from);
        samples.extend_from_slice(&from[row - channels..].repeat(after));
    }
    Raster {
        size: canvas,
        samples,
        layout: raster.layout,
        colour: raster.colour.clone(),
    }
}

/// A colour in the layout of a raster that can hold it.
fn filling(raster: &Raster, [red, green, blue, alpha]: [u8; 4]) -> Vec<u8> {
    use crate::pixels::bitmap::Layout;
    match raster.layout {
        Layout::Gray => vec![red],
        Layout::GrayAlpha => vec![red, alpha],
        Layout::Rgb => vec![red, green, blue],
        Layout::Rgba | Layout::Cmyk => vec![red, green, blue, alpha],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::bitmap::{Colour, Layout};

    fn two() -> Raster {
        Raster {
            size: Size::new(2, 1),
            layout: Layout::Gray,
            samples: vec![1, 2],
            colour: Colour::Srgb,
        }
    }

    #[track_caller]
    fn check(canvas: (u32, u32), at: (u32, u32), around: Around, layout: Layout, expected: &[u8]) {
        let placed = place(two(), Size::new(canvas.0, canvas.1), at.0, at.1, around);
        assert_eq!(
            (placed.layout, placed.samples.as_slice()),
            (layout, expected)
        );
        assert_eq!(placed.size, Size::new(canvas.0, canvas.1));
    }

    #[test]
    fn gray_on_gray_stays_gray() {
        let around = Around::Colour([9, 9, 9, 255]);
        check(
            (4, 2),
            (1, 1),
            around,
            Layout::Gray,
            &[9, 9, 9, 9, 9, 1, 2, 9],
        );
    }

    #[test]
    fn gray_on_a_colour_becomes_coloured() {
        let around = Around::Colour([9, 8, 7, 255]);
        check(
            (3, 1),
            (0, 0),
            around,
            Layout::Rgb,
            &[1, 1, 1, 2, 2, 2, 9, 8, 7],
        );
    }

    #[test]
    fn a_clear_surround_brings_alpha() {
        let around = Around::Colour([0, 0, 0, 0]);
        check(
            (3, 1),
            (1, 0),
            around,
            Layout::GrayAlpha,
            &[0, 0, 1, 255, 2, 255],
        );
    }

    #[test]
    fn edges_are_drawn_out() {
        check(
            (4, 2),
            (1, 0),
            Around::Edges,
            Layout::Gray,
            &[1, 1, 2, 2, 1, 1, 2, 2],
        );
    }
}
