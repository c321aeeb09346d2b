//! A Rust node and a real node, each calling the other, for three releases.

use std::time::{Duration, Instant};

use whole_clusters::{Beam, DEADLINE, Epmd, HOST, Otp, Program, for_each_otp, free_port, unique, wait_until};

const COOKIE: &str = "secret";

/// app_b under a name of its own, answering pings of the `beamline` program.
fn app_b(name: &str, epmd: &Epmd) -> Program {
    let mut program = Program::start("app_b", epmd.port(), &["--name", name, "--cookie", COOKIE], &[]);
    wait_until("app_b is up", DEADLINE, || {
        program.assert_running();
        let output = beamline(epmd, &["ping", name]);
        if output.0 == 0 { Ok(()) } else { Err(output.2) }
    });
    program
}

/// Runs `beamline`; its exit code, stdout and stderr.
fn beamline(epmd: &Epmd, arguments: &[&str]) -> (i32, String, String) {
    let arguments = [arguments, &["--cookie", COOKIE]].concat();
    let output = Program::run("beamline", epmd.port(), &arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn a_real_node_connects_and_calls(otp: Otp) {
    let epmd = Epmd::beamline();
    let name = unique("app_b");
    let _app = app_b(&name, &epmd);
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    let peer = format!(":{name:?}");
    assert_eq!(beam.eval(&format!("Node.connect({peer})")), "true");
    assert_eq!(beam.eval("Node.list()"), format!("[{peer}]"));
    assert_eq!(beam.eval(&format!("Node.ping({peer})")), ":pong");
    assert_eq!(beam.eval(&format!(":rpc.call({peer}, AppB, :hello, [])")), ":world");
    assert_eq!(beam.eval(&format!(":erpc.call({peer}, AppB, :hello, [])")), ":world");
    assert_eq!(beam.eval(&format!(":rpc.call({peer}, :erlang, :node, [])")), peer);
    let undefined = "{:badrpc, {:EXIT, {:undef, [{AppB, :nothing, [1], []}]}}}";
    assert_eq!(beam.eval(&format!(":rpc.call({peer}, AppB, :nothing, [1])")), undefined);
    assert_eq!(beam.eval(&format!("GenServer.call({{:net_kernel, {peer}}}, {{:is_auth, node()}})")), ":yes");
    let noproc = beam.try_eval(&format!("GenServer.call({{:nobody, {peer}}}, :hello)")).expect_err("nobody is there");
    assert!(noproc.contains(":noproc"), "{noproc}");
}

fn global_is_as_quick_as_without_us(otp: Otp) {
    let epmd = Epmd::beamline();
    let name = unique("app_b");
    let _app = app_b(&name, &epmd);
    let mut a = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    let mut b = Beam::start(otp, &unique("b"), epmd.port(), COOKIE);
    a.eval(&format!("Node.connect(:{name:?})"));
    a.eval(&format!("Node.connect({})", b.atom()));
    b.eval_until("length(Node.list())", "2");
    // The first sync waits for lockers that pause for a second or more; what follows must not.
    assert_eq!(a.eval(":global.sync()"), ":ok");
    assert_eq!(b.eval(":global.sync()"), ":ok");
    let begin = Instant::now();
    assert_eq!(a.eval(":global.register_name(:here, self())"), ":yes");
    assert_eq!(b.eval("node(:global.whereis_name(:here))"), a.atom());
    assert_eq!(a.eval(":global.set_lock({:lock, self()}, [node() | Node.list()], 0)"), "true");
    assert_eq!(a.eval(":global.del_lock({:lock, self()}, [node() | Node.list()])"), "true");
    assert_eq!(b.eval(":global.trans({:t, self()}, fn -> :done end)"), ":done");
    assert_eq!(b.eval(":global.sync()"), ":ok");
    assert!(begin.elapsed() < Duration::from_secs(2), "took {:?}", begin.elapsed());
}

fn a_rust_program_calls_a_real_node(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let mut beam = Beam::start(otp, &unique("b"), epmd.port(), COOKIE);
    let name = beam.name().to_owned();
    assert_eq!(beamline(&epmd, &["ping", &name]), (0, "pong".to_owned(), String::new()));
    assert_eq!(beamline(&epmd, &["rpc", &name, "AppB.hello()"]).1, ":world");
    assert_eq!(beamline(&epmd, &["rpc", &name, "AppB.add(40, 2)"]).1, "42");
    assert_eq!(beamline(&epmd, &["rpc", &name, ":erlang.node()"]).1, beam.atom());
    // A map of one: from OTP 26 on each node has an order of its own.
    let value = "{%{a: [1, 2.5, \"x\"]}, nil, <<1, 2>>}";
    let expression = format!("Function.identity({value})");
    assert_eq!(beamline(&epmd, &["rpc", &name, &expression]).1, value);
    let (code, _, talk) = beamline(&epmd, &["rpc", &name, "AppB.boom()"]);
    assert_eq!(code, 1, "{talk}");
    assert!(talk.contains("boom"), "{talk}");
    // A tool is hidden and gone when it has its answer.
    beam.eval_until("Node.list(:connected)", "[]");
    assert!(!beam.said().contains("[error]"), "{}", beam.said());
}

fn a_wrong_cookie_is_refused_on_both_sides(otp: Otp) {
    let epmd = Epmd::beamline();
    let name = unique("app_b");
    let app = app_b(&name, &epmd);
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), "other");
    assert_eq!(beam.eval(&format!("Node.connect(:{name:?})")), "false");
    wait_until("the Rust node says why", DEADLINE, || {
        let said = app.said();
        if said.contains("cookie") { Ok(()) } else { Err(said) }
    });
    assert!(!app.said().contains(COOKIE), "the cookie is never printed");
    let (code, _, talk) = beamline(&epmd, &["ping", beam.name()]);
    assert_eq!(code, 77, "{talk}");
    assert!(talk.contains("cookie"), "{talk}");
}

