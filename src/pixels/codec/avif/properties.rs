//! Properties of items (ISO/IEC 23008-12, 6.5, and the AVIF specification): one box each.

use std::ops::Range;

use super::cursor::Cursor;
use crate::pixels::codec::{Error, admit};

/// A property that matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Property {
    /// Width and height.
    Extent(u32, u32),
    /// Of the AV1 stream.
    Codec(Codec),
    /// Code points.
    Nclx(Nclx),
    /// An ICC profile, at this place in the properties' box.
    Icc(Range<usize>),
    /// Turns by 90° against the clock.
    Rotation(u8),
    /// Mirrored: 0 top and bottom change places, 1 left and right.
    Mirror(u8),
    /// A part of the picture.
    Aperture(Aperture),
    /// What an auxiliary picture is: whether alpha.
    Alpha(bool),
    /// Which operating point of a scalable stream.
    OperatingPoint(u8),
    /// Understood, and of no consequence to pixels.
    Idle,
    /// Not understood: an item for which it is essential cannot be shown.
    Unknown,
}

/// From `av1C`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Codec {
    pub(super) depth: u8,
    pub(super) monochrome: bool,
    /// Whether colour has half the resolution, across and down.
    pub(super) subsampling: (bool, bool),
}

/// From `colr`, or from the AV1 stream: code points of ITU-T H.273.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nclx {
    pub(super) primaries: u8,
    pub(super) transfer: u8,
    pub(super) matrix: u8,
    pub(super) full_range: bool,
}

/// From `clap`: numerators and denominators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Aperture {
    pub(super) width: (u32, u32),
    pub(super) height: (u32, u32),
    /// Of the part's middle, from the picture's middle.
    pub(super) right: (i32, u32),
    pub(super) down: (i32, u32),
}

const ALPHA_NAMES: [&[u8]; 2] = [
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    b"urn:mpeg:hevc:2015:auxid:1",
];

impl Property {
    /// Reads the contents of one box; `start` is their place in the properties' box.
    pub(super) fn read(kind: [u8; 4], mut cursor: Cursor<'_>, start: usize) -> Result<Self, Error> {
        Ok(match &kind {
            b"ispe" => {
                cursor.version()?;
                Self::Extent(cursor.u32()?, cursor.u32()?)
            }
            b"av1C" => Self::Codec(Codec::read(cursor)?),
            b"colr" => colour(cursor, start)?,
            b"irot" => Self::Rotation(cursor.u8()? & 3),
            b"imir" => Self::Mirror(cursor.u8()? & 1),
            b"clap" => Self::Aperture(Aperture {
                width: (cursor.u32()?, cursor.u32()?),
                height: (cursor.u32()?, cursor.u32()?),
                right: (cursor.i32()?, cursor.u32()?),
                down: (cursor.i32()?, cursor.u32()?),
            }),
            b"auxC" => {
                cursor.version()?;
                let name = cursor.0.split(|byte| *byte == 0).next();
                Self::Alpha(name.is_some_and(|name| ALPHA_NAMES.contains(&name)))
            }
            b"a1op" => Self::OperatingPoint(cursor.u8()?),
            b"pixi" | b"pasp" | b"clli" | b"mdcv" | b"cclv" | b"amve" | b"a1lx" => Self::Idle,
            // A layer by number. All ones asks for the last, which is what decoders give.
            b"lsel" if cursor.u16()? == u16::MAX => Self::Idle,
            _ => Self::Unknown,
        })
    }

    /// Whether it may only stand as an essential one: a reader that skips it shows another picture.
    pub(super) fn changes_the_picture(&self) -> bool {
        matches!(
            self,
            Self::Rotation(_) | Self::Mirror(_) | Self::Aperture(_) | Self::OperatingPoint(_)
        )
    }
}

impl Codec {
    fn read(mut cursor: Cursor<'_>) -> Result<Self, Error> {
        if cursor.u8()? != 0x81 {
            return Err(admit::broken("an av1C of another version"));
        }
        cursor.u8()?;
        let flags = cursor.u8()?;
        Ok(Self {
            depth: match (flags & 0x40 != 0, flags & 0x20 != 0) {
                (false, _) => 8,
                (true, false) => 10,
                (true, true) => 12,
            },
            monochrome: flags & 0x10 != 0,
            subsampling: (flags & 8 != 0, flags & 4 != 0),
        })
    }
}

fn colour(mut cursor: Cursor<'_>, start: usize) -> Result<Property, Error> {
    match &cursor.kind()? {
        b"nclx" => {
            let point = |value| u8::try_from(value).unwrap_or(2);
            Ok(Property::Nclx(Nclx {
                primaries: point(cursor.u16()?),
                transfer: point(cursor.u16()?),
                matrix: point(cursor.u16()?),
                full_range: cursor.u8()? & 0x80 != 0,
            }))
        }
        b"prof" | b"rICC" => Ok(Property::Icc(start + 4..start + 4 + cursor.0.len())),
        _ => Ok(Property::Idle),
    }
}
