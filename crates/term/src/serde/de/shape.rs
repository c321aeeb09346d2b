//! What holds others: in which forms sequences, maps and structs may stand.

use serde::de::{self, Visitor};

use super::access::{Fields, Pairs, visit_sequence};
use super::listed::Listed;
use super::mismatch::{Wanted, wrong};
use super::{Deserializer, string};
use crate::codec::{Decoder, tag};
use crate::serde::error::Error;
use crate::serde::module::Module;

impl<'de> Deserializer<'_, 'de> {
    /// The elements of a list or tuple, however it is written.
    pub(super) fn sequence<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::STRING => string::visit(self.decoder, visitor),
            tag::NIL | tag::LIST => {
                let count = self.decoder.list_header()?;
                let value = visit_sequence(self.decoder, count, true, visitor)?;
                if count > 0 {
                    end_of_list(self.decoder)?;
                }
                Ok(value)
            }
            tag::SMALL_TUPLE | tag::LARGE_TUPLE => {
                let arity = self.decoder.tuple_header()?;
                visit_sequence(self.decoder, arity, false, visitor)
            }
            _ => Err(self.wrong(Wanted(&visitor))),
        }
    }

    pub(super) fn map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let count = match self.decoder.peek_tag()? {
            tag::MAP => self.decoder.map_header()?,
            _ => return Err(self.wrong(Wanted(&visitor))),
        };
        Pairs::visit(self.decoder, count, visitor)
    }

    pub(super) fn fields<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::MAP => {
                let count = self.decoder.map_header()?;
                Fields::visit(self.decoder, count, Module::of(name), fields, visitor)
            }
            tag::LIST | tag::NIL => Listed::new(self.decoder, false).fields(fields, visitor),
            tag::SMALL_TUPLE | tag::LARGE_TUPLE => self.sequence(visitor),
            _ => Err(self.wrong(Wanted(&visitor))),
        }
    }
}

pub(super) fn end_of_list(decoder: &mut Decoder<'_>) -> Result<(), Error> {
    match decoder.peek_tag()? {
        tag::NIL => decoder.u8().map(drop).map_err(Error::from),
        _ => Err(wrong(decoder, "the end of the list")),
    }
}

/// Whether a list is an improper one such as `[alias | Reference]`, which has no form in serde. Only short ones of simple
/// elements are looked at, so that no input is read over again and again.
pub(super) fn is_improper(decoder: &Decoder<'_>) -> Result<bool, Error> {
    let mut ahead = decoder.revisit(decoder.position());
    let count = ahead.list_header()?;
    for _ in 0..count {
        if count > 4 || matches!(ahead.peek_tag()?, tag::LIST | tag::SMALL_TUPLE | tag::LARGE_TUPLE | tag::MAP) {
            return Ok(false);
        }
        ahead.skip()?;
    }
    Ok(!matches!(ahead.peek_tag()?, tag::NIL | tag::LIST))
}

/// Takes the end of a struct without fields for a unit.
pub(super) struct UnitOf<V>(pub(super) V);

impl<'de, V: Visitor<'de>> Visitor<'de> for UnitOf<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut fields: A) -> Result<V::Value, A::Error> {
        while fields.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {}
        self.0.visit_unit()
    }
}
