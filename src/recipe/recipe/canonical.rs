//! The one spelling of a recipe. Every field, in a fixed order, so that no two recipes share it.

use std::fmt::{self, Write as _};

use super::{Bounds, Effects, Frames, Output, Recipe};
use crate::{
    pixels::geometry::{Fit, Gravity, Length},
    recipe::transform::{Metadata, Orient, Profile},
};

impl Recipe {
    /// The one spelling of this recipe: what keys are made of. Pinned by a test.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut out = String::with_capacity(320);
        // Writing to a `String` does not fail.
        let _ = self.spell(&mut out);
        out
    }

    fn spell(&self, out: &mut String) -> fmt::Result {
        // Taken apart so that a new field does not compile until it has its place here.
        let Self {
            rect,
            trim,
            orient,
            bounds,
            pad: [top, right, bottom, left],
            background,
            rotate,
            flip,
            effects,
            frames,
            profile,
            output,
        } = self;
        match rect {
            None => out.push_str("rect=-"),
            Some(r) => {
                out.push_str("rect=");
                length(out, Some(r.x))?;
                length(out, Some(r.y))?;
                length(out, Some(r.width))?;
                length(out, Some(r.height))?;
            }
        }
        write!(out, ";trim={}", Or(*trim))?;
        match orient {
            Orient::Auto => out.push_str(";orient=auto"),
            Orient::Exif(n) => write!(out, ";orient={n}")?,
        }
        spell_bounds(out, bounds)?;
        write!(out, ";pad={top},{right},{bottom},{left}")?;
        match background {
            None => out.push_str(";bg=-"),
            Some(rgba) => write!(out, ";bg={}", hex::encode(rgba))?,
        }
        let (h, v) = (u8::from(flip.horizontal), u8::from(flip.vertical));
        write!(out, ";rotate={rotate};flip={h}{v}")?;
        spell_effects(out, effects)?;
        match frames {
            Frames::All => out.push_str(";frames=all"),
            Frames::One(n) => write!(out, ";frames={n}")?,
        }
        out.push_str(match profile {
            Profile::Fast => ";profile=fast",
            Profile::Fine => ";profile=fine",
        });
        spell_output(out, *output)
    }
}

fn spell_bounds(out: &mut String, bounds: &Bounds) -> fmt::Result {
    let Bounds {
        width,
        height,
        aspect_ratio,
        max_width,
        max_height,
        dpr,
        fit,
        gravity,
        enlarge,
    } = bounds;
    out.push_str(";w=");
    length(out, *width)?;
    out.push_str(";h=");
    length(out, *height)?;
    match aspect_ratio {
        None => out.push_str(";ar=-"),
        Some((across, down)) => write!(out, ";ar={across}:{down}")?,
    }
    let (max_width, max_height) = (Or(*max_width), Or(*max_height));
    let fit = match fit {
        Fit::Inside => "inside",
        Fit::Cover => "cover",
        Fit::Min => "min",
        Fit::Pad => "pad",
        Fit::Clamp => "clamp",
        Fit::Stretch => "stretch",
    };
    write!(
        out,
        ";maxw={max_width};maxh={max_height};dpr={dpr};fit={fit}"
    )?;
    match gravity {
        Gravity::Point { x, y } => write!(out, ";gravity={},{}", x.0, y.0)?,
        Gravity::Entropy => out.push_str(";gravity=entropy"),
        Gravity::Smart => out.push_str(";gravity=smart"),
    }
    write!(out, ";enlarge={}", u8::from(*enlarge))
}

fn spell_effects(out: &mut String, effects: &Effects) -> fmt::Result {
    let Effects {
        blur,
        sharpen,
        brightness,
        contrast,
        saturation,
        gamma,
    } = effects;
    write!(
        out,
        ";blur={blur};sharpen={sharpen};bri={brightness};con={contrast};sat={saturation};\
         gamma={gamma}"
    )
}

fn spell_output(out: &mut String, output: Output) -> fmt::Result {
    let Output {
        format,
        quality,
        aim,
        lossless,
        progressive,
        metadata,
    } = output;
    let preferred = format.preferred;
    let (avif, webp) = (u8::from(preferred.avif), u8::from(preferred.webp));
    let fallback = format.fallback.map_or("-", |f| f.name());
    let (lossless, progressive) = (u8::from(lossless), u8::from(progressive));
    let metadata = match metadata {
        Metadata::None => "none",
        Metadata::Copyright => "copyright",
        Metadata::All => "all",
    };
    write!(
        out,
        ";avif={avif};webp={webp};fm={fallback};q={quality};aim={};lossless={lossless};\
         progressive={progressive};metadata={metadata}",
        Or(aim)
    )
}

/// `400p`, `500000s`, or `-`. The letter ends it, so that several can stand in a row.
fn length(out: &mut String, length: Option<Length>) -> fmt::Result {
    match length {
        None => out.write_char('-'),
        Some(Length::Pixels(n)) => write!(out, "{n}p"),
        Some(Length::Share(share)) => write!(out, "{}s", share.0),
    }
}

/// The number, or `-`.
struct Or<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for Or<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_char('-'),
            Some(value) => value.fmt(f),
        }
    }
}
