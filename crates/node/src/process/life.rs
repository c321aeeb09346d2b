//! The beginning and the end of processes.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use beamline_proto::control::{Control, Target};
use beamline_proto::ties::Watcher;
use beamline_term::codec::encode;
use beamline_term::{Pid, Reference};
use bytes::Bytes;

use super::Process;
use super::cell::{Birth, Cell, Finished};
use super::code::Code;
use super::message::reason;
use super::roll::Line;
use crate::call::Outcome;
use crate::node::Inner;

/// Ends a process in the tables and for its peers, however its task ends.
struct End {
    node: Arc<Inner>,
    cell: Arc<Cell>,
    /// Whether its code ran to its end. If it did not and nobody gave a reason, the runtime was shut down around it.
    done: bool,
}

impl Drop for End {
    fn drop(&mut self) {
        self.node.process_ended(&self.cell, if self.done { "normal" } else { "killed" });
    }
}

/// How a process begins: tied to the one that starts it, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tie {
    None,
    Link,
    Monitor,
    Both,
}

impl Tie {
    pub(crate) fn links(self) -> bool {
        matches!(self, Tie::Link | Tie::Both)
    }

    pub(crate) fn monitors(self) -> bool {
        matches!(self, Tie::Monitor | Tie::Both)
    }
}

impl Inner {
    /// A process that has no task yet.
    pub(crate) fn new_cell(&self, birth: Birth) -> Arc<Cell> {
        self.insert_cell(self.numbers.pid(), birth)
    }

    /// One of the node's own services, with a pid if it must have that one. Any message that a connection takes has room in
    /// its mailbox.
    pub(crate) fn service_cell(&self, function: &'static str, pid: Option<Pid>) -> Arc<Cell> {
        let pid = pid.unwrap_or_else(|| self.numbers.pid());
        let cell = self.insert_cell(pid, Birth::of(&self.caller_cell, Code::service(function)));
        let limits = &self.settings.limits;
        cell.mailbox.set_limit(limits.max_message.saturating_add(limits.mailbox_bytes));
        cell
    }

    pub(crate) fn insert_cell(&self, pid: Pid, birth: Birth) -> Arc<Cell> {
        let number = self.numbers.number_of_pid(&pid).unwrap_or(u64::MAX);
        let cell = Arc::new(Cell::new(pid, number, birth, self.settings.limits.mailbox_bytes));
        self.processes.insert(number, Arc::clone(&cell));
        cell
    }

    /// Starts a process whose parent is `parent`.
    pub(crate) fn spawn_process<F, Fut>(
        self: &Arc<Self>,
        parent: &Arc<Cell>,
        tie: Tie,
        code: Code,
        run: F,
    ) -> (Pid, Option<Reference>)
    where
        F: FnOnce(Process) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let cell = self.new_cell(Birth::of(parent, code));
        let mut end = End { node: Arc::clone(self), cell: Arc::clone(&cell), done: false };
        let monitor = self.tie(parent, &cell.pid, tie);
        let mut process = Process::of(self, &cell);
        process.parent = tie.links().then(|| parent.pid.clone());
        // Code that fails before its first wait has failed as any process does, not its parent.
        match catch_unwind(AssertUnwindSafe(|| run(process))) {
            Ok(future) => self.drive(end, future),
            Err(panic) => {
                end.done = true;
                cell.end(panic_reason(panic.as_ref()));
            }
        }
        (cell.pid.clone(), monitor)
    }

    /// Ties a process to one that begins; the monitor, if that is one.
    pub(crate) fn tie(self: &Arc<Self>, own: &Arc<Cell>, pid: &Pid, tie: Tie) -> Option<Reference> {
        if tie.links() {
            self.link(own, pid);
        }
        tie.monitors().then(|| self.monitor(own, pid.into(), None, None))
    }

    /// Gives a process its task.
    pub(crate) fn run(self: &Arc<Self>, cell: Arc<Cell>, future: impl Future<Output = ()> + Send + 'static) -> Pid {
        let pid = cell.pid.clone();
        self.drive(End { node: Arc::clone(self), cell, done: false }, future);
        pid
    }

    fn drive(self: &Arc<Self>, end: End, future: impl Future<Output = ()> + Send + 'static) {
        let cell = Arc::clone(&end.cell);
        let bytes = size_of_val(&future);
        let task = self.runtime().spawn(async move {
            let mut end = end;
            let future = pin!(future);
            match caught(future).await {
                Ok(()) => end.done = true,
                Err(reason) => end.cell.end(reason),
            }
        });
        cell.set_task(task.abort_handle(), bytes);
        if self.is_stopping() {
            cell.end(reason("killed"));
        }
    }

    /// Takes a process out of the tables and tells whom its end concerns; the second time there is nobody left to tell.
    pub(crate) fn process_ended(&self, cell: &Arc<Cell>, fallback: &'static str) {
        self.processes.remove(cell.number);
        let Finished { reason, farewell, name, told } = cell.finish(fallback);
        if let Some(name) = name {
            self.processes.unregister_from(&name, cell);
        }
        let own = &cell.pid;
        for alias in farewell.aliases {
            self.forget_alias(&alias);
        }
        for (peer, line) in farewell.links {
            match line {
                Some(line) => {
                    let control = Control::Exit { from: own.clone(), to: peer };
                    self.post_end(cell, line, control, &reason);
                }
                None => {
                    if let Some(peer) = self.cell(&peer) {
                        peer.linked_exit(own, None, &reason);
                    }
                }
            }
        }
        for (reference, watcher) in farewell.watchers {
            self.tell_watcher(cell, reference, watcher, &reason);
        }
        for (reference, watch) in farewell.watches {
            self.unwatch(own, watch, reference);
        }
        for line in farewell.lines {
            line.roll().leave(cell.number);
        }
        if let Some(told) = told {
            // Nobody listens when the node has stopped.
            let _ = told.send(reason);
        }
    }

    fn tell_watcher(&self, cell: &Cell, reference: Reference, watcher: Watcher<Line>, reason: &Bytes) {
        match watcher.line {
            Some(line) => {
                let from = watcher.name.map_or_else(|| Target::Pid(cell.pid.clone()), Target::Name);
                self.post_end(cell, line, Control::MonitorExit { from, to: watcher.pid, reference }, reason);
            }
            None => {
                if !self.waiting.settle(&self.numbers, &reference, Outcome::Down(reason.clone()))
                    && let Some(cell) = self.cell(&watcher.pid)
                {
                    self.down_here(&cell, &reference, None, reason);
                }
            }
        }
    }

    /// Ends all processes, at the end of the node.
    pub(crate) fn end_processes(&self) {
        for cell in self.processes.all() {
            cell.end(reason("killed"));
        }
    }
}

/// Runs code until it is done, or panics, which is a reason.
pub(crate) async fn caught<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Result<T, Bytes> {
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic_reason(panic.as_ref()))),
    })
    .await
}

/// `{panic, Message}`
pub(crate) fn panic_reason(panic: &(dyn Any + Send)) -> Bytes {
    let text = match (panic.downcast_ref::<&'static str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text.as_str(),
        (None, None) => "a panic without a message",
    };
    tracing::error!("a process panicked: {text}");
    let mut out = Vec::new();
    encode::tuple_header(&mut out, 2);
    encode::atom_str(&mut out, "panic");
    encode::binary(&mut out, text.as_bytes());
    out.into()
}
