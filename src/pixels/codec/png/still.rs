//! A still that is not interlaced, from top to bottom, some rows at a time: inflated, its filters
//! undone, expanded. The library has read what stands before the pixels; these are ours, because
//! it undoes filters row by row, and that takes longer than to inflate.

use super::{
    super::{Cancel, Error},
    Reader,
    chunks::Chunks,
    data::{self, Data},
    expand::{self, Expand},
    unfilter::{self, Row, SLACK},
};
use crate::pixels::{
    bitmap::Layout,
    geometry::Size,
    rows::{Rows, Shape, Sink},
};

/// Bytes of coded rows that are worked on at a time: what a core's own cache holds with all that
/// is made of them.
const BAND_BYTES: usize = 128 << 10;

/// Rows that are worked on at a time, however long or short they are.
const BAND_ROWS: (usize, usize) = (unfilter::ROWS, 4 * unfilter::ROWS);

/// A still whose header is read.
pub(in super::super) struct Still<'a> {
    chunks: Chunks<'a>,
    row: Row,
    size: Size,
    /// Bytes of a sample, as coded and as given: of less than eight bits, one.
    sample: usize,
    layout: Layout,
    expand: Expand,
}

impl<'a> Still<'a> {
    /// `None` for what is not simply one row after the other: interlaced, or a frame.
    pub(super) fn new(bytes: &'a [u8], reader: &Reader<'_>) -> Result<Option<Self>, Error> {
        let info = reader.info();
        if info.interlaced || info.frame_control().is_some() {
            return Ok(None);
        }
        let mut chunks = Chunks::new(bytes)?;
        chunks.skip_to_image_data()?;
        let line = info.raw_row_length().checked_sub(1);
        Ok(Some(Self {
            chunks,
            row: Row {
                line: line.ok_or_else(|| Error::broken("a row without a pixel"))?,
                pixel: info.bytes_per_pixel(),
            },
            size: Size::new(info.width, info.height),
            sample: usize::from((info.bit_depth as u8).div_ceil(8)),
            layout: expand::layout(info),
            expand: Expand::new(info)?,
        }))
    }

    /// What pixels are.
    pub(in super::super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Whether samples have two bytes, the high one first.
    pub(super) fn is_wide(&self) -> bool {
        self.sample == 2
    }

    /// Gives all rows, of eight bits a sample.
    pub(in super::super) fn pour(self, cancel: &Cancel, sink: &mut dyn Sink) -> Result<(), Error> {
        sink.begin(&[Shape::whole(self.size, self.layout.channels())])?;
        self.read(cancel, |rows| sink.take(0, rows))
    }

    /// Gives all rows, in bytes.
    pub(super) fn read(
        self,
        cancel: &Cancel,
        mut take: impl FnMut(Rows<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (row, stride) = (self.row, self.row.stride());
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let band = band(row, height);
        let whole = row.coded() as u64 * height as u64;
        let mut data = Data::new(self.chunks, whole, band * row.coded(), SLACK);
        // The row above the band, and the band.
        let mut rows = vec![0; (band + 1) * stride];
        let given = width * self.layout.channels() * self.sample;
        let plain = matches!(self.expand, Expand::Nothing);
        let mut expanded = vec![0; if plain { 0 } else { band * given }];
        for top in (0..height).step_by(band) {
            cancel.check()?;
            let count = band.min(height - top);
            let coded = data.take(count * row.coded())?;
            let made = undone(coded, &mut rows, count, row)?;
            if plain {
                take(made)?;
            } else {
                for (line, out) in made.iter().zip(expanded.chunks_exact_mut(given)) {
                    self.expand.row(line, out);
                }
                take(Rows::new(&expanded[..count * given], given, given)?)?;
            }
        }
        data.finish()
    }
}

/// Rows without their filters. In `rows`, the one above them stands first, and the last of them
/// does afterwards.
fn undone<'a>(
    coded: &'a [u8],
    rows: &'a mut [u8],
    count: usize,
    row: Row,
) -> Result<Rows<'a>, Error> {
    let stride = row.stride();
    if let Some(bare) = unfilter::bare(coded, count, row) {
        // Nothing to undo: they are given where they are.
        let last = bare.len() - row.line;
        rows[..row.line].copy_from_slice(&bare[last..]);
        return Rows::new(bare, row.line, row.coded());
    }
    unfilter::unfilter(coded, rows, count, row)
        .map_err(|unfilter::Unknown(filter)| Error::broken(format!("filter {filter}")))?;
    rows.copy_within(count * stride..(count + 1) * stride, 0);
    Rows::new(&rows[stride..(count + 1) * stride], row.line, stride)
}

/// Bytes that reading such rows holds at its peak.
pub(super) fn bytes(row: Row, height: usize, given: usize) -> usize {
    let band = band(row, height);
    data::bytes(band * row.coded(), SLACK) + (band + 1) * row.stride() + band * given
}

/// Rows at a time: as many as filters are undone of at once, once or several times. One row alone
/// takes as long as all of these.
fn band(row: Row, height: usize) -> usize {
    let (least, most) = BAND_ROWS;
    let rows = (BAND_BYTES / row.coded()).clamp(least, most);
    (rows - rows % unfilter::ROWS).min(height)
}

#[cfg(test)]
mod tests;
