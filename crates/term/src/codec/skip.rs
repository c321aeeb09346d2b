//! Reading over a term without building it: a count of what is still to come takes the place of recursion.

use super::decode::{DecodeError, Decoder};
use super::tag;

impl Decoder<'_> {
    /// Moves behind the next term.
    pub(super) fn pass_over(&mut self) -> Result<(), DecodeError> {
        // At most the length of the input each, so the sum of a few cannot overflow.
        let mut left: usize = 1;
        while left > 0 {
            left -= 1;
            let tag = self.peek_tag()?;
            match tag {
                tag::SMALL_TUPLE | tag::LARGE_TUPLE => left += self.tuple_header()?,
                tag::NIL => drop(self.take(1)?),
                // The elements and the tail.
                tag::LIST => left += self.list_header()? + 1,
                tag::MAP => left += 2 * self.map_header()?,
                tag::SMALL_INTEGER => drop(self.take(2)?),
                tag::INTEGER => drop(self.take(5)?),
                tag::NEW_FLOAT => drop(self.take(9)?),
                tag::FLOAT => drop(self.take(32)?),
                tag::BINARY | tag::BIT_BINARY | tag::LARGE_BIG => {
                    self.u8()?;
                    let length = self.u32()? as usize;
                    self.take(usize::from(tag != tag::BINARY))?;
                    self.take(length)?;
                }
                tag::STRING | tag::ATOM | tag::ATOM_UTF8 => {
                    self.u8()?;
                    let length = self.u16()?;
                    self.take(length)?;
                }
                tag::SMALL_ATOM | tag::SMALL_ATOM_UTF8 => {
                    self.u8()?;
                    let length = usize::from(self.u8()?);
                    self.take(length)?;
                }
                tag::SMALL_BIG => {
                    self.u8()?;
                    let length = usize::from(self.u8()?);
                    self.take(1 + length)?;
                }
                // Few and small, or of a shape of their own.
                _ => drop(self.term()?),
            }
            if left > self.left() {
                return Err(DecodeError::Truncated { at: self.position(), missing: left - self.left() });
            }
        }
        Ok(())
    }
}
