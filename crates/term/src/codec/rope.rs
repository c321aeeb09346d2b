//! Writing without a copy of large binaries: the bytes come in pieces, for a vectored write.

use bytes::Bytes;

use super::encode;
use super::write::{self, Sink};
use crate::{Binary, Term};

/// Terms as they are written, in pieces: small parts in one buffer, large binaries as they are, shared and not copied. A binary
/// of a megabyte costs no more to write than one of a few bytes, until the kernel takes it.
///
/// ```
/// use beamline_term::{Term, codec::{Rope, encode}};
///
/// let picture = bytes::Bytes::from(vec![7; 1 << 20]);
/// let mut rope = Rope::new();
/// encode::version(rope.buffer());
/// rope.term(&Term::tuple([Term::atom("picture"), picture.clone().into()]));
/// assert_eq!(rope.len(), 1 + 2 + 9 + 5 + (1 << 20));
/// // Ready to become the `IoSlice`s of a vectored write:
/// let pieces: Vec<&[u8]> = rope.pieces().collect();
/// assert_eq!(pieces[1].as_ptr(), picture.as_ptr());
/// ```
#[derive(Clone, Debug)]
pub struct Rope {
    buffer: Vec<u8>,
    /// What is not copied, and before which byte of the buffer it belongs.
    shared: Vec<(usize, Bytes)>,
    /// Binaries of at least so many bytes are shared.
    least: usize,
}

impl Default for Rope {
    fn default() -> Rope {
        Rope::sharing(Rope::SHARED)
    }
}

impl Rope {
    /// Binaries of at least so many bytes are shared, unless another limit is set. Below, a copy costs less than a piece of its
    /// own in a vectored write.
    pub const SHARED: usize = 4 << 10;

    /// Nothing yet.
    pub fn new() -> Rope {
        Rope::default()
    }

    /// Nothing yet; binaries of at least so many bytes will be shared.
    pub fn sharing(least: usize) -> Rope {
        Rope { buffer: Vec::new(), shared: Vec::new(), least }
    }

    /// Where small things are written, with the functions of [`encode`].
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes a term, without a version byte.
    pub fn term(&mut self, term: &Term) {
        write::term(self, term);
    }

    /// Writes a binary.
    #[inline]
    pub fn binary(&mut self, binary: &Binary) {
        if binary.len() < self.least {
            write::copy_binary(&mut self.buffer, binary);
        } else {
            encode::binary_header(&mut self.buffer, binary.len());
            self.shared.push((self.buffer.len(), binary.to_bytes()));
        }
    }

    /// Appends bytes that have been written already, such as terms from elsewhere.
    pub fn append(&mut self, bytes: Bytes) {
        if bytes.len() < self.least {
            self.buffer.extend_from_slice(&bytes);
        } else {
            self.shared.push((self.buffer.len(), bytes));
        }
    }

    /// How many bytes have been written.
    pub fn len(&self) -> usize {
        self.buffer.len() + self.shared.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.shared.is_empty()
    }

    /// Forgets what was written and keeps the memory for what will be.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.shared.clear();
    }

    /// All that was written, in its order; no piece is empty.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.places()
            .flat_map(|(part, shared)| [self.buffer.get(part).unwrap_or_default(), shared.map_or(&[], Bytes::as_ref)])
            .filter(|piece| !piece.is_empty())
    }

    /// The same as pieces that own themselves: one allocation for the buffer, none for what is shared.
    pub fn into_pieces(self) -> Vec<Bytes> {
        let Rope { buffer, shared, .. } = self;
        let buffer = Bytes::from(buffer);
        let mut pieces = Vec::with_capacity(2 * shared.len() + 1);
        let mut start = 0;
        for (end, bytes) in shared {
            pieces.extend([buffer.slice(start..end), bytes]);
            start = end;
        }
        pieces.push(buffer.slice(start..));
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    /// All of it as one buffer, if nothing is shared.
    ///
    /// # Errors
    /// The rope itself, if something is.
    pub fn into_buffer(self) -> Result<Vec<u8>, Rope> {
        if self.shared.is_empty() { Ok(self.buffer) } else { Err(self) }
    }

    /// Parts of the buffer, each with what follows it.
    fn places(&self) -> impl Iterator<Item = (std::ops::Range<usize>, Option<&Bytes>)> {
        let starts = std::iter::once(0).chain(self.shared.iter().map(|(place, _)| *place));
        let ends = self.shared.iter().map(|(place, bytes)| (*place, Some(bytes)));
        starts.zip(ends.chain([(self.buffer.len(), None)])).map(|(start, (end, bytes))| (start..end, bytes))
    }
}

impl Sink for Rope {
    #[inline]
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    #[inline]
    fn binary(&mut self, binary: &Binary) {
        Rope::binary(self, binary);
    }
}
