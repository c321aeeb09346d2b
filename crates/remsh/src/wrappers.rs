//! Functions of Elixir that are one of Erlang's under another name: where a node has none of Elixir's modules they are asked
//! by that one. They only tell, as what the node would do itself.

use beamline_term::{Term, atom};

/// The function of Erlang that stands for one of Elixir, with its arguments, and what its answer is to Elixir.
pub(crate) struct Wrapped {
    pub(crate) module: &'static str,
    pub(crate) function: &'static str,
    /// `undefined` is `nil` to Elixir.
    pub(crate) is_nillable: bool,
}

/// By the atom of the module, the function's name and how many arguments it gets.
pub(crate) fn wrapped(module: &str, function: &str, arity: usize) -> Option<Wrapped> {
    let plain = |module, function| Some(Wrapped { module, function, is_nillable: false });
    let nillable = |module, function| Some(Wrapped { module, function, is_nillable: true });
    match (module.strip_prefix("Elixir.")?, function, arity) {
        ("Node", "list", 0 | 1) => plain("erlang", "nodes"),
        ("Node", "self", 0) => plain("erlang", "node"),
        ("Node", "alive?", 0) => plain("erlang", "is_alive"),
        ("Process", "list", 0) => plain("erlang", "processes"),
        ("Process", "info", 1 | 2) => nillable("erlang", "process_info"),
        ("Process", "whereis", 1) => nillable("erlang", "whereis"),
        ("Process", "alive?", 1) => plain("erlang", "is_process_alive"),
        ("Process", "registered", 0) => plain("erlang", "registered"),
        ("Port", "list", 0) => plain("erlang", "ports"),
        ("Port", "info", 1 | 2) => nillable("erlang", "port_info"),
        ("System", "system_time", 0 | 1) => plain("erlang", "system_time"),
        ("System", "monotonic_time", 0 | 1) => plain("erlang", "monotonic_time"),
        ("Application", "loaded_applications", 0) => plain("application", "loaded_applications"),
        ("Application", "started_applications", 0) => plain("application", "which_applications"),
        _ => None,
    }
}

impl Wrapped {
    /// An answer of Erlang's as Elixir's function gives it.
    pub(crate) fn answer(&self, answer: Term) -> Term {
        if self.is_nillable && answer.is_atom("undefined") { atom("nil").into() } else { answer }
    }
}
