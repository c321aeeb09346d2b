//! Processes: a task with a pid and a mailbox, which other processes of any node can send to, link and monitor.
//!
//! [`Process`] is what the code of a process holds. The rest is the node's side of it:
//!
//! | module | what |
//! | --- | --- |
//! | [`cell`] | what is known of one process; its lock is the only one that a signal takes |
//! | [`code`] | what a process runs, as others are told |
//! | [`mailbox`] | the two halves of a mailbox, selective receive |
//! | [`life`] | how processes begin and end |
//! | [`outgoing`], [`post`], [`parked`] | signals to others; how they leave; those that wait for a connection or for room |
//! | [`incoming`], [`roll`] | signals that come over a connection; who hears of its loss |
//! | [`io`] | printing by the group leader |
//! | [`node`] | processes as a [`Node`](crate::Node) shows them |
//!
//! The rules of links, monitors and aliases are `beamline_proto::ties`.

mod cell;
mod code;
mod incoming;
mod io;
mod life;
mod mailbox;
mod message;
mod node;
mod options;
mod outgoing;
mod parked;
mod post;
mod roll;
mod table;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use beamline_proto::NodeName;
use beamline_proto::ties::Alias;
use beamline_term::{Atom, Pid, Reference, Term};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use cell::ProcessInfo;
pub use mailbox::Mark;
pub use message::{Down, Exit, Message};
pub use options::{AliasKind, MonitorOptions};
pub use table::NameTaken;

pub(crate) use cell::{Birth, Cell};
pub(crate) use code::{Code, Mfa};
pub(crate) use life::{Tie, caught, panic_reason};
pub(crate) use mailbox::Taken;
pub(crate) use message::{encoded, reason};
pub(crate) use node::{alias, answer_to};
pub(crate) use roll::{Line, Roll};
pub(crate) use table::Table;

use crate::call::Call;
use crate::connection;
use crate::destination::Destination;
use crate::error::SendError;
use crate::functions::FunctionName;
use crate::node::Inner;
use crate::timer::Timer;

/// The inside of a process: what its task holds.
///
/// ```
/// # use beamline_node::{Epmd, Listen, Node};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let node = Node::builder("a@127.0.0.1").cookie("secret").listen(Listen::Off).start().await?;
/// let (tell, told) = tokio::sync::oneshot::channel();
/// let pid = node.spawn(|mut me| async move {
///     let mut sum = 0;
///     while let Some(message) = me.receive().await {
///         match message.decode::<i64>() {
///             Ok(number) => sum += number,
///             Err(_) => break, // anything else ends it
///         }
///     }
///     let _ = tell.send(sum);
/// });
/// node.send(&pid, &1).await?;
/// node.send(&pid, &2).await?;
/// node.send(&pid, "sum").await?;
/// assert_eq!(told.await?, 3);
/// # Ok(())
/// # }
/// ```
///
/// It runs as a tokio task. When it is to end, by an exit signal or with its node, its code stops at the `.await` where it is.
pub struct Process {
    pub(crate) node: Arc<Inner>,
    pub(crate) cell: Arc<Cell>,
    pub(crate) taken: Taken,
    /// Who started it with a link.
    pub(crate) parent: Option<Pid>,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Process({:?})", self.cell.pid)
    }
}

impl Process {
    /// The inside of a process that is started by the node itself.
    pub(crate) fn of(node: &Arc<Inner>, cell: &Arc<Cell>) -> Process {
        Process { node: Arc::clone(node), cell: Arc::clone(cell), taken: Taken::default(), parent: None }
    }
}

/// Receiving.
impl Process {
    /// The next message, in the order of arrival. Waits for one; `None` once the process is to end.
    ///
    /// Giving up the future (with `tokio::time::timeout`, in a `select!`) loses nothing.
    pub async fn receive(&mut self) -> Option<Message> {
        self.receive_since(Mark::START, |_| true).await
    }

    /// The next message, if one comes in time.
    pub async fn receive_within(&mut self, time: Duration) -> Option<Message> {
        tokio::time::timeout(time, self.receive()).await.ok().flatten()
    }

    /// The first message that is wanted. The others stay in the mailbox, in their order, and each is looked at once while
    /// this waits.
    ///
    /// ```
    /// # async fn example(me: &mut beamline_node::Process) {
    /// let stop = me.receive_matching(|message| message.is_tagged("stop", 2)).await;
    /// # }
    /// ```
    pub async fn receive_matching(&mut self, wanted: impl FnMut(&Message) -> bool) -> Option<Message> {
        self.receive_since(Mark::START, wanted).await
    }

    /// The first message that is wanted, if one comes in time.
    pub async fn receive_matching_within(
        &mut self,
        time: Duration,
        wanted: impl FnMut(&Message) -> bool,
    ) -> Option<Message> {
        tokio::time::timeout(time, self.receive_matching(wanted)).await.ok().flatten()
    }

    /// Notes this moment: with it, [`receive_since`](Process::receive_since) passes over all that is in the mailbox now.
    pub fn mark(&self) -> Mark {
        self.cell.mailbox.mark()
    }

