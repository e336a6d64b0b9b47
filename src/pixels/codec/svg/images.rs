//! Pictures inside of a drawing (`data:`), read by our own codecs within their limits, and handed
//! on as plain PNGs.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use resvg::usvg::ImageKind;

use super::super::{Cancel, DecodeOptions, EncodeOptions, Error, Limits, decode, encode, probe};
use crate::pixels::{
    bitmap::{Bitmap, Layout, Samples},
    format::{InputFormat, OutputFormat, Sniffed, sniff},
};

/// Pictures that one drawing may hold. `use` counts, too.
const MOST: u64 = 64;

/// Pixels of all of them: as many as a large output has.
const PIXELS: u64 = 16_777_216;

/// Bytes for each pixel: decoded, as PNG, and decoded again while it is drawn.
const PIXEL: u64 = 12;

/// What is taken for a picture here. SVG in SVG is not: it would need a census of its own.
const FORMATS: [InputFormat; 4] = [
    InputFormat::Jpeg,
    InputFormat::Png,
    InputFormat::WebP,
    InputFormat::Gif,
];

/// The pictures of one drawing.
pub(super) struct Images<'a> {
    limits: &'a Limits,
    /// `None`: only count them.
    cancel: Option<&'a Cancel>,
    count: AtomicU64,
    pixels: AtomicU64,
    refused: Mutex<Option<Error>>,
}

impl<'a> Images<'a> {
    /// Looks at headers only.
    pub(super) fn counting(limits: &'a Limits) -> Self {
        Self {
            limits,
            cancel: None,
            count: AtomicU64::new(0),
            pixels: AtomicU64::new(0),
            refused: Mutex::new(None),
        }
    }

    /// Decodes them.
    pub(super) fn reading(limits: &'a Limits, cancel: &'a Cancel) -> Self {
        Self {
            cancel: Some(cancel),
            ..Self::counting(limits)
        }
    }

    /// One picture for the rasteriser. What is no picture is left out, as browsers do; what is
    /// over a limit is remembered for [`Self::verdict`].
    pub(super) fn admit(&self, data: &[u8]) -> Option<ImageKind> {
        match self.read(data) {
            Ok(kind) => kind,
            Err(error @ (Error::Limit(_) | Error::Cancelled)) => {
                let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                refused.get_or_insert(error);
                None
            }
            Err(_) => None,
        }
    }

    /// Bytes that they need while the drawing is drawn.
    pub(super) fn bytes(&self) -> u64 {
        self.pixels.load(Ordering::Relaxed).saturating_mul(PIXEL)
    }

    /// Whether all that were asked for were within the limits.
    pub(super) fn verdict(&self) -> Result<(), Error> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.take().map_or(Ok(()), Err)
    }

    fn read(&self, data: &[u8]) -> Result<Option<ImageKind>, Error> {
        let known = match sniff(data) {
            Sniffed::Known(format) => FORMATS.contains(&format),
            _ => false,
        };
        if !known {
            return Ok(None);
        }
        if self.count.fetch_add(1, Ordering::Relaxed) >= MOST {
            return Err(Error::Limit(format!(
                "is a drawing with more than {MOST} pictures in it"
            )));
        }
        let header = probe(data, self.limits)?;
        let pixels = header.size.pixels();
        if self.pixels.fetch_add(pixels, Ordering::Relaxed) + pixels > PIXELS {
            return Err(Error::Limit(format!(
                "is a drawing with pictures of more than {PIXELS} pixels in it"
            )));
        }
        let Some(cancel) = self.cancel else {
            // A stand-in of the same size: boxes and layers come out as they will.
            return Ok(Some(stand_in(header.size.width, header.size.height)));
        };
        let options = DecodeOptions {
            page: 0,
            at_least: None,
        };
        let bitmap = decode(data, &header, &options, self.limits, cancel)?;
        Ok(Some(ImageKind::PNG(Arc::new(plain(bitmap, cancel)?))))
    }
}

/// The head of a PNG, of which only the size is read.
fn stand_in(width: u32, height: u32) -> ImageKind {
    let mut head = b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR".to_vec();
    head.extend_from_slice(&width.to_be_bytes());
    head.extend_from_slice(&height.to_be_bytes());
    head.extend_from_slice(&[8, 6, 0, 0, 0]);
    ImageKind::PNG(Arc::new(head))
}

/// The picture as a PNG of eight bits.
fn plain(bitmap: Bitmap, cancel: &Cancel) -> Result<Vec<u8>, Error> {
    if bitmap.layout == Layout::Cmyk {
        return Err(Error::broken("a picture of inks inside of a drawing"));
    }
    let bitmap = Bitmap {
        samples: Samples::U8(bitmap.samples.into_u8()),
        ..bitmap
    };
    let options = EncodeOptions {
        format: OutputFormat::Png,
        quality: 100,
        lossless: true,
        progressive: false,
        effort: crate::pixels::codec::Effort::Quick,
        exif: None,
    };
    encode(&bitmap, &options, cancel)
}
