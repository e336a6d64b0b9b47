//! Config → listeners, wiring, shutdown. The one place that knows all rooms.

mod accept;
mod activity;
mod connection;
mod descriptors;
pub mod settings;
mod signal;
mod stream;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use tokio::net::{TcpListener, TcpSocket};

pub use self::{settings::Settings, signal::terminated};
use crate::{
    admin::{self, Admin},
    config::Config,
    http::{self, App},
    origin::{SetupError, Sources},
    proxy::Proxy,
    recipe::policy::Policy,
    telemetry,
    work::budget::Budget,
};

/// Connections that the kernel holds for us until we accept them; it holds no more than its own
/// `somaxconn` (4096 on Linux).
const BACKLOG: u32 = 4096;

/// How long worker threads may take to notice that they are told to stop. They look about once a
/// row of pixels.
const THREADS_END: Duration = Duration::from_secs(2);

/// Operators are few.
const MAX_ADMIN_CONNECTIONS: usize = 64;

/// Open sockets, not yet accepting.
#[derive(Debug)]
pub struct Listeners {
    /// For everybody.
    pub public: TcpListener,
    /// For the operator.
    pub admin: Option<TcpListener>,
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A socket could not be opened.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// Sources that cannot work.
    #[error(transparent)]
    Sources(#[from] SetupError),
    /// A setting of the responses.
    #[error(transparent)]
    Http(#[from] http::SettingsError),
    /// The worker threads could not be started.
    #[error("cannot start the worker threads: {0}")]
    Threads(#[source] io::Error),
}

/// Opens the sockets. Within a tokio runtime.
///
/// # Errors
/// [`Error::Listen`].
pub fn bind(settings: &Settings) -> Result<Listeners, Error> {
    Ok(Listeners {
        public: listen(settings.listen)?,
        admin: settings.admin_listen.map(listen).transpose()?,
    })
}

fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    let open = || {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // A restart must not wait for the old connections' ghosts.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|cause| Error::Listen { address, cause })
}

/// Runs until `shutdown`, then drains: not ready any more, `drain_delay` later no new connections,
/// and the requests under way get `grace` to finish.
///
/// # Errors
/// Where the parts do not fit together; nothing is served then.
pub async fn run(
    config: Config,
    listeners: Listeners,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let settings = config.server.clone();
    descriptors::make_room(settings.max_connections);
    announce(&config, &listeners);
    let wired = wire(config)?;
    let (admin, drain_delay) = (wired.admin.clone(), settings.drain_delay);
    let stop = async move {
        shutdown.await;
        admin.drain();
        tracing::info!("shutting down");
        tokio::time::sleep(drain_delay).await;
    };
    let public = accept::Door::new(listeners.public, wired.public, &settings, wired.counters);
    // The operator's side stays open while the other drains, and ends with it.
    let operators = operators(listeners.admin, wired.admin, &settings);
    tokio::select! {
        () = public.serve(stop) => {}
        () = operators => {}
    }
    end_threads(wired.proxy).await;
    Ok(())
}

/// Whatever still runs, nobody waits for. It has been asked to stop; a codec that does not listen
/// is left behind, and ends with the process.
async fn end_threads(proxy: Proxy) {
    let ended = tokio::task::spawn_blocking(move || proxy.shutdown(THREADS_END));
    if !ended.await.unwrap_or(false) {
        tracing::warn!("some worker threads did not end");
    }
}

/// Says where the doors are, and whether one of them stands open to everybody.
fn announce(config: &Config, listeners: &Listeners) {
    let public = listeners.public.local_addr().ok();
    let admin = listeners.admin.as_ref().map(TcpListener::local_addr);
    tracing::info!(
        public = public.map(tracing::field::display),
        admin = admin.and_then(Result::ok).map(tracing::field::display),
        "listening"
    );
    if public.is_some_and(|address| address.ip().is_loopback()) {
        return;
    }
    for source in &config.sources {
        let policy = source.policy.as_ref().unwrap_or(&config.policy);
        if Policy::new(policy.clone()).is_open() {
            tracing::warn!(
                source = source.name,
                "anybody who reaches this port may ask for any size of any picture here: no \
                 signature keys, no presets and no width ladder are set"
            );
        }
    }
}

async fn operators(listener: Option<TcpListener>, admin: Admin, settings: &Settings) {
    if let Some(listener) = listener {
        let settings = Settings {
            max_connections: MAX_ADMIN_CONNECTIONS,
            ..settings.clone()
        };
        let router = admin::router(admin);
        let door = accept::Door::new(listener, router, &settings, Counters::default());
        door.serve(std::future::pending()).await;
    }
    std::future::pending::<()>().await;
}

/// Serves any router on our connection stack, with its deadlines and its cap, until `shutdown`;
/// then the requests under way get `grace` to finish. For those who mount [`http::router`] in a
/// router of their own.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &Settings,
    shutdown: impl Future<Output = ()>,
) {
    let door = accept::Door::new(listener, router, settings, Counters::default());
    door.serve(shutdown).await;
}

/// The public router, and what stands beside it.
struct Wired {
    public: Router,
    admin: Admin,
    proxy: Proxy,
    counters: Counters,
}

/// The public side alone, for [`http::router`] in a server of your own: sockets, the operator's
/// port and the log are then yours. Its threads end with the process.
///
/// # Errors
/// As [`run`].
pub fn app(config: Config) -> Result<App, Error> {
    parts(config).map(|parts| parts.app)
}

/// What answers, before anybody listens.
struct Parts {
    app: App,
    proxy: Proxy,
    sources: Budget,
}

/// Makes every part, and hands each what it needs.
fn parts(config: Config) -> Result<Parts, Error> {
    let budget = Budget::new(config.work.source_bytes);
    let sources = Sources::new(config.sources, &config.fetch, budget.clone())?;
    let sources = Arc::new(sources);
    let proxy = Proxy::new(
        sources.clone(),
        config.limits,
        config.output,
        &config.work,
        &config.cache,
    )
    .map_err(Error::Threads)?;
    let policy = Policy::new(config.policy);
    Ok(Parts {
        app: App::new(proxy.clone(), sources, &policy, config.http)?,
        proxy,
        sources: budget,
    })
}

/// The parts, and the numbers that all of them show.
fn wire(config: Config) -> Result<Wired, Error> {
    let Parts {
        app,
        proxy,
        sources,
    } = parts(config)?;
    let counters = Counters::default();
    let mut registry = Registry::default();
    let ours = registry.sub_registry_with_prefix(env!("CARGO_PKG_NAME"));
    app.register(ours);
    counters.register(ours);
    telemetry::register(ours);
    proxy.register(ours);
    sources.register(ours, "sources");
    Ok(Wired {
        public: http::router(app),
        admin: Admin::new(registry, proxy.clone()),
        proxy,
        counters,
    })
}

/// What the door counts; clones count into the same.
#[derive(Clone, Debug, Default)]
struct Counters {
    open: Gauge,
    accepted: Counter,
    refused: Counter,
}

impl Counters {
    fn register(&self, registry: &mut Registry) {
        registry.register("connections", "Open connections", self.open.clone());
        registry.register(
            "connections_accepted",
            "Connections let in",
            self.accepted.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections turned away at the cap",
            self.refused.clone(),
        );
    }

    /// One more connection, until the answer is dropped.
    fn opened(&self) -> Open {
        self.accepted.inc();
        self.open.inc();
        Open(self.open.clone())
    }
}

/// A connection, counted.
#[derive(Debug)]
struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
