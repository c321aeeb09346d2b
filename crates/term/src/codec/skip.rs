//! Reading over a term without building it: a count of what is still to come takes the place of recursion. On the way the
//! atoms of a distribution header can be written out, so that the bytes mean the same without their header.

use bytes::Bytes;

use super::decoder::Decoder;
use super::error::Result;
use super::{encode, tag};

impl Decoder<'_> {
    /// Reads over one term and gives its bytes. Looks at its structure only: that atoms are UTF-8, keys are distinct and
    /// the like is seen by whoever decodes it. Where a header's atoms were given, references to them stay references: see
    /// [`Decoder::expand`].
    ///
    /// # Errors
    /// The bytes are not a whole term.
    pub fn skip(&mut self) -> Result<Bytes> {
        let start = self.position();
        self.pass()?;
        Ok(self.since(start))
    }

    /// As [`Decoder::skip`], for whoever does not want the bytes.
    ///
    /// # Errors
    /// The bytes are not a whole term.
    pub fn pass(&mut self) -> Result<()> {
        // The end of a list, as a rule.
        if let [tag::NIL, left @ ..] = self.left {
            self.left = left;
            return Ok(());
        }
        let start = self.position();
        if start <= 1 && self.depth == 0 && self.peek_tag()? == tag::COMPRESSED {
            return self.compressed().map(drop);
        }
        // What the containers around it wait for is of no account: nothing is allocated here.
        let owed = std::mem::take(&mut self.owed);
        // At most the length of the input each, so the sum of a few cannot overflow.
        let mut terms: usize = 1;
        while terms > 0 {
            terms -= 1;
            if self.left.first() == Some(&tag::NEW_FUN) {
                self.u8()?;
                let size = self.fun_size()?;
                self.take(size)?;
            } else {
                terms += self.pass_one(&mut None)?;
            }
            self.can_follow(terms)?;
        }
        self.owed = owed;
        Ok(())
    }

    /// As [`Decoder::skip`], but the bytes can be read without the header's atoms, those are written out, and funs are looked
    /// into. Without a header's atoms nothing is copied.
    ///
    /// # Errors
    /// The bytes are not a whole term.
    pub fn expand(&mut self) -> Result<Bytes> {
        let start = self.position();
        let mut copy = (!self.atoms.is_empty()).then(|| Expanded { out: Vec::new(), copied: start });
        let mut funs: Vec<OpenFun> = Vec::new();
        let owed = std::mem::take(&mut self.owed);
        let mut terms: usize = 1;
        while terms > 0 {
            terms -= 1;
            if self.left.first() == Some(&tag::NEW_FUN) {
                self.u8()?;
                let size_at = copy.as_mut().map_or(0, |copy| copy.copy_to(self, self.position()));
                let size = self.fun_size()?;
                let Some(left) = self.left.len().checked_sub(size) else {
                    return Err(self.truncated(size - self.left.len()));
                };
                funs.push(OpenFun { left, size_at, terms });
                // Arity and a digest, an index, and the number of terms behind module, index, unique number and pid.
                self.take(1 + 16 + 4)?;
                terms += self.u32()? as usize + 4;
            } else {
                terms += self.pass_one(&mut copy)?;
            }
            self.can_follow(terms)?;
            while let Some(fun) = funs.pop_if(|fun| fun.terms == terms) {
                if self.left.len() != fun.left {
                    return Err(self.invalid("size of a fun"));
                }
                if let Some(copy) = &mut copy {
                    copy.close(&fun, self);
                }
            }
        }
        self.owed = owed;
        let Some(mut copy) = copy.filter(|copy| !copy.out.is_empty()) else {
            return Ok(self.since(start));
        };
        copy.copy_to(self, self.position());
        Ok(copy.out.into())
    }

    /// Checks that so many terms can follow.
    fn can_follow(&self, terms: usize) -> Result<()> {
        match terms.checked_sub(self.left.len()) {
            None | Some(0) => Ok(()),
            Some(missing) => Err(self.truncated(missing)),
        }
    }

    /// The size of a fun without the four bytes that tell it.
    fn fun_size(&mut self) -> Result<usize> {
        let size = self.u32()? as usize;
        size.checked_sub(4).ok_or_else(|| self.invalid("size of a fun"))
    }

    /// Moves over a term, or of one that holds others over its head, and gives the number of those others.
    fn pass_one(&mut self, copy: &mut Option<Expanded>) -> Result<usize> {
        let tag = self.peek_tag()?;
        match tag {
            tag::SMALL_TUPLE | tag::LARGE_TUPLE => return self.tuple_header(),
            tag::MAP => return Ok(2 * self.map_header()?),
            _ if is_atom(tag) => {
                self.pass_atom(copy)?;
                return Ok(0);
            }
            _ => self.u8()?,
        };
        let length = match tag {
            tag::NIL => 0,
            // The elements and the tail.
            tag::LIST => return Ok(self.count(1)? + 1),
            tag::RECORD => {
                let fields = self.count(2)?;
                self.u8()?;
                return Ok(2 + 2 * fields);
            }
            // Two atoms and a number.
            tag::EXPORT => return Ok(3),
            tag::SMALL_INTEGER => 1,
            tag::INTEGER => 4,
            tag::NEW_FLOAT => 8,
            tag::FLOAT => 31,
            tag::BINARY => self.u32()? as usize,
            tag::BIT_BINARY | tag::LARGE_BIG => {
                let length = self.u32()? as usize;
                self.u8()?;
                length
            }
            tag::STRING => self.u16()?,
            tag::SMALL_BIG => usize::from(self.u8()?) + 1,
            tag::NEW_PID => self.after_node(copy, 12)?,
            tag::PID => self.after_node(copy, 9)?,
            tag::V4_PORT => self.after_node(copy, 12)?,
            tag::NEW_PORT => self.after_node(copy, 8)?,
            tag::PORT | tag::REFERENCE => self.after_node(copy, 5)?,
            tag::NEWER_REFERENCE | tag::NEW_REFERENCE => {
                let words = self.u16()?;
                let creation = if tag == tag::NEWER_REFERENCE { 4 } else { 1 };
                self.after_node(copy, 4 * words + creation)?
            }
            tag => return Err(self.unexpected(tag, "a term")),
        };
        self.take(length)?;
        Ok(0)
    }

    /// Moves over a node's name, and gives what follows it again.
    fn after_node(&mut self, copy: &mut Option<Expanded>, length: usize) -> Result<usize> {
        self.pass_atom(copy)?;
        Ok(length)
    }

    fn pass_atom(&mut self, copy: &mut Option<Expanded>) -> Result<()> {
        let start = self.position();
        let length = match self.u8()? {
            tag::SMALL_ATOM_UTF8 | tag::SMALL_ATOM => usize::from(self.u8()?),
            tag::ATOM_UTF8 | tag::ATOM => self.u16()?,
            tag::ATOM_CACHE_REF => {
                let atom = self.header_atom()?;
                if let Some(copy) = copy {
                    copy.copy_to(self, start);
                    encode::atom(&mut copy.out, atom);
                    copy.copied = self.position();
                }
                0
            }
            tag => return Err(self.unexpected(tag, "an atom")),
        };
        self.take(length)?;
        Ok(())
    }
}

