//! SVG: a drawing, rasterised at whatever size its header is given. Nothing is fetched: of images
//! only those inside of the file (`data:`) are drawn, and text is not, for want of fonts.
//!
//! A drawing of 300 bytes can ask for a year of work, and the rasteriser cannot be stopped. So what
//! it will do is counted first: of the text by [`census`], of the picture by [`work`].

mod census;
mod images;
mod text;
mod work;

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{self, ImageHrefResolver, Options, Tree, roxmltree},
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

/// Bytes of the tree for each byte of text: its strings, paths and attributes, twice.
const TREE: u64 = 8;

/// The rasteriser's edges and spans.
const OVERHEAD: u64 = 4 << 20;

/// Reads the drawing, but not its images' pixels.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    if !limits.svg {
        return Err(Error::Unsupported("an SVG drawing"));
    }
    let text = text::read(bytes, limits)?;
    let images = Images::counting(limits);
    let tree = parse(&text, &images)?;
    let size = limits.admit(side(tree.size().width()), side(tree.size().height()))?;
    let layers = work::count(&tree, scale(&tree, size), size)?.layer_bytes;
    let tree = (text.len() as u64).saturating_mul(TREE);
    Ok(Header {
        format: InputFormat::Svg,
        size,
        orientation: 1,
        frames: 1,
        animated: false,
        alpha: true,
        depth: 8,
        lossless: true,
        held_bytes: layers.saturating_add(images.bytes()).saturating_add(tree),
        planes: None,
    })
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
    let tree = parse(&text, &images)?;
    drop(text);
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

fn parse(text: &str, images: &Images<'_>) -> Result<Tree, Error> {
    let options = Options {
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(|_, data, _| images.admit(&data)),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    };
    let parsing = roxmltree::ParsingOptions {
        allow_dtd: true,
        nodes_limit: NODES,
        ..roxmltree::ParsingOptions::default()
    };
    guarded(|| {
        let document = roxmltree::Document::parse_with_options(text, parsing).map_err(malformed)?;
        census::admit(&document)?;
        let tree = Tree::from_xmltree(&document, &options).map_err(|error| match error {
            usvg::Error::ParsingFailed(error) => malformed(error),
            other => Error::broken(other),
        })?;
        images.verdict()?;
        Ok(tree)
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
