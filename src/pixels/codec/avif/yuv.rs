//! Luma and colour differences to RGB and gray, by the code points of ITU-T H.273.
//! Knows nothing of AV1 or of files.

use super::properties::Nclx;
use crate::pixels::codec::Error;

/// How a row of luma and colour differences becomes a row of RGB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Conversion {
    matrix: Matrix,
    luma: Scale,
    chroma: Scale,
    /// The largest sample that comes out.
    white: f32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Matrix {
    /// Planes are G, B, R.
    Identity,
    YCgCo,
    /// Shares of red and blue in luma.
    Shares(f32, f32),
}

/// `(sample - zero) * factor`: to 0…1 for luma, to -½…½ for colour differences.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scale {
    zero: f32,
    factor: f32,
}

impl Scale {
    fn apply(self, sample: u16) -> f32 {
        (f32::from(sample) - self.zero) * self.factor
    }

    fn luma(depth: u8, full: bool) -> Self {
        let unit = unit(depth);
        if full {
            Self {
                zero: 0.0,
                factor: 1.0 / most(depth),
            }
        } else {
            Self {
                zero: 16.0 * unit,
                factor: 1.0 / (219.0 * unit),
            }
        }
    }

    fn chroma(depth: u8, full: bool) -> Self {
        let unit = unit(depth);
        Self {
            zero: 128.0 * unit,
            factor: if full {
                1.0 / most(depth)
            } else {
                1.0 / (224.0 * unit)
            },
        }
    }
}

/// One step of 8 bits, in steps of `depth` bits.
fn unit(depth: u8) -> f32 {
    f32::from(1u16 << (depth.clamp(8, 12) - 8))
}

/// The largest sample of `depth` bits.
fn most(depth: u8) -> f32 {
    f32::from((1u16 << depth.clamp(8, 12)) - 1)
}

impl Conversion {
    /// From samples of `depth` bits to samples of 8, or of 16 for more than 8.
    ///
    /// # Errors
    /// [`Error::UnsupportedFeature`] for a matrix that is not a matrix (constant luminance,
    /// `ICtCp`), or that is rare.
    pub(super) fn new(colours: Nclx, depth: u8, output: u8) -> Result<Self, Error> {
        let matrix = match colours.matrix {
            0 => Matrix::Identity,
            1 => Matrix::Shares(0.2126, 0.0722),
            4 => Matrix::Shares(0.30, 0.11),
            // Not said: what JPEG and older video have, as other AVIF decoders assume.
            2 | 5 | 6 => Matrix::Shares(0.299, 0.114),
            7 => Matrix::Shares(0.212, 0.087),
            8 => Matrix::YCgCo,
            9 => Matrix::Shares(0.2627, 0.0593),
            // To be derived from the primaries.
            12 => match colours.primaries {
                1 => Matrix::Shares(0.2126, 0.0722),
                9 => Matrix::Shares(0.2627, 0.0593),
                _ => return Err(unsupported()),
            },
            _ => return Err(unsupported()),
        };
        let luma = Scale::luma(depth, colours.full_range);
        Ok(Self {
            matrix,
            luma,
            chroma: match matrix {
                Matrix::Identity => luma,
                _ => Scale::chroma(depth, colours.full_range),
            },
            white: if output > 8 { 65_535.0 } else { 255.0 },
        })
    }

    /// One pixel of luma alone.
    pub(super) fn gray(self, y: u16) -> f32 {
        self.luma.apply(y) * self.white
    }

    /// One pixel; may lie outside 0…white.
    pub(super) fn colour(self, y: u16, u: u16, v: u16) -> [f32; 3] {
        let (y, u, v) = (
            self.luma.apply(y),
            self.chroma.apply(u),
            self.chroma.apply(v),
        );
        let rgb = match self.matrix {
            Matrix::Identity => [v, y, u],
            Matrix::YCgCo => [y - u + v, y + u, y - u - v],
            Matrix::Shares(kr, kb) => {
                let red = y + 2.0 * (1.0 - kr) * v;
                let blue = y + 2.0 * (1.0 - kb) * u;
                [red, (y - kr * red - kb * blue) / (1.0 - kr - kb), blue]
            }
        };
        rgb.map(|sample| sample * self.white)
    }
}

