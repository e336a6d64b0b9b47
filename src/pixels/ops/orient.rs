//! Turning by quarters and mirroring: exact, every pixel moved and none changed.

use crate::pixels::{
    bitmap::{Colour, Layout, Raster},
    geometry::Turn,
    planes::Plane,
};

/// Turns a picture.
#[must_use]
pub fn orient(raster: Raster, turn: Turn) -> Raster {
    if turn == Turn::NONE {
        return raster;
    }
    let size = turn.size(raster.size);
    let channels = raster.layout.channels();
    let stored_width = raster.size.width as usize;
    let (width, height) = (size.width as usize, size.height as usize);
    let mut samples = Vec::with_capacity(raster.samples.len());
    for y in 0..height {
        let y = if turn.mirror_y { height - 1 - y } else { y };
        for x in 0..width {
            let x = if turn.mirror_x { width - 1 - x } else { x };
            let (column, row) = if turn.transpose { (y, x) } else { (x, y) };
            let at = (row * stored_width + column) * channels;
            samples.extend_from_slice(&raster.samples[at..at + channels]);
        }
    }
    Raster {
        size,
        samples,
        ..raster
    }
}

/// Turns a plane that the picture covers as a whole.
#[must_use]
pub fn plane(plane: Plane, turn: Turn) -> Plane {
    let raster = Raster {
        size: plane.size,
        layout: Layout::Gray,
        samples: plane.samples,
        colour: Colour::Srgb,
    };
    let Raster { size, samples, .. } = orient(raster, turn);
    Plane {
        size,
        extent: (size.width.into(), size.height.into()),
        samples,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::geometry::Size;

    /// The picture that reads `abc` over `def`, in EXIF's eight orientations.
    #[track_caller]
    fn check(orientation: u8, stored: &str, width: u32) {
        let raster = Raster {
            size: Size::new(width, 6 / width),
            layout: Layout::Gray,
            samples: stored.as_bytes().to_vec(),
            colour: Colour::Srgb,
        };
        let upright = orient(raster, Turn::from_exif(orientation));
        assert_eq!(upright.size, Size::new(3, 2));
        assert_eq!(String::from_utf8_lossy(&upright.samples), "abcdef");
    }

    #[test]
    fn all_eight_orientations_become_upright() {
        check(1, "abcdef", 3);
        check(2, "cbafed", 3);
        check(3, "fedcba", 3);
        check(4, "defabc", 3);
        check(5, "adbecf", 2);
        check(6, "cfbead", 2);
        check(7, "fcebda", 2);
        check(8, "daebfc", 2);
    }

    #[test]
    fn pixels_of_several_samples_stay_together() {
        let raster = Raster {
            size: Size::new(2, 1),
            layout: Layout::Rgb,
            samples: b"abcdef".to_vec(),
            colour: Colour::Srgb,
        };
        let mirrored = orient(raster, Turn::mirror(true, false));
        assert_eq!(mirrored.samples, b"defabc");
    }
}
