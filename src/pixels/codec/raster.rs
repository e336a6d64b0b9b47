//! Formats of scanners and desktops, that we read and do not write: TIFF, BMP and icons.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Error;

pub(super) mod bmp;
pub(super) mod ico;
pub(super) mod tiff;

/// Runs a decoder that is known to panic on some files (`tiff` 0.11.3 on planar 16-bit tiles, for
/// one) and takes that for damage. Nothing of what the closure touches is used afterwards.
pub(super) fn guarded<T>(decode: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(Error::broken("the decoder panicked")))
}

/// The library's error in our words.
fn failed(error: image::ImageError) -> Error {
    match error {
        image::ImageError::Limits(_) => {
            Error::Limit("needs more memory to decode than is allowed".to_owned())
        }
        other => Error::broken(other),
    }
}

#[cfg(test)]
mod tests;
