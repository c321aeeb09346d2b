//! Both sides in one room, and bytes of strangers.

use proptest::prelude::*;

use super::*;
use crate::Cookie;

fn local(name: &str) -> Local {
    Local { name: name.parse().unwrap(), flags: Flags::OFFERED | Flags::PUBLISHED, creation: Creation::new(7) }
}

type Outcome = Result<Option<Peer>, HandshakeError>;

/// Lets `a@h`, or a node without a name, dial `b@h`. Gives the outcome of the initiator and of the acceptor.
fn meet((mut initiator, first): (Initiator, Vec<u8>), status: &Status, cookie: &str) -> (Outcome, Outcome) {
    let mut acceptor = Acceptor::new(local("b@h"), 5678);
    let (mut to_acceptor, mut to_initiator) = (vec![first], Vec::new());
    let (mut a, mut b) = (Ok(None), Ok(None));
    for _ in 0..8 {
        for packet in std::mem::take(&mut to_acceptor) {
            match acceptor.packet(&packet) {
                Ok(Progress::Hello(_)) => to_initiator.extend(acceptor.answer(status, &cookie.into())),
                Ok(Progress::Send(packet) | Progress::Refused(packet, _)) => to_initiator.push(packet),
                Ok(Progress::Done(peer, last)) => {
                    to_initiator.extend(last);
                    b = Ok(Some(peer));
                }
                Ok(Progress::Wait | Progress::Alive | Progress::Named(..)) => {}
                Err(error) => b = Err(error),
            }
        }
        for packet in std::mem::take(&mut to_initiator) {
            match initiator.packet(&packet) {
                Ok(Progress::Send(packet)) => to_acceptor.push(packet),
                Ok(Progress::Alive) => to_acceptor.push(initiator.answer_alive(true)),
                Ok(Progress::Done(peer, _)) => a = Ok(Some(peer)),
                Ok(_) => {}
                Err(error) => a = Err(error),
            }
        }
    }
    (a, b)
}

fn dial(cookie: &str) -> (Initiator, Vec<u8>) {
    Initiator::new(&local("a@h"), "b@h".parse().unwrap(), cookie.into(), 1234)
}

fn dial_nameless(host: &str) -> (Initiator, Vec<u8>) {
    Initiator::nameless(host, "b@h".parse().unwrap(), "c".into(), 1234)
}

#[test]
fn the_same_cookie_connects() {
    for status in [Status::Ok, Status::OkSimultaneous, Status::Alive] {
        let (a, b) = meet(dial("c"), &status, "c");
        assert_eq!(a.unwrap().unwrap().name.as_str(), "b@h");
        let peer = b.unwrap().unwrap();
        assert_eq!((peer.name.as_str(), peer.creation), ("a@h", Creation::new(7)));
        assert!(peer.flags.contains(Flags::PUBLISHED));
    }
}

#[test]
fn another_cookie_does_not() {
    assert_eq!(meet(dial("c"), &Status::Ok, "d"), (Ok(None), Err(HandshakeError::Cookie)));
}

#[test]
fn a_refusal_says_its_kind() {
    assert_eq!(meet(dial("c"), &Status::Nok, "c").0, Err(HandshakeError::Nok));
    assert_eq!(meet(dial("c"), &Status::NotAllowed, "c").0, Err(HandshakeError::NotAllowed));
}

#[test]
fn who_has_no_name_is_given_one() {
    let mut acceptor = Acceptor::new(local("b@h"), 1);
    let flags = (Flags::OFFERED | Flags::NAME_ME).bits().to_be_bytes();
    let hello = [b"N".as_slice(), &flags, &[0, 0, 0, 0, 0, 4], b"host"].concat();
    let Ok(Progress::Hello(Hello::Nameless { host, .. })) = acceptor.packet(&hello) else { panic!() };
    assert_eq!(host, "host");
    let answers = acceptor.answer(&Status::Named("1X@host".parse().unwrap(), Creation::new(9)), &"c".into());
    assert_eq!(answers[0], b"snamed:\0\x071X@host\0\0\0\x09");
    let challenge = Flags::from_bits(u64::from_be_bytes(answers[1][1..9].try_into().unwrap()));
    assert!(challenge.contains(Flags::NAME_ME) && !challenge.contains(Flags::PUBLISHED));
}

