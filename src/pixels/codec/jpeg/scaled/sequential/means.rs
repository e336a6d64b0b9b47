//! At an eighth, nothing of a block is kept but its mean: all that the other codes say is how far they
//! go, and how many of them a block has cannot be foreseen. So there is no loop for each block, whose
//! end would be guessed wrong as often as not, but one for all of a unit, in which the end of a block
//! is no more than another table to look in. It finds where blocks begin; the differences of their
//! means are read there afterwards, and need not wait for each other.

use std::hint::select_unpredictable;

use super::{
    super::{
        entropy::{Bits, Window},
        frame::Scan,
        huffman::{Ac, BLOCK, Dc, WAY, Way},
        inverse::inverse,
        units::Scanner,
    },
    Lanes, Tables, sixteen,
};

/// Blocks of a unit, at most (ITU T.81, B.2.3).
const BLOCKS: usize = 10;
/// Room for them: a power of two.
const ROOM: usize = 16;

/// What the blocks of a unit are read with, in their order.
pub(super) struct Means<'a> {
    ways: [Ways<'a>; ROOM],
    blocks: [Block<'a>; ROOM],
    count: usize,
}

/// Where is looked for a block's coefficients, and for the mean of the block behind it.
#[derive(Clone, Copy)]
struct Ways<'a> {
    rest: &'a Way,
    behind: &'a Way,
}

#[derive(Clone, Copy)]
struct Block<'a> {
    dc: &'a Dc,
    ac: &'a Ac,
    way: &'a Way,
    lane: usize,
    /// What its mean is multiplied by.
    factor: i32,
    /// Where its sample lies in the strip of a row's first unit, and how many each unit has across.
    place: usize,
    across: usize,
}

impl<'a> Means<'a> {
    /// For the lanes of a scan; `None` where more than a mean is kept of some block.
    pub(super) fn new(lanes: &Lanes<'a>, scan: &Scan<'_>, tables: &'a Tables) -> Option<Self> {
        let mut blocks = Vec::new();
        for (number, (lane, part)) in lanes.0.iter().zip(&scan.parts).enumerate() {
            let way = tables.means.get(part.dc)?.as_deref()?;
            let (across, down) = lane.factors;
            for place in 0..across * down {
                blocks.push(Block {
                    dc: lane.reader.dc,
                    ac: lane.reader.ac,
                    way,
                    lane: number,
                    factor: (lane.reader.places[0] >> 8).cast_signed(),
                    place: place / across * lane.strip.stride + place % across,
                    across,
                });
            }
        }
        let first = *blocks.first().filter(|_| blocks.len() <= BLOCKS)?;
        let at = |at: usize| *blocks.get(at).unwrap_or(&first);
        Some(Self {
            ways: std::array::from_fn(|place| Ways {
                rest: at(place).ac.way(),
                behind: at(place + 1).way,
            }),
            blocks: std::array::from_fn(at),
            count: blocks.len(),
        })
    }

    /// Where in the window the blocks of a unit end.
    #[inline(always)]
    fn ends(&self, bits: &mut Bits, window: &Window) -> [usize; ROOM] {
        let mut ends = [0; ROOM];
        let mut now = *bits;
        let (mut at, mut next) = (0, 0);
        let mut way = self.blocks[0].way;
        while at < self.count {
            now.refill(window);
            // Four times 13 bits are surely there.
            for _ in 0..4 {
                let Ways { rest, behind } = self.ways[at % ROOM];
                let entry = way[now.peek(WAY) as usize % (1 << WAY)];
                let beyond = next + usize::from(entry >> 5);
                if beyond >= BLOCK {
                    now.refill(window);
                    next = self.blocks[at % ROOM].single(&mut now, next);
                    ends[at % ROOM] = now.taken();
                    if next >= BLOCK {
                        (at, next, way) = (at + 1, 0, behind);
                    } else {
                        way = rest;
                    }
                    break;
                }
                now.take(u32::from(entry & 15));
                ends[at % ROOM] = now.taken();
                let is_end = entry & 16 != 0;
                next = select_unpredictable(is_end, 0, beyond);
                way = select_unpredictable(is_end, behind, rest);
                at += usize::from(is_end);
                if at >= self.count {
                    break;
                }
            }
        }
        *bits = now;
        ends
    }
}

impl Block<'_> {
    /// Takes one symbol, with a long code or at a place where the block may be full before all symbols
    /// of a window are through. Says where the next coefficient is. Needs 31 bits.
    #[inline(always)]
    fn single(&self, bits: &mut Bits, next: usize) -> usize {
        if next == 0 {
            self.dc.difference(bits);
            return 1;
        }
        next + self.ac.single(bits).0
    }
}

/// Means, and where they go.
pub(super) struct Drawn<'m, 'a>(pub(super) &'m Means<'a>, pub(super) &'m mut Lanes<'a>);

impl Scanner for Drawn<'_, '_> {
    fn restart(&mut self) {
        self.1.restart();
    }

    #[inline(always)]
    fn unit(&mut self, bits: &mut Bits, window: &Window, x: usize, y: usize) {
        let Self(means, lanes) = self;
        let mut begin = bits.taken();
        let ends = means.ends(bits, window);
        for (block, end) in means.blocks.iter().zip(ends).take(means.count) {
            let Some(lane) = lanes.0.get_mut(block.lane) else {
                continue;
            };
            let difference = block.dc.difference(&mut Bits::behind(begin, window));
            lane.reader.last_dc = lane.reader.last_dc.wrapping_add(difference);
            begin = end;
            let mean = [sixteen(lane.reader.last_dc).wrapping_mul(block.factor)];
            let stride = lane.strip.stride;
            let start = y * lane.factors.1 * stride + x * block.across + block.place;
            let sample = lane.strip.samples.get_mut(start..).unwrap_or_default();
            inverse::<1, 1>(&mean, 1, sample, stride);
        }
    }
}
