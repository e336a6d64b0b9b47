//! Progressive: means first, then the rest by components and frequencies, each scan with codes of
//! its own. All coefficients are held.

use super::{
    bits::{BLOCK, Bits},
    code::Code,
    file::{self, Scan},
    forward::{Coefficients, Quantiser},
    frame::{Component, Frame},
    sequential::difference,
    symbols::{Counted, REST, SIXTEEN, Symbols, Written, sized, symbol},
};
use crate::pixels::codec::{
    Cancel, Error,
    processor::{self, Work},
};

/// The scans behind that of the means: of which component, and what of it. That the last bit of
/// luma's many comes apart, after all else, saves 2 % of all bytes; that the first two frequencies
/// do, 1 %.
const SCANS: [(usize, Part); 7] = [
    (0, Part::new(1, 2, None, 0)),
    (1, Part::new(1, 2, None, 0)),
    (2, Part::new(1, 2, None, 0)),
    (0, Part::new(3, 63, None, 1)),
    (1, Part::new(3, 63, None, 0)),
    (2, Part::new(3, 63, None, 0)),
    (0, Part::new(3, 63, Some(1), 0)),
];

/// Bytes of a mean, at most: a code of 16 bits and a value of 11.
const MEAN: usize = 4;

/// Corrections that wait at most, for a run of blocks to end: what others' decoders have room for.
const MOST_CORRECTIONS: usize = 1000;

/// The longest run of blocks without anything.
const LONGEST_RUN: u32 = 0x7FFF;

/// What a scan has of a component: all bits, or all but the last, or the last.
#[derive(Clone, Copy)]
struct Part {
    /// The first and the last coefficient, in the file's order.
    band: (u32, u32),
    /// The lowest bit that scans before it have.
    before: Option<u32>,
    /// Its own lowest bit.
    low: u32,
}

impl Part {
    const fn new(first: u32, last: u32, before: Option<u32>, low: u32) -> Self {
        Self {
            band: (first, last),
            before,
            low,
        }
    }

    fn mask(self) -> u64 {
        let (first, last) = self.band;
        u64::MAX >> (63 - last) & u64::MAX << first
    }
}

/// Writes all scans behind `bytes`.
pub(super) fn write(
    frame: &Frame<'_>,
    quantisers: &[Quantiser; 2],
    mut bytes: Vec<u8>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let mut all = frame.room(frame.units.1);
    let mut band = Vec::new();
    for (component, all) in frame.components.iter().zip(&mut all) {
        let rows = all.chunks_mut(component.eights * component.factor);
        for (number, row) in rows.enumerate() {
            cancel.check()?;
            component.row(number, &quantisers[component.tables], &mut band, row);
            row.iter_mut().for_each(Coefficients::look);
        }
    }
    bytes = means(frame, &all, bytes);
    for (number, part) in SCANS {
        cancel.check()?;
        if let Some(component) = frame.components.get(number) {
            bytes = rest(component, &all[number], (number, part), bytes);
        }
    }
    Ok(bytes)
}

/// The scan of all means.
fn means(frame: &Frame<'_>, all: &[Vec<Coefficients>], mut bytes: Vec<u8>) -> Vec<u8> {
    let mut counted = Counted::<REST>::NONE;
    for row in 0..frame.units.1 {
        each_mean(frame, all, row, &mut counted);
    }
    let codes = counted.0.map(|counts| Code::new(&counts));
    for (table, code) in codes.iter().enumerate().take(frame.components.len()) {
        file::codes(&mut bytes, table, code);
    }
    file::scan(&mut bytes, &Scan::of_all(frame, (0, 0)));
    let mut written = Written {
        codes: &codes,
        bits: Bits::behind(bytes, frame.row_blocks() * MEAN),
    };
    for row in 0..frame.units.1 {
        each_mean(frame, all, row, &mut written);
        written.bits.settle();
    }
    written.bits.finish()
}

/// The means of a row of units. Differences begin with the first.
fn each_mean(frame: &Frame<'_>, all: &[Vec<Coefficients>], row: usize, symbols: &mut impl Symbols) {
    let mean = |(component, all): (&Component<'_>, &[Coefficients]), x: usize, y: usize| {
        let (eight, block) = component.place(x, y);
        all[eight].of(block, 0)
    };
    let parts = frame.components.iter().zip(all);
    let mut parts: Vec<_> = parts
        .map(|(component, all)| {
            // What the row before ended with.
            let last = component.factor * frame.units.0 - 1;
            let above = (row * component.factor).checked_sub(1);
            let before = above.map_or(0, |above| mean((component, all), last, above));
            (component, &all[..], before)
        })
        .collect();
    for unit in 0..frame.units.0 {
        for (component, all, before) in &mut parts {
            for down in 0..component.factor {
                for across in 0..component.factor {
                    let x = unit * component.factor + across;
                    let mean = mean((component, all), x, row * component.factor + down);
                    difference(mean, before, component.tables, symbols);
                }
            }
        }
    }
}

/// A scan of one component, its means aside.
fn rest(
    component: &Component<'_>,
    all: &[Coefficients],
    (number, part): (usize, Part),
    mut bytes: Vec<u8>,
) -> Vec<u8> {
    let mut rows = Rows::new(component, all, part);
    let mut counted = Counted::<1>::NONE;
    for y in 0..component.blocks.1 {
        counted = rows.row(y, counted);
    }
    rows.end(&mut counted);
    let codes = counted.0.map(|counts| Code::new(&counts));
    let [code] = &codes;
    file::codes(&mut bytes, REST, code);
    file::scan(
        &mut bytes,
        &Scan {
            components: vec![0],
            first: number,
            band: part.band,
            bits: (part.before.unwrap_or(0), part.low),
        },
    );
    let held = component.blocks.0 * BLOCK + MOST_CORRECTIONS;
    let mut written = Written {
        codes: &codes,
        bits: Bits::behind(bytes, held),
    };
    for y in 0..component.blocks.1 {
        written = rows.row(y, written);
        written.bits.settle();
    }
    rows.end(&mut written);
    written.bits.finish()
}

