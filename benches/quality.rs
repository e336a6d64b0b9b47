//! How pictures look and what they weigh at each `quality`, per format: mean SSIMULACRA2 and bytes
//! over many photographs, 800 pixels wide, beside the engine's own lossless result.
//!
//! ```text
//! cargo bench -p aquatint-bench --bench quality [-- --curve] [--set tuning|test] [--jobs 2] [--write]
//! ```

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aquatint_bench::{
    Result,
    arguments::Arguments,
    decoder::Decoder,
    engine::ours::{recipe, rendered},
    judge,
    light::Light,
    pictures::{Folders, Pictures},
    report::Report,
    table::Table,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FORMATS: [&str; 3] = ["jpeg", "webp", "avif"];

/// What pages ask for.
const QUALITIES: [u8; 4] = [40, 60, 80, 90];

/// Pixels.
const WIDTH: u32 = 800;

/// One picture in one format at one quality.
#[derive(Clone, Copy)]
struct Score {
    format: usize,
    quality: u8,
    ssimulacra2: f64,
    bytes: usize,
}

fn main() -> ExitCode {
    aquatint_bench::main(run)
}

fn run() -> Result<()> {
    let mut arguments = Arguments::read();
    let curve = arguments.switch("--curve");
    let write = arguments.switch("--write");
    let set = arguments.value("--set")?.unwrap_or("tuning".to_owned());
    let jobs = arguments.number("--jobs", 2)?;
    let extra = arguments.value("--query")?.unwrap_or_default();
    arguments.finish()?;

    let folders = Folders::new();
    let pictures = Pictures::prepare(&folders)?;
    let photographs = match set.as_str() {
        "tuning" => &pictures.tuning,
        "test" => &pictures.test,
        _ => return Err(format!("there is no set {set}, only tuning and test").into()),
    };
    let qualities: Vec<u8> = if curve {
        (5..=100).step_by(5).collect()
    } else {
        QUALITIES.to_vec()
    };
    let scores = all(&folders, photographs, &qualities, &extra, jobs)?;
    let mut report = Report::new(&folders, "quality", write);
    report.circumstances(&[]);
    let extra = if extra.is_empty() {
        extra
    } else {
        format!(", {extra}")
    };
    let count = photographs.len();
    report.say(format!(
        "{count} photographs of the {set} set, {WIDTH} wide{extra}."
    ));
    report.say(table(&scores, &qualities));
    report.finish()
}

/// Scores all photographs, several at a time.
fn all(
    folders: &Folders,
    photographs: &[PathBuf],
    qualities: &[u8],
    extra: &str,
    jobs: usize,
) -> Result<Vec<Score>> {
    let next = AtomicUsize::new(0);
    let scores = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        let mut decoder = Decoder::start(folders)?;
        while let Some(path) = photographs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = photograph(&mut decoder, path, qualities, extra)?;
            if let Ok(mut scores) = scores.lock() {
                scores.extend(found);
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().map_err(|_| "a worker panicked")??;
        }
        Ok(())
    })?;
    Ok(scores.into_inner().unwrap_or_default())
}

/// Scores one photograph in all formats and qualities.
fn photograph(
    decoder: &mut Decoder,
    path: &Path,
    qualities: &[u8],
    extra: &str,
) -> Result<Vec<Score>> {
    let source = std::fs::read(path)?;
    let mut looks = |query: String| -> Result<(Light, usize)> {
        let recipe = recipe(format!("{query}&{extra}").trim_end_matches('&'))?;
        let bytes = rendered(&source, &recipe)?.bytes;
        let pixels = decoder.bytes(&bytes)?;
        Ok((Light::of(&pixels.samples, pixels.width), bytes.len()))
    };
    let (reference, _) = looks(format!("width={WIDTH}&format=png"))?;
    let mut scores = Vec::new();
    for (format, name) in FORMATS.iter().enumerate() {
        for &quality in qualities {
            let (picture, bytes) = looks(format!("width={WIDTH}&format={name}&quality={quality}"))?;
            scores.push(Score {
                format,
                quality,
                ssimulacra2: judge::ssimulacra2(&reference, &picture)?,
                bytes,
            });
        }
    }
    Ok(scores)
}

/// Means over the photographs: score and bytes per format, and how far the formats are apart.
fn table(scores: &[Score], qualities: &[u8]) -> Table {
    let mut head = vec!["quality".to_owned()];
    head.extend(FORMATS.map(|name| format!("{name} score")));
    head.push("spread".to_owned());
    head.extend(FORMATS.map(|name| format!("{name} bytes")));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut table = Table::new(&head);
    for &quality in qualities {
        let mean = |format: usize, value: fn(&Score) -> f64| {
            let of = scores
                .iter()
                .filter(|s| s.format == format && s.quality == quality);
            let (sum, count) = of.fold((0.0, 0.0), |(sum, count), s| (sum + value(s), count + 1.0));
            sum / count
        };
        let means: [f64; 3] = std::array::from_fn(|format| mean(format, |s| s.ssimulacra2));
        let spread = means.iter().fold(f64::MIN, |a, &b| a.max(b))
            - means.iter().fold(f64::MAX, |a, &b| a.min(b));
        let mut row = vec![quality.to_string()];
        row.extend(means.map(|mean| format!("{mean:.2}")));
        row.push(format!("{spread:.2}"));
        row.extend(
            (0..FORMATS.len()).map(|format| format!("{:.0}", mean(format, |s| s.bytes as f64))),
        );
        table.row(row);
    }
    table
}
