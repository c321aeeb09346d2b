//! The strategy `kubernetes` with a real API server. The pods are nodes on addresses of loopback, and the test is their kubelet.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use whole_clusters::{DEADLINE, Kube, Program, free_port, wait_until};

const COOKIE: &str = "secret";

/// The time for which a node that is gone stays connected, in ms.
const GRACE: &str = "grace_period = 1000\n";

/// As long as the API server is away; a node asks some twenty times meanwhile.
const AWAY: Duration = Duration::from_secs(10);

/// `beamline node`s that listen on one port, each on an address of its own.
struct Nodes<'k> {
    kube: &'k Kube,
    port: String,
    running: Vec<(String, Program)>,
}

fn address(number: usize) -> String {
    format!("127.0.0.{}", 10 + number)
}

impl<'k> Nodes<'k> {
    fn new(kube: &'k Kube) -> Self {
        Self { kube, port: free_port().to_string(), running: Vec::new() }
    }

    /// Starts the node of that pod with these lines of configuration.
    fn start(&mut self, number: usize, topology: &str) {
        let name = format!("app@{}", address(number));
        let config = self.kube.folder("configs").join(format!("{name}.toml"));
        fs::write(&config, topology).expect("a file can be written");
        let config = config.to_str().expect("a path of this test");
        let arguments = ["node", "--name", &name, "--cookie", COOKIE, "--peer-port", &self.port, "--config", config];
        let program = Program::start("beamline", 1, &arguments, &[("RUST_LOG", "info,beamline_cluster=debug")]);
        self.running.push((name, program));
    }

    fn said(&self, number: usize) -> String {
        self.running[number].1.said()
    }

    fn list(&self, number: usize) -> Vec<String> {
        let output = self.ask(&["nodes", &self.running[number].0]);
        let mut list: Vec<_> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        list.sort();
        list
    }

    fn status(&self, number: usize) -> String {
        String::from_utf8_lossy(&self.ask(&["cluster", "status", &self.running[number].0]).stdout).into_owned()
    }

    fn ask(&self, arguments: &[&str]) -> Output {
        Program::run("beamline", 1, &[arguments, &["--cookie", COOKIE, "--peer-port", &self.port]].concat())
    }

    /// Whether each of these lists exactly the others of them.
    fn mesh(&self, members: &[usize]) -> Result<(), String> {
        for one in members {
            let others = members.iter().filter(|other| *other != one);
            let expected: Vec<_> = others.map(|other| self.running[*other].0.clone()).collect();
            let list = self.list(*one);
            if list != expected {
                return Err(format!("{} sees {list:?}; it said:\n{}", self.running[*one].0, self.said(*one)));
            }
        }
        Ok(())
    }

    #[track_caller]
    fn wait_for_mesh(&self, members: &[usize]) {
        wait_until("each lists exactly the others", DEADLINE, || self.mesh(members));
    }

    /// Waits until a node has said that.
    #[track_caller]
    fn wait_for(&self, number: usize, text: &str) {
        wait_until(&format!("{text:?} is said"), DEADLINE, || {
            let said = self.said(number);
            if said.contains(text) { Ok(()) } else { Err(said) }
        });
    }

    /// So often a node has said that.
    fn count(&self, number: usize, text: &str) -> usize {
        self.said(number).matches(text).count()
    }

    /// Waits until this many more questions of a node have failed; they are in its log each time, at the level of debugging.
    #[track_caller]
    fn wait_for_more(&self, number: usize, text: &str, more: usize) {
        let before = self.count(number, text);
        wait_until(&format!("{text:?} is said {more} times more"), DEADLINE, || {
            let now = self.count(number, text);
            if now >= before + more { Ok(()) } else { Err(format!("{now}, from {before}")) }
        });
    }

    /// So often a node has lost another; the test's own visits do not count.
    fn downs(&self, number: usize) -> usize {
        let said = self.said(number);
        said.lines().filter(|line| line.starts_with("app@") && line.contains(" is down: ")).count()
    }

    /// So often a node has warned of that, which it should do once.
    fn warnings(&self, number: usize, text: &str) -> usize {
        self.said(number).lines().filter(|line| line.contains("WARN") && line.contains(text)).count()
    }
}

