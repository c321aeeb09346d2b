//! Reading atoms, and the identifiers that carry a node's name: pids, ports and references.

use super::decoder::Decoder;
use super::error::Result;
use super::{recent, tag};
use crate::inline::{self, Inline};
use crate::{Atom, Creation, Origin, Pid, Port, Reference};

/// An atom as it stands in the input.
#[derive(Clone, Copy)]
enum Written<'a> {
    Utf8(&'a [u8]),
    Latin1(&'a [u8]),
    Header(&'a Atom),
}

/// What a reference of three words begins with.
const THREE_WORDS: &[u8] = &[tag::NEWER_REFERENCE, 0, 3];

impl<'a> Decoder<'a> {
    /// Reads an atom.
    ///
    /// # Errors
    /// Something else stands there, or it is no valid atom.
    pub fn atom(&mut self) -> Result<Atom> {
        if let Some(atom) = self.short_atom() {
            return Ok(atom);
        }
        let written = self.written()?;
        self.make(written)
    }

    /// Reads an atom that fits two words and is ASCII, if one stands here.
    #[inline]
    fn short_atom(&mut self) -> Option<Atom> {
        let [tag::SMALL_ATOM_UTF8, length @ ..=16, after @ ..] = self.left else { return None };
        let left = after.get(usize::from(*length)..)?;
        let number = inline::number(after, usize::from(*length))?;
        if !inline::is_ascii_number(number) {
            return None;
        }
        self.left = left;
        Some(Atom::of_inline(Inline::of_number(number, *length)))
    }

    /// An identifier of this tag and the node's name in it, with the `N` words behind that, if it stands here as nodes of
    /// our time write it. Gives what comes behind it too.
    #[inline]
    fn identifier<const N: usize>(&self, head: &[u8]) -> Option<(&'a [u8], [u32; N], &'a [u8])> {
        let [tag::SMALL_ATOM_UTF8, length, after @ ..] = self.left.strip_prefix(head)? else { return None };
        let (node, after) = after.split_at_checked(usize::from(*length))?;
        let (words, left) = after.split_at_checked(4 * N)?;
        let words = words.as_chunks().0.first_chunk()?;
        Some((node, words.map(u32::from_be_bytes), left))
    }

    fn written(&mut self) -> Result<Written<'a>> {
        Ok(match self.u8()? {
            tag::SMALL_ATOM_UTF8 => {
                let length = usize::from(self.u8()?);
                Written::Utf8(self.take(length)?)
            }
            tag::ATOM_UTF8 => {
                let length = self.u16()?;
                Written::Utf8(self.take(length)?)
            }
            tag::SMALL_ATOM => {
                let length = usize::from(self.u8()?);
                Written::Latin1(self.take(length)?)
            }
            tag::ATOM => {
                let length = self.u16()?;
                Written::Latin1(self.take(length)?)
            }
            tag::ATOM_CACHE_REF => Written::Header(self.header_atom()?),
            tag => return Err(self.unexpected(tag, "an atom")),
        })
    }

    /// The atom of the header that a number stands for.
    pub(super) fn header_atom(&mut self) -> Result<&'a Atom> {
        if self.atoms.is_empty() {
            return Err(self.unexpected(tag::ATOM_CACHE_REF, "an atom written out, for lack of a distribution header"));
        }
        let place = self.u8()?;
        self.atoms.get(usize::from(place)).ok_or_else(|| self.invalid("atom: the distribution header has fewer"))
    }

    fn make(&self, written: Written<'_>) -> Result<Atom> {
        match written {
            Written::Header(atom) => Ok(atom.clone()),
            Written::Utf8(text) => self.utf8(text),
            Written::Latin1(text) if text.is_ascii() => self.utf8(text),
            Written::Latin1(text) => {
                let text: String = text.iter().map(|byte| char::from(*byte)).collect();
                self.utf8(text.as_bytes())
            }
        }
    }

    fn utf8(&self, text: &[u8]) -> Result<Atom> {
        if text.len() > Inline::ROOM
            && let Some(atom) = recent::atom(text)
        {
            return Ok(atom);
        }
        match std::str::from_utf8(text).map(Atom::new) {
            Ok(Ok(atom)) => Ok(atom),
            Ok(Err(_)) => Err(self.invalid("atom: it has more than 255 characters")),
            Err(_) => Err(self.invalid("atom: it is not UTF-8")),
        }
    }

    /// The origin of an identifier: mostly the same as of others not long ago, and then nothing is made.
    fn origin(&mut self, node: Written<'_>, short_creation: bool) -> Result<Origin> {
        let creation = if short_creation { u32::from(self.u8()?) } else { self.u32()? };
        self.origin_of(node, creation)
    }

    fn origin_of(&self, node: Written<'_>, creation: u32) -> Result<Origin> {
        let creation = Creation::new(creation);
        match node {
            Written::Utf8(text) => recent::origin(text, creation, || self.make(node)),
            _ => self.make(node).map(|node| Origin::new(node, creation)),
        }
    }

    /// Reads a pid.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    pub fn pid(&mut self) -> Result<Pid> {
        if let Some((node, [id, serial, creation], left)) = self.identifier(&[tag::NEW_PID]) {
            self.left = left;
            return Ok(Pid::of(self.origin_of(Written::Utf8(node), creation)?, id, serial));
        }
        let tag = self.u8()?;
        if !matches!(tag, tag::NEW_PID | tag::PID) {
            return Err(self.unexpected(tag, "a pid"));
        }
        let node = self.written()?;
        let (id, serial) = (self.u32()?, self.u32()?);
        Ok(Pid::of(self.origin(node, tag == tag::PID)?, id, serial))
    }

    /// Reads over a pid. As by [`Decoder::pass`], only its structure is looked at.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    pub fn pass_pid(&mut self) -> Result<()> {
        if let Some((_, [_, _, _], left)) = self.identifier(&[tag::NEW_PID]) {
            self.left = left;
            return Ok(());
        }
        match self.peek_tag()? {
            tag::NEW_PID | tag::PID => self.pass(),
            tag => Err(self.unexpected(tag, "a pid")),
        }
    }

    /// Reads over a reference. As by [`Decoder::pass`], only its structure is looked at.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    pub fn pass_reference(&mut self) -> Result<()> {
        if let Some((_, [_, _, _, _], left)) = self.identifier(THREE_WORDS) {
            self.left = left;
            return Ok(());
        }
        match self.peek_tag()? {
            tag::NEWER_REFERENCE | tag::NEW_REFERENCE | tag::REFERENCE => self.pass(),
            tag => Err(self.unexpected(tag, "a reference")),
        }
    }

    pub(super) fn port(&mut self) -> Result<Port> {
        let tag = self.u8()?;
        if !matches!(tag, tag::V4_PORT | tag::NEW_PORT | tag::PORT) {
            return Err(self.unexpected(tag, "a port"));
        }
        let node = self.written()?;
        let id = if tag == tag::V4_PORT { u64::from_be_bytes(self.array()?) } else { u64::from(self.u32()?) };
        Ok(Port::at(&self.origin(node, tag == tag::PORT)?, id))
    }

    /// Reads a reference that this incarnation of a node made, if one of three words stands here, and gives the words.
    /// Nothing is read if something else does.
    pub fn own_reference(&mut self, origin: &Origin) -> Option<[u32; 3]> {
        let (node, [creation, words @ ..], left) = self.identifier::<4>(THREE_WORDS)?;
        if creation != origin.creation().get() || node != origin.node().as_bytes() {
            return None;
        }
        self.left = left;
        Some(words)
    }

    /// Reads a reference.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    pub fn reference(&mut self) -> Result<Reference> {
        if let Some((node, [creation, words @ ..], left)) = self.identifier::<4>(THREE_WORDS) {
            self.left = left;
            return Ok(Reference::of_three(self.origin_of(Written::Utf8(node), creation)?, words));
        }
        let tag = self.u8()?;
        let count = match tag {
            tag::NEWER_REFERENCE | tag::NEW_REFERENCE => self.u16()?,
            tag::REFERENCE => 1,
            tag => return Err(self.unexpected(tag, "a reference")),
        };
        let node = self.written()?;
        let mut words = [0; Reference::MAX_WORDS];
        let Some(words) = words.get_mut(..count) else {
            return Err(self.invalid("reference: it has more than 5 words"));
        };
        // The oldest form has its one word before the creation.
        if let (tag::REFERENCE, [word]) = (tag, &mut *words) {
            *word = self.u32()?;
        }
        let origin = self.origin(node, tag != tag::NEWER_REFERENCE)?;
        if tag != tag::REFERENCE {
            for word in words.iter_mut() {
                *word = self.u32()?;
            }
        }
        Reference::at(&origin, words).map_err(|_| self.invalid("reference: it has more than 5 words"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atom;
    use crate::codec::encode;
    use bytes::Bytes;

    #[test]
    fn a_reference_is_known_as_ours_by_its_node_and_creation() {
        let origin = |name, number| Origin::new(atom(name), Creation::new(number));
        let own = origin("a@host", 7);
        for (origin, words) in [
            (own.clone(), &[1, 2, 3][..]),
            (own.clone(), &[1, 2, 3, 4, 5]),
            (own.clone(), &[1]),
            (origin("a@host", 8), &[1, 2, 3]),
            (origin("b@host", 7), &[1, 2, 3]),
        ] {
            let reference = Reference::at(&origin, words).expect("few");
            let mut out = Vec::new();
            encode::reference(&mut out, &reference);
            encode::nil(&mut out);
            let bytes = Bytes::from(out);
            let (mut decoder, mut other) = (Decoder::new(&bytes), Decoder::new(&bytes));
            assert_eq!(other.reference().as_ref(), Ok(&reference));
            let found = decoder.own_reference(&own);
            let is_ours = origin == own && words.len() == 3;
            assert_eq!(found, is_ours.then_some([1, 2, 3]));
            assert_eq!(decoder.position(), if is_ours { other.position() } else { 0 });
        }
    }

    #[test]
    fn identifiers_are_passed_over_as_they_are_read() {
        let origin = Origin::new(atom("a@host"), Creation::new(3));
        let pid = Pid::at(&origin, 1, 2);
        let mut out = Vec::new();
        encode::pid(&mut out, &pid);
        for length in 0..=out.len() {
            let bytes = Bytes::copy_from_slice(&out[..length]);
            let (mut decoder, mut other) = (Decoder::new(&bytes), Decoder::new(&bytes));
            assert_eq!(decoder.pass_pid().is_ok(), other.pid().is_ok_and(|read| read == pid), "{length}");
        }
        for words in [&[1, 2, 3][..], &[1, 2, 3, 4, 5]] {
            let reference = Reference::at(&origin, words).expect("few");
            let mut out = Vec::new();
            encode::reference(&mut out, &reference);
            for length in 0..=out.len() {
                let bytes = Bytes::copy_from_slice(&out[..length]);
                let (mut decoder, mut other) = (Decoder::new(&bytes), Decoder::new(&bytes));
                let is_read = other.reference().is_ok_and(|read| read == reference);
                assert_eq!(decoder.pass_reference().is_ok(), is_read, "{length}");
            }
        }
        let nil = Bytes::from_static(&[tag::NIL]);
        assert!(Decoder::new(&nil).pass_pid().is_err() && Decoder::new(&nil).pass_reference().is_err());
    }
}
