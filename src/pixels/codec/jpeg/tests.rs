use super::*;
use crate::pixels::format::OutputFormat;

const WHOLE: DecodeOptions = DecodeOptions {
    page: 0,
    at_least: None,
};

fn size(width: u32, height: u32) -> Size {
    Size { width, height }
}

fn options(quality: u8) -> EncodeOptions<'static> {
    EncodeOptions {
        format: OutputFormat::Jpeg,
        quality,
        lossless: false,
        progressive: false,
        effort: crate::pixels::codec::Effort::Quick,
        exif: None,
    }
}

/// Smooth colours, so that compression loses little.
fn gradient(layout: Layout, width: u32, height: u32) -> Bitmap {
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for channel in 0..layout.channels() {
                let share = match channel {
                    0 => x * 255 / width,
                    1 => y * 255 / height,
                    _ => (x + y) * 255 / (width + height),
                };
                samples.push(u8::try_from(share).expect("a share of 255"));
            }
        }
    }
    Bitmap {
        size: size(width, height),
        layout,
        samples: Samples::U8(samples),
        colour: Colour::Srgb,
    }
}

fn encoded(bitmap: &Bitmap, options: &EncodeOptions<'_>) -> Vec<u8> {
    encode(bitmap, options, &Cancel::default()).expect("an encoding")
}

fn decoded(bytes: &[u8], options: &DecodeOptions) -> Result<Bitmap, Error> {
    let limits = Limits::default();
    let header = probe(bytes, &limits)?;
    decode(bytes, &header, options, &limits, &Cancel::default())
}

fn samples_of(bitmap: &Bitmap) -> &[u8] {
    match &bitmap.samples {
        Samples::U8(samples) => samples,
        Samples::U16(_) => panic!("JPEG has 8 bits"),
    }
}

/// The largest difference of two samples in the same place.
fn distance(a: &Bitmap, b: &Bitmap) -> u8 {
    assert_eq!((a.size, a.layout), (b.size, b.layout));
    let pairs = samples_of(a).iter().zip(samples_of(b));
    pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

/// A file with a segment put in after the start of image.
fn with_segment(file: &[u8], marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).expect("a short payload");
    let mut bytes = vec![0xFF, 0xD8, 0xFF, marker];
    bytes.extend(length.to_be_bytes());
    bytes.extend(payload);
    bytes.extend(&file[2..]);
    bytes
}

fn exif_of(orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0]);
    tiff
}

#[test]
fn pixels_survive_within_a_tolerance() {
    for layout in [Layout::Gray, Layout::Rgb] {
        for quality in [89, 90, 100] {
            for progressive in [false, true] {
                let bitmap = gradient(layout, 67, 45);
                let options = EncodeOptions {
                    progressive,
                    ..options(quality)
                };
                let file = encoded(&bitmap, &options);
                let again = decoded(&file, &WHOLE).expect("a picture");
                let distance = distance(&bitmap, &again);
                assert!(distance <= 14, "{layout:?} at {quality}: {distance}");
            }
        }
    }
}

#[test]
fn sixteen_bits_are_rounded_to_eight() {
    let bitmap = gradient(Layout::Gray, 32, 32);
    let wide = samples_of(&bitmap).iter().map(|s| u16::from(*s) * 257);
    let wide = Bitmap {
        samples: Samples::U16(wide.collect()),
        ..bitmap.clone()
    };
    assert_eq!(encoded(&wide, &options(80)), encoded(&bitmap, &options(80)));
}

#[test]
fn a_decoder_returns_the_smallest_eighth_that_suffices() {
    #[track_caller]
    fn check(file: &[u8], least: (u32, u32), expected: (u32, u32)) {
        let options = DecodeOptions {
            page: 0,
            at_least: Some(size(least.0, least.1)),
        };
        let bitmap = decoded(file, &options).expect("a picture");
        assert_eq!(bitmap.size, size(expected.0, expected.1));
        let length = bitmap.size.width * bitmap.size.height * 3;
        assert_eq!(
            samples_of(&bitmap).len(),
            usize::try_from(length).expect("a length")
        );
    }
    for progressive in [false, true] {
        let options = EncodeOptions {
            progressive,
            ..options(80)
        };
        let file = encoded(&gradient(Layout::Rgb, 801, 399), &options);
        check(&file, (1, 1), (101, 50));
        check(&file, (101, 50), (101, 50));
        check(&file, (102, 50), (201, 100));
        check(&file, (101, 51), (201, 100));
        check(&file, (300, 100), (301, 150));
        check(&file, (302, 100), (401, 200));
        check(&file, (401, 201), (501, 250));
        check(&file, (600, 1), (601, 300));
        check(&file, (700, 1), (701, 350));
        check(&file, (702, 1), (801, 399));
        check(&file, (9000, 1), (801, 399));
    }
}

