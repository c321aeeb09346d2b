//! Nodes that are programs: what is run, and what runs.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use beamline_proto::NodeName;
use rustix::process::{Pid, Signal, kill_process};

use super::error::Error;

/// How much of what a program writes is kept.
const KEPT: usize = 256 << 10;

/// A longer line comes in parts.
const LINE: u64 = 64 << 10;

/// Variables that would give a program of a test what was meant for another.
const NOT_INHERITED: [&str; 11] = [
    "BEAMLINE_CONFIG",
    "BEAMLINE_COOKIE",
    "BEAMLINE_NODE",
    "ERL_EPMD_ADDRESS",
    "ERL_EPMD_PORT",
    "LIBCLUSTER_STRATEGY",
    "PORT",
    "POSTFIX",
    "RELEASE_COOKIE",
    "RELEASE_NODE",
    "START_SERVER",
];

/// A program that is a node, with its arguments and environment.
///
/// It is started as `PROGRAM ARGUMENTS --name NAME --cookie COOKIE`, which programs with [`flags`](crate::flags) understand, and
/// `iex` and `elixir` too. An argument or a value with `{name}`, `{cookie}` or `{number}` (1 for the first of its group) has
/// them in these places; `--name` or `--cookie` is left out then. The environment is the test's, without what programs of
/// ours read from it, and with `ERL_EPMD_PORT` and, unless [discovery](super::Builder::discovery) is off,
/// `LIBCLUSTER_STRATEGY=local_epmd`.
///
/// ```
/// use beamline::testing::Program;
///
/// let program = Program::new("app_a").args(["--erl", "-kernel net_ticktime 2"]).env("POSTFIX", "{number}");
/// ```
#[derive(Debug, Clone)]
pub struct Program {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Program {
    /// The program at this path, or the binary of this name that cargo has built for the workspace. One on the `PATH` is run by
    /// another: `Program::new("/usr/bin/env").arg("elixir")`.
    pub fn new(program: impl Into<PathBuf>) -> Program {
        Program { program: program.into(), arguments: Vec::new(), environment: Vec::new() }
    }

    /// One argument more.
    pub fn arg(mut self, argument: impl Into<String>) -> Program {
        self.arguments.push(argument.into());
        self
    }

    /// More arguments.
    pub fn args<A: Into<String>>(mut self, arguments: impl IntoIterator<Item = A>) -> Program {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// A variable of its environment.
    pub fn env(mut self, variable: impl Into<String>, value: impl Into<String>) -> Program {
        self.environment.push((variable.into(), value.into()));
        self
    }

    /// Its file name without extension, from which its nodes have theirs.
    pub(super) fn stem(&self) -> String {
        self.program.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Runs it.
    pub(super) fn run(&self, seat: &Seat) -> Result<Running, Error> {
        let program = find(&self.program)?;
        let mut command = Command::new(&program);
        for variable in NOT_INHERITED {
            command.env_remove(variable);
        }
        command.env("ERL_EPMD_PORT", seat.epmd_port.to_string());
        if seat.discovery {
            command.env("LIBCLUSTER_STRATEGY", "local_epmd");
        }
        command.args(self.arguments.iter().map(|argument| seat.fill(argument)));
        for (place, flag, value) in
            [("{name}", "--name", seat.name.as_str()), ("{cookie}", "--cookie", seat.cookie.as_str())]
        {
            let values = self.environment.iter().map(|(_, value)| value);
            if !self.arguments.iter().chain(values).any(|text| text.contains(place)) {
                command.args([flag, value]);
            }
        }
        command.envs(self.environment.iter().map(|(variable, value)| (variable, seat.fill(value))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|source| Error::Run { program, source })?;
        keep(child.stdout.take(), &seat.output);
        keep(child.stderr.take(), &seat.output);
        Ok(Running(child))
    }
}

/// What one node of a group is given.
pub(super) struct Seat {
    pub(super) name: NodeName,
    /// Counted from 1 within the group.
    pub(super) number: usize,
    pub(super) cookie: String,
    pub(super) epmd_port: u16,
    pub(super) discovery: bool,
    pub(super) output: Output,
}

impl Seat {
    fn fill(&self, text: &str) -> String {
        let text = text.replace("{name}", self.name.as_str()).replace("{cookie}", &self.cookie);
        text.replace("{number}", &self.number.to_string())
    }
}

/// The path, or the binary of that name: of the test's own package, or beside the test in cargo's folder.
fn find(program: &Path) -> Result<PathBuf, Error> {
    if program.components().count() > 1 {
        return if program.is_file() { Ok(program.to_owned()) } else { Err(Error::NoProgram(program.to_owned())) };
    }
    let mut variable = OsString::from("CARGO_BIN_EXE_");
    variable.push(program);
    let own = env::var_os(variable).map(PathBuf::from);
    let test = env::current_exe().unwrap_or_default();
    let file = format!("{}{}", program.display(), env::consts::EXE_SUFFIX);
    let beside = test.ancestors().skip(1).take(2).map(|folder| folder.join(&file));
    own.into_iter().chain(beside).find(|path| path.is_file()).ok_or_else(|| Error::NoProgram(program.to_owned()))
}

/// What a program has written, the last of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Output(Arc<Kept>);

#[derive(Debug, Default)]
struct Kept {
    text: Mutex<String>,
    /// Pipes that are still read.
    open: AtomicUsize,
}

impl Output {
    pub(super) fn text(&self) -> String {
        self.0.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether no more will come, since the program has ended and all of it is read.
    pub(super) fn is_whole(&self) -> bool {
        self.0.open.load(Ordering::Acquire) == 0
    }

    /// Waits until it is whole, but not for longer than this.
    pub(super) fn settle(&self, limit: Duration) {
        let end = Instant::now() + limit;
        while !self.is_whole() && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn push(&self, line: &[u8]) {
        let mut text = self.0.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&String::from_utf8_lossy(line));
        if text.len() > 2 * KEPT {
            let from = (text.len() - KEPT..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or_default();
            text.drain(..from);
        }
    }
}

/// Reads on a thread until the pipe ends, that is, until the program does.
fn keep(pipe: Option<impl Read + Send + 'static>, output: &Output) {
    let (Some(pipe), output) = (pipe, output.clone()) else { return };
    output.0.open.fetch_add(1, Ordering::AcqRel);
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.by_ref().take(LINE).read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            output.push(&line);
            line.clear();
        }
        output.0.open.fetch_sub(1, Ordering::AcqRel);
    });
}

/// A program that was started. It is killed when it is dropped.
#[derive(Debug)]
pub(super) struct Running(Child);

impl Running {
    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().ok().flatten()
    }

    /// It is not waited for yet, so the id is still its own.
    pub(super) fn signal(&mut self, signal: Signal) -> io::Result<()> {
        if self.ended().is_some() {
            return Err(io::ErrorKind::NotFound.into());
        }
        kill_process(Pid::from_child(&self.0), signal).map_err(io::Error::from)
    }

    /// SIGKILL, which a program that is paused gets too.
    pub(super) fn kill(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
