//! Literals, variables, and what follows them at once: `.name`, `[key]`, arguments.

use beamline_term::{Atom, BigInt, Term};

use super::{Parser, Result};
use crate::ast::{Callee, Expr, Kind, Part, Sigil};
use crate::error::SyntaxError;
use crate::token::{Follow, Piece, Tok};

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Result<Expr> {
        let start = self.span().start;
        self.many = false;
        let mut access = true;
        let kind = match self.peek() {
            Tok::Integer(number) => self.literal(Kind::Integer(number.clone())),
            Tok::Float(number) => self.literal(Kind::Float(*number)),
            Tok::Character(character) => self.literal(Kind::Integer(BigInt::from(u32::from(*character)))),
            Tok::Word(word) => self.literal(Kind::Atom(Atom::from_static(word))),
            Tok::Atom(text) => {
                let atom = self.atom(text)?;
                self.literal(Kind::Atom(atom))
            }
            Tok::QuotedAtom(pieces) => {
                let kind = self.quoted_atom(pieces)?;
                self.literal(kind)
            }
            Tok::Text(pieces, _) => {
                let parts = self.parts(pieces)?;
                self.literal(Kind::Text(parts))
            }
            Tok::Charlist(pieces, _) => {
                let parts = self.parts(pieces)?;
                self.literal(Kind::Charlist(parts))
            }
            Tok::Sigil(sigil) => {
                let parts = self.parts(&sigil.pieces)?;
                let sigil = Sigil { name: sigil.name.clone(), parts, modifiers: sigil.modifiers.clone() };
                self.literal(Kind::Sigil(Box::new(sigil)))
            }
            Tok::Printed(text) => {
                check_printed(text)
                    .map_err(|expected| SyntaxError::wrong(self.span(), format!("`{text}` names nothing"), expected))?;
                self.literal(Kind::Printed(text.clone()))
            }
            Tok::Alias(name) => self.literal(Kind::Alias(name.clone())),
            Tok::Placeholder => {
                self.advance();
                let Tok::Integer(number) = self.peek() else {
                    return Err(self.unexpected("a number"));
                };
                let place = u32::try_from(number).unwrap_or(u32::MAX);
                if place > 255 {
                    return Err(SyntaxError::wrong(self.span(), "no such argument", "&1 to &255"));
                }
                self.literal(Kind::Placeholder(place))
            }
            Tok::Identifier(name, follow) => {
                let name = name.clone();
                access = *follow != Follow::Plain || *self.peek_at(1) != Tok::OpenBracket;
                self.advance();
                return self.named(None, name, *follow, start).and_then(|named| self.postfix(named, access));
            }
            Tok::OpenParen => self.parentheses()?,
            Tok::OpenBracket => self.list()?,
            Tok::OpenBrace => self.tuple()?,
            Tok::OpenBits => self.bits()?,
            Tok::Percent => self.map()?,
            Tok::Fn => self.function()?,
            _ => return Err(self.unexpected("an expression")),
        };
        let expression = self.make(kind, start)?;
        self.postfix(expression, access)
    }

    fn literal(&mut self, kind: Kind) -> Kind {
        self.advance();
        kind
    }

    pub(super) fn atom(&self, text: &str) -> Result<Atom> {
        Atom::new(text).map_err(|error| SyntaxError::wrong(self.span(), error.to_string(), ""))
    }

    pub(super) fn quoted_atom(&self, pieces: &[Piece]) -> Result<Kind> {
        let parts = self.parts(pieces)?;
        let text = match parts.as_slice() {
            [] => Some(String::new()),
            [Part::Text(bytes)] => match String::from_utf8(bytes.clone()) {
                Ok(text) => Some(text),
                Err(_) => return Err(SyntaxError::wrong(self.span(), "an atom has to be UTF-8", "")),
            },
            _ => None,
        };
        Ok(match text {
            Some(text) => Kind::Atom(self.atom(&text)?),
            None => Kind::AtomText(parts),
        })
    }

    /// Fields, calls and accesses behind an expression.
    pub(super) fn postfix(&mut self, mut left: Expr, mut access: bool) -> Result<Expr> {
        let start = left.span.start;
        loop {
            // A call without parentheses or with a `do` block has taken all that belongs to it.
            if self.many || is_closed(&left, self.end(), self.at, self.tokens) {
                return Ok(left);
            }
            match self.peek() {
                Tok::OpenBracket if access => {
                    self.advance();
                    self.skip_line();
                    let key = self.enclosed(|parser| {
                        let key = parser.access_key()?;
                        parser.skip_line();
                        parser.expect(&Tok::CloseBracket, "`]`")?;
                        Ok(key)
                    })?;
                    left = self.make(Kind::Access(Box::new(left), Box::new(key)), start)?;
                }
                Tok::DotCall => {
                    self.advance();
                    left = self.arguments_of(Callee::Value(Box::new(left)), start)?;
                    access = true;
                }
                Tok::Dot => {
                    self.advance();
                    self.skip_line();
                    left = self.after_dot(left, start, &mut access)?;
                }
                _ => return Ok(left),
            }
        }
    }

    fn after_dot(&mut self, left: Expr, start: usize, access: &mut bool) -> Result<Expr> {
        *access = true;
        match self.peek() {
            Tok::Alias(name) => {
                self.advance();
                let kind = match left.kind {
                    Kind::Alias(parent) => Kind::Alias(format!("{parent}.{name}")),
                    _ => Kind::AliasIn(Box::new(left), name.clone()),
                };
                self.make(kind, start)
            }
            Tok::Identifier(name, follow) => {
                let (name, follow) = (name.clone(), *follow);
                *access = follow != Follow::Plain || *self.peek_at(1) != Tok::OpenBracket;
                self.advance();
                self.named(Some(left), name, follow, start)
            }
            Tok::QuotedIdentifier(pieces, follow) => {
                let follow = *follow;
                let parts = self.parts(pieces)?;
                let text = match parts.as_slice() {
                    [] => Some(String::new()),
                    [Part::Text(bytes)] => String::from_utf8(bytes.clone()).ok(),
                    _ => None,
                };
                let Some(name) = text else {
                    return Err(SyntaxError::wrong(self.span(), "a function's name has to be a plain text", ""));
                };
                self.atom(&name)?;
                self.advance();
                self.named(Some(left), name, follow, start)
            }
            Tok::OpenBrace => {
                let Kind::Tuple(elements) = self.tuple()? else {
                    return Err(self.unexpected("names of modules"));
                };
                self.make(Kind::Call(Callee::Remote(Box::new(left), "{}".into()), elements), start)
            }
            _ => Err(self.unexpected("a name")),
        }
    }
}

