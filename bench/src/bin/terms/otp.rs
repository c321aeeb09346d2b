//! OTP's own codec, in a node that waits for work: its module is compiled, so that the JIT is measured and no interpreter.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const MODULE: &str = include_str!("beamline_terms.erl");

pub struct Otp {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Otp {
    /// Starts it, or tells why there is none.
    pub fn start() -> Result<Otp, String> {
        let folder = std::env::temp_dir().join(format!("beamline-bench-{}", std::process::id()));
        let failed = |what: &'static str| move |error: std::io::Error| format!("{what}: {error}");
        std::fs::create_dir_all(&folder).map_err(failed("a folder"))?;
        std::fs::write(folder.join("beamline_terms.erl"), MODULE).map_err(failed("the module"))?;
        let compiled = Command::new("erlc").arg("beamline_terms.erl").current_dir(&folder).status();
        if !compiled.map_err(failed("erlc"))?.success() {
            return Err("erlc does not compile the module".to_owned());
        }
        // One scheduler that does not spin: while others are measured it is to be still.
        let mut child = Command::new("erl")
            .args(["-noshell", "+S", "1", "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"])
            .args(["-s", "beamline_terms", "main"])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed("erl"))?;
        let requests = child.stdin.take().ok_or("erl has no input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("erl has no output")?);
        Ok(Otp { child, requests, answers, folder })
    }

    /// A file that holds these bytes.
    pub fn file(&self, name: usize, bytes: &[u8]) -> PathBuf {
        let path = self.folder.join(format!("{name}.etf"));
        std::fs::write(&path, bytes).expect("the folder is ours");
        path
    }

    /// The nanoseconds that one run takes: `encode`, `iovec` or `decode`.
    pub fn measure(&mut self, what: &str, file: &Path) -> f64 {
        writeln!(self.requests, "{what} {}", file.display()).expect("erl reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("erl answers");
        line.trim().parse().expect("a number")
    }
}

impl Drop for Otp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
