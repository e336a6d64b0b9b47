//! Tables that say what the next bits of a stream mean.

use super::{Damaged, input::zeros};

/// Bits that the table of literals and lengths is looked up by. Two literals that fit into them
/// together are found at once.
pub(super) const BITS: u32 = 12;

/// Bits that the table of distances is looked up by: fewer, for it is in the cache beside the other.
pub(super) const DISTANCE_BITS: u32 = 10;

/// Bits of the longest code for a length.
pub(super) const LENGTH_BITS: u32 = 7;

/// Bytes that the tables hold at most.
pub(super) const HELD: usize = size_of::<Table>() + size_of::<u32>() * BELOW;

/// Entries of tables below, at most: each of these is for two codes at least, or there would be no
/// need for it, and as wide as the longest code.
const BELOW: usize = {
    let literals = (288 / 2) << (LONGEST - BITS as usize);
    let distances = (32 / 2) << (LONGEST - DISTANCE_BITS as usize);
    literals + distances
};

/// Codes by their first bits: of literals and lengths in the first half, of distances where the
/// second begins.
pub(super) type Table = [u32; 2 << BITS];

/// Bits of the longest code.
const LONGEST: usize = 15;

/// What an entry of a table means.
///
/// The lowest six bits are how many to skip, and the highest two how many literals there are. But
/// where a length stands, both are 0: who has no use for one goes on by nothing, without asking.
pub(super) mod entry {
    use super::BITS;

    /// Bits to skip, but of a length.
    pub(in super::super) const SKIP: u32 = 0x3F;
    /// Where the bits to skip of a length stand. Literals have none there.
    pub(in super::super) const LENGTH_SKIP: u32 = 6;
    /// Where the bits of the code alone stand: four, of a length the others.
    pub(in super::super) const CODE: u32 = 6;
    pub(in super::super) const LENGTH_CODE: u32 = 22;
    /// No distance that can simply be skipped.
    pub(in super::super) const STOP: u32 = 1 << 11;
    /// A length. Its distance comes next: this bit is where the second half of the table begins.
    pub(in super::super) const LENGTH: u32 = 1 << BITS;
    /// Where the bytes of literals stand, sixteen bits, or the least value: of a length nine, of a
    /// distance fifteen.
    pub(in super::super) const VALUE: u32 = BITS + 1;
    /// The end of a block.
    pub(in super::super) const END: u32 = 1 << 27;
    /// The code is longer than the table is wide: there is another table below this one. Its place
    /// stands where the value would, and its bits where those of the code would.
    pub(in super::super) const BELOW: u32 = 1 << 28;
    /// Nothing that can simply be skipped: a table below, the end, or no code.
    pub(in super::super) const SPECIAL: u32 = 1 << 29;
    /// Where it stands how many literals there are.
    pub(in super::super) const COUNT: u32 = 30;
    /// A literal.
    pub(in super::super) const ONE: u32 = 1 << COUNT;
}

/// The codes of a block.
pub(super) struct Codes {
    table: Box<Table>,
    /// The tables below, one behind the other.
    below: Vec<u32>,
    fixed: bool,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            table: zeros(),
            below: Vec::with_capacity(BELOW),
            fixed: false,
        }
    }
}

impl Codes {
    #[inline(always)]
    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// What the next code of a literal or length means, however long it is.
    #[inline(always)]
    pub(super) fn first(&self, held: u64) -> u32 {
        let found = self.table[held as usize & ((1 << BITS) - 1)];
        if found & entry::SPECIAL == 0 {
            return found;
        }
        self.beyond(found, held >> BITS)
    }

    /// As [`Codes::first`], of a distance.
    #[inline(always)]
    pub(super) fn second(&self, held: u64) -> u32 {
        let place = held as usize & ((1 << DISTANCE_BITS) - 1) | entry::LENGTH as usize;
        let found = self.table[place];
        if found & entry::SPECIAL == 0 {
            return found;
        }
        self.beyond(found, held >> DISTANCE_BITS)
    }

    /// What a special entry means if its code is longer than the table is wide: `rest` are the bits
    /// behind those that it was looked up by.
    #[cold]
    #[inline(never)]
    pub(super) fn beyond(&self, found: u32, rest: u64) -> u32 {
        if found & entry::BELOW == 0 {
            return found;
        }
        let mask = (1 << (found >> entry::CODE & 0xF)) - 1;
        let place = (found >> entry::VALUE & 0x3FFF) as usize + (rest & mask) as usize;
        self.below.get(place).copied().unwrap_or(entry::SPECIAL)
    }

