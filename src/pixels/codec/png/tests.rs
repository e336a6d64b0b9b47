use std::{num::NonZeroU32, time::Duration};

use ::png::{BitDepth, BlendOp, ColorType, DisposeOp};
use proptest::prelude::*;

use super::{super::super::bitmap::Colour, chunks, *};
use crate::pixels::{
    codec::{self, Frame},
    format::OutputFormat,
};

const STILL: DecodeOptions = DecodeOptions {
    page: 0,
    at_least: None,
};

const OPTIONS: EncodeOptions<'static> = EncodeOptions {
    format: OutputFormat::Png,
    quality: 80,
    lossless: false,
    progressive: false,
    effort: crate::pixels::codec::Effort::Quick,
    exif: None,
};

fn size(width: u32, height: u32) -> Size {
    Size { width, height }
}

/// A still by the library: what we read is not only what we write.
fn still(width: u32, height: u32, kind: ColorType, depth: BitDepth, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut out, width, height);
    encoder.set_color(kind);
    encoder.set_depth(depth);
    if kind == ColorType::Indexed {
        encoder.set_palette(vec![1, 2, 3, 40, 50, 60, 7, 8, 9]);
        encoder.set_trns(vec![128]);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    out
}

/// The file with a chunk more, behind IHDR.
pub(super) fn with_chunk(png: &[u8], kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let (head, tail) = png.split_at(8 + 25);
    let mut out = head.to_vec();
    chunks::write(&mut out, kind, data).unwrap();
    out.extend_from_slice(tail);
    out
}

fn read(bytes: &[u8], limits: &Limits) -> Result<Bitmap, Error> {
    let header = codec::probe(bytes, limits)?;
    codec::decode(bytes, &header, &STILL, limits, &Cancel::default())
}

#[track_caller]
fn decodes(bytes: &[u8], layout: Layout, samples: &Samples) {
    let bitmap = read(bytes, &Limits::default()).unwrap();
    assert_eq!((bitmap.layout, &bitmap.samples), (layout, samples));
}

#[test]
fn every_kind_of_pixel_is_read_exactly() {
    use BitDepth::{Eight, Four, One, Sixteen, Two};
    use ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
    let u8s = |v: &[u8]| Samples::U8(v.to_vec());
    decodes(
        &still(3, 1, Grayscale, One, &[0xA0]),
        Layout::Gray,
        &u8s(&[255, 0, 255]),
    );
    decodes(
        &still(2, 1, Grayscale, Two, &[0x60]),
        Layout::Gray,
        &u8s(&[85, 170]),
    );
    decodes(
        &still(2, 1, Grayscale, Four, &[0x1F]),
        Layout::Gray,
        &u8s(&[17, 255]),
    );
    decodes(
        &still(2, 1, Grayscale, Eight, &[7, 9]),
        Layout::Gray,
        &u8s(&[7, 9]),
    );
    decodes(
        &still(1, 1, GrayscaleAlpha, Eight, &[7, 9]),
        Layout::GrayAlpha,
        &u8s(&[7, 9]),
    );
    decodes(
        &still(1, 1, Rgb, Eight, &[1, 2, 3]),
        Layout::Rgb,
        &u8s(&[1, 2, 3]),
    );
    decodes(
        &still(1, 1, Rgba, Eight, &[1, 2, 3, 4]),
        Layout::Rgba,
        &u8s(&[1, 2, 3, 4]),
    );
    decodes(
        &still(2, 1, Indexed, Two, &[0x80]),
        Layout::Rgba,
        &u8s(&[7, 8, 9, 255, 1, 2, 3, 128]),
    );
    decodes(
        &still(1, 1, Rgb, Sixteen, &[1, 2, 3, 4, 5, 6]),
        Layout::Rgb,
        &Samples::U16(vec![0x0102, 0x0304, 0x0506]),
    );
}

