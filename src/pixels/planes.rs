//! A lossy picture as it is coded: luma and two colour differences, a plane each, eight bits.
//!
//! JPEG, WebP and AVIF all store these planes, by the same matrix (ITU-R BT.601) and mostly with
//! colour at half the resolution. A picture that stays in them from decoder to encoder is never
//! converted to RGB and back, and costs 1.5 bytes a pixel instead of 3.

use super::{bitmap::Colour, geometry::Size};

/// Samples of one component.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    /// Samples across and down that are held, without padding between rows.
    pub size: Size,
    /// How much of that the picture covers, from the top left: decoders give whole blocks, and a
    /// picture of 4001 pixels at an eighth covers 500.125 samples.
    pub extent: (f64, f64),
    /// Rows from the top.
    pub samples: Vec<u8>,
}

/// What the numbers of the planes span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// 0 to 255, as in JPEG.
    Full,
    /// Luma 16 to 235, colour 16 to 240, as in WebP.
    Limited,
}

/// A picture in planes of BT.601.
#[derive(Clone, Debug, PartialEq)]
pub struct Planes {
    /// Brightness.
    pub luma: Plane,
    /// Blue and red differences, at any resolution of their own, both alike; their samples lie
    /// centred on the luma samples that they cover. `None`: gray.
    pub chroma: Option<[Plane; 2]>,
    /// What the numbers span.
    pub range: Range,
    /// What the RGB that they stand for means.
    pub colour: Colour,
}

impl Plane {
    /// Whether there are as many samples as the size says, and the extent lies within it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let within = |extent: f64, side: u32| extent > 0.0 && extent <= f64::from(side);
        within(self.extent.0, self.size.width)
            && within(self.extent.1, self.size.height)
            && self.size.pixels() == self.samples.len() as u64
    }
}

impl Planes {
    /// Whether every plane is complete. Codecs promise it; everything after them relies on it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let mut planes = std::iter::once(&self.luma).chain(self.chroma.iter().flatten());
        planes.all(Plane::is_complete)
    }

    /// Bytes of the samples.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let planes = std::iter::once(&self.luma).chain(self.chroma.iter().flatten());
        planes.map(|plane| plane.samples.len() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(samples: usize, extent: (f64, f64), complete: bool) {
        let plane = Plane {
            size: Size::new(4, 2),
            extent,
            samples: vec![0; samples],
        };
        assert_eq!(plane.is_complete(), complete);
    }

    #[test]
    fn a_plane_is_as_long_as_it_says() {
        check(8, (3.5, 2.0), true);
        check(7, (3.5, 2.0), false);
        check(8, (4.1, 2.0), false);
        check(8, (4.0, 0.0), false);
    }
}
