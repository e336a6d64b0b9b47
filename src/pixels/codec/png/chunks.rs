//! The chunks of a PNG, and what they say before a pixel is decoded. Never inflates but the
//! colour profile, and that under a limit.

use std::io::Read;

use flate2::{Crc, read::ZlibDecoder};

use super::super::{Error, Limits, exif};
use crate::pixels::bitmap::Colour;

/// The first eight bytes of every PNG.
pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1A\n";

/// One chunk: four bytes of length, four of kind, the data, four of checksum.
#[derive(Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub(super) kind: [u8; 4],
    pub(super) data: &'a [u8],
    /// All of it, as it stands in the file.
    pub(super) whole: &'a [u8],
}

impl Chunk<'_> {
    /// Whether the checksum is right.
    pub(super) fn is_intact(&self) -> bool {
        let (content, sum) = self.whole[4..].split_at(4 + self.data.len());
        checksum(content).to_be_bytes() == sum
    }

    /// Whether a decoder must understand it.
    pub(super) fn is_critical(&self) -> bool {
        self.kind[0].is_ascii_uppercase()
    }
}

/// Walks the chunks of a file. A chunk that is cut short is an error, and the last item.
pub(super) struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let rest = bytes
            .strip_prefix(SIGNATURE)
            .ok_or_else(|| Error::broken("no PNG signature"))?;
        Ok(Self { rest })
    }

    /// Goes to the first chunk of image data.
    pub(super) fn skip_to_image_data(&mut self) -> Result<(), Error> {
        while self.kind()? != b"IDAT" {
            self.next().transpose()?;
        }
        Ok(())
    }

    /// The data of the next chunk, if those are image data; else it stays the next.
    pub(super) fn image_data(&mut self) -> Result<Option<&'a [u8]>, Error> {
        if self.kind()? != b"IDAT" {
            return Ok(None);
        }
        match self.next().transpose()? {
            Some(chunk) if chunk.is_intact() => Ok(Some(chunk.data)),
            _ => Err(Error::broken("the checksum of a chunk is wrong")),
        }
    }

    /// What the next chunk is.
    fn kind(&self) -> Result<&'a [u8], Error> {
        let kind = self.rest.get(4..8);
        kind.ok_or_else(|| Error::broken("a PNG chunk is cut short"))
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<Chunk<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.rest);
        let chunk = || {
            let (length, tail) = rest.split_first_chunk::<4>()?;
            let (kind, tail) = tail.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let data = tail.get(..length)?;
            let whole = rest.get(..length.checked_add(12)?)?;
            Some(Chunk {
                kind: *kind,
                data,
                whole,
            })
        };
        let Some(chunk) = chunk() else {
            return Some(Err(Error::broken("a PNG chunk is cut short")));
        };
        self.rest = &rest[chunk.whole.len()..];
        Some(Ok(chunk))
    }
}

/// The checksum of a chunk's kind and data.
fn checksum(content: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(content);
    crc.sum()
}

/// Appends a chunk of these data.
pub(super) fn write(out: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) -> Result<(), Error> {
    let length = u32::try_from(data.len()).map_err(Error::encode)?;
    out.extend_from_slice(&length.to_be_bytes());
    let content = out.len();
    out.extend_from_slice(&kind);
    out.extend_from_slice(data);
    let sum = checksum(&out[content..]);
    out.extend_from_slice(&sum.to_be_bytes());
    Ok(())
}

/// The kind of picture whose samples are places in a palette.
const INDEXED: u8 = 3;

/// What stands before the pixels.
pub(super) struct Info<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) depth: u8,
    pub(super) kind: u8,
    pub(super) interlaced: bool,
    pub(super) transparent: bool,
    /// Whether what stands first is called a frame, be there others or not.
    pub(super) framed: bool,
    /// Of an animation: the frames that are both promised and there. 1 where the first image is no
    /// frame of it: what stands first is then the picture, as most other readers have it.
    pub(super) frames: u32,
    /// How often an animation runs; 0: for ever.
    pub(super) plays: u32,
    cicp: Option<[u8; 4]>,
    iccp: Option<&'a [u8]>,
    pub(super) exif: Option<&'a [u8]>,
}