    /// The codes that need no description.
    pub(super) fn fix(&mut self) {
        if self.fixed {
            return;
        }
        let mut literals = [8; 288];
        literals[144..256].fill(9);
        literals[256..280].fill(7);
        // Both are complete, so nothing can be wrong with them.
        let found = self.describe(&literals, &[5; 32]);
        self.fixed = found.is_ok();
    }

    /// The codes of these lengths.
    pub(super) fn describe(&mut self, literals: &[u8], distances: &[u8]) -> Result<(), Damaged> {
        self.fixed = false;
        self.below.clear();
        if literals.get(256).is_none_or(|length| *length == 0) {
            return Err(Damaged("no code for the end of a block"));
        }
        let (first, second) = self.table.split_at_mut(1 << BITS);
        let sorted = Sorted::new(literals);
        if !sorted.is_complete() {
            return Err(Damaged("the codes of literals"));
        }
        let mut singles = Singles::NONE;
        let pairs = Some(&mut singles);
        sorted.fill(first, &mut self.below, literal, entry::SPECIAL, pairs);
        let sorted = Sorted::new(distances);
        // A picture without a match needs no distance, and one distance alone still has a bit.
        let few = sorted.used <= 1 && sorted.counts[2..].iter().all(|count| *count == 0);
        if !sorted.is_complete() && !few {
            return Err(Damaged("the codes of distances"));
        }
        let second = &mut second[..1 << DISTANCE_BITS];
        sorted.fill(second, &mut self.below, distance, NO_DISTANCE, None);
        Ok(())
    }
}

/// A code of no distance.
const NO_DISTANCE: u32 = entry::SPECIAL | entry::STOP;

/// The codes for lengths of codes: which length, and how many bits say so.
pub(super) fn lengths(lengths: &[u8; 19]) -> Result<[(u8, u32); 1 << LENGTH_BITS], Damaged> {
    let sorted = Sorted::new(lengths);
    if !sorted.is_complete() {
        return Err(Damaged("the codes of lengths"));
    }
    let mut table = [0; 1 << LENGTH_BITS];
    let meaning = |symbol| entry::ONE | symbol << entry::VALUE;
    sorted.fill(&mut table, &mut Vec::new(), meaning, entry::SPECIAL, None);
    Ok(table.map(|entry| ((entry >> entry::VALUE) as u8, entry & entry::SKIP)))
}

/// What a symbol means, without the bits of its code.
fn literal(symbol: u32) -> u32 {
    let length = |least: u32, extra: u32| {
        entry::LENGTH | least << entry::VALUE | extra << entry::LENGTH_SKIP
    };
    match symbol {
        0..256 => entry::ONE | symbol << entry::VALUE,
        256 => entry::SPECIAL | entry::END,
        257..265 => length(symbol - 254, 0),
        265..285 => {
            let extra = (symbol - 261) / 4;
            length(3 + ((4 + (symbol - 261) % 4) << extra), extra)
        }
        285 => length(258, 0),
        _ => entry::SPECIAL,
    }
}

/// As [`literal`], of distances.
fn distance(symbol: u32) -> u32 {
    match symbol {
        0..4 => (symbol + 1) << entry::VALUE,
        4..30 => {
            let extra = symbol / 2 - 1;
            let least = 1 + ((2 + symbol % 2) << extra);
            least << entry::VALUE | extra
        }
        _ => NO_DISTANCE,
    }
}

/// Symbols by the length of their codes, which is the order of the codes.
struct Sorted {
    /// Symbols of each length.
    counts: [u16; LONGEST + 1],
    symbols: [u16; 288],
    used: usize,
}

