//! Small blocks on AVX2: four guesses at a time, a row of each side by side.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_add_epi16, _mm_add_epi32, _mm_and_si128, _mm_avg_epu8, _mm_blend_epi32,
    _mm_cmpeq_epi8, _mm_cvtsi128_si32, _mm_extract_epi32, _mm_insert_epi8, _mm_min_epu32,
    _mm_movemask_epi8, _mm_mulhi_epi16, _mm_mullo_epi32, _mm_or_si128, _mm_packs_epi16,
    _mm_packus_epi16, _mm_sad_epu8, _mm_set1_epi8, _mm_set1_epi16, _mm_set1_epi32, _mm_setr_epi32,
    _mm_setzero_si128, _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_slli_epi32, _mm_srai_epi16,
    _mm_sub_epi8, _mm_sub_epi16, _mm_unpackhi_epi8, _mm_unpackhi_epi16, _mm_unpackhi_epi64,
    _mm_unpacklo_epi8, _mm_unpacklo_epi16, _mm_unpacklo_epi64, _mm_xor_si128, _mm256_abs_epi16,
    _mm256_add_epi16, _mm256_add_epi32, _mm256_add_epi64, _mm256_broadcastsi128_si256,
    _mm256_castsi256_si128, _mm256_cmpeq_epi8, _mm256_cvtepu8_epi16, _mm256_extracti128_si256,
    _mm256_madd_epi16, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_mullo_epi16,
    _mm256_packus_epi16, _mm256_permutevar8x32_epi32, _mm256_sad_epu8, _mm256_set_m128i,
    _mm256_set1_epi8, _mm256_setr_epi32, _mm256_setr_epi64x, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_shuffle_epi32, _mm256_sub_epi16, _mm256_unpackhi_epi32,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

use super::{
    super::{Picked, Rows, Small},
    ORDER, bytes, forward, four, load_unsigned, signed, sizes, store, store_bytes, total,
};
use crate::pixels::codec::webp::vp8::{
    predict::{ROWS, SMALL_MODES},
    quantise::Steps,
    tables::ZIGZAG,
};

/// Places of a small block's guesses in each half of the pool; 128 for none.
const PLACES: [[[[u8; 16]; 4]; 3]; 2] = {
    let mut places = [[[[0x80; 16]; 4]; 3]; 2];
    let mut at = 0;
    while at < SMALL_MODES * 16 {
        let (mode, r, c) = (at / 16, at / 4 % 4, at % 4);
        let lane = mode % 4 * 4 + c;
        let place = ROWS[mode / 4][r][lane];
        // The slope is no matter of places.
        if mode != 1 {
            places[place as usize / 16][mode / 4][r][lane] = place % 16;
        }
        at += 1;
    }
    places
};

/// The edge with its last sample repeated, and its first one at the very end.
const EDGE: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12, 12, 0];
/// What stands before each of those, and behind.
const BEFORE: [u8; 16] = [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12, 0];
const BEHIND: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12, 12, 12, 0];
/// What the mean is of.
const MEAN: [u8; 16] = [
    255, 255, 255, 255, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0,
];
/// The samples to the left, each for a row.
const LEFT: [u8; 16] = [3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0];

