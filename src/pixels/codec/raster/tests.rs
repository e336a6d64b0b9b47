use std::io::Cursor;

use ::tiff::encoder::{TiffEncoder, colortype};
use image::{ExtendedColorType, ImageEncoder, codecs};
use proptest::prelude::*;

use super::*;
use crate::pixels::{
    bitmap::{Bitmap, Layout, Samples},
    codec::{self, Cancel, DecodeOptions, Header, Limits},
    format::InputFormat,
};

fn read(bytes: &[u8], page: u32, limits: &Limits) -> Result<(Header, Bitmap), Error> {
    let header = codec::probe(bytes, limits)?;
    let options = DecodeOptions {
        page,
        at_least: None,
    };
    let bitmap = codec::decode(bytes, &header, &options, limits, &Cancel::default())?;
    Ok((header, bitmap))
}

#[track_caller]
fn decodes(bytes: &[u8], format: InputFormat, layout: Layout, samples: Samples) {
    let (header, bitmap) = read(bytes, 0, &Limits::default()).unwrap();
    assert_eq!(header.format, format);
    assert_eq!(header.size, bitmap.size);
    assert_eq!((bitmap.layout, bitmap.samples), (layout, samples));
}

fn bmp(width: u32, height: u32, data: &[u8], kind: ExtendedColorType) -> Vec<u8> {
    let mut out = Vec::new();
    let encoder = codecs::bmp::BmpEncoder::new(&mut out);
    encoder.write_image(data, width, height, kind).unwrap();
    out
}

/// An icon of these pictures.
fn icon(pictures: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0, 0, 1, 0, u8::try_from(pictures.len()).unwrap(), 0];
    let mut at = 6 + 16 * pictures.len();
    for picture in pictures {
        // Sizes and depths that are wrong, as they often are.
        out.extend([16, 16, 0, 0, 1, 0, 32, 0]);
        out.extend(u32::try_from(picture.len()).unwrap().to_le_bytes());
        out.extend(u32::try_from(at).unwrap().to_le_bytes());
        at += picture.len();
    }
    out.extend(pictures.concat());
    out
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut out, width, height);
    encoder.set_color(::png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer
        .write_image_data(&vec![9; (width * height) as usize])
        .unwrap();
    writer.finish().unwrap();
    out
}

/// A bitmap as icons have it, of 32 bits: blue, green, red, alpha, and an empty mask.
fn icon_bitmap(width: u32, height: u32) -> Vec<u8> {
    let mut out = 40u32.to_le_bytes().to_vec();
    out.extend(width.to_le_bytes());
    out.extend((height * 2).to_le_bytes());
    out.extend([1, 0, 32, 0]);
    out.extend([0; 24]);
    out.extend([3, 2, 1, 200].repeat((width * height) as usize));
    out.extend(vec![0; (width.div_ceil(32) * 4 * height) as usize]);
    out
}

fn tiff<C: colortype::ColorType>(pages: &[(u32, u32, &[C::Inner])]) -> Vec<u8>
where
    [C::Inner]: ::tiff::encoder::TiffValue,
{
    let mut out = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut out).unwrap();
    for (width, height, data) in pages {
        encoder.write_image::<C>(*width, *height, data).unwrap();
    }
    out.into_inner()
}

#[test]
fn bitmaps_are_read_exactly() {
    let rgb = bmp(
        2,
        2,
        &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        ExtendedColorType::Rgb8,
    );
    let expected = Samples::U8((1..=12).collect());
    decodes(&rgb, InputFormat::Bmp, Layout::Rgb, expected);
    let rgba = bmp(1, 2, &[1, 2, 3, 4, 5, 6, 7, 8], ExtendedColorType::Rgba8);
    decodes(
        &rgba,
        InputFormat::Bmp,
        Layout::Rgba,
        Samples::U8((1..=8).collect()),
    );
    let hidden = bmp(1, 2, &[1, 2, 3, 0, 5, 6, 7, 0], ExtendedColorType::Rgba8);
    let expected = Samples::U8(vec![1, 2, 3, 255, 5, 6, 7, 255]);
    decodes(&hidden, InputFormat::Bmp, Layout::Rgba, expected);
}

#[test]
fn a_bitmap_past_the_limits_is_refused_by_its_header() {
    let mut bytes = bmp(2, 2, &[0; 12], ExtendedColorType::Rgb8);
    let limits = Limits {
        pixels: 4,
        ..Limits::default()
    };
    assert!(read(&bytes, 0, &limits).is_ok());
    let tight = Limits {
        pixels: 3,
        ..Limits::default()
    };
    assert!(matches!(read(&bytes, 0, &tight), Err(Error::Limit(_))));
    bytes[18..22].copy_from_slice(&i32::MIN.to_le_bytes());
    assert!(matches!(read(&bytes, 0, &limits), Err(Error::Limit(_))));
}

