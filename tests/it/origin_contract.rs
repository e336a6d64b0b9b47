//! What every origin keeps to, held against a folder, the embedded bucket, the tests' own bucket
//! and, where the environment names one, a real S3 server.

mod diagnosis;
mod faults;
mod folder;

use std::{path::Path, sync::Arc, time::Duration};

use aquatint::{
    origin::{
        Error, FetchLimits, Fetched, ObjectKey, Origin, Part, Provider, S3Settings, Secret, Source,
        SourceKind, SourceSettings, Sources, Version,
    },
    work::budget::Budget,
};
use s3::{Bucket, BucketConfiguration, Region, creds::Credentials};
use tempfile::TempDir;

use crate::support::bucket::{self, TestBucket};

/// Keys that are legal and awkward: the spellings of the shared corpus, and some more.
const ODD_KEYS: &[&str] = &[
    "a b c.jpg",
    "plus+plus.jpg",
    "100%.jpg",
    "%2e%2e%2fx.jpg",
    "hash#frag.jpg",
    "q?uery=1.jpg",
    "amp&w=9999.jpg",
    "semi;colon,comma.jpg",
    "ünïcödé-NFC.jpg",
    "u\u{308}ni\u{308}code-NFD.jpg",
    ".hidden.jpg",
    "a..b.jpg",
    "trailing.",
    "..;/x.jpg",
    ".../x.jpg",
    "UPPER/lower.JPG",
    "back\\slash.jpg",
    "quo'te\"s(1)*!~$@:[]{}|^`<>=.jpg",
    "日本語/写真.jpg",
    "rtl-\u{5e9}\u{5dc}\u{5d5}\u{5dd}.jpg",
    "emoji-🐈‍⬛.jpg",
    " leading and trailing ",
];

/// Bytes of a source that the cap is tested with.
const CAP: u64 = 100_000;

/// Somewhere to put objects, and to fetch them from.
struct Place {
    source: SourceSettings,
    put: Put,
    /// `s3s-fs` answers 500 for a folder's name and for keys that make no file name (its metadata
    /// files are named by the whole key, in base64).
    is_s3s_fs: bool,
}

enum Put {
    File(TempDir),
    S3(Box<Bucket>),
}

impl Place {
    async fn put(&self, key: &str, bytes: &[u8]) {
        match &self.put {
            Put::File(root) => {
                let path = root.path().join(key);
                std::fs::create_dir_all(path.parent().expect("inside the root")).expect("a folder");
                std::fs::write(path, bytes).expect("a file");
            }
            Put::S3(bucket) => {
                let answer = bucket.put_object(key, bytes).await.expect("an upload");
                assert_eq!(answer.status_code(), 200, "{key:?}: {answer}");
            }
        }
    }
}

/// Limits that no good fetch comes near, and that bad ones reach soon.
fn limits() -> FetchLimits {
    FetchLimits {
        bytes: CAP,
        ..FetchLimits::default()
    }
}

/// Opens a source with room for everything.
fn open(source: SourceSettings, limits: FetchLimits) -> Arc<Origin> {
    open_with(source, limits, Budget::new(64 << 20))
}

fn open_with(source: SourceSettings, limits: FetchLimits, budget: Budget) -> Arc<Origin> {
    let sources = Sources::new(vec![source], &limits, budget);
    sources.expect("settings that work").origins[0].clone()
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).expect("a key")
}

async fn fetch(origin: &Origin, name: &str) -> Result<Source, Error> {
    match origin.fetch(&key(name), None).await? {
        Fetched::Full(source) => Ok(source),
        Fetched::NotModified => panic!("nothing was known"),
    }
}

#[track_caller]
fn assert_is<T: std::fmt::Debug>(result: &Result<T, Error>, kind: &str) {
    let shown = format!("{result:?}");
    assert!(
        shown.starts_with(&format!("Err({kind}")),
        "not {kind}: {shown}"
    );
    for secret in ["CANARY", "Signature=", "X-Amz-Signature", "127.0.0.1"] {
        assert!(!shown.contains(secret), "the error tells {secret}: {shown}");
    }
}

/// Bytes that differ from place to place.
fn bytes(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| u8::try_from(index % 251).expect("below 251"))
        .collect()
}

