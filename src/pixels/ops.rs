//! One file an operation. Each takes pixels and numbers, and knows of no recipe and no format.
//!
//! Everything before the conversion of colour (`crop`, `resize`, `trim`) works on bitmaps as they
//! were decoded; everything after it on rasters of eight bits.

pub mod adjust;
pub mod blur;
pub mod crop;
pub mod flatten;
pub mod orient;
pub mod pad;
pub mod resize;
pub mod rotate;
pub mod salience;
pub mod sharpen;
pub mod trim;
