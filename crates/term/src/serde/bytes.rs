//! Byte strings as binaries: `#[serde(with = "beamline_term::serde::bytes")]`.
//!
//! serde takes a `Vec<u8>` for a list of numbers, and so it is written. With this module a field is a binary instead: a
//! `Vec<u8>`, `Box<[u8]>`, `[u8; N]`, [`Bytes`], [`Binary`], `&[u8]` (which borrows from the input), or an `Option` of one.
//! `Bytes` and `Binary` are read without a copy, as slices of the input's buffer. A list of bytes is read too.

use std::fmt;
use std::marker::PhantomData;

use ::bytes::Bytes;
use serde::de::{self, Deserializer, SeqAccess, Unexpected, Visitor};
use serde::ser::Serializer;

use super::{passing, special};
use crate::Binary;

/// The types that this module writes and reads.
pub trait ByteString<'de>: Sized {
    /// The bytes; `None` for a `None`.
    fn as_bytes(&self) -> Option<&[u8]>;

    /// Reads the value.
    ///
    /// # Errors
    /// Something else stands there, or it does not fit the type.
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Writes a binary.
///
/// # Errors
/// It is larger than the format allows.
pub fn serialize<'de, T: ByteString<'de>, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    match value.as_bytes() {
        Some(bytes) => serializer.serialize_bytes(bytes),
        None => serializer.serialize_none(),
    }
}

/// Reads a binary.
///
/// # Errors
/// Something else stands there, or it does not fit the type.
pub fn deserialize<'de, T: ByteString<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

macro_rules! copied {
    ($($type:ty),*) => {
        $(impl<'de> ByteString<'de> for $type {
            fn as_bytes(&self) -> Option<&[u8]> {
                Some(self)
            }

            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(deserializer.deserialize_byte_buf(Copied)?.into())
            }
        })*
    };
}

copied!(Vec<u8>, Box<[u8]>);

impl<'de, const N: usize> ByteString<'de> for [u8; N] {
    fn as_bytes(&self) -> Option<&[u8]> {
        Some(self)
    }

    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = deserializer.deserialize_byte_buf(Copied)?;
        let length = bytes.len();
        bytes.try_into().map_err(|_| de::Error::custom(format_args!("expected {N} bytes, found {length}")))
    }
}

macro_rules! shared {
    ($($type:ty),*) => {
        $(impl<'de> ByteString<'de> for $type {
            fn as_bytes(&self) -> Option<&[u8]> {
                Some(self)
            }

            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_newtype_struct(special::BYTES, Shared).map(Into::into)
            }
        })*
    };
}

shared!(Bytes, Binary);

impl From<Binary> for Bytes {
    fn from(binary: Binary) -> Bytes {
        binary.to_bytes()
    }
}

impl<'de> ByteString<'de> for &'de [u8] {
    fn as_bytes(&self) -> Option<&[u8]> {
        Some(self)
    }

    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        de::Deserialize::deserialize(deserializer)
    }
}

impl<'de, T: ByteString<'de>> ByteString<'de> for Option<T> {
    fn as_bytes(&self) -> Option<&[u8]> {
        self.as_ref().and_then(T::as_bytes)
    }

    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(Optional(PhantomData))
    }
}

struct Optional<T>(PhantomData<T>);

impl<'de, T: ByteString<'de>> Visitor<'de> for Optional<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a binary or nil")
    }

    fn visit_none<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        T::read(deserializer).map(Some)
    }
}

struct Copied;

impl<'de> Visitor<'de> for Copied {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a binary")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
        Ok(text.as_bytes().to_vec())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = elements.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

/// Takes a slice of the input's buffer from our own format, and a copy from others.
struct Shared;

impl<'de> Visitor<'de> for Shared {
    type Value = Binary;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a binary")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Binary, E> {
        passing::taken_binary().ok_or_else(|| E::invalid_type(Unexpected::Unit, &self))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Binary, E> {
        Ok(bytes.into())
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Binary, E> {
        Ok(bytes.into())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Binary, D::Error> {
        deserializer.deserialize_byte_buf(Copied).map(Binary::from)
    }
}
