//! Who writes. The queue and the socket's write half stand behind one lock, which is never held during a write: whoever is
//! to write takes the socket out, so that there is one at a time.
//!
//! A lone signal is written by its sender, which saves a wake-up. Where many come, they gather until the writer task, woken
//! once, takes them all; and what the reader causes while it handles a batch goes out in one write behind it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use beamline_proto::flags::Flags;
use tokio::io::AsyncWrite;

use super::queue::{Batch, Cost, Queue};
use super::room::Room;

/// How many pieces are handed to the socket in one call.
const SLICES: usize = 64;

/// The write half of a socket.
pub(super) type Socket = Pin<Box<dyn AsyncWrite + Send>>;

/// The socket with what is being written to it.
pub(super) struct Sink {
    pub(super) socket: Socket,
    pub(super) batch: Batch,
}

impl Sink {
    /// Writes until all is out; gives what to give back as soon as something is.
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Cost>> {
        let written = match self.batch.lone() {
            Some(bytes) => self.socket.as_mut().poll_write(context, bytes),
            None => {
                let mut slices = [IoSlice::new(&[]); SLICES];
                self.socket.as_mut().poll_write_vectored(context, self.batch.slices(&mut slices))
            }
        };
        match written {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(count)) => Poll::Ready(Ok(self.batch.advance(count))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// As much as can be written without waiting. Whoever goes on must poll again, as nobody is told when there is room.
    pub(super) fn write_now(&mut self) -> io::Result<Cost> {
        let mut context = Context::from_waker(Waker::noop());
        let mut cost = Cost::default();
        while !self.batch.is_empty() {
            match self.poll_write(&mut context) {
                Poll::Ready(written) => cost += written?,
                Poll::Pending => break,
            }
        }
        // Transports with buffers of their own need it; on TCP it does nothing.
        if self.batch.is_empty()
            && let Poll::Ready(flushed) = self.socket.as_mut().poll_flush(&mut context)
        {
            flushed?;
        }
        Ok(cost)
    }
}

/// What the lock guards.
pub(super) struct Outlet {
    pub(super) queue: Queue,
    /// The socket, when nobody writes.
    sink: Option<Box<Sink>>,
    /// Whether the writer task was woken and has not come yet.
    woken: bool,
    /// Whether more is likely to come soon, so that it pays to gather.
    busy: bool,
    /// How many are about to queue more, and will see to it that it is written: the reader while it handles a batch, and
    /// who sends several signals together.
    corked: usize,
    pub(super) closed: bool,
    /// Whether anything but a tick was written since the last look of the ticker.
    wrote: bool,
    /// Room in the queue for small messages, and for large ones, which have a way of their own.
    small_room: Room,
    large_room: Room,
    /// Room that was taken for signals that are about to come.
    pub(super) promised: Cost,
    /// What of the reserve is used.
    pub(super) reserved: Cost,
}

/// What is to be done after something was queued.
pub(super) enum Next {
    Nothing,
    /// The writer task has to come.
    Wake,
    /// The caller is to write, and to bring the socket back.
    Write(Box<Sink>),
}

impl Outlet {
    /// `room` is how many bytes may wait, of small messages and of large ones.
    pub(super) fn new(flags: Flags, room: usize) -> Outlet {
        Outlet {
            small_room: Room::new(room),
            large_room: Room::new(room),
            queue: Queue::new(flags),
            sink: None,
            woken: false,
            busy: false,
            corked: 0,
            closed: false,
            wrote: false,
            promised: Cost::default(),
            reserved: Cost::default(),
        }
    }

    /// Puts the socket in, at the connection's start.
    pub(super) fn open(&mut self, socket: Socket) {
        self.sink = Some(Box::new(Sink { socket, batch: Batch::default() }));
    }

    /// Says who has to write what was queued.
    pub(super) fn next(&mut self) -> Next {
        if self.corked > 0 || self.woken || self.sink.is_none() || self.queue.is_empty() {
            return Next::Nothing;
        }
        // What fills a piece gains nothing by company.
        if self.is_gathering() {
            self.woken = true;
            return Next::Wake;
        }
        self.busy = true;
        self.take().map_or(Next::Nothing, Next::Write)
    }

    /// Takes the socket with what is to be written, unless somebody else has it, or there is nothing.
    pub(super) fn take(&mut self) -> Option<Box<Sink>> {
        self.woken = false;
        let mut sink = self.sink.take()?;
        self.queue.take(&mut sink.batch);
        if sink.batch.is_empty() {
            self.sink = Some(sink);
            return None;
        }
        self.wrote |= sink.batch.flow.says_something();
        Some(sink)
    }

    /// As [`Outlet::take`], for the writer task: from how much there is it learns whether to gather.
    pub(super) fn take_gathered(&mut self) -> Option<Box<Sink>> {
        self.busy = self.queue.messages() > LONE;
        self.take()
    }

    /// More to write for who holds the socket; false when there is nothing.
    pub(super) fn refill(&mut self, sink: &mut Sink) -> bool {
        self.queue.reuse(&mut sink.batch);
        self.queue.take(&mut sink.batch);
        self.wrote |= sink.batch.flow.says_something();
        !sink.batch.is_empty()
    }

    /// Brings the socket back; true if the writer task has to go on.
    pub(super) fn bring_back(&mut self, mut sink: Box<Sink>) -> bool {
        if self.closed {
            // The writer has gone to close it, and did not find it.
            return false;
        }
        self.queue.reuse(&mut sink.batch);
        let is_blocked = !sink.batch.is_empty();
        self.sink = Some(sink);
        let wake = !self.woken && (is_blocked || self.corked == 0 && !self.queue.is_empty());
        self.woken |= wake;
        wake
    }

    /// Lets what is queued gather, until as many calls of [`Outlet::uncork`] have followed.
    pub(super) fn cork(&mut self) {
        self.corked += 1;
    }

    pub(super) fn uncork(&mut self) -> Next {
        self.corked -= 1;
        self.next()
    }

    /// As [`Outlet::uncork`], at the end of a batch of so many frames of the peer.
    pub(super) fn uncork_batch(&mut self, frames: usize) -> Next {
        // What the batch caused goes out as a whole.
        self.busy = false;
        let next = self.uncork();
        // One call has two frames at least; where there are more, answers will come that can go together.
        self.busy = frames > LONE;
        next
    }

    /// Whether it pays to let more come before the next write.
    fn is_gathering(&self) -> bool {
        self.busy && !self.queue.has_piece()
    }

    /// How many messages are queued, if it pays to let more come.
    pub(super) fn gathered(&self) -> Option<usize> {
        self.is_gathering().then(|| self.queue.messages())
    }

    pub(super) fn room(&mut self, is_large: bool) -> &mut Room {
        if is_large { &mut self.large_room } else { &mut self.small_room }
    }

    /// Takes room for a message, if there is some and nobody waits for it.
    pub(super) fn take_room(&mut self, size: usize, is_large: bool) -> Option<Cost> {
        self.room(is_large).take(size).then(|| Cost::of(size, is_large))
    }

    /// Gives back what written bytes had taken.
    pub(super) fn give_back(&mut self, cost: Cost) {
        self.small_room.give_back(cost.small);
        self.large_room.give_back(cost.large);
        self.reserved.reserve -= cost.reserve;
        self.reserved.large_reserve -= cost.large_reserve;
    }

    /// How many bytes wait to be written.
    pub(super) fn queued(&self) -> usize {
        let Cost { reserve, large_reserve, .. } = self.reserved;
        self.small_room.taken() + self.large_room.taken() + reserve + large_reserve
    }

    /// Whether nothing was written since the last call; queues a tick then.
    pub(super) fn tick(&mut self) {
        if !std::mem::take(&mut self.wrote) {
            self.queue.shrink();
            self.queue.tick();
        }
    }

    /// Forgets what is queued, and takes nothing more.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.small_room.close();
        self.large_room.close();
        self.queue = Queue::new(Flags::NONE);
    }

    /// Takes the socket for good. A transport closes when it is dropped.
    pub(super) fn take_socket(&mut self) -> Option<Box<Sink>> {
        self.sink.take()
    }
}

/// A request and its answer are so many frames at most.
const LONE: usize = 2;
