//! The errors of starting, calling and sending.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use beamline_proto::{NameError, NodeName};
use beamline_term::{Atom, Term};

use crate::cause::ConnectError;
use crate::epmd::EpmdError;

/// Why a node did not start. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is no cookie.
    #[error("a node needs a cookie: set one with `cookie(..)`; all nodes of a cluster have the same")]
    NoCookie,
    /// The listener could not be opened.
    #[error("cannot listen on {address}: {source}; choose another port or stop the program that has it")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The node's own host has no address to listen on.
    #[error("the host {host:?} of the node's own name has no address: {source}")]
    Host {
        /// The host.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The node that was to be the host of this guest did not take it in.
    #[error(transparent)]
    Guest(#[from] ConnectError),
    /// Registering failed.
    #[error("cannot register with epmd: {0}")]
    Epmd(#[from] EpmdError),
}

/// Why a call gave no answer of the wanted type.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The node could not be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection was lost before the answer. The call may or may not have run.
    #[error("the connection to {node} was lost during the call")]
    NodeDown {
        /// The node.
        node: NodeName,
    },
    /// No answer in time. The call may or may not have run.
    #[error("no answer from {node} within {after:?}")]
    Timeout {
        /// The node.
        node: NodeName,
        /// The deadline.
        after: Duration,
    },
    /// The function raised an error.
    #[error("the function on {node} raised {reason}")]
    Raised {
        /// The node.
        node: NodeName,
        /// What it raised: an error's reason or an exception.
        reason: Term,
        /// Where, as the node tells it.
        stack: Term,
    },
    /// The function threw.
    #[error("the function on {node} threw {value}")]
    Thrown {
        /// The node.
        node: NodeName,
        /// What it threw.
        value: Term,
    },
    /// The function, or the process that was called, exited.
    #[error("the call to {node} exited: {reason}")]
    Exited {
        /// The node.
        node: NodeName,
        /// The reason, such as `noproc`.
        reason: Term,
    },
    /// The node refused to run the call.
    #[error("{node} refused the call: {reason}")]
    Refused {
        /// The node.
        node: NodeName,
        /// Its reason, such as `system_limit`.
        reason: Atom,
    },
    /// The answer is not of the type that was asked for.
    #[error("the answer of {node} does not fit: {source}")]
    Answer {
        /// The node.
        node: NodeName,
        /// Where it does not.
        source: beamline_term::serde::Error,
    },
    /// The arguments could not be written as terms.
    #[error("the arguments cannot be sent: {0}")]
    Arguments(beamline_term::serde::Error),
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The node could not be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection was lost before the message was taken.
    #[error("the connection to {node} was lost")]
    NodeDown {
        /// The node.
        node: NodeName,
    },
    /// The message could not be written as a term.
    #[error("the message cannot be sent: {0}")]
    Message(#[from] beamline_term::serde::Error),
    /// It is larger than a frame can be.
    #[error("the message is too large: {0}")]
    TooLarge(beamline_proto::frame::FrameError),
}
