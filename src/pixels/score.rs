//! How much a picture looks like another: SSIMULACRA2 (100: the same, 90: not to be told apart, 70:
//! good, 50: what small files look like).
//!
//! After Jon Sneyers' definition: errors of structure and of edges, in XYB, at six sizes, weighted
//! as people judged. Here both pictures go through row by row, so that a few rows are all that is
//! held. The numbers are the definition's, computed in double precision, to a thousandth of a point;
//! programs that run the blur as a recursion in single precision find less above 80, by the errors
//! that add up along each row.
#![expect(
    clippy::inline_always,
    reason = "what runs at each pixel has to be part of the code that is made for the processor"
)]

mod blur;
mod scale;
mod weights;
mod xyb;

use super::{
    bitmap::Layout,
    codec::processor::{Work, fastest},
    geometry::Size,
};
use scale::{Rows, SUMS, Scale, rows};

/// Sizes that are compared, each half of the one before.
const SCALES: usize = 6;

/// No side may be shorter: there is nothing to see.
pub const LEAST_SIDE: u32 = 8;

/// What transparent pixels are laid on: as far from black as from white, so that neither vanishes.
const GROUND: u8 = 119;

/// Bytes that [`Sums::add`] holds for each pixel of a row: rows of both pictures at all scales, of
/// which those after the first take as much as the first together.
const ROW_BYTES: u64 = 2 * 4 * (3 * 4 * 9 + 4 * 2 + 3 * 2 * 4);

/// Pixels of eight bits, sRGB's, row by row.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Of the picture.
    pub size: Size,
    /// Gray, RGB, or either with alpha.
    pub layout: Layout,
    /// At least `size`, in `layout`; rows are `stride` bytes apart.
    pub samples: &'a [u8],
    /// Bytes from a row to the next.
    pub stride: usize,
}

/// What was found so far of two pictures, or of regions of them.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    scales: Vec<OfScale>,
}

/// Of one scale: pixels, and what was summed up over them.
#[derive(Clone, Copy, Debug, Default)]
struct OfScale {
    pixels: f64,
    sums: [[f64; SUMS]; 3],
}

impl Sums {
    /// Compares two pictures of one size, or the same region of both. Regions should be of one
    /// size, too.
    ///
    /// Nothing is added of pictures that are too small, of different sizes, or not complete.
    pub fn add(&mut self, reference: View<'_>, picture: View<'_>) {
        let least = reference.size.width.min(reference.size.height);
        let fit = reference.size == picture.size && least >= LEAST_SIDE;
        if fit && reference.is_complete() && picture.is_complete() {
            fastest(Comparison {
                sums: self,
                reference,
                picture,
            });
        }
    }

    /// The score, up to 100; `None` where nothing was compared.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        let means: Vec<_> = self.scales.iter().map(OfScale::means).collect();
        (!means.is_empty()).then(|| weights::score(&means))
    }
}

/// Bytes that [`Sums::add`] holds at its peak.
#[must_use]
pub fn bytes(width: u32) -> u64 {
    u64::from(width)
        .saturating_mul(ROW_BYTES)
        .saturating_add(64 << 10)
}

impl OfScale {
    /// Of each channel, the means, and the roots of the means of fourth powers.
    fn means(&self) -> [[f64; SUMS]; 3] {
        self.sums.map(|sums| {
            let mut means = sums.map(|sum| sum / self.pixels);
            for fourth in means.iter_mut().skip(1).step_by(2) {
                *fourth = fourth.sqrt().sqrt();
            }
            means
        })
    }
}

struct Comparison<'a, 'b> {
    sums: &'a mut Sums,
    reference: View<'b>,
    picture: View<'b>,
}

impl Work for Comparison<'_, '_> {
    type Done = ();

