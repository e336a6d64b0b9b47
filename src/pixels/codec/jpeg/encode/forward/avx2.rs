//! What the compiler does not find by itself, for x86-64 processors of the last ten years.
#![expect(
    unsafe_code,
    reason = "instructions that not every processor has are asked for first"
)]

use std::arch::x86_64::{
    _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_packs_epi16, _mm_setzero_si128,
    _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_shuffle_ps, _mm256_storeu_ps,
    _mm256_unpackhi_ps, _mm256_unpacklo_ps,
};

use super::{BLOCKS, Eight, SIDE};

/// There is one only where the processor has the instructions.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn new() -> Option<Self> {
        std::is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// Makes columns of the rows of each block.
    #[expect(clippy::unused_self, reason = "it is what says that the processor can")]
    pub(super) fn turn(self, from: &Eight<f32>, to: &mut Eight<f32>) {
        // SAFETY: the processor has the instructions, see `new`.
        unsafe { turn(from, to) }
    }

    /// Of each block and each row of it, a bit for each number that is not zero.
    #[expect(clippy::unused_self, reason = "it is what says that the processor can")]
    pub(super) fn present(self, values: &Eight<i16>) -> [[u8; SIDE]; BLOCKS] {
        // SAFETY: the processor has the instructions, see `new`.
        unsafe { present(values) }
    }
}

#[target_feature(enable = "avx2")]
fn turn(from: &Eight<f32>, to: &mut Eight<f32>) {
    for block in 0..BLOCKS {
        // SAFETY: each row of a block has eight numbers, which are 32 bytes.
        let row =
            |y: usize| unsafe { _mm256_loadu_ps(from[y].as_chunks::<SIDE>().0[block].as_ptr()) };
        // Rows by twos, then by fours, then halves of eight.
        let pairs = [0, 2, 4, 6].map(|y| (row(y), row(y + 1)));
        let twos = pairs.map(|(a, b)| (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b)));
        let four = |upper: usize| {
            let ((a, b), (c, d)) = (twos[upper], twos[upper + 1]);
            [
                _mm256_shuffle_ps::<0x44>(a, c),
                _mm256_shuffle_ps::<0xEE>(a, c),
                _mm256_shuffle_ps::<0x44>(b, d),
                _mm256_shuffle_ps::<0xEE>(b, d),
            ]
        };
        for (x, (above, below)) in four(0).into_iter().zip(four(2)).enumerate() {
            let columns = [
                (x, _mm256_permute2f128_ps::<0x20>(above, below)),
                (x + 4, _mm256_permute2f128_ps::<0x31>(above, below)),
            ];
            for (x, column) in columns {
                let place = &mut to[x].as_chunks_mut::<SIDE>().0[block];
                // SAFETY: the place has room for eight numbers, which are 32 bytes.
                unsafe { _mm256_storeu_ps(place.as_mut_ptr(), column) };
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn present(values: &Eight<i16>) -> [[u8; SIDE]; BLOCKS] {
    std::array::from_fn(|block| {
        // SAFETY: each row of a block has eight numbers, which are 16 bytes.
        let row = |x: usize| unsafe {
            _mm_loadu_si128(values[x].as_chunks::<SIDE>().0[block].as_ptr().cast())
        };
        let mut present = [0; SIDE];
        for (two, present) in present.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            let both = _mm_packs_epi16(row(2 * two), row(2 * two + 1));
            let zero = _mm_movemask_epi8(_mm_cmpeq_epi8(both, _mm_setzero_si128()));
            let [first, second, ..] = (!zero).to_le_bytes();
            *present = [first, second];
        }
        present
    })
}
