//! What the node knows of one local process: its mailbox, its ties, whether it traps exits, and how it is to end.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use beamline_proto::NodeName;
use beamline_proto::control::Target;
use beamline_proto::ties::{Farewell, Ties};
use beamline_term::{Atom, Pid, Reference};
use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::code::Code;
use super::mailbox::{Mailbox, Mark, Traffic};
use super::message::{is_atom, reason};
use super::parked::Parked;
use super::roll::Line;
use super::{Message, NameTaken};
use crate::destination::Destination;
use crate::functions::FunctionName;

#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) pid: Pid,
    /// Its number in the node's table.
    pub(crate) number: u64,
    pub(super) mailbox: Mailbox,
    /// Whether signals of this process wait to leave; senders look here before they take the lock.
    pub(super) has_parked: AtomicBool,
    /// Who started it.
    pub(crate) parent: Pid,
    pub(crate) code: Code,
    /// What its task takes.
    task_bytes: AtomicUsize,
    state: Mutex<State>,
}

/// With what a process begins.
#[derive(Debug)]
pub(crate) struct Birth {
    pub(crate) parent: Pid,
    pub(crate) group_leader: Pid,
    pub(crate) code: Code,
}

impl Birth {
    /// As the child of a process of this node.
    pub(crate) fn of(parent: &Cell, code: Code) -> Birth {
        Birth { parent: parent.pid.clone(), group_leader: parent.group_leader(), code }
    }
}

/// What a node tells of one of its processes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProcessInfo {
    /// Its registered name.
    pub name: Option<Atom>,
    /// Whom it is linked with.
    pub links: Vec<Pid>,
    /// How many links, monitors in both directions and aliases it has, removals of links that are not acknowledged yet
    /// included.
    pub ties: usize,
    /// Whom it watches.
    pub monitors: Vec<Destination>,
    /// Who watches it, once for each monitor.
    pub monitored_by: Vec<Pid>,
    /// How many messages wait for it.
    pub message_queue_len: usize,
    /// How much waits for it, in bytes, as its limit counts it.
    pub mailbox_bytes: usize,
    /// How many messages it has taken out of its mailbox.
    pub handled: u64,
    /// What the node knows that it takes, in bytes: its mailbox, its task and the node's entry of it. Not what its code has
    /// allocated, which nobody counts.
    pub memory: usize,
    /// What it runs, with its arity: of a closure the module and function in which it stands, of a `GenServer` its type and
    /// `init`, of a call the function that was called.
    pub initial_call: (FunctionName, usize),
    /// Who started it; a process of another node for what that node has called here.
    pub parent: Pid,
    /// Whether exit signals arrive as messages.
    pub trap_exit: bool,
    /// Who does its input and output.
    pub group_leader: Pid,
}

/// All that is not the mailbox. Signals that follow from a change of the ties are queued while its lock is held, so that
/// they leave in the order of the changes.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) ties: Ties<Line>,
    pub(super) parked: Parked,
    group_leader: Pid,
    trap_exit: bool,
    /// The reason, once it is to end.
    ended: Option<Bytes>,
    name: Option<Atom>,
    task: Option<AbortHandle>,
    /// Who of the node itself waits for the end.
    told: Option<oneshot::Sender<Bytes>>,
}

/// What is left of a process that has ended.
pub(super) struct Finished {
    pub(super) reason: Bytes,
    pub(super) farewell: Farewell<Line>,
    pub(super) name: Option<Atom>,
    pub(super) told: Option<oneshot::Sender<Bytes>>,
}

impl Cell {
    pub(crate) fn new(pid: Pid, number: u64, birth: Birth, mailbox_bytes: usize) -> Cell {
        let Birth { parent, group_leader, code } = birth;
        let state = State {
            ties: Ties::default(),
            parked: Parked::default(),
            group_leader,
            trap_exit: false,
            ended: None,
            name: None,
            task: None,
            told: None,
        };
        let (mailbox, has_parked) = (Mailbox::new(mailbox_bytes), AtomicBool::new(false));
        let (task_bytes, state) = (AtomicUsize::new(0), Mutex::new(state));
        Cell { pid, number, mailbox, has_parked, parent, code, task_bytes, state }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the state; `None` when the process has ended or is about to, which `work` then does not see.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> Option<T> {
        let mut state = self.lock();
        if state.ended.is_some() {
            return None;
        }
        Some(work(&mut state))
    }

    /// Works on what waits to leave, which it does also when the process has ended.
    pub(super) fn with_parked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = work(&mut state);
        self.has_parked.store(!state.parked.is_empty(), Ordering::Release);
        result
    }

    /// Works on two processes of the node at once. The lower number is locked first, so that two such pieces of work never
    /// wait for each other.
    pub(crate) fn with_both<T>(
        own: &Cell,
        other: &Cell,
        work: impl FnOnce(Option<&mut State>, Option<&mut State>) -> T,
    ) -> T {
        let (mut a, mut b);
        if own.number < other.number {
            a = own.lock();
            b = other.lock();
        } else {
            b = other.lock();
            a = own.lock();
        }
        let living = |state: &State| state.ended.is_none();
        let (own, other) = (living(&a).then_some(&mut *a), living(&b).then_some(&mut *b));
        work(own, other)
    }

    /// Takes a message in. Never waits.
    pub(crate) fn message(&self, message: Message) {
        if self.mailbox.push(message).is_err() {
            self.end(reason("message_queue_limit"));
        }
    }

    /// This moment in its mailbox.
    pub(crate) fn mark(&self) -> Mark {
        self.mailbox.mark()
    }

