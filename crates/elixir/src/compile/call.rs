//! Operators, and calls of functions by name.

use super::{Compiler, Result};
use crate::ast::{Callee, Expr, Kind};
use crate::code::Op;
use crate::exception::Exception;
use crate::library;
use crate::token::Span;
use crate::value::module_atom;

impl Compiler<'_> {
    pub(super) fn unary(&mut self, operator: &'static str, operand: &Expr, span: Span) -> Result<()> {
        match operator {
            "&" => return self.capture(operand, span),
            "^" => {
                let message = "cannot use ^ outside of match clauses";
                return Err(Exception::compile(span, message, "a pinned variable stands in a pattern: ^x = 1"));
            }
            "@" => {
                let help = "use a variable";
                return Err(Exception::compile(span, "cannot invoke @/1 outside module", help));
            }
            "~~~" => {
                let help = "use Bitwise.bnot/1";
                return Err(Exception::compile(span, "undefined function ~~~/1 (there is no such import)", help));
            }
            _ => {}
        }
        self.expression(operand)?;
        self.native("Elixir.Kernel", operator, 1, span)
    }

    pub(super) fn binary(&mut self, operator: &'static str, left: &Expr, right: &Expr, span: Span) -> Result<()> {
        match operator {
            "=" => {
                self.expression(right)?;
                let pattern = self.pattern(left)?;
                self.emit(Op::Match(Box::new(pattern)));
                return Ok(());
            }
            "|>" => return self.pipe(left, right, span),
            "&&" | "||" | "and" | "or" => {
                self.expression(left)?;
                let jump = self.jump(match operator {
                    "&&" => Op::KeepIfFalsy(0),
                    "||" => Op::KeepIfTruthy(0),
                    other => Op::Decides(other, 0),
                });
                self.scoped(|compiler| compiler.expression(right))?;
                self.land(jump);
                return Ok(());
            }
            ".." => {
                self.side_by_side([left, right])?;
                return self.native("Elixir.Kernel", "..", 2, span);
            }
            "//" => {
                let Kind::Binary("..", first, last) = &left.kind else {
                    return Err(Exception::compile(span, "undefined function //2", "division is `/`"));
                };
                self.side_by_side([first.as_ref(), last.as_ref(), right])?;
                return self.native("Elixir.Kernel", "..//", 3, span);
            }
            "when" | "::" | "|" | "<-" | "\\\\" => {
                let message = format!("misplaced operator {operator}/2");
                return Err(Exception::compile(span, message, misplaced(operator)));
            }
            "&&&" | "|||" | "<<<" | ">>>" | "^^^" => {
                let function = match operator {
                    "&&&" => "band",
                    "|||" => "bor",
                    "^^^" => "bxor",
                    "<<<" => "bsl",
                    _ => "bsr",
                };
                let message = format!("undefined function {operator}/2 (there is no such import)");
                return Err(Exception::compile(span, message, format!("use Bitwise.{function}/2")));
            }
            _ => {}
        }
        self.side_by_side([left, right])?;
        if library::kernel(operator, 2).is_none() {
            let message = format!("undefined function {operator}/2 (there is no such import)");
            return Err(Exception::compile(span, message, ""));
        }
        self.native("Elixir.Kernel", operator, 2, span)
    }

    /// `left |> right`: left is the first argument of the call on the right.
    fn pipe(&mut self, left: &Expr, right: &Expr, span: Span) -> Result<()> {
        let whole = |callee: &Callee, arguments: &[Expr]| {
            let arguments: Vec<Expr> = std::iter::once(left).chain(arguments).cloned().collect();
            (callee.clone(), arguments)
        };
        let (callee, arguments) = match &right.kind {
            Kind::Call(callee @ (Callee::Local(_) | Callee::Remote(..) | Callee::Value(_)), arguments) => {
                whole(callee, arguments)
            }
            Kind::Variable(name) if name != "_" => whole(&Callee::Local(name.clone()), &[]),
            Kind::Dot(module, name) => whole(&Callee::Remote(module.clone(), name.clone()), &[]),
            Kind::Unary(operator @ ("+" | "-" | "!" | "not"), _) => {
                let message = format!(
                    "piping into a unary operator is not supported, please use the qualified name: Kernel.{operator}(..)"
                );
                return Err(Exception::error("ArgumentError", message));
            }
            _ => {
                let message = format!(
                    "cannot pipe {left} into {right}, can only pipe into local calls foo(), remote calls Foo.bar() or anonymous \
                     function calls foo.()"
                );
                return Err(Exception::error("ArgumentError", message));
            }
        };
        self.call(&callee, &arguments, span)
    }

    /// `left.name`
    pub(super) fn dot(&mut self, left: &Expr, name: &str) -> Result<()> {
        let module = match &left.kind {
            Kind::Alias(alias) => module_atom(alias),
            Kind::Atom(atom) if *atom != *"nil" && *atom != *"true" && *atom != *"false" => Some(atom.clone()),
            _ => None,
        };
        if let Some(module) = module {
            return self.remote(module.as_str(), name, &[], left.span);
        }
        if matches!(left.kind, Kind::Integer(_) | Kind::Float(_) | Kind::Text(_) | Kind::List(_) | Kind::Tuple(_)) {
            let message = format!("invalid call {left}.{name}");
            return Err(Exception::compile(left.span, message, "before a dot stands a module or a map"));
        }
        self.expression(left)?;
        let name = self.atom(name, left.span)?;
        self.emit(Op::Field(name));
        Ok(())
    }

    pub(super) fn call(&mut self, callee: &Callee, arguments: &[Expr], span: Span) -> Result<()> {
        match callee {
            Callee::Local(name) => self.local(name, arguments, span),
            Callee::Value(function) => {
                self.not_in_guard(span)?;
                self.side_by_side(std::iter::once(function.as_ref()).chain(arguments))?;
                self.emit(Op::Apply(arguments.len()));
                Ok(())
            }
            Callee::Remote(module, name) => {
                if name == "{}" {
                    let help = "there is no alias here; write the whole name of the module";
                    return Err(Exception::compile(span, "several names of modules in braces", help));
                }
                let atom = match &module.kind {
                    Kind::Alias(alias) => module_atom(alias),
                    Kind::Atom(atom) => Some(atom.clone()),
                    _ => None,
                };
                match atom {
                    Some(atom) => self.remote(atom.as_str(), name, arguments, span),
                    None => {
                        self.not_in_guard(span)?;
                        self.side_by_side(std::iter::once(module.as_ref()).chain(arguments))?;
                        let name = self.atom(name, span)?;
                        self.emit(Op::Dynamic(name, arguments.len()));
                        Ok(())
                    }
                }
            }
            Callee::Again(_) => {
                Err(Exception::compile(span, "invalid call", "a function value is called with a dot: fun.(x)"))
            }
        }
    }

    fn remote(&mut self, module: &str, name: &str, arguments: &[Expr], span: Span) -> Result<()> {
        // Some of Kernel's are no functions.
        if module == "Elixir.Kernel" && library::kernel(name, arguments.len()).is_none() && is_special(name) {
            return self.local(name, arguments, span);
        }
        self.side_by_side(arguments)?;
        match library::find(module, name, arguments.len()) {
            Some(native) if !self.guard || native.erlang || native.module == "Bitwise" => {
                self.emit(Op::Call(native, arguments.len()));
            }
            Some(_) => self.not_in_guard(span)?,
            None => {
                self.not_in_guard(span)?;
                let (module, name) = (self.atom(module, span)?, self.atom(name, span)?);
                self.emit(Op::External(Some(module), name, arguments.len()));
            }
        }
        Ok(())
    }

    pub(super) fn not_in_guard(&self, span: Span) -> Result<()> {
        if self.guard {
            let help =
                "guards know comparisons, arithmetic, and, or, not, in, and functions such as is_atom/1 and length/1";
            return Err(Exception::compile(span, "this call is not allowed in a guard", help));
        }
        Ok(())
    }

    /// Whether a name without a module can be called.
    pub(super) fn is_known(&self, name: &str, arity: usize) -> bool {
        library::kernel(name, arity).is_some() || self.session.offers(name, arity) || (name, arity) == ("binding", 0)
    }

    /// `name(..)`
    pub(super) fn local(&mut self, name: &str, arguments: &[Expr], span: Span) -> Result<()> {
        if self.special(name, arguments, span)? {
            return Ok(());
        }
        if let Some(native) = library::kernel(name, arguments.len()) {
            if self.guard && !is_guard(native) {
                self.not_in_guard(span)?;
            }
            self.side_by_side(arguments)?;
            self.emit(Op::Call(native, arguments.len()));
            return Ok(());
        }
        let arity = arguments.len();
        if self.session.offers(name, arity) {
            self.not_in_guard(span)?;
            self.side_by_side(arguments)?;
            let name = self.atom(name, span)?;
            self.emit(Op::External(None, name, arity));
            return Ok(());
        }
        let mut arities: Vec<String> = library::all()
            .filter(|native| native.module == "Kernel" && native.name == name)
            .map(|native| format!("{name}/{}", native.most))
            .collect();
        arities.dedup();
        let help = match self.resolve(name) {
            Some(_) => format!("`{name}` is a variable; call the function in it with a dot: {name}.(..)"),
            None if let Some(why) = self.session.refusal(name) => why.to_owned(),
            None if !arities.is_empty() => format!("there is {}", arities.join(", ")),
            None => "functions of modules are called with the module: Mod.fun(..)".to_owned(),
        };
        Err(Exception::compile(span, format!("undefined function {name}/{arity} (there is no such import)"), help))
    }
}

/// What may be called in guards.
fn is_guard(native: &library::Native) -> bool {
    let operator = !native.name.starts_with(|first: char| first.is_ascii_alphabetic());
    native.erlang
        || operator && !matches!(native.name, "!" | "<>" | "=~")
        || matches!(native.name, "in" | "not" | "is_nil" | "is_struct" | "is_exception")
}

fn is_special(name: &str) -> bool {
    matches!(
        name,
        "if" | "unless" | "raise" | "match?" | "tap" | "then" | "binding" | "dbg" | "|>" | "&&" | "||" | "and" | "or"
    )
}

fn misplaced(operator: &str) -> &'static str {
    match operator {
        "|" => "`|` stands in lists, [head | tail], and in map updates, %{map | key: value}",
        "<-" => "`<-` stands in `for` and `with`",
        "::" => "`::` stands in binaries: <<x::8>>",
        "when" => "`when` stands before `->`",
        _ => "it stands in definitions of functions",
    }
}
