//! The public side as clients meet it, on a real socket, in front of a real (if small) bucket.

use std::{net::SocketAddr, time::Duration};

use aquatint::{
    cache,
    config::Config,
    http, origin,
    pixels::{codec, render},
    recipe::{policy::PolicySettings, signature::Key},
    server::{self, Listeners},
    telemetry, work,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

use crate::support::bucket::{Fault, Object, TestBucket};

/// Far longer than any answer here takes.
const NEVER: Duration = Duration::from_secs(20);

/// A proxy in front of a bucket that holds `cat.png`.
struct Proxy {
    bucket: TestBucket,
    public: SocketAddr,
    admin: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<Result<(), server::Error>>,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Proxy {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let bucket = TestBucket::start().await;
        bucket.put("cat.png", png(64, 48));
        let mut config = config(&bucket);
        change(&mut config);
        let (public, admin) = (listen().await, listen().await);
        let addresses = [&public, &admin].map(|socket| socket.local_addr().expect("an address"));
        let listeners = Listeners {
            public,
            admin: Some(admin),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(server::run(config, listeners, async {
            let _ = stopped.await;
        }));
        Self {
            bucket,
            public: addresses[0],
            admin: addresses[1],
            stop: Some(stop),
            ended,
        }
    }

    async fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, &[]).await
    }

    async fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        ask(self.public, method, target, headers).await
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

fn config(bucket: &TestBucket) -> Config {
    Config {
        server: server::Settings::default(),
        http: http::Settings::default(),
        policy: PolicySettings::default(),
        limits: codec::Limits::default(),
        output: render::OutputLimits::default(),
        fetch: origin::FetchLimits::default(),
        work: work::Settings::default(),
        cache: cache::Settings::default(),
        log: telemetry::Settings::default(),
        sources: vec![bucket.source("/")],
    }
}

/// One request on a connection of its own, byte for byte as given.
async fn ask(address: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    let lines = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    let lines: String = lines.collect();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: proxy.example\r\nconnection: close\r\n{lines}\r\n"
    );
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    socket.write_all(head.as_bytes()).await.expect("sent");
    let mut all = Vec::new();
    timeout(NEVER, socket.read_to_end(&mut all))
        .await
        .expect("an answer in time")
        .expect("an answer");
    Answer::parse(&all)
}

impl Answer {
    fn parse(all: &[u8]) -> Self {
        let end = all
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a head");
        let head = std::str::from_utf8(&all[..end]).expect("text");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").expect("a header");
            (
                HeaderName::try_from(name).expect("a name"),
                HeaderValue::try_from(value).expect("a value"),
            )
        });
        Self {
            status: status.expect("a status").parse().expect("a number"),
            headers: headers.collect(),
            body: all[end + 4..].to_vec(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("text"))
    }

    fn document(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a document")
    }
}

/// A small colourful picture.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let pixels: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| [x * 255 / width, y * 255 / height, (x * y) % 256])
        .map(|sample| u8::try_from(sample).expect("a byte"))
        .collect();
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&pixels).expect("pixels");
    writer.finish().expect("an end");
    bytes
}

#[tokio::test]
async fn http_1_1_without_a_host_is_refused() {
    let proxy = Proxy::start().await;
    let mut socket = TcpStream::connect(proxy.public)
        .await
        .expect("a connection");
    let head = b"GET /cat.png HTTP/1.1\r\nconnection: close\r\n\r\n";
    socket.write_all(head).await.expect("sent");
    let mut all = Vec::new();
    socket.read_to_end(&mut all).await.expect("an answer");
    assert_problem(&Answer::parse(&all), 400);
}

