//! Tests of the way without a decoded picture: it must lead where the way with one leads.

use super::*;
use crate::{
    pixels::{
        bitmap::{Colour, Layout},
        codec::{Effort, EncodeOptions},
        format::{InputFormat, OutputFormat},
        geometry::{Fit, Gravity, Length},
        render::{
            OutputLimits, Rendered, prepare, render,
            tests::{asking, header},
        },
    },
    recipe::transform::{Orient, Region},
};

fn png(layout: Layout, width: u32, height: u32, alpha: u8) -> Vec<u8> {
    let shade = |value: u32| value.to_le_bytes()[0];
    drawn(layout, width, height, |x, y| {
        let colours = [shade(x * 3 + y), shade(x * y / 16), shade((y * 5) ^ x)];
        let clear = (x / 9 + y / 7).is_multiple_of(3);
        (colours, if clear { alpha } else { 255 })
    })
}

/// A PNG of these colours and alphas, as far as the layout has them.
fn drawn(
    layout: Layout,
    width: u32,
    height: u32,
    pixel: impl Fn(u32, u32) -> ([u8; 3], u8),
) -> Vec<u8> {
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let pixel = |(x, y): (u32, u32)| {
        let (colours, alpha) = pixel(x, y);
        let colours = colours.into_iter();
        let alpha = layout.has_alpha().then_some(alpha);
        let colours = colours.take(crate::pixels::bitmap::colours(layout));
        colours.chain(alpha).collect::<Vec<u8>>()
    };
    let bitmap = Bitmap {
        size: Size::new(width, height),
        layout,
        samples: Samples::U8(places.flat_map(pixel).collect()),
        colour: Colour::Srgb,
    };
    let options = EncodeOptions {
        format: OutputFormat::Png,
        quality: 80,
        lossless: false,
        progressive: false,
        effort: Effort::Quick,
        exif: None,
    };
    codec::encode(&bitmap, &options, &Cancel::default()).unwrap()
}

/// By rows and by the whole.
fn both(source: &[u8], recipe: &Recipe) -> [Rendered; 2] {
    let limits = Limits::default();
    let job = prepare(source, recipe, &limits, &OutputLimits::default()).unwrap();
    assert!(job.rowwise.is_some());
    let whole = Job {
        rowwise: None,
        ..job.clone()
    };
    [job, whole]
        .map(|job| render(source.into(), recipe, &job, &limits, &Cancel::default()).unwrap())
}

#[track_caller]
fn check(change: impl Fn(&mut Recipe)) {
    for layout in [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba] {
        let source = png(layout, 231, 150, 40);
        let recipe = asking(&change);
        let [rows, whole] = both(&source, &recipe);
        assert_eq!((rows.size, rows.format), (whole.size, whole.format));
        assert!(rows.bytes == whole.bytes, "{layout:?}");
    }
}

fn boxed(recipe: &mut Recipe, width: u32, height: u32, fit: Fit) {
    recipe.bounds.width = Some(Length::Pixels(width));
    recipe.bounds.height = Some(Length::Pixels(height));
    recipe.bounds.fit = fit;
    recipe.bounds.enlarge = matches!(fit, Fit::Cover | Fit::Stretch);
}

#[test]
fn every_fit_is_the_same() {
    check(|_| ());
    check(|recipe| recipe.bounds.width = Some(Length::Pixels(77)));
    check(|recipe| boxed(recipe, 60, 60, Fit::Cover));
    check(|recipe| boxed(recipe, 300, 60, Fit::Stretch));
    check(|recipe| boxed(recipe, 60, 60, Fit::Pad));
    check(|recipe| boxed(recipe, 60, 60, Fit::Clamp));
}

#[test]
fn so_are_turns_windows_and_what_follows_them() {
    check(|recipe| {
        boxed(recipe, 50, 70, Fit::Cover);
        recipe.bounds.gravity = Gravity::Smart;
        recipe.orient = Orient::Exif(6);
    });
    check(|recipe| {
        boxed(recipe, 50, 70, Fit::Inside);
        recipe.rotate = 30;
        recipe.effects.blur = 150;
        recipe.background = Some([9, 8, 7, 255]);
        recipe.pad = [1, 2, 3, 4];
    });
    check(|recipe| {
        recipe.rect = Some(Region {
            x: Length::Pixels(20),
            y: Length::Pixels(10),
            width: Length::Pixels(101),
            height: Length::Pixels(99),
        });
        recipe.bounds.width = Some(Length::Pixels(40));
        recipe.output.format.fallback = Some(OutputFormat::Jpeg);
    });
}

