//! The reader: where it stands in its input, what it still accepts, and the heads of containers. Bytes from a socket
//! are held in suspicion: nothing is allocated that the input is not long enough to fill.

use std::sync::Arc;

use bytes::Bytes;

use super::error::{DecodeError, Result};
use super::limits::Limits;
use super::tag;
use crate::{Atom, Binary};

/// Reads terms, or parts of them, from the front of a buffer. Binaries are slices of that buffer.
#[derive(Debug)]
pub struct Decoder<'a> {
    input: &'a [u8],
    /// The buffer that slices share; without one they are copies.
    buffer: Option<&'a Bytes>,
    /// Where reading ends: with the input, or at the limit on it.
    end: usize,
    /// What has not been read yet, up to there.
    pub(super) left: &'a [u8],
    pub(super) depth: u32,
    /// How many elements the open containers still have to get: each takes a byte at least, which is not there for others.
    pub(super) owed: usize,
    /// How much memory may still be taken.
    memory: usize,
    pub(super) limits: Limits,
    /// The atoms that the header of a frame names, in its order.
    pub(super) atoms: &'a [Atom],
    shared: Option<Arc<Bytes>>,
}

impl<'a> Decoder<'a> {
    /// A decoder at the start of `input`, with the default limits.
    pub fn new(input: &'a Bytes) -> Decoder<'a> {
        Decoder::with_limits(input, Limits::default())
    }

    /// As [`Decoder::new`], with limits.
    pub fn with_limits(input: &'a Bytes, limits: Limits) -> Decoder<'a> {
        Decoder::over(input, Some(input), limits)
    }

    /// A decoder of bytes that somebody else keeps, with the default limits. Binaries are copies of them.
    pub fn of_slice(input: &'a [u8]) -> Decoder<'a> {
        Decoder::over(input, None, Limits::default())
    }

    fn over(input: &'a [u8], buffer: Option<&'a Bytes>, limits: Limits) -> Decoder<'a> {
        let end = input.len().min(limits.input_bytes);
        Decoder {
            input,
            buffer,
            end,
            left: &input[..end],
            depth: 0,
            owed: 0,
            memory: limits.memory_bytes,
            limits,
            atoms: &[],
            shared: None,
        }
    }

    /// This decoder, for terms behind a distribution header (131, 68): tag 82 stands for one of the header's atoms, which are
    /// given here in the header's order. Without them that tag is an error.
    ///
    /// ```
    /// use beamline_term::{atom, codec::Decoder};
    ///
    /// let atoms = [atom("ok"), atom("error")];
    /// let bytes = bytes::Bytes::from_static(&[82, 1]);
    /// assert_eq!(Decoder::new(&bytes).with_atoms(&atoms).atom()?, "error");
    /// assert!(Decoder::new(&bytes).atom().is_err());
    /// # Ok::<(), beamline_term::DecodeError>(())
    /// ```
    #[must_use]
    pub fn with_atoms(self, atoms: &'a [Atom]) -> Decoder<'a> {
        Decoder { atoms, ..self }
    }

    /// A second decoder at the same place, to look ahead.
    pub(crate) fn fork(&self) -> Decoder<'a> {
        Decoder { shared: None, ..*self }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.end - self.left.len()
    }

    /// What has not been read yet, without a copy if the decoder has a buffer.
    pub fn rest(&self) -> Bytes {
        self.part(self.position(), self.input.len())
    }

    /// What was read since the place `start`, without a copy if there is a buffer.
    pub(super) fn since(&self, start: usize) -> Bytes {
        self.part(start, self.position())
    }

    fn part(&self, start: usize, end: usize) -> Bytes {
        match self.buffer {
            Some(buffer) => buffer.slice(start..end),
            None => Bytes::copy_from_slice(self.between(start, end)),
        }
    }

    /// A part of what has been read.
    pub(super) fn between(&self, start: usize, end: usize) -> &'a [u8] {
        self.input.get(start..end).unwrap_or_default()
    }

    /// What there is to read from a place on.
    pub(super) fn onward_of(&self, place: usize) -> &'a [u8] {
        self.between(place, self.end)
    }

    /// Checks that everything has been read.
    ///
    /// # Errors
    /// Bytes are left.
    pub fn finish(&self) -> Result<()> {
        match self.input.len() - self.position() {
            0 => Ok(()),
            count => Err(DecodeError::Trailing { count }),
        }
    }

    /// The next tag, without reading it.
    ///
    /// # Errors
    /// The input is at its end.
    #[inline]
    pub fn peek_tag(&self) -> Result<u8> {
        self.left.first().copied().ok_or_else(|| self.truncated(1))
    }

    /// Reads the version byte.
    ///
    /// # Errors
    /// Another byte stands there, or none.
    pub fn version(&mut self) -> Result<()> {
        match self.u8()? {
            tag::VERSION => Ok(()),
            found => Err(DecodeError::Version { found }),
        }
    }

