//! Discovery with real nodes: gossip with a secret both ways, and nodes that a real or our own epmd knows.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Instant;

use whole_clusters::{Beam, DEADLINE, Epmd, HOST, Otp, Program, for_each_otp, free_port, unique, wait_until};

const COOKIE: &str = "secret";

/// A configuration in a file of this test alone, removed with it.
struct Config(PathBuf);

impl Config {
    fn new(text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("{}.toml", unique("beamline").replace('@', "_")));
        fs::write(&path, text).expect("a file can be written");
        Self(path)
    }

    /// `beamline node` with this configuration.
    fn node(&self, name: &str, epmd: &Epmd) -> Program {
        let config = self.0.to_str().expect("a path of this test");
        let arguments = ["node", "--name", name, "--cookie", COOKIE, "--config", config];
        Program::start("beamline", epmd.port(), &arguments, &[("RUST_LOG", "info")])
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = fs::remove_file(&self.0);
    }
}

fn status(epmd: &Epmd, name: &str) -> String {
    let output = Program::run("beamline", epmd.port(), &["cluster", "status", name, "--cookie", COOKIE]);
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn wait_for_status(epmd: &Epmd, name: &str, parts: &[&str]) {
    wait_until("the status is so", DEADLINE, || {
        let status = status(epmd, name);
        let missing = parts.iter().find(|part| !status.contains(**part));
        missing.map_or(Ok(()), |part| Err(format!("{part:?} is missing in: {status}")))
    });
}

/// Stays on loopback, in a group and on a port of its own.
fn gossip(port: u16, secret: &str) -> String {
    format!(
        "[topologies.lan]\nstrategy = \"Cluster.Strategy.Gossip\"\n[topologies.lan.config]\nport = {port}\n\
         multicast_addr = \"239.255.77.3\"\nmulticast_if = \"127.0.0.1\"\n{secret}\n"
    )
}

fn gossip_with_a_secret_is_understood_both_ways(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let mut beam = Beam::start(otp, &unique("e"), epmd.port(), COOKIE);
    let port = free_port();
    let config = Config::new(&gossip(port, "secret = \"somepassword\""));
    let name = unique("ours");
    let _ours = config.node(&name, &epmd);
    wait_for_status(&epmd, &name, &["lan (Cluster.Strategy.Gossip): nothing heard yet"]);
    // It reads ours and dials; and ours reads it, which the status shows.
    beam.eval(&format!("is_pid(Gossip.start({port}, \"somepassword\", {{239, 255, 77, 3}}, {{127, 0, 0, 1}}))"));
    beam.eval_until("Node.list()", &format!("[:{name:?}]"));
    wait_for_status(&epmd, &name, &["last heard of a node", &format!("{} connected", beam.name())]);
    // Ours dials by itself too: a real node that only speaks is connected.
    let mut speaker = Beam::start(otp, &unique("s"), epmd.port(), COOKIE);
    speaker.eval(&format!(
        "{{:ok, socket}} = :gen_udp.open(0, [:binary, multicast_if: {{127, 0, 0, 1}}]); \
         :gen_udp.send(socket, {{239, 255, 77, 3}}, {port}, Gossip.encode(node(), \"somepassword\"))"
    ));
    speaker.eval_until(&format!(":{name:?} in Node.list()"), "true");
}

fn another_secret_and_none_are_told_once(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let port = free_port();
    let config = Config::new(&gossip(port, "secret = \"somepassword\""));
    let name = unique("ours");
    let ours = config.node(&name, &epmd);
    wait_for_status(&epmd, &name, &["nothing heard yet"]);
    let mut beam = Beam::start(otp, &unique("e"), epmd.port(), COOKIE);
    beam.eval("{:ok, socket} = :gen_udp.open(0, [:binary, multicast_if: {127, 0, 0, 1}]); is_port(socket)");
    for _ in 0..5 {
        for secret in ["nil", "\"another\""] {
            let send = format!(":gen_udp.send(socket, {{239, 255, 77, 3}}, {port}, Gossip.encode(node(), {secret}))");
            assert_eq!(beam.eval(&send), ":ok");
        }
    }
    wait_until("both are told", DEADLINE, || {
        let said = ours.said();
        if said.contains("decryption failed") && said.contains("without encryption") { Ok(()) } else { Err(said) }
    });
    assert_eq!(ours.said().matches("decryption failed").count(), 1, "{}", ours.said());
    assert_eq!(ours.said().matches("without encryption").count(), 1, "{}", ours.said());
    assert_eq!(beam.eval("Node.list()"), "[]");
}

fn encrypted_heartbeats_are_told_once_where_there_is_no_secret(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let port = free_port();
    let config = Config::new(&gossip(port, ""));
    let name = unique("ours");
    let ours = config.node(&name, &epmd);
    wait_for_status(&epmd, &name, &["nothing heard yet"]);
    // A whole cluster of others, whose nodes do not read us either.
    let mut beam = Beam::start(otp, &unique("e"), epmd.port(), COOKIE);
    beam.eval(&format!("is_pid(Gossip.start({port}, \"somepassword\", {{239, 255, 77, 3}}, {{127, 0, 0, 1}}))"));
    beam.eval("{:ok, socket} = :gen_udp.open(0, [:binary, multicast_if: {127, 0, 0, 1}]); is_port(socket)");
    for _ in 0..5 {
        let send = format!(":gen_udp.send(socket, {{239, 255, 77, 3}}, {port}, Gossip.encode(node(), \"another\"))");
        assert_eq!(beam.eval(&send), ":ok");
    }
    wait_until("it is told", DEADLINE, || {
        let said = ours.said();
        if said.contains("looks encrypted") { Ok(()) } else { Err(said) }
    });
    // One that is understood comes after all of them.
    beam.eval(&format!(":gen_udp.send(socket, {{239, 255, 77, 3}}, {port}, Gossip.encode(node(), nil))"));
    beam.eval_until("Node.list()", &format!("[:{name:?}]"));
    assert_eq!(ours.said().matches("looks encrypted").count(), 1, "{}", ours.said());
}

#[test]
fn the_apps_take_a_configuration() {
    let epmd = Epmd::beamline();
    let (a, b) = (unique("app_a"), unique("app_b"));
    let of =
        |other: &str| Config::new(&format!("[topologies.fixed]\nstrategy = \"epmd\"\nconfig.hosts = [{other:?}]\n"));
    let (to_a, to_b) = (of(&a), of(&b));
    let arguments = |name, config: &Config| {
        ["--name", name, "--cookie", COOKIE, "--config", config.0.to_str().expect("a path")].map(str::to_owned)
    };
    let given = arguments(&a, &to_b);
    let _a = Program::start("app_a", epmd.port(), &given.each_ref().map(String::as_str), &[]);
    let variable = to_a.0.to_str().expect("a path of this test");
    // The file wins over the strategy.
    let variables = [("BEAMLINE_CONFIG", variable), ("LIBCLUSTER_STRATEGY", "nonsense")];
    let _b = Program::start("app_b", epmd.port(), &["--name", &b, "--cookie", COOKIE], &variables);
    wait_for_status(&epmd, &a, &["fixed (Cluster.Strategy.Epmd)", &format!("{b} connected")]);
    wait_for_status(&epmd, &b, &["fixed (Cluster.Strategy.Epmd)", &format!("{a} connected")]);

    let wrong = Config::new("[topologies.fixed]\nstrategy = \"epmd\"\nconfig.host = []\n");
    for app in ["app_a", "app_b"] {
        let given = arguments(&a, &wrong);
        let output = Program::run(app, epmd.port(), &given.each_ref().map(String::as_str));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success());
        assert!(said.contains(".toml:3:8: unknown key `host`; did you mean `hosts`?"), "{said}");
    }
}

