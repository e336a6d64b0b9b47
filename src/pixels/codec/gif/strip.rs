//! A GIF without what is not pictures and their timing.

use super::blocks::{Kind, open};

/// The file without comments, plain text and foreign extensions; `None` where it is not whole.
pub(in super::super) fn strip(bytes: &[u8]) -> Option<Vec<u8>> {
    let (screen, blocks) = open(bytes).ok()?;
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(screen.whole);
    // A control that precedes a plain text goes with it.
    let mut control: &[u8] = &[];
    let mut images = 0;
    for block in blocks {
        match block.kind {
            Kind::Control(_) => control = block.whole,
            Kind::Image(_) => {
                out.extend_from_slice(std::mem::take(&mut control));
                out.extend_from_slice(block.whole);
                images += 1;
            }
            Kind::Application(data) => {
                if matches!(data.pieces().next(), Some(b"NETSCAPE2.0" | b"ANIMEXTS1.0")) {
                    out.extend_from_slice(block.whole);
                }
            }
            Kind::Other => control = &[],
            Kind::Trailer => {
                out.extend_from_slice(block.whole);
                return (images > 0).then_some(out);
            }
        }
    }
    None
}
