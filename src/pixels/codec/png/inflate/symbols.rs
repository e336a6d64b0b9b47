//! From codes to what they stand for.

use super::{
    Damaged,
    codes::{BITS, Codes, DISTANCE_BITS, entry},
    input::{Bits, Input},
    output::Output,
};

/// Bytes of input that one turn reads at most: a word, twice.
pub(super) const TURN: usize = 16;

/// Entries of literals of a turn, if nothing else comes: a word holds two, the longest code of a
/// length, and what a distance is looked up by.
pub(super) const LITERALS: usize = 3;

/// Bytes that a turn adds at most.
pub(super) const GROWTH: usize = 2 * (LITERALS - 1) + LONGEST_MATCH;

pub(super) const LONGEST_MATCH: usize = 258;

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
        self.found = codes.table()[self.bits.peek(BITS)];
    }

    /// Skips the code of the block's end.
    pub(super) fn past_end(mut self, codes: &Codes) -> Bits {
        let end = codes.first(self.bits.held());
        self.bits.skip(end >> entry::CODE & 0xF);
        self.bits
    }

    /// Goes on by `MOST` entries of literals, or fewer and something else.
    #[inline(always)]
    pub(super) fn turn<const MOST: usize>(
        &mut self,
        codes: &Codes,
        input: &Input,
        output: &mut Output<'_>,
    ) -> Turn {
        self.bits.refill(input);
        for _ in 0..MOST {
            if !self.is_literal() {
                return self.other(codes, input, output);
            }
            self.put(codes, output);
        }
        Turn::More
    }

    #[inline(always)]
    pub(super) fn is_literal(&self) -> bool {
        self.found >= entry::ONE
    }

    #[inline(always)]
    pub(super) fn put(&mut self, codes: &Codes, output: &mut Output<'_>) {
        output.put(self.found);
        self.bits.skip(self.found & entry::SKIP);
        self.look(codes);
    }

    /// What is no literal of a short code. Twenty bits are there at least.
    #[inline(always)]
    pub(super) fn other(&mut self, codes: &Codes, input: &Input, output: &mut Output<'_>) -> Turn {
        let before = *self;
        if self.found & entry::SPECIAL != 0 {
            self.found = codes.beyond(self.found, self.bits.held() >> BITS);
            if self.found >= entry::ONE {
                self.put(codes, output);
                return Turn::More;
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
        }
        let length = length(self.found, self.bits.held());
        self.bits
            .skip(self.found >> entry::LENGTH_SKIP & entry::SKIP);
        let mut far = codes.table()[entry::LENGTH as usize | self.bits.peek(DISTANCE_BITS)];
        self.bits.refill(input);
        if far & entry::SPECIAL != 0 {
            far = codes.beyond(far, self.bits.held() >> DISTANCE_BITS);
            if far & entry::SPECIAL != 0 {
                *self = before;
                return Turn::Damaged(Damaged("a code of no distance"));
            }
        }
        let distance = distance(far, self.bits.held());
        self.bits.skip(far & entry::SKIP);
        self.look(codes);
        if output.copy(distance, length).is_none() {
            *self = before;
            return Turn::Damaged(Damaged("a distance too far back"));
        }
        Turn::More
    }
}

/// The bytes of an entry of literals, and how many of the two count.
#[inline(always)]
pub(super) fn literals(found: u32) -> ([u8; 2], usize) {
    let bytes = (found >> entry::VALUE) as u16;
    (bytes.to_le_bytes(), (found >> entry::COUNT) as usize)
}

/// Bits to skip of an entry of literals or a length.
#[inline(always)]
pub(super) fn skipped(found: u32) -> u32 {
    (found | found >> entry::LENGTH_SKIP) & entry::SKIP
}

/// What the code of a length stands for, with the bits behind the code.
#[inline(always)]
pub(super) fn length(found: u32, held: u64) -> usize {
    let (all, code) = (
        found >> entry::LENGTH_SKIP & 0x1F,
        found >> entry::LENGTH_CODE & 0xF,
    );
    let extra = (held & ((1 << all) - 1)) >> code;
    (found >> entry::VALUE & 0x1FF) as usize + extra as usize
}

/// As [`length`], of a distance.
#[inline(always)]
pub(super) fn distance(found: u32, held: u64) -> usize {
    let (all, code) = (found & entry::SKIP, found >> entry::CODE & 0xF);
    let extra = (held & ((1 << all) - 1)) >> code;
    (found >> entry::VALUE & 0x7FFF) as usize + extra as usize
}
