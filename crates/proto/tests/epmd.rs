//! epmd's protocol against bytes recorded from the daemon and from nodes of OTP 25, and against any bytes at all.

#![allow(clippy::unwrap_used, reason = "a test ends where a step fails")]

use beamline_proto::epmd::{
    Alive, Name, NodeInfo, NodeType, Registry, Request, RequestError, RequestParser, Then,
    registry::MAX_FORMER,
    request::{MAX_BODY, MAX_EXTRA},
    response,
};
use proptest::prelude::*;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn node(text: &str, port: u16) -> NodeInfo {
    NodeInfo::new(name(text), port, false)
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// A daemon, as its clients see it.
struct Daemon(Registry);

impl Daemon {
    fn new(relaxed: bool) -> Self {
        Self(Registry::new(5901, relaxed))
    }

    fn ask(&mut self, connection: u64, request: Request) -> Option<(Vec<u8>, Then)> {
        self.raw(connection, &request.encode())
    }

    fn raw(&mut self, connection: u64, bytes: &[u8]) -> Option<(Vec<u8>, Then)> {
        let request = RequestParser::default().push(bytes).expect("a whole request");
        self.0.handle(connection, request, 0x6b04_dada).map(|reply| (reply.bytes, reply.then))
    }

    fn alive(&mut self, connection: u64, info: NodeInfo) -> Vec<u8> {
        self.ask(connection, Request::Alive2(info)).expect("an answer").0
    }
}

#[test]
fn a_real_nodes_registration() {
    // What `erl -name aa@127.0.0.1` of OTP 25 sent.
    let bytes = hex("000f78acab4d0000060005000261610000");
    let info = node("aa", 0xacab);
    assert_eq!(Request::Alive2(info.clone()).encode(), bytes);
    assert_eq!(RequestParser::default().push(&bytes), Some(Ok(Request::Alive2(info))));
}

#[test]
fn the_daemons_answers() {
    let mut daemon = Daemon::new(false);
    assert_eq!(daemon.alive(5, node("foo", 1234)), hex("76006b04dada"));
    let old = NodeInfo { highest: 5, node_type: NodeType::Hidden, extra: b"xyz".into(), ..node("bar", 4321) };
    assert_eq!(daemon.alive(6, old.clone()), hex("79000002"));
    assert_eq!(daemon.alive(7, node("foo", 1234)), hex("760100000063"));
    assert_eq!(daemon.alive(8, NodeInfo { highest: 5, ..node("foo", 1234) }), hex("79010063"));
    assert_eq!(daemon.alive(9, node("sp ace é", 1234)), hex("76006b04dada"));

    let port_of = |daemon: &mut Daemon, text| daemon.ask(20, Request::PortPlease2(name(text)));
    assert_eq!(port_of(&mut daemon, "foo"), Some((hex("770004d24d00000600050003666f6f0000"), Then::Close)));
    assert_eq!(port_of(&mut daemon, "bar"), Some((hex("770010e14800000500050003626172000378797a"), Then::Close)));
    assert_eq!(port_of(&mut daemon, "foo@host"), Some((hex("7701"), Then::Close)));

    let names = "\0\0\x17\rname sp ace é at port 1234\nname bar at port 4321\nname foo at port 1234\n";
    assert_eq!(daemon.ask(20, Request::Names), Some((names.into(), Then::Close)));
    assert_eq!(daemon.raw(20, b"\0\x02nx"), Some((names.into(), Then::Close)));

    daemon.0.closed(9);
    daemon.0.closed(6);
    let dump = "\0\0\x17\ractive name     <foo> at port 1234, fd = 5\n\0\
                old/unused name <sp ace é>, port = 1234, fd = 9 \n\0\
                old/unused name <bar>, port = 4321, fd = 6 \n\0";
    assert_eq!(daemon.ask(20, Request::Dump), Some((dump.into(), Then::Close)));
}

#[test]
fn what_the_daemon_does_not_answer() {
    let mut daemon = Daemon::new(false);
    assert_eq!(daemon.raw(1, b"\0\0"), None);
    assert_eq!(daemon.raw(1, b"\0\x01y"), None);
    assert_eq!(daemon.raw(1, b"\0\x01n\0"), None, "more bytes than announced");
    assert_eq!(daemon.raw(1, b"\0\x01\x7a"), None, "an empty name");
    assert_eq!(daemon.raw(1, b"\0\x04\x7aa\0b"), None, "a NUL");
    assert_eq!(daemon.raw(1, &hex("000d7804d24d000006000500000000")), None, "an empty name");
    for cut in 1..Request::Alive2(node("foo", 1)).encode().len() - 2 {
        let whole = Request::Alive2(node("foo", 1)).encode();
        let mut part = ((whole.len() - 2 - cut) as u16).to_be_bytes().to_vec();
        part.extend(&whole[2..whole.len() - cut]);
        assert_eq!(daemon.raw(1, &part), None, "{cut} bytes short");
    }
}

#[test]
fn registrations_that_cannot_be_taken() {
    let mut daemon = Daemon::new(false);
    let mut long = vec![120, 4, 210, 77, 0, 0, 6, 0, 5, 1, 0];
    long.extend([b'a'; 256]);
    long.extend([0, 0]);
    let mut request = (long.len() as u16).to_be_bytes().to_vec();
    request.extend(&long);
    assert_eq!(daemon.raw(1, &request), Some((hex("760100000063"), Then::Linger)));

    let not_utf8 = hex("000f7804d24d00000600050002ff610000");
    assert_eq!(daemon.raw(1, &not_utf8), Some((hex("760100000063"), Then::Linger)));

    let mut extra = hex("7804d24d00000600050001");
    extra.push(b'a');
    extra.extend(((MAX_EXTRA + 1) as u16).to_be_bytes());
    extra.extend([b'e'; MAX_EXTRA + 1]);
    let mut request = (extra.len() as u16).to_be_bytes().to_vec();
    request.extend(&extra);
    assert_eq!(daemon.raw(1, &request), Some((hex("760100000063"), Then::Linger)));
}

#[test]
fn creations_of_a_name_that_comes_back() {
    let mut daemon = Daemon::new(false);
    let old = || NodeInfo { highest: 5, ..node("bar", 4321) };
    assert_eq!(daemon.alive(6, old()), hex("79000002"));
    for small in ["79000003", "79000001"] {
        daemon.0.closed(6);
        assert_eq!(daemon.alive(6, old()), hex(small));
    }
    daemon.0.closed(6);
    assert_eq!(daemon.alive(6, node("bar", 4321)), hex("76006b04dadd"));
}

#[test]
fn former_names_are_bounded() {
    let mut daemon = Daemon::new(false);
    for i in 0..2 * MAX_FORMER {
        daemon.alive(1, node(&format!("n{i}"), 1));
        daemon.0.closed(1);
    }
    let (dump, _) = daemon.ask(2, Request::Dump).unwrap();
    let text = String::from_utf8(dump[4..].to_vec()).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("old/unused")).count(), MAX_FORMER);
    assert!(text.contains("<n1999>") && !text.contains("<n999>"));
    assert_eq!(daemon.alive(3, node("n1999", 1)), hex("76006b04dadb"), "remembered");
    assert_eq!(daemon.alive(4, node("n0", 1)), hex("76006b04dada"), "forgotten");
}

