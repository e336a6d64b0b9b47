//! The box: what was asked in pixels, shares, ratios and ceilings, in the fewest words.

use super::Bounds;
use crate::{
    pixels::geometry::{Fit, Gravity, Length, Share},
    recipe::{
        params::{MAX_SIDE, value::ONE},
        policy::PolicySettings,
        transform::Transform,
    },
};

/// One output pixel per pixel asked for.
pub(super) const NO_DPR: u32 = 1000;

/// The whole of a side.
pub(super) const WHOLE: Length = Length::Share(Share(ONE));

/// A crop that nobody directs keeps the middle.
const MIDDLE: Gravity = Gravity::Point {
    x: Share(ONE / 2),
    y: Share(ONE / 2),
};

/// A box in the making; `max` are its ceilings.
#[derive(Clone, Copy, Debug)]
struct Draft {
    width: Option<Length>,
    height: Option<Length>,
    ratio: Option<(u32, u32)>,
    max_width: Option<u32>,
    max_height: Option<u32>,
}

/// The bounds of a transform. See [`Bounds`] for what can and cannot come out of it.
pub(super) fn resolve(transform: &Transform, settings: &PolicySettings) -> Bounds {
    let ratio = transform.aspect_ratio;
    let default = if ratio.is_some() {
        Fit::Cover
    } else {
        Fit::Inside
    };
    let (mut fit, mut enlarge) = fit(transform.fit.unwrap_or(default), transform.enlarge);
    let mut draft = draft(transform, settings);
    // As at imgix: a picture that stays whole has its own ratio.
    draft.ratio = ratio.filter(|_| fit != Fit::Inside);

    match (draft.width, draft.height) {
        // The largest part of the source that has the ratio.
        (None, None) if draft.ratio.is_some() && crops(fit) => (fit, enlarge) = (Fit::Min, false),
        (None, None) => {
            draft.ratio = None;
            (fit, enlarge) = (Fit::Inside, false);
        }
        (Some(_), None) | (None, Some(_)) if draft.ratio.is_none() => {
            (fit, enlarge) = (Fit::Inside, transform.enlarge == Some(true));
        }
        // Both sides say it all.
        (Some(_), Some(_)) => draft.ratio = None,
        _ => {}
    }
    draft.lower_lone_side();
    draft.work_out_ratio();
    draft.lower_box();
    if fit == Fit::Inside && !enlarge {
        draft.ceilings_are_sides();
    }
    let gravity = transform.gravity.filter(|_| crops(fit));
    Bounds {
        width: draft.width,
        height: draft.height,
        aspect_ratio: draft.ratio,
        max_width: draft.max_width,
        max_height: draft.max_height,
        dpr: NO_DPR,
        fit,
        gravity: gravity.unwrap_or(MIDDLE),
        enlarge,
    }
}

/// The sizes that a transform asks for in pixels, in output pixels: what a ladder looks at.
pub(in crate::recipe) fn asked_pixels(
    transform: &Transform,
    settings: &PolicySettings,
) -> impl Iterator<Item = u32> + use<> {
    let dpr = dpr(transform, settings);
    let side = move |length: Option<Length>| match length {
        Some(Length::Pixels(n)) => Some(scale(n, dpr, NO_DPR).max(1)),
        _ => None,
    };
    let ceilings = [transform.max_width, transform.max_height];
    [side(transform.width), side(transform.height)]
        .into_iter()
        .chain(ceilings)
        .flatten()
}

/// The `dpr` that counts.
pub(super) fn dpr(transform: &Transform, settings: &PolicySettings) -> u32 {
    let asked = transform.dpr.unwrap_or(NO_DPR);
    asked.min(settings.max_dpr).max(1)
}

/// `value * numerator / denominator`, to the nearest; as large as can be where it does not fit.
pub(super) fn scale(value: u32, numerator: u32, denominator: u32) -> u32 {
    let denominator = u64::from(denominator.max(1));
    let product = u64::from(value) * u64::from(numerator) + denominator / 2;
    u32::try_from(product / denominator).unwrap_or(u32::MAX)
}

/// The fit, and whether it enlarges, with `enlarge` worked in.
fn fit(asked: Fit, enlarge: Option<bool>) -> (Fit, bool) {
    match (asked, enlarge) {
        (Fit::Cover, Some(false)) | (Fit::Min, None | Some(false)) => (Fit::Min, false),
        (Fit::Cover, _) | (Fit::Min, Some(true)) => (Fit::Cover, true),
        (Fit::Stretch, enlarge) => (Fit::Stretch, enlarge.unwrap_or(true)),
        (fit @ (Fit::Inside | Fit::Pad | Fit::Clamp), enlarge) => (fit, enlarge.unwrap_or(false)),
    }
}

