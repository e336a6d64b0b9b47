//! GIF frames composited on the logical screen. What no frame covers is transparent, as in
//! browsers; only in a file that marks no colour as transparent it is black, as in libvips, so that
//! an opaque GIF stays opaque. The background colour counts for nothing, as in both.

use std::time::Duration;

use weezl::{BitOrder, LzwStatus, decode::Decoder};

use super::{
    super::{Cancel, Error, Frame, FrameReader, Header, Limits, Loops, frame_delay},
    blocks::{self, Blocks, Control, Image, Kind},
    lzw::Lzw,
};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    geometry::Size,
};

/// Where the rows of the four passes of an interlaced image begin, and how far apart they are.
const PASSES: [(usize, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];

/// Codes that the LZW decoder may hold in its 64 bits. Those that clear its table neither take nor
/// give a byte, and look as if nothing went on.
const HELD_CODES: u32 = 32;

/// Reads frames, one at a time.
pub(super) struct Frames<'a> {
    blocks: Blocks<'a>,
    table: Option<&'a [u8]>,
    size: Size,
    alpha: bool,
    background: [u8; 4],
    loops: Loops,
    remaining: u32,
    /// Pixels of frames that may still be decoded: frames need not fit the screen.
    allowance: u64,
    /// RGBA, as it is seen.
    canvas: Vec<u8>,
    disposal: Disposal,
    lzw: Lzw,
    /// For images that are larger than the canvas, and codes that no encoder begins with.
    by_row: Option<(u8, Decoder)>,
    row: Vec<u8>,
}

enum Disposal {
    Keep,
    Clear {
        left: u16,
        top: u16,
        width: u16,
        height: u16,
    },
    /// To this canvas.
    Restore(Vec<u8>),
}

impl<'a> Frames<'a> {
    /// Opens a file for its first `count` frames, whose pixels together may be `allowance`.
    pub(super) fn open(
        bytes: &'a [u8],
        header: &Header,
        loops: Loops,
        count: u32,
        allowance: u64,
    ) -> Result<Self, Error> {
        let (screen, blocks) = blocks::open(bytes)?;
        let pixels = header.size.width as usize * header.size.height as usize;
        let background = if header.alpha { [0; 4] } else { [0, 0, 0, 255] };
        Ok(Self {
            blocks,
            table: screen.table,
            size: header.size,
            alpha: header.alpha,
            background,
            loops,
            remaining: count,
            allowance,
            canvas: background.repeat(pixels),
            disposal: Disposal::Keep,
            lzw: Lzw::default(),
            by_row: None,
            row: Vec::new(),
        })
    }

    /// The canvas as it is after the last of the frames.
    pub(super) fn last(mut self, cancel: &Cancel) -> Result<Bitmap, Error> {
        let mut drawn = false;
        while self.advance(cancel)?.is_some() {
            drawn = true;
        }
        if !drawn {
            return Err(Error::broken("no GIF frame"));
        }
        let canvas = std::mem::take(&mut self.canvas);
        let bitmap = self.bitmap(Layout::Rgba, canvas);
        Ok(if self.alpha {
            bitmap
        } else {
            bitmap.without_idle_alpha()
        })
    }

