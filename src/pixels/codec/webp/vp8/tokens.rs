//! Coefficients on their way to the file: kept in a byte or three each until all chances are known,
//! counted, and written.

use std::collections::VecDeque;

use super::{
    bits::Writer,
    cost::{self, EXTRA, EXTRA_FROM, LARGE, NO_MORE, SYMBOL, SYMBOLS},
    tables::{BANDS, Chances, INITIAL_CHANCES, RENEWAL_CHANCES},
};

/// Kinds of blocks, by the numbers that the format gives them.
pub(super) const REST: usize = 0;
pub(super) const MEANS: usize = 1;
pub(super) const COLOUR: usize = 2;
pub(super) const SMALL: usize = 3;

/// Blocks of luma, four of each colour difference, and the means.
pub(super) const BLOCKS: usize = 25;
/// Bytes that the coefficients of a block of 16×16 take at most: each up to three, and how many
/// there are.
const LARGEST_RECORD: usize = BLOCKS * (1 + 16 * 3);
/// Bytes that are held together; each is freed when it is written.
const PAGE: usize = 32 << 10;
/// Stands before a value that a byte cannot hold.
const WIDE: i8 = i8::MIN;

/// Which blocks above and to the left have coefficients: four of luma, two of each colour
/// difference, and the means.
#[derive(Clone, Copy, Default)]
pub(super) struct Near(pub(super) [u8; 9]);

/// All coefficients of a block of 16×16, in the order of coding.
#[derive(Clone)]
pub(super) struct Values {
    /// Where luma is predicted whole.
    pub(super) means: [i16; 16],
    pub(super) luma: [[i16; 16]; 16],
    /// Four of blue, four of red.
    pub(super) colour: [[i16; 16]; 8],
}

impl Values {
    pub(super) const ZERO: Self = Self {
        means: [0; 16],
        luma: [[0; 16]; 16],
        colour: [[0; 16]; 8],
    };
}

/// How often each symbol came: by kind, band and neighbourhood. The fourth neighbourhood is that
/// behind a zero, where it cannot be that no more follow.
type Counts = [[[[u32; SYMBOLS]; 4]; 8]; 4];

/// Coefficients that are kept.
pub(super) struct Kept {
    pages: VecDeque<Vec<u8>>,
    counts: Box<Counts>,
}

impl Kept {
    pub(super) fn new() -> Self {
        Self {
            pages: VecDeque::new(),
            counts: Box::new([[[[0; SYMBOLS]; 4]; 8]; 4]),
        }
    }

    /// Keeps a block of 16×16; `whole`: luma is predicted whole. Says whether there is anything:
    /// where there is not, nothing is kept.
    #[inline(always)]
    pub(super) fn keep(
        &mut self,
        values: &Values,
        whole: bool,
        above: &mut Near,
        left: &mut Near,
    ) -> bool {
        if is_empty(values, whole) {
            pass(whole, above, left);
            return false;
        }
        let full = |page: &Vec<u8>| page.len() + LARGEST_RECORD > PAGE;
        if self.pages.back().is_none_or(full) {
            self.pages.push_back(Vec::with_capacity(PAGE));
        }
        let Some(page) = self.pages.back_mut() else {
            return false;
        };
        let counts = &mut *self.counts;
        each(whole, above, left, |kind, first, number, near| {
            let values = match kind {
                MEANS => &values.means,
                COLOUR => &values.colour[number],
                _ => &values.luma[number],
            };
            keep_block(page, &mut counts[kind], values, first, near)
        });
        true
    }

    /// The chances that are the cheapest for what was counted so far.
    pub(super) fn chances(&self) -> Chances {
        let mut chances = INITIAL_CHANCES;
        for (kind, bands) in chances.iter_mut().enumerate() {
            for (band, nears) in bands.iter_mut().enumerate() {
                for (near, chances) in nears.iter_mut().enumerate() {
                    let counts = &self.counts[kind][band];
                    let behind = if near == 0 { counts[3] } else { [0; SYMBOLS] };
                    let renewal = &RENEWAL_CHANCES[kind][band][near];
                    renew(chances, &branches(&counts[near], &behind), renewal);
                }
            }
        }
        chances
    }

