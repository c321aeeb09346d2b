//! `fn`, `do` blocks, parentheses: where expressions or clauses stand.

use super::collection::keyword;
use super::{Parser, Result};
use crate::ast::{Clause, Expr, Kind};
use crate::error::SyntaxError;
use crate::token::Tok;

impl Parser<'_> {
    /// `fn .. end`
    pub(super) fn function(&mut self) -> Result<Kind> {
        let place = self.span();
        self.advance();
        self.enclosed(|parser| {
            if *parser.peek() == Tok::End {
                return Err(parser.unexpected("arguments and `->`"));
            }
            let body = parser.body(|tok| *tok == Tok::End)?;
            parser.expect(&Tok::End, "`end`")?;
            match body.kind {
                Kind::Clauses(clauses) => Ok(Kind::Fn(clauses)),
                _ => Err(SyntaxError::wrong(place, "a function without `->`", "expected fn arguments -> body end")),
            }
        })
    }

    /// `( .. )`: one expression is itself.
    pub(super) fn parentheses(&mut self) -> Result<Kind> {
        self.advance();
        self.enclosed(|parser| {
            let body = parser.body(|tok| *tok == Tok::CloseParen)?;
            parser.expect(&Tok::CloseParen, "`)`")?;
            // So that `(not a) in b` is not taken for `not a in b`.
            Ok(match body.kind {
                Kind::Unary("not" | "!", _) => Kind::Block(vec![body]),
                kind => kind,
            })
        })
    }

    /// `do .. else .. end`, as a keyword list.
    pub(super) fn do_block(&mut self) -> Result<Expr> {
        let start = self.span().start;
        self.advance();
        let ends = |tok: &Tok| matches!(tok, Tok::End | Tok::Section(_));
        let mut sections = vec![keyword("do", self.body(ends)?)];
        while let Tok::Section(name) = *self.peek() {
            self.advance();
            sections.push(keyword(name, self.body(ends)?));
        }
        self.expect(&Tok::End, "`end`")?;
        self.make(Kind::List(sections), start)
    }

    /// Expressions, or clauses if there is an arrow behind the first of them.
    fn body(&mut self, ends: impl Fn(&Tok) -> bool) -> Result<Expr> {
        let start = self.span().start;
        self.separator();
        let mut clauses: Vec<Clause> = Vec::new();
        let mut all = Vec::new();
        while !ends(self.peek()) {
            match self.item(!clauses.is_empty() || all.is_empty())? {
                Item::Expression(expression) => all.push(expression),
                Item::Head(arguments, guard) => {
                    self.finish_clause(&mut clauses, &mut all)?;
                    let body = Expr::new(Kind::Block(Vec::new()), self.span());
                    clauses.push(Clause { arguments, guard, body });
                    // The body may begin on the line of the arrow or on the next.
                    self.separator();
                    continue;
                }
            }
            if !self.separator() {
                break;
            }
        }
        if clauses.is_empty() {
            return self.block(all, start);
        }
        self.finish_clause(&mut clauses, &mut all)?;
        self.make(Kind::Clauses(clauses), start)
    }

    /// What has been read since the last arrow is the body of its clause.
    fn finish_clause(&self, clauses: &mut [Clause], all: &mut Vec<Expr>) -> Result<()> {
        if let Some(clause) = clauses.last_mut() {
            let start = all.first().map_or(clause.body.span.start, |first| first.span.start);
            clause.body = self.block(std::mem::take(all), start)?;
        }
        Ok(())
    }

    fn item(&mut self, clause_allowed: bool) -> Result<Item> {
        if *self.peek() == Tok::Arrow {
            self.arrow(clause_allowed)?;
            return Ok(Item::Head(Vec::new(), None));
        }
        if *self.peek() == Tok::OpenParen && self.arrow_behind_parentheses() {
            return self.parenthesised_head(clause_allowed);
        }
        let mut arguments = Vec::new();
        let mut keywords_only = false;
        loop {
            if self.at_key() {
                keywords_only = arguments.is_empty();
                let keywords = self.keywords(Tok::Eof, true)?;
                arguments.push(keywords);
                break;
            }
            arguments.push(self.expression(0)?);
            if *self.peek() != Tok::Comma {
                break;
            }
            if arguments.len() == 1 && !self.arrow_ahead() {
                return Err(self.unexpected("an operator, the end of the line or `;`"));
            }
            self.advance();
            self.skip_line();
        }
        if *self.peek() != Tok::Arrow {
            // Several arguments or keywords are no expression.
            return match arguments.pop() {
                Some(only) if arguments.is_empty() && !keywords_only => Ok(Item::Expression(only)),
                _ => Err(self.unexpected("`->`")),
            };
        }
        self.arrow(clause_allowed)?;
        // `a, b when guard` was read with the guard as part of the last one.
        let guard = match arguments.pop() {
            Some(Expr { kind: Kind::Binary("when", last, guard), .. }) => {
                arguments.push(*last);
                Some(*guard)
            }
            Some(last) => {
                arguments.push(last);
                None
            }
            None => None,
        };
        Ok(Item::Head(arguments, guard))
    }

    fn arrow(&mut self, allowed: bool) -> Result<()> {
        if !allowed {
            let expected = "`->` behind the first expression, if there are to be clauses";
            return Err(SyntaxError::wrong(self.span(), "unexpected `->`", expected));
        }
        self.advance();
        Ok(())
    }

    /// `(a, b) ->` and `(a, b) when guard ->`
    fn parenthesised_head(&mut self, clause_allowed: bool) -> Result<Item> {
        let arguments = self.enclosed(|parser| {
            parser.advance();
            let mut arguments = Vec::new();
            while *parser.peek() != Tok::CloseParen {
                if parser.at_key() {
                    let keywords = parser.keywords(Tok::Eof, true)?;
                    arguments.push(keywords);
                    break;
                }
                arguments.push(parser.expression(0)?);
                if !parser.accept(&Tok::Comma) {
                    break;
                }
                parser.skip_line();
            }
            parser.skip_line();
            parser.expect(&Tok::CloseParen, "`,` or `)`")?;
            Ok(arguments)
        })?;
        let guard = if self.accept(&Tok::Operator("when")) {
            self.skip_line();
            Some(self.expression(0)?)
        } else {
            None
        };
        if *self.peek() != Tok::Arrow {
            return Err(self.unexpected("`->`"));
        }
        self.arrow(clause_allowed)?;
        Ok(Item::Head(arguments, guard))
    }

    /// Whether the parentheses that are next are those of a clause's arguments, and not of an expression.
    fn arrow_behind_parentheses(&self) -> bool {
        let mut depth = 0_usize;
        let mut many = matches!(self.peek_at(1), Tok::CloseParen | Tok::Key(_) | Tok::QuotedKey(_));
        let mut tokens = self.tokens[self.at..].iter();
        for token in tokens.by_ref() {
            match token.tok {
                Tok::OpenParen | Tok::OpenBracket | Tok::OpenBrace | Tok::OpenBits | Tok::Do | Tok::Fn => depth += 1,
                Tok::CloseParen | Tok::CloseBracket | Tok::CloseBrace | Tok::CloseBits | Tok::End => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                Tok::Arrow | Tok::Semicolon if depth == 1 => return false,
                Tok::Comma if depth == 1 => many = true,
                _ => {}
            }
        }
        if !many {
            return false;
        }
        match tokens.next().map(|token| &token.tok) {
            Some(Tok::Arrow) => true,
            Some(Tok::Operator("when")) => self.arrow_ahead(),
            _ => false,
        }
    }

    /// Whether an arrow follows before the expressions that are next end.
    fn arrow_ahead(&self) -> bool {
        let mut depth = 0_usize;
        for token in &self.tokens[self.at..] {
            match token.tok {
                Tok::OpenParen | Tok::OpenBracket | Tok::OpenBrace | Tok::OpenBits | Tok::Do | Tok::Fn => depth += 1,
                Tok::CloseParen | Tok::CloseBracket | Tok::CloseBrace | Tok::CloseBits | Tok::End => {
                    if depth == 0 {
                        return false;
                    }
                    depth -= 1;
                }
                Tok::Arrow if depth == 0 => return true,
                Tok::Semicolon if depth == 0 => return false,
                _ => {}
            }
        }
        false
    }
}

enum Item {
    Expression(Expr),
    Head(Vec<Expr>, Option<Expr>),
}
