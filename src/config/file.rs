//! The TOML file → entries, each with its line.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Mistake, Mistakes, Place,
    gather::{DEFAULT_SOURCE, Entry, Gathered, SourceEntries},
    kind::Raw,
};

/// A configuration is a page or two of text; more is some other file.
const LONGEST: u64 = 1 << 20;

/// Reads the file into `gathered`. What cannot be read is a mistake; the rest is still read.
pub(super) fn read(path: &Path, gathered: &mut Gathered, mistakes: &mut Mistakes) {
    match text_of(path) {
        Ok(text) => parse(path, &text, gathered, mistakes),
        Err(error) => mistakes.push(Mistake::at(
            None,
            format!("the file {} cannot be read: {error}", path.display()),
        )),
    }
}

/// A small file's text.
///
/// # Errors
/// It cannot be read, is not UTF-8, or is longer than any configuration.
pub(super) fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    // One byte more than the limit tells "as long as" from "longer than".
    File::open(path)?
        .take(LONGEST + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

fn parse(path: &Path, text: &str, gathered: &mut Gathered, mistakes: &mut Mistakes) {
    let lines = Lines { path, text };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        mistakes.push(Mistake::at(
            Some(&lines.place(at)),
            format!("this is not TOML: {}", error.message().replace('\n', ", ")),
        ));
    }
    for (key, value) in table.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("source", DeValue::Array(tables)) => {
                for table in tables {
                    source(table, &lines, gathered, mistakes);
                }
            }
            ("source", _) => mistakes.push(Mistake::at(
                Some(&lines.place(key.span().start)),
                "sources are tables in a list: write `[[source]]`, with two brackets",
            )),
            (name, _) => flatten(name, key.span().start, value, &lines, &mut gathered.server),
        }
    }
    // Tables come sorted by name; people read from the top.
    gathered.server.sort_by_key(|entry| line_of(&entry.place));
}

fn source(
    table: &Spanned<DeValue<'_>>,
    lines: &Lines<'_>,
    gathered: &mut Gathered,
    mistakes: &mut Mistakes,
) {
    let place = lines.place(table.span().start);
    let DeValue::Table(rows) = table.get_ref() else {
        mistakes.push(Mistake::at(Some(&place), "a source must be a table"));
        return;
    };
    let mut entries = Vec::new();
    for (key, value) in rows {
        flatten(key.get_ref(), key.span().start, value, lines, &mut entries);
    }
    entries.sort_by_key(|entry| line_of(&entry.place));
    let name = entries.iter().find_map(|entry| match &entry.raw {
        Raw::Text(name) if entry.name == "name" => Some(name.clone()),
        _ => None,
    });
    gathered.sources.push(SourceEntries {
        name: name.unwrap_or_else(|| DEFAULT_SOURCE.to_owned()),
        place,
        entries,
    });
}

/// Tables in tables become dotted names.
fn flatten(
    name: &str,
    at: usize,
    value: &Spanned<DeValue<'_>>,
    lines: &Lines<'_>,
    entries: &mut Vec<Entry>,
) {
    if let DeValue::Table(rows) = value.get_ref() {
        for (key, value) in rows {
            let name = format!("{name}.{}", key.get_ref());
            flatten(&name, key.span().start, value, lines, entries);
        }
        return;
    }
    entries.push(Entry {
        name: name.to_owned(),
        raw: raw(value.get_ref()),
        place: lines.place(at),
    });
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        // Hexadecimal and the like keep their prefix and are refused where digits are expected.
        DeValue::Integer(number) => Raw::Number(number.to_string()),
        DeValue::Float(number) => Raw::Number(number.as_str().to_owned()),
        DeValue::Boolean(value) => Raw::Bool(*value),
        DeValue::Datetime(_) => Raw::Other("date"),
        DeValue::Array(values) => Raw::List(values.iter().map(|v| raw(v.get_ref())).collect()),
        DeValue::Table(_) => Raw::Other("table"),
    }
}

fn line_of(place: &Place) -> usize {
    match place {
        Place::File { line, .. } => *line,
        Place::Environment(_) | Place::Flag(_) => 0,
    }
}

/// Byte offsets → places.
struct Lines<'t> {
    path: &'t Path,
    text: &'t str,
}

impl Lines<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.as_bytes().iter().take(offset);
        Place::File {
            path: self.path.to_owned(),
            line: 1 + before.filter(|byte| **byte == b'\n').count(),
        }
    }
}
