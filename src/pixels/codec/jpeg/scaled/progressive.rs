//! Progressive scans: the coefficients of the whole picture grow, scan by scan.
//!
//! Of each block only those are held that the scale needs. Of the others, later scans need to
//! know no more than which are not zero, a bit each; and scans that no wanted coefficient depends
//! on are not read at all. At an eighth that leaves the first coefficient, and its scans.

use super::{
    Reading, Stop,
    bands::{First, Next},
    data::Data,
    entropy::{Bits, Window},
    frame::{Component, File, Frame, Quant, Scan, quantiser, table},
    huffman::{BLOCK, Codes, Dc, Grown},
    inverse::inverse,
    processor::{Work, fastest},
    strip::Strip,
    units::{Scanner, Units},
};
use crate::pixels::{
    codec::{
        Cancel, Limits, admit,
        jpeg::{ZIGZAG, survey},
    },
    rows::Sink,
};

/// Low bits that a scan may leave to later ones: what libjpeg allows.
const MOST_LOW: u8 = 13;
/// Coefficients whose every bit libjpeg asks for, or else it guesses them from blocks around.
const SMOOTHED: usize = 10;

/// What is held of a component's blocks.
pub(super) struct Blocks {
    pub(super) eighths: u8,
    /// Blocks across, with those that fill up units.
    pub(super) across: usize,
    /// Coefficients that are wanted, `eighths × eighths` a block.
    pub(super) kept: Vec<i16>,
    /// For each block, which coefficients are not zero, in the order of the zigzag. Empty where
    /// only the first is wanted.
    pub(super) history: Vec<u64>,
}

/// Bytes that are held of a block at `eighths`.
pub(super) fn block_bytes(eighths: u8) -> u64 {
    let history = if eighths == 1 { 0 } else { 8 };
    u64::from(eighths) * u64::from(eighths) * 2 + history
}

/// Decodes the scans, and draws the planes.
///
/// # Errors
/// [`Stop`]; [`Stop::NotMine`] only before the sink hears of anything.
pub(super) fn rows(
    reading: &Reading<'_>,
    cancel: &Cancel,
    sink: &mut dyn Sink,
) -> Result<(), Stop> {
    let frame = &reading.frame;
    let components = frame.components.iter().zip(&reading.eighths);
    let mut blocks: Vec<Blocks> = components
        .map(|(component, eighths)| Blocks::new(component, *eighths))
        .collect();
    for scan in &reading.scans {
        decode_scan(reading.bytes, frame, scan, &mut blocks, cancel)?;
    }
    sink.begin(&reading.shapes())?;
    let planes = blocks.iter().zip(&frame.components).zip(&reading.quants);
    let mut drawings: Vec<Drawing<'_>> = planes
        .map(|((blocks, component), quant)| Drawing::new(blocks, component, quant))
        .collect();
    for _ in 0..frame.units.1 {
        cancel.check()?;
        for (plane, drawing) in drawings.iter_mut().enumerate() {
            fastest(&mut *drawing);
            drawing.strip.give(plane, sink)?;
        }
    }
    Ok(())
}

/// All scans to the end of the image, each a sensible step from those before it.
pub(super) fn scans<'a>(
    mut file: File<'a>,
    first: Scan<'a>,
    frame: &Frame,
    limits: &Limits,
) -> Result<Vec<Scan<'a>>, Stop> {
    // How many low bits of each coefficient are still to come; `None`: all.
    let mut missing = vec![[None; 64]; frame.components.len()];
    let mut scans = Vec::new();
    let mut next = Some(first);
    while let Some(scan) = next {
        if scans.len() >= limits.scans as usize {
            return Err(survey::too_many_scans(limits.scans).into());
        }
        check(&scan)?;
        for part in &scan.parts {
            let band = usize::from(scan.band.0)..=usize::from(scan.band.1);
            for bits in &mut missing[part.component][band] {
                let before = if scan.high == 0 {
                    None
                } else {
                    Some(scan.high)
                };
                if *bits != before {
                    return Err(Stop::NotMine);
                }
                *bits = Some(scan.low);
            }
        }
        scans.push(scan);
        file.skip_scan();
        next = file.next_scan()?;
    }
    if !file.ended {
        return Err(admit::broken("it ends where another scan may be missing").into());
    }
    let whole = |bits: &[Option<u8>; 64]| bits[..SMOOTHED].iter().all(|bits| *bits == Some(0));
    if missing.iter().all(whole) {
        Ok(scans)
    } else {
        Err(Stop::NotMine)
    }
}

