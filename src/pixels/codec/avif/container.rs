//! The box structure of an AVIF file (ISO/IEC 14496-12, 23008-12): which items there are, where
//! their bytes are, and what is said of them. Decodes nothing, and believes nothing that it has
//! not held against the length of the file.

use std::{borrow::Cow, collections::BTreeMap};

use super::{cursor::Cursor, properties::Property};
use crate::pixels::codec::{Error, admit};

/// Items of one file. A grid of the largest picture that we decode, in tiles of 512 × 512, has 400.
const MOST_ITEMS: usize = 4096;
/// Properties, extents and references: a few for every item.
const MOST_PARTS: usize = 4 * MOST_ITEMS;

/// What the `meta` box says.
#[derive(Debug, Default)]
pub(super) struct Container<'a> {
    file: &'a [u8],
    pub(super) primary: u32,
    items: BTreeMap<u32, Item>,
    properties: Vec<Property>,
    property_bytes: &'a [u8],
    references: Vec<Reference>,
    data: &'a [u8],
}

/// One item.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub(super) kind: [u8; 4],
    /// Whether its bytes are in `idat` instead of in the file at large.
    inside: bool,
    extents: Vec<(u64, u64)>,
    /// Places in `properties`, and whether essential.
    associations: Vec<(usize, bool)>,
    /// Encrypted, or its bytes elsewhere.
    unreachable: bool,
}

#[derive(Debug)]
struct Reference {
    kind: [u8; 4],
    from: u32,
    to: Vec<u32>,
}

impl<'a> Container<'a> {
    /// Reads the structure.
    ///
    /// # Errors
    /// [`Error::Broken`]; [`Error::UnsupportedFeature`] for a film without a still.
    pub(super) fn read(file: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor(file);
        let mut sequence = false;
        loop {
            // What follows `meta` need not be whole, nor a box: items say where their bytes are.
            match cursor.next_box() {
                Ok(Some((kind, contents))) => match &kind {
                    b"meta" => return Self::meta(file, contents),
                    b"moov" => sequence = true,
                    _ => {}
                },
                Ok(None) | Err(_) if sequence => {
                    return Err(Error::UnsupportedFeature {
                        format: "AVIF",
                        feature: "a sequence without a still picture",
                    });
                }
                Ok(None) => return Err(admit::broken("no meta box")),
                Err(error) => return Err(error),
            }
        }
    }

    fn meta(file: &'a [u8], mut cursor: Cursor<'a>) -> Result<Self, Error> {
        let mut container = Self {
            file,
            ..Self::default()
        };
        cursor.version()?;
        let mut handler = None;
        let mut primary = None;
        while let Some((kind, mut contents)) = cursor.next_box()? {
            match &kind {
                b"hdlr" => {
                    contents.take(8)?;
                    handler = Some(contents.kind()?);
                }
                b"pitm" => {
                    let (version, _) = contents.version()?;
                    primary = Some(contents.narrow(version != 0)?);
                }
                b"iinf" => container.item_infos(contents)?,
                b"iloc" => container.locations(contents)?,
                b"iprp" => container.item_properties(contents)?,
                b"iref" => container.references(contents)?,
                b"idat" => container.data = contents.0,
                _ => {}
            }
        }
        if handler != Some(*b"pict") {
            return Err(admit::broken("a meta box that is not of pictures"));
        }
        container.primary = primary.ok_or_else(|| admit::broken("no primary item"))?;
        Ok(container)
    }

    fn item(&mut self, id: u32) -> Result<&mut Item, Error> {
        if self.items.len() >= MOST_ITEMS && !self.items.contains_key(&id) {
            return Err(too_many("items"));
        }
        Ok(self.items.entry(id).or_default())
    }

    fn item_infos(&mut self, mut cursor: Cursor<'a>) -> Result<(), Error> {
        let (version, _) = cursor.version()?;
        cursor.narrow(version != 0)?;
        while let Some((kind, mut entry)) = cursor.next_box()? {
            if kind != *b"infe" {
                continue;
            }
            let (version, _) = entry.version()?;
            if !(2..=3).contains(&version) {
                continue;
            }
            let id = entry.narrow(version == 3)?;
            let protection = entry.u16()?;
            let item = self.item(id)?;
            item.kind = entry.kind()?;
            item.unreachable |= protection != 0;
        }
        Ok(())
    }

    fn locations(&mut self, mut cursor: Cursor<'a>) -> Result<(), Error> {
        let (version, _) = cursor.version()?;
        if version > 2 {
            return Err(admit::broken("an iloc of another version"));
        }
        let widths = cursor.u16()?.to_be_bytes();
        let (offset, length) = (widths[0] >> 4, widths[0] & 15);
        let (base, index) = (widths[1] >> 4, widths[1] & 15);
        let index = if version == 0 { 0 } else { index };
        let count = cursor.narrow(version == 2)?;
        let mut parts = 0;
        for _ in 0..count {
            let id = cursor.narrow(version == 2)?;
            let method = if version == 0 { 0 } else { cursor.u16()? & 15 };
            let elsewhere = cursor.u16()? != 0;
            let base = cursor.sized(base)?;
            let extents = cursor.u16()?;
            parts += usize::from(extents);
            if parts > MOST_PARTS {
                return Err(too_many("extents"));
            }
            let item = self.item(id)?;
            item.inside = method == 1;
            item.unreachable |= elsewhere || method > 1;
            for _ in 0..extents {
                cursor.sized(index)?;
                let start = base
                    .checked_add(cursor.sized(offset)?)
                    .ok_or_else(|| admit::broken("an extent past any file"))?;
                item.extents.push((start, cursor.sized(length)?));
            }
        }
        Ok(())
    }