#[tokio::test]
async fn a_client_that_hangs_up_is_counted() {
    let proxy = Proxy::start().await;
    proxy.bucket.fail_always("cat.png", Fault::StallHead);
    let mut socket = TcpStream::connect(proxy.public)
        .await
        .expect("a connection");
    let head = b"GET /cat.png HTTP/1.1\r\nhost: proxy.example\r\n\r\n";
    socket.write_all(head).await.expect("sent");
    proxy.bucket.until(|counts| counts.in_flight == 1).await;
    drop(socket);
    let counted = async {
        loop {
            let metrics = ask(proxy.admin, "GET", "/metrics", &[]).await;
            let page = String::from_utf8(metrics.body).expect("text");
            if page.contains(r#"http_requests_total{status="499",cache="none"} 1"#) {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(NEVER, counted).await.expect("counted");
}

/// Asserts that an answer is a problem document of this status, and keeps the rules of one.
#[track_caller]
fn assert_problem(answer: &Answer, status: u16) {
    assert_eq!(
        answer.status,
        status,
        "{:?}",
        String::from_utf8_lossy(&answer.body)
    );
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.body.len() <= 1024);
    let document = answer.document();
    assert_eq!(document["status"], status);
    assert_eq!(
        document["request_id"].as_str(),
        answer.header("x-request-id")
    );
}

#[tokio::test]
async fn a_picture_carries_what_caches_and_browsers_need() {
    let proxy = Proxy::start().await;
    let answer = proxy.get("/cat.png?w=32&fm=webp").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("image/webp"));
    assert_eq!(
        answer.header("content-length"),
        Some(answer.body.len().to_string().as_str())
    );
    assert_eq!(
        answer.header("cache-control"),
        Some(http::Settings::default().cache_control.as_str())
    );
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(
        answer.header("content-security-policy"),
        Some("default-src 'none'; sandbox")
    );
    assert_eq!(
        answer.header("cross-origin-resource-policy"),
        Some("cross-origin")
    );
    assert_eq!(
        answer.header("cache-status"),
        Some("aquatint; fwd=miss; stored")
    );
    assert_eq!(answer.header("vary"), None);
    assert!(answer.header("last-modified").is_some());
    assert!(answer.header("date").is_some());
    let timing = answer.header("server-timing").expect("a timing");
    for stage in ["fetch", "queue", "decode", "transform", "encode", "total"] {
        assert!(timing.contains(&format!("{stage};dur=")), "{timing}");
    }
}

#[tokio::test]
async fn the_second_request_is_a_hit_with_the_same_bytes() {
    let proxy = Proxy::start().await;
    let first = proxy.get("/cat.png?w=32&fm=webp").await;
    let second = proxy
        .get("/cat.png?format=webp&width=32&utm_source=x")
        .await;
    assert_eq!(second.header("cache-status"), Some("aquatint; hit"));
    assert_eq!(second.header("etag"), first.header("etag"));
    assert_eq!(second.body, first.body);
    assert_eq!(proxy.bucket.hits("cat.png"), 1);
}

#[tokio::test]
async fn conditions_are_answered_without_a_body() {
    let proxy = Proxy::start().await;
    let full = proxy.get("/cat.png?w=32").await;
    let etag = full.header("etag").expect("a tag").to_owned();
    let weak = format!("\"x\", W/{etag}");
    let date = full.header("last-modified").expect("a date").to_owned();
    for condition in [
        ("if-none-match", etag.as_str()),
        ("if-none-match", weak.as_str()),
        ("if-none-match", "*"),
        ("if-modified-since", date.as_str()),
    ] {
        let answer = proxy.ask("GET", "/cat.png?w=32", &[condition]).await;
        assert_eq!(answer.status, 304, "{condition:?}");
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("content-length"), None);
        for kept in ["etag", "cache-control", "last-modified", "date"] {
            if kept != "date" {
                assert_eq!(answer.header(kept), full.header(kept), "{kept}");
            }
            assert!(answer.header(kept).is_some(), "{kept}");
        }
    }
    let other = proxy
        .ask("GET", "/cat.png?w=32", &[("if-none-match", "\"nope\"")])
        .await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let proxy = Proxy::start().await;
    proxy.get("/cat.png?w=32").await;
    let mut get = proxy.get("/cat.png?w=32").await;
    let mut head = proxy.ask("HEAD", "/cat.png?w=32", &[]).await;
    assert!(head.body.is_empty());
    for changing in ["date", "server-timing", "x-request-id"] {
        get.headers.remove(changing);
        head.headers.remove(changing);
    }
    assert_eq!(head.headers, get.headers);
    let absent = proxy.ask("HEAD", "/absent.png", &[]).await;
    assert_eq!(absent.status, 404);
    assert!(absent.body.is_empty());
}

