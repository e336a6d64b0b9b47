use std::{num::NonZeroU32, time::Duration};

use super::*;
use crate::pixels::{codec::Frame, format::OutputFormat};

const WHOLE: DecodeOptions = DecodeOptions {
    page: 0,
    at_least: None,
};

const OPTIONS: EncodeOptions<'static> = EncodeOptions {
    format: OutputFormat::WebP,
    quality: 90,
    lossless: false,
    progressive: false,
    effort: crate::pixels::codec::Effort::Quick,
    exif: None,
};

const LOSSLESS: EncodeOptions<'static> = EncodeOptions {
    lossless: true,
    ..OPTIONS
};

fn bitmap(layout: Layout, width: u32, height: u32, shift: u32) -> Bitmap {
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for channel in 0..layout.channels() {
                let value = match channel {
                    0 => x * 200 / width + shift,
                    1 => y * 200 / height + shift,
                    2 => (x + y) * 200 / (width + height),
                    _ => 255 - x * 255 / width,
                };
                samples.push(u8::try_from(value).expect("a sample"));
            }
        }
    }
    Bitmap {
        size: Size { width, height },
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

fn mean_distance(a: &Bitmap, b: &Bitmap) -> f64 {
    assert_eq!((a.size, a.layout), (b.size, b.layout));
    let (Samples::U8(a), Samples::U8(b)) = (&a.samples, &b.samples) else {
        panic!("WebP has 8 bits");
    };
    let sum: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| f64::from(a.abs_diff(*b)))
        .sum();
    sum / f64::from(u32::try_from(a.len()).expect("few samples"))
}

#[test]
fn without_loss_every_sample_survives() {
    for layout in [Layout::Rgb, Layout::Rgba] {
        let bitmap = bitmap(layout, 67, 45, 0);
        let file = encoded(&bitmap, &LOSSLESS);
        let header = probe(&file, &Limits::default()).expect("a header");
        assert!(header.lossless);
        assert_eq!(header.alpha, layout.has_alpha());
        assert_eq!(decoded(&file, &WHOLE).ok(), Some(bitmap));
    }
}

#[test]
fn with_loss_samples_survive_within_a_tolerance() {
    for layout in [Layout::Rgb, Layout::Rgba] {
        let bitmap = bitmap(layout, 67, 45, 0);
        let file = encoded(&bitmap, &OPTIONS);
        assert!(!probe(&file, &Limits::default()).expect("a header").lossless);
        let distance = mean_distance(&bitmap, &decoded(&file, &WHOLE).expect("a picture"));
        assert!(distance < 3.0, "{distance}");
    }
}

#[test]
fn gray_is_spread_to_colours() {
    let gray = bitmap(Layout::Gray, 20, 10, 0);
    let again = decoded(&encoded(&gray, &LOSSLESS), &WHOLE).expect("a picture");
    let Samples::U8(samples) = &gray.samples else {
        panic!("eight bits")
    };
    let spread: Vec<u8> = samples.iter().flat_map(|gray| [*gray; 3]).collect();
    assert_eq!(again.samples, Samples::U8(spread));
    let both = bitmap(Layout::GrayAlpha, 20, 10, 1);
    let again = decoded(&encoded(&both, &LOSSLESS), &WHOLE).expect("a picture");
    assert_eq!(again.layout, Layout::Rgba);
}

#[test]
fn profile_and_exif_survive_and_can_be_stripped() {
    let limits = Limits::default();
    // Orientation 3.
    let block = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0";
    let upright = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x01\0\0\0\0\0\0";
    for layout in [Layout::Rgb, Layout::Rgba] {
        for base in [OPTIONS, LOSSLESS] {
            let bitmap = Bitmap {
                colour: Colour::Icc((*b"a profile").into()),
                ..bitmap(layout, 16, 8, 0)
            };
            let with = |exif| EncodeOptions {
                exif: Some(exif),
                ..base
            };
            let file = encoded(&bitmap, &with(block.as_slice()));
            let header = probe(&file, &limits).expect("a header");
            assert_eq!((header.orientation, header.alpha), (3, layout.has_alpha()));
            assert_eq!(exif(&file, &limits).as_deref(), Some(block.as_slice()));
            let again = decoded(&file, &WHOLE).expect("a picture");
            assert_eq!(
                (again.colour, again.layout),
                (bitmap.colour.clone(), layout)
            );
            assert_eq!(strip(&file), None, "it would no longer be upright");

            let file = encoded(&bitmap, &with(upright.as_slice()));
            let stripped = strip(&file).expect("a file");
            assert_eq!(exif(&stripped, &limits), None);
            assert_eq!(decoded(&stripped, &WHOLE).ok(), decoded(&file, &WHOLE).ok());
        }
    }
}