    /// Writes it all; `blocks`: of each block of 16×16 in order, whether luma is whole, and whether
    /// it has coefficients; `across` of them are in a row.
    pub(super) fn write(
        mut self,
        writer: &mut Writer<'_>,
        chances: &Chances,
        blocks: impl Iterator<Item = (bool, bool)>,
        across: usize,
    ) {
        let mut above = vec![Near::default(); across];
        let mut left = Near::default();
        let mut record = Record::default();
        for (number, (whole, some)) in blocks.enumerate() {
            let column = number % across;
            if column == 0 {
                left = Near::default();
            }
            if !some {
                pass(whole, &mut above[column], &mut left);
                continue;
            }
            if record.at == record.page.len() {
                let page = self.pages.pop_front().unwrap_or_default();
                record = Record { page, at: 0 };
            }
            each(
                whole,
                &mut above[column],
                &mut left,
                |kind, first, _, near| {
                    write_block(writer, &chances[kind], &mut record, first, near)
                },
            );
        }
    }
}

/// Where kept coefficients are read.
#[derive(Default)]
struct Record {
    page: Vec<u8>,
    at: usize,
}

impl Record {
    #[inline(always)]
    fn next(&mut self) -> u8 {
        let byte = self.page.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        byte
    }
}

fn is_empty(values: &Values, whole: bool) -> bool {
    let mut any = 0;
    for value in values.luma.iter().chain(&values.colour).flatten() {
        any |= value;
    }
    if whole {
        for value in values.means {
            any |= value;
        }
    }
    any == 0
}

/// A block of 16×16 without coefficients. It has no means where luma is not whole, and leaves
/// what was said of means.
fn pass(whole: bool, above: &mut Near, left: &mut Near) {
    for near in [above, left] {
        let means = near.0[8];
        *near = Near::default();
        if !whole {
            near.0[8] = means;
        }
    }
}

/// Calls for each block in order with its kind, the number of its first coefficient, its own number
/// and its neighbourhood; it says whether the block has coefficients.
#[inline(always)]
fn each(
    whole: bool,
    above: &mut Near,
    left: &mut Near,
    mut block: impl FnMut(usize, usize, usize, usize) -> bool,
) {
    let (above, left) = (&mut above.0, &mut left.0);
    let mut visit = |kind: usize, first, number, across: usize, down: usize| {
        let near = usize::from(above[across] + left[down]);
        let some = u8::from(block(kind, first, number, near));
        (above[across], left[down]) = (some, some);
    };
    let (kind, first) = if whole {
        visit(MEANS, 0, 0, 8, 8);
        (REST, 1)
    } else {
        (SMALL, 0)
    };
    for number in 0..16 {
        visit(kind, first, number, number % 4, number / 4);
    }
    for number in 0..8 {
        let base = 4 + number / 4 * 2;
        visit(COLOUR, 0, number, base + number % 2, base + number % 4 / 2);
    }
}

#[inline(always)]
fn keep_block(
    page: &mut Vec<u8>,
    counts: &mut [[[u32; SYMBOLS]; 4]; 8],
    values: &[i16; 16],
    first: usize,
    near: usize,
) -> bool {
    let end = cost::last(values, first).map_or(first, |last| last + 1);
    page.push(end as u8);
    let mut near = near;
    for number in first..end {
        let value = values[number];
        match i8::try_from(value) {
            Ok(byte) if byte != WIDE => page.push(byte as u8),
            _ => {
                page.push(WIDE as u8);
                page.extend_from_slice(&value.to_le_bytes());
            }
        }
        let size = value.unsigned_abs();
        let symbol = SYMBOL[usize::from(size).min(LARGE)];
        counts[usize::from(BANDS[number])][near][usize::from(symbol)] += 1;
        near = if size == 0 {
            3
        } else {
            cost::neighbourhood(size)
        };
    }
    if end < 16 {
        counts[usize::from(BANDS[end])][near][NO_MORE] += 1;
    }
    end > first
}

