//! Writes a picture as VP8 does a frame that stands alone: what WebP is when it loses something.
//! Knows planes and the format (RFC 6386); nothing of RGB, alpha or metadata.
#![expect(
    clippy::inline_always,
    reason = "what runs at each block has to be part of the code that is made for the processor"
)]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "samples, coefficients and modes of a few bits, which their types were chosen for"
)]
#![expect(
    clippy::many_single_char_names,
    clippy::similar_names,
    reason = "rows and columns of a transform have no other names"
)]

mod bits;
mod choose;
mod cost;
mod header;
mod kernels;
mod lanes;
mod predict;
mod quantise;
mod source;
mod tables;
mod tokens;

use crate::pixels::codec::{Cancel, Error};
use bits::Writer;
use choose::{Chooser, Chosen, Modes, Surroundings};
use cost::Costs;
use header::{Frame, Said};
use kernels::{Kernels, Portable};
use predict::{ABOVE, Edges, LEFT};
use quantise::Quantisers;
pub(super) use source::{Rows, Source};
use tables::AC_STEPS;
use tokens::{Kept, Near, Values};

/// Bits of the first partition's length.
const FIRST_PARTITION_BITS: u32 = 19;
/// Frame tag, start code and sizes.
const FRAME_HEADER: usize = 10;
/// `RIFF`, a length, `WEBP`, `VP8 `, a length.
const FILE_HEADER: usize = 20;

/// Encodes to a file without metadata. `level`: the index of the quantiser, 0 (best) to 127.
///
/// # Errors
/// [`Error::Encode`] where the picture is larger than the format can say; [`Error::Cancelled`].
pub(super) fn encode(source: &Source<'_>, level: u8, cancel: &Cancel) -> Result<Vec<u8>, Error> {
    #[cfg(target_arch = "x86_64")]
    if let Some(kernels) = kernels::Avx2::new() {
        let encode = || Picture::new(source, level).encode(kernels, filter(level), cancel);
        return kernels.run(encode);
    }
    Picture::new(source, level).encode(Portable, filter(level), cancel)
}

/// Bytes that [`encode`] holds at its peak, its result included: as measured with noise at the best
/// level, whose coefficients take the most while they wait, and what is written after them.
pub(super) fn encode_bytes(pixels: u64) -> u64 {
    pixels
        .saturating_mul(BYTES_A_PIXEL)
        .saturating_add(256 << 10)
}

const BYTES_A_PIXEL: u64 = 5;

/// A picture that is being encoded.
struct Picture<'a> {
    source: &'a Source<'a>,
    level: u8,
    across: usize,
    down: usize,
    chooser: Chooser,
    chosen: Chosen,
    kept: Kept,
    said: Vec<Said>,
    room: Room,
    above: Above,
    left: Left,
    /// What decoders will make of the blocks.
    #[cfg(test)]
    restored: Vec<(predict::Block<16>, predict::Block<8>)>,
}

/// What the blocks of the row above leave.
struct Above {
    luma: Vec<u8>,
    colour: [Vec<u8>; 2],
    modes: Vec<[u8; 4]>,
    near: Vec<Near>,
}

/// What the block to the left leaves; corners are those above this block's left edge.
#[derive(Clone, Copy)]
struct Left {
    luma: [u8; 16],
    colour: [[u8; 16]; 2],
    corner: u8,
    colour_corners: [u8; 2],
    modes: [u8; 4],
    near: Near,
}

impl Left {
    fn new(row: usize) -> Self {
        let corner = if row == 0 { ABOVE } else { LEFT };
        Self {
            luma: [LEFT; 16],
            colour: [[LEFT; 16]; 2],
            corner,
            colour_corners: [corner; 2],
            modes: [0; 4],
            near: Near::default(),
        }
    }
}

