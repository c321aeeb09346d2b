//! What the strategies that ask DNS share: [`KubernetesDns`], [`KubernetesDnsSrv`], [`DnsPoll`]. Cargo feature `dns`.
//!
//! Each asks again after its `polling_interval`, or when the answer's TTL has run out if that is later: a change is seen no
//! sooner than the zone allows. Whatever is no answer (no such name, no records, an error of the server, none in time)
//! leaves the last list in force, and is told once; that a name is unknown is believed for 30 s at most, if the zone says so.
//!
//! These keys are no keys of libcluster:
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `nameserver` | those of `/etc/resolv.conf` | the server to ask, as `"10.96.0.10"` or `"127.0.0.1:5353"` or `"[::1]:53"`; or a list |
//! | `search` | that of `/etc/resolv.conf` | a list of domains, to ask for a name under each |
//! | `ndots` | that of `/etc/resolv.conf`, else 1 | a name with so many dots is asked as it stands first, and under the domains after |
//! | `family` | both | `"inet"` asks for IPv4 addresses alone, `"inet6"` for IPv6 |
//!
//! In a dual-stack cluster a service has addresses of both families, and each node a name with one of them: set `family`
//! there, so that nobody looks for nodes under names that they do not have.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use beamline_node::{
    Family,
    dns::{Answer, Dns, DnsError, DnsOptions},
};
use beamline_proto::NodeName;
use tokio::time::sleep_until;

#[cfg(doc)]
use super::{DnsPoll, KubernetesDns, KubernetesDnsSrv};
use crate::{Reports, config::Section};

/// How long after an answer the next one is wanted, unless set.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);

/// The port of a server that is given without one.
const PORT: u16 = 53;

/// Why a strategy has no names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LookupError {
    /// There is no answer.
    Failed {
        /// What was looked for, as the configuration has it.
        service: String,
        /// Why.
        source: Box<DnsError>,
    },
    /// The answer has no host that a node's name may have.
    NoNames {
        /// What was looked for.
        service: String,
        /// The hosts.
        hosts: Vec<String>,
    },
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // libcluster's text, and more behind it.
            Self::Failed { service, source } => {
                write!(f, "lookup against {service} failed: :{} ({source})", source.reason.code())
            }
            Self::NoNames { service, hosts } => {
                write!(f, "lookup against {service} failed: no node can have one of these hosts: {}", hosts.join(", "))
            }
        }
    }
}

impl std::error::Error for LookupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed { source, .. } => Some(&**source),
            Self::NoNames { .. } => None,
        }
    }
}

/// The part before the `@` can be none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {value:?} is no name of a node: expected what stands before its @, such as \"app\"")]
pub struct BaseError {
    /// The key that has it.
    pub key: &'static str,
    /// The value.
    pub value: String,
}

pub(super) fn check_base(key: &'static str, base: &str) -> Result<(), BaseError> {
    match name(base, "127.0.0.1") {
        Some(_) => Ok(()),
        None => Err(BaseError { key, value: base.to_owned() }),
    }
}

/// Reads a required key that has what stands before the `@`.
pub(super) fn read_base(section: &mut Section<'_>, key: &'static str) -> Option<String> {
    let base = section.required_string(key, "a string such as \"app\"")?;
    match check_base(key, &base) {
        Ok(()) => Some(base),
        Err(error) => {
            section.wrong(key, &error.to_string());
            None
        }
    }
}

/// Reads `nameserver`.
pub(super) fn read_servers(section: &mut Section<'_>, options: &mut DnsOptions) {
    section.refuse("resolver", "is a function; in Rust, a `Strategy` of your own is as good as this one");
    let expected = "the address of a server such as \"10.96.0.10\" or \"127.0.0.1:5353\", or a list of such";
    options.nameservers = section.list("nameserver", expected, server).unwrap_or_default();
}

