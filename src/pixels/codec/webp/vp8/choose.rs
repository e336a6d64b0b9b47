//! How a block of 16×16 is predicted, and what is left to code: what costs the least, errors and
//! bits together.

use super::{
    cost::{self, Costs},
    kernels::{Kernels, Rows, Small},
    lanes,
    predict::{self, Block, Edges},
    quantise::{self, Quantisers},
    tokens::{MEANS, Near, REST, SMALL, Values},
};

/// Width of the field on which small blocks are predicted from each other: an edge of 8, of which
/// one is used, the block, 4 to its right, and some that make it even.
const FIELD: usize = 32;
const FIELD_LEFT: usize = 8;

/// What a block is chosen with.
pub(super) struct Chooser {
    pub(super) quantisers: Quantisers,
    pub(super) costs: Costs,
    /// What a 256th of a bit weighs, beside squared errors of samples in 256ths: for ways to
    /// predict, and for whether luma is whole.
    weight: u32,
    weight_whole: u64,
}

/// What surrounds a block.
pub(super) struct Surroundings {
    pub(super) luma: Edges<16>,
    /// Above and to the right.
    pub(super) beyond: [u8; 4],
    pub(super) colour: [Edges<8>; 2],
    /// Whether there is anything above, and to the left.
    pub(super) known: [bool; 2],
    /// How the small blocks above and to the left are predicted.
    pub(super) modes_above: [u8; 4],
    pub(super) modes_left: [u8; 4],
    /// Which of them have coefficients.
    pub(super) near: [Near; 2],
}

/// How a block is predicted.
#[derive(Clone, Copy, Default)]
pub(super) struct Modes {
    /// `None`: in small blocks.
    pub(super) whole: Option<u8>,
    pub(super) small: [u8; 16],
    pub(super) colour: u8,
}

/// What becomes of a block.
pub(super) struct Chosen {
    pub(super) modes: Modes,
    pub(super) values: Values,
    pub(super) luma: Block<16>,
    pub(super) colour: Block<8>,
}

impl Chooser {
    pub(super) fn new(quantisers: &Quantisers, costs: Costs) -> Self {
        let square = u64::from(quantisers.step) * u64::from(quantisers.step);
        Self {
            quantisers: *quantisers,
            costs,
            weight: (square * 7 / 320).max(1) as u32,
            weight_whole: (square * 3 / 256).max(1),
        }
    }

    /// Chooses; `small`: whether luma may be predicted in small blocks. Gives what it costs to say how
    /// the block is predicted: 256ths of a bit.
    #[inline(always)]
    pub(super) fn choose<K: Kernels>(
        &self,
        kernels: K,
        luma: &Block<16>,
        colour: &Block<8>,
        around: &Surroundings,
        small: bool,
        chosen: &mut Chosen,
    ) -> u64 {
        let best = self.whole(kernels, luma, around, chosen);
        let mut said = None;
        if small {
            said = self.small(kernels, luma, around, best, chosen);
        }
        self.colour(kernels, colour, around, chosen);
        let whole = chosen
            .modes
            .whole
            .map_or(0, |mode| cost::WHOLE_MODES[usize::from(mode)]);
        let colour = cost::COLOUR_MODES[usize::from(chosen.modes.colour)];
        said.unwrap_or(u64::from(whole)) + u64::from(colour)
    }