/// Soft shades, away from black: none of the filter's sums is below it, where the way with a decoded
/// picture would cut it off between the two directions.
fn soft(layout: Layout, width: u32, height: u32) -> Vec<u8> {
    let wave = |place: u32| 90 + (place % 160).abs_diff(80).to_le_bytes()[0];
    drawn(layout, width, height, |x, y| {
        let colours = [wave(x * 2 + y), wave(x + y * 3), wave(y + 40)];
        (colours, wave(x + y))
    })
}

/// In linear light the filter's own rounding differs; a code or two is all that it may be.
#[test]
fn light_is_as_near_as_codes_are() {
    let decoded = |bytes: &[u8]| {
        let limits = Limits::default();
        let header = codec::probe(bytes, &limits).unwrap();
        let options = codec::DecodeOptions {
            page: 0,
            at_least: None,
        };
        let cancel = Cancel::default();
        let bitmap = codec::decode(bytes, &header, &options, &limits, &cancel).unwrap();
        colour::finish(bitmap, false).expanded(true, true).samples
    };
    let sizes = [Length::Pixels(77), Length::Pixels(300), Length::Pixels(231)];
    for layout in [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba] {
        let source = soft(layout, 231, 150);
        for width in sizes {
            let recipe = asking(|recipe| {
                recipe.profile = Profile::Fine;
                recipe.bounds.width = Some(width);
                recipe.bounds.enlarge = true;
            });
            let [rows, whole] = both(&source, &recipe).map(|made| decoded(&made.bytes));
            assert_eq!(rows.len(), whole.len());
            for (row, other) in rows.chunks(4).zip(whole.chunks(4)) {
                let far = row.iter().zip(other).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(far <= Some(2), "{layout:?} {width:?}: {row:?} {other:?}");
            }
        }
    }
}

#[test]
fn alpha_that_is_opaque_everywhere_goes() {
    let source = png(Layout::Rgba, 90, 60, 255);
    let recipe = asking(|recipe| recipe.bounds.width = Some(Length::Pixels(30)));
    let [rows, whole] = both(&source, &recipe);
    let alpha = |bytes: &[u8]| codec::probe(bytes, &Limits::default()).unwrap().alpha;
    assert!(!alpha(&rows.bytes) && !alpha(&whole.bytes));
}

#[test]
fn damage_is_damage() {
    let mut source = png(Layout::Rgb, 90, 60, 255);
    let recipe = asking(|recipe| recipe.bounds.width = Some(Length::Pixels(30)));
    let limits = Limits::default();
    let job = prepare(&source, &recipe, &limits, &OutputLimits::default()).unwrap();
    let cancel = Cancel::default();
    let middle = source.len() / 2;
    source[middle] ^= 1;
    let made = render(source[..].into(), &recipe, &job, &limits, &cancel);
    assert!(matches!(made, Err(Error::Broken { .. })));
    cancel.cancel();
    let made = render(source[..].into(), &recipe, &job, &limits, &cancel);
    assert!(matches!(made, Err(Error::Cancelled)));
}

#[track_caller]
fn goes(source: &[u8], change: impl Fn(&mut Recipe), header: impl Fn(&mut Header), expected: bool) {
    let mut found = codec::probe(source, &Limits::default()).unwrap();
    header(&mut found);
    let recipe = asking(change);
    assert_eq!(way(source, &found, &recipe, false).is_some(), expected);
}

#[test]
fn what_does_not_go_by_rows() {
    let source = png(Layout::Rgb, 9, 6, 255);
    goes(&source, |_| (), |_| (), true);
    goes(&source, |recipe| recipe.trim = Some(10), |_| (), false);
    goes(
        &source,
        |recipe| recipe.profile = Profile::Fine,
        |_| (),
        true,
    );
    goes(&source, |_| (), |header| header.frames = 2, false);
    goes(&source, |_| (), |header| header.depth = 16, false);
    goes(
        &source,
        |_| (),
        |header| header.format = InputFormat::Gif,
        false,
    );
    let mut interlaced = source.clone();
    interlaced[28] = 1;
    let crc = {
        let mut crc = flate2::Crc::new();
        crc.update(&interlaced[12..29]);
        crc.sum()
    };
    interlaced[29..33].copy_from_slice(&crc.to_be_bytes());
    goes(&interlaced, |_| (), |_| (), false);
    let found = codec::probe(&source, &Limits::default()).unwrap();
    assert_eq!(way(&source, &found, &asking(|_| ()), true), None);
    assert_eq!(
        way(&[], &header(InputFormat::Png), &asking(|_| ()), false),
        None
    );
}
