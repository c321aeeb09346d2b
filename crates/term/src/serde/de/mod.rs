//! Bytes to values.

mod access;
mod listed;
mod opaque;
mod rest;
mod string;
mod variant;

use std::borrow::Cow;

use serde::de::{self, Visitor};

use super::error::Error;
use super::module::Module;
use super::{passing, special};
use crate::codec::{Decoder, tag};
use crate::{DecodeError, Term};

use access::{Fields, Pairs, visit_sequence};
use listed::Listed;
use opaque::opaque;
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

    /// The elements of a list or tuple, however it is written.
    fn sequence<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
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

    fn map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let count = match self.decoder.peek_tag()? {
            tag::MAP => self.decoder.map_header()?,
            _ => return Err(self.wrong(Wanted(&visitor))),
        };
        Pairs::visit(self.decoder, count, visitor)
    }

    fn fields<V: Visitor<'de>>(
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

    /// A text, borrowed if it stands in the input as a binary.
    #[inline]
    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::BINARY => {
                let start = self.decoder.position();
                let bytes = self.decoder.binary_bytes()?;
                match std::str::from_utf8(bytes) {
                    Ok(text) => visitor.visit_borrowed_str(text),
                    Err(_) => Err(wrong(&self.decoder.revisit(start), Wanted(&visitor))),
                }
            }
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM => {
                match atom_text(self.decoder)? {
                    // Owned for the visitor: so it knows later that it was an atom.
                    Cow::Borrowed(text) => visitor.visit_str(text),
                    Cow::Owned(text) => visitor.visit_string(text),
                }
            }
            tag::STRING | tag::LIST | tag::NIL => match charlist(self.decoder)? {
                Some(text) => visitor.visit_string(text),
                None => Err(self.wrong(Wanted(&visitor))),
            },
            _ => Err(self.wrong(Wanted(&visitor))),
        }
    }
}

/// What the visitor expects, in words that fit a term.
struct Wanted<'a, V>(&'a V);

impl<'de, V: Visitor<'de>> std::fmt::Display for Wanted<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(f)
    }
}

/// How much of a term is read again to say what it is.
const SHOWN: usize = 4096;

#[cold]
fn wrong(decoder: &Decoder<'_>, expected: impl std::fmt::Display) -> Error {
    let place = decoder.position();
    Error::mismatch(expected, found(&mut decoder.revisit(place))).located(place)
}

/// What stands there, for a person.
fn found(ahead: &mut Decoder<'_>) -> String {
    let place = ahead.position();
    let is_short = ahead.skip().is_ok_and(|bytes| bytes.len() <= SHOWN);
    if is_short && let Ok(term) = ahead.revisit(place).term() {
        return passing::describe(&term);
    }
    match ahead.revisit(place).peek_tag() {
        Ok(tag::BINARY) => "a long binary".to_owned(),
        Ok(tag::LIST | tag::STRING) => "a long list".to_owned(),
        Ok(tag::SMALL_TUPLE | tag::LARGE_TUPLE) => "a large tuple".to_owned(),
        Ok(tag::MAP) => "a large map".to_owned(),
        Ok(tag::COMPRESSED) => "a compressed term, which only Term::decode can read".to_owned(),
        Ok(tag) => format!("the tag {tag}"),
        Err(error) => error.to_string(),
    }
}

fn atom_text<'de>(decoder: &mut Decoder<'de>) -> Result<Cow<'de, str>, DecodeError> {
    match decoder.atom_text()? {
        Some(text) => Ok(Cow::Borrowed(text)),
        None => Ok(Cow::Owned(decoder.atom()?.as_str().to_owned())),
    }
}

