//! Reading numbers: integers of any size, and floats in both forms.

use num_bigint::{BigInt, Sign};

use super::decoder::Decoder;
use super::error::Result;
use super::tag;
use crate::Term;

impl Decoder<'_> {
    /// Reads an integer of 64 bits.
    ///
    /// # Errors
    /// Something else stands there, or it is too large.
    pub fn integer(&mut self) -> Result<i64> {
        if let [tag::SMALL_INTEGER, small, left @ ..] = self.left {
            self.left = left;
            return Ok(i64::from(*small));
        }
        match self.any_integer()? {
            Term::Integer(number) => Ok(number),
            _ => Err(self.invalid("integer: it does not fit 64 bits")),
        }
    }

    /// Reads an integer of 64 bits without a sign.
    ///
    /// # Errors
    /// Something else stands there, it is negative or too large.
    pub fn unsigned(&mut self) -> Result<u64> {
        self.any_integer()?.as_u64().ok_or_else(|| self.invalid("integer: it does not fit 64 bits without a sign"))
    }

    pub(crate) fn any_integer(&mut self) -> Result<Term> {
        let tag = self.u8()?;
        let length = match tag {
            tag::SMALL_INTEGER => return Ok(Term::Integer(i64::from(self.u8()?))),
            tag::INTEGER => return Ok(Term::Integer(i64::from(i32::from_be_bytes(self.array()?)))),
            tag::SMALL_BIG => usize::from(self.u8()?),
            tag::LARGE_BIG => self.u32()? as usize,
            tag => return Err(self.unexpected(tag, "an integer")),
        };
        // As Erlang reads it: every sign but 0 is a minus.
        let negative = self.u8()? != 0;
        if length > self.limits.integer_bytes {
            return Err(self.limit("integer"));
        }
        let magnitude = self.take(length)?;
        if let Some(number) = word(negative, magnitude) {
            return Ok(Term::Integer(number));
        }
        let sign = if negative { Sign::Minus } else { Sign::Plus };
        Ok(BigInt::from_bytes_le(sign, magnitude).into())
    }

    /// Reads a float.
    ///
    /// # Errors
    /// Something else stands there, or it is not finite.
    #[inline]
    pub fn float(&mut self) -> Result<f64> {
        let number = match self.u8()? {
            tag::NEW_FLOAT => f64::from_be_bytes(self.array()?),
            tag::FLOAT => self.text_float()?,
            tag => return Err(self.unexpected(tag, "a float")),
        };
        if number.is_finite() { Ok(number) } else { Err(self.invalid("float: it is not finite")) }
    }

    fn text_float(&mut self) -> Result<f64> {
        let text = self.take(31)?;
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        let parsed = std::str::from_utf8(&text[..end]).ok().and_then(|text| text.trim().parse().ok());
        parsed.ok_or_else(|| self.invalid("float"))
    }
}

/// The number with this magnitude, the least byte first, if eight bytes are enough for it.
fn word(negative: bool, magnitude: &[u8]) -> Option<i64> {
    let mut bytes = [0; 8];
    bytes.get_mut(..magnitude.len())?.copy_from_slice(magnitude);
    let magnitude = u64::from_le_bytes(bytes);
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}
