//! serde for terms, straight to and from bytes.
//!
//! | Rust | Erlang |
//! | --- | --- |
//! | integers, `char` | integer |
//! | `f32`, `f64` | float (an integer is read as one too) |
//! | `bool` | `true`, `false` |
//! | `&str`, `String` | binary (an atom or a charlist is read as one too) |
//! | `Vec<T>` and other sequences | list |
//! | tuples, tuple structs | tuple (an argument list of that length is read as one too) |
//! | `()`, unit structs, `None` | `nil` (`undefined` and `[]` are read as such too) |
//! | maps | map |
//! | structs | map with atom keys |
//! | unit variants | atom |
//! | other variants | tuple that begins with the variant's atom |
//! | [`Term`], [`Atom`], [`Pid`], [`Reference`] | themselves |

mod de;
mod ser;

use std::cell::Cell;
use std::fmt;

use bytes::Bytes;
use serde::de::{self as serde_de, Deserialize, Visitor};
use serde::ser::{self as serde_ser, Serialize};

use crate::codec::{Decoder, encode, tag};
use crate::{Atom, DecodeError, Pid, Reference, Term};

/// The name under which a term passes through serde as its own bytes.
const RAW: &str = "$beamline::Term";

/// Why a value and a term do not fit each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no term, or not of the kind that the type wants.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The type's own objection.
    #[error("{0}")]
    Message(String),
}

impl serde_de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Error {
        Error::Message(message.to_string())
    }
}

impl serde_ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Error {
        Error::Message(message.to_string())
    }
}

/// Writes a value as a term with its version byte.
///
/// # Errors
/// The value's own `Serialize` fails, or it is larger than the format allows.
pub fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut out = vec![tag::VERSION];
    write(value, &mut out)?;
    Ok(out)
}

/// Appends a value as a term without version byte.
///
/// # Errors
/// As [`to_bytes`]; what was appended until then stays.
pub fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), Error> {
    value.serialize(ser::Serializer::new(out))
}

/// Reads a value from a term with its version byte, which must fill the input.
///
/// # Errors
/// The bytes are not one whole term, or not one that fits the type.
pub fn from_bytes<'de, T: Deserialize<'de>>(bytes: &'de Bytes) -> Result<T, Error> {
    let mut decoder = Decoder::new(bytes);
    decoder.version()?;
    let value = read(&mut decoder)?;
    decoder.finish()?;
    Ok(value)
}

/// Reads a value from the term that comes next.
///
/// # Errors
/// As [`from_bytes`], but bytes may follow.
pub fn read<'de, T: Deserialize<'de>>(decoder: &mut Decoder<'de>) -> Result<T, Error> {
    T::deserialize(de::Deserializer::new(decoder))
}

/// The term for a value.
///
/// # Errors
/// As [`to_bytes`].
pub fn to_term<T: Serialize + ?Sized>(value: &T) -> Result<Term, Error> {
    Ok(Term::decode(&Bytes::from(to_bytes(value)?))?)
}

/// The value for a term.
///
/// # Errors
/// The term does not fit the type.
pub fn from_term<T: serde_de::DeserializeOwned>(term: &Term) -> Result<T, Error> {
    from_bytes(&Bytes::from(term.encode()))
}

/// Bytes that serde may pass through as they are.
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

thread_local! {
    /// The bytes that [`RawVisitor`] is about to see, as a slice of the input: serde has no other way to hand them over
    /// without a copy.
    static PASSING: Cell<Option<Bytes>> = const { Cell::new(None) };
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an Erlang term")
    }

    fn visit_bytes<E: serde_de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        // What another format left there is not ours: the place in memory must be the same.
        let same = |passing: &Bytes| std::ptr::eq(passing.as_ptr(), bytes.as_ptr()) && passing.len() == bytes.len();
        Ok(PASSING.take().filter(same).unwrap_or_else(|| Bytes::copy_from_slice(bytes)))
    }
}

macro_rules! pass_through {
    ($($type:ty: $write:path, $read:ident;)*) => {
        $(impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut raw = Vec::new();
                $write(&mut raw, self);
                serializer.serialize_newtype_struct(RAW, &Raw(&raw))
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let raw = deserializer.deserialize_newtype_struct(RAW, RawVisitor)?;
                Decoder::new(&raw).$read().map_err(serde_de::Error::custom)
            }
        })*
    };
}

pass_through! {
    Term: encode::term, term;
    Atom: encode::atom, atom;
    Pid: encode::pid, pid;
    Reference: encode::reference, reference;
    crate::Binary: encode::binary, binary;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atom;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        Empty,
        Circle(f64),
        Box { width: i64, height: Option<i64> },
        Pair(i64, String),
    }

    fn round_trip<T: Serialize + serde_de::DeserializeOwned + PartialEq + fmt::Debug>(value: T, printed: &str) {
        let bytes = Bytes::from(to_bytes(&value).unwrap());
        assert_eq!(Term::decode(&bytes).unwrap().to_string(), printed);
        assert_eq!(from_bytes::<T>(&bytes).unwrap(), value);
    }

    #[test]
    fn values_and_their_terms() {
        round_trip((1, -300, u64::MAX), "{1, -300, 18446744073709551615}");
        round_trip(vec!["a".to_owned(), "b".to_owned()], "[\"a\", \"b\"]");
        round_trip(Shape::Empty, ":empty");
        round_trip(Shape::Circle(2.5), "{:circle, 2.5}");
        round_trip(Shape::Pair(1, "x".into()), "{:pair, 1, \"x\"}");
        round_trip(Shape::Box { width: 1, height: None }, "{:box, %{height: nil, width: 1}}");
        round_trip((atom("ok"), Term::list([1.into(), atom("x").into()])), "{:ok, [1, :x]}");
        round_trip(Some(true), "true");
        round_trip(None::<bool>, "nil");
        round_trip((), "nil");
    }

    #[test]
    fn a_list_of_bytes_reads_as_what_the_type_wants() {
        let bytes = Bytes::from(Term::charlist("ab").encode());
        assert_eq!(from_bytes::<Vec<u32>>(&bytes).unwrap(), vec![97, 98]);
        assert_eq!(from_bytes::<String>(&bytes).unwrap(), "ab");
        assert_eq!(from_bytes::<(i64, i64)>(&bytes).unwrap(), (97, 98));
    }

    #[test]
    fn a_text_can_be_borrowed_from_the_input() {
        let bytes = Bytes::from(to_bytes(&("add", 2)).unwrap());
        assert_eq!(from_bytes::<(&str, i64)>(&bytes).unwrap(), ("add", 2));
    }

    #[test]
    fn the_wrong_kind_is_an_error() {
        let bytes = Bytes::from(to_bytes("text").unwrap());
        assert!(from_bytes::<i64>(&bytes).is_err());
        assert!(from_bytes::<(i64, i64)>(&bytes).is_err());
    }
}
