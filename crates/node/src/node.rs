//! The node itself, and what users do with it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use arc_swap::ArcSwapOption;
use beamline_proto::control::{Caller, Target};
use beamline_proto::flags::Flags;
use beamline_proto::handshake::Local;
use beamline_proto::{Cookie, NodeName};
use beamline_term::{Atom, Creation, Origin, Pid, atom};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{broadcast, watch};
use tokio::task::AbortHandle;
use tracing::info;

use crate::builder::{Identity, NodeBuilder};
use crate::call::Call;
use crate::cause::{Cause, ConnectError};
use crate::config::Settings;
use crate::connection::guests::Guests;
use crate::connection::slots::{Slots, Wish};
use crate::connection::{self, Connection, dial};
use crate::cookies::Cookies;
use crate::destination::Destination;
use crate::epmd::Registration;
use crate::error::{CallError, SendError};
use crate::events::{DownReason, Events, NodeEvent};
use crate::functions::{self, FunctionName, Module};
use crate::metrics::NodeMetrics;
use crate::process::{Birth, Cell, Code, Table};
use crate::reference::Numbers;
use crate::remote_spawn::Spawns;
use crate::service::global::{self, Global};
use crate::service::pg;
use crate::stopped::StopReason;
use crate::waiting::Waiting;

/// A node of the cluster. Clones are the same node; it stops when the last one is dropped.
#[derive(Clone)]
pub struct Node {
    handle: Arc<Handle>,
}

struct Handle {
    inner: Arc<Inner>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inner.stop(StopReason::Asked);
    }
}

/// Who a node is.
pub(crate) struct Own {
    pub(crate) name: NodeName,
    pub(crate) creation: Creation,
    /// Who gave it the name, if it came without one.
    pub(crate) host: Option<NodeName>,
    /// Where it listens, if it does.
    pub(crate) port: Option<u16>,
}

/// What all tasks of a node share.
pub(crate) struct Inner {
    pub(crate) name: NodeName,
    pub(crate) cookies: Cookies,
    pub(crate) settings: Settings,
    pub(crate) metrics: NodeMetrics,
    pub(crate) guests: Guests,
    /// Who gave us our name, if we came without one.
    pub(crate) host: Option<NodeName>,
    pub(crate) port: Option<u16>,
    pub(crate) numbers: Numbers,
    pub(crate) slots: Slots,
    pub(crate) processes: Table,
    pub(crate) functions: functions::Table,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) spawns: Spawns,
    pub(crate) running_calls: std::sync::atomic::AtomicUsize,
    pub(crate) global: global::Shared,
    pub(crate) scopes: pg::Scopes,
    /// The process in whose name calls are made; it also takes what called functions print.
    pub(crate) caller: Pid,
    /// Writes those calls.
    pub(crate) calls: Caller,
    /// What the node itself sends is sent from here, also when that process has ended. It is in no table and has no ties.
    pub(crate) caller_cell: Arc<Cell>,
    pub(crate) started: Instant,
    pub(crate) registration: ArcSwapOption<Registration>,
    events: broadcast::Sender<NodeEvent>,
    stopping: watch::Sender<Option<StopReason>>,
    /// Where the node's tasks run, also when a user's thread outside of it asks for one.
    runtime: tokio::runtime::Handle,
}

/// Which nodes a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodeSet {
    /// Visible peers.
    Visible,
    /// Hidden peers.
    Hidden,
    /// All peers.
    Connected,
    /// This node alone.
    This,
    /// This node and all peers.
    Known,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({})", self.name())
    }
}

impl Node {
    /// Sets up a node of this name, `app_a@127.0.0.1`. Peers reach it by the host after the `@`.
    pub fn builder(name: impl Into<String>) -> NodeBuilder {
        NodeBuilder::new(Identity::Named(name.into()))
    }

