//! Reading, with the suspicion that bytes from a socket deserve: depth and sizes are limited, and nothing is allocated
//! that the input is not long enough to fill.

use std::sync::Arc;

use bytes::Bytes;
use num_bigint::{BigInt, Sign};

use super::tag;
use crate::{Atom, Binary, Creation, Origin, Pid, Port, Reference, Term};

/// What a decoder accepts at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How deep terms may nest. Default 512.
    pub depth: u32,
    /// To how many bytes a compressed term may inflate. Default 64 MiB.
    pub inflated_bytes: usize,
    /// How many bytes an integer may have. Default 64 KiB.
    pub integer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 512, inflated_bytes: 64 << 20, integer_bytes: 64 << 10 }
    }
}

/// Why bytes are not the term that was asked for, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input ends inside a term.
    #[error("the term breaks off at byte {at}: {missing} more bytes are needed")]
    Truncated {
        /// Where more was needed.
        at: usize,
        /// How much more, at least.
        missing: usize,
    },
    /// The first byte is not 131.
    #[error("a term begins with the byte 131, not {found}")]
    Version {
        /// What stands there.
        found: u8,
    },
    /// A tag that no OTP from 25 to 29 sends, or not in this place.
    #[error("unexpected tag {tag} at byte {at} where {wanted} was wanted")]
    Tag {
        /// The tag.
        tag: u8,
        /// Its place.
        at: usize,
        /// What was asked for.
        wanted: &'static str,
    },
    /// A value that its tag does not allow.
    #[error("invalid {what} at byte {at}")]
    Invalid {
        /// What is invalid.
        what: &'static str,
        /// Where it stands.
        at: usize,
    },
    /// One of the [`Limits`] was passed.
    #[error("the term at byte {at} passes the limit on its {what}")]
    Limit {
        /// Which limit.
        what: &'static str,
        /// Where it was passed.
        at: usize,
    },
    /// The term is whole, but bytes follow it.
    #[error("{count} bytes follow the term")]
    Trailing {
        /// How many.
        count: usize,
    },
}

/// Reads terms, or parts of them, from the front of a buffer. Binaries are slices of that buffer.
#[derive(Debug)]
pub struct Decoder<'a> {
    pub(super) input: &'a Bytes,
    pub(super) at: usize,
    pub(super) depth: u32,
    /// How many elements the open containers still have to get: each takes a byte at least, which is not there for others.
    pub(super) owed: usize,
    pub(super) limits: Limits,
    shared: Option<Arc<Bytes>>,
    last_origin: Option<Origin>,
}

pub(super) type Result<T> = std::result::Result<T, DecodeError>;

