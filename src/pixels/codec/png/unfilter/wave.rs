//! Eight rows at once. A pixel needs its left neighbour, so a row alone is done one pixel after
//! the other; but the row below can follow two pixels behind, and the next one behind that.
//!
//! A step does one pixel of each row, each in its own lane of four bytes. What a lane needs from
//! above is what the lane before it made two steps earlier.
#![expect(
    unsafe_code,
    reason = "instructions that not every processor has are asked for first"
)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_storeu_si128,
    _mm256_add_epi8, _mm256_adds_epu8, _mm256_and_si256, _mm256_avg_epu8, _mm256_blend_epi32,
    _mm256_blendv_epi8, _mm256_castsi128_si256, _mm256_castsi256_si128, _mm256_cmpeq_epi8,
    _mm256_extracti128_si256, _mm256_inserti128_si256, _mm256_max_epu8, _mm256_min_epu8,
    _mm256_or_si256, _mm256_permutevar8x32_epi32, _mm256_set_epi32, _mm256_set1_epi8,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_sub_epi8, _mm256_subs_epu8,
    _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
    _mm256_xor_si256,
};

use super::{ROWS, Row};

/// Pixels that a row is behind the one above it.
const LAG: usize = 2;

/// Pixels of each row that are loaded and stored together.
const BLOCK: usize = 4;

/// Narrower pictures are not worth it, and their rows are shorter than what lanes reach back.
const LEAST_PIXELS: usize = 32;

/// Rows among the eight that need it: to copy a row, or to add the one above, is faster done alone.
const LEAST_NEEDY: usize = 2;

/// Eight rows, where there are as many, of pixels of three or four bytes.
pub(super) fn unfilter(coded: &[u8], out: &mut [u8], count: usize, row: Row) -> Option<usize> {
    let pixels = row.line / row.pixel;
    if count < ROWS || pixels < LEAST_PIXELS || !std::is_x86_feature_detected!("avx2") {
        return None;
    }
    let mut filters = [0; ROWS];
    for (index, filter) in filters.iter_mut().enumerate() {
        *filter = *coded.get(index * row.coded())?;
    }
    let needy = filters.iter().filter(|filter| **filter >= 3).count();
    if needy < LEAST_NEEDY || filters.iter().any(|filter| *filter > 4) {
        return None;
    }
    let alike = filters.iter().all(|filter| *filter == 4);
    // SAFETY: the processor has just said that it knows AVX2.
    unsafe {
        match (row.pixel, alike) {
            (3, false) => wave::<3, true>(coded, out, filters, row),
            (3, true) => wave::<3, false>(coded, out, filters, row),
            (4, false) => wave::<4, true>(coded, out, filters, row),
            (4, true) => wave::<4, false>(coded, out, filters, row),
            _ => None,
        }
    }
}

/// `MIXED`: rows have filters other than Paeth's.
#[target_feature(enable = "avx2")]
fn wave<const PIXEL: usize, const MIXED: bool>(
    coded: &[u8],
    out: &mut [u8],
    filters: [u8; ROWS],
    row: Row,
) -> Option<usize> {
    let pixels = row.line / row.pixel;
    let steps = pixels + (ROWS - 1) * LAG;
    let lanes = filters.map(i32::from);
    let filter = lanes_of(lanes.map(|filter| filter * 0x0101_0101));
    let kinds = [1, 2, 3, 4].map(|kind| _mm256_cmpeq_epi8(filter, _mm256_set1_epi8(kind)));
    let down = _mm256_set_epi32(6, 5, 4, 3, 2, 1, 0, 0);
    let zero = _mm256_setzero_si256();
    // What the lanes made one and two steps ago, and what they had above one step ago.
    let (mut left, mut before, mut corner) = (zero, zero, zero);
    for (block, first) in (0..steps).step_by(BLOCK).enumerate() {
        let mut raw = [zero; BLOCK];
        let mut ends = [zero; BLOCK];
        for (pair, ends) in ends.iter_mut().enumerate() {
            let at = |lane: usize| lane * row.coded() + 1 + first * PIXEL - lane * LAG * PIXEL;
            *ends = _mm256_inserti128_si256::<1>(
                _mm256_castsi128_si256(load(coded, at(pair))?),
                load(coded, at(pair + BLOCK))?,
            );
            if PIXEL == 3 {
                *ends = _mm256_shuffle_epi8(*ends, spread());
            }
        }
        for (step, lanes) in raw.iter_mut().zip(transposed(ends)) {
            *step = lanes;
        }
        // Lanes whose row has not begun yet hold zeros: what stands left of a row and above it.
        if first < (ROWS - 1) * LAG {
            for (step, raw) in raw.iter_mut().enumerate() {
                *raw = _mm256_and_si256(*raw, begun(block * BLOCK + step));
            }
        }
        let mut above = load(out, first * PIXEL)?;
        if PIXEL == 3 {
            above = _mm_shuffle_epi8(above, _mm256_castsi256_si128(spread()));
        }
        let top = [
            above,
            _mm_shuffle_epi32::<1>(above),
            _mm_shuffle_epi32::<2>(above),
            _mm_shuffle_epi32::<3>(above),
        ];
        let mut made = [zero; BLOCK];
        for step in 0..BLOCK {
            let above = _mm256_permutevar8x32_epi32(before, down);
            let above = _mm256_blend_epi32::<1>(above, _mm256_castsi128_si256(top[step]));
            let predicted = if MIXED {
                mixed(&kinds, left, above, corner)
            } else {
                paeth(left, above, corner)
            };
            before = left;
            corner = above;
            left = _mm256_add_epi8(raw[step], predicted);
            made[step] = left;
        }
        for (pair, mut lanes) in transposed(made).into_iter().enumerate() {
            if PIXEL == 3 {
                lanes = _mm256_shuffle_epi8(lanes, gather());
            }
            let at = |lane: usize| (lane + 1) * row.stride() + first * PIXEL - lane * LAG * PIXEL;
            store(out, at(pair), _mm256_castsi256_si128(lanes))?;
            let high = _mm256_extracti128_si256::<1>(lanes);
            store(out, at(pair + BLOCK), high)?;
        }
    }
    Some(ROWS)
}

