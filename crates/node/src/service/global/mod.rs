//! `global_name_server`: the names of the whole cluster.
//!
//! The rules are `beamline_proto::global`, which knows neither sockets nor tasks; [`shell`] is the process that feeds it and
//! carries out what it asks for. Look-ups read a copy of its table and take no lock.

mod shell;

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use beamline_proto::NodeName;
use beamline_proto::global::Completion;
use beamline_term::{Pid, Term};
use tokio::sync::{mpsc, oneshot};

use crate::node::Inner;

pub(crate) use shell::start;

pub(crate) type Inputs = mpsc::UnboundedReceiver<Input>;

/// What the rules of `global` hear of, beside the messages of peers.
pub(crate) enum Input {
    NodeUp(NodeName),
    NodeDown(NodeName, bool),
    ConnectFailed(NodeName),
    Called(beamline_proto::global::CallId, Result<Term, beamline_proto::global::CallFailure>),
    Ran(beamline_proto::global::CallId, Result<Term, beamline_proto::global::CallFailure>),
    Request(Request, oneshot::Sender<Completion>),
}

/// What users of this node ask for.
pub(crate) enum Request {
    Register(Term, Pid),
    Unregister(Term),
    Sync,
}

/// What other parts of the node know of `global`: where to tell it things, and a copy of its table.
pub(crate) struct Shared {
    inputs: mpsc::UnboundedSender<Input>,
    names: ArcSwap<HashMap<Term, Pid>>,
}

impl Shared {
    pub(crate) fn new() -> (Shared, Inputs) {
        let (inputs, receiver) = mpsc::unbounded_channel();
        (Shared { inputs, names: ArcSwap::default() }, receiver)
    }

    pub(crate) fn whereis(&self, name: &Term) -> Option<Pid> {
        self.names.load().get(name).cloned()
    }

    fn tell(&self, input: Input) {
        // Nobody listens once the node stops.
        let _ = self.inputs.send(input);
    }

    pub(crate) fn node_up(&self, node: &NodeName) {
        self.tell(Input::NodeUp(node.clone()));
    }

    pub(crate) fn node_down(&self, node: &NodeName, on_purpose: bool) {
        self.tell(Input::NodeDown(node.clone(), on_purpose));
    }
}

/// Why a name was not registered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// Another process of the cluster has it.
    #[error("the name {name} is taken by {pid:?}; choose another, or end that process")]
    Taken {
        /// The name.
        name: Term,
        /// Who has it.
        pid: Pid,
    },
    /// The process has another name already; `global` gives a process one.
    #[error("the process has the global name {name} already")]
    HasName {
        /// That name.
        name: Term,
    },
    /// The locks of the cluster could not be had, too many requests wait, or the node stops.
    #[error("the name {name} could not be registered: the cluster's lock is held by others; try again")]
    Busy {
        /// The name.
        name: Term,
    },
}

/// The names of the whole cluster, as `:global`.
#[derive(Clone)]
pub struct Global {
    node: Arc<Inner>,
}

impl std::fmt::Debug for Global {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Global({})", self.node.name)
    }
}

impl Global {
    pub(crate) fn new(node: &Arc<Inner>) -> Global {
        Global { node: Arc::clone(node) }
    }

    /// Gives a process a name in the whole cluster. It vanishes with the process or its node.
    ///
    /// # Errors
    /// The name is taken, or the process has one.
    pub async fn register(&self, name: impl Into<Term>, pid: &Pid) -> Result<(), RegisterError> {
        let name = name.into();
        match self.ask(Request::Register(name.clone(), pid.clone())).await {
            Some(Completion::Done) => Ok(()),
            Some(Completion::Taken(pid)) => Err(RegisterError::Taken { name, pid }),
            Some(Completion::Named(name)) => Err(RegisterError::HasName { name }),
            _ => Err(RegisterError::Busy { name }),
        }
    }

    /// Takes a name away.
    pub async fn unregister(&self, name: impl Into<Term>) {
        self.ask(Request::Unregister(name.into())).await;
    }

    /// Waits until this node and all that it is connected with have the same table.
    pub async fn sync(&self) {
        self.ask(Request::Sync).await;
    }

    /// The process of a name, as this node knows it. Takes no lock and asks nobody.
    pub fn whereis(&self, name: &Term) -> Option<Pid> {
        self.node.global.whereis(name)
    }

    /// All names, as this node knows them.
    pub fn names(&self) -> Vec<(Term, Pid)> {
        self.node.global.names.load().iter().map(|(name, pid)| (name.clone(), pid.clone())).collect()
    }

    async fn ask(&self, request: Request) -> Option<Completion> {
        let (tell, answer) = oneshot::channel();
        self.node.global.tell(Input::Request(request, tell));
        answer.await.ok()
    }
}
