//! File + environment + command line → [`Config`]; every mistake at once, each with its name.
//!
//! One table (`config/table.rs`) says what can be set. Everything else is read from it: the TOML
//! file, the environment, `--set`, the documentation and the example file. It knows what a setting
//! means to the machine (memory adds up), and nothing of what a module does with it.
//!
//! Why no configuration crate: those fold all layers into one tree of values and deserialise that,
//! so the first wrong value ends the reading, and by then the file's line or the variable's name
//! is lost. Here every value keeps its [`Place`] from reading to refusal. `toml` parses the file,
//! with spans; what is ours is some hundred lines of looking names up.

mod docs;
mod environment;
mod file;
mod gather;
mod kind;
pub mod machine;
mod memory;
mod mistake;
mod source;
mod table;

use std::{ffi::OsString, path::PathBuf};

pub use docs::{example, reference};
pub(crate) use kind::{parse_key, parse_time};
pub use machine::Machine;
pub use memory::Memory;
pub use mistake::{Mistake, Mistakes, Place};

use crate::{
    cache, http, origin, pixels, recipe::policy::PolicySettings, server::settings, telemetry, work,
};

/// What is said of a key that could be guessed.
const WEAK_KEY: &str = "has a key of fewer than 16 bytes: `openssl rand -hex 32` makes a good one";

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Sockets.
    pub server: settings::Settings,
    /// Responses.
    pub http: http::Settings,
    /// What may be asked.
    pub policy: PolicySettings,
    /// What a source may cost.
    pub limits: pixels::codec::Limits,
    /// What a variant may cost.
    pub output: pixels::render::OutputLimits,
    /// What a fetch may cost.
    pub fetch: origin::FetchLimits,
    /// How much at once.
    pub work: work::Settings,
    /// What is kept.
    pub cache: cache::Settings,
    /// Logs.
    pub log: telemetry::Settings,
    /// Where pictures come from, the first match wins.
    pub sources: Vec<origin::SourceSettings>,
}

/// What a configuration is read from; later ones go before earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The TOML file, where there is one.
    pub file: Option<PathBuf>,
    /// The environment: names that do not begin with `AQUATINT_` are passed over.
    pub environment: Vec<(OsString, OsString)>,
    /// Settings of the command line: name, value, and the flag that they came by.
    pub overrides: Vec<Override>,
}

/// One setting of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Its dotted name, such as `cache.memory_bytes`.
    pub name: String,
    /// Its value, as text.
    pub value: String,
    /// The flag, for messages: `--set`, `--listen`.
    pub flag: &'static str,
}

/// A configuration, and where its values come from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// How the memory is shared out.
    pub memory: Memory,
    draft: table::Draft,
    given: gather::Given,
}

impl Loaded {
    /// The effective configuration as TOML, each value with its origin as a comment. Secrets are
    /// not in it.
    #[must_use]
    pub fn to_toml(&self) -> String {
        docs::effective(&self.draft, &self.config.sources, &self.given)
    }
}

impl Inputs {
    /// The process's own environment, and nothing else.
    #[must_use]
    pub fn from_process() -> Self {
        Self {
            environment: std::env::vars_os().collect(),
            ..Self::default()
        }
    }

    /// Reads, checks and completes the configuration for a machine. No source at all is accepted
    /// here: who needs one says so ([`Mistakes::no_source`]).
    ///
    /// # Errors
    /// [`Mistakes`]: all of them, in the order file, environment, command line, sums.
    pub fn load(&self, machine: &Machine) -> Result<Loaded, Mistakes> {
        let mut mistakes = Mistakes::default();
        let gathered = gather::gather(self, &mut mistakes);

        let mut draft = table::Draft::new(machine);
        let mut given = gather::Given::default();
        let (presets, settings): (Vec<_>, Vec<_>) = gathered
            .server
            .iter()
            .partition(|entry| entry.name.starts_with(table::PRESETS));
        for entry in settings {
            match draft.set(entry) {
                Ok(()) => given.note(entry),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        for entry in presets {
            match table::preset(&mut draft.config.policy, entry) {
                Ok(()) => given.note(entry),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if let Err(error) = telemetry::check(&draft.config.log) {
            let place = given.get("log.level");
            mistakes.push(Mistake::at(place, format!("`log.level`: {error}")));
        }
        if draft.config.policy.has_weak_key() {
            let place = given.get("policy.signature_keys");
            mistakes.push(Mistake::at(
                place,
                format!("`policy.signature_keys` {WEAK_KEY}"),
            ));
        }
        let memory = memory::share_out(&mut draft, &given, machine, &mut mistakes);
        draft.config.sources = source::build(
            &gathered.sources,
            &draft.config.policy,
            &mut given,
            &mut mistakes,
        );

        mistakes.into_result()?;
        Ok(Loaded {
            config: draft.config.clone(),
            memory,
            draft,
            given,
        })
    }
}

#[cfg(test)]
mod tests;
