//! Why a node did not tell what it was asked.

use std::time::Duration;

use beamline_node::CallError;
use beamline_proto::NodeName;
use beamline_term::{Inspect, Term};

/// Why a node did not tell what it was asked. The question is a function's name, as `erlang:memory`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// No connection could be made from here.
    #[error("{node} cannot be reached from here: {reason} ({code})")]
    Unreachable {
        node: NodeName,
        /// The doctor's code of the cause.
        code: &'static str,
        reason: String,
    },
    /// The connection was lost while it was asked.
    #[error("the connection with {node} was lost while it was asked for {question}")]
    Lost { node: NodeName, question: String },
    /// It took too long.
    #[error("{node} did not answer {question} within {} ms", .after.as_millis())]
    Late { node: NodeName, question: String, after: Duration },
    /// It has no such function.
    #[error("{node} has no function {question}")]
    Missing { node: NodeName, question: String },
    /// The function failed.
    #[error("{question} failed at {node}: {reason}")]
    Failed { node: NodeName, question: String, reason: String },
    /// The answer has a shape that is not known.
    #[error("{node} answered {question} with something else than a node does")]
    Strange { node: NodeName, question: String },
    /// The thing that was asked for is not there.
    #[error("{what}")]
    Absent { what: String },
}

/// So much of a reason is shown.
const SHOWN: usize = 300;

impl Trouble {
    pub(crate) fn of(node: &NodeName, question: &str, error: CallError) -> Trouble {
        let (node, question) = (node.clone(), question.to_owned());
        match error {
            CallError::Connect(error) => {
                Trouble::Unreachable { node, code: error.cause().code(), reason: error.cause().to_string() }
            }
            CallError::NodeDown { .. } => Trouble::Lost { node, question },
            CallError::Timeout { after, .. } => Trouble::Late { node, question, after },
            CallError::Raised { reason, .. } if reason.is_atom("undef") => Trouble::Missing { node, question },
            CallError::Raised { reason, .. } | CallError::Exited { reason, .. } => {
                Trouble::Failed { node, question, reason: shown(&reason) }
            }
            CallError::Thrown { value, .. } => Trouble::Failed { node, question, reason: shown(&value) },
            CallError::Refused { reason, .. } => Trouble::Failed { node, question, reason: shown(&reason.into()) },
            CallError::Answer { .. } => Trouble::Strange { node, question },
            error => Trouble::Failed { node, question, reason: error.to_string() },
        }
    }

    /// What was asked ended with that reason.
    pub(super) fn failed(node: &NodeName, question: &str, reason: &Term) -> Trouble {
        Trouble::Failed { node: node.clone(), question: question.to_owned(), reason: shown(reason) }
    }

    /// What to try, if there is something.
    pub(crate) fn advice(&self) -> Option<String> {
        match self {
            Trouble::Unreachable { node, .. } | Trouble::Lost { node, .. } | Trouble::Late { node, .. } => {
                Some(format!("beamline doctor {node}"))
            }
            _ => None,
        }
    }

    /// Whether the node is there, and just does not have what it was asked for.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Trouble::Missing { .. })
    }
}

fn shown(reason: &Term) -> String {
    let text = Inspect::new(reason).limit(20).printable_limit(SHOWN).to_string();
    super::read::cut(text, SHOWN)
}

#[cfg(test)]
mod tests {
    use beamline_term::term;

    use super::*;

    #[test]
    fn a_function_that_is_not_there_is_told_from_one_that_fails() {
        let node: NodeName = "a@b".parse().unwrap();
        let of = |reason: Term| {
            let error = CallError::Raised { node: node.clone(), reason, stack: Term::nil() };
            Trouble::of(&node, "erlang:memory", error)
        };
        assert!(of(term!(:undef)).is_missing());
        assert_eq!(of(term!({:badmatch, 1})).to_string(), "erlang:memory failed at a@b: {:badmatch, 1}");
        let long = of(Term::binary(vec![b'a'; 100_000])).to_string();
        assert!(long.len() < 400, "{}", long.len());
    }
}
