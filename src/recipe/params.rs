//! The one table of query parameters: name, aliases, type, range, default, doc line.

/// What is wrong with a query. The sentence names the parameter and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Error {
    /// The parameter, as it was typed.
    pub parameter: String,
    /// For the client.
    pub sentence: String,
}
