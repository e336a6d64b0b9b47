//! How far a decoder of several has come, and what they have found.
//!
//! Whether a literal or a match comes next, the processor cannot foresee, and all decoders would
//! wait for it. So nothing is asked here: a turn stores literals and a match in any case, and the
//! entries of the tables say which of them count.

use std::hint::select_unpredictable;

use super::{
    codes::{BITS, Codes, DISTANCE_BITS, entry},
    input::{Input, zeros},
    output::AT_ONCE,
    symbols::{distance, length, literals, skipped},
};

/// Decoders that go on by turns: fewer wait more, and for more there are too few registers.
pub(super) const LANES: usize = 4;

/// Literals that a lane finds at most, and matches. Lanes do not begin at powers of two, where they
/// would push each other out of the cache.
pub(super) const BYTES: usize = ALL_BYTES / LANES - 1088;
const COPIES: usize = ALL_COPIES / LANES - 168;

/// Those of all lanes. Nothing is beyond: places are taken modulo these.
const ALL_BYTES: usize = 1 << 16;
const ALL_COPIES: usize = 1 << 13;

/// Bytes that are held.
pub(super) const HELD: usize = ALL_BYTES + AT_ONCE + size_of::<u64>() * ALL_COPIES;

/// Codes of a turn.
const CODES: usize = 3;

/// Bits that are held at the begin of a turn. All codes of a turn need fewer, and what the next
/// one is looked up by: a length and its distance have at most 43, and two literals 24.
const TURN_BITS: u64 = 57;

/// From so many bits on, a third code does not count: it has at most [`BITS`], and so has the next.
/// Two codes use less than twice as many, so that this bit says it.
const MANY: u64 = 32;

const _: () = assert!(MANY - 1 + 2 * BITS as u64 <= TURN_BITS && 43 + BITS as u64 <= TURN_BITS);

/// What counts of an entry: bits to skip, and literals.
const ADVANCE: u32 = 3 << entry::COUNT | entry::SKIP;

/// Where literals are counted in [`Mark::reached`].
const PLACE: u32 = entry::COUNT;

/// Which bits the table of literals and lengths is looked up by.
const FIRST: usize = (1 << BITS) - 1;

/// How far a lane has come.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The position in the stream, in bits, and from [`PLACE`] on where the next literal stands:
    /// an entry adds to both at once.
    reached: u64,
    /// Where the next match stands.
    pub(super) copies: usize,
}

impl Mark {
    /// The begin of a lane, at a position.
    pub(super) fn new(lane: usize, position: u64) -> Self {
        Self {
            reached: ((lane * BYTES) as u64) << PLACE | position,
            copies: lane * COPIES,
        }
    }

    pub(super) fn position(self) -> u64 {
        self.reached & ((1 << PLACE) - 1)
    }

    /// Where the next literal stands.
    pub(super) fn bytes(self) -> usize {
        (self.reached >> PLACE) as usize
    }

    /// Goes on by literals that were taken out.
    pub(super) fn pass(&mut self, literals: usize) {
        self.reached += (literals as u64) << PLACE;
    }

    /// Turns for which there is room in a lane, and input up to a position.
    pub(super) fn turns(self, lane: usize, until: u64) -> usize {
        let input = until.saturating_sub(self.position()) / TURN_BITS;
        // Something is stored behind what counts.
        let bytes = ((lane + 1) * BYTES - 2).saturating_sub(self.bytes());
        let copies = ((lane + 1) * COPIES - 1).saturating_sub(self.copies);
        copies.min(bytes / (2 * CODES)).min(input as usize)
    }
}

/// What is decoded.
#[derive(Clone, Copy)]
pub(super) struct Stream<'a> {
    pub(super) codes: &'a Codes,
    pub(super) input: &'a Input,
}

/// A match: where it stands among the literals, how long it is, and how far back it reaches.
#[derive(Clone, Copy)]
pub(super) struct Copied(u64);

impl Copied {
    #[inline(always)]
    fn new(bytes: usize, length: usize, distance: usize) -> Self {
        Self((bytes as u64) << 32 | (length as u64) << 16 | distance as u64)
    }

    pub(super) fn bytes(self) -> usize {
        (self.0 >> 32) as usize
    }

    pub(super) fn length(self) -> usize {
        usize::from((self.0 >> 16) as u16)
    }

    pub(super) fn distance(self) -> usize {
        usize::from(self.0 as u16)
    }
}

/// What lanes have found, one lane behind the other.
pub(super) struct Findings {
    /// Literals, without gaps.
    bytes: Box<[u8; ALL_BYTES + AT_ONCE]>,
    /// As [`Mark::reached`] was before a match, and then what [`Copied`] holds.
    copies: Box<[u64; ALL_COPIES]>,
}

impl Findings {
    pub(super) fn new() -> Self {
        Self {
            bytes: zeros(),
            copies: zeros(),
        }
    }

    /// Literals from a place on, and others behind them.
    #[inline(always)]
    pub(super) fn literals(&self, from: usize) -> &[u8] {
        &self.bytes[from % ALL_BYTES..]
    }

