//! Bytes to values.

mod access;
mod integer;
mod listed;
mod mismatch;
mod opaque;
mod rest;
mod shape;
mod string;
mod text;
mod variant;

use serde::de::{self, Visitor};

use super::error::Error;
use super::module::Module;
use super::{passing, special};
use crate::Term;
use crate::codec::{Decoder, tag};

use access::Fields;
use integer::small_integer;
use listed::Listed;
use mismatch::{Wanted, wrong};
use opaque::opaque;
use shape::{UnitOf, is_improper};
use text::{atom_text, is_nothing, is_text, read_if};
use variant::{StructVariant, Variant};

/// Reads the next term of a decoder into whatever asks for it.
pub(super) struct Deserializer<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
}

impl<'d, 'de> Deserializer<'d, 'de> {
    #[inline]
    pub(super) fn new(decoder: &'d mut Decoder<'de>) -> Deserializer<'d, 'de> {
        Deserializer { decoder }
    }

    /// What to say when the term that comes next is not what was asked for.
    #[cold]
    fn wrong(&self, expected: impl std::fmt::Display) -> Error {
        wrong(self.decoder, expected)
    }
}

macro_rules! integers {
    ($($name:ident)*) => {
        $(#[inline]
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.integer(visitor)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Deserializer<'_, 'de> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::SMALL_INTEGER | tag::INTEGER => self.integer(visitor),
            tag::NEW_FLOAT | tag::FLOAT => self.deserialize_f64(visitor),
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM => {
                let text = atom_text(self.decoder)?;
                match &*text {
                    "true" => visitor.visit_bool(true),
                    "false" => visitor.visit_bool(false),
                    "nil" => visitor.visit_unit(),
                    "undefined" => visitor.visit_none(),
                    text => visitor.visit_str(text),
                }
            }
            tag::BINARY => {
                let bytes = self.decoder.binary_bytes()?;
                match std::str::from_utf8(bytes) {
                    Ok(text) => visitor.visit_borrowed_str(text),
                    Err(_) => visitor.visit_borrowed_bytes(bytes),
                }
            }
            tag::MAP => self.map(visitor),
            tag::LIST if is_improper(self.decoder)? => opaque(self.decoder, visitor),
            tag::SMALL_TUPLE | tag::LARGE_TUPLE | tag::STRING | tag::NIL | tag::LIST => self.sequence(visitor),
            tag::SMALL_BIG | tag::LARGE_BIG => {
                let start = self.decoder.position();
                match self.decoder.any_integer()? {
                    Term::Integer(number) => visitor.visit_i64(number),
                    number => match number.as_u64() {
                        Some(number) => visitor.visit_u64(number),
                        None => {
                            self.decoder.return_to(start);
                            opaque(self.decoder, visitor)
                        }
                    },
                }
            }
            _ => opaque(self.decoder, visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if let tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM = self.decoder.peek_tag()? {
            let start = self.decoder.position();
            match &*atom_text(self.decoder)? {
                "true" => return visitor.visit_bool(true),
                "false" => return visitor.visit_bool(false),
                _ => self.decoder.return_to(start),
            }
        }
        Err(self.wrong("a boolean"))
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::NEW_FLOAT | tag::FLOAT => visitor.visit_f64(self.decoder.float()?),
            tag::SMALL_INTEGER | tag::INTEGER | tag::SMALL_BIG | tag::LARGE_BIG => self.large_integer(visitor),
            _ => Err(self.wrong("a float")),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let start = self.decoder.position();
        if let tag::BINARY = self.decoder.peek_tag()? {
            return self.text(visitor);
        }
        match small_integer(self.decoder)?.and_then(|code| char::from_u32(u32::try_from(code).ok()?)) {
            Some(character) => visitor.visit_char(character),
            None => Err(wrong(&self.decoder.revisit(start), Wanted(&visitor))),
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.text(visitor)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.text(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::BINARY => visitor.visit_borrowed_bytes(self.decoder.binary_bytes()?),
            tag::STRING => {
                self.decoder.u8()?;
                let length = self.decoder.u16()?;
                visitor.visit_borrowed_bytes(self.decoder.take(length)?)
            }
            tag::NIL => {
                self.decoder.u8()?;
                visitor.visit_borrowed_bytes(&[])
            }
            tag::LIST => self.sequence(listed::BytesOf(visitor)),
            _ => Err(self.wrong("a binary")),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM => {
                if read_if(self.decoder, is_nothing)? { visitor.visit_none() } else { visitor.visit_some(self) }
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let is_unit = match self.decoder.peek_tag()? {
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM => read_if(self.decoder, is_nothing)?,
            tag::NIL => self.decoder.u8().is_ok(),
            tag::SMALL_TUPLE | tag::LARGE_TUPLE => {
                let start = self.decoder.position();
                let is_empty = self.decoder.tuple_header()? == 0;
                if !is_empty {
                    self.decoder.return_to(start);
                }
                is_empty
            }
            _ => false,
        };
        if is_unit { visitor.visit_unit() } else { Err(self.wrong("nil")) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        match (Module::of(name), self.decoder.peek_tag()?) {
            (Some(module), tag::MAP) => {
                let count = self.decoder.map_header()?;
                Fields::visit(self.decoder, count, Some(module), &[], UnitOf(visitor))
            }
            _ => self.deserialize_unit(visitor),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if !name.starts_with(special::PREFIX) {
            return visitor.visit_newtype_struct(self);
        }
        match name {
            special::TERM => passing::read(self.decoder.term()?, visitor),
            special::ATOM => match self.decoder.peek_tag()? {
                tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM => {
                    visitor.visit_str(&atom_text(self.decoder)?)
                }
                _ => Err(self.wrong("an atom")),
            },
            special::KEYWORD => visitor.visit_newtype_struct(Listed::new(self.decoder, false)),
            special::PROPLIST => visitor.visit_newtype_struct(Listed::new(self.decoder, true)),
            special::BYTES if self.decoder.peek_tag()? == tag::BINARY => {
                passing::read(Term::Binary(self.decoder.binary()?), visitor)
            }
            special::BYTES => self.deserialize_bytes(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.sequence(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.sequence(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.sequence(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.map(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.fields(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::SMALL_TUPLE | tag::LARGE_TUPLE => {
                let start = self.decoder.position();
                let left = match self.decoder.tuple_header()?.checked_sub(1) {
                    Some(left) if is_text(self.decoder.peek_tag()?) => left,
                    _ => return Err(wrong(&self.decoder.revisit(start), "an atom or a tuple that begins with one")),
                };
                let variant = variant::read_name(self.decoder)?;
                access::nested(self.decoder, |decoder| visitor.visit_enum(Variant { decoder, variant, left }))
            }
            tag::MAP => {
                let variant = variant::of_struct(self.decoder, variants)?;
                visitor.visit_enum(StructVariant { decoder: self.decoder, variant })
            }
            tag if is_text(tag) => {
                let variant = variant::read_name(self.decoder)?;
                visitor.visit_enum(Variant { decoder: self.decoder, variant, left: 0 })
            }
            _ => Err(self.wrong("an atom or a tuple that begins with one")),
        }
    }

    /// The key of a map of which some keys are fields.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag if is_text(tag) => self.deserialize_any_text(visitor),
            tag::SMALL_INTEGER | tag::INTEGER => self.integer(visitor),
            // No field has such a name; whoever keeps it makes a term of it again.
            _ => visitor.visit_bytes(&self.decoder.skip()?),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.decoder.skip()?;
        visitor.visit_unit()
    }
}
