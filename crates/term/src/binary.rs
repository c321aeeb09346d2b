//! Binaries and bit strings. A decoded binary is a slice of the input, not a copy.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use crate::inline::Inline;

/// An Erlang binary: up to 22 bytes in place, more as a slice of a shared buffer.
///
/// `Bytes` itself is larger: a term of 32 bytes could not hold it.
#[derive(Clone)]
pub struct Binary(Repr);

#[derive(Clone)]
enum Repr {
    /// Small ones keep no buffer alive, and cost no count of who shares it.
    Inline(Inline),
    Shared {
        buffer: Arc<Bytes>,
        start: u32,
        end: u32,
    },
}

const _: () = assert!(size_of::<Binary>() <= 24, "a binary is no larger than an atom");

impl Binary {
    /// These bytes, if there are few of them.
    #[inline]
    pub(crate) fn short(from: &[u8]) -> Option<Binary> {
        Inline::new(from).map(|few| Binary(Repr::Inline(few)))
    }

    /// A binary stored in place.
    #[inline(always)]
    pub(crate) fn of_inline(few: Inline) -> Binary {
        Binary(Repr::Inline(few))
    }

    /// The bytes, when they are stored in place.
    #[inline]
    pub(crate) fn inline(&self) -> Option<&Inline> {
        match &self.0 {
            Repr::Inline(few) => Some(few),
            Repr::Shared { .. } => None,
        }
    }

    /// The part `start..end` of a shared buffer; `None` if it is not inside.
    pub(crate) fn slice_of(buffer: &Arc<Bytes>, start: usize, end: usize) -> Option<Binary> {
        if start > end || end > buffer.len() {
            return None;
        }
        let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
        Some(Binary(Repr::Shared { buffer: Arc::clone(buffer), start, end }))
    }

    /// The same bytes as `Bytes`; only a few are copied.
    pub fn to_bytes(&self) -> Bytes {
        match &self.0 {
            Repr::Inline(_) => Bytes::copy_from_slice(self),
            Repr::Shared { buffer, start, end } => buffer.slice(*start as usize..*end as usize),
        }
    }
}

impl Deref for Binary {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline(few) => few.as_slice(),
            Repr::Shared { buffer, start, end } => buffer.get(*start as usize..*end as usize).unwrap_or_default(),
        }
    }
}

impl From<Bytes> for Binary {
    /// Bytes past 4 GiB, which the format cannot express, are cut off.
    fn from(bytes: Bytes) -> Binary {
        Binary::short(&bytes).unwrap_or_else(|| {
            let end = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            Binary(Repr::Shared { buffer: Arc::new(bytes), start: 0, end })
        })
    }
}

impl From<Vec<u8>> for Binary {
    fn from(bytes: Vec<u8>) -> Binary {
        Binary::from(Bytes::from(bytes))
    }
}

impl From<&[u8]> for Binary {
    fn from(bytes: &[u8]) -> Binary {
        Binary::short(bytes).unwrap_or_else(|| Binary::from(Bytes::copy_from_slice(bytes)))
    }
}

impl From<&str> for Binary {
    fn from(text: &str) -> Binary {
        Binary::from(text.as_bytes())
    }
}

impl From<String> for Binary {
    fn from(text: String) -> Binary {
        Binary::from(text.into_bytes())
    }
}

impl AsRef<[u8]> for Binary {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Binary {
    fn eq(&self, other: &Binary) -> bool {
        **self == **other
    }
}

impl Eq for Binary {}

impl Hash for Binary {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::inspect::write_binary(f, self)
    }
}

/// A bit string whose length is not a whole number of bytes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BitString {
    bytes: Binary,
    last_bits: u8,
}

impl BitString {
    /// The bytes, and how many bits of the last one count, from the most significant: 1 to 8.
    /// `None` for another number, or for no bytes at all.
    pub fn new(bytes: Binary, last_bits: u8) -> Option<BitString> {
        let last = *bytes.last().filter(|_| (1..=8).contains(&last_bits))?;
        let kept = last & !(0xff_u8.checked_shr(u32::from(last_bits)).unwrap_or(0));
        if kept == last {
            return Some(BitString { bytes, last_bits });
        }
        // What a sender put behind the end is no part of the value: without it equal ones have equal bytes.
        let mut copy = bytes.to_vec();
        *copy.last_mut()? = kept;
        Some(BitString { bytes: copy.into(), last_bits })
    }

    /// The bytes, the last one padded with zeros.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bits of the last byte count.
    pub fn last_bits(&self) -> u8 {
        self.last_bits
    }
}
