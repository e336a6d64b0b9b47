//! The segments of a JPEG file, walked without decoding. Knows where things are and what they
//! are called; knows nothing of pixels.
//!
//! The walk never goes back and never allocates per segment, so that a file of nothing but
//! comments, fill bytes or empty segments costs one pass over its bytes.

use std::ops::Range;

use memchr::memchr;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;
const APP15: u8 = 0xEF;
const COM: u8 = 0xFE;

const JFIF: &[u8] = b"JFIF\0";
const EXIF: &[u8] = b"Exif\0\0";
const ICC: &[u8] = b"ICC_PROFILE\0";
const ADOBE: &[u8] = b"Adobe";
/// What libjpeg asks of an APP14 segment before it believes it.
const ADOBE_LENGTH: usize = 12;
/// And of an APP0 segment.
const JFIF_LENGTH: usize = 14;

/// One segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The byte after `FF`.
    pub(super) marker: u8,
    /// From its `FF` to its end; for a scan, its entropy-coded data included.
    pub(super) whole: Range<usize>,
    /// What stands after the length.
    pub(super) payload: Range<usize>,
}

impl Segment {
    pub(super) fn is_end(&self) -> bool {
        self.marker == EOI
    }

    pub(super) fn is_scan(&self) -> bool {
        self.marker == SOS
    }

    /// Frame headers: C0 to CF without DHT, JPG and DAC.
    pub(super) fn is_frame(&self) -> bool {
        matches!(self.marker, 0xC0..=0xCF) && !matches!(self.marker, 0xC4 | 0xC8 | 0xCC)
    }

    pub(super) fn is_icc(&self, bytes: &[u8]) -> bool {
        self.marker == APP2 && self.payload(bytes).starts_with(ICC)
    }

    pub(super) fn is_adobe(&self, bytes: &[u8]) -> bool {
        let payload = self.payload(bytes);
        self.marker == APP14 && payload.len() >= ADOBE_LENGTH && payload.starts_with(ADOBE)
    }

    /// What Adobe's marker says of the colours: 0 is none, 1 luma and differences.
    pub(super) fn adobe_transform(&self, bytes: &[u8]) -> u8 {
        let payload = self.payload(bytes);
        payload.get(ADOBE_LENGTH - 1).copied().unwrap_or(0)
    }

    /// As libjpeg asks of an APP0 segment before it believes it.
    pub(super) fn is_jfif(&self, bytes: &[u8]) -> bool {
        let payload = self.payload(bytes);
        self.marker == APP0 && payload.len() >= JFIF_LENGTH && payload.starts_with(JFIF)
    }

    /// Whether pixels come out the same without it.
    pub(super) fn is_metadata(&self, bytes: &[u8]) -> bool {
        match self.marker {
            APP0 => !self.payload(bytes).starts_with(JFIF),
            APP2 => !self.is_icc(bytes),
            APP14 => !self.is_adobe(bytes),
            APP1..=APP15 | COM => true,
            _ => false,
        }
    }

    pub(super) fn payload<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.payload.clone()).unwrap_or_default()
    }

    /// The TIFF block of an EXIF segment.
    pub(super) fn exif<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        (self.marker == APP1)
            .then(|| self.payload(bytes).strip_prefix(EXIF))
            .flatten()
    }

    /// Number, count and data of a chunk of an ICC profile.
    pub(super) fn icc<'a>(&self, bytes: &'a [u8]) -> Option<(u8, u8, &'a [u8])> {
        match self.payload(bytes).strip_prefix(ICC)? {
            [number, count, data @ ..] if self.marker == APP2 => Some((*number, *count, data)),
            _ => None,
        }
    }
}

/// The segments after the start of image, up to the end of image or of the bytes.
///
/// Bytes that belong to no segment are stepped over, as libjpeg does. A segment that the file ends
/// within is not returned.
#[derive(Debug)]
pub(super) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
    into_scans: bool,
}

impl<'a> Segments<'a> {
    /// All of them. `None` where the bytes do not begin as a JPEG.
    pub(super) fn all(bytes: &'a [u8]) -> Option<Self> {
        bytes.starts_with(&[0xFF, SOI]).then_some(Self {
            bytes,
            at: 2,
            into_scans: true,
        })
    }

    /// Those up to the header of the first scan, whose data are not looked at.
    pub(super) fn header(bytes: &'a [u8]) -> Option<Self> {
        Self::all(bytes).map(|all| Self {
            into_scans: false,
            ..all
        })
    }

    /// Those from `at` up to the header of the next scan, whose data are not looked at.
    pub(super) fn resume(bytes: &'a [u8], at: usize) -> Option<Self> {
        Self::header(bytes).map(|header| Self { at, ..header })
    }

    /// The place of the next `FF` that a marker follows, and the marker.
    fn marker(&self, at: usize) -> Option<(usize, u8)> {
        let place = next_marker(self.bytes, at)?;
        Some((place, *self.bytes.get(place + 1)?))
    }

    /// Where the entropy-coded data that begins at `at` ends.
    fn end_of_scan(&self, mut at: usize) -> usize {
        loop {
            match self.marker(at) {
                Some((place, 0x01 | 0xD0..=0xD7)) => at = place + 2,
                Some((place, _)) => return place,
                None => return self.bytes.len(),
            }
        }
    }
}

