//! The text of a drawing, before anything is made of it: in UTF-8, with no entity that grows, and
//! with no element that the XML parser would take hours or gigabytes for.

use std::collections::HashSet;

use super::super::{Error, Limits};

/// Attributes of one element. The parser compares each with all before it; drawing programs write
/// up to 50.
const ATTRIBUTES: usize = 256;

/// Prefixes of namespaces. The parser copies all that an element inherits where the element
/// declares one of its own; drawing programs write up to 15.
const PREFIXES: usize = 32;

/// The text, where it is within the limits.
pub(super) fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Error> {
    if bytes.len() > limits.svg_bytes {
        return Err(too_long(limits));
    }
    let text = std::str::from_utf8(bytes).map_err(Error::broken)?;
    if grown(text)? > limits.svg_bytes {
        return Err(too_long(limits));
    }
    admit_prefixes(text)?;
    let tags = text.split('<').skip(1);
    if tags.map(attributes).any(|count| count > ATTRIBUTES) {
        return Err(Error::Limit(format!(
            "is a drawing with more than {ATTRIBUTES} attributes of one element"
        )));
    }
    Ok(text)
}

fn too_long(limits: &Limits) -> Error {
    Error::Limit(format!(
        "is a drawing of more than {} bytes, which is the limit",
        limits.svg_bytes
    ))
}

/// Bytes of the text, at most, once its entities are put in: each reference as long as the longest.
/// Entities that name others grow by powers, and those with elements hide them from all that counts
/// here; no drawing program writes either.
fn grown(text: &str) -> Result<usize, Error> {
    let mut longest = 0;
    for declaration in text.split("<!ENTITY").skip(1) {
        let value = quoted(declaration);
        let names_others = value
            .match_indices('&')
            .any(|(at, _)| !value[at + 1..].starts_with('#'));
        if names_others || value.contains('<') {
            return Err(Error::Limit("has entities inside of entities".to_owned()));
        }
        longest = longest.max(value.len());
    }
    let references = if longest == 0 {
        0
    } else {
        text.matches('&').count()
    };
    Ok(text
        .len()
        .saturating_add(references.saturating_mul(longest)))
}

/// What stands between the first quotes.
fn quoted(text: &str) -> &str {
    let Some(start) = text.find(['"', '\'']) else {
        return "";
    };
    let (quote, rest) = text[start..].split_at(1);
    rest.split(quote).next().unwrap_or_default()
}

fn admit_prefixes(text: &str) -> Result<(), Error> {
    let mut prefixes = HashSet::new();
    for declaration in text.split("xmlns:").skip(1) {
        let end = declaration.find(|c: char| c == '=' || c.is_whitespace());
        prefixes.insert(&declaration[..end.unwrap_or(declaration.len())]);
        if prefixes.len() > PREFIXES {
            return Err(Error::Limit(format!(
                "is a drawing with more than {PREFIXES} prefixes of namespaces"
            )));
        }
    }
    Ok(())
}

/// Attributes of the element whose tag this text begins with; 0 where it begins with none.
fn attributes(tag: &str) -> usize {
    let bytes = tag.as_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':' | 0x80..);
    if !bytes.first().is_some_and(is_name) {
        return 0;
    }
    let (mut count, mut quote) = (0, None);
    for &byte in bytes {
        match (quote, byte) {
            (None, b'>') => break,
            (None, b'=') => count += 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[track_caller]
    fn check_limit(text: &str, part: &str) {
        match read(text.as_bytes(), &Limits::default()) {
            Err(Error::Limit(sentence)) => assert!(sentence.contains(part), "{sentence}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_text_is_read_up_to_its_limit() {
        let limits = |bytes: usize| Limits {
            svg_bytes: bytes,
            ..Limits::default()
        };
        assert!(read(b"<svg/>", &limits(6)).is_ok());
        assert!(matches!(read(b"<svg/>", &limits(5)), Err(Error::Limit(_))));
        assert!(matches!(
            read(b"<svg \xFF/>", &limits(99)),
            Err(Error::Broken { .. })
        ));
    }

    #[track_caller]
    fn check_grown(text: &str, expected: Option<usize>) {
        assert_eq!(grown(text).ok(), expected);
    }

    #[test]
    fn entities_count_as_often_as_they_are_named() {
        check_grown("<svg>&amp;</svg>", Some(16));
        let defined = "<!DOCTYPE svg [<!ENTITY a \"12345\">]><svg>&a;&a;</svg>";
        check_grown(defined, Some(defined.len() + 2 * 5));
        check_grown("<!ENTITY a \"1\"><!ENTITY b \"&a;\">]><svg/>", None);
        check_grown("<!ENTITY a '<g/>'>]><svg/>", None);
        // What looks like the end of the definitions is part of one.
        check_grown("<!ENTITY a ']>'><!ENTITY b '&a;&a;'>]><svg/>", None);
    }

    #[track_caller]
    fn check_attributes(tag: &str, expected: usize) {
        assert_eq!(attributes(tag), expected);
    }

    #[test]
    fn attributes_are_counted_within_their_tag() {
        check_attributes("g>a=b", 0);
        check_attributes("g a='1' b = \"2\"/>", 2);
        check_attributes("g a='b=\"c>d\"' b=''>", 2);
        check_attributes("!-- ======= -->", 0);
        check_attributes("/g>", 0);
        check_attributes(" b; c = d", 0);
        check_attributes("g a='never closed = = =", 1);
    }

    fn with_attributes(count: usize) -> String {
        let mut text = String::from("<svg");
        for at in 0..count {
            write!(text, " a{at}=''").unwrap();
        }
        text + "/>"
    }

    #[test]
    fn an_element_may_have_as_many_attributes_as_the_limit() {
        let text = with_attributes(256);
        assert!(read(text.as_bytes(), &Limits::default()).is_ok());
        check_limit(&with_attributes(257), "256 attributes");
    }

    fn with_prefixes(count: usize) -> String {
        let mut text = String::from("<svg>");
        for at in 0..count {
            write!(text, "<g xmlns:a{at}='b'/><g xmlns:a{at} = 'c'/>").unwrap();
        }
        text + "</svg>"
    }

    #[test]
    fn prefixes_of_namespaces_are_limited() {
        let text = with_prefixes(32);
        assert!(read(text.as_bytes(), &Limits::default()).is_ok());
        check_limit(&with_prefixes(33), "32 prefixes");
    }
}
