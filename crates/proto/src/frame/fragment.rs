//! Fragments: a large message cut up, so that others pass between its parts; and those of a peer put together again.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use beamline_term::codec::Decoder;
use bytes::{Bytes, BytesMut};

use super::FrameError;
use super::payload::Payload;
use super::shelf::Shelf;
use crate::control::{Control, Head, Message, Place};
use crate::flags::Flags;

/// How much of a payload goes into each frame when it is cut up. As OTP's.
pub const FRAGMENT: usize = 64 << 10;

/// A payload up to this size is not cut up: a second frame for a few bytes would cost more than others gain by it.
pub const WHOLE: usize = FRAGMENT + (8 << 10);

/// The header of a first fragment: version, kind, sequence, number, no atoms.
const FIRST: usize = 19;
/// That of those that follow.
pub(super) const CONTINUED: usize = 18;

/// A message on its way out in parts.
#[derive(Debug)]
pub struct Fragments {
    sequence: u64,
    /// The number of the next fragment; the last is 1.
    number: u64,
    /// The control message, until the first fragment has taken it.
    control: Vec<u8>,
    payload: Payload,
}

impl Fragments {
    /// Cuts a message up. `None` if it fits one frame, or if nobody agreed to put it together, or if it is a signal whose
    /// term stands in the control message, which is never cut. No other message under way may have the same `sequence`, which
    /// is not 0: OTP closes the connection on that.
    pub fn new(flags: Flags, sequence: u64, control: &Control, payload: &Payload) -> Option<Fragments> {
        if payload.len() <= WHOLE || !flags.contains(Flags::FRAGMENTS) {
            return None;
        }
        let mut out = Vec::new();
        let place = control.encode(&mut out, flags);
        (place == Place::Behind).then(|| Fragments {
            sequence,
            number: payload.len().div_ceil(FRAGMENT) as u64,
            control: out,
            payload: payload.clone(),
        })
    }

    /// How many bytes of the payload are still to go.
    pub fn left(&self) -> usize {
        self.payload.len()
    }

    /// Whether all are out.
    pub fn is_done(&self) -> bool {
        self.payload.is_empty()
    }

    /// Appends the head of the next fragment and gives the part of the payload that must follow it; `None` when all are
    /// out.
    pub fn next(&mut self, out: &mut Vec<u8>) -> Option<Payload> {
        if self.is_done() {
            return None;
        }
        let part = self.payload.split_to(FRAGMENT);
        let is_first = !self.control.is_empty();
        let head = if is_first { FIRST + self.control.len() } else { CONTINUED };
        // A control message is a few kilobytes at most.
        out.extend_from_slice(&((head + part.len()) as u32).to_be_bytes());
        out.extend_from_slice(&[131, if is_first { 69 } else { 70 }]);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.number.to_be_bytes());
        if is_first {
            out.push(0);
            out.append(&mut self.control);
        }
        self.number -= 1;
        Some(part)
    }
}

/// The messages of a peer of which a part has arrived.
#[derive(Debug, Default)]
pub(super) struct Parts {
    open: HashMap<u64, Open>,
    /// Bytes held, of all of them together.
    held: usize,
}

#[derive(Debug)]
struct Open {
    control: Head,
    /// The number of the fragment that must come next.
    next: u64,
    payload: BytesMut,
}

/// How many fragmented messages a peer may have under way. OTP has one a process, and it has many processes.
const OPEN: usize = 16 << 10;

impl Parts {
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Takes a first fragment, from behind the atoms of its header. All of the control message must be in it. Gives the
    /// message if this is all of it.
    pub(super) fn first(&mut self, sequence: u64, number: u64, body: Bytes) -> Result<Option<Message>, FrameError> {
        let mut decoder = Decoder::new(&body);
        let control = Head::decode(&mut decoder)?;
        let rest = decoder.rest();
        match number {
            0 => return Err(FrameError::Form { what: "a fragment with the number 0" }),
            1 => return Ok(Some(control.with(rest)?)),
            _ => {}
        }
        if self.open.contains_key(&sequence) {
            return Err(FrameError::Form { what: "a fragmented message that begins twice" });
        }
        if self.open.len() >= OPEN {
            return Err(FrameError::TooMany { limit: OPEN });
        }
        self.held += rest.len();
        drop(body);
        // Memory of its own goes on being used; what shares the buffer is copied.
        let payload = rest.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        self.open.insert(sequence, Open { control, next: number - 1, payload });
        Ok(None)
    }

    /// The memory of a message under way, of which this must be the next fragment. It may be taken out for a while.
    pub(super) fn expect(&mut self, sequence: u64, number: u64) -> Result<&mut BytesMut, FrameError> {
        match self.open.get_mut(&sequence) {
            Some(open) if open.next == number => Ok(&mut open.payload),
            Some(_) => Err(FrameError::Form { what: "a fragment out of its order" }),
            None => Err(FrameError::Form { what: "a fragment of a message that has not begun" }),
        }
    }

    /// Counts bytes that were put into such memory.
    pub(super) fn count(&mut self, bytes: usize) {
        self.held += bytes;
    }

    /// A fragment has arrived whole, and the memory that was taken out is given back; gives the message if it was the last.
    pub(super) fn arrived(
        &mut self,
        sequence: u64,
        memory: Option<BytesMut>,
        shelf: &mut Shelf,
    ) -> Result<Option<Message>, FrameError> {
        let Entry::Occupied(mut open) = self.open.entry(sequence) else { return Ok(None) };
        if let Some(memory) = memory {
            open.get_mut().payload = memory;
        }
        open.get_mut().next -= 1;
        if open.get().next > 0 {
            return Ok(None);
        }
        let Open { control, payload, .. } = open.remove();
        self.held -= payload.len();
        Ok(Some(control.with(shelf.keep(payload))?))
    }
}
