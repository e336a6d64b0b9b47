//! What choices cost: 256ths of a bit. Knows the trees that values are coded in.

use super::tables::{BANDS, Chances, SMALL_MODE_CHANCES};

/// Values from here on are one and the same to the tree (`67 + extra bits`).
pub(super) const LARGE: usize = 67;
/// The largest value that can be coded.
pub(super) const LARGEST: i16 = 2047;

/// What a coefficient's value is to the tree: zero, 1 to 4, six ranges with extra bits, and that no
/// more follow.
pub(super) const SYMBOLS: usize = 12;
pub(super) const NO_MORE: usize = 11;

/// Extra bits of each range: their chances (13.2).
pub(super) const EXTRA: [&[u8]; 6] = [
    &[159],
    &[165, 145],
    &[173, 148, 140],
    &[176, 155, 140, 135],
    &[180, 157, 141, 134, 130],
    &[254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129],
];
/// The lowest value of each range.
pub(super) const EXTRA_FROM: [u16; 6] = [5, 7, 11, 19, 35, 67];

/// The symbol of a value.
pub(super) const SYMBOL: [u8; LARGE + 1] = {
    let mut table = [0; LARGE + 1];
    let mut value = 0;
    while value <= LARGE {
        table[value] = match value {
            0..=4 => value as u8,
            5..=6 => 5,
            7..=10 => 6,
            11..=18 => 7,
            19..=34 => 8,
            35..=66 => 9,
            _ => 10,
        };
        value += 1;
    }
    table
};

/// 256ths of a bit for a choice that is taken in so many of 256 cases: `-256 * log2(chance / 256)`.
const OF_CHANCE: [u16; 257] = {
    let mut table = [0; 257];
    let mut chance = 1;
    while chance <= 256 {
        table[chance] = minus_log2(chance as u64);
        chance += 1;
    }
    table[0] = table[1];
    table
};

/// `-256 * log2(chance / 256)`, in whole numbers: the same on every machine.
const fn minus_log2(chance: u64) -> u16 {
    // A number from 1 to 2 in 32 bits behind the point is squared; each time that it passes 2 is
    // one binary digit of its logarithm.
    let whole = chance.ilog2();
    let mut x = chance << (32 - whole);
    let mut log = whole as u64;
    let mut digit = 0;
    while digit < 12 {
        x = ((x as u128 * x as u128) >> 32) as u64;
        log <<= 1;
        if x >> 33 != 0 {
            x >>= 1;
            log |= 1;
        }
        digit += 1;
    }
    // From 12 digits to 8, rounded.
    ((8 << 8) - ((log + 8) >> 4)) as u16
}

/// Of a choice with this chance of being false.
pub(super) const fn choice(taken: bool, chance: u8) -> u16 {
    OF_CHANCE[if taken {
        256 - chance as usize
    } else {
        chance as usize
    }]
}

/// Of a value's sign and extra bits.
static FIXED: [u16; LARGEST as usize + 1] = {
    let mut table = [0; LARGEST as usize + 1];
    let mut value = 1;
    while value <= LARGEST as usize {
        table[value] = 256;
        let symbol = SYMBOL[if value < LARGE { value } else { LARGE }] as usize;
        if symbol >= 5 {
            let chances = EXTRA[symbol - 5];
            let rest = value - EXTRA_FROM[symbol - 5] as usize;
            let mut bit = 0;
            while bit < chances.len() {
                let taken = rest >> (chances.len() - 1 - bit) & 1 == 1;
                table[value] += choice(taken, chances[bit]);
                bit += 1;
            }
        }
        value += 1;
    }
    table
};

/// Of each way of predicting a small block, by those of the blocks above it and to its left.
pub(super) static SMALL_MODES: [[[[u32; 4]; 3]; 10]; 10] = {
    let mut table = [[[[0; 4]; 3]; 10]; 10];
    let mut above = 0;
    while above < 10 {
        let mut left = 0;
        while left < 10 {
            table[above][left] = small_modes(&SMALL_MODE_CHANCES[above][left]);
            left += 1;
        }
        above += 1;
    }
    table
};