fn crops(fit: Fit) -> bool {
    matches!(fit, Fit::Cover | Fit::Min)
}

/// The sides with `dpr` multiplied in and on the ladder.
fn draft(transform: &Transform, settings: &PolicySettings) -> Draft {
    let dpr = dpr(transform, settings);
    let side = |length: Option<Length>| match length {
        Some(Length::Pixels(n)) => Some(Length::Pixels(scale(n, dpr, NO_DPR).max(1))),
        share => share,
    };
    let step = |n: u32| snap(n, &settings.widths);
    let (width, height) = match (side(transform.width), side(transform.height)) {
        (Some(Length::Pixels(w)), Some(Length::Pixels(h))) => {
            let snapped = step(w);
            let height = scale(h, snapped, w).max(1);
            (Some(Length::Pixels(snapped)), Some(Length::Pixels(height)))
        }
        (width, height) => {
            let snapped = |length| match length {
                Length::Pixels(n) => Length::Pixels(step(n)),
                share @ Length::Share(_) => share,
            };
            (width.map(snapped), height.map(snapped))
        }
    };
    Draft {
        width,
        height,
        ratio: transform.aspect_ratio,
        max_width: transform.max_width.map(step),
        max_height: transform.max_height.map(step),
    }
}

/// The smallest step that is at least this, or else the largest; without steps, the size itself.
fn snap(size: u32, steps: &[u32]) -> u32 {
    let above = steps.iter().filter(|&&step| step >= size).min();
    let step = above.or_else(|| steps.iter().max());
    step.copied().unwrap_or(size).max(1)
}

impl Draft {
    /// Pixels without other pixels beside them stop at their own ceiling.
    fn lower_lone_side(&mut self) {
        match (self.width, self.height) {
            (Some(Length::Pixels(n)), None) => {
                let ceiling = self.max_width.take().unwrap_or(MAX_SIDE);
                self.width = Some(Length::Pixels(n.min(ceiling).min(MAX_SIDE)));
            }
            (None, Some(Length::Pixels(n))) => {
                let ceiling = self.max_height.take().unwrap_or(MAX_SIDE);
                self.height = Some(Length::Pixels(n.min(ceiling).min(MAX_SIDE)));
            }
            // Beside a share, the shape of the box is not known yet.
            (Some(Length::Pixels(n)), Some(Length::Share(_))) => {
                self.width = Some(Length::Pixels(n.min(MAX_SIDE)));
            }
            (Some(Length::Share(_)), Some(Length::Pixels(n))) => {
                self.height = Some(Length::Pixels(n.min(MAX_SIDE)));
            }
            _ => {}
        }
    }

    /// Beside pixels, a ratio is the other side.
    fn work_out_ratio(&mut self) {
        let Some((across, down)) = self.ratio else {
            return;
        };
        match (self.width, self.height) {
            (Some(Length::Pixels(n)), None) => {
                self.height = Some(Length::Pixels(scale(n, down, across).max(1)));
            }
            (None, Some(Length::Pixels(n))) => {
                self.width = Some(Length::Pixels(scale(n, across, down).max(1)));
            }
            _ => return,
        }
        self.ratio = None;
    }

    /// A box in pixels shrinks below its ceilings and below the longest side that we make, and
    /// keeps its shape.
    fn lower_box(&mut self) {
        let (Some(Length::Pixels(mut w)), Some(Length::Pixels(mut h))) = (self.width, self.height)
        else {
            return;
        };
        let ceiling = self.max_width.take().unwrap_or(MAX_SIDE).min(MAX_SIDE);
        if w > ceiling {
            (w, h) = (ceiling, scale(h, ceiling, w).max(1));
        }
        let ceiling = self.max_height.take().unwrap_or(MAX_SIDE).min(MAX_SIDE);
        if h > ceiling {
            (w, h) = (scale(w, ceiling, h).max(1), ceiling);
        }
        (self.width, self.height) = (Some(Length::Pixels(w)), Some(Length::Pixels(h)));
    }

    /// For a picture that only shrinks to fit inside, a ceiling is a side.
    fn ceilings_are_sides(&mut self) {
        if self.width.is_none() {
            self.width = self.max_width.take().map(Length::Pixels);
        }
        if self.height.is_none() {
            self.height = self.max_height.take().map(Length::Pixels);
        }
    }
}
