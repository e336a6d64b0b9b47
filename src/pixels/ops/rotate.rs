//! Turning by any angle, about the middle, on a canvas that holds the whole turned picture.

use crate::pixels::{
    bitmap::{Raster, rgba},
    codec,
    geometry::Size,
};

/// The canvas of a picture turned by whole degrees.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive; `as` saturates, and the limits on outputs are far below"
)]
pub fn canvas(size: Size, degrees: u16) -> Size {
    let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    // Sides that are whole but for rounding stay so.
    let whole = |length: f64| (length - 1e-6).ceil().max(1.0) as u32;
    Size::new(
        whole(width * cos.abs() + height * sin.abs()),
        whole(width * sin.abs() + height * cos.abs()),
    )
}

/// Turns clockwise by whole degrees, with this colour in the corners. Bilinear, weighted by alpha.
///
/// # Errors
/// [`codec::Error::Cancelled`].
pub fn rotate(
    raster: Raster,
    degrees: u16,
    corners: [u8; 4],
    cancel: &codec::Cancel,
) -> Result<Raster, codec::Error> {
    if degrees.is_multiple_of(360) {
        return Ok(raster);
    }
    let coloured = corners[0] != corners[1] || corners[1] != corners[2];
    let raster = raster.expanded(coloured, corners[3] < 255);
    let size = canvas(raster.size, degrees);
    let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
    let middle = |side: u32| f64::from(side) / 2.0;
    let channels = raster.layout.channels();
    let mut samples = Vec::with_capacity(size.width as usize * size.height as usize * channels);
    for y in 0..size.height {
        cancel.check()?;
        let down = f64::from(y) + 0.5 - middle(size.height);
        for x in 0..size.width {
            let across = f64::from(x) + 0.5 - middle(size.width);
            let from_x = across * cos + down * sin + middle(raster.size.width) - 0.5;
            let from_y = down * cos - across * sin + middle(raster.size.height) - 0.5;
            let pixel = between(&raster, from_x, from_y, corners);
            match channels {
                1 => samples.push(pixel[0]),
                2 => samples.extend_from_slice(&[pixel[0], pixel[3]]),
                _ => samples.extend_from_slice(&pixel[..channels]),
            }
        }
    }
    Ok(Raster {
        size,
        samples,
        ..raster
    })
}

/// The mean of the four pixels around a point; outside of the picture lies `outside`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places are checked against the sides; means of samples are 0 … 255"
)]
fn between(raster: &Raster, x: f64, y: f64, outside: [u8; 4]) -> [u8; 4] {
    let (left, top) = (x.floor(), y.floor());
    let (right_share, bottom_share) = (x - left, y - top);
    let mut sums = [0.0; 4];
    for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
        let share_x = if dx > 0.0 {
            right_share
        } else {
            1.0 - right_share
        };
        let share_y = if dy > 0.0 {
            bottom_share
        } else {
            1.0 - bottom_share
        };
        let pixel = pixel_at(raster, left + dx, top + dy).unwrap_or(outside);
        let weight = share_x * share_y * f64::from(pixel[3]);
        for channel in 0..3 {
            sums[channel] += f64::from(pixel[channel]) * weight;
        }
        sums[3] += weight;
    }
    let alpha = sums[3];
    if alpha <= 0.0 {
        return [0; 4];
    }
    let colour = |sum: f64| (sum / alpha).round() as u8;
    [
        colour(sums[0]),
        colour(sums[1]),
        colour(sums[2]),
        alpha.round() as u8,
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole numbers that are checked against the sides"
)]
fn pixel_at(raster: &Raster, x: f64, y: f64) -> Option<[u8; 4]> {
    let inside = |place: f64, side: u32| place >= 0.0 && place < f64::from(side);
    if !inside(x, raster.size.width) || !inside(y, raster.size.height) {
        return None;
    }
    let channels = raster.layout.channels();
    let at = (y as usize * raster.size.width as usize + x as usize) * channels;
    Some(rgba(raster.layout, raster.samples.get(at..at + channels)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{
        bitmap::{Colour, Layout},
        geometry::Turn,
        ops::orient::orient,
    };

    fn numbered(width: u32, height: u32) -> Raster {
        Raster {
            size: Size::new(width, height),
            layout: Layout::Gray,
            samples: (0..width * height)
                .map(|n| u8::try_from(n * 7 % 251).unwrap())
                .collect(),
            colour: Colour::Srgb,
        }
    }

    #[test]
    fn quarter_turns_agree_with_exact_ones() {
        for quarters in 1..4 {
            let turned = rotate(
                numbered(5, 3),
                quarters * 90,
                [255; 4],
                &codec::Cancel::default(),
            );
            assert_eq!(
                turned.unwrap(),
                orient(numbered(5, 3), Turn::quarters(quarters))
            );
        }
    }

    #[test]
    fn the_canvas_holds_the_turned_picture() {
        assert_eq!(canvas(Size::new(100, 100), 45), Size::new(142, 142));
        assert_eq!(canvas(Size::new(100, 50), 180), Size::new(100, 50));
        assert_eq!(canvas(Size::new(1, 1), 30), Size::new(2, 2));
    }

    #[test]
    fn corners_take_the_colour() {
        let turned = rotate(
            numbered(20, 20),
            45,
            [1, 2, 3, 255],
            &codec::Cancel::default(),
        )
        .unwrap();
        assert_eq!(
            (turned.layout, &turned.samples[..3]),
            (Layout::Rgb, &[1, 2, 3][..])
        );
        let turned = rotate(numbered(20, 20), 45, [0; 4], &codec::Cancel::default()).unwrap();
        assert_eq!(
            (turned.layout, &turned.samples[..2]),
            (Layout::GrayAlpha, &[0, 0][..])
        );
    }

    #[test]
    fn a_plain_picture_stays_plain_inside() {
        let mut plain = numbered(21, 21);
        plain.samples.fill(90);
        let turned = rotate(plain, 30, [90, 90, 90, 255], &codec::Cancel::default()).unwrap();
        assert!(turned.samples.iter().all(|&sample| sample == 90));
    }
}
