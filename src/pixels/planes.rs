//! A lossy picture as it is coded: luma and two colour differences, a plane each, eight bits.
//!
//! JPEG, WebP and AVIF all store these planes, by the same matrix (ITU-R BT.601) and mostly with
//! colour at half the resolution. A picture that stays in them from decoder to encoder is never
//! converted to RGB and back, and costs 1.5 bytes a pixel instead of 3.

use super::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    geometry::{Rect, Size},
};

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

    fn whole(size: Size, samples: Vec<u8>) -> Self {
        Self {
            size,
            extent: (size.width.into(), size.height.into()),
            samples,
        }
    }

    fn cut(&self, part: Rect) -> Self {
        let rows = self.samples.chunks_exact(self.size.width as usize);
        let rows = rows.skip(part.y as usize).take(part.height as usize);
        let (from, length) = (part.x as usize, part.width as usize);
        let samples = rows.flat_map(|row| &row[from..][..length]).copied();
        Self::whole(part.size(), samples.collect())
    }

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
            if (across, down) == (2, 2) && rows.len() == width * 2 {
                samples.extend(halved(rows.split_at(width)));
                continue;
            }
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

/// Means of four samples each: what most planes of colour are made by. The last two stand alone where
/// the rows are of an odd length.
fn halved<'a>((upper, lower): (&'a [u8], &'a [u8])) -> impl Iterator<Item = u8> + 'a {
    let mean = |sum: u16, bits: u32| ((sum + (1 << bits >> 1)) >> bits).to_le_bytes()[0];
    let ((upper, above), (lower, below)) = (upper.as_chunks::<2>(), lower.as_chunks::<2>());
    let fours = upper
        .iter()
        .zip(lower)
        .map(move |([a, b], [c, d])| mean([a, b, c, d].map(|s| u16::from(*s)).iter().sum(), 2));
    let last = above.iter().zip(below);
    fours.chain(last.map(move |(a, b)| mean(u16::from(*a) + u16::from(*b), 1)))
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

    /// With colour at this resolution, where it is at that of luma: means of as many samples as
    /// become one. At the edges, of those that there are.
    #[must_use]
    pub fn sampled(&self, sampling: Sampling) -> Self {
        let mut planes = self.clone();
        let Sampling::Colour { across, down } = sampling else {
            return planes;
        };
        for plane in planes.chroma.iter_mut().flatten() {
            if plane.size == self.luma.size && (across, down) != (1, 1) {
                *plane = plane.clone().coarser(across, down);
            }
        }
        planes
    }

    /// Part of it, where colour is at the resolution of luma. The part must lie within.
    #[must_use]
    pub fn cut(&self, part: Rect) -> Self {
        let of = |plane: &Plane| plane.cut(part);
        Self {
            luma: of(&self.luma),
            chroma: self.chroma.as_ref().map(|[blue, red]| [of(blue), of(red)]),
            range: self.range,
            colour: self.colour.clone(),
        }
    }

    /// As it is seen, where colour is at the resolution of luma: gray, or red, green and blue.
    #[must_use]
    pub fn seen(&self) -> Bitmap {
        let full = self.clone().spanning(Range::Full);
        let Planes { luma, chroma, .. } = full;
        let (layout, samples) = match chroma {
            None => (Layout::Gray, luma.samples),
            Some([blue, red]) => (Layout::Rgb, rgb(&luma.samples, &blue.samples, &red.samples)),
        };
        Bitmap {
            size: luma.size,
            layout,
            samples: Samples::U8(samples),
            colour: self.colour.clone(),
        }
    }

    /// Bytes of the samples.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let planes = std::iter::once(&self.luma).chain(self.chroma.iter().flatten());
        planes.map(|plane| plane.samples.len() as u64).sum()
    }
}

/// BT.601's matrix, full range, in 65536ths.
#[expect(clippy::cast_sign_loss, reason = "clamped to eight bits")]
fn rgb(luma: &[u8], blue: &[u8], red: &[u8]) -> Vec<u8> {
    let mut pixels = vec![0; luma.len() * 3];
    let samples = luma.iter().zip(blue).zip(red);
    for (pixel, ((luma, blue), red)) in pixels.as_chunks_mut::<3>().0.iter_mut().zip(samples) {
        let light = (i32::from(*luma) << 16) + 32_768;
        let (blue, red) = (i32::from(*blue) - 128, i32::from(*red) - 128);
        let coded = |sum: i32| (sum >> 16).clamp(0, 255) as u8;
        *pixel = [
            coded(light + 91_881 * red),
            coded(light - 22_554 * blue - 46_802 * red),
            coded(light + 116_130 * blue),
        ];
    }
    pixels
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
        let tall = Plane {
            size: Size::new(3, 2),
            ..plane.clone()
        };
        let tall = Plane {
            samples: vec![0, 4, 9, 8, 13, 10],
            ..tall
        };
        assert_eq!(tall.coarser(2, 2).samples, [6, 10]);
        assert_eq!(plane.clone().coarser(2, 1).samples, [2, 9, 10, 10, 101, 7]);
        assert_eq!(plane.clone().coarser(1, 1), plane);
    }

    /// Gray samples of a row, and colour beside them.
    fn row_of(luma: &[u8], chroma: &[u8]) -> Planes {
        let size = Size::new(u32::try_from(luma.len()).unwrap(), 1);
        let plane = |samples: &[u8]| Plane::whole(size, samples.to_vec());
        Planes {
            luma: plane(luma),
            chroma: Some([plane(chroma), plane(chroma)]),
            range: Range::Full,
            colour: Colour::Srgb,
        }
    }

    #[test]
    fn colour_at_half_the_resolution_is_a_mean() {
        let planes = row_of(&[9, 9, 9, 9, 9], &[10, 20, 30, 33, 50]);
        let halved = planes.sampled(Sampling::HALVED);
        assert!(halved.is_complete());
        let [blue, red] = halved.chroma.unwrap();
        assert_eq!(blue.samples, [15, 32, 50]);
        assert_eq!(
            (blue.size, halved.luma),
            (Size::new(3, 1), planes.luma.clone())
        );
        assert_eq!(red, blue);
        assert_eq!(planes.sampled(Sampling::FULL), planes);
        assert_eq!(planes.sampled(Sampling::Gray), planes);
    }

    #[test]
    fn a_part_is_cut_of_every_plane() {
        let part = Rect {
            x: 1,
            y: 0,
            width: 2,
            height: 1,
        };
        let cut = row_of(&[1, 2, 3, 4], &[5, 6, 7, 8]).cut(part);
        assert_eq!(cut, row_of(&[2, 3], &[6, 7]));
    }

    #[test]
    fn planes_are_seen_as_rgb() {
        let seen = |planes: &Planes| match planes.seen().samples {
            Samples::U8(samples) => samples,
            Samples::U16(_) => Vec::new(),
        };
        assert_eq!(
            seen(&row_of(&[0, 77, 255], &[128; 3])),
            [0, 0, 0, 77, 77, 77, 255, 255, 255]
        );
        // Red.
        let mut planes = row_of(&[76], &[85]);
        if let Some([_, red]) = &mut planes.chroma {
            red.samples = vec![255];
        }
        assert_eq!(seen(&planes), [254, 0, 0]);
        let limited = planes.clone().spanning(Range::Limited);
        assert_eq!(seen(&limited), [254, 0, 0]);
        planes.chroma = None;
        assert_eq!(planes.seen().layout, Layout::Gray);
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
