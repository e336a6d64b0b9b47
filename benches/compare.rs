//! Our engine beside sharp and oximg, the same pictures in turn in one run: CPU, time, memory,
//! bytes and look, per pair of formats.
//!
//! ```text
//! cargo bench -p aquatint-bench --bench compare -- [--only webp] [--quick] [--rounds 9]
//!     [--match look|bytes|both|none] [--quality 80] [--profile fast,fine] [--write]
//! ```

use std::process::ExitCode;

use aquatint_bench::{
    Result,
    arguments::Arguments,
    contest::{Contest, Match, Standing},
    decoder::Decoder,
    engine::{self, Kind, Request},
    pictures::{Folders, Pictures},
    process,
    report::Report,
    score::Judge,
    table::Table,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A source, and what is to be made of it.
struct Case {
    title: &'static str,
    source: &'static str,
    width: u32,
    format: &'static str,
}

const fn case(title: &'static str, source: &'static str, width: u32, format: &'static str) -> Case {
    Case {
        title,
        source,
        width,
        format,
    }
}

const CASES: [Case; 15] = [
    case("12 MP JPEG → 800 JPEG", "12mp.jpg", 800, "jpeg"),
    case(
        "12 MP JPEG of leaves → 800 JPEG",
        "12mp-leaves.jpg",
        800,
        "jpeg",
    ),
    case("12 MP JPEG → 800 WebP", "12mp.jpg", 800, "webp"),
    case("12 MP JPEG → 800 AVIF", "12mp.jpg", 800, "avif"),
    case("24 MP JPEG → 400 WebP", "24mp.jpg", 400, "webp"),
    case("24 MP JPEG → 800 WebP", "24mp.jpg", 800, "webp"),
    case(
        "12 MP progressive JPEG → 800 WebP",
        "12mp-progressive.jpg",
        800,
        "webp",
    ),
    case(
        "12 MP progressive JPEG → 800 JPEG",
        "12mp-progressive.jpg",
        800,
        "jpeg",
    ),
    case(
        "12 MP progressive JPEG → 320 JPEG",
        "12mp-progressive.jpg",
        320,
        "jpeg",
    ),
    case("4 MP PNG → 800 WebP", "4mp.png", 800, "webp"),
    case("4 MP PNG → 800 PNG", "4mp.png", 800, "png"),
    case(
        "4 MP filtered PNG → 800 PNG",
        "4mp-filtered.png",
        800,
        "png",
    ),
    case("2 MP WebP → 400 WebP", "2mp.webp", 400, "webp"),
    case(
        "animated GIF → 320 animated WebP",
        "animated.gif",
        320,
        "webp",
    ),
    case("2 MP AVIF → 800 WebP", "2mp.avif", 800, "webp"),
];

/// What sharp takes for AVIF where nothing is asked for; its scale is another than JPEG's.
const SHARP_AVIF: u8 = 50;

fn main() -> ExitCode {
    aquatint_bench::main(run)
}

fn run() -> Result<()> {
    let mut arguments = Arguments::read();
    if arguments.switch(process::ANSWER) {
        return engine::ours::answer();
    }
    let quick = arguments.switch("--quick");
    let write = arguments.switch("--write");
    let only = arguments.value("--only")?.unwrap_or_default();
    let rounds = arguments.number("--rounds", if quick { 3 } else { 9 })?;
    let quality = u8::try_from(arguments.number("--quality", 80)?)?;
    let profiles = arguments
        .value("--profile")?
        .unwrap_or("fast,fine".to_owned());
    let matched = match arguments.value("--match")?.as_deref() {
        None | Some("look") => Match::Look,
        Some("bytes") => Match::Bytes,
        Some("both") => Match::Both,
        Some("none") => Match::Nothing,
        Some(other) => {
            return Err(format!("--match {other}: it is look, bytes, both or none").into());
        }
    };
    arguments.finish()?;

    let folders = Folders::new();
    let pictures = Pictures::prepare(&folders)?;
    engine::install_oximg(&folders)?;
    let mut decoder = Decoder::start(&folders)?;
    let mut report = Report::new(&folders, "compare", write);
    report.circumstances(&decoder.versions()?);
    report.say(rules(matched, rounds));
    let mut summary = Table::new(&["", "sharp", "sharp effort 1", "oximg"]);
    let mut contest = Contest {
        folders: &folders,
        decoder: &mut decoder,
        matched,
        rounds,
        thorough: true,
    };
    for case in CASES.iter().filter(|case| case.title.contains(&only)) {
        let request = Request {
            source: pictures.made(case.source),
            width: case.width,
            height: None,
            format: case.format,
            quality: None,
            animated: true,
        };
        report.say(format!("### {}", case.title));
        let mut judge = Judge::of(contest.decoder, &request.source)?;
        for profile in profiles.split(',') {
            let standings = contest.run(&mut judge, &request, &engines(case, quality, profile))?;
            report.say(standing_table(&standings));
            let mut row = vec![format!("{}, {profile}", case.title)];
            row.extend(RIVALS.map(|rival| {
                let rival = standings.iter().find(|standing| standing.kind == rival);
                rival.map_or(String::new(), |rival| {
                    format!("{:.3}", rival.share(&standings[0])[1])
                })
            }));
            summary.row(row);
        }
    }
    report.say("### CPU of aquatint as a share of the other's, median of pairs");
    report.say(summary);
    report.finish()
}

/// The columns of the summary.
const RIVALS: [Kind; 3] = [Kind::Sharp(None), Kind::Sharp(Some(1)), Kind::Oximg];

/// Who takes part, each with the quality it starts from; ours first.
fn engines(case: &Case, quality: u8, profile: &str) -> Vec<(Kind, Option<u8>)> {
    let asked = (case.format != "png").then_some(quality);
    let mut engines = vec![(Kind::Ours(format!("profile={profile}")), asked)];
    if case.format == "avif" {
        engines.push((Kind::Sharp(Some(1)), Some(SHARP_AVIF)));
        engines.push((Kind::Sharp(None), Some(SHARP_AVIF)));
    } else {
        engines.push((Kind::Sharp(None), asked));
    }
    engines.push((Kind::Oximg, asked));
    engines
}

fn rules(matched: Match, rounds: usize) -> String {
    let held = match matched {
        Match::Look => {
            "The others' quality is the one at which their result looks most like the first \
             line's: SSIMULACRA2 beside the reference that each comes nearer to."
        }
        Match::Bytes => {
            "The others' quality is the one at which their result has most nearly the bytes of \
             the first line's."
        }
        Match::Both => {
            "The others' quality is the one at which their result is as many points of SSIMULACRA2 \
             off the first line's as its bytes are off by threes in a hundred, the other way."
        }
        Match::Nothing => "Each engine was asked for the same quality (sharp's AVIF for 50).",
    };
    format!(
        "{held} {rounds} rounds, each engine in turn, there and back; CPU and time are medians \
         of a picture, `share` is our CPU as a part of this engine's, median of the rounds, and \
         in brackets its least and most. Scores are beside a reference resized in linear light \
         / in coded numbers. Peak memory is that of a fresh process with one picture / with four \
         at once; oximg's holds an HTTP server, sharp's holds Node.js."
    )
}

fn standing_table(standings: &[Standing]) -> Table {
    let mut table = Table::new(&[
        "engine",
        "quality",
        "CPU ms",
        "wall ms",
        "share",
        "bytes",
        "ours / its",
        "SSIMULACRA2",
        "Butteraugli",
        "peak MB",
    ]);
    for standing in standings {
        let mut row = vec![
            standing.kind.name(),
            standing
                .quality
                .map_or(String::new(), |quality| quality.to_string()),
            format!("{:.1}", standing.cpu()),
            format!("{:.1}", standing.wall()),
        ];
        let ours = &standings[0];
        row.push(if standing.kind.is_ours() {
            String::new()
        } else {
            let [least, middle, most] = standing.share(ours);
            format!("{middle:.3} ({least:.2}–{most:.2})")
        });
        let scores = &standing.scores;
        row.push(scores.bytes.to_string());
        row.push(format!(
            "{:.3}",
            ours.scores.bytes as f64 / scores.bytes as f64
        ));
        let [linear, coded] = scores.ssimulacra2;
        row.push(format!("{linear:.1} / {coded:.1}"));
        let [linear, coded] = scores.butteraugli;
        row.push(format!("{linear:.2} / {coded:.2}"));
        let [one, four] = standing.peaks.map(|bytes| bytes as f64 / 1e6);
        row.push(format!("{one:.0} / {four:.0}"));
        table.row(row);
    }
    table
}
