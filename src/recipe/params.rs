//! The one table of query parameters: name, aliases, type, range, default, doc line.
//!
//! Parsing, the documentation, the fuzz dictionary and "did you mean" all read [`TABLE`]. What a
//! value means for a picture is none of its business.

pub(super) mod query;
mod table;
pub(super) mod value;

use std::{borrow::Cow, fmt::Write as _};

use crate::{
    pixels::geometry::Length,
    recipe::transform::draft::{self, Draft},
};

pub use table::TABLE;

/// Longest query, in bytes. The longest that a known client library sends is about 300; the rest
/// of the usual 4 KiB of a URL is for the path.
pub const MAX_QUERY_BYTES: usize = 2048;

/// Most parameters in one query, unknown ones included. Twice what the table holds that can
/// sensibly come together.
pub const MAX_PARAMETERS: usize = 64;

/// Longest width or height that can be asked for, in pixels: imgix's limit, and the last entry of
/// its client libraries' `srcset`.
pub const MAX_SIDE: u32 = 8192;

/// How much of a refused value is repeated to the client, in characters.
const MAX_ECHO: usize = 40;

/// What is wrong with a query. The sentence names the parameter and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Error {
    /// The parameter, as it was typed; empty where the query as a whole is at fault.
    pub parameter: String,
    /// For the client.
    pub sentence: String,
}

/// One query parameter.
#[derive(Debug)]
pub struct Param {
    /// The documented name.
    pub name: &'static str,
    /// Other names of the same parameter.
    pub aliases: &'static [&'static str],
    /// Where the documentation lists it.
    pub group: Group,
    /// What holds where it is not given, in words.
    pub default: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// What its value looks like, and where it goes.
    pub(super) kind: Kind,
}

/// The chapters of the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Width, height and how the picture meets them.
    Size,
    /// Which part of the picture.
    Crop,
    /// Format and quality.
    Output,
    /// Turning and mirroring.
    Turn,
    /// What stands behind and around the picture.
    Background,
    /// Changes to the pixels.
    Effects,
    /// What concerns the URL and not the picture.
    Url,
}

impl Group {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Size,
        Self::Crop,
        Self::Output,
        Self::Turn,
        Self::Background,
        Self::Effects,
        Self::Url,
    ];

    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Size => "Size",
            Self::Crop => "Crop",
            Self::Output => "Format and quality",
            Self::Turn => "Orientation",
            Self::Background => "Background",
            Self::Effects => "Effects",
            Self::Url => "The URL itself",
        }
    }
}

/// The type of a value, and where it goes.
#[derive(Debug)]
pub(super) enum Kind {
    /// Pixels, or a fraction of the source.
    Length(fn(&mut Draft, Length)),
    /// A whole number between two others, both included.
    Whole {
        from: i64,
        to: i64,
        unit: &'static str,
        into: fn(&mut Draft, i64),
    },
    /// A decimal number between two others, both included; all in thousandths.
    Decimal {
        from: i64,
        to: i64,
        into: fn(&mut Draft, i64),
    },
    /// On or off; on where no value is given.
    Switch(fn(&mut Draft, bool)),
    /// Anything else: `into` says `None` if it does not understand the text.
    Text {
        expects: &'static str,
        examples: &'static [&'static str],
        into: fn(&mut Draft, &str) -> Option<()>,
    },
    /// Known by name; the value is for somebody else, or for nobody.
    Any,
}

impl Param {
    /// What a value must be, as a phrase that follows "must be".
    #[must_use]
    pub fn expects(&self) -> Cow<'static, str> {
        match &self.kind {
            Kind::Length(_) => {
                format!("a whole number of pixels from 1 to {MAX_SIDE}, or a fraction such as 0.5")
                    .into()
            }
            Kind::Whole { from, to, unit, .. } => {
                let of = if unit.is_empty() { "" } else { " of " };
                format!("a whole number{of}{unit} from {from} to {to}").into()
            }
            Kind::Decimal { from, to, .. } => {
                let (from, to) = (value::Thousandths(*from), value::Thousandths(*to));
                format!("a number from {from} to {to}").into()
            }
            Kind::Switch(_) => "1 or 0".into(),
            Kind::Text { expects, .. } => (*expects).into(),
            Kind::Any => "any text".into(),
        }
    }

    /// Values that are understood, for documentation, tests and fuzzing.
    #[must_use]
    pub fn examples(&self) -> Vec<Cow<'static, str>> {
        match &self.kind {
            Kind::Length(_) => vec!["1".into(), MAX_SIDE.to_string().into(), "0.5".into()],
            Kind::Whole { from, to, .. } => vec![from.to_string().into(), to.to_string().into()],
            Kind::Decimal { from, to, .. } => [from, to]
                .map(|n| value::Thousandths(*n).to_string().into())
                .to_vec(),
            Kind::Switch(_) => vec!["1".into(), "0".into(), "true".into(), "false".into()],
            Kind::Text { examples, .. } => examples.iter().map(|&e| e.into()).collect(),
            Kind::Any => vec!["x".into()],
        }
    }

    /// Whether it may be given more than once: lists that merge.
    pub(super) fn repeats(&self) -> bool {
        self.name == "auto"
    }

    /// Whether its value is read elsewhere, or nowhere.
    pub(super) fn is_ignored(&self) -> bool {
        matches!(self.kind, Kind::Any)
    }

    /// Reads a value into the draft; `None` if it is not what is expected.
    pub(super) fn read(&self, draft: &mut Draft, text: &str) -> Option<()> {
        match &self.kind {
            Kind::Length(into) => into(draft, value::length(text)?),
            Kind::Whole { from, to, into, .. } => into(draft, value::whole(text, *from, *to)?),
            Kind::Decimal { from, to, into } => into(draft, value::decimal(text, *from, *to)?),
            Kind::Switch(into) => into(draft, value::switch(text)?),
            Kind::Text { into, .. } => into(draft, text)?,
            Kind::Any => {}
        }
        Some(())
    }
}

