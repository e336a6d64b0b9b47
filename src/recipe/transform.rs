//! What was typed. `None` means "not said"; nothing here is decided yet.

pub(super) mod draft;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use self::draft::Draft;
use super::{
    dialect::Dialect,
    params::{
        self, TABLE,
        query::{self, Pair},
    },
};
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
    /// `quality`
    pub quality: Option<Quality>,
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
    /// `profile`
    pub profile: Option<Profile>,
    /// `preset`
    pub preset: Option<String>,
    /// `expires`, in seconds since 1970.
    pub expires: Option<u64>,
}

impl Transform {
    /// Parses a query string, without its `?`. Unknown names are ignored, or refused if `strict`.
    ///
    /// # Errors
    /// A known parameter is malformed or repeated, or the query is over a limit.
    pub fn parse(query: &str, dialect: Dialect, strict: bool) -> Result<Self, params::Error> {
        Self::from_pairs(&query::pairs(query)?, dialect, strict)
    }

    pub(super) fn from_pairs(
        pairs: &[Pair<'_>],
        dialect: Dialect,
        strict: bool,
    ) -> Result<Self, params::Error> {
        let mut draft = Draft::new(dialect);
        let mut seen: Vec<(usize, &str)> = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let typed = pair.name.as_str();
            let Some(found) = params::find(typed, &pair.value) else {
                if strict {
                    return Err(params::Error::unknown(typed));
                }
                continue;
            };
            let param = &TABLE[found.index];
            let before = seen.iter().find(|(index, _)| *index == found.index);
            if let Some((_, before)) = before.filter(|_| !param.repeats()) {
                return Err(params::Error::repeated(typed, before));
            }
            seen.push((found.index, typed));
            if !param.is_ignored() && !pair.is_well_escaped() {
                return Err(params::Error::escape(typed, pair.raw_value()));
            }
            let read = if found.base64 {
                decode_base64(&pair.value).and_then(|value| param.read(&mut draft, &value))
            } else {
                param.read(&mut draft, &pair.value)
            };
            read.ok_or_else(|| params::Error::malformed(typed, param, found.base64, &pair.value))?;
        }
        Ok(draft.finish())
    }

    /// This transform, and whatever it leaves open as `defaults` has it. `auto` is a list: its
    /// words add up. The defaults' own `preset` and `expires` count for nothing.
    #[must_use]
    pub fn or(self, defaults: &Self) -> Self {
        Self {
            width: self.width.or(defaults.width),
            height: self.height.or(defaults.height),
            max_width: self.max_width.or(defaults.max_width),
            max_height: self.max_height.or(defaults.max_height),
            aspect_ratio: self.aspect_ratio.or(defaults.aspect_ratio),
            dpr: self.dpr.or(defaults.dpr),
            fit: self.fit.or(defaults.fit),
            gravity: self.gravity.or(defaults.gravity),
            rect: self.rect.or(defaults.rect),
            enlarge: self.enlarge.or(defaults.enlarge),
            quality: self.quality.or(defaults.quality),
            format: self.format.or(defaults.format),
            auto: Auto {
                format: self.auto.format || defaults.auto.format,
                compress: self.auto.compress || defaults.auto.compress,
            },
            background: self.background.or(defaults.background),
            pad: self.pad.or(defaults.pad),
            trim: self.trim.or(defaults.trim),
            rotate: self.rotate.or(defaults.rotate),
            flip: self.flip.or(defaults.flip),
            orient: self.orient.or(defaults.orient),
            blur: self.blur.or(defaults.blur),
            sharpen: self.sharpen.or(defaults.sharpen),
            brightness: self.brightness.or(defaults.brightness),
            contrast: self.contrast.or(defaults.contrast),
            saturation: self.saturation.or(defaults.saturation),
            gamma: self.gamma.or(defaults.gamma),
            page: self.page.or(defaults.page),
            animate: self.animate.or(defaults.animate),
            metadata: self.metadata.or(defaults.metadata),
            lossless: self.lossless.or(defaults.lossless),
            progressive: self.progressive.or(defaults.progressive),
            profile: self.profile.or(defaults.profile),
            preset: self.preset,
            expires: self.expires,
        }
    }
}

/// imgix's base64 variants: URL-safe, with or without padding.
fn decode_base64(text: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    String::from_utf8(bytes).ok()
}

/// The list of `auto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Auto {
    /// Choose the format by `Accept`; `format` is only the fallback.
    pub format: bool,
    /// Prefer fewer bytes.
    pub compress: bool,
}

/// What `quality` can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quality {
    /// A number on JPEG's scale, 1 to 100.
    At(u8),
    /// Each picture's own.
    Auto,
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

/// What counts more where pixels are computed: time, or exactness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// In the numbers as they are coded, eight bits of them; in planes of luma and colour
    /// differences wherever source and result have them.
    #[default]
    Fast,
    /// In linear light, sixteen bits a sample.
    Fine,
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

#[cfg(test)]
mod tests;