const fn small_modes(p: &[u8; 9]) -> [[u32; 4]; 3] {
    let on = choice(true, p[0]);
    let further = on + choice(true, p[1]);
    let turned = further + choice(true, p[2]);
    let near = turned + choice(false, p[3]);
    let nearer = near + choice(true, p[4]);
    let far = turned + choice(true, p[3]);
    let farther = far + choice(true, p[6]);
    let farthest = farther + choice(true, p[7]);
    let costs = [
        choice(false, p[0]),
        on + choice(false, p[1]),
        further + choice(false, p[2]),
        near + choice(false, p[4]),
        nearer + choice(false, p[5]),
        nearer + choice(true, p[5]),
        far + choice(false, p[6]),
        farther + choice(false, p[7]),
        farthest + choice(false, p[8]),
        farthest + choice(true, p[8]),
    ];
    let mut groups = [[0; 4]; 3];
    let mut mode = 0;
    while mode < costs.len() {
        groups[mode / 4][mode % 4] = costs[mode] as u32;
        mode += 1;
    }
    groups
}

/// Of the ways of predicting a whole block, and that it is whole.
pub(super) const WHOLE_MODES: [u16; 4] = {
    let whole = choice(true, 145);
    let (near, far) = (choice(false, 156), choice(true, 156));
    [
        whole + near + choice(false, 163),
        whole + far + choice(true, 128),
        whole + near + choice(true, 163),
        whole + far + choice(false, 128),
    ]
};
/// That a block is predicted in small ones.
pub(super) const IN_SMALL: u16 = choice(false, 145);

/// Of the ways of predicting colour.
pub(super) const COLOUR_MODES: [u16; 4] = {
    let on = choice(true, 142);
    let further = on + choice(true, 114);
    [
        choice(false, 142),
        further + choice(true, 183),
        on + choice(false, 114),
        further + choice(false, 183),
    ]
};

/// What follows in one neighbourhood.
#[derive(Clone, Copy, Default)]
pub(super) struct Symbols {
    /// By symbol; from the second on with "there is more" before it.
    of: [u16; SYMBOLS],
    /// "There is more": not said behind a zero.
    more: u16,
}

/// Costs of one kind of block, by the number of the coefficient and the neighbourhood.
pub(super) type Kind = [[Symbols; 3]; 17];

/// Of all kinds.
pub(super) struct Costs {
    pub(super) kinds: [Kind; 4],
    pub(super) model: Model,
}

impl Costs {
    pub(super) fn new(chances: &Chances) -> Self {
        let mut kinds = [[[Symbols::default(); 3]; 17]; 4];
        for (kind, chances) in kinds.iter_mut().zip(chances) {
            let bands = chances.each_ref().map(|band| band.each_ref().map(symbols));
            for (number, band) in kind.iter_mut().zip(BANDS) {
                *number = bands[usize::from(band)];
            }
            // Behind the sixteenth coefficient nothing is said.
            kind[16] = [Symbols::default(); 3];
        }
        let model = Model::new(&kinds[3]);
        Self { kinds, model }
    }
}

fn symbols(p: &[u8; 11]) -> Symbols {
    let more = choice(true, p[0]);
    let some = more + choice(true, p[1]);
    let several = some + choice(true, p[2]);
    let few = several + choice(false, p[3]);
    let many = several + choice(true, p[3]);
    let low = many + choice(false, p[6]);
    let high = many + choice(true, p[6]);
    let (middle, top) = (high + choice(false, p[8]), high + choice(true, p[8]));
    Symbols {
        of: [
            more + choice(false, p[1]),
            some + choice(false, p[2]),
            few + choice(false, p[4]),
            few + choice(true, p[4]) + choice(false, p[5]),
            few + choice(true, p[4]) + choice(true, p[5]),
            low + choice(false, p[7]),
            low + choice(true, p[7]),
            middle + choice(false, p[9]),
            middle + choice(true, p[9]),
            top + choice(false, p[10]),
            top + choice(true, p[10]),
            choice(false, p[0]),
        ],
        more,
    }
}