#[test]
fn what_ends_early_is_broken() {
    for options in [OPTIONS, LOSSLESS] {
        let file = encoded(&bitmap(Layout::Rgba, 60, 40, 0), &options);
        for length in (0..file.len() - 8).step_by(11) {
            let error = decoded(&file[..length], &WHOLE);
            assert!(matches!(error, Err(Error::Broken { .. })), "at {length}");
        }
    }
}

fn animated(loops: Loops, delays: &[u64], options: &EncodeOptions<'_>) -> Vec<u8> {
    let size = Size {
        width: 32,
        height: 24,
    };
    let mut writer = animation(size, loops, options).expect("a writer");
    for (shift, delay) in (0..).zip(delays) {
        let frame = Frame {
            bitmap: bitmap(Layout::Rgba, 32, 24, shift * 10),
            delay: Duration::from_millis(*delay),
        };
        writer.push(&frame, &Cancel::default()).expect("a frame");
    }
    writer.finish().expect("a file")
}

#[test]
fn frames_loops_and_delays_survive() {
    let delays = [100, 40, 2000];
    for loops in [None, NonZeroU32::new(1), NonZeroU32::new(7)] {
        let file = animated(loops, &delays, &LOSSLESS);
        let limits = Limits::default();
        let header = probe(&file, &limits).expect("a header");
        assert_eq!((header.frames, header.animated), (3, true));
        let mut reader = frames(&file, &header, &limits).expect("a reader");
        assert_eq!(reader.loops(), loops);
        for (shift, delay) in (0..).zip(delays) {
            let frame = reader.next_frame(&Cancel::default()).expect("a frame");
            let frame = frame.expect("as many as were written");
            assert_eq!(frame.delay, Duration::from_millis(delay));
            assert_eq!(frame.bitmap, bitmap(Layout::Rgba, 32, 24, shift * 10));
        }
        let end = reader.next_frame(&Cancel::default()).expect("an end");
        assert_eq!(end, None);
    }
}

#[test]
fn a_still_can_be_made_of_any_frame_and_of_no_other() {
    let file = animated(None, &[10, 10], &LOSSLESS);
    let page = |page| DecodeOptions {
        page,
        at_least: None,
    };
    let second = decoded(&file, &page(1)).expect("a picture");
    assert_eq!(second, bitmap(Layout::Rgba, 32, 24, 10));
    assert!(matches!(decoded(&file, &page(2)), Err(Error::Limit(_))));
}

#[test]
fn an_animation_keeps_its_profile() {
    let frame = Frame {
        bitmap: Bitmap {
            colour: Colour::Icc((*b"a profile").into()),
            ..bitmap(Layout::Rgb, 8, 8, 0)
        },
        delay: Duration::from_millis(10),
    };
    let mut other = frame.clone();
    other.bitmap = Bitmap {
        colour: frame.bitmap.colour.clone(),
        ..bitmap(Layout::Rgb, 8, 8, 50)
    };
    let mut writer = animation(frame.bitmap.size, None, &OPTIONS).expect("a writer");
    for frame in [&frame, &other] {
        writer.push(frame, &Cancel::default()).expect("a frame");
    }
    let file = writer.finish().expect("a file");
    let limits = Limits::default();
    let header = probe(&file, &limits).expect("a header");
    let mut reader = frames(&file, &header, &limits).expect("a reader");
    let first = reader
        .next_frame(&Cancel::default())
        .expect("a frame")
        .expect("a frame");
    assert_eq!(first.bitmap.colour, frame.bitmap.colour);
    assert_eq!(first.bitmap.layout, Layout::Rgb);
}

#[test]
fn an_animation_is_read_up_to_the_limits_and_not_past_them() {
    let file = animated(None, &[10, 10, 10], &LOSSLESS);
    let header = probe(&file, &Limits::default()).expect("a header");
    let exact = Limits {
        frames: 3,
        animation_pixels: 3 * 32 * 24,
        ..Limits::default()
    };
    assert!(frames(&file, &header, &exact).is_ok());
    let few = Limits { frames: 2, ..exact };
    assert!(matches!(frames(&file, &header, &few), Err(Error::Limit(_))));
    let small = Limits {
        animation_pixels: 3 * 32 * 24 - 1,
        ..exact
    };
    assert!(matches!(
        frames(&file, &header, &small),
        Err(Error::Limit(_))
    ));
}

