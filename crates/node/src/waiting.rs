//! What waits for the answer to a reference: calls to other nodes.

use std::collections::HashMap;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use beamline_term::Reference;
use tokio::time::{Instant, sleep};

use crate::call::Outcome;
use crate::connection::Connection;
use crate::node::Inner;
use crate::patience::LONG;
use crate::reference::{ByNumber, Numbers, RUN};

type Entries = HashMap<u64, Entry, ByNumber>;

/// Alone in its cache line, as threads that run beside each other have parts beside each other.
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
    /// A run of numbers is in one part: threads seldom wait for each other, and what comes for a run finds it in one place.
    parts: [Part; PARTS],
    /// Whether a task looks for those whose time is over.
    is_swept: AtomicBool,
}

const PARTS: usize = 16;

/// A deadline is noticed so much late.
const LATE: Duration = Duration::from_millis(25);
/// After so many looks that found no deadline nobody looks any more.
const IDLE: usize = 2;

/// A wait. It stays in the table until whoever waits has seen how it ends, or has given up.
struct Entry {
    /// Over which connection the answer comes; `None` within the node.
    connection: Option<u64>,
    until: Option<Instant>,
    /// Whether it may be told what a function returned, instead of how its process ended.
    is_brief: bool,
    state: State,
}

enum State {
    /// Whom to wake, if anybody has looked.
    Open(Option<Waker>),
    Over(Outcome),
}

impl Entry {
    /// Ends the wait and gives whom to wake; `None` if it has ended already: the first outcome counts.
    fn end(&mut self, outcome: Outcome) -> Option<Option<Waker>> {
        let State::Open(waker) = &mut self.state else { return None };
        let waker = waker.take();
        self.state = State::Over(outcome);
        Some(waker)
    }

    fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }
}

/// A place in the table, given up when dropped. A future of how the wait ends.
pub(crate) struct Place<W: Deref<Target = Waiting> = Arc<Waiting>> {
    waiting: W,
    number: u64,
    /// Whether the table has it no more, or another place has taken it over.
    is_over: bool,
}

impl<W: Deref<Target = Waiting>> Place<W> {
    /// A place for an answer that comes over this connection, or from this node. Who still waits there when the time is over
    /// is told that it is [late](Outcome::Late), within [`LATE`], if that is [`LONG`] away now.
    pub(crate) fn new(waiting: W, node: &Inner, connection: Option<&Connection>, until: Option<Instant>) -> Place<W> {
        let connection = connection.map(Connection::number);
        let number = node.wait(Entry { connection, until, is_brief: false, state: State::Open(None) });
        Place { waiting, number, is_over: false }
    }

    /// The number of the reference that must be answered.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Leaves the entry to another place.
    pub(crate) fn leave(mut self) -> u64 {
        self.is_over = true;
        self.number
    }
}

impl<'a> Place<&'a Waiting> {
    /// As [`Place::new`], for who calls a function and knows what it is told when that has [returned](Outcome::Returned). It
    /// is made while this waker's task is polled, which polls it, or who takes it over, before anything else can.
    pub(crate) fn of_call(
        node: &'a Inner,
        connection: &Connection,
        until: Instant,
        waker: Waker,
    ) -> Place<&'a Waiting> {
        let connection = Some(connection.number());
        let state = State::Open(Some(waker));
        let number = node.wait(Entry { connection, until: Some(until), is_brief: true, state });
        Place { waiting: &node.waiting, number, is_over: false }
    }
}

/// Keeps a node for the place of a call.
pub(crate) struct OfNode(pub(crate) Arc<Inner>);

impl Deref for OfNode {
    type Target = Waiting;

    fn deref(&self) -> &Waiting {
        &self.0.waiting
    }
}

impl Place<OfNode> {
    /// The place of [`Place::of_call`] that was [left](Place::leave) to this, and need not be polled in that poll.
    pub(crate) fn kept(node: OfNode, number: u64) -> Place<OfNode> {
        Place { waiting: node, number, is_over: false }
    }

    pub(crate) fn node(&self) -> &Inner {
        &self.waiting.0
    }
}

impl Inner {
    /// Makes an entry, and gives its number.
    fn wait(&self, entry: Entry) -> u64 {
        let (number, is_limited) = (self.numbers.reference_number(), entry.until.is_some());
        let waiting = &self.waiting;
        waiting.lock(number).insert(number, entry);
        if is_limited && !waiting.is_swept.load(Ordering::SeqCst) && !waiting.is_swept.swap(true, Ordering::SeqCst) {
            let waiting = Arc::clone(waiting);
            self.spawn(async move { waiting.sweep().await });
        }
        number
    }
}

