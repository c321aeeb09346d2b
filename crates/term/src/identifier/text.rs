//! Pids, ports and references as text.
//!
//! `Debug`, and a [`Term`](crate::Term) when it is printed, have the BEAM's form with the node's name where the BEAM has a
//! number of its own: `#PID<app_a@127.0.0.1.100.0>`. That says nothing about the creation. `Display` adds it, behind the
//! node: `#PID<app_a@127.0.0.1/1700000001.100.0>` is all of a pid, and `FromStr` reads it back.

use std::fmt::{self, Formatter, Write};
use std::str::FromStr;

use super::{Creation, Origin, Pid, Port, Reference};
use crate::Atom;

/// Why a text is no pid, port or reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentifierError {
    /// It does not look like one.
    #[error("`{text}` is not {what}; {what} looks like {form}")]
    Form {
        /// The text.
        text: String,
        /// What it should have been.
        what: &'static str,
        /// An example.
        form: &'static str,
    },
    /// A number in it has too many digits.
    #[error("{number} in `{text}` is too large; {what} has numbers of 32 bits, a port one of 64")]
    Number {
        /// The text.
        text: String,
        /// What it should have been.
        what: &'static str,
        /// The number.
        number: String,
    },
    /// It is printed without the creation of its node, and so may name a process of any start of that node.
    #[error("`{text}` does not say which start of its node it is of; write {form}, or read it with parse_local")]
    NoCreation {
        /// The text.
        text: String,
        /// An example with a creation.
        form: &'static str,
    },
    /// Its first number is not 0: that BEAM's own number for another node, which only that BEAM knows.
    #[error("`{text}` is of another node than {node}; only the BEAM that printed it knows which")]
    OtherNode {
        /// The text.
        text: String,
        /// The node whose identifiers could be read.
        node: Atom,
    },
}

/// A node's name within an identifier. It may be any atom, and no atom from a peer shall begin a new line in a log or
/// speak to a terminal: control characters and backslashes are written as `\u{..}`.
pub(crate) struct NodeText<'a>(pub(crate) &'a Atom);

impl fmt::Display for NodeText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.as_str().chars().try_for_each(|character| {
            if character.is_control() || character == '\\' {
                write!(f, "{}", character.escape_unicode())
            } else {
                f.write_char(character)
            }
        })
    }
}

impl NodeText<'_> {
    /// The name that was written so.
    fn read(mut text: &str) -> Option<Atom> {
        let mut name = String::with_capacity(text.len());
        while let Some((plain, rest)) = text.split_once('\\') {
            let (code, rest) = rest.strip_prefix("u{")?.split_once('}')?;
            name.push_str(plain);
            name.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
            text = rest;
        }
        name.push_str(text);
        Atom::new(&name).ok()
    }
}

/// What is written of one kind.
struct Kind {
    what: &'static str,
    /// What stands before `<`; the first is Elixir's, and the text may have none of them.
    prefixes: &'static [&'static str],
    form: &'static str,
}

const PID: Kind = Kind { what: "a pid", prefixes: &["#PID", ""], form: "#PID<node@host/creation.id.serial>" };
const PORT: Kind = Kind { what: "a port", prefixes: &["#Port"], form: "#Port<node@host/creation.id>" };
const REFERENCE: Kind = Kind {
    what: "a reference",
    prefixes: &["#Reference", "#Ref"],
    form: "#Reference<node@host/creation.c.b.a> with at most 5 numbers",
};

impl Kind {
    fn error(&self, text: &str) -> IdentifierError {
        IdentifierError::Form { text: text.to_owned(), what: self.what, form: self.form }
    }

    /// The origin and the numbers behind it. Without a creation in the text it is of `local`.
    fn read(&self, text: &str, local: Option<&Origin>) -> Result<(Origin, Vec<u64>), IdentifierError> {
        let inner = self
            .prefixes
            .iter()
            .find_map(|prefix| text.trim().strip_prefix(prefix)?.strip_prefix('<')?.strip_suffix('>'))
            .ok_or_else(|| self.error(text))?;
        // A node's name may have dots, digits and slashes; behind the last slash there are numbers only.
        if let Some((node, numbers)) = inner.rsplit_once('/') {
            let node = NodeText::read(node).ok_or_else(|| self.error(text))?;
            let mut numbers = self.numbers(text, numbers)?;
            let creation = u32::try_from(numbers.remove(0)).map_err(|_| self.error(text))?;
            return Ok((Origin::new(node, Creation::new(creation)), numbers));
        }
        let Some(local) = local else {
            return Err(IdentifierError::NoCreation { text: text.to_owned(), form: self.form });
        };
        let node = NodeText(local.node()).to_string();
        let numbers = inner.strip_prefix("0").or_else(|| inner.strip_prefix(&node));
        if numbers == Some("") {
            return Ok((local.clone(), Vec::new()));
        }
        match numbers.and_then(|numbers| numbers.strip_prefix('.')) {
            Some(numbers) => Ok((local.clone(), self.numbers(text, numbers)?)),
            None if inner.contains('.') => {
                Err(IdentifierError::OtherNode { text: text.to_owned(), node: local.node().clone() })
            }
            None => Err(self.error(text)),
        }
    }

