//! The boxes of a still AVIF, written. Knows nothing of pixels.

use super::sequence::Sequence;
use crate::pixels::{
    codec::{Error, admit},
    geometry::Size,
};

/// An AV1 stream, and what its header says.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) bytes: Vec<u8>,
    pub(super) sequence: Sequence,
}

/// What goes into a file.
#[derive(Clone, Debug)]
pub(super) struct File<'a> {
    pub(super) size: Size,
    pub(super) colour: Stream,
    /// Gray, in full range.
    pub(super) alpha: Option<Stream>,
    /// Primaries and transfer characteristics.
    pub(super) points: (u8, u8),
    pub(super) icc: Option<&'a [u8]>,
    pub(super) exif: Option<&'a [u8]>,
}

const COLOUR: u16 = 1;
const ALPHA: u16 = 2;
const EXIF: u16 = 3;
/// BT.601, which the planes have.
const MATRIX: u16 = 6;
/// An OBU that a container does without: the delimiter that libaom begins with.
const DELIMITER: [u8; 2] = [0x12, 0x00];

/// Writes the file.
///
/// # Errors
/// [`Error::Encode`] past the 4 GiB that offsets can say.
pub(super) fn write(file: &File<'_>) -> Result<Vec<u8>, Error> {
    let exif = file.exif.map(|exif| [&[0; 4], exif].concat());
    // Alpha first, so that a picture that is still loading can be shown.
    let mut items: Vec<(u16, &[u8])> = Vec::new();
    if let Some(alpha) = &file.alpha {
        items.push((ALPHA, stream(alpha)));
    }
    items.push((COLOUR, stream(&file.colour)));
    if let Some(exif) = &exif {
        items.push((EXIF, exif));
    }
    let mut bytes = Boxes::default();
    bytes.within(*b"ftyp", |bytes| {
        bytes.put(b"avif\0\0\0\0avifmif1miaf");
    })?;
    // Offsets are absolute, and stand before what they point behind: once to see how long.
    let length = meta(file, &items, 0)?.len();
    let data = bytes.0.len() + length + 8;
    bytes.put(&meta(file, &items, data)?);
    bytes.within(*b"mdat", |bytes| {
        for (_, item) in &items {
            bytes.put(item);
        }
    })?;
    Ok(bytes.0)
}

fn stream(stream: &Stream) -> &[u8] {
    let bytes = stream.bytes.as_slice();
    bytes.strip_prefix(&DELIMITER).unwrap_or(bytes)
}

fn meta(file: &File<'_>, items: &[(u16, &[u8])], data: usize) -> Result<Vec<u8>, Error> {
    let locations = locations(items, data)?;
    let properties = properties(file)?;
    let infos = infos(items)?;
    let references = references(items)?;
    let mut bytes = Boxes::default();
    bytes.within(*b"meta", |bytes| {
        bytes.u32(0);
        bytes.put(b"\0\0\0\x21hdlr\0\0\0\0\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0");
        bytes.put(b"\0\0\0\x0Epitm\0\0\0\0");
        bytes.u16(COLOUR);
        for part in [&locations, &infos, &references, &properties] {
            bytes.put(part);
        }
    })?;
    Ok(bytes.0)
}

fn locations(items: &[(u16, &[u8])], data: usize) -> Result<Vec<u8>, Error> {
    let mut at = data;
    let mut places = Vec::new();
    for (id, item) in items {
        places.push((*id, number(at)?, number(item.len())?));
        at += item.len();
    }
    let mut bytes = Boxes::default();
    bytes.within(*b"iloc", |bytes| {
        bytes.u32(0);
        // Offsets and lengths of 4 bytes, no base.
        bytes.put(&[0x44, 0]);
        bytes.count(places.len());
        for (id, offset, length) in places {
            bytes.u16(id);
            bytes.u16(0);
            bytes.u16(1);
            bytes.u32(offset);
            bytes.u32(length);
        }
    })?;
    Ok(bytes.0)
}

fn infos(items: &[(u16, &[u8])]) -> Result<Vec<u8>, Error> {
    let mut entries = Boxes::default();
    for (id, _) in items {
        entries.within(*b"infe", |bytes| {
            bytes.put(&[2, 0, 0, 0]);
            bytes.u16(*id);
            bytes.u16(0);
            bytes.put(if *id == EXIF { b"Exif\0" } else { b"av01\0" });
        })?;
    }
    let mut bytes = Boxes::default();
    bytes.within(*b"iinf", |bytes| {
        bytes.u32(0);
        bytes.count(items.len());
        bytes.put(&entries.0);
    })?;
    Ok(bytes.0)
}

fn references(items: &[(u16, &[u8])]) -> Result<Vec<u8>, Error> {
    let mut entries = Boxes::default();
    for (id, kind) in [(ALPHA, *b"auxl"), (EXIF, *b"cdsc")] {
        if items.iter().any(|(item, _)| *item == id) {
            entries.within(kind, |bytes| {
                bytes.u16(id);
                bytes.u16(1);
                bytes.u16(COLOUR);
            })?;
        }
    }
    if entries.0.is_empty() {
        return Ok(Vec::new());
    }
    let mut bytes = Boxes::default();
    bytes.within(*b"iref", |bytes| {
        bytes.u32(0);
        bytes.put(&entries.0);
    })?;
    Ok(bytes.0)
}

