//! Setting up connections: transports, resolvers, guests, cookies, limits, and callers that are not what they should be.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use beamline_node::transport::{BoxFuture, Channel, Framing, Listener, Memory, Transport};
use beamline_node::{
    AutoConnect, CallError, Cause, DownReason, Epmd, Family, Limits, Listen, Module, Node, NodeBuilder, NodeEvent,
    NodeName, NodeSet, Route, SendError, Side, StartError, Step,
};
use beamline_proto::Creation;
use beamline_proto::flags::Flags;
use beamline_proto::handshake::{Initiator, Local, Progress};
use beamline_term::{Atom, atom};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(10);

/// Waits for a condition, with a deadline.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(SOON, wait).await.unwrap_or_else(|_| panic!("not within 10 s: {what}"));
}

/// The nodes of the tests, each at a port of its own in a network of memory.
async fn by_list(peer: NodeName) -> std::io::Result<Route> {
    let port = peer.alive().bytes().map(u16::from).sum();
    Ok(Route::port(Ipv4Addr::LOCALHOST.into(), port))
}

fn on(network: impl Transport, name: &str) -> NodeBuilder {
    let port = name.bytes().map(u16::from).sum();
    Node::builder(format!("{name}@memory"))
        .cookie("secret")
        .epmd(Epmd::None)
        .transport(network)
        .resolver(by_list)
        .listen(Listen::Ports(port, port))
        .module(Module::new("Elixir.Test").function("hello", || async { Ok(atom("world")) }))
}

/// A node on loopback without an epmd, and its port.
async fn reachable(builder: NodeBuilder) -> (Node, u16) {
    let node = builder.cookie("secret").epmd(Epmd::None).start().await.unwrap();
    let port = node.port().unwrap();
    (node, port)
}

#[tokio::test]
async fn nodes_meet_without_sockets() {
    let network = Memory::new();
    let a = on(network.clone(), "a").start().await.unwrap();
    let b = on(network.clone(), "b").start().await.unwrap();
    let hello: Atom = a.call(b.name(), ("Elixir.Test", "hello"), ()).await.unwrap();
    assert_eq!((hello.as_str(), b.list()), ("world", vec![a.name().clone()]));
    let taken = on(network.clone(), "b").start().await.unwrap_err();
    assert!(matches!(taken, StartError::Listen { .. }), "{taken}");
    b.stop().await;
    until("b is gone", || a.list().is_empty()).await;
    let refused = a.connect(&"b@memory".parse().unwrap()).await.unwrap_err();
    assert!(matches!(refused.cause(), Cause::PortRefused { .. }), "{refused}");
}

/// As TLS would be: the handshake's packets have four bytes of length.
struct LongFrames(Memory);

impl Transport for LongFrames {
    fn framing(&self) -> Framing {
        Framing::Long
    }

    fn connect<'a>(
        &'a self,
        node: &'a NodeName,
        address: std::net::SocketAddr,
    ) -> BoxFuture<'a, std::io::Result<Channel>> {
        self.0.connect(node, address)
    }

    fn listen(&self, address: std::net::SocketAddr) -> BoxFuture<'_, std::io::Result<Box<dyn Listener>>> {
        self.0.listen(address)
    }
}

#[tokio::test]
async fn a_transport_chooses_the_handshakes_framing() {
    let network = Memory::new();
    let a = on(LongFrames(network.clone()), "a").start().await.unwrap();
    let b = on(LongFrames(network.clone()), "b").start().await.unwrap();
    a.ping(b.name()).await.unwrap();
    let c = on(network, "c").start().await.unwrap();
    let error = c.connect(b.name()).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::NotErlang { .. }), "{error}");
}

#[tokio::test]
async fn a_resolver_that_knows_nothing_is_the_cause() {
    let a = on(Memory::new(), "a").resolver(async |_| Err(std::io::Error::other("not on the list")));
    let a = a.start().await.unwrap();
    let error = a.connect(&"b@memory".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::NotResolvable { host, .. } if host == "memory"), "{error}");
    assert_eq!(error.cause().code(), "BL201");
    assert!(error.to_string().contains("not on the list"), "{error}");
}

#[tokio::test]
async fn an_attempt_whose_caller_does_not_poll_goes_on_for_others() {
    let network = Memory::new();
    let go = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let gate = std::sync::Arc::clone(&go);
    let a = on(network.clone(), "a").resolver(move |peer| {
        let gate = std::sync::Arc::clone(&gate);
        async move {
            let _ = gate.acquire().await;
            by_list(peer).await
        }
    });
    let (a, b) = (a.start().await.unwrap(), on(network, "b").start().await.unwrap());
    let mut first = Box::pin(a.connect(b.name()));
    assert!(timeout(Duration::from_millis(10), &mut first).await.is_err());
    let second = tokio::spawn({
        let (a, peer) = (a.clone(), b.name().clone());
        async move { a.connect(&peer).await }
    });
    go.add_permits(1);
    timeout(SOON, second).await.unwrap().unwrap().unwrap();
    drop(first);
}

