//! The blocks of a GIF, borrowed from the file. Decodes no pixel, so that a hundred thousand
//! frames are counted in the time it takes to hop over them.

use super::super::Error;

/// The logical screen: six bytes of signature, seven of descriptor, and a table.
pub(super) struct Screen<'a> {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) table: Option<&'a [u8]>,
    /// All of it, as it stands in the file.
    pub(super) whole: &'a [u8],
}

/// What concerns the next image.
#[derive(Clone, Copy, Default)]
pub(super) struct Control {
    /// 2 clears, 3 and 4 restore, the rest keeps.
    pub(super) disposal: u8,
    /// In hundredths of a second.
    pub(super) delay: u16,
    pub(super) transparent: Option<u8>,
}

/// One image, and where it goes.
pub(super) struct Image<'a> {
    pub(super) left: u16,
    pub(super) top: u16,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) interlaced: bool,
    pub(super) table: Option<&'a [u8]>,
    pub(super) code_size: u8,
    pub(super) data: SubBlocks<'a>,
}

impl Image<'_> {
    pub(super) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

pub(super) enum Kind<'a> {
    Control(Control),
    Image(Image<'a>),
    Application(SubBlocks<'a>),
    /// Comments, plain text, and extensions that we do not know.
    Other,
    Trailer,
}

pub(super) struct Block<'a> {
    pub(super) kind: Kind<'a>,
    /// All of it, as it stands in the file.
    pub(super) whole: &'a [u8],
}

/// Walks the blocks; ends with the trailer, with the file, or where there is no block to be seen.
pub(super) struct Blocks<'a> {
    rest: &'a [u8],
}

/// Reads the screen.
pub(super) fn open(bytes: &[u8]) -> Result<(Screen<'_>, Blocks<'_>), Error> {
    let broken = || Error::broken("no whole GIF screen descriptor");
    let head = bytes.first_chunk::<13>().ok_or_else(broken)?;
    let end = 13 + table_length(head[10]);
    let whole = bytes.get(..end).ok_or_else(broken)?;
    let screen = Screen {
        width: u16::from_le_bytes([head[6], head[7]]),
        height: u16::from_le_bytes([head[8], head[9]]),
        table: (end > 13).then(|| &whole[13..]),
        whole,
    };
    let rest = &bytes[end..];
    Ok((screen, Blocks { rest }))
}

/// Bytes of the colour table that these flags announce.
fn table_length(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        // Some writers pad with empty sub-blocks.
        while let [0, rest @ ..] = self.rest {
            self.rest = rest;
        }
        let rest = std::mem::take(&mut self.rest);
        let (kind, length) = match *rest {
            [0x3B, ..] => {
                return Some(Block {
                    kind: Kind::Trailer,
                    whole: &rest[..1],
                });
            }
            [0x2C, ..] => image(rest)?,
            [0x21, label, ..] => {
                let data = SubBlocks::new(rest.get(2..)?)?;
                let kind = match label {
                    0xF9 => Kind::Control(control(data)),
                    0xFF => Kind::Application(data),
                    _ => Kind::Other,
                };
                (kind, 2 + data.bytes.len() + 1)
            }
            _ => return None,
        };
        self.rest = rest.get(length..)?;
        Some(Block {
            kind,
            whole: &rest[..length],
        })
    }
}

fn control(data: SubBlocks<'_>) -> Control {
    match data.pieces().next() {
        Some([flags, low, high, transparent, ..]) => Control {
            disposal: flags >> 2 & 7,
            delay: u16::from_le_bytes([*low, *high]),
            transparent: (flags & 1 != 0).then_some(*transparent),
        },
        _ => Control::default(),
    }
}

fn image(rest: &[u8]) -> Option<(Kind<'_>, usize)> {
    let head = rest.first_chunk::<10>()?;
    let word = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let flags = head[9];
    let table_end = 10 + table_length(flags);
    let table = rest.get(10..table_end)?;
    let code_size = *rest.get(table_end)?;
    let data = SubBlocks::new(&rest[table_end + 1..])?;
    let image = Image {
        left: word(1),
        top: word(3),
        width: word(5),
        height: word(7),
        interlaced: flags & 0x40 != 0,
        table: (!table.is_empty()).then_some(table),
        code_size,
        data,
    };
    let length = table_end + 1 + data.bytes.len() + 1;
    Some((Kind::Image(image), length))
}

/// Pieces of up to 255 bytes, each with its length before it.
#[derive(Clone, Copy)]
pub(super) struct SubBlocks<'a> {
    /// Without the empty one at the end.
    bytes: &'a [u8],
}

impl<'a> SubBlocks<'a> {
    /// `None` where the empty one at the end is missing.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut end = 0;
        while let length @ 1.. = *bytes.get(end)? {
            end += 1 + usize::from(length);
        }
        Some(Self {
            bytes: bytes.get(..end)?,
        })
    }
}

impl<'a> SubBlocks<'a> {
    /// The pieces, in order.
    pub(super) fn pieces(self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (length, tail) = rest.split_first()?;
            let (piece, tail) = tail.split_at_checked(usize::from(*length))?;
            rest = tail;
            Some(piece)
        })
    }
}
