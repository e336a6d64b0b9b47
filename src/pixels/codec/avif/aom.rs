//! One picture to AV1, through libaom. Knows planes; nothing of files.
#![expect(unsafe_code, reason = "libaom is C")]

use std::{
    ffi::{CStr, c_char, c_int, c_uint},
    mem::MaybeUninit,
    ptr,
};

use libaom_sys as aom;

use crate::pixels::{
    codec::{
        Error, admit,
        quality::{Aom, Depth},
    },
    geometry::Size,
};

/// Speed, 0 to 9. At 9 libaom is as quick as `WebP` at its default, and smaller; at 8 it takes
/// four times as long for a twentieth of the bytes. Of the switches for less work, the
/// trellis alone saves any at 9: a tenth of the time, for 2 to 5 % more bytes at the same look.
const SPEED: c_uint = 9;

/// Which matrices weigh frequencies, 0 (least of the high ones) to 15 (all alike), at the level of
/// a high quality and of a low one. libaom goes the other way, from 2 to 10, where it is tuned for
/// stills: that takes 1 to 5 % more bytes at the same look (SSIMULACRA2, 27 photographs).
const MATRICES: [(u8, u8); 2] = [(8, 9), (25, 3)];

/// See [`MATRICES`].
fn matrices(asked: Aom) -> c_uint {
    // Ten bits look at a level as eight bits do at the one before.
    let level = match asked.depth {
        Depth::Eight => asked.level,
        Depth::Ten => asked.level.saturating_sub(1),
    };
    let [(fine, most), (coarse, least)] = MATRICES;
    let down = u32::from(level.clamp(fine, coarse) - fine) * u32::from(most - least);
    let span = u32::from(coarse - fine);
    u32::from(most) - (down + span / 2) / span
}

/// Planes of eight bits, in full range, without padding between rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planes<'a> {
    pub(super) size: Size,
    pub(super) luma: &'a [u8],
    /// Absent: gray.
    pub(super) chroma: Option<Chroma<'a>>,
}

/// Colour differences of BT.601.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chroma<'a> {
    pub(super) u: &'a [u8],
    pub(super) v: &'a [u8],
    /// Whether at half the resolution, across and down, rounded up.
    pub(super) halved: bool,
}

/// Code points that go into the stream: primaries, transfer characteristics.
pub(super) type Points = (u8, u8);

/// Encodes a still: the sequence header and one key frame.
///
/// # Errors
/// [`Error::Encode`].
pub(super) fn encode(planes: &Planes<'_>, asked: Aom, points: Points) -> Result<Vec<u8>, Error> {
    check_lengths(planes)?;
    let deep = (asked.depth == Depth::Ten).then(|| Deep::of(planes));
    let image = image(planes, deep.as_ref(), points)?;
    let mut encoder = Encoder::new(planes, asked.depth)?;
    encoder.configure(asked, points)?;
    let mut stream = Vec::new();
    // SAFETY: the image's planes are borrowed until after the call, which copies them.
    check(unsafe { aom::aom_codec_encode(&raw mut *encoder.0, &raw const image, 0, 1, 0) })?;
    encoder.take(&mut stream);
    // SAFETY: no image asks for what is left.
    check(unsafe { aom::aom_codec_encode(&raw mut *encoder.0, ptr::null(), 0, 0, 0) })?;
    encoder.take(&mut stream);
    if stream.is_empty() {
        return Err(admit::encode("libaom gave no frame"));
    }
    Ok(stream)
}

/// The size of each colour plane.
fn small(planes: &Planes<'_>) -> Size {
    let halved = planes.chroma.is_none_or(|chroma| chroma.halved);
    let narrow = |side: u32| if halved { side.div_ceil(2) } else { side };
    Size {
        width: narrow(planes.size.width),
        height: narrow(planes.size.height),
    }
}

fn check_lengths(planes: &Planes<'_>) -> Result<(), Error> {
    let whole = planes.luma.len() == admit::buffer(planes.size, 1)?;
    let length = admit::buffer(small(planes), 1)?;
    let complete = |chroma: Chroma<'_>| chroma.u.len() == length && chroma.v.len() == length;
    if whole && planes.chroma.is_none_or(complete) {
        return Ok(());
    }
    Err(admit::encode(
        "planes of another length than their size says",
    ))
}

/// The planes in ten bits.
struct Deep {
    luma: Vec<u16>,
    chroma: Option<[Vec<u16>; 2]>,
}

impl Deep {
    fn of(planes: &Planes<'_>) -> Self {
        let deep = |samples: &[u8], ten: fn(u8) -> u16| samples.iter().map(|s| ten(*s)).collect();
        Self {
            luma: deep(planes.luma, luma_in_ten),
            chroma: planes
                .chroma
                .map(|chroma| [chroma.u, chroma.v].map(|plane| deep(plane, chroma_in_ten))),
        }
    }
}

