//! What changed on the canvas of an animation since it was last written. Knows samples; nothing of
//! files.

use crate::pixels::{
    codec::{Error, admit},
    geometry::{Rect, Size},
};

/// A side of VP8's blocks.
pub(super) const BLOCK: usize = 16;

/// RGB (3 channels) or RGBA (4) of a whole canvas.
#[derive(Clone, Copy)]
pub(super) struct Canvas<'a> {
    size: Size,
    channels: usize,
    samples: &'a [u8],
}

/// Two canvases of one size and kind: what is seen, and what is to be seen.
#[derive(Clone, Copy)]
pub(super) struct Change<'a> {
    before: Canvas<'a>,
    after: Canvas<'a>,
    /// How far colours may lie apart and still be taken for equal; `None`: every sample counts.
    /// What is fully transparent has no colour.
    tolerance: Option<u8>,
}

/// What a frame shows of a rectangle; what is left of it is seen through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Alpha {
    /// All of it.
    Opaque,
    /// Blocks, or not.
    Blocks(Blocks),
    /// Each pixel as much.
    Pixels(Vec<u8>),
}

/// Which blocks of a rectangle are shown; counted from its top left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    /// Pixels of a block's side: 16, or 8.
    pub(super) side: usize,
    pub(super) across: usize,
    pub(super) shown: Vec<bool>,
}

impl<'a> Canvas<'a> {
    /// # Errors
    /// [`Error::Encode`] where there are not as many samples as size and channels say.
    pub(super) fn new(size: Size, channels: usize, samples: &'a [u8]) -> Result<Self, Error> {
        let whole = admit::buffer(size, channels)? == samples.len();
        if !whole || samples.is_empty() || !matches!(channels, 3 | 4) {
            return Err(admit::encode(
                "a frame of another length than its size says",
            ));
        }
        Ok(Self {
            size,
            channels,
            samples,
        })
    }

    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// The rows of a part, which must lie within.
    pub(super) fn rows(
        self,
        part: Rect,
    ) -> impl DoubleEndedIterator<Item = &'a [u8]> + ExactSizeIterator {
        let rows = self.samples.chunks_exact(self.stride());
        let (from, length) = (
            part.x as usize * self.channels,
            part.width as usize * self.channels,
        );
        rows.skip(part.y as usize)
            .take(part.height as usize)
            .map(move |row| row.get(from..from + length).unwrap_or_default())
    }

    /// Samples of a row.
    fn stride(&self) -> usize {
        self.size.width as usize * self.channels
    }
}

impl<'a> Change<'a> {
    /// # Errors
    /// [`Error::Encode`] where the canvases are of two kinds.
    pub(super) fn new(
        before: Canvas<'a>,
        after: Canvas<'a>,
        tolerance: Option<u8>,
    ) -> Result<Self, Error> {
        if (before.size, before.channels) != (after.size, after.channels) {
            return Err(admit::encode("a frame of another size than the canvas"));
        }
        Ok(Self {
            before,
            after,
            tolerance,
        })
    }

    /// The smallest rectangle at even places outside of which nothing changed; `None` where nothing
    /// did at all.
    pub(super) fn rectangle(&self) -> Option<Rect> {
        let whole = Rect::whole(self.after.size);
        let rows = || self.before.rows(whole).zip(self.after.rows(whole));
        let differs = |(a, b): (&[u8], &[u8])| self.first(a, b).is_some();
        let top = rows().position(differs)?;
        let bottom = rows().rposition(differs)?;
        let channels = self.after.channels;
        let (mut left, mut right) = (usize::MAX, 0);
        for (a, b) in rows().take(bottom + 1).skip(top) {
            if a == b {
                continue;
            }
            let before_left = a.len().min(left.saturating_mul(channels));
            if let Some(first) = self.first(&a[..before_left], &b[..before_left]) {
                left = first;
            }
            let after_right = a.len().min(right * channels);
            if let Some(last) = self.last(&a[after_right..], &b[after_right..]) {
                right += last;
            }
        }
        let (left, top) = (left / 2 * 2, top / 2 * 2);
        let number = |length: usize| u32::try_from(length).ok();
        Some(Rect {
            x: number(left)?,
            y: number(top)?,
            width: number(right + 1 - left)?,
            height: number(bottom + 1 - top)?,
        })
    }

    /// Whether what changed in a part covers what was there: a frame that is laid over it can show
    /// it.
    pub(super) fn covers(&self, part: Rect) -> bool {
        if self.after.channels == 3 {
            return true;
        }
        let mut rows = self.before.rows(part).zip(self.after.rows(part));
        rows.all(|(a, b)| {
            let mut pixels = pixels::<4>(a, b);
            pixels.all(|(a, b)| b[3] == 255 || self.alike(a, b))
        })
    }

