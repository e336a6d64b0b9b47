//! The story of a request, below HTTP: who works, who waits, what is kept, and what is refused.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aquatint::{
    cache,
    origin::{self, FetchLimits, ObjectKey, Origin, SourceSettings, Sources},
    pixels::{
        codec::{self, Limits},
        format::OutputFormat,
        geometry::Length,
        render::OutputLimits,
    },
    proxy::{Error, How, Object, Proxy, Served},
    recipe::{
        Recipe, Transform,
        negotiate::Accepts,
        policy::{Policy, PolicySettings},
    },
    work::{self, budget::Budget},
};
use futures_util::{future::join_all, poll};
use prometheus_client::registry::Registry;

use crate::support::bucket::{Fault, Object as Stored, TestBucket};

const KEY: &str = "tom.png";
const LONG: Duration = Duration::from_hours(1);
/// Long enough for all requests of a test to have begun.
const A_WHILE: Duration = Duration::from_millis(300);

/// A proxy in front of a bucket with one picture.
struct Setup {
    bucket: TestBucket,
    proxy: Proxy,
    origin: Arc<Origin>,
}

/// Nothing is fresh, nothing is served stale, nothing missing is remembered.
const ALWAYS_ASK: cache::Settings = cache::Settings {
    memory_bytes: 64 << 20,
    fresh: Duration::ZERO,
    stale_while_revalidate: Duration::ZERO,
    stale_if_error: Duration::ZERO,
    negative: Duration::ZERO,
};

impl Setup {
    async fn new(cache: cache::Settings) -> Self {
        Self::with(cache, work::Settings::default(), |_| ()).await
    }

    async fn with(
        cache: cache::Settings,
        work: work::Settings,
        change: impl FnOnce(&mut SourceSettings),
    ) -> Self {
        let bucket = TestBucket::start().await;
        bucket.put(KEY, picture(1));
        let mut source = bucket.source("/");
        change(&mut source);
        let (proxy, origin) = proxy(source, work, cache);
        Self {
            bucket,
            proxy,
            origin,
        }
    }

    fn object(&self, key: &str) -> Object {
        Object {
            origin: Arc::clone(&self.origin),
            key: ObjectKey::new(key).expect("a key"),
        }
    }

    async fn serve(&self, width: u32) -> Result<Served, Arc<Error>> {
        self.proxy.serve(&self.object(KEY), &recipe(width)).await
    }

    /// Serves, in a task of its own.
    fn client(&self, width: u32) -> tokio::task::JoinHandle<Result<Served, Arc<Error>>> {
        let (proxy, object) = (self.proxy.clone(), self.object(KEY));
        tokio::spawn(async move { proxy.serve(&object, &recipe(width)).await })
    }

    async fn how(&self, width: u32) -> How {
        self.serve(width).await.expect("a picture").how
    }

    fn hits(&self) -> usize {
        self.bucket.hits(KEY)
    }

    /// Pictures made so far.
    fn renders(&self) -> u64 {
        self.metric("renders_total")
    }

    fn metric(&self, name: &str) -> u64 {
        let mut registry = Registry::default();
        self.proxy.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("text");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}"))
            .parse()
            .expect("a number")
    }
}