#[test]
fn we_are_given_a_name() {
    let status = Status::Named("1X@host".parse().unwrap(), Creation::new(9));
    let (a, b) = meet(dial_nameless("host"), &status, "c");
    let (a, b) = (a.unwrap().unwrap(), b.unwrap().unwrap());
    assert_eq!((a.name.as_str(), b.name.as_str(), b.creation), ("b@h", "1X@host", Creation::new(9)));
    assert_eq!(a.flags, b.flags);
    assert!(!a.flags.contains(Flags::PUBLISHED) && !a.flags.contains(Flags::NAME_ME));
    // A tail is for later releases.
    let (mut initiator, _) = dial_nameless("host");
    let named = initiator.packet(b"snamed:\0\x071X@host\0\0\0\x09tail").unwrap();
    assert!(matches!(named, Progress::Named(name, creation) if name.as_str() == "1X@host" && creation.get() == 9));
}

#[test]
fn a_given_name_is_one_of_our_host_and_only_asked_for() {
    let packet = |mut initiator: Initiator, packet: &[u8]| initiator.packet(packet).unwrap_err();
    let found = HandshakeError::GivenName { found: "1X@host".to_owned() };
    assert_eq!(packet(dial_nameless("other").0, b"snamed:\0\x071X@host\0\0\0\x09"), found);
    assert_eq!(packet(dial_nameless("host").0, b"sok"), HandshakeError::Nameless);
    assert_eq!(packet(dial("c").0, b"snamed:\0\x071X@host\0\0\0\x09"), HandshakeError::Status);
}

/// What OTP 23 and 24 send, and how OTP 27 and 29 answer it.
mod old_hello {
    use super::*;

    fn hello(flags: Flags) -> Vec<u8> {
        [b"n\0\x05".as_slice(), &(flags.bits() as u32).to_be_bytes(), b"a@h"].concat()
    }

    /// The acceptor after the complement and the proof.
    fn finish(offered: Flags, status: &Status) -> Result<Progress, HandshakeError> {
        let mut acceptor = Acceptor::new(local("b@h"), 5678);
        let Progress::Hello(Hello::Named(_)) = acceptor.packet(&hello(offered)).unwrap() else { panic!() };
        let packets = acceptor.answer(status, &"c".into());
        if *status == Status::Alive {
            assert!(matches!(acceptor.packet(b"strue"), Ok(Progress::Send(challenge)) if challenge[0] == b'N'));
        } else {
            assert_eq!((packets[0].as_slice(), packets[1][0]), (&b"sok"[..], b'N'));
        }
        let high = ((offered.bits() >> 32) as u32).to_be_bytes();
        assert!(matches!(acceptor.packet(&[b"c", &high[..], &[0, 0, 0, 9]].concat()), Ok(Progress::Wait)));
        let proof = digest::digest(&Cookie::from("c"), 5678);
        acceptor.packet(&[b"r".as_slice(), &[0, 0, 0, 1], &proof].concat())
    }

    #[test]
    fn becomes_a_connection_with_its_complement() {
        for status in [Status::Ok, Status::Alive] {
            let done = finish(Flags::OFFERED | Flags::PUBLISHED, &status).unwrap();
            let Progress::Done(peer, Some(_)) = done else { panic!("{done:?}") };
            assert_eq!((peer.name.as_str(), peer.creation), ("a@h", Creation::new(9)));
            assert_eq!(peer.flags, Flags::OFFERED | Flags::PUBLISHED);
        }
    }

    #[test]
    fn is_refused_at_once_for_what_it_shows_and_late_for_the_rest() {
        let mut acceptor = Acceptor::new(local("b@h"), 1);
        let without = Flags::OFFERED.without(Flags::UNLINK_ID);
        let Ok(Progress::Hello(Hello::Incapable { missing, .. })) = acceptor.packet(&hello(without)) else { panic!() };
        assert_eq!(missing, Flags::UNLINK_ID);
        assert_eq!(acceptor.answer(&Status::NotAllowed, &"c".into()), [b"snot_allowed".to_vec()]);
        let late = finish(Flags::OFFERED.without(Flags::V4_NC), &Status::Ok).unwrap();
        assert!(matches!(late, Progress::Refused(packet, Flags::V4_NC) if packet == b"snot_allowed"));
    }

