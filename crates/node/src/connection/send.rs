//! How signals get into the queue, and what holds their senders back.
//!
//! Messages and calls wait for room, in the order of their asking. What answers a peer, or tells it of an end, may not wait
//! and has a reserve; a peer that lets even that fill up does not read what it asked for, and is cut. Answers of called
//! functions may be large, so their tasks wait for room too, and then end.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use beamline_proto::control::{Control, Execute, Signal};
use beamline_proto::frame::{FrameError, Payload, WHOLE};
use beamline_term::Pid;
use beamline_term::serde::{Error, to_rope};
use bytes::Bytes;
use serde::Serialize;

use super::outlet::Outlet;
use super::queue::{Cost, SHARED};
use super::{Closed, Connection};
use crate::events::DownReason;

/// What a control message counts for beside its payload.
const CONTROL: usize = 96;

/// What a message is written as: large binaries stay where they are.
pub(crate) fn payload(message: &(impl Serialize + ?Sized)) -> Result<Payload, Error> {
    to_rope(message, SHARED).map(Payload::from)
}

/// Why a message was not queued.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// The connection is closed.
    Closed,
    /// It is larger than a message can be.
    TooLarge(FrameError),
}

impl From<Closed> for Unsent {
    fn from(Closed: Closed) -> Unsent {
        Unsent::Closed
    }
}

/// Room in the queue for one message, given back when dropped.
pub(crate) struct Taken<'a> {
    connection: &'a Connection,
    cost: Cost,
}

impl Taken<'_> {
    /// Leaves the room to what is put into the queue.
    fn spend(mut self) -> Cost {
        std::mem::take(&mut self.cost)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.cost != Cost::default() {
            // Nothing was written, so nobody is told that something was.
            self.connection.lock().give_back(self.cost);
        }
    }
}

/// Someone in the line of those who wait for room.
struct InLine<'a> {
    connection: &'a Connection,
    is_large: bool,
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.connection.lock().room(self.is_large).leave();
    }
}

impl Connection {
    /// Sends a message, when there is room for it. When this returns it will be written, unless the connection breaks.
    pub(crate) async fn deliver(&self, control: &Control, payload: &Payload) -> Result<(), Unsent> {
        // A sender that never has to wait lets others have their turn, after 128 small messages or 128 KiB.
        for _ in 0..=payload.len().min(WHOLE) / 1024 {
            tokio::task::coop::consume_budget().await;
        }
        let (size, is_large) = self.size_of(payload.len());
        if let Some(sent) = self.push(control, payload, |outlet| outlet.take_room(size, is_large)) {
            return sent;
        }
        loop {
            let room = self.room(payload.len()).await?;
            let done = self.large_done.notified();
            let mut room = Some(room);
            if let Some(sent) = self.push(control, payload, |_| room.take().map(Taken::spend)) {
                return sent;
            }
            drop(room);
            // A large message of the same sender to the same receiver is still on its way.
            done.await;
        }
    }

    /// Queues a message in the room that `take` gives. `None` if there is none, or the message has to wait for an earlier one.
    fn push(
        &self,
        control: &Control,
        payload: &Payload,
        take: impl FnOnce(&mut Outlet) -> Option<Cost>,
    ) -> Option<Result<(), Unsent>> {
        let mut outlet = self.lock();
        if outlet.closed {
            return Some(Err(Unsent::Closed));
        }
        if outlet.queue.holds(control) {
            return None;
        }
        let spent = take(&mut outlet)?;
        // A message larger than all the room leaves half of it to those that are just large.
        let excess = spent.large.saturating_sub(self.limits.queue_bytes / 2);
        let kept = Cost { large: spent.large - excess, ..spent };
        outlet.give_back(Cost { large: excess, ..Cost::default() });
        if let Err(error) = outlet.queue.push(control, payload, |_| kept) {
            outlet.give_back(kept);
            return Some(Err(Unsent::TooLarge(error)));
        }
        let next = outlet.next();
        drop(outlet);
        self.proceed(next);
        Some(Ok(()))
    }

