use super::*;
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    codec::Cancel,
    colour::curve::Curve,
    geometry::Rect,
    planes::Plane,
    rows::{Kept, pour},
};

fn plane(width: u32, height: u32, code: impl Fn(f64, f64) -> f64) -> Plane {
    let size = Size::new(width, height);
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let middle = |place: u32, side: u32| (f64::from(place) + 0.5) / f64::from(side);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "codes"
    )]
    let samples = places.map(|(x, y)| code(middle(x, width), middle(y, height)).round() as u8);
    Plane {
        size,
        extent: (width.into(), height.into()),
        samples: samples.collect(),
    }
}

fn lit(planes: &[Plane; 3], cut: &dyn Fn(usize, &Shape) -> Cut, to: Range) -> Vec<Plane> {
    let mut kept = Kept::default();
    let mut lit = Lit::new(cut, to, &mut kept);
    pour(&planes.each_ref(), &mut lit).unwrap();
    lit.finish().unwrap();
    kept.finish().unwrap()
}

/// The three numbers of a pixel, with the matrix as the standard has it.
fn rgb([luma, blue, red]: [u8; 3]) -> [f64; 3] {
    let (luma, blue, red) = (
        f64::from(luma),
        f64::from(blue) - 128.0,
        f64::from(red) - 128.0,
    );
    let green = luma - 0.344_136 * blue - 0.714_136 * red;
    [luma + 1.402 * red, green, luma + 1.772 * blue]
}

fn scene(x: f64, y: f64) -> f64 {
    let edge = if (x - 0.5).hypot(y - 0.5) < 0.3 {
        50.0
    } else {
        0.0
    };
    110.0 + edge + 30.0 * (x * 40.0).sin() + 20.0 * (y * 31.0).cos()
}

/// Planes of colour as large as luma: the same as pixels that are resampled in linear light.
#[test]
fn planes_are_resampled_as_their_pixels_are() {
    let planes = [
        plane(120, 90, scene),
        plane(120, 90, |x, y| 128.0 + 30.0 * (x * 9.0).sin() * y),
        plane(120, 90, |x, y| 120.0 + 25.0 * (y * 7.0).cos() * x),
    ];
    let samples = (0..planes[0].samples.len()).flat_map(|at| {
        let coded = planes.each_ref().map(|plane| plane.samples[at]);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "codes"
        )]
        rgb(coded).map(|number| number.round() as u8)
    });
    let bitmap = Bitmap {
        size: planes[0].size,
        layout: Layout::Rgb,
        samples: Samples::U8(samples.collect()),
        colour: Colour::Srgb,
    };
    let whole = Rect::whole(bitmap.size);
    let bounds = Rect {
        x: 11,
        y: 7,
        width: 90,
        height: 70,
    };
    for (area, bounds, size) in [
        (Area::from(whole), whole, Size::new(64, 48)),
        (Area::from(bounds), bounds, Size::new(31, 33)),
        (Area::from(bounds), bounds, Size::new(150, 100)),
    ] {
        let found = lit(&planes, &|_, _| Cut { area, bounds, size }, Range::Full);
        let expected = crate::pixels::ops::resize::resize(
            &bitmap,
            area,
            bounds,
            size,
            &Curve::srgb(),
            &Cancel::default(),
        );
        let Samples::U8(expected) = expected.unwrap().samples else {
            panic!("eight bits stay eight");
        };
        for (at, expected) in expected.chunks_exact(3).enumerate() {
            let found = rgb([0, 1, 2].map(|plane: usize| found[plane].samples[at]));
            for (found, expected) in found.iter().zip(expected) {
                let off = (found - f64::from(*expected)).abs();
                assert!(off < 4.0, "{found} for {expected} at {at} of {size}");
            }
        }
    }
}

/// Colour at half the resolution lies where it lay, at odd sides too.
#[test]
fn coarse_colour_stays_in_its_place() {
    for (width, height) in [(120, 90), (121, 91), (119, 92)] {
        let mut planes = [
            plane(width, height, |_, _| 130.0),
            plane(width.div_ceil(2), height.div_ceil(2), |_, _| 128.0),
            plane(width.div_ceil(2), height.div_ceil(2), |_, _| 128.0),
        ];
        for (own, plane) in planes.iter_mut().enumerate().skip(1) {
            plane.extent = (f64::from(width) / 2.0, f64::from(height) / 2.0);
            let across = plane.size.width as usize;
            for (at, sample) in plane.samples.iter_mut().enumerate() {
                let place = if own == 1 { at % across } else { at / across };
                *sample = 100 + u8::try_from(place).unwrap();
            }
        }
        let size = Size::new(60, 45);
        let cut = |_: usize, shape: &Shape| Cut::whole(shape.size, size);
        let found = lit(&planes, &cut, Range::Full);
        for y in 5..40_u32 {
            for x in 5..55_u32 {
                let at = (y * 60 + x) as usize;
                let middle = |place: u32, from: u32, to: u32| {
                    (f64::from(place) + 0.5) * f64::from(from) / f64::from(to) / 2.0 - 0.5
                };
                for (plane, place) in [(1, middle(x, width, 60)), (2, middle(y, height, 45))] {
                    let found = f64::from(found[plane].samples[at]) - 100.0;
                    assert!(
                        (found - place).abs() < 1.3,
                        "{found} for {place}, {width}×{height}"
                    );
                }
            }
        }
    }
}

#[test]
fn other_planes_than_three_are_refused() {
    let cut = |_: usize, shape: &Shape| Cut::whole(shape.size, Size::new(2, 2));
    let shape = Shape::whole(Size::new(4, 4), 1);
    let begun = |planes: &[Shape]| {
        let mut kept = Kept::default();
        Lit::new(&cut, Range::Full, &mut kept).begin(planes).is_ok()
    };
    assert!(begun(&[shape; 3]));
    assert!(!begun(&[shape]));
    assert!(!begun(
        &[Shape {
            channels: 2,
            ..shape
        }; 3]
    ));
    let mut kept = Kept::default();
    let mut lit = Lit::new(&cut, Range::Full, &mut kept);
    lit.begin(&[shape; 3]).unwrap();
    let row = [9; 4];
    assert!(lit.take(3, Rows::new(&row, 4, 4).unwrap()).is_err());
    assert!(lit.take(0, Rows::new(&row[..3], 3, 3).unwrap()).is_err());
    assert!(lit.take(0, Rows::new(&row, 4, 4).unwrap()).is_ok());
    assert!(lit.finish().is_err());
}
