//! The programs as an operator meets them: exit codes, help, the demo.

use std::path::Path;

use whole_clusters::{Epmd, HOST, Program, free_port, unique, wait_until};

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
        wait_until("the node answers", whole_clusters::DEADLINE, || {
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