    /// Draws the next frame; says how long it stands.
    fn advance(&mut self, cancel: &Cancel) -> Result<Option<Duration>, Error> {
        if self.remaining == 0 {
            return Ok(None);
        }
        let mut control = Control::default();
        let image = loop {
            match self.blocks.next().map(|block| block.kind) {
                Some(Kind::Control(found)) => control = found,
                Some(Kind::Image(image)) if image.pixels() > 0 => break image,
                Some(Kind::Trailer) | None => return Ok(None),
                Some(_) => {}
            }
        };
        self.remaining -= 1;
        match std::mem::replace(&mut self.disposal, Disposal::Keep) {
            Disposal::Keep => {}
            Disposal::Clear {
                left,
                top,
                width,
                height,
            } => self.clear(left, top, width, height),
            Disposal::Restore(canvas) => self.canvas = canvas,
        }
        // Nothing is drawn on the last frame's canvas any more.
        self.disposal = match control.disposal {
            2 => Disposal::Clear {
                left: image.left,
                top: image.top,
                width: image.width,
                height: image.height,
            },
            // 4 was a slip of some early writers, which browsers still honour.
            3 | 4 if self.remaining > 0 => Disposal::Restore(self.canvas.clone()),
            _ => Disposal::Keep,
        };
        self.allowance = self.allowance.checked_sub(image.pixels()).ok_or_else(|| {
            Error::Limit(format!(
                "has a frame of {} × {} pixels, more than are allowed",
                image.width, image.height
            ))
        })?;
        self.draw(&image, control.transparent, cancel)?;
        Ok(Some(frame_delay(Duration::from_millis(
            u64::from(control.delay) * 10,
        ))))
    }

    fn clear(&mut self, left: u16, top: u16, width: u16, height: u16) {
        let (across, down) = (self.size.width as usize, self.size.height as usize);
        let right = (usize::from(left) + usize::from(width)).min(across);
        let left = usize::from(left).min(right);
        let rows = self.canvas.chunks_exact_mut(across * 4);
        for row in rows
            .take(down)
            .skip(usize::from(top))
            .take(usize::from(height))
        {
            row[left * 4..right * 4]
                .as_chunks_mut()
                .0
                .fill(self.background);
        }
    }

    fn draw(
        &mut self,
        image: &Image<'_>,
        transparent: Option<u8>,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let stride = self.size.width as usize * 4;
        let left = usize::from(image.left) * 4;
        let colours = colours(image.table.or(self.table), transparent);
        let canvas = &mut self.canvas;
        let mut put = |y: usize, indices: &[u8]| {
            let y = usize::from(image.top) + y;
            let line = canvas
                .get_mut(y.saturating_mul(stride)..)
                .and_then(|rest| rest.get_mut(..stride))
                .and_then(|line| line.get_mut(left..));
            let pixels = line.unwrap_or_default().as_chunks_mut::<4>().0;
            for (pixel, index) in pixels.iter_mut().zip(indices) {
                if let Some(colour) = colours[usize::from(*index)] {
                    *pixel = colour;
                }
            }
            cancel.check()
        };
        if (2..=8).contains(&image.code_size) && image.pixels() <= self.size.pixels() {
            let pixels = usize::from(image.width) * usize::from(image.height);
            let indices = self.lzw.decode(image.data, image.code_size, pixels)?;
            let rows = indices.chunks_exact(image.width.into());
            return order(image).zip(rows).try_for_each(|(y, row)| put(y, row));
        }
        let mut row = std::mem::take(&mut self.row);
        row.resize(usize::from(image.width), 0);
        let lzw = lzw(&mut self.by_row, image.code_size)?;
        decode(image, lzw, &mut row, put)?;
        self.row = row;
        Ok(())
    }

    fn bitmap(&self, layout: Layout, samples: Vec<u8>) -> Bitmap {
        Bitmap {
            size: self.size,
            layout,
            samples: Samples::U8(samples),
            colour: Colour::Srgb,
        }
    }
}

impl FrameReader for Frames<'_> {
    fn loops(&self) -> Loops {
        self.loops
    }

    fn next_frame(&mut self, cancel: &Cancel) -> Result<Option<Frame>, Error> {
        let Some(delay) = self.advance(cancel)? else {
            return Ok(None);
        };
        let bitmap = if self.alpha {
            self.bitmap(Layout::Rgba, self.canvas.clone())
        } else {
            self.bitmap(Layout::Rgb, opaque(&self.canvas))
        };
        Ok(Some(Frame { bitmap, delay }))
    }
}

