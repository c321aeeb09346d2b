//! Running other programs: with their output shown as it comes, kept for
//! reading, and with a limit on silence, so that nothing hangs for ever.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// A program that prints nothing for this long is taken to hang.
const SILENCE: Duration = Duration::from_secs(900);

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Whether a program of that name is on the PATH.
pub(crate) fn on_path(program: &str) -> bool {
    let sbin = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::var_os("PATH")
        .map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .chain(sbin)
        .any(|folder| folder.join(program).is_file())
}

/// Runs to the end with stdin closed and output passed through.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    match command.stdin(Stdio::null()).status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("xtask: cannot run {command:?}: {error}");
            false
        }
    }
}

/// Runs to the end and gives what it printed on stdout, if it succeeded.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a program left behind.
pub(crate) struct Outcome {
    /// Whether it ended by itself and well.
    pub(crate) success: bool,
    /// Every line of its stdout and stderr, in the order of arrival.
    pub(crate) lines: Vec<String>,
}

/// Runs to the end, showing every line as it comes and keeping it.
pub(crate) fn watched(command: &mut Command) -> Outcome {
    let mut outcome = Outcome { success: false, lines: Vec::new() };
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            eprintln!("xtask: cannot run {command:?}: {error}");
            return outcome;
        }
    };
    let (sender, receiver) = mpsc::channel();
    let pipes: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ];
    for pipe in pipes.into_iter().flatten() {
        let sender = sender.clone();
        std::thread::spawn(move || read_lines(pipe, &sender));
    }
    drop(sender);
    loop {
        match receiver.recv_timeout(SILENCE) {
            Ok(line) => {
                let mut out = std::io::stdout().lock();
                // A closed terminal is no reason to stop testing.
                let _ = writeln!(out, "{line}").and_then(|()| out.flush());
                outcome.lines.push(line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                println!("xtask: nothing printed for {} s, stopped: {command:?}", SILENCE.as_secs());
                let _ = child.kill();
                let _ = child.wait();
                return outcome;
            }
        }
    }
    outcome.success = child.wait().is_ok_and(|status| status.success());
    outcome
}

fn read_lines(pipe: Box<dyn Read + Send>, sender: &mpsc::Sender<String>) {
    let mut reader = BufReader::new(pipe);
    let mut bytes = Vec::new();
    while matches!(reader.read_until(b'\n', &mut bytes), Ok(count) if count > 0) {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        if sender.send(line).is_err() {
            return;
        }
        bytes.clear();
    }
}

/// Tries until it succeeds or the time is over.
pub(crate) fn until<T>(limit: Duration, pause: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = attempt() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(pause);
    }
}
