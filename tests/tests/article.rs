//! `docs/article.md` as its reader types it: the commands are run, and what they print is held against the page.
//!
//! A block that begins with `console` has commands behind `$ `, each followed by what it prints. `console terminal` stays open
//! until the next section; `console hosts` has app-a1.docker in its /etc/hosts; `console cluster` needs Kubernetes and is not
//! run, as cargo's own commands are not.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use whole_clusters::{DEADLINE, compose_program, free_port, path, skip, wait_until};

struct Block {
    section: String,
    kind: String,
    commands: Vec<Typed>,
}

/// A command, and what it prints; or for `iex`, what is typed there and what comes back.
struct Typed {
    command: String,
    prints: String,
}

fn blocks() -> Vec<Block> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/article.md");
    let page = fs::read_to_string(page).expect("the page");
    let (mut blocks, mut section, mut open) = (Vec::new(), String::new(), false);
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.to_owned();
        } else if let Some(kind) = line.strip_prefix("```console") {
            open = true;
            blocks.push(Block { section: section.clone(), kind: kind.trim().to_owned(), commands: Vec::new() });
        } else if line.starts_with("```") {
            open = false;
        } else if open {
            let commands = &mut blocks.last_mut().expect("a block").commands;
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push(Typed { command: command.to_owned(), prints: String::new() }),
                (None, Some(typed)) => typed.prints.push_str(&format!("{line}\n")),
                (None, None) => panic!("a block without a command: {line}"),
            }
        }
    }
    blocks
}

/// A reader with a shell: a folder with `deploy` in it, our programs on the path, an epmd of their own.
struct Reader {
    folder: PathBuf,
    epmd_port: u16,
    compose: String,
    terminals: Vec<Child>,
}

impl Reader {
    fn new(name: &str, compose: String) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
        // It may be there from the last run.
        let _ = std::os::unix::fs::symlink(deploy, folder.join("deploy"));
        fs::write(folder.join("hosts"), "127.0.0.1 localhost app-a1.docker\n").expect("a file");
        Self { folder, epmd_port: free_port(), compose, terminals: Vec::new() }
    }

    /// A shell that runs this line.
    fn shell(&self, kind: &str, line: &str) -> Command {
        let line = line.replace("docker compose", &self.compose);
        let mut shell = match kind {
            "hosts" => whole_clusters::with_hosts(&self.folder.join("hosts"), Path::new("sh")),
            _ => Command::new("sh"),
        };
        let programs = path("beamline").parent().expect("a folder").display().to_string();
        let rest = std::env::var("PATH").unwrap_or_default();
        shell.args(["-c", &line]).current_dir(&self.folder).env("PATH", format!("{programs}:{rest}"));
        shell.env("ERL_EPMD_PORT", self.epmd_port.to_string()).env("TERM", "dumb").env("LC_ALL", "C.UTF-8");
        for variable in ["BEAMLINE_COOKIE", "BEAMLINE_CONFIG", "BEAMLINE_NODE", "LIBCLUSTER_STRATEGY", "PORT"] {
            shell.env_remove(variable);
        }
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        shell
    }

    fn types(&mut self, block: &Block) {
        for typed in &block.commands {
            if block.kind == "cluster" || typed.command.starts_with("cargo ") || typed.command.starts_with("export ") {
                continue;
            }
            if block.kind == "terminal" {
                // In place of the shell, so that it ends with it.
                let mut shell = self.shell("", &format!("exec env {}", typed.command));
                let child = shell.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell");
                self.terminals.push(child);
            } else if typed.command.starts_with("iex ") {
                self.iex(&block.kind, typed);
            } else if typed.prints.is_empty() {
                let output = self.shell(&block.kind, &typed.command).output().expect("a shell");
                let said = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
                assert!(output.status.success() && output.stdout.is_empty(), "$ {}\n{said}", typed.command);
            } else {
                // Nodes take a moment to start and to meet.
                wait_until(&format!("$ {}", typed.command), DEADLINE, || {
                    let output = self.shell(&block.kind, &typed.command).output().expect("a shell");
                    let printed = String::from_utf8_lossy(&output.stdout);
                    // `curl` prints pages that end without a line's end.
                    if printed.trim_end() == typed.prints.trim_end() {
                        return Ok(());
                    }
                    Err(format!("{printed}{}", String::from_utf8_lossy(&output.stderr)))
                });
            }
        }
    }

    fn iex(&self, kind: &str, typed: &Typed) {
        let there = Command::new("iex").arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            return skip("the iex of docs/article.md", "iex");
        }
        let (mut input, mut expected) = (String::new(), Vec::new());
        for line in typed.prints.lines() {
            match line.strip_prefix("iex(").and_then(|rest| rest.split_once("> ")) {
                Some((_, typed)) => input.push_str(&format!("{typed}\n")),
                None => expected.push(line),
            }
        }
        input.push_str("System.halt()\n");
        let mut shell = self.shell(kind, &typed.command);
        let mut iex = shell.stdin(Stdio::piped()).spawn().expect("a shell");
        iex.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("iex reads");
        let output = iex.wait_with_output().expect("iex ends");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let answers = said.lines().filter_map(|line| line.strip_prefix("iex(")?.split_once("> "));
        let answers: Vec<&str> = answers.map(|(_, answer)| answer).filter(|answer| !answer.is_empty()).collect();
        assert_eq!(answers, expected, "{said}{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Ctrl-C in all of them.
    fn close_terminals(&mut self) {
        for mut terminal in self.terminals.drain(..) {
            // It may have ended, which is as good.
            let _ = terminal.kill();
            let _ = terminal.wait();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close_terminals();
    }
}

fn walk(reader: &mut Reader, is_ours: impl Fn(&str) -> bool) {
    let blocks: Vec<Block> = blocks().into_iter().filter(|block| is_ours(&block.section)).collect();
    assert!(!blocks.is_empty());
    let mut section = String::new();
    for block in &blocks {
        if block.section != section {
            reader.close_terminals();
            section = block.section.clone();
        }
        reader.types(block);
    }
    reader.close_terminals();
}

#[test]
fn the_local_sections() {
    walk(&mut Reader::new("article", String::new()), |section| section != "Docker-compose");
}

#[test]
fn long_the_section_on_compose() {
    let test = "long_the_section_on_compose";
    let compose = match compose_program() {
        Ok(program) => program.join(" "),
        Err(needs) => return skip(test, needs),
    };
    let mut reader = Reader::new("article-compose", compose);
    // What a killed run has left, and what a failed one leaves.
    let down =
        |reader: &Reader| reader.shell("", "docker compose -f deploy/compose.yaml down --timeout 2 --volumes").output();
    let _ = down(&reader);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        walk(&mut reader, |section| section == "Docker-compose");
    }));
    let _ = down(&reader);
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}
