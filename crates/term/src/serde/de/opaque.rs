//! Terms that serde has no form for (pids, funs, large integers ...) where it wants to keep any value for later: they are
//! kept as their bytes, in a newtype that nothing but a term takes for its own.

use serde::de::{self, Visitor};
use serde::forward_to_deserialize_any;

use crate::codec::Decoder;
use crate::serde::error::Error;

pub(super) fn opaque<'de, V: Visitor<'de>>(decoder: &mut Decoder<'de>, visitor: V) -> Result<V::Value, Error> {
    let raw = decoder.skip()?;
    visitor.visit_newtype_struct(Opaque(raw.to_vec()))
}

/// The bytes of one term.
struct Opaque(Vec<u8>);

impl<'de> de::Deserializer<'de> for Opaque {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_byte_buf(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
