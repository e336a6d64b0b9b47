//! JPEG XL, by `jxl-oxide`: stills, and the first picture of what moves. It is not written: the
//! encoders in Rust are not permissively licensed.

use std::borrow::Cow;

use jxl_oxide::{
    AllocTracker, EnumColourEncoding, InitializeResult, JxlImage, PixelFormat, Render,
    RenderingIntent,
};

use super::{Cancel, DecodeOptions, Error, Header, Limits, admit, raster::guarded};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    format::InputFormat,
    geometry::Size,
};

/// Frames that one picture may be put together from: layers, patches, a coarse picture first.
/// Encoders write a handful.
const LAYERS: usize = 64;

/// Pixels of all these frames together, as a multiple of the picture's: each may be larger than
/// the picture, takes a few bytes, and costs what it has pixels.
const LAYERED: u64 = 4;

/// Pixels of all frames that are decoded of any picture: half a second's work.
const LAYERED_PIXELS: u64 = 1 << 22;

/// Bytes that the decoder is fed at once until it knows the header.
const PIECE: usize = 64 << 10;

/// Planes of four bytes a sample: those decoded, those filtered, and those of the frame before.
const PIXEL: u64 = 4 * 4 * 4;

/// Tables of the entropy decoder and trees of the modular one.
const OVERHEAD: u64 = 16 << 20;

/// Reads the size, the channels and the colour.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    guarded(|| {
        let stream = codestream(bytes)?;
        let (image, _) = opened(&stream, OVERHEAD)?;
        let size = limits.admit(image.width(), image.height())?;
        let layout = layout(&image)?;
        if image.original_icc().map_or(0, <[u8]>::len) > limits.icc_bytes {
            return Err(Error::Limit(format!(
                "has a colour profile of more than {} bytes",
                limits.icc_bytes
            )));
        }
        let depth = image.image_header().metadata.bit_depth.bits_per_sample();
        Ok(Header {
            format: InputFormat::Jxl,
            size,
            // The decoder turns pictures upright itself.
            orientation: 1,
            frames: 1,
            animated: false,
            alpha: layout.has_alpha(),
            depth: u8::try_from(depth.clamp(1, 16)).unwrap_or(16),
            lossless: !image.image_header().metadata.xyb_encoded,
            // The decoder keeps the coded picture beside the source.
            held_bytes: bytes.len() as u64 * 2,
            planes: None,
        })
    })
}

pub(super) fn decode_bytes(header: &Header, _options: &DecodeOptions) -> u64 {
    let samples = if header.depth > 8 { 8 } else { 4 };
    header
        .size
        .pixels()
        .saturating_mul(PIXEL + samples)
        .saturating_add(header.held_bytes)
        .saturating_add(OVERHEAD)
}

pub(super) fn decode(
    bytes: &[u8],
    header: &Header,
    options: &DecodeOptions,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    guarded(|| {
        let stream = codestream(bytes)?;
        let (mut image, rest) = opened(&stream, decode_bytes(header, options))?;
        let size = limits.admit(image.width(), image.height())?;
        let layout = layout(&image)?;
        if size != header.size || layout.has_alpha() != header.alpha {
            return Err(Error::broken("another picture than its header"));
        }
        fill(&mut image, rest, size)?;
        cancel.check()?;
        let colour = colour(&mut image);
        let render = image.render_frame(0).map_err(failed)?;
        cancel.check()?;
        Ok(Bitmap {
            size,
            layout,
            samples: samples(&render, size, layout, header.depth > 8)?,
            colour,
        })
    })
}

/// The decoder, its header read, and the bytes that it was not given yet.
fn opened(stream: &[u8], most: u64) -> Result<(JxlImage, &[u8]), Error> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let builder = JxlImage::builder().alloc_tracker(AllocTracker::with_limit(most));
    let mut opening = builder.build_uninit();
    let (mut rest, mut piece) = (stream, PIECE);
    while !rest.is_empty() {
        // It begins anew with each piece: growing ones make that a few times, however long it is.
        let (next, after) = rest.split_at(piece.min(rest.len()));
        feed(next, |bytes| opening.feed_bytes(bytes))?;
        (rest, piece) = (after, piece * 2);
        match opening.try_init().map_err(failed)? {
            InitializeResult::Initialized(image) => return Ok((image, rest)),
            InitializeResult::NeedMoreData(more) => opening = more,
        }
    }
    Err(Error::broken("the file ends in its header"))
}

/// Gives the decoder the rest, until the first picture is complete. Nothing is decoded yet.
fn fill(image: &mut JxlImage, rest: &[u8], size: Size) -> Result<(), Error> {
    for piece in rest.chunks(PIECE) {
        if image.num_loaded_keyframes() > 0 {
            break;
        }
        feed(piece, |bytes| image.feed_bytes(bytes))?;
    }
    if image.num_loaded_keyframes() == 0 {
        return Err(Error::broken("the file ends in its first picture"));
    }
    let most = size.pixels().saturating_mul(LAYERED).max(LAYERED_PIXELS);
    let mut pixels = 0u64;
    for frame in (0..LAYERS).map_while(|at| image.frame(at)) {
        let header = frame.header();
        let own = u64::from(header.color_sample_width()) * u64::from(header.color_sample_height());
        pixels = pixels.saturating_add(own);
        if pixels > most {
            return Err(Error::Limit(format!(
                "has layers of more than {most} pixels together"
            )));
        }
        if header.is_keyframe() {
            return Ok(());
        }
    }
    Err(Error::Limit(format!("has more than {LAYERS} layers")))
}