/// Reads `search` and `ndots`.
pub(super) fn read_search(section: &mut Section<'_>, options: &mut DnsOptions) {
    options.search = section.list("search", "a list of domains", |domain| Some(domain.to_owned()));
    let ndots = section.integer("ndots", 0..=15);
    options.ndots = ndots.and_then(|ndots| ndots.try_into().ok()).or(options.ndots);
}

/// Reads `family`.
pub(super) fn read_family(section: &mut Section<'_>) -> Option<Family> {
    section.choice("family", &[("inet", Family::V4), ("inet6", Family::V6)])
}

fn server(text: &str) -> Option<SocketAddr> {
    text.parse().ok().or_else(|| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, PORT)))
}

/// A client that keeps what it is told for as long as that holds.
pub(super) fn client(options: &DnsOptions) -> Dns {
    let mut options = options.clone();
    options.cache = true;
    Dns::new(options)
}

fn name(base: &str, host: &str) -> Option<NodeName> {
    format!("{base}@{host}").parse().ok().filter(|name: &NodeName| name.alive() == base && name.host() == host)
}

/// The names of nodes that stand for the hosts of an answer.
pub(super) fn names<T: ToString>(
    service: &str,
    base: &str,
    answer: Result<Answer<T>, DnsError>,
) -> Result<Names, LookupError> {
    let failed = |source| LookupError::Failed { service: service.to_owned(), source: Box::new(source) };
    let answer = answer.map_err(failed)?;
    let hosts: Vec<String> = answer.records.iter().map(ToString::to_string).collect();
    let nodes: Vec<NodeName> = hosts.iter().filter_map(|host| name(base, host)).collect();
    if nodes.is_empty() {
        return Err(LookupError::NoNames { service: service.to_owned(), hosts });
    }
    Ok(Names { nodes, expires: answer.expires })
}

/// Who should be here, and until when nobody need ask again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) nodes: Vec<NodeName>,
    expires: Instant,
}

/// When to ask again what was answered at this time.
fn next(now: Instant, interval: Duration, expires: Option<Instant>) -> Instant {
    // A pause of nothing would leave no time for anything else.
    let interval = now + interval.max(Duration::from_millis(1));
    expires.map_or(interval, |expires| interval.max(expires))
}