/// Whether a scan is one that libjpeg reads.
fn check(scan: &Scan<'_>) -> Result<(), Stop> {
    let (first, last) = scan.band;
    let band = if first == 0 {
        last == 0
    } else {
        first <= last && last < 64 && scan.parts.len() == 1
    };
    let bits = scan.high == 0 || scan.high == scan.low + 1;
    if band && bits && scan.low <= MOST_LOW {
        Ok(())
    } else {
        Err(Stop::NotMine)
    }
}

/// Which scans have to be read. A refinement cannot be read without knowing what was not zero in
/// all of its band, so it wants all scans of that band before it.
pub(super) fn wanted(scans: &[Scan<'_>], scales: &[u8]) -> Vec<bool> {
    let mut needed: Vec<u64> = scales.iter().map(|eighths| square(*eighths)).collect();
    let mut wanted = vec![false; scans.len()];
    for (scan, wanted) in scans.iter().zip(&mut wanted).rev() {
        for part in &scan.parts {
            let (needed, band) = (&mut needed[part.component], band(scan));
            if *needed & band != 0 {
                *wanted = true;
                if scan.high > 0 {
                    *needed |= band;
                }
            }
        }
    }
    wanted
}

/// The coefficients of a scan, a bit each.
pub(super) fn band(scan: &Scan<'_>) -> u64 {
    (u64::MAX << (scan.band.0 & 63)) & (u64::MAX >> (63 - (scan.band.1 & 63)))
}

/// The coefficients that a scale needs, a bit each.
pub(super) fn square(eighths: u8) -> u64 {
    let wanted = |natural: &u8| natural / 8 < eighths && natural % 8 < eighths;
    let bits = ZIGZAG
        .iter()
        .enumerate()
        .filter(|(_, natural)| wanted(natural));
    bits.fold(0, |square, (zigzag, _)| square | 1 << zigzag)
}

fn decode_scan(
    bytes: &[u8],
    frame: &Frame,
    scan: &Scan<'_>,
    blocks: &mut [Blocks],
    cancel: &Cancel,
) -> Result<(), Stop> {
    let single = match scan.parts[..] {
        [part] => Some(part),
        _ => None,
    };
    let (across, down) = single.map_or(frame.units, |part| frame.components[part.component].blocks);
    let over = Over {
        units: Units::new(Data::held(bytes, scan.data), scan, across),
        down,
        cancel,
    };
    if let (Some(part), 1..) = (single, scan.band.0) {
        let codes = table(&scan.tables.ac, part.ac)?;
        let blocks = &mut blocks[part.component];
        return if scan.high == 0 {
            over.scan(First::new(scan, &Grown::new(codes)?, blocks))
        } else {
            over.scan(Next::new(scan, &Codes::new(codes)?, blocks))
        };
    }
    let mut tables: [Option<Dc>; 4] = [const { None }; 4];
    for part in scan.parts.iter().filter(|_| scan.high == 0) {
        let codes = table(&scan.tables.dc, part.dc)?;
        tables[part.dc] = Some(Dc::new(codes)?);
    }
    let mut lanes = Vec::new();
    for (index, blocks) in blocks.iter_mut().enumerate() {
        let Some(part) = scan.parts.iter().find(|part| part.component == index) else {
            continue;
        };
        lanes.push(Lane {
            factors: single.map_or(frame.components[index].factors, |_| (1, 1)),
            codes: tables.get(part.dc).and_then(Option::as_ref),
            last: 0,
            across: blocks.across,
            held: usize::from(blocks.eighths) * usize::from(blocks.eighths),
            kept: &mut blocks.kept,
        });
    }
    let low = scan.low.into();
    if scan.high == 0 {
        over.scan(FirstDc { lanes, low })
    } else {
        over.scan(NextDc { lanes, low })
    }
}

/// A scan that goes over all of its units.
struct Over<'a> {
    units: Units<'a>,
    down: usize,
    cancel: &'a Cancel,
}

