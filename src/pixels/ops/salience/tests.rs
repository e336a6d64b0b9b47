use super::*;
use crate::pixels::{
    bitmap::{Colour, Layout},
    ops::crop,
};

const WIDE: Size = Size {
    width: 360,
    height: 120,
};

/// A scene, and the box of its subject.
struct Scene {
    picture: Raster,
    subject: Rect,
}

type Rgb = [u8; 3];

/// Noise that is the same for the same place and seed: 0 to 255.
fn noise(x: u32, y: u32, seed: u32) -> u8 {
    let mut hash = x
        .wrapping_mul(0x9E37_79B1)
        .wrapping_add(y.wrapping_mul(0x85EB_CA77))
        .wrapping_add(seed.wrapping_mul(0xC2B2_AE3D));
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(0x2C1B_3C6D);
    hash ^= hash >> 13;
    (hash & 255) as u8
}

fn dim(colour: Rgb, by: u8) -> Rgb {
    colour.map(|part| part.saturating_sub(by))
}

/// Where things are seen before: seven of them.
fn ground(kind: u32, x: u32, y: u32, size: Size) -> Rgb {
    let down = u8::try_from(y * 255 / size.height).unwrap();
    match kind {
        // A clear sky, a lawn, a wall of bricks, foliage, dusk, a wooden floor, pebbles.
        0 => [120 + down / 4, 170 + down / 5, 235],
        1 => {
            let blade = noise(x, y, 1) / 3;
            [60 + blade / 2, 120 + blade / 2, 40]
        }
        2 => {
            let mortar = y.is_multiple_of(12) || (x + y / 12 % 2 * 10).is_multiple_of(20);
            dim(
                [150, 85, 70],
                if mortar {
                    0
                } else {
                    noise(x / 2, y / 2, 2) / 8 + 15
                },
            )
        }
        3 => {
            let leaf = noise(x / 3, y / 3, 3);
            [leaf / 4, 40 + leaf / 2, leaf / 5]
        }
        4 => [20 + down / 6, 20 + down / 8, 45 + down / 5],
        5 => dim(
            [170, 130, 90],
            noise(x / 24, y, 4) / 6 + u8::from(x.is_multiple_of(24)) * 50,
        ),
        _ => {
            let stone = noise(x / 5, y / 5, 5) / 3;
            [110 + stone, 108 + stone, 104 + stone]
        }
    }
}

/// What is looked at: eight of them, drawn in a box of 1 × 1 from its middle; `None` is the ground.
fn subject(kind: u32, x: f32, y: f32) -> Option<Rgb> {
    let round =
        |middle_x: f32, middle_y: f32, radius: f32| (x - middle_x).hypot(y - middle_y) < radius;
    match kind {
        // Two faces of different complexion: hair, skin, eyes, a mouth.
        0 | 1 => {
            let skin = if kind == 0 {
                [225, 180, 150]
            } else {
                [125, 80, 55]
            };
            let eye = round(-0.17, -0.05, 0.05) || round(0.17, -0.05, 0.05);
            let mouth = (y - 0.22).abs() < 0.03 && x.abs() < 0.15;
            match () {
                () if eye => Some([30, 25, 25]),
                () if mouth => Some([150, 60, 60]),
                () if x.hypot(y * 0.8) < 0.38 => Some(skin),
                () if round(0.0, -0.1, 0.4) => Some([50, 35, 25]),
                () => None,
            }
        }
        // A red ball with its light.
        2 => round(0.0, 0.0, 0.5).then(|| {
            let light = (0.5 - (x + 0.15).hypot(y + 0.15)).max(0.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "to 255"
            )]
            let glow = (light * 160.0) as u8;
            [200, 30 + glow, 30 + glow]
        }),
        // A white bird.
        3 => ((x.abs() < 0.5 && (y + x.abs() * 0.6).abs() < 0.12) || round(0.0, 0.1, 0.18))
            .then_some([245, 245, 240]),
        // A black cat.
        4 => (round(0.0, -0.2, 0.22)
            || round(0.0, 0.2, 0.3)
            || (y < -0.25 && y > -0.5 && (x.abs() - 0.15).abs() < (y + 0.5) * 0.3))
            .then_some([22, 20, 24]),
        // A yellow flower with an orange heart.
        5 => match () {
            () if round(0.0, 0.0, 0.14) => Some([220, 110, 20]),
            () if x.hypot(y) < 0.3 + 0.18 * (y.atan2(x) * 6.0).cos() => Some([250, 220, 40]),
            () => None,
        },
        // A white board with black letters.
        6 => {
            let ink = (x * 23.0).sin() > 0.1 && (y * 30.0).sin() > 0.2;
            (x.abs() < 0.5 && y.abs() < 0.35).then_some(if ink { [20; 3] } else { [240; 3] })
        }
        // A blue car.
        _ => match () {
            () if round(-0.28, 0.2, 0.12) || round(0.28, 0.2, 0.12) => Some([25; 3]),
            () if x.abs() < 0.5 && (y - 0.05).abs() < 0.15 => Some([30, 70, 190]),
            () if x.abs() < 0.28 && (y + 0.2).abs() < 0.12 => Some([180, 210, 230]),
            () => None,
        },
    }
}

