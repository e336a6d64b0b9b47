//! The public side: axum's router, one handler, and what every response carries.

use std::time::Duration;

/// What responses say and which extras are on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `Cache-Control` of a picture where neither its source nor its object says another.
    pub cache_control: String,
    /// Origins for `Access-Control-Allow-Origin`; `*` for any; empty: the header is not sent.
    pub cors_origins: Vec<String>,
    /// `Timing-Allow-Origin`, verbatim.
    pub timing_allow_origin: Option<String>,
    /// Whether `?explain` answers.
    pub explain: bool,
    /// Whether `Server-Timing` is sent.
    pub server_timing: bool,
    /// Longest URL, in bytes.
    pub max_url_bytes: usize,
    /// Most parameters in a query.
    pub max_parameters: usize,
    /// From the first byte of a request to the last of its answer's head.
    pub request_time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache_control: "public, max-age=86400, stale-while-revalidate=604800".to_owned(),
            cors_origins: Vec::new(),
            timing_allow_origin: None,
            explain: false,
            server_timing: true,
            max_url_bytes: 4096,
            max_parameters: 64,
            request_time: Duration::from_secs(30),
        }
    }
}