impl Sorted {
    /// Of at most 288 symbols; those of no length have no code.
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0; LONGEST + 1];
        for length in lengths {
            counts[usize::from(*length) & LONGEST] += 1;
        }
        counts[0] = 0;
        let mut places = [0; LONGEST + 1];
        for length in 1..=LONGEST {
            places[length] = places[length - 1] + usize::from(counts[length - 1]);
        }
        let mut symbols = [0; 288];
        for (symbol, length) in (0..).zip(lengths).filter(|(_, length)| **length > 0) {
            let place = &mut places[usize::from(*length) & LONGEST];
            if let Some(slot) = symbols.get_mut(*place) {
                *slot = symbol;
            }
            *place += 1;
        }
        Self {
            counts,
            symbols,
            used: counts.iter().copied().map(usize::from).sum(),
        }
    }

    /// Whether every sequence of bits is a code, and none is two.
    fn is_complete(&self) -> bool {
        let parts =
            (1..=LONGEST).map(|length| usize::from(self.counts[length]) << (LONGEST - length));
        parts.sum::<usize>() == 1 << LONGEST
    }

    /// Fills a table, and adds those below it. It is known for codes of one bit, then of two, and
    /// twice as many entries each time: what a code says is so whatever the bits behind it are.
    /// Literals are put together in pairs where there is room for `singles`.
    fn fill(
        &self,
        table: &mut [u32],
        below: &mut Vec<u32>,
        meaning: impl Fn(u32) -> u32,
        nothing: u32,
        mut singles: Option<&mut Singles>,
    ) {
        let bits = table.len().ilog2();
        table[0] = nothing;
        let mut code = Code(0);
        let mut symbols = self.symbols.as_slice();
        for length in 1..=bits {
            let known = 1 << (length - 1);
            table.copy_within(..known, known);
            for symbol in self.of(length, &mut symbols) {
                let meant = with_code(meaning((*symbol).into()), length);
                table[code.0] = meant;
                if let Some(singles) = &mut singles
                    && meant >= entry::ONE
                {
                    singles.push(length, code.0, meant);
                }
                code.advance(length);
            }
            if let Some(singles) = &mut singles {
                singles.pair(length, &mut table[..2 * known]);
            }
        }
        // Tables below are all as wide as the longest code needs.
        let width = LONGEST as u32 - bits;
        let mut last = None;
        for length in bits + 1..=LONGEST as u32 {
            for symbol in self.of(length, &mut symbols) {
                let first = code.0 & ((1 << bits) - 1);
                if last != Some(first) {
                    last = Some(first);
                    let place = below.len();
                    let there = (place as u32) << entry::VALUE | width << entry::CODE;
                    table[first] = entry::BELOW | there | nothing;
                    below.resize(place + (1 << width), nothing);
                }
                let start = below.len() - (1 << width);
                let meant = with_code(meaning((*symbol).into()), length);
                let alike = below[start..].iter_mut().skip(code.0 >> bits);
                for entry in alike.step_by(1 << (length - bits)) {
                    *entry = meant;
                }
                code.advance(length);
            }
        }
    }

    /// The symbols whose codes have so many bits: the next ones.
    fn of<'a>(&self, length: u32, rest: &mut &'a [u16]) -> &'a [u16] {
        let count = usize::from(self.counts[length as usize]);
        let (symbols, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        *rest = after;
        symbols
    }
}

/// A meaning with the bits of its code.
const fn with_code(meant: u32, length: u32) -> u32 {
    if meant & entry::SPECIAL != 0 {
        meant | length << entry::CODE
    } else if meant >= entry::ONE {
        meant + length
    } else if meant & entry::LENGTH != 0 {
        meant + (length << entry::LENGTH_SKIP) + (length << entry::LENGTH_CODE)
    } else {
        meant + length + (length << entry::CODE)
    }
}

/// A code as it stands in the stream, the first bit lowest.
struct Code(usize);

impl Code {
    /// The next one of so many bits. The last stays what it is.
    fn advance(&mut self, bits: u32) {
        // Counting from the top: the highest zero becomes a one, and the ones above it zeros.
        let unset = !self.0 & ((1 << bits) - 1);
        if let Some(highest) = unset.checked_ilog2() {
            self.0 = self.0 & ((1 << highest) - 1) | 1 << highest;
        }
    }
}

/// The byte of a literal in its entry.
const BYTE: u32 = 0xFF << entry::VALUE;

/// Literals by the length of their codes, as far as the table goes.
struct Singles {
    /// Codes and what they mean.
    all: [(u16, u32); 256],
    /// Where those of each length end.
    ends: [usize; BITS as usize + 1],
}

impl Singles {
    const NONE: Self = Self {
        all: [(0, 0); 256],
        ends: [0; BITS as usize + 1],
    };

    /// Adds those of a length, after those of all shorter ones.
    fn push(&mut self, length: u32, code: usize, meant: u32) {
        let end = &mut self.ends[length as usize];
        if let Some(single) = self.all.get_mut(*end) {
            *single = (u16::try_from(code).unwrap_or(0), meant);
            *end += 1;
        }
    }

    /// Puts two literals where so many bits are both of their codes.
    fn pair(&mut self, length: u32, table: &mut [u32]) {
        let length = length as usize;
        if let Some(next) = self.ends.get(length).copied() {
            // Where the next length begins.
            self.ends[length + 1..].fill(next);
        }
        let of = |length: usize| &self.all[self.ends[length - 1]..self.ends[length]];
        for first in 1..length {
            let second = length - first;
            for (code, meant) in of(first) {
                let meant = meant & BYTE | (2 * entry::ONE) | length as u32;
                for (next, other) in of(second) {
                    let place = usize::from(*code) | usize::from(*next) << first;
                    table[place] = meant | (other & BYTE) << 8;
                }
            }
        }
    }
}
