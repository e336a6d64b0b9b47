//! The same with eight numbers in a register: AVX2.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_cvtsi32_si128, _mm_loadu_si128, _mm_setr_epi8, _mm_shuffle_epi8,
    _mm_unpackhi_epi16, _mm_unpackhi_epi32, _mm_unpackhi_epi64, _mm_unpacklo_epi16,
    _mm_unpacklo_epi32, _mm_unpacklo_epi64, _mm256_add_epi32, _mm256_cvtepu8_epi16,
    _mm256_load_si256, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_packs_epi32,
    _mm256_packus_epi16, _mm256_permute2x128_si256, _mm256_permute4x64_epi64,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_setzero_si256,
    _mm256_sra_epi32, _mm256_store_si256, _mm256_storeu_si256, _mm256_unpackhi_epi32,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

use super::{GROUP, KEPT, Lane, PRECISION, ROWS, STRIDE, Taps};

/// See [`super::Sample::gather`].
#[target_feature(enable = "avx2")]
pub(super) fn gather_bytes(
    rows: &[u8],
    stride: usize,
    pixels: usize,
    channels: usize,
    lanes: &mut [Lane],
) {
    match channels {
        1 => gather::<1>(rows, stride, pixels, lanes),
        2 => gather::<2>(rows, stride, pixels, lanes),
        3 => gather::<3>(rows, stride, pixels, lanes),
        _ => gather::<4>(rows, stride, pixels, lanes),
    }
}

/// Sixteen bytes of each row at a time: as many whole pairs of pixels as they hold.
#[target_feature(enable = "avx2")]
fn gather<const CHANNELS: usize>(rows: &[u8], stride: usize, pixels: usize, lanes: &mut [Lane]) {
    let step = (16 / CHANNELS) & !1;
    let order = paired::<CHANNELS>();
    for pixel in (0..pixels).step_by(step) {
        let at = pixel * CHANNELS;
        let own = |row: usize| {
            let bytes = rows.get(row * stride + at..);
            bytes.and_then(|bytes| bytes.first_chunk::<16>())
        };
        let mut units = [_mm_cvtsi32_si128(0); ROWS];
        for (row, units) in units.iter_mut().enumerate() {
            let Some(bytes) = own(row) else {
                return;
            };
            *units = load_bytes(bytes);
            if CHANNELS > 1 {
                *units = _mm_shuffle_epi8(*units, order);
            }
        }
        let place = pixel / 2 * CHANNELS;
        let Some(lanes) = lanes
            .get_mut(place..)
            .and_then(|lanes| lanes.first_chunk_mut::<8>())
        else {
            return;
        };
        for (lane, unit) in lanes.iter_mut().zip(transposed_16(units)) {
            store(lane, _mm256_cvtepu8_epi16(unit));
        }
    }
}

/// Which bytes of interleaved pixels stand where once pairs of them stand together.
#[target_feature(enable = "avx2")]
fn paired<const CHANNELS: usize>() -> __m128i {
    match CHANNELS {
        2 => _mm_setr_epi8(0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15),
        3 => _mm_setr_epi8(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, -1, -1, -1, -1),
        _ => _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15),
    }
}

/// Rows and columns of 16-bit units exchanged.
#[target_feature(enable = "avx2")]
fn transposed_16(rows: [__m128i; 8]) -> [__m128i; 8] {
    let low = |a: usize| _mm_unpacklo_epi16(rows[a], rows[a + 1]);
    let high = |a: usize| _mm_unpackhi_epi16(rows[a], rows[a + 1]);
    // Columns 0 to 3 of two rows each, then 4 to 7.
    let (l0, l2, l4, l6) = (low(0), low(2), low(4), low(6));
    let (h0, h2, h4, h6) = (high(0), high(2), high(4), high(6));
    // Two columns of four rows each.
    let first = [
        _mm_unpacklo_epi32(l0, l2),
        _mm_unpackhi_epi32(l0, l2),
        _mm_unpacklo_epi32(h0, h2),
        _mm_unpackhi_epi32(h0, h2),
    ];
    let second = [
        _mm_unpacklo_epi32(l4, l6),
        _mm_unpackhi_epi32(l4, l6),
        _mm_unpacklo_epi32(h4, h6),
        _mm_unpackhi_epi32(h4, h6),
    ];
    [
        _mm_unpacklo_epi64(first[0], second[0]),
        _mm_unpackhi_epi64(first[0], second[0]),
        _mm_unpacklo_epi64(first[1], second[1]),
        _mm_unpackhi_epi64(first[1], second[1]),
        _mm_unpacklo_epi64(first[2], second[2]),
        _mm_unpackhi_epi64(first[2], second[2]),
        _mm_unpacklo_epi64(first[3], second[3]),
        _mm_unpackhi_epi64(first[3], second[3]),
    ]
}

