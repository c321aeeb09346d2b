//! The side that dials.

use super::{Fields, HandshakeError, Local, Peer, Progress, digest, not_erlang};
use crate::flags::Flags;
use crate::{Cookie, Creation, NodeName};

/// A handshake seen from the node that dials.
#[derive(Debug)]
pub struct Initiator {
    /// What we offer.
    flags: Flags,
    /// The host of the name that we ask for; `None` if we have a name.
    nameless_host: Option<String>,
    dialed: NodeName,
    cookie: Cookie,
    challenge: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Status,
    Alive,
    Challenge,
    Ack(Peer),
    Over,
}

impl Initiator {
    /// Begins a handshake with the node that is called `dialed`; `challenge` must be random. Also gives the first packet.
    pub fn new(local: &Local, dialed: NodeName, cookie: Cookie, challenge: u32) -> (Initiator, Vec<u8>) {
        let hello = hello(local.flags, local.creation, local.name.as_str());
        let state = State::Status;
        (Initiator { flags: local.flags, nameless_host: None, dialed, cookie, challenge, state }, hello)
    }

    /// The same for a node without a name, which asks the other for one on `host`; see [`Progress::Named`].
    pub fn nameless(host: &str, dialed: NodeName, cookie: Cookie, challenge: u32) -> (Initiator, Vec<u8>) {
        let hello = hello(Flags::OFFERED | Flags::NAME_ME, Creation::new(0), host);
        let nameless_host = Some(host.to_owned());
        (Initiator { flags: Flags::OFFERED, nameless_host, dialed, cookie, challenge, state: State::Status }, hello)
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
        match (std::mem::replace(&mut self.state, State::Over), body.split_first()) {
            (State::Status, Some((b's', status))) => self.status(status),
            (State::Challenge, Some((b'N', rest))) => self.challenged(Fields(rest)),
            (State::Ack(peer), Some((b'a', given))) => {
                if digest::matches(&self.cookie, self.challenge, given) {
                    Ok(Progress::Done(peer, None))
                } else {
                    Err(HandshakeError::Cookie)
                }
            }
            // A peer that could not see all our flags before.
            (State::Ack(_), Some((b's', b"not_allowed"))) => Err(HandshakeError::NotAllowed),
            _ => Err(not_erlang("a packet that does not belong here")),
        }
    }

    /// Answers [`Progress::Alive`]: whether the connection that the peer believes in is stale, and this one takes its place.
    /// If not, nothing follows.
    pub fn answer_alive(&mut self, is_stale: bool) -> Vec<u8> {
        let was_asked = matches!(self.state, State::Alive);
        self.state = if was_asked && is_stale { State::Challenge } else { State::Over };
        if is_stale { b"strue".to_vec() } else { b"sfalse".to_vec() }
    }

    fn status(&mut self, status: &[u8]) -> Result<Progress, HandshakeError> {
        match (status, &self.nameless_host) {
            (b"nok", _) => Err(HandshakeError::Nok),
            (b"not_allowed", _) => Err(HandshakeError::NotAllowed),
            (b"ok" | b"ok_simultaneous", None) => {
                self.state = State::Challenge;
                Ok(Progress::Wait)
            }
            (b"alive", None) => {
                self.state = State::Alive;
                Ok(Progress::Alive)
            }
            (status, Some(host)) => {
                let mut fields = Fields(status.strip_prefix(b"named:").ok_or(HandshakeError::Nameless)?);
                let name: NodeName = fields.text()?.parse()?;
                let creation = Creation::new(fields.u32()?);
                if name.host() != host {
                    return Err(HandshakeError::GivenName { found: name.to_string() });
                }
                self.state = State::Challenge;
                Ok(Progress::Named(name, creation))
            }
            _ => Err(HandshakeError::Status),
        }
    }

    fn challenged(&mut self, mut fields: Fields<'_>) -> Result<Progress, HandshakeError> {
        let flags = Flags::from_bits(fields.u64()?);
        let challenge = fields.u32()?;
        let creation = Creation::new(fields.u32()?);
        let name = fields.text()?;
        if name != self.dialed.as_str() {
            return Err(HandshakeError::Name { dialed: self.dialed.clone(), found: name.to_owned() });
        }
        let missing = flags.missing();
        if !missing.is_empty() {
            return Err(HandshakeError::Flags { missing });
        }
        let mut reply = vec![b'r'];
        reply.extend_from_slice(&self.challenge.to_be_bytes());
        reply.extend_from_slice(&digest::digest(&self.cookie, challenge));
        self.state = State::Ack(Peer { name: self.dialed.clone(), flags: flags & self.flags, creation });
        Ok(Progress::Send(reply))
    }
}

fn hello(flags: Flags, creation: Creation, name: &str) -> Vec<u8> {
    let mut hello = vec![b'N'];
    hello.extend_from_slice(&flags.bits().to_be_bytes());
    hello.extend_from_slice(&creation.get().to_be_bytes());
    hello.extend_from_slice(&(name.len() as u16).to_be_bytes());
    hello.extend_from_slice(name.as_bytes());
    hello
}