#[test]
fn stop_and_kill() {
    let mut daemon = Daemon::new(false);
    daemon.alive(1, node("foo", 1));
    assert_eq!(daemon.ask(2, Request::Stop(name("foo"))), None);
    assert_eq!(daemon.ask(2, Request::Kill), Some((b"NO".to_vec(), Then::Close)));
    daemon.0.closed(1);
    assert_eq!(daemon.ask(2, Request::Kill), Some((b"OK".to_vec(), Then::Exit)));

    let mut relaxed = Daemon::new(true);
    relaxed.alive(1, node("foo", 1));
    assert_eq!(relaxed.ask(2, Request::Stop(name("nope"))), Some((b"NOEXIST".to_vec(), Then::Close)));
    assert_eq!(relaxed.ask(2, Request::Stop(name("foo"))), Some((b"STOPPED".to_vec(), Then::CloseBoth(1))));
    assert_eq!(relaxed.0.nodes().count(), 0);
    relaxed.alive(3, node("foo", 1));
    assert_eq!(relaxed.ask(2, Request::Kill), Some((b"OK".to_vec(), Then::Exit)));
}

#[test]
fn one_connection_registers_one_name() {
    let mut daemon = Daemon::new(false);
    daemon.alive(1, node("foo", 1));
    assert_eq!(daemon.alive(1, node("bar", 1)), hex("760100000063"));
}

