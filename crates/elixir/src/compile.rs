//! From expressions to code. Variables become slots here, and what is unknown is refused before anything runs.

mod binary;
mod branch;
mod call;
mod comprehension;
mod function;
mod literal;
mod pattern;
mod special;

use beamline_term::Atom;

use crate::ast::{Expr, Kind};
use crate::code::{Code, Op};
use crate::eval::Session;
use crate::exception::Exception;
use crate::token::Span;
use crate::value::Value;

type Result<T> = std::result::Result<T, Exception>;

/// The whole text, compiled.
pub(crate) struct Program {
    pub(crate) code: Code,
    /// The variables of the session that it uses, in the order of the code's captures.
    pub(crate) captured: Vec<String>,
    /// The variables that are bound at its end, with their slots.
    pub(crate) names: Vec<(String, usize)>,
}

pub(crate) fn program(expression: &Expr, session: &Session) -> Result<Program> {
    let mut compiler =
        Compiler { functions: vec![Function::default()], session, placeholders: Vec::new(), guard: false };
    compiler.whole(expression)?;
    let function = compiler.functions.pop().unwrap_or_default();
    let (names, captured) = (function.scope.clone(), function.captured.iter().map(|(name, ..)| name.clone()).collect());
    Ok(Program { code: function.finish(0), captured, names })
}

struct Compiler<'a> {
    /// Those around, the innermost last.
    functions: Vec<Function>,
    session: &'a Session,
    /// The slots of `&1`, `&2`.. of the captures around.
    placeholders: Vec<Vec<String>>,
    /// Whether a guard is compiled, where little is allowed.
    guard: bool,
}

#[derive(Default)]
struct Function {
    ops: Vec<Op>,
    /// The variables in reach with their slots; of a name the last counts.
    scope: Vec<(String, usize)>,
    /// The variables of outside: name, the slot outside, and the one here.
    captured: Vec<(String, usize, usize)>,
    slots: usize,
}

impl Function {
    fn finish(self, arity: usize) -> Code {
        let captures = self.captured.iter().map(|(_, _, slot)| *slot).collect();
        Code { arity, slots: self.slots, captures, ops: self.ops }
    }

    fn find(&self, name: &str) -> Option<usize> {
        let local = self.scope.iter().rev().find(|(own, _)| own == name).map(|(_, slot)| *slot);
        local.or_else(|| self.captured.iter().find(|(own, ..)| own == name).map(|(.., slot)| *slot))
    }
}

