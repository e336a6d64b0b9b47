//! Picture formats: their names, their MIME types, and how their first bytes look.

/// A format that we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OutputFormat {
    /// JPEG, 8 bits, no alpha.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, lossy or lossless, also animated.
    WebP,
    /// AVIF; only in builds with the feature `avif-encode`.
    Avif,
    /// GIF, also animated.
    Gif,
}

/// A format that we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InputFormat {
    /// JPEG: baseline and progressive; gray, YCbCr, RGB, CMYK and YCCK.
    Jpeg,
    /// PNG and APNG.
    Png,
    /// WebP, also animated.
    WebP,
    /// AVIF.
    Avif,
    /// GIF, also animated.
    Gif,
    /// TIFF, first page.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// Windows icon, largest picture.
    Ico,
}

/// What the first bytes of an object say it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniffed {
    /// A format that we read.
    Known(InputFormat),
    /// A picture or document format, by name, that we do not read.
    Unsupported(&'static str),
    /// Nothing that we recognise.
    Unknown,
}

impl OutputFormat {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Jpeg, Self::Png, Self::WebP, Self::Avif, Self::Gif];

    /// The MIME type, as in `Content-Type`.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Avif => "image/avif",
            Self::Gif => "image/gif",
        }
    }

    /// The name in URLs and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Avif => "avif",
            Self::Gif => "gif",
        }
    }

    /// Whether this build can write it.
    #[must_use]
    pub const fn is_built_in(self) -> bool {
        !matches!(self, Self::Avif) || cfg!(feature = "avif-encode")
    }

    /// Whether it can hold transparency.
    #[must_use]
    pub const fn has_alpha(self) -> bool {
        !matches!(self, Self::Jpeg)
    }
}
