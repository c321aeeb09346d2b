//! A mailbox in two halves, as on the BEAM: senders push into one under a lock; its process takes all of that at once into
//! the other, which is its own, and looks there without a lock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Message;

/// What a message costs beside its bytes, so that many small ones reach the limit too.
const OVERHEAD: usize = size_of::<Entry>();

/// Its number, which grows with the order of arrival, and the message.
type Entry = (u64, Message);

/// A moment in a mailbox: what arrived before it cannot be the answer to what was asked after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// The half that senders see.
#[derive(Debug)]
pub(crate) struct Mailbox {
    incoming: Mutex<Incoming>,
    /// Bytes in both halves.
    bytes: AtomicUsize,
    limit: AtomicUsize,
    /// How many messages the process has taken; it alone writes this.
    handled: AtomicU64,
    arrived: Notify,
}

/// What went through a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) received: u64,
    pub(crate) handled: u64,
}

impl Traffic {
    /// How many wait.
    pub(crate) fn waiting(self) -> usize {
        usize::try_from(self.received.saturating_sub(self.handled)).unwrap_or(usize::MAX)
    }
}

#[derive(Debug, Default)]
struct Incoming {
    queue: VecDeque<Entry>,
    next: u64,
    closed: bool,
}

/// The half of the process.
#[derive(Debug, Default)]
pub(crate) struct Taken(VecDeque<Entry>);

/// The message does not fit.
#[derive(Debug)]
pub(crate) struct Full;