fn local_epmd(otp: Otp, epmd: &Epmd) {
    let early = Beam::start(otp, &unique("early"), epmd.port(), COOKIE);
    let mut foreign = Beam::start(otp, &unique("foreign"), epmd.port(), "another");
    let hidden = Beam::start_with(otp, &unique("hidden"), epmd.port(), COOKIE, "-hidden -start_epmd false");
    let config = Config::new("[topologies.here]\nstrategy = \"local_epmd\"\nconfig.polling_interval = 100\n");
    let name = unique("ours");
    let ours = config.node(&name, epmd);
    wait_for_status(epmd, &name, &[&format!("{} connected", early.name())]);
    let mut late = Beam::start(otp, &unique("late"), epmd.port(), COOKIE);
    late.eval_until(&format!(":{name:?} in Node.list()"), "true");
    // A lost connection is made anew.
    late.eval(&format!("Node.disconnect(:{name:?})"));
    late.eval_until(&format!(":{name:?} in Node.list()"), "true");
    let (hidden, waiting) = (format!("{} connected, hidden\n", hidden.name()), format!("{} waiting", foreign.name()));
    wait_for_status(epmd, &name, &[&hidden, &waiting, "cookies differ"]);
    assert_eq!(
        ours.said().matches(&format!("unable to connect to :{:?}", foreign.name())).count(),
        1,
        "{}",
        ours.said()
    );
    assert_eq!(foreign.eval("Node.list()"), "[]");
}

fn an_epmd_that_ends_parts_nobody(otp: Otp) {
    let mut epmd = Epmd::erlang(otp);
    let mut beam = Beam::start(otp, &unique("e"), epmd.port(), COOKIE);
    let config = Config::new("[topologies.here]\nstrategy = \"local_epmd\"\nconfig.polling_interval = 100\n");
    let (name, late) = (unique("ours"), unique("late"));
    let ours = config.node(&name, &epmd);
    beam.eval_until("Node.list()", &format!("[:{name:?}]"));
    epmd.end();
    wait_until("it is told", DEADLINE, || {
        let said = ours.said();
        if said.contains("[libcluster:here]") && said.contains("epmd") { Ok(()) } else { Err(said) }
    });
    // The new daemon knows nobody at first; who has registered anew is found by those who come later.
    epmd.replace();
    wait_until("both have registered anew", DEADLINE, || {
        let output = Program::run("beamline", epmd.port(), &["epmd", "-port", &epmd.port().to_string(), "-names"]);
        let names = String::from_utf8_lossy(&output.stdout).into_owned();
        let is_there = |name: &str| names.contains(name.split('@').next().unwrap_or(name));
        if is_there(&name) && is_there(beam.name()) { Ok(()) } else { Err(names) }
    });
    let _late = config.node(&late, &epmd);
    wait_for_status(&epmd, &late, &[&format!("{name} connected")]);
    beam.eval_until(&format!(":{name:?} in Node.list()"), "true");
    let down = format!("{} is down", beam.name());
    assert!(!ours.said().contains(&down), "{}", ours.said());
}

