//! Gaussian blur, on coded numbers, as CSS's `blur()` does it; the edges are drawn out.
//!
//! Small radii are convolved exactly. From `BOXES_FROM` on, three box filters stand in for the
//! bell (they differ from it by about 3 %), so that the time does not grow with the radius.

use crate::pixels::{bitmap::Raster, codec};

/// The standard deviation from which boxes are used: below, their whole-pixel widths are coarse.
const BOXES_FROM: f32 = 2.0;

/// Blurs by a standard deviation in pixels; colour is weighted by its alpha.
///
/// # Errors
/// [`codec::Error::Cancelled`].
pub fn blur(raster: &mut Raster, sigma: f32, cancel: &codec::Cancel) -> Result<(), codec::Error> {
    if sigma <= 0.0 {
        return Ok(());
    }
    let filter = Filter::new(sigma);
    let channels = raster.layout.channels();
    let alpha = raster
        .layout
        .has_alpha()
        .then(|| plane(raster, channels - 1));
    let blurred_alpha = match &alpha {
        Some(plane) => Some(filter.run(plane.clone(), raster, cancel)?),
        None => None,
    };
    for channel in 0..channels - usize::from(alpha.is_some()) {
        let mut colour = plane(raster, channel);
        if let Some(alpha) = &alpha {
            weigh(&mut colour, alpha, |colour, alpha| colour * alpha / 255.0);
        }
        let mut colour = filter.run(colour, raster, cancel)?;
        if let Some(alpha) = &blurred_alpha {
            weigh(&mut colour, alpha, |colour, alpha| {
                if alpha > 0.0 {
                    colour * 255.0 / alpha
                } else {
                    0.0
                }
            });
        }
        put(raster, channel, &colour);
    }
    if let Some(alpha) = blurred_alpha {
        put(raster, channels - 1, &alpha);
    }
    Ok(())
}

fn weigh(colour: &mut [f32], alpha: &[f32], with: impl Fn(f32, f32) -> f32) {
    for (colour, alpha) in colour.iter_mut().zip(alpha) {
        *colour = with(*colour, *alpha);
    }
}

fn plane(raster: &Raster, channel: usize) -> Vec<f32> {
    let samples = raster.samples.iter().skip(channel);
    samples
        .step_by(raster.layout.channels())
        .map(|&sample| f32::from(sample))
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 … 255"
)]
fn put(raster: &mut Raster, channel: usize, plane: &[f32]) {
    let channels = raster.layout.channels();
    let samples = raster.samples.iter_mut().skip(channel).step_by(channels);
    for (sample, value) in samples.zip(plane) {
        *sample = value.round().clamp(0.0, 255.0) as u8;
    }
}

/// What runs along each line.
enum Filter {
    /// The bell: the weights from the middle outwards.
    Bell(Vec<f32>),
    /// Radii of three boxes.
    Boxes([usize; 3]),
}

impl Filter {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "small numbers; a radius past any picture is cut to its side"
    )]
    fn new(sigma: f32) -> Self {
        if sigma < BOXES_FROM {
            let reach = (sigma * 3.0).ceil() as usize;
            let bell = |place: usize| (-((place * place) as f32) / (2.0 * sigma * sigma)).exp();
            let weights: Vec<f32> = (0..=reach).map(bell).collect();
            let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
            return Self::Bell(weights.iter().map(|weight| weight / sum).collect());
        }
        // n boxes of width w have a variance of n (w² − 1) / 12; of the three, as many take the
        // lower odd width as brings the sum nearest to σ² (P. Kovesi, 2010).
        let ideal = (12.0 * sigma * sigma / 3.0 + 1.0).sqrt();
        let lower = {
            let floor = ideal.floor() as usize;
            floor - usize::from(floor.is_multiple_of(2))
        };
        let width = lower as f32;
        let narrow = (12.0 * sigma * sigma - 3.0 * width * width - 12.0 * width - 9.0)
            / (-4.0 * width - 4.0);
        let radius = (lower - 1) / 2;
        let of = |place: usize| radius + usize::from(place as f32 + 0.5 > narrow);
        Self::Boxes([of(0), of(1), of(2)])
    }

    /// Along the rows, then along the columns.
    fn run(
        &self,
        mut plane: Vec<f32>,
        raster: &Raster,
        cancel: &codec::Cancel,
    ) -> Result<Vec<f32>, codec::Error> {
        let (width, height) = (raster.size.width as usize, raster.size.height as usize);
        let mut line = Vec::new();
        for row in plane.chunks_exact_mut(width) {
            self.line(row, &mut line);
        }
        cancel.check()?;
        let mut column = vec![0.0; height];
        for x in 0..width {
            for (y, value) in column.iter_mut().enumerate() {
                *value = plane[y * width + x];
            }
            self.line(&mut column, &mut line);
            for (y, value) in column.iter().enumerate() {
                plane[y * width + x] = *value;
            }
        }
        cancel.check()?;
        Ok(plane)
    }

    fn line(&self, values: &mut [f32], scratch: &mut Vec<f32>) {
        match self {
            Self::Bell(weights) => bell(values, weights, scratch),
            Self::Boxes(radii) => {
                for radius in radii {
                    average(values, *radius, scratch);
                }
            }
        }
    }
}

