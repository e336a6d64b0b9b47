//! Sixteen numbers side by side, and the transforms of four blocks of 4×4 at a time. Written so that
//! compilers make one instruction of each step, whatever the processor's are called.
//!
//! A row of four blocks is sixteen numbers; a column of them, four numbers of each block.

/// Numbers that the same is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(16))]
pub(super) struct Lanes<const N: usize>(pub(super) [i16; N]);

/// Rows or columns of blocks.
pub(super) type Four<const N: usize> = [Lanes<N>; 4];

impl<const N: usize> Lanes<N> {
    pub(super) const ZERO: Self = Self([0; N]);

    #[inline(always)]
    pub(super) fn zip(self, other: Self, f: impl Fn(i16, i16) -> i16) -> Self {
        let mut out = self;
        for (a, b) in out.0.iter_mut().zip(other.0) {
            *a = f(*a, b);
        }
        out
    }

    #[inline(always)]
    pub(super) fn map(self, f: impl Fn(i16) -> i16) -> Self {
        let mut out = self;
        for a in &mut out.0 {
            *a = f(*a);
        }
        out
    }

    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        self.zip(other, i16::wrapping_add)
    }

    #[inline(always)]
    pub(super) fn minus(self, other: Self) -> Self {
        self.zip(other, i16::wrapping_sub)
    }

    /// Times a number of 32768ths, rounded.
    #[inline(always)]
    fn times(self, factor: i16) -> Self {
        self.map(|a| ((((i32::from(a) * i32::from(factor)) >> 14) + 1) >> 1) as i16)
    }

    /// Times a number of 65536ths, rounded down.
    #[inline(always)]
    fn part(self, factor: i16) -> Self {
        self.map(|a| ((i32::from(a) * i32::from(factor)) >> 16) as i16)
    }

    /// Sum of squares.
    #[inline(always)]
    pub(super) fn squares(self) -> u32 {
        let squares = self.0.iter().map(|a| i32::from(*a) * i32::from(*a));
        squares.sum::<i32>() as u32
    }
}

impl Lanes<16> {
    /// Sixteen samples.
    #[inline(always)]
    pub(super) fn samples(samples: &[u8; 16]) -> Self {
        Self(samples.map(i16::from))
    }

    /// As samples: what does not fit is the nearest that does.
    #[inline(always)]
    pub(super) fn clamped(self) -> [u8; 16] {
        self.0.map(|a| a.clamp(0, 255) as u8)
    }
}

/// Rows to columns and back, in each block.
#[inline(always)]
pub(super) fn transposed<const N: usize>(rows: Four<N>) -> Four<N> {
    let mut columns = [Lanes::ZERO; 4];
    for (c, column) in columns.iter_mut().enumerate() {
        for block in 0..N / 4 {
            for (r, row) in rows.iter().enumerate() {
                column.0[block * 4 + r] = row.0[block * 4 + c];
            }
        }
    }
    columns
}

/// Rows of differences (within ±255) to columns of coefficients: twice what an orthonormal
/// transform makes, as the format wants.
#[inline(always)]
pub(super) fn forward<const N: usize>(rows: Four<N>) -> Four<N> {
    // Three bits more on the way, so that little is lost in between; four of the sum's after it.
    let rows = rows.map(|row| row.map(|a| a << 3));
    let columns = transposed(forward_pass(rows));
    forward_pass(columns).map(|column| column.map(|a| a.wrapping_add(8) >> 4))
}

#[inline(always)]
fn forward_pass<const N: usize>([a, b, c, d]: Four<N>) -> Four<N> {
    let (outer, inner) = (a.plus(d), b.plus(c));
    let (wide, narrow) = (a.minus(d), b.minus(c));
    // √2·cos(π/8) and √2·sin(π/8); the first is more than one.
    let more = |x: Lanes<N>| x.plus(x.times(10_046));
    let less = |x: Lanes<N>| x.times(17_734);
    [
        outer.plus(inner),
        more(wide).plus(less(narrow)),
        outer.minus(inner),
        less(wide).minus(more(narrow)),
    ]
}

/// Columns of coefficients to rows of differences, to the bit as the specification says (14.3).
#[inline(always)]
pub(super) fn inverse<const N: usize>(columns: Four<N>) -> Four<N> {
    let upright = inverse_pass(transposed(columns));
    let across = inverse_pass(transposed(upright));
    transposed(across.map(|column| column.map(|a| a.wrapping_add(4) >> 3)))
}

#[inline(always)]
fn inverse_pass<const N: usize>([a, b, c, d]: Four<N>) -> Four<N> {
    let (sum, difference) = (a.plus(c), a.minus(c));
    let more = |x: Lanes<N>| x.plus(x.part(20_091));
    // 35468 is a negative number in 16 bits: 65536 less.
    let less = |x: Lanes<N>| x.plus(x.part(-30_068));
    let narrow = less(b).minus(more(d));
    let wide = more(b).plus(less(d));
    [
        sum.plus(wide),
        difference.plus(narrow),
        difference.minus(narrow),
        sum.minus(wide),
    ]
}

/// Sum of the sizes of a Hadamard transform of the rows: about what a difference costs.
#[inline(always)]
pub(super) fn activity<const N: usize>(rows: Four<N>) -> u32 {
    let columns = hadamard(transposed(hadamard(rows)));
    let mut sums = [0_u16; N];
    for column in columns {
        for (sum, a) in sums.iter_mut().zip(column.0) {
            *sum += a.unsigned_abs();
        }
    }
    sums.iter().map(|sum| u32::from(*sum)).sum()
}

#[inline(always)]
fn hadamard<const N: usize>([a, b, c, d]: Four<N>) -> Four<N> {
    let (ab, cd) = (a.plus(b), c.plus(d));
    let (a_b, c_d) = (a.minus(b), c.minus(d));
    [ab.plus(cd), ab.minus(cd), a_b.plus(c_d), a_b.minus(c_d)]
}

/// The means of sixteen blocks, row by row, to coefficients.
#[inline(always)]
pub(super) fn forward_means(means: &[i16; 16]) -> [i16; 16] {
    let b = down(means);
    let mut out = [0; 16];
    for (out, b) in out.chunks_exact_mut(4).zip(b.chunks_exact(4)) {
        let sums = butterfly([b[0], b[1], b[2], b[3]]);
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = ((sum + i32::from(sum > 0)) >> 1) as i16;
        }
    }
    out
}

/// Back, to the bit as the specification says (14.3).
#[inline(always)]
pub(super) fn inverse_means(coefficients: &[i16; 16]) -> [i16; 16] {
    let b = down(coefficients);
    let mut out = [0; 16];
    for (out, b) in out.chunks_exact_mut(4).zip(b.chunks_exact(4)) {
        let sums = butterfly([b[0], b[1], b[2], b[3]]);
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = ((sum + 3) >> 3) as i16;
        }
    }
    out
}

/// The first half of both, column by column.
#[inline(always)]
fn down(rows: &[i16; 16]) -> [i32; 16] {
    let a = rows.map(i32::from);
    let mut b = [0; 16];
    for i in 0..4 {
        let [w, x, y, z] = butterfly([a[i], a[4 + i], a[8 + i], a[12 + i]]);
        (b[i], b[4 + i], b[8 + i], b[12 + i]) = (w, x, y, z);
    }
    b
}

#[inline(always)]
fn butterfly([a, b, c, d]: [i32; 4]) -> [i32; 4] {
    let (ad, bc) = (a + d, b + c);
    let (a_d, b_c) = (a - d, b - c);
    [ad + bc, a_d + b_c, ad - bc, a_d - b_c]
}
