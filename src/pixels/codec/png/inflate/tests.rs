use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};
use proptest::prelude::*;

use super::{
    compare::{compare, inflate},
    *,
};

fn deflated(data: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Numbers that look random, of so many bits.
fn noise(count: usize, bits: u32) -> Vec<u8> {
    let mut state = 1u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24 >> (8 - bits)).to_le_bytes()[0]
    };
    (0..count).map(next).collect()
}

/// As a photograph without filters: values near those before, and a match now and then.
fn photograph(count: usize) -> Vec<u8> {
    let mut data: Vec<u8> = noise(count, 4);
    for at in 3..count {
        let wave = (at / 97).to_le_bytes()[0] / 2;
        data[at] = (data[at] & data[at - 1]).wrapping_add(wave);
    }
    data
}

/// Noise, and now and then what is ever rarer: codes of all lengths.
fn rarities(count: usize) -> Vec<u8> {
    let (often, seldom) = (noise(count, 6), noise(2 * count, 8));
    let zeros = |pair: &[u8]| u16::from_be_bytes([pair[0], pair[1]]).leading_zeros();
    let rarer = seldom.chunks_exact(2).map(zeros);
    let bytes = often.into_iter().zip(rarer);
    bytes
        .map(|(often, zeros)| if zeros < 3 { often } else { 64 + zeros as u8 })
        .collect()
}

#[track_caller]
fn comes_back(data: &[u8], stream: &[u8]) {
    for (step, room) in [(1 << 20, 1 << 20), (8192, 100_000), (1000, 3000), (7, 1)] {
        let (made, damaged) = inflate(stream, data.len(), step, room);
        assert_eq!(damaged, None);
        assert!(made == data, "steps of {step}, room of {room}");
    }
}

#[test]
fn what_was_deflated_comes_back() {
    for data in [
        Vec::new(),
        vec![7],
        vec![0; 100_000],
        b"abcabcabcabcabcabcabcabcab".repeat(900),
        noise(50_000, 8),
        noise(200_000, 7),
        noise(200_000, 3),
        photograph(300_000),
        rarities(300_000),
    ] {
        for level in [0, 1, 6, 9] {
            comes_back(&data, &deflated(&data, level));
        }
        comes_back(&data, &fdeflate::compress_to_vec(&data));
    }
}

#[test]
fn a_match_may_reach_back_as_far_as_the_window() {
    for back in [32767, 32768] {
        let mut data = noise(back, 8);
        data.extend_from_within(..300);
        comes_back(&data, &deflated(&data, 9));
    }
}

/// What lanes do; says how many times.
fn lanes_of(data: &[u8], stream: &[u8]) -> usize {
    let mut input = Input::new();
    let mut inflated = Inflate::new(&input);
    let mut window = vec![0; data.len() + SLACK];
    let (mut fed, mut at, mut met) = (0, 0, 0);
    while at < data.len() {
        fed += input.fill(inflated.at(), &stream[fed..]);
        if fed == stream.len() {
            input.close();
        }
        let before = inflated.state;
        let mut output = Output::new(&mut window, at, (at + 1).min(data.len()));
        inflated.run(&input, &mut output).unwrap();
        at = output.at;
        met += usize::from(before != State::Found && inflated.state == State::Found);
    }
    assert!(window[..data.len()] == *data);
    met
}

#[test]
fn literals_are_decoded_in_lanes() {
    let data = photograph(400_000);
    assert!(lanes_of(&data, &deflated(&data, 6)) > 10);
    let data = rarities(400_000);
    assert!(lanes_of(&data, &deflated(&data, 6)) > 10);
    // All codes have the same length, so that lanes that are out of step stay so.
    let data = noise(400_000, 7);
    lanes_of(&data, &fdeflate::compress_to_vec(&data));
    lanes_of(&data, &deflated(&data, 1));
    // Nothing but matches.
    assert_eq!(
        lanes_of(&vec![0; 400_000], &deflated(&vec![0; 400_000], 6)),
        0
    );
}

#[test]
fn a_stream_that_is_cut_short_gives_what_it_has() {
    let data = photograph(5000);
    for stream in [deflated(&data, 6), deflated(&data, 0)] {
        for length in 0..stream.len() {
            compare(&stream[..length], data.len(), 1 << 20, 1 << 20);
        }
    }
}

#[track_caller]
fn is_damaged(stream: &[u8], why: &'static str) {
    let mut stream = stream.to_vec();
    stream.extend([0; 8]);
    let (_, damaged) = inflate(&stream, 100, 1 << 20, 1 << 20);
    assert_eq!(damaged, Some(Damaged(why)));
}

#[test]
fn damage_is_named() {
    is_damaged(&[0x79, 1], "no zlib header");
    is_damaged(&[0x78, 0x21], "no zlib header");
    is_damaged(&[0x78, 1, 0b111], "the kind of a block");
    is_damaged(
        &[0x78, 1, 0b001, 1, 0, 1, 0],
        "the length of a stored block",
    );
    is_damaged(&[0x78, 1, 0b1111_0101, 0xFF, 0xFF], "too many codes");
    // Fixed codes: 256 − 254, a length of 3, then 29 and 30 for the distance.
    is_damaged(&[0x78, 1, 0b011, 0b0000_0010], "a distance too far back");
}

proptest! {
    #[test]
    fn streams_are_as_fdeflate_reads_them(
        kind in 0u8..4,
        length in 1usize..30_000,
        level in 0u32..10,
        step in 1usize..3000,
        room in 1usize..9000,
    ) {
        let data = match kind {
            0 => photograph(length),
            1 => noise(length, 6),
            2 => noise(length, 2),
            _ => noise(length / 20, 8).repeat(20),
        };
        let stream = deflated(&data, level);
        let (made, damaged) = inflate(&stream, data.len(), step, room);
        prop_assert_eq!(damaged, None);
        prop_assert!(made == data);
        compare(&stream, data.len(), step, room);
    }

    #[test]
    fn damaged_streams_are_as_fdeflate_reads_them(
        length in 1usize..6000,
        level in 0u32..10,
        step in 1usize..3000,
        room in 1usize..9000,
        changes in proptest::collection::vec((0usize..4000, any::<u8>()), 1..6),
    ) {
        let mut stream = deflated(&photograph(length), level);
        for (at, value) in changes {
            let at = at % stream.len();
            stream[at] = value;
        }
        compare(&stream, 2 * length, step, room);
    }
}
