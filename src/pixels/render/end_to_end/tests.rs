//! Tests with real encodings: bytes in, bytes out.

use std::time::Duration;

use crate::{
    pixels::{
        bitmap::{Bitmap, Colour, Layout, Raster, Samples},
        codec::{self, Cancel, DecodeOptions, EncodeOptions, Frame, Limits},
        format::OutputFormat,
        geometry::{Length, Size},
        render::{OutputLimits, Rendered, prepare, render, tests::asking},
    },
    recipe::{Recipe, negotiate::Accepts, transform::Profile},
};

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

fn options(format: OutputFormat) -> EncodeOptions<'static> {
    EncodeOptions {
        format,
        quality: 90,
        lossless: false,
        progressive: false,
        effort: crate::pixels::codec::Effort::Quick,
        exif: None,
    }
}

fn encoded(bitmap: &Bitmap, format: OutputFormat) -> Vec<u8> {
    codec::encode(bitmap, &options(format), &Cancel::default()).unwrap()
}

fn rendered(source: &[u8], recipe: &Recipe) -> Rendered {
    let limits = Limits::default();
    let job = prepare(source, recipe, &limits, &OutputLimits::default()).unwrap();
    let rendered = render(source.into(), recipe, &job, &limits, &Cancel::default()).unwrap();
    assert_eq!((rendered.format, rendered.size), (job.format, job.output));
    rendered
}

fn decoded(bytes: &[u8]) -> Raster {
    let limits = Limits::default();
    let header = codec::probe(bytes, &limits).unwrap();
    let options = DecodeOptions {
        page: 0,
        at_least: None,
    };
    let bitmap = codec::decode(bytes, &header, &options, &limits, &Cancel::default()).unwrap();
    crate::pixels::colour::finish(bitmap, false).expanded(true, false)
}

/// A pixel in the middle of each quarter is still of its colour.
#[track_caller]
fn check_quarters(bytes: &[u8], size: Size) {
    let raster = decoded(bytes);
    assert_eq!(raster.size, size);
    let channels = raster.layout.channels();
    let expected = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]];
    for (place, expected) in (0..).zip(expected) {
        let x = size.width / 4 + place % 2 * size.width / 2;
        let y = size.height / 4 + place / 2 * size.height / 2;
        let at = (y * size.width + x) as usize * channels;
        let found = &raster.samples[at..at + 3];
        let off = found
            .iter()
            .zip(&expected)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(off <= Some(24), "{found:?} is not {expected:?}");
    }
}

fn small(format: OutputFormat) -> Recipe {
    asking(|recipe| {
        recipe.bounds.width = Some(Length::Pixels(40));
        recipe.output.format.fallback = Some(format);
    })
}

#[test]
fn every_format_becomes_every_format() {
    for from in OutputFormat::ALL
        .into_iter()
        .filter(|format| format.is_built_in())
    {
        let source = encoded(&quarters(160, 120), from);
        for to in OutputFormat::ALL
            .into_iter()
            .filter(|format| format.is_built_in())
        {
            let rendered = rendered(&source, &small(to));
            assert_eq!(rendered.format, to);
            check_quarters(&rendered.bytes, Size::new(40, 30));
        }
    }
}

#[test]
fn the_client_gets_the_best_that_it_takes() {
    let source = encoded(&quarters(160, 120), OutputFormat::Jpeg);
    let recipe = asking(|recipe| {
        recipe.output.format.preferred = Accepts {
            avif: false,
            webp: true,
        };
    });
    assert_eq!(rendered(&source, &recipe).format, OutputFormat::WebP);
}

#[test]
fn encoding_anew_is_never_larger() {
    let mut low = options(OutputFormat::Jpeg);
    low.quality = 20;
    let source = codec::encode(&quarters(160, 120), &low, &Cancel::default()).unwrap();
    let recipe = asking(|recipe| recipe.output.quality = 100);
    assert!(rendered(&source, &recipe).bytes.len() <= source.len());
}

/// A segment of a JPEG.
fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap();
    [&[0xFF, marker][..], &length.to_be_bytes(), payload].concat()
}

