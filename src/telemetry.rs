//! Logs: installing them, nothing else.

use std::{
    io::{self, IsTerminal as _},
    sync::OnceLock,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::counter::ConstCounter,
    registry::Registry,
};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter, Layer, Registry as Subscriber, filter, layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

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

/// Why there are no logs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The level is no filter.
    #[error("`{level}` is no log filter, such as `info` or `aquatint=debug`: {cause}")]
    Level {
        /// What was given.
        level: String,
        /// What is wrong with it.
        cause: filter::ParseError,
    },
    /// Somebody else has installed logs in this process.
    #[error("logs are installed already")]
    Installed,
}

/// Lines that may wait for standard error. A line is about 400 bytes: some megabytes at most.
const WAITING_LINES: usize = 8192;

/// How many lines were given up, for the counters. There is one log in a process.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Keeps the logs going; dropped, the last lines are written.
#[derive(Debug)]
#[must_use = "logs end when this is dropped"]
pub struct Guard {
    _writer: WorkerGuard,
}

/// Sends the logs to standard error, from a thread of its own: a slow terminal or log collector
/// costs lines (which are counted), never a request's time.
///
/// # Errors
/// As [`Error`].
pub fn install(settings: &Settings) -> Result<Guard, Error> {
    let filter = filter(&settings.level)?;
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING_LINES)
        .thread_name("log")
        .finish(io::stderr());
    let dropped = writer.error_counter();
    tracing_subscriber::registry()
        .with(lines(settings.format, writer))
        .with(filter)
        .try_init()
        .map_err(|_| Error::Installed)?;
    DROPPED.get_or_init(|| dropped);
    Ok(Guard { _writer: guard })
}

/// Whether the level can be used, without installing anything.
///
/// # Errors
/// [`Error::Level`].
pub fn check(settings: &Settings) -> Result<(), Error> {
    filter(&settings.level).map(drop)
}

/// Shows how many lines were given up.
pub fn register(registry: &mut Registry) {
    registry.register_collector(Box::new(Dropped));
}

fn filter(level: &str) -> Result<EnvFilter, Error> {
    EnvFilter::builder()
        .parse(level)
        .map_err(|cause| Error::Level {
            level: level.to_owned(),
            cause,
        })
}

fn lines(format: Option<Format>, writer: NonBlocking) -> Box<dyn Layer<Subscriber> + Send + Sync> {
    let terminal = io::stderr().is_terminal();
    let format = format.unwrap_or(if terminal {
        Format::Pretty
    } else {
        Format::Json
    });
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        Format::Pretty => layer.with_ansi(terminal).with_target(false).boxed(),
        Format::Json => layer.json().flatten_event(true).boxed(),
    }
}

#[derive(Debug)]
struct Dropped;

impl Collector for Dropped {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let dropped = DROPPED.get().map_or(0, ErrorCounter::dropped_lines);
        let counter = ConstCounter::new(u64::try_from(dropped).unwrap_or(u64::MAX));
        let metric = encoder.encode_descriptor(
            "log_lines_dropped",
            "Log lines given up because standard error was slow",
            None,
            counter.metric_type(),
        )?;
        counter.encode(metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_level(level: &str, good: bool) {
        let settings = Settings {
            level: level.to_owned(),
            format: None,
        };
        assert_eq!(check(&settings).is_ok(), good, "{level}");
    }

    #[test]
    fn a_level_is_a_filter() {
        check_level("info", true);
        check_level("warn,aquatint=debug", true);
        check_level("aquatint::access=off", true);
        check_level("aquatint=loud", false);
    }
}
