//! A planet with two moons, once around.

use std::{f32::consts::TAU, time::Duration};

use super::{
    canvas::{Canvas, Rgb, float, mix, scale, step},
    noise,
};

/// Frames of one round.
pub(super) const FRAMES: u32 = 24;
/// How long each stands.
pub(super) const DELAY: Duration = Duration::from_millis(60);

const NIGHT: Rgb = [0.05, 0.06, 0.14];
const PLANET: Rgb = [0.85, 0.55, 0.30];
const MOON: Rgb = [0.85, 0.86, 0.90];

pub(super) fn paint(width: u32, height: u32, frame: u32) -> Canvas<3> {
    let unit = float(height);
    let (middle, centre) = (float(width) / unit / 2.0, 0.5);
    let turn = float(frame % FRAMES) / float(FRAMES) * TAU;
    Canvas::paint(width, height, |x, y| {
        let (u, v) = (x / unit - middle, y / unit - centre);
        let near = [(turn, 0.40, 0.06), (turn * 2.0 + 2.0, 0.62, 0.04)];
        let moons = near.map(|(angle, away, radius)| {
            let (sin, cos) = angle.sin_cos();
            Moon {
                x: cos * away,
                y: sin * away * 0.25,
                radius,
                front: sin > 0.0,
            }
        });
        let mut before = moons.iter().filter(|moon| moon.front);
        let mut behind = moons.iter().filter(|moon| !moon.front);
        let front = before.find_map(|moon| moon.light(u, v));
        front
            .or_else(|| planet(u, v, turn))
            .or_else(|| behind.find_map(|moon| moon.light(u, v)))
            .unwrap_or_else(|| sky(x, y))
    })
}

struct Moon {
    x: f32,
    y: f32,
    radius: f32,
    front: bool,
}

impl Moon {
    fn light(&self, u: f32, v: f32) -> Option<Rgb> {
        ball((u - self.x) / self.radius, (v - self.y) / self.radius).map(|light| scale(MOON, light))
    }
}

fn planet(u: f32, v: f32, turn: f32) -> Option<Rgb> {
    let (x, y) = (u / 0.25, v / 0.25);
    let light = ball(x, y)?;
    let around = x.asin() + turn;
    let storm = noise::fractal(around.cos() * 2.0 + 9.0, y * 6.0, 3, 3);
    let band = step(0.35, 0.65, (y * 9.0 + storm * 2.0).sin() * 0.5 + 0.5);
    Some(scale(mix(PLANET, scale(PLANET, 0.6), band), light))
}

/// How much light a ball of radius 1 has here, lit from the upper left.
fn ball(x: f32, y: f32) -> Option<f32> {
    let rest = 1.0 - x * x - y * y;
    (rest > 0.0).then(|| (rest.sqrt() * 0.6 - x * 0.5 - y * 0.4).clamp(0.08, 1.0))
}

fn sky(x: f32, y: f32) -> Rgb {
    let star = noise::value(x / 2.0, y / 2.0, 29);
    mix(NIGHT, [1.0; 3], step(0.985, 1.0, star))
}
