//! Cutting out: exactly, or where the most happens.

use crate::pixels::{
    bitmap::{Bitmap, Raster, Samples, rgba},
    geometry::{Rect, Size},
};

/// Cells across the longer side of the grid that detail is counted in: fine enough to place a
/// face, coarse enough to forget noise.
const CELLS: u32 = 128;

/// The whole pixels of a rectangle, which is moved and cut to lie inside of the picture.
#[must_use]
pub fn cut(bitmap: Bitmap, rect: Rect) -> Bitmap {
    let rect = clamped(rect, bitmap.size);
    if rect.size() == bitmap.size {
        return bitmap;
    }
    let channels = bitmap.layout.channels();
    let samples = match bitmap.samples {
        Samples::U8(samples) => Samples::U8(rows(samples, bitmap.size, channels, rect)),
        Samples::U16(samples) => Samples::U16(rows(samples, bitmap.size, channels, rect)),
    };
    Bitmap {
        size: rect.size(),
        samples,
        ..bitmap
    }
}

/// As [`cut`], of a raster.
#[must_use]
pub fn cut_raster(raster: Raster, rect: Rect) -> Raster {
    let rect = clamped(rect, raster.size);
    if rect.size() == raster.size {
        return raster;
    }
    let channels = raster.layout.channels();
    Raster {
        size: rect.size(),
        samples: rows(raster.samples, raster.size, channels, rect),
        ..raster
    }
}

/// Where a window of this size sees the most detail.
///
/// Detail is the difference of each pixel's brightness (weighted by its alpha) to its left and
/// upper neighbours, summed over a grid; an integral image makes every position four look-ups.
/// Of equal positions, the one nearest to the middle.
#[must_use]
pub fn busiest(raster: &Raster, window: Size) -> Rect {
    let (width, height) = (raster.size.width, raster.size.height);
    let window = Size::new(window.width.min(width), window.height.min(height));
    let cell = width.max(height).div_ceil(CELLS);
    let grid = Size::new(width.div_ceil(cell), height.div_ceil(cell));
    let sums = integral(&detail(raster, cell, grid), grid);
    let stride = grid.width as usize + 1;
    let sum = |x: u32, y: u32| {
        let (left, top) = ((x / cell) as usize, (y / cell) as usize);
        let right = ((x + window.width).div_ceil(cell) as usize).min(stride - 1);
        let bottom = ((y + window.height).div_ceil(cell) as usize).min(grid.height as usize);
        sums[bottom * stride + right] + sums[top * stride + left]
            - sums[top * stride + right]
            - sums[bottom * stride + left]
    };
    let (spare_x, spare_y) = (width - window.width, height - window.height);
    let from_middle =
        |x: u32, y: u32| u64::from(x.abs_diff(spare_x / 2)) + u64::from(y.abs_diff(spare_y / 2));
    let steps = |spare: u32| (0..spare).step_by(cell as usize).chain([spare / 2, spare]);
    let best = steps(spare_y)
        .flat_map(|y| steps(spare_x).map(move |x| (x, y)))
        .max_by_key(|&(x, y)| (sum(x, y), std::cmp::Reverse(from_middle(x, y))));
    let (x, y) = best.unwrap_or((spare_x / 2, spare_y / 2));
    Rect {
        x,
        y,
        width: window.width,
        height: window.height,
    }
}

fn clamped(rect: Rect, size: Size) -> Rect {
    let width = rect.width.clamp(1, size.width);
    let height = rect.height.clamp(1, size.height);
    Rect {
        x: rect.x.min(size.width - width),
        y: rect.y.min(size.height - height),
        width,
        height,
    }
}

fn rows<S: Copy>(mut samples: Vec<S>, size: Size, channels: usize, rect: Rect) -> Vec<S> {
    let stride = size.width as usize * channels;
    let length = rect.width as usize * channels;
    for row in 0..rect.height as usize {
        let from = (rect.y as usize + row) * stride + rect.x as usize * channels;
        samples.copy_within(from..from + length, row * length);
    }
    samples.truncate(rect.height as usize * length);
    samples
}

