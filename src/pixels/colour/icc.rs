//! ICC profiles, through moxcms: the only place that names it. Every failure is a `None`, which
//! the caller reads as sRGB.

use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, DataColorSpace, Layout as Channels,
    MatrixCoefficients, RenderingIntent, ToneReprCurve, TransferCharacteristics, TransformOptions,
};

use super::{
    LINEAR,
    curve::{Curve, Sample, light_to_srgb, srgb_to_light},
    narrowed,
};
use crate::pixels::bitmap::{Bitmap, Layout, Samples, narrow};

/// Bytes of a profile that is kept. Those of cameras and systems have 0.5 to 4 KB; larger ones
/// hold tables for printing, and would outweigh a thumbnail.
const KEPT_BYTES: usize = 8 << 10;

/// How far outside of sRGB (as linear light, where sRGB is 0 to 1) a primary must lie for the
/// profile to be worth its bytes. Display P3 reaches 0.22; rounding in profiles stays below 0.01.
const WIDER: f64 = 0.05;

/// How near to sRGB a profile must be to be called sRGB: less than half a code of eight bits.
const NEARLY: f64 = 0.002;

/// The curve of a profile with one (of the green channel, where three differ).
pub(super) fn curve(profile: &[u8]) -> Option<Curve> {
    let profile = ColorProfile::new_from_slice(profile).ok()?;
    let curve = match profile.color_space {
        DataColorSpace::Rgb if profile.is_matrix_shaper() => profile.green_trc,
        DataColorSpace::Gray => profile.gray_trc,
        _ => None,
    }?;
    evaluator(&curve)
}

/// A profile to go with the pixels, where that of the source is RGB, reaches visibly further than
/// sRGB, is small, and codes light in a way that eight bits suffice for.
///
/// Written anew: browsers are stricter readers than we are, and one that shows a JPEG in spite of
/// a flawed profile shows nothing of an AVIF with the same.
pub(super) fn worth_keeping(bytes: &[u8]) -> Option<Vec<u8>> {
    let wide = |profile: &ColorProfile| {
        let in_srgb = relative_to_srgb(profile);
        let outside = |share: &f64| *share < -WIDER || *share > 1.0 + WIDER;
        in_srgb.as_flattened().iter().any(outside)
    };
    // sRGB shows ½ as 0.21 of the light and ProPhoto as 0.29; linear light would be ½ itself.
    let fine = |curve: &Curve| curve.light(0.5) < 0.35;
    let small = bytes.len() <= KEPT_BYTES;
    let profile = matrix_profile(bytes).filter(|profile| small && wide(profile))?;
    curve(bytes).filter(fine)?;
    let mut ours = srgb();
    ours.red_colorant = profile.red_colorant;
    ours.green_colorant = profile.green_colorant;
    ours.blue_colorant = profile.blue_colorant;
    ours.red_trc = profile.red_trc;
    ours.green_trc = profile.green_trc;
    ours.blue_trc = profile.blue_trc;
    ours.description = profile.description;
    ours.creation_date_time = profile.creation_date_time;
    ours.copyright = None;
    ours.cicp = None;
    let written = ours.encode().ok()?;
    (written.len() <= KEPT_BYTES).then_some(written)
}

/// RGB or RGBA to sRGB; `None` if it is sRGB, or cannot be read.
pub(super) fn rgb_to_srgb(profile: &[u8], bitmap: &Bitmap) -> Option<Vec<u8>> {
    let parsed = ColorProfile::new_from_slice(profile).ok()?;
    if parsed.color_space != DataColorSpace::Rgb || is_srgb(&parsed) {
        return None;
    }
    convert(&parsed, bitmap)
}

/// Whether [`rgb_to_srgb`] leaves the numbers alone.
pub(super) fn is_plain_rgb(profile: &[u8]) -> bool {
    match ColorProfile::new_from_slice(profile) {
        Ok(parsed) => parsed.color_space != DataColorSpace::Rgb || is_srgb(&parsed),
        Err(_) => true,
    }
}

/// Whether [`gray_to_srgb`] leaves the numbers alone.
pub(super) fn is_plain_gray(profile: &[u8]) -> bool {
    match ColorProfile::new_from_slice(profile) {
        Ok(parsed) => parsed.color_space != DataColorSpace::Gray,
        Err(_) => true,
    }
}

/// CMYK to sRGB, without alpha.
pub(super) fn inks_to_srgb(profile: &[u8], bitmap: &Bitmap) -> Option<Vec<u8>> {
    let parsed = ColorProfile::new_from_slice(profile).ok()?;
    if parsed.color_space != DataColorSpace::Cmyk {
        return None;
    }
    let inks = narrowed(&bitmap.samples);
    let transform = parsed
        .create_transform_8bit(Channels::Rgba, &srgb(), Channels::Rgb, options(&parsed))
        .ok()?;
    let mut out = vec![0; inks.len() / 4 * 3];
    transform.transform(&inks, &mut out).ok()?;
    Some(out)
}

/// Gray by its curve alone: neutral stays neutral, in one channel.
pub(super) fn gray_to_srgb(profile: &[u8], bitmap: &Bitmap) -> Option<Vec<u8>> {
    let parsed = ColorProfile::new_from_slice(profile).ok()?;
    if parsed.color_space != DataColorSpace::Gray {
        return None;
    }
    let curve = evaluator(&parsed.gray_trc?)?;
    Some(recode_gray(bitmap, &curve))
}

