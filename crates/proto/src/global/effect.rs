//! What `global`'s core asks of its shell, and the small types that name requests and answers.
//!
//! Effects are to be carried out in their order: the protocol leans on it (a peer hears of new nodes before the lock on
//! it is released). This module holds data only.

use beamline_term::{Pid, Term};

use crate::NodeName;

/// A call that the core made of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// A request of the local application; the shell chooses it, unique among those not yet completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A lock: what is locked, and in whose name. Processes that use the same requester share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LockId {
    /// The resource; `global` itself locks the atom `global`.
    pub resource: Term,
    /// Who asks, commonly a pid.
    pub requester: Term,
}

/// Who wins when two nodes that meet have a process each under one name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Method {
    /// Keep the process on the smaller node, kill the other.
    #[default]
    RandomExit,
    /// Keep the process on the smaller node, tell the other `{global_name_conflict, Name}`.
    RandomNotify,
    /// Keep neither, tell both `{global_name_conflict, Name, OtherPid}`.
    NotifyAll,
    /// Any external fun of arity 3, that the owner's node runs.
    Custom(Term),
}

/// Why a call, an rpc or a dial brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallFailure {
    /// The peer has no such process.
    #[error("the peer runs no process of that name")]
    NoProcess,
    /// The connection was lost.
    #[error("the connection was lost")]
    NodeDown,
    /// The peer was too slow.
    #[error("the peer did not answer in time")]
    Timeout,
}

/// How a local request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Completion {
    /// Registered, unregistered, unlocked or in sync.
    Done,
    /// The lock is set on all of the nodes.
    Locked,
    /// The lock is held by another, and no try is left.
    NotLocked,
    /// The name belongs to this process.
    Taken(Pid),
    /// The process has this name already; `global` gives a process one name.
    Named(Term),
    /// Too many requests wait.
    Busy,
}

/// One thing for the shell to do.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Send to `global_name_server` on a connected node; drop it if the connection has gone.
    Send {
        /// The node.
        node: NodeName,
        /// The whole message, casts already wrapped.
        message: Term,
    },
    /// Send to a process.
    SendPid {
        /// The process.
        pid: Pid,
        /// The message.
        message: Term,
    },
    /// Answer a gen_server call.
    Reply {
        /// `{Pid, Tag}`, as it came.
        to: Term,
        /// The answer.
        reply: Term,
    },
    /// Call `global_name_server` on a node (monitor, `'$gen_call'`, demonitor) and give the outcome to
    /// [`Global::reply`](super::Global::reply). It waits until the peer answers, has no such process, or is gone: a
    /// lock may be granted after a time-out, and then nobody releases it.
    Call {
        /// To be given back.
        id: CallId,
        /// Whom to call; connected when the effect was made.
        node: NodeName,
        /// Who calls: the peer takes this process for the holder of the lock.
        from: Pid,
        /// The request.
        request: Term,
    },
    /// Run a function on a node, this one included; the outcome goes to [`Global::rpc_reply`](super::Global::rpc_reply).
    Rpc {
        /// To be given back.
        id: CallId,
        /// Where.
        node: NodeName,
        /// The module.
        module: Term,
        /// The function.
        function: Term,
        /// Its arguments.
        arguments: Vec<Term>,
    },
    /// Dial a node as a visible one. Success is a `node_up`, anything else a
    /// [`Global::connect_failed`](super::Global::connect_failed).
    Connect(NodeName),
    /// Close the connection to a node; its `node_down` follows.
    Disconnect(NodeName),
    /// Watch a process; its end, or its being dead already, goes to
    /// [`Global::process_down`](super::Global::process_down).
    Monitor(Pid),
    /// Watch it no more.
    Demonitor(Pid),
    /// Kill a process that lost its name.
    Kill(Pid),
    /// A name is new, or belongs to another process (`Some`), or is gone (`None`).
    Name {
        /// The name.
        name: Term,
        /// Its process.
        pid: Option<Pid>,
    },
    /// A local request has ended.
    Complete {
        /// The request.
        request: RequestId,
        /// How.
        completion: Completion,
    },
    /// Something that an operator should read.
    Warn(String),
}
