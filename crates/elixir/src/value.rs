//! The values of running expressions: terms, and functions besides.
//!
//! Large values are shared, not copied. Each knows how deep it nests and how large it would be as a tree, so that nothing
//! that goes through one runs away, and how much is alive altogether is counted (`value/heap.rs`).

mod convert;
mod heap;
mod list;
mod map;
mod order;

use std::cmp::Ordering;
use std::sync::Arc;

use beamline_term::{Atom, BigInt, Binary, BitString, ExportFun, Term};

use crate::code::Code;
pub(crate) use convert::module_atom;
pub(crate) use heap::{Charge, Heap};
pub(crate) use list::List;
pub(crate) use map::Map;
pub(crate) use order::{compare, compare_loosely};

/// What an expression gives: a term, or one with functions in it.
///
/// Cloning is cheap. [`Value::to_term`] gives what can be sent to another node.
#[derive(Clone)]
pub struct Value(pub(crate) Data);

#[derive(Clone)]
pub(crate) enum Data {
    Integer(i64),
    Big(Arc<BigInt>),
    Float(f64),
    Atom(Atom),
    Binary(Bytes),
    Bits(Arc<BitString>),
    Tuple(Arc<Tuple>),
    List(List),
    Map(Map),
    Closure(Arc<Closure>),
    Export(Arc<ExportFun>),
    /// What has no parts here: pids, ports, references, funs of a BEAM, records.
    Other(Arc<Term>),
}

/// A binary, and what it costs if it is not stored in place.
#[derive(Clone)]
pub(crate) struct Bytes {
    pub(crate) binary: Binary,
    pub(crate) _charge: Option<Arc<Charge>>,
}

pub(crate) struct Tuple {
    pub(crate) items: Vec<Value>,
    pub(crate) size: Size,
    pub(crate) _charge: Charge,
}

/// A function with the values of the variables that it uses.
pub(crate) struct Closure {
    pub(crate) code: Arc<Code>,
    pub(crate) captured: Vec<Value>,
    pub(crate) size: Size,
    pub(crate) _charge: Charge,
}

/// How large a value is as a tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Levels of nesting; 0 for what holds nothing.
    pub(crate) depth: usize,
    /// Bytes, those that are shared counted each time.
    pub(crate) bytes: usize,
}

impl Size {
    pub(crate) fn beside(self, other: Size) -> Size {
        Size { depth: self.depth.max(other.depth), bytes: self.bytes.saturating_add(other.bytes) }
    }

    /// What holds these, and so many bytes of its own.
    pub(crate) fn around(self, bytes: usize) -> Size {
        Size { depth: self.depth + 1, bytes: self.bytes.saturating_add(bytes) }
    }

    pub(crate) fn of<'a>(values: impl IntoIterator<Item = &'a Value>) -> Size {
        values.into_iter().fold(Size::default(), |size, value| size.beside(value.size()))
    }
}

/// What any value takes by itself.
pub(crate) const SLOT: usize = size_of::<Value>();

impl Value {
    pub(crate) const NIL: Value = Value(Data::Atom(Atom::from_static("nil")));
    pub(crate) const OK: Value = Value(Data::Atom(Atom::from_static("ok")));
    pub(crate) const ERROR: Value = Value(Data::Atom(Atom::from_static("error")));
    pub(crate) const TRUE: Value = Value(Data::Atom(Atom::from_static("true")));
    pub(crate) const FALSE: Value = Value(Data::Atom(Atom::from_static("false")));

    pub(crate) fn integer(number: i64) -> Value {
        Value(Data::Integer(number))
    }