#[test]
fn an_interlaced_picture_is_put_in_order() {
    // The seven passes of an 8 × 8 gray ramp, each row with filter 0.
    for wide in [false, true] {
        let mut data = Vec::new();
        for (left, top, across, down) in ADAM7 {
            for y in (top..8).step_by(down) {
                data.push(0);
                for x in (left..8).step_by(across) {
                    let value = u8::try_from(y * 8 + x).unwrap();
                    if wide {
                        data.push(200);
                    }
                    data.push(value);
                }
            }
        }
        let mut header =
            still(8, 8, ColorType::Grayscale, BitDepth::Eight, &[0; 64])[16..29].to_vec();
        header[8] = if wide { 16 } else { 8 };
        header[12] = 1;
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut zlib, &data).unwrap();
        let mut file = chunks::SIGNATURE.to_vec();
        chunks::write(&mut file, *b"IHDR", &header).unwrap();
        chunks::write(&mut file, *b"IDAT", &zlib.finish().unwrap()).unwrap();
        chunks::write(&mut file, *b"IEND", &[]).unwrap();
        let expected = if wide {
            Samples::U16((0..64).map(|v| 200 * 256 + v).collect())
        } else {
            Samples::U8((0..64).collect())
        };
        decodes(&file, Layout::Gray, &expected);
    }
}

/// A bitmap of pseudo-random samples below `most`.
fn bitmap(size: Size, layout: Layout, most: u16, wide: bool) -> Bitmap {
    let length = size.width as usize * size.height as usize * layout.channels();
    let mut seed = 1u32;
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u16::try_from(seed >> 16).unwrap() % most
    };
    let samples = if wide {
        Samples::U16((0..length).map(|_| next()).collect())
    } else {
        Samples::U8((0..length).map(|_| u8::try_from(next()).unwrap()).collect())
    };
    Bitmap {
        size,
        layout,
        samples,
        colour: Colour::Srgb,
    }
}

#[track_caller]
fn survives(bitmap: &Bitmap, expected: Option<(u8, u8)>) {
    let bytes = codec::encode(bitmap, &OPTIONS, &Cancel::default()).unwrap();
    let found = read(&bytes, &Limits::default()).unwrap();
    assert_eq!(found.colour, bitmap.colour);
    assert_eq!(found.samples, bitmap.samples);
    assert_eq!(found.layout, bitmap.layout);
    if let Some(kind) = expected {
        assert_eq!((bytes[24], bytes[25]), kind, "depth and colour type");
    }
}

#[test]
fn pixels_survive_being_written_and_read() {
    for layout in [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba] {
        survives(&bitmap(size(37, 19), layout, 256, false), None);
        survives(&bitmap(size(37, 19), layout, 65_535, true), None);
    }
}

#[test]
fn few_colours_become_a_palette_and_stay_exact() {
    survives(&bitmap(size(37, 19), Layout::Rgb, 1, false), Some((1, 3)));
    survives(&bitmap(size(37, 19), Layout::Rgb, 2, false), Some((4, 3)));
    survives(&bitmap(size(37, 19), Layout::Rgb, 6, false), Some((8, 3)));
    survives(&bitmap(size(37, 19), Layout::Rgba, 2, false), Some((4, 3)));
    survives(&bitmap(size(37, 19), Layout::Rgb, 200, false), Some((8, 2)));
}

#[test]
fn colour_is_carried_along() {
    let mut picture = bitmap(size(5, 5), Layout::Rgb, 4, false);
    for colour in [
        Colour::Icc(vec![1, 2, 3, 4].into()),
        Colour::Cicp {
            primaries: 12,
            transfer: 13,
        },
        Colour::Srgb,
    ] {
        picture.colour = colour;
        survives(&picture, None);
    }
}

#[test]
fn code_points_count_before_a_profile() {
    let zlib = {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut zlib, b"profile").unwrap();
        zlib.finish().unwrap()
    };
    let profile = [b"name\0\0", &zlib[..]].concat();
    let plain = still(1, 1, ColorType::Rgb, BitDepth::Eight, &[1, 2, 3]);
    let both = with_chunk(
        &with_chunk(&plain, *b"iCCP", &profile),
        *b"cICP",
        &[9, 16, 0, 1],
    );
    let colour = |bytes: &[u8]| read(bytes, &Limits::default()).unwrap().colour;
    let icc = Colour::Icc(b"profile".to_vec().into());
    assert_eq!(colour(&plain), Colour::Srgb);
    assert_eq!(colour(&with_chunk(&plain, *b"iCCP", &profile)), icc);
    assert_eq!(
        colour(&both),
        Colour::Cicp {
            primaries: 9,
            transfer: 16
        }
    );
    // Narrow range is for video, and not for us.
    let narrow = with_chunk(
        &with_chunk(&plain, *b"iCCP", &profile),
        *b"cICP",
        &[9, 16, 0, 0],
    );
    assert_eq!(colour(&narrow), icc);
    // A profile that cannot be inflated is none.
    assert_eq!(
        colour(&with_chunk(&plain, *b"iCCP", b"name\0\0x")),
        Colour::Srgb
    );
}

