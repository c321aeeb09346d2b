//! The one type for any Erlang value.

use bytes::Bytes;
use num_bigint::BigInt;
use std::hash::{Hash, Hasher};

use crate::{
    Atom, Binary, BitString, ExportFun, Fun, ImproperList, List, Map, Pid, Port, Record, Reference, Tuple, copy, equal,
};

/// Any Erlang value. Equality is Erlang's `=:=`: `1` and `1.0` differ.
#[non_exhaustive]
pub enum Term {
    /// An integer of 64 bits.
    Integer(i64),
    /// An integer that needs more than 64 bits.
    BigInteger(Box<BigInt>),
    /// A float, always finite.
    Float(f64),
    /// An atom; also `true`, `false`, `nil` and module names.
    Atom(Atom),
    /// A binary; also an Elixir string.
    Binary(Binary),
    /// A bit string that does not end at a byte.
    BitString(Box<BitString>),
    /// A tuple.
    Tuple(Tuple),
    /// A proper list, also `[]`.
    List(List),
    /// A list with a tail that is not a list.
    ImproperList(ImproperList),
    /// A map, also an Elixir struct.
    Map(Map),
    /// A process.
    Pid(Pid),
    /// A port.
    Port(Port),
    /// A reference.
    Reference(Reference),
    /// A closure.
    Fun(Box<Fun>),
    /// An external fun.
    Export(Box<ExportFun>),
    /// A native record.
    Record(Box<Record>),
}

const _: () = assert!(size_of::<Term>() <= 32, "a term is at most 32 bytes");

impl Term {
    /// The empty list.
    pub fn nil() -> Term {
        Term::List(List::new([]))
    }

    /// An atom written in the program.
    ///
    /// # Panics
    /// As [`Atom::from_static`].
    pub fn atom(text: &'static str) -> Term {
        Term::Atom(Atom::from_static(text))
    }

    /// A tuple of these elements.
    pub fn tuple(elements: impl IntoIterator<Item = Term>) -> Term {
        Term::Tuple(Tuple::new(elements))
    }

    /// A list of these elements.
    pub fn list(elements: impl IntoIterator<Item = Term>) -> Term {
        Term::List(List::new(elements))
    }

    /// The list of these elements with that tail; a proper one when the tail is a list.
    pub fn improper(elements: impl IntoIterator<Item = Term>, tail: Term) -> Term {
        let mut elements: Vec<Term> = elements.into_iter().collect();
        match tail {
            tail if elements.is_empty() => tail,
            Term::List(rest) => {
                elements.extend(rest.to_vec());
                Term::list(elements)
            }
            Term::ImproperList(mut rest) => {
                elements.extend(std::mem::take(&mut rest.cells));
                Term::ImproperList(ImproperList { cells: elements.into() })
            }
            tail => {
                elements.reserve_exact(1);
                elements.push(tail);
                Term::ImproperList(ImproperList { cells: elements.into() })
            }
        }
    }

    /// A map of these pairs; of equal keys the last counts.
    pub fn map(pairs: impl IntoIterator<Item = (Term, Term)>) -> Term {
        Term::Map(Map::new(pairs))
    }

    /// A list of the characters of a text.
    pub fn charlist(text: &str) -> Term {
        if text.chars().all(|character| u32::from(character) < 256) {
            let bytes: Vec<u8> = text.chars().map(|character| character as u8).collect();
            return Term::List(List::from_bytes(bytes));
        }
        Term::list(text.chars().map(|character| Term::Integer(i64::from(u32::from(character)))))
    }

    /// A binary.
    pub fn binary(bytes: impl Into<Binary>) -> Term {
        Term::Binary(bytes.into())
    }

    /// Whether this is the atom with that text.
    pub fn is_atom(&self, text: &str) -> bool {
        matches!(self, Term::Atom(own) if *own == *text)
    }

    /// The atom, if it is one.
    pub fn as_atom(&self) -> Option<&Atom> {
        match self {
            Term::Atom(atom) => Some(atom),
            _ => None,
        }
    }

