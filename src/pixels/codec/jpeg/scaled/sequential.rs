//! Sequential scans: each block goes from bits to samples at once, and nothing of it is kept.

use super::{
    Stop,
    draft::{Draft, ZIGZAG, behind, last},
    entropy::{Bits, Feed},
    frame::{Frame, Quant, Scan, quantiser},
    huffman::{Ac, BLOCK, Dc, END},
    inverse::inverse,
    units::{Scanner, Units},
};
use crate::pixels::codec::Cancel;

/// Up to here a pair of coefficients can be looked up: were the first one past the end of the
/// block, the second would be of the next.
const LAST_PAIR: usize = 47;

/// Bytes of the tables of a scan, at most.
pub(super) const TABLES: u64 = 4 * (Dc::BYTES + Ac::BYTES + (4 << 10));

/// Where a coefficient goes once it is multiplied: its factor above eight bits of place.
type Places = Box<[u32; 256]>;

/// A component in a scan, ready to be decoded.
struct Lane<'a> {
    eighths: u8,
    /// Blocks across and down in a unit.
    factors: (usize, usize),
    dc: &'a Dc,
    ac: &'a Ac,
    places: Places,
    last_dc: i32,
    samples: &'a mut [u8],
    stride: usize,
}

/// Decodes a scan into the planes of its components.
///
/// # Errors
/// [`Stop`].
pub(super) fn decode(
    bytes: &[u8],
    frame: &Frame,
    scan: &Scan<'_>,
    drafts: &mut [Draft],
    cancel: &Cancel,
) -> Result<(), Stop> {
    let mut dc: [Option<Dc>; 4] = [const { None }; 4];
    let mut ac: [Option<Ac>; 4] = [const { None }; 4];
    for part in &scan.parts {
        let (codes, place) = (table(&scan.tables.dc, part.dc)?, &mut dc[part.dc]);
        if place.is_none() {
            *place = Some(Dc::new(codes)?);
        }
        let (codes, place) = (table(&scan.tables.ac, part.ac)?, &mut ac[part.ac]);
        if place.is_none() {
            *place = Some(Ac::new(codes)?);
        }
    }
    let mut lanes = Vec::new();
    for (index, draft) in drafts.iter_mut().enumerate() {
        let Some(part) = scan.parts.iter().find(|part| part.component == index) else {
            continue;
        };
        let component = &frame.components[index];
        let (Some(dc), Some(ac)) = (&dc[part.dc], &ac[part.ac]) else {
            return Err(Stop::NotMine);
        };
        let quant = table(&scan.tables.quant, component.quant)?;
        lanes.push(Lane {
            eighths: draft.eighths,
            factors: component.factors,
            dc,
            ac,
            places: places(quant, draft.eighths.into()),
            last_dc: 0,
            stride: draft.stride,
            samples: &mut draft.samples,
        });
    }
    let (mut across, mut down) = frame.units;
    if let ([lane], [part]) = (&mut lanes[..], &scan.parts[..]) {
        lane.factors = (1, 1);
        (across, down) = frame.components[part.component].blocks;
    }
    let units = Units {
        feed: Feed::new(bytes, scan.data),
        across,
        down,
        interval: scan.tables.interval,
        cancel,
    };
    units.scan(Lanes(lanes))
}

/// A table that has to be there.
pub(super) fn table<T: Copy>(tables: &[Option<T>; 4], slot: usize) -> Result<T, Stop> {
    tables.get(slot).copied().flatten().ok_or(Stop::NotMine)
}

/// Where each coefficient goes: into a square of `n × n`, or behind it.
fn places(quant: Quant<'_>, n: usize) -> Places {
    let mut places = Box::new([behind(n); 256]);
    for (zigzag, natural) in ZIGZAG.iter().enumerate() {
        let (row, column) = (usize::from(natural / 8), usize::from(natural % 8));
        if row < n && column < n {
            let place = u32::try_from(row * n + column).unwrap_or(0);
            places[zigzag] = quantiser(quant, zigzag).cast_unsigned() << 8 | place;
        }
    }
    places
}

/// The components of a scan, in their order.
struct Lanes<'a>(Vec<Lane<'a>>);

