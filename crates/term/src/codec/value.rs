//! Reading whole terms: what nests, what is met most often, and the rest, apart from each other.

use super::decoder::Decoder;
use super::distinct::are_distinct;
use super::error::Result;
use super::tag;
use crate::{Atom, BitString, ExportFun, Fun, ImproperList, List, Map, Record, Term};

impl Decoder<'_> {
    /// Reads one term.
    ///
    /// # Errors
    /// The bytes are not a whole term, or pass a limit.
    pub fn term(&mut self) -> Result<Term> {
        if self.depth == 0 && self.position() <= 1 && self.left.first() == Some(&tag::COMPRESSED) {
            return self.compressed();
        }
        self.inner_term()
    }

    /// A term at any place.
    #[inline]
    pub(super) fn inner_term(&mut self) -> Result<Term> {
        // What nests is kept apart from what does not, so that a level of nesting takes little of the stack.
        match self.peek_tag()? {
            tag::SMALL_TUPLE | tag::LARGE_TUPLE | tag::LIST | tag::MAP | tag::RECORD => self.compound(),
            tag::SMALL_ATOM_UTF8 => self.atom().map(Term::Atom),
            tag::BINARY => self.binary().map(Term::Binary),
            _ => self.leaf(),
        }
    }

    /// A term that may hold others, one level deeper.
    fn compound(&mut self) -> Result<Term> {
        if self.depth >= self.limits.depth {
            return Err(self.limit("depth"));
        }
        let owed = self.owed;
        self.depth += 1;
        let result = match self.peek_tag()? {
            tag::LIST => self.list(),
            tag::MAP => self.map(),
            tag::RECORD => self.record(),
            _ => self.tuple(),
        };
        self.depth -= 1;
        self.owed = owed;
        result
    }

    fn tuple(&mut self) -> Result<Term> {
        let arity = self.tuple_header()?;
        Ok(Term::Tuple(self.terms(arity)?.into()))
    }

    fn list(&mut self) -> Result<Term> {
        self.u8()?;
        let count = self.count(1)?;
        if count == 1 {
            return self.list_of_one();
        }
        let elements = self.terms(count)?;
        if let [tag::NIL, left @ ..] = self.left {
            self.left = left;
            return Ok(Term::List(elements.into()));
        }
        let tail = self.inner_term()?;
        self.joined(elements, tail)
    }

    /// As `[alias | Reference]`, which every call carries.
    fn list_of_one(&mut self) -> Result<Term> {
        self.charge::<Term>(2)?;
        let first = self.inner_term()?;
        if let [tag::NIL, left @ ..] = self.left {
            self.left = left;
            return Ok(Term::List(vec![first].into()));
        }
        match self.inner_term()? {
            tail @ (Term::List(_) | Term::ImproperList(_)) => self.joined(vec![first], tail),
            tail => Ok(Term::ImproperList(ImproperList { cells: Box::new([first, tail]) })),
        }
    }

    /// A list whose tail may be a list: nobody writes that, but Erlang reads it. Elements that move are paid for again.
    fn joined(&mut self, elements: Vec<Term>, tail: Term) -> Result<Term> {
        let moved = match &tail {
            Term::List(rest) => rest.len(),
            Term::ImproperList(rest) => rest.cells.len(),
            _ => 1,
        };
        self.charge::<Term>(elements.len() + moved)?;
        Ok(Term::improper(elements, tail))
    }

    fn terms(&mut self, count: usize) -> Result<Vec<Term>> {
        self.charge::<Term>(count)?;
        let mut terms = Vec::with_capacity(count);
        let owed = self.owed;
        while terms.len() < count {
            let most = count - terms.len();
            // Numbers come in long rows.
            match *self.left {
                [tag::SMALL_INTEGER, small, ref left @ ..] => {
                    terms.push(Term::Integer(i64::from(small)));
                    self.left = left;
                    if left.first() == Some(&tag::SMALL_INTEGER) {
                        self.row(&mut terms, most - 1, is_small, |[_, small]| Term::Integer(i64::from(*small)));
                    }
                }
                [tag::INTEGER, one, two, three, four, ref left @ ..] => {
                    terms.push(Term::Integer(i64::from(i32::from_be_bytes([one, two, three, four]))));
                    self.left = left;
                    if left.first() == Some(&tag::INTEGER) {
                        self.row(&mut terms, most - 1, is_integer, |[_, number @ ..]| {
                            Term::Integer(i64::from(i32::from_be_bytes(*number)))
                        });
                    }
                }
                [tag::NEW_FLOAT, _, _, _, _, _, _, _, _, tag::NEW_FLOAT, ..] if most > 1 => {
                    let before = terms.len();
                    self.row(&mut terms, most, is_finite, |[_, number @ ..]| {
                        Term::Float(f64::from_be_bytes(*number))
                    });
                    if terms.len() == before {
                        return Err(self.invalid("float: it is not finite"));
                    }
                }
                _ => {
                    self.owed = owed + (most - 1);
                    terms.push(self.inner_term()?);
                }
            }
        }
        self.owed = owed;
        Ok(terms)
    }

    /// Reads up to `most` things of one size, as long as they are of the same kind.
    #[inline]
    fn row<const SIZE: usize>(
        &mut self,
        terms: &mut Vec<Term>,
        most: usize,
        is_one: impl Fn(&[u8; SIZE]) -> bool,
        read: impl Fn(&[u8; SIZE]) -> Term,
    ) {
        let (all, _) = self.left.as_chunks::<SIZE>();
        let all = &all[..all.len().min(most)];
        let (row, _) = all.split_at(all.iter().position(|one| !is_one(one)).unwrap_or(all.len()));
        terms.extend(row.iter().map(read));
        self.left = &self.left[row.len() * SIZE..];
    }

    fn record(&mut self) -> Result<Term> {
        self.u8()?;
        let count = self.count(2)?;
        let exported = self.u8()? != 0;
        let (module, name) = (self.atom()?, self.atom()?);
        // The names and the fields that they become a part of.
        self.charge::<(Atom, (Atom, Term))>(count)?;
        let mut names = Vec::with_capacity(count);
        for _ in 0..count {
            names.push(self.atom()?);
        }
        let values = self.terms(count)?;
        let fields = names.into_iter().zip(values).collect();
        Ok(Term::Record(Box::new(Record { exported, module, name, fields })))
    }

    fn map(&mut self) -> Result<Term> {
        let count = self.map_header()?;
        self.charge::<(Term, Term)>(count)?;
        let mut pairs: Vec<(Term, Term)> = Vec::with_capacity(count);
        self.owed += 2 * count;
        for _ in 0..count {
            self.owed -= 2;
            let key = self.inner_term()?;
            pairs.push((key, self.inner_term()?));
        }
        if !are_distinct(&pairs) {
            return Err(self.invalid("map: a key stands twice"));
        }
        Ok(Term::Map(Map(pairs.into())))
    }

    /// A term that holds no others.
    fn leaf(&mut self) -> Result<Term> {
        match self.peek_tag()? {
            tag::NIL => {
                self.u8()?;
                Ok(Term::nil())
            }
            tag::SMALL_INTEGER | tag::INTEGER | tag::SMALL_BIG | tag::LARGE_BIG => self.any_integer(),
            tag::NEW_FLOAT | tag::FLOAT => self.float().map(Term::Float),
            tag::NEW_PID | tag::PID => self.pid().map(Term::Pid),
            tag::V4_PORT | tag::NEW_PORT | tag::PORT => self.port().map(Term::Port),
            tag::NEWER_REFERENCE | tag::NEW_REFERENCE | tag::REFERENCE => self.reference().map(Term::Reference),
            tag::ATOM_CACHE_REF | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM => self.atom().map(Term::Atom),
            _ => self.rare_leaf(),
        }
    }

    fn rare_leaf(&mut self) -> Result<Term> {
        match self.peek_tag()? {
            tag::STRING => {
                self.u8()?;
                let length = self.u16()?;
                Ok(Term::List(List::from_bytes(self.slice(length)?)))
            }
            tag::BIT_BINARY => self.bit_string(),
            tag::NEW_FUN => self.fun(),
            tag::EXPORT => {
                self.u8()?;
                let (module, function) = (self.atom()?, self.atom()?);
                let arity = u8::try_from(self.integer()?).map_err(|_| self.invalid("arity of a fun"))?;
                Ok(Term::Export(Box::new(ExportFun { module, function, arity })))
            }
            tag => {
                self.u8()?;
                Err(self.unexpected(tag, "a term"))
            }
        }
    }

    fn bit_string(&mut self) -> Result<Term> {
        self.u8()?;
        let length = self.u32()? as usize;
        let bits = self.u8()?;
        let bytes = self.slice(length)?;
        match bits {
            8 if length > 0 => Ok(Term::Binary(bytes)),
            // As Erlang reads it.
            0 if length == 0 => Ok(Term::Binary(bytes)),
            _ => BitString::new(bytes, bits)
                .map(|bits| Term::BitString(Box::new(bits)))
                .ok_or_else(|| self.invalid("bit string")),
        }
    }

    /// A fun is carried as it came; only the atoms that it leaves to the header of its frame are written out.
    fn fun(&mut self) -> Result<Term> {
        let written = self.expand()?;
        let mut decoder = Decoder::with_limits(&written, self.limits);
        // Its tag and size.
        decoder.take(5)?;
        let length = decoder.left.len();
        let body = decoder.slice(length)?;
        Ok(Term::Fun(Box::new(Fun { body })))
    }
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