/// A walk over the blocks of a component.
struct Rows<'a> {
    component: &'a Component<'a>,
    all: &'a [Coefficients],
    part: Part,
    ends: Ends,
}

/// What is not yet written of blocks that have ended.
#[derive(Default)]
struct Ends {
    /// How many there are.
    run: u32,
    /// Bits that correct what scans before have said: theirs, and those of the block at hand.
    corrections: Vec<u8>,
    /// How many are theirs.
    ended: usize,
}

impl<'a> Rows<'a> {
    fn new(component: &'a Component<'a>, all: &'a [Coefficients], part: Part) -> Self {
        Self {
            component,
            all,
            part,
            ends: Ends::default(),
        }
    }

    /// A row of blocks.
    fn row<S: Symbols>(&mut self, y: usize, symbols: S) -> S {
        let Self {
            component,
            all,
            part,
            ends,
        } = self;
        processor::fastest(Row {
            component,
            all,
            part: *part,
            ends,
            y,
            symbols,
        })
    }

    /// At the end of the scan.
    fn end(&mut self, symbols: &mut impl Symbols) {
        self.ends.write(symbols);
    }
}

/// A row of blocks on its way to symbols.
struct Row<'a, S> {
    component: &'a Component<'a>,
    all: &'a [Coefficients],
    part: Part,
    ends: &'a mut Ends,
    y: usize,
    symbols: S,
}

impl<S: Symbols> Work for Row<'_, S> {
    type Done = S;

    #[inline(always)]
    fn run(self) -> S {
        let mut symbols = self.symbols;
        for x in 0..self.component.blocks.0 {
            let (eight, block) = self.component.place(x, self.y);
            let eight = &self.all[eight];
            match self.part.before {
                None => first(eight, block, self.part, self.ends, &mut symbols),
                Some(_) => next(eight, block, self.part, self.ends, &mut symbols),
            }
        }
        symbols
    }
}

impl Ends {
    /// A block ends without anything more.
    #[inline(always)]
    fn block(&mut self, symbols: &mut impl Symbols) {
        self.run += 1;
        self.ended = self.corrections.len();
        if self.run == LONGEST_RUN || self.ended > MOST_CORRECTIONS - 63 {
            self.write(symbols);
        }
    }

    /// Writes how many blocks have ended, and their corrections.
    #[inline(always)]
    fn write(&mut self, symbols: &mut impl Symbols) {
        if self.run == 0 {
            return;
        }
        let count = self.run.ilog2();
        let bits = self.run & ((1 << count) - 1);
        symbols.put(0, symbol(count, 0), bits, count);
        self.run = 0;
        if self.ended > 0 {
            correct(&self.corrections[..self.ended], symbols);
            self.corrections.drain(..self.ended);
            self.ended = 0;
        }
    }

    /// Writes the corrections of the block at hand.
    #[inline(always)]
    fn correct_block(&mut self, symbols: &mut impl Symbols) {
        correct(&self.corrections[self.ended..], symbols);
        self.corrections.truncate(self.ended);
    }
}

#[inline(always)]
fn correct(corrections: &[u8], symbols: &mut impl Symbols) {
    for bit in corrections {
        symbols.bits((*bit).into(), 1);
    }
}

/// The first bits of a block's coefficients.
#[inline(always)]
fn first(
    eight: &Coefficients,
    block: usize,
    part: Part,
    ends: &mut Ends,
    symbols: &mut impl Symbols,
) {
    let present = match part.low {
        0 => eight.present(block),
        _ => eight.large(block),
    };
    let mut left = present & part.mask();
    let mut next = part.band.0;
    while left != 0 {
        let number = left.trailing_zeros();
        left &= left - 1;
        let value = eight.of(block, number);
        // Towards zero.
        let value = value / (1 << part.low);
        ends.write(symbols);
        let mut run = number - next;
        while run > 15 {
            symbols.put(0, SIXTEEN, 0, 0);
            run -= 16;
        }
        let (count, bits) = sized(value);
        symbols.put(0, symbol(run, count), bits, count);
        next = number + 1;
    }
    if next <= part.band.1 {
        ends.block(symbols);
    }
}

/// The next bit of a block's coefficients.
#[inline(always)]
fn next(
    eight: &Coefficients,
    block: usize,
    part: Part,
    ends: &mut Ends,
    symbols: &mut impl Symbols,
) {
    let mut left = eight.present(block) & part.mask();
    let new = left & !eight.large(block);
    // Zeros since the last symbol, and up to where they are counted.
    let (mut run, mut counted) = (0, part.band.0);
    while left != 0 {
        let number = left.trailing_zeros();
        let ahead = left;
        left &= left - 1;
        run += number - counted;
        // Where nothing new follows, the end of the block says it all.
        while run > 15 && ahead & new != 0 {
            ends.write(symbols);
            symbols.put(0, SIXTEEN, 0, 0);
            ends.correct_block(symbols);
            run -= 16;
        }
        counted = number + 1;
        let value = eight.of(block, number);
        if new >> number & 1 == 0 {
            ends.corrections.push(u8::from(value & 1 == 1));
            continue;
        }
        ends.write(symbols);
        symbols.put(0, symbol(run, 1), u32::from(value > 0), 1);
        ends.correct_block(symbols);
        run = 0;
    }
    if run + part.band.1 + 1 > counted || ends.corrections.len() > ends.ended {
        ends.block(symbols);
    }
}