fn feed(
    mut bytes: &[u8],
    mut take: impl FnMut(&[u8]) -> jxl_oxide::Result<usize>,
) -> Result<(), Error> {
    while !bytes.is_empty() {
        let taken = take(bytes).map_err(failed)?;
        if taken == 0 {
            return Err(Error::broken("the decoder takes no more"));
        }
        bytes = &bytes[taken.min(bytes.len())..];
    }
    Ok(())
}

/// The coded picture without its container. Boxes of metadata are not even looked at: they may be
/// compressed, and nothing says how large they become.
fn codestream(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    const INDEX: usize = 4;
    if bytes.starts_with(&[0xFF, 0x0A]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some((kind, data, after)) = next_box(rest) {
        match &kind {
            b"jxlc" => return Ok(Cow::Borrowed(data)),
            b"jxlp" => parts.extend_from_slice(data.get(INDEX..).unwrap_or_default()),
            _ => {}
        }
        rest = after;
    }
    if parts.is_empty() {
        return Err(Error::broken("no picture in the container"));
    }
    Ok(Cow::Owned(parts))
}

/// The first box: its kind, what is in it, and what follows. A box that is cut off is as long as
/// what there is; the decoder finds out.
fn next_box(bytes: &[u8]) -> Option<([u8; 4], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    let (data, rest) = match u32::from_be_bytes(*length) {
        0 => (usize::MAX, rest),
        1 => {
            let (length, rest) = rest.split_first_chunk::<8>()?;
            let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
            (length.checked_sub(16)?, rest)
        }
        length => ((length as usize).checked_sub(8)?, rest),
    };
    let (data, rest) = rest.split_at(data.min(rest.len()));
    Some((*kind, data, rest))
}

fn layout(image: &JxlImage) -> Result<Layout, Error> {
    let unsupported = |feature| Error::UnsupportedFeature {
        format: InputFormat::Jxl.title(),
        feature,
    };
    let channels = &image.image_header().metadata.ec_info;
    if channels
        .iter()
        .any(|channel| channel.alpha_associated() == Some(true))
    {
        return Err(unsupported("colours multiplied by their alpha"));
    }
    match image.pixel_format() {
        PixelFormat::Gray => Ok(Layout::Gray),
        PixelFormat::Graya => Ok(Layout::GrayAlpha),
        PixelFormat::Rgb => Ok(Layout::Rgb),
        PixelFormat::Rgba => Ok(Layout::Rgba),
        PixelFormat::Cmyk | PixelFormat::Cmyka => Err(unsupported("inks")),
    }
}

/// What the rendered numbers mean. A picture that is coded in the eye's own colours has no need of
/// its profile, and becomes sRGB.
fn colour(image: &mut JxlImage) -> Colour {
    if image.image_header().metadata.xyb_encoded && image.original_icc().is_some() {
        let intent = RenderingIntent::Relative;
        let gray = image.pixel_format().is_grayscale();
        image.request_color_encoding(if gray {
            EnumColourEncoding::gray_srgb(intent)
        } else {
            EnumColourEncoding::srgb(intent)
        });
        return Colour::Srgb;
    }
    match image.rendered_cicp() {
        Some([1, 13, ..]) => Colour::Srgb,
        // HDR: a profile cannot say it. The library numbers P3 as that of cinemas.
        Some([primaries, transfer @ (16 | 18), ..]) => Colour::Cicp {
            primaries: if primaries == 11 { 12 } else { primaries },
            transfer,
        },
        _ => Colour::Icc(image.rendered_icc().into()),
    }
}

fn samples(render: &Render, size: Size, layout: Layout, deep: bool) -> Result<Samples, Error> {
    let mut stream = if layout.has_alpha() {
        render.stream()
    } else {
        render.stream_no_alpha()
    };
    let sides = (stream.width(), stream.height(), stream.channels() as usize);
    if sides != (size.width, size.height, layout.channels()) {
        return Err(Error::broken("the decoder gave another size or layout"));
    }
    let count = admit::buffer(size, layout.channels())?;
    if deep {
        let mut samples = vec![0; count];
        stream.write_to_buffer::<u16>(&mut samples);
        Ok(Samples::U16(samples))
    } else {
        let mut samples = vec![0; count];
        stream.write_to_buffer::<u8>(&mut samples);
        Ok(Samples::U8(samples))
    }
}

/// The library's error in our words. It says of memory only that there was none left.
#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it")]
fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    let text = error.to_string();
    if text.contains("memory") {
        Error::Limit("needs more memory to decode than its size allows".to_owned())
    } else {
        Error::broken(text)
    }
}

#[cfg(test)]
mod tests;
