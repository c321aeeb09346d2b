//! Enums: an atom, a tuple that begins with one, or an Elixir struct whose module names the variant.

use std::borrow::Cow;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use super::Deserializer;
use super::access::{finish, nested, visit_sequence};
use super::mismatch::wrong;
use super::shape::UnitOf;
use super::text::atom_text;
use crate::codec::{Decoder, tag};
use crate::serde::error::{Error, Segment};
use crate::serde::module::{Module, STRUCT};

/// Reads the name of a variant, an atom or a binary.
pub(super) fn read_name<'de>(decoder: &mut Decoder<'de>) -> Result<Cow<'de, str>, Error> {
    match decoder.peek_tag()? {
        tag::BINARY => {
            let start = decoder.position();
            let bytes = decoder.binary_bytes()?;
            match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Cow::Borrowed(text)),
                Err(_) => Err(wrong(&decoder.revisit(start), "the name of a variant")),
            }
        }
        _ => Ok(atom_text(decoder)?),
    }
}

fn of_module(module: &str, variants: &'static [&'static str]) -> Option<&'static str> {
    variants.iter().copied().find(|variant| Module::of_variant(variant).is_some_and(|own| own.is(module)))
}

/// Looks into a map for the variant that is named by its `__struct__`. Nothing is read.
pub(super) fn of_struct(decoder: &Decoder<'_>, variants: &'static [&'static str]) -> Result<&'static str, Error> {
    let mut ahead = decoder.revisit(decoder.position());
    for _ in 0..ahead.map_header()? {
        let is_struct = match ahead.peek_tag()? {
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::SMALL_ATOM | tag::ATOM => atom_text(&mut ahead)? == STRUCT,
            _ => {
                ahead.skip()?;
                false
            }
        };
        let is_module =
            matches!(ahead.peek_tag()?, tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::SMALL_ATOM | tag::ATOM);
        if is_struct && is_module {
            if let Some(variant) = of_module(&atom_text(&mut ahead)?, variants) {
                return Ok(variant);
            }
            break;
        }
        ahead.skip()?;
    }
    let wanted = match variants.iter().any(|variant| Module::of_variant(variant).is_some()) {
        true => "a struct of one of the modules that the variants name",
        false => "an atom or a tuple that begins with one",
    };
    Err(wrong(decoder, wanted))
}

/// The variant of an atom or tuple; its values come next.
pub(super) struct Variant<'d, 'de> {
    pub(super) decoder: &'d mut Decoder<'de>,
    pub(super) variant: Cow<'de, str>,
    pub(super) left: usize,
}

impl<'de> Variant<'_, 'de> {
    /// Runs `read`, and names the variant where it fails.
    fn read<T>(self, read: impl FnOnce(&mut Decoder<'de>, usize) -> Result<T, Error>) -> Result<T, Error> {
        let start = self.decoder.position();
        read(self.decoder, self.left)
            .map_err(|error| error.located(start).within(Segment::Variant(self.variant.into_owned())))
    }
}

impl<'d, 'de> de::EnumAccess<'de> for Variant<'d, 'de> {
    type Error = Error;
    type Variant = Variant<'d, 'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self::Variant), Error> {
        let value = seed.deserialize(IntoDeserializer::<Error>::into_deserializer(self.variant.as_ref()))?;
        Ok((value, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.read(|_, left| finish(left))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        self.read(|decoder, left| match left {
            1 => seed.deserialize(Deserializer::new(decoder)),
            left => Err(de::Error::custom(format_args!("the variant has 1 value, not {left}"))),
        })
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.read(|decoder, left| visit_sequence(decoder, left, false, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.read(|decoder, left| match left {
            1 => Deserializer::new(decoder).fields("", fields, visitor),
            left => Err(de::Error::custom(format_args!("the variant has 1 value, a map, not {left}"))),
        })
    }
}

/// The variant that is an Elixir struct; the map comes next.
pub(super) struct StructVariant<'d, 'de> {
    pub(super) decoder: &'d mut Decoder<'de>,
    pub(super) variant: &'static str,
}

impl<'d, 'de> de::EnumAccess<'de> for StructVariant<'d, 'de> {
    type Error = Error;
    type Variant = StructVariant<'d, 'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self::Variant), Error> {
        let value = seed.deserialize(IntoDeserializer::<Error>::into_deserializer(self.variant))?;
        Ok((value, self))
    }
}

impl<'de> StructVariant<'_, 'de> {
    fn fields<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        Deserializer::new(self.decoder).fields(self.variant, fields, visitor)
    }
}

impl<'de> de::VariantAccess<'de> for StructVariant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.fields(&[], UnitOf(de::IgnoredAny)).map(drop)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        // One that holds itself takes a level, though nothing of the input has been read.
        nested(self.decoder, |decoder| seed.deserialize(Deserializer::new(decoder)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(wrong(self.decoder, "a struct, which a tuple variant cannot be"))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.fields(fields, visitor)
    }
}
