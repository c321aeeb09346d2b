//! `cargo xtask demo`: the article's six nodes as processes on this machine,
//! one cluster by gossip, until Ctrl-C. No Erlang is needed.
//!
//! Nothing stays behind, however this program ends: the children are in the
//! care of a guard, a shell that reads our pipe and kills them when it closes.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::run::{cargo, root, succeeds, until};

const USAGE: &str = "\
Start three app_a and three app_b on 127.0.0.1, one cluster formed by gossip; Ctrl-C ends it.
app_a1 serves http://localhost:4001/ and app_b1 http://localhost:5001/.

Usage: cargo xtask demo [--cookie COOKIE] [--once] [--no-build]

  --cookie COOKIE   The cluster's cookie [default: secret]
  --once            End as soon as the cluster is whole and its page was printed
  --no-build        Start the programs as they were built last";

const HOST: &str = "127.0.0.1";
const EPMD_PORT: u16 = 4369;
const PATIENCE: Duration = Duration::from_secs(20);

/// Ends its charges when our end of the pipe closes, whatever the cause.
const GUARD: &str = "trap '' INT TERM HUP
pids=
while read -r pid; do [ \"$pid\" = done ] && exit 0; pids=\"$pids $pid\"; done
kill -9 $pids 2>/dev/null";

pub(crate) fn main(arguments: &[&str]) -> ExitCode {
    let mut cookie = "secret";
    let mut once = false;
    let mut build = true;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match (*argument, rest.as_slice().first()) {
            ("--once", _) => once = true,
            ("--no-build", _) => build = false,
            ("--cookie", Some(value)) => {
                cookie = value;
                rest.next();
            }
            ("--help" | "-h", _) => {
                println!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    if build && let Err(problem) = build_programs() {
        eprintln!("demo: {problem}");
        return ExitCode::FAILURE;
    }
    match demo(cookie, once) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("demo: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn build_programs() -> Result<(), String> {
    println!("Building app_a, app_b and beamline ...");
    let mut build = cargo();
    build.args(["build", "--quiet", "-p", "app_a", "-p", "app_b", "-p", "beamline"]);
    if succeeds(build.args(["--features", "beamline/cli"])) { Ok(()) } else { Err("the build failed".to_owned()) }
}

fn demo(cookie: &str, once: bool) -> Result<(), String> {
    let epmd = epmd_port()?;
    for port in [4001, 5001] {
        free(port)?;
    }
    let interrupted = interrupts()?;
    let mut crew = Crew::new()?;
    match epmd {
        Epmd::Runs(taken) => check_names(&taken)?,
        Epmd::Absent(port) => {
            let mut command = program("beamline");
            crew.start("epmd", command.args(["epmd", "-port", &port.to_string()]))?;
            until(PATIENCE, Duration::from_millis(20), || TcpStream::connect((HOST, port)).ok())
                .ok_or_else(|| format!("our epmd does not answer on port {port}"))?;
            println!("Started beamline epmd on port {port}");
        }
    }
    let nodes = nodes();
    for node in &nodes {
        crew.start(&node.name, &mut node.command(cookie))?;
        println!("Started {:<16} http://localhost:{}/", node.name, node.port);
    }
    let begin = Instant::now();
    let page = wait_until_whole(&nodes, &mut crew, &interrupted)?;
    println!("\nEvery node lists the other five, {} ms after the last was started.\n", begin.elapsed().as_millis());
    println!("$ curl http://localhost:4001/\n{page}\n");
    println!("Look in with a real iex, if you have one; the nodes count it among their own:\n");
    println!("  iex --name me@{HOST} --cookie {cookie}");
    println!("  iex> Node.connect(:\"app_a1@{HOST}\")");
    println!("  iex> :rpc.call(:\"app_b1@{HOST}\", AppB, :hello, [])\n");
    if !once {
        println!("Ctrl-C ends the demo.");
        loop {
            if interrupted.recv_timeout(Duration::from_millis(500)).is_ok() {
                break;
            }
            crew.all_alive()?;
        }
    }
    println!("Ending {} processes.", crew.children.len());
    Ok(())
}

/// One of the six.
struct Node {
    app: &'static str,
    postfix: u8,
    name: String,
    port: u16,
}

fn nodes() -> Vec<Node> {
    let mut nodes = Vec::new();
    for (app, first_port) in [("app_a", 4001), ("app_b", 5001)] {
        let mut next = first_port;
        for postfix in 1..=3 {
            let name = format!("{app}{postfix}@{HOST}");
            // The pages of the others are there to see when each is complete.
            let port = if postfix == 1 { first_port } else { free_port_from(next) };
            next = port + 1;
            nodes.push(Node { app, postfix, name, port });
        }
    }
    nodes
}

impl Node {
    fn command(&self, cookie: &str) -> Command {
        let mut command = program(self.app);
        command
            .args(["--name", &self.name, "--cookie", cookie])
            .env("LIBCLUSTER_STRATEGY", "gossip")
            .env("START_SERVER", "true")
            .env("PORT", self.port.to_string())
            .env("POSTFIX", self.postfix.to_string());
        command
    }
}

fn program(name: &str) -> Command {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    Command::new(target.join("debug").join(name))
}

/// Asks all six pages until each shows the other five names.
fn wait_until_whole(nodes: &[Node], crew: &mut Crew, interrupted: &Receiver<()>) -> Result<String, String> {
    let end = Instant::now() + PATIENCE;
    loop {
        let pages: Vec<String> = nodes.iter().map(|node| page(node.port).unwrap_or_default()).collect();
        let lacking: Vec<String> =
            nodes.iter().zip(&pages).filter_map(|(node, page)| lacks(node, nodes, page)).collect();
        if lacking.is_empty() {
            return Ok(pages.into_iter().next().unwrap_or_default());
        }
        if interrupted.try_recv().is_ok() {
            return Err("interrupted".to_owned());
        }
        crew.all_alive()?;
        if Instant::now() > end {
            return Err(format!(
                "not one cluster after {} s:\n  {}\nGossip needs multicast on port 45892; is a firewall in the way?",
                PATIENCE.as_secs(),
                lacking.join("\n  ")
            ));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a node does not list yet.
fn lacks(node: &Node, nodes: &[Node], page: &str) -> Option<String> {
    let listed = page.split_once("Node.list: ").map_or("", |(_, list)| list);
    let missing: Vec<&str> = nodes
        .iter()
        .map(|other| other.name.as_str())
        .filter(|name| *name != node.name && !listed.contains(&format!("\"{name}\"")))
        .collect();
    (!missing.is_empty()).then(|| format!("{} lacks {}", node.name, missing.join(", ")))
}

/// The body of `GET /`.
fn page(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect((HOST, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

fn free(port: u16) -> Result<(), String> {
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).map(drop).map_err(|error| {
        format!("port {port} is taken ({error}); end what listens there (`ss -ltnp 'sport = :{port}'` names it)")
    })
}

/// The first free port from this one on. It is below those that the system hands out, which nodes may listen on meanwhile.
fn free_port_from(first: u16) -> u16 {
    (first..first.saturating_add(200)).find(|port| free(*port).is_ok()).unwrap_or(first)
}

/// What is on the port of epmd.
enum Epmd {
    /// Nothing.
    Absent(u16),
    /// An epmd, and the names it knows.
    Runs(BTreeSet<String>),
}

fn epmd_port() -> Result<Epmd, String> {
    let port = std::env::var("ERL_EPMD_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(EPMD_PORT);
    let Ok(mut stream) = TcpStream::connect((HOST, port)) else {
        return Ok(Epmd::Absent(port));
    };
    let stranger = || {
        format!(
            "port {port} is taken by something that is not epmd; end it, or choose another port for \
             epmd: ERL_EPMD_PORT=4370 cargo xtask demo"
        )
    };
    let mut answer = Vec::new();
    // NAMES_REQ: a length and the code 110. The answer is epmd's port, then lines of text.
    stream.set_read_timeout(Some(Duration::from_secs(2))).map_err(|_| stranger())?;
    stream.write_all(&[0, 1, 110]).map_err(|_| stranger())?;
    // What came before an error is judged; a stranger may just never close.
    let _ = stream.read_to_end(&mut answer);
    match answer.split_first_chunk::<4>() {
        Some((head, names)) if u32::from_be_bytes(*head) == u32::from(port) => Ok(Epmd::Runs(
            String::from_utf8_lossy(names)
                .lines()
                .filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned))
                .collect(),
        )),
        _ => Err(stranger()),
    }
}

fn check_names(taken: &BTreeSet<String>) -> Result<(), String> {
    let names = nodes();
    let ours = names.iter().filter_map(|node| node.name.split('@').next());
    let clash: Vec<&str> = ours.filter(|name| taken.contains(*name)).collect();
    if clash.is_empty() {
        return Ok(());
    }
    Err(format!(
        "epmd already knows {}; end those nodes (is another demo running?) or use another epmd: \
         ERL_EPMD_PORT=4370 cargo xtask demo",
        clash.join(", ")
    ))
}

fn interrupts() -> Result<Receiver<()>, String> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])
        .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for _ in signals.forever() {
            // Nobody listens any more: the demo is ending already.
            let _ = sender.send(());
        }
    });
    Ok(receiver)
}

/// The children and their guard.
struct Crew {
    guard: Child,
    children: Vec<(String, Child)>,
}

impl Crew {
    fn new() -> Result<Self, String> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("sh");
        // A group of its own, so that no Ctrl-C ends the guard before us.
        command.args(["-c", GUARD]).stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
        let guard = command.spawn().map_err(|error| format!("cannot run sh: {error}"))?;
        Ok(Self { guard, children: Vec::new() })
    }

    fn start(&mut self, name: &str, command: &mut Command) -> Result<(), String> {
        use std::os::unix::process::CommandExt;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0).spawn();
        let child = child.map_err(|error| format!("cannot start {name}: {error}"))?;
        let id = child.id();
        self.children.push((name.to_owned(), child));
        let pipe = self.guard.stdin.as_mut().ok_or("the guard has no pipe")?;
        writeln!(pipe, "{id}").map_err(|error| format!("the guard has ended: {error}"))
    }

    fn all_alive(&mut self) -> Result<(), String> {
        for (name, child) in &mut self.children {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("{name} has ended by itself ({status}); what it said is above"));
            }
        }
        Ok(())
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for (_, child) in self.children.iter_mut().rev() {
            // One that has ended by itself is only reaped.
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Some(mut pipe) = self.guard.stdin.take() {
            let _ = writeln!(pipe, "done");
        }
        let _ = self.guard.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_which_names_a_page_lacks() {
        let nodes = nodes();
        let all: Vec<String> = nodes[1..].iter().map(|node| format!(":\"{}\"", node.name)).collect();
        let page = format!("Hey from AppA :\"app_a1@{HOST}\"! Node.list: [{}]", all.join(", "));
        assert_eq!(lacks(&nodes[0], &nodes, &page), None);
        assert!(lacks(&nodes[1], &nodes, &page).is_some_and(|text| text.ends_with("lacks app_a1@127.0.0.1")));
    }

    #[test]
    fn the_guard_ends_what_it_was_told_of() {
        let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
        let mut crew = Crew::new().unwrap();
        writeln!(crew.guard.stdin.as_mut().unwrap(), "{}", sleeper.id()).unwrap();
        // As if we had been killed: the pipe closes without a word.
        drop(crew.guard.stdin.take());
        let status = until(Duration::from_secs(10), Duration::from_millis(10), || sleeper.try_wait().unwrap());
        assert!(status.is_some_and(|status| !status.success()));
    }

    #[test]
    fn a_taken_port_is_named() {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(free(port).unwrap_err().contains(&format!("port {port} is taken")));
    }
}
