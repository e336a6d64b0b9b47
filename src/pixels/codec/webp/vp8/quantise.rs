//! From coefficients to the whole numbers that are coded, and what they stand for.

use super::{
    cost::LARGEST,
    lanes::{Four, Lanes},
    tables::{AC_STEPS, DC_STEPS, ZIGZAG},
};

/// How far a coefficient has to be past a step to be the next: 256ths. Of the first coefficient,
/// and of the others.
///
/// These, [`OFFSETS`] and the weights of [`super::choose`] were found by trying: what takes the fewest
/// bytes for the same SSIMULACRA2 on ten photographs, as long as Butteraugli agrees. Both want means
/// finer than the rest.
const ROUNDING: [[u32; 2]; 3] = [[152, 72], [130, 130], [124, 88]];

/// How much finer than the index says the steps are: of luma's first coefficient, of the two kinds of
/// means' coefficients, and of colour's two kinds.
pub(super) const OFFSETS: [i8; 5] = [-6, -9, -7, -8, 0];

/// Steps of one kind of block.
#[derive(Clone, Copy)]
pub(super) struct Quantiser {
    /// Of the first column of four blocks' coefficients, and of the others.
    pub(super) columns: [Steps; 2],
    /// Of all columns of one block.
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "for one block at a time")
    )]
    pub(super) block: Steps,
}

#[derive(Clone, Copy)]
pub(super) struct Steps {
    pub(super) step: [u16; 16],
    /// 65536ths.
    pub(super) reciprocal: [u16; 16],
    /// What is added to a size before it is divided.
    pub(super) bias: [u16; 16],
}

/// What a picture is quantised with.
#[derive(Clone, Copy)]
pub(super) struct Quantisers {
    pub(super) luma: Quantiser,
    pub(super) means: Quantiser,
    pub(super) colour: Quantiser,
    /// Step of luma, of all coefficients but the first.
    pub(super) step: u16,
}

impl Quantisers {
    /// For an index of the tables, 0 to 127.
    pub(super) fn new(index: u8) -> Self {
        let at = |offset: i8| usize::from(index.saturating_add_signed(offset).min(127));
        let dc = |offset| u16::from(DC_STEPS[at(offset)]);
        let ac = |offset| AC_STEPS[at(offset)];
        let [luma, means, means_rest, colour, colour_rest] = OFFSETS;
        let means = [dc(means) * 2, (ac(means_rest) * 155 / 100).max(8)];
        let colour = [dc(colour).min(132), ac(colour_rest)];
        Self {
            luma: Quantiser::new([dc(luma), ac(0)], ROUNDING[0]),
            means: Quantiser::new(means, ROUNDING[1]),
            colour: Quantiser::new(colour, ROUNDING[2]),
            step: ac(0),
        }
    }
}

impl Quantiser {
    fn new([first, rest]: [u16; 2], [rounding_first, rounding]: [u32; 2]) -> Self {
        let steps = |lane: &dyn Fn(usize) -> (u16, u32)| {
            let lane = |i| {
                let (step, rounding) = lane(i);
                let reciprocal = 65_536_u32.div_ceil(u32::from(step)) as u16;
                let bias = ((u32::from(step) * rounding + 128) / 256) as u16;
                (step, reciprocal, bias)
            };
            Steps {
                step: std::array::from_fn(|i| lane(i).0),
                reciprocal: std::array::from_fn(|i| lane(i).1),
                bias: std::array::from_fn(|i| lane(i).2),
            }
        };
        let others = (rest, rounding);
        let mixed = |i: usize| {
            if i.is_multiple_of(4) {
                (first, rounding_first)
            } else {
                others
            }
        };
        let single = |i: usize| {
            if i == 0 {
                (first, rounding_first)
            } else {
                others
            }
        };
        Self {
            columns: [steps(&mixed), steps(&|_| others)],
            block: steps(&single),
        }
    }

    /// Sizes of the numbers that columns of coefficients become, and how far off these are.
    #[inline(always)]
    pub(super) fn sizes<const N: usize>(&self, columns: &Four<N>) -> (Four<N>, Four<N>) {
        let (mut sizes, mut errors) = (*columns, *columns);
        for (c, column) in columns.iter().enumerate() {
            let steps = &self.columns[c.min(1)];
            for i in 0..N {
                let size = column.0[i].unsigned_abs();
                let number = steps.number(size, i);
                sizes[c].0[i] = number as i16;
                errors[c].0[i] = size.wrapping_sub(number.wrapping_mul(steps.step[i])) as i16;
            }
        }
        (sizes, errors)
    }

    /// The numbers that columns of coefficients become.
    #[inline(always)]
    pub(super) fn numbers<const N: usize>(&self, columns: &Four<N>) -> Four<N> {
        let mut numbers = *columns;
        for (c, column) in columns.iter().enumerate() {
            let steps = &self.columns[c.min(1)];
            for i in 0..N {
                let value = column.0[i];
                let number = steps.number(value.unsigned_abs(), i) as i16;
                let sign = value >> 15;
                numbers[c].0[i] = (number ^ sign) - sign;
            }
        }
        numbers
    }

    /// The coefficients that numbers stand for.
    #[inline(always)]
    pub(super) fn coefficients<const N: usize>(&self, numbers: &Four<N>) -> Four<N> {
        let mut coefficients = *numbers;
        for (c, column) in coefficients.iter_mut().enumerate() {
            for (value, step) in column.0.iter_mut().zip(self.columns[c.min(1)].step) {
                *value = value.wrapping_mul(step as i16);
            }
        }
        coefficients
    }
}

impl Steps {
    #[inline(always)]
    fn number(&self, size: u16, lane: usize) -> u16 {
        let size = u32::from(size.saturating_add(self.bias[lane]));
        let number = (size * u32::from(self.reciprocal[lane])) >> 16;
        (number as u16).min(LARGEST as u16)
    }
}

/// Columns of one of the blocks.
#[inline(always)]
pub(super) fn one(columns: &Four<16>, block: usize) -> Four<4> {
    columns
        .each_ref()
        .map(|column| Lanes([0, 1, 2, 3].map(|row| column.0[block * 4 + row])))
}

/// A block's numbers in the order of coding.
#[inline(always)]
pub(super) fn in_order<const N: usize>(columns: &Four<N>, block: usize) -> [i16; 16] {
    ZIGZAG.map(|at| columns[usize::from(at % 4)].0[block * 4 + usize::from(at / 4)])
}

/// Sixteen coefficients row by row, as columns.
#[inline(always)]
pub(super) fn columns(rows: &[i16; 16]) -> Four<4> {
    [0, 1, 2, 3].map(|c| Lanes([0, 1, 2, 3].map(|r| rows[r * 4 + c])))
}
