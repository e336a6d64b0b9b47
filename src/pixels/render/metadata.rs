//! What stays of EXIF.

use crate::{
    pixels::codec::{self, Header, Limits},
    recipe::transform::Metadata,
};

/// The EXIF block to carry along, if any was asked for and there is one.
pub(super) fn kept(
    source: &[u8],
    header: &Header,
    metadata: Metadata,
    limits: &Limits,
) -> Option<Vec<u8>> {
    let reduce: fn(&[u8]) -> Option<Vec<u8>> = match metadata {
        Metadata::None => return None,
        Metadata::Copyright => codec::exif::copyright_only,
        Metadata::All => codec::exif::normalised,
    };
    reduce(&codec::exif(source, header, limits)?)
}
