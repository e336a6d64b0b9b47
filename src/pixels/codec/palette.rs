//! Pictures of few colours: the palette that holds all of them exactly. Shared by PNG and GIF.

use crate::pixels::bitmap::{Bitmap, Layout, Samples};

/// Most colours that a palette of either format holds.
pub(super) const MOST: usize = 256;

/// A picture as numbers of colours.
pub(super) struct Indexed {
    /// RGBA; those with alpha below 255 first.
    pub(super) colours: Vec<[u8; 4]>,
    /// One a pixel.
    pub(super) indices: Vec<u8>,
}

/// The picture in at most 256 colours, exactly; `None` where it has more, or is of 16 bits.
pub(super) fn exact(bitmap: &Bitmap) -> Option<Indexed> {
    let Samples::U8(samples) = &bitmap.samples else {
        return None;
    };
    exact_pixels(samples, bitmap.layout)
}

/// As [`exact`], of samples of this layout.
pub(super) fn exact_pixels(samples: &[u8], layout: Layout) -> Option<Indexed> {
    let channels = layout.channels();
    let mut table = Table::new();
    // Most photographs are found out within a few hundred pixels; only then is memory taken.
    for pixel in samples.chunks_exact(channels) {
        table.index(rgba(pixel))?;
    }
    let mut order: Vec<u8> = (0..=u8::MAX).take(table.colours.len()).collect();
    order.sort_by_key(|index| table.colours[usize::from(*index)][3] == 255);
    let mut place = [0u8; MOST];
    for (to, from) in (0..=u8::MAX).zip(&order) {
        place[usize::from(*from)] = to;
    }
    let mut indices = Vec::with_capacity(samples.len() / channels);
    for pixel in samples.chunks_exact(channels) {
        indices.push(place[usize::from(table.index(rgba(pixel))?)]);
    }
    Some(Indexed {
        colours: order
            .iter()
            .map(|index| table.colours[usize::from(*index)])
            .collect(),
        indices,
    })
}

/// A pixel of any layout but CMYK as RGBA.
pub(super) fn rgba(pixel: &[u8]) -> [u8; 4] {
    match *pixel {
        [y] => [y, y, y, 255],
        [y, a] => [y, y, y, a],
        [r, g, b] => [r, g, b, 255],
        [r, g, b, a, ..] => [r, g, b, a],
        [] => [0; 4],
    }
}

/// Slots of the hash table: four times the colours, so that probes stay short.
const SLOTS: usize = 4 * MOST;

/// Colours and their numbers, in the order in which they were met.
struct Table {
    colours: Vec<[u8; 4]>,
    /// Number plus one, by hash; 0 is free.
    slots: [u16; SLOTS],
    last: Option<([u8; 4], u8)>,
}

impl Table {
    fn new() -> Self {
        Self {
            colours: Vec::with_capacity(MOST),
            slots: [0; SLOTS],
            last: None,
        }
    }

    /// The number of a colour; `None` when the table is full of others.
    fn index(&mut self, colour: [u8; 4]) -> Option<u8> {
        if let Some((last, index)) = self.last
            && last == colour
        {
            return Some(index);
        }
        // Fibonacci hashing: the high bits of a product with 2³² / φ.
        let hash = u32::from_le_bytes(colour).wrapping_mul(0x9E37_79B9);
        let mut slot = (hash >> 22) as usize;
        loop {
            let index = match self.slots[slot].checked_sub(1) {
                Some(number) if self.colours[usize::from(number)] == colour => number,
                Some(_) => {
                    slot = (slot + 1) % SLOTS;
                    continue;
                }
                None if self.colours.len() == MOST => return None,
                None => {
                    self.colours.push(colour);
                    let number = u16::try_from(self.colours.len()).ok()?;
                    self.slots[slot] = number;
                    number - 1
                }
            };
            let index = u8::try_from(index).ok()?;
            self.last = Some((colour, index));
            return Some(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(samples: &[u8], layout: Layout, colours: Option<usize>) {
        let found = exact_pixels(samples, layout);
        assert_eq!(found.as_ref().map(|f| f.colours.len()), colours);
        let Some(found) = found else { return };
        let pixels = samples.chunks_exact(layout.channels()).map(rgba);
        for (index, pixel) in found.indices.iter().zip(pixels) {
            assert_eq!(found.colours[usize::from(*index)], pixel);
        }
        assert!(found.colours.is_sorted_by_key(|colour| colour[3] == 255));
    }

    #[test]
    fn a_palette_of_256_colours_is_exact_and_257_are_too_many() {
        let ramp: Vec<u8> = (0..=255).flat_map(|v| [v, 255 - v, v / 2]).collect();
        check(&ramp, Layout::Rgb, Some(256));
        let mut more = ramp.clone();
        more.extend([1, 1, 1]);
        check(&more, Layout::Rgb, None);
    }

    #[test]
    fn transparent_colours_come_first() {
        check(&[1, 255, 1, 0, 2, 255, 2, 128], Layout::GrayAlpha, Some(4));
        check(&[1, 2, 3, 255, 4, 5, 6, 7], Layout::Rgba, Some(2));
        check(&[7, 7, 9], Layout::Gray, Some(2));
    }
}
