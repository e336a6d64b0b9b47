//! What a request asks for, as it was sent: host, path, query. Nothing is decoded here.

use http::{Uri, Version, header::HOST, request::Parts};

use super::problem::Problem;

/// The parts of a target that matter, still percent-encoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'r> {
    /// Perhaps with a port; empty where none was sent.
    pub(super) host: &'r str,
    pub(super) path: &'r str,
    pub(super) query: &'r str,
}

impl<'r> Target<'r> {
    /// Reads it, within the limits.
    pub(super) fn read(
        request: &'r Parts,
        max_url_bytes: usize,
        max_parameters: usize,
    ) -> Result<Self, Problem> {
        let uri = &request.uri;
        let length = uri
            .path_and_query()
            .map_or(0, |target| target.as_str().len());
        if length > max_url_bytes {
            return Err(Problem::uri_too_long(max_url_bytes));
        }
        let query = uri.query().unwrap_or_default();
        let parameters = query.split('&').filter(|pair| !pair.is_empty()).count();
        if parameters > max_parameters {
            return Err(Problem::bad_request(format!(
                "the query has {parameters} parameters; the limit is {max_parameters}"
            )));
        }
        Ok(Self {
            host: host(uri, request)?,
            path: uri.path(),
            query,
        })
    }
}

/// The host that is meant. An absolute target (and HTTP/2's `:authority`) goes before the header;
/// two headers are an attack or a mistake.
fn host<'r>(uri: &'r Uri, request: &'r Parts) -> Result<&'r str, Problem> {
    let mut sent = request.headers.get_all(HOST).iter();
    let header = sent.next();
    if sent.next().is_some() {
        return Err(Problem::bad_request("there is more than one `Host` header"));
    }
    match (uri.host(), header) {
        (Some(authority), _) => Ok(authority),
        (None, Some(header)) => header
            .to_str()
            .map_err(|_| Problem::bad_request("the `Host` header is no host name")),
        // RFC 9112 §3.2 asks for this refusal: two servers may mean two hosts by none.
        (None, None) if request.version == Version::HTTP_11 => {
            Err(Problem::bad_request("there is no `Host` header"))
        }
        (None, None) => Ok(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(uri: &str, hosts: &[&str]) -> Parts {
        let version = if hosts.is_empty() {
            Version::HTTP_10
        } else {
            Version::HTTP_11
        };
        let mut request = Request::builder().uri(uri).version(version);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[track_caller]
    fn check_host(uri: &str, hosts: &[&str], expected: &str) {
        let parts = parts(uri, hosts);
        let target = Target::read(&parts, 100, 2).expect("a target");
        assert_eq!(target.host, expected);
    }

    #[test]
    fn the_authority_goes_before_the_header() {
        check_host("/a", &["example.com:8080"], "example.com:8080");
        check_host("/a", &[], "");
        check_host(
            "http://real.example:81/a",
            &["other.example"],
            "real.example",
        );
    }

    #[track_caller]
    fn check_refused(uri: &str, hosts: &[&str], status: u16) {
        let parts = parts(uri, hosts);
        let problem = Target::read(&parts, 100, 2).expect_err("refused");
        assert_eq!(problem.status.as_u16(), status, "{uri}");
    }

    #[test]
    fn two_hosts_are_refused() {
        check_refused("/a", &["a", "b"], 400);
    }

    #[test]
    fn http_1_1_must_name_a_host() {
        let mut parts = parts("/a", &[]);
        parts.version = Version::HTTP_11;
        let problem = Target::read(&parts, 100, 2).expect_err("refused");
        assert_eq!(problem.status, 400);
    }

    #[test]
    fn urls_and_queries_are_bounded() {
        let at_limit = format!("/{}", "a".repeat(99));
        check_host(&at_limit, &[], "");
        check_refused(&format!("{at_limit}a"), &[], 414);
        check_host("/a?b=1&c=2&", &[], "");
        check_refused("/a?b=1&c=2&d", &[], 400);
    }

    #[test]
    fn path_and_query_stay_as_they_were_sent() {
        let parts = parts("/a%2Fb/../c?w=%31&x", &[]);
        let target = Target::read(&parts, 100, 2).expect("a target");
        assert_eq!((target.path, target.query), ("/a%2Fb/../c", "w=%31&x"));
    }
}
