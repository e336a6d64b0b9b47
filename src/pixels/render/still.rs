//! One decoded picture → one raster, by the plan.

use crate::{
    pixels::{
        bitmap::{Bitmap, Raster, Samples},
        codec::{Cancel, Error, Header},
        colour::{self, curve::Curve},
        format::{InputFormat, OutputFormat},
        geometry::{Area, Fit, Gravity, Rect, Size},
        ops::{
            adjust::{self, Adjust},
            blur, crop, flatten, orient,
            pad::{self, Around},
            resize, rotate, salience, sharpen,
        },
    },
    recipe::{Recipe, recipe::Effects, transform::Profile},
};

use super::Plan;

/// White: what transparent pixels are laid on where the format has no alpha and nothing is asked.
const WHITE: [u8; 4] = [255; 4];

/// Everything between decoding and encoding of a still.
pub(super) fn picture(
    bitmap: Bitmap,
    header: &Header,
    plan: &Plan,
    recipe: &Recipe,
    format: OutputFormat,
    cancel: &Cancel,
) -> Result<Raster, Error> {
    let may_keep = may_keep(recipe, format);
    let raster = sampled(bitmap, header, plan, recipe.profile, may_keep, cancel)?;
    let window = plan.window.map(|window| placed(&raster, window, recipe));
    finished(raster, window, plan, recipe, format, cancel)
}

/// Everything after a still was resampled.
pub(super) fn shrunk(
    bitmap: Bitmap,
    plan: &Plan,
    recipe: &Recipe,
    format: OutputFormat,
    cancel: &Cancel,
) -> Result<Raster, Error> {
    let raster = upright(bitmap, plan, may_keep(recipe, format));
    let window = plan.window.map(|window| placed(&raster, window, recipe));
    finished(raster, window, plan, recipe, format, cancel)
}

/// Whether a profile may stay. GIF has no place for one; and a colour in the recipe is sRGB, so the
/// picture must be.
fn may_keep(recipe: &Recipe, format: OutputFormat) -> bool {
    format != OutputFormat::Gif && recipe.background.is_none()
}

/// Converted and turned upright.
fn upright(bitmap: Bitmap, plan: &Plan, may_keep: bool) -> Raster {
    orient::orient(colour::finish(bitmap, may_keep), plan.turn)
}

/// Where a window goes whose place the pixels decide.
pub(super) fn placed(raster: &Raster, window: Size, recipe: &Recipe) -> Rect {
    match recipe.bounds.gravity {
        Gravity::Smart => salience::window(raster, window),
        Gravity::Entropy | Gravity::Point { .. } => crop::busiest(raster, window),
    }
}

/// Cut out, resampled, converted and turned upright.
pub(super) fn sampled(
    bitmap: Bitmap,
    header: &Header,
    plan: &Plan,
    profile: Profile,
    may_keep: bool,
    cancel: &Cancel,
) -> Result<Raster, Error> {
    let (across, down) = scale(header.size, bitmap.size);
    let area = Area {
        x: plan.area.x * across,
        y: plan.area.y * down,
        width: plan.area.width * across,
        height: plan.area.height * down,
    };
    let copied = area.as_rect().filter(|rect| rect.size() == plan.resized);
    let bitmap = if let Some(rect) = copied {
        crop::cut(bitmap, rect)
    } else {
        let curve = match profile {
            Profile::Fine if !keeps_numbers(header.format) => {
                Some(colour::curve(&bitmap.colour, bitmap.layout))
            }
            _ => None,
        };
        let bounds = covered(plan.region, across, down, bitmap.size);
        match curve {
            Some(curve) => resize::resize(&bitmap, area, bounds, plan.resized, &curve, cancel)?,
            None => coded(bitmap, area, bounds, plan.resized, cancel)?,
        }
    };
    cancel.check()?;
    Ok(upright(bitmap, plan, may_keep))
}

/// Whether a format is resampled in the numbers as they are coded, whatever the profile. GIF is drawn
/// in a palette, or dithered to one: the tones that were meant are means of the numbers. In linear
/// light its black lines on white would fade.
pub(super) fn keeps_numbers(format: InputFormat) -> bool {
    format == InputFormat::Gif
}

