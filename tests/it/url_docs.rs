//! The documents that are made from the parameter table say what the table says.
//! `AQUATINT_BLESS=1` writes them anew.

use std::{fs, path::PathBuf};

use aquatint::recipe::{
    dialect::Dialect,
    params,
    signature::{Key, Scheme, sign_path_and_query},
    transform::Transform,
};

const BEGIN: &str = "<!-- parameters -->\n";
const END: &str = "<!-- /parameters -->";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The document with the table between its markers; `None` if it has no markers.
fn renewed(name: &str, text: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    // The sections that it links to stand in one of the documents.
    let page = name.strip_prefix("docs/").map_or("docs/url-api.md", |_| "");
    let table = params::markdown().replace("](#", &format!("]({page}#"));
    Some(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[track_caller]
fn check(name: &str, text: &str) {
    let Some(renewed) = renewed(name, text) else {
        panic!("{name} has no markers around its parameters");
    };
    if std::env::var_os("AQUATINT_BLESS").is_some() {
        fs::write(path(name), &renewed).expect("the document can be written");
        return;
    }
    assert!(
        text == renewed,
        "{name} is not what the parameter table says; AQUATINT_BLESS=1 writes it anew"
    );
}

#[test]
fn the_url_page_is_current() {
    check("docs/url-api.md", &read("docs/url-api.md"));
}

#[test]
fn the_readme_is_current_where_it_has_the_table() {
    if let Ok(text) = fs::read_to_string(path("README.md"))
        && text.contains(BEGIN)
    {
        check("README.md", &text);
    }
}

#[test]
fn the_signed_url_of_the_page_is_what_we_sign() {
    let key = Key::new("0123456789abcdef0123456789abcdef");
    let query = "width=400&fit=cover";
    let expires = Some(1_900_000_000);
    let signed = sign_path_and_query(&key, Scheme::Hmac, "/cats/tom%20cat.jpg", query, expires);
    assert!(read("docs/url-api.md").contains(&signed), "{signed}");
}

#[test]
fn the_limits_of_the_page_are_ours() {
    let page = read("docs/url-api.md");
    let (bytes, parameters) = (params::MAX_QUERY_BYTES, params::MAX_PARAMETERS);
    let sentence = format!("at most {bytes} bytes and {parameters} parameters");
    assert!(page.contains(&sentence), "{sentence}");
}

#[test]
fn every_query_on_the_page_is_understood() {
    let page = read("docs/url-api.md");
    // Lines of examples, and queries in the running text; a name in capitals stands for others.
    let queries: Vec<&str> = page
        .split(['`', '\n', ' '])
        .filter_map(|word| word.split_once('?'))
        .filter(|(before, query)| {
            (before.is_empty() || before.starts_with('/')) && query.contains('=')
        })
        .map(|(_, query)| query)
        .collect();
    assert!(queries.len() > 8, "{queries:?}");
    for query in queries {
        let parsed = Transform::parse(query, Dialect::Imgix, true);
        assert!(parsed.is_ok(), "{query}: {parsed:?}");
    }
}
