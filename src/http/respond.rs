//! A variant and the conditions of a request → 200, 206, 304, or 416. Knows nothing of how the
//! variant came about but the word for it.

use std::time::Instant;

use axum::{body::Body, response::Response};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED, RANGE,
    },
};

use super::{
    conditional,
    headers::{self, CACHE_STATUS},
    problem::Problem,
    range::{self, Range},
};
use crate::{cache::variant::Variant, proxy::Served};

/// The answer for a variant. `cache_control` counts where the object says nothing of its own.
pub(super) fn respond(
    method: &Method,
    request: &HeaderMap,
    served: &Served,
    cache_control: &HeaderValue,
) -> Result<Response, Problem> {
    let variant = &*served.variant;
    let not_modified = conditional::is_not_modified(request, &variant.etag, variant.last_modified);
    let mut response = if not_modified {
        status(StatusCode::NOT_MODIFIED)
    } else {
        whole_or_part(method, request, variant)?
    };
    let map = response.headers_mut();
    map.insert(ETAG, variant.etag.clone());
    if let Some(date) = variant.last_modified.and_then(conditional::http_date) {
        map.insert(LAST_MODIFIED, date);
    }
    let usual = variant.cache_control.as_ref().unwrap_or(cache_control);
    headers::put_cache_control(map, served.is_brief(), usual);
    let overdue = Instant::now().saturating_duration_since(variant.fresh_until);
    map.insert(CACHE_STATUS, headers::cache_status(served.how, overdue));
    Ok(response)
}

fn whole_or_part(
    method: &Method,
    request: &HeaderMap,
    variant: &Variant,
) -> Result<Response, Problem> {
    let bytes = &variant.bytes;
    // RFC 9110 §14.2: a range means something for GET alone.
    let ranged = *method == Method::GET && conditional::range_applies(request, &variant.etag);
    let wanted = request.get(RANGE).filter(|_| ranged);
    let (mut response, body) = match range::parse(wanted.map(HeaderValue::as_bytes), bytes.len()) {
        Range::Unsatisfiable => return Err(Problem::range_not_satisfiable(bytes.len())),
        Range::Whole => (status(StatusCode::OK), bytes.clone()),
        Range::Part(span) => {
            let mut response = status(StatusCode::PARTIAL_CONTENT);
            let text = format!("bytes {}-{}/{}", span.start, span.end - 1, bytes.len());
            if let Ok(value) = HeaderValue::try_from(text) {
                response.headers_mut().insert(CONTENT_RANGE, value);
            }
            (response, bytes.slice(span))
        }
    };
    let map = response.headers_mut();
    map.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(variant.format.mime()),
    );
    map.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    map.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if *method != Method::HEAD {
        *response.body_mut() = Body::from(body);
    }
    Ok(response)
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        origin::Version,
        pixels::{format::OutputFormat, geometry::Size},
        proxy::How,
    };
    use bytes::Bytes;
    use http::header::{CACHE_CONTROL, IF_NONE_MATCH, IF_RANGE};
    use std::{
        sync::Arc,
        time::{Duration, SystemTime, UNIX_EPOCH},
    };

    fn served(own: Option<&'static str>) -> Served {
        let changed: SystemTime = UNIX_EPOCH + Duration::from_secs(784_111_777);
        Served {
            variant: Arc::new(Variant {
                bytes: Bytes::from_static(b"0123456789"),
                format: OutputFormat::WebP,
                size: Size {
                    width: 1,
                    height: 1,
                },
                etag: HeaderValue::from_static("\"e\""),
                last_modified: Some(changed),
                version: Version("v".to_owned()),
                cache_control: own.map(HeaderValue::from_static),
                fresh_until: Instant::now() + Duration::from_mins(1),
            }),
            how: How::Hit,
            times: None,
            provisional: false,
        }
    }

    fn ask(
        method: &Method,
        request: &[(http::HeaderName, &'static str)],
        own: Option<&'static str>,
    ) -> Response {
        let request: HeaderMap = request
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        let usual = HeaderValue::from_static("max-age=7");
        respond(method, &request, &served(own), &usual).expect("an answer")
    }

    fn body(response: Response) -> Bytes {
        let body = axum::body::to_bytes(response.into_body(), usize::MAX);
        futures_util::FutureExt::now_or_never(body)
            .expect("a body in memory")
            .expect("a body")
    }

    #[test]
    fn a_picture_carries_its_type_length_and_validators() {
        let response = ask(&Method::GET, &[], None);
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers[CONTENT_TYPE], "image/webp");
        assert_eq!(headers[CONTENT_LENGTH], "10");
        assert_eq!(headers[ETAG], "\"e\"");
        assert_eq!(headers[LAST_MODIFIED], "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(headers[CACHE_CONTROL], "max-age=7");
        assert_eq!(headers[CACHE_STATUS], "aquatint; hit");
        assert_eq!(headers[ACCEPT_RANGES], "bytes");
        assert_eq!(body(response), "0123456789");
    }

    #[test]
    fn head_has_the_headers_of_get_and_no_body() {
        let get = ask(&Method::GET, &[], None);
        let head = ask(&Method::HEAD, &[(RANGE, "bytes=0-1")], None);
        assert_eq!(head.status(), 200);
        assert_eq!(head.headers(), get.headers());
        assert!(body(head).is_empty());
    }

    #[test]
    fn what_the_object_says_of_caching_goes_first() {
        let response = ask(&Method::GET, &[], Some("max-age=1, s-maxage=2"));
        assert_eq!(response.headers()[CACHE_CONTROL], "max-age=1, s-maxage=2");
    }

    #[test]
    fn not_modified_keeps_the_validators_and_drops_the_body() {
        let response = ask(&Method::GET, &[(IF_NONE_MATCH, "W/\"e\"")], None);
        assert_eq!(response.status(), 304);
        for name in [ETAG, LAST_MODIFIED, CACHE_CONTROL, CACHE_STATUS] {
            assert!(response.headers().contains_key(&name), "{name}");
        }
        assert!(!response.headers().contains_key(CONTENT_LENGTH));
        assert!(body(response).is_empty());
    }

    #[test]
    fn a_range_is_a_part_while_the_picture_is_the_same() {
        let response = ask(
            &Method::GET,
            &[(RANGE, "bytes=2-4"), (IF_RANGE, "\"e\"")],
            None,
        );
        assert_eq!(response.status(), 206);
        assert_eq!(response.headers()[CONTENT_RANGE], "bytes 2-4/10");
        assert_eq!(response.headers()[CONTENT_LENGTH], "3");
        assert_eq!(body(response), "234");
        let changed = ask(
            &Method::GET,
            &[(RANGE, "bytes=2-4"), (IF_RANGE, "\"old\"")],
            None,
        );
        assert_eq!(changed.status(), 200);
    }

    #[test]
    fn a_range_past_the_end_is_a_problem() {
        let request = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=10-"))]);
        let usual = HeaderValue::from_static("max-age=7");
        let problem = respond(&Method::GET, &request, &served(None), &usual).expect_err("416");
        assert_eq!(problem.status, 416);
    }
}
