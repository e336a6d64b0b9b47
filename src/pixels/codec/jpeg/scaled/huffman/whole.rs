//! Codes of AC coefficients in sequential scans: two at a time of those that are kept, and as many
//! as fit of those that are not.

use super::{
    super::{Stop, entropy::Bits},
    Codes, END, END_U32, KEEP, byte, short,
};

/// Bits of a window that is looked at for coefficients that are not kept.
pub(in crate::pixels::codec::jpeg::scaled) const WAY: u32 = 13;

/// How far the symbols of a window lead. From the lowest: 4 bits of length, 1 bit for the end of the
/// block, then how many coefficients are passed. A length of 0 where the window is too short for one
/// symbol.
pub(in crate::pixels::codec::jpeg::scaled) type Way = [u16; 1 << WAY];

/// Codes of AC coefficients in a sequential scan.
pub(in crate::pixels::codec::jpeg::scaled) struct Ac {
    codes: Codes,
    keep: Box<[Pair; 1 << KEEP]>,
    /// A distance of [`FAR`] where the window is too short for one symbol.
    way: Box<Way>,
}

/// Two coefficients; the second is the first again where the window holds only one.
#[derive(Clone, Copy, Default)]
#[repr(C, align(8))]
pub(in crate::pixels::codec::jpeg::scaled) struct Pair {
    /// Of both; 0 where the window holds none.
    pub(in crate::pixels::codec::jpeg::scaled) bits: u8,
    /// How far the coefficient after the first lies from the one before it.
    pub(in crate::pixels::codec::jpeg::scaled) first: u8,
    /// How far the coefficient after the second does.
    pub(in crate::pixels::codec::jpeg::scaled) both: u8,
    /// The first and the second.
    pub(in crate::pixels::codec::jpeg::scaled) values: [i16; 2],
}

/// What a look-up in a [`Way`] says.
#[derive(Clone, Copy)]
pub(in crate::pixels::codec::jpeg::scaled) struct Leap {
    pub(in crate::pixels::codec::jpeg::scaled) bits: u32,
    /// Coefficients that are passed.
    pub(in crate::pixels::codec::jpeg::scaled) advance: usize,
    /// Whether the block ends there.
    pub(in crate::pixels::codec::jpeg::scaled) ends: bool,
}

/// Farther than any block: the symbol has to be looked at alone.
pub(in crate::pixels::codec::jpeg::scaled) const FAR: u16 = 64;

impl Ac {
    /// Bytes that it holds.
    pub(in crate::pixels::codec::jpeg::scaled) const BYTES: u64 = 36 << 10;

    /// Reads a table.
    ///
    /// # Errors
    /// [`Stop::NotMine`] where it is no table.
    pub(in crate::pixels::codec::jpeg::scaled) fn new(table: &[u8]) -> Result<Self, Stop> {
        let codes = Codes::new(table)?;
        let mut keep = Box::new([Pair::default(); 1 << KEEP]);
        for (window, entry) in (0u32..).zip(keep.iter_mut()) {
            *entry = pair(&codes, window);
        }
        let mut way = Box::new([0; 1 << WAY]);
        for (window, entry) in (0u32..).zip(way.iter_mut()) {
            *entry = leap(&codes, window);
        }
        Ok(Self { codes, keep, way })
    }

    /// What the next bits hold; needs 11.
    #[inline(always)]
    pub(in crate::pixels::codec::jpeg::scaled) fn pair(&self, bits: &Bits) -> Pair {
        self.keep[bits.peek(KEEP) as usize & ((1 << KEEP) - 1)]
    }

    /// Where windows lead.
    pub(in crate::pixels::codec::jpeg::scaled) fn way(&self) -> &Way {
        &self.way
    }

    /// Where the next bits lead; needs 13.
    #[inline(always)]
    pub(in crate::pixels::codec::jpeg::scaled) fn leap(&self, bits: &Bits) -> Leap {
        let entry = self.way[bits.peek(WAY) as usize & ((1 << WAY) - 1)];
        Leap {
            bits: u32::from(entry & 15),
            advance: usize::from(entry >> 5),
            ends: entry & 16 != 0,
        }
    }

    /// Takes one symbol, however long, and its value; says how far it advances. Needs 31 bits.
    #[inline(always)]
    pub(in crate::pixels::codec::jpeg::scaled) fn single(&self, bits: &mut Bits) -> (usize, i32) {
        // By value, so that the caller's bits stay in registers.
        let (after, advance, value) = self.lone(*bits);
        *bits = after;
        (advance, value)
    }

    #[inline(never)]
    fn lone(&self, mut bits: Bits) -> (Bits, usize, i32) {
        let symbol = self.codes.symbol(&mut bits);
        let (advance, value) = match (symbol >> 4, symbol & 15) {
            (15, 0) => (16, 0),
            (_, 0) => (END, 0),
            (run, size) => (usize::from(run) + 1, bits.value(size.into())),
        };
        (bits, advance, value)
    }
}

fn pair(codes: &Codes, window: u32) -> Pair {
    let Some(first) = codes.step(window, KEEP) else {
        return Pair::default();
    };
    let alone = Pair {
        bits: byte(first.bits),
        first: byte(first.advance),
        both: byte(first.advance),
        values: [short(first.value); 2],
    };
    if first.advance == END_U32 {
        return alone;
    }
    let rest = KEEP - first.bits;
    let second = codes.step(window & ((1 << rest) - 1), rest);
    second.map_or(alone, |second| Pair {
        bits: byte(first.bits + second.bits),
        both: byte(first.advance + second.advance),
        values: [short(first.value), short(second.value)],
        ..alone
    })
}

fn leap(codes: &Codes, window: u32) -> u16 {
    let (mut bits, mut advance, mut ends) = (0, 0, false);
    while bits < WAY && !ends {
        let rest = WAY - bits;
        let Some(step) = codes.step(window & ((1 << rest) - 1), rest) else {
            break;
        };
        ends = step.advance == END_U32;
        if !ends && advance + step.advance >= u32::from(FAR) {
            break;
        }
        bits += step.bits;
        advance += if ends { 0 } else { step.advance };
    }
    if bits == 0 {
        advance = u32::from(FAR);
    }
    u16::try_from(bits | u32::from(ends) << 4 | advance << 5).unwrap_or(0)
}