#[test]
fn a_profile_may_have_exactly_its_limit() {
    let file = |length: usize| {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut zlib, &vec![0; length]).unwrap();
        let profile = [b"n\0\0", &zlib.finish().unwrap()[..]].concat();
        let plain = still(1, 1, ColorType::Rgb, BitDepth::Eight, &[1, 2, 3]);
        with_chunk(&plain, *b"iCCP", &profile)
    };
    let limits = Limits {
        icc_bytes: 1000,
        ..Limits::default()
    };
    assert!(read(&file(1000), &limits).is_ok());
    assert!(matches!(read(&file(1001), &limits), Err(Error::Limit(_))));
    assert!(matches!(
        read(&file(10_000_000), &limits),
        Err(Error::Limit(_))
    ));
}

#[test]
fn exif_is_read_within_its_limit_and_written() {
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let options = EncodeOptions {
        exif: Some(exif),
        ..OPTIONS
    };
    let picture = bitmap(size(5, 5), Layout::Rgb, 200, false);
    let bytes = codec::encode(&picture, &options, &Cancel::default()).unwrap();
    let mut limits = Limits {
        exif_bytes: exif.len(),
        ..Limits::default()
    };
    let header = codec::probe(&bytes, &limits).unwrap();
    assert_eq!(header.orientation, 6);
    assert_eq!(
        codec::exif(&bytes, &header, &limits).as_deref(),
        Some(&exif[..])
    );
    limits.exif_bytes -= 1;
    assert_eq!(codec::exif(&bytes, &header, &limits), None);
    // It would come out turned.
    assert_eq!(codec::strip(&bytes, &header), None);
}

#[test]
fn metadata_that_the_library_would_hold_is_bounded() {
    let plain = still(1, 1, ColorType::Rgb, BitDepth::Eight, &[1, 2, 3]);
    let small = with_chunk(&plain, *b"eXIf", &vec![0; STILL_BYTES / 4]);
    assert!(read(&small, &Limits::default()).is_ok());
    let large = with_chunk(&plain, *b"eXIf", &vec![0; STILL_BYTES * 2]);
    assert!(matches!(
        read(&large, &Limits::default()),
        Err(Error::Limit(_))
    ));
    // Text is not held, whatever its length.
    let text = with_chunk(&plain, *b"tEXt", &vec![b'x'; STILL_BYTES]);
    assert!(read(&text, &Limits::default()).is_ok());
}

#[test]
fn stripping_keeps_pixels_and_colour_alone() {
    let plain = still(1, 1, ColorType::Rgb, BitDepth::Eight, &[1, 2, 3]);
    let noisy = with_chunk(&plain, *b"tEXt", b"Comment\0secret");
    let noisy = with_chunk(&noisy, *b"tIME", &[0; 7]);
    let mut noisy = with_chunk(&noisy, *b"cICP", &[12, 13, 0, 1]);
    noisy.extend(b"trailing");
    let header = codec::probe(&noisy, &Limits::default()).unwrap();
    let stripped = codec::strip(&noisy, &header).unwrap();
    assert_eq!(stripped, with_chunk(&plain, *b"cICP", &[12, 13, 0, 1]));
    let cut = &noisy[..noisy.len() - 10];
    assert_eq!(codec::strip(cut, &header), None);
    let mut damaged = noisy.clone();
    let at = noisy.windows(4).position(|w| w == b"IDAT").unwrap() + 5;
    damaged[at] ^= 1;
    assert_eq!(codec::strip(&damaged, &header), None);
}