impl Over<'_> {
    fn scan(mut self, mut scanner: impl Scanner) -> Result<(), Stop> {
        for y in 0..self.down {
            self.cancel.check()?;
            self.units.row(y, &mut scanner)?;
        }
        Ok(self.units.end()?)
    }
}

impl Blocks {
    fn new(component: &Component, eighths: u8) -> Self {
        let (across, down) = component.padded;
        let count = across * down;
        Self {
            eighths,
            across,
            kept: vec![0; count * held(eighths)],
            history: if eighths == 1 {
                Vec::new()
            } else {
                vec![0; count]
            },
        }
    }
}

fn held(eighths: u8) -> usize {
    usize::from(eighths) * usize::from(eighths)
}

/// Held coefficients, to become samples, a row of units at a time.
struct Drawing<'a> {
    /// Coefficients of the rows of blocks that are not drawn.
    kept: std::slice::Chunks<'a, i16>,
    history: std::slice::Iter<'a, u64>,
    eighths: u8,
    /// The factor of each coefficient that is kept.
    factors: [i32; BLOCK],
    strip: Strip,
}

impl<'a> Drawing<'a> {
    fn new(blocks: &'a Blocks, component: &Component, quant: Quant<'_>) -> Self {
        let side = usize::from(blocks.eighths);
        let mut factors = [0; BLOCK];
        for (zigzag, natural) in ZIGZAG.iter().enumerate() {
            let (row, column) = (usize::from(natural / 8), usize::from(natural % 8));
            if row < side && column < side {
                factors[row * side + column] = quantiser(quant, zigzag);
            }
        }
        Self {
            kept: blocks.kept.chunks(blocks.across * held(blocks.eighths)),
            history: blocks.history.iter(),
            eighths: blocks.eighths,
            factors,
            strip: Strip::new(component, blocks.eighths),
        }
    }
}

impl Work for &mut Drawing<'_> {
    type Done = ();

    #[inline(always)]
    fn run(self) {
        match self.eighths {
            1 => self.draw::<1, 1>(),
            2 => self.draw::<2, 4>(),
            3 => self.draw::<3, 16>(),
            4 => self.draw::<4, 16>(),
            5 => self.draw::<5, 32>(),
            6 => self.draw::<6, 64>(),
            7 => self.draw::<7, 64>(),
            _ => self.draw::<8, 64>(),
        }
    }
}

impl Drawing<'_> {
    #[inline(always)]
    fn draw<const N: usize, const HELD: usize>(&mut self) {
        let stride = self.strip.stride;
        let square = square(self.eighths);
        // Strips first: what is taken from the second of two is lost where the first has ended.
        let strips = self.strip.samples.chunks_exact_mut(stride * N);
        for (samples, row) in strips.zip(&mut self.kept) {
            for (x, block) in row.chunks_exact(N * N).enumerate() {
                let mut coefficients = [0; HELD];
                let products = coefficients.iter_mut().zip(block).zip(&self.factors);
                for ((product, kept), factor) in products {
                    *product = i32::from(*kept).wrapping_mul(*factor);
                }
                let samples = samples.get_mut(x * N..).unwrap_or_default();
                let history = self.history.next().unwrap_or(&0) & square;
                let reach = (u64::BITS - history.leading_zeros()).max(1) as usize;
                inverse::<N, HELD>(&coefficients, reach, samples, stride);
            }
        }
    }
}

/// A component in a scan of first coefficients.
struct Lane<'a> {
    /// Blocks across and down in a unit.
    factors: (usize, usize),
    /// None in a refinement, which has no codes.
    codes: Option<&'a Dc>,
    last: i32,
    across: usize,
    /// Coefficients that are kept of a block; the first of them is the one that is meant here.
    held: usize,
    kept: &'a mut [i16],
}

