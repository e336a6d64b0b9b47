//! Sources whose colour is coded in rarer ways: they look the same whether they go through planes
//! (`profile=fast`) or through RGB (`profile=fine`), and as they were drawn.

use aquatint::{
    pixels::{
        bitmap::{Bitmap, Layout, Samples},
        codec::{self, Cancel, DecodeOptions, Limits},
        format::OutputFormat,
        render::{self, OutputLimits},
    },
    recipe::{
        Recipe, Transform,
        dialect::Dialect,
        negotiate::Accepts,
        policy::{Policy, PolicySettings},
    },
};

/// JPEG, 64 × 64, half as many colours across as light (4:2:2): four quarters.
const QUARTERS: &str = "ffd8ffe000104a46494600010100000100010000ffdb0043000503040404030504040405050506070c08070707070f0b\
    0b090c110f1212110f111113161c1713141a1511111821181a1d1d1f1f1f13172224221e241c1e1f1effdb0043010505\
    050706070e08080e1e1411141e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e\
    1e1e1e1e1e1e1e1e1e1e1e1e1e1effc00011080040004003012100021101031101ffc400170001010101000000000000\
    00000000000000060807ffc40014100100000000000000000000000000000000ffc40018010100030100000000000000\
    00000000000004060807ffc40014110100000000000000000000000000000000ffda000c03010002110311003f008914\
    f690005808ac1e008f129bc0016022b078023c4a6f0005808ac1e008f129bc0016022b07803940d5ebf003680e14b100\
    3178eeaae803680e14b1003178eeaae803680e14b1003178eeaae803680e14b1003fffd9";

/// The same, 128 × 128: four bands, one above another.
const BANDS: &str = "ffd8ffe000104a46494600010100000100010000ffdb0043000503040404030504040405050506070c08070707070f0b\
    0b090c110f1212110f111113161c1713141a1511111821181a1d1d1f1f1f13172224221e241c1e1f1effdb0043010505\
    050706070e08080e1e1411141e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e\
    1e1e1e1e1e1e1e1e1e1e1e1e1e1effc00011080080008003012100021101031101ffc400170001010101000000000000\
    00000000000000060708ffc40014100100000000000000000000000000000000ffc40018010100030100000000000000\
    00000000000004060807ffc40014110100000000000000000000000000000000ffda000c03010002110311003f008914\
    f690000000000000000000000000000000000000000000000000000000000000005808ac1e0000000000000000000000\
    0000000000000000000000000000000000000000ca06af5f800000000000000000000000000000000000000000000000\
    000000000000001da03852c400000000000000000000000000000000000000000000000000000000000000ffd9";

/// AVIF, 64 × 64, 4:2:0: the four quarters, in 16 to 235.
const LIMITED: &str = "00000020667479706176696600000000617669666d6966316d6961664d413142000000eb6d6574610000000000000021\
    68646c72000000000000000070696374000000000000000000000000000000000e7069746d0000000000010000001e69\
    6c6f63000000004400000100010000000100000113000000460000002869696e660000000000010000001a696e666502\
    0000000001000061763031436f6c6f72000000006a697072700000004b6970636f000000146973706500000000000000\
    4000000040000000107069786900000000030808080000000c6176314381000c0000000013636f6c726e636c78000100\
    0d0006000000001769706d610000000000000001000104010283040000004e6d64617412000a0918157ffda2021a0c08\
    323713c78786650186187e10000000c21113a81b26112142c6f0c97d3d5948c01d6efe07224308ebe83efa29dd31444e\
    2cbb21fa860030fb7a";

/// The same in 0 to 255.
const FULL: &str = "00000020667479706176696600000000617669666d6966316d6961664d413142000000eb6d6574610000000000000021\
    68646c72000000000000000070696374000000000000000000000000000000000e7069746d0000000000010000001e69\
    6c6f63000000004400000100010000000100000113000000470000002869696e660000000000010000001a696e666502\
    0000000001000061763031436f6c6f72000000006a697072700000004b6970636f000000146973706500000000000000\
    4000000040000000107069786900000000030808080000000c6176314381000c0000000013636f6c726e636c78000100\
    0d0006800000001769706d610000000000000001000104010283040000004f6d64617412000a0918157ffda2021a0d08\
    323813c78786650186187e10000000c21113a81b2c237542ddc3817e2dcde8c72ae7c3f348c3be0afc4eb38b1ff5d132\
    798ac97472e270570180";

/// The same in 16 to 235, 4:2:2.
const LIMITED_422: &str = "0000001c667479706176696600000000617669666d6966316d696166000000eb6d657461000000000000002168646c72\
    000000000000000070696374000000000000000000000000000000000e7069746d0000000000010000001e696c6f6300\
    000000440000010001000000010000010f000000430000002869696e660000000000010000001a696e66650200000000\
    01000061763031436f6c6f72000000006a697072700000004b6970636f00000014697370650000000000000040000000\
    40000000107069786900000000030808080000000c617631438140080000000013636f6c726e636c780001000d000600\
    0000001769706d610000000000000001000104010283040000004b6d64617412000a0958157ffda2021a0c20323413c2\
    1b3280c30c3f08000000c21113a81b26120cbe51b0d403e182e9d60782d02cf545b7119fca7a279f217fb21faab862c1\
    bfa0";

