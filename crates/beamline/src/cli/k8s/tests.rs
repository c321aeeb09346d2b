//! The project's own folders are right; the article's have their known traps; and what is broken on purpose is found.

use std::fs;
use std::path::PathBuf;

use super::*;

const FOLDERS: [&str; 4] = ["k8s_dns_deployment", "k8s_gossip_deployment", "k8s_gossip_statefulset", "k8s_statefulset"];

fn ours(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(folder)
}

fn articles(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/k8s").join(folder)
}

/// `code file:line` of each, the file by its name alone.
fn places(findings: &[Finding]) -> Vec<String> {
    let place = |finding: &Finding| {
        let file = Path::new(&*finding.place.file).file_name().unwrap_or_default().to_string_lossy();
        format!("{} {file}:{}", finding.code.id(), finding.place.line)
    };
    findings.iter().map(place).collect()
}

#[test]
fn our_own_folders_are_right() {
    for folder in FOLDERS {
        let findings = findings(&ours(folder), None).unwrap();
        assert!(findings.is_empty(), "{folder}: {findings:#?}");
    }
}

#[test]
fn the_traps_of_the_articles_folders() {
    let expected: [&[&str]; 4] = [
        // The notebook is in the service; the service has no SRV records.
        &["K14 livebook.yaml:5", "K15 service.yaml:4"],
        // Multicast.
        &["K16 app-a.yaml:25", "K16 app-b.yaml:25"],
        &["K16 app-a.yaml:26", "K16 app-b.yaml:26", "K15 service.yaml:4"],
        // Both sets select the same.
        &["K02 app-a.yaml:9", "K02 app-b.yaml:9", "K15 service.yaml:4"],
    ];
    for (folder, expected) in FOLDERS.into_iter().zip(expected) {
        let findings = findings(&articles(folder), None).unwrap();
        assert_eq!(places(&findings), expected, "{folder}: {findings:#?}");
    }
}

/// A copy of one of our folders with one text replaced by another.
fn broken(folder: &str, file: &str, from: &str, to: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(ours(folder)).unwrap().flatten() {
        let mut text = fs::read_to_string(entry.path()).unwrap();
        if entry.file_name() == file {
            assert!(text.contains(from), "{folder}/{file} has no {from:?}");
            text = text.replacen(from, to, 1);
        }
        fs::write(copy.path().join(entry.file_name()), text).unwrap();
    }
    copy
}

/// The codes, and the text of the line that each points at.
fn found(folder: &Path, config: Option<&Path>) -> Vec<(String, String)> {
    let pointed = |finding: Finding| {
        let text = fs::read_to_string(&*finding.place.file).unwrap();
        let line = text.lines().nth(finding.place.line - 1).unwrap_or_default().trim().to_owned();
        (finding.code.id().to_owned(), line)
    };
    findings(folder, config).unwrap().into_iter().map(pointed).collect()
}

/// Folder, file, what is replaced there, by what, and what is found: code and line.
type Case<'c> = (&'c str, &'c str, &'c str, &'c str, &'c [(&'c str, &'c str)]);

