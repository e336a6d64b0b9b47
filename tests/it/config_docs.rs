//! The documentation and the example say what the table of settings says.
//!
//! `AQUATINT_BLESS=1 cargo test config_docs` writes both anew.

use std::{fs, path::PathBuf};

use aquatint::config;

const BEGIN: &str = "<!-- settings: written by `AQUATINT_BLESS=1 cargo test config_docs` -->\n";
const END: &str = "<!-- end of settings -->\n";

/// Compares a file of the project with what it should say, or writes it.
#[track_caller]
fn current(path: &str, expected: impl FnOnce(&str) -> String) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = fs::read_to_string(&file).unwrap_or_default();
    let expected = expected(&text);
    if std::env::var_os("AQUATINT_BLESS").is_some() {
        fs::write(&file, &expected).expect("the file can be written");
        return;
    }
    assert!(
        text == expected,
        "{path} is not current: run `AQUATINT_BLESS=1 cargo test config_docs`"
    );
}

#[test]
fn the_reference_is_current() {
    current("docs/configuration.md", |text| {
        let (before, rest) = text
            .split_once(BEGIN)
            .expect("the mark where settings begin");
        let (_, after) = rest.split_once(END).expect("the mark where settings end");
        format!("{before}{BEGIN}{}{END}{after}", config::reference())
    });
}

#[test]
fn the_example_is_current() {
    current("examples/aquatint.toml", |_| config::example());
}