    pub(super) fn after(&self) -> Canvas<'a> {
        self.after
    }

    /// Alpha of a frame that shows what changed in a part, and how many pixels do not show: without
    /// loss pixel by pixel, otherwise by blocks of that side. What is not opaque is never shown by it.
    pub(super) fn over(&self, part: Rect, side: usize) -> (Alpha, usize) {
        match (self.tolerance, self.after.channels) {
            (None, 3) => self.pixels_over::<3>(part),
            (None, _) => self.pixels_over::<4>(part),
            (Some(_), _) => self.blocks_over(part, side),
        }
    }

    fn pixels_over<const N: usize>(&self, part: Rect) -> (Alpha, usize) {
        let rows = self.before.rows(part).zip(self.after.rows(part));
        let pixels = rows.flat_map(|(a, b)| pixels::<N>(a, b));
        let mut kept = 0;
        let alpha = pixels.map(|(a, b)| {
            let alike = self.alike(a, b);
            kept += usize::from(alike);
            if alike { 0 } else { 255 }
        });
        (Alpha::Pixels(alpha.collect()), kept)
    }

    fn blocks_over(&self, part: Rect, side: usize) -> (Alpha, usize) {
        let blocks = self.blocks(part, side);
        let channels = self.after.channels;
        let (mut kept, mut opaque) = (0, true);
        let each = |row: &'a [u8]| row.chunks(side * channels).enumerate();
        for (y, row) in self.after.rows(part).enumerate() {
            for (column, block) in each(row) {
                if !blocks.at(column, y / side) {
                    kept += block.len() / channels;
                } else if channels == 4 {
                    opaque &= block.as_chunks::<4>().0.iter().all(|pixel| pixel[3] == 255);
                }
            }
        }
        if opaque {
            return (Alpha::Blocks(blocks), kept);
        }
        let mut alpha = Vec::with_capacity(part.width as usize * part.height as usize);
        for (y, row) in self.after.rows(part).enumerate() {
            for (column, block) in each(row) {
                let shown = blocks.at(column, y / side);
                let pixels = block.as_chunks::<4>().0.iter();
                alpha.extend(pixels.map(|pixel| if shown && pixel[3] == 255 { 255 } else { 0 }));
            }
        }
        (Alpha::Pixels(alpha), kept)
    }

    /// Which blocks of a part changed.
    fn blocks(&self, part: Rect, side: usize) -> Blocks {
        let across = (part.width as usize).div_ceil(side);
        let down = (part.height as usize).div_ceil(side);
        let mut changed = vec![false; across * down];
        let width = side * self.after.channels;
        let rows = self.before.rows(part).zip(self.after.rows(part));
        for (y, (a, b)) in rows.enumerate() {
            if a == b {
                continue;
            }
            let changed = &mut changed[y / side * across..][..across];
            let blocks = a.chunks(width).zip(b.chunks(width));
            for (changed, (a, b)) in changed.iter_mut().zip(blocks) {
                *changed = *changed || self.first(a, b).is_some();
            }
        }
        Blocks {
            side,
            across,
            shown: changed,
        }
    }

    /// Whether two pixels look alike.
    fn alike<const N: usize>(&self, a: &[u8; N], b: &[u8; N]) -> bool {
        if a == b {
            return true;
        }
        let Some(tolerance) = self.tolerance else {
            return false;
        };
        let alpha = (a.get(3), b.get(3));
        if alpha.0 != alpha.1 {
            return false;
        }
        alpha.0 == Some(&0) || a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= tolerance)
    }

    /// The first pixel that changed.
    fn first(&self, a: &[u8], b: &[u8]) -> Option<usize> {
        if a == b {
            return None;
        }
        if self.after.channels == 3 {
            pixels::<3>(a, b).position(|(a, b)| !self.alike(a, b))
        } else {
            pixels::<4>(a, b).position(|(a, b)| !self.alike(a, b))
        }
    }

    /// The last pixel that changed.
    fn last(&self, a: &[u8], b: &[u8]) -> Option<usize> {
        if self.after.channels == 3 {
            pixels::<3>(a, b).rposition(|(a, b)| !self.alike(a, b))
        } else {
            pixels::<4>(a, b).rposition(|(a, b)| !self.alike(a, b))
        }
    }
}

/// Pixels of two rows.
fn pixels<'a, const N: usize>(
    a: &'a [u8],
    b: &'a [u8],
) -> impl DoubleEndedIterator<Item = (&'a [u8; N], &'a [u8; N])> + ExactSizeIterator {
    a.as_chunks::<N>().0.iter().zip(b.as_chunks::<N>().0)
}

impl Blocks {
    pub(super) fn at(&self, column: usize, row: usize) -> bool {
        let number = row * self.across + column;
        self.shown.get(number).copied().unwrap_or_default()
    }
}
