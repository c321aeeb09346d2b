//! A term from whatever serde offers: another format, or what serde kept of our own for later.

use std::fmt;

use bytes::Bytes;
use serde::de::{self, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::passing::is_ours;
use crate::codec::Decoder;
use crate::{Atom, Term};

/// Makes a term of anything.
pub(super) struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Term;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a term")
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Term, E> {
        Ok(truth.into())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Term, E> {
        Ok(number.into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Term, E> {
        Ok(number.into())
    }

    fn visit_i128<E: de::Error>(self, number: i128) -> Result<Term, E> {
        Ok(crate::BigInt::from(number).into())
    }

    fn visit_u128<E: de::Error>(self, number: u128) -> Result<Term, E> {
        Ok(crate::BigInt::from(number).into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Term, E> {
        if number.is_finite() { Ok(number.into()) } else { Err(E::custom("Erlang's floats are finite")) }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Term, E> {
        // What our own format keeps for later is owned if it is an atom, and borrowed if it is a binary.
        if is_ours::<E>() { Atom::new(text).map(Term::Atom).map_err(E::custom) } else { Ok(text.into()) }
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Term, E> {
        Ok(text.into())
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Term, E> {
        // Terms that serde knows no form for; and so do formats keep them that no person reads.
        let bytes = Bytes::copy_from_slice(bytes);
        let mut decoder = Decoder::new(&bytes);
        let term = decoder.term().map_err(E::custom)?;
        decoder.finish().map_err(E::custom)?;
        Ok(term)
    }

    fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Term, E> {
        if is_ours::<E>() { Ok(bytes.into()) } else { self.visit_bytes(bytes) }
    }

    fn visit_none<E: de::Error>(self) -> Result<Term, E> {
        Ok(Term::atom(if is_ours::<E>() { "undefined" } else { "nil" }))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Term, E> {
        Ok(Term::atom("nil"))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Term, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Term, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Term, A::Error> {
        let mut all = Vec::new();
        while let Some(element) = elements.next_element::<Term>()? {
            all.push(element);
        }
        Ok(Term::list(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Term, A::Error> {
        let mut all = Vec::new();
        while let Some(pair) = pairs.next_entry::<Term, Term>()? {
            all.push(pair);
        }
        Ok(Term::map(all))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Term, A::Error> {
        let (name, value) = access.variant::<Atom>()?;
        match value.newtype_variant::<Term>() {
            Ok(value) => Ok((name, value).into()),
            Err(error) => Err(error),
        }
    }
}
