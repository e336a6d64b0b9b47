//! What a JPEG file is, from its segments: size, components, scans, profile, orientation.
//! Decodes nothing.

use super::markers::{Segment, Segments};
use crate::pixels::{
    codec::{Error, Limits, admit, exif},
    geometry::Size,
    planes::Sampling,
};

/// What the segments say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Survey {
    pub(super) size: Size,
    /// 1, 3 or 4.
    pub(super) components: u8,
    /// Whether the whole picture is held as coefficients before a row comes out.
    pub(super) buffered: bool,
    /// Samples of all components, in their own resolutions, in whole blocks.
    pub(super) samples: u64,
    /// EXIF's, 1 to 8.
    pub(super) orientation: u8,
    /// Whether Adobe's marker is there: four inks are then stored inverted.
    pub(super) adobe: bool,
    /// The planes that it is coded in, unless those are RGB, inks, or sampled in an odd way.
    pub(super) planes: Option<Sampling>,
}

const FORMAT: &str = "JPEG";

/// Scans of a picture that is as large as pictures may be; smaller ones may have more, in
/// proportion. Each goes over every block, and takes a few bytes where nothing changes. Encoders
/// write about ten.
const SCANS_OF_THE_LARGEST: u64 = 20;

/// Surveys a file and holds it against the limits.
///
/// # Errors
/// [`Error::Broken`], [`Error::UnsupportedFeature`] or [`Error::Limit`].
pub(super) fn survey(bytes: &[u8], limits: &Limits) -> Result<Survey, Error> {
    let mut frame = None;
    let mut orientation = None;
    let mut adobe = None;
    let mut jfif = false;
    let segments = Segments::header(bytes).ok_or_else(|| admit::broken("no start of image"))?;
    for segment in segments {
        if let (None, Some(tiff)) = (orientation, segment.exif(bytes)) {
            orientation = exif::orientation(tiff);
        } else if segment.is_adobe(bytes) {
            adobe = Some(segment.adobe_transform(bytes));
        } else if segment.is_jfif(bytes) {
            jfif = true;
        } else if segment.is_frame() && frame.is_none() {
            frame = Some(Frame::read(&segment, bytes, limits)?);
        } else if segment.is_scan() {
            let frame = frame.ok_or_else(|| admit::broken("a scan before its frame"))?;
            let buffered = frame.progressive
                || segment.payload(bytes).first().copied() != Some(frame.components);
            if buffered {
                count_scans(bytes, frame.size, limits)?;
            }
            return Ok(Survey {
                size: frame.size,
                components: frame.components,
                buffered,
                samples: frame.samples,
                orientation: orientation.unwrap_or(1),
                adobe: adobe.is_some(),
                planes: frame.planes(jfif, adobe),
            });
        } else if segment.is_end() {
            break;
        }
    }
    Err(admit::broken("no scan"))
}

/// Every scan of a progressive file goes over the whole picture again, however few its bytes.
fn count_scans(bytes: &[u8], size: Size, limits: &Limits) -> Result<(), Error> {
    let scans = Segments::all(bytes)
        .into_iter()
        .flatten()
        .filter(Segment::is_scan)
        .count();
    let most = scans_allowed(size, limits);
    if u64::try_from(scans).unwrap_or(u64::MAX) > u64::from(most) {
        return Err(too_many_scans(most));
    }
    Ok(())
}

/// Scans that a picture of this size may have.
fn scans_allowed(size: Size, limits: &Limits) -> u32 {
    let worth = limits.pixels.saturating_mul(SCANS_OF_THE_LARGEST) / size.pixels().max(1);
    limits.scans.min(u32::try_from(worth).unwrap_or(u32::MAX))
}

pub(super) fn too_many_scans(limit: u32) -> Error {
    Error::Limit(format!("has more than {limit} scans"))
}

/// The ICC profile, where all its chunks are there and in order of their numbers.
///
/// A profile that is incomplete or over the limit is no profile: the picture is then taken for
/// sRGB, as browsers do.
pub(super) fn icc(bytes: &[u8], limits: &Limits) -> Option<Vec<u8>> {
    let mut chunks = Vec::new();
    for segment in Segments::header(bytes)? {
        if let Some((number, count, data)) = segment.icc(bytes) {
            chunks.push((number, count, data));
            if chunks.len() > usize::from(u8::MAX) {
                return None;
            }
        }
    }
    chunks.sort_by_key(|(number, ..)| *number);
    let count = chunks.first()?.1;
    let numbered = chunks
        .iter()
        .zip(1u8..)
        .all(|(chunk, number)| chunk.0 == number && chunk.1 == count);
    let length: usize = chunks.iter().map(|(.., data)| data.len()).sum();
    (numbered && chunks.len() == usize::from(count) && length <= limits.icc_bytes).then(|| {
        chunks
            .iter()
            .flat_map(|(.., data)| *data)
            .copied()
            .collect()
    })
}

