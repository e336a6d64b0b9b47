//! Deflating filtered rows (RFC 1950 and 1951). What filters leave of a picture is literals, and
//! runs of zeros; no other repetition is worth the search. Each block has codes of its own.
#![expect(
    clippy::inline_always,
    reason = "what runs for each byte has to be part of the loop"
)]

mod code;

use code::Code;

/// Bytes of a block: enough for its codes to pay, few enough for them to fit.
pub(super) const BLOCK: usize = 64 << 10;

/// Bits of the longest code: four of them, and what is left of a byte, are held together.
const LONGEST: usize = 14;

/// Bytes that the description of a block's codes takes at most.
const DESCRIPTION: usize = 512;

/// The number of the end of a block.
const END: usize = 256;

/// Numbers of literals and lengths.
const NUMBERS: usize = 286;

/// The longest match.
const MATCH: usize = 258;

/// In which order the lengths of the codes for lengths stand.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// A zlib stream that is being made.
pub(super) struct Deflate {
    bits: Bits,
    sum: simd_adler32::Adler32,
}

/// Bytes, and bits that are not yet one.
struct Bits {
    /// As long as there may be bytes to come.
    bytes: Vec<u8>,
    at: usize,
    held: u64,
    count: u32,
}

/// Bytes that a stream takes of so many, at most.
pub(super) fn most(bytes: usize) -> usize {
    // A code for noise is nine bits long where all others are eight.
    bytes + bytes / 32 + (bytes / BLOCK + 1) * DESCRIPTION + 2 * BLOCK
}

impl Deflate {
    /// For about so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let mut stream = Vec::with_capacity(most(bytes));
        stream.extend_from_slice(&[0x78, 0x01]);
        Self {
            bits: Bits {
                bytes: stream,
                at: 2,
                held: 0,
                count: 0,
            },
            sum: simd_adler32::Adler32::new(),
        }
    }

    /// Adds a block.
    pub(super) fn block(&mut self, data: &[u8], last: bool) {
        self.sum.write(data);
        let code = Code::new(&counted(data), LONGEST);
        let room = data.len() * LONGEST / 8 + DESCRIPTION;
        self.bits.bytes.resize(self.bits.at + room, 0);
        describe(&code, last, &mut self.bits);
        parts(data, |part| match part {
            Part::Literals(bytes) => self.bits.literals(&code, bytes),
            Part::Zeros(count) => self.bits.zeros(&code, count),
        });
        let (end, bits) = code.of(END);
        self.bits.put(end, bits);
        self.bits.bytes.truncate(self.bits.at);
    }

    /// The whole stream.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut bits = self.bits;
        if bits.count > 0 {
            bits.bytes.push(bits.held.to_le_bytes()[0]);
        }
        bits.bytes
            .extend_from_slice(&self.sum.finish().to_be_bytes());
        bits.bytes
    }
}

impl Bits {
    /// Adds bits: of at most 56, whole bytes are written at once.
    #[inline(always)]
    fn put(&mut self, value: u64, bits: u32) {
        self.held |= value << self.count;
        self.count += bits;
        if let Some(room) = self.bytes.get_mut(self.at..self.at + 8) {
            room.copy_from_slice(&self.held.to_le_bytes());
        }
        self.at += (self.count / 8) as usize;
        self.held >>= self.count / 8 * 8;
        self.count %= 8;
    }

    fn literals(&mut self, code: &Code, bytes: &[u8]) {
        let (fours, rest) = bytes.as_chunks::<4>();
        for four in fours {
            let (mut value, mut bits) = (0, 0);
            for byte in four {
                let (next, count) = code.of((*byte).into());
                value |= next << bits;
                bits += count;
            }
            self.put(value, bits);
        }
        for byte in rest {
            let (value, bits) = code.of((*byte).into());
            self.put(value, bits);
        }
    }

    /// A zero, and the one before it again and again.
    fn zeros(&mut self, code: &Code, count: usize) {
        pieces(count, |piece| {
            let (number, extra, bits) = numbered(piece);
            let (value, count) = code.of(number);
            self.put(value, count);
            if number > END {
                // Behind what the length needs, the distance: the only one, whose code is 0.
                self.put(extra as u64, bits + 1);
            }
        });
    }
}

/// What data are made of.
enum Part<'a> {
    Literals(&'a [u8]),
    /// Eight at least.
    Zeros(usize),
}

