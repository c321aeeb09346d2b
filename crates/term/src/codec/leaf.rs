//! Reading what holds no other terms and is not met all the time.

use super::decoder::Decoder;
use super::error::Result;
use super::tag;
use crate::{BitString, ExportFun, Fun, List, Term};

impl Decoder<'_> {
    /// A term that holds no others.
    pub(super) fn leaf(&mut self) -> Result<Term> {
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
