//! The client of DNS and the resolver of hosts, against dnsmasq and Knot.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use beamline::node::dns::{Dns, DnsOptions, DnsReason, DnsResolver};
use beamline::node::{Family, Node, Resolver};
use tokio::runtime::Runtime;
use whole_clusters::{DnsServer, HOST, unique};

const SERVICE: &str = "beam-cluster.default.svc.cluster.local";

/// As in a pod, but for the server.
const POD: &str =
    "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 127.0.0.1\noptions ndots:5\n";

const ZONE: &str = r#"
$ORIGIN cluster.local.
$TTL 5
@ IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5
@ IN NS ns.dns.cluster.local.
ns.dns IN A 127.0.0.1
$ORIGIN default.svc.cluster.local.
beam-cluster 30 IN A 127.0.0.11
beam-cluster 30 IN A 127.0.0.12
beam-cluster 7 IN AAAA ::1
beam-cluster IN SRV 0 33 0 app-a-0.beam-cluster
beam-cluster IN SRV 0 33 0 app-a-1.beam-cluster
app-a-0.beam-cluster IN A 127.0.0.11
v4 IN A 127.0.0.11
v6 IN AAAA 2a09:8280:1::3
empty IN TXT "no addresses"
alias 3 IN CNAME middle
middle IN CNAME beam-cluster
outside IN CNAME elsewhere.example.org.
"#;

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn options(server: &DnsServer, search: &[&str]) -> DnsOptions {
    let mut options = DnsOptions::default();
    options.nameservers = vec![address(&server.address())];
    options.search = Some(search.iter().map(|domain| (*domain).to_owned()).collect());
    options.resolv_conf = server.file("no-resolv.conf", "");
    options
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

fn addresses(dns: &Dns, name: &str, family: Option<Family>) -> Result<Vec<String>, DnsReason> {
    let answer = runtime().block_on(dns.addresses(name, family)).map_err(|error| error.reason)?;
    let mut addresses: Vec<_> = answer.records.iter().map(IpAddr::to_string).collect();
    addresses.sort();
    Ok(addresses)
}

#[test]
fn records_of_every_kind() {
    let Some(server) = DnsServer::knot("records_of_every_kind", ZONE) else { return };
    let dns = Dns::new(options(&server, &["default.svc.cluster.local"]));
    let both = ["127.0.0.11", "127.0.0.12", "::1"].map(str::to_owned);
    // By the whole name, under the search list, through one CNAME and two.
    for name in [SERVICE, "beam-cluster", "middle", "alias"] {
        assert_eq!(addresses(&dns, name, None).as_deref(), Ok(&both[..]), "{name}");
    }
    assert_eq!(addresses(&dns, "beam-cluster", Some(Family::V4)).as_deref(), Ok(&both[..2]));
    assert_eq!(addresses(&dns, "beam-cluster", Some(Family::V6)).as_deref(), Ok(&both[2..]));
    // One family alone is a whole answer.
    assert_eq!(addresses(&dns, "v4", None).as_deref(), Ok(&["127.0.0.11".to_owned()][..]));
    assert_eq!(addresses(&dns, "v6", None).as_deref(), Ok(&["2a09:8280:1::3".to_owned()][..]));
    assert_eq!(addresses(&dns, "v6.default.svc.cluster.local.", Some(Family::V4)), Err(DnsReason::NoRecords));
    assert_eq!(addresses(&dns, "empty.default.svc.cluster.local.", None), Err(DnsReason::NoRecords));
    assert_eq!(addresses(&dns, "nope.cluster.local.", None), Err(DnsReason::NxDomain));
    // One name of the list is unknown, and about the other the server has nothing to say.
    assert_eq!(addresses(&dns, "nope", Some(Family::V4)), Err(DnsReason::Response { code: "refused".into() }));
    assert_eq!(addresses(&dns, "example.org", None), Err(DnsReason::Response { code: "refused".into() }));
    assert_eq!(addresses(&dns, "a..b", None), Err(DnsReason::InvalidName));

    let targets = runtime().block_on(dns.targets(&format!("{SERVICE}."))).expect("there are targets");
    let mut hosts = targets.records;
    hosts.sort();
    assert_eq!(hosts, [format!("app-a-0.{SERVICE}"), format!("app-a-1.{SERVICE}")]);
    let through_alias = runtime().block_on(dns.targets("alias")).expect("there are targets");
    assert_eq!(through_alias.records.len(), 2);
    assert_eq!(
        runtime().block_on(dns.targets("v4.default.svc.cluster.local.")).unwrap_err().reason,
        DnsReason::NoRecords
    );

    let error = runtime().block_on(dns.addresses(&format!("empty.{SERVICE}."), None)).unwrap_err().to_string();
    assert_eq!(error, format!("no such name; asked {} for A and AAAA of empty.{SERVICE}.", server.address()));
}

#[test]
fn an_answer_holds_for_its_shortest_ttl() {
    let Some(server) = DnsServer::knot("an_answer_holds_for_its_shortest_ttl", ZONE) else { return };
    let mut options = options(&server, &["default.svc.cluster.local"]);
    options.cache = true;
    let dns = Dns::new(options);
    let runtime = runtime();
    for (name, family, ttl) in [
        ("beam-cluster", Some(Family::V4), 30),
        ("beam-cluster", None, 7),
        // Its own, not that of what it stands for.
        ("alias", Some(Family::V4), 3),
    ] {
        let before = Instant::now();
        let answer = runtime.block_on(dns.addresses(name, family)).expect("there are addresses");
        let ttl = Duration::from_secs(ttl);
        assert!(answer.expires <= Instant::now() + ttl, "{name}");
        // What is left of a cached one is told in whole seconds.
        assert!(answer.expires + Duration::from_secs(2) >= before + ttl, "{name}: {:?}", answer.expires - before);
    }
}

#[test]
fn the_search_list_and_ndots_of_a_pod() {
    let hosts = [
        "127.0.0.11 beam-cluster.default.svc.cluster.local",
        "127.0.0.12 other.cluster.local",
        "127.0.0.13 third.cluster.local",
    ];
    let Some(server) = DnsServer::dnsmasq("the_search_list_and_ndots_of_a_pod", &hosts, &[]) else { return };
    let mut options = options(&server, &[]);
    options.search = None;
    options.resolv_conf = server.file("resolv.conf", POD);
    let dns = Dns::new(options);
    let found = |name: &str| addresses(&dns, name, Some(Family::V4));
    assert_eq!(found("beam-cluster").as_deref(), Ok(&["127.0.0.11".to_owned()][..]));
    assert_eq!(server.asked("A"), [SERVICE]);
    // The third domain.
    assert_eq!(found("other").as_deref(), Ok(&["127.0.0.12".to_owned()][..]));
    let other = ["other.default.svc.cluster.local", "other.svc.cluster.local", "other.cluster.local"];
    assert_eq!(server.asked("A")[1..], other);
    // Four dots are too few to ask for the name itself first.
    assert_eq!(found(SERVICE).as_deref(), Ok(&["127.0.0.11".to_owned()][..]));
    let domains = ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"];
    let mut whole: Vec<_> = domains.iter().map(|domain| format!("{SERVICE}.{domain}")).collect();
    whole.push(SERVICE.to_owned());
    assert_eq!(server.asked("A")[4..], whole);
    // The file is read anew: with fewer dots asked for, the name itself goes first.
    server.file("resolv.conf", &POD.replace("ndots:5", "ndots:1"));
    assert_eq!(found("third.cluster.local").as_deref(), Ok(&["127.0.0.13".to_owned()][..]));
    assert_eq!(server.asked("A")[8..], ["third.cluster.local"]);
    // A dot at the end leaves no choice.
    assert_eq!(found("other."), Err(DnsReason::Response { code: "refused".into() }));
    assert_eq!(server.asked("A")[9..], ["other"]);
}

#[test]
fn what_is_cached_is_not_asked_for() {
    let hosts = [&*format!("127.0.0.11 {SERVICE}")];
    let Some(server) = DnsServer::dnsmasq("what_is_cached_is_not_asked_for", &hosts, &["--local-ttl=60"]) else {
        return;
    };
    let (runtime, name) = (runtime(), format!("{SERVICE}."));
    let mut cached = options(&server, &[]);
    cached.cache = true;
    // A question may go out again where an answer is late.
    for (options, times) in [(cached, 1..=5), (options(&server, &[]), 20..=100)] {
        let (dns, before) = (Dns::new(options), server.questions("A", SERVICE));
        for _ in 0..20 {
            runtime.block_on(dns.addresses(&name, Some(Family::V4))).expect("there is an address");
        }
        let asked = server.questions("A", SERVICE) - before;
        assert!(times.contains(&asked), "{asked}");
    }
}

#[test]
fn two_hundred_addresses_come_by_tcp() {
    let hosts: Vec<_> = (1..=200).map(|i| format!("10.0.0.{i} {SERVICE}")).collect();
    let hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
    let Some(server) = DnsServer::dnsmasq("two_hundred_addresses_come_by_tcp", &hosts, &[]) else { return };
    let dns = Dns::new(options(&server, &[]));
    assert_eq!(addresses(&dns, SERVICE, None).map(|addresses| addresses.len()), Ok(200));
}

#[test]
fn a_server_that_is_away_and_one_that_says_nothing() {
    let hosts = [&*format!("127.0.0.11 {SERVICE}")];
    let Some(mut server) = DnsServer::dnsmasq("a_server_that_is_away_and_one_that_says_nothing", &hosts, &[]) else {
        return;
    };
    let runtime = runtime();
    let mut only = options(&server, &[]);
    only.deadline = Duration::from_secs(2);
    let silent = UdpSocket::bind((HOST, 0)).expect("a socket");
    let silent = silent.local_addr().expect("its address");
    let mut both = only.clone();
    both.nameservers.insert(0, silent);
    let mut dumb = only.clone();
    dumb.nameservers = vec![silent];
    let ask = |dns: &Dns| runtime.block_on(dns.addresses(SERVICE, None)).map_err(|error| error.reason);

    // The second one answers though the first does not.
    assert!(ask(&Dns::new(both)).is_ok());
    let begin = Instant::now();
    assert_eq!(ask(&Dns::new(dumb)), Err(DnsReason::Timeout));
    assert!(begin.elapsed() >= Duration::from_secs(2), "{:?}", begin.elapsed());

    let dns = Dns::new(only);
    assert!(ask(&dns).is_ok());
    server.stop();
    for _ in 0..2 {
        assert_eq!(ask(&dns), Err(DnsReason::Timeout));
    }
    server.start();
    assert!(ask(&dns).is_ok());
}

#[test]
fn a_host_is_what_its_file_says_and_else_what_dns_says() {
    let hosts = ["10.0.0.1 app-a1.docker", "10.0.0.2 app_a2.docker", "fd00::2 app_a2.docker", "10.0.0.3 app-a1.lan"];
    let name = "a_host_is_what_its_file_says_and_else_what_dns_says";
    let Some(server) = DnsServer::dnsmasq(name, &hosts, &["--local=/docker/", "--local=/lan/"]) else { return };
    let mut resolver = DnsResolver::default();
    // As Docker writes it.
    let mut options = options(&server, &[]);
    options.search = None;
    options.resolv_conf = server.file("resolv.conf", "nameserver 127.0.0.11\nsearch lan\noptions ndots:0\n");
    resolver.dns = Dns::new(options);
    resolver.hosts = server.file("etc-hosts", "127.0.0.1 localhost\n10.9.9.9 mine.docker app-x1\n");
    let runtime = runtime();
    let found = |resolver: &DnsResolver, host: &str| {
        let addresses = runtime.block_on(resolver.addresses(host));
        addresses.map(|addresses| addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>())
    };
    let is = |host: &str, expected: &[&str]| {
        let found = found(&resolver, host).unwrap_or_else(|error| panic!("{host}: {error}"));
        assert_eq!(found, expected, "{host}");
    };
    is("app-a1.docker", &["10.0.0.1"]);
    is("app_a2.docker", &["10.0.0.2", "fd00::2"]);
    is("app-a1", &["10.0.0.3"]);
    is("mine.docker", &["10.9.9.9"]);
    is("localhost", &["127.0.0.1"]);
    is("10.1.2.3", &["10.1.2.3"]);
    is("fd00::9", &["fd00::9"]);
    // A name in the file wins, and is read anew.
    let asked = server.questions("A", "app-a1.docker");
    server.file("etc-hosts", "10.8.8.8 app-a1.docker\n");
    is("app-a1.docker", &["10.8.8.8"]);
    assert_eq!(server.questions("A", "app-a1.docker"), asked);
    // Without a line it is still here.
    is("localhost", &["127.0.0.1", "::1"]);
    is("node.localhost", &["127.0.0.1", "::1"]);
    assert_eq!((server.questions("A", "localhost"), server.questions("A", "node.localhost")), (0, 0));
    let mut v6 = resolver.clone();
    v6.family = Family::V6;
    assert_eq!(found(&v6, "app_a2.docker").expect("addresses"), ["fd00::2", "10.0.0.2"]);
    let error = found(&resolver, "nope.docker").unwrap_err();
    let text = format!("no such name; asked {} for A and AAAA of nope.docker., nope.docker.lan.", server.address());
    assert_eq!((error.kind(), error.to_string()), (std::io::ErrorKind::NotFound, text));
}

#[test]
fn a_node_connects_to_a_name_that_only_dns_knows() {
    let name = "a_node_connects_to_a_name_that_only_dns_knows";
    let Some(server) = DnsServer::dnsmasq(name, &["127.0.0.1 app-b1.docker"], &["--local=/docker/"]) else { return };
    let mut resolver = DnsResolver::default();
    resolver.dns = Dns::new(options(&server, &[]));
    let runtime = runtime();
    let epmd = whole_clusters::Epmd::beamline();
    let on_epmd = |builder: beamline::node::NodeBuilder| {
        builder.cookie("secret").epmd(beamline::node::Epmd::on_port(epmd.port()))
    };
    let alive = unique("b");
    let alive = alive.split('@').next().unwrap_or_default();
    let b = runtime.block_on(on_epmd(Node::builder(format!("{alive}@app-b1.docker"))).start()).expect("b starts");
    let a = on_epmd(Node::builder(unique("a"))).resolver(resolver.clone());
    let a = runtime.block_on(a.start()).expect("a starts");
    runtime.block_on(a.connect(b.name())).expect("a connects to b");
    assert_eq!(a.list(), [b.name().clone()]);
    // What the resolver says is what the error of a node says.
    let nobody = "b@nobody.docker".parse().expect("a name");
    let error = runtime.block_on(a.connect(&nobody)).unwrap_err().to_string();
    assert!(error.contains("no such name; asked 127.0.0.1:"), "{error}");
    let route = runtime.block_on(resolver.resolve(b.name())).expect("a route");
    assert_eq!(route.addresses, ["127.0.0.1".parse::<IpAddr>().expect("an address")]);
}
