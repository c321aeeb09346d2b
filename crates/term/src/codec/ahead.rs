//! Looking at a term before it is read for good: what serde needs beside the reading itself.

use super::decoder::Decoder;
use super::error::DecodeError;
use super::tag;

impl<'a> Decoder<'a> {
    /// A second decoder at a place that has been read before.
    pub(crate) fn revisit(&self, place: usize) -> Decoder<'a> {
        let mut other = self.fork();
        other.return_to(place);
        // What is still to come was counted for another place.
        other.owed = 0;
        other
    }

    /// Goes back to a place that has been read before.
    #[inline]
    pub(crate) fn return_to(&mut self, place: usize) {
        self.left = self.onward_of(place);
    }

    /// How many elements can still follow: no more than bytes that are not owed to others.
    pub(crate) fn room(&self) -> usize {
        self.left.len().saturating_sub(self.owed)
    }

    /// Notes that so many elements of the open container are still to come, besides what those around it wait for.
    #[inline]
    pub(crate) fn owe(&mut self, outer: usize, own: usize) {
        self.owed = outer + own;
    }

    /// How many elements the open containers still wait for.
    #[inline]
    pub(crate) fn owed(&self) -> usize {
        self.owed
    }

    /// The text of an atom, as it stands in the input; `None` if it is Latin-1 and has to be rewritten.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    #[inline]
    pub(crate) fn atom_text(&mut self) -> Result<Option<&'a str>, DecodeError> {
        let start = self.left;
        let tag = self.u8()?;
        let length = match tag {
            tag::SMALL_ATOM_UTF8 | tag::SMALL_ATOM => usize::from(self.u8()?),
            tag::ATOM_UTF8 | tag::ATOM => self.u16()?,
            tag => return Err(self.unexpected(tag, "an atom")),
        };
        let bytes = self.take(length)?;
        match std::str::from_utf8(bytes) {
            // An atom of more than 255 characters is refused where its text is counted.
            Ok(text) if length <= 255 && (matches!(tag, tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8) || text.is_ascii()) => {
                Ok(Some(text))
            }
            _ => {
                self.left = start;
                Ok(None)
            }
        }
    }

    /// The bytes of a binary, as they stand in the input.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    #[inline]
    pub(crate) fn binary_bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        match self.u8()? {
            tag::BINARY => {
                let length = self.u32()? as usize;
                self.take(length)
            }
            tag => Err(self.unexpected(tag, "a binary")),
        }
    }
}
