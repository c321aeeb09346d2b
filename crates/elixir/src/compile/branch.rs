//! `if`, `case`, `cond`, `with`: one of several ways, whose variables stay their own.

use super::{Compiler, Result};
use crate::ast::{Clause, Expr, Kind};
use crate::code::{Failure, Op};
use crate::exception::Exception;
use crate::token::Span;
use crate::value::Value;

impl Compiler<'_> {
    /// The sections of a `do` block or of keywords, by name.
    pub(super) fn sections<'e>(&self, all: &'e Expr, known: &[&str], span: Span) -> Result<Vec<(&'e str, &'e Expr)>> {
        let sections = all.keywords().unwrap_or_default();
        let sections: Vec<(&str, &Expr)> = sections.into_iter().map(|(key, value)| (key.as_str(), value)).collect();
        if !sections.iter().any(|(name, _)| *name == "do") {
            return Err(Exception::compile(span, "the `do` block is missing", "write do .. end, or , do: .."));
        }
        if let Some((name, section)) = sections.iter().find(|(name, _)| !known.contains(name)) {
            let message = format!("`{name}` does not belong here");
            return Err(Exception::compile(section.span, message, format!("known here: {}", known.join(", "))));
        }
        Ok(sections)
    }

    fn section<'e>(sections: &[(&str, &'e Expr)], name: &str) -> Option<&'e Expr> {
        sections.iter().rev().find(|(own, _)| *own == name).map(|(_, section)| *section)
    }

    /// A section in a scope of its own; without one it is nil.
    fn way(&mut self, section: Option<&Expr>) -> Result<()> {
        match section {
            Some(section) => self.scoped(|compiler| compiler.expression(section)),
            None => {
                self.push(Value::NIL);
                Ok(())
            }
        }
    }

    pub(super) fn conditional(&mut self, condition: &Expr, sections: &Expr, positive: bool, span: Span) -> Result<()> {
        let sections = self.sections(sections, &["do", "else"], span)?;
        let (mut first, mut second) = (Self::section(&sections, "do"), Self::section(&sections, "else"));
        if !positive {
            std::mem::swap(&mut first, &mut second);
        }
        self.expression(condition)?;
        let otherwise = self.jump(Op::JumpIfFalsy(0));
        self.way(first)?;
        let end = self.jump(Op::Jump(0));
        self.land(otherwise);
        self.way(second)?;
        self.land(end);
        Ok(())
    }

    /// The clauses of a section.
    pub(super) fn clauses<'e>(&self, section: Option<&'e Expr>, span: Span) -> Result<&'e [Clause]> {
        match section.map(|section| &section.kind) {
            Some(Kind::Clauses(clauses)) => Ok(clauses),
            _ => Err(Exception::compile(span, "expected -> clauses", "write pattern -> value")),
        }
    }

    pub(super) fn case(&mut self, subject: &Expr, sections: &Expr, span: Span) -> Result<()> {
        self.not_in_guard(span)?;
        let sections = self.sections(sections, &["do"], span)?;
        let clauses = self.clauses(Self::section(&sections, "do"), span)?;
        self.expression(subject)?;
        self.choose(clauses, Failure::Case, span)
    }

    /// Tries clauses of one pattern each on the value on the stack, which the chosen way replaces.
    pub(super) fn choose(&mut self, clauses: &[Clause], failure: Failure, span: Span) -> Result<()> {
        let mut ends = Vec::new();
        for clause in clauses {
            let [pattern] = clause.arguments.as_slice() else {
                return Err(Exception::compile(
                    span,
                    "expected one argument before ->",
                    "several values are a tuple: {a, b} ->",
                ));
            };
            let end = self.scoped(|compiler| {
                compiler.emit(Op::Duplicate);
                let pattern = compiler.pattern(pattern)?;
                let mut misses = vec![compiler.jump(Op::TryMatch(Box::new(pattern), 0))];
                misses.extend(compiler.guard(clause.guard.as_ref())?);
                compiler.emit(Op::Pop);
                compiler.expression(&clause.body)?;
                let end = compiler.jump(Op::Jump(0));
                misses.into_iter().for_each(|miss| compiler.land(miss));
                Ok(end)
            })?;
            ends.push(end);
        }
        self.emit(Op::Fail(failure));
        ends.into_iter().for_each(|end| self.land(end));
        Ok(())
    }

    /// A guard, and the jumps for when it does not hold.
    pub(super) fn guard(&mut self, guard: Option<&Expr>) -> Result<Vec<usize>> {
        let Some(guard) = guard else {
            return Ok(Vec::new());
        };
        // `when a when b` holds if either does.
        if let Kind::Binary("when", first, second) = &guard.kind {
            let misses = self.guard(Some(first))?;
            let holds = self.jump(Op::Jump(0));
            misses.into_iter().for_each(|miss| self.land(miss));
            let misses = self.guard(Some(second))?;
            self.land(holds);
            return Ok(misses);
        }
        let begin = self.jump(Op::GuardBegin(0));
        let outer = std::mem::replace(&mut self.guard, true);
        let result = self.expression(guard);
        self.guard = outer;
        result?;
        let check = self.jump(Op::GuardCheck(0));
        Ok(vec![begin, check])
    }

    pub(super) fn cond(&mut self, sections: &Expr, span: Span) -> Result<()> {
        self.not_in_guard(span)?;
        let sections = self.sections(sections, &["do"], span)?;
        let clauses = self.clauses(Self::section(&sections, "do"), span)?;
        let mut ends = Vec::new();
        for clause in clauses {
            let [condition] = clause.arguments.as_slice() else {
                return Err(Exception::compile(span, "expected one condition before ->", ""));
            };
            let end = self.scoped(|compiler| {
                compiler.expression(condition)?;
                let miss = compiler.jump(Op::JumpIfFalsy(0));
                compiler.expression(&clause.body)?;
                let end = compiler.jump(Op::Jump(0));
                compiler.land(miss);
                Ok(end)
            })?;
            ends.push(end);
        }
        self.emit(Op::Fail(Failure::Cond));
        ends.into_iter().for_each(|end| self.land(end));
        Ok(())
    }

    pub(super) fn with(&mut self, steps: &[Expr], sections: &Expr, span: Span) -> Result<()> {
        self.not_in_guard(span)?;
        let sections = self.sections(sections, &["do", "else"], span)?;
        let mut misses = Vec::new();
        let end = self.scoped(|compiler| {
            for step in steps {
                let Kind::Binary("<-", pattern, value) = &step.kind else {
                    compiler.expression(step)?;
                    compiler.emit(Op::Pop);
                    continue;
                };
                compiler.expression(value)?;
                let (pattern, guard) = match &pattern.kind {
                    Kind::Binary("when", pattern, guard) => (pattern.as_ref(), Some(guard.as_ref())),
                    _ => (pattern.as_ref(), None),
                };
                compiler.emit(Op::Duplicate);
                let pattern = compiler.pattern(pattern)?;
                misses.push(compiler.jump(Op::TryMatch(Box::new(pattern), 0)));
                misses.extend(compiler.guard(guard)?);
                compiler.emit(Op::Pop);
            }
            compiler.way(Self::section(&sections, "do"))?;
            Ok(compiler.jump(Op::Jump(0)))
        })?;
        misses.into_iter().for_each(|miss| self.land(miss));
        if let Some(otherwise) = Self::section(&sections, "else") {
            let clauses = self.clauses(Some(otherwise), span)?;
            self.choose(clauses, Failure::With, span)?;
        }
        self.land(end);
        Ok(())
    }

    /// `match?(pattern, value)`
    pub(super) fn match_question(&mut self, pattern: &Expr, value: &Expr) -> Result<()> {
        self.expression(value)?;
        self.scoped(|compiler| {
            let (pattern, guard) = match &pattern.kind {
                Kind::Binary("when", pattern, guard) => (pattern.as_ref(), Some(guard.as_ref())),
                _ => (pattern, None),
            };
            let pattern = compiler.pattern(pattern)?;
            let mut misses = vec![compiler.jump(Op::TryMatch(Box::new(pattern), 0))];
            misses.extend(compiler.guard(guard)?);
            compiler.push(Value::TRUE);
            let end = compiler.jump(Op::Jump(0));
            misses.into_iter().for_each(|miss| compiler.land(miss));
            compiler.push(Value::FALSE);
            compiler.land(end);
            Ok(())
        })
    }
}
