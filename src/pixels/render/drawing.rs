//! Drawings have no size of their own: they are rasterised at the size that the recipe makes of
//! them, and never enlarged from pixels.

use std::borrow::Cow;

use crate::{
    pixels::{
        codec::Header,
        format::InputFormat,
        geometry::{Area, Fit, Length, Rect, Size, fit},
    },
    recipe::Recipe,
};

use super::{OutputLimits, Plan};

/// The recipe as it is meant for a drawing: no enlargement makes up pixels, so each is allowed.
pub(super) fn recipe(recipe: &Recipe, format: InputFormat) -> Cow<'_, Recipe> {
    let bounds = &recipe.bounds;
    let sized = bounds.width.is_some() || bounds.height.is_some();
    if format != InputFormat::Svg || !sized || bounds.enlarge {
        return Cow::Borrowed(recipe);
    }
    let mut recipe = recipe.clone();
    recipe.bounds.enlarge = true;
    if recipe.bounds.fit == Fit::Min {
        recipe.bounds.fit = Fit::Cover;
    }
    Cow::Owned(recipe)
}

/// The header with the size to rasterise at, and the plan for that size: where the limits on
/// outputs allow it, one pixel of the raster is one of the result.
pub(super) fn sized(
    header: Header,
    plan: Plan,
    recipe: &Recipe,
    outputs: &OutputLimits,
) -> (Header, Plan) {
    if header.format != InputFormat::Svg || !scales(recipe) {
        return (header, plan);
    }
    let stored = header.size;
    let wanted = Size::new(
        grown(stored.width, plan.resized.width, plan.area.width),
        grown(stored.height, plan.resized.height, plan.area.height),
    );
    let raster = fit::shrink_into(wanted, outputs.side, outputs.pixels);
    let across = f64::from(raster.width) / f64::from(stored.width);
    let down = f64::from(raster.height) / f64::from(stored.height);
    let area = Area {
        x: plan.area.x * across,
        y: plan.area.y * down,
        width: plan.area.width * across,
        height: plan.area.height * down,
    };
    let area = if raster == wanted {
        whole(area, plan.resized, raster)
    } else {
        area
    };
    let plan = Plan {
        region: region(plan.region, across, down, raster),
        area,
        ..plan
    };
    let header = Header {
        held_bytes: held(header.held_bytes, stored, raster),
        size: raster,
        ..header
    };
    (header, plan)
}

/// Whether the raster may have another size than the drawing says. Trimming plans anew, in pixels
/// of the raster: lengths that were told in the drawing's would be wrong there.
fn scales(recipe: &Recipe) -> bool {
    let is_share = |length: Option<Length>| matches!(length, Some(Length::Share(_)));
    let bounds = &recipe.bounds;
    recipe.trim.is_none()
        || !(recipe.rect.is_some() || is_share(bounds.width) || is_share(bounds.height))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and the limits are far below"
)]
fn grown(stored: u32, resized: u32, extent: f64) -> u32 {
    let side = f64::from(stored) * f64::from(resized) / extent;
    // A hair over a whole pixel is that pixel.
    ((side - 1e-6).ceil() as u32).max(1)
}