fn unsupported() -> Error {
    Error::UnsupportedFeature {
        format: "AVIF",
        feature: "colour differences of a rare kind",
    }
}

/// Doubles a row of colour differences, whose samples lie in the middle of two pixels:
/// three quarters of the nearer, one of the next.
pub(super) fn widen(narrow: &[u16], wide: &mut [u16]) {
    let last = narrow.len().saturating_sub(1);
    for (x, sample) in wide.iter_mut().enumerate() {
        let near = (x / 2).min(last);
        let next = if x % 2 == 0 {
            near.saturating_sub(1)
        } else {
            (near + 1).min(last)
        };
        *sample = mix(narrow[near], narrow[next]);
    }
}

/// Three quarters of `near`, one of `next`, to the nearest.
pub(super) fn mix(near: u16, next: u16) -> u16 {
    // Samples have 12 bits at most, so this stays within 16.
    (3 * near + next + 2) / 4
}

/// Rows of colour differences that row `y` lies between, of `rows` with half the resolution:
/// the nearer, and the next.
pub(super) fn neighbours(y: usize, rows: usize) -> (usize, usize) {
    let last = rows.saturating_sub(1);
    let near = (y / 2).min(last);
    let next = if y.is_multiple_of(2) {
        near.saturating_sub(1)
    } else {
        (near + 1).min(last)
    };
    (near, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(matrix: u8, full_range: bool) -> Nclx {
        Nclx {
            primaries: 1,
            transfer: 13,
            matrix,
            full_range,
        }
    }

    #[track_caller]
    fn check(matrix: u8, full: bool, depth: u8, yuv: [u16; 3], rgb: [u16; 3]) {
        let output = if depth > 8 { 16 } else { 8 };
        let conversion = Conversion::new(points(matrix, full), depth, output).expect("a matrix");
        let colour = conversion.colour(yuv[0], yuv[1], yuv[2]);
        for (found, expected) in colour.into_iter().zip(rgb) {
            let distance = (found - f32::from(expected)).abs();
            assert!(distance <= 0.51, "{colour:?} is not {rgb:?}");
        }
    }

    #[test]
    fn known_colours_come_out() {
        check(6, true, 8, [255, 128, 128], [255, 255, 255]);
        check(6, false, 8, [235, 128, 128], [255, 255, 255]);
        check(6, false, 8, [16, 128, 128], [0, 0, 0]);
        check(6, false, 10, [940, 512, 512], [65_535, 65_535, 65_535]);
        check(1, false, 12, [256, 2048, 2048], [0, 0, 0]);
        // Reference: BT.601 in full range, as in JFIF.
        check(6, true, 8, [76, 85, 255], [254, 0, 0]);
        check(5, true, 8, [29, 255, 107], [0, 0, 254]);
        check(0, true, 8, [20, 30, 10], [10, 20, 30]);
        check(8, true, 8, [100, 138, 128], [90, 110, 90]);
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        for matrix in [3, 10, 11, 13, 14, 255] {
            assert!(Conversion::new(points(matrix, true), 8, 8).is_err());
        }
    }

    #[test]
    fn colour_differences_are_drawn_out_between_their_middles() {
        let mut wide = [0; 5];
        widen(&[0, 100, 200], &mut wide);
        assert_eq!(wide, [0, 25, 75, 125, 175]);
        assert_eq!(neighbours(0, 3), (0, 0));
        assert_eq!(neighbours(1, 3), (0, 1));
        assert_eq!(neighbours(2, 3), (1, 0));
        assert_eq!(neighbours(5, 3), (2, 2));
    }
}
