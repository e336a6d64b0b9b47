//! Mountains behind a lake at dusk.

use super::{
    canvas::{Canvas, Rgb, add, float, mix, scale, step},
    noise,
};

/// Where the lake begins, as a share of the height.
const SHORE: f32 = 0.66;
const SUN: (f32, f32) = (0.68, 0.36);
const ZENITH: Rgb = [0.16, 0.27, 0.50];
const HORIZON: Rgb = [0.98, 0.74, 0.52];
const GLOW: Rgb = [1.0, 0.82, 0.55];
const CLOUD: Rgb = [0.99, 0.82, 0.74];
const WATER: Rgb = [0.10, 0.20, 0.28];

/// One range: how high it begins and rises, how rugged it is, and its colour.
struct Range {
    base: f32,
    rise: f32,
    rugged: f32,
    colour: Rgb,
}

/// From the far one to the near one.
const RANGES: [Range; 4] = [
    Range {
        base: 0.54,
        rise: 0.22,
        rugged: 2.6,
        colour: [0.62, 0.58, 0.66],
    },
    Range {
        base: 0.60,
        rise: 0.20,
        rugged: 3.7,
        colour: [0.42, 0.43, 0.54],
    },
    Range {
        base: 0.64,
        rise: 0.14,
        rugged: 5.2,
        colour: [0.24, 0.30, 0.38],
    },
    Range {
        base: 0.67,
        rise: 0.07,
        rugged: 9.0,
        colour: [0.09, 0.15, 0.17],
    },
];

pub(super) fn paint(width: u32, height: u32) -> Canvas<3> {
    let scene = Scene::new(width, height);
    Canvas::paint(width, height, |x, y| {
        let (u, v) = (x / scene.height, y / scene.height);
        let light = if v < SHORE {
            scene.land(x, u, v)
        } else {
            scene.lake(x, u, v)
        };
        // Grain, as film and sensors have it.
        let grain = noise::value(x * 0.9, y * 0.9, 91) - 0.5;
        add(light, [grain * 0.03; 3])
    })
}

struct Scene {
    width: f32,
    height: f32,
    /// The outline of every range, a number a column.
    outlines: [Vec<f32>; 4],
}

impl Scene {
    fn new(width: u32, height: u32) -> Self {
        let outlines = [0_u32, 1, 2, 3].map(|index| {
            let range = &RANGES[index as usize];
            let rise = |x: u32| {
                let u = float(x) / float(height) * range.rugged;
                let ridge = noise::fractal(u, float(index) * 7.3, 8, 11 + index * 20);
                range.base - range.rise * (ridge * 1.7 - 0.35).max(0.0)
            };
            (0..width).map(rise).collect()
        });
        Self {
            width: float(width),
            height: float(height),
            outlines,
        }
    }

    /// What is seen above the shore. `x` in pixels; `u` and `v` in heights of the picture.
    fn land(&self, x: f32, u: f32, v: f32) -> Rgb {
        let column = column(x.clamp(0.0, self.width - 1.0));
        let mut light = None;
        for (range, outline) in RANGES.iter().zip(&self.outlines).rev() {
            let depth = v - outline[column];
            if depth > 0.0 {
                light = Some(slope(range, u, v, depth));
                break;
            }
        }
        light.unwrap_or_else(|| self.sky(u, v))
    }

    fn sky(&self, u: f32, v: f32) -> Rgb {
        let base = mix(ZENITH, HORIZON, step(0.0, 0.58, v));
        let aspect = self.width / self.height;
        let distance = (u - SUN.0 * aspect).hypot(v - SUN.1);
        let halo = scale(GLOW, 0.55 * (-distance * 5.0).exp());
        let disc = scale(GLOW, step(0.034, 0.030, distance));
        let cloud = noise::fractal(u * 2.2, v * 9.0, 5, 31);
        let cover = step(0.50, 0.78, cloud) * step(0.62, 0.20, v) * 0.75;
        add(mix(add(base, halo), CLOUD, cover), disc)
    }

    /// The land, mirrored: darker, and drawn out by ripples.
    fn lake(&self, x: f32, u: f32, v: f32) -> Rgb {
        let depth = v - SHORE;
        let ripple = noise::fractal(u * 14.0, depth * 120.0, 3, 57) - 0.5;
        let away = ripple * (0.01 + depth * 0.25);
        let mirrored = self.land(
            x + away * self.height,
            u + away,
            SHORE - depth * 0.95 + away * 0.4,
        );
        let sparkle = step(0.80, 0.95, noise::value(u * 60.0, depth * 420.0, 63));
        let light = mix(mirrored, WATER, 0.28 + depth * 1.1);
        add(light, scale(GLOW, sparkle * 0.10))
    }
}

/// A range's light: haze at its foot, rock on its face.
fn slope(range: &Range, u: f32, v: f32, depth: f32) -> Rgb {
    let rock = noise::fractal(u * 26.0 + depth * 20.0, v * 44.0, 5, 71) - 0.5;
    let lit = scale(range.colour, 1.0 + rock * 0.75);
    let rim = scale(GLOW, 0.20 * (-depth * 90.0).exp());
    let haze = step(0.0, 0.22, depth) * 0.35;
    mix(add(lit, rim), HORIZON, haze * range.colour[2])
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the picture"
)]
fn column(x: f32) -> usize {
    x as usize
}
