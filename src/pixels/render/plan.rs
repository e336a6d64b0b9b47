//! What a recipe makes of one source size: where the samples come from and where they go.
//! Arithmetic alone; pixels have the last word only on `trim` and on the place of a crop by detail.

use crate::{
    pixels::{
        codec::Error,
        geometry::{
            Area, Fit, Gravity, Length, Rect, Share, Size, Turn,
            fit::{self, Wish},
            scaled,
        },
        ops::rotate,
    },
    recipe::{
        Recipe,
        transform::{Flip, Orient, Region},
    },
};

use super::OutputLimits;

/// Samples a side that a decoder which scales on the way must leave for each pixel of the result.
/// At 1.5 the filter still makes up for the decoder's box; at 1.0 pictures turn visibly soft. 2.0
/// is what libvips keeps, too.
pub const OVERSAMPLING: f64 = 2.0;

/// The same for planes of the fast profile: 1¼, less what rounding of the sides takes. Over ten
/// photographs at six reductions or more, at quality 80 and beside the whole decoded: 0.4 points of
/// SSIMULACRA2 less, 0.7 % fewer bytes and a quarter less CPU than 2.0, which takes 0.1 points; 1.15
/// takes 0.5 points, and up to 1.3 more where a picture is just so much smaller.
pub const FAST_OVERSAMPLING: f64 = 1.24;

/// The same for planes of the fine profile. A photograph of 12 megapixels to 800 pixels, at quality
/// 80 and beside linear light: 0.4 points of SSIMULACRA2 less than pixels that 2.0 leave.
pub const FINE_OVERSAMPLING: f64 = 1.5;

/// The recipe, applied to one source size.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Plan {
    /// What the recipe's `rect` and `trim` left, in pixels as stored. Nothing beyond is looked at.
    pub region: Rect,
    /// What is resampled, inside of `region`, in pixels as stored.
    pub area: Area,
    /// The size that `area` is resampled to, sides as stored.
    pub resized: Size,
    /// Applied to the resized picture: orientation, quarter turns, and mirrors that follow them.
    pub turn: Turn,
    /// The part of the turned picture to keep, where its place is found by its detail.
    pub window: Option<Size>,
    /// Clockwise degrees that are no quarter turn.
    pub degrees: u16,
    /// Mirrors that follow those degrees.
    pub mirror: Turn,
    /// The canvas of `fit=pad` and `fit=clamp`; for other fits the picture's own size.
    pub canvas: Size,
    /// Where the picture stands on that canvas, from the left and from the top.
    pub at: (u32, u32),
    /// Pixels added around the canvas: top, right, bottom, left.
    pub pad: [u32; 4],
    /// The size of the result.
    pub output: Size,
}

impl Plan {
    /// Whether the whole source comes out, every pixel where it is.
    #[must_use]
    pub fn changes_nothing(&self, stored: Size) -> bool {
        self.keeps_pixels()
            && self.region.size() == stored
            && self.turn == Turn::NONE
            && self.mirror == Turn::NONE
            && self.window.is_none()
            && self.degrees == 0
            && self.output == stored
    }

    /// Whether nothing is resampled: pixels are cut out at most.
    #[must_use]
    pub fn keeps_pixels(&self) -> bool {
        self.area
            .as_rect()
            .is_some_and(|rect| rect.size() == self.resized)
    }

    /// What a decoder that can scale must not go below; `None` where it must not scale.
    #[must_use]
    pub fn at_least(&self, stored: Size, oversampling: f64) -> Option<Size> {
        if self.keeps_pixels() {
            return None;
        }
        let extent = (self.area.width, self.area.height);
        at_least(stored, self.resized, extent, oversampling)
    }
}

/// What must be left of `stored` samples, of which an extent becomes `resized`; `None`: all.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "compared with the stored sides before"
)]
pub fn at_least(
    stored: Size,
    resized: Size,
    extent: (f64, f64),
    oversampling: f64,
) -> Option<Size> {
    let least = |stored: u32, resized: u32, extent: f64| {
        let share = oversampling * f64::from(resized) / extent;
        (share < 1.0).then(|| (f64::from(stored) * share).ceil() as u32)
    };
    let width = least(stored.width, resized.width, extent.0)?;
    let height = least(stored.height, resized.height, extent.1)?;
    Some(Size::new(width, height))
}