/// The neighbourhood that a value makes for the next coefficient.
#[inline(always)]
pub(super) fn neighbourhood(size: u16) -> usize {
    usize::from(size.min(2))
}

/// What a block's values cost, in the order of coding from `first` on.
#[inline(always)]
pub(super) fn of_block(
    kind: &Kind,
    values: &[i16; 16],
    first: usize,
    end: usize,
    near: usize,
) -> u32 {
    let end = end.min(16);
    let (mut cost, mut near, mut said) = (0, near, true);
    for number in first..end {
        let size = values[number].unsigned_abs();
        let symbols = &kind[number][near];
        cost += of_value(symbols, size, said);
        near = neighbourhood(size);
        said = size != 0;
    }
    cost + u32::from(kind[end.max(first)][near].of[NO_MORE])
}

/// What one value costs; `said`: whether it might have been that no more follow.
#[inline(always)]
pub(super) fn of_value(symbols: &Symbols, size: u16, said: bool) -> u32 {
    let symbol = SYMBOL[usize::from(size).min(LARGE)];
    let cost = u32::from(symbols.of[usize::from(symbol)])
        + u32::from(FIXED[usize::from(size.min(LARGEST as u16))]);
    cost - if said { 0 } else { u32::from(symbols.more) }
}

/// The number of the last coefficient that is not zero.
#[inline(always)]
pub(super) fn last(values: &[i16; 16], first: usize) -> Option<usize> {
    let mut mask = 0_u32;
    for (number, value) in values.iter().enumerate() {
        mask |= u32::from(*value != 0) << number;
    }
    mask &= !0 << first;
    mask.checked_ilog2().map(|last| last as usize)
}

/// Limits of the guess: 8ths of a bit.
const LARGEST_VALUE: u32 = 112;
const LARGEST_END: u32 = 1200;

/// One more than the number of the last coefficient that is not zero; `first` where there is none.
#[inline(always)]
pub(super) fn end(values: &[i16; 16], first: usize) -> usize {
    last(values, first).map_or(first, |last| last + 1)
}

/// A rough guess at a small block's cost, without neighbourhoods, to compare predictions with:
/// 8ths of a bit.
///
/// The limits are beyond anything usual. They keep what a block may cost within 28 bits, together
/// with its errors.
#[derive(Clone, Copy)]
pub(super) struct Model {
    /// Of a value, above that of a zero; values above 15 count as 15.
    pub(super) values: [u8; 16],
    /// Of zeros up to the last coefficient that is not zero, and of saying that it is the last;
    /// the first: there is none.
    pub(super) ends: [u16; 17],
}

impl Model {
    fn new(kind: &Kind) -> Self {
        // Means over the neighbourhoods that are usual: of small numbers, behind a zero or a one.
        let zero = |number: usize| {
            let [zeros, ones, _] = &kind[number];
            u32::from((zeros.of[0] - zeros.more).midpoint(ones.of[0]))
        };
        let mut ends = [0; 17];
        ends[0] = (u32::from(kind[0][1].of[NO_MORE]) / 32) as u16;
        let mut zeros = u32::from(kind[0][1].of[0]);
        for last in 0..16 {
            if last > 0 {
                zeros += zero(last);
            }
            let [_, one, two] = &kind[last + 1];
            let end = u32::from(one.of[NO_MORE].midpoint(two.of[NO_MORE]));
            ends[last + 1] = ((zeros + end) / 32).min(LARGEST_END) as u16;
        }
        let mut values = [0; 16];
        for size in 1..16_u16 {
            let mut cost = 0;
            // Bands in about the shares that they have of the values.
            for (number, share) in [(0, 3), (1, 4), (2, 3), (3, 2), (5, 3), (9, 1)] {
                let [_, one, two] = &kind[number];
                let near = of_value(one, size, true).midpoint(of_value(two, size, true));
                let none = if number == 0 {
                    u32::from(one.of[0])
                } else {
                    zero(number)
                };
                cost += share * near.saturating_sub(none);
            }
            values[usize::from(size)] = (cost / 16 / 32).min(LARGEST_VALUE) as u8;
        }
        Self { values, ends }
    }
}
