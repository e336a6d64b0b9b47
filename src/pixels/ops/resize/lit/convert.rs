//! Between planes of luma and colour differences and linear light, a row at a time: made twice of
//! the same code, for any processor and for those of the last ten years.
#![expect(
    clippy::inline_always,
    reason = "what runs at each sample has to be part of the code that is made for the processor"
)]
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "instructions that not every processor has are asked for first"
    )
)]

use crate::pixels::{colour::curve::srgb_to_light, planes::Range};

/// White, as light. A filter may go beyond it, up to twice.
pub(super) const WHITE: i16 = 1 << 14;

/// Steps of a code on its way into light: quarters, for the sum of three codes is finer than they.
const INTO: i32 = 4;

/// Steps of a code on its way back.
const BACK: i32 = 16;

/// Bits behind the point of a factor.
const POINT: u32 = 14;

/// Pixels at a time: what stays in the nearest memory between two steps.
const CHUNK: usize = 64;

/// Bytes of [`Tables`].
pub(super) const TABLE_BYTES: u64 = (LIGHTS * 2 + CODES * 2) as u64;

const LIGHTS: usize = 1 << 10;
const CODES: usize = 1 << 15;

/// Light of sRGB's codes, and back.
#[derive(Debug)]
pub(super) struct Tables {
    /// Of quarters of codes.
    light: Box<[i16; LIGHTS]>,
    /// Sixteenths of codes, of each light and what lies beyond.
    code: Vec<i16>,
}

impl Tables {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "light from 0 to white"
    )]
    pub(super) fn new() -> Self {
        let white = f64::from(WHITE);
        let mut light = Box::new([WHITE; LIGHTS]);
        for (quarters, light) in (0..=255 * INTO).zip(light.iter_mut()) {
            *light =
                (srgb_to_light(f64::from(quarters) / f64::from(255 * INTO)) * white).round() as i16;
        }
        // A code holds from half-way to its lower neighbour on, half-way as coded.
        let most = 255 * BACK;
        let mut code = vec![most as i16; CODES];
        let mut from = 0;
        for step in 0..most {
            let border = (f64::from(step) + 0.5) / f64::from(most);
            let end = (srgb_to_light(border) * white).ceil() as usize;
            if let Some(own) = code.get_mut(from..end) {
                own.fill(step as i16);
                from = end;
            }
        }
        Self { light, code }
    }
}

/// Three sums of three numbers, and what each begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix {
    rows: [[i32; 3]; 3],
    begin: [i32; 3],
}

/// Shares of red and blue in luma (ITU-R BT.601); green has the rest.
const RED: f64 = 0.299;
const BLUE: f64 = 0.114;

impl Matrix {
    /// From codes to quarters of codes.
    pub(super) fn to_rgb(range: Range) -> Self {
        let (luma, colour, black) = spans(range);
        let green = 1.0 - RED - BLUE;
        let (to_red, to_blue) = (2.0 * (1.0 - RED), 2.0 * (1.0 - BLUE));
        let rows = [
            [1.0, 0.0, to_red],
            [1.0, -to_blue * BLUE / green, -to_red * RED / green],
            [1.0, to_blue, 0.0],
        ];
        let one = f64::from(INTO) * f64::from(1 << POINT);
        let rows = rows.map(|[y, cb, cr]| [y * one / luma, cb * one / colour, cr * one / colour]);
        let begin =
            rows.map(|[y, cb, cr]| 0.5 * f64::from(1 << POINT) - y * black - 128.0 * (cb + cr));
        Self {
            rows: rows.map(|row| row.map(rounded)),
            begin: begin.map(rounded),
        }
    }

