//! From N × N low coefficients of a block to N × N samples: the inverse cosine transform of that
//! size, which is what the picture would be had it been averaged before it was coded.
//!
//! Where libjpeg's own reductions to 4 × 4 and 2 × 2 come near to a box, this keeps all that the
//! coefficients say.

/// Bits after the point in the tables.
const POINT: u32 = 13;
/// Bits after the point between the two passes.
const BETWEEN: u32 = 4;

/// `0.5 * cos((2x + 1) * u * π / 2N)` for each frequency `u` (0.35355 for the first) and sample
/// `x`, filled up to a number of lanes.
type Waves<const N: usize, const LANES: usize> = [[i32; LANES]; N];

#[rustfmt::skip]
static OF_4: Waves<4, 4> = [
    [2896, 2896, 2896, 2896],
    [3784, 1567, -1567, -3784],
    [2896, -2896, -2896, 2896],
    [1567, -3784, 3784, -1567],
];
#[rustfmt::skip]
static OF_5: Waves<5, 8> = [
    [2896, 2896, 2896, 2896, 2896, 0, 0, 0],
    [3896, 2408, 0, -2408, -3896, 0, 0, 0],
    [3314, -1266, -4096, -1266, 3314, 0, 0, 0],
    [2408, -3896, 0, 3896, -2408, 0, 0, 0],
    [1266, -3314, 4096, -3314, 1266, 0, 0, 0],
];
#[rustfmt::skip]
static OF_6: Waves<6, 8> = [
    [2896, 2896, 2896, 2896, 2896, 2896, 0, 0],
    [3956, 2896, 1060, -1060, -2896, -3956, 0, 0],
    [3547, 0, -3547, -3547, 0, 3547, 0, 0],
    [2896, -2896, -2896, 2896, 2896, -2896, 0, 0],
    [2048, -4096, 2048, 2048, -4096, 2048, 0, 0],
    [1060, -2896, 3956, -3956, 2896, -1060, 0, 0],
];
#[rustfmt::skip]
static OF_7: Waves<7, 8> = [
    [2896, 2896, 2896, 2896, 2896, 2896, 2896, 0],
    [3993, 3202, 1777, 0, -1777, -3202, -3993, 0],
    [3690, 911, -2554, -4096, -2554, 911, 3690, 0],
    [3202, -1777, -3993, 0, 3993, 1777, -3202, 0],
    [2554, -3690, -911, 4096, -911, -3690, 2554, 0],
    [1777, -3993, 3202, 0, -3202, 3993, -1777, 0],
    [911, -2554, 3690, -4096, 3690, -2554, 911, 0],
];
#[rustfmt::skip]
static OF_8: Waves<8, 8> = [
    [2896, 2896, 2896, 2896, 2896, 2896, 2896, 2896],
    [4017, 3406, 2276, 799, -799, -2276, -3406, -4017],
    [3784, 1567, -1567, -3784, -3784, -1567, 1567, 3784],
    [3406, -799, -4017, -2276, 2276, 4017, 799, -3406],
    [2896, -2896, -2896, 2896, 2896, -2896, -2896, 2896],
    [2276, -4017, 799, 3406, -3406, -799, 4017, -2276],
    [1567, -3784, 3784, -1567, -1567, 3784, -3784, 1567],
    [799, -2276, 3406, -4017, 4017, -3406, 2276, -799],
];

/// Coefficients before this place of the file's order lie within four rows and columns.
const WITHIN_FOUR: usize = 10;

/// Coefficients after dequantisation, row by row, to samples; what follows the first `N * N` is
/// not looked at. `N` is 1 to 8. From `reach` on, in the file's order, all are zero.
#[inline(always)]
pub(super) fn inverse<const N: usize, const HELD: usize>(
    coefficients: &[i32; HELD],
    reach: usize,
    samples: &mut [u8],
    stride: usize,
) {
    match N {
        1 => {
            if let Some(sample) = samples.first_mut() {
                // As libjpeg, where a sample beyond all reason turns around at ten bits.
                *sample = level((coefficients[0].wrapping_add(4) >> 3) << 22 >> 22);
            }
        }
        2 => two(coefficients, samples, stride),
        3 => three(coefficients, samples, stride),
        4 => by_table::<4, 4, 4, HELD>(&OF_4, coefficients, samples, stride),
        5 => by_reach(&OF_5, coefficients, reach, samples, stride),
        6 => by_reach(&OF_6, coefficients, reach, samples, stride),
        7 => by_reach(&OF_7, coefficients, reach, samples, stride),
        _ => by_reach(&OF_8, coefficients, reach, samples, stride),
    }
}

/// Most blocks hold little.
#[inline(always)]
fn by_reach<const N: usize, const HELD: usize>(
    table: &Waves<N, 8>,
    coefficients: &[i32; HELD],
    reach: usize,
    samples: &mut [u8],
    stride: usize,
) {
    if reach <= WITHIN_FOUR {
        by_table::<N, 4, 8, HELD>(table, coefficients, samples, stride);
    } else {
        by_table::<N, N, 8, HELD>(table, coefficients, samples, stride);
    }
}

