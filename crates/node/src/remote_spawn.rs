//! Starting exported functions as processes on other nodes, as `Node.spawn`, `spawn_link` and `spawn_monitor` do: spawn
//! requests of our own, and their replies.

use std::collections::HashMap;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use beamline_proto::NodeName;
use beamline_proto::control::{Control, SpawnOptions, SpawnRequest, Target};
use beamline_proto::ties::Watch;
use beamline_term::codec::encode;
use beamline_term::{Atom, Pid, Reference};
use bytes::Bytes;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::call::{Outcome, argument_list};

use crate::connection::{Closed, Connection};
use crate::error::CallError;
use crate::functions::FunctionName;
use crate::node::{Inner, Node};
use crate::process::{Cell, Line, Process, Tie};
use crate::service::spawn;

/// A process that was started on a node.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Spawned {
    /// Its pid.
    pub pid: Pid,
    /// The monitor, if one was asked for.
    pub monitor: Option<Reference>,
}

/// A spawn request that has not been sent: `.await` it, or set a [`timeout`](SpawnOn::timeout) first.
#[must_use = "a request does nothing until it is awaited"]
pub struct SpawnOn {
    node: Arc<Inner>,
    own: Arc<Cell>,
    peer: NodeName,
    function: FunctionName,
    arguments: Result<Bytes, beamline_term::serde::Error>,
    tie: Tie,
    timeout: Duration,
}

impl std::fmt::Debug for SpawnOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpawnOn").field("peer", &self.peer).field("function", &self.function).finish_non_exhaustive()
    }
}

/// Requests whose replies have not come, by the number of their reference.
#[derive(Default)]
pub(crate) struct Spawns {
    pending: Mutex<HashMap<u64, Pending>>,
    /// How many there are: every reply to a call looks here first.
    count: AtomicUsize,
}

struct Pending {
    own: Arc<Cell>,
    line: Line,
    tell: oneshot::Sender<Result<Pid, Atom>>,
}

impl Spawns {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, number: u64, pending: Pending) {
        self.count.fetch_add(1, Ordering::Release);
        self.lock().insert(number, pending);
    }

    /// Whether no reply is waited for.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    fn take(&self, number: u64) -> Option<Pending> {
        if self.is_empty() {
            return None;
        }
        let pending = self.lock().remove(&number)?;
        self.count.fetch_sub(1, Ordering::Release);
        Some(pending)
    }

    /// Who waits for a reply over this connection waits no longer.
    pub(crate) fn lost(&self, connection: &Arc<Connection>) {
        let line = Line(Arc::clone(connection));
        let lost: Vec<Pending> = self.lock().extract_if(|_, pending| pending.line == line).map(|(_, p)| p).collect();
        self.count.fetch_sub(lost.len(), Ordering::Release);
    }
}

impl Node {
    /// Starts a function of a node as a process there. To be linked with it or to watch it, start it from a process.
    ///
    /// ```no_run
    /// # async fn example(node: beamline_node::Node, peer: beamline_proto::NodeName) -> Result<(), beamline_node::CallError> {
    /// let worker = node.spawn_on(&peer, ("Elixir.Worker", "run"), (1,)).await?;
    /// println!("{:?} runs", worker.pid);
    /// # Ok(())
    /// # }
    /// ```
    pub fn spawn_on(&self, peer: &NodeName, function: impl Into<FunctionName>, arguments: impl Serialize) -> SpawnOn {
        SpawnOn::new(self.inner(), Arc::clone(&self.inner().caller_cell), peer, function.into(), &arguments, Tie::None)
    }
}

impl Process {
    /// Starts a function of a node as a process there.
    pub fn spawn_on(&self, peer: &NodeName, function: impl Into<FunctionName>, arguments: impl Serialize) -> SpawnOn {
        SpawnOn::new(&self.node, Arc::clone(&self.cell), peer, function.into(), &arguments, Tie::None)
    }

    /// The same, linked with this process before it runs.
    pub fn spawn_link_on(
        &self,
        peer: &NodeName,
        function: impl Into<FunctionName>,
        arguments: impl Serialize,
    ) -> SpawnOn {
        SpawnOn::new(&self.node, Arc::clone(&self.cell), peer, function.into(), &arguments, Tie::Link)
    }

    /// The same, watched by this process before it runs.
    pub fn spawn_monitor_on(
        &self,
        peer: &NodeName,
        function: impl Into<FunctionName>,
        arguments: impl Serialize,
    ) -> SpawnOn {
        SpawnOn::new(&self.node, Arc::clone(&self.cell), peer, function.into(), &arguments, Tie::Monitor)
    }

    /// The same, linked with this process and watched by it before it runs, as `spawn_opt` with `[link, monitor]`.
    pub fn spawn_link_monitor_on(
        &self,
        peer: &NodeName,
        function: impl Into<FunctionName>,
        arguments: impl Serialize,
    ) -> SpawnOn {
        SpawnOn::new(&self.node, Arc::clone(&self.cell), peer, function.into(), &arguments, Tie::Both)
    }
}

