//! `beamline doctor` on faults made for real: the right code at once, no other error, and never a cookie. And on clusters
//! that are well: nothing.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use whole_clusters::{
    Beam, DEADLINE, Epmd, HOST, Network, Otp, Program, for_each_otp, free_port, path, skip, unique, wait_until,
};

/// Long enough not to be in a report by chance.
const COOKIE: &str = "hush_nobody_may_read_this";

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(unique("doctor"));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        Self(folder)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file can be written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode can be set");
        path.to_str().expect("a path of this test").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What the doctor said.
struct Report {
    exit: i32,
    said: String,
    took: Duration,
}

impl Report {
    fn of(mut command: Command) -> Self {
        let begin = Instant::now();
        let output = command.stdin(Stdio::null()).output().expect("the doctor starts");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains("hush"), "a cookie: {said}");
        Self { exit: output.status.code().unwrap_or(-1), said, took: begin.elapsed() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.said).unwrap_or_else(|error| panic!("{error}: {}", self.said))
    }

    /// The codes of all that is wrong, warnings too.
    fn codes(&self) -> Vec<String> {
        let json = self.json();
        let categories = json["categories"].as_array().expect("categories").iter();
        let checks = categories.flat_map(|category| category["checks"].as_array().expect("checks"));
        checks.filter_map(|check| check["code"].as_str().map(str::to_owned)).collect()
    }
}

/// The doctor, with a home that has no cookie.
fn doctor(epmd_port: u16, arguments: &[&str]) -> Command {
    let mut command = Command::new(path("beamline"));
    command.arg("doctor").args(arguments).env_clear().env("HOME", "/nonexistent");
    command.env("ERL_EPMD_PORT", epmd_port.to_string());
    command
}

/// Examines, with the cookie in a file.
fn examine(epmd_port: u16, node: &str, arguments: &[&str]) -> Report {
    let folder = Folder::new();
    let cookie = folder.file("cookie", COOKIE);
    Report::of(doctor(epmd_port, &[&[node, "--cookie-file", &cookie, "-o", "json"], arguments].concat()))
}

/// That one thing is found, and its evidence or fix says this.
#[track_caller]
fn assert_finds(report: &Report, code: &str, words: &str) {
    assert_eq!(report.codes(), [code], "{}", report.said);
    assert_eq!(report.exit, 1, "{}", report.said);
    assert!(report.said.contains(words), "{words:?} is not in {}", report.said);
}

