//! The name a node has at epmd: the part of the node's name before the `@`.
//!
//! epmd takes any UTF-8 text of 1 to 255 characters without a NUL; so does this. It never checks that the name makes
//! a valid node name.

use std::{fmt, sync::Arc};

use crate::NodeName;

/// The longest name, in characters.
pub const MAX_CHARACTERS: usize = 255;

/// A name as epmd knows it: `app_a` of `app_a@127.0.0.1`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// No characters at all.
    #[error("the name is empty")]
    Empty,
    /// More than [`MAX_CHARACTERS`] characters.
    #[error("the name is longer than {MAX_CHARACTERS} characters")]
    TooLong,
    /// A NUL character.
    #[error("the name has a NUL character")]
    Nul,
    /// Bytes that are not UTF-8.
    #[error("the name is not UTF-8")]
    NotUtf8,
}

impl Name {
    /// Checks `text`.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.contains('\0') {
            return Err(NameError::Nul);
        }
        // Four bytes a character at most, so a long text is not counted to its end.
        if text.len() > MAX_CHARACTERS * 4 || text.chars().count() > MAX_CHARACTERS {
            return Err(NameError::TooLong);
        }
        Ok(Self(text.into()))
    }

    /// Checks the bytes of a request.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, NameError> {
        // The order of the daemon's checks: an empty name or a NUL closes the connection, the rest is answered.
        if bytes.contains(&0) {
            return Err(NameError::Nul);
        }
        Self::new(std::str::from_utf8(bytes).map_err(|_| NameError::NotUtf8)?)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The part before the `@`. Node names are stricter than epmd, so this cannot fail.
impl From<&NodeName> for Name {
    fn from(node: &NodeName) -> Self {
        Self(node.alive().into())
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_characters_not_bytes() {
        assert!(Name::new(&"é".repeat(255)).is_ok());
        assert!(Name::new(&"😀".repeat(255)).is_ok());
        assert_eq!(Name::new(&"é".repeat(256)), Err(NameError::TooLong));
        assert_eq!(Name::new(&"a".repeat(5000)), Err(NameError::TooLong));
    }

    #[test]
    fn refuses_what_epmd_refuses() {
        assert_eq!(Name::new(""), Err(NameError::Empty));
        assert_eq!(Name::new("a\0b"), Err(NameError::Nul));
        assert_eq!(Name::from_bytes(b"a\xff"), Err(NameError::NotUtf8));
        assert!(Name::new("with space").is_ok());
    }
}
