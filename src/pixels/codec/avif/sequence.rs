//! The sequence header of an AV1 stream (AV1 specification, 5.5): size, depth, colours.
//! Decodes nothing.

use super::properties::Nclx;

/// What it says, as far as `av1C` and colours need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    pub(super) profile: u8,
    pub(super) level: u8,
    pub(super) high_tier: bool,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) depth: u8,
    pub(super) monochrome: bool,
    /// Whether colour has half the resolution, across and down.
    pub(super) subsampling: (bool, bool),
    pub(super) chroma_position: u8,
    pub(super) colours: Nclx,
}

const SEQUENCE_HEADER: u8 = 1;
/// A frame begins with its header, which stands alone or before the frame's tiles.
const FRAME_HEADERS: [u8; 2] = [3, 6];
/// OBUs that may stand before the sequence header: a delimiter, padding, metadata.
const MOST_OBUS: usize = 16;

/// The parts of a stream (AV1 specification, 5.3): kind and payload of each, as far as it can be
/// followed.
fn obus(mut stream: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (header, rest) = stream.split_first()?;
        let (extended, sized) = (header & 4 != 0, header & 2 != 0);
        let rest = rest.get(usize::from(extended)..)?;
        let (length, rest) = if sized {
            leb128(rest)?
        } else {
            (rest.len(), rest)
        };
        let (payload, rest) = rest.split_at_checked(length)?;
        stream = rest;
        Some(((header >> 3) & 15, payload))
    })
}

/// Frames of a stream, those among them that are never shown.
pub(super) fn frames(stream: &[u8]) -> usize {
    let frame = |(kind, _): &(u8, &[u8])| FRAME_HEADERS.contains(kind);
    obus(stream).filter(frame).count()
}

impl Sequence {
    /// The first sequence header of a stream, where there is one near its start.
    pub(super) fn find(stream: &[u8]) -> Option<Self> {
        let mut first = obus(stream).take(MOST_OBUS);
        let (_, payload) = first.find(|(kind, _)| *kind == SEQUENCE_HEADER)?;
        Self::read(&mut Bits {
            bytes: payload,
            at: 0,
        })
    }

    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let profile = bits.byte(3)?;
        bits.skip(1)?;
        let reduced = bits.flag()?;
        let (level, high_tier) = if reduced {
            (bits.byte(5)?, false)
        } else {
            operating_points(bits)?
        };
        let (width_bits, height_bits) = (bits.number(4)? + 1, bits.number(4)? + 1);
        let width = bits.number(width_bits)?.checked_add(1)?;
        let height = bits.number(height_bits)?.checked_add(1)?;
        if !reduced && bits.flag()? {
            bits.skip(7)?;
        }
        bits.skip(3)?;
        if !reduced {
            inter_tools(bits)?;
        }
        bits.skip(3)?;
        let colour = ColourConfig::read(bits, profile)?;
        Some(Self {
            profile,
            level,
            high_tier,
            width,
            height,
            depth: colour.depth,
            monochrome: colour.monochrome,
            subsampling: colour.subsampling,
            chroma_position: colour.position,
            colours: colour.colours,
        })
    }
}

/// Timing and operating points; gives level and tier of the first.
fn operating_points(bits: &mut Bits<'_>) -> Option<(u8, bool)> {
    let mut delay_bits = None;
    if bits.flag()? {
        bits.skip(64)?;
        if bits.flag()? {
            bits.skip_uvlc()?;
        }
        if bits.flag()? {
            delay_bits = Some(bits.number(5)? + 1);
            bits.skip(32 + 5 + 5)?;
        }
    }
    let display_delays = bits.flag()?;
    let mut first = None;
    for _ in 0..=bits.number(5)? {
        bits.skip(12)?;
        let level = bits.byte(5)?;
        let tier = level > 7 && bits.flag()?;
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            bits.skip(2 * delay_bits + 1)?;
        }
        if display_delays && bits.flag()? {
            bits.skip(4)?;
        }
        first = first.or(Some((level, tier)));
    }
    first
}

