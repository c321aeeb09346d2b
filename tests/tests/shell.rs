//! The shell as somebody who sits at a terminal meets it: `beamline shell`, and a real `iex --remsh` into a Rust node.

use std::fs;
use std::path::Path;

use whole_clusters::{
    Beam, DEADLINE, Epmd, HOST, Network, Otp, Program, Terminal, for_each_otp, free_port, path, unique, wait_until,
    with_hosts,
};

/// The article's lines at the prompt of the application itself.
#[test]
fn an_application_with_a_prompt() {
    let epmd = Epmd::beamline();
    let (a, b) = (unique("app_a"), unique("app_b"));
    let _b = Program::app(epmd.port(), "app_b", &b);
    let arguments = ["--name", &a, "--cookie", "c", "--shell"].map(str::to_owned);
    let program = path("app_a").to_string_lossy().into_owned();
    let mut shell = Terminal::start(&program, &arguments, &Terminal::variables(epmd.port()));
    shell.answers(&format!("iex({a})1> "), &format!("Node.connect(:{b:?})"), "true");
    shell.answers(&format!("iex({a})2> "), "Node.list()", &format!("[:{b:?}]"));
    shell.answers(&format!("iex({a})3> "), "Node.self()", &format!(":{a:?}"));
    shell.answers(&format!("iex({a})4> "), &format!(":rpc.call(:{b:?}, AppB, :hello, [])"), ":world");
    // More lines, one entry.
    shell.answers(&format!("iex({a})5> "), "Enum.map([1, 2], fn x ->\rx * 2\rend)", "[2, 4]");
    shell.answers(&format!("iex({a})6> "), "v()", "[2, 4]");
    shell.sees(&format!("iex({a})7> "));
    shell.press("Enum.map_jo\t");
    shell.sees("Enum.map_join");
    shell.gives_up(&format!("iex({a})7> "));
    shell.answers(&format!("iex({a})7> "), "1 + 1", "2");
    shell.sees(&format!("iex({a})8> "));
    shell.press("\u{4}");
    shell.ends();
}

#[test]
fn at_a_rust_node() {
    let epmd = Epmd::beamline();
    let name = unique("app_a");
    let mut node = Program::app(epmd.port(), "app_a", &name);
    let mut shell = Terminal::beamline(epmd.port(), &["shell", "--remsh", &name, "--cookie", "c"]);
    shell.answers(&format!("iex({name})1> "), "AppA.hello()", ":world");
    shell.answers(&format!("iex({name})2> "), "Node.list()", "[]");
    shell.sees(&format!("iex({name})3> "));
    shell.press("AppA.he\t");
    shell.sees(&format!("iex({name})3> AppA.hello"));
    shell.press("\r");
    shell.sees(&format!("iex({name})4> "));
    // What runs for ever is given up.
    shell.press("IO.puts(\"it runs\"); Enum.reduce(1..100_000_000, 0, & &1 + &2)\r");
    shell.sees("\nit runs");
    shell.press("\u{3}");
    shell.sees(&format!("iex({name})5> "));
    shell.press("\u{4}");
    shell.ends();
    node.assert_running();
}

/// The line of the article for clusters in containers: no epmd, one port for all, no listening.
#[test]
fn at_a_rust_node_through_a_fixed_port() {
    let (name, port, no_epmd) = (unique("app_a1"), free_port(), free_port());
    let erl = format!("-erl_epmd_port {port}");
    let _node = Program::start("app_a", no_epmd, &["--name", &name, "--cookie", "c", "--erl", &erl], &[]);
    wait_until("the node listens", DEADLINE, || std::net::TcpStream::connect((HOST, port)).map(drop));
    let local = unique("local");
    let erl = format!("-dist_listen false -erl_epmd_port {port}");
    let line = ["shell", "--name", &local, "--cookie", "c", "--erl", &erl, "--remsh", &name];
    let mut shell = Terminal::beamline(no_epmd, &line);
    shell.answers(&format!("iex({name})1> "), "AppA.hello()", ":world");
    let mut own = Terminal::beamline(no_epmd, &line[..line.len() - 2]);
    own.answers(&format!("iex({local})1> "), &format!("Node.connect(:{name:?})"), "true");
    own.answers(&format!("iex({local})2> "), &format!(":rpc.call(:{name:?}, AppA, :hello, [])"), ":world");
}

