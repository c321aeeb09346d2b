//! Lists, tuples, maps, binaries, and the keywords in them.

use beamline_term::Atom;

use super::call::ambiguous;
use super::{Parser, Result};
use crate::ast::{Callee, Expr, Kind};
use crate::error::SyntaxError;
use crate::token::{Follow, Tok, binding};

impl Parser<'_> {
    pub(super) fn at_key(&self) -> bool {
        matches!(self.peek(), Tok::Key(_) | Tok::QuotedKey(_))
    }

    /// `key: value, ..` up to the closing token, which is not passed; a comma may stand before it except in calls.
    pub(super) fn keywords(&mut self, close: Tok, bare: bool) -> Result<Expr> {
        let start = self.span().start;
        let pairs = self.pairs(&close, bare)?;
        self.make(Kind::List(pairs), start)
    }

    fn pairs(&mut self, close: &Tok, bare: bool) -> Result<Vec<Expr>> {
        let mut pairs = Vec::new();
        let trailing = !matches!(close, Tok::CloseParen | Tok::Eof);
        loop {
            let start = self.span().start;
            let key = match self.peek() {
                Tok::Key(text) => Kind::Atom(self.atom(text)?),
                Tok::QuotedKey(pieces) => self.quoted_atom(pieces)?,
                _ => {
                    let expected = "nothing but pairs behind a pair: keywords come last";
                    if matches!(self.peek(), Tok::Eof) {
                        return Err(self.unexpected("another key"));
                    }
                    let message = format!("unexpected {}", self.peek().describe());
                    return Err(SyntaxError::wrong(self.span(), message, expected));
                }
            };
            self.advance();
            let key = self.make(key, start)?;
            self.skip_line();
            let begin = self.span();
            let value = self.expression(0)?;
            if self.many && !bare {
                return Err(ambiguous(begin));
            }
            pairs.push(self.make(Kind::Tuple(vec![key, value]), start)?);
            if *self.peek() != Tok::Comma {
                break;
            }
            self.advance();
            self.skip_line();
            if trailing && self.peek() == close {
                break;
            }
        }
        Ok(pairs)
    }

    /// Elements up to the closing token, which is passed; keywords at the end are one element, or, in a list, more of them.
    fn elements(&mut self, close: &Tok, text: &str, inline_keywords: bool) -> Result<Vec<Expr>> {
        self.skip_line();
        let mut elements = Vec::new();
        while self.peek() != close {
            if self.at_key() && (inline_keywords || !elements.is_empty()) {
                if inline_keywords {
                    elements.extend(self.pairs(close, false)?);
                } else {
                    let keywords = self.keywords(close.clone(), false)?;
                    elements.push(keywords);
                }
                break;
            }
            let begin = self.span();
            elements.push(self.expression(0)?);
            if self.many {
                return Err(ambiguous(begin));
            }
            if *self.peek() != Tok::Comma {
                break;
            }
            self.advance();
            self.skip_line();
        }
        self.skip_line();
        self.expect(close, text)?;
        Ok(elements)
    }

    pub(super) fn list(&mut self) -> Result<Kind> {
        self.advance();
        self.enclosed(|parser| parser.elements(&Tok::CloseBracket, "`,` or `]`", true)).map(Kind::List)
    }

    pub(super) fn tuple(&mut self) -> Result<Kind> {
        self.advance();
        self.enclosed(|parser| parser.elements(&Tok::CloseBrace, "`,` or `}`", false)).map(Kind::Tuple)
    }

    pub(super) fn bits(&mut self) -> Result<Kind> {
        self.advance();
        self.enclosed(|parser| parser.elements(&Tok::CloseBits, "`,` or `>>`", false)).map(Kind::Bits)
    }

    /// The key of `left[key]`: one expression, or keywords.
    pub(super) fn access_key(&mut self) -> Result<Expr> {
        if self.at_key() {
            return self.keywords(Tok::CloseBracket, false);
        }
        let begin = self.span();
        let key = self.expression(0)?;
        if self.many {
            return Err(ambiguous(begin));
        }
        if *self.peek() == Tok::Comma && *self.peek_at(1) == Tok::CloseBracket {
            self.advance();
        }
        Ok(key)
    }

    /// `%{..}` or `%Name{..}`
    pub(super) fn map(&mut self) -> Result<Kind> {
        let start = self.span().start;
        self.advance();
        self.skip_line();
        if *self.peek() == Tok::OpenBrace {
            // `% {` is not `%{`.
            let glued = self.at > 0 && self.tokens[self.at - 1].span.end == self.span().start;
            if glued {
                return self.map_body();
            }
        }
        let name = self.struct_name()?;
        if *self.peek() != Tok::OpenBrace {
            return Err(self.unexpected("`{`"));
        }
        let map = self.map_body()?;
        let map = self.make(map, start)?;
        Ok(Kind::Struct(Box::new(name), Box::new(map)))
    }

    /// A name with dots, a variable, `^variable`, `@attribute`.
    fn struct_name(&mut self) -> Result<Expr> {
        let start = self.span().start;
        match *self.peek() {
            Tok::Operator(operator) if binding(operator).is_none_or(|_| matches!(operator, "+" | "-")) => {
                self.advance();
                let operand = self.nested(Self::struct_name)?;
                self.make(Kind::Unary(operator, Box::new(operand)), start)
            }
            // What stands in braces behind a name is no argument of it here.
            Tok::Identifier(ref name, follow) if follow != Follow::Paren => {
                self.advance();
                let variable = self.make(Kind::Variable(name.clone()), start)?;
                self.struct_path(variable)
            }
            Tok::Identifier(..) | Tok::Alias(_) | Tok::Atom(_) => {
                let (tok, name) = match self.peek() {
                    Tok::Alias(name) => (Kind::Alias(name.clone()), None),
                    Tok::Atom(text) => (Kind::Atom(self.atom(text)?), None),
                    Tok::Identifier(name, _) => (Kind::FullRange, Some(name.clone())),
                    _ => return Err(self.unexpected("the name of a struct")),
                };
                self.advance();
                let left = match name {
                    Some(name) => self.arguments_of(Callee::Local(name), start)?,
                    None => self.make(tok, start)?,
                };
                self.struct_path(left)
            }
            _ => Err(self.unexpected("the name of a struct, or `{` at once behind `%`")),
        }
    }

    /// The names behind dots.
    fn struct_path(&mut self, mut left: Expr) -> Result<Expr> {
        let start = left.span.start;
        while self.accept(&Tok::Dot) {
            self.skip_line();
            left = match self.peek() {
                Tok::Alias(name) => {
                    self.advance();
                    match left.kind {
                        Kind::Alias(parent) => self.make(Kind::Alias(format!("{parent}.{name}")), start)?,
                        _ => self.make(Kind::AliasIn(Box::new(left), name.clone()), start)?,
                    }
                }
                Tok::Identifier(name, follow) => {
                    self.advance();
                    match follow {
                        Follow::Paren => self.arguments_of(Callee::Remote(Box::new(left), name.clone()), start)?,
                        _ => self.make(Kind::Dot(Box::new(left), name.clone()), start)?,
                    }
                }
                _ => return Err(self.unexpected("a name")),
            };
        }
        Ok(left)
    }

    fn map_body(&mut self) -> Result<Kind> {
        self.advance();
        self.enclosed(|parser| {
            parser.skip_line();
            let mut base = None;
            let mut pairs = Vec::new();
            let mut first = true;
            while *parser.peek() != Tok::CloseBrace {
                if parser.at_key() {
                    pairs.extend(parser.pairs(&Tok::CloseBrace, false)?);
                    break;
                }
                let start = parser.span();
                let open = *parser.peek() == Tok::OpenParen;
                // The bar of an update binds tighter than most, so it is looked for first.
                let left = parser.expression(71)?;
                if first && *parser.peek() == Tok::Operator("|") {
                    parser.advance();
                    parser.skip_line();
                    base = Some(Box::new(left));
                    first = false;
                    if *parser.peek() == Tok::CloseBrace {
                        return Err(parser.unexpected("what to update"));
                    }
                    continue;
                }
                first = false;
                let left = parser.operators(left, 0)?;
                let element = if parser.accept(&Tok::Operator("=>")) {
                    parser.skip_line();
                    let value = parser.expression(0)?;
                    parser.make(Kind::Tuple(vec![left, value]), start.start)?
                } else if !open && matches!(left.kind, Kind::Variable(_) | Kind::Dot(..) | Kind::Call(..)) {
                    left
                } else {
                    return Err(parser.unexpected("`=>`"));
                };
                if parser.many {
                    return Err(ambiguous(start));
                }
                pairs.push(element);
                if *parser.peek() != Tok::Comma {
                    break;
                }
                parser.advance();
                parser.skip_line();
            }
            parser.skip_line();
            parser.expect(&Tok::CloseBrace, "`,` or `}`")?;
            Ok(Kind::Map(base, pairs))
        })
    }
}

/// A pair of an atom and an expression, as a keyword list has it.
pub(super) fn keyword(key: &'static str, value: Expr) -> Expr {
    let span = value.span;
    let key = Expr::new(Kind::Atom(Atom::from_static(key)), span);
    Expr::new(Kind::Tuple(vec![key, value]), span)
}