    /// Numbers with dots between them, at least one.
    fn numbers(&self, text: &str, numbers: &str) -> Result<Vec<u64>, IdentifierError> {
        let number = |digits: &str| {
            if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
                return Err(self.error(text));
            }
            digits.parse().map_err(|_| self.too_large(text, digits))
        };
        numbers.split('.').map(number).collect()
    }

    fn word(&self, text: &str, number: u64) -> Result<u32, IdentifierError> {
        u32::try_from(number).map_err(|_| self.too_large(text, &number.to_string()))
    }

    fn too_large(&self, text: &str, number: &str) -> IdentifierError {
        IdentifierError::Number { text: text.to_owned(), what: self.what, number: number.to_owned() }
    }
}

impl Pid {
    /// Reads a pid as it is printed on its own node, `origin`, by Elixir, Erlang or Rust: `#PID<0.100.0>`, `<0.100.0>`,
    /// `#PID<app_a@127.0.0.1.100.0>`. Also reads what [`FromStr`] reads.
    ///
    /// ```
    /// use beamline_term::{Creation, Origin, Pid, atom};
    /// let node = Origin::new(atom("app_a@127.0.0.1"), Creation::new(5));
    /// assert_eq!(Pid::parse_local("#PID<0.100.0>", &node)?, Pid::at(&node, 100, 0));
    /// # Ok::<(), beamline_term::IdentifierError>(())
    /// ```
    ///
    /// # Errors
    /// The text is no pid, or a pid of another node.
    pub fn parse_local(text: &str, origin: &Origin) -> Result<Pid, IdentifierError> {
        Pid::read(text, Some(origin))
    }

    fn read(text: &str, local: Option<&Origin>) -> Result<Pid, IdentifierError> {
        match PID.read(text, local)? {
            (origin, numbers) if numbers.len() == 2 => {
                Ok(Pid::at(&origin, PID.word(text, numbers[0])?, PID.word(text, numbers[1])?))
            }
            _ => Err(PID.error(text)),
        }
    }
}

impl Port {
    /// Reads a port as it is printed on its own node, `origin`: `#Port<0.5>`. Also reads what [`FromStr`] reads.
    ///
    /// # Errors
    /// The text is no port, or a port of another node.
    pub fn parse_local(text: &str, origin: &Origin) -> Result<Port, IdentifierError> {
        Port::read(text, Some(origin))
    }

    fn read(text: &str, local: Option<&Origin>) -> Result<Port, IdentifierError> {
        match PORT.read(text, local)? {
            (origin, numbers) if numbers.len() == 1 => Ok(Port::at(&origin, numbers[0])),
            _ => Err(PORT.error(text)),
        }
    }
}

impl Reference {
    /// Reads a reference as it is printed on its own node, `origin`: `#Reference<0.3.2.1>`, `#Ref<0.3.2.1>`. Also reads
    /// what [`FromStr`] reads.
    ///
    /// # Errors
    /// The text is no reference, or a reference of another node.
    pub fn parse_local(text: &str, origin: &Origin) -> Result<Reference, IdentifierError> {
        Reference::read(text, Some(origin))
    }

    fn read(text: &str, local: Option<&Origin>) -> Result<Reference, IdentifierError> {
        let (origin, numbers) = REFERENCE.read(text, local)?;
        // They are printed last word first.
        let words: Vec<u32> =
            numbers.iter().rev().map(|number| REFERENCE.word(text, *number)).collect::<Result<_, _>>()?;
        Reference::at(&origin, &words).map_err(|_| REFERENCE.error(text))
    }

    fn write(&self, f: &mut Formatter<'_>, origin: impl fmt::Display) -> fmt::Result {
        write!(f, "#Reference<{origin}")?;
        self.words().iter().rev().try_for_each(|word| write!(f, ".{word}"))?;
        f.write_str(">")
    }
}

impl FromStr for Pid {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Pid, IdentifierError> {
        Pid::read(text, None)
    }
}