fn parts<'a>(data: &'a [u8], mut take: impl FnMut(Part<'a>)) {
    let (mut from, mut at) = (0, 0);
    while let Some(eight) = data[at..].first_chunk::<8>() {
        if *eight != [0; 8] {
            at += 8;
            continue;
        }
        take(Part::Literals(&data[from..at]));
        let count = data[at..].iter().take_while(|byte| **byte == 0).count();
        take(Part::Zeros(count));
        at += count;
        from = at;
    }
    take(Part::Literals(&data[from..]));
}

/// A run of zeros: the first, then matches, and again as they are those that are too few for one.
fn pieces(count: usize, mut take: impl FnMut(usize)) {
    take(1);
    let mut left = count - 1;
    while left > 0 {
        let piece = if left < 3 { 1 } else { left.min(MATCH) };
        take(piece);
        left -= piece;
    }
}

/// The number that stands for so many zeros, what is added to it, and in how many bits. One is a
/// literal.
fn numbered(count: usize) -> (usize, usize, u32) {
    match count {
        ..3 => (0, 0, 0),
        3..11 => (254 + count, 0, 0),
        MATCH.. => (285, 0, 0),
        _ => {
            let beyond = count - 3;
            let bits = beyond.ilog2() - 2;
            let number = 257 + 4 * bits as usize + (beyond >> bits);
            (number, beyond & ((1 << bits) - 1), bits)
        }
    }
}

/// How often each number comes.
fn counted(data: &[u8]) -> [u32; NUMBERS] {
    // Of like bytes one after the other, one need not wait for the other.
    let mut apart = [[0u32; 256]; 4];
    let mut counts = [0; NUMBERS];
    parts(data, |part| match part {
        Part::Literals(bytes) => {
            let (fours, rest) = bytes.as_chunks::<4>();
            for four in fours {
                for (byte, counts) in four.iter().zip(&mut apart) {
                    counts[usize::from(*byte)] += 1;
                }
            }
            for byte in rest {
                counts[usize::from(*byte)] += 1;
            }
        }
        Part::Zeros(count) => pieces(count, |piece| counts[numbered(piece).0] += 1),
    });
    for apart in &apart {
        for (count, apart) in counts.iter_mut().zip(apart) {
            *count += apart;
        }
    }
    counts[END] = 1;
    // There are two codes at least.
    counts[0] = counts[0].max(1);
    counts
}

/// The head of a block: its codes, by their lengths.
fn describe(code: &Code, last: bool, bits: &mut Bits) {
    let used = NUMBERS
        - code
            .lengths()
            .iter()
            .rev()
            .take_while(|length| **length == 0)
            .count();
    let mut lengths = code.lengths()[..used].to_vec();
    // The only distance.
    lengths.push(1);
    let steps = steps(&lengths);
    let mut counts = [0; ORDER.len()];
    for (number, ..) in &steps {
        counts[*number] += 1;
    }
    let lengths = Code::new(&counts, 7);
    let of = |number: usize| lengths.lengths()[number];
    let described = ORDER
        .iter()
        .rposition(|number| of(*number) > 0)
        .unwrap_or(0)
        .max(3)
        + 1;
    bits.put(u64::from(last) | 2 << 1, 3);
    bits.put((used - 257) as u64, 5);
    bits.put(0, 5);
    bits.put((described - 4) as u64, 4);
    for number in &ORDER[..described] {
        bits.put(of(*number).into(), 3);
    }
    for (number, extra, width) in steps {
        let (value, count) = lengths.of(number);
        bits.put(value, count);
        bits.put(extra as u64, width);
    }
}

/// Lengths of codes as they are written: each as it is, or several zeros together; with what is
/// added, and in how many bits.
fn steps(lengths: &[u8]) -> Vec<(usize, usize, u32)> {
    let mut steps = Vec::with_capacity(lengths.len());
    let mut rest = lengths;
    while let Some(first) = rest.first() {
        let zeros = rest
            .iter()
            .take(138)
            .take_while(|length| **length == 0)
            .count();
        let taken = match zeros {
            ..3 => {
                steps.push((usize::from(*first), 0, 0));
                1
            }
            3..11 => {
                steps.push((17, zeros - 3, 3));
                zeros
            }
            _ => {
                steps.push((18, zeros - 11, 7));
                zeros
            }
        };
        rest = &rest[taken..];
    }
    steps
}

#[cfg(test)]
mod tests;
