//! Resampling: Lanczos (three lobes), colours weighted by their alpha; here in linear light, in
//! [`coded`] in the numbers as they are.
//!
//! A picture is never held as light as a whole. Strips of rows are looked up, resized across, and
//! kept in a window of just as many rows as the next band of output rows is made of; the band is
//! resized down, looked up again, and the window moves on.

pub mod coded;
pub mod light;
pub mod lit;
pub mod stream;

use std::ops::Range;

use fast_image_resize::{
    FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::{InnerPixel, U16, U16x2, U16x3, U16x4},
};

use crate::pixels::{
    bitmap::{Bitmap, Layout, Samples},
    codec::{Cancel, Error},
    colour::curve::{Curve, Sample, Tables},
    geometry::{Area, Rect, Size},
};

/// Lobes of the filter: source pixels that it reaches to either side, where nothing is shrunk.
const LOBES: f64 = 3.0;

/// Source rows that one band of output rows is made of, beside the filter's reach. Each band costs
/// its overlap with the next, and a larger window costs memory and cache.
const BAND_ROWS: f64 = 192.0;

/// Bytes of a strip of light. Each strip computes the filter's weights anew, which is noise from a
/// hundred rows on.
const STRIP_BYTES: usize = 4 << 20;

/// Rows of a strip at least.
const STRIP_ROWS: usize = 16;

/// Resamples `area` of the bitmap to `size`. No sample from outside of `bounds` is looked at: the
/// filter reaches beyond the area, but must not reach beyond what the recipe cut out.
///
/// # Errors
/// [`Error::Cancelled`]; [`Error::Broken`] if the bitmap is shorter than its size says.
pub fn resize(
    bitmap: &Bitmap,
    area: Area,
    bounds: Rect,
    size: Size,
    curve: &Curve,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    if !bitmap.is_complete() {
        return Err(broken("the bitmap is shorter than its size says"));
    }
    let job = Work::new(bitmap.size, bitmap.layout, area, bounds, size);
    let samples = match &bitmap.samples {
        Samples::U8(samples) => Samples::U8(job.run(samples, &curve.tables(), cancel)?),
        Samples::U16(samples) => Samples::U16(job.run(samples, &curve.tables(), cancel)?),
    };
    Ok(Bitmap {
        size,
        layout: bitmap.layout,
        samples,
        colour: bitmap.colour.clone(),
    })
}

/// Bytes that [`resize`] holds beside its source, its result included.
#[must_use]
pub fn bytes(source: Size, layout: Layout, deep: bool, area: Area, size: Size) -> u64 {
    let work = Work::new(source, layout, area, Rect::whole(source), size);
    let pixel = layout.channels() as u64 * 2;
    let window = work.window_rows() as u64 * u64::from(size.width) * pixel;
    let columns = u64::from(work.columns.end - work.columns.start);
    let strip = work.strip_rows() as u64 * columns * pixel;
    let band = u64::from(work.band) * u64::from(size.width) * pixel;
    let result = size.pixels() * layout.channels() as u64 * if deep { 2 } else { 1 };
    // Tables of both directions.
    let tables = 512 << 10;
    window + strip + band + result + tables + work.weight_bytes()
}

/// One resize, its geometry settled.
struct Work {
    layout: Layout,
    stride: u32,
    area: Area,
    size: Size,
    /// Source columns that the filter reaches.
    columns: Range<u32>,
    /// Source rows that it may reach.
    rows: Range<u32>,
    /// Output rows at a time.
    band: u32,
    /// Source rows an output row.
    scale: f64,
    /// Source rows that the filter reaches beyond a band.
    reach: f64,
}

