//! JPEG to rows of planes at a scale: only as much of each block is decoded as the scale needs.
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
mod data;
mod entropy;
mod frame;
mod huffman;
mod inverse;
mod progressive;
mod sequential;
mod strip;
#[cfg(test)]
mod tests;
mod units;

use self::{
    entropy::Feed,
    frame::{Component, File, Frame, Quant, Scan, table},
    strip::Strip,
};
use super::survey;
use crate::pixels::{
    codec::{Cancel, Error, Limits, Rest, admit, processor},
    rows::{Shape, Sink},
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

impl Stop {
    /// Once decoding has begun.
    fn late(self) -> Error {
        match self {
            Self::Error(error) => error,
            // All tables were looked at before.
            Self::NotMine => admit::broken("a table that is none"),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// A file whose headers are read, and that can be decoded here.
pub(super) struct Reading<'a> {
    bytes: &'a [u8],
    frame: Frame,
    /// The scale of each component.
    eighths: Vec<u8>,
    /// Of each component.
    quants: Vec<Quant<'a>>,
    /// Those that the scale needs.
    scans: Vec<Scan<'a>>,
}

impl<'a> Reading<'a> {
    /// Reads the headers of a file and of all its scans. `None`: a kind of JPEG or a scale that is
    /// not done here; libjpeg may know.
    ///
    /// # Errors
    /// [`Error::Broken`] or [`Error::Limit`].
    pub(super) fn open(
        bytes: &'a [u8],
        scales: Scales,
        limits: &Limits,
    ) -> Result<Option<Self>, Error> {
        match Self::headers(bytes, scales, limits) {
            Ok(reading) => Ok(Some(reading)),
            Err(Stop::NotMine) => Ok(None),
            Err(Stop::Error(error)) => Err(error),
        }
    }

    fn headers(bytes: &'a [u8], scales: Scales, limits: &Limits) -> Result<Self, Stop> {
        let mut file = File::new(bytes, limits);
        let first = file.next_scan()?.ok_or(Stop::NotMine)?;
        let frame = file.frame.clone().ok_or(Stop::NotMine)?;
        let eighths = eighths(&frame, scales)?;
        let mut scans = if frame.progressive {
            progressive::scans(file, first, &frame, limits)?
        } else if first.parts.len() == frame.components.len() {
            vec![first]
        } else {
            whole_scans(file, first, &frame, limits)?
        };
        let quants = quants(&scans, &frame)?;
        if frame.progressive {
            let mut wanted = progressive::wanted(&scans, &eighths).into_iter();
            scans.retain(|_| wanted.next().unwrap_or(true));
        }
        for scan in &scans {
            scan.check_tables(frame.progressive)?;
        }
        Ok(Self {
            bytes,
            frame,
            eighths,
            quants,
            scans,
        })
    }

    /// Decodes, row by row.
    ///
    /// # Errors
    /// [`Error::Broken`] or [`Error::Cancelled`], and what the sink says.
    pub(super) fn rows(&self, cancel: &Cancel, sink: &mut dyn Sink) -> Result<(), Error> {
        let done = if self.frame.progressive {
            progressive::rows(self, cancel, sink)
        } else {
            sequential::rows(self, None, cancel, sink)
        };
        done.map_err(Stop::late)
    }

    /// Where the data begin, if they are gone through once, in order, and nothing of them has to be
    /// known before: how much of the file [`Reading::open`] needs.
    pub(super) fn head(&self) -> Option<usize> {
        match &self.scans[..] {
            [scan] if !self.frame.progressive => Some(scan.data),
            _ => None,
        }
    }

    /// [`Reading::rows`] of a file that was opened with its [head](Reading::head) alone.
    ///
    /// # Errors
    /// As [`Reading::rows`].
    pub(super) fn rows_of(
        &self,
        rest: &dyn Rest,
        cancel: &Cancel,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        sequential::rows(self, Some(rest), cancel, sink).map_err(Stop::late)
    }

    /// Bytes that [`Reading::rows`] holds at its peak.
    pub(super) fn bytes(&self) -> u64 {
        let components = self.frame.components.iter().zip(&self.eighths);
        let held = components.map(|(component, eighths)| {
            let blocks = component.padded.0 as u64 * component.padded.1 as u64;
            let coefficients = if self.frame.progressive {
                blocks * progressive::block_bytes(*eighths)
            } else {
                0
            };
            coefficients + Strip::bytes(component, *eighths)
        });
        let scans = if self.frame.progressive {
            1
        } else {
            self.scans.len() as u64
        };
        held.sum::<u64>() + scans * (Feed::BYTES + sequential::TABLES)
    }

    /// Samples of all planes.
    pub(super) fn samples(&self) -> u64 {
        self.shapes().iter().map(|shape| shape.size.pixels()).sum()
    }

    fn shapes(&self) -> Vec<Shape> {
        let components = self.frame.components.iter().zip(&self.eighths);
        components
            .map(|(component, eighths)| strip::shape(component, *eighths))
            .collect()
    }
}

/// The scale of each component.
fn eighths(frame: &Frame, scales: Scales) -> Result<Vec<u8>, Stop> {
    let all = std::iter::once(scales.luma).chain(std::iter::repeat(scales.chroma));
    let all: Vec<u8> = all.take(frame.components.len()).collect();
    let done = all.iter().all(|eighths| EIGHTHS.contains(eighths));
    if done { Ok(all) } else { Err(Stop::NotMine) }
}

/// The quantisation table of each component: that in force where it first stands.
fn quants<'a>(scans: &[Scan<'a>], frame: &Frame) -> Result<Vec<Quant<'a>>, Stop> {
    let components = frame.components.iter().enumerate();
    let quant = |(index, component): (usize, &Component)| {
        let holds = |scan: &&Scan<'_>| scan.parts.iter().any(|part| part.component == index);
        let first = scans.iter().find(holds).ok_or(Stop::NotMine)?;
        table(&first.tables.quant, component.quant)
    };
    components.map(quant).collect()
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
