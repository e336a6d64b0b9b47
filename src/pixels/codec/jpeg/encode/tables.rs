//! Steps of the coefficients of a block, row by row.

use crate::pixels::codec::quality::Jpeg;

/// Luma's and colour's.
type Tables = [[u16; 64]; 2];

/// ITU T.81, annex K.1.
const COMMON: Tables = [
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69,
        56, 14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81,
        104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ],
    [
        17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99,
        99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ],
];

/// Klein, Silverstein and Carney, "Relevance of human vision to JPEG-DCT compression", 1992; the same
/// for both.
const SEEN: [u16; 64] = [
    10, 12, 14, 19, 26, 38, 57, 86, 12, 18, 21, 28, 35, 41, 54, 76, 14, 21, 25, 32, 44, 63, 92,
    136, 19, 28, 32, 41, 54, 75, 107, 157, 26, 35, 44, 54, 70, 95, 132, 190, 38, 41, 63, 75, 95,
    125, 170, 239, 57, 54, 92, 107, 132, 170, 227, 312, 86, 76, 136, 157, 190, 239, 312, 419,
];

/// Luma's and colour's, for a quality.
pub(super) fn of(quality: Jpeg) -> [[u8; 64]; 2] {
    let (tables, quality) = match quality {
        Jpeg::Common(quality) => (COMMON, quality),
        Jpeg::Seen(quality) => ([SEEN; 2], quality),
    };
    let scale = scale(quality);
    tables.map(|table| table.map(|step| scaled(step, scale)))
}

/// libjpeg's scale, in hundredths: everybody's numbers of quality mean this.
fn scale(quality: f32) -> f32 {
    let quality = quality.clamp(1.0, 100.0);
    if quality < 50.0 {
        5000.0 / quality
    } else {
        200.0 - 2.0 * quality
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within 1 to 255"
)]
fn scaled(step: u16, scale: f32) -> u8 {
    (f32::from(step) * scale / 100.0).round().clamp(1.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(quality: Jpeg, luma: [u8; 3], colour: [u8; 3]) {
        let of = of(quality);
        assert_eq!(
            of.map(|table| [table[0], table[1], table[63]]),
            [luma, colour]
        );
    }

    #[test]
    fn steps_are_those_of_libjpeg() {
        check(Jpeg::Common(50.0), [16, 11, 99], [17, 18, 99]);
        check(Jpeg::Common(90.0), [3, 2, 20], [3, 4, 20]);
        check(Jpeg::Common(100.0), [1, 1, 1], [1, 1, 1]);
        check(Jpeg::Common(1.0), [255, 255, 255], [255, 255, 255]);
        check(Jpeg::Seen(50.0), [10, 12, 255], [10, 12, 255]);
        check(Jpeg::Seen(75.0), [5, 6, 210], [5, 6, 210]);
    }
}
