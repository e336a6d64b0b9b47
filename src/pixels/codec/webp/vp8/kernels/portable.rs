//! For any processor.

use super::{Kernels, Numbers, Picked, Rows, Small};
use crate::pixels::codec::webp::vp8::{
    cost,
    lanes::{self, Four, Lanes},
    predict::{self, Block},
    quantise::{self, Quantiser},
};

#[derive(Clone, Copy)]
pub(in super::super) struct Portable;

impl Kernels for Portable {
    #[inline(always)]
    fn activity<const H: usize>(self, source: &Block<H>, guess: &Block<H>) -> u32 {
        let (source, guess) = (source.as_chunks::<4>().0, guess.as_chunks::<4>().0);
        let rows = source.iter().zip(guess);
        rows.map(|(source, guess)| lanes::activity(difference(source, guess)))
            .sum()
    }

    #[inline(always)]
    fn forward(self, source: &Rows, guess: &Rows) -> Four<16> {
        lanes::forward(difference(source, guess))
    }

    #[inline(always)]
    fn numbers(self, columns: &Four<16>, quantiser: &Quantiser) -> Numbers {
        let columns = quantiser.numbers(columns);
        Numbers {
            in_order: [0, 1, 2, 3].map(|block| quantise::in_order(&columns, block)),
            columns,
        }
    }

    #[inline(always)]
    fn restore(self, source: &Rows, guess: &Rows, columns: &Four<16>, out: &mut Rows) -> u32 {
        let differences = lanes::inverse(*columns);
        for ((out, guess), difference) in out.iter_mut().zip(guess).zip(differences) {
            *out = Lanes::samples(guess).plus(difference).clamped();
        }
        difference(source, out)
            .into_iter()
            .map(Lanes::squares)
            .sum()
    }

    fn pick(self, small: &Small<'_>) -> Picked {
        let guesses = predict::small(&small.edge);
        let mut best = (u32::MAX, 0);
        let mut all = [[Lanes::ZERO; 4]; 3];
        for (group, rows) in guesses.iter().enumerate() {
            let pixels = small.pixels.map(|row| std::array::from_fn(|i| row[i % 4]));
            all[group] = self.forward(&pixels, rows);
            for block in 0..4.min(10 - group * 4) {
                let mode = group * 4 + block;
                let score = score(small, &all[group], block, mode);
                best = best.min((score, mode));
            }
        }
        let mode = best.1;
        let coefficients = quantise::one(&all[mode / 4], mode % 4);
        let numbers = small.quantiser.numbers(&coefficients);
        let in_order = quantise::in_order(&numbers, 0);
        let differences = lanes::inverse(small.quantiser.coefficients(&numbers));
        let mut pixels = small.pixels;
        let mut errors = 0;
        for (r, row) in pixels.iter_mut().enumerate() {
            for (c, sample) in row.iter_mut().enumerate() {
                let guess = i16::from(guesses[mode / 4][r][mode % 4 * 4 + c]);
                let restored = guess.wrapping_add(differences[r].0[c]).clamp(0, 255) as u8;
                errors += u32::from(restored.abs_diff(*sample)).pow(2);
                *sample = restored;
            }
        }
        Picked {
            mode: mode as u8,
            end: cost::last(&in_order, 0).map_or(0, |last| last as u8 + 1),
            numbers: in_order,
            pixels,
            errors,
        }
    }
}

#[inline(always)]
fn difference(source: &Rows, guess: &Rows) -> Four<16> {
    [0, 1, 2, 3].map(|r| Lanes::samples(&source[r]).minus(Lanes::samples(&guess[r])))
}

/// What a guess is worth, less is better: errors, and a guess at the bits.
fn score(small: &Small<'_>, columns: &Four<16>, block: usize, mode: usize) -> u32 {
    let (sizes, errors) = small.quantiser.sizes(columns);
    let mut squares = 0;
    for column in &errors {
        let errors = &column.0[block * 4..][..4];
        squares += errors
            .iter()
            .map(|e| u32::from(e.unsigned_abs()).pow(2))
            .sum::<u32>();
    }
    let sizes = quantise::in_order(&sizes, block);
    let values = &small.model.values;
    let values = sizes
        .iter()
        .map(|size| u32::from(values[usize::from(size.min(&15).unsigned_abs())]));
    let end = cost::last(&sizes, 0).map_or(0, |last| last + 1);
    let eighths = values.sum::<u32>() + u32::from(small.model.ends[end]);
    let bits = eighths * 32 + small.costs[mode / 4][mode % 4];
    // Squared coefficients are four times squared samples.
    squares * 64 + bits * small.weight
}
