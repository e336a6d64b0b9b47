//! From codes to what they stand for.

use super::{
    Damaged,
    codes::{Codes, DISTANCE_BITS, LITERAL_BITS, entry},
    input::{Bits, Input},
};

/// Bytes of input that one turn reads at most: a word, twice.
pub(super) const TURN: usize = 16;

/// Entries of literals of a turn, if nothing else comes: a word holds two, the longest code of a
/// length, and what a distance is looked up by.
pub(super) const LITERALS: usize = 3;

/// Bytes that a turn adds at most.
pub(super) const GROWTH: usize = 2 * (LITERALS - 1) + LONGEST_MATCH;

pub(super) const LONGEST_MATCH: usize = 258;

/// Who takes what was decoded.
pub(super) trait Sink {
    /// One literal or two: see [`literals`].
    fn put(&mut self, found: u32);

    /// What stands `distance` back, `length` bytes of it; `None` where there is nothing.
    fn copy(&mut self, distance: usize, length: usize) -> Option<()>;
}

/// What there is behind a turn.
pub(super) enum Turn {
    More,
    /// The end of the block. Its code is not yet skipped.
    End,
    /// Something that cannot be, not yet skipped.
    Damaged(Damaged),
}

/// A place in a block.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    pub(super) bits: Bits,
    /// What the next code means. It is looked up before bits are filled up, so that one need not
    /// wait for the other.
    found: u32,
}

impl Cursor {
    pub(super) fn new(mut bits: Bits, codes: &Codes, input: &Input) -> Self {
        bits.refill(input);
        let mut cursor = Self { bits, found: 0 };
        cursor.look(codes);
        cursor
    }

    #[inline(always)]
    fn look(&mut self, codes: &Codes) {
        self.found = codes.literals()[self.bits.peek(LITERAL_BITS)];
    }

    /// Skips the code of the block's end.
    pub(super) fn past_end(mut self, codes: &Codes) -> Bits {
        if self.found & entry::BELOW != 0 {
            self.found = codes.below_literals(self.found, self.bits.held() >> LITERAL_BITS);
        }
        self.bits.skip(self.found & 0xFF);
        self.bits
    }

    /// Goes on by `MOST` entries of literals, or fewer and something else.
    #[inline(always)]
    pub(super) fn turn<const MOST: usize>(
        &mut self,
        codes: &Codes,
        input: &Input,
        sink: &mut impl Sink,
    ) -> Turn {
        self.bits.refill(input);
        for _ in 0..MOST {
            if !self.is_literal() {
                return self.other(codes, input, sink);
            }
            self.put(codes, sink);
        }
        Turn::More
    }

    #[inline(always)]
    pub(super) fn is_literal(&self) -> bool {
        self.found & entry::LITERAL != 0
    }

    #[inline(always)]
    pub(super) fn put(&mut self, codes: &Codes, sink: &mut impl Sink) {
        sink.put(self.found);
        self.bits.skip(self.found & 0xFF);
        self.look(codes);
    }

    /// What is no literal of a short code. Twenty bits are there at least.
    #[inline(always)]
    pub(super) fn other(&mut self, codes: &Codes, input: &Input, sink: &mut impl Sink) -> Turn {
        let before = *self;
        if self.found & entry::BELOW != 0 {
            self.found = codes.below_literals(self.found, self.bits.held() >> LITERAL_BITS);
            if self.found & entry::LITERAL != 0 {
                self.put(codes, sink);
                return Turn::More;
            }
        }
        if self.found & entry::SPECIAL != 0 {
            let ended = self.found & entry::END != 0;
            *self = before;
            return if ended {
                Turn::End
            } else {
                Turn::Damaged(Damaged("a code of no symbol"))
            };
        }
        let length = value(self.found, self.bits.held());
        self.bits.skip(self.found & 0xFF);
        let mut far = codes.distances()[self.bits.peek(DISTANCE_BITS)];
        self.bits.refill(input);
        if far & entry::BELOW != 0 {
            far = codes.below_distances(far, self.bits.held() >> DISTANCE_BITS);
        }
        if far == 0 {
            *self = before;
            return Turn::Damaged(Damaged("a code of no distance"));
        }
        let distance = value(far, self.bits.held());
        self.bits.skip(far & 0xFF);
        self.look(codes);
        if sink.copy(distance, length).is_none() {
            *self = before;
            return Turn::Damaged(Damaged("a distance too far back"));
        }
        Turn::More
    }
}

/// The bytes of an entry of literals, and how many of the two count.
#[inline(always)]
pub(super) fn literals(found: u32) -> ([u8; 2], usize) {
    let [_, first, second, flags] = found.to_le_bytes();
    ([first, second], usize::from(flags & 3))
}

/// A length or a distance: what its code stands for, and the bits behind the code.
#[inline(always)]
fn value(found: u32, held: u64) -> usize {
    let (all, code) = (found & 0xFF, found >> 8 & 0xF);
    let extra = (held & ((1 << all) - 1)) >> code;
    (found >> 16 & 0x7FFF) as usize + extra as usize
}