    pub(crate) fn count(number: usize) -> Value {
        Value(Data::Integer(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    pub(crate) fn big(number: BigInt) -> Value {
        match i64::try_from(&number) {
            Ok(small) => Value(Data::Integer(small)),
            Err(_) => Value(Data::Big(Arc::new(number))),
        }
    }

    pub(crate) fn float(number: f64) -> Value {
        Value(Data::Float(number))
    }

    pub(crate) fn atom(atom: Atom) -> Value {
        Value(Data::Atom(atom))
    }

    /// An atom of the program's own.
    pub(crate) fn word(text: &'static str) -> Value {
        Value(Data::Atom(Atom::from_static(text)))
    }

    pub(crate) fn bool(truth: bool) -> Value {
        if truth { Value::TRUE } else { Value::FALSE }
    }

    pub(crate) fn empty_list() -> Value {
        Value(Data::List(List::default()))
    }

    pub(crate) fn is_atom(&self, text: &str) -> bool {
        matches!(&self.0, Data::Atom(atom) if *atom == *text)
    }

    pub(crate) fn is_nil(&self) -> bool {
        self.is_atom("nil")
    }

    /// Neither `nil` nor `false`.
    pub(crate) fn is_truthy(&self) -> bool {
        !matches!(&self.0, Data::Atom(atom) if *atom == *"nil" || *atom == *"false")
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match &self.0 {
            Data::Atom(atom) if *atom == *"true" => Some(true),
            Data::Atom(atom) if *atom == *"false" => Some(false),
            _ => None,
        }
    }

    pub(crate) fn as_atom(&self) -> Option<&Atom> {
        match &self.0 {
            Data::Atom(atom) => Some(atom),
            _ => None,
        }
    }

    pub(crate) fn as_integer(&self) -> Option<i64> {
        match &self.0 {
            Data::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn is_integer(&self) -> bool {
        matches!(&self.0, Data::Integer(_) | Data::Big(_))
    }

    pub(crate) fn to_big(&self) -> Option<BigInt> {
        match &self.0 {
            Data::Integer(number) => Some(BigInt::from(*number)),
            Data::Big(number) => Some(number.as_ref().clone()),
            _ => None,
        }
    }

    pub(crate) fn as_bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Data::Binary(bytes) => Some(&bytes.binary),
            _ => None,
        }
    }

    pub(crate) fn as_tuple(&self) -> Option<&[Value]> {
        match &self.0 {
            Data::Tuple(tuple) => Some(&tuple.items),
            _ => None,
        }
    }

    /// Two elements of a tuple of two.
    pub(crate) fn as_pair(&self) -> Option<(&Value, &Value)> {
        match self.as_tuple() {
            Some([one, two]) => Some((one, two)),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&List> {
        match &self.0 {
            Data::List(list) => Some(list),
            _ => None,
        }
    }

    /// The elements of a proper list.
    pub(crate) fn to_items(&self) -> Option<Vec<Value>> {
        self.as_list()?.to_vec()
    }

    pub(crate) fn as_map(&self) -> Option<&Map> {
        match &self.0 {
            Data::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The name of a struct without `Elixir.`.
    pub(crate) fn struct_name(&self) -> Option<&str> {
        self.as_map()?.get_word("__struct__")?.as_atom()?.as_str().strip_prefix("Elixir.")
    }

    /// First, last and step of a range.
    pub(crate) fn as_range(&self) -> Option<(i64, i64, i64)> {
        let map = self.as_map()?;
        if self.struct_name() != Some("Range") {
            return None;
        }
        let field = |name| map.get_word(name)?.as_integer();
        let (first, last) = (field("first")?, field("last")?);
        Some((first, last, field("step").unwrap_or(if first <= last { 1 } else { -1 })))
    }

    /// How many arguments a function takes; None for what is none.
    pub(crate) fn arity(&self) -> Option<usize> {
        match &self.0 {
            Data::Closure(closure) => Some(closure.code.arity),
            Data::Export(export) => Some(usize::from(export.arity)),
            Data::Other(term) => match term.as_ref() {
                Term::Fun(fun) => Some(usize::from(fun.arity())),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn size(&self) -> Size {
        let own = Size { depth: 0, bytes: SLOT };
        match &self.0 {
            Data::Integer(_) | Data::Float(_) | Data::Export(_) | Data::Other(_) => own,
            Data::Atom(atom) => Size { depth: 0, bytes: SLOT + atom.as_str().len() },
            Data::Big(number) => Size { depth: 0, bytes: SLOT + number.bits() as usize / 8 },
            Data::Binary(bytes) => Size { depth: 0, bytes: SLOT + bytes.binary.len() },
            Data::Bits(bits) => Size { depth: 0, bytes: SLOT + bits.bytes().len() },
            Data::Tuple(tuple) => tuple.size,
            Data::List(list) => list.size(),
            Data::Map(map) => map.size(),
            Data::Closure(closure) => closure.size,
        }
    }

    /// The name of its type, as protocols have it.
    pub(crate) fn type_name(&self) -> &str {
        match &self.0 {
            Data::Integer(_) | Data::Big(_) => "Integer",
            Data::Float(_) => "Float",
            Data::Atom(_) => "Atom",
            Data::Binary(_) | Data::Bits(_) => "BitString",
            Data::Tuple(_) => "Tuple",
            Data::List(_) => "List",
            Data::Map(_) => self.struct_name().unwrap_or("Map"),
            Data::Closure(_) | Data::Export(_) => "Function",
            Data::Other(term) => match term.as_ref() {
                Term::Pid(_) => "PID",
                Term::Port(_) => "Port",
                Term::Reference(_) => "Reference",
                _ => "Function",
            },
        }
    }

    /// The value as a term.
    ///
    /// # Errors
    /// It holds a function that was made here, which no other node could call.
    pub fn to_term(&self) -> Result<Term, LocalFunction> {
        convert::to_term(self, false).ok_or(LocalFunction)
    }

    /// The value as a term to be printed: a function that was made here looks as one of `:erl_eval` does.
    pub fn to_shown(&self) -> Term {
        convert::to_term(self, true).unwrap_or(Term::atom("..."))
    }
}

/// A function that was made at the prompt was to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a function made here cannot be sent to another node; send a value, or capture a function that the other node has: &Mod.fun/1"
)]
pub struct LocalFunction;

impl PartialEq for Value {
    /// Elixir's `===`.
    fn eq(&self, other: &Value) -> bool {
        compare(self, other) == Ordering::Equal
    }
}

impl std::fmt::Debug for Value {
    /// As Elixir's `inspect`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.to_shown(), f)
    }
}

impl std::fmt::Display for Value {
    /// As Elixir's `inspect`; `{:#}` wraps lines at 80 columns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.to_shown(), f)
    }
}