/// Plans a recipe for a source of this size and EXIF orientation. `trimmed` is what remains of it
/// after `trim`, in pixels as stored, once that is known.
///
/// # Errors
/// [`Error::Limit`]: `rect` lies outside, or the result is over a limit. A result that was not
/// spelled out (one side, a box that the picture stays inside of, or no size at all) is made
/// smaller instead, its ratio kept: the answer to "at most this" may be less.
pub fn plan(
    stored: Size,
    orientation: u8,
    recipe: &Recipe,
    trimmed: Option<Rect>,
    limits: &OutputLimits,
) -> Result<Plan, Error> {
    let upright = upright(orientation, recipe);
    let region = match trimmed {
        Some(region) => region,
        None => region(stored, upright, recipe.rect)?,
    };
    let quarter = recipe.rotate.is_multiple_of(90);
    let turn = if quarter {
        upright.then(Turn::quarters(recipe.rotate / 90))
    } else {
        upright
    };
    let source = turn.size(region.size());
    let wish = wish(source, recipe);
    let (mut met, window) = meet(source, &wish, recipe.bounds.gravity);
    let fitted = if met.exact {
        met.canvas
    } else {
        fit::shrink_into(met.canvas, limits.side, limits.pixels)
    };
    let window = if fitted == met.canvas {
        window
    } else {
        met.canvas = fitted;
        met.content = match window {
            Some(window) => grown(met.content, window, fitted),
            None => fitted,
        };
        window.map(|_| fitted)
    };
    let area = placed(
        source,
        (met.used_width, met.used_height),
        met.content,
        recipe.bounds.gravity,
    );
    let stored_area = shifted(turn.undo(area, source), region);

    let flip = mirror(recipe.flip);
    let (turn, mirror, degrees) = if quarter {
        (turn.then(flip), Turn::NONE, 0)
    } else {
        (turn, flip, recipe.rotate)
    };
    let picture = rotate::canvas(window.unwrap_or(met.content), degrees);
    // A picture that is turned by odd degrees may outgrow its box.
    let canvas = Size::new(
        met.canvas.width.max(picture.width),
        met.canvas.height.max(picture.height),
    );
    let canvas = match recipe.bounds.fit {
        Fit::Pad | Fit::Clamp => canvas,
        _ => picture,
    };
    let output = output(canvas, recipe.pad, limits)?;
    Ok(Plan {
        region,
        area: stored_area,
        resized: turn.size(met.content),
        turn,
        window,
        degrees,
        mirror,
        canvas,
        at: stand(canvas, picture, recipe.bounds.gravity),
        pad: recipe.pad,
        output,
    })
}

/// What makes the source upright.
#[must_use]
pub fn upright(orientation: u8, recipe: &Recipe) -> Turn {
    match recipe.orient {
        Orient::Auto => Turn::from_exif(orientation),
        Orient::Exif(orientation) => Turn::from_exif(orientation),
    }
}

/// The recipe's `rect`, in pixels as stored.
///
/// # Errors
/// [`Error::Limit`] if it begins outside of the picture.
pub fn region(stored: Size, upright: Turn, rect: Option<Region>) -> Result<Rect, Error> {
    let Some(rect) = rect else {
        return Ok(Rect::whole(stored));
    };
    let size = upright.size(stored);
    let pixels = |length: Length, side: u32| match length {
        Length::Pixels(pixels) => pixels,
        Length::Share(Share(share)) => share_of(side, share),
    };
    let (x, y) = (pixels(rect.x, size.width), pixels(rect.y, size.height));
    if x >= size.width || y >= size.height {
        return Err(Error::Limit(format!(
            "is {size} pixels, and `rect` begins outside of it"
        )));
    }
    let inside = Rect {
        x,
        y,
        width: pixels(rect.width, size.width).clamp(1, size.width - x),
        height: pixels(rect.height, size.height).clamp(1, size.height - y),
    };
    let stored = upright.undo(inside.into(), size).as_rect();
    stored.ok_or_else(|| Error::Limit(format!("is {size} pixels, and `rect` begins outside of it")))
}

