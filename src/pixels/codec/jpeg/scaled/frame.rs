//! The headers of a JPEG: its frame, its scans, and the tables in force at each. Decodes nothing.
//!
//! Whatever is odd here is [`Stop::NotMine`]: libjpeg then says whether it is a picture.

use super::{
    Stop,
    huffman::{Codes, Dc},
};
use crate::pixels::{
    codec::{
        Limits, admit,
        jpeg::markers::{Segment, Segments, next_marker},
    },
    geometry::Size,
};

/// Blocks of an interleaved minimum coded unit, at most.
const UNIT_BLOCKS: usize = 10;
/// What libjpeg asks of an APP0 segment before it believes it.
const JFIF_LENGTH: usize = 14;
/// Where Adobe's segment says how colours were transformed, and "to YCbCr" there.
const ADOBE_TRANSFORM: usize = 11;

/// One component.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Component {
    id: u8,
    /// Blocks across and down in a minimum coded unit.
    pub(super) factors: (usize, usize),
    /// Which quantisation table it uses.
    pub(super) quant: usize,
    /// Blocks across and down that hold samples of it.
    pub(super) blocks: (usize, usize),
    /// Blocks across and down, with those that fill up the last unit.
    pub(super) padded: (usize, usize),
    /// Samples across and down, fractions of the last one included.
    pub(super) extent: (f64, f64),
}

/// A frame that can be decoded here.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) progressive: bool,
    /// One (gray) or three (luma and two colour differences, both alike).
    pub(super) components: Vec<Component>,
    /// Interleaved minimum coded units across and down.
    pub(super) units: (usize, usize),
}

/// The 64 numbers of a table, or their bytes: one or two each, in the order of the zigzag.
pub(super) type Quant<'a> = &'a [u8];

/// Tables in force.
#[derive(Clone, Copy, Default)]
pub(super) struct Tables<'a> {
    pub(super) quant: [Option<Quant<'a>>; 4],
    pub(super) dc: [Option<&'a [u8]>; 4],
    pub(super) ac: [Option<&'a [u8]>; 4],
    /// Minimum coded units between restarts; 0 for none.
    pub(super) interval: usize,
}

/// A component's place in a scan.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// Which component of the frame.
    pub(super) component: usize,
    /// Which tables it uses.
    pub(super) dc: usize,
    pub(super) ac: usize,
}

/// A scan: what it holds, with what tables.
#[derive(Clone)]
pub(super) struct Scan<'a> {
    pub(super) parts: Vec<Part>,
    pub(super) tables: Tables<'a>,
    /// The first and the last coefficient, in the order of the zigzag.
    pub(super) band: (u8, u8),
    /// The bit that came before, and the bit that comes now; a first scan has 0 before.
    pub(super) high: u8,
    pub(super) low: u8,
    /// Where its data begin.
    pub(super) data: usize,
}

/// The file, read scan by scan.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    limits: Limits,
    at: usize,
    pub(super) frame: Option<Frame>,
    tables: Tables<'a>,
    jfif: bool,
    adobe: Option<u8>,
    /// Whether the end of image was seen.
    pub(super) ended: bool,
}