/// What the frames of an animation may have in pixels, all together.
pub(super) fn allowance(limits: &Limits) -> u64 {
    limits.animation_pixels.max(limits.pixels)
}

/// The colours by number; `None` is not drawn: the transparent one, and those past the table.
/// A file without a table gets shades of gray, as other decoders give it.
fn colours(table: Option<&[u8]>, transparent: Option<u8>) -> [Option<[u8; 4]>; 256] {
    let mut colours = [None; 256];
    match table {
        Some(table) => {
            for (colour, entry) in colours.iter_mut().zip(table.as_chunks::<3>().0) {
                *colour = Some([entry[0], entry[1], entry[2], 255]);
            }
        }
        None => {
            for (colour, level) in colours.iter_mut().zip(0..=u8::MAX) {
                *colour = Some([level, level, level, 255]);
            }
        }
    }
    if let Some(index) = transparent {
        colours[usize::from(index)] = None;
    }
    colours
}

/// The decoder for this code size, from the last frame where it is the same.
fn lzw(kept: &mut Option<(u8, Decoder)>, code_size: u8) -> Result<&mut Decoder, Error> {
    // The format allows 2 to 8; up to 11 codes of 12 bits make sense.
    if !(1..=11).contains(&code_size) {
        return Err(Error::broken("an impossible LZW code size"));
    }
    if kept.as_ref().is_none_or(|(size, _)| *size != code_size) {
        *kept = Some((code_size, Decoder::new(BitOrder::Lsb, code_size)));
    }
    let (_, decoder) = kept
        .as_mut()
        .ok_or_else(|| Error::broken("no LZW decoder"))?;
    decoder.reset();
    Ok(decoder)
}

/// Decodes an image into rows of numbers, handed over with their places, in the order of the file.
fn decode(
    image: &Image<'_>,
    lzw: &mut Decoder,
    row: &mut [u8],
    mut put: impl FnMut(usize, &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut order = order(image);
    let mut y = order.next();
    let mut filled = 0;
    // The empty piece at the end draws out what the decoder still holds.
    let pieces = image.data.pieces().map(|piece| (piece, false));
    for (mut input, last) in pieces.chain(std::iter::once((&[][..], true))) {
        let mut idle = 0;
        loop {
            let Some(line) = y else {
                return Ok(());
            };
            let result = lzw.decode_bytes(input, &mut row[filled..]);
            input = &input[result.consumed_in..];
            filled += result.consumed_out;
            if filled == row.len() {
                put(line, row)?;
                filled = 0;
                y = order.next();
                continue;
            }
            if let LzwStatus::Done = result.status.map_err(Error::broken)? {
                return Err(Error::broken("a GIF frame ends early"));
            }
            if result.consumed_in > 0 || result.consumed_out > 0 {
                idle = 0;
            } else if (input.is_empty() && !last) || idle == HELD_CODES {
                break;
            } else {
                idle += 1;
            }
        }
    }
    match y {
        None => Ok(()),
        Some(_) => Err(Error::broken("a GIF frame is cut short")),
    }
}

/// Rows in the order of the file.
fn order(image: &Image<'_>) -> impl Iterator<Item = usize> + use<> {
    let height = usize::from(image.height);
    let passes = if image.interlaced {
        &PASSES[..]
    } else {
        &[(0, 1)]
    };
    let rows = move |(top, step): &(usize, usize)| (*top..height).step_by(*step);
    passes.iter().flat_map(rows)
}

/// RGBA to RGB.
fn opaque(canvas: &[u8]) -> Vec<u8> {
    let pixels = canvas.as_chunks::<4>().0;
    // Four bytes are written at a time, the last of which the next pixel takes.
    let mut out = vec![0; pixels.len() * 3 + 1];
    for (place, pixel) in (0..).step_by(3).zip(pixels) {
        if let Some(out) = out.get_mut(place..place + 4) {
            out.copy_from_slice(pixel);
        }
    }
    out.truncate(pixels.len() * 3);
    out
}