impl<'a> Decoder<'a> {
    /// A decoder at the start of `input`, with the default limits.
    pub fn new(input: &'a Bytes) -> Decoder<'a> {
        Decoder::with_limits(input, Limits::default())
    }

    /// As [`Decoder::new`], with limits.
    pub fn with_limits(input: &'a Bytes, limits: Limits) -> Decoder<'a> {
        Decoder { input, at: 0, depth: 0, owed: 0, limits, shared: None, last_origin: None }
    }

    /// A second decoder at the same place, to look ahead.
    pub(crate) fn fork(&self) -> Decoder<'a> {
        Decoder {
            input: self.input,
            at: self.at,
            depth: self.depth,
            owed: self.owed,
            limits: self.limits,
            shared: None,
            last_origin: None,
        }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// What has not been read yet, without a copy.
    pub fn rest(&self) -> Bytes {
        self.input.slice(self.at..)
    }

    /// Checks that everything has been read.
    ///
    /// # Errors
    /// Bytes are left.
    pub fn finish(&self) -> Result<()> {
        match self.input.len() - self.at {
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
        self.input.get(self.at).copied().ok_or(DecodeError::Truncated { at: self.at, missing: 1 })
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

    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let left = self.input.len() - self.at;
        if count > left {
            return Err(DecodeError::Truncated { at: self.at, missing: count - left });
        }
        let bytes = &self.input[self.at..self.at + count];
        self.at += count;
        Ok(bytes)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
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

    /// A count of elements that need `least` bytes each: more than the rest can hold is an error before any allocation.
    pub(super) fn count(&mut self, least: usize) -> Result<usize> {
        let count = self.u32()? as usize;
        let left = (self.input.len() - self.at).saturating_sub(self.owed);
        match count.checked_mul(least) {
            Some(needed) if needed <= left => Ok(count),
            _ => Err(DecodeError::Truncated { at: self.at, missing: count.saturating_mul(least).saturating_sub(left) }),
        }
    }

    pub(crate) fn unexpected(&self, tag: u8, wanted: &'static str) -> DecodeError {
        DecodeError::Tag { tag, at: self.at.saturating_sub(1), wanted }
    }

    pub(super) fn invalid(&self, what: &'static str) -> DecodeError {
        DecodeError::Invalid { what, at: self.at }
    }

    /// Runs `read` one level deeper.
    pub(crate) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= self.limits.depth {
            return Err(DecodeError::Limit { what: "depth", at: self.at });
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
    pub fn tuple_header(&mut self) -> Result<usize> {
        match self.u8()? {
            tag::SMALL_TUPLE => {
                let arity = usize::from(self.u8()?);
                let left = (self.input.len() - self.at).saturating_sub(self.owed);
                if arity > left {
                    return Err(DecodeError::Truncated { at: self.at, missing: arity - left });
                }
                Ok(arity)
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
    pub fn list_header(&mut self) -> Result<usize> {
        match self.u8()? {
            tag::NIL => Ok(0),
            tag::LIST => self.count(1),
            tag => Err(self.unexpected(tag, "a list")),
        }
    }

    /// Reads the head of a map and gives the number of its pairs.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    pub fn map_header(&mut self) -> Result<usize> {
        match self.u8()? {
            tag::MAP => self.count(2),
            tag => Err(self.unexpected(tag, "a map")),
        }
    }

    /// Reads an integer of 64 bits.
    ///
    /// # Errors
    /// Something else stands there, or it is too large.
    pub fn integer(&mut self) -> Result<i64> {
        match self.any_integer()? {
            Term::Integer(number) => Ok(number),
            _ => Err(self.invalid("integer: it does not fit 64 bits")),
        }
    }

    /// Reads an integer of 64 bits without a sign.
    ///
    /// # Errors
    /// Something else stands there, it is negative or too large.
    pub fn unsigned(&mut self) -> Result<u64> {
        self.any_integer()?.as_u64().ok_or_else(|| self.invalid("integer: it does not fit 64 bits without a sign"))
    }

    pub(crate) fn any_integer(&mut self) -> Result<Term> {
        let tag = self.u8()?;
        let length = match tag {
            tag::SMALL_INTEGER => return Ok(Term::Integer(i64::from(self.u8()?))),
            tag::INTEGER => return Ok(Term::Integer(i64::from(i32::from_be_bytes(self.array()?)))),
            tag::SMALL_BIG => usize::from(self.u8()?),
            tag::LARGE_BIG => self.u32()? as usize,
            tag => return Err(self.unexpected(tag, "an integer")),
        };
        let sign = match self.u8()? {
            0 => Sign::Plus,
            // As Erlang reads it.
            _ => Sign::Minus,
        };
        if length > self.limits.integer_bytes {
            return Err(DecodeError::Limit { what: "integer", at: self.at });
        }
        Ok(BigInt::from_bytes_le(sign, self.take(length)?).into())
    }

    /// Reads a float.
    ///
    /// # Errors
    /// Something else stands there, or it is not finite.
    pub fn float(&mut self) -> Result<f64> {
        let number = match self.u8()? {
            tag::NEW_FLOAT => f64::from_be_bytes(self.array()?),
            tag::FLOAT => {
                let text = self.take(31)?;
                let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
                let parsed = std::str::from_utf8(&text[..end]).ok().and_then(|text| text.trim().parse().ok());
                parsed.ok_or_else(|| self.invalid("float"))?
            }
            tag => return Err(self.unexpected(tag, "a float")),
        };
        if number.is_finite() { Ok(number) } else { Err(self.invalid("float: it is not finite")) }
    }

    /// Reads an atom.
    ///
    /// # Errors
    /// Something else stands there, or it is no valid atom.
    pub fn atom(&mut self) -> Result<Atom> {
        let tag = self.u8()?;
        let length = match tag {
            tag::SMALL_ATOM_UTF8 | tag::SMALL_ATOM => usize::from(self.u8()?),
            tag::ATOM_UTF8 | tag::ATOM => self.u16()?,
            tag => return Err(self.unexpected(tag, "an atom")),
        };
        let bytes = self.take(length)?;
        if let Some(common) = common(bytes) {
            return Ok(common);
        }
        let atom = if matches!(tag, tag::ATOM | tag::SMALL_ATOM) && !bytes.is_ascii() {
            Atom::new(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>())
        } else {
            Atom::new(std::str::from_utf8(bytes).map_err(|_| self.invalid("atom: it is not UTF-8"))?)
        };
        atom.map_err(|_| self.invalid("atom: it has more than 255 characters"))
    }

    /// The place of a node's name, to be looked at when its creation is known.
    fn node(&mut self) -> Result<usize> {
        let start = self.at;
        let length = match self.u8()? {
            tag::SMALL_ATOM_UTF8 | tag::SMALL_ATOM => usize::from(self.u8()?),
            tag::ATOM_UTF8 | tag::ATOM => self.u16()?,
            tag => return Err(self.unexpected(tag, "an atom")),
        };
        self.take(length)?;
        Ok(start)
    }

    /// The origin whose node's name stands at `node`; mostly the one before, and then nothing is made.
    fn origin(&mut self, node: usize, short_creation: bool) -> Result<Origin> {
        let number = if short_creation { u32::from(self.u8()?) } else { self.u32()? };
        let creation = Creation::new(number);
        if let Some(last) = &self.last_origin
            && last.creation() == creation
            && let [tag::SMALL_ATOM_UTF8, length, name @ ..] = &self.input[node..]
            && name.get(..usize::from(*length)) == Some(last.node().as_str().as_bytes())
        {
            return Ok(last.clone());
        }
        let after = std::mem::replace(&mut self.at, node);
        let node = self.atom()?;
        self.at = after;
        let origin = Origin::new(node, creation);
        self.last_origin = Some(origin.clone());
        Ok(origin)
    }

    /// Reads a pid.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    pub fn pid(&mut self) -> Result<Pid> {
        let tag = self.u8()?;
        if !matches!(tag, tag::NEW_PID | tag::PID) {
            return Err(self.unexpected(tag, "a pid"));
        }
        let node = self.node()?;
        let (id, serial) = (self.u32()?, self.u32()?);
        Ok(Pid::at(&self.origin(node, tag == tag::PID)?, id, serial))
    }

    pub(super) fn port(&mut self) -> Result<Port> {
        let tag = self.u8()?;
        let node = self.node()?;
        let id = match tag {
            tag::V4_PORT => u64::from_be_bytes(self.array()?),
            tag::NEW_PORT | tag::PORT => u64::from(self.u32()?),
            tag => return Err(self.unexpected(tag, "a port")),
        };
        Ok(Port::at(&self.origin(node, tag == tag::PORT)?, id))
    }

    /// Reads a reference.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    pub fn reference(&mut self) -> Result<Reference> {
        let tag = self.u8()?;
        let (node, count, words_first) = match tag {
            tag::NEWER_REFERENCE | tag::NEW_REFERENCE => {
                let count = self.u16()?;
                (self.node()?, count, false)
            }
            tag::REFERENCE => (self.node()?, 1, true),
            tag => return Err(self.unexpected(tag, "a reference")),
        };
        let mut words = [0; Reference::MAX_WORDS];
        let Some(words) = words.get_mut(..count) else {
            return Err(self.invalid("reference: it has more than 5 words"));
        };
        if words_first {
            words[0] = self.u32()?;
        }
        let origin = self.origin(node, tag != tag::NEWER_REFERENCE)?;
        if !words_first {
            for word in words.iter_mut() {
                *word = self.u32()?;
            }
        }
        Reference::at(&origin, words).map_err(|_| self.invalid("reference: it has no words"))
    }

    /// The next `count` bytes as a slice of the input.
    pub(super) fn slice(&mut self, count: usize) -> Result<Binary> {
        let start = self.at;
        if let Some(few) = Binary::inline(self.take(count)?) {
            return Ok(few);
        }
        let shared = self.shared.get_or_insert_with(|| Arc::new(self.input.clone()));
        Binary::slice_of(shared, start, start + count).ok_or(DecodeError::Limit { what: "size", at: start })
    }

    /// Reads a binary, without a copy.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    pub fn binary(&mut self) -> Result<Binary> {
        match self.u8()? {
            tag::BINARY => {
                let length = self.u32()? as usize;
                self.slice(length)
            }
            tag => Err(self.unexpected(tag, "a binary")),
        }
    }

    /// Reads over one term and gives its bytes. Looks at its structure only: that atoms are UTF-8, keys are distinct and
    /// the like is seen by whoever decodes it.
    ///
    /// # Errors
    /// The bytes are not a whole term.
    pub fn skip(&mut self) -> Result<Bytes> {
        let start = self.at;
        self.pass_over()?;
        Ok(self.input.slice(start..self.at))
    }

    /// How many bytes have not been read.
    pub(super) fn left(&self) -> usize {
        self.input.len() - self.at
    }
}

/// Atoms met in nearly every message: found sooner than copied.
fn common(bytes: &[u8]) -> Option<Atom> {
    Some(match bytes {
        b"ok" => Atom::from_static("ok"),
        b"true" => Atom::from_static("true"),
        b"false" => Atom::from_static("false"),
        b"nil" => Atom::from_static("nil"),
        b"undefined" => Atom::from_static("undefined"),
        b"error" => Atom::from_static("error"),
        b"alias" => Atom::from_static("alias"),
        b"$gen_call" => Atom::from_static("$gen_call"),
        b"$gen_cast" => Atom::from_static("$gen_cast"),
        b"__struct__" => Atom::from_static("__struct__"),
        _ => return None,
    })
}
