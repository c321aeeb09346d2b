//! Control messages: the signals between processes of two nodes.
//!
//! Follows "Protocol between Connected Nodes" of the OTP documentation. Where a signal has an older and a newer form, both
//! are read into the same variant; what is sent is the newest that was agreed. Sequential trace tokens are read over, and
//! so are priorities, which mean something only to receivers that asked for them. Nothing here decodes a payload.

mod answer;
mod caller;
mod decode;
mod encode;
mod execute;
mod order;
mod signal;

use beamline_term::codec::Decoder;
use beamline_term::{Atom, DecodeError, Pid, Reference, Term};
use bytes::Bytes;

pub(crate) use answer::Own;
pub use caller::{Caller, Calling};
pub(crate) use decode::Head;
pub use encode::Place;
pub use execute::Execute;
pub use signal::{Down, Signal, Spawn, Started};

/// A process by pid or by registered name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// By pid.
    Pid(Pid),
    /// By the name that it is registered under on its node.
    Name(Atom),
}

/// A signal. Those of which [`Control::has_payload`] is true are followed by a term: a message or a reason.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Control {
    /// Links two processes.
    Link {
        /** Who links. */
        from: Pid,
        /** With whom. */
        to: Pid,
    },
    /// A message to a pid.
    Send {
        /** Who sends, if told. */
        from: Option<Pid>,
        /** To whom. */
        to: Pid,
    },
    /// A message to a registered name.
    RegSend {
        /** Who sends. */
        from: Pid,
        /** The name. */
        to: Atom,
    },
    /// A message to an alias.
    AliasSend {
        /** Who sends. */
        from: Pid,
        /** The alias. */
        to: Reference,
    },
    /// A linked process ended; the payload is the reason.
    Exit {
        /** Who ended. */
        from: Pid,
        /** Who was linked. */
        to: Pid,
    },
    /// `exit/2`; the payload is the reason.
    Exit2 {
        /** Who asks. */
        from: Pid,
        /** Who shall end. */
        to: Pid,
    },
    /// `exit/2` of a registered name (OTP 28); the payload is the reason.
    RegExit2 {
        /** Who asks. */
        from: Pid,
        /** The name of who shall end. */
        to: Atom,
    },
    /// `exit/2` of an alias (OTP 28); the payload is the reason.
    AliasExit2 {
        /** Who asks. */
        from: Pid,
        /** The alias of who shall end. */
        to: Reference,
    },
    /// Takes a link away; to be acknowledged.
    UnlinkId {
        /** Number of the request. */
        id: u64,
        /** Who unlinks. */
        from: Pid,
        /** From whom. */
        to: Pid,
    },
    /// Acknowledges that.
    UnlinkIdAck {
        /** Number of the request. */
        id: u64,
        /** Who acknowledges. */
        from: Pid,
        /** To whom. */
        to: Pid,
    },
    /// `from` becomes the group leader of `to`.
    GroupLeader {
        /** The leader. */
        from: Pid,
        /** The led. */
        to: Pid,
    },
    /// Watches a process.
    Monitor {
        /** Who watches. */
        from: Pid,
        /** What. */
        to: Target,
        /** Under which reference. */
        reference: Reference,
    },
    /// Stops that.
    Demonitor {
        /** Who watched. */
        from: Pid,
        /** What. */
        to: Target,
        /** Under which reference. */
        reference: Reference,
    },
    /// A watched process ended; the payload is the reason.
    MonitorExit {
        /** What was watched. */
        from: Target,
        /** Who watched. */
        to: Pid,
        /** Its reference. */
        reference: Reference,
    },
    /// Asks to spawn a process; the payload is the list of arguments.
    SpawnRequest(Box<SpawnRequest>),
    /// Answers that.
    SpawnReply {
        /// The request.
        reference: Reference,
        /// Who asked.
        to: Pid,
        /// 1: a link was set; 2: a monitor was set.
        flags: u8,
        /// The process, or why there is none.
        result: Result<Pid, Atom>,
    },
}

/// What a [`Control::SpawnRequest`] asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct SpawnRequest {
    /// Names the request, and the monitor if one is asked for.
    pub reference: Reference,
    /// Who asks.
    pub from: Pid,
    /// Where the new process writes.
    pub group_leader: Pid,
    /// Module.
    pub module: Atom,
    /// Function.
    pub function: Atom,
    /// How many arguments are said to follow.
    pub arity: i64,
    /// What is asked for beside.
    pub options: SpawnOptions,
}

/// How a new process shall be tied to who asked for it, before its first step. Options of other kinds are read over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpawnOptions {
    /// By a link.
    pub link: bool,
    /// By a monitor.
    pub monitor: bool,
}

/// Why a control message is invalid. The connection must be closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// It is not the terms that it should be.
    #[error("an invalid control message: {0}")]
    Decode(#[from] DecodeError),
    /// A signal that is not known, or has the wrong number of elements.
    #[error("the control message {operation} with {arity} elements is unknown")]
    Unknown {
        /// Its number.
        operation: i64,
        /// How many elements its tuple has.
        arity: usize,
    },
    /// A value in it that its signal does not allow.
    #[error("the control message {operation} has an invalid {what}")]
    Value {
        /// Its number.
        operation: i64,
        /// What is invalid.
        what: &'static str,
    },
    /// It must be followed by a term, and is not; or the other way round.
    #[error("the control message {operation} comes with or without a payload against the protocol")]
    Payload {
        /// Its number.
        operation: i64,
    },
}

/// A signal with its payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The signal.
    pub control: Control,
    /// The term that follows it, undecoded and without version byte; empty for signals that have none.
    pub payload: Bytes,
}

impl Message {
    /// The payload as a term.
    ///
    /// # Errors
    /// It is none.
    pub fn payload_term(&self) -> Result<Option<Term>, DecodeError> {
        if self.payload.is_empty() {
            return Ok(None);
        }
        let mut decoder = Decoder::new(&self.payload);
        let term = decoder.term()?;
        decoder.finish()?;
        Ok(Some(term))
    }
}

impl Control {
    /// Whether a term follows.
    pub fn has_payload(&self) -> bool {
        matches!(
            self,
            Control::Send { .. }
                | Control::RegSend { .. }
                | Control::AliasSend { .. }
                | Control::Exit { .. }
                | Control::Exit2 { .. }
                | Control::RegExit2 { .. }
                | Control::AliasExit2 { .. }
                | Control::MonitorExit { .. }
                | Control::SpawnRequest(_)
        )
    }
}
