//! The session's cookie. Its name carries the port, since browsers give the cookies of a host to all its ports.

use axum::http::HeaderValue;
use axum::http::uri::Authority;

use super::sessions::Lifetime;

/// The cookie's name at the port by which the browser knows the site.
pub(super) fn name(authority: &Authority) -> String {
    format!("beamline_{}", authority.port_u16().unwrap_or(80))
}

/// What the cookies of this name hold, in the order in which the browser sent them.
pub(super) fn find<'a>(header: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    header.split(';').filter_map(move |pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// `Set-Cookie` for a session that begins.
pub(super) fn begin(name: &str, secret: &str, base: &str, is_secure: bool, lifetime: Lifetime) -> Option<HeaderValue> {
    set(name, secret, base, is_secure, lifetime.absolute.as_secs())
}

/// `Set-Cookie` for one that has ended.
pub(super) fn end(name: &str, base: &str, is_secure: bool) -> Option<HeaderValue> {
    set(name, "", base, is_secure, 0)
}

fn set(name: &str, value: &str, base: &str, is_secure: bool, age: u64) -> Option<HeaderValue> {
    let path = if base.is_empty() { "/" } else { base };
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_a_browser_is_told() {
        let authority: Authority = "localhost:4040".parse().unwrap();
        let name = name(&authority);
        let lifetime = Lifetime { idle: Duration::from_secs(1), absolute: Duration::from_secs(60) };
        let set = begin(&name, "secret", "", false, lifetime).unwrap();
        assert_eq!(set, "beamline_4040=secret; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
        let set = end(&name, "/beamline", true).unwrap();
        assert_eq!(set, "beamline_4040=; Path=/beamline; Max-Age=0; HttpOnly; SameSite=Strict; Secure");
    }

    #[test]
    fn cookies_of_other_ports_are_others() {
        let found: Vec<_> = find("beamline_40401=x; a=b; beamline_4040=y;beamline_4040=z", "beamline_4040").collect();
        assert_eq!(found, ["y", "z"]);
    }
}
