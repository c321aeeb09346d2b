//! Starting rivals as servers and clients, on the cores and in the network that a row wants, and talking with them.
//! Whatever happens to the driver, they end when their stdin closes.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::Error;
use crate::machine::{self, Watch};

/// An answer that takes longer is taken never to come.
const PATIENCE: Duration = Duration::from_secs(90);

/// How what a rival says begins.
const ANSWERS: [&str; 7] = ["ready", "calls", "oneway", "connect", "full", "synced", "failed"];

/// A rival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Beamline,
    Otp,
    Std,
    Tokio,
    Tonic,
    Ractor,
    ErlRpc,
    ErlDist,
}

/// Which network a pair talks over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// The machine's loopback.
    Usual,
    /// A loopback of our own that acknowledges at once, so that who forgot TCP_NODELAY does not stall.
    QuickAck,
}

/// Where things are, and what there is on this machine.
pub struct Lab {
    folder: PathBuf,
    beam: Option<PathBuf>,
    epmd_port: u16,
    quick_ack: Option<Namespace>,
    epmds: Vec<Peer>,
    counter: Cell<u32>,
    /// OTP's release.
    pub otp: Option<String>,
    /// What cannot be measured here, and why.
    pub skipped: Vec<String>,
}

impl Lab {
    /// Looks around, compiles the Erlang part, starts an epmd of our own.
    pub fn open() -> Result<Lab, Error> {
        let own = std::env::current_exe()?;
        let folder = own.parent().ok_or("a program is in a folder")?.to_owned();
        let mut lab = Lab {
            beam: None,
            epmd_port: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port(),
            quick_ack: None,
            epmds: Vec::new(),
            counter: Cell::new(0),
            otp: machine::otp(),
            skipped: Vec::new(),
            folder,
        };
        if lab.otp.is_some() {
            lab.beam = lab.compile();
        }
        if lab.beam.is_none() {
            lab.skipped.push("OTP, erl_rpc, erl_dist and mixed pairs: need `erl` and `erlc`".to_owned());
        }
        if !lab.folder.join("rival_ractor").is_file() {
            lab.skipped.push(
                "ractor_cluster: was not built (feature `ractor`; its TLS library needs a C compiler)".to_owned(),
            );
        }
        match Namespace::open() {
            Ok(namespace) => lab.quick_ack = Some(namespace),
            Err(why) => lab.skipped.push(format!("erl_rpc and erl_dist without their stall: {why}")),
        }
        for network in [Network::Usual, Network::QuickAck] {
            if lab.beam.is_some() && lab.offers(network) {
                let mut command = lab.command("epmd", None, network);
                command.args(["-port", &lab.epmd_port.to_string()]);
                lab.epmds.push(Peer::start(command)?);
            }
        }
        Ok(lab)
    }

    fn compile(&self) -> Option<PathBuf> {
        let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/bench.erl");
        let compiled = Command::new("erlc").arg("-o").arg(&self.folder).arg(source).status();
        compiled.is_ok_and(|status| status.success()).then(|| self.folder.clone())
    }

    /// Watches these processes. epmd serves them, and is none of the others.
    pub fn watch(&self, processes: impl IntoIterator<Item = u32>) -> Watch {
        Watch::start(processes.into_iter().chain(self.epmds.iter().map(Peer::id)).collect())
    }

    fn offers(&self, network: Network) -> bool {
        network == Network::Usual || self.quick_ack.is_some()
    }

    /// Whether this rival can run here.
    pub fn has(&self, program: Program, network: Network) -> bool {
        self.offers(network)
            && match program {
                Program::Otp => self.beam.is_some(),
                Program::ErlRpc | Program::ErlDist => self.beam.is_some() && self.binary(program).is_file(),
                _ => self.binary(program).is_file(),
            }
    }

    fn binary(&self, program: Program) -> PathBuf {
        self.folder.join(match program {
            Program::Beamline | Program::Otp => "rival_beamline",
            Program::Std => "rival_std",
            Program::Tokio => "rival_tokio",
            Program::Tonic => "rival_tonic",
            Program::Ractor => "rival_ractor",
            Program::ErlRpc => "rival_erl_rpc",
            Program::ErlDist => "rival_erl_dist",
        })
    }