#[test]
fn damage_to_pixels_is_an_error_and_to_text_is_none() {
    let plain = still(9, 9, ColorType::Rgb, BitDepth::Eight, &[5; 243]);
    let mut text = with_chunk(&plain, *b"tEXt", b"Comment\0text");
    text[8 + 25 + 10] ^= 1;
    assert!(read(&text, &Limits::default()).is_ok());
    let mut pixels = plain.clone();
    let at = plain.windows(4).position(|w| w == b"IDAT").unwrap() + 8;
    pixels[at] ^= 1;
    assert!(matches!(
        read(&pixels, &Limits::default()),
        Err(Error::Broken { .. })
    ));
    for length in 0..plain.len() - 12 {
        let result = read(&plain[..length], &Limits::default());
        assert!(result.is_err(), "{length} bytes of {}", plain.len());
    }
}

#[test]
fn a_size_past_the_limit_is_refused_before_anything_is_read() {
    let plain = still(20, 5, ColorType::Grayscale, BitDepth::Eight, &[0; 100]);
    let mut limits = Limits {
        pixels: 100,
        side: 20,
        ..Limits::default()
    };
    assert!(codec::probe(&plain, &limits).is_ok());
    limits.pixels = 99;
    assert!(matches!(
        codec::probe(&plain, &limits),
        Err(Error::Limit(_))
    ));
    limits.pixels = 100;
    limits.side = 19;
    assert!(matches!(
        codec::probe(&plain, &limits),
        Err(Error::Limit(_))
    ));
}

/// Where a frame goes, how it is drawn and disposed of, and its one colour.
type Step = (Rect4, BlendOp, DisposeOp, [u8; 4]);
type Rect4 = (u32, u32, u32, u32);

/// An animation by the library, on a canvas of 2 × 1.
fn animated(steps: &[Step], default_image: Option<[u8; 4]>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut out, 2, 1);
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder
        .set_animated(u32::try_from(steps.len()).unwrap(), 3)
        .unwrap();
    encoder.set_sep_def_img(default_image.is_some()).unwrap();
    let mut writer = encoder.write_header().unwrap();
    if let Some(colour) = default_image {
        writer.write_image_data(&colour.repeat(2)).unwrap();
    }
    for ((x, y, width, height), blend, dispose, colour) in steps {
        writer.reset_frame_position().unwrap();
        writer.set_frame_dimension(*width, *height).unwrap();
        writer.set_frame_position(*x, *y).unwrap();
        writer.set_blend_op(*blend).unwrap();
        writer.set_dispose_op(*dispose).unwrap();
        writer.set_frame_delay(1, 2).unwrap();
        let pixels = (width * height) as usize;
        writer.write_image_data(&colour.repeat(pixels)).unwrap();
    }
    writer.finish().unwrap();
    out
}

fn all_frames(bytes: &[u8]) -> (Loops, Vec<(Vec<u8>, Duration)>) {
    let limits = Limits::default();
    let header = codec::probe(bytes, &limits).unwrap();
    let mut reader = codec::frames(bytes, &header, &limits).unwrap();
    let mut found = Vec::new();
    while let Some(frame) = reader.next_frame(&Cancel::default()).unwrap() {
        let Samples::U8(samples) = frame.bitmap.samples else {
            panic!("16 bits");
        };
        found.push((samples, frame.delay));
    }
    (reader.loops(), found)
}

const RED: [u8; 4] = [255, 0, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];
const HALF: [u8; 4] = [0, 255, 0, 128];
const CLEAR: [u8; 4] = [0; 4];
const WHOLE: Rect4 = (0, 0, 2, 1);
const LEFT: Rect4 = (0, 0, 1, 1);
const RIGHT: Rect4 = (1, 0, 1, 1);

#[track_caller]
fn composes(steps: &[Step], expected: &[[[u8; 4]; 2]]) {
    let (loops, frames) = all_frames(&animated(steps, None));
    assert_eq!(loops, NonZeroU32::new(3));
    let expected: Vec<_> = expected
        .iter()
        .map(|pixels| (pixels.concat(), Duration::from_millis(500)))
        .collect();
    assert_eq!(frames, expected);
}

