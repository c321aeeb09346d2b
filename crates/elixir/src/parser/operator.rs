//! Operators by precedence.

use super::{Parser, Result};
use crate::ast::{Expr, Kind};
use crate::error::SyntaxError;
use crate::token::{Tok, binding, is_prefix_only, prefix_binding};

impl Parser<'_> {
    /// An expression whose operators bind at least so tightly.
    pub(super) fn expression(&mut self, least: u16) -> Result<Expr> {
        self.nested(|parser| {
            let left = parser.prefix()?;
            parser.operators(left, least)
        })
    }

    /// Goes on behind an expression with operators that bind at least so tightly.
    pub(super) fn operators(&mut self, mut left: Expr, least: u16) -> Result<Expr> {
        while let Tok::Operator(operator) = *self.peek() {
            // A call without parentheses has taken all that it could.
            let Some((strength, right)) = binding(operator).filter(|(strength, _)| *strength >= least) else {
                break;
            };
            if operator == "=>" {
                break;
            }
            let place = self.span();
            self.advance();
            self.skip_line();
            let operand = self.expression(if right { strength } else { strength + 1 })?;
            if operator == "//" && !matches!(left.kind, Kind::Binary("..", ..)) {
                let expected = "a range before it, as in 1..9//2; division is `/`";
                return Err(SyntaxError::wrong(place, "unexpected `//`", expected));
            }
            let start = left.span.start;
            left = match (operator, left.kind) {
                ("not in", kind) => {
                    let left = Expr { kind, ..left };
                    let inner = self.make(Kind::Binary("in", Box::new(left), Box::new(operand)), start)?;
                    self.make(Kind::Unary("not", Box::new(inner)), start)?
                }
                // `not a in b` means `not(a in b)`.
                ("in", Kind::Unary(negation @ ("not" | "!"), inner)) => {
                    let inner = self.make(Kind::Binary("in", inner, Box::new(operand)), start)?;
                    self.make(Kind::Unary(negation, Box::new(inner)), start)?
                }
                (_, kind) => {
                    let left = Expr { kind, ..left };
                    self.make(Kind::Binary(operator, Box::new(left), Box::new(operand)), start)?
                }
            };
        }
        Ok(left)
    }

    /// An operator before its operand, or what has none.
    fn prefix(&mut self) -> Result<Expr> {
        let start = self.span().start;
        match *self.peek() {
            Tok::Operator(operator) if is_prefix_only(operator) || matches!(operator, "+" | "-") => {
                self.advance();
                self.skip_line();
                let operand = self.expression(prefix_binding(operator))?;
                let operand = self.make(Kind::Unary(operator, Box::new(operand)), start)?;
                // `@a.b` is `(@a).b`.
                if operator == "@" { self.postfix(operand, true) } else { Ok(operand) }
            }
            Tok::Operator("..") => {
                self.advance();
                self.many = false;
                self.make(Kind::FullRange, start)
            }
            _ => self.primary(),
        }
    }
}
