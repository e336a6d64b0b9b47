//! How near `quality=auto` and `auto=compress` come to what they aim at, and what looking for it
//! adds: photographs 800 pixels wide, beside the engine's own lossless result.
//!
//! ```text
//! cargo bench -p aquatint-bench --bench auto [-- --set tuning|test] [--width 800] [--jobs 2] [--write]
//! ```

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aquatint::{
    pixels::{
        codec::{Cancel, Limits},
        render::{OutputLimits, Rendered, prepare, render},
    },
    recipe::Recipe,
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
use nix::time::{ClockId, clock_gettime};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FORMATS: [&str; 3] = ["jpeg", "webp", "avif"];

/// What asks for a quality of the picture's own.
const WAYS: [&str; 2] = ["quality=auto", "auto=compress"];

/// Each time is the least of so many.
const TIMES: usize = 3;

/// One picture in one format, asked for in one way.
#[derive(Clone, Copy)]
struct Found {
    way: usize,
    format: usize,
    target: f64,
    score: f64,
    /// At the quality that looks as asked on the mean.
    mean_score: f64,
    quality: u8,
    bytes: usize,
    mean_bytes: usize,
    /// Milliseconds of a core beyond the same picture at the quality that was found.
    added: f64,
    /// The same where the search begins with what another width has found.
    added_again: f64,
}

fn main() -> ExitCode {
    aquatint_bench::main(run)
}

fn run() -> Result<()> {
    let mut arguments = Arguments::read();
    let write = arguments.switch("--write");
    let set = arguments.value("--set")?.unwrap_or("test".to_owned());
    let width = arguments.number("--width", 800)?;
    let jobs = arguments.number("--jobs", 2)?;
    arguments.finish()?;

    let folders = Folders::new();
    let pictures = Pictures::prepare(&folders)?;
    let photographs = match set.as_str() {
        "tuning" => &pictures.tuning,
        "test" => &pictures.test,
        _ => return Err(format!("there is no set {set}, only tuning and test").into()),
    };
    let found = all(&folders, photographs, width, jobs)?;
    let mut report = Report::new(&folders, "auto", write);
    report.circumstances(&[]);
    let count = photographs.len();
    let budget = OutputLimits::default().auto_quality_time.as_millis();
    report.say(format!(
        "{count} photographs of the {set} set, {width} wide; {budget} ms may be added."
    ));
    report.say(table(&found));
    report.finish()
}

/// All photographs, several at a time.
fn all(
    folders: &Folders,
    photographs: &[PathBuf],
    width: usize,
    jobs: usize,
) -> Result<Vec<Found>> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        let mut decoder = Decoder::start(folders)?;
        while let Some(path) = photographs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = photograph(&mut decoder, path, width)?;
            if let Ok(mut all) = all.lock() {
                all.extend(found);
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
    Ok(all.into_inner().unwrap_or_default())
}

/// One photograph in all formats, in both ways.
fn photograph(decoder: &mut Decoder, path: &Path, width: usize) -> Result<Vec<Found>> {
    let source = std::fs::read(path)?;
    let mut looks = |bytes: &[u8]| -> Result<Light> {
        let pixels = decoder.bytes(bytes)?;
        Ok(Light::of(&pixels.samples, pixels.width))
    };
    let lossless = recipe(&format!("width={width}&format=png"))?;
    let reference = looks(&rendered(&source, &lossless)?.bytes)?;
    let mut all = Vec::new();
    for (way, asked) in WAYS.iter().enumerate() {
        for (format, name) in FORMATS.iter().enumerate() {
            let query = |more: &str| recipe(&format!("width={width}&format={name}&{more}"));
            let auto = query(asked)?;
            let target = auto.output.aim.ok_or("no aim")?;
            let result = hinted(&source, &auto, None)?;
            let quality = result.quality.ok_or("no quality was found")?;
            let mean = query(&format!("quality={}", auto.output.quality))?;
            let mean = rendered(&source, &mean)?.bytes;
            let [plain, alone, again] =
                times(&source, &query(&format!("quality={quality}"))?, &auto)?;
            all.push(Found {
                way,
                format,
                target: target.into(),
                score: judge::ssimulacra2(&reference, &looks(&result.bytes)?)?,
                mean_score: judge::ssimulacra2(&reference, &looks(&mean)?)?,
                quality,
                bytes: result.bytes.len(),
                mean_bytes: mean.len(),
                added: alone - plain,
                added_again: again - plain,
            });
        }
    }
    Ok(all)
}

/// With a quality to begin with, where one is known.
fn hinted(source: &[u8], recipe: &Recipe, hint: Option<u8>) -> Result<Rendered> {
    let limits = Limits::default();
    let mut job = prepare(source, recipe, &limits, &OutputLimits::default())?;
    job.hint = hint;
    Ok(render(
        source.into(),
        recipe,
        &job,
        &limits,
        &Cancel::default(),
    )?)
}

/// Milliseconds at the quality that is known, of looking for it, and of looking for it where half
/// the width has found one. In turns; of each the least.
fn times(source: &[u8], plain: &Recipe, auto: &Recipe) -> Result<[f64; 3]> {
    let mut smaller = auto.clone();
    smaller.bounds.width = smaller.bounds.width.map(halved);
    let hint = hinted(source, &smaller, None)?.quality;
    let mut least = [f64::MAX; 3];
    for _ in 0..TIMES {
        for (least, (recipe, hint)) in
            least
                .iter_mut()
                .zip([(plain, None), (auto, None), (auto, hint)])
        {
            let before = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
            hinted(source, recipe, hint)?;
            let took = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)? - before;
            let took = took.tv_sec() as f64 * 1e3 + took.tv_nsec() as f64 / 1e6;
            *least = least.min(took);
        }
    }
    Ok(least)
}