/// Tools that a still never uses.
fn inter_tools(bits: &mut Bits<'_>) -> Option<()> {
    bits.skip(4)?;
    let order_hints = bits.flag()?;
    if order_hints {
        bits.skip(2)?;
    }
    let choose_screen_content = bits.flag()?;
    let screen_content = choose_screen_content || bits.flag()?;
    if screen_content && !bits.flag()? {
        bits.skip(1)?;
    }
    if order_hints {
        bits.skip(3)?;
    }
    Some(())
}

struct ColourConfig {
    depth: u8,
    monochrome: bool,
    subsampling: (bool, bool),
    position: u8,
    colours: Nclx,
}

impl ColourConfig {
    fn read(bits: &mut Bits<'_>, profile: u8) -> Option<Self> {
        let high = bits.flag()?;
        let twelve = profile == 2 && high && bits.flag()?;
        let depth = match (high, twelve) {
            (_, true) => 12,
            (true, false) => 10,
            (false, false) => 8,
        };
        let monochrome = profile != 1 && bits.flag()?;
        let (primaries, transfer, matrix) = if bits.flag()? {
            (bits.byte(8)?, bits.byte(8)?, bits.byte(8)?)
        } else {
            (2, 2, 2)
        };
        let rgb = !monochrome && (primaries, transfer, matrix) == (1, 13, 0);
        let full_range = rgb || bits.flag()?;
        let subsampling = match profile {
            _ if monochrome => (true, true),
            _ if rgb => (false, false),
            0 => (true, true),
            1 => (false, false),
            _ if depth < 12 => (true, false),
            _ => {
                let across = bits.flag()?;
                (across, across && bits.flag()?)
            }
        };
        let position = if !monochrome && subsampling == (true, true) {
            bits.byte(2)?
        } else {
            0
        };
        Some(Self {
            depth,
            monochrome,
            subsampling,
            position,
            colours: Nclx {
                primaries,
                transfer,
                matrix,
                full_range,
            },
        })
    }
}

/// A number in groups of seven bits, least first, and what follows.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0u64;
    for (place, byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, bytes.get(place + 1..)?));
        }
    }
    None
}

/// Bits, most significant first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// Up to 32 bits.
    fn number(&mut self, bits: u32) -> Option<u32> {
        (0..bits).try_fold(0, |number: u32, _| {
            Some(number << 1 | u32::from(self.flag()?))
        })
    }

    /// Up to 8 bits.
    fn byte(&mut self, bits: u32) -> Option<u8> {
        self.number(bits).and_then(|number| number.try_into().ok())
    }

    fn skip(&mut self, bits: u32) -> Option<()> {
        self.at = self.at.checked_add(usize::try_from(bits).ok()?)?;
        Some(())
    }

    /// A number that says its own length in leading zeroes.
    fn skip_uvlc(&mut self) -> Option<()> {
        let mut zeroes = 0;
        while !self.flag()? {
            zeroes += 1;
        }
        if zeroes < 32 {
            self.skip(zeroes)
        } else {
            Some(())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_in_groups_of_seven_bits_end_where_they_say() {
        assert_eq!(leb128(&[0x05, 9]), Some((5, [9].as_slice())));
        assert_eq!(leb128(&[0x80, 0x01]), Some((128, [].as_slice())));
        assert_eq!(leb128(&[0x80]), None);
        assert_eq!(leb128(&[0xFF; 9]), None);
    }

    #[test]
    fn frames_are_counted_wherever_they_stand() {
        // A delimiter, a sequence header, a frame, a header alone, its tiles, and one without size.
        let stream = [
            0x12, 0, 0x0A, 1, 9, 0x32, 2, 8, 8, 0x1A, 1, 7, 0x22, 1, 6, 0x30, 5,
        ];
        assert_eq!(frames(&stream), 3);
        assert_eq!(frames(&stream[..15]), 2);
        // Beyond what is cut off nothing can be followed, by the decoder neither.
        assert_eq!(frames(&[0x32, 9, 8, 0x32, 0]), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = (Sequence::find(&bytes), frames(&bytes));
            let mut header = vec![0x0A, 60];
            header.extend(&bytes);
            header.resize(62, 0);
            let _ = Sequence::find(&header);
        }
    }
}
