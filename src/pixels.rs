//! What is done: bytes to bytes. Synchronous and pure; no I/O, no globals, no clock.

pub mod bitmap;
pub mod codec;
pub mod colour;
pub mod format;
pub mod geometry;
pub mod look;
pub mod ops;
pub mod planes;
pub mod render;
pub mod rows;
pub mod score;