fn app_b(name: &str, epmd: &Epmd, arguments: &[&str]) -> Program {
    let arguments = [&["--name", name, "--cookie", COOKIE], arguments].concat();
    let mut app = Program::start("app_b", epmd.port(), &arguments, &[]);
    let alive = name.split('@').next().expect("a name").to_owned();
    wait_until("app_b is registered", DEADLINE, || {
        app.assert_running();
        let output = Program::run("beamline", epmd.port(), &["epmd", "-names", "-port", &epmd.port().to_string()]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if said.contains(&format!("name {alive} at")) { Ok(()) } else { Err(said) }
    });
    app
}

/// Registers a name, for as long as the connection is held.
fn register(epmd: &Epmd, name: &str, port: u16) -> TcpStream {
    let alive = name.split('@').next().expect("a name");
    let mut body = vec![120];
    body.extend(port.to_be_bytes());
    body.extend([77, 0, 0, 6, 0, 5]);
    body.extend(u16::try_from(alive.len()).expect("short").to_be_bytes());
    body.extend(alive.as_bytes());
    body.extend([0, 0]);
    let mut stream = TcpStream::connect((HOST, epmd.port())).expect("epmd listens");
    stream.write_all(&u16::try_from(body.len()).expect("short").to_be_bytes()).expect("epmd reads");
    stream.write_all(&body).expect("epmd reads");
    let mut answer = [0; 6];
    stream.read_exact(&mut answer).expect("epmd answers");
    assert_eq!(answer[1], 0, "registered");
    stream
}

#[test]
fn a_wrong_cookie() {
    Otp::Host.run("a_wrong_cookie", |otp| {
        let epmd = Epmd::beamline();
        let folder = Folder::new();
        let wrong = folder.file("cookie", "hush_another");
        let (app, beam) = (unique("app_b"), unique("beam"));
        let _app = app_b(&app, &epmd, &[]);
        let _beam = Beam::start(otp, &beam, epmd.port(), COOKIE);
        for node in [&app, &beam] {
            let report = Report::of(doctor(epmd.port(), &[node, "--cookie-file", &wrong, "-o", "json"]));
            assert_finds(&report, "BL501", "12 bytes, sha256 ");
            let text = Report::of(doctor(epmd.port(), &[node, "--cookie-file", &wrong]));
            assert!(text.said.contains("× BL501 cookie: ") && text.exit == 1, "{}", text.said);
        }
    });
}

#[test]
fn a_cookie_file_with_a_newline() {
    Otp::Host.run("a_cookie_file_with_a_newline", |otp| {
        let epmd = Epmd::beamline();
        let folder = Folder::new();
        let file = folder.file("cookie", &format!("{COOKIE}\n"));
        // The node takes the file as it stands; Erlang, and the doctor, leave the end of the line out.
        let name = unique("beam");
        let mut beam = Beam::start(otp, &name, epmd.port(), "other");
        beam.eval(&format!("Node.set_cookie(String.to_atom(File.read!({file:?})))"));
        let report = Report::of(doctor(epmd.port(), &[&name, "--cookie-file", &file, "-o", "json"]));
        assert_finds(&report, "BL106", "String.trim");
        // The other way round: it got into a variable of ours.
        beam.eval(&format!("Node.set_cookie(:{COOKIE})"));
        let mut command = doctor(epmd.port(), &[&name, "-o", "json"]);
        command.env("BEAMLINE_COOKIE", format!("{COOKIE}\n"));
        assert_finds(&Report::of(command), "BL106", "the variable BEAMLINE_COOKIE");
        let report = Report::of(doctor(epmd.port(), &[&name, "--cookie-file", &file, "-o", "json"]));
        assert_eq!((report.codes(), report.exit), (vec![], 0), "{}", report.said);
    });
}

#[test]
fn no_cookie_and_one_that_others_can_read() {
    let epmd = Epmd::beamline();
    let name = unique("app_b");
    let _app = app_b(&name, &epmd, &[]);
    assert_finds(&Report::of(doctor(epmd.port(), &[&name, "-o", "json"])), "BL103", "~/.erlang.cookie");
    let folder = Folder::new();
    let file = folder.file("cookie", COOKIE);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a mode can be set");
    let report = Report::of(doctor(epmd.port(), &[&name, "--cookie-file", &file, "-o", "json"]));
    assert_finds(&report, "BL104", "chmod 400");
}

#[test]
fn a_host_without_an_address() {
    let report = examine(free_port(), "app@no-such-host.invalid", &[]);
    assert_finds(&report, "BL201", "no-such-host.invalid");
}

#[test]
fn no_epmd() {
    let port = free_port();
    assert_finds(&examine(port, &unique("app"), &[]), "BL301", &port.to_string());
}

#[test]
fn a_name_that_epmd_does_not_know() {
    let epmd = Epmd::beamline();
    let name = unique("app_b");
    let _app = app_b(&name, &epmd, &[]);
    let misspelt = name.replacen("app_b", "app-b", 1);
    assert_finds(&examine(epmd.port(), &misspelt, &[]), "BL302", &format!("did you mean {name}?"));
}

/// An address of this machine that is not that of epmd.
fn own_address() -> IpAddr {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a socket");
    // Sends nothing. A machine without a network has more than one address of loopback.
    let way = socket.connect(("198.51.100.1", 9)).and_then(|()| socket.local_addr());
    way.map_or(Ipv4Addr::new(127, 0, 0, 2).into(), |address: SocketAddr| address.ip())
}

#[test]
fn epmd_on_loopback_only() {
    // It listens on 127.0.0.1.
    let epmd = Epmd::beamline();
    let name = unique("app_b").replace(HOST, &own_address().to_string());
    let _app = app_b(&name, &epmd, &[]);
    assert_finds(&examine(epmd.port(), &name, &[]), "BL303", &format!("127.0.0.1:{} answers", epmd.port()));
}

#[test]
fn a_stale_registration() {
    Otp::Host.run("a_stale_registration", |otp| {
        for epmd in [Epmd::beamline(), Epmd::erlang(otp)] {
            let name = unique("app");
            let _held = register(&epmd, &name, free_port());
            assert_finds(&examine(epmd.port(), &name, &[]), "BL304", "stale");
        }
    });
}

#[test]
fn a_port_that_refuses() {
    let port = free_port();
    let report = examine(free_port(), &unique("app"), &["--peer-port", &port.to_string()]);
    assert_finds(&report, "BL401", &format!("{HOST}:{port}"));
}

#[test]
fn ports_behind_a_firewall() {
    let test = "ports_behind_a_firewall";
    let nft = Path::new("/usr/sbin/nft");
    if !nft.is_file() {
        return skip(test, "nft");
    }
    let Some(network) = Network::new(test, 61, 2) else { return };
    let name = format!("app_b@{}", network.address(1));
    let ports = "-kernel inet_dist_listen_min 9000 inet_dist_listen_max 9000";
    let _app = Program::start_on((&network, 1), "app_b", &["--name", &name, "--cookie", COOKIE, "--erl", ports], &[]);
    let folder = Folder::new();
    let cookie = folder.file("cookie", COOKIE);
    let examine = || {
        let mut command = network.program(2, "beamline");
        command.args(["doctor", &name, "--cookie-file", &cookie, "-o", "json", "--timeout", "8s"]);
        Report::of(command)
    };
    wait_until("the node is met", DEADLINE, || {
        let report = examine();
        if report.exit == 0 { Ok(()) } else { Err(report.said) }
    });
    let rules = |lines: &str| {
        let mut command = network.command(1, nft);
        let mut child = command.args(["-f", "-"]).stdin(Stdio::piped()).spawn().expect("nft starts");
        child.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("nft reads");
        assert!(child.wait().expect("nft ends").success());
    };
    let rule = |rule: &str| {
        rules(&format!(
            "flush ruleset\ntable inet t {{ chain c {{ type filter hook input priority 0; {rule}; }}; }}\n"
        ));
    };
    rule("tcp dport 9000 drop");
    assert_finds(&examine(), "BL402", "firewall");
    // The other tools say the same cause, within the time that they are given.
    let mut ping = network.program(2, "beamline");
    ping.args(["ping", &name, "--cookie-file", &cookie, "--timeout", "2s"]);
    let ping = Report::of(ping);
    assert!(ping.exit == 75 && ping.said.contains(&format!("(BL402); run: beamline doctor {name}")), "{}", ping.said);
    rule("tcp dport 9000 reject with tcp reset");
    assert_finds(&examine(), "BL401", "9000");
    rule("tcp dport 4369 drop");
    assert_finds(&examine(), "BL305", "4369");
    rules("flush ruleset\n");
    assert_eq!(examine().exit, 0);
}

#[test]
fn a_port_of_another_program() {
    let epmd = Epmd::beamline();
    let listener = TcpListener::bind((HOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
    });
    let name = unique("app");
    let _held = register(&epmd, &name, port);
    assert_finds(&examine(epmd.port(), &name, &[]), "BL505", "a web server");
}

#[test]
fn a_port_that_says_nothing() {
    let listener = TcpListener::bind((HOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let report = examine(free_port(), &unique("app"), &["--peer-port", &port, "--timeout", "2s"]);
    assert_finds(&report, "BL507", "says nothing");
}

#[test]
fn two_nodes_of_one_name() {
    Otp::Host.run("two_nodes_of_one_name", |otp| {
        let epmd = Epmd::beamline();
        let (app, other) = (unique("app_b"), unique("other"));
        let _app = app_b(&app, &epmd, &[]);
        let mut beam = Beam::start(otp, &unique("me"), epmd.port(), COOKIE);
        let _peer = Beam::start(otp, &other, epmd.port(), COOKIE);
        for node in [&app, &other] {
            assert_eq!(beam.eval(&format!("Node.connect(:{node:?})")), "true");
            assert_finds(&examine(epmd.port(), node, &["--name", beam.name()]), "BL503", beam.name());
        }
        // It did not disturb the one that was there.
        beam.eval_until("length(Node.list())", "2");
        assert_eq!(examine(epmd.port(), &app, &["--name", &unique("free")]).exit, 0);
    });
}

#[test]
fn short_names_against_long_ones() {
    Otp::Host.run("short_names_against_long_ones", |otp| {
        let epmd = Epmd::beamline();
        let name = unique("beam");
        let _beam = Beam::start(otp, &name, epmd.port(), COOKIE);
        let short = name.replace(HOST, "localhost");
        assert_finds(&examine(epmd.port(), &short, &[]), "BL202", &format!("beamline doctor {name}"));
        let report = examine(epmd.port(), &name, &["--sname", "me@localhost"]);
        assert_finds(&report, "BL202", "--name");
    });
}

/// A node of long ago: it answers the greeting, and offers next to nothing.
#[test]
fn missing_flags() {
    let epmd = Epmd::beamline();
    let listener = TcpListener::bind((HOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let name = unique("old");
    let own = name.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 512]);
            let mut challenge = vec![b'N'];
            challenge.extend(0x0000_0000_0000_0f94_u64.to_be_bytes());
            challenge.extend([0, 0, 0, 1, 0, 0, 0, 5]);
            challenge.extend(u16::try_from(own.len()).expect("short").to_be_bytes());
            challenge.extend(own.as_bytes());
            for packet in [b"sok".to_vec(), challenge] {
                let _ = stream.write_all(&u16::try_from(packet.len()).expect("short").to_be_bytes());
                let _ = stream.write_all(&packet);
            }
            let _ = stream.read(&mut [0; 512]);
        }
    });
    let _held = register(&epmd, &name, port);
    assert_finds(&examine(epmd.port(), &name, &["--name", &unique("me")]), "BL502", "BIG_CREATION");
}