    /// Matches that were looked up.
    #[inline(always)]
    pub(super) fn copies(&self, from: Mark, to: Mark) -> impl Iterator<Item = Copied> {
        let copies = self.copies.get(from.copies..to.copies);
        copies.unwrap_or_default().iter().copied().map(Copied)
    }

    /// Turns of all lanes; says whether none has come to what only [`Findings::symbol`] can read.
    #[inline(always)]
    pub(super) fn turns(
        &mut self,
        marks: &mut [Mark; LANES],
        turns: usize,
        stream: Stream<'_>,
    ) -> bool {
        // Of their own, so that they are held in registers.
        let [mut one, mut two, mut three, mut four] = marks.map(|mark| Step::new(mark, stream));
        let mut all = true;
        for _ in 0..turns {
            all = self.turn(&mut one, stream)
                && self.turn(&mut two, stream)
                && self.turn(&mut three, stream)
                && self.turn(&mut four, stream);
            if !all {
                break;
            }
        }
        *marks = [one.mark, two.mark, three.mark, four.mark];
        all
    }

    /// Goes on by three codes. The first may be any; a length is followed by its distance. Where
    /// another length comes, nothing is skipped: it will be the first of the next turn.
    #[inline(always)]
    fn turn(&mut self, step: &mut Step, stream: Stream<'_>) -> bool {
        let (codes, table) = (stream.codes, stream.codes.table());
        let Step { mark, mut found } = *step;
        let held = stream.input.held(mark.position());
        if found & entry::SPECIAL != 0 {
            found = codes.beyond(found, held >> BITS);
            if found & entry::SPECIAL != 0 {
                return false;
            }
        }
        self.put(mark.reached, found);
        self.copies[mark.copies % ALL_COPIES] = mark.reached;
        let length = (found & entry::LENGTH) as usize;
        let (held, reached) = (held >> skipped(found), mark.reached + advance(found));
        // Behind a length, fewer bits are looked at.
        let mask = FIRST - (length - (length >> (BITS - DISTANCE_BITS)));
        let found = table[length..][..1 << BITS][held as usize & mask];
        if found & entry::STOP != 0 {
            return false;
        }
        self.put(reached, found);
        let held = held >> (found & entry::SKIP);
        let reached = reached + u64::from(found & ADVANCE);
        let found = table[held as usize & FIRST];
        self.put(reached, found);
        // Where many bits were used, it does not count: those of the code after it are to be held.
        let many = (reached - mark.reached) & MANY != 0;
        let found = select_unpredictable(many, 0, found);
        let held = held >> (found & entry::SKIP);
        *step = Step {
            mark: Mark {
                reached: reached + u64::from(found & ADVANCE),
                copies: mark.copies + length / entry::LENGTH as usize,
            },
            found: table[held as usize & FIRST],
        };
        true
    }

    /// Stores literals, if they are any.
    #[inline(always)]
    fn put(&mut self, reached: u64, found: u32) {
        let place = (reached >> PLACE) as usize % ALL_BYTES;
        self.bytes[place..place + 2].copy_from_slice(&literals(found).0);
    }

    /// Goes on by one entry of literals or a match, whatever its codes; says whether it is one.
    pub(super) fn symbol(&mut self, mark: &mut Mark, stream: Stream<'_>) -> bool {
        let held = stream.input.held(mark.position());
        let found = stream.codes.first(held);
        if found & entry::SPECIAL != 0 {
            return false;
        }
        let mut reached = mark.reached + advance(found);
        if found >= entry::ONE {
            self.put(mark.reached, found);
        } else {
            let far = stream.codes.second(held >> skipped(found));
            if far & entry::SPECIAL != 0 {
                return false;
            }
            self.copies[mark.copies % ALL_COPIES] = mark.reached;
            mark.copies += 1;
            reached += u64::from(far & ADVANCE);
        }
        mark.reached = reached;
        true
    }

    /// Looks up the matches of a lane: where nothing else waits for it.
    #[inline(always)]
    pub(super) fn look_up(&mut self, from: Mark, to: Mark, stream: Stream<'_>) {
        let copies = self.copies.get_mut(from.copies..to.copies);
        for copied in copies.unwrap_or_default() {
            let reached = *copied;
            let mark = Mark { reached, copies: 0 };
            let held = stream.input.held(mark.position());
            let found = stream.codes.first(held);
            let rest = held >> skipped(found);
            let far = stream.codes.second(rest);
            let (length, distance) = (length(found, held), distance(far, rest));
            *copied = Copied::new(mark.bytes(), length, distance).0;
        }
    }
}

/// A lane within its turns.
#[derive(Clone, Copy)]
struct Step {
    mark: Mark,
    /// What the next code means. It is looked up in the bits that are held, so that it need not
    /// wait for those that are read next.
    found: u32,
}

impl Step {
    #[inline(always)]
    fn new(mark: Mark, stream: Stream<'_>) -> Self {
        let held = stream.input.held(mark.position());
        let found = stream.codes.table()[held as usize & FIRST];
        Self { mark, found }
    }
}

/// What the first code of a turn adds to [`Mark::reached`].
#[inline(always)]
fn advance(found: u32) -> u64 {
    u64::from((found | found >> entry::LENGTH_SKIP) & ADVANCE)
}