/// Of the quarters, row by row, and of the bands.
const COLOURS: [[u8; 3]; 4] = [[220, 40, 40], [40, 180, 60], [40, 60, 200], [200, 200, 200]];

/// Where the quarters and the bands are looked at, as shares of the sides.
const IN_QUARTERS: [(f64, f64); 4] = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
const IN_BANDS: [(f64, f64); 4] = [(0.5, 0.125), (0.5, 0.375), (0.5, 0.625), (0.5, 0.875)];

fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    let digits = pairs.map(|pair| std::str::from_utf8(pair).expect("digits"));
    let bytes = digits.map(|pair| u8::from_str_radix(pair, 16));
    bytes.collect::<Result<_, _>>().expect("digits")
}

/// The same blocks in the same order, but one block of light above the other: 4:4:0.
fn upright(mut jpeg: Vec<u8>) -> Vec<u8> {
    let frame = jpeg.windows(2).position(|two| two == [0xFF, 0xC0]);
    let first = frame.expect("a frame") + 11;
    assert_eq!(jpeg[first], 0x21);
    jpeg[first] = 0x12;
    jpeg
}

fn recipe(query: &str) -> Recipe {
    let transform = Transform::parse(query, Dialect::Imgix, true).expect("a query");
    let policy = Policy::new(PolicySettings::default());
    Recipe::resolve(&transform, Accepts::default(), &policy)
}

fn made(source: &[u8], query: &str) -> (Bitmap, bool) {
    let (recipe, limits) = (recipe(query), Limits::default());
    let (outputs, cancel) = (OutputLimits::default(), Cancel::default());
    let job = render::prepare(source, &recipe, &limits, &outputs).expect("a picture");
    let rendered =
        render::render(source.into(), &recipe, &job, &limits, &cancel).expect("a picture");
    let header = codec::probe(&rendered.bytes, &limits).expect("a picture");
    let whole = DecodeOptions {
        page: 0,
        at_least: None,
    };
    let bitmap = codec::decode(&rendered.bytes, &header, &whole, &limits, &cancel);
    let bitmap = bitmap.expect("a picture");
    let planes = job.describe()["planes"] == true;
    // An AVIF may have ten.
    let samples = Samples::U8(bitmap.samples.into_u8());
    (Bitmap { samples, ..bitmap }, planes)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places of a small picture"
)]
fn pixel(bitmap: &Bitmap, (across, down): (f64, f64)) -> [u8; 3] {
    assert_eq!(bitmap.layout, Layout::Rgb);
    let Samples::U8(samples) = &bitmap.samples else {
        panic!("eight bits");
    };
    let place = |share: f64, side: u32| (share * f64::from(side)) as usize;
    let (x, y) = (
        place(across, bitmap.size.width),
        place(down, bitmap.size.height),
    );
    let at = (y * bitmap.size.width as usize + x) * 3;
    samples[at..at + 3].try_into().expect("a pixel")
}

/// Every lossy result of this source, by either profile, smaller and as large.
#[track_caller]
fn check(source: &[u8], places: [(f64, f64); 4], in_planes: bool) {
    // Two encodings and two matrices.
    const NEAR: u8 = 9;
    let formats = [OutputFormat::Jpeg, OutputFormat::WebP, OutputFormat::Avif];
    for format in formats.into_iter().filter(|format| format.is_built_in()) {
        for (profile, size) in [
            ("fast", "w=32"),
            ("fast", ""),
            ("fine", "w=32"),
            ("fine", ""),
        ] {
            let query = format!("{size}&fm={}&q=85&profile={profile}", format.name());
            let (bitmap, planar) = made(source, query.trim_start_matches('&'));
            assert_eq!(planar, in_planes, "{query}");
            for (place, expected) in places.into_iter().zip(COLOURS) {
                let found = pixel(&bitmap, place);
                let far = found
                    .iter()
                    .zip(expected)
                    .any(|(a, b)| a.abs_diff(b) > NEAR);
                assert!(!far, "{query}: {found:?} at {place:?}, not {expected:?}");
            }
        }
    }
}

#[test]
fn colours_at_half_across_are_right() {
    check(&bytes(QUARTERS), IN_QUARTERS, true);
    check(&bytes(BANDS), IN_BANDS, true);
}

#[test]
fn colours_at_half_down_are_right() {
    check(&upright(bytes(BANDS)), IN_BANDS, true);
}

#[test]
fn a_limited_range_is_widened() {
    check(&bytes(FULL), IN_QUARTERS, true);
    check(&bytes(LIMITED), IN_QUARTERS, true);
    check(&bytes(LIMITED_422), IN_QUARTERS, true);
}