#[test]
fn a_thread_outside_of_the_nodes_runtime_may_connect() {
    let network = Memory::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (a, b) = runtime
        .block_on(async { (on(network.clone(), "a").start().await.unwrap(), on(network, "b").start().await.unwrap()) });
    let other = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    other.block_on(async { timeout(SOON, a.connect(b.name())).await.unwrap().unwrap() });
    drop(other);
    runtime.block_on(async { timeout(SOON, a.ping(b.name())).await.unwrap().unwrap() });
}

#[tokio::test]
async fn a_resolver_that_never_answers_has_a_deadline() {
    let mut limits = Limits::default();
    limits.setup_time = Duration::from_millis(50);
    let a = on(Memory::new(), "a").limits(limits).resolver(async |_| std::future::pending().await);
    let error = a.start().await.unwrap().connect(&"b@memory".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::TimedOut { step: Step::Resolving, .. }), "{error}");
}

#[tokio::test]
async fn a_guest_is_given_a_name_and_stops_with_its_host() {
    let network = Memory::new();
    let b = on(network.clone(), "b").start().await.unwrap();
    let c = on(network.clone(), "c").start().await.unwrap();
    let visit = || Node::guest(b.name()).cookie("secret").transport(network.clone()).resolver(by_list);
    let guest = visit().start().await.unwrap();
    assert!(guest.port().is_none() && guest.name().host() == "memory", "{guest:?}");
    let hello: Atom = guest.call(b.name(), ("Elixir.Test", "hello"), ()).await.unwrap();
    assert_eq!(hello, "world");
    assert_eq!(b.nodes(NodeSet::Hidden), [guest.name().clone()]);
    assert_eq!(b.call::<Atom>(guest.name(), ("erlang", "node"), ()).await.unwrap(), *guest.name().as_atom());
    guest.ping(c.name()).await.unwrap();

    let second = visit().start().await.unwrap();
    assert_ne!(second.name(), guest.name());
    assert!(b.disconnect(guest.name()));
    timeout(SOON, guest.stopped()).await.unwrap();
    until("c sees it too", || c.nodes(NodeSet::Connected).is_empty()).await;
    let error = guest.connect(c.name()).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Stopped), "{error}");
    let third = visit().start().await.unwrap();
    assert_eq!((third.name(), third.creation().get()), (guest.name(), guest.creation().get().wrapping_add(1)));

    let stranger = visit().cookie("other").start().await.unwrap_err();
    assert!(
        matches!(&stranger, StartError::Guest(error) if matches!(error.cause(), Cause::Cookie { side: Side::Theirs })),
        "{stranger}"
    );
}

#[tokio::test]
async fn a_guest_and_its_host_may_share_a_cookie_of_their_own() {
    let network = Memory::new();
    let b = on(network.clone(), "b").start().await.unwrap();
    let visit = Node::guest(b.name()).cookie("other").cookie_for(b.name(), "secret");
    visit.transport(network).resolver(by_list).start().await.unwrap();
}

#[tokio::test]
async fn a_peer_may_have_a_cookie_of_its_own() {
    let network = Memory::new();
    let b = "b@memory".parse().unwrap();
    let a = on(network.clone(), "a").cookie_for(&b, "ours").start().await.unwrap();
    let b = on(network.clone(), "b").start().await.unwrap();
    let rejected = |error: &beamline_node::ConnectError, by| match error.cause() {
        Cause::Cookie { side } => *side == by,
        _ => false,
    };
    assert!(rejected(&a.connect(b.name()).await.unwrap_err(), Side::Theirs));
    assert!(rejected(&b.connect(a.name()).await.unwrap_err(), Side::Theirs));
    b.set_cookie(a.name(), "ours");
    a.ping(b.name()).await.unwrap();
    a.disconnect(b.name());
    until("b sees it", || b.list().is_empty()).await;
    b.ping(a.name()).await.unwrap();

    let c = on(network, "c").cookie("new").start().await.unwrap();
    assert!(rejected(&c.connect(a.name()).await.unwrap_err(), Side::Theirs));
    c.set_cookie(c.name(), "secret");
    c.ping(a.name()).await.unwrap();
}

