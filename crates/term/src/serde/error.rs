//! Why a value and a term do not fit each other, and where: the path to the place is built only when something failed.

use std::fmt::{self, Display, Write};

use serde::de::{self, Expected, Unexpected};
use serde::ser;

use crate::{Atom, DecodeError, Term, inspect};

/// Why a value and a term do not fit each other. It prints as
/// `.users[3].name: expected a float, found the atom :x at byte 57`; the parts are there as data too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    kind: ErrorKind,
    /// From the inside out, as it is found.
    path: Vec<Segment>,
    at: Option<usize>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes are no term.
    Decode(DecodeError),
    /// A term of another kind than the type wants, or a value out of its range.
    Mismatch {
        /// What the type wants.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// An Elixir struct of another module.
    WrongStruct {
        /// The module that the type names.
        expected: Atom,
        /// The module that stands there.
        found: Term,
    },
    /// A field without a default is not there.
    MissingField(&'static str),
    /// What a `Serialize` or `Deserialize` says.
    Message(String),
}

/// One step on the way from the outermost value to the place of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Segment {
    /// Into the value of this key.
    Key(Term),
    /// Into this element of a list, counted from 0.
    Index(usize),
    /// Into this element of a tuple, counted from 0; in a variant with a name, behind the name.
    Element(usize),
    /// Into the variant of this name.
    Variant(String),
}

impl Error {
    pub(super) fn new(kind: ErrorKind) -> Error {
        Error(Box::new(Parts { kind, path: Vec::new(), at: None }))
    }

    /// An error with a text of your own, for what stands around a value.
    pub fn message(text: impl Display) -> Error {
        Error::new(ErrorKind::Message(text.to_string()))
    }

    pub(super) fn mismatch(expected: impl Display, found: impl Display) -> Error {
        Error::new(ErrorKind::Mismatch { expected: expected.to_string(), found: found.to_string() })
    }

    /// The same error, seen from one step further out.
    #[cold]
    pub(super) fn within(mut self, segment: Segment) -> Error {
        self.0.path.push(segment);
        self
    }

    /// The same error at this byte, if it is not known better already.
    #[cold]
    pub(super) fn located(mut self, at: usize) -> Error {
        self.0.at.get_or_insert(at);
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The way from the outermost value to the place, in that order.
    pub fn path(&self) -> impl DoubleEndedIterator<Item = &Segment> + ExactSizeIterator {
        self.0.path.iter().rev()
    }

    /// At which byte of the input the term in question begins, counted as [`DecodeError`] counts. `None` when writing.
    pub fn at(&self) -> Option<usize> {
        self.0.at
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().try_for_each(|segment| segment.fmt(f))?;
        if !self.0.path.is_empty() {
            f.write_str(": ")?;
        }
        self.0.kind.fmt(f)?;
        match (&self.0.kind, self.0.at) {
            // It says itself where.
            (ErrorKind::Decode(_), _) | (_, None) => Ok(()),
            (_, Some(at)) => write!(f, " at byte {at}"),
        }
    }
}

impl Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ErrorKind::Decode(error) => error.fmt(f),
            ErrorKind::Mismatch { expected, found } => write!(f, "expected {expected}, found {found}"),
            ErrorKind::WrongStruct { expected, found } => {
                write!(f, "expected the struct {expected:?}, found the struct {found}")
            }
            ErrorKind::MissingField(field) => write!(f, "the field {field} is missing"),
            ErrorKind::Message(message) => f.write_str(message),
        }
    }
}

impl Display for Segment {
    /// As in Rust code, near enough: `.name`, `["any key"]`, `[3]`, `.0`; a variant as `:name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Segment::Key(Term::Atom(name)) if is_plain(name.as_str()) => write!(f, ".{name}"),
            Segment::Key(key) => write!(f, "[{key}]"),
            Segment::Index(index) => write!(f, "[{index}]"),
            Segment::Element(index) => write!(f, ".{index}"),
            Segment::Variant(name) => {
                f.write_char(':')?;
                if is_plain(name) { f.write_str(name) } else { inspect::write_binary(f, name.as_bytes()) }
            }
        }
    }
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_alphanumeric() || character == '_')
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Decode(error) => Some(error),
            _ => None,
        }
    }
}

impl From<DecodeError> for Error {
    #[cold]
    fn from(error: DecodeError) -> Error {
        Error::new(ErrorKind::Decode(error))
    }
}

impl de::Error for Error {
    #[cold]
    fn custom<T: Display>(message: T) -> Error {
        Error::message(message)
    }

    #[cold]
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Error {
        Error::mismatch(expected, Found(found))
    }

    #[cold]
    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Error {
        Error::mismatch(expected, Found(found))
    }

    #[cold]
    fn missing_field(field: &'static str) -> Error {
        Error::new(ErrorKind::MissingField(field))
    }
}

impl ser::Error for Error {
    #[cold]
    fn custom<T: Display>(message: T) -> Error {
        Error::message(message)
    }
}

/// What serde met, in the words of Erlang.
struct Found<'a>(Unexpected<'a>);

impl Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Bool(truth) => write!(f, "the atom :{truth}"),
            Unexpected::Unsigned(number) => write!(f, "the integer {number}"),
            Unexpected::Signed(number) => write!(f, "the integer {number}"),
            Unexpected::Float(number) => write!(f, "the float {}", Term::Float(number)),
            Unexpected::Str(text) => write!(f, "the text {:.60}", Term::from(text).to_string()),
            Unexpected::Bytes(bytes) => write!(f, "the binary {:.60}", Term::from(bytes).to_string()),
            Unexpected::Unit | Unexpected::Option => f.write_str("the atom :nil"),
            Unexpected::NewtypeStruct => f.write_str("a term without a counterpart"),
            Unexpected::Seq => f.write_str("a list or tuple"),
            Unexpected::Map => f.write_str("a map"),
            Unexpected::UnitVariant => f.write_str("an atom"),
            Unexpected::NewtypeVariant | Unexpected::TupleVariant | Unexpected::StructVariant => {
                f.write_str("a tagged tuple")
            }
            other => other.fmt(f),
        }
    }
}