impl<'a> File<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &Limits) -> Self {
        Self {
            bytes,
            limits: *limits,
            at: 2,
            frame: None,
            tables: Tables::default(),
            jfif: false,
            adobe: None,
            ended: false,
        }
    }

    /// The next scan; `None` where the file ends, or ends being one.
    ///
    /// # Errors
    /// [`Stop`].
    pub(super) fn next_scan(&mut self) -> Result<Option<Scan<'a>>, Stop> {
        let bytes = self.bytes;
        let segments = Segments::resume(bytes, self.at).ok_or(Stop::NotMine)?;
        for segment in segments {
            let payload = segment.payload(bytes);
            match segment.marker {
                0xC4 => self.codes(payload)?,
                0xDB => self.quantisers(payload)?,
                0xDD => {
                    let [high, low] = payload else {
                        return Err(Stop::NotMine);
                    };
                    self.tables.interval = u16::from_be_bytes([*high, *low]).into();
                }
                0xC0..=0xC2 if self.frame.is_none() => {
                    self.frame = Some(Frame::read(&segment, payload, &self.limits)?);
                }
                0xDA => {
                    self.colours()?;
                    self.at = segment.whole.end;
                    return self.scan(payload).map(Some);
                }
                0xD9 => {
                    self.ended = true;
                    return Ok(None);
                }
                0xE0 => self.jfif |= payload.len() >= JFIF_LENGTH && payload.starts_with(b"JFIF\0"),
                0xEE if segment.is_adobe(bytes) => {
                    self.adobe = payload.get(ADOBE_TRANSFORM).copied();
                }
                // Metadata; and restarts and the like, which mean nothing between segments.
                0xE1..=0xEF | 0xFE | 0x01 | 0xD0..=0xD7 | 0xDC => {}
                _ => return Err(Stop::NotMine),
            }
        }
        Ok(None)
    }

    /// Steps over the data of the scan that was read last.
    pub(super) fn skip_scan(&mut self) {
        let mut at = self.at;
        while let Some(marker) = next_marker(self.bytes, at) {
            at = marker + 2;
            if !matches!(self.bytes[marker + 1], 0x01 | 0xD0..=0xD7) {
                self.at = marker;
                return;
            }
        }
        self.at = self.bytes.len();
    }

    /// Whether three components are luma and colour differences, by libjpeg's rules.
    fn colours(&self) -> Result<(), Stop> {
        let frame = self.frame.as_ref().ok_or(Stop::NotMine)?;
        let [first, second, third] = frame.components[..] else {
            return Ok(());
        };
        let rgb = [first.id, second.id, third.id] == *b"RGB";
        match (self.jfif, self.adobe) {
            (true, _) | (false, Some(1)) => Ok(()),
            (false, None) if !rgb => Ok(()),
            _ => Err(Stop::NotMine),
        }
    }

    fn codes(&mut self, mut payload: &'a [u8]) -> Result<(), Stop> {
        while let Some((slot, rest)) = payload.split_first() {
            let counts = rest.get(..16).ok_or(Stop::NotMine)?;
            let symbols: usize = counts.iter().map(|count| usize::from(*count)).sum();
            let (table, rest) = rest.split_at_checked(16 + symbols).ok_or(Stop::NotMine)?;
            let tables = match slot >> 4 {
                0 => &mut self.tables.dc,
                1 => &mut self.tables.ac,
                _ => return Err(Stop::NotMine),
            };
            let place = tables.get_mut(usize::from(slot & 15));
            *place.ok_or(Stop::NotMine)? = Some(table);
            payload = rest;
        }
        Ok(())
    }

    fn quantisers(&mut self, mut payload: &'a [u8]) -> Result<(), Stop> {
        while let Some((slot, rest)) = payload.split_first() {
            let length = match slot >> 4 {
                0 => 64,
                _ => 128,
            };
            let (table, rest) = rest.split_at_checked(length).ok_or(Stop::NotMine)?;
            let place = self.tables.quant.get_mut(usize::from(slot & 15));
            *place.ok_or(Stop::NotMine)? = Some(table);
            payload = rest;
        }
        Ok(())
    }

    fn scan(&self, payload: &[u8]) -> Result<Scan<'a>, Stop> {
        let frame = self.frame.as_ref().ok_or(Stop::NotMine)?;
        let (count, rest) = payload.split_first().ok_or(Stop::NotMine)?;
        let split = rest.split_at_checked(2 * usize::from(*count));
        let (listed, [first, last, precision]) = split.ok_or(Stop::NotMine)? else {
            return Err(Stop::NotMine);
        };
        let mut parts: Vec<Part> = Vec::new();
        for pair in listed.chunks_exact(2) {
            let own = |component: &Component| component.id == pair[0];
            let component = frame.components.iter().position(own).ok_or(Stop::NotMine)?;
            // Out of order, or twice.
            if parts.last().is_some_and(|part| part.component >= component) {
                return Err(Stop::NotMine);
            }
            parts.push(Part {
                component,
                dc: usize::from(pair[1] >> 4),
                ac: usize::from(pair[1] & 15),
            });
        }
        let blocks = |part: &Part| {
            let (across, down) = frame.components[part.component].factors;
            across * down
        };
        let blocks: usize = parts.iter().map(blocks).sum();
        if parts.is_empty() || parts.len() > 1 && blocks > UNIT_BLOCKS {
            return Err(Stop::NotMine);
        }
        Ok(Scan {
            parts,
            tables: self.tables,
            band: (*first, *last),
            high: precision >> 4,
            low: precision & 15,
            data: self.at,
        })
    }
}

