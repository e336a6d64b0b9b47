use std::io::Write as _;

use ::png::{BitDepth, ColorType, Compression, Filter, Transformations};
use proptest::prelude::*;

use super::{
    super::{
        STILL_BYTES, chunks, decode, open, probe, scattered,
        tests::{mend_checksums, with_chunk},
    },
    *,
};
use crate::pixels::{
    bitmap::Samples,
    codec::{DecodeOptions, Limits},
};

const KINDS: [(ColorType, BitDepth); 15] = [
    (ColorType::Grayscale, BitDepth::One),
    (ColorType::Grayscale, BitDepth::Two),
    (ColorType::Grayscale, BitDepth::Four),
    (ColorType::Grayscale, BitDepth::Eight),
    (ColorType::Grayscale, BitDepth::Sixteen),
    (ColorType::GrayscaleAlpha, BitDepth::Eight),
    (ColorType::GrayscaleAlpha, BitDepth::Sixteen),
    (ColorType::Indexed, BitDepth::One),
    (ColorType::Indexed, BitDepth::Two),
    (ColorType::Indexed, BitDepth::Four),
    (ColorType::Indexed, BitDepth::Eight),
    (ColorType::Rgb, BitDepth::Eight),
    (ColorType::Rgb, BitDepth::Sixteen),
    (ColorType::Rgba, BitDepth::Eight),
    (ColorType::Rgba, BitDepth::Sixteen),
];

const FILTERS: [Filter; 5] = [
    Filter::NoFilter,
    Filter::Up,
    Filter::Avg,
    Filter::Paeth,
    Filter::Adaptive,
];

/// A picture of waves with a little noise, so that matches and literals are both in it.
fn picture(
    (width, height): (u32, u32),
    (kind, depth): (ColorType, BitDepth),
    filter: Filter,
    clear: &[u8],
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut out, width, height);
    encoder.set_color(kind);
    encoder.set_depth(depth);
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(filter);
    if kind == ColorType::Indexed {
        encoder.set_palette((0..200).collect::<Vec<u8>>()[..3 * 60].to_vec());
    }
    if !clear.is_empty() {
        encoder.set_trns(clear.to_vec());
    }
    let line = kind.samples() * depth as usize * width as usize;
    let line = line.div_ceil(8);
    let mut state = 1u32;
    let byte = |at: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let wave = at % line / 9 + at / line / 5;
        wave.to_le_bytes()[0] ^ (state >> 30).to_le_bytes()[0]
    };
    let data: Vec<u8> = (0..line * height as usize).map(byte).collect();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    out
}

/// The pixels, by us and by the library alone; `None` where they cannot be read.
fn both(bytes: &[u8]) -> [Option<Samples>; 2] {
    let (limits, cancel) = (Limits::default(), Cancel::default());
    let options = DecodeOptions {
        page: 0,
        at_least: None,
    };
    let ours = probe(bytes, &limits)
        .and_then(|header| decode(bytes, &header, &options, &limits, &cancel))
        .map(|bitmap| bitmap.samples);
    let theirs = chunks::Info::read(bytes).and_then(|info| {
        limits.admit(info.width, info.height)?;
        let mut reader = open(bytes, Transformations::EXPAND, STILL_BYTES)?;
        scattered(&mut reader, &info, &cancel)
    });
    [ours.ok(), theirs.ok()]
}

#[track_caller]
fn check(bytes: &[u8], readable: bool) {
    let [ours, theirs] = both(bytes);
    assert!(ours == theirs, "{} {}", ours.is_some(), theirs.is_some());
    assert_eq!(ours.is_some(), readable);
}

#[test]
fn rows_are_as_the_library_reads_them() {
    for kind in KINDS {
        for filter in FILTERS {
            for size in [(1, 1), (37, 9), (100, 50)] {
                check(&picture(size, kind, filter, &[]), true);
            }
        }
    }
    // Several windows, and rows that do not fit into one evenly.
    let rgb = (ColorType::Rgb, BitDepth::Eight);
    check(&picture((1500, 300), rgb, Filter::Adaptive, &[]), true);
    let wide = (ColorType::Rgba, BitDepth::Sixteen);
    check(&picture((9000, 20), wide, Filter::Paeth, &[]), true);
}