/// Resampled in the numbers as they are.
fn coded(
    bitmap: Bitmap,
    area: Area,
    bounds: Rect,
    size: Size,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    let samples = match &bitmap.samples {
        Samples::U8(samples) => {
            let area = (area, bounds);
            resize::coded::resize(samples, bitmap.size, bitmap.layout, area, size, cancel)?
        }
        // Eight bits are written, but what sixteen say may have to be converted first.
        Samples::U16(_) => {
            return resize::resize(&bitmap, area, bounds, size, &Curve::identity(), cancel);
        }
    };
    Ok(Bitmap {
        size,
        samples: Samples::U8(samples),
        ..bitmap
    })
}

/// Everything after the picture is upright.
pub(super) fn finished(
    raster: Raster,
    window: Option<Rect>,
    plan: &Plan,
    recipe: &Recipe,
    format: OutputFormat,
    cancel: &Cancel,
) -> Result<Raster, Error> {
    let ground = ground(recipe.background, format);
    let raster = match window {
        Some(window) => crop::cut_raster(raster, window),
        None => raster,
    };
    let raster = rotate::rotate(raster, plan.degrees, ground, cancel)?;
    let mut raster = orient::orient(raster, plan.mirror);
    effects(&mut raster, &recipe.effects, cancel)?;
    let around = match recipe.bounds.fit {
        Fit::Clamp => Around::Edges,
        _ => Around::Colour(ground),
    };
    let raster = pad::place(raster, plan.canvas, plan.at.0, plan.at.1, around);
    let [top, _, _, left] = plan.pad;
    let raster = pad::place(raster, plan.output, left, top, Around::Colour(ground));
    if recipe.background.is_some() || !format.has_alpha() {
        Ok(flatten::flatten(raster, ground))
    } else {
        Ok(raster)
    }
}

/// What stands behind transparency and around the picture.
fn ground(background: Option<[u8; 4]>, format: OutputFormat) -> [u8; 4] {
    match (background, format.has_alpha()) {
        (Some(colour), true) => colour,
        (Some(colour), false) => flatten::over(colour, WHITE),
        (None, true) => [0; 4],
        (None, false) => WHITE,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "hundredths, far below what f32 counts exactly"
)]
fn effects(raster: &mut Raster, effects: &Effects, cancel: &Cancel) -> Result<(), Error> {
    let hundredths = |value: u32| value as f32 / 100.0;
    let percent = |value: i8| f32::from(value) / 100.0;
    blur::blur(raster, hundredths(effects.blur), cancel)?;
    sharpen::sharpen(raster, hundredths(effects.sharpen), cancel)?;
    adjust::adjust(
        raster,
        &Adjust {
            brightness: percent(effects.brightness),
            contrast: percent(effects.contrast),
            gamma: hundredths(effects.gamma),
            saturation: percent(effects.saturation),
        },
    );
    cancel.check()
}

/// Decoded pixels a stored one, across and down.
///
/// JPEG decoders scale by eighths and round the sides up: 4001 pixels at 1/8 are 501, the last of
/// which is an eighth of a pixel wide. Taking 501 / 4001 for the scale would bend the picture.
fn scale(stored: Size, decoded: Size) -> (f64, f64) {
    let eighths = |side: u32, eighths: u32| (u64::from(side) * u64::from(eighths)).div_ceil(8);
    let mut matching = (1..=8).filter(|&eighth| {
        eighths(stored.width, eighth) == u64::from(decoded.width)
            && eighths(stored.height, eighth) == u64::from(decoded.height)
    });
    match (matching.next(), matching.next()) {
        (Some(eighth), None) => (f64::from(eighth) / 8.0, f64::from(eighth) / 8.0),
        _ => (
            f64::from(decoded.width) / f64::from(stored.width),
            f64::from(decoded.height) / f64::from(stored.height),
        ),
    }
}

