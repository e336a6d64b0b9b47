//! Huffman codes that are made for a picture: shorter for what comes more often.

use crate::pixels::codec::prefix;

/// Bits of the longest code that JPEG allows.
const LONGEST: usize = 16;

/// Beside the bytes that have codes: what takes the code of ones alone, which JPEG does not allow.
const NOBODY: usize = 256;

/// How often each symbol comes.
pub(super) type Counts = [u32; 256];

/// A table of codes.
#[derive(Debug)]
pub(super) struct Code {
    /// How many codes there are of each length, from one bit on.
    lengths: [u8; LONGEST],
    /// In the order of their codes.
    symbols: Vec<u8>,
    /// Each code above the eight bits of its length.
    of: [u32; 256],
}

impl Code {
    /// For symbols that come so often. Those that never come have none.
    pub(super) fn new(counts: &Counts) -> Self {
        let mut all: Vec<u32> = counts.iter().map(|count| count.saturating_mul(2)).collect();
        all.push(1);
        let mut lengths = prefix::lengths(&all, LONGEST);
        // The code of ones is one of the longest.
        let longest = (0..NOBODY).rev().max_by_key(|symbol| lengths[*symbol]);
        if let Some(longest) = longest.filter(|symbol| lengths[*symbol] > lengths[NOBODY]) {
            lengths.swap(longest, NOBODY);
        }
        let mut code = Self {
            lengths: [0; LONGEST],
            symbols: Vec::new(),
            of: [0; 256],
        };
        let mut next = 0;
        for length in 1..=LONGEST {
            for symbol in 0..=u8::MAX {
                if usize::from(lengths[usize::from(symbol)]) == length {
                    code.of[usize::from(symbol)] =
                        next << 8 | u32::from(lengths[usize::from(symbol)]);
                    code.symbols.push(symbol);
                    code.lengths[length - 1] += 1;
                    next += 1;
                }
            }
            next <<= 1;
        }
        code
    }

    /// A symbol's code, and how many bits it has.
    #[inline(always)]
    pub(super) fn of(&self, symbol: u8) -> (u32, u32) {
        let code = self.of[usize::from(symbol)];
        (code >> 8, code & 0xFF)
    }

    /// As a segment says it.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.lengths);
        to.extend_from_slice(&self.symbols);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: impl Fn(usize) -> u32) -> Counts {
        std::array::from_fn(of)
    }

    /// No code begins another, and none is of ones alone.
    #[track_caller]
    fn check(counts: &Counts) {
        let code = Code::new(counts);
        let mut room = 1_u32 << LONGEST;
        for (symbol, count) in (0..=u8::MAX).zip(counts) {
            let (bits, length) = code.of(symbol);
            assert_eq!(length > 0, *count > 0);
            if length > 0 {
                assert!(
                    length <= 16 && bits < (1 << length) - 1,
                    "{bits:b} of {length}"
                );
                room -= 1 << (16 - length);
            }
        }
        assert!(room > 0);
        assert_eq!(
            code.symbols.len(),
            counts.iter().filter(|count| **count > 0).count()
        );
    }

    #[test]
    fn codes_are_none_of_ones_and_fit() {
        check(&counts(|symbol| u32::from(symbol == 7)));
        check(&counts(|symbol| u32::from(symbol < 2)));
        check(&counts(|_| 1));
        check(&counts(|_| u32::MAX));
        check(&counts(|symbol| 1 << (symbol % 32)));
        check(&counts(
            |symbol| if symbol < 40 { 1 << (symbol / 2) } else { 0 },
        ));
    }

    #[test]
    fn what_comes_more_often_is_shorter() {
        let code = Code::new(&counts(|symbol| {
            [100, 10, 1].get(symbol).copied().unwrap_or(0)
        }));
        assert_eq!(
            [0, 1, 2].map(|symbol| code.of(symbol)),
            [(0, 1), (2, 2), (6, 3)]
        );
        let mut segment = Vec::new();
        code.write(&mut segment);
        assert_eq!(segment[..4], [1, 1, 1, 0]);
        assert_eq!(segment[16..], [0, 1, 2]);
    }
}