/// A frame header.
struct Frame {
    size: Size,
    components: u8,
    progressive: bool,
    samples: u64,
    /// Identifier, and sampling factors across and down, of each component.
    parts: Vec<(u8, u32, u32)>,
}

impl Frame {
    fn read(segment: &Segment, bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let unsupported = |feature| {
            Err(Error::UnsupportedFeature {
                format: FORMAT,
                feature,
            })
        };
        let progressive = match segment.marker {
            0xC0 | 0xC1 => false,
            0xC2 => true,
            0xC3 => return unsupported("lossless compression"),
            0xC5..=0xC7 | 0xCD..=0xCF => return unsupported("hierarchical compression"),
            _ => return unsupported("arithmetic coding"),
        };
        let [precision, h1, h0, w1, w0, components, rest @ ..] = segment.payload(bytes) else {
            return Err(admit::broken("a frame header that is too short"));
        };
        if *precision != 8 {
            return unsupported("samples of other than 8 bits");
        }
        if !matches!(components, 1 | 3 | 4) {
            return unsupported("a number of components other than 1, 3 or 4");
        }
        let size = admit::size(
            u32::from(u16::from_be_bytes([*w1, *w0])),
            u32::from(u16::from_be_bytes([*h1, *h0])),
            limits,
        )?;
        let factors = rest
            .chunks_exact(3)
            .take(usize::from(*components))
            .map(|component| (u64::from(component[1] >> 4), u64::from(component[1] & 15)));
        let parts = rest.chunks_exact(3).take(usize::from(*components));
        let part = |part: &[u8]| (part[0], u32::from(part[1] >> 4), u32::from(part[1] & 15));
        Ok(Self {
            size,
            components: *components,
            progressive,
            samples: samples(size, factors),
            parts: parts.map(part).collect(),
        })
    }

    /// How its planes are sampled, where they are luma and two differences: what libjpeg takes
    /// them for, by JFIF's marker, by Adobe's, and else by the components' names.
    fn planes(&self, jfif: bool, adobe: Option<u8>) -> Option<Sampling> {
        let [(first, across, down), blue, red] = self.parts[..] else {
            return (self.parts.len() == 1).then_some(Sampling::Gray);
        };
        let named_rgb = (first, blue.0, red.0) == (b'R', b'G', b'B');
        let is_rgb = !jfif && adobe.map_or(named_rgb, |transform| transform == 0);
        let whole = |finer: u32, coarser: u32| {
            (coarser > 0 && matches!(finer / coarser, 1 | 2) && finer.is_multiple_of(coarser))
                .then(|| finer / coarser)
        };
        if is_rgb || (blue.1, blue.2) != (red.1, red.2) {
            return None;
        }
        Some(Sampling::Colour {
            across: whole(across, blue.1)?,
            down: whole(down, blue.2)?,
        })
    }
}

