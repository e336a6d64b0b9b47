//! What decoding to planes holds at its peak, from the headers.

use super::{LIBRARY_BYTES, scaled, scales};
use crate::pixels::{
    codec::{Header, Limits, PlaneOptions},
    geometry::Size,
};

/// What decoding to rows holds at its peak, and what keeping them does; in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    decoder: u64,
    rows: u64,
}

impl Held {
    fn of(bytes: &[u8], header: &Header, options: &PlaneOptions, limits: &Limits) -> Self {
        let scales = scales(header, options);
        let own = scaled::Reading::open(bytes, scales, limits);
        // What is broken is not decoded at all.
        own.ok().flatten().map_or_else(
            || Self::by_libjpeg(header, scales.luma),
            |reading| Self {
                decoder: reading.bytes(),
                rows: reading.samples(),
            },
        )
    }

    /// Where libjpeg does it.
    fn by_libjpeg(header: &Header, eighths: u8) -> Self {
        let luma = scaled(header.size, eighths);
        let native = header.planes.and_then(|planes| planes.chroma(luma));
        // Whole MCUs, of up to 32 × 32 samples.
        let held = |size: Size| {
            let (width, height) = (u64::from(size.width) + 31, u64::from(size.height) + 31);
            width.saturating_mul(height)
        };
        let chroma = match native {
            None => 0,
            // libjpeg doubles colour while it scales.
            Some(_) if eighths < 8 => held(luma),
            Some(chroma) => held(chroma),
        };
        // A row of MCUs of each component, and as much between libjpeg's stages.
        let strips = u64::from(header.size.width).saturating_mul(2 * 3 * 32);
        Self {
            decoder: strips
                .saturating_add(header.held_bytes)
                .saturating_add(LIBRARY_BYTES),
            rows: held(luma).saturating_add(chroma.saturating_mul(2)),
        }
    }
}

/// Bytes that [`rows()`] holds at its peak, the sink aside.
pub(in crate::pixels::codec) fn rows_bytes(
    bytes: &[u8],
    header: &Header,
    options: &PlaneOptions,
    limits: &Limits,
) -> u64 {
    Held::of(bytes, header, options, limits).decoder
}

/// Bytes that [`planes`] holds at its peak.
pub(in crate::pixels::codec) fn planes_bytes(
    bytes: &[u8],
    header: &Header,
    options: &PlaneOptions,
    limits: &Limits,
) -> u64 {
    let held = Held::of(bytes, header, options, limits);
    held.decoder.saturating_add(held.rows)
}
