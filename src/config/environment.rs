//! Variables → entries. `AQUATINT_` and the setting's name in capitals, `_` for its dot.
//!
//! `AQUATINT_SOURCE_BUCKET` is the bucket of the one source; with several, `AQUATINT_SOURCE_CATS_BUCKET`
//! is that of the source `cats`: the end of the variable says which key is meant, the longest first.

use std::ffi::{OsStr, OsString};

use super::{
    Mistake, Mistakes, Place,
    gather::{DEFAULT_SOURCE, Entry, Gathered},
    kind::Raw,
    mistake,
    table::{self, POLICY, SOURCE},
};

const PREFIX: &str = "AQUATINT_";

/// Names the file itself; the command line reads it.
pub(super) const CONFIG: &str = "AQUATINT_CONFIG";

/// The variable of a server's setting.
pub(super) fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('.', "_").to_uppercase())
}

/// The variable of a source's setting, where there is one source.
pub(super) fn source_variable(name: &str) -> String {
    format!("{PREFIX}SOURCE_{}", name.to_uppercase())
}

/// Reads all variables of ours into `gathered`.
pub(super) fn read(
    environment: &[(OsString, OsString)],
    gathered: &mut Gathered,
    mistakes: &mut Mistakes,
) {
    let mut ours: Vec<(&str, &OsStr)> = environment
        .iter()
        .filter_map(|(name, value)| Some((name.to_str()?, value.as_os_str())))
        .filter(|(name, _)| name.starts_with(PREFIX) && *name != CONFIG)
        // Compose files hand on what is not set as empty.
        .filter(|(_, value)| !value.is_empty())
        .collect();
    // The environment has no order of its own; messages and sources should.
    ours.sort_unstable();
    for (name, value) in ours {
        let place = Place::Environment(name.to_owned());
        let Some(value) = value.to_str() else {
            mistakes.push(Mistake::at(Some(&place), "its value is not UTF-8"));
            continue;
        };
        let entry = |name: String| Entry {
            name,
            raw: Raw::Text(value.to_owned()),
            place: place.clone(),
        };
        if let Some(setting) = server_setting(name) {
            gathered.server.push(entry(setting));
        } else if let Some((source, key)) = source_setting(name) {
            gathered.add_to_source(&source, entry(key));
        } else {
            let sentence = mistake::unknown("variable", name, known().iter().map(String::as_str));
            mistakes.push(Mistake::at(None, sentence));
        }
    }
}

/// Every variable without a source's or a preset's name in it.
fn known() -> Vec<String> {
    let server = table::server_names().map(|name| variable(&name));
    let source = source_keys().map(|key| source_variable(&key));
    server.chain(source).collect()
}

fn server_setting(variable_name: &str) -> Option<String> {
    if let Some(preset) = variable_name.strip_prefix("AQUATINT_PRESETS_") {
        return Some(format!("presets.{}", preset.to_lowercase()));
    }
    table::server_names()
        .chain(file_names("policy."))
        .find(|name| variable(name) == variable_name)
}

/// The source and its key.
fn source_setting(variable_name: &str) -> Option<(String, String)> {
    let rest = variable_name
        .strip_prefix("AQUATINT_SOURCE_")?
        .to_lowercase();
    if let Some(preset) = rest.strip_prefix("presets_") {
        return Some((DEFAULT_SOURCE.to_owned(), format!("presets.{preset}")));
    }
    if let Some(key) = source_keys().find(|key| *key == rest) {
        return Some((DEFAULT_SOURCE.to_owned(), key));
    }
    if let Some((source, preset)) = rest.split_once("_presets_") {
        return Some((source.to_owned(), format!("presets.{preset}")));
    }
    source_keys()
        // The name of a named source is in the variable already.
        .filter(|key| key != "name")
        .filter_map(|key| {
            let source = rest.strip_suffix(&key)?.strip_suffix('_')?;
            (!source.is_empty()).then(|| (source.to_owned(), key))
        })
        .max_by_key(|(_, key)| key.len())
}

fn source_keys() -> impl Iterator<Item = String> {
    let own = SOURCE.iter().map(|row| row.name.to_owned());
    let policy = POLICY.iter().map(|row| row.name.to_owned());
    let secret = SOURCE.iter().filter(|row| row.secret);
    let files = secret.map(|row| format!("{}_file", row.name));
    own.chain(policy).chain(files).chain(file_names(""))
}

/// The rules that can be read from a file.
fn file_names(section: &'static str) -> impl Iterator<Item = String> {
    let secret = POLICY.iter().filter(|row| row.secret);
    secret.map(move |row| format!("{section}{}_file", row.name))
}
