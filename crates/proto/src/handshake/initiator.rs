//! The side that dials.

use super::{Fields, HandshakeError, Local, Peer, Progress, digest, not_erlang};
use crate::flags::Flags;
use crate::{Creation, NodeName};

/// A handshake seen from the node that dials.
#[derive(Debug)]
pub struct Initiator {
    local: Local,
    dialed: NodeName,
    challenge: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Status,
    Alive,
    Challenge,
    Ack(Peer),
}

impl Initiator {
    /// Begins a handshake with the node that is called `dialed`; `challenge` must be random. Also gives the first packet.
    pub fn new(local: Local, dialed: NodeName, challenge: u32) -> (Initiator, Vec<u8>) {
        let name = local.name.as_str();
        let mut hello = vec![b'N'];
        hello.extend_from_slice(&local.flags.bits().to_be_bytes());
        hello.extend_from_slice(&local.creation.get().to_be_bytes());
        hello.extend_from_slice(&(name.len() as u16).to_be_bytes());
        hello.extend_from_slice(name.as_bytes());
        (Initiator { local, dialed, challenge, state: State::Status }, hello)
    }

    /// Whether the peer has not yet answered at all.
    pub fn is_unanswered(&self) -> bool {
        matches!(self.state, State::Status)
    }

    /// Whether our proof is out: a peer that closes now did not accept our cookie.
    pub fn awaits_verdict(&self) -> bool {
        matches!(self.state, State::Ack(_))
    }

    /// Takes the peer's next packet.
    ///
    /// # Errors
    /// The handshake is over without a connection.
    pub fn packet(&mut self, body: &[u8]) -> Result<Progress, HandshakeError> {
        match (&self.state, body.split_first()) {
            (State::Status, Some((b's', status))) => self.status(status),
            (State::Challenge, Some((b'N', rest))) => self.challenged(Fields(rest)),
            (State::Ack(peer), Some((b'a', given))) => {
                if digest::matches(&self.local.cookie, self.challenge, given) {
                    Ok(Progress::Done(peer.clone(), None))
                } else {
                    Err(HandshakeError::Cookie)
                }
            }
            _ => Err(not_erlang("a packet that does not belong here")),
        }
    }

    /// Answers [`Progress::Alive`]: whether the connection that the peer believes in is stale, and this one takes its place.
    /// If not, nothing follows.
    pub fn answer_alive(&mut self, is_stale: bool) -> Vec<u8> {
        self.state = State::Challenge;
        if is_stale { b"strue".to_vec() } else { b"sfalse".to_vec() }
    }

    fn status(&mut self, status: &[u8]) -> Result<Progress, HandshakeError> {
        self.state = State::Challenge;
        match status {
            b"ok" | b"ok_simultaneous" => Ok(Progress::Wait),
            b"alive" => {
                self.state = State::Alive;
                Ok(Progress::Alive)
            }
            b"nok" => Err(HandshakeError::Nok),
            b"not_allowed" => Err(HandshakeError::NotAllowed),
            _ => Err(HandshakeError::Status),
        }
    }

    fn challenged(&mut self, mut fields: Fields<'_>) -> Result<Progress, HandshakeError> {
        let flags = Flags::from_bits(fields.u64()?);
        let challenge = fields.u32()?;
        let creation = Creation::new(fields.u32()?);
        let name = fields.text()?;
        if name != self.dialed.as_str() {
            return Err(HandshakeError::Name { found: name.to_owned() });
        }
        let missing = flags.missing();
        if !missing.is_empty() {
            return Err(HandshakeError::Flags { missing });
        }
        let mut reply = vec![b'r'];
        reply.extend_from_slice(&self.challenge.to_be_bytes());
        reply.extend_from_slice(&digest::digest(&self.local.cookie, challenge));
        self.state = State::Ack(Peer { name: self.dialed.clone(), flags: flags & self.local.flags, creation });
        Ok(Progress::Send(reply))
    }
}
