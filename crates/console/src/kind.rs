//! What a node is: who evaluates an expression follows from it.

use std::time::Duration;

use beamline_node::{CallError, Node};
use beamline_proto::NodeName;
use beamline_term::inspect::Elixir;
use beamline_term::{Term, atom};

/// What runs a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A BEAM with Elixir: it evaluates expressions itself.
    Elixir(Elixir),
    /// A BEAM without Elixir: expressions are evaluated here, and it is called.
    Erlang,
    /// A node of ours: the same.
    Rust,
}

impl Kind {
    /// Asks the node.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn of(node: &Node, peer: &NodeName, time: Duration) -> Result<Kind, CallError> {
        let ask = ("erlang", "system_info");
        let machine: Result<Term, CallError> = node.call(peer, ask, (atom("machine"),)).timeout(time).await;
        match machine {
            Ok(machine) if machine.as_list().and_then(|list| list.to_text()).as_deref() == Some("BEAM") => {}
            Ok(_) | Err(CallError::Raised { .. }) => return Ok(Kind::Rust),
            Err(error) => return Err(error),
        }
        let version: Result<String, CallError> = node.call(peer, ("Elixir.System", "version"), ()).timeout(time).await;
        match version {
            Ok(version) => Ok(Kind::Elixir(release(&version))),
            Err(CallError::Raised { .. }) => Ok(Kind::Erlang),
            Err(error) => Err(error),
        }
    }
}

/// Whose way of printing a version has.
fn release(version: &str) -> Elixir {
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok()).unwrap_or(0);
    match (version.starts_with("1."), minor) {
        (true, ..15) => Elixir::V1_14,
        (true, 15..19) => Elixir::V1_18,
        _ => Elixir::V1_20,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(release("1.14.0"), Elixir::V1_14);
        assert_eq!(release("1.18.4"), Elixir::V1_18);
        assert_eq!(release("1.20.0-rc.1"), Elixir::V1_20);
        assert_eq!(release("2.0.0"), Elixir::V1_20);
    }
}
