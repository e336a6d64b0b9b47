//! The common benchmark of image proxies: photographs of 2 megapixels fitted to 512 × 512, each
//! format into itself, every engine as it comes.
//!
//! ```text
//! cargo bench -p aquatint-bench --bench field -- [--only webp] [--rounds 3] [--pictures 13] [--write]
//! ```

use std::{path::PathBuf, process::ExitCode};

use aquatint_bench::{
    Result,
    arguments::Arguments,
    contest::{Contest, Match, Standing, median},
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

/// Format, and the ending of its files.
const FORMATS: [(&str, &str); 4] = [
    ("jpeg", "jpg"),
    ("png", "png"),
    ("webp", "webp"),
    ("avif", "avif"),
];

const ENGINES: [Kind; 3] = [Kind::Ours(String::new()), Kind::Sharp(None), Kind::Oximg];

/// Pixels, both ways.
const BOX: u32 = 512;

fn main() -> ExitCode {
    aquatint_bench::main(run)
}

fn run() -> Result<()> {
    let mut arguments = Arguments::read();
    if arguments.switch(process::ANSWER) {
        return engine::ours::answer();
    }
    let only = arguments.value("--only")?.unwrap_or_default();
    let rounds = arguments.number("--rounds", 3)?;
    let most = arguments.number("--pictures", usize::MAX)?;
    let write = arguments.switch("--write");
    arguments.finish()?;

    let folders = Folders::new();
    let pictures = Pictures::prepare(&folders)?;
    engine::install_oximg(&folders)?;
    let mut decoder = Decoder::start(&folders)?;
    let mut report = Report::new(&folders, "field", write);
    report.circumstances(&decoder.versions()?);
    let mut table = Table::new(&[
        "format",
        "engine",
        "CPU ms",
        "share",
        "bytes",
        "SSIMULACRA2, linear",
        "coded",
    ]);
    let mut count = 0;
    for (format, ending) in FORMATS.iter().filter(|(format, _)| format.contains(&only)) {
        let mut sources = pictures.field(ending)?;
        sources.truncate(most);
        count = sources.len();
        let mut standings = Vec::new();
        for source in sources {
            let mut contest = Contest {
                folders: &folders,
                decoder: &mut decoder,
                matched: Match::Nothing,
                rounds,
                thorough: false,
            };
            let mut judge = Judge::of(contest.decoder, &source)?;
            let engines = ENGINES.map(|kind| (kind, None));
            standings.push(contest.run(&mut judge, &request(source, format), &engines)?);
        }
        for row in rows(format, &standings) {
            table.row(row);
        }
    }
    report.say(format!(
        "{count} photographs a format; means over them, CPU of each the median of {rounds}. Every \
         engine at its own defaults, so bytes and looks differ; `share` is our CPU as a part of \
         this engine's, median of the pictures."
    ));
    report.say(table);
    report.finish()
}

fn request(source: PathBuf, format: &'static str) -> Request {
    Request {
        source,
        width: BOX,
        height: Some(BOX),
        format,
        quality: None,
        animated: false,
    }
}

/// One row an engine, over all pictures.
fn rows(format: &str, pictures: &[Vec<Standing>]) -> Vec<Vec<String>> {
    let engines = pictures.first().map_or(0, Vec::len);
    let row = |at: usize| {
        let mean = |value: fn(&Standing) -> f64| {
            pictures
                .iter()
                .map(|picture| value(&picture[at]))
                .sum::<f64>()
                / pictures.len() as f64
        };
        let share = median(
            pictures
                .iter()
                .map(|picture| picture[at].share(&picture[0])[1]),
        );
        vec![
            format.to_owned(),
            pictures[0][at].kind.name(),
            format!("{:.1}", mean(Standing::cpu)),
            if at == 0 {
                String::new()
            } else {
                format!("{share:.3}")
            },
            format!("{:.0}", mean(|standing| standing.scores.bytes as f64)),
            format!("{:.1}", mean(|standing| standing.scores.ssimulacra2[0])),
            format!("{:.1}", mean(|standing| standing.scores.ssimulacra2[1])),
        ]
    };
    (0..engines).map(row).collect()
}