    /// Reads over these bytes, if they are what stands here; else nothing is read.
    #[inline]
    pub fn pass_bytes(&mut self, bytes: &[u8]) -> bool {
        match self.left.strip_prefix(bytes) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((bytes, left)) = self.left.split_at_checked(count) else {
            return Err(self.truncated(count - self.left.len()));
        };
        self.left = left;
        Ok(bytes)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((array, left)) = self.left.split_first_chunk() else {
            return Err(self.truncated(N - self.left.len()));
        };
        self.left = left;
        Ok(*array)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<usize> {
        Ok(usize::from(u16::from_be_bytes(self.array()?)))
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Checks that so many elements of `least` bytes each can follow: no container gets memory for more.
    #[inline]
    fn fits(&self, count: usize, least: usize) -> Result<usize> {
        let left = self.left.len().saturating_sub(self.owed);
        match count.checked_mul(least) {
            Some(needed) if needed <= left => Ok(count),
            _ => Err(self.truncated(count.saturating_mul(least).saturating_sub(left))),
        }
    }

    /// A count of elements that need `least` bytes each.
    #[inline]
    pub(super) fn count(&mut self, least: usize) -> Result<usize> {
        let count = self.u32()? as usize;
        self.fits(count, least)
    }

    /// Takes memory for `count` values of a type from what the limits allow.
    #[inline]
    pub(super) fn charge<T>(&mut self, count: usize) -> Result<()> {
        match count.checked_mul(size_of::<T>()).and_then(|bytes| self.memory.checked_sub(bytes)) {
            Some(left) => {
                self.memory = left;
                Ok(())
            }
            None => Err(self.limit("memory")),
        }
    }

    /// How much memory may still be taken.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    /// More bytes are needed than are there, or than may be read.
    #[cold]
    pub(super) fn truncated(&self, missing: usize) -> DecodeError {
        match self.end < self.input.len() {
            true => self.limit("input"),
            false => DecodeError::Truncated { at: self.position(), missing },
        }
    }

    #[cold]
    pub(super) fn limit(&self, what: &'static str) -> DecodeError {
        DecodeError::Limit { what, at: self.position() }
    }

    #[cold]
    pub(crate) fn unexpected(&self, tag: u8, wanted: &'static str) -> DecodeError {
        let wanted = match tag {
            tag::LOCAL => "a term that may leave the node that made it (this one may not)",
            _ => wanted,
        };
        DecodeError::Tag { tag, at: self.position().saturating_sub(1), wanted }
    }

    #[cold]
    pub(super) fn invalid(&self, what: &'static str) -> DecodeError {
        DecodeError::Invalid { what, at: self.position() }
    }

    /// Runs `read` one level deeper.
    #[inline]
    pub(crate) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= self.limits.depth {
            return Err(self.limit("depth"));
        }
        let owed = self.owed;
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        self.owed = owed;
        result
    }

    /// Reads the head of a tuple and gives its arity.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    #[inline]
    pub fn tuple_header(&mut self) -> Result<usize> {
        match self.u8()? {
            tag::SMALL_TUPLE => {
                let arity = usize::from(self.u8()?);
                self.fits(arity, 1)
            }
            tag::LARGE_TUPLE => self.count(1),
            tag => Err(self.unexpected(tag, "a tuple")),
        }
    }

    /// Reads the head of a list that is not a byte string: how many elements follow before the tail. `[]` gives 0, and has
    /// no tail to read.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    #[inline]
    pub fn list_header(&mut self) -> Result<usize> {
        match self.u8()? {
            tag::NIL => Ok(0),
            tag::LIST => match self.count(1)? {
                // Nobody writes `[]` so, but Erlang reads it.
                0 => match self.u8()? {
                    tag::NIL => Ok(0),
                    tag => Err(self.unexpected(tag, "the end of an empty list")),
                },
                count => Ok(count),
            },
            tag => Err(self.unexpected(tag, "a list")),
        }
    }

    /// Reads the head of a map and gives the number of its pairs.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    #[inline]
    pub fn map_header(&mut self) -> Result<usize> {
        match self.u8()? {
            tag::MAP => self.count(2),
            tag => Err(self.unexpected(tag, "a map")),
        }
    }

    /// The next `count` bytes as a slice of the input.
    #[inline]
    pub(super) fn slice(&mut self, count: usize) -> Result<Binary> {
        match Binary::short(self.take(count)?) {
            Some(few) => Ok(few),
            None => self.share(count),
        }
    }

    /// The last `count` bytes read.
    fn share(&mut self, count: usize) -> Result<Binary> {
        let end = self.position();
        let input = self.input;
        let whole = || self.buffer.cloned().unwrap_or_else(|| Bytes::copy_from_slice(input));
        let shared = self.shared.get_or_insert_with(|| Arc::new(whole()));
        match Binary::slice_of(shared, end - count, end) {
            Some(binary) => Ok(binary),
            None => Err(self.limit("size")),
        }
    }

    /// Reads a binary, without a copy.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    #[inline]
    pub fn binary(&mut self) -> Result<Binary> {
        match self.u8()? {
            tag::BINARY => {
                let length = self.u32()? as usize;
                self.slice(length)
            }
            tag => Err(self.unexpected(tag, "a binary")),
        }
    }
}
