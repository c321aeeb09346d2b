//! The four Kubernetes folders on a real API server: it takes them, its controllers make the pods, and nodes that run what
//! the pods say, under the names and with the accounts that the pods have, become one cluster by the folder's own strategy.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use whole_clusters::pod::{API, ClusterDns, Pod};
use whole_clusters::{Kube, Network, Program, skip, wait_until};

const FOLDERS: [&str; 4] = ["k8s_gossip_deployment", "k8s_gossip_statefulset", "k8s_statefulset", "k8s_dns_deployment"];
const DOMAIN: &str = "default.svc.cluster.local";
const PATIENCE: Duration = Duration::from_secs(40);

#[test]
fn long_the_folders_make_whole_clusters() {
    let test = "long_the_folders_make_whole_clusters";
    if !Path::new("/usr/sbin/dnsmasq").is_file() {
        return skip(test, "dnsmasq");
    }
    let Some(network) = Network::new(test, 72, 6) else { return };
    let Some(kube) = Kube::start(test) else { return };
    network.add_address(API);
    serve_api(&kube.server());
    for folder in FOLDERS {
        let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(folder);
        let manifests = manifests.to_str().expect("a path of this test");
        kube.kubectl(&["apply", "-f", manifests], "");
        mesh(folder, &kube, &network);
        kube.kubectl(&["delete", "-f", manifests, "--wait=false"], "");
        kube.kubectl(&["delete", "pods", "--all", "--force", "--grace-period=0"], "");
        wait_until("the pods are gone", PATIENCE, || match pods(&kube).len() {
            0 => Ok(()),
            left => Err(format!("{left} pods are left")),
        });
    }
}

fn mesh(folder: &str, kube: &Kube, network: &Network) {
    wait_until("the controllers have made six pods", PATIENCE, || match pods(kube).len() {
        6 => Ok(()),
        made => Err(format!("{made} pods")),
    });
    let pods = pods(kube);
    let here = kube.folder(folder);
    let dns = ClusterDns::start(&network.address(254), &here);
    let resolv = format!(
        "nameserver {}\nsearch {DOMAIN} svc.cluster.local cluster.local\noptions ndots:5\n",
        network.address(254)
    );
    let secrets = get(kube, "secrets");
    let mut nodes = Vec::new();
    for (pod, host) in pods.iter().zip(1..) {
        let address = network.address(host);
        kube.bind(&pod.name, &address);
        let mounts = here.join(&pod.name);
        fs::create_dir_all(&mounts).expect("a folder");
        // As the kubelet writes it for a pod with a subdomain.
        let hosts = format!("127.0.0.1 localhost\n{address} {0}.beam-cluster.{DOMAIN} {0}\n", pod.name);
        fs::write(mounts.join("hosts"), hosts).expect("a file");
        fs::write(mounts.join("resolv.conf"), &resolv).expect("a file");
        if pod.mounts_token() {
            account(kube, pod.account(), &mounts.join("account"));
        }
        nodes.push((pod, host, pod.node(&address, &secrets), pod.start((network, host), &secrets, &mounts)));
    }
    let names: BTreeSet<String> = nodes.iter().map(|(_, _, name, _)| name.clone()).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    let mut ready = BTreeSet::new();
    let time = wait_until(&format!("{folder}: each lists the other five"), PATIENCE, || {
        dns.publish(&get(kube, "endpoints"), DOMAIN);
        let mut apart = Vec::new();
        for (pod, host, name, program) in &mut nodes {
            program.assert_running();
            let Ok((_, page)) = Program::get_from(&network.address(*host), pod.page(), "/") else {
                apart.push(format!("{name} has no page"));
                continue;
            };
            // As the kubelet does whose probe has succeeded.
            if ready.insert(pod.name.clone()) {
                kube.make_ready(&pod.name);
            }
            let listed = page.split_once("Node.list: ").map_or("", |(_, list)| list);
            let missing: Vec<&String> =
                names.iter().filter(|other| *other != name && !listed.contains(&format!("\"{other}\""))).collect();
            if !missing.is_empty() {
                apart.push(format!("{name} lacks {missing:?}"));
            }
        }
        if apart.is_empty() { Ok(()) } else { Err(apart.join("\n")) }
    });
    println!("{folder}: whole after {time:?}");
}

/// The pods of app_a and app_b; the notebook's has no such label.
fn pods(kube: &Kube) -> Vec<Pod> {
    Pod::list(&get(kube, "pods"), "cluster")
}

fn get(kube: &Kube, what: &str) -> Value {
    serde_json::from_str(&output(kube, &["get", what, "--output", "json"], "")).expect("an answer of the API")
}

/// What the kubelet mounts for an account: its token, the API's certificate, the namespace.
fn account(kube: &Kube, account: &str, folder: &PathBuf) {
    let path = format!("/api/v1/namespaces/default/serviceaccounts/{account}/token");
    let request =
        r#"{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}"#;
    let answer: Value =
        serde_json::from_str(&output(kube, &["create", "--raw", &path, "-f", "-"], request)).expect("an answer");
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join("token"), answer["status"]["token"].as_str().expect("a token")).expect("a file");
    fs::write(folder.join("namespace"), "default").expect("a file");
    fs::copy(kube.account("token").join("ca.crt"), folder.join("ca.crt")).expect("a file");
}

fn output(kube: &Kube, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("kubectl");
    command.env("KUBECONFIG", kube.kubeconfig()).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("kubectl runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("kubectl reads");
    let output = child.wait_with_output().expect("kubectl ends");
    assert!(output.status.success(), "kubectl {arguments:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The API server where pods look for it. It ends with the test.
fn serve_api(server: &str) {
    let listener = TcpListener::bind((API, 443)).expect("port 443 of the API's address");
    let server = server.to_owned();
    std::thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(&server) else { continue };
            let halves = [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))];
            for (from, to) in halves {
                let (Ok(mut from), Ok(mut to)) = (from, to) else { continue };
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
}
