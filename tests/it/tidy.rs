//! The house rules that can be read off the source: layers, and what may stand where.
//!
//! `LAYERS` is the architecture as data. Changing it is the architecture review.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Lowest first: a module may use its own row and the rows above it in this list, never one below.
/// A module is judged by the longest name here that it starts with.
const LAYERS: &[&[&str]] = &[
    &["pixels::format", "pixels::geometry", "pixels::look"],
    &["recipe"],
    &["pixels::bitmap"],
    &["pixels::planes"],
    // Decoders push rows, and sinks answer with their errors.
    &["pixels::codec", "pixels::rows"],
    &["pixels::score"],
    &["pixels::colour"],
    &["pixels::ops"],
    &["pixels::render", "pixels"],
    &["work"],
    &["origin", "cache"],
    &["proxy"],
    &["http"],
    &["admin"],
    &["telemetry", "server::settings"],
    &["config"],
    &["server"],
    &["cli"],
    &["main", "lib"],
];

/// A word that may stand only in these places (module prefixes), with the reason.
const ONLY_IN: &[(&str, &[&str], &str)] = &[
    (
        "mozjpeg_sys",
        &["pixels::codec"],
        "only codecs name codec crates",
    ),
    (
        "libwebp_sys",
        &["pixels::codec"],
        "only codecs name codec crates",
    ),
    (
        "libaom_sys",
        &["pixels::codec"],
        "only codecs name codec crates",
    ),
    (
        "re_rav1d",
        &["pixels::codec"],
        "only codecs name codec crates",
    ),
    (
        "jxl_oxide",
        &["pixels::codec"],
        "only codecs name codec crates",
    ),
    ("resvg", &["pixels::codec"], "only codecs name codec crates"),
    ("png::", &["pixels::codec"], "only codecs name codec crates"),
    (
        "fdeflate",
        &["pixels::codec"],
        "only codecs name codec crates",
    ),
    ("gif::", &["pixels::codec"], "only codecs name codec crates"),
    (
        "image::",
        &["pixels::codec"],
        "only codecs name codec crates",
    ),
    (
        "fast_image_resize",
        &["pixels::ops::resize"],
        "one place resamples",
    ),
    ("moxcms", &["pixels::colour"], "one place knows profiles"),
    (
        "s3::",
        &["origin::s3"],
        "only the S3 origin names the S3 client",
    ),
    (
        "reqwest",
        &["origin::s3"],
        "only the S3 origin speaks HTTP to the outside",
    ),
    ("s3s", &["cli::demo"], "only the demo is a bucket"),
    (
        "axum",
        &["http", "admin", "server"],
        "below HTTP nobody knows a status code",
    ),
    (
        "StatusCode",
        &["http", "admin", "server", "origin::s3"],
        "below HTTP nobody knows a status code",
    ),
    (
        "std::env",
        &["config", "cli"],
        "only the configuration reads the environment",
    ),
    (
        "env::var",
        &["config", "cli"],
        "only the configuration reads the environment",
    ),
    (
        "std::fs",
        &["origin::folder", "config", "cli", "admin"],
        "pixels and recipes do no I/O",
    ),
    (
        "std::net",
        &["server", "config", "cli", "origin", "http", "admin"],
        "pixels and recipes do no I/O",
    ),
    (
        "async fn",
        &[
            "work", "origin", "cache", "proxy", "http", "admin", "server", "cli",
        ],
        "pixels and recipes are synchronous",
    ),
    (
        "unsafe",
        &["pixels::codec", "pixels::ops::resize", "main"],
        "unsafe stays where C and SIMD are, and the allocator",
    ),
    ("static mut", &[], "no globals"),
];

/// What stands nowhere under `src`, outside tests.
const NOWHERE: &[&str] = &[
    ".unwrap()",
    "todo!(",
    "unimplemented!(",
    "dbg!(",
    "#[allow(",
];

