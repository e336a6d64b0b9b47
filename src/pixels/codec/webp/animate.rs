//! Animations written: what of each frame is new, and the chunks of the file. Knows the container;
//! nothing of how pixels are coded.

use std::{borrow::Cow, time::Duration};

use super::{
    admit_size,
    change::{Alpha, Canvas, Change},
    colours, part, profile,
    riff::{self, ALPHA_FLAG, ANIMATION_FLAG, EXIF_FLAG, Extended, ICC_FLAG},
};
use crate::pixels::{
    codec::{Cancel, EncodeOptions, Error, Frame, FrameWriter, Loops, admit, quality},
    geometry::{Rect, Size},
};

/// A frame's time has 24 bits of milliseconds in the file: four and a half hours.
const LONGEST_FRAME: Duration = Duration::from_millis(0xFF_FFFF);

/// One of so many blocks must be as it was for a frame to be laid over what is seen: to say which
/// ones are takes bytes, and viewers more time.
const KEPT_SHARE: usize = 8;

/// Place, size, time and flags of a frame, before its chunks.
const FRAME_HEADER: usize = 16;

/// Flags of a frame: it replaces what is there; its place is cleared after it.
const REPLACES: u8 = 0b10;
const CLEARED_AFTER: u8 = 0b01;

/// An animation that is being written.
pub(super) struct Writer {
    size: Size,
    loops: Loops,
    icc: Option<Vec<u8>>,
    exif: Option<Vec<u8>>,
    /// How far colours may lie apart and still be taken for equal.
    tolerance: Option<u8>,
    coder: part::Coder,
    file: Vec<u8>,
    /// What the viewer sees: of each pixel, the samples that were last written, and not those that
    /// were near enough, so that small changes cannot add up unseen.
    seen: Vec<u8>,
    channels: usize,
    alpha: bool,
    frames: u32,
    last: Last,
}

/// The last frame in the file.
#[derive(Clone, Copy, Default)]
struct Last {
    /// Where its payload begins.
    at: usize,
    part: Option<Rect>,
    delay: Duration,
}

/// What the next frame is.
struct Step {
    part: Rect,
    /// Whether it is laid over what is seen, or replaces it.
    over: bool,
    alpha: Alpha,
}

impl Writer {
    /// # Errors
    /// [`Error::Encode`], [`Error::Limit`].
    pub(super) fn new(
        size: Size,
        loops: Loops,
        options: &EncodeOptions<'_>,
    ) -> Result<Self, Error> {
        admit_size(size)?;
        let tolerance = quality::webp_tolerance(options.quality);
        Ok(Self {
            size,
            loops,
            icc: None,
            exif: options.exif.map(<[u8]>::to_vec),
            tolerance: (!options.lossless).then_some(tolerance),
            coder: part::Coder::new(options)?,
            file: Vec::new(),
            seen: Vec::new(),
            channels: 0,
            alpha: false,
            frames: 0,
            last: Last::default(),
        })
    }

    /// What stands before the frames.
    fn begin(&mut self, icc: Option<&[u8]>) -> Result<(), Error> {
        self.icc = icc.map(<[u8]>::to_vec);
        let file = &mut self.file;
        file.extend(riff::BEGINNING);
        riff::append(file, *b"VP8X", &[0; riff::VP8X_LENGTH])?;
        if let Some(icc) = icc {
            riff::append(file, *b"ICCP", icc)?;
        }
        // Transparent where no frame reaches, as all our canvases.
        let mut loops = [0; 6];
        // 0 is "for ever".
        let times = self.loops.map_or(0, std::num::NonZeroU32::get);
        let times = u16::try_from(times).unwrap_or(u16::MAX);
        loops[4..].copy_from_slice(&times.to_le_bytes());
        riff::append(file, *b"ANIM", &loops)
    }

