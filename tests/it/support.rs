//! What the integration tests stand on: no assertion about the product lives here.

pub(crate) mod bucket;
