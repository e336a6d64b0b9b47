//! Where inflated bytes go.

use super::{
    Damaged,
    symbols::{GROWTH, Sink, literals},
};

/// Bytes that are copied at a time.
pub(super) const COPIED: usize = 16;

/// The first bytes of a word, by how many.
const MASKS: [u128; 2 * COPIED] = {
    let mut masks = [u128::MAX; 2 * COPIED];
    let mut length = 0;
    while length < COPIED {
        masks[length] = (1 << (8 * length)) - 1;
        length += 1;
    }
    masks
};

/// Bytes that must stand behind the last one wanted: a turn may give more than is wanted, and
/// matches are copied in whole vectors.
pub(in super::super) const SLACK: usize = GROWTH + 2 * COPIED;

/// Where to write.
pub(in super::super) struct Output<'a> {
    /// What was written, at least the last 32 KiB of it, up to `at`; room behind, and [`SLACK`]
    /// bytes behind `stop`.
    pub(in super::super) bytes: &'a mut [u8],
    /// Where to go on.
    pub(in super::super) at: usize,
    /// Where to stop.
    pub(in super::super) stop: usize,
    /// Matches of the piece that was decoded last.
    pub(super) copied: Copied,
}

/// How many matches, and the bytes that they stand for.
#[derive(Clone, Copy, Default)]
pub(super) struct Copied {
    pub(super) times: usize,
    pub(super) bytes: usize,
}

impl<'a> Output<'a> {
    pub(in super::super) fn new(bytes: &'a mut [u8], at: usize, stop: usize) -> Self {
        Self {
            bytes,
            at,
            stop,
            copied: Copied::default(),
        }
    }

    /// Writes bytes at a place.
    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) -> Result<(), Damaged> {
        let room = self.bytes.get_mut(at..at + bytes.len());
        room.ok_or(Damaged("no room"))?.copy_from_slice(bytes);
        Ok(())
    }

    /// Fills a gap with a match. What is behind the gap is written once more, as it is in `kept`.
    #[inline(always)]
    pub(super) fn fill(
        &mut self,
        at: usize,
        distance: usize,
        length: usize,
        kept: &[u8; COPIED],
    ) -> Result<(), Damaged> {
        let far = Damaged("a distance too far back");
        let from = at.checked_sub(distance).ok_or(far)?;
        if length <= COPIED
            && let Some(room) = self.bytes.get_mut(from..at + COPIED)
        {
            let mut word = room
                .first_chunk()
                .map_or(0, |word| u128::from_le_bytes(*word));
            if distance < COPIED {
                word = repeated(word, distance);
            }
            let mask = MASKS[length % MASKS.len()];
            // What is kept is not read from where it stands: the processor would have to wait, for
            // it was written a moment ago.
            let word = word & mask | u128::from_le_bytes(*kept) & !mask;
            room[distance..].copy_from_slice(&word.to_le_bytes());
            return Ok(());
        }
        let room = self.bytes.get_mut(from..at + length);
        room.and_then(|room| repeat_at_length(room, distance))
            .ok_or(Damaged("no room"))
    }

    /// Writes what stands `distance` back; up to 2 × [`COPIED`] bytes in any case.
    #[inline(always)]
    fn repeat(&mut self, distance: usize, length: usize) -> Option<()> {
        let from = self.at.checked_sub(distance)?;
        if length > COPIED && (length > 2 * COPIED || distance < COPIED) {
            return repeat_at_length(self.bytes.get_mut(from..self.at + length)?, distance);
        }
        let room = self.bytes.get_mut(from..self.at + 2 * COPIED)?;
        let mut word = u128::from_le_bytes(*room.first_chunk()?);
        if distance < COPIED {
            word = repeated(word, distance);
        }
        let (source, target) = (COPIED..2 * COPIED, distance..distance + COPIED);
        room.get_mut(target)?.copy_from_slice(&word.to_le_bytes());
        if length > COPIED {
            room.copy_within(source, distance + COPIED);
        }
        Some(())
    }
}

/// Fills what is behind the first `distance` bytes with them.
#[inline(never)]
fn repeat_at_length(room: &mut [u8], distance: usize) -> Option<()> {
    if distance == 1 {
        let byte = *room.first()?;
        room.fill(byte);
        return Some(());
    }
    let mut known = distance;
    while known < room.len() {
        let count = known.min(room.len() - known);
        room.copy_within(..count, known);
        known += count;
    }
    Some(())
}

/// The first bytes of a word, again and again.
fn repeated(word: u128, distance: usize) -> u128 {
    let mut word = word & MASKS[distance % MASKS.len()];
    let mut bits = 8 * distance as u32;
    while bits < u128::BITS {
        word |= word << bits;
        bits *= 2;
    }
    word
}

impl Sink for Output<'_> {
    #[inline(always)]
    fn put(&mut self, found: u32) {
        let (bytes, count) = literals(found);
        if let Some(room) = self.bytes.get_mut(self.at..self.at + 2) {
            room.copy_from_slice(&bytes);
        }
        self.at += count;
    }

    #[inline(always)]
    fn copy(&mut self, distance: usize, length: usize) -> Option<()> {
        self.repeat(distance, length)?;
        self.at += length;
        self.copied.times += 1;
        self.copied.bytes += length;
        Some(())
    }
}