    /// Predicts luma whole, and gives what that costs.
    #[inline(always)]
    fn whole<K: Kernels>(
        &self,
        kernels: K,
        source: &Block<16>,
        around: &Surroundings,
        chosen: &mut Chosen,
    ) -> u64 {
        let mut guess = [[0; 16]; 16];
        let mut best = (u32::MAX, 0);
        for mode in 0..4 {
            predict::luma(mode, &around.luma, around.known, &mut guess);
            let activity = kernels.activity(source, &guess);
            best = best.min((self.worth(activity, cost::WHOLE_MODES[mode]), mode));
        }
        let mode = best.1;
        predict::luma(mode, &around.luma, around.known, &mut guess);
        let (source, guess) = (rows(source), rows(&guess));
        let mut columns = [0, 1, 2, 3].map(|row| kernels.forward(&source[row], &guess[row]));
        let means = std::array::from_fn(|i| columns[i / 4][0].0[i % 4 * 4]);
        let means = self.means(&means, chosen);
        let mut errors = 0;
        for (row, columns) in columns.iter_mut().enumerate() {
            let numbers = kernels.numbers(columns, &self.quantisers.luma);
            *columns = self.quantisers.luma.coefficients(&numbers.columns);
            for (block, mut numbers) in numbers.in_order.into_iter().enumerate() {
                numbers[0] = 0;
                columns[0].0[block * 4] = means[row * 4 + block];
                chosen.values.luma[row * 4 + block] = numbers;
            }
            let out = &mut rows_mut(&mut chosen.luma)[row];
            errors += u64::from(kernels.restore(&source[row], &guess[row], columns, out));
        }
        chosen.modes.whole = Some(mode as u8);
        let bits = self.whole_bits(&mut chosen.values, around) + u32::from(cost::WHOLE_MODES[mode]);
        errors * 256 + u64::from(bits) * self.weight_whole
    }

    /// A guess at what a guess is worth, less is better.
    fn worth(&self, activity: u32, bits: u16) -> u32 {
        activity * 256 + u32::from(bits) * u32::from(self.quantisers.step) / 4
    }

    /// Codes the means of all small blocks, and gives what they are then.
    #[inline(always)]
    fn means(&self, means: &[i16; 16], chosen: &mut Chosen) -> [i16; 16] {
        let quantiser = &self.quantisers.means;
        let numbers = quantiser.numbers(&quantise::columns(&lanes::forward_means(means)));
        chosen.values.means = quantise::in_order(&numbers, 0);
        let columns = quantiser.coefficients(&numbers);
        lanes::inverse_means(&std::array::from_fn(|i| columns[i % 4].0[i / 4]))
    }

    #[inline(always)]
    fn whole_bits(&self, values: &mut Values, around: &Surroundings) -> u32 {
        let [Near(mut above), Near(mut left)] = around.near;
        let near = usize::from(above[8] + left[8]);
        let end = cost::end(&values.means, 0);
        let mut bits = cost::of_block(&self.costs.kinds[MEANS], &values.means, 0, end, near);
        for (number, values) in values.luma.iter().enumerate() {
            let (x, y) = (number % 4, number / 4);
            let near = usize::from(above[x] + left[y]);
            let end = cost::end(values, 1);
            bits += cost::of_block(&self.costs.kinds[REST], values, 1, end, near);
            let some = u8::from(end > 1);
            (above[x], left[y]) = (some, some);
        }
        bits
    }

    /// Predicts luma in small blocks, as long as that costs less than `best`. Gives what it costs to
    /// say how.
    #[inline(always)]
    fn small<K: Kernels>(
        &self,
        kernels: K,
        source: &Block<16>,
        around: &Surroundings,
        best: u64,
        chosen: &mut Chosen,
    ) -> Option<u64> {
        let mut field = field(around);
        let mut modes = [0; 16];
        let mut values = [[0; 16]; 16];
        let [Near(mut above), Near(mut left)] = around.near;
        let (mut modes_above, mut modes_left) = (around.modes_above, around.modes_left);
        let (mut said, mut bits) = (u64::from(cost::IN_SMALL), 0);
        let mut errors = 0;
        for number in 0..16 {
            let (x, y) = (number % 4, number / 4);
            let costs = &cost::SMALL_MODES[usize::from(modes_above[x])][usize::from(modes_left[y])];
            let at = (4 * y + 1) * FIELD + FIELD_LEFT + 4 * x;
            let small = Small {
                pixels: [0, 1, 2, 3].map(|r| {
                    let row = &source[4 * y + r];
                    [0, 1, 2, 3].map(|c| row[4 * x + c])
                }),
                edge: edge(&field, at),
                costs,
                quantiser: &self.quantisers.luma,
                model: &self.costs.model,
                weight: self.weight,
            };
            let picked = kernels.pick(&small);
            for (r, row) in picked.pixels.iter().enumerate() {
                field[at + r * FIELD..][..4].copy_from_slice(row);
            }
            let mode = picked.mode;
            let end = usize::from(picked.end);
            let near = usize::from(above[x] + left[y]);
            let kind = &self.costs.kinds[SMALL];
            bits += u64::from(cost::of_block(kind, &picked.numbers, 0, end, near));
            said += u64::from(costs[usize::from(mode / 4)][usize::from(mode % 4)]);
            errors += u64::from(picked.errors);
            let some = u8::from(end > 0);
            (above[x], left[y]) = (some, some);
            (modes_above[x], modes_left[y]) = (mode, mode);
            modes[number] = mode;
            values[number] = picked.numbers;
            if errors * 256 + (said + bits) * self.weight_whole >= best {
                return None;
            }
        }
        chosen.modes.whole = None;
        chosen.modes.small = modes;
        chosen.values.luma = values;
        for (y, row) in chosen.luma.iter_mut().enumerate() {
            let at = (y + 1) * FIELD + FIELD_LEFT;
            row.copy_from_slice(&field[at..at + 16]);
        }
        Some(said)
    }

