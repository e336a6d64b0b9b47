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