#[test]
fn gossip_with_another_secret() {
    let epmd = Epmd::beamline();
    let folder = Folder::new();
    // A port of its own: other tests gossip as well.
    let port = free_port();
    let config = |name: &str, secret: &str| {
        folder.file(name, &format!("[topologies.lan]\nstrategy = \"gossip\"\nconfig.port = {port}\n{secret}\n"))
    };
    let theirs = config("theirs.toml", "config.secret = \"hush_theirs\"");
    let name = unique("app_b");
    let _app = app_b(&name, &epmd, &["--config", &theirs]);
    for ours in ["config.secret = \"hush_ours\"", ""] {
        let ours = config("ours.toml", ours);
        assert_finds(&examine(epmd.port(), &name, &["--config", &ours]), "BL621", "secret");
    }
    let report = examine(epmd.port(), &name, &["--config", &theirs]);
    assert_eq!((report.codes(), report.exit), (vec![], 0), "{}", report.said);
}

/// In the place of the Kubernetes API: it knows the account, and lets it do nothing.
fn forbidding_api() -> u16 {
    let listener = TcpListener::bind((HOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4096]);
            let message = "pods is forbidden: User \\\"system:serviceaccount:default:default\\\" cannot list resource";
            let body = format!("{{\"kind\":\"Status\",\"code\":403,\"message\":\"{message}\"}}");
            let head = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nConnection: close";
            let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    port
}