    #[inline(always)]
    fn colour<K: Kernels>(
        &self,
        kernels: K,
        source: &Block<8>,
        around: &Surroundings,
        chosen: &mut Chosen,
    ) {
        let mut guess = [[0; 16]; 8];
        let mut best = (u32::MAX, 0);
        for mode in 0..4 {
            predict::colour(mode, &around.colour, around.known, &mut guess);
            let activity = kernels.activity(source, &guess);
            best = best.min((self.worth(activity, cost::COLOUR_MODES[mode]), mode));
        }
        let mode = best.1;
        predict::colour(mode, &around.colour, around.known, &mut guess);
        chosen.modes.colour = mode as u8;
        let quantiser = &self.quantisers.colour;
        let (source, guess) = (rows(source), rows(&guess));
        for row in 0..2 {
            let columns = kernels.forward(&source[row], &guess[row]);
            let numbers = kernels.numbers(&columns, quantiser);
            for (block, numbers) in numbers.in_order.into_iter().enumerate() {
                chosen.values.colour[block / 2 * 4 + row * 2 + block % 2] = numbers;
            }
            let columns = quantiser.coefficients(&numbers.columns);
            let out = &mut rows_mut(&mut chosen.colour)[row];
            kernels.restore(&source[row], &guess[row], &columns, out);
        }
    }
}

/// The field on which small blocks are predicted from each other: a row above it, and rows of 4 to
/// its right beside those that are the last of a small block.
#[inline(always)]
fn field(around: &Surroundings) -> [u8; 17 * FIELD] {
    let mut field = [0; 17 * FIELD];
    field[FIELD_LEFT - 1] = around.luma.corner;
    field[FIELD_LEFT..FIELD_LEFT + 16].copy_from_slice(&around.luma.above);
    for (row, left) in around.luma.left.iter().enumerate() {
        field[(row + 1) * FIELD + FIELD_LEFT - 1] = *left;
    }
    for row in [0, 4, 8, 12] {
        let at = row * FIELD + FIELD_LEFT + 16;
        field[at..at + 4].copy_from_slice(&around.beyond);
    }
    field
}

/// What a small block is predicted from.
#[inline(always)]
fn edge(field: &[u8; 17 * FIELD], at: usize) -> [u8; 16] {
    let mut edge = [0; 16];
    for (r, sample) in edge[..4].iter_mut().rev().enumerate() {
        *sample = field[at + r * FIELD - 1];
    }
    let above = at - FIELD - 1;
    edge[4..13].copy_from_slice(&field[above..above + 9]);
    edge
}

/// Rows of four small blocks each.
#[inline(always)]
fn rows<const H: usize>(block: &Block<H>) -> &[Rows] {
    block.as_chunks().0
}

#[inline(always)]
fn rows_mut<const H: usize>(block: &mut Block<H>) -> &mut [Rows] {
    block.as_chunks_mut().0
}
