//! Atoms: names of at most 255 characters, cheap to clone, and never interned: a peer cannot fill a table with them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::inline::Inline;

/// The longest atom that Erlang knows, in characters (not bytes).
const MAX_CHARACTERS: usize = 255;

/// An Erlang atom. Up to 22 bytes of UTF-8 are stored in place; longer ones are shared.
#[derive(Clone)]
pub struct Atom(Repr);

#[derive(Clone)]
enum Repr {
    Inline(Inline),
    Static(&'static str),
    Shared(Arc<str>),
}

const _: () = assert!(size_of::<Atom>() <= 24, "an atom leaves room for a term's tag");

/// Why a text cannot be an atom.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an atom has at most 255 characters, this text has {characters}")]
pub struct AtomError {
    /// How many characters the text has.
    pub characters: usize,
}

impl Atom {
    /// The atom with this text.
    ///
    /// # Errors
    /// The text is longer than 255 characters.
    pub fn new(text: &str) -> Result<Atom, AtomError> {
        // At most 255 bytes is at most 255 characters: counting is for the rare long ones.
        if text.len() > MAX_CHARACTERS {
            let characters = text.chars().count();
            if characters > MAX_CHARACTERS {
                return Err(AtomError { characters });
            }
        }
        Ok(Atom(match Inline::new(text.as_bytes()) {
            Some(few) => Repr::Inline(few),
            None => Repr::Shared(text.into()),
        }))
    }

    /// The atom with a text known at compile time. Texts over 255 bytes do not compile in a `const`.
    ///
    /// # Panics
    /// When the text is longer than 255 bytes: the text is the program's own, never input.
    #[inline]
    pub const fn from_static(text: &'static str) -> Atom {
        assert!(text.len() <= MAX_CHARACTERS, "an atom has at most 255 characters");
        if text.len() <= Inline::ROOM {
            return Atom(Repr::Inline(Inline::of_text(text)));
        }
        Atom(Repr::Static(text))
    }

    /// An atom stored in place; the bytes must be UTF-8.
    #[inline(always)]
    pub(crate) fn of_inline(few: Inline) -> Atom {
        Atom(Repr::Inline(few))
    }

    /// The bytes, when they are stored in place.
    #[inline]
    pub(crate) fn inline(&self) -> Option<&Inline> {
        match &self.0 {
            Repr::Inline(few) => Some(few),
            _ => None,
        }
    }

    /// The text of the atom.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // It was text when it was put there.
            Repr::Inline(few) => std::str::from_utf8(few.as_slice()).unwrap_or_default(),
            Repr::Static(text) => text,
            Repr::Shared(text) => text,
        }
    }

    /// Its text as bytes; a little cheaper than [`Atom::as_str`].
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline(few) => few.as_slice(),
            Repr::Static(text) => text.as_bytes(),
            Repr::Shared(text) => text.as_bytes(),
        }
    }
}

impl PartialEq for Atom {
    #[inline]
    fn eq(&self, other: &Atom) -> bool {
        match (&self.0, &other.0) {
            (Repr::Inline(one), Repr::Inline(two)) => one == two,
            _ => self.as_bytes() == other.as_bytes(),
        }
    }
}

impl Eq for Atom {}

impl PartialOrd for Atom {
    fn partial_cmp(&self, other: &Atom) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Atom {
    /// Erlang's order: by the characters' codes, which is that of the bytes.
    fn cmp(&self, other: &Atom) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Atom {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// The atom with this text, for atoms written in a program: `atom("ok")`.
///
/// # Panics
/// As [`Atom::from_static`].
#[inline]
pub const fn atom(text: &'static str) -> Atom {
    Atom::from_static(text)
}

impl std::str::FromStr for Atom {
    type Err = AtomError;

    /// The bare text, without colon or quotes.
    fn from_str(text: &str) -> Result<Atom, AtomError> {
        Atom::new(text)
    }
}

impl fmt::Display for Atom {
    /// The bare text. For Elixir's form with colon and quotes print a [`Term`](crate::Term).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::inspect::write_atom(f, self.as_str())
    }
}

impl AsRef<str> for Atom {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Atom {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Atom {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_characters_not_bytes() {
        assert!(Atom::new(&"é".repeat(255)).is_ok());
        assert_eq!(Atom::new(&"é".repeat(256)), Err(AtomError { characters: 256 }));
    }
}
