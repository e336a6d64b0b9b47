//! Entropy-coded data as bits. Knows of stuffed bytes and restart markers, not of codes.
//!
//! A window over the data is kept free of stuffed zeroes, so that eight bytes can be taken at any
//! place in one load. Past the end it holds zeroes: whoever reads them is told so at the end of
//! the minimum coded unit, not at each bit.

use memchr::memchr;

use super::data::Data;
use crate::pixels::codec::{Error, admit};

/// Bytes of a window: half of a small first-level cache, since code tables want the rest.
const WINDOW: usize = 16 << 10;

/// The most that one minimum coded unit takes: 10 blocks of 64 symbols, each a code of 16 bits and
/// 15 bits of value; and what a refill reads ahead.
const AHEAD: usize = 10 * 64 * 31 / 8 + 16;

/// A window, and the zeroes behind it.
pub(super) type Window = [u8; LENGTH];
const LENGTH: usize = WINDOW + AHEAD;

/// Bits after a refill. Its ones are the highest that a count below 64 has, so that adding whole
/// bytes to a count is to set them.
const AT_LEAST: u32 = 0b11_1000;

const FIRST_RESTART: u8 = 0xD0;

/// Bits taken from a window, the next one highest.
#[derive(Clone, Copy, Default)]
pub(super) struct Bits {
    buffer: u64,
    /// How many of them count; those below are right too, but will be loaded again.
    count: u32,
    /// Where in the window the next load begins.
    at: usize,
    /// Whether a code was met that no table has.
    pub(super) invalid: bool,
}

impl Bits {
    /// Loads until at least 56 bits are there.
    #[inline(always)]
    pub(super) fn refill(&mut self, window: &Window) {
        // The last bytes are never data, so whoever has gone past them goes on to take zeroes.
        let at = self.at.min(LENGTH - 8);
        let next = window[at..].first_chunk::<8>().unwrap_or(&[0; 8]);
        self.buffer |= u64::from_be_bytes(*next) >> self.count;
        self.at += ((63 - self.count) >> 3) as usize;
        self.count |= AT_LEAST;
    }

    /// The next bits, at most 32 and at least 1, without taking them.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "at most 32 bits")]
    pub(super) fn peek(&self, bits: u32) -> u32 {
        (self.buffer >> (64 - bits)) as u32
    }

    /// Whether the bit after `before` others is 1.
    #[inline(always)]
    pub(super) fn is_set(&self, before: u32) -> bool {
        (self.buffer << before).cast_signed() < 0
    }

    /// Takes bits that were looked at: at most as many as there are after a refill, less those
    /// taken since.
    #[inline(always)]
    pub(super) fn take(&mut self, bits: u32) {
        self.buffer <<= bits;
        self.count = self.count.wrapping_sub(bits);
    }

    /// How many bits of the window were taken.
    #[inline(always)]
    pub(super) fn taken(&self) -> usize {
        (self.at * 8).wrapping_sub(self.count as usize)
    }

    /// Those of a window behind so many others; at least 49 are there.
    #[inline(always)]
    pub(super) fn behind(taken: usize, window: &Window) -> Self {
        let mut bits = Self {
            at: taken / 8,
            ..Self::default()
        };
        bits.refill(window);
        bits.take(u32::from((taken % 8).to_le_bytes()[0]));
        bits
    }

    /// Takes a value of `bits` bits, at most 16, as JPEG codes it: those with a leading 0 are
    /// negative.
    #[inline(always)]
    pub(super) fn value(&mut self, bits: u32) -> i32 {
        if bits == 0 {
            return 0;
        }
        let value = extend(self.peek(bits), bits);
        self.take(bits);
        value
    }
}

/// The number that `bits` bits, at least 1 and at most 16, stand for.
#[expect(clippy::cast_possible_wrap, reason = "at most 16 bits")]
pub(super) const fn extend(raw: u32, bits: u32) -> i32 {
    if raw >> (bits - 1) == 0 {
        raw as i32 - (1 << bits) + 1
    } else {
        raw as i32
    }
}

/// The window, and the data that it moves over.
pub(super) struct Feed<'a> {
    data: Data<'a>,
    window: Box<Window>,
    /// How many bytes of the window are data.
    filled: usize,
    /// Whether a marker, or the end of the file, follows the window.
    ended: bool,
    /// Where in the window it is time to look what follows.
    turn: usize,
}

impl<'a> Feed<'a> {
    /// Bytes that it holds, at most.
    pub(super) const BYTES: u64 = LENGTH as u64 + Data::BYTES;

