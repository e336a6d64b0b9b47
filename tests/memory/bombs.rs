//! Small files that ask for a great deal: each is refused, or answered within what its job says.

use std::io::Write as _;

use aquatint::pixels::{
    codec::{self, Cancel, Limits},
    render::{self, OutputLimits},
};
use flate2::{Compression, write::ZlibEncoder};

use crate::{count, recipe};

/// What a bomb may hold that is refused: what was read of it until then. Twice a colour profile,
/// which is the largest thing that is read with a header.
const REFUSED: u64 = 2 * (4 << 20) + (1 << 20);

/// Whether it is answered; panics where it holds more than it may.
pub(crate) fn is_answered(bytes: &[u8]) -> bool {
    let (limits, output) = (Limits::default(), OutputLimits::default());
    let recipe = recipe("w=100&fm=webp");
    let (result, held) = count::peak_of(|| {
        let job = render::prepare(bytes, &recipe, &limits, &output)?;
        render::render(bytes.into(), &recipe, &job, &limits, &Cancel::default())?;
        Ok::<_, codec::Error>(job.peak_bytes)
    });
    let may = result.as_ref().map_or(REFUSED, |said| *said);
    assert!(held <= may, "{held} bytes, {may} allowed: {result:?}");
    result.is_ok()
}

/// A progressive picture whose last scan comes again and again.
pub(crate) fn scans(picture: &[u8], count: usize) -> Vec<u8> {
    let starts = picture.windows(2).rposition(|two| two == [0xFF, 0xDA]);
    let (before, scan) = picture.split_at(starts.expect("a scan"));
    let (scan, end) = scan.split_at(scan.len() - 2);
    [before, &scan.repeat(count), end].concat()
}

/// A canvas of 4000 × 4000 pixels and many frames of one.
pub(crate) fn frames(count: usize) -> Vec<u8> {
    let head = b"GIF89a\xa0\x0f\xa0\x0f\x80\0\0\0\0\0\xff\xff\xff";
    let frame = b"\x21\xf9\x04\x04\x01\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    [&head[..], &frame.repeat(count), b"\x3b"].concat()
}

/// A PNG of one pixel with 64 MiB of zeros in a compressed chunk.
pub(crate) fn inflating(chunk: [u8; 4]) -> Vec<u8> {
    let mut zeros = ZlibEncoder::new(b"name\0\0".to_vec(), Compression::best());
    for _ in 0..64 {
        zeros.write_all(&vec![0; 1 << 20]).expect("in memory");
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a header");
    let chunk = png::chunk::ChunkType(chunk);
    writer
        .write_chunk(chunk, &zeros.finish().expect("in memory"))
        .expect("a chunk");
    writer.write_image_data(&[0]).expect("a pixel");
    writer.finish().expect("an end");
    bytes
}

/// Boxes of an AVIF, each in the one before.
pub(crate) fn nested(depth: u32) -> Vec<u8> {
    let mut bytes = b"\0\0\0\x18ftypavif\0\0\0\0avifmif1".to_vec();
    for level in 0..depth {
        bytes.extend_from_slice(&((depth - level) * 12).to_be_bytes());
        bytes.extend_from_slice(b"meta\0\0\0\0");
    }
    bytes
}