    /// As [`Connection::deliver`], of a payload of `length` bytes that is written now. `None` if it is not small, or has to
    /// wait for something; nothing has happened then.
    pub(crate) fn try_deliver(
        &self,
        signal: &impl Signal,
        length: usize,
        payload: impl FnOnce(&mut Vec<u8>),
    ) -> Option<()> {
        let mut outlet = self.lock();
        if length >= SHARED || outlet.closed || outlet.queue.holds(signal) {
            return None;
        }
        let spent = outlet.take_room(length + CONTROL, false)?;
        if outlet.queue.write(signal, payload, |_| spent).is_err() {
            outlet.give_back(spent);
            return None;
        }
        let next = outlet.next();
        drop(outlet);
        self.proceed(next);
        Some(())
    }

    /// Queues what answers a call whose function is done, with a reason of `length` bytes. `None` if that is not small, or there
    /// is no room for it; nothing has happened then. It waits for no earlier signal: nobody knows the process.
    pub(crate) fn try_answer(
        &self,
        request: &Execute,
        process: &Pid,
        length: usize,
        reason: impl FnOnce(&mut Vec<u8>),
    ) -> Option<()> {
        let mut outlet = self.lock();
        if length >= SHARED || outlet.closed {
            return None;
        }
        let spent = outlet.take_room(length + 2 * CONTROL, false)?;
        if outlet.queue.answer(request, process, reason, spent).is_err() {
            outlet.give_back(spent);
            return None;
        }
        let next = outlet.next();
        drop(outlet);
        self.proceed(next);
        Some(())
    }

    /// How much room a message with a payload of this size takes, and whether of that for large ones. One that is larger than
    /// all the room takes all of it: it passes when the queue is empty.
    fn size_of(&self, payload: usize) -> (usize, bool) {
        ((payload + CONTROL).min(self.limits.queue_bytes).min(u32::MAX as usize), payload > WHOLE)
    }

    /// Waits for room for one message with a payload of this size.
    pub(crate) async fn room(&self, payload: usize) -> Result<Taken<'_>, Closed> {
        let (size, is_large) = self.size_of(payload);
        let (line, _in_line) = {
            let mut outlet = self.lock();
            if let Some(cost) = outlet.take_room(size, is_large) {
                return Ok(Taken { connection: self, cost });
            }
            self.metrics.queue_bytes.set(outlet.queued() as f64);
            (outlet.room(is_large).queue_up(), InLine { connection: self, is_large })
        };
        line.acquire_many(size as u32).await.map_err(|_| Closed)?.forget();
        Ok(Taken { connection: self, cost: Cost::of(size, is_large) })
    }

    /// As [`Connection::room`], at once or not at all.
    pub(crate) fn try_room(&self, payload: usize) -> Option<Taken<'_>> {
        let (size, is_large) = self.size_of(payload);
        let cost = self.lock().take_room(size, is_large)?;
        Some(Taken { connection: self, cost })
    }

    /// Waits for room for an answer of this size. A peer for which too much waits is cut.
    pub(crate) async fn room_for_answer(&self, payload: usize) -> Result<Taken<'_>, Closed> {
        if let Some(room) = self.try_room(payload) {
            return Ok(room);
        }
        let _waiting = Waiting::new(self, payload);
        self.room(payload).await
    }

    /// Sends a message at once, if there is room for it.
    pub(crate) fn offer(&self, control: &Control, payload: &Bytes) -> Option<()> {
        let written = self.try_deliver(control, payload.len(), |out| out.extend_from_slice(payload));
        if written.is_none() {
            let _promise = self.promise(self.try_room(payload.len())?);
            // What no frame can hold is dropped, as if its process were not there.
            let _ = self.send_bytes(control, payload);
        }
        Some(())
    }

    /// Gives room that was taken to the signals that follow at once: for an answer that goes out as a signal which may not
    /// wait. What they leave is given back when this is dropped.
    pub(crate) fn promise(&self, room: Taken<'_>) -> Promise<'_> {
        let cost = room.spend();
        self.lock().promised += cost;
        Promise { connection: self, cost }
    }

    /// Queues a signal at once. For answers, acknowledgements and ends, which may not wait; a peer that lets them pile up is
    /// cut.
    pub(crate) fn send(&self, signal: &impl Signal, payload: impl FnOnce(&mut Vec<u8>)) -> Result<(), FrameError> {
        self.insist(|outlet| {
            let Outlet { queue, promised, reserved, .. } = outlet;
            queue.write(signal, payload, |size| reserve(promised, reserved, size, false))
        })
    }

    /// As [`Connection::send`], with a payload that is at hand.
    pub(crate) fn send_bytes(&self, control: &Control, payload: &Bytes) -> Result<(), FrameError> {
        let payload = Payload::from(payload.clone());
        self.insist(|outlet| {
            let Outlet { queue, promised, reserved, .. } = outlet;
            queue.push(control, &payload, |size| reserve(promised, reserved, size, payload.len() > WHOLE))
        })
    }

    /// Lets the signals that follow go out in one write, when what this gives is dropped.
    pub(crate) fn together(&self) -> Together<'_> {
        self.lock().cork();
        Together(self)
    }

    fn insist(&self, push: impl FnOnce(&mut Outlet) -> Result<(), FrameError>) -> Result<(), FrameError> {
        let mut outlet = self.lock();
        if outlet.closed {
            return Ok(());
        }
        let before = outlet.reserved;
        push(&mut outlet)?;
        let now = outlet.reserved;
        let next = outlet.next();
        drop(outlet);
        // A single one that is larger than the reserve passes when nothing else is there.
        let is_flooded = now.reserve > self.limits.queue_reserve && before.reserve > 0
            || now.large_reserve > self.limits.max_message && before.large_reserve > 0;
        if is_flooded {
            self.close(DownReason::Flooded);
        }
        self.proceed(next);
        Ok(())
    }
}

