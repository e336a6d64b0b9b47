#![expect(clippy::cast_possible_truncation, reason = "small numbers, made here")]

use super::{super::taps::Side, *};

/// Numbers of the whole range, repeatable.
fn numbers(count: usize) -> impl Iterator<Item = u32> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(7), next)
        .map(|state| state >> 16)
        .take(count)
}

fn taps(from: u32, to: u32) -> Taps {
    Taps::new(Side {
        start: 0.0,
        extent: from.into(),
        bounds: (0, from),
        results: to,
    })
}

#[cfg(target_arch = "x86_64")]
#[test]
fn both_ways_say_the_same() {
    if !is_modern() {
        return;
    }
    for (pixels, results, channels) in [
        (1, 9, 1),
        (40, 33, 1),
        (97, 20, 2),
        (31, 31, 3),
        (64, 7, 3),
        (50, 90, 4),
        (97, 14, 4),
    ] {
        check(pixels, results, channels);
    }
}

#[cfg(target_arch = "x86_64")]
#[track_caller]
fn check(pixels: usize, results: usize, channels: usize) {
    let taps = taps(pixels as u32, results as u32);
    let stride = pixels.next_multiple_of(2) * channels + SLACK;
    let bytes: Vec<u8> = numbers(stride * ROWS).map(|number| number as u8).collect();
    let pairs = pixels.div_ceil(2) * channels;
    let empty = vec![Lane::default(); taps.source_pairs() * channels + SLACK];
    let mut plain = empty.clone();
    let mut fast = empty.clone();
    portable::gather_bytes(&bytes, stride, pixels, channels, &mut plain);
    // SAFETY: asked for above.
    unsafe { avx2::gather_bytes(&bytes, stride, pixels, channels, &mut fast) };
    assert_eq!(plain[..pairs], fast[..pairs]);

    let deep: Vec<i16> = numbers(stride * ROWS).map(|number| number as i16).collect();
    let (mut plain, mut fast) = (empty.clone(), empty);
    portable::gather_pairs(&deep, stride, pairs, &mut plain);
    // SAFETY: asked for above.
    unsafe { avx2::gather_pairs(&deep, stride, pairs, &mut fast) };
    assert_eq!(plain[..pairs], fast[..pairs]);

    let row = lanes(results, channels);
    for shift in [8, 14] {
        let mut ours = vec![Lane::default(); row * 4];
        let mut theirs = ours.clone();
        let four = |lanes| four(lanes, row);
        portable::across(&plain, channels, &taps, shift, four(&mut ours));
        // SAFETY: asked for above.
        unsafe { avx2::across(&plain, channels, &taps, shift, four(&mut theirs)) };
        assert_eq!(ours, theirs);
    }

    let ring: Vec<Lane> = (0..row * 5)
        .map(|lane| {
            let mut own = numbers(16 * (lane + 1)).skip(16 * lane);
            Lane(std::array::from_fn(|_| own.next().unwrap_or(0) as i16))
        })
        .collect();
    let places = [3 * row, 0, row];
    let weights = [[-700, 9000], [9100, -1100], [77, 16384 - 700 - 9000]];
    let (mut ours, mut theirs) = (vec![0; row * 8], vec![1; row * 8]);
    portable::down_to_bytes(&ring, &places, &weights, &mut ours);
    // SAFETY: asked for above.
    unsafe { avx2::down_to_bytes(&ring, &places, &weights, &mut theirs) };
    assert_eq!(ours, theirs);
    let (mut ours, mut theirs) = (vec![0; row * 8], vec![1; row * 8]);
    portable::down_to_numbers(&ring, &places, &weights, &mut ours);
    // SAFETY: asked for above.
    unsafe { avx2::down_to_numbers(&ring, &places, &weights, &mut theirs) };
    assert_eq!(ours, theirs);
}

#[cfg(target_arch = "x86_64")]
fn four(lanes: &mut [Lane], row: usize) -> [&mut [Lane]; 4] {
    let mut rows = lanes.chunks_exact_mut(row);
    std::array::from_fn(|_| rows.next().unwrap_or_default())
}
