//! Node names and cookies, checked once where they enter and then passed as types.

use std::fmt;
use std::str::FromStr;

use beamline_term::Atom;
use sha2::{Digest, Sha256};

/// The name of a node: `app_a@127.0.0.1`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(Atom);

/// Why a text is not a node's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// There must be exactly one `@`.
    #[error("{name:?} is not a node name: it has no single '@' between name and host; write it as name@host")]
    At {
        /// The text.
        name: String,
    },
    /// The part before or after the `@` is empty.
    #[error("{name:?} is not a node name: the part {missing} the '@' is empty; write it as name@host")]
    Empty {
        /// The text.
        name: String,
        /// `before` or `after`.
        missing: &'static str,
    },
    /// A character that a name cannot have.
    #[error("{name:?} is not a node name: it contains {character:?}")]
    Character {
        /// The text.
        name: String,
        /// The first such character.
        character: char,
    },
    /// A name is an atom.
    #[error("a node name has at most 255 characters, this one has {characters}")]
    Long {
        /// How many it has.
        characters: usize,
    },
}

impl NodeName {
    /// The name of the atom, if it is one.
    ///
    /// # Errors
    /// It has not the form of a node's name.
    pub fn from_atom(atom: &Atom) -> Result<NodeName, NameError> {
        let text = atom.as_str();
        let mut parts = text.split('@');
        let (Some(alive), Some(host), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NameError::At { name: text.to_owned() });
        };
        for (part, missing) in [(alive, "before"), (host, "after")] {
            if part.is_empty() {
                return Err(NameError::Empty { name: text.to_owned(), missing });
            }
        }
        match text.chars().find(|character| character.is_control() || character.is_whitespace()) {
            Some(character) => Err(NameError::Character { name: text.to_owned(), character }),
            None => Ok(NodeName(atom.clone())),
        }
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The part before the `@`, under which epmd knows the node.
    pub fn alive(&self) -> &str {
        self.as_str().split_once('@').map_or("", |(alive, _)| alive)
    }

    /// The part after the `@`.
    pub fn host(&self) -> &str {
        self.as_str().split_once('@').map_or("", |(_, host)| host)
    }

    /// The name as the atom that it is in messages.
    pub fn to_atom(&self) -> Atom {
        self.0.clone()
    }

    /// The same, borrowed.
    pub fn as_atom(&self) -> &Atom {
        &self.0
    }

    /// Whether the host has a dot, which Erlang calls a long name.
    pub fn is_long(&self) -> bool {
        self.host().contains(['.', ':'])
    }
}

impl FromStr for NodeName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<NodeName, NameError> {
        let atom = Atom::new(text).map_err(|error| NameError::Long { characters: error.characters })?;
        NodeName::from_atom(&atom)
    }
}

impl TryFrom<&str> for NodeName {
    type Error = NameError;

    fn try_from(text: &str) -> Result<NodeName, NameError> {
        text.parse()
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for NodeName {
    /// As Elixir prints it: `:"app_a@127.0.0.1"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl From<&NodeName> for beamline_term::Term {
    fn from(name: &NodeName) -> beamline_term::Term {
        name.to_atom().into()
    }
}

/// The secret that two nodes must share. It can be used, but not read or printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie(Box<[u8]>);

impl Cookie {
    /// The bytes, for the digest alone.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first six hex digits of its SHA-256: enough to see whether two machines have the same, too few to guess it by.
    pub fn fingerprint(&self) -> String {
        Sha256::digest(&self.0)[..3].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What it is without blanks and ends of lines around it, which get there by mistake; `None` if there are none.
    pub fn trimmed(&self) -> Option<Cookie> {
        let trimmed = self.0.trim_ascii();
        (trimmed.len() < self.0.len() && !trimmed.is_empty()).then(|| Cookie(trimmed.into()))
    }

    /// What it is with an end of line behind it, as whoever reads a file as it stands takes it.
    pub fn with_newline(&self) -> Cookie {
        Cookie([&self.0, &b"\n"[..]].concat().into())
    }
}

impl From<&str> for Cookie {
    /// An Erlang cookie is an atom and is compared as latin1 where that is possible, otherwise as UTF-8.
    fn from(text: &str) -> Cookie {
        let latin1: Option<Vec<u8>> = text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect();
        Cookie(latin1.unwrap_or_else(|| text.as_bytes().to_vec()).into())
    }
}

impl From<String> for Cookie {
    fn from(text: String) -> Cookie {
        Cookie::from(text.as_str())
    }
}

impl From<&String> for Cookie {
    fn from(text: &String) -> Cookie {
        Cookie::from(text.as_str())
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookie(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_two_parts() {
        let name: NodeName = "app_a@127.0.0.1".parse().unwrap();
        assert_eq!((name.alive(), name.host(), name.is_long()), ("app_a", "127.0.0.1", true));
        assert_eq!(format!("{name} {name:?}"), "app_a@127.0.0.1 :\"app_a@127.0.0.1\"");
    }

    #[test]
    fn what_is_no_name_says_why() {
        for (text, word) in
            [("app", "single"), ("a@b@c", "single"), ("@h", "before"), ("a@", "after"), ("a b@c", "' '")]
        {
            let error = text.parse::<NodeName>().unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        assert!(matches!(
            format!("{}@h", "x".repeat(300)).parse::<NodeName>(),
            Err(NameError::Long { characters: 302 })
        ));
    }

    #[test]
    fn a_cookie_does_not_print() {
        assert_eq!(format!("{:?}", Cookie::from("secret")), "Cookie(..)");
        assert_eq!(Cookie::from("secret").fingerprint(), "2bb80d");
    }

    #[test]
    fn a_cookie_with_something_around_it() {
        let cookie = Cookie::from("secret");
        assert_eq!(cookie.trimmed(), None);
        assert_eq!(cookie.with_newline(), Cookie::from("secret\n"));
        assert_eq!(Cookie::from(" secret\r\n").trimmed(), Some(cookie));
        assert_eq!(Cookie::from(" \n").trimmed(), None);
    }
}
