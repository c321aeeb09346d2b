//! What can go wrong with a cluster under test.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use beamline_node::{CallError, StartError};
use beamline_proto::{NameError, NodeName};

/// Any error, as the start of a node in this process gives it.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a cluster under test did not do what was asked of it.
///
/// A cluster that has given one shows what its programs wrote when it is dropped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that makes no node.
    #[error("{name:?} cannot be the name of a node: {source}")]
    Name {
        /// What was given.
        name: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// Two nodes of one name.
    #[error("two nodes would be called {0}; give each group a name of its own")]
    SameName(NodeName),
    /// A node that is not of this cluster.
    #[error("the cluster has no node {wanted}; it has {}", names(.there))]
    NoNode {
        /// What was asked for.
        wanted: String,
        /// Its nodes, in order.
        there: Vec<NodeName>,
    },
    /// The node does not run.
    #[error("{0} does not run: it was stopped or killed")]
    NotRunning(NodeName),
    /// The node runs already.
    #[error("{0} runs already; stop or kill it before you start it again")]
    Running(NodeName),
    /// Something that is done with nodes of this process only.
    #[error("{0} is a program, whose node is not in this process; reach it with `call`")]
    NotInProcess(NodeName),
    /// The ports for the cluster could not be had.
    #[error("cannot listen on a port of 127.0.0.1: {0}")]
    Listen(#[source] io::Error),
    /// The hidden node that the test calls from did not start.
    #[error("the node that the test calls from does not start: {0}")]
    Outside(#[source] StartError),
    /// A node of this process did not start.
    #[error("{node} does not start: {source}")]
    Start {
        /// The node.
        node: NodeName,
        /// Why.
        source: BoxError,
    },
    /// There is no such program.
    #[error(
        "there is no program {}; build it (`cargo build --bin NAME`), or give its path: \
         `env!(\"CARGO_BIN_EXE_NAME\")` is that of a program of your own package", .0.display()
    )]
    NoProgram(PathBuf),
    /// The program could not be run.
    #[error("cannot run {}: {source}", .program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program ended though it should run, or ended otherwise than well though it should stop.
    #[error("{node} has ended with {status}; it wrote:\n{output}")]
    Ended {
        /// Its node.
        node: NodeName,
        /// How.
        status: ExitStatus,
        /// What it wrote last.
        output: String,
    },
    /// The program still ran when its time was over. It was killed then.
    #[error("{node} did not end within {after:?} of SIGTERM and was killed; it wrote:\n{output}")]
    StillRuns {
        /// Its node.
        node: NodeName,
        /// How long it had.
        after: Duration,
        /// What it wrote last.
        output: String,
    },
    /// The program could not be signalled.
    #[error("cannot send a signal to {node}: {source}")]
    Signal {
        /// Its node.
        node: NodeName,
        /// What the system said.
        source: io::Error,
    },
    /// What was waited for did not come about.
    #[error("not within {after:?}: {what}; seen last: {last}")]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
        /// How it was at the last look.
        last: String,
    },
    /// A call gave no answer of the wanted type.
    #[error(transparent)]
    Call(#[from] CallError),
}

fn names(nodes: &[NodeName]) -> String {
    nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ")
}
