//! What a store can do to a fetch, and what becomes of it.

use std::{net::TcpStream, sync::Arc, time::Duration};

use aquatint::{
    origin::{Error, FetchLimits, Fetched, Origin, S3Settings, SourceKind},
    work::budget::Budget,
};

use super::{CAP, assert_is, bytes, fetch, key, limits, open, open_with};
use crate::support::bucket::{self, Fault, Object, TestBucket};

const NAME: &str = "a.jpg";

async fn bucket() -> TestBucket {
    let bucket = TestBucket::start().await;
    bucket.put(NAME, bytes(50_000));
    bucket
}

/// Short deadlines, though long enough for a busy machine, and one try.
fn hasty() -> FetchLimits {
    FetchLimits {
        first_byte: Duration::from_millis(500),
        total: Duration::from_secs(2),
        tries: 1,
        ..limits()
    }
}

#[track_caller]
fn assert_timed_out<T: std::fmt::Debug>(result: &Result<T, Error>, named: &str) {
    assert_is(result, "TimedOut");
    let shown = format!("{result:?}");
    assert!(shown.contains(named), "{shown} does not say {named:?}");
}

/// One fault, then health: the fetch does not notice.
async fn recovers_from(fault: Fault) {
    let bucket = bucket().await;
    let origin = open(bucket.source("/"), limits());
    bucket.fail_next(NAME, fault.clone());
    let source = fetch(&origin, NAME).await;
    let source = source.unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
    assert!(source.bytes == bytes(50_000), "{fault:?} changed the bytes");
    assert_eq!(bucket.hits(NAME), 2, "{fault:?}");
}

/// A fault that stays: so many tries, and this error.
async fn fails_with(fault: Fault, kind: &str, tries: usize) {
    let bucket = bucket().await;
    let origin = open(bucket.source("/"), limits());
    bucket.fail_always(NAME, fault.clone());
    assert_is(&fetch(&origin, NAME).await, kind);
    assert_eq!(bucket.hits(NAME), tries, "{fault:?}");
}

#[tokio::test]
async fn a_passing_fault_is_overcome() {
    for fault in [
        Fault::Truncate(0),
        Fault::Truncate(20_000),
        Fault::Truncate(49_999),
        Fault::Reset(20_000),
        Fault::HangUp,
        Fault::Status(503, "SlowDown"),
        Fault::Status(500, "InternalError"),
        Fault::Status(429, "TooManyRequests"),
        Fault::Status(408, "RequestTimeout"),
    ] {
        recovers_from(fault).await;
    }
}

#[tokio::test]
async fn a_lasting_fault_is_told_apart() {
    fails_with(Fault::Truncate(20_000), "Failed", 3).await;
    fails_with(Fault::Reset(20_000), "Failed", 3).await;
    fails_with(Fault::HangUp, "Failed", 3).await;
    fails_with(Fault::Status(500, "InternalError"), "Failed", 3).await;
    fails_with(Fault::Status(503, "SlowDown"), "Busy", 3).await;
}

#[tokio::test]
async fn what_cannot_change_is_asked_for_once() {
    fails_with(Fault::Status(404, "NoSuchKey"), "NotFound", 1).await;
    fails_with(Fault::Status(403, "AccessDenied"), "NotFound", 1).await;
    fails_with(Fault::Status(400, "InvalidArgument"), "Failed", 1).await;
    fails_with(Fault::Status(206, "Odd"), "Failed", 1).await;
    fails_with(Fault::Status(304, "Unasked"), "Failed", 1).await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let bucket = bucket().await;
    let origin = open(bucket.source("/"), limits());
    bucket.fail_always(NAME, Fault::Status(307, "TemporaryRedirect"));
    let failed = fetch(&origin, NAME).await;
    assert_is(&failed, "Failed");
    assert!(format!("{failed:?}").contains("region"), "{failed:?}");
    assert_eq!(bucket.counts().requests, 1);
}

#[tokio::test]
async fn the_head_has_a_deadline() {
    let bucket = bucket().await;
    let origin = open(bucket.source("/"), hasty());
    bucket.fail_always(NAME, Fault::StallHead);
    assert_timed_out(&fetch(&origin, NAME).await, "first byte");
    bucket.until(|counts| counts.in_flight == 0).await;
}

