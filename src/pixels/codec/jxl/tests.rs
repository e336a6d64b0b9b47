use super::*;
use crate::pixels::codec;

/// Quarters of red, green, blue and white, 24 × 16, without loss.
const QUARTERS: &str = "ff0a0341407121080201009c004b386998ca83f72b4808805a99178374812000288c0500aa28fc451c69fafdfbfd4bb82d8e8322";

/// The same in Display P3.
const WIDE: &str = "ff0a034140263702080201009c004b386998ca83f72b4808805a99178374812000288c0500aa28fc451c69fafdfbfd4bb82d8e8322";

/// The same, with loss.
const LOSSY: &str = "ff0a0341427121001288020034035de5120000152aa38c1bbc9cebf9f24387c5b48deb0c6db56d6149a2c8383649277048128ba8b7bd8e7090abfc7f17315f13d8fd6d4b414b65cb77a36950b1d9297244c1818708cf1544adf30000544881d4b694c8a0cccb789779192fc698f6b0f3020e2725ccf9ccb004ed1cba37ff117e353b03edfb1ca6ac8b4b6bced00846b51c914682cb58c2cba91a5058950227b724362d84ba4c0c21b5d7a4f454f218ba1d642c136b0bb213a6e77c910202b4c41281e9459d26ce8fdc1f94017bfe9701f6792941033fda3003a300";

/// 4 × 2 grays of 16 bits, 0, 20000, 40000 and 60000 a row; the upper row at an alpha of 117 of 255. In
/// a container.
const DEEP: &str = "0000000c4a584c200d0a870a00000014667479706a786c20000000006a786c20000000096a786c6c0a000000396a786c63ff0a0870fc288a0b010808100088004b188b150a2587b10bc0b661663708e208e208e23c0c999d0784cbd1aa815644a704";

fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits).unwrap()
}

const WHOLE: DecodeOptions = DecodeOptions {
    page: 0,
    at_least: None,
};

fn decoded(bytes: &[u8]) -> Result<(Header, Bitmap), Error> {
    let limits = Limits::default();
    let header = codec::probe(bytes, &limits)?;
    let bitmap = codec::decode(bytes, &header, &WHOLE, &limits, &Cancel::default())?;
    assert!(bitmap.is_complete());
    Ok((header, bitmap))
}

/// The middle of each quarter.
fn corners(bitmap: &Bitmap) -> [[u8; 3]; 4] {
    let Samples::U8(samples) = &bitmap.samples else {
        panic!("eight bits");
    };
    [(6, 4), (18, 4), (6, 12), (18, 12)].map(|(x, y)| {
        let at = (y * bitmap.size.width as usize + x) * 3;
        samples[at..at + 3].try_into().unwrap()
    })
}

const COLOURS: [[u8; 3]; 4] = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]];

#[test]
fn a_lossless_picture_comes_out_exactly() {
    let (header, bitmap) = decoded(&bytes(QUARTERS)).unwrap();
    assert_eq!(
        (header.size, header.alpha, header.depth, header.lossless),
        (Size::new(24, 16), false, 8, true)
    );
    assert_eq!(
        (bitmap.layout, &bitmap.colour),
        (Layout::Rgb, &Colour::Srgb)
    );
    assert_eq!(corners(&bitmap), COLOURS);
}

#[test]
fn a_lossy_picture_comes_out_nearly() {
    let (header, bitmap) = decoded(&bytes(LOSSY)).unwrap();
    assert!(!header.lossless);
    let near = |(found, expected): (&[u8; 3], &[u8; 3])| {
        found
            .iter()
            .zip(expected)
            .all(|(a, b)| a.abs_diff(*b) <= 40)
    };
    let found = corners(&bitmap);
    assert!(found.iter().zip(&COLOURS).all(near), "{found:?}");
}

#[test]
fn a_wide_gamut_is_told() {
    let (_, bitmap) = decoded(&bytes(WIDE)).unwrap();
    let Colour::Icc(profile) = &bitmap.colour else {
        panic!("a profile");
    };
    assert_eq!(profile[36..40], *b"acsp");
    assert_eq!(corners(&bitmap), COLOURS);
}

