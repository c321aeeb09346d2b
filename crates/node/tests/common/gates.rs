//! Two nodes over a real socket, with a proxy on the way that holds bytes back.

use std::net::Ipv4Addr;

use beamline_node::{Module, Node, NodeBuilder};
use beamline_term::{Binary, Pid, Term};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::own_epmd;

/// How long a test waits for what needs much of the machine.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

pub(crate) fn node(name: &str, epmd: &beamline_node::Epmd) -> NodeBuilder {
    let module = Module::new("Elixir.Test")
        .function("size", |value: Binary| async move { Ok(value.len()) })
        .function("echo", |value: i64| async move { Ok(value) })
        .function("bytes", |size: usize| async move { Ok(Binary::from(vec![7; size])) });
    Node::builder(format!("{name}@127.0.0.1")).cookie("secret").epmd(epmd.clone()).module(module)
}

/// Opens and shuts the two ways between two nodes, and says to `b` what `a` does not.
pub(crate) struct Gates {
    pub(crate) from_a: watch::Sender<bool>,
    pub(crate) from_b: watch::Sender<bool>,
    pub(crate) to_b: mpsc::UnboundedSender<Vec<u8>>,
}

/// Two nodes that are connected through a proxy.
pub(crate) async fn apart() -> (Node, Node, Gates) {
    apart_with(|builder| builder).await
}

/// The same, with something set for `b`.
pub(crate) async fn apart_with(b_is: impl FnOnce(NodeBuilder) -> NodeBuilder) -> (Node, Node, Gates) {
    let epmd = own_epmd();
    let b = b_is(node("b", &epmd)).start().await.unwrap();
    let proxy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = proxy.local_addr().unwrap().port();
    let a = node("a", &epmd).peer_port(port).start().await.unwrap();
    let (to_b, inserted) = mpsc::unbounded_channel();
    let gates = Gates { from_a: watch::Sender::new(true), from_b: watch::Sender::new(true), to_b };
    let (from_a, from_b) = (gates.from_a.subscribe(), gates.from_b.subscribe());
    let target = b.port().unwrap();
    tokio::spawn(async move {
        let (a, _) = proxy.accept().await.unwrap();
        let b = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await.unwrap();
        a.set_nodelay(true).unwrap();
        b.set_nodelay(true).unwrap();
        let ((a_read, a_write), (b_read, b_write)) = (a.into_split(), b.into_split());
        let (_keep, nothing) = mpsc::unbounded_channel();
        tokio::join!(pass(a_read, b_write, from_a, inserted), pass(b_read, a_write, from_b, nothing));
    });
    a.connect(b.name()).await.unwrap();
    // Until both have seen to the other's first signals.
    b.ping(a.name()).await.unwrap();
    (a, b, gates)
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut open: watch::Receiver<bool>,
    mut inserted: mpsc::UnboundedReceiver<Vec<u8>>,
) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        if open.wait_for(|open| *open).await.is_err() {
            return;
        }
        tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(count) if count > 0 && to.write_all(&buffer[..count]).await.is_ok() => {}
                _ => return,
            },
            Some(bytes) = inserted.recv() => to.write_all(&bytes).await.unwrap(),
        }
    }
}

/// A process that hands on what it gets.
pub(crate) fn listener(node: &Node, name: &'static str) -> (Pid, mpsc::UnboundedReceiver<Term>) {
    let (tell, told) = mpsc::unbounded_channel();
    let pid = node.spawn(|mut me| async move {
        me.trap_exit(true);
        while let Some(message) = me.receive().await {
            let _ = tell.send(message.term().unwrap());
        }
    });
    node.register(name, &pid).unwrap();
    (pid, told)
}

pub(crate) async fn next(told: &mut mpsc::UnboundedReceiver<Term>) -> Term {
    timeout(PATIENCE, told.recv()).await.expect("in time").expect("the process lives")
}
