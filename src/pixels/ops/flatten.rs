//! Laying a picture on a colour.

use crate::pixels::{
    bitmap::{Layout, Raster, rgba},
    geometry::Size,
};

/// Composites the picture over one colour, on coded numbers, as browsers do. The result has no
/// alpha if the colour is opaque; a picture without alpha is left alone.
#[must_use]
pub fn flatten(raster: Raster, ground: [u8; 4]) -> Raster {
    if !raster.layout.has_alpha() {
        return raster;
    }
    let coloured = ground[0] != ground[1] || ground[1] != ground[2];
    let raster = raster.expanded(coloured, true);
    let gray = raster.layout == Layout::GrayAlpha;
    let layout = match (gray, ground[3] == 255) {
        (true, true) => Layout::Gray,
        (true, false) => Layout::GrayAlpha,
        (false, true) => Layout::Rgb,
        (false, false) => Layout::Rgba,
    };
    let mut samples = Vec::with_capacity(bytes(raster.size, layout));
    for pixel in raster.samples.chunks_exact(raster.layout.channels()) {
        let over = over(rgba(raster.layout, pixel), ground);
        samples.extend_from_slice(if gray { &over[..1] } else { &over[..3] });
        if layout.has_alpha() {
            samples.push(over[3]);
        }
    }
    Raster {
        layout,
        samples,
        ..raster
    }
}

fn bytes(size: Size, layout: Layout) -> usize {
    size.width as usize * size.height as usize * layout.channels()
}

/// Porter and Duff's `over`, neither side premultiplied.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a mean of numbers up to 255"
)]
pub fn over(front: [u8; 4], back: [u8; 4]) -> [u8; 4] {
    let front_weight = u32::from(front[3]) * 255;
    let back_weight = u32::from(back[3]) * (255 - u32::from(front[3]));
    let weight = front_weight + back_weight;
    if weight == 0 {
        return [0; 4];
    }
    let mix = |channel: usize| {
        let sum = u32::from(front[channel]) * front_weight + u32::from(back[channel]) * back_weight;
        ((sum + weight / 2) / weight) as u8
    };
    [mix(0), mix(1), mix(2), ((weight + 127) / 255) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::bitmap::Colour;

    #[track_caller]
    fn check(layout: Layout, pixel: &[u8], ground: [u8; 4], expected: (Layout, &[u8])) {
        let raster = Raster {
            size: Size::new(1, 1),
            layout,
            samples: pixel.to_vec(),
            colour: Colour::Srgb,
        };
        let flat = flatten(raster, ground);
        assert_eq!((flat.layout, flat.samples.as_slice()), expected);
    }

    const WHITE: [u8; 4] = [255; 4];

    #[test]
    fn what_is_clear_shows_the_ground() {
        check(
            Layout::Rgba,
            &[9, 9, 9, 0],
            [1, 2, 3, 255],
            (Layout::Rgb, &[1, 2, 3]),
        );
        check(Layout::GrayAlpha, &[9, 0], WHITE, (Layout::Gray, &[255]));
        check(
            Layout::GrayAlpha,
            &[9, 0],
            [1, 2, 3, 255],
            (Layout::Rgb, &[1, 2, 3]),
        );
    }

    #[test]
    fn what_is_opaque_stays() {
        check(
            Layout::Rgba,
            &[9, 8, 7, 255],
            WHITE,
            (Layout::Rgb, &[9, 8, 7]),
        );
        check(Layout::Gray, &[9], WHITE, (Layout::Gray, &[9]));
    }

    #[test]
    fn what_is_between_is_mixed() {
        check(
            Layout::Rgba,
            &[0, 0, 0, 51],
            WHITE,
            (Layout::Rgb, &[204, 204, 204]),
        );
    }

    #[test]
    fn a_clear_ground_leaves_alpha() {
        check(
            Layout::Rgba,
            &[0, 0, 0, 0],
            [5, 5, 5, 0],
            (Layout::Rgba, &[0, 0, 0, 0]),
        );
        check(
            Layout::Rgba,
            &[9, 9, 9, 0],
            [5, 5, 5, 100],
            (Layout::Rgba, &[5, 5, 5, 100]),
        );
    }
}
