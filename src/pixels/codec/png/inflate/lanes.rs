//! A piece of a block, decoded at two places at once.
//!
//! A symbol can only be looked up when the one before it is known, so the processor waits most of
//! the time. But a decoder that begins anywhere, even in the middle of a code, soon falls into
//! step with one that began at the start: mostly within a dozen symbols. So a second one begins
//! ahead, at a guess, and both go on by turns. When the first comes to where the second began, it
//! looks for a place where both have been; from there on, all that the second has found is right.
//!
//! Neither can write where it should: the second does not know how many bytes are before it.
//! Each has a segment of its own, and the segments are laid out when it is known that they fit.
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "an instruction that not every processor has is asked for first"
    )
)]

use super::{
    Damaged,
    codes::Codes,
    input::{Bits, Input, zeros},
    output::{COPIED, Output},
    symbols::{Cursor, GROWTH, LITERALS, Sink, TURN, Turn, literals},
};

/// Bytes of a segment: more than half of what zlib makes a block of.
const BYTES: usize = 1 << 15;

/// Matches of a segment.
const COPIES: usize = 1 << 12;

/// Bytes that are held.
pub(super) const HELD: usize = 2 * (BYTES + size_of::<Copied>() * COPIES);

/// Places of the second lane that the first may meet. Of a thousand guesses, one needs more.
const STARTS: usize = 96;

/// Turns between looks at whether there is room, for input and for what is made of it.
const TURNS: usize = 32;

/// Bytes of a segment from which on there may be no room for as many turns. What a lane begins with
/// is less than a segment in any case.
const FULL: usize = BYTES - TURNS * GROWTH;

/// Bits that are worth a guess. Tests guess far more often.
pub(super) const WORTHWHILE: u64 = 8 * if cfg!(any(test, fuzzing)) { 64 } else { 4096 };

/// A match: where it stands in its segment, how long it is, and how far back it reaches.
#[derive(Clone, Copy, Default)]
struct Copied {
    at: u16,
    length: u16,
    distance: u16,
}

/// What one lane found.
struct Segment {
    /// Literals, with gaps where matches are to be.
    bytes: Box<[u8; BYTES + COPIED]>,
    copies: Box<[Copied; COPIES]>,
    from: Mark,
    to: Mark,
}

/// How far a segment has come.
#[derive(Clone, Copy, Default)]
struct Mark {
    bytes: usize,
    copies: usize,
}

/// Two segments.
pub(super) struct Lanes {
    segments: [Segment; 2],
}

/// What two lanes have found.
pub(super) struct Found {
    /// Where to go on.
    pub(super) bits: Bits,
    /// How many bytes are literals.
    pub(super) literals: usize,
    pub(super) copies: usize,
    /// Whether the second was of use.
    pub(super) met: bool,
    /// Whether the first came to where the second began, and did not meet it.
    pub(super) missed: bool,
}

impl Segment {
    fn new() -> Self {
        Self {
            bytes: zeros(),
            copies: zeros(),
            from: Mark::default(),
            to: Mark::default(),
        }
    }

    fn matches(&self) -> &[Copied] {
        let copies = self.copies.get(self.from.copies..self.to.copies);
        copies.unwrap_or_default()
    }

