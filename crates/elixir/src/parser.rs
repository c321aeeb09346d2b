//! From tokens to expressions, by the rules of `elixir_parser`.
//!
//! Operators go by precedence; calls without parentheses take what follows them, and a `do` belongs to the outermost of
//! those. Everything that Elixir reads is read, also what is not evaluated here (`defmodule`, `quote`, `receive`).

mod call;
mod clauses;
mod collection;
mod operator;
mod primary;

pub(crate) use primary::{Printed, printed};

use crate::ast::{Expr, Kind};
use crate::error::SyntaxError;
use crate::lexer;
use crate::limits::Limits;
use crate::token::{Piece, Span, Tok, Token};

type Result<T> = std::result::Result<T, SyntaxError>;

/// Reads a text as Elixir's `Code.string_to_quoted/1` does; several expressions are a [`Kind::Block`].
///
/// ```
/// use beamline_elixir::{SyntaxError, parse};
///
/// assert!(parse("Enum.map(1..3, & &1 * 2)").is_ok());
/// assert!(parse("if Node.alive? do").unwrap_err().is_incomplete());
/// assert!(matches!(parse("1 + )"), Err(SyntaxError::Wrong { .. })));
/// ```
///
/// # Errors
/// It is incomplete, wrong, or over a limit.
pub fn parse(source: &str) -> Result<Expr> {
    parse_with(source, &Limits::default())
}

/// As [`parse()`], with limits.
///
/// # Errors
/// It is incomplete, wrong, or over a limit.
pub fn parse_with(source: &str, limits: &Limits) -> Result<Expr> {
    let tokens = lexer::tokens(source, limits)?;
    program(&tokens, limits, 0)
}

/// What a list of tokens up to its end says.
fn program(tokens: &[Token], limits: &Limits, depth: usize) -> Result<Expr> {
    let mut parser = Parser { tokens, at: 0, limits, depth, many: false, reserved_do: false };
    let expression = parser.expressions(|tok| *tok == Tok::Eof)?;
    match parser.peek() {
        Tok::Eof => Ok(expression),
        _ => Err(parser.unexpected("an operator, the end of the line or `;`")),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    limits: &'a Limits,
    depth: usize,
    /// Whether what was read last ends in a call without parentheses of several arguments.
    many: bool,
    /// Whether a `do` belongs to a call further out.
    reserved_do: bool,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a Tok {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> &'a Tok {
        self.tokens.get(self.at + ahead).map_or(&Tok::Eof, |token| &token.tok)
    }

    /// The place of the next token.
    fn span(&self) -> Span {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(Span::default(), |token| token.span)
    }

    /// The end of what was read.
    fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.span.end)
    }

    fn advance(&mut self) {
        self.at += 1;
    }

    /// Passes a token if it is next.
    fn accept(&mut self, tok: &Tok) -> bool {
        let next = self.peek() == tok;
        self.at += usize::from(next);
        next
    }

    fn skip_line(&mut self) {
        self.accept(&Tok::Line);
    }

    fn expect(&mut self, tok: &Tok, expected: &str) -> Result<()> {
        if self.accept(tok) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// What is next cannot stand here; at the end of the text more input may help.
    fn unexpected(&self, expected: &str) -> SyntaxError {
        let span = self.span();
        // The end of code in a string is no end of the input.
        let at_end = match self.peek() {
            Tok::Eof => true,
            Tok::Line => *self.peek_at(1) == Tok::Eof,
            _ => false,
        };
        if at_end {
            return SyntaxError::incomplete(span, format!("the expression is incomplete: {expected} is missing"));
        }
        SyntaxError::wrong(span, format!("unexpected {}", self.peek().describe()), format!("expected {expected}"))
    }

    fn make(&self, kind: Kind, start: usize) -> Result<Expr> {
        let span = Span::new(start, self.end().max(start));
        let expression = Expr::new(kind, span);
        if expression.height > self.limits.source_depth {
            return Err(SyntaxError::Limit {
                what: "the depth of the expression",
                limit: self.limits.source_depth,
                span,
            });
        }
        Ok(expression)
    }

    /// Goes one level down.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > self.limits.source_depth {
            let limit = self.limits.source_depth;
            return Err(SyntaxError::Limit { what: "the depth of the expression", limit, span: self.span() });
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Inside brackets a `do` is free again, and afterwards what it was.
    fn enclosed<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outer = std::mem::replace(&mut self.reserved_do, false);
        let read = read(self);
        self.reserved_do = outer;
        self.many = false;
        read
    }

    /// Expressions with `;` or line ends between them, up to a token that ends them.
    fn expressions(&mut self, ends: impl Fn(&Tok) -> bool) -> Result<Expr> {
        let start = self.span().start;
        let mut all = Vec::new();
        self.separator();
        while !ends(self.peek()) {
            all.push(self.expression(0)?);
            if !self.separator() {
                break;
            }
        }
        self.block(all, start)
    }

    /// One expression is itself, others are a block.
    fn block(&self, mut all: Vec<Expr>, start: usize) -> Result<Expr> {
        match all.pop() {
            Some(only) if all.is_empty() => Ok(only),
            Some(last) => {
                all.push(last);
                self.make(Kind::Block(all), start)
            }
            None => self.make(Kind::Block(all), start),
        }
    }

    /// Passes line ends and `;`.
    fn separator(&mut self) -> bool {
        let before = self.at;
        while matches!(self.peek(), Tok::Line | Tok::Semicolon) {
            self.advance();
        }
        self.at > before
    }

    /// The parts of a text in quotes.
    fn parts(&self, pieces: &[Piece]) -> Result<Vec<crate::ast::Part>> {
        use crate::ast::Part;
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(bytes) => Ok(Part::Text(bytes.clone())),
                Piece::Code(tokens, span) => {
                    if self.depth + 1 > self.limits.source_depth {
                        let limit = self.limits.source_depth;
                        return Err(SyntaxError::Limit { what: "the depth of the expression", limit, span: *span });
                    }
                    // The string goes on behind it, so that what is missing in it stays missing.
                    program(tokens, self.limits, self.depth + 1).map(Part::Code).map_err(|error| match error {
                        SyntaxError::Incomplete { message, span } => {
                            SyntaxError::wrong(span, message, "the rest of the expression before `}`")
                        }
                        other => other,
                    })
                }
            })
            .collect()
    }
}
