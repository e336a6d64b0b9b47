//! The image data of a still: what stands in its IDAT chunks, inflated piece by piece.

use super::{
    super::Error,
    chunks::Chunks,
    inflate::{self, Inflate, Input, Output},
};

/// How far back a match may reach.
const LOOKBACK: usize = 32 << 10;

/// Rows as they are coded, some at a time.
pub(super) struct Data<'a> {
    chunks: Chunks<'a>,
    /// What is not yet inflated of the chunk that was met last.
    chunk: &'a [u8],
    input: Input,
    /// Whether there may be more chunks.
    more: bool,
    inflate: Inflate,
    /// Inflated bytes; those that were taken stay as long as matches may reach back to them.
    window: Vec<u8>,
    /// Where the first byte stands that was not taken.
    start: usize,
    /// Where the inflated bytes end.
    end: usize,
    /// Bytes of the picture that are still to be inflated.
    left: u64,
    /// Bytes that always stand behind the inflated ones.
    slack: usize,
}

impl<'a> Data<'a> {
    /// Of a file that was read up to its image data: `whole` bytes, of which at most `most` will be
    /// asked for at once, with `slack` bytes behind them.
    pub(super) fn new(chunks: Chunks<'a>, whole: u64, most: usize, slack: usize) -> Self {
        let slack = slack.max(inflate::SLACK);
        let input = Input::new();
        Self {
            chunks,
            chunk: &[],
            inflate: Inflate::new(&input),
            input,
            more: true,
            window: vec![0; LOOKBACK + most + slack],
            start: 0,
            end: 0,
            left: whole,
            slack,
        }
    }

    /// Takes `count` bytes. Behind them stands the slack, of any value.
    pub(super) fn take(&mut self, count: usize) -> Result<&[u8], Error> {
        while self.end - self.start < count {
            self.inflate()?;
        }
        let start = self.start;
        self.start += count;
        Ok(self.window.get(start..).unwrap_or_default())
    }

    /// Inflates as much as there is room for.
    fn inflate(&mut self) -> Result<(), Error> {
        let gone = self.end.saturating_sub(LOOKBACK).min(self.start);
        self.window.copy_within(gone..self.end, 0);
        self.start -= gone;
        self.end -= gone;
        let room = (self.window.len() - self.slack).saturating_sub(self.end);
        let room = usize::try_from(self.left).map_or(room, |left| left.min(room));
        let full = self.end + room;
        while self.end < full {
            self.fill()?;
            let mut output = Output::new(&mut self.window, self.end, full);
            let inflated = self.inflate.run(&self.input, &mut output);
            let made = output.at - self.end;
            self.end = output.at;
            // A match may reach beyond the last row.
            self.left = self.left.saturating_sub(made as u64);
            inflated.map_err(|damaged| Error::broken(damaged.0))?;
            if self.end < full && (self.inflate.is_done() || !self.more) {
                return Err(Error::broken("fewer rows than the header says"));
            }
        }
        Ok(())
    }

    /// Hands on what there is room for.
    fn fill(&mut self) -> Result<(), Error> {
        while self.more {
            if self.chunk.is_empty() {
                self.more = self.go_on()?;
                continue;
            }
            let count = self.input.fill(self.inflate.at(), self.chunk);
            self.chunk = self.chunk.get(count..).unwrap_or_default();
            if count == 0 {
                return Ok(());
            }
        }
        self.input.close();
        Ok(())
    }

    /// Goes on to the next chunk; says whether there is one.
    fn go_on(&mut self) -> Result<bool, Error> {
        let next = self.chunks.image_data()?;
        self.chunk = next.unwrap_or_default();
        Ok(next.is_some())
    }

    /// To the end of the image data: what follows the last row is not looked at, but its
    /// checksums are.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        while self.go_on()? {}
        Ok(())
    }
}

/// Bytes that are held where so many can be taken at once.
pub(super) fn bytes(most: usize, slack: usize) -> usize {
    LOOKBACK + most + slack.max(inflate::SLACK) + inflate::HELD
}
