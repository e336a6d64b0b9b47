//! JPEG to planes at a scale: only as much of each block is decoded as the scale needs.
//!
//! Most of the cost of a JPEG is its codes, and most codes stand for detail that a smaller picture
//! does not have: those are passed several at a time, unread. Luma and colour have scales of their
//! own, and neither is converted. Knows plain pictures, gray or luma with two colour differences;
//! whatever is odd is left to libjpeg ([`Stop::NotMine`]), which then also says what is damaged.
#![expect(
    clippy::inline_always,
    reason = "what runs at each bit has to be part of the code that is made for the processor"
)]

mod bands;
mod draft;
mod entropy;
mod frame;
mod huffman;
mod inverse;
mod progressive;
mod sequential;
#[cfg(test)]
mod tests;
mod units;

use self::{
    draft::Draft,
    entropy::Feed,
    frame::{File, Frame, Scan},
};
use super::survey;
use crate::pixels::{
    bitmap::Colour,
    codec::{Cancel, Error, Limits, admit, processor},
    planes::{Planes, Range},
};

/// Eighths of its coded size at which each plane is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scales {
    pub(super) luma: u8,
    pub(super) chroma: u8,
}

/// Scales that are done here, in eighths.
const EIGHTHS: std::ops::RangeInclusive<u8> = 1..=8;

/// Why there is no picture.
#[derive(Debug)]
enum Stop {
    /// libjpeg shall see to it.
    NotMine,
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Decodes into planes. `None`: a kind of JPEG or a scale that is not done here; libjpeg may know.
///
/// # Errors
/// [`Error::Broken`], [`Error::Limit`] or [`Error::Cancelled`].
pub(super) fn decode(
    bytes: &[u8],
    scales: Scales,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Option<Planes>, Error> {
    match planes(bytes, scales, limits, cancel) {
        Ok(planes) => Ok(Some(planes)),
        Err(Stop::NotMine) => Ok(None),
        Err(Stop::Error(error)) => Err(error),
    }
}

/// Bytes that [`decode`] holds at its peak, its result included. `None` where that is not done
/// here, as far as the file says before its data.
pub(super) fn bytes(file: &[u8], scales: Scales, limits: &Limits) -> Option<u64> {
    let mut file = File::new(file, limits);
    file.next_scan().ok()??;
    let frame = file.frame?;
    let eighths = eighths(&frame, scales).ok()?;
    let components = frame.components.iter().zip(eighths);
    let blocks = components.map(|(component, eighths)| {
        let held = u64::from(eighths) * u64::from(eighths);
        let coefficients = if frame.progressive {
            progressive::block_bytes(eighths)
        } else {
            0
        };
        component.padded.0 as u64 * component.padded.1 as u64 * (held + coefficients)
    });
    Some(blocks.sum::<u64>() + Feed::BYTES + sequential::TABLES)
}

/// The scale of each component.
fn eighths(frame: &Frame, scales: Scales) -> Result<Vec<u8>, Stop> {
    let all = std::iter::once(scales.luma).chain(std::iter::repeat(scales.chroma));
    let all: Vec<u8> = all.take(frame.components.len()).collect();
    let done = all.iter().all(|eighths| EIGHTHS.contains(eighths));
    if done { Ok(all) } else { Err(Stop::NotMine) }
}

fn planes(bytes: &[u8], scales: Scales, limits: &Limits, cancel: &Cancel) -> Result<Planes, Stop> {
    let mut file = File::new(bytes, limits);
    let first = file.next_scan()?.ok_or(Stop::NotMine)?;
    let frame = file.frame.clone().ok_or(Stop::NotMine)?;
    let eighths = eighths(&frame, scales)?;
    let drafts = if frame.progressive {
        progressive::decode(bytes, &frame, file, first, &eighths, limits, cancel)?
    } else {
        let components = frame.components.iter().zip(eighths);
        let mut drafts: Vec<_> = components.map(|(own, at)| Draft::new(own, at)).collect();
        let scans = if first.parts.len() == frame.components.len() {
            vec![first]
        } else {
            whole_scans(file, first, &frame, limits)?
        };
        for scan in scans {
            sequential::decode(bytes, &frame, &scan, &mut drafts, cancel)?;
        }
        drafts
    };
    let mut planes = drafts.into_iter().map(Draft::finish);
    let luma = planes.next().ok_or(Stop::NotMine)?;
    let chroma = planes.next().zip(planes.next());
    Ok(Planes {
        luma,
        chroma: chroma.map(|(blue, red)| [blue, red]),
        range: Range::Full,
        colour: survey::icc(bytes, limits).map_or(Colour::Srgb, |icc| Colour::Icc(icc.into())),
    })
}

/// The scans of a sequential file that has a few of them: each component stands in one.
fn whole_scans<'a>(
    mut file: File<'a>,
    first: Scan<'a>,
    frame: &Frame,
    limits: &Limits,
) -> Result<Vec<Scan<'a>>, Stop> {
    let mut seen = [false; 3];
    let mut scans = Vec::new();
    let mut next = Some(first);
    while let Some(scan) = next {
        for part in &scan.parts {
            if std::mem::replace(&mut seen[part.component], true) {
                return Err(Stop::NotMine);
            }
        }
        scans.push(scan);
        if scans.len() > limits.scans as usize {
            return Err(survey::too_many_scans(limits.scans).into());
        }
        file.skip_scan();
        next = file.next_scan()?;
    }
    if !file.ended {
        return Err(admit::broken("it ends where another scan may be missing").into());
    }
    let complete = seen.iter().take(frame.components.len()).all(|seen| *seen);
    if complete {
        Ok(scans)
    } else {
        Err(Stop::NotMine)
    }
}
