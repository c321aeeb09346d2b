//! The side that is dialed.

use super::{Fields, HandshakeError, Local, Peer, Progress, digest, not_erlang};
use crate::flags::Flags;
use crate::{Creation, NodeName};

/// A handshake seen from the node that is dialed.
#[derive(Debug)]
pub struct Acceptor {
    local: Local,
    challenge: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Hello,
    Answer { flags: Flags, peer: Option<(NodeName, Creation)> },
    Alive(Peer, Vec<u8>),
    Reply(Peer),
    Over,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hello {
    /// A node with a name.
    Named(NodeName),
    /// A node that asks to be given one, such as a remote shell.
    Nameless {
        /// The host part that the name must have.
        host: String,
    },
    /// A node that cannot be spoken with; answer [`Status::NotAllowed`].
    Incapable {
        /// Its name.
        name: String,
        /// What it lacks.
        missing: Flags,
    },
}

/// How a caller is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Welcome.
    Ok,
    /// Welcome; our own attempt to reach it is dropped.
    OkSimultaneous,
    /// Our own attempt to reach it goes on.
    Nok,
    /// Not welcome.
    NotAllowed,
    /// We think we are connected with it. Shall the old connection go?
    Alive,
    /// Welcome under this name.
    Named(NodeName, Creation),
}

impl Acceptor {
    /// Awaits a caller; `challenge` must be random.
    pub fn new(local: Local, challenge: u32) -> Acceptor {
        Acceptor { local, challenge, state: State::Hello }
    }

    /// Takes the caller's next packet.
    ///
    /// # Errors
    /// The handshake is over without a connection.
    pub fn packet(&mut self, body: &[u8]) -> Result<Progress, HandshakeError> {
        match (std::mem::replace(&mut self.state, State::Over), body.split_first()) {
            (State::Hello, Some((b'N', rest))) => self.hello(Fields(rest)),
            (State::Alive(peer, challenge), Some((b's', b"true"))) => {
                self.state = State::Reply(peer);
                Ok(Progress::Send(challenge))
            }
            (State::Alive(..), Some((b's', _))) => Err(HandshakeError::StillAlive),
            (State::Reply(peer), Some((b'r', rest))) => {
                let mut fields = Fields(rest);
                let challenge = fields.u32()?;
                if !digest::matches(&self.local.cookie, self.challenge, fields.take(16)?) {
                    return Err(HandshakeError::Cookie);
                }
                let mut ack = vec![b'a'];
                ack.extend_from_slice(&digest::digest(&self.local.cookie, challenge));
                Ok(Progress::Done(peer, Some(ack)))
            }
            _ => Err(not_erlang("a packet that does not belong here")),
        }
    }

    fn hello(&mut self, mut fields: Fields<'_>) -> Result<Progress, HandshakeError> {
        let flags = Flags::from_bits(fields.u64()?);
        let creation = Creation::new(fields.u32()?);
        let text = fields.text()?;
        let missing = flags.missing();
        let (hello, peer) = if !missing.is_empty() {
            (Hello::Incapable { name: text.to_owned(), missing }, None)
        } else if flags.contains(Flags::NAME_ME) {
            (Hello::Nameless { host: text.to_owned() }, None)
        } else {
            let name: NodeName = text.parse()?;
            (Hello::Named(name.clone()), Some((name, creation)))
        };
        self.state = State::Answer { flags, peer };
        Ok(Progress::Hello(hello))
    }

    /// The packets that answer the caller, in order. After a refusal the connection is to be closed.
    pub fn answer(&mut self, status: &Status) -> Vec<Vec<u8>> {
        let State::Answer { flags, peer } = std::mem::replace(&mut self.state, State::Over) else { return Vec::new() };
        let (text, peer, named) = match (status, peer) {
            (Status::Nok, _) => return vec![b"snok".to_vec()],
            (Status::Named(name, creation), _) => (named(name, *creation), Some((name.clone(), *creation)), true),
            (Status::Ok, peer) => (b"sok".to_vec(), peer, false),
            (Status::OkSimultaneous, peer) => (b"sok_simultaneous".to_vec(), peer, false),
            (Status::Alive, peer) => (b"salive".to_vec(), peer, false),
            (Status::NotAllowed, _) => (Vec::new(), None, false),
        };
        let Some((name, creation)) = peer else { return vec![b"snot_allowed".to_vec()] };
        // A caller without a name wants its request confirmed, and is hidden from then on.
        let own = if named { self.local.flags.without(Flags::PUBLISHED) | Flags::NAME_ME } else { self.local.flags };
        let challenge = self.challenge_packet(own);
        let peer = Peer { name, flags: (flags & own).without(Flags::NAME_ME), creation };
        if matches!(status, Status::Alive) {
            self.state = State::Alive(peer, challenge);
            return vec![text];
        }
        self.state = State::Reply(peer);
        vec![text, challenge]
    }

    fn challenge_packet(&self, flags: Flags) -> Vec<u8> {
        let name = self.local.name.as_str();
        let mut packet = vec![b'N'];
        packet.extend_from_slice(&flags.bits().to_be_bytes());
        packet.extend_from_slice(&self.challenge.to_be_bytes());
        packet.extend_from_slice(&self.local.creation.get().to_be_bytes());
        packet.extend_from_slice(&(name.len() as u16).to_be_bytes());
        packet.extend_from_slice(name.as_bytes());
        packet
    }
}

fn named(name: &NodeName, creation: Creation) -> Vec<u8> {
    let mut status = b"snamed:".to_vec();
    status.extend_from_slice(&(name.as_str().len() as u16).to_be_bytes());
    status.extend_from_slice(name.as_str().as_bytes());
    status.extend_from_slice(&creation.get().to_be_bytes());
    status
}
