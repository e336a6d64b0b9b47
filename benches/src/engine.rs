//! Who is measured: our engine, sharp and oximg, each in a process of its own, each asked the
//! same question.

pub mod ours;
mod oximg;
mod sharp;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{Result, pictures::Folders};
pub use oximg::{VERSION as OXIMG, install as install_oximg};

/// One picture to make. The size is a box that the picture stays inside; nothing is enlarged.
#[derive(Clone, Debug)]
pub struct Request {
    /// A file.
    pub source: PathBuf,
    /// Pixels.
    pub width: u32,
    /// Pixels; `None`: as the width makes it.
    pub height: Option<u32>,
    /// `jpeg`, `png`, `webp` or `avif`.
    pub format: &'static str,
    /// On the engine's own scale; `None`: its default.
    pub quality: Option<u8>,
    /// Whether all frames are wanted.
    pub animated: bool,
}

/// What a picture has cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Of all threads of the process, in milliseconds a picture.
    pub cpu: f64,
    /// Milliseconds a picture.
    pub wall: f64,
}

/// Which engine, set how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ours, with more parameters in the query.
    Ours(String),
    /// sharp; `None` leaves `effort` at its default.
    Sharp(Option<u8>),
    /// oximg.
    Oximg,
}

impl Kind {
    /// As tables name it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Ours(extra) if extra.is_empty() => "aquatint".to_owned(),
            Self::Ours(extra) => format!("aquatint {}", extra.rsplit('=').next().unwrap_or(extra)),
            Self::Sharp(None) => "sharp".to_owned(),
            Self::Sharp(Some(effort)) => format!("sharp effort {effort}"),
            Self::Oximg => "oximg".to_owned(),
        }
    }

    /// Whether it is ours.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Ours(_))
    }

    /// Whether it reads the source and writes the format, as it is installed here.
    #[must_use]
    pub fn does(&self, request: &Request) -> bool {
        // Its AVIF needs libraries that neither crates.io nor Debian 12 has.
        let avif = request.format == "avif"
            || request
                .source
                .extension()
                .is_some_and(|kind| kind == "avif");
        *self != Self::Oximg || !avif
    }

    /// Starts a fresh process.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&self, folders: &Folders) -> Result<Box<dyn Engine>> {
        Ok(match self {
            Self::Ours(extra) => Box::new(ours::Ours::start(extra)?),
            Self::Sharp(effort) => Box::new(sharp::Sharp::start(folders, *effort)?),
            Self::Oximg => Box::new(oximg::Oximg::start(folders)?),
        })
    }
}

/// A running engine.
pub trait Engine {
    /// Its process.
    fn id(&self) -> u32;

    /// Makes a picture `times` times, `together` at once; writes the last to `out`.
    ///
    /// # Errors
    /// The engine cannot make it.
    fn render(
        &mut self,
        request: &Request,
        times: usize,
        together: usize,
        out: Option<&Path>,
    ) -> Result<Cost>;
}

/// The question that our process and sharp's are asked.
fn question(request: &Request, times: usize, together: usize, out: Option<&Path>) -> Value {
    json!({
        "do": "render",
        "source": request.source,
        "width": request.width,
        "height": request.height,
        "format": request.format,
        "quality": request.quality,
        "animated": request.animated,
        "times": times,
        "parallel": together,
        "out": out,
    })
}

/// The answer to it.
fn cost(answer: &Value) -> Result<Cost> {
    let number = |name: &str| {
        answer[name]
            .as_f64()
            .ok_or_else(|| format!("no {name} in {answer}"))
    };
    Ok(Cost {
        cpu: number("cpu_ms")?,
        wall: number("wall_ms")?,
    })
}
