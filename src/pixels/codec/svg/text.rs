//! The text of a drawing: inflated, in UTF-8, with no entity that grows.

use std::{borrow::Cow, io::Read};

use flate2::read::MultiGzDecoder;

use super::super::{Error, Limits};

const GZIP: [u8; 2] = [0x1F, 0x8B];

/// The text, where it is within `limits.svg_bytes`, inflated and with its entities put in.
pub(super) fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, str>, Error> {
    let bytes = if bytes.starts_with(&GZIP) {
        Cow::Owned(inflated(bytes, limits)?)
    } else {
        Cow::Borrowed(bytes)
    };
    if bytes.len() > limits.svg_bytes {
        return Err(too_long(limits));
    }
    let text = match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).map_err(Error::broken)?),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).map_err(Error::broken)?),
    };
    if grown(&text)? > limits.svg_bytes {
        return Err(too_long(limits));
    }
    Ok(text)
}

fn inflated(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
    let most = limits.svg_bytes as u64 + 1;
    let mut text = Vec::new();
    let mut reader = MultiGzDecoder::new(bytes).take(most);
    reader.read_to_end(&mut text).map_err(Error::broken)?;
    Ok(text)
}

fn too_long(limits: &Limits) -> Error {
    Error::Limit(format!(
        "is a drawing of more than {} bytes, which is the limit",
        limits.svg_bytes
    ))
}

/// Bytes of the text, at most, once its entities are put in: each reference as long as the longest.
/// Entities that name others grow by powers, and no drawing program writes them.
fn grown(text: &str) -> Result<usize, Error> {
    let Some(start) = text.find("<!ENTITY") else {
        return Ok(text.len());
    };
    let end = text[start..].find("]>").map_or(text.len(), |at| start + at);
    let definitions = &text[start..end];
    let names_others = definitions
        .match_indices('&')
        .any(|(at, _)| !definitions[at + 1..].starts_with('#'));
    if names_others {
        return Err(Error::Limit("has entities inside of entities".to_owned()));
    }
    let longest = definitions
        .split("<!ENTITY")
        .map(str::len)
        .max()
        .unwrap_or(0);
    let references = text[end..].matches('&').count();
    Ok(text
        .len()
        .saturating_add(references.saturating_mul(longest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(bytes: usize) -> Limits {
        Limits {
            svg_bytes: bytes,
            ..Limits::default()
        }
    }

    #[test]
    fn a_text_is_read_up_to_its_limit() {
        assert!(read(b"<svg/>", &limits(6)).is_ok());
        assert!(matches!(read(b"<svg/>", &limits(5)), Err(Error::Limit(_))));
        assert!(matches!(
            read(b"<svg \xFF/>", &limits(99)),
            Err(Error::Broken { .. })
        ));
    }

    #[test]
    fn a_deflated_text_is_read_up_to_the_same_limit() {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut writer, b"<svg/>").unwrap();
        let packed = writer.finish().unwrap();
        assert_eq!(read(&packed, &limits(6)).unwrap(), "<svg/>");
        assert!(matches!(read(&packed, &limits(5)), Err(Error::Limit(_))));
        assert!(matches!(
            read(&packed[..packed.len() - 9], &limits(99)),
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
        // Each at most as long as its definition.
        check_grown(defined, Some(defined.len() + 2 * " a \"12345\">".len()));
        check_grown("<!ENTITY a \"1\"><!ENTITY b \"&a;\">]><svg/>", None);
    }
}
