//! What a benchmark prints, and where `docs/benchmarks.md` keeps it.

use std::{fmt::Write as _, path::PathBuf, process::Command};

use crate::{Result, pictures::Folders};

/// Printed as it grows; kept between two marks of the page where `--write` asks for it.
#[derive(Debug)]
pub struct Report {
    name: &'static str,
    write: bool,
    page: PathBuf,
    text: String,
}

impl Report {
    /// An empty one. `name` is that of the benchmark, and of its marks.
    #[must_use]
    pub fn new(folders: &Folders, name: &'static str, write: bool) -> Self {
        Self {
            name,
            write,
            page: folders.scripts.join("../docs/benchmarks.md"),
            text: String::new(),
        }
    }

    /// Adds a paragraph or a table.
    pub fn say(&mut self, paragraph: impl std::fmt::Display) {
        let paragraph = paragraph.to_string();
        println!("{}\n", paragraph.trim_end());
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{}\n", paragraph.trim_end());
    }

    /// Says what it ran on, and when: the figures mean nothing without.
    pub fn circumstances(&mut self, versions: &[String]) {
        let machine = machine();
        let date = output("date", &["-u", "+%Y-%m-%d %H:%M UTC"]);
        // The product's last change: measuring it anew is none.
        let product = ["src", "Cargo.toml"];
        let commit = output(
            "git",
            &[&["log", "-1", "--format=%h", "--"], &product[..]].concat(),
        );
        let open = output(
            "git",
            &[&["status", "--short", "--"], &product[..]].concat(),
        );
        let open = if open.is_empty() { "" } else { " and changes" };
        let mut all = vec![format!("aquatint {commit}{open}")];
        all.extend_from_slice(versions);
        let all = all.join(", ");
        self.say(format!("{date}, {machine}; {all}."));
    }

    /// Keeps it, where that was asked for.
    ///
    /// # Errors
    /// The page cannot be written, or has no such marks.
    pub fn finish(self) -> Result<()> {
        if !self.write {
            return Ok(());
        }
        let page = std::fs::read_to_string(&self.page)?;
        let (open, close) = (
            format!("<!-- {} -->\n", self.name),
            format!("<!-- /{} -->", self.name),
        );
        let marks = page.split_once(&open).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(&close)?;
            Some(format!("{before}{open}\n{}{close}{after}", self.text))
        });
        let written = marks.ok_or_else(|| format!("{} has no {open}", self.page.display()))?;
        Ok(std::fs::write(&self.page, written)?)
    }
}

/// Processor, cores, memory and what else keeps them busy.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let processor = field(&read("/proc/cpuinfo"), "model name");
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let kilobytes: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "{processor}, {cores} cores, {} GiB, load {load} at the start",
        kilobytes >> 20
    )
}

/// What a small command prints in the repository, or nothing.
fn output(command: &str, arguments: &[&str]) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let output = Command::new(command)
        .args(arguments)
        .current_dir(folder)
        .output();
    output.map_or(String::new(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}
