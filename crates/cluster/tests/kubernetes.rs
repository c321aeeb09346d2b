//! The strategy `kubernetes` against answers of the API that are known beforehand, served by a small server on this machine.
//!
//! The tests against a real API server are those of whole clusters. It has no `v1` of endpoint slices, so that is met here
//! (`answers/`: what a server of 1.20 said, in the form that the reference gives for `v1`), and so are answers that a real one
//! gives seldom.

#![cfg(feature = "kubernetes")]
#![allow(clippy::unwrap_used, reason = "a test ends where a step fails")]

use std::{
    collections::BTreeSet,
    convert::Infallible,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use beamline_cluster::{
    Cluster, ClusterEvent, ClusterEvents, Connector, Kubernetes, Topologies, Topology,
    strategy::kubernetes::{Lookup, Mode},
};
use beamline_proto::NodeName;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};

/// What the server says to one question.
enum Answer {
    Whole(u16, Value),
    /// The lines of a watch; then it stays open, or ends.
    Watch {
        lines: Vec<Value>,
        stays: bool,
    },
}

fn error(code: u16, message: &str) -> Answer {
    Answer::Whole(code, json!({"kind": "Status", "message": message, "code": code}))
}

/// An API server whose answers the test gives.
struct Api {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    folder: tempfile::TempDir,
}

impl Api {
    async fn start(answer: impl FnMut(&str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (log, answer) = (asked.clone(), Arc::new(Mutex::new(answer)));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, log.clone(), answer.clone()));
            }
        });
        let folder = tempfile::tempdir().unwrap();
        // As for `kubectl proxy`.
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": format!("http://127.0.0.1:{port}")}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "namespace": "default"}}]
        });
        std::fs::write(folder.path().join("config"), kubeconfig.to_string()).unwrap();
        Self { port, asked, folder }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn strategy(&self, lookup: Lookup) -> Kubernetes {
        let mut config = Kubernetes::new("app", "cluster=beam");
        config.ip_lookup_mode = lookup;
        config.kubeconfig = Some(self.folder.path().join("config"));
        config.polling_interval = Duration::from_millis(20);
        config
    }
}

async fn serve(stream: TcpStream, log: Arc<Mutex<Vec<String>>>, answer: Arc<Mutex<impl FnMut(&str) -> Answer>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_until(b'\n', &mut head).await.is_ok_and(|read| read > 0) {
                continue;
            }
            return;
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        log.lock().unwrap().push(path.clone());
        let answer = (answer.lock().unwrap())(&path);
        match answer {
            Answer::Whole(code, body) => {
                let body = body.to_string();
                let text = format!("HTTP/1.1 {code} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                stream.get_mut().write_all(text.as_bytes()).await.unwrap();
            }
            Answer::Watch { lines, stays } => {
                let mut text = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
                for line in lines {
                    let line = format!("{line}\n");
                    text += &format!("{:x}\r\n{line}\r\n", line.len());
                }
                if !stays {
                    text += "0\r\n\r\n";
                }
                stream.get_mut().write_all(text.as_bytes()).await.unwrap();
                if stays {
                    // Until the other side has enough.
                    let _ = stream.read_until(b'\n', &mut Vec::new()).await;
                    return;
                }
            }
        }
    }
}

/// A node that is connected to whomever it is told to connect to.
#[derive(Clone)]
struct Fake {
    name: NodeName,
    connected: Arc<Mutex<BTreeSet<NodeName>>>,
}

impl Fake {
    fn new(name: &str) -> Self {
        Self { name: name.parse().unwrap(), connected: Arc::default() }
    }

    fn list(&self) -> Vec<String> {
        self.connected.lock().unwrap().iter().map(NodeName::to_string).collect()
    }

    async fn start(&self, strategy: Kubernetes) -> (Cluster, ClusterEvents) {
        let topology = Topology::new("k8s", strategy).grace(Duration::ZERO);
        let builder = Cluster::of(self, Topologies::new()).topology(topology);
        let events = builder.events();
        (builder.start().await.unwrap(), events)
    }

