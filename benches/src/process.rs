//! Processes that answer one line of JSON with another: sharp in Node.js, and our engine in one
//! of its own, so that CPU and memory can be told apart.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use nix::{time::ClockId, unistd::Pid};
use serde_json::Value;

use crate::{Result, pictures::Folders};

/// The word that makes a benchmark's executable answer questions instead of asking them.
pub const ANSWER: &str = "--answer";

/// A process that answers.
#[derive(Debug)]
pub struct Process {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Node.js with `sharp.mjs`.
    ///
    /// # Errors
    /// Node.js cannot be started.
    pub fn node(folders: &Folders) -> Result<Self> {
        Self::start(
            Command::new("node")
                .arg(folders.scripts.join("sharp.mjs"))
                .arg(folders.npm())
                // Four pictures at once need four threads.
                .env("UV_THREADPOOL_SIZE", "4"),
        )
    }

    /// This executable again, as our engine.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn ours() -> Result<Self> {
        Self::start(Command::new(std::env::current_exe()?).arg(ANSWER))
    }

    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{command:?} cannot be started: {error}"))?;
        let asks = child.stdin.take().ok_or("no standard input")?;
        let answers = child.stdout.take().ok_or("no standard output")?;
        Ok(Self {
            child,
            asks,
            answers: BufReader::new(answers),
        })
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// The process has ended, or says what went wrong.
    pub fn ask(&mut self, question: &Value) -> Result<Value> {
        writeln!(self.asks, "{question}")?;
        self.asks.flush()?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(format!("the process has ended over {question}").into());
        }
        let answer: Value = serde_json::from_str(&line)?;
        match answer["error"].as_str() {
            Some(error) => Err(format!("{error} ({question})").into()),
            None => Ok(answer),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers questions on standard input until it ends.
///
/// # Errors
/// Standard input or output fails.
pub fn answer(mut answer: impl FnMut(&Value) -> Result<Value>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answered = serde_json::from_str(&line?)
            .map_err(Into::into)
            .and_then(|question| answer(&question));
        let answered =
            answered.unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }));
        writeln!(out, "{answered}")?;
        out.flush()?;
    }
    Ok(())
}

/// Most bytes that a process has held in memory so far.
///
/// # Errors
/// There is no such process.
pub fn peak_bytes(id: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kilobytes.ok_or("no VmHWM in /proc")? * 1024)
}

/// CPU that a process has used so far, in milliseconds: all its threads, also those that ended.
///
/// # Errors
/// There is no such process.
pub fn cpu_ms(id: u32) -> Result<f64> {
    let process = Pid::from_raw(i32::try_from(id)?);
    let used = ClockId::pid_cpu_clock_id(process)?.now()?;
    Ok(Duration::from(used).as_secs_f64() * 1e3)
}