impl Mailbox {
    pub(crate) fn new(limit: usize) -> Mailbox {
        Mailbox {
            incoming: Mutex::default(),
            bytes: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit),
            handled: AtomicU64::new(0),
            arrived: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Incoming> {
        self.incoming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, message: Message) -> Result<(), Full> {
        let cost = message.len() + OVERHEAD;
        let mut incoming = self.lock();
        if incoming.closed {
            return Ok(());
        }
        if self.bytes.fetch_add(cost, Ordering::Relaxed) + cost > self.limit.load(Ordering::Relaxed) {
            return Err(Full);
        }
        let number = incoming.next;
        incoming.next += 1;
        incoming.queue.push_back((number, message));
        let was_empty = incoming.queue.len() == 1;
        drop(incoming);
        // The process takes all that there is: one call wakes it for all.
        if was_empty {
            self.arrived.notify_one();
        }
        Ok(())
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn traffic(&self) -> Traffic {
        // In this order: what is taken in between is not taken before it came.
        let handled = self.handled.load(Ordering::Relaxed);
        Traffic { received: self.lock().next, handled }
    }

    /// A message has left.
    fn took(&self, message: &Message) {
        self.bytes.fetch_sub(message.len() + OVERHEAD, Ordering::Relaxed);
        // One writer, so this needs no locked instruction.
        self.handled.store(self.handled.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn set_limit(&self, bytes: usize) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.lock().next)
    }

    /// Takes no more messages, and drops those that nobody took.
    pub(crate) fn close(&self) {
        let queue = {
            let mut incoming = self.lock();
            incoming.closed = true;
            std::mem::take(&mut incoming.queue)
        };
        drop(queue);
        self.arrived.notify_one();
    }

    /// Waits for the first message since `mark` that is wanted; the others stay, in their order. Each is looked at once.
    /// `None` when the mailbox is closed.
    pub(crate) async fn receive(
        &self,
        taken: &mut Taken,
        mark: Mark,
        mut wanted: impl FnMut(&Message) -> bool,
    ) -> Option<Message> {
        let mut looked = taken.0.partition_point(|(number, _)| *number < mark.0);
        loop {
            let arrived = self.arrived.notified();
            while looked == taken.0.len() {
                let mut incoming = self.lock();
                if incoming.closed {
                    return None;
                }
                if incoming.queue.is_empty() {
                    break;
                }
                if taken.0.is_empty() {
                    std::mem::swap(&mut taken.0, &mut incoming.queue);
                } else {
                    taken.0.append(&mut incoming.queue);
                }
                drop(incoming);
                looked += taken.0.range(looked..).take_while(|(number, _)| *number < mark.0).count();
            }
            while let Some((_, message)) = taken.0.get(looked) {
                if wanted(message)
                    && let Some((_, message)) = taken.0.remove(looked)
                {
                    self.took(&message);
                    return Some(message);
                }
                looked += 1;
            }
            arrived.await;
        }
    }
}

impl Mailbox {
    /// The next message, if it arrived before a moment.
    pub(crate) fn receive_before(&self, taken: &mut Taken, mark: Mark) -> Option<Message> {
        if taken.0.is_empty() {
            std::mem::swap(&mut taken.0, &mut self.lock().queue);
        }
        let (_, message) = taken.0.pop_front_if(|(number, _)| *number < mark.0)?;
        self.took(&message);
        Some(message)
    }
}

impl Mark {
    /// Before everything.
    pub(crate) const START: Mark = Mark(0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_term::Term;
    use proptest::prelude::*;
    use std::time::Duration;
    use tokio::time::timeout;

    fn number(message: &Message) -> i64 {
        message.term().unwrap().as_i64().unwrap()
    }

    fn push(mailbox: &Mailbox, numbers: impl IntoIterator<Item = i64>) {
        for number in numbers {
            mailbox.push(Message::of(&Term::from(number))).unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_not_wanted_stays_in_its_order() {
        let (mailbox, mut taken) = (Mailbox::new(64 << 20), Taken::default());
        push(&mailbox, 0..6);
        let odd = |message: &Message| number(message) % 2 == 1;
        assert_eq!(number(&mailbox.receive(&mut taken, Mark::START, odd).await.unwrap()), 1);
        push(&mailbox, 6..8);
        let mut rest = Vec::new();
        for _ in 0..7 {
            rest.push(number(&mailbox.receive(&mut taken, Mark::START, |_| true).await.unwrap()));
        }
        assert_eq!(rest, [0, 2, 3, 4, 5, 6, 7]);
        assert_eq!(mailbox.bytes.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn what_came_and_went_is_counted() {
        let (mailbox, mut taken) = (Mailbox::new(64 << 20), Taken::default());
        push(&mailbox, 0..6);
        mailbox.receive(&mut taken, Mark::START, |message| number(message) == 3).await.unwrap();
        mailbox.receive_before(&mut taken, mailbox.mark()).unwrap();
        let traffic = mailbox.traffic();
        assert_eq!((traffic, traffic.waiting()), (Traffic { received: 6, handled: 2 }, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn each_message_is_looked_at_once_while_one_waits() {
        let (mailbox, mut taken) = (Mailbox::new(64 << 20), Taken::default());
        let mut looked = 0;
        let receive = mailbox.receive(&mut taken, Mark::START, |message| {
            looked += 1;
            number(message) == -1
        });
        let feed = async {
            for number in 0..1000 {
                push(&mailbox, [number]);
                tokio::task::yield_now().await;
            }
            push(&mailbox, [-1]);
        };
        let (found, ()) = timeout(Duration::from_secs(5), async { tokio::join!(receive, feed) }).await.unwrap();
        assert_eq!((number(&found.unwrap()), looked), (-1, 1001));
    }

    #[tokio::test]
    async fn a_mark_passes_over_what_came_before() {
        let (mailbox, mut taken) = (Mailbox::new(64 << 20), Taken::default());
        push(&mailbox, 0..1000);
        assert_eq!(number(&mailbox.receive(&mut taken, Mark::START, |_| true).await.unwrap()), 0);
        push(&mailbox, 1000..1010);
        let mark = mailbox.mark();
        push(&mailbox, [5]);
        let mut looked = 0;
        let found = mailbox.receive(&mut taken, mark, |_| {
            looked += 1;
            true
        });
        assert_eq!((number(&found.await.unwrap()), looked), (5, 1));
    }

    #[test]
    fn what_arrived_before_a_mark_can_be_had_at_once() {
        let (mailbox, mut taken) = (Mailbox::new(64 << 20), Taken::default());
        push(&mailbox, 0..2);
        let mark = mailbox.mark();
        push(&mailbox, 2..3);
        let mut had = std::iter::from_fn(|| mailbox.receive_before(&mut taken, mark)).map(|message| number(&message));
        assert_eq!((had.next(), had.next(), had.next()), (Some(0), Some(1), None));
        assert_eq!(number(&mailbox.receive_before(&mut taken, mailbox.mark()).unwrap()), 2);
    }

    #[tokio::test]
    async fn a_receive_that_is_given_up_loses_nothing() {
        let (mailbox, mut taken) = (Mailbox::new(64 << 20), Taken::default());
        push(&mailbox, 0..3);
        let never = mailbox.receive(&mut taken, Mark::START, |_| false);
        assert!(timeout(Duration::from_millis(1), never).await.is_err());
        for wanted in 0..3 {
            assert_eq!(number(&mailbox.receive(&mut taken, Mark::START, |_| true).await.unwrap()), wanted);
        }
    }

    #[test]
    fn small_messages_fill_it_too() {
        let mailbox = Mailbox::new(64 << 20);
        mailbox.set_limit(10 * OVERHEAD);
        let fit = (0..100).take_while(|_| mailbox.push(Message::of(&Term::from(1))).is_ok()).count();
        assert_eq!(fit, 9);
    }

    proptest! {
        /// Whatever is wanted and in whatever pieces it arrives: the first match in order of arrival is taken.
        #[test]
        fn it_takes_what_a_list_would(steps in prop::collection::vec((any::<bool>(), 0..4i64), 1..80)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let (mailbox, mut taken, mut model) = (Mailbox::new(64 << 20), Taken::default(), Vec::new());
                for (send, value) in steps {
                    if send {
                        push(&mailbox, [value]);
                        model.push(value);
                    } else if let Some(place) = model.iter().position(|other| *other == value) {
                        let found = mailbox.receive(&mut taken, Mark::START, |message| number(message) == value).await;
                        assert_eq!(number(&found.unwrap()), model.remove(place));
                    }
                }
                for value in model {
                    assert_eq!(number(&mailbox.receive(&mut taken, Mark::START, |_| true).await.unwrap()), value);
                }
            });
        }
    }
}
