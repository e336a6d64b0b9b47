//! What each provider's S3 looks like: region, path style and endpoint, filled in or asked for.

use std::net::Ipv4Addr;

use reqwest::Url;

use super::super::{Provider, S3Settings};

/// What `MinIO` signs with unless it is told otherwise, and what most other stores accept.
const USUAL_REGION: &str = "us-east-1";

/// A bucket's address, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) region: String,
    pub(super) endpoint: String,
    pub(super) path_style: bool,
}

/// One provider's habits. `{region}` and `{account_id}` in the endpoint are filled in.
struct Profile {
    name: &'static str,
    endpoint: Option<&'static str>,
    region: Option<&'static str>,
    path_style: bool,
    /// Ends of its hosts' names; what stands before them ends with the region.
    domain: Option<&'static str>,
}

fn profile(provider: Provider) -> Profile {
    let here = |name, endpoint, domain| Profile {
        name,
        endpoint: Some(endpoint),
        region: None,
        path_style: false,
        domain: Some(domain),
    };
    match provider {
        Provider::R2 => Profile {
            region: Some("auto"),
            path_style: true,
            domain: None,
            ..here("r2", "https://{account_id}.r2.cloudflarestorage.com", "")
        },
        Provider::Linode => here(
            "linode",
            "https://{region}.linodeobjects.com",
            "linodeobjects.com",
        ),
        Provider::B2 => here(
            "b2",
            "https://s3.{region}.backblazeb2.com",
            "backblazeb2.com",
        ),
        Provider::Spaces => here(
            "spaces",
            "https://{region}.digitaloceanspaces.com",
            "digitaloceanspaces.com",
        ),
        Provider::Wasabi => here(
            "wasabi",
            "https://s3.{region}.wasabisys.com",
            "wasabisys.com",
        ),
        Provider::Aws => here("aws", "https://s3.{region}.amazonaws.com", "amazonaws.com"),
        Provider::Minio | Provider::Custom => Profile {
            name: if provider == Provider::Minio {
                "minio"
            } else {
                "custom"
            },
            endpoint: None,
            region: Some(USUAL_REGION),
            path_style: true,
            domain: None,
        },
    }
}

