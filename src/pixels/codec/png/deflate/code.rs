//! Codes that are shorter for what comes more often.

use crate::pixels::codec::prefix;

/// Codes of up to 286 numbers.
pub(super) struct Code {
    lengths: Vec<u8>,
    /// Each code, the first bit lowest, and from the sixteenth on how many bits it has.
    codes: [u32; super::NUMBERS],
}

impl Code {
    /// For numbers that come so often; two at least do. No code is longer than `longest` bits, and
    /// there are fewer numbers than such codes.
    pub(super) fn new(counts: &[u32], longest: usize) -> Self {
        let lengths = prefix::lengths(counts, longest);
        let codes = codes(&lengths);
        Self { lengths, codes }
    }

    /// Bits of each number's code; 0 is none.
    pub(super) fn lengths(&self) -> &[u8] {
        &self.lengths
    }

    /// A number's code, and how many bits it has.
    #[inline(always)]
    pub(super) fn of(&self, number: usize) -> (u64, u32) {
        let code = self.codes.get(number).copied().unwrap_or(0);
        (u64::from(code & 0xFFFF), code >> 16)
    }
}

/// The codes of these lengths: of each length in the order of their numbers.
fn codes(lengths: &[u8]) -> [u32; super::NUMBERS] {
    let mut codes = [0; super::NUMBERS];
    let mut next = 0u16;
    for length in 1..=super::LONGEST {
        let of = lengths
            .iter()
            .enumerate()
            .filter(|(_, other)| usize::from(**other) == length);
        for (number, length) in of {
            let code = next.reverse_bits() >> (16 - length);
            codes[number] = u32::from(*length) << 16 | u32::from(code);
            next += 1;
        }
        next <<= 1;
    }
    codes
}
