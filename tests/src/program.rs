//! One of our own programs as a child process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::{DEADLINE, HOST, Network, wait_until};

/// A running program; killed when dropped. What it says is kept for a failing test.
pub struct Program {
    child: Child,
    said: Arc<Mutex<String>>,
}

/// Where cargo puts the programs of the workspace.
pub fn path(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let folder = test.ancestors().nth(2).expect("deps has a parent");
    let program = folder.join(name);
    assert!(program.is_file(), "{} is not built; run `cargo build --workspace --all-features`", program.display());
    program
}

impl Program {
    /// Starts it with the epmd port, arguments and variables given.
    pub fn start(name: &str, epmd_port: u16, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Self::command(name, epmd_port, arguments);
        command.envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// One of the applications with the cookie `c`, which answers already.
    #[track_caller]
    pub fn app(epmd_port: u16, program: &str, name: &str) -> Self {
        let mut app = Self::start(program, epmd_port, &["--name", name, "--cookie", "c"], &[]);
        wait_until("the application answers", DEADLINE, || {
            app.assert_running();
            let output = Self::run("beamline", epmd_port, &["ping", name, "--cookie", "c"]);
            if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
        });
        app
    }

    /// Starts it on that host of a network of the test's own.
    pub fn start_on(
        (network, host): (&Network, usize),
        name: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = network.program(host, name);
        Self::clean(&mut command).args(arguments).envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// The same with a file in place of that host's `/etc/resolv.conf`.
    pub fn start_with_resolv_conf(
        (network, host): (&Network, usize),
        resolv_conf: &Path,
        name: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        // `ip netns exec` gives it file systems of its own to mount on.
        let mut command = network.command(host, Path::new("sh"));
        command.args(["-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\""]).arg(resolv_conf).arg(path(name));
        Self::clean(&mut command).args(arguments).envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// Starts a command that is one of them, wherever it runs.
    pub fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let said = Arc::new(Mutex::new(String::new()));
        let pipe = child.stderr.take().expect("a pipe");
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut said = heard.lock().unwrap_or_else(PoisonError::into_inner);
                said.push_str(&line);
                said.push('\n');
            }
        });
        Self { child, said }
    }

    /// Runs it to its end.
    pub fn run(name: &str, epmd_port: u16, arguments: &[&str]) -> Output {
        let mut command = Self::command(name, epmd_port, arguments);
        command.stdin(Stdio::null()).output().expect("the program starts")
    }

    fn command(name: &str, epmd_port: u16, arguments: &[&str]) -> Command {
        let mut command = Command::new(path(name));
        Self::clean(&mut command).args(arguments).env("ERL_EPMD_PORT", epmd_port.to_string());
        command
    }

    /// Without the variables that our programs read.
    fn clean(command: &mut Command) -> &mut Command {
        let ours = ["BEAMLINE_COOKIE", "BEAMLINE_CONFIG", "BEAMLINE_NODE", "LIBCLUSTER_STRATEGY"];
        let apps = ["START_SERVER", "PORT", "POSTFIX"];
        ours.iter().chain(&apps).fold(command, |command, variable| command.env_remove(variable))
    }

    /// Everything it wrote on stderr so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As `kill -9` does it.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it can be reaped");
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, signal: &str) {
        signal_to(&self.child, signal);
    }

    /// Panics with what it said if it has ended.
    #[track_caller]
    pub fn assert_running(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait() {
            panic!("the program has ended with {status}; it said:\n{}", self.said());
        }
    }

    /// Its resident memory in KiB.
    pub fn resident_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
        line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).expect("a size")
    }

    /// The answer to `GET path` on that port: the status line and the body.
    pub fn get(port: u16, path: &str) -> std::io::Result<(String, String)> {
        Self::get_from(HOST, port, path)
    }

    /// The same of another host.
    pub fn get_from(host: &str, port: u16, path: &str) -> std::io::Result<(String, String)> {
        let address = (host, port).to_socket_addrs()?.next().ok_or(std::io::ErrorKind::NotFound)?;
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        Ok((head.lines().next().unwrap_or_default().to_owned(), body.to_owned()))
    }
}

/// Sends a child process a signal.
pub(crate) fn signal_to(child: &Child, signal: &str) {
    let sent = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
    assert!(sent.expect("kill runs").success(), "it takes the signal");
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("-- a program said:\n{}", self.said());
        }
    }
}
