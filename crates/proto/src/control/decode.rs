//! Reading control messages: by their fixed shape, without building terms.

use beamline_term::codec::{Decoder, tag};
use beamline_term::{DecodeError, Term};
use bytes::Bytes;

use super::{Control, ControlError, Message, SpawnOptions, SpawnRequest, Target};

/// The flags of `ALTACT_SIG_SEND`.
pub(super) mod altact {
    /// A trace token stands last.
    pub(crate) const TOKEN: u64 = 2;
    /// The receiver is an alias.
    pub(crate) const ALIAS: u64 = 4;
    /// The receiver is a registered name.
    pub(crate) const NAME: u64 = 8;
    /// The payload is the reason of an `exit/2`.
    pub(crate) const EXIT: u64 = 16;
}

impl Message {
    /// Reads what stands in a frame behind its header. `versions` tells whether each term has its version byte.
    pub(crate) fn decode(body: &Bytes, versions: bool) -> Result<Message, ControlError> {
        let mut decoder = Decoder::new(body);
        if versions {
            decoder.version()?;
        }
        let head = Head::decode(&mut decoder)?;
        if versions && decoder.position() < body.len() {
            decoder.version()?;
        }
        head.with(decoder.rest())
    }
}

/// A control message without the payload that follows it.
#[derive(Debug)]
pub(crate) struct Head {
    control: Control,
    /// Older forms hold the reason inside.
    inner: Option<Bytes>,
    operation: i64,
}

impl Head {
    /// With the payload behind it, which must be there if and only if the signal has one.
    pub(crate) fn with(self, rest: Bytes) -> Result<Message, ControlError> {
        let Head { control, inner, operation } = self;
        let payload = match inner {
            Some(reason) if rest.is_empty() => reason,
            None if control.has_payload() != rest.is_empty() => rest,
            _ => return Err(ControlError::Payload { operation }),
        };
        Ok(Message { control, payload })
    }

    /// Reads a control tuple.
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Head, ControlError> {
        let arity = decoder.tuple_header()?;
        let operation = decoder.integer()?;
        let mut inner = None;
        let control = match (operation, arity) {
            (1, 3) => Control::Link { from: decoder.pid()?, to: decoder.pid()? },
            (2, 3) | (12, 4) => {
                decoder.skip()?;
                Control::Send { from: None, to: decoder.pid()? }
            }
            (22, 3) | (23, 4) => Control::Send { from: Some(decoder.pid()?), to: decoder.pid()? },
            (3, 4) | (13, 5) => {
                let control = Control::Exit { from: decoder.pid()?, to: decoder.pid()? };
                inner = Some(reason(decoder, operation == 13)?);
                control
            }
            (24, 3) | (25, 4) => Control::Exit { from: decoder.pid()?, to: decoder.pid()? },
            (8, 4) | (18, 5) => {
                let control = Control::Exit2 { from: decoder.pid()?, to: decoder.pid()? };
                inner = Some(reason(decoder, operation == 18)?);
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
                let (from, to) = (target(decoder)?, decoder.pid()?);
                let control = Control::MonitorExit { from, to, reference: decoder.reference()? };
                if operation == 21 {
                    inner = Some(reason(decoder, false)?);
                }
                control
            }
            (29, 6) | (30, 7) => spawn_request(decoder, operation, arity)?,
            (31, 5) | (32, 6) => spawn_reply(decoder, operation)?,
            (33, 3) | (34, 4) => Control::AliasSend { from: decoder.pid()?, to: decoder.reference()? },
            (35, 4) => {
                let id = id(decoder, operation)?;
                Control::UnlinkId { id, from: decoder.pid()?, to: decoder.pid()? }
            }
            (36, 4) => {
                let id = id(decoder, operation)?;
                Control::UnlinkIdAck { id, from: decoder.pid()?, to: decoder.pid()? }
            }
            (37, 4..) => altact_send(decoder, operation, arity)?,
            _ => return Err(ControlError::Unknown { operation, arity }),
        };
        // The token of a traced signal stands last.
        if matches!(operation, 12 | 16 | 23 | 25 | 27 | 30 | 32 | 34) {
            decoder.skip()?;
        }
        Ok(Head { control, inner, operation })
    }
}

fn target(decoder: &mut Decoder<'_>) -> Result<Target, DecodeError> {
    match decoder.peek_tag()? {
        tag::NEW_PID | tag::PID => decoder.pid().map(Target::Pid),
        _ => decoder.atom().map(Target::Name),
    }
}

