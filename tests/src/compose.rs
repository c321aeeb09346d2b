//! The compose file on a Docker engine, under a project name of the test's own; taken down when dropped.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::{Terminal, skip};

/// What runs is the images that `cargo xtask image` has built.
const IMAGES: [&str; 3] = ["app-a", "app-b", "notebook"];

/// A running project.
pub struct Compose {
    program: Vec<&'static str>,
    files: Vec<PathBuf>,
    project: String,
}

impl Compose {
    /// Starts it with these files, or writes down why it cannot be.
    pub fn up(test: &str, files: &[&Path]) -> Option<Self> {
        let program = match compose_program() {
            Ok(program) => program,
            Err(needs) => {
                skip(test, needs);
                return None;
            }
        };
        let files = files.iter().map(|file| file.to_path_buf()).collect();
        let compose = Self { program, files, project: format!("beamline{}", std::process::id()) };
        compose.compose(&["up", "--detach"]);
        Some(compose)
    }

    /// A command of compose, which must succeed.
    #[track_caller]
    pub fn compose(&self, arguments: &[&str]) -> String {
        let mut command = self.command();
        said(command.args(arguments))
    }

    /// The container of a service.
    #[track_caller]
    pub fn container(&self, service: &str) -> String {
        self.compose(&["ps", "-q", service]).trim().to_owned()
    }

    /// A program at a terminal of its own in the container of a service.
    pub fn terminal(&self, service: &str, program: &[&str]) -> Terminal {
        let mut exec = self.command();
        exec.args(["exec", service]).args(program);
        let arguments: Vec<String> = exec.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
        Terminal::start(self.program[0], &arguments, &[])
    }

    /// The network that the services share.
    pub fn network(&self) -> String {
        format!("{}_cluster-network", self.project)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program[0]);
        command.args(&self.program[1..]).args(["--project-name", &self.project]);
        for file in &self.files {
            command.arg("--file").arg(file);
        }
        command
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.command().args(["logs", "--no-color", "--tail", "12"]).output();
            eprintln!("{}", logs.map(|logs| text(&logs)).unwrap_or_default());
        }
        // What cannot be taken down has gone by itself.
        let _ = self.command().args(["down", "--timeout", "2", "--remove-orphans", "--volumes"]).output();
    }
}

/// How compose is called here; else what it needs: an engine, compose, and the images.
pub fn compose_program() -> Result<Vec<&'static str>, &'static str> {
    if !succeeds(Command::new("docker").arg("info")) {
        return Err("a Docker engine");
    }
    let plugin = succeeds(Command::new("docker").args(["compose", "version"]));
    if !plugin && !succeeds(Command::new("docker-compose").arg("version")) {
        return Err("docker compose");
    }
    if !IMAGES.iter().all(|image| succeeds(Command::new("docker").args(["image", "inspect", image]))) {
        return Err("the images of `cargo xtask image`");
    }
    Ok(if plugin { vec!["docker", "compose"] } else { vec!["docker-compose"] })
}

/// Runs docker, which must succeed, and gives what it said.
#[track_caller]
pub fn docker(arguments: &[&str]) -> String {
    said(Command::new("docker").args(arguments))
}

/// A command that finds these hosts at 127.0.0.1, as if they were in /etc/hosts, though nothing else on this machine does.
pub fn with_hosts(file: &Path, program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"", "sh"]);
    command.arg(file).arg(program);
    command
}

#[track_caller]
fn said(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    assert!(output.status.success(), "{command:?}: {}", text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
