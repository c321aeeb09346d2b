//! Frames between connected nodes: four bytes of length, then nothing (a tick) or one message or a part of one.
//!
//! Follows "Protocol between Connected Nodes" of the OTP documentation. We never offer the atom cache, so every header
//! that a peer may send us has no atoms.

use std::collections::HashMap;

use bytes::{Buf, Bytes, BytesMut};

use crate::control::{Control, ControlError, Message};
use crate::flags::Flags;

/// What opens a message on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The byte 112, then terms with their version bytes.
    PassThrough,
    /// A distribution header, then terms without.
    Header,
}

impl Form {
    /// The form that two nodes use who agreed on these flags.
    pub fn of(flags: Flags) -> Form {
        let headers = flags.contains(Flags::FRAGMENTS) || flags.contains(Flags::DIST_HDR_ATOM_CACHE);
        if headers { Form::Header } else { Form::PassThrough }
    }
}

/// Why a connection cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A frame, or the parts of a message together, are too large.
    #[error("a message of {size} bytes is larger than the {limit} that this node takes")]
    TooLarge {
        /// Its size, as far as it is known.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The frame does not begin as it must.
    #[error("a frame that does not follow the agreed form: {what}")]
    Form {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The control message in it is invalid.
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// What a frame holds.
#[derive(Debug, PartialEq)]
pub enum Frame {
    /// The peer is alive.
    Tick,
    /// Part of a message; more will come.
    Part,
    /// A whole message.
    Message(Message),
}

/// Takes frames off a stream, and puts fragments together.
#[derive(Debug)]
pub struct Reader {
    form: Form,
    limit: usize,
    parts: HashMap<u64, Parts>,
    held: usize,
}

#[derive(Debug)]
struct Parts {
    next: u64,
    bytes: Vec<u8>,
}

impl Reader {
    /// A reader for a connection with these flags that takes messages of up to `limit` bytes, and holds as many in parts.
    pub fn new(flags: Flags, limit: usize) -> Reader {
        Reader { form: Form::of(flags), limit, parts: HashMap::new(), held: 0 }
    }

    /// The next frame, when all of it has arrived.
    ///
    /// # Errors
    /// The peer breaks the protocol or a limit; the connection must be closed.
    pub fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Some(head) = buffer.get(..4) else { return Ok(None) };
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length > self.limit {
            return Err(FrameError::TooLarge { size: length, limit: self.limit });
        }
        if buffer.len() - 4 < length {
            return Ok(None);
        }
        buffer.advance(4);
        if length == 0 {
            return Ok(Some(Frame::Tick));
        }
        let body = buffer.split_to(length).freeze();
        self.body(body).map(Some)
    }

    fn body(&mut self, mut body: Bytes) -> Result<Frame, FrameError> {
        match (self.form, body.first(), body.get(1)) {
            (Form::PassThrough, Some(112), _) => {
                body.advance(1);
                Ok(Frame::Message(Message::decode(&body, true)?))
            }
            (Form::Header, Some(131), Some(68)) => {
                body.advance(2);
                no_atoms(&mut body)?;
                Ok(Frame::Message(Message::decode(&body, false)?))
            }
            (Form::Header, Some(131), Some(kind @ (69 | 70))) => {
                let first = *kind == 69;
                body.advance(2);
                self.fragment(body, first)
            }
            _ => Err(FrameError::Form { what: "an unknown header" }),
        }
    }

    fn fragment(&mut self, mut body: Bytes, first: bool) -> Result<Frame, FrameError> {
        if body.len() < 16 {
            return Err(FrameError::Form { what: "a fragment that is cut off" });
        }
        let (sequence, number) = (body.get_u64(), body.get_u64());
        if first {
            no_atoms(&mut body)?;
            if number <= 1 {
                return Ok(Frame::Message(Message::decode(&body, false)?));
            }
            if self.parts.contains_key(&sequence) {
                return Err(FrameError::Form { what: "a fragmented message that begins twice" });
            }
        }
        self.held += body.len();
        if self.held > self.limit {
            return Err(FrameError::TooLarge { size: self.held, limit: self.limit });
        }
        if first {
            self.parts.insert(sequence, Parts { next: number - 1, bytes: body.to_vec() });
            return Ok(Frame::Part);
        }
        match self.parts.get_mut(&sequence) {
            Some(parts) if parts.next == number => {
                parts.bytes.extend_from_slice(&body);
                parts.next -= 1;
            }
            _ => return Err(FrameError::Form { what: "a fragment out of its order" }),
        }
        if number > 1 {
            return Ok(Frame::Part);
        }
        let whole = self.parts.remove(&sequence).map(|parts| Bytes::from(parts.bytes)).unwrap_or_default();
        self.held -= whole.len();
        Ok(Frame::Message(Message::decode(&whole, false)?))
    }
}

fn no_atoms(body: &mut Bytes) -> Result<(), FrameError> {
    if body.is_empty() || body.get_u8() != 0 {
        return Err(FrameError::Form { what: "a header with atoms, which was not agreed" });
    }
    Ok(())
}

/// A tick.
pub const TICK: [u8; 4] = [0; 4];

/// Appends one message; `payload` is a term without its version byte, and belongs to those control messages that have one.
///
/// # Errors
/// It is larger than a frame can be.
pub fn write(
    out: &mut Vec<u8>,
    flags: Flags,
    control: &Control,
    payload: impl FnOnce(&mut Vec<u8>),
) -> Result<(), FrameError> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let form = Form::of(flags);
    match form {
        Form::Header => out.extend_from_slice(&[131, 68, 0]),
        Form::PassThrough => out.extend_from_slice(&[112, 131]),
    }
    control.encode(out);
    if control.has_payload() {
        if form == Form::PassThrough {
            out.push(131);
        }
        payload(out);
    }
    let size = out.len() - start - 4;
    match u32::try_from(size) {
        Ok(length) => {
            out[start..start + 4].copy_from_slice(&length.to_be_bytes());
            Ok(())
        }
        Err(_) => {
            out.truncate(start);
            Err(FrameError::TooLarge { size, limit: u32::MAX as usize })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_term::{Creation, Pid, Term, atom};

    fn control() -> Control {
        let pid = Pid::new(atom("a@h"), 1, 2, Creation::new(3));
        Control::RegSend { from: pid, to: atom("rex") }
    }

    #[test]
    fn a_message_comes_out_as_it_went_in() {
        for flags in [Flags::OFFERED, Flags::OFFERED.without(Flags::FRAGMENTS)] {
            let mut out = TICK.to_vec();
            write(&mut out, flags, &control(), |out| beamline_term::codec::encode::atom_str(out, "hello")).unwrap();
            let mut buffer = BytesMut::new();
            let mut reader = Reader::new(flags, 1000);
            for byte in &out[..out.len() - 1] {
                buffer.extend_from_slice(&[*byte]);
                let frame = reader.next(&mut buffer).unwrap();
                assert!(frame.is_none() || frame == Some(Frame::Tick));
            }
            buffer.extend_from_slice(&out[out.len() - 1..]);
            let Some(Frame::Message(message)) = reader.next(&mut buffer).unwrap() else { panic!("no message") };
            assert_eq!(message.control, control());
            assert_eq!(message.payload_term().unwrap(), Some(Term::atom("hello")));
        }
    }

    #[test]
    fn fragments_count_down_and_interleave() {
        let mut whole = Vec::new();
        write(&mut whole, Flags::OFFERED, &control(), |out| {
            beamline_term::codec::encode::binary(out, &[7; 100]);
        })
        .unwrap();
        let body = &whole[7..];
        let piece = |kind: u8, sequence: u64, number: u64, bytes: &[u8]| {
            let zero: &[u8] = if kind == 69 { &[0] } else { &[] };
            let frame = [&[131, kind], &sequence.to_be_bytes()[..], &number.to_be_bytes(), zero, bytes].concat();
            [&(frame.len() as u32).to_be_bytes()[..], &frame].concat()
        };
        let (one, two, three) = (&body[..60], &body[60..80], &body[80..]);
        let mut buffer = BytesMut::new();
        for part in [piece(69, 1, 3, one), piece(69, 2, 2, one), piece(70, 1, 2, two), piece(70, 1, 1, three)] {
            buffer.extend_from_slice(&part);
        }
        let mut reader = Reader::new(Flags::OFFERED, 1000);
        for _ in 0..3 {
            assert_eq!(reader.next(&mut buffer).unwrap(), Some(Frame::Part));
        }
        let Some(Frame::Message(message)) = reader.next(&mut buffer).unwrap() else { panic!("no message") };
        assert_eq!(message.payload_term().unwrap().unwrap().as_binary(), Some(&[7; 100][..]));
        buffer.extend_from_slice(&piece(70, 9, 1, three));
        assert!(matches!(reader.next(&mut buffer), Err(FrameError::Form { .. })));
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_before_it_arrives() {
        let mut buffer = BytesMut::from(&[0x7f, 0xff, 0xff, 0xff][..]);
        assert!(matches!(Reader::new(Flags::OFFERED, 1000).next(&mut buffer), Err(FrameError::TooLarge { .. })));
    }
}
