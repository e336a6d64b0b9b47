//! WebP animations read, frame by frame. Knows libwebp's animation decoder.
#![expect(unsafe_code, reason = "libwebp is C")]

use std::{
    ffi::c_int,
    marker::PhantomData,
    mem::MaybeUninit,
    num::NonZeroU32,
    ptr::{self, NonNull},
    time::Duration,
};

use libwebp_sys::{
    WEBP_CSP_MODE, WebPAnimDecoder, WebPAnimDecoderDelete, WebPAnimDecoderGetInfo,
    WebPAnimDecoderGetNext, WebPAnimDecoderHasMoreFrames, WebPAnimDecoderNew,
    WebPAnimDecoderOptions, WebPAnimDecoderOptionsInit, WebPAnimInfo, WebPData,
};

use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    codec::{Cancel, Error, Frame, FrameReader, Loops, admit},
    geometry::Size,
};

/// Reads frames off a file, each composited on the canvas.
pub(super) struct Reader<'a> {
    decoder: NonNull<WebPAnimDecoder>,
    size: Size,
    /// Whether alpha is handed on; a file without any says so.
    alpha: bool,
    loops: Loops,
    colour: Colour,
    /// Milliseconds at which the last frame ended.
    time: c_int,
    /// The decoder reads the bytes as it goes.
    bytes: PhantomData<&'a [u8]>,
}

impl<'a> Reader<'a> {
    /// Opens an animation whose canvas is `size`, and in which `frames` were counted.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub(super) fn new(
        bytes: &'a [u8],
        size: Size,
        frames: u32,
        alpha: bool,
        colour: Colour,
    ) -> Result<Self, Error> {
        let mut options = MaybeUninit::<WebPAnimDecoderOptions>::zeroed();
        // SAFETY: initialises the options.
        if unsafe { WebPAnimDecoderOptionsInit(options.as_mut_ptr()) } == 0 {
            return Err(admit::broken("libwebp is another version"));
        }
        // SAFETY: initialised just now.
        let mut options = unsafe { options.assume_init() };
        options.color_mode = WEBP_CSP_MODE::MODE_RGBA;
        options.use_threads = 0;
        let data = WebPData {
            bytes: bytes.as_ptr(),
            size: bytes.len(),
        };
        // SAFETY: the decoder copies both structures, and keeps a pointer to the bytes, which
        // `'a` keeps alive.
        let decoder = unsafe { WebPAnimDecoderNew(&raw const data, &raw const options) };
        let decoder =
            NonNull::new(decoder).ok_or_else(|| admit::broken("libwebp: no animation"))?;
        let mut reader = Self {
            decoder,
            size,
            alpha,
            loops: None,
            colour,
            time: 0,
            bytes: PhantomData,
        };
        let mut info = WebPAnimInfo::default();
        // SAFETY: a living decoder, and a structure to fill in.
        if unsafe { WebPAnimDecoderGetInfo(reader.decoder.as_ptr(), &raw mut info) } == 0 {
            return Err(admit::broken("libwebp: no animation"));
        }
        if (info.canvas_width, info.canvas_height) != (size.width, size.height) {
            return Err(admit::broken("another canvas than the header says"));
        }
        // libwebp looks for the next frame where the one before it ends, be that inside its chunk.
        if info.frame_count > frames {
            return Err(admit::broken("frames inside of frames"));
        }
        reader.loops = NonZeroU32::new(info.loop_count);
        Ok(reader)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `WebPAnimDecoderNew`, deleted once.
        unsafe { WebPAnimDecoderDelete(self.decoder.as_ptr()) };
    }
}

impl FrameReader for Reader<'_> {
    fn loops(&self) -> Loops {
        self.loops
    }

    fn next_frame(&mut self, cancel: &Cancel) -> Result<Option<Frame>, Error> {
        cancel.check()?;
        // SAFETY: a living decoder.
        if unsafe { WebPAnimDecoderHasMoreFrames(self.decoder.as_ptr()) } == 0 {
            return Ok(None);
        }
        let mut canvas = ptr::null_mut();
        let mut time = 0;
        // SAFETY: a living decoder, and two places for its answers.
        let read = unsafe {
            WebPAnimDecoderGetNext(self.decoder.as_ptr(), &raw mut canvas, &raw mut time)
        };
        if read == 0 || canvas.is_null() {
            return Err(admit::broken("libwebp: a frame of the animation"));
        }
        let length = admit::buffer(self.size, Layout::Rgba.channels())?;
        // SAFETY: the decoder's canvas, of the size that it gave in its information, four bytes
        // a pixel, stands until the next call.
        let canvas = unsafe { std::slice::from_raw_parts(canvas, length) };
        let (layout, samples) = if self.alpha {
            (Layout::Rgba, canvas.to_vec())
        } else {
            let pixels = canvas.chunks_exact(4);
            (
                Layout::Rgb,
                pixels.flat_map(|p| [p[0], p[1], p[2]]).collect(),
            )
        };
        let delay = u64::try_from(time.saturating_sub(self.time)).unwrap_or(0);
        self.time = time;
        Ok(Some(Frame {
            bitmap: Bitmap {
                size: self.size,
                layout,
                samples: Samples::U8(samples),
                colour: self.colour.clone(),
            },
            delay: Duration::from_millis(delay),
        }))
    }
}
