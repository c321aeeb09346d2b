//! Reading atoms, and the identifiers that carry a node's name: pids, ports and references.

use super::decoder::Decoder;
use super::error::Result;
use super::{recent, tag};
use crate::inline::Inline;
use crate::{Atom, Creation, Origin, Pid, Port, Reference};

/// An atom as it stands in the input.
#[derive(Clone, Copy)]
enum Written<'a> {
    Utf8(&'a [u8]),
    Latin1(&'a [u8]),
    Header(&'a Atom),
}

impl<'a> Decoder<'a> {
    /// Reads an atom.
    ///
    /// # Errors
    /// Something else stands there, or it is no valid atom.
    pub fn atom(&mut self) -> Result<Atom> {
        let written = self.written()?;
        self.make(written)
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
        let number = if short_creation { u32::from(self.u8()?) } else { self.u32()? };
        let creation = Creation::new(number);
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
        let tag = self.u8()?;
        if !matches!(tag, tag::NEW_PID | tag::PID) {
            return Err(self.unexpected(tag, "a pid"));
        }
        let node = self.written()?;
        let (id, serial) = (self.u32()?, self.u32()?);
        Ok(Pid::of(self.origin(node, tag == tag::PID)?, id, serial))
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

    /// Reads a reference.
    ///
    /// # Errors
    /// Something else stands there, or it is cut off.
    pub fn reference(&mut self) -> Result<Reference> {
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
