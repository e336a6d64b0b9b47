//! What was typed. `None` means "not said"; nothing here is decided yet.

use crate::pixels::{
    format::OutputFormat,
    geometry::{Fit, Gravity, Length},
};

/// A query string, parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transform {
    /// `width`
    pub width: Option<Length>,
    /// `height`
    pub height: Option<Length>,
    /// `max-w`: a ceiling on the width, in pixels.
    pub max_width: Option<u32>,
    /// `max-h`
    pub max_height: Option<u32>,
    /// `aspect_ratio`: width over height, reduced.
    pub aspect_ratio: Option<(u32, u32)>,
    /// `dpr`, in thousandths.
    pub dpr: Option<u32>,
    /// `fit`
    pub fit: Option<Fit>,
    /// `crop` words, or `fp-x`/`fp-y`.
    pub gravity: Option<Gravity>,
    /// `rect`: a region of the source, cut out before anything else.
    pub rect: Option<Region>,
    /// `enlarge`
    pub enlarge: Option<bool>,
    /// `quality`, 1 to 100.
    pub quality: Option<u8>,
    /// `format`
    pub format: Option<OutputFormat>,
    /// `auto`
    pub auto: Auto,
    /// `background`, as red, green, blue, alpha.
    pub background: Option<[u8; 4]>,
    /// `pad`: pixels added at the top, right, bottom and left.
    pub pad: Option<[u32; 4]>,
    /// `trim`: how far a border pixel may differ from the corner's, 0 to 255.
    pub trim: Option<u8>,
    /// `rotate`, clockwise degrees, 0 to 359.
    pub rotate: Option<u16>,
    /// `flip`
    pub flip: Option<Flip>,
    /// `orient`
    pub orient: Option<Orient>,
    /// `blur`: standard deviation in hundredths of an output pixel.
    pub blur: Option<u32>,
    /// `sharpen`: strength, in hundredths.
    pub sharpen: Option<u32>,
    /// `brightness`, -100 to 100.
    pub brightness: Option<i8>,
    /// `contrast`, -100 to 100.
    pub contrast: Option<i8>,
    /// `saturation`, -100 to 100.
    pub saturation: Option<i8>,
    /// `gamma`, in hundredths, 100 is neutral.
    pub gamma: Option<u32>,
    /// `page` or `frame`, counted from 1.
    pub page: Option<u32>,
    /// `anim`
    pub animate: Option<bool>,
    /// `metadata` or `strip`
    pub metadata: Option<Metadata>,
    /// `lossless`
    pub lossless: Option<bool>,
    /// `progressive`
    pub progressive: Option<bool>,
    /// `preset`
    pub preset: Option<String>,
    /// `expires`, in seconds since 1970.
    pub expires: Option<u64>,
}

/// The list of `auto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Auto {
    /// Choose the format by `Accept`; `format` is only the fallback.
    pub format: bool,
    /// Prefer fewer bytes.
    pub compress: bool,
}

/// A region of the source, after its orientation is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    /// Left edge.
    pub x: Offset,
    /// Top edge.
    pub y: Offset,
    /// Width.
    pub width: Length,
    /// Height.
    pub height: Length,
}

/// A position: pixels or a share of the side, from zero on.
pub type Offset = Length;

/// Mirrored, after the rotation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flip {
    /// Left and right change places.
    pub horizontal: bool,
    /// Top and bottom change places.
    pub vertical: bool,
}

/// What to do about the orientation that a camera noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Orient {
    /// Undo it: the picture is upright.
    #[default]
    Auto,
    /// Take this EXIF orientation, 1 to 8, instead of the noted one.
    Exif(u8),
}

/// Which metadata stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Metadata {
    /// None of it (a colour profile is no metadata: it is kept where it is needed).
    #[default]
    None,
    /// The copyright and artist fields of EXIF.
    Copyright,
    /// All of EXIF, with the orientation set to what the pixels now are.
    All,
}
