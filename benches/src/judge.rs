//! How much a picture differs from what it should be: SSIMULACRA2 and Butteraugli.

use butteraugli::{ButteraugliParams, ImgVec, RGB, butteraugli_linear};
use ssimulacra2::{LinearRgb, compute_frame_ssimulacra2};

use crate::{Result, light::Light};

/// SSIMULACRA2 of a picture beside its reference: 100 is the same, 90 looks the same, 70 is good,
/// 50 is what small files look like.
///
/// # Errors
/// The sizes differ, or a side has less than 8 pixels.
pub fn ssimulacra2(reference: &Light, picture: &Light) -> Result<f64> {
    let image = |light: &Light| LinearRgb::new(light.samples.clone(), light.width, light.height);
    Ok(compute_frame_ssimulacra2(
        image(reference)?,
        image(picture)?,
    )?)
}

/// Butteraugli's 3-norm of a picture beside its reference: 0 is the same, below 1 looks the same.
///
/// # Errors
/// As [`ssimulacra2`].
pub fn butteraugli(reference: &Light, picture: &Light) -> Result<f64> {
    let image = |light: &Light| {
        let samples = light.samples.iter().map(|&sample| RGB::from(sample));
        ImgVec::new(samples.collect(), light.width, light.height)
    };
    let (reference, picture) = (image(reference), image(picture));
    let parameters = ButteraugliParams::default();
    let result = butteraugli_linear(reference.as_ref(), picture.as_ref(), &parameters)?;
    Ok(result.pnorm_3)
}