#[test]
fn sixteen_bits_and_alpha_stay() {
    let (header, bitmap) = decoded(&bytes(DEEP)).unwrap();
    assert_eq!((header.depth, header.alpha), (16, true));
    assert_eq!(bitmap.layout, Layout::GrayAlpha);
    let Samples::U16(samples) = &bitmap.samples else {
        panic!("sixteen bits");
    };
    let rows = [
        [0, 30069, 20000, 30069, 40000, 30069, 60000, 30069],
        [0, 65535, 20000, 65535, 40000, 65535, 60000, 65535],
    ];
    assert_eq!(samples[..], rows.concat());
}

#[test]
fn the_size_is_held_against_the_limits_before_a_pixel() {
    let admitted = |side| {
        let limits = Limits {
            side,
            ..Limits::default()
        };
        codec::probe(&bytes(QUARTERS), &limits)
    };
    assert!(admitted(24).is_ok());
    assert!(matches!(admitted(23), Err(Error::Limit(_))));
}

#[test]
fn a_picture_that_is_cut_off_is_broken() {
    for whole in [QUARTERS, LOSSY, DEEP].map(bytes) {
        for length in 2..whole.len() {
            let result = decoded(&whole[..length]);
            assert!(
                matches!(result, Err(Error::Broken { .. } | Error::Unsupported(_))),
                "{length}"
            );
        }
    }
}

#[test]
fn damage_ends_in_an_answer() {
    let mut random = fastrand::Rng::with_seed(5);
    let limits = Limits {
        pixels: 1_000_000,
        ..Limits::default()
    };
    for whole in [QUARTERS, WIDE, LOSSY, DEEP].map(bytes) {
        for _ in 0..400 {
            let mut damaged = whole.clone();
            for _ in 0..random.usize(1..4) {
                let at = random.usize(2..damaged.len());
                damaged[at] ^= 1 << random.u8(0..8);
            }
            if let Ok(header) = codec::probe(&damaged, &limits) {
                let _ = codec::decode(&damaged, &header, &WHOLE, &limits, &Cancel::default());
            }
        }
    }
}

#[test]
fn a_container_is_read_in_parts_and_without_its_metadata() {
    let stream = bytes(QUARTERS);
    let boxed = |kind: &[u8; 4], data: &[u8]| {
        let length = u32::try_from(data.len() + 8).unwrap();
        [&length.to_be_bytes()[..], kind, data].concat()
    };
    let (first, second) = stream.split_at(20);
    let container = [
        boxed(b"JXL ", b"\r\n\x87\n"),
        boxed(b"ftyp", b"jxl \0\0\0\0jxl "),
        // Says that it is compressed EXIF, and is nothing.
        boxed(b"brob", b"Exif\xFF\xFF\xFF\xFF"),
        boxed(b"jxlp", &[&[0, 0, 0, 0], first].concat()),
        boxed(b"jxlp", &[&[0x80, 0, 0, 1], second].concat()),
    ]
    .concat();
    assert_eq!(decoded(&container).unwrap().1, decoded(&stream).unwrap().1);
}

/// A picture of layers without colour: what stands before them, the first, any but the last, the
/// last.
struct Layers([&'static str; 4]);

/// Of 2048 × 512 pixels: `LAYERED` of them are `LAYERED_PIXELS`.
const LARGE: Layers = Layers([
    "ff0af88ffe0f8804",
    "0806020024000000400004001b9100029c074880010303",
    "0846090024000000400004001b9100029c074880010303",
    "0846050024000000400004001b9100029c074880010303",
]);

/// Of 8 × 8 pixels.
const SMALL: Layers = Layers([
    "ff0a38000e8048",
    "0806020024001b9100029c07488001",
    "0846090024001b9100029c07488001",
    "0846050024001b9100029c07488001",
]);

impl Layers {
    #[track_caller]
    fn check(&self, count: usize, admitted: bool) {
        let [head, first, next, last] = self.0.map(bytes);
        let file = [head, first, next.repeat(count - 2), last].concat();
        match decoded(&file) {
            Ok(_) => assert!(admitted),
            Err(error) => assert!(!admitted && matches!(error, Error::Limit(_)), "{error:?}"),
        }
    }
}

#[test]
fn a_bomb_of_layers_is_refused_before_it_is_drawn() {
    LARGE.check(4, true);
    LARGE.check(5, false);
    LARGE.check(60, false);
    SMALL.check(64, true);
    SMALL.check(65, false);
}
