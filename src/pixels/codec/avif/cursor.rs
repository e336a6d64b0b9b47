//! Bytes read from the front, and the boxes of ISO base media files (ISO/IEC 14496-12, 4.2).
//! Everything that is missing is an error; nothing is allocated.

use crate::pixels::codec::{Error, admit};

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| admit::broken("a box that ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let taken = self.take(N)?;
        taken
            .try_into()
            .map_err(|_| admit::broken("a box that ends too early"))
    }

    pub(super) fn u8(&mut self) -> Result<u8, Error> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Error> {
        self.array().map(i32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn kind(&mut self) -> Result<[u8; 4], Error> {
        self.array()
    }

    /// A number of 0, 4 or 8 bytes; `iloc` has fields of these widths.
    pub(super) fn sized(&mut self, bytes: u8) -> Result<u64, Error> {
        match bytes {
            0 => Ok(0),
            4 => self.u32().map(u64::from),
            8 => self.u64(),
            _ => Err(admit::broken("a number of an odd width")),
        }
    }

    /// A number of 2 bytes, or of 4 where `wide`; item numbers and counts grow so with versions.
    pub(super) fn narrow(&mut self, wide: bool) -> Result<u32, Error> {
        if wide {
            self.u32()
        } else {
            self.u16().map(u32::from)
        }
    }

    /// Version and flags of a full box.
    pub(super) fn version(&mut self) -> Result<(u8, u32), Error> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0x00FF_FFFF))
    }

    /// The next box: its kind and its contents; `None` at the end.
    pub(super) fn next_box(&mut self) -> Result<Option<([u8; 4], Self)>, Error> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let size = self.u32()?;
        let kind = self.kind()?;
        let length = match size {
            // To the end of what encloses it.
            0 => self.0.len(),
            1 => usize::try_from(self.u64()?)
                .ok()
                .and_then(|size| size.checked_sub(16))
                .ok_or_else(|| admit::broken("a box of an odd length"))?,
            size => usize::try_from(size)
                .ok()
                .and_then(|size| size.checked_sub(8))
                .ok_or_else(|| admit::broken("a box of an odd length"))?,
        };
        self.take(length)
            .map(|contents| Some((kind, Self(contents))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], contents: Option<&[u8]>) {
        let found = Cursor(bytes).next_box().ok().flatten();
        assert_eq!(found.map(|(_, cursor)| cursor.0), contents);
    }

    #[test]
    fn a_box_is_as_long_as_it_says() {
        check(b"\0\0\0\x0Aabcdxyz", Some(b"xy"));
        check(b"\0\0\0\x08abcdxyz", Some(b""));
        check(b"\0\0\0\x07abcdxyz", None);
        check(b"\0\0\0\x0Cabcdxyz", None);
        check(b"\0\0\0\0abcdxyz", Some(b"xyz"));
        check(b"\0\0\0\x01abcd\0\0\0\0\0\0\0\x11x", Some(b"x"));
        check(b"\0\0\0\x01abcd\0\0\0\0\0\0\0\x0Fx", None);
        check(b"\0\0\0\x01abcd\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFx", None);
        check(b"\0\0\0", None);
        check(b"", None);
    }
}