#[test]
fn a_role_that_is_missing() {
    let epmd = Epmd::beamline();
    let folder = Folder::new();
    let name = unique("app_b");
    let _app = app_b(&name, &epmd, &[]);
    let server = format!("http://{HOST}:{}", forbidding_api());
    let kubeconfig = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "namespace": "default"}}]
    });
    let kubeconfig = folder.file("kubeconfig", &kubeconfig.to_string());
    let config = format!(
        "[topologies.k8s]\nstrategy = \"kubernetes\"\nconfig.kubernetes_node_basename = \"app_b\"\n\
         config.kubernetes_selector = \"a=b\"\nconfig.kubernetes_ip_lookup_mode = \"pods\"\nconfig.kubeconfig = {kubeconfig:?}\n"
    );
    let config = folder.file("beamline.toml", &config);
    assert_finds(&examine(epmd.port(), &name, &["--config", &config]), "BL622", "RoleBinding");
}

fn a_healthy_mixed_cluster(otp: Otp) {
    let epmd = Epmd::beamline();
    let names = [unique("app_b"), unique("app_b"), unique("beam"), unique("beam")];
    let _apps = [app_b(&names[0], &epmd, &[]), app_b(&names[1], &epmd, &[])];
    let mut beams = [2, 3].map(|place| Beam::start(otp, &names[place], epmd.port(), COOKIE));
    for name in &names[..3] {
        beams[1].eval(&format!("Node.connect(:{name:?})"));
    }
    beams[1].eval_until("length(Node.list())", "3");
    beams[0].eval_until("length(Node.list())", "3");
    let hosts: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    let folder = Folder::new();
    let cookie = folder.file("cookie", COOKIE);
    let config = format!("[topologies.fixed]\nstrategy = \"epmd\"\nconfig.hosts = [{}]\n", hosts.join(", "));
    let config = folder.file("beamline.toml", &config);
    for name in &names {
        // No program is on its PATH, Erlang least of all.
        let mut command =
            doctor(epmd.port(), &[name, "--cookie-file", &cookie, "--config", &config, "-o", "json", "-v"]);
        command.env("PATH", "/nonexistent");
        let report = Report::of(command);
        assert_eq!((report.codes(), report.exit), (vec![], 0), "{}", report.said);
        assert!(report.said.contains("connected with 3 more; 4 of 4 were asked"), "{}", report.said);
        assert!(report.took < Duration::from_secs(2), "{:?}: {}", report.took, report.said);
    }
    // It has visited all of them, and is nobody's node.
    beams[0].eval_until("length(Node.list(:connected))", "3");
    // Without a name it looks at all that epmd knows.
    let report = Report::of(doctor(epmd.port(), &["--cookie-file", &cookie]));
    assert_eq!(report.exit, 0, "{}", report.said);
    for name in &names {
        assert!(report.said.contains(&format!("{name} from here")), "{}", report.said);
    }
}