impl<W: Deref<Target = Waiting> + Unpin> Future for Place<W> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let place = &mut *self;
        let mut entries = place.waiting.lock(place.number);
        if let Some(Entry { state: State::Open(waker), .. }) = entries.get_mut(&place.number) {
            if waker.as_ref().is_none_or(|waker| !waker.will_wake(context.waker())) {
                *waker = Some(context.waker().clone());
            }
            return Poll::Pending;
        }
        place.is_over = true;
        match entries.remove(&place.number) {
            Some(Entry { state: State::Over(outcome), .. }) => Poll::Ready(outcome),
            _ => Poll::Ready(Outcome::Lost),
        }
    }
}

impl<W: Deref<Target = Waiting>> Drop for Place<W> {
    fn drop(&mut self) {
        if !self.is_over {
            self.waiting.lock(self.number).remove(&self.number);
        }
    }
}

/// In which part a number is.
fn part_of(number: u64) -> usize {
    (number / RUN) as usize % PARTS
}

/// Ends waits. Keeps the part of the last one, which is likely that of the next; nobody else gets at it meanwhile.
pub(crate) struct Ends<'a> {
    waiting: &'a Waiting,
    part: Option<(usize, MutexGuard<'a, Entries>)>,
}

impl Ends<'_> {
    /// Ends the wait for the reference of this number, and gives whom to wake: nobody, if it has not begun to wait. `None` if
    /// there is no such wait, as when a call was given up.
    ///
    /// The outcome is asked for when there is one, and told whether it may be [short](Outcome::Returned).
    pub(crate) fn end(&mut self, number: u64, outcome: impl FnOnce(bool) -> Outcome) -> Option<Option<Waker>> {
        let part = part_of(number);
        if self.part.as_ref().is_some_and(|(held, _)| *held != part) {
            // Never two at a time.
            self.part = None;
        }
        let (_, entries) = self.part.get_or_insert_with(|| (part, self.waiting.parts[part].lock()));
        let entry = entries.get_mut(&number).filter(|entry| entry.is_open())?;
        let outcome = outcome(entry.is_brief);
        entry.end(outcome)
    }

    /// Lets others at what was kept.
    pub(crate) fn release(&mut self) {
        self.part = None;
    }
}

impl Waiting {
    fn lock(&self, number: u64) -> MutexGuard<'_, Entries> {
        self.parts[part_of(number)].lock()
    }

    /// Ends several waits in a row.
    pub(crate) fn ends(&self) -> Ends<'_> {
        Ends { waiting: self, part: None }
    }

    /// Tells whoever waits for a reference; the first outcome counts. False if nobody does.
    pub(crate) fn settle(&self, numbers: &Numbers, reference: &Reference, outcome: Outcome) -> bool {
        match numbers.number_of(reference).and_then(|number| self.ends().end(number, |_| outcome)) {
            Some(waker) => {
                waker.into_iter().for_each(Waker::wake);
                true
            }
            None => false,
        }
    }

    /// Tells those whose time is over, for as long as anybody has a deadline.
    async fn sweep(&self) {
        let (mut idle, mut pause) = (0, LONG);
        while idle < IDLE {
            sleep(pause).await;
            let now = Instant::now();
            let next = self.end_all(&Outcome::Late, |entry| entry.until.is_some_and(|until| until <= now));
            // Who comes meanwhile has as much time at least.
            pause = next.map_or(LONG, |next| next.saturating_duration_since(now).clamp(LATE, LONG));
            idle = if next.is_some() { 0 } else { idle + 1 };
            if idle == IDLE {
                self.is_swept.store(false, Ordering::SeqCst);
                // Who came before that was written relies on this task.
                let has_come = self.end_all(&Outcome::Late, |_| false).is_some();
                if has_come && !self.is_swept.swap(true, Ordering::SeqCst) {
                    idle = 0;
                }
            }
        }
    }

    /// Ends the wait of those that are meant, and gives the first deadline of those that are left.
    fn end_all(&self, outcome: &Outcome, is_meant: impl Fn(&Entry) -> bool) -> Option<Instant> {
        let mut first = None;
        for part in &self.parts {
            let mut part = part.lock();
            let meant = part.values_mut().filter(|entry| is_meant(entry));
            let wakers: Vec<Waker> = meant.filter_map(|entry| entry.end(outcome.clone())).flatten().collect();
            let open = part.values().filter(|entry| entry.is_open());
            first = open.filter_map(|entry| entry.until).chain(first).min();
            drop(part);
            wakers.into_iter().for_each(Waker::wake);
        }
        first
    }

    /// Tells all who wait for an answer over this connection that it is gone.
    pub(crate) fn lost(&self, connection: &Connection) {
        self.end_all(&Outcome::Lost, |entry| entry.connection == Some(connection.number()));
    }
}
