//! Frames off a stream: many in a read, and large ones straight into the memory where they stay.

use beamline_term::Origin;
use bytes::buf::{BufMut, Limit};
use bytes::{Buf, Bytes, BytesMut};

use super::answer::Answer;
use super::fragment::{CONTINUED, FRAGMENT, Parts};
use super::shelf::Shelf;
use super::{Form, Frame, FrameError};
use crate::control::{Execute, Message, Own};
use crate::flags::Flags;

/// A frame from this size on is read into memory of its own, unless the buffer has room for it.
const LARGE: usize = 16 << 10;
/// Memory grows with what has arrived, not with what a peer says will come.
const STEP: usize = 64 << 10;
/// The least and the most that the buffer has room for.
const LEAST: usize = 1 << 10;
const MOST: usize = 256 << 10;
/// Buffers from this size on are kept to be used again.
const KEPT: usize = 32 << 10;
/// While a fragmented message is under way its next fragment is likely to come: a little is read, which has its head, and
/// the rest goes where it belongs without a stop in the buffer.
const PEEK: usize = 8 << 10;

/// The header of a message that is whole and has no atoms.
const PLAIN: &[u8] = &[131, 68, 0];

/// Takes frames off a stream, and puts fragments together.
///
/// Bytes are put where [`Reader::space`] says; then [`Reader::next_frame`] gives the frames, until it has no more.
#[derive(Debug)]
pub struct Reader {
    form: Form,
    limit: usize,
    pub(super) buffer: BytesMut,
    /// The size of the memory that it is a part of.
    whole: usize,
    /// How much is asked for at a time: more when a read fills it, less when little comes.
    size: usize,
    /// Up to where the buffer would be filled by the read that is under way.
    offered: usize,
    parts: Parts,
    body: Option<Body>,
    shelf: Shelf,
    /// By what answers are known, on connections of a node.
    pub(super) own: Option<Own>,
}

/// A frame of which a part has arrived, in the memory where it stays.
#[derive(Debug)]
struct Body {
    /// Of which message under way it is a fragment, whose memory this then is; else the memory is the frame's own.
    sequence: Option<u64>,
    memory: BytesMut,
    /// How many bytes the memory had when they were last counted.
    counted: usize,
    /// How many bytes are still to come.
    left: usize,
}

impl Reader {
    /// A reader for a connection with these flags that takes messages of up to `limit` bytes, and holds as many in parts.
    /// `buffer` is what has arrived already.
    pub fn new(flags: Flags, limit: usize, buffer: BytesMut) -> Reader {
        let (form, offered) = (Form::of(flags), usize::MAX);
        let (parts, shelf, whole) = (Parts::default(), Shelf::default(), buffer.capacity());
        Reader { form, limit, buffer, whole, size: LEAST, offered, parts, body: None, shelf, own: None }
    }

    /// This reader, for the incarnation of a node that makes its references under this origin: answers to those are found by
    /// [`Reader::next_answer`], and what calls a function is given as a [`Frame::Execute`], if it came whole and in the newest
    /// form.
    #[must_use]
    pub fn of_node(self, own: &Origin) -> Reader {
        Reader { own: Some(Own::of(own)), ..self }
    }

    /// Where the next bytes of the stream belong, and how many at most. [`Reader::next_frame`] must follow.
    pub fn space(&mut self) -> Limit<&mut BytesMut> {
        if self.body.is_none() {
            self.make_room();
        }
        let Some(body) = &mut self.body else {
            let room = self.offered - self.buffer.len();
            return (&mut self.buffer).limit(room);
        };
        if body.memory.capacity() == body.memory.len() {
            body.memory.reserve(body.left.min(body.memory.len().max(STEP)));
        }
        (&mut body.memory).limit(body.left)
    }

    /// Sees to it that the buffer has room, and decides how much of it is offered.
    fn make_room(&mut self) {
        let size = if self.parts.held() > 0 { PEEK } else { self.size };
        if self.buffer.is_empty() && self.buffer.capacity() > 8 * size {
            // What many messages needed is not kept for few.
            (self.buffer, self.whole) = (BytesMut::new(), 0);
            self.shelf.clear();
        }
        let room = self.buffer.capacity() - self.buffer.len();
        if room < size / 2 && !self.holds_frame() && !self.buffer.try_reclaim(size) {
            self.renew(size);
        }
        self.offered = self.buffer.len() + size.min(self.buffer.capacity() - self.buffer.len());
    }

    fn is_first_fragment(&self, frame: &[u8]) -> bool {
        self.form == Form::Header && frame.starts_with(&[131, 69])
    }

    /// Whether the frame that has begun fits into the buffer.
    fn holds_frame(&self) -> bool {
        let head = self.buffer.first_chunk::<4>();
        head.is_some_and(|head| self.buffer.capacity() - 4 >= u32::from_be_bytes(*head) as usize)
    }

    /// A buffer with room for `size` more bytes, as what was taken from this one is in use.
    fn renew(&mut self, size: usize) {
        let whole = self.buffer.len() + size;
        let mut fresh = if whole < KEPT { BytesMut::with_capacity(whole) } else { self.shelf.take(whole) };
        fresh.extend_from_slice(&self.buffer);
        let mut old = std::mem::replace(&mut self.buffer, fresh);
        old.clear();
        if self.whole >= KEPT {
            self.shelf.put(self.whole, old);
        }
        self.whole = self.buffer.capacity();
    }

    /// Asks for more when a read has brought as much as there was room for, and for less when it brought little.
    fn learn(&mut self) {
        if self.offered == usize::MAX {
            return;
        }
        let (offered, end) = (std::mem::replace(&mut self.offered, usize::MAX), self.buffer.len());
        if end == offered {
            self.size = (self.size * 2).min(MOST);
        } else if end < self.size / 8 {
            self.size = (self.size / 2).max(LEAST);
        }
    }

