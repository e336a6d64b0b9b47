//! APNG: frames composited on their canvas, in 8 bits, and written again.

use std::{num::NonZeroU32, time::Duration};

use ::png::{BlendOp, DisposeOp, FrameControl, Transformations};

use super::{
    super::{
        Cancel, EncodeOptions, Error, Frame, FrameReader, FrameWriter, Limits, Loops,
        delta::difference, frame_delay, palette::rgba,
    },
    ANIMATION_BYTES, Reader,
    chunks::{self, Chunks, Info, SIGNATURE},
    encode, failed, open,
};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    geometry::{Rect, Size},
};

/// Reads an animation, frame by frame.
pub(super) struct Frames<'a> {
    reader: Reader<'a>,
    size: Size,
    colour: Colour,
    loops: Loops,
    remaining: u32,
    /// RGBA, as it is seen.
    canvas: Vec<u8>,
    /// The frame as the library writes it.
    scratch: Vec<u8>,
    /// What is to be done before the next frame is drawn.
    disposal: Disposal,
}

enum Disposal {
    Keep,
    Clear(Rect),
    /// To this canvas.
    Restore(Vec<u8>),
}

impl<'a> Frames<'a> {
    pub(super) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        let info = Info::read(bytes)?;
        let size = limits.admit(info.width, info.height)?;
        let reader = open(
            bytes,
            Transformations::EXPAND | Transformations::STRIP_16,
            ANIMATION_BYTES,
        )?;
        let length = reader
            .output_buffer_size()
            .ok_or_else(|| Error::broken("a frame beyond memory"))?;
        let pixels = size.width as usize * size.height as usize;
        Ok(Self {
            reader,
            size,
            colour: info.colour(limits)?,
            loops: NonZeroU32::new(info.plays),
            remaining: info.frames,
            canvas: vec![0; pixels * 4],
            scratch: vec![0; length],
            disposal: Disposal::Keep,
        })
    }

    /// The frame of this number, counted from 0.
    pub(super) fn nth(&mut self, number: u32, cancel: &Cancel) -> Result<Bitmap, Error> {
        for _ in 0..number {
            self.advance(cancel)?;
        }
        self.advance(cancel)?
            .map(|_| self.bitmap())
            .ok_or_else(|| Error::broken("fewer frames than were counted"))
    }

    /// Draws the next frame; says how long it stands.
    fn advance(&mut self, cancel: &Cancel) -> Result<Option<Duration>, Error> {
        if self.remaining == 0 {
            return Ok(None);
        }
        self.remaining -= 1;
        cancel.check()?;
        match std::mem::replace(&mut self.disposal, Disposal::Keep) {
            Disposal::Keep => {}
            Disposal::Clear(rect) => self.clear(rect),
            Disposal::Restore(canvas) => self.canvas = canvas,
        }
        self.reader.next_frame(&mut self.scratch).map_err(failed)?;
        let control = *self
            .reader
            .info()
            .frame_control()
            .ok_or_else(|| Error::broken("a frame without a control"))?;
        let rect = self.place(&control)?;
        self.disposal = match control.dispose_op {
            DisposeOp::None => Disposal::Keep,
            DisposeOp::Background => Disposal::Clear(rect),
            DisposeOp::Previous => Disposal::Restore(self.canvas.clone()),
        };
        self.draw(rect, control.blend_op);
        Ok(Some(delay(&control)))
    }

    fn place(&self, control: &FrameControl) -> Result<Rect, Error> {
        let fits = |at: u32, length: u32, side: u32| {
            length > 0 && at.checked_add(length).is_some_and(|end| end <= side)
        };
        if fits(control.x_offset, control.width, self.size.width)
            && fits(control.y_offset, control.height, self.size.height)
        {
            Ok(Rect {
                x: control.x_offset,
                y: control.y_offset,
                width: control.width,
                height: control.height,
            })
        } else {
            Err(Error::broken("a frame outside its canvas"))
        }
    }

    /// The rows of the canvas that a rectangle covers.
    fn rows(&mut self, rect: Rect) -> impl Iterator<Item = &mut [u8]> {
        let stride = self.size.width as usize * 4;
        let (left, width) = (rect.x as usize * 4, rect.width as usize * 4);
        self.canvas
            .chunks_exact_mut(stride)
            .skip(rect.y as usize)
            .take(rect.height as usize)
            .map(move |row| &mut row[left..left + width])
    }

    fn clear(&mut self, rect: Rect) {
        self.rows(rect).for_each(|row| row.fill(0));
    }

    fn draw(&mut self, rect: Rect, blend: BlendOp) {
        let channels = super::layout(&self.reader).channels();
        let scratch = std::mem::take(&mut self.scratch);
        let line = rect.width as usize * channels;
        for (row, source) in self.rows(rect).zip(scratch.chunks_exact(line)) {
            let pixels = row.as_chunks_mut::<4>().0.iter_mut();
            for (pixel, source) in pixels.zip(source.chunks_exact(channels)) {
                let colour = rgba(source);
                *pixel = match blend {
                    BlendOp::Source => colour,
                    BlendOp::Over => over(colour, *pixel),
                };
            }
        }
        self.scratch = scratch;
    }

    fn bitmap(&self) -> Bitmap {
        Bitmap {
            size: self.size,
            layout: Layout::Rgba,
            samples: Samples::U8(self.canvas.clone()),
            colour: self.colour.clone(),
        }
    }
}

