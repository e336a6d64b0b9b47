//! The chunks of a WebP file: found, and written. Knows nothing of what VP8 data mean.

use std::ops::Range;

use crate::pixels::codec::{Error, admit};

pub(super) const HEADER: usize = 12;
/// A chunk's kind and length.
pub(super) const CHUNK_HEADER: usize = 8;
/// `VP8X`'s payload: flags, three bytes of nothing, width − 1 and height − 1 in 24 bits each.
pub(super) const VP8X_LENGTH: usize = 10;

/// `VP8X`'s flags.
pub(super) const ICC_FLAG: u8 = 0x20;
pub(super) const ALPHA_FLAG: u8 = 0x10;
pub(super) const EXIF_FLAG: u8 = 0x08;
pub(super) const XMP_FLAG: u8 = 0x04;
pub(super) const ANIMATION_FLAG: u8 = 0x02;

/// One chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) kind: [u8; 4],
    pub(super) payload: Range<usize>,
}

impl Chunk {
    pub(super) fn payload<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.payload.clone()).unwrap_or_default()
    }
}

/// Where the file that the bytes begin ends, by its own account.
pub(super) fn end(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<HEADER>()?;
    let [b'R', b'I', b'F', b'F', a, b, c, d, b'W', b'E', b'B', b'P'] = *header else {
        return None;
    };
    usize::try_from(u32::from_le_bytes([a, b, c, d]))
        .ok()?
        .checked_add(8)
}

/// The chunks that are there to their ends; those of a file that is cut short, before the cut.
pub(super) fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk> {
    let end = end(bytes).unwrap_or(0).min(bytes.len());
    let mut at = HEADER;
    std::iter::from_fn(move || {
        let header = bytes.get(at..end)?.first_chunk::<8>()?;
        let [k0, k1, k2, k3, a, b, c, d] = *header;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
        let start = at + 8;
        let stop = start.checked_add(length).filter(|stop| *stop <= end)?;
        at = stop + length % 2;
        Some(Chunk {
            kind: [k0, k1, k2, k3],
            payload: start..stop,
        })
    })
}

/// What `VP8X` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extended {
    pub(super) flags: u8,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Extended {
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let [flags, _, _, _, w0, w1, w2, h0, h1, h2] = *payload.first_chunk::<VP8X_LENGTH>()?;
        Some(Self {
            flags,
            width: u32::from_le_bytes([w0, w1, w2, 0]) + 1,
            height: u32::from_le_bytes([h0, h1, h2, 0]) + 1,
        })
    }

    pub(super) fn write(self) -> [u8; VP8X_LENGTH] {
        let [w0, w1, w2, _] = self.width.saturating_sub(1).to_le_bytes();
        let [h0, h1, h2, _] = self.height.saturating_sub(1).to_le_bytes();
        [self.flags, 0, 0, 0, w0, w1, w2, h0, h1, h2]
    }
}

/// A file of these chunks, in this order.
///
/// # Errors
/// [`Error::Encode`] past the 4 GiB that the format can say.
pub(super) fn write<'a>(
    chunks: impl IntoIterator<Item = ([u8; 4], &'a [u8])>,
) -> Result<Vec<u8>, Error> {
    let mut file = BEGINNING.to_vec();
    for (kind, payload) in chunks {
        append(&mut file, kind, payload)?;
    }
    close(&mut file)?;
    Ok(file)
}

/// What a file begins with; its length is said by [`close`].
pub(super) const BEGINNING: [u8; HEADER] = *b"RIFF\0\0\0\0WEBP";

/// Adds a chunk.
///
/// # Errors
/// As [`write`].
pub(super) fn append(file: &mut Vec<u8>, kind: [u8; 4], payload: &[u8]) -> Result<(), Error> {
    let length = u32::try_from(payload.len()).map_err(too_long)?;
    file.extend(kind);
    file.extend(length.to_le_bytes());
    file.extend_from_slice(payload);
    file.extend(std::iter::repeat_n(0, payload.len() % 2));
    Ok(())
}

/// Says how long the file is.
///
/// # Errors
/// As [`write`].
pub(super) fn close(file: &mut [u8]) -> Result<(), Error> {
    let length = file.len().saturating_sub(CHUNK_HEADER);
    let length = u32::try_from(length).map_err(too_long)?;
    if let Some(place) = file.get_mut(4..CHUNK_HEADER) {
        place.copy_from_slice(&length.to_le_bytes());
    }
    Ok(())
}

fn too_long(_: std::num::TryFromIntError) -> Error {
    admit::encode("a WebP of more than 4 GiB")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(bytes: &[u8]) -> Vec<[u8; 4]> {
        chunks(bytes).map(|chunk| chunk.kind).collect()
    }

    #[test]
    fn what_is_written_is_found() {
        let file = write([(*b"ABCD", b"odd".as_slice()), (*b"EFGH", b"even")]).expect("a file");
        assert_eq!(end(&file), Some(file.len()));
        let found: Vec<Chunk> = chunks(&file).collect();
        assert_eq!(kinds(&file), [*b"ABCD", *b"EFGH"]);
        assert_eq!(found[0].payload(&file), b"odd");
        assert_eq!(found[1].payload(&file), b"even");
    }

    #[test]
    fn a_chunk_that_reaches_past_the_end_is_not_there() {
        let file = write([(*b"ABCD", b"odd".as_slice()), (*b"EFGH", b"even")]).expect("a file");
        assert_eq!(kinds(&file[..file.len() - 1]), [*b"ABCD"]);
        assert_eq!(kinds(&file[..15]), [[0; 4]; 0]);
        let mut lie = file;
        lie[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(kinds(&lie), [[0; 4]; 0]);
    }

    #[test]
    fn an_extended_header_survives() {
        let header = Extended {
            flags: ICC_FLAG | ALPHA_FLAG,
            width: 1 << 24,
            height: 1,
        };
        assert_eq!(Extended::read(&header.write()), Some(header));
        assert_eq!(Extended::read(&[0; 9]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_walk_panic_or_turn_back(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if bytes.len() >= HEADER {
                bytes[..4].copy_from_slice(b"RIFF");
                bytes[8..12].copy_from_slice(b"WEBP");
            }
            let mut last = 0;
            for chunk in chunks(&bytes) {
                prop_assert!(chunk.payload.start >= last + 8 || last == 0);
                prop_assert!(chunk.payload.end <= bytes.len());
                last = chunk.payload.end;
            }
        }
    }
}