/// As [`super::paeth`].
#[target_feature(enable = "avx2")]
fn paeth(left: __m256i, above: __m256i, corner: __m256i) -> __m256i {
    let (low, high) = (_mm256_min_epu8(left, above), _mm256_max_epu8(left, above));
    let over = _mm256_subs_epu8(high, corner);
    let under = _mm256_subs_epu8(corner, low);
    let zero = _mm256_setzero_si256();
    let is_low = _mm256_cmpeq_epi8(_mm256_subs_epu8(_mm256_adds_epu8(over, over), under), zero);
    let is_high = _mm256_cmpeq_epi8(_mm256_subs_epu8(_mm256_adds_epu8(under, under), over), zero);
    _mm256_blendv_epi8(_mm256_blendv_epi8(corner, low, is_low), high, is_high)
}

/// Each lane by its own filter.
#[target_feature(enable = "avx2")]
fn mixed(kinds: &[__m256i; 4], left: __m256i, above: __m256i, corner: __m256i) -> __m256i {
    // The instruction rounds up, the filter down.
    let odd = _mm256_and_si256(_mm256_xor_si256(left, above), _mm256_set1_epi8(1));
    let mean = _mm256_sub_epi8(_mm256_avg_epu8(left, above), odd);
    let paeth = paeth(left, above, corner);
    _mm256_or_si256(
        _mm256_or_si256(
            _mm256_and_si256(kinds[0], left),
            _mm256_and_si256(kinds[1], above),
        ),
        _mm256_or_si256(
            _mm256_and_si256(kinds[2], mean),
            _mm256_and_si256(kinds[3], paeth),
        ),
    )
}

/// Four pixels of eight rows as four steps of eight lanes, and back.
#[target_feature(enable = "avx2")]
fn transposed(rows: [__m256i; BLOCK]) -> [__m256i; BLOCK] {
    let low = _mm256_unpacklo_epi32(rows[0], rows[1]);
    let high = _mm256_unpackhi_epi32(rows[0], rows[1]);
    let next_low = _mm256_unpacklo_epi32(rows[2], rows[3]);
    let next_high = _mm256_unpackhi_epi32(rows[2], rows[3]);
    [
        _mm256_unpacklo_epi64(low, next_low),
        _mm256_unpackhi_epi64(low, next_low),
        _mm256_unpacklo_epi64(high, next_high),
        _mm256_unpackhi_epi64(high, next_high),
    ]
}

/// Three bytes to four: a pixel a lane.
#[target_feature(enable = "avx2")]
fn spread() -> __m256i {
    lanes_of([
        0x8002_0100_u32.cast_signed(),
        0x8005_0403_u32.cast_signed(),
        0x8008_0706_u32.cast_signed(),
        0x800B_0A09_u32.cast_signed(),
        0x8002_0100_u32.cast_signed(),
        0x8005_0403_u32.cast_signed(),
        0x8008_0706_u32.cast_signed(),
        0x800B_0A09_u32.cast_signed(),
    ])
}

/// Four bytes to three.
#[target_feature(enable = "avx2")]
fn gather() -> __m256i {
    lanes_of([
        0x0402_0100,
        0x0908_0605,
        0x0E0D_0C0A,
        0x8080_8080_u32.cast_signed(),
        0x0402_0100,
        0x0908_0605,
        0x0E0D_0C0A,
        0x8080_8080_u32.cast_signed(),
    ])
}

#[target_feature(enable = "avx2")]
fn lanes_of(l: [i32; ROWS]) -> __m256i {
    _mm256_set_epi32(l[7], l[6], l[5], l[4], l[3], l[2], l[1], l[0])
}

/// Ones in the lanes whose row has begun at this step.
#[target_feature(enable = "avx2")]
fn begun(step: usize) -> __m256i {
    lanes_of(std::array::from_fn(|lane| -i32::from(lane * LAG <= step)))
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8], at: usize) -> Option<__m128i> {
    let bytes = bytes.get(at..)?.first_chunk::<16>()?;
    // SAFETY: sixteen bytes stand there, and they may stand anywhere.
    Some(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

#[target_feature(enable = "avx2")]
fn store(bytes: &mut [u8], at: usize, lanes: __m128i) -> Option<()> {
    let bytes = bytes.get_mut(at..)?.first_chunk_mut::<16>()?;
    // SAFETY: sixteen bytes stand there, and they may stand anywhere.
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), lanes) };
    Some(())
}
