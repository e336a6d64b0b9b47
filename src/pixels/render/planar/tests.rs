//! Tests of the way without RGB: it must lead where the way through RGB leads.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "sides and shades of small pictures"
)]

use crate::{
    pixels::{
        bitmap::{Bitmap, Colour, Layout, Raster, Samples},
        codec::{self, Cancel, DecodeOptions, EncodeOptions, Limits},
        colour,
        format::OutputFormat,
        geometry::{Fit, Gravity, Length, Share, Size},
        render::{OutputLimits, prepare, render, tests::asking},
    },
    recipe::{
        Recipe,
        transform::{Orient, Profile, Region},
    },
};

fn drawn(size: Size, layout: Layout, pixel: impl Fn(f64, f64) -> Vec<u8>) -> Bitmap {
    let at = |n: u32| f64::from(n) + 0.5;
    let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (at(x), at(y))));
    Bitmap {
        size,
        layout,
        samples: Samples::U8(places.flat_map(|(x, y)| pixel(x, y)).collect()),
        colour: Colour::Srgb,
    }
}

/// Soft colours that look another way in each of the eight orientations.
fn scene(width: u32, height: u32) -> Bitmap {
    let (across, down) = (f64::from(width), f64::from(height));
    drawn(Size::new(width, height), Layout::Rgb, |x, y| {
        let (x, y) = (x / across, y / down);
        let spot = (-((x - 0.7).powi(2) + (y - 0.2).powi(2)) * 18.0).exp();
        let shades = [60.0 + 120.0 * x, 90.0 + 100.0 * y, 70.0 + 140.0 * spot];
        shades.map(|shade: f64| shade.round() as u8).to_vec()
    })
}

fn encoded(bitmap: &Bitmap, format: OutputFormat, quality: u8) -> Vec<u8> {
    let options = EncodeOptions {
        format,
        quality,
        lossless: false,
        progressive: false,
        effort: crate::pixels::codec::Effort::Quick,
        exif: None,
    };
    codec::encode(bitmap, &options, &Cancel::default()).unwrap()
}

/// The result, as pixels; and whether it stayed in planes.
fn made(source: &[u8], recipe: &Recipe) -> (Raster, bool) {
    let limits = Limits::default();
    let job = prepare(source, recipe, &limits, &OutputLimits::default()).unwrap();
    let rendered = render(source.into(), recipe, &job, &limits, &Cancel::default()).unwrap();
    assert_eq!((rendered.format, rendered.size), (job.format, job.output));
    (decoded(&rendered.bytes), job.planar.is_some())
}

/// The result of the way through RGB.
fn made_of_pixels(source: &[u8], recipe: &Recipe) -> Raster {
    let limits = Limits::default();
    let mut job = prepare(source, recipe, &limits, &OutputLimits::default()).unwrap();
    job.planar = None;
    let rendered = render(source.into(), recipe, &job, &limits, &Cancel::default()).unwrap();
    decoded(&rendered.bytes)
}

fn decoded(bytes: &[u8]) -> Raster {
    let limits = Limits::default();
    let header = codec::probe(bytes, &limits).unwrap();
    let options = DecodeOptions {
        page: 0,
        at_least: None,
    };
    let bitmap = codec::decode(bytes, &header, &options, &limits, &Cancel::default()).unwrap();
    colour::finish(bitmap, false).expanded(true, false)
}

fn distance(one: &Raster, other: &Raster) -> f64 {
    assert_eq!((one.size, one.layout), (other.size, other.layout));
    let pairs = one.samples.iter().zip(&other.samples);
    let sum: f64 = pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    sum / one.samples.len() as f64
}

fn lossy() -> impl Iterator<Item = OutputFormat> {
    let all = [OutputFormat::Jpeg, OutputFormat::WebP, OutputFormat::Avif];
    all.into_iter().filter(|format| format.is_built_in())
}

/// Every lossy source and result: in planes, and as near to what it should be as through RGB.
#[track_caller]
fn check(source: &Bitmap, change: impl Fn(&mut Recipe)) {
    let exact = asking(|recipe| {
        change(recipe);
        recipe.profile = Profile::Fine;
        recipe.output.format.fallback = Some(OutputFormat::Png);
    });
    let (ideal, _) = made(&encoded(source, OutputFormat::Png, 100), &exact);
    for from in lossy() {
        let bytes = encoded(source, from, 92);
        for to in lossy() {
            let with = |profile| {
                asking(|recipe| {
                    change(recipe);
                    recipe.profile = profile;
                    recipe.output.format.fallback = Some(to);
                    recipe.output.quality = 85;
                })
            };
            let pixels = made_of_pixels(&bytes, &with(Profile::Fine));
            let pixels = distance(&pixels, &ideal);
            for profile in [Profile::Fast, Profile::Fine] {
                let (found, planar) = made(&bytes, &with(profile));
                assert!(
                    planar || source.colour != Colour::Srgb,
                    "{from:?} to {to:?}"
                );
                let found = distance(&found, &ideal);
                assert!(
                    found < 1.05 * pixels + 0.3,
                    "{from:?} to {to:?}, {profile:?}: {found} and {pixels}"
                );
            }
        }
    }
}

