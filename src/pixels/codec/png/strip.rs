//! A PNG without what is not pixels or colour.

use super::chunks::{Chunks, SIGNATURE};

/// What pixels and their colour need. The rest (text, time, EXIF, physical size, histograms,
/// private chunks) goes.
const KEPT: [&[u8; 4]; 15] = [
    b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP",
    b"mDCV", b"sBIT", b"acTL", b"fcTL", b"fdAT",
];

/// The file without metadata; `None` where a chunk is damaged, unknown but critical, or missing.
pub(in super::super) fn strip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(SIGNATURE);
    for (index, chunk) in Chunks::new(bytes).ok()?.enumerate() {
        let chunk = chunk.ok()?;
        let kept = KEPT.contains(&&chunk.kind);
        if (index == 0) != (&chunk.kind == b"IHDR") || (chunk.is_critical() && !kept) {
            return None;
        }
        if kept {
            if !chunk.is_intact() {
                return None;
            }
            out.extend_from_slice(chunk.whole);
        }
        if &chunk.kind == b"IEND" {
            return Some(out);
        }
    }
    None
}
