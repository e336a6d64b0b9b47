//! The table of settings as text: reference, example file, effective configuration.

use std::fmt::Write as _;

use super::{
    Machine, Mistakes, environment,
    gather::{Given, source_name},
    kind::{HIDDEN, Raw, quoted},
    memory,
    table::{Draft, POLICY, PRESETS, Row, SERVER, SOURCE, SourceDraft, Store},
};
use crate::{
    origin::{SourceKind, SourceSettings},
    recipe::policy::PolicySettings,
};

/// The reference of all settings, in Markdown: what `docs/configuration.md` has between its marks.
#[must_use]
pub fn reference() -> String {
    const HEAD: &str = "| Setting | Variable | Default | Meaning |\n|---|---|---|---|\n";
    let mut text = String::new();
    let draft = Draft::new(&MACHINE);
    let mut section = "";
    for row in SERVER {
        let this = section_of(row.name);
        if this != section || text.is_empty() {
            let heading = if this.is_empty() { "The whole" } else { this };
            let _ = write!(text, "\n### {heading}\n\n{HEAD}");
            section = this;
        }
        reference_line(
            &mut text,
            row,
            row.name,
            &environment::variable(row.name),
            &draft,
        );
    }
    let _ = write!(
        text,
        "\n### policy\n\nThese stand in `[policy]` for the whole server, and without `policy.` in a \
         `[[source]]` for that source alone.\n\n{HEAD}"
    );
    for row in POLICY {
        let name = format!("policy.{}", row.name);
        let variable = environment::variable(&name);
        reference_line(&mut text, row, &name, &variable, &draft.config.policy);
    }
    let _ = write!(text, "\n### source\n\n{HEAD}");
    let draft = SourceDraft::new(String::new());
    for row in SOURCE {
        let variable = environment::source_variable(row.name);
        reference_line(&mut text, row, row.name, &variable, &draft);
    }
    text.push('\n');
    text
}

fn reference_line<T>(text: &mut String, row: &Row<T>, name: &str, variable: &str, target: &T) {
    let default = match row.default {
        Some(words) => words.to_owned(),
        None => match (row.show)(target) {
            None => "none".to_owned(),
            Some(shown) if shown == "\"\"" => "none".to_owned(),
            Some(shown) => format!("`{shown}`"),
        },
    };
    let files = if row.secret {
        format!("<br>`{variable}_FILE`")
    } else {
        String::new()
    };
    let words = row.words();
    let _ = writeln!(
        text,
        "| `{name}` | `{variable}`{files} | {default} | {} Must be {words}. |",
        row.doc
    );
}

/// Where there is none to ask: the documentation is the same on every machine.
const MACHINE: Machine = Machine {
    memory: 1_000_000_000,
    limited: true,
    cores: 4,
};

/// What stands before the sources in the example.
const EXAMPLE_HEAD: &str = "\
# Every setting of aquatint. What is commented out shows its default, or an example where the
# default depends on the machine.
#
#   aquatint check --config aquatint.toml      says what is wrong with it, and with its sources
#   aquatint config --config aquatint.toml     shows what is in force, and where it was set
#
# Every setting is also a variable: `memory_bytes` in `[cache]` is AQUATINT_CACHE_MEMORY_BYTES.
# Variables go before this file. Secrets may be named by file: `secret_key_file` in place of
# `secret_key`, AQUATINT_SOURCE_SECRET_KEY_FILE in place of AQUATINT_SOURCE_SECRET_KEY.

";

const EXAMPLE_PRESETS: &str = "\
# Named transforms: `?preset=thumb` means what stands here.
[presets]
#thumb = \"width=200&height=200&fit=cover\"

";

const EXAMPLE_SOURCE: &str = "\
# Where pictures come from. Several tables make several sources; the first whose `hosts` and
# `prefix` match a request serves it. Every setting of `[policy]`, and a table `[source.presets]`,
# may stand here too, for this source alone.
[[source]]
name = \"photos\"
provider = \"minio\"
bucket = \"photos\"
endpoint = \"http://127.0.0.1:9000\"
access_key = \"change-me\"
secret_key = \"change-me\"

";

