//! The term of a message as it goes out: mostly one piece, more if large binaries in it are shared and not copied.

use std::collections::VecDeque;

use beamline_term::codec::Rope;
use bytes::Bytes;

/// A term without version byte, in pieces that go out one after the other.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    /// Empty only if that is all.
    first: Bytes,
    rest: VecDeque<Bytes>,
}

impl Payload {
    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.pieces().map(Bytes::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The pieces in their order. None is empty, but the only one of an empty payload.
    pub fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// The same as pieces that own themselves.
    pub fn into_pieces(self) -> impl Iterator<Item = Bytes> {
        std::iter::once(self.first).chain(self.rest)
    }

    /// Appends all of it.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.pieces().for_each(|piece| out.extend_from_slice(piece));
    }

    /// All of it as one piece, for which several have to be copied.
    pub fn into_bytes(self) -> Bytes {
        if self.rest.is_empty() {
            return self.first;
        }
        let mut whole = Vec::with_capacity(self.len());
        self.write(&mut whole);
        whole.into()
    }

    /// Takes so many bytes from the front, or all.
    pub(super) fn split_to(&mut self, length: usize) -> Payload {
        let (mut taken, mut left) = (Payload::default(), length);
        while left > 0 && !self.is_empty() {
            let piece = self.first.split_to(self.first.len().min(left));
            left -= piece.len();
            if self.first.is_empty() {
                self.first = self.rest.pop_front().unwrap_or_default();
            }
            taken.push(piece);
        }
        taken
    }

    fn push(&mut self, piece: Bytes) {
        if self.first.is_empty() {
            self.first = piece;
        } else {
            self.rest.push_back(piece);
        }
    }
}

impl From<Bytes> for Payload {
    fn from(whole: Bytes) -> Payload {
        Payload { first: whole, rest: VecDeque::new() }
    }
}

impl From<Rope> for Payload {
    fn from(rope: Rope) -> Payload {
        match rope.into_buffer() {
            Ok(whole) => Payload::from(Bytes::from(whole)),
            Err(rope) => {
                let mut payload = Payload::default();
                rope.into_pieces().into_iter().for_each(|piece| payload.push(piece));
                payload
            }
        }
    }
}
