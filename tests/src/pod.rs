//! The kubelet and the cluster's DNS, as far as nodes notice them: what a pod's containers are to run, read back from the
//! API, run on a host of a [`Network`] with the files that a pod has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{Network, Program, path};

/// Where every cluster has its API.
pub const API: &str = "10.96.0.1";

/// A pod that a controller has made.
#[derive(Debug, Clone)]
pub struct Pod {
    /// Its name.
    pub name: String,
    spec: Value,
}

impl Pod {
    /// Those of a list of the API, by name, which have that label.
    pub fn list(json: &Value, label: &str) -> Vec<Self> {
        let items = json["items"].as_array().cloned().unwrap_or_default();
        let labelled = items.into_iter().filter(|pod| pod["metadata"]["labels"][label].is_string());
        let mut pods: Vec<Self> = labelled
            .map(|pod| Self {
                name: pod["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
                spec: pod["spec"].clone(),
            })
            .collect();
        pods.sort_by(|one, other| one.name.cmp(&other.name));
        pods
    }

    /// The account that its processes are.
    pub fn account(&self) -> &str {
        self.spec["serviceAccountName"].as_str().unwrap_or("default")
    }

    /// Whether it is given the token of its account.
    pub fn mounts_token(&self) -> bool {
        self.spec["automountServiceAccountToken"] != Value::Bool(false)
    }

    /// The port of its page.
    pub fn page(&self) -> u16 {
        let ports = self.container()["ports"].as_array().cloned().unwrap_or_default();
        let page = ports.iter().find(|port| port["name"] == "http").and_then(|port| port["containerPort"].as_u64());
        page.and_then(|port| port.try_into().ok()).expect("a port called http")
    }

    /// What its node is called, on that host.
    pub fn node(&self, address: &str, secrets: &Value) -> String {
        self.variables(address, secrets)["BEAMLINE_NODE"].clone()
    }

    /// Starts its container there. `folder` has what is mounted: `hosts`, `resolv.conf`, and `account` if it has a token.
    pub fn start(&self, (network, host): (&Network, usize), secrets: &Value, folder: &Path) -> Program {
        let variables = self.variables(&network.address(host), secrets);
        let words: Vec<String> = ["command", "args"]
            .iter()
            .flat_map(|key| self.container()[*key].as_array().cloned().unwrap_or_default())
            .map(|word| expand(word.as_str().expect("a word"), &variables))
            .collect();
        let (program, arguments) = words.split_first().expect("a command");
        // The namespace of mounts is the command's own. /run hides what the machine has there.
        let script = "set -e; here=$1; shift; mount --bind \"$here/hosts\" /etc/hosts; \
                      mount --bind \"$here/resolv.conf\" /etc/resolv.conf; mount -t tmpfs none /run; \
                      if [ -d \"$here/account\" ]; then to=/run/secrets/kubernetes.io/serviceaccount; mkdir -p $to; \
                      mount --bind \"$here/account\" $to; fi; exec \"$@\"";
        let mut command = network.command(host, Path::new("sh"));
        command.args(["-c", script, "sh"]).arg(folder).arg(path(program)).args(arguments);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").envs(&variables);
        command.env("KUBERNETES_SERVICE_HOST", API).env("KUBERNETES_SERVICE_PORT", "443");
        Program::spawn(command)
    }

    fn container(&self) -> &Value {
        &self.spec["containers"][0]
    }

    fn variables(&self, address: &str, secrets: &Value) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        for variable in self.container()["env"].as_array().cloned().unwrap_or_default() {
            let from = &variable["valueFrom"];
            let value = match from["fieldRef"]["fieldPath"].as_str() {
                Some("status.podIP") => address.to_owned(),
                Some("metadata.name") => self.name.clone(),
                Some(other) => panic!("a field of the pod that is not known here: {other}"),
                None if from["secretKeyRef"].is_object() => secret(&from["secretKeyRef"], secrets),
                None => expand(variable["value"].as_str().expect("a value"), &variables),
            };
            variables.insert(variable["name"].as_str().expect("a name").to_owned(), value);
        }
        variables
    }
}

fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    variables.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("$({name})"), value))
}

/// The value of a key of a secret, from the list of them.
fn secret(key: &Value, secrets: &Value) -> String {
    let items = secrets["items"].as_array().cloned().unwrap_or_default();
    let secret = items.iter().find(|secret| secret["metadata"]["name"] == key["name"]).expect("the secret");
    let encoded = secret["data"][key["key"].as_str().expect("a key")].as_str().expect("a value");
    let mut decode = Command::new("base64");
    let mut child = decode.arg("-d").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("base64 runs");
    let mut input = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut input, encoded.as_bytes()).expect("base64 reads");
    drop(input);
    let output = child.wait_with_output().expect("base64 ends");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The cluster's DNS: for headless services the addresses that the API's endpoints have, under the names that the
/// specification of DNS in Kubernetes gives them. Ended when dropped.
pub struct ClusterDns {
    hosts: PathBuf,
    child: Child,
}

impl ClusterDns {
    /// On that address, with its files in that folder.
    pub fn start(address: &str, folder: &Path) -> Self {
        let hosts = folder.join("records");
        fs::write(&hosts, "").expect("a file");
        let mut command = Command::new("/usr/sbin/dnsmasq");
        command.args(["--conf-file=/dev/null", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--no-poll"]);
        command.args(["--bind-interfaces", "--except-interface=lo", "--local=/cluster.local/", "--user=root"]);
        command.arg(format!("--listen-address={address}")).arg(format!("--addn-hosts={}", hosts.display()));
        command.arg(format!("--pid-file={}", folder.join("dns.pid").display()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { hosts, child: child.expect("dnsmasq runs") }
    }

    /// From a list of endpoints of the API; those of pods that are not ready too where the service says so.
    pub fn publish(&self, endpoints: &Value, domain: &str) {
        let mut lines = String::new();
        for item in endpoints["items"].as_array().into_iter().flatten() {
            let service = item["metadata"]["name"].as_str().unwrap_or_default();
            let subsets = item["subsets"].as_array().into_iter().flatten();
            for address in subsets.flat_map(|subset| subset["addresses"].as_array().into_iter().flatten()) {
                let ip = address["ip"].as_str().unwrap_or_default();
                lines.push_str(&format!("{ip} {service}.{domain}\n"));
                if let Some(pod) = address["hostname"].as_str() {
                    lines.push_str(&format!("{ip} {pod}.{service}.{domain}\n"));
                }
            }
        }
        if fs::read_to_string(&self.hosts).is_ok_and(|before| before == lines) {
            return;
        }
        fs::write(&self.hosts, lines).expect("a file");
        let told = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status();
        assert!(told.is_ok_and(|status| status.success()), "dnsmasq runs");
    }
}

impl Drop for ClusterDns {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
