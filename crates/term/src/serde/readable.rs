//! Terms in formats that people read, such as JSON: as near as their data models allow.

use serde::ser::{Serialize, SerializeSeq, Serializer};

use crate::Term;

/// How deep a term may nest for a format that people read: it calls itself for each level, as serde does.
const LEVELS: u32 = 128;

/// A term for a format that people read, such as JSON: as near as its data model allows. What has no counterpart there is
/// its text in Elixir. The number says how many levels may still follow.
pub(super) struct Readable<'a>(&'a Term, u32);

impl<'a> Readable<'a> {
    pub(super) fn new(term: &'a Term) -> Readable<'a> {
        Readable(term, LEVELS)
    }
}

impl Serialize for Readable<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = || self.1.checked_sub(1).ok_or_else(|| serde::ser::Error::custom("the term nests too deep"));
        match self.0 {
            Term::Integer(number) => serializer.serialize_i64(*number),
            Term::BigInteger(number) => match u64::try_from(number.as_ref()) {
                Ok(number) => serializer.serialize_u64(number),
                Err(_) => serializer.collect_str(number),
            },
            Term::Float(number) => serializer.serialize_f64(*number),
            Term::Atom(atom) => match atom.as_str() {
                "true" => serializer.serialize_bool(true),
                "false" => serializer.serialize_bool(false),
                "nil" | "undefined" => serializer.serialize_unit(),
                text => serializer.serialize_str(text),
            },
            Term::Binary(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => serializer.serialize_str(text),
                Err(_) => serializer.serialize_bytes(bytes),
            },
            Term::List(list) => {
                let (inner, mut elements) = (inner()?, serializer.serialize_seq(Some(list.len()))?);
                list.iter().try_for_each(|element| elements.serialize_element(&Readable(&element, inner)))?;
                elements.end()
            }
            Term::Tuple(tuple) => {
                let inner = inner()?;
                serializer.collect_seq(tuple.iter().map(|element| Readable(element, inner)))
            }
            Term::Map(map) => {
                let inner = inner()?;
                serializer.collect_map(map.iter().map(|(key, value)| (ReadableKey(key), Readable(value, inner))))
            }
            other => serializer.collect_str(other),
        }
    }
}

/// A key for a format whose keys are texts.
pub(super) struct ReadableKey<'a>(pub(super) &'a Term);

impl Serialize for ReadableKey<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Term::Atom(atom) => serializer.serialize_str(atom.as_str()),
            Term::Integer(number) => serializer.serialize_i64(*number),
            other => match other.as_str() {
                Some(text) => serializer.serialize_str(text),
                None => serializer.collect_str(other),
            },
        }
    }
}
