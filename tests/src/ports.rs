//! Ports that no other test uses, and an epmd on one of them.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::{HOST, Otp, wait_until};

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((HOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// An epmd of this test alone, ended when dropped.
pub struct Epmd {
    port: u16,
    child: Child,
}

impl Epmd {
    /// Erlang's own epmd of that installation.
    pub fn erlang(otp: Otp) -> Self {
        Self::start(otp.command("epmd"), free_port())
    }

    /// The epmd of the `beamline` program.
    pub fn beamline() -> Self {
        let mut command = Command::new(crate::program::path("beamline"));
        command.arg("epmd");
        Self::start(command, free_port())
    }

    fn start(mut command: Command, port: u16) -> Self {
        command.args(["-port", &port.to_string(), "-address", HOST]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut epmd = Self { port, child: child.expect("epmd starts") };
        wait_until("epmd listens", crate::DEADLINE, || {
            if let Ok(Some(status)) = epmd.child.try_wait() {
                panic!("epmd ended by itself: {status}");
            }
            TcpStream::connect((HOST, port)).map(drop)
        });
        epmd
    }

    /// Its port, for `ERL_EPMD_PORT`.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Epmd {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