    /// The first message that is wanted of those that arrived after a moment. For answers: what arrived before the question
    /// was asked need not be looked at, however much it is.
    pub async fn receive_since(&mut self, mark: Mark, wanted: impl FnMut(&Message) -> bool) -> Option<Message> {
        self.node.eased(&self.cell).await;
        self.cell.mailbox.receive(&mut self.taken, mark, wanted).await
    }

    /// The next message, if there is one that arrived before a moment.
    pub(crate) fn receive_before(&mut self, mark: Mark) -> Option<Message> {
        self.cell.mailbox.receive_before(&mut self.taken, mark)
    }

    /// Waits for the DOWN of a monitor.
    pub async fn receive_down(&mut self, monitor: &Reference) -> Option<Down> {
        let is_it = |message: &Message| message.as_down().is_some_and(|down| down.reference == *monitor);
        self.receive_matching(is_it).await?.as_down()
    }

    /// How many bytes of messages may wait for this process, each counted with some 50 bytes over its own length; 64 MiB
    /// unless set. A process that is sent more ends with the reason `message_queue_limit`.
    pub fn set_mailbox_limit(&self, bytes: usize) {
        self.cell.mailbox.set_limit(bytes);
    }
}

/// Sending and calling, in the name of this process: what it sends to another arrives in the order in which it was sent.
impl Process {
    /// Its pid.
    pub fn pid(&self) -> &Pid {
        &self.cell.pid
    }

    /// The name of its node.
    pub fn node_name(&self) -> &NodeName {
        &self.node.name
    }

    /// Who started it, if that was with a link.
    pub fn parent(&self) -> Option<&Pid> {
        self.parent.as_ref()
    }

    /// Sends a message, connecting first if need be; waits while the queue toward that node is full. Who does not exist gets
    /// nothing, as in Erlang. Bound it by [`tokio::time::timeout`]: dropped while it waits, it has sent nothing. Large binaries
    /// are sent without a copy, as by [`Node::send`](crate::Node::send).
    ///
    /// # Errors
    /// It could not be sent.
    pub async fn send(&self, to: impl Into<Destination>, message: &(impl Serialize + ?Sized)) -> Result<(), SendError> {
        self.node.send_from(&self.cell, to.into(), connection::payload(message)?).await
    }

    /// Calls a function on a node, as [`Node::call`](crate::Node::call).
    pub fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        peer: &NodeName,
        function: impl Into<FunctionName>,
        arguments: impl Serialize,
    ) -> Call<T> {
        Call::function(&self.node, peer, function.into(), &arguments).in_name_of(self.pid().clone())
    }

    /// Calls a `GenServer` of any node, as `GenServer.call(server, request)`. The answer does not pass through the mailbox.
    pub fn server_call<T: DeserializeOwned + Send + 'static>(
        &self,
        server: impl Into<Destination>,
        request: impl Serialize,
    ) -> Call<T> {
        Call::to(&self.node, server.into(), &request).in_name_of(self.pid().clone())
    }

    /// Sends `message` after `time`, unless the timer is cancelled first.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # async fn example(me: &mut beamline_node::Process) {
    /// let timer = me.send_after(Duration::from_millis(500), me.pid(), "tick");
    /// let left = timer.cancel(); // None: it has fired
    /// # }
    /// ```
    pub fn send_after(&self, time: Duration, to: impl Into<Destination>, message: &(impl Serialize + ?Sized)) -> Timer {
        Timer::start(&self.node, Arc::clone(&self.cell), time, to.into(), message)
    }

    /// Answers a `GenServer.call` that arrived as a message; see [`Request`](crate::Request). An answer to a peer that is slow to
    /// read is kept until there is room for it; a process that has answered more than it can send receives when it has.
    pub fn reply(&self, request: &crate::Request, answer: impl Into<Term>) {
        self.node.reply(&self.cell, &request.from, &request.tag, &encoded(&answer.into()));
    }

    /// Makes a reference that leads here: a message to it arrives as one to the pid would, until the alias is taken away.
    pub fn alias(&self, kind: AliasKind) -> Reference {
        let (reference, number) = self.node.numbers.reference();
        let rule = match kind {
            AliasKind::Explicit => Alias::Explicit,
            AliasKind::Reply => Alias::Reply,
        };
        self.node.make_alias(&self.cell, reference.clone(), number, rule);
        reference
    }

    /// Takes an alias away; what is sent to it from now on is lost. False if it is none of this process.
    pub fn unalias(&self, alias: &Reference) -> bool {
        if let Some(number) = self.node.numbers.number_of(alias)
            && self.cell.with(|state| state.ties.unalias(alias)) == Some(true)
        {
            self.node.processes.remove_alias(number);
            return true;
        }
        false
    }
}