async fn keeps_the_contract(place: &Place) {
    let origin = open(place.source.clone(), limits());
    gives_the_whole_object(place, &origin).await;
    has_no_absent_object(place, &origin).await;
    knows_when_nothing_changed(place, &origin).await;
    stops_at_the_cap(place, &origin).await;
    reaches_odd_keys(place, &origin).await;
    stays_below_its_prefix(place).await;
    gives_up_when_dropped(place, &origin).await;
    origin.check().await.expect("a source that works");
    origin.probe().await.expect("a source that is ready");
}

async fn gives_the_whole_object(place: &Place, origin: &Origin) {
    for length in [0, 1, 70_000] {
        let sent = bytes(length);
        place.put("contract/whole.bin", &sent).await;
        let source = fetch(origin, "contract/whole.bin")
            .await
            .expect("an object");
        assert!(source.bytes == sent, "{length} bytes came back changed");
        assert!(!source.meta.version.0.is_empty());
        let age = source.meta.last_modified.expect("a date").elapsed();
        let age = age.unwrap_or_default();
        assert!(age < Duration::from_hours(1), "{age:?}");
        assert!(source.permit.is_some());
    }
}

async fn has_no_absent_object(place: &Place, origin: &Origin) {
    place.put("contract/folder/file", b"x").await;
    for absent in [
        "contract/absent.jpg",
        "contract/folder/file/below",
        "absent/at/all",
    ] {
        assert_is(&fetch(origin, absent).await, "NotFound");
    }
    let folder = fetch(origin, "contract/folder").await;
    assert_is(
        &folder,
        if place.is_s3s_fs {
            "Failed"
        } else {
            "NotFound"
        },
    );
}

async fn knows_when_nothing_changed(place: &Place, origin: &Origin) {
    let name = "contract/changing.bin";
    place.put(name, b"before").await;
    let before = fetch(origin, name).await.expect("an object").meta.version;
    let same = origin.fetch(&key(name), Some(&before)).await;
    assert!(matches!(same, Ok(Fetched::NotModified)), "{same:?}");
    place.put(name, b"after, and longer").await;
    let Ok(Fetched::Full(after)) = origin.fetch(&key(name), Some(&before)).await else {
        panic!("the change went by");
    };
    assert_eq!(after.bytes, b"after, and longer"[..]);
    assert_ne!(after.meta.version, before);
    let other = Version("\"something else\"".to_owned());
    let fetched = origin.fetch(&key(name), Some(&other)).await;
    assert!(matches!(fetched, Ok(Fetched::Full(_))), "{fetched:?}");
}

async fn stops_at_the_cap(place: &Place, origin: &Origin) {
    let cap = usize::try_from(CAP).expect("small");
    place.put("contract/at.bin", &bytes(cap)).await;
    place.put("contract/past.bin", &bytes(cap + 1)).await;
    let at = fetch(origin, "contract/at.bin").await.expect("at the cap");
    assert_eq!(at.bytes.len(), cap);
    assert_is(
        &fetch(origin, "contract/past.bin").await,
        "TooLarge { limit: 100000 }",
    );
}

async fn reaches_odd_keys(place: &Place, origin: &Origin) {
    // 1024 bytes with the folder, in segments that any file system takes.
    let longest = format!(
        "{}/{}",
        vec!["s".repeat(200); 5].join("/"),
        "x".repeat(1024 - 1005 - 9)
    );
    let longest = Some(longest.as_str()).filter(|_| !place.is_s3s_fs);
    let odd = ODD_KEYS.iter().copied().chain(longest);
    for (index, name) in odd.enumerate() {
        let name = format!("contract/{name}");
        let sent = format!("{index}: {name}");
        place.put(&name, sent.as_bytes()).await;
        let path = key(&name).to_path();
        let found = ObjectKey::from_path(&path).expect("its own path");
        let Ok(Fetched::Full(source)) = origin.fetch(&found, None).await else {
            panic!("{name:?} is out of reach");
        };
        assert_eq!(source.bytes, sent.as_bytes(), "{name:?} is another object");
    }
}

