//! One question to the servers, by hickory, and what its answers and failures mean.

use std::{
    fmt,
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::pin,
    time::{Duration, Instant},
};

use hickory_resolver::{
    TokioResolver,
    config::{NameServerConfig, ResolveHosts, ResolverConfig},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, RecordType},
    },
    system_conf::parse_resolv_conf,
};
use tokio::time::timeout;

use super::{Answer, Dns, DnsOptions, DnsReason};
use crate::resolver::Family;

/// How long the family that is preferred waits for the other: RFC 8305, section 3.
const OTHER_FAMILY: Duration = Duration::from_millis(50);

/// Beyond that CNAMEs go round in a circle, or may as well.
const MAX_ALIASES: usize = 8;

/// How many answers are kept, if any.
const CACHE: u64 = 1024;

/// What is wanted of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// All addresses of one family or both.
    Addresses(Option<Family>),
    /// Addresses to connect to. Those of this family will do, should the others be late or fail.
    Reachable(Family),
    /// The targets of services.
    Targets,
}

impl Question {
    pub(super) fn records(self) -> &'static str {
        match self {
            Self::Addresses(Some(Family::V4)) => "A",
            Self::Addresses(Some(Family::V6)) => "AAAA",
            Self::Addresses(None) | Self::Reachable(_) => "A and AAAA",
            Self::Targets => "SRV",
        }
    }
}

/// Records of the types that were asked for, and how long they hold.
#[derive(Debug)]
pub(super) struct Found {
    records: Vec<RData>,
    expires: Instant,
}

impl Found {
    pub(super) fn addresses(self) -> Answer<IpAddr> {
        Answer { records: self.records.iter().filter_map(RData::ip_addr).collect(), expires: self.expires }
    }

    pub(super) fn targets(self) -> Answer<String> {
        let target = |record: &RData| match record {
            RData::SRV(srv) => Some(srv.target.to_ascii().trim_end_matches('.').to_owned()),
            _ => None,
        };
        Answer { records: self.records.iter().filter_map(target).collect(), expires: self.expires }
    }

    fn and(mut self, other: Found) -> Found {
        self.records.extend(other.records);
        Found { records: self.records, expires: self.expires.min(other.expires) }
    }
}

type Result<T = Found> = std::result::Result<T, DnsReason>;

/// What a configuration file makes of the options.
pub(super) struct Setup {
    /// The file, to see when it changes.
    pub(super) text: String,
    pub(super) search: Vec<Name>,
    pub(super) ndots: usize,
    pub(super) servers: Vec<SocketAddr>,
    resolver: TokioResolver,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("servers", &self.servers).field("search", &self.search).finish_non_exhaustive()
    }
}

impl Setup {
    pub(super) fn new(options: &DnsOptions, text: String) -> Result<Setup> {
        let wrong = |text: String| DnsReason::Config { text };
        // Without any the server is the one on this machine: resolv.conf(5).
        let none = !text.lines().any(|line| line.trim_start().starts_with("nameserver"));
        let whole = if none { format!("{text}\nnameserver 127.0.0.1\n") } else { text.clone() };
        let (file, mut settings) =
            parse_resolv_conf(whole).map_err(|error| wrong(format!("{}: {error}", options.resolv_conf.display())))?;
        let search = match &options.search {
            Some(domains) => domains
                .iter()
                .map(|domain| {
                    Name::from_str_relaxed(domain).map_err(|_| wrong(format!("{domain:?} is no domain to search")))
                })
                .collect::<Result<_>>()?,
            None => file.search().to_vec(),
        };
        let mut servers = match options.nameservers.as_slice() {
            [] => file.name_servers().to_vec(),
            given => given.iter().map(|address| server(*address)).collect(),
        };
        let several = servers.len() > 1;
        for server in &mut servers {
            // One of several may know less than another.
            server.trust_negative_responses = !several;
        }
        let ndots = options.ndots.unwrap_or(settings.ndots);
        settings.use_hosts_file = ResolveHosts::Never;
        settings.cache_size = if options.cache { CACHE } else { 0 };
        settings.negative_max_ttl = Some(if options.cache { Dns::UNKNOWN } else { Duration::ZERO });
        if !options.cache {
            settings.positive_max_ttl = Some(Duration::ZERO);
        }
        let addresses = servers.iter().map(address).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .with_options(settings)
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        Ok(Setup { text, search, ndots, servers: addresses, resolver })
    }

