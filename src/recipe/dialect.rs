//! The words that services disagree on, and whose meaning is meant.

/// Whose meaning `fit=fill` and `fit=contain` have, and where alpha stands in a colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// imgix, Glide, Sanity: `fill` pads, `contain` is inside, colours are `aarrggbb`.
    #[default]
    Imgix,
    /// CSS `object-fit`, sharp, wsrv: `fill` stretches, `contain` pads, colours are `rrggbbaa`.
    Css,
}
