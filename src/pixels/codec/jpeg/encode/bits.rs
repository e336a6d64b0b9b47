//! Bits on their way into entropy-coded data, the first highest.

use memchr::memchr;

/// Bytes of a block, at most: 64 codes of 16 bits and values of 11.
pub(super) const BLOCK: usize = 64 * 27 / 8;

/// What has been written, and the bits that are not yet bytes.
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// The bytes that come next, as they are.
    held: Vec<u8>,
    at: usize,
    /// Less than a byte, from the highest bit on.
    rest: u64,
    count: u32,
}

impl Bits {
    /// What comes behind `bytes`. There is room for `held` more before they are settled.
    pub(super) fn behind(bytes: Vec<u8>, held: usize) -> Self {
        Self {
            bytes,
            held: vec![0; held + 16],
            at: 0,
            rest: 0,
            count: 0,
        }
    }

    /// Adds bits, at most 32, none of them above those.
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u32, count: u32) {
        self.rest |= u64::from(bits) << 32 << (32 - count) >> self.count;
        self.count += count;
        debug_assert!(self.at + 8 <= self.held.len());
        if let Some(room) = self.held.get_mut(self.at..self.at + 8) {
            room.copy_from_slice(&self.rest.to_be_bytes());
        }
        let whole = self.count / 8;
        self.at += whole as usize;
        self.rest <<= whole * 8;
        self.count %= 8;
    }

    /// Makes room. A byte of ones would be taken for a marker, so a zero follows it.
    pub(super) fn settle(&mut self) {
        let mut held = &self.held[..self.at];
        while let Some(full) = memchr(0xFF, held) {
            self.bytes.extend_from_slice(&held[..=full]);
            self.bytes.push(0);
            held = &held[full + 1..];
        }
        self.bytes.extend_from_slice(held);
        self.at = 0;
    }

    /// Fills the last byte with ones, and gives back all.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let missing = self.count.wrapping_neg() % 8;
        self.put((1 << missing) - 1, missing);
        self.settle();
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(puts: &[(u32, u32)], bytes: &[u8]) {
        let mut bits = Bits::behind(Vec::new(), 8);
        for (value, count) in puts {
            bits.put(*value, *count);
        }
        assert_eq!(bits.finish(), bytes);
    }

    #[test]
    fn bits_become_bytes_the_first_highest_and_ones_fill_the_last() {
        check(&[], &[]);
        check(&[(0, 1)], &[0x7F]);
        check(&[(1, 1), (0, 7)], &[0x80]);
        check(
            &[(0x1234_5678, 32), (0x9A, 8)],
            &[0x12, 0x34, 0x56, 0x78, 0x9A],
        );
        check(&[(5, 3), (0x0ABC_DEF0, 29)], &[0xAA, 0xBC, 0xDE, 0xF0]);
    }

    #[test]
    fn a_zero_follows_each_byte_of_ones() {
        check(&[(0xFF, 8)], &[0xFF, 0]);
        check(&[(0x1, 1)], &[0xFF, 0]);
        check(&[(0x00FF_FE00, 32)], &[0, 0xFF, 0, 0xFE, 0]);
        check(&[(0xFFFF_FFFF, 32)], &[0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0]);
    }

    #[test]
    fn what_is_held_is_settled_wherever_a_byte_ends() {
        for count in 1..=32 {
            let mut bits = Bits::behind(vec![1, 2], 4);
            for _ in 0..count {
                bits.put(0, count);
                bits.settle();
            }
            let bytes = bits.finish();
            assert_eq!(bytes.len(), 2 + (count * count).div_ceil(8) as usize);
            assert_eq!(bytes[2] >> 7, 0);
        }
    }
}