fn proxy(
    source: SourceSettings,
    work: work::Settings,
    cache: cache::Settings,
) -> (Proxy, Arc<Origin>) {
    let budget = Budget::new(work.source_bytes);
    let sources = Sources::new(vec![source], &FetchLimits::default(), budget).expect("a source");
    let origin = Arc::clone(&sources.origins[0]);
    let limits = Limits::default();
    let output = OutputLimits::default();
    let proxy = Proxy::new(Arc::new(sources), limits, output, &work, &cache).expect("threads");
    (proxy, origin)
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

fn recipe(width: u32) -> Recipe {
    let transform = Transform {
        width: Some(Length::Pixels(width)),
        format: Some(OutputFormat::Png),
        ..Transform::default()
    };
    let policy = Policy::new(PolicySettings::default());
    Recipe::resolve(&transform, Accepts::default(), &policy)
}

fn is_collapsed(served: &Served) -> bool {
    served.how == How::Miss { collapsed: true }
}

const MISS: How = How::Miss { collapsed: false };

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_first_requests_are_one_fetch_and_one_encode() {
    let setup = Setup::new(cache::Settings::default()).await;
    setup.bucket.fail_next(KEY, Fault::Late(A_WHILE));
    let clients: Vec<_> = (0..200).map(|_| setup.client(32)).collect();
    let mut served = Vec::new();
    for client in clients {
        served.push(client.await.expect("no panic").expect("a picture"));
    }
    assert_eq!((setup.hits(), setup.renders()), (1, 1));
    assert_eq!(served.iter().filter(|one| one.how == MISS).count(), 1);
    let timed = served.iter().filter(|one| one.times.is_some()).count();
    assert_eq!(timed, 1, "only who worked can say where the time went");
    let first = &served[0].variant.bytes;
    assert!(served.iter().all(|one| one.variant.bytes == *first));
    assert_eq!(setup.how(32).await, How::Hit);
}

#[tokio::test]
async fn the_first_client_hanging_up_changes_nothing_for_the_others() {
    let setup = Setup::new(cache::Settings::default()).await;
    setup.bucket.fail_next(KEY, Fault::Late(A_WHILE));
    let first = setup.client(32);
    setup.bucket.until(|counts| counts.in_flight == 1).await;
    let mut others: Vec<_> = (0..9).map(|_| Box::pin(setup.serve(32))).collect();
    for other in &mut others {
        assert!(poll!(other).is_pending());
    }
    first.abort();
    assert!(first.await.expect_err("it was aborted").is_cancelled());
    for served in join_all(others).await {
        assert!(is_collapsed(&served.expect("a picture")));
    }
    assert_eq!((setup.hits(), setup.renders()), (1, 1));
}

#[tokio::test]
async fn the_last_client_hanging_up_ends_the_transfer() {
    let setup = Setup::new(cache::Settings::default()).await;
    setup.bucket.fail_always(KEY, Fault::StallBody(10));
    let client = setup.client(32);
    setup.bucket.until(|counts| counts.in_flight == 1).await;
    assert_eq!(setup.proxy.in_flight(), 1);
    client.abort();
    setup.bucket.until(|counts| counts.cut_off == 1).await;
    assert_eq!(setup.proxy.in_flight(), 0);
    assert_eq!(setup.hits(), 1);
}

#[tokio::test]
async fn variants_of_one_object_share_its_fetch() {
    let setup = Setup::new(cache::Settings::default()).await;
    setup.bucket.fail_next(KEY, Fault::Late(A_WHILE));
    let served = join_all([16, 24, 32, 40].map(|width| setup.serve(width))).await;
    assert!(served.iter().flatten().all(|one| one.how == MISS));
    assert_eq!(served.iter().flatten().count(), 4);
    assert_eq!((setup.hits(), setup.renders()), (1, 4));
}

#[tokio::test]
async fn one_flight_too_many_is_refused_at_once() {
    let work = work::Settings {
        workers: 1,
        queue: 1,
        ..work::Settings::default()
    };
    let setup = Setup::with(cache::Settings::default(), work, |_| ()).await;
    setup.bucket.fail_everywhere(Some(Fault::StallHead));
    let recipe = recipe(32);
    let objects: Vec<_> = (0..=258)
        .map(|n| setup.object(&format!("{n}.png")))
        .collect();
    let mut flights: Vec<_> = objects
        .iter()
        .map(|object| Box::pin(setup.proxy.serve(object, &recipe)))
        .collect();
    let mut one_more = flights.pop().expect("the last");
    for flight in &mut flights {
        assert!(poll!(flight).is_pending());
    }
    let answer = poll!(&mut one_more);
    let std::task::Poll::Ready(Err(error)) = answer else {
        panic!("{answer:?}");
    };
    assert!(matches!(*error, Error::Overloaded));
    drop(flights);
    assert_eq!(setup.proxy.in_flight(), 0);
}

#[tokio::test]
async fn jobs_take_turns_where_memory_is_short() {
    let setup = Setup::new(cache::Settings::default()).await;
    let widths = [10, 20, 30, 40, 50, 60];
    let plans = join_all(widths.map(|width| {
        let (proxy, object) = (&setup.proxy, setup.object(KEY));
        async move { proxy.explain(&object, &recipe(width)).await }
    }));
    let peaks = plans.await.into_iter();
    let peak = peaks.map(|job| job.expect("a plan").peak_bytes).max();
    assert_eq!(setup.renders(), 0, "explaining makes nothing");
    // For one of them at a time.
    let work = work::Settings {
        workers: 4,
        pixel_bytes: peak.expect("plans").next_multiple_of(1024),
        ..work::Settings::default()
    };
    let tight = Setup::with(cache::Settings::default(), work, |_| ()).await;
    let served = join_all(widths.map(|width| tight.serve(width))).await;
    assert_eq!(served.iter().flatten().count(), widths.len());
    assert_eq!(tight.metric("pixel_budget_in_use_bytes"), 0);
}

#[tokio::test]
async fn a_job_larger_than_all_memory_is_the_pictures_fault() {
    let work = work::Settings {
        pixel_bytes: 1024,
        ..work::Settings::default()
    };
    let setup = Setup::with(cache::Settings::default(), work, |_| ()).await;
    let error = setup.serve(32).await.expect_err("no memory");
    assert!(
        matches!(&*error, Error::Picture(codec::Error::Limit(_))),
        "{error:?}"
    );
    assert!(
        error.to_string().ends_with("and the limit is 0 MB"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_no_picture_is_not_kept() {
    let setup = Setup::new(cache::Settings::default()).await;
    setup.bucket.put(KEY, "just some text, no picture at all");
    for asked in 1..=2 {
        let error = setup.serve(32).await.expect_err("no picture");
        assert!(
            matches!(&*error, Error::Picture(codec::Error::Unsupported(_))),
            "{error:?}"
        );
        assert_eq!(setup.hits(), asked);
    }
    setup.bucket.put(KEY, picture(1));
    assert_eq!(setup.how(32).await, MISS);
}

#[tokio::test]
async fn a_source_replaced_in_the_bucket_is_seen_once_its_variant_is_stale() {
    let setup = Setup::new(ALWAYS_ASK).await;
    let first = setup.serve(32).await.expect("a picture");
    assert_eq!(first.how, MISS);
    let same = setup.serve(32).await.expect("a picture");
    assert_eq!(same.how, How::Revalidated);
    assert_eq!(same.variant.etag, first.variant.etag);
    assert_eq!((setup.hits(), setup.renders()), (2, 1));
    setup.bucket.put(KEY, picture(2));
    let other = setup.serve(32).await.expect("a picture");
    assert_eq!(other.how, MISS);
    assert_ne!(other.variant.etag, first.variant.etag);
    assert_ne!(other.variant.bytes, first.variant.bytes);
    assert_eq!((setup.hits(), setup.renders()), (3, 2));
}

#[tokio::test]
async fn a_stale_variant_is_served_while_the_origin_is_asked() {
    let setup = Setup::new(cache::Settings {
        stale_while_revalidate: LONG,
        ..ALWAYS_ASK
    })
    .await;
    let old = setup.serve(32).await.expect("a picture");
    setup.bucket.put(KEY, picture(2));
    setup.bucket.fail_next(KEY, Fault::Late(A_WHILE));
    for _ in 0..50 {
        let stale = setup.serve(32).await.expect("a picture");
        assert_eq!(stale.how, How::Stale);
        assert_eq!(stale.variant.etag, old.variant.etag);
    }
    setup.bucket.until(|counts| counts.in_flight == 1).await;
    assert_eq!(setup.hits(), 2, "one of the fifty asks");
    let until = Instant::now() + Duration::from_secs(20);
    while setup.proxy.in_flight() > 0 {
        assert!(Instant::now() < until, "it never lands");
        tokio::task::yield_now().await;
    }
    let new = setup.serve(32).await.expect("a picture");
    assert_eq!(new.how, How::Stale);
    assert_ne!(new.variant.etag, old.variant.etag);
}

#[tokio::test]
async fn a_stale_variant_is_served_when_the_origin_fails() {
    let setup = Setup::new(cache::Settings {
        stale_if_error: LONG,
        ..ALWAYS_ASK
    })
    .await;
    assert_eq!(setup.how(32).await, MISS);
    let broken = Fault::Status(500, "InternalError");
    setup.bucket.fail_everywhere(Some(broken));
    assert_eq!(setup.how(32).await, How::Stale);
    let asked = setup.hits();
    assert!(asked > 1);
    assert_eq!(setup.how(32).await, How::Stale);
    assert_eq!(
        setup.hits(),
        asked,
        "an origin in trouble is left alone for a while"
    );
    let error = setup
        .serve(33)
        .await
        .expect_err("nothing is kept of this one");
    assert!(matches!(&*error, Error::Origin(_)), "{error:?}");
}

#[tokio::test]
async fn a_variant_that_may_not_be_served_stale_is_not() {
    let setup = Setup::new(ALWAYS_ASK).await;
    assert_eq!(setup.how(32).await, MISS);
    let broken = Fault::Status(500, "InternalError");
    setup.bucket.fail_everywhere(Some(broken));
    let error = setup.serve(32).await.expect_err("not even stale");
    assert!(matches!(&*error, Error::Origin(_)), "{error:?}");
    setup.bucket.fail_everywhere(None);
    assert_eq!(
        setup.how(32).await,
        How::Revalidated,
        "what was kept is still there"
    );
}

#[tokio::test]
async fn an_object_that_is_gone_takes_its_variant_along() {
    let setup = Setup::new(cache::Settings {
        stale_if_error: LONG,
        negative: LONG,
        ..ALWAYS_ASK
    })
    .await;
    assert_eq!(setup.how(32).await, MISS);
    setup.bucket.remove(KEY);
    for _ in 0..3 {
        let error = setup.serve(32).await.expect_err("gone");
        let is_missing = matches!(&*error, Error::Origin(origin::Error::NotFound { .. }));
        assert!(is_missing, "{error:?}");
    }
    assert_eq!(setup.hits(), 2, "one look was enough");
}

#[tokio::test]
async fn a_missing_object_is_asked_for_once_by_many() {
    let setup = Setup::new(cache::Settings {
        negative: LONG,
        ..ALWAYS_ASK
    })
    .await;
    setup.bucket.remove(KEY);
    let answers = join_all((0..20).map(|_| setup.serve(32))).await;
    assert!(answers.iter().all(Result::is_err));
    assert!(setup.serve(33).await.is_err(), "nor another variant");
    assert_eq!(setup.hits(), 1);
}

#[tokio::test]
async fn a_late_object_appears_once_its_absence_is_forgotten() {
    // Forgotten at once: how long it takes is tested, without waiting for it, in `cache::missing`.
    let setup = Setup::new(ALWAYS_ASK).await;
    setup.bucket.remove(KEY);
    assert!(setup.serve(32).await.is_err());
    setup.bucket.put(KEY, picture(1));
    assert_eq!(setup.how(32).await, MISS);
}

#[tokio::test]
async fn an_object_says_how_long_it_lives_where_that_is_honoured() {
    for (honour, said, second) in [
        (true, "no-store", MISS),
        (true, "private", MISS),
        (true, "max-age=3600", How::Hit),
        (true, "no-cache", How::Revalidated),
        (false, "no-store", How::Hit),
    ] {
        let settings = cache::Settings::default();
        let change = |source: &mut SourceSettings| source.honour_cache_control = honour;
        let setup = Setup::with(settings, work::Settings::default(), change).await;
        let stored = Stored {
            cache_control: Some(said.to_owned()),
            ..Stored::new(picture(1))
        };
        setup.bucket.put_object(KEY, stored);
        let first = setup.serve(32).await.expect("a picture");
        let expected = honour.then_some(said);
        let header = first.variant.cache_control.as_ref();
        assert_eq!(header.map(|value| value.to_str().expect("text")), expected);
        assert_eq!(setup.how(32).await, second, "{said}, honoured: {honour}");
    }
}

#[tokio::test]
async fn readiness_names_the_source_that_is_down() {
    let setup = Setup::new(cache::Settings::default()).await;
    let readiness = setup.proxy.ready().await;
    assert!(readiness.is_ready(), "{readiness:?}");
    let source = setup.bucket.source("/");
    drop(setup);
    let (proxy, _) = proxy(
        source,
        work::Settings::default(),
        cache::Settings::default(),
    );
    let readiness = proxy.ready().await;
    assert!(!readiness.is_ready());
    let (name, probe) = &readiness.sources[0];
    assert_eq!(name, "test");
    assert!(probe.is_err());
}

#[tokio::test]
async fn after_shutdown_work_is_refused() {
    let setup = Setup::new(cache::Settings::default()).await;
    assert_eq!(setup.how(32).await, MISS);
    assert!(setup.proxy.shutdown(Duration::from_secs(20)));
    assert_eq!(setup.how(32).await, How::Hit);
    let error = setup.serve(33).await.expect_err("no threads");
    assert!(matches!(*error, Error::Overloaded), "{error:?}");
}

/// What a browser that takes everything asks for, `width` wide.
fn negotiated(width: u32) -> Recipe {
    let accepts = Accepts {
        avif: true,
        webp: true,
    };
    let transform = Transform {
        width: Some(Length::Pixels(width)),
        auto: aquatint::recipe::transform::Auto {
            format: true,
            ..Default::default()
        },
        ..Transform::default()
    };
    Recipe::resolve(&transform, accepts, &Policy::new(PolicySettings::default()))
}

#[tokio::test]
async fn the_first_gets_webp_at_once_and_the_next_what_is_smaller() {
    if !OutputFormat::Avif.is_built_in() {
        println!("skipped: AVIF output is not built in");
        return;
    }
    let setup = Setup::new(cache::Settings::default()).await;
    let (object, recipe) = (setup.object(KEY), negotiated(60));
    let first = setup.proxy.serve_soon(&object, &recipe).await;
    let first = first.expect("a picture");
    assert_eq!(first.variant.format, OutputFormat::WebP);
    assert!(first.provisional && first.is_brief());
    let next = loop {
        let next = setup.proxy.serve_soon(&object, &recipe).await;
        let next = next.expect("a picture");
        if !next.provisional {
            break next;
        }
        assert_eq!(next.how, How::Hit, "the stand-in is made once");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(next.how, How::Hit);
    let (small, large) = (next.variant.bytes.len(), first.variant.bytes.len());
    assert!(small <= large, "{small} bytes behind {large}");
    // As smooth as this is, a file of so few pixels is mostly container.
    assert_eq!(next.variant.format == OutputFormat::WebP, small == large);
}

#[tokio::test]
async fn what_is_no_avif_anyway_is_made_once() {
    let setup = Setup::new(cache::Settings::default()).await;
    let plain = recipe(60);
    let served = setup.proxy.serve_soon(&setup.object(KEY), &plain).await;
    assert!(!served.expect("a picture").provisional);
    assert_eq!(setup.renders(), 1);
}

#[tokio::test]
async fn what_may_not_be_kept_is_not_made_behind() {
    let setup = Setup::new(cache::Settings::default()).await;
    let stored = Stored {
        cache_control: Some("no-store".to_owned()),
        ..Stored::new(picture(1))
    };
    setup.bucket.put_object(KEY, stored);
    for _ in 0..2 {
        let served = setup
            .proxy
            .serve_soon(&setup.object(KEY), &negotiated(60))
            .await;
        assert_eq!(
            served.expect("a picture").variant.format,
            OutputFormat::WebP
        );
    }
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(setup.renders(), 2);
}