impl<'a> Info<'a> {
    /// Reads the chunks. Damage to those that a decoder may ignore is ignored; of those that may
    /// stand but once, the first counts.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut chunks = Chunks::new(bytes)?;
        let mut info = match chunks.next() {
            Some(Ok(chunk)) => Self::header(&chunk)?,
            Some(Err(error)) => return Err(error),
            None => return Err(Error::broken("no chunk")),
        };
        let mut promised = None;
        let mut controls = 0u32;
        let mut apart = false;
        let mut pixels = false;
        for chunk in chunks {
            // What is cut short behind the first pixels is for the decoder to judge.
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(_) if pixels => break,
                Err(error) => return Err(error),
            };
            match &chunk.kind {
                b"IDAT" => {
                    apart |= controls == 0;
                    info.framed |= !pixels && controls > 0;
                    pixels = true;
                }
                b"IEND" => break,
                b"fcTL" => controls = controls.saturating_add(1),
                b"eXIf" if info.exif.is_none() && chunk.is_intact() => info.exif = Some(chunk.data),
                _ if pixels => {}
                // As libpng; the library panics.
                b"PLTE" if info.kind == INDEXED && chunk.data.len() % 3 != 0 => {
                    return Err(Error::broken("a palette with a third of a colour"));
                }
                b"tRNS" if chunk.is_intact() => info.transparent = true,
                b"iCCP" if info.iccp.is_none() && chunk.is_intact() => info.iccp = Some(chunk.data),
                b"cICP" if info.cicp.is_none() && chunk.is_intact() => {
                    info.cicp = chunk.data.try_into().ok();
                }
                b"acTL" if promised.is_none() && chunk.is_intact() => {
                    let words = chunk.data.split_first_chunk::<4>();
                    if let Some((frames, plays)) = words {
                        promised = Some(u32::from_be_bytes(*frames));
                        info.plays = plays.try_into().map_or(0, u32::from_be_bytes);
                    }
                }
                _ => {}
            }
        }
        if !pixels {
            return Err(Error::broken("no PNG image data"));
        }
        info.frames = match promised {
            Some(frames) if !apart => frames.min(controls).max(1),
            _ => 1,
        };
        Ok(info)
    }

    fn header(chunk: &Chunk<'_>) -> Result<Self, Error> {
        if &chunk.kind == b"CgBI" {
            return Err(Error::UnsupportedFeature {
                format: "PNG",
                feature: "Apple's own compression (CgBI)",
            });
        }
        let data: &[u8; 13] = match chunk.data.try_into() {
            Ok(data) if &chunk.kind == b"IHDR" && chunk.is_intact() => data,
            _ => return Err(Error::broken("no intact IHDR")),
        };
        let [width @ .., _, _, _, _, _, _, _, _, _] = *data;
        let [
            _,
            _,
            _,
            _,
            height @ ..,
            depth,
            kind,
            method,
            filter,
            interlace,
        ] = *data;
        let depths: &[u8] = match kind {
            0 => &[1, 2, 4, 8, 16],
            INDEXED => &[1, 2, 4, 8],
            2 | 4 | 6 => &[8, 16],
            _ => &[],
        };
        if !depths.contains(&depth) || method != 0 || filter != 0 || interlace > 1 {
            return Err(Error::broken("an IHDR of impossible values"));
        }
        Ok(Self {
            width: u32::from_be_bytes(width),
            height: u32::from_be_bytes(height),
            depth,
            kind,
            interlaced: interlace == 1,
            transparent: false,
            framed: false,
            frames: 1,
            plays: 0,
            cicp: None,
            iccp: None,
            exif: None,
        })
    }

    /// Whether some pixel may be transparent.
    pub(super) fn alpha(&self) -> bool {
        self.transparent || matches!(self.kind, 4 | 6)
    }

    pub(super) fn orientation(&self) -> u8 {
        self.exif.and_then(exif::orientation).unwrap_or(1)
    }

    /// What the numbers mean, in the order of the PNG specification: cICP over iCCP over the rest.
    /// A file with gAMA and cHRM alone is taken for sRGB, as browsers without colour management
    /// of their own have always shown it.
    pub(super) fn colour(&self, limits: &Limits) -> Result<Colour, Error> {
        // 2 is "unspecified"; a matrix or a narrow range are not for RGB pictures.
        match self.cicp {
            Some([1, 13, 0, 1]) => return Ok(Colour::Srgb),
            Some([primaries, transfer, 0, 1]) if primaries != 2 && transfer != 2 => {
                return Ok(Colour::Cicp {
                    primaries,
                    transfer,
                });
            }
            _ => {}
        }
        let profile = match self.iccp {
            Some(data) => inflate_profile(data, limits.icc_bytes)?,
            None => None,
        };
        Ok(profile.map_or(Colour::Srgb, |profile| Colour::Icc(profile.into())))
    }
}

/// A profile is a name of 1 to 79 bytes, NUL, the method 0, and a zlib stream. One that cannot be
/// inflated is ignored; one that is too long is refused, because ignoring it would change colours.
fn inflate_profile(data: &[u8], limit: usize) -> Result<Option<Vec<u8>>, Error> {
    let name = data.iter().take(80).position(|byte| *byte == 0);
    let Some([0, 0, stream @ ..]) = name.and_then(|end| data.get(end..)) else {
        return Ok(None);
    };
    let mut profile = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = ZlibDecoder::new(stream)
        .take(most)
        .read_to_end(&mut profile);
    if profile.len() > limit {
        return Err(Error::Limit(format!(
            "has a colour profile of more than {limit} bytes"
        )));
    }
    Ok(read.ok().filter(|length| *length > 0).map(|_| profile))
}
