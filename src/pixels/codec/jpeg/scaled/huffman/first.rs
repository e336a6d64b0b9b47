//! Codes of AC coefficients in the first scan of a progressive band, and of ends of many blocks.

use super::{
    super::{Stop, entropy::Bits},
    Codes, END_U32, KEEP, LONGEST, byte, short,
};

/// Codes of AC coefficients in the first scan of a progressive band.
pub(in crate::pixels::codec::jpeg::scaled) struct Grown {
    codes: Codes,
    look: Box<[Single; 1 << KEEP]>,
}

/// One coefficient, or none.
#[derive(Clone, Copy, Default)]
#[repr(C, align(4))]
pub(in crate::pixels::codec::jpeg::scaled) struct Single {
    /// Bits to be taken; 0 where the window holds no whole symbol.
    pub(in crate::pixels::codec::jpeg::scaled) bits: u8,
    /// How far the coefficient after it lies from the one before it.
    pub(in crate::pixels::codec::jpeg::scaled) advance: u8,
    pub(in crate::pixels::codec::jpeg::scaled) value: i16,
}

impl Grown {
    /// Reads a table.
    ///
    /// # Errors
    /// [`Stop::NotMine`] where it is no table.
    pub(in crate::pixels::codec::jpeg::scaled) fn new(table: &[u8]) -> Result<Self, Stop> {
        let codes = Codes::new(table)?;
        let mut look = Box::new([Single::default(); 1 << KEEP]);
        for (window, entry) in (0u32..).zip(look.iter_mut()) {
            // An end of several blocks is looked at alone.
            let several = |symbol: u8| matches!((symbol >> 4, symbol & 15), (1..15, 0));
            let found = codes.find(window << (LONGEST - KEEP));
            if found.is_some_and(|(_, symbol)| several(symbol)) {
                continue;
            }
            if let Some(step) = codes.step(window, KEEP) {
                *entry = Single {
                    bits: byte(step.bits),
                    advance: byte(step.advance),
                    value: short(step.value),
                };
            }
        }
        Ok(Self { codes, look })
    }

    /// What the next bits hold; needs 11.
    #[inline(always)]
    pub(in crate::pixels::codec::jpeg::scaled) fn step(&self, bits: &Bits) -> Single {
        self.look[bits.peek(KEEP) as usize & ((1 << KEEP) - 1)]
    }

    /// Takes one symbol, however long, and its value; says for how many blocks after this one the
    /// band is over. Needs 31 bits; none are left to be taken.
    #[inline(always)]
    pub(in crate::pixels::codec::jpeg::scaled) fn single(&self, bits: &mut Bits) -> (Single, u32) {
        // By value, so that the caller's bits stay in registers.
        let (after, step, over) = self.lone(*bits);
        *bits = after;
        (step, over)
    }

    #[inline(never)]
    fn lone(&self, mut bits: Bits) -> (Bits, Single, u32) {
        let symbol = self.codes.symbol(&mut bits);
        let (run, size) = (symbol >> 4, symbol & 15);
        let mut step = Single {
            bits: 0,
            advance: run + 1,
            value: 0,
        };
        let mut over = 0;
        if size > 0 {
            step.value = short(bits.value(size.into()));
        } else if run < 15 {
            over = end_of_bands(&mut bits, run);
            step.advance = byte(END_U32);
        }
        (bits, step, over)
    }
}

/// Takes how many blocks after this one a band is over for, where a symbol says that it is.
#[inline(always)]
pub(in crate::pixels::codec::jpeg::scaled) fn end_of_bands(bits: &mut Bits, run: u8) -> u32 {
    if run == 0 {
        return 0;
    }
    let more = bits.peek(run.into());
    bits.take(run.into());
    (1 << run) + more - 1
}
