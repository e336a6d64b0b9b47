//! A hot-air balloon in the morning. There is no doubt about which way is up.

use super::{
    canvas::{Canvas, Rgb, add, float, mix, scale, step},
    noise,
};

const TOP: Rgb = [0.30, 0.56, 0.85];
const LOW: Rgb = [0.97, 0.90, 0.80];
const SILK: [Rgb; 3] = [[0.86, 0.20, 0.16], [0.97, 0.73, 0.18], [0.98, 0.95, 0.88]];
const WICKER: Rgb = [0.36, 0.22, 0.11];
const HILL: Rgb = [0.20, 0.38, 0.22];
/// Across, down, and the radius, in widths of the picture.
const BALLOON: (f32, f32, f32) = (0.5, 0.55, 0.33);
const PANELS: f32 = 12.0;

pub(super) fn paint(width: u32, height: u32) -> Canvas<3> {
    let unit = float(width);
    let bottom = float(height) / unit;
    Canvas::paint(width, height, |x, y| {
        let (u, v) = (x / unit, y / unit);
        let light = basket(u, v)
            .or_else(|| balloon(u, v))
            .or_else(|| hill(u, v, bottom))
            .unwrap_or_else(|| sky(u, v, bottom));
        let grain = noise::value(x * 0.9, y * 0.9, 17) - 0.5;
        add(light, [grain * 0.025; 3])
    })
}

fn sky(u: f32, v: f32, bottom: f32) -> Rgb {
    let base = mix(TOP, LOW, step(0.0, bottom, v));
    let cloud = noise::fractal(u * 2.5 + 3.0, v * 5.0, 5, 23);
    mix(base, [1.0; 3], step(0.52, 0.80, cloud) * 0.8)
}

fn hill(u: f32, v: f32, bottom: f32) -> Option<Rgb> {
    let outline = bottom - 0.10 - 0.10 * noise::fractal(u * 2.0, 0.5, 6, 41);
    let depth = v - outline;
    (depth > 0.0).then(|| {
        let grass = noise::fractal(u * 70.0, v * 50.0, 4, 43) - 0.5;
        scale(HILL, 0.9 + grass * 0.8 + depth)
    })
}

/// A sphere above, a cone below.
fn balloon(u: f32, v: f32) -> Option<Rgb> {
    let (cx, cy, radius) = BALLOON;
    let (dx, dy) = ((u - cx) / radius, (v - cy) / radius);
    let half = if dy < 0.5 {
        (1.0 - dy * dy).max(0.0).sqrt()
    } else {
        0.866 - (dy - 0.5) * 0.72
    };
    if !(-1.0..1.45).contains(&dy) || dx.abs() > half {
        return None;
    }
    // Where on its round side a point lies, from the left edge to the right one.
    let around = (dx / half).asin() / std::f32::consts::PI;
    let panel = (around + 0.5) * PANELS;
    let seam = step(0.06, 0.0, (panel - panel.round()).abs());
    let band = if (-0.15..0.15).contains(&dy) {
        2.0
    } else {
        panel.floor() % 2.0
    };
    let silk = match band {
        band if band < 0.5 => SILK[0],
        band if band < 1.5 => SILK[1],
        _ => SILK[2],
    };
    let light = 0.62 + 0.45 * (1.0 - (dx + 0.35).hypot(dy + 0.45) * 0.62);
    let weave = noise::value(u * 600.0, v * 600.0, 51) - 0.5;
    Some(scale(silk, light * (1.0 - seam * 0.25) + weave * 0.03))
}

/// The basket, and the four ropes that it hangs by.
fn basket(u: f32, v: f32) -> Option<Rgb> {
    let (cx, cy, radius) = BALLOON;
    let (dx, dy) = ((u - cx) / radius, (v - cy) / radius);
    if (1.75..2.05).contains(&dy) && dx.abs() < 0.20 {
        let weave = (u * 900.0).sin() * (v * 900.0).sin();
        return Some(scale(WICKER, 1.0 + weave * 0.35 - dx));
    }
    let rope = |foot: f32| (dx - foot * (0.95 + (1.75 - dy) * 0.15)).abs() < 0.008;
    let near = (1.44..1.75).contains(&dy);
    (near && [-0.19, -0.07, 0.07, 0.19].into_iter().any(rope)).then_some([0.25, 0.2, 0.15])
}
