//! What is inside lists, tuples, maps and structs, one after the other. Places are kept as numbers: only an error makes a
//! path of them.

use std::borrow::Cow;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use super::Deserializer;
use super::mismatch::wrong;
use super::rest::Rest;
use super::text::{atom_text, is_text};
use crate::codec::{Decoder, tag};
use crate::serde::error::{Error, ErrorKind, Segment};
use crate::serde::module::{EXCEPTION, Module, STRUCT};
use crate::serde::special::REST;
use crate::{DecodeError, Term};

/// Reads one level deeper, so that no input makes types that hold themselves use up the stack.
pub(super) fn nested<'de, T>(
    decoder: &mut Decoder<'de>,
    read: impl FnOnce(&mut Decoder<'de>) -> Result<T, Error>,
) -> Result<T, Error> {
    decoder.nested(|decoder| Ok(read(decoder)))?
}

pub(super) fn finish(left: usize) -> Result<(), Error> {
    match left {
        0 => Ok(()),
        left => Err(de::Error::custom(format_args!("there are {left} more elements than the type takes"))),
    }
}

/// Lets the visitor take the elements of a list or tuple whose head has been read.
pub(super) fn visit_sequence<'de, V: Visitor<'de>>(
    decoder: &mut Decoder<'de>,
    count: usize,
    is_list: bool,
    visitor: V,
) -> Result<V::Value, Error> {
    nested(decoder, |decoder| {
        let outer = decoder.owed();
        let mut elements = Elements { decoder, count, left: count, outer, is_list };
        let value = visitor.visit_seq(&mut elements)?;
        finish(elements.left)?;
        Ok(value)
    })
}

struct Elements<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
    count: usize,
    left: usize,
    /// What the containers around this one still wait for.
    outer: usize,
    is_list: bool,
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.decoder.owe(self.outer, self.left);
        let start = self.decoder.position();
        match seed.deserialize(Deserializer::new(self.decoder)) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                let place = self.count - self.left - 1;
                let segment = if self.is_list { Segment::Index(place) } else { Segment::Element(place) };
                Err(error.located(start).within(segment))
            }
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(self.decoder.room()))
    }
}

/// The pairs of a map whose head has been read.
pub(super) struct Pairs<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
    left: usize,
    outer: usize,
    key: usize,
}

impl<'d, 'de> Pairs<'d, 'de> {
    pub(super) fn visit<V: Visitor<'de>>(
        decoder: &'d mut Decoder<'de>,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        nested(decoder, |decoder| {
            let outer = decoder.owed();
            let mut pairs = Pairs { decoder, left: count, outer, key: 0 };
            let value = visitor.visit_map(&mut pairs)?;
            finish(pairs.left)?;
            Ok(value)
        })
    }
}

/// The key that stands at a place, for a path.
#[cold]
pub(super) fn key_at(decoder: &Decoder<'_>, place: usize) -> Segment {
    let mut ahead = decoder.revisit(place);
    Segment::Key(ahead.term().unwrap_or_else(|_| Term::atom("?")))
}

impl<'de> de::MapAccess<'de> for Pairs<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.decoder.owe(self.outer, 2 * self.left + 1);
        self.key = self.decoder.position();
        seed.deserialize(Deserializer::new(self.decoder)).map(Some).map_err(|error| error.located(self.key))
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        self.decoder.owe(self.outer, 2 * self.left);
        let start = self.decoder.position();
        seed.deserialize(Deserializer::new(self.decoder))
            .map_err(|error| error.located(start).within(key_at(self.decoder, self.key)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(self.decoder.room()))
    }
}

/// The pairs of a map that becomes a struct.
pub(super) struct Fields<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
    left: usize,
    outer: usize,
    key: usize,
    module: Option<Module>,
    fields: &'static [&'static str],
    rest: Option<Vec<usize>>,
    in_rest: bool,
}

