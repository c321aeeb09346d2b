//! Forms that a field can ask for: `#[serde(with = "beamline_term::serde::keyword")]` and the like. Other formats than
//! ours see the plain value.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// Takes what the newtype of a helper holds, however it is handed over.
struct Inner<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Inner<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of keys and values")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<T, A::Error> {
        T::deserialize(serde::de::value::SeqAccessDeserializer::new(elements))
    }
}

macro_rules! helper {
    (
        $(#[$head:meta])*
        $name:ident: $special:ident,
        $(#[$write:meta])*
        |$value:ident: $type:ty| $inner:expr,
        $(#[$read:meta])*
        |$deserializer:ident| $result:expr
    ) => {
        $(#[$head])*
        pub mod $name {
            use super::*;
            use crate::serde::special;

            $(#[$write])*
            ///
            /// # Errors
            /// The value cannot take this form, or its own `Serialize` fails.
            pub fn serialize<T: Serialize + ?Sized, S: Serializer>(
                $value: &T,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.serialize_newtype_struct(special::$special, $inner)
            }

            $(#[$read])*
            ///
            /// # Errors
            /// Something else stands there.
            pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
                $deserializer: D,
            ) -> Result<T, D::Error> {
                $result
            }
        }
    };
}

helper! {
    /// A struct, a map or a list of pairs as a keyword list: `[port: 4369, active: true]`.
    ///
    /// Keys that are texts become atoms. For a field of a type like `Options`, `Option<Options>`, `BTreeMap<String, V>` or
    /// `Vec<(Atom, V)>`. A struct takes the first of two equal keys, as `Keyword.get/2`
    /// does, a map the last, as `Map.new/1` does. A map is read too.
    keyword: KEYWORD,
    /// Writes a keyword list.
    |value: T| value,
    /// Reads a keyword list.
    |deserializer| deserializer.deserialize_newtype_struct(special::KEYWORD, Inner(PhantomData))
}

helper! {
    /// As [`keyword`](super::keyword), for Erlang's property lists: a bare atom is read as a key whose value is `true`, so
    /// that `[binary, {active, false}]` is a struct with `binary: bool` and `active: bool`.
    proplist: PROPLIST,
    /// Writes a property list, without bare atoms.
    |value: T| value,
    /// Reads a property list.
    |deserializer| deserializer.deserialize_newtype_struct(special::PROPLIST, Inner(PhantomData))
}

helper! {
    /// An `Option` whose `None` is written as `undefined`, as Erlang does, and not as `nil`. Both are always read.
    undefined: UNDEFINED,
    /// Writes the value, or `undefined`.
    |value: T| value,
    /// Reads the value; `nil` and `undefined` are `None`.
    |deserializer| T::deserialize(deserializer)
}

helper! {
    /// A `String` (or `Option`, or `Vec`, of them) that is written as an atom. It is read from a binary too; a field of
    /// the type [`Atom`](crate::Atom) is not.
    ///
    /// Reading makes no atom: nothing is interned.
    atom: ATOM,
    /// Writes an atom.
    |value: T| value,
    /// Reads the text of an atom.
    |deserializer| T::deserialize(deserializer)
}

helper! {
    /// A `String` (or `Option`, or `Vec`, of them) that is written as a list of its characters, as Erlang's own libraries
    /// want it: file names, host names.
    charlist: CHARLIST,
    /// Writes a charlist.
    |value: T| value,
    /// Reads the text of a charlist.
    |deserializer| T::deserialize(deserializer)
}
