//! Texts: binaries, atoms, and lists of characters.

use std::borrow::Cow;

use serde::de::Visitor;

use super::Deserializer;
use super::mismatch::{Wanted, wrong};
use crate::DecodeError;
use crate::codec::{Decoder, tag};
use crate::serde::error::Error;

impl<'de> Deserializer<'_, 'de> {
    /// A text, borrowed if it stands in the input as a binary.
    #[inline]
    pub(super) fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::BINARY => {
                let start = self.decoder.position();
                let bytes = self.decoder.binary_bytes()?;
                match std::str::from_utf8(bytes) {
                    Ok(text) => visitor.visit_borrowed_str(text),
                    Err(_) => Err(wrong(&self.decoder.revisit(start), Wanted(&visitor))),
                }
            }
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM => {
                match atom_text(self.decoder)? {
                    // Owned for the visitor: so it knows later that it was an atom.
                    Cow::Borrowed(text) => visitor.visit_str(text),
                    Cow::Owned(text) => visitor.visit_string(text),
                }
            }
            tag::STRING | tag::LIST | tag::NIL => match charlist(self.decoder)? {
                Some(text) => visitor.visit_string(text),
                None => Err(self.wrong(Wanted(&visitor))),
            },
            _ => Err(self.wrong(Wanted(&visitor))),
        }
    }

    /// An atom or a binary, valid as text or not.
    pub(super) fn deserialize_any_text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.decoder.peek_tag()? {
            tag::BINARY => {
                let bytes = self.decoder.binary_bytes()?;
                match std::str::from_utf8(bytes) {
                    Ok(text) => visitor.visit_borrowed_str(text),
                    Err(_) => visitor.visit_borrowed_bytes(bytes),
                }
            }
            _ => visitor.visit_str(&atom_text(self.decoder)?),
        }
    }
}

pub(super) fn atom_text<'de>(decoder: &mut Decoder<'de>) -> Result<Cow<'de, str>, DecodeError> {
    match decoder.atom_text()? {
        Some(text) => Ok(Cow::Borrowed(text)),
        None => Ok(Cow::Owned(decoder.atom()?.as_str().to_owned())),
    }
}

/// The text of a list of characters; `None`, and nothing read, if it is none.
fn charlist(decoder: &mut Decoder<'_>) -> Result<Option<String>, DecodeError> {
    let start = decoder.position();
    let mut text = String::new();
    if decoder.peek_tag()? == tag::STRING {
        decoder.u8()?;
        let length = decoder.u16()?;
        text.extend(decoder.take(length)?.iter().map(|byte| char::from(*byte)));
        return Ok(Some(text));
    }
    let count = decoder.list_header()?;
    for _ in 0..count {
        let code = match decoder.peek_tag()? {
            tag::SMALL_INTEGER | tag::INTEGER => decoder.integer()?,
            _ => -1,
        };
        match u32::try_from(code).ok().and_then(char::from_u32) {
            Some(character) => text.push(character),
            None => {
                decoder.return_to(start);
                return Ok(None);
            }
        }
    }
    if count > 0 && decoder.peek_tag()? != tag::NIL {
        decoder.return_to(start);
        return Ok(None);
    }
    if count > 0 {
        decoder.u8()?;
    }
    Ok(Some(text))
}

pub(super) fn is_nothing(atom: &str) -> bool {
    matches!(atom, "nil" | "undefined")
}

#[inline]
pub(super) fn is_text(tag: u8) -> bool {
    matches!(tag, tag::BINARY | tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM)
}

/// Reads an atom if its text passes the test.
#[inline]
pub(super) fn read_if(decoder: &mut Decoder<'_>, test: impl FnOnce(&str) -> bool) -> Result<bool, DecodeError> {
    let start = decoder.position();
    let passes = test(&atom_text(decoder)?);
    if !passes {
        decoder.return_to(start);
    }
    Ok(passes)
}
