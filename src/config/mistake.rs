//! What is wrong, and where it was said.

use std::{fmt, path::PathBuf};

/// Where a value was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of the file, counted from 1.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// A variable of the environment.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// One mistake: a sentence, and where it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// `None`: nothing was said, and that is the mistake.
    pub place: Option<Place>,
    /// What is wrong, and what was expected. Never a secret's text.
    pub sentence: String,
}

impl Mistake {
    pub(super) fn at(place: Option<&Place>, sentence: impl Into<String>) -> Self {
        Self {
            place: place.cloned(),
            sentence: sentence.into(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.sentence)
    }
}

/// All mistakes of a configuration, one a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// The mistakes, in the order in which they were met.
    #[must_use]
    pub fn as_slice(&self) -> &[Mistake] {
        &self.0
    }

    /// What is said where a source is needed and none is configured.
    #[must_use]
    pub fn no_source() -> Self {
        Self(vec![Mistake::at(
            None,
            "no source is configured: add a `[[source]]` table to the file, or set \
             AQUATINT_SOURCE_BUCKET and AQUATINT_SOURCE_ENDPOINT (or AQUATINT_SOURCE_ROOT for a folder)",
        )])
    }

    pub(super) fn push(&mut self, mistake: Mistake) {
        self.0.push(mistake);
    }

    pub(super) fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} mistake{plural} in the configuration")?;
        for mistake in &self.0 {
            write!(f, "\n  {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// `unknown setting …`, with the nearest of the known names where one is near.
pub(super) fn unknown<'n>(
    what: &str,
    typed: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> String {
    /// Two typing errors in a short name, or a swapped word's end; anything less is a guess.
    const NEAR: f64 = 0.75;
    let nearest = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(typed, name), name))
        .filter(|(distance, name)| {
            #[expect(clippy::cast_precision_loss, reason = "lengths of names")]
            let alike = 1.0 - *distance as f64 / typed.len().max(name.len()) as f64;
            alike >= NEAR
        })
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((_, name)) => format!("unknown {what} `{typed}`; did you mean `{name}`?"),
        None => format!("unknown {what} `{typed}`"),
    }
}