    /// From sixteenths of codes to codes.
    pub(super) fn from_rgb(range: Range) -> Self {
        let (luma, colour, black) = spans(range);
        let green = 1.0 - RED - BLUE;
        let difference = |from: usize, own: f64| {
            let mut row = [RED, green, BLUE].map(|share| -share);
            row[from] += 1.0;
            row.map(|share| share / (2.0 * (1.0 - own)))
        };
        let rows = [[RED, green, BLUE], difference(2, BLUE), difference(0, RED)];
        let factors = [luma, colour, colour];
        let one = f64::from(1 << POINT);
        let mut scaled = [[0; 3]; 3];
        for ((scaled, row), factor) in scaled.iter_mut().zip(rows).zip(factors) {
            *scaled = row.map(|share| rounded(share * factor * one));
        }
        let begin = [black, 128.0, 128.0].map(|zero| (zero + 0.5) * f64::from(BACK) * one);
        Self {
            rows: scaled,
            begin: begin.map(rounded),
        }
    }

    #[inline(always)]
    fn sum(&self, row: usize, numbers: [i32; 3]) -> i32 {
        let [a, b, c] = self.rows[row];
        self.begin[row] + a * numbers[0] + b * numbers[1] + c * numbers[2]
    }
}

/// Parts of 255 that luma and colour span, and the code of black.
fn spans(range: Range) -> (f64, f64, f64) {
    match range {
        Range::Full => (1.0, 1.0, 0.0),
        Range::Limited => (219.0 / 255.0, 224.0 / 255.0, 16.0),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "below 2²⁶, and `as` clamps"
)]
fn rounded(number: f64) -> i32 {
    number.round() as i32
}

/// Luma and colour differences, as many of each, to red, green and blue light.
pub(super) fn to_light(
    coded: [&[u8]; 3],
    light: [&mut [i16]; 3],
    matrix: &Matrix,
    tables: &Tables,
) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has just said that it knows the instructions.
        return unsafe { to_light_avx2(coded, light, matrix, tables) };
    }
    to_light_anywhere(coded, light, matrix, tables);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn to_light_avx2(coded: [&[u8]; 3], light: [&mut [i16]; 3], matrix: &Matrix, tables: &Tables) {
    to_light_anywhere(coded, light, matrix, tables);
}

#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "clamped to a code")]
fn to_light_anywhere(
    [luma, blue, red]: [&[u8]; 3],
    light: [&mut [i16]; 3],
    matrix: &Matrix,
    tables: &Tables,
) {
    let [one, two, three] = light;
    let coded = luma
        .chunks(CHUNK)
        .zip(blue.chunks(CHUNK))
        .zip(red.chunks(CHUNK));
    let light = one
        .chunks_mut(CHUNK)
        .zip(two.chunks_mut(CHUNK))
        .zip(three.chunks_mut(CHUNK));
    for (((luma, blue), red), ((one, two), three)) in coded.zip(light) {
        for (row, light) in [one, two, three].into_iter().enumerate() {
            let mut places = [0_u16; CHUNK];
            let samples = luma.iter().zip(blue).zip(red);
            for (place, ((luma, blue), red)) in places.iter_mut().zip(samples) {
                let sum = matrix.sum(row, [*luma, *blue, *red].map(i32::from)) >> POINT;
                *place = sum.clamp(0, 255 * INTO) as u16;
            }
            for (light, place) in light.iter_mut().zip(&places) {
                *light = tables.light[usize::from(*place) % LIGHTS];
            }
        }
    }
}

/// Red, green and blue light to luma and colour differences, as many of each.
pub(super) fn from_light(
    light: [&[i16]; 3],
    coded: [&mut [u8]; 3],
    matrix: &Matrix,
    tables: &Tables,
) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has just said that it knows the instructions.
        return unsafe { from_light_avx2(light, coded, matrix, tables) };
    }
    from_light_anywhere(light, coded, matrix, tables);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn from_light_avx2(light: [&[i16]; 3], coded: [&mut [u8]; 3], matrix: &Matrix, tables: &Tables) {
    from_light_anywhere(light, coded, matrix, tables);
}