/// Links, monitors, exits.
impl Process {
    /// Watches a process of any node, by pid or by name: when it ends, is not there or cannot be reached,
    /// `{'DOWN', reference, process, pid | {name, node}, reason}` arrives, once. See [`Message::as_down`].
    ///
    /// ```
    /// # async fn example(mut me: beamline_node::Process, pid: beamline_term::Pid) {
    /// let monitor = me.monitor(&pid);
    /// if let Some(down) = me.receive_down(&monitor).await {
    ///     println!("{pid:?} ended: {}", down.reason);
    /// }
    /// # }
    /// ```
    pub fn monitor(&self, target: impl Into<Destination>) -> Reference {
        self.node.monitor(&self.cell, target.into(), None, None)
    }

    /// Watches with an alias that the watched may answer to, or another tag than `DOWN`.
    pub fn monitor_with(&self, target: impl Into<Destination>, options: MonitorOptions) -> Reference {
        self.node.monitor(&self.cell, target.into(), options.tag, options.alias)
    }

    /// Stops watching. A message that is already in the mailbox stays.
    pub fn demonitor(&self, reference: &Reference) {
        self.node.demonitor(&self.cell, reference);
    }

    /// Stops watching, and takes its DOWN out of the mailbox if it is there, as `demonitor(Ref, [flush])`.
    pub async fn demonitor_flush(&mut self, reference: &Reference) {
        self.demonitor(reference);
        let is_it = |message: &Message| message.as_down().is_some_and(|down| down.reference == *reference);
        self.receive_matching_within(Duration::ZERO, is_it).await;
    }

    /// Links with a process: when one ends with another reason than `normal`, so does the other. Linking with one that is
    /// not there ends this one with `noproc`, and with one of a node that cannot be reached with `noconnection`.
    ///
    /// ```
    /// # async fn example(mut me: beamline_node::Process, pid: beamline_term::Pid) {
    /// me.trap_exit(true); // hear of it rather than end with it
    /// me.link(&pid);
    /// if let Some(exit) = me.receive().await.and_then(|message| message.as_exit()) {
    ///     println!("{:?} ended: {}", exit.from, exit.reason);
    /// }
    /// # }
    /// ```
    pub fn link(&self, pid: &Pid) {
        self.node.link(&self.cell, pid);
    }

    /// Takes the link away. When this returns, no exit signal of that link arrives any more.
    pub fn unlink(&self, pid: &Pid) {
        self.node.unlink(&self.cell, pid);
    }

    /// With `true`, exit signals arrive as messages `{'EXIT', pid, reason}` and do not end this process, except for `kill`
    /// of [`send_exit`](Process::send_exit). Gives what was set before.
    pub fn trap_exit(&self, trap: bool) -> bool {
        self.cell.trap_exit(trap)
    }

    /// Sends an exit signal to a process of any node, as `Process.exit(pid, reason)`: `kill` ends it whatever it traps, and
    /// others then hear `killed`; `normal` does nothing to those that do not trap exits, other than this process itself.
    pub fn send_exit(&self, pid: &Pid, reason: impl Into<Term>) {
        self.node.exit(&self.cell, pid, &reason.into());
    }

    /// Ends this process with this reason; what follows in its code does not run.
    pub async fn exit(self, reason: impl Into<Term>) -> std::convert::Infallible {
        self.cell.end(encoded(&reason.into()));
        std::future::pending().await
    }
}

/// Starting others.
impl Process {
    /// Starts a process of this node, with this one's group leader.
    pub fn spawn<F, Fut>(&self, run: F) -> Pid
    where
        F: FnOnce(Process) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.node.spawn_process(&self.cell, Tie::None, Code::of::<F>(), run).0
    }

    /// Starts a process that is linked with this one before it runs.
    pub fn spawn_link<F, Fut>(&self, run: F) -> Pid
    where
        F: FnOnce(Process) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.node.spawn_process(&self.cell, Tie::Link, Code::of::<F>(), run).0
    }

    /// Starts a process that this one watches before it runs.
    pub fn spawn_monitor<F, Fut>(&self, run: F) -> (Pid, Reference)
    where
        F: FnOnce(Process) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let (pid, monitor) = self.node.spawn_process(&self.cell, Tie::Monitor, Code::of::<F>(), run);
        (pid, monitor.unwrap_or_else(|| self.node.numbers.reference().0))
    }

    /// Gives this process a name of its node. It goes when the process ends.
    ///
    /// # Errors
    /// The name is taken, or this process has one.
    pub fn register(&self, name: impl Into<String>) -> Result<(), NameTaken> {
        self.node.register(&name.into(), self.pid())
    }

    /// Who does this process's input and output: on other nodes what it prints appears where that one is.
    pub fn group_leader(&self) -> Pid {
        self.cell.group_leader()
    }

    /// Makes `leader` the group leader of a process of any node.
    pub fn set_group_leader(&self, leader: &Pid, pid: &Pid) {
        self.node.lead(&self.cell, leader, pid);
    }

    /// The process of this name on this node.
    pub fn whereis(&self, name: &str) -> Option<Pid> {
        self.node.processes.whereis(&Atom::new(name).ok()?)
    }
}