/// The whole pixels that an area of this size lies on, inside of the raster.
fn whole(area: Area, resized: Size, raster: Size) -> Area {
    let start = |start: f64, length: u32, side: u32| {
        start
            .round()
            .clamp(0.0, f64::from(side.saturating_sub(length)))
    };
    Area {
        x: start(area.x, resized.width, raster.width),
        y: start(area.y, resized.height, raster.height),
        width: resized.width.into(),
        height: resized.height.into(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the raster's sides"
)]
fn region(region: Rect, across: f64, down: f64, raster: Size) -> Rect {
    let axis = |start: u32, extent: u32, scale: f64, side: u32| {
        let first = ((f64::from(start) * scale).floor() as u32).min(side - 1);
        let end = (f64::from(start) + f64::from(extent)) * scale;
        (first, (end.ceil() as u32).clamp(first + 1, side) - first)
    };
    let (x, width) = axis(region.x, region.width, across, raster.width);
    let (y, height) = axis(region.y, region.height, down, raster.height);
    Rect {
        x,
        y,
        width,
        height,
    }
}

/// Layers grow with the raster.
fn held(bytes: u64, stored: Size, raster: Size) -> u64 {
    let grown = u128::from(bytes) * u128::from(raster.pixels()) / u128::from(stored.pixels());
    u64::try_from(grown).unwrap_or(u64::MAX).max(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{
        geometry::{Gravity, Share},
        render::tests::{asking, header, job_of},
    };

    /// The raster of a drawing of 40 × 20, and what comes out.
    #[track_caller]
    fn check(change: impl FnOnce(&mut Recipe), raster: (u32, u32), output: (u32, u32)) {
        let header = Header {
            size: Size::new(40, 20),
            ..header(InputFormat::Svg)
        };
        let job = job_of(header, &asking(change));
        assert_eq!(job.header.size, Size::new(raster.0, raster.1));
        assert_eq!(job.output, Size::new(output.0, output.1));
        assert!(job.plan.keeps_pixels());
        assert_eq!(job.format, crate::pixels::format::OutputFormat::Png);
    }

    fn boxed(width: u32, height: u32, fit: Fit) -> impl FnOnce(&mut Recipe) {
        move |recipe| {
            recipe.bounds.width = Some(Length::Pixels(width));
            recipe.bounds.height = Some(Length::Pixels(height));
            recipe.bounds.fit = fit;
        }
    }

    #[test]
    fn a_drawing_is_rasterised_at_the_asked_size() {
        check(|_| (), (40, 20), (40, 20));
        check(
            |recipe| recipe.bounds.width = Some(Length::Pixels(801)),
            (801, 401),
            (801, 401),
        );
        check(
            |recipe| recipe.bounds.width = Some(Length::Pixels(8)),
            (8, 4),
            (8, 4),
        );
        check(
            |recipe| recipe.bounds.width = Some(Length::Share(Share(500_000))),
            (20, 10),
            (20, 10),
        );
        check(boxed(300, 300, Fit::Inside), (300, 150), (300, 150));
        check(boxed(300, 300, Fit::Pad), (300, 150), (300, 300));
        check(boxed(300, 300, Fit::Min), (600, 300), (300, 300));
        check(boxed(300, 300, Fit::Cover), (600, 300), (300, 300));
        check(boxed(300, 300, Fit::Stretch), (300, 300), (300, 300));
    }

    #[test]
    fn a_part_of_a_drawing_is_sharp_too() {
        let part = |recipe: &mut Recipe| {
            recipe.bounds.width = Some(Length::Pixels(100));
            recipe.bounds.gravity = Gravity::Entropy;
            recipe.rect = Some(crate::recipe::transform::Region {
                x: Length::Pixels(10),
                y: Length::Pixels(0),
                width: Length::Pixels(10),
                height: Length::Pixels(10),
            });
        };
        check(part, (400, 200), (100, 100));
    }

    #[test]
    fn a_raster_over_the_limit_is_resampled_from_a_smaller_one() {
        let header = Header {
            size: Size::new(4000, 4000),
            ..header(InputFormat::Svg)
        };
        let recipe = asking(|recipe| {
            recipe.bounds.width = Some(Length::Pixels(1000));
            recipe.rect = Some(crate::recipe::transform::Region {
                x: Length::Pixels(100),
                y: Length::Pixels(100),
                width: Length::Pixels(100),
                height: Length::Pixels(100),
            });
        });
        let job = job_of(header, &recipe);
        assert_eq!(job.header.size, Size::new(4096, 4096));
        assert_eq!(job.output, Size::new(1000, 1000));
    }

    #[test]
    fn layers_count_at_the_size_that_is_drawn() {
        let header = Header {
            size: Size::new(10, 10),
            held_bytes: 1000,
            ..header(InputFormat::Svg)
        };
        let recipe = asking(|recipe| recipe.bounds.width = Some(Length::Pixels(100)));
        assert_eq!(job_of(header, &recipe).header.held_bytes, 100_000);
    }
}
