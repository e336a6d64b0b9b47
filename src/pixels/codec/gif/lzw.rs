//! LZW (GIF's kind), for a whole image at once: a string of the dictionary is a place in what was
//! written before, so that to decode a code is to copy.

use super::{super::Error, blocks::SubBlocks};

/// Codes have at most twelve bits.
const CODES: usize = 1 << 12;

/// The longest string, and what is copied beyond the end of one.
const SLACK: usize = CODES + COPIED;

/// Bytes that are copied at a time.
const COPIED: usize = 16;

/// Where the image begins: all strings of one byte stand before it.
const START: usize = 256 + COPIED;

/// Pieces of the file are put together to so many bytes before they are decoded.
const GATHERED: usize = 16 << 10;

/// Input that must be left for a code to be read in one go.
const WORD: usize = 8;

/// Kept from image to image.
pub(super) struct Lzw {
    /// What each code stands for: where it begins, and how long it is.
    strings: Vec<(u32, u32)>,
    output: Vec<u8>,
    input: Vec<u8>,
}

/// Bytes that decoding an image of so many pixels holds.
pub(super) const fn bytes(pixels: u64) -> u64 {
    pixels + (START + SLACK + GATHERED + CODES * 8) as u64
}

/// Between two codes.
struct State {
    held: u64,
    bits: u32,
    /// Bits of a code.
    width: u32,
    /// The code that will stand for the next new string.
    next: usize,
    /// The string before this one; none of no length.
    last: (u32, u32),
    /// Where the next byte goes.
    at: usize,
    ended: bool,
}

impl Default for Lzw {
    fn default() -> Self {
        Self {
            strings: vec![(0, 0); CODES],
            output: Vec::new(),
            input: Vec::new(),
        }
    }
}

impl Lzw {
    /// Decodes an image of so many pixels, whose codes begin with `size` bits, 2 to 8.
    pub(super) fn decode(
        &mut self,
        data: SubBlocks<'_>,
        size: u8,
        pixels: usize,
    ) -> Result<&[u8], Error> {
        if !(2..=8).contains(&size) {
            return Err(Error::broken("an impossible LZW code size"));
        }
        self.output.resize(START + pixels + SLACK, 0);
        for (number, byte) in (0..=u8::MAX).zip(&mut self.output) {
            *byte = number;
        }
        for (number, string) in (0..1 << size).zip(self.strings.iter_mut()) {
            *string = (number, 1);
        }
        let end = START + pixels;
        let mut state = State {
            held: 0,
            bits: 0,
            width: u32::from(size) + 1,
            next: (1 << size) + 2,
            last: (0, 0),
            at: START,
            ended: false,
        };
        self.input.clear();
        let mut pieces = data.pieces();
        let mut more = true;
        while more && state.at < end && !state.ended {
            while self.input.len() < GATHERED && more {
                match pieces.next() {
                    Some(piece) => self.input.extend_from_slice(piece),
                    None => more = false,
                }
            }
            let used = if more {
                self.input.len() - WORD
            } else {
                // Whole words are read; what is not there is none of the image's.
                let used = self.input.len();
                self.input.resize(used + WORD, 0);
                used
            };
            let used = self.run(&mut state, used, end, size, more)?;
            self.input.drain(..used);
        }
        if state.at < end {
            return Err(Error::broken("a GIF frame is cut short"));
        }
        Ok(&self.output[START..end])
    }

    /// Decodes until the input is used up to `limit`, or everything is there. Says how much of the
    /// input was used.
    fn run(
        &mut self,
        state: &mut State,
        limit: usize,
        end: usize,
        size: u8,
        more: bool,
    ) -> Result<usize, Error> {
        let clear = 1_usize << size;
        let output = self.output.as_mut_slice();
        let strings = self.strings.first_chunk_mut::<CODES>();
        let strings = strings.ok_or_else(|| Error::broken("no dictionary"))?;
        let State {
            mut held,
            mut bits,
            mut width,
            mut next,
            mut last,
            mut at,
            ..
        } = *state;
        let mut from = 0;
        while at < end {
            if bits < width {
                if from >= limit {
                    break;
                }
                let word = self.input.get(from..).and_then(<[u8]>::first_chunk);
                held |= word.map_or(0, |word| u64::from_le_bytes(*word)) << bits;
                let mut read = (63 - bits) / 8;
                if !more {
                    read = read.min(u32::try_from(limit - from).unwrap_or(read));
                }
                from += read as usize;
                bits += read * 8;
                if bits < width {
                    break;
                }
                // What was read beyond that is read again.
                held &= u64::MAX >> (64 - bits);
            }
            let code = low(held) & ((1 << width) - 1);
            held >>= width;
            bits -= width;
            if code == clear {
                (width, next, last) = (u32::from(size) + 1, clear + 2, (0, 0));
                continue;
            }
            let known = code < next && code != clear + 1;
            let (begin, length) = if known {
                strings[code & (CODES - 1)]
            } else if code == next && last.1 > 0 {
                // The string before, and its first byte again: as it stands there.
                (last.0, last.1 + 1)
            } else if code == clear + 1 {
                state.ended = true;
                break;
            } else {
                return Err(Error::broken("an LZW code that is not there yet"));
            };
            copy(output, at, begin as usize, length as usize)
                .ok_or_else(|| Error::broken("an LZW string beyond memory"))?;
            if last.1 > 0 && next < CODES {
                strings[next] = (last.0, last.1 + 1);
                next += 1;
                width += u32::from(next >> width != 0 && next < CODES);
            }
            last = (u32::try_from(at).map_err(Error::broken)?, length);
            at += length as usize;
        }
        *state = State {
            held,
            bits,
            width,
            next,
            last,
            at,
            ended: state.ended,
        };
        Ok(from)
    }
}

/// Sixteen bits, of which a code is a part.
#[expect(clippy::cast_possible_truncation, reason = "that is what is asked for")]
const fn low(held: u64) -> usize {
    held as u16 as usize
}

/// Copies a string from before, up to [`COPIED`] bytes more than it is long.
#[inline]
fn copy(output: &mut [u8], at: usize, begin: usize, length: usize) -> Option<()> {
    if at - begin < COPIED {
        for place in 0..length {
            *output.get_mut(at + place)? = *output.get(begin + place)?;
        }
        return Some(());
    }
    let mut done = 0;
    loop {
        let bytes: [u8; COPIED] = *output.get(begin + done..)?.first_chunk()?;
        *output.get_mut(at + done..)?.first_chunk_mut()? = bytes;
        done += COPIED;
        if done >= length {
            return Some(());
        }
    }
}

#[cfg(test)]
mod tests;
