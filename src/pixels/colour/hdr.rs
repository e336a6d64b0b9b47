//! High dynamic range (PQ and HLG, ITU-R BT.2100) brought down to sRGB.
//!
//! Diffuse white (203 cd/m², ITU-R BT.2408) becomes white, what is darker stays as it is, and
//! the highlights above are compressed into the last quarter. No gain maps, no scene analysis:
//! the same pixel always becomes the same colour.

use super::{as_srgb, curve::light_to_srgb};
use crate::pixels::bitmap::{Bitmap, Layout, Raster, Samples, colours};

/// H.273's transfer characteristics of PQ and HLG.
const PQ: u8 = 16;
const HLG: u8 = 18;

/// cd/m² of diffuse white (BT.2408), and of the mastering display whose peak stays white.
const WHITE: f64 = 203.0;
const PEAK: f64 = 1000.0;

/// Share of white up to which nothing is compressed.
const KNEE: f64 = 0.75;

/// Whether numbers of this transfer characteristic are HDR.
#[must_use]
pub const fn is_hdr(transfer: u8) -> bool {
    matches!(transfer, PQ | HLG)
}

/// Gray, `GrayAlpha`, RGB or RGBA of PQ or HLG to sRGB.
pub(super) fn to_srgb(bitmap: &Bitmap, primaries: u8, transfer: u8) -> Raster {
    let wide: Vec<u16> = match &bitmap.samples {
        Samples::U8(samples) => samples
            .iter()
            .map(|&sample| u16::from(sample) * 257)
            .collect(),
        Samples::U16(samples) => samples.clone(),
    };
    // Both curves cost several powers a sample; 12 bits of them are finer than any source.
    let table: Vec<f64> = (0..=4096)
        .map(|step| light(transfer, f64::from(step) / 4096.0))
        .collect();
    let matrix = to_bt709(primaries);
    let layout = bitmap.layout;
    let mut samples = Vec::with_capacity(wide.len());
    for pixel in wide.chunks_exact(layout.channels()) {
        let coded = match colours(layout) {
            1 => [pixel[0]; 3],
            _ => [pixel[0], pixel[1], pixel[2]],
        };
        let mapped = tone_map(shown(
            coded.map(|code| look_up(&table, code)),
            transfer,
            &matrix,
        ));
        samples.extend_from_slice(&mapped[..colours(layout)]);
        if layout.has_alpha() {
            samples.push(crate::pixels::bitmap::narrow(pixel[layout.channels() - 1]));
        }
    }
    debug_assert!(layout != Layout::Cmyk);
    as_srgb(bitmap, samples)
}

/// A number's light: for PQ relative to diffuse white, for HLG relative to the scene's peak.
fn light(transfer: u8, code: f64) -> f64 {
    if transfer == PQ {
        // SMPTE ST 2084.
        let (m1, m2) = (2610.0 / 16_384.0, 2523.0 / 4096.0 * 128.0);
        let (c1, c2, c3) = (
            3424.0 / 4096.0,
            2413.0 / 4096.0 * 32.0,
            2392.0 / 4096.0 * 32.0,
        );
        let root = code.powf(1.0 / m2);
        let share = ((root - c1).max(0.0) / (c2 - c3 * root)).powf(1.0 / m1);
        share * 10_000.0 / WHITE
    } else {
        // ARIB STD-B67.
        let (a, b, c) = (0.178_832_77, 0.284_668_92, 0.559_910_73);
        if code <= 0.5 {
            code * code / 3.0
        } else {
            (((code - c) / a).exp() + b) / 12.0
        }
    }
}

fn look_up(table: &[f64], code: u16) -> f64 {
    let place = f64::from(code) / f64::from(u16::MAX) * 4096.0;
    let below = usize::from(code) * 4096 / usize::from(u16::MAX);
    let lower = table.get(below).copied().unwrap_or(0.0);
    let upper = table.get(below + 1).copied().unwrap_or(lower);
    lower + (upper - lower) * place.fract()
}