#[test]
fn frames_are_blended_and_disposed_of() {
    use BlendOp::{Over, Source};
    use DisposeOp::{Background, None, Previous};
    let first = (WHOLE, Source, None, RED);
    composes(
        &[
            first,
            (LEFT, Source, None, BLUE),
            (RIGHT, Source, None, HALF),
        ],
        &[[RED, RED], [BLUE, RED], [BLUE, HALF]],
    );
    composes(
        &[
            first,
            (LEFT, Source, Background, BLUE),
            (RIGHT, Source, None, BLUE),
        ],
        &[[RED, RED], [BLUE, RED], [CLEAR, BLUE]],
    );
    composes(
        &[
            first,
            (LEFT, Source, Previous, BLUE),
            (RIGHT, Source, None, BLUE),
        ],
        &[[RED, RED], [BLUE, RED], [RED, BLUE]],
    );
    composes(
        &[first, (LEFT, Over, None, HALF), (RIGHT, Over, None, CLEAR)],
        &[
            [RED, RED],
            [[127, 128, 0, 255], RED],
            [[127, 128, 0, 255], RED],
        ],
    );
}

#[test]
fn an_image_outside_the_animation_is_the_picture() {
    let steps = [
        (WHOLE, BlendOp::Source, DisposeOp::None, RED),
        (WHOLE, BlendOp::Source, DisposeOp::None, BLUE),
    ];
    let bytes = animated(&steps, Some(HALF));
    let still = read(&bytes, &Limits::default()).unwrap();
    assert_eq!(still.samples, Samples::U8(HALF.repeat(2)));
    let header = codec::probe(&bytes, &Limits::default()).unwrap();
    assert_eq!((header.frames, header.animated), (1, false));
}

#[test]
fn a_later_page_is_a_later_frame() {
    let steps = [
        (WHOLE, BlendOp::Source, DisposeOp::None, RED),
        (LEFT, BlendOp::Source, DisposeOp::None, BLUE),
    ];
    let bytes = animated(&steps, None);
    let limits = Limits::default();
    let header = codec::probe(&bytes, &limits).unwrap();
    assert_eq!((header.frames, header.animated), (2, true));
    let page = DecodeOptions {
        page: 1,
        at_least: None,
    };
    let bitmap = codec::decode(&bytes, &header, &page, &limits, &Cancel::default()).unwrap();
    assert_eq!(bitmap.samples, Samples::U8([BLUE, RED].concat()));
}

#[test]
fn frames_that_are_promised_but_missing_do_not_count() {
    let steps = [(WHOLE, BlendOp::Source, DisposeOp::None, RED)];
    let mut bytes = animated(&steps, None);
    let at = bytes.windows(4).position(|w| w == b"acTL").unwrap();
    let mut control = Vec::new();
    chunks::write(
        &mut control,
        *b"acTL",
        &[0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],
    )
    .unwrap();
    bytes[at - 4..at + 16].copy_from_slice(&control);
    let header = codec::probe(&bytes, &Limits::default()).unwrap();
    assert_eq!((header.frames, header.animated), (1, false));
}

#[test]
fn an_animation_past_its_limits_is_refused_but_its_first_frame_is_not() {
    let step = (WHOLE, BlendOp::Source, DisposeOp::None, RED);
    let bytes = animated(&[step; 3], None);
    let opens = |limits: Limits| {
        let header = codec::probe(&bytes, &limits).unwrap();
        codec::decode(&bytes, &header, &STILL, &limits, &Cancel::default()).unwrap();
        codec::frames(&bytes, &header, &limits).is_ok()
    };
    let limits = Limits::default();
    assert!(opens(Limits {
        frames: 3,
        ..limits
    }));
    assert!(!opens(Limits {
        frames: 2,
        ..limits
    }));
    assert!(opens(Limits {
        animation_pixels: 6,
        ..limits
    }));
    assert!(!opens(Limits {
        animation_pixels: 5,
        ..limits
    }));
}

