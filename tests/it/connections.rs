//! The connection stack by itself, on real sockets: deadlines, caps, HTTP/2, shutdown. What it
//! serves here is a toy.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use aquatint::server::{self, Settings};
use axum::{Router, body::Body, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// Far above every deadline here: what takes this long does not happen.
const NEVER: Duration = Duration::from_secs(10);

/// A deadline short enough to wait for.
const SHORT: Duration = Duration::from_millis(300);

fn settings() -> Settings {
    Settings {
        header_timeout: NEVER,
        idle_timeout: NEVER,
        write_timeout: NEVER,
        grace: NEVER,
        ..Settings::default()
    }
}

/// A running server; told to stop when asked, or dropped with the test.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

async fn start(settings: Settings) -> Running {
    start_with(settings, toy()).await
}

async fn start_with(settings: Settings, router: Router) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(async move {
        server::serve(listener, router, &settings, async {
            let _ = stopped.await;
        })
        .await;
    });
    Running {
        address,
        stop,
        ended,
    }
}

fn toy() -> Router {
    Router::new()
        .route("/", get(|| async { "toy" }))
        .route(
            "/slow",
            get(|| async {
                sleep(2 * SHORT).await;
                "slow"
            }),
        )
        .route("/never", get(std::future::pending::<()>))
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address)
            .await
            .expect("a connection")
    }

    /// One request on a connection of its own, and the whole answer.
    async fn ask(&self, path: &str) -> String {
        let mut socket = self.connect().await;
        send(&mut socket, path, "connection: close\r\n").await;
        rest(&mut socket).await.expect("an answer")
    }
}

async fn send(socket: &mut TcpStream, path: &str, headers: &str) {
    let head = format!("GET {path} HTTP/1.1\r\nhost: toy\r\n{headers}\r\n");
    socket.write_all(head.as_bytes()).await.expect("sent");
}

/// Everything until the server closes.
async fn rest(socket: &mut TcpStream) -> io::Result<String> {
    let mut all = Vec::new();
    timeout(NEVER, socket.read_to_end(&mut all))
        .await
        .expect("the server closes")?;
    Ok(String::from_utf8_lossy(&all).into_owned())
}

/// One answer with the toy's short body, on a connection that stays open.
async fn one_answer(socket: &mut TcpStream) -> String {
    let mut all = Vec::new();
    while !all.ends_with(b"toy") {
        let count = timeout(NEVER, socket.read_buf(&mut all))
            .await
            .expect("an answer in time")
            .expect("an open connection");
        assert!(
            count > 0,
            "closed after {:?}",
            String::from_utf8_lossy(&all)
        );
    }
    String::from_utf8(all).expect("text")
}

/// Asserts that something took about as long as a deadline.
#[track_caller]
fn assert_about(elapsed: Duration, deadline: Duration) {
    assert!(
        elapsed >= deadline.mul_f64(0.9) && elapsed < deadline + Duration::from_secs(3),
        "{elapsed:?} instead of {deadline:?}"
    );
}

#[tokio::test]
async fn a_silent_connection_is_closed_at_the_idle_deadline() {
    let server = start(Settings {
        idle_timeout: SHORT,
        ..settings()
    })
    .await;
    let begin = Instant::now();
    let mut socket = server.connect().await;
    assert_eq!(rest(&mut socket).await.expect("a close"), "");
    assert_about(begin.elapsed(), SHORT);
}

#[tokio::test]
async fn a_kept_connection_is_closed_at_the_idle_deadline() {
    let server = start(Settings {
        idle_timeout: SHORT,
        ..settings()
    })
    .await;
    let mut socket = server.connect().await;
    send(&mut socket, "/", "").await;
    one_answer(&mut socket).await;
    let begin = Instant::now();
    assert_eq!(rest(&mut socket).await.expect("a close"), "");
    assert_about(begin.elapsed(), SHORT);
}