/// Signals that go out in one write.
pub(crate) struct Together<'a>(&'a Connection);

impl Drop for Together<'_> {
    fn drop(&mut self) {
        let next = self.0.lock().uncork();
        self.0.proceed(next);
    }
}

/// Room that was taken for signals that are about to follow.
pub(crate) struct Promise<'a> {
    connection: &'a Connection,
    cost: Cost,
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        let mut outlet = self.connection.lock();
        let promised = &mut outlet.promised;
        // Signals of others may have used it, and left theirs.
        let left = Cost {
            small: self.cost.small.min(promised.small),
            large: self.cost.large.min(promised.large),
            ..Cost::default()
        };
        promised.small -= left.small;
        promised.large -= left.large;
        outlet.give_back(left);
    }
}

/// What so many bytes take: of what was promised, as far as that goes, else of the reserve.
fn reserve(promised: &mut Cost, reserved: &mut Cost, size: usize, is_large: bool) -> Cost {
    let (pool, used) = match is_large {
        true => (&mut promised.large, &mut reserved.large_reserve),
        false => (&mut promised.small, &mut reserved.reserve),
    };
    let drawn = size.min(*pool);
    let rest = size - drawn;
    *pool -= drawn;
    *used += rest;
    match is_large {
        true => Cost { large: drawn, large_reserve: rest, ..Cost::default() },
        false => Cost { small: drawn, reserve: rest, ..Cost::default() },
    }
}

/// An answer that waits for room.
#[derive(Debug)]
pub(crate) struct Waiting<C: Deref<Target = Connection>> {
    connection: C,
    size: usize,
}

/// One that waits with its process.
pub(crate) type Held = Waiting<Arc<Connection>>;

impl<C: Deref<Target = Connection>> Waiting<C> {
    pub(crate) fn new(connection: C, size: usize) -> Waiting<C> {
        let before = connection.waiting_answers.fetch_add(size, Ordering::Relaxed);
        if before > 0 && before + size > connection.limits.max_message {
            connection.close(DownReason::Flooded);
        }
        Waiting { connection, size }
    }
}

impl<C: Deref<Target = Connection>> Drop for Waiting<C> {
    fn drop(&mut self) {
        self.connection.waiting_answers.fetch_sub(self.size, Ordering::Relaxed);
    }
}