    /// Writes what there is room for. A match may go beyond.
    fn lay_out(&mut self, output: &mut Output<'_>) -> Result<(), Damaged> {
        let (from, at) = (self.from, output.at);
        let room = output.stop.saturating_sub(at);
        let mut end = self.to.bytes.min(from.bytes + room);
        let bytes = self.bytes.get(from.bytes..end).unwrap_or_default();
        output.write(at, bytes)?;
        let mut laid = 0;
        for copied in self.matches() {
            let (place, length) = (usize::from(copied.at), usize::from(copied.length));
            if place >= end {
                break;
            }
            let mut kept = [0; COPIED];
            kept.copy_from_slice(&self.bytes[place..place + COPIED]);
            let gap = at + place - from.bytes;
            let filled = output.fill(gap, copied.distance.into(), length, &kept);
            if filled.is_err() {
                output.at = gap;
                return filled;
            }
            end = end.max(place + length);
            laid += 1;
        }
        output.at = at + end - from.bytes;
        self.from.bytes = end;
        self.from.copies += laid;
        Ok(())
    }
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self {
            segments: [Segment::new(), Segment::new()],
        }
    }

    /// Writes what was found and what there is room for; says whether that was all.
    pub(super) fn lay_out(&mut self, output: &mut Output<'_>) -> Result<bool, Damaged> {
        for segment in &mut self.segments {
            segment.lay_out(output)?;
            if segment.from.bytes < segment.to.bytes {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Decodes about `ahead` bits of a block. Stands still before what is no symbol.
    pub(super) fn decode(&mut self, codes: &Codes, bits: Bits, input: &Input, ahead: u64) -> Found {
        #[cfg(target_arch = "x86_64")]
        if super::single::shifts() {
            // SAFETY: the processor has just said that it knows the instructions.
            return unsafe { self.decode_shifting(codes, bits, input, ahead) };
        }
        self.decode_any(codes, bits, input, ahead)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "bmi1,bmi2")]
    fn decode_shifting(&mut self, codes: &Codes, bits: Bits, input: &Input, ahead: u64) -> Found {
        self.decode_any(codes, bits, input, ahead)
    }

    #[inline(always)]
    fn decode_any(&mut self, codes: &Codes, bits: Bits, input: &Input, ahead: u64) -> Found {
        let start = bits.position();
        let guess = start + ahead / 2;
        let [one, two] = &mut self.segments;
        let mut first = Lane::new(Cursor::new(bits, codes, input), one);
        let mut second = Lane::new(Cursor::new(Bits::from(guess, input), codes, input), two);
        let most = input.end().saturating_sub(TURN);
        let (starts, goes_on) = second.begin(most, codes, input);
        let mut both = goes_on;
        while both {
            let until = (guess / 8) as usize;
            let turns = first.turns(until).min(second.turns(most));
            if turns == 0 {
                break;
            }
            both = together(&mut first, &mut second, codes, input, turns);
        }
        let met = first.meet(&starts, guess, codes, input);
        let (first_end, second_end) = (first.mark(), second.mark());
        let cursor = if met.is_some() {
            second.cursor
        } else {
            first.cursor
        };
        let [one, two] = &mut self.segments;
        (one.from, one.to) = (Mark::default(), first_end);
        (two.from, two.to) = met.map_or_else(Default::default, |met| (met, second_end));
        let sum = |of: fn(&Segment) -> usize| of(one) + of(two);
        let bytes = sum(|segment| segment.to.bytes - segment.from.bytes);
        let matched = |segment: &Segment| {
            let lengths = segment
                .matches()
                .iter()
                .map(|copied| usize::from(copied.length));
            lengths.sum::<usize>()
        };
        Found {
            bits: cursor.bits,
            literals: bytes - matched(one) - matched(two),
            copies: one.matches().len() + two.matches().len(),
            met: met.is_some(),
            missed: met.is_none() && cursor.bits.position() > guess,
        }
    }
}

/// So many turns of both; says whether both can go on.
#[inline(always)]
fn together(
    first: &mut Lane<'_>,
    second: &mut Lane<'_>,
    codes: &Codes,
    input: &Input,
    turns: usize,
) -> bool {
    'turns: for _ in 0..turns {
        first.cursor.bits.refill(input);
        second.cursor.bits.refill(input);
        for _ in 0..LITERALS {
            if !first.cursor.is_literal() {
                if !first.other(codes, input) {
                    return false;
                }
                continue 'turns;
            }
            first.cursor.put(codes, &mut first.segment);
            if !second.cursor.is_literal() {
                if !second.other(codes, input) {
                    return false;
                }
                continue 'turns;
            }
            second.cursor.put(codes, &mut second.segment);
        }
    }
    true
}

