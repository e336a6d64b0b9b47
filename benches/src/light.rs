//! Pictures as linear light in floating point, and what a resized one should look like.
//!
//! The references belong to no engine: Lanczos with three lobes over all source pixels, without a
//! step in between and without rounding, once in linear light and once in the coded numbers.

use std::sync::LazyLock;

/// Lobes of the kernel on each side.
const LOBES: f64 = 3.0;

/// A picture in linear light, sRGB's primaries, 1 is white.
#[derive(Clone, Debug)]
pub struct Light {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green and blue, row by row.
    pub samples: Vec<[f32; 3]>,
}

/// In what the averages are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// What the eye is lit by.
    Linear,
    /// sRGB's numbers, as most resizers do.
    Coded,
}

impl Light {
    /// Of 8-bit sRGB.
    #[must_use]
    pub fn of(frame: &[u8], width: usize) -> Self {
        let (pixels, _) = frame.as_chunks::<3>();
        Self {
            width,
            height: pixels.len() / width,
            samples: pixels
                .iter()
                .map(|pixel| pixel.map(|sample| LINEAR[usize::from(sample)]))
                .collect(),
        }
    }

    /// What 8-bit sRGB should look like at another size.
    #[must_use]
    pub fn reference(frame: &[u8], width: usize, to: (usize, usize), space: Space) -> Self {
        let table = match space {
            Space::Linear => &*LINEAR,
            Space::Coded => &*CODED,
        };
        let (pixels, _) = frame.as_chunks::<3>();
        let height = pixels.len() / width;
        let across = Kernel::new(width, to.0);
        // Rows come out as columns, twice: so both passes read along rows.
        let narrow = across.pass(height, |x, y| {
            pixels[y * width + x].map(|sample| table[usize::from(sample)])
        });
        let down = Kernel::new(height, to.1);
        let mut samples = down.pass(to.0, |y, x| narrow[x * height + y]);
        for sample in samples.iter_mut().flatten() {
            *sample = match space {
                Space::Linear => sample.clamp(0.0, 1.0),
                Space::Coded => to_linear(sample.clamp(0.0, 1.0)),
            };
        }
        Self {
            width: to.0,
            height: to.1,
            samples,
        }
    }
}

static CODED: LazyLock<[f32; 256]> =
    LazyLock::new(|| std::array::from_fn(|sample| sample as f32 / 255.0));

static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| CODED.map(to_linear));

/// sRGB's curve, as IEC 61966-2-1 has it.
fn to_linear(coded: f32) -> f32 {
    if coded <= 0.04045 {
        coded / 12.92
    } else {
        ((coded + 0.055) / 1.055).powf(2.4)
    }
}

/// Which source samples make each sample, and how much each counts.
struct Kernel {
    taps: Vec<(usize, Vec<f32>)>,
}

impl Kernel {
    fn new(from: usize, to: usize) -> Self {
        let ratio = from as f64 / to as f64;
        let stretch = ratio.max(1.0);
        let taps = (0..to).map(|sample| {
            let centre = (sample as f64 + 0.5) * ratio;
            let first = (centre - LOBES * stretch).floor().max(0.0) as usize;
            let last = ((centre + LOBES * stretch).ceil() as usize).min(from);
            let weights = (first..last).map(|at| lanczos((at as f64 + 0.5 - centre) / stretch));
            let weights: Vec<f64> = weights.collect();
            let sum: f64 = weights.iter().sum();
            let weights = weights.iter().map(|weight| (weight / sum) as f32);
            (first, weights.collect())
        });
        Self {
            taps: taps.collect(),
        }
    }

    /// Resamples each of `lines`; the results of one position stand together.
    fn pass(&self, lines: usize, sample: impl Fn(usize, usize) -> [f32; 3]) -> Vec<[f32; 3]> {
        let mut results = vec![[0.0; 3]; lines * self.taps.len()];
        for line in 0..lines {
            for (to, (first, weights)) in self.taps.iter().enumerate() {
                let mut sum = [0.0; 3];
                for (tap, weight) in weights.iter().enumerate() {
                    let sample = sample(first + tap, line);
                    for channel in 0..3 {
                        sum[channel] += weight * sample[channel];
                    }
                }
                results[to * lines + line] = sum;
            }
        }
        results
    }
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| {
        let turn = x * std::f64::consts::PI;
        if turn.abs() < 1e-9 {
            1.0
        } else {
            turn.sin() / turn
        }
    };
    if x.abs() < LOBES {
        sinc(x) * sinc(x / LOBES)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat() {
        for space in [Space::Linear, Space::Coded] {
            let flat = Light::reference(&[188; 3 * 12 * 9], 12, (5, 4), space);
            let exact = LINEAR[188];
            assert_eq!(flat.samples.len(), 20);
            for sample in flat.samples.iter().flatten() {
                assert!((sample - exact).abs() < 1e-5, "{space:?}");
            }
        }
    }

    #[test]
    fn black_and_white_lines_average_to_half_the_light() {
        let lines: Vec<u8> = (0..64 * 64)
            .flat_map(|at| [if at % 2 == 0 { 0 } else { 255 }; 3])
            .collect();
        let middle = |space| Light::reference(&lines, 64, (8, 8), space).samples[4 * 8 + 4][0];
        assert!((middle(Space::Linear) - 0.5).abs() < 0.01);
        assert!((middle(Space::Coded) - to_linear(0.5)).abs() < 0.01);
    }

    #[test]
    fn rows_stay_rows() {
        let ramp: Vec<u8> = (0..40 * 20)
            .flat_map(|at| [(at % 40) as u8 * 6, (at / 40) as u8 * 12, 0])
            .collect();
        let same = Light::reference(&ramp, 40, (40, 20), Space::Linear);
        let exact = Light::of(&ramp, 40);
        for (same, exact) in same.samples.iter().zip(&exact.samples) {
            assert!((same[0] - exact[0]).abs() < 1e-5 && (same[1] - exact[1]).abs() < 1e-5);
        }
    }
}
