//! Resampling in the numbers as they are coded, eight bits a sample: a third of the work of linear
//! light, and what most other programs do.

use std::cell::RefCell;

use fast_image_resize::{
    PixelTrait, Resizer,
    images::{TypedCroppedImage, TypedImage, TypedImageRef},
    pixels::{InnerPixel, U8, U8x2, U8x3, U8x4},
};

use super::{Work, broken, lanczos};
use crate::pixels::{
    bitmap::Layout,
    codec::{Cancel, Error},
    geometry::{Area, Rect, Size},
    planes::Plane,
};

/// Bytes that are held between the two directions of a resize: what a core's own cache holds.
const BAND_BYTES: usize = 512 << 10;

/// Source rows of a band whose colours are weighted by alpha, beside the filter's reach: the
/// weighted rows are a copy, and overlap with those of the next band.
const ALPHA_ROWS: f64 = 192.0;

/// Scratch that a thread keeps from one picture to the next. Fresh memory costs a page fault for
/// every 4 KiB; more than this is given back, for it belongs to no budget.
const KEPT_BYTES: usize = 2 << 20;

thread_local! {
    static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
}

/// Resamples `area` to `size`; no sample from outside of `bounds` is looked at. Alpha, where the
/// layout has it, weights the colours.
///
/// # Errors
/// [`Error::Cancelled`]; [`Error::Broken`] if the samples are fewer than the size says.
pub fn resize(
    samples: &[u8],
    stored: Size,
    layout: Layout,
    (area, bounds): (Area, Rect),
    size: Size,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let mut work = Work::new(stored, layout, area, bounds, size);
    work.band = band(&work);
    RESIZER.with_borrow_mut(|resizer| {
        let resized = match layout {
            Layout::Gray => bands::<U8>(&work, resizer, samples, stored, cancel),
            Layout::GrayAlpha => bands::<U8x2>(&work, resizer, samples, stored, cancel),
            Layout::Rgb => bands::<U8x3>(&work, resizer, samples, stored, cancel),
            Layout::Rgba | Layout::Cmyk => bands::<U8x4>(&work, resizer, samples, stored, cancel),
        };
        if resizer.size_of_internal_buffers() > KEPT_BYTES {
            resizer.reset_internal_buffers();
        }
        resized
    })
}

/// Resamples `area` of a plane to `size`. The area may reach beyond `bounds`, by some samples: its
/// edge is then drawn out. Nothing else from outside of `bounds` is looked at.
///
/// # Errors
/// As [`resize`].
pub fn plane(
    plane: &Plane,
    area: Area,
    bounds: Rect,
    size: Size,
    cancel: &Cancel,
) -> Result<Plane, Error> {
    let (left, right) = beyond(area.x, area.width, bounds.x, bounds.width);
    let (top, bottom) = beyond(area.y, area.height, bounds.y, bounds.height);
    let samples = if [left, right, top, bottom] == [0; 4] {
        resize(
            &plane.samples,
            plane.size,
            Layout::Gray,
            (area, bounds),
            size,
            cancel,
        )?
    } else {
        let (width, height) = (bounds.width + left + right, bounds.height + top + bottom);
        let framed = Size::new(width, height);
        let samples = frame(plane, bounds, (left, top), framed)?;
        let area = Area {
            x: area.x - f64::from(bounds.x) + f64::from(left),
            y: area.y - f64::from(bounds.y) + f64::from(top),
            ..area
        };
        let area = (area, Rect::whole(framed));
        resize(&samples, framed, Layout::Gray, area, size, cancel)?
    };
    Ok(Plane {
        size,
        extent: (size.width.into(), size.height.into()),
        samples,
    })
}

/// Samples that an extent reaches beyond its bounds, before and after.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` stops at 0, and areas end near the picture"
)]
fn beyond(start: f64, extent: f64, bounds: u32, length: u32) -> (u32, u32) {
    // Less than a hundredth of a sample is rounding.
    let whole = |samples: f64| {
        if samples > 0.01 {
            samples.ceil() as u32
        } else {
            0
        }
    };
    let before = f64::from(bounds) - start;
    let after = start + extent - f64::from(bounds) - f64::from(length);
    (whole(before), whole(after))
}

