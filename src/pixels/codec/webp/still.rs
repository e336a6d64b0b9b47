//! One WebP picture to pixels, and back. Knows libwebp's simple halves: decoder and encoder.
#![expect(unsafe_code, reason = "libwebp is C")]

use std::ffi::{c_int, c_void};

use libwebp_sys::{
    VP8StatusCode, WEBP_CSP_MODE, WebPConfig, WebPConfigLosslessPreset, WebPDecoderConfig,
    WebPEncode, WebPEncodingError, WebPIDecode, WebPIDecoder, WebPIDelete, WebPIUpdate,
    WebPPicture, WebPPictureFree, WebPPictureImportRGB, WebPPictureImportRGBA, WebPRGBABuffer,
    WebPValidateConfig, WebPYUVABuffer,
};

use super::{
    riff,
    vp8::{self, Rows, Source},
};
use crate::pixels::{
    codec::{Cancel, EncodeOptions, Error, admit, quality},
    geometry::Size,
    planes::{Plane, Planes},
};

/// Bytes that are decoded between two looks at the clock.
const STEP: usize = 64 << 10;

/// libwebp's preset for lossless, 0 to 9: at 4 it is about as quick as a lossy encoding.
const LOSSLESS_LEVEL: c_int = 4;
/// The same for alpha, which mostly is nothing or all.
const ALPHA_LEVEL: c_int = 2;

/// A signature, sides, a flag and a version.
const VP8L_HEADER: usize = 5;

/// What alpha begins with: how it is packed, without a filter.
const ALPHA_PLAIN: u8 = 0;
const ALPHA_PACKED: u8 = 1;

/// Decodes to RGB, or to RGBA where `alpha`.
///
/// # Errors
/// [`Error::Broken`], also where data are missing; [`Error::Cancelled`].
pub(super) fn decode(
    bytes: &[u8],
    size: Size,
    alpha: bool,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let channels = if alpha { 4 } else { 3 };
    let mut samples = vec![0; admit::buffer(size, channels)?];
    let stride = admit::buffer(Size { height: 1, ..size }, channels)?;
    let mut config =
        WebPDecoderConfig::new().map_err(|()| admit::broken("libwebp is another version"))?;
    config.output.colorspace = if alpha {
        WEBP_CSP_MODE::MODE_RGBA
    } else {
        WEBP_CSP_MODE::MODE_RGB
    };
    config.output.is_external_memory = 1;
    config.output.u.RGBA = WebPRGBABuffer {
        rgba: samples.as_mut_ptr(),
        stride: c_int::try_from(stride).map_err(|_| admit::broken("a row of over 2 GiB"))?,
        size: samples.len(),
    };
    run(&mut config, bytes, size, cancel)?;
    Ok(samples)
}

/// Decodes to luma and the two colour differences, as they are coded.
///
/// # Errors
/// As [`decode`].
pub(super) fn decode_planes(
    bytes: &[u8],
    size: Size,
    cancel: &Cancel,
) -> Result<[Plane; 3], Error> {
    let half = Size::new(size.width.div_ceil(2), size.height.div_ceil(2));
    let plane = |held: Size, extent: (f64, f64)| -> Result<Plane, Error> {
        Ok(Plane {
            size: held,
            extent,
            samples: vec![0; admit::buffer(held, 1)?],
        })
    };
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let mut luma = plane(size, (width, height))?;
    let mut blue = plane(half, (width / 2.0, height / 2.0))?;
    let mut red = blue.clone();
    let mut config =
        WebPDecoderConfig::new().map_err(|()| admit::broken("libwebp is another version"))?;
    config.output.colorspace = WEBP_CSP_MODE::MODE_YUV;
    config.output.is_external_memory = 1;
    config.output.u.YUVA = WebPYUVABuffer {
        y: luma.samples.as_mut_ptr(),
        u: blue.samples.as_mut_ptr(),
        v: red.samples.as_mut_ptr(),
        a: std::ptr::null_mut(),
        y_stride: signed(size.width)?,
        u_stride: signed(half.width)?,
        v_stride: signed(half.width)?,
        a_stride: 0,
        y_size: luma.samples.len(),
        u_size: blue.samples.len(),
        v_size: red.samples.len(),
        a_size: 0,
    };
    run(&mut config, bytes, size, cancel)?;
    Ok([luma, blue, red])
}