impl Lane<'_> {
    /// The first coefficients of the unit at `x`, `y`.
    #[inline(always)]
    fn unit(&mut self, x: usize, y: usize, mut each: impl FnMut(&mut i32, &mut i16)) {
        let (across, down) = self.factors;
        for v in 0..down {
            for u in 0..across {
                let block = (y * down + v) * self.across + x * across + u;
                if let Some(first) = self.kept.get_mut(block * self.held) {
                    each(&mut self.last, first);
                }
            }
        }
    }
}

/// The first scan of first coefficients.
struct FirstDc<'a> {
    lanes: Vec<Lane<'a>>,
    low: u32,
}

impl Scanner for FirstDc<'_> {
    fn restart(&mut self) {
        for lane in &mut self.lanes {
            lane.last = 0;
        }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "as libjpeg does")]
    fn unit(&mut self, bits: &mut Bits, window: &Window, x: usize, y: usize) {
        let low = self.low;
        for lane in &mut self.lanes {
            let Some(codes) = lane.codes else {
                continue;
            };
            lane.unit(
                x,
                y,
                #[inline(always)]
                |last, first| {
                    bits.refill(window);
                    *last = last.wrapping_add(codes.difference(bits));
                    *first = (*last << low) as i16;
                },
            );
        }
    }
}

/// A later scan of first coefficients: a bit more of each.
struct NextDc<'a> {
    lanes: Vec<Lane<'a>>,
    low: u32,
}

impl Scanner for NextDc<'_> {
    fn restart(&mut self) {}

    #[inline(always)]
    fn unit(&mut self, bits: &mut Bits, window: &Window, x: usize, y: usize) {
        let low = self.low;
        for lane in &mut self.lanes {
            lane.unit(
                x,
                y,
                #[inline(always)]
                |_, first| {
                    bits.refill(window);
                    *first |= i16::from(bits.peek(1) == 1) << low;
                    bits.take(1);
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::codec::jpeg::scaled::frame::{Part, Tables};

    fn scan(component: usize, band: (u8, u8), high: u8, low: u8) -> Scan<'static> {
        Scan {
            parts: vec![Part {
                component,
                dc: 0,
                ac: 0,
            }],
            tables: Tables::default(),
            band,
            high,
            low,
            data: 0,
        }
    }

    #[track_caller]
    fn check_wanted(eighths: u8, expected: &[bool]) {
        let scans = [
            scan(0, (0, 0), 0, 1),
            scan(0, (1, 5), 0, 2),
            scan(0, (6, 63), 0, 2),
            scan(0, (1, 63), 2, 1),
            scan(0, (0, 0), 1, 0),
            scan(0, (1, 63), 1, 0),
        ];
        assert_eq!(wanted(&scans, &[eighths]), expected);
    }

    #[test]
    fn an_eighth_wants_first_coefficients_only() {
        check_wanted(1, &[true, false, false, false, true, false]);
        check_wanted(2, &[true; 6]);
    }

    #[test]
    fn a_scan_of_what_is_too_fine_is_not_wanted() {
        let scans = [
            scan(0, (1, 5), 0, 1),
            scan(0, (6, 63), 0, 1),
            scan(0, (1, 5), 1, 0),
            scan(0, (6, 63), 1, 0),
        ];
        assert_eq!(wanted(&scans, &[2]), [true, false, true, false]);
        assert_eq!(wanted(&scans, &[3]), [true; 4]);
    }

    #[test]
    fn scans_that_libjpeg_refuses_are_not_read() {
        let cases = [
            (scan(0, (0, 0), 0, 13), true),
            (scan(0, (0, 0), 0, 14), false),
            (scan(0, (0, 5), 0, 0), false),
            (scan(0, (5, 4), 0, 0), false),
            (scan(0, (1, 63), 3, 2), true),
            (scan(0, (1, 63), 3, 1), false),
            (scan(0, (1, 64), 0, 0), false),
        ];
        for (scan, read) in cases {
            assert_eq!(check(&scan).is_ok(), read, "{:?}", scan.band);
        }
    }
}
