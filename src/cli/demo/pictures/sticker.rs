//! A glass marble with its shadow, on nothing at all.

use super::{
    canvas::{Canvas, Rgb, add, float, mix, scale, step},
    noise,
};

const GLASS: Rgb = [0.06, 0.45, 0.55];
const SWIRL: Rgb = [0.98, 0.62, 0.20];
/// In widths of the picture.
const RADIUS: f32 = 0.36;

pub(super) fn paint(width: u32, height: u32) -> Canvas<4> {
    let unit = float(width.min(height));
    let (middle, centre) = (float(width) / 2.0, float(height) / 2.0);
    Canvas::paint(width, height, |x, y| {
        let (u, v) = ((x - middle) / unit, (y - centre) / unit + 0.06);
        let distance = u.hypot(v);
        let edge = step(RADIUS + 1.5 / unit, RADIUS, distance);
        let shadow = shadow(u, v);
        let [red, green, blue] = marble(u / RADIUS, v / RADIUS);
        // The marble over its shadow, which is black.
        let alpha = edge + shadow * (1.0 - edge);
        let share = if alpha > 0.0 { edge / alpha } else { 0.0 };
        [red * share, green * share, blue * share, alpha]
    })
}

/// Darkest under the marble, nothing at the rim.
fn shadow(u: f32, v: f32) -> f32 {
    let (dx, dy) = (u / 0.36, (v - 0.40) / 0.10);
    0.45 * step(1.0, 0.0, dx.hypot(dy))
}

/// Coordinates from -1 to 1 across the marble.
fn marble(x: f32, y: f32) -> Rgb {
    let inside = (1.0 - x * x - y * y).max(0.0).sqrt();
    let bend = noise::fractal(x * 1.5 + 4.0, y * 1.5, 4, 5);
    let ribbon = ((x * 2.0 + bend * 4.0 + y) * 3.0).sin();
    let body = mix(GLASS, SWIRL, step(0.1, 0.9, ribbon) * 0.9);
    let light = 0.45 + 0.65 * (inside * 0.6 - x * 0.35 - y * 0.5).max(0.0);
    let shine = step(0.20, 0.05, (x + 0.38).hypot((y + 0.46) * 1.3));
    let rim = step(0.35, 0.0, inside) * 0.25;
    add(scale(body, light), [shine * 0.9 + rim; 3])
}