/// Decodes into the memory that the configuration names.
fn run(
    config: &mut WebPDecoderConfig,
    bytes: &[u8],
    size: Size,
    cancel: &Cancel,
) -> Result<(), Error> {
    let decoder = Incremental::new(config)?;
    decoder.run(bytes, cancel)?;
    drop(decoder);
    if (config.output.width, config.output.height) != (signed(size.width)?, signed(size.height)?) {
        return Err(admit::broken("another size than the header says"));
    }
    Ok(())
}

fn signed(side: u32) -> Result<c_int, Error> {
    c_int::try_from(side).map_err(|_| admit::broken("a side of over 2 Gpx"))
}

/// libwebp's decoder, fed piece by piece so that it can be called off.
struct Incremental(*mut WebPIDecoder);

impl Incremental {
    /// The decoder points into `config`, which must outlive it.
    fn new(config: &mut WebPDecoderConfig) -> Result<Self, Error> {
        // SAFETY: no bytes yet; the configuration and its buffer outlive the decoder (see
        // `run`, the only caller, and its callers).
        let decoder = unsafe { WebPIDecode(std::ptr::null(), 0, config) };
        if decoder.is_null() {
            return Err(admit::broken("libwebp has no memory for a decoder"));
        }
        Ok(Self(decoder))
    }

    fn run(&self, bytes: &[u8], cancel: &Cancel) -> Result<(), Error> {
        let mut end = 0;
        while end < bytes.len() {
            cancel.check()?;
            end = bytes.len().min(end + STEP);
            // SAFETY: every call gives the same address, and more of the bytes behind it.
            match unsafe { WebPIUpdate(self.0, bytes.as_ptr(), end) } {
                VP8StatusCode::VP8_STATUS_OK => return Ok(()),
                VP8StatusCode::VP8_STATUS_SUSPENDED => {}
                status => return Err(admit::broken(format!("libwebp: {status:?}"))),
            }
        }
        Err(admit::broken("the data end before the picture"))
    }
}

impl Drop for Incremental {
    fn drop(&mut self) {
        // SAFETY: made by `WebPIDecode`, deleted once.
        unsafe { WebPIDelete(self.0) };
    }
}

/// What we ask of libwebp: `lossy`, or without loss where the options say so.
pub(super) fn settings(
    options: &EncodeOptions<'_>,
    lossy: quality::WebP,
) -> Result<WebPConfig, Error> {
    let mut config = WebPConfig::new().map_err(|()| admit::encode("libwebp is another version"))?;
    if options.lossless {
        // SAFETY: changes the initialised configuration.
        if unsafe { WebPConfigLosslessPreset(&raw mut config, LOSSLESS_LEVEL) } == 0 {
            return Err(admit::encode("libwebp refused its preset"));
        }
        // Colours under full transparency are pixels too.
        config.exact = 1;
    } else {
        config.quality = lossy.quality;
        config.method = c_int::from(lossy.method);
    }
    // SAFETY: reads the initialised configuration.
    if unsafe { WebPValidateConfig(&raw const config) } == 0 {
        return Err(admit::encode("libwebp refused its configuration"));
    }
    Ok(config)
}

/// Encodes RGB (3 channels) or RGBA (4) to a file without metadata.
///
/// # Errors
/// [`Error::Encode`], [`Error::Cancelled`].
pub(super) fn encode(
    samples: &[u8],
    size: Size,
    channels: usize,
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    if channels == 3
        && let Some(level) = own(options)
    {
        let picture = Picture::import(samples, size, channels, false, cancel)?;
        return vp8::encode(&picture.planes(size)?, level, cancel);
    }
    let config = settings(options, quality::webp(options.quality, options.effort))?;
    library((samples, size, channels), &config, cancel)
}

/// The same by libwebp alone, as configured: samples, their size and channels.
///
/// # Errors
/// As [`encode`].
pub(super) fn library(
    (samples, size, channels): (&[u8], Size, usize),
    config: &WebPConfig,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let picture = Picture::import(samples, size, channels, config.lossless != 0, cancel)?;
    finish(config, picture)
}