/// A copy of a part, its edges drawn out to a larger size; the part stands at `at`.
fn frame(plane: &Plane, part: Rect, at: (u32, u32), size: Size) -> Result<Vec<u8>, Error> {
    let (width, stored) = (size.width as usize, plane.size.width as usize);
    let (left, kept) = (at.0 as usize, part.width as usize);
    let mut samples = vec![0; width * size.height as usize];
    for (y, row) in (0..).zip(samples.chunks_exact_mut(width)) {
        let y = (y - i64::from(at.1)).clamp(0, i64::from(part.height) - 1);
        let y = usize::try_from(y).map_err(broken)? + part.y as usize;
        let start = y * stored + part.x as usize;
        let source = plane.samples.get(start..start + kept);
        let source = source.ok_or_else(|| broken("a row is missing"))?;
        let (before, rest) = row.split_at_mut(left);
        let (own, after) = rest.split_at_mut(kept);
        own.copy_from_slice(source);
        before.fill(source.first().copied().unwrap_or(0));
        after.fill(source.last().copied().unwrap_or(0));
    }
    Ok(samples)
}

/// Bytes that [`resize`] holds beside its source, its result included.
#[must_use]
pub fn bytes(stored: Size, layout: Layout, area: Area, size: Size) -> u64 {
    let mut work = Work::new(stored, layout, area, Rect::whole(stored), size);
    work.band = band(&work);
    let row = u64::from(work.columns.end - work.columns.start) * layout.channels() as u64;
    let between = row * u64::from(work.band);
    let weighted = if layout.has_alpha() {
        // And what the allocator rounds up, as measured.
        2 * row * work.window_rows() as u64
    } else {
        0
    };
    let result = size.pixels() * layout.channels() as u64;
    between + weighted + result + work.weight_bytes() + KEPT_BYTES as u64
}

/// Output rows at a time.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the output's height"
)]
fn band(work: &Work) -> u32 {
    let row = (work.columns.end - work.columns.start) as usize * work.layout.channels();
    let rows = u32::try_from(BAND_BYTES / row.max(1)).unwrap_or(u32::MAX);
    let rows = if work.layout.has_alpha() {
        rows.min((ALPHA_ROWS / work.scale) as u32)
    } else {
        rows
    };
    rows.clamp(1, work.size.height)
}