/// The same as the article types it: the node on a host of its own, whose name only the hosts file knows.
#[test]
fn at_a_node_in_a_container() {
    let Some(network) = Network::new("at_a_node_in_a_container", 62, 1) else { return };
    let (name, port) = ("app-a1@app-a1.docker", 9000);
    let hosts = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hosts-of-the-shell");
    fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    fs::write(&hosts, format!("127.0.0.1 localhost\n{} app-a1.docker\n", network.address(1))).expect("a file");
    let known = |program: &str, rest: &[&str]| {
        let mut command = with_hosts(&hosts, &path(program));
        command.args(rest);
        let all = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
        (command.get_program().to_string_lossy().into_owned(), all.collect::<Vec<_>>())
    };
    let erl = format!("-erl_epmd_port {port}");
    let (unshare, arguments) = known("app_a", &["--name", name, "--cookie", "secret", "--erl", &erl]);
    let mut command = network.command(1, Path::new(&unshare));
    command.args(&arguments);
    let mut node = Program::spawn(command);
    wait_until("the node listens", DEADLINE, || {
        node.assert_running();
        std::net::TcpStream::connect((network.address(1), port)).map(drop)
    });
    let line = ["shell", "--name", "local@app-a1.docker", "--cookie", "secret"];
    let line = [&line[..], &["--erl", "-dist_listen false -erl_epmd_port 9000", "--remsh", name]].concat();
    let (unshare, arguments) = known("beamline", &line);
    let mut shell = Terminal::start(&unshare, &arguments, &Terminal::variables(free_port()));
    shell.answers(&format!("iex({name})1> "), "AppA.hello()", ":world");
    shell.answers(&format!("iex({name})2> "), "Node.list(:hidden)", "[:\"local@app-a1.docker\"]");
    shell.leaves(&format!("iex({name})3> "));
}

for_each_otp!(at_an_elixir_node, at_an_erlang_node, iex_into_a_rust_node, erl_into_a_rust_node);

/// The node evaluates by itself, and nobody sees the shell.
fn at_an_elixir_node(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let name = unique("elixir");
    let mut beam = Beam::start(otp, &name, epmd.port(), "c");
    let mut shell = Terminal::beamline(epmd.port(), &["shell", "--remsh", &name, "--cookie", "c"]);
    shell.answers(&format!("iex({name})1> "), "Node.list()", "[]");
    shell.answers(&format!("iex({name})2> "), "defmodule Q do def z, do: :quite end; Q.z()", ":quite");
    shell.answers(&format!("iex({name})3> "), "x = IO.puts(\"printed here\")", "printed here");
    shell.answers(&format!("iex({name})4> "), "{x, v(2)}", "{:ok, :quite}");
    shell.sees(&format!("iex({name})5> "));
    shell.press("raise \"no\"\r");
    shell.sees("** (RuntimeError) no");
    // Completion is IEx's own, and knows the variables, their fields, what is imported and aliased here.
    shell.sees(&format!("iex({name})6> "));
    shell.press("long_name = %{inner: %{deep_field: 1}}; alias Enum, as: Things\r");
    for (counter, typed, completed) in [
        (7, "Enum.map_jo", "Enum.map_join"),
        (7, "long_n", "long_name"),
        (7, "long_name.inner.de", "long_name.inner.deep_field"),
        (7, "Things.map_jo", "Things.map_join"),
        (7, "runtime_in", "runtime_info"),
        (7, ":lists.keyre", ":lists.keyreplace"),
    ] {
        shell.sees(&format!("iex({name}){counter}> "));
        shell.press(&format!("{typed}\t"));
        shell.sees(&format!("iex({name}){counter}> {completed}"));
        shell.gives_up(&format!("iex({name}){counter}> "));
    }
    // What runs for ever is ended, and the variables are kept.
    shell.press("IO.puts(\"it runs\"); Process.sleep(:infinity)\r");
    shell.sees("\nit runs");
    shell.press("\u{3}");
    shell.sees("** (EXIT)");
    shell.answers(&format!("iex({name})8> "), "x", ":ok");
    assert_eq!(beam.eval("Node.list()"), "[]");
    shell.sees(&format!("iex({name})9> "));
    shell.press("\u{4}");
    shell.ends();
    assert_eq!(beam.eval("1 + 1"), "2");
}

