//! Both sides of a handshake with a network between them that passes on, spoils, drops and invents packets: no panic, and
//! no connection for who does not know the cookie, or under a name that was not said.
#![no_main]

use beamline_proto::flags::Flags;
use beamline_proto::handshake::{Acceptor, Framing, Hello, Initiator, Local, Progress, Status};
use beamline_proto::{Creation, NodeName};
use bytes::BytesMut;

fn name(text: &str) -> NodeName {
    text.parse().unwrap()
}

fn local(text: &str) -> Local {
    Local { name: name(text), flags: Flags::OFFERED | Flags::PUBLISHED, creation: Creation::new(7) }
}

fn status(choice: u8) -> Status {
    match choice % 6 {
        0 => Status::Ok,
        1 => Status::OkSimultaneous,
        2 => Status::Nok,
        3 => Status::NotAllowed,
        4 => Status::Alive,
        _ => Status::Named(name("1X@h"), Creation::new(9)),
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [setup, data @ ..] = data else { return };
    let (is_nameless, knows) = (setup & 1 == 1, setup & 2 == 2);
    let cookie = if knows { "c" } else { "other" };
    // Of the whole input: a fuzzer that sees what its bytes are compared with must not find the digest of a fixed challenge.
    let challenge = data.iter().fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619));
    let (mut initiator, first) = if is_nameless {
        Initiator::nameless("h", name("b@h"), cookie.into(), challenge ^ 1)
    } else {
        Initiator::new(&local("a@h"), name("b@h"), cookie.into(), challenge ^ 1)
    };
    let mut acceptor = Acceptor::new(local("b@h"), challenge);
    let (mut to_acceptor, mut to_initiator) = (vec![first], Vec::new());
    let mut spoiled = false;
    let mut steps = data.chunks(24);
    while let Some([step, rest @ ..]) = steps.next() {
        let queue = if step & 1 == 0 { &mut to_acceptor } else { &mut to_initiator };
        let packet = match (step >> 1) % 3 {
            0 if !queue.is_empty() => queue.remove(0),
            1 if !queue.is_empty() => {
                let mut packet = queue.remove(0);
                for pair in rest.chunks_exact(2) {
                    if let Some(byte) = packet.get_mut(usize::from(pair[0])) {
                        spoiled |= pair[1] != 0;
                        *byte ^= pair[1];
                    }
                }
                packet
            }
            _ => {
                spoiled = true;
                rest.to_vec()
            }
        };
        if step & 1 == 0 {
            match acceptor.packet(&packet) {
                Ok(Progress::Hello(hello)) => {
                    let status = match hello {
                        Hello::Nameless { .. } => status(5),
                        Hello::Incapable { .. } => Status::NotAllowed,
                        Hello::Named(_) => status(step >> 3),
                    };
                    to_initiator.extend(acceptor.answer(&status, &"c".into()));
                }
                Ok(Progress::Send(packet) | Progress::Refused(packet, _)) => to_initiator.push(packet),
                Ok(Progress::Done(peer, last)) => {
                    assert!(knows, "the acceptor took a caller with another cookie");
                    assert!(!peer.flags.contains(Flags::NAME_ME));
                    to_initiator.extend(last);
                }
                Ok(Progress::Wait | Progress::Alive | Progress::Named(..)) | Err(_) => {}
            }
        } else {
            match initiator.packet(&packet) {
                Ok(Progress::Send(packet)) => to_acceptor.push(packet),
                Ok(Progress::Alive) => to_acceptor.push(initiator.answer_alive(step >> 3 & 1 == 1)),
                Ok(Progress::Named(given, _)) => assert!(is_nameless && given.host() == "h"),
                Ok(Progress::Done(peer, _)) => {
                    assert!(knows, "the initiator took a peer with another cookie");
                    assert_eq!(peer.name, name("b@h"));
                    assert!(spoiled || peer.creation == Creation::new(7));
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    for framing in [Framing::Short, Framing::Long] {
        let mut buffer = BytesMut::from(data);
        while let Ok(Some(packet)) = framing.next(&mut buffer) {
            assert!(packet.len() <= data.len());
        }
    }
});