#[tokio::test]
async fn one_range_is_a_part_and_several_are_the_whole() {
    let proxy = Proxy::start().await;
    let whole = proxy.get("/cat.png?w=32").await;
    let length = whole.body.len();
    let range = |range: String| {
        let proxy = &proxy;
        async move {
            proxy
                .ask("GET", "/cat.png?w=32", &[("range", &range)])
                .await
        }
    };
    let part = range("bytes=2-5".to_owned()).await;
    assert_eq!(part.status, 206);
    assert_eq!(part.body, whole.body[2..=5]);
    assert_eq!(
        part.header("content-range"),
        Some(format!("bytes 2-5/{length}").as_str())
    );
    let several = range("bytes=0-1,3-4".to_owned()).await;
    assert_eq!((several.status, several.body.len()), (200, length));
    let beyond = range(format!("bytes={length}-")).await;
    assert_problem(&beyond, 416);
    assert_eq!(
        beyond.header("content-range"),
        Some(format!("bytes */{length}").as_str())
    );
}

#[tokio::test]
async fn vary_names_accept_exactly_where_it_counts() {
    let proxy = Proxy::start().await;
    let tag = |answer: &Answer| answer.header("etag").map(str::to_owned).unwrap_or_default();
    let negotiated = proxy.get("/cat.png?w=32&auto=format").await;
    assert_eq!(negotiated.header("vary"), Some("Accept"));
    let fixed = proxy.get("/cat.png?w=32&fm=png").await;
    assert_eq!(fixed.header("vary"), None);
    let etag = tag(&negotiated);
    let unchanged = proxy
        .ask(
            "GET",
            "/cat.png?w=32&auto=format",
            &[("if-none-match", &etag)],
        )
        .await;
    assert_eq!(
        (unchanged.status, unchanged.header("vary")),
        (304, Some("Accept"))
    );
    let absent = proxy.get("/absent.png?w=32&auto=format").await;
    assert_eq!(
        (absent.status, absent.header("vary")),
        (404, Some("Accept"))
    );
}

