//! Huffman codes as tables that answer for several symbols at once.
//!
//! A look-up takes as long as the cache does, whatever it yields; so the tables yield a whole DC
//! difference, two AC coefficients, or the way over as many coefficients as are not wanted.

use super::{
    Stop,
    entropy::{Bits, extend},
};

/// Bits of a window that [`Dc`] looks at.
const DC: u32 = 11;
/// Bits of a window that [`Ac`] looks at for coefficients that are kept.
const KEEP: u32 = 11;
/// Bits of a window that [`Ac`] looks at for coefficients that are not. A symbol is rarely longer.
const SKIP: u32 = 13;
/// Bits of a window that [`Codes`] looks at; longer codes are searched for.
const LOOK: u32 = 9;
/// Bits of the longest code.
const LONGEST: u32 = 16;

/// Past the end of any block.
pub(super) const END: usize = 64;
pub(super) const END_U32: u32 = 64;

/// The codes as the file has them: which symbol a code means, one at a time.
pub(super) struct Codes {
    /// Length and symbol, for codes of at most [`LOOK`] bits; a length of 0 for longer ones.
    look: Box<[(u8, u8); 1 << LOOK]>,
    /// For each length, the first code that is too high for it, at the top of 16 bits.
    above: [u32; LONGEST as usize + 1],
    /// For each length, what turns a code into an index of `symbols`.
    offset: [i32; LONGEST as usize + 1],
    symbols: [u8; 256],
}

/// What a symbol and the bits that follow it mean.
#[derive(Clone, Copy)]
struct Step {
    /// Of the code and its value.
    bits: u32,
    /// How far the next coefficient lies beyond this one.
    advance: u32,
    value: i32,
}

impl Codes {
    /// Reads a table: 16 counts, then the symbols.
    ///
    /// # Errors
    /// [`Stop::NotMine`] where it is no table.
    pub(super) fn new(table: &[u8]) -> Result<Self, Stop> {
        let (counts, listed) = table.split_first_chunk::<16>().ok_or(Stop::NotMine)?;
        let mut codes = Self {
            look: Box::new([(0, 0); 1 << LOOK]),
            above: [0; LONGEST as usize + 1],
            offset: [0; LONGEST as usize + 1],
            symbols: [0; 256],
        };
        let symbols = codes.symbols.get_mut(..listed.len());
        symbols.ok_or(Stop::NotMine)?.copy_from_slice(listed);
        let mut rest = listed;
        let mut code = 0u32;
        for (length, count) in (1u32..).zip(counts) {
            let row = length as usize;
            let (own, others) = rest
                .split_at_checked((*count).into())
                .ok_or(Stop::NotMine)?;
            let first = listed.len() - rest.len();
            codes.offset[row] = index(first) - index(code as usize);
            // The code of only ones stays free.
            let next = code + u32::from(*count);
            if next >= 1 << length {
                return Err(Stop::NotMine);
            }
            for symbol in own {
                if length <= LOOK {
                    let entries = 1usize << (LOOK - length);
                    let from = code as usize * entries;
                    codes.look[from..from + entries].fill((row.to_le_bytes()[0], *symbol));
                }
                code += 1;
            }
            codes.above[row] = code << (LONGEST - length);
            code <<= 1;
            rest = others;
        }
        Ok(codes)
    }

    /// Length and symbol of the code at the top of 16 bits.
    #[inline(always)]
    fn find(&self, window: u32) -> Option<(u32, u8)> {
        let (length, symbol) = self.look[(window >> (LONGEST - LOOK)) as usize & ((1 << LOOK) - 1)];
        if length > 0 {
            return Some((length.into(), symbol));
        }
        self.search(window)
    }

    #[cold]
    fn search(&self, window: u32) -> Option<(u32, u8)> {
        let length = (LOOK + 1..=LONGEST).find(|length| window < self.above[*length as usize])?;
        let code = index((window >> (LONGEST - length)) as usize);
        let at = usize::try_from(code + self.offset[length as usize]).ok()?;
        Some((length, *self.symbols.get(at)?))
    }

