//! A piece of a block, decoded at several places at once.
//!
//! A symbol can only be looked up when the one before it is known, so the processor waits most of
//! the time. But a decoder that begins anywhere, even in the middle of a code, soon falls into
//! step with one that began at the start: mostly within a dozen symbols. So others begin ahead, at
//! a guess, and all go on by turns. When one comes to where the next began, it looks for a place
//! where both have been; from there on, all that the next has found is right.
//!
//! None but the first could write where it should: the others do not know how many bytes are before
//! them. What they find is laid out when it is known that it fits.
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "an instruction that not every processor has is asked for first"
    )
)]

use std::array;

use super::{
    Damaged,
    codes::Codes,
    input::{Bits, Input, RING, zeros},
    lane::{self, BYTES, Copied, Findings, LANES, Mark, Stream},
    output::Output,
    symbols::TURN,
};

/// Places of a lane that the one before it may meet, a turn apart. Of a thousand guesses, one needs
/// more.
const STARTS: usize = 48;

/// Bytes that are held.
pub(super) const HELD: usize = lane::HELD + LANES * STARTS * size_of::<Mark>();

/// Turns between looks at whether all lanes can go on.
const TURNS: usize = 256;

/// Bits that are worth a guess. Tests guess far more often.
pub(super) const WORTHWHILE: u64 = 8 * if cfg!(any(test, fuzzing)) { 64 } else { 4096 };

/// Bits of a piece: lanes mostly have room for what these are the codes of.
const MOST: u64 = 3 * (LANES * BYTES) as u64;

/// What lanes have found, and how much of it is of use.
pub(super) struct Lanes {
    findings: Findings,
    /// Places where each lane has been.
    starts: [Box<[Mark; STARTS]>; LANES],
    segments: [Segment; LANES],
}

/// What is right of what a lane has found, and not yet laid out.
#[derive(Clone, Copy, Default)]
struct Segment {
    from: Mark,
    to: Mark,
}

/// What lanes have found.
pub(super) struct Found {
    /// Where to go on.
    pub(super) bits: Bits,
    /// How many bytes are literals.
    pub(super) literals: usize,
    pub(super) copies: usize,
    /// Whether all were of use.
    pub(super) met: bool,
    /// Whether one came to where the next began, and did not meet it.
    pub(super) missed: bool,
}

/// Where a lane is.
#[derive(Clone, Copy)]
struct Lane {
    index: usize,
    mark: Mark,
    /// The position where the next lane begins, or the piece ends.
    until: u64,
    /// Whether it stands before what is no symbol.
    stuck: bool,
}

impl Lane {
    /// Turns that it can go on for.
    fn turns(&self) -> usize {
        if self.stuck {
            return 0;
        }
        self.mark.turns(self.index, self.until)
    }
}

