//! Your own types as terms and back: what each kind of type becomes, how errors tell their place, what survives serde's
//! own buffering, and what real Elixir makes of it.

mod common {
    use std::fmt::Debug;

    use beamline_term::{Term, serde};
    use bytes::Bytes;

    /// The bytes of a value, which read back as an equal value.
    pub(crate) fn round_trip<T>(value: &T) -> Bytes
    where
        T: ::serde::Serialize + ::serde::de::DeserializeOwned + PartialEq + Debug,
    {
        let bytes = Bytes::from(serde::to_bytes(value).unwrap_or_else(|error| panic!("{value:?}: {error}")));
        let back = serde::from_bytes::<T>(&bytes).unwrap_or_else(|error| panic!("{value:?}: {error}"));
        assert_eq!(&back, value);
        bytes
    }

    /// As `round_trip`; the term prints as this.
    pub(crate) fn is<T>(value: &T, printed: &str)
    where
        T: ::serde::Serialize + ::serde::de::DeserializeOwned + PartialEq + Debug,
    {
        assert_eq!(Term::decode(&round_trip(value)).expect("a term").to_string(), printed, "{value:?}");
    }

    /// What a term is as a value.
    pub(crate) fn read<T: ::serde::de::DeserializeOwned>(term: impl Into<Term>) -> Result<T, serde::Error> {
        serde::from_term(&term.into())
    }
}

mod elixir;
mod errors;
mod hostile;
mod kept;
mod model;
mod properties;
mod real;
mod ropes;
