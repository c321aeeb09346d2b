//! The handshake, version 6: two nodes tell their names and prove that they know the same cookie.
//!
//! Follows "Distribution Handshake" of the OTP documentation. [`Initiator`] dials, [`Acceptor`] is dialed. Both take whole
//! packets (without their length, see [`Framing`]) and say what to send; the shell owns sockets and deadlines. The old hello
//! `n` with its complement `c` is taken, since OTP 23 and 24 send it where epmd told them nothing of us; it is never sent.

mod acceptor;
mod digest;
mod framing;
mod initiator;
#[cfg(test)]
mod tests;

pub use acceptor::{Acceptor, Hello, Status};
pub use framing::{Framing, MAX_PACKET};
pub use initiator::Initiator;

use crate::flags::Flags;
use crate::{Creation, NameError, NodeName};

/// What a node says of itself in a handshake.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name, as peers dial it.
    pub name: NodeName,
    /// What it offers.
    pub flags: Flags,
    /// Its creation.
    pub creation: Creation,
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
    /// The acceptor's part: the caller knows the cookie, but lacks these flags. Send the packet and close.
    Refused(Vec<u8>, Flags),
    /// The initiator's part: it had no name and has been given this one, with this creation; the peer goes on speaking.
    Named(NodeName, Creation),
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
    /// We have no name, and the peer gives none.
    #[error("the peer gives no names to nodes without one")]
    Nameless,
    /// We asked for a name, and the peer gave one of another host.
    #[error("the peer gave us the name {found}, which is not one of this host")]
    GivenName {
        /// The name.
        found: String,
    },
    /// We offered what the peer lacks.
    #[error("the peer lacks the distribution flags {missing}")]
    Flags {
        /// Which.
        missing: Flags,
    },
    /// Somebody else answers at that address.
    #[error("the node that answers is called {found}")]
    Name {
        /// Who was dialed.
        dialed: NodeName,
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
        utf8(self.take(length)?)
    }

    fn rest_as_text(&self) -> Result<&'a str, HandshakeError> {
        utf8(self.0)
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, HandshakeError> {
    std::str::from_utf8(bytes).map_err(|_| not_erlang("a name that is not UTF-8"))
}