/// All factors are the same, and their product is an eighth: exact.
#[inline(always)]
fn two<const HELD: usize>(coefficients: &[i32; HELD], samples: &mut [u8], stride: usize) {
    let [mean, across, down, both] = *coefficients.first_chunk::<4>().unwrap_or(&[0; 4]);
    let mean = mean.wrapping_add(4);
    let (left, right) = (mean.wrapping_add(across), mean.wrapping_sub(across));
    let (more, less) = (down.wrapping_add(both), down.wrapping_sub(both));
    if let Some(row) = samples.first_chunk_mut::<2>() {
        *row = [left.wrapping_add(more), right.wrapping_add(less)].map(|s| level(s >> 3));
    }
    if let Some(row) = samples
        .get_mut(stride..)
        .and_then(<[u8]>::first_chunk_mut::<2>)
    {
        *row = [left.wrapping_sub(more), right.wrapping_sub(less)].map(|s| level(s >> 3));
    }
}

/// Too narrow for its samples to be done side by side, but blocks can be.
#[inline(always)]
fn three<const HELD: usize>(coefficients: &[i32; HELD], samples: &mut [u8], stride: usize) {
    let (of, _) = coefficients.as_chunks::<1>();
    for (y, row) in of_threes(of).into_iter().enumerate() {
        let place = samples.get_mut(y * stride..);
        if let Some(place) = place.and_then(<[u8]>::first_chunk_mut) {
            *place = row.map(|[sample]| sample);
        }
    }
}

/// Blocks at three eighths that lie beside each other and wait until there are enough of them.
#[derive(Clone)]
pub(super) struct Threes {
    /// The first coefficient of each block, the second of each, and so on; behind all of them what is
    /// not wanted.
    coefficients: [i32; Self::HELD],
    count: usize,
    /// Where the samples of the first block go.
    start: usize,
}

impl Default for Threes {
    fn default() -> Self {
        Self {
            coefficients: [0; Self::HELD],
            count: 0,
            start: 0,
        }
    }
}

impl Threes {
    /// As many numbers as are added in one instruction.
    pub(super) const BESIDE: u32 = 8;
    const EACH: usize = Self::BESIDE as usize;
    /// Places for coefficients.
    pub(super) const HELD: usize = 16 * Self::EACH;

    /// Adds a block, whose samples are to begin there: its coefficients stand every
    /// [`Threes::BESIDE`] places from the second on that is returned.
    #[inline(always)]
    pub(super) fn next(&mut self, start: usize) -> (&mut [i32; Self::HELD], usize) {
        if self.count == 0 {
            self.start = start;
        }
        let slot = self.count;
        self.count += 1;
        (&mut self.coefficients, slot)
    }

    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.count >= Self::EACH
    }

    /// Draws those that there are.
    #[inline(always)]
    pub(super) fn draw(&mut self, samples: &mut [u8], stride: usize) {
        if self.count == 0 {
            return;
        }
        let (of, _) = self.coefficients.as_chunks::<{ Self::EACH }>();
        for (y, row) in of_threes(of).iter().enumerate() {
            let mut beside = [[0; 3]; Self::EACH];
            for (block, samples) in beside.iter_mut().enumerate() {
                *samples = [row[0][block], row[1][block], row[2][block]];
            }
            let beside = beside.as_flattened();
            let place = samples
                .get_mut(self.start + y * stride..)
                .unwrap_or_default();
            if self.is_full()
                && let Some(place) = place.first_chunk_mut::<{ 3 * Self::EACH }>()
            {
                place.copy_from_slice(beside);
            } else {
                let drawn = place.iter_mut().zip(beside).take(self.count * 3);
                drawn.for_each(|(place, sample)| *place = *sample);
            }
        }
        self.coefficients.fill(0);
        self.count = 0;
    }
}

/// The transform of `EACH` blocks of three by three: of each row, and each column of it, the
/// samples of all blocks.
#[inline(always)]
fn of_threes<const EACH: usize>(of: &[[i32; EACH]]) -> [[[u8; EACH]; 3]; 3] {
    let of: &[_; 9] = of.first_chunk().unwrap_or(&[[0; EACH]; 9]);
    let mut columns = [[[0; EACH]; 3]; 3];
    for (u, column) in columns.iter_mut().enumerate() {
        *column = waves_of_three([&of[u], &of[3 + u], &of[6 + u]], POINT - BETWEEN);
    }
    let [mean, once, twice] = &columns;
    let mut samples = [[[0; EACH]; 3]; 3];
    for (y, row) in samples.iter_mut().enumerate() {
        let sums = waves_of_three([&mean[y], &once[y], &twice[y]], POINT + BETWEEN);
        for (samples, sums) in row.iter_mut().zip(&sums) {
            for (sample, sum) in samples.iter_mut().zip(sums) {
                *sample = level(*sum);
            }
        }
    }
    samples
}