/// Alpha without loss, as it stands beside VP8's planes.
///
/// # Errors
/// As [`encode`].
pub(super) fn alpha(plane: &[u8], size: Size, cancel: &Cancel) -> Result<Vec<u8>, Error> {
    let mut config = WebPConfig::new().map_err(|()| admit::encode("libwebp is another version"))?;
    // SAFETY: changes the initialised configuration.
    if unsafe { WebPConfigLosslessPreset(&raw mut config, ALPHA_LEVEL) } == 0 {
        return Err(admit::encode("libwebp refused its preset"));
    }
    // Alpha is the green of a picture without loss, of which the header is left away.
    let green: Vec<u8> = plane.iter().flat_map(|alpha| [0, *alpha, 0]).collect();
    let file = library((&green, size, 3), &config, cancel)?;
    let chunk = riff::chunks(&file).find(|chunk| chunk.kind == *b"VP8L");
    let stream = chunk.as_ref().map(|chunk| chunk.payload(&file));
    let stream = stream.and_then(|stream| stream.get(VP8L_HEADER..));
    let stream = stream.ok_or_else(|| admit::encode("libwebp: no stream without loss"))?;
    let (packed, kind) = if stream.len() < plane.len() {
        (stream, ALPHA_PACKED)
    } else {
        (plane, ALPHA_PLAIN)
    };
    let mut payload = Vec::with_capacity(1 + packed.len());
    payload.push(kind);
    payload.extend_from_slice(packed);
    Ok(payload)
}

/// Encodes planes to a file without metadata: limited range, colour at half the resolution, both
/// of one size.
///
/// # Errors
/// As [`encode`].
pub(super) fn encode_planes(
    planes: &Planes,
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let size = planes.luma.size;
    let half = Size::new(size.width.div_ceil(2), size.height.div_ceil(2));
    let length = admit::buffer(half, 1)?;
    let mut chroma = planes.chroma.iter().flatten();
    let whole = planes.luma.samples.len() == admit::buffer(size, 1)?;
    if !whole || chroma.any(|plane| plane.samples.len() != length) || options.lossless {
        return Err(admit::encode(
            "planes of another length than their size says",
        ));
    }
    if let Some(level) = own(options) {
        let source = Source {
            width: size.width as usize,
            height: size.height as usize,
            luma: rows(&planes.luma),
            colour: planes
                .chroma
                .as_ref()
                .map(|chroma| chroma.each_ref().map(rows)),
        };
        return vp8::encode(&source, level, cancel);
    }
    let config = settings(options, quality::webp(options.quality, options.effort))?;
    let neutral = if planes.chroma.is_none() {
        vec![128; length]
    } else {
        Vec::new()
    };
    let (blue, red) = match &planes.chroma {
        Some([blue, red]) => (&blue.samples, &red.samples),
        None => (&neutral, &neutral),
    };
    let mut picture = Picture::new(size, false, cancel)?;
    // libwebp takes mutable pointers, and only reads where there is no alpha.
    picture.0.y = planes.luma.samples.as_ptr().cast_mut();
    picture.0.u = blue.as_ptr().cast_mut();
    picture.0.v = red.as_ptr().cast_mut();
    let too_large = |_| admit::encode("a side of over 2 Gpx");
    picture.0.y_stride = c_int::try_from(size.width).map_err(too_large)?;
    picture.0.uv_stride = c_int::try_from(half.width).map_err(too_large)?;
    finish(&config, picture)
}

/// The level that our own encoder is asked for, of opaque pictures; `None`: libwebp writes it.
pub(super) fn own(options: &EncodeOptions<'_>) -> Option<u8> {
    quality::vp8(options.quality).filter(|_| !options.lossless)
}

fn rows(plane: &Plane) -> Rows<'_> {
    Rows {
        samples: &plane.samples,
        stride: plane.size.width as usize,
    }
}

fn finish(config: &WebPConfig, mut picture: Picture) -> Result<Vec<u8>, Error> {
    let mut output = Vec::new();
    picture.0.writer = Some(write);
    picture.0.custom_ptr = (&raw mut output).cast();
    // SAFETY: configuration and picture are initialised; the samples that the picture points at,
    // and `output` and `cancel`, which the callbacks use, outlive the call.
    if unsafe { WebPEncode(config, &raw mut picture.0) } == 0 {
        return Err(failure(picture.0.error_code));
    }
    drop(picture);
    Ok(output)
}

pub(super) fn failure(code: WebPEncodingError) -> Error {
    match code {
        WebPEncodingError::VP8_ENC_ERROR_USER_ABORT => Error::Cancelled,
        code => admit::encode(format!("libwebp: {code:?}")),
    }
}