/// The top left pixel of a region as it is seen upright, in pixels as stored.
#[must_use]
pub fn corner(region: Rect, upright: Turn) -> (u32, u32) {
    let first = Area {
        x: 0.0,
        y: 0.0,
        width: 1.0,
        height: 1.0,
    };
    let place = upright.undo(first, upright.size(region.size()));
    match place.as_rect() {
        Some(rect) => (region.x + rect.x, region.y + rect.y),
        None => (region.x, region.y),
    }
}

/// The box in output pixels: shares of the source, and pixels times `dpr`.
fn wish(source: Size, recipe: &Recipe) -> Wish {
    let bounds = &recipe.bounds;
    let dense = |pixels: u32| scaled(pixels, bounds.dpr.into(), 1000);
    let pixels = |length: Option<Length>, side: u32| {
        length.map(|length| match length {
            Length::Pixels(pixels) => dense(pixels),
            Length::Share(Share(share)) => share_of(side, share).max(1),
        })
    };
    Wish {
        width: pixels(bounds.width, source.width),
        height: pixels(bounds.height, source.height),
        ratio: bounds.aspect_ratio,
        max_width: bounds.max_width.map(dense),
        max_height: bounds.max_height.map(dense),
        fit: bounds.fit,
        enlarge: bounds.enlarge,
    }
}

/// A share of a side, to the nearest pixel; may be 0.
fn share_of(side: u32, share: u32) -> u32 {
    let pixels = (u64::from(side) * u64::from(share) + 500_000) / u64::from(Share::ONE);
    u32::try_from(pixels).unwrap_or(u32::MAX)
}

/// As [`fit::meet`]; where the crop is placed by detail, the whole source is resized, and the
/// window to be cut out of it comes second.
fn meet(source: Size, wish: &Wish, gravity: Gravity) -> (fit::Met, Option<Size>) {
    let met = fit::meet(source, wish);
    let (width, height) = (f64::from(source.width), f64::from(source.height));
    let crops = met.used_width < width || met.used_height < height;
    if matches!(gravity, Gravity::Point { .. }) || !crops {
        return (met, None);
    }
    let grown = Size::new(
        grow(met.content.width, width / met.used_width),
        grow(met.content.height, height / met.used_height),
    );
    let whole = fit::Met {
        used_width: width,
        used_height: height,
        content: grown,
        ..met
    };
    (whole, Some(met.content))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and the limits are far below"
)]
fn grow(side: u32, factor: f64) -> u32 {
    ((f64::from(side) * factor).round() as u32).max(side)
}

/// A content around a window, after the window was shrunk.
fn grown(content: Size, window: Size, shrunk: Size) -> Size {
    let ratio = |content: u32, window: u32| f64::from(content) / f64::from(window);
    Size::new(
        grow(shrunk.width, ratio(content.width, window.width)),
        grow(shrunk.height, ratio(content.height, window.height)),
    )
}

/// Where an extent of the source lies by gravity. An extent that is not scaled lies on whole
/// pixels, so that it can be copied.
fn placed(source: Size, used: (f64, f64), content: Size, gravity: Gravity) -> Area {
    let (x, y) = shares(gravity);
    let near = |used: f64, content: u32, side: u32| {
        (used - f64::from(content)).abs() < 0.5 && content <= side
    };
    let copied =
        near(used.0, content.width, source.width) && near(used.1, content.height, source.height);
    let axis = |side: u32, used: f64, content: u32, share: f64| {
        let used = if copied { content.into() } else { used };
        let spare = (f64::from(side) - used).max(0.0);
        let start = (f64::from(side) * share - used / 2.0).clamp(0.0, spare);
        (if copied { start.round() } else { start }, used)
    };
    let (x, width) = axis(source.width, used.0, content.width, x);
    let (y, height) = axis(source.height, used.1, content.height, y);
    Area {
        x,
        y,
        width,
        height,
    }
}

fn shares(gravity: Gravity) -> (f64, f64) {
    match gravity {
        Gravity::Point { x, y } => (x.as_f64(), y.as_f64()),
        Gravity::Entropy | Gravity::Smart => (0.5, 0.5),
    }
}

fn shifted(area: Area, region: Rect) -> Area {
    Area {
        x: area.x + f64::from(region.x),
        y: area.y + f64::from(region.y),
        ..area
    }
}

