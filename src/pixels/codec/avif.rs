//! AVIF: our reader and writer of the container, around an AV1 decoder in Rust and libaom.
//! Knows the format; decides no policy but the limits.
//!
//! A sequence is read as its still picture. What `irot` and `imir` say is the header's
//! orientation; `clap` is applied here, and EXIF's orientation is ignored, as the standard says.

#[cfg(feature = "avif-encode")]
mod aom;
mod av1;
mod compose;
mod container;
mod cursor;
#[cfg(feature = "avif-encode")]
mod encode;
mod picture;
mod properties;
mod sequence;
#[cfg(feature = "avif-encode")]
mod writer;
mod yuv;

use self::{container::Container, picture::Picture};
use super::{
    Cancel, DecodeOptions, EncodeOptions, Error, Header, Limits, admit,
    quality::{self, Depth},
};
use crate::pixels::{
    bitmap::{Bitmap, Colour},
    format::InputFormat,
    geometry::Size,
    planes::{Planes, Sampling},
};

/// What the decoder allocates whatever the size.
const LIBRARY_BYTES: u64 = 1 << 20;

/// Reads the header.
///
/// # Errors
/// [`Error::Broken`], [`Error::UnsupportedFeature`] or [`Error::Limit`].
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    let picture = Picture::read(bytes, limits)?;
    Ok(Header {
        format: InputFormat::Avif,
        size: Size {
            width: picture.crop.width,
            height: picture.crop.height,
        },
        orientation: picture.orientation,
        frames: 1,
        animated: false,
        alpha: picture.alpha.is_some(),
        depth: picture.codec.depth,
        lossless: false,
        held_bytes: held_bytes(&picture),
        planes: compose::sampling(&picture),
    })
}

/// The planes of a tile, twice in case grain is laid over them, what the decoder remembers of
/// them, and what is cropped only at the end.
fn held_bytes(picture: &Picture<'_>) -> u64 {
    let bytes = if picture.codec.depth > 8 { 2 } else { 1 };
    let twice = match (picture.codec.monochrome, picture.codec.subsampling) {
        (true, _) => 2,
        (false, (true, true)) => 3,
        (false, (true, false)) => 4,
        (false, (false, _)) => 6,
    };
    let tile = admit::pixels(picture.colour.tile);
    let whole = admit::pixels(picture.colour.size);
    let kept = u64::from(picture.crop.width) * u64::from(picture.crop.height);
    tile.saturating_mul(twice * bytes + 1)
        .saturating_add((whole - kept.min(whole)).saturating_mul(4 * bytes))
}

/// Bytes that [`decode`] holds at its peak, the encoded bytes themselves left out.
pub(super) fn decode_bytes(header: &Header, _options: &DecodeOptions) -> u64 {
    let channels = if header.alpha { 4 } else { 3 };
    let bytes = if header.depth > 8 { 2 } else { 1 };
    admit::pixels(header.size)
        .saturating_mul(channels * bytes)
        .saturating_add(header.held_bytes)
        .saturating_add(LIBRARY_BYTES)
}

/// Decodes the still picture.
///
/// # Errors
/// [`Error::Broken`], [`Error::UnsupportedFeature`], [`Error::Limit`] or [`Error::Cancelled`].
pub(super) fn decode(
    bytes: &[u8],
    _header: &Header,
    _options: &DecodeOptions,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    cancel.check()?;
    compose::compose(&Picture::read(bytes, limits)?, cancel)
}

/// What the numbers mean; `None` where the file cannot be read.
pub(super) fn plane_colour(bytes: &[u8], limits: &Limits) -> Option<Colour> {
    let picture = Picture::read(bytes, limits).ok()?;
    Some(compose::colour(&picture, compose::points(&picture)))
}

/// Decodes the still picture to planes, where it is one of those that have them.
///
/// # Errors
/// As [`decode`].
pub(super) fn planes(bytes: &[u8], limits: &Limits, cancel: &Cancel) -> Result<Planes, Error> {
    compose::planes(&Picture::read(bytes, limits)?, cancel)
}

/// Bytes that [`planes`] holds at its peak.
pub(super) fn planes_bytes(header: &Header) -> u64 {
    let luma = admit::pixels(header.size);
    let chroma = header.planes.and_then(|planes| planes.chroma(header.size));
    let chroma = chroma.map_or(0, admit::pixels);
    luma.saturating_add(chroma.saturating_mul(2))
        .saturating_add(header.held_bytes)
        .saturating_add(LIBRARY_BYTES)
}

/// The resolution of colour at a quality.
pub(super) const fn sampling(quality: u8) -> Sampling {
    if quality >= quality::FULL_COLOUR_FROM {
        Sampling::FULL
    } else {
        Sampling::HALVED
    }
}

/// Encodes planes: in full range, colour as [`sampling`] says.
///
/// # Errors
/// As [`encode`].
pub(super) fn encode_planes(
    planes: &Planes,
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    cancel.check()?;
    #[cfg(feature = "avif-encode")]
    let encoded = encode::encode_planes(planes, options);
    #[cfg(not(feature = "avif-encode"))]
    let encoded = {
        let _ = (planes, options);
        Err(admit::encode("AVIF output is not built in"))
    };
    encoded
}

/// Encodes: eight bits, or ten where that saves bytes ([`quality::avif_depth`]), and colour at half
/// the resolution below quality 90. AVIF's way without loss takes
/// more bytes than WebP's; `options.lossless` is not heeded.
///
/// # Errors
/// [`Error::Encode`], also where the encoder is not built in; [`Error::Limit`];
/// [`Error::Cancelled`].
pub(super) fn encode(
    bitmap: &Bitmap,
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    cancel.check()?;
    #[cfg(feature = "avif-encode")]
    let encoded = encode::encode(bitmap, options, cancel);
    #[cfg(not(feature = "avif-encode"))]
    let encoded = {
        let _ = (bitmap, options);
        Err(admit::encode("AVIF output is not built in"))
    };
    encoded
}

/// Bytes that [`encode`] holds at its peak.
pub(super) fn encode_bytes(size: Size, options: &EncodeOptions<'_>) -> u64 {
    // Planes; libaom's frames with borders, and what it tries, as measured with noise.
    let per_pixel = match (options.quality, quality::avif_depth(options.quality)) {
        (quality::FULL_COLOUR_FROM.., _) => 40,
        (_, Depth::Eight) => 23,
        (_, Depth::Ten) => 31,
    };
    admit::pixels(size)
        .saturating_mul(per_pixel)
        .saturating_add(4 << 20)
}

/// The EXIF block.
pub(super) fn exif(bytes: &[u8], limits: &Limits) -> Option<Vec<u8>> {
    let container = Container::read(bytes).ok()?;
    let mut described = container.led_from(*b"cdsc", container.primary);
    let item = described.find_map(|id| {
        let item = container.find(id).ok()?;
        (item.kind == *b"Exif").then_some(item)
    })?;
    let block = container.bytes(item).ok()?;
    // How many bytes stand before the TIFF header.
    let (before, block) = block.split_first_chunk::<4>()?;
    let start = usize::try_from(u32::from_be_bytes(*before)).ok()?;
    block
        .get(start..)
        .filter(|exif| exif.len() <= limits.exif_bytes)
        .map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests;
