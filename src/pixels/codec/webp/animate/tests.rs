use std::num::NonZeroU32;

use proptest::prelude::*;

use super::{super::*, *};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    codec::{DecodeOptions, Effort, Limits},
    format::OutputFormat,
};

const LOSSY: EncodeOptions<'static> = EncodeOptions {
    format: OutputFormat::WebP,
    quality: 75,
    lossless: false,
    progressive: false,
    effort: Effort::Quick,
    exif: None,
};

const LOSSLESS: EncodeOptions<'static> = EncodeOptions {
    lossless: true,
    ..LOSSY
};

const CLEAR: [u8; 4] = [0; 4];
const RED: [u8; 4] = [200, 20, 30, 255];
const BLUE: [u8; 4] = [20, 40, 190, 255];

fn frame(size: Size, layout: Layout, samples: &[u8], delay: u64) -> Frame {
    Frame {
        bitmap: Bitmap {
            size,
            layout,
            samples: Samples::U8(samples.to_vec()),
            colour: Colour::Srgb,
        },
        delay: Duration::from_millis(delay),
    }
}

/// A canvas of one colour with a rectangle of another on it.
fn painted(size: Size, ground: [u8; 4], colour: [u8; 4], part: Rect) -> Vec<u8> {
    let mut samples = ground.repeat(size.width as usize * size.height as usize);
    paint(&mut samples, size, colour, part);
    samples
}

fn paint(samples: &mut [u8], size: Size, colour: [u8; 4], part: Rect) {
    let rows = samples.chunks_exact_mut(size.width as usize * 4);
    for row in rows.skip(part.y as usize).take(part.height as usize) {
        let pixels = row.chunks_exact_mut(4).skip(part.x as usize);
        for pixel in pixels.take(part.width as usize) {
            pixel.copy_from_slice(&colour);
        }
    }
}

fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
    Rect {
        x,
        y,
        width,
        height,
    }
}

fn written(frames: &[Frame], options: &EncodeOptions<'_>) -> Vec<u8> {
    let size = frames[0].bitmap.size;
    let mut writer = Box::new(Writer::new(size, None, options).expect("a writer"));
    for frame in frames {
        writer.push(frame, &Cancel::default()).expect("a frame");
    }
    writer.finish().expect("a file")
}

/// The frames as they are seen: RGBA, and how long each stands; a still has no time.
fn read(file: &[u8]) -> Vec<(Vec<u8>, Duration)> {
    let limits = Limits::default();
    let header = probe(file, &limits).expect("a header");
    let rgba = |bitmap: Bitmap| match (bitmap.layout, bitmap.samples) {
        (Layout::Rgba, Samples::U8(samples)) => samples,
        (_, Samples::U8(samples)) => with_alpha(&samples),
        _ => panic!("eight bits"),
    };
    if !header.animated {
        let whole = DecodeOptions {
            page: 0,
            at_least: None,
        };
        let bitmap = decode(file, &header, &whole, &limits, &Cancel::default());
        return vec![(rgba(bitmap.expect("a still")), Duration::ZERO)];
    }
    let mut reader = super::super::frames(file, &header, &limits).expect("a reader");
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame(&Cancel::default()).expect("a frame") {
        frames.push((rgba(frame.bitmap), frame.delay));
    }
    frames
}

/// Flags and places of the frames in a file.
fn parts(file: &[u8]) -> Vec<(Rect, u8)> {
    let frames = riff::chunks(file).filter(|chunk| chunk.kind == *b"ANMF");
    let part = |chunk: riff::Chunk| {
        let payload = chunk.payload(file);
        let number =
            |at: usize| u32::from_le_bytes([payload[at], payload[at + 1], payload[at + 2], 0]);
        let part = rect(number(0) * 2, number(3) * 2, number(6) + 1, number(9) + 1);
        (part, payload[15])
    };
    frames.map(part).collect()
}

/// What should be seen: frames that are equal are one.
fn merged(frames: &[Frame]) -> Vec<(Vec<u8>, Duration)> {
    let mut merged: Vec<(Vec<u8>, Duration)> = Vec::new();
    for frame in frames {
        let Samples::U8(samples) = &frame.bitmap.samples else {
            panic!("eight bits");
        };
        let samples = match frame.bitmap.layout {
            Layout::Rgba => samples.clone(),
            _ => with_alpha(samples),
        };
        match merged.last_mut() {
            Some((last, delay)) if *last == samples => *delay += frame.delay,
            _ => merged.push((samples, frame.delay)),
        }
    }
    if let [(_, delay)] = &mut merged[..] {
        *delay = Duration::ZERO;
    }
    merged
}