/// The decoded pixels that a stored region touches.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the decoded sides"
)]
pub(super) fn covered(region: Rect, across: f64, down: f64, decoded: Size) -> Rect {
    let axis = |start: u32, extent: u32, scale: f64, side: u32| {
        let first = ((f64::from(start) * scale).floor() as u32).min(side - 1);
        let end = (f64::from(start) + f64::from(extent)) * scale;
        let last = (end.ceil() as u32).clamp(first + 1, side);
        (first, last - first)
    };
    let (x, width) = axis(region.x, region.width, across, decoded.width);
    let (y, height) = axis(region.y, region.height, down, decoded.height);
    Rect {
        x,
        y,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{
        bitmap::{Colour, Layout, Samples},
        format::InputFormat,
        geometry::Length,
        render::tests::{asking, header, job_of},
    };

    /// Red, green, blue and white quarters.
    fn quarters(width: u32, height: u32) -> Bitmap {
        let colour = |x: u32, y: u32| match (x < width / 2, y < height / 2) {
            (true, true) => [255, 0, 0],
            (false, true) => [0, 255, 0],
            (true, false) => [0, 0, 255],
            (false, false) => [255, 255, 255],
        };
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Bitmap {
            size: Size::new(width, height),
            layout: Layout::Rgb,
            samples: Samples::U8(places.flat_map(|(x, y)| colour(x, y)).collect()),
            colour: Colour::Srgb,
        }
    }

    fn made(bitmap: Bitmap, orientation: u8, format: OutputFormat, recipe: &Recipe) -> Raster {
        let header = Header {
            size: bitmap.size,
            orientation,
            ..header(InputFormat::Png)
        };
        let plan = job_of(header.clone(), recipe).plan;
        let raster = picture(bitmap, &header, &plan, recipe, format, &Cancel::default()).unwrap();
        assert_eq!(raster.size, plan.output);
        assert!(raster.clone().into_bitmap().is_complete());
        raster
    }

    /// The colours of the four corners, one letter each: top left, top right, bottom left, bottom
    /// right.
    fn corners(raster: &Raster) -> String {
        let (width, height) = (raster.size.width as usize, raster.size.height as usize);
        let channels = raster.layout.channels();
        let places = [0, width - 1, (height - 1) * width, height * width - 1];
        let letter = |place: usize| match &raster.samples[place * channels..][..channels] {
            [200..=255, ..60, ..60, ..] => 'r',
            [..60, 200..=255, ..60, ..] => 'g',
            [..60, ..60, 200..=255, ..] => 'b',
            [_, _, _, 0] => '-',
            [200..=255, 200..=255, 200..=255, ..] => 'w',
            [..60, ..60, ..60, ..] => 'k',
            _ => '?',
        };
        places.map(letter).into_iter().collect()
    }

    #[track_caller]
    fn check(orientation: u8, change: impl FnOnce(&mut Recipe), expected: &str) {
        let raster = made(
            quarters(40, 20),
            orientation,
            OutputFormat::Png,
            &asking(change),
        );
        assert_eq!(corners(&raster), expected);
    }

    fn boxed(recipe: &mut Recipe, width: u32, height: u32, fit: Fit) {
        recipe.bounds.width = Some(Length::Pixels(width));
        recipe.bounds.height = Some(Length::Pixels(height));
        recipe.bounds.fit = fit;
        recipe.bounds.enlarge = matches!(fit, Fit::Cover | Fit::Stretch);
    }

    #[test]
    fn orientations_are_undone_with_and_without_a_resize() {
        let upright = [
            "rgbw", "grwb", "wbgr", "bwrg", "rbgw", "brwg", "wgbr", "gwrb",
        ];
        for (orientation, expected) in (1..=8).zip(upright) {
            check(orientation, |_| (), expected);
            check(
                orientation,
                |recipe| recipe.bounds.width = Some(Length::Pixels(8)),
                expected,
            );
        }
    }

    #[test]
    fn quarter_turns_and_mirrors_follow() {
        check(1, |recipe| recipe.rotate = 90, "brwg");
        check(6, |recipe| recipe.rotate = 270, "rgbw");
        check(1, |recipe| recipe.flip.horizontal = true, "grwb");
        check(6, |recipe| recipe.flip.vertical = true, "wgbr");
    }

    #[test]
    fn the_box_is_met_in_every_way() {
        check(1, |recipe| boxed(recipe, 10, 10, Fit::Stretch), "rgbw");
        check(1, |recipe| boxed(recipe, 10, 10, Fit::Cover), "rgbw");
        check(1, |recipe| boxed(recipe, 10, 10, Fit::Pad), "----");
        check(1, |recipe| boxed(recipe, 10, 10, Fit::Clamp), "rgbw");
        let red = |recipe: &mut Recipe| {
            boxed(recipe, 10, 10, Fit::Pad);
            recipe.background = Some([255, 0, 0, 255]);
        };
        check(1, red, "rrrr");
    }

    #[test]
    fn odd_turns_have_clear_corners() {
        check(1, |recipe| recipe.rotate = 45, "----");
    }

    #[test]
    fn padding_stands_around() {
        check(1, |recipe| recipe.pad = [1, 0, 0, 0], "--bw");
        check(1, |recipe| recipe.pad = [0, 0, 0, 2], "-g-w");
    }

    #[test]
    fn jpeg_is_laid_on_white() {
        let recipe = asking(|recipe| recipe.pad = [1; 4]);
        let raster = made(quarters(8, 8), 1, OutputFormat::Jpeg, &recipe);
        assert_eq!(
            (raster.layout, corners(&raster).as_str()),
            (Layout::Rgb, "wwww")
        );
    }

    #[test]
    fn a_half_clear_background_is_laid_on_white_for_jpeg() {
        assert_eq!(
            ground(Some([0, 0, 0, 51]), OutputFormat::Jpeg),
            [204, 204, 204, 255]
        );
        assert_eq!(
            ground(Some([0, 0, 0, 51]), OutputFormat::Png),
            [0, 0, 0, 51]
        );
    }

    #[test]
    fn effects_reach_the_pixels() {
        check(1, |recipe| recipe.effects.brightness = -100, "kkkk");
    }

    #[test]
    fn unchanged_pixels_are_the_very_same() {
        let bitmap = quarters(7, 5);
        let Samples::U8(expected) = bitmap.samples.clone() else {
            panic!("eight bits");
        };
        assert_eq!(
            made(bitmap, 1, OutputFormat::Png, &asking(|_| ())).samples,
            expected
        );
    }

    #[test]
    fn a_scaled_bitmap_stands_for_the_whole() {
        // As a JPEG decoder leaves it at 2/8.
        let recipe = asking(|recipe| recipe.bounds.width = Some(Length::Pixels(10)));
        let header = Header {
            size: Size::new(80, 40),
            ..header(InputFormat::Jpeg)
        };
        let plan = job_of(header.clone(), &recipe).plan;
        let (format, cancel) = (OutputFormat::Png, Cancel::default());
        let raster = picture(quarters(20, 10), &header, &plan, &recipe, format, &cancel).unwrap();
        assert_eq!(
            (raster.size, corners(&raster).as_str()),
            (Size::new(10, 5), "rgbw")
        );
    }

    #[test]
    fn a_cut_out_of_a_scaled_bitmap_is_the_same_part() {
        let recipe = asking(|recipe| {
            recipe.bounds.width = Some(Length::Pixels(5));
            recipe.rect = Some(crate::recipe::transform::Region {
                x: Length::Pixels(40),
                y: Length::Pixels(0),
                width: Length::Pixels(40),
                height: Length::Pixels(20),
            });
        });
        let header = Header {
            size: Size::new(80, 40),
            ..header(InputFormat::Jpeg)
        };
        let plan = job_of(header.clone(), &recipe).plan;
        let (format, cancel) = (OutputFormat::Png, Cancel::default());
        let raster = picture(quarters(20, 10), &header, &plan, &recipe, format, &cancel).unwrap();
        assert_eq!(corners(&raster), "gggg");
    }

    #[track_caller]
    fn check_scale(stored: (u32, u32), decoded: (u32, u32), expected: (f64, f64)) {
        let found = scale(
            Size::new(stored.0, stored.1),
            Size::new(decoded.0, decoded.1),
        );
        assert_eq!(found, expected);
    }

    #[test]
    fn the_scale_of_a_decoder_is_recognised() {
        check_scale((4001, 3001), (501, 376), (0.125, 0.125));
        check_scale((4001, 3001), (4001, 3001), (1.0, 1.0));
        check_scale((4000, 3000), (1000, 600), (0.25, 0.2));
        check_scale((3, 3), (1, 1), (1.0 / 3.0, 1.0 / 3.0));
    }
}
