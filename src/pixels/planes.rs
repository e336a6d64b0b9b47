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

/// How much finer luma is than the colour differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// There are no colour differences.
    Gray,
    /// Each of their samples covers so many of luma.
    Colour {
        /// Across, at least 1.
        across: u32,
        /// Down, at least 1.
        down: u32,
    },
}

impl Sampling {
    /// Colour at half the resolution, both ways: what 4:2:0 means.
    pub const HALVED: Self = Self::Colour { across: 2, down: 2 };
    /// Colour at the resolution of luma: 4:4:4.
    pub const FULL: Self = Self::Colour { across: 1, down: 1 };

    /// Samples of a colour plane beside so many of luma, rounded up.
    #[must_use]
    pub const fn chroma(self, luma: Size) -> Option<Size> {
        match self {
            Self::Gray => None,
            Self::Colour { across, down } => Some(Size::new(
                luma.width.div_ceil(across),
                luma.height.div_ceil(down),
            )),
        }
    }
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

impl Plane {
    /// Each sample the mean of so many, across and down, at least one; of those that there are,
    /// where the last is cut short.
    #[must_use]
    pub fn coarser(self, across: u32, down: u32) -> Self {
        let (across, down) = (across.max(1), down.max(1));
        if (across, down) == (1, 1) {
            return self;
        }
        let size = Size::new(
            self.size.width.div_ceil(across),
            self.size.height.div_ceil(down),
        );
        let width = self.size.width as usize;
        let mut samples = Vec::with_capacity(size.width as usize * size.height as usize);
        let mut sums = vec![0; size.width as usize];
        for rows in self.samples.chunks(width * down as usize) {
            sums.fill(0_u32);
            for row in rows.chunks(width) {
                for (sum, own) in sums.iter_mut().zip(row.chunks(across as usize)) {
                    *sum += own.iter().copied().map(u32::from).sum::<u32>();
                }
            }
            let tall = rows.len() / width;
            let wide = |at: usize| (width - at * across as usize).min(across as usize);
            let mean = |(at, sum): (usize, &u32)| {
                let count = u32::try_from(wide(at) * tall).unwrap_or(u32::MAX).max(1);
                u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX)
            };
            samples.extend(sums.iter().enumerate().map(mean));
        }
        Self {
            size,
            extent: (
                self.extent.0 / f64::from(across),
                self.extent.1 / f64::from(down),
            ),
            samples,
        }
    }
}

impl Planes {
    /// Whether every plane is complete. Codecs promise it; everything after them relies on it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let mut planes = std::iter::once(&self.luma).chain(self.chroma.iter().flatten());
        planes.all(Plane::is_complete)
    }

    /// With numbers that span this.
    #[must_use]
    pub fn spanning(mut self, range: Range) -> Self {
        // Codes above the lowest one, and how many they become.
        let [(luma, from, to), (chroma, narrow, wide)] = match (self.range, range) {
            (Range::Full, Range::Limited) => [([0, 16], 255, 219), ([128, 128], 255, 224)],
            (Range::Limited, Range::Full) => [([16, 0], 219, 255), ([128, 128], 224, 255)],
            _ => return self,
        };
        rescale(&mut self.luma.samples, luma, from, to);
        for plane in self.chroma.iter_mut().flatten() {
            rescale(&mut plane.samples, chroma, narrow, wide);
        }
        self.range = range;
        self
    }

    /// Bytes of the samples.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let planes = std::iter::once(&self.luma).chain(self.chroma.iter().flatten());
        planes.map(|plane| plane.samples.len() as u64).sum()
    }
}

/// `(sample - before) * to / from + after`, to the nearest code.
#[expect(clippy::cast_sign_loss, reason = "clamped to eight bits")]
fn rescale(samples: &mut [u8], [before, after]: [i32; 2], from: i32, to: i32) {
    // In 65536ths, so that several samples at a time are a multiplication and a shift.
    let factor = (to * 65_536 + from / 2) / from;
    for sample in samples {
        let scaled = ((i32::from(*sample) - before) * factor + 32_768) >> 16;
        *sample = (scaled + after).clamp(0, 255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_meet_at_black_white_and_gray() {
        let planes = |luma: &[u8], chroma: &[u8], range| {
            let plane = |samples: &[u8]| Plane {
                size: Size::new(3, 1),
                extent: (3.0, 1.0),
                samples: samples.to_vec(),
            };
            Planes {
                luma: plane(luma),
                chroma: Some([plane(chroma), plane(chroma)]),
                range,
                colour: Colour::Srgb,
            }
        };
        let full = planes(&[0, 128, 255], &[1, 128, 255], Range::Full);
        let limited = planes(&[16, 126, 235], &[16, 128, 240], Range::Limited);
        assert_eq!(full.clone().spanning(Range::Limited), limited);
        assert_eq!(full.clone().spanning(Range::Full), full);
        let back = limited.spanning(Range::Full);
        assert_eq!(back.luma.samples, [0, 128, 255]);
        let beyond = planes(&[0, 15, 255], &[0, 128, 255], Range::Limited);
        let clamped = beyond.spanning(Range::Full);
        assert_eq!(clamped.luma.samples, [0, 0, 255]);
        assert_eq!(clamped.range, Range::Full);
    }

    #[test]
    fn odd_sides_have_half_a_colour_sample_more() {
        let luma = Size::new(5, 4);
        assert_eq!(Sampling::HALVED.chroma(luma), Some(Size::new(3, 2)));
        assert_eq!(Sampling::FULL.chroma(luma), Some(luma));
        assert_eq!(Sampling::Gray.chroma(luma), None);
    }

    #[test]
    fn coarser_planes_are_means() {
        let plane = Plane {
            size: Size::new(3, 3),
            extent: (3.0, 3.0),
            samples: vec![0, 4, 9, 8, 12, 10, 100, 101, 7],
        };
        let halved = plane.clone().coarser(2, 2);
        assert_eq!(halved.size, Size::new(2, 2));
        assert_eq!(halved.samples, [6, 10, 101, 7]);
        assert_eq!(plane.clone().coarser(2, 1).samples, [2, 9, 10, 10, 101, 7]);
        assert_eq!(plane.clone().coarser(1, 1), plane);
    }

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
