//! Atoms: names of at most 255 characters, cheap to clone, and never interned: a peer cannot fill a table with them.

use std::fmt;

use smol_str::SmolStr;

/// The longest atom that Erlang knows, in characters (not bytes).
const MAX_CHARACTERS: usize = 255;

/// An Erlang atom. Up to 23 bytes of UTF-8 are stored in place; longer ones are shared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Atom(SmolStr);

/// Why a text cannot be an atom.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an atom has at most 255 characters, this text has {characters}")]
pub struct AtomError {
    /// How many characters the text has.
    pub characters: usize,
}

impl Atom {
    /// How many bytes are stored in place.
    pub(crate) const INLINE: usize = 23;

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
        Ok(Atom(SmolStr::new(text)))
    }

    /// The atom with a text known at compile time. Texts over 255 bytes do not compile in a `const`.
    ///
    /// # Panics
    /// When the text is longer than 255 bytes: the text is the program's own, never input.
    pub const fn from_static(text: &'static str) -> Atom {
        assert!(text.len() <= MAX_CHARACTERS, "an atom has at most 255 characters");
        Atom(SmolStr::new_static(text))
    }

    /// The text of the atom.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The atom with this text, for atoms written in a program: `atom("ok")`.
///
/// # Panics
/// As [`Atom::from_static`].
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
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::inspect::write_atom(f, &self.0)
    }
}

impl AsRef<str> for Atom {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Atom {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Atom {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
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
