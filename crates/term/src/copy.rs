//! Copies of nested terms without recursion that follows them: a program may nest terms deeper than its stack could follow.

use crate::{Atom, ImproperList, List, Map, Record, Term, Tuple};

/// How deep terms are copied by recursion, which needs no memory of its own.
const RECURSION: u32 = 16;

/// A copy of a term.
#[inline]
pub(crate) fn term(term: &Term) -> Term {
    one(term, RECURSION)
}

/// Copies of terms.
pub(crate) fn slice(terms: &[Term]) -> Box<[Term]> {
    all(terms, RECURSION)
}

/// A copy of a record.
pub(crate) fn record(record: &Record) -> Record {
    record_of(record, record.fields.iter().map(|(_, value)| term(value)))
}

fn all(terms: &[Term], depth: u32) -> Box<[Term]> {
    terms.iter().map(|term| one(term, depth)).collect()
}

fn one(term: &Term, depth: u32) -> Term {
    match term {
        Term::Integer(number) => Term::Integer(*number),
        Term::BigInteger(number) => Term::BigInteger(number.clone()),
        Term::Float(number) => Term::Float(*number),
        Term::Atom(atom) => Term::Atom(atom.clone()),
        Term::Binary(bytes) => Term::Binary(bytes.clone()),
        Term::BitString(bits) => Term::BitString(bits.clone()),
        Term::Pid(pid) => Term::Pid(pid.clone()),
        Term::Port(port) => Term::Port(port.clone()),
        Term::Reference(reference) => Term::Reference(reference.clone()),
        Term::Fun(fun) => Term::Fun(fun.clone()),
        Term::Export(fun) => Term::Export(fun.clone()),
        Term::Tuple(_) | Term::List(_) | Term::ImproperList(_) | Term::Map(_) | Term::Record(_) => nested(term, depth),
    }
}

#[inline(never)]
fn nested(term: &Term, depth: u32) -> Term {
    let Some(depth) = depth.checked_sub(1) else { return deep(term) };
    match term {
        Term::Tuple(tuple) => Term::Tuple(Tuple(all(tuple, depth))),
        Term::List(list) => match list.terms() {
            Some(terms) => Term::List(all(terms, depth).into()),
            None => Term::List(list.clone()),
        },
        Term::ImproperList(list) => Term::ImproperList(ImproperList { cells: all(&list.cells, depth) }),
        Term::Map(map) => Term::Map(Map { flat: all(&map.flat, depth) }),
        other => deep(other),
    }
}

/// A term that is being copied.
struct Open<'a> {
    original: &'a Term,
    /// What it holds and is not copied yet.
    left: Left<'a>,
    copies: Vec<Term>,
}

enum Left<'a> {
    Terms(std::slice::Iter<'a, Term>),
    Fields(std::slice::Iter<'a, (Atom, Term)>),
}

impl<'a> Open<'a> {
    /// `None` for a term that holds no others.
    fn new(original: &'a Term) -> Option<Open<'a>> {
        let left = match original {
            Term::Tuple(tuple) => Left::Terms(tuple.iter()),
            Term::List(list) => Left::Terms(list.terms()?.iter()),
            Term::ImproperList(list) => Left::Terms(list.cells.iter()),
            Term::Map(map) => Left::Terms(map.flat.iter()),
            Term::Record(record) => Left::Fields(record.fields.iter()),
            _ => return None,
        };
        let count = match &left {
            Left::Terms(terms) => terms.len(),
            Left::Fields(fields) => fields.len(),
        };
        Some(Open { original, left, copies: Vec::with_capacity(count) })
    }

    fn next(&mut self) -> Option<&'a Term> {
        match &mut self.left {
            Left::Terms(terms) => terms.next(),
            Left::Fields(fields) => fields.next().map(|(_, value)| value),
        }
    }

    fn close(self) -> Term {
        match self.original {
            Term::Tuple(_) => Term::Tuple(self.copies.into()),
            Term::ImproperList(_) => Term::ImproperList(ImproperList { cells: self.copies.into() }),
            Term::Map(_) => Term::Map(Map { flat: self.copies.into() }),
            Term::Record(record) => Term::Record(Box::new(record_of(record, self.copies))),
            _ => Term::List(List::from(self.copies)),
        }
    }
}

/// With a list of what is open in the place of recursion.
fn deep(original: &Term) -> Term {
    let Some(first) = Open::new(original) else { return one(original, 1) };
    let (mut inner, mut around) = (first, Vec::new());
    loop {
        match inner.next() {
            Some(next) => match Open::new(next) {
                Some(open) => around.push(std::mem::replace(&mut inner, open)),
                None => inner.copies.push(one(next, 1)),
            },
            None => {
                let copy = inner.close();
                match around.pop() {
                    Some(outer) => inner = outer,
                    None => return copy,
                }
                inner.copies.push(copy);
            }
        }
    }
}

fn record_of(record: &Record, values: impl IntoIterator<Item = Term>) -> Record {
    let names = record.fields.iter().map(|(name, _)| name.clone());
    let fields = names.zip(values).collect();
    Record { exported: record.exported, module: record.module.clone(), name: record.name.clone(), fields }
}
