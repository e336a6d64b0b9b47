//! Any picture to plain pixels, by one decoder for all: sharp's, in a process of its own.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{Result, pictures::Folders};

/// A process of Node.js that answers one line of JSON with another.
#[derive(Debug)]
pub struct Node {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Node {
    /// Starts `sharp.mjs`.
    ///
    /// # Errors
    /// Node.js cannot be started.
    pub fn start(folders: &Folders) -> Result<Self> {
        let mut child = Command::new("node")
            .arg(folders.scripts.join("sharp.mjs"))
            .arg(folders.npm())
            // Four pictures at once need four threads.
            .env("UV_THREADPOOL_SIZE", "4")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node cannot be started: {error}"))?;
        let asks = child.stdin.take().ok_or("no standard input")?;
        let answers = child.stdout.take().ok_or("no standard output")?;
        Ok(Self {
            child,
            asks,
            answers: BufReader::new(answers),
        })
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// The process has ended, or says what went wrong.
    pub fn ask(&mut self, question: &Value) -> Result<Value> {
        ask(&mut self.asks, &mut self.answers, question)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One line there, one line back.
///
/// # Errors
/// As [`Node::ask`].
pub fn ask(asks: &mut impl Write, answers: &mut impl BufRead, question: &Value) -> Result<Value> {
    writeln!(asks, "{question}")?;
    asks.flush()?;
    let mut line = String::new();
    if answers.read_line(&mut line)? == 0 {
        return Err("the process has ended".into());
    }
    let answer: Value = serde_json::from_str(&line)?;
    match answer["error"].as_str() {
        Some(error) => Err(format!("{error} ({question})").into()),
        None => Ok(answer),
    }
}

/// Frames of 8-bit sRGB, red, green and blue.
#[derive(Clone, Debug)]
pub struct Pixels {
    /// Of one frame.
    pub width: usize,
    /// Of one frame.
    pub height: usize,
    /// One after the other, each of `width` × `height` × 3 bytes.
    pub samples: Vec<u8>,
}

impl Pixels {
    /// Each frame.
    #[must_use]
    pub fn frames(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.samples
            .chunks_exact((self.width * self.height * 3).max(1))
    }
}

/// Decodes what any engine has written, the same way for all.
#[derive(Debug)]
pub struct Decoder {
    node: Node,
    scratch: PathBuf,
}

impl Decoder {
    /// Starts one.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn start(folders: &Folders) -> Result<Self> {
        let node = Node::start(folders)?;
        let scratch = folders.scratch()?.join(format!("decode-{}", node.id()));
        Ok(Self { node, scratch })
    }

    /// The pixels of a file.
    ///
    /// # Errors
    /// It is no picture.
    pub fn file(&mut self, path: &Path) -> Result<Pixels> {
        let raw = self.scratch.with_extension("raw");
        let answer = self
            .node
            .ask(&json!({ "do": "decode", "source": path, "out": raw }))?;
        let number = |name: &str| {
            let number = answer[name].as_u64().and_then(|n| usize::try_from(n).ok());
            number.ok_or_else(|| format!("no {name} in {answer}"))
        };
        let pixels = Pixels {
            width: number("width")?,
            height: number("height")?,
            samples: std::fs::read(&raw)?,
        };
        std::fs::remove_file(&raw)?;
        Ok(pixels)
    }

    /// The pixels of these bytes.
    ///
    /// # Errors
    /// They are no picture.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<Pixels> {
        let path = self.scratch.with_extension("picture");
        std::fs::write(&path, bytes)?;
        let pixels = self.file(&path);
        std::fs::remove_file(&path)?;
        pixels
    }
}