impl Segment {
    /// Writes what there is room for, and perhaps more; says whether that was all.
    #[inline(always)]
    fn lay_out(&mut self, findings: &Findings, output: &mut Output<'_>) -> Result<bool, Damaged> {
        let to = self.to;
        // Numbers of their own are held in registers.
        let (mut bytes, mut copies) = (self.from.bytes(), self.from.copies);
        for copied in findings.copies(self.from, to) {
            let count = copied.bytes() - bytes;
            if count >= output.stop.saturating_sub(output.at) {
                break;
            }
            let literals = output.literals(findings.literals(bytes), count);
            literals.ok_or(Damaged("no room"))?;
            let matched = output.copy(copied.distance(), copied.length());
            matched.ok_or(Damaged("a distance too far back"))?;
            bytes += count;
            copies += 1;
        }
        // Those behind the last match, or as many as there is room for.
        self.from.copies = copies;
        let next = findings.copies(self.from, to).next();
        let count = next.map_or(to.bytes(), Copied::bytes) - bytes;
        let count = count.min(output.stop.saturating_sub(output.at));
        let literals = output.literals(findings.literals(bytes), count);
        literals.ok_or(Damaged("no room"))?;
        self.from.pass(bytes + count - self.from.bytes());
        Ok(copies == to.copies && self.from.bytes() == to.bytes())
    }
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self {
            findings: Findings::new(),
            starts: array::from_fn(|_| zeros()),
            segments: Default::default(),
        }
    }

    /// Writes what was found and what there is room for; says whether that was all.
    pub(super) fn lay_out(&mut self, output: &mut Output<'_>) -> Result<bool, Damaged> {
        for segment in &mut self.segments {
            // Of their own, so that the compiler knows that nobody else looks at them.
            let mut target = Output::new(&mut *output.bytes, output.at, output.stop);
            let mut left = *segment;
            let all = left.lay_out(&self.findings, &mut target);
            (*segment, output.at) = (left, target.at);
            if !all? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Decodes about `ahead` bits of a block. Stands still before what is no symbol.
    pub(super) fn decode(&mut self, codes: &Codes, bits: Bits, input: &Input, ahead: u64) -> Found {
        #[cfg(target_arch = "x86_64")]
        if super::single::shifts() {
            // SAFETY: the processor has just said that it knows the instructions.
            return unsafe { self.decode_shifting(codes, bits, input, ahead) };
        }
        self.decode_any(codes, bits, input, ahead)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "bmi1,bmi2")]
    fn decode_shifting(&mut self, codes: &Codes, bits: Bits, input: &Input, ahead: u64) -> Found {
        self.decode_any(codes, bits, input, ahead)
    }

    #[inline(always)]
    fn decode_any(&mut self, codes: &Codes, bits: Bits, input: &Input, ahead: u64) -> Found {
        let stream = Stream { codes, input };
        // Small numbers, of the same places in the ring.
        let begin = bits.position() % (8 * RING as u64);
        let base = bits.position() - begin;
        let end = (8 * input.end().saturating_sub(TURN) as u64).saturating_sub(base);
        let begin_of = |lane: usize| begin + ahead.min(MOST) * lane as u64 / LANES as u64;
        let mut lanes = array::from_fn(|index| Lane {
            index,
            mark: Mark::new(index, begin_of(index)),
            until: begin_of(index + 1).min(end),
            stuck: false,
        });
        let known = self.begin(&mut lanes, stream);
        self.go_on(&mut lanes, stream);
        let last = self.join(&mut lanes, known, end, stream);
        let mut found = Found {
            bits: Bits::from(base + lanes[last].mark.position(), input),
            literals: 0,
            copies: 0,
            met: last == LANES - 1,
            missed: last < LANES - 1 && lanes[last].mark.position() > begin_of(last + 1),
        };
        for Segment { from, to } in self.segments {
            self.findings.look_up(from, to, stream);
            found.literals += to.bytes() - from.bytes();
            found.copies += to.copies - from.copies;
        }
        found
    }

    /// Goes on a little, and notes each place; says how many.
    #[inline(always)]
    fn begin(&mut self, lanes: &mut [Lane; LANES], stream: Stream<'_>) -> usize {
        for place in 0..STARTS {
            for (lane, starts) in lanes.iter().zip(self.starts.iter_mut()) {
                starts[place] = lane.mark;
            }
            if !lanes.iter().all(|lane| lane.turns() > 0) {
                return place + 1;
            }
            self.turns(lanes, 1, stream);
        }
        STARTS
    }

    /// Goes on until each lane is where the next began, or stuck, or full.
    #[inline(always)]
    fn go_on(&mut self, lanes: &mut [Lane; LANES], stream: Stream<'_>) {
        loop {
            // What is behind a lane that is stuck is of no use.
            let useful = lanes.iter().take_while(|lane| !lane.stuck);
            let turns = useful.map(Lane::turns).filter(|turns| *turns > 0).min();
            let Some(turns) = turns else { break };
            self.turns(lanes, turns.min(TURNS), stream);
        }
    }

    /// Turns of all lanes that can go on.
    #[inline(always)]
    fn turns(&mut self, lanes: &mut [Lane; LANES], turns: usize, stream: Stream<'_>) {
        let mut able = [false; LANES];
        let mut one = 0;
        for lane in lanes.iter().rev() {
            able[lane.index] = lane.turns() >= turns;
            if able[lane.index] {
                one = lane.index;
            }
        }
        // Each of the others does as one of these does, at the same places.
        let mut which = [one; LANES];
        let mut marks = [lanes[one].mark; LANES];
        for index in 0..LANES {
            if able[index] {
                which[index] = index;
                marks[index] = lanes[index].mark;
            }
        }
        let all = self.findings.turns(&mut marks, turns, stream);
        for (lane, mark) in which.into_iter().zip(marks) {
            lanes[lane].mark = mark;
        }
        if all {
            return;
        }
        for lane in lanes.iter_mut().filter(|lane| able[lane.index]) {
            lane.stuck = !self.findings.symbol(&mut lane.mark, stream);
        }
    }

    /// Finds out how much is right; says which lane is the last of use. Each notes `known` places.
    #[inline(always)]
    fn join(
        &mut self,
        lanes: &mut [Lane; LANES],
        known: usize,
        end: u64,
        stream: Stream<'_>,
    ) -> usize {
        let mut from = Mark::new(0, 0);
        self.segments = Default::default();
        for (index, lane) in lanes.iter_mut().enumerate() {
            let next = self.starts.get(index + 1);
            let starts = next.map_or(&[][..], |all| &all[..known]);
            let next = meet(&mut self.findings, lane, starts, end, stream);
            let to = lane.mark;
            self.segments[index] = Segment { from, to };
            match next {
                Some(next) => from = next,
                None => return index,
            }
        }
        LANES - 1
    }
}

/// Goes on to a place where the next lane has been; says how far that had come there. `None` where
/// the two do not meet.
#[inline(always)]
fn meet(
    findings: &mut Findings,
    lane: &mut Lane,
    starts: &[Mark],
    end: u64,
    stream: Stream<'_>,
) -> Option<Mark> {
    let mut starts = starts.iter();
    let mut start = starts.next()?;
    while lane.mark.turns(lane.index, end) > 0 {
        while start.position() < lane.mark.position() {
            start = starts.next()?;
        }
        if start.position() == lane.mark.position() {
            return Some(*start);
        }
        if !findings.symbol(&mut lane.mark, stream) {
            return None;
        }
    }
    None
}