for_each_otp![a_healthy_mixed_cluster];

#[test]
fn a_mesh_that_is_torn() {
    let epmd = Epmd::beamline();
    let names = [unique("app_b"), unique("app_b"), unique("app_b")];
    // The first connects with both; neither makes connections to whom the first knows.
    let apart = ["--erl", "-connect_all false"];
    let folder = Folder::new();
    let config = format!("[topologies.fixed]\nstrategy = \"epmd\"\nconfig.hosts = [{:?}, {:?}]\n", names[1], names[2]);
    let config = folder.file("beamline.toml", &config);
    let _others = [app_b(&names[1], &epmd, &apart), app_b(&names[2], &epmd, &apart)];
    let _first = app_b(&names[0], &epmd, &[&["--config", &config], &apart[..]].concat());
    wait_until("the first is connected with both", DEADLINE, || {
        let output = Program::run("beamline", epmd.port(), &["nodes", &names[0], "--cookie", COOKIE]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if said.lines().count() == 2 { Ok(()) } else { Err(said) }
    });
    assert_finds(&examine(epmd.port(), &names[0], &[]), "BL603", &format!("{} does not see {}", names[1], names[2]));
}

#[test]
fn every_error_of_a_connection_names_its_cause_and_the_doctor() {
    let epmd = Epmd::beamline();
    let absent = unique("absent");
    let folder = Folder::new();
    let config = format!("[topologies.fixed]\nstrategy = \"epmd\"\nconfig.hosts = [{absent:?}]\n");
    let config = folder.file("beamline.toml", &config);
    let name = unique("app_b");
    let app = app_b(&name, &epmd, &["--config", &config]);
    let end = format!("(BL302); run: beamline doctor {absent}");
    wait_until("the log says it", DEADLINE, || {
        let said = app.said();
        if said.lines().any(|line| line.contains("unable to connect") && line.trim_end().ends_with(&end)) {
            Ok(())
        } else {
            Err(said)
        }
    });
    let beamline = |arguments: &[&str]| {
        let output = Program::run("beamline", epmd.port(), &[arguments, &["--cookie", COOKIE]].concat());
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    for arguments in [&["ping", &absent][..], &["nodes", &absent], &["rpc", &absent, "AppB.hello()"]] {
        let said = beamline(arguments);
        assert!(said.lines().any(|line| line.ends_with(&end)), "{said}");
    }
    wait_until("the status says it", DEADLINE, || {
        let said = beamline(&["cluster", "status", &name]);
        if said.lines().any(|line| line.ends_with(&end)) { Ok(()) } else { Err(said) }
    });
    // The doctor, asked about the node that wants it, passes that on, as a warning.
    let report = examine(epmd.port(), &name, &[]);
    assert_eq!((report.codes(), report.exit), (vec!["BL628".to_owned()], 0), "{}", report.said);
    assert!(report.said.contains(&end), "{}", report.said);
}

#[test]
fn exit_codes_do_not_depend_on_the_form() {
    let epmd = Epmd::beamline();
    let name = unique("app_b");
    let absent = unique("absent");
    let empty = Epmd::beamline();
    let _app = app_b(&name, &epmd, &[]);
    let folder = Folder::new();
    let cookie = folder.file("cookie", COOKIE);
    for form in ["text", "short", "json"] {
        let run = |port: u16, arguments: &[&str]| {
            Report::of(doctor(port, &[arguments, &["--cookie-file", &cookie, "-o", form]].concat())).exit
        };
        assert_eq!(run(epmd.port(), &[&name]), 0);
        assert_eq!(run(epmd.port(), &[&absent]), 1);
        assert_eq!(run(epmd.port(), &[&name, &absent]), 1);
        assert_eq!(run(epmd.port(), &["a@b@c"]), 2);
        assert_eq!(run(epmd.port(), &[&name, "--only", "nothing"]), 2);
        assert_eq!(run(empty.port(), &[]), 3);
        // What is wanted could not be looked at, for want of what is not.
        assert_eq!(run(epmd.port(), &[&absent, "--only", "cookie"]), 3);
        assert_eq!(run(epmd.port(), &[&absent, "--only", "dns"]), 0);
        assert_eq!(run(epmd.port(), &[&absent, "--only", "BL3"]), 1);
    }
    // With a cookie that others can see it warns, and that is no error.
    let report = Report::of(doctor(epmd.port(), &[&name, "--cookie", COOKIE, "-o", "json"]));
    assert_eq!((report.codes(), report.exit), (vec!["BL108".to_owned()], 0), "{}", report.said);
    let list = Report::of(doctor(epmd.port(), &["--list"]));
    assert!(list.exit == 0 && list.said.lines().count() > 30, "{}", list.said);
    for line in list.said.lines() {
        let code = line.split(' ').next().expect("a code");
        let explained = Report::of(doctor(epmd.port(), &["--explain", code]));
        assert!(explained.exit == 0 && explained.said.starts_with(code), "{}", explained.said);
    }
    assert_eq!(Report::of(doctor(epmd.port(), &["--explain", "BL999"])).exit, 2);
}

#[test]
fn it_waits_for_a_node_that_comes_later() {
    let epmd = Epmd::beamline();
    let name = unique("app_b");
    let folder = Folder::new();
    let cookie = folder.file("cookie", COOKIE);
    let command = doctor(epmd.port(), &[&name, "--cookie-file", &cookie, "--wait", "30s"]);
    let waiting = std::thread::spawn(move || Report::of(command));
    let _app = app_b(&name, &epmd, &[]);
    let report = waiting.join().expect("it ends");
    assert_eq!(report.exit, 0, "{}", report.said);
}
