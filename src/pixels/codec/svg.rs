//! SVG: a drawing, rasterised at whatever size its header is given. Nothing is fetched: of images
//! only those inside of the file (`data:`) are drawn, and text is not, for want of fonts.
//!
//! A drawing of 300 bytes can ask for a year of work, and the rasteriser cannot be stopped. So what
//! it will do is counted first: of the text by [`census`], of the picture by [`work`].

mod census;
mod images;
mod sheet;
mod size;
mod text;
mod work;

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{
        self, ImageHrefResolver, Options, Tree,
        roxmltree::{self, Document, ParsingOptions},
    },
};

use super::{Cancel, DecodeOptions, Error, Header, Limits, raster::guarded};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    format::InputFormat,
    geometry::Size,
};
use images::Images;

/// Nodes of the text, with comments and spaces between elements: detailed maps have 40,000.
const NODES: u32 = 100_000;

/// The XML of a drawing, for each tag and each attribute, at the worst moment.
const TAG: u64 = 110;
const ATTRIBUTE: u64 = 200;

/// What may be made of it: so much for each tag, for each byte, for each byte of the longest outline
/// (the parser strokes one at a time to know its box), and for what is repeated.
const DRAWN_TAG: u64 = 1000;
const DRAWN_BYTE: u64 = 8;
const OUTLINE_BYTE: u64 = 64;
const REPEATED: u64 = 24 << 20;

/// Style sheets, as large as they may be.
const SHEETS: u64 = 10 << 20;

/// The rasteriser's edges and spans.
const OVERHEAD: u64 = 4 << 20;

/// Reads the drawing, but not its images' pixels.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    if !limits.svg {
        return Err(Error::Unsupported("an SVG drawing"));
    }
    let text = text::read(bytes, limits)?;
    let images = Images::counting(limits);
    let (tree, tree_bytes) = parse(text, &images)?;
    let size = limits.admit(side(tree.size().width()), side(tree.size().height()))?;
    let layers = work::count(&tree, scale(&tree, size), size)?.layer_bytes;
    Ok(Header {
        format: InputFormat::Svg,
        size,
        orientation: 1,
        frames: 1,
        animated: false,
        alpha: true,
        depth: 8,
        lossless: true,
        held_bytes: layers
            .saturating_add(images.bytes())
            .saturating_add(tree_bytes),
        planes: None,
    })
}

/// Bytes that [`probe`] holds: the whole drawing is read there, for its size and its layers are
/// known only then.
pub(super) fn probe_bytes(bytes: &[u8]) -> u64 {
    let attributes = memchr::memchr_iter(b'=', bytes).count() as u64;
    (tags(bytes) * TAG)
        .saturating_add(attributes * ATTRIBUTE)
        .saturating_add(SHEETS)
        .saturating_add(drawn_bytes(bytes))
}

/// Of these, what is to be drawn.
fn drawn_bytes(bytes: &[u8]) -> u64 {
    (tags(bytes) * DRAWN_TAG)
        .saturating_add(bytes.len() as u64 * DRAWN_BYTE)
        .saturating_add(longest_tag(bytes) as u64 * OUTLINE_BYTE)
        .saturating_add(REPEATED)
}

fn longest_tag(bytes: &[u8]) -> usize {
    let mut start = 0;
    let ends = memchr::memchr_iter(b'<', bytes).chain([bytes.len()]);
    let lengths = ends.map(|end| end - std::mem::replace(&mut start, end));
    lengths.max().unwrap_or(0)
}

fn tags(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'<', bytes).count() as u64
}

pub(super) fn decode_bytes(header: &Header, _options: &DecodeOptions) -> u64 {
    const PIXEL: u64 = 4;
    let canvas = header.size.pixels().saturating_mul(PIXEL);
    canvas
        .saturating_add(header.held_bytes)
        .saturating_add(OVERHEAD)
}

/// Draws at `header.size`, whatever the size that the file says: a drawing is sharp at any.
pub(super) fn decode(
    bytes: &[u8],
    header: &Header,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    let text = text::read(bytes, limits)?;
    let size = limits.admit(header.size.width, header.size.height)?;
    let images = Images::reading(limits, cancel);
    let (tree, _) = parse(text, &images)?;
    let scale = scale(&tree, size);
    work::count(&tree, scale, size)?;
    cancel.check()?;
    let mut canvas =
        Pixmap::new(size.width, size.height).ok_or_else(|| Error::broken("no canvas"))?;
    guarded(|| {
        resvg::render(&tree, scale, &mut canvas.as_mut());
        Ok(())
    })?;
    cancel.check()?;
    Ok(Bitmap {
        size,
        layout: Layout::Rgba,
        samples: Samples::U8(canvas.take_demultiplied()),
        colour: Colour::Srgb,
    })
}

/// The tree, and the bytes that it takes at most.
fn parse(text: &str, images: &Images<'_>) -> Result<(Tree, u64), Error> {
    guarded(|| {
        let document = document(text)?;
        let bytes = census::admit(&document, drawn_bytes(text.as_bytes()))?;
        let tree = match size::spelled_out(text, document.root_element()) {
            None => tree(&document, images),
            Some(text) => {
                drop(document);
                tree(&self::document(&text)?, images)
            }
        }?;
        images.verdict()?;
        Ok((tree, bytes))
    })
}

fn document(text: &str) -> Result<Document<'_>, Error> {
    let options = ParsingOptions {
        allow_dtd: true,
        nodes_limit: NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(malformed)
}

fn tree(document: &Document<'_>, images: &Images<'_>) -> Result<Tree, Error> {
    let options = Options {
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(|_, data, _| images.admit(&data)),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    };
    Tree::from_xmltree(document, &options).map_err(|error| match error {
        usvg::Error::ParsingFailed(error) => malformed(error),
        other => Error::broken(other),
    })
}

fn malformed(error: roxmltree::Error) -> Error {
    match error {
        roxmltree::Error::NodesLimitReached => {
            Error::Limit(format!("has more than {NODES} elements"))
        }
        other => Error::broken(other),
    }
}

/// From the drawing's units to pixels.
fn scale(tree: &Tree, size: Size) -> Transform {
    #[expect(clippy::cast_precision_loss, reason = "sides are far below 2²⁴")]
    let factor = |pixels: u32, units: f32| pixels as f32 / units;
    Transform::from_scale(
        factor(size.width, tree.size().width()),
        factor(size.height, tree.size().height()),
    )
}

/// Whole pixels of a length; `as` saturates, and the limits are far below.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and the result is held against the limits"
)]
fn side(units: f32) -> u32 {
    (units.round() as u32).max(1)
}

#[cfg(test)]
mod tests;