    fn item_properties(&mut self, mut cursor: Cursor<'a>) -> Result<(), Error> {
        while let Some((kind, contents)) = cursor.next_box()? {
            match &kind {
                b"ipco" => self.property_list(contents)?,
                b"ipma" => self.associations(contents)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn property_list(&mut self, mut cursor: Cursor<'a>) -> Result<(), Error> {
        self.property_bytes = cursor.0;
        let whole = cursor.0.len();
        while let Some((kind, contents)) = cursor.next_box()? {
            if self.properties.len() >= MOST_PARTS {
                return Err(too_many("properties"));
            }
            let start = whole - cursor.0.len() - contents.0.len();
            self.properties.push(Property::read(kind, contents, start)?);
        }
        Ok(())
    }

    fn associations(&mut self, mut cursor: Cursor<'a>) -> Result<(), Error> {
        let (version, flags) = cursor.version()?;
        let mut parts = 0;
        for _ in 0..cursor.u32()? {
            let id = cursor.narrow(version != 0)?;
            let count = cursor.u8()?;
            parts += usize::from(count);
            if parts > MOST_PARTS {
                return Err(too_many("associations"));
            }
            let item = self.item(id)?;
            for _ in 0..count {
                let (essential, index) = if flags & 1 == 0 {
                    let byte = cursor.u8()?;
                    (byte & 0x80 != 0, usize::from(byte & 0x7F))
                } else {
                    let word = cursor.u16()?;
                    (word & 0x8000 != 0, usize::from(word & 0x7FFF))
                };
                // Numbered from 1; 0 is none.
                if let Some(place) = index.checked_sub(1) {
                    item.associations.push((place, essential));
                }
            }
        }
        Ok(())
    }

    fn references(&mut self, mut cursor: Cursor<'a>) -> Result<(), Error> {
        let (version, _) = cursor.version()?;
        let mut parts = 0;
        while let Some((kind, mut contents)) = cursor.next_box()? {
            let from = contents.narrow(version != 0)?;
            let count = contents.u16()?;
            parts += usize::from(count) + 1;
            if parts > MOST_PARTS {
                return Err(too_many("references"));
            }
            let to = (0..count).map(|_| contents.narrow(version != 0));
            let to = to.collect::<Result<_, _>>()?;
            self.references.push(Reference { kind, from, to });
        }
        Ok(())
    }
}

fn too_many(what: &str) -> Error {
    Error::Limit(format!("has more {what} than an AVIF needs"))
}

impl<'a> Container<'a> {
    /// An item, where it exists and can be read.
    ///
    /// # Errors
    /// [`Error::Broken`]; [`Error::UnsupportedFeature`].
    pub(super) fn find(&self, id: u32) -> Result<&Item, Error> {
        let item = self.items.get(&id);
        let item = item.ok_or_else(|| admit::broken("an item that is not there"))?;
        if item.unreachable {
            return Err(Error::UnsupportedFeature {
                format: "AVIF",
                feature: "an item that is encrypted, or not in the file",
            });
        }
        Ok(item)
    }

    /// The properties of an item, in order.
    ///
    /// # Errors
    /// [`Error::UnsupportedFeature`] where an essential one is not understood; [`Error::Broken`].
    pub(super) fn properties(&self, item: &Item) -> Result<Vec<&Property>, Error> {
        let properties = item.associations.iter().map(|(place, essential)| {
            let property = self.properties.get(*place);
            let property = property.ok_or_else(|| admit::broken("a property that is not there"))?;
            match (property, essential) {
                (Property::Unknown, true) => Err(Error::UnsupportedFeature {
                    format: "AVIF",
                    feature: "a property that must be understood",
                }),
                (property, false) if property.changes_the_picture() => {
                    Err(admit::broken("a transformation that is not essential"))
                }
                (property, _) => Ok(property),
            }
        });
        properties.collect()
    }

    /// The bytes that a property refers to.
    pub(super) fn property_bytes(&self, place: &std::ops::Range<usize>) -> &'a [u8] {
        self.property_bytes.get(place.clone()).unwrap_or_default()
    }

    /// The bytes of an item. Together its extents are no longer than the file.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub(super) fn bytes(&self, item: &Item) -> Result<Cow<'a, [u8]>, Error> {
        let whole = if item.inside { self.data } else { self.file };
        let mut pieces = item.extents.iter().map(|(start, length)| {
            let start = usize::try_from(*start).ok()?;
            match usize::try_from(*length).ok()? {
                // All that there is.
                0 => whole.get(start..),
                length => whole.get(start..start.checked_add(length)?),
            }
        });
        let missing = || admit::broken("an item that reaches past the end");
        if item.extents.len() == 1 {
            let piece = pieces.next().flatten().ok_or_else(missing)?;
            return Ok(Cow::Borrowed(piece));
        }
        let mut bytes = Vec::new();
        for piece in pieces {
            let piece = piece.ok_or_else(missing)?;
            if bytes.len() + piece.len() > whole.len() {
                return Err(admit::broken("an item that repeats parts of the file"));
            }
            bytes.extend_from_slice(piece);
        }
        if bytes.is_empty() {
            return Err(admit::broken("an item without bytes"));
        }
        Ok(Cow::Owned(bytes))
    }

    /// Where the references of this kind from an item lead.
    pub(super) fn led_to(&self, kind: [u8; 4], from: u32) -> &[u32] {
        self.references
            .iter()
            .find(|reference| reference.kind == kind && reference.from == from)
            .map_or(&[], |reference| &reference.to)
    }

    /// Which items refer to an item in this way.
    pub(super) fn led_from(&self, kind: [u8; 4], to: u32) -> impl Iterator<Item = u32> {
        self.references
            .iter()
            .filter(move |reference| reference.kind == kind && reference.to.contains(&to))
            .map(|reference| reference.from)
    }
}