/// See [`super::Sample::gather`].
#[target_feature(enable = "avx2")]
pub(super) fn gather_pairs(rows: &[i16], stride: usize, pairs: usize, lanes: &mut [Lane]) {
    for pair in (0..pairs).step_by(8) {
        let mut units = [_mm256_setzero_si256(); ROWS];
        for (row, units) in units.iter_mut().enumerate() {
            let numbers = rows.get(row * stride + pair * 2..);
            let Some(numbers) = numbers.and_then(|numbers| numbers.first_chunk::<16>()) else {
                return;
            };
            *units = load_numbers(numbers);
        }
        let Some(lanes) = lanes
            .get_mut(pair..)
            .and_then(|lanes| lanes.first_chunk_mut::<8>())
        else {
            return;
        };
        for (lane, unit) in lanes.iter_mut().zip(transposed_32(units)) {
            store(lane, unit);
        }
    }
}

/// Rows and columns of 32-bit units exchanged.
#[target_feature(enable = "avx2")]
fn transposed_32(rows: [__m256i; 8]) -> [__m256i; 8] {
    // Of four rows: columns 0 and 4, 1 and 5, 2 and 6, 3 and 7, a half of the register each.
    let quads = |at: usize| {
        let (a, b, c, d) = (rows[at], rows[at + 1], rows[at + 2], rows[at + 3]);
        let (ab, cd) = (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
        let (hab, hcd) = (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d));
        [
            _mm256_unpacklo_epi64(ab, cd),
            _mm256_unpackhi_epi64(ab, cd),
            _mm256_unpacklo_epi64(hab, hcd),
            _mm256_unpackhi_epi64(hab, hcd),
        ]
    };
    let (upper, lower) = (quads(0), quads(4));
    let near = |at: usize| _mm256_permute2x128_si256::<0x20>(upper[at], lower[at]);
    let far = |at: usize| _mm256_permute2x128_si256::<0x31>(upper[at], lower[at]);
    [
        near(0),
        near(1),
        near(2),
        near(3),
        far(0),
        far(1),
        far(2),
        far(3),
    ]
}

/// See [`super::across`].
#[target_feature(enable = "avx2")]
pub(super) fn across(
    gathered: &[Lane],
    channels: usize,
    taps: &Taps,
    shift: u32,
    out: [&mut [Lane]; ROWS / 2],
) {
    match channels {
        1 => across_of::<1>(gathered, taps, shift, out),
        2 => across_of::<2>(gathered, taps, shift, out),
        3 => across_of::<3>(gathered, taps, shift, out),
        _ => across_of::<4>(gathered, taps, shift, out),
    }
}

#[target_feature(enable = "avx2")]
fn across_of<const CHANNELS: usize>(
    gathered: &[Lane],
    taps: &Taps,
    shift: u32,
    mut out: [&mut [Lane]; ROWS / 2],
) {
    let half = _mm256_set1_epi32(1 << (shift - 1));
    let shift = _mm_cvtsi32_si128(shift.cast_signed());
    let groups = taps.starts.as_chunks::<GROUP>().0.iter();
    let groups = groups.zip(taps.weights.chunks_exact(taps.pairs * GROUP));
    for (group, (starts, weights)) in groups.enumerate() {
        // Results of eight rows each, pixels interleaved.
        let mut results = [[half; CHANNELS]; GROUP];
        let each = starts.iter().zip(weights.chunks_exact(taps.pairs));
        for (sums, (start, weights)) in results.iter_mut().zip(each) {
            let start = *start as usize * CHANNELS;
            let Some(pairs) = gathered.get(start..start + taps.pairs * CHANNELS) else {
                return;
            };
            for (lanes, weight) in pairs.as_chunks::<CHANNELS>().0.iter().zip(weights) {
                let weight = _mm256_set1_epi32(both(*weight));
                for (sum, lane) in sums.iter_mut().zip(lanes) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(load(lane), weight));
                }
            }
            for sum in sums {
                *sum = _mm256_sra_epi32(*sum, shift);
            }
        }
        let results = results.as_flattened().as_chunks::<GROUP>().0;
        for (place, results) in (group * CHANNELS..).zip(results) {
            for (out, lane) in out.iter_mut().zip(paired_rows(results)) {
                if let Some(out) = out.get_mut(place) {
                    store(out, lane);
                }
            }
        }
    }
}