#[tokio::test]
async fn a_pause_in_the_body_has_a_deadline() {
    let bucket = bucket().await;
    let origin = open(bucket.source("/"), hasty());
    bucket.fail_always(NAME, Fault::StallBody(20_000));
    assert_timed_out(&fetch(&origin, NAME).await, "more of the body");
    bucket.until(|counts| counts.in_flight == 0).await;
}

#[tokio::test]
async fn the_whole_has_a_deadline() {
    let bucket = bucket().await;
    let origin = open(bucket.source("/"), hasty());
    bucket.fail_always(NAME, Fault::Slow(1000, Duration::from_millis(50)));
    assert_timed_out(&fetch(&origin, NAME).await, "the whole 2s");
    bucket.until(|counts| counts.in_flight == 0).await;
}

#[tokio::test]
async fn a_stall_is_worth_another_try() {
    let bucket = bucket().await;
    let limits = FetchLimits {
        first_byte: Duration::from_millis(500),
        ..limits()
    };
    let origin = open(bucket.source("/"), limits);
    bucket.fail_next(NAME, Fault::StallHead);
    bucket.fail_next(NAME, Fault::StallBody(10));
    fetch(&origin, NAME).await.expect("an object");
    assert_eq!(bucket.hits(NAME), 3);
}

#[tokio::test]
async fn the_connection_has_a_deadline() {
    use socket2::{Domain, Socket, Type};
    // A listener that never accepts, its queue full: the kernel drops what comes after.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().expect("an address");
    listener.bind(&any.into()).expect("a port");
    listener.listen(0).expect("a queue of none");
    let address = listener.local_addr().expect("an address").as_socket();
    let address = address.expect("an IP address");
    let wait = Duration::from_millis(100);
    let mut queue = Vec::new();
    while let Ok(connection) = TcpStream::connect_timeout(&address, wait) {
        queue.push(connection);
        assert!(queue.len() < 64, "the queue is never full");
    }
    let settings = S3Settings {
        endpoint: Some(format!("http://{address}")),
        ..TestBucket::start().await.settings()
    };
    let limits = FetchLimits {
        connect: wait,
        tries: 1,
        ..limits()
    };
    let origin = open(bucket::source("/", SourceKind::S3(settings)), limits);
    assert_timed_out(&fetch(&origin, NAME).await, "no connection within 100ms");
}

#[tokio::test]
async fn the_cap_holds_without_a_length() {
    let bucket = bucket().await;
    let cap = usize::try_from(CAP).expect("small");
    bucket.put("at", bytes(cap));
    bucket.put("past", bytes(cap + 1));
    bucket.fail_everywhere(Some(Fault::NoLength));
    let origin = open(bucket.source("/"), limits());
    let at = fetch(&origin, "at").await.expect("at the cap");
    assert_eq!(at.bytes.len(), cap);
    assert_is(&fetch(&origin, "past").await, "TooLarge");
    assert_eq!(bucket.hits("past"), 1);
}

#[tokio::test]
async fn a_promise_past_the_cap_is_not_waited_for() {
    let bucket = bucket().await;
    bucket.put("huge", bytes(3_000_000));
    bucket.fail_always("huge", Fault::StallBody(0));
    let origin = open(bucket.source("/"), hasty());
    assert_is(&fetch(&origin, "huge").await, "TooLarge");
}

#[tokio::test]
async fn dropping_the_fetch_ends_the_transfer() {
    let bucket = bucket().await;
    let origin = open(bucket.source("/"), limits());
    bucket.fail_always(NAME, Fault::StallBody(20_000));
    let fetching = tokio::spawn(async move { fetch(&origin, NAME).await.map(drop) });
    bucket.until(|counts| counts.in_flight == 1).await;
    fetching.abort();
    let counts = bucket.until(|counts| counts.in_flight == 0).await;
    assert_eq!((counts.requests, counts.cut_off), (1, 1));
}

#[tokio::test]
async fn sources_share_one_budget_until_they_are_dropped() {
    let bucket = TestBucket::start().await;
    bucket.put(NAME, bytes(8 << 20));
    let limits = FetchLimits {
        bytes: 8 << 20,
        ..limits()
    };
    let origin = open_with(bucket.source("/"), limits, Budget::new(12 << 20));
    let first = fetch(&origin, NAME).await.expect("there is room for one");
    assert_is(&fetch(&origin, NAME).await, "Overloaded");
    drop(first);
    fetch(&origin, NAME).await.expect("there is room again");
}

