//! What an operator may set of sockets. Apart, because the configuration knows it, and the server
//! the configuration.

use std::{net::SocketAddr, time::Duration};

/// Sockets and their bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The public listener.
    pub listen: SocketAddr,
    /// The operator's listener; `None`: there is none.
    pub admin_listen: Option<SocketAddr>,
    /// Connections at once; one more is refused.
    pub max_connections: usize,
    /// Until a request's head is complete.
    pub header_timeout: Duration,
    /// A silent connection is closed after this.
    pub idle_timeout: Duration,
    /// A client that takes no byte for this long is cut off.
    pub write_timeout: Duration,
    /// Between "not ready" and closing the listener, for load balancers to notice.
    pub drain_delay: Duration,
    /// For requests under way, once told to stop.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: Some(SocketAddr::from(([127, 0, 0, 1], 9090))),
            max_connections: 2048,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(30),
            drain_delay: Duration::ZERO,
            grace: Duration::from_secs(20),
        }
    }
}