/// A reason inside the tuple, behind a trace token if there is one.
fn reason(decoder: &mut Decoder<'_>, token: bool) -> Result<Bytes, DecodeError> {
    if token {
        decoder.skip()?;
    }
    decoder.skip()
}

fn id(decoder: &mut Decoder<'_>, operation: i64) -> Result<u64, ControlError> {
    match decoder.unsigned()? {
        0 => Err(ControlError::Value { operation, what: "number: it is 0" }),
        id => Ok(id),
    }
}

fn spawn_request(decoder: &mut Decoder<'_>, operation: i64, arity: usize) -> Result<Control, ControlError> {
    let (reference, from, group_leader) = (decoder.reference()?, decoder.pid()?, decoder.pid()?);
    if decoder.tuple_header()? != 3 {
        return Err(ControlError::Unknown { operation, arity });
    }
    let (module, function, arity) = (decoder.atom()?, decoder.atom()?, decoder.integer()?);
    let options = options(decoder)?;
    let request = SpawnRequest { reference, from, group_leader, module, function, arity, options };
    Ok(Control::SpawnRequest(Box::new(request)))
}

/// Each option is an atom, or a tuple that begins with one.
pub(super) fn options(decoder: &mut Decoder<'_>) -> Result<SpawnOptions, DecodeError> {
    let mut options = SpawnOptions::default();
    if decoder.peek_tag()? != tag::LIST {
        decoder.pass()?;
        return Ok(options);
    }
    for _ in 0..decoder.list_header()? {
        let mut more = 0;
        if matches!(decoder.peek_tag()?, tag::SMALL_TUPLE | tag::LARGE_TUPLE) {
            match decoder.tuple_header()? {
                0 => continue,
                arity => more = arity - 1,
            }
        }
        match decoder.peek_tag()? {
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::SMALL_ATOM | tag::ATOM => {
                let name = decoder.atom()?;
                options.link |= name == "link";
                options.monitor |= name == "monitor";
            }
            _ => decoder.pass()?,
        }
        for _ in 0..more {
            decoder.pass()?;
        }
    }
    decoder.pass()?;
    Ok(options)
}

fn spawn_reply(decoder: &mut Decoder<'_>, operation: i64) -> Result<Control, ControlError> {
    let (reference, to) = (decoder.reference()?, decoder.pid()?);
    let flags = u8::try_from(decoder.integer()?).map_err(|_| ControlError::Value { operation, what: "flags" })?;
    let result = match target(decoder)? {
        Target::Pid(pid) => Ok(pid),
        Target::Name(reason) => Err(reason),
    };
    Ok(Control::SpawnReply { reference, to, flags, result })
}

/// Bits and elements that are not known are passed over, as OTP asks for.
fn altact_send(decoder: &mut Decoder<'_>, operation: i64, arity: usize) -> Result<Control, ControlError> {
    let wrong = || ControlError::Value { operation, what: "flags" };
    let flags = match decoder.term()? {
        Term::Integer(flags) => u64::try_from(flags).map_err(|_| wrong())?,
        // Only the lowest byte means anything, if the number is positive.
        Term::BigInteger(flags) => match flags.to_signed_bytes_le().as_slice() {
            [low, .., high] if *high < 0x80 => u64::from(*low),
            _ => return Err(wrong()),
        },
        _ => return Err(wrong()),
    };
    let from = decoder.pid()?;
    let exit = flags & altact::EXIT != 0;
    let control = match (flags & altact::ALIAS != 0, flags & altact::NAME != 0) {
        (true, true) => return Err(wrong()),
        (true, false) => {
            let to = decoder.reference()?;
            if exit { Control::AliasExit2 { from, to } } else { Control::AliasSend { from, to } }
        }
        (false, true) => {
            let to = decoder.atom()?;
            if exit { Control::RegExit2 { from, to } } else { Control::RegSend { from, to } }
        }
        (false, false) => {
            let to = decoder.pid()?;
            if exit { Control::Exit2 { from, to } } else { Control::Send { from: Some(from), to } }
        }
    };
    if flags & altact::TOKEN != 0 && arity < 5 {
        return Err(ControlError::Unknown { operation, arity });
    }
    for _ in 4..arity {
        decoder.skip()?;
    }
    Ok(control)
}
