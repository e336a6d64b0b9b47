//! Pixels to JPEG. Knows libjpeg; the caller has made the pixels 8-bit gray or RGB.
#![expect(unsafe_code, reason = "libjpeg is C")]

mod raw;

use std::ffi::c_int;

use mozjpeg_sys::{
    J_COLOR_SPACE, J_INT_PARAM, JINT_COMPRESS_PROFILE_VALUE, boolean, jpeg_c_set_int_param,
    jpeg_compress_struct, jpeg_create_compress, jpeg_destination_mgr, jpeg_destroy_compress,
    jpeg_error_mgr, jpeg_finish_compress, jpeg_set_defaults, jpeg_set_quality,
    jpeg_simple_progression, jpeg_start_compress, jpeg_write_marker, jpeg_write_scanlines,
};

use super::library::{self, Session, guarded};
use crate::pixels::{
    codec::{
        Cancel, Error, admit,
        quality::{self, Jpeg},
    },
    geometry::Size,
    planes::Planes,
};

/// What libjpeg writes into before the bytes move on.
const BUFFER: usize = 64 << 10;
/// Bytes of a segment's payload: its length field counts itself.
const SEGMENT: usize = 65_533;
/// The tables of ITU T.81, annex K, by mozjpeg's number.
const COMMON_TABLES: c_int = 0;
/// Those of Klein, Silverstein and Carney, "Relevance of human vision to JPEG-DCT compression", 1992.
const SEEN_TABLES: c_int = 5;
const EXIF: &[u8] = b"Exif\0\0";
const ICC: &[u8] = b"ICC_PROFILE\0";
const APP1: c_int = 0xE1;
const APP2: c_int = 0xE2;

/// What to encode, and how.
pub(super) struct Input<'a> {
    pub(super) size: Size,
    pub(super) pixels: Pixels<'a>,
    pub(super) quality: u8,
    pub(super) progressive: bool,
    pub(super) icc: Option<&'a [u8]>,
    pub(super) exif: Option<&'a [u8]>,
}

/// The picture itself.
pub(super) enum Pixels<'a> {
    /// Rows of pixels.
    Rows {
        /// 1: gray, 3: RGB.
        channels: u8,
        samples: &'a [u8],
    },
    /// Luma and colour differences as they are to be coded.
    Planes(&'a Planes),
}

/// Encodes.
///
/// # Errors
/// [`Error::Encode`], [`Error::Cancelled`].
pub(super) fn encode(input: &Input<'_>, cancel: &Cancel) -> Result<Vec<u8>, Error> {
    let mut session = Session {
        cancel,
        end_matters: false,
        scans: c_int::MAX,
        stopped: None,
        failure: |cause| Error::Encode { cause },
    };
    let session = &raw mut session;
    guarded(session, || Encoder::new(session).run(input))
}

/// libjpeg's structures: they point at each other, so they stay where they are.
struct Encoder {
    library: Box<jpeg_compress_struct>,
    /// Kept for `library`, which points at it.
    _errors: Box<jpeg_error_mgr>,
    output: Box<Output>,
}

/// A destination. Its first member is what libjpeg knows of it.
#[repr(C)]
struct Output {
    manager: jpeg_destination_mgr,
    buffer: Vec<u8>,
    bytes: Vec<u8>,
}

impl Encoder {
    fn new(session: *mut Session<'_>) -> Self {
        let mut errors = library::error_manager();
        let output = Box::new(Output {
            manager: jpeg_destination_mgr {
                next_output_byte: std::ptr::null_mut(),
                free_in_buffer: 0,
                init_destination: Some(start),
                empty_output_buffer: Some(take_all),
                term_destination: Some(take_rest),
            },
            buffer: vec![0; BUFFER],
            bytes: Vec::new(),
        });
        // SAFETY: a structure of numbers, pointers and enumerations that have a variant of value 0.
        let mut library: Box<jpeg_compress_struct> = Box::new(unsafe { std::mem::zeroed() });
        library.common.err = &raw mut *errors;
        library.common.client_data = session.cast();
        // From here on the structure is destroyed when this is dropped, however that happens.
        let mut encoder = Self {
            library,
            _errors: errors,
            output,
        };
        // SAFETY: the error manager is set; the call initialises all else and keeps `client_data`.
        unsafe { jpeg_create_compress(&raw mut *encoder.library) };
        encoder.library.dest = (&raw mut *encoder.output).cast();
        encoder
    }

    fn run(mut self, input: &Input<'_>) -> Result<Vec<u8>, Error> {
        self.configure(input);
        let library = &mut *self.library;
        if let Pixels::Planes(_) = input.pixels {
            library.raw_data_in = 1;
        }
        // SAFETY: parameters and destination are set.
        unsafe { jpeg_start_compress(library, 1) };
        write_metadata(library, input)?;
        match input.pixels {
            Pixels::Rows { channels, samples } => {
                write_rows(library, input.size, channels, samples)?;
            }
            Pixels::Planes(planes) => raw::write(library, planes)?,
        }
        // SAFETY: every row has been written.
        unsafe { jpeg_finish_compress(library) };
        Ok(std::mem::take(&mut self.output.bytes))
    }