fn monitors_fire_when_a_rust_node_is_killed_and_it_comes_back(otp: Otp) {
    let epmd = Epmd::beamline();
    let name = unique("app_b");
    let mut app = app_b(&name, &epmd);
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    let peer = format!(":{name:?}");
    assert_eq!(beam.eval(&format!("Node.connect({peer})")), "true");
    beam.eval(&format!("old = GenServer.whereis({{:net_kernel, {peer}}}); old != nil"));
    beam.eval(&format!("pid = :rpc.call({peer}, :erlang, :whereis, [:net_kernel]); is_pid(pid) or pid == :undefined"));
    assert_eq!(beam.eval(&format!("Node.monitor({peer}, true)")), "true");
    beam.eval(&format!("ref = Process.monitor({{:net_kernel, {peer}}}); is_reference(ref)"));
    app.kill();
    let down = format!("receive do {{:nodedown, {peer}}} -> :down after 2000 -> :silence end");
    assert_eq!(beam.eval(&down), ":down");
    let down = "receive do {:DOWN, ^ref, :process, _, :noconnection} -> :down after 2000 -> :silence end";
    assert_eq!(beam.eval(down), ":down");
    let _again = app_b(&name, &epmd);
    assert_eq!(beam.eval(&format!("Node.connect({peer})")), "true");
    assert_eq!(beam.eval(&format!(":rpc.call({peer}, AppB, :hello, [])")), ":world");
}

fn iex_connects_to_a_fixed_port_without_epmd(otp: Otp) {
    let port = free_port();
    let name = unique("app_b");
    let flags = format!("-erl_epmd_port {port} -start_epmd false");
    // Nothing listens on the port that would be epmd's.
    let nowhere = free_port();
    let mut app = Program::start("app_b", nowhere, &["--name", &name, "--cookie", COOKIE, "--erl", &flags], &[]);
    let flags = format!("-dist_listen false -erl_epmd_port {port}");
    let mut beam = Beam::start_with(otp, &unique("local"), nowhere, COOKIE, &flags);
    wait_until("iex connects", DEADLINE, || {
        app.assert_running();
        let answer = beam.eval(&format!("Node.connect(:{name:?})"));
        if answer == "true" { Ok(()) } else { Err(answer) }
    });
    assert_eq!(beam.eval(&format!(":rpc.call(:{name:?}, AppB, :hello, [])")), ":world");
    assert_eq!(beam.eval("Node.list()"), "[]", "a node that does not listen is hidden");
}

fn six_nodes_form_one_mesh_by_gossip(otp: Otp) {
    let epmd = Epmd::beamline();
    let cookie = &format!("gossip{}", std::process::id());
    let mut beams: Vec<Beam> = (0..3).map(|_| Beam::start(otp, &unique("e"), epmd.port(), cookie)).collect();
    for beam in &mut beams {
        beam.eval("is_pid(Gossip.start())");
    }
    let mut apps = Vec::new();
    for number in 1..=3 {
        let name = unique("app_a");
        let port = free_port();
        let port_text = port.to_string();
        let postfix = number.to_string();
        let variables =
            [("LIBCLUSTER_STRATEGY", "gossip"), ("START_SERVER", "true"), ("PORT", &port_text), ("POSTFIX", &postfix)];
        let app = Program::start("app_a", epmd.port(), &["--name", &name, "--cookie", cookie], &variables);
        apps.push((app, name, port));
    }
    let names: Vec<String> =
        beams.iter().map(|beam| beam.name().to_owned()).chain(apps.iter().map(|app| app.1.clone())).collect();
    for beam in &mut beams {
        let others = names.iter().filter(|name| *name != beam.name());
        let mut sorted: Vec<String> = others.map(|name| format!(":{name:?}")).collect();
        sorted.sort();
        beam.eval_until("Enum.sort(Node.list())", &format!("[{}]", sorted.join(", ")));
    }
    for (app, name, port) in &mut apps {
        wait_until("a Rust node lists the other five", DEADLINE, || {
            app.assert_running();
            let body = Program::get(*port, "/").map(|answer| answer.1).unwrap_or_default();
            let missing = names.iter().find(|other| *other != name && !body.contains(&format!(":{other:?}")));
            missing.map_or(Ok(()), |other| Err(format!("{other} is missing in: {body}")))
        });
    }
    // Names that Rust nodes registered are seen by real ones.
    let registered = "Enum.sort(for {:node_registry, name} <- :global.registered_names(), do: name)";
    beams[0].eval_until(registered, "[\"app_a_1\", \"app_a_2\", \"app_a_3\"]");
    let (mut app, name, _) = apps.pop().expect("three were started");
    app.kill();
    let limit = Duration::from_secs(2);
    for beam in &mut beams {
        beam.eval_until_within(limit, &format!(":{name:?} in Node.list()"), "false");
    }
    beams[0].eval_until(registered, "[\"app_a_1\", \"app_a_2\"]");
    assert!(name.ends_with(HOST));
}

for_each_otp!(
    a_real_node_connects_and_calls,
    global_is_as_quick_as_without_us,
    a_rust_program_calls_a_real_node,
    a_wrong_cookie_is_refused_on_both_sides,
    monitors_fire_when_a_rust_node_is_killed_and_it_comes_back,
    iex_connects_to_a_fixed_port_without_epmd,
    six_nodes_form_one_mesh_by_gossip,
);
