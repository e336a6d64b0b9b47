//! Logs: installing them, nothing else.

/// How logs are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A `tracing` filter, such as `info` or `aquatint=debug`.
    pub level: String,
    /// `None`: pretty on a terminal, JSON otherwise.
    pub format: Option<Format>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: None,
        }
    }
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}
