//! The handshake, version 6: two nodes tell their names and prove that they know the same cookie.
//!
//! Follows "Distribution Handshake" of the OTP documentation. [`Initiator`] dials, [`Acceptor`] is dialed. Both take whole
//! packets (without their two bytes of length, see [`packet`]) and say what to send; the shell owns sockets and deadlines.
//! The old form `n` of OTP 22 is refused.

mod acceptor;
mod digest;
mod initiator;

use bytes::{Buf, Bytes, BytesMut};

pub use acceptor::{Acceptor, Hello, Status};
pub use initiator::Initiator;

use crate::flags::Flags;
use crate::{Cookie, Creation, NameError, NodeName};

/// What a node says of itself in a handshake.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name, as peers dial it.
    pub name: NodeName,
    /// What it offers.
    pub flags: Flags,
    /// Its creation.
    pub creation: Creation,
    /// The cookie that it shares with this peer.
    pub cookie: Cookie,
}

/// A peer that has proven that it knows the cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: NodeName,
    /// What both sides can do.
    pub flags: Flags,
    /// Its creation; tells its restarts apart.
    pub creation: Creation,
}

/// What comes after a packet.
#[derive(Debug)]
pub enum Progress {
    /// Nothing to send; the peer speaks next.
    Wait,
    /// Send this packet; then the peer speaks.
    Send(Vec<u8>),
    /// The acceptor's part: somebody calls. Answer with [`Acceptor::answer`].
    Hello(Hello),
    /// The initiator's part: the peer believes that we are connected. Answer with [`Initiator::answer_alive`].
    Alive,
    /// Both know each other. Send the packet, if there is one; from then on frames have four bytes of length.
    Done(Peer, Option<Vec<u8>>),
}

/// Why a handshake failed. The connection is of no more use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// A packet that is not of this protocol.
    #[error("the peer does not speak the Erlang distribution protocol: {what}")]
    NotErlang {
        /// What was wrong with it.
        what: &'static str,
    },
    /// The peer keeps its own attempt to reach us, or it has our name.
    #[error("the peer refused: it has another connection attempt with this name, or the name is its own")]
    Nok,
    /// The peer does not want us, most often because of flags.
    #[error("the peer refused with the status `not_allowed`")]
    NotAllowed,
    /// A status that is not known.
    #[error("the peer answered with an unknown status")]
    Status,
    /// We offered what the peer lacks.
    #[error("the peer lacks the distribution flags {missing}")]
    Flags {
        /// Which.
        missing: Flags,
    },
    /// Somebody else answers at that address.
    #[error("the node that answers is called {found}")]
    Name {
        /// Its name.
        found: String,
    },
    /// The name that the peer gives itself is none.
    #[error("the peer's name is invalid: {0}")]
    InvalidName(#[from] NameError),
    /// The peer's digest is wrong: it has another cookie.
    #[error("the peer has a different cookie")]
    Cookie,
    /// The peer ended an old connection that it is said to have, or did not.
    #[error("the peer did not want to replace its earlier connection")]
    StillAlive,
}

fn not_erlang(what: &'static str) -> HandshakeError {
    HandshakeError::NotErlang { what }
}

/// Puts the length before a packet.
pub fn packet(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 2);
    out.extend_from_slice(&(body.len() as u16).to_be_bytes());
    out.extend_from_slice(body);
    out
}

/// The longest packet of a handshake: a name of 255 four-byte characters and room for what later releases add.
pub const MAX_PACKET: usize = 2048;

/// Takes a whole packet off the front of what has arrived.
///
/// # Errors
/// The announced length is more than any handshake needs.
pub fn next_packet(buffer: &mut BytesMut) -> Result<Option<Bytes>, HandshakeError> {
    let Some(head) = buffer.get(..2) else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([head[0], head[1]]));
    if length > MAX_PACKET {
        return Err(not_erlang("a packet longer than any of a handshake"));
    }
    if buffer.len() < length + 2 {
        return Ok(None);
    }
    buffer.advance(2);
    Ok(Some(buffer.split_to(length).freeze()))
}