/// The place of the next `FF` that a marker follows, at or after `at`. Of fill bytes it is the last.
pub(super) fn next_marker(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += without_markers(bytes.get(at..)?);
        at += memchr(0xFF, bytes.get(at..)?)?;
        match *bytes.get(at + 1)? {
            // Fill bytes: the marker begins with the last of them.
            0xFF => at += 1,
            // A stuffed byte, or noise between segments.
            0x00 => at += 2,
            _ => return Some(at),
        }
    }
}

/// Bytes that are looked at side by side.
const SIDE_BY_SIDE: usize = 64;

/// How many of the first bytes surely begin no marker. Scans hold a stuffed byte every few hundred:
/// to stop at each would cost more than all the rest.
fn without_markers(bytes: &[u8]) -> usize {
    let next = bytes.get(1..).unwrap_or_default();
    let pairs = bytes
        .chunks_exact(SIDE_BY_SIDE)
        .zip(next.chunks_exact(SIDE_BY_SIDE));
    let plain = pairs.take_while(|(own, next)| {
        let marks = own.iter().zip(*next);
        let any = marks.fold(0, |any, (own, next)| {
            any | u8::from(*own == 0xFF) & u8::from(*next != 0)
        });
        any == 0
    });
    plain.count() * SIDE_BY_SIDE
}

impl Iterator for Segments<'_> {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        let (start, marker) = self.marker(self.at)?;
        let after = start + 2;
        // Markers that stand alone.
        if matches!(marker, 0x01 | 0xD0..=0xD9) {
            self.at = if marker == EOI {
                self.bytes.len()
            } else {
                after
            };
            return Some(Segment {
                marker,
                whole: start..after,
                payload: after..after,
            });
        }
        let length = self.bytes.get(after..after + 2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let end = after + length;
        if length < 2 || end > self.bytes.len() {
            return None;
        }
        let whole = match marker {
            SOS if self.into_scans => start..self.end_of_scan(end),
            _ => start..end,
        };
        self.at = if marker == SOS && !self.into_scans {
            self.bytes.len()
        } else {
            whole.end
        };
        Some(Segment {
            marker,
            whole,
            payload: after + 2..end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], markers: &[u8]) {
        let found: Vec<u8> = Segments::all(bytes)
            .expect("a start of image")
            .map(|segment| segment.marker)
            .collect();
        assert_eq!(found, markers);
    }

    #[test]
    fn segments_are_found_through_fill_bytes_and_noise() {
        check(&[0xFF, 0xD8, 0xFF, 0xD9], &[0xD9]);
        check(&[0xFF, 0xD8, 0xFF, 0xFF, 0xFF, 0xD9], &[0xD9]);
        check(&[0xFF, 0xD8, 7, 0xFF, 0x00, 0xFF, 0xD9], &[0xD9]);
        check(&[0xFF, 0xD8, 0xFF, 0xFE, 0, 2, 0xFF, 0xD9], &[0xFE, 0xD9]);
        check(&[0xFF, 0xD8, 0xFF, 0xFE, 0, 9, 0xFF, 0xD9], &[]);
        check(&[0xFF, 0xD8, 0xFF, 0xFE, 0, 1, 0xFF, 0xD9], &[]);
        check(&[0xFF, 0xD8], &[]);
    }

    #[test]
    fn a_scan_reaches_to_the_next_marker_that_is_no_restart() {
        let bytes = [
            0xFF, 0xD8, 0xFF, 0xDA, 0, 2, 1, 0xFF, 0x00, 2, 0xFF, 0xD3, 3, 0xFF, 0xC4, 0, 2, 0xFF,
            0xD9, 9, 9,
        ];
        check(&bytes, &[0xDA, 0xC4, 0xD9]);
        let scan = Segments::all(&bytes).and_then(|mut s| s.next());
        assert_eq!(scan.map(|s| s.whole), Some(2..13));
    }

    #[test]
    fn markers_are_found_wherever_they_stand() {
        for at in 0..200 {
            let mut bytes = vec![3; 200];
            // Stuffed bytes all over, and an `FF` at the very end.
            for stuffed in (0..199).step_by(7) {
                bytes[stuffed] = 0xFF;
                bytes[stuffed + 1] = 0;
            }
            bytes[199] = 0xFF;
            assert_eq!(next_marker(&bytes, at), None);
            if at < 197 {
                bytes[at..at + 3].copy_from_slice(&[0xFF, 0xFF, 0xD9]);
                assert_eq!(next_marker(&bytes, 0), Some(at + 1));
                assert_eq!(next_marker(&bytes, at + 1), Some(at + 1));
            }
        }
    }

    #[test]
    fn nothing_is_read_after_the_end_of_image() {
        check(&[0xFF, 0xD8, 0xFF, 0xD9, 0xFF, 0xD8, 0xFF, 0xDA], &[0xD9]);
    }

    #[test]
    fn other_bytes_are_no_jpeg() {
        assert!(Segments::all(b"\x89PNG").is_none());
        assert!(Segments::all(&[]).is_none());
    }
}
