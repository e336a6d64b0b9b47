//! One AV1 picture, decoded. The only place that names the AV1 decoder.

use std::panic::{AssertUnwindSafe, catch_unwind};

use re_rav1d::{
    Decoder, Error as Failure, Picture, PixelLayout, PlanarImageComponent, Plane, Settings,
};

use super::{sequence, yuv};
use crate::pixels::{
    codec::{Error, admit},
    geometry::Size,
    planes::{self, Sampling},
};

/// Times that the decoder may ask for more before the stream counts as empty.
const PATIENCE: usize = 16;

/// Frames of one item: a picture in up to four layers, each of which may be shown apart from being
/// coded. Frames that are never shown cost as much as others, and take a few bytes.
const FRAMES: usize = 8;

/// Planes of samples.
pub(super) struct Planes {
    pub(super) size: Size,
    pub(super) depth: u8,
    luma: Plane,
    /// Absent where the picture is gray.
    chroma: Option<(Plane, Plane)>,
    /// Bytes from row to row, of luma and of chroma.
    strides: (usize, usize),
    /// Whether colour has half the resolution, across and down.
    halved: (bool, bool),
}

/// Decodes the first picture of a stream, whose size is known.
///
/// # Errors
/// [`Error::Broken`], also for a picture of another size; [`Error::Limit`].
pub(super) fn decode(stream: &[u8], size: Size, operating_point: u8) -> Result<Planes, Error> {
    if sequence::frames(stream) > FRAMES {
        return Err(Error::Limit(format!(
            "has more than {FRAMES} AV1 frames in one item"
        )));
    }
    // The decoder is in Rust, with indices that are checked: a stream that it does not foresee
    // panics, and is damaged.
    let picture = catch_unwind(AssertUnwindSafe(|| picture(stream, size, operating_point)))
        .unwrap_or_else(|_| Err(admit::broken("rav1d panicked")))?;
    if (picture.width(), picture.height()) != (size.width, size.height) {
        return Err(admit::broken(
            "an AV1 picture of another size than its item",
        ));
    }
    let depth = picture.bits_per_component().map_or(8, |bits| bits.0);
    let halved = match picture.pixel_layout() {
        PixelLayout::I400 | PixelLayout::I420 => (true, true),
        PixelLayout::I422 => (true, false),
        PixelLayout::I444 => (false, false),
    };
    let stride = |plane| usize::try_from(picture.stride(plane)).unwrap_or(0);
    let chroma = picture.pixel_layout() != PixelLayout::I400;
    Ok(Planes {
        size,
        depth: u8::try_from(depth).unwrap_or(8),
        luma: picture.plane(PlanarImageComponent::Y),
        strides: (
            stride(PlanarImageComponent::Y),
            stride(PlanarImageComponent::U),
        ),
        chroma: chroma.then(|| {
            (
                picture.plane(PlanarImageComponent::U),
                picture.plane(PlanarImageComponent::V),
            )
        }),
        halved,
    })
}

fn picture(stream: &[u8], size: Size, operating_point: u8) -> Result<Picture, Error> {
    let failed = |failure: Failure| admit::broken(format!("rav1d: {failure}"));
    let mut settings = Settings::new();
    // One thread a job, and a picture out for every picture in.
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    settings.set_operating_point(u32::from(operating_point & 31));
    // The header was held against the limits; the stream may not exceed the header.
    settings.set_frame_size_limit(u32::try_from(admit::pixels(size)).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings).map_err(failed)?;
    match decoder.send_data(stream.to_vec(), None, None, None) {
        Ok(()) | Err(Failure::Again) => {}
        Err(failure) => return Err(failed(failure)),
    }
    for _ in 0..PATIENCE {
        match decoder.get_picture() {
            Ok(picture) => return Ok(picture),
            Err(Failure::Again) => {}
            Err(failure) => return Err(failed(failure)),
        }
        match decoder.send_pending_data() {
            Ok(()) | Err(Failure::Again) => {}
            Err(failure) => return Err(failed(failure)),
        }
    }
    Err(admit::broken("an AV1 stream without a picture"))
}

impl Planes {
    pub(super) fn is_gray(&self) -> bool {
        self.chroma.is_none()
    }

    /// How colour is sampled.
    pub(super) fn sampling(&self) -> Sampling {
        let factor = |halved| if halved { 2 } else { 1 };
        match self.chroma {
            None => Sampling::Gray,
            Some(_) => Sampling::Colour {
                across: factor(self.halved.0),
                down: factor(self.halved.1),
            },
        }
    }

