//! VP8's boolean coder (RFC 6386, 7): a choice with a chance becomes less than a bit, or more.
//! Knows nothing of what is chosen.

/// Bytes that leave the accumulator at a time.
const STEP_BYTES: u32 = 6;

/// Appends one partition to a file.
pub(super) struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
    /// Where the partition begins.
    start: usize,
    /// Lower end of the interval that the choices so far leave: `8 + pending` bits, and one more
    /// for a carry into the bytes that are written.
    low: u64,
    /// Width of the interval, 128 to 255.
    range: u32,
    pending: u32,
}

impl<'a> Writer<'a> {
    pub(super) fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self {
            start: bytes.len(),
            bytes,
            low: 0,
            range: 255,
            pending: 0,
        }
    }

    /// A choice; `chance` of 256 that it is false.
    #[inline(always)]
    pub(super) fn put(&mut self, choice: bool, chance: u8) {
        let split = 1 + (((self.range - 1) * u32::from(chance)) >> 8);
        // Without a jump: half of all choices cannot be foreseen.
        let taken = u32::from(choice).wrapping_neg();
        self.low += u64::from(split & taken);
        let range = (split & !taken) | ((self.range - split) & taken);
        let shift = range.leading_zeros() - 24;
        self.range = range << shift;
        self.low <<= shift;
        self.pending += shift;
        if self.pending >= 8 * STEP_BYTES {
            self.step();
        }
    }

    /// A number of so many bits, the highest first.
    pub(super) fn number(&mut self, value: u32, bits: u32) {
        for bit in (0..bits).rev() {
            self.put(value >> bit & 1 == 1, 128);
        }
    }

    /// A value that may be absent, which stands for zero: its size, and its sign.
    pub(super) fn signed(&mut self, value: i32, bits: u32) {
        self.put(value != 0, 128);
        if value != 0 {
            self.number(value.unsigned_abs(), bits);
            self.put(value < 0, 128);
        }
    }

    #[inline(never)]
    fn step(&mut self) {
        let left = self.pending + 8 - 8 * STEP_BYTES;
        if self.low >> (self.pending + 8) != 0 {
            self.carry();
        }
        let [_, _, bytes @ ..] = (self.low >> left).to_be_bytes();
        self.bytes.extend_from_slice(&bytes);
        self.low &= (1 << left) - 1;
        self.pending -= 8 * STEP_BYTES;
    }

    /// Adds one to what is written.
    fn carry(&mut self) {
        for byte in self.bytes[self.start..].iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    /// Writes what is left, and gives the partition's length in bytes.
    pub(super) fn finish(mut self) -> usize {
        let padding = self.pending.wrapping_neg() % 8;
        self.low <<= padding;
        self.pending += padding;
        if self.low >> (self.pending + 8) != 0 {
            self.carry();
        }
        for shift in (0..=self.pending).rev().step_by(8) {
            self.bytes.push((self.low >> shift & 0xFF) as u8);
        }
        self.bytes.len() - self.start
    }
}