    /// The integer, if it is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Term::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The integer, if it is one that fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Term::Integer(number) => u64::try_from(*number).ok(),
            Term::BigInteger(number) => u64::try_from(number.as_ref()).ok(),
            _ => None,
        }
    }

    /// The float, if it is one. Integers are not floats.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Term::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements of a tuple.
    pub fn as_tuple(&self) -> Option<&[Term]> {
        match self {
            Term::Tuple(elements) => Some(elements),
            _ => None,
        }
    }

    /// The list, if it is a proper one.
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Term::List(list) => Some(list),
            _ => None,
        }
    }

    /// The bytes of a binary.
    pub fn as_binary(&self) -> Option<&[u8]> {
        match self {
            Term::Binary(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text of a binary that is valid UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        self.as_binary().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// The pid, if it is one.
    pub fn as_pid(&self) -> Option<&Pid> {
        match self {
            Term::Pid(pid) => Some(pid),
            _ => None,
        }
    }

    /// The reference, if it is one.
    pub fn as_reference(&self) -> Option<&Reference> {
        match self {
            Term::Reference(reference) => Some(reference),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Term::Map(map) => Some(map),
            _ => None,
        }
    }
}

impl Clone for Term {
    fn clone(&self) -> Term {
        copy::term(self)
    }
}

impl PartialEq for Term {
    fn eq(&self, other: &Term) -> bool {
        equal::terms(self, other)
    }
}

impl Eq for Term {}

impl Hash for Term {
    fn hash<H: Hasher>(&self, state: &mut H) {
        equal::hash(self, state);
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $term:expr;)*) => {
        $(impl From<$type> for Term {
            fn from($value: $type) -> Term {
                $term
            }
        })*
    };
}

from! {
    i64 => |number| Term::Integer(number);
    i32 => |number| Term::Integer(i64::from(number));
    u32 => |number| Term::Integer(i64::from(number));
    u16 => |number| Term::Integer(i64::from(number));
    u8 => |number| Term::Integer(i64::from(number));
    i16 => |number| Term::Integer(i64::from(number));
    i8 => |number| Term::Integer(i64::from(number));
    usize => |number| Term::from(number as u64);
    f64 => |number| Term::Float(number);
    u64 => |number| i64::try_from(number).map_or_else(|_| Term::BigInteger(Box::new(number.into())), Term::Integer);
    bool => |truth| Term::atom(if truth { "true" } else { "false" });
    Atom => |atom| Term::Atom(atom);
    Pid => |pid| Term::Pid(pid);
    Port => |port| Term::Port(port);
    Reference => |reference| Term::Reference(reference);
    &str => |text| Term::Binary(text.into());
    String => |text| Term::Binary(text.into());
    Bytes => |bytes| Term::Binary(bytes.into());
    Binary => |binary| Term::Binary(binary);
    List => |list| Term::List(list);
    Map => |map| Term::Map(map);
    Vec<u8> => |bytes| Term::Binary(bytes.into());
    &[u8] => |bytes| Term::Binary(bytes.into());
    ImproperList => |list| Term::ImproperList(list);
    Tuple => |tuple| Term::Tuple(tuple);
    BitString => |bits| Term::BitString(Box::new(bits));
    Vec<Term> => |elements| Term::list(elements);
    BigInt => |number| i64::try_from(&number).map_or_else(|_| Term::BigInteger(Box::new(number)), Term::Integer);
    ExportFun => |fun| Term::Export(Box::new(fun));
}

macro_rules! from_tuple {
    ($($name:ident)+) => {
        impl<$($name: Into<Term>),+> From<($($name,)+)> for Term {
            #[allow(non_snake_case, reason = "type names double as variables")]
            fn from(($($name,)+): ($($name,)+)) -> Term {
                Term::tuple([$($name.into()),+])
            }
        }
    };
}

from_tuple!(A);
from_tuple!(A B);
from_tuple!(A B C);
from_tuple!(A B C D);
from_tuple!(A B C D E);
from_tuple!(A B C D E F);
from_tuple!(A B C D E F G);
from_tuple!(A B C D E F G H);
