//! `global_name_server`: the names of the whole cluster.
//!
//! The rules are `beamline_proto::global`, which knows neither sockets nor tasks; [`shell`] is the process that feeds it and
//! carries out what it asks for. Look-ups read a table that the process keeps, and take no lock.

mod lock;
mod shell;

use std::sync::{Arc, OnceLock};

use ::serde::Serialize;
use beamline_proto::NodeName;
use beamline_proto::global::{Completion, LockId, Method};
use beamline_term::{ExportFun, Pid, Term};
use tokio::sync::{mpsc, oneshot, watch};

use crate::connection;
use crate::error::SendError;
use crate::functions::FunctionName;
use crate::node::Inner;
use crate::process::{Cell, Mark};

pub use lock::{Lock, LockError};
pub(crate) use shell::start;

pub(crate) type Inputs = mpsc::UnboundedReceiver<Input>;

/// What the rules of `global` hear of, beside the messages of peers.
pub(crate) enum Input {
    /// A node is connected. What is in the mailbox by then came before it, what comes from it comes after.
    NodeUp(NodeName, Mark),
    /// A connection is gone. What came over it is in the mailbox by then.
    NodeDown(NodeName, bool, Mark),
    ConnectFailed(NodeName),
    /// A process that was to be watched is on a node that is not connected.
    Unwatched(Pid),
    Called(beamline_proto::global::CallId, Result<Term, beamline_proto::global::CallFailure>),
    Ran(beamline_proto::global::CallId, Result<Term, beamline_proto::global::CallFailure>),
    Request(Request, oneshot::Sender<Completion>),
}

/// What users of this node ask for.
pub(crate) enum Request {
    Register(Term, Pid, Method),
    Reregister(Term, Pid, Method),
    Unregister(Term),
    SetLock { lock: LockId, nodes: Vec<NodeName>, retries: Option<u32> },
    DelLock { lock: LockId, nodes: Vec<NodeName> },
    Sync,
}

/// What other parts of the node know of `global`: where to tell it things, and its table of names.
pub(crate) struct Shared {
    inputs: mpsc::UnboundedSender<Input>,
    names: papaya::HashMap<Term, Pid>,
    changed: watch::Sender<()>,
    /// The process that has the rules, once it is there.
    server: OnceLock<Arc<Cell>>,
}

impl Shared {
    pub(crate) fn new() -> (Shared, Inputs) {
        let (inputs, receiver) = mpsc::unbounded_channel();
        (
            Shared { inputs, names: papaya::HashMap::new(), changed: watch::Sender::new(()), server: OnceLock::new() },
            receiver,
        )
    }

    pub(crate) fn whereis(&self, name: &Term) -> Option<Pid> {
        self.names.pin().get(name).cloned()
    }

    /// This moment in the mailbox of the process.
    fn mark(&self) -> Mark {
        self.server.get().map_or(Mark::START, |cell| cell.mark())
    }

    fn tell(&self, input: Input) {
        // Nobody listens once the node stops.
        let _ = self.inputs.send(input);
    }

    pub(crate) fn node_up(&self, node: &NodeName) {
        self.tell(Input::NodeUp(node.clone(), self.mark()));
    }

    pub(crate) fn node_down(&self, node: &NodeName, on_purpose: bool) {
        self.tell(Input::NodeDown(node.clone(), on_purpose, self.mark()));
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

/// Who keeps a name when two parts of a cluster meet and each has a process of that name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Resolve {
    /// The process on the node with the smaller name; the other is killed. OTP's default.
    #[default]
    RandomExit,
    /// The process on the node with the smaller name; the other lives on and is sent `{global_name_conflict, Name}`.
    RandomNotify,
    /// Nobody: both live on and are sent `{global_name_conflict, Name, OtherPid}`.
    NotifyAll,
    /// Whom a function says that the process's own node exports: it is called with the name and both pids, and returns one
    /// of them, or `none`. It may end the other; nobody else does.
    Function(FunctionName),
}

impl Resolve {
    fn method(&self) -> Method {
        match self {
            Resolve::RandomExit => Method::RandomExit,
            Resolve::RandomNotify => Method::RandomNotify,
            Resolve::NotifyAll => Method::NotifyAll,
            Resolve::Function(FunctionName { module, function }) => {
                let fun = ExportFun { module: module.clone(), function: function.clone(), arity: 3 };
                Method::Custom(fun.into())
            }
        }
    }
}

/// The names of the whole cluster, as `:global`.
///
/// A name is any term. Its process may live on any node, and every node has the whole table: looking up costs no message.
/// A name vanishes with its process or its node.
///
/// ```no_run
/// # async fn example(node: beamline_node::Node) -> Result<(), Box<dyn std::error::Error>> {
/// let worker = node.spawn(|mut me| async move { while me.receive().await.is_some() {} });
/// node.global().register("worker", &worker).await?;
/// node.global().send("worker", &"a message").await?;
/// # Ok(())
/// # }
/// ```
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

