//! Alpha of a frame that shows some blocks and leaves the others, as VP8L has it (RFC 9649). Written
//! by hand: it is the same rows again and again, and libwebp's search would take more time
//! and memory for them than VP8 does for the colours.

use super::change::Blocks;

/// What alpha begins with: packed by VP8L, without a filter.
const PACKED: u8 = 1;

/// Pixels of two colours that are packed into one.
const PIXELS: usize = 8;

/// The longest copy that VP8L has.
const LONGEST: usize = 4096;

/// Runs of so many packed pixels are spelled out: to copy them is no shorter.
const SPELLED: usize = 4;

/// Numbers of the lengths of copies that have the shorter codes: those of a few blocks side by side,
/// and of the other rows of them.
const USUAL: [usize; 8] = [4, 5, 6, 7, 8, 9, 18, 19];
const LENGTHS: usize = 24;

/// Payload of an `ALPH` chunk of so many pixels across and down. The blocks reach all over them.
pub(super) fn alpha(blocks: &Blocks, (width, height): (usize, usize)) -> Vec<u8> {
    let across = width.div_ceil(PIXELS);
    let wide = blocks.side / PIXELS;
    let mut bits = Bits::default();
    header(&mut bits);
    let bands: Vec<&[bool]> = blocks.shown.chunks(blocks.across.max(1)).collect();
    let mut top = 0;
    for same in bands.chunk_by(|a, b| a == b) {
        let rows = (same.len() * blocks.side).min(height - top.min(height));
        top += rows;
        for run in same[0].chunk_by(|a, b| a == b) {
            // The last block may be cut short.
            let length = if std::ptr::eq(run.as_ptr_range().end, same[0].as_ptr_range().end) {
                across - (same[0].len() - run.len()) * wide
            } else {
                run.len() * wide
            };
            bits.run(run[0], length);
        }
        bits.copies(rows.saturating_sub(1) * across, From::Above);
    }
    let mut payload = vec![PACKED];
    payload.append(&mut bits.finish());
    payload
}

/// Everything before the pixels.
fn header(bits: &mut Bits) {
    // Colours by number, of which there are two: nothing, and as much more green as there is.
    bits.put(0b1, 1);
    bits.put(3, 2);
    bits.put(2 - 1, 8);
    bits.put(0, 1);
    bits.put(0b11, 2);
    bits.put(1, 1);
    bits.put(0, 8);
    bits.put(255, 8);
    for _ in 0..4 {
        bits.only_nothing();
    }
    bits.put(0b10, 2);
    // No other transform, no cache of colours, one set of codes.
    bits.put(0, 3);
    bits.put_lengths();
    for _ in 0..3 {
        bits.only_nothing();
    }
    // Two distances, of one bit each.
    bits.put(0b011, 3);
    bits.put(From::Above as u32, 1);
    bits.put(From::Left as u32, 8);
}

/// Where a copy comes from, by the number of its distance.
#[derive(Clone, Copy)]
enum From {
    Above = 0,
    Left = 1,
}

