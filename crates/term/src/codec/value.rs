//! Reading whole terms: what nests, what is met most often, and the rest, apart from each other.

use super::decoder::Decoder;
use super::deep::{is_compound, record_of};
use super::error::Result;
use super::tag;
use crate::inline::{self, Inline};
use crate::{Atom, Binary, ImproperList, Map, Record, Term, pool};

/// Puts a term where it stays. Terms are made in place: to move one takes longer than to read it, since what was just
/// written in small parts cannot be read back in large ones at once. Until then a number stands there, which owns nothing.
#[inline(always)]
pub(super) fn put(place: &mut Term, term: Term) {
    std::mem::forget(std::mem::replace(place, term));
}

/// A term that is made in the place of the result.
#[inline(always)]
pub(super) fn in_place(read: impl FnOnce(&mut Term) -> Result<()>) -> Result<Term> {
    let mut result = Ok(NOTHING);
    if let Ok(place) = &mut result
        && let Err(error) = read(place)
    {
        result = Err(error);
    }
    result
}

/// How deep terms are followed by recursion, which takes less time than a list of what is open.
const RECURSION: u32 = 16;

const NOTHING: Term = Term::Integer(0);

impl<'a> Decoder<'a> {
    /// Reads one term.
    ///
    /// # Errors
    /// The bytes are not a whole term, or pass a limit.
    pub fn term(&mut self) -> Result<Term> {
        in_place(|place| self.first(place))
    }

    /// A term that may be compressed, if it is the first of the input.
    #[inline(never)]
    pub(super) fn first(&mut self, place: &mut Term) -> Result<()> {
        match self.left.first() {
            // Mostly it holds others.
            Some(tag) if is_compound(*tag) => self.compound(place),
            Some(&tag::COMPRESSED) if self.depth == 0 && self.position() <= 1 => {
                put(place, self.compressed()?);
                Ok(())
            }
            _ => self.one(place),
        }
    }

    /// A term at any place.
    pub(super) fn inner_term(&mut self) -> Result<Term> {
        in_place(|place| self.one(place))
    }

    #[inline(always)]
    pub(super) fn one(&mut self, place: &mut Term) -> Result<()> {
        if !self.quick(place) { self.slow(place) } else { Ok(()) }
    }

    /// Reads a term of the kinds that are met most often, if it stands there whole and nothing can be wrong with it.
    #[inline(always)]
    fn quick(&mut self, place: &mut Term) -> bool {
        match *self.left {
            [tag::SMALL_INTEGER, small, ref left @ ..] => {
                self.left = left;
                put(place, Term::Integer(i64::from(small)));
            }
            [tag::INTEGER, one, two, three, four, ref left @ ..] => {
                self.left = left;
                put(place, Term::Integer(i64::from(i32::from_be_bytes([one, two, three, four]))));
            }
            [tag::SMALL_ATOM_UTF8, length, ref after @ ..] => {
                return self.few::<true>(place, after, length);
            }
            [tag::BINARY, 0, 0, 0, length, ref after @ ..] => {
                return self.few::<false>(place, after, length);
            }
            _ => return false,
        }
        true
    }