/// Rows of all guesses.
#[inline]
#[target_feature(enable = "avx2")]
fn guesses(edge: &[u8; 16]) -> [[__m128i; 4]; 3] {
    let edge = bytes(edge);
    let middle = _mm_shuffle_epi8(edge, bytes(&EDGE));
    let before = _mm_shuffle_epi8(edge, bytes(&BEFORE));
    let behind = _mm_shuffle_epi8(edge, bytes(&BEHIND));
    // The instruction rounds up; once it must not.
    let odd = _mm_and_si128(_mm_xor_si128(before, behind), _mm_set1_epi8(1));
    let outer = _mm_sub_epi8(_mm_avg_epu8(before, behind), odd);
    let smooth = _mm_avg_epu8(middle, outer);
    let between = _mm_avg_epu8(middle, behind);
    let sums = _mm_sad_epu8(_mm_and_si128(edge, bytes(&MEAN)), _mm_setzero_si128());
    let sum = _mm_cvtsi128_si32(sums) + _mm_extract_epi32(sums, 2);
    let smooth = _mm_insert_epi8(smooth, (sum + 4) >> 3, 13);
    let slope = slope(edge);
    let row = |group: usize, r: usize| {
        _mm_or_si128(
            _mm_shuffle_epi8(smooth, bytes(&PLACES[0][group][r])),
            _mm_shuffle_epi8(between, bytes(&PLACES[1][group][r])),
        )
    };
    let plain = |r: usize| _mm_shuffle_epi8(smooth, bytes(&PLACES[0][0][r]));
    [
        [
            _mm_blend_epi32(plain(0), _mm_shuffle_epi32(slope, 0), 2),
            _mm_blend_epi32(plain(1), _mm_shuffle_epi32(slope, 0b0101_0101), 2),
            _mm_blend_epi32(plain(2), _mm_shuffle_epi32(slope, 0b1010_1010), 2),
            _mm_blend_epi32(plain(3), _mm_shuffle_epi32(slope, 0b1111_1111), 2),
        ],
        [row(1, 0), row(1, 1), row(1, 2), row(1, 3)],
        [row(2, 0), row(2, 1), row(2, 2), row(2, 3)],
    ]
}

/// Rows of the guess that goes on as the edges do.
#[inline]
#[target_feature(enable = "avx2")]
fn slope(edge: __m128i) -> __m128i {
    let above = _mm_shuffle_epi8(edge, _mm_set1_epi32(0x08_07_06_05));
    let left = _mm_shuffle_epi8(edge, bytes(&LEFT));
    let corner = _mm_shuffle_epi8(edge, _mm_set1_epi8(4));
    let step = _mm256_sub_epi16(_mm256_cvtepu8_epi16(left), _mm256_cvtepu8_epi16(corner));
    let sum = _mm256_add_epi16(_mm256_cvtepu8_epi16(above), step);
    _mm_packus_epi16(
        _mm256_castsi256_si128(sum),
        _mm256_extracti128_si256(sum, 1),
    )
}

/// Where a size in the order of coding stands, where the columns 0, 2, 1, 3 of a block follow each
/// other.
const SIZE_ORDER: [u8; 16] = {
    let mut order = [0; 16];
    let mut number = 0;
    while number < 16 {
        let (row, column) = (ZIGZAG[number] / 4, ZIGZAG[number] % 4);
        order[number] = [0, 8, 4, 12][column as usize] + row;
        number += 1;
    }
    order
};

/// Numbers of the guesses; the last two are none.
const NUMBERS: [[u32; 4]; 3] = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, u32::MAX, u32::MAX]];

