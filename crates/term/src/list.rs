//! Lists, proper and improper.

use std::borrow::Cow;

use crate::dismantle::free;
use crate::{Binary, Term, copy, equal};

/// A proper list. One of bytes (a charlist, iodata, a short list of small numbers) stays as compact as it came.
#[derive(Debug)]
pub struct List(Elements);

#[derive(Debug)]
enum Elements {
    Terms(Box<[Term]>),
    Bytes(Binary),
}

impl List {
    /// The list of these elements.
    pub fn new(elements: impl IntoIterator<Item = Term>) -> List {
        List(Elements::Terms(elements.into_iter().collect()))
    }

    /// The list of these bytes as integers.
    pub fn from_bytes(bytes: impl Into<Binary>) -> List {
        List(Elements::Bytes(bytes.into()))
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        match &self.0 {
            Elements::Terms(terms) => terms.len(),
            Elements::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether it is `[]`.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`, counted from 0.
    pub fn get(&self, index: usize) -> Option<Cow<'_, Term>> {
        match &self.0 {
            Elements::Terms(terms) => terms.get(index).map(Cow::Borrowed),
            Elements::Bytes(bytes) => bytes.get(index).map(|byte| Cow::Owned(Term::Integer(i64::from(*byte)))),
        }
    }

    /// Its elements in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Cow<'_, Term>> {
        (0..self.len()).map(|index| self.get(index).unwrap_or(Cow::Owned(Term::Integer(0))))
    }

    /// Its elements in place, unless it is kept as bytes.
    pub(crate) fn terms(&self) -> Option<&[Term]> {
        match &self.0 {
            Elements::Terms(terms) => Some(terms),
            Elements::Bytes(_) => None,
        }
    }

    pub(crate) fn take_terms(&mut self) -> Vec<Term> {
        match &mut self.0 {
            Elements::Terms(terms) => std::mem::take(terms).into_vec(),
            Elements::Bytes(_) => Vec::new(),
        }
    }

    /// Its elements, copied.
    pub fn to_vec(&self) -> Vec<Term> {
        self.iter().map(Cow::into_owned).collect()
    }

    /// Its elements as bytes, when each is an integer from 0 to 255.
    pub fn as_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match &self.0 {
            Elements::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
            Elements::Terms(terms) => {
                let bytes: Option<Vec<u8>> =
                    terms.iter().map(|term| term.as_i64().and_then(|number| u8::try_from(number).ok())).collect();
                bytes.map(Cow::Owned)
            }
        }
    }

    /// Its text, when it is a charlist: each element a character's code.
    pub fn to_text(&self) -> Option<String> {
        self.iter().map(|term| term.as_i64().and_then(|code| char::from_u32(u32::try_from(code).ok()?))).collect()
    }
}

impl From<Vec<Term>> for List {
    fn from(elements: Vec<Term>) -> List {
        List(Elements::Terms(elements.into()))
    }
}

impl From<Box<[Term]>> for List {
    fn from(elements: Box<[Term]>) -> List {
        List(Elements::Terms(elements))
    }
}

impl Clone for List {
    fn clone(&self) -> List {
        match &self.0 {
            Elements::Terms(terms) => List(Elements::Terms(copy::slice(terms))),
            Elements::Bytes(bytes) => List(Elements::Bytes(bytes.clone())),
        }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        if let Elements::Terms(terms) = &mut self.0
            && !terms.is_empty()
        {
            free(std::mem::take(terms));
        }
    }
}

impl PartialEq for List {
    fn eq(&self, other: &List) -> bool {
        match (self.terms(), other.terms()) {
            (Some(one), Some(two)) => equal::slices(one, two),
            _ => self.len() == other.len() && self.as_bytes() == other.as_bytes(),
        }
    }
}

impl Eq for List {}

/// A list whose last tail is not `[]`, such as `[alias | Ref]`.
#[derive(PartialEq, Eq, Debug)]
pub struct ImproperList {
    /// The elements and, last, the tail: one allocation for both.
    pub(crate) cells: Box<[Term]>,
}

/// Stands for the tail of a list that has been emptied to be freed.
static FREED: Term = Term::Integer(0);

impl ImproperList {
    /// What stands before the bar.
    pub fn elements(&self) -> &[Term] {
        self.cells.split_last().map_or(&[], |(_, elements)| elements)
    }

    /// What stands after it.
    pub fn tail(&self) -> &Term {
        self.cells.last().unwrap_or(&FREED)
    }
}

impl Clone for ImproperList {
    fn clone(&self) -> ImproperList {
        ImproperList { cells: copy::slice(&self.cells) }
    }
}

impl Drop for ImproperList {
    fn drop(&mut self) {
        free(std::mem::take(&mut self.cells));
    }
}
