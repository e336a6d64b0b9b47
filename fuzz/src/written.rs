//! Pictures, written: any pixels, size and options through each encoder, and read again.

use std::time::Duration;

use aquatint::pixels::{
    bitmap::{self, Bitmap, Colour, Layout, Samples},
    codec::{self, Cancel, DecodeOptions, Effort, EncodeOptions, Error, Frame, Header, Limits},
    format::OutputFormat,
    geometry::Size,
    planes::{Plane, Planes},
};
use libfuzzer_sys::Corpus;

/// Bytes that say what to do; the rest are samples, over and over.
const SAID: usize = 10;
/// Pixels of a picture: encoders that search have to end well within a run's time.
const PIXELS: u32 = 1 << 12;
const FRAMES: u8 = 4;

/// What the first bytes ask for.
struct Order<'a> {
    size: Size,
    layout: Layout,
    deep: bool,
    way: Way,
    frames: u8,
    options: EncodeOptions<'a>,
    colour: Colour,
    samples: &'a [u8],
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Still,
    Planes,
    Moving,
}

/// Writes what the bytes say, and reads it.
///
/// # Panics
/// Where an answer does not keep its word: that is the finding.
#[must_use]
pub fn encode(bytes: &[u8]) -> Corpus {
    let Some(order) = order(bytes) else {
        return Corpus::Reject;
    };
    let alpha = order.layout.has_alpha();
    assert!(codec::encode_bytes(order.size, alpha, &order.options) > 0);
    match order.way {
        Way::Still => still(&order),
        Way::Planes => planes(&order),
        Way::Moving => moving(&order),
    }
    Corpus::Keep
}

fn order(bytes: &[u8]) -> Option<Order<'_>> {
    let (said, samples) = bytes.split_first_chunk::<SAID>()?;
    let [
        format,
        layout,
        flags,
        quality,
        width,
        height,
        way,
        frames,
        extra,
        _,
    ] = *said;
    let of = |choices: &[OutputFormat]| choices[usize::from(format) % choices.len()];
    let layouts = [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba];
    let format = of(&[
        OutputFormat::Jpeg,
        OutputFormat::Png,
        OutputFormat::WebP,
        OutputFormat::Avif,
        OutputFormat::Gif,
    ]);
    let set = |bit: u8| flags >> bit & 1 == 1;
    // Long and thin ones, too.
    let wide = if set(0) { 64 } else { 1 };
    let width = u32::from(width).max(1) * wide;
    let height = u32::from(height).clamp(1, 255).min((PIXELS / width).max(1));
    let size = if set(1) {
        Size::new(height, width)
    } else {
        Size::new(width, height)
    };
    let exif = samples.get(..usize::from(extra) % 40);
    Some(Order {
        size,
        layout: layouts[usize::from(layout) % layouts.len()],
        deep: set(2),
        way: [Way::Still, Way::Planes, Way::Moving][usize::from(way) % 3],
        frames: 1 + frames % FRAMES,
        options: EncodeOptions {
            format,
            quality: 1 + quality % 100,
            lossless: set(3),
            progressive: set(4),
            effort: if set(5) {
                Effort::Thorough
            } else {
                Effort::Quick
            },
            exif: exif.filter(|_| set(6)),
        },
        colour: exif
            .filter(|exif| set(7) && !exif.is_empty())
            .map_or(Colour::Srgb, |icc| Colour::Icc(icc.into())),
        samples,
    })
}

/// `count` samples, beginning at a place of its own for each `number`.
fn samples(order: &Order<'_>, count: usize, number: usize) -> Vec<u8> {
    let own = if order.samples.is_empty() {
        &[0x55]
    } else {
        order.samples
    };
    own.iter()
        .cycle()
        .skip(number * 7 % own.len())
        .take(count)
        .copied()
        .collect()
}