/// The pods `app-0` and so on, of a service `beam`; they have addresses and are not ready.
fn pods(kube: &Kube, count: usize) {
    let objects = format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: beam, labels: {{cluster: beam}}}}\n\
         spec: {{clusterIP: None, selector: {{cluster: beam}}}}\n---\n\
         apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: app}}\nspec:\n  serviceName: beam\n  replicas: {count}\n  \
         podManagementPolicy: Parallel\n  selector: {{matchLabels: {{cluster: beam}}}}\n  template:\n    \
         metadata: {{labels: {{cluster: beam}}}}\n    spec: {{containers: [{{name: app, image: none}}]}}\n"
    );
    kube.kubectl(&["apply", "-f", "-"], &objects);
    for number in 0..count {
        let pod = format!("app-{number}");
        wait_until("the pod is there", DEADLINE, || {
            std::panic::catch_unwind(|| kube.bind(&pod, &address(number))).map_err(|_| "not yet")
        });
    }
}

fn topology(kube: &Kube, account: &Path, lookup: &str) -> String {
    format!(
        "[topologies.k8s]\nstrategy = \"kubernetes\"\n{GRACE}[topologies.k8s.config]\n\
         kubernetes_node_basename = \"app\"\nkubernetes_selector = \"cluster=beam\"\n\
         kubernetes_ip_lookup_mode = {lookup:?}\nkubernetes_master = {:?}\n\
         kubernetes_service_account_path = {account:?}\npolling_interval = 500\n",
        kube.server()
    )
}

fn by_kubeconfig(kube: &Kube, topology: &str, config: &str) -> String {
    format!(
        "[topologies.k8s]\nstrategy = \"kubernetes\"\n{topology}[topologies.k8s.config]\n\
         kubernetes_node_basename = \"app\"\nkubernetes_selector = \"cluster=beam\"\n\
         kubernetes_ip_lookup_mode = \"pods\"\nkubeconfig = {:?}\npolling_interval = 500\n{config}",
        kube.kubeconfig()
    )
}

