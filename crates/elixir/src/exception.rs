//! What ends an evaluation that does not give a value, in Elixir's words.

use std::fmt;

use beamline_term::inspect::Elixir;
use beamline_term::{Inspect, Term};

use crate::token::Span;
use crate::value::Value;

/// Why an expression gave no value. It prints as IEx prints it: `** (ArithmeticError) bad argument in ..`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Exception {
    /// An exception: the name of its module without `Elixir.`, and its message.
    Error {
        /// Such as `ArithmeticError`.
        name: String,
        /// Such as `bad argument in arithmetic expression: 1 + :a`.
        message: String,
    },
    /// It was found before anything ran: an unknown variable or function, a construct that is not known here.
    Compile {
        /// What is wrong.
        message: String,
        /// What can be used instead; empty if there is nothing to say.
        help: String,
        /// Where.
        span: Span,
    },
    /// `throw(value)`
    Throw(Term),
    /// `exit(reason)`, or how a called process ended.
    Exit(Term),
    /// It went over one of the [`Limits`](crate::Limits).
    Limit {
        /// What was over it.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
}

impl Exception {
    /// An exception by the name of its module, without `Elixir.`, and its message.
    pub fn error(name: impl Into<String>, message: impl Into<String>) -> Exception {
        Exception::Error { name: name.into(), message: message.into() }
    }

    /// A call of a function that there is not. `module` is an atom's text: `Elixir.Enum` or `lists`. `exports` are the functions
    /// of the module, with how many arguments they take, if there is such a module; those of this crate's own need not be named.
    pub fn undefined(module: &str, function: &str, arity: usize, exports: &[(String, usize)]) -> Exception {
        let shown = Term::from(beamline_term::Atom::new(module).unwrap_or(beamline_term::atom("nil"))).to_string();
        let mut all: Vec<(&str, usize)> = crate::library::exports(module).collect();
        all.extend(exports.iter().map(|(name, arity)| (name.as_str(), *arity)));
        let mut message = format!("function {shown}.{}/{arity} is undefined", function_name(function));
        if all.is_empty() {
            message.push_str(&format!(" (module {shown} is not available)"));
        } else {
            message.push_str(" or private");
            let meant = meant(function, &all);
            if !meant.is_empty() {
                message.push_str(". Did you mean:\n\n");
                meant.iter().for_each(|(name, arity)| {
                    message.push_str(&format!("    * {}/{arity}\n", function_name(name)));
                });
            }
        }
        Exception::error("UndefinedFunctionError", message)
    }

    pub(crate) fn argument(message: impl Into<String>) -> Exception {
        Exception::error("ArgumentError", message)
    }

    /// What Erlang's functions say of the argument at a place, counted from 1.
    pub(crate) fn bad_argument(place: usize, what: &str) -> Exception {
        let ordinal = match place {
            1 => "1st",
            2 => "2nd",
            3 => "3rd",
            _ => "4th",
        };
        Exception::argument(format!("errors were found at the given arguments:\n\n  * {ordinal} argument: {what}\n"))
    }

    pub(crate) fn compile(span: Span, message: impl Into<String>, help: impl Into<String>) -> Exception {
        Exception::Compile { message: message.into(), help: help.into(), span }
    }

    /// No clause of a function takes these arguments.
    pub(crate) fn clause(function: &str, arguments: &[Value], elixir: Elixir) -> Exception {
        let function = format!("{function}/{}", arguments.len());
        let mut message = format!("no function clause matching in {function}");
        if !arguments.is_empty() {
            message.push_str(&format!("\n\nThe following arguments were given to {function}:\n"));
        }
        for (place, argument) in arguments.iter().enumerate() {
            message.push_str(&format!("\n    # {}\n    {}\n", place + 1, show(argument, elixir)));
        }
        Exception::error("FunctionClauseError", message)
    }

    /// As IEx of that release prints it.
    pub fn banner(&self, elixir: Elixir) -> String {
        match self {
            Exception::Error { name, message } => format!("** ({name}) {message}"),
            Exception::Compile { message, .. } => format!("** (CompileError) {message}"),
            Exception::Throw(value) => format!("** (throw) {}", Inspect::new(value).like(elixir)),
            Exception::Exit(reason) => format!("** (exit) {}", exit_text(reason, elixir)),
            Exception::Limit { what, limit } => format!("** (SystemLimitError) {what} went over the limit of {limit}"),
        }
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.banner(Elixir::default()))
    }
}

impl std::error::Error for Exception {}

/// Whom a wrong name may have meant: the same name with other arguments, else up to five that are like it, sorted.
fn meant<'n>(function: &str, exports: &[(&'n str, usize)]) -> Vec<(&'n str, usize)> {
    // As near as Elixir wants names to be.
    const NEAR: f64 = 0.77;
    let mut near: Vec<(f64, (&str, usize))> = if exports.iter().any(|(name, _)| *name == function) {
        exports.iter().filter(|(name, _)| *name == function).map(|entry| (1.0, *entry)).collect()
    } else {
        exports
            .iter()
            .map(|entry| (strsim::jaro(function, entry.0), *entry))
            .filter(|(near, _)| *near >= NEAR)
            .collect()
    };
    near.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    near.dedup();
    let mut names: Vec<(&str, usize)> = near.into_iter().take(5).map(|(_, entry)| entry).collect();
    names.sort_unstable();
    names
}

/// What an exit reason says, as `Exception.format_exit/1`.
fn exit_text(reason: &Term, elixir: Elixir) -> String {
    let shown = |term: &Term| Inspect::new(term).like(elixir).to_string();
    if let Term::Atom(word) = reason {
        let text = match word.as_str() {
            "normal" | "shutdown" | "killed" => word.as_str(),
            "timeout" => "time out",
            "noconnection" => "no connection",
            "calling_self" => "process attempted to call itself",
            "noproc" => {
                "no process: the process is not alive or there's no process currently associated with the given name, \
                 possibly because its application isn't started"
            }
            _ => return shown(reason),
        };
        return text.to_owned();
    }
    match reason.as_tuple() {
        Some([word, rest]) if word.is_atom("shutdown") => format!("shutdown: {}", shown(rest)),
        Some([word, rest]) if word.is_atom("bad_return_value") => format!("bad return value: {}", shown(rest)),
        Some([inner, call]) => match call.as_tuple() {
            Some([module @ Term::Atom(_), Term::Atom(function), Term::List(arguments)]) => {
                let arguments: Vec<String> = arguments.iter().map(|argument| shown(&argument)).collect();
                let call = format!("{}.{}({})", shown(module), function_name(function.as_str()), arguments.join(", "));
                let inner = match inner {
                    Term::Atom(_) => exit_text(inner, elixir),
                    other => shown(other),
                };
                format!("exited in: {call}\n    ** (EXIT) {inner}")
            }
            _ => shown(reason),
        },
        _ => shown(reason),
    }
}

/// A function's name behind its module: in quotes unless it is an identifier or an operator.
pub(crate) fn function_name(name: &str) -> String {
    let body = name.strip_suffix(['?', '!']).unwrap_or(name);
    let plain = !body.is_empty()
        && !body.starts_with(|first: char| first.is_ascii_digit() || first.is_uppercase())
        && body.chars().all(|next| next == '_' || next.is_alphanumeric());
    let operator = !name.is_empty() && name.chars().all(|next| "+-*/<>=!&|^~.".contains(next));
    if plain || operator { name.to_owned() } else { crate::format::quoted(name) }
}

/// A value as messages show it.
pub(crate) fn show(value: &Value, elixir: Elixir) -> String {
    Inspect::new(&value.to_shown()).like(elixir).to_string()
}