impl<'d, 'de> Fields<'d, 'de> {
    pub(super) fn visit<V: Visitor<'de>>(
        decoder: &'d mut Decoder<'de>,
        count: usize,
        module: Option<Module>,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        nested(decoder, |decoder| {
            let outer = decoder.owed();
            let rest = fields.contains(&REST).then(Vec::new);
            let mut pairs = Fields { decoder, left: count, outer, key: 0, module, fields, rest, in_rest: false };
            let value = visitor.visit_map(&mut pairs)?;
            finish(pairs.left)?;
            Ok(value)
        })
    }

    /// Whether the key that has been read is of no interest to the type; then its value is read too.
    fn is_passed_over(&mut self, key: Option<&str>) -> Result<bool, Error> {
        if key.is_some_and(|key| self.fields.contains(&key)) {
            return Ok(false);
        }
        self.decoder.owe(self.outer, 2 * self.left);
        if let (Some(module), Some(key)) = (self.module, key) {
            if key == STRUCT {
                check_module(self.decoder, module)?;
                return Ok(true);
            }
            if module.exception && key == EXCEPTION {
                self.decoder.skip()?;
                return Ok(true);
            }
        }
        match &mut self.rest {
            None => Ok(false),
            Some(rest) => {
                rest.push(self.key);
                self.decoder.skip()?;
                Ok(true)
            }
        }
    }
}

/// Reads the value of `__struct__`, which must be this module.
fn check_module(decoder: &mut Decoder<'_>, module: Module) -> Result<(), Error> {
    let start = decoder.position();
    if is_text(decoder.peek_tag()?) && matches!(read_text(decoder)?, Some(text) if module.is(&text)) {
        return Ok(());
    }
    let found = decoder.revisit(start).term()?;
    Err(Error::new(ErrorKind::WrongStruct { expected: module.atom(), found }).located(start))
}

/// An atom or a binary as text; `None` if the binary is not UTF-8.
fn read_text<'de>(decoder: &mut Decoder<'de>) -> Result<Option<Cow<'de, str>>, DecodeError> {
    match decoder.peek_tag()? {
        tag::BINARY => Ok(std::str::from_utf8(decoder.binary_bytes()?).ok().map(Cow::Borrowed)),
        _ => atom_text(decoder).map(Some),
    }
}

impl<'de> de::MapAccess<'de> for Fields<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        while self.left > 0 {
            self.left -= 1;
            self.decoder.owe(self.outer, 2 * self.left + 1);
            self.key = self.decoder.position();
            let text = match self.decoder.peek_tag()? {
                tag if is_text(tag) => read_text(self.decoder)?,
                _ => None,
            };
            if text.is_none() && self.decoder.position() == self.key {
                self.decoder.skip()?;
            }
            if (self.module.is_some() || self.rest.is_some()) && self.is_passed_over(text.as_deref())? {
                continue;
            }
            let key = match &text {
                Some(text) => seed.deserialize(IntoDeserializer::<Error>::into_deserializer(text.as_ref())),
                // No field has such a name.
                None => seed.deserialize(de::value::BytesDeserializer::new(&[tag::NIL])),
            };
            return key.map(Some).map_err(|error| error.located(self.key));
        }
        self.in_rest = self.rest.is_some();
        self.decoder.owe(self.outer, 0);
        match self.in_rest {
            true => seed.deserialize(IntoDeserializer::<Error>::into_deserializer(REST)).map(Some),
            false => Ok(None),
        }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        if self.in_rest {
            let places = self.rest.take().unwrap_or_default();
            return seed.deserialize(Rest { decoder: self.decoder, places: places.into_iter() });
        }
        self.decoder.owe(self.outer, 2 * self.left);
        let start = self.decoder.position();
        seed.deserialize(Deserializer::new(self.decoder))
            .map_err(|error| error.located(start).within(key_at(self.decoder, self.key)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.min(self.decoder.room()))
    }
}

/// What to say of a term that is no pair.
#[cold]
pub(super) fn no_pair(decoder: &Decoder<'_>) -> Error {
    wrong(decoder, "a pair of a key and a value")
}
