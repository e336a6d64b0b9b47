//! Tiles of an AVIF, decoded and put together to pixels. Knows planes and colours; not boxes.

use super::{
    av1::{self, Planes},
    picture::{Grid, Picture},
    properties::{Nclx, Property},
    sequence::Sequence,
    yuv::Conversion,
};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    codec::{Cancel, Error, admit},
    geometry::{Rect, Size},
    planes::{Range, Sampling},
};

/// Rows between two looks at whether to go on.
const ROWS: usize = 64;

/// Decodes the whole picture, cropped, and not turned.
///
/// # Errors
/// [`Error::Broken`], [`Error::UnsupportedFeature`], [`Error::Cancelled`].
pub(super) fn compose(picture: &Picture<'_>, cancel: &Cancel) -> Result<Bitmap, Error> {
    let layout = match (picture.codec.monochrome, picture.alpha.is_some()) {
        (true, false) => Layout::Gray,
        (true, true) => Layout::GrayAlpha,
        (false, false) => Layout::Rgb,
        (false, true) => Layout::Rgba,
    };
    let mut canvas = Canvas::new(picture.colour.size, layout, picture.codec.depth)?;
    let mut points = None;
    for_tiles(picture, &picture.colour, cancel, |planes, own, at| {
        let used = *points.get_or_insert(picture.points.unwrap_or(own));
        if (planes.depth, planes.is_gray()) != (picture.codec.depth, picture.codec.monochrome) {
            return Err(admit::broken(
                "an AV1 picture of another kind than its item",
            ));
        }
        let conversion = Conversion::new(used, planes.depth, canvas.depth())?;
        canvas.draw_colour(planes, conversion, at, cancel)
    })?;
    if let Some(alpha) = &picture.alpha {
        for_tiles(picture, alpha, cancel, |planes, own, at| {
            // Only the range matters: alpha has no colour.
            let points = Nclx { matrix: 2, ..own };
            let conversion = Conversion::new(points, planes.depth, canvas.depth())?;
            canvas.draw_alpha(planes, conversion, at, cancel)
        })?;
        if picture.premultiplied {
            canvas.unmultiply();
        }
    }
    canvas.crop(picture.crop);
    Ok(Bitmap {
        size: canvas.size,
        layout,
        samples: canvas.samples,
        colour: colour(picture, points),
    })
}

/// What the numbers mean: a profile before code points; those that are as good as sRGB are sRGB.
pub(super) fn colour(picture: &Picture<'_>, points: Option<Nclx>) -> Colour {
    if let Some(icc) = picture.icc {
        return Colour::Icc(icc.into());
    }
    match points.map(|points| (points.primaries, points.transfer)) {
        // BT.709's primaries, or not said; sRGB's curve, or not said, or one of those for video
        // cameras, whose pictures are looked at as if they had sRGB's, as browsers do.
        None | Some((1 | 2, 1 | 2 | 6 | 13 | 14 | 15)) => Colour::Srgb,
        Some((primaries, transfer)) => Colour::Cicp {
            primaries,
            transfer,
        },
    }
}

/// The code points of a picture of one tile: the container's, or else the stream's.
pub(super) fn points(picture: &Picture<'_>) -> Option<Nclx> {
    picture.points.or_else(|| Some(sequence(picture)?.colours))
}

/// What the stream of the first tile says of itself.
fn sequence(picture: &Picture<'_>) -> Option<Sequence> {
    let cell = picture.container.find(*picture.colour.cells.first()?);
    let stream = picture.container.bytes(cell.ok()?).ok()?;
    Sequence::find(&stream)
}

/// The planes of a picture whose planes can be used as they are: one tile of 8 bits by BT.601, no
/// alpha, nothing cropped.
pub(super) fn sampling(picture: &Picture<'_>) -> Option<Sampling> {
    let codec = &picture.codec;
    let whole = picture.colour.cells.len() == 1
        && picture.colour.tile == picture.colour.size
        && picture.crop.size() == picture.colour.size;
    if !whole || picture.alpha.is_some() || codec.depth != 8 {
        return None;
    }
    // A container that describes another stream than it has is left to those who look at pixels.
    let stream = sequence(picture)?;
    if (stream.depth, stream.monochrome) != (8, codec.monochrome)
        || (!codec.monochrome && stream.subsampling != codec.subsampling)
    {
        return None;
    }
    // Not said counts as BT.601, as in `yuv`. Gray has no matrix.
    let colours = points(picture)?;
    if !codec.monochrome && !matches!(colours.matrix, 2 | 5 | 6) {
        return None;
    }
    let factor = |halved| if halved { 2 } else { 1 };
    Some(match (codec.monochrome, codec.subsampling) {
        (true, _) => Sampling::Gray,
        (false, (across, down)) => Sampling::Colour {
            across: factor(across),
            down: factor(down),
        },
    })
}