fn local_epmd_with_the_systems_epmd(otp: Otp) {
    local_epmd(otp, &Epmd::erlang(otp));
}

fn local_epmd_with_our_epmd(otp: Otp) {
    local_epmd(otp, &Epmd::beamline());
}

fn a_fixed_list_and_hosts_of_a_file(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let (first, second) = (unique("first"), unique("second"));
    let hosts = Config::new("'127.0.0.1'.\n");
    let config = Config::new(&format!(
        "[topologies.fixed]\nstrategy = \"epmd\"\nconfig.hosts = [\"{first}\"]\n\
         [topologies.hosts]\nstrategy = \"erlang_hosts\"\nconfig.timeout = 100\nconfig.path = {:?}\n",
        hosts.0
    ));
    let name = unique("ours");
    let _ours = config.node(&name, &epmd);
    wait_for_status(&epmd, &name, &["fixed (Cluster.Strategy.Epmd): 1 node,", &format!("{first} waiting")]);
    let mut beams = [first, second].map(|name| Beam::start(otp, &name, epmd.port(), COOKIE));
    for beam in &mut beams {
        beam.eval_until(&format!(":{name:?} in Node.list()"), "true");
    }
}

/// What memory may grow by under a flood: allocators keep some of what they had.
const GROWTH_KIB: u64 = 8 * 1024;

fn nodes(epmd: &Epmd, name: &str) -> String {
    let output = Program::run("beamline", epmd.port(), &["nodes", name, "--cookie", COOKIE, "--timeout", "20s"]);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn long_ten_million_junk_datagrams() {
    const COUNT: u32 = 10_000_000;
    let epmd = Epmd::beamline();
    let port = free_port();
    let config = Config::new(&gossip(port, ""));
    let (a, b, c) = (unique("a"), unique("b"), unique("c"));
    let first = config.node(&a, &epmd);
    let second = config.node(&b, &epmd);
    let sees = |node: &str, other: &str| {
        wait_until("the mesh is whole", DEADLINE, || {
            let nodes = nodes(&epmd, node);
            if nodes.contains(other) { Ok(()) } else { Err(nodes) }
        });
    };
    sees(&a, &b);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a socket");
    let begin = Instant::now();
    let send = |numbers: Range<u32>| {
        for number in numbers {
            let noise = number.wrapping_mul(2_654_435_761).to_be_bytes();
            let datagram = match number % 5 {
                0 => noise.repeat(20),
                1 => [b"heartbeat::".as_slice(), &noise].concat(),
                2 => [b"heartbeat::\x83t\0\0\0\x01w\x04node".as_slice(), &noise].concat(),
                3 => [b"heartbeat::\x83l\xff\xff\xff\xff".as_slice(), &noise.repeat(20)].concat(),
                _ => {
                    let name = format!("x{number:08}@{HOST}");
                    [b"heartbeat::\x83t\0\0\0\x01w\x04nodew\x13".as_slice(), name.as_bytes()].concat()
                }
            };
            // A full buffer loses datagrams, as the network would.
            let _ = socket.send_to(&datagram, (HOST, port));
        }
    };
    let resident = || (first.resident_kib(), second.resident_kib());
    // The first part brings every buffer to its size.
    send(0..COUNT / 10);
    let before = resident();
    for part in 1..10 {
        send(COUNT / 10 * part..COUNT / 10 * (part + 1));
        let nodes = nodes(&epmd, &b);
        assert!(nodes.contains(&a), "after part {part}: {nodes}");
    }
    let after = resident();
    // It did hear them.
    assert!([&first, &second].iter().any(|node| node.said().contains("unable to connect to :\"x0")));
    assert!(
        after.0 < before.0 + GROWTH_KIB && after.1 < before.1 + GROWTH_KIB,
        "grew from {before:?} to {after:?} KiB"
    );
    println!("{COUNT} datagrams in {:?}, resident {before:?} to {after:?} KiB", begin.elapsed());
    // It is open to real ones.
    let _third = config.node(&c, &epmd);
    sees(&a, &c);
    sees(&b, &c);
    assert!(!first.said().contains("panicked") && !second.said().contains("panicked"));
}

for_each_otp!(
    gossip_with_a_secret_is_understood_both_ways,
    another_secret_and_none_are_told_once,
    encrypted_heartbeats_are_told_once_where_there_is_no_secret,
    local_epmd_with_the_systems_epmd,
    local_epmd_with_our_epmd,
    an_epmd_that_ends_parts_nobody,
    a_fixed_list_and_hosts_of_a_file,
);