fn scene(
    ground_kind: u32,
    subject_kind: u32,
    size: Size,
    middle: (f32, f32),
    length: u32,
) -> Scene {
    let length = length.min(size.height).min(size.width);
    let place = |share: f32, whole: u32| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "inside"
        )]
        let start = (share * whole as f32 - length as f32 / 2.0).max(0.0) as u32;
        start.min(whole - length)
    };
    let (left, top) = (place(middle.0, size.width), place(middle.1, size.height));
    let mut samples = Vec::new();
    for y in 0..size.height {
        for x in 0..size.width {
            let unit = |at: u32, start: u32| (at as f32 + 0.5 - start as f32) / length as f32 - 0.5;
            let drawn = subject(subject_kind, unit(x, left), unit(y, top));
            samples.extend(drawn.unwrap_or_else(|| ground(ground_kind, x, y, size)));
        }
    }
    Scene {
        picture: Raster {
            size,
            layout: Layout::Rgb,
            samples,
            colour: Colour::Srgb,
        },
        subject: Rect {
            x: left,
            y: top,
            width: length,
            height: length,
        },
    }
}

/// Each subject on each ground, left, right and off the middle, in a wide and in a tall picture.
fn scenes() -> impl Iterator<Item = Scene> {
    let tall = WIDE.transposed();
    let places = [
        (WIDE, (0.2, 0.5)),
        (WIDE, (0.75, 0.6)),
        (WIDE, (0.62, 0.4)),
        (tall, (0.5, 0.2)),
        (tall, (0.45, 0.8)),
    ];
    (0..7).flat_map(move |ground| {
        (0..8).flat_map(move |subject| {
            places
                .into_iter()
                .map(move |(size, middle)| scene(ground, subject, size, middle, 44))
        })
    })
}

/// The share of the subject that a window shows.
fn shown(subject: Rect, window: Rect) -> f64 {
    let overlap = |a: u32, a_length: u32, b: u32, b_length: u32| {
        (a + a_length).min(b + b_length).saturating_sub(a.max(b))
    };
    let across = overlap(subject.x, subject.width, window.x, window.width);
    let down = overlap(subject.y, subject.height, window.y, window.height);
    f64::from(across * down) / f64::from(subject.width * subject.height)
}

/// How many of the scenes keep nine tenths of their subject in a square as high as the picture.
fn hits(place: impl Fn(&Raster, Size) -> Rect) -> (usize, usize) {
    let window = Size::new(120, 120);
    let (mut hits, mut all) = (0, 0);
    for scene in scenes() {
        let found = place(&scene.picture, window);
        assert_eq!(found.size(), window);
        hits += usize::from(shown(scene.subject, found) >= 0.9);
        all += 1;
    }
    (hits, all)
}

#[test]
fn the_subject_stays_in_nearly_all_scenes() {
    let (smart, all) = hits(window);
    let (entropy, _) = hits(crop::busiest);
    assert!(smart >= 268, "{smart} of {all}");
    assert!(
        smart > entropy,
        "{smart} of {all}, and {entropy} by detail alone"
    );
}

#[test]
fn a_flat_picture_keeps_its_middle() {
    let mut picture = scene(0, 0, WIDE, (0.5, 0.5), 40).picture;
    picture.samples.fill(90);
    let found = window(&picture, Size::new(100, 100));
    assert_eq!((found.x, found.y), (130, 10));
}

#[test]
fn a_window_as_large_as_the_picture_is_the_picture() {
    let picture = scene(1, 0, WIDE, (0.2, 0.5), 40).picture;
    assert_eq!(window(&picture, WIDE), Rect::whole(WIDE));
    assert_eq!(window(&picture, Size::new(9999, 9999)), Rect::whole(WIDE));
}

#[test]
fn the_smallest_pictures_have_a_window() {
    for (width, height) in [(1, 1), (1, 300), (300, 1), (2, 2)] {
        let size = Size::new(width, height);
        let picture = Raster {
            size,
            layout: Layout::GrayAlpha,
            samples: vec![200; (width * height * 2) as usize],
            colour: Colour::Srgb,
        };
        let found = window(&picture, Size::new(1, 1));
        assert!(found.x < width && found.y < height);
    }
}

#[test]
fn what_is_clear_is_not_looked_at() {
    // Loud colours under no alpha, and a small mark that is seen.
    let mut samples = Vec::new();
    for y in 0..120 {
        for x in 0..360 {
            let seen = (180..210).contains(&x) && (60..90).contains(&y);
            samples.extend([
                noise(x, y, 1),
                noise(x, y, 2),
                noise(x, y, 3),
                u8::from(seen) * 255,
            ]);
        }
    }
    let picture = Raster {
        size: WIDE,
        layout: Layout::Rgba,
        samples,
        colour: Colour::Srgb,
    };
    let found = window(&picture, Size::new(100, 100));
    assert!(found.x <= 180 && found.x + 100 >= 210, "{found:?}");
}
