//! Any picture to plain pixels, by one decoder for all: sharp's, in a process of its own.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::{Result, pictures::Folders, process::Process};

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
    node: Process,
    scratch: PathBuf,
}

impl Decoder {
    /// Starts one.
    ///
    /// # Errors
    /// As [`Process::node`].
    pub fn start(folders: &Folders) -> Result<Self> {
        let node = Process::node(folders)?;
        let scratch = folders.scratch()?.join(format!("decode-{}", node.id()));
        Ok(Self { node, scratch })
    }

    /// What it is made of, and what is measured beside us.
    ///
    /// # Errors
    /// It does not answer.
    pub fn versions(&mut self) -> Result<Vec<String>> {
        let answer = self.node.ask(&json!({ "do": "version" }))?;
        let name = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Ok(vec![
            format!("sharp {} (libvips {})", name("sharp"), name("vips")),
            format!("oximg {}", crate::engine::OXIMG),
            format!("Node.js {}", name("node")),
        ])
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