impl<'a> Picture<'a> {
    fn new(source: &'a Source<'a>, level: u8) -> Self {
        let (across, down) = source.blocks();
        let costs = Costs::new(&tables::INITIAL_CHANCES);
        Self {
            source,
            level,
            across,
            down,
            chooser: Chooser::new(&Quantisers::new(level), costs),
            chosen: Chosen {
                modes: Modes::default(),
                values: Values::ZERO,
                luma: [[0; 16]; 16],
                colour: [[0; 16]; 8],
            },
            kept: Kept::new(),
            said: Vec::with_capacity(across * down),
            room: Room::default(),
            above: Above {
                luma: vec![ABOVE; across * 16],
                colour: [vec![ABOVE; across * 8], vec![ABOVE; across * 8]],
                modes: vec![[0; 4]; across],
                near: vec![Near::default(); across],
            },
            left: Left::new(0),
            #[cfg(test)]
            restored: Vec::new(),
        }
    }

    #[inline(always)]
    fn encode<K: Kernels>(
        mut self,
        kernels: K,
        filter: u8,
        cancel: &Cancel,
    ) -> Result<Vec<u8>, Error> {
        self.blocks(kernels, cancel)?;
        self.write(filter)
    }

    /// Chooses how all blocks are coded.
    #[inline(always)]
    fn blocks<K: Kernels>(&mut self, kernels: K, cancel: &Cancel) -> Result<(), Error> {
        for row in 0..self.down {
            cancel.check()?;
            self.left = Left::new(row);
            for column in 0..self.across {
                self.block(kernels, column, row);
            }
            // Soon with what is usual in this picture, and then from time to time.
            if row < 4 || row % 4 == 0 {
                self.chooser.costs = Costs::new(&self.kept.chances());
            }
        }
        Ok(())
    }

    fn write(self, filter: u8) -> Result<Vec<u8>, Error> {
        let chances = self.kept.chances();
        let frame = Frame {
            quantiser: self.level,
            filter,
            chances: &chances,
        };
        let mut file = vec![0; FILE_HEADER + FRAME_HEADER];
        let mut writer = Writer::new(&mut file);
        header::write(&mut writer, &frame, &self.said, self.across);
        let first = writer.finish();
        let mut writer = Writer::new(&mut file);
        let blocks = self.said.iter();
        let blocks = blocks.map(|said| (said.whole.is_some(), said.some));
        self.kept.write(&mut writer, &chances, blocks, self.across);
        writer.finish();
        finish(file, first, self.source)
    }

    #[inline(always)]
    fn block<K: Kernels>(&mut self, kernels: K, column: usize, row: usize) {
        let (luma, colour) = self.source.block(column, row);
        let around = self.around(column, row);
        let small = self
            .room
            .for_small(self.across * self.down - self.said.len());
        let chosen = &mut self.chosen;
        self.room.used += self
            .chooser
            .choose(kernels, &luma, &colour, &around, small, chosen);
        let whole = chosen.modes.whole.is_some();
        let near = &mut self.above.near[column];
        let some = self
            .kept
            .keep(&chosen.values, whole, near, &mut self.left.near);
        self.said.push(Said {
            whole: chosen.modes.whole,
            colour: chosen.modes.colour,
            some,
            small: Said::pack(&chosen.modes.small),
        });
        #[cfg(test)]
        self.restored.push((chosen.luma, chosen.colour));
        self.leave(column);
    }

    fn around(&self, column: usize, row: usize) -> Surroundings {
        let (above, left) = (&self.above, &self.left);
        let luma = &above.luma[column * 16..];
        let beyond = match luma.get(16..20) {
            Some(beyond) => std::array::from_fn(|i| beyond[i]),
            None => [luma[15]; 4],
        };
        Surroundings {
            luma: Edges {
                above: std::array::from_fn(|i| luma[i]),
                left: left.luma,
                corner: left.corner,
            },
            beyond,
            colour: [0, 1].map(|half| Edges {
                above: std::array::from_fn(|i| above.colour[half][column * 8 + i]),
                left: left.colour[half],
                corner: left.colour_corners[half],
            }),
            known: [row > 0, column > 0],
            modes_above: above.modes[column],
            modes_left: left.modes,
            near: [above.near[column], left.near],
        }
    }

