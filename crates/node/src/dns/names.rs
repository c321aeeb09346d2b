//! Which names to ask for, and what a file of hosts has: texts in, values out.

use std::net::IpAddr;

use hickory_resolver::proto::rr::Name;

use super::DnsReason;

/// The names that this one may stand for, the likeliest first: resolv.conf(5), `search` and `ndots`.
pub(super) fn candidates(name: &str, search: &[Name], ndots: usize) -> Result<Vec<Name>, DnsReason> {
    if name.trim_end_matches('.').is_empty() {
        return Err(DnsReason::InvalidName);
    }
    let parsed = Name::from_str_relaxed(name).map_err(|_| DnsReason::InvalidName)?;
    let mut itself = parsed.clone();
    itself.set_fqdn(true);
    if parsed.is_fqdn() {
        return Ok(vec![itself]);
    }
    // With a domain behind it a name may become too long, and then is not meant.
    let searched = search.iter().filter_map(|domain| parsed.clone().append_domain(domain).ok());
    let dots = name.matches('.').count();
    let mut names: Vec<Name> = Vec::with_capacity(search.len() + 1);
    let (first, last) = if dots >= ndots { (Some(itself), None) } else { (None, Some(itself)) };
    for name in first.into_iter().chain(searched).chain(last) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The addresses that a file of hosts has for a name: hosts(5).
pub(super) fn in_hosts(text: &str, name: &str) -> Vec<IpAddr> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut addresses = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(Ok(address)) = words.next().map(str::parse) else { continue };
        if words.any(|word| word.eq_ignore_ascii_case(name)) && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

/// `localhost` and all below it, which no server is asked about: RFC 6761, section 6.3.
pub(super) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, search: &[&str], ndots: usize) -> Vec<String> {
        let search: Vec<_> = search.iter().map(|domain| Name::from_str_relaxed(domain).unwrap()).collect();
        candidates(name, &search, ndots).unwrap().iter().map(Name::to_ascii).collect()
    }

    #[test]
    fn a_pods_search_list() {
        let search = ["default.svc.cluster.local", "svc.cluster.local", "cluster.local."];
        let with_search = |name: &str| search.map(|domain| format!("{name}.{}.", domain.trim_end_matches('.')));
        let short = asked("beam-cluster", &search, 5);
        assert_eq!((&short[..3], &*short[3]), (&with_search("beam-cluster")[..], "beam-cluster."));
        // Four dots are fewer than five.
        let long = "beam-cluster.default.svc.cluster.local";
        let four = asked(long, &search, 5);
        assert_eq!((&four[..3], &four[3]), (&with_search(long)[..], &format!("{long}.")));
        assert_eq!(asked(long, &search, 4)[0], format!("{long}."));
        assert_eq!(asked(&format!("{long}."), &search, 5), [format!("{long}.")]);
    }

    #[test]
    fn dockers_search_list() {
        assert_eq!(asked("app-a1.docker", &[], 0), ["app-a1.docker."]);
        assert_eq!(asked("app_a1", &["lan"], 0), ["app_a1.", "app_a1.lan."]);
        assert_eq!(asked("app-a1", &["."], 1), ["app-a1."]);
    }

    #[test]
    fn what_is_no_name() {
        let label = "a".repeat(64);
        for name in ["", ".", "a..b", &label] {
            assert_eq!(candidates(name, &[], 1), Err(DnsReason::InvalidName), "{name:?}");
        }
        let long = ["a".repeat(60), "b".repeat(60), "c".repeat(60), "d".repeat(60)].join(".");
        assert_eq!(asked(&long, &["a-domain-that-is-too-much"], 9), [format!("{long}.")]);
    }

    #[test]
    fn a_file_of_hosts() {
        let text = "\u{feff}\n# comment\n127.0.0.1 localhost\n::1\tlocalhost ip6-localhost\n10.0.0.2  App-A1.docker app-a1 # b\n\
                    10.0.0.3 app-a1\nfe80::1%lo0 b\nnonsense b\n10.0.0.2 app-a1";
        let found = |name: &str| in_hosts(text, name).iter().map(IpAddr::to_string).collect::<Vec<_>>();
        assert_eq!(found("localhost"), ["127.0.0.1", "::1"]);
        assert_eq!(found("app-a1"), ["10.0.0.2", "10.0.0.3"]);
        assert_eq!(found("app-a1.DOCKER."), ["10.0.0.2"]);
        assert_eq!(found("b"), Vec::<String>::new());
        assert_eq!(found("app"), Vec::<String>::new());
    }

    #[test]
    fn localhost_is_known() {
        for name in ["localhost", "LocalHost.", "a.localhost"] {
            assert!(is_localhost(name), "{name}");
        }
        for name in ["", "localhost.docker", "mylocalhost", "localhosts"] {
            assert!(!is_localhost(name), "{name}");
        }
    }
}
