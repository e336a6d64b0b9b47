//! WebP animations, frame by frame. Knows libwebp's animation decoder and encoder.
#![expect(unsafe_code, reason = "libwebp is C")]

use std::{
    ffi::{CStr, c_char, c_int},
    marker::PhantomData,
    mem::MaybeUninit,
    num::NonZeroU32,
    ptr::{self, NonNull},
    time::Duration,
};

use libwebp_sys::{
    WEBP_CSP_MODE, WEBP_MUX_ABI_VERSION, WebPAnimDecoder, WebPAnimDecoderDelete,
    WebPAnimDecoderGetInfo, WebPAnimDecoderGetNext, WebPAnimDecoderHasMoreFrames,
    WebPAnimDecoderNew, WebPAnimDecoderOptions, WebPAnimDecoderOptionsInit, WebPAnimEncoder,
    WebPAnimEncoderAdd, WebPAnimEncoderAssemble, WebPAnimEncoderDelete, WebPAnimEncoderGetError,
    WebPAnimEncoderNewInternal, WebPAnimEncoderOptions, WebPAnimEncoderOptionsInitInternal,
    WebPAnimInfo, WebPConfig, WebPData, WebPDataClear,
};

use super::still::{self, Picture};
use crate::pixels::{
    bitmap::{Bitmap, Colour, Layout, Samples},
    codec::{Cancel, EncodeOptions, Error, Frame, FrameReader, Loops, admit, quality},
    geometry::Size,
};

/// The ABI number that the animation decoder is asked for is that of the demuxer, which
/// `WebPAnimDecoderNew` fills in; the encoder's is the muxer's.
const MUX_ABI: c_int = WEBP_MUX_ABI_VERSION.cast_signed();
/// A frame's time has 24 bits of milliseconds in the file: four and a half hours.
const LONGEST_FRAME: Duration = Duration::from_millis(0xFF_FFFF);

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

/// Encodes frames; the file has no metadata yet.
pub(super) struct Encoder {
    library: NonNull<WebPAnimEncoder>,
    config: WebPConfig,
    size: Size,
    /// Milliseconds at which the last frame ends.
    time: c_int,
}

impl Encoder {
    /// # Errors
    /// [`Error::Encode`].
    pub(super) fn new(
        size: Size,
        loops: Loops,
        options: &EncodeOptions<'_>,
    ) -> Result<Self, Error> {
        let config = still::settings(
            options,
            quality::webp_frame(options.quality, options.effort),
        )?;
        let mut animation = MaybeUninit::<WebPAnimEncoderOptions>::zeroed();
        // SAFETY: initialises the options.
        if unsafe { WebPAnimEncoderOptionsInitInternal(animation.as_mut_ptr(), MUX_ABI) } == 0 {
            return Err(admit::encode("libwebp is another version"));
        }
        // SAFETY: initialised just now.
        let mut animation = unsafe { animation.assume_init() };
        // The file has 16 bits for it, and 0 for "for ever".
        let loops = loops.map_or(0, |loops| loops.get().min(u32::from(u16::MAX)));
        animation.anim_params.loop_count = c_int::try_from(loops).unwrap_or(0);
        // Transparent where no frame reaches, as all our canvases.
        animation.anim_params.bgcolor = 0;
        let signed =
            |side| c_int::try_from(side).map_err(|_| admit::encode("a side of over 2 Gpx"));
        let (width, height) = (signed(size.width)?, signed(size.height)?);
        // SAFETY: copies the options.
        let library =
            unsafe { WebPAnimEncoderNewInternal(width, height, &raw const animation, MUX_ABI) };
        let library =
            NonNull::new(library).ok_or_else(|| admit::encode("libwebp: no animation encoder"))?;
        Ok(Self {
            library,
            config,
            size,
            time: 0,
        })
    }

    /// Adds RGB (3 channels) or RGBA (4) samples of the whole canvas.
    ///
    /// # Errors
    /// [`Error::Encode`], [`Error::Cancelled`].
    pub(super) fn push(
        &mut self,
        samples: &[u8],
        channels: usize,
        delay: Duration,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        cancel.check()?;
        let mut picture = Picture::import(samples, self.size, channels, true, cancel)?;
        let delay = delay.min(LONGEST_FRAME).as_millis();
        let next = c_int::try_from(delay)
            .ok()
            .and_then(|delay| self.time.checked_add(delay))
            .ok_or_else(|| admit::encode("an animation of more than 24 days"))?;
        // SAFETY: a living encoder, a picture and a configuration; it copies what it keeps.
        let added = unsafe {
            WebPAnimEncoderAdd(
                self.library.as_ptr(),
                &raw mut picture.0,
                self.time,
                &raw const self.config,
            )
        };
        if added == 0 {
            return Err(if cancel.is_cancelled() {
                Error::Cancelled
            } else {
                self.failure()
            });
        }
        self.time = next;
        Ok(())
    }

    /// The file.
    ///
    /// # Errors
    /// [`Error::Encode`].
    pub(super) fn finish(self) -> Result<Vec<u8>, Error> {
        // SAFETY: a null frame says when the last one ends.
        let ended = unsafe {
            WebPAnimEncoderAdd(
                self.library.as_ptr(),
                ptr::null_mut(),
                self.time,
                ptr::null(),
            )
        };
        let mut data = WebPData::default();
        // SAFETY: a living encoder, and a structure to fill in.
        let assembled =
            unsafe { WebPAnimEncoderAssemble(self.library.as_ptr(), &raw mut data) } != 0;
        if ended == 0 || !assembled || data.bytes.is_null() {
            return Err(self.failure());
        }
        // SAFETY: the encoder gave us this memory, of this size.
        let file = unsafe { std::slice::from_raw_parts(data.bytes, data.size) }.to_vec();
        // SAFETY: ours, and not used again.
        unsafe { WebPDataClear(&mut data) };
        Ok(file)
    }

    fn failure(&self) -> Error {
        // SAFETY: a living encoder.
        let text: *const c_char = unsafe { WebPAnimEncoderGetError(self.library.as_ptr()) };
        if text.is_null() {
            return admit::encode("libwebp: the animation");
        }
        // SAFETY: a C string inside the encoder, copied before anything else is done with it.
        let text = unsafe { CStr::from_ptr(text) };
        admit::encode(format!("libwebp: {}", text.to_string_lossy()))
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: made by `WebPAnimEncoderNewInternal`, deleted once.
        unsafe { WebPAnimEncoderDelete(self.library.as_ptr()) };
    }
}
