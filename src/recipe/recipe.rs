//! What we decided: a complete transform, in which no `Option` means "default".
//!
//! Two requests that mean the same have equal recipes, hence one cache entry.

use super::{
    negotiate::Accepts,
    policy::Policy,
    transform::{Flip, Metadata, Orient, Region, Transform},
};
use crate::pixels::{
    format::OutputFormat,
    geometry::{Fit, Gravity, Length},
};

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
    /// The encoding.
    pub output: Output,
}

/// The box, and how the picture meets it. With neither side, the source's size stands.
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
    /// On JPEG's scale of 1 to 100.
    pub quality: u8,
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
    pub fn resolve(_transform: &Transform, _accepts: Accepts, _policy: &Policy) -> Self {
        unreachable!()
    }

    /// The one spelling of this recipe: what keys are made of. Pinned by a test.
    #[must_use]
    pub fn canonical(&self) -> String {
        String::new()
    }
}
