//! Decoded pixels, and what is known of their colour.

use std::sync::Arc;

use super::geometry::Size;

/// What one pixel holds, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// One sample.
    Gray,
    /// Two samples; alpha last, not premultiplied.
    GrayAlpha,
    /// Three samples.
    Rgb,
    /// Four samples; alpha last, not premultiplied.
    Rgba,
    /// Four inks, 0 is no ink (codecs undo Adobe's inversion). Never leaves `colour`.
    Cmyk,
}

impl Layout {
    /// Samples a pixel.
    #[must_use]
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }

    /// Whether the last sample is alpha.
    #[must_use]
    pub const fn has_alpha(self) -> bool {
        matches!(self, Self::GrayAlpha | Self::Rgba)
    }
}

/// Interleaved samples, rows from the top, no padding between them.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// 0 to 255.
    U8(Vec<u8>),
    /// 0 to 65535, whatever the depth in the file.
    U16(Vec<u16>),
}

/// What the numbers mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// sRGB, said or assumed.
    #[default]
    Srgb,
    /// An ICC profile, as embedded.
    Icc(Arc<[u8]>),
    /// Code points of ITU-T H.273, where the file has them instead of a profile:
    /// primaries and transfer characteristics (the matrix is undone by the codec).
    Cicp {
        /// Table 2.
        primaries: u8,
        /// Table 3.
        transfer: u8,
    },
}

/// A picture in memory: `size.width × size.height × layout.channels()` samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Bitmap {
    /// Pixels across and down.
    pub size: Size,
    /// What a pixel holds.
    pub layout: Layout,
    /// The numbers.
    pub samples: Samples,
    /// What the numbers mean.
    pub colour: Colour,
}

impl Samples {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::U8(samples) => samples.len(),
            Self::U16(samples) => samples.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// With 8 bits each, rounded to the nearest.
    #[must_use]
    pub fn into_u8(self) -> Vec<u8> {
        match self {
            Self::U8(samples) => samples,
            Self::U16(samples) => samples.into_iter().map(narrow).collect(),
        }
    }
}

impl Bitmap {
    /// Bytes of its samples.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let width = match self.samples {
            Samples::U8(_) => 1,
            Samples::U16(_) => 2,
        };
        self.samples.len() as u64 * width
    }

    /// Whether there are as many samples as size and layout say. Codecs promise it; everything
    /// after them relies on it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let expected = self
            .size
            .pixels()
            .checked_mul(self.layout.channels() as u64);
        self.size.width > 0 && self.size.height > 0 && expected == Some(self.samples.len() as u64)
    }

    /// Without its alpha, if every pixel is opaque: a quarter less of everything that follows.
    #[must_use]
    pub fn without_idle_alpha(self) -> Self {
        let layout = match self.layout {
            Layout::GrayAlpha => Layout::Gray,
            Layout::Rgba => Layout::Rgb,
            _ => return self,
        };
        let mut bitmap = self;
        let dropped = match (&mut bitmap.samples, layout) {
            (Samples::U8(samples), Layout::Gray) => drop_if_full::<2, _>(samples, u8::MAX),
            (Samples::U8(samples), _) => drop_if_full::<4, _>(samples, u8::MAX),
            (Samples::U16(samples), Layout::Gray) => drop_if_full::<2, _>(samples, u16::MAX),
            (Samples::U16(samples), _) => drop_if_full::<4, _>(samples, u16::MAX),
        };
        if dropped {
            bitmap.layout = layout;
        }
        bitmap
    }
}

/// 16 bits to 8, to the nearest: 0 stays 0 and 65535 becomes 255.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "65535 × 255 / 65535 is 255"
)]
pub const fn narrow(sample: u16) -> u8 {
    ((sample as u32 * 255 + 32_767) / 65_535) as u8
}

/// A picture on its way out: 8 bits a sample, sRGB or a profile that is kept, never CMYK.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    /// Pixels across and down.
    pub size: Size,
    /// What a pixel holds.
    pub layout: Layout,
    /// The numbers.
    pub samples: Vec<u8>,
    /// What the numbers mean: sRGB or an ICC profile.
    pub colour: Colour,
}

impl Raster {
    /// As encoders take it.
    #[must_use]
    pub fn into_bitmap(self) -> Bitmap {
        Bitmap {
            size: self.size,
            layout: self.layout,
            samples: Samples::U8(self.samples),
            colour: self.colour,
        }
    }

    /// With these channels added where they are missing: colour as three equal ones, alpha opaque.
    #[must_use]
    pub fn expanded(self, colour: bool, alpha: bool) -> Self {
        let layout = match (self.layout, colour, alpha) {
            (Layout::Gray, true, false) => Layout::Rgb,
            (Layout::Gray, false, true) => Layout::GrayAlpha,
            (Layout::Gray, true, true) | (Layout::GrayAlpha, true, _) | (Layout::Rgb, _, true) => {
                Layout::Rgba
            }
            _ => return self,
        };
        let mut samples =
            Vec::with_capacity(self.samples.len() / self.layout.channels() * layout.channels());
        for pixel in self.samples.chunks_exact(self.layout.channels()) {
            samples.extend_from_slice(&rgba(self.layout, pixel)[..colours(layout)]);
            if layout.has_alpha() {
                samples.push(rgba(self.layout, pixel)[3]);
            }
        }
        Self {
            layout,
            samples,
            ..self
        }
    }
}

