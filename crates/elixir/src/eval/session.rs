//! What stays between the expressions of a prompt or a notebook: the bindings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use beamline_term::Term;
use beamline_term::inspect::Elixir;

use super::{Evaluation, Machine};
use crate::ast::Expr;
use crate::compile;
use crate::error::SyntaxError;
use crate::exception::Exception;
use crate::limits::Limits;
use crate::parser;
use crate::value::{Heap, Value};

/// The bindings of a shell or a notebook, and what holds for all its expressions. A clone goes its own way from there.
#[derive(Clone, Default)]
pub struct Session {
    bindings: BTreeMap<String, Value>,
    offered: BTreeSet<(String, usize)>,
    refused: BTreeMap<String, String>,
    heap: Heap,
    limits: Limits,
    elixir: Elixir,
}

/// Why an expression did not even begin.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvalError {
    /// It is no expression, or not yet one.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// It says something that is unknown here, or it ended without a value.
    #[error(transparent)]
    Exception(#[from] Exception),
}

impl Session {
    /// Without bindings, with the default limits.
    pub fn new() -> Session {
        Session::default()
    }

    /// With other limits.
    pub fn with_limits(mut self, limits: Limits) -> Session {
        self.limits = limits;
        self
    }

    /// Prints values as that release of Elixir: in `inspect/1`, in messages. Default the newest known.
    pub fn like(mut self, elixir: Elixir) -> Session {
        self.elixir = elixir;
        self
    }

    /// The release of Elixir whose way of printing is followed.
    pub fn elixir(&self) -> Elixir {
        self.elixir
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Makes a function of the host known: `name(..)` is then given to it as a [`Call`](super::Call) without a module. Other
    /// names that we do not know are refused before anything runs.
    pub fn offer(&mut self, name: &str, arity: usize) {
        self.offered.insert((name.to_owned(), arity));
    }

    /// Says why the host has no function of that name, which people may look for.
    pub fn refuse(&mut self, name: &str, why: &str) {
        self.refused.insert(name.to_owned(), why.to_owned());
    }

    /// The functions that the host offers.
    pub fn offered(&self) -> impl Iterator<Item = (&str, usize)> {
        self.offered.iter().map(|(name, arity)| (name.as_str(), *arity))
    }

    /// The variables with their values, by name.
    pub fn bindings(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.bindings.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.bindings.get(name)
    }

    /// Binds a variable to a term.
    ///
    /// # Errors
    /// The term is deeper or larger than [`Limits`] allow values to be.
    pub fn bind(&mut self, name: &str, term: &Term) -> Result<(), Exception> {
        let depth = self.limits.value_depth;
        let too_deep = Exception::Limit { what: "the nesting of a value", limit: depth as u64 };
        let value = self.heap.of_term(term, depth).map_err(|_| too_deep)?;
        let limit = self.limits.memory_bytes;
        if value.size().bytes > limit || self.heap.live() > limit {
            return Err(Exception::Limit { what: "the memory of the values", limit: limit as u64 });
        }
        self.set(name.to_owned(), value);
        Ok(())
    }

    /// Binds a variable to a value of this session.
    pub fn set(&mut self, name: String, value: Value) {
        self.bindings.insert(name, value);
    }

    /// Forgets a variable.
    pub fn unbind(&mut self, name: &str) {
        self.bindings.remove(name);
    }

    /// Forgets all variables.
    pub fn clear(&mut self) {
        self.bindings.clear();
    }

    /// Begins to evaluate a text. It runs as the evaluation is resumed, or see [`Session::run`].
    ///
    /// # Errors
    /// The text is no expression, or says something that is unknown here.
    pub fn start(&mut self, source: &str) -> Result<Evaluation<'_>, EvalError> {
        let expression = parser::parse_with(source, &self.limits)?;
        Ok(self.start_expression(&expression)?)
    }

    /// As [`Session::start`], for an expression that was read.
    ///
    /// # Errors
    /// It says something that is unknown here.
    pub fn start_expression(&mut self, expression: &Expr) -> Result<Evaluation<'_>, Exception> {
        let program = compile::program(expression, self)?;
        let captured = program.captured.iter().map(|name| self.bindings.get(name).cloned().unwrap_or(Value::NIL));
        let captured = captured.collect();
        let code = Arc::new(program.code);
        let machine = Machine::new(code, captured, self.heap.clone(), self.limits.clone(), self.elixir);
        Ok(Evaluation { session: self, names: program.names, machine })
    }

    pub(crate) fn heap(&self) -> &Heap {
        &self.heap
    }

    pub(crate) fn refusal(&self, name: &str) -> Option<&str> {
        self.refused.get(name).map(String::as_str)
    }

    pub(crate) fn offers(&self, name: &str, arity: usize) -> bool {
        self.offered.contains(&(name.to_owned(), arity))
    }
}