#[test]
fn a_side_is_written_up_to_the_format_s_longest() {
    let strip = |width| Bitmap {
        size: Size { width, height: 1 },
        layout: Layout::Rgb,
        samples: Samples::U8(vec![9; usize::try_from(width * 3).expect("a length")]),
        colour: Colour::Srgb,
    };
    let encode = |width| encode(&strip(width), &OPTIONS, &Cancel::default());
    assert!(encode(LONGEST_SIDE).is_ok());
    assert!(matches!(encode(LONGEST_SIDE + 1), Err(Error::Limit(_))));
}

#[test]
fn a_cancelled_job_ends() {
    let cancel = Cancel::default();
    cancel.cancel();
    let bitmap = bitmap(Layout::Rgb, 64, 64, 0);
    let file = encoded(&bitmap, &OPTIONS);
    let header = probe(&file, &Limits::default()).expect("a header");
    let decoding = decode(&file, &header, &WHOLE, &Limits::default(), &cancel);
    assert!(matches!(decoding, Err(Error::Cancelled)));
    let size = bitmap.size;
    let Samples::U8(samples) = &bitmap.samples else {
        panic!("eight bits")
    };
    let encoding = still::encode(samples, size, 3, &OPTIONS, &cancel);
    assert!(matches!(encoding, Err(Error::Cancelled)), "libwebp asks");
}

proptest::proptest! {
    #[test]
    fn no_change_of_a_file_makes_it_panic(
        lossless: bool,
        changes in proptest::collection::vec((0usize..3000, proptest::num::u8::ANY), 1..6),
        length in 100usize..4000,
    ) {
        let mut file = encoded(&bitmap(Layout::Rgba, 48, 40, 0), if lossless { &LOSSLESS } else { &OPTIONS });
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
fn a_second_extended_header_was_taken_for_the_first() {
    let file = encoded(&bitmap(Layout::Rgba, 16, 8, 0), &OPTIONS);
    assert_eq!(&file[12..16], b"VP8X");
    let mut twice = file.clone();
    twice.extend_from_slice(b"VP8X\x0a\0\0\0\0\0\0\0\x63\0\0\x63\0\0");
    let length = u32::try_from(twice.len() - 8).expect("a length");
    twice[4..8].copy_from_slice(&length.to_le_bytes());
    assert!(strip(&file).is_some());
    assert_eq!(strip(&twice), None);
}

#[test]
fn frames_inside_of_a_frame_were_not_counted_and_decoded() {
    let limits = Limits::default();
    let frame = |shift| Frame {
        bitmap: bitmap(Layout::Rgb, 16, 8, shift),
        delay: Duration::from_millis(100),
    };
    let mut writer = animation(Size::new(16, 8), None, &OPTIONS).expect("a writer");
    for shift in [0, 20, 40] {
        writer
            .push(&frame(shift), &Cancel::default())
            .expect("a frame");
    }
    let mut file = writer.finish().expect("an animation");
    let opened = |file: &[u8]| {
        let header = probe(file, &limits).expect("a header");
        (header.frames, frames(file, &header, &limits).map(|_| ()))
    };
    assert!(matches!(opened(&file), (3, Ok(()))));
    // The first frame's chunk reaches to the end of the file.
    let first = file.windows(4).position(|kind| kind == b"ANMF");
    let length = first.expect("a frame") + 4;
    let rest = u32::try_from(file.len() - length - 4).expect("a length");
    file[length..length + 4].copy_from_slice(&rest.to_le_bytes());
    assert!(matches!(opened(&file), (1, Err(Error::Broken { .. }))));
    assert!(decoded(&file, &WHOLE).is_err());
}

#[test]
fn what_stands_behind_its_chunk_was_stripped_of_a_picture() {
    let file = encoded(&bitmap(Layout::Rgb, 16, 8, 0), &LOSSLESS);
    assert_eq!(&file[12..16], b"VP8L");
    assert!(strip(&file).is_some());
    let mut empty = file;
    empty[16..20].copy_from_slice(&[0; 4]);
    assert!(probe(&empty, &Limits::default()).is_ok());
    assert_eq!(strip(&empty), None);
}
