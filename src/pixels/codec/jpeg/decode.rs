//! JPEG to pixels, at eighths of the size. Knows libjpeg; the file has been surveyed before.
#![expect(unsafe_code, reason = "libjpeg is C")]

use std::{ffi::c_int, ptr};

use mozjpeg_sys::{
    J_COLOR_SPACE, jpeg_common_struct, jpeg_create_decompress, jpeg_decompress_struct,
    jpeg_destroy_decompress, jpeg_error_mgr, jpeg_mem_src, jpeg_progress_mgr, jpeg_read_header,
    jpeg_read_scanlines, jpeg_start_decompress,
};

use super::{
    library::{self, Session, guarded},
    survey,
};
use crate::pixels::{
    bitmap::Layout,
    codec::{Cancel, Error, Limits, admit},
    geometry::Size,
};

/// Rows that are asked for at once; libjpeg gives 1 to 8 at a time.
const ROWS: usize = 8;

/// Decoded rows: interleaved samples, as stored (Adobe's inks still inverted).
pub(super) struct Rows {
    pub(super) size: Size,
    pub(super) layout: Layout,
    pub(super) samples: Vec<u8>,
}

/// Decodes at `eighths`/8 of the size, `buffered` as the survey says.
///
/// # Errors
/// [`Error::Broken`], also where data are missing; [`Error::Limit`]; [`Error::Cancelled`].
pub(super) fn decode(
    bytes: &[u8],
    eighths: u8,
    buffered: bool,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Rows, Error> {
    with_decoder(buffered, limits, cancel, |decoder| {
        decoder.run(bytes, eighths, limits)
    })
}

/// Runs calls into libjpeg, with a decoder made for them.
pub(super) fn with_decoder<T>(
    buffered: bool,
    limits: &Limits,
    cancel: &Cancel,
    calls: impl FnOnce(Decoder) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut session = Session {
        cancel,
        end_matters: buffered,
        scans: c_int::try_from(limits.scans).unwrap_or(c_int::MAX),
        stopped: None,
    };
    let session = &raw mut session;
    guarded(session, || calls(Decoder::new(session)))
}

/// libjpeg's structures: they point at each other, so they stay where they are.
pub(super) struct Decoder {
    pub(super) library: Box<jpeg_decompress_struct>,
    /// Kept for `library`, which points at it.
    _errors: Box<jpeg_error_mgr>,
    progress: Box<jpeg_progress_mgr>,
}

impl Decoder {
    fn new(session: *mut Session<'_>) -> Self {
        let mut errors = library::error_manager();
        // SAFETY: a structure of numbers, pointers and optional functions; zeroes are a value.
        let mut progress: Box<jpeg_progress_mgr> = Box::new(unsafe { std::mem::zeroed() });
        progress.progress_monitor = Some(watch);
        // SAFETY: as above; its enumerations have a variant of value 0.
        let mut library: Box<jpeg_decompress_struct> = Box::new(unsafe { std::mem::zeroed() });
        library.common.err = &raw mut *errors;
        library.common.client_data = session.cast();
        // From here on the structure is destroyed when this is dropped, however that happens.
        let mut decoder = Self {
            library,
            _errors: errors,
            progress,
        };
        // SAFETY: the error manager is set; the call initialises all else and keeps `client_data`.
        unsafe { jpeg_create_decompress(&raw mut *decoder.library) };
        decoder.library.common.progress = &raw mut *decoder.progress;
        decoder
    }

    /// Reads the header of a file, which must outlive the decoder.
    pub(super) fn open(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = bytes
            .len()
            .try_into()
            .map_err(|_| admit::broken("more bytes than libjpeg counts"))?;
        let library = &mut *self.library;
        // SAFETY: the caller keeps `bytes` until `self` is dropped, and libjpeg only reads them.
        unsafe {
            jpeg_mem_src(library, bytes.as_ptr(), length);
            jpeg_read_header(library, 1);
        }
        Ok(())
    }

    fn run(mut self, bytes: &[u8], eighths: u8, limits: &Limits) -> Result<Rows, Error> {
        self.open(bytes)?;
        let library = &mut *self.library;
        let layout = layout(library)?;
        library.scale_num = u32::from(eighths);
        library.scale_denom = 8;
        // SAFETY: the header is read; the source is not a suspending one.
        unsafe { jpeg_start_decompress(library) };
        let size = admit::size(library.output_width, library.output_height, limits)?;
        let stride = admit::buffer(Size { height: 1, ..size }, layout.channels())?;
        let mut samples = vec![0; admit::buffer(size, layout.channels())?];
        let channels = usize::try_from(library.output_components).unwrap_or(0);
        if channels != layout.channels() {
            return Err(admit::broken("libjpeg changed its mind about the channels"));
        }
        while library.output_scanline < library.output_height {
            // SAFETY: the session outlives `self`, and libjpeg is not using it between calls.
            unsafe { library::session(&library.common) }
                .cancel
                .check()?;
            let done = usize::try_from(library.output_scanline).unwrap_or(usize::MAX);
            let mut rows = [ptr::null_mut(); ROWS];
            let mut count = 0;
            let rest = samples.chunks_exact_mut(stride).skip(done);
            for (row, pointer) in rest.zip(&mut rows) {
                *pointer = row.as_mut_ptr();
                count += 1;
            }
            // SAFETY: `count` rows, each of `stride` bytes, which is the width that libjpeg
            // announced times its channels.
            let read = unsafe { jpeg_read_scanlines(library, rows.as_mut_ptr(), count) };
            if read == 0 {
                return Err(admit::broken("libjpeg gave no rows"));
            }
        }
        // `jpeg_finish_decompress` is left out: all it would do is look for the end of image.
        Ok(Rows {
            size,
            layout,
            samples,
        })
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: created by `jpeg_create_decompress`, or still all zeroes, which it allows for.
        unsafe { jpeg_destroy_decompress(&mut self.library) };
    }
}

/// Chooses the colours that come out.
fn layout(library: &mut jpeg_decompress_struct) -> Result<Layout, Error> {
    let (colours, layout) = match library.jpeg_color_space {
        J_COLOR_SPACE::JCS_GRAYSCALE => (J_COLOR_SPACE::JCS_GRAYSCALE, Layout::Gray),
        J_COLOR_SPACE::JCS_RGB | J_COLOR_SPACE::JCS_YCbCr => (J_COLOR_SPACE::JCS_RGB, Layout::Rgb),
        J_COLOR_SPACE::JCS_CMYK | J_COLOR_SPACE::JCS_YCCK => {
            (J_COLOR_SPACE::JCS_CMYK, Layout::Cmyk)
        }
        _ => return Err(admit::broken("a colour space that libjpeg does not know")),
    };
    library.out_color_space = colours;
    Ok(layout)
}

/// Called by libjpeg now and then while it reads a whole progressive file before the first row.
unsafe extern "C-unwind" fn watch(common: &mut jpeg_common_struct) {
    // SAFETY: `common` is the first member of the structure of a `Decoder`: no other has this
    // callback.
    let scan =
        unsafe { (*ptr::from_mut(common).cast::<jpeg_decompress_struct>()).input_scan_number };
    // SAFETY: a `Decoder` sets `client_data`, and is inside a call of libjpeg now.
    let session = unsafe { library::session(common) };
    if session.cancel.is_cancelled() {
        session.stop(Error::Cancelled);
    }
    // The survey has counted, but it is libjpeg's count that costs.
    if scan > session.scans {
        let limit = u32::try_from(session.scans).unwrap_or(u32::MAX);
        session.stop(survey::too_many_scans(limit));
    }
}