fn picture(order: &Order<'_>, number: usize) -> Bitmap {
    let pixels = usize::try_from(order.size.pixels()).expect("few");
    let samples = samples(order, pixels * order.layout.channels(), number);
    let layout = match (order.options.format, order.layout) {
        // What has alpha is flattened before.
        (OutputFormat::Jpeg, Layout::GrayAlpha) => Layout::Gray,
        (OutputFormat::Jpeg, Layout::Rgba) => Layout::Rgb,
        (_, layout) => layout,
    };
    let samples = &samples[..pixels * layout.channels()];
    Bitmap {
        size: order.size,
        layout,
        samples: if order.deep {
            Samples::U16(samples.iter().map(|byte| u16::from(*byte) * 251).collect())
        } else {
            Samples::U8(samples.to_vec())
        },
        colour: order.colour.clone(),
    }
}

fn still(order: &Order<'_>) {
    let before = picture(order, 0);
    let written = written(codec::encode(&before, &order.options, &Cancel::default()));
    let Some(written) = written else { return };
    let (_, after) = read(&written, order);
    let exact = match order.options.format {
        OutputFormat::Png => true,
        OutputFormat::WebP => order.options.lossless,
        _ => false,
    };
    if exact && !order.deep {
        // Some encoders change the colour of what nobody sees.
        assert!(
            visible(before) == visible(after),
            "without loss, and not the same"
        );
    }
}

/// RGBA, with nothing in the pixels that are clear.
fn visible(bitmap: Bitmap) -> Vec<[u8; 4]> {
    let samples = bitmap.samples.into_u8();
    let pixels = samples.chunks_exact(bitmap.layout.channels());
    let shown = |pixel: [u8; 4]| if pixel[3] == 0 { [0; 4] } else { pixel };
    pixels
        .map(|pixel| shown(bitmap::rgba(bitmap.layout, pixel)))
        .collect()
}

fn planes(order: &Order<'_>) {
    let Some(wanted) = codec::wanted(&order.options) else {
        return;
    };
    let plane = |size: Size, number| Plane {
        size,
        extent: (f64::from(size.width), f64::from(size.height)),
        samples: samples(order, usize::try_from(size.pixels()).expect("few"), number),
    };
    let chroma = wanted
        .sampling
        .chroma(order.size)
        .filter(|_| order.layout != Layout::Gray);
    let planes = Planes {
        luma: plane(order.size, 0),
        chroma: chroma.map(|size| [plane(size, 1), plane(size, 2)]),
        range: wanted.range,
        colour: order.colour.clone(),
    };
    let encoded = codec::encode_planes(&planes, &order.options, &Cancel::default());
    if let Some(written) = written(encoded) {
        read(&written, order);
    }
}

fn moving(order: &Order<'_>) {
    let Ok(mut animation) = codec::animation(order.size, None, &order.options) else {
        return;
    };
    for number in 0..order.frames {
        let frame = Frame {
            bitmap: picture(order, usize::from(number)),
            delay: Duration::from_millis(u64::from(number) * 40),
        };
        if written(animation.push(&frame, &Cancel::default())).is_none() {
            return;
        }
    }
    let Some(written) = written(animation.finish()) else {
        return;
    };
    let (header, _) = read(&written, order);
    assert!(header.frames <= u32::from(order.frames));
}

/// Reads what was written, which has the size and the format that were asked for.
fn read(written: &[u8], order: &Order<'_>) -> (Header, Bitmap) {
    let limits = Limits::default();
    let header = codec::probe(written, &limits).expect("what we write can be read");
    assert_eq!(header.size, order.size);
    assert_eq!(header.format.output(), Some(order.options.format));
    let options = DecodeOptions {
        page: 0,
        at_least: None,
    };
    let bitmap = codec::decode(written, &header, &options, &limits, &Cancel::default())
        .expect("what we write can be decoded");
    assert!(bitmap.is_complete());
    (header, bitmap)
}

/// The answer; `None` where the encoder says that it cannot hold the like. Any other failure is
/// a finding.
fn written<T>(answer: Result<T, Error>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(Error::Limit(_)) => None,
        Err(error) => panic!("{error:?}"),
    }
}