    /// An exit signal of `exit/2`.
    pub(crate) fn exit(&self, from: &Pid, why: Bytes) {
        if is_atom(&why, "kill") {
            return self.end(reason("killed"));
        }
        // A process may end itself with `normal`, others may not.
        let own = *from == self.pid && is_atom(&why, "normal");
        if own && !self.lock().trap_exit {
            return self.end(why);
        }
        self.exit_signal(from, why);
    }

    /// An exit signal over a link that was not unlinked. `line` is the connection over which it came.
    pub(crate) fn linked_exit(&self, from: &Pid, line: Option<&Line>, why: &Bytes) {
        if self.with(|state| state.ties.exited(from, line)) == Some(true) {
            self.exit_signal(from, why.clone());
        }
    }

    /// What an exit signal does to the process that it reaches.
    pub(crate) fn exit_signal(&self, from: &Pid, why: Bytes) {
        let traps = self.lock().trap_exit;
        if traps {
            self.message(Message::exit_of(from, &why));
        } else if !is_atom(&why, "normal") {
            self.end(why);
        }
    }

    pub(crate) fn trap_exit(&self, trap: bool) -> bool {
        std::mem::replace(&mut self.lock().trap_exit, trap)
    }

    pub(crate) fn group_leader(&self) -> Pid {
        self.lock().group_leader.clone()
    }

    pub(crate) fn set_group_leader(&self, leader: Pid) {
        self.lock().group_leader = leader;
    }

    /// Lets the process end: its task runs no further. The first reason counts.
    pub(crate) fn end(&self, reason: Bytes) {
        let task = {
            let mut state = self.lock();
            state.ended.get_or_insert(reason);
            state.task.clone()
        };
        self.mailbox.close();
        if let Some(task) = task {
            task.abort();
        }
    }

    /// Says with which reason a process ends whose code has run to its end. An earlier reason counts.
    pub(crate) fn conclude(&self, reason: Bytes) {
        self.lock().ended.get_or_insert(reason);
    }

    pub(crate) fn info(&self) -> Option<ProcessInfo> {
        let mailbox_bytes = self.mailbox.bytes();
        let traffic = self.mailbox.traffic();
        let watched = |target: &Target, node: &Atom| match (target, NodeName::from_atom(node)) {
            (Target::Pid(pid), _) => Destination::Pid(pid.clone()),
            (Target::Name(name), Ok(node)) => Destination::Remote(name.clone(), node),
            (Target::Name(name), Err(_)) => Destination::Name(name.clone()),
        };
        self.with(|state| ProcessInfo {
            name: state.name.clone(),
            links: state.ties.links().cloned().collect(),
            ties: state.ties.len(),
            monitors: state.ties.watches().map(|watch| watched(&watch.target, &watch.node)).collect(),
            monitored_by: state.ties.watchers().map(|watcher| watcher.pid.clone()).collect(),
            message_queue_len: traffic.waiting(),
            mailbox_bytes,
            handled: traffic.handled,
            memory: self.memory(),
            initial_call: self.code.initial_call(),
            parent: self.parent.clone(),
            trap_exit: state.trap_exit,
            group_leader: state.group_leader.clone(),
        })
    }

    /// What the node knows that the process takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Cell>() + self.task_bytes.load(Ordering::Relaxed) + self.mailbox.bytes()
    }

    /// How many messages came and were taken.
    pub(crate) fn traffic(&self) -> Traffic {
        self.mailbox.traffic()
    }

    /// The registered name, if the process lives.
    pub(crate) fn name(&self) -> Option<Option<Atom>> {
        self.with(|state| state.name.clone())
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.lock().ended.is_none()
    }

    /// The task that runs it, which may be told to end already.
    pub(crate) fn set_task(&self, task: AbortHandle, bytes: usize) {
        self.task_bytes.store(bytes, Ordering::Relaxed);
        let ended = {
            let mut state = self.lock();
            state.task = Some(task.clone());
            state.ended.is_some()
        };
        if ended {
            task.abort();
        }
    }

    pub(super) fn set_name(&self, name: &Atom) -> Result<(), NameTaken> {
        let mut state = self.lock();
        if state.ended.is_some() {
            return Err(NameTaken::NoProcess { pid: self.pid.clone() });
        }
        if let Some(name) = &state.name {
            return Err(NameTaken::HasName { name: name.clone(), pid: self.pid.clone() });
        }
        state.name = Some(name.clone());
        Ok(())
    }

    pub(super) fn clear_name(&self) {
        self.lock().name = None;
    }

    /// Marks the end for good and gives what must now be told to others.
    pub(super) fn finish(&self, fallback: &'static str) -> Finished {
        let (reason, ties, name, told) = {
            let mut state = self.lock();
            let reason = state.ended.get_or_insert_with(|| reason(fallback)).clone();
            state.task = None;
            let ties = std::mem::take(&mut state.ties);
            (reason, ties, state.name.take(), state.told.take())
        };
        self.mailbox.close();
        Finished { reason, farewell: ties.end(), name, told }
    }

    /// Tells its reason when the process has ended and all have been told. To be asked for before it runs, by one.
    pub(crate) fn when_ended(&self) -> oneshot::Receiver<Bytes> {
        let (tell, told) = oneshot::channel();
        self.lock().told = Some(tell);
        told
    }
}

impl State {
    /// Whether ties over this connection can be made: it is not lost. Puts the process on its roll.
    pub(crate) fn join(&mut self, line: &Line, number: u64) -> bool {
        if !self.ties.enroll(line) || line.roll().join(number) {
            return true;
        }
        self.ties.lost(line);
        false
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether an alias of this process is in use.
    pub(crate) fn is_alias(&self, reference: &Reference) -> bool {
        self.ties.is_alias(reference)
    }
}
