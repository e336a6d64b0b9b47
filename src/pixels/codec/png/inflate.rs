//! Inflating (RFC 1950 and 1951), made for pictures: mostly literals, and as many bytes wanted as
//! the header says.
//!
//! It goes on wherever it stopped, between two symbols: for more input, or for room. The
//! checksum at the end is not looked at; each chunk of the file has its own.
#![expect(
    clippy::inline_always,
    clippy::cast_possible_truncation,
    reason = "numbers of few bits, on the way of each byte"
)]

mod codes;
mod input;
mod lane;
mod lanes;
mod output;
mod single;
mod symbols;

use codes::Codes;
use input::Bits;
pub(super) use input::Input;
use lanes::{Lanes, WORTHWHILE};
pub(super) use output::{Output, SLACK};
use symbols::TURN;

/// Bytes that an inflating stream and its input hold at most.
pub(super) const HELD: usize = input::RING + codes::HELD + lanes::HELD + (4 << 10);

/// Bytes of input that the description of a block's codes may take, and a little more.
const DESCRIPTION: usize = 600;

/// Literals for each match from which on several lanes are better than one: what they find is laid
/// out afterwards, match by match.
const LITERALS_A_MATCH: usize = 3;

/// What part of a block the next may be longer by, so that lanes come to its end.
const LONGER: u64 = 32;

/// Pieces for which one lane goes on alone after others did not meet.
const APART: u32 = 8;

/// It is no zlib stream, or it is damaged; says how.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged(pub(super) &'static str);

/// Where a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    Block,
    /// Bytes that are left of a block without codes.
    Stored(usize),
    Coded,
    /// In a block with codes, too, and lanes have found what is not yet written.
    Found,
    End,
}

/// A stream that is being inflated.
pub(super) struct Inflate {
    state: State,
    last: bool,
    bits: Bits,
    codes: Box<Codes>,
    /// `None` until they are of use.
    lanes: Option<Lanes>,
    course: Course,
}

/// What was seen of blocks, to foresee what comes.
#[derive(Default)]
struct Course {
    /// Where the block begins, and how long the one before it was, in bits.
    begun: u64,
    before: u64,
    /// Whether there were so many literals that lanes would pay.
    literal: bool,
    /// Pieces for which one lane is enough.
    apart: u32,
}

impl Course {
    /// Bits that the block probably goes on for: it is as long as the one before, or some of its
    /// length is left.
    fn ahead(&self, position: u64) -> u64 {
        let gone = position - self.begun;
        let whole = self.before + self.before / LONGER;
        whole.saturating_sub(gone).max(gone / 8)
    }

    fn see(&mut self, literals: usize, copies: usize) {
        self.literal = literals >= LITERALS_A_MATCH * copies;
        self.apart = self.apart.saturating_sub(1);
    }
}

impl Inflate {
    pub(super) fn new(input: &Input) -> Self {
        Self {
            state: State::Start,
            last: false,
            bits: Bits::from(0, input),
            codes: Box::default(),
            lanes: None,
            course: Course::default(),
        }
    }

    /// The byte of input that is looked at next.
    pub(super) fn at(&self) -> usize {
        self.bits.at
    }