#[inline(always)]
fn write_block(
    writer: &mut Writer<'_>,
    chances: &[[[u8; 11]; 3]; 8],
    record: &mut Record,
    first: usize,
    near: usize,
) -> bool {
    let end = usize::from(record.next());
    let mut p = &chances[usize::from(BANDS[first])][near];
    let mut said = true;
    for number in first..end {
        let byte = record.next() as i8;
        let value = if byte == WIDE {
            i16::from_le_bytes([record.next(), record.next()])
        } else {
            i16::from(byte)
        };
        if said {
            writer.put(true, p[0]);
        }
        let size = value.unsigned_abs();
        write_size(writer, p, size);
        said = size != 0;
        if said {
            writer.put(value < 0, 128);
        }
        p = &chances[usize::from(BANDS[number + 1])][cost::neighbourhood(size)];
    }
    if end < 16 {
        writer.put(false, p[0]);
    }
    end > first
}

/// The size of a value: which range, and where in it.
#[inline(always)]
fn write_size(writer: &mut Writer<'_>, p: &[u8; 11], size: u16) {
    writer.put(size > 0, p[1]);
    if size == 0 {
        return;
    }
    writer.put(size > 1, p[2]);
    if size == 1 {
        return;
    }
    writer.put(size > 4, p[3]);
    if size <= 4 {
        writer.put(size > 2, p[4]);
        if size > 2 {
            writer.put(size > 3, p[5]);
        }
        return;
    }
    write_large(writer, p, size);
}

#[inline(never)]
fn write_large(writer: &mut Writer<'_>, p: &[u8; 11], size: u16) {
    let range = usize::from(SYMBOL[usize::from(size).min(LARGE)]) - 5;
    writer.put(range > 1, p[6]);
    match range {
        0 | 1 => writer.put(range > 0, p[7]),
        _ => {
            writer.put(range > 3, p[8]);
            writer.put(range % 2 == 1, p[9 + (range - 2) / 2]);
        }
    }
    let chances = EXTRA[range];
    let rest = size - EXTRA_FROM[range];
    for (bit, chance) in (0..chances.len()).rev().zip(chances) {
        writer.put(rest >> bit & 1 == 1, *chance);
    }
}

/// How often each branch of the tree was not taken, and taken.
fn branches(counts: &[u32; SYMBOLS], behind: &[u32; SYMBOLS]) -> [[u32; 2]; 11] {
    let of = |symbol: usize| counts[symbol] + behind[symbol];
    let sum = |symbols: std::ops::RangeInclusive<usize>| symbols.map(of).sum::<u32>();
    let more = counts[..NO_MORE].iter().sum();
    [
        [counts[NO_MORE], more],
        [of(0), sum(1..=10)],
        [of(1), sum(2..=10)],
        [sum(2..=4), sum(5..=10)],
        [of(2), sum(3..=4)],
        [of(3), of(4)],
        [sum(5..=6), sum(7..=10)],
        [of(5), of(6)],
        [sum(7..=8), sum(9..=10)],
        [of(7), of(8)],
        [of(9), of(10)],
    ]
}

/// Takes a new chance where it saves more than it costs to tell.
fn renew(chances: &mut [u8; 11], branches: &[[u32; 2]; 11], renewal: &[u8; 11]) {
    for ((chance, [no, yes]), renewal) in chances.iter_mut().zip(branches).zip(renewal) {
        let (no, yes) = (u64::from(*no), u64::from(*yes));
        if no + yes == 0 {
            continue;
        }
        let new = ((no * 512 + no + yes) / (2 * (no + yes))).clamp(1, 255) as u8;
        let cost = |chance| {
            no * u64::from(cost::choice(false, chance))
                + yes * u64::from(cost::choice(true, chance))
        };
        let tell = 8 * 256 + u64::from(cost::choice(true, *renewal));
        if cost(new) + tell < cost(*chance) + u64::from(cost::choice(false, *renewal)) {
            *chance = new;
        }
    }
}