impl Work {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the picture's sides"
    )]
    fn new(source: Size, layout: Layout, area: Area, bounds: Rect, size: Size) -> Self {
        let area = inside(area, bounds);
        let reach = |extent: f64, side: u32| LOBES * (extent / f64::from(side)).max(1.0) + 1.0;
        let reach_x = reach(area.width, size.width);
        let first = (area.x - reach_x).floor().max(bounds.x.into()) as u32;
        let last = (area.x + area.width + reach_x)
            .ceil()
            .min(f64::from(bounds.x) + f64::from(bounds.width)) as u32;
        let scale = area.height / f64::from(size.height);
        let band = (BAND_ROWS / scale).clamp(1.0, f64::from(size.height)) as u32;
        Self {
            layout,
            stride: source.width,
            area,
            size,
            columns: first..last.max(first + 1),
            rows: bounds.y..bounds.y + bounds.height,
            band,
            scale,
            reach: reach(area.height, size.height),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most the picture's height"
    )]
    fn window_rows(&self) -> usize {
        let rows = f64::from(self.band) * self.scale + 2.0 * self.reach + 2.0;
        rows.min(f64::from(self.rows.end - self.rows.start)) as usize
    }

    /// The filter's weights: up to 7 lobes wide, 8 and 2 bytes.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sides of a picture"
    )]
    fn weight_bytes(&self) -> u64 {
        let lobes = (self.area.width + self.area.height) * 7.0 * 10.0;
        (lobes + f64::from(self.size.width) * 64.0) as u64
    }

    fn strip_rows(&self) -> usize {
        let row = (self.columns.end - self.columns.start) as usize * self.layout.channels() * 2;
        let rows = (STRIP_BYTES / row).max(STRIP_ROWS);
        rows.min((self.rows.end - self.rows.start) as usize)
    }

    fn run<S: Sample>(
        &self,
        samples: &[S],
        tables: &Tables<S>,
        cancel: &Cancel,
    ) -> Result<Vec<S>, Error> {
        match self.layout {
            Layout::Gray => self.bands::<S, U16>(samples, tables, cancel),
            Layout::GrayAlpha => self.bands::<S, U16x2>(samples, tables, cancel),
            Layout::Rgb => self.bands::<S, U16x3>(samples, tables, cancel),
            Layout::Rgba | Layout::Cmyk => self.bands::<S, U16x4>(samples, tables, cancel),
        }
    }

    fn bands<S, P>(
        &self,
        samples: &[S],
        tables: &Tables<S>,
        cancel: &Cancel,
    ) -> Result<Vec<S>, Error>
    where
        S: Sample,
        P: PixelTrait + InnerPixel<Component = u16>,
    {
        let width = self.size.width as usize;
        let mut out =
            Vec::with_capacity(width * self.size.height as usize * self.layout.channels());
        let mut window = Window::<P>::new(self);
        let mut band = vec![P::empty(); width * self.band as usize];
        let mut resizer = Resizer::new();
        for top in (0..self.size.height).step_by(self.band as usize) {
            let bottom = (top + self.band).min(self.size.height);
            let rows = self.source_rows(top, bottom);
            window.move_to(rows.clone(), samples, tables, cancel)?;
            let count = bottom - top;
            let band = &mut band[..width * count as usize];
            let (from_y, extent) = self.within(&rows, top, bottom);
            let source = TypedImageRef::new(self.size.width, rows.end - rows.start, &window.pixels)
                .map_err(broken)?;
            let mut target =
                TypedImage::from_pixels_slice(self.size.width, count, band).map_err(broken)?;
            let options = lanczos().crop(0.0, from_y, self.size.width.into(), extent);
            resizer
                .resize_typed(&source, &mut target, &options)
                .map_err(broken)?;
            from_light(P::components(band), &mut out, self.layout, tables);
        }
        Ok(out)
    }

    /// Where output rows begin in source rows that are held, and how many of those they span.
    fn within(&self, rows: &Range<u32>, top: u32, bottom: u32) -> (f64, f64) {
        let from_y = self.area.y + f64::from(top) * self.scale - f64::from(rows.start);
        let available = f64::from(rows.end - rows.start);
        let from_y = from_y.min(available - f64::MIN_POSITIVE).max(0.0);
        let extent = (f64::from(bottom - top) * self.scale).min(available - from_y);
        (from_y, extent)
    }

    /// Source rows that output rows are made of.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the picture's height"
    )]
    fn source_rows(&self, top: u32, bottom: u32) -> Range<u32> {
        let from = self.area.y + f64::from(top) * self.scale - self.reach;
        let to = self.area.y + f64::from(bottom) * self.scale + self.reach;
        let (least, most) = (f64::from(self.rows.start), f64::from(self.rows.end));
        let start = from.floor().clamp(least, most - 1.0) as u32;
        start..(to.ceil().clamp(least, most) as u32).max(start + 1)
    }
}

/// Source rows as light, resized across; moves down the picture.
struct Window<'a, P> {
    work: &'a Work,
    resizer: Resizer,
    /// Which source rows are held.
    rows: Range<u32>,
    pixels: Vec<P>,
    strip: Vec<P>,
}

