//! Whether a client already has what we would send (RFC 9110 §13). Knows of headers and
//! validators; not of pictures.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{
    HeaderMap, HeaderValue,
    header::{IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE},
};

/// Whether the request's conditions say that the client's copy still stands: answer 304.
///
/// `If-Modified-Since` counts only where there is no `If-None-Match`.
pub(super) fn is_not_modified(
    request: &HeaderMap,
    etag: &HeaderValue,
    last_modified: Option<SystemTime>,
) -> bool {
    if request.contains_key(IF_NONE_MATCH) {
        return request
            .get_all(IF_NONE_MATCH)
            .iter()
            .any(|list| lists(list.as_bytes(), etag.as_bytes()));
    }
    let Some(since) = request
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| httpdate::parse_http_date(text).ok())
    else {
        return false;
    };
    last_modified.is_some_and(|changed| whole_seconds(changed) <= since)
}

/// Whether a `Range` may be honoured: there is no `If-Range`, or it is this very state. Dates are
/// weak validators (two states within one second look alike), so they never match.
pub(super) fn range_applies(request: &HeaderMap, etag: &HeaderValue) -> bool {
    request
        .get(IF_RANGE)
        .is_none_or(|validator| validator == etag)
}

/// `SystemTime` as a header; `None` for what the format cannot hold (before 1970, after 9999).
pub(super) fn http_date(time: SystemTime) -> Option<HeaderValue> {
    const YEAR_10000: u64 = 253_402_300_800;
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    if seconds >= YEAR_10000 {
        return None;
    }
    HeaderValue::try_from(httpdate::fmt_http_date(time)).ok()
}

/// HTTP dates have no fractions: without this, an object changed at 0.5 s is for ever newer than
/// the date we told.
fn whole_seconds(time: SystemTime) -> SystemTime {
    time.duration_since(UNIX_EPOCH).map_or(time, |since| {
        UNIX_EPOCH + Duration::from_secs(since.as_secs())
    })
}

/// Whether a list of entity tags has this one, by weak comparison, or is `*`. A tag may hold
/// commas, so the list is read tag by tag; what is malformed matches nothing.
fn lists(list: &[u8], etag: &[u8]) -> bool {
    let wanted = opaque(etag);
    let mut rest = list.trim_ascii();
    if rest == b"*" {
        return true;
    }
    while !rest.is_empty() {
        rest = rest.strip_prefix(b"W/").unwrap_or(rest);
        let Some(inside) = rest.strip_prefix(b"\"") else {
            return false;
        };
        let Some(end) = inside.iter().position(|&byte| byte == b'"') else {
            return false;
        };
        if wanted == Some(&inside[..end]) {
            return true;
        }
        rest = inside[end + 1..].trim_ascii_start();
        while let Some(after) = rest.strip_prefix(b",") {
            rest = after.trim_ascii_start();
        }
    }
    false
}

/// What stands between the quotes of one tag.
fn opaque(etag: &[u8]) -> Option<&[u8]> {
    etag.strip_prefix(b"W/")
        .unwrap_or(etag)
        .strip_prefix(b"\"")?
        .strip_suffix(b"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETAG: HeaderValue = HeaderValue::from_static("\"a,b\"");
    const CHANGED: u64 = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT

    #[track_caller]
    fn check(headers: &[(&'static str, &'static str)], expected: bool) {
        let request: HeaderMap = headers
            .iter()
            .map(|&(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .fold(HeaderMap::new(), |mut map, (name, value)| {
                map.append(name, value);
                map
            });
        // Half a second later than the header can say.
        let changed = UNIX_EPOCH + Duration::from_millis(CHANGED * 1000 + 500);
        assert_eq!(is_not_modified(&request, &ETAG, Some(changed)), expected);
    }

    #[test]
    fn if_none_match_is_a_list_compared_weakly() {
        check(&[], false);
        check(&[("if-none-match", "\"a,b\"")], true);
        check(&[("if-none-match", "W/\"a,b\"")], true);
        check(&[("if-none-match", " \"x\" , \"a,b\"")], true);
        check(&[("if-none-match", "\"x\",,W/\"a,b\",")], true);
        check(&[("if-none-match", "*")], true);
        check(
            &[("if-none-match", "\"x\""), ("if-none-match", "\"a,b\"")],
            true,
        );
        check(&[("if-none-match", "\"a\"")], false);
        check(&[("if-none-match", "a,b")], false);
        check(&[("if-none-match", "\"a,b")], false);
        check(&[("if-none-match", "")], false);
        check(&[("if-none-match", "\"x\" nonsense \"a,b\"")], false);
    }

    #[test]
    fn if_modified_since_counts_only_alone() {
        check(
            &[("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT")],
            true,
        );
        check(
            &[("if-modified-since", "Sun, 06 Nov 1994 08:49:38 GMT")],
            true,
        );
        check(
            &[("if-modified-since", "Sun, 06 Nov 1994 08:49:36 GMT")],
            false,
        );
        check(&[("if-modified-since", "yesterday")], false);
        check(
            &[
                ("if-none-match", "\"x\""),
                ("if-modified-since", "Sun, 06 Nov 1994 08:49:38 GMT"),
            ],
            false,
        );
    }

    #[test]
    fn if_range_takes_the_very_tag_and_no_date() {
        let with = |value: &'static str| {
            HeaderMap::from_iter([(IF_RANGE, HeaderValue::from_static(value))])
        };
        assert!(range_applies(&HeaderMap::new(), &ETAG));
        assert!(range_applies(&with("\"a,b\""), &ETAG));
        assert!(!range_applies(&with("W/\"a,b\""), &ETAG));
        assert!(!range_applies(
            &with("Sun, 06 Nov 1994 08:49:37 GMT"),
            &ETAG
        ));
    }

    #[test]
    fn dates_that_the_header_cannot_hold_are_left_out() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(
            http_date(at(CHANGED)).expect("an ordinary date"),
            "Sun, 06 Nov 1994 08:49:37 GMT"
        );
        assert!(http_date(at(253_402_300_799)).is_some());
        assert!(http_date(at(253_402_300_800)).is_none());
        assert!(http_date(UNIX_EPOCH - Duration::from_secs(1)).is_none());
    }
}
