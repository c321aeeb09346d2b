//! Compressed terms (tag 80), as `term_to_binary(Term, [compressed])` makes them: a zlib stream of the whole term, only
//! directly after the version byte, and never on a distribution link.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};

use super::decoder::Decoder;
use super::error::Result;
use super::tag;
use crate::Term;

impl Decoder<'_> {
    pub(super) fn compressed(&mut self) -> Result<Term> {
        self.u8()?;
        let size = self.u32()? as usize;
        if size > self.limits.inflated_bytes {
            return Err(self.limit("inflated size"));
        }
        self.charge::<u8>(size)?;
        let mut inflater = ZlibDecoder::new(self.left);
        let mut inflated = Vec::new();
        let read = inflater.by_ref().take(size as u64 + 1).read_to_end(&mut inflated);
        if read.is_err() || inflated.len() != size {
            return Err(self.invalid("compressed term"));
        }
        let packed = usize::try_from(inflater.total_in()).unwrap_or(usize::MAX);
        self.left = self.left.get(packed..).unwrap_or_default();
        let inflated = Bytes::from(inflated);
        let mut inner = Decoder::with_limits(&inflated, self.limits.with_memory_bytes(self.memory()));
        // Compressed data inside compressed data is refused: this does not read the tag.
        let term = inner.inner_term()?;
        self.charge::<u8>(self.memory() - inner.memory())?;
        inner.finish()?;
        Ok(term)
    }
}

impl Term {
    /// As [`Term::encode`], compressed where that makes it smaller: `term_to_binary(Term, [compressed])`. Good for what is
    /// stored; Erlang itself never sends it from node to node.
    ///
    /// ```
    /// use beamline_term::Term;
    ///
    /// let term = Term::from("again and ".repeat(100));
    /// let bytes = bytes::Bytes::from(term.encode_compressed());
    /// assert!(bytes.len() < 50);
    /// assert_eq!(Term::decode(&bytes)?, term);
    /// # Ok::<(), beamline_term::DecodeError>(())
    /// ```
    pub fn encode_compressed(&self) -> Vec<u8> {
        let plain = self.encode();
        pack(&plain).filter(|packed| packed.len() < plain.len()).unwrap_or(plain)
    }
}

/// The compressed form of a term with its version byte; `None` if that form cannot express it.
fn pack(plain: &[u8]) -> Option<Vec<u8>> {
    let (version, term) = plain.split_first()?;
    let mut out = vec![*version, tag::COMPRESSED];
    out.extend_from_slice(&u32::try_from(term.len()).ok()?.to_be_bytes());
    let mut packer = ZlibEncoder::new(out, Compression::default());
    packer.write_all(term).ok()?;
    packer.finish().ok()
}