impl<'a, P: PixelTrait + InnerPixel<Component = u16>> Window<'a, P> {
    fn new(work: &'a Work) -> Self {
        Self {
            work,
            resizer: Resizer::new(),
            rows: 0..0,
            pixels: Vec::with_capacity(work.window_rows() * work.size.width as usize),
            strip: Vec::new(),
        }
    }

    /// Forgets what lies above, and adds what is missing below.
    fn move_to<S: Sample>(
        &mut self,
        rows: Range<u32>,
        samples: &[S],
        tables: &Tables<S>,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let width = self.work.size.width as usize;
        if rows.start >= self.rows.end {
            self.pixels.clear();
            self.rows = rows.start..rows.start;
        } else {
            let gone = rows.start.saturating_sub(self.rows.start);
            self.pixels.drain(..gone as usize * width);
            self.rows.start += gone;
        }
        let step = self.work.strip_rows();
        while self.rows.end < rows.end {
            cancel.check()?;
            let count = step.min((rows.end - self.rows.end) as usize);
            self.add(count, samples, tables)?;
        }
        Ok(())
    }

    fn add<S: Sample>(
        &mut self,
        count: usize,
        samples: &[S],
        tables: &Tables<S>,
    ) -> Result<(), Error> {
        let work = self.work;
        let channels = work.layout.channels();
        let columns = (work.columns.end - work.columns.start) as usize;
        self.strip.resize(columns * count, P::empty());
        let light = P::components_mut(&mut self.strip);
        for (row, light) in
            (self.rows.end as usize..).zip(light.chunks_exact_mut(columns * channels))
        {
            let from = (row * work.stride as usize + work.columns.start as usize) * channels;
            let coded = samples
                .get(from..from + columns * channels)
                .ok_or_else(|| broken("a row is missing"))?;
            to_light(coded, light, work.layout, tables);
        }
        let held = self.pixels.len();
        let width = work.size.width;
        self.pixels
            .resize(held + width as usize * count, P::empty());
        let rows = u32::try_from(count).map_err(broken)?;
        let source = TypedImageRef::new(work.columns.end - work.columns.start, rows, &self.strip)
            .map_err(broken)?;
        let mut target =
            TypedImage::from_pixels_slice(width, rows, &mut self.pixels[held..]).map_err(broken)?;
        let from_x = work.area.x - f64::from(work.columns.start);
        let options = lanczos().crop(from_x, 0.0, work.area.width, rows.into());
        self.resizer
            .resize_typed(&source, &mut target, &options)
            .map_err(broken)?;
        self.rows.end += rows;
        Ok(())
    }
}

/// The area, cut to the bounds: rounding may leave it a hair outside.
fn inside(area: Area, bounds: Rect) -> Area {
    let bounds = Area::from(bounds);
    let within = |start: f64, extent: f64, least: f64, room: f64| {
        // A thousandth of a pixel stands for an area that is nothing but rounding.
        let extent = extent.clamp(0.001, room);
        (start.clamp(least, least + room - extent), extent)
    };
    let (x, width) = within(area.x, area.width, bounds.x, bounds.width);
    let (y, height) = within(area.y, area.height, bounds.y, bounds.height);
    Area {
        x,
        y,
        width: width.min(bounds.x + bounds.width - x),
        height: height.min(bounds.y + bounds.height - y),
    }
}

fn lanczos() -> ResizeOptions {
    ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .use_alpha(false)
}

fn to_light<S: Sample>(coded: &[S], light: &mut [u16], layout: Layout, tables: &Tables<S>) {
    let look_up = |sample: S| tables.to_light[sample.index()];
    if !layout.has_alpha() {
        for (light, &coded) in light.iter_mut().zip(coded) {
            *light = look_up(coded);
        }
        return;
    }
    let channels = layout.channels();
    for (coded, light) in coded
        .chunks_exact(channels)
        .zip(light.chunks_exact_mut(channels))
    {
        let alpha = coded[channels - 1].widened();
        for (light, &coded) in light.iter_mut().zip(coded) {
            *light = weighted(look_up(coded), alpha);
        }
        light[channels - 1] = alpha;
    }
}