/// Asks for ever.
pub(super) async fn poll<F>(reports: &Reports, interval: Duration, mut ask: impl FnMut() -> F)
where
    F: Future<Output = Result<Names, LookupError>>,
{
    loop {
        let expires = match ask().await {
            Ok(names) => {
                reports.answer(names.nodes).await;
                Some(names.expires)
            }
            Err(error) => {
                reports.failed(error).await;
                None
            }
        };
        sleep_until(next(Instant::now(), interval, expires).into()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Topologies;

    fn found(hosts: &[&str]) -> Result<Vec<String>, LookupError> {
        let records = hosts.iter().map(|host| (*host).to_owned()).collect();
        names::<String>("s", "app", Ok(Answer::new(records, Instant::now())))
            .map(|names| names.nodes.iter().map(NodeName::to_string).collect())
    }

    #[test]
    fn names_are_made_of_hosts() {
        let hosts = ["10.0.0.7", "2a09:8280:1::3:9bb", "app-a-0.beam-cluster.default.svc.cluster.local"];
        let expected = hosts.map(|host| format!("app@{host}"));
        assert_eq!(found(&hosts).unwrap(), expected);
        // What no node can be called is left out; if that is all, it is no answer that would remove everybody.
        assert_eq!(found(&["", "a@b", "10.0.0.7"]).unwrap(), ["app@10.0.0.7"]);
        assert!(matches!(found(&[""]), Err(LookupError::NoNames { .. })));
        assert!(matches!(found(&[]), Err(LookupError::NoNames { .. })));
    }

    #[test]
    fn the_next_question_waits_for_the_interval_and_the_ttl() {
        let now = Instant::now();
        let seconds = Duration::from_secs;
        assert_eq!(next(now, seconds(5), None), now + seconds(5));
        assert_eq!(next(now, seconds(5), Some(now + seconds(2))), now + seconds(5));
        assert_eq!(next(now, seconds(5), Some(now + seconds(30))), now + seconds(30));
        assert!(next(now, Duration::ZERO, Some(now)) > now);
    }

    #[test]
    fn servers_with_and_without_a_port() {
        for (text, expected) in [
            ("10.96.0.10", Some("10.96.0.10:53")),
            ("127.0.0.1:5353", Some("127.0.0.1:5353")),
            ("::1", Some("[::1]:53")),
            ("[::1]:5353", Some("[::1]:5353")),
            ("dns.example.org", None),
            ("127.0.0.1:99999", None),
        ] {
            assert_eq!(server(text), expected.map(|address| address.parse().unwrap()), "{text}");
        }
    }

    fn problems(config: &str) -> String {
        Topologies::from_toml(&format!("[topologies.a]\n{config}"), "b.toml").unwrap_err().to_string()
    }

    #[test]
    fn all_keys_are_read() {
        let topologies = Topologies::from_toml(
            r#"
            [topologies.a]
            strategy = "Cluster.Strategy.Kubernetes.DNS"
            config = { service = "s", application_name = "app", polling_interval = 7, nameserver = "127.0.0.1:5353",
                       search = ["a.b", "c"], ndots = 5, family = "inet6" }
            [topologies.b]
            strategy = "Elixir.Cluster.Strategy.Kubernetes.DNSSRV"
            config = { service = "s", namespace = "n", application_name = "app", polling_interval = 7,
                       nameserver = ["127.0.0.1", "::1"] }
            [topologies.c]
            strategy = "dns_poll"
            config = { query = "q", node_basename = "app" }
            "#,
            "b.toml",
        )
        .unwrap();
        let shown: Vec<_> = topologies.iter().map(|topology| format!("{:?}", topology.strategy())).collect();
        let parts = [
            [
                "KubernetesDns",
                "polling_interval: 7ms",
                "[127.0.0.1:5353]",
                "Some([\"a.b\", \"c\"])",
                "Some(5)",
                "Some(V6)",
            ],
            [
                "KubernetesDnsSrv",
                "polling_interval: 7ms",
                "[127.0.0.1:53, [::1]:53]",
                "namespace: \"n\"",
                "ndots: None",
                "",
            ],
            ["DnsPoll", "polling_interval: 5s", "nameservers: []", "search: None", "Some(0)", "family: None"],
        ];
        for (shown, parts) in shown.iter().zip(parts) {
            assert!(parts.iter().all(|part| shown.contains(part)), "{parts:?} in {shown}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        assert_eq!(
            problems("strategy = \"kubernetes.dns\"\nconfig.servce = \"s\"\nconfig.application_name = \"app@\""),
            "b.toml:3:8: unknown key `servce`; did you mean `service`?\n\
             b.toml:4:27: `application_name` \"app@\" is no name of a node: expected what stands before its @, such as \"app\""
        );
        assert_eq!(
            problems(
                "strategy = \"dns_poll\"\nconfig.query = 5\nconfig.family = \"ipv6\"\nconfig.nameserver = \"here\""
            ),
            "b.toml:3:1: the key `node_basename` is missing: a string such as \"app\"\n\
             b.toml:3:16: `query` must be a string such as \"my-app.internal\", not 5\n\
             b.toml:4:17: `family` must be one of \"inet\", \"inet6\", not a string\n\
             b.toml:5:21: `nameserver` must be the address of a server such as \"10.96.0.10\" or \"127.0.0.1:5353\", or a \
             list of such, not a string"
        );
        let resolver = problems(
            "strategy = \"kubernetes.dns_srv\"\nconfig = { service = \"s\", namespace = \"n\", application_name = \"a\", \
             resolver = \"f\" }",
        );
        assert!(resolver.contains("`resolver` is a function"), "{resolver}");
    }
}