    pub(super) async fn ask(&self, name: &Name, question: Question) -> Result {
        let v4 = || self.records(name, RecordType::A);
        let v6 = || self.records(name, RecordType::AAAA);
        match question {
            Question::Addresses(Some(Family::V4)) => v4().await,
            Question::Addresses(Some(Family::V6)) => v6().await,
            Question::Addresses(None) => {
                let (v4, v6) = tokio::join!(v4(), v6());
                both(v4, v6)
            }
            Question::Reachable(Family::V4) => either(v4(), v6()).await,
            Question::Reachable(Family::V6) => either(v6(), v4()).await,
            Question::Targets => self.services(name).await,
        }
    }

    /// SRV records, behind CNAMEs too: those hickory follows for other types only.
    async fn services(&self, name: &Name) -> Result {
        let (mut name, mut expires) = (name.clone(), None::<Instant>);
        for _ in 0..MAX_ALIASES {
            let none = match self.records(&name, RecordType::SRV).await {
                Ok(found) => {
                    let expires = expires.map_or(found.expires, |expires| expires.min(found.expires));
                    return Ok(Found { expires, ..found });
                }
                Err(reason) if reason.is_negative() => reason,
                Err(reason) => return Err(reason),
            };
            let alias = match self.records(&name, RecordType::CNAME).await {
                Ok(alias) => alias,
                Err(reason) if reason.is_negative() => return Err(none),
                Err(reason) => return Err(reason),
            };
            expires = Some(expires.map_or(alias.expires, |expires| expires.min(alias.expires)));
            let Some(RData::CNAME(target)) = alias.records.first() else { return Err(none) };
            name = target.0.clone();
        }
        Err(DnsReason::Failed { text: format!("more than {MAX_ALIASES} CNAMEs in a row") })
    }

    async fn records(&self, name: &Name, of: RecordType) -> Result {
        let found = self.resolver.lookup(name.clone(), of).await.map_err(|error| reason(&error))?;
        let records = found.answers().iter().filter(|record| record.record_type() == of);
        let records: Vec<RData> = records.map(|record| record.data.clone()).collect();
        let expires = found.valid_until();
        if records.is_empty() { Err(DnsReason::NoRecords) } else { Ok(Found { records, expires }) }
    }
}

/// All that there is, or nothing.
fn both(one: Result, other: Result) -> Result {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok(one.and(other)),
        (Ok(found), Err(reason)) | (Err(reason), Ok(found)) if reason.is_negative() => Ok(found),
        (Ok(_), Err(reason)) | (Err(reason), Ok(_)) => Err(reason),
        (Err(one), Err(other)) => Err(one.max(other)),
    }
}

/// What there is, the preferred first.
async fn either(preferred: impl Future<Output = Result>, other: impl Future<Output = Result>) -> Result {
    let (mut preferred, mut other) = (pin!(preferred), pin!(other));
    let (preferred, other) = tokio::select! {
        biased;
        first = &mut preferred => {
            let other = match first {
                Ok(_) => timeout(OTHER_FAMILY, other).await.unwrap_or(Err(DnsReason::Timeout)),
                Err(_) => other.await,
            };
            (first, other)
        }
        second = &mut other => (preferred.await, second),
    };
    match (preferred, other) {
        (Ok(one), Ok(other)) => Ok(one.and(other)),
        (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
        (Err(one), Err(other)) => Err(one.max(other)),
    }
}

fn server(address: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

fn address(server: &NameServerConfig) -> SocketAddr {
    SocketAddr::new(server.ip, server.connections.first().map_or(53, |connection| connection.port))
}

fn reason(error: &NetError) -> DnsReason {
    let response = |code: ResponseCode| match code {
        ResponseCode::NXDomain => DnsReason::NxDomain,
        ResponseCode::NoError => DnsReason::NoRecords,
        other => DnsReason::Response { code: format!("{other:?}").to_lowercase() },
    };
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => response(none.response_code),
        NetError::Dns(DnsError::ResponseCode(code)) => response(*code),
        NetError::Timeout => DnsReason::Timeout,
        NetError::Io(error) => DnsReason::Unreachable { kind: error.kind() },
        other => DnsReason::Failed { text: other.to_string() },
    }
}
