//! Baseline: one scan of all components, each block whole. A row of units is held at a time.

use super::{
    bits::{BLOCK, Bits},
    code::{Code, Counts},
    forward::{Coefficients, Quantiser},
    frame::Frame,
    symbols::{Counted, END, REST, SIXTEEN, Symbols, TABLES, Written, sized, symbol},
};
use crate::pixels::codec::{
    Cancel, Error,
    processor::{self, Work},
};

/// Rows of units that are looked at, to make codes for all. Of more rows than this, some stand for
/// the others.
const SAMPLED: usize = 6;

/// Bits of the largest coefficient, and of the largest difference of means.
const LARGEST: u32 = 10;
const LARGEST_MEAN: u8 = 11;

/// Makes codes for the picture.
pub(super) fn codes(
    frame: &Frame<'_>,
    quantisers: &[Quantiser; 2],
    cancel: &Cancel,
) -> Result<[Code; TABLES], Error> {
    let step = frame.units.1.div_ceil(SAMPLED);
    let mut counted = Counted::<TABLES>::NONE;
    let mut walk = Walk::new(frame, quantisers);
    for number in (0..frame.units.1).step_by(step) {
        cancel.check()?;
        counted = walk.row(number, counted);
    }
    if step > 1 {
        for (table, counts) in counted.0.iter_mut().enumerate() {
            allow_all(table, counts);
        }
    }
    Ok(counted.0.map(|counts| Code::new(&counts)))
}

/// What did not come may come.
fn allow_all(table: usize, counts: &mut Counts) {
    let mut allow = |symbol: u8| {
        let count = &mut counts[usize::from(symbol)];
        *count = (*count * 4).max(1);
    };
    if table < REST {
        (0..=LARGEST_MEAN).for_each(allow);
        return;
    }
    allow(END);
    allow(SIXTEEN);
    for run in 0..16 {
        for count in 1..=LARGEST {
            allow(symbol(run, count));
        }
    }
}

/// Writes the data of the scan behind `bytes`.
pub(super) fn write(
    frame: &Frame<'_>,
    quantisers: &[Quantiser; 2],
    codes: &[Code; TABLES],
    bytes: Vec<u8>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let bits = Bits::behind(bytes, frame.row_blocks() * BLOCK);
    let mut written = Written { codes, bits };
    let mut walk = Walk::new(frame, quantisers);
    for number in 0..frame.units.1 {
        cancel.check()?;
        written = walk.row(number, written);
        written.bits.settle();
    }
    Ok(written.bits.finish())
}

/// A walk over the picture.
struct Walk<'a> {
    frame: &'a Frame<'a>,
    quantisers: &'a [Quantiser; 2],
    /// Of a row of units, by component.
    row: Vec<Vec<Coefficients>>,
    band: Vec<u8>,
    means: [i32; 3],
}

impl<'a> Walk<'a> {
    fn new(frame: &'a Frame<'a>, quantisers: &'a [Quantiser; 2]) -> Self {
        Self {
            frame,
            quantisers,
            row: frame.room(1),
            band: Vec::new(),
            means: [0; 3],
        }
    }

    /// A row of units. Whoever takes the symbols is taken along and given back, which lets it stay
    /// in registers.
    fn row<S: Symbols>(&mut self, number: usize, symbols: S) -> S {
        for (component, row) in self.frame.components.iter().zip(&mut self.row) {
            let quantiser = &self.quantisers[component.tables];
            component.row(number, quantiser, &mut self.band, row);
        }
        processor::fastest(Units {
            frame: self.frame,
            row: &self.row,
            means: &mut self.means,
            symbols,
        })
    }
}

/// A row of units on its way to symbols.
struct Units<'a, S> {
    frame: &'a Frame<'a>,
    row: &'a [Vec<Coefficients>],
    means: &'a mut [i32; 3],
    symbols: S,
}

impl<S: Symbols> Work for Units<'_, S> {
    type Done = S;

    #[inline(always)]
    fn run(self) -> S {
        let mut symbols = self.symbols;
        for unit in 0..self.frame.units.0 {
            let components = self.frame.components.iter().zip(self.row);
            for ((component, row), mean) in components.zip(&mut *self.means) {
                for down in 0..component.factor {
                    for across in 0..component.factor {
                        let x = unit * component.factor + across;
                        let (eight, block) = component.place(x, down);
                        let eight = &row[eight];
                        block_of(eight, block, mean, component.tables, &mut symbols);
                    }
                }
            }
        }
        symbols
    }
}

#[inline(always)]
fn block_of(
    eight: &Coefficients,
    block: usize,
    mean: &mut i32,
    table: usize,
    symbols: &mut impl Symbols,
) {
    difference(eight.of(block, 0), mean, table, symbols);
    let mut left = eight.present(block) & !1;
    let mut next = 1;
    while left != 0 {
        let number = left.trailing_zeros();
        left &= left - 1;
        let mut run = number - next;
        while run > 15 {
            symbols.put(REST + table, SIXTEEN, 0, 0);
            run -= 16;
        }
        let (count, bits) = sized(eight.of(block, number));
        symbols.put(REST + table, symbol(run, count), bits, count);
        next = number + 1;
    }
    if next < 64 {
        symbols.put(REST + table, END, 0, 0);
    }
}

/// A mean, as what it adds to the one before.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "at most 16")]
pub(super) fn difference(value: i32, mean: &mut i32, table: usize, symbols: &mut impl Symbols) {
    let (count, bits) = sized(value - *mean);
    *mean = value;
    symbols.put(table, count as u8, bits, count);
}
