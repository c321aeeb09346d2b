//! Control messages: the signals between processes of two nodes.
//!
//! Follows "Protocol between Connected Nodes" of the OTP documentation. Where a signal has an older and a newer form, both
//! are read into the same variant; what we send is the newer one, which every peer of OTP 25 and later takes. Sequential
//! trace tokens are read over.

use beamline_term::codec::{Decoder, encode, tag};
use beamline_term::{Atom, DecodeError, Pid, Reference, Term};
use bytes::Bytes;

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
    /// `link`, `monitor` and others.
    pub options: Term,
}

impl SpawnRequest {
    /// Whether this option, alone or as the head of a pair, is among the options.
    pub fn has_option(&self, name: &str) -> bool {
        self.options.as_list().is_some_and(|options| {
            options.iter().any(|option| {
                option.is_atom(name)
                    || option.as_tuple().and_then(|pair| pair.first()).is_some_and(|head| head.is_atom(name))
            })
        })
    }
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
    /// Reads what stands in a frame behind its header. `versions` tells whether each term has its version byte.
    pub(crate) fn decode(body: &Bytes, versions: bool) -> Result<Message, ControlError> {
        let mut decoder = Decoder::new(body);
        if versions {
            decoder.version()?;
        }
        let (control, inner, operation) = Control::decode(&mut decoder)?;
        if versions && decoder.position() < body.len() {
            decoder.version()?;
        }
        let rest = decoder.rest();
        let payload = match inner {
            Some(reason) if rest.is_empty() => reason,
            None if control.has_payload() != rest.is_empty() => rest,
            _ => return Err(ControlError::Payload { operation }),
        };
        Ok(Message { control, payload })
    }

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

fn target(decoder: &mut Decoder<'_>) -> Result<Target, DecodeError> {
    match decoder.peek_tag()? {
        tag::NEW_PID | tag::PID => decoder.pid().map(Target::Pid),
        _ => decoder.atom().map(Target::Name),
    }
}

impl Control {
    /// Reads a control tuple. Older forms hold the reason inside; it is given apart.
    fn decode(decoder: &mut Decoder<'_>) -> Result<(Control, Option<Bytes>, i64), ControlError> {
        let arity = decoder.tuple_header()?;
        let operation = decoder.integer()?;
        let mut reason = None;
        let control = match (operation, arity) {
            (1, 3) => Control::Link { from: decoder.pid()?, to: decoder.pid()? },
            (2, 3) | (12, 4) => {
                decoder.skip()?;
                Control::Send { from: None, to: decoder.pid()? }
            }
            (22, 3) | (23, 4) => Control::Send { from: Some(decoder.pid()?), to: decoder.pid()? },
            (3, 4) | (13, 5) => {
                let control = Control::Exit { from: decoder.pid()?, to: decoder.pid()? };
                if operation == 13 {
                    decoder.skip()?;
                }
                reason = Some(decoder.skip()?);
                control
            }
            (24, 3) | (25, 4) => Control::Exit { from: decoder.pid()?, to: decoder.pid()? },
            (8, 4) | (18, 5) => {
                let control = Control::Exit2 { from: decoder.pid()?, to: decoder.pid()? };
                if operation == 18 {
                    decoder.skip()?;
                }
                reason = Some(decoder.skip()?);
                control
            }
            (26, 3) | (27, 4) => Control::Exit2 { from: decoder.pid()?, to: decoder.pid()? },
            (6, 4) | (16, 5) => {
                let from = decoder.pid()?;
                decoder.skip()?;
                Control::RegSend { from, to: decoder.atom()? }
            }
            (7, 3) => Control::GroupLeader { from: decoder.pid()?, to: decoder.pid()? },
            (19, 4) => Control::Monitor { from: decoder.pid()?, to: target(decoder)?, reference: decoder.reference()? },
            (20, 4) => {
                Control::Demonitor { from: decoder.pid()?, to: target(decoder)?, reference: decoder.reference()? }
            }
            (21, 5) | (28, 4) => {
                let control = Control::MonitorExit {
                    from: target(decoder)?,
                    to: decoder.pid()?,
                    reference: decoder.reference()?,
                };
                if operation == 21 {
                    reason = Some(decoder.skip()?);
                }
                control
            }
            (29, 6) | (30, 7) => {
                let (reference, from, group_leader) = (decoder.reference()?, decoder.pid()?, decoder.pid()?);
                if decoder.tuple_header()? != 3 {
                    return Err(ControlError::Unknown { operation, arity });
                }
                let (module, function, count) = (decoder.atom()?, decoder.atom()?, decoder.integer()?);
                let options = decoder.term()?;
                Control::SpawnRequest(Box::new(SpawnRequest {
                    reference,
                    from,
                    group_leader,
                    module,
                    function,
                    arity: count,
                    options,
                }))
            }
            (31, 5) | (32, 6) => {
                let (reference, to) = (decoder.reference()?, decoder.pid()?);
                let flags = decoder.integer()? as u8;
                let result = match target(decoder)? {
                    Target::Pid(pid) => Ok(pid),
                    Target::Name(reason) => Err(reason),
                };
                Control::SpawnReply { reference, to, flags, result }
            }
            (33, 3) | (34, 4) => Control::AliasSend { from: decoder.pid()?, to: decoder.reference()? },
            (35, 4) => Control::UnlinkId { id: decoder.unsigned()?, from: decoder.pid()?, to: decoder.pid()? },
            (36, 4) => Control::UnlinkIdAck { id: decoder.unsigned()?, from: decoder.pid()?, to: decoder.pid()? },
            _ => return Err(ControlError::Unknown { operation, arity }),
        };
        // The token of a traced signal stands last.
        if matches!(operation, 12 | 16 | 23 | 25 | 27 | 30 | 32 | 34) {
            decoder.skip()?;
        }
        if let Control::UnlinkId { id: 0, .. } = control {
            return Err(ControlError::Unknown { operation, arity });
        }
        Ok((control, reason, operation))
    }