fn is_atom(tag: u8) -> bool {
    matches!(tag, tag::SMALL_ATOM_UTF8 | tag::SMALL_ATOM | tag::ATOM_UTF8 | tag::ATOM | tag::ATOM_CACHE_REF)
}

/// A fun that is being read: its size says where it ends, and changes when atoms are written out.
struct OpenFun {
    /// How much of the input is left behind it.
    left: usize,
    /// Where its size stands in the output.
    size_at: usize,
    /// How many terms come behind it.
    terms: usize,
}

/// A copy of what was read, with the atoms written out.
struct Expanded {
    out: Vec<u8>,
    /// Up to this place of the input all is in `out`.
    copied: usize,
}

impl Expanded {
    /// Copies the input up to a place, and gives how much has been written then.
    fn copy_to(&mut self, decoder: &Decoder<'_>, place: usize) -> usize {
        self.out.extend_from_slice(decoder.between(self.copied, place));
        self.copied = place;
        self.out.len()
    }

    fn close(&mut self, fun: &OpenFun, decoder: &Decoder<'_>) {
        let end = self.copy_to(decoder, decoder.position());
        // The input is no longer than four gigabytes, and a fun grows by no more than 255 atoms' texts for two bytes each.
        let size = u32::try_from(end - fun.size_at).unwrap_or(u32::MAX);
        if let Some(place) = self.out.get_mut(fun.size_at..fun.size_at + 4) {
            place.copy_from_slice(&size.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owed_does_not_count_against_what_is_passed_over() {
        // Two lists of one element each stand in a container that still waits for both.
        let bytes = Bytes::from_static(&[tag::LIST, 0, 0, 0, 1, tag::NIL, tag::NIL, tag::NIL]);
        let mut decoder = Decoder::new(&bytes);
        decoder.owed = 8;
        assert_eq!(decoder.skip().map(|bytes| bytes.len()), Ok(7));
        assert_eq!(decoder.owed, 8);
        decoder.return_to(0);
        assert_eq!(decoder.expand().map(|bytes| bytes.len()), Ok(7));
        assert_eq!(decoder.owed, 8);
    }
}