/// Scores of four guesses, their numbers in the four lowest bits.
#[inline]
#[target_feature(enable = "avx2")]
fn scores(small: &Small<'_>, [a, b, c, d]: [__m256i; 4], group: usize) -> __m128i {
    let [first, rest] = &small.quantiser.columns;
    let mut squares = _mm256_setzero_si256();
    let mut size = |column, steps: &Steps| {
        let column = _mm256_abs_epi16(column);
        let numbers = sizes(column, steps);
        let coded = _mm256_mullo_epi16(numbers, load_unsigned(&steps.step));
        let error = _mm256_sub_epi16(column, coded);
        squares = _mm256_add_epi32(squares, _mm256_madd_epi16(error, error));
        numbers
    };
    let (a, b) = (size(a, first), size(b, rest));
    let (c, d) = (size(c, rest), size(d, rest));
    // Each block's columns together, in bytes.
    let (ab, cd) = (_mm256_packus_epi16(a, b), _mm256_packus_epi16(c, d));
    let (ac, bd) = (_mm256_unpacklo_epi32(ab, cd), _mm256_unpackhi_epi32(ab, cd));
    let order = _mm256_broadcastsi128_si256(bytes(&SIZE_ORDER));
    let fifteen = _mm256_set1_epi8(15);
    let even = _mm256_shuffle_epi8(_mm256_unpacklo_epi64(ac, bd), order);
    let odd = _mm256_shuffle_epi8(_mm256_unpackhi_epi64(ac, bd), order);
    let values = _mm256_broadcastsi128_si256(bytes(&small.model.values));
    let none = _mm256_setzero_si256();
    let cost = |sizes| {
        let values = _mm256_shuffle_epi8(values, _mm256_min_epu8(sizes, fifteen));
        _mm256_sad_epu8(values, none)
    };
    // Two sums a block, of blocks 0 and 2, and of 1 and 3: now two of each in the order 0 1 2 3.
    let (even_cost, odd_cost) = (cost(even), cost(odd));
    let cost = _mm256_add_epi64(
        _mm256_unpacklo_epi64(even_cost, odd_cost),
        _mm256_unpackhi_epi64(even_cost, odd_cost),
    );
    let narrow = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    let cost = _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(cost, narrow));
    let end = |zeros: u32, block: u32| {
        let some = !(zeros >> block) & 0xFFFF;
        i32::from(small.model.ends[(32 - some.leading_zeros()) as usize])
    };
    let even_zeros = _mm256_movemask_epi8(_mm256_cmpeq_epi8(even, none)).cast_unsigned();
    let odd_zeros = _mm256_movemask_epi8(_mm256_cmpeq_epi8(odd, none)).cast_unsigned();
    let ends = _mm_setr_epi32(
        end(even_zeros, 0),
        end(odd_zeros, 0),
        end(even_zeros, 16),
        end(odd_zeros, 16),
    );
    let eighths = _mm_add_epi32(cost, ends);
    let modes = four(&small.costs[group]);
    let bits = _mm_add_epi32(_mm_slli_epi32(eighths, 5), modes);
    let pairs = _mm256_add_epi32(squares, _mm256_shuffle_epi32(squares, 0b10_11_00_01));
    let squares = _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(pairs, narrow));
    let weight = _mm_set1_epi32(small.weight.cast_signed());
    let score = _mm_add_epi32(_mm_slli_epi32(squares, 6), _mm_mullo_epi32(bits, weight));
    _mm_or_si128(_mm_slli_epi32(score, 4), four(&NUMBERS[group]))
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn pick(small: &Small<'_>) -> Picked {
    let guesses = guesses(&small.edge);
    let pixels = small.pixels.map(u32::from_le_bytes);
    let source = pixels.map(|row| _mm256_cvtepu8_epi16(_mm_set1_epi32(row.cast_signed())));
    let mut all = [[[0_i16; 16]; 4]; 3];
    let mut best = _mm_set1_epi32(-1);
    let mut rows = [[[0_u8; 16]; 4]; 3];
    for group in 0..3 {
        let mut rest = source;
        for r in 0..4 {
            let guess = guesses[group][r];
            rows[group][r] = store_bytes(guess);
            rest[r] = _mm256_sub_epi16(rest[r], _mm256_cvtepu8_epi16(guess));
        }
        let columns = forward(rest);
        for c in 0..4 {
            all[group][c] = store(columns[c]);
        }
        best = _mm_min_epu32(best, scores(small, columns, group));
    }
    let best = _mm_min_epu32(best, _mm_shuffle_epi32(best, 0b01_00_11_10));
    let best = _mm_min_epu32(best, _mm_shuffle_epi32(best, 0b10_11_00_01));
    let mode = (_mm_cvtsi128_si32(best) & 15) as usize % SMALL_MODES;
    let (group, block) = (mode / 4, mode % 4);
    finish(small, mode, &all[group], &rows[group], block)
}

