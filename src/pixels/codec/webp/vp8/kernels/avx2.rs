//! For x86-64 processors of the last ten years.
#![expect(
    unsafe_code,
    reason = "instructions that not every processor has are asked for first"
)]

mod small;

use std::arch::x86_64::{
    __m128i, __m256i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_loadu_si128, _mm_packus_epi16,
    _mm_shuffle_epi32, _mm_storeu_si128, _mm256_abs_epi16, _mm256_add_epi16, _mm256_add_epi32,
    _mm256_adds_epu16, _mm256_broadcastsi128_si256, _mm256_castsi256_si128, _mm256_cvtepu8_epi16,
    _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_min_epu16,
    _mm256_mulhi_epi16, _mm256_mulhi_epu16, _mm256_mulhrs_epi16, _mm256_or_si256,
    _mm256_permute2x128_si256, _mm256_set1_epi16, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_sign_epi16, _mm256_slli_epi16, _mm256_srai_epi16, _mm256_storeu_si256, _mm256_sub_epi16,
    _mm256_unpackhi_epi16, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi16,
    _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

use super::{Kernels, Numbers, Picked, Rows, Small};
use crate::pixels::codec::webp::vp8::{
    cost::LARGEST,
    lanes::{Four, Lanes},
    predict::Block,
    quantise::{Quantiser, Steps},
    tables::ZIGZAG,
};

/// There is one only where the processor has the instructions.
#[derive(Clone, Copy)]
pub(in super::super) struct Avx2(());

impl Avx2 {
    pub(in super::super) fn new() -> Option<Self> {
        let has_all = std::is_x86_feature_detected!("avx2")
            && std::is_x86_feature_detected!("bmi1")
            && std::is_x86_feature_detected!("bmi2")
            && std::is_x86_feature_detected!("lzcnt")
            && std::is_x86_feature_detected!("popcnt");
        has_all.then_some(Self(()))
    }

    /// Runs what is to be made for such processors as a whole.
    #[inline(always)]
    #[expect(clippy::unused_self, reason = "it is what says that the processor can")]
    pub(in super::super) fn run<T>(self, work: impl FnOnce() -> T) -> T {
        // SAFETY: the processor has the instructions, see `new`.
        unsafe { run(work) }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn run<T>(work: impl FnOnce() -> T) -> T {
    work()
}

impl Kernels for Avx2 {
    #[inline(always)]
    fn activity<const H: usize>(self, source: &Block<H>, guess: &Block<H>) -> u32 {
        // SAFETY: the processor has the instructions, see `new`.
        unsafe { activity(source, guess) }
    }

    #[inline(always)]
    fn forward(self, source: &Rows, guess: &Rows) -> Four<16> {
        // SAFETY: as above.
        unsafe { stored(forward(difference(source, guess))) }
    }

    #[inline(always)]
    fn numbers(self, columns: &Four<16>, quantiser: &Quantiser) -> Numbers {
        // SAFETY: as above.
        unsafe { numbers(columns, quantiser) }
    }

    #[inline(always)]
    fn restore(self, source: &Rows, guess: &Rows, columns: &Four<16>, out: &mut Rows) -> u32 {
        // SAFETY: as above.
        unsafe { restore(source, guess, columns, out) }
    }

    #[inline(always)]
    fn pick(self, small: &Small<'_>) -> Picked {
        // SAFETY: as above.
        unsafe { small::pick(small) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(numbers: &[i16; 16]) -> __m256i {
    // SAFETY: 32 bytes are readable.
    unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_unsigned(numbers: &[u16; 16]) -> __m256i {
    // SAFETY: 32 bytes are readable.
    unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(value: __m256i) -> [i16; 16] {
    let mut numbers = [0; 16];
    // SAFETY: 32 bytes are writable.
    unsafe { _mm256_storeu_si256(numbers.as_mut_ptr().cast(), value) };
    numbers
}

#[inline]
#[target_feature(enable = "avx2")]
fn bytes(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: 16 bytes are readable.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn four(numbers: &[u32; 4]) -> __m128i {
    // SAFETY: 16 bytes are readable.
    unsafe { _mm_loadu_si128(numbers.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_bytes(value: __m128i) -> [u8; 16] {
    let mut bytes = [0; 16];
    // SAFETY: 16 bytes are writable.
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), value) };
    bytes
}

#[inline]
#[target_feature(enable = "avx2")]
fn samples(row: &[u8; 16]) -> __m256i {
    _mm256_cvtepu8_epi16(bytes(row))
}

#[inline]
#[target_feature(enable = "avx2")]
fn stored(columns: [__m256i; 4]) -> Four<16> {
    let [a, b, c, d] = columns;
    [
        Lanes(store(a)),
        Lanes(store(b)),
        Lanes(store(c)),
        Lanes(store(d)),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
fn loaded(columns: &Four<16>) -> [__m256i; 4] {
    let [a, b, c, d] = columns;
    [load(&a.0), load(&b.0), load(&c.0), load(&d.0)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn difference(source: &Rows, guess: &Rows) -> [__m256i; 4] {
    let row = |r: usize| _mm256_sub_epi16(samples(&source[r]), samples(&guess[r]));
    [row(0), row(1), row(2), row(3)]
}

/// Rows to columns and back, in each of four blocks.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let (ab_even, ab_odd) = (_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b));
    let (cd_even, cd_odd) = (_mm256_unpacklo_epi16(c, d), _mm256_unpackhi_epi16(c, d));
    let (even_01, even_23) = (
        _mm256_unpacklo_epi32(ab_even, cd_even),
        _mm256_unpackhi_epi32(ab_even, cd_even),
    );
    let (odd_01, odd_23) = (
        _mm256_unpacklo_epi32(ab_odd, cd_odd),
        _mm256_unpackhi_epi32(ab_odd, cd_odd),
    );
    [
        _mm256_unpacklo_epi64(even_01, odd_01),
        _mm256_unpackhi_epi64(even_01, odd_01),
        _mm256_unpacklo_epi64(even_23, odd_23),
        _mm256_unpackhi_epi64(even_23, odd_23),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
fn forward([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let rows = [
        _mm256_slli_epi16(a, 3),
        _mm256_slli_epi16(b, 3),
        _mm256_slli_epi16(c, 3),
        _mm256_slli_epi16(d, 3),
    ];
    let [a, b, c, d] = forward_pass(transposed(forward_pass(rows)));
    let half = _mm256_set1_epi16(8);
    [
        _mm256_srai_epi16(_mm256_add_epi16(a, half), 4),
        _mm256_srai_epi16(_mm256_add_epi16(b, half), 4),
        _mm256_srai_epi16(_mm256_add_epi16(c, half), 4),
        _mm256_srai_epi16(_mm256_add_epi16(d, half), 4),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
fn forward_pass([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let (outer, inner) = (_mm256_add_epi16(a, d), _mm256_add_epi16(b, c));
    let (wide, narrow) = (_mm256_sub_epi16(a, d), _mm256_sub_epi16(b, c));
    let (more, less) = (_mm256_set1_epi16(10_046), _mm256_set1_epi16(17_734));
    let wide_more = _mm256_add_epi16(wide, _mm256_mulhrs_epi16(wide, more));
    let narrow_more = _mm256_add_epi16(narrow, _mm256_mulhrs_epi16(narrow, more));
    [
        _mm256_add_epi16(outer, inner),
        _mm256_add_epi16(wide_more, _mm256_mulhrs_epi16(narrow, less)),
        _mm256_sub_epi16(outer, inner),
        _mm256_sub_epi16(_mm256_mulhrs_epi16(wide, less), narrow_more),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
fn inverse(columns: [__m256i; 4]) -> [__m256i; 4] {
    let upright = inverse_pass(transposed(columns));
    let [a, b, c, d] = inverse_pass(transposed(upright));
    let half = _mm256_set1_epi16(4);
    transposed([
        _mm256_srai_epi16(_mm256_add_epi16(a, half), 3),
        _mm256_srai_epi16(_mm256_add_epi16(b, half), 3),
        _mm256_srai_epi16(_mm256_add_epi16(c, half), 3),
        _mm256_srai_epi16(_mm256_add_epi16(d, half), 3),
    ])
}

#[inline]
#[target_feature(enable = "avx2")]
fn inverse_pass([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let (sum, difference) = (_mm256_add_epi16(a, c), _mm256_sub_epi16(a, c));
    let (more, less) = (_mm256_set1_epi16(20_091), _mm256_set1_epi16(-30_068));
    let more = |x| _mm256_add_epi16(x, _mm256_mulhi_epi16(x, more));
    let less = |x| _mm256_add_epi16(x, _mm256_mulhi_epi16(x, less));
    let narrow = _mm256_sub_epi16(less(b), more(d));
    let wide = _mm256_add_epi16(more(b), less(d));
    [
        _mm256_add_epi16(sum, wide),
        _mm256_add_epi16(difference, narrow),
        _mm256_sub_epi16(difference, narrow),
        _mm256_sub_epi16(sum, wide),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
fn activity<const H: usize>(source: &Block<H>, guess: &Block<H>) -> u32 {
    let ones = _mm256_set1_epi16(1);
    let mut sum = _mm256_setzero_si256();
    let (source, guess) = (source.as_chunks::<4>().0, guess.as_chunks::<4>().0);
    for (source, guess) in source.iter().zip(guess) {
        let [a, b, c, d] = hadamard(transposed(hadamard(difference(source, guess))));
        let (a, b) = (_mm256_abs_epi16(a), _mm256_abs_epi16(b));
        let (c, d) = (_mm256_abs_epi16(c), _mm256_abs_epi16(d));
        let all = _mm256_add_epi16(_mm256_add_epi16(a, b), _mm256_add_epi16(c, d));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(all, ones));
    }
    total(sum)
}

#[inline]
#[target_feature(enable = "avx2")]
fn hadamard([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let (ab, cd) = (_mm256_add_epi16(a, b), _mm256_add_epi16(c, d));
    let (a_b, c_d) = (_mm256_sub_epi16(a, b), _mm256_sub_epi16(c, d));
    [
        _mm256_add_epi16(ab, cd),
        _mm256_sub_epi16(ab, cd),
        _mm256_add_epi16(a_b, c_d),
        _mm256_sub_epi16(a_b, c_d),
    ]
}

/// The sum of eight numbers.
#[inline]
#[target_feature(enable = "avx2")]
fn total(sum: __m256i) -> u32 {
    total_of_four(_mm_add_epi32(
        _mm256_castsi256_si128(sum),
        _mm256_extracti128_si256(sum, 1),
    ))
}

#[inline]
#[target_feature(enable = "avx2")]
fn total_of_four(sum: __m128i) -> u32 {
    let sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0b01_00_11_10));
    let sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0b10_11_00_01));
    _mm_cvtsi128_si32(sum).cast_unsigned()
}

/// Where a number in the order of coding stands, as bytes of a block's first two columns, and of
/// its last two; for the first eight numbers, and the others.
const ORDER: [[[u8; 16]; 2]; 2] = {
    let mut order = [[[0x80; 16]; 2]; 2];
    let mut number = 0;
    while number < 16 {
        let (row, column) = (ZIGZAG[number] / 4, ZIGZAG[number] % 4);
        let half = &mut order[number / 8][column as usize / 2];
        let at = (column % 2 * 4 + row) * 2;
        half[number % 8 * 2] = at;
        half[number % 8 * 2 + 1] = at + 1;
        number += 1;
    }
    order
};

#[inline]
#[target_feature(enable = "avx2")]
fn numbers(columns: &Four<16>, quantiser: &Quantiser) -> Numbers {
    let [a, b, c, d] = loaded(columns);
    let [first, rest] = &quantiser.columns;
    let (a, b) = (signed(a, first), signed(b, rest));
    let (c, d) = (signed(c, rest), signed(d, rest));
    let left = [_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b)];
    let right = [_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d)];
    let mut in_order = [[0; 16]; 4];
    for (pair, (left, right)) in left.into_iter().zip(right).enumerate() {
        let half = |half: usize| {
            let [of_left, of_right] = &ORDER[half];
            let of_left = _mm256_broadcastsi128_si256(bytes(of_left));
            let of_right = _mm256_broadcastsi128_si256(bytes(of_right));
            _mm256_or_si256(
                _mm256_shuffle_epi8(left, of_left),
                _mm256_shuffle_epi8(right, of_right),
            )
        };
        let (front, back) = (half(0), half(1));
        in_order[pair] = store(_mm256_permute2x128_si256(front, back, 0x20));
        in_order[pair + 2] = store(_mm256_permute2x128_si256(front, back, 0x31));
    }
    Numbers {
        columns: stored([a, b, c, d]),
        in_order,
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn sizes(sizes: __m256i, steps: &Steps) -> __m256i {
    let biased = _mm256_adds_epu16(sizes, load_unsigned(&steps.bias));
    let numbers = _mm256_mulhi_epu16(biased, load_unsigned(&steps.reciprocal));
    _mm256_min_epu16(numbers, _mm256_set1_epi16(LARGEST))
}

#[inline]
#[target_feature(enable = "avx2")]
fn signed(values: __m256i, steps: &Steps) -> __m256i {
    _mm256_sign_epi16(sizes(_mm256_abs_epi16(values), steps), values)
}

#[inline]
#[target_feature(enable = "avx2")]
fn restore(source: &Rows, guess: &Rows, columns: &Four<16>, out: &mut Rows) -> u32 {
    let differences = inverse(loaded(columns));
    let mut sum = _mm256_setzero_si256();
    for r in 0..4 {
        let restored = _mm256_add_epi16(samples(&guess[r]), differences[r]);
        let packed = _mm_packus_epi16(
            _mm256_castsi256_si128(restored),
            _mm256_extracti128_si256(restored, 1),
        );
        out[r] = store_bytes(packed);
        let error = _mm256_sub_epi16(samples(&source[r]), _mm256_cvtepu8_epi16(packed));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(error, error));
    }
    total(sum)
}
