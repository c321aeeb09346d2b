//! Which Erlang a test runs with, and the rule for a test that cannot run.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// An Erlang and Elixir installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otp {
    /// The one on the PATH; OTP 25 on Debian 12.
    Host,
    /// OTP 27, in a tree of Debian 13.
    Trixie,
    /// OTP 29, in a tree of Debian unstable.
    Sid,
}

impl Otp {
    /// Runs a test with this installation, or writes down why it is skipped.
    pub fn run(self, name: &str, test: impl FnOnce(Self)) {
        if self
            .command("erl")
            .args(["-noshell", "-eval", "halt()."])
            .stdin(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
        {
            return test(self);
        }
        skip(name, self.tool());
    }

    /// A program of this installation.
    pub fn command(self, program: &str) -> Command {
        let mut command = match self.tree() {
            None => Command::new(program),
            Some(tree) => {
                // Not on every user's PATH, and of use to root only anyway.
                let mut command = Command::new("/usr/sbin/chroot");
                command.arg(tree).arg(program);
                command
            }
        };
        // A tree has only root's home; the cookie is always given.
        command.env("HOME", "/").env("LC_ALL", "C.UTF-8");
        command
    }

    /// Its root, if it is not that of this machine.
    pub fn tree(self) -> Option<&'static Path> {
        match self {
            Self::Host => None,
            Self::Trixie => Some(Path::new("/var/cache/beamline/trixie")),
            Self::Sid => Some(Path::new("/var/cache/beamline/sid")),
        }
    }

    fn tool(self) -> &'static str {
        match self {
            Self::Host => "erl",
            Self::Trixie => "otp27 (the tree of `cargo xtask tools`, entered by chroot as root)",
            Self::Sid => "otp29 (the tree of `cargo xtask tools`, entered by chroot as root)",
        }
    }
}

/// Writes down that a test could not run: on stderr, and in the file that
/// `BEAMLINE_SKIP_LOG` names, from which `cargo xtask test` makes its list.
pub fn skip(test: &str, needs: &str) {
    let line = format!("skipped: {test}: needs {needs}\n");
    eprint!("{line}");
    let Some(path) = std::env::var_os("BEAMLINE_SKIP_LOG") else {
        return;
    };
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the skip log can be written");
}
