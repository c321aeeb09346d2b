//! `fn`, and the captures `&name/1`, `&Mod.name/1`, `&(&1 + 1)`.

use std::sync::Arc;

use beamline_term::ExportFun;

use super::{Compiler, Function, Result};
use crate::ast::{Callee, Clause, Expr, Kind};
use crate::code::{Failure, Op};
use crate::exception::Exception;
use crate::library;
use crate::token::Span;
use crate::value::{Data, Value, module_atom};

impl Compiler<'_> {
    pub(super) fn closure(&mut self, clauses: &[Clause], span: Span) -> Result<()> {
        self.not_in_guard(span)?;
        let arity = clauses.first().map_or(0, |clause| clause.arguments.len());
        if clauses.iter().any(|clause| clause.arguments.len() != arity) {
            let message = "cannot mix clauses with different arities in anonymous functions";
            return Err(Exception::compile(span, message, "give all clauses as many arguments"));
        }
        self.in_function(arity, |compiler| {
            for clause in clauses {
                compiler.scoped(|compiler| {
                    let mut misses = Vec::new();
                    // All patterns first: a name that stands in two of them is one variable.
                    let patterns = compiler.patterns(&clause.arguments)?;
                    for (slot, pattern) in patterns.into_iter().enumerate() {
                        compiler.emit(Op::Load(slot));
                        misses.push(compiler.jump(Op::TryMatch(Box::new(pattern), 0)));
                    }
                    misses.extend(compiler.guard(clause.guard.as_ref())?);
                    compiler.expression(&clause.body)?;
                    compiler.emit(Op::Return);
                    misses.into_iter().for_each(|miss| compiler.land(miss));
                    Ok(())
                })?;
            }
            compiler.emit(Op::Fail(Failure::Function));
            Ok(())
        })
    }

    /// Compiles a function, and what makes a value of it.
    pub(super) fn in_function(&mut self, arity: usize, body: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.functions.push(Function { slots: arity, ..Function::default() });
        let result = body(self);
        let function = self.functions.pop().unwrap_or_default();
        result?;
        let outside = function.captured.iter().map(|(_, outside, _)| *outside).collect();
        self.emit(Op::Closure(Arc::new(function.finish(arity)), outside));
        Ok(())
    }

    /// `&operand`
    pub(super) fn capture(&mut self, operand: &Expr, span: Span) -> Result<()> {
        self.not_in_guard(span)?;
        if let Kind::Binary("/", name, arity) = &operand.kind
            && let Kind::Integer(arity) = &arity.kind
            && let Some(arity) = u8::try_from(arity).ok()
            && self.capture_named(name, arity, span)?
        {
            return Ok(());
        }
        let mut highest = 0;
        let mut seen = Vec::new();
        placeholders(operand, &mut |number| {
            highest = highest.max(number);
            seen.push(number);
        });
        if !self.placeholders.is_empty() && highest > 0 {
            return Err(Exception::compile(
                span,
                "nested captures are not allowed",
                "use fn for the outer or the inner one",
            ));
        }
        if highest == 0 {
            if matches!(operand.kind, Kind::Integer(_)) {
                let message = "capture argument must be used within the capture operator &";
                return Err(Exception::compile(span, message, "write & &1, with what to do with it"));
            }
            let message = "invalid args for &, expected one of: &Mod.fun/arity, &local/arity, or one with at least one \
                           argument as &1";
            return Err(Exception::compile(span, message, "use fn -> .. end for a function without arguments"));
        }
        if let Some(missing) = (1..highest).find(|number| !seen.contains(number)) {
            let message = format!("capture argument &{highest} cannot be defined without &{missing}");
            return Err(Exception::compile(span, message, "number the arguments from &1 on without a gap"));
        }
        let names: Vec<String> = (1..=highest).map(|number| format!("&{number}")).collect();
        self.in_function(highest as usize, |compiler| {
            let slots = names.iter().enumerate().map(|(slot, name)| (name.clone(), slot));
            compiler.function().scope.extend(slots);
            compiler.placeholders.push(names.clone());
            let result = compiler.expression(operand);
            compiler.placeholders.pop();
            compiler.emit(Op::Return);
            result
        })
    }

    /// A function by its name; false if it is no name.
    fn capture_named(&mut self, name: &Expr, arity: u8, span: Span) -> Result<bool> {
        let (module, name) = match &name.kind {
            Kind::Variable(name) => (None, name),
            Kind::Dot(module, name) => (Some(module.as_ref()), name),
            Kind::Call(Callee::Remote(module, name), arguments) if arguments.is_empty() => {
                (Some(module.as_ref()), name)
            }
            _ => return Ok(false),
        };
        let export = |module, function| Value(Data::Export(Arc::new(ExportFun { module, function, arity })));
        let function = self.atom(name, span)?;
        match module.map(|module| &module.kind) {
            Some(Kind::Alias(alias)) => {
                let Some(module) = module_atom(alias) else {
                    return Ok(false);
                };
                self.push(export(module, function));
            }
            Some(Kind::Atom(module)) => self.push(export(module.clone(), function)),
            // The module is known only when it runs.
            Some(_) => {
                let Some(module) = module else {
                    return Ok(false);
                };
                self.expression(module)?;
                self.push(Value::atom(function));
                self.push(Value::integer(i64::from(arity)));
                self.native("Elixir.Function", "capture", 3, span)?;
            }
            None => match library::kernel(name, usize::from(arity)) {
                Some(native) => {
                    let module = if native.erlang { "erlang" } else { "Elixir.Kernel" };
                    let module = self.atom(module, span)?;
                    self.push(export(module, function));
                }
                // What is no function by itself, and helpers of the host, are called by one.
                None => {
                    let arity = usize::from(arity);
                    let places: Vec<Expr> =
                        (1..=arity as u32).map(|number| Expr::new(Kind::Placeholder(number), span)).collect();
                    if arity == 0 {
                        return self.in_function(0, |compiler| compiler.local(name, &[], span)).map(|()| true);
                    }
                    let call = Expr::new(Kind::Call(Callee::Local(name.clone()), places), span);
                    self.capture(&call, span)?;
                }
            },
        }
        Ok(true)
    }

    pub(super) fn placeholder(&mut self, number: u32, span: Span) -> Result<()> {
        let name = format!("&{number}");
        let known = self.placeholders.last().is_some_and(|names| names.contains(&name));
        match if known { self.resolve(&name) } else { None } {
            Some(slot) => {
                self.emit(Op::Load(slot));
                Ok(())
            }
            None => {
                let message = format!("capture argument &{number} must be used within the capture operator &");
                Err(Exception::compile(span, message, "write & before the expression: &(&1 + 1)"))
            }
        }
    }
}

/// The numbers of all `&1` in an expression, those of captures within it included.
fn placeholders(expression: &Expr, found: &mut impl FnMut(u32)) {
    let mut waiting = vec![expression];
    while let Some(next) = waiting.pop() {
        if let Kind::Placeholder(number) = &next.kind {
            found(*number);
        }
        next.kind.each_child(|child| waiting.push(child));
    }
}
