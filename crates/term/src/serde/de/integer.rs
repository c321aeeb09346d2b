//! Integers, as the smallest type that holds them.

use serde::de::Visitor;

use super::Deserializer;
use super::mismatch::{Wanted, wrong};
use crate::codec::{Decoder, tag};
use crate::serde::error::Error;
use crate::{DecodeError, Term};

impl<'de> Deserializer<'_, 'de> {
    #[inline]
    pub(super) fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match small_integer(self.decoder)? {
            Some(number) => visitor.visit_i64(number),
            None => self.large_integer(visitor),
        }
    }

    /// An integer of any size, as the smallest type that holds it.
    pub(super) fn large_integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
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

/// An integer that fits 64 bits with a sign; `None`, and nothing read, for anything else.
#[inline]
pub(super) fn small_integer(decoder: &mut Decoder<'_>) -> Result<Option<i64>, DecodeError> {
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