    /// Sets up a node without a name of its own, as `erl -sname undefined`: a tool that visits a cluster. Its start connects
    /// it with `host`, which gives it a name that no other node has. It is hidden, does not listen, needs no epmd, and may
    /// connect with others too. When the connection with its host ends, its name is gone, and so the node
    /// [stops](Node::stopped).
    ///
    /// ```no_run
    /// # use beamline_node::Node;
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let host = "app_b@127.0.0.1".parse()?;
    /// let guest = Node::guest(&host).cookie("secret").start().await?;
    /// println!("{} sees {:?}", host, guest.call::<Vec<String>>(&host, ("erlang", "nodes"), ()).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn guest(host: &NodeName) -> NodeBuilder {
        NodeBuilder::new(Identity::GuestOf(host.clone()))
    }

    pub(crate) fn new(inner: Arc<Inner>) -> Node {
        Node { handle: Arc::new(Handle { inner }) }
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.handle.inner
    }

    /// Its name.
    pub fn name(&self) -> &NodeName {
        &self.inner().name
    }

    /// The port on which it listens; `None` if it does not.
    pub fn port(&self) -> Option<u16> {
        self.inner().port
    }

    /// Its creation, which tells its restarts apart.
    pub fn creation(&self) -> Creation {
        self.inner().numbers.origin().creation()
    }

    /// Connects with a node; at once if it is connected. Each step of it has [`Limits::setup_time`](crate::Limits::setup_time);
    /// dropping this leaves the attempt to others who wait for it.
    ///
    /// # Errors
    /// The connection cannot be made; the error has the [`Cause`].
    pub async fn connect(&self, peer: &NodeName) -> Result<(), ConnectError> {
        self.inner().connect(peer).await
    }

    /// Ends the connection with a node; false if there is none.
    pub fn disconnect(&self, peer: &NodeName) -> bool {
        self.inner().disconnect(peer, &DownReason::Disconnect)
    }

    /// The visible nodes that it is connected with, as `Node.list()`.
    pub fn list(&self) -> Vec<NodeName> {
        self.nodes(NodeSet::Visible)
    }

    /// The nodes of a kind, as `Node.list(kind)`.
    pub fn nodes(&self, set: NodeSet) -> Vec<NodeName> {
        self.inner().nodes(set)
    }

    /// Whether it is connected with this node.
    pub fn is_connected(&self, peer: &NodeName) -> bool {
        self.inner().slots.get(peer.as_atom()).is_some()
    }

    /// Shares this cookie with a peer from now on, in both directions, in place of the node's own; with this node's own name
    /// it is the node's own that changes. As `Node.set_cookie(peer, cookie)`. Connections that are up stay.
    pub fn set_cookie(&self, peer: &NodeName, cookie: impl Into<Cookie>) {
        if peer == self.name() {
            self.inner().cookies.set_own(cookie.into());
        } else {
            self.inner().cookies.set(peer, cookie.into());
        }
    }

    /// Asks a node whether it accepts us, connecting first if need be, as `Node.ping`.
    ///
    /// # Errors
    /// It does not, or gives no answer.
    pub async fn ping(&self, peer: &NodeName) -> Result<(), CallError> {
        if peer == self.name() {
            return Ok(());
        }
        let request = (atom("is_auth"), self.name().to_atom());
        let server = Target::Name(atom("net_kernel"));
        let answer: Atom = Call::server(self.inner(), peer, server, &request).await?;
        if answer == "yes" {
            return Ok(());
        }
        Err(CallError::Exited { node: peer.clone(), reason: answer.into() })
    }

    /// Calls a function on a node, as `:erpc.call`. Arguments are a tuple of values, or a sequence; `()` for none.
    ///
    /// Arguments are encoded before this returns. Of tens of megabytes that takes milliseconds, in which a worker of the
    /// runtime does nothing else: make such a call on a thread of its own, as by [`tokio::task::spawn_blocking`].
    ///
    /// ```no_run
    /// # async fn example(node: beamline_node::Node, peer: beamline_proto::NodeName) -> Result<(), beamline_node::CallError> {
    /// let sum: i64 = node.call(&peer, ("Elixir.Kernel", "+"), (1, 2)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        peer: &NodeName,
        function: impl Into<FunctionName>,
        arguments: impl Serialize,
    ) -> Call<T> {
        Call::function(self.inner(), peer, function.into(), &arguments)
    }

    /// Calls a `GenServer` by its name on a node, as `GenServer.call({name, node}, request)`.
    pub fn server_call<T: DeserializeOwned + Send + 'static>(
        &self,
        name: Atom,
        peer: &NodeName,
        request: impl Serialize,
    ) -> Call<T> {
        Call::to(self.inner(), Destination::Remote(name, peer.clone()), &request)
    }

    /// Calls a `GenServer` by its pid.
    pub fn server_call_pid<T: DeserializeOwned + Send + 'static>(&self, pid: &Pid, request: impl Serialize) -> Call<T> {
        Call::to(self.inner(), pid.into(), &request)
    }

    /// Sends a message, connecting first if need be. It has been taken when this returns, and arrives unless the
    /// connection breaks; who does not exist gets nothing, as in Erlang. It waits for the connection, and for room in the queue
    /// toward that node: bound it by [`tokio::time::timeout`]. Dropped while it waits, it has sent nothing. Large binaries, in a
    /// [`Term`](beamline_term::Term) or as a [`Binary`](beamline_term::Binary) in a type of your own, are sent from where they
    /// are, without a copy.
    ///
    /// # Errors
    /// It could not be sent.
    pub async fn send(&self, to: impl Into<Destination>, message: &(impl Serialize + ?Sized)) -> Result<(), SendError> {
        self.inner().send_from(&self.inner().caller_cell, to.into(), connection::payload(message)?).await
    }

    /// Adds exported functions.
    pub fn export(&self, module: Module) {
        self.inner().functions.add(module);
    }

    /// Nodes coming and going, from now on.
    pub fn events(&self) -> Events {
        Events(self.inner().events.subscribe())
    }

    /// The names of the whole cluster.
    pub fn global(&self) -> Global {
        Global::new(self.inner())
    }

    /// Waits until the node has stopped, and says why: by [`stop`](Node::stop); if it is a [guest](Node::guest), because its
    /// host is gone; or because a service has ended without which it would be no whole member of its cluster.
    pub async fn stopped(&self) -> StopReason {
        let mut stopping = self.inner().stopping.subscribe();
        // The sender lives in the node, so there is a reason in the end.
        let reason = stopping.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        reason.unwrap_or(StopReason::Asked)
    }

    /// Stops the node: peers see it go at once.
    pub async fn stop(self) {
        let inner = Arc::clone(self.inner());
        drop(self);
        inner.stop(StopReason::Asked);
        // The sockets close on their own tasks.
        tokio::task::yield_now().await;
    }
}

