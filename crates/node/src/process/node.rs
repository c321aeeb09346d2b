//! Processes as a node shows them to its users.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use beamline_proto::NodeName;
use beamline_proto::control::Control;
use beamline_proto::frame::Payload;
use beamline_term::codec::encode;
use beamline_term::{Atom, Pid, Reference, Term};
use bytes::Bytes;
use serde::Serialize;

use super::{Cell, Code, Message, NameTaken, Process, ProcessInfo, Tie};
use crate::connection::Unsent;
use crate::destination::Destination;
use crate::error::SendError;
use crate::node::{Inner, Node};
use crate::timer::Timer;

impl Node {
    /// Starts a process; it ends when the closure's future does.
    pub fn spawn<F, Fut>(&self, run: F) -> Pid
    where
        F: FnOnce(Process) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.inner().spawn_process(&self.inner().caller_cell, Tie::None, Code::of::<F>(), run).0
    }

    /// Gives a process of this node a name, under which others can send to it. It goes when the process ends.
    ///
    /// # Errors
    /// The name is taken, or the process has one, or has ended.
    pub fn register(&self, name: impl Into<String>, pid: &Pid) -> Result<(), NameTaken> {
        self.inner().register(&name.into(), pid)
    }

    /// Takes a name of this node away; false if no process has it.
    pub fn unregister(&self, name: &str) -> bool {
        Atom::new(name).is_ok_and(|name| self.inner().processes.unregister(&name))
    }

    /// The process of this name on this node.
    pub fn whereis(&self, name: &str) -> Option<Pid> {
        self.inner().processes.whereis(&Atom::new(name).ok()?)
    }

    /// Whether a process of this node runs.
    pub fn is_alive(&self, pid: &Pid) -> bool {
        self.inner().cell(pid).is_some_and(|cell| cell.is_alive())
    }

    /// What this node tells of one of its processes; `None` if it does not run. Its messages are nobody's but its own.
    pub fn process_info(&self, pid: &Pid) -> Option<ProcessInfo> {
        self.inner().cell(pid)?.info()
    }

    /// Sends an exit signal to a process of any node, as `Process.exit(pid, reason)`.
    pub fn exit(&self, pid: &Pid, reason: impl Into<Term>) {
        let inner = self.inner();
        inner.exit(&inner.caller_cell, pid, &reason.into());
    }

    /// Sends `message` after `time`, unless the timer is cancelled first.
    pub fn send_after(&self, time: Duration, to: impl Into<Destination>, message: &(impl Serialize + ?Sized)) -> Timer {
        Timer::start(self.inner(), Arc::clone(&self.inner().caller_cell), time, to.into(), message)
    }
}

impl Inner {
    /// Ends a process of any node, in the name of the node itself.
    pub(crate) fn kill(self: &Arc<Self>, pid: &Pid) {
        self.exit(&self.caller_cell, pid, &Term::atom("kill"));
    }

    /// Sends a message in the name of the node itself, connecting first if need be.
    pub(crate) async fn send(self: &Arc<Self>, to: Destination, message: Message) -> Result<(), SendError> {
        self.send_from(&self.caller_cell, to, message.encoded().clone().into()).await
    }

    pub(crate) fn register(&self, name: &str, pid: &Pid) -> Result<(), NameTaken> {
        let name = Atom::new(name).map_err(|source| NameTaken::NoAtom { text: name.to_owned(), source })?;
        match self.cell(pid) {
            Some(cell) => self.processes.register(&name, &cell),
            None => Err(NameTaken::NoProcess { pid: pid.clone() }),
        }
    }

    /// Sends a message in the name of a process, connecting first if need be, behind all that it sent there before.
    pub(crate) async fn send_from(
        self: &Arc<Self>,
        from: &Arc<Cell>,
        to: Destination,
        payload: Payload,
    ) -> Result<(), SendError> {
        let sender = from.pid.clone();
        let (node, control) = match &to {
            Destination::Pid(pid) if pid.node() != self.name.as_atom() => {
                (pid.node(), Control::Send { from: Some(sender), to: pid.clone() })
            }
            Destination::Remote(name, node) if *node != self.name => {
                (node.as_atom(), Control::RegSend { from: sender, to: name.clone() })
            }
            Destination::Alias(alias) if alias.node() != self.name.as_atom() => {
                (alias.node(), Control::AliasSend { from: sender, to: alias.clone() })
            }
            _ => {
                self.deliver_here(&to, payload.into_bytes());
                return Ok(());
            }
        };
        self.turn(from, node).await;
        let connection = match self.slots.get(node) {
            Some(connection) => connection,
            None => match NodeName::from_atom(node) {
                Ok(peer) => self.reach(&peer).await?,
                // A pid of a node whose name is none leads nowhere.
                Err(_) => return Ok(()),
            },
        };
        connection.deliver(&control, &payload).await.map_err(|unsent| match unsent {
            Unsent::Closed => SendError::NodeDown { node: connection.peer.name.clone() },
            Unsent::TooLarge(error) => SendError::TooLarge(error),
        })
    }

