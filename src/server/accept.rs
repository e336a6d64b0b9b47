//! The door: who comes in, how many at once, and how it closes.

use std::{
    io::{self, Read as _, Write as _},
    net::Shutdown,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use futures_util::FutureExt as _;
use hyper_util::{rt::TokioExecutor, server::conn::auto, server::graceful::GracefulShutdown};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use super::{Counters, Settings, connection};

/// What one connection too many is told. Written blindly: at this point nothing is read, let alone
/// understood.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\n\
    cache-control: no-store\r\n\
    retry-after: 1\r\n\
    connection: close\r\n\
    content-length: 67\r\n\
    \r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503}\r\n";

/// Pause when the process has no descriptor left for a connection: without one the loop would spin,
/// as the connection stays in the queue. Connections end all the time, so it is short.
const OUT_OF_DESCRIPTORS_PAUSE: Duration = Duration::from_millis(25);

/// For the newest connections to read the requests that wait in their sockets, before those without
/// a request are closed.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// One listener and its connections.
///
/// One per listener: for accept loops per core, each core's runtime gets a `Door` of its own, on a
/// listener bound with `SO_REUSEPORT`; nothing in here is shared but the counters.
#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
    router: Router,
    settings: Arc<Settings>,
    builder: Arc<auto::Builder<TokioExecutor>>,
    room: Arc<Semaphore>,
    graceful: GracefulShutdown,
    counters: Counters,
}

impl Door {
    pub(super) fn new(
        listener: TcpListener,
        router: Router,
        settings: &Settings,
        counters: Counters,
    ) -> Self {
        Self {
            listener,
            router,
            builder: Arc::new(connection::builder(settings)),
            room: Arc::new(Semaphore::new(
                settings.max_connections.min(Semaphore::MAX_PERMITS),
            )),
            graceful: GracefulShutdown::new(),
            settings: Arc::new(settings.clone()),
            counters,
        }
    }

    /// Lets connections in until told to stop, then waits for the requests under way, as long as
    /// the grace period lasts.
    pub(super) async fn serve(self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = self.listener.accept() => accepted,
            };
            self.accepted(accepted).await;
        }
        self.close().await;
    }

    async fn accepted(&self, accepted: io::Result<(TcpStream, std::net::SocketAddr)>) {
        match accepted {
            Ok((socket, _)) => self.admit(socket),
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(OUT_OF_DESCRIPTORS_PAUSE).await;
            }
        }
    }

    fn admit(&self, socket: TcpStream) {
        let Ok(place) = self.room.clone().try_acquire_owned() else {
            self.counters.refused.inc();
            refuse(&socket);
            return;
        };
        if connection::configure(&socket, &self.settings).is_err() {
            return;
        }
        let open = self.counters.opened();
        let served = connection::serve(
            self.builder.clone(),
            socket,
            self.router.clone(),
            self.settings.clone(),
            self.graceful.watcher(),
        );
        tokio::spawn(async move {
            served.await;
            drop((place, open));
        });
    }

    async fn close(self) {
        // Connections that the kernel has accepted for us already would be reset with the
        // listener: their clients were told that somebody is here.
        for _ in 0..super::BACKLOG {
            match self.listener.accept().now_or_never() {
                Some(Ok((socket, _))) => self.admit(socket),
                Some(Err(_)) | None => break,
            }
        }
        drop(self.listener);
        tokio::time::sleep(LAST_WORDS).await;
        let open = self.graceful.count();
        let closed = self.graceful.shutdown();
        if tokio::time::timeout(self.settings.grace, closed)
            .await
            .is_err()
        {
            tracing::warn!(open, "the grace period is over; the rest is cut off");
        }
    }
}

/// Errors of one connection that ended before it was accepted.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// Says 503 without waiting for anything: what does not fit into the empty socket is not said. Past
/// tokio, which knows nothing yet of what a new socket is ready for.
fn refuse(socket: &TcpStream) {
    let socket = socket2::SockRef::from(socket);
    let mut socket: &socket2::Socket = &socket;
    // What was sent already is taken first: closing over unread bytes is a reset, and a reset
    // makes the client forget the answer.
    let mut sent = [0; 4096];
    while matches!(socket.read(&mut sent), Ok(1..)) {}
    if socket.write(FULL).is_ok() {
        // The client may be gone; it is refused all the same.
        let _ = socket.shutdown(Shutdown::Write);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_has_the_length_that_it_says() {
        let text = std::str::from_utf8(FULL).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(&format!("content-length: {}", body.len())));
        let document: serde_json::Value = serde_json::from_str(body).expect("a document");
        assert_eq!(document["status"], 503);
    }
}
