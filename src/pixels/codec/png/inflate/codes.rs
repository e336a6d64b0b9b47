//! Tables that say what the next bits of a stream mean.

use super::Damaged;

/// Bits that the table of literals and lengths is looked up by. Two literals that fit into them
/// together are found at once.
pub(super) const LITERAL_BITS: u32 = 12;

/// Bits that the table of distances is looked up by.
pub(super) const DISTANCE_BITS: u32 = 9;

/// Bits of the longest code for a length.
pub(super) const LENGTH_BITS: u32 = 7;

/// Bytes that the tables hold at most: those below are never larger than the first ones.
pub(super) const HELD: usize = 2 * 4 * (LITERALS + DISTANCES);

const LITERALS: usize = 1 << LITERAL_BITS;
const DISTANCES: usize = 1 << DISTANCE_BITS;

/// Bits of the longest code.
const LONGEST: usize = 15;

/// What an entry of a table means.
///
/// The lowest eight bits are how many to skip. Of a literal, the next sixteen are one byte or two,
/// and two bits say how many; of a length or distance, the next four are the bits of the code
/// alone, and fifteen from the sixteenth on are the least value. 0 is a code of nothing.
pub(super) mod entry {
    /// Literals.
    pub(in super::super) const LITERAL: u32 = 1 << 31;
    /// The code is longer than the table is wide: there is another table below this one. Its place
    /// stands where the least value would, and its bits where those of the code would.
    pub(in super::super) const BELOW: u32 = 1 << 15;
    /// The end, or nothing.
    pub(in super::super) const SPECIAL: u32 = 1 << 14;
    /// The end of a block.
    pub(in super::super) const END: u32 = 1 << 13;
}

/// The codes of a block.
pub(super) struct Codes {
    /// Tables below stand behind the first `LITERALS`.
    literals: Vec<u32>,
    distances: Vec<u32>,
    fixed: bool,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            literals: vec![0; LITERALS],
            distances: vec![0; DISTANCES],
            fixed: false,
        }
    }
}

impl Codes {
    /// By the first bits of a code.
    #[inline(always)]
    pub(super) fn literals(&self) -> &[u32; LITERALS] {
        self.literals.first_chunk().unwrap_or(&[0; LITERALS])
    }

    /// By the first bits of a code.
    #[inline(always)]
    pub(super) fn distances(&self) -> &[u32; DISTANCES] {
        self.distances.first_chunk().unwrap_or(&[0; DISTANCES])
    }

    /// What a code means that is longer than its table is wide.
    #[inline]
    pub(super) fn below_literals(&self, found: u32, rest: u64) -> u32 {
        below(&self.literals, found, rest)
    }

    /// As [`Codes::below_literals`], of distances.
    #[inline]
    pub(super) fn below_distances(&self, found: u32, rest: u64) -> u32 {
        below(&self.distances, found, rest)
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
        if literals.get(256).is_none_or(|length| *length == 0) {
            return Err(Damaged("no code for the end of a block"));
        }
        let sorted = Sorted::new(literals);
        if !sorted.is_complete() {
            return Err(Damaged("the codes of literals"));
        }
        sorted.fill(&mut self.literals, LITERAL_BITS, literal, true);
        let sorted = Sorted::new(distances);
        // A picture without a match needs no distance, and one distance alone still has a bit.
        let few = sorted.used <= 1 && sorted.counts[2..].iter().all(|count| *count == 0);
        if !sorted.is_complete() && !few {
            return Err(Damaged("the codes of distances"));
        }
        sorted.fill(&mut self.distances, DISTANCE_BITS, distance, false);
        Ok(())
    }
}

/// The codes for lengths of codes: which length, and how many bits say so.
pub(super) fn lengths(lengths: &[u8; 19]) -> Result<[(u8, u32); 1 << LENGTH_BITS], Damaged> {
    let sorted = Sorted::new(lengths);
    if !sorted.is_complete() {
        return Err(Damaged("the codes of lengths"));
    }
    let mut table = vec![0; 1 << LENGTH_BITS];
    sorted.fill(
        &mut table,
        LENGTH_BITS,
        |symbol| entry::LITERAL | symbol << 8,
        false,
    );
    let mut found = [(0, 0); 1 << LENGTH_BITS];
    for (found, entry) in found.iter_mut().zip(table) {
        let [bits, symbol, ..] = entry.to_le_bytes();
        *found = (symbol, bits.into());
    }
    Ok(found)
}

#[inline]
fn below(table: &[u32], found: u32, rest: u64) -> u32 {
    let mask = (1 << (found >> 8 & 0xF)) - 1;
    let place = (found >> 16 & 0x7FFF) as usize + (rest & mask) as usize;
    table.get(place).copied().unwrap_or(entry::SPECIAL)
}

/// What a symbol means, without the bits of its code.
fn literal(symbol: u32) -> u32 {
    match symbol {
        0..256 => entry::LITERAL | 1 << 24 | symbol << 8,
        256 => entry::SPECIAL | entry::END,
        257..265 => (symbol - 254) << 16,
        265..285 => {
            let extra = (symbol - 261) / 4;
            let least = 3 + ((4 + (symbol - 261) % 4) << extra);
            least << 16 | extra
        }
        285 => 258 << 16,
        _ => entry::SPECIAL,
    }
}

/// As [`literal`], of distances.
fn distance(symbol: u32) -> u32 {
    match symbol {
        0..4 => (symbol + 1) << 16,
        4..30 => {
            let extra = symbol / 2 - 1;
            let least = 1 + ((2 + symbol % 2) << extra);
            least << 16 | extra
        }
        _ => 0,
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

    /// Fills a table. It grows with the length of the codes, twice as long each time: what a code
    /// says is so whatever the bits behind it are.
    fn fill(&self, table: &mut Vec<u32>, bits: u32, meaning: impl Fn(u32) -> u32, pairs: bool) {
        table.clear();
        table.push(0);
        let mut code = Code(0);
        let mut symbols = self.symbols.as_slice();
        let mut singles = pairs.then_some(Singles::NONE);
        for length in 1..=bits {
            table.extend_from_within(..);
            for symbol in self.of(length, &mut symbols) {
                let meant = with_code(meaning((*symbol).into()), length);
                table[code.0] = meant;
                if let Some(singles) = &mut singles
                    && meant & entry::LITERAL != 0
                {
                    singles.push(length, code.0, meant);
                }
                code.advance(length);
            }
            if let Some(singles) = &mut singles {
                singles.pair(length, table);
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
                    let place = table.len();
                    table[first] = entry::BELOW | (place as u32) << 16 | width << 8;
                    table.resize(place + (1 << width), 0);
                }
                let start = table.len() - (1 << width);
                let meant = with_code(meaning((*symbol).into()), length);
                let alike = table[start..].iter_mut().skip(code.0 >> bits);
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
    match meant {
        0 => 0,
        _ if meant & entry::LITERAL != 0 => meant + length,
        _ => meant + length + (length << 8),
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

/// Literals by the length of their codes, as far as the table goes.
struct Singles {
    /// Codes and what they mean.
    all: [(u16, u32); 256],
    /// Where those of each length end.
    ends: [usize; LITERAL_BITS as usize + 1],
}

impl Singles {
    const NONE: Self = Self {
        all: [(0, 0); 256],
        ends: [0; LITERAL_BITS as usize + 1],
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
                let meant = entry::LITERAL | 2 << 24 | meant & 0xFF00 | length as u32;
                for (next, other) in of(second) {
                    let place = usize::from(*code) | usize::from(*next) << first;
                    table[place] = meant | (other & 0xFF00) << 8;
                }
            }
        }
    }
}
