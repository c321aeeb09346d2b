//! Gossip datagrams against packets recorded from libcluster 3.5.0 on OTP 25, and against any bytes at all.

#![allow(clippy::unwrap_used, reason = "a test ends where a step fails")]

use beamline_proto::{
    NodeName,
    gossip::{self, MAX_PACKET, Refused, Secret},
};
use beamline_term::{Term, atom};
use proptest::prelude::*;

const RECORDED: &str = include_str!("data/gossip_packets.txt");

/// The packets of one part of the recording: payload, and the text that it was decoded to when it was recorded.
fn recorded(part: &str) -> Vec<(Vec<u8>, &'static str)> {
    let (_, part) = RECORDED.split_once(part).unwrap();
    let part = part.split_once("\n## ").map_or(part, |(part, _)| part);
    let packets = part.lines().filter_map(|line| {
        let (head, text) = line.split_once("  # ")?;
        let (_, hex) = head.split_once("len=")?.1.split_once(' ')?;
        Some((self::hex(hex), text))
    });
    packets.collect()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn name(text: &str) -> NodeName {
    text.parse().unwrap()
}

fn packet(term: &Term) -> Vec<u8> {
    [b"heartbeat::".to_vec(), term.encode()].concat()
}

#[test]
fn plain_packets_of_libcluster() {
    let packets = recorded("## A.");
    assert_eq!(packets.len(), 32);
    for (packet, text) in packets {
        let node = gossip::decode(&packet).unwrap();
        assert!(text.contains(&format!("\\x10{node}'")), "{node} from {text}");
    }
}

#[test]
fn encrypted_packets_are_junk() {
    let packets = recorded("## C.");
    assert!(packets.len() > 20);
    assert!(packets.iter().all(|(packet, _)| gossip::decode(packet).is_none()));
}

#[test]
fn encrypted_packets_of_libcluster() {
    let secret = Secret::new(b"somepassword");
    for (packet, text) in recorded("## C.") {
        let node = secret.decode(&packet).unwrap();
        assert!(text.contains(&format!("\\x10{node}'")), "{node} from {text}");
        assert_eq!(Secret::new(b"another").decode(&packet), Err(Refused::OtherSecret));
    }
    for (packet, _) in recorded("## A.") {
        assert_eq!(secret.decode(&packet), Err(Refused::Plain));
    }
}

#[test]
fn what_a_secret_refuses() {
    let secret = Secret::new(b"s");
    assert_eq!(secret.decode(&[]), Err(Refused::Junk));
    assert_eq!(secret.decode(&[7; 16]), Err(Refused::Junk));
    assert_eq!(secret.decode(&[7; 47]), Err(Refused::Junk));
    assert_eq!(secret.decode(&[7; 48]), Err(Refused::OtherSecret));
    assert_eq!(secret.decode(&vec![7; 65_536]), Err(Refused::Junk));
    assert_eq!(secret.decode(b"heartbeat::junk"), Err(Refused::Junk));
    // Right key and prefix, but its last block is cut off and with it the padding.
    let mut cut = secret.encode(&name(&format!("a@{}", "b".repeat(60))), [1; 16]);
    cut.truncate(cut.len() - 16);
    assert_eq!(secret.decode(&cut), Err(Refused::Junk));
    assert_eq!(format!("{secret:?}"), "Secret(..)");
}

#[test]
fn without_a_secret_encrypted_ones_are_told_from_junk() {
    for (packet, _) in recorded("## B.") {
        assert_eq!(gossip::hear(&packet), Err(Refused::Encrypted));
    }
    let shortest = Secret::new(b"s").encode(&name("a@b"), [9; 16]);
    assert_eq!((shortest.len(), gossip::hear(&shortest)), (48, Err(Refused::Encrypted)));
    for junk in [&b""[..], &[7; 32], &[7; 49], &[7; 65_536 - 16], b"heartbeat::junk, that has 48 bytes as it happens"] {
        assert_eq!(gossip::hear(junk), Err(Refused::Junk), "{} bytes", junk.len());
    }
    assert_eq!(gossip::hear(&gossip::encode(&name("a@b"))), Ok(name("a@b")));
}

#[test]
fn sent_as_otp_26_and_later_send() {
    let sent = gossip::encode(&name("app_a2@127.0.0.1"));
    assert_eq!(sent, b"heartbeat::\x83t\0\0\0\x01w\x04nodew\x10app_a2@127.0.0.1");
    assert_eq!(sent.len(), 41);
}

#[test]
fn other_forms_of_the_format() {
    // OTP 25: term_to_binary(#{more => [1, 2], node => 'a@bxx..x'}, [compressed]).
    let compressed = hex(
        "6865617274626561743a3a835000000082789c2b616060604a6160c9cd2f4acd66606204b1f3f253525318d2131d922ae800004aa635be",
    );
    assert_eq!(gossip::decode(&compressed), Some(name(&format!("a@b{}", "x".repeat(100)))));

    let node = (atom("node").into(), atom("a@b").into());
    let more = (atom("more").into(), Term::list([Term::from(1), Term::from(2)]));
    let map = Term::map([node, more]);
    assert_eq!(gossip::decode(&packet(&map)), Some(name("a@b")));

    let mut trailing = packet(&map);
    trailing.extend(b"trailing");
    assert_eq!(gossip::decode(&trailing), Some(name("a@b")));

    let latin1 = b"heartbeat::\x83t\0\0\0\x01s\x04nodes\x03a@\xe9";
    assert_eq!(gossip::decode(latin1), Some(name("a@é")));
}

#[test]
fn what_is_no_heartbeat() {
    for text in ["", "heartbeat:", "heartbeat::", "heartbeat::junk", "Heartbeat::\u{83}"] {
        assert_eq!(gossip::decode(text.as_bytes()), None, "{text}");
    }
    let no_node = |value: Term| packet(&Term::map([(atom("node").into(), value)]));
    for value in [1.into(), "a@b".into(), atom("ab").into(), atom("@").into(), Term::nil()] {
        assert_eq!(gossip::decode(&no_node(value.clone())), None, "{value}");
    }
    assert_eq!(gossip::decode(&packet(&atom("a@b").into())), None);
    let mut long = gossip::encode(&name("a@b"));
    long.resize(MAX_PACKET + 1, 0);
    assert_eq!(gossip::decode(&long), None);
}

proptest! {
    #[test]
    fn round_trip(alive in "[a-z0-9_-]{1,100}", host in "[a-z0-9.:-]{1,100}") {
        let node = name(&format!("{alive}@{host}"));
        prop_assert_eq!(gossip::decode(&gossip::encode(&node)), Some(node));
    }

    #[test]
    fn round_trip_under_a_secret(alive in "[a-z0-9_-]{1,100}", secret in any::<Vec<u8>>(), vector in any::<[u8; 16]>()) {
        let node = name(&format!("{alive}@host"));
        let secret = Secret::new(&secret);
        let packet = secret.encode(&node, vector);
        prop_assert_eq!((packet.len() % 16, &packet[..16]), (0, vector.as_slice()));
        prop_assert_eq!(secret.decode(&packet), Ok(node));
    }

    #[test]
    fn any_bytes_under_a_secret(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Secret::new(b"s").decode(&bytes).is_err());
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = gossip::decode(&bytes);
        let _ = gossip::decode(&[b"heartbeat::\x83".as_slice(), &bytes].concat());
        let _ = gossip::decode(&[b"heartbeat::\x83t\0\0\0\x01".as_slice(), &bytes].concat());
    }
}
