//! Calls of functions, as `erpc` makes them: requests to spawn `erpc:execute_call/4` under a monitor, whose end carries the
//! answer. The answer repeats who asked and under which reference. Where the function is done at once nobody else wants to
//! know those, so they are kept and written as they came, encoded.

use beamline_term::codec::{Decoder, encode, tag};
use beamline_term::{Atom, Pid};
use bytes::Bytes;

use super::encode::{Place, down, spawn_reply};
use super::{Control, ControlError, Message, SpawnRequest, decode};
use crate::flags::Flags;

/// A request to call a function. It is small, as it is moved more often than read.
#[derive(Debug, PartialEq)]
pub struct Execute {
    places: Places,
    /// Behind its header.
    body: Bytes,
}

/// Where things begin in the body.
#[derive(Debug, PartialEq)]
struct Places {
    from: u32,
    leader: u32,
    what: u32,
    tag: u32,
    module: u32,
    function: u32,
    arguments: u32,
}

impl Execute {
    /// Reads one, in the form in which connections with headers have it. Other signals are given back, also those that are
    /// not as they should be.
    pub(crate) fn read(body: Bytes) -> Result<Execute, Bytes> {
        match parts(&body) {
            Some(places) => Ok(Execute { places, body }),
            None => Err(body),
        }
    }

    /// Whether a process of this node asks.
    pub fn is_of(&self, node: &Atom) -> bool {
        let name = self.from().strip_prefix(PID);
        let Some([length, name @ ..]) = name else { return false };
        name.get(..usize::from(*length)) == Some(node.as_str().as_bytes())
    }

    /// The module and the function; `None` if they are no texts.
    pub fn name(&self) -> Option<(&str, &str)> {
        let Places { module, function, arguments, .. } = self.places;
        let name = |start, end| std::str::from_utf8(self.between(start, end).get(NAME..)?).ok();
        Some((name(module, function)?, name(function, arguments)?))
    }

    /// What the function is called with: an encoded list.
    pub fn arguments(&self) -> Bytes {
        self.body.slice(self.places.arguments as usize..self.body.len() - 1)
    }

    fn between(&self, start: u32, end: u32) -> &[u8] {
        self.body.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Where the function writes to; `None` if what stands there is invalid.
    pub fn group_leader(&self) -> Option<Pid> {
        Decoder::new(&self.body.slice(self.places.leader as usize..self.places.what as usize)).pid().ok()
    }

    /// What the answer begins with, encoded: by that the caller tells it from other reasons.
    pub fn tag(&self) -> &[u8] {
        self.between(self.places.tag, self.places.module)
    }

    /// All that the request says, and the arguments of `execute_call`.
    ///
    /// # Errors
    /// It is not as it should be.
    pub fn whole(&self) -> Result<(Box<SpawnRequest>, Bytes), ControlError> {
        match Message::decode(&self.body, false)? {
            Message { control: Control::SpawnRequest(request), payload } => Ok((request, payload)),
            _ => Err(ControlError::Payload { operation: 29 }),
        }
    }

    /// Appends that `process` was started for it, and is watched.
    pub(crate) fn started(&self, out: &mut Vec<u8>, process: &Pid) {
        spawn_reply(out, self.reference(), self.from(), WATCHED, Ok(process));
    }

    /// Appends that this process has ended.
    pub(crate) fn ended(&self, out: &mut Vec<u8>, flags: Flags, process: &Pid) -> Place {
        down(out, flags, |out| encode::pid(out, process), self.from(), self.reference())
    }

    fn reference(&self) -> &[u8] {
        self.between(HEAD.len() as u32, self.places.from)
    }

    fn from(&self) -> &[u8] {
        self.between(self.places.from, self.places.leader)
    }
}

fn parts(body: &Bytes) -> Option<Places> {
    // Larger ones are read as any signal.
    u32::try_from(body.len()).ok()?;
    let mut decoder = Decoder::new(body);
    if !decoder.pass_bytes(HEAD) {
        return None;
    }
    decoder.pass_reference().ok()?;
    let from = decoder.position();
    if !body[from..].starts_with(PID) {
        return None;
    }
    decoder.pass_pid().ok()?;
    let leader = decoder.position();
    decoder.pass_pid().ok()?;
    let what = decoder.position();
    if !decoder.pass_bytes(WHAT) {
        return None;
    }
    if !decoder.pass_bytes(MONITOR) {
        let options = decode::options(&mut decoder).ok()?;
        if options.link || !options.monitor {
            return None;
        }
    }
    if !decoder.pass_bytes(FOUR) {
        return None;
    }
    let tag = decoder.position();
    decoder.pass_reference().ok()?;
    let module = decoder.position();
    let function = module + name_length(&body[module..])?;
    let arguments = function + name_length(body.get(function..)?)?;
    // They are the last element, behind which is the end of the list.
    if arguments + 1 >= body.len() || body.last() != Some(&tag::NIL) {
        return None;
    }
    let [from, leader, what, tag, module, function, arguments] =
        [from, leader, what, tag, module, function, arguments].map(|place| place as u32);
    Some(Places { from, leader, what, tag, module, function, arguments })
}

/// How many bytes an atom takes in the form of our time.
fn name_length(bytes: &[u8]) -> Option<usize> {
    let [tag::SMALL_ATOM_UTF8, length, ..] = bytes else { return None };
    Some(NAME + usize::from(*length))
}

/// What such an atom has before its text.
const NAME: usize = 2;

/// A request to spawn.
const HEAD: &[u8] = &[tag::SMALL_TUPLE, 6, tag::SMALL_INTEGER, 29];
/// A pid in the form of our time, up to the length of the node's name.
const PID: &[u8] = &[tag::NEW_PID, tag::SMALL_ATOM_UTF8];
/// `{erpc, execute_call, 4}`
const WHAT: &[u8] = b"\x68\x03\x77\x04erpc\x77\x0cexecute_call\x61\x04";
/// `[monitor]`, as Beamline writes it; OTP has more options.
const MONITOR: &[u8] = b"\x6c\x00\x00\x00\x01\x77\x07monitor\x6a";
/// A list of four elements.
const FOUR: &[u8] = &[tag::LIST, 0, 0, 0, 4];
/// Of a process that was started: it has the monitor.
const WATCHED: u8 = 2;