    async fn until_list(&self, expected: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.list() != expected {
            assert!(Instant::now() < deadline, "{:?} is never {expected:?}", self.list());
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Connector for Fake {
    type Error = Infallible;

    fn name(&self) -> &NodeName {
        &self.name
    }

    fn is_connected(&self, node: &NodeName) -> bool {
        self.connected.lock().unwrap().contains(node)
    }

    fn changes(&self) -> impl Future<Output = ()> + Send + 'static {
        std::future::pending()
    }

    async fn connect(&self, node: &NodeName) -> Result<(), Infallible> {
        self.connected.lock().unwrap().insert(node.clone());
        Ok(())
    }

    async fn disconnect(&self, node: &NodeName) -> Result<bool, Infallible> {
        Ok(self.connected.lock().unwrap().remove(node))
    }
}

async fn kept(events: &mut ClusterEvents) -> String {
    loop {
        match timeout(Duration::from_secs(20), events.recv()).await.expect("an event in time") {
            Some(ClusterEvent::AnswerKept { reason, .. }) => return reason.to_string(),
            Some(_) => {}
            None => panic!("the cluster has ended"),
        }
    }
}

fn pod(name: &str, address: &str, version: u32) -> Value {
    json!({
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "resourceVersion": version.to_string()},
        "spec": {"hostname": name},
        "status": {"phase": "Running", "podIP": address, "conditions": [{"type": "Ready", "status": "True"}]}
    })
}

fn pods(version: u32, pods: &[Value]) -> Answer {
    Answer::Whole(200, json!({"kind": "PodList", "metadata": {"resourceVersion": version.to_string()}, "items": pods}))
}

fn event(kind: &str, object: Value) -> Value {
    json!({"type": kind, "object": object})
}

#[tokio::test]
async fn endpoint_slices_of_v1() {
    let groups: Value = serde_json::from_str(include_str!("answers/discovery.json")).unwrap();
    let slices: Value = serde_json::from_str(include_str!("answers/endpointslices_v1.json")).unwrap();
    let changed: Value = serde_json::from_str(include_str!("answers/endpointslice_v1_changed.json")).unwrap();
    let api = Api::start(move |path| match path.split('?').next().unwrap() {
        "/apis/discovery.k8s.io" => Answer::Whole(200, groups.clone()),
        _ if path.contains("watch=true") => Answer::Watch { lines: vec![changed.clone()], stays: true },
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices" => Answer::Whole(200, slices.clone()),
        other => panic!("{other} was asked for"),
    })
    .await;
    let node = Fake::new("app@10.244.1.9");
    let mut strategy = api.strategy(Lookup::EndpointSlices);
    strategy.mode = Mode::Hostname;
    strategy.service_name = Some("beam-cluster".to_owned());
    let (_cluster, mut events) = node.start(strategy).await;
    // One of the list does not serve any more and one is not ready; then the watch brings one and takes one.
    let name = |pod: &str| format!("app@{pod}.beam-cluster.default.svc.cluster.local");
    let mut discovered = BTreeSet::new();
    while discovered.len() < 3 {
        if let Some(ClusterEvent::Discovered { node, .. }) = events.recv().await {
            discovered.insert(node.to_string());
        }
    }
    assert_eq!(discovered, ["app-a-0", "app-a-1", "app-a-4"].map(name).into());
    node.until_list(&["app-a-0", "app-a-4"].map(name).each_ref().map(String::as_str)).await;
    let selector = "labelSelector=cluster%3Dbeam";
    let list = format!("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?{selector}");
    assert_eq!(api.asked()[..2], ["/apis/discovery.k8s.io".to_owned(), list]);
    assert!(
        api.asked()[2].contains("resourceVersion=4711&") && api.asked()[2].ends_with(selector),
        "{:?}",
        api.asked()
    );
}

#[tokio::test]
async fn too_old_a_version_is_met_with_a_list_whether_it_comes_as_event_or_as_status() {
    let gone = json!({"kind": "Status", "message": "too old resource version: 1 (9)", "code": 410});
    let mut lists = 0;
    let mut watches = 0;
    let api = Api::start(move |path| {
        if !path.contains("watch=true") {
            lists += 1;
            let addresses = (1..=lists).map(|i| pod(&format!("p{i}"), &format!("10.0.0.{i}"), i));
            return pods(lists * 10, &addresses.collect::<Vec<_>>());
        }
        watches += 1;
        match watches {
            1 => {
                assert!(path.contains("resourceVersion=10&"), "{path}");
                Answer::Watch { lines: vec![event("ERROR", gone.clone())], stays: true }
            }
            2 => {
                assert!(path.contains("resourceVersion=20&"), "{path}");
                error(410, "too old resource version")
            }
            _ => Answer::Watch { lines: vec![event("DELETED", pod("p2", "10.0.0.2", 31))], stays: true },
        }
    })
    .await;
    let node = Fake::new("app@10.0.0.9");
    let (_cluster, _events) = node.start(api.strategy(Lookup::Pods)).await;
    node.until_list(&["app@10.0.0.1", "app@10.0.0.3"]).await;
}

#[tokio::test]
async fn a_watch_goes_on_from_what_it_last_said() {
    let mut watches = 0;
    let api = Api::start(move |path| {
        if !path.contains("watch=true") {
            return pods(10, &[pod("p1", "10.0.0.1", 1)]);
        }
        watches += 1;
        let bookmark = json!({"kind": "Pod", "metadata": {"resourceVersion": "50"}});
        match watches {
            1 => Answer::Watch {
                lines: vec![event("ADDED", pod("p2", "10.0.0.2", 20)), event("BOOKMARK", bookmark)],
                stays: false,
            },
            _ => Answer::Watch { lines: vec![event("MODIFIED", pod("p1", "10.0.0.3", 51))], stays: true },
        }
    })
    .await;
    let node = Fake::new("app@10.0.0.9");
    let (_cluster, _events) = node.start(api.strategy(Lookup::Pods)).await;
    node.until_list(&["app@10.0.0.2", "app@10.0.0.3"]).await;
    let asked = api.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[2].contains("resourceVersion=50&"), "{asked:?}");
}