/// Decodes a picture that has [`sampling`] to its planes, not turned.
///
/// # Errors
/// As [`compose`].
pub(super) fn planes(
    picture: &Picture<'_>,
    cancel: &Cancel,
) -> Result<crate::pixels::planes::Planes, Error> {
    let another = || admit::broken("an AV1 picture of another kind than its item");
    let expected = sampling(picture).ok_or_else(another)?;
    let coded = points(picture).ok_or_else(another)?;
    let mut found = None;
    for_tiles(picture, &picture.colour, cancel, |tile, _, _| {
        if tile.depth != 8 || tile.sampling() != expected {
            return Err(another());
        }
        found = Some(tile.copied()?);
        Ok(())
    })?;
    let (luma, chroma) = found.ok_or_else(another)?;
    Ok(crate::pixels::planes::Planes {
        luma,
        chroma,
        range: if coded.full_range {
            Range::Full
        } else {
            Range::Limited
        },
        colour: colour(picture, Some(coded)),
    })
}

/// Decodes the tiles one after the other; `draw` gets planes, the stream's code points and place.
fn for_tiles(
    picture: &Picture<'_>,
    grid: &Grid,
    cancel: &Cancel,
    mut draw: impl FnMut(&Planes, Nclx, (u32, u32)) -> Result<(), Error>,
) -> Result<(), Error> {
    for (number, id) in (0u32..).zip(&grid.cells) {
        cancel.check()?;
        let item = picture.container.find(*id)?;
        let properties = picture.container.properties(item)?;
        let point = properties.iter().find_map(|property| match property {
            Property::OperatingPoint(point) => Some(*point),
            _ => None,
        });
        let stream = picture.container.bytes(item)?;
        let sequence = Sequence::find(&stream);
        let sequence = sequence.ok_or_else(|| admit::broken("an AV1 stream without a header"))?;
        let planes = av1::decode(&stream, grid.tile, point.unwrap_or(0))?;
        let at = (
            number % grid.columns * grid.tile.width,
            number / grid.columns * grid.tile.height,
        );
        draw(&planes, sequence.colours, at)?;
    }
    Ok(())
}

/// The picture as it grows.
struct Canvas {
    size: Size,
    layout: Layout,
    samples: Samples,
}

/// What of a tile lies on the canvas: where it starts, and how far it reaches.
struct Visible {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl Canvas {
    fn new(size: Size, layout: Layout, depth: u8) -> Result<Self, Error> {
        let length = admit::buffer(
            size,
            layout.channels() * usize::from(depth > 8) + layout.channels(),
        )?;
        let length = if depth > 8 { length / 2 } else { length };
        Ok(Self {
            size,
            layout,
            samples: if depth > 8 {
                Samples::U16(vec![0; length])
            } else {
                Samples::U8(vec![0; length])
            },
        })
    }

    fn depth(&self) -> u8 {
        match self.samples {
            Samples::U8(_) => 8,
            Samples::U16(_) => 16,
        }
    }

    fn visible(&self, tile: Size, at: (u32, u32)) -> Visible {
        let pixels = |number: u32| usize::try_from(number).unwrap_or(0);
        Visible {
            x: pixels(at.0),
            y: pixels(at.1),
            width: pixels(tile.width.min(self.size.width.saturating_sub(at.0))),
            height: pixels(tile.height.min(self.size.height.saturating_sub(at.1))),
        }
    }

    fn draw_colour(
        &mut self,
        planes: &Planes,
        conversion: Conversion,
        at: (u32, u32),
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let visible = self.visible(planes.size, at);
        let channels = if planes.is_gray() { 1 } else { 3 };
        let whole = usize::try_from(planes.size.width).unwrap_or(0);
        let mut rows = [vec![0; whole], vec![0; whole], vec![0; whole]];
        let mut spare = [Vec::new(), Vec::new()];
        let mut colours = vec![0.0; visible.width * channels];
        for y in 0..visible.height {
            if y % ROWS == 0 {
                cancel.check()?;
            }
            let [luma, u, v] = &mut rows;
            planes.luma(y, luma);
            if planes.is_gray() {
                for (colour, y) in colours.iter_mut().zip(luma) {
                    *colour = conversion.gray(*y);
                }
            } else {
                planes.chroma(y, [u, v], &mut spare);
                let samples = luma.iter().zip(&*u).zip(&*v);
                for (colour, ((y, u), v)) in colours.as_chunks_mut().0.iter_mut().zip(samples) {
                    *colour = conversion.colour(*y, *u, *v);
                }
            }
            self.write(visible.x, visible.y + y, 0, channels, &colours);
        }
        Ok(())
    }

