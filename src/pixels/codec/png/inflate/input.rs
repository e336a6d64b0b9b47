//! What there is to read: bytes as they come, and the bits of them.

/// Bytes that are held: a block as zlib writes it fits, so that it can be read at several places.
pub(super) const RING: usize = 1 << 16;

/// Bytes that are read at a time.
const WORD: usize = 8;

/// Bytes that stay although they were read: those that [`Bits::give_back`] gives back.
const KEPT: usize = WORD;

/// The bytes that are to be inflated, some of them at a time. Places count from the first byte of
/// the stream.
pub(in super::super) struct Input {
    /// The byte of each place modulo [`RING`], and the first ones once more behind the last, so
    /// that words are read across the seam.
    ring: Box<[u8; RING + WORD]>,
    /// Where the bytes end. What the ring has behind it is old.
    end: usize,
    /// Whether more will follow.
    more: bool,
}

impl Input {
    pub(in super::super) fn new() -> Self {
        Self {
            ring: zeros(),
            end: 0,
            more: true,
        }
    }

    pub(super) fn end(&self) -> usize {
        self.end
    }

    pub(super) fn has_more(&self) -> bool {
        self.more
    }

    /// Says that no more will follow.
    pub(in super::super) fn close(&mut self) {
        self.more = false;
    }

    /// Takes as many bytes as there is room for, and says how many. Reading goes on at `at`.
    pub(in super::super) fn fill(&mut self, at: usize, bytes: &[u8]) -> usize {
        let held = self.end.saturating_sub(at.saturating_sub(KEPT));
        let count = bytes.len().min(RING.saturating_sub(held));
        let place = self.end % RING;
        let (front, back) = bytes[..count].split_at(count.min(RING - place));
        self.ring[place..place + front.len()].copy_from_slice(front);
        self.ring[..back.len()].copy_from_slice(back);
        let (ring, again) = self.ring.split_at_mut(RING);
        again.copy_from_slice(&ring[..WORD]);
        self.end += count;
        count
    }

    /// Whether there are so many bytes from there on, or all that there will ever be.
    pub(super) fn has(&self, at: usize, bytes: usize) -> bool {
        !self.more || at + bytes <= self.end
    }

    /// Whether it is time for more, where reading goes on at `at`.
    pub(super) fn is_low(&self, at: usize) -> bool {
        !self.has(at, RING / 2)
    }

    /// Bytes from there on, up to the end or the seam.
    pub(super) fn from(&self, at: usize) -> &[u8] {
        let count = self.end.saturating_sub(at);
        let place = at % RING;
        &self.ring[place..RING.min(place + count)]
    }

    /// The bits from a place on, at least 57 of them.
    #[inline(always)]
    pub(super) fn held(&self, position: u64) -> u64 {
        self.word((position / 8) as usize) >> (position % 8)
    }

    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let place = at % RING;
        let mut word = [0; WORD];
        word.copy_from_slice(&self.ring[place..place + WORD]);
        u64::from_le_bytes(word)
    }
}

/// Bits that were read and not yet used, the next one lowest.
#[derive(Clone, Copy)]
pub(super) struct Bits {
    held: u64,
    /// How many count. Those above it are what follows, as yet unread.
    count: u32,
    /// Where to read on.
    pub(super) at: usize,
}

impl Bits {
    /// Those from a place on, in bits.
    pub(super) fn from(position: u64, input: &Input) -> Self {
        let mut bits = Self {
            held: 0,
            count: 0,
            at: usize::try_from(position / 8).unwrap_or(usize::MAX),
        };
        bits.refill(input);
        bits.skip((position % 8) as u32);
        bits
    }

    /// Where the next bit stands.
    #[inline(always)]
    pub(super) fn position(self) -> u64 {
        self.at as u64 * 8 - u64::from(self.count)
    }

    /// Whether bits were used that are not in the input.
    pub(super) fn is_beyond(self, input: &Input) -> bool {
        self.position() > input.end as u64 * 8
    }

    /// All bits that are held: 56 at least after [`Bits::refill`].
    #[inline(always)]
    pub(super) fn held(self) -> u64 {
        self.held
    }

    #[inline(always)]
    pub(super) fn refill(&mut self, input: &Input) {
        self.held |= input.word(self.at) << self.count;
        self.at += ((63 - self.count) / 8) as usize;
        // Now as many as whole bytes have room.
        self.count |= 0x38;
    }

    /// The next bits.
    #[inline(always)]
    pub(super) fn peek(self, bits: u32) -> usize {
        (self.held & ((1 << bits) - 1)) as usize
    }

    #[inline(always)]
    pub(super) fn skip(&mut self, bits: u32) {
        self.held >>= bits;
        self.count -= bits;
    }

    pub(super) fn take(&mut self, bits: u32) -> usize {
        let taken = self.peek(bits);
        self.skip(bits);
        taken
    }

    /// Goes on at a whole byte, with none held.
    pub(super) fn align(&mut self) {
        self.skip(self.count % 8);
        self.at -= (self.count / 8) as usize;
        (self.held, self.count) = (0, 0);
    }
}

/// So many zeros, or what is as good.
#[expect(clippy::unnecessary_box_returns, reason = "too large for the stack")]
pub(super) fn zeros<T: Copy + Default, const COUNT: usize>() -> Box<[T; COUNT]> {
    let zeros: Result<_, Vec<T>> = vec![T::default(); COUNT].try_into();
    // The vector is as long as it should be.
    zeros.unwrap_or_else(|_| Box::new([T::default(); COUNT]))
}
