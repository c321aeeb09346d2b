//! A Rust node and a real one that dial each other at the same moment: one connection comes of it, whoever has the greater
//! name, and whoever is the one that sees both attempts.

use std::future::IntoFuture;
use std::io::{Read, Write};
use std::net::TcpStream;

use beamline::node::{Epmd as UsedEpmd, Listen, Route};
use beamline::prelude::*;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use whole_clusters::{Beam, DEADLINE, Epmd, HOST, Otp, Proxy, for_each_otp, free_port, unique, wait_until};

const COOKIE: &str = "secret";
const ROUNDS: usize = 5;

/// What the attempt of one side has to pass, so that it has begun and not arrived when the other's comes.
#[derive(Clone, Copy, PartialEq)]
enum Held {
    OfRust,
    OfReal,
}

fn meet(otp: Otp, rust_name: &str, real_name: &str, held: Held) {
    let (runtime, epmd, name) = (Runtime::new().expect("a runtime"), Epmd::erlang(otp), unique(rust_name));
    let mut beam = Beam::start(otp, &unique(real_name), epmd.port(), COOKIE);
    let peer: NodeName = beam.name().parse().expect("a name");
    let (real_port, rust_port) = (beam.port(), free_port());
    let proxy = Proxy::gate(if held == Held::OfRust { real_port } else { rust_port });
    let (to_real, to_rust) = match held {
        Held::OfRust => (proxy.port(), rust_port),
        Held::OfReal => (real_port, proxy.port()),
    };
    let builder = Node::builder(&name).cookie(COOKIE).epmd(UsedEpmd::None).listen(Listen::Ports(rust_port, rust_port));
    let builder = builder.resolver(move |_| async move { Ok(Route::port([127, 0, 0, 1].into(), to_real)) });
    let node = runtime.block_on(builder.start()).expect("the node starts");
    let _registered = register(epmd.port(), node.name().alive(), to_rust);
    beam.eval(&format!(":net_kernel.monitor_nodes(true); rust = :{name:?}"));
    let mut events = node.events();
    let mut next = || runtime.block_on(async { timeout(DEADLINE, events.recv()).await.expect("in time") });

    for round in 1..=ROUNDS {
        proxy.shut();
        let dial = || {
            runtime.spawn({
                let (node, peer) = (node.clone(), peer.clone());
                async move { node.connect(&peer).await }
            })
        };
        let real_dials = "dial = Task.async(fn -> Node.connect(rust) end); is_pid(dial.pid)";
        let begun = || {
            let begun = || if proxy.callers() == round { Ok(()) } else { Err(proxy.callers()) };
            wait_until("the attempt has begun", DEADLINE, begun);
        };
        // The first attempt is held up when the second arrives.
        let ours = match held {
            Held::OfRust => {
                let ours = dial();
                begun();
                beam.eval(real_dials);
                ours
            }
            Held::OfReal => {
                beam.eval(real_dials);
                begun();
                dial()
            }
        };
        // Either the second one wins now, or it waits for the first.
        let is_ours_greater = *node.name() > peer;
        let does_second_win = is_ours_greater == (held == Held::OfReal);
        if does_second_win {
            wait_until("the second attempt wins", DEADLINE, || {
                if node.is_connected(&peer) { Ok(()) } else { Err("not yet") }
            });
        } else {
            assert!(!node.is_connected(&peer));
        }
        proxy.open();
        runtime.block_on(ours).expect("it runs").expect("they connect");
        assert_eq!(beam.eval("Task.await(dial)"), "true");
        assert_eq!(next(), Some(NodeEvent::Up { node: peer.clone(), hidden: false }), "round {round}");
        let up = "receive do {:nodeup, ^rust} -> :up after 5000 -> :silence end";
        assert_eq!(beam.eval(up), ":up");
        let seen: Atom = runtime.block_on(node.call(&peer, ("erlang", "node"), ()).into_future()).expect("an answer");
        assert_eq!(seen, *peer.as_atom());
        assert_eq!(beam.eval(":rpc.call(rust, :erlang, :node, []) == rust"), "true");

        assert!(node.disconnect(&peer));
        assert!(matches!(next(), Some(NodeEvent::Down { .. })), "it was up once");
        let down = "receive do other -> other == {:nodedown, rust} after 5000 -> :silence end";
        assert_eq!(beam.eval(down), "true", "it was up once");
    }
    assert_eq!(beam.eval("receive do other -> other after 0 -> :silence end"), ":silence");
}

/// Says to epmd that a node listens on that port. It is forgotten when the connection ends.
fn register(epmd: u16, alive: &str, port: u16) -> TcpStream {
    let mut body = vec![120];
    body.extend(port.to_be_bytes());
    body.extend([77, 0, 0, 6, 0, 5]);
    body.extend((alive.len() as u16).to_be_bytes());
    body.extend(alive.as_bytes());
    body.extend([0, 0]);
    let mut stream = TcpStream::connect((HOST, epmd)).expect("epmd listens");
    stream.write_all(&[&(body.len() as u16).to_be_bytes()[..], &body].concat()).expect("it reads");
    let mut answer = [0; 6];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer[..2], [118, 0]);
    stream
}

fn a_real_node_sees_both_attempts(otp: Otp) {
    meet(otp, "a_rust", "z", Held::OfReal);
    meet(otp, "z_rust", "a", Held::OfReal);
}

fn a_rust_node_sees_both_attempts(otp: Otp) {
    meet(otp, "a_rust", "z", Held::OfRust);
    meet(otp, "z_rust", "a", Held::OfRust);
}

for_each_otp!(a_real_node_sees_both_attempts, a_rust_node_sees_both_attempts);