#[tokio::test]
async fn so_many_fetches_at_once_and_no_more() {
    let bucket = bucket().await;
    let limits = FetchLimits {
        concurrency: 3,
        ..limits()
    };
    bucket.fail_everywhere(Some(Fault::Late(Duration::from_millis(20))));
    let origin = open(bucket.source("/"), limits);
    let fetches = (0..12).map(|_| fetch(&origin, NAME));
    for fetched in futures_util::future::join_all(fetches).await {
        fetched.expect("an object");
    }
    assert_eq!(bucket.counts().most_in_flight, 3);
}

#[tokio::test]
async fn a_sick_store_is_hardly_asked_more_than_a_healthy_one() {
    let bucket = bucket().await;
    bucket.fail_everywhere(Some(Fault::Status(500, "InternalError")));
    let origin = open(bucket.source("/"), limits());
    for _ in 0..10 {
        let fetches = (0..20).map(|_| fetch(&origin, NAME));
        for failed in futures_util::future::join_all(fetches).await {
            assert_is(&failed, "Failed");
        }
    }
    // 200 fetches, a tenth more, and the twenty that were saved up.
    let requests = bucket.counts().requests;
    assert!((200..=240).contains(&requests), "{requests}");
}

#[tokio::test]
async fn conditions_are_left_to_the_store() {
    let bucket = bucket().await;
    let origin = open(bucket.source("/"), limits());
    let version = fetch(&origin, NAME).await.expect("an object").meta.version;
    // If a body came, it would stall.
    bucket.fail_always(NAME, Fault::StallBody(0));
    let known = origin.fetch(&key(NAME), Some(&version)).await;
    assert!(matches!(known, Ok(Fetched::NotModified)), "{known:?}");
}

#[tokio::test]
async fn an_objects_own_headers_are_told() {
    let bucket = bucket().await;
    let object = Object {
        cache_control: Some("public, max-age=60".to_owned()),
        // The label is not believed: bytes are judged as they are.
        content_encoding: Some("gzip".to_owned()),
        ..Object::new("as they are")
    };
    let etag = format!("\"{}\"", object.etag);
    bucket.put_object(NAME, object);
    let origin = open(bucket.source("/"), limits());
    let source = fetch(&origin, NAME).await.expect("an object");
    assert_eq!(source.bytes, b"as they are"[..]);
    assert_eq!(source.meta.version.0, etag);
    assert_eq!(
        source.meta.cache_control.as_deref(),
        Some("public, max-age=60")
    );
    bucket.remove(NAME);
    assert_is(&fetch(&origin, NAME).await, "NotFound");
}

#[tokio::test]
async fn the_stores_clock_is_followed() {
    for seconds in [3600, -7200] {
        let bucket = bucket().await;
        bucket.fail_everywhere(Some(Fault::Skewed(seconds)));
        let origin = open(bucket.source("/"), limits());
        fetch(&origin, NAME).await.expect("signed again");
        assert_eq!(bucket.hits(NAME), 2);
        fetch(&origin, NAME).await.expect("signed right");
        assert_eq!(bucket.hits(NAME), 3);
    }
}

#[tokio::test]
async fn a_store_that_never_likes_the_date_is_given_up() {
    let bucket = bucket().await;
    bucket.fail_everywhere(Some(Fault::Status(403, "RequestTimeTooSkewed")));
    let origin: Arc<Origin> = open(bucket.source("/"), limits());
    assert_is(&fetch(&origin, NAME).await, "Failed");
    assert_eq!(bucket.hits(NAME), 2);
}

#[tokio::test]
async fn all_who_were_wrongly_dated_sign_again() {
    let bucket = bucket().await;
    bucket.fail_everywhere(Some(Fault::Skewed(3600)));
    let origin = open(bucket.source("/"), limits());
    let fetches = (0..8).map(|_| fetch(&origin, NAME));
    for fetched in futures_util::future::join_all(fetches).await {
        fetched.expect("signed again");
    }
}
