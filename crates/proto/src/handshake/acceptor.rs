//! The side that is dialed.

use super::{Fields, HandshakeError, Local, Peer, Progress, digest, not_erlang};
use crate::flags::Flags;
use crate::{Cookie, Creation, NodeName};

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
    Answer { flags: Flags, named: Option<(NodeName, Creation)>, is_old: bool },
    Alive(Caller, Vec<u8>),
    Complement(Caller),
    Reply(Caller),
    Over,
}

/// A caller that was welcomed and has proven nothing yet.
#[derive(Debug)]
struct Caller {
    name: NodeName,
    creation: Creation,
    /// What we share with it.
    cookie: Cookie,
    /// What it offers.
    flags: Flags,
    /// What we offered it.
    own: Flags,
    /// It said hello in the old form, whose second half is still to come.
    is_old: bool,
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
            (State::Hello, Some((b'n', rest))) => self.old_hello(Fields(rest)),
            (State::Alive(caller, challenge), Some((b's', b"true"))) => {
                self.welcome(caller);
                Ok(Progress::Send(challenge))
            }
            (State::Alive(..), Some((b's', _))) => Err(HandshakeError::StillAlive),
            (State::Complement(caller), Some((b'c', rest))) => {
                let mut fields = Fields(rest);
                let high = Flags::from_bits(u64::from(fields.u32()?) << 32);
                let creation = Creation::new(fields.u32()?);
                self.state = State::Reply(Caller { flags: caller.flags | high, creation, ..caller });
                Ok(Progress::Wait)
            }
            (State::Reply(caller), Some((b'r', rest))) => self.reply(caller, Fields(rest)),
            _ => Err(not_erlang("a packet that does not belong here")),
        }
    }

    fn hello(&mut self, mut fields: Fields<'_>) -> Result<Progress, HandshakeError> {
        let flags = Flags::from_bits(fields.u64()?);
        let creation = Creation::new(fields.u32()?);
        let text = fields.text()?;
        let is_nameless = flags.contains(Flags::NAME_ME);
        let named = if is_nameless { None } else { Some((text, creation)) };
        self.answerable(flags, flags.missing(), text, named, false)
    }

    /// What OTP 23 and 24 send when epmd has not told them that we know better. Half of the flags and the creation follow
    /// in a complement, so that half of the demands can be made only then.
    fn old_hello(&mut self, mut fields: Fields<'_>) -> Result<Progress, HandshakeError> {
        // As OTP 27 and 29, which do not look at the version.
        let _version = fields.u16()?;
        let flags = Flags::from_bits(fields.u32()?.into());
        let text = fields.rest_as_text()?;
        let missing = Flags::from_bits(flags.missing().bits() & u64::from(u32::MAX));
        self.answerable(flags, missing, text, Some((text, Creation::new(0))), true)
    }

    fn answerable(
        &mut self,
        flags: Flags,
        missing: Flags,
        text: &str,
        named: Option<(&str, Creation)>,
        is_old: bool,
    ) -> Result<Progress, HandshakeError> {
        let (hello, named) = match named {
            _ if !missing.is_empty() => (Hello::Incapable { name: text.to_owned(), missing }, None),
            None => (Hello::Nameless { host: text.to_owned() }, None),
            Some((name, creation)) => {
                let name: NodeName = name.parse()?;
                (Hello::Named(name.clone()), Some((name, creation)))
            }
        };
        self.state = State::Answer { flags, named, is_old };
        Ok(Progress::Hello(hello))
    }

    /// The packets that answer the caller, in order, who is to prove that it knows `cookie`. After a refusal the connection
    /// is to be closed.
    pub fn answer(&mut self, status: &Status, cookie: &Cookie) -> Vec<Vec<u8>> {
        let State::Answer { flags, named, is_old } = std::mem::replace(&mut self.state, State::Over) else {
            return Vec::new();
        };
        let (text, named, is_given) = match (status, named) {
            (Status::Nok, _) => return vec![b"snok".to_vec()],
            (Status::Named(name, creation), _) => (given(name, *creation), Some((name.clone(), *creation)), true),
            (Status::Ok, named) => (b"sok".to_vec(), named, false),
            (Status::OkSimultaneous, named) => (b"sok_simultaneous".to_vec(), named, false),
            (Status::Alive, named) => (b"salive".to_vec(), named, false),
            (Status::NotAllowed, _) => (Vec::new(), None, false),
        };
        let Some((name, creation)) = named else { return vec![NOT_ALLOWED.to_vec()] };
        // A caller without a name wants its request confirmed, and is hidden from then on.
        let own = if is_given { self.local.flags.without(Flags::PUBLISHED) | Flags::NAME_ME } else { self.local.flags };
        let challenge = self.challenge_packet(own);
        let caller = Caller { name, creation, cookie: cookie.clone(), flags, own, is_old };
        if matches!(status, Status::Alive) {
            self.state = State::Alive(caller, challenge);
            return vec![text];
        }
        self.welcome(caller);
        vec![text, challenge]
    }

    fn welcome(&mut self, caller: Caller) {
        self.state = if caller.is_old { State::Complement(caller) } else { State::Reply(caller) };
    }

    fn reply(&self, caller: Caller, mut fields: Fields<'_>) -> Result<Progress, HandshakeError> {
        let challenge = fields.u32()?;
        if !digest::matches(&caller.cookie, self.challenge, fields.take(16)?) {
            return Err(HandshakeError::Cookie);
        }
        let missing = caller.flags.missing();
        if !missing.is_empty() {
            return Ok(Progress::Refused(NOT_ALLOWED.to_vec(), missing));
        }
        let mut ack = vec![b'a'];
        ack.extend_from_slice(&digest::digest(&caller.cookie, challenge));
        let flags = (caller.flags & caller.own).without(Flags::NAME_ME);
        Ok(Progress::Done(Peer { name: caller.name, flags, creation: caller.creation }, Some(ack)))
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

const NOT_ALLOWED: &[u8] = b"snot_allowed";

fn given(name: &NodeName, creation: Creation) -> Vec<u8> {
    let mut status = b"snamed:".to_vec();
    status.extend_from_slice(&(name.as_str().len() as u16).to_be_bytes());
    status.extend_from_slice(name.as_str().as_bytes());
    status.extend_from_slice(&creation.get().to_be_bytes());
    status
}
