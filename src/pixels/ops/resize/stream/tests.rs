#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small numbers, made here"
)]

use super::*;

/// Noise over soft shapes: repeatable, with sharp edges.
pub(super) fn picture(size: Size, channels: usize, deepest: u32) -> Vec<u32> {
    let mut state = 1_u32;
    let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
    let samples = places.flat_map(|(x, y)| (0..channels as u32).map(move |own| (x, y, own)));
    samples
        .map(|(x, y, own)| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let edge = if (x / 9 + y / 7 + own) % 2 == 0 {
                200
            } else {
                30
            };
            (edge + (state >> 24) % 25 + (x + y) % 25) * deepest / 255
        })
        .collect()
}

/// What the result should be, before it is rounded: sums over all samples, in f64.
fn reference(samples: &[u32], stored: Size, channels: usize, cut: &Cut) -> Vec<f64> {
    let across = weights(cut.across());
    let down = weights(cut.down());
    let row = stored.width as usize * channels;
    let mut half = vec![0.0; across.len() * channels * stored.height as usize];
    let rows = half.chunks_exact_mut(across.len() * channels);
    for (half, row) in rows.zip(samples.chunks_exact(row)) {
        for (pixel, taps) in half.chunks_exact_mut(channels).zip(&across) {
            for (place, weight) in taps {
                for (own, sum) in pixel.iter_mut().enumerate() {
                    *sum += f64::from(row[place * channels + own]) * weight;
                }
            }
        }
    }
    let width = across.len() * channels;
    let column = |x: usize, taps: &[(usize, f64)]| {
        taps.iter()
            .map(|(y, weight)| half[y * width + x] * weight)
            .sum::<f64>()
    };
    down.iter()
        .flat_map(|taps| (0..width).map(move |x| column(x, taps)))
        .collect()
}

/// The filter as the books have it.
fn weights(side: Side) -> Vec<Vec<(usize, f64)>> {
    let scale = side.extent / f64::from(side.results);
    let stretch = scale.max(1.0);
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { x.sin() / x };
    let lanczos = |x: f64| {
        let angle = x * std::f64::consts::PI;
        if x.abs() < 3.0 {
            sinc(angle) * sinc(angle / 3.0)
        } else {
            0.0
        }
    };
    let result = |number: u32| {
        let centre = side.start + (f64::from(number) + 0.5) * scale;
        let drawn_low = side.start.floor().min(side.bounds.0.into()) as i64;
        let drawn_high = (side.start + side.extent).ceil().max(side.bounds.1.into()) as i64;
        let taps: Vec<_> = (drawn_low..drawn_high)
            .map(|place| {
                let own = place.clamp(side.bounds.0.into(), i64::from(side.bounds.1) - 1);
                (
                    own as usize,
                    lanczos((place as f64 + 0.5 - centre) / stretch),
                )
            })
            .filter(|(_, weight)| *weight != 0.0)
            .collect();
        let sum: f64 = taps.iter().map(|(_, weight)| weight).sum();
        taps.into_iter()
            .map(|(place, weight)| (place, weight / sum))
            .collect()
    };
    (0..side.results).map(result).collect()
}

fn resampled<S: Sample>(samples: &[S], stored: Size, channels: usize, cut: &Cut) -> Vec<S> {
    let mut resampler = Resampler::<S>::new(cut, channels);
    let held = resampler.held();
    assert!(
        Resampler::<S>::bytes(cut, channels) >= held,
        "{cut:?}: {held}"
    );
    let mut out = Vec::new();
    for row in samples.chunks_exact(stored.width as usize * channels) {
        let taken = resampler.take(row, &mut |row| {
            out.extend_from_slice(row);
            Ok(())
        });
        taken.unwrap();
    }
    assert!(resampler.is_done());
    out
}

impl<S: Sample> Resampler<S> {
    fn held(&self) -> u64 {
        let samples = self.block.len() + self.out.len();
        let lanes = self.gathered.len() + self.ring.len();
        let bytes = samples * size_of::<S>() + lanes * size_of::<Lane>();
        bytes as u64 + (self.across.weights.len() + self.down.weights.len()) as u64 * 4
    }
}

#[track_caller]
fn check(stored: (u32, u32), channels: usize, cut: Cut) {
    let stored = Size::new(stored.0, stored.1);
    let coded = picture(stored, channels, 255);
    let exact = reference(&coded, stored, channels, &cut);
    let bytes: Vec<u8> = coded.iter().map(|sample| *sample as u8).collect();
    let found = resampled(&bytes, stored, channels, &cut);
    assert_eq!(found.len(), exact.len());
    for (found, exact) in found.iter().zip(&exact) {
        let off = (f64::from(*found) - exact.clamp(0.0, 255.0)).abs();
        assert!(off < 0.6, "{found} for {exact}: {stored:?} to {cut:?}");
    }
    let deep = picture(stored, channels, 16_384);
    let exact = reference(&deep, stored, channels, &cut);
    let found = resampled(&paired(&deep, stored, channels), stored, channels, &cut);
    assert_eq!(found.len(), exact.len());
    for (found, exact) in found.iter().zip(&exact) {
        let off = (f64::from(*found) - exact).abs();
        assert!(off < 5.0, "{found} for {exact}: {stored:?} to {cut:?}");
    }
}