impl Inner {
    pub(crate) fn new(
        own: Own,
        cookies: Cookies,
        settings: Settings,
        functions: functions::Table,
        global: global::Shared,
    ) -> Inner {
        let Own { name, creation, host, port } = own;
        let numbers = Numbers::new(Origin::new(name.to_atom(), creation));
        let caller = numbers.pid();
        let birth = Birth { parent: caller.clone(), group_leader: caller.clone(), code: Code::service("user") };
        Inner {
            cookies,
            metrics: NodeMetrics::new(&name),
            guests: Guests::default(),
            name,
            host,
            port,
            caller_cell: Arc::new(Cell::new(caller.clone(), u64::MAX, birth, 0)),
            started: Instant::now(),
            calls: Caller::new(caller.clone(), caller.clone()),
            caller,
            numbers,
            slots: Slots::new(settings.auto_connect),
            settings,
            processes: Table::default(),
            functions,
            waiting: Arc::default(),
            spawns: Spawns::default(),
            running_calls: std::sync::atomic::AtomicUsize::new(0),
            global,
            scopes: pg::Scopes::default(),
            registration: ArcSwapOption::empty(),
            events: broadcast::Sender::new(1024),
            stopping: watch::Sender::new(None),
            runtime: tokio::runtime::Handle::current(),
        }
    }

    /// What we say of ourselves in a handshake.
    pub(crate) fn local(&self) -> Local {
        let visible = if self.settings.hidden { Flags::NONE } else { Flags::PUBLISHED };
        Local { name: self.name.clone(), flags: Flags::OFFERED | visible, creation: self.numbers.origin().creation() }
    }

