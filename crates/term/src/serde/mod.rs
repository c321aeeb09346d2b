//! serde for terms: your own types straight to and from bytes, without a term between.
//!
//! [`to_bytes`](to_bytes()) and [`from_bytes`] have the version byte 131 in front, as `:erlang.term_to_binary/1` does; [`write`](write()) and
//! [`read`] do without it; [`to_term`] and [`from_term`] go by way of a [`Term`].
//!
//! ```
//! use beamline_term::serde::{from_bytes, to_bytes};
//! use bytes::Bytes;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, PartialEq, Debug)]
//! struct User {
//!     name: String,
//!     age: u8,
//! }
//!
//! let user = User { name: "Ada".into(), age: 36 };
//! let bytes = Bytes::from(to_bytes(&user)?); // %{name: "Ada", age: 36}
//! assert_eq!(from_bytes::<User>(&bytes)?, user);
//! # Ok::<(), beamline_term::serde::Error>(())
//! ```
//!
//! # What becomes what
//!
//! | Rust | is written as | is read from besides |
//! | --- | --- | --- |
//! | integers, also `i128` and `u128` | integer | |
//! | `char` | integer (`?a`) | a binary of one character |
//! | `f32`, `f64`; not finite: an error | float | integer |
//! | `bool` | `true`, `false` | |
//! | `String`, `&str` | binary | atom, charlist (not into `&str`) |
//! | `Option`: `None`, and what is in `Some` | `nil`, and that | `undefined` |
//! | `()`, unit structs | `nil` | `undefined`, `[]`, `{}` |
//! | `Vec<T>` and other sequences, `Vec<u8>` too | list | tuple |
//! | tuples, arrays, tuple structs | tuple | list of that length |
//! | newtype structs | what is in them | |
//! | maps | map | |
//! | structs | map with atoms as keys | keys that are binaries, keyword list, tuple of the fields in order |
//! | structs named `%MyApp.User` | Elixir struct | map without `__struct__` |
//! | unit variants | atom | binary, `{atom}` |
//! | variants with values | tuple that begins with the variant's atom | |
//! | variants named `%MyApp.User` | Elixir struct | |
//! | [`Term`], [`Atom`](crate::Atom), [`Pid`](crate::Pid), [`Reference`](crate::Reference), [`Binary`](crate::Binary) ... | themselves | |
//! | [`Date`](elixir::Date), [`DateTime`](elixir::DateTime), [`Range`](elixir::Range), [`MapSet`](elixir::MapSet) ... | themselves | |
//!
//! Keys of a map that are no field of its struct are passed over, unless the struct has `#[serde(deny_unknown_fields)]`.
//! A `&str` or `&[u8]` borrows from the input; a `Binary`, and a `Bytes` with the helper below, share its buffer.
//!
//! Fields that are to look otherwise say so, with `#[serde(with = "beamline_term::serde::NAME")]`:
//!
//! | NAME | field | is written as |
//! | --- | --- | --- |
//! | [`bytes`](mod@bytes) | `Vec<u8>`, `[u8; N]`, `&[u8]`, `Bytes` ..., or an `Option` | binary |
//! | [`atom`](mod@atom) | `String`, or an `Option` or `Vec` of it | atom |
//! | [`charlist`](mod@charlist) | `String`, or an `Option` or `Vec` of it | list of characters |
//! | [`keyword`](mod@keyword) | struct, map, `Vec<(Atom, V)>` | keyword list |
//! | [`proplist`](mod@proplist) | the same; a bare atom is read as `true` | property list |
//! | [`undefined`](mod@undefined) | `Option` | `undefined` where it is `None` |
//! | [`bigint`](mod@bigint) | [`BigInt`](crate::BigInt) | integer |
//!
//! [`Options::undefined`] writes every `None` as `undefined`.
//!
//! # Enums
//!
//! ```
//! # use beamline_term::serde::{from_term, to_term};
//! # use serde::{Deserialize, Serialize};
//! use beamline_term::term;
//!
//! #[derive(Serialize, Deserialize, PartialEq, Debug)]
//! #[serde(rename_all = "snake_case")]
//! enum Reply {
//!     Timeout,
//!     Ok(i64),
//!     Moved { to: String },
//! }
//!
//! assert_eq!(to_term(&Reply::Timeout)?, term!(:timeout));
//! assert_eq!(to_term(&Reply::Ok(5))?, term!({:ok, 5}));
//! assert_eq!(from_term::<Reply>(&term!({:moved, %{to: "b"}}))?, Reply::Moved { to: "b".into() });
//! # Ok::<(), beamline_term::serde::Error>(())
//! ```
//!
//! # Keyword lists
//!
//! ```
//! # use beamline_term::serde::{from_term, to_term};
//! # use serde::{Deserialize, Serialize};
//! use beamline_term::term;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Start {
//!     name: String,
//!     #[serde(with = "beamline_term::serde::keyword")]
//!     options: Listen,
//! }
//!
//! #[derive(Serialize, Deserialize, Default)]
//! #[serde(default)]
//! struct Listen {
//!     port: u16,
//!     active: bool,
//! }
//!
//! let start = Start { name: "web".into(), options: Listen { port: 80, active: true } };
//! assert_eq!(to_term(&start)?.to_string(), r#"%{name: "web", options: [port: 80, active: true]}"#);
//! let listen: Listen = from_term(&term!([{:port, 443}]))?;
//! assert_eq!((listen.port, listen.active), (443, false));
//! # Ok::<(), beamline_term::serde::Error>(())
//! ```
//!
//! # Elixir structs
//!
//! A type whose serde name begins with `%` (or `Elixir.`) is the Elixir struct of that module: `__struct__` is written, and
//! checked where it is read. A map without it is read too, as Erlang or an older peer may send it; another module is
//! an error that names both. `%MyApp.Gone{__exception__: true}` is an exception, `%:my_mod` the struct of an Erlang module.
//! Variants can be structs as well, so an enum is "one of these structs":
//!
//! ```
//! # use beamline_term::serde::{from_term, to_term};
//! # use serde::{Deserialize, Serialize};
//! use beamline_term::term;
//!
//! #[derive(Serialize, Deserialize, PartialEq, Debug)]
//! #[serde(rename = "%MyApp.User")]
//! struct User {
//!     name: String,
//! }
//!
//! #[derive(Serialize, Deserialize, PartialEq, Debug)]
//! enum Event {
//!     #[serde(rename = "%MyApp.User")]
//!     User(User),
//!     #[serde(rename = "%MyApp.Left")]
//!     Left { at: i64 },
//! }
//!
//! let user = to_term(&User { name: "Ada".into() })?;
//! assert_eq!(user.to_string(), r#"%MyApp.User{name: "Ada"}"#);
//! assert_eq!(from_term::<Event>(&user)?, Event::User(User { name: "Ada".into() }));
//! let left = term!(%{__struct__: :"Elixir.MyApp.Left", at: 5});
//! assert_eq!(from_term::<Event>(&left)?, Event::Left { at: 5 });
//! let error = from_term::<User>(&left).unwrap_err().to_string();
//! assert!(error.starts_with("expected the struct MyApp.User, found the struct MyApp.Left"), "{error}");
//! # Ok::<(), beamline_term::serde::Error>(())
//! ```
//!
//! Elixir's own structs are in [`elixir`]:
//!
//! ```
//! # use beamline_term::serde::{from_term, to_term};
//! # use serde::{Deserialize, Serialize};
//! use beamline_term::elixir::{Date, MapSet};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Holiday {
//!     day: Date,
//!     places: MapSet<String>,
//! }
//!
//! let holiday = Holiday { day: Date::new(2024, 2, 29)?, places: MapSet::from_iter(["Oslo".into()]) };
//! assert_eq!(to_term(&holiday)?.to_string(), r#"%{day: ~D[2024-02-29], places: MapSet.new(["Oslo"])}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Anything at all
//!
//! A [`Term`] takes whatever stands in its place; and a field that is named `$rest` takes all the pairs that no other
//! field of its struct takes, and writes them beside those:
//!
//! ```
//! # use beamline_term::serde::{from_term, to_term};
//! # use serde::{Deserialize, Serialize};
//! use beamline_term::{Atom, Term, term};
//! use std::collections::BTreeMap;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Job {
//!     id: u64,
//!     argument: Term,
//!     #[serde(rename = "$rest")]
//!     rest: BTreeMap<Atom, Term>,
//! }
//!
//! let sent = term!(%{id: 1, argument: {:a, [1.5]}, queue: :slow, at: {12, 30}});
//! let job: Job = from_term(&sent)?;
//! assert_eq!(job.rest.len(), 2);
//! assert_eq!(to_term(&job)?, sent);
//! # Ok::<(), beamline_term::serde::Error>(())
//! ```
//!
//! Serde's own `#[serde(flatten)]`, `#[serde(untagged)]` and `#[serde(tag = "...")]` work too. They keep the input for later
//! in a form of serde's own, so that there, and only there:
//! - a `Term` that was a tuple becomes a list (a field that asks for a tuple gets one); all else in it stays what it was;
//! - serde cannot read a variant with values (`{:circle, 2.5}`), an `i128` or a `char` from an integer: use the helpers and
//!   `Term`, or `$rest` in place of `flatten`;
//! - `keyword` and `proplist` read only lists of pairs, and what is named `%MyApp.User` is not checked to be one;
//! - the tag is written as a binary (an atom is read as well), except for `#[serde(tag = "__struct__")]`.
//!
//! In other formats, such as JSON, a `Term` is what comes nearest: atoms and binaries are texts, tuples are lists, a pid is
//! its text.
//!
//! # Errors
//!
//! An [`Error`] tells the way to the place, in words and as [data](Error::path); and costs nothing until there is one.
//!
//! ```
//! # use beamline_term::serde::from_term;
//! # use serde::Deserialize;
//! use beamline_term::term;
//!
//! #[derive(Deserialize, Debug)]
//! struct Scores {
//!     users: Vec<User>,
//! }
//!
//! #[derive(Deserialize, Debug)]
//! struct User {
//!     score: f64,
//! }
//!
//! let error = from_term::<Scores>(&term!(%{users: [%{score: 1.5}, %{score: :x}]})).unwrap_err();
//! assert_eq!(error.to_string(), ".users[1].score: expected a float, found the atom :x at byte 51");
//! ```
//!
//! What comes from a peer may nest without end. Reading stops with an error at the depth of [`Limits`](crate::Limits), for
//! types that hold themselves too. Writing such a type recurses as deep as the value does, and the value is your own.
//! Compressed terms are for [`Term::decode`]; what it gives can be read with [`from_term`].

mod any;
pub mod bytes;
mod de;
pub mod elixir;
mod error;
mod helpers;
mod module;
mod passing;
mod readable;
mod ser;
mod special;

pub use error::{Error, ErrorKind, Segment};
pub use helpers::{atom, charlist, keyword, proplist, undefined};
pub use passing::bigint;

use ::bytes::Bytes;
use serde::de::{Deserialize, DeserializeOwned};
use serde::ser::Serialize;

use crate::Term;
use crate::codec::{Decoder, Rope, tag};

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

/// Writes a value as a term without version byte, and shares the [`Binary`](crate::Binary) of at least `least` bytes in it rather
/// than to copy them, also those within a [`Term`]. Other bytes are copied: a `Serialize` only lends them.
///
/// # Errors
/// As [`to_bytes`].
pub fn to_rope<T: Serialize + ?Sized>(value: &T, least: usize) -> Result<Rope, Error> {
    passing::share(least, |out| write(value, out))
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