fn wide(recipe: &mut Recipe, width: u32) {
    recipe.bounds.width = Some(Length::Pixels(width));
}

#[test]
fn planes_lead_where_rgb_leads() {
    check(&scene(160, 120), |recipe| wide(recipe, 64));
    check(&scene(161, 121), |recipe| wide(recipe, 63));
    check(&scene(97, 161), |recipe| wide(recipe, 17));
    check(&scene(48, 40), |_| ());
    check(&scene(47, 41), |_| ());
    check(&scene(40, 30), |recipe| {
        wide(recipe, 91);
        recipe.bounds.enlarge = true;
    });
    check(&scene(3, 5), |recipe| wide(recipe, 1));
}

#[test]
fn planes_are_turned_like_pixels() {
    for orientation in 1..=8 {
        for width in [31, 32] {
            check(&scene(121, 95), |recipe| {
                recipe.orient = Orient::Exif(orientation);
                wide(recipe, width);
            });
        }
    }
    check(&scene(121, 95), |recipe| {
        recipe.rotate = 90;
        recipe.flip.horizontal = true;
        wide(recipe, 33);
    });
}

#[test]
fn planes_are_cropped_like_pixels() {
    let cover = |recipe: &mut Recipe| {
        recipe.bounds.width = Some(Length::Pixels(41));
        recipe.bounds.height = Some(Length::Pixels(57));
        recipe.bounds.fit = Fit::Cover;
        recipe.bounds.enlarge = true;
        recipe.bounds.gravity = Gravity::Point {
            x: Share(800_000),
            y: Share(100_000),
        };
    };
    check(&scene(200, 161), cover);
    check(&scene(200, 161), |recipe| {
        recipe.rect = Some(Region {
            x: Length::Pixels(33),
            y: Length::Pixels(17),
            width: Length::Pixels(101),
            height: Length::Pixels(77),
        });
    });
    check(&scene(200, 161), |recipe| {
        cover(recipe);
        recipe.orient = Orient::Exif(7);
    });
}

#[test]
fn colours_are_exact() {
    for colour in [
        [255, 255, 255],
        [0, 0, 0],
        [200, 30, 40],
        [20, 190, 60],
        [30, 50, 210],
        [128; 3],
    ] {
        let flat = drawn(Size::new(90, 71), Layout::Rgb, |_, _| colour.to_vec());
        for from in lossy() {
            let bytes = encoded(&flat, from, 95);
            // The formats themselves, of eight bits and of limited range, round twice.
            let seen = decoded(&bytes).samples[..3].to_vec();
            // Colour at half the resolution and whole, both so fine that an encoder adds little.
            let ways = lossy().flat_map(|to| [(to, 89), (to, 95)]);
            let ways = ways.flat_map(|way| [(way, Profile::Fast), (way, Profile::Fine)]);
            for ((to, quality), profile) in ways {
                let recipe = asking(|recipe| {
                    wide(recipe, 31);
                    recipe.profile = profile;
                    recipe.output.format.fallback = Some(to);
                    recipe.output.quality = quality;
                });
                let (raster, planar) = made(&bytes, &recipe);
                assert!(planar);
                let worst = raster.samples.chunks_exact(3).flat_map(|pixel| {
                    pixel
                        .iter()
                        .zip(&seen)
                        .map(|(found, wanted)| found.abs_diff(*wanted))
                });
                let worst = worst.max().unwrap();
                assert!(
                    worst <= 3,
                    "{colour:?}, {from:?} to {to:?} at {quality}: {worst}"
                );
            }
        }
    }
}

#[test]
fn gray_stays_gray() {
    let gray = drawn(Size::new(121, 77), Layout::Gray, |x, y| vec![(x + y) as u8]);
    for (from, to) in lossy().flat_map(|from| lossy().map(move |to| (from, to))) {
        let recipe = asking(|recipe| {
            wide(recipe, 41);
            recipe.output.format.fallback = Some(to);
        });
        let (raster, planar) = made(&encoded(&gray, from, 90), &recipe);
        assert!(planar);
        let neutral = |pixel: &[u8]| pixel.iter().all(|shade| shade.abs_diff(pixel[0]) <= 2);
        assert!(
            raster.samples.chunks_exact(3).all(neutral),
            "{from:?} to {to:?}"
        );
    }
}