#[tokio::test]
async fn a_stand_in_for_avif_is_kept_briefly_and_the_avif_as_usual() {
    if !aquatint::pixels::format::OutputFormat::Avif.is_built_in() {
        println!("skipped: AVIF output is not built in");
        return;
    }
    let proxy = Proxy::start_with(|config| config.policy.avif_behind = true).await;
    let target = "/cat.png?w=48&auto=format";
    let accept = [("accept", "image/avif,image/webp,*/*")];
    let first = proxy.ask("GET", target, &accept).await;
    assert_eq!(first.header("content-type"), Some("image/webp"));
    assert_eq!(first.header("cache-control"), Some("public, max-age=10"));
    assert_eq!(first.header("vary"), Some("Accept"));
    let lasting = loop {
        let next = proxy.ask("GET", target, &accept).await;
        if next.header("cache-control") != Some("public, max-age=10") {
            break next;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(lasting.body.len() <= first.body.len());
    assert_eq!(lasting.header("vary"), Some("Accept"));
}

#[tokio::test]
async fn what_is_wrong_with_a_parameter_is_said_by_name() {
    let proxy = Proxy::start().await;
    for query in ["w=abc", "w=0", "w=1&w=1", "w=1&width=2"] {
        let answer = proxy.get(&format!("/cat.png?{query}")).await;
        assert_problem(&answer, 400);
        let document = answer.document();
        let named = document["parameter"].as_str().expect("a parameter");
        assert!(["w", "width"].contains(&named), "{document}");
        let detail = document["detail"].as_str().expect("a detail");
        assert!(detail.contains(named), "{document}");
    }
    assert_eq!(proxy.bucket.hits("cat.png"), 0);
}

#[tokio::test]
async fn absent_hidden_and_outside_look_the_same() {
    let proxy = Proxy::start().await;
    proxy
        .bucket
        .fail_always("hidden.png", Fault::Status(403, "AccessDenied"));
    let mut bodies = Vec::new();
    for target in [
        "/absent.png",
        "/hidden.png",
        "/../secret.png",
        "/a/%2e%2e/%2e%2e/secret.png",
        "/",
    ] {
        let answer = proxy.ask("GET", target, &[("x-request-id", "same")]).await;
        assert_problem(&answer, 404);
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    assert!(
        proxy
            .bucket
            .asked()
            .iter()
            .all(|key| !key.contains("secret"))
    );
}

#[tokio::test]
async fn the_origins_failures_have_their_statuses_and_tell_no_secrets() {
    let proxy = Proxy::start_with(|config| config.fetch.tries = 1).await;
    for (key, fault, status) in [
        ("broken.png", Fault::Status(500, "InternalError"), 502),
        ("busy.png", Fault::Status(503, "SlowDown"), 503),
    ] {
        proxy.bucket.put(key, png(4, 4));
        proxy.bucket.fail_always(key, fault);
        let answer = proxy.get(&format!("/{key}")).await;
        assert_problem(&answer, status);
        assert_eq!(answer.document().get("detail"), None);
        assert_eq!(answer.header("retry-after").is_some(), status == 503);
    }
}

#[tokio::test]
async fn a_picture_that_is_none_is_415() {
    let proxy = Proxy::start().await;
    proxy.bucket.put("notes.txt", "no picture at all");
    assert_problem(&proxy.get("/notes.txt?w=10").await, 415);
}

#[tokio::test]
async fn a_drawing_leaves_as_pixels_of_the_asked_size() {
    let proxy = Proxy::start().await;
    let drawing = "<svg xmlns='http://www.w3.org/2000/svg' width='8' height='4'><script>alert(1)</script><path \
                   d='M0 0h4v4H0z'/></svg>";
    proxy.bucket.put("logo.svg", drawing);
    let answer = proxy.get("/logo.svg?w=300").await;
    assert_eq!(answer.header("content-type"), Some("image/png"));
    // Width and height, as the header of a PNG has them.
    assert_eq!(answer.body[16..24], [0, 0, 1, 44, 0, 0, 0, 150]);
    let plain = proxy.get("/logo.svg").await;
    assert_eq!(plain.header("content-type"), Some("image/png"));
    let negotiated = [("accept", "image/webp")];
    let answer = proxy.ask("GET", "/logo.svg?auto=format", &negotiated).await;
    assert_eq!(answer.header("content-type"), Some("image/webp"));
}

#[tokio::test]
async fn drawings_are_415_where_they_are_switched_off() {
    let proxy = Proxy::start_with(|config| config.limits.svg = false).await;
    proxy.bucket.put(
        "logo.svg",
        "<svg xmlns='http://www.w3.org/2000/svg' width='8' height='4'/>",
    );
    assert_problem(&proxy.get("/logo.svg?w=300").await, 415);
}

#[tokio::test]
async fn other_methods_are_told_which_are_allowed() {
    let proxy = Proxy::start().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
        let answer = proxy.ask(method, "/cat.png", &[]).await;
        assert_problem(&answer, 405);
        assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
    }
    let options = proxy.ask("OPTIONS", "/cat.png", &[]).await;
    assert_eq!(
        (options.status, options.header("allow")),
        (204, Some("GET, HEAD, OPTIONS"))
    );
}

#[tokio::test]
async fn a_request_with_a_body_is_answered_and_the_body_is_not_read() {
    let proxy = Proxy::start().await;
    let post = proxy
        .ask("POST", "/cat.png", &[("content-length", "1000000000")])
        .await;
    assert_problem(&post, 405);
}

#[tokio::test]
async fn a_url_is_as_long_as_its_limit_and_no_longer() {
    let proxy = Proxy::start_with(|config| config.http.max_url_bytes = 100).await;
    let target = |length: usize| format!("/cat.png?x={}", "a".repeat(length - 11));
    assert_eq!(proxy.get(&target(100)).await.status, 200);
    assert_problem(&proxy.get(&target(101)).await, 414);
}

#[tokio::test]
async fn caching_is_the_objects_word_then_the_sources_then_the_servers() {
    let proxy = Proxy::start_with(|config| {
        config.http.cache_control = "max-age=1".to_owned();
    })
    .await;
    let object = Object {
        cache_control: Some("max-age=3, s-maxage=4".to_owned()),
        ..Object::new(png(4, 4))
    };
    proxy.bucket.put_object("own.png", object.clone());
    assert_eq!(
        proxy.get("/own.png").await.header("cache-control"),
        Some("max-age=3, s-maxage=4")
    );
    assert_eq!(
        proxy.get("/cat.png").await.header("cache-control"),
        Some("max-age=1")
    );
    let proxy = Proxy::start_with(|config| {
        config.sources[0].cache_control = Some("max-age=2".to_owned());
        config.sources[0].honour_cache_control = false;
    })
    .await;
    proxy.bucket.put_object("own.png", object);
    assert_eq!(
        proxy.get("/own.png").await.header("cache-control"),
        Some("max-age=2")
    );
}

#[tokio::test]
async fn listed_sites_may_read_and_caches_are_told() {
    let proxy = Proxy::start_with(|config| {
        config.http.cors_origins = vec!["https://here.example".to_owned()];
        config.http.timing_allow_origin = Some("*".to_owned());
    })
    .await;
    let from = |origin: &'static str| {
        let proxy = &proxy;
        async move {
            proxy
                .ask("GET", "/cat.png?w=8", &[("origin", origin)])
                .await
        }
    };
    let here = from("https://here.example").await;
    assert_eq!(
        here.header("access-control-allow-origin"),
        Some("https://here.example")
    );
    assert_eq!(here.header("vary"), Some("Origin"));
    assert_eq!(here.header("timing-allow-origin"), Some("*"));
    let elsewhere = from("https://elsewhere.example").await;
    assert_eq!(elsewhere.status, 200);
    assert_eq!(elsewhere.header("access-control-allow-origin"), None);
    assert_eq!(elsewhere.header("vary"), Some("Origin"));
}

#[tokio::test]
async fn a_request_id_is_kept_where_it_is_harmless() {
    let proxy = Proxy::start().await;
    let kept = proxy.ask("GET", "/", &[("x-request-id", "abc_1-2")]).await;
    assert_eq!(kept.header("x-request-id"), Some("abc_1-2"));
    let replaced = proxy
        .ask("GET", "/", &[("x-request-id", "evil.example")])
        .await;
    assert_ne!(replaced.header("x-request-id"), Some("evil.example"));
    assert!(replaced.header("x-request-id").is_some());
}

#[tokio::test]
async fn unsigned_urls_are_refused_where_keys_are_set() {
    let proxy = Proxy::start_with(|config| {
        config.policy.keys = vec![Key::new("a key that nobody knows")];
    })
    .await;
    for target in ["/cat.png?w=8", "/cat.png?w=8&s=wrong", "/absent.png"] {
        assert_problem(&proxy.get(target).await, 403);
    }
    assert!(proxy.bucket.asked().is_empty());
}

#[tokio::test]
async fn explain_answers_only_where_it_is_on() {
    let off = Proxy::start().await;
    let answer = off.get("/cat.png?w=8&fm=webp&explain").await;
    assert_eq!(answer.header("content-type"), Some("image/webp"));
    let on = Proxy::start_with(|config| config.http.explain = true).await;
    let answer = on.get("/cat.png?w=8&fm=webp&explain").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let document = answer.document();
    assert_eq!(document["object"], "cat.png");
    assert_eq!(document["plan"]["output"]["format"], "webp");
    assert_eq!(document["key"].as_str().expect("a key").len(), 32);
}

#[tokio::test]
async fn a_picture_can_have_a_quality_of_its_own() {
    let proxy = Proxy::start_with(|config| config.http.explain = true).await;
    let auto = proxy.get("/cat.png?w=48&fm=webp&q=auto").await;
    assert_eq!(
        (auto.status, auto.header("content-type")),
        (200, Some("image/webp"))
    );
    // The same meaning is the same variant, and the same tag.
    let again = proxy
        .get("/cat.png?width=48&format=webp&quality=AUTO")
        .await;
    assert_eq!(again.header("etag"), auto.header("etag"));
    assert_eq!(again.body, auto.body);
    let compress = proxy.get("/cat.png?w=48&fm=webp&auto=compress").await;
    assert!(compress.body.len() <= auto.body.len());
    assert_ne!(compress.header("etag"), auto.header("etag"));
    let number = proxy.get("/cat.png?w=48&fm=webp&auto=compress&q=80").await;
    assert_eq!(
        number.header("etag"),
        proxy.get("/cat.png?w=48&fm=webp").await.header("etag")
    );
    let document = proxy
        .get("/cat.png?fm=webp&q=auto&explain")
        .await
        .document();
    let recipe = document["recipe"].as_str().expect("a recipe");
    assert!(recipe.contains(";aim=79;"), "{recipe}");
    let refused = proxy.get("/cat.png?q=best").await;
    assert_problem(&refused, 400);
    let detail = "parameter `q` must be a whole number from 1 to 100, or auto, not `best`";
    assert_eq!(refused.document()["detail"], detail);
}

#[tokio::test]
async fn presets_and_the_ladder_know_auto_as_well() {
    let proxy = Proxy::start_with(|config| {
        let own =
            aquatint::recipe::Transform::parse("w=40&q=auto&fm=jpg", config.policy.dialect, true);
        let presets = [("own".to_owned(), own.expect("a query"))];
        config.policy.presets = presets.into();
        config.policy.widths = vec![32];
    })
    .await;
    let preset = proxy.get("/cat.png?preset=own").await;
    let spelled = proxy.get("/cat.png?w=37&q=auto&fm=jpg").await;
    assert_eq!((preset.status, spelled.status), (200, 200));
    assert_eq!(preset.header("etag"), spelled.header("etag"));
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_504() {
    let proxy = Proxy::start_with(|config| {
        config.http.request_time = Duration::from_millis(300);
    })
    .await;
    proxy.bucket.fail_always("cat.png", Fault::StallHead);
    assert_problem(&proxy.get("/cat.png?w=8").await, 504);
}

#[tokio::test]
async fn the_operator_sees_health_readiness_and_numbers() {
    let proxy = Proxy::start().await;
    proxy.get("/cat.png?w=8&fm=webp").await;
    let health = ask(proxy.admin, "GET", "/health", &[]).await;
    assert_eq!(health.status, 200);
    let ready = ask(proxy.admin, "GET", "/ready", &[]).await;
    assert_eq!(
        ready.status,
        200,
        "{:?}",
        String::from_utf8_lossy(&ready.body)
    );
    let version = ask(proxy.admin, "GET", "/version", &[]).await;
    assert_eq!(version.document()["version"], env!("CARGO_PKG_VERSION"));
    let metrics = ask(proxy.admin, "GET", "/metrics", &[]).await;
    let page = String::from_utf8(metrics.body).expect("text");
    assert!(
        page.contains(r#"aquatint_http_requests_total{status="200",cache="miss"} 1"#),
        "{page}"
    );
    assert!(
        page.contains("aquatint_connections_accepted_total 1"),
        "{page}"
    );
    assert!(!page.contains("cat.png"), "{page}");
}

#[tokio::test]
async fn a_source_that_fails_makes_the_process_unready() {
    let proxy = Proxy::start().await;
    proxy
        .bucket
        .fail_everywhere(Some(Fault::Status(403, "InvalidAccessKeyId")));
    let ready = ask(proxy.admin, "GET", "/ready", &[]).await;
    assert_eq!(ready.status, 503);
    let document = ready.document();
    assert_eq!(document["ready"], false);
    assert_eq!(document["reasons"].as_array().expect("reasons").len(), 1);
    assert_eq!(ask(proxy.admin, "GET", "/health", &[]).await.status, 200);
}

#[tokio::test]
async fn while_it_drains_the_process_is_unready_and_still_answers() {
    let mut proxy = Proxy::start_with(|config| {
        config.server.drain_delay = Duration::from_millis(500);
    })
    .await;
    let stop = proxy.stop.take().expect("a running proxy");
    stop.send(()).expect("a running proxy");
    let unready = async {
        while ask(proxy.admin, "GET", "/ready", &[]).await.status != 503 {
            tokio::task::yield_now().await;
        }
    };
    timeout(NEVER, unready).await.expect("unready");
    assert_eq!(proxy.get("/cat.png?w=8").await.status, 200);
    let ended = timeout(NEVER, &mut proxy.ended).await;
    ended.expect("an end").expect("no panic").expect("no error");
    assert!(TcpStream::connect(proxy.public).await.is_err());
}
