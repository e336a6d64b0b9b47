//! The style sheets of a drawing: how much they are, and what their rules refer to.

use std::collections::HashMap;

use resvg::usvg::roxmltree::Document;

use super::{
    super::Error,
    census::{DASHES, Reference, dashes, declarations},
};

/// Bytes of all selectors. The parser takes up to 290 bytes of memory for one; drawing programs
/// write some kB.
const SELECTORS: usize = 32 << 10;

/// Declarations in all. The parser compares each with all before it in its rule, wherever that
/// ends; drawing programs write some hundreds.
const DECLARATIONS: usize = 10_000;

/// What the rules refer to, by the class or the id that they go to.
pub(super) type Sheet<'a> = HashMap<&'a str, Vec<Reference<'a>>>;

/// How many rules and declarations the style sheets have, and what they refer to.
pub(super) fn read<'a>(document: &'a Document<'_>) -> Result<(u64, Sheet<'a>), Error> {
    let mut sheet = Sheet::new();
    let (mut rules, mut all, mut chosen) = (0, 0, 0);
    let styles = document.descendants();
    for node in styles.filter(|node| node.tag_name().name() == "style") {
        for text in node.children().filter_map(|child| child.text()) {
            rules += text.matches(['{', ',']).count();
            all += text.matches(';').count();
            for rule in text.split('}') {
                let Some((selectors, body)) = rule.rsplit_once('{') else {
                    continue;
                };
                chosen += selectors.len();
                if dashes(body) > DASHES {
                    return Err(too_many(DASHES, "dashes in one"));
                }
                for reference in declarations(body) {
                    add(&mut sheet, selectors, reference)?;
                }
            }
        }
    }
    if all > DECLARATIONS {
        return Err(too_many(DECLARATIONS, "declarations in its"));
    }
    if chosen > SELECTORS {
        return Err(too_many(SELECTORS, "bytes of selectors in its"));
    }
    Ok(((rules + all) as u64, sheet))
}

fn too_many(limit: usize, what: &str) -> Error {
    Error::Limit(format!(
        "is a drawing with more than {limit} {what} style sheet"
    ))
}

/// Notes a reference under the last name of each of the selectors.
fn add<'a>(
    sheet: &mut Sheet<'a>,
    selectors: &'a str,
    reference: Reference<'a>,
) -> Result<(), Error> {
    for selector in selectors.split(',') {
        let last = selector
            .rsplit([' ', '\t', '\r', '\n', '>', '+'])
            .find(|part| !part.is_empty());
        let name = last.and_then(|last| {
            let name = &last[last.find(['.', '#'])? + 1..];
            name.split(['.', '#', '[', ':', '*', '/']).next()
        });
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Err(Error::Limit(
                "is a drawing whose style sheet refers to a part of it without naming a class"
                    .to_owned(),
            ));
        };
        sheet.entry(name).or_default().push(reference);
    }
    Ok(())
}
