//! The module `NodeRegistry` as nodes that run Elixir, and shells, call it.

use beamline_node::{CallError, Module, Raise};
use beamline_proto::NodeName;
use beamline_term::{Atom, Term, atom};

use crate::NodeRegistry;
use crate::entry::text;

/// A closure over the registry: `with!(registry, |own, argument: Type| expression)`.
macro_rules! with {
    ($registry:expr, |$own:ident $(, $name:ident: $type:ty)*| $body:expr) => {{
        let registry = $registry.clone();
        move |$($name: $type),*| {
            let $own = registry.clone();
            async move { $body }
        }
    }};
}

impl NodeRegistry {
    /// Exports `NodeRegistry.all/0`, `list/0`, `info/1`, `node_with_name/1`, `nodes_with_prefix/1` and
    /// `random_node_with_prefix/1` to other nodes, each with the answers of the Elixir library.
    pub fn export(&self) {
        let module = Module::new("Elixir.NodeRegistry")
            .function("all", with!(self, |own| Ok(own.as_map())))
            .function("list", with!(self, |own| Ok(own.as_map())))
            .function("info", with!(self, |own, of: Atom| own.answer_info(&of).await))
            .function("node_with_name", with!(self, |own, name: Term| Ok(node_or_nil(own.node_with_name(name)))))
            .function(
                "nodes_with_prefix",
                with!(self, |own, prefix: Term| {
                    let nodes = own.nodes_with_prefix(prefix_of(&prefix)?);
                    Ok(Term::list(nodes.iter().map(Term::from)))
                }),
            )
            .function(
                "random_node_with_prefix",
                with!(self, |own, prefix: Term| Ok(node_or_nil(own.random_node_with_prefix(prefix_of(&prefix)?)))),
            );
        self.node.export(module);
    }

    async fn answer_info(&self, of: &Atom) -> Result<Term, Raise> {
        match of.as_str() {
            "self" => self.info().map(|info| info.to_term()).ok_or_else(no_process),
            "all" => Ok(Term::list(self.info_of_all().await.into_iter().map(|(_, answer)| term_of(answer)))),
            _ => {
                let node = NodeName::from_atom(of).map_err(|_| Raise::error(atom("badarg")))?;
                Ok(term_of(self.info_of(&node).await))
            }
        }
    }
}

/// What `GenServer.call(NodeRegistry, :info)` exits with where nothing is registered.
fn no_process() -> Raise {
    let call: Term = (atom("Elixir.GenServer"), atom("call"), Term::list([atom("Elixir.NodeRegistry").into()])).into();
    Raise::exit(Term::from((atom("noproc"), call)))
}

/// As `rpc:call` gives it to the Elixir library.
fn term_of(answer: Result<Option<crate::Info>, CallError>) -> Term {
    let reason: Term = match answer {
        Ok(Some(info)) => return info.to_term(),
        Ok(None) => (atom("EXIT"), atom("noproc")).into(),
        Err(CallError::Raised { reason, stack, .. }) => (atom("EXIT"), (reason, stack)).into(),
        Err(CallError::Exited { reason, .. } | CallError::Thrown { value: reason, .. }) => {
            (atom("EXIT"), reason).into()
        }
        Err(CallError::Timeout { .. }) => atom("timeout").into(),
        Err(_) => atom("nodedown").into(),
    };
    (atom("badrpc"), reason).into()
}

fn prefix_of(prefix: &Term) -> Result<&str, Raise> {
    text(prefix).ok_or_else(|| Raise::error(atom("badarg")))
}

fn node_or_nil(node: Option<NodeName>) -> Term {
    node.map_or(Term::atom("nil"), |node| Term::from(&node))
}