/// Where the second lane has been, in bits, and how far it had come.
type Start = (u64, Mark);

/// A decoder and its segment.
struct Lane<'a> {
    cursor: Cursor,
    segment: Writer<'a>,
}

/// A segment that is being filled. Nothing is beyond its ends: places are taken modulo its size.
struct Writer<'a> {
    bytes: &'a mut [u8; BYTES + COPIED],
    copies: &'a mut [Copied; COPIES],
    at: usize,
    count: usize,
}

impl Sink for Writer<'_> {
    #[inline(always)]
    fn put(&mut self, found: u32) {
        let (bytes, count) = literals(found);
        let place = self.at % BYTES;
        self.bytes[place..place + 2].copy_from_slice(&bytes);
        self.at += count;
    }

    #[inline(always)]
    fn copy(&mut self, distance: usize, length: usize) -> Option<()> {
        // None of the three is ever larger.
        self.copies[self.count % COPIES] = Copied {
            at: self.at as u16,
            length: length as u16,
            distance: distance as u16,
        };
        self.count += 1;
        self.at += length;
        Some(())
    }
}

impl<'a> Lane<'a> {
    fn new(cursor: Cursor, segment: &'a mut Segment) -> Self {
        let segment = Writer {
            bytes: &mut segment.bytes,
            copies: &mut segment.copies,
            at: 0,
            count: 0,
        };
        Self { cursor, segment }
    }

    fn mark(&self) -> Mark {
        Mark {
            bytes: self.segment.at,
            copies: self.segment.count,
        }
    }

    #[inline(always)]
    fn goes_on<const MOST: usize>(&mut self, codes: &Codes, input: &Input) -> bool {
        let turn = self.cursor.turn::<MOST>(codes, input, &mut self.segment);
        matches!(turn, Turn::More)
    }

    #[inline(always)]
    fn other(&mut self, codes: &Codes, input: &Input) -> bool {
        let turn = self.cursor.other(codes, input, &mut self.segment);
        matches!(turn, Turn::More)
    }

    /// Turns before there may be no more room, or no more input up to a byte.
    #[inline(always)]
    fn turns(&self, until: usize) -> usize {
        let full = self.segment.at > FULL || self.segment.count > COPIES - TURNS;
        if full {
            return 0;
        }
        let left = until.saturating_sub(self.cursor.bits.at);
        (left / TURN).min(TURNS)
    }

    /// Goes on a little, symbol by symbol, and notes each place; says whether it can go on.
    #[inline(always)]
    fn begin(&mut self, most: usize, codes: &Codes, input: &Input) -> (Vec<Start>, bool) {
        let mut starts = Vec::with_capacity(STARTS);
        while starts.len() < STARTS {
            starts.push((self.cursor.bits.position(), self.mark()));
            if self.cursor.bits.at > most || !self.goes_on::<1>(codes, input) {
                return (starts, false);
            }
        }
        (starts, true)
    }

    /// Goes on to a place where the other lane has been; says how far that had come there. `None`
    /// where the two do not meet.
    #[inline(always)]
    fn meet(&mut self, starts: &[Start], guess: u64, codes: &Codes, input: &Input) -> Option<Mark> {
        let until = (guess / 8) as usize;
        loop {
            match self.turns(until) {
                0 => break,
                turns => {
                    for _ in 0..turns {
                        if !self.goes_on::<LITERALS>(codes, input) {
                            return None;
                        }
                    }
                }
            }
        }
        let mut starts = starts.iter();
        let mut start = starts.next()?;
        while self.turns(usize::MAX) > 0 {
            let position = self.cursor.bits.position();
            while start.0 < position {
                start = starts.next()?;
            }
            if start.0 == position {
                return Some(start.1);
            }
            if !self.goes_on::<1>(codes, input) {
                return None;
            }
        }
        None
    }
}
