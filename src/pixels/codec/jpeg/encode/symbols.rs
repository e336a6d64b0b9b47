//! What blocks are written as: symbols that have codes, and bits behind them.

use super::{
    bits::Bits,
    code::{Code, Counts},
};

/// Tables of a scan: of means for luma and for colour, and of the rest for both.
pub(super) const TABLES: usize = 4;
/// The first of those for what is no mean.
pub(super) const REST: usize = 2;

/// All coefficients from here on are zero.
pub(super) const END: u8 = 0;
/// Sixteen zeros.
pub(super) const SIXTEEN: u8 = 0xF0;

/// Takes symbols.
pub(super) trait Symbols {
    /// A symbol of a table, and so many bits behind it.
    fn put(&mut self, table: usize, symbol: u8, bits: u32, count: u32);

    /// So many bits more, at most 32.
    fn bits(&mut self, bits: u32, count: u32);
}

/// Counts them, for so many tables.
pub(super) struct Counted<const N: usize>(pub(super) [Counts; N]);

impl<const N: usize> Counted<N> {
    pub(super) const NONE: Self = Self([[0; 256]; N]);
}

impl<const N: usize> Symbols for Counted<N> {
    #[inline(always)]
    fn put(&mut self, table: usize, symbol: u8, _: u32, _: u32) {
        self.0[table % N][usize::from(symbol)] += 1;
    }

    #[inline(always)]
    fn bits(&mut self, _: u32, _: u32) {}
}

/// Writes them.
pub(super) struct Written<'a, const N: usize> {
    pub(super) codes: &'a [Code; N],
    pub(super) bits: Bits,
}

impl<const N: usize> Symbols for Written<'_, N> {
    #[inline(always)]
    fn put(&mut self, table: usize, symbol: u8, bits: u32, count: u32) {
        let (code, length) = self.codes[table % N].of(symbol);
        self.bits.put(code << count | bits, length + count);
    }

    #[inline(always)]
    fn bits(&mut self, bits: u32, count: u32) {
        self.bits.put(bits, count);
    }
}

/// How many bits a value has, and which: of a negative one, those of the value less one.
#[inline(always)]
pub(super) fn sized(value: i32) -> (u32, u32) {
    let count = 32 - value.unsigned_abs().leading_zeros();
    let bits = (value + (value >> 31)).cast_unsigned() & ((1 << count) - 1);
    (count, bits)
}

/// A run of zeros, less than sixteen, before a value of so many bits.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "both have four bits")]
pub(super) fn symbol(run: u32, count: u32) -> u8 {
    (run << 4 | count) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_coded_as_t_81_has_it() {
        let found = [0, 1, -1, 2, -2, 3, -3, 1023, -1023].map(sized);
        let wanted = [
            (0, 0),
            (1, 1),
            (1, 0),
            (2, 2),
            (2, 1),
            (2, 3),
            (2, 0),
            (10, 1023),
            (10, 0),
        ];
        assert_eq!(found, wanted);
    }
}