#[track_caller]
fn survives(frames: &[Frame]) -> Vec<u8> {
    let file = written(frames, &LOSSLESS);
    assert!(read(&file) == merged(frames), "another picture");
    file
}

/// Frames of rectangles upon rectangles.
fn animations() -> impl Strategy<Value = Vec<Frame>> {
    let colour = prop_oneof![
        Just(CLEAR),
        Just(RED),
        Just(BLUE),
        any::<[u8; 4]>(),
        any::<[u8; 3]>().prop_map(|[r, g, b]| [r, g, b, 255]),
    ];
    let part = (0u32..40, 0u32..40, 1u32..40, 1u32..40);
    let change = (colour, part, any::<bool>());
    let frame = (prop::collection::vec(change, 0..3), 1u64..300);
    let frames = prop::collection::vec(frame, 1..6);
    (1u32..40, 1u32..40, any::<bool>(), frames).prop_map(|(width, height, alpha, changes)| {
        let size = Size::new(width, height);
        let mut samples = CLEAR.repeat((width * height) as usize);
        let frames = changes.into_iter().map(|(changes, delay)| {
            for (colour, (x, y, width, height), anew) in changes {
                if anew {
                    samples.fill(0);
                }
                paint(&mut samples, size, colour, rect(x, y, width, height));
            }
            if alpha {
                return super::tests::frame(size, Layout::Rgba, &samples, delay);
            }
            let pixels = samples.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]);
            super::tests::frame(size, Layout::Rgb, &pixels.collect::<Vec<_>>(), delay)
        });
        frames.collect()
    })
}

proptest! {
    #[test]
    fn without_loss_every_frame_is_seen_as_it_was(frames in animations()) {
        let file = written(&frames, &LOSSLESS);
        prop_assert!(read(&file) == merged(&frames));
    }

    #[test]
    fn with_loss_alpha_survives_and_light_is_near(frames in animations(), quality in 60u8..95) {
        let file = written(&frames, &EncodeOptions { quality, ..LOSSY });
        let seen = read(&file);
        for (wanted, time) in starts(&merged(&frames)) {
            let at = starts(&seen).rfind(|(_, start)| *start <= time);
            let seen = at.expect("a frame from the beginning").0;
            let pixels = wanted.as_chunks::<4>().0.iter().zip(seen.as_chunks::<4>().0);
            prop_assert!(pixels.clone().all(|(a, b)| a[3] == b[3]), "alpha");
            let light = |p: &[u8; 4]| f64::from(p[0]) * 0.3 + f64::from(p[1]) * 0.6 + f64::from(p[2]) * 0.1;
            let opaque = pixels.filter(|(a, _)| a[3] > 0);
            let apart: f64 = opaque.clone().map(|(a, b)| (light(a) - light(b)).abs()).sum();
            let count = u32::try_from(opaque.count()).expect("few pixels").max(1);
            prop_assert!(apart / f64::from(count) < 14.0, "{}", apart / f64::from(count));
        }
    }
}

/// When each frame is shown first.
fn starts(frames: &[(Vec<u8>, Duration)]) -> impl DoubleEndedIterator<Item = (&Vec<u8>, Duration)> {
    let start = |count: usize| frames[..count].iter().map(|(_, delay)| *delay).sum();
    (0..frames.len()).map(move |number| (&frames[number].0, start(number)))
}

#[test]
fn only_what_changed_is_written() {
    let size = Size::new(64, 48);
    let ground = painted(size, BLUE, BLUE, Rect::whole(size));
    let dot = painted(size, BLUE, RED, rect(21, 33, 2, 3));
    let still = frame(size, Layout::Rgba, &ground, 100);
    let moved = frame(size, Layout::Rgba, &dot, 100);
    for options in [LOSSY, LOSSLESS] {
        let file = written(&[still.clone(), moved.clone()], &options);
        let parts: Vec<Rect> = parts(&file).into_iter().map(|(part, _)| part).collect();
        // At even places, up to the left and the top.
        assert_eq!(parts, [Rect::whole(size), rect(20, 32, 3, 4)]);
    }
    survives(&[still.clone(), moved, still]);
}