impl SpawnOn {
    fn new(
        node: &Arc<Inner>,
        own: Arc<Cell>,
        peer: &NodeName,
        function: FunctionName,
        arguments: &impl Serialize,
        tie: Tie,
    ) -> SpawnOn {
        let timeout = node.settings.limits.call_timeout;
        let (node, peer, arguments) = (Arc::clone(node), peer.clone(), argument_list(arguments).map(Bytes::from));
        SpawnOn { node, own, peer, function, arguments, tie, timeout }
    }

    /// How long to wait for the reply, the connection included. Default 5 s. A process that starts after that is told by
    /// an exit signal if it was to be linked.
    pub fn timeout(mut self, timeout: Duration) -> SpawnOn {
        self.timeout = timeout;
        self
    }

    async fn run(self) -> Result<Spawned, CallError> {
        let arguments = self.arguments.map_err(CallError::Arguments)?;
        if self.peer == self.node.name {
            let started = spawn::here(&self.node, &self.own, self.function, arguments, self.tie);
            return started.map_err(|reason| CallError::Refused { node: self.peer, reason });
        }
        let lost = || CallError::NodeDown { node: self.peer.clone() };
        self.node.turn(&self.own, self.peer.as_atom()).await;
        let connection = self.node.reach(&self.peer).await?;
        let room = connection.room(arguments.len()).await.map_err(|Closed| lost())?;
        let promise = connection.promise(room);
        let (reference, number) = self.node.numbers.reference();
        let (tell, told) = oneshot::channel();
        let pending = Pending { own: Arc::clone(&self.own), line: Line(Arc::clone(&connection)), tell };
        self.node.spawns.insert(number, pending);
        let options = SpawnOptions { link: self.tie.links(), monitor: self.tie.monitors() };
        let length = beamline_term::codec::Decoder::new(&arguments).list_header().unwrap_or(0);
        let request = Control::SpawnRequest(Box::new(SpawnRequest {
            reference: reference.clone(),
            from: self.own.pid.clone(),
            group_leader: self.own.group_leader(),
            module: self.function.module,
            function: self.function.function,
            arity: length as i64,
            options,
        }));
        let sent = connection.send_bytes(&request, &arguments);
        drop(promise);
        // Closed before the request was noted: nobody would tell.
        if sent.is_err() || connection.is_closed() {
            self.node.spawns.take(number);
        }
        sent.map_err(|error| CallError::Arguments(beamline_term::serde::Error::message(error)))?;
        match told.await {
            Ok(Ok(pid)) => Ok(Spawned { pid, monitor: self.tie.monitors().then_some(reference) }),
            Ok(Err(reason)) => Err(CallError::Refused { node: self.peer.clone(), reason }),
            Err(_) => Err(lost()),
        }
    }
}

impl IntoFuture for SpawnOn {
    type Output = Result<Spawned, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let (node, after) = (self.peer.clone(), self.timeout);
        Box::pin(async move {
            let outcome = tokio::time::timeout(after, self.run()).await;
            outcome.unwrap_or(Err(CallError::Timeout { node, after }))
        })
    }
}

/// What a reply says was set.
const LINKED: u8 = 1;
const MONITORED: u8 = 2;

impl Inner {
    /// The reply to a spawn request. The ties that it tells of are made before the next signal is looked at: that may be
    /// the process's end.
    pub(crate) fn spawn_reply_arrives(
        &self,
        connection: &Arc<Connection>,
        reference: &Reference,
        flags: u8,
        result: Result<Pid, Atom>,
    ) {
        let Some(pending) = self.numbers.number_of(reference).and_then(|number| self.spawns.take(number)) else {
            // Success says nothing to a call that the answer does not.
            if let Err(reason) = result {
                self.waiting.settle(&self.numbers, reference, Outcome::Refused(reason));
            }
            return;
        };
        let Pending { own, line, tell } = pending;
        let Ok(pid) = result else {
            // Who asked may have given up.
            let _ = tell.send(result);
            return;
        };
        let tied = own.with(|state| {
            if flags & (LINKED | MONITORED) == 0 {
                return true;
            }
            if !state.join(&line, own.number) {
                return false;
            }
            if flags & LINKED != 0 {
                state.ties.linked(&pid, Some(line.clone()));
            }
            if flags & MONITORED != 0 {
                let (target, node) = (Target::Pid(pid.clone()), pid.node().clone());
                state.ties.watch(reference.clone(), Watch { target, node, line: Some(line.clone()), tag: None });
            }
            true
        });
        if tied == Some(true) && tell.send(Ok(pid.clone())).is_ok() {
            return;
        }
        // Nobody waits for it any more.
        own.with(|state| {
            state.ties.exited(&pid, Some(&line));
            state.ties.unwatch(reference);
        });
        let from = own.pid.clone();
        if flags & LINKED != 0 {
            let exit = Control::Exit { from: from.clone(), to: pid.clone() };
            let _ = connection.send(&exit, |out| encode::atom_str(out, "abandoned"));
        }
        if flags & MONITORED != 0 {
            let demonitor = Control::Demonitor { from, to: Target::Pid(pid), reference: reference.clone() };
            let _ = connection.send(&demonitor, |_| {});
        }
    }
}
