//! Where inflated bytes go.

use super::{
    Damaged,
    symbols::{GROWTH, literals},
};

/// Bytes of a match that are copied at a time.
const COPIED: usize = 16;

/// Literals that are copied at a time.
pub(super) const AT_ONCE: usize = 64;

/// By distance: the bytes of a word that are repeated, and a one wherever they go.
const TIMES: [(u128, u128); COPIED] = {
    let mut all = [(u128::MAX, 1); COPIED];
    let mut distance = 1;
    while distance < COPIED {
        let mut times = 0;
        let mut at = 0;
        while at < COPIED {
            times |= 1 << (8 * at);
            at += distance;
        }
        all[distance] = ((1 << (8 * distance)) - 1, times);
        distance += 1;
    }
    all
};

/// Bytes that must stand behind the last one wanted: a turn may give more than is wanted, and
/// matches and literals are copied in whole vectors.
pub(in super::super) const SLACK: usize = GROWTH + AT_ONCE;

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

    /// Adds the first `count` of some literals, and perhaps others behind them.
    #[inline(always)]
    pub(super) fn literals(&mut self, bytes: &[u8], count: usize) -> Option<()> {
        let mut done = 0;
        loop {
            let source = bytes.get(done..)?.first_chunk::<AT_ONCE>()?;
            let target = self.bytes.get_mut(self.at + done..)?;
            *target.first_chunk_mut()? = *source;
            done += AT_ONCE;
            if done >= count {
                break;
            }
        }
        self.at += count;
        Some(())
    }

    /// Writes what stands `distance` back; up to 2 × [`COPIED`] bytes in any case.
    #[inline(always)]
    fn repeat(&mut self, distance: usize, length: usize) -> Option<()> {
        let from = self.at.checked_sub(distance)?;
        let room = self.bytes.get_mut(from..)?;
        let word = u128::from_le_bytes(*room.first_chunk()?);
        let target = distance..distance + COPIED;
        if length <= COPIED {
            let word = if distance < length {
                repeated(word, distance)
            } else {
                word
            };
            room.get_mut(target)?.copy_from_slice(&word.to_le_bytes());
            return Some(());
        }
        if length <= 2 * COPIED && distance >= COPIED {
            room.get_mut(target)?.copy_from_slice(&word.to_le_bytes());
            let next: [u8; COPIED] = *room.get(COPIED..)?.first_chunk()?;
            *room.get_mut(distance + COPIED..)?.first_chunk_mut()? = next;
            return Some(());
        }
        repeat_at_length(self.bytes.get_mut(from..self.at + length)?, distance)
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
#[inline(always)]
fn repeated(word: u128, distance: usize) -> u128 {
    let (mask, times) = TIMES[distance % COPIED];
    (word & mask).wrapping_mul(times)
}

impl Output<'_> {
    /// Adds one literal or two.
    #[inline(always)]
    pub(super) fn put(&mut self, found: u32) {
        let (bytes, count) = literals(found);
        let room = self.bytes.get_mut(self.at..);
        if let Some(room) = room.and_then(|room| room.first_chunk_mut()) {
            *room = bytes;
        }
        self.at += count;
    }

    /// Adds what stands `distance` back, `length` bytes of it; `None` where there is nothing.
    #[inline(always)]
    pub(super) fn copy(&mut self, distance: usize, length: usize) -> Option<()> {
        self.repeat(distance, length)?;
        self.at += length;
        self.copied.times += 1;
        self.copied.bytes += length;
        Some(())
    }
}
