use proptest::prelude::*;

use super::*;
use crate::pixels::{
    bitmap::{Colour, Layout, Samples},
    format::OutputFormat,
};

const WHOLE: DecodeOptions = DecodeOptions {
    page: 0,
    at_least: None,
};

const OPTIONS: EncodeOptions<'static> = EncodeOptions {
    format: OutputFormat::Avif,
    quality: 80,
    lossless: false,
    progressive: false,
    effort: crate::pixels::codec::Effort::Quick,
    exif: None,
};

fn bitmap(layout: Layout, width: u32, height: u32) -> Bitmap {
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for channel in 0..layout.channels() {
                let last = channel + 1 == layout.channels();
                let value = match channel {
                    _ if last && layout.has_alpha() => 255 - x * 255 / width,
                    0 => x * 255 / width,
                    1 => y * 255 / height,
                    _ => (x + y) * 255 / (width + height),
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

fn decoded(bytes: &[u8]) -> Result<Bitmap, Error> {
    let limits = Limits::default();
    let header = probe(bytes, &limits)?;
    decode(bytes, &header, &WHOLE, &limits, &Cancel::default())
}

#[cfg(not(feature = "avif-encode"))]
#[test]
fn without_the_encoder_the_error_says_so() {
    let error = encode(&bitmap(Layout::Rgb, 8, 8), &OPTIONS, &Cancel::default());
    let Err(Error::Encode { cause }) = error else {
        panic!("{error:?}");
    };
    assert!(cause.contains("not built in"));
    assert!(decoded(b"").is_err());
}

#[cfg(feature = "avif-encode")]
mod with_encoder {
    use super::*;

    fn encoded(bitmap: &Bitmap, options: &EncodeOptions<'_>) -> Vec<u8> {
        encode(bitmap, options, &Cancel::default()).expect("an encoding")
    }

    fn mean_distance(a: &Bitmap, b: &Bitmap) -> f64 {
        assert_eq!((a.size, a.layout), (b.size, b.layout));
        let [a, b] = [a, b].map(|bitmap| bitmap.samples.clone().into_u8());
        let sum: f64 = a
            .iter()
            .zip(&b)
            .map(|(a, b)| f64::from(a.abs_diff(*b)))
            .sum();
        sum / f64::from(u32::try_from(a.len()).expect("few samples"))
    }

    #[test]
    fn pixels_survive_within_a_tolerance() {
        let layouts = [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba];
        for layout in layouts {
            for quality in [69, 70, 89, 90, 100] {
                let bitmap = bitmap(layout, 37, 29);
                let options = EncodeOptions { quality, ..OPTIONS };
                let file = encoded(&bitmap, &options);
                let header = probe(&file, &Limits::default()).expect("a header");
                let deep = (70..90).contains(&quality) && !layout.has_alpha();
                let depth = if deep { 10 } else { 8 };
                assert_eq!((header.size, header.depth), (bitmap.size, depth));
                assert_eq!(header.alpha, layout.has_alpha());
                let distance = mean_distance(&bitmap, &decoded(&file).expect("a picture"));
                assert!(distance < 4.0, "{layout:?} at {quality}: {distance}");
            }
        }
    }

    #[test]
    fn alpha_that_hides_nothing_is_not_written() {
        let mut bitmap = bitmap(Layout::Rgba, 16, 16);
        if let Samples::U8(samples) = &mut bitmap.samples {
            samples
                .iter_mut()
                .skip(3)
                .step_by(4)
                .for_each(|alpha| *alpha = 255);
        }
        let again = decoded(&encoded(&bitmap, &OPTIONS)).expect("a picture");
        assert_eq!(again.layout, Layout::Rgb);
    }

    #[test]
    fn colours_and_exif_survive() {
        let limits = Limits::default();
        let colours = [
            Colour::Srgb,
            Colour::Icc((*b"a profile").into()),
            Colour::Cicp {
                primaries: 12,
                transfer: 13,
            },
        ];
        for colour in colours {
            let bitmap = Bitmap {
                colour: colour.clone(),
                ..bitmap(Layout::Rgba, 16, 16)
            };
            let options = EncodeOptions {
                exif: Some(b"MM\0\x2A and so on"),
                ..OPTIONS
            };
            let file = encoded(&bitmap, &options);
            assert_eq!(decoded(&file).expect("a picture").colour, colour);
            assert_eq!(exif(&file, &limits).as_deref(), options.exif);
        }
    }

    /// The file, with a property put first in its list that only the picture has.
    fn with_property(file: &[u8], kind: [u8; 4], contents: &[u8]) -> Vec<u8> {
        let place = |name: &[u8; 4]| {
            let found = file.windows(4).position(|window| window == name);
            found.expect("a box") - 4
        };
        let mut file = file.to_vec();
        let (ipco, ipma) = (place(b"ipco"), place(b"ipma"));
        let mut property = Vec::new();
        let length = u32::try_from(contents.len() + 8).expect("short");
        property.extend(length.to_be_bytes());
        property.extend(kind);
        property.extend(contents);
        // Behind the others, so that theirs keep their numbers: ispe, av1C, pixi, colr come first.
        let added = length + 1;
        let count = ipma + 8 + 4 + 4 + 2;
        file[count] += 1;
        let end = count + 1 + usize::from(file[count] - 1);
        file.insert(end, 0x80 | 5);
        file.splice(ipma..ipma, property);
        let mut lengthen = |at: usize, by: u32| {
            let old = file[at..at + 4].first_chunk().copied().expect("a length");
            let new = u32::from_be_bytes(old) + by;
            file[at..at + 4].copy_from_slice(&new.to_be_bytes());
        };
        lengthen(ipco, length);
        lengthen(ipma + usize::try_from(length).expect("short"), 1);
        lengthen(place(b"iprp"), added);
        lengthen(place(b"meta"), added);
        // The one item's offset.
        lengthen(place(b"iloc") + 8 + 4 + 2 + 2 + 6, added);
        file
    }

    #[test]
    fn turned_and_cropped_pictures_say_so() {
        let bitmap = bitmap(Layout::Gray, 32, 16);
        let file = encoded(&bitmap, &OPTIONS);
        let limits = Limits::default();
        let probed = |kind, contents: &[u8]| probe(&with_property(&file, kind, contents), &limits);
        assert_eq!(probed(*b"irot", &[1]).expect("a header").orientation, 8);
        assert_eq!(probed(*b"irot", &[3]).expect("a header").orientation, 6);
        assert_eq!(probed(*b"imir", &[0]).expect("a header").orientation, 4);
        assert_eq!(probed(*b"imir", &[1]).expect("a header").orientation, 2);
        let unknown = probed(*b"what", &[1]);
        assert!(matches!(unknown, Err(Error::UnsupportedFeature { .. })));

        let fraction = |value: u32| [value.to_be_bytes(), 1u32.to_be_bytes()].concat();
        let aperture: Vec<u8> = [8, 4, 4, 0].into_iter().flat_map(fraction).collect();
        let cropped = with_property(&file, *b"clap", &aperture);
        let size = probe(&cropped, &limits).expect("a header").size;
        assert_eq!((size.width, size.height), (8, 4));
        let part = decoded(&cropped).expect("a picture");
        let whole = decoded(&file).expect("a picture");
        let [part, whole] = [part, whole].map(|bitmap| bitmap.samples.into_u8());
        // Four to the right of the middle: from 16 to 24 across, from 6 to 10 down.
        assert_eq!(part[..8], whole[6 * 32 + 16..6 * 32 + 24]);
        assert_eq!(part[24..], whole[9 * 32 + 16..9 * 32 + 24]);
    }

    #[test]
    fn a_size_that_is_not_the_stream_s_is_broken() {
        let file = encoded(&bitmap(Layout::Rgb, 32, 16), &OPTIONS);
        let extent = file
            .windows(4)
            .position(|window| window == b"ispe")
            .expect("an extent");
        for (width, height) in [(32u32, 17u32), (31, 16), (64, 64)] {
            let mut lie = file.clone();
            lie[extent + 8..extent + 12].copy_from_slice(&width.to_be_bytes());
            lie[extent + 12..extent + 16].copy_from_slice(&height.to_be_bytes());
            assert!(matches!(decoded(&lie), Err(Error::Broken { .. })));
        }
        let mut huge = file;
        huge[extent + 8..extent + 16].fill(0x7F);
        assert!(matches!(decoded(&huge), Err(Error::Limit(_))));
    }

    #[test]
    fn what_ends_early_is_broken() {
        let file = encoded(&bitmap(Layout::Rgba, 32, 16), &OPTIONS);
        for length in 0..file.len() - 1 {
            let error = decoded(&file[..length]);
            assert!(matches!(error, Err(Error::Broken { .. })), "at {length}");
        }
    }

    #[test]
    fn a_cancelled_job_ends() {
        let bitmap = bitmap(Layout::Rgb, 16, 16);
        let file = encoded(&bitmap, &OPTIONS);
        let cancel = Cancel::default();
        cancel.cancel();
        let header = probe(&file, &Limits::default()).expect("a header");
        let decoding = decode(&file, &header, &WHOLE, &Limits::default(), &cancel);
        assert!(matches!(decoding, Err(Error::Cancelled)));
        let encoding = encode(&bitmap, &OPTIONS, &cancel);
        assert!(matches!(encoding, Err(Error::Cancelled)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn no_change_of_the_container_makes_it_panic(
            changes in proptest::collection::vec((0usize..600, any::<u8>()), 1..6),
            length in 0usize..2000,
        ) {
            use std::sync::OnceLock;
            static FILE: OnceLock<Vec<u8>> = OnceLock::new();
            let file = FILE.get_or_init(|| encoded(&bitmap(Layout::Rgba, 16, 16), &OPTIONS));
            let mut file = file.clone();
            for (at, value) in changes {
                if let Some(byte) = file.get_mut(at) {
                    *byte = value;
                }
            }
            file.truncate(length.max(64));
            let limits = Limits::default();
            let _ = probe(&file, &limits);
            let _ = exif(&file, &limits);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let meta = u32::try_from(bytes.len() + 8).expect("short");
        let mut file = b"\0\0\0\x10ftypavif\0\0\0\0".to_vec();
        file.extend(meta.to_be_bytes());
        file.extend(b"meta");
        file.extend(bytes);
        let _ = probe(&file, &Limits::default());
    }
}
