//! Files that are right and files that are wrong, with the place of each mistake.

use super::*;
use crate::strategy::BUILT_IN;

fn problems(text: &str) -> Vec<String> {
    match Topologies::from_toml(text, "b.toml") {
        Ok(topologies) => panic!("nothing is wrong: {topologies}"),
        Err(ConfigError::Wrong { problems }) => problems.iter().map(Problem::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn values_of_the_variable() {
    let gossip = Topologies::from_choice("gossip", None);
    assert_eq!(gossip.to_string(), "[gossip: [strategy: Cluster.Strategy.Gossip]]");
    assert_eq!(Topologies::from_choice(" Cluster.Strategy.Gossip ", None).to_string(), gossip.to_string());
    let local_epmd = Topologies::from_choice("local_epmd", Some(5000));
    assert_eq!(local_epmd.epmd_port(), Some(5000));
    #[cfg(feature = "dns")]
    {
        let dns = Topologies::from_choice("kubernetes.dns", None);
        assert_eq!(dns.to_string(), "[k8s_dns: [strategy: Cluster.Strategy.Kubernetes.DNS]]");
        let strategy = format!("{:?}", dns.iter().next().unwrap().strategy());
        assert!(strategy.contains("\"cluster-app\"") && strategy.contains("\"beam-cluster\""), "{strategy}");
    }
    let none = Topologies::from_choice("", None);
    assert!(none.is_empty() && none.notice().is_none());
}

#[test]
fn other_values_make_none_and_say_so() {
    let unknown = Topologies::from_choice("gosip", None);
    assert!(unknown.notice().is_some_and(|notice| notice.to_string().contains("gosip")));
    let epmd = Topologies::from_choice("epmd", None).notice().unwrap().to_string();
    assert!(epmd.contains("needs a configuration"), "{epmd}");
}

#[test]
fn what_is_not_in_this_build_is_told_with_its_feature() {
    for (built_in, feature) in BUILT_IN.iter().filter_map(|built_in| Some((built_in, built_in.read.err()?))) {
        let text = format!("this strategy is not in this build; it needs the cargo feature `{feature}`");
        let chosen = Topologies::from_choice(built_in.short, None);
        let notice = chosen.notice().unwrap().to_string();
        assert!(chosen.is_empty() && notice.contains(&text), "{notice}");
        let file = format!("[topologies.a]\nstrategy = {:?}\nconfig.mode = \"ip\"", built_in.short);
        assert_eq!(problems(&file), [format!("b.toml:2:12: {}: {text}", built_in.module)]);
    }
}

#[test]
fn several_topologies_with_all_their_keys() {
    let text = r#"
        [topologies.lan]
        strategy = "Elixir.Cluster.Strategy.Gossip"
        [topologies.lan.config]
        port = 0xB344
        if_addr = [0, 0, 0, 0]
        multicast_addr = "233.252.1.33"
        multicast_if = "127.0.0.1"
        multicast_ttl = 3
        broadcast_only = true
        secret = "somepassword"

        [topologies.fixed]
        strategy = "epmd"
        config = { hosts = ["a@h", "b@h"], timeout = "infinity" }
        prune = true
        grace_period = 1500

        [topologies]
        here = { strategy = "local_epmd", config = { port = 5, polling_interval = 100 } }
        hosts = { strategy = "Cluster.Strategy.ErlangHosts", config.timeout = 30_000, config.path = "/etc/hosts.erlang" }
    "#;
    let topologies = Topologies::from_toml(text, "b.toml").unwrap();
    let of = |name: &str| topologies.iter().find(|topology| topology.name() == name).unwrap();
    let gossip = format!("{:?}", of("lan").strategy());
    for part in [
        "port: 45892",
        "if_addr: 0.0.0.0",
        "multicast_addr: 233.252.1.33",
        "multicast_if: Some(127.0.0.1)",
        "multicast_ttl: 3",
        "broadcast_only: true",
        "secret: Some(Secret(..))",
    ] {
        assert!(gossip.contains(part), "{part} in {gossip}");
    }
    assert!(of("lan").prunes() && of("lan").grace_period() == DEFAULT_GRACE);
    assert!(of("fixed").prunes() && of("fixed").grace_period().as_millis() == 1500);
    assert!(format!("{:?}", of("fixed").strategy()).contains("b@h"));
    assert!(!of("here").prunes());
    let here = format!("{:?}", of("here").strategy());
    assert!(here.contains("port: Some(5)") && here.contains("100ms"), "{here}");
    let hosts = format!("{:?}", of("hosts").strategy());
    assert!(hosts.contains("30s") && hosts.contains("/etc/hosts.erlang"), "{hosts}");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let cases: &[(&str, &[&str])] = &[
        ("topologies", &["b.toml:1:11: key with no value, expected `=`"]),
        ("topology = 1", &["b.toml:1:1: unknown key `topology`; did you mean `topologies`?"]),
        ("other = 1", &["b.toml:1:1: unknown key `other`; there are: topologies"]),
        ("topologies = 1", &["b.toml:1:14: `topologies` must be a table, not a whole number"]),
        ("[topologies.a]", &["b.toml:1:13: the key `strategy` is missing: the name of a strategy"]),
        ("[topologies.a]\nstrategi = \"gossip\"", &["b.toml:2:1: unknown key `strategi`; did you mean `strategy`?"]),
        ("[topologies.a]\nstrategy = 5", &["b.toml:2:12: `strategy` must be the name of a strategy, not 5"]),
        (
            "[topologies.a]\nstrategy = \"gosip\"",
            &["b.toml:2:12: unknown strategy \"gosip\"; did you mean \"gossip\"?"],
        ),
        (
            "[topologies.a]\nstrategy = \"gossip\"\nconnect = \"x\"",
            &["b.toml:3:1: `connect` is a function and is given in Rust: wrap the node in a `Connector`"],
        ),
        (
            "[topologies.a]\nstrategy = \"gossip\"\nconfig = { port = \"45892\", ttl = 1 }",
            &[
                "b.toml:3:19: `port` must be a whole number from 1 to 65535, not a string",
                "b.toml:3:28: unknown key `ttl`; there are: port, if_addr, multicast_addr, multicast_if, multicast_ttl, \
                 broadcast_only, secret",
            ],
        ),
        (
            "[topologies.ä]\nstrategy = \"epmd\"\nconfig.hosts = [\"a\", 5]",
            &["b.toml:1:13: invalid unquoted key, expected letters, numbers, `-`, `_`"],
        ),
        (
            "[topologies.\"ä\"]\nstrategy = \"epmd\"\nconfig.hosts = [\"ä@b\", 5]",
            &["b.toml:3:24: `hosts` must have names of nodes, not 5"],
        ),
        (
            "[topologies.a]\nstrategy = \"epmd\"",
            &["b.toml:1:13: the key `hosts` is missing: a list of node names such as [\"app_a@127.0.0.1\"]"],
        ),
        (
            "[topologies.a]\nstrategy = \"epmd\"\nconfig.host = []",
            &["b.toml:3:8: unknown key `host`; did you mean `hosts`?"],
        ),
        (
            "[topologies.a]\nstrategy = \"gossip\"\ngrace_period = -1",
            &["b.toml:3:16: `grace_period` must be a time in milliseconds, not -1"],
        ),
    ];
    for (text, expected) in cases {
        let found = problems(text);
        assert!(
            found.len() == expected.len() && found.iter().zip(*expected).all(|(found, expected)| found == expected),
            "{text}\n{found:#?}"
        );
    }
}

#[test]
fn the_names_of_strategies_are_told_to_who_asks_for_another() {
    let found = problems("[topologies.a]\nstrategy = \"Cluster.Strategy.Rancher\"");
    let text =
        "b.toml:2:12: unknown strategy \"Cluster.Strategy.Rancher\"; there are: epmd, local_epmd, erlang_hosts, gossip";
    assert!(found.len() == 1 && found[0].starts_with(text), "{found:?}");
}

#[test]
fn a_secret_at_a_wrong_place_is_not_shown() {
    let text = "[topologies.a]\nstrategy = \"gossip\"\nconfig.port = \"hunter2\"\nconfig.multicast_if = \"hunter2\"";
    assert!(problems(text).iter().all(|problem| !problem.contains("hunter2")), "{:?}", problems(text));
}

#[test]
fn a_file_that_is_not_there() {
    let error = Topologies::from_file("/nowhere/b.toml").unwrap_err().to_string();
    assert!(error.starts_with("cannot read the configuration \"/nowhere/b.toml\": "), "{error}");
}