/// The text of a list of characters; `None`, and nothing read, if it is none.
fn charlist(decoder: &mut Decoder<'_>) -> Result<Option<String>, DecodeError> {
    let start = decoder.position();
    let mut text = String::new();
    if decoder.peek_tag()? == tag::STRING {
        decoder.u8()?;
        let length = decoder.u16()?;
        text.extend(decoder.take(length)?.iter().map(|byte| char::from(*byte)));
        return Ok(Some(text));
    }
    let count = decoder.list_header()?;
    for _ in 0..count {
        let code = match decoder.peek_tag()? {
            tag::SMALL_INTEGER | tag::INTEGER => decoder.integer()?,
            _ => -1,
        };
        match u32::try_from(code).ok().and_then(char::from_u32) {
            Some(character) => text.push(character),
            None => {
                decoder.return_to(start);
                return Ok(None);
            }
        }
    }
    if count > 0 && decoder.peek_tag()? != tag::NIL {
        decoder.return_to(start);
        return Ok(None);
    }
    if count > 0 {
        decoder.u8()?;
    }
    Ok(Some(text))
}

fn end_of_list(decoder: &mut Decoder<'_>) -> Result<(), Error> {
    match decoder.peek_tag()? {
        tag::NIL => decoder.u8().map(drop).map_err(Error::from),
        _ => Err(wrong(decoder, "the end of the list")),
    }
}

fn is_nothing(atom: &str) -> bool {
    matches!(atom, "nil" | "undefined")
}

/// An integer that fits 64 bits with a sign; `None`, and nothing read, for anything else.
#[inline]
fn small_integer(decoder: &mut Decoder<'_>) -> Result<Option<i64>, DecodeError> {
    match decoder.peek_tag()? {
        tag::SMALL_INTEGER => {
            decoder.u8()?;
            Ok(Some(i64::from(decoder.u8()?)))
        }
        tag::INTEGER => {
            decoder.u8()?;
            Ok(Some(i64::from(decoder.u32()?.cast_signed())))
        }
        _ => Ok(None),
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

impl<'de> Deserializer<'_, 'de> {
    #[inline]
    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match small_integer(self.decoder)? {
            Some(number) => visitor.visit_i64(number),
            None => self.large_integer(visitor),
        }
    }

    /// An integer of any size, as the smallest type that holds it.
    fn large_integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let start = self.decoder.position();
        match self.decoder.peek_tag()? {
            tag::SMALL_INTEGER | tag::INTEGER | tag::SMALL_BIG | tag::LARGE_BIG => {}
            _ => return Err(self.wrong(Wanted(&visitor))),
        }
        match self.decoder.any_integer()? {
            Term::Integer(number) => visitor.visit_i64(number),
            Term::BigInteger(number) => {
                if let Ok(number) = u64::try_from(number.as_ref()) {
                    visitor.visit_u64(number)
                } else if let Ok(number) = i128::try_from(number.as_ref()) {
                    visitor.visit_i128(number)
                } else if let Ok(number) = u128::try_from(number.as_ref()) {
                    visitor.visit_u128(number)
                } else {
                    Err(wrong(&self.decoder.revisit(start), Wanted(&visitor)))
                }
            }
            _ => Err(wrong(&self.decoder.revisit(start), Wanted(&visitor))),
        }
    }
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

impl<'de> Deserializer<'_, 'de> {
    /// An atom or a binary, valid as text or not.
    fn deserialize_any_text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::BINARY => {
                let bytes = self.decoder.binary_bytes()?;
                match std::str::from_utf8(bytes) {
                    Ok(text) => visitor.visit_borrowed_str(text),
                    Err(_) => visitor.visit_borrowed_bytes(bytes),
                }
            }
            _ => visitor.visit_str(&atom_text(self.decoder)?),
        }
    }
}

#[inline]
fn is_text(tag: u8) -> bool {
    matches!(tag, tag::BINARY | tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM)
}

/// Reads an atom if its text passes the test.
#[inline]
fn read_if(decoder: &mut Decoder<'_>, test: impl FnOnce(&str) -> bool) -> Result<bool, DecodeError> {
    let start = decoder.position();
    let passes = test(&atom_text(decoder)?);
    if !passes {
        decoder.return_to(start);
    }
    Ok(passes)
}

/// Whether a list is an improper one such as `[alias | Reference]`, which has no form in serde. Only short ones of simple
/// elements are looked at, so that no input is read over again and again.
fn is_improper(decoder: &Decoder<'_>) -> Result<bool, Error> {
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
struct UnitOf<V>(V);

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
