//! A transform while its parameters are being read: the words of the query grammar, and the
//! parameters that only mean something together.

use super::{Flip, Metadata, Offset, Orient, Profile, Quality, Region, Transform};
use crate::{
    pixels::{
        format::OutputFormat,
        geometry::{Fit, Gravity, Length, Share},
    },
    recipe::{
        dialect::Dialect,
        params::value::{self, ONE},
    },
};

/// Every word of `fit`.
pub(crate) const FIT_WORDS: &[&str] = &[
    "inside",
    "max",
    "clip",
    "bounds",
    "scale-down",
    "contain",
    "cover",
    "crop",
    "min",
    "fill",
    "fillmax",
    "pad",
    "clamp",
    "scale",
    "stretch",
];

/// Every word of `format`.
pub(crate) const FORMAT_WORDS: &[&str] =
    &["jpg", "jpeg", "pjpg", "png", "webp", "avif", "gif", "auto"];

/// What a colour must be.
pub(crate) const COLOUR: &str = "3, 4, 6 or 8 hexadecimal digits, transparent, black or white";

/// Tolerance of `trim=auto`: JPEG's noise around an edge stays below it.
const TRIM_TOLERANCE: u8 = 10;

/// The largest side that a JPEG can have: no region begins or ends beyond it.
const MAX_REGION: u32 = 65_535;

/// Widest padding of one side. Above that, it is the padding that costs, not the picture.
const MAX_PAD: u32 = 2048;

/// Longest name of a preset.
const MAX_PRESET: usize = 64;

/// imgix's `blur` runs from 0 to 2000. A twentieth of it, in pixels, is the standard deviation
/// that looks alike; a thousandth of `blur` is thus a two-hundredth of a hundredth of a pixel.
const BLUR_THOUSANDTHS: i64 = 200;

/// Whether `f=` means the format.
pub(crate) fn is_format_word(text: &str) -> bool {
    FORMAT_WORDS
        .iter()
        .any(|word| word.eq_ignore_ascii_case(text))
}

/// What was read so far.
#[derive(Debug)]
pub(crate) struct Draft {
    /// What needs no other parameter to be understood.
    pub transform: Transform,
    /// `strip`
    pub strip: Option<bool>,
    dialect: Dialect,
    crop: Option<Crop>,
    gravity: Option<Crop>,
    focal_x: Option<Share>,
    focal_y: Option<Share>,
    fill_colour: Option<[u8; 4]>,
    progressive_jpeg: bool,
}

/// What `crop` can say.
#[derive(Clone, Copy, Debug)]
enum Crop {
    Cover,
    Region(Region),
    FocalPoint,
    Keep(Gravity),
}

