//! Sequential scans: each block goes from bits to samples at once, and each row of them is given
//! away before the next.

mod means;

use self::means::{Drawn, Means};
use super::{
    Reading, Stop,
    data::Data,
    entropy::{Bits, Window},
    frame::{Part, Quant, Scan, quantiser, table},
    huffman::{Ac, BLOCK, Dc, END, WAY, Way},
    inverse::{Threes, inverse},
    strip::{Strip, behind, last},
    units::{Scanner, Units},
};
use crate::pixels::{
    codec::{Cancel, Error, Rest, jpeg::ZIGZAG},
    rows::Sink,
};

/// Up to here a pair of coefficients can be looked up: were the first one past the end of the
/// block, the second would be of the next.
const LAST_PAIR: usize = 47;

/// Bytes of the tables of a scan, at most.
pub(super) const TABLES: u64 = 4 * (Dc::BYTES + (2 << WAY) + Ac::BYTES + (4 << 10));

/// Where a coefficient goes once it is multiplied: its factor above eight bits of place.
type Places = Box<[u32; 256]>;

/// The codes of a scan.
struct Tables {
    dc: [Option<Dc>; 4],
    ac: [Option<Ac>; 4],
    /// Of differences, where nothing but means is kept.
    means: [Option<Box<Way>>; 4],
}

/// A component in a scan, ready to be decoded.
struct Lane<'a> {
    plane: usize,
    /// Blocks across and down in a unit.
    factors: (usize, usize),
    reader: Reader<'a>,
    strip: Strip,
    /// At three eighths, the last blocks of each row of blocks in a unit.
    threes: Vec<Threes>,
}

/// What the blocks of a component are read with.
struct Reader<'a> {
    dc: &'a Dc,
    ac: &'a Ac,
    places: Places,
    last_dc: i32,
}

/// A scan, as far as it is decoded.
struct Run<'a> {
    units: Units<'a>,
    lanes: Lanes<'a>,
    means: Option<Means<'a>>,
    /// Rows of its units in a row of the frame's.
    each: usize,
    /// Rows of its units that are still to come.
    left: usize,
}

/// Decodes scans in which each component stands once. They go side by side, so that rows of the
/// same place come out together. `rest`: what follows the file's head, where that is all there is.
///
/// # Errors
/// [`Stop`]; [`Stop::NotMine`] only before the sink hears of anything.
pub(super) fn rows<'a>(
    reading: &Reading<'a>,
    rest: Option<&'a dyn Rest>,
    cancel: &Cancel,
    sink: &mut dyn Sink,
) -> Result<(), Stop> {
    let tables: Vec<Tables> = reading
        .scans
        .iter()
        .map(|scan| Tables::new(scan, &reading.eighths))
        .collect::<Result<_, _>>()?;
    let scans = reading.scans.iter().zip(&tables);
    let mut runs: Vec<Run<'_>> = scans
        .map(|(scan, tables)| {
            let data = match rest {
                None => Data::held(reading.bytes, scan.data),
                Some(rest) => Data::read(rest, scan.data),
            };
            Run::new(reading, scan, tables, data)
        })
        .collect::<Result<_, _>>()?;
    sink.begin(&reading.shapes())?;
    for _ in 0..reading.frame.units.1 {
        cancel.check()?;
        for run in &mut runs {
            run.row(sink)?;
        }
    }
    for run in &runs {
        run.units.end()?;
    }
    Ok(())
}

impl Tables {
    fn new(scan: &Scan<'_>, eighths: &[u8]) -> Result<Self, Stop> {
        let mut tables = Self {
            dc: [const { None }; 4],
            ac: [const { None }; 4],
            means: [const { None }; 4],
        };
        let means = |part: &Part| eighths.get(part.component) == Some(&1);
        let means = scan.parts.iter().all(means);
        for part in &scan.parts {
            let (codes, place) = (table(&scan.tables.dc, part.dc)?, &mut tables.dc[part.dc]);
            if place.is_none() {
                let codes = Dc::new(codes)?;
                tables.means[part.dc] = means.then(|| codes.way());
                *place = Some(codes);
            }
            let (codes, place) = (table(&scan.tables.ac, part.ac)?, &mut tables.ac[part.ac]);
            if place.is_none() {
                *place = Some(Ac::new(codes)?);
            }
        }
        Ok(tables)
    }
}

impl<'a> Run<'a> {
    fn new(
        reading: &Reading<'a>,
        scan: &Scan<'a>,
        tables: &'a Tables,
        data: Data<'a>,
    ) -> Result<Self, Stop> {
        let mut lanes = Vec::new();
        for part in &scan.parts {
            let component = &reading.frame.components[part.component];
            let eighths = reading.eighths[part.component];
            let (Some(dc), Some(ac)) = (&tables.dc[part.dc], &tables.ac[part.ac]) else {
                return Err(Stop::NotMine);
            };
            lanes.push(Lane {
                plane: part.component,
                factors: component.factors,
                reader: Reader {
                    dc,
                    ac,
                    places: places(reading.quants[part.component], eighths.into()),
                    last_dc: 0,
                },
                strip: Strip::new(component, eighths),
                threes: vec![Threes::default(); component.factors.1],
            });
        }
        let ((mut across, mut left), mut each) = (reading.frame.units, 1);
        if let ([lane], [part]) = (&mut lanes[..], &scan.parts[..]) {
            let component = &reading.frame.components[part.component];
            lane.factors = (1, 1);
            each = component.factors.1;
            (across, left) = component.blocks;
        }
        let lanes = Lanes(lanes);
        Ok(Self {
            units: Units::new(data, scan, across),
            means: Means::new(&lanes, scan, tables),
            lanes,
            each,
            left,
        })
    }

