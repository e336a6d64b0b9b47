//! One connection: hyper's bounds, and the way from its requests to the router.

use std::sync::Arc;

use axum::{Router, body::Body};
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::Watcher},
};
use tokio::{net::TcpStream, time::Instant};
use tower::ServiceExt as _;

use super::{
    Settings,
    activity::Activity,
    stream::{Deadlines, Stream},
};

/// Header lines of one request; browsers behind two proxies send about forty.
const MAX_HEADERS: usize = 64;

/// Bytes of one request's head, of HTTP/1's read buffer and of its write queue.
const MAX_HEAD_BYTES: usize = 32 << 10;

/// Requests of one HTTP/2 connection at once.
const MAX_STREAMS: u32 = 100;

/// Streams that a client has opened and reset again before we looked at them. With the count of
/// aborted answers ([`Activity::is_abusive`]) this bounds rapid resets.
const MAX_PENDING_RESETS: usize = 20;

/// Streams that we had to reset for a client's mistakes, before we hang up.
const MAX_LOCAL_RESETS: usize = 100;

/// Bytes of answer that HTTP/2 buffers for one stream.
const MAX_SEND_BUFFER: usize = 256 << 10;

/// How connections are spoken with: HTTP/1.1, and HTTP/2 by prior knowledge (h2c), told apart by
/// their first bytes.
///
/// No HTTP/2 keep-alive pings: the stream's idle deadline closes dead and silent connections alike.
pub(super) fn builder(settings: &Settings) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // hyper counts from the end of the last request, so this is a second lock behind the
        // stream's deadlines, which tell a silent connection from a slow head.
        .header_read_timeout(settings.header_timeout + settings.idle_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS)
        .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
        .max_send_buf_size(MAX_SEND_BUFFER);
    builder
}

/// Serves a connection to its end. Told to stop, it finishes the requests under way.
///
/// Its errors are the client's hang-ups and our deadlines: nobody waits for them.
pub(super) async fn serve(
    builder: Arc<auto::Builder<TokioExecutor>>,
    socket: TcpStream,
    router: Router,
    settings: Arc<Settings>,
    watcher: Watcher,
) {
    let activity = Activity::new(Instant::now());
    let deadlines = Deadlines {
        head: settings.header_timeout,
        idle: settings.idle_timeout,
        write: settings.write_timeout,
    };
    let stream = TokioIo::new(Stream::new(socket, deadlines, activity.clone()));
    // A front door for hits (look up the raw target, answer without the router) belongs here: it
    // sees every request first, and what it does not know goes on to the router.
    let service = service_fn(move |request: Request<Incoming>| {
        let in_flight = activity.begin();
        let answer = router.clone().oneshot(request.map(Body::new));
        async move {
            let answer = answer.await;
            answer.map(|response| response.map(|body| in_flight.finish(body)))
        }
    });
    let connection = builder.serve_connection(stream, service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(target_os = "linux")]
fn set_user_timeout(socket: &socket2::SockRef<'_>, settings: &Settings) -> std::io::Result<()> {
    socket.set_tcp_user_timeout(Some(settings.write_timeout))
}

#[cfg(not(target_os = "linux"))]
fn set_user_timeout(_: &socket2::SockRef<'_>, _: &Settings) -> std::io::Result<()> {
    Ok(())
}

/// Options of an accepted socket. Without `TCP_NODELAY` an answer of two writes waits 40 ms for
/// the client's delayed acknowledgement; the kernel's own time-out covers what we have handed over
/// and forgotten. Failing here means that the client is gone already.
pub(super) fn configure(socket: &TcpStream, settings: &Settings) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    set_user_timeout(&socket2::SockRef::from(socket), settings)
}