fn bell(values: &mut [f32], weights: &[f32], scratch: &mut Vec<f32>) {
    scratch.clear();
    scratch.extend_from_slice(values);
    let last = values.len() - 1;
    for (place, value) in values.iter_mut().enumerate() {
        *value = scratch[place] * weights[0];
        for (distance, weight) in weights.iter().enumerate().skip(1) {
            let before = scratch[place.saturating_sub(distance)];
            let after = scratch[(place + distance).min(last)];
            *value += (before + after) * weight;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture's side")]
fn average(values: &mut [f32], radius: usize, scratch: &mut Vec<f32>) {
    scratch.clear();
    scratch.extend_from_slice(values);
    let last = values.len() - 1;
    // A wider box sees nothing but more of the same edges.
    let radius = radius.min(values.len());
    let at = |place: usize| f64::from(scratch[place.min(last)]);
    let mut sum = f64::from(scratch[0]) * (radius + 1) as f64;
    sum += (1..=radius).map(at).sum::<f64>();
    let share = 1.0 / (2 * radius + 1) as f64;
    for (place, value) in values.iter_mut().enumerate() {
        #[expect(clippy::cast_possible_truncation, reason = "a mean of samples")]
        let mean = (sum * share) as f32;
        *value = mean;
        sum += at(place + radius + 1) - at(place.saturating_sub(radius));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{
        bitmap::{Colour, Layout},
        geometry::Size,
    };

    fn dot(side: u32, sigma: f32) -> Vec<u8> {
        let mut samples = vec![0; (side * side) as usize];
        samples[(side * side / 2) as usize] = 255;
        let mut raster = Raster {
            size: Size::new(side, side),
            layout: Layout::Gray,
            samples,
            colour: Colour::Srgb,
        };
        blur(&mut raster, sigma, &codec::Cancel::default()).unwrap();
        raster.samples
    }

    #[test]
    fn nothing_blurs_nothing() {
        assert_eq!(dot(3, 0.0), [0, 0, 0, 0, 255, 0, 0, 0, 0]);
    }

    #[test]
    fn a_dot_becomes_a_bell() {
        // 255 / (2 π σ²) in the middle.
        assert!(dot(15, 1.0)[7 * 15 + 7].abs_diff(41) <= 1);
        assert!(dot(31, 2.5)[15 * 31 + 15].abs_diff(6) <= 1);
    }

    #[test]
    fn a_plain_picture_stays_plain() {
        for sigma in [0.3, 1.9, 2.0, 7.0, 500.0] {
            let mut raster = Raster {
                size: Size::new(7, 3),
                layout: Layout::Rgba,
                samples: [10, 20, 30, 200].repeat(21),
                colour: Colour::Srgb,
            };
            let before = raster.clone();
            blur(&mut raster, sigma, &codec::Cancel::default()).unwrap();
            assert_eq!(raster, before, "σ {sigma}");
        }
    }

    #[test]
    fn clear_pixels_bleed_no_colour() {
        let mut raster = Raster {
            size: Size::new(2, 1),
            layout: Layout::Rgba,
            samples: vec![0, 255, 0, 0, 200, 0, 0, 255],
            colour: Colour::Srgb,
        };
        blur(&mut raster, 3.0, &codec::Cancel::default()).unwrap();
        assert_eq!(&raster.samples[..3], &[200, 0, 0]);
        assert!(raster.samples[3] > 60);
    }

    #[test]
    fn it_can_be_called_off() {
        let cancel = codec::Cancel::default();
        cancel.cancel();
        let mut raster = Raster {
            size: Size::new(1, 1),
            layout: Layout::Gray,
            samples: vec![0],
            colour: Colour::Srgb,
        };
        assert!(matches!(
            blur(&mut raster, 1.0, &cancel),
            Err(codec::Error::Cancelled)
        ));
    }
}
