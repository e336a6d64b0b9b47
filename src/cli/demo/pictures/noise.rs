//! Value noise: random numbers on a grid, joined smoothly. The same on every machine.

/// A number from 0 to 1 that is random to the eye, for whole coordinates.
pub(super) fn speck(x: i32, y: i32, seed: u32) -> f32 {
    let mut mixed = x.cast_unsigned().wrapping_mul(0x9E37_79B1)
        ^ y.cast_unsigned().wrapping_mul(0x85EB_CA77)
        ^ seed.wrapping_mul(0xC2B2_AE3D);
    mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D);
    mixed = (mixed ^ (mixed >> 12)).wrapping_mul(0x297A_2D39);
    mixed ^= mixed >> 15;
    super::canvas::float(mixed >> 8) / 16_777_215.0
}

/// From 0 to 1, smooth over a distance of 1.
pub(super) fn value(x: f32, y: f32, seed: u32) -> f32 {
    let (column, row) = (whole(x), whole(y));
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (right, down) = (ease(x - x.floor()), ease(y - y.floor()));
    let corner = |dx, dy| speck(column.wrapping_add(dx), row.wrapping_add(dy), seed);
    let top = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * right;
    let bottom = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * right;
    top + (bottom - top) * down
}

/// From 0 to 1: noise on noise, each octave twice as fine and half as strong.
pub(super) fn fractal(mut x: f32, mut y: f32, octaves: u32, seed: u32) -> f32 {
    let (mut sum, mut strength, mut whole) = (0.0, 1.0, 0.0);
    for octave in 0..octaves {
        sum += value(x, y, seed.wrapping_add(octave)) * strength;
        whole += strength;
        strength *= 0.5;
        (x, y) = (x * 2.0, y * 2.0);
    }
    sum / whole
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the part before the point is what is meant"
)]
fn whole(value: f32) -> i32 {
    value.floor() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_stays_between_0_and_1_and_is_smooth() {
        let mut last = fractal(0.0, 0.3, 5, 7);
        for index in 1..2000_u16 {
            let here = fractal(f32::from(index) / 1000.0, 0.3, 5, 7);
            assert!((0.0..=1.0).contains(&here));
            assert!((here - last).abs() < 0.05);
            last = here;
        }
    }
}