    #[inline(always)]
    fn run(self) {
        let Size { width, height } = self.reference.size;
        let mut scales = scales_of(width as usize, height as usize);
        let linear = linear();
        let mut light = rows(width as usize);
        for y in 0..height as usize {
            let [reference, picture] = &mut light;
            self.reference.light(y, &linear, reference);
            self.picture.light(y, &linear, picture);
            push(&mut scales, &light);
        }
        finish(&mut scales);
        self.sums
            .scales
            .resize_with(scales.len().max(self.sums.scales.len()), OfScale::default);
        let (mut across, mut down) = (width, height);
        for (of_scale, scale) in self.sums.scales.iter_mut().zip(&scales) {
            of_scale.pixels += f64::from(across) * f64::from(down);
            let sums = of_scale.sums.iter_mut().flatten();
            for (sum, more) in sums.zip(scale.sums.iter().flatten()) {
                *sum += more;
            }
            (across, down) = (across.div_ceil(2), down.div_ceil(2));
        }
    }
}

/// The first scale, and those after it as long as the one before is large enough.
fn scales_of(mut width: usize, mut height: usize) -> Vec<Scale> {
    let mut widths = vec![width];
    while widths.len() < SCALES && width.min(height) >= LEAST_SIDE as usize {
        (width, height) = (width.div_ceil(2), height.div_ceil(2));
        widths.push(width);
    }
    let count = widths.len();
    let of = |(scale, width)| {
        Scale::new(
            width,
            [0, 1, 2].map(|channel| weights::counts(count, channel, scale)),
        )
    };
    widths.into_iter().enumerate().map(of).collect()
}

#[inline(always)]
fn push(scales: &mut [Scale], light: &Rows) {
    let mut halved: Option<Rows> = None;
    for scale in scales {
        let row = scale.push(halved.as_ref().unwrap_or(light));
        let Some(row) = row else { return };
        halved = Some(row);
    }
}

fn finish(scales: &mut [Scale]) {
    let mut rest = scales;
    while let [scale, smaller @ ..] = rest {
        if let Some(last) = scale.finish() {
            push(smaller, &last);
        }
        rest = smaller;
    }
}

impl View<'_> {
    fn is_complete(&self) -> bool {
        let row = self.size.width as usize * self.layout.channels();
        let last = (self.size.height as usize).saturating_sub(1);
        let needed = self
            .stride
            .checked_mul(last)
            .and_then(|to| to.checked_add(row));
        self.layout != Layout::Cmyk
            && self.stride >= row
            && needed.is_some_and(|needed| needed <= self.samples.len())
    }

    /// One row in linear light.
    #[inline(always)]
    fn light(&self, y: usize, linear: &[f32; 256], light: &mut [Vec<f32>; 3]) {
        let row = &self.samples[y * self.stride..];
        let [red, green, blue] = light;
        let to = red.iter_mut().zip(green).zip(blue);
        let of = |sample: u8| linear[usize::from(sample)];
        match self.layout {
            Layout::Gray => {
                for (sample, ((red, green), blue)) in row.iter().zip(to) {
                    (*red, *green, *blue) = (of(*sample), of(*sample), of(*sample));
                }
            }
            Layout::GrayAlpha => {
                for ([gray, alpha], ((red, green), blue)) in row.as_chunks().0.iter().zip(to) {
                    let gray = of(over(*gray, *alpha));
                    (*red, *green, *blue) = (gray, gray, gray);
                }
            }
            Layout::Rgb => {
                for ([r, g, b], ((red, green), blue)) in row.as_chunks().0.iter().zip(to) {
                    (*red, *green, *blue) = (of(*r), of(*g), of(*b));
                }
            }
            Layout::Rgba | Layout::Cmyk => {
                for ([r, g, b, a], ((red, green), blue)) in row.as_chunks().0.iter().zip(to) {
                    (*red, *green, *blue) = (of(over(*r, *a)), of(over(*g, *a)), of(over(*b, *a)));
                }
            }
        }
    }
}

/// A sample on the ground.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a mean of bytes")]
fn over(sample: u8, alpha: u8) -> u8 {
    let (sample, alpha, ground) = (u32::from(sample), u32::from(alpha), u32::from(GROUND));
    ((sample * alpha + ground * (255 - alpha) + 127) / 255) as u8
}