/// Reads fixed fields off a packet.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], HandshakeError> {
        let (head, rest) = self.0.split_at_checked(count).ok_or_else(|| not_erlang("a packet that is cut off"))?;
        self.0 = rest;
        Ok(head)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], HandshakeError> {
        let mut number = [0; N];
        number.copy_from_slice(self.take(N)?);
        Ok(number)
    }

    fn u16(&mut self) -> Result<u16, HandshakeError> {
        Ok(u16::from_be_bytes(self.number()?))
    }

    fn u32(&mut self) -> Result<u32, HandshakeError> {
        Ok(u32::from_be_bytes(self.number()?))
    }

    fn u64(&mut self) -> Result<u64, HandshakeError> {
        Ok(u64::from_be_bytes(self.number()?))
    }

    fn text(&mut self) -> Result<&'a str, HandshakeError> {
        let length = usize::from(self.u16()?);
        std::str::from_utf8(self.take(length)?).map_err(|_| not_erlang("a name that is not UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(name: &str, cookie: &str) -> Local {
        Local {
            name: name.parse().unwrap(),
            flags: Flags::OFFERED | Flags::PUBLISHED,
            creation: Creation::new(7),
            cookie: cookie.into(),
        }
    }

    /// Both sides in one room. Gives the outcome of the initiator and of the acceptor.
    fn meet(
        one: Local,
        two: Local,
        status: Status,
    ) -> (Result<Option<Peer>, HandshakeError>, Result<Option<Peer>, HandshakeError>) {
        let dialed = two.name.clone();
        let (mut initiator, first) = Initiator::new(one, dialed, 1234);
        let mut acceptor = Acceptor::new(two, 5678);
        let (mut to_acceptor, mut to_initiator) = (vec![first], Vec::new());
        let (mut a, mut b) = (Ok(None), Ok(None));
        for _ in 0..8 {
            for packet in std::mem::take(&mut to_acceptor) {
                match acceptor.packet(&packet) {
                    Ok(Progress::Hello(_)) => to_initiator.extend(acceptor.answer(&status)),
                    Ok(Progress::Send(packet)) => to_initiator.push(packet),
                    Ok(Progress::Done(peer, last)) => {
                        to_initiator.extend(last);
                        b = Ok(Some(peer));
                    }
                    Ok(Progress::Wait | Progress::Alive) => {}
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

    #[test]
    fn the_same_cookie_connects() {
        for status in [Status::Ok, Status::OkSimultaneous, Status::Alive] {
            let (a, b) = meet(local("a@h", "c"), local("b@h", "c"), status);
            assert_eq!(a.unwrap().unwrap().name.as_str(), "b@h");
            let peer = b.unwrap().unwrap();
            assert_eq!((peer.name.as_str(), peer.creation), ("a@h", Creation::new(7)));
            assert!(peer.flags.contains(Flags::PUBLISHED));
        }
    }

    #[test]
    fn another_cookie_does_not() {
        let (a, b) = meet(local("a@h", "c"), local("b@h", "d"), Status::Ok);
        assert_eq!((a, b), (Ok(None), Err(HandshakeError::Cookie)));
    }

    #[test]
    fn a_refusal_says_its_kind() {
        let (a, _) = meet(local("a@h", "c"), local("b@h", "c"), Status::Nok);
        assert_eq!(a, Err(HandshakeError::Nok));
        let (a, _) = meet(local("a@h", "c"), local("b@h", "c"), Status::NotAllowed);
        assert_eq!(a, Err(HandshakeError::NotAllowed));
    }

    #[test]
    fn who_has_no_name_is_given_one() {
        let mut acceptor = Acceptor::new(local("b@h", "c"), 1);
        let flags = (Flags::OFFERED | Flags::NAME_ME).bits().to_be_bytes();
        let hello = [b"N".as_slice(), &flags, &[0, 0, 0, 0, 0, 4], b"host"].concat();
        let Ok(Progress::Hello(Hello::Nameless { host, .. })) = acceptor.packet(&hello) else { panic!() };
        assert_eq!(host, "host");
        let answers = acceptor.answer(&Status::Named("1X@host".parse().unwrap(), Creation::new(9)));
        assert_eq!(answers[0], b"snamed:\0\x071X@host\0\0\0\x09");
        let challenge = Flags::from_bits(u64::from_be_bytes(answers[1][1..9].try_into().unwrap()));
        assert!(challenge.contains(Flags::NAME_ME) && !challenge.contains(Flags::PUBLISHED));
    }

    #[test]
    fn garbage_is_not_erlang() {
        for bytes in [&b""[..], b"GET / HTTP/1.1", b"N", b"Nabcdefghijklmnop", b"n\0\x05", &[0xff; 40]] {
            let (mut initiator, _) = Initiator::new(local("a@h", "c"), "b@h".parse().unwrap(), 1);
            assert!(initiator.packet(bytes).is_err());
            assert!(Acceptor::new(local("a@h", "c"), 1).packet(bytes).is_err());
        }
    }
}
