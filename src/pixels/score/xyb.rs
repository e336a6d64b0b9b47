//! Linear light to XYB: what the eye's three receptors make of it, on a scale like that of
//! brightness as it is seen. The matrix, the bias and the shifts are SSIMULACRA2's.

/// What each receptor takes of red, green and blue.
const RECEPTORS: [[f32; 3]; 3] = [
    [0.3, 0.622, 0.078],
    [0.23, 0.692, 0.078],
    [0.243_422_69, 0.204_767_45, 0.551_809_86],
];

/// Added to what they take: an eye sees a little where there is nothing.
const BIAS: f32 = 0.003_793_073_4;

/// The cube root of [`BIAS`], taken off again after the root.
const ROOT_OF_BIAS: f32 = 0.155_954_2;

/// A third of a float's bits, and this, are about the bits of its cube root.
const ROOT_BITS: u32 = 709_921_077;

/// Turns a row of red, green and blue into X, Y and B − Y, shifted so that sRGB has them within 0
/// to 1.
#[inline(always)]
pub(super) fn row(light: &[Vec<f32>; 3], seen: &mut [Vec<f32>; 3]) {
    let [red, green, blue] = light;
    let [x, y, b] = seen;
    let light = red.iter().zip(green).zip(blue);
    let seen = x.iter_mut().zip(y).zip(b);
    for (((red, green), blue), ((x, y), b)) in light.zip(seen) {
        let (long, middle) = (taken(0, *red, *green, *blue), taken(1, *red, *green, *blue));
        let short = taken(2, *red, *green, *blue);
        let sum = 0.5 * (long + middle);
        *x = 0.5 * (long - middle) * 14.0 + 0.42;
        *y = sum + 0.01;
        *b = (short - sum) + 0.55;
    }
}

/// The same of Y alone.
#[inline(always)]
pub(super) fn brightness(light: &[Vec<f32>; 3], y: &mut [f32]) {
    let [red, green, blue] = light;
    for (((red, green), blue), y) in red.iter().zip(green).zip(blue).zip(y) {
        *y = 0.5 * (taken(0, *red, *green, *blue) + taken(1, *red, *green, *blue)) + 0.01;
    }
}

/// What a receptor makes of light.
#[inline(always)]
fn taken(receptor: usize, red: f32, green: f32, blue: f32) -> f32 {
    let [of_red, of_green, of_blue] = RECEPTORS[receptor];
    root(of_red * red + of_green * green + of_blue * blue + BIAS) - ROOT_OF_BIAS
}

/// The cube root of a number above 0, to the last bits: a guess from the exponent, good to 4 %, and
/// two of Halley's steps, each of which triples the right digits.
#[inline(always)]
fn root(number: f32) -> f32 {
    let guess = f32::from_bits(number.to_bits() / 3 + ROOT_BITS);
    closer(closer(guess, number), number)
}

#[inline(always)]
fn closer(root: f32, number: f32) -> f32 {
    let cube = root * root * root;
    root * (cube + 2.0 * number) / (2.0 * cube + number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_roots() {
        for number in [BIAS, 0.01, 0.1, 0.5, 1.0, 1.003_793] {
            assert!((root(number) - number.cbrt()).abs() < 1e-6, "{number}");
        }
        assert!((root(BIAS) - ROOT_OF_BIAS).abs() < 1e-6);
    }

    #[test]
    fn gray_has_no_colour() {
        let light = [0.0, 0.2, 1.0].map(|light| vec![light]);
        for gray in &light {
            let row_of = [gray.clone(), gray.clone(), gray.clone()];
            let mut seen = [vec![0.0], vec![0.0], vec![0.0]];
            row(&row_of, &mut seen);
            assert!((seen[0][0] - 0.42).abs() < 1e-5);
            assert!((seen[2][0] - 0.55).abs() < 1e-5);
        }
    }
}