/// RGB of H.273's code points to sRGB; gray of linear light too. `None` where the difference to
/// sRGB is a matter of form.
pub(super) fn code_points_to_srgb(primaries: u8, transfer: u8, bitmap: &Bitmap) -> Option<Vec<u8>> {
    if matches!(bitmap.layout, Layout::Gray | Layout::GrayAlpha) {
        return (transfer == LINEAR).then(|| recode_gray(bitmap, &Curve::identity()));
    }
    let primaries = match primaries {
        9 => CicpColorPrimaries::Bt2020,
        11 => CicpColorPrimaries::Smpte431,
        12 => CicpColorPrimaries::Smpte432,
        // Those of television, old and new: so near to sRGB that tools write them by habit.
        _ if transfer == LINEAR => CicpColorPrimaries::Bt709,
        _ => return None,
    };
    // BT.709's camera curve names the same pictures as sRGB's: both are shown with a display's.
    let transfer = if transfer == LINEAR {
        TransferCharacteristics::Linear
    } else {
        TransferCharacteristics::Srgb
    };
    let profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries: primaries,
        transfer_characteristics: transfer,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    convert(&profile, bitmap)
}

/// RGB or RGBA to sRGB, at the depth of the source: eight bits of linear light would show bands.
fn convert(profile: &ColorProfile, bitmap: &Bitmap) -> Option<Vec<u8>> {
    let channels = match bitmap.layout {
        Layout::Rgb => Channels::Rgb,
        Layout::Rgba => Channels::Rgba,
        _ => return None,
    };
    match &bitmap.samples {
        Samples::U8(samples) => {
            let transform = profile
                .create_transform_8bit(channels, &srgb(), channels, options(profile))
                .ok()?;
            let mut out = vec![0; samples.len()];
            transform.transform(samples, &mut out).ok()?;
            Some(out)
        }
        Samples::U16(samples) => {
            let transform = profile
                .create_transform_16bit(channels, &srgb(), channels, options(profile))
                .ok()?;
            let mut out = vec![0; samples.len()];
            transform.transform(samples, &mut out).ok()?;
            Some(out.into_iter().map(narrow).collect())
        }
    }
}

fn recode_gray(bitmap: &Bitmap, curve: &Curve) -> Vec<u8> {
    match &bitmap.samples {
        Samples::U8(samples) => recode(samples, bitmap.layout, curve),
        Samples::U16(samples) => recode(samples, bitmap.layout, curve),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of 255"
)]
fn recode<S: Sample>(samples: &[S], layout: Layout, curve: &Curve) -> Vec<u8> {
    let table: Vec<u8> = (0..=S::MAX)
        .map(|code| {
            let light = curve.light(f64::from(code) / f64::from(S::MAX));
            (light_to_srgb(light) * 255.0).round() as u8
        })
        .collect();
    let gray = |sample: S| table.get(sample.index()).copied().unwrap_or_default();
    if layout.has_alpha() {
        let pixel = |pixel: &[S]| [gray(pixel[0]), narrow(pixel[1].widened())];
        samples.chunks_exact(2).flat_map(pixel).collect()
    } else {
        samples.iter().copied().map(gray).collect()
    }
}

/// A profile that is three primaries and their curves, and nothing more.
fn matrix_profile(bytes: &[u8]) -> Option<ColorProfile> {
    let profile = ColorProfile::new_from_slice(bytes).ok()?;
    let tables =
        profile.lut_a_to_b_perceptual.is_some() || profile.lut_a_to_b_colorimetric.is_some();
    let matrix = profile.color_space == DataColorSpace::Rgb && profile.is_matrix_shaper();
    (matrix && !tables).then_some(profile)
}

fn is_srgb(profile: &ColorProfile) -> bool {
    if !profile.is_matrix_shaper() {
        return false;
    }
    let matrix = relative_to_srgb(profile);
    let near_identity = (0..3).all(|row| {
        (0..3).all(|column| {
            let identity = f64::from(u8::from(row == column));
            (matrix[row][column] - identity).abs() < 5.0 * NEARLY
        })
    });
    let curves = [&profile.red_trc, &profile.green_trc, &profile.blue_trc];
    let near_srgb = |curve: &Curve| {
        (0..=16).map(|step| f64::from(step) / 16.0).all(|code| {
            (light_to_srgb(curve.light(code)) - light_to_srgb(srgb_to_light(code))).abs() < NEARLY
        })
    };
    near_identity
        && curves.into_iter().all(|curve| {
            let curve = curve.as_ref().and_then(evaluator);
            curve.is_some_and(|curve| near_srgb(&curve))
        })
}

/// The profile's primaries as shares of sRGB's, in linear light: a column a primary.
fn relative_to_srgb(profile: &ColorProfile) -> [[f64; 3]; 3] {
    (srgb().colorant_matrix().inverse() * profile.colorant_matrix()).v
}

fn evaluator(curve: &ToneReprCurve) -> Option<Curve> {
    let evaluator = curve.make_linear_evaluator().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "a share from 0 to 1")]
    Curve::new(move |code| f64::from(evaluator.evaluate_value(code as f32)))
}

fn srgb() -> ColorProfile {
    ColorProfile::new_srgb()
}

/// Relative colorimetric, as browsers do it; by the perceptual table where a profile has only that
/// one (which the specification calls the table for all intents then).
fn options(profile: &ColorProfile) -> TransformOptions {
    let perceptual =
        profile.lut_a_to_b_perceptual.is_some() && profile.lut_a_to_b_colorimetric.is_none();
    TransformOptions {
        rendering_intent: if perceptual {
            RenderingIntent::Perceptual
        } else {
            RenderingIntent::RelativeColorimetric
        },
        ..TransformOptions::default()
    }
}
