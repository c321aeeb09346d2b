//! Keyword lists and property lists where a struct, a map or a list of pairs is wanted.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::Deserializer;
use super::access::{finish, nested, no_pair};
use super::mismatch::wrong;
use super::shape::end_of_list;
use super::text::{atom_text, is_nothing, is_text, read_if};
use crate::codec::{Decoder, tag};
use crate::serde::error::{Error, Segment};
use crate::serde::{passing, special};

/// Reads `[key: value]`; with bare atoms for what is `true`, if that is allowed.
pub(super) struct Listed<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
    bare: bool,
}

impl<'d, 'de> Listed<'d, 'de> {
    pub(super) fn new(decoder: &'d mut Decoder<'de>, bare: bool) -> Listed<'d, 'de> {
        Listed { decoder, bare }
    }

    /// Opens the list, and lets `visit` take its elements.
    fn open<T>(
        self,
        expected: &str,
        fields: Option<&'static [&'static str]>,
        visit: impl FnOnce(&mut Items<'_, 'de>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let count = match self.decoder.peek_tag()? {
            tag::LIST | tag::NIL => self.decoder.list_header()?,
            _ => return Err(wrong(self.decoder, expected)),
        };
        let bare = self.bare;
        let value = nested(self.decoder, |decoder| {
            let outer = decoder.owed();
            let mut items = Items { decoder, count, left: count, outer, bare, fields, seen: 0, pending: Pending::None };
            let value = visit(&mut items)?;
            finish(items.left)?;
            Ok(value)
        })?;
        if count > 0 {
            end_of_list(self.decoder)?;
        }
        Ok(value)
    }

    /// The fields of a struct. Of a key that stands twice the first counts, as everywhere in Erlang and Elixir.
    pub(super) fn fields<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.open("a struct as a map or a keyword list", Some(fields), |items| visitor.visit_map(items))
    }
}

/// What the value that comes next is.
#[derive(Clone, Copy, PartialEq)]
enum Pending {
    None,
    /// It stands in the input; its key at this place.
    Value(usize),
    /// The key stood alone.
    True,
}

struct Items<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
    count: usize,
    left: usize,
    outer: usize,
    bare: bool,
    fields: Option<&'static [&'static str]>,
    /// Which of the first 64 fields have been met.
    seen: u64,
    pending: Pending,
}

impl<'de> Items<'_, 'de> {
    /// Goes to the key of the next element.
    fn next(&mut self) -> Result<bool, Error> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        self.decoder.owe(self.outer, self.left);
        match self.decoder.peek_tag()? {
            tag::SMALL_TUPLE | tag::LARGE_TUPLE => {
                let start = self.decoder.position();
                if self.decoder.tuple_header()? != 2 {
                    return Err(self.placed(no_pair(&self.decoder.revisit(start))));
                }
                self.decoder.owe(self.outer, self.left + 1);
                self.pending = Pending::Value(self.decoder.position());
            }
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::SMALL_ATOM | tag::ATOM if self.bare => {
                self.pending = Pending::True;
            }
            _ => return Err(self.placed(no_pair(self.decoder))),
        }
        Ok(true)
    }

    #[cold]
    fn placed(&self, error: Error) -> Error {
        error.within(Segment::Index(self.count - self.left - 1))
    }

    /// Whether this key was met before, for the fields of a struct.
    fn is_repeated(&mut self) -> Result<bool, Error> {
        let Some(fields) = self.fields else {
            return Ok(false);
        };
        let mut ahead = self.decoder.revisit(self.decoder.position());
        let key: Cow<'_, str> = match ahead.peek_tag()? {
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::SMALL_ATOM | tag::ATOM => atom_text(&mut ahead)?,
            _ => return Ok(false),
        };
        let Some(bit) = fields.iter().position(|field| *field == key).filter(|place| *place < 64) else {
            return Ok(false);
        };
        let before = self.seen;
        self.seen |= 1 << bit;
        Ok(before == self.seen)
    }

    fn skip(&mut self) -> Result<(), Error> {
        self.decoder.skip()?;
        if let Pending::Value(_) = self.pending {
            self.decoder.owe(self.outer, self.left);
            self.decoder.skip()?;
        }
        Ok(())
    }

    fn value<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        match self.pending {
            Pending::Value(key) => {
                self.decoder.owe(self.outer, self.left);
                let start = self.decoder.position();
                seed.deserialize(Deserializer::new(self.decoder))
                    .map_err(|error| error.located(start).within(super::access::key_at(self.decoder, key)))
            }
            _ => seed.deserialize(True),
        }
    }
}

