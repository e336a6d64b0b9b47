//! Brightness, contrast, gamma and saturation, on coded numbers from 0 to 1 and in this order:
//!
//! - brightness `b` (−1 to 1): `v × (1 + b)`, as CSS's `brightness()`;
//! - contrast `c` (−1 to 1): `(v − ½) × (1 + c) + ½`, as CSS's `contrast()`;
//! - gamma `g` (1 is neutral, more is lighter): `v ^ (1 / g)`;
//! - saturation `s` (−1 to 1): `luma + (v − luma) × (1 + s)`, with BT.709's luma; gray stays.

use crate::pixels::bitmap::{Layout, Raster, colours};

/// How much of each; the default changes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adjust {
    /// −1 to 1.
    pub brightness: f32,
    /// −1 to 1.
    pub contrast: f32,
    /// More than 0.
    pub gamma: f32,
    /// −1 to 1.
    pub saturation: f32,
}

impl Default for Adjust {
    fn default() -> Self {
        Self {
            brightness: 0.0,
            contrast: 0.0,
            gamma: 1.0,
            saturation: 0.0,
        }
    }
}

/// Changes the colours in place; alpha stays.
pub fn adjust(raster: &mut Raster, by: &Adjust) {
    if *by == Adjust::default() {
        return;
    }
    let table = table(by);
    let colours = colours(raster.layout);
    let coloured = matches!(raster.layout, Layout::Rgb | Layout::Rgba);
    for pixel in raster.samples.chunks_exact_mut(raster.layout.channels()) {
        for sample in &mut pixel[..colours] {
            *sample = table[usize::from(*sample)];
        }
        if coloured && by.saturation != 0.0 {
            saturate(&mut pixel[..colours], 1.0 + by.saturation);
        }
    }
}

fn table(by: &Adjust) -> [u8; 256] {
    let mut table = [0; 256];
    for (entry, code) in table.iter_mut().zip(0..=255_u8) {
        let value = f32::from(code) / 255.0 * (1.0 + by.brightness);
        let value = (value - 0.5) * (1.0 + by.contrast) + 0.5;
        *entry = to_u8(value.clamp(0.0, 1.0).powf(1.0 / by.gamma.max(0.01)) * 255.0);
    }
    table
}

fn saturate(pixel: &mut [u8], factor: f32) {
    let weights = [0.2126, 0.7152, 0.0722];
    let luma: f32 = pixel
        .iter()
        .zip(weights)
        .map(|(&sample, weight)| f32::from(sample) * weight)
        .sum();
    for sample in pixel {
        *sample = to_u8(luma + (f32::from(*sample) - luma) * factor);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 … 255"
)]
fn to_u8(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{bitmap::Colour, geometry::Size};

    #[track_caller]
    fn check(by: Adjust, expected: [u8; 4]) {
        let mut raster = Raster {
            size: Size::new(1, 1),
            layout: Layout::Rgba,
            samples: vec![200, 100, 50, 77],
            colour: Colour::Srgb,
        };
        adjust(&mut raster, &by);
        assert_eq!(raster.samples, expected);
    }

    #[test]
    fn each_does_its_own() {
        check(Adjust::default(), [200, 100, 50, 77]);
        check(
            Adjust {
                brightness: -1.0,
                ..Adjust::default()
            },
            [0, 0, 0, 77],
        );
        check(
            Adjust {
                brightness: 0.2,
                ..Adjust::default()
            },
            [240, 120, 60, 77],
        );
        check(
            Adjust {
                contrast: -1.0,
                ..Adjust::default()
            },
            [128, 128, 128, 77],
        );
        check(
            Adjust {
                contrast: 1.0,
                ..Adjust::default()
            },
            [255, 73, 0, 77],
        );
        check(
            Adjust {
                gamma: 2.0,
                ..Adjust::default()
            },
            [226, 160, 113, 77],
        );
        check(
            Adjust {
                saturation: -1.0,
                ..Adjust::default()
            },
            [118, 118, 118, 77],
        );
        check(
            Adjust {
                saturation: 1.0,
                ..Adjust::default()
            },
            [255, 82, 0, 77],
        );
    }

    #[test]
    fn gray_has_no_saturation() {
        let mut raster = Raster {
            size: Size::new(1, 1),
            layout: Layout::GrayAlpha,
            samples: vec![9, 8],
            colour: Colour::Srgb,
        };
        adjust(
            &mut raster,
            &Adjust {
                saturation: 1.0,
                ..Adjust::default()
            },
        );
        assert_eq!(raster.samples, [9, 8]);
    }
}
