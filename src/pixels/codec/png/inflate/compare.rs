//! Ours beside fdeflate's.

use super::{Damaged, Inflate, Input, Output, SLACK};

/// How far back a match may reach.
const LOOKBACK: usize = 32 << 10;

/// What a stream holds, up to `wanted` bytes, and what stopped it before. It gets `step` bytes of
/// input at a time, and writes up to `room` at a time.
pub(in super::super) fn inflate(
    stream: &[u8],
    wanted: usize,
    step: usize,
    room: usize,
) -> (Vec<u8>, Option<Damaged>) {
    let mut input = Input::new();
    let mut inflate = Inflate::new(&input);
    let mut rest = stream;
    let mut made = Vec::new();
    let mut window = vec![0; LOOKBACK + room + SLACK];
    let mut at = 0_usize;
    while made.len() < wanted {
        let gone = at.saturating_sub(LOOKBACK);
        window.copy_within(gone..at, 0);
        at -= gone;
        let (next, later) = rest.split_at(rest.len().min(step));
        let count = input.fill(inflate.at(), next);
        rest = if count == next.len() {
            later
        } else {
            &rest[count..]
        };
        let closed = rest.is_empty();
        if closed {
            input.close();
        }
        let full = at + room.min(wanted - made.len());
        let mut output = Output::new(&mut window, at, full);
        let result = inflate.run(&input, &mut output);
        let end = output.at;
        made.extend_from_slice(&window[at..end]);
        let ended = inflate.is_done() || closed && end < full;
        at = end;
        if result.is_err() || ended {
            return (made, result.err());
        }
    }
    made.truncate(wanted);
    (made, None)
}

/// As [`inflate`], by fdeflate.
fn theirs(stream: &[u8], wanted: usize) -> Vec<u8> {
    let mut inflate = fdeflate::Decompressor::new();
    inflate.ignore_adler32();
    let (mut used, mut made) = (0, vec![0; wanted]);
    // Byte by byte: what came before damage counts.
    for at in 0..wanted {
        let Ok((read, 1)) = inflate.read(&stream[used..], &mut made[..=at], at, false) else {
            made.truncate(at);
            break;
        };
        used += read;
    }
    made
}

/// Panics where they differ: in what they make, or in how much of it can be had.
pub(in super::super) fn compare(stream: &[u8], wanted: usize, step: usize, room: usize) {
    let theirs = theirs(stream, wanted);
    let (ours, damaged) = inflate(stream, wanted, step, room);
    assert!(
        ours.starts_with(&theirs) || theirs.starts_with(&ours),
        "other bytes"
    );
    // Fdeflate looks at the next block before it hands out the last byte, and one of two literals
    // that it looks up together can be missing. And it takes the two symbols that do not exist for
    // a block's end.
    let odd = damaged == Some(Damaged("a code of no symbol"));
    assert!(
        odd || ours.len() + 1 >= theirs.len(),
        "{} bytes, not {}: {damaged:?}",
        ours.len(),
        theirs.len(),
    );
    assert!(
        ours.len() <= theirs.len() + 258 + 6,
        "{} bytes, not {}",
        ours.len(),
        theirs.len(),
    );
}