impl Draft {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            transform: Transform::default(),
            strip: None,
            dialect,
            crop: None,
            gravity: None,
            focal_x: None,
            focal_y: None,
            fill_colour: None,
            progressive_jpeg: false,
        }
    }

    /// Puts together what belongs together.
    pub(crate) fn finish(self) -> Transform {
        let mut transform = self.transform;
        match self.crop {
            Some(Crop::Cover) => transform.fit = transform.fit.or(Some(Fit::Cover)),
            Some(Crop::Region(region)) => transform.rect = transform.rect.or(Some(region)),
            _ => {}
        }
        let focal = Gravity::Point {
            x: self.focal_x.unwrap_or(MIDDLE),
            y: self.focal_y.unwrap_or(MIDDLE),
        };
        let words = [self.crop, self.gravity].into_iter().flatten();
        let said = words.filter_map(|crop| match crop {
            Crop::Keep(gravity) => Some(gravity),
            Crop::FocalPoint => Some(focal),
            Crop::Cover | Crop::Region(_) => None,
        });
        let has_focal = self.focal_x.or(self.focal_y).is_some();
        transform.gravity = said.into_iter().next().or(has_focal.then_some(focal));

        let pads = matches!(transform.fit, Some(Fit::Pad | Fit::Clamp));
        transform.background = if pads {
            self.fill_colour.or(transform.background)
        } else {
            transform.background.or(self.fill_colour)
        };
        let stripped = self
            .strip
            .map(|strip| if strip { Metadata::None } else { Metadata::All });
        transform.metadata = transform.metadata.or(stripped);
        if self.progressive_jpeg {
            transform.progressive = transform.progressive.or(Some(true));
        }
        transform
    }

    pub(crate) fn fit(&mut self, text: &str) -> Option<()> {
        let fit = match (text.to_ascii_lowercase().as_str(), self.dialect) {
            ("inside" | "max" | "clip" | "bounds" | "scale-down", _)
            | ("contain", Dialect::Imgix) => Fit::Inside,
            ("cover" | "crop", _) => Fit::Cover,
            ("min", _) => Fit::Min,
            ("fillmax" | "pad", _) | ("fill", Dialect::Imgix) | ("contain", Dialect::Css) => {
                Fit::Pad
            }
            ("clamp", _) => Fit::Clamp,
            ("scale" | "stretch", _) | ("fill", Dialect::Css) => Fit::Stretch,
            _ => return None,
        };
        self.transform.fit = Some(fit);
        Some(())
    }

    pub(crate) fn aspect_ratio(&mut self, text: &str) -> Option<()> {
        self.transform.aspect_ratio = Some(value::ratio(text)?);
        Some(())
    }

    pub(crate) fn crop(&mut self, text: &str) -> Option<()> {
        let crop = match text {
            "1" | "true" => Crop::Cover,
            _ if text.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
                let [width, height, x, y] = numbers(text)?;
                Crop::Region(region(x, y, width, height)?)
            }
            _ => words(text)?,
        };
        self.crop = Some(crop);
        Some(())
    }

    pub(crate) fn gravity(&mut self, text: &str) -> Option<()> {
        self.gravity = Some(words(text)?);
        Some(())
    }

    pub(crate) fn focal_x(&mut self, text: &str) -> Option<()> {
        self.focal_x = Some(value::share(text)?);
        Some(())
    }

    pub(crate) fn focal_y(&mut self, text: &str) -> Option<()> {
        self.focal_y = Some(value::share(text)?);
        Some(())
    }

    pub(crate) fn rect(&mut self, text: &str) -> Option<()> {
        let [x, y, width, height] = numbers(text)?;
        self.transform.rect = Some(region(x, y, width, height)?);
        Some(())
    }

    pub(crate) fn trim(&mut self, text: &str) -> Option<()> {
        self.transform.trim = match text.to_ascii_lowercase().as_str() {
            "auto" | "color" | "true" => Some(TRIM_TOLERANCE),
            "false" => None,
            _ => Some(u8::try_from(value::whole(text, 0, 255)?).ok()?),
        };
        Some(())
    }

    pub(crate) fn quality(&mut self, text: &str) -> Option<()> {
        self.transform.quality = Some(if text.eq_ignore_ascii_case("auto") {
            Quality::Auto
        } else {
            Quality::At(u8::try_from(value::whole(text, 1, 100)?).ok()?)
        });
        Some(())
    }

    pub(crate) fn format(&mut self, text: &str) -> Option<()> {
        let format = match text.to_ascii_lowercase().as_str() {
            "auto" => {
                self.transform.auto.format = true;
                return Some(());
            }
            "pjpg" => {
                self.progressive_jpeg = true;
                OutputFormat::Jpeg
            }
            "jpg" | "jpeg" => OutputFormat::Jpeg,
            "png" => OutputFormat::Png,
            "webp" => OutputFormat::WebP,
            "avif" => OutputFormat::Avif,
            "gif" => OutputFormat::Gif,
            _ => return None,
        };
        self.transform.format = Some(format);
        Some(())
    }

    pub(crate) fn auto(&mut self, text: &str) -> Option<()> {
        for word in text.split(',').map(str::trim) {
            let is_word = word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
            if word.is_empty() || !is_word {
                return None;
            }
            match word.to_ascii_lowercase().as_str() {
                "format" | "webp" | "avif" | "true" => self.transform.auto.format = true,
                "compress" => self.transform.auto.compress = true,
                // imgix's `enhance`, `redeye` and whatever comes after them.
                _ => {}
            }
        }
        Some(())
    }

    pub(crate) fn profile(&mut self, text: &str) -> Option<()> {
        self.transform.profile = Some(match text.to_ascii_lowercase().as_str() {
            "fast" => Profile::Fast,
            "fine" => Profile::Fine,
            _ => return None,
        });
        Some(())
    }

    pub(crate) fn metadata(&mut self, text: &str) -> Option<()> {
        self.transform.metadata = Some(match text.to_ascii_lowercase().as_str() {
            "none" => Metadata::None,
            "copyright" => Metadata::Copyright,
            "keep" | "all" => Metadata::All,
            _ => return None,
        });
        Some(())
    }

    pub(crate) fn orient(&mut self, text: &str) -> Option<()> {
        self.transform.orient = Some(match text {
            "auto" | "0" => Orient::Auto,
            "90" => Orient::Exif(6),
            "180" => Orient::Exif(3),
            "270" => Orient::Exif(8),
            _ => Orient::Exif(u8::try_from(value::whole(text, 1, 8)?).ok()?),
        });
        Some(())
    }

    pub(crate) fn flip(&mut self, text: &str) -> Option<()> {
        let (horizontal, vertical) = match text.to_ascii_lowercase().as_str() {
            "h" => (true, false),
            "v" => (false, true),
            "hv" | "vh" | "both" => (true, true),
            _ => return None,
        };
        self.transform.flip = Some(Flip {
            horizontal,
            vertical,
        });
        Some(())
    }

    pub(crate) fn background(&mut self, text: &str) -> Option<()> {
        self.transform.background = Some(colour(text, self.dialect)?);
        Some(())
    }

    pub(crate) fn fill_colour(&mut self, text: &str) -> Option<()> {
        self.fill_colour = Some(colour(text, self.dialect)?);
        Some(())
    }

    pub(crate) fn pad(&mut self, text: &str) -> Option<()> {
        let sides: Option<Vec<u32>> = text
            .splitn(5, ',')
            .map(|side| value::pixels(side.trim(), 0, MAX_PAD))
            .collect();
        self.transform.pad = Some(match *sides?.as_slice() {
            [all] => [all; 4],
            [vertical, horizontal] => [vertical, horizontal, vertical, horizontal],
            [top, right, bottom, left] => [top, right, bottom, left],
            _ => return None,
        });
        Some(())
    }

    pub(crate) fn blur(&mut self, thousandths: i64) {
        self.transform.blur = u32::try_from(thousandths / BLUR_THOUSANDTHS).ok();
    }

    pub(crate) fn gamma(&mut self, thousandths: i64) {
        self.transform.gamma = u32::try_from(thousandths / 10).ok();
    }

    pub(crate) fn preset(&mut self, text: &str) -> Option<()> {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if text.is_empty() || text.len() > MAX_PRESET || !text.bytes().all(is_name) {
            return None;
        }
        self.transform.preset = Some(text.to_owned());
        Some(())
    }
}

