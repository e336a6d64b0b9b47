//! `serve`: a server with the configuration's sources.

use std::{io, net::SocketAddr};

use clap::Args;

use super::{Failure, Outcome, Settings};
use crate::{
    config::{Config, Override},
    server::{self, Listeners},
    telemetry,
};

const EXAMPLES: &str = "\
Examples:
  aquatint serve --config aquatint.toml
  aquatint serve --set source.root=/srv/pictures --listen 0.0.0.0:8080
  AQUATINT_SOURCE_PROVIDER=r2 AQUATINT_SOURCE_BUCKET=photos … aquatint serve";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    listen: Listen,
}

/// The flags for addresses.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Listen {
    /// Where pictures are served, such as `0.0.0.0:8080`.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Where health, readiness and metrics are served; `none` for nowhere.
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
}

impl Listen {
    /// As settings of the command line.
    pub(super) fn overrides(&self) -> Vec<Override> {
        let flag = |name: &str, flag, value: &Option<String>| {
            value.as_ref().map(|value| Override {
                name: name.to_owned(),
                value: value.clone(),
                flag,
            })
        };
        let listen = flag("server.listen", "--listen", &self.listen);
        let admin = flag("server.admin_listen", "--admin-listen", &self.admin_listen);
        listen.into_iter().chain(admin).collect()
    }
}

pub(super) fn run(args: &ServeArgs) -> Outcome {
    let loaded = args.settings.load_with_sources(args.listen.overrides())?;
    let runtime = runtime()?;
    // Both addresses are taken before anything else is started.
    let listeners = runtime.block_on(async { bind(&loaded.config.server) })?;
    let _logs = telemetry::install(&loaded.config.log)
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let memory = loaded.memory;
    tracing::info!(
        total = memory.total,
        cache = memory.cache,
        sources = memory.sources,
        pixels = memory.pixels,
        "memory, in bytes"
    );
    runtime.block_on(serve(loaded.config, listeners))
}

/// The threads that do I/O.
pub(super) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("io")
        .build()
}

/// Serves until somebody asks for an end.
pub(super) async fn serve(config: Config, listeners: Listeners) -> Outcome {
    let stop = server::terminated()?;
    server::run(config, listeners, stop)
        .await
        .map_err(|error| Failure::Failed(error.to_string()))
}

/// Opens both sockets, or says what to do about it.
pub(super) fn bind(settings: &server::Settings) -> Result<Listeners, Failure> {
    server::bind(settings).map_err(|error| match error {
        server::Error::Listen { address, cause } => {
            Failure::Failed(taken(address, &cause, settings))
        }
        error => Failure::Failed(error.to_string()),
    })
}

fn taken(address: SocketAddr, cause: &io::Error, settings: &server::Settings) -> String {
    let why = match cause.kind() {
        io::ErrorKind::AddrInUse => "something else listens there".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        io::ErrorKind::PermissionDenied => "that port is for privileged users".to_owned(),
        _ => cause.to_string(),
    };
    let flag = if address == settings.listen {
        "--listen"
    } else {
        "--admin-listen"
    };
    let other = SocketAddr::new(address.ip(), address.port().saturating_add(1010));
    format!("cannot listen on {address}: {why}. Choose another address, such as `{flag} {other}`")
}
