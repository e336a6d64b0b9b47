//! What a job holds at its peak is what it said before it began: never more, and not much less.
//!
//! A binary of its own, because it counts every allocation of the process (`count`); one test at a time,
//! so that nothing else allocates meanwhile. Bytes, not time and not the kernel's pages: the same
//! numbers on every run.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod bombs;
mod count;
mod drawings;
mod sources;

use std::{
    fmt::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aquatint::{
    pixels::{
        codec::{Cancel, Limits},
        geometry::Size,
        render::{self, OutputLimits},
    },
    recipe::{
        Recipe, Transform,
        dialect::Dialect,
        negotiate::Accepts,
        policy::{Policy, PolicySettings},
    },
};
use sources::{Content, Source};

/// How far an estimate may lie above what was held, as a share.
const SHARE: f64 = 1.5;

/// And in bytes, beside that: what codecs reserve for themselves whatever the picture, and a
/// small job never reaches.
const FLOOR: u64 = 6 << 20;

/// The same for pictures of few colours, which only their pixels tell: grays take a third of what
/// colours take, and a palette is quickly written.
const FEW_COLOURS: f64 = 3.1;

/// Large enough for a job to hold mostly pixels.
const STILL: Size = Size {
    width: 1800,
    height: 1200,
};

const MOVING: Size = Size {
    width: 640,
    height: 480,
};

/// Sources that go to every format in every way; the others, which differ in how they are read,
/// in one way to one.
const EVERYWHERE: [&str; 3] = ["jpeg", "png alpha", "gif moving"];

const FORMATS: [&str; 5] = ["jpg", "png", "webp", "avif", "gif"];

/// Stills whose quality is looked for: as a whole, and in parts.
const LOOKED_FOR: [&str; 2] = ["w=900&q=auto", "w=1500&q=auto"];

/// How far the estimate of these may lie above: it has to stand for the quality that takes most,
/// and few pictures need that.
const ANY_QUALITY: f64 = 3.1;

const RECIPES: [&str; 3] = ["w=200", "w=800&h=600&fit=crop&blur=20", ""];

/// One job, measured with a scene and with noise.
struct Line {
    name: String,
    said: u64,
    held: u64,
    /// Of the whole picture, where it is not made smaller.
    copy: u64,
}

impl Line {
    fn measure(sources: [&Source; 2], query: &str) -> Self {
        let recipe = recipe(query);
        let [(said, held), (noisy_said, noisy_held)] =
            sources.map(|source| measure(&source.bytes, &recipe));
        Self {
            name: format!("{} → {query}", sources[0].name),
            said: said.min(noisy_said),
            held: held.max(noisy_held),
            copy: if query.starts_with('&') {
                3 * STILL.pixels()
            } else {
                0
            },
        }
    }

    fn is_enough(&self) -> bool {
        self.held <= self.said
    }

    fn most(&self) -> f64 {
        let few = ["gray", "gif"].iter().any(|word| self.name.contains(word));
        match (few, self.name.contains("q=auto")) {
            (true, _) => FEW_COLOURS,
            (false, true) => ANY_QUALITY,
            (false, false) => SHARE,
        }
    }

    /// How much more was said, as a share, beside the floor and a copy of the whole picture, which
    /// only those need that have a colour profile to be converted.
    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers of bytes are far below 2^52"
    )]
    fn share(&self) -> f64 {
        self.said.saturating_sub(FLOOR + self.copy) as f64 / self.held as f64
    }
}

fn recipe(query: &str) -> Recipe {
    let transform = Transform::parse(query, Dialect::Imgix, true).expect("a query");
    let policy = Policy::new(PolicySettings::default());
    Recipe::resolve(&transform, Accepts::default(), &policy)
}

/// What a job says, and what it holds.
fn measure(bytes: &[u8], recipe: &Recipe) -> (u64, u64) {
    let limits = Limits::default();
    let output = OutputLimits {
        avif_pixels: 1 << 20,
        ..OutputLimits::default()
    };
    let job = render::prepare(bytes, recipe, &limits, &output).expect("a picture");
    let work = || render::render(bytes.into(), recipe, &job, &limits, &Cancel::default());
    let (rendered, held) = count::peak_of(work);
    rendered.expect("a picture");
    (job.peak_bytes, held)
}

