//! Bytes to values.

use serde::de::{self, DeserializeSeed, Error as _, IntoDeserializer, Visitor};

use super::{Error, PASSING, RAW};
use crate::codec::{Decoder, tag};
use crate::{Atom, Term};

/// Reads the next term of a decoder into whatever asks for it.
pub(super) struct Deserializer<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
}

impl<'d, 'de> Deserializer<'d, 'de> {
    pub(super) fn new(decoder: &'d mut Decoder<'de>) -> Deserializer<'d, 'de> {
        Deserializer { decoder }
    }

    /// The elements of a list or tuple, however it is written.
    fn sequence<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::STRING => {
                self.decoder.u8()?;
                let length = self.decoder.u16()?;
                let bytes = self.decoder.take(length)?;
                visitor.visit_seq(de::value::SeqDeserializer::new(bytes.iter().copied()))
            }
            tag::NIL | tag::LIST => {
                let left = self.decoder.list_header()?;
                let value = visit_sequence(self.decoder, left, visitor)?;
                if left > 0 && self.decoder.u8()? != tag::NIL {
                    return Err(Error::custom("the list does not end in []"));
                }
                Ok(value)
            }
            _ => {
                let left = self.decoder.tuple_header()?;
                visit_sequence(self.decoder, left, visitor)
            }
        }
    }

    fn map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let left = self.decoder.map_header()?;
        self.decoder.nested_serde(|decoder| {
            let mut pairs = Elements { decoder, left };
            let value = visitor.visit_map(&mut pairs)?;
            finish(pairs.left)?;
            Ok(value)
        })
    }
}

fn finish(left: usize) -> Result<(), Error> {
    match left {
        0 => Ok(()),
        left => Err(Error::custom(format_args!("{left} more elements than the type has"))),
    }
}

fn visit_sequence<'de, V: Visitor<'de>>(
    decoder: &mut Decoder<'de>,
    left: usize,
    visitor: V,
) -> Result<V::Value, Error> {
    decoder.nested_serde(|decoder| {
        let mut elements = Elements { decoder, left };
        let value = visitor.visit_seq(&mut elements)?;
        finish(elements.left)?;
        Ok(value)
    })
}

impl<'de> Decoder<'de> {
    /// As `nested`, for reads that fail in serde's way.
    fn nested_serde<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.nested(|decoder| Ok(read(decoder)))?
    }
}

struct Elements<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Deserializer::new(self.decoder)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> de::MapAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Deserializer::new(self.decoder)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Deserializer::new(self.decoder))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

fn is_nothing(atom: &Atom) -> bool {
    matches!(atom.as_str(), "nil" | "undefined")
}

