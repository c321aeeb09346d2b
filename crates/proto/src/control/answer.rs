//! Answers to requests of this node: of those most are wanted by a call, which needs no more of them than who waits and for
//! what. So they are read just that far, without building names of processes that nobody looks at.

use beamline_term::Origin;
use beamline_term::codec::{Decoder, tag};
use bytes::{Buf, Bytes};

use super::{ControlError, Message};

/// A signal to the maker of a reference of this node.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// The words of the reference.
    pub words: [u32; 3],
    /// Behind its header.
    body: Bytes,
    /// Where the reason stands of an end.
    reason: Option<usize>,
}

impl Answer {
    /// Reads one, in the form in which connections with headers have it: that a process has been started, or that one has
    /// ended. Other signals are given back, also those that are not as they should be.
    pub(crate) fn read(body: Bytes, own: &Origin) -> Result<Answer, Bytes> {
        let mut decoder = Decoder::new(&body);
        match parts(&mut decoder, &body, own) {
            Some((words, is_end)) if is_end == (decoder.position() < body.len()) => {
                let reason = is_end.then(|| decoder.position());
                Ok(Answer { words, body, reason })
            }
            _ => Err(body),
        }
    }

    /// Whether a process has ended; else one has been started.
    pub fn is_end(&self) -> bool {
        self.reason.is_some()
    }

    /// The reason with which the process ended, undecoded; empty if it was started.
    pub fn into_reason(self) -> Bytes {
        let mut body = self.body;
        body.advance(self.reason.unwrap_or(body.len()));
        body
    }

    /// All that the signal says.
    ///
    /// # Errors
    /// It is not as it should be.
    pub fn message(&self) -> Result<Message, ControlError> {
        Message::decode(&self.body, false)
    }
}

/// The words of the reference, and whether it is an end.
fn parts(decoder: &mut Decoder<'_>, body: &[u8], own: &Origin) -> Option<([u32; 3], bool)> {
    let head = body.first_chunk()?;
    if !matches!(head, DOWN | STARTED) {
        return None;
    }
    decoder.tuple_header().and_then(|_| decoder.integer()).ok()?;
    if head == DOWN {
        decoder.pass_pid().and_then(|()| decoder.pass_pid()).ok()?;
        return Some((decoder.own_reference(own)?, true));
    }
    let words = decoder.own_reference(own)?;
    decoder.pass_pid().and_then(|()| decoder.integer()).and_then(|_| decoder.pass_pid()).ok()?;
    Some((words, false))
}

/// `MONITOR_EXIT`, with its reason behind it.
const DOWN: &[u8; 4] = &[tag::SMALL_TUPLE, 4, tag::SMALL_INTEGER, 28];
/// `SPAWN_REPLY`.
const STARTED: &[u8; 4] = &[tag::SMALL_TUPLE, 5, tag::SMALL_INTEGER, 31];
