//! Writing a GIF: up to 256 colours a frame, exactly where that is enough, else chosen by Wu's
//! method and dithered. Alpha is all or nothing: half and more is opaque.

use std::{borrow::Cow, time::Duration};

use ::gif::{DisposalMethod, Encoder, Frame as Image, Repeat};
use quantette::{ImageRef, PaletteSize, Pipeline, deps::palette::Srgb};

use super::super::{
    Cancel, EncodeOptions, Error, Frame, FrameWriter, Loops,
    delta::difference,
    palette::{self, MOST},
};
use crate::pixels::{
    bitmap::{Bitmap, Layout, Samples},
    geometry::{Rect, Size},
};

/// Bytes a pixel that the encoder holds at its peak: RGBA, RGB, the dither's copy in floating
/// point, numbers of colours and the file. Measured: 20.
const PIXEL_BYTES: u64 = 21;

/// The histogram and its moments.
const OVERHEAD: u64 = 1 << 20;

const CLEAR: [u8; 4] = [0; 4];

pub(in super::super) fn encode_bytes(size: Size) -> u64 {
    let pixels = u64::from(size.width) * u64::from(size.height);
    pixels.saturating_mul(PIXEL_BYTES).saturating_add(OVERHEAD)
}

/// Encodes a still. Its colour must be sRGB; GIF has no other.
pub(in super::super) fn encode(
    bitmap: &Bitmap,
    _options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let pixels = pixels(bitmap);
    cancel.check()?;
    let image = image(&pixels, bitmap.size)?;
    cancel.check()?;
    let mut encoder = encoder(bitmap.size)?;
    encoder.write_frame(&image).map_err(Error::encode)?;
    encoder.into_inner().map_err(Error::encode)
}

fn encoder(size: Size) -> Result<Encoder<Vec<u8>>, Error> {
    let (width, height) = sides(size)?;
    Encoder::new(Vec::new(), width, height, &[]).map_err(Error::encode)
}

fn sides(size: Size) -> Result<(u16, u16), Error> {
    let short = |length: u32| u16::try_from(length).map_err(|_| Error::encode("too large for GIF"));
    Ok((short(size.width)?, short(size.height)?))
}

/// RGBA of 8 bits, each pixel opaque or [`CLEAR`].
fn pixels(bitmap: &Bitmap) -> Vec<u8> {
    let channels = bitmap.layout.channels();
    let narrow = |samples: &[u16]| -> Vec<u8> {
        let byte = |v: &u16| u8::try_from((u32::from(*v) + 128) / 257).unwrap_or(u8::MAX);
        samples.iter().map(byte).collect()
    };
    let samples = match &bitmap.samples {
        Samples::U8(samples) => Cow::Borrowed(&samples[..]),
        Samples::U16(samples) => Cow::Owned(narrow(samples)),
    };
    let mut pixels = Vec::with_capacity(samples.len() / channels * 4);
    for pixel in samples.chunks_exact(channels) {
        let [r, g, b, a] = palette::rgba(pixel);
        pixels.extend(if a < 128 { CLEAR } else { [r, g, b, 255] });
    }
    pixels
}

/// Pixels of [`pixels`] as a frame with a palette of its own.
fn image(pixels: &[u8], size: Size) -> Result<Image<'static>, Error> {
    let (colours, indices, transparent) = match palette::exact_pixels(pixels, Layout::Rgba) {
        Some(few) => {
            let transparent = few.colours.first() == Some(&CLEAR);
            (few.colours, few.indices, transparent)
        }
        None => quantise(pixels, size)?,
    };
    let (width, height) = sides(size)?;
    Ok(Image {
        width,
        height,
        // The colour without alpha comes first.
        transparent: transparent.then_some(0),
        palette: Some(colours.iter().flat_map(|c| [c[0], c[1], c[2]]).collect()),
        buffer: Cow::Owned(indices),
        ..Image::default()
    })
}

type Chosen = (Vec<[u8; 4]>, Vec<u8>, bool);

/// Chooses colours, and dithers. Where there is a clear pixel, its number is 0.
fn quantise(pixels: &[u8], size: Size) -> Result<Chosen, Error> {
    let pixels = pixels.as_chunks::<4>().0;
    let opaque = |pixel: &&[u8; 4]| **pixel != CLEAR;
    // A clear pixel stands for its neighbour, so that it has no say in the colours and no
    // error to hand on.
    let mut last = pixels.iter().find(opaque).copied().unwrap_or(CLEAR);
    let mut clear = false;
    let mut colours = Vec::with_capacity(pixels.len());
    for pixel in pixels {
        if *pixel == CLEAR {
            clear = true;
        } else {
            last = *pixel;
        }
        colours.push(Srgb::new(last[0], last[1], last[2]));
    }
    let most = if clear { MOST - 1 } else { MOST };
    let picture = ImageRef::new(size.width, size.height, &colours[..])
        .map_err(|error| Error::encode(error.to_string()))?;
    let chosen = Pipeline::new()
        .palette_size(PaletteSize::try_from(most).map_err(Error::encode)?)
        .input_image(picture)
        .output_srgb8_indexed_image();
    let (chosen, mut indices) = chosen.into_parts();
    let chosen = chosen.iter().map(|c| [c.red, c.green, c.blue, 255]);
    if !clear {
        return Ok((chosen.collect(), indices, false));
    }
    for (index, pixel) in indices.iter_mut().zip(pixels) {
        *index = if *pixel == CLEAR {
            0
        } else {
            index.saturating_add(1)
        };
    }
    Ok((
        std::iter::once(CLEAR).chain(chosen).collect(),
        indices,
        true,
    ))
}