    /// The samples in as many channels as are seen; alpha once there is always there.
    fn matched<'a>(&mut self, samples: Cow<'a, [u8]>, channels: usize) -> Cow<'a, [u8]> {
        match (self.channels, channels) {
            (3, 4) => {
                self.seen = with_alpha(&self.seen);
                self.channels = 4;
                samples
            }
            (4, 3) => Cow::Owned(with_alpha(&samples)),
            _ => samples,
        }
    }

    /// What of the canvas has to be written; `None`: nothing changed.
    fn step(&mut self, after: Canvas<'_>) -> Result<Option<Step>, Error> {
        let whole = Rect::whole(self.size);
        if self.frames == 0 && self.channels == 3 {
            return Ok(Some(Step {
                part: whole,
                over: false,
                alpha: Alpha::Opaque,
            }));
        }
        let before = Canvas::new(self.size, self.channels, &self.seen)?;
        let change = Change::new(before, after, self.tolerance)?;
        let part = match change.rectangle() {
            Some(part) => part,
            // A file of no frame is no picture.
            None if self.frames == 0 => CORNER,
            None => return Ok(None),
        };
        if change.covers(part) {
            return Ok(Some(self.over(&change, part)));
        }
        // What was there is to be seen through: it may be less to clear it, and draw what is new.
        if let Some(last) = self.last.part {
            let cleared = without(&self.seen, self.size, last);
            let before = Canvas::new(self.size, self.channels, &cleared)?;
            let change = Change::new(before, after, self.tolerance)?;
            let smaller = change.rectangle().unwrap_or(CORNER);
            if smaller.size().pixels() < part.size().pixels() {
                let step = self.over(&change, smaller);
                self.seen = cleared;
                self.clear_last();
                return Ok(Some(step));
            }
        }
        Ok(Some(Step {
            part,
            over: false,
            alpha: opacity(after, part),
        }))
    }

    /// A part that may be laid over what is seen.
    fn over(&self, change: &Change<'_>, part: Rect) -> Step {
        if change.covers(part) {
            let (alpha, kept) = change.over(part, self.coder.side());
            let pixels = part.width as usize * part.height as usize;
            if kept > 0 && kept >= pixels / KEPT_SHARE {
                let over = true;
                return Step { part, over, alpha };
            }
        }
        Step {
            part,
            over: false,
            alpha: opacity(change.after(), part),
        }
    }

    fn write(&mut self, step: &Step, after: Canvas<'_>, cancel: &Cancel) -> Result<(), Error> {
        let Step { part, over, alpha } = step;
        let coded = self.coder.code(after, *part, alpha, cancel)?;
        // Where no frame is, there is nothing.
        self.alpha |= coded.alpha || (self.frames == 0 && *part != Rect::whole(self.size));
        let mut payload = Vec::with_capacity(FRAME_HEADER + coded.chunks.len());
        let [width, height] = [part.width - 1, part.height - 1];
        for number in [part.x / 2, part.y / 2, width, height, 0] {
            payload.extend(&number.to_le_bytes()[..3]);
        }
        payload.push(if *over { 0 } else { REPLACES });
        payload.extend(coded.chunks);
        let at = self.file.len() + riff::CHUNK_HEADER;
        riff::append(&mut self.file, *b"ANMF", &payload)?;
        self.last = Last {
            at,
            part: Some(*part),
            delay: Duration::ZERO,
        };
        self.frames += 1;
        self.see(step, after);
        Ok(())
    }

    /// Remembers what the viewer sees.
    fn see(&mut self, step: &Step, after: Canvas<'_>) {
        let (channels, part) = (self.channels, step.part);
        let width = part.width as usize;
        let stride = self.size.width as usize * channels;
        let left = part.x as usize * channels;
        let seen = self.seen.chunks_exact_mut(stride).skip(part.y as usize);
        for (y, (seen, row)) in seen.zip(after.rows(part)).enumerate() {
            let seen = &mut seen[left..left + row.len()];
            match &step.alpha {
                Alpha::Blocks(blocks) if step.over => {
                    let length = blocks.side * channels;
                    let pairs = seen.chunks_mut(length).zip(row.chunks(length));
                    let pairs = pairs.enumerate();
                    for (_, (seen, row)) in pairs.filter(|(x, _)| blocks.at(*x, y / blocks.side)) {
                        seen.copy_from_slice(row);
                    }
                }
                Alpha::Pixels(alpha) if step.over => {
                    let alpha = alpha.iter().skip(y * width);
                    let pairs = seen.chunks_exact_mut(channels);
                    let pairs = pairs.zip(row.chunks_exact(channels)).zip(alpha);
                    for ((seen, row), _) in pairs.filter(|(_, alpha)| **alpha > 0) {
                        seen.copy_from_slice(row);
                    }
                }
                _ => seen.copy_from_slice(row),
            }
        }
    }

    /// Lets the last frame stand longer.
    fn lengthen(&mut self, delay: Duration) {
        self.last.delay = self.last.delay.saturating_add(delay);
        let most = self.last.delay.min(LONGEST_FRAME).as_millis();
        let bytes = u32::try_from(most).unwrap_or(u32::MAX).to_le_bytes();
        if let Some(time) = self.file.get_mut(self.last.at + 12..self.last.at + 15) {
            time.copy_from_slice(&bytes[..3]);
        }
    }

    /// Says that the last frame's part is cleared after it.
    fn clear_last(&mut self) {
        self.alpha = true;
        if let Some(flags) = self.file.get_mut(self.last.at + FRAME_HEADER - 1) {
            *flags |= CLEARED_AFTER;
        }
    }

    /// A single frame that is all of the canvas, as a still.
    fn still(&self) -> Result<Option<Vec<u8>>, Error> {
        if self.frames != 1 || self.last.part != Some(Rect::whole(self.size)) {
            return Ok(None);
        }
        let chunks = self.file.get(self.last.at + FRAME_HEADER..);
        let chunks = chunks.unwrap_or_default();
        let mut file = riff::BEGINNING.to_vec();
        let extended = self.header(0);
        if extended.flags & (ICC_FLAG | EXIF_FLAG) != 0 || chunks.starts_with(b"ALPH") {
            riff::append(&mut file, *b"VP8X", &extended.write())?;
        }
        if let Some(icc) = &self.icc {
            riff::append(&mut file, *b"ICCP", icc)?;
        }
        file.extend_from_slice(chunks);
        Ok(Some(file))
    }

    fn header(&self, flags: u8) -> Extended {
        let flag = |is: bool, flag| if is { flag } else { 0 };
        Extended {
            flags: flags
                | flag(self.icc.is_some(), ICC_FLAG)
                | flag(self.alpha, ALPHA_FLAG)
                | flag(self.exif.is_some(), EXIF_FLAG),
            width: self.size.width,
            height: self.size.height,
        }
    }
}

