//! The quality that was found for a picture is where its other sizes begin, and nothing else does.

use std::sync::Arc;

use aquatint::{
    cache,
    origin::{FetchLimits, ObjectKey, Origin, Sources},
    pixels::{
        codec::{Cancel, Error, Input, Limits},
        render::{self, Engine, Job, OutputLimits, Rendered},
    },
    proxy::{Object, Proxy},
    recipe::{
        Recipe, Transform,
        dialect::Dialect,
        negotiate::Accepts,
        policy::{Policy, PolicySettings},
    },
    work::{self, budget::Budget},
};

use crate::support::bucket::TestBucket;

const FIRST: u8 = 41;

/// Says that it found one quality more than the hint, and answers with the hint itself; 0: none.
fn render(
    source: Input<'_>,
    recipe: &Recipe,
    job: &Job,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Rendered, Error> {
    let rendered = render::render(source, recipe, job, limits, cancel)?;
    Ok(Rendered {
        bytes: vec![job.hint.unwrap_or(0)],
        quality: rendered
            .quality
            .map(|_| job.hint.map_or(FIRST, |hint| hint + 1)),
        ..rendered
    })
}

struct Setup {
    bucket: TestBucket,
    proxy: Proxy,
    origin: Arc<Origin>,
}

impl Setup {
    async fn new() -> Self {
        let bucket = TestBucket::start().await;
        bucket.put("tom.png", picture(1));
        bucket.put("cat.png", picture(1));
        let work = work::Settings::default();
        let budget = Budget::new(work.source_bytes);
        let sources = Sources::new(vec![bucket.source("/")], &FetchLimits::default(), budget);
        let sources = Arc::new(sources.expect("a source"));
        let engine = Engine {
            prepare: render::prepare,
            render,
        };
        let (limits, output) = (Limits::default(), OutputLimits::default());
        let cache = cache::Settings::default();
        let origin = Arc::clone(&sources.origins[0]);
        let proxy = Proxy::with_engine(engine, sources, limits, output, &work, &cache);
        Self {
            bucket,
            proxy: proxy.expect("threads"),
            origin,
        }
    }

    /// The hint that the job of this query was given.
    async fn hint(&self, key: &str, query: &str) -> u8 {
        let object = Object {
            origin: Arc::clone(&self.origin),
            key: ObjectKey::new(key).expect("a key"),
        };
        let transform = Transform::parse(query, Dialect::Imgix, true).expect("a query");
        let policy = Policy::new(PolicySettings::default());
        let recipe = Recipe::resolve(&transform, Accepts::default(), &policy);
        let served = self.proxy.serve(&object, &recipe).await;
        served.expect("a picture").variant.bytes[0]
    }
}

/// A PNG of 64 by 48 pixels; another shade, another picture.
fn picture(shade: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 64, 48);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("a header");
    let pixels: Vec<u8> = (0..64 * 48)
        .flat_map(|i: u32| [i.to_le_bytes()[0], i.to_le_bytes()[1], shade])
        .collect();
    writer.write_image_data(&pixels).expect("pixels");
    writer.finish().expect("an end");
    bytes
}

#[tokio::test]
async fn what_was_found_is_where_other_sizes_begin() {
    let setup = Setup::new().await;
    assert_eq!(setup.hint("tom.png", "w=32&fm=webp&q=auto").await, 0);
    assert_eq!(setup.hint("tom.png", "w=40&fm=webp&q=auto").await, FIRST);
    assert_eq!(
        setup.hint("tom.png", "w=48&fm=webp&q=auto").await,
        FIRST + 1
    );
    // Another format, aim, profile or picture is another matter; a number knows of none of it.
    for (key, query) in [
        ("tom.png", "w=32&fm=jpg&q=auto"),
        ("tom.png", "w=32&fm=webp&auto=compress"),
        ("tom.png", "w=32&fm=webp&q=auto&profile=fine"),
        ("tom.png", "w=32&fm=webp&q=80"),
        ("tom.png", "w=32&fm=png&q=auto"),
        ("cat.png", "w=32&fm=webp&q=auto"),
    ] {
        assert_eq!(setup.hint(key, query).await, 0, "{key} {query}");
    }
}

#[tokio::test]
async fn a_new_version_begins_anew() {
    let setup = Setup::new().await;
    assert_eq!(setup.hint("tom.png", "w=32&fm=webp&q=auto").await, 0);
    setup.bucket.put("tom.png", picture(2));
    assert_eq!(setup.hint("tom.png", "w=40&fm=webp&q=auto").await, 0);
}
