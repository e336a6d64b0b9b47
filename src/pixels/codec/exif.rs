//! EXIF blocks: a TIFF structure whose pointers we follow as far as we need, no further. Knows
//! nothing of the container that carries one.
//!
//! A general reader copies a value for each entry that points at it; a block of 1 MiB can point
//! at its own mebibyte 65,535 times. This one borrows.

use std::ops::Range;

const ORIENTATION: u16 = 0x0112;
const ARTIST: u16 = 0x013B;
const COPYRIGHT: u16 = 0x8298;
const THUMBNAIL: u16 = 0x0201;
const THUMBNAIL_LENGTH: u16 = 0x0202;
const STRIP_OFFSETS: u16 = 0x0111;
const STRIP_LENGTHS: u16 = 0x0117;

const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// What precedes the TIFF structure in a JPEG, and sometimes elsewhere by mistake.
const PREFIX: &[u8] = b"Exif\0\0";

/// The orientation, 1 to 8, where the block has a valid one.
#[must_use]
pub fn orientation(tiff: &[u8]) -> Option<u8> {
    let block = Block::open(tiff)?;
    let entry = block.find(block.first, ORIENTATION)?;
    let value = block.number(&entry)?;
    u8::try_from(value).ok().filter(|v| (1..=8).contains(v))
}

/// A new block with the artist and the copyright notice of this one, and nothing else; `None`
/// where it has neither.
#[must_use]
pub fn copyright_only(tiff: &[u8]) -> Option<Vec<u8>> {
    let block = Block::open(tiff)?;
    let texts: Vec<(u16, &[u8])> = [ARTIST, COPYRIGHT]
        .into_iter()
        .filter_map(|tag| {
            let entry = block.find(block.first, tag)?;
            let text = block.bytes.get(block.value(&entry)?)?;
            (entry.kind == ASCII && text.iter().any(u8::is_ascii_graphic)).then_some((tag, text))
        })
        .collect();
    if texts.is_empty() {
        None
    } else {
        write(&texts)
    }
}

/// The block as it fits pixels that have been turned upright: orientation 1, and no thumbnail
/// (which would show what has since been cropped away, and lie the old way round).
#[must_use]
pub fn normalised(tiff: &[u8]) -> Option<Vec<u8>> {
    let block = Block::open(tiff)?;
    let mut bytes = block.bytes.to_vec();
    let (entries, next) = block.directory(block.first)?;
    for entry in entries.filter(|e| e.tag == ORIENTATION) {
        // As a SHORT, whatever it was: type, count, and the value in the first two of four bytes.
        let field = bytes.get_mut(entry.at + 2..entry.at + 12)?;
        field.fill(0);
        let one = |field: &mut [u8], big: bool| field[if big { field.len() - 1 } else { 0 }] = 1;
        let high = usize::from(block.big);
        field[high] = 3;
        one(&mut field[2..6], block.big);
        one(&mut field[6..8], block.big);
    }
    for hidden in block.thumbnail(next) {
        // Bytes that the first directory lives in stay; the block would be unreadable.
        let start = hidden.start.max(8);
        if let Some(range) = bytes.get_mut(start..hidden.end.max(start)) {
            let first = block.first;
            let directory = first..first + 2 + 12 * block.count(first)?;
            if hidden.end <= directory.start || start >= directory.end {
                range.fill(0);
            }
        }
    }
    let pointer = block.next_pointer(block.first)?;
    bytes.get_mut(pointer..pointer + 4)?.fill(0);
    Some(bytes)
}

/// How many directories are chained in a TIFF; stops at a loop, and at `most`.
pub(super) fn directories(tiff: &[u8], most: u32) -> u32 {
    let Some(block) = Block::open(tiff) else {
        return 0;
    };
    let mut seen = std::collections::HashSet::new();
    let mut next = Some(block.first);
    let mut count = 0;
    while let Some(at) = next
        && count < most
        && seen.insert(at)
        && let Some((_, following)) = block.directory(at)
    {
        count += 1;
        next = following;
    }
    count
}

/// The bytes of a tag in the directory at this place, borrowed; for types of one byte.
pub(super) fn bytes_of(tiff: &[u8], directory: usize, tag: u16) -> Option<&[u8]> {
    let block = Block::open(tiff)?;
    let entry = block.find(directory, tag)?;
    block.bytes.get(block.value(&entry)?)
}

/// Writes a number into a tag of one SHORT in the directory at this place.
pub(super) fn set_short(tiff: &mut [u8], directory: usize, tag: u16, value: u16) -> Option<()> {
    let block = Block::open(tiff)?;
    let big = block.big;
    let entry = block
        .find(directory, tag)
        .filter(|e| e.kind == SHORT && e.count == 1)?;
    let field = tiff.get_mut(entry.at + 8..entry.at + 10)?;
    field.copy_from_slice(&if big {
        value.to_be_bytes()
    } else {
        value.to_le_bytes()
    });
    Some(())
}