    /// An atom or a binary of the first `length` bytes of what follows, if they are few.
    #[inline(always)]
    fn few<const ATOM: bool>(&mut self, place: &mut Term, after: &'a [u8], length: u8) -> bool {
        let Some(left) = after.get(usize::from(length)..) else { return false };
        match after.first_chunk() {
            Some(bytes) if usize::from(length) <= Inline::ROOM && (!ATOM || inline::is_ascii(bytes, length)) => {
                self.left = left;
                put(place, short::<ATOM>(Inline::front(bytes, length)));
                true
            }
            None if length <= 16 => match inline::number(after, usize::from(length)) {
                Some(number) if !ATOM || inline::is_ascii_number(number) => {
                    self.left = left;
                    put(place, short::<ATOM>(Inline::of_number(number, length)));
                    true
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn slow(&mut self, place: &mut Term) -> Result<()> {
        // What nests is kept apart from what does not, so that a level of nesting takes little of the stack.
        match self.peek_tag()? {
            tag if is_compound(tag) => self.compound(place),
            tag::SMALL_ATOM_UTF8 => {
                let atom = self.atom()?;
                put(place, Term::Atom(atom));
                Ok(())
            }
            tag::BINARY => {
                let binary = self.binary()?;
                put(place, Term::Binary(binary));
                Ok(())
            }
            _ => {
                let leaf = self.leaf()?;
                put(place, leaf);
                Ok(())
            }
        }
    }

    /// A term that may hold others, one level deeper.
    #[inline(always)]
    fn compound(&mut self, place: &mut Term) -> Result<()> {
        if self.depth >= self.limits.depth {
            return Err(self.limit("depth"));
        }
        if self.depth >= RECURSION {
            return self.deep(place);
        }
        let owed = self.owed;
        self.depth += 1;
        match self.peek_tag()? {
            tag::LIST => self.list(place)?,
            tag::MAP => self.map(place)?,
            tag::RECORD => put(place, self.record()?),
            _ => self.tuple(place)?,
        }
        // After an error nothing more is read.
        self.depth -= 1;
        self.owed = owed;
        Ok(())
    }

    #[inline(never)]
    fn tuple(&mut self, place: &mut Term) -> Result<()> {
        let arity = self.tuple_header()?;
        let terms = self.terms(arity)?;
        put(place, Term::Tuple(terms.into()));
        Ok(())
    }

    #[inline(never)]
    fn list(&mut self, place: &mut Term) -> Result<()> {
        self.u8()?;
        let count = self.count(1)?;
        if count == 1 {
            let list = self.list_of_one()?;
            put(place, list);
            return Ok(());
        }
        let elements = self.terms(count)?;
        if let [tag::NIL, left @ ..] = self.left {
            self.left = left;
            put(place, Term::List(elements.into()));
            return Ok(());
        }
        let tail = self.inner_term()?;
        let list = self.joined(elements, tail)?;
        put(place, list);
        Ok(())
    }

    /// As `[alias | Reference]`, which every call carries.
    fn list_of_one(&mut self) -> Result<Term> {
        self.charge::<Term>(2)?;
        let mut cells = pool::room(2);
        let [first, tail] = &mut *cells else { return Err(self.invalid("list")) };
        self.one(first)?;
        if let [tag::NIL, left @ ..] = self.left {
            self.left = left;
            let mut elements = pool::room(1);
            elements.swap_with_slice(std::slice::from_mut(first));
            pool::give_back(cells);
            return Ok(Term::List(elements.into()));
        }
        self.one(tail)?;
        match std::mem::replace(tail, NOTHING) {
            rest @ (Term::List(_) | Term::ImproperList(_)) => {
                let first = std::mem::replace(first, NOTHING);
                self.joined([first], rest)
            }
            rest => {
                put(tail, rest);
                Ok(Term::ImproperList(ImproperList { cells }))
            }
        }
    }

    /// A list whose tail may be a list: nobody writes that, but Erlang reads it. Elements that move are paid for again.
    pub(super) fn joined(&mut self, elements: impl Into<Vec<Term>>, tail: Term) -> Result<Term> {
        let moved = match &tail {
            Term::List(rest) => rest.len(),
            Term::ImproperList(rest) => rest.cells.len(),
            _ => 1,
        };
        let elements = elements.into();
        self.charge::<Term>(elements.len() + moved)?;
        Ok(Term::improper(elements, tail))
    }

    #[inline(always)]
    fn terms(&mut self, count: usize) -> Result<Box<[Term]>> {
        self.charge::<Term>(count)?;
        if count <= pool::LARGEST {
            let mut terms = pool::room(count);
            self.fill(&mut terms)?;
            return Ok(terms);
        }
        let mut terms = Vec::with_capacity(count);
        self.rows(&mut terms, count);
        let read = terms.len();
        terms.resize_with(count, || NOTHING);
        self.fill(&mut terms[read..])?;
        Ok(terms.into())
    }

    /// Reads a term into each place.
    #[inline(always)]
    fn fill(&mut self, places: &mut [Term]) -> Result<()> {
        let owed = self.owed;
        let mut left = places.len();
        for place in places {
            left -= 1;
            if !self.quick(place) {
                self.owed = owed + left;
                self.slow(place)?;
            }
        }
        self.owed = owed;
        Ok(())
    }

    /// Numbers come in long rows: reads those that stand first, up to `most`.
    #[inline(never)]
    fn rows(&mut self, terms: &mut Vec<Term>, most: usize) {
        if let [tag::SMALL_INTEGER, _, tag::SMALL_INTEGER, ..] = self.left {
            self.row(terms, most, is_small, |[_, small]| Term::Integer(i64::from(*small)));
        }
        if let [tag::INTEGER, _, _, _, _, tag::INTEGER, ..] = self.left {
            self.row(terms, most, is_integer, |[_, number @ ..]| Term::Integer(i64::from(i32::from_be_bytes(*number))));
        }
        if let [tag::NEW_FLOAT, _, _, _, _, _, _, _, _, tag::NEW_FLOAT, ..] = self.left {
            self.row(terms, most, is_finite, |[_, number @ ..]| Term::Float(f64::from_be_bytes(*number)));
        }
    }

    /// Reads what stands there of one kind and one size, until there are `most` terms.
    #[inline]
    fn row<const SIZE: usize>(
        &mut self,
        terms: &mut Vec<Term>,
        most: usize,
        is_one: impl Fn(&[u8; SIZE]) -> bool,
        read: impl Fn(&[u8; SIZE]) -> Term,
    ) {
        let (all, _) = self.left.as_chunks::<SIZE>();
        let all = &all[..all.len().min(most - terms.len())];
        let (row, _) = all.split_at(all.iter().position(|one| !is_one(one)).unwrap_or(all.len()));
        terms.extend(row.iter().map(read));
        self.left = &self.left[row.len() * SIZE..];
    }

    fn record(&mut self) -> Result<Term> {
        let record = self.record_head()?;
        let values = self.terms(record.fields.len())?;
        Ok(record_of(record, values))
    }

    /// A record without its values.
    pub(super) fn record_head(&mut self) -> Result<Record> {
        self.u8()?;
        let count = self.count(2)?;
        let exported = self.u8()? != 0;
        let (module, name) = (self.atom()?, self.atom()?);
        self.charge::<(Atom, Term)>(count)?;
        let mut fields = Vec::with_capacity(count);
        for _ in 0..count {
            fields.push((self.atom()?, NOTHING));
        }
        Ok(Record { exported, module, name, fields })
    }

    #[inline(never)]
    fn map(&mut self, place: &mut Term) -> Result<()> {
        let count = self.map_header()?;
        let flat = self.terms(2 * count)?;
        put(place, self.map_of(flat)?);
        Ok(())
    }

    /// The map of these keys and values.
    #[inline(always)]
    pub(super) fn map_of(&self, flat: Box<[Term]>) -> Result<Term> {
        match Map::of_distinct(flat) {
            Ok(map) => Ok(Term::Map(map)),
            Err(_) => Err(self.invalid("map: a key stands twice")),
        }
    }
}

#[inline(always)]
fn short<const ATOM: bool>(few: Inline) -> Term {
    if ATOM { Term::Atom(Atom::of_inline(few)) } else { Term::Binary(Binary::of_inline(few)) }
}

fn is_small(bytes: &[u8; 2]) -> bool {
    bytes[0] == tag::SMALL_INTEGER
}

fn is_integer(bytes: &[u8; 5]) -> bool {
    bytes[0] == tag::INTEGER
}

/// The exponent of what is not finite is all ones.
fn is_finite(bytes: &[u8; 9]) -> bool {
    bytes[0] == tag::NEW_FLOAT && u16::from_be_bytes([bytes[1], bytes[2]]) & 0x7ff0 != 0x7ff0
}
