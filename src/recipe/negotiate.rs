//! `Accept` → the formats that this client takes beyond what every client takes.

/// The newer formats a client says it takes. Reduced to two bits before anything is keyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Accepts {
    /// `image/avif`, by name.
    pub avif: bool,
    /// `image/webp`, by name.
    pub webp: bool,
}