/// Differences between neighbours, summed by cell.
fn detail(raster: &Raster, cell: u32, grid: Size) -> Vec<u64> {
    let width = raster.size.width as usize;
    let pixels = raster.samples.chunks_exact(raster.layout.channels());
    let light: Vec<u8> = pixels
        .map(|pixel| visible_light(rgba(raster.layout, pixel)))
        .collect();
    let mut cells = vec![0; grid.width as usize * grid.height as usize];
    for (y, row) in light.chunks_exact(width).enumerate() {
        let above = &light[y.saturating_sub(1) * width..][..width];
        for (x, &here) in row.iter().enumerate() {
            let left = row[x.saturating_sub(1)];
            let difference = u64::from(here.abs_diff(left)) + u64::from(here.abs_diff(above[x]));
            cells[y / cell as usize * grid.width as usize + x / cell as usize] += difference;
        }
    }
    cells
}

/// Brightness by BT.601's weights, seen on black.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a mean of numbers up to 255"
)]
fn visible_light([red, green, blue, alpha]: [u8; 4]) -> u8 {
    let light = u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29;
    ((light >> 8) * u32::from(alpha) / 255) as u8
}

/// One row and column wider than the grid: each entry the sum of all cells above and to its left.
fn integral(cells: &[u64], grid: Size) -> Vec<u64> {
    let stride = grid.width as usize + 1;
    let mut sums = vec![0; stride * (grid.height as usize + 1)];
    for (y, row) in cells.chunks_exact(grid.width as usize).enumerate() {
        let mut sum = 0;
        for (x, cell) in row.iter().enumerate() {
            sum += cell;
            sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + sum;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::bitmap::{Colour, Layout};

    fn numbered(width: u32, height: u32) -> Bitmap {
        let samples = (0..width * height)
            .map(|n| u8::try_from(n).unwrap())
            .collect();
        Bitmap {
            size: Size::new(width, height),
            layout: Layout::Gray,
            samples: Samples::U8(samples),
            colour: Colour::Srgb,
        }
    }

    #[track_caller]
    fn check_cut(x: u32, y: u32, width: u32, height: u32, expected: &[u8]) {
        let rect = Rect {
            x,
            y,
            width,
            height,
        };
        let bitmap = cut(numbered(4, 3), rect);
        assert_eq!(bitmap.samples, Samples::U8(expected.to_vec()));
        assert!(bitmap.is_complete());
    }

    #[test]
    fn cutting_takes_the_very_pixels() {
        check_cut(1, 1, 2, 2, &[5, 6, 9, 10]);
        check_cut(3, 0, 1, 3, &[3, 7, 11]);
    }

    #[test]
    fn cutting_stays_inside() {
        check_cut(3, 2, 2, 2, &[6, 7, 10, 11]);
        check_cut(9, 9, 1, 1, &[11]);
    }

    /// White, with a checkerboard of 8 × 8 pixels at a place.
    fn busy_at(width: u32, height: u32, at: (u32, u32)) -> Raster {
        let mut samples = vec![255; (width * height) as usize];
        for y in 0..8 {
            for x in 0..8 {
                let place = ((at.1 + y) * width + at.0 + x) as usize;
                samples[place] = if (x + y) % 2 == 0 { 0 } else { 255 };
            }
        }
        Raster {
            size: Size::new(width, height),
            layout: Layout::Gray,
            samples,
            colour: Colour::Srgb,
        }
    }

    #[track_caller]
    fn check_busiest(size: (u32, u32), at: (u32, u32), window: (u32, u32)) {
        let raster = busy_at(size.0, size.1, at);
        let rect = busiest(&raster, Size::new(window.0, window.1));
        assert!(
            rect.x <= at.0 && rect.x + rect.width >= at.0 + 8,
            "{rect:?}"
        );
        assert!(
            rect.y <= at.1 && rect.y + rect.height >= at.1 + 8,
            "{rect:?}"
        );
        assert_eq!(rect.size(), Size::new(window.0, window.1));
    }

    #[test]
    fn the_window_finds_the_detail() {
        check_busiest((300, 100), (10, 40), (100, 100));
        check_busiest((300, 100), (280, 40), (100, 100));
        check_busiest((100, 300), (40, 200), (100, 100));
        check_busiest((600, 600), (500, 40), (100, 100));
    }

    #[test]
    fn a_flat_picture_keeps_its_middle() {
        let mut raster = busy_at(300, 100, (0, 0));
        raster.samples.fill(9);
        assert_eq!(busiest(&raster, Size::new(100, 100)).x, 100);
    }
}