/// Where a red disc lies, by brightness and by colour: half a sample is easily lost at odd sizes.
#[test]
fn neither_brightness_nor_colour_is_shifted() {
    for (size, width) in [
        ((401, 303), 67),
        ((400, 300), 133),
        ((399, 301), 80),
        ((402, 300), 402),
    ] {
        let (across, down) = (f64::from(size.0), f64::from(size.1));
        let (x, y, radius) = (across * 0.78, down * 0.81, 45.0);
        let disc = drawn(Size::new(size.0, size.1), Layout::Rgb, |px, py| {
            let inside = (px - x).hypot(py - y) < radius;
            if inside {
                vec![220, 40, 40]
            } else {
                vec![30, 30, 30]
            }
        });
        for (from, to) in lossy().flat_map(|from| lossy().map(move |to| (from, to))) {
            for (flip, quality, profile) in [
                (false, 80, Profile::Fast),
                (true, 80, Profile::Fast),
                (false, 95, Profile::Fast),
                (false, 80, Profile::Fine),
                (true, 80, Profile::Fine),
                (false, 95, Profile::Fine),
            ] {
                let recipe = asking(|recipe| {
                    wide(recipe, width);
                    recipe.profile = profile;
                    recipe.flip.horizontal = flip;
                    recipe.output.format.fallback = Some(to);
                    recipe.output.quality = quality;
                });
                let (raster, planar) = made(&encoded(&disc, from, 95), &recipe);
                assert!(planar);
                let scale = f64::from(raster.size.width) / across;
                let down = f64::from(raster.size.height) / down;
                let expected = (if flip { across - x } else { x } * scale, y * down);
                let red = centre(&raster, |pixel| {
                    f64::from(pixel[0]) - f64::from(pixel[1]) - 20.0
                });
                let bright = centre(&raster, |pixel| luma(pixel) - 38.0);
                for found in [red, bright] {
                    let off = (found.0 - expected.0).hypot(found.1 - expected.1);
                    assert!(
                        off < 0.2,
                        "{from:?} to {to:?}, {size:?} to {width}, mirrored {flip}: {found:?} for {expected:?}"
                    );
                }
            }
        }
    }
}

fn luma(pixel: &[u8]) -> f64 {
    let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(f64::from);
    0.299 * red + 0.587 * green + 0.114 * blue
}

/// The centre of what weighs more than nothing.
fn centre(raster: &Raster, weight: impl Fn(&[u8]) -> f64) -> (f64, f64) {
    let width = raster.size.width as usize;
    let mut sums = (0.0, 0.0, 0.0);
    for (index, pixel) in raster.samples.chunks_exact(3).enumerate() {
        let weight = weight(pixel).max(0.0);
        sums.0 += weight * ((index % width) as f64 + 0.5);
        sums.1 += weight * ((index / width) as f64 + 0.5);
        sums.2 += weight;
    }
    (sums.0 / sums.2, sums.1 / sums.2)
}

#[test]
fn what_needs_rgb_gets_it() {
    let source = encoded(&scene(80, 60), OutputFormat::Jpeg, 90);
    let planar = |change: &dyn Fn(&mut Recipe)| made(&source, &asking(change)).1;
    assert!(planar(&|recipe| wide(recipe, 20)));
    assert!(planar(&|recipe| recipe.background = Some([0, 0, 0, 255])));
    assert!(planar(&|recipe| {
        recipe.profile = Profile::Fine;
        wide(recipe, 20);
    }));
    assert!(!planar(&|recipe| recipe.pad = [1, 0, 0, 0]));
    assert!(!planar(&|recipe| recipe.rotate = 10));
    assert!(!planar(&|recipe| recipe.trim = Some(3)));
    assert!(!planar(&|recipe| recipe.effects.blur = 300));
    assert!(!planar(
        &|recipe| recipe.output.format.fallback = Some(OutputFormat::Png)
    ));
    assert!(!planar(&|recipe| {
        recipe.output.format.fallback = Some(OutputFormat::WebP);
        recipe.output.lossless = true;
    }));
    assert!(!planar(&|recipe| {
        recipe.bounds.width = Some(Length::Pixels(20));
        recipe.bounds.height = Some(Length::Pixels(20));
        recipe.bounds.fit = Fit::Pad;
    }));
}

#[test]
fn a_wide_profile_goes_with_its_planes() {
    let wide_scene = Bitmap {
        colour: colour::tests::display_p3(),
        ..scene(120, 80)
    };
    check(&wide_scene, |recipe| wide(recipe, 40));
    let source = encoded(&wide_scene, OutputFormat::Jpeg, 90);
    // To sRGB it would have to be converted, and that is done in RGB.
    let flattened = asking(|recipe| recipe.background = Some([0, 0, 0, 255]));
    assert!(!made(&source, &flattened).1);
}