#[test]
fn a_gain_map_is_left_out() {
    let base = encoded(&quarters(160, 120), OutputFormat::Jpeg);
    let map = encoded(&quarters(40, 30), OutputFormat::Jpeg);
    let both = [
        &base[..2],
        &segment(
            0xE1,
            b"http://ns.adobe.com/xap/1.0/\0<x hdrgm:Version=\"1.0\"/>",
        ),
        &segment(0xE2, b"MPF\0MM\0*\0\0\0\x08\0\0"),
        &base[2..],
        &map,
    ]
    .concat();
    let png = small(OutputFormat::Png);
    assert_eq!(rendered(&both, &png).bytes, rendered(&base, &png).bytes);
    for quality in [20, 100] {
        let anew = rendered(&both, &asking(|recipe| recipe.output.quality = quality)).bytes;
        let starts = anew.windows(3).filter(|three| *three == [0xFF, 0xD8, 0xFF]);
        assert_eq!(starts.count(), 1);
        check_quarters(&anew, Size::new(160, 120));
    }
}

#[test]
fn deep_pictures_leave_as_deep_as_others_do() {
    let Samples::U8(samples) = quarters(160, 120).samples else {
        panic!("eight bits");
    };
    let deep = Bitmap {
        samples: Samples::U16(
            samples
                .iter()
                .map(|&sample| u16::from(sample) * 257)
                .collect(),
        ),
        ..quarters(160, 120)
    };
    let source = encoded(&deep, OutputFormat::Png);
    for format in OutputFormat::ALL
        .into_iter()
        .filter(|format| format.is_built_in())
    {
        let bytes = rendered(&source, &small(format)).bytes;
        let depth = codec::probe(&bytes, &Limits::default()).unwrap().depth;
        assert_eq!(depth, if format == OutputFormat::Avif { 10 } else { 8 });
        check_quarters(&bytes, Size::new(40, 30));
    }
}

#[test]
fn an_animation_goes_on_moving() {
    let gif = options(OutputFormat::Gif);
    let mut writer = codec::animation(Size::new(160, 120), None, &gif).unwrap();
    for shade in [0, 90, 90, 180] {
        let mut bitmap = quarters(160, 120);
        if let Samples::U8(samples) = &mut bitmap.samples {
            samples[..3 * 80].fill(shade);
        }
        let delay = Duration::from_millis(100);
        writer
            .push(&Frame { bitmap, delay }, &Cancel::default())
            .unwrap();
    }
    let source = writer.finish().unwrap();
    for format in [OutputFormat::Gif, OutputFormat::WebP, OutputFormat::Png] {
        let bytes = rendered(&source, &small(format)).bytes;
        let header = codec::probe(&bytes, &Limits::default()).unwrap();
        assert_eq!(
            (header.size, header.frames),
            (Size::new(40, 30), 3),
            "{format:?}"
        );
    }
    let still = rendered(&source, &small(OutputFormat::Jpeg)).bytes;
    check_quarters(&still, Size::new(40, 30));
}

/// The level in the middle of a fine checkerboard of black and white at a quarter of its size.
fn checkerboard_seen_from_afar(format: OutputFormat, profile: Profile) -> u8 {
    let places = (0..64).flat_map(|y| (0..64).map(move |x| (x, y)));
    let board = Bitmap {
        size: Size::new(64, 64),
        layout: Layout::Rgb,
        samples: Samples::U8(places.flat_map(|(x, y)| [(x + y) % 2 * 255; 3]).collect()),
        colour: Colour::Srgb,
    };
    let recipe = asking(|recipe| {
        recipe.bounds.width = Some(Length::Pixels(16));
        recipe.output.format.fallback = Some(OutputFormat::Png);
        recipe.profile = profile;
    });
    let raster = decoded(&rendered(&encoded(&board, format), &recipe).bytes);
    raster.samples[(8 * 16 + 8) * raster.layout.channels()]
}

#[test]
fn light_is_averaged_where_it_is_asked_for_except_in_palettes() {
    #[track_caller]
    fn check(format: OutputFormat, profile: Profile, level: u8) {
        let found = checkerboard_seen_from_afar(format, profile);
        assert!(found.abs_diff(level) <= 1, "{found}");
    }
    // Half of the light of white is 188 in sRGB.
    check(OutputFormat::Png, Profile::Fine, 188);
    check(OutputFormat::Gif, Profile::Fine, 128);
    check(OutputFormat::Png, Profile::Fast, 128);
    check(OutputFormat::Gif, Profile::Fast, 128);
}