    /// Gives a process of any node a name in the whole cluster. It vanishes with the process or its node.
    ///
    /// # Errors
    /// The name is taken, or the process has one.
    pub async fn register(&self, name: impl Into<Term>, pid: &Pid) -> Result<(), RegisterError> {
        self.register_with(name, pid, &Resolve::default()).await
    }

    /// As [`register`](Global::register), saying who keeps the name if another part of the cluster has it too.
    ///
    /// # Errors
    /// As `register`.
    pub async fn register_with(
        &self,
        name: impl Into<Term>,
        pid: &Pid,
        resolve: &Resolve,
    ) -> Result<(), RegisterError> {
        let name = name.into();
        match self.ask(Request::Register(name.clone(), pid.clone(), resolve.method())).await {
            Some(Completion::Done) => Ok(()),
            Some(Completion::Taken(pid)) => Err(RegisterError::Taken { name, pid }),
            Some(Completion::Named(name)) => Err(RegisterError::HasName { name }),
            _ => Err(RegisterError::Busy { name }),
        }
    }

    /// Gives a process a name, whoever has it now; that process lives on without.
    ///
    /// # Errors
    /// [`RegisterError::Busy`] alone.
    pub async fn re_register(&self, name: impl Into<Term>, pid: &Pid, resolve: &Resolve) -> Result<(), RegisterError> {
        let name = name.into();
        match self.ask(Request::Reregister(name.clone(), pid.clone(), resolve.method())).await {
            Some(Completion::Done) => Ok(()),
            _ => Err(RegisterError::Busy { name }),
        }
    }

    /// Takes a name away, whoever has it.
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

    /// All names with their processes, as this node knows them: `registered_names`. Takes no lock and asks nobody.
    pub fn names(&self) -> Vec<(Term, Pid)> {
        self.node.global.names.pin().iter().map(|(name, pid)| (name.clone(), pid.clone())).collect()
    }

    /// Sends to the process of a name, and says which it was.
    ///
    /// # Errors
    /// Nobody has the name, or the message could not be sent.
    pub async fn send(&self, name: impl Into<Term>, message: &impl Serialize) -> Result<Pid, GlobalSendError> {
        let name = name.into();
        let Some(pid) = self.whereis(&name) else { return Err(GlobalSendError::NoName { name }) };
        let message = connection::payload(message).map_err(SendError::from)?;
        self.node.send_from(&self.node.caller_cell, (&pid).into(), message).await?;
        Ok(pid)
    }

    /// Tells each time that the table has changed, from now on; look at [`names`](Global::names) then.
    pub fn changes(&self) -> NameChanges {
        NameChanges { changed: self.node.global.changed.subscribe(), node: Arc::clone(&self.node) }
    }

    async fn ask(&self, request: Request) -> Option<Completion> {
        let (tell, answer) = oneshot::channel();
        self.node.global.tell(Input::Request(request, tell));
        answer.await.ok()
    }
}

/// That the table of names has changed. Changes that come faster than they are looked at count as one.
pub struct NameChanges {
    node: Arc<Inner>,
    changed: watch::Receiver<()>,
}

impl std::fmt::Debug for NameChanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NameChanges({})", self.node.name)
    }
}

impl NameChanges {
    /// Waits for the next change. `None` when the node has stopped.
    pub async fn next(&mut self) -> Option<()> {
        tokio::select! {
            changed = self.changed.changed() => changed.ok(),
            () = self.node.global.inputs.closed() => None,
        }
    }
}

/// Why a message did not go to a name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GlobalSendError {
    /// No process has it.
    #[error("no process of the cluster has the name {name}")]
    NoName {
        /// The name.
        name: Term,
    },
    /// It could not be sent to the process that has it.
    #[error(transparent)]
    Send(#[from] SendError),
}