fn halved(length: aquatint::pixels::geometry::Length) -> aquatint::pixels::geometry::Length {
    use aquatint::pixels::geometry::Length;
    match length {
        Length::Pixels(pixels) => Length::Pixels((pixels / 2).max(1)),
        share @ Length::Share(_) => share,
    }
}

/// A line for each way and format.
fn table(found: &[Found]) -> Table {
    let mut table = Table::new(&[
        "asked for",
        "aim",
        "format",
        "off, mean",
        "off, most",
        "score",
        "qualities",
        "bytes",
        "off at the mean's quality",
        "bytes there",
        "ms added, median",
        "most",
        "median with a hint",
    ]);
    for (way, asked) in WAYS.iter().enumerate() {
        for (format, name) in FORMATS.iter().enumerate() {
            let of: Vec<_> = (found.iter())
                .filter(|found| found.way == way && found.format == format)
                .collect();
            let Some(first) = of.first() else { continue };
            let mean = |value: &dyn Fn(&Found) -> f64| {
                of.iter().map(|found| value(found)).sum::<f64>() / of.len() as f64
            };
            let most = |value: &dyn Fn(&Found) -> f64| {
                of.iter().map(|found| value(found)).fold(f64::MIN, f64::max)
            };
            let median = |value: &dyn Fn(&Found) -> f64| {
                let mut values: Vec<_> = of.iter().map(|found| value(found)).collect();
                values.sort_by(f64::total_cmp);
                values[values.len() / 2]
            };
            let off = |found: &Found| (found.score - found.target).abs();
            let qualities = of.iter().map(|found| found.quality);
            table.row(vec![
                format!("`{asked}`"),
                first.target.to_string(),
                (*name).to_owned(),
                format!("{:.2}", mean(&off)),
                format!("{:.2}", most(&off)),
                format!("{:.2}", mean(&|found| found.score)),
                format!(
                    "{} to {}",
                    qualities.clone().min().unwrap_or_default(),
                    qualities.max().unwrap_or_default()
                ),
                format!("{:.0}", mean(&|found| found.bytes as f64)),
                format!(
                    "{:.2}",
                    mean(&|found| (found.mean_score - found.target).abs())
                ),
                format!("{:.0}", mean(&|found| found.mean_bytes as f64)),
                format!("{:.1}", median(&|found| found.added)),
                format!("{:.1}", most(&|found| found.added)),
                format!("{:.1}", median(&|found| found.added_again)),
            ]);
        }
    }
    table
}
