//! Pictures to measure with: a scene with soft and busy parts, in every format that is read.

use std::{io::Cursor, time::Duration};

use aquatint::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    codec::{self, Cancel, EncodeOptions, Frame},
    format::OutputFormat,
    geometry::Size,
};
use image::{
    ExtendedColorType, ImageEncoder as _,
    codecs::{bmp::BmpEncoder, ico::IcoEncoder, tiff::TiffEncoder},
};
use moxcms::ColorProfile;

/// Frames of the animations here.
const FRAMES: u32 = 6;

/// What is on a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// As a photograph: soft parts and busy ones.
    Scene,
    /// What no encoder can make small.
    Noise,
}

/// A name for the table, and the file.
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// A scene in every format that is read, and of the formats every kind that costs another amount.
pub(crate) fn all(size: Size, content: Content) -> Vec<Source> {
    let scene = |size, layout| drawn(size, layout, content, 0);
    let (rgb, rgba) = (scene(size, Layout::Rgb), scene(size, Layout::Rgba));
    let gray = scene(size, Layout::Gray);
    let profile = ColorProfile::new_display_p3().encode().expect("a profile");
    let wide = Bitmap {
        colour: Colour::Icc(profile.into()),
        ..rgb.clone()
    };
    let plain = EncodeOptions {
        format: OutputFormat::Jpeg,
        quality: 85,
        lossless: false,
        progressive: false,
        effort: aquatint::pixels::codec::Effort::Quick,
        exif: None,
    };
    let of = |format| EncodeOptions { format, ..plain };
    let lossless = EncodeOptions {
        lossless: true,
        ..of(OutputFormat::WebP)
    };
    let progressive = EncodeOptions {
        progressive: true,
        ..plain
    };
    let full_colour = EncodeOptions {
        quality: 95,
        ..plain
    };
    let source = |name, bytes| Source { name, bytes };
    let mut sources = vec![
        source("jpeg", still(&rgb, plain)),
        source("jpeg gray", still(&gray, plain)),
        source("jpeg 4:4:4", still(&rgb, full_colour)),
        source("jpeg progressive", still(&rgb, progressive)),
        source("png", still(&rgb, of(OutputFormat::Png))),
        source("png alpha", still(&rgba, of(OutputFormat::Png))),
        source("png 16 bits", png_16(&rgb)),
        source("webp", still(&rgb, of(OutputFormat::WebP))),
        source("webp alpha", still(&rgba, of(OutputFormat::WebP))),
        source("webp lossless", still(&rgb, lossless)),
        source("gif", still(&rgb, of(OutputFormat::Gif))),
        source("tiff", tiff(&rgb)),
        source("tiff inks", inks(&rgba)),
        source("jpeg profile", still(&wide, plain)),
        source("bmp", bmp(&rgb)),
        source("ico", ico(&scene(Size::new(256, 256), Layout::Rgba))),
    ];
    if OutputFormat::Avif.is_built_in() {
        sources.push(source("avif", still(&rgb, of(OutputFormat::Avif))));
        sources.push(source("avif alpha", still(&rgba, of(OutputFormat::Avif))));
    }
    sources
}

/// The formats that move; smaller, for there are several frames.
pub(crate) fn moving(size: Size, content: Content) -> Vec<Source> {
    [
        ("gif moving", OutputFormat::Gif, Layout::Rgb),
        ("webp moving", OutputFormat::WebP, Layout::Rgb),
        ("webp moving alpha", OutputFormat::WebP, Layout::Rgba),
        ("png moving", OutputFormat::Png, Layout::Rgb),
    ]
    .map(|(name, format, layout)| Source {
        name,
        bytes: animation(size, format, layout, content),
    })
    .into()
}