/// White is all ones in either depth (ITU-T H.273, 8.3, full range).
fn luma_in_ten(sample: u8) -> u16 {
    let sample = u16::from(sample);
    4 * sample + (3 * sample + 127) / 255
}

/// The middle is half of one more than all ones, so colours go out from there (H.273, 8.3).
fn chroma_in_ten(sample: u8) -> u16 {
    // 3 × (sample − 128) / 255 to the nearest, 2 higher so that it is never less than nothing.
    let sample = u16::from(sample);
    (4 * sample + (3 * sample + 127 + 2 * 255 - 3 * 128) / 255).saturating_sub(2)
}

/// Describes the planes to libaom.
fn image(
    planes: &Planes<'_>,
    deep: Option<&Deep>,
    points: Points,
) -> Result<aom::aom_image_t, Error> {
    let (width, height) = (planes.size.width, planes.size.height);
    let halved = planes.chroma.is_none_or(|chroma| chroma.halved);
    let (sample, depth, bits) = match (deep, halved) {
        (None, true) => (1, 8, 12),
        (None, false) => (1, 8, 24),
        (Some(_), true) => (2, 10, 24),
        (Some(_), false) => (2, 10, 48),
    };
    let stride = |side: u32| {
        let stride = side.checked_mul(sample);
        let stride = stride.and_then(|bytes| c_int::try_from(bytes).ok());
        stride.ok_or_else(|| admit::encode("too wide a row"))
    };
    // SAFETY: a structure of numbers and pointers; zeroes are a value.
    let mut image: aom::aom_image_t = unsafe { MaybeUninit::zeroed().assume_init() };
    image.fmt = match (halved, deep) {
        (true, None) => aom::AOM_IMG_FMT_I420,
        (true, Some(_)) => aom::AOM_IMG_FMT_I42016,
        (false, None) => aom::AOM_IMG_FMT_I444,
        (false, Some(_)) => aom::AOM_IMG_FMT_I44416,
    };
    image.monochrome = c_int::from(planes.chroma.is_none());
    image.range = 1;
    image.cp = c_uint::from(points.0);
    image.tc = c_uint::from(points.1);
    image.mc = aom::AOM_CICP_MC_BT_601;
    image.bit_depth = depth;
    (image.w, image.h) = (width, height);
    (image.d_w, image.d_h) = (width, height);
    image.x_chroma_shift = c_uint::from(halved);
    image.y_chroma_shift = c_uint::from(halved);
    image.bps = bits;
    // libaom takes mutable pointers, and only reads.
    let [u, v] = match (deep, planes.chroma) {
        (None, Some(chroma)) => [chroma.u, chroma.v].map(<[u8]>::as_ptr),
        (Some(deep), _) => match &deep.chroma {
            Some(planes) => [0, 1].map(|plane: usize| planes[plane].as_ptr().cast()),
            None => [ptr::null(); 2],
        },
        (None, None) => [ptr::null(); 2],
    };
    let luma = deep.map_or(planes.luma.as_ptr(), |deep| deep.luma.as_ptr().cast());
    image.planes = [luma.cast_mut(), u.cast_mut(), v.cast_mut()];
    let small = small(planes).width;
    image.stride = [stride(width)?, stride(small)?, stride(small)?];
    Ok(image)
}

/// A living encoder: it points at itself, so it stays where it is.
struct Encoder(Box<aom::aom_codec_ctx_t>);

impl Encoder {
    fn new(planes: &Planes<'_>, depth: Depth) -> Result<Self, Error> {
        // SAFETY: gives the address of a constant.
        let interface = unsafe { aom::aom_codec_av1_cx() };
        let mut config = MaybeUninit::<aom::aom_codec_enc_cfg_t>::zeroed();
        // SAFETY: fills in the configuration.
        let answer = unsafe {
            aom::aom_codec_enc_config_default(
                interface,
                config.as_mut_ptr(),
                aom::AOM_USAGE_ALL_INTRA,
            )
        };
        if answer != aom::AOM_CODEC_OK {
            return Err(admit::encode("libaom has no defaults"));
        }
        // SAFETY: filled in just now.
        let mut config = unsafe { config.assume_init() };
        config.g_w = planes.size.width;
        config.g_h = planes.size.height;
        config.g_threads = 1;
        config.g_limit = 1;
        config.g_lag_in_frames = 0;
        config.g_pass = aom::AOM_RC_ONE_PASS;
        (config.g_bit_depth, config.g_input_bit_depth) = match depth {
            Depth::Eight => (aom::AOM_BITS_8, 8),
            Depth::Ten => (aom::AOM_BITS_10, 10),
        };
        config.monochrome = c_uint::from(planes.chroma.is_none());
        config.g_profile = c_uint::from(planes.chroma.is_some_and(|chroma| !chroma.halved));
        config.kf_mode = aom::AOM_KF_DISABLED;
        config.rc_end_usage = aom::AOM_Q;
        config.rc_min_quantizer = 0;
        config.rc_max_quantizer = 63;
        // SAFETY: a structure of numbers and pointers; zeroes are a value.
        let context: aom::aom_codec_ctx_t = unsafe { MaybeUninit::zeroed().assume_init() };
        let mut encoder = Self(Box::new(context));
        let version = c_int::try_from(aom::AOM_ENCODER_ABI_VERSION).unwrap_or(0);
        let flags = match depth {
            Depth::Eight => 0,
            Depth::Ten => aom::aom_codec_flags_t::from(aom::AOM_CODEC_USE_HIGHBITDEPTH),
        };
        // SAFETY: initialises the context; the configuration is copied.
        check(unsafe {
            aom::aom_codec_enc_init_ver(
                &raw mut *encoder.0,
                interface,
                &raw const config,
                flags,
                version,
            )
        })?;
        Ok(encoder)
    }

