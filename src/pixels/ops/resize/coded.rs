//! Resampling in the numbers as they are coded, eight bits a sample: what most other programs do,
//! and less work than linear light.
#![expect(
    clippy::inline_always,
    reason = "what runs at each pixel has to be part of the code that is made for the processor"
)]

use super::{
    broken, inside,
    stream::{Cut, Resampler},
};
use crate::pixels::{
    bitmap::Layout,
    codec::{Cancel, Error, processor},
    geometry::{Area, Rect, Size},
    planes::Plane,
    rows::{Rows, Shape, Sink, unannounced},
};

/// Rows after which somebody may have hung up.
const CHECKED_ROWS: usize = 64;

/// Codes of what is weighted by alpha are counted in parts of so much: as fine as what is not
/// weighted stands between the two directions.
const WEIGHTED: u16 = 64;

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
    let cut = Cut {
        area: inside(area, bounds),
        bounds,
        size,
    };
    let shape = Shape::whole(stored, layout.channels());
    all(samples, &shape, layout.has_alpha(), &cut, cancel)
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
    let cut = Cut { area, bounds, size };
    let samples = all(&plane.samples, &Shape::of(plane), false, &cut, cancel)?;
    Ok(Plane {
        size,
        extent: (size.width.into(), size.height.into()),
        samples,
    })
}

fn all(
    samples: &[u8],
    shape: &Shape,
    alpha: bool,
    cut: &Cut,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    if samples.len() != shape.row() * shape.size.height as usize {
        return Err(broken("other samples than the size says"));
    }
    let mut part = Part::new(cut, shape, alpha);
    let size = cut.size.width as usize * cut.size.height as usize;
    let mut out = Vec::with_capacity(size * shape.channels);
    for (number, row) in samples.chunks_exact(shape.row()).enumerate() {
        if number % CHECKED_ROWS == 0 {
            cancel.check()?;
        }
        part.take(row, &mut |row| {
            out.extend_from_slice(row);
            Ok(())
        })?;
    }
    Ok(out)
}

/// Bytes that [`resize`] holds beside its source, its result included.
#[must_use]
pub fn bytes(stored: Size, layout: Layout, area: Area, size: Size) -> u64 {
    let cut = Cut {
        area,
        ..Cut::whole(stored, size)
    };
    let result = size.pixels() * layout.channels() as u64;
    result + Resampled::bytes(&cut, layout.channels(), layout.has_alpha())
}

/// Resamples rows that come, each plane in its own way, and hands on what it makes.
pub struct Resampled<'a> {
    cut: &'a dyn Fn(usize, &Shape) -> Cut,
    alpha: bool,
    parts: Vec<Part>,
    next: &'a mut dyn Sink,
}

impl std::fmt::Debug for Resampled<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampled")
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}

impl<'a> Resampled<'a> {
    /// Where each plane is cut is asked once its shape is known. With `alpha`, the last sample of
    /// each pixel weights the others.
    pub fn new(cut: &'a dyn Fn(usize, &Shape) -> Cut, alpha: bool, next: &'a mut dyn Sink) -> Self {
        Self {
            cut,
            alpha,
            parts: Vec::new(),
            next,
        }
    }

    /// Bytes that are held for one plane.
    #[must_use]
    pub fn bytes(cut: &Cut, channels: usize, alpha: bool) -> u64 {
        if alpha {
            let row = u64::from(cut.size.width) * channels as u64;
            Resampler::<i16>::bytes(cut, channels) + row
        } else {
            Resampler::<u8>::bytes(cut, channels)
        }
    }

    /// After the last row.
    ///
    /// # Errors
    /// [`Error::Broken`] if rows are missing.
    pub fn finish(self) -> Result<(), Error> {
        let done = self.parts.iter().all(Part::is_done);
        done.then_some(()).ok_or_else(unannounced)
    }
}

impl Sink for Resampled<'_> {
    fn begin(&mut self, planes: &[Shape]) -> Result<(), Error> {
        let mut results = Vec::with_capacity(planes.len());
        self.parts.clear();
        for (number, shape) in planes.iter().enumerate() {
            let cut = (self.cut)(number, shape);
            self.parts.push(match self.parts.last() {
                Some(last) => last.beside(&cut, shape),
                None => Part::new(&cut, shape, self.alpha),
            });
            results.push(Shape::whole(cut.size, shape.channels));
        }
        self.next.begin(&results)
    }

    fn take(&mut self, plane: usize, rows: Rows<'_>) -> Result<(), Error> {
        let part = self.parts.get_mut(plane).ok_or_else(unannounced)?;
        let next = &mut self.next;
        for row in rows.iter() {
            part.take(row, &mut |row| {
                next.take(plane, Rows::new(row, row.len(), row.len())?)
            })?;
        }
        Ok(())
    }
}