impl Compiler<'_> {
    fn function(&mut self) -> &mut Function {
        if self.functions.is_empty() {
            self.functions.push(Function::default());
        }
        let last = self.functions.len() - 1;
        &mut self.functions[last]
    }

    fn emit(&mut self, op: Op) {
        self.function().ops.push(op);
    }

    /// The place of the next operation.
    fn here(&mut self) -> usize {
        self.function().ops.len()
    }

    /// A jump whose goal is not known yet.
    fn jump(&mut self, op: Op) -> usize {
        self.emit(op);
        self.here() - 1
    }

    /// Lets a jump go to the next operation.
    fn land(&mut self, jump: usize) {
        let here = self.here();
        if let Some(
            Op::Jump(to)
            | Op::JumpIfFalsy(to)
            | Op::KeepIfFalsy(to)
            | Op::KeepIfTruthy(to)
            | Op::Decides(_, to)
            | Op::TryMatch(_, to)
            | Op::GuardBegin(to)
            | Op::GuardCheck(to),
        ) = self.function().ops.get_mut(jump)
        {
            *to = here
        }
    }

    fn push(&mut self, value: Value) {
        self.emit(Op::Push(value));
    }

    fn slot(&mut self) -> usize {
        let function = self.function();
        function.slots += 1;
        function.slots - 1
    }

    /// The slot of a variable, which is captured from outside if it has to be.
    fn resolve(&mut self, name: &str) -> Option<usize> {
        let last = self.functions.len().checked_sub(1)?;
        self.resolve_in(last, name)
    }

    fn resolve_in(&mut self, level: usize, name: &str) -> Option<usize> {
        if let Some(slot) = self.functions.get(level)?.find(name) {
            return Some(slot);
        }
        let outside = match level.checked_sub(1) {
            Some(outer) => self.resolve_in(outer, name)?,
            // Outside the text is the session.
            None => self.session.get(name).map(|_| 0)?,
        };
        let function = self.functions.get_mut(level)?;
        let slot = function.slots;
        function.slots += 1;
        function.captured.push((name.to_owned(), outside, slot));
        Some(slot)
    }

    /// Compiles with the variables as they are, and forgets those that are bound meanwhile.
    fn scoped<T>(&mut self, compile: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let length = self.function().scope.len();
        let result = compile(self);
        self.function().scope.truncate(length);
        result
    }

    /// Compiles expressions of which none sees the variables of the others.
    fn side_by_side<'e>(&mut self, all: impl IntoIterator<Item = &'e Expr>) -> Result<usize> {
        let before = self.function().scope.len();
        let (mut bound, mut count) = (Vec::new(), 0);
        for one in all {
            self.expression(one)?;
            bound.extend(self.function().scope.drain(before..));
            count += 1;
        }
        self.function().scope.extend(bound);
        Ok(count)
    }

    pub(crate) fn expression(&mut self, expression: &Expr) -> Result<()> {
        let span = expression.span;
        match &expression.kind {
            Kind::Integer(number) => self.push(Value::big(number.clone())),
            Kind::Float(number) => self.push(Value::float(*number)),
            Kind::Atom(atom) => self.push(Value::atom(atom.clone())),
            Kind::Variable(name) => return self.variable(name, span),
            Kind::Block(all) => return self.block(all, false),
            Kind::Call(callee, arguments) => return self.call(callee, arguments, span),
            Kind::Unary(operator, operand) => return self.unary(operator, operand, span),
            Kind::Binary(operator, left, right) => return self.binary(operator, left, right, span),
            Kind::Dot(left, name) => return self.dot(left, name),
            Kind::Access(left, key) => {
                self.side_by_side([left.as_ref(), key.as_ref()])?;
                return self.native("Elixir.Access", "get", 2, span);
            }
            Kind::Placeholder(number) => return self.placeholder(*number, span),
            Kind::Fn(clauses) => return self.closure(clauses, span),
            Kind::Clauses(_) => {
                return Err(Exception::compile(
                    span,
                    "unexpected operator ->",
                    "clauses stand in `fn`, `case` or `cond`",
                ));
            }
            _ => return self.literal(expression),
        }
        Ok(())
    }

    /// The whole text, which notes where it is.
    fn whole(&mut self, expression: &Expr) -> Result<()> {
        match &expression.kind {
            Kind::Block(all) => self.block(all, true),
            _ => self.block(std::slice::from_ref(expression), true),
        }
    }

    fn block(&mut self, all: &[Expr], is_text: bool) -> Result<()> {
        for (place, one) in all.iter().enumerate() {
            if place > 0 {
                self.emit(Op::Pop);
            }
            if is_text {
                self.emit(Op::Begin(one.span.start));
            }
            self.expression(one)?;
        }
        if all.is_empty() {
            self.push(Value::NIL);
        }
        Ok(())
    }

    fn variable(&mut self, name: &str, span: Span) -> Result<()> {
        if let Some(slot) = self.resolve(name) {
            self.emit(Op::Load(slot));
            return Ok(());
        }
        if name == "_" {
            let message = "invalid use of _. _ can only be used inside patterns to ignore values";
            return Err(Exception::compile(span, message, "give it a name to use its value"));
        }
        // `self` and `node` are calls.
        if self.is_known(name, 0) {
            return self.local(name, &[], span);
        }
        let help = self.nearest_variable(name);
        Err(Exception::compile(span, format!("undefined variable \"{name}\""), help))
    }

    fn nearest_variable(&self, name: &str) -> String {
        if name.starts_with("__") && name.ends_with("__") {
            return "there are no modules, files or lines at a prompt".into();
        }
        let scopes = self.functions.iter().flat_map(|function| function.scope.iter().map(|(name, _)| name.as_str()));
        let known = scopes.chain(self.session.bindings().map(|(name, _)| name));
        let near = known.filter(|known| known.eq_ignore_ascii_case(name) || known.starts_with(name)).min();
        near.map_or_else(|| format!("bind it first: {name} = .."), |near| format!("did you mean `{near}`?"))
    }

    /// Calls a function of ours with what is on the stack.
    fn native(&mut self, module: &str, name: &str, count: usize, span: Span) -> Result<()> {
        match crate::library::find(module, name, count) {
            Some(native) => self.emit(Op::Call(native, count)),
            None => return Err(Exception::compile(span, format!("undefined function {name}/{count}"), "")),
        }
        Ok(())
    }

    fn atom(&self, text: &str, span: Span) -> Result<Atom> {
        Atom::new(text).map_err(|error| Exception::compile(span, error.to_string(), ""))
    }
}