    /// A program in that network, on those cores.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>, cores: Option<&str>, network: Network) -> Command {
        let mut words: Vec<&str> = Vec::new();
        if let (Network::QuickAck, Some(namespace)) = (network, &self.quick_ack) {
            words.extend(["ip", "netns", "exec", &namespace.0]);
        }
        if let Some(cores) = cores {
            words.extend(["taskset", "-c", cores]);
        }
        let mut command = match words.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.env("ERL_EPMD_PORT", self.epmd_port.to_string());
        command
    }

    /// Starts a rival with these arguments, `serve` for instance, and waits until it is ready.
    pub fn start(
        &self,
        program: Program,
        arguments: &[&str],
        cores: Option<&str>,
        network: Network,
    ) -> Result<Peer, Error> {
        let mut peer = self.launch(program, arguments, cores, network)?;
        let line = peer.line()?;
        let address = line.strip_prefix("ready").ok_or_else(|| format!("{program:?} {arguments:?} said: {line}"))?;
        peer.address = address.trim().to_owned();
        Ok(peer)
    }

    /// As [`start`](Lab::start), without waiting.
    pub fn launch(
        &self,
        program: Program,
        arguments: &[&str],
        cores: Option<&str>,
        network: Network,
    ) -> Result<Peer, Error> {
        let mut command = match (program, &self.beam) {
            (Program::Otp, Some(beam)) => {
                let number = self.counter.replace(self.counter.get() + 1);
                let mut command = self.command("erl", cores, network);
                command.args(["-noshell", "-start_epmd", "false", "-setcookie", "bench", "-name"]);
                command.arg(format!("otp_{number}_{}@127.0.0.1", std::process::id()));
                command.arg("-pa").arg(beam).args(["-run", "bench", "main"]).stderr(Stdio::null());
                command
            }
            _ => self.command(self.binary(program), cores, network),
        };
        command.args(arguments);
        Peer::start(command)
    }
}

/// A network namespace with nothing but a loopback; needs root.
struct Namespace(String);

impl Namespace {
    fn open() -> Result<Namespace, String> {
        let name = format!("beamline-bench-{}", std::process::id());
        let ip = |arguments: &[&str]| {
            let output = Command::new("ip").args(arguments).output().map_err(|error| format!("`ip`: {error}"))?;
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            if output.status.success() { Ok(()) } else { Err(format!("`ip {}` says: {said}", arguments.join(" "))) }
        };
        ip(&["netns", "add", &name])?;
        let namespace = Namespace(name);
        ip(&["-n", &namespace.0, "link", "set", "lo", "up"])?;
        let route =
            ["dev", "lo", "proto", "kernel", "scope", "host", "src", "127.0.0.1", "table", "local", "quickack", "1"];
        for to in ["127.0.0.1", "127.0.0.0/8"] {
            let change = ["-n", &namespace.0, "route", "change", "local", to];
            ip(&[change.as_slice(), route.as_slice()].concat())?;
        }
        Ok(namespace)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// A running rival.
pub struct Peer {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What it said after `ready`.
    pub address: String,
}

impl Peer {
    fn start(mut command: Command) -> Result<Peer, Error> {
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| format!("cannot run {command:?}: {error}"))?;
        let (sender, lines) = channel();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().ok_or("it has no stdout")?);
        std::thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            // OTP's logger writes to stdout too.
            for line in lines.filter(|line| ANSWERS.iter().any(|answer| line.starts_with(answer))) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Peer { child, stdin, lines, address: String::new() })
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it says next.
    pub fn line(&mut self) -> Result<String, Error> {
        Ok(self.lines.recv_timeout(PATIENCE).map_err(|error| format!("no answer of process {}: {error}", self.id()))?)
    }

    /// Tells it a line.
    pub fn tell(&mut self, line: &str) -> Result<(), Error> {
        let stdin = self.stdin.as_mut().ok_or("its stdin is closed")?;
        writeln!(stdin, "{line}")?;
        Ok(stdin.flush()?)
    }
}

impl Peer {
    /// Ends it at once, without waiting until it has.
    pub fn kill(&mut self) {
        _ = self.child.kill();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let end = Instant::now() + Duration::from_secs(1);
        while Instant::now() < end {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
