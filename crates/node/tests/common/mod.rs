//! What tests of nodes over real sockets share.

#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod gates;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use beamline_node::epmd::{Auto, Daemon};
use beamline_node::{Epmd, Node, Process};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a test waits for what should happen in far less.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// A free port below those that the system hands out, as the nodes themselves listen on such.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(7919);
    let mut ports = (0..).map(|_| 20_000 + (start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000) as u16);
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).unwrap()
}

/// An epmd port of the test's own; the first node that starts serves it.
pub(crate) fn own_epmd() -> Epmd {
    let mut auto = Auto::on_port(free_port());
    auto.daemon = Daemon::Never;
    Epmd::Auto(auto)
}

/// Waits for a condition, with a deadline.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("not within {DEADLINE:?}: {what}"));
}

/// Runs this in a process and gives its value.
pub(crate) async fn run<T, F, Fut>(node: &Node, work: F) -> T
where
    T: Send + 'static,
    F: FnOnce(Process) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
{
    let (tell, told) = oneshot::channel();
    node.spawn(|me| {
        let work = work(me);
        async move { drop(tell.send(work.await)) }
    });
    timeout(DEADLINE, told).await.expect("in time").expect("the process does not end before")
}