/// What libjpeg holds of a frame, its components padded to whole MCUs.
fn samples(size: Size, factors: impl Iterator<Item = (u64, u64)> + Clone) -> u64 {
    let widest = factors.clone().map(|(h, _)| h).max().unwrap_or(1).max(1);
    let highest = factors.clone().map(|(_, v)| v).max().unwrap_or(1).max(1);
    let across = u64::from(size.width).div_ceil(8 * widest);
    let down = u64::from(size.height).div_ceil(8 * highest);
    factors.map(|(h, v)| across * h * 8 * down * v * 8).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len() + 2).expect("a short payload");
        let mut bytes = vec![0xFF, marker];
        bytes.extend(length.to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    fn frame(marker: u8, precision: u8, width: u16, height: u16, factors: &[u8]) -> Vec<u8> {
        let mut payload = vec![precision];
        payload.extend(height.to_be_bytes());
        payload.extend(width.to_be_bytes());
        payload.push(u8::try_from(factors.len()).expect("few components"));
        for (id, factor) in factors.iter().enumerate() {
            payload.extend([u8::try_from(id).expect("few components"), *factor, 0]);
        }
        segment(marker, &payload)
    }

    fn scan(components: u8) -> Vec<u8> {
        segment(0xDA, &[components, 0, 0, 0, 0, 0])
    }

    fn file(segments: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8];
        bytes.extend(segments.iter().flatten());
        bytes.extend([0xFF, 0xD9]);
        bytes
    }

    #[track_caller]
    fn check(segments: &[Vec<u8>]) -> Result<Survey, Error> {
        survey(&file(segments), &Limits::default())
    }

    #[test]
    fn what_libjpeg_would_hold_of_a_frame_is_known_beforehand() {
        let colour = check(&[frame(0xC2, 8, 17, 16, &[0x22, 0x11, 0x11]), scan(3)]);
        let colour = colour.expect("a survey");
        assert_eq!(colour.samples, 32 * 16 + 2 * (16 * 8));
        assert!(colour.buffered);
        let gray = check(&[frame(0xC0, 8, 8, 9, &[0x11]), scan(1)]).expect("a survey");
        assert_eq!(gray.samples, 8 * 16);
        assert!(!gray.buffered);
    }

    #[test]
    fn separate_scans_of_a_sequential_file_need_a_buffer_too() {
        let survey = check(&[frame(0xC0, 8, 8, 8, &[0x11; 3]), scan(1), scan(1), scan(1)]);
        assert!(survey.expect("a survey").buffered);
    }

    #[track_caller]
    fn scans(side: u16, count: usize, admitted: bool) {
        let mut segments = vec![frame(0xC2, 8, side, side, &[0x11])];
        segments.extend(vec![scan(1); count]);
        let survey = check(&segments);
        assert_eq!(survey.is_ok(), admitted, "{survey:?}");
        assert!(admitted || matches!(survey, Err(Error::Limit(_))));
    }

    #[test]
    fn a_bomb_of_scans_is_refused_and_large_pictures_have_fewer() {
        scans(1000, 100, true);
        scans(1000, 101, false);
        scans(10_000, 20, true);
        scans(10_000, 21, false);
        scans(5000, 80, true);
        scans(5000, 81, false);
    }

    #[test]
    fn what_is_not_supported_is_named() {
        let kinds = [
            (0xC3, 8, 3, "lossless"),
            (0xC9, 8, 3, "arithmetic"),
            (0xCA, 8, 3, "arithmetic"),
            (0xC5, 8, 3, "hierarchical"),
            (0xC1, 12, 3, "8 bits"),
            (0xC0, 8, 2, "components"),
        ];
        for (marker, precision, components, named) in kinds {
            let frame = frame(marker, precision, 8, 8, &vec![0x11; components]);
            let error = check(&[frame, scan(1)]).expect_err("a feature that we lack");
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[test]
    fn the_last_scan_within_the_limit_passes_and_the_next_does_not() {
        let limits = Limits {
            scans: 3,
            ..Limits::default()
        };
        let mut segments = vec![frame(0xC2, 8, 8, 8, &[0x11]), scan(1), scan(1), scan(1)];
        assert!(survey(&file(&segments), &limits).is_ok());
        segments.push(scan(1));
        let error = survey(&file(&segments), &limits);
        assert!(matches!(error, Err(Error::Limit(_))), "{error:?}");
    }

    #[test]
    fn a_profile_counts_only_when_it_is_whole() {
        let chunk = |number, count, data: &[u8]| {
            let mut payload = b"ICC_PROFILE\0".to_vec();
            payload.extend([number, count]);
            payload.extend(data);
            segment(0xE2, &payload)
        };
        let limits = Limits {
            icc_bytes: 4,
            ..Limits::default()
        };
        let read = |chunks: &[Vec<u8>]| icc(&file(chunks), &limits);
        let whole = [chunk(2, 2, b"cd"), chunk(1, 2, b"ab")];
        assert_eq!(read(&whole).as_deref(), Some(b"abcd".as_slice()));
        assert_eq!(read(&whole[..1]), None);
        assert_eq!(read(&[chunk(1, 1, b"abcde")]), None);
        assert_eq!(read(&[chunk(1, 2, b"a"), chunk(1, 2, b"a")]), None);
        assert_eq!(read(&[chunk(0, 0, b"a")]), None);
        assert_eq!(read(&[]), None);
    }
}
