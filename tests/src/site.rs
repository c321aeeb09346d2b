//! A site of the `beamline` program: its address as it prints it, and its pages as a script reads them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::{DEADLINE, path, wait_until};

/// A running site; killed when dropped.
pub struct Site {
    child: Child,
    address: String,
}

impl Site {
    /// Starts `beamline` with these arguments, which are those of a command that serves a site, on a port that is free.
    pub fn start(epmd_port: u16, arguments: &[&str]) -> Self {
        let mut command = Command::new(path("beamline"));
        command.args(arguments).args(["--listen", "127.0.0.1:0"]).env("ERL_EPMD_PORT", epmd_port.to_string());
        for ours in ["BEAMLINE_COOKIE", "BEAMLINE_NODE", "BEAMLINE_PASSWORD", "XDG_RUNTIME_DIR"] {
            command.env_remove(ours);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let pipe = child.stdout.take().expect("a pipe");
        let (sender, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let address = said.recv_timeout(DEADLINE).expect("it prints its address");
        Self { child, address }
    }

    /// The address with its token.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The address of a path.
    pub fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority())
    }

    /// The token.
    pub fn token(&self) -> &str {
        self.address.split_once("token=").expect("a token").1
    }

    /// What a path says as JSON, and its status.
    pub fn json(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.get(path, "application/json");
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    /// What a path says in that form, and its status.
    pub fn get(&self, path: &str, accept: &str) -> (u16, String) {
        read(self.ask(&format!("GET {path}"), accept, ""))
    }

    /// How a form that is sent to a path is answered.
    pub fn post(&self, path: &str, form: &str) -> u16 {
        read(self.ask(&format!("POST {path}"), "text/html", form)).0
    }

    /// A page that is kept up to date.
    pub fn open(&self, path: &str) -> OpenPage {
        OpenPage(BufReader::new(self.ask(&format!("GET {path}"), "text/event-stream", "")))
    }

    /// Sends it a signal, `INT` or `TERM`, and waits for its end: with what code, and after how long.
    pub fn end(mut self, signal: &str) -> (Option<i32>, Duration) {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("there is a kill").success());
        let mut code = None;
        let took = wait_until("the program ends", DEADLINE, || match self.child.try_wait() {
            Ok(Some(status)) => {
                code = status.code();
                Ok(())
            }
            other => Err(format!("{other:?}")),
        });
        (code, took)
    }

    fn ask(&self, what: &str, accept: &str, form: &str) -> TcpStream {
        let (token, host, length) = (self.token(), self.authority(), form.len());
        let mut stream = TcpStream::connect(host).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a deadline");
        let request = format!(
            "{what} HTTP/1.0\r\nHost: {host}\r\nAccept: {accept}\r\nAuthorization: Bearer {token}\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        stream
    }

    fn authority(&self) -> &str {
        let after = self.address.strip_prefix("http://").expect("HTTP");
        after.split('/').next().unwrap_or_default()
    }
}

fn read(mut stream: TcpStream) -> (u16, String) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("a whole answer");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default(), body.to_owned())
}

/// A page that is open: what it shows, again and again.
pub struct OpenPage(BufReader<TcpStream>);

impl OpenPage {
    /// The next state of what stands in it.
    #[track_caller]
    pub fn next_main(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.0.read_line(&mut line).expect("it goes on") > 0, "the stream has ended");
            if let Some(data) = line.strip_prefix("data: ") {
                let data: Value = serde_json::from_str(data).expect("JSON");
                return data["main"].as_str().expect("HTML").to_owned();
            }
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
