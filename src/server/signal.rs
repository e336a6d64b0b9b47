//! Being told to stop, by the system.

use std::{
    io,
    time::{Duration, Instant},
};

/// Status of a process that was told twice and did not wait: as shells report SIGINT.
const HURRIED: i32 = 130;

/// Supervisors such as `timeout` send the same signal to the process and to its group; that is one
/// wish, not impatience.
const ONE_WISH: Duration = Duration::from_secs(1);

/// Resolves when the process is told to stop (SIGTERM or SIGINT; Ctrl-C elsewhere). A second
/// after, one more ends the process at once, whatever is under way.
///
/// # Errors
/// Where the handlers cannot be installed. Within a tokio runtime.
pub fn terminated() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut signals = Signals::new()?;
    Ok(async move {
        signals.next().await;
        let first = Instant::now();
        tokio::spawn(async move {
            while first.elapsed() < ONE_WISH {
                signals.next().await;
            }
            std::process::exit(HURRIED);
        });
    })
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "the other systems' way can fail")]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