#[test]
fn nobody_reaches_up() {
    let mut broken = Vec::new();
    for file in sources() {
        let own = level(&file.module)
            .unwrap_or_else(|| panic!("`{}` is not in LAYERS: where does it stand?", file.module));
        for used in paths(&file.code, &file.module) {
            if let Some(theirs) = level(&used)
                && theirs > own
            {
                broken.push(format!(
                    "{} uses {used}, which stands above it",
                    file.module
                ));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn words_stand_only_where_they_may() {
    let mut broken = Vec::new();
    for file in sources() {
        for (word, rooms, reason) in ONLY_IN {
            let allowed = rooms.iter().any(|room| is_in(&file.module, room));
            if !allowed && contains_word(&file.code, word) {
                broken.push(format!("`{word}` stands in {}: {reason}", file.module));
            }
        }
        for word in NOWHERE {
            if file.code.contains(word) {
                broken.push(format!("`{word}` stands in {}", file.module));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_rooms_are_laid_out_as_planned() {
    for file in sources() {
        assert_ne!(
            file.path.file_name().unwrap(),
            "mod.rs",
            "use `foo.rs` and `foo/`"
        );
        for part in ["util", "utils", "helper", "helpers", "common", "misc"] {
            let named = file.module.split("::").any(|name| name == part);
            assert!(!named, "`{}` says nothing about what it is", file.module);
        }
        assert!(
            file.raw.starts_with("//!") || file.module.ends_with("::tests"),
            "{} does not say what it is",
            file.path.display()
        );
    }
}

#[test]
fn nobody_reads_a_machine_in_our_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
    ] {
        let Ok(text) = fs::read_to_string(root.join(name)) else {
            continue;
        };
        for path in ["/home/", "/root/", "/tmp/"] {
            assert!(
                !text.contains(path),
                "{name} names the path {path} of some machine"
            );
        }
    }
}

struct SourceFile {
    path: PathBuf,
    /// `pixels::codec::png`; `lib` and `main` for the roots.
    module: String,
    raw: String,
    /// Without comments, string contents and test modules.
    code: String,
}

fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src can be read") {
            let path = entry.expect("src can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let module = path
                    .strip_prefix(&root)
                    .expect("under src")
                    .with_extension("");
                let module = module
                    .to_str()
                    .expect("names in UTF-8")
                    .replace(['/', '\\'], "::");
                let raw = fs::read_to_string(&path).expect("source in UTF-8");
                let test_file = module.ends_with("::tests");
                let code = if test_file {
                    String::new()
                } else {
                    code_of(&raw)
                };
                files.push(SourceFile {
                    path,
                    module,
                    raw,
                    code,
                });
            }
        }
    }
    assert!(files.len() > 20, "the walk over src found too little");
    files
}

/// The text without comments, without what stands in quotes, and without test modules.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("r#\"") {
            rest = rest[3..].find("\"#").map_or("", |end| &rest[3 + end + 2..]);
        } else if next == '"' {
            code.push_str("\"\"");
            rest = after_string(&rest[1..]);
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\") {
            let end = rest[2..].find('\'').map_or(rest.len(), |end| 2 + end + 1);
            rest = &rest[end..];
        } else if rest.starts_with("#[cfg(test)]") {
            rest = after_item(&rest["#[cfg(test)]".len()..]);
        } else {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    code
}

fn after_string(text: &str) -> &str {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return &text[at + 1..],
            _ => escaped = false,
        }
    }
    ""
}

/// After the item that begins here: its closing brace at the left margin, or its semicolon.
fn after_item(text: &str) -> &str {
    let semicolon = text.find(';').unwrap_or(text.len());
    let brace = text.find('{').unwrap_or(text.len());
    if semicolon < brace {
        return &text[semicolon + 1..];
    }
    let indent = text.trim_start_matches('\n').len() - text.trim_start().len();
    let closing = format!("\n{}}}", " ".repeat(indent));
    text.find(&closing)
        .map_or("", |end| &text[end + closing.len()..])
}

fn contains_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let free_before = before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':'));
        let after = code[at + word.len()..].chars().next();
        let ends_open = word.ends_with(|c: char| c.is_alphanumeric());
        let free_after = !ends_open || after.is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
        free_before && free_after
    })
}

fn level(module: &str) -> Option<usize> {
    let fits = |name: &&&str| is_in(module, name);
    LAYERS
        .iter()
        .enumerate()
        .filter_map(|(row, names)| Some((names.iter().filter(fits).map(|n| n.len()).max()?, row)))
        .max()
        .map(|(_, row)| row)
}

fn is_in(module: &str, room: &str) -> bool {
    module
        .strip_prefix(room)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Every path of ours that the code names, whole: `crate::a::b`, `super::b`, nested braces too.
fn paths(code: &str, module: &str) -> Vec<String> {
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let (mut base, mut rest) = (module, &code[at..]);
            if let Some(after) = rest.strip_prefix("crate::") {
                (base, rest) = ("", after);
            }
            while let Some(after) = rest.strip_prefix("super::") {
                (base, rest) = (base.rsplit_once("::").map_or("", |(up, _)| up), after);
            }
            expand(base, rest, &mut found);
        }
    }
    found
}

/// Adds the paths of the use tree that begins here, and says where it ends.
fn expand<'t>(base: &str, tree: &'t str, found: &mut Vec<String>) -> &'t str {
    let end = tree
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(tree.len());
    let path = tree[..end].trim_end_matches(':');
    let joined = [base, path]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("::");
    let Some(mut rest) = tree[end..].strip_prefix('{') else {
        found.push(joined);
        return &tree[end..];
    };
    loop {
        rest = rest.trim_start_matches([' ', '\n', ',']);
        if let Some(after) = rest.strip_prefix('}') {
            return after;
        }
        let before = rest.len();
        rest = expand(&joined, rest, found);
        // `as name` and anything else that is no path.
        rest = rest.trim_start();
        rest = &rest[rest.find([',', '}']).unwrap_or(rest.len())..];
        if rest.is_empty() || rest.len() == before {
            return "";
        }
    }
}

#[test]
fn the_test_itself_can_read() {
    let code = code_of(
        "use crate::{proxy::Proxy, http::{a, b as c}}; // crate::cli\nlet x = \"crate::server\";",
    );
    assert_eq!(
        paths(&code, "recipe::params"),
        ["proxy::Proxy", "http::a", "http::b"]
    );
    assert_eq!(
        paths("use super::super::work::pool;", "pixels::codec"),
        ["work::pool"]
    );
    assert!(level("proxy").unwrap() > level("pixels::render").unwrap());
    assert!(level("pixels::render").unwrap() > level("pixels::codec::png").unwrap());
    assert_eq!(level("nowhere"), None);
    assert!(code_of("a\n#[cfg(test)]\nmod tests {\n    x.unwrap()\n}\nb").ends_with("a\n\nb"));
}