/// A picture in libwebp's hands.
pub(super) struct Picture(pub(super) WebPPicture);

impl Picture {
    /// A picture without pixels. `cancel` must outlive its encoding.
    fn new(size: Size, exact: bool, cancel: &Cancel) -> Result<Self, Error> {
        let picture =
            WebPPicture::new().map_err(|()| admit::encode("libwebp is another version"))?;
        let mut picture = Self(picture);
        let too_large = |_| admit::encode("a side of over 2 Gpx");
        picture.0.width = c_int::try_from(size.width).map_err(too_large)?;
        picture.0.height = c_int::try_from(size.height).map_err(too_large)?;
        picture.0.use_argb = c_int::from(exact);
        picture.0.progress_hook = Some(go_on);
        picture.0.user_data = std::ptr::from_ref(cancel).cast_mut().cast();
        Ok(picture)
    }

    /// Copies RGB (3 channels) or RGBA (4) samples; to YUV, unless `exact`.
    pub(super) fn import(
        samples: &[u8],
        size: Size,
        channels: usize,
        exact: bool,
        cancel: &Cancel,
    ) -> Result<Self, Error> {
        if admit::buffer(size, channels)? != samples.len() || !matches!(channels, 3 | 4) {
            return Err(admit::encode(
                "a bitmap of another length than its size says",
            ));
        }
        let mut picture = Self::new(size, exact, cancel)?;
        let too_large = |_| admit::encode("a side of over 2 Gpx");
        let stride = admit::buffer(Size { height: 1, ..size }, channels)?;
        let stride = c_int::try_from(stride).map_err(too_large)?;
        let import = if channels == 3 {
            WebPPictureImportRGB
        } else {
            WebPPictureImportRGBA
        };
        // SAFETY: the samples are `height` rows of `stride` bytes, as checked above.
        if unsafe { import(&raw mut picture.0, samples.as_ptr(), stride) } == 0 {
            return Err(failure(picture.0.error_code));
        }
        Ok(picture)
    }
}

impl Picture {
    /// What an import that was not `exact` has made, of a picture of that size.
    fn planes(&self, size: Size) -> Result<Source<'_>, Error> {
        let picture = &self.0;
        let rows = |samples: *const u8, stride: c_int, height: u32| {
            let stride = usize::try_from(stride).unwrap_or(0);
            if samples.is_null() || stride == 0 {
                return Err(admit::encode("libwebp: no planes"));
            }
            // SAFETY: the import allocated `height` rows of `stride` samples, and filled them in.
            let samples = unsafe { std::slice::from_raw_parts(samples, stride * height as usize) };
            Ok(Rows { samples, stride })
        };
        let half = size.height.div_ceil(2);
        Ok(Source {
            width: size.width as usize,
            height: size.height as usize,
            luma: rows(picture.y, picture.y_stride, size.height)?,
            colour: Some([
                rows(picture.u, picture.uv_stride, half)?,
                rows(picture.v, picture.uv_stride, half)?,
            ]),
        })
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        // SAFETY: initialised by `WebPPicture::new`; frees what the import allocated, and nothing
        // that was only pointed at.
        unsafe { WebPPictureFree(&raw mut self.0) };
    }
}

/// libwebp's writer: appends to the `Vec` behind `custom_ptr`. Returns 0 where there is no memory.
unsafe extern "C" fn write(data: *const u8, length: usize, picture: *const WebPPicture) -> c_int {
    // SAFETY: `encode` points `custom_ptr` at its output; libwebp passes its picture and
    // `length` readable bytes.
    let (output, data) = unsafe {
        (
            &mut *(*picture).custom_ptr.cast::<Vec<u8>>(),
            std::slice::from_raw_parts(data, length),
        )
    };
    if output.try_reserve(length).is_err() {
        return 0;
    }
    output.extend_from_slice(data);
    1
}

/// libwebp's progress hook: 0 ends the encoding.
unsafe extern "C" fn go_on(_percent: c_int, picture: *const WebPPicture) -> c_int {
    // SAFETY: libwebp passes its picture, or a copy of it, whose `user_data` `new` set to a
    // `Cancel` that outlives the encoding.
    let cancel: *mut c_void = unsafe { (*picture).user_data };
    if cancel.is_null() {
        return 1;
    }
    // SAFETY: see above.
    c_int::from(!unsafe { &*cancel.cast::<Cancel>() }.is_cancelled())
}