impl<'de> de::MapAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        while self.next()? {
            if self.is_repeated()? {
                self.skip()?;
                continue;
            }
            let start = self.decoder.position();
            let key = match self.fields {
                Some(_) => seed.deserialize(Name(Deserializer::new(self.decoder))),
                None => seed.deserialize(Deserializer::new(self.decoder)),
            };
            return key.map(Some).map_err(|error| self.placed(error.located(start)));
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        self.value(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(self.decoder.room()))
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if !self.next()? {
            return Ok(None);
        }
        seed.deserialize(Pair { items: self }).map(Some).map_err(|error| self.placed(error))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(self.decoder.room()))
    }
}

/// The key of a struct's field; keys that are no text are those of no field.
struct Name<'d, 'de>(Deserializer<'d, 'de>);

impl<'de> de::Deserializer<'de> for Name<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.decoder.peek_tag()? {
            tag if is_text(tag) => self.0.deserialize_any_text(visitor),
            _ => {
                self.0.decoder.skip()?;
                visitor.visit_bytes(&[tag::NIL])
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// One element as a tuple of two.
struct Pair<'i, 'd, 'de> {
    items: &'i mut Items<'d, 'de>,
}

impl<'de> de::Deserializer<'de> for Pair<'_, '_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut elements = PairElements { items: self.items, read: 0 };
        let value = visitor.visit_seq(&mut elements)?;
        finish(2 - elements.read)?;
        Ok(value)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name != special::TERM {
            return visitor.visit_newtype_struct(self);
        }
        let key = self.items.decoder.term()?;
        match self.items.pending {
            Pending::Value(_) => {
                let value = self.items.decoder.term()?;
                passing::read((key, value).into(), visitor)
            }
            _ => passing::read(key, visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct PairElements<'i, 'd, 'de> {
    items: &'i mut Items<'d, 'de>,
    read: usize,
}

impl<'de> SeqAccess<'de> for PairElements<'_, '_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.read += 1;
        match self.read {
            1 => {
                let start = self.items.decoder.position();
                seed.deserialize(Deserializer::new(self.items.decoder))
                    .map(Some)
                    .map_err(|error| error.located(start).within(Segment::Element(0)))
            }
            2 => self.items.value(seed).map(Some),
            _ => Ok(None),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(2_usize.saturating_sub(self.read))
    }
}

/// The value of a key that stands alone.
struct True;

impl<'de> de::Deserializer<'de> for True {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(true)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        match name {
            special::TERM => passing::read(true.into(), visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> de::Deserializer<'de> for Listed<'_, 'de> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.decoder.peek_tag()? == tag::MAP {
            return Deserializer::new(self.decoder).map(visitor);
        }
        self.open("a keyword list", None, |items| visitor.visit_map(items))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.decoder.peek_tag()? == tag::MAP {
            return Deserializer::new(self.decoder).fields(name, fields, visitor);
        }
        self.fields(fields, visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.open("a keyword list", None, |items| visitor.visit_seq(items))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let is_none = match self.decoder.peek_tag()? {
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM => read_if(self.decoder, is_nothing)?,
            _ => false,
        };
        if is_none { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        match name {
            special::TERM => Deserializer::new(self.decoder).deserialize_newtype_struct(name, visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        Deserializer::new(self.decoder).deserialize_unit(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        Deserializer::new(self.decoder).deserialize_ignored_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        tuple tuple_struct enum identifier
    }
}

/// Hands a list of bytes to a visitor of a byte string.
pub(super) struct BytesOf<V>(pub(super) V);

impl<'de, V: Visitor<'de>> Visitor<'de> for BytesOf<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<V::Value, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = elements.next_element()? {
            bytes.push(byte);
        }
        self.0.visit_byte_buf(bytes)
    }
}