/// A node that has nothing of Elixir: expressions run here, calls there, and what they print and ask comes here.
fn at_an_erlang_node(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let name = unique("erlang");
    let mut erl = otp.command("erl");
    erl.args(["-name", &name, "-setcookie", "c", "-noinput", "-start_epmd", "false"]);
    erl.env("ERL_EPMD_PORT", epmd.port().to_string());
    let mut node = Program::spawn(erl);
    wait_until("the node answers", DEADLINE, || {
        let output = Program::run("beamline", epmd.port(), &["ping", &name, "--cookie", "c"]);
        if output.status.success() { Ok(()) } else { Err(node.said()) }
    });
    let mut shell = Terminal::beamline(epmd.port(), &["shell", "--remsh", &name, "--cookie", "c"]);
    shell.sees("an Erlang node");
    let prompt = |counter: usize| format!("iex({name}){counter}> ");
    shell.answers(&prompt(1), ":lists.seq(1, 3) |> Enum.map(& &1 * 2) |> :lists.sum()", "12");
    // Elixir's functions that are Erlang's by another name.
    shell.answers(
        &prompt(2),
        "{Node.self(), Node.list(), Process.alive?(pid(0, 0, 0))}",
        &format!("{{:{name:?}, [], true}}"),
    );
    shell.answers(&prompt(3), ":io.format(\"printed ~p there~n\", [:x])", "printed x there");
    shell.sees(&prompt(4));
    shell.press("[IO.gets(\"here? \"), :io.get_line(\"there? \"), :io_lib.format(\"~w\", [1])]\r");
    shell.sees("\nhere? ");
    shell.press("a\r");
    shell.sees("\nthere? ");
    shell.press("b\r");
    shell.sees("[\"a\\n\", ");
    shell.answers(&prompt(5), "send(self(), {:sent, 1}); flush()", "{:sent, 1}");
    shell.answers(
        &prompt(6),
        ":lists.sun([])",
        "** (UndefinedFunctionError) function :lists.sun/1 is undefined or private. Did you mean:",
    );
    shell.sees("    * sum/1");
    shell.answers(
        &prompt(7),
        ":nobody.here()",
        "** (UndefinedFunctionError) function :nobody.here/0 is undefined (module :nobody is not available)",
    );
    shell.answers(&prompt(8), "hd(v(1))", "** (ArgumentError) errors were found at the given arguments:");
    shell.sees(&prompt(9));
    shell.press(":lists.reve\t");
    shell.sees(&format!("{}:lists.reverse", prompt(9)));
    shell.press("([1, 2])\r");
    shell.sees("\n[2, 1]\n");
    // What runs for ever there is given up here.
    shell.sees(&prompt(10));
    shell.press("IO.puts(\"it runs\"); :timer.sleep(:infinity)\r");
    shell.sees("\nit runs");
    shell.press("\u{3}");
    shell.sees("it was interrupted");
    shell.answers(&prompt(11), ":erlang.nodes(:hidden) |> length()", "1");
    shell.leaves(&prompt(12));
    node.assert_running();
}

/// What IEx says of a function that a module does not have, and of one whose module is not there.
#[test]
fn a_function_that_there_is_not() {
    let epmd = Epmd::beamline();
    let (a, b) = (unique("app_a"), unique("app_b"));
    let _nodes = [Program::app(epmd.port(), "app_a", &a), Program::app(epmd.port(), "app_b", &b)];
    let mut shell = Terminal::beamline(epmd.port(), &["shell", "--remsh", &a, "--cookie", "c"]);
    let prompt = |counter: usize| format!("iex({a}){counter}> ");
    let undefined = "** (UndefinedFunctionError) function";
    shell.answers(&prompt(1), "AppA.zzz()", &format!("{undefined} AppA.zzz/0 is undefined or private"));
    shell.answers(
        &prompt(2),
        "AppA.hallo()",
        &format!("{undefined} AppA.hallo/0 is undefined or private. Did you mean:"),
    );
    shell.sees("    * hello/0");
    shell.answers(
        &prompt(3),
        "AppB.hello()",
        &format!("{undefined} AppB.hello/0 is undefined (module AppB is not available)"),
    );
    let there = format!(":erpc.call(:{b:?}, AppB, :hello, [1])");
    shell.answers(&prompt(4), &there, &format!("{undefined} AppB.hello/1 is undefined or private. Did you mean:"));
    shell.answers(
        &prompt(5),
        "Enum.mapp([])",
        &format!("{undefined} Enum.mapp/1 is undefined or private. Did you mean:"),
    );
    shell.sees(&prompt(6));
    shell.press("open(AppA)\r");
    shell.sees("help: nothing here knows where the source of a module is");
    shell.answers(&prompt(7), "i(AppA.hello())", "Term");
    shell.answers(&prompt(8), "exports(AppA)", "hello/0");
    shell.answers(
        &prompt(9),
        "[pid(0, 1, 0) |> node(), ref(\"0.1.2.3\") |> is_reference()]",
        &format!("[:{a:?}, true]"),
    );
    shell.answers(&prompt(10), "h AppA.hello", "Says :world, to show that it is there.");
    shell.answers(&prompt(11), "h Enum.map/2", "* Enum.map(enumerable, fun)");
    shell.sees("    [2, 4]");
    shell.answers(&prompt(12), "h AppA.nothing", &format!("Nothing is known of AppA.nothing: neither here nor on {a}"));
    // A real node's way to ask for the same.
    let asked = ":code.get_doc(AppA) |> elem(0)";
    shell.answers(&prompt(13), asked, ":ok");
    shell.leaves(&prompt(14));
}