    /// The next row of the frame's units.
    fn row(&mut self, sink: &mut dyn Sink) -> Result<(), Error> {
        for y in 0..self.each.min(self.left) {
            match &self.means {
                Some(means) => self.units.row(y, &mut Drawn(means, &mut self.lanes))?,
                None => self.units.row(y, &mut self.lanes)?,
            }
            for lane in &mut self.lanes.0 {
                lane.finish();
            }
            self.left -= 1;
        }
        for lane in &mut self.lanes.0 {
            lane.strip.give(lane.plane, sink)?;
        }
        Ok(())
    }
}

/// Where each coefficient goes: into a square of `n × n`, or behind it.
fn places(quant: Quant<'_>, n: usize) -> Places {
    let apart = if n == 3 { Threes::BESIDE } else { 1 };
    let mut places = Box::new([behind(n) * apart; 256]);
    for (zigzag, natural) in ZIGZAG.iter().enumerate() {
        let (row, column) = (usize::from(natural / 8), usize::from(natural % 8));
        if row < n && column < n {
            let place = u32::try_from(row * n + column).unwrap_or(0);
            let factor = quantiser(quant, zigzag).cast_unsigned();
            places[zigzag] = factor << 8 | (place * apart);
        }
    }
    places
}

/// The components of a scan, in their order.
struct Lanes<'a>(Vec<Lane<'a>>);

impl Scanner for Lanes<'_> {
    fn restart(&mut self) {
        for lane in &mut self.0 {
            lane.reader.last_dc = 0;
        }
    }

    #[inline(always)]
    fn unit(&mut self, bits: &mut Bits, window: &Window, x: usize, y: usize) {
        for lane in &mut self.0 {
            match lane.strip.eighths {
                1 => lane.unit::<1, 1>(bits, window, x, y),
                2 => lane.unit::<2, 8>(bits, window, x, y),
                3 => lane.unit_of_threes(bits, window, x, y),
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
        window: &Window,
        x: usize,
        y: usize,
    ) {
        let ((across, down), stride) = (self.factors, self.strip.stride);
        for v in 0..down {
            for u in 0..across {
                let start = (y * down + v) * N * stride + (x * across + u) * N;
                let mut coefficients = [0; HELD];
                let reach = self
                    .reader
                    .block::<N, HELD>(bits, window, &mut coefficients, 0);
                let samples = self.strip.samples.get_mut(start..).unwrap_or_default();
                inverse::<N, HELD>(&coefficients, reach, samples, stride);
            }
        }
    }

    /// The same at three eighths, where blocks wait until some can be transformed side by side.
    #[inline(always)]
    fn unit_of_threes(&mut self, bits: &mut Bits, window: &Window, x: usize, y: usize) {
        let ((across, down), stride) = (self.factors, self.strip.stride);
        for (v, threes) in self.threes.iter_mut().enumerate().take(down) {
            for u in 0..across {
                let start = (y * down + v) * 3 * stride + (x * across + u) * 3;
                let (coefficients, slot) = threes.next(start);
                self.reader
                    .block::<3, { Threes::HELD }>(bits, window, coefficients, slot);
                if threes.is_full() {
                    threes.draw(&mut self.strip.samples, stride);
                }
            }
        }
    }

    /// At the end of a row of units.
    fn finish(&mut self) {
        for threes in &mut self.threes {
            threes.draw(&mut self.strip.samples, self.strip.stride);
        }
    }
}

impl Reader<'_> {
    /// Adds the `N × N` low coefficients of the next block, multiplied, to zeros, each so many
    /// places behind its own; behind them what is not wanted. Returns the place, in the file's
    /// order, from which on all are zero.
    #[inline(always)]
    fn block<const N: usize, const HELD: usize>(
        &mut self,
        bits: &mut Bits,
        window: &Window,
        coefficients: &mut [i32; HELD],
        slot: usize,
    ) -> usize {
        let (mut now, ac, places) = (*bits, self.ac, &self.places);
        now.refill(window);
        self.last_dc = self.last_dc.wrapping_add(self.dc.difference(&mut now));
        put(coefficients, places, slot, 0, sixteen(self.last_dc));
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
                    put(coefficients, places, slot, next - 1, value);
                } else {
                    now.take(pair.bits.into());
                    let first = next + usize::from(pair.first);
                    next += usize::from(pair.both);
                    put(coefficients, places, slot, first - 1, pair.values[0].into());
                    put(coefficients, places, slot, next - 1, pair.values[1].into());
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
            put(coefficients, places, slot, next - 1, value);
        }
        skip(&mut now, window, ac, next);
        *bits = now;
        if next < END { next } else { next - END }
    }
}

/// Steps over the rest of a block, from its coefficient `next`.
#[inline(always)]
fn skip(bits: &mut Bits, window: &Window, ac: &Ac, mut next: usize) {
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
    slot: usize,
    zigzag: usize,
    value: i32,
) {
    let place = places[zigzag & 255];
    coefficients[(place as usize + slot) % HELD] = value.wrapping_mul((place >> 8).cast_signed());
}

/// What libjpeg keeps of a coefficient.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "as libjpeg does")]
fn sixteen(value: i32) -> i32 {
    i32::from(value as i16)
}