/// A name of the table, as it was met in a query.
pub(super) struct Found {
    /// Its place in [`TABLE`].
    pub index: usize,
    /// Whether the value is base64 (`<name>64`).
    pub base64: bool,
}

/// Finds a name, an alias, or either with `64` behind it.
///
/// `f` means the format, but only where its value is one: at imgix it is another name of `fit`.
pub(super) fn find(name: &str, value: &str) -> Option<Found> {
    if name == "f" && !draft::is_format_word(value) {
        return None;
    }
    if let Some(index) = position(name) {
        let base64 = false;
        return Some(Found { index, base64 });
    }
    let index = position(name.strip_suffix("64")?)?;
    // Lists that repeat have no base64 form at imgix either; and what the table only knows by
    // name is read by others, who know no base64 form.
    let plain = TABLE[index].repeats() || TABLE[index].is_ignored();
    (!plain).then_some(Found {
        index,
        base64: true,
    })
}

fn position(name: &str) -> Option<usize> {
    TABLE
        .iter()
        .position(|param| param.name == name || param.aliases.contains(&name))
}

/// The known name that looks most like this one, if any does.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    /// Below this, a suggestion is a guess.
    const LIKE: f64 = 0.8;
    // Long names are no misspellings of short ones, and comparing takes the product of lengths.
    if name.len() > MAX_ECHO {
        return None;
    }
    names()
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// Every name and alias.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE
        .iter()
        .flat_map(|param| std::iter::once(param.name).chain(param.aliases.iter().copied()))
}

impl Error {
    /// A value that is not what the parameter expects.
    pub(super) fn malformed(typed: &str, param: &Param, base64: bool, value: &str) -> Self {
        let how = if base64 {
            "the URL-safe base64 of "
        } else {
            ""
        };
        let not = if value.is_empty() {
            "nothing".to_owned()
        } else {
            format!("`{}`", echo(value))
        };
        Self {
            parameter: typed.to_owned(),
            sentence: format!(
                "parameter `{typed}` must be {how}{}, not {not}",
                param.expects()
            ),
        }
    }

    /// A `%` that is not followed by two hexadecimal digits.
    pub(super) fn escape(typed: &str, raw: &str) -> Self {
        Self {
            parameter: typed.to_owned(),
            sentence: format!(
                "parameter `{typed}` must be percent-encoded (`%` and two hexadecimal digits), \
                 not `{}`",
                echo(raw)
            ),
        }
    }

    /// The same parameter twice, maybe under two names.
    pub(super) fn repeated(typed: &str, before: &str) -> Self {
        let same = if typed == before {
            String::new()
        } else {
            format!("; `{before}` is the same parameter")
        };
        Self {
            parameter: typed.to_owned(),
            sentence: format!("parameter `{typed}` must be given only once{same}"),
        }
    }

    /// A name that is not in the table, where only those are welcome.
    pub(super) fn unknown(typed: &str) -> Self {
        let near = nearest(typed).map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
        let typed = echo(typed);
        Self {
            sentence: format!("parameter `{typed}` must be one of the documented names{near}"),
            parameter: typed,
        }
    }

    /// A parameter that names something which is not there.
    pub(super) fn named(parameter: &str, expects: &str, value: &str) -> Self {
        Self {
            parameter: parameter.to_owned(),
            sentence: format!(
                "parameter `{parameter}` must be {expects}, not `{}`",
                echo(value)
            ),
        }
    }

    /// A query over a limit.
    pub(super) fn query(limit: usize, of: &str) -> Self {
        Self {
            parameter: String::new(),
            sentence: format!("the query must have at most {limit} {of}"),
        }
    }
}