    #[test]
    fn may_state_the_digest_alone() {
        let digest = Flags::MANDATORY_25_DIGEST | Flags::UNLINK_ID | Flags::V4_NC;
        assert!(matches!(finish(digest, &Status::Ok), Ok(Progress::Done(..))));
    }

    #[test]
    fn is_nothing_without_its_complement() {
        let mut acceptor = Acceptor::new(local("b@h"), 5678);
        acceptor.packet(&hello(Flags::OFFERED)).unwrap();
        acceptor.answer(&Status::Ok, &"c".into());
        let proof = digest::digest(&Cookie::from("c"), 5678);
        assert!(acceptor.packet(&[b"r".as_slice(), &[0, 0, 0, 1], &proof].concat()).is_err());
    }
}

#[test]
fn garbage_is_not_erlang() {
    for bytes in [&b""[..], b"GET / HTTP/1.1", b"N", b"Nabcdefghijklmnop", b"n\0\x05", &[0xff; 40]] {
        assert!(dial("c").0.packet(bytes).is_err());
        assert!(Acceptor::new(local("a@h"), 1).packet(bytes).is_err());
    }
}

/// Packets that go some way before they go wrong, and noise.
fn packets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let flags = prop_oneof![
        Just(Flags::OFFERED),
        Just(Flags::OFFERED | Flags::NAME_ME),
        any::<u64>().prop_map(Flags::from_bits)
    ];
    let hello = (flags, "[a-c@]{0,6}").prop_map(|(flags, name)| {
        let length = (name.len() as u16).to_be_bytes();
        [b"N".as_slice(), &flags.bits().to_be_bytes(), &[0; 4], &length, name.as_bytes()].concat()
    });
    let old = "[a-c@]{0,6}".prop_map(|name| [b"n\0\x05\x07\xdf\x5f\xbc".as_slice(), name.as_bytes()].concat());
    let known = prop::sample::select(vec![
        &b"sok"[..],
        b"salive",
        b"strue",
        b"snamed:\0\x03a@h\0\0\0\x09",
        b"c\0\0\0\x0d\0\0\0\x09",
    ]);
    let tagged = (prop::sample::select(b"Nnscra".to_vec()), prop::collection::vec(any::<u8>(), 0..64))
        .prop_map(|(tag, rest)| [&[tag], &rest[..]].concat());
    let noise = prop::collection::vec(any::<u8>(), 0..64);
    let packet = prop_oneof![hello, old, known.prop_map(<[u8]>::to_vec), tagged, noise];
    prop::collection::vec(packet, 0..8)
}

proptest! {
    #[test]
    fn no_packets_make_a_side_panic_or_connect_without_the_cookie(packets in packets(), nameless: bool) {
        let mut initiator = if nameless { dial_nameless("h").0 } else { dial("c").0 };
        let mut acceptor = Acceptor::new(local("b@h"), 5678);
        for packet in &packets {
            match initiator.packet(packet) {
                Ok(Progress::Alive) => drop(initiator.answer_alive(packets.len() % 2 == 0)),
                Ok(progress) => prop_assert!(!matches!(progress, Progress::Done(..))),
                Err(_) => {}
            }
            match acceptor.packet(packet) {
                Ok(Progress::Hello(Hello::Named(_))) => drop(acceptor.answer(&Status::Ok, &"c".into())),
                Ok(Progress::Hello(Hello::Nameless { .. })) => {
                    let name = Status::Named("1X@host".parse().unwrap(), Creation::new(9));
                    drop(acceptor.answer(&name, &"c".into()));
                }
                Ok(progress) => prop_assert!(!matches!(progress, Progress::Done(..))),
                Err(_) => {}
            }
        }
    }
}