impl FrameReader for Frames<'_> {
    fn loops(&self) -> Loops {
        self.loops
    }

    fn next_frame(&mut self, cancel: &Cancel) -> Result<Option<Frame>, Error> {
        Ok(self.advance(cancel)?.map(|delay| Frame {
            bitmap: self.bitmap(),
            delay,
        }))
    }
}

/// A fraction of a second, in hundredths where the denominator is 0.
fn delay(control: &FrameControl) -> Duration {
    let denominator = match control.delay_den {
        0 => 100,
        other => u64::from(other),
    };
    frame_delay(Duration::from_micros(
        u64::from(control.delay_num) * 1_000_000 / denominator,
    ))
}

/// One pixel over another, neither premultiplied.
fn over(top: [u8; 4], under: [u8; 4]) -> [u8; 4] {
    let (top_alpha, under_alpha) = (u32::from(top[3]), u32::from(under[3]));
    match (top_alpha, under_alpha) {
        (255, _) | (_, 0) => return top,
        (0, _) => return under,
        _ => {}
    }
    let rest = under_alpha * (255 - top_alpha);
    let alpha = top_alpha * 255 + rest;
    let mix = |top: u8, under: u8| {
        let sum = u32::from(top) * top_alpha * 255 + u32::from(under) * rest;
        // A mean of bytes is a byte.
        u8::try_from((sum + alpha / 2) / alpha).unwrap_or(u8::MAX)
    };
    [
        mix(top[0], under[0]),
        mix(top[1], under[1]),
        mix(top[2], under[2]),
        u8::try_from((alpha + 127) / 255).unwrap_or(u8::MAX),
    ]
}

/// Writes an animation. The first frame says what a pixel holds; later ones store the rectangle
/// that changed.
pub(super) struct Writer {
    size: Size,
    loops: Loops,
    exif: Option<Vec<u8>>,
    out: Vec<u8>,
    frames: u32,
    sequence: u32,
    last: Option<Bitmap>,
    /// Of the frame that was written last; one that changes nothing lengthens it.
    delay: Duration,
    /// Where its control stands.
    control: usize,
}

/// Where the number of frames stands: behind the signature and IHDR, in acTL.
const FRAMES_AT: usize = 8 + 25 + 8;

impl Writer {
    pub(super) fn new(
        size: Size,
        loops: Loops,
        options: &EncodeOptions<'_>,
    ) -> Result<Self, Error> {
        if size.width == 0 || size.height == 0 {
            return Err(Error::encode("an animation without a pixel"));
        }
        Ok(Self {
            size,
            loops,
            exif: options.exif.map(<[u8]>::to_vec),
            out: Vec::new(),
            frames: 0,
            sequence: 0,
            last: None,
            delay: Duration::ZERO,
            control: 0,
        })
    }

    /// Copies what stands before the pixels of a still of the first frame, and adds acTL.
    fn begin(&mut self, still: &[u8]) -> Result<(), Error> {
        self.out.extend_from_slice(SIGNATURE);
        for chunk in Chunks::new(still)? {
            let chunk = chunk?;
            if &chunk.kind == b"IDAT" {
                break;
            }
            self.out.extend_from_slice(chunk.whole);
            if &chunk.kind == b"IHDR" {
                let mut control = [0; 8];
                let plays = self.loops.map_or(0, NonZeroU32::get);
                control[4..].copy_from_slice(&plays.to_be_bytes());
                chunks::write(&mut self.out, *b"acTL", &control)?;
            }
        }
        Ok(())
    }

    fn control(&mut self, rect: Rect, delay: Duration) -> Result<(), Error> {
        let mut data = Vec::with_capacity(26);
        let words = [self.sequence, rect.width, rect.height, rect.x, rect.y];
        data.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        let millis = u16::try_from(delay.as_millis()).unwrap_or(u16::MAX);
        data.extend_from_slice(&millis.to_be_bytes());
        data.extend_from_slice(&1000u16.to_be_bytes());
        // Kept when the next comes, and drawn without blending.
        data.extend_from_slice(&[0, 0]);
        self.sequence += 1;
        self.delay = delay;
        self.control = self.out.len();
        chunks::write(&mut self.out, *b"fcTL", &data)
    }

