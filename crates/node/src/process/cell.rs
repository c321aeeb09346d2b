//! What is known of one local process: mailbox, links, who watches it, whom it watches.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use beamline_proto::control::Target;
use beamline_term::{Atom, Pid, Reference, Term};
use bytes::Bytes;
use tokio::sync::Notify;

use super::Message;

/// Something that arrives at a process.
#[derive(Debug)]
pub(crate) enum Signal {
    Message(Message),
    /// A linked process ended.
    LinkedExit {
        from: Pid,
        reason: Bytes,
    },
    /// `exit/2`.
    Exit {
        from: Pid,
        reason: Bytes,
    },
    /// A watched process ended.
    Down {
        reference: Reference,
        from: Target,
        reason: Bytes,
    },
}

/// A link is active, or being taken away under a number until the peer acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Active,
    Unlinking(u64),
}

#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) pid: Pid,
    /// How many bytes of messages may wait.
    mailbox_bytes: usize,
    state: Mutex<State>,
    arrived: Notify,
    ending: Notify,
}

#[derive(Debug, Default)]
struct State {
    mailbox: VecDeque<Message>,
    bytes: usize,
    trap_exit: bool,
    ties: Ties,
    /// The reason, once it is to end.
    ended: Option<Bytes>,
    names: Vec<Atom>,
}

/// Whom the end of the process concerns.
#[derive(Debug, Default)]
pub(crate) struct Ties {
    pub(crate) links: HashMap<Pid, Link>,
    /// Who watches it, and by which name.
    pub(crate) watchers: HashMap<Reference, (Pid, Option<Atom>)>,
    /// Whom it watches.
    pub(crate) watching: HashMap<Reference, (Target, Atom)>,
}

pub(crate) fn reason(text: &str) -> Bytes {
    let mut out = Vec::new();
    beamline_term::codec::encode::atom_str(&mut out, text);
    out.into()
}

fn is_atom(reason: &Bytes, text: &str) -> bool {
    beamline_term::codec::Decoder::new(reason).atom().is_ok_and(|atom| atom.as_str() == text)
}

fn raw(reason: &Bytes) -> Term {
    beamline_term::codec::Decoder::new(reason).term().unwrap_or_else(|_| Term::atom("undefined"))
}

impl Cell {
    pub(crate) fn new(pid: Pid, mailbox_bytes: usize) -> Cell {
        Cell { pid, mailbox_bytes, state: Mutex::default(), arrived: Notify::new(), ending: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn receive(&self) -> Option<Message> {
        loop {
            let arrived = self.arrived.notified();
            {
                let mut state = self.lock();
                if state.ended.is_some() {
                    return None;
                }
                if let Some(message) = state.mailbox.pop_front() {
                    state.bytes -= message.len();
                    return Some(message);
                }
            }
            arrived.await;
        }
    }

    /// Takes a signal in. Never waits.
    pub(crate) fn deliver(&self, signal: Signal) {
        let mut state = self.lock();
        let message = match signal {
            Signal::Message(message) => message,
            Signal::LinkedExit { ref from, .. } if state.ties.links.remove(from) != Some(Link::Active) => return,
            Signal::Exit { reason, .. } if is_atom(&reason, "kill") => {
                drop(state);
                return self.end(self::reason("killed"));
            }
            Signal::LinkedExit { from, reason } | Signal::Exit { from, reason } => {
                if state.trap_exit {
                    Message::of(&(Term::atom("EXIT"), from, raw(&reason)).into())
                } else if is_atom(&reason, "normal") {
                    return;
                } else {
                    drop(state);
                    return self.end(reason);
                }
            }
            Signal::Down { reference, from, reason } => {
                if state.ties.watching.remove(&reference).is_none() {
                    return;
                }
                let from: Term = match from {
                    Target::Pid(pid) => pid.into(),
                    Target::Name(name) => name.into(),
                };
                let tag = Term::atom("DOWN");
                Message::of(&(tag, reference, Term::atom("process"), from, raw(&reason)).into())
            }
        };
        state.bytes += message.len();
        if state.bytes > self.mailbox_bytes {
            drop(state);
            return self.end(reason("message_queue_limit"));
        }
        state.mailbox.push_back(message);
        drop(state);
        self.arrived.notify_one();
    }

    pub(crate) fn trap_exit(&self, trap: bool) {
        self.lock().trap_exit = trap;
    }

    /// Lets the process end. The first reason counts.
    pub(crate) fn end(&self, reason: Bytes) {
        self.lock().ended.get_or_insert(reason);
        self.ending.notify_one();
        self.arrived.notify_one();
    }

    pub(crate) async fn ending(&self) {
        loop {
            let ending = self.ending.notified();
            if self.lock().ended.is_some() {
                return;
            }
            ending.await;
        }
    }

    /// Works on the ties; `None` when the process has ended already, which `work` then does not see.
    pub(crate) fn ties<T>(&self, work: impl FnOnce(&mut Ties) -> T) -> Option<T> {
        let mut state = self.lock();
        if state.ended.is_some() {
            return None;
        }
        Some(work(&mut state.ties))
    }

    pub(crate) fn add_name(&self, name: &Atom) -> bool {
        let mut state = self.lock();
        if state.ended.is_none() {
            state.names.push(name.clone());
        }
        state.ended.is_none()
    }

    /// Marks the end for good and gives what must now be told to others.
    pub(crate) fn finish(&self, fallback: &str) -> (Bytes, Ties, Vec<Atom>) {
        let mut state = self.lock();
        let reason = state.ended.get_or_insert_with(|| reason(fallback)).clone();
        state.mailbox.clear();
        (reason, std::mem::take(&mut state.ties), std::mem::take(&mut state.names))
    }
}