impl FromStr for Port {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Port, IdentifierError> {
        Port::read(text, None)
    }
}

impl FromStr for Reference {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Reference, IdentifierError> {
        Reference::read(text, None)
    }
}

impl fmt::Display for Origin {
    /// `node/creation`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", NodeText(self.node()), self.creation())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Pid {
    /// All of it, to be read back: `#PID<node/creation.id.serial>`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "#PID<{}.{}.{}>", self.origin(), self.id(), self.serial())
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "#PID<{}.{}.{}>", NodeText(self.node()), self.id(), self.serial())
    }
}

impl fmt::Display for Port {
    /// All of it, to be read back: `#Port<node/creation.id>`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "#Port<{}.{}>", self.origin(), self.id())
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "#Port<{}.{}>", NodeText(self.origin().node()), self.id())
    }
}

impl fmt::Display for Reference {
    /// All of it, to be read back: `#Reference<node/creation.c.b.a>`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write(f, self.origin())
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write(f, NodeText(self.node()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atom;

    fn origin() -> Origin {
        Origin::new(atom("app_a@127.0.0.1"), Creation::new(5))
    }

    #[test]
    fn what_is_printed_is_read() {
        let pid = Pid::at(&origin(), 100, 2);
        assert_eq!(pid.to_string(), "#PID<app_a@127.0.0.1/5.100.2>");
        assert_eq!(pid.to_string().parse(), Ok(pid.clone()));
        for text in ["#PID<0.100.2>", "<0.100.2>", "<app_a@127.0.0.1.100.2>", " <app_a@127.0.0.1/5.100.2>\n"] {
            assert_eq!(Pid::parse_local(text, &origin()), Ok(pid.clone()), "{text}");
        }
        assert_eq!(Pid::parse_local(&format!("{pid:?}"), &origin()), Ok(pid));
        let port = Port::at(&origin(), u64::MAX);
        assert_eq!(port.to_string().parse(), Ok(port.clone()));
        assert_eq!(Port::parse_local("#Port<0.5>", &origin()), Ok(Port::at(&origin(), 5)));
        let reference = Reference::at(&origin(), &[1, 2, 3]).expect("three words");
        assert_eq!(reference.to_string(), "#Reference<app_a@127.0.0.1/5.3.2.1>");
        assert_eq!(reference.to_string().parse(), Ok(reference.clone()));
        assert_eq!(Reference::parse_local("#Ref<0.3.2.1>", &origin()), Ok(reference));
        let empty = Reference::at(&origin(), &[]).expect("no words");
        assert_eq!(empty.to_string().parse(), Ok(empty.clone()));
        assert_eq!(Reference::parse_local("#Ref<0>", &origin()), Ok(empty));
    }

    #[test]
    fn a_node_may_have_any_name() {
        let pid = Pid::new(atom("a/5.b\n\u{1b}[2J\\@c"), 1, 2, Creation::new(3));
        assert_eq!(pid.to_string(), "#PID<a/5.b\\u{a}\\u{1b}[2J\\u{5c}@c/3.1.2>");
        assert_eq!(pid.to_string().parse(), Ok(pid.clone()));
        assert_eq!(Pid::parse_local(&format!("{pid:?}").replace("a/5", "a"), pid.origin()).ok(), None);
    }

    #[test]
    fn errors_say_what_was_wrong() {
        let error = |text: &str| text.parse::<Pid>().expect_err(text).to_string();
        let form = "`0.1.0` is not a pid; a pid looks like #PID<node@host/creation.id.serial>";
        assert_eq!(error("0.1.0"), form);
        assert!(error("<0.1.0>").contains("read it with parse_local"));
        assert!(error("<a@b/1.2>").contains("looks like"));
        assert!(error("<a@b/1.2.-3>").contains("looks like"));
        assert!(error("<a@b/1.2.4294967296>").contains("4294967296 in"));
        assert!(error("<a@b/1.2.99999999999999999999>").contains("too large"));
        let other = Pid::parse_local("<9239.99.1>", &origin()).expect_err("another node's");
        assert_eq!(other, IdentifierError::OtherNode { text: "<9239.99.1>".into(), node: atom("app_a@127.0.0.1") });
        assert!(Reference::parse_local("#Ref<0.1.2.3.4.5.6>", &origin()).is_err());
        assert!("#Reference<a@b/1.1.2.3.4.5.6>".parse::<Reference>().is_err());
        assert!("#PID<0>".parse::<Pid>().is_err() && Pid::parse_local("#PID<0>", &origin()).is_err());
    }
}
