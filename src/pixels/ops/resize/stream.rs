//! Resampling row by row: rows come in from the top, each is resampled across at once, and as soon
//! as the filter has seen enough of them a row of the result goes out. Only the rows that the
//! filter reaches over are held, whatever the picture's height.
//!
//! Knows numbers; nothing of what they mean.

mod kernel;
mod taps;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::{
    kernel::{Lane, ROWS, SLACK},
    taps::{Side, Taps},
};
use crate::pixels::{
    codec::Error,
    geometry::{Area, Rect, Size},
};

pub(super) use self::kernel::Sample;

/// What is resampled to what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// What of the source the result covers. It may reach beyond `bounds`: the edge is then drawn
    /// out.
    pub area: Area,
    /// What of the source may be looked at.
    pub bounds: Rect,
    /// Pixels of the result.
    pub size: Size,
}

impl Cut {
    /// All of a picture to another size.
    #[must_use]
    pub fn whole(stored: Size, size: Size) -> Self {
        let bounds = Rect::whole(stored);
        Self {
            area: bounds.into(),
            bounds,
            size,
        }
    }

    /// Whether the result is a part of the source as it is: this one.
    #[must_use]
    pub fn as_copy(&self) -> Option<Rect> {
        let rect = self
            .area
            .as_rect()
            .filter(|rect| rect.size() == self.size)?;
        let bounds = self.bounds;
        let inside = rect.x >= bounds.x
            && rect.y >= bounds.y
            && rect.x + rect.width <= bounds.x + bounds.width
            && rect.y + rect.height <= bounds.y + bounds.height;
        inside.then_some(rect)
    }

    fn across(&self) -> Side {
        Side {
            start: self.area.x,
            extent: self.area.width,
            bounds: (self.bounds.x, self.bounds.x + self.bounds.width),
            results: self.size.width,
        }
    }

    fn down(&self) -> Side {
        Side {
            start: self.area.y,
            extent: self.area.height,
            bounds: (self.bounds.y, self.bounds.y + self.bounds.height),
            results: self.size.height,
        }
    }
}

/// One picture, or one plane of it, on its way. Samples are `u8`, as they are coded and with
/// pixels interleaved, or `i16`, of any meaning, whose pixels come two by two: of both the first
/// sample, of both the second, and so on. Results are pixel by pixel.
#[derive(Debug)]
pub(super) struct Resampler<S> {
    channels: usize,
    across: Arc<Taps>,
    down: Arc<Taps>,
    /// Results of a row that count.
    width: usize,
    /// Rows that wait until there are [`ROWS`].
    block: Vec<S>,
    /// Samples from one of them to the next.
    stride: usize,
    /// The same side by side.
    gathered: Vec<Lane>,
    /// Pairs of rows that are resampled across, `lanes` each; the first of all pairs stands in the
    /// first place, and once all places are taken, those that are not needed give way.
    ring: Vec<Lane>,
    lanes: usize,
    /// Where the rows of a result stand in it.
    places: Vec<usize>,
    out: Vec<S>,
    /// Source rows that have come.
    come: u32,
    /// Rows of the result that have gone.
    gone: u32,
    height: u32,
}

impl<S: Sample> Resampler<S> {
    /// Of pixels of so many samples, 1 to 4.
    pub(super) fn new(cut: &Cut, channels: usize) -> Self {
        let (across, down) = (Taps::new(cut.across()), Taps::new(cut.down()));
        Self::with(Arc::new(across), Arc::new(down), cut.size, channels)
    }

    /// Another of the same cut: it costs no weights.
    pub(super) fn twin(&self, cut: &Cut) -> Self {
        let (across, down) = (Arc::clone(&self.across), Arc::clone(&self.down));
        Self::with(across, down, cut.size, self.channels)
    }

    fn with(across: Arc<Taps>, down: Arc<Taps>, size: Size, channels: usize) -> Self {
        let channels = channels.clamp(1, 4);
        let pixels = (across.end - across.first) as usize;
        let stride = pixels.next_multiple_of(2) * channels + SLACK;
        let lanes = kernel::lanes(size.width as usize, channels);
        let held = down.pairs + ROWS / 2;
        Self {
            channels,
            width: size.width as usize * channels,
            block: vec![S::default(); stride * ROWS],
            stride,
            gathered: vec![Lane::default(); across.source_pairs() * channels + SLACK],
            ring: vec![Lane::default(); held * lanes],
            lanes,
            places: Vec::with_capacity(down.pairs),
            out: vec![S::default(); lanes * 8],
            come: 0,
            gone: 0,
            height: size.height,
            across,
            down,
        }
    }

