//! A real Kubernetes API server of a test alone, from test assets that `cargo xtask tools` unpacks where there are any:
//! etcd, the API server and its controllers on this machine. There is no kubelet: a test makes pods ready itself.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{free_port, skip, unique};

/// Where the assets are, if the variable does not say otherwise.
const PLACE: &str = "/var/cache/beamline/kube";

/// The running server, in the namespace `default`; ended when dropped.
pub struct Kube {
    assets: PathBuf,
    run: PathBuf,
    ports: [u16; 3],
}

impl Kube {
    /// Starts one; `None`, and the reason written down, if this machine cannot have it.
    pub fn start(test: &str) -> Option<Self> {
        let assets = std::env::var_os("BEAMLINE_KUBE").map_or_else(|| PLACE.into(), PathBuf::from);
        let program = |name: &str| assets.join("bin").join(name);
        if !program("kube-apiserver").is_file() {
            skip(test, "kube-apiserver (test assets that are not in the repository)");
            return None;
        }
        for needed in ["etcd", "kubectl", "curl", "jq", "openssl"] {
            let found = Command::new("which").arg(needed).stdout(Stdio::null()).status();
            if !found.is_ok_and(|status| status.success()) {
                skip(test, needed);
                return None;
            }
        }
        let run = std::env::temp_dir().join(unique("kube").replace('@', "_"));
        let tools = run.join("tools/bin");
        fs::create_dir_all(&tools).expect("a folder can be made");
        for name in ["kube-apiserver", "kube-controller-manager"] {
            std::os::unix::fs::symlink(program(name), tools.join(name)).expect("a link can be made");
        }
        let kube = Self { assets, run, ports: [two_free_ports(), free_port(), free_port()] };
        kube.again();
        Some(kube)
    }

    /// Stops it; what it knows is kept.
    pub fn stop(&self) {
        self.script("stop.sh", &[]);
    }

    /// Starts it after [`stop`](Self::stop).
    pub fn again(&self) {
        self.script("start.sh", &[]);
    }

    /// What the nodes put into `kubernetes_master`.
    pub fn server(&self) -> String {
        format!("127.0.0.1:{}", self.ports[1])
    }

    /// A kubeconfig that may do everything.
    pub fn kubeconfig(&self) -> PathBuf {
        self.run.join("kubeconfig")
    }

    /// A folder of its own for that test, removed at the end.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.run.join(name);
        fs::create_dir_all(&folder).expect("a folder can be made");
        folder
    }

    /// The folder of a service account, as a pod has it: `token` may get and list pods, `token-watch` may also watch pods,
    /// endpoints and endpoint slices.
    pub fn account(&self, token: &str) -> PathBuf {
        let folder = self.folder(&format!("account-{token}"));
        for (from, to) in [(self.run.join("sa/ca.crt"), "ca.crt"), (self.run.join(token), "token")] {
            fs::copy(from, folder.join(to)).expect("a file can be copied");
        }
        fs::write(folder.join("namespace"), "default").expect("a file can be written");
        folder
    }

    /// A certificate that has not signed the server's.
    pub fn stranger(&self) -> String {
        fs::read_to_string(self.run.join("pki/admin.crt")).expect("the certificate")
    }

    /// `kubectl`, with this on its stdin.
    pub fn kubectl(&self, arguments: &[&str], input: &str) {
        let mut command = Command::new("kubectl");
        command.env("KUBECONFIG", self.kubeconfig()).args(arguments);
        run(&mut command, input);
    }

    /// The accounts and rights that it begins with.
    pub fn rights(&self) {
        let file = self.assets.join("bootstrap.yaml");
        self.kubectl(&["apply", "-f", file.to_str().expect("a path of this test")], "");
    }

    /// Gives a pod its node and its address; it is not ready yet.
    pub fn bind(&self, pod: &str, address: &str) {
        self.script("setip.sh", &[pod, address, "False"]);
    }

    /// Makes a pod that has an address ready, by one request.
    pub fn make_ready(&self, pod: &str) {
        let status = r#"{"status": {"conditions": [{"type": "Ready", "status": "True"}]}}"#;
        let path = format!("/api/v1/namespaces/default/pods/{pod}/status");
        self.request(
            &path,
            &["-X", "PATCH", "-H", "Content-Type: application/strategic-merge-patch+json", "-d", status],
        );
    }

    /// Forgets all history, so that nobody can go on from an older version.
    pub fn compact(&self) {
        let etcd = format!("http://127.0.0.1:{}/v3/kv", self.ports[0]);
        let post = |path: &str, body: &str| {
            let mut command = Command::new("curl");
            command.args(["-fsS", "-d", body]).arg(format!("{etcd}/{path}"));
            run(&mut command, "")
        };
        let answer = post("range", r#"{"key": "AA=="}"#);
        let revision = answer.split("\"revision\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let revision = revision.expect("etcd says its revision");
        post("compaction", &format!(r#"{{"revision": "{revision}", "physical": true}}"#));
    }

    fn request(&self, path: &str, arguments: &[&str]) {
        let pki = |file: &str| self.run.join("pki").join(file);
        let mut command = Command::new("curl");
        command.args(["-fsS", "-o", "/dev/null", "--cacert"]).arg(pki("ca.crt"));
        command.arg("--cert").arg(pki("admin.crt")).arg("--key").arg(pki("admin.key"));
        command.args(arguments).arg(format!("https://{}{path}", self.server()));
        run(&mut command, "");
    }

    fn script(&self, name: &str, arguments: &[&str]) {
        let mut command = Command::new("bash");
        command.arg(self.assets.join(name)).args(arguments).env("KUBE_RUN", &self.run).env("KEEP", "1");
        for (variable, port) in ["ETCD_PORT", "API_PORT", "KCM_PORT"].into_iter().zip(self.ports) {
            command.env(variable, port.to_string());
        }
        run(&mut command, "");
    }
}

impl Drop for Kube {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("-- the API server's log:\n{}", tail(&self.run.join("log/kube-apiserver.log")));
        }
        let mut command = Command::new("bash");
        command.arg(self.assets.join("stop.sh")).env("KUBE_RUN", &self.run);
        // It may be gone already, which is as good.
        let _ = command.stdin(Stdio::null()).output();
        let _ = fs::remove_dir_all(&self.run);
    }
}

/// etcd takes the port after its own as well.
fn two_free_ports() -> u16 {
    let mut first = free_port();
    loop {
        let next = free_port();
        if next == first + 1 {
            return first;
        }
        first = next;
    }
}

fn run(command: &mut Command, input: &str) -> String {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // Who ends without reading says why by himself.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("its output can be read");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(20).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