#[test]
fn orientation_profile_and_exif_come_from_their_segments() {
    let limits = Limits::default();
    let profile: Vec<u8> = (0..100_000u32).map(|n| n.to_le_bytes()[0]).collect();
    let exif_block = exif_of(6);
    let bitmap = Bitmap {
        colour: Colour::Icc(profile.clone().into()),
        ..gradient(Layout::Rgb, 16, 8)
    };
    let options = EncodeOptions {
        exif: Some(&exif_block),
        ..options(80)
    };
    let file = encoded(&bitmap, &options);
    let header = probe(&file, &limits).expect("a header");
    assert_eq!((header.size, header.orientation), (size(16, 8), 6));
    assert_eq!(exif(&file, &limits), Some(exif_block));
    let again = decoded(&file, &WHOLE).expect("a picture");
    assert_eq!(again.colour, Colour::Icc(profile.into()));
    let short = Limits {
        exif_bytes: 8,
        ..limits
    };
    assert_eq!(exif(&file, &short), None);
}

#[test]
fn four_inks_come_out_with_zero_for_no_ink() {
    // Made by hand: one block of 8 × 8, four components, every coefficient 0, so every stored
    // sample is 128; after Adobe's inversion, 127.
    let mut file = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, payload: &[u8]| {
        file.extend([
            0xFF,
            marker,
            0,
            u8::try_from(payload.len() + 2).expect("short"),
        ]);
        file.extend(payload);
    };
    segment(0xDB, &[[0].as_slice(), &[1; 64]].concat());
    segment(
        0xC0,
        &[
            8, 0, 8, 0, 8, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0,
        ],
    );
    // One code of one bit each: DC size 0, AC end of block.
    let table = [[1].as_slice(), &[0; 15], &[0]].concat();
    segment(0xC4, &[[0x00].as_slice(), &table].concat());
    segment(0xC4, &[[0x10].as_slice(), &table].concat());
    segment(0xDA, &[4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]);
    file.extend([0b0000_0000, 0xFF, 0xD9]);
    let plain = decoded(&file, &WHOLE).expect("a picture");
    assert_eq!(plain.layout, Layout::Cmyk);
    assert!(samples_of(&plain).iter().all(|ink| *ink == 128));
    let adobe = with_segment(&file, 0xEE, b"Adobe\0\x64\0\0\0\0\0");
    let inverted = decoded(&adobe, &WHOLE).expect("a picture");
    assert!(samples_of(&inverted).iter().all(|ink| *ink == 127));
}

#[test]
fn a_file_that_ends_early_is_broken_wherever_it_ends() {
    for progressive in [false, true] {
        let options = EncodeOptions {
            progressive,
            ..options(80)
        };
        let file = encoded(&gradient(Layout::Rgb, 120, 80), &options);
        for length in (0..file.len() - 16).step_by(7) {
            let error = decoded(&file[..length], &WHOLE);
            assert!(matches!(error, Err(Error::Broken { .. })), "at {length}");
        }
    }
}

#[test]
fn a_missing_end_of_image_and_stray_bytes_are_tolerated() {
    let file = encoded(&gradient(Layout::Rgb, 40, 40), &options(80));
    let whole = decoded(&file, &WHOLE).expect("a picture");
    let unended = decoded(&file[..file.len() - 2], &WHOLE).expect("a picture");
    assert_eq!(distance(&whole, &unended), 0);
    let mut stray = file.clone();
    stray.splice(20..20, [1, 2, 3]);
    let stray = decoded(&stray, &WHOLE).expect("a picture");
    assert_eq!(distance(&whole, &stray), 0);
    let trailing = [file.as_slice(), b"<html>"].concat();
    let trailing = decoded(&trailing, &WHOLE).expect("a picture");
    assert_eq!(distance(&whole, &trailing), 0);
}

