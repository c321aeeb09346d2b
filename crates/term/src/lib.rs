//! Erlang terms: the values, the external term format, and how they are printed.
//!
//! Follows the "External Term Format" chapter of the Erlang/OTP documentation, for every tag that OTP 25 to 29 sends.
//! This crate does no I/O and knows no clock.
//!
//! - [`Term`] is any value; [`term!`] writes one as Elixir does. Binaries are slices of what was read, atoms are never
//!   interned. `==` is Erlang's `=:=`, [`Term::loosely_equals`] its `==`, and the order is Erlang's.
//! - [`codec`] reads and writes the bytes. Whatever comes is taken to be hostile: see [`Limits`].
//! - [`mod@serde`] turns bytes into your own types and back, without a term between.
//! - `{}` prints a term as Elixir's `inspect` ([`Inspect`] has options), [`print::Erlang`] as Erlang's `~p` and `~w`.
//!
//! ```
//! use beamline_term::{Term, atom};
//!
//! let reply = Term::tuple([atom("ok").into(), 42.into()]);
//! let bytes = bytes::Bytes::from(reply.encode());
//! assert_eq!(Term::decode(&bytes)?, reply);
//! assert_eq!(reply.to_string(), "{:ok, 42}");
//! # Ok::<(), beamline_term::DecodeError>(())
//! ```

mod atom;
mod binary;
pub mod codec;
mod copy;
mod dismantle;
mod distinct;
mod equal;
mod float;
mod identifier;
mod inline;
pub mod inspect;
mod list;
mod macros;
mod map;
mod opaque;
mod order;
mod pool;
pub mod print;
pub mod serde;
mod term;
mod tuple;

pub use atom::{Atom, AtomError, atom};
pub use binary::{Binary, BitString};
pub use codec::{DecodeError, Limits};
pub use identifier::{Creation, IdentifierError, Origin, Pid, Port, Reference, ReferenceError};
pub use inspect::Inspect;
pub use list::{ImproperList, List};
pub use map::Map;
pub use num_bigint::BigInt;
pub use opaque::{ExportFun, Fun, Record};
pub use serde::elixir;
pub use term::Term;
pub use tuple::Tuple;

/// The example of the front page has to run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
