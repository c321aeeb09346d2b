//! Processes: a task with a pid and a mailbox, which other processes of any node can send to, link and monitor.

mod cell;
mod table;

use std::sync::Arc;

use beamline_term::codec::Decoder;
use beamline_term::{DecodeError, Pid, Reference, Term};
use bytes::Bytes;

pub(crate) use cell::{Cell, Link, Signal, reason};
pub(crate) use table::Table;

use crate::node::Inner;

/// A message in a mailbox, decoded when it is looked at.
#[derive(Clone, Debug)]
pub struct Message {
    payload: Bytes,
}

impl Message {
    pub(crate) fn new(payload: Bytes) -> Message {
        Message { payload }
    }

    pub(crate) fn of(term: &Term) -> Message {
        let mut out = Vec::new();
        beamline_term::codec::encode::term(&mut out, term);
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

    /// The encoded term, without its version byte: for who reads it in parts, with [`Decoder`].
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

/// The inside of a process: what its task holds.
pub struct Process {
    pub(crate) node: Arc<Inner>,
    pub(crate) cell: Arc<Cell>,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Process({:?})", self.cell.pid)
    }
}

impl Process {
    /// Its pid.
    pub fn pid(&self) -> &Pid {
        &self.cell.pid
    }

    /// The next message, in the order of arrival. Waits for one; `None` when the process is to end.
    pub async fn receive(&mut self) -> Option<Message> {
        self.cell.receive().await
    }

    /// Watches a process of any node: when it ends, or is not there, `{'DOWN', reference, process, pid, reason}` arrives.
    pub fn monitor(&self, pid: &Pid) -> Reference {
        self.node.monitor(&self.cell, pid)
    }

    /// Stops watching. A message that is already in the mailbox stays.
    pub fn demonitor(&self, reference: &Reference) {
        self.node.demonitor(&self.cell, reference);
    }

    /// Links with a process: when one ends with another reason than `normal`, so does the other.
    pub fn link(&self, pid: &Pid) {
        self.node.link(&self.cell, pid);
    }

    /// Takes the link away.
    pub fn unlink(&self, pid: &Pid) {
        self.node.unlink(&self.cell, pid);
    }

    /// With `true`, exit signals of linked processes arrive as messages `{'EXIT', pid, reason}` and do not end this one.
    pub fn trap_exit(&self, trap: bool) {
        self.cell.trap_exit(trap);
    }

    /// Ends this process with a reason other than `normal`; what follows in its code does not run.
    pub async fn exit(self, reason: impl Into<Term>) -> std::convert::Infallible {
        self.cell.end(Message::of(&reason.into()).payload);
        std::future::pending().await
    }

    /// Answers a `GenServer.call` that arrived as a message; see [`Request`](crate::Request).
    pub fn reply(&self, request: &crate::Request, answer: impl Into<Term>) {
        self.node.reply(&self.cell.pid, &request.from, &request.tag, &answer.into());
    }
}
