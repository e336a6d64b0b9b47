//! One frame of an animation: a rectangle of the canvas to the chunks that hold it. Knows what is
//! shown of it; not why.

use libwebp_sys::WebPConfig;

use super::{
    change::{Alpha, BLOCK, Blocks, Canvas},
    mask, riff, still, survey, vp8,
    yuv::Yuv,
};
use crate::pixels::{
    codec::{Cancel, EncodeOptions, Error, quality},
    geometry::Rect,
};

/// Codes frames, one after the other.
pub(super) struct Coder {
    way: Way,
    planes: Yuv,
}

enum Way {
    /// By our own encoder, at this level.
    Own(u8),
    Library(WebPConfig),
}

/// Chunks of a frame.
pub(super) struct Coded {
    pub(super) chunks: Vec<u8>,
    pub(super) alpha: bool,
}

impl Coder {
    /// # Errors
    /// [`Error::Encode`].
    pub(super) fn new(options: &EncodeOptions<'_>) -> Result<Self, Error> {
        let frame = quality::webp_frame(options.quality, options.effort);
        let way = match still::own(options) {
            Some(level) => Way::Own(level),
            None => Way::Library(still::settings(options, frame)?),
        };
        Ok(Self {
            way,
            planes: Yuv::default(),
        })
    }

    /// A side of the blocks that may be left out: of our own encoder, which leaves out whole blocks
    /// best, VP8's; of libwebp those that it makes flat itself.
    pub(super) fn side(&self) -> usize {
        match self.way {
            Way::Own(_) => BLOCK,
            Way::Library(_) => BLOCK / 2,
        }
    }

    /// Codes a part of the canvas.
    ///
    /// # Errors
    /// [`Error::Encode`], [`Error::Cancelled`].
    pub(super) fn code(
        &mut self,
        canvas: Canvas<'_>,
        part: Rect,
        alpha: &Alpha,
        cancel: &Cancel,
    ) -> Result<Coded, Error> {
        let level = match &self.way {
            Way::Own(level) => *level,
            Way::Library(config) => {
                let (samples, channels) = cut(canvas, part, alpha, config.lossless != 0);
                let picture = (samples.as_slice(), part.size(), channels);
                return chunks(&still::library(picture, config, cancel)?);
            }
        };
        let packed = match alpha {
            Alpha::Opaque => {
                self.fill(canvas, part);
                return chunks(&vp8::encode(&self.planes.source(), level, cancel)?);
            }
            Alpha::Blocks(blocks) => {
                self.fill(canvas, part);
                self.planes.flatten(blocks);
                mask::alpha(blocks, sides(part))
            }
            Alpha::Pixels(alpha) => {
                let smooth = smooth(canvas, part, alpha);
                let rows = smooth.chunks_exact(part.width as usize * 3);
                self.planes.fill::<3>(sides(part), rows);
                self.planes.flatten(&seen(alpha, part));
                still::alpha(alpha, part.size(), cancel)?
            }
        };
        let mut coded = chunks(&vp8::encode(&self.planes.source(), level, cancel)?)?;
        let mut all = Vec::with_capacity(packed.len() + coded.chunks.len() + 10);
        riff::append(&mut all, *b"ALPH", &packed)?;
        all.append(&mut coded.chunks);
        Ok(Coded {
            chunks: all,
            alpha: true,
        })
    }

    fn fill(&mut self, canvas: Canvas<'_>, part: Rect) {
        let rows = canvas.rows(part);
        if canvas.channels() == 3 {
            self.planes.fill::<3>(sides(part), rows);
        } else {
            self.planes.fill::<4>(sides(part), rows);
        }
    }
}

fn sides(part: Rect) -> (usize, usize) {
    (part.width as usize, part.height as usize)
}

