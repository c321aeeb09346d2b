//! A real Elixir node that evaluates what a test sends it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::program::signal_to;
use crate::{DEADLINE, Otp, wait_until};

/// What `driver.exs` puts before each of its answers.
const MARK: char = '\u{1}';

/// A running node; killed when dropped.
pub struct Beam {
    name: String,
    child: Child,
    input: ChildStdin,
    answers: Receiver<String>,
    said: Arc<Mutex<String>>,
}

impl Beam {
    /// Starts a node that uses the epmd on that port.
    pub fn start(otp: Otp, name: &str, epmd_port: u16, cookie: &str) -> Self {
        Self::start_with(otp, name, epmd_port, cookie, "-start_epmd false")
    }

    /// The same with flags for `erl` of the test's own.
    pub fn start_with(otp: Otp, name: &str, epmd_port: u16, cookie: &str, erl: &str) -> Self {
        let mut command = otp.command("elixir");
        command.env("ERL_EPMD_PORT", epmd_port.to_string());
        Self::start_by(command, name, cookie, erl)
    }

    /// The same by a command that is an `elixir`, wherever it runs.
    pub fn start_by(mut command: Command, name: &str, cookie: &str, erl: &str) -> Self {
        command.args(["--name", name, "--cookie", cookie, "--erl", erl]);
        command.args(["-e", include_str!("driver.exs")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("elixir starts");
        let (sender, answers) = mpsc::channel();
        let said = Arc::new(Mutex::new(String::new()));
        let input = child.stdin.take().expect("a pipe");
        listen(child.stdout.take().expect("a pipe"), sender.clone(), Arc::clone(&said));
        listen(child.stderr.take().expect("a pipe"), sender, Arc::clone(&said));
        let beam = Self { name: name.to_owned(), child, input, answers, said };
        assert_eq!(beam.answer(), "ready");
        beam
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name as Elixir writes the atom.
    pub fn atom(&self) -> String {
        format!(":{:?}", self.name)
    }

    /// Evaluates an expression: its value as `inspect` shows it, or `{kind, reason}` of what it raised.
    pub fn try_eval(&mut self, expression: &str) -> Result<String, String> {
        let line = expression.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        writeln!(self.input, "{line}").expect("the node still reads");
        let answer = self.answer();
        match answer.split_once(' ') {
            Some(("ok", value)) => Ok(value.to_owned()),
            Some(("raised", reason)) => Err(reason.to_owned()),
            _ => panic!("{}: an answer that is none: {answer}", self.name),
        }
    }

    /// Evaluates an expression that does not raise.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> String {
        match self.try_eval(expression) {
            Ok(value) => value,
            Err(reason) => panic!("{}: {expression} raised {reason}", self.name),
        }
    }

    /// Evaluates again and again until it gives that value.
    #[track_caller]
    pub fn eval_until(&mut self, expression: &str, value: &str) -> Duration {
        self.eval_until_within(DEADLINE, expression, value)
    }

    /// The same with a deadline of the test's own.
    #[track_caller]
    pub fn eval_until_within(&mut self, limit: Duration, expression: &str, value: &str) -> Duration {
        let what = format!("{}: {expression} gives {value}", self.name);
        wait_until(&what, limit, || {
            let now = self.eval(expression);
            if now == value { Ok(()) } else { Err(now) }
        })
    }

    /// Everything it printed beside its answers: its log.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As `kill -9` does it.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it can be reaped");
    }

    /// Where it listens, as its epmd says.
    pub fn port(&mut self) -> u16 {
        let alive = self.name.split('@').next().unwrap_or_default();
        let ask = format!("{{:port, port, _}} = :erl_epmd.port_please(~c{alive:?}, {{127, 0, 0, 1}}); port");
        self.eval(&ask).parse().expect("a port")
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, signal: &str) {
        signal_to(&self.child, signal);
    }

    fn answer(&self) -> String {
        match self.answers.recv_timeout(DEADLINE) {
            Ok(answer) => answer,
            Err(_) => panic!("{} does not answer; it said:\n{}", self.name, self.said()),
        }
    }
}

fn listen(pipe: impl Read + Send + 'static, answers: Sender<String>, said: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if let Some(answer) = line.strip_prefix(MARK) {
                // A test that has ended does not listen.
                let _ = answers.send(answer.to_owned());
            } else {
                let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                said.push_str(&line);
                said.push('\n');
            }
        }
    });
}

impl Drop for Beam {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("-- {} said:\n{}", self.name, self.said());
        }
    }
}