/// Which properties there are, in order, and which item has which.
fn properties(file: &File<'_>) -> Result<Vec<u8>, Error> {
    const ESSENTIAL: u8 = 0x80;
    let mut list = Boxes::default();
    let mut colour = Vec::new();
    let mut alpha = Vec::new();
    let mut number = 0u8;
    let mut next = || {
        number += 1;
        number
    };
    list.within(*b"ispe", |bytes| {
        bytes.u32(0);
        bytes.u32(file.size.width);
        bytes.u32(file.size.height);
    })?;
    let extent = next();
    colour.push(extent);
    list.put(&configuration(&file.colour.sequence)?);
    colour.push(next() | ESSENTIAL);
    list.put(&depths(&file.colour.sequence)?);
    colour.push(next());
    list.within(*b"colr", |bytes| {
        bytes.put(b"nclx");
        bytes.u16(u16::from(file.points.0));
        bytes.u16(u16::from(file.points.1));
        bytes.u16(MATRIX);
        bytes.put(&[0x80]);
    })?;
    colour.push(next());
    if let Some(icc) = file.icc {
        list.within(*b"colr", |bytes| {
            bytes.put(b"prof");
            bytes.put(icc);
        })?;
        colour.push(next());
    }
    if let Some(stream) = &file.alpha {
        alpha.push(extent);
        list.put(&configuration(&stream.sequence)?);
        alpha.push(next() | ESSENTIAL);
        list.put(&depths(&stream.sequence)?);
        alpha.push(next());
        list.within(*b"auxC", |bytes| {
            bytes.u32(0);
            bytes.put(b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0");
        })?;
        alpha.push(next());
    }
    let mut bytes = Boxes::default();
    let associations = associations(&colour, &alpha)?;
    let mut container = Boxes::default();
    container.within(*b"ipco", |bytes| bytes.put(&list.0))?;
    bytes.within(*b"iprp", |bytes| {
        bytes.put(&container.0);
        bytes.put(&associations);
    })?;
    Ok(bytes.0)
}

fn associations(colour: &[u8], alpha: &[u8]) -> Result<Vec<u8>, Error> {
    let items = [(COLOUR, colour), (ALPHA, alpha)];
    let items: Vec<_> = items.iter().filter(|(_, list)| !list.is_empty()).collect();
    let mut bytes = Boxes::default();
    bytes.within(*b"ipma", |bytes| {
        bytes.u32(0);
        bytes.u16(0);
        bytes.count(items.len());
        for (id, list) in items {
            bytes.u16(*id);
            bytes.put(&[u8::try_from(list.len()).unwrap_or(0)]);
            bytes.put(list);
        }
    })?;
    Ok(bytes.0)
}

/// `av1C`, which repeats what the stream says.
fn configuration(sequence: &Sequence) -> Result<Vec<u8>, Error> {
    let bit = |set: bool, place: u8| u8::from(set) << place;
    let mut bytes = Boxes::default();
    bytes.within(*b"av1C", |bytes| {
        bytes.put(&[
            0x81,
            sequence.profile << 5 | sequence.level,
            bit(sequence.high_tier, 7)
                | bit(sequence.depth > 8, 6)
                | bit(sequence.depth > 10, 5)
                | bit(sequence.monochrome, 4)
                | bit(sequence.subsampling.0, 3)
                | bit(sequence.subsampling.1, 2)
                | sequence.chroma_position,
            0,
        ]);
    })?;
    Ok(bytes.0)
}

/// `pixi`: the bits of each channel.
fn depths(sequence: &Sequence) -> Result<Vec<u8>, Error> {
    let channels = if sequence.monochrome { 1 } else { 3 };
    let mut bytes = Boxes::default();
    bytes.within(*b"pixi", |bytes| {
        bytes.u32(0);
        bytes.put(&[channels]);
        bytes.put(&[sequence.depth; 3][..usize::from(channels)]);
    })?;
    Ok(bytes.0)
}

fn number(value: usize) -> Result<u32, Error> {
    u32::try_from(value).map_err(|_| admit::encode("an AVIF of more than 4 GiB"))
}

/// Bytes, and boxes among them.
#[derive(Debug, Default)]
struct Boxes(Vec<u8>);

impl Boxes {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn u16(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }

    /// A count of things that are always few.
    fn count(&mut self, value: usize) {
        self.u16(u16::try_from(value).unwrap_or(u16::MAX));
    }

    fn within(&mut self, kind: [u8; 4], write: impl FnOnce(&mut Self)) -> Result<(), Error> {
        let start = self.0.len();
        self.u32(0);
        self.put(&kind);
        write(self);
        let length = number(self.0.len() - start)?;
        if let Some(place) = self.0.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }
}