/// Whether an expression ended in an `end` that was a `do` block's: nothing can be attached to it.
fn is_closed(left: &Expr, end: usize, at: usize, tokens: &[crate::token::Token]) -> bool {
    let ended = at.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(|token| token.tok == Tok::End);
    ended && left.span.end == end && matches!(left.kind, Kind::Call(..))
}

/// What a printed pid, port or reference has to look like.
fn check_printed(text: &str) -> std::result::Result<(), &'static str> {
    printed(text).map(|_| ()).ok_or("one as it is printed, as in #PID<0.110.0>")
}

/// What a printed pid, port or reference without its node's creation names; a number for a node is the local one.
pub(crate) fn printed(text: &str) -> Option<Printed> {
    if let Ok(pid) = text.parse() {
        return Some(Printed::Whole(Term::Pid(pid)));
    }
    if let Ok(port) = text.parse() {
        return Some(Printed::Whole(Term::Port(port)));
    }
    if let Ok(reference) = text.parse() {
        return Some(Printed::Whole(Term::Reference(reference)));
    }
    let (kind, inner) = text.strip_suffix('>')?.split_once('<')?;
    let numbers = |inner: &str| inner.split('.').all(|part| part.parse::<u32>().is_ok());
    let parts = inner.split('.').count();
    let shape = match kind {
        "#PID" => parts == 3,
        "#Port" => parts == 2,
        "#Reference" => (4..=6).contains(&parts),
        _ => false,
    };
    (shape && numbers(inner)).then_some(Printed::Local)
}

/// See [`printed`].
pub(crate) enum Printed {
    /// All of it is said.
    Whole(Term),
    /// Only the node that printed it knows whose it is.
    Local,
}