#[tokio::test]
async fn a_slow_head_is_cut_at_the_head_deadline() {
    let server = start(Settings {
        header_timeout: SHORT,
        ..settings()
    })
    .await;
    for begun in ["GET / HTTP/1.1\r\nhost: toy\r\nx-a:", "PRI * HT"] {
        let begin = Instant::now();
        let socket = server.connect().await;
        let (mut reader, mut writer) = socket.into_split();
        writer.write_all(begun.as_bytes()).await.expect("sent");
        let drip = tokio::spawn(async move {
            // A byte now and then must not buy time.
            while writer.write_all(b"a").await.is_ok() {
                sleep(SHORT / 6).await;
            }
        });
        let mut all = Vec::new();
        let end = timeout(NEVER, reader.read_to_end(&mut all)).await;
        // Closed over unread drops, the connection may end in a reset.
        let _ = end.expect("the server closes");
        // A head that turns out to be none is answered at once; one that might be is not.
        if all.is_empty() {
            assert_about(begin.elapsed(), SHORT);
        } else {
            assert!(all.starts_with(b"HTTP/1.1 400"), "{all:?}");
        }
        drip.abort();
    }
}

#[tokio::test]
async fn a_request_under_way_is_not_idle() {
    let server = start(Settings {
        idle_timeout: SHORT,
        header_timeout: SHORT,
        write_timeout: SHORT,
        ..settings()
    })
    .await;
    let answer = server.ask("/slow").await;
    assert!(answer.ends_with("slow"), "{answer}");
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut_at_the_write_deadline() {
    /// Tells when it is dropped.
    struct Told(Option<oneshot::Sender<()>>);
    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.take().map(|tell| tell.send(()));
        }
    }
    let (tell, told) = oneshot::channel();
    let body = Arc::new(Mutex::new(Some(Told(Some(tell)))));
    let router = Router::new().route(
        "/",
        get(move || async move {
            let mut held = body.lock().expect("one request").take();
            let chunk = bytes::Bytes::from(vec![0; 1 << 20]);
            // Without an end: only the deadline ends it.
            let chunks = futures_util::stream::repeat_with(move || {
                let _ = &mut held;
                Ok::<_, io::Error>(chunk.clone())
            });
            Body::from_stream(chunks)
        }),
    );
    let server = start_with(
        Settings {
            write_timeout: SHORT,
            ..settings()
        },
        router,
    )
    .await;
    let mut socket = server.connect().await;
    send(&mut socket, "/", "").await;
    let begin = Instant::now();
    timeout(NEVER, told)
        .await
        .expect("cut in time")
        .expect("the answer dropped");
    assert_about(begin.elapsed(), SHORT);
}

#[tokio::test]
async fn one_connection_past_the_cap_is_refused_and_the_next_is_not() {
    let server = start(Settings {
        max_connections: 1,
        ..settings()
    })
    .await;
    let mut first = server.connect().await;
    send(&mut first, "/", "").await;
    one_answer(&mut first).await;
    let mut second = server.connect().await;
    let refusal = rest(&mut second).await.expect("an answer");
    assert!(refusal.starts_with("HTTP/1.1 503 "), "{refusal}");
    assert!(refusal.contains("\r\nretry-after: 1\r\n"), "{refusal}");
    send(&mut first, "/", "connection: close\r\n").await;
    rest(&mut first).await.expect("an answer");
    // The place is free once the server has closed, which is a moment after we have seen it.
    let answered = timeout(NEVER, async {
        loop {
            let mut next = server.connect().await;
            send(&mut next, "/", "connection: close\r\n").await;
            match rest(&mut next).await {
                Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => break,
                _ => tokio::task::yield_now().await,
            }
        }
    });
    answered.await.expect("a place");
}