    /// Remembers what the next blocks are predicted from.
    fn leave(&mut self, column: usize) {
        let (above, left, chosen) = (&mut self.above, &mut self.left, &self.chosen);
        let luma = &mut above.luma[column * 16..][..16];
        left.corner = luma[15];
        luma.copy_from_slice(&chosen.luma[15]);
        left.luma = chosen.luma.map(|row| row[15]);
        for half in 0..2 {
            let colour = &mut above.colour[half][column * 8..][..8];
            left.colour_corners[half] = colour[7];
            colour.copy_from_slice(&chosen.colour[7][half * 8..][..8]);
            for (left, row) in left.colour[half].iter_mut().zip(&chosen.colour) {
                *left = row[half * 8 + 7];
            }
        }
        let modes = &chosen.modes;
        (above.modes[column], left.modes) = match modes.whole {
            Some(mode) => ([mode; 4], [mode; 4]),
            None => (
                std::array::from_fn(|i| modes.small[12 + i]),
                std::array::from_fn(|i| modes.small[i * 4 + 3]),
            ),
        };
    }
}

/// What is left of the first partition, which says how blocks are predicted: its length has too few
/// bits for pictures of many small blocks.
#[derive(Clone, Copy, Default)]
struct Room {
    /// 256ths of a bit.
    used: u64,
}

impl Room {
    /// Some bits of it are for what else is said, and as reserve: costs are rounded.
    const BITS: u64 = (1 << FIRST_PARTITION_BITS) * 15 / 2;
    /// What a block takes at most that is predicted whole, with whether it is empty.
    const WHOLE: u64 = 9;
    /// And one in small blocks.
    const SMALL: u64 = 16 * 14 + Self::WHOLE;

    /// Whether one more block may be predicted in small ones, where so many are left with it.
    fn for_small(self, left: usize) -> bool {
        self.used / 256 + Self::SMALL + left as u64 * Self::WHOLE <= Self::BITS
    }
}

/// Fills in the headers, whose lengths are known now.
fn finish(mut file: Vec<u8>, first: usize, source: &Source<'_>) -> Result<Vec<u8>, Error> {
    let too_large = || Error::encode("a picture with more blocks than VP8 has room for");
    let first = u32::try_from(first).map_err(|_| too_large())?;
    if first >> FIRST_PARTITION_BITS != 0 {
        return Err(too_large());
    }
    let payload = u32::try_from(file.len() - FILE_HEADER).map_err(|_| too_large())?;
    if payload % 2 == 1 {
        file.push(0);
    }
    let length = u32::try_from(file.len() - 8).map_err(|_| too_large())?;
    let mut header = Vec::with_capacity(FILE_HEADER + FRAME_HEADER);
    header.extend(b"RIFF");
    header.extend(length.to_le_bytes());
    header.extend(b"WEBPVP8 ");
    header.extend(payload.to_le_bytes());
    // A frame that stands alone, by the plain profile, to be shown.
    let [a, b, c, _] = (first << 5 | 1 << 4).to_le_bytes();
    header.extend([a, b, c, 0x9D, 0x01, 0x2A]);
    for side in [source.width, source.height] {
        header.extend((side as u16).to_le_bytes());
    }
    file[..header.len()].copy_from_slice(&header);
    Ok(file)
}

/// How strongly decoders smooth the edges of blocks, 0 to 63: with the steps, as blocks show the
/// more the coarser these are. As [`quantise`]'s numbers, found by trying.
fn filter(level: u8) -> u8 {
    let step = AC_STEPS[usize::from(level.min(127))];
    (step * 3 / 20).min(63) as u8
}

#[cfg(test)]
mod tests;