    /// Starts a task that ends with the node.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let mut stopping = self.stopping.subscribe();
        let told = self.stopping.subscribe();
        let task = self.runtime.spawn(async move {
            let mut stopped = pin!(stopping.wait_for(Option::is_some));
            let mut task = pin!(task);
            let mut is_first = true;
            poll_fn(|context| {
                // A task is woken the same way all its life, so it is enough to ask once, and then to look.
                if std::mem::take(&mut is_first) || told.has_changed().unwrap_or(true) {
                    // A node that stops says nothing more, least of all that it lost its peers.
                    let is_stopped = stopped.as_mut().poll(context).is_ready();
                    if is_stopped {
                        return Poll::Ready(());
                    }
                }
                task.as_mut().poll(context)
            })
            .await;
        });
        task.abort_handle()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.borrow().is_some()
    }

    /// Where processes run.
    pub(crate) fn runtime(&self) -> &tokio::runtime::Handle {
        &self.runtime
    }

    /// Stops the node; the first reason counts.
    pub(crate) fn stop(&self, reason: StopReason) {
        self.stopping.send_modify(|stopping| {
            stopping.get_or_insert(reason);
        });
        for connection in self.slots.all() {
            connection.close(DownReason::Stopped);
            if self.slots.remove(&connection) {
                self.metrics.connections.decrement(1.0);
                self.metrics.connection_over(&connection.metrics);
                self.waiting.lost(&connection);
            }
        }
        self.end_processes();
        self.registration.store(None);
    }

    pub(crate) async fn connect(self: &Arc<Self>, peer: &NodeName) -> Result<(), ConnectError> {
        let failed = |cause| ConnectError::new(peer.clone(), cause);
        dial::connect(self, peer, Wish::Asked).await.map_err(failed)
    }

    /// The connection with a node, made if need be and if that is allowed without being asked for.
    pub(crate) async fn reach(self: &Arc<Self>, peer: &NodeName) -> Result<Arc<Connection>, ConnectError> {
        if let Some(connection) = self.slots.get(peer.as_atom()) {
            return Ok(connection);
        }
        let failed = |cause| ConnectError::new(peer.clone(), cause);
        dial::connect(self, peer, Wish::Needed).await.map_err(failed)?;
        self.slots.get(peer.as_atom()).ok_or_else(|| failed(Cause::NameClash))
    }

    pub(crate) fn disconnect(&self, peer: &NodeName, reason: &DownReason) -> bool {
        let Some(connection) = self.slots.get(peer.as_atom()) else { return false };
        connection.close(reason.clone());
        // Not left to the reader, so that the node is off the list when this returns.
        if self.slots.remove(&connection) {
            self.connection_lost(&connection, reason);
        }
        true
    }

    pub(crate) fn nodes(&self, set: NodeSet) -> Vec<NodeName> {
        let own = matches!(set, NodeSet::This | NodeSet::Known).then(|| self.name.clone());
        let peers = self.slots.all().into_iter().filter(|connection| match set {
            NodeSet::Visible => !connection.is_hidden(),
            NodeSet::Hidden => connection.is_hidden(),
            NodeSet::Connected | NodeSet::Known => true,
            NodeSet::This => false,
        });
        let mut nodes: Vec<NodeName> = own.into_iter().chain(peers.map(|c| c.peer.name.clone())).collect();
        nodes.sort();
        nodes
    }

    /// A connection is up: told to all before its first message is read.
    pub(crate) fn connection_made(&self, connection: &Arc<Connection>) {
        let (node, hidden) = (connection.peer.name.clone(), connection.is_hidden());
        info!(%node, hidden, "node up");
        self.metrics.connections.increment(1.0);
        if !hidden {
            self.global.node_up(&node);
        }
        self.scopes.node_up(&node, hidden, self.settings.hidden);
        let _ = self.events.send(NodeEvent::Up { node, hidden });
    }

    /// A connection is gone, and with it every link and monitor over it, and every call that waits for its peer.
    pub(crate) fn connection_lost(&self, connection: &Arc<Connection>, reason: &DownReason) {
        let (node, hidden) = (connection.peer.name.clone(), connection.is_hidden());
        info!(%node, hidden, %reason, "node down");
        self.metrics.connections.decrement(1.0);
        self.metrics.connection_over(&connection.metrics);
        self.waiting.lost(connection);
        self.spawns.lost(connection);
        self.ties_lost(connection);
        if !hidden {
            self.global.node_down(&node, *reason == DownReason::Disconnect);
        }
        let is_host = self.host.as_ref() == Some(&node);
        let _ = self.events.send(NodeEvent::Down { node, hidden, reason: reason.clone() });
        if is_host {
            self.stop(StopReason::HostLost);
        }
    }

    /// The process of this pid, if it is one of ours and lives.
    pub(crate) fn cell(&self, pid: &Pid) -> Option<Arc<Cell>> {
        self.processes.get(self.numbers.number_of_pid(pid)?)
    }
}
