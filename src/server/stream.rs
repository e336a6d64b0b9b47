//! A socket that does not wait for ever. hyper has a deadline for a request's head and none for
//! anything else: not for a client that connects and says nothing, nor for one that asks and does
//! not read. Here are all of them, for HTTP/1 and HTTP/2 alike, below both.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use super::activity::Activity;

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// From the first byte of a request's head to its last.
    pub(super) head: Duration,
    /// Of silence, while nothing is being answered.
    pub(super) idle: Duration,
    /// Of a client that takes no byte of its answer.
    pub(super) write: Duration,
}

/// A stream with deadlines.
#[derive(Debug)]
pub(super) struct Stream<S> {
    inner: S,
    deadlines: Deadlines,
    activity: Arc<Activity>,
    /// Requests begun when `head_since` was last looked at.
    started: usize,
    /// The client has begun to send a head, and not ended.
    head_since: Option<Instant>,
    /// The client takes nothing.
    blocked_since: Option<Instant>,
    /// Wakes the task at or before the nearest deadline. It is moved as seldom as possible: where
    /// the deadline has moved on by the time it rings, it is set anew.
    alarm: Pin<Box<Sleep>>,
}

impl<S> Stream<S> {
    pub(super) fn new(inner: S, deadlines: Deadlines, activity: Arc<Activity>) -> Self {
        Self {
            inner,
            deadlines,
            activity,
            started: 0,
            head_since: None,
            blocked_since: None,
            alarm: Box::pin(tokio::time::sleep(deadlines.idle.min(deadlines.head))),
        }
    }

    /// The deadline that holds now; `None` while a request is being answered.
    fn deadline(&mut self) -> Option<Instant> {
        if let Some(since) = self.blocked_since {
            return Some(since + self.deadlines.write);
        }
        let started = self.activity.started();
        if started != self.started {
            self.started = started;
            self.head_since = None;
        }
        if self.activity.is_busy() {
            return None;
        }
        Some(match self.head_since {
            Some(since) => since + self.deadlines.head,
            None => self.activity.quiet_since() + self.deadlines.idle,
        })
    }

    /// Ready once a deadline has passed; else the task is woken when one may have.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let now = Instant::now();
            // While busy there is none, but somebody has to look again: the end of a request
            // does not wake this side of the connection.
            let at = self.deadline().unwrap_or(now + self.deadlines.idle);
            if at <= now {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            if self.alarm.is_elapsed() || self.alarm.deadline() > at {
                self.alarm.as_mut().reset(at);
            }
            ready!(self.alarm.as_mut().poll(context));
        }
    }

    /// What a write came to: progress is a sign of life, none starts the clock.
    fn wrote(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.blocked_since = None;
            self.head_since = None;
            self.activity.touch(Instant::now());
            return written;
        }
        self.blocked_since.get_or_insert_with(Instant::now);
        self.poll_deadline(context).map(Err)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.activity.is_abusive() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if read.is_pending() {
            return self.poll_deadline(context).map(Err);
        }
        if buffer.filled().len() > before && !self.activity.is_busy() {
            // Of a request that began meanwhile, `deadline` clears it.
            self.started = self.activity.started();
            self.head_since.get_or_insert_with(Instant::now);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.wrote(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.wrote(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    const DEADLINES: Deadlines = Deadlines {
        head: Duration::from_secs(10),
        idle: Duration::from_secs(15),
        write: Duration::from_secs(30),
    };

    fn connect() -> (Stream<DuplexStream>, DuplexStream, Arc<Activity>) {
        let (server, client) = duplex(16);
        let activity = Activity::new(Instant::now());
        let stream = Stream::new(server, DEADLINES, activity.clone());
        (stream, client, activity)
    }

    /// Reads until the stream gives up, and says after how many seconds.
    async fn cut_after(mut stream: Stream<DuplexStream>) -> u64 {
        let start = Instant::now();
        let mut buffer = [0; 64];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => panic!("the client hung up"),
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                    return (start.elapsed() + Duration::from_millis(500)).as_secs();
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_is_cut_at_the_idle_deadline() {
        let (stream, _client, _) = connect();
        assert_eq!(cut_after(stream).await, 15);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dripping_head_is_cut_at_the_head_deadline() {
        let (stream, mut client, _) = connect();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(2)).await;
                client.write_all(b"a").await.expect("an open pipe");
            }
        });
        // The first byte comes after two seconds.
        assert_eq!(cut_after(stream).await, 12);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_under_way_may_take_longer_than_any_deadline() {
        let (stream, mut client, activity) = connect();
        client.write_all(b"head").await.expect("an open pipe");
        let request = activity.begin();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(100)).await;
            drop(request);
            // Nobody wakes the reader here.
            std::future::pending::<()>().await;
            drop(client);
        });
        let cut = cut_after(stream).await;
        assert_eq!(cut, 115);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_cut_at_the_write_deadline() {
        let (mut stream, _client, _) = connect();
        let start = Instant::now();
        let error = stream.write_all(&[0; 17]).await.expect_err("cut");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_something_now_and_then_is_served() {
        let (mut stream, mut client, _) = connect();
        let reader = tokio::spawn(async move {
            let mut all = Vec::new();
            let mut byte = [0; 4];
            while let Ok(count @ 1..) = client.read(&mut byte).await {
                all.extend_from_slice(&byte[..count]);
                tokio::time::sleep(Duration::from_secs(29)).await;
            }
            all.len()
        });
        stream.write_all(&[7; 100]).await.expect("progress");
        drop(stream);
        assert_eq!(reader.await.expect("a reader"), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn an_abusive_client_is_cut_at_its_next_word() {
        let (mut stream, mut client, activity) = connect();
        client.write_all(b"more").await.expect("an open pipe");
        while !activity.is_abusive() {
            drop(activity.begin());
        }
        let error = stream.read(&mut [0; 4]).await.expect_err("cut");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    }
}
