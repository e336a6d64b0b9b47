//! Guesses at a block from the pixels above it and to its left (RFC 6386, 12), and the pixels
//! themselves. Knows nothing of which guess is good.

/// What stands above the picture, and to its left.
pub(super) const ABOVE: u8 = 127;
pub(super) const LEFT: u8 = 129;

/// Ways to predict a whole block; of the small ones the first four are the same.
pub(super) const MEAN: usize = 0;
pub(super) const SLOPE: usize = 1;
pub(super) const DOWN: usize = 2;
pub(super) const ACROSS: usize = 3;

/// Ways to predict a small block.
pub(super) const SMALL_MODES: usize = 10;

/// What a block is predicted from; `W` samples above it.
#[derive(Clone, Copy)]
pub(super) struct Edges<const W: usize> {
    pub(super) above: [u8; W],
    pub(super) left: [u8; 16],
    pub(super) corner: u8,
}

/// A block of sixteen columns: of luma with sixteen rows, or of both colour differences side by
/// side with eight.
pub(super) type Block<const H: usize> = [[u8; 16]; H];

/// Fills luma; `known`: whether there is anything above, and to the left.
#[inline(always)]
pub(super) fn luma(mode: usize, edges: &Edges<16>, known: [bool; 2], out: &mut Block<16>) {
    match mode {
        MEAN => {
            let sum = |samples: &[u8]| samples.iter().map(|s| u32::from(*s)).sum::<u32>();
            *out = [[mean(sum(&edges.above), sum(&edges.left), known, 4); 16]; 16];
        }
        DOWN => *out = [edges.above; 16],
        ACROSS => {
            for (row, left) in out.iter_mut().zip(edges.left) {
                *row = [left; 16];
            }
        }
        _ => {
            for (row, left) in out.iter_mut().zip(edges.left) {
                let step = i16::from(left) - i16::from(edges.corner);
                *row = edges.above.map(|above| slope(above, step));
            }
        }
    }
}

/// Fills colour: blue and red side by side, with an edge each.
#[inline(always)]
pub(super) fn colour(mode: usize, edges: &[Edges<8>; 2], known: [bool; 2], out: &mut Block<8>) {
    for (half, edges) in edges.iter().enumerate() {
        let at = half * 8..half * 8 + 8;
        let sum = |samples: &[u8]| samples.iter().map(|s| u32::from(*s)).sum::<u32>();
        let mean = mean(sum(&edges.above), sum(&edges.left[..8]), known, 3);
        for (row, left) in out.iter_mut().zip(edges.left) {
            let row = &mut row[at.clone()];
            match mode {
                MEAN => row.fill(mean),
                DOWN => row.copy_from_slice(&edges.above),
                ACROSS => row.fill(left),
                _ => {
                    let step = i16::from(left) - i16::from(edges.corner);
                    row.copy_from_slice(&edges.above.map(|above| slope(above, step)));
                }
            }
        }
    }
}

/// The mean of what is known of two edges of `1 << bits` samples.
fn mean(above: u32, left: u32, known: [bool; 2], bits: u32) -> u8 {
    let mean = match known {
        [true, true] => (above + left + (1 << bits)) >> (bits + 1),
        [true, false] => (above + (1 << (bits - 1))) >> bits,
        [false, true] => (left + (1 << (bits - 1))) >> bits,
        [false, false] => 128,
    };
    mean as u8
}

#[inline(always)]
fn slope(above: u8, step: i16) -> u8 {
    (i16::from(above) + step).clamp(0, 255) as u8
}

/// Rows of all guesses at a small block: four guesses side by side, in three groups; the last two
/// are nothing.
pub(super) type Guesses = [[[u8; 16]; 4]; 3];

/// All guesses at a small block, from four samples to its left (the lowest first), the corner and
/// eight above; the rest is nothing.
#[inline(always)]
pub(super) fn small(edge: &[u8; 16]) -> Guesses {
    let pool = pool(edge);
    let mut guesses = ROWS.map(|group| group.map(|row| row.map(|at| pool[usize::from(at & 31)])));
    for (row, left) in guesses[0]
        .iter_mut()
        .zip([edge[3], edge[2], edge[1], edge[0]])
    {
        let step = i16::from(left) - i16::from(edge[4]);
        for (x, above) in edge[5..9].iter().enumerate() {
            row[4 * SLOPE + x] = slope(*above, step);
        }
    }
    guesses
}

/// Where the mean of a small block's edges stands in the pool, and the lowest sample to its left.
const POOL_MEAN: usize = 13;
const POOL_LOWEST: usize = 31;

/// Each sample of the edge smoothed with both neighbours, then each with the next.
#[inline(always)]
fn pool(edge: &[u8; 16]) -> [u8; 32] {
    // Both ends stand twice.
    let mut long = [0_u16; 18];
    for (long, sample) in long[1..14].iter_mut().zip(edge) {
        *long = u16::from(*sample);
    }
    (long[0], long[14]) = (long[1], long[13]);
    let mut pool = [0; 32];
    for i in 0..16 {
        pool[i] = ((long[i] + 2 * long[i + 1] + long[i + 2] + 2) >> 2) as u8;
        pool[16 + i] = ((long[i + 1] + long[i + 2] + 1) >> 1) as u8;
    }
    let sum: u16 = long[1..5].iter().chain(&long[6..10]).sum();
    pool[POOL_MEAN] = ((sum + 4) >> 3) as u8;
    pool[POOL_LOWEST] = edge[0];
    pool
}

/// Where each sample of each guess stands in the pool: rows of four guesses.
pub(super) const ROWS: [[[u8; 16]; 4]; 3] = {
    let mut rows = [[[0; 16]; 4]; 3];
    let mut mode = 0;
    while mode < SMALL_MODES {
        let mut at = 0;
        while at < 16 {
            let place = place(mode, at as i32 % 4, at as i32 / 4);
            rows[mode / 4][at / 4][mode % 4 * 4 + at % 4] = place as u8;
            at += 1;
        }
        mode += 1;
    }
    rows
};

/// Where a guess finds its sample in column `x` of row `y`. Of three samples the middle one counts,
/// of two the first: 3 is the highest to the left, 4 the corner, 5 the first above.
const fn place(mode: usize, x: i32, y: i32) -> i32 {
    const TWO: i32 = 16;
    match mode {
        MEAN => POOL_MEAN as i32,
        SLOPE => 0,
        DOWN => 5 + x,
        ACROSS => 3 - y,
        // Down to the right.
        4 => 4 + x - y,
        // Steeply so.
        5 => match 2 * x - y {
            -3 => 2,
            -2 => 3,
            -1 => 4,
            even if even % 2 == 0 => TWO + 4 + even / 2,
            odd => 4 + (odd + 1) / 2,
        },
        // Down to the left.
        6 => 6 + x + y,
        // Steeply so; the last two samples of the right column are out of line.
        7 => match (x, y) {
            (3, 2) => 10,
            (3, 3) => 11,
            _ if y % 2 == 0 => TWO + 5 + x + y / 2,
            _ => 6 + x + y / 2,
        },
        // Gently down to the right.
        8 => match 2 * y - x {
            -3 => 6,
            -2 => 5,
            -1 => 4,
            even if even % 2 == 0 => TWO + 3 - even / 2,
            odd => 4 - (odd + 1) / 2,
        },
        // Gently up to the right.
        _ => match x + 2 * y {
            6.. => POOL_LOWEST as i32,
            5 => 0,
            even if even % 2 == 0 => TWO + 2 - even / 2,
            odd => 2 - odd / 2,
        },
    }
}