/// The beginning of a client's text, fit for a sentence and a log line.
fn echo(text: &str) -> String {
    let mut out = String::with_capacity(MAX_ECHO + 4);
    for (at, c) in text.chars().enumerate() {
        if at == MAX_ECHO {
            out.push('…');
            break;
        }
        match c {
            '"' | '\'' => out.push(c),
            // Would end the quotation.
            '`' => out.push('´'),
            _ => out.extend(c.escape_debug()),
        }
    }
    out
}

/// The table as Markdown, one part a group. `docs/url-api.md` holds it between markers.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::new();
    for group in Group::ALL {
        let _ = writeln!(
            out,
            "**{}**\n\n| parameter | also | value | default | what it does |\n|---|---|---|---|---|",
            group.title()
        );
        for param in TABLE.iter().filter(|param| param.group == group) {
            let aliases: Vec<_> = param.aliases.iter().map(|a| format!("`{a}`")).collect();
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} | {} |",
                param.name,
                aliases.join(" "),
                param.expects().replace('|', "\\|"),
                param.default,
                param.doc,
            );
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Names and values for a fuzzer, one quoted string a line (the format of AFL and libFuzzer).
#[must_use]
pub fn dictionary() -> String {
    let mut tokens: Vec<String> = ["&", "=", "%", "%25", "%00", "+", "64="]
        .map(str::to_owned)
        .to_vec();
    tokens.extend(names().map(|name| format!("{name}=")));
    for param in TABLE {
        tokens.extend(param.examples().iter().map(ToString::to_string));
    }
    tokens.sort();
    tokens.dedup();
    let quoted: Vec<_> = tokens
        .iter()
        .map(|token| format!("\"{}\"\n", token.escape_default()))
        .collect();
    quoted.concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::recipe::{Transform, dialect::Dialect};

    #[test]
    fn every_name_is_there_once() {
        let mut seen = HashSet::new();
        for name in names() {
            assert!(seen.insert(name), "{name} twice");
            assert!(!name.ends_with("64"), "{name} reads as base64");
        }
    }

    #[test]
    fn names_that_clients_send_for_nothing_stay_unknown() {
        for name in [
            "ixlib",
            "project",
            "filename",
            "we",
            "withoutEnlargement",
            "disable",
            "sharp",
            "url",
            "W",
            "w[]",
            "",
            "64",
            "auto64",
            "s64",
        ] {
            assert!(find(name, "1").is_none(), "{name}");
        }
    }

    #[test]
    fn every_example_is_understood_under_every_name() {
        for param in TABLE {
            for value in param.examples() {
                let value = value.replace('#', "%23");
                for name in std::iter::once(&param.name).chain(param.aliases) {
                    let query = format!("{name}={value}");
                    let parsed = Transform::parse(&query, Dialect::Imgix, true);
                    assert!(parsed.is_ok(), "{query}: {parsed:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_expected_names_every_word() {
        for (name, words) in [("fit", draft::FIT_WORDS), ("format", draft::FORMAT_WORDS)] {
            let param = &TABLE[position(name).expect("in the table")];
            let expects = param.expects();
            let listed: Vec<_> = expects.trim_start_matches("one of ").split(", ").collect();
            assert_eq!(listed, words, "{name}");
        }
    }

    #[test]
    fn every_row_has_a_group_and_a_line() {
        for param in TABLE {
            assert!(Group::ALL.contains(&param.group));
            assert!(param.doc.ends_with(['.', ')']), "{}", param.name);
            assert!(!param.default.is_empty(), "{}", param.name);
        }
        assert_eq!(markdown().matches("\n| `").count(), TABLE.len());
    }

    #[test]
    fn the_nearest_name_is_a_likely_one() {
        assert_eq!(nearest("widht"), Some("width"));
        assert_eq!(nearest("qualty"), Some("quality"));
        assert_eq!(nearest("aspect-ratio"), Some("aspect_ratio"));
        assert_eq!(nearest("zzz"), None);
        assert_eq!(nearest(""), None);
        assert_eq!(nearest(&"w".repeat(2000)), None);
    }

    #[test]
    fn the_dictionary_has_every_name_quoted() {
        let dictionary = dictionary();
        for name in names() {
            assert!(dictionary.contains(&format!("\"{name}=\"\n")), "{name}");
        }
        let quoted = |line: &str| line.len() > 2 && line.starts_with('"') && line.ends_with('"');
        assert!(dictionary.lines().all(quoted));
    }

    #[test]
    fn echoes_are_short_and_harmless() {
        assert_eq!(echo("a\r\n\0`\u{202e}\"x"), "a\\r\\n\\0´\\u{202e}\"x");
        assert_eq!(echo(&"é".repeat(MAX_ECHO)), "é".repeat(MAX_ECHO));
        let long = echo(&"é".repeat(MAX_ECHO + 1));
        assert_eq!(long, format!("{}…", "é".repeat(MAX_ECHO)));
    }
}
