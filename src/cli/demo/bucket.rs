//! A folder as an S3-compatible bucket on the loopback, which checks every signature.

use std::{
    hash::{BuildHasher as _, RandomState},
    io, iter,
    net::Ipv4Addr,
    path::Path,
    time::Duration,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use tokio::{net::TcpListener, task::AbortHandle};

/// When the system has no more sockets, asking again at once does not help.
const PAUSE: Duration = Duration::from_millis(50);

/// A running bucket server; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Its URL.
    pub(super) endpoint: String,
    /// Made up for this run.
    pub(super) access_key: String,
    /// Made up for this run.
    pub(super) secret_key: String,
    server: AbortHandle,
}

impl Bucket {
    /// Serves the folders below `root`, each as a bucket.
    pub(super) async fn serve(root: &Path) -> io::Result<Self> {
        let files = s3s_fs::FileSystem::new(root)
            .map_err(|error| io::Error::other(format!("{error:?}")))?;
        let (access_key, secret_key) = (random(20), random(40));
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(
            access_key.clone(),
            secret_key.clone(),
        ));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let server = tokio::spawn(accept(listener, service.build())).abort_handle();
        Ok(Self {
            endpoint,
            access_key,
            secret_key,
            server,
        })
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, service: S3Service) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // A head and a body in two writes must not wait for each other; without, it is only slow.
        let _slower = stream.set_nodelay(true);
        let service = service.clone();
        tokio::spawn(async move {
            let connection = Builder::new(TokioExecutor::new());
            // How a connection of our own client ends is that client's to report.
            let _ended = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Random hexadecimal digits, from the keys that the system gives every hash map.
pub(super) fn random(digits: usize) -> String {
    let number = || format!("{:016x}", RandomState::new().hash_one(digits));
    let mut text: String = iter::repeat_with(number)
        .take(digits.div_ceil(16))
        .collect();
    text.truncate(digits);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_text_is_as_long_as_asked_and_never_the_same() {
        assert_eq!(random(20).len(), 20);
        assert_eq!(random(40).len(), 40);
        assert_ne!(random(20), random(20));
    }
}