#[tokio::test]
async fn sixty_four_header_lines_are_read_and_no_more() {
    let server = start(settings()).await;
    for (more, status) in [(62, "200"), (63, "431")] {
        let mut socket = server.connect().await;
        // With `host` and `connection`.
        let lines = "x: y\r\n".repeat(more);
        send(&mut socket, "/", &format!("connection: close\r\n{lines}")).await;
        let answer = rest(&mut socket).await.expect("an answer");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn shutdown_finishes_what_is_under_way_and_closes_the_rest() {
    let server = start(settings()).await;
    let mut idle = server.connect().await;
    send(&mut idle, "/", "").await;
    one_answer(&mut idle).await;
    let mut busy = server.connect().await;
    send(&mut busy, "/slow", "").await;
    // The request has arrived when a later one is answered.
    server.ask("/").await;
    server.stop.send(()).expect("a server");
    let answer = rest(&mut busy).await.expect("an answer");
    assert!(answer.ends_with("slow"), "{answer}");
    assert_eq!(rest(&mut idle).await.expect("a close"), "");
    timeout(NEVER, server.ended)
        .await
        .expect("an end")
        .expect("no panic");
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn shutdown_waits_no_longer_than_the_grace_period() {
    let server = start(Settings {
        grace: SHORT,
        ..settings()
    })
    .await;
    let mut stuck = server.connect().await;
    send(&mut stuck, "/never", "").await;
    server.ask("/").await;
    server.stop.send(()).expect("a server");
    let begin = Instant::now();
    timeout(NEVER, server.ended)
        .await
        .expect("an end")
        .expect("no panic");
    assert_about(begin.elapsed(), SHORT);
}

/// As much HTTP/2 as it takes to ask for `/` and to change one's mind (RFC 9113).
mod h2 {
    pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    pub(super) const HEADERS: u8 = 1;
    /// HPACK's static entry for `:status: 200`.
    pub(super) const OK: u8 = 0x88;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const END_STREAM_AND_HEADERS: u8 = 5;
    /// HPACK's static table: GET, `/`, http; then `:authority` spelled out.
    const HEAD: &[u8] = b"\x82\x84\x86\x41\x03toy";

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("a short frame");
        let mut frame = length.to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    }

    pub(super) fn settings() -> Vec<u8> {
        frame(SETTINGS, 0, 0, b"")
    }

    pub(super) fn request(stream: u32) -> Vec<u8> {
        frame(HEADERS, END_STREAM_AND_HEADERS, stream, HEAD)
    }

    pub(super) fn reset(stream: u32) -> Vec<u8> {
        const CANCEL: [u8; 4] = [0, 0, 0, 8];
        frame(RST_STREAM, 0, stream, &CANCEL)
    }
}

#[tokio::test]
async fn http_2_is_understood_without_an_upgrade() {
    let server = start(settings()).await;
    let mut socket = server.connect().await;
    let hello = [h2::PREFACE.to_vec(), h2::settings(), h2::request(1)].concat();
    socket.write_all(&hello).await.expect("sent");
    let first = loop {
        let mut head = [0; 9];
        timeout(NEVER, socket.read_exact(&mut head))
            .await
            .expect("a frame in time")
            .expect("a frame");
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut payload = vec![0; length];
        socket.read_exact(&mut payload).await.expect("its payload");
        if head[3] == h2::HEADERS {
            break payload[0];
        }
    };
    assert_eq!(first, h2::OK);
}

#[tokio::test]
async fn a_client_that_resets_its_streams_without_end_is_cut() {
    /// Twenty times what is borne.
    const MOST: u32 = 2000;
    let server = start(settings()).await;
    let socket = server.connect().await;
    let (mut reader, mut writer) = socket.into_split();
    let hello = [h2::PREFACE.to_vec(), h2::settings()].concat();
    writer.write_all(&hello).await.expect("sent");
    let drain = tokio::spawn(async move { reader.read_to_end(&mut Vec::new()).await });
    for number in 0..MOST {
        let stream = 2 * number + 1;
        let pair = [h2::request(stream), h2::reset(stream)].concat();
        if writer.write_all(&pair).await.is_err() {
            break;
        }
        // One pair a packet, read one by one: the hardest to notice.
        tokio::task::yield_now().await;
    }
    // Whether by an end or by a reset.
    let _ = timeout(NEVER, drain).await.expect("cut").expect("no panic");
    let answer = server.ask("/").await;
    assert!(answer.ends_with("toy"), "{answer}");
}
