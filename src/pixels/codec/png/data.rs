//! The image data of a still: what stands in its IDAT chunks, inflated piece by piece.

use fdeflate::Decompressor;

use super::{super::Error, chunks::Chunks};

/// How far back a match may reach.
const LOOKBACK: usize = 32 << 10;

/// Rows as they are coded, some at a time.
pub(super) struct Data<'a> {
    chunks: Chunks<'a>,
    /// What is not yet inflated of the chunk that was met last.
    chunk: &'a [u8],
    inflate: Decompressor,
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
        let mut inflate = Decompressor::new();
        // Each chunk has a checksum.
        inflate.ignore_adler32();
        Self {
            chunks,
            chunk: &[],
            inflate,
            window: vec![0; bytes(most, slack)],
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
        let room = self.window.len() - self.slack - self.end;
        let room = usize::try_from(self.left).map_or(room, |left| left.min(room));
        let full = self.end + room;
        while self.end < full {
            let target = &mut self.window[..full];
            let inflated = self.inflate.read(self.chunk, target, self.end, false);
            let (used, made) = inflated.map_err(|error| Error::broken(format!("{error:?}")))?;
            self.chunk = self.chunk.get(used..).unwrap_or_default();
            self.end += made;
            self.left -= made as u64;
            let ended = self.inflate.is_done();
            if self.end < full && (ended || (self.chunk.is_empty() && !self.go_on()? && made == 0))
            {
                return Err(Error::broken("fewer rows than the header says"));
            }
        }
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
    LOOKBACK + most + slack
}