/// What comes of the guess that was picked.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn finish(
    small: &Small<'_>,
    mode: usize,
    columns: &[[i16; 16]; 4],
    rows: &Rows,
    block: usize,
) -> Picked {
    let column = |c: usize| {
        let [a, b, c, d] = [0, 1, 2, 3].map(|r| columns[c][block * 4 + r].cast_unsigned());
        (u64::from(a) | u64::from(b) << 16 | u64::from(c) << 32 | u64::from(d) << 48).cast_signed()
    };
    let values = _mm256_setr_epi64x(column(0), column(1), column(2), column(3));
    let steps = &small.quantiser.block;
    let numbers = signed(values, steps);
    let (left, right) = (
        _mm256_castsi256_si128(numbers),
        _mm256_extracti128_si256(numbers, 1),
    );
    let half = |half: usize| {
        _mm_or_si128(
            _mm_shuffle_epi8(left, bytes(&ORDER[half][0])),
            _mm_shuffle_epi8(right, bytes(&ORDER[half][1])),
        )
    };
    let (front, back) = (half(0), half(1));
    let zeros = _mm_cmpeq_epi8(_mm_packs_epi16(front, back), _mm_setzero_si128());
    let some = !_mm_movemask_epi8(zeros).cast_unsigned() & 0xFFFF;
    let coded = _mm256_mullo_epi16(numbers, load_unsigned(&steps.step));
    let (left, right) = (
        _mm256_castsi256_si128(coded),
        _mm256_extracti128_si256(coded, 1),
    );
    let [top, bottom] = inverse_of_one([left, right]);
    let dword = |row: &[u8; 16]| {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| row[block * 4 + i]);
        i32::from_le_bytes([a, b, c, d])
    };
    let guess = _mm_setr_epi32(
        dword(&rows[0]),
        dword(&rows[1]),
        dword(&rows[2]),
        dword(&rows[3]),
    );
    let none = _mm_setzero_si128();
    let top = _mm_add_epi16(_mm_unpacklo_epi8(guess, none), top);
    let bottom = _mm_add_epi16(_mm_unpackhi_epi8(guess, none), bottom);
    let restored = _mm_packus_epi16(top, bottom);
    let [a, b, c, d] = small.pixels.map(i32::from_le_bytes);
    let source = _mm256_cvtepu8_epi16(_mm_setr_epi32(a, b, c, d));
    let error = _mm256_sub_epi16(source, _mm256_cvtepu8_epi16(restored));
    let pixels = store_bytes(restored);
    Picked {
        mode: mode as u8,
        end: (32 - some.leading_zeros()) as u8,
        numbers: store(_mm256_set_m128i(back, front)),
        pixels: [0, 1, 2, 3].map(|r| [0, 1, 2, 3].map(|c| pixels[r * 4 + c])),
        errors: total(_mm256_madd_epi16(error, error)),
    }
}

/// Two columns, and two more, to rows.
#[inline]
#[target_feature(enable = "avx2")]
fn inverse_of_one(columns: [__m128i; 2]) -> [__m128i; 2] {
    let across = inverse_pass_of_one(transposed_of_one(columns));
    let [a, b] = inverse_pass_of_one(transposed_of_one(across));
    let half = _mm_set1_epi16(4);
    transposed_of_one([
        _mm_srai_epi16(_mm_add_epi16(a, half), 3),
        _mm_srai_epi16(_mm_add_epi16(b, half), 3),
    ])
}

#[inline]
#[target_feature(enable = "avx2")]
fn transposed_of_one([a, b]: [__m128i; 2]) -> [__m128i; 2] {
    let (even, odd) = (_mm_unpacklo_epi16(a, b), _mm_unpackhi_epi16(a, b));
    [_mm_unpacklo_epi16(even, odd), _mm_unpackhi_epi16(even, odd)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn inverse_pass_of_one([ab, cd]: [__m128i; 2]) -> [__m128i; 2] {
    let (more, less) = (_mm_set1_epi16(20_091), _mm_set1_epi16(-30_068));
    let more = |x| _mm_add_epi16(x, _mm_mulhi_epi16(x, more));
    let less = |x| _mm_add_epi16(x, _mm_mulhi_epi16(x, less));
    let sums = _mm_unpacklo_epi64(_mm_add_epi16(ab, cd), _mm_sub_epi16(ab, cd));
    let narrow = _mm_sub_epi16(less(ab), more(cd));
    let wide = _mm_add_epi16(more(ab), less(cd));
    let turns = _mm_unpackhi_epi64(wide, narrow);
    let last = _mm_sub_epi16(sums, turns);
    [
        _mm_add_epi16(sums, turns),
        _mm_shuffle_epi32(last, 0b01_00_11_10),
    ]
}