/// The chunks of a still that a frame consists of.
fn chunks(file: &[u8]) -> Result<Coded, Error> {
    let mut chunks = Vec::with_capacity(file.len());
    for chunk in riff::chunks(file) {
        if matches!(&chunk.kind, b"ALPH" | b"VP8 " | b"VP8L") {
            riff::append(&mut chunks, chunk.kind, chunk.payload(file))?;
        }
    }
    Ok(Coded {
        chunks,
        alpha: survey::has_alpha(file),
    })
}

/// Which blocks have a pixel that is seen.
fn seen(alpha: &[u8], part: Rect) -> Blocks {
    let (width, height) = sides(part);
    let across = width.div_ceil(BLOCK);
    let mut shown = vec![false; across * height.div_ceil(BLOCK)];
    for (y, row) in alpha.chunks_exact(width.max(1)).enumerate() {
        let blocks = shown.iter_mut().skip(y / BLOCK * across);
        for (seen, alpha) in blocks.zip(row.chunks(BLOCK)) {
            *seen = *seen || alpha.iter().any(|alpha| *alpha > 0);
        }
    }
    Blocks {
        side: BLOCK,
        across,
        shown,
    }
}

/// A part of an RGBA canvas as RGB, in which pixels that are not seen have the mean colour of those
/// that are, block by block: edges that nobody sees cost as much as others.
fn smooth(canvas: Canvas<'_>, part: Rect, alpha: &[u8]) -> Vec<u8> {
    let (width, _) = sides(part);
    let rows = canvas.rows(part);
    let mut pixels: Vec<[u8; 3]> = rows
        .flat_map(|row| row.as_chunks::<4>().0)
        .map(|[red, green, blue, _]| [*red, *green, *blue])
        .collect();
    let bands = pixels.chunks_mut((width * BLOCK).max(1));
    for (band, alpha) in bands.zip(alpha.chunks((width * BLOCK).max(1))) {
        for left in (0..width).step_by(BLOCK) {
            let right = (left + BLOCK).min(width);
            let places =
                || (0..band.len() / width).flat_map(|y| y * width + left..y * width + right);
            let (mut sums, mut count) = ([0_u32; 3], 0_u32);
            for place in places().filter(|place| alpha[*place] > 0) {
                count += 1;
                for (sum, sample) in sums.iter_mut().zip(band[place]) {
                    *sum += u32::from(sample);
                }
            }
            let mean = sums.map(|sum| {
                let mean = (sum + count / 2).checked_div(count).unwrap_or(0);
                u8::try_from(mean).unwrap_or(u8::MAX)
            });
            for place in places()
                .filter(|place| alpha[*place] == 0)
                .collect::<Vec<_>>()
            {
                band[place] = mean;
            }
        }
    }
    pixels.into_flattened()
}

/// A part of the canvas, by itself. Pixels that are left out keep their colours where they are to be
/// lossy: they are nearer to those beside them than black.
fn cut(canvas: Canvas<'_>, part: Rect, alpha: &Alpha, lossless: bool) -> (Vec<u8>, usize) {
    let rows = canvas.rows(part);
    let channels = canvas.channels();
    let width = part.width as usize;
    if *alpha == Alpha::Opaque {
        return (rows.flatten().copied().collect(), channels);
    }
    let mut shown = Vec::with_capacity(width * part.height as usize * 4);
    for (y, row) in rows.enumerate() {
        for (x, pixel) in row.chunks_exact(channels).enumerate() {
            let own = pixel.get(3).copied().unwrap_or(255);
            let alpha = match alpha {
                Alpha::Opaque => own,
                Alpha::Blocks(blocks) if blocks.at(x / blocks.side, y / blocks.side) => own,
                Alpha::Blocks(_) => 0,
                Alpha::Pixels(alpha) => alpha.get(y * width + x).copied().unwrap_or(0),
            };
            match pixel {
                [red, green, blue, ..] if own == alpha || !lossless => {
                    shown.extend([*red, *green, *blue, alpha]);
                }
                _ => shown.extend([0; 4]),
            }
        }
    }
    (shown, 4)
}