macro_rules! integers {
    ($($name:ident: $visit:ident, $read:ident;)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.decoder.$read()?)
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
            tag::SMALL_INTEGER | tag::INTEGER | tag::SMALL_BIG | tag::LARGE_BIG => match self.decoder.any_integer()? {
                Term::Integer(number) => visitor.visit_i64(number),
                big => match big.as_u64() {
                    Some(number) => visitor.visit_u64(number),
                    None => Err(Error::custom("the integer does not fit 64 bits")),
                },
            },
            tag::NEW_FLOAT | tag::FLOAT => visitor.visit_f64(self.decoder.float()?),
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM => {
                let atom = self.decoder.atom()?;
                match atom.as_str() {
                    "true" => visitor.visit_bool(true),
                    "false" => visitor.visit_bool(false),
                    "nil" | "undefined" => visitor.visit_unit(),
                    text => visitor.visit_str(text),
                }
            }
            tag::BINARY => self.deserialize_str(visitor),
            tag::MAP => self.map(visitor),
            _ => self.sequence(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.atom()?.as_str() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            other => Err(Error::custom(format_args!("wanted true or false, got the atom {other}"))),
        }
    }

    integers! {
        deserialize_i8: visit_i64, integer;
        deserialize_i16: visit_i64, integer;
        deserialize_i32: visit_i64, integer;
        deserialize_i64: visit_i64, integer;
        deserialize_u8: visit_u64, unsigned;
        deserialize_u16: visit_u64, unsigned;
        deserialize_u32: visit_u64, unsigned;
        deserialize_u64: visit_u64, unsigned;
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.any_integer()? {
            Term::Integer(number) => visitor.visit_i128(i128::from(number)),
            Term::BigInteger(number) => match i128::try_from(number.as_ref()) {
                Ok(number) => visitor.visit_i128(number),
                Err(_) => Err(Error::custom("the integer does not fit 128 bits")),
            },
            _ => Err(Error::custom("not an integer")),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.any_integer()? {
            Term::Integer(number) => visitor.visit_i128(i128::from(number)),
            Term::BigInteger(number) => match u128::try_from(number.as_ref()) {
                Ok(number) => visitor.visit_u128(number),
                Err(_) => Err(Error::custom("the integer does not fit 128 bits without a sign")),
            },
            _ => Err(Error::custom("not an integer")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::NEW_FLOAT | tag::FLOAT => visitor.visit_f64(self.decoder.float()?),
            _ => visitor.visit_f64(self.decoder.integer()? as f64),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let code = self.decoder.integer()?;
        let character = u32::try_from(code).ok().and_then(char::from_u32);
        visitor.visit_char(character.ok_or_else(|| Error::custom(format_args!("{code} is no character")))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::BINARY => {
                let bytes = self.binary()?;
                let text = std::str::from_utf8(bytes).map_err(|_| Error::custom("the binary is not UTF-8"))?;
                visitor.visit_borrowed_str(text)
            }
            tag::STRING | tag::LIST | tag::NIL => {
                let list = self.decoder.term()?;
                let text = list.as_list().and_then(crate::List::to_text);
                visitor.visit_string(text.ok_or_else(|| Error::custom("the list is no text"))?)
            }
            _ => visitor.visit_str(self.decoder.atom()?.as_str()),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::BINARY => visitor.visit_borrowed_bytes(self.binary()?),
            _ => {
                let list = self.decoder.term()?;
                let bytes = list.as_list().and_then(|list| list.as_bytes().map(std::borrow::Cow::into_owned));
                visitor.visit_byte_buf(bytes.ok_or_else(|| Error::custom("neither a binary nor a list of bytes"))?)
            }
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM => {
                let mut ahead = self.decoder.fork();
                if is_nothing(&ahead.atom()?) {
                    self.decoder.atom()?;
                    return visitor.visit_none();
                }
                visitor.visit_some(self)
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.term()? {
            Term::Atom(atom) if is_nothing(&atom) => visitor.visit_unit(),
            Term::List(list) if list.is_empty() => visitor.visit_unit(),
            Term::Tuple(elements) if elements.is_empty() => visitor.visit_unit(),
            other => Err(Error::custom(format_args!("wanted nil, got {other}"))),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name == RAW {
            let bytes = self.decoder.skip()?;
            PASSING.set(Some(bytes.clone()));
            let value = visitor.visit_bytes(&bytes);
            PASSING.take();
            return value;
        }
        visitor.visit_newtype_struct(self)
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

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::MAP => self.map(visitor),
            _ => self.sequence(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::SMALL_TUPLE | tag::LARGE_TUPLE => {
                let arity = self.decoder.tuple_header()?;
                let left = arity.checked_sub(1).ok_or_else(|| Error::custom("{} is no variant"))?;
                self.decoder.nested_serde(|decoder| visitor.visit_enum(Variant { decoder, left }))
            }
            _ => visitor.visit_enum(Variant { decoder: self.decoder, left: 0 }),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.decoder.skip()?;
        visitor.visit_unit()
    }
}

impl<'de> Deserializer<'_, 'de> {
    fn binary(self) -> Result<&'de [u8], Error> {
        let wanted = self.decoder.u8()?;
        if wanted != tag::BINARY {
            return Err(self.decoder.unexpected(wanted, "a binary").into());
        }
        let length = self.decoder.u32()? as usize;
        Ok(self.decoder.take(length)?)
    }
}

struct Variant<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
    left: usize,
}

impl<'d, 'de> de::EnumAccess<'de> for Variant<'d, 'de> {
    type Error = Error;
    type Variant = Variant<'d, 'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self::Variant), Error> {
        let atom = self.decoder.atom()?;
        let value = seed.deserialize(IntoDeserializer::<Error>::into_deserializer(atom.as_str()))?;
        Ok((value, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        finish(self.left)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        match self.left {
            1 => seed.deserialize(Deserializer::new(self.decoder)),
            left => Err(Error::custom(format_args!("the variant has 1 value, not {left}"))),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        visit_sequence(self.decoder, self.left, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        Deserializer::new(self.decoder).map(visitor)
    }
}