/// Bits, the lowest of each byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl Bits {
    /// A number, its lowest bit first.
    fn put(&mut self, number: u32, count: u32) {
        self.held |= u64::from(number) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.held.to_le_bytes()[0]);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// A code, its highest bit first.
    fn code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    /// A code of one symbol, which is 0.
    fn only_nothing(&mut self) {
        self.put(0b0001, 4);
    }

    /// The lengths of green's codes: 2 bits for either colour, 5 or 6 for the length of a copy.
    fn put_lengths(&mut self) {
        // Lengths of the codes of lengths, in VP8L's order of them: 18 (many zeros), 2, 5 and 6.
        self.put(0, 1);
        self.put(10 - 4, 4);
        for length in [0, 3, 0, 0, 3, 0, 0, 2, 0, 1] {
            self.put(length, 3);
        }
        self.put(0, 1);
        // 254 zeros between both colours.
        self.code(0b110, 3);
        for zeros in [138, 116] {
            self.code(0b111, 3);
            self.put(zeros - 11, 7);
        }
        self.code(0b110, 3);
        for length in 0..LENGTHS {
            if USUAL.contains(&length) {
                self.code(0b10, 2);
            } else {
                self.code(0, 1);
            }
        }
    }

    /// Packed pixels that are all shown, or none.
    fn run(&mut self, shown: bool, length: usize) {
        let spelled = if length > SPELLED { 1 } else { length };
        for _ in 0..spelled {
            self.code(u32::from(shown), 2);
        }
        self.copies(length - spelled, From::Left);
    }

    fn copies(&mut self, length: usize, from: From) {
        let mut left = length;
        while left > 0 {
            let length = left.min(LONGEST);
            self.copy(length, from);
            left -= length;
        }
    }

    fn copy(&mut self, length: usize, from: From) {
        let rest = length - 1;
        let (number, more) = if rest < 4 {
            (rest, 0)
        } else {
            let high = rest.ilog2();
            (2 * high as usize + (rest >> (high - 1) & 1), high - 1)
        };
        let usual = USUAL.iter().filter(|usual| **usual < number).count();
        let place = |place: usize| u32::try_from(place).unwrap_or(0);
        if USUAL.contains(&number) {
            self.code(0b1_0000 + place(usual), 5);
        } else {
            self.code(0b11_0000 + place(number - usual), 6);
        }
        self.put(place(rest) & ((1 << more) - 1), more);
        self.put(from as u32, 1);
    }

    fn finish(mut self) -> Vec<u8> {
        self.put(0, 7);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pixels::{
        codec::{
            Cancel, Effort, EncodeOptions,
            webp::{riff, still},
        },
        format::OutputFormat,
        geometry::Size,
    };

    /// Alpha as decoders see it.
    fn seen(blocks: &Blocks, width: u32, height: u32) -> Vec<u8> {
        let size = Size::new(width, height);
        let sides = (width as usize, height as usize);
        let gray = vec![90; sides.0 * sides.1 * 3];
        let cancel = Cancel::default();
        let options = EncodeOptions {
            format: OutputFormat::WebP,
            quality: 50,
            lossless: false,
            progressive: false,
            effort: Effort::Quick,
            exif: None,
        };
        let file = still::encode(&gray, size, 3, &options, &cancel).expect("a picture");
        let colours = riff::chunks(&file).next().expect("a chunk");
        let header = riff::Extended {
            flags: riff::ALPHA_FLAG,
            width,
            height,
        };
        let file = riff::write([
            (*b"VP8X", header.write().as_slice()),
            (*b"ALPH", &alpha(blocks, sides)),
            (*b"VP8 ", colours.payload(&file)),
        ]);
        let samples = still::decode(&file.expect("a file"), size, true, &cancel);
        let samples = samples.expect("pixels");
        samples.chunks_exact(4).map(|pixel| pixel[3]).collect()
    }

    #[track_caller]
    fn check(width: u32, height: u32, shown: impl Fn(usize, usize) -> bool) {
        for side in [8, 16] {
            check_blocks(side, (width, height), &shown);
        }
    }

    #[track_caller]
    fn check_blocks(
        side: usize,
        (width, height): (u32, u32),
        shown: impl Fn(usize, usize) -> bool,
    ) {
        let across = (width as usize).div_ceil(side);
        let down = (height as usize).div_ceil(side);
        let places = (0..down).flat_map(|y| (0..across).map(move |x| (x, y)));
        let blocks = Blocks {
            side,
            across,
            shown: places.map(|(x, y)| shown(x, y)).collect(),
        };
        let pixels = (0..height as usize).flat_map(|y| (0..width as usize).map(move |x| (x, y)));
        let wanted = pixels.map(|(x, y)| if shown(x / side, y / side) { 255 } else { 0 });
        assert!(seen(&blocks, width, height) == wanted.collect::<Vec<u8>>());
    }

    #[test]
    fn blocks_are_shown_or_not() {
        check(1, 1, |_, _| true);
        check(16, 16, |_, _| false);
        check(33, 17, |x, y| (x + y) % 2 == 0);
        check(320, 180, |x, y| x == 3 && y > 2);
        check(1000, 70, |x, _| x > 30);
        check(9, 1200, |_, y| y % 7 < 3);
        check(5000, 40, |x, y| y == 1 && x % 100 == 0);
    }

    proptest! {
        #[test]
        fn any_blocks_of_any_size(
            (width, height) in (1u32..300, 1u32..150),
            shown in prop::collection::vec(any::<bool>(), 38 * 19),
        ) {
            check(width, height, |x, y| shown[y * 38 + x]);
        }
    }
}