/// Writes an animation. A frame is held back until the next is known: only then is it clear how
/// it must be disposed of.
pub(super) struct Writer {
    size: Size,
    encoder: Encoder<Vec<u8>>,
    /// What a viewer shows when the pending frame is drawn; `None`: nothing.
    base: Option<Vec<u8>>,
    pending: Option<(Vec<u8>, Duration)>,
}

impl Writer {
    pub(super) fn new(size: Size, loops: Loops) -> Result<Self, Error> {
        let mut encoder = encoder(size)?;
        // The file says how often to run *again*.
        let repeat = match loops.map(std::num::NonZeroU32::get) {
            None => Repeat::Infinite,
            Some(times) => Repeat::Finite(u16::try_from(times - 1).unwrap_or(u16::MAX)),
        };
        encoder.set_repeat(repeat).map_err(Error::encode)?;
        Ok(Self {
            size,
            encoder,
            base: None,
            pending: None,
        })
    }

    /// Writes the frame that was held back. Where the next shows less than it, all of it must be
    /// a frame, so that it can be cleared away.
    fn flush(&mut self, clears: bool) -> Result<(), Error> {
        let Some((pixels, delay)) = self.pending.take() else {
            return Ok(());
        };
        let base = self.base.take();
        let changed = base
            .as_ref()
            .filter(|_| !clears)
            .map(|base| difference(base, &pixels, self.size, Layout::Rgba));
        let mut frame = match (changed, &base) {
            (Some(rect), Some(base)) => {
                // Equal frames are merged before they come here.
                let rect = rect.ok_or_else(|| Error::encode("a frame without a change"))?;
                self.part(&pixels, base, rect)?
            }
            _ => image(&pixels, self.size)?,
        };
        let hundredths = (delay.as_millis() + 5) / 10;
        // Below two hundredths, viewers slow down to ten.
        frame.delay = u16::try_from(hundredths).unwrap_or(u16::MAX).max(2);
        frame.dispose = if clears {
            DisposalMethod::Background
        } else {
            DisposalMethod::Keep
        };
        self.encoder.write_frame(&frame).map_err(Error::encode)?;
        if !clears {
            self.base = Some(pixels);
        }
        Ok(())
    }

    /// The part of a picture that differs from its base; in it, what is equal is clear, which
    /// compresses best and keeps the dither from crawling.
    fn part(&self, pixels: &[u8], base: &[u8], rect: Rect) -> Result<Image<'static>, Error> {
        let stride = self.size.width as usize * 4;
        let (left, width) = (rect.x as usize * 4, rect.width as usize * 4);
        let rows = pixels.chunks_exact(stride).zip(base.chunks_exact(stride));
        let part: Vec<u8> = rows
            .skip(rect.y as usize)
            .take(rect.height as usize)
            .flat_map(|(row, base)| {
                let row = row[left..left + width].as_chunks::<4>().0.iter();
                let base = base[left..left + width].as_chunks::<4>().0;
                row.zip(base)
                    .flat_map(|(pixel, base)| if pixel == base { CLEAR } else { *pixel })
            })
            .collect();
        let size = Size {
            width: rect.width,
            height: rect.height,
        };
        let mut image = image(&part, size)?;
        let place = Size {
            width: rect.x,
            height: rect.y,
        };
        (image.left, image.top) = sides(place)?;
        Ok(image)
    }
}

impl FrameWriter for Writer {
    fn push(&mut self, frame: &Frame, cancel: &Cancel) -> Result<(), Error> {
        cancel.check()?;
        super::super::check_bitmap(&frame.bitmap)?;
        if frame.bitmap.size != self.size {
            return Err(Error::encode("a frame of another size than the canvas"));
        }
        let pixels = pixels(&frame.bitmap);
        let mut clears = false;
        if let Some((last, delay)) = &mut self.pending {
            if *last == pixels {
                *delay += frame.delay;
                return Ok(());
            }
            let before = last.as_chunks::<4>().0.iter();
            let after = pixels.as_chunks::<4>().0;
            clears = before.zip(after).any(|(a, b)| *a != CLEAR && *b == CLEAR);
        }
        self.flush(clears)?;
        self.pending = Some((pixels, frame.delay));
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, Error> {
        if self.pending.is_none() {
            return Err(Error::encode("an animation without a frame"));
        }
        self.flush(false)?;
        self.encoder.into_inner().map_err(Error::encode)
    }
}