    fn draw_alpha(
        &mut self,
        planes: &Planes,
        conversion: Conversion,
        at: (u32, u32),
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let visible = self.visible(planes.size, at);
        let mut luma = vec![0; usize::try_from(planes.size.width).unwrap_or(0)];
        let mut alphas = vec![0.0; visible.width];
        for y in 0..visible.height {
            if y % ROWS == 0 {
                cancel.check()?;
            }
            planes.luma(y, &mut luma);
            for (alpha, y) in alphas.iter_mut().zip(&luma) {
                *alpha = conversion.gray(*y);
            }
            let last = self.layout.channels() - 1;
            self.write(visible.x, visible.y + y, last, 1, &alphas);
        }
        Ok(())
    }

    /// Writes `count` channels, from `first` on, of pixels in a row.
    fn write(&mut self, x: usize, y: usize, first: usize, count: usize, values: &[f32]) {
        let channels = self.layout.channels();
        let width = usize::try_from(self.size.width).unwrap_or(0);
        let start = (y * width + x) * channels;
        match &mut self.samples {
            Samples::U8(samples) => {
                let pixels = samples.get_mut(start..).unwrap_or_default();
                put(pixels, channels, first, values, count, rounded_u8);
            }
            Samples::U16(samples) => {
                let pixels = samples.get_mut(start..).unwrap_or_default();
                put(pixels, channels, first, values, count, rounded_u16);
            }
        }
    }

    /// Divides colours by alpha.
    fn unmultiply(&mut self) {
        let channels = self.layout.channels();
        match &mut self.samples {
            Samples::U8(samples) => {
                for pixel in samples.chunks_exact_mut(channels) {
                    divide(pixel, 255.0, |sample| f32::from(*sample), rounded_u8);
                }
            }
            Samples::U16(samples) => {
                for pixel in samples.chunks_exact_mut(channels) {
                    divide(pixel, 65_535.0, |sample| f32::from(*sample), rounded_u16);
                }
            }
        }
    }

    /// Keeps a part; no second buffer.
    fn crop(&mut self, part: Rect) {
        if (part.width, part.height) == (self.size.width, self.size.height) {
            return;
        }
        let channels = self.layout.channels();
        let width = usize::try_from(self.size.width).unwrap_or(0) * channels;
        match &mut self.samples {
            Samples::U8(samples) => keep(samples, width, channels, part),
            Samples::U16(samples) => keep(samples, width, channels, part),
        }
        self.size = Size {
            width: part.width,
            height: part.height,
        };
    }
}

fn put<T>(
    samples: &mut [T],
    channels: usize,
    first: usize,
    values: &[f32],
    count: usize,
    rounded: impl Fn(f32) -> T,
) {
    if count == channels {
        for (sample, value) in samples.iter_mut().zip(values) {
            *sample = rounded(*value);
        }
        return;
    }
    let pixels = samples.chunks_exact_mut(channels);
    for (pixel, values) in pixels.zip(values.chunks_exact(count)) {
        for (sample, value) in pixel[first..].iter_mut().zip(values) {
            *sample = rounded(*value);
        }
    }
}

fn divide<T>(pixel: &mut [T], white: f32, value: impl Fn(&T) -> f32, rounded: impl Fn(f32) -> T) {
    if let Some((alpha, colours)) = pixel.split_last_mut() {
        let alpha = value(alpha);
        for colour in colours {
            *colour = if alpha > 0.0 {
                rounded(value(colour) * white / alpha)
            } else {
                rounded(0.0)
            };
        }
    }
}

/// Moves the rows of a part to the front, and forgets the rest. `width` is in samples.
fn keep<T: Copy>(samples: &mut Vec<T>, width: usize, channels: usize, part: Rect) {
    let pixels = |number: u32| usize::try_from(number).unwrap_or(0);
    let kept = pixels(part.width) * channels;
    for row in 0..pixels(part.height) {
        let from = (pixels(part.y) + row) * width + pixels(part.x) * channels;
        samples.copy_within(from..from + kept, row * kept);
    }
    samples.truncate(kept * pixels(part.height));
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` from a float stops at both ends, which is what is wanted"
)]
fn rounded_u8(value: f32) -> u8 {
    (value + 0.5) as u8
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` from a float stops at both ends, which is what is wanted"
)]
fn rounded_u16(value: f32) -> u16 {
    (value + 0.5) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_kept_in_place() {
        let mut samples: Vec<u8> = (0..12).collect();
        let part = Rect {
            x: 1,
            y: 1,
            width: 2,
            height: 2,
        };
        keep(&mut samples, 4, 1, part);
        assert_eq!(samples, [5, 6, 9, 10]);
    }

    #[test]
    fn colours_are_divided_by_alpha() {
        let mut pixel = [10u8, 64, 128, 128];
        divide(&mut pixel, 255.0, |sample| f32::from(*sample), rounded_u8);
        assert_eq!(pixel, [20, 128, 255, 128]);
        let mut clear = [10u8, 64, 128, 0];
        divide(&mut clear, 255.0, |sample| f32::from(*sample), rounded_u8);
        assert_eq!(clear, [0, 0, 0, 0]);
    }
}
