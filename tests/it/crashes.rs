//! A codec that panics: what its client reads, what is counted, and that the thread lives on.

use std::sync::Arc;

use aquatint::{
    cache, http,
    origin::{FetchLimits, Sources},
    pixels::{
        codec::{Cancel, Error, Input, Limits},
        render::{self, Engine, Job, OutputLimits, Rendered},
    },
    proxy::Proxy,
    recipe::{
        Recipe,
        policy::{Policy, PolicySettings},
    },
    work::{self, budget::Budget},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use prometheus_client::registry::Registry;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::support::bucket::TestBucket;

/// Pictures of this many columns have a header that cannot be borne.
const BAD_HEADER: u32 = 13;

/// Pictures of this many columns have pixels that cannot be borne.
const BAD_PIXELS: u32 = 14;

/// One thread: if a panic took it along, nobody would answer.
struct Setup {
    _bucket: TestBucket,
    router: Router,
    proxy: Proxy,
}

impl Setup {
    async fn new() -> Self {
        let bucket = TestBucket::start().await;
        for width in [BAD_HEADER, BAD_PIXELS, 15] {
            bucket.put(&format!("{width}.png"), png(width));
        }
        let work = work::Settings {
            workers: 1,
            ..work::Settings::default()
        };
        let budget = Budget::new(work.source_bytes);
        let sources = Sources::new(vec![bucket.source("/")], &FetchLimits::default(), budget);
        let sources = Arc::new(sources.expect("a source"));
        let (limits, output) = (Limits::default(), OutputLimits::default());
        let engine = Engine { prepare, render };
        let cache = cache::Settings::default();
        let proxy = Proxy::with_engine(engine, sources.clone(), limits, output, &work, &cache)
            .expect("threads");
        let policy = Policy::new(PolicySettings::default());
        let app = http::App::new(proxy.clone(), sources, &policy, http::Settings::default());
        Self {
            _bucket: bucket,
            router: http::router(app.expect("settings")),
            proxy,
        }
    }

    async fn get(&self, target: &str) -> (u16, Vec<u8>) {
        let request = Request::get(target)
            .header("host", "proxy.example")
            .body(Body::empty())
            .expect("a request");
        let answer = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), usize::MAX)
            .await
            .expect("a body");
        (status, body.to_vec())
    }

    fn panics(&self) -> String {
        let mut registry = Registry::default();
        self.proxy.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("text");
        let lines = text
            .lines()
            .filter(|line| line.contains("panic") && !line.starts_with('#'));
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn prepare(
    source: &[u8],
    recipe: &Recipe,
    limits: &Limits,
    output: &OutputLimits,
) -> Result<Job, Error> {
    let job = render::prepare(source, recipe, limits, output)?;
    assert_ne!(job.header.size.width, BAD_HEADER, "a bug of a codec's");
    Ok(job)
}

fn render(
    source: Input<'_>,
    recipe: &Recipe,
    job: &Job,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Rendered, Error> {
    assert_ne!(job.header.size.width, BAD_PIXELS, "a bug of a codec's");
    render::render(source, recipe, job, limits, cancel)
}

fn png(width: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, 1);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a header");
    writer
        .write_image_data(&vec![7; width as usize])
        .expect("pixels");
    writer.finish().expect("an end");
    bytes
}

#[tokio::test]
async fn a_panic_of_a_codec_is_a_422_and_the_thread_lives_on() {
    let setup = Setup::new().await;
    for target in ["/13.png?w=5", "/14.png?w=5", "/14.png?w=6"] {
        let (status, body) = setup.get(target).await;
        assert_eq!(status, 422, "{target}");
        let problem: Value = serde_json::from_slice(&body).expect("a problem");
        let detail = "the picture is damaged and cannot be decoded";
        assert_eq!(problem["detail"], detail, "the panic's text stays inside");
    }
    assert_eq!(setup.get("/15.png?w=5").await.0, 200);
    let counted = setup.panics();
    assert!(counted.contains("pool_panics_total 3"), "{counted}");
    assert!(
        counted.contains(r#"served_total{outcome="panicked"} 3"#),
        "{counted}"
    );
}
