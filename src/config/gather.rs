//! All layers as one list of entries, lowest first, each with its place. Nothing is judged here
//! but names of sources, and secrets are read from the files that entries name.

use std::{collections::BTreeMap, mem, path::Path};

use super::{
    Inputs, Mistake, Mistakes, Place, environment, file,
    kind::Raw,
    table::{POLICY, SOURCE},
};

/// One value, as it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The dotted name; bare within a source.
    pub(super) name: String,
    /// The value.
    pub(super) raw: Raw,
    /// Where it was said.
    pub(super) place: Place,
}

/// What was said of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SourceEntries {
    /// Its name.
    pub(super) name: String,
    /// Where it was first mentioned.
    pub(super) place: Place,
    /// Its values, lowest layer first.
    pub(super) entries: Vec<Entry>,
}

/// Everything that was said.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    /// Of the server.
    pub(super) server: Vec<Entry>,
    /// Of its sources, in the order of their mention.
    pub(super) sources: Vec<SourceEntries>,
}

/// The source that is meant where none is named.
pub(super) const DEFAULT_SOURCE: &str = "default";

impl Gathered {
    /// Adds an entry to the source of that name; makes one, if need be.
    pub(super) fn add_to_source(&mut self, name: &str, entry: Entry) {
        let known = |source: &&mut SourceEntries| same_name(&source.name, name);
        if let Some(source) = self.sources.iter_mut().find(known) {
            source.entries.push(entry);
            return;
        }
        self.sources.push(SourceEntries {
            name: name.to_owned(),
            place: entry.place.clone(),
            entries: vec![entry],
        });
    }
}

/// Variables cannot spell `-` or lower case, so names that differ in these alone are one.
fn same_name(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.to_lowercase().replace('-', "_");
    plain(a) == plain(b)
}

/// Reads every layer.
pub(super) fn gather(inputs: &Inputs, mistakes: &mut Mistakes) -> Gathered {
    let mut gathered = Gathered::default();
    if let Some(path) = &inputs.file {
        file::read(path, &mut gathered, mistakes);
    }
    environment::read(&inputs.environment, &mut gathered, mistakes);
    for given in &inputs.overrides {
        let entry = |name: &str| Entry {
            name: name.to_owned(),
            raw: Raw::Text(given.value.clone()),
            place: Place::Flag(given.flag),
        };
        match given.name.strip_prefix("source.") {
            None => gathered.server.push(entry(&given.name)),
            Some(rest) => match rest.split_once('.') {
                Some((name, rest)) if name != "presets" => {
                    gathered.add_to_source(name, entry(rest));
                }
                _ => gathered.add_to_source(DEFAULT_SOURCE, entry(rest)),
            },
        }
    }
    twice(&gathered.sources, mistakes);
    read_secrets(&mut gathered.server, mistakes);
    for source in &mut gathered.sources {
        read_secrets(&mut source.entries, mistakes);
    }
    gathered
}

/// Puts what the file says in place of every entry that names a file (`…_file`).
fn read_secrets(entries: &mut [Entry], mistakes: &mut Mistakes) {
    for index in 0..entries.len() {
        let Some(stem) = secret_of_file(&entries[index].name) else {
            continue;
        };
        let entry = &entries[index];
        let same_layer = |other: &&Entry| {
            other.name == stem && mem::discriminant(&other.place) == mem::discriminant(&entry.place)
        };
        if let Some(other) = entries.iter().find(same_layer) {
            mistakes.push(Mistake::at(
                Some(&entry.place),
                format!(
                    "`{stem}` is set already at {}: keep one of the two",
                    other.place
                ),
            ));
        }
        match secret_in(entry) {
            // A file of several keys has one a line.
            Ok(text) => entries[index].raw = Raw::Text(text.trim_end().replace('\n', ",")),
            Err(why) => mistakes.push(Mistake::at(Some(&entry.place), why)),
        }
        entries[index].name = stem;
    }
}

fn secret_in(entry: &Entry) -> Result<String, String> {
    let Raw::Text(path) = &entry.raw else {
        return Err(format!("`{}` must be the path of a file", entry.name));
    };
    file::text_of(Path::new(path))
        .map_err(|error| format!("the file {path} cannot be read: {error}"))
}

/// `secret_key_file` → `secret_key`, where that is a secret.
fn secret_of_file(name: &str) -> Option<String> {
    let stem = name.strip_suffix("_file")?;
    let bare = stem.strip_prefix("policy.").unwrap_or(stem);
    let source = SOURCE.iter().any(|row| row.secret && row.name == bare);
    let policy = POLICY.iter().any(|row| row.secret && row.name == bare);
    (source || policy).then(|| stem.to_owned())
}

/// Two tables of one name would be one source in the environment and two in the file.
fn twice(sources: &[SourceEntries], mistakes: &mut Mistakes) {
    for (index, source) in sources.iter().enumerate() {
        if let Some(earlier) = sources
            .iter()
            .take(index)
            .find(|earlier| same_name(&earlier.name, &source.name))
        {
            mistakes.push(Mistake::at(
                Some(&source.place),
                format!(
                    "there is a source named `{}` at {} already",
                    earlier.name, earlier.place
                ),
            ));
        }
    }
}

/// What was said last of each setting.
#[derive(Clone, Debug, Default)]
pub(super) struct Given(BTreeMap<String, Entry>);

impl Given {
    /// Notes that a setting was said.
    pub(super) fn note(&mut self, entry: &Entry) {
        self.0.insert(entry.name.clone(), entry.clone());
    }

    /// Notes that a setting of a source was said.
    pub(super) fn note_source(&mut self, source: &str, entry: &Entry) {
        let name = source_name(source, &entry.name);
        self.0.insert(name, entry.clone());
    }

    /// Where it was said last.
    pub(super) fn get(&self, name: &str) -> Option<&Place> {
        self.0.get(name).map(|entry| &entry.place)
    }

    /// The presets below a name: their own names, values and places.
    pub(super) fn presets<'g>(
        &'g self,
        below: &'g str,
    ) -> impl Iterator<Item = (&'g str, &'g Entry)> {
        let all = self.0.iter();
        all.filter_map(move |(name, entry)| Some((name.strip_prefix(below)?, entry)))
    }
}

/// The name of a source's setting among all settings.
pub(super) fn source_name(source: &str, key: &str) -> String {
    format!("source.{source}.{key}")
}