/// Samples a pixel without alpha.
#[must_use]
pub const fn colours(layout: Layout) -> usize {
    layout.channels() - layout.has_alpha() as usize
}

/// One pixel as red, green, blue and alpha.
#[must_use]
pub fn rgba(layout: Layout, pixel: &[u8]) -> [u8; 4] {
    match (layout, pixel) {
        (Layout::Gray, &[gray, ..]) => [gray, gray, gray, 255],
        (Layout::GrayAlpha, &[gray, alpha, ..]) => [gray, gray, gray, alpha],
        (Layout::Rgb, &[red, green, blue, ..]) => [red, green, blue, 255],
        (Layout::Rgba, &[red, green, blue, alpha, ..]) => [red, green, blue, alpha],
        _ => [0, 0, 0, 255],
    }
}

/// Cuts the last of `N` channels out of the buffer, in place, if it is `full` everywhere.
fn drop_if_full<const N: usize, S: Copy + PartialEq>(samples: &mut Vec<S>, full: S) -> bool {
    let pixels = samples.as_chunks::<N>().0;
    // Many at a time, which is a few instructions; not all of them, for the first may be clear.
    let mut runs = pixels.chunks(64);
    let is_full = |run: &[[S; N]]| {
        let full = run.iter().filter(|pixel| pixel[N - 1] == full);
        full.count() == run.len()
    };
    if !runs.all(is_full) {
        return false;
    }
    let count = pixels.len();
    for pixel in 1..count {
        // Whole pixels are moved, of which the next one takes the last channel's place. What is
        // overwritten was moved before.
        let (from, to) = (pixel * N, pixel * (N - 1));
        if let Some(moved) = samples.get(from..).and_then(<[S]>::first_chunk::<N>) {
            let moved = *moved;
            samples[to..to + N].copy_from_slice(&moved);
        }
    }
    samples.truncate(count * (N - 1));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bitmap(layout: Layout, samples: &[u8]) -> Bitmap {
        let width = u32::try_from(samples.len() / layout.channels()).unwrap();
        Bitmap {
            size: Size::new(width, 1),
            layout,
            samples: Samples::U8(samples.to_vec()),
            colour: Colour::Srgb,
        }
    }

    #[test]
    fn alpha_that_says_nothing_is_dropped() {
        let opaque = bitmap(Layout::Rgba, &[1, 2, 3, 255, 4, 5, 6, 255]);
        assert_eq!(
            opaque.without_idle_alpha(),
            bitmap(Layout::Rgb, &[1, 2, 3, 4, 5, 6])
        );
        let opaque = bitmap(Layout::GrayAlpha, &[1, 255, 2, 255, 3, 255]);
        assert_eq!(
            opaque.without_idle_alpha(),
            bitmap(Layout::Gray, &[1, 2, 3])
        );
    }

    #[test]
    fn alpha_that_says_something_stays() {
        let clear = bitmap(Layout::Rgba, &[1, 2, 3, 255, 4, 5, 6, 254]);
        assert_eq!(clear.clone().without_idle_alpha(), clear);
    }

    #[test]
    fn sixteen_bits_narrow_to_the_nearest() {
        for value in 0..=255_u8 {
            assert_eq!(narrow(u16::from(value) * 257), value);
        }
        assert_eq!((narrow(128), narrow(129)), (0, 1));
    }

    #[test]
    fn channels_are_added_where_they_are_missing() {
        let raster = |layout, samples: &[u8]| Raster {
            size: Size::new(1, 1),
            layout,
            samples: samples.to_vec(),
            colour: Colour::Srgb,
        };
        let gray = raster(Layout::Gray, &[7]);
        assert_eq!(
            gray.clone().expanded(true, true),
            raster(Layout::Rgba, &[7, 7, 7, 255])
        );
        assert_eq!(
            gray.clone().expanded(false, true),
            raster(Layout::GrayAlpha, &[7, 255])
        );
        assert_eq!(gray.clone().expanded(false, false), gray);
        let clear = raster(Layout::GrayAlpha, &[7, 8]);
        assert_eq!(
            clear.expanded(true, false),
            raster(Layout::Rgba, &[7, 7, 7, 8])
        );
    }

    #[test]
    fn a_short_buffer_is_not_complete() {
        let mut bitmap = bitmap(Layout::Rgb, &[1, 2, 3, 4, 5, 6]);
        assert!(bitmap.is_complete());
        bitmap.size = Size::new(3, 1);
        assert!(!bitmap.is_complete());
    }
}