    /// Much of what libaom calls tune=iq from release 3.12 on, by hand. Its sharpness and its
    /// quantisers of colour apart take 1.4 % more bytes at the same look.
    fn configure(&mut self, asked: Aom, points: Points) -> Result<(), Error> {
        let settings = [
            (aom::AOME_SET_CPUUSED, SPEED),
            (aom::AOME_SET_TUNING, aom::AOM_TUNE_SSIM),
            (aom::AOME_SET_CQ_LEVEL, c_uint::from(asked.level)),
            (aom::AV1E_SET_ENABLE_QM, 1),
            (aom::AV1E_SET_QM_MIN, matrices(asked)),
            (aom::AV1E_SET_QM_MAX, matrices(asked)),
            (aom::AV1E_SET_COLOR_RANGE, 1),
            (aom::AV1E_SET_COLOR_PRIMARIES, c_uint::from(points.0)),
            (
                aom::AV1E_SET_TRANSFER_CHARACTERISTICS,
                c_uint::from(points.1),
            ),
            (aom::AV1E_SET_MATRIX_COEFFICIENTS, aom::AOM_CICP_MC_BT_601),
        ];
        for (control, value) in settings {
            let control = c_int::try_from(control).unwrap_or(0);
            // SAFETY: a living encoder; all of these controls take one number of this width.
            check(unsafe { aom::aom_codec_control(&raw mut *self.0, control, value) })?;
        }
        let option = |name: &CStr, value: &CStr| -> (*const c_char, *const c_char) {
            (name.as_ptr(), value.as_ptr())
        };
        let (name, value) = option(c"dist-metric", c"qm-psnr");
        // SAFETY: a living encoder, and two literals.
        check(unsafe { aom::aom_codec_set_option(&raw mut *self.0, name, value) })
    }

    /// Appends the packets that are ready.
    fn take(&mut self, stream: &mut Vec<u8>) {
        let mut iterator: aom::aom_codec_iter_t = ptr::null();
        loop {
            // SAFETY: a living encoder; packets stand until the next call of `aom_codec_encode`.
            let packet =
                unsafe { aom::aom_codec_get_cx_data(&raw mut *self.0, &raw mut iterator).as_ref() };
            let Some(packet) = packet else {
                return;
            };
            if packet.kind != aom::AOM_CODEC_CX_FRAME_PKT {
                continue;
            }
            // SAFETY: the kind says that this is the variant, and it has `sz` bytes.
            let bytes = unsafe {
                let frame = packet.data.frame;
                std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz)
            };
            stream.extend_from_slice(bytes);
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: initialised, or all zeroes, for which this does nothing.
        unsafe { aom::aom_codec_destroy(&raw mut *self.0) };
    }
}

fn check(answer: aom::aom_codec_err_t) -> Result<(), Error> {
    if answer == aom::AOM_CODEC_OK {
        return Ok(());
    }
    // SAFETY: gives a literal for every number.
    let text = unsafe { CStr::from_ptr(aom::aom_codec_err_to_string(answer)) };
    Err(admit::encode(format!("libaom: {}", text.to_string_lossy())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_bits_are_the_nearest_that_mean_the_same() {
        for sample in 0..=u8::MAX {
            let exact = f64::from(sample) / 255.0 * 1023.0;
            assert!((f64::from(luma_in_ten(sample)) - exact).abs() <= 0.5);
            let exact = (f64::from(sample) - 128.0) / 255.0 * 1023.0 + 512.0;
            assert!((f64::from(chroma_in_ten(sample)) - exact.max(0.0)).abs() <= 0.5);
        }
        assert_eq!([0, 255].map(luma_in_ten), [0, 1023]);
        assert_eq!([0, 128, 255].map(chroma_in_ten), [0, 512, 1021]);
    }
}