fn bands<P: PixelTrait + InnerPixel<Component = u8>>(
    work: &Work,
    resizer: &mut Resizer,
    samples: &[u8],
    stored: Size,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let source = TypedImageRef::<P>::from_buffer(stored.width, stored.height, samples);
    let source = source.map_err(broken)?;
    let row = work.size.width as usize * work.layout.channels();
    let mut out = vec![0; row * work.size.height as usize];
    let columns = work.columns.end - work.columns.start;
    for (top, band) in (0..)
        .step_by(work.band as usize)
        .zip(out.chunks_mut(row * work.band as usize))
    {
        cancel.check()?;
        let bottom = (top + work.band).min(work.size.height);
        let rows = work.source_rows(top, bottom);
        let height = rows.end - rows.start;
        let part =
            TypedCroppedImage::from_ref(&source, work.columns.start, rows.start, columns, height);
        let part = part.map_err(broken)?;
        let mut target =
            TypedImage::<P>::from_buffer(work.size.width, bottom - top, band).map_err(broken)?;
        let (y, extent) = work.within(&rows, top, bottom);
        let x = work.area.x - f64::from(work.columns.start);
        let width = work.area.width.min(f64::from(columns) - x);
        let options = lanczos()
            .use_alpha(work.layout.has_alpha())
            .crop(x, y, width, extent);
        resizer
            .resize_typed(&part, &mut target, &options)
            .map_err(broken)?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(layout: Layout, size: Size, pixel: impl Fn(u32, u32) -> Vec<u8>) -> Vec<u8> {
        let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
        let samples: Vec<u8> = places.flat_map(|(x, y)| pixel(x, y)).collect();
        assert_eq!(
            samples.len() as u64,
            size.pixels() * layout.channels() as u64
        );
        samples
    }

    fn whole(layout: Layout, samples: &[u8], stored: Size, size: Size) -> Vec<u8> {
        let bounds = Rect::whole(stored);
        let area = (bounds.into(), bounds);
        resize(samples, stored, layout, area, size, &Cancel::default()).unwrap()
    }

    #[test]
    fn black_and_white_make_the_middle_code() {
        let stored = Size::new(64, 64);
        let lines = drawn(Layout::Gray, stored, |x, _| {
            vec![if x % 2 == 0 { 0 } else { 255 }]
        });
        let gray = whole(Layout::Gray, &lines, stored, Size::new(8, 8));
        // At the edges the filter weights one colour more than the other.
        let inner = gray.chunks_exact(8).flat_map(|row| &row[3..5]);
        assert!(
            inner.into_iter().all(|sample| sample.abs_diff(128) <= 1),
            "{gray:?}"
        );
    }

    #[test]
    fn one_colour_stays_in_every_layout() {
        let (stored, size) = (Size::new(301, 207), Size::new(97, 311));
        for (layout, pixel) in [
            (Layout::Gray, &[7][..]),
            (Layout::GrayAlpha, &[90, 255]),
            (Layout::Rgb, &[10, 200, 30]),
            (Layout::Rgba, &[255, 0, 77, 255]),
            (Layout::Cmyk, &[1, 2, 3, 4]),
        ] {
            let samples = drawn(layout, stored, |_, _| pixel.to_vec());
            let resized = whole(layout, &samples, stored, size);
            assert!(
                resized.chunks(pixel.len()).all(|found| found == pixel),
                "{layout:?}"
            );
        }
    }

    #[test]
    fn clear_pixels_lend_no_colour() {
        let stored = Size::new(40, 40);
        let half = drawn(Layout::Rgba, stored, |x, _| {
            if x < 20 {
                vec![255, 0, 0, 255]
            } else {
                vec![0, 255, 0, 0]
            }
        });
        let resized = whole(Layout::Rgba, &half, stored, Size::new(9, 9));
        let mut seen = resized.chunks_exact(4).filter(|pixel| pixel[3] > 32);
        assert!(
            seen.all(|pixel| pixel[0] > 250 && pixel[1] < 5),
            "{resized:?}"
        );
    }

    /// Bands must meet without a seam: a picture of many bands is the same as its transpose.
    #[test]
    fn bands_do_not_show() {
        let pixel = |x: u32, y: u32| vec![64 + ((x * 7 + y * 13 + x / 3) % 128) as u8, 255];
        let (tall, wide) = (Size::new(3000, 900), Size::new(900, 3000));
        let one = drawn(Layout::GrayAlpha, tall, pixel);
        let other = drawn(Layout::GrayAlpha, wide, |x, y| pixel(y, x));
        let one = whole(Layout::GrayAlpha, &one, tall, Size::new(1000, 700));
        let other = whole(Layout::GrayAlpha, &other, wide, Size::new(700, 1000));
        for y in 0..700 {
            for x in 0..1000 {
                let (a, b) = (one[(y * 1000 + x) * 2], other[(x * 700 + y) * 2]);
                assert!(a.abs_diff(b) <= 2, "{a} and {b} at {x}, {y}");
            }
        }
    }

    #[test]
    fn nothing_beyond_the_bounds_is_looked_at() {
        let stored = Size::new(60, 60);
        let inside = |x, y| (20..40).contains(&x) && (20..40).contains(&y);
        let picture = drawn(Layout::Gray, stored, |x, y| {
            vec![if inside(x, y) { 50 } else { 250 }]
        });
        let bounds = Rect {
            x: 20,
            y: 20,
            width: 20,
            height: 20,
        };
        let cancel = Cancel::default();
        let area = (bounds.into(), bounds);
        let cut = resize(
            &picture,
            stored,
            Layout::Gray,
            area,
            Size::new(7, 9),
            &cancel,
        );
        assert!(cut.unwrap().iter().all(|sample| *sample == 50));
    }

    #[test]
    fn fewer_samples_than_pixels_are_refused() {
        let (stored, cancel) = (Size::new(4, 4), Cancel::default());
        let bounds = Rect::whole(stored);
        let area = (bounds.into(), bounds);
        let short = resize(
            &[0; 15],
            stored,
            Layout::Gray,
            area,
            Size::new(2, 2),
            &cancel,
        );
        assert!(matches!(short, Err(Error::Broken { .. })));
        cancel.cancel();
        let late = resize(
            &[0; 16],
            stored,
            Layout::Gray,
            area,
            Size::new(2, 2),
            &cancel,
        );
        assert!(matches!(late, Err(Error::Cancelled)));
    }
}
