//! What `check` says of settings that do not work.

use aquatint::origin::{FetchLimits, Part, S3Settings, Secret, SourceKind};

use super::open;
use crate::support::bucket::{self, Fault, TestBucket};

async fn part(settings: S3Settings) -> Option<(Part, String)> {
    let source = bucket::source("/", SourceKind::S3(settings));
    let origin = open(source, FetchLimits::default());
    let diagnosis = origin.check().await.err()?;
    let says = diagnosis.to_string();
    assert!(
        !says.contains("CANARY") && !says.contains("Signature="),
        "{says}"
    );
    Some((diagnosis.part, says))
}

#[track_caller]
fn check(found: Option<(Part, String)>, part: Part, says: &str) {
    let (found, text) = found.expect("settings that do not work");
    assert_eq!(found, part, "{text}");
    assert!(text.contains(says), "{text:?} does not say {says:?}");
}

#[tokio::test]
async fn a_wrong_key_is_not_a_wrong_secret() {
    let bucket = TestBucket::start().await;
    let unknown = S3Settings {
        access_key: Some("AKNOBODY".to_owned()),
        ..bucket.settings()
    };
    check(
        part(unknown).await,
        Part::Credentials,
        "does not know this `access_key`",
    );
    let wrong = S3Settings {
        secret_key: Some(Secret("CANARY".to_owned())),
        ..bucket.settings()
    };
    check(
        part(wrong).await,
        Part::Credentials,
        "`secret_key` does not belong to it",
    );
}

#[tokio::test]
async fn an_absent_bucket_is_named() {
    let store = TestBucket::start().await;
    let other = S3Settings {
        bucket: "other".to_owned(),
        ..store.settings()
    };
    check(
        part(other.clone()).await,
        Part::Bucket,
        "There is no bucket \"other\"",
    );
    let origin = open(
        bucket::source("/", SourceKind::S3(other)),
        FetchLimits::default(),
    );
    assert_eq!(
        origin.probe().await.err().map(|found| found.part),
        Some(Part::Bucket)
    );
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_named() {
    let bucket = TestBucket::start().await;
    let secure = S3Settings {
        endpoint: Some(bucket.endpoint().replace("http:", "https:")),
        ..bucket.settings()
    };
    check(
        part(secure).await,
        Part::Endpoint,
        "begin `endpoint` with http://",
    );
    let gone = bucket.settings();
    drop(bucket);
    check(part(gone).await, Part::Endpoint, "that the store runs");
}

#[tokio::test]
async fn another_region_is_named() {
    let bucket = TestBucket::start().await;
    bucket.fail_always("", Fault::Header("x-amz-bucket-region", "eu-north-1"));
    assert_eq!(part(bucket.settings()).await, None);
    bucket.fail_always("", Fault::Status(301, "PermanentRedirect"));
    check(part(bucket.settings()).await, Part::Region, "Set `region`");
}

#[tokio::test]
async fn a_wrong_clock_is_named() {
    let bucket = TestBucket::start().await;
    bucket.fail_always("", Fault::Skewed(3600));
    check(part(bucket.settings()).await, Part::Clock, "seconds behind");
    bucket.fail_always("", Fault::Skewed(-3600));
    check(part(bucket.settings()).await, Part::Clock, "seconds ahead");
}

#[tokio::test]
async fn keys_that_may_only_read_are_good_enough() {
    let bucket = TestBucket::start().await;
    bucket.fail_always("", Fault::Status(403, "AccessDenied"));
    assert_eq!(part(bucket.settings()).await, None);
    // S3 calls even an absent object forbidden then.
    bucket.fail_everywhere(Some(Fault::Status(403, "AccessDenied")));
    assert_eq!(part(bucket.settings()).await, None);
    bucket.fail_always("", Fault::Status(404, "NoSuchKey"));
    assert_eq!(part(bucket.settings()).await, None);
}

#[tokio::test]
async fn keys_that_may_only_list_are_not() {
    let bucket = TestBucket::start().await;
    bucket.fail_always(".aquatint-probe/absent", Fault::Status(403, "AccessDenied"));
    check(
        part(bucket.settings()).await,
        Part::Permission,
        "Allow this access key to read",
    );
}

#[tokio::test]
async fn a_web_page_is_no_bucket() {
    let bucket = TestBucket::start().await;
    bucket.fail_always("", Fault::Status(200, "Welcome"));
    check(
        part(bucket.settings()).await,
        Part::Endpoint,
        "not to a web page",
    );
    bucket.fail_always("", Fault::Status(500, "InternalError"));
    check(part(bucket.settings()).await, Part::Store, "unwell");
}
