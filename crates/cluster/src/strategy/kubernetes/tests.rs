//! The keys of the configuration, right and wrong.

use super::*;
use crate::{ConfigError, Topologies};

fn problems(text: &str) -> Vec<String> {
    match Topologies::from_toml(text, "b.toml") {
        Ok(topologies) => panic!("nothing is wrong: {topologies}"),
        Err(ConfigError::Wrong { problems }) => problems.iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_variable_gives_the_articles_topology() {
    let topologies = Topologies::from_choice("kubernetes", None);
    assert_eq!(topologies.to_string(), "[k8s: [strategy: Cluster.Strategy.Kubernetes]]");
    let strategy = format!("{:?}", topologies.iter().next().unwrap().strategy());
    let text = r#"
        [topologies.k8s]
        strategy = "Cluster.Strategy.Kubernetes"
        [topologies.k8s.config]
        mode = "hostname"
        kubernetes_ip_lookup_mode = "pods"
        kubernetes_service_name = "beam-cluster"
        kubernetes_node_basename = "cluster-app"
        kubernetes_selector = "cluster=beam"
    "#;
    let same = Topologies::from_toml(text, "b.toml").unwrap();
    assert_eq!(format!("{:?}", same.iter().next().unwrap().strategy()), strategy);
}

#[test]
fn all_its_keys() {
    let text = r#"
        [topologies.k8s]
        strategy = "kubernetes"
        [topologies.k8s.config]
        mode = "dns"
        kubernetes_ip_lookup_mode = "endpointslices"
        kubernetes_service_name = "s"
        kubernetes_node_basename = "app"
        kubernetes_selector = "a=b"
        kubernetes_namespace = "ns"
        kubernetes_cluster_name = "c"
        kubernetes_master = "api:6443"
        kubernetes_service_account_path = "/sa"
        kubernetes_use_cached_resources = true
        polling_interval = 100
        kubeconfig = "/k"
    "#;
    let topologies = Topologies::from_toml(text, "b.toml").unwrap();
    let mut expected = Kubernetes::new("app", "a=b");
    expected.mode = Mode::Dns;
    expected.ip_lookup_mode = Lookup::EndpointSlices;
    expected.service_name = Some("s".to_owned());
    expected.namespace = Some("ns".to_owned());
    expected.cluster_name = "c".to_owned();
    expected.master = Some("api:6443".to_owned());
    expected.service_account_path = "/sa".into();
    expected.use_cached_resources = true;
    expected.polling_interval = Duration::from_millis(100);
    expected.kubeconfig = Some("/k".into());
    let read = topologies.iter().next().unwrap();
    assert_eq!(format!("{:?}", read.strategy()), format!("{expected:?}"));
    assert!(read.prunes());
}

#[test]
fn what_is_wrong_in_it() {
    let cases: &[(&str, &[&str])] = &[
        (
            "",
            &[
                "b.toml:1:13: the key `kubernetes_node_basename` is missing: the part of the nodes' names before the `@`",
                "b.toml:1:13: the key `kubernetes_selector` is missing: a label selector such as \"cluster=beam\"",
            ],
        ),
        (
            "config = { kubernetes_node_basename = \"a\", kubernetes_selector = \"b\", mode = \"hostname\" }",
            &["b.toml:3:1: the key `kubernetes_service_name` is missing: the headless service, which names of the \
                 mode \"hostname\" contain"],
        ),
        (
            "config = { kubernetes_node_basename = \"a@b\", kubernetes_selector = \"b\", mode = \"IP\" }",
            &[
                "b.toml:3:39: this cannot be the part of a node's name before the `@`",
                "b.toml:3:80: `mode` must be one of \"ip\", \"hostname\", \"dns\", not a string",
            ],
        ),
        (
            "config = { kubernetes_node_basename = \"a\", kubernetes_selector = \"b\", kubernetes_node = 1 }",
            &["b.toml:3:71: unknown key `kubernetes_node`; there are: "],
        ),
    ];
    for (config, expected) in cases {
        let found = problems(&format!("[topologies.a]\nstrategy = \"kubernetes\"\n{config}"));
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        assert!(found.iter().zip(*expected).all(|(found, expected)| found.starts_with(expected)), "{found:#?}");
    }
}
