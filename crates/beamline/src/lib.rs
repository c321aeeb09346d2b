//! Erlang-style clustering for Rust.
//!
//! A program names a node, gives it the cluster's cookie and its functions, and starts it; `use beamline::prelude::*`
//! has what that takes. The parts are crates of their own, re-exported here: [`node`], [`cluster`], [`registry`],
//! [`pubsub`], [`term`].

use std::error::Error as StdError;
use std::fmt;

pub use beamline_cluster as cluster;
#[cfg(feature = "shell")]
pub use beamline_console as console;
pub use beamline_node as node;
pub use beamline_proto as proto;
pub use beamline_pubsub as pubsub;
pub use beamline_registry as registry;
#[cfg(feature = "remsh")]
pub use beamline_remsh as remsh;
pub use beamline_term as term;
#[cfg(feature = "web")]
pub use beamline_web as web;

#[cfg(feature = "flags")]
pub mod flags;
#[cfg(all(feature = "testing", unix))]
pub mod testing;

/// What a program that uses Beamline mostly needs.
pub mod prelude {
    pub use std::time::Duration;

    pub use beamline_cluster::{Cluster, Topologies};
    pub use beamline_node::{
        Answer, CallError, Caller, ChildSpec, GenServer, Message, Module, Next, Node, NodeEvent, NodeSet, Process,
        Raise, Restart, Server, Strategy, Supervisor, Timer,
    };
    pub use beamline_proto::NodeName;
    pub use beamline_registry::NodeRegistry;
    pub use beamline_term::{Atom, Pid, Term, atom};
}

/// The result of a program's `main`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error, for a program's `main`: it prints what went wrong as a sentence, then what it came from.
///
/// Libraries return their own error types; this is where they end.
pub struct Error(Box<dyn StdError + Send + Sync>);

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

/// The error itself, where any will do.
impl From<Error> for Box<dyn StdError + Send + Sync> {
    fn from(error: Error) -> Self {
        error.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        let mut source = self.0.source();
        while let Some(error) = source {
            // Many texts have their cause in them already.
            let cause = error.to_string();
            if !told.contains(&cause) {
                told = format!("{told}: {cause}");
            }
            source = error.source();
        }
        f.write_str(&told)
    }
}

/// The same, since this is what Rust prints of an error that `main` returns.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_main_is_a_sentence_with_its_cause() {
        #[derive(Debug, thiserror::Error)]
        #[error("no page")]
        struct NoPage(#[source] std::io::Error);
        let cause = || std::io::Error::other("the port is taken");
        let error = Error::from(NoPage(cause()));
        assert_eq!(format!("{error:?}"), "no page: the port is taken");
        #[derive(Debug, thiserror::Error)]
        #[error("no page, since {0}")]
        struct WithCause(#[source] std::io::Error);
        assert_eq!(format!("{}", Error::from(WithCause(cause()))), "no page, since the port is taken");
    }
}

/// The README's example must compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// So must those of the page for Elixir's users.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../../../docs/elixir.md")]
struct ForElixir;

/// And that of the page on the dashboard.
#[cfg(all(doctest, feature = "web"))]
#[doc = include_str!("../../../docs/dashboard.md")]
struct Dashboard;

/// And those of the page on tests.
#[cfg(all(doctest, feature = "testing", unix))]
#[doc = include_str!("../../../docs/testing.md")]
struct Testing;