/// The example file: every setting with its doc line, and one source. It parses.
#[must_use]
pub fn example() -> String {
    let mut draft = Draft::new(&MACHINE);
    // Small round numbers, which add up.
    draft.memory = Some(256_000_000);
    memory::share_out(
        &mut draft,
        &Given::default(),
        &MACHINE,
        &mut Mistakes::default(),
    );

    let mut text = EXAMPLE_HEAD.to_owned();
    let mut section = "";
    for row in SERVER {
        let this = section_of(row.name);
        if this != section {
            let _ = writeln!(text, "[{this}]\n");
            section = this;
        }
        example_lines(&mut text, row, &draft);
    }
    text.push_str("[policy]\n\n");
    for row in POLICY {
        example_lines(&mut text, row, &draft.config.policy);
    }
    text.push_str(EXAMPLE_PRESETS);
    text.push_str(EXAMPLE_SOURCE);
    let draft = SourceDraft::new("photos".to_owned());
    for row in SOURCE {
        let set = format!("\n{} = ", row.name);
        if !EXAMPLE_SOURCE.contains(&set) {
            example_lines(&mut text, row, &draft);
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn example_lines<T>(text: &mut String, row: &Row<T>, target: &T) {
    let _ = writeln!(text, "# {}", row.doc);
    if let Some(default) = row.default {
        let _ = writeln!(text, "# Default: {default}.");
    }
    let value = (row.show)(target)
        .or(row.sample.map(str::to_owned))
        .unwrap_or_else(|| quoted("none"));
    let key = row.name.rsplit('.').next().unwrap_or(row.name);
    let _ = writeln!(text, "#{key} = {value}\n");
}

/// What is in force, as TOML; each value that somebody set says where.
pub(super) fn effective(draft: &Draft, sources: &[SourceSettings], given: &Given) -> String {
    let mut text = String::new();
    let mut section = "";
    for row in SERVER {
        let this = section_of(row.name);
        if this != section {
            let _ = write!(text, "\n[{this}]\n");
            section = this;
        }
        effective_line(&mut text, row, row.name, draft, given);
    }
    text.push_str("\n[policy]\n");
    for row in POLICY {
        let name = format!("policy.{}", row.name);
        effective_line(&mut text, row, &name, &draft.config.policy, given);
    }
    text.push_str("\n[presets]\n");
    presets(&mut text, given, PRESETS);
    for settings in sources {
        text.push_str("\n[[source]]\n");
        let draft = draft_of(settings);
        for row in SOURCE {
            let name = source_name(&settings.name, row.name);
            effective_line(&mut text, row, &name, &draft, given);
        }
        if let Some(policy) = &settings.policy {
            own_rules(&mut text, settings, policy, given);
        }
        let below = source_name(&settings.name, PRESETS);
        if given.presets(&below).next().is_some() {
            text.push_str("[source.presets]\n");
            presets(&mut text, given, &below);
        }
    }
    text
}

fn presets(text: &mut String, given: &Given, below: &str) {
    for (name, entry) in given.presets(below) {
        if let Raw::Text(query) = &entry.raw {
            let _ = writeln!(text, "{name} = {}  # {}", quoted(query), entry.place);
        }
    }
}

/// Of a source's rules, those that differ from the server's by its own word.
fn own_rules(text: &mut String, source: &SourceSettings, policy: &PolicySettings, given: &Given) {
    for row in POLICY {
        let name = source_name(&source.name, row.name);
        if given.get(&name).is_some() {
            effective_line(text, row, &name, policy, given);
        }
    }
}

fn effective_line<T>(text: &mut String, row: &Row<T>, name: &str, target: &T, given: &Given) {
    let Some(mut value) = (row.show)(target) else {
        return;
    };
    if row.secret && value.starts_with('"') {
        value = quoted(HIDDEN);
    }
    let key = row.name.rsplit('.').next().unwrap_or(row.name);
    let _ = write!(text, "{key} = {value}");
    comment(text, given, name);
}

fn comment(text: &mut String, given: &Given, name: &str) {
    match given.get(name) {
        Some(place) => {
            let _ = writeln!(text, "  # {place}");
        }
        None => text.push('\n'),
    }
}

fn section_of(name: &'static str) -> &'static str {
    name.split_once('.').map_or("", |(section, _)| section)
}

/// The way back, for showing.
fn draft_of(settings: &SourceSettings) -> SourceDraft {
    let mut draft = SourceDraft::new(settings.name.clone());
    draft.prefix.clone_from(&settings.prefix);
    draft.hosts.clone_from(&settings.hosts);
    draft.key_prefix.clone_from(&settings.key_prefix);
    draft.cache_control.clone_from(&settings.cache_control);
    draft.honour_cache_control = settings.honour_cache_control;
    match &settings.kind {
        SourceKind::S3(s3) => {
            draft.kind = Some(Store::S3);
            draft.s3 = s3.clone();
        }
        SourceKind::Folder { root } => {
            draft.kind = Some(Store::Folder);
            draft.root = Some(root.clone());
        }
    }
    draft
}