    /// Takes a symbol; marks the bits where there is none.
    #[inline(always)]
    pub(super) fn symbol(&self, bits: &mut Bits) -> u8 {
        let Some((length, symbol)) = self.find(bits.peek(LONGEST)) else {
            bits.invalid = true;
            return 0;
        };
        bits.take(length);
        symbol
    }

    /// The AC symbol at the top of `window`, of `width` bits, where they hold all of it.
    fn step(&self, window: u32, width: u32) -> Option<Step> {
        let (length, symbol) = self.find(window << (LONGEST - width))?;
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        let bits = length + size;
        if bits > width {
            return None;
        }
        let (advance, value) = match (run, size) {
            (15, 0) => (16, 0),
            (_, 0) => (END_U32, 0),
            _ => {
                let raw = (window >> (width - bits)) & ((1 << size) - 1);
                (run + 1, extend(raw, size))
            }
        };
        Some(Step {
            bits,
            advance,
            value,
        })
    }

    fn has_only(&self, allowed: impl Fn(u8) -> bool) -> bool {
        self.symbols.iter().all(|symbol| allowed(*symbol))
    }
}

/// A number of at most 16 bits.
fn index(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX / 2)
}

/// Codes of DC differences.
pub(super) struct Dc {
    codes: Codes,
    /// The difference above four bits of length; 0 where the window is too short.
    look: Box<[i16; 1 << DC]>,
}

impl Dc {
    /// Bytes that it holds.
    pub(super) const BYTES: u64 = 8 << 10;

    /// Reads a table.
    ///
    /// # Errors
    /// [`Stop::NotMine`] where it is no table of DC codes.
    pub(super) fn new(table: &[u8]) -> Result<Self, Stop> {
        let codes = Codes::new(table)?;
        if !codes.has_only(|size| size < 16) {
            return Err(Stop::NotMine);
        }
        let mut look = Box::new([0; 1 << DC]);
        for (window, entry) in (0u32..).zip(look.iter_mut()) {
            let Some((length, size)) = codes.find(window << (LONGEST - DC)) else {
                continue;
            };
            let (bits, size) = (length + u32::from(size), u32::from(size));
            if bits <= DC {
                let raw = (window >> (DC - bits)) & ((1 << size) - 1);
                let value = if size == 0 { 0 } else { extend(raw, size) };
                *entry = i16::try_from(value * 16 + index(bits as usize)).unwrap_or(0);
            }
        }
        Ok(Self { codes, look })
    }

    /// Takes a difference; needs 31 bits.
    #[inline(always)]
    pub(super) fn difference(&self, bits: &mut Bits) -> i32 {
        let entry = i32::from(self.look[bits.peek(DC) as usize & ((1 << DC) - 1)]);
        if entry == 0 {
            let (after, value) = self.long(*bits);
            *bits = after;
            return value;
        }
        bits.take(entry.cast_unsigned() & 15);
        entry >> 4
    }

    #[inline(never)]
    fn long(&self, mut bits: Bits) -> (Bits, i32) {
        let size = self.codes.symbol(&mut bits);
        let value = bits.value(size.into());
        (bits, value)
    }
}

/// Codes of AC coefficients in a sequential scan.
pub(super) struct Ac {
    codes: Codes,
    keep: Box<[Pair; 1 << KEEP]>,
    /// From the lowest: 4 bits of length, 1 bit for the end of the block, then how far it goes.
    /// A distance of [`FAR`] where the window is too short for one symbol.
    skip: Box<[u16; 1 << SKIP]>,
}

/// Two coefficients; the second is the first again where the window holds only one.
#[derive(Clone, Copy, Default)]
#[repr(C, align(8))]
pub(super) struct Pair {
    /// Of both; 0 where the window holds none.
    pub(super) bits: u8,
    /// How far the coefficient after the first lies from the one before it.
    pub(super) first: u8,
    /// How far the coefficient after the second does.
    pub(super) both: u8,
    /// The first and the second.
    pub(super) values: [i16; 2],
}

