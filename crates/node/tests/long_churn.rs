//! Ten thousand connections that come and go, and as many callers that stop half-way; a thousand of visible nodes, with all
//! that hangs on them. Nothing is left: no memory, no descriptor, no task.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

use std::time::Duration;

use beamline_node::{Epmd, Listen, Node};
use beamline_proto::Creation;
use beamline_proto::flags::Flags;
use beamline_proto::handshake::{Framing, Initiator, Local};
use beamline_term::{Atom, Term};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// What is in use: memory in KiB, open descriptors, tasks.
#[derive(Debug, Clone, Copy)]
struct Use {
    memory: usize,
    descriptors: usize,
    tasks: usize,
}

fn in_use() -> Use {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    Use {
        memory: line.split_whitespace().nth(1).unwrap().parse().unwrap(),
        descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count(),
        tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
    }
}

/// Waits until descriptors and tasks are as they were.
async fn settled(before: Use) -> Use {
    let settle = async {
        loop {
            let now = in_use();
            if (now.descriptors, now.tasks) == (before.descriptors, before.tasks) {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let now = timeout(Duration::from_secs(20), settle).await;
    now.unwrap_or_else(|_| panic!("not as before: {before:?}, now {:?}", in_use()))
}

async fn node(name: &str, peer_port: u16) -> Node {
    let builder = Node::builder(name).cookie("secret").epmd(Epmd::None).hidden(true);
    if peer_port == 0 { builder } else { builder.listen(Listen::Off).peer_port(peer_port) }.start().await.unwrap()
}

/// Does one thing ten thousand times, and compares.
async fn ten_thousand(what: &str, once: impl AsyncFnMut(usize)) {
    repeat(what, 10_000, once).await;
}

/// Does one thing so many times, and compares.
async fn repeat(what: &str, count: usize, mut once: impl AsyncFnMut(usize)) {
    for round in 0..count / 10 {
        once(round).await;
    }
    // Pools are filled and tables have their size.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = in_use();
    let began = std::time::Instant::now();
    for round in 0..count {
        once(round).await;
    }
    let took = began.elapsed();
    let after = settled(before).await;
    println!("{what}: {before:?}, after {count} in {took:?} {after:?}");
    assert!(after.memory < before.memory + 2048, "{what}: memory grew from {before:?} to {after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_come_and_go() {
    let a = node("a@127.0.0.1", 0).await;
    let b = node("b@127.0.0.1", a.port().unwrap()).await;
    ten_thousand("connections", async |_| {
        b.connect(a.name()).await.unwrap();
        assert!(b.disconnect(a.name()));
        // The next attempt would be asked whether this one is stale.
        while a.is_connected(b.name()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Each time with a link, a monitor, a global name and a call over the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn visible_nodes_that_come_and_go_with_their_ties() {
    let start = |name: &str| Node::builder(name).cookie("secret").epmd(Epmd::None);
    let a = start("a@127.0.0.1").start().await.unwrap();
    let b = start("b@127.0.0.1").peer_port(a.port().unwrap()).start().await.unwrap();
    let far = a.spawn(|mut me| async move {
        me.trap_exit(true);
        while me.receive().await.is_some() {}
    });
    let name = Term::atom("worker");
    repeat("visible nodes", 1000, async |_| {
        b.connect(a.name()).await.unwrap();
        let (ready, is_ready) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let target = far.clone();
        let worker = b.spawn(|mut me| async move {
            me.trap_exit(true);
            me.link(&target);
            let monitor = me.monitor(&target);
            ready.send(()).unwrap();
            let down = me.receive_down(&monitor).await.unwrap();
            let exit = me.receive().await.unwrap();
            tell.send((down.reason, exit.term().unwrap().to_string())).unwrap();
        });
        is_ready.await.unwrap();
        b.global().sync().await;
        b.global().register(name.clone(), &worker).await.unwrap();
        assert_eq!(a.global().whereis(&name), Some(worker));
        assert_eq!(b.call::<Atom>(a.name(), ("erlang", "node"), ()).await.unwrap(), *a.name().as_atom());
        assert!(b.disconnect(a.name()));
        let (down, exit) = timeout(Duration::from_secs(5), told).await.unwrap().unwrap();
        assert!(down.is_atom("noconnection") && exit.ends_with(":noconnection}"), "{down} {exit}");
        let is_over =
            || !a.is_connected(b.name()) && a.global().whereis(&name).is_none() && b.global().whereis(&name).is_none();
        let until_over = async {
            while !is_over() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(5), until_over).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_that_come_and_go() {
    let a = node("a@127.0.0.1", 0).await;
    let port = a.port().unwrap();
    let mut names = std::collections::HashSet::new();
    ten_thousand("guests", async |_| {
        let guest = Node::guest(a.name()).cookie("secret").peer_port(port).start().await.unwrap();
        names.insert(guest.name().clone());
        guest.stop().await;
    })
    .await;
    assert!(names.len() < 1000, "names are given again: {} in all", names.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_stop_half_way() {
    let a = node("a@127.0.0.1", 0).await;
    let port = a.port().unwrap();
    ten_thousand("strangers", async |round| {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let local = Local {
            name: format!("c{}@127.0.0.1", round % 7).parse().unwrap(),
            flags: Flags::OFFERED,
            creation: Creation::new(9),
        };
        let (mut caller, hello) = Initiator::new(&local, a.name().clone(), "wrong".into(), 1);
        let mut bytes = Vec::new();
        Framing::Short.write(&hello, &mut bytes);
        match round % 5 {
            0 => {}
            1 => socket.write_all(&bytes[..bytes.len() / 2]).await.unwrap(),
            2 => socket.write_all(&bytes).await.unwrap(),
            3 => socket.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap(),
            _ => {
                socket.write_all(&bytes).await.unwrap();
                let mut buffer = bytes::BytesMut::new();
                while !caller.awaits_verdict() {
                    assert!(socket.read_buf(&mut buffer).await.unwrap() > 0);
                    while let Some(packet) = Framing::Short.next(&mut buffer).unwrap() {
                        if let beamline_proto::handshake::Progress::Send(reply) = caller.packet(&packet).unwrap() {
                            let mut bytes = Vec::new();
                            Framing::Short.write(&reply, &mut bytes);
                            socket.write_all(&bytes).await.unwrap();
                        }
                    }
                }
                // The cookie is wrong, so the node closes.
                assert_eq!(socket.read(&mut [0]).await.unwrap_or(0), 0);
            }
        }
    })
    .await;
}