fn from_light<S: Sample>(light: &[u16], out: &mut Vec<S>, layout: Layout, tables: &Tables<S>) {
    let look_up = |light: u16| tables.from_light[usize::from(light)];
    if !layout.has_alpha() {
        out.extend(light.iter().copied().map(look_up));
        return;
    }
    for pixel in light.chunks_exact(layout.channels()) {
        let (alpha, colours) = pixel.split_last().unwrap_or((&0, &[]));
        out.extend(
            colours
                .iter()
                .map(|&colour| look_up(unweighted(colour, *alpha))),
        );
        out.push(S::narrowed(*alpha));
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a share of 65535")]
fn weighted(colour: u16, alpha: u16) -> u16 {
    ((u32::from(colour) * u32::from(alpha) + 32_767) / 65_535) as u16
}

#[expect(clippy::cast_possible_truncation, reason = "at most 65535")]
fn unweighted(colour: u16, alpha: u16) -> u16 {
    let (colour, alpha) = (u32::from(colour.min(alpha)), u32::from(alpha));
    (colour * 65_535 + alpha / 2)
        .checked_div(alpha)
        .unwrap_or(0) as u16
}

fn broken(cause: impl std::fmt::Display) -> Error {
    Error::Broken {
        cause: format!("resize: {cause}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::bitmap::Colour;

    fn bitmap(
        layout: Layout,
        width: u32,
        height: u32,
        pixel: impl Fn(u32, u32) -> Vec<u8>,
    ) -> Bitmap {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Bitmap {
            size: Size::new(width, height),
            layout,
            samples: Samples::U8(places.flat_map(|(x, y)| pixel(x, y)).collect()),
            colour: Colour::Srgb,
        }
    }

    fn whole(bitmap: &Bitmap, width: u32, height: u32) -> Bitmap {
        let bounds = Rect::whole(bitmap.size);
        let size = Size::new(width, height);
        resize(
            bitmap,
            bounds.into(),
            bounds,
            size,
            &Curve::srgb(),
            &Cancel::default(),
        )
        .unwrap()
    }

    fn samples(bitmap: &Bitmap) -> &[u8] {
        match &bitmap.samples {
            Samples::U8(samples) => samples,
            Samples::U16(_) => panic!("eight bits become eight bits"),
        }
    }

    #[test]
    fn a_plain_picture_stays_plain() {
        for (layout, pixel) in [
            (Layout::Gray, vec![90]),
            (Layout::GrayAlpha, vec![90, 128]),
            (Layout::Rgb, vec![200, 100, 3]),
            (Layout::Rgba, vec![200, 100, 30, 77]),
            (Layout::Cmyk, vec![9, 8, 7, 6]),
        ] {
            let plain = bitmap(layout, 301, 203, |_, _| pixel.clone());
            for (width, height) in [(100, 77), (301, 50), (50, 203), (700, 500), (1, 1)] {
                let resized = whole(&plain, width, height);
                assert!(resized.is_complete());
                for found in samples(&resized).chunks_exact(pixel.len()) {
                    let off = found.iter().zip(&pixel).map(|(a, b)| a.abs_diff(*b)).max();
                    assert!(off <= Some(1), "{layout:?} {width}×{height}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn light_is_averaged_and_not_numbers() {
        // Black and white in turn are half the light, which sRGB calls 188 and not 128.
        let stripes = bitmap(Layout::Gray, 400, 400, |x, _| {
            vec![if x % 2 == 0 { 0 } else { 255 }]
        });
        let resized = whole(&stripes, 100, 100);
        let middle = samples(&resized)[50 * 100 + 50];
        assert!(middle.abs_diff(188) <= 2, "{middle}");
    }

    #[test]
    fn clear_pixels_bleed_no_colour() {
        let half = bitmap(Layout::Rgba, 64, 64, |x, _| {
            if x < 32 {
                vec![0, 255, 0, 0]
            } else {
                vec![200, 0, 0, 255]
            }
        });
        for pixel in samples(&whole(&half, 13, 13)).chunks_exact(4) {
            assert!(
                pixel[3] < 8 || (pixel[1] == 0 && pixel[0].abs_diff(200) < 8),
                "{pixel:?}"
            );
        }
    }

    #[test]
    fn bands_leave_no_seams() {
        // A vertical ramp, tall enough for many bands: each row is lighter than the one above.
        let ramp = bitmap(Layout::Gray, 8, 5100, |_, y| {
            vec![u8::try_from(y / 20).unwrap()]
        });
        let resized = whole(&ramp, 8, 255);
        let rows: Vec<u8> = samples(&resized)
            .chunks_exact(8)
            .map(|row| row[4])
            .collect();
        for (row, value) in rows.iter().enumerate().skip(3).take(249) {
            assert_eq!(usize::from(*value), row);
        }
    }

    #[test]
    fn bands_agree_with_one_pass() {
        let noise = bitmap(Layout::Rgb, 97, 1501, |x, y| {
            let seed = (x * 7919 + y * 104_729) ^ (x * y);
            seed.to_le_bytes()[..3].to_vec()
        });
        let banded = whole(&noise, 41, 700);
        let tables = Curve::srgb().tables::<u8>();
        let light = samples(&noise)
            .iter()
            .map(|&sample| tables.to_light[usize::from(sample)]);
        let light: Vec<u16> = light.collect();
        let pixels: Vec<U16x3> = light
            .chunks_exact(3)
            .map(|p| U16x3::new([p[0], p[1], p[2]]))
            .collect();
        let source = TypedImageRef::new(97, 1501, &pixels).unwrap();
        let mut target = TypedImage::<U16x3>::new(41, 700);
        Resizer::new()
            .resize_typed(&source, &mut target, &lanczos())
            .unwrap();
        let mut once = Vec::new();
        from_light(
            U16x3::components(target.pixels()),
            &mut once,
            Layout::Rgb,
            &tables,
        );
        let worst = once
            .iter()
            .zip(samples(&banded))
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(worst <= Some(1), "{worst:?}");
    }

    #[test]
    fn the_filter_does_not_look_beyond_the_bounds() {
        let framed = bitmap(Layout::Gray, 60, 60, |x, y| {
            let inner = (10..50).contains(&x) && (10..50).contains(&y);
            vec![if inner { 100 } else { 255 }]
        });
        let bounds = Rect {
            x: 10,
            y: 10,
            width: 40,
            height: 40,
        };
        let size = Size::new(20, 20);
        let curve = Curve::srgb();
        let resized = resize(
            &framed,
            bounds.into(),
            bounds,
            size,
            &curve,
            &Cancel::default(),
        )
        .unwrap();
        assert!(
            samples(&resized)
                .iter()
                .all(|sample| sample.abs_diff(100) <= 1)
        );
    }

    #[test]
    fn extreme_ratios_work() {
        let banner = bitmap(Layout::Rgb, 10_000, 1, |_, _| vec![10, 20, 30]);
        assert_eq!(samples(&whole(&banner, 100, 1)).len(), 300);
        let tower = bitmap(Layout::Rgb, 1, 10_000, |_, _| vec![10, 20, 30]);
        assert_eq!(samples(&whole(&tower, 1, 3)), [10, 20, 30].repeat(3));
        assert_eq!(samples(&whole(&tower, 5, 1)), [10, 20, 30].repeat(5));
    }

    #[test]
    fn sixteen_bits_stay_sixteen() {
        let deep = Bitmap {
            size: Size::new(2, 2),
            layout: Layout::Gray,
            samples: Samples::U16(vec![1000; 4]),
            colour: Colour::Srgb,
        };
        let resized = whole(&deep, 1, 1);
        assert!(
            matches!(&resized.samples, Samples::U16(samples) if samples[0].abs_diff(1000) <= 13)
        );
    }

    #[test]
    fn a_short_bitmap_is_broken() {
        let mut short = bitmap(Layout::Rgb, 4, 4, |_, _| vec![1, 2, 3]);
        short.size = Size::new(4, 5);
        let bounds = Rect::whole(short.size);
        let curve = Curve::srgb();
        let result = resize(
            &short,
            bounds.into(),
            bounds,
            Size::new(2, 2),
            &curve,
            &Cancel::default(),
        );
        assert!(matches!(result, Err(Error::Broken { .. })));
    }

    #[test]
    fn it_can_be_called_off() {
        let cancel = Cancel::default();
        cancel.cancel();
        let plain = bitmap(Layout::Gray, 4, 4, |_, _| vec![1]);
        let bounds = Rect::whole(plain.size);
        let result = resize(
            &plain,
            bounds.into(),
            bounds,
            Size::new(2, 2),
            &Curve::srgb(),
            &cancel,
        );
        assert!(matches!(result, Err(Error::Cancelled)));
    }
}
