//! The compose file on a real Docker engine: six nodes meet, the page and the published ports answer, and what is paused,
//! parted, killed and restarted is missed and comes back.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use whole_clusters::{Beam, Compose, Otp, Program, docker, path, skip, wait_until, with_hosts};

const APPS: [&str; 6] = ["app-a1", "app-a2", "app-a3", "app-b1", "app-b2", "app-b3"];
const PATIENCE: Duration = Duration::from_secs(30);
const MEGABYTE: u64 = 1_000_000;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The compose file's command lines with a tick time of 8 s, so that a paused node is missed in a test's time.
fn quick_ticks(compose: &str) -> String {
    let mut text = "services:\n".to_owned();
    for (service, command) in APPS.iter().zip(compose.lines().filter(|line| line.contains("--erl '-kernel "))) {
        let command = command.replace("-kernel ", "-kernel net_ticktime 8 ");
        text.push_str(&format!("  {service}:\n{command}\n"));
    }
    text
}

/// Whom the page on that port of this machine lists; `None` if it does not answer.
fn listed(port: u16) -> Option<BTreeSet<String>> {
    let (_, body) = Program::get(port, "/").ok()?;
    let (_, list) = body.split_once("Node.list: ")?;
    Some(list.split('"').filter_map(|part| part.split_once('@')).map(|(name, _)| name.to_owned()).collect())
}

/// Waits until app-a1 lists all of the others but these.
#[track_caller]
fn wait_until_all_but(missing: &[&str], limit: Duration) -> Duration {
    let expected = APPS[1..].iter().filter(|app| !missing.contains(app)).map(|app| (*app).to_owned()).collect();
    let what = format!("the page of app-a1 lists all but {missing:?}");
    wait_until(&what, limit, || match listed(4001) {
        Some(listed) if listed == expected => Ok(()),
        other => Err(format!("{other:?}")),
    })
}

