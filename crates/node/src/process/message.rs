//! Messages, and the shapes that the runtime itself sends: DOWN and EXIT.

use beamline_proto::control::Target;
use beamline_term::codec::{Decoder, encode};
use beamline_term::{Atom, DecodeError, Pid, Reference, Term};
use bytes::Bytes;

/// What is smaller is copied out of the memory that it was read into: a copy costs less than a wasted buffer.
const SMALL: usize = 1 << 10;

/// A message in a mailbox, decoded when it is looked at.
#[derive(Clone, Debug)]
pub struct Message {
    payload: Bytes,
}

/// A watched process has ended, is not there, or cannot be reached.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Down {
    /// The monitor, which has ended with this.
    pub reference: Reference,
    /// What was watched: a pid, or `{name, node}`.
    pub object: Term,
    /// Why: its exit reason, `noproc` or `noconnection`.
    pub reason: Term,
}

/// An exit signal that a process which traps exits got as a message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exit {
    /// The linked process, or who called `exit/2`.
    pub from: Pid,
    /// Its reason; `noproc` for a process that was not there, `noconnection` for a lost node.
    pub reason: Term,
}

impl Message {
    pub(crate) fn new(payload: Bytes) -> Message {
        Message { payload }
    }

    /// A message off a connection. A small one gets memory of its own: in a mailbox it would keep all that was read with it,
    /// of which the mailbox's limit knows nothing.
    pub(crate) fn arrived(payload: Bytes) -> Message {
        Message { payload: if payload.len() < SMALL { Bytes::copy_from_slice(&payload) } else { payload } }
    }

    pub(crate) fn of(term: &Term) -> Message {
        Message { payload: encoded(term) }
    }

    /// `{Tag, Reference, process, Object, Reason}` with the reason as it came.
    pub(super) fn down(tag: Option<&Term>, reference: &Reference, object: (&Target, &Atom), reason: &Bytes) -> Message {
        let mut out = Vec::with_capacity(96 + reason.len());
        encode::tuple_header(&mut out, 5);
        match tag {
            Some(tag) => encode::term(&mut out, tag),
            None => encode::atom_str(&mut out, "DOWN"),
        }
        encode::reference(&mut out, reference);
        encode::atom_str(&mut out, "process");
        match object {
            (Target::Pid(pid), _) => encode::pid(&mut out, pid),
            (Target::Name(name), node) => {
                encode::tuple_header(&mut out, 2);
                encode::atom(&mut out, name);
                encode::atom(&mut out, node);
            }
        }
        out.extend_from_slice(reason);
        Message { payload: out.into() }
    }

    /// `{'EXIT', From, Reason}`
    pub(super) fn exit_of(from: &Pid, reason: &Bytes) -> Message {
        let mut out = Vec::with_capacity(64 + reason.len());
        encode::tuple_header(&mut out, 3);
        encode::atom_str(&mut out, "EXIT");
        encode::pid(&mut out, from);
        out.extend_from_slice(reason);
        Message { payload: out.into() }
    }

    /// The message as a term.
    ///
    /// # Errors
    /// What the peer sent is no term.
    pub fn term(&self) -> Result<Term, DecodeError> {
        let mut decoder = Decoder::new(&self.payload);
        let term = decoder.term()?;
        decoder.finish()?;
        Ok(term)
    }

    /// The message as a value of a type.
    ///
    /// # Errors
    /// It does not fit the type.
    pub fn decode<'de, T: serde::Deserialize<'de>>(&'de self) -> Result<T, beamline_term::serde::Error> {
        let mut decoder = Decoder::new(&self.payload);
        let value = beamline_term::serde::read(&mut decoder)?;
        decoder.finish()?;
        Ok(value)
    }

    /// The DOWN that it is, if it is one.
    pub fn as_down(&self) -> Option<Down> {
        if !self.is_tagged("DOWN", 5) {
            return None;
        }
        match self.term().ok()?.as_tuple()? {
            [_, Term::Reference(reference), _, object, reason] => {
                Some(Down { reference: reference.clone(), object: object.clone(), reason: reason.clone() })
            }
            _ => None,
        }
    }

    /// The exit signal that it is, if it is one.
    pub fn as_exit(&self) -> Option<Exit> {
        if !self.is_tagged("EXIT", 3) {
            return None;
        }
        match self.term().ok()?.as_tuple()? {
            [_, Term::Pid(from), reason] => Some(Exit { from: from.clone(), reason: reason.clone() }),
            _ => None,
        }
    }

    /// Whether it is a tuple of so many elements that begins with this atom. Looks no further than that.
    pub fn is_tagged(&self, tag: &str, arity: usize) -> bool {
        let mut decoder = Decoder::new(&self.payload);
        decoder.tuple_header() == Ok(arity) && decoder.atom().is_ok_and(|atom| atom.as_str() == tag)
    }

    /// The encoded term, without its version byte: for who reads it in parts, with a [`Decoder`].
    pub fn encoded(&self) -> &Bytes {
        &self.payload
    }

    /// Its size in bytes.
    pub fn len(&self) -> usize {
        self.payload.len()
    }

    /// Whether it has no bytes, which no term has.
    pub fn is_empty(&self) -> bool {
        self.payload.is_empty()
    }
}

pub(crate) fn encoded(term: &Term) -> Bytes {
    let mut out = Vec::new();
    encode::term(&mut out, term);
    out.into()
}

/// An atom as an encoded reason.
pub(crate) fn reason(text: &'static str) -> Bytes {
    let mut out = Vec::with_capacity(text.len() + 2);
    encode::atom_str(&mut out, text);
    out.into()
}

pub(super) fn is_atom(reason: &Bytes, text: &str) -> bool {
    Decoder::new(reason).atom().is_ok_and(|atom| atom.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_message_does_not_keep_what_was_read_with_it() {
        let read = Bytes::from(vec![106; 100_000]);
        let small = Message::arrived(read.slice(..20));
        assert_eq!(small.encoded(), &read[..20]);
        assert!(read.is_unique());
        let large = Message::arrived(read.slice(..90_000));
        assert!(!read.is_unique(), "of the {} bytes no copy is made", large.len());
    }
}
