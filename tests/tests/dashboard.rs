//! The dashboard as a browser and a script meet it: `beamline dashboard` at clusters of Rust and real Elixir nodes.

use std::time::{Duration, Instant};

use serde_json::Value;
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, Program, Site, for_each_otp, unique, wait_until};

/// A dashboard that runs.
struct Dashboard(Site);

impl Dashboard {
    fn of(target: &str, epmd: &Epmd, flags: &[&str]) -> Dashboard {
        let fixed = ["dashboard", target, "--cookie", "c"];
        let arguments: Vec<&str> = fixed.into_iter().chain(flags.iter().copied()).collect();
        Dashboard(Site::start(epmd.port(), &arguments))
    }

    #[track_caller]
    fn json(&self, path: &str) -> Value {
        let (status, value) = self.0.json(path);
        assert_eq!((status, &value["schema_version"]), (200, &1.into()), "{path}: {value}");
        value
    }

    #[track_caller]
    fn html(&self, path: &str) -> String {
        let (status, body) = self.0.get(path, "text/html");
        assert_eq!(status, 200, "{path}: {body}");
        // The policy of the site allows neither.
        assert!(!body.contains(" style=") && !body.contains("<script>"), "{path}");
        body
    }

    /// How a path is answered.
    fn status(&self, path: &str) -> u16 {
        self.0.json(path).0
    }

    /// The cluster once it is as it should be.
    #[track_caller]
    fn cluster(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait_until(what, DEADLINE, || {
            let now = self.json("/");
            if wanted(&now) { Ok(()) } else { Err(now.to_string()) }
        });
        self.json("/")
    }
}

fn array<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} in {value}"))
}

fn names(cluster: &Value) -> Vec<&str> {
    array(cluster, "nodes").iter().filter_map(|node| node["node"].as_str()).collect()
}

/// All that many nodes answer, and see each other.
fn is_whole(cluster: &Value, count: usize) -> bool {
    let sees_all = |node: &Value| node["state"] == "up" && node["peers"] == count - 1;
    names(cluster).len() == count && array(cluster, "nodes").iter().all(sees_all)
}

