use super::{kernels::Portable, *};
use crate::pixels::{codec::webp::still, geometry::Size};

/// Planes to encode.
struct Planes {
    size: Size,
    luma: Vec<u8>,
    colour: Option<[Vec<u8>; 2]>,
}

impl Planes {
    fn new(width: u32, height: u32, sample: impl Fn(u32, u32) -> u8) -> Self {
        let plane = |width, height| {
            let rows = (0..height).map(|y| (0..width).map(move |x| (x, y)));
            let places = rows.flatten();
            places.map(|(x, y)| sample(x, y)).collect::<Vec<_>>()
        };
        let half = plane(width.div_ceil(2), height.div_ceil(2));
        let turned = half.iter().map(|sample| 255 - sample).collect();
        Self {
            size: Size::new(width, height),
            luma: plane(width, height),
            colour: Some([half, turned]),
        }
    }

    fn source(&self) -> Source<'_> {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let rows = |samples, stride| Rows { samples, stride };
        let colour = self.colour.as_ref();
        Source {
            width,
            height,
            luma: rows(&self.luma, width),
            colour: colour.map(|c| c.each_ref().map(|p| rows(p, width.div_ceil(2)))),
        }
    }
}

fn noise(x: u32, y: u32) -> u8 {
    let mixed =
        (x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA6B)).wrapping_mul(0xC2B2_AE35);
    (mixed >> 24) as u8
}

/// The file without a filter, and the planes that its decoders should see.
fn encoded<K: Kernels>(kernels: K, planes: &Planes, level: u8) -> (Vec<u8>, [Vec<u8>; 3]) {
    let source = planes.source();
    let mut picture = Picture::new(&source, level);
    picture.blocks(kernels, &Cancel::default()).expect("blocks");
    let across = picture.across;
    let sample = |plane: usize, x: usize, y: usize| {
        if plane == 0 {
            return picture.restored[y / 16 * across + x / 16].0[y % 16][x % 16];
        }
        picture.restored[y / 8 * across + x / 8].1[y % 8][(plane - 1) * 8 + x % 8]
    };
    let restored = [0, 1, 2].map(|plane| {
        let scale = if plane == 0 { 1 } else { 2 };
        let (width, height) = (source.width.div_ceil(scale), source.height.div_ceil(scale));
        let rows = (0..height).map(|y| (0..width).map(move |x| (x, y)));
        rows.flatten().map(|(x, y)| sample(plane, x, y)).collect()
    });
    (picture.write(0).expect("a file"), restored)
}

#[track_caller]
fn check(planes: &Planes, level: u8) {
    let (file, restored) = encoded(Portable, planes, level);
    #[cfg(target_arch = "x86_64")]
    if let Some(kernels) = kernels::Avx2::new() {
        assert!(
            encoded(kernels, planes, level).0 == file,
            "another file on another processor"
        );
    }
    let decoded = still::decode_planes(&file, planes.size, &Cancel::default()).expect("planes");
    for (decoded, restored) in decoded.iter().zip(&restored) {
        assert!(decoded.samples == *restored, "decoders see something else");
    }
}

const LEVELS: [u8; 6] = [0, 3, 15, 40, 90, 127];

#[test]
fn decoders_see_what_was_chosen_whatever_the_size() {
    for (width, height) in [
        (1, 1),
        (2, 3),
        (16, 16),
        (17, 15),
        (31, 33),
        (70, 50),
        (1, 60),
    ] {
        let slope = Planes::new(width, height, |x, y| (x * 3 + y * 2) as u8);
        for level in LEVELS {
            check(&slope, level);
        }
    }
    check(&Planes::new(16_383, 2, |x, y| (x / 7 + y) as u8), 30);
    check(&Planes::new(3, 16_383, |x, y| (y / 9 * x) as u8), 30);
}

#[test]
fn decoders_see_what_was_chosen_whatever_the_picture() {
    let pictures: [fn(u32, u32) -> u8; 6] = [
        noise,
        |_, _| 128,
        |_, _| 255,
        |x, y| ((x / 8 + y / 8) % 2 * 255) as u8,
        |x, y| ((x + y) % 2 * 255) as u8,
        |x, y| (noise(x, y) / 16).wrapping_add((x * y / 20) as u8),
    ];
    for sample in pictures {
        let mut planes = Planes::new(100, 52, sample);
        for level in LEVELS {
            check(&planes, level);
        }
        planes.colour = None;
        check(&planes, 20);
    }
}

#[test]
fn a_finer_quantiser_is_nearer_and_larger() {
    let planes = Planes::new(64, 64, |x, y| noise(x, y) / 4 + (x * y / 32) as u8);
    let mut before: Option<(usize, u64)> = None;
    for level in LEVELS {
        let (file, [luma, ..]) = encoded(Portable, &planes, level);
        let errors = luma.iter().zip(&planes.luma);
        let errors = errors.map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
        if let Some((length, finer)) = before {
            assert!(file.len() < length && errors > finer, "at level {level}");
        }
        before = Some((file.len(), errors));
    }
}

#[test]
fn a_cancelled_encoding_ends() {
    let cancel = Cancel::default();
    cancel.cancel();
    let planes = Planes::new(20, 20, noise);
    let ended = encode(&planes.source(), 20, &cancel);
    assert!(matches!(ended, Err(Error::Cancelled)));
}

#[test]
fn small_blocks_end_where_the_first_partition_would_be_too_long() {
    let room = |bits: u64| Room { used: bits * 256 };
    let most = Room::BITS - Room::SMALL - 10 * Room::WHOLE;
    assert!(room(most).for_small(10));
    assert!(!room(most + 1).for_small(10));
    assert!(!room(most).for_small(11));
}