/// Waits until both pages list the other five.
#[track_caller]
fn wait_until_whole(limit: Duration) -> Duration {
    let time = wait_until_all_but(&[], limit);
    wait_until("the page of app-b1 lists five", limit, || match listed(5001) {
        Some(listed) if listed.len() == 5 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    time
}

#[test]
fn long_the_articles_cluster_on_docker() {
    let compose = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/compose.yaml");
    let ticks = file("ticks.yaml");
    fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    fs::write(&ticks, quick_ticks(&fs::read_to_string(&compose).expect("the compose file"))).expect("a file");
    let Some(compose) = Compose::up("long_the_articles_cluster_on_docker", &[&compose, &ticks]) else { return };
    wait_until_whole(PATIENCE);
    images();
    pages();
    the_published_ports();
    wait_until("all are healthy", PATIENCE, || {
        let state = |app: &&str| docker(&["inspect", "--format", "{{.State.Health.Status}}", &compose.container(app)]);
        let states: Vec<String> = APPS.iter().map(state).collect();
        if states.iter().all(|state| state.trim() == "healthy") { Ok(()) } else { Err(states.concat()) }
    });
    the_notebook(&compose);
    a_visitor_of_the_notebook();
    a_shell_in_a_container(&compose);
    missed_and_back(&compose);
    a_rolling_restart(&compose);
    an_elixir_node_in_a_container(&compose);
}

fn images() {
    for image in ["app-a", "app-b", "beamline", "notebook"] {
        let size: u64 = docker(&["inspect", "--format", "{{.Size}}", image]).trim().parse().expect("a size");
        assert!(size < 25 * MEGABYTE, "{image} has {size} bytes; is it built by `cargo xtask image` without --debug?");
        assert_eq!(docker(&["inspect", "--format", "{{.Config.User}}", image]).trim(), "65532:65532");
    }
}

fn pages() {
    let (_, registry) = Program::get(4001, "/registry").expect("the registry");
    for name in ["app_a_1", "app_a_2", "app_a_3", "app_b_1", "app_b_2", "app_b_3"] {
        assert!(registry.contains(&format!("\"{name}\" => :\"")), "{registry}");
    }
    let (_, page) = Program::get(5001, "/").expect("the page");
    assert!(page.starts_with("Hey from AppB :\"app-b1@app-b1.docker\"! Node.list: ["), "{page}");
}

/// It lets in who has the password, and its notebook runs at a node of the cluster.
fn the_notebook(compose: &Compose) {
    let (status, health) = Program::get(8080, "/public/health").expect("the notebook answers");
    assert!(status.contains("200") && health.contains("beamline"), "{status} {health}");
    let enter = |password: &str| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--output", "-", "--write-out", "\n%{http_code}", "--cookie", "", "--location"]);
        curl.args(["--data-urlencode", &format!("secret={password}"), "--data-urlencode", "next=/notebooks"]);
        curl.arg("http://localhost:8080/login");
        String::from_utf8_lossy(&curl.output().expect("curl runs").stdout).into_owned()
    };
    let page = enter("securesecret");
    assert!(page.ends_with("\n200") && page.contains("cluster.livemd"), "{page}");
    let refused = enter("insecuresecret");
    assert!(!refused.contains("cluster.livemd") && !refused.ends_with("\n200"), "{refused}");
    let run = ["beamline", "notebook", "run", "/notebooks/cluster.livemd", "--node", "app-a1@app-a1.docker"];
    let ran = compose.compose(&[&["exec", "-T", "notebook"][..], &run, &["-o", "livemd"]].concat());
    for output in [":\"app-a1@app-a1.docker\"", ":world", "\"app-b3@app-b3.docker\": :world", "\"app_b_2\" => "] {
        assert!(ran.contains(output), "no {output} in {ran}");
    }
}

/// Who attaches it to a node in the browser, and runs a cell: all that the page's forms send.
fn a_visitor_of_the_notebook() {
    let (node, page) = ("app-a1@app-a1.docker", "notebook/cluster.livemd");
    let jar = file("a_visitor_of_the_notebook");
    // Of the last run.
    let _ = fs::remove_file(&jar);
    let ask = |path: &str, accept: &str, form: &[(&str, &str)]| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--location", "--header", &format!("Accept: {accept}")]);
        curl.arg("--cookie").arg(&jar).arg("--cookie-jar").arg(&jar);
        for (name, value) in form {
            curl.args(["--data-urlencode", &format!("{name}={value}")]);
        }
        let output = curl.arg(format!("http://localhost:8080/{path}")).output().expect("curl runs");
        assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    ask("login", "text/html", &[("secret", "securesecret"), ("next", &format!("/{page}"))]);
    let html = ask(page, "text/html", &[]);
    let token = html.split_once("name=\"form_token\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
    let token = ("form_token", token.unwrap_or_else(|| panic!("no form in {html}")).0);
    let shown = || serde_json::from_str::<Value>(&ask(page, "application/json", &[])).expect("JSON");

    ask("notebooks/runtime/cluster.livemd", "text/html", &[("do", "attach"), ("node", node), token]);
    wait_until("the notebook is attached", PATIENCE, || match shown() {
        view if view["runtime"]["state"] == "ready" => Ok(()),
        view => Err(view["runtime"].to_string()),
    });
    let cell = |view: &Value| {
        let sections = view["sections"].as_array().expect("sections").iter();
        let mut cells = sections.flat_map(|section| section["cells"].as_array().expect("cells").clone());
        cells.find(|cell| cell["source"] == "AppA.hello()").expect("the cell")
    };
    let id = cell(&shown())["id"].to_string();
    ask("notebooks/run/cluster.livemd", "text/html", &[("do", "run"), ("cell", &id), token]);
    wait_until("the cell has a value", PATIENCE, || match cell(&shown()) {
        cell if cell["state"]["output"]["result"]["value"]["text"] == ":world" => Ok(()),
        cell => Err(cell.to_string()),
    });
}

/// The article's line at a terminal of a container, that of the node and that of another. The node outlives each shell.
fn a_shell_in_a_container(compose: &Compose) {
    let node = "app-a1@app-a1.docker";
    let line = ["beamline", "shell", "--name", "local@app-a1.docker", "--cookie", "secret"];
    let line = [&line[..], &["--erl", "-dist_listen false -erl_epmd_port 9000", "--remsh", node]].concat();
    let prompt = |counter: usize| format!("iex({node}){counter}> ");
    let started = || docker(&["inspect", "--format", "{{.State.StartedAt}}", &compose.container("app-a1")]);
    let before = started();
    for (service, is_by_ctrl_c) in [("app-a1", false), ("app-b2", true)] {
        let mut shell = compose.terminal(service, &line);
        shell.answers(&prompt(1), "AppA.hello()", ":world");
        shell.sees(&prompt(2));
        shell.press("Node.list()\r");
        APPS[1..].iter().for_each(|app| shell.sees(&format!(":\"{app}@{app}.docker\"")));
        if is_by_ctrl_c {
            shell.gives_up(&prompt(3));
            shell.press("\u{3}");
            shell.ends();
        } else {
            shell.leaves(&prompt(3));
        }
        wait_until_all_but(&[], Duration::from_secs(1));
    }
    assert_eq!(started(), before);
}

/// From this host, as the article does it: no epmd, no listening, the published port.
fn the_published_ports() {
    let hosts = file("hosts");
    fs::write(&hosts, "127.0.0.1 localhost app-a1.docker app-b1.docker\n").expect("a file");
    for (node, call, port) in [("app-a1", "AppA.hello()", "9000"), ("app-b1", "AppB.hello()", "10000")] {
        let mut rpc = with_hosts(&hosts, &path("beamline"));
        rpc.args(["rpc", &format!("{node}@{node}.docker"), call, "--cookie", "secret", "--peer-port", port]);
        let output = rpc.output().expect("unshare runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), ":world\n", "{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut iex = with_hosts(&hosts, Path::new("iex"));
    iex.args(["--name", "local@app-a1.docker", "--cookie", "secret"]);
    iex.args(["--erl", "-dist_listen false -erl_epmd_port 9000"]).env("TERM", "dumb");
    iex.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut iex) = iex.spawn() else { return skip("iex through the published port", "iex") };
    let typed = "Node.connect(:\"app-a1@app-a1.docker\")\n\
                 :rpc.call(:\"app-a1@app-a1.docker\", AppA, :hello, [])\nSystem.halt()\n";
    iex.stdin.take().expect("a pipe").write_all(typed.as_bytes()).expect("iex reads");
    let output = iex.wait_with_output().expect("iex ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let answers: Vec<&str> =
        said.lines().filter_map(|line| line.strip_prefix("iex(")?.split_once("> ")).map(|(_, answer)| answer).collect();
    assert_eq!(answers[..2], ["true", ":world"], "{said}{}", String::from_utf8_lossy(&output.stderr));
}

fn missed_and_back(compose: &Compose) {
    let container = |service| compose.container(service);
    // Nothing closes its connections: the ticks are missed.
    docker(&["pause", &container("app-b2")]);
    let gone = wait_until_all_but(&["app-b2"], Duration::from_secs(15));
    docker(&["unpause", &container("app-b2")]);
    println!("paused: gone after {gone:?}, back after {:?}", wait_until_whole(PATIENCE));

    let network = compose.network();
    docker(&["network", "disconnect", &network, &container("app-a2")]);
    let gone = wait_until_all_but(&["app-a2"], Duration::from_secs(15));
    docker(&["network", "connect", "--alias", "app-a2.docker", &network, &container("app-a2")]);
    println!("disconnected: gone after {gone:?}, back after {:?}", wait_until_whole(PATIENCE));

    docker(&["kill", &container("app-b3")]);
    let gone = wait_until_all_but(&["app-b3"], Duration::from_secs(1));
    docker(&["start", &container("app-b3")]);
    println!("killed: gone after {gone:?}, back after {:?}", wait_until_whole(PATIENCE));

    let begin = Instant::now();
    docker(&["stop", "--time", "10", &container("app-a3")]);
    let stopped = begin.elapsed();
    assert!(stopped < Duration::from_secs(2), "it took {stopped:?} to end");
    let gone = wait_until_all_but(&["app-a3"], Duration::from_secs(1));
    assert_eq!(docker(&["inspect", "--format", "{{.State.ExitCode}}", &container("app-a3")]).trim(), "0");
    docker(&["start", &container("app-a3")]);
    println!("stopped in {stopped:?}: gone {gone:?} later, back after {:?}", wait_until_whole(PATIENCE));
}

/// Whoever is asked meanwhile sees five of six, itself among them, but for moments.
fn a_rolling_restart(compose: &Compose) {
    let over = AtomicBool::new(false);
    let longest = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let (mut longest, mut since) = (Duration::ZERO, None);
            while !over.load(Ordering::Relaxed) {
                let most = [4001, 5001].into_iter().filter_map(listed).map(|others| others.len() + 1).max();
                if most.is_some_and(|most| most >= 5) {
                    since = None;
                } else {
                    longest = longest.max(since.get_or_insert_with(Instant::now).elapsed());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            longest
        });
        for app in APPS {
            compose.compose(&["restart", "--timeout", "2", app]);
            wait_until_whole(PATIENCE);
        }
        over.store(true, Ordering::Relaxed);
        watch.join().expect("it watches to the end")
    });
    println!("rolling restart: fewer than five for {longest:?} at the longest");
    assert!(longest < Duration::from_secs(5), "fewer than five for {longest:?}");
}

/// From the tree of a Debian release, without an image of its own: the tree is mounted.
fn an_elixir_node_in_a_container(compose: &Compose) {
    let name = "an_elixir_node_in_a_container";
    Otp::Trixie.run(name, |otp| {
        let Some(tree) = otp.tree() else { return };
        // An image with nothing but the links that a Debian tree has at its top, and places to mount the rest.
        let root = file("root");
        for folder in ["usr", "etc", "proc", "sys", "dev", "tmp", "var"] {
            fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        for folder in ["bin", "lib", "lib64", "sbin"] {
            // It may be there from the last run.
            let _ = std::os::unix::fs::symlink(format!("usr/{folder}"), root.join(folder));
        }
        let mut tar =
            Command::new("tar").arg("-C").arg(&root).args(["-c", "."]).stdout(Stdio::piped()).spawn().expect("tar");
        let image = "beamline-debian-tree";
        let mut import = Command::new("docker");
        import.args(["import", "-", image]).stdin(tar.stdout.take().expect("a pipe")).stdout(Stdio::null());
        assert!(import.status().expect("docker runs").success());
        tar.wait().expect("tar ends");

        let mut run = Command::new("docker");
        run.args(["run", "--rm", "--interactive", "--network", &compose.network()]);
        run.args(["--hostname", "elixir.docker", "--network-alias", "elixir.docker"]);
        for (from, to) in [("usr", "/usr"), ("etc/alternatives", "/etc/alternatives")] {
            run.args(["--volume", &format!("{}:{to}:ro", tree.join(from).display())]);
        }
        run.args(["--env", "HOME=/tmp", "--env", "LC_ALL=C.UTF-8", "--env", "PATH=/usr/bin:/bin", image, "elixir"]);
        let mut beam = Beam::start_by(run, "elixir@elixir.docker", "secret", "-kernel net_ticktime 8");
        beam.eval("is_pid(Gossip.start())");
        beam.eval_until_within(PATIENCE, "length(Node.list())", "6");
        wait_until("the page lists it", PATIENCE, || match listed(4001) {
            Some(listed) if listed.contains("elixir") => Ok(()),
            other => Err(format!("{other:?}")),
        });
        assert_eq!(beam.eval(":rpc.call(:\"app-b2@app-b2.docker\", AppB, :hello, [])"), ":world");
        beam.eval_until_within(PATIENCE, "length(:global.registered_names())", "6");
    });
}
