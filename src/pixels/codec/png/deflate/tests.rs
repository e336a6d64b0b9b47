use proptest::prelude::*;

use super::{super::inflate, *};

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut deflate = Deflate::new(data.len());
    let mut blocks = data.chunks(BLOCK).peekable();
    if data.is_empty() {
        deflate.block(data, true);
    }
    while let Some(block) = blocks.next() {
        deflate.block(block, blocks.peek().is_none());
    }
    let stream = deflate.finish();
    assert!(
        stream.len() <= most(data.len()),
        "{} of {}",
        stream.len(),
        data.len()
    );
    stream
}

#[track_caller]
fn comes_back(data: &[u8]) {
    use std::io::Read as _;
    let stream = deflated(data);
    let mut theirs = Vec::new();
    // Its checksum is looked at.
    flate2::read::ZlibDecoder::new(&stream[..])
        .read_to_end(&mut theirs)
        .unwrap();
    assert!(theirs == data);
    let (ours, damaged) = inflate::compare::inflate(&stream, data.len(), 8192, 1 << 16);
    assert_eq!(damaged, None);
    assert!(ours == data);
}

#[test]
fn what_is_deflated_comes_back() {
    comes_back(&[]);
    comes_back(&[0]);
    comes_back(&[255]);
    for count in (1..600).chain([65_535, 65_536, 65_537, 200_000]) {
        comes_back(&vec![0; count]);
    }
    let all: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    comes_back(&all);
}

#[test]
fn no_code_is_too_long() {
    // Counts like these make the deepest tree.
    let (mut one, mut two) = (1, 1);
    let mut counts = [0; NUMBERS];
    for count in counts.iter_mut().take(40) {
        *count = one;
        (one, two) = (two, one + two);
    }
    for longest in [7, LONGEST] {
        let code = Code::new(&counts, longest);
        let lengths = code.lengths();
        assert!(lengths.iter().all(|length| usize::from(*length) <= longest));
        let parts = lengths.iter().filter(|length| **length > 0);
        let whole: usize = parts
            .map(|length| 1 << (longest - usize::from(*length)))
            .sum();
        assert_eq!(whole, 1 << longest);
    }
}

proptest! {
    #[test]
    fn any_data_come_back(
        parts in proptest::collection::vec((any::<u8>(), 1u32..9, 0usize..3000), 0..12),
    ) {
        let mut state = 1u32;
        let mut data = Vec::new();
        for (seed, bits, count) in parts {
            state = state.wrapping_add(seed.into());
            for _ in 0..count {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                data.push((state >> 24 >> (8 - bits)).to_le_bytes()[0] & seed);
            }
        }
        comes_back(&data);
    }
}