/// Pixels two by two, as they are taken; sides must be even unless there is one channel.
fn paired(samples: &[u32], stored: Size, channels: usize) -> Vec<i16> {
    assert!(channels == 1 || stored.width.is_multiple_of(2));
    if channels == 1 {
        return samples.iter().map(|sample| *sample as i16).collect();
    }
    let pair = |pair: &[u32]| -> Vec<i16> {
        let order = (0..channels).flat_map(|own| [own, own + channels]);
        order.map(|at| pair[at] as i16).collect()
    };
    samples.chunks_exact(2 * channels).flat_map(pair).collect()
}

fn cut(area: [f64; 4], bounds: [u32; 4], size: (u32, u32)) -> Cut {
    let [x, y, width, height] = area;
    let area = Area {
        x,
        y,
        width,
        height,
    };
    let [x, y, width, height] = bounds;
    let bounds = Rect {
        x,
        y,
        width,
        height,
    };
    let size = Size::new(size.0, size.1);
    Cut { area, bounds, size }
}

#[test]
fn results_are_those_of_the_filter() {
    for channels in 1..=4 {
        let whole = |from: (u32, u32), to: (u32, u32)| {
            let cut = Cut::whole(Size::new(from.0, from.1), Size::new(to.0, to.1));
            check(from, channels, cut);
        };
        whole((150, 112), (80, 60));
        whole((64, 48), (150, 97));
        whole((90, 70), (90, 35));
        whole((90, 70), (17, 70));
        whole((400, 300), (7, 5));
        whole((2, 2), (1, 1));
        whole((2, 1), (33, 9));
        whole((40, 300), (80, 2));
    }
    for stored in [(1, 1), (3, 5), (33, 17), (151, 113)] {
        check(
            stored,
            1,
            Cut::whole(Size::new(stored.0, stored.1), Size::new(20, 11)),
        );
    }
}

#[test]
fn cuts_lie_between_samples() {
    for channels in [1, 3] {
        let bounds = [5, 3, 80, 60];
        check(
            (100, 70),
            channels,
            cut([5.3, 3.9, 71.2, 50.4], bounds, (33, 21)),
        );
        check(
            (100, 70),
            channels,
            cut([15.0, 13.0, 40.0, 30.0], bounds, (61, 47)),
        );
        check(
            (100, 70),
            channels,
            cut([4.5, 2.5, 81.0, 61.0], bounds, (40, 30)),
        );
        check(
            (100, 70),
            channels,
            cut([99.0, 69.0, 1.0, 1.0], [99, 69, 1, 1], (3, 3)),
        );
    }
}

#[test]
fn flat_colours_stay() {
    for code in [0_u8, 1, 7, 128, 254, 255] {
        let flat = vec![code; 301 * 207];
        for size in [(97, 311), (300, 206), (1, 1), (301, 20)] {
            let cut = Cut::whole(Size::new(301, 207), Size::new(size.0, size.1));
            let found = resampled(&flat, Size::new(301, 207), 1, &cut);
            assert!(
                found.iter().all(|found| *found == code),
                "{code} to {size:?}"
            );
        }
    }
}

#[test]
fn another_resampler_agrees() {
    use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images};
    let (stored, size) = (Size::new(300, 225), Size::new(160, 120));
    // Without edges that the other one clips between the directions.
    let soft = (0..225_u32).flat_map(|y| (0..300_u32).map(move |x| (x, y)));
    let soft: Vec<u8> = soft
        .map(|(x, y)| (128.0 + 60.0 * (f64::from(x * y) / 700.0).sin() + f64::from(x % 9)) as u8)
        .collect();
    let from = images::ImageRef::new(300, 225, &soft, PixelType::U8).unwrap();
    let mut to = images::Image::new(160, 120, PixelType::U8);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new().resize(&from, &mut to, &options).unwrap();
    let ours = resampled(&soft, stored, 1, &Cut::whole(stored, size));
    let worst = ours
        .iter()
        .zip(to.buffer())
        .map(|(own, other)| own.abs_diff(*other))
        .max();
    assert!(worst <= Some(1), "{worst:?}");
}

#[test]
fn parts_that_keep_their_size_are_copies() {
    let bounds = [2, 2, 20, 20];
    let copy = |area, size| cut(area, bounds, size).as_copy();
    let rect = copy([3.0, 4.0, 5.0, 6.0], (5, 6));
    assert_eq!(rect.map(|rect| (rect.x, rect.y)), Some((3, 4)));
    assert_eq!(copy([3.0, 4.0, 5.0, 6.0], (5, 7)), None);
    assert_eq!(copy([3.5, 4.0, 5.0, 6.0], (5, 6)), None);
    assert_eq!(copy([1.0, 4.0, 5.0, 6.0], (5, 6)), None);
    assert_eq!(copy([18.0, 4.0, 5.0, 6.0], (5, 6)), None);
}
