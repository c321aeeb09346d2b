//! What waits for the answer to a reference: calls to other nodes.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use beamline_proto::NodeName;
use beamline_term::{Atom, Reference};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::call::Outcome;
use crate::node::Inner;
use crate::patience::LONG;
use crate::reference::{ByNumber, Numbers};

type Entries = HashMap<u64, Entry, ByNumber>;

/// Alone in its cache line: calls that run beside each other take numbers in a row.
#[derive(Default)]
#[repr(align(64))]
struct Part(Mutex<Entries>);

impl Part {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
pub(crate) struct Waiting {
    /// In parts by number, so that calls of several tasks seldom wait for each other.
    parts: [Part; PARTS],
    /// Whether a task looks for those whose time is over.
    is_swept: AtomicBool,
}

const PARTS: usize = 16;

/// A deadline is noticed so much late.
const LATE: Duration = Duration::from_millis(25);
/// After so many looks that found no deadline nobody looks any more.
const IDLE: usize = 2;

struct Entry {
    peer: NodeName,
    until: Option<Instant>,
    tell: oneshot::Sender<Outcome>,
}

/// A place in the table, given up when dropped. A future of how the wait ends.
pub(crate) struct Place {
    waiting: Arc<Waiting>,
    number: u64,
    pub(crate) reference: Reference,
    outcome: oneshot::Receiver<Outcome>,
    /// Whether the table has it no more.
    is_over: bool,
}

impl Future for Place {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let polled = Pin::new(&mut self.outcome).poll(context);
        self.is_over |= polled.is_ready();
        polled.map(|outcome| outcome.unwrap_or(Outcome::Lost))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_over {
            self.waiting.lock(self.number).remove(&self.number);
        }
    }
}

/// Who waits at a place, taken out of the table.
pub(crate) struct Waiter(oneshot::Sender<Outcome>);

impl Waiter {
    /// Tells it how its wait ends.
    pub(crate) fn tell(self, outcome: Outcome) {
        // It may have given up.
        let _ = self.0.send(outcome);
    }
}

impl Waiting {
    fn lock(&self, number: u64) -> MutexGuard<'_, Entries> {
        self.parts[number as usize % PARTS].lock()
    }

    /// A place for the answer of this peer. Who still waits there when the time is over is told that it is
    /// [late](Outcome::Late), within [`LATE`], if that is [`LONG`] away now.
    pub(crate) fn place(self: &Arc<Self>, node: &Inner, peer: &NodeName, until: Option<Instant>) -> Place {
        let (reference, number) = node.numbers.reference();
        let (tell, outcome) = oneshot::channel();
        self.lock(number).insert(number, Entry { peer: peer.clone(), until, tell });
        if until.is_some() && !self.is_swept.load(Ordering::SeqCst) && !self.is_swept.swap(true, Ordering::SeqCst) {
            let waiting = Arc::clone(self);
            node.spawn(async move { waiting.sweep().await });
        }
        Place { waiting: Arc::clone(self), number, reference, outcome, is_over: false }
    }

    /// Takes whoever waits for the reference of this number. `None` if nobody does, as when a call was given up.
    pub(crate) fn take(&self, number: u64) -> Option<Waiter> {
        self.lock(number).remove(&number).map(|entry| Waiter(entry.tell))
    }

    /// Tells whoever waits for a reference; the first outcome counts. False if nobody does.
    pub(crate) fn settle(&self, numbers: &Numbers, reference: &Reference, outcome: Outcome) -> bool {
        let waiter = numbers.number_of(reference).and_then(|number| self.take(number));
        waiter.map(|waiter| waiter.tell(outcome)).is_some()
    }

    /// Tells those whose time is over, for as long as anybody has a deadline.
    async fn sweep(&self) {
        let (mut idle, mut pause) = (0, LONG);
        while idle < IDLE {
            sleep(pause).await;
            let now = Instant::now();
            let next = self.end(Outcome::Late, |entry| entry.until.is_some_and(|until| until <= now));
            // Who comes meanwhile has as much time at least.
            pause = next.map_or(LONG, |next| next.saturating_duration_since(now).clamp(LATE, LONG));
            idle = if next.is_some() { 0 } else { idle + 1 };
            if idle == IDLE {
                self.is_swept.store(false, Ordering::SeqCst);
                // Who came before that was written relies on this task.
                let has_come = self.end(Outcome::Late, |_| false).is_some();
                if has_come && !self.is_swept.swap(true, Ordering::SeqCst) {
                    idle = 0;
                }
            }
        }
    }

    /// Ends the wait of those that are meant, and gives the first deadline of those that are left.
    fn end(&self, outcome: Outcome, is_meant: impl Fn(&Entry) -> bool) -> Option<Instant> {
        let mut first = None;
        for part in &self.parts {
            let mut part = part.lock();
            let ended: Vec<Entry> = part.extract_if(|_, entry| is_meant(entry)).map(|(_, entry)| entry).collect();
            first = part.values().filter_map(|entry| entry.until).chain(first).min();
            drop(part);
            for entry in ended {
                let _ = entry.tell.send(outcome.clone());
            }
        }
        first
    }

    /// Tells all who wait for this node that it is gone.
    pub(crate) fn node_down(&self, peer: &Atom) {
        self.end(Outcome::Lost, |entry| entry.peer.as_atom() == peer);
    }
}