impl Scanner for Lanes<'_> {
    fn restart(&mut self) {
        for lane in &mut self.0 {
            lane.last_dc = 0;
        }
    }

    #[inline(always)]
    fn unit(&mut self, bits: &mut Bits, window: &[u8], x: usize, y: usize) {
        for lane in &mut self.0 {
            match lane.eighths {
                1 => lane.unit::<1, 1>(bits, window, x, y),
                2 => lane.unit::<2, 8>(bits, window, x, y),
                3 => lane.unit::<3, 16>(bits, window, x, y),
                4 => lane.unit::<4, 32>(bits, window, x, y),
                5 => lane.unit::<5, 32>(bits, window, x, y),
                6 => lane.unit::<6, 64>(bits, window, x, y),
                7 => lane.unit::<7, 64>(bits, window, x, y),
                _ => lane.unit::<8, 128>(bits, window, x, y),
            }
        }
    }
}

impl Lane<'_> {
    /// The blocks of one unit, at `N` eighths.
    #[inline(always)]
    fn unit<const N: usize, const HELD: usize>(
        &mut self,
        bits: &mut Bits,
        window: &[u8],
        x: usize,
        y: usize,
    ) {
        let (across, down) = self.factors;
        for v in 0..down {
            for u in 0..across {
                let start = (y * down + v) * N * self.stride + (x * across + u) * N;
                let (coefficients, reach) = self.block::<N, HELD>(bits, window);
                let samples = self.samples.get_mut(start..).unwrap_or_default();
                inverse::<N, HELD>(&coefficients, reach, samples, self.stride);
            }
        }
    }

    /// The `N × N` low coefficients of the next block, multiplied; behind them what is not wanted.
    /// And the place, in the file's order, from which on all are zero.
    #[inline(always)]
    fn block<const N: usize, const HELD: usize>(
        &mut self,
        bits: &mut Bits,
        window: &[u8],
    ) -> ([i32; HELD], usize) {
        let mut coefficients = [0; HELD];
        let (mut now, ac, places) = (*bits, self.ac, &self.places);
        now.refill(window);
        self.last_dc = self.last_dc.wrapping_add(self.dc.difference(&mut now));
        put(&mut coefficients, places, 0, sixteen(self.last_dc));
        let mut next = 1;
        let last = const { last(N) };
        while next <= last.min(LAST_PAIR) {
            now.refill(window);
            // Four times 11 bits are surely there.
            for _ in 0..4 {
                let pair = ac.pair(&now);
                if pair.bits == 0 {
                    now.refill(window);
                    let (advance, value) = ac.single(&mut now);
                    now.refill(window);
                    next += advance;
                    put(&mut coefficients, places, next - 1, value);
                } else {
                    now.take(pair.bits.into());
                    let first = next + usize::from(pair.first);
                    next += usize::from(pair.both);
                    put(&mut coefficients, places, first - 1, pair.values[0].into());
                    put(&mut coefficients, places, next - 1, pair.values[1].into());
                }
                if next > last.min(LAST_PAIR) {
                    break;
                }
            }
        }
        while next <= last {
            now.refill(window);
            let (advance, value) = ac.single(&mut now);
            next += advance;
            put(&mut coefficients, places, next - 1, value);
        }
        skip(&mut now, window, ac, next);
        *bits = now;
        (coefficients, if next < END { next } else { next - END })
    }
}

/// Steps over the rest of a block, from its coefficient `next`.
#[inline(always)]
fn skip(bits: &mut Bits, window: &[u8], ac: &Ac, mut next: usize) {
    while next < BLOCK {
        bits.refill(window);
        // Four times 13 bits are surely there.
        for _ in 0..4 {
            let leap = ac.leap(bits);
            if next + leap.advance >= BLOCK {
                // The block may be full before the symbols of the leap are through.
                bits.refill(window);
                next += ac.single(bits).0;
                break;
            }
            bits.take(leap.bits);
            next += leap.advance;
            if leap.ends {
                return;
            }
        }
    }
}

/// Keeps a coefficient, or puts it where it is not looked at.
#[inline(always)]
fn put<const HELD: usize>(
    coefficients: &mut [i32; HELD],
    places: &Places,
    zigzag: usize,
    value: i32,
) {
    let place = places[zigzag & 255];
    coefficients[place as usize % HELD] = value.wrapping_mul((place >> 8).cast_signed());
}

/// What libjpeg keeps of a coefficient.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "as libjpeg does")]
fn sixteen(value: i32) -> i32 {
    i32::from(value as i16)
}