/// Fills in what the provider is known by.
pub(super) fn address(settings: &S3Settings) -> Result<Address, Vec<String>> {
    let profile = profile(settings.provider);
    let mut problems = Vec::new();
    let mut check = |result: Result<String, String>| match result {
        Ok(text) => text,
        Err(problem) => {
            problems.push(problem);
            String::new()
        }
    };
    let bucket = check(bucket(&settings.bucket));
    let given = settings.endpoint.as_deref().map(endpoint);
    let given = given.map(&mut check);
    let region = check(region(settings, &profile, given.as_deref()));
    let endpoint = check(match given {
        Some(endpoint) => Ok(endpoint),
        None => spelled(settings, &profile, &region),
    });
    if settings.access_key.is_some() != settings.secret_key.is_some() {
        problems.push("`access_key` and `secret_key` go together: set both, or neither".to_owned());
    }
    let is_ip = host_is_ip(&endpoint);
    if is_ip && settings.path_style == Some(false) {
        problems.push("`path_style` must be true where `endpoint` is an IP address".to_owned());
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    // Certificates are for one label: `a.b.s3.example` would not match `*.s3.example`.
    let wildcard_fits = !bucket.contains('.');
    let path_style = settings
        .path_style
        .unwrap_or(profile.path_style || is_ip || !wildcard_fits);
    Ok(Address {
        region,
        endpoint,
        path_style,
    })
}

/// S3's own rule and the laxer ones of old; whatever a URL could read otherwise is refused.
fn bucket(name: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() {
        Err("`bucket` is missing".to_owned())
    } else if name.len() > 255 || name.starts_with('.') || !name.bytes().all(plain) {
        Err(format!(
            "`bucket` cannot be {name:?}: letters, digits and `-` make a bucket's name"
        ))
    } else {
        Ok(name.to_owned())
    }
}

/// An endpoint as it was given; without a scheme, HTTPS is meant.
fn endpoint(given: &str) -> Result<String, String> {
    let text = if given.contains("://") {
        given.to_owned()
    } else {
        format!("https://{given}")
    };
    let problem = |what: &str| format!("`endpoint` {what}: write it like https://s3.example.com");
    let url = Url::parse(&text).map_err(|error| problem(&format!("is no URL ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(problem("must begin with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(problem("must hold no user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(problem("must hold no `?` and no `#`"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn host_is_ip(endpoint: &str) -> bool {
    let url = Url::parse(endpoint).ok();
    let host = url.as_ref().and_then(Url::host_str);
    host.is_some_and(|host| host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok())
}

fn region(
    settings: &S3Settings,
    profile: &Profile,
    endpoint: Option<&str>,
) -> Result<String, String> {
    let found = endpoint.and_then(|endpoint| region_in(endpoint, profile.domain?));
    let region = settings.region.clone().or(found);
    let region = region.or_else(|| profile.region.map(str::to_owned));
    match region {
        Some(text) if is_plain(&text) => Ok(text),
        Some(text) => Err(format!("`region` cannot be {text:?}")),
        None => Err(format!("{} needs `region`", profile.name)),
    }
}

/// The region in one of the provider's own host names.
fn region_in(endpoint: &str, domain: &str) -> Option<String> {
    let url = Url::parse(endpoint).ok()?;
    let before = url.host_str()?.strip_suffix(domain)?.strip_suffix('.')?;
    let region = before.rsplit('.').next()?;
    (!matches!(region, "" | "s3")).then(|| region.to_owned())
}

fn spelled(settings: &S3Settings, profile: &Profile, region: &str) -> Result<String, String> {
    let Some(pattern) = profile.endpoint else {
        return Err(format!("{} needs `endpoint`", profile.name));
    };
    let mut text = pattern.replace("{region}", region);
    if pattern.contains("{account_id}") {
        match settings.account_id.as_deref() {
            Some(account) if is_plain(account) => text = text.replace("{account_id}", account),
            Some(account) => return Err(format!("`account_id` cannot be {account:?}")),
            None => return Err(format!("{} needs `account_id` or `endpoint`", profile.name)),
        }
    }
    if settings.provider == Provider::Aws && region.starts_with("cn-") {
        text.push_str(".cn");
    }
    Ok(text)
}

/// Safe as a part of a host's name and of a signature's scope.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.len() <= 64 && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(provider: Provider) -> S3Settings {
        S3Settings {
            provider,
            bucket: "img".to_owned(),
            ..S3Settings::default()
        }
    }

    fn in_region(provider: Provider, region: &str) -> S3Settings {
        S3Settings {
            region: Some(region.to_owned()),
            ..settings(provider)
        }
    }

    fn at(provider: Provider, endpoint: &str) -> S3Settings {
        S3Settings {
            endpoint: Some(endpoint.to_owned()),
            ..settings(provider)
        }
    }

    #[track_caller]
    fn check(settings: &S3Settings, endpoint: &str, region: &str, path_style: bool) {
        let expected = Address {
            region: region.to_owned(),
            endpoint: endpoint.to_owned(),
            path_style,
        };
        assert_eq!(address(settings), Ok(expected));
    }

    #[track_caller]
    fn refused(settings: &S3Settings, problem: &str) {
        let problems = address(settings).expect_err("settings that cannot work");
        assert!(
            problems.iter().any(|text| text.contains(problem)),
            "{problems:?}"
        );
    }

    #[test]
    fn a_provider_fills_in_what_it_is_known_by() {
        let r2 = S3Settings {
            account_id: Some("abc123".to_owned()),
            ..settings(Provider::R2)
        };
        check(&r2, "https://abc123.r2.cloudflarestorage.com", "auto", true);
        let linode = in_region(Provider::Linode, "us-southeast-1");
        check(
            &linode,
            "https://us-southeast-1.linodeobjects.com",
            "us-southeast-1",
            false,
        );
        let b2 = in_region(Provider::B2, "us-west-004");
        check(
            &b2,
            "https://s3.us-west-004.backblazeb2.com",
            "us-west-004",
            false,
        );
        let spaces = in_region(Provider::Spaces, "nyc3");
        check(
            &spaces,
            "https://nyc3.digitaloceanspaces.com",
            "nyc3",
            false,
        );
        let wasabi = in_region(Provider::Wasabi, "eu-central-1");
        check(
            &wasabi,
            "https://s3.eu-central-1.wasabisys.com",
            "eu-central-1",
            false,
        );
        let aws = in_region(Provider::Aws, "eu-west-1");
        check(
            &aws,
            "https://s3.eu-west-1.amazonaws.com",
            "eu-west-1",
            false,
        );
        let china = in_region(Provider::Aws, "cn-north-1");
        check(
            &china,
            "https://s3.cn-north-1.amazonaws.com.cn",
            "cn-north-1",
            false,
        );
        let minio = at(Provider::Minio, "http://minio:9000");
        check(&minio, "http://minio:9000", "us-east-1", true);
    }

    #[test]
    fn an_endpoint_tells_the_region() {
        let linode = at(Provider::Linode, "https://eu-central-1.linodeobjects.com");
        check(
            &linode,
            "https://eu-central-1.linodeobjects.com",
            "eu-central-1",
            false,
        );
        let b2 = at(Provider::B2, "s3.us-west-004.backblazeb2.com");
        check(
            &b2,
            "https://s3.us-west-004.backblazeb2.com",
            "us-west-004",
            false,
        );
        refused(
            &at(Provider::Wasabi, "https://s3.wasabisys.com"),
            "wasabi needs `region`",
        );
    }

    #[test]
    fn what_is_said_goes_before_what_is_known() {
        let odd = S3Settings {
            region: Some("here".to_owned()),
            path_style: Some(true),
            ..at(Provider::Aws, "https://proxy.example/s3/")
        };
        check(&odd, "https://proxy.example/s3", "here", true);
    }

    #[test]
    fn an_endpoint_without_a_scheme_is_https() {
        check(
            &at(Provider::Custom, "localhost:9000"),
            "https://localhost:9000",
            "us-east-1",
            true,
        );
    }

    #[test]
    fn a_bucket_with_a_dot_goes_into_the_path() {
        let dotted = S3Settings {
            bucket: "img.example.com".to_owned(),
            ..in_region(Provider::Aws, "eu-west-1")
        };
        check(
            &dotted,
            "https://s3.eu-west-1.amazonaws.com",
            "eu-west-1",
            true,
        );
    }

    #[test]
    fn a_bucket_is_no_part_of_an_ip_address() {
        let here = |path_style| S3Settings {
            path_style,
            region: Some("r".to_owned()),
            ..at(Provider::Aws, "http://127.0.0.1:9000")
        };
        check(&here(None), "http://127.0.0.1:9000", "r", true);
        refused(&here(Some(false)), "`path_style` must be true");
    }

    #[test]
    fn what_is_missing_is_named() {
        refused(
            &settings(Provider::R2),
            "r2 needs `account_id` or `endpoint`",
        );
        refused(&settings(Provider::Minio), "minio needs `endpoint`");
        refused(&settings(Provider::Custom), "custom needs `endpoint`");
        for (provider, name) in [
            (Provider::Linode, "linode"),
            (Provider::B2, "b2"),
            (Provider::Spaces, "spaces"),
            (Provider::Wasabi, "wasabi"),
            (Provider::Aws, "aws"),
        ] {
            refused(&settings(provider), &format!("{name} needs `region`"));
        }
    }

    #[test]
    fn what_cannot_work_is_named() {
        let minio = |endpoint| at(Provider::Minio, endpoint);
        refused(&minio("ftp://minio"), "`endpoint` must begin with");
        refused(&minio("http://"), "`endpoint` is no URL");
        refused(&minio("http://a:b@minio"), "no user name");
        refused(&minio("http://minio?x=1"), "`endpoint` must hold no `?`");
        let bucket = |name: &str| S3Settings {
            bucket: name.to_owned(),
            ..minio("http://minio")
        };
        refused(&bucket(""), "`bucket` is missing");
        for name in ["..", "a/b", "a?b", "a b", "ü"] {
            refused(&bucket(name), "`bucket` cannot be");
        }
        let half = S3Settings {
            access_key: Some("AK".to_owned()),
            ..minio("http://minio")
        };
        refused(&half, "`access_key` and `secret_key` go together");
        refused(&in_region(Provider::Aws, "eu/west"), "`region` cannot be");
    }
}
