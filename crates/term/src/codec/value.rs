//! Reading whole terms: what nests, what is met most often, and the rest, apart from each other.

use std::collections::HashSet;
use std::io::Read;

use bytes::Bytes;

use super::decode::{DecodeError, Decoder, Result};
use super::tag;
use crate::{BitString, ExportFun, Fun, ImproperList, List, Map, Record, Term};

impl Decoder<'_> {
    /// Reads one term.
    ///
    /// # Errors
    /// The bytes are not a whole term, or pass a limit.
    pub fn term(&mut self) -> Result<Term> {
        // What nests is kept apart from what does not, so that a level of nesting takes little of the stack.
        match self.peek_tag()? {
            tag::SMALL_TUPLE | tag::LARGE_TUPLE | tag::LIST | tag::MAP | tag::RECORD => self.compound(),
            tag::SMALL_INTEGER => {
                self.at += 1;
                Ok(Term::Integer(i64::from(self.u8()?)))
            }
            tag::SMALL_ATOM_UTF8 | tag::ATOM_UTF8 | tag::ATOM | tag::SMALL_ATOM => self.atom().map(Term::Atom),
            tag::BINARY => self.binary().map(Term::Binary),
            tag::NEW_FLOAT => self.float().map(Term::Float),
            tag::COMPRESSED if self.depth == 0 && self.at <= 1 => self.compressed(),
            _ => self.leaf(),
        }
    }

    /// A term that may hold others, one level deeper.
    fn compound(&mut self) -> Result<Term> {
        if self.depth >= self.limits.depth {
            return Err(DecodeError::Limit { what: "depth", at: self.at });
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
        let count = self.list_header()?;
        if count == 1 {
            return self.list_of_one();
        }
        let elements = self.terms(count)?;
        if self.peek_tag()? == tag::NIL {
            self.at += 1;
            return Ok(Term::List(elements.into()));
        }
        let tail = self.term()?;
        Ok(Term::improper(elements, tail))
    }

    /// As `[alias | Reference]`, which every call carries.
    fn list_of_one(&mut self) -> Result<Term> {
        let first = self.term()?;
        if self.peek_tag()? == tag::NIL {
            self.at += 1;
            return Ok(Term::List(vec![first].into()));
        }
        Ok(match self.term()? {
            tail @ (Term::List(_) | Term::ImproperList(_)) => Term::improper([first], tail),
            tail => Term::ImproperList(ImproperList { cells: Box::new([first, tail]) }),
        })
    }

    fn terms(&mut self, count: usize) -> Result<Vec<Term>> {
        let mut terms = Vec::with_capacity(count);
        let owed = self.owed;
        while terms.len() < count {
            // Numbers come in long rows.
            let simple = match self.input.get(self.at..).unwrap_or_default() {
                [tag::SMALL_INTEGER, small, ..] => {
                    self.at += 2;
                    Term::Integer(i64::from(*small))
                }
                [tag::INTEGER, one, two, three, four, ..] => {
                    self.at += 5;
                    Term::Integer(i64::from(i32::from_be_bytes([*one, *two, *three, *four])))
                }
                [tag::NEW_FLOAT, a, b, c, d, e, f, g, h, ..] => {
                    self.at += 9;
                    let number = f64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
                    if !number.is_finite() {
                        return Err(self.invalid("float: it is not finite"));
                    }
                    Term::Float(number)
                }
                _ => {
                    self.owed = owed + (count - terms.len() - 1);
                    self.term()?
                }
            };
            terms.push(simple);
        }
        self.owed = owed;
        Ok(terms)
    }

    fn record(&mut self) -> Result<Term> {
        self.at += 1;
        let count = self.count(2)?;
        let exported = self.u8()? != 0;
        let (module, name) = (self.atom()?, self.atom()?);
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(self.atom()?);
        }
        let values = self.terms(count)?;
        let fields = names.into_iter().zip(values).collect();
        Ok(Term::Record(Box::new(Record { exported, module, name, fields })))
    }

    fn map(&mut self) -> Result<Term> {
        let count = self.map_header()?;
        let mut pairs: Vec<(Term, Term)> = Vec::with_capacity(count);
        self.owed += 2 * count;
        for _ in 0..count {
            self.owed -= 2;
            let key = self.term()?;
            pairs.push((key, self.term()?));
        }
        if !are_distinct(&pairs) {
            return Err(self.invalid("map: a key stands twice"));
        }
        Ok(Term::Map(Map(pairs.into())))
    }

    /// A term that holds no others, of a kind that is not met most often.
    fn leaf(&mut self) -> Result<Term> {
        match self.peek_tag()? {
            tag::INTEGER | tag::SMALL_BIG | tag::LARGE_BIG => self.any_integer(),
            tag::FLOAT => self.float().map(Term::Float),
            tag::NEW_PID | tag::PID => self.pid().map(Term::Pid),
            tag::V4_PORT | tag::NEW_PORT | tag::PORT => self.port().map(Term::Port),
            tag::NEWER_REFERENCE | tag::NEW_REFERENCE | tag::REFERENCE => self.reference().map(Term::Reference),
            _ => self.rare_leaf(),
        }
    }

    fn rare_leaf(&mut self) -> Result<Term> {
        match self.u8()? {
            tag::NIL => Ok(Term::nil()),
            tag::STRING => {
                let length = self.u16()?;
                Ok(Term::List(List::from_bytes(self.slice(length)?)))
            }
            tag::BIT_BINARY => {
                let length = self.u32()? as usize;
                let bits = self.u8()?;
                let bytes = self.slice(length)?;
                match bits {
                    8 => Ok(Term::Binary(bytes)),
                    _ => BitString::new(bytes, bits)
                        .map(|bits| Term::BitString(Box::new(bits)))
                        .ok_or_else(|| self.invalid("bit string")),
                }
            }
            tag::NEW_FUN => {
                let size = self.u32()? as usize;
                let body = self.slice(size.checked_sub(4).ok_or_else(|| self.invalid("size of a fun"))?)?;
                Ok(Term::Fun(Box::new(Fun { body })))
            }
            tag::EXPORT => {
                let (module, function) = (self.atom()?, self.atom()?);
                let arity = u8::try_from(self.integer()?).map_err(|_| self.invalid("arity of a fun"))?;
                Ok(Term::Export(Box::new(ExportFun { module, function, arity })))
            }
            tag => Err(self.unexpected(tag, "a term")),
        }
    }

    fn compressed(&mut self) -> Result<Term> {
        self.at += 1;
        let size = self.u32()? as usize;
        if size > self.limits.inflated_bytes {
            return Err(DecodeError::Limit { what: "inflated size", at: self.at });
        }
        let packed = &self.input[self.at..];
        let mut inflated = Vec::new();
        let mut inflater = flate2::read::ZlibDecoder::new(packed);
        let read = inflater.by_ref().take(size as u64 + 1).read_to_end(&mut inflated);
        if read.is_err() || inflated.len() != size {
            return Err(self.invalid("compressed term"));
        }
        self.at += usize::try_from(inflater.total_in()).unwrap_or(packed.len()).min(packed.len());
        let inflated = Bytes::from(inflated);
        let mut inner = Decoder::with_limits(&inflated, self.limits);
        // One level down, so that compressed data inside compressed data is refused.
        let term = inner.nested(Decoder::term)?;
        inner.finish()?;
        Ok(term)
    }
}

/// Whether no key stands twice. Few are compared with each other; many, or those that hold others, are hashed.
fn are_distinct(pairs: &[(Term, Term)]) -> bool {
    let simple = |key: &Term| matches!(key, Term::Atom(_) | Term::Integer(_) | Term::Binary(_) | Term::Float(_));
    // Maps of up to 32 keys, and Elixir's sorted ones, come in the order of their keys: then neighbours are enough.
    if pairs.windows(2).all(|pair| pair[0].0 < pair[1].0) {
        return true;
    }
    if pairs.len() <= 8 && pairs.iter().all(|(key, _)| simple(key)) {
        return pairs.iter().enumerate().all(|(place, (key, _))| pairs[..place].iter().all(|(other, _)| other != key));
    }
    pairs.iter().map(|(key, _)| key).collect::<HashSet<_>>().len() == pairs.len()
}
