//! How a function fails, as Erlang has it: an error, a throw or an exit.

use beamline_term::codec::{Decoder, encode};
use beamline_term::{Atom, Term};
use bytes::Bytes;

use super::FunctionName;
use crate::process::Mfa;

/// The three ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `raise` and runtime errors.
    Error,
    /// `throw`.
    Throw,
    /// `exit`.
    Exit,
}

/// A function's failure, which its caller sees as if an Erlang function had failed in this way.
#[derive(Clone, Debug, PartialEq)]
pub struct Raise {
    /// Which way.
    pub kind: Kind,
    /// The reason or value.
    pub reason: Term,
    stack: Stack,
}

#[derive(Clone, Debug, PartialEq)]
enum Stack {
    Unknown,
    Arity(FunctionName, usize),
    Arguments(FunctionName, Bytes),
}

impl Raise {
    /// An error, as Erlang's `error/1`.
    pub fn error(reason: impl Into<Term>) -> Raise {
        Raise { kind: Kind::Error, reason: reason.into(), stack: Stack::Unknown }
    }

    /// A throw.
    pub fn throw(value: impl Into<Term>) -> Raise {
        Raise { kind: Kind::Throw, ..Raise::error(value) }
    }

    /// An exit.
    pub fn exit(reason: impl Into<Term>) -> Raise {
        Raise { kind: Kind::Exit, ..Raise::error(reason) }
    }

    /// An Elixir exception of the type `RuntimeError` with this message.
    pub fn runtime_error(message: impl Into<String>) -> Raise {
        Raise::error(Term::map([
            (Term::atom("__struct__"), Term::atom("Elixir.RuntimeError")),
            (Term::atom("__exception__"), true.into()),
            (Term::atom("message"), message.into().into()),
        ]))
    }

    pub(crate) fn undefined(name: FunctionName, arguments: Bytes) -> Raise {
        Raise { stack: Stack::Arguments(name, arguments), ..Raise::error(Term::atom("undef")) }
    }

    /// The arguments are not of the types that the function takes.
    pub(crate) fn arguments() -> Raise {
        Raise::error(Term::atom("function_clause"))
    }

    /// What a function of the table raised that was called with these.
    pub(crate) fn located(self, mfa: Mfa, arguments: Bytes) -> Raise {
        let Mfa { module, function, arity } = mfa;
        let name = || FunctionName::from((module, function));
        match (&self.stack, self.reason.is_atom("function_clause")) {
            (Stack::Unknown, true) => Raise { stack: Stack::Arguments(name(), arguments), ..self },
            (Stack::Unknown, false) => Raise { stack: Stack::Arity(name(), arity), ..self },
            _ => self,
        }
    }

    /// The stack as Erlang shows it: where the function failed, with its arguments if they were at fault.
    pub fn stack(&self) -> Term {
        let (name, last) = match &self.stack {
            Stack::Unknown => return Term::nil(),
            Stack::Arity(name, arity) => (name, Term::Integer(*arity as i64)),
            Stack::Arguments(name, arguments) => (name, Decoder::new(arguments).term().unwrap_or_else(|_| Term::nil())),
        };
        let entry: Term = (name.module.clone(), name.function.clone(), last, Term::nil()).into();
        Term::list([entry])
    }

    /// Appends what follows the reference in an answer of `erpc`.
    pub(crate) fn write_erpc(&self, out: &mut Vec<u8>) {
        let kind = match self.kind {
            Kind::Error => "error",
            Kind::Throw => "throw",
            Kind::Exit => "exit",
        };
        encode::atom_str(out, kind);
        encode::term(out, &self.reason);
        if self.kind == Kind::Error {
            encode::term(out, &self.stack());
        }
    }

    /// The reason with which a process ends that runs the function.
    pub(crate) fn exit_reason(&self) -> Term {
        match self.kind {
            Kind::Error => (self.reason.clone(), self.stack()).into(),
            Kind::Throw => ((Term::atom("nocatch"), self.reason.clone()), self.stack()).into(),
            Kind::Exit => self.reason.clone(),
        }
    }

    /// What `rpc` gives for it: `{badrpc, Reason}`.
    pub(crate) fn badrpc(&self) -> Term {
        let reason = match self.kind {
            Kind::Throw => return self.reason.clone(),
            _ => self.exit_reason(),
        };
        (Term::atom("badrpc"), (Term::atom("EXIT"), reason)).into()
    }
}

impl From<beamline_term::serde::Error> for Raise {
    fn from(error: beamline_term::serde::Error) -> Raise {
        Raise::runtime_error(error.to_string())
    }
}

impl From<Atom> for Raise {
    fn from(reason: Atom) -> Raise {
        Raise::error(reason)
    }
}