/// One plane on its way.
#[derive(Debug)]
pub(super) struct Part {
    cut: Cut,
    /// Samples of a source row.
    row: usize,
    channels: usize,
    /// Source rows that have come.
    come: u32,
    work: Work,
}

#[derive(Debug)]
enum Work {
    /// A part of the source as it is.
    Copy(Rect),
    Plain(Box<Resampler<u8>>),
    /// Colours as much as their alpha; a row of the result as it goes out.
    Weighted(Box<Resampler<i16>>, Vec<u8>),
}

impl Part {
    /// Another of the same kind; where the cut is the same too, it costs no weights.
    pub(super) fn beside(&self, cut: &Cut, shape: &Shape) -> Self {
        match &self.work {
            Work::Plain(resampler) if self.cut == *cut && self.channels == shape.channels => Self {
                cut: *cut,
                row: shape.row(),
                channels: shape.channels,
                come: 0,
                work: Work::Plain(Box::new(resampler.twin(cut))),
            },
            work => Self::new(cut, shape, matches!(work, Work::Weighted(..))),
        }
    }

    pub(super) fn new(cut: &Cut, shape: &Shape, alpha: bool) -> Self {
        let channels = shape.channels;
        let work = match cut.as_copy() {
            Some(rect) => Work::Copy(rect),
            None if alpha => {
                let row = vec![0; cut.size.width as usize * channels];
                Work::Weighted(Box::new(Resampler::new(cut, channels)), row)
            }
            None => Work::Plain(Box::new(Resampler::new(cut, channels))),
        };
        Self {
            cut: *cut,
            row: shape.row(),
            channels,
            come: 0,
            work,
        }
    }

    pub(super) fn take(
        &mut self,
        row: &[u8],
        out: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if row.len() != self.row {
            return Err(unannounced());
        }
        let number = self.come;
        self.come = self.come.saturating_add(1);
        match &mut self.work {
            Work::Copy(rect) => {
                let columns = rect.x as usize..(rect.x + rect.width) as usize;
                let samples = columns.start * self.channels..columns.end * self.channels;
                match row.get(samples) {
                    Some(_) if number < rect.y || number - rect.y >= rect.height => Ok(()),
                    Some(samples) => out(samples),
                    None => Err(unannounced()),
                }
            }
            Work::Plain(resampler) => resampler.take(row, out),
            Work::Weighted(resampler, result) => {
                let columns = resampler.columns();
                let own = columns.start * self.channels..columns.end * self.channels;
                let own = row.get(own).ok_or_else(unannounced)?;
                if let Some(place) = resampler.place() {
                    weight(own, self.channels, place);
                }
                resampler.advance(&mut |weighted| {
                    unweight(weighted, self.channels, result);
                    out(result)
                })
            }
        }
    }

    fn is_done(&self) -> bool {
        match &self.work {
            Work::Copy(rect) => self.come >= rect.y + rect.height,
            Work::Plain(resampler) => resampler.is_done(),
            Work::Weighted(resampler, _) => resampler.is_done(),
        }
    }
}

/// Colours as much as their alpha, in the order in which a resampler takes numbers: gray, or RGB.
fn weight(pixels: &[u8], channels: usize, place: &mut [i16]) {
    if channels == 2 {
        processor::fastest(Weight::<2>(pixels, place));
    } else {
        processor::fastest(Weight::<4>(pixels, place));
    }
}

struct Weight<'a, const CHANNELS: usize>(&'a [u8], &'a mut [i16]);

impl<const CHANNELS: usize> processor::Work for Weight<'_, CHANNELS> {
    type Done = ();

    #[inline(always)]
    fn run(self) {
        let (pairs, last) = self.0.as_chunks::<CHANNELS>().0.as_chunks::<2>();
        let places = self.1.as_chunks_mut::<CHANNELS>().0;
        let mut places = places.as_chunks_mut::<2>().0.iter_mut();
        for (pair, place) in pairs.iter().zip(places.by_ref()) {
            *place = weighted_pair(*pair);
        }
        if let ([last], Some(place)) = (last, places.next()) {
            *place = weighted_pair([*last, [0; CHANNELS]]);
        }
    }
}

