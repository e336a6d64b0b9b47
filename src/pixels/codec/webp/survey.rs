//! What a WebP file is, from its chunks. Decodes nothing.
#![expect(unsafe_code, reason = "libwebp is C")]

use libwebp_sys::{VP8StatusCode, WebPBitstreamFeatures, WebPGetFeatures};

use super::riff::{self, ANIMATION_FLAG, Chunk, Extended};
use crate::pixels::{
    codec::{Error, Limits, admit, exif},
    geometry::Size,
};

/// What the chunks say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Survey {
    pub(super) size: Size,
    /// At least 1.
    pub(super) frames: u32,
    /// Whether the pixels are in frames, be it one, and not in the file itself.
    pub(super) framed: bool,
    pub(super) alpha: bool,
    pub(super) lossless: bool,
    pub(super) orientation: u8,
}

/// libwebp's word for a stream without loss.
const LOSSLESS: i32 = 2;

/// Surveys a file and holds one frame of it against the limits.
///
/// # Errors
/// [`Error::Broken`] or [`Error::Limit`].
pub(super) fn survey(bytes: &[u8], limits: &Limits) -> Result<Survey, Error> {
    let extended = riff::chunks(bytes)
        .next()
        .filter(|chunk| chunk.kind == *b"VP8X")
        .and_then(|chunk| Extended::read(chunk.payload(bytes)));
    if let Some(extended) = extended {
        admit::size(extended.width, extended.height, limits)?;
    }
    let features = features(bytes)?;
    let unsigned = |side| u32::try_from(side).unwrap_or(0);
    let size = admit::size(unsigned(features.width), unsigned(features.height), limits)?;
    let framed = extended.is_some_and(|extended| extended.flags & ANIMATION_FLAG != 0);
    let count = if framed { count_frames(bytes)? } else { 1 };
    Ok(Survey {
        size,
        frames: count,
        framed,
        alpha: features.has_alpha != 0,
        lossless: features.format == LOSSLESS,
        orientation: exif_block(bytes).and_then(exif::orientation).unwrap_or(1),
    })
}

fn count_frames(bytes: &[u8]) -> Result<u32, Error> {
    let frames = riff::chunks(bytes)
        .filter(|chunk| chunk.kind == *b"ANMF")
        .count();
    match u32::try_from(frames) {
        Ok(0) | Err(_) => Err(admit::broken("an animation without frames")),
        Ok(frames) => Ok(frames),
    }
}

fn features(bytes: &[u8]) -> Result<WebPBitstreamFeatures, Error> {
    let mut features = WebPBitstreamFeatures {
        width: 0,
        height: 0,
        has_alpha: 0,
        has_animation: 0,
        format: 0,
        pad: [0; 5],
    };
    // SAFETY: reads `bytes.len()` bytes and fills in the structure.
    match unsafe { WebPGetFeatures(bytes.as_ptr(), bytes.len(), &raw mut features) } {
        VP8StatusCode::VP8_STATUS_OK => Ok(features),
        status => Err(admit::broken(format!("libwebp: {status:?}"))),
    }
}

/// Whether an encoded picture has transparent pixels, by its header.
pub(super) fn has_alpha(bytes: &[u8]) -> bool {
    features(bytes).is_ok_and(|features| features.has_alpha != 0)
}

/// Width and height, by the header of an encoded picture.
pub(super) fn sides(bytes: &[u8]) -> Option<(i32, i32)> {
    let features = features(bytes).ok()?;
    Some((features.width, features.height))
}

/// The payload of the first chunk of this kind.
fn find(bytes: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    riff::chunks(bytes)
        .find(|chunk| chunk.kind == kind)
        .map(|chunk| Chunk::payload(&chunk, bytes))
}

/// The TIFF block of the EXIF chunk; some writers put JPEG's prefix before it.
pub(super) fn exif_block(bytes: &[u8]) -> Option<&[u8]> {
    find(bytes, *b"EXIF").map(|block| block.strip_prefix(b"Exif\0\0").unwrap_or(block))
}

/// The profile, where it is within the limit; otherwise the picture is taken for sRGB.
pub(super) fn icc<'a>(bytes: &'a [u8], limits: &Limits) -> Option<&'a [u8]> {
    find(bytes, *b"ICCP").filter(|profile| profile.len() <= limits.icc_bytes)
}
