//! Entropy-coded data, from memory or as they are read: bytes in order, and the markers in them.

use crate::pixels::codec::{Rest, jpeg::markers::next_marker};

/// Bytes that are read at once: a call to the system costs little beside them, and they stay in a
/// second-level cache.
const READ: usize = 64 << 10;

/// The bytes of a scan, and whatever follows it.
pub(super) enum Data<'a> {
    /// Those that are still to come.
    Held(&'a [u8]),
    Read(Reader<'a>),
}

/// Bytes as they are read.
pub(super) struct Reader<'a> {
    rest: &'a dyn Rest,
    /// Where the next ones stand.
    at: u64,
    buffer: Box<[u8]>,
    /// Those of the buffer that are still to come.
    start: usize,
    end: usize,
}

impl<'a> Data<'a> {
    /// Bytes that it holds, at most.
    pub(super) const BYTES: u64 = READ as u64;

    /// Those of a file from `start` on.
    pub(super) fn held(file: &'a [u8], start: usize) -> Self {
        Self::Held(file.get(start..).unwrap_or_default())
    }

    /// Those from the place `start` of a file on.
    pub(super) fn read(rest: &'a dyn Rest, start: usize) -> Self {
        Self::Read(Reader {
            rest,
            at: start as u64,
            buffer: vec![0; READ].into(),
            start: 0,
            end: 0,
        })
    }

    /// What comes next: more than one byte, unless that is the last one or none is left.
    pub(super) fn ahead(&mut self) -> &[u8] {
        match self {
            Self::Held(bytes) => bytes,
            Self::Read(reader) => reader.ahead(),
        }
    }

    /// Goes on by so many bytes, which were [`ahead`](Self::ahead).
    pub(super) fn skip(&mut self, bytes: usize) {
        match self {
            Self::Held(rest) => *rest = rest.get(bytes..).unwrap_or_default(),
            Self::Read(reader) => reader.start = (reader.start + bytes).min(reader.end),
        }
    }

    /// Goes on behind the next marker, and says which it is.
    pub(super) fn marker(&mut self) -> Option<u8> {
        loop {
            let ahead = self.ahead();
            if let Some(place) = next_marker(ahead, 0) {
                let marker = ahead.get(place + 1).copied();
                self.skip(place + 2);
                return marker;
            }
            let [before @ .., last] = ahead else {
                return None;
            };
            if before.is_empty() {
                return None;
            }
            // A marker may begin with the last byte.
            let passed = before.len() + usize::from(*last != 0xFF);
            self.skip(passed);
        }
    }
}

impl Reader<'_> {
    fn ahead(&mut self) -> &[u8] {
        if self.end - self.start < 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            while self.end < 2 {
                let read = self.rest.read(self.at, &mut self.buffer[self.end..]);
                let read = read.min(READ - self.end);
                if read == 0 {
                    break;
                }
                self.at += read as u64;
                self.end += read;
            }
        }
        &self.buffer[self.start..self.end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of which some bytes are read at once.
    #[derive(Debug)]
    struct Pieces<'a>(&'a [u8], usize);

    impl Rest for Pieces<'_> {
        fn read(&self, at: u64, into: &mut [u8]) -> usize {
            let at = usize::try_from(at).expect("a small file").min(self.0.len());
            let read = self.1.min(into.len()).min(self.0.len() - at);
            into[..read].copy_from_slice(&self.0[at..][..read]);
            read
        }
    }

    #[track_caller]
    fn check(file: &[u8], start: usize, markers: &[u8], left: &[u8]) {
        for piece in [1, 2, 3, READ - 1, READ] {
            let pieces = Pieces(file, piece);
            for mut data in [Data::held(file, start), Data::read(&pieces, start)] {
                for marker in markers {
                    assert_eq!(data.marker(), Some(*marker), "{piece}");
                }
                let mut found = Vec::new();
                while let [first, ..] = data.ahead() {
                    found.push(*first);
                    data.skip(1);
                }
                assert_eq!(found, left, "{piece}");
                assert_eq!(data.marker(), None);
            }
        }
    }

    #[test]
    fn what_is_read_is_what_is_held() {
        check(b"", 0, b"", b"");
        check(b"12345", 2, b"", b"345");
        check(b"12345", 5, b"", b"");
        check(b"12345", 6, b"", b"");
        check(
            b"1\xFF\xD0\xFF\xFF\xD12\xFF\x003\xFF\xD94",
            1,
            b"\xD0\xD1\xD9",
            b"4",
        );
        check(b"1\xFF\x00\xFF", 0, b"", b"1\xFF\x00\xFF");
    }

    #[test]
    fn a_marker_may_stand_where_two_reads_meet() {
        for before in READ - 3..READ + 3 {
            let mut file = vec![7; before];
            file.extend(b"\xFF\xD4rest");
            check(&file, 0, b"\xD4", b"rest");
        }
    }
}