impl Scan<'_> {
    /// Whether all codes that it needs are there.
    ///
    /// # Errors
    /// [`Stop::NotMine`] where a table is missing, or is none.
    pub(super) fn check_tables(&self, progressive: bool) -> Result<(), Stop> {
        // A refinement of first coefficients has no codes.
        let dc = !progressive || self.band.0 == 0 && self.high == 0;
        let ac = !progressive || self.band.0 > 0;
        for part in &self.parts {
            if dc {
                Dc::check(table(&self.tables.dc, part.dc)?)?;
            }
            if ac {
                Codes::new(table(&self.tables.ac, part.ac)?)?;
            }
        }
        Ok(())
    }
}

/// A table that has to be there.
pub(super) fn table<T: Copy>(tables: &[Option<T>; 4], slot: usize) -> Result<T, Stop> {
    tables.get(slot).copied().flatten().ok_or(Stop::NotMine)
}

impl Frame {
    fn read(segment: &Segment, payload: &[u8], limits: &Limits) -> Result<Self, Stop> {
        let [8, h1, h0, w1, w0, count @ (1 | 3), listed @ ..] = payload else {
            return Err(Stop::NotMine);
        };
        let height = u16::from_be_bytes([*h1, *h0]);
        let width = u16::from_be_bytes([*w1, *w0]);
        let size = admit::size(width.into(), height.into(), limits)?;
        if listed.len() != 3 * usize::from(*count) {
            return Err(Stop::NotMine);
        }
        let mut components: Vec<Component> = Vec::new();
        for numbers in listed.chunks_exact(3) {
            let factors = (usize::from(numbers[1] >> 4), usize::from(numbers[1] & 15));
            if !(1..=4).contains(&factors.0) || !(1..=4).contains(&factors.1) {
                return Err(Stop::NotMine);
            }
            // A lone component is coded block by block, whatever its factors say.
            let factors = if *count == 1 { (1, 1) } else { factors };
            if components.iter().any(|other| other.id == numbers[0]) || numbers[2] > 3 {
                return Err(Stop::NotMine);
            }
            components.push(Component {
                id: numbers[0],
                factors,
                quant: numbers[2].into(),
                blocks: (0, 0),
                padded: (0, 0),
                extent: (0.0, 0.0),
            });
        }
        let most = check_factors(&components)?;
        let units = (
            usize::from(width).div_ceil(8 * most.0),
            usize::from(height).div_ceil(8 * most.1),
        );
        for component in &mut components {
            component.measure(size, most, units);
        }
        Ok(Self {
            progressive: segment.marker == 0xC2,
            components,
            units,
        })
    }
}

impl Component {
    fn measure(&mut self, size: Size, most: (usize, usize), units: (usize, usize)) {
        let (across, down) = self.factors;
        // Luma is as fine as the picture, and colour as fine or half of it, on each side.
        let half = (across < most.0, down < most.1);
        let share = |side: u32, half| f64::from(side) / if half { 2.0 } else { 1.0 };
        self.extent = (share(size.width, half.0), share(size.height, half.1));
        let blocks = |side: u32, half| {
            let samples = if half { side.div_ceil(2) } else { side };
            samples.div_ceil(8) as usize
        };
        self.blocks = (blocks(size.width, half.0), blocks(size.height, half.1));
        self.padded = (units.0 * across, units.1 * down);
    }
}

/// The factors of luma, where colour is as fine or half as fine, and both colours alike.
fn check_factors(components: &[Component]) -> Result<(usize, usize), Stop> {
    let luma = components.first().ok_or(Stop::NotMine)?.factors;
    let fits = |luma: usize, chroma: usize| luma == chroma || luma == 2 * chroma;
    let alike = components.iter().skip(1).all(|chroma| {
        let (across, down) = chroma.factors;
        chroma.factors == components[1].factors && fits(luma.0, across) && fits(luma.1, down)
    });
    if alike { Ok(luma) } else { Err(Stop::NotMine) }
}

/// A number of a quantisation table, by its place in the zigzag.
pub(super) fn quantiser(table: Quant<'_>, place: usize) -> i32 {
    if table.len() == 64 {
        return i32::from(table[place]);
    }
    i32::from(u16::from_be_bytes([table[2 * place], table[2 * place + 1]]))
}
