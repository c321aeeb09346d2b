//! The names that the site answers to, and the pages that may talk to it. A foreign page can make a browser send anything
//! to this machine, and a foreign name can be made to point to it (DNS rebinding); neither knows the site by a name that it
//! has.

use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, Uri, header};

/// Where a browser says what kind of page a request comes from.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// And what for.
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// A name that the site answers to, at one port or at any.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    host: String,
    port: Option<u16>,
}

/// The names.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    names: Vec<Name>,
}

impl Default for Hosts {
    /// The names of loopback.
    fn default() -> Self {
        let name = |host: &str| Name { host: host.to_owned(), port: None };
        Self { names: ["localhost", "127.0.0.1", "[::1]"].map(name).to_vec() }
    }
}

impl Hosts {
    /// One more: `ops.example.com`, or with a port that must be met too. False if it is no name.
    pub(crate) fn allow(&mut self, text: &str) -> bool {
        match read(text) {
            Some(name) => self.names.push(name),
            None => return false,
        }
        true
    }

    /// Whether the site answers to a `Host`; `arrived` is the address of the machine at which the request came in.
    fn has(&self, host: &Name, arrived: Option<IpAddr>) -> bool {
        let literal = |address: IpAddr| match address.to_canonical() {
            IpAddr::V4(four) => four.to_string(),
            IpAddr::V6(six) => format!("[{six}]"),
        };
        let is = |name: &Name| name.host == host.host && name.port.is_none_or(|port| host.port == Some(port));
        self.names.iter().any(is) || arrived.is_some_and(|address| literal(address) == host.host)
    }
}

/// Why a request is not answered by its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Foreign {
    /// There is no `Host`, or not one.
    NoHost,
    /// The site does not have this name.
    Host(String),
    /// The page that asks is another site's.
    Origin,
}

/// Checks the names of a request; its own name, if all is well.
pub(super) fn check(
    hosts: &Hosts,
    arrived: Option<IpAddr>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    is_stream: bool,
) -> Result<Authority, Foreign> {
    let authority =
        one(headers, header::HOST).and_then(|text| text.parse::<Authority>().ok()).ok_or(Foreign::NoHost)?;
    let host = read(authority.as_str()).ok_or(Foreign::NoHost)?;
    // A request may name its host in its first line too.
    if uri.authority().is_some_and(|other| read(other.as_str()).as_ref() != Some(&host)) {
        return Err(Foreign::Host(authority.host().to_owned()));
    }
    if !hosts.has(&host, arrived) {
        return Err(Foreign::Host(authority.host().to_owned()));
    }
    let site = headers.get(SEC_FETCH_SITE).map(|site| site.as_bytes());
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    if !is_read || is_stream {
        check_origin(&host, site, headers)?;
    } else if site == Some(b"cross-site") && headers.get(SEC_FETCH_MODE).is_none_or(|mode| mode != "navigate") {
        // A link from elsewhere is followed; a picture or script that is really a page of ours is not given.
        return Err(Foreign::Origin);
    }
    Ok(authority)
}

/// `Referrer-Policy: no-referrer` makes browsers send `Origin: null` with our own forms; then what they say of the site's
/// relation must do.
fn check_origin(host: &Name, site: Option<&[u8]>, headers: &HeaderMap) -> Result<(), Foreign> {
    if site.is_some_and(|site| site != b"same-origin") {
        return Err(Foreign::Origin);
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().map_err(|_| Foreign::Origin)?;
    if origin == "null" && site.is_some() {
        return Ok(());
    }
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    match authority.and_then(read) {
        Some(name) if name == *host => Ok(()),
        _ => Err(Foreign::Origin),
    }
}

fn one(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

fn read(text: &str) -> Option<Name> {
    let authority: Authority = text.parse().ok()?;
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return None;
    }
    let port = authority.as_str()[authority.host().len()..].strip_prefix(':');
    let port = port.map(|port| port.parse()).transpose().ok()?;
    // The dot of the root names the same host.
    let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
    (!host.is_empty()).then_some(Name { host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(method: Method, uri: &str, headers: &[(&'static str, &str)], is_stream: bool) -> Result<(), Foreign> {
        let mut hosts = Hosts::default();
        assert!(hosts.allow("Ops.example.com"));
        assert!(hosts.allow("strict.example.com:444"));
        assert!(!hosts.allow("user@host") && !hosts.allow("a b") && !hosts.allow(""));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let arrived = Some("192.0.2.7".parse().unwrap());
        check(&hosts, arrived, &method, &uri.parse().unwrap(), &map, is_stream).map(|_| ())
    }

    fn host(host: &str) -> bool {
        checked(Method::GET, "/", &[("host", host)], false).is_ok()
    }

    #[test]
    fn only_names_of_its_own() {
        for own in ["localhost", "LOCALHOST:4040", "127.0.0.1:1", "[::1]:4040", "ops.example.com", "ops.example.com.:8"]
        {
            assert!(host(own), "{own}");
        }
        assert!(host("192.0.2.7:4040"), "the address at which the request came in");
        assert!(host("strict.example.com:444") && !host("strict.example.com") && !host("strict.example.com:443"));
        for foreign in
            ["evil.example", "localhost.evil.example", "192.0.2.8", "x@localhost", "127.0.0.1:99999", "127.0.0.1:x"]
        {
            assert!(!host(foreign), "{foreign}");
        }
        assert_eq!(checked(Method::GET, "/", &[], false), Err(Foreign::NoHost));
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(checked(Method::GET, "/", &two, false), Err(Foreign::NoHost));
        let absolute = checked(Method::GET, "http://evil.example/", &[("host", "localhost")], false);
        assert_eq!(absolute, Err(Foreign::Host("localhost".to_owned())));
    }

    #[test]
    fn only_pages_of_its_own_may_change_or_follow() {
        let ask = |headers: &[(&'static str, &str)], is_stream: bool| {
            let headers = [&[("host", "localhost:4040")], headers].concat();
            let method = if is_stream { Method::GET } else { Method::POST };
            checked(method, "/", &headers, is_stream).is_ok()
        };
        for is_stream in [false, true] {
            assert!(ask(&[], is_stream), "not a browser");
            assert!(ask(&[("origin", "http://localhost:4040")], is_stream));
            assert!(ask(&[("origin", "null"), ("sec-fetch-site", "same-origin")], is_stream));
            for origin in
                ["http://localhost", "http://localhost:4041", "https://evil.example", "null", "localhost:4040"]
            {
                assert!(!ask(&[("origin", origin)], is_stream), "{origin}");
            }
            for site in ["cross-site", "same-site", "none"] {
                assert!(!ask(&[("sec-fetch-site", site)], is_stream), "{site}");
            }
            let lie = [("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")];
            assert!(!ask(&lie, is_stream));
        }
    }

    #[test]
    fn a_link_from_elsewhere_is_followed_but_nothing_is_embedded() {
        let ask = |mode: &str| {
            let headers = [("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode)];
            checked(Method::GET, "/", &headers, false).is_ok()
        };
        assert!(ask("navigate"));
        assert!(!ask("no-cors") && !ask("cors"));
    }
}