#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "clamped before")]
fn from_light_anywhere(
    light: [&[i16]; 3],
    coded: [&mut [u8]; 3],
    matrix: &Matrix,
    tables: &Tables,
) {
    let Some(table) = tables.code.first_chunk::<CODES>() else {
        return;
    };
    let [red, green, blue] = light;
    let [one, two, three] = coded;
    let light = red
        .chunks(CHUNK)
        .zip(green.chunks(CHUNK))
        .zip(blue.chunks(CHUNK));
    let coded = one
        .chunks_mut(CHUNK)
        .zip(two.chunks_mut(CHUNK))
        .zip(three.chunks_mut(CHUNK));
    for (((red, green), blue), ((one, two), three)) in light.zip(coded) {
        let mut numbers = [[0_i16; CHUNK]; 3];
        for (numbers, light) in numbers.iter_mut().zip([red, green, blue]) {
            for (number, light) in numbers.iter_mut().zip(light) {
                *number = table[light.max(&0).cast_unsigned() as usize % CODES];
            }
        }
        let [red, green, blue] = &numbers;
        for (row, coded) in [one, two, three].into_iter().enumerate() {
            let pixels = red.iter().zip(green).zip(blue);
            for (coded, ((red, green), blue)) in coded.iter_mut().zip(pixels) {
                let sum = matrix.sum(row, [*red, *green, *blue].map(i32::from));
                *coded = (sum >> (POINT + BACK.ilog2())).clamp(0, 255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: Range, to: Range, coded: [u8; 3], expected: [u8; 3]) {
        let tables = Tables::new();
        let mut light = [[0; 1]; 3];
        let mut found = [[0; 1]; 3];
        let [one, two, three] = &mut light;
        let one_each = coded.each_ref().map(std::slice::from_ref);
        to_light(one_each, [one, two, three], &Matrix::to_rgb(from), &tables);
        let [one, two, three] = &mut found;
        let back = Matrix::from_rgb(to);
        from_light(
            light.each_ref().map(<[i16; 1]>::as_slice),
            [one, two, three],
            &back,
            &tables,
        );
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                found[0].abs_diff(expected) <= 1,
                "{coded:?} became {found:?}, not {expected}"
            );
        }
    }

    #[test]
    fn colours_survive_the_way_to_light_and_back() {
        for luma in (0..=255).step_by(5) {
            check(Range::Full, Range::Full, [luma, 128, 128], [luma, 128, 128]);
        }
        for [luma, blue, red] in [
            [76, 85, 200],
            [150, 100, 90],
            [60, 150, 120],
            [200, 120, 140],
        ] {
            check(
                Range::Full,
                Range::Full,
                [luma, blue, red],
                [luma, blue, red],
            );
        }
        check(Range::Full, Range::Limited, [0, 128, 128], [16, 128, 128]);
        check(
            Range::Full,
            Range::Limited,
            [255, 128, 128],
            [235, 128, 128],
        );
        check(
            Range::Limited,
            Range::Full,
            [235, 128, 128],
            [255, 128, 128],
        );
        check(Range::Limited, Range::Full, [16, 128, 128], [0, 128, 128]);
        check(
            Range::Limited,
            Range::Limited,
            [126, 110, 150],
            [126, 110, 150],
        );
        // Colours that there are not become the nearest that there are.
        check(Range::Full, Range::Full, [255, 0, 255], [202, 30, 166]);
    }

    #[test]
    fn light_is_that_of_the_curve() {
        let tables = Tables::new();
        for code in 0..=255_u8 {
            let exact = srgb_to_light(f64::from(code) / 255.0) * f64::from(WHITE);
            let light = tables.light[usize::from(code) * 4];
            assert!((f64::from(light) - exact).abs() <= 0.5, "{code}");
            let back = tables.code[usize::from(light.unsigned_abs())];
            // Where light is coarse, a sixth of a code.
            assert!(
                (i32::from(back) - i32::from(code) * BACK).abs() <= 2,
                "{code} came back as {back}"
            );
        }
        assert_eq!(tables.code[CODES - 1], 255 * 16);
    }
}