#[test]
fn the_largest_picture_of_an_icon_is_read() {
    let gray = |pixels: usize| Samples::U8(vec![9; pixels]);
    let small = icon(&[png(3, 3), png(5, 4), png(4, 4)]);
    decodes(&small, InputFormat::Ico, Layout::Gray, gray(20));
    let mixed = icon(&[png(3, 3), icon_bitmap(7, 2)]);
    let expected = Samples::U8([1, 2, 3, 200].repeat(14));
    decodes(&mixed, InputFormat::Ico, Layout::Rgba, expected);
    // A picture that is not there is not chosen.
    let mut cut = icon(&[png(2, 2), png(9, 9)]);
    cut.truncate(6 + 32 + png(2, 2).len());
    decodes(&cut, InputFormat::Ico, Layout::Gray, gray(4));
}

#[test]
fn an_icon_past_the_limits_is_refused() {
    let limits = Limits {
        pixels: 20,
        ..Limits::default()
    };
    assert!(read(&icon(&[png(5, 4)]), 0, &limits).is_ok());
    assert!(matches!(
        read(&icon(&[png(7, 3)]), 0, &limits),
        Err(Error::Limit(_))
    ));
    assert!(matches!(
        read(&icon(&[icon_bitmap(7, 3)]), 0, &limits),
        Err(Error::Limit(_))
    ));
}

#[test]
fn tiffs_are_read_exactly() {
    let check = |bytes: &[u8], layout, samples| decodes(bytes, InputFormat::Tiff, layout, samples);
    let data: Vec<u8> = (0..24).collect();
    check(
        &tiff::<colortype::Gray8>(&[(6, 4, &data)]),
        Layout::Gray,
        Samples::U8(data.clone()),
    );
    check(
        &tiff::<colortype::RGB8>(&[(2, 4, &data)]),
        Layout::Rgb,
        Samples::U8(data.clone()),
    );
    check(
        &tiff::<colortype::RGBA8>(&[(3, 2, &data)]),
        Layout::Rgba,
        Samples::U8(data.clone()),
    );
    check(
        &tiff::<colortype::CMYK8>(&[(3, 2, &data)]),
        Layout::Cmyk,
        Samples::U8(data.clone()),
    );
    let wide: Vec<u16> = (0..24).map(|v| v * 2000).collect();
    check(
        &tiff::<colortype::RGB16>(&[(2, 4, &wide)]),
        Layout::Rgb,
        Samples::U16(wide),
    );
    let real = [0.0, 0.5, 2.0];
    let expected = Samples::U16(vec![0, 32_768, 65_535]);
    check(
        &tiff::<colortype::RGB32Float>(&[(1, 1, &real)]),
        Layout::Rgb,
        expected,
    );
}

#[test]
fn pages_of_a_tiff_are_counted_and_read() {
    let bytes = tiff::<colortype::Gray8>(&[(2, 1, &[1, 2]), (1, 2, &[3, 4]), (1, 1, &[5])]);
    let limits = Limits::default();
    let (header, _) = read(&bytes, 0, &limits).unwrap();
    assert_eq!((header.frames, header.animated), (3, false));
    let (_, bitmap) = read(&bytes, 1, &limits).unwrap();
    assert_eq!(bitmap.samples, Samples::U8(vec![3, 4]));
    assert_eq!((bitmap.size.width, bitmap.size.height), (1, 2));
    assert!(matches!(read(&bytes, 3, &limits), Err(Error::Limit(_))));
}

#[test]
fn a_tiff_past_the_limits_is_refused() {
    let bytes = tiff::<colortype::Gray8>(&[(6, 4, &[0; 24]), (6, 5, &[0; 30])]);
    let limits = Limits {
        pixels: 24,
        ..Limits::default()
    };
    assert!(read(&bytes, 0, &limits).is_ok());
    assert!(matches!(read(&bytes, 1, &limits), Err(Error::Limit(_))));
    let tight = Limits {
        pixels: 23,
        ..Limits::default()
    };
    assert!(matches!(read(&bytes, 0, &tight), Err(Error::Limit(_))));
}

#[test]
fn a_panic_is_taken_for_damage() {
    let result = guarded(|| -> Result<(), Error> { panic!("as some decoders do") });
    assert!(matches!(result, Err(Error::Broken { .. })));
    assert!(guarded(|| Ok(1)).is_ok());
}

proptest! {
    #[test]
    fn damaged_files_never_panic(
        which in 0usize..4,
        changes in proptest::collection::vec((0usize..600, any::<u8>()), 1..6),
        length in 10usize..600,
    ) {
        let mut bytes = match which {
            0 => tiff::<colortype::RGB8>(&[(5, 4, &[7; 60]), (2, 2, &[7; 12])]),
            1 => bmp(5, 4, &[7; 60], ExtendedColorType::Rgb8),
            2 => icon(&[icon_bitmap(5, 4)]),
            _ => icon(&[png(5, 4), icon_bitmap(3, 3)]),
        };
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(length);
        let limits = Limits { pixels: 1 << 20, ..Limits::default() };
        let _ = read(&bytes, 0, &limits);
        let _ = read(&bytes, 1, &limits);
    }
}
