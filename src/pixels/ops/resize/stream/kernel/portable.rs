//! Plain code, for any processor.

use super::{GROUP, KEPT, Lane, PRECISION, ROWS, Taps};

/// See [`super::Sample::gather`].
pub(super) fn gather_bytes(
    rows: &[u8],
    stride: usize,
    pixels: usize,
    channels: usize,
    lanes: &mut [Lane],
) {
    let pairs = lanes.chunks_exact_mut(channels).take(pixels.div_ceil(2));
    for (pair, lanes) in pairs.enumerate() {
        for (channel, lane) in lanes.iter_mut().enumerate() {
            for (row, samples) in rows.chunks(stride).take(ROWS).enumerate() {
                let at = pair * 2 * channels + channel;
                let sample = |at: usize| samples.get(at).copied().unwrap_or(0).into();
                lane.0[row * 2] = sample(at);
                lane.0[row * 2 + 1] = sample(at + channels);
            }
        }
    }
}

/// See [`super::Sample::gather`].
pub(super) fn gather_pairs(rows: &[i16], stride: usize, pairs: usize, lanes: &mut [Lane]) {
    for (pair, lane) in lanes.iter_mut().take(pairs).enumerate() {
        for (row, samples) in rows.chunks(stride).take(ROWS).enumerate() {
            if let Some(samples) = samples.get(pair * 2..pair * 2 + 2) {
                lane.0[row * 2..row * 2 + 2].copy_from_slice(samples);
            }
        }
    }
}

/// See [`super::across`].
pub(super) fn across(
    gathered: &[Lane],
    channels: usize,
    taps: &Taps,
    shift: u32,
    mut out: [&mut [Lane]; ROWS / 2],
) {
    for result in 0..taps.starts.len() {
        let Some((start, weights)) = taps.of(result) else {
            return;
        };
        let Some(pairs) = gathered.get(start * channels..(start + weights.len()) * channels) else {
            return;
        };
        for channel in 0..channels {
            let own = pairs.iter().skip(channel).step_by(channels);
            let sums = sums(own.zip(weights), shift);
            let place = result * channels + channel;
            for (out, rows) in out.iter_mut().zip(sums.chunks_exact(2)) {
                if let Some(lane) = out.get_mut(place / GROUP) {
                    let at = place % GROUP * 2;
                    lane.0[at] = narrow(rows[0]);
                    lane.0[at + 1] = narrow(rows[1]);
                }
            }
        }
    }
}

/// See [`super::Sample::down`].
pub(super) fn down_to_bytes(ring: &[Lane], places: &[usize], weights: &[[i16; 2]], out: &mut [u8]) {
    down(ring, places, weights, PRECISION + KEPT, out, |sum| {
        u8::try_from(narrow(sum).clamp(0, 255)).unwrap_or(u8::MAX)
    });
}

/// See [`super::Sample::down`].
pub(super) fn down_to_numbers(
    ring: &[Lane],
    places: &[usize],
    weights: &[[i16; 2]],
    out: &mut [i16],
) {
    down(ring, places, weights, PRECISION, out, narrow);
}

fn down<T>(
    ring: &[Lane],
    places: &[usize],
    weights: &[[i16; 2]],
    shift: u32,
    out: &mut [T],
    narrowed: impl Fn(i32) -> T,
) {
    for (lane, out) in out.chunks_mut(GROUP).enumerate() {
        let own = places.iter().filter_map(|place| ring.get(place + lane));
        for (out, sum) in out.iter_mut().zip(sums(own.zip(weights), shift)) {
            *out = narrowed(sum);
        }
    }
}

/// Of each of the eight pairs.
fn sums<'a>(pairs: impl Iterator<Item = (&'a Lane, &'a [i16; 2])>, shift: u32) -> [i32; GROUP] {
    let mut sums = [1_i32 << (shift - 1); GROUP];
    for (lane, weights) in pairs {
        for (sum, pair) in sums.iter_mut().zip(lane.0.as_chunks::<2>().0) {
            let weighted = |at: usize| i32::from(pair[at]) * i32::from(weights[at]);
            *sum = sum.wrapping_add(weighted(0)).wrapping_add(weighted(1));
        }
    }
    sums.map(|sum| sum >> shift)
}

#[expect(clippy::cast_possible_truncation, reason = "clamped")]
fn narrow(sum: i32) -> i16 {
    sum.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}
