//! The pairs of a map that no field of its struct takes: they are read again, from their places, into the field that is
//! named `$rest`. Nothing of them is lost, as it is where serde's own `flatten` keeps them.

use serde::de::{self, DeserializeSeed, Visitor};
use serde::forward_to_deserialize_any;

use super::Deserializer;
use super::access::key_at;
use crate::Term;
use crate::codec::Decoder;
use crate::serde::error::Error;
use crate::serde::{passing, special};

pub(super) struct Rest<'d, 'de> {
    pub(super) decoder: &'d mut Decoder<'de>,
    pub(super) places: std::vec::IntoIter<usize>,
}

impl<'de> de::Deserializer<'de> for Rest<'_, 'de> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let end = self.decoder.position();
        let mut pairs = RestPairs { decoder: self.decoder, places: self.places, key: 0 };
        let value = visitor.visit_map(&mut pairs);
        self.decoder.return_to(end);
        value
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.places.len() {
            0 => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name != special::TERM {
            return visitor.visit_newtype_struct(self);
        }
        let end = self.decoder.position();
        let mut pairs = Vec::with_capacity(self.places.len());
        for place in self.places {
            self.decoder.return_to(place);
            pairs.push((self.decoder.term()?, self.decoder.term()?));
        }
        self.decoder.return_to(end);
        passing::read(Term::map(pairs), visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct RestPairs<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
    places: std::vec::IntoIter<usize>,
    key: usize,
}

impl<'de> de::MapAccess<'de> for RestPairs<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(place) = self.places.next() else {
            return Ok(None);
        };
        self.key = place;
        self.decoder.return_to(place);
        seed.deserialize(Deserializer::new(self.decoder)).map(Some).map_err(|error| error.located(place))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let start = self.decoder.position();
        seed.deserialize(Deserializer::new(self.decoder))
            .map_err(|error| error.located(start).within(key_at(self.decoder, self.key)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.places.len())
    }
}