#[test]
fn an_animation_survives_being_written_and_read() {
    let picture = bitmap(size(9, 7), Layout::Rgba, 256, false);
    let mut second = picture.clone();
    if let Samples::U8(samples) = &mut second.samples {
        samples[100..104].copy_from_slice(&CLEAR);
        samples[150] ^= 255;
    }
    let frame = |bitmap: &Bitmap, millis| Frame {
        bitmap: bitmap.clone(),
        delay: Duration::from_millis(millis),
    };
    let loops = NonZeroU32::new(2);
    let mut writer = codec::animation(picture.size, loops, &OPTIONS).unwrap();
    for frame in [frame(&picture, 50), frame(&second, 70), frame(&second, 30)] {
        writer.push(&frame, &Cancel::default()).unwrap();
    }
    let bytes = writer.finish().unwrap();
    let (found, frames) = all_frames(&bytes);
    assert_eq!(found, loops);
    let pixels = |bitmap: Bitmap| match bitmap.samples {
        Samples::U8(samples) => samples,
        Samples::U16(_) => panic!("16 bits"),
    };
    let expected = [
        (pixels(picture.clone()), Duration::from_millis(50)),
        (pixels(second), Duration::from_millis(100)),
    ];
    assert_eq!(frames, expected);
    // Viewers without animation show the first.
    assert_eq!(read(&bytes, &Limits::default()).unwrap(), picture);
}

#[test]
fn a_palette_with_a_third_of_a_colour_made_the_library_panic() {
    let mut bytes = Vec::new();
    let mut writer = ::png::Encoder::new(&mut bytes, 1, 1);
    writer.set_color(ColorType::Indexed);
    writer.set_palette(vec![1, 2, 3, 40, 50]);
    writer.set_trns(vec![9]);
    let mut writer = writer.write_header().unwrap();
    writer.write_image_data(&[1]).unwrap();
    drop(writer);
    let result = codec::probe(&bytes, &Limits::default());
    assert!(matches!(result, Err(Error::Broken { .. })), "{result:?}");
}

#[test]
fn cancelled_work_stops() {
    let plain = still(1, 1, ColorType::Rgb, BitDepth::Eight, &[1, 2, 3]);
    let limits = Limits::default();
    let header = codec::probe(&plain, &limits).unwrap();
    let cancel = Cancel::default();
    cancel.cancel();
    let result = codec::decode(&plain, &header, &STILL, &limits, &cancel);
    assert!(matches!(result, Err(Error::Cancelled)));
    let result = codec::encode(
        &bitmap(header.size, Layout::Rgb, 9, false),
        &OPTIONS,
        &cancel,
    );
    assert!(matches!(result, Err(Error::Cancelled)));
}

proptest! {
    #[test]
    fn damaged_files_never_panic(
        changes in proptest::collection::vec((0usize..400, any::<u8>()), 1..6),
        length in 0usize..400,
        mend in any::<bool>(),
    ) {
        let steps = [
            (WHOLE, BlendOp::Source, DisposeOp::Previous, RED),
            (LEFT, BlendOp::Over, DisposeOp::Background, HALF),
        ];
        let mut bytes = with_chunk(&animated(&steps, None), *b"tRNS", &[0, 1, 0, 2, 0, 3]);
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(length.max(8));
        if mend {
            mend_checksums(&mut bytes);
        }
        let limits = Limits { pixels: 1 << 20, ..Limits::default() };
        let Ok(header) = codec::probe(&bytes, &limits) else { return Ok(()) };
        let _ = codec::decode(&bytes, &header, &STILL, &limits, &Cancel::default());
        let _ = codec::strip(&bytes, &header);
        if let Ok(mut reader) = codec::frames(&bytes, &header, &limits) {
            while let Ok(Some(_)) = reader.next_frame(&Cancel::default()) {}
        }
    }
}

/// Makes the checksums right again, so that damage gets past them.
pub(super) fn mend_checksums(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(head.try_into().unwrap()) as usize;
        let Some(content) = bytes.get(at + 4..(at + 8).saturating_add(length)) else {
            return;
        };
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let end = at + 8 + length;
        let Some(sum) = bytes.get_mut(end..end + 4) else {
            return;
        };
        sum.copy_from_slice(&crc.sum().to_be_bytes());
        at = end + 4;
    }
}