async fn stays_below_its_prefix(place: &Place) {
    place.put("inside/a.bin", b"inside").await;
    place.put("outside/a.bin", b"outside").await;
    let source = SourceSettings {
        key_prefix: format!("{}inside/", place.source.key_prefix),
        ..place.source.clone()
    };
    let origin = open(source, limits());
    let inside = fetch(&origin, "a.bin").await.expect("an object");
    assert_eq!(inside.bytes, b"inside"[..]);
    for name in [
        "outside/a.bin",
        "inside/a.bin",
        "..;/outside/a.bin",
        "%2e%2e/outside/a.bin",
    ] {
        assert_is(&fetch(&origin, name).await, "NotFound");
    }
}

async fn gives_up_when_dropped(place: &Place, origin: &Arc<Origin>) {
    place.put("contract/dropped.bin", &bytes(90_000)).await;
    let fetching = tokio::spawn({
        let origin = origin.clone();
        async move { fetch(&origin, "contract/dropped.bin").await.map(drop) }
    });
    tokio::task::yield_now().await;
    fetching.abort();
    // Cancelled, or done before it could be; and the next fetch does not suffer.
    let ended = fetching.await;
    assert!(
        ended
            .as_ref()
            .map_or_else(tokio::task::JoinError::is_cancelled, Result::is_ok)
    );
    fetch(origin, "contract/dropped.bin")
        .await
        .expect("an object");
}

fn folder_place() -> Place {
    let root = tempfile::tempdir().expect("a folder");
    let kind = SourceKind::Folder {
        root: root.path().to_owned(),
    };
    Place {
        source: bucket::source("/", kind),
        put: Put::File(root),
        is_s3s_fs: false,
    }
}

fn client(settings: &S3Settings) -> Box<Bucket> {
    let text = |text: &Option<String>| text.clone().expect("set");
    let secret = settings.secret_key.as_ref().map(|secret| secret.0.as_str());
    let keys = Credentials::new(settings.access_key.as_deref(), secret, None, None, None);
    let region = Region::Custom {
        region: text(&settings.region),
        endpoint: text(&settings.endpoint),
    };
    let bucket = Bucket::new(
        &settings.bucket,
        region,
        keys.expect("given keys are taken"),
    );
    bucket.expect("a bucket").with_path_style()
}

fn bucket_place(settings: &S3Settings) -> Place {
    Place {
        source: bucket::source("/", SourceKind::S3(settings.clone())),
        put: Put::S3(client(settings)),
        is_s3s_fs: false,
    }
}

#[tokio::test]
async fn a_folder_keeps_the_contract() {
    keeps_the_contract(&folder_place()).await;
}

#[tokio::test]
async fn the_tests_own_bucket_keeps_the_contract() {
    let bucket = TestBucket::start().await;
    keeps_the_contract(&bucket_place(&bucket.settings())).await;
    let asked = bucket.asked();
    assert!(
        asked
            .iter()
            .all(|key| !key.contains("/../") && !key.starts_with("../")),
        "{asked:?}"
    );
}

/// The bucket that the demo embeds: files on disk behind `s3s-fs`.
#[tokio::test]
async fn the_embedded_bucket_keeps_the_contract() {
    let root = tempfile::tempdir().expect("a folder");
    let files = s3s_fs::FileSystem::new(root.path()).expect("a bucket");
    let mut service = s3s::service::S3ServiceBuilder::new(files);
    service.set_auth(s3s::auth::SimpleAuth::from_single("AK", "SK-CANARY"));
    let service = service.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let _server = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let io = hyper_util::rt::TokioIo::new(socket);
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(io, service.clone()));
        }
    }));
    let settings = S3Settings {
        provider: Provider::Minio,
        bucket: "img".to_owned(),
        endpoint: Some(format!("http://{address}")),
        region: Some("us-east-1".to_owned()),
        access_key: Some("AK".to_owned()),
        secret_key: Some(Secret("SK-CANARY".to_owned())),
        ..S3Settings::default()
    };
    create(&settings).await;
    let place = Place {
        is_s3s_fs: true,
        ..bucket_place(&settings)
    };
    keeps_the_contract(&place).await;
}

async fn create(settings: &S3Settings) {
    let made = client(settings);
    let keys = made.credentials().await.expect("keys");
    let config = BucketConfiguration::default();
    Bucket::create_with_path_style(&settings.bucket, made.region(), keys, config)
        .await
        .expect("a new bucket");
}

