//! Erlang terms: the values, the external term format, serde, and how terms are printed.
//!
//! Follows the "External Term Format" chapter of the Erlang/OTP documentation, for every tag that OTP 25 to 29 sends.
//! This crate does no I/O and knows no clock.
//!
//! # Bytes to terms and back
//!
//! A [`Term`] is any value. [`Term::decode`] is `:erlang.binary_to_term/1` and [`Term::encode`] is `:erlang.term_to_binary/1`;
//! [`term!`] writes terms as Elixir does.
//!
//! ```
//! use beamline_term::{Term, term};
//! use bytes::Bytes;
//!
//! let bytes = Bytes::from_static(&[131, 104, 2, 119, 2, b'o', b'k', 97, 42]); // term_to_binary({ok, 42})
//! let reply = Term::decode(&bytes)?;
//! assert_eq!(reply, term!({:ok, 42}));
//! assert_eq!(reply.encode(), bytes);
//!
//! if let Some([status, value]) = reply.as_tuple() {
//!     assert!(status.is_atom("ok"));
//!     assert_eq!(value.as_i64(), Some(42));
//! }
//! # Ok::<(), beamline_term::DecodeError>(())
//! ```
//!
//! `==` is Erlang's `=:=` and Elixir's `===`; [`Term::loosely_equals`] is `==`, to which `1` and `1.0` are the same. `<` and
//! `sort` follow Erlang's order of all terms. Binaries are slices of what was read, and atoms are never interned.
//!
//! # Your own types
//!
//! [`mod@serde`] turns bytes into your types and back without a term between. A struct is a map with atoms as keys, or a keyword
//! list, or an Elixir struct:
//!
//! ```
//! use beamline_term::serde::{from_bytes, from_term, to_bytes, to_term};
//! use beamline_term::term;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, PartialEq, Debug)]
//! #[serde(rename = "%MyApp.User")] // without this line a plain map
//! struct User {
//!     name: String,
//!     #[serde(with = "beamline_term::serde::keyword")]
//!     options: Options,
//! }
//!
//! #[derive(Serialize, Deserialize, PartialEq, Debug)]
//! struct Options {
//!     timeout: u32,
//! }
//!
//! let user = User { name: "Ada".into(), options: Options { timeout: 5000 } };
//! assert_eq!(to_term(&user)?, term!(%MyApp.User{name: "Ada", options: [timeout: 5000]}));
//! let bytes = bytes::Bytes::from(to_bytes(&user)?);
//! assert_eq!(from_bytes::<User>(&bytes)?, user);
//!
//! // Tuples, lists and enums need no attribute.
//! let (status, id): (String, u64) = from_term(&term!({:ok, 7}))?;
//! assert_eq!((status.as_str(), id), ("ok", 7));
//! # Ok::<(), beamline_term::serde::Error>(())
//! ```
//!
//! # Printing
//!
//! `{}` prints as Elixir's `inspect`, `{:#}` in lines of 80; [`Inspect`] has its options. [`print::Erlang`] prints as `~p` and `~w`.
//!
//! ```
//! use beamline_term::{Inspect, print::Erlang, term};
//!
//! let state = term!(%{name: "beamline", peers: [:a, :b, :c]});
//! assert_eq!(state.to_string(), r#"%{name: "beamline", peers: [:a, :b, :c]}"#);
//! assert_eq!(Inspect::new(&state).limit(3).to_string(), r#"%{name: "beamline", peers: [:a, ...]}"#);
//! assert_eq!(Erlang::new(&state).to_string(), r#"#{name => <<"beamline">>,peers => [a,b,c]}"#);
//! ```
//!
//! # Bytes from strangers
//!
//! No bytes make this crate panic, follow their nesting with the stack, or allocate what they are not long enough to fill. What may
//! be spent on them is a matter of [`Limits`]:
//!
//! ```
//! use beamline_term::codec::Decoder;
//! use beamline_term::{DecodeError, Limits, term};
//!
//! let bytes = bytes::Bytes::from(term!([[[[:deep]]]]).encode());
//! let limits = Limits::default().with_depth(3).with_input_bytes(64 << 10).with_memory_bytes(1 << 20);
//! let mut decoder = Decoder::with_limits(&bytes, limits);
//! decoder.version()?;
//! assert!(matches!(decoder.term(), Err(DecodeError::Limit { what: "depth", .. })));
//! # Ok::<(), DecodeError>(())
//! ```
//!
//! # Large binaries
//!
//! A [`Rope`](codec::Rope) is what [`Term::encode`] writes, in pieces: large binaries are shared and not copied.
//!
//! ```
//! use beamline_term::codec::{Rope, encode};
//! use beamline_term::{Term, term};
//!
//! let picture = bytes::Bytes::from(vec![7; 1 << 20]);
//! let mut rope = Rope::new();
//! encode::version(rope.buffer());
//! rope.term(&term!({:picture, Term::binary(picture.clone())}));
//! let pieces: Vec<&[u8]> = rope.pieces().collect(); // for a vectored write
//! assert_eq!(pieces[1].as_ptr(), picture.as_ptr());
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
