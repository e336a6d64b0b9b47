//! A test chart: rings and lines finer than any small copy can hold, and hard edges of letters.

use super::canvas::{Canvas, Rgb, float, mix};

const PAPER: Rgb = [0.97, 0.96, 0.94];
const INK: Rgb = [0.10, 0.11, 0.14];
const PATCHES: [Rgb; 6] = [
    [0.85, 0.16, 0.16],
    [0.93, 0.60, 0.13],
    [0.95, 0.87, 0.24],
    [0.20, 0.60, 0.30],
    [0.15, 0.40, 0.75],
    [0.45, 0.22, 0.60],
];

pub(super) fn paint(width: u32, height: u32) -> Canvas<3> {
    let (half, tall) = (float(width) / 2.0, float(height) / 2.0);
    Canvas::paint(width, height, |x, y| match (x < half, y < tall) {
        (true, true) => rings(x, y, half, tall),
        (false, true) => star(x - half, y, half, tall),
        (true, false) => lines(x, y - tall, half, tall),
        (false, false) => letters(x - half, y - tall, half, tall),
    })
}

/// A zone plate: its rings are one pixel apart at the edge. False rings in a small copy are the
/// resampler's.
fn rings(x: f32, y: f32, width: f32, height: f32) -> Rgb {
    let (dx, dy) = (x - width / 2.0, y - height / 2.0);
    let radius = width.max(height) / 2.0;
    let phase = std::f32::consts::FRAC_PI_2 * (dx * dx + dy * dy) / radius;
    mix(INK, PAPER, 0.5 + 0.5 * phase.cos())
}

/// Spokes: every direction of an edge.
fn star(x: f32, y: f32, width: f32, height: f32) -> Rgb {
    let (dx, dy) = (x - width / 2.0, y - height / 2.0);
    let radius = dx.hypot(dy);
    let spoke = (dy.atan2(dx) * 36.0).sin();
    // An edge is a pixel wide, whatever the distance.
    let sharp = (spoke * radius / 36.0 + 0.5).clamp(0.0, 1.0);
    let inside = (width.min(height) * 0.46 - radius).clamp(0.0, 1.0);
    mix(PAPER, mix(INK, PAPER, sharp), inside)
}

/// Bars of 1 to 8 pixels, upright above and flat below; patches of colour at the foot.
fn lines(x: f32, y: f32, width: f32, height: f32) -> Rgb {
    let column = (x / width * 8.0).floor();
    let bar = column + 1.0;
    let along = if y < height * 0.4 { x } else { y };
    if y < height * 0.8 {
        let dark = (along / bar).floor() % 2.0 < 0.5;
        return if dark { INK } else { PAPER };
    }
    let mut patches = PATCHES.iter().zip(1_u8..);
    let found = patches.find(|(_, end)| x < width / 6.0 * f32::from(*end));
    found.map_or(PAPER, |(patch, _)| *patch)
}

/// The letters' rows, five dots each, from the top.
const GLYPHS: [(char, [u8; 7]); 6] = [
    (
        'A',
        [
            0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001,
        ],
    ),
    (
        'I',
        [
            0b01110, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110,
        ],
    ),
    (
        'N',
        [
            0b10001, 0b11001, 0b10101, 0b10101, 0b10011, 0b10001, 0b10001,
        ],
    ),
    (
        'Q',
        [
            0b01110, 0b10001, 0b10001, 0b10001, 0b10101, 0b10010, 0b01101,
        ],
    ),
    (
        'T',
        [
            0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100,
        ],
    ),
    (
        'U',
        [
            0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110,
        ],
    ),
];

const WORD: &str = "AQUATINT";

/// The word again and again, in dots of 12 pixels down to 1.
fn letters(x: f32, y: f32, width: f32, height: f32) -> Rgb {
    let mut top = height * 0.04;
    if y < top {
        return PAPER;
    }
    for dot in [12.0, 8.0, 6.0, 4.0, 3.0, 2.0, 1.0] {
        let dot = dot * width / 800.0;
        if (top..top + dot * 7.0).contains(&y) {
            let inked = is_ink((x - width * 0.04) / dot, (y - top) / dot, width / dot);
            return if inked { INK } else { PAPER };
        }
        top += dot * 10.0;
        if y < top {
            return PAPER;
        }
    }
    // A ramp that ought to stay smooth.
    mix(INK, PAPER, x / width)
}

/// Whether a dot of the line of words is inked. Coordinates in dots.
fn is_ink(x: f32, y: f32, width: f32) -> bool {
    if x < 0.0 || x > width * 0.92 {
        return false;
    }
    let (column, row) = (dots(x), dots(y));
    let letter = WORD.chars().nth(column / 6 % (WORD.len() + 1));
    let glyph = GLYPHS.iter().find(|(name, _)| Some(*name) == letter);
    let bits = glyph
        .and_then(|(_, rows)| rows.get(row).copied())
        .unwrap_or(0);
    column % 6 < 5 && bits >> (4 - column % 6) & 1 == 1
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and as small as the picture"
)]
fn dots(value: f32) -> usize {
    value as usize
}