    fn configure(&mut self, input: &Input<'_>) {
        let library = &mut *self.library;
        library.image_width = input.size.width;
        library.image_height = input.size.height;
        let (components, space) = match &input.pixels {
            Pixels::Rows { channels: 1, .. } | Pixels::Planes(Planes { chroma: None, .. }) => {
                (1, J_COLOR_SPACE::JCS_GRAYSCALE)
            }
            Pixels::Rows { .. } => (3, J_COLOR_SPACE::JCS_RGB),
            Pixels::Planes(_) => (3, J_COLOR_SPACE::JCS_YCbCr),
        };
        library.input_components = components;
        library.in_color_space = space;
        // SAFETY: the structure is created and its input described, which is all that these ask.
        unsafe {
            // libjpeg-turbo's speed; mozjpeg's own search takes thirty times as long for a sixth of
            // the bytes.
            jpeg_c_set_int_param(
                library,
                J_INT_PARAM::JINT_COMPRESS_PROFILE,
                JINT_COMPRESS_PROFILE_VALUE::JCP_FASTEST as c_int,
            );
            jpeg_set_defaults(library);
            let (quality, tables) = match quality::jpeg(input.quality) {
                Jpeg::Common(quality) => (quality, COMMON_TABLES),
                Jpeg::Seen(quality) => (quality, SEEN_TABLES),
            };
            jpeg_c_set_int_param(library, J_INT_PARAM::JINT_BASE_QUANT_TBL_IDX, tables);
            jpeg_set_quality(library, c_int::from(quality), 1);
        }
        // Huffman tables made to measure: 1 % of the bytes for three times the time.
        library.optimize_coding = 0;
        if input.progressive {
            // SAFETY: as above.
            unsafe { jpeg_simple_progression(library) };
        }
        if components == 3 {
            let factor = if input.quality >= quality::FULL_COLOUR_FROM {
                1
            } else {
                2
            };
            // SAFETY: `jpeg_set_defaults` allocated the components, three for colour.
            unsafe {
                (*library.comp_info).h_samp_factor = factor;
                (*library.comp_info).v_samp_factor = factor;
            }
        }
    }
}

fn write_rows(
    library: &mut jpeg_compress_struct,
    size: Size,
    channels: u8,
    samples: &[u8],
) -> Result<(), Error> {
    let channels = usize::from(channels);
    let stride = admit::buffer(Size { height: 1, ..size }, channels)?;
    if admit::buffer(size, channels)? != samples.len() {
        return Err(admit::encode(
            "a bitmap of another length than its size says",
        ));
    }
    for (index, row) in samples.chunks_exact(stride).enumerate() {
        if index % 16 == 0 {
            // SAFETY: the session outlives the encoder; libjpeg is not using it between calls.
            unsafe { library::session(&library.common) }
                .cancel
                .check()?;
        }
        // SAFETY: one row of `image_width` pixels of `input_components` samples.
        unsafe { jpeg_write_scanlines(library, &row.as_ptr(), 1) };
    }
    Ok(())
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: created by `jpeg_create_compress`, or still all zeroes, which it allows for.
        unsafe { jpeg_destroy_compress(&mut self.library) };
    }
}

/// EXIF, where it fits its one segment, and the profile, in as many as it needs.
fn write_metadata(library: &mut jpeg_compress_struct, input: &Input<'_>) -> Result<(), Error> {
    if let Some(exif) = input.exif {
        let segment = [EXIF, exif].concat();
        if segment.len() <= SEGMENT {
            write_segment(library, APP1, &segment)?;
        }
    }
    let Some(profile) = input.icc else {
        return Ok(());
    };
    let chunks = profile.chunks(SEGMENT - ICC.len() - 2);
    let count = u8::try_from(chunks.len())
        .map_err(|_| admit::encode("a colour profile of more than 255 segments"))?;
    for (number, chunk) in (1..=count).zip(chunks) {
        let segment = [ICC, &[number, count], chunk].concat();
        write_segment(library, APP2, &segment)?;
    }
    Ok(())
}

fn write_segment(
    library: &mut jpeg_compress_struct,
    marker: c_int,
    payload: &[u8],
) -> Result<(), Error> {
    let length = payload
        .len()
        .try_into()
        .map_err(|_| admit::encode("a segment that is too long"))?;
    // SAFETY: compression has started and no row is written; the bytes are read at once.
    unsafe { jpeg_write_marker(library, marker, payload.as_ptr(), length) };
    Ok(())
}

/// The [`Output`] that libjpeg writes to.
///
/// # Safety
/// `library` must be that of an [`Encoder`].
unsafe fn output(library: &mut jpeg_compress_struct) -> &mut Output {
    // SAFETY: `Encoder::new` points `dest` at an `Output`, whose first member is the manager.
    unsafe { &mut *library.dest.cast::<Output>() }
}

unsafe extern "C-unwind" fn start(library: &mut jpeg_compress_struct) {
    // SAFETY: only the destination of an `Encoder` has this callback.
    let output = unsafe { output(library) };
    output.rewind();
}

/// The buffer is full, whatever `free_in_buffer` says (libjpeg's convention).
unsafe extern "C-unwind" fn take_all(library: &mut jpeg_compress_struct) -> boolean {
    // SAFETY: only the destination of an `Encoder` has this callback.
    let output = unsafe { output(library) };
    output.bytes.extend_from_slice(&output.buffer);
    output.rewind();
    1
}

unsafe extern "C-unwind" fn take_rest(library: &mut jpeg_compress_struct) {
    // SAFETY: only the destination of an `Encoder` has this callback.
    let output = unsafe { output(library) };
    let used = output
        .buffer
        .len()
        .saturating_sub(output.manager.free_in_buffer);
    output.bytes.extend_from_slice(&output.buffer[..used]);
}

impl Output {
    fn rewind(&mut self) {
        self.manager.next_output_byte = self.buffer.as_mut_ptr();
        self.manager.free_in_buffer = self.buffer.len();
    }
}