/// A little-endian block of one directory of texts.
fn write(texts: &[(u16, &[u8])]) -> Option<Vec<u8>> {
    const HEADER: usize = 8;
    let count = u16::try_from(texts.len()).ok()?;
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    let mut data = Vec::new();
    let data_at = HEADER + 2 + 12 * texts.len() + 4;
    bytes.extend_from_slice(&count.to_le_bytes());
    for (tag, text) in texts {
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&ASCII.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(text.len()).ok()?.to_le_bytes());
        if text.len() <= 4 {
            let mut inline = [0; 4];
            inline[..text.len()].copy_from_slice(text);
            bytes.extend_from_slice(&inline);
        } else {
            let at = u32::try_from(data_at + data.len()).ok()?;
            bytes.extend_from_slice(&at.to_le_bytes());
            data.extend_from_slice(text);
            // Values begin at even offsets.
            data.resize(data.len().next_multiple_of(2), 0);
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&data);
    Some(bytes)
}

/// A TIFF structure, its byte order known.
struct Block<'a> {
    bytes: &'a [u8],
    big: bool,
    /// Where the first directory begins.
    first: usize,
}

/// Twelve bytes of a directory, as far as they are the same for all types.
struct Entry {
    at: usize,
    tag: u16,
    kind: u16,
    count: u32,
}

