//! The size that a drawing says of itself, where the parser would read another than browsers do:
//! `style="width: 70px"` goes before `width="49%"`, and where one side alone is told, the other is
//! that of whatever has no size on a page. Where none is told, the parser takes what is drawn.

use std::ops::Range;

use resvg::usvg::roxmltree::Node;

/// Width and height of what has no size of its own, in a browser (CSS 2.1, §10.3.2).
const UNSIZED: [&str; 2] = ["300", "150"];

/// The text with the sides of its root as attributes that the parser reads; `None` where they are
/// already.
pub(super) fn spelled_out(text: &str, root: Node<'_, '_>) -> Option<String> {
    let style = root.attribute("style").unwrap_or_default();
    let said = |name| styled(style, name).or_else(|| root.attribute(name));
    let (mut width, mut height) = (said("width"), said("height"));
    // With a view box, the other side follows from it.
    if root.attribute("viewBox").is_none() {
        match (is_told(width), is_told(height)) {
            (true, false) => height = Some(UNSIZED[1]),
            (false, true) => width = Some(UNSIZED[0]),
            _ => {}
        }
    }
    let sides = [("width", width), ("height", height)];
    let mut changes: Vec<_> = sides
        .into_iter()
        .filter_map(|(name, side)| Some((name, side?)))
        .filter(|(name, side)| root.attribute(*name) != Some(side))
        .filter_map(|(name, side)| change(root, name, side))
        .collect();
    changes.sort_by_key(|(place, _)| place.start);
    let mut spelled = text.to_owned();
    for (place, side) in changes.iter().rev() {
        // The tag of the root stands in the text itself: no entity moves it.
        spelled.get(place.clone())?;
        spelled.replace_range(place.clone(), side);
    }
    (!changes.is_empty()).then_some(spelled)
}

/// Where an attribute of the root is written, and what is written there. A root without attributes
/// has nothing to spell out.
fn change(root: Node<'_, '_>, name: &str, value: &str) -> Option<(Range<usize>, String)> {
    if let Some(attribute) = root.attribute_node(name) {
        return Some((attribute.range_value(), value.to_owned()));
    }
    let starts = root.attributes().map(|attribute| attribute.range().start);
    let first = starts.min()?;
    Some((first..first, format!("{name}=\"{value}\" ")))
}

/// A length of a style: `width: 70px`.
fn styled<'a>(style: &'a str, name: &str) -> Option<&'a str> {
    let declarations = style.split(';').filter_map(|part| part.split_once(':'));
    let mut values = declarations
        .filter(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().trim_end_matches("!important").trim_end());
    values.rfind(|value| is_length(value))
}

/// Whether this is a length that the parser understands.
fn is_length(value: &str) -> bool {
    const UNITS: [&str; 9] = ["px", "pt", "pc", "mm", "cm", "in", "em", "ex", "%"];
    let unit = UNITS.into_iter().find_map(|unit| value.strip_suffix(unit));
    unit.is_some_and(|number| {
        let number: Result<f32, _> = number.parse();
        number.is_ok_and(|number| number.is_finite() && number >= 0.0)
    })
}

/// Whether the file says how long a side is: not as a share of a page that is not there.
fn is_told(side: Option<&str>) -> bool {
    side.is_some_and(|side| {
        !side.trim().is_empty() && !side.trim().ends_with('%') && side != "auto"
    })
}

#[cfg(test)]
mod tests {
    use resvg::usvg::roxmltree::Document;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let document = Document::parse(text).unwrap();
        let changed = spelled_out(text, document.root_element());
        assert_eq!(changed.as_deref(), expected);
    }

    #[test]
    fn a_style_goes_before_attributes() {
        check(
            "<!-- <svg> --><svg style='WIDTH:70px ; height : 5.5em!important' width='0' a='b'/>",
            Some(
                "<!-- <svg> --><svg height=\"5.5em\" style='WIDTH:70px ; height : 5.5em!important' width='70px' a='b'/>",
            ),
        );
        check(
            "<svg style='width:9px;width:auto' width='9px' height='9'/>",
            None,
        );
        check("<svg style='width:calc(1px + 2px);max-height:9px'/>", None);
        check("<svg style='width:-1px;height:NaNpx'/>", None);
    }

    #[test]
    fn a_side_that_nobody_tells_is_that_of_what_has_no_size() {
        check(
            "<svg width='60'/>",
            Some("<svg height=\"150\" width='60'/>"),
        );
        check(
            "<svg height='6in' width='50%'/>",
            Some("<svg height='6in' width='300'/>"),
        );
        check("<svg width='60' viewBox='0 0 1 1'/>", None);
        check("<svg width='60' height='9'/>", None);
        check("<svg width='100%' height='100%'/>", None);
        check("<svg/>", None);
    }
}