    /// The next frame, if all of it has arrived and it answers a request of this node.
    pub fn next_answer(&mut self) -> Option<Answer<'_>> {
        if self.body.is_some() {
            return None;
        }
        self.learn();
        let (head, after) = self.buffer.split_first_chunk()?;
        let length = u32::from_be_bytes(*head) as usize;
        if self.form != Form::Header || length.saturating_add(self.parts.held()) > self.limit {
            return None;
        }
        let answer = self.own.as_ref()?.answer(after.get(..length)?.strip_prefix(PLAIN)?)?;
        let before = head.len() + PLAIN.len();
        let (frame, reason) = (head.len() + length, answer.reason.map(|start| before + start));
        Some(Answer { reader: self, frame, reason, words: answer.words })
    }

    /// The next frame, when all of it has arrived.
    ///
    /// # Errors
    /// The peer breaks the protocol or a limit; the connection must be closed.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.body.is_some() {
            return self.large();
        }
        self.learn();
        let Some(head) = self.buffer.get(..4) else { return Ok(None) };
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length == 0 {
            self.buffer.advance(4);
            // Nothing has come for a while.
            self.shelf.clear();
            return Ok(Some(Frame::Tick));
        }
        let size = length.saturating_add(self.parts.held());
        if size > self.limit {
            return Err(FrameError::TooLarge { size, limit: self.limit });
        }
        if self.buffer.len() - 4 < length {
            return if length < LARGE || self.holds_frame() { Ok(None) } else { self.begin(length) };
        }
        self.buffer.advance(4);
        let body = self.buffer.split_to(length).freeze();
        self.frame(body).map(Some)
    }

    /// Begins with a large frame of which not all has arrived, when enough has to tell where it belongs.
    fn begin(&mut self, length: usize) -> Result<Option<Frame>, FrameError> {
        let Some(&head) = self.buffer.get(4..).and_then(<[u8]>::first_chunk::<CONTINUED>) else { return Ok(None) };
        let is_continued = self.form == Form::Header && head[..2] == [131, 70];
        self.buffer.advance(4);
        let body = if is_continued {
            self.buffer.advance(2);
            let (sequence, number) = (self.buffer.get_u64(), self.buffer.get_u64());
            let mut memory = std::mem::take(self.parts.expect(sequence, number)?);
            let counted = memory.len();
            memory.extend_from_slice(&self.buffer);
            Body { sequence: Some(sequence), memory, counted, left: length - CONTINUED }
        } else {
            // The number of a first fragment is that of all.
            let fragments = if self.is_first_fragment(&head) { (&head[10..]).get_u64() } else { 1 };
            let most = (fragments as usize).saturating_mul(FRAGMENT).max(length);
            let mut memory = self.shelf.take_growing(length.min(self.buffer.len() + STEP), most);
            memory.extend_from_slice(&self.buffer);
            Body { sequence: None, memory, counted: 0, left: length }
        };
        self.buffer.clear();
        self.body = Some(body);
        self.large()
    }

    /// Counts what has arrived of a large frame, and takes it when that is all.
    fn large(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(mut body) = self.body.take() else { return Ok(None) };
        let arrived = body.memory.len() - body.counted;
        body.counted += arrived;
        body.left -= arrived;
        if body.sequence.is_some() {
            self.parts.count(arrived);
        }
        if body.left > 0 {
            self.body = Some(body);
            return Ok(None);
        }
        match body.sequence {
            Some(sequence) => Ok(Some(part(self.parts.arrived(sequence, Some(body.memory), &mut self.shelf)?))),
            None => {
                // In the memory of a first fragment the others will follow.
                let frame = if self.is_first_fragment(&body.memory) {
                    body.memory.freeze()
                } else {
                    self.shelf.keep(body.memory)
                };
                self.frame(frame).map(Some)
            }
        }
    }

    fn frame(&mut self, mut body: Bytes) -> Result<Frame, FrameError> {
        match (self.form, body.first(), body.get(1)) {
            (Form::PassThrough, Some(112), _) => {
                body.advance(1);
                Ok(Frame::Message(Message::decode(&body, true)?))
            }
            (Form::Header, Some(131), Some(68)) => {
                body.advance(2);
                no_atoms(&mut body)?;
                if self.own.is_some() {
                    match Execute::read(body) {
                        Ok(request) => return Ok(Frame::Execute(request)),
                        Err(other) => body = other,
                    }
                }
                Ok(Frame::Message(Message::decode(&body, false)?))
            }
            (Form::Header, Some(131), Some(kind @ (69 | 70))) => {
                let is_first = *kind == 69;
                if body.len() < CONTINUED {
                    return Err(FrameError::Form { what: "a fragment that is cut off" });
                }
                body.advance(2);
                let (sequence, number) = (body.get_u64(), body.get_u64());
                if is_first {
                    no_atoms(&mut body)?;
                    return Ok(part(self.parts.first(sequence, number, body)?));
                }
                self.parts.expect(sequence, number)?.extend_from_slice(&body);
                self.parts.count(body.len());
                Ok(part(self.parts.arrived(sequence, None, &mut self.shelf)?))
            }
            _ => Err(FrameError::Form { what: "an unknown header" }),
        }
    }
}

fn part(whole: Option<Message>) -> Frame {
    whole.map_or(Frame::Part, Frame::Message)
}

fn no_atoms(body: &mut Bytes) -> Result<(), FrameError> {
    if body.is_empty() || body.get_u8() != 0 {
        return Err(FrameError::Form { what: "a header with atoms, which was not agreed" });
    }
    Ok(())
}