impl FrameWriter for Writer {
    fn push(&mut self, frame: &Frame, cancel: &Cancel) -> Result<(), Error> {
        cancel.check()?;
        if frame.bitmap.size != self.size {
            return Err(admit::encode("a frame of another size than the canvas"));
        }
        let icc = profile(&frame.bitmap.colour)?;
        let (samples, channels) = colours(&frame.bitmap)?;
        if self.frames == 0 {
            self.begin(icc)?;
            self.channels = channels;
            self.seen = vec![0; samples.len()];
        }
        let samples = self.matched(samples, channels);
        let after = Canvas::new(self.size, self.channels, &samples)?;
        if let Some(step) = self.step(after)? {
            self.write(&step, after, cancel)?;
        }
        self.lengthen(frame.delay);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, Error> {
        if self.frames == 0 {
            return Err(admit::encode("an animation without a frame"));
        }
        if let Some(still) = self.still()? {
            self.file = still;
        } else {
            let at = riff::HEADER + riff::CHUNK_HEADER;
            let header = self.header(ANIMATION_FLAG).write();
            if let Some(place) = self.file.get_mut(at..at + riff::VP8X_LENGTH) {
                place.copy_from_slice(&header);
            }
        }
        if let Some(exif) = &self.exif {
            riff::append(&mut self.file, *b"EXIF", exif)?;
        }
        riff::close(&mut self.file)?;
        Ok(self.file)
    }
}

/// The smallest part, for a frame that changes nothing.
const CORNER: Rect = Rect {
    x: 0,
    y: 0,
    width: 1,
    height: 1,
};

/// RGB as RGBA.
fn with_alpha(samples: &[u8]) -> Vec<u8> {
    let pixels = samples.as_chunks::<3>().0.iter();
    pixels
        .flat_map(|[red, green, blue]| [*red, *green, *blue, 255])
        .collect()
}

/// An RGBA canvas with a part of it cleared.
fn without(seen: &[u8], size: Size, part: Rect) -> Vec<u8> {
    let mut cleared = seen.to_vec();
    let rows = cleared.chunks_exact_mut(size.width as usize * 4);
    let (left, right) = (part.x as usize * 4, (part.x + part.width) as usize * 4);
    for row in rows.skip(part.y as usize).take(part.height as usize) {
        row[left..right].fill(0);
    }
    cleared
}

/// Alpha of each pixel of a part, where not all are opaque.
fn opacity(canvas: Canvas<'_>, part: Rect) -> Alpha {
    if canvas.channels() == 3 {
        return Alpha::Opaque;
    }
    let pixels = canvas.rows(part).flat_map(|row| row.as_chunks::<4>().0);
    let alpha: Vec<u8> = pixels.map(|pixel| pixel[3]).collect();
    if alpha.iter().all(|alpha| *alpha == 255) {
        return Alpha::Opaque;
    }
    Alpha::Pixels(alpha)
}

#[cfg(test)]
mod tests;
