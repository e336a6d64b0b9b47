//! Inks without a usable profile: what they look like in coated offset printing.
//!
//! `(1 − c)(1 − k)` would give the colours of a screen, garish and too light in the shadows. The
//! sixteen solid overprints of a press are known; what lies between is interpolated (Neugebauer's
//! model, on coded numbers, which allows for dot gain).

use super::{as_srgb, narrowed};
use crate::pixels::bitmap::{Bitmap, Layout, Raster};

/// sRGB of the sixteen overprints, relative to paper. Bit 0 of the place is cyan, then magenta,
/// yellow and black.
const OVERPRINTS: [[u32; 3]; 16] = [
    [255, 255, 255],
    [0, 156, 228],
    [234, 23, 133],
    [48, 36, 123],
    [255, 240, 0],
    [0, 143, 63],
    [232, 31, 42],
    [48, 39, 55],
    [41, 35, 43],
    [22, 31, 42],
    [40, 24, 40],
    [25, 25, 37],
    [40, 35, 37],
    [22, 26, 35],
    [43, 27, 40],
    [33, 33, 44],
];

/// Inks to sRGB.
pub(super) fn to_srgb(bitmap: &Bitmap) -> Raster {
    let inks = narrowed(&bitmap.samples);
    let samples = inks.chunks_exact(4).flat_map(overprint).collect();
    Raster {
        layout: Layout::Rgb,
        ..as_srgb(bitmap, samples)
    }
}

/// One pixel: ink by ink, the table halves.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a mean of numbers up to 255"
)]
fn overprint(inks: &[u8]) -> [u8; 3] {
    let mut table = OVERPRINTS;
    let mut entries = table.len();
    for &ink in inks.iter().rev() {
        entries /= 2;
        let ink = u32::from(ink);
        let (without, with) = table.split_at_mut(entries);
        for (without, with) in without.iter_mut().zip(with) {
            for (without, with) in without.iter_mut().zip(with) {
                *without = (*without * (255 - ink) + *with * ink + 127) / 255;
            }
        }
    }
    table[0].map(|channel| channel as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(inks: [u8; 4], expected: [u8; 3]) {
        assert_eq!(overprint(&inks), expected);
    }

    #[test]
    fn solid_inks_are_their_overprints() {
        check([0, 0, 0, 0], [255, 255, 255]);
        check([255, 255, 0, 0], [48, 36, 123]);
        check([0, 0, 255, 0], [255, 240, 0]);
        check([255, 255, 255, 255], [33, 33, 44]);
    }

    #[test]
    fn half_an_ink_is_half_way() {
        check([0, 0, 0, 128], [148, 145, 149]);
    }
}