/// Of each channel both samples.
#[inline(always)]
fn weighted_pair<const CHANNELS: usize>(pair: [[u8; CHANNELS]; 2]) -> [[i16; CHANNELS]; 2] {
    let mut sorted = [[0; CHANNELS]; 2];
    for (at, pixel) in pair.iter().enumerate() {
        let alpha = u32::from(pixel[CHANNELS - 1]);
        for (channel, colour) in pixel.iter().enumerate() {
            let last = channel == CHANNELS - 1;
            let colour = if last { 255 } else { u32::from(*colour) };
            sorted.as_flattened_mut()[channel * 2 + at] = weighted(colour, alpha);
        }
    }
    sorted
}

/// `colour * alpha / 255`, in parts of [`WEIGHTED`].
#[inline(always)]
fn weighted(colour: u32, alpha: u32) -> i16 {
    // A multiplication and a shift, so that several pixels at a time are one.
    const SHARE: u32 = (WEIGHTED as u32 * 65_536 + 127) / 255;
    ((colour * alpha * SHARE + 32_768) >> 16) as i16
}

/// Eight bits again, colours as they were.
fn unweight(weighted: &[i16], channels: usize, result: &mut [u8]) {
    if channels == 2 {
        processor::fastest(Unweight::<2>(weighted, result));
    } else {
        processor::fastest(Unweight::<4>(weighted, result));
    }
}

struct Unweight<'a, const CHANNELS: usize>(&'a [i16], &'a mut [u8]);

impl<const CHANNELS: usize> processor::Work for Unweight<'_, CHANNELS> {
    type Done = ();

    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` clamps"
    )]
    fn run(self) {
        let pixels = self.0.as_chunks::<CHANNELS>().0;
        let results = self.1.as_chunks_mut::<CHANNELS>().0;
        for (pixel, result) in pixels.iter().zip(results) {
            let alpha = f32::from(pixel[CHANNELS - 1]);
            let share = if alpha > 0.0 { 255.0 / alpha } else { 0.0 };
            for (result, &colour) in result.iter_mut().zip(pixel) {
                *result = (f32::from(colour) * share + 0.5) as u8;
            }
            result[CHANNELS - 1] = (alpha / f32::from(WEIGHTED) + 0.5) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::rows::{Kept, pour};

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

    /// Rows that are passed on are those that a whole plane is resampled to.
    #[test]
    fn planes_may_come_row_by_row() {
        let noise = |width: u32, height: u32| Plane {
            size: Size::new(width, height),
            extent: (f64::from(width) - 0.25, height.into()),
            samples: drawn(Layout::Gray, Size::new(width, height), |x, y| {
                vec![u8::try_from(((x * 31) ^ (y * 17)) % 256).unwrap()]
            }),
        };
        let planes = [noise(90, 67), noise(45, 34), noise(45, 34)];
        let cut = |number: usize, shape: &Shape| Cut {
            area: Area {
                x: 0.5,
                y: 0.0,
                width: shape.extent.0 - 0.5,
                height: shape.extent.1,
            },
            ..Cut::whole(shape.size, Size::new(if number == 0 { 40 } else { 20 }, 11))
        };
        let mut kept = Kept::default();
        let mut resampled = Resampled::new(&cut, false, &mut kept);
        pour(&planes.each_ref(), &mut resampled).unwrap();
        resampled.finish().unwrap();
        for (number, (found, source)) in kept.finish().unwrap().iter().zip(&planes).enumerate() {
            let cut = cut(number, &Shape::of(source));
            let own = plane(source, cut.area, cut.bounds, cut.size, &Cancel::default());
            assert_eq!(*found, own.unwrap());
        }
        let mut kept = Kept::default();
        let mut resampled = Resampled::new(&cut, false, &mut kept);
        resampled.begin(&[Shape::of(&planes[0])]).unwrap();
        let short = Rows::new(&planes[0].samples[..80], 80, 80).unwrap();
        assert!(resampled.take(0, short).is_err());
        assert!(resampled.take(1, short).is_err());
        assert!(resampled.finish().is_err());
    }

    /// What is cut out and keeps its size keeps its codes.
    #[test]
    fn copies_are_exact() {
        let stored = Size::new(20, 10);
        let picture = drawn(Layout::Rgba, stored, |x, y| {
            vec![u8::try_from(x).unwrap(), u8::try_from(y).unwrap(), 3, 17]
        });
        let bounds = Rect {
            x: 3,
            y: 2,
            width: 9,
            height: 7,
        };
        let area = (bounds.into(), bounds);
        let cancel = Cancel::default();
        let cut = resize(&picture, stored, Layout::Rgba, area, bounds.size(), &cancel).unwrap();
        assert_eq!(cut[..4], [3, 2, 3, 17]);
        assert_eq!(cut[cut.len() - 4..], [11, 8, 3, 17]);
    }
}
