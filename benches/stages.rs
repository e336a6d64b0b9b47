//! Where the time of a picture goes: decoding at the scales that sizes need, resizing, encoding
//! per format. Our engine alone, on one thread, inside this process.
//!
//! ```text
//! cargo bench -p aquatint-bench --bench stages -- [--only 12mp] [--times 15] [--write]
//! ```

use std::{path::Path, process::ExitCode};

use aquatint::pixels::render::Stages;
use aquatint_bench::{
    Result,
    arguments::Arguments,
    contest::median,
    engine::ours::{recipe, rendered},
    pictures::{Folders, Pictures},
    report::Report,
    table::Table,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sources, and the sizes and formats that are made of each.
const SOURCES: [(&str, &[u32]); 7] = [
    ("12mp.jpg", &[160, 320, 640, 800, 1200, 1600, 2400, 4000]),
    ("12mp-progressive.jpg", &[160, 320, 800, 1600]),
    ("24mp.jpg", &[400, 800, 1600]),
    ("4mp.png", &[400, 800]),
    ("2mp.webp", &[400, 800]),
    ("2mp.avif", &[400, 800]),
    ("animated.gif", &[160, 320]),
];

const FORMATS: [&str; 4] = ["jpeg", "webp", "avif", "png"];

/// The source and width whose encoders are compared.
const ENCODED: (&str, u32) = ("12mp.jpg", 800);

fn main() -> ExitCode {
    aquatint_bench::main(run)
}

fn run() -> Result<()> {
    let mut arguments = Arguments::read();
    let only = arguments.value("--only")?.unwrap_or_default();
    let times = arguments.number("--times", 15)?;
    let extra = arguments.value("--query")?.unwrap_or_default();
    let write = arguments.switch("--write");
    arguments.finish()?;

    let folders = Folders::new();
    let pictures = Pictures::prepare(&folders)?;
    let mut report = Report::new(&folders, "stages", write);
    report.circumstances(&[]);
    report.say(format!(
        "Milliseconds on the clock, one thread, median of {times}."
    ));
    let mut sizes = Table::new(&[
        "source", "width", "decode", "resize", "encode", "format", "bytes",
    ]);
    for (source, widths) in SOURCES.iter().filter(|(source, _)| source.contains(&only)) {
        for width in *widths {
            let format = if *source == "animated.gif" {
                "webp"
            } else {
                "jpeg"
            };
            let query = format!("width={width}&format={format}&{extra}");
            sizes.row(row(&pictures.made(source), &query, *width, format, times)?);
        }
    }
    report.say(sizes);
    let (source, width) = ENCODED;
    if source.contains(&only) {
        let mut formats = Table::new(&[
            "source", "width", "decode", "resize", "encode", "format", "bytes",
        ]);
        for format in FORMATS {
            let query = format!("width={width}&format={format}&{extra}");
            formats.row(row(&pictures.made(source), &query, width, format, times)?);
        }
        report.say(formats);
    }
    report.finish()
}

fn row(source: &Path, query: &str, width: u32, format: &str, times: usize) -> Result<Vec<String>> {
    let bytes = std::fs::read(source)?;
    let recipe = recipe(query.trim_end_matches('&'))?;
    let mut length = 0;
    let mut stages = Vec::new();
    for _ in 0..times.max(1) {
        let rendered = rendered(&bytes, &recipe)?;
        length = rendered.bytes.len();
        stages.push(rendered.stages);
    }
    let middle = |stage: fn(&Stages) -> std::time::Duration| {
        format!(
            "{:.2}",
            median(stages.iter().map(|s| stage(s).as_secs_f64() * 1e3))
        )
    };
    let name = source.file_name().unwrap_or_default().display().to_string();
    Ok(vec![
        name,
        width.to_string(),
        middle(|stages| stages.decode),
        middle(|stages| stages.transform),
        middle(|stages| stages.encode),
        format.to_owned(),
        length.to_string(),
    ])
}