#[test]
fn a_cancelled_job_ends() {
    let bitmap = gradient(Layout::Rgb, 64, 64);
    let cancel = Cancel::default();
    let file = encoded(&bitmap, &options(80));
    cancel.cancel();
    let limits = Limits::default();
    let header = probe(&file, &limits).expect("a header");
    let decoding = decode(&file, &header, &WHOLE, &limits, &cancel);
    assert!(matches!(decoding, Err(Error::Cancelled)));
    let encoding = encode(&bitmap, &options(80), &cancel);
    assert!(matches!(encoding, Err(Error::Cancelled)));
}

#[test]
fn a_header_that_lies_costs_nothing() {
    let mut file = encoded(&gradient(Layout::Gray, 16, 16), &options(80));
    let frame = file
        .windows(2)
        .position(|w| w == [0xFF, 0xC0])
        .expect("a frame");
    file[frame + 5..frame + 9].copy_from_slice(&[0xFF; 4]);
    let error = probe(&file, &Limits::default());
    assert!(matches!(error, Err(Error::Limit(_))), "{error:?}");
}

#[test]
fn what_jpeg_cannot_hold_is_refused() {
    for layout in [Layout::Rgba, Layout::GrayAlpha, Layout::Cmyk] {
        let bitmap = gradient(layout, 8, 8);
        let error = encode(&bitmap, &options(80), &Cancel::default());
        assert!(matches!(error, Err(Error::Encode { .. })));
    }
    let wrong = Bitmap {
        size: size(9, 8),
        ..gradient(Layout::Rgb, 8, 8)
    };
    let error = encode(&wrong, &options(80), &Cancel::default());
    assert!(matches!(error, Err(Error::Encode { .. })));
}

#[test]
fn progressive_files_are_known_to_hold_their_coefficients() {
    let bitmap = gradient(Layout::Rgb, 160, 160);
    let held = |progressive| {
        let options = EncodeOptions {
            progressive,
            ..options(80)
        };
        let file = encoded(&bitmap, &options);
        probe(&file, &Limits::default())
            .expect("a header")
            .held_bytes
    };
    assert_eq!(held(false), 0);
    assert_eq!(held(true), 160 * 160 * 3 / 2 * 2);
}

#[test]
fn stripping_leaves_pixels_and_profile() {
    let bitmap = Bitmap {
        colour: Colour::Icc((*b"profile").into()),
        ..gradient(Layout::Rgb, 40, 24)
    };
    let upright = exif_of(1);
    let options = EncodeOptions {
        exif: Some(&upright),
        ..options(80)
    };
    let plain = encoded(&bitmap, &options);
    let file = with_segment(&plain, 0xFE, b"<script>");
    let file = with_segment(&file, 0xED, b"Photoshop 3.0\0GPS");
    let stripped = strip(&[file.as_slice(), b"trailing"].concat()).expect("a file");
    assert_eq!(decoded(&stripped, &WHOLE).ok(), decoded(&file, &WHOLE).ok());
    assert_eq!(exif(&stripped, &Limits::default()), None);
    assert!(!stripped.windows(3).any(|w| w == b"GPS" || w == b"<sc"));
    assert!(stripped.ends_with(&[0xFF, 0xD9]));

    let turned = with_segment(&file, 0xE1, &[b"Exif\0\0".as_slice(), &exif_of(6)].concat());
    assert_eq!(strip(&turned), None);
    assert_eq!(strip(&file[..file.len() - 2]), None);
}

proptest::proptest! {
    #[test]
    fn no_change_of_a_file_makes_it_panic(
        progressive: bool,
        changes in proptest::collection::vec((0usize..3000, proptest::num::u8::ANY), 1..6),
        length in 100usize..4000,
    ) {
        let mut file = encoded(&gradient(Layout::Rgb, 48, 40), &EncodeOptions { progressive, ..options(80) });
        for (at, value) in changes {
            if let Some(byte) = file.get_mut(at) {
                *byte = value;
            }
        }
        file.truncate(length);
        let _ = decoded(&file, &WHOLE);
        let _ = strip(&file);
        let _ = exif(&file, &Limits::default());
    }
}

