//! Calls, with and without parentheses, and their `do` blocks.

use super::{Parser, Result};
use crate::ast::{Callee, Expr, Kind};
use crate::error::SyntaxError;
use crate::token::{Follow, Span, Tok, binding};

const AMBIGUOUS: &str = "parentheses around the arguments of the inner call";

impl Parser<'_> {
    /// A name that has been read: a variable, a field, or a call.
    pub(super) fn named(&mut self, module: Option<Expr>, name: String, follow: Follow, start: usize) -> Result<Expr> {
        let callee = |module: Option<Expr>, name: String| match module {
            Some(module) => Callee::Remote(Box::new(module), name),
            None => Callee::Local(name),
        };
        if follow == Follow::Paren && *self.peek() == Tok::OpenParen {
            return self.arguments_of(callee(module, name), start);
        }
        if (follow != Follow::Bracket || *self.peek() != Tok::OpenBracket) && self.argument_follows(follow) {
            let arguments = self.bare_arguments()?;
            return self.with_block(callee(module, name), arguments, start);
        }
        if *self.peek() == Tok::Do && !self.reserved_do {
            return self.with_block(callee(module, name), Vec::new(), start);
        }
        let kind = match module {
            Some(module) => Kind::Dot(Box::new(module), name),
            None => Kind::Variable(name),
        };
        self.make(kind, start)
    }

    /// The arguments in parentheses, perhaps a second pair of them, and the `do` block.
    pub(super) fn arguments_of(&mut self, callee: Callee, start: usize) -> Result<Expr> {
        let arguments = self.enclosed(Self::parenthesised)?;
        if *self.peek() != Tok::OpenParen {
            return self.with_block(callee, arguments, start);
        }
        let call = self.make(Kind::Call(callee, arguments), start)?;
        let arguments = self.enclosed(Self::parenthesised)?;
        self.with_block(Callee::Again(Box::new(call)), arguments, start)
    }

    /// `(a, b, key: c)`
    fn parenthesised(&mut self) -> Result<Vec<Expr>> {
        self.expect(&Tok::OpenParen, "`(`")?;
        self.skip_line();
        let mut arguments = Vec::new();
        let mut many = None;
        while *self.peek() != Tok::CloseParen {
            if self.at_key() {
                let keywords = self.keywords(Tok::CloseParen, false)?;
                arguments.push(keywords);
            } else {
                let begin = self.span();
                arguments.push(self.expression(0)?);
                if self.many {
                    many = Some(begin);
                }
            }
            if let Some(begin) = many
                && arguments.len() > 1
            {
                return Err(ambiguous(begin));
            }
            if *self.peek() != Tok::Comma {
                break;
            }
            self.advance();
            self.skip_line();
            if *self.peek() == Tok::CloseParen {
                return Err(self.unexpected("another argument"));
            }
        }
        self.skip_line();
        self.expect(&Tok::CloseParen, "`,` or `)`")?;
        Ok(arguments)
    }

    /// Whether a name is followed by an argument without parentheses.
    fn argument_follows(&self, follow: Follow) -> bool {
        match self.peek() {
            Tok::Operator("+" | "-") => follow == Follow::Sign,
            Tok::Operator(operator) => binding(operator).is_none(),
            Tok::Integer(_) | Tok::Float(_) | Tok::Character(_) | Tok::Atom(_) | Tok::QuotedAtom(_) => true,
            Tok::Text(..) | Tok::Charlist(..) | Tok::Sigil(_) | Tok::Alias(_) | Tok::Identifier(..) => true,
            Tok::Key(_) | Tok::QuotedKey(_) | Tok::Printed(_) | Tok::Placeholder | Tok::Word(_) => true,
            Tok::OpenParen | Tok::OpenBracket | Tok::OpenBrace | Tok::OpenBits | Tok::Percent | Tok::Fn => true,
            _ => false,
        }
    }

    /// `a, b, key: c`, where a `do` behind them is for the call.
    fn bare_arguments(&mut self) -> Result<Vec<Expr>> {
        let outer = std::mem::replace(&mut self.reserved_do, true);
        let arguments = self.nested(Self::bare);
        self.reserved_do = outer;
        arguments
    }

    fn bare(&mut self) -> Result<Vec<Expr>> {
        let mut arguments = Vec::new();
        let mut many = false;
        loop {
            if self.at_key() {
                let keywords = self.keywords(Tok::Eof, true)?;
                arguments.push(keywords);
                break;
            }
            let begin = self.span();
            if *self.peek() == Tok::OpenParen && self.spaced_parentheses() {
                let expected = "no space between a function's name and its parentheses";
                return Err(SyntaxError::wrong(begin, "unexpected parentheses", expected));
            }
            arguments.push(self.expression(0)?);
            many |= self.many;
            if self.many && arguments.len() > 1 {
                return Err(ambiguous(begin));
            }
            if *self.peek() != Tok::Comma {
                break;
            }
            self.advance();
            self.skip_line();
        }
        self.many = many || arguments.len() > 1;
        Ok(arguments)
    }

    /// Whether the parentheses that are next hold a comma of their own: `f (1, 2)`.
    fn spaced_parentheses(&self) -> bool {
        let mut depth = 0_usize;
        let mut comma = false;
        for token in &self.tokens[self.at..] {
            match token.tok {
                Tok::OpenParen | Tok::OpenBracket | Tok::OpenBrace | Tok::OpenBits | Tok::Do | Tok::Fn => depth += 1,
                Tok::CloseParen | Tok::CloseBracket | Tok::CloseBrace | Tok::CloseBits | Tok::End => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return comma;
                    }
                }
                // Behind an arrow it is a clause.
                Tok::Arrow if depth == 1 => return false,
                Tok::Comma if depth == 1 => comma = true,
                _ => {}
            }
        }
        false
    }

    /// A call, with its `do` block if that is next and not another call's.
    fn with_block(&mut self, callee: Callee, mut arguments: Vec<Expr>, start: usize) -> Result<Expr> {
        if *self.peek() == Tok::Do && !self.reserved_do {
            let block = self.enclosed(Self::do_block)?;
            arguments.push(block);
        }
        self.make(Kind::Call(callee, arguments), start)
    }
}

pub(super) fn ambiguous(span: Span) -> SyntaxError {
    SyntaxError::wrong(span, "it is not clear to which call the arguments belong", AMBIGUOUS)
}
