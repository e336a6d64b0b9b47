//! What we decided: a complete transform, in which no `Option` means "default".
//!
//! Two requests that mean the same have equal recipes, hence one cache entry.

pub(super) mod bounds;
mod canonical;

use super::{
    negotiate::Accepts,
    policy::{Policy, PolicySettings},
    transform::{Flip, Metadata, Orient, Profile, Quality, Region, Transform},
};
use crate::pixels::{
    format::OutputFormat,
    geometry::{Fit, Gravity, Length},
    look,
};

/// Widest blur, in hundredths of a pixel: what the largest value asks for at a `dpr` of 1.
const MAX_BLUR: u32 = 10_000;

/// The complete, resolved transform. Equal meaning, equal value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recipe {
    /// Region of the upright source to use; `None` is all of it.
    pub rect: Option<Region>,
    /// Borders that differ this little (0 to 255) are cut off; `None`: no trimming.
    pub trim: Option<u8>,
    /// Orientation, turned right before anything else is measured.
    pub orient: Orient,
    /// The size asked for.
    pub bounds: Bounds,
    /// Added around the finished picture: top, right, bottom, left, in output pixels.
    pub pad: [u32; 4],
    /// Behind transparency and in padding; `None`: transparent where the format can, else white.
    pub background: Option<[u8; 4]>,
    /// Clockwise degrees, 0 to 359, before the resize for quarter turns and after it otherwise.
    pub rotate: u16,
    /// Mirrored after the rotation.
    pub flip: Flip,
    /// Changes to the finished pixels.
    pub effects: Effects,
    /// Which frames.
    pub frames: Frames,
    /// How pixels are computed.
    pub profile: Profile,
    /// The encoding.
    pub output: Output,
}

/// The box, and how the picture meets it. With neither side, the source's size stands.
///
/// [`Recipe::resolve`] leaves only what still matters:
/// - `dpr` is multiplied in, and 1000 from then on;
/// - with one side and no ratio, or with neither of both, the fit is `Inside`;
/// - `Cover` always enlarges (it is exactly the box; `enlarge=0` makes it `Min`), `Min` never;
/// - `Inside` enlarges only where asked;
/// - `Stretch` is exactly the box; without `enlarge`, a side stops at the source's;
/// - `Pad` and `Clamp` are exactly the box; without `enlarge`, the picture in it stops at its
///   own size;
/// - a ratio stands only beside one share, or alone: then it is the largest part of the source
///   that has it, and the fit is `Min`;
/// - a ceiling stands only where it could not be worked into the sides: beside a share, beside a
///   ratio, or for the side that is missing where the picture may be enlarged;
/// - gravity is the middle unless the fit crops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// `None`: as the height and the ratio make it.
    pub width: Option<Length>,
    /// `None`: as the width and the ratio make it.
    pub height: Option<Length>,
    /// Width over height of the box, where one side is missing.
    pub aspect_ratio: Option<(u32, u32)>,
    /// Ceiling in output pixels (`max-w`).
    pub max_width: Option<u32>,
    /// Ceiling in output pixels (`max-h`).
    pub max_height: Option<u32>,
    /// Output pixels per pixel asked for, in thousandths.
    pub dpr: u32,
    /// How the picture meets the box.
    pub fit: Fit,
    /// Which part a crop keeps.
    pub gravity: Gravity,
    /// Whether pixels may be made up.
    pub enlarge: bool,
}

/// Changes to finished pixels; the default changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Effects {
    /// Gaussian standard deviation, hundredths of a pixel; 0 is off.
    pub blur: u32,
    /// Unsharp mask strength, hundredths; 0 is off.
    pub sharpen: u32,
    /// -100 to 100.
    pub brightness: i8,
    /// -100 to 100.
    pub contrast: i8,
    /// -100 to 100.
    pub saturation: i8,
    /// Hundredths; 100 is neutral.
    pub gamma: u32,
}

impl Default for Effects {
    fn default() -> Self {
        Self {
            blur: 0,
            sharpen: 0,
            brightness: 0,
            contrast: 0,
            saturation: 0,
            gamma: 100,
        }
    }
}

/// Which frames of an animation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Frames {
    /// All, if the output can move; else the first.
    All,
    /// This one alone, counted from 0.
    One(u32),
}

/// The encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Output {
    /// Which format.
    pub format: FormatChoice,
    /// On JPEG's scale of 1 to 100. Beside an aim: what looks like it on the mean, where the search
    /// begins, and what is taken where there is none.
    pub quality: u8,
    /// SSIMULACRA2 that the picture aims at, by a quality of its own.
    pub aim: Option<u8>,
    /// Every pixel exact, where the format can.
    pub lossless: bool,
    /// Coarse first, where the format can.
    pub progressive: bool,
    /// What stays of EXIF.
    pub metadata: Metadata,
}

/// How the format is chosen once the source is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FormatChoice {
    /// The best of these that suits the picture, if the client takes any (negotiated).
    pub preferred: Accepts,
    /// Else this; `None`: the source's own format, or the nearest that we write.
    pub fallback: Option<OutputFormat>,
}