fn three_rust_and_two_elixir_nodes(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let rust = [unique("app_a"), unique("app_a"), unique("app_b")];
    let mut apps: Vec<Program> = rust
        .iter()
        .map(|name| Program::app(epmd.port(), name.split('_').take(2).collect::<Vec<_>>().join("_").as_str(), name))
        .collect();
    let (mut one, two) =
        (Beam::start(otp, &unique("e"), epmd.port(), "c"), Beam::start(otp, &unique("e"), epmd.port(), "c"));
    for name in rust.iter().map(String::as_str).chain([two.name()]) {
        assert_eq!(one.eval(&format!("Node.connect(:{name:?})")), "true");
    }
    let dashboard = Dashboard::of(one.name(), &epmd, &[]);
    let cluster = dashboard.cluster("five nodes see each other", |cluster| is_whole(cluster, 5));
    let kinds = |kind: &str| array(&cluster, "nodes").iter().filter(|node| node["kind"] == kind).count();
    assert_eq!((kinds("rust"), kinds("elixir")), (3, 2));
    assert_eq!((array(&cluster, "links").len(), array(&cluster, "missing").len()), (10, 0));
    for node in array(&cluster, "nodes") {
        assert!(node["memory_bytes"].as_u64() > Some(100_000) && node["processes"].as_u64() > Some(0), "{node}");
        assert!(node["uptime_ms"].as_u64() < Some(600_000), "{node}");
    }
    // Rust nodes tell how they find peers.
    let strategies = array(&cluster, "nodes").iter().map(|node| array(node, "strategies").len()).sum::<usize>();
    assert!(strategies <= 3);

    // Every page of every kind of node.
    for name in [rust[0].as_str(), one.name()] {
        for page in
            ["", "/charts", "/processes", "/applications", "/ports", "/ets", "/memory", "/distribution", "/functions"]
        {
            let path = format!("/n/{name}{page}");
            assert_eq!(dashboard.json(&path)["node"], name, "{path}");
            assert!(dashboard.html(&path).contains("<h1>"), "{path}");
        }
    }
    for page in ["/names", "/events", "/doctor", "/snapshot"] {
        dashboard.json(page);
        dashboard.html(page);
    }
    let functions = dashboard.json(&format!("/n/{}/functions?q=AppA", rust[0]));
    assert_eq!(array(&functions, "modules")[0]["functions"][0]["name"], "hello");
    let names_seen = dashboard.json(&format!("/names?from={}", rust[0]));
    assert_eq!(array(&names_seen, "registry").len(), 3, "{names_seen}");
    assert!(array(&names_seen, "global").len() >= 3, "{names_seen}");
    let peers = dashboard.json(&format!("/n/{}/distribution", rust[0]));
    let peer = array(&peers, "connections").iter().find(|peer| peer["peer"] == one.name()).expect("a peer");
    assert!(peer["bytes_in"].as_u64() > Some(100) && peer["frames_out"].as_u64() > Some(0), "{peer}");

    // What is not there, or not this cluster's business.
    assert_eq!(dashboard.status("/n/nobody@nowhere/processes"), 404);
    assert_eq!(dashboard.status("/doctor?node=nobody@nowhere"), 409);
    assert_eq!(dashboard.status(&format!("/n/{}/applications?app=no_such_app", one.name())), 404);

    // A process by search, and in detail; it ends, and its page stays.
    one.eval("{:ok, _} = Agent.start(fn -> :secret_state end, name: :keeper)");
    let found = dashboard.json(&format!("/n/{}/processes?q=KEEPER", one.name()));
    assert_eq!((found["matched"].as_u64(), &found["rows"][0]["name"]), (Some(1), &"keeper".into()));
    let pid = found["rows"][0]["pid"].as_str().expect("a pid").trim_matches(['<', '>']).to_owned();
    let path = format!("/n/{}/processes/{pid}", one.name());
    assert_eq!(dashboard.json(&path)["is_alive"], true);
    assert_eq!(dashboard.status(&format!("{path}?reveal=state")), 403, "a view reveals nothing");
    let killed = dashboard.0.post(&format!("{path}/kill"), "sure=yes");
    assert!(matches!(killed, 404 | 405), "there is no such address: {killed}");
    assert_eq!(one.eval("Agent.get(:keeper, & &1)"), ":secret_state");
    one.eval("Agent.stop(:keeper)");
    wait_until("it is known to have ended", DEADLINE, || {
        let now = dashboard.json(&path);
        if now["is_alive"] == false { Ok(()) } else { Err(now.to_string()) }
    });
    assert_eq!(dashboard.json(&path)["process"]["name"], "keeper");

    // A node that stops leaves an open page without being asked for.
    let mut page = dashboard.0.open("/?refresh=30");
    let shown = |main: &str, name: &str| main.contains(&format!("id=\"node-{name}\""));
    assert!(shown(&page.next_main(), &rust[2]));
    let begun = Instant::now();
    apps.pop().expect("three").kill();
    while shown(&page.next_main(), &rust[2]) {}
    println!("a node that was killed left the open page after {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let gone = dashboard.json(&format!("/n/{}", rust[2]));
    assert_eq!(gone["state"], "left", "{gone}");
    let events = dashboard.json("/events?q=node_down");
    assert_eq!(array(&events, "events")[0]["node"], rust[2].as_str());
}

fn a_hundred_thousand_processes_in_a_second(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let mut beam = Beam::start(otp, &unique("e"), epmd.port(), "c");
    beam.eval("Enum.each(1..100_000, fn _ -> spawn(fn -> Process.sleep(:infinity) end) end)");
    let dashboard = Dashboard::of(beam.name(), &epmd, &[]);
    dashboard.cluster("it answers", |cluster| is_whole(cluster, 1));
    // Each asks something that nobody has asked before.
    let mut times: Vec<Duration> = ["memory", "reductions", "queue", "memory&dir=asc", "queue&dir=asc"]
        .into_iter()
        .map(|sort| {
            let begun = Instant::now();
            let list = dashboard.json(&format!("/n/{}/processes?sort={sort}&limit=100", beam.name()));
            let took = begun.elapsed();
            assert!(list["total"].as_u64() > Some(100_000) && array(&list, "rows").len() == 100, "{sort}");
            took
        })
        .collect();
    times.sort();
    println!("100 000 processes: median {:?} of {times:?}", times[2]);
    // The programs under test are not optimized, and other tests run beside them: one of five is on a free machine.
    assert!(times[0] < Duration::from_secs(1), "{times:?}");
}

fn a_missing_link_is_marked_and_the_doctor_asked(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let flags = "-start_epmd false -connect_all false -kernel prevent_overlapping_partitions false";
    let start = |name: &str| Beam::start_with(otp, &unique(name), epmd.port(), "c", flags);
    let (mut a, b, c) = (start("a"), start("b"), start("c"));
    for other in [&b, &c] {
        assert_eq!(a.eval(&format!("Node.connect({})", other.atom())), "true");
    }
    let dashboard = Dashboard::of(a.name(), &epmd, &["--reveal", "--allow-destructive"]);
    let cluster = dashboard.cluster("a link is missing", |cluster| array(cluster, "missing").len() == 1);
    let gap = &array(&cluster, "missing")[0];
    assert_eq!((&gap["from"], &gap["to"], &gap["state"]), (&b.name().into(), &c.name().into(), &"missing".into()));
    let page = dashboard.html("/");
    assert!(page.contains("data-state=\"missing\"") && page.contains("are not connected"), "{page}");
    let query = format!("/doctor?node={}&peer={}", b.name().replace('@', "%40"), c.name().replace('@', "%40"));
    assert!(page.contains(&query.replace('&', "&amp;")), "{page}");
    let found = dashboard.json(&query);
    assert!(array(&found, "sees").iter().all(|sees| sees["sees"] == false), "{found}");
    assert_eq!(array(&found, "examinations").len(), 2);
    let text = found.to_string() + &dashboard.html(&query);
    assert!(text.contains("handshake"), "{text}");
    assert!(!text.contains("sha256") && !text.contains("erlang.cookie"), "{text}");

    // Who may reveal and end processes can.
    a.eval("{:ok, _} = Agent.start(fn -> :secret_state end, name: :keeper)");
    let list = dashboard.json(&format!("/n/{}/processes?q=keeper", a.name()));
    let pid = list["rows"][0]["pid"].as_str().expect("a pid").trim_matches(['<', '>']).to_owned();
    let path = format!("/n/{}/processes/{pid}", a.name());
    let revealed = dashboard.json(&format!("{path}?reveal=state"));
    assert!(revealed["revealed"].as_str().expect("text").contains(":secret_state"), "{revealed}");
    assert!(dashboard.html(&path).contains("Kill"));
    assert_eq!(dashboard.0.post(&format!("{path}/kill"), "sure=no"), 400);
    assert_eq!(dashboard.0.post(&format!("{path}/kill"), "sure=yes"), 303);
    a.eval_until("Process.whereis(:keeper)", "nil");
}

for_each_otp!(
    three_rust_and_two_elixir_nodes,
    a_hundred_thousand_processes_in_a_second,
    a_missing_link_is_marked_and_the_doctor_asked,
);