    /// Copies of all planes, without padding between rows; of 8 bits only.
    pub(super) fn copied(&self) -> Result<(planes::Plane, Option<[planes::Plane; 2]>), Error> {
        let extent = |halved: bool, side: u32| {
            if halved {
                f64::from(side) / 2.0
            } else {
                f64::from(side)
            }
        };
        let whole = (f64::from(self.size.width), f64::from(self.size.height));
        let luma = copied(&self.luma, self.strides.0, self.size, whole)?;
        let (Some((u, v)), Some(size)) = (&self.chroma, self.sampling().chroma(self.size)) else {
            return Ok((luma, None));
        };
        let covered = (
            extent(self.halved.0, self.size.width),
            extent(self.halved.1, self.size.height),
        );
        let blue = copied(u, self.strides.1, size, covered)?;
        let red = copied(v, self.strides.1, size, covered)?;
        Ok((luma, Some([blue, red])))
    }

    /// Luma of row `y`.
    pub(super) fn luma(&self, y: usize, row: &mut [u16]) {
        self.read(&self.luma, self.strides.0, y, row);
    }

    /// Colour differences of row `y`, at the resolution of luma. `spare` is for the two rows of
    /// half the resolution that it lies between.
    pub(super) fn chroma(&self, y: usize, rows: [&mut [u16]; 2], spare: &mut [Vec<u16>; 2]) {
        let Some((u, v)) = &self.chroma else {
            return;
        };
        for (plane, row) in [u, v].into_iter().zip(rows) {
            let stride = self.strides.1;
            let [narrow, other] = spare;
            let width = if self.halved.0 {
                row.len().div_ceil(2)
            } else {
                row.len()
            };
            narrow.resize(width, 0);
            if self.halved.1 {
                let rows = usize::try_from(self.size.height.div_ceil(2)).unwrap_or(0);
                let (near, next) = yuv::neighbours(y, rows);
                other.resize(width, 0);
                self.read(plane, stride, near, narrow);
                self.read(plane, stride, next, other);
                for (near, next) in narrow.iter_mut().zip(&*other) {
                    *near = yuv::mix(*near, *next);
                }
            } else {
                self.read(plane, stride, y, narrow);
            }
            if self.halved.0 {
                yuv::widen(narrow, row);
            } else {
                row.copy_from_slice(narrow);
            }
        }
    }

    /// Samples of one row of a plane: bytes, or pairs of them above 8 bits.
    fn read(&self, plane: &[u8], stride: usize, y: usize, row: &mut [u16]) {
        let start = stride.saturating_mul(y);
        let bytes = plane.get(start..).unwrap_or_default();
        if self.depth > 8 {
            for (sample, pair) in row.iter_mut().zip(bytes.chunks_exact(2)) {
                *sample = u16::from_ne_bytes([pair[0], pair[1]]);
            }
        } else {
            for (sample, byte) in row.iter_mut().zip(bytes) {
                *sample = u16::from(*byte);
            }
        }
    }
}

/// The rows of a plane, without what stands between them.
fn copied(
    plane: &[u8],
    stride: usize,
    size: Size,
    extent: (f64, f64),
) -> Result<planes::Plane, Error> {
    let length = admit::buffer(size, 1)?;
    let width = admit::buffer(Size { height: 1, ..size }, 1)?;
    let mut samples = Vec::with_capacity(length);
    for row in plane.chunks(stride.max(1)).take(length / width.max(1)) {
        samples.extend_from_slice(row.get(..width).unwrap_or_default());
    }
    if samples.len() != length {
        return Err(admit::broken("an AV1 picture without all of its rows"));
    }
    Ok(planes::Plane {
        size,
        extent,
        samples,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many gray frames of 64 × 64 pixels that are not shown, and then one of them, shown.
    #[track_caller]
    fn hidden(frames: usize, admitted: bool) {
        let [head, frame, show] = [
            "12000a0c000000fbfc00fc00fd000540",
            "32160eff59000000ffffffffffffffffffffffffffffffff",
            "1a0188",
        ]
        .map(|digits| hex::decode(digits).expect("digits"));
        let stream = [head, frame.repeat(frames), show].concat();
        match decode(&stream, Size::new(64, 64), 0) {
            Ok(planes) => assert!(admitted && planes.is_gray()),
            Err(error) => assert!(!admitted && matches!(error, Error::Limit(_)), "{error:?}"),
        }
    }

    #[test]
    fn a_bomb_of_frames_that_are_never_shown_is_refused() {
        // Showing one counts, too.
        hidden(FRAMES - 1, true);
        hidden(FRAMES, false);
        hidden(5000, false);
    }
}
