//! What can go wrong with an answer, and the body that makes it so.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_LENGTH, DATE, HeaderName, HeaderValue},
};
use s3s::service::S3Service;
use tokio::{net::TcpStream, sync::watch};

use super::{Counts, store::Store};

/// How far a client's clock may be from the bucket's.
const SKEW_ALLOWED: Duration = Duration::from_mins(15);

/// One thing that goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This status, with S3's error code.
    Status(u16, &'static str),
    /// The right answer, after this long.
    Late(Duration),
    /// The request is read, and nothing comes.
    StallHead,
    /// The request is read, and the connection is closed.
    HangUp,
    /// The head and so many bytes of the body, then nothing more, for ever.
    StallBody(usize),
    /// The head promises all, so many bytes come, and the connection is closed in good order.
    Truncate(usize),
    /// The same, with a reset.
    Reset(usize),
    /// So many bytes at once, then a pause.
    Slow(usize, Duration),
    /// The right body, without a `Content-Length`.
    NoLength,
    /// The right answer with one more header.
    Header(&'static str, &'static str),
    /// The bucket's clock is so many seconds ahead of ours (behind, if below zero): refused with
    /// its `Date`, until the request is dated by it.
    Skewed(i64),
}

enum Step {
    Send(Bytes),
    Wait(Duration),
    /// Lets hyper write out what it has, before the connection ends.
    Flush,
    Hang,
    Close,
    Reset(Reset),
}

/// A body that follows a script.
pub(super) struct ScriptedBody {
    steps: VecDeque<Step>,
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
    flight: Flight,
}

/// One request being answered, from its arrival to the last byte of its answer.
pub(super) struct Flight {
    counts: watch::Sender<Counts>,
    landed: bool,
}

/// A second handle on a connection's socket, through which it can be made to end with a reset.
pub(super) type Reset = Arc<std::net::TcpStream>;

/// Splits off the handle for a reset.
pub(super) fn resettable(socket: TcpStream) -> io::Result<(TcpStream, Reset)> {
    socket.set_nodelay(true)?;
    let socket = socket.into_std()?;
    let reset = Arc::new(socket.try_clone()?);
    Ok((TcpStream::from_std(socket)?, reset))
}

/// The answer that the bucket gives of itself.
pub(super) async fn honest(
    request: Request<Incoming>,
    s3: &S3Service,
    flight: Flight,
) -> Response<ScriptedBody> {
    let (head, bytes) = whole(request, s3).await;
    Response::from_parts(head, ScriptedBody::new([Step::Send(bytes)], flight))
}

impl Fault {
    /// The spoilt answer.
    pub(super) async fn answer(
        self,
        request: Request<Incoming>,
        s3: &S3Service,
        store: &Store,
        reset: Reset,
        flight: Flight,
    ) -> io::Result<Response<ScriptedBody>> {
        match self {
            Self::Status(status, code) => return Ok(refusal(status, code, flight)),
            Self::HangUp => return Err(io::Error::other("the script hangs up here")),
            Self::StallHead => std::future::pending().await,
            Self::Late(pause) => {
                tokio::time::sleep(pause).await;
                return Ok(honest(request, s3, flight).await);
            }
            Self::Skewed(seconds) => return Ok(skewed(&request, store, seconds, flight)),
            _ => {}
        }
        let (mut head, bytes) = whole(request, s3).await;
        let cut = |at: usize| Step::Send(bytes.slice(..at.min(bytes.len())));
        let steps = match self {
            Self::StallBody(at) => vec![cut(at), Step::Hang],
            Self::Truncate(at) => vec![cut(at), Step::Flush, Step::Close],
            Self::Reset(at) => vec![cut(at), Step::Flush, Step::Reset(reset)],
            Self::Slow(size, pause) => slowly(&bytes, size, pause),
            Self::Header(name, value) => {
                head.headers.insert(
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                );
                vec![Step::Send(bytes)]
            }
            _ => {
                head.headers.remove(CONTENT_LENGTH);
                vec![Step::Send(bytes)]
            }
        };
        Ok(Response::from_parts(head, ScriptedBody::new(steps, flight)))
    }
}

async fn whole(
    request: Request<Incoming>,
    s3: &S3Service,
) -> (hyper::http::response::Parts, Bytes) {
    let answer = s3.call(request.map(s3s::Body::from)).await;
    let (mut head, body) = answer.expect("s3s answers").into_parts();
    let bytes = body.collect().await.expect("objects in memory").to_bytes();
    if !bytes.is_empty() {
        head.headers
            .insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    }
    (head, bytes)
}