impl Recipe {
    /// Decides everything that the transform left open. Cannot fail: `Policy::admit` said yes.
    #[must_use]
    pub fn resolve(transform: &Transform, accepts: Accepts, policy: &Policy) -> Self {
        let settings = &policy.settings;
        let bounds = bounds::resolve(transform, settings);
        let output = output(transform, accepts, policy);
        // Without pixels to multiply, dpr says nothing about the picture either.
        let has_pixels = [transform.width, transform.height]
            .iter()
            .any(|side| matches!(side, Some(Length::Pixels(_))));
        let dpr = if has_pixels {
            bounds::dpr(transform, settings)
        } else {
            bounds::NO_DPR
        };
        let scale = |length: u32| bounds::scale(length, dpr, bounds::NO_DPR);
        Self {
            rect: transform.rect.filter(|rect| !is_all(rect)),
            trim: transform.trim,
            orient: transform.orient.unwrap_or_default(),
            bounds,
            pad: transform.pad.unwrap_or_default().map(scale),
            background: transform.background.filter(|[.., alpha]| *alpha > 0),
            rotate: transform.rotate.unwrap_or(0),
            flip: transform.flip.unwrap_or_default(),
            effects: effects(transform, scale),
            frames: frames(transform, output),
            profile: transform.profile.unwrap_or(settings.profile),
            output,
        }
    }
}

impl Recipe {
    /// The same for a client that takes `WebP` and no AVIF, if this one takes both.
    #[must_use]
    pub fn without_avif(&self) -> Option<Self> {
        let preferred = self.output.format.preferred;
        let mut recipe = (preferred.avif && preferred.webp).then(|| self.clone())?;
        recipe.output.format.preferred.avif = false;
        Some(recipe)
    }
}

/// Whether a region is the whole source, whatever its size.
fn is_all(rect: &Region) -> bool {
    let none = Length::Pixels(0);
    (rect.x, rect.y, rect.width, rect.height) == (none, none, bounds::WHOLE, bounds::WHOLE)
}

fn effects(transform: &Transform, scale: impl Fn(u32) -> u32) -> Effects {
    let neutral = Effects::default();
    Effects {
        blur: transform
            .blur
            .map_or(neutral.blur, |blur| scale(blur).min(MAX_BLUR)),
        sharpen: transform.sharpen.unwrap_or(neutral.sharpen),
        brightness: transform.brightness.unwrap_or(neutral.brightness),
        contrast: transform.contrast.unwrap_or(neutral.contrast),
        saturation: transform.saturation.unwrap_or(neutral.saturation),
        gamma: transform.gamma.unwrap_or(neutral.gamma),
    }
}

fn frames(transform: &Transform, output: Output) -> Frames {
    let still = matches!(
        output.format.certain(),
        Some(OutputFormat::Jpeg | OutputFormat::Avif)
    );
    match (transform.page, transform.animate) {
        (Some(page), _) => Frames::One(page.saturating_sub(1)),
        (None, Some(false)) => Frames::One(0),
        (None, _) if still => Frames::One(0),
        (None, _) => Frames::All,
    }
}

fn output(transform: &Transform, accepts: Accepts, policy: &Policy) -> Output {
    let negotiated = policy.varies(transform);
    let format = FormatChoice {
        preferred: Accepts {
            avif: negotiated && accepts.avif && OutputFormat::Avif.is_built_in(),
            webp: negotiated && accepts.webp,
        },
        fallback: transform.format,
    };
    let (quality, aim) = quality(transform, &policy.settings);
    let profile = transform.profile.unwrap_or(policy.settings.profile);
    let mut output = Output {
        format,
        quality,
        aim,
        lossless: transform.lossless.unwrap_or(false),
        // Smaller, for some time more: what a careful picture is for.
        progressive: transform.progressive.unwrap_or(profile == Profile::Fine),
        metadata: transform.metadata.unwrap_or_default(),
    };
    // What the one possible format makes of them: a setting that changes nothing is no difference.
    match format.certain() {
        Some(OutputFormat::Png) => output.lossless = true,
        Some(OutputFormat::Jpeg | OutputFormat::Gif) => output.lossless = false,
        Some(OutputFormat::WebP | OutputFormat::Avif) | None => {}
    }
    if !matches!(format.certain(), Some(OutputFormat::Jpeg) | None) {
        output.progressive = false;
    }
    if output.format.certain() == Some(OutputFormat::Gif) {
        output.aim = None;
    }
    if output.lossless && format.certain().is_some() {
        output.quality = 100;
        output.aim = None;
    }
    output
}

/// The quality, and the aim where each picture is to have its own.
fn quality(transform: &Transform, settings: &PolicySettings) -> (u8, Option<u8>) {
    let compress = transform.auto.compress;
    let asked = match transform.quality {
        Some(Quality::At(quality)) => quality,
        Some(Quality::Auto) if !compress => return aimed(settings.auto_quality_target),
        None if !compress => settings.quality,
        _ => return aimed(settings.auto_compress_target),
    };
    let step = settings.quality_step.clamp(1, 100);
    // At most 100 + 99, which a byte holds.
    (asked.clamp(1, 100).next_multiple_of(step).min(100), None)
}

fn aimed(score: u8) -> (u8, Option<u8>) {
    (look::quality(score.into()), Some(score))
}

impl FormatChoice {
    /// The format, where it is known without knowing the source or the picture.
    fn certain(self) -> Option<OutputFormat> {
        let open = self.preferred.avif || self.preferred.webp;
        self.fallback.filter(|_| !open)
    }
}

#[cfg(test)]
mod tests;
