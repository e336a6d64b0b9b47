//! Samples of a TIFF, as they are stored, to ours: one strip or tile at a time.

use tiff::decoder::DecodingResult;

use super::super::super::Error;
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    geometry::Size,
};

/// How the samples of a page become ours.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) layout: Layout,
    /// Samples a pixel in the file.
    pub(super) stored: usize,
    pub(super) bits: u8,
    /// One chunk holds one kind of sample.
    pub(super) planar: bool,
    pub(super) ycbcr: bool,
    pub(super) premultiplied: bool,
}

/// What one chunk covers.
pub(super) struct Part {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) plane: usize,
}

/// The picture as it fills.
pub(super) struct Canvas {
    size: Size,
    place: Place,
    samples: Samples,
}

impl Canvas {
    pub(super) fn new(size: Size, place: Place) -> Self {
        let length = size.width as usize * size.height as usize * place.layout.channels();
        let samples = if place.bits > 8 {
            Samples::U16(vec![0; length])
        } else {
            Samples::U8(vec![0; length])
        };
        Self {
            size,
            place,
            samples,
        }
    }

    pub(super) fn put(
        &mut self,
        data: DecodingResult,
        part: &Part,
        palette: Option<&[[u8; 3]]>,
    ) -> Result<(), Error> {
        let stored = if self.place.planar {
            1
        } else {
            self.place.stored
        };
        match (&mut self.samples, narrow(data)) {
            (Samples::U8(canvas), Samples::U8(data)) => {
                let data = unpack(
                    data,
                    part.width * stored,
                    self.place.bits,
                    palette.is_none(),
                );
                let data = match palette {
                    Some(palette) => colours(&data, palette),
                    None => data,
                };
                copy(canvas, &data, part, self.size, self.place)
            }
            (Samples::U16(canvas), Samples::U16(data)) => {
                copy(canvas, &data, part, self.size, self.place)
            }
            _ => Err(Error::broken("chunks of different depths")),
        }
    }

    pub(super) fn finish(mut self) -> Bitmap {
        if let (true, Samples::U8(samples)) = (self.place.ycbcr, &mut self.samples) {
            samples.as_chunks_mut::<3>().0.iter_mut().for_each(rgb);
        }
        if self.place.premultiplied && self.place.layout.has_alpha() {
            let channels = self.place.layout.channels();
            match &mut self.samples {
                Samples::U8(samples) => divide(samples, channels, 255),
                Samples::U16(samples) => divide(samples, channels, 65_535),
            }
        }
        Bitmap {
            size: self.size,
            layout: self.place.layout,
            samples: self.samples,
            colour: Colour::Srgb,
        }
    }
}

/// Samples of any type as 8 or 16 bits: the high bits of whole numbers (negative ones shifted up
/// to 0), and 0 to 1 of floating point.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "floating point is clamped to the range before it is cut"
)]
fn narrow(data: DecodingResult) -> Samples {
    fn high<const N: usize>(bytes: [u8; N]) -> u16 {
        u16::from_be_bytes([bytes[0], bytes[1]])
    }
    let share = |v: f64| (v.clamp(0.0, 1.0) * 65_535.0 + 0.5) as u16;
    match data {
        DecodingResult::U8(v) => Samples::U8(v),
        DecodingResult::I8(v) => Samples::U8(v.iter().map(|v| v.cast_unsigned() ^ 0x80).collect()),
        DecodingResult::U16(v) => Samples::U16(v),
        DecodingResult::I16(v) => {
            Samples::U16(v.iter().map(|v| v.cast_unsigned() ^ 0x8000).collect())
        }
        DecodingResult::U32(v) => Samples::U16(v.iter().map(|v| high(v.to_be_bytes())).collect()),
        DecodingResult::I32(v) => {
            Samples::U16(v.iter().map(|v| high(v.to_be_bytes()) ^ 0x8000).collect())
        }
        DecodingResult::U64(v) => Samples::U16(v.iter().map(|v| high(v.to_be_bytes())).collect()),
        DecodingResult::I64(v) => {
            Samples::U16(v.iter().map(|v| high(v.to_be_bytes()) ^ 0x8000).collect())
        }
        DecodingResult::F16(v) => {
            Samples::U16(v.iter().map(|v| share(f64::from(v.to_f32()))).collect())
        }
        DecodingResult::F32(v) => Samples::U16(v.iter().map(|v| share(f64::from(*v))).collect()),
        DecodingResult::F64(v) => Samples::U16(v.iter().map(|v| share(*v)).collect()),
    }
}