/// Light as a display shows it, relative to diffuse white, in BT.709's primaries.
fn shown(light: [f64; 3], transfer: u8, matrix: &[[f64; 3]; 3]) -> [f64; 3] {
    let light = if transfer == HLG {
        // BT.2100's display curve for a peak of 1000 cd/m²: luminance to the power of 1.2.
        let luminance = 0.2627 * light[0] + 0.678 * light[1] + 0.0593 * light[2];
        let gain = luminance.max(1e-6).powf(0.2) * PEAK / WHITE;
        light.map(|value| value * gain)
    } else {
        light
    };
    matrix.map(|row| row[0] * light[0] + row[1] * light[1] + row[2] * light[2])
}

/// Compresses by the largest channel, so that hues stay.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 … 1 before"
)]
fn tone_map(light: [f64; 3]) -> [u8; 3] {
    let brightest = light[0].max(light[1]).max(light[2]);
    let gain = if brightest > KNEE {
        // Slope 1 at the knee, and the peak meets white.
        let over = (brightest - KNEE) / (1.0 - KNEE);
        let most = (PEAK / WHITE - KNEE) / (1.0 - KNEE);
        let squeezed = over * (1.0 + over / (most * most)) / (1.0 + over);
        (KNEE + (1.0 - KNEE) * squeezed) / brightest
    } else {
        1.0
    };
    light.map(|value| (light_to_srgb((value * gain).clamp(0.0, 1.0)) * 255.0).round() as u8)
}

/// Linear RGB of these primaries (H.273) to linear RGB of BT.709; ITU-R BT.2087 and its like.
const fn to_bt709(primaries: u8) -> [[f64; 3]; 3] {
    match primaries {
        9 => [
            [1.660_491, -0.587_641, -0.072_850],
            [-0.124_550, 1.132_899, -0.008_349],
            [-0.018_151, -0.100_579, 1.118_730],
        ],
        12 => [
            [1.224_940, -0.224_940, 0.0],
            [-0.042_057, 1.042_057, 0.0],
            [-0.019_638, -0.078_636, 1.098_274],
        ],
        _ => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{bitmap::Colour, geometry::Size};

    /// Of one gray pixel.
    fn mapped(transfer: u8, code: f64) -> u8 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 … 1"
        )]
        let sample = (code * 65_535.0).round() as u16;
        let bitmap = Bitmap {
            size: Size::new(1, 1),
            layout: Layout::Rgb,
            samples: Samples::U16(vec![sample; 3]),
            colour: Colour::Cicp {
                primaries: 9,
                transfer,
            },
        };
        let raster = to_srgb(&bitmap, 9, transfer);
        assert_eq!(raster.samples[0], raster.samples[2], "gray stays gray");
        raster.samples[0]
    }

    #[test]
    fn black_stays_black() {
        assert_eq!((mapped(PQ, 0.0), mapped(HLG, 0.0)), (0, 0));
    }

    #[test]
    fn diffuse_white_is_bright_and_highlights_are_brighter() {
        // 58 % of PQ and 75 % of HLG are diffuse white (BT.2408).
        for (transfer, white) in [(PQ, 0.58), (HLG, 0.75)] {
            let diffuse = mapped(transfer, white);
            assert!((225..250).contains(&diffuse), "{diffuse}");
            assert!(mapped(transfer, white + 0.15) > diffuse);
        }
    }

    #[test]
    fn the_peak_is_white() {
        // 1000 cd/m² are 75 % of PQ.
        assert!(mapped(PQ, 0.752) >= 254);
        assert!(mapped(HLG, 1.0) >= 254);
        assert_eq!(mapped(PQ, 1.0), 255);
    }

    #[test]
    fn brighter_never_becomes_darker() {
        for transfer in [PQ, HLG] {
            let codes: Vec<u8> = (0..=100)
                .map(|step| mapped(transfer, f64::from(step) / 100.0))
                .collect();
            assert!(codes.is_sorted(), "{codes:?}");
        }
    }
}