/// What a look-up in [`Ac::skip`] says.
#[derive(Clone, Copy)]
pub(super) struct Leap {
    pub(super) bits: u32,
    /// Coefficients that are passed.
    pub(super) advance: usize,
    /// Whether the block ends there.
    pub(super) ends: bool,
}

/// Farther than any block: the symbol has to be looked at alone.
const FAR: u32 = 64;

impl Ac {
    /// Bytes that it holds.
    pub(super) const BYTES: u64 = 36 << 10;

    /// Reads a table.
    ///
    /// # Errors
    /// [`Stop::NotMine`] where it is no table.
    pub(super) fn new(table: &[u8]) -> Result<Self, Stop> {
        let codes = Codes::new(table)?;
        let mut keep = Box::new([Pair::default(); 1 << KEEP]);
        for (window, entry) in (0u32..).zip(keep.iter_mut()) {
            *entry = pair(&codes, window);
        }
        let mut skip = Box::new([0; 1 << SKIP]);
        for (window, entry) in (0u32..).zip(skip.iter_mut()) {
            *entry = leap(&codes, window);
        }
        Ok(Self { codes, keep, skip })
    }

    /// What the next bits hold; needs 11.
    #[inline(always)]
    pub(super) fn pair(&self, bits: &Bits) -> Pair {
        self.keep[bits.peek(KEEP) as usize & ((1 << KEEP) - 1)]
    }

    /// Where the next bits lead; needs 13.
    #[inline(always)]
    pub(super) fn leap(&self, bits: &Bits) -> Leap {
        let entry = self.skip[bits.peek(SKIP) as usize & ((1 << SKIP) - 1)];
        Leap {
            bits: u32::from(entry & 15),
            advance: usize::from(entry >> 5),
            ends: entry & 16 != 0,
        }
    }

    /// Takes one symbol, however long, and its value; says how far it advances. Needs 31 bits.
    #[inline(always)]
    pub(super) fn single(&self, bits: &mut Bits) -> (usize, i32) {
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

/// Codes of AC coefficients in the first scan of a progressive band.
pub(super) struct Grown {
    codes: Codes,
    look: Box<[Single; 1 << KEEP]>,
}

/// One coefficient, or none.
#[derive(Clone, Copy, Default)]
#[repr(C, align(4))]
pub(super) struct Single {
    /// Bits to be taken; 0 where the window holds no whole symbol.
    pub(super) bits: u8,
    /// How far the coefficient after it lies from the one before it.
    pub(super) advance: u8,
    pub(super) value: i16,
}

impl Grown {
    /// Reads a table.
    ///
    /// # Errors
    /// [`Stop::NotMine`] where it is no table.
    pub(super) fn new(table: &[u8]) -> Result<Self, Stop> {
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
    pub(super) fn step(&self, bits: &Bits) -> Single {
        self.look[bits.peek(KEEP) as usize & ((1 << KEEP) - 1)]
    }

    /// Takes one symbol, however long, and its value; says for how many blocks after this one the
    /// band is over. Needs 31 bits; none are left to be taken.
    #[inline(always)]
    pub(super) fn single(&self, bits: &mut Bits) -> (Single, u32) {
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
pub(super) fn end_of_bands(bits: &mut Bits, run: u8) -> u32 {
    if run == 0 {
        return 0;
    }
    let more = bits.peek(run.into());
    bits.take(run.into());
    (1 << run) + more - 1
}

/// A number of at most 8 bits.
fn byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

/// A number of at most 15 bits and a sign.
fn short(value: i32) -> i16 {
    i16::try_from(value).unwrap_or(0)
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
    while bits < SKIP && !ends {
        let rest = SKIP - bits;
        let Some(step) = codes.step(window & ((1 << rest) - 1), rest) else {
            break;
        };
        ends = step.advance == END_U32;
        if !ends && advance + step.advance >= FAR {
            break;
        }
        bits += step.bits;
        advance += if ends { 0 } else { step.advance };
    }
    if bits == 0 {
        advance = FAR;
    }
    u16::try_from(bits | u32::from(ends) << 4 | advance << 5).unwrap_or(0)
}
