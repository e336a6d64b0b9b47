//! File + environment + command line → [`Config`]; every mistake at once, each with its name.

use crate::{cache, http, origin, pixels, recipe::policy::PolicySettings, server, telemetry, work};

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Sockets.
    pub server: server::Settings,
    /// Responses.
    pub http: http::Settings,
    /// What may be asked.
    pub policy: PolicySettings,
    /// What a source may cost.
    pub limits: pixels::codec::Limits,
    /// What a variant may cost.
    pub output: pixels::render::OutputLimits,
    /// What a fetch may cost.
    pub fetch: origin::FetchLimits,
    /// How much at once.
    pub work: work::Settings,
    /// What is kept.
    pub cache: cache::Settings,
    /// Logs.
    pub log: telemetry::Settings,
    /// Where pictures come from, the first match wins.
    pub sources: Vec<origin::SourceSettings>,
}
