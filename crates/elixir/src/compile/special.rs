//! Names that are no functions: `if`, `case`, `raise` and their like, and those that are not evaluated here.

use super::{Compiler, Result};
use crate::ast::{Expr, Kind};
use crate::code::Op;
use crate::exception::Exception;
use crate::pattern::Pattern;
use crate::token::Span;
use crate::value::Value;

/// Constructs that are read but not evaluated, and what can be used instead.
const UNKNOWN: [(&str, &str); 32] = [
    (
        "defmodule",
        "modules are compiled into an application, not at this prompt; bind a function to a variable: f = fn x -> .. end",
    ),
    ("def", "bind a function to a variable: f = fn x -> .. end"),
    ("defp", "bind a function to a variable: f = fn x -> .. end"),
    ("defmacro", "there are no macros here; use a function"),
    ("defmacrop", "there are no macros here; use a function"),
    ("defstruct", "use a map, or %Name{field: value} of a struct that the other node knows"),
    ("defprotocol", "use case on the value"),
    ("defimpl", "use case on the value"),
    ("defdelegate", "call the function by its module"),
    ("defguard", "write the condition where it is needed"),
    ("defexception", "raise a RuntimeError: raise \"text\""),
    ("quote", "there are no macros here"),
    ("unquote", "there are no macros here"),
    ("unquote_splicing", "there are no macros here"),
    ("receive", "this prompt has no mailbox of its own; call a process: GenServer.call(pid, request)"),
    ("try", "an exception ends the expression and keeps all bindings; ask first, with case or Map.fetch/2"),
    ("import", "call the function by its module: Mod.fun(..)"),
    ("alias", "write the whole name of the module"),
    ("require", "there are no macros here, so nothing has to be required"),
    ("use", "there are no macros here"),
    ("super", "there are no modules here"),
    ("reraise", "use raise"),
    ("spawn", "start processes in an application; here, call functions of the node"),
    ("spawn_link", "start processes in an application; here, call functions of the node"),
    ("spawn_monitor", "start processes in an application; here, call functions of the node"),
    ("var!", "there are no macros here"),
    ("alias!", "there are no macros here"),
    ("get_and_update_in", "use Map.get/2 and Map.put/3"),
    ("pop_in", "use Map.pop/2"),
    ("struct", "write %Name{field: value}"),
    ("struct!", "write %Name{field: value}"),
    ("destructure", "use a pattern: [a, b] = list"),
];

impl Compiler<'_> {
    /// Compiles a call if its name is special.
    pub(super) fn special(&mut self, name: &str, arguments: &[Expr], span: Span) -> Result<bool> {
        if let Some((_, instead)) = UNKNOWN.iter().find(|(unknown, _)| *unknown == name)
            && !self.session.offers(name, arguments.len())
        {
            return Err(Exception::compile(span, format!("`{name}` is not known here"), *instead));
        }
        match (name, arguments) {
            ("if" | "unless", [condition, sections]) => {
                self.not_in_guard(span)?;
                self.conditional(condition, sections, name == "if", span)?;
            }
            ("case", [subject, sections]) => self.case(subject, sections, span)?,
            ("cond", [sections]) => self.cond(sections, span)?,
            ("with", [steps @ .., sections]) => self.with(steps, sections, span)?,
            ("for", [steps @ .., sections]) => self.comprehension(steps, sections, span)?,
            ("match?", [pattern, value]) => self.match_question(pattern, value)?,
            ("then", [value, function]) => {
                self.side_by_side([function, value])?;
                self.emit(Op::Apply(1));
            }
            ("tap", [value, function]) => {
                self.expression(value)?;
                self.emit(Op::Duplicate);
                let slot = self.slot();
                self.emit(Op::Match(Box::new(Pattern::Bind(slot))));
                self.emit(Op::Pop);
                self.expression(function)?;
                self.emit(Op::Load(slot));
                self.emit(Op::Apply(1));
                self.emit(Op::Pop);
            }
            ("dbg", [value]) => {
                let label = crate::format::source(value);
                let label = self.session.heap().binary(format!("{label} #=> "));
                self.expression(value)?;
                self.push(label);
                self.native("Elixir.IO", "dbg", 2, span)?;
            }
            ("binding", []) => self.binding(),
            ("raise", [what]) => {
                self.expression(what)?;
                self.native("Elixir.Kernel", "raise", 1, span)?;
            }
            ("get_in" | "put_in" | "update_in", [Expr { kind: Kind::Access(..) | Kind::Dot(..), .. }, ..])
                if arguments.len() < if name == "get_in" { 2 } else { 3 } =>
            {
                let help = format!("give the keys as a list: {name}(map, [:key, ..])");
                return Err(Exception::compile(span, "paths are not known here", help));
            }
            ("&&" | "||" | "and" | "or" | "|>", [left, right]) => {
                let operator = match name {
                    "&&" => "&&",
                    "||" => "||",
                    "and" => "and",
                    "or" => "or",
                    _ => "|>",
                };
                self.binary(operator, left, right, span)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The variables in reach, as a keyword list in the order of their names.
    fn binding(&mut self) {
        let mut names: Vec<String> =
            self.functions.iter().flat_map(|function| function.scope.iter().map(|(name, _)| name.clone())).collect();
        names.extend(self.session.bindings().map(|(name, _)| name.to_owned()));
        names.retain(|name| !name.starts_with('_'));
        names.sort();
        names.dedup();
        let mut count = 0;
        for name in names {
            let (Some(slot), Ok(atom)) = (self.resolve(&name), beamline_term::Atom::new(&name)) else {
                continue;
            };
            self.push(Value::atom(atom));
            self.emit(Op::Load(slot));
            self.emit(Op::Tuple(2));
            count += 1;
        }
        self.emit(Op::List(count, false));
    }
}