    /// Adds to the delay of the frame that was written last.
    fn lengthen(&mut self, delay: Duration) -> Result<(), Error> {
        self.delay += delay;
        let millis = u16::try_from(self.delay.as_millis()).unwrap_or(u16::MAX);
        let mut data = self.out[self.control + 8..self.control + 8 + 26].to_vec();
        data[20..22].copy_from_slice(&millis.to_be_bytes());
        let mut chunk = Vec::new();
        chunks::write(&mut chunk, *b"fcTL", &data)?;
        self.out[self.control..self.control + chunk.len()].copy_from_slice(&chunk);
        Ok(())
    }

    /// The pixels of a still, as those of a frame.
    fn data(&mut self, still: &[u8]) -> Result<(), Error> {
        for chunk in Chunks::new(still)? {
            let chunk = chunk?;
            if &chunk.kind != b"IDAT" {
                continue;
            }
            if self.frames == 0 {
                self.out.extend_from_slice(chunk.whole);
            } else {
                let mut data = self.sequence.to_be_bytes().to_vec();
                data.extend_from_slice(chunk.data);
                self.sequence += 1;
                chunks::write(&mut self.out, *b"fdAT", &data)?;
            }
        }
        Ok(())
    }
}

impl FrameWriter for Writer {
    fn push(&mut self, frame: &Frame, cancel: &Cancel) -> Result<(), Error> {
        cancel.check()?;
        let bitmap = &frame.bitmap;
        super::super::check_bitmap(bitmap)?;
        let whole = Rect {
            x: 0,
            y: 0,
            width: self.size.width,
            height: self.size.height,
        };
        let rect = match &self.last {
            None => Some(whole),
            Some(last) => {
                if last.layout != bitmap.layout || last.size != bitmap.size {
                    return Err(Error::encode("frames of different layouts"));
                }
                changed(last, bitmap)?
            }
        };
        if bitmap.size != self.size {
            return Err(Error::encode("a frame of another size than the canvas"));
        }
        let Some(rect) = rect else {
            return self.lengthen(frame.delay);
        };
        let still = if self.frames == 0 {
            let still = encode::direct(bitmap, self.exif.as_deref())?;
            self.begin(&still)?;
            still
        } else {
            encode::direct(&cut(bitmap, rect), None)?
        };
        self.control(rect, frame.delay)?;
        self.data(&still)?;
        self.frames += 1;
        self.last = Some(bitmap.clone());
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, Error> {
        if self.frames == 0 {
            return Err(Error::encode("an animation without a frame"));
        }
        let plays = self.loops.map_or(0, NonZeroU32::get);
        let mut control = self.frames.to_be_bytes().to_vec();
        control.extend_from_slice(&plays.to_be_bytes());
        let mut chunk = Vec::new();
        chunks::write(&mut chunk, *b"acTL", &control)?;
        let start = FRAMES_AT - 8;
        self.out[start..start + chunk.len()].copy_from_slice(&chunk);
        chunks::write(&mut self.out, *b"IEND", &[])?;
        Ok(self.out)
    }
}

/// The smallest rectangle outside which two bitmaps of one size and layout are equal.
fn changed(before: &Bitmap, after: &Bitmap) -> Result<Option<Rect>, Error> {
    match (&before.samples, &after.samples) {
        (Samples::U8(a), Samples::U8(b)) => Ok(difference(a, b, after.size, after.layout)),
        (Samples::U16(a), Samples::U16(b)) => Ok(difference(a, b, after.size, after.layout)),
        _ => Err(Error::encode("frames of different depths")),
    }
}

/// A part of a bitmap, as one of its own.
fn cut(bitmap: &Bitmap, rect: Rect) -> Bitmap {
    fn rows<S: Copy>(samples: &[S], stride: usize, channels: usize, rect: Rect) -> Vec<S> {
        let left = rect.x as usize * channels;
        let width = rect.width as usize * channels;
        samples
            .chunks_exact(stride)
            .skip(rect.y as usize)
            .take(rect.height as usize)
            .flat_map(|row| row[left..left + width].iter().copied())
            .collect()
    }
    let channels = bitmap.layout.channels();
    let stride = bitmap.size.width as usize * channels;
    Bitmap {
        size: Size {
            width: rect.width,
            height: rect.height,
        },
        layout: bitmap.layout,
        samples: match &bitmap.samples {
            Samples::U8(samples) => Samples::U8(rows(samples, stride, channels, rect)),
            Samples::U16(samples) => Samples::U16(rows(samples, stride, channels, rect)),
        },
        colour: bitmap.colour.clone(),
    }
}