    /// Whether the stream is at its end.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::End
    }

    /// Goes on until it has written all that is wanted, perhaps a little more, or the input or the
    /// stream is at an end.
    pub(super) fn run(&mut self, input: &Input, output: &mut Output<'_>) -> Result<(), Damaged> {
        while output.at < output.stop && self.state != State::End {
            let went_on = match self.state {
                State::Start => self.start(input)?,
                State::Block => self.block(input)?,
                State::Stored(left) => self.stored(left, input, output)?,
                State::Coded => self.coded(input, output)?,
                State::Found => self.found(output)?,
                State::End => false,
            };
            if !input.has_more() && self.bits.is_beyond(input) {
                return Err(Damaged("cut short"));
            }
            if !went_on {
                break;
            }
        }
        Ok(())
    }

    /// The two bytes of zlib.
    fn start(&mut self, input: &Input) -> Result<bool, Damaged> {
        if !input.has(0, TURN) {
            return Ok(false);
        }
        self.bits = Bits::from(0, input);
        let (method, flags) = (self.bits.take(8), self.bits.take(8));
        let checks = (method << 8 | flags).is_multiple_of(31);
        // Deflate, a window of at most 32 KiB, no dictionary.
        if method & 0x0F != 8 || method > 0x7F || flags & 0x20 != 0 || !checks {
            return Err(Damaged("no zlib header"));
        }
        self.state = State::Block;
        Ok(true)
    }

    fn block(&mut self, input: &Input) -> Result<bool, Damaged> {
        if self.last {
            self.state = State::End;
            return Ok(true);
        }
        if !input.has(self.bits.at, DESCRIPTION) {
            return Ok(false);
        }
        self.bits.refill(input);
        self.last = self.bits.take(1) == 1;
        self.state = match self.bits.take(2) {
            0 => self.stored_length(input)?,
            1 => {
                self.codes.fix();
                State::Coded
            }
            2 => {
                self.described(input)?;
                State::Coded
            }
            _ => return Err(Damaged("the kind of a block")),
        };
        self.course.begun = self.bits.position();
        Ok(true)
    }

    fn stored_length(&mut self, input: &Input) -> Result<State, Damaged> {
        self.bits.align();
        self.bits.refill(input);
        let (length, complement) = (self.bits.take(16), self.bits.take(16));
        self.bits.align();
        if length ^ complement == 0xFFFF {
            Ok(State::Stored(length))
        } else {
            Err(Damaged("the length of a stored block"))
        }
    }

    /// Reads the lengths of the codes of a block.
    fn described(&mut self, input: &Input) -> Result<(), Damaged> {
        /// In which order the lengths of the codes for lengths come.
        const ORDER: [usize; 19] = [
            16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
        ];
        let bits = &mut self.bits;
        bits.refill(input);
        let literals = bits.take(5) + 257;
        let distances = bits.take(5) + 1;
        let described = bits.take(4) + 4;
        if literals > 286 || distances > 30 {
            return Err(Damaged("too many codes"));
        }
        let mut lengths = [0; 19];
        for place in ORDER.into_iter().take(described) {
            bits.refill(input);
            lengths[place] = bits.take(3) as u8;
        }
        let table = codes::lengths(&lengths)?;
        let mut lengths = [0; 286 + 30];
        let total = literals + distances;
        let mut known: usize = 0;
        while known < total {
            bits.refill(input);
            let (symbol, width) = table[bits.peek(codes::LENGTH_BITS)];
            bits.skip(width);
            let (value, times) = match symbol {
                16 => {
                    let before: Option<&u8> = known.checked_sub(1).and_then(|at| lengths.get(at));
                    let value = before.ok_or(Damaged("a length to repeat"))?;
                    (*value, 3 + bits.take(2))
                }
                17 => (0, 3 + bits.take(3)),
                18 => (0, 11 + bits.take(7)),
                length => (length, 1),
            };
            let places = lengths[..total].get_mut(known..known + times);
            places.ok_or(Damaged("too many lengths"))?.fill(value);
            known += times;
        }
        if bits.is_beyond(input) {
            return Err(Damaged("cut short"));
        }
        let (literals, distances) = lengths[..total].split_at(literals);
        self.codes.describe(literals, distances)
    }

    fn stored(
        &mut self,
        left: usize,
        input: &Input,
        output: &mut Output<'_>,
    ) -> Result<bool, Damaged> {
        let there = input.from(self.bits.at);
        let count = left.min(there.len()).min(output.stop - output.at);
        output.write(output.at, &there[..count])?;
        self.bits.at += count;
        output.at += count;
        self.state = match left - count {
            0 => State::Block,
            left => State::Stored(left),
        };
        if count == 0 && left > 0 && !input.has_more() {
            return Err(Damaged("cut short"));
        }
        Ok(count > 0 || left == 0)
    }

    /// Goes on in a block, in one lane or in several; says whether it came on.
    fn coded(&mut self, input: &Input, output: &mut Output<'_>) -> Result<bool, Damaged> {
        if input.is_low(self.bits.at) {
            return Ok(false);
        }
        let ahead = self.course.ahead(self.bits.position());
        let there = (input.end() as u64 * 8).saturating_sub(self.bits.position());
        let ahead = ahead.min(there);
        if self.course.literal && self.course.apart == 0 && ahead >= WORTHWHILE {
            self.severalfold(input, ahead);
            return Ok(true);
        }
        let (at, begun) = (output.at, self.bits);
        let piece = single::decode(&self.codes, self.bits, input, output)?;
        self.bits = piece.bits;
        let copied = output.copied;
        self.course.see(output.at - at - copied.bytes, copied.times);
        if piece.ended {
            self.course.before = self.bits.position() - self.course.begun;
            self.state = State::Block;
        }
        Ok(piece.ended || self.bits.position() > begun.position())
    }

    fn severalfold(&mut self, input: &Input, ahead: u64) {
        let lanes = self.lanes.get_or_insert_with(Lanes::new);
        let found = lanes.decode(&self.codes, self.bits, input, ahead);
        self.bits = found.bits;
        self.course.see(found.literals, found.copies);
        if !found.met {
            // Perhaps the end is near, which is for one lane to find.
            self.course.apart = if found.missed { APART } else { 1 };
        }
        self.state = State::Found;
    }

    /// Writes what lanes have found.
    fn found(&mut self, output: &mut Output<'_>) -> Result<bool, Damaged> {
        let laid = match &mut self.lanes {
            Some(lanes) => lanes.lay_out(output)?,
            None => true,
        };
        if laid {
            self.state = State::Coded;
        }
        Ok(true)
    }
}

#[cfg(any(test, fuzzing))]
pub(super) mod compare;
#[cfg(test)]
mod tests;
