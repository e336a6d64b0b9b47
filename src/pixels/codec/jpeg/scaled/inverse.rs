//! From N × N low coefficients of a block to N × N samples: the inverse cosine transform of that
//! size, which is what the picture would be had it been averaged before it was coded.
//!
//! Where libjpeg's own reductions to 4 × 4 and 2 × 2 come near to a box, this keeps all that the
//! coefficients say.

/// Bits after the point in the tables.
const POINT: u32 = 13;
/// Bits after the point between the two passes.
const BETWEEN: u32 = 3;

/// `0.5 * cos((2x + 1) * u * π / 2N)` for each frequency `u` (0.35355 for the first) and sample
/// `x`.
const OF_3: [[i32; 3]; 3] = [[2896, 2896, 2896], [3547, 0, -3547], [2048, -4096, 2048]];
const OF_4: [[i32; 4]; 4] = [
    [2896, 2896, 2896, 2896],
    [3784, 1567, -1567, -3784],
    [2896, -2896, -2896, 2896],
    [1567, -3784, 3784, -1567],
];

/// Coefficients after dequantisation, row by row, to samples; what follows the first `N * N` is
/// not looked at. `N` is 1 to 4.
#[inline(always)]
pub(super) fn inverse<const N: usize, const HELD: usize>(
    coefficients: &[i32; HELD],
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
        3 => by_table::<3, HELD>(&OF_3, coefficients, samples, stride),
        _ => by_table::<4, HELD>(&OF_4, coefficients, samples, stride),
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

#[inline(always)]
fn by_table<const N: usize, const HELD: usize>(
    table: &[[i32; N]; N],
    coefficients: &[i32; HELD],
    samples: &mut [u8],
    stride: usize,
) {
    // Rows first, each as a sum of the table's rows, so that all samples of it go side by side.
    let mut rows = [[0i32; N]; N];
    for (v, row) in rows.iter_mut().enumerate() {
        for (u, waves) in table.iter().enumerate() {
            let weight = coefficients[(v * N + u) % HELD];
            for (sum, wave) in row.iter_mut().zip(waves) {
                *sum = sum.wrapping_add(weight.wrapping_mul(*wave));
            }
        }
        for sum in row {
            *sum = sum.wrapping_add(1 << (POINT - BETWEEN - 1)) >> (POINT - BETWEEN);
        }
    }
    let shift = POINT + BETWEEN;
    for y in 0..N {
        let mut sums = [1i32 << (shift - 1); N];
        for (row, waves) in rows.iter().zip(table) {
            for (sum, part) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(part.wrapping_mul(waves[y]));
            }
        }
        let row = samples.get_mut(y * stride..);
        if let Some(row) = row.and_then(<[u8]>::first_chunk_mut::<N>) {
            *row = sums.map(|sum| level(sum >> shift));
        }
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
            let coefficients: [i32; 32] = std::array::from_fn(|k| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let most = if k == 0 { 900 } else { 120 };
                i32::try_from(random >> 8).expect("24 bits") % most - most / 2
            });
            let mut samples = [0; 16 * 8];
            inverse::<N, 32>(&coefficients, &mut samples, 16);
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
    }
}
