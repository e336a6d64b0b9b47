use std::{borrow::Cow, num::NonZeroU32, time::Duration};

use ::gif::{DisposalMethod, Encoder, Frame as Image, Repeat};
use proptest::prelude::*;

use super::*;
use crate::pixels::{
    bitmap::{Colour, Layout, Samples},
    codec::{self, Frame},
    format::OutputFormat,
};

const OPTIONS: EncodeOptions<'static> = EncodeOptions {
    format: OutputFormat::Gif,
    quality: 80,
    lossless: false,
    progressive: false,
    effort: crate::pixels::codec::Effort::Quick,
    exif: None,
};

const RED: [u8; 4] = [255, 0, 0, 255];
const GREEN: [u8; 4] = [0, 255, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];
const CLEAR: [u8; 4] = [0; 4];

/// One frame: left, width, the numbers of its colours, its disposal.
type Step<'a> = (u16, u16, &'a [u8], DisposalMethod);

/// An animation by the library, on a canvas of 2 × 1, of red (0), green (1), blue (2) and, in
/// number 3, what is clear.
fn animated(steps: &[Step<'_>], clear: bool) -> Vec<u8> {
    let table = [RED, GREEN, BLUE, CLEAR]
        .map(|c| [c[0], c[1], c[2]])
        .concat();
    let mut encoder = Encoder::new(Vec::new(), 2, 1, &table).unwrap();
    encoder.set_repeat(Repeat::Finite(4)).unwrap();
    for (left, width, numbers, dispose) in steps {
        let frame = Image {
            left: *left,
            width: *width,
            height: 1,
            delay: 50,
            dispose: *dispose,
            transparent: clear.then_some(3),
            buffer: Cow::Borrowed(numbers),
            ..Image::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    encoder.into_inner().unwrap()
}

fn read(bytes: &[u8], page: u32, limits: &Limits) -> Result<Bitmap, Error> {
    let header = codec::probe(bytes, limits)?;
    let options = DecodeOptions {
        page,
        at_least: None,
    };
    codec::decode(bytes, &header, &options, limits, &Cancel::default())
}

fn all_frames(bytes: &[u8]) -> (Loops, Vec<(Bitmap, Duration)>) {
    let limits = Limits::default();
    let header = codec::probe(bytes, &limits).unwrap();
    let mut reader = codec::frames(bytes, &header, &limits).unwrap();
    let mut found = Vec::new();
    while let Some(frame) = reader.next_frame(&Cancel::default()).unwrap() {
        found.push((frame.bitmap, frame.delay));
    }
    (reader.loops(), found)
}

#[track_caller]
fn composes(steps: &[Step<'_>], expected: &[[[u8; 4]; 2]]) {
    let bytes = animated(steps, true);
    let (loops, frames) = all_frames(&bytes);
    assert_eq!(loops, NonZeroU32::new(5));
    let found: Vec<_> = frames
        .iter()
        .map(|(bitmap, _)| bitmap.samples.clone())
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|pixels| Samples::U8(pixels.concat()))
        .collect();
    assert_eq!(found, expected);
    for (page, expected) in (0..).zip(&expected) {
        let bitmap = read(&bytes, page, &Limits::default()).unwrap();
        assert_eq!(&bitmap.samples, expected, "page {page}");
    }
}

#[test]
fn frames_are_drawn_and_disposed_of() {
    use DisposalMethod::{Any, Background, Keep, Previous};
    composes(
        &[(0, 2, &[0, 0], Keep), (1, 1, &[1], Any), (0, 1, &[3], Keep)],
        &[[RED, RED], [RED, GREEN], [RED, GREEN]],
    );
    composes(
        &[
            (0, 2, &[0, 0], Keep),
            (1, 1, &[1], Background),
            (0, 1, &[2], Keep),
        ],
        &[[RED, RED], [RED, GREEN], [BLUE, CLEAR]],
    );
    composes(
        &[
            (0, 2, &[0, 0], Keep),
            (1, 1, &[1], Previous),
            (0, 1, &[2], Keep),
        ],
        &[[RED, RED], [RED, GREEN], [BLUE, RED]],
    );
    composes(
        &[(1, 1, &[0], Previous), (0, 1, &[1], Keep)],
        &[[CLEAR, RED], [GREEN, CLEAR]],
    );
}

#[test]
fn frames_beyond_the_canvas_are_cut_off() {
    use DisposalMethod::{Background, Keep};
    composes(
        &[
            (1, 3, &[0, 1, 2], Background),
            (0, 1, &[2], Keep),
            (9, 1, &[2], Keep),
        ],
        &[[CLEAR, RED], [BLUE, CLEAR], [BLUE, CLEAR]],
    );
}

#[test]
fn a_file_without_a_clear_colour_is_opaque() {
    let bytes = animated(&[(1, 1, &[1], DisposalMethod::Keep)], false);
    let bitmap = read(&bytes, 0, &Limits::default()).unwrap();
    assert_eq!(bitmap.layout, Layout::Rgb);
    assert_eq!(bitmap.samples, Samples::U8(vec![0, 0, 0, 0, 255, 0]));
}

#[test]
fn a_file_without_a_colour_table_is_gray() {
    let mut bytes = animated(&[(0, 2, &[1, 3], DisposalMethod::Keep)], false);
    bytes[10] &= 0x7F;
    bytes.drain(13..13 + 12);
    let bitmap = read(&bytes, 0, &Limits::default()).unwrap();
    assert_eq!(bitmap.samples, Samples::U8(vec![1, 1, 1, 3, 3, 3]));
}

#[test]
fn interlaced_rows_are_put_in_order() {
    let order = [0u8, 8, 4, 12, 2, 6, 10, 14, 1, 3, 5, 7, 9, 11, 13, 15];
    let table: Vec<u8> = (0..16u8).flat_map(|v| [v, v, v]).collect();
    let mut encoder = Encoder::new(Vec::new(), 1, 16, &table).unwrap();
    let frame = Image {
        width: 1,
        height: 16,
        interlaced: true,
        buffer: Cow::Borrowed(&order),
        ..Image::default()
    };
    encoder.write_frame(&frame).unwrap();
    let bytes = encoder.into_inner().unwrap();
    let bitmap = read(&bytes, 0, &Limits::default()).unwrap();
    assert_eq!(bitmap.samples, Samples::U8(table));
}

#[test]
fn many_frames_are_counted_but_not_played() {
    let steps = vec![(0, 2, &[0u8, 1][..], DisposalMethod::Keep); 300];
    let bytes = animated(&steps, true);
    let opens = |limits: &Limits| {
        let header = codec::probe(&bytes, limits).unwrap();
        assert_eq!((header.frames, header.animated), (300, true));
        assert!(read(&bytes, 0, limits).is_ok());
        codec::frames(&bytes, &header, limits).is_ok()
    };
    let limits = Limits::default();
    assert!(!opens(&limits));
    assert!(opens(&Limits {
        frames: 300,
        ..limits
    }));
    assert!(!opens(&Limits {
        frames: 299,
        ..limits
    }));
    let wide = Limits {
        frames: 300,
        ..limits
    };
    assert!(opens(&Limits {
        animation_pixels: 600,
        ..wide
    }));
    assert!(!opens(&Limits {
        animation_pixels: 599,
        ..wide
    }));
    assert!(read(&bytes, 255, &limits).is_ok());
    assert!(matches!(read(&bytes, 256, &limits), Err(Error::Limit(_))));
}

#[test]
fn frames_larger_than_the_canvas_count_as_pixels() {
    let long = vec![0; 101];
    let limits = Limits {
        pixels: 100,
        animation_pixels: 100,
        ..Limits::default()
    };
    let still = |width| animated(&[(0, width, &long, DisposalMethod::Keep)], true);
    assert!(read(&still(100), 0, &limits).is_ok());
    assert!(matches!(
        read(&still(101), 0, &limits),
        Err(Error::Limit(_))
    ));
    // Together, too.
    let step = (0, 50, &long[..], DisposalMethod::Keep);
    assert!(read(&animated(&[step; 2], true), 1, &limits).is_ok());
    assert!(matches!(
        read(&animated(&[step; 3], true), 2, &limits),
        Err(Error::Limit(_))
    ));
}

#[test]
fn a_delay_of_next_to_nothing_is_a_tenth_of_a_second() {
    let delay = |hundredths: u64| codec::frame_delay(Duration::from_millis(hundredths * 10));
    assert_eq!(delay(0), Duration::from_millis(100));
    assert_eq!(delay(1), Duration::from_millis(100));
    assert_eq!(delay(2), Duration::from_millis(20));
}

#[test]
fn a_file_cut_short_is_damaged() {
    let bytes = animated(&[(0, 2, &[0, 1], DisposalMethod::Keep)], true);
    // The trailer alone may be missing.
    assert!(read(&bytes[..bytes.len() - 1], 0, &Limits::default()).is_ok());
    for length in 6..bytes.len() - 1 {
        let result = read(&bytes[..length], 0, &Limits::default());
        assert!(matches!(result, Err(Error::Broken { .. })), "{length}");
    }
}

#[test]
fn stripping_keeps_pictures_and_loops_alone() {
    let step: Step<'_> = (0, 2, &[0, 1], DisposalMethod::Keep);
    let bytes = animated(&[step; 2], true);
    let header = codec::probe(&bytes, &Limits::default()).unwrap();
    let at = 13 + 12;
    let mut noisy = bytes[..at].to_vec();
    noisy.extend(b"\x21\xFE\x06secret\0");
    noisy.extend(b"\x21\xFF\x0BXMP DataXMP\x03<x>\0");
    // A control of a plain text, and the text.
    noisy.extend(b"\x21\xF9\x04\0\0\0\0\0\x21\x01\x01x\0");
    noisy.extend(&bytes[at..]);
    noisy.extend(b"trailing");
    assert_eq!(codec::strip(&noisy, &header).unwrap(), bytes);
    assert_eq!(codec::strip(&bytes[..bytes.len() - 1], &header), None);
}

/// A picture of many colours, its right column clear where there is alpha.
fn picture(layout: Layout) -> Bitmap {
    let (width, height) = (40u32, 30u32);
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let byte = |v: u32| u8::try_from(v).unwrap();
            let alpha = if x + 1 == width { 0 } else { 255 };
            let pixel = [byte(x * 6), byte(y * 8), byte((x + y) * 3), alpha];
            samples.extend(&pixel[..layout.channels()]);
        }
    }
    Bitmap {
        size: Size { width, height },
        layout,
        samples: Samples::U8(samples),
        colour: Colour::Srgb,
    }
}

fn bytes_of(bitmap: &Bitmap) -> &[u8] {
    match &bitmap.samples {
        Samples::U8(samples) => samples,
        Samples::U16(_) => panic!("16 bits"),
    }
}

/// Mean difference of the samples.
fn distance(a: &Bitmap, b: &Bitmap) -> f64 {
    let pairs = bytes_of(a).iter().zip(bytes_of(b));
    let sum: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    f64::from(sum) / f64::from(u32::try_from(bytes_of(a).len()).unwrap())
}

#[test]
fn many_colours_become_similar_ones() {
    for layout in [Layout::Rgb, Layout::Rgba] {
        let before = picture(layout);
        let bytes = codec::encode(&before, &OPTIONS, &Cancel::default()).unwrap();
        let after = read(&bytes, 0, &Limits::default()).unwrap();
        assert_eq!(after.layout, layout);
        let distance = distance(&before, &after);
        assert!(distance < 6.0, "{layout:?}: {distance}");
        if layout == Layout::Rgba {
            let alphas = |b: &Bitmap| bytes_of(b).iter().skip(3).step_by(4).copied().collect();
            let found: Vec<u8> = alphas(&after);
            let wanted: Vec<u8> = alphas(&before);
            assert_eq!(found, wanted);
        }
    }
}

#[test]
fn few_colours_stay_exact() {
    let mut before = picture(Layout::Rgba);
    if let Samples::U8(samples) = &mut before.samples {
        for pixel in samples.as_chunks_mut::<4>().0 {
            *pixel = if pixel[3] == 0 {
                CLEAR
            } else {
                [pixel[0] & 0xC0, pixel[1] & 0xC0, 9, 255]
            };
        }
    }
    let bytes = codec::encode(&before, &OPTIONS, &Cancel::default()).unwrap();
    assert_eq!(read(&bytes, 0, &Limits::default()).unwrap(), before);
}

#[test]
fn an_animation_survives_being_written_and_read() {
    let size = Size {
        width: 2,
        height: 1,
    };
    let frame = |pixels: [[u8; 4]; 2], millis| Frame {
        bitmap: Bitmap {
            size,
            layout: Layout::Rgba,
            samples: Samples::U8(pixels.concat()),
            colour: Colour::Srgb,
        },
        delay: Duration::from_millis(millis),
    };
    // What comes, what stays, what goes, and what is the same again.
    let frames = [
        frame([RED, CLEAR], 40),
        frame([RED, GREEN], 50),
        frame([BLUE, GREEN], 60),
        frame([BLUE, GREEN], 20),
        frame([CLEAR, GREEN], 70),
        frame([CLEAR, CLEAR], 80),
        frame([RED, RED], 5),
    ];
    for loops in [None, NonZeroU32::new(1), NonZeroU32::new(7)] {
        let mut writer = codec::animation(size, loops, &OPTIONS).unwrap();
        for frame in &frames {
            writer.push(frame, &Cancel::default()).unwrap();
        }
        let bytes = writer.finish().unwrap();
        let (found_loops, found) = all_frames(&bytes);
        assert_eq!(found_loops, loops);
        let found: Vec<_> = found
            .into_iter()
            .map(|(b, delay)| (b.samples, delay.as_millis()))
            .collect();
        let expected: Vec<_> = [(0, 40), (1, 50), (3, 80), (4, 70), (5, 80), (6, 20)]
            .map(|(index, millis): (usize, u128)| (frames[index].bitmap.samples.clone(), millis))
            .into();
        assert_eq!(found, expected);
    }
}

#[test]
fn an_animation_without_a_frame_is_refused() {
    let size = Size {
        width: 2,
        height: 1,
    };
    let writer = codec::animation(size, None, &OPTIONS).unwrap();
    assert!(matches!(writer.finish(), Err(Error::Encode { .. })));
}

proptest! {
    #[test]
    fn damaged_files_never_panic(
        changes in proptest::collection::vec((0usize..200, any::<u8>()), 1..6),
        length in 0usize..200,
    ) {
        let steps: [Step<'_>; 3] = [
            (0, 2, &[0, 1], DisposalMethod::Previous),
            (1, 1, &[3], DisposalMethod::Background),
            (0, 2, &[2, 2], DisposalMethod::Keep),
        ];
        let mut bytes = animated(&steps, true);
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(length.max(6));
        let limits = Limits { pixels: 1 << 20, animation_pixels: 1 << 20, ..Limits::default() };
        let Ok(header) = codec::probe(&bytes, &limits) else { return Ok(()) };
        let _ = read(&bytes, 0, &limits);
        let _ = codec::strip(&bytes, &header);
        if let Ok(mut reader) = codec::frames(&bytes, &header, &limits) {
            while let Ok(Some(_)) = reader.next_frame(&Cancel::default()) {}
        }
    }
}
