//! Reading what nests deeper than the stack should be asked to follow: a list of what is open takes the place of recursion,
//! so that the limit on depth is a matter of choice.

use super::decoder::Decoder;
use super::error::Result;
use super::tag;
use super::value::{in_place, put};
use crate::{Record, Term};

/// A term whose head has been read.
struct Open {
    kind: Kind,
    /// What it holds, as far as that has been read.
    terms: Vec<Term>,
    /// How many it will hold.
    wanted: usize,
    /// What those around it still have to get.
    owed: usize,
}

enum Kind {
    Tuple,
    /// The last of its terms is the tail.
    List,
    Map,
    Record(Box<Record>),
}

impl Decoder<'_> {
    /// Reads a term that may hold others.
    pub(super) fn deep(&mut self, place: &mut Term) -> Result<()> {
        let mut open = vec![self.open()?];
        while let Some(inner) = open.last_mut() {
            let missing = inner.wanted - inner.terms.len();
            if let Some(behind) = missing.checked_sub(1) {
                self.owed = inner.owed + behind;
                if !is_compound(self.peek_tag()?) {
                    inner.terms.push(in_place(|place| self.one(place))?);
                } else if self.depth as usize + open.len() < self.limits.depth as usize {
                    open.push(self.open()?);
                } else {
                    return Err(self.limit("depth"));
                }
                continue;
            }
            self.owed = inner.owed;
            let Some(whole) = open.pop() else { break };
            let term = self.close(whole)?;
            match open.last_mut() {
                Some(outer) => outer.terms.push(term),
                None => put(place, term),
            }
        }
        Ok(())
    }

    fn open(&mut self) -> Result<Open> {
        let owed = self.owed;
        let (kind, wanted) = match self.peek_tag()? {
            tag::LIST => {
                self.u8()?;
                (Kind::List, self.count(1)? + 1)
            }
            tag::MAP => (Kind::Map, 2 * self.map_header()?),
            tag::RECORD => {
                let record = self.record_head()?;
                let wanted = record.fields.len();
                (Kind::Record(Box::new(record)), wanted)
            }
            _ => (Kind::Tuple, self.tuple_header()?),
        };
        self.charge::<Term>(wanted)?;
        Ok(Open { kind, terms: Vec::with_capacity(wanted), wanted, owed })
    }

    fn close(&mut self, open: Open) -> Result<Term> {
        let Open { kind, mut terms, .. } = open;
        match kind {
            Kind::Tuple => Ok(Term::Tuple(terms.into())),
            Kind::List => match terms.pop() {
                Some(Term::List(tail)) if tail.is_empty() => Ok(Term::List(terms.into())),
                Some(tail) => self.joined(terms, tail),
                None => Err(self.invalid("list")),
            },
            Kind::Map => self.map_of(terms.into()),
            Kind::Record(record) => Ok(record_of(*record, terms)),
        }
    }
}

pub(super) fn is_compound(tag: u8) -> bool {
    matches!(tag, tag::SMALL_TUPLE | tag::LARGE_TUPLE | tag::LIST | tag::MAP | tag::RECORD)
}

/// A record with its values, which come behind the names of all fields.
pub(super) fn record_of(mut record: Record, values: impl IntoIterator<Item = Term>) -> Term {
    record.fields.iter_mut().zip(values).for_each(|((_, place), value)| *place = value);
    Term::Record(Box::new(record))
}