#[test]
fn rows_without_filters_may_stand_between_others() {
    let (width, height) = (1500, 180);
    let rgb = (ColorType::Rgb, BitDepth::Eight);
    let plain = picture((width, height), rgb, Filter::NoFilter, &[]);
    let line = 3 * width as usize;
    let band = band(Row { line, pixel: 3 }, height as usize);
    // Some bands have no filter in any row, some in the first or the last.
    let filter_of = |row: usize| match row / band {
        1 => row % 5,
        3 if row.is_multiple_of(band) => 2,
        4 if row % band == band - 1 => 4,
        6 => 2,
        _ => 0,
    };
    let mut coded = Vec::new();
    for row in 0..height as usize {
        coded.push(filter_of(row).to_le_bytes()[0]);
        coded.extend((0..line).map(|at| (at / 7 * (row + 3) % 251).to_le_bytes()[0]));
    }
    let mut out = plain[..33].to_vec();
    let mut stream = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    stream.write_all(&coded).unwrap();
    chunks::write(&mut out, *b"IDAT", &stream.finish().unwrap()).unwrap();
    chunks::write(&mut out, *b"IEND", &[]).unwrap();
    assert!(height as usize >= 7 * band);
    check(&out, true);
}

#[test]
fn one_colour_may_be_transparent() {
    for kind in KINDS {
        let clear: &[u8] = match kind.0 {
            ColorType::Grayscale => &[0, 1],
            ColorType::Rgb => &[0, 1, 0, 2, 0, 1],
            ColorType::Indexed => &[7, 0, 200],
            _ => continue,
        };
        check(&picture((40, 30), kind, Filter::Adaptive, clear), true);
    }
}

#[test]
fn image_data_may_come_in_pieces_of_any_size() {
    let whole = picture(
        (90, 70),
        (ColorType::Rgb, BitDepth::Eight),
        Filter::Paeth,
        &[],
    );
    let (mut pieces, mut open) = (whole[..33].to_vec(), true);
    let data = {
        let mut chunks = Chunks::new(&whole).unwrap();
        chunks.skip_to_image_data().unwrap();
        chunks.image_data().unwrap().unwrap()
    };
    let mut rest = data;
    for size in [0, 1, 2, 3, 0, 5, 8, 13, 100].into_iter().cycle() {
        let (piece, later) = rest.split_at(size.min(rest.len()));
        chunks::write(&mut pieces, *b"IDAT", piece).unwrap();
        rest = later;
        if rest.is_empty() && !std::mem::replace(&mut open, false) {
            break;
        }
    }
    let cut = pieces.len();
    chunks::write(&mut pieces, *b"IEND", &[]).unwrap();
    check(&pieces, true);
    // The next chunk's name tells that the data are complete.
    check(&pieces[..cut + 8], true);
    check(&pieces[..cut + 7], false);
    // More than the rows need is ignored, and a chunk in between ends them.
    let mut more = pieces[..cut].to_vec();
    chunks::write(&mut more, *b"IDAT", &[7; 100]).unwrap();
    chunks::write(&mut more, *b"IEND", &[]).unwrap();
    check(&more, true);
    *more.last_mut().unwrap() ^= 1;
    check(&more, true);
    let mut broken = pieces[..cut].to_vec();
    *broken.last_mut().unwrap() ^= 1;
    chunks::write(&mut broken, *b"IEND", &[]).unwrap();
    check(&broken, false);
    let mut parted = whole[..33].to_vec();
    chunks::write(&mut parted, *b"IDAT", &data[..40]).unwrap();
    chunks::write(&mut parted, *b"tEXt", b"a\0b").unwrap();
    chunks::write(&mut parted, *b"IDAT", &data[40..]).unwrap();
    chunks::write(&mut parted, *b"IEND", &[]).unwrap();
    check(&parted, false);
}

#[test]
fn what_is_held_is_bounded_by_the_rows() {
    let bytes = |line: usize, height| bytes(Row { line, pixel: 3 }, height, line);
    assert!(bytes(3 * 2464, 1640) < 640 << 10);
    assert!(bytes(8 * 32_768, 32_768) < 7 << 20);
}

#[test]
fn no_band_has_rows_that_are_done_alone() {
    for line in [4, 3 * 1000, 3 * 2464, 4 * 2464, 4 * 6000, 8 * 32_768] {
        assert_eq!(band(Row { line, pixel: 4 }, 1000) % 8, 0, "{line}");
    }
}

proptest! {
    #[test]
    fn damaged_pixels_are_damaged_to_the_library_too(
        kind in 0..KINDS.len(),
        filter in 0..FILTERS.len(),
        changes in proptest::collection::vec((33usize..2000, any::<u8>()), 1..4),
        clear in any::<bool>(),
    ) {
        let plain = picture((40, 30), KINDS[kind], FILTERS[filter], &[]);
        let mut bytes = if clear { with_chunk(&plain, *b"tRNS", &[0, 1, 0, 2, 0, 3]) } else { plain };
        for (at, value) in changes {
            let at = 33 + at % (bytes.len() - 33);
            bytes[at] = value;
        }
        mend_checksums(&mut bytes);
        let [ours, theirs] = both(&bytes);
        prop_assert_eq!(ours, theirs);
    }
}