#[tokio::test]
async fn without_auto_connect_only_connect_connects() {
    let network = Memory::new();
    let a = on(network.clone(), "a").auto_connect(false).start().await.unwrap();
    let b = on(network, "b").start().await.unwrap();
    let not_connected = |error: &beamline_node::ConnectError| matches!(error.cause(), Cause::NotConnected);
    let error = a.call::<Atom>(b.name(), ("Elixir.Test", "hello"), ()).await.unwrap_err();
    assert!(matches!(&error, CallError::Connect(error) if not_connected(error)), "{error}");
    let error = a.send(("echo", b.name()), &1).await.unwrap_err();
    assert!(matches!(&error, SendError::Connect(error) if not_connected(error)), "{error}");
    let (tell, told) = tokio::sync::oneshot::channel();
    let far = b.spawn(|mut me| async move { while me.receive().await.is_some() {} });
    let watched = far.clone();
    a.spawn(|mut me| async move {
        me.monitor(&watched);
        let _ = tell.send(me.receive().await.unwrap().term().unwrap().to_string());
    });
    assert!(timeout(SOON, told).await.unwrap().unwrap().ends_with(":noconnection}"));
    assert!(!a.is_connected(b.name()));
    a.connect(b.name()).await.unwrap();
    assert_eq!(a.call::<Atom>(b.name(), ("Elixir.Test", "hello"), ()).await.unwrap(), "world");
}

#[tokio::test]
async fn with_once_a_lost_connection_comes_again_only_when_asked_for() {
    let network = Memory::new();
    let a = on(network.clone(), "a").auto_connect(AutoConnect::Once).start().await.unwrap();
    let b = on(network.clone(), "b").start().await.unwrap();
    let hello = async || a.call::<Atom>(b.name(), ("Elixir.Test", "hello"), ()).await;
    let barred = async || match hello().await {
        Err(CallError::Connect(error)) => matches!(error.cause(), Cause::Barred),
        _ => false,
    };
    let parted = async || {
        until("both know", || !a.is_connected(b.name()) && !b.is_connected(a.name())).await;
    };
    hello().await.expect("the first time by itself");
    // It makes no difference who gave it up.
    b.disconnect(a.name());
    parted().await;
    assert!(barred().await);
    let error = a.send(("echo", b.name()), &1).await.unwrap_err();
    assert!(matches!(&error, SendError::Connect(error) if error.cause().code() == "BL604"), "{error}");
    assert!(error.to_string().contains("call `connect`"), "{error}");
    let (tell, told) = tokio::sync::oneshot::channel();
    let far = b.spawn(|mut me| async move { while me.receive().await.is_some() {} });
    a.spawn(|mut me| async move {
        me.monitor(&far);
        let _ = tell.send(me.receive().await.unwrap().term().unwrap().to_string());
    });
    assert!(timeout(SOON, told).await.unwrap().unwrap().ends_with(":noconnection}"));
    assert!(!a.is_connected(b.name()));
    a.connect(b.name()).await.unwrap();
    hello().await.expect("asked for");

    a.disconnect(b.name());
    parted().await;
    assert!(barred().await);
    b.ping(a.name()).await.expect("the peer may come");
    hello().await.expect("it has come");

    // It may be asked for in vain: after that it comes by itself again.
    b.disconnect(a.name());
    parted().await;
    assert!(barred().await);
    let name = b.name().clone();
    b.stop().await;
    a.connect(&name).await.unwrap_err();
    let _b = on(network, "b").start().await.unwrap();
    a.ping(&name).await.expect("nothing bars it any more");
}

#[tokio::test]
async fn nodes_meet_over_ipv6() {
    let (a, port) = reachable(Node::builder("a@::1")).await;
    let (b, _) = reachable(Node::builder("b@::1").peer_port(port)).await;
    b.ping(a.name()).await.unwrap();
    let (c, port) = reachable(Node::builder("c@localhost").family(Family::V6)).await;
    let at = move |address: IpAddr| async move { Ok(Route::port(address, port)) };
    let (v4, _) = reachable(Node::builder("d@::1").resolver(move |_| at(Family::V4.loopback()))).await;
    let error = v4.connect(c.name()).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::PortRefused { .. }), "{error}");
    let (v6, _) = reachable(Node::builder("e@::1").resolver(move |_| at(Family::V6.loopback()))).await;
    v6.ping(c.name()).await.unwrap();
}

/// One packet of a handshake, as a stranger sends it.
async fn put(socket: &mut TcpStream, body: &[u8]) {
    let mut bytes = Vec::new();
    Framing::Short.write(body, &mut bytes);
    socket.write_all(&bytes).await.unwrap();
}

/// The next packet; empty when the node closes.
async fn get(socket: &mut TcpStream) -> Vec<u8> {
    let Ok(length) = timeout(SOON, socket.read_u16()).await.unwrap() else { return Vec::new() };
    let mut body = vec![0; length.into()];
    socket.read_exact(&mut body).await.unwrap();
    body
}