    /// Answers a `gen_server` call. The answer waits for room; nobody waits for it any more on a node that is not connected.
    pub(crate) fn reply(self: &Arc<Self>, own: &Arc<Cell>, to: &Pid, tag: &Term, answer: &Bytes) {
        let (to, message) = answer_to(to, tag, answer);
        self.answer_now(own, &to, message, true);
    }

    /// As [`Inner::reply`], of the node's own services, whose answers are short: they draw on the reserve, so that a peer that
    /// does not read holds up no service.
    pub(crate) fn reply_at_once(self: &Arc<Self>, own: &Arc<Cell>, to: &Pid, tag: &Term, answer: impl Into<Term>) {
        let (to, message) = answer_to(to, tag, &super::encoded(&answer.into()));
        self.answer_now(own, &to, message, false);
    }

    /// Sends a short message of the node's own services, which do not wait and make no connection.
    pub(crate) fn tell(self: &Arc<Self>, to: Pid, message: impl Into<Term>) {
        self.answer_now(&self.caller_cell, &Destination::Pid(to), super::encoded(&message.into()), false);
    }

    fn answer_now(self: &Arc<Self>, own: &Arc<Cell>, to: &Destination, message: Bytes, waits: bool) {
        if self.is_known(to) {
            self.send_now(own, to, message, waits);
        }
    }

    /// Whether a destination is here or on a node that is connected.
    fn is_known(&self, to: &Destination) -> bool {
        let node = match to {
            Destination::Pid(pid) => pid.node(),
            Destination::Remote(_, node) => node.as_atom(),
            Destination::Alias(alias) => alias.node(),
            Destination::Name(_) => return true,
        };
        self.is_near(node)
    }

    /// Whether a node is this one, or connected.
    pub(crate) fn is_near(&self, node: &Atom) -> bool {
        node == self.name.as_atom() || self.slots.get(node).is_some()
    }

    /// Sends an answer that a task has, when there is room for it; as [`Inner::reply`]. What waits counts with the answers of
    /// functions.
    pub(crate) async fn answer(self: &Arc<Self>, own: &Arc<Cell>, to: Destination, message: Bytes) {
        let peer = match &to {
            Destination::Pid(pid) => self.slots.get(pid.node()),
            Destination::Alias(alias) => self.slots.get(alias.node()),
            _ => None,
        };
        if let Some(connection) = peer {
            self.turn(own, connection.peer.name.as_atom()).await;
            let room = connection.room_for_answer(message.len()).await;
            let _promise = room.map(|room| connection.promise(room));
            return self.send_now(own, &to, message, false);
        }
        self.answer_now(own, &to, message, false);
    }
}

/// The answer to a `gen_server` call, and where it goes: to the alias in the tag if there is one, else to the caller. The tag
/// is given back as it came.
pub(crate) fn answer_to(to: &Pid, tag: &Term, answer: &Bytes) -> (Destination, Bytes) {
    let mut out = Vec::with_capacity(64 + answer.len());
    encode::tuple_header(&mut out, 2);
    encode::term(&mut out, tag);
    out.extend_from_slice(answer);
    let to = match alias(tag) {
        Some(alias) => Destination::Alias(alias.clone()),
        None => Destination::Pid(to.clone()),
    };
    (to, out.into())
}

/// The alias in a tag `[alias | Ref]` or `[[alias | Ref] | _]`.
pub(crate) fn alias(tag: &Term) -> Option<&Reference> {
    let (head, tail) = pair(tag)?;
    let (head, tail) = if head.is_atom("alias") { (head, tail) } else { pair(head)? };
    head.is_atom("alias").then(|| tail.as_reference()).flatten()
}

/// The halves of `[head | tail]`.
fn pair(term: &Term) -> Option<(&Term, &Term)> {
    match term {
        Term::ImproperList(list) => match list.elements() {
            [head] => Some((head, list.tail())),
            _ => None,
        },
        _ => None,
    }
}