    /// Bytes that one holds; errs high.
    pub(super) fn bytes(cut: &Cut, channels: usize) -> u64 {
        let (across, down) = (cut.across(), cut.down());
        let reach =
            |side: Side| side.extent + 8.0 * (side.extent / f64::from(side.results)).max(1.0);
        let within = |side: Side| f64::from(side.bounds.1 - side.bounds.0).min(reach(side)) + 4.0;
        let scale = (down.extent / f64::from(down.results)).max(1.0);
        let lanes = kernel::lanes(cut.size.width as usize, channels) as u64;
        let columns = whole(within(across)) * channels as u64 + 2 * SLACK as u64;
        let block = columns * (size_of::<S>() * ROWS) as u64;
        let gathered = (columns / 2 + SLACK as u64) * size_of::<Lane>() as u64;
        let held = whole((3.0 * scale + 3.0).min(within(down) / 2.0 + 2.0)) + ROWS as u64 / 2;
        let ring = held * lanes * size_of::<Lane>() as u64;
        let out = lanes * 8 * size_of::<S>() as u64;
        block + gathered + ring + out + Taps::bytes(across) + Taps::bytes(down)
    }

    /// Source columns that are looked at. The first is even, so that pairs are pairs.
    pub(super) fn columns(&self) -> std::ops::Range<usize> {
        self.across.first as usize..self.across.end as usize
    }

    /// Source rows that are looked at. The first is even, too.
    pub(super) fn rows(&self) -> std::ops::Range<usize> {
        self.down.first as usize..self.down.end as usize
    }

    /// Those above them will not come.
    pub(super) fn skip(&mut self) {
        self.come = self.come.max(self.down.first);
    }

    /// Takes the next row of the source, all of it, and hands on what can be made now.
    pub(super) fn take(
        &mut self,
        row: &[S],
        out: &mut dyn FnMut(&[S]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let columns = self.columns();
        // Of whole pairs, as far as there are any.
        let end = columns.end.next_multiple_of(2) * self.channels;
        let samples = columns.start * self.channels..end.min(row.len());
        if let Some(place) = self.place() {
            let own = row
                .get(samples)
                .ok_or_else(|| super::broken("a row is short"))?;
            let place = place.get_mut(..own.len());
            place
                .ok_or_else(|| super::broken("a row is long"))?
                .copy_from_slice(own);
        }
        self.advance(out)
    }

    /// Where the next row goes: its columns from the first to the last that count. `None`: it is
    /// not looked at.
    pub(super) fn place(&mut self) -> Option<&mut [S]> {
        let counts = (self.down.first..self.down.end).contains(&self.come);
        let at = (self.come.wrapping_sub(self.down.first) as usize % ROWS) * self.stride;
        let row = self.block.get_mut(at..at + self.stride - SLACK);
        row.filter(|_| counts)
    }

    /// The next row is in its place, or is not looked at.
    pub(super) fn advance(
        &mut self,
        out: &mut dyn FnMut(&[S]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let counts = (self.down.first..self.down.end).contains(&self.come);
        self.come = self.come.saturating_add(1);
        if !counts {
            return Ok(());
        }
        let waiting = (self.come - self.down.first) as usize % ROWS;
        if waiting == 0 || self.come == self.down.end {
            self.shrink_across();
            self.shrink_down(out)?;
        }
        Ok(())
    }

    /// Whether all of the result has gone out.
    pub(super) fn is_done(&self) -> bool {
        self.gone == self.height
    }

    /// The rows that wait go into the ring.
    fn shrink_across(&mut self) {
        let columns = self.columns();
        let pixels = columns.end - columns.start;
        S::gather(
            &self.block,
            self.stride,
            pixels,
            self.channels,
            &mut self.gathered,
        );
        let first = (self.come - self.down.first - 1) as usize / ROWS * (ROWS / 2);
        let held = self.ring.len() / self.lanes;
        // Four pairs of rows, which may go over the end of the ring.
        let mut rows: [&mut [Lane]; ROWS / 2] = Default::default();
        for (place, lanes) in self.ring.chunks_exact_mut(self.lanes).enumerate() {
            let number = (place + held - first % held) % held;
            if let Some(row) = rows.get_mut(number) {
                *row = lanes;
            }
        }
        kernel::across::<S>(&self.gathered, self.channels, &self.across, rows);
    }

    /// All results whose rows are there go out.
    fn shrink_down(&mut self, out: &mut dyn FnMut(&[S]) -> Result<(), Error>) -> Result<(), Error> {
        let held = self.ring.len() / self.lanes;
        let come = (self.come - self.down.first).div_ceil(2) as usize;
        while self.gone < self.height {
            let Some((start, weights)) = self.down.of(self.gone as usize) else {
                break;
            };
            let whole = self.come == self.down.end;
            if start + weights.len() > come && !whole {
                break;
            }
            self.places.clear();
            let pairs = start..start + weights.len();
            self.places
                .extend(pairs.map(|pair| pair % held * self.lanes));
            S::down(&self.ring, &self.places, weights, &mut self.out);
            self.gone += 1;
            out(self.out.get(..self.width).unwrap_or_default())?;
        }
        Ok(())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sides of a picture"
)]
fn whole(samples: f64) -> u64 {
    samples.ceil() as u64
}
