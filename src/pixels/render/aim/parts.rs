//! Which parts of a large picture are tried, so that trials have a ceiling in pixels.

use crate::pixels::geometry::{Rect, Size};

/// Pixels of a trial. A larger picture is judged by parts of it: four of a size, the middles of its
/// quarters. Mosaics of many small ones would be judged by their seams.
pub(in super::super) const TRIED_PIXELS: u64 = 640_000;

/// Parts of a larger picture, across and down.
const PARTS: u32 = 2;

/// Sides of parts are multiples of this, and so are their places: the blocks of all codecs fall as
/// they do in the whole picture.
const BLOCK: u32 = 16;

/// Shortest side of a part, where the picture has it: with less, some scales of the score are
/// missing.
const LEAST_PART: u32 = 128;

/// The parts of a picture that are tried: all of it, or as many pixels as there may be.
pub(super) fn parts(size: Size) -> Vec<Rect> {
    if size.pixels() <= TRIED_PIXELS {
        return vec![Rect::whole(size)];
    }
    let places = |whole: u32, part: u32| {
        let middles = (0..PARTS).map(|at| (2 * at + 1) * (whole / (2 * PARTS)));
        let first = |middle: u32| middle.saturating_sub(part / 2).min(whole - part);
        let mut places: Vec<_> = middles.map(|at| first(at) / BLOCK * BLOCK).collect();
        places.dedup();
        places
    };
    let Size { width, height } = part(size);
    let across = places(size.width, width);
    let at = |x, y| Rect {
        x,
        y,
        width,
        height,
    };
    let rows = places(size.height, height).into_iter();
    rows.flat_map(|y| across.iter().map(move |&x| at(x, y)))
        .collect()
}

/// The size of a part: the picture's shape, unless that would be too narrow.
fn part(size: Size) -> Size {
    let pixels = TRIED_PIXELS / u64::from(PARTS * PARTS);
    let (short, long) = (size.width.min(size.height), size.width.max(size.height));
    let blocks = |side: u64| u32::try_from(side).unwrap_or(u32::MAX) / BLOCK * BLOCK;
    let share = (pixels * u64::from(short) / u64::from(long)).isqrt();
    let narrow = blocks(share).max(LEAST_PART).min(short);
    let wide = blocks(pixels / u64::from(narrow.max(1))).min(long / PARTS);
    if size.width < size.height {
        Size::new(narrow, wide)
    } else {
        Size::new(wide, narrow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_parts(width: u32, height: u32, count: usize, part: (u32, u32)) {
        let size = Size::new(width, height);
        let parts = parts(size);
        assert_eq!(
            (parts.len(), parts[0].width, parts[0].height),
            (count, part.0, part.1)
        );
        for part in &parts {
            assert!(part.x + part.width <= width && part.y + part.height <= height);
            assert_eq!((part.x % BLOCK, part.y % BLOCK), (0, 0));
        }
        let pixels: u64 = parts.iter().map(|part| part.size().pixels()).sum();
        assert!(pixels <= TRIED_PIXELS, "{pixels}");
    }

    #[test]
    fn large_pictures_are_tried_in_parts() {
        check_parts(800, 800, 1, (800, 800));
        check_parts(801, 800, 4, (400, 384));
        check_parts(4000, 4000, 4, (400, 400));
        check_parts(4000, 2000, 4, (576, 272));
        check_parts(2000, 4000, 4, (272, 576));
        check_parts(8192, 200, 4, (1248, 128));
        check_parts(8192, 100, 2, (1600, 100));
        check_parts(8, 100_000, 2, (8, 20_000));
    }
}