impl<'a> Block<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(PREFIX).unwrap_or(bytes);
        let big = match bytes.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        let mut block = Self {
            bytes,
            big,
            first: 0,
        };
        block.first = block.long(4)? as usize;
        Some(block)
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    fn count(&self, directory: usize) -> Option<usize> {
        self.short(directory).map(usize::from)
    }

    /// The entries of a directory, as many as there are bytes for, and the next directory's place.
    fn directory(&self, at: usize) -> Option<(impl Iterator<Item = Entry>, Option<usize>)> {
        let count = self.count(at)?;
        let entries = (0..count).map_while(move |index| {
            let at = at.checked_add(2 + 12 * index)?;
            Some(Entry {
                at,
                tag: self.short(at)?,
                kind: self.short(at + 2)?,
                count: self.long(at + 4)?,
            })
        });
        let next = self.next_pointer(at).and_then(|at| self.long(at));
        Some((entries, next.filter(|n| *n != 0).map(|n| n as usize)))
    }

    fn next_pointer(&self, directory: usize) -> Option<usize> {
        directory.checked_add(2 + 12 * self.count(directory)?)
    }

    fn find(&self, directory: usize, tag: u16) -> Option<Entry> {
        self.directory(directory)?.0.find(|entry| entry.tag == tag)
    }

    /// The first of an entry's whole numbers.
    fn number(&self, entry: &Entry) -> Option<u32> {
        match (entry.kind, entry.count) {
            (SHORT, 1 | 2) => self.short(entry.at + 8).map(u32::from),
            (LONG, 1) => self.long(entry.at + 8),
            _ => None,
        }
    }

    /// Where an entry's bytes are; for types of one byte.
    fn value(&self, entry: &Entry) -> Option<Range<usize>> {
        let length = usize::try_from(entry.count).ok()?;
        let start = if length <= 4 {
            entry.at + 8
        } else {
            self.long(entry.at + 8)? as usize
        };
        Some(start..start.checked_add(length)?)
    }

    /// What the second directory holds of pixels: its JPEG or its one strip, and itself.
    fn thumbnail(&self, directory: Option<usize>) -> Vec<Range<usize>> {
        let Some(at) = directory else {
            return Vec::new();
        };
        let range = |offset, length| {
            let start = self.number(&self.find(at, offset)?)? as usize;
            let length = self.number(&self.find(at, length)?)? as usize;
            Some(start..start.checked_add(length)?.min(self.bytes.len()))
        };
        let itself = self
            .count(at)
            .map(|count| at..(at + 2 + 12 * count).min(self.bytes.len()));
        [
            range(THUMBNAIL, THUMBNAIL_LENGTH),
            range(STRIP_OFFSETS, STRIP_LENGTHS),
            itself,
        ]
        .into_iter()
        .flatten()
        .filter(|range| range.start < range.end)
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of the given byte order: (tag, type, count, value) in the first directory, and a
    /// JPEG thumbnail of 6 bytes in the second.
    fn block(big: bool, entries: &[(u16, u16, u32, u32)], thumbnail: bool) -> Vec<u8> {
        let short = |v: u16| {
            if big {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        };
        let long = |v: u32| {
            if big {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        };
        let mut bytes = if big {
            b"MM\0*".to_vec()
        } else {
            b"II*\0".to_vec()
        };
        let directory = |bytes: &mut Vec<u8>, entries: &[(u16, u16, u32, u32)], next: u32| {
            bytes.extend(short(u16::try_from(entries.len()).unwrap()));
            for (tag, kind, count, value) in entries {
                bytes.extend(short(*tag));
                bytes.extend(short(*kind));
                bytes.extend(long(*count));
                if *kind == SHORT {
                    bytes.extend(short(u16::try_from(*value).unwrap()));
                    bytes.extend([0, 0]);
                } else {
                    bytes.extend(long(*value));
                }
            }
            bytes.extend(long(next));
        };
        bytes.extend(long(8));
        let second = 8 + 2 + 12 * u32::try_from(entries.len()).unwrap() + 4;
        directory(&mut bytes, entries, if thumbnail { second } else { 0 });
        if thumbnail {
            let data = second + 2 + 24 + 4;
            let entries = [(THUMBNAIL, LONG, 1, data), (THUMBNAIL_LENGTH, LONG, 1, 6)];
            directory(&mut bytes, &entries, 0);
            bytes.extend(b"SECRET");
        }
        bytes
    }

    #[track_caller]
    fn orients(bytes: &[u8], expected: Option<u8>) {
        assert_eq!(orientation(bytes), expected);
    }

    #[test]
    fn orientation_is_read_in_both_byte_orders() {
        orients(&block(false, &[(ORIENTATION, SHORT, 1, 6)], false), Some(6));
        orients(&block(true, &[(ORIENTATION, SHORT, 1, 8)], true), Some(8));
        orients(&block(true, &[(ORIENTATION, LONG, 1, 3)], false), Some(3));
        orients(
            &block(
                false,
                &[(256, LONG, 1, 9), (ORIENTATION, SHORT, 1, 1)],
                false,
            ),
            Some(1),
        );
    }

    #[test]
    fn an_invalid_orientation_is_none() {
        orients(&block(false, &[(ORIENTATION, SHORT, 1, 0)], false), None);
        orients(&block(false, &[(ORIENTATION, SHORT, 1, 9)], false), None);
        orients(&block(false, &[(ORIENTATION, SHORT, 0, 6)], false), None);
        orients(&block(false, &[(ORIENTATION, ASCII, 1, 6)], false), None);
        orients(&block(false, &[], false), None);
        orients(b"", None);
        orients(b"II*\0\xFF\xFF\xFF\xFF", None);
        orients(b"II*\0\x08\0\0\0\xFF\xFF", None);
    }

    #[test]
    fn a_prefix_is_forgiven() {
        let mut bytes = PREFIX.to_vec();
        bytes.extend(block(false, &[(ORIENTATION, SHORT, 1, 6)], false));
        orients(&bytes, Some(6));
    }

    #[test]
    fn a_normalised_block_is_upright_and_has_no_thumbnail() {
        for big in [false, true] {
            for kind in [SHORT, LONG] {
                let before = block(big, &[(ORIENTATION, kind, 1, 6)], true);
                let after = normalised(&before).unwrap();
                orients(&after, Some(1));
                assert!(!after.windows(6).any(|w| w == b"SECRET"));
                let parsed = ::exif::Reader::new().read_raw(after).unwrap();
                assert_eq!(parsed.fields().len(), 1);
                let field = parsed.fields().next().unwrap();
                assert_eq!(field.value.get_uint(0), Some(1));
            }
        }
    }

    #[test]
    fn a_thumbnail_that_claims_the_directory_leaves_it_readable() {
        let mut before = block(false, &[(ORIENTATION, SHORT, 1, 6)], true);
        // The thumbnail "is" the first directory.
        let offset = 8 + 2 + 12 + 4 + 2 + 8;
        before[offset..offset + 4].copy_from_slice(&8u32.to_le_bytes());
        orients(&normalised(&before).unwrap(), Some(1));
    }

    #[test]
    fn only_the_copyright_is_kept() {
        // The texts stand behind the directory of three entries.
        let at = 8 + 2 + 36 + 4;
        let mut before = block(
            true,
            &[
                (ARTIST, ASCII, 4, u32::from_be_bytes(*b"Ann\0")),
                (0x0110, ASCII, 12, at),
                (COPYRIGHT, ASCII, 12, at),
            ],
            false,
        );
        before.extend(b"(c) Ann 2026");
        let after = copyright_only(&before).unwrap();
        let parsed = ::exif::Reader::new().read_raw(after).unwrap();
        let texts: Vec<_> = parsed
            .fields()
            .map(|f| (f.tag.number(), f.display_value().to_string()))
            .collect();
        assert_eq!(
            texts,
            [
                (ARTIST, "\"Ann\"".to_owned()),
                (COPYRIGHT, "\"(c) Ann 2026\"".to_owned())
            ]
        );
        assert_eq!(copyright_only(&block(false, &[], true)), None);
    }

    proptest::proptest! {
        #[test]
        fn damaged_blocks_never_panic(
            big: bool,
            cuts in proptest::collection::vec((0usize..80, proptest::num::u8::ANY), 0..12),
            length in 0usize..90,
        ) {
            let mut bytes = block(big, &[(ORIENTATION, SHORT, 1, 6), (ARTIST, ASCII, 9, 40)], true);
            for (at, value) in cuts {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            bytes.truncate(length);
            let _ = orientation(&bytes);
            let _ = copyright_only(&bytes);
            let _ = normalised(&bytes);
        }
    }
}
