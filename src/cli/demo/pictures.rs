//! The demo's pictures, made up at run time: the same on every machine. Each shows something that
//! resizing gets wrong easily.

mod animation;
mod canvas;
mod chart;
mod landscape;
mod noise;
mod portrait;
mod sticker;

use self::canvas::Canvas;
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    codec::{self, Cancel, EncodeOptions, Error, Frame},
    format::OutputFormat,
    geometry::Size,
};

/// A picture, and how it is made.
pub(super) struct Picture {
    /// Its key in the bucket.
    pub(super) name: &'static str,
    /// Its bytes.
    pub(super) make: fn() -> Result<Vec<u8>, Error>,
}

/// All of them.
pub(super) const PICTURES: &[Picture] = &[
    // Smooth gradients, haze, fine grain: what lossy formats are judged by.
    Picture {
        name: "landscape.jpg",
        make: || jpeg(&landscape::paint(3000, 2000), None),
    },
    // Stored lying on its side, as phones do; its EXIF says so.
    Picture {
        name: "portrait.jpg",
        make: || jpeg(&portrait::paint(1600, 2400).turned_left(), Some(&exif(6))),
    },
    // Lines finer than the result has pixels, and hard edges.
    Picture {
        name: "chart.png",
        make: || png(&chart::paint(1600, 1200)),
    },
    // Half transparent edges, and a shadow.
    Picture {
        name: "sticker.png",
        make: || png(&sticker::paint(1200, 1200)),
    },
    // Frames.
    Picture {
        name: "orbit.gif",
        make: || gif(animation::FRAMES, |index| animation::paint(480, 320, index)),
    },
];

/// As a good camera has it: what is lost is lost in our own encoding.
const SOURCE_QUALITY: u8 = 92;

fn options(format: OutputFormat) -> EncodeOptions<'static> {
    EncodeOptions {
        format,
        quality: SOURCE_QUALITY,
        lossless: false,
        progressive: false,
        effort: crate::pixels::codec::Effort::Quick,
        exif: None,
    }
}

fn jpeg(canvas: &Canvas<3>, exif: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    let options = EncodeOptions {
        exif,
        ..options(OutputFormat::Jpeg)
    };
    codec::encode(&bitmap(canvas, Layout::Rgb), &options, &Cancel::default())
}

fn png<const N: usize>(canvas: &Canvas<N>) -> Result<Vec<u8>, Error> {
    let layout = if N == 4 { Layout::Rgba } else { Layout::Rgb };
    let options = options(OutputFormat::Png);
    codec::encode(&bitmap(canvas, layout), &options, &Cancel::default())
}

fn gif(frames: u32, paint: impl Fn(u32) -> Canvas<3>) -> Result<Vec<u8>, Error> {
    let first = paint(0);
    let options = options(OutputFormat::Gif);
    let cancel = Cancel::default();
    let mut writer = codec::animation(size(&first), None, &options)?;
    for index in 0..frames {
        let frame = Frame {
            bitmap: bitmap(&paint(index), Layout::Rgb),
            delay: animation::DELAY,
        };
        writer.push(&frame, &cancel)?;
    }
    writer.finish()
}

fn size<const N: usize>(canvas: &Canvas<N>) -> Size {
    Size {
        width: canvas.width,
        height: canvas.height,
    }
}

fn bitmap<const N: usize>(canvas: &Canvas<N>, layout: Layout) -> Bitmap {
    Bitmap {
        size: size(canvas),
        layout,
        samples: Samples::U8(canvas.samples.clone()),
        colour: Colour::Srgb,
    }
}

/// An EXIF block that holds an orientation and nothing else.
fn exif(orientation: u8) -> [u8; 26] {
    let mut block = *b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0\0\0\0";
    block[18] = orientation;
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<const N: usize>(paint: fn(u32, u32) -> Canvas<N>) {
        let canvas = paint(90, 60);
        assert_eq!(canvas.samples.len(), 90 * 60 * N);
        assert_eq!(canvas.samples, paint(90, 60).samples, "the same every time");
        let (mut low, mut high) = (u8::MAX, u8::MIN);
        for sample in &canvas.samples {
            low = low.min(*sample);
            high = high.max(*sample);
        }
        assert!(high - low > 100, "a picture of something: {low} to {high}");
    }

    #[test]
    fn pictures_are_of_something_and_always_the_same() {
        check(landscape::paint);
        check(portrait::paint);
        check(chart::paint);
        check(sticker::paint);
        check(|width, height| animation::paint(width, height, 3));
    }

    #[test]
    fn frames_differ() {
        let frame = |index| animation::paint(90, 60, index).samples;
        assert_ne!(frame(0), frame(1));
    }

    #[test]
    fn the_sticker_has_clear_half_clear_and_solid_pixels() {
        let canvas = sticker::paint(120, 120);
        let alphas: Vec<u8> = canvas.samples.iter().skip(3).step_by(4).copied().collect();
        assert!(alphas.contains(&0));
        assert!(alphas.contains(&255));
        assert!(alphas.iter().any(|alpha| (1..255).contains(alpha)));
    }

    #[test]
    fn the_orientation_is_where_exif_has_it() {
        let block = exif(6);
        let fields = ::exif::Reader::new().read_raw(block.to_vec()).unwrap();
        let field = fields
            .get_field(::exif::Tag::Orientation, ::exif::In::PRIMARY)
            .unwrap();
        assert_eq!(field.value.get_uint(0), Some(6));
    }
}