#[tokio::test]
async fn a_caller_of_otp_23_says_hello_in_the_old_form() {
    let (node, port) = reachable(Node::builder("a@127.0.0.1")).await;
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let flags = Flags::OFFERED | Flags::PUBLISHED;
    put(&mut socket, &[b"n\0\x05", &(flags.bits() as u32).to_be_bytes()[..], b"old@127.0.0.1"].concat()).await;
    assert_eq!(get(&mut socket).await, b"sok");
    let challenge = get(&mut socket).await;
    put(&mut socket, &[b"c", &((flags.bits() >> 32) as u32).to_be_bytes()[..], &[0, 0, 0, 9]].concat()).await;
    // The rest is as in the new form, so our own other side can do it.
    let local = Local { name: "old@127.0.0.1".parse().unwrap(), flags, creation: Creation::new(9) };
    let (mut old, _) = Initiator::new(&local, node.name().clone(), "secret".into(), 1);
    old.packet(b"sok").unwrap();
    let Progress::Send(proof) = old.packet(&challenge).unwrap() else { panic!("no proof") };
    put(&mut socket, &proof).await;
    assert!(matches!(old.packet(&get(&mut socket).await), Ok(Progress::Done(..))));
    until("it is connected", || node.list() == [local.name.clone()]).await;
}

#[tokio::test]
async fn what_lacks_flags_is_told_so() {
    let (_node, port) = reachable(Node::builder("a@127.0.0.1")).await;
    let flags = Flags::OFFERED.without(Flags::V4_NC).bits().to_be_bytes();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    put(&mut socket, &[b"N", &flags[..], &[0, 0, 0, 9, 0, 3], b"b@h"].concat()).await;
    assert_eq!(get(&mut socket).await, b"snot_allowed");
    assert_eq!(get(&mut socket).await, b"");
}

#[tokio::test]
async fn silence_costs_its_own_connection_only() {
    let mut limits = Limits::default();
    (limits.half_open, limits.setup_time) = (4, Duration::from_millis(300));
    let (a, port) = reachable(Node::builder("a@127.0.0.1").limits(limits)).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        // In this order, so that it is the oldest that goes.
        tokio::task::yield_now().await;
    }
    let (b, _) = reachable(Node::builder("b@127.0.0.1").peer_port(port)).await;
    b.ping(a.name()).await.unwrap();
    // The first went for others, the last for its silence.
    for mut socket in silent {
        assert_eq!(
            timeout(SOON, socket.read_u8()).await.unwrap().unwrap_err().kind(),
            std::io::ErrorKind::UnexpectedEof
        );
    }
}

#[tokio::test]
async fn a_peer_that_comes_again_takes_the_place_of_its_earlier_self() {
    let (node, port) = reachable(Node::builder("a@127.0.0.1")).await;
    let mut events = node.events();
    let peer: NodeName = "b@127.0.0.1".parse().unwrap();
    let mut held = Vec::new();
    for (round, status) in [b"sok".as_slice(), b"salive", b"salive"].into_iter().enumerate() {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let local = Local { name: peer.clone(), flags: Flags::OFFERED, creation: Creation::new(9 + round as u32) };
        let (mut caller, hello) = Initiator::new(&local, node.name().clone(), "secret".into(), 1);
        put(&mut socket, &hello).await;
        let answer = get(&mut socket).await;
        assert_eq!(answer, status);
        if let Progress::Alive = caller.packet(&answer).unwrap() {
            // The third says that the earlier one is good, which ends this one.
            put(&mut socket, &caller.answer_alive(round == 1)).await;
        }
        if round < 2 {
            let Progress::Send(proof) = caller.packet(&get(&mut socket).await).unwrap() else { panic!("no proof") };
            put(&mut socket, &proof).await;
            assert!(matches!(caller.packet(&get(&mut socket).await), Ok(Progress::Done(..))));
        } else {
            assert_eq!(get(&mut socket).await, b"");
        }
        held.push(socket);
    }
    let up = || NodeEvent::Up { node: peer.clone(), hidden: true };
    assert_eq!(events.recv().await, Some(up()));
    let down = NodeEvent::Down { node: peer.clone(), hidden: true, reason: DownReason::WaitPending };
    assert_eq!(events.recv().await, Some(down));
    assert_eq!(events.recv().await, Some(up()));
    assert!(node.is_connected(&peer));
    // The first socket was closed by us, behind whatever it was sent.
    let mut rest = Vec::new();
    timeout(SOON, held[0].read_to_end(&mut rest)).await.unwrap().unwrap();
}