    #[expect(
        clippy::large_stack_arrays,
        reason = "19 KiB on their way to the heap, if at all"
    )]
    pub(super) fn new(data: Data<'a>) -> Self {
        Self {
            data,
            window: Box::new([0; LENGTH]),
            filled: 0,
            ended: false,
            turn: 0,
        }
    }

    /// What [`Bits`] read from.
    #[inline(always)]
    pub(super) fn window(&self) -> &Window {
        &self.window
    }

    /// Makes sure that the window reaches past the next minimum coded unit.
    ///
    /// # Errors
    /// [`Error::Broken`] where more bits were taken than there were.
    #[inline(always)]
    pub(super) fn advance(&mut self, bits: &mut Bits) -> Result<(), Error> {
        if bits.at < self.turn {
            return Ok(());
        }
        self.turn_over(bits)
    }

    #[cold]
    fn turn_over(&mut self, bits: &mut Bits) -> Result<(), Error> {
        if self.ended {
            return self.check(bits);
        }
        // What is loaded and not taken stays too, for those who look back.
        let at = bits.at.min(self.filled);
        let rest = at.saturating_sub(8)..self.filled;
        bits.at = at - rest.start;
        self.filled = rest.len();
        self.window.copy_within(rest, 0);
        self.fill();
        if self.ended {
            self.window[self.filled..].fill(0);
            self.turn = self.filled;
        } else {
            self.turn = self.filled - AHEAD;
        }
        Ok(())
    }

    /// Whether all bits that were taken were there.
    ///
    /// # Errors
    /// [`Error::Broken`] where they were not.
    pub(super) fn check(&self, bits: &Bits) -> Result<(), Error> {
        if bits.invalid {
            return Err(admit::broken("a code that stands for nothing"));
        }
        if bits.at * 8 > self.filled * 8 + bits.count as usize {
            return Err(admit::broken("a scan ends early"));
        }
        Ok(())
    }

    /// Steps over the restart marker of this number; the bits begin anew behind it.
    ///
    /// # Errors
    /// [`Error::Broken`] where the data ended before, or another marker stands there.
    pub(super) fn restart(&mut self, bits: &mut Bits, number: u8) -> Result<(), Error> {
        self.check(bits)?;
        let Some(marker) = self.data.marker() else {
            return Err(admit::broken("a scan ends before its restart marker"));
        };
        if marker != FIRST_RESTART + (number & 7) {
            return Err(admit::broken("a restart marker is missing"));
        }
        self.filled = 0;
        self.ended = false;
        self.turn = 0;
        *bits = Bits::default();
        Ok(())
    }

    /// Copies data until the window is full or they end.
    fn fill(&mut self) {
        while self.filled < WINDOW && !self.ended {
            let ahead = self.data.ahead();
            let rest = &ahead[..ahead.len().min(WINDOW - self.filled)];
            let plain = memchr(0xFF, rest).unwrap_or(rest.len());
            self.window[self.filled..][..plain].copy_from_slice(&rest[..plain]);
            self.filled += plain;
            match ahead[plain..] {
                [0xFF, 0, ..] if plain < rest.len() => {
                    self.window[self.filled] = 0xFF;
                    self.filled += 1;
                    self.data.skip(plain + 2);
                }
                // Fill bytes may stand before a marker, and libjpeg lets them stand before a
                // stuffed zero as well.
                [0xFF, 0xFF, ..] if plain < rest.len() => self.data.skip(plain + 1),
                [0xFF, _, ..] if plain < rest.len() => {
                    self.data.skip(plain);
                    self.ended = true;
                }
                _ => {
                    self.data.skip(plain);
                    self.ended = plain == 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(data: &[u8], bytes: &[u8]) {
        let mut feed = Feed::new(Data::held(data, 0));
        let mut bits = Bits::default();
        for byte in bytes {
            feed.advance(&mut bits).expect("enough");
            bits.refill(feed.window());
            assert_eq!(bits.peek(8), u32::from(*byte));
            bits.take(8);
        }
        feed.check(&bits).expect("no more than there were");
        bits.refill(feed.window());
        bits.take(1);
        assert!(feed.check(&bits).is_err());
    }

    #[test]
    fn stuffed_bytes_are_taken_out_and_markers_end_the_data() {
        check(&[1, 2, 3], &[1, 2, 3]);
        check(&[1, 0xFF, 0, 3, 0xFF], &[1, 0xFF, 3]);
        check(&[0xFF, 0, 0xFF, 0, 0xFF, 0xD9, 7], &[0xFF, 0xFF]);
        check(&[0xFF, 0xFF, 0, 5, 0xFF, 0xFF, 0xD9], &[0xFF, 5]);
    }

    #[test]
    fn a_window_moves_over_any_length() {
        let long: Vec<u8> = (0..3 * WINDOW)
            .map(|n| (n % 251).to_le_bytes()[0])
            .collect();
        for length in [WINDOW - 1, WINDOW, WINDOW + 1, WINDOW + AHEAD, 3 * WINDOW] {
            check(&long[..length], &long[..length]);
        }
    }

    #[test]
    fn a_restart_needs_its_own_marker() {
        let data = [1, 0xFF, 0xD3, 2];
        for (number, there) in [(3, true), (11, true), (2, false)] {
            let mut feed = Feed::new(Data::held(&data, 0));
            let mut bits = Bits::default();
            assert_eq!(feed.restart(&mut bits, number).is_ok(), there);
        }
    }

    #[test]
    fn values_have_their_sign_in_the_first_bit() {
        let cases = [
            (0, 1, -1),
            (1, 1, 1),
            (0, 3, -7),
            (3, 3, -4),
            (4, 3, 4),
            (7, 3, 7),
        ];
        for (raw, bits, value) in cases {
            assert_eq!(extend(raw, bits), value);
        }
    }
}