    /// Whether a term follows.
    pub fn has_payload(&self) -> bool {
        matches!(
            self,
            Control::Send { .. }
                | Control::RegSend { .. }
                | Control::AliasSend { .. }
                | Control::Exit { .. }
                | Control::Exit2 { .. }
                | Control::MonitorExit { .. }
                | Control::SpawnRequest(_)
        )
    }

    /// Appends the control tuple.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Control::Link { from, to } => pair(out, 1, from, to),
            Control::Send { from: Some(from), to } => pair(out, 22, from, to),
            Control::Send { from: None, to } => {
                head(out, 2, 3);
                encode::atom_str(out, "");
                encode::pid(out, to);
            }
            Control::RegSend { from, to } => {
                head(out, 6, 4);
                encode::pid(out, from);
                encode::atom_str(out, "");
                encode::atom(out, to);
            }
            Control::AliasSend { from, to } => {
                head(out, 33, 3);
                encode::pid(out, from);
                encode::reference(out, to);
            }
            Control::Exit { from, to } => pair(out, 24, from, to),
            Control::Exit2 { from, to } => pair(out, 26, from, to),
            Control::GroupLeader { from, to } => pair(out, 7, from, to),
            Control::UnlinkId { id, from, to } => numbered(out, 35, *id, from, to),
            Control::UnlinkIdAck { id, from, to } => numbered(out, 36, *id, from, to),
            Control::Monitor { from, to, reference } => watch(out, 19, from, to, reference),
            Control::Demonitor { from, to, reference } => watch(out, 20, from, to, reference),
            Control::MonitorExit { from, to, reference } => {
                head(out, 28, 4);
                write_target(out, from);
                encode::pid(out, to);
                encode::reference(out, reference);
            }
            Control::SpawnRequest(request) => {
                head(out, 29, 6);
                encode::reference(out, &request.reference);
                encode::pid(out, &request.from);
                encode::pid(out, &request.group_leader);
                encode::tuple_header(out, 3);
                encode::atom(out, &request.module);
                encode::atom(out, &request.function);
                encode::integer(out, request.arity);
                encode::term(out, &request.options);
            }
            Control::SpawnReply { reference, to, flags, result } => {
                head(out, 31, 5);
                encode::reference(out, reference);
                encode::pid(out, to);
                encode::integer(out, i64::from(*flags));
                match result {
                    Ok(pid) => encode::pid(out, pid),
                    Err(reason) => encode::atom(out, reason),
                }
            }
        }
    }
}

fn head(out: &mut Vec<u8>, operation: i64, arity: usize) {
    encode::tuple_header(out, arity);
    encode::integer(out, operation);
}

fn pair(out: &mut Vec<u8>, operation: i64, from: &Pid, to: &Pid) {
    head(out, operation, 3);
    encode::pid(out, from);
    encode::pid(out, to);
}

fn numbered(out: &mut Vec<u8>, operation: i64, id: u64, from: &Pid, to: &Pid) {
    head(out, operation, 4);
    encode::unsigned(out, id);
    encode::pid(out, from);
    encode::pid(out, to);
}

fn watch(out: &mut Vec<u8>, operation: i64, from: &Pid, to: &Target, reference: &Reference) {
    head(out, operation, 4);
    encode::pid(out, from);
    write_target(out, to);
    encode::reference(out, reference);
}

fn write_target(out: &mut Vec<u8>, target: &Target) {
    match target {
        Target::Pid(pid) => encode::pid(out, pid),
        Target::Name(name) => encode::atom(out, name),
    }
}
