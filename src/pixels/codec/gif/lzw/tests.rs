use proptest::prelude::*;
use weezl::{BitOrder, decode, encode};

use super::*;

/// In pieces, as they stand in a file.
fn pieces(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in data.chunks(255) {
        bytes.push(u8::try_from(piece.len()).unwrap());
        bytes.extend_from_slice(piece);
    }
    bytes.push(0);
    bytes
}

fn ours(lzw: &mut Lzw, data: &[u8], size: u8, pixels: usize) -> Option<Vec<u8>> {
    let bytes = pieces(data);
    let data = SubBlocks::new(&bytes).unwrap();
    lzw.decode(data, size, pixels).ok().map(<[u8]>::to_vec)
}

/// By the library, in one go.
fn theirs(data: &[u8], size: u8, pixels: usize) -> Option<Vec<u8>> {
    let mut decoder = decode::Decoder::new(BitOrder::Lsb, size);
    let mut out = vec![0; pixels];
    let (mut from, mut to) = (0, 0);
    loop {
        let result = decoder.decode_bytes(&data[from..], &mut out[to..]);
        from += result.consumed_in;
        to += result.consumed_out;
        if to == pixels {
            return Some(out);
        }
        let idle = result.consumed_in == 0 && result.consumed_out == 0;
        match result.status {
            Ok(weezl::LzwStatus::Ok) if !idle => {}
            _ => return None,
        }
    }
}

#[track_caller]
fn check(lzw: &mut Lzw, pixels: &[u8], size: u8) {
    let data = encode::Encoder::new(BitOrder::Lsb, size)
        .encode(pixels)
        .unwrap();
    assert!(ours(lzw, &data, size, pixels.len()).as_deref() == Some(pixels));
    // What is wanted may end before the data do, but not after them.
    assert!(ours(lzw, &data, size, pixels.len() / 2 + 1).is_some());
    assert!(ours(lzw, &data, size, pixels.len() + 1).is_none());
}

#[test]
fn images_come_out_as_they_went_in() {
    let mut lzw = Lzw::default();
    for size in 2..=8 {
        let most = u8::MAX >> (8 - size);
        check(&mut lzw, &[most], size);
        check(&mut lzw, &vec![0; 100_000], size);
        let waves = |at: u32| (at / 3 * (at / 1000)).to_le_bytes()[0] & most;
        check(&mut lzw, &(0..50_000).map(waves).collect::<Vec<u8>>(), size);
        let mut state = 1_u32;
        let mut noise = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_le_bytes()[3] & most
        };
        check(
            &mut lzw,
            &(0..90_000).map(&mut noise).collect::<Vec<u8>>(),
            size,
        );
    }
}

#[test]
fn codes_by_hand() {
    let mut lzw = Lzw::default();
    // Three bits a code: clear (4), 1, 6 (the string that is being made), 5 (the end).
    assert_eq!(
        ours(&mut lzw, &[0b1000_1100, 0b1011], 2, 3),
        Some(vec![1; 3])
    );
    // Nothing was before the first code, so nothing can be made of it.
    assert_eq!(ours(&mut lzw, &[0b0011_0100], 2, 1), None);
    assert_eq!(ours(&mut lzw, &[], 2, 1), None);
    assert_eq!(ours(&mut lzw, &[0; 9], 1, 1), None);
    assert_eq!(ours(&mut lzw, &[0; 9], 9, 1), None);
}

proptest! {
    #[test]
    fn damage_is_found_where_the_library_finds_it(
        size in 2_u8..=8,
        data in proptest::collection::vec(any::<u8>(), 0..600),
        pixels in 1_usize..5000,
    ) {
        let mut lzw = Lzw::default();
        prop_assert_eq!(ours(&mut lzw, &data, size, pixels), theirs(&data, size, pixels));
    }
}
