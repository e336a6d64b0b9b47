//! Whether a picture's size is within the limits. Knows nothing of formats.

use super::{Error, Limits};
use crate::pixels::geometry::Size;

/// The size as a [`Size`], where both sides are at least 1 and within `limits`.
///
/// # Errors
/// [`Error::Broken`] for a side of nothing, [`Error::Limit`] past a limit.
pub(super) fn size(width: u32, height: u32, limits: &Limits) -> Result<Size, Error> {
    if width == 0 || height == 0 {
        return Err(broken(format!("its header says {width}×{height}")));
    }
    let longer = width.max(height);
    if longer > limits.side {
        return Err(Error::Limit(format!(
            "is {width}×{height} pixels, and a side may have at most {}",
            limits.side
        )));
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.pixels {
        return Err(Error::Limit(format!(
            "is {width}×{height}, which is {pixels} pixels, and at most {} are decoded",
            limits.pixels
        )));
    }
    Ok(Size { width, height })
}

/// Width × height, where `width × height × bytes` can be held in memory at all.
///
/// # Errors
/// [`Error::Limit`] where the product does not fit an address.
pub(super) fn buffer(size: Size, bytes_per_pixel: usize) -> Result<usize, Error> {
    usize::try_from(pixels(size))
        .ok()
        .and_then(|pixels| pixels.checked_mul(bytes_per_pixel))
        .filter(|bytes| isize::try_from(*bytes).is_ok())
        .ok_or_else(|| {
            Error::Limit(format!(
                "is {}×{} pixels, more than fits in memory",
                size.width, size.height
            ))
        })
}

/// Width × height.
pub(super) fn pixels(size: Size) -> u64 {
    u64::from(size.width) * u64::from(size.height)
}

/// [`Error::Broken`], with what the log shall say.
pub(super) fn broken(cause: impl Into<String>) -> Error {
    Error::Broken {
        cause: cause.into(),
    }
}

/// [`Error::Encode`], with what the log shall say.
pub(super) fn encode(cause: impl Into<String>) -> Error {
    Error::Encode {
        cause: cause.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        pixels: 1000,
        side: 100,
        frames: 1,
        animation_pixels: 1,
        scans: 1,
        icc_bytes: 1,
        exif_bytes: 1,
        svg: true,
        svg_bytes: 1,
    };

    #[track_caller]
    fn check(width: u32, height: u32, admitted: bool) {
        assert_eq!(size(width, height, &LIMITS).is_ok(), admitted);
    }

    #[test]
    fn a_size_is_admitted_up_to_the_limits() {
        check(1, 1, true);
        check(100, 10, true);
        check(101, 1, false);
        check(1, 101, false);
        check(40, 25, true);
        check(77, 13, false);
        check(0, 1, false);
        check(1, 0, false);
        check(u32::MAX, u32::MAX, false);
    }

    #[test]
    fn a_buffer_that_no_address_reaches_is_refused() {
        let size = Size {
            width: u32::MAX,
            height: u32::MAX,
        };
        assert!(matches!(buffer(size, 4), Err(Error::Limit(_))));
    }
}