#[test]
fn blocks_that_did_not_change_are_left_as_they_are() {
    let size = Size::new(96, 96);
    let ground = painted(size, BLUE, BLUE, Rect::whole(size));
    let mut corners = painted(size, BLUE, RED, rect(0, 0, 9, 9));
    paint(&mut corners, size, RED, rect(87, 87, 9, 9));
    for layout in [Layout::Rgb, Layout::Rgba] {
        let frame = |samples: &[u8]| {
            let pixels = samples.chunks_exact(4);
            let samples: Vec<u8> = pixels
                .flat_map(|p| p[..layout.channels()].to_vec())
                .collect();
            super::tests::frame(size, layout, &samples, 100)
        };
        for options in [LOSSY, LOSSLESS] {
            let file = written(&[frame(&ground), frame(&corners)], &options);
            assert_eq!(parts(&file)[1], (Rect::whole(size), 0));
            let [(first, _), (second, _)] = &read(&file)[..] else {
                panic!("two frames");
            };
            // In the middle.
            assert_eq!(
                first[48 * 96 * 4..50 * 96 * 4],
                second[48 * 96 * 4..50 * 96 * 4]
            );
        }
    }
}

#[test]
fn what_is_left_out_costs_its_neighbours_nothing() {
    let size = Size::new(128, 128);
    let drawn = |moved: u32| {
        let pixels = (0..128 * 128).flat_map(|at: u32| {
            let (x, y) = (at % 128, at / 128);
            let disc = (x.abs_diff(24 + moved)).pow(2) + (y.abs_diff(60)).pow(2) < 400;
            if disc { [230, 60, 60] } else { [120, 190, 240] }
        });
        let samples: Vec<u8> = pixels.collect();
        frame(size, Layout::Rgb, &samples, 10)
    };
    let frames = [drawn(0), drawn(80)];
    let file = written(
        &frames,
        &EncodeOptions {
            quality: 90,
            ..LOSSY
        },
    );
    assert_eq!(parts(&file)[1].1, 0, "laid over the first");
    let apart: Vec<u32> = read(&file)
        .iter()
        .zip(merged(&frames))
        .map(|((seen, _), (wanted, _))| {
            let pairs = seen.iter().zip(&wanted);
            pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum()
        })
        .collect();
    assert!(apart[1] < apart[0] * 5 / 4, "{apart:?}");
}

#[test]
fn what_goes_away_is_cleared_where_that_is_less() {
    let size = Size::new(64, 16);
    let left = painted(size, CLEAR, RED, rect(0, 0, 8, 8));
    let right = painted(size, CLEAR, BLUE, rect(56, 8, 8, 8));
    let nothing = painted(size, CLEAR, CLEAR, rect(0, 0, 1, 1));
    let frames = [left, right.clone(), nothing, right].map(|s| frame(size, Layout::Rgba, &s, 50));
    let file = survives(&frames);
    let parts: Vec<Rect> = parts(&file).into_iter().map(|(part, _)| part).collect();
    let right = rect(56, 8, 8, 8);
    assert_eq!(parts, [rect(0, 0, 8, 8), right, CORNER, right]);
    assert_eq!(read(&written(&frames, &LOSSY)).len(), 4);
}

#[test]
fn small_changes_do_not_add_up_unseen() {
    let size = Size::new(16, 16);
    let gray = |shade: u8| frame(size, Layout::Rgb, &[shade; 16 * 16 * 3], 10);
    let frames: Vec<Frame> = (100..=160).map(gray).collect();
    let seen = read(&written(&frames, &LOSSY));
    assert!(seen.len() > 5 && seen.len() < 30, "{}", seen.len());
    let last = seen.last().map(|(samples, _)| samples[0]);
    assert!(last.expect("a frame").abs_diff(160) <= 4 + 2);
    let time: Duration = seen.iter().map(|(_, delay)| *delay).sum();
    assert_eq!(time, Duration::from_millis(610));
}

