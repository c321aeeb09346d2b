//! serde

mod any;
pub mod bytes;
mod de;
pub mod elixir;
mod error;
mod helpers;
mod module;
mod passing;
mod ser;
mod special;

pub use error::{Error, ErrorKind, Segment};
pub use helpers::{atom, charlist, keyword, proplist, undefined};
pub use passing::bigint;

use ::bytes::Bytes;
use serde::de::{Deserialize, DeserializeOwned};
use serde::ser::Serialize;

use crate::Term;
use crate::codec::{Decoder, tag};

/// Writes a value as a term with its version byte.
///
/// # Errors
/// The value's own `Serialize` fails, or it has no form as a term: a text that is too long for an atom, a float that is
/// not finite.
pub fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    Options::new().to_bytes(value)
}

/// Appends a value as a term without version byte.
///
/// # Errors
/// As [`to_bytes`]; what was appended until then stays.
pub fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), Error> {
    Options::new().write(value, out)
}

/// The term for a value.
///
/// # Errors
/// As [`to_bytes`].
pub fn to_term<T: Serialize + ?Sized>(value: &T) -> Result<Term, Error> {
    Options::new().to_term(value)
}

/// How values are written, where there is a choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    undefined: bool,
}

impl Options {
    /// As the functions of this module write.
    pub fn new() -> Options {
        Options::default()
    }

    /// Writes `None` as `undefined`, for Erlang, instead of `nil`. Both are always read.
    pub fn undefined(self) -> Options {
        Options { undefined: true }
    }

    /// As [`to_bytes`](to_bytes()), so.
    ///
    /// # Errors
    /// As there.
    pub fn to_bytes<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<u8>, Error> {
        let mut out = vec![tag::VERSION];
        self.write(value, &mut out)?;
        Ok(out)
    }

    /// As [`write`](write()), so.
    ///
    /// # Errors
    /// As there.
    pub fn write<T: Serialize + ?Sized>(self, value: &T, out: &mut Vec<u8>) -> Result<(), Error> {
        value.serialize(ser::Serializer::new(out, ser::Form::new(self.undefined)))
    }

    /// As [`to_term`](to_term()), so.
    ///
    /// # Errors
    /// As there.
    pub fn to_term<T: Serialize + ?Sized>(self, value: &T) -> Result<Term, Error> {
        Ok(Term::decode(&Bytes::from(self.to_bytes(value)?))?)
    }
}

/// Reads a value from a term with its version byte, which must fill the input. The value may borrow from the input.
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
    let start = decoder.position();
    T::deserialize(de::Deserializer::new(decoder)).map_err(|error| error.located(start))
}

/// The value for a term.
///
/// # Errors
/// The term does not fit the type.
pub fn from_term<T: DeserializeOwned>(term: &Term) -> Result<T, Error> {
    from_bytes(&Bytes::from(term.encode()))
}
