//! Ports that no other test uses, and an epmd on one of them.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{HOST, Otp, wait_until};

/// A port that was free a moment ago, below those that the system hands out to nodes that listen anywhere, and where other
/// tests, which are other processes, do not look first.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(7919);
    for _ in 0..12_000 {
        let port = 20_000 + (start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000) as u16;
        if TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            return port;
        }
    }
    panic!("no port from 20000 to 32000 is free");
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

    /// Ends it, and starts our own on its port, which knows nobody.
    pub fn replace(&mut self) {
        self.end();
        let mut command = Command::new(crate::program::path("beamline"));
        command.arg("epmd");
        *self = Self::start(command, self.port);
    }

    /// Ends it.
    pub fn end(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Its port, for `ERL_EPMD_PORT`.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Epmd {
    fn drop(&mut self) {
        self.end();
    }
}