const fn mirror(flip: Flip) -> Turn {
    Turn::mirror(flip.horizontal, flip.vertical)
}

/// Where a picture stands on its canvas: (0, 0) is the top left corner, (½, ½) the middle.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of what is spare"
)]
fn stand(canvas: Size, picture: Size, gravity: Gravity) -> (u32, u32) {
    let (x, y) = shares(gravity);
    let start = |canvas: u32, picture: u32, share: f64| {
        let spare = canvas.saturating_sub(picture);
        ((f64::from(spare) * share).round() as u32).min(spare)
    };
    (
        start(canvas.width, picture.width, x),
        start(canvas.height, picture.height, y),
    )
}

/// The canvas and what is added around it, held against the limits.
fn output(canvas: Size, pad: [u32; 4], limits: &OutputLimits) -> Result<Size, Error> {
    let [top, right, bottom, left] = pad.map(u64::from);
    let width = u64::from(canvas.width) + left + right;
    let height = u64::from(canvas.height) + top + bottom;
    let side = u64::from(limits.side);
    if width > side || height > side {
        return Err(Error::Limit(format!(
            "would become {width}×{height} pixels, and a side may have {side}"
        )));
    }
    // Both sides fit u32 now, so the product fits u64.
    let pixels = width * height;
    if pixels > limits.pixels {
        return Err(Error::Limit(format!(
            "would become {width}×{height} = {pixels} pixels, and {} are allowed",
            limits.pixels
        )));
    }
    let side = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
    Ok(Size::new(side(width), side(height)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::render::tests::{asking, recipe};

    const LIMITS: OutputLimits = OutputLimits {
        side: 8192,
        pixels: 16_777_216,
        avif_pixels: 4_194_304,
        auto_quality_time: std::time::Duration::ZERO,
    };

    #[track_caller]
    fn planned(stored: (u32, u32), orientation: u8, recipe: &Recipe) -> Plan {
        plan(
            Size::new(stored.0, stored.1),
            orientation,
            recipe,
            None,
            &LIMITS,
        )
        .unwrap()
    }

    #[track_caller]
    fn check(stored: (u32, u32), orientation: u8, recipe: &Recipe, expected: (u32, u32)) {
        let output = planned(stored, orientation, recipe).output;
        assert_eq!((output.width, output.height), expected);
    }

    fn pixels(pixels: u32) -> Length {
        Length::Pixels(pixels)
    }

    fn region(x: u32, y: u32, width: u32, height: u32) -> Region {
        Region {
            x: pixels(x),
            y: pixels(y),
            width: pixels(width),
            height: pixels(height),
        }
    }

    #[test]
    fn nothing_asked_changes_nothing() {
        let plan = planned((4000, 3000), 1, &recipe());
        assert!(plan.changes_nothing(Size::new(4000, 3000)));
        assert_eq!(plan.at_least(Size::new(4000, 3000), OVERSAMPLING), None);
    }

    #[test]
    fn sides_are_measured_upright() {
        let wide = asking(|recipe| recipe.bounds.width = Some(pixels(300)));
        check((4000, 3000), 1, &wide, (300, 225));
        check((4000, 3000), 6, &wide, (300, 400));
        assert_eq!(planned((4000, 3000), 6, &wide).resized, Size::new(400, 300));
    }

    #[test]
    fn an_orientation_can_be_said_instead() {
        let said = asking(|recipe| {
            recipe.bounds.width = Some(pixels(300));
            recipe.orient = Orient::Exif(1);
        });
        check((4000, 3000), 6, &said, (300, 225));
    }

    #[test]
    fn quarter_turns_come_before_the_box() {
        let turned = asking(|recipe| {
            recipe.bounds.width = Some(pixels(300));
            recipe.rotate = 90;
        });
        check((4000, 3000), 1, &turned, (300, 400));
        check((4000, 3000), 6, &turned, (300, 225));
    }

    #[test]
    fn other_turns_come_after_it() {
        let turned = asking(|recipe| {
            recipe.bounds.width = Some(pixels(100));
            recipe.rotate = 45;
        });
        check((100, 100), 1, &turned, (142, 142));
    }

    #[test]
    fn dpr_multiplies_pixels_and_not_shares() {
        let dense = asking(|recipe| {
            recipe.bounds.width = Some(pixels(200));
            recipe.bounds.dpr = 2500;
        });
        check((4000, 3000), 1, &dense, (500, 375));
        let half = asking(|recipe| {
            recipe.bounds.width = Some(Length::Share(Share::HALF));
            recipe.bounds.dpr = 2500;
        });
        check((4000, 3000), 1, &half, (2000, 1500));
        let ceiling = asking(|recipe| {
            recipe.bounds.max_width = Some(200);
            recipe.bounds.dpr = 2000;
        });
        check((4000, 3000), 1, &ceiling, (400, 300));
    }

    #[test]
    fn a_region_is_cut_out_upright() {
        let cut = asking(|recipe| recipe.rect = Some(region(100, 50, 800, 400)));
        check((4000, 3000), 1, &cut, (800, 400));
        let plan = planned((4000, 3000), 6, &cut);
        assert_eq!(
            plan.region,
            Rect {
                x: 50,
                y: 3000 - 900,
                width: 400,
                height: 800
            }
        );
        assert!(plan.keeps_pixels());
    }

    #[test]
    fn a_region_ends_at_the_edge() {
        let cut = asking(|recipe| recipe.rect = Some(region(3900, 0, 800, 400)));
        check((4000, 3000), 1, &cut, (100, 400));
    }

    #[test]
    fn a_region_outside_is_refused() {
        let at = |x| {
            let cut = asking(|recipe| recipe.rect = Some(region(x, 0, 1, 1)));
            plan(Size::new(4000, 3000), 1, &cut, None, &LIMITS)
        };
        assert!(at(3999).is_ok());
        let error = at(4000).unwrap_err().to_string();
        assert_eq!(
            error,
            "the picture is 4000×3000 pixels, and `rect` begins outside of it"
        );
    }

    fn covering(x: u32, y: u32) -> Recipe {
        asking(|recipe| {
            recipe.bounds.width = Some(pixels(500));
            recipe.bounds.height = Some(pixels(500));
            recipe.bounds.fit = Fit::Cover;
            recipe.bounds.enlarge = true;
            recipe.bounds.gravity = Gravity::Point {
                x: Share(x),
                y: Share(y),
            };
        })
    }

    #[track_caller]
    fn check_x(orientation: u8, recipe: &Recipe, expected: (f64, f64)) {
        let area = planned((4000, 3000), orientation, recipe).area;
        assert_eq!((area.x, area.y), expected);
    }

    #[test]
    fn crops_follow_gravity() {
        check_x(1, &covering(500_000, 500_000), (500.0, 0.0));
        check_x(1, &covering(0, 0), (0.0, 0.0));
        check_x(1, &covering(1_000_000, 0), (1000.0, 0.0));
        check_x(1, &covering(250_000, 0), (0.0, 0.0));
        check_x(1, &covering(400_000, 0), (100.0, 0.0));
    }

    #[test]
    fn gravity_is_meant_upright() {
        // Upright by a turn clockwise, the top was the left.
        check_x(6, &covering(500_000, 0), (0.0, 0.0));
        check_x(6, &covering(500_000, 1_000_000), (1000.0, 0.0));
        check_x(3, &covering(0, 0), (1000.0, 0.0));
    }

    #[test]
    fn detail_is_looked_for_in_the_whole_picture() {
        let mut recipe = covering(0, 0);
        recipe.bounds.gravity = Gravity::Entropy;
        let plan = planned((4000, 3000), 6, &recipe);
        assert_eq!(plan.area, Rect::whole(Size::new(4000, 3000)).into());
        assert_eq!(plan.resized, Size::new(667, 500));
        assert_eq!(plan.window, Some(Size::new(500, 500)));
        assert_eq!(plan.output, Size::new(500, 500));
    }

    #[test]
    fn unscaled_crops_are_copied() {
        let mut recipe = covering(333_333, 500_000);
        recipe.bounds.width = Some(pixels(2999));
        recipe.bounds.height = Some(pixels(3000));
        let plan = planned((4000, 3000), 1, &recipe);
        assert!(plan.keeps_pixels(), "{plan:?}");
    }

    #[test]
    fn padding_is_added_around_the_box() {
        let padded = asking(|recipe| {
            recipe.bounds.width = Some(pixels(500));
            recipe.bounds.height = Some(pixels(500));
            recipe.bounds.fit = Fit::Pad;
            recipe.pad = [1, 2, 3, 4];
        });
        let plan = planned((4000, 3000), 1, &padded);
        assert_eq!(
            (plan.canvas, plan.output),
            (Size::new(500, 500), Size::new(506, 504))
        );
        assert_eq!(plan.at, (0, 63));
    }

    #[test]
    fn mirrors_follow_quarter_turns_at_once() {
        let mirrored = asking(|recipe| recipe.flip.horizontal = true);
        assert_eq!(planned((4, 3), 1, &mirrored).turn, Turn::from_exif(2));
        let odd = asking(|recipe| {
            recipe.flip.horizontal = true;
            recipe.rotate = 10;
        });
        let plan = planned((4, 3), 1, &odd);
        assert_eq!((plan.turn, plan.mirror), (Turn::NONE, Turn::from_exif(2)));
    }

    #[test]
    fn scaling_decoders_leave_enough() {
        let at_least = |width| {
            let small = asking(|recipe| recipe.bounds.width = Some(pixels(width)));
            planned((4000, 3000), 1, &small).at_least(Size::new(4000, 3000), OVERSAMPLING)
        };
        assert_eq!(at_least(800), Some(Size::new(1600, 1200)));
        assert_eq!(at_least(1999), Some(Size::new(3998, 2998)));
        assert_eq!(at_least(2000), None);
        let crop = planned((4000, 3000), 1, &covering(0, 0));
        assert_eq!(
            crop.at_least(Size::new(4000, 3000), OVERSAMPLING),
            Some(Size::new(1334, 1000))
        );
    }

    #[track_caller]
    fn check_limit(recipe: &Recipe, limits: OutputLimits, expected: Result<(u32, u32), &str>) {
        let planned = plan(Size::new(4000, 3000), 1, recipe, None, &limits);
        let found = planned.map(|plan| (plan.output.width, plan.output.height));
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected),
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn a_size_that_is_not_spelled_out_shrinks_to_the_limit() {
        let limits = |side, pixels| OutputLimits {
            side,
            pixels,
            ..LIMITS
        };
        check_limit(&recipe(), limits(4000, 12_000_000), Ok((4000, 3000)));
        check_limit(&recipe(), limits(3999, 12_000_000), Ok((3999, 2999)));
        check_limit(&recipe(), limits(4000, 3_000_000), Ok((2000, 1500)));
    }

    #[test]
    fn a_box_over_the_limit_is_refused() {
        let limits = |side, pixels| OutputLimits {
            side,
            pixels,
            ..LIMITS
        };
        check_limit(&covering(0, 0), limits(500, 250_000), Ok((500, 500)));
        let side = "the picture would become 500×500 pixels, and a side may have 499";
        check_limit(&covering(0, 0), limits(499, 250_000), Err(side));
        let area = "the picture would become 500×500 = 250000 pixels, and 249999 are allowed";
        check_limit(&covering(0, 0), limits(500, 249_999), Err(area));
    }

    #[test]
    fn padding_counts_towards_the_limit() {
        let padded = asking(|recipe| recipe.pad = [u32::MAX, 0, u32::MAX, 0]);
        let planned = plan(Size::new(4, 3), 1, &padded, None, &LIMITS);
        assert!(matches!(planned, Err(Error::Limit(_))));
    }

    #[test]
    fn what_trimming_left_is_the_source() {
        let recipe = asking(|recipe| recipe.bounds.width = Some(pixels(50)));
        let rect = Rect {
            x: 10,
            y: 20,
            width: 100,
            height: 200,
        };
        let plan = plan(Size::new(4000, 3000), 1, &recipe, Some(rect), &LIMITS).unwrap();
        assert_eq!((plan.region, plan.output), (rect, Size::new(50, 100)));
        assert_eq!(plan.area, rect.into());
    }

    #[test]
    fn the_upright_corner_is_found() {
        let region = Rect {
            x: 10,
            y: 20,
            width: 5,
            height: 3,
        };
        assert_eq!(corner(region, Turn::NONE), (10, 20));
        assert_eq!(corner(region, Turn::from_exif(3)), (14, 22));
        assert_eq!(corner(region, Turn::from_exif(6)), (10, 22));
    }
}
