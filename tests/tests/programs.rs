//! The programs as an operator meets them: exit codes, help, the demo.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use whole_clusters::{DEADLINE, Epmd, HOST, Program, Site, free_port, unique, wait_until};

/// Runs `beamline`; its exit code and everything it said.
fn beamline(epmd_port: u16, arguments: &[&str]) -> (i32, String) {
    let output = Program::run("beamline", epmd_port, arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn exit_codes_tell_what_happened() {
    let epmd = Epmd::beamline();
    let absent = format!("nobody@{HOST}");
    let nowhere = free_port();
    for (port, arguments, code, words) in [
        (epmd.port(), &["ping"][..], 2, "Usage"),
        (epmd.port(), &["rpc", &absent, "AppB.hello(", "--cookie", "c"], 2, "column"),
        (epmd.port(), &["ping", "a@b@c", "--cookie", "c"], 2, "a@b@c"),
        (epmd.port(), &["ping", &absent, "--cookie", "c"], 69, "nobody"),
        (nowhere, &["nodes", &absent, "--cookie", "c"], 69, "epmd"),
        (epmd.port(), &["ping", &absent, "--cookie-file", "/nonexistent/cookie"], 78, "/nonexistent/cookie"),
    ] {
        let (got, said) = beamline(port, arguments);
        assert_eq!(got, code, "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

/// A folder, and in it the file of a notebook whose only cell waits for an answer.
fn asks() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("asks.livemd");
    std::fs::write(&file, "# Asks\n\n## One\n\n```elixir\nIO.gets(\"who? \")\n```\n").expect("it is written");
    let file = file.to_str().expect("it is text").to_owned();
    (folder, file)
}

#[test]
fn a_site_that_does_not_start_tells_why() {
    let epmd = Epmd::beamline();
    let name = unique("app_a");
    let _node = Program::app(epmd.port(), "app_a", &name);
    let (_folder, file) = asks();
    let taken = TcpListener::bind((HOST, 0)).expect("a port");
    let taken = taken.local_addr().expect("an address").to_string();
    let absent = format!("nobody@{HOST}");
    let (free, exposed) = (["--listen", "127.0.0.1:0"], ["--listen", "0.0.0.0:0"]);
    let dashboard = |node: &str| vec!["dashboard".to_owned(), node.to_owned()];
    let notebook = |node: &str| ["notebook", &file, "--node", node].map(str::to_owned).to_vec();
    for command in [&dashboard as &dyn Fn(&str) -> Vec<String>, &notebook] {
        for (node, arguments, code, words) in [
            (name.as_str(), &["--listen", &taken, "--cookie", "c"][..], 78, "another program listens there"),
            (&name, &[&exposed[..], &["--cookie", "c"]].concat(), 2, "--insecure-listen"),
            (&name, &["--listen", "4040", "--cookie", "c"], 2, "--listen"),
            (&name, &["--no-such-flag"], 2, "--no-such-flag"),
            ("a@b@c", &[&free[..], &["--cookie", "c"]].concat(), 2, "a@b@c"),
            (&absent, &[&free[..], &["--cookie", "c"]].concat(), 69, "nobody"),
            (&name, &[&free[..], &["--cookie", "wrong"]].concat(), 77, "cookie"),
            (&name, &[&free[..], &["--cookie-file", "/nonexistent/cookie"]].concat(), 78, "/nonexistent/cookie"),
        ] {
            let command = command(node);
            let arguments: Vec<&str> = command.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
            let (got, said) = beamline(epmd.port(), &arguments);
            assert_eq!(got, code, "{arguments:?}: {said}");
            assert!(said.contains(words), "{arguments:?}: {said}");
        }
    }
    let (code, said) = beamline(epmd.port(), &[&["notebook", "/nonexistent.livemd"], &free[..]].concat());
    assert!(code == 2 && said.contains("@new"), "{said}");
    let both = ["dashboard", &name, "--readonly", "--allow-destructive", "--cookie", "c"];
    assert_eq!(beamline(epmd.port(), &both).0, 2);
}

#[test]
fn a_site_ends_at_once_and_well() {
    let epmd = Epmd::beamline();
    let name = unique("app_a");
    let _node = Program::app(epmd.port(), "app_a", &name);
    let (_folder, file) = asks();
    for signal in ["INT", "TERM"] {
        let dashboard = Site::start(epmd.port(), &["dashboard", &name, "--cookie", "c"]);
        let mut page = dashboard.open("/");
        page.next_main();
        let notebook = Site::start(epmd.port(), &["notebook", &file, "--node", &name, "--cookie", "c"]);
        let address = "/notebook/asks.livemd";
        let state = || notebook.json(address).1;
        let wait = |what: &str, holds: &dyn Fn() -> bool| {
            wait_until(what, DEADLINE, || if holds() { Ok(()) } else { Err(state()) });
        };
        wait("the node is attached", &|| state()["runtime"]["state"] == "ready");
        assert_eq!(notebook.post("/notebooks/run/asks.livemd", "do=all"), 303);
        wait("the cell asks", &|| state()["sections"][0]["cells"][0]["state"]["asks"][0]["prompt"] == "who? ");
        let mut cells = notebook.open(address);
        cells.next_main();
        for site in [dashboard, notebook] {
            let (code, took) = site.end(signal);
            assert_eq!(code, Some(0), "{signal}");
            assert!(took < Duration::from_secs(1), "{signal}: {took:?}");
        }
    }
}

#[test]
fn help_answers_the_first_question_first() {
    let (code, help) = beamline(free_port(), &["--help"]);
    assert_eq!(code, 0);
    for word in ["node", "epmd", "nodes", "ping", "rpc", "Usage: beamline"] {
        assert!(help.contains(word), "{help}");
    }
}

#[test]
fn nodes_sees_what_a_plain_node_sees() {
    let epmd = Epmd::beamline();
    let names = [unique("a"), unique("b")];
    let start = |name: &str| Program::start("beamline", epmd.port(), &["node", "--name", name, "--cookie", "c"], &[]);
    let mut nodes = names.each_ref().map(|name| start(name));
    for (node, name) in nodes.iter_mut().zip(&names) {
        wait_until("the node answers", DEADLINE, || {
            node.assert_running();
            let (code, said) = beamline(epmd.port(), &["ping", name, "--cookie", "c"]);
            if code == 0 && said.contains("pong") { Ok(()) } else { Err(said) }
        });
    }
    let (code, said) = beamline(epmd.port(), &["rpc", &names[0], "Node.list()", "--cookie", "c"]);
    assert_eq!((code, said.trim()), (0, "[]"), "a tool is hidden");
    let (code, said) = beamline(epmd.port(), &["ping", &names[0], "--cookie", "wrong"]);
    assert_eq!(code, 77, "{said}");
    let (code, said) = beamline(epmd.port(), &["epmd", "-port", &epmd.port().to_string(), "-names"]);
    assert_eq!(code, 0, "{said}");
    for name in &names {
        let alive = name.split('@').next().unwrap_or_default();
        assert!(said.contains(&format!("name {alive} at port ")), "{said}");
    }
}

#[test]
fn the_readme_names_commands_that_exist() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).expect("a README");
    for command in ["cargo xtask demo", "cargo xtask test"] {
        assert!(readme.contains(command));
    }
}