/// Sums of means and two waves, without so many bits.
#[inline(always)]
fn waves_of_three<const EACH: usize>(of: [&[i32; EACH]; 3], shift: u32) -> [[i32; EACH]; 3] {
    let mut sums = [[0; EACH]; 3];
    for block in 0..EACH {
        let mean = of[0][block]
            .wrapping_mul(2896)
            .wrapping_add(1 << (shift - 1));
        let once = of[1][block].wrapping_mul(3547);
        let twice = of[2][block].wrapping_mul(2048);
        let ends = mean.wrapping_add(twice);
        sums[0][block] = ends.wrapping_add(once) >> shift;
        sums[1][block] = mean.wrapping_sub(twice.wrapping_mul(2)) >> shift;
        sums[2][block] = ends.wrapping_sub(once) >> shift;
    }
    sums
}

/// The transform, of the `KEPT × KEPT` lowest coefficients.
#[inline(always)]
fn by_table<const N: usize, const KEPT: usize, const LANES: usize, const HELD: usize>(
    table: &Waves<N, LANES>,
    coefficients: &[i32; HELD],
    samples: &mut [u8],
    stride: usize,
) {
    // Rows first, each as a sum of the table's rows, so that all samples of it go side by side.
    let mut rows = [[0i32; LANES]; KEPT];
    for (v, row) in rows.iter_mut().enumerate() {
        let mut sums = [1i32 << (POINT - BETWEEN - 1); LANES];
        for (u, waves) in table.iter().take(KEPT).enumerate() {
            add(&mut sums, waves, coefficients[(v * N + u) % HELD]);
        }
        *row = sums.map(|sum| sum >> (POINT - BETWEEN));
    }
    let shift = POINT + BETWEEN;
    // Waves of even frequency are the same from either end, those of odd frequency opposite.
    for y in 0..N.div_ceil(2) {
        let mut even = [1i32 << (shift - 1); LANES];
        let mut odd = [0i32; LANES];
        for (v, (row, waves)) in rows.iter().zip(table).enumerate() {
            let sums = if v % 2 == 0 { &mut even } else { &mut odd };
            add(sums, row, waves[y]);
        }
        let (mut above, mut below) = ([0; LANES], [0; LANES]);
        for lane in 0..LANES {
            above[lane] = level(even[lane].wrapping_add(odd[lane]) >> shift);
            below[lane] = level(even[lane].wrapping_sub(odd[lane]) >> shift);
        }
        write::<N, LANES>(samples, y * stride, &above);
        write::<N, LANES>(samples, (N - 1 - y) * stride, &below);
    }
}

/// Adds so much of a wave.
#[inline(always)]
fn add<const LANES: usize>(sums: &mut [i32; LANES], wave: &[i32; LANES], weight: i32) {
    for (sum, part) in sums.iter_mut().zip(wave) {
        *sum = sum.wrapping_add(part.wrapping_mul(weight));
    }
}

/// Writes the first `N` of a row's lanes.
#[inline(always)]
fn write<const N: usize, const LANES: usize>(samples: &mut [u8], at: usize, row: &[u8; LANES]) {
    let place = samples.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<N>);
    if let (Some(place), Some(row)) = (place, row.first_chunk::<N>()) {
        *place = *row;
    }
}

/// A sample, from its distance to the middle.
#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "within 0 and 255")]
fn level(distance: i32) -> u8 {
    distance.wrapping_add(128).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transform by its definition.
    fn slow(n: usize, coefficients: &[i32], x: usize, y: usize) -> f64 {
        let real = |number: usize| f64::from(u32::try_from(number).expect("small"));
        let wave = |u: usize, x: usize| {
            let angle = (2.0 * real(x) + 1.0) * real(u) * std::f64::consts::PI / (2.0 * real(n));
            if u == 0 {
                0.125f64.sqrt()
            } else {
                angle.cos() / 2.0
            }
        };
        let sum: f64 = (0..n * n)
            .map(|k| f64::from(coefficients[k]) * wave(k % n, x) * wave(k / n, y))
            .sum();
        (sum + 128.0).clamp(0.0, 255.0)
    }

    #[track_caller]
    fn check<const N: usize>() {
        let mut random = 1u32;
        for _ in 0..200 {
            let coefficients: [i32; 128] = std::array::from_fn(|k| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let most = if k == 0 { 900 } else { 120 };
                i32::try_from(random >> 8).expect("24 bits") % most - most / 2
            });
            let mut samples = [0; 16 * 8];
            inverse::<N, 128>(&coefficients, 64, &mut samples, 16);
            for (at, sample) in samples.iter().enumerate() {
                let (x, y) = (at % 16, at / 16);
                if x < N && y < N {
                    let exact = slow(N, &coefficients, x, y);
                    assert!((exact - f64::from(*sample)).abs() < 0.6, "{exact} {sample}");
                } else {
                    assert_eq!(*sample, 0);
                }
            }
        }
    }

    #[test]
    fn each_size_is_the_transform_that_it_is_called() {
        check::<1>();
        check::<2>();
        check::<3>();
        check::<4>();
        check::<5>();
        check::<6>();
        check::<7>();
        check::<8>();
    }
}