#[test]
fn what_is_broken_is_found_where_it_is() {
    const SET: &str = "k8s_statefulset";
    const DNS: &str = "k8s_dns_deployment";
    const GOSSIP: &str = "k8s_gossip_statefulset";
    let cases: &[Case] = &[
        (
            SET,
            "app-a.yaml",
            "component: app-a\n  template",
            "component: app-aa\n  template",
            &[("K01", "matchLabels:")],
        ),
        (
            SET,
            "app-a.yaml",
            "      component: app-a\n  template",
            "      cluster: beam\n  template",
            &[("K02", "matchLabels:")],
        ),
        (SET, "app-b.yaml", "    component: app-b\n  ports", "    component: app-c\n  ports", &[("K03", "selector:")]),
        (
            SET,
            "beam-cluster.yaml",
            "name: beam-cluster",
            "name: beam-clutser",
            &[
                ("K04", "serviceName: beam-cluster"),
                ("K04", "value: kubernetes"),
                ("K04", "serviceName: beam-cluster"),
                ("K04", "value: kubernetes"),
            ],
        ),
        (SET, "beam-cluster.yaml", "clusterIP: None", "type: ClusterIP", &[("K05", "name: beam-cluster")]),
        (
            GOSSIP,
            "app-a.yaml",
            "serviceName: beam-cluster",
            "serviceName: app-a",
            &[("K06", "- $(BEAMLINE_NODE)"), ("K05", "name: app-a")],
        ),
        (
            DNS,
            "app-a.yaml",
            "cluster-app@$(POD_IP)",
            "cluster-app@$(POD_NAME)",
            &[("K06", "- $(BEAMLINE_NODE)"), ("K08", "- $(BEAMLINE_NODE)")],
        ),
        (GOSSIP, "app-a.yaml", "app-a@$(POD_NAME).", "app-a@app-a-0.", &[("K06", "- $(BEAMLINE_NODE)")]),
        (DNS, "app-b.yaml", "cluster-app@", "app-b@", &[("K07", "- $(BEAMLINE_NODE)")]),
        (
            SET,
            "app-b.yaml",
            "cluster-app@$(POD_NAME).beam-cluster.default.svc.cluster.local",
            "cluster-app@$(POD_IP)",
            &[("K08", "- $(BEAMLINE_NODE)")],
        ),
        (
            SET,
            "app-a.yaml",
            "serviceAccountName: beam-cluster",
            "serviceAccountName: default",
            &[("K09", "serviceAccountName: default")],
        ),
        (SET, "roles.yaml", "  name: read-pods-role\nrules", "  name: read-pods\nrules", &[("K09", "roleRef:")]),
        (SET, "roles.yaml", "verbs: [get, list, watch]", "verbs: [get, watch]", &[("K10", "- apiGroups: [\"\"]")]),
        (SET, "roles.yaml", "resources: [pods]", "resources: [endpoints]", &[("K10", "name: read-pods-role")]),
        (SET, "roles.yaml", "    namespace: default\n", "    namespace: other\n", &[("K11", "- kind: ServiceAccount")]),
        (SET, "roles.yaml", "    namespace: default\n", "", &[("K11", "- kind: ServiceAccount")]),
        (SET, "app-b.yaml", ".default.svc", ".production.svc", &[("K11", "- $(BEAMLINE_NODE)")]),
        (
            DNS,
            "beam-cluster.yaml",
            "  name: beam-cluster\n",
            "  name: beam-cluster\n  namespace: other\n",
            &[("K11", "name: beam-cluster")],
        ),
        (
            DNS,
            "app-a.yaml",
            "-kernel inet_dist_listen_min 9000 inet_dist_listen_max 9000",
            "-kernel net_ticktime 8",
            &[("K12", "- name: app-a")],
        ),
        (
            DNS,
            "app-a.yaml",
            "containerPort: 9000",
            "containerPort: 9001",
            &[("K13", "- -kernel inet_dist_listen_min 9000 inet_dist_listen_max 9000")],
        ),
        (
            DNS,
            "notebook.yaml",
            "        component: notebook\n",
            "        component: notebook\n        cluster: beam\n",
            &[("K14", "labels:")],
        ),
        (GOSSIP, "app-a.yaml", "beamline/checked: K16", "other: K16", &[("K16", "value: gossip")]),
        (SET, "app-a.yaml", "value: kubernetes", "value: kubernets", &[("K17", "value: kubernets")]),
        (SET, "app-a.yaml", "value: kubernetes", "value: local_epmd", &[("K17", "value: local_epmd")]),
        (SET, "app-b.yaml", "name: beam-cookie", "name: other-cookie", &[("K18", "secretKeyRef:")]),
        (SET, "app-a.yaml", "BEAMLINE_COOKIE", "ERLANG_COOKIE", &[("K18", "- name: app-a")]),
        (SET, "app-a.yaml", "        cluster: beam\n", "", &[("K19", "labels:"), ("K03", "selector:")]),
    ];
    for (folder, file, from, to, expected) in cases {
        let copy = broken(folder, file, from, to);
        let found = found(copy.path(), None);
        let found: Vec<_> = found.iter().map(|(code, line)| (code.as_str(), line.as_str())).collect();
        assert_eq!(found, *expected, "{folder}/{file}: {from:?} is {to:?}");
    }
}