const START: Share = Share(0);
const MIDDLE: Share = Share(ONE / 2);
const END: Share = Share(ONE);

/// The words of a crop, separated by commas, spaces, hyphens or underscores.
///
/// Of words that choose for themselves (entropy, smart, a focal point) the first counts, as in imgix's
/// chain; faces are not looked for, so the chain goes on after them.
fn words(text: &str) -> Option<Crop> {
    let (mut x, mut y, mut middle, mut faces, mut chosen) = (None, None, false, false, None);
    let text = text.to_ascii_lowercase();
    for word in text.split([',', ' ', '-', '_']) {
        let (word_x, word_y) = match word {
            "left" | "west" => (Some(START), None),
            "right" | "east" => (Some(END), None),
            "top" | "north" => (None, Some(START)),
            "bottom" | "south" => (None, Some(END)),
            "northwest" => (Some(START), Some(START)),
            "northeast" => (Some(END), Some(START)),
            "southwest" => (Some(START), Some(END)),
            "southeast" => (Some(END), Some(END)),
            "center" | "centre" | "middle" => {
                middle = true;
                continue;
            }
            "entropy" | "edges" => {
                chosen = chosen.or(Some(Crop::Keep(Gravity::Entropy)));
                continue;
            }
            "attention" | "smart" => {
                chosen = chosen.or(Some(Crop::Keep(Gravity::Smart)));
                continue;
            }
            "focalpoint" => {
                chosen = chosen.or(Some(Crop::FocalPoint));
                continue;
            }
            "face" | "faces" => {
                faces = true;
                continue;
            }
            _ => return None,
        };
        // `left,right` and `top,top` are mistakes.
        if (x.is_some() && word_x.is_some()) || (y.is_some() && word_y.is_some()) {
            return None;
        }
        (x, y) = (x.or(word_x), y.or(word_y));
    }
    let nothing_else = faces && !middle && x.is_none() && y.is_none();
    Some(match chosen {
        Some(chosen) => chosen,
        None if nothing_else => Crop::Keep(Gravity::Smart),
        None => Crop::Keep(Gravity::Point {
            x: x.unwrap_or(MIDDLE),
            y: y.unwrap_or(MIDDLE),
        }),
    })
}

/// Exactly four comma-separated pieces.
fn numbers(text: &str) -> Option<[&str; 4]> {
    let pieces: Vec<_> = text.splitn(5, ',').map(str::trim).collect();
    pieces.try_into().ok()
}

fn region(x: &str, y: &str, width: &str, height: &str) -> Option<Region> {
    Some(Region {
        x: offset(x)?,
        y: offset(y)?,
        width: side(width)?,
        height: side(height)?,
    })
}

/// Pixels, or a share (with its point) from 0 to 1; zero has one spelling.
fn offset(text: &str) -> Option<Offset> {
    if text.contains('.') {
        let share = value::share(text)?;
        return Some(if share.0 == 0 {
            Length::Pixels(0)
        } else {
            Length::Share(share)
        });
    }
    value::pixels(text, 0, MAX_REGION).map(Length::Pixels)
}

fn side(text: &str) -> Option<Length> {
    offset(text).filter(|length| *length != Length::Pixels(0))
}

/// Red, green, blue, alpha.
fn colour(text: &str, dialect: Dialect) -> Option<[u8; 4]> {
    match text.to_ascii_lowercase().as_str() {
        "transparent" => return Some([0; 4]),
        "black" => return Some([0, 0, 0, 255]),
        "white" => return Some([255; 4]),
        _ => {}
    }
    match (value::hex_channels(text)?.as_slice(), dialect) {
        (&[r, g, b], _) => Some([r, g, b, 255]),
        (&[a, r, g, b], Dialect::Imgix) | (&[r, g, b, a], Dialect::Css) => Some([r, g, b, a]),
        _ => None,
    }
}
