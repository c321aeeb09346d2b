//! `cargo xtask demo` on a machine without Erlang: the six find each other, and nothing is left behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use whole_clusters::{DEADLINE, free_port, wait_until};

/// The demo with nothing but a shell on its PATH, its nodes around an epmd of their own.
fn demo(path: &Path, epmd_port: u16) -> Command {
    fs::create_dir_all(path).expect("a folder");
    // A link that is there already is as good.
    let _ = std::os::unix::fs::symlink("/bin/sh", path.join("sh"));
    let test = std::env::current_exe().expect("the path of this test");
    let program = test.ancestors().nth(2).expect("deps has a parent").join("xtask");
    let mut command = Command::new(program);
    command.args(["demo", "--no-build"]).env("PATH", path).env("ERL_EPMD_PORT", epmd_port.to_string());
    command
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The processes around that epmd.
fn left(epmd_port: u16) -> Vec<String> {
    let mark = format!("ERL_EPMD_PORT={epmd_port}");
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter(|process| {
            let environment = fs::read(process.path().join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
        })
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| !line.is_empty())
        .collect()
}

fn wait_until_none_is_left(epmd_port: u16) {
    wait_until("no process is left", DEADLINE, || {
        let left = left(epmd_port);
        if left.is_empty() { Ok(()) } else { Err(left.join("\n")) }
    });
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have been killed by the test.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Both parts in one test, since the demo's ports are fixed.
#[test]
fn six_nodes_without_erlang_and_nothing_left_behind() {
    let port = free_port();
    let output = demo(&folder("demo"), port).arg("--once").stdin(Stdio::null()).output().expect("the demo runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let page = said.lines().find(|line| line.starts_with("Hey from AppA")).expect("the page");
    let (greeting, list) = page.split_once(" Node.list: ").expect("the list");
    assert_eq!(greeting, "Hey from AppA :\"app_a1@127.0.0.1\"!");
    let mut names: Vec<&str> = list.trim_matches(['[', ']']).split(", ").collect();
    names.sort_unstable();
    let five = ["app_a2", "app_a3", "app_b1", "app_b2", "app_b3"].map(|name| format!(":\"{name}@127.0.0.1\""));
    assert_eq!(names, five);
    let (_, after) = said.split_once("lists the other five, ").expect("the time");
    let milliseconds: u32 = after.split(' ').next().and_then(|number| number.parse().ok()).expect("a number");
    assert!(milliseconds <= 500, "it took {milliseconds} ms");
    wait_until_none_is_left(port);

    // Even when it is killed itself.
    let mut running = Killed(demo(&folder("demo"), port).stdout(Stdio::piped()).spawn().expect("the demo runs"));
    let lines = BufReader::new(running.0.stdout.take().expect("a pipe")).lines();
    let whole = lines.map_while(Result::ok).any(|line| line.contains("Ctrl-C ends the demo"));
    assert!(whole, "it ended by itself");
    assert!(left(port).len() >= 7, "{:?}", left(port));
    running.0.kill().expect("it can be killed");
    wait_until_none_is_left(port);
}

#[test]
fn a_stranger_on_epmds_port_is_named() {
    let stranger = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = stranger.local_addr().expect("an address").port();
    let output = demo(&folder("stranger"), port).output().expect("the demo runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains(&format!("port {port} is taken by something that is not epmd")), "{said}");
}