#[test]
fn by_a_configuration_file() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str, manifests: &str| {
        let config = folder.path().join("beamline.toml");
        fs::write(&config, text).unwrap();
        found(&ours(manifests), Some(&config))
    };
    let by_hostname = |base: &str, namespace: &str, service: &str| {
        format!(
            "[topologies.k8s]\nstrategy = \"Cluster.Strategy.Kubernetes\"\n[topologies.k8s.config]\nmode = \"hostname\"\n\
             kubernetes_ip_lookup_mode = \"pods\"\nkubernetes_service_name = \"{service}\"\n\
             kubernetes_node_basename = \"{base}\"\nkubernetes_selector = \"cluster=beam\"\n\
             kubernetes_namespace = \"{namespace}\"\n"
        )
    };
    let right = by_hostname("cluster-app", "default", "beam-cluster");
    assert_eq!(check(&right, "k8s_statefulset"), []);
    let codes = |found: Vec<(String, String)>| found.into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    assert_eq!(codes(check(&by_hostname("app", "default", "beam-cluster"), "k8s_statefulset")), ["K07", "K07"]);
    let elsewhere = check(&by_hostname("cluster-app", "other", "beam-cluster"), "k8s_statefulset");
    assert!(elsewhere.contains(&("K11".to_owned(), "kubernetes_namespace = \"other\"".to_owned())), "{elsewhere:?}");
    let service = check(&by_hostname("cluster-app", "default", "nodes"), "k8s_statefulset");
    assert!(service.contains(&("K04".to_owned(), "kubernetes_service_name = \"nodes\"".to_owned())), "{service:?}");
    // The default asks for endpoints, which the role does not have.
    let endpoints = right.replace("kubernetes_ip_lookup_mode = \"pods\"\n", "");
    assert_eq!(codes(check(&endpoints, "k8s_statefulset")), ["K10"]);
    let by_address = right.replace("\"hostname\"", "\"ip\"");
    assert_eq!(codes(check(&by_address, "k8s_statefulset")), ["K08", "K08"]);
    let missing = findings(&ours("k8s_statefulset"), Some(Path::new("/nowhere/beamline.toml"))).unwrap_err();
    assert!(missing.contains("/nowhere/beamline.toml"), "{missing}");
}

#[test]
fn what_is_no_folder_of_nodes() {
    let folder = tempfile::tempdir().unwrap();
    let told = |path: &Path| findings(path, None).unwrap_err();
    assert!(told(Path::new("/nowhere")).contains("cannot read /nowhere"));
    assert!(told(folder.path()).contains("has no manifests"));
    fs::write(folder.path().join("a.yaml"), "kind: Service\nmetadata:\n  name: a\n").unwrap();
    assert!(told(folder.path()).contains("no workload here starts a node"));
    fs::write(folder.path().join("b.yaml"), "kind: Service\nmetadata:\n\tname: a\n").unwrap();
    assert!(told(folder.path()).contains("b.yaml:3: this is no YAML"), "{}", told(folder.path()));
}

#[test]
fn a_finding_says_where_what_and_what_to_do() {
    let copy = broken("k8s_dns_deployment", "app-b.yaml", "cluster-app@", "app-b@");
    let finding = findings(copy.path(), None).unwrap().remove(0).to_string();
    let (first, second) = finding.split_once('\n').unwrap();
    let expected = "error K07: the nodes of app-b are called app-b@.., but the strategy dials cluster-app@..";
    assert!(first.ends_with(expected) && first.contains("app-b.yaml:"), "{first}");
    assert_eq!(second, "    fix: --name cluster-app@$(POD_IP)");
}