#[test]
fn one_pixel_in_planes_could_not_be_written() {
    let plane = |sample| crate::pixels::planes::Plane {
        size: Size::new(1, 1),
        extent: (1.0, 1.0),
        samples: vec![sample],
    };
    let planes = Planes {
        luma: plane(200),
        chroma: Some([plane(90), plane(160)]),
        range: Range::Full,
        colour: Colour::Srgb,
    };
    for quality in [1, 80, 100] {
        let options = EncodeOptions {
            format: crate::pixels::format::OutputFormat::Jpeg,
            quality,
            lossless: false,
            progressive: false,
            effort: crate::pixels::codec::Effort::Quick,
            exif: None,
        };
        let file = encode_planes(&planes, &options, &Cancel::default()).expect("a file");
        let header = probe(&file, &Limits::default()).expect("a header");
        assert_eq!(header.size, Size::new(1, 1));
    }
}

/// Baseline and progressive hold the same coefficients, so the same pixels come out of both.
#[track_caller]
fn both_ways_are_alike(bitmap: &Bitmap, quality: u8) {
    let files = [false, true].map(|progressive| {
        let options = EncodeOptions {
            progressive,
            ..options(quality)
        };
        encoded(bitmap, &options)
    });
    let [one, other] = files.map(|file| decoded(&file, &WHOLE).expect("a picture"));
    assert_eq!((one.size, one.layout), (bitmap.size, bitmap.layout));
    assert_eq!(samples_of(&one), samples_of(&other), "quality {quality}");
}

fn drawn(layout: Layout, width: u32, height: u32, pixel: impl Fn(u32, u32) -> u8) -> Bitmap {
    let mut bitmap = gradient(layout, width, height);
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let samples = pixels.flat_map(|(x, y)| vec![pixel(x, y); layout.channels()]);
    bitmap.samples = Samples::U8(samples.collect());
    bitmap
}

fn noise(x: u32, y: u32) -> u8 {
    let mixed = (x + 1).wrapping_mul(2_654_435_761) ^ (y + 1).wrapping_mul(2_246_822_519);
    (mixed.wrapping_mul(3_266_489_917) >> 11).to_le_bytes()[0]
}

#[test]
fn progressive_and_baseline_hold_the_same_picture() {
    for layout in [Layout::Gray, Layout::Rgb] {
        for (width, height) in [(1, 1), (8, 8), (7, 17), (129, 65), (300, 31), (33, 400)] {
            for quality in [1, 30, 80, 90, 100] {
                both_ways_are_alike(&gradient(layout, width, height), quality);
                both_ways_are_alike(&drawn(layout, width, height, noise), quality);
            }
        }
    }
}

#[test]
fn runs_of_empty_blocks_are_longer_than_one_symbol_says() {
    // 33,124 blocks; the last one is not like the others.
    let last = |x: u32, y: u32| if x + y > 2908 { noise(x, y) } else { 90 };
    both_ways_are_alike(&drawn(Layout::Gray, 1456, 1456, last), 80);
    both_ways_are_alike(&drawn(Layout::Gray, 1456, 1456, |_, _| 90), 80);
}

#[test]
fn codes_made_of_some_rows_are_there_for_all() {
    // Only one row of units is not flat, and it is not among those that are looked at.
    let row = |x: u32, y: u32| if y / 16 == 1 { noise(x, y) } else { 90 };
    for quality in [50, 100] {
        both_ways_are_alike(&drawn(Layout::Rgb, 100, 400, row), quality);
    }
}

#[test]
fn the_largest_coefficients_have_codes() {
    let stripes = |x: u32, y: u32| {
        let sign = |n: u32| matches!(n % 8, 0 | 3 | 4 | 7);
        if sign(x) == sign(y) { 255 } else { 0 }
    };
    let means = |x: u32, y: u32| {
        if (x / 8 + y / 8).is_multiple_of(2) {
            255
        } else {
            0
        }
    };
    for layout in [Layout::Gray, Layout::Rgb] {
        both_ways_are_alike(&drawn(layout, 64, 300, stripes), 100);
        both_ways_are_alike(&drawn(layout, 64, 300, means), 100);
    }
}