fn slowly(bytes: &Bytes, size: usize, pause: Duration) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = bytes.clone();
    while !rest.is_empty() {
        steps.push(Step::Send(rest.split_to(size.min(rest.len()))));
        if !rest.is_empty() {
            steps.push(Step::Wait(pause));
        }
    }
    steps
}

fn refusal(status: u16, code: &str, flight: Flight) -> Response<ScriptedBody> {
    let body = Bytes::from(format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>scripted</Message></Error>"
    ));
    let mut answer = Response::new(ScriptedBody::new([Step::Send(body)], flight));
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    answer
}

/// Answers as a bucket whose clock is off. It takes any signature, as long as the date is right:
/// the real check would compare that date with our own clock.
fn skewed(
    request: &Request<Incoming>,
    store: &Store,
    seconds: i64,
    flight: Flight,
) -> Response<ScriptedBody> {
    let offset = Duration::from_secs(seconds.unsigned_abs());
    let now = if seconds < 0 {
        SystemTime::now() - offset
    } else {
        SystemTime::now() + offset
    };
    let dated = request.headers().get("x-amz-date");
    let dated = dated.and_then(|date| amz_date(date.to_str().ok()?));
    let distance = dated.map_or(Duration::MAX, |dated| {
        dated
            .duration_since(now)
            .unwrap_or_else(|earlier| earlier.duration())
    });
    let object = store.get(&super::key_of(request.uri().path()));
    let mut answer = match object {
        Some(object) if distance < SKEW_ALLOWED => {
            Response::new(ScriptedBody::new([Step::Send(object.bytes)], flight))
        }
        _ => refusal(403, "RequestTimeTooSkewed", flight),
    };
    let date = HeaderValue::from_str(&httpdate::fmt_http_date(now)).expect("a date");
    answer.headers_mut().insert(DATE, date);
    answer
}

/// `20261121T021500Z`.
fn amz_date(text: &str) -> Option<SystemTime> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u8>().ok();
    let month = time::Month::try_from(number(4, 6)?).ok()?;
    let year = text.get(0..4)?.parse().ok()?;
    let date = time::Date::from_calendar_date(year, month, number(6, 8)?).ok()?;
    let time = time::Time::from_hms(number(9, 11)?, number(11, 13)?, number(13, 15)?).ok()?;
    Some(date.with_time(time).assume_utc().into())
}

impl Flight {
    pub(super) fn start(counts: &watch::Sender<Counts>) -> Self {
        counts.send_modify(|counts| {
            counts.requests += 1;
            counts.in_flight += 1;
            counts.most_in_flight = counts.most_in_flight.max(counts.in_flight);
        });
        Self {
            counts: counts.clone(),
            landed: false,
        }
    }

    /// Its last byte is handed out: before the client has it, so that no client's next request
    /// is counted beside this one.
    fn land(&mut self) {
        self.landed = true;
        self.counts.send_modify(|counts| counts.in_flight -= 1);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.landed {
            self.counts.send_modify(|counts| {
                counts.in_flight -= 1;
                counts.cut_off += 1;
            });
        }
    }
}

impl ScriptedBody {
    fn new(steps: impl IntoIterator<Item = Step>, mut flight: Flight) -> Self {
        let steps: VecDeque<_> = steps
            .into_iter()
            .filter(|step| !matches!(step, Step::Send(bytes) if bytes.is_empty()))
            .collect();
        if steps.is_empty() {
            flight.land();
        }
        Self {
            steps,
            sleep: None,
            flight,
        }
    }
}

impl http_body::Body for ScriptedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        loop {
            match this.steps.front_mut() {
                None => return Poll::Ready(None),
                Some(Step::Hang) => return Poll::Pending,
                Some(Step::Wait(pause)) => {
                    let pause = *pause;
                    let sleep = this
                        .sleep
                        .get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
                    std::task::ready!(sleep.as_mut().poll(cx));
                    this.sleep = None;
                    this.steps.pop_front();
                }
                Some(Step::Flush) => {
                    this.steps.pop_front();
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Step::Close) => {
                    return Poll::Ready(Some(Err(io::Error::other("the script ends here"))));
                }
                Some(Step::Reset(reset)) => {
                    socket2::SockRef::from(&**reset)
                        .set_linger(Some(Duration::ZERO))
                        .expect("an open socket");
                    return Poll::Ready(Some(Err(io::Error::other("the script resets here"))));
                }
                Some(Step::Send(bytes)) => {
                    let frame = Frame::data(std::mem::take(bytes));
                    this.steps.pop_front();
                    if this.steps.is_empty() {
                        this.flight.land();
                    }
                    return Poll::Ready(Some(Ok(frame)));
                }
            }
        }
    }
}