/// One test at a time: what another allocates would be counted.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every kind of source, to every format where the way there differs.
fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    let scenes = sources::all(STILL, Content::Scene);
    let noises = sources::all(STILL, Content::Noise);
    let drawings = drawings::full(STILL.width, STILL.height);
    let moving = sources::moving(MOVING, Content::Scene);
    let noisy = sources::moving(MOVING, Content::Noise);
    // A drawing is its own noise: what is on it, is not what costs.
    let (scenes, noises) = (
        scenes.iter().chain(&drawings),
        noises.iter().chain(&drawings),
    );
    let (scenes, noises) = (scenes.chain(&moving), noises.chain(&noisy));
    for (scene, noise) in scenes.zip(noises) {
        let ways = RECIPES
            .iter()
            .flat_map(|recipe| FORMATS.map(|format| (*recipe, format)));
        let (some, all) = (
            [
                ("w=200", "webp"),
                ("", "jpg"),
                ("w=200&profile=fine", "jpg"),
            ],
            EVERYWHERE.contains(&scene.name),
        );
        let ways: Vec<_> = match scene.name {
            // Layers count at the size that the file says, where it is drawn smaller.
            "svg layers" => vec![("", "jpg")],
            _ if all => ways.collect(),
            _ => some.into(),
        };
        // A converted profile, and what a lossy encoder does for high quality.
        let more = [("w=800&q=90", "webp"), ("w=800&pad=9&bg=fff", "jpg")];
        let more = more.iter().filter(|_| scene.name == "jpeg profile");
        let looked_for = LOOKED_FOR
            .iter()
            .flat_map(|recipe| ["jpg", "pjpg", "webp", "avif"].map(|format| (*recipe, format)))
            .filter(|_| ["jpeg", "png alpha"].contains(&scene.name));
        // Frames by our own encoder, by libwebp, and without loss.
        let frames = ["", "q=95", "lossless=1"].map(|recipe| (recipe, "webp"));
        let frames = frames
            .into_iter()
            .filter(|_| scene.name.starts_with("webp moving"));
        let ways = ways.into_iter().chain(more.copied()).chain(looked_for);
        let ways = ways.chain(frames);
        for (recipe, format) in ways {
            lines.push(Line::measure(
                [scene, noise],
                &format!("{recipe}&fm={format}"),
            ));
        }
    }
    lines
}

#[test]
fn a_bomb_is_refused_or_answered_within_what_it_said() {
    let _alone = alone();
    let size = Size::new(64, 64);
    let sources = sources::all(size, Content::Scene);
    let progressive = sources
        .iter()
        .find(|source| source.name == "jpeg progressive");
    let progressive = &progressive.expect("one of them").bytes;
    assert!(bombs::is_answered(&bombs::scans(progressive, 1)));
    assert!(!bombs::is_answered(&bombs::scans(progressive, 500)));
    // The first frame is a still like any other.
    assert!(bombs::is_answered(&bombs::frames(5000)));
    assert!(!bombs::is_answered(&bombs::inflating(*b"iCCP")));
    assert!(bombs::is_answered(&bombs::inflating(*b"zTXt")));
    assert!(!bombs::is_answered(&bombs::nested(20_000)));
}

#[test]
fn reading_a_drawing_holds_what_it_said() {
    let _alone = alone();
    for drawing in drawings::dense() {
        drawings::check_reading(&drawing);
    }
}

#[test]
fn a_job_holds_what_it_said_it_would() {
    let _alone = alone();
    let lines = lines();
    let mut table = String::from("KiB said, KiB held, share beyond the floor\n");
    let mut wrong = 0;
    for line in &lines {
        let (
            Line {
                name, said, held, ..
            },
            share,
        ) = (line, line.share());
        let verdict = match (line.is_enough(), share > line.most()) {
            (false, _) => "SHORT",
            (true, true) => "LONG",
            (true, false) => "",
        };
        wrong += u32::from(!verdict.is_empty());
        let (said, held) = (said >> 10, held >> 10);
        writeln!(
            table,
            "{said:>8} {held:>8} {share:>6.2} {verdict:<5} {name}"
        )
        .expect("a string");
    }
    println!("{table}");
    assert_eq!(wrong, 0, "estimates are off, see the table");
}
