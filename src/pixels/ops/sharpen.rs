//! Unsharp mask: what a slight blur takes away is added once more.

use crate::pixels::{
    bitmap::{Raster, colours},
    codec,
};

/// Standard deviation of the blur, in output pixels: fine edges, no halos.
const SIGMA: f32 = 1.0;

/// `pixel + strength × (pixel − blurred pixel)`, on coded colours; alpha stays.
///
/// # Errors
/// [`codec::Error::Cancelled`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 … 255"
)]
pub fn sharpen(
    raster: &mut Raster,
    strength: f32,
    cancel: &codec::Cancel,
) -> Result<(), codec::Error> {
    if strength <= 0.0 {
        return Ok(());
    }
    let mut soft = raster.clone();
    super::blur::blur(&mut soft, SIGMA, cancel)?;
    let channels = raster.layout.channels();
    let colours = colours(raster.layout);
    let pixels = raster.samples.chunks_exact_mut(channels);
    for (pixel, soft) in pixels.zip(soft.samples.chunks_exact(channels)) {
        for (sharp, soft) in pixel[..colours].iter_mut().zip(soft) {
            let (value, soft) = (f32::from(*sharp), f32::from(*soft));
            *sharp = (value + strength * (value - soft))
                .round()
                .clamp(0.0, 255.0) as u8;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{
        bitmap::{Colour, Layout},
        geometry::Size,
    };

    fn edge(strength: f32) -> Vec<u8> {
        let mut raster = Raster {
            size: Size::new(8, 1),
            layout: Layout::GrayAlpha,
            samples: [[100, 255]; 4]
                .into_iter()
                .chain([[150, 255]; 4])
                .flatten()
                .collect(),
            colour: Colour::Srgb,
        };
        sharpen(&mut raster, strength, &codec::Cancel::default()).unwrap();
        raster
            .samples
            .chunks_exact(2)
            .map(|pixel| pixel[0])
            .collect()
    }

    #[test]
    fn an_edge_becomes_steeper() {
        let sharp = edge(1.0);
        assert!(sharp[3] < 100 && sharp[4] > 150, "{sharp:?}");
        assert_eq!((sharp[0], sharp[7]), (100, 150));
    }

    #[test]
    fn more_strength_is_steeper() {
        assert!(edge(2.0)[3] < edge(0.5)[3]);
        assert_eq!(edge(0.0), [100, 100, 100, 100, 150, 150, 150, 150]);
    }
}