/// A server that is not ours, if `AQUATINT_TEST_S3_ENDPOINT`, `_BUCKET`, `_ACCESS_KEY`,
/// `_SECRET_KEY` and `_REGION` name one. Its bucket must exist; it is written to.
#[tokio::test]
async fn a_real_store_keeps_the_contract() {
    let Some(settings) = real_store() else {
        println!("skipped: AQUATINT_TEST_S3_ENDPOINT is not set");
        return;
    };
    keeps_the_contract(&bucket_place(&settings)).await;
    let wrong_secret = S3Settings {
        secret_key: settings
            .secret_key
            .clone()
            .map(|secret| Secret(misspelt(secret.0))),
        ..settings.clone()
    };
    let wrong_key = S3Settings {
        access_key: settings.access_key.clone().map(misspelt),
        ..settings.clone()
    };
    for wrong in [wrong_secret, wrong_key] {
        let origin = open(bucket_place(&wrong).source, limits());
        let diagnosis = origin.check().await.expect_err("wrong credentials");
        assert_eq!(diagnosis.part, Part::Credentials, "{diagnosis}");
        assert_eq!(
            origin.probe().await.err().map(|found| found.part),
            Some(Part::Credentials)
        );
        assert_is(&fetch(&origin, "contract/whole.bin").await, "NotFound");
    }
    let no_bucket = S3Settings {
        bucket: "no-such-bucket-here".to_owned(),
        ..settings.clone()
    };
    let diagnosis = open(bucket_place(&no_bucket).source, limits())
        .check()
        .await;
    let diagnosis = diagnosis.expect_err("no bucket");
    // Some stores will not say whether a bucket that is not ours is there.
    assert!(
        matches!(diagnosis.part, Part::Bucket | Part::Permission),
        "{diagnosis}"
    );
    let elsewhere = S3Settings {
        region: Some("nowhere-1".to_owned()),
        ..settings
    };
    // Not every store looks at the region.
    if let Err(diagnosis) = open(bucket_place(&elsewhere).source, limits())
        .check()
        .await
    {
        assert_eq!(diagnosis.part, Part::Region, "{diagnosis}");
    }
}

fn misspelt(mut text: String) -> String {
    let last = text.pop();
    text.push(if last == Some('0') { '1' } else { '0' });
    text
}

fn real_store() -> Option<S3Settings> {
    let set = |name: &str| std::env::var(format!("AQUATINT_TEST_S3_{name}")).ok();
    let endpoint = set("ENDPOINT")?;
    let need = |name: &str| set(name).unwrap_or_else(|| panic!("AQUATINT_TEST_S3_{name} is unset"));
    Some(S3Settings {
        provider: Provider::Custom,
        bucket: need("BUCKET"),
        endpoint: Some(endpoint),
        region: Some(need("REGION")),
        access_key: Some(need("ACCESS_KEY")),
        secret_key: Some(Secret(need("SECRET_KEY"))),
        ..S3Settings::default()
    })
}

/// Every key below `odd-keys` of the shared corpus, where that lies beside the project.
#[tokio::test]
async fn the_corpus_odd_keys_are_reached() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared").to_owned();
    let shared = std::env::var("AQUATINT_SHARED").unwrap_or(beside);
    let root = Path::new(&shared).join("corpus/odd-keys");
    if !root.is_dir() {
        println!("skipped: there is no shared corpus beside the project");
        return;
    }
    let mut names = Vec::new();
    files_below(&root, &root, &mut names);
    assert!(names.len() >= 11, "{names:?}");
    let bucket = TestBucket::start().await;
    let stores = [Some(bucket.settings()), real_store()];
    let places = stores.iter().flatten().map(bucket_place);
    for place in places.chain([folder_place()]) {
        let origin = open(place.source.clone(), limits());
        for name in &names {
            let sent = std::fs::read(root.join(name)).expect("a file");
            place.put(name, &sent).await;
            let source = fetch(&origin, name).await.expect("an object");
            assert!(source.bytes == sent, "{name:?}");
        }
    }
}

fn files_below(root: &Path, folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_below(root, &path, names);
        } else {
            let name = path.strip_prefix(root).expect("below the root");
            names.push(name.to_str().expect("UTF-8").to_owned());
        }
    }
}
