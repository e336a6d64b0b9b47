//! Large files of a folder, which are decoded as they are read: nobody sees a difference.

use std::{fs, path::Path, sync::Arc};

use aquatint::{
    cache,
    origin::{self, FetchLimits, Fetched, ObjectKey, Source, SourceKind, Sources},
    pixels::{
        bitmap::{Bitmap, Colour, Layout, Samples},
        codec::{self, Cancel, Effort, EncodeOptions, Error as PictureError, Limits},
        format::OutputFormat,
        geometry::Size,
        render::{self, Engine, OutputLimits},
    },
    proxy::{Error, Object, Proxy},
    recipe::{
        Recipe, Transform,
        dialect::Dialect,
        negotiate::Accepts,
        policy::{Policy, PolicySettings},
    },
    work::{
        self,
        budget::{Budget, Permit},
    },
};

use crate::support::bucket;

/// From here on files are not read as a whole.
const LARGE: usize = 1 << 20;

/// Noise, which no encoder makes small.
fn noise(format: OutputFormat, progressive: bool) -> Vec<u8> {
    let size = Size::new(1000, 900);
    let mut state = 7u32;
    let mut sample = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    let bitmap = Bitmap {
        size,
        layout: Layout::Rgb,
        samples: Samples::U8((0..size.pixels() * 3).map(|_| sample()).collect()),
        colour: Colour::Srgb,
    };
    let options = EncodeOptions {
        format,
        quality: 95,
        lossless: false,
        progressive,
        effort: Effort::Quick,
        exif: None,
    };
    let bytes = codec::encode(&bitmap, &options, &Cancel::default()).expect("an encoding");
    assert!(bytes.len() > LARGE);
    bytes
}

fn recipe(query: &str) -> Recipe {
    let transform = Transform::parse(query, Dialect::Imgix, true).expect("a query");
    let policy = Policy::new(PolicySettings::default());
    Recipe::resolve(&transform, Accepts::default(), &policy)
}

/// What comes of it where all of it is in memory.
fn expected(source: &[u8], query: &str) -> Result<Vec<u8>, PictureError> {
    let (recipe, limits) = (recipe(query), Limits::default());
    let job = render::prepare(source, &recipe, &limits, &OutputLimits::default())?;
    let rendered = render::render(source.into(), &recipe, &job, &limits, &Cancel::default());
    rendered.map(|rendered| rendered.bytes)
}

struct Setup {
    root: tempfile::TempDir,
    sources: Arc<Sources>,
    proxy: Proxy,
}

impl Setup {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let kind = SourceKind::Folder {
            root: root.path().to_owned(),
        };
        let work = work::Settings::default();
        let budget = Budget::new(work.source_bytes);
        let source = bucket::source("/", kind);
        let sources = Sources::new(vec![source], &FetchLimits::default(), budget);
        let sources = Arc::new(sources.expect("a source"));
        let proxy = Proxy::with_engine(
            Engine::default(),
            Arc::clone(&sources),
            Limits::default(),
            OutputLimits::default(),
            &work,
            &cache::Settings::default(),
        );
        Self {
            root,
            sources,
            proxy: proxy.expect("threads"),
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).expect("a file");
    }

    fn path(&self) -> &Path {
        self.root.path()
    }

    async fn fetch(&self, name: &str) -> Source {
        let key = ObjectKey::new(name).expect("a key");
        match self.sources.origins[0].fetch(&key, None).await {
            Ok(Fetched::Full(source)) => source,
            other => panic!("{other:?}"),
        }
    }

    async fn serve(&self, name: &str, query: &str) -> Result<Vec<u8>, Arc<Error>> {
        let object = Object {
            origin: Arc::clone(&self.sources.origins[0]),
            key: ObjectKey::new(name).expect("a key"),
        };
        let served = self.proxy.serve(&object, &recipe(query)).await;
        served.map(|served| served.variant.bytes.to_vec())
    }
}

#[track_caller]
fn check(found: Result<Vec<u8>, Arc<Error>>, expected: &Result<Vec<u8>, PictureError>) {
    match (found, expected) {
        (Ok(found), Ok(expected)) => assert!(found == *expected, "another picture"),
        (Err(found), Err(expected)) => assert_eq!(found.to_string(), expected.to_string()),
        (found, expected) => panic!("{found:?}, not {expected:?}"),
    }
}

#[tokio::test]
async fn only_what_can_be_decoded_as_it_is_read_is_left_where_it_is() {
    let setup = Setup::new();
    let jpeg = noise(OutputFormat::Jpeg, false);
    setup.put("large.jpg", &jpeg);
    setup.put("small.jpg", &jpeg[..LARGE - 1]);
    setup.put("progressive.jpg", &noise(OutputFormat::Jpeg, true));
    setup.put("large.png", &noise(OutputFormat::Png, false));
    setup.put("large.txt", &vec![b' '; LARGE]);
    // Metadata that no head is long enough for.
    let comment = [vec![0xFF, 0xFE, 0xFF, 0xFF], vec![0; 65_533]].concat();
    setup.put(
        "comments.jpg",
        &[&jpeg[..2], &comment.repeat(4), &jpeg[2..]].concat(),
    );

    let large = setup.fetch("large.jpg").await;
    assert!(large.file.is_some() && large.bytes.len() < 1000);
    assert_eq!(large.length(), jpeg.len() as u64);
    assert_eq!(large.permit.as_ref().map(Permit::bytes), Some(1024));
    for name in [
        "small.jpg",
        "progressive.jpg",
        "large.png",
        "large.txt",
        "comments.jpg",
    ] {
        let source = setup.fetch(name).await;
        assert!(source.file.is_none(), "{name}");
        assert_eq!(source.bytes.len() as u64, source.length());
    }
}

#[tokio::test]
async fn a_large_file_gives_the_same_pictures_as_any_other() {
    let setup = Setup::new();
    let jpeg = noise(OutputFormat::Jpeg, false);
    setup.put("tom.jpg", &jpeg);
    for query in [
        "w=200&fm=webp",
        "w=200&fm=jpg&profile=fine",
        "w=200&fm=webp&q=auto",
        // All of it is needed for these.
        "w=200&fm=webp&blur=20",
        "w=200&fm=png",
        "fm=jpg&q=95",
    ] {
        let found = setup.serve("tom.jpg", query).await;
        check(found, &expected(&jpeg, query));
    }
}

#[tokio::test]
async fn a_large_file_that_is_damaged_is_refused_as_any_other() {
    let setup = Setup::new();
    let jpeg = noise(OutputFormat::Jpeg, false);
    let cut = &jpeg[..jpeg.len() - 1000];
    assert!(cut.len() > LARGE);
    setup.put("cut.jpg", cut);
    for query in ["w=200&fm=webp", "w=200&fm=png"] {
        let found = setup.serve("cut.jpg", query).await;
        assert!(matches!(
            found.as_ref().map_err(|e| &**e),
            Err(Error::Picture(_))
        ));
        check(found, &expected(cut, query));
    }
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_decoded_is_the_origin_s_fault() {
    let setup = Setup::new();
    setup.put("tom.jpg", &noise(OutputFormat::Jpeg, false));
    let source = setup.fetch("tom.jpg").await;
    source.check().expect("as it was");
    let file = fs::OpenOptions::new()
        .write(true)
        .open(setup.path().join("tom.jpg"));
    file.expect("the file")
        .set_len(500_000)
        .expect("less of it");
    assert!(matches!(source.check(), Err(origin::Error::Failed { .. })));
    assert!(matches!(
        source.complete().await,
        Err(origin::Error::Failed { .. })
    ));
}
