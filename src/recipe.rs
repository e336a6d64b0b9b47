//! What is asked: text to values. Pure; knows of no socket, no bucket and no pixel.

pub mod dialect;
pub mod negotiate;
pub mod params;
pub mod policy;
#[expect(
    clippy::module_inception,
    reason = "the room and its main noun have one name"
)]
pub mod recipe;
pub mod signature;
pub mod transform;

pub use recipe::Recipe;
pub use transform::Transform;
