//! The access log: one line a request, and the only place where a failure's cause is written. What
//! it says is counted, too.

use std::time::{Duration, Instant};

use http::request::Parts;

use super::{Inner, headers, picture::Note};
use crate::{pixels::format::OutputFormat, proxy::Times};

/// A request whose client hung up before it was answered (nginx's number; never sent).
const CLIENT_GONE: u16 = 499;

/// How a request ended.
#[derive(Debug)]
pub(super) struct Line<'r> {
    pub(super) id: &'r str,
    pub(super) status: u16,
    pub(super) bytes: u64,
    pub(super) elapsed: Duration,
    pub(super) cause: Option<&'r str>,
    pub(super) is_bug: bool,
}

impl Line<'_> {
    /// To the counters and the log.
    pub(super) fn tell(&self, app: &Inner, request: &Parts, note: &Note) {
        let cache = headers::how_name(note.how);
        app.metrics
            .request(self.status, cache, self.bytes, self.elapsed);
        self.log(request, note);
    }

    /// Without the query: it may hold a signature, or a token of somebody else's.
    fn log(&self, request: &Parts, note: &Note) {
        let stage = |of: fn(&Times) -> Duration| note.times.as_ref().map(of).map(milliseconds);
        macro_rules! line {
            ($level:expr) => {
                tracing::event!(
                    target: "aquatint::access",
                    $level,
                    method = request.method.as_str(),
                    path = request.uri.path(),
                    status = self.status,
                    bytes = self.bytes,
                    ms = milliseconds(self.elapsed),
                    cache = headers::how_name(note.how),
                    source = note.origin.as_ref().map(|origin| origin.settings.name.as_str()),
                    format = note.format.map(OutputFormat::name),
                    fetch_ms = stage(|times| times.fetch),
                    queue_ms = stage(|times| times.queue),
                    decode_ms = stage(|times| times.stages.decode),
                    transform_ms = stage(|times| times.stages.transform),
                    encode_ms = stage(|times| times.stages.encode),
                    cause = self.cause,
                    request_id = self.id,
                    "request"
                )
            };
        }
        match self.status {
            _ if self.is_bug => line!(tracing::Level::ERROR),
            500.. => line!(tracing::Level::WARN),
            _ => line!(tracing::Level::INFO),
        }
    }
}

/// To the microsecond: more digits than that are noise.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Dropped while a request is under way, its client has hung up: hyper drops the whole answer then.
/// That, too, is worth its line.
#[derive(Debug)]
pub(super) struct Gone<'r> {
    app: &'r Inner,
    request: &'r Parts,
    id: &'r str,
    started: Instant,
    answered: bool,
}

impl<'r> Gone<'r> {
    pub(super) fn new(app: &'r Inner, request: &'r Parts, id: &'r str, started: Instant) -> Self {
        Self {
            app,
            request,
            id,
            started,
            answered: false,
        }
    }

    /// The answer is there: its own line tells.
    pub(super) fn disarm(mut self) {
        self.answered = true;
    }
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        let line = Line {
            id: self.id,
            status: CLIENT_GONE,
            bytes: 0,
            elapsed: self.started.elapsed(),
            cause: Some("the client hung up"),
            is_bug: false,
        };
        line.tell(self.app, self.request, &Note::default());
    }
}
