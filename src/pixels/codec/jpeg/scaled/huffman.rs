//! Huffman codes as tables that answer for several symbols at once.
//!
//! A look-up takes as long as the cache does, whatever it yields; so the tables yield a whole DC
//! difference, two AC coefficients, or the way over as many coefficients as are not wanted.

mod first;
mod whole;

pub(super) use self::{
    first::{Grown, end_of_bands},
    whole::{Ac, FAR, WAY, Way},
};
use super::{
    Stop,
    entropy::{Bits, extend},
};

/// Bits of a window that [`Dc`] looks at.
const DC: u32 = 11;
/// Bits of a window that [`Ac`] and [`Grown`] look at for coefficients that are kept.
const KEEP: u32 = 11;
/// Bits of a window that [`Codes`] looks at; longer codes are searched for.
const LOOK: u32 = 9;
/// Bits of the longest code.
const LONGEST: u32 = 16;

/// Coefficients of a block.
pub(super) const BLOCK: usize = 64;
/// How far the end of a block advances: farther than any coefficient, so that where the block
/// ended can be told.
pub(super) const END: usize = 128;
const END_U32: u32 = 128;

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
        let codes = Self::check(table)?;
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

    /// How far differences lead: each to the coefficient behind it.
    pub(super) fn way(&self) -> Box<Way> {
        let mut way = Box::new([FAR << 5; 1 << WAY]);
        for (window, entry) in (0u32..).zip(way.iter_mut()) {
            let Some((length, size)) = self.codes.find(window << (LONGEST - WAY)) else {
                continue;
            };
            let bits = length + u32::from(size);
            if bits <= WAY {
                *entry = 1 << 5 | u16::from(byte(bits));
            }
        }
        way
    }

    /// The codes of a table, where they are DC codes.
    ///
    /// # Errors
    /// [`Stop::NotMine`] where they are not.
    pub(super) fn check(table: &[u8]) -> Result<Codes, Stop> {
        let codes = Codes::new(table)?;
        if codes.has_only(|size| size < 16) {
            Ok(codes)
        } else {
            Err(Stop::NotMine)
        }
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

/// A number of at most 8 bits.
fn byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

/// A number of at most 15 bits and a sign.
fn short(value: i32) -> i16 {
    i16::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::codec::jpeg::scaled::{data::Data, entropy::Feed};

    /// Three codes of 2 bits, and one of each length from there.
    fn table() -> Vec<u8> {
        let symbols = [
            0x00, 0x01, 0x02, 0x11, 0x21, 0xF0, 0x03, 0x12, 0x31, 0x04, 0x22, 0x41, 0x05, 0x0A,
            0xFA, 0x20, 0x0F,
        ];
        let counts = [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        [counts.as_slice(), &symbols].concat()
    }

    /// What symbols, taken one by one, say of the bits of `data`: how far each advances, its
    /// value, and the bits taken up to its end.
    fn one_by_one(codes: &Codes, data: &[u8]) -> Vec<(usize, i32, u32)> {
        let (mut feed, mut bits) = (Feed::new(Data::held(data, 0)), Bits::default());
        let mut steps = Vec::new();
        while feed.advance(&mut bits).is_ok() && feed.check(&bits).is_ok() {
            bits.refill(feed.window());
            let before = bits.taken();
            let symbol = codes.symbol(&mut bits);
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            let advance = match (run, size) {
                (15, 0) => 16,
                (_, 0) => END,
                _ => run + 1,
            };
            let value = bits.value(size);
            let taken = u32::try_from(bits.taken() - before).expect("forward");
            steps.push((advance, value, taken));
        }
        steps
    }

    fn data() -> Vec<u8> {
        let mut random = 9u32;
        let bytes = std::iter::repeat_with(|| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random.to_be_bytes()[0]
        });
        // Fewer ones in a row than the code that does not exist; and no stuffed bytes here.
        let masks = [0x7F, 0xFE].into_iter().cycle();
        bytes
            .zip(masks)
            .map(|(byte, mask)| byte & mask)
            .take(4000)
            .collect()
    }

    #[test]
    fn pairs_and_leaps_say_what_single_symbols_do() {
        let (table, data) = (table(), data());
        let Ok((codes, ac)) = Codes::new(&table).and_then(|codes| Ok((codes, Ac::new(&table)?)))
        else {
            panic!("it is a table");
        };
        let steps = one_by_one(&codes, &data);
        let (mut feed, mut bits) = (Feed::new(Data::held(&data, 0)), Bits::default());
        for (at, step) in steps.iter().enumerate().take(steps.len() - 30) {
            feed.advance(&mut bits).expect("more data");
            bits.refill(feed.window());
            let pair = ac.pair(&bits);
            let second = steps[at + 1];
            if pair.bits > 0 {
                assert_eq!((pair.first.into(), pair.values[0].into()), (step.0, step.1));
                if pair.both > pair.first {
                    assert_eq!(usize::from(pair.both), step.0 + second.0);
                    assert_eq!(i32::from(pair.values[1]), second.1);
                    assert_eq!(u32::from(pair.bits), step.2 + second.2);
                } else {
                    assert_eq!(u32::from(pair.bits), step.2);
                }
            }
            let leap = ac.leap(&bits);
            let (mut advance, mut taken, mut ends) = (0, 0, false);
            for step in &steps[at..] {
                if taken < leap.bits {
                    ends = step.0 == END;
                    advance += if ends { 0 } else { step.0 };
                    taken += step.2;
                }
            }
            if leap.bits > 0 {
                assert_eq!((leap.advance, leap.bits, leap.ends), (advance, taken, ends));
            }
            assert_eq!(ac.single(&mut bits), (step.0, step.1));
        }
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let check = |counts: [u8; 16], symbols: &[u8], sound| {
            let table = [counts.as_slice(), symbols].concat();
            assert_eq!(Codes::new(&table).is_ok(), sound, "{counts:?}");
        };
        let counts = |one, two| std::array::from_fn(|at| [one, two].get(at).map_or(0, |c| *c));
        check(counts(1, 1), &[1, 2], true);
        check(counts(1, 1), &[1], false);
        // Codes of only ones, and more codes than there are.
        check(counts(2, 0), &[1, 2], false);
        check(counts(0, 4), &[1, 2, 3, 4], false);
        check(counts(3, 0), &[1, 2, 3], false);
        assert!(Codes::new(&[0; 15]).is_err());
        assert!(Dc::new(&[&counts(1, 0)[..], &[16]].concat()).is_err());
    }

    #[test]
    fn differences_come_out_of_short_and_long_codes() {
        // A code of one bit for 3 bits of value, one of two bits for 15.
        let counts: [u8; 16] = std::array::from_fn(|at| u8::from(at < 2));
        let table = [counts.as_slice(), &[3, 15]].concat();
        let Ok(dc) = Dc::new(&table) else {
            panic!("it is a table");
        };
        let data = [0b0101_1011, 0b1000_0000, 0b0000_1000, 0];
        let (mut feed, mut bits) = (Feed::new(Data::held(&data, 0)), Bits::default());
        feed.advance(&mut bits).expect("data");
        bits.refill(feed.window());
        assert_eq!(dc.difference(&mut bits), 5);
        assert_eq!(dc.difference(&mut bits), 0b111_0000_0000_0001);
        bits.refill(feed.window());
        assert_eq!(dc.difference(&mut bits), -7);
    }
}