/// Samples of fewer than 8 bits, several to a byte and rows padded, to one a byte; to the full
/// range where they are no numbers of colours.
fn unpack(data: Vec<u8>, width: usize, bits: u8, scale: bool) -> Vec<u8> {
    if !matches!(bits, 1 | 2 | 4) || width == 0 {
        return data;
    }
    let count = usize::from(8 / bits);
    let top = (1u8 << bits) - 1;
    let factor = if scale { 255 / top } else { 1 };
    let rows = data.chunks(width.div_ceil(count));
    let samples = rows.flat_map(|row| {
        let samples = row.iter().flat_map(|byte| {
            (1..=8 / bits).map(move |place| (byte >> (8 - bits * place) & top) * factor)
        });
        samples.take(width)
    });
    samples.collect()
}

fn colours(numbers: &[u8], palette: &[[u8; 3]]) -> Vec<u8> {
    // A number past the map is black, as in other readers.
    let colour = |number: &u8| {
        palette
            .get(usize::from(*number))
            .copied()
            .unwrap_or_default()
    };
    numbers.iter().flat_map(colour).collect()
}

/// Copies a chunk to its place.
fn copy<S: Copy>(
    canvas: &mut [S],
    data: &[S],
    part: &Part,
    size: Size,
    place: Place,
) -> Result<(), Error> {
    let channels = place.layout.channels();
    let stride = size.width as usize * channels;
    let stored = if place.planar { 1 } else { channels };
    let fits = part.left + part.width <= size.width as usize
        && part.top + part.height <= size.height as usize;
    if !fits || data.len() < part.width * part.height * stored || part.width == 0 {
        return Err(Error::broken("a strip or tile of another size"));
    }
    let rows = canvas.chunks_exact_mut(stride).skip(part.top);
    let sources = data.chunks_exact(part.width * stored).take(part.height);
    for (row, source) in rows.zip(sources) {
        let row = &mut row[part.left * channels..][..part.width * channels];
        if place.planar {
            let samples = row.iter_mut().skip(part.plane).step_by(channels);
            samples.zip(source).for_each(|(to, from)| *to = *from);
        } else {
            row.copy_from_slice(source);
        }
    }
    Ok(())
}

/// Full-range BT.601, as JPEG has it, in 16 fractional bits.
fn rgb(pixel: &mut [u8; 3]) {
    let [y, cb, cr] = pixel.map(i32::from);
    let (cb, cr) = (cb - 128, cr - 128);
    let byte = |v: i32| u8::try_from((((y << 16) + v + 32_768) >> 16).clamp(0, 255)).unwrap_or(0);
    *pixel = [
        byte(91_881 * cr),
        byte(-22_554 * cb - 46_802 * cr),
        byte(116_130 * cb),
    ];
}

/// Divides colours by the alpha that they were multiplied by.
fn divide<S: Copy + Into<u32> + TryFrom<u32>>(samples: &mut [S], channels: usize, one: u32) {
    for pixel in samples.chunks_exact_mut(channels) {
        let Some((alpha, colours)) = pixel.split_last_mut() else {
            continue;
        };
        let alpha: u32 = (*alpha).into();
        if alpha == 0 || alpha == one {
            continue;
        }
        for colour in colours {
            let value: u32 = (*colour).into();
            let value = ((value * one + alpha / 2) / alpha).min(one);
            *colour = S::try_from(value).unwrap_or(*colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_samples_are_unpacked_to_the_full_range() {
        assert_eq!(unpack(vec![0b1010_0000], 3, 1, true), [255, 0, 255]);
        assert_eq!(
            unpack(vec![0b0001_1011, 0xC0], 5, 2, true),
            [0, 85, 170, 255, 255]
        );
        assert_eq!(unpack(vec![0x1F, 0x20], 1, 4, false), [1, 2]);
        assert_eq!(unpack(vec![7, 8], 2, 8, true), [7, 8]);
    }

    #[test]
    fn wide_samples_keep_their_high_bits() {
        let check = |data, expected: u16| assert_eq!(narrow(data), Samples::U16(vec![expected]));
        check(DecodingResult::U32(vec![0x1234_5678]), 0x1234);
        check(DecodingResult::I16(vec![0]), 0x8000);
        check(DecodingResult::F32(vec![2.0]), 65_535);
        check(DecodingResult::F32(vec![f32::NAN]), 0);
        check(DecodingResult::F64(vec![-1.0]), 0);
    }

    #[test]
    fn premultiplied_colours_are_divided() {
        let mut samples = [64u8, 128, 255, 255, 10, 0];
        divide(&mut samples, 2, 255);
        assert_eq!(samples, [128, 128, 255, 255, 10, 0]);
        let mut samples = [32_768u16, 32_768];
        divide(&mut samples, 2, 65_535);
        assert_eq!(samples, [65_535, 32_768]);
    }
}
