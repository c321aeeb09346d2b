//! An answer that has arrived, and stays where it is until somebody has decided what of it is wanted.

use bytes::{Buf, Bytes};

use super::reader::Reader;

/// The next frame of a [`Reader`], which answers a request of this node. Dropped, it stays, and
/// [`Reader::next_frame`] gives it as a message.
#[derive(Debug)]
pub struct Answer<'a> {
    pub(super) reader: &'a mut Reader,
    /// How long the frame is, its length included.
    pub(super) frame: usize,
    /// Where in it the reason stands of an end.
    pub(super) reason: Option<usize>,
    /// The words of the reference.
    pub words: [u32; 3],
}

impl Answer<'_> {
    /// Whether a process has ended; else one has been started.
    pub fn is_end(&self) -> bool {
        self.reason.is_some()
    }

    /// The reference and the reason of an end, both encoded.
    pub fn end(&self) -> Option<(&[u8], &[u8])> {
        let frame = self.reader.buffer.get(..self.frame)?;
        let (before, reason) = frame.split_at_checked(self.reason?)?;
        let length = self.reader.own.as_ref()?.length();
        Some((before.get(before.len().checked_sub(length)?..)?, reason))
    }

    /// Takes it, without a look at what else it says.
    pub fn pass(self) {
        self.reader.buffer.advance(self.frame);
    }

    /// Takes it, and gives the reason with which the process ended, undecoded; empty if it was started.
    pub fn into_reason(self) -> Bytes {
        let start = self.reason.unwrap_or(self.frame);
        self.reader.buffer.advance(start);
        match self.frame - start {
            0 => Bytes::new(),
            length => self.reader.buffer.split_to(length).freeze(),
        }
    }
}