/// One more guest than the node lets in is told so, and may come in when somebody has left.
#[test]
fn only_so_many_guests() {
    let epmd = Epmd::erlang(Otp::Host);
    let name = unique("app_a");
    let node = Program::app(epmd.port(), "app_a", &name);
    let iex = || {
        let visitor = unique("visitor");
        Terminal::remote(Otp::Host, "iex", epmd.port(), &["--name", &visitor, "--cookie", "c", "--remsh", &name])
    };
    let prompt = format!("iex({name})1> ");
    let mut guests: Vec<Terminal> = (0..4).map(|_| iex()).collect();
    guests.iter().for_each(|guest| guest.sees(&prompt));
    iex().sees("All prompts of this node are in use");
    assert!(node.said().contains("refused a prompt"), "{}", node.said());
    let mut first = guests.swap_remove(0);
    first.press("\u{3}");
    first.sees("(a)bort");
    first.press("\u{3}");
    first.ends();
    wait_until("there is room again", DEADLINE, || {
        let next = iex();
        let shows = || next.shows();
        wait_until("it is told something", DEADLINE, || {
            let shows = shows();
            if shows.contains(&prompt) || shows.contains("in use") { Ok(()) } else { Err(shows) }
        });
        if shows().contains(&prompt) { Ok(()) } else { Err(shows()) }
    });
}

fn iex_into_a_rust_node(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let (name, visitor) = (unique("app_a"), unique("visitor"));
    let mut node = Program::app(epmd.port(), "app_a", &name);
    let mut iex = Terminal::remote(otp, "iex", epmd.port(), &["--name", &visitor, "--cookie", "c", "--remsh", &name]);
    // Before anything was entered.
    iex.sees(&format!("iex({name})1> "));
    iex.press("AppA.he\t");
    iex.sees(&format!("iex({name})1> AppA.hello"));
    iex.press("()\r");
    iex.sees("\n:world\n");
    iex.answers(&format!("iex({name})2> "), "Node.list()", &format!("[:{visitor:?}]"));
    iex.answers(&format!("iex({name})3> "), "Enum.map([1, 2], fn x ->\rx * 2\rend)", "[2, 4]");
    iex.sees(&format!("iex({name})4> "));
    iex.press("AppA.he\t");
    iex.sees(&format!("iex({name})4> AppA.hello"));
    iex.press("()\r");
    iex.sees(&format!("iex({name})5> "));
    iex.press("\u{3}");
    iex.sees("(a)bort");
    iex.press("\u{3}");
    iex.ends();
    node.assert_running();
    let output = Program::run("beamline", epmd.port(), &["rpc", &name, "AppA.hello()", "--cookie", "c"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), ":world");
    let log = node.said();
    assert!(log.contains("evaluates") && log.contains(&visitor) && log.contains("code="), "{log}");
}

fn erl_into_a_rust_node(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let (name, visitor) = (unique("app_a"), unique("visitor"));
    let mut node = Program::app(epmd.port(), "app_a", &name);
    let erl = Terminal::remote(otp, "erl", epmd.port(), &["-name", &visitor, "-setcookie", "c", "-remsh", &name]);
    erl.sees("reads no Erlang");
    node.assert_running();
}