#[tokio::test]
async fn without_the_right_to_watch_it_polls_and_tries_again() {
    let mut lists = 0;
    let api = Api::start(move |path| {
        if path.contains("watch=true") {
            let allowed = lists > 15;
            let lines = vec![event("ADDED", pod("late", "10.0.0.99", 99))];
            return if allowed { Answer::Watch { lines, stays: true } } else { error(403, "cannot watch resource") };
        }
        lists += 1;
        pods(lists, &[pod("p", &format!("10.0.0.{}", lists.min(5)), lists)])
    })
    .await;
    let node = Fake::new("app@10.0.0.9");
    let (_cluster, mut events) = node.start(api.strategy(Lookup::Pods)).await;
    node.until_list(&["app@10.0.0.5"]).await;
    node.until_list(&["app@10.0.0.5", "app@10.0.0.99"]).await;
    let watches: Vec<_> =
        api.asked().iter().enumerate().filter(|(_, path)| path.contains("watch")).map(|(at, _)| at).collect();
    assert_eq!(watches, [1, 3, 6, 11, 20]);
    // It is no failure.
    while let Ok(Some(event)) = timeout(Duration::from_millis(50), events.recv()).await {
        assert!(!matches!(event, ClusterEvent::AnswerKept { .. }), "{event:?}");
    }
}

#[tokio::test]
async fn what_went_wrong_is_told_once_and_nobody_is_let_go() {
    let broken: Arc<Mutex<Option<u16>>> = Arc::default();
    let now = broken.clone();
    let api = Api::start(move |path| match *now.lock().unwrap() {
        Some(code) => error(code, &format!("message of {code}")),
        None if path.contains("watch=true") => error(403, "no"),
        None => pods(1, &[pod("p", "10.0.0.1", 1)]),
    })
    .await;
    let node = Fake::new("app@10.0.0.9");
    let (_cluster, mut events) = node.start(api.strategy(Lookup::Pods)).await;
    node.until_list(&["app@10.0.0.1"]).await;
    let server = format!("http://127.0.0.1:{}", api.port);
    for (code, expected) in [
        (
            401,
            format!(
                "cannot query kubernetes (401 Unauthorized): {server} does not take the credentials of the kubeconfig"
            ),
        ),
        (403, "cannot query kubernetes (unauthorized): message of 403; a Role must allow get and list".to_owned()),
        (404, "cannot query kubernetes (404 Not Found): message of 404".to_owned()),
        (500, "cannot query kubernetes (500 Internal Server Error): message of 500".to_owned()),
    ] {
        let before = api.asked().len();
        *broken.lock().unwrap() = Some(code);
        let told = kept(&mut events).await;
        assert!(told.starts_with(&expected), "{told}");
        // Though it is asked again and again.
        let deadline = Instant::now() + Duration::from_secs(20);
        while api.asked().len() < before + 10 {
            assert!(Instant::now() < deadline);
            sleep(Duration::from_millis(5)).await;
        }
        let more = timeout(Duration::from_millis(50), events.recv()).await;
        assert!(more.is_err(), "{more:?}");
        assert_eq!(node.list(), ["app@10.0.0.1"]);
        *broken.lock().unwrap() = None;
    }
}

#[tokio::test]
async fn an_empty_list_asks_whether_the_namespace_is_there() {
    let there: Arc<Mutex<bool>> = Arc::default();
    let now = there.clone();
    let api = Api::start(move |path| match path {
        "/api/v1/namespaces/default" if *now.lock().unwrap() => error(403, "cannot get resource \"namespaces\""),
        "/api/v1/namespaces/default" => error(404, "namespaces \"default\" not found"),
        _ if path.contains("watch=true") => error(403, "no"),
        _ => pods(1, &[]),
    })
    .await;
    let node = Fake::new("app@10.0.0.9");
    let (_cluster, mut events) = node.start(api.strategy(Lookup::Pods)).await;
    assert_eq!(kept(&mut events).await, "the namespace \"default\" is not in this Kubernetes cluster");
    *there.lock().unwrap() = true;
    let told = kept(&mut events).await;
    assert_eq!(told, "no pods in the namespace \"default\" match kubernetes_selector \"cluster=beam\"");
}

#[tokio::test]
async fn a_server_without_slices_says_so() {
    let api = Api::start(|_| error(404, "the server could not find the requested resource")).await;
    let node = Fake::new("app@10.0.0.9");
    let (_cluster, mut events) = node.start(api.strategy(Lookup::EndpointSlices)).await;
    let told = kept(&mut events).await;
    assert!(told.starts_with("this Kubernetes API has no endpointslices; take "), "{told}");
}
