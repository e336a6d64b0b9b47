//! Finding the border that `trim` cuts off. Looks, and cuts nothing.

use crate::pixels::{
    bitmap::{Bitmap, Samples},
    colour::curve::Sample,
    geometry::Rect,
};

/// What remains of a region when rows and columns at its edges are cut off, whose every sample
/// differs by at most `tolerance` (of 255) from the pixel at (`corner_x`, `corner_y`). Transparent
/// pixels are alike, whatever their colour. A region that is all border remains whole.
#[must_use]
pub fn inner(bitmap: &Bitmap, region: Rect, corner: (u32, u32), tolerance: u8) -> Rect {
    match &bitmap.samples {
        Samples::U8(samples) => find(bitmap, samples, region, corner, tolerance),
        Samples::U16(samples) => find(bitmap, samples, region, corner, tolerance),
    }
}

fn find<S: Sample>(
    bitmap: &Bitmap,
    samples: &[S],
    region: Rect,
    corner: (u32, u32),
    tolerance: u8,
) -> Rect {
    let channels = bitmap.layout.channels();
    let stride = bitmap.size.width as usize * channels;
    let pixel = |x: u32, y: u32| {
        let at = y as usize * stride + x as usize * channels;
        &samples[at..at + channels]
    };
    let border = pixel(corner.0, corner.1);
    let alpha = bitmap.layout.has_alpha();
    let is_border = |x: u32, y: u32| alike(pixel(x, y), border, alpha, tolerance);
    let (left, top) = (region.x, region.y);
    let (right, bottom) = (left + region.width, top + region.height);
    let row_is_border = |y: &u32| (left..right).all(|x| is_border(x, *y));
    let Some(first) = (top..bottom).find(|y| !row_is_border(y)) else {
        return region;
    };
    let last = (first..bottom)
        .rev()
        .find(|y| !row_is_border(y))
        .unwrap_or(first);
    let column_is_border = |x: &u32| (first..=last).all(|y| is_border(*x, y));
    let start = (left..right).find(|x| !column_is_border(x)).unwrap_or(left);
    let end = (start..right)
        .rev()
        .find(|x| !column_is_border(x))
        .unwrap_or(start);
    Rect {
        x: start,
        y: first,
        width: end - start + 1,
        height: last - first + 1,
    }
}

fn alike<S: Sample>(one: &[S], other: &[S], alpha: bool, tolerance: u8) -> bool {
    let clear = |pixel: &[S]| alpha && pixel.last() == Some(&S::default());
    let near = |(one, other): (&S, &S)| {
        one.widened().abs_diff(other.widened()) <= u16::from(tolerance) * 257
    };
    (clear(one) && clear(other)) || one.iter().zip(other).all(near)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{
        bitmap::{Colour, Layout},
        geometry::Size,
    };

    #[track_caller]
    fn check(rows: [[u8; 5]; 4], tolerance: u8, expected: (u32, u32, u32, u32)) {
        let bitmap = Bitmap {
            size: Size::new(5, 4),
            layout: Layout::Gray,
            samples: Samples::U8(rows.concat()),
            colour: Colour::Srgb,
        };
        let rect = inner(&bitmap, Rect::whole(bitmap.size), (0, 0), tolerance);
        assert_eq!((rect.x, rect.y, rect.width, rect.height), expected);
    }

    #[test]
    fn a_plain_border_is_found() {
        check(
            [[9; 5], [9, 1, 9, 9, 9], [9, 9, 2, 9, 9], [9; 5]],
            0,
            (1, 1, 2, 2),
        );
    }

    #[test]
    fn a_noisy_border_needs_tolerance() {
        let rows = [[9, 8, 9, 9, 9], [9, 9, 50, 9, 9], [9; 5], [9; 5]];
        check(rows, 1, (2, 1, 1, 1));
        check(rows, 0, (1, 0, 2, 2));
    }

    #[test]
    fn a_picture_that_is_all_border_remains() {
        check([[9; 5]; 4], 0, (0, 0, 5, 4));
    }

    #[test]
    fn a_picture_without_border_remains() {
        check([[9, 1, 1, 1, 1], [1; 5], [1; 5], [1; 5]], 0, (0, 0, 5, 4));
    }

    #[test]
    fn transparent_pixels_are_alike() {
        let bitmap = Bitmap {
            size: Size::new(3, 1),
            layout: Layout::GrayAlpha,
            samples: Samples::U16(vec![1, 0, 5, 9, 60_000, 0]),
            colour: Colour::Srgb,
        };
        let rect = inner(&bitmap, Rect::whole(bitmap.size), (0, 0), 0);
        assert_eq!((rect.x, rect.width), (1, 1));
    }

    #[test]
    fn only_the_region_is_looked_at() {
        let bitmap = Bitmap {
            size: Size::new(4, 1),
            layout: Layout::Gray,
            samples: Samples::U8(vec![1, 9, 9, 3]),
            colour: Colour::Srgb,
        };
        let region = Rect {
            x: 1,
            y: 0,
            width: 3,
            height: 1,
        };
        assert_eq!(inner(&bitmap, region, (1, 0), 0).x, 3);
    }
}