/// Soft on the left and busy on the right, or all noise; another `moment`, another picture.
fn drawn(size: Size, layout: Layout, content: Content, moment: u32) -> Bitmap {
    let channels = layout.channels();
    let mut samples = Vec::with_capacity(size.width as usize * size.height as usize * channels);
    let mut dice = moment;
    let mut roll = || {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        dice >> 24
    };
    for y in 0..size.height {
        for x in 0..size.width {
            let grain = if x > size.width / 2 {
                roll() % 40
            } else {
                roll() >> 6
            };
            let spot = u32::from(x / 64 == moment) * 60;
            let slope = |share: u32| (x * share + y * 120) / size.width.max(size.height);
            let shade = |share: u32| (slope(share) + grain + spot).min(255);
            let fade = 255 - (y * 200 / size.height);
            let pixel = match content {
                Content::Scene => [shade(90), shade(30), shade(60), fade],
                Content::Noise => [roll(), roll(), roll(), roll()],
            };
            let pixel = pixel.map(|sample| sample.to_le_bytes()[0]);
            samples.extend_from_slice(&pixel[..channels]);
        }
    }
    Bitmap {
        size,
        layout,
        samples: Samples::U8(samples),
        colour: Colour::Srgb,
    }
}

fn still(bitmap: &Bitmap, options: EncodeOptions<'_>) -> Vec<u8> {
    codec::encode(bitmap, &options, &Cancel::default()).expect("an encoding")
}

fn animation(size: Size, format: OutputFormat, layout: Layout, content: Content) -> Vec<u8> {
    let options = EncodeOptions {
        format,
        quality: 80,
        lossless: false,
        progressive: false,
        effort: aquatint::pixels::codec::Effort::Quick,
        exif: None,
    };
    let mut writer = codec::animation(size, None, &options).expect("a writer");
    for moment in 0..FRAMES {
        let frame = Frame {
            bitmap: drawn(size, layout, content, moment),
            delay: Duration::from_millis(50),
        };
        writer.push(&frame, &Cancel::default()).expect("a frame");
    }
    writer.finish().expect("an animation")
}

fn bytes_of(bitmap: &Bitmap) -> &[u8] {
    let Samples::U8(samples) = &bitmap.samples else {
        panic!("eight bits are asked for");
    };
    samples
}

fn png_16(bitmap: &Bitmap) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, bitmap.size.width, bitmap.size.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Sixteen);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().expect("a header");
    let wide: Vec<u8> = bytes_of(bitmap)
        .iter()
        .flat_map(|byte| [*byte, *byte])
        .collect();
    writer.write_image_data(&wide).expect("pixels");
    writer.finish().expect("an end");
    bytes
}

fn tiff(bitmap: &Bitmap) -> Vec<u8> {
    let (mut bytes, size) = (Cursor::new(Vec::new()), bitmap.size);
    let encoder = TiffEncoder::new(&mut bytes);
    let colour = ExtendedColorType::Rgb8;
    encoder
        .write_image(bytes_of(bitmap), size.width, size.height, colour)
        .expect("a TIFF");
    bytes.into_inner()
}

fn inks(bitmap: &Bitmap) -> Vec<u8> {
    let (mut bytes, size) = (Cursor::new(Vec::new()), bitmap.size);
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).expect("a TIFF");
    encoder
        .write_image::<tiff::encoder::colortype::CMYK8>(size.width, size.height, bytes_of(bitmap))
        .expect("a TIFF");
    bytes.into_inner()
}

fn bmp(bitmap: &Bitmap) -> Vec<u8> {
    let (mut bytes, size) = (Vec::new(), bitmap.size);
    let encoder = BmpEncoder::new(&mut bytes);
    let colour = ExtendedColorType::Rgb8;
    encoder
        .write_image(bytes_of(bitmap), size.width, size.height, colour)
        .expect("a BMP");
    bytes
}

fn ico(bitmap: &Bitmap) -> Vec<u8> {
    let (mut bytes, size) = (Vec::new(), bitmap.size);
    let encoder = IcoEncoder::new(&mut bytes);
    let colour = ExtendedColorType::Rgba8;
    encoder
        .write_image(bytes_of(bitmap), size.width, size.height, colour)
        .expect("an ICO");
    bytes
}
