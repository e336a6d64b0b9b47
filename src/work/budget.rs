//! One number of bytes, shared out. What is asked of it is what a job says it will hold at its peak.

/// A share of a budget; given back when it is dropped. Travels with the work that it covers.
#[derive(Debug)]
pub struct Permit {
    _permit: tokio::sync::OwnedSemaphorePermit,
}
