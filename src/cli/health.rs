//! `health`: one request to the admin port of a running server. Small enough for a container's
//! check every few seconds: no runtime, no configuration beyond the address.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use clap::Args;

use super::{Failure, Outcome, Settings};

/// A healthy server answers in a millisecond; orchestrators wait for seconds.
const WAIT: Duration = Duration::from_secs(2);
/// More than any status line.
const LONGEST_HEAD: u64 = 512;

#[derive(Args, Debug)]
pub(super) struct HealthArgs {
    #[command(flatten)]
    settings: Settings,
    /// The server's admin address, in place of the configuration's.
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<SocketAddr>,
}

pub(super) fn run(args: &HealthArgs) -> Outcome {
    let address = match args.admin_listen {
        Some(address) => address,
        // A container's check knows 0 and 1 only.
        None => {
            configured(&args.settings).map_err(|failure| Failure::Failed(failure.to_string()))?
        }
    };
    let address = super::reachable(address);
    match ask(address) {
        Ok(200) => super::print(&format!("{address} is well\n")),
        Ok(status) => Err(Failure::Failed(format!("{address} answered {status}"))),
        Err(error) => Err(Failure::Failed(format!("{address}: {error}"))),
    }
}

fn configured(settings: &Settings) -> Result<SocketAddr, Failure> {
    let loaded = settings.load(Vec::new())?;
    loaded.config.server.admin_listen.ok_or_else(|| {
        Failure::Failed("`server.admin_listen` is `none`: there is nobody to ask".to_owned())
    })
}

/// The status of `/health`.
fn ask(address: SocketAddr) -> io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&address, WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    let request = format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut head = Vec::new();
    stream.take(LONGEST_HEAD).read_to_end(&mut head)?;
    status(&head).ok_or_else(|| io::Error::other("it did not answer in HTTP"))
}

/// The status of an HTTP/1.1 answer.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_in_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\nx: y\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.1 503 \r\n"), Some(503));
        assert_eq!(status(b"SSH-2.0-OpenSSH_9.2\r\n"), None);
        assert_eq!(status(b"HTTP/1.1 2"), None);
        assert_eq!(status(b""), None);
    }

    #[test]
    fn every_interface_is_asked_on_the_loopback() {
        let check = |from: &str, to: &str| {
            assert_eq!(
                super::super::reachable(from.parse().unwrap()),
                to.parse().unwrap()
            );
        };
        check("0.0.0.0:9090", "127.0.0.1:9090");
        check("[::]:9090", "[::1]:9090");
        check("10.0.0.1:9090", "10.0.0.1:9090");
    }
}