/// Eight results of eight rows: pairs of rows, narrowed, their results in order.
#[target_feature(enable = "avx2")]
fn paired_rows(results: &[__m256i; 8]) -> [__m256i; 4] {
    // Results n and n + 4: pairs of rows 0 and 1 of both, in the other half 2 and 3.
    let two = |at: usize| _mm256_packs_epi32(results[at], results[at + 4]);
    let (a, b, c, d) = (two(0), two(1), two(2), two(3));
    let (ab, cd) = (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
    let (hab, hcd) = (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d));
    // Results 0 to 3 and 4 to 7 of rows 0 (and 2), then 1 (and 3).
    let (near, later) = (
        _mm256_unpacklo_epi64(ab, cd),
        _mm256_unpacklo_epi64(hab, hcd),
    );
    let (next, after) = (
        _mm256_unpackhi_epi64(ab, cd),
        _mm256_unpackhi_epi64(hab, hcd),
    );
    [
        _mm256_permute2x128_si256::<0x20>(near, later),
        _mm256_permute2x128_si256::<0x20>(next, after),
        _mm256_permute2x128_si256::<0x31>(near, later),
        _mm256_permute2x128_si256::<0x31>(next, after),
    ]
}

/// See [`super::Sample::down`].
#[target_feature(enable = "avx2")]
pub(super) fn down_to_bytes(ring: &[Lane], places: &[usize], weights: &[[i16; 2]], out: &mut [u8]) {
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    for (group, out) in out
        .as_chunks_mut::<{ STRIDE * GROUP }>()
        .0
        .iter_mut()
        .enumerate()
    {
        let [a, b, c, d] = sums(ring, places, weights, group * STRIDE, PRECISION + KEPT);
        let (ab, cd) = (_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
        let bytes = _mm256_packus_epi16(ab, cd);
        // SAFETY: it is as long as a register.
        unsafe {
            _mm256_storeu_si256(
                out.as_mut_ptr().cast(),
                _mm256_permutevar8x32_epi32(bytes, order),
            );
        }
    }
}

/// See [`super::Sample::down`].
#[target_feature(enable = "avx2")]
pub(super) fn down_to_numbers(
    ring: &[Lane],
    places: &[usize],
    weights: &[[i16; 2]],
    out: &mut [i16],
) {
    for (group, out) in out
        .as_chunks_mut::<{ STRIDE * GROUP }>()
        .0
        .iter_mut()
        .enumerate()
    {
        let [a, b, c, d] = sums(ring, places, weights, group * STRIDE, PRECISION);
        let packed = [_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d)];
        for (out, packed) in out.as_chunks_mut::<16>().0.iter_mut().zip(packed) {
            let ordered = _mm256_permute4x64_epi64::<0b11_01_10_00>(packed);
            // SAFETY: it is as long as a register.
            unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), ordered) };
        }
    }
}

/// Of four lanes of the rows, from this one on.
#[target_feature(enable = "avx2")]
fn sums(
    ring: &[Lane],
    places: &[usize],
    weights: &[[i16; 2]],
    lane: usize,
    shift: u32,
) -> [__m256i; STRIDE] {
    let mut sums = [_mm256_set1_epi32(1 << (shift - 1)); STRIDE];
    for (place, weight) in places.iter().zip(weights) {
        let lanes = ring.get(place + lane..);
        let Some(lanes) = lanes.and_then(|lanes| lanes.first_chunk::<STRIDE>()) else {
            continue;
        };
        let weight = _mm256_set1_epi32(both(*weight));
        for (sum, lane) in sums.iter_mut().zip(lanes) {
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(load(lane), weight));
        }
    }
    let shift = _mm_cvtsi32_si128(shift.cast_signed());
    sums.map(|sum| _mm256_sra_epi32(sum, shift))
}

/// Two weights as one number of 32 bits.
fn both(weights: [i16; 2]) -> i32 {
    let [first, second] = weights.map(i16::to_le_bytes);
    i32::from_le_bytes([first[0], first[1], second[0], second[1]])
}

#[target_feature(enable = "avx2")]
fn load(lane: &Lane) -> __m256i {
    // SAFETY: it is as long as a register, and aligned like one.
    unsafe { _mm256_load_si256(lane.0.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn store(lane: &mut Lane, register: __m256i) {
    // SAFETY: it is as long as a register, and aligned like one.
    unsafe { _mm256_store_si256(lane.0.as_mut_ptr().cast(), register) };
}

#[target_feature(enable = "avx2")]
fn load_bytes(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: it is as long as a register.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn load_numbers(numbers: &[i16; 16]) -> __m256i {
    // SAFETY: it is as long as a register.
    unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
}
