//! Supervisors in the manner of OTP's `supervisor`: processes that start others, and start them again when they fail.
//!
//! ```
//! use std::time::Duration;
//! use beamline_node::{ChildSpec, Strategy, Supervisor};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use beamline_node::{Listen, Node};
//! # let node = Node::builder("a@127.0.0.1").cookie("secret").listen(Listen::Off).start().await?;
//! let supervisor = Supervisor::new(Strategy::OneForOne)
//!     .intensity(3, Duration::from_secs(5))
//!     .child(ChildSpec::process("worker", |mut me| async move {
//!         while let Some(message) = me.receive().await {
//!             println!("{:?} got {} bytes", me.pid(), message.len());
//!         }
//!     }))
//!     .start(&node)
//!     .await?;
//! for child in supervisor.which_children().await? {
//!     println!("{}: {:?}", child.id, child.pid);
//! }
//! supervisor.stop().await; // the children first, the last one started before the others
//! # Ok(())
//! # }
//! ```
//!
//! [`children`] is the list and what is done with it, [`intensity`] counts restarts, [`run`] is the process, [`handle`] what
//! the user holds. Elixir's `Supervisor.which_children/1`, `count_children`, `terminate_child`, `restart_child` and
//! `delete_child` work on it from any node; children are started from Rust alone, as no code comes from peers.

mod children;
mod handle;
mod intensity;
mod run;
mod spec;

use std::time::Duration;

pub use handle::{ChildCounts, ChildInfo, ChildState, SupervisorError, SupervisorHandle};
pub use spec::{ChildSpec, Restart, Shutdown};

use crate::node::Node;
use crate::process::{Process, Tie};

/// Who is started again when a child fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// That child.
    #[default]
    OneForOne,
    /// All children: the others are stopped first, in the reverse order of their start.
    OneForAll,
    /// That child and those that were started after it.
    RestForOne,
}

/// A supervisor that has not been started.
#[derive(Debug, Clone)]
pub struct Supervisor {
    strategy: Strategy,
    restarts: usize,
    within: Duration,
    children: Vec<ChildSpec>,
}

impl Supervisor {
    /// A supervisor without children.
    pub fn new(strategy: Strategy) -> Supervisor {
        Supervisor { strategy, restarts: 1, within: Duration::from_secs(5), children: Vec::new() }
    }

    /// How many restarts it makes within that time; at one more it stops its children and ends with the reason `shutdown`,
    /// for its own supervisor to act. Default 1 in 5 s, as in OTP. (Elixir's is 3 in 5 s.)
    pub fn intensity(mut self, restarts: usize, within: Duration) -> Supervisor {
        (self.restarts, self.within) = (restarts, within);
        self
    }

    /// Adds a child. Children start in the order in which they were added, and stop in the reverse order.
    pub fn child(mut self, child: ChildSpec) -> Supervisor {
        self.children.push(child);
        self
    }

    /// Starts it and its children, and waits until they have started.
    ///
    /// # Errors
    /// A child did not start, or two have the same id. Those that had started are stopped.
    pub async fn start(self, node: &Node) -> Result<SupervisorHandle, SupervisorError> {
        let inner = node.inner();
        run::start(inner, &inner.caller_cell, Tie::None, self).await
    }

    /// The same, linked with a process, which should trap exits.
    ///
    /// # Errors
    /// As [`start`](Supervisor::start).
    pub async fn start_link(self, parent: &Process) -> Result<SupervisorHandle, SupervisorError> {
        run::start(&parent.node, &parent.cell, Tie::Link, self).await
    }

    /// This supervisor as a child of another. It has all the time it needs to stop its own.
    pub fn as_child(self, id: impl Into<String>) -> ChildSpec {
        spec::supervisor(id.into(), self)
    }
}