#[test]
fn long_watching() {
    let Some(kube) = Kube::start("long_watching") else { return };
    pods(&kube, 6);
    let config = topology(&kube, &kube.account("token-watch"), "pods");
    let mut nodes = Nodes::new(&kube);
    for number in [0, 1, 2, 3, 5] {
        nodes.start(number, &config);
    }
    // One has the rights of an administrator, whom a server knows from its first moment on.
    nodes.start(4, &by_kubeconfig(&kube, GRACE, ""));
    nodes.running.swap(4, 5);
    nodes.wait_for(0, "is up on port");
    // Their own pod is not ready: nobody is dialed.
    wait_until("the list is known", DEADLINE, || {
        let status = nodes.status(0);
        if status.contains("0 nodes, answered") { Ok(()) } else { Err(status) }
    });

    // Who is ready is connected by who watches.
    let mut times = Vec::new();
    for number in 1..6 {
        let begin = Instant::now();
        kube.make_ready(&format!("app-{number}"));
        nodes.wait_for(0, &format!("app@{} is up", address(number)));
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    println!("connected after it was ready, the request for it included: {times:?}");
    assert!(times[2] <= Duration::from_millis(300), "{times:?}");
    kube.make_ready("app-0");
    nodes.wait_for_mesh(&[0, 1, 2, 3, 4, 5]);
    assert!(!nodes.said(0).contains("cannot be watched"), "{}", nodes.said(0));

    // A pod that drains keeps its address and is Ready; it is let go, and not dialed, and dials nobody.
    let begin = Instant::now();
    kube.kubectl(&["delete", "pod", "app-5", "--wait=false"], "");
    nodes.wait_for(0, &format!("app@{} is down", address(5)));
    assert!(begin.elapsed() >= Duration::from_secs(1), "{:?}", begin.elapsed());
    nodes.wait_for_mesh(&[0, 1, 2, 3, 4]);
    wait_until("the drained one is alone", DEADLINE, || nodes.mesh(&[5]));
    // And stays so when its pod is no more.
    kube.kubectl(&["delete", "pod", "app-5", "--force", "--grace-period=0"], "");
    nodes.running[5].1.kill();

    // The API is away for a while: nobody is lost. Then its history is gone, and others are there.
    let downs = |nodes: &Nodes<'_>| (0..5).map(|number| nodes.downs(number)).sum::<usize>();
    let before = downs(&nodes);
    kube.kubectl(&["annotate", "service", "beam", "history=over"], "");
    kube.compact();
    kube.stop();
    nodes.wait_for_more(0, "request to kubernetes failed!", 2);
    let begin = Instant::now();
    while begin.elapsed() < AWAY {
        nodes.mesh(&[0, 1, 2, 3, 4]).expect("the mesh is whole while the API is away");
    }
    assert_eq!(nodes.warnings(0, "request to kubernetes failed!"), 1, "{}", nodes.said(0));
    kube.again();
    nodes.wait_for(4, "watch: Gone");
    wait_until("the pod is there anew", DEADLINE, || {
        std::panic::catch_unwind(|| kube.bind("app-5", &address(5))).map_err(|_| "not yet")
    });
    kube.make_ready("app-5");
    nodes.running.truncate(5);
    nodes.start(5, &config);
    nodes.wait_for_mesh(&[0, 1, 2, 3, 4, 5]);
    assert_eq!(downs(&nodes), before, "{}", nodes.said(0));
}

#[test]
fn long_polling_and_what_goes_wrong() {
    let Some(kube) = Kube::start("long_polling_and_what_goes_wrong") else { return };
    pods(&kube, 4);
    for number in 0..4 {
        kube.make_ready(&format!("app-{number}"));
    }
    let account = kube.account("token");
    let polling = topology(&kube, &account, "pods");
    let mut nodes = Nodes::new(&kube);
    nodes.start(0, &polling);
    nodes.start(1, &polling);
    // The others find the same by other means.
    let watching = kube.account("token-watch");
    nodes.start(2, &topology(&kube, &watching, "endpoints"));
    nodes.start(3, &topology(&kube, &watching, "endpointslices"));
    nodes.wait_for_mesh(&[0, 1, 2, 3]);
    nodes.wait_for(
        0,
        "pods cannot be watched here, so they are listed every 500 ms: cannot query kubernetes (unauthorized)",
    );
    for number in [2, 3] {
        assert_eq!(nodes.count(number, "cannot be watched"), 0, "{}", nodes.said(number));
        assert_eq!(nodes.count(number, "WARN"), 0, "{}", nodes.said(number));
    }

    let token = fs::read_to_string(account.join("token")).expect("the token");
    let write = |file: &str, text: &str| fs::write(account.join(file), text).expect("a file can be written");
    // What is said, what spoils it, what mends it.
    type Case<'c> = (&'c str, &'c dyn Fn(), &'c dyn Fn());
    let authority = fs::read_to_string(account.join("ca.crt")).expect("the certificate");
    let remove = |file: &str| fs::remove_file(account.join(file)).expect("a file can be removed");
    let cases: [Case<'_>; 5] = [
        ("invalid peer certificate", &|| write("ca.crt", &kube.stranger()), &|| write("ca.crt", &authority)),
        ("ca.crt\", which access to the Kubernetes API needs: ", &|| remove("ca.crt"), &|| write("ca.crt", &authority)),
        ("cannot query kubernetes (401 Unauthorized)", &|| write("token", "forged"), &|| write("token", &token)),
        ("in the namespace \"nowhere\"; a Role must allow get and list", &|| write("namespace", "nowhere"), &|| {
            write("namespace", "default")
        }),
        (
            "in the namespace \"default\"; a Role must allow get and list",
            &|| kube.kubectl(&["delete", "rolebinding", "pod-reader"], ""),
            &|| kube.rights(),
        ),
    ];
    for (text, spoil, mend) in cases {
        let before = nodes.warnings(0, text);
        spoil();
        nodes.wait_for_more(0, text, 4);
        assert_eq!(nodes.warnings(0, text), before + 1, "{}", nodes.said(0));
        assert!(nodes.status(0).contains("kept, "), "{}", nodes.status(0));
        nodes.mesh(&[0, 1, 2, 3]).expect("the mesh is whole");
        mend();
        wait_until("the answer is good again", DEADLINE, || {
            let status = nodes.status(0);
            if status.contains("kept, ") { Err(status) } else { Ok(()) }
        });
    }
    assert_eq!(nodes.downs(0), 0, "{}", nodes.said(0));
    assert_eq!(nodes.count(0, "cannot be watched"), 1, "{}", nodes.said(0));
    for number in 0..4 {
        assert!(!nodes.said(number).contains(&token), "a token is said");
    }

    // Who was ready stays; who comes later does not dial it.
    kube.bind("app-1", &address(1));

    // By a kubeconfig, whose account may ask whether a namespace is there.
    nodes.start(4, &by_kubeconfig(&kube, "", "kubernetes_namespace = \"nowhere\"\n"));
    nodes.wait_for(4, "the namespace \"nowhere\" is not in this Kubernetes cluster");
    nodes.start(5, &by_kubeconfig(&kube, "", ""));
    for number in [0, 2, 3] {
        nodes.wait_for(5, &format!("discovered :\"app@{}\"", address(number)));
    }
    nodes.wait_for_mesh(&[0, 1, 2, 3, 5]);
    assert_eq!(nodes.count(5, &format!("discovered :\"app@{}\"", address(1))), 0, "{}", nodes.said(5));
    assert_eq!(nodes.downs(0), 0, "{}", nodes.said(0));
}
