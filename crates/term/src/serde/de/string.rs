//! The short form of lists of small numbers: a row of bytes, each of which is an element of any type that takes a number.

use serde::de::{self, DeserializeSeed, Visitor};
use serde::forward_to_deserialize_any;

use super::access::finish;
use crate::codec::Decoder;
use crate::serde::error::{Error, Segment};
use crate::serde::{passing, special};

/// Reads such a list.
pub(super) fn visit<'de, V: Visitor<'de>>(decoder: &mut Decoder<'de>, visitor: V) -> Result<V::Value, Error> {
    decoder.u8()?;
    let length = decoder.u16()?;
    let start = decoder.position();
    let mut row = Row { bytes: decoder.take(length)?, next: 0, start };
    let value = visitor.visit_seq(&mut row)?;
    finish(row.bytes.len() - row.next)?;
    Ok(value)
}

struct Row<'de> {
    bytes: &'de [u8],
    next: usize,
    start: usize,
}

impl<'de> de::SeqAccess<'de> for Row<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(byte) = self.bytes.get(self.next) else {
            return Ok(None);
        };
        let index = self.next;
        self.next += 1;
        let placed = |error: Error| error.located(self.start + index).within(Segment::Index(index));
        seed.deserialize(Byte(*byte)).map(Some).map_err(placed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.bytes.len() - self.next)
    }
}

struct Byte(u8);

impl<'de> de::Deserializer<'de> for Byte {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u8(self.0)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_char(char::from(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        match name {
            special::TERM => passing::read(i64::from(self.0).into(), visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