#[test]
fn names_are_read_back() {
    let text = "\0\0\x11\x11name sp ace at port 7 at port 1234\nname b at port 2\nsomething else\n";
    let (port, nodes) = response::decode_names(text.as_bytes()).unwrap();
    let nodes: Vec<_> = nodes.iter().map(|node| (node.name.as_str(), node.port)).collect();
    assert_eq!((port, nodes), (4369, vec![("sp ace at port 7", 1234), ("b", 2)]));
    assert!(response::decode_names(b"HTTP/1.1 400 Bad Request\r\n").is_err());
    assert!(response::decode_names(b"").is_err());
}

fn any_name() -> impl Strategy<Value = Name> {
    "[^\0]{1,255}".prop_map(|text| Name::new(&text).unwrap())
}

prop_compose! {
    fn any_info()(
        name in any_name(),
        (port, node_type, protocol, highest, lowest) in any::<(u16, u8, u8, u16, u16)>(),
        extra in proptest::collection::vec(any::<u8>(), 0..=MAX_EXTRA),
    ) -> NodeInfo {
        NodeInfo { name, port, node_type: node_type.into(), protocol, highest, lowest, extra }
    }
}

fn any_request() -> impl Strategy<Value = Request> {
    prop_oneof![
        any_info().prop_map(Request::Alive2),
        any_name().prop_map(Request::PortPlease2),
        any_name().prop_map(Request::Stop),
        Just(Request::Names),
        Just(Request::Dump),
        Just(Request::Kill),
    ]
}

proptest! {
    #[test]
    fn requests_round_trip_in_pieces(request in any_request(), cut in any::<prop::sample::Index>()) {
        let bytes = request.encode();
        let (head, tail) = bytes.split_at(cut.index(bytes.len()));
        let mut parser = RequestParser::default();
        prop_assert_eq!(parser.push(head), None);
        prop_assert_eq!(parser.push(tail), Some(Ok(request)));
    }

    #[test]
    fn answers_round_trip_in_pieces(info in any_info(), creation: u32, cut in any::<prop::sample::Index>()) {
        let bytes = response::encode_port(Some(&info));
        prop_assert_eq!(response::decode_port(&bytes[..cut.index(bytes.len())]), Ok(None));
        prop_assert_eq!(response::decode_port(&bytes), Ok(Some(Some(info))));
        let bytes = Alive::Registered { creation }.encode(6);
        prop_assert_eq!(Alive::decode(&bytes[..cut.index(bytes.len())]), Ok(None));
        prop_assert_eq!(Alive::decode(&bytes), Ok(Some(Alive::Registered { creation })));
    }

    #[test]
    fn no_bytes_are_too_much(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..3000), 0..4)
    ) {
        let mut parser = RequestParser::default();
        let mut registry = Registry::new(4369, true);
        for chunk in &chunks {
            if let Some(request) = parser.push(chunk) {
                registry.handle(1, request, u64::MAX);
            }
            let _ = (Request::decode(chunk), Alive::decode(chunk), response::decode_port(chunk));
            let _ = response::decode_names(chunk);
        }
    }

    #[test]
    fn too_long_is_said_at_once(length in MAX_BODY as u16 + 1..) {
        let told = RequestParser::default().push(&length.to_be_bytes());
        prop_assert_eq!(told, Some(Err(RequestError::Length(usize::from(length)))));
    }
}
