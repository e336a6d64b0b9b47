//! A bucket in the test's own process that checks signatures, counts, stalls and fails.
//!
//! ```ignore
//! let bucket = TestBucket::start().await;
//! bucket.put("a.jpg", bytes);
//! bucket.fail_next("a.jpg", Fault::Truncate(10));
//! let settings = bucket.source("/");          // or bucket.settings() for the S3Settings alone
//! // … one request later
//! assert_eq!(bucket.hits("a.jpg"), 2);
//! ```

mod faults;
mod store;

pub(crate) use faults::Fault;
pub(crate) use store::Object;

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use aquatint::origin::{Provider, S3Settings, Secret, SourceKind, SourceSettings};
use bytes::Bytes;
use hyper::{Method, Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use tokio::{net::TcpListener, sync::watch, task::AbortHandle};

use faults::{Flight, ScriptedBody};
use store::Store;

/// What the bucket is called.
pub(crate) const BUCKET: &str = "img";
/// The access key that it knows.
pub(crate) const ACCESS_KEY: &str = "AKTESTBUCKET";
/// Its secret.
pub(crate) const SECRET_KEY: &str = "test-bucket-secret-CANARY";

/// A running bucket; it stops when this is dropped.
pub(crate) struct TestBucket {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: AbortHandle,
}

/// What has been asked of a bucket so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Object GETs and HEADs, and requests for the bucket itself.
    pub(crate) requests: usize,
    /// Requests that are being answered.
    pub(crate) in_flight: usize,
    /// The most of them that there ever were at once.
    pub(crate) most_in_flight: usize,
    /// Requests whose client went away, or whose answer a fault cut off, before its last byte.
    pub(crate) cut_off: usize,
    /// TCP connections accepted.
    pub(crate) connections: usize,
}

/// State shared by the handle and the connections.
struct Shared {
    store: Store,
    script: Mutex<Script>,
    counts: watch::Sender<Counts>,
}

#[derive(Default)]
struct Script {
    hits: HashMap<String, usize>,
    next: HashMap<String, VecDeque<Fault>>,
    always: HashMap<String, Fault>,
    everywhere: Option<Fault>,
}

impl TestBucket {
    /// An empty bucket on a free port of the loopback.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            store: Store::default(),
            script: Mutex::default(),
            counts: watch::Sender::new(Counts::default()),
        });
        let mut service = S3ServiceBuilder::new(shared.store.clone());
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let server = tokio::spawn(serve(listener, shared.clone(), service.build())).abort_handle();
        Self {
            shared,
            address,
            server,
        }
    }

    /// Puts an object there, replacing what was there before.
    pub(crate) fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        self.put_object(key, Object::new(bytes));
    }

    /// Puts an object with metadata there: `Object { cache_control: …, ..Object::new(bytes) }`.
    pub(crate) fn put_object(&self, key: &str, object: Object) {
        self.shared.store.put(key, object);
    }

    /// Takes an object away.
    pub(crate) fn remove(&self, key: &str) {
        self.shared.store.remove(key);
    }

    /// Spoils the next answer for this key; called again, the one after it.
    pub(crate) fn fail_next(&self, key: &str, fault: Fault) {
        let mut script = self.script();
        script
            .next
            .entry(key.to_owned())
            .or_default()
            .push_back(fault);
    }

    /// Spoils every answer for this key.
    pub(crate) fn fail_always(&self, key: &str, fault: Fault) {
        self.script().always.insert(key.to_owned(), fault);
    }

    /// Spoils every answer; `None` heals the bucket.
    pub(crate) fn fail_everywhere(&self, fault: Option<Fault>) {
        self.script().everywhere = fault;
    }

    /// How many GETs there were of this key.
    pub(crate) fn hits(&self, key: &str) -> usize {
        self.script().hits.get(key).copied().unwrap_or(0)
    }

    /// Every key that was asked for, in no order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.script().hits.keys().cloned().collect()
    }

    /// All counts.
    pub(crate) fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// Waits until the counts are so.
    pub(crate) async fn until(&self, so: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.shared.counts.subscribe();
        let patience = std::time::Duration::from_secs(20);
        let seen = tokio::time::timeout(patience, counts.wait_for(so)).await;
        let Ok(counts) = seen else {
            panic!("waited in vain; the counts stand at {:?}", self.counts());
        };
        *counts.expect("the bucket outlives its handle")
    }

    /// `http://127.0.0.1:…`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How to reach it.
    pub(crate) fn settings(&self) -> S3Settings {
        S3Settings {
            provider: Provider::Custom,
            bucket: BUCKET.to_owned(),
            endpoint: Some(self.endpoint()),
            region: Some("us-east-1".to_owned()),
            path_style: Some(true),
            access_key: Some(ACCESS_KEY.to_owned()),
            secret_key: Some(Secret(SECRET_KEY.to_owned())),
            ..S3Settings::default()
        }
    }

    /// A whole source in front of it, below a URL prefix such as `/`.
    pub(crate) fn source(&self, prefix: &str) -> SourceSettings {
        source(prefix, SourceKind::S3(self.settings()))
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.script.lock().expect("no test panics in here")
    }
}

impl Drop for TestBucket {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A source with nothing special about it.
pub(crate) fn source(prefix: &str, kind: SourceKind) -> SourceSettings {
    SourceSettings {
        name: "test".to_owned(),
        prefix: prefix.to_owned(),
        hosts: Vec::new(),
        kind,
        key_prefix: String::new(),
        cache_control: None,
        honour_cache_control: true,
        policy: None,
    }
}

impl Shared {
    /// Counts a request, and says what is to go wrong with it.
    fn arrive(&self, key: &str, method: &Method) -> Option<Fault> {
        let mut script = self.script.lock().expect("no test panics in here");
        if method == Method::GET {
            *script.hits.entry(key.to_owned()).or_default() += 1;
        }
        let next = script.next.get_mut(key).and_then(VecDeque::pop_front);
        next.or_else(|| script.always.get(key).cloned())
            .or_else(|| script.everywhere.clone())
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, s3: S3Service) {
    // Connections die with the server, so that a dropped bucket is an unreachable one.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        shared.counts.send_modify(|counts| counts.connections += 1);
        let (shared, s3) = (shared.clone(), s3.clone());
        connections.spawn(async move {
            let Ok((socket, reset)) = faults::resettable(socket) else {
                return;
            };
            let service = hyper::service::service_fn(|request| {
                answer(shared.clone(), s3.clone(), reset.clone(), request)
            });
            // A client that goes away, or a fault of ours, ends a connection with an error.
            let _ended = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    shared: Arc<Shared>,
    s3: S3Service,
    reset: faults::Reset,
    request: Request<Incoming>,
) -> io::Result<Response<ScriptedBody>> {
    let key = key_of(request.uri().path());
    let fault = shared.arrive(&key, request.method());
    let flight = Flight::start(&shared.counts);
    match fault {
        Some(fault) => {
            fault
                .answer(request, &s3, &shared.store, reset, flight)
                .await
        }
        None => Ok(faults::honest(request, &s3, flight).await),
    }
}

/// The key in a path-style URL; empty for the bucket itself.
fn key_of(path: &str) -> String {
    let path = path.strip_prefix('/').unwrap_or(path);
    let key = path.split_once('/').map_or("", |(_bucket, key)| key);
    percent_encoding::percent_decode_str(key)
        .decode_utf8_lossy()
        .into_owned()
}