/// sRGB's curve, as IEC 61966-2-1 has it.
fn linear() -> [f32; 256] {
    let mut code = 0.0_f32;
    std::array::from_fn(|_| {
        let coded = code / 255.0;
        code += 1.0;
        if coded <= 0.040_45 {
            coded / 12.92
        } else {
            ((coded + 0.055) / 1.055).powf(2.4)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waves, and the same with noise on them.
    fn pair(width: u32, height: u32) -> [Vec<u8>; 2] {
        let mut dice = 7_u32;
        let mut roll = || {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            dice >> 24
        };
        let mut pair = [Vec::new(), Vec::new()];
        for y in 0..height {
            for x in 0..width {
                let wave = (x * x / 9 + y * y / 5) % 200 + 20;
                for channel in 0..3 {
                    let sample = (wave + channel * x / 7).min(255);
                    let noisy = (sample + roll() % 17).saturating_sub(8).min(255);
                    for (samples, sample) in pair.iter_mut().zip([sample, noisy]) {
                        samples.push(u8::try_from(sample).unwrap());
                    }
                }
            }
        }
        pair
    }

    fn view(samples: &[u8], width: u32, height: u32, layout: Layout) -> View<'_> {
        View {
            size: Size::new(width, height),
            layout,
            samples,
            stride: width as usize * layout.channels(),
        }
    }

    fn score(reference: View<'_>, picture: View<'_>) -> Option<f64> {
        let mut sums = Sums::default();
        sums.add(reference, picture);
        sums.score()
    }

    /// `expected`: by the definition, with all weights, in double precision.
    #[track_caller]
    fn check(width: u32, height: u32, expected: f64) {
        let [a, b] = &pair(width, height);
        let [a, b] = [a, b].map(|samples| view(samples, width, height, Layout::Rgb));
        let found = score(a, b).unwrap();
        assert!((found - expected).abs() < 0.002, "{found}");
        assert_eq!(score(a, a), Some(100.0));
    }

    #[test]
    fn scores_are_those_of_the_definition() {
        check(300, 200, 78.752_54);
        // Too small for all scales; odd sides.
        check(61, 47, -8.886_33);
        check(129, 40, -10.962_39);
        check(8, 8, 92.266_92);
    }

    #[test]
    fn regions_add_up() {
        let [a, b] = &pair(300, 200);
        let [a, b] = [a, b].map(|samples| view(samples, 300, 200, Layout::Rgb));
        let mut twice = Sums::default();
        twice.add(a, b);
        twice.add(a, b);
        let once = score(a, b).unwrap();
        assert!((twice.score().unwrap() - once).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_said_of_what_cannot_be_compared() {
        let samples = vec![0; 3 * 8 * 8];
        let whole = view(&samples, 8, 8, Layout::Rgb);
        assert_eq!(score(whole, whole), Some(100.0));
        assert_eq!(score(whole, view(&samples, 8, 7, Layout::Rgb)), None);
        let flat = view(&samples, 9, 7, Layout::Rgb);
        assert_eq!(score(flat, flat), None);
        let long = view(&samples, 8, 9, Layout::Rgb);
        assert_eq!(score(long, long), None);
        let inks = view(&samples, 6, 8, Layout::Cmyk);
        assert_eq!(score(inks, inks), None);
        assert_eq!(Sums::default().score(), None);
    }

    #[test]
    fn layouts_are_read_as_what_they_mean() {
        let [samples, _] = pair(40, 30);
        let gray: Vec<u8> = samples.iter().step_by(3).copied().collect();
        let spread = |alpha: Option<u8>, colour: bool| -> Vec<u8> {
            let times = if colour { 3 } else { 1 };
            let pixel = |gray: &u8| {
                let samples = std::iter::repeat_n(*gray, times);
                samples.chain(alpha).collect::<Vec<_>>()
            };
            gray.iter().flat_map(pixel).collect()
        };
        let plain = spread(None, false);
        let plain = view(&plain, 40, 30, Layout::Gray);
        for (layout, alpha, colour) in [
            (Layout::Rgb, None, true),
            (Layout::GrayAlpha, Some(255), false),
            (Layout::Rgba, Some(255), true),
        ] {
            let same = spread(alpha, colour);
            assert_eq!(score(plain, view(&same, 40, 30, layout)), Some(100.0));
        }
        // Where nothing is seen, nothing differs.
        let [clear, black] = [spread(Some(0), true), vec![0; 40 * 30 * 4]];
        let [clear, black] = [&clear, &black].map(|samples| view(samples, 40, 30, Layout::Rgba));
        assert_eq!(score(clear, black), Some(100.0));
    }
}