#[test]
fn frames_that_are_one_are_a_still() {
    let size = Size::new(20, 10);
    let picture = frame(
        size,
        Layout::Rgba,
        &painted(size, BLUE, RED, rect(2, 2, 5, 5)),
        40,
    );
    let glass = frame(
        size,
        Layout::Rgba,
        &painted(size, [9, 9, 9, 99], RED, rect(2, 2, 5, 5)),
        40,
    );
    for frame in [picture, glass] {
        for options in [LOSSY, LOSSLESS] {
            let options = EncodeOptions {
                exif: Some(b"MM\0\x2A\0\0\0\x08\0\0\0\0\0\0"),
                ..options
            };
            let file = written(&[frame.clone(), frame.clone()], &options);
            assert_eq!(parts(&file), []);
            assert!(exif(&file, &Limits::default()).is_some());
            assert_eq!(read(&file).len(), 1);
        }
        survives(&[frame.clone(), frame]);
    }
    // What does not reach the edges cannot be one.
    let dot = painted(size, CLEAR, RED, rect(2, 2, 5, 5));
    let file = survives(&[frame(size, Layout::Rgba, &dot, 40)]);
    assert_eq!(parts(&file), [(rect(2, 2, 5, 5), REPLACES)]);
}

#[test]
fn frames_may_be_empty_or_one_pixel_or_come_and_lose_alpha() {
    let one = Size::new(1, 1);
    let pixel = |colour: [u8; 4]| frame(one, Layout::Rgba, &colour, 10);
    survives(&[pixel(CLEAR)]);
    survives(&[pixel(CLEAR), pixel(RED), pixel(CLEAR), pixel(BLUE)]);
    let size = Size::new(3, 2);
    let opaque = |shade: u8| frame(size, Layout::Rgb, &[shade; 18], 10);
    let glass = |shade: u8| frame(size, Layout::Rgba, &[shade; 24], 10);
    let file = survives(&[opaque(9), glass(70), opaque(80), glass(80)]);
    let limits = Limits::default();
    assert!(probe(&file, &limits).expect("a header").alpha);
    let file = survives(&[opaque(9), opaque(8)]);
    assert!(!probe(&file, &limits).expect("a header").alpha);
}

#[test]
fn a_canvas_that_is_not_covered_has_alpha() {
    let size = Size::new(20, 10);
    let dot = |x| {
        frame(
            size,
            Layout::Rgba,
            &painted(size, CLEAR, RED, rect(x, 0, 5, 5)),
            40,
        )
    };
    let file = written(&[dot(0), dot(10)], &LOSSLESS);
    assert!(probe(&file, &Limits::default()).expect("a header").alpha);
}

#[test]
fn times_and_loops_stop_at_what_the_file_can_say() {
    let size = Size::new(2, 2);
    let gray = |shade: u8, delay| frame(size, Layout::Rgb, &[shade; 12], delay);
    let most = 0xFF_FFFF;
    for (delay, more, expected) in [
        (most, 0, most),
        (most, 1, most),
        (u64::MAX, 9, most),
        (0, 0, 0),
    ] {
        let frames = [gray(0, delay), gray(0, more), gray(200, 7)];
        let seen = read(&written(&frames, &LOSSLESS));
        assert_eq!(seen[0].1, Duration::from_millis(expected));
        assert_eq!(seen[1].1, Duration::from_millis(7));
    }
    for (loops, expected) in [(65_535, 65_535), (65_536, 65_535)] {
        let loops = NonZeroU32::new(loops);
        let mut writer = Box::new(Writer::new(size, loops, &LOSSLESS).expect("a writer"));
        for shade in [1, 99] {
            writer
                .push(&gray(shade, 5), &Cancel::default())
                .expect("a frame");
        }
        let file = writer.finish().expect("a file");
        let limits = Limits::default();
        let header = probe(&file, &limits).expect("a header");
        let reader = super::super::frames(&file, &header, &limits).expect("a reader");
        assert_eq!(reader.loops(), NonZeroU32::new(expected));
    }
}

#[test]
fn what_is_no_animation_is_refused() {
    let size = Size::new(4, 4);
    let writer = || Box::new(Writer::new(size, None, &LOSSY).expect("a writer"));
    assert!(matches!(writer().finish(), Err(Error::Encode { .. })));
    let other = frame(Size::new(4, 3), Layout::Rgb, &[0; 36], 1);
    let pushed = writer().push(&other, &Cancel::default());
    assert!(matches!(pushed, Err(Error::Encode { .. })));
    let cancel = Cancel::default();
    cancel.cancel();
    let pushed = writer().push(&frame(size, Layout::Rgb, &[0; 48], 1), &cancel);
    assert!(matches!(pushed, Err(Error::Cancelled)));
    let wide = Writer::new(Size::new(LONGEST_SIDE + 1, 1), None, &LOSSY);
    assert!(matches!(wide.map(|_| ()), Err(Error::Limit(_))));
}
