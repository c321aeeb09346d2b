//! What waits to be written to a peer, and in which order it goes: small messages first, then fragments of the large ones
//! in turn, but nothing before an earlier signal of the same pair of processes. This file decides nothing about time,
//! sockets or who writes.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::ops::AddAssign;

use beamline_proto::control::{Control, Execute, Signal};
use beamline_proto::flags::Flags;
use beamline_proto::frame::{self, Fragments, FrameError, Payload};
use beamline_term::Pid;
use bytes::Bytes;

/// Small messages are gathered in pieces of about this size.
const CHUNK: usize = 64 << 10;
/// A payload from this size on is handed to the socket as it is; a smaller one costs less to copy.
pub(super) const SHARED: usize = 8 << 10;
/// So much of large messages goes out before small ones have their turn again.
const ROUND: usize = 256 << 10;
/// How many emptied pieces are kept for what comes next.
const SPARE: usize = 4;

/// What bytes in the queue have taken of its limits, to be given back when they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Of the room for small messages.
    pub(super) small: usize,
    /// Of the room for large ones.
    pub(super) large: usize,
    /// Of the reserve for what may not wait.
    pub(super) reserve: usize,
    /// Of that for large ones which may not wait.
    pub(super) large_reserve: usize,
}

impl Cost {
    /// So much of the room for large messages, or of that for small ones.
    pub(super) fn of(size: usize, is_large: bool) -> Cost {
        match is_large {
            true => Cost { large: size, ..Cost::default() },
            false => Cost { small: size, ..Cost::default() },
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Cost) {
        self.small += other.small;
        self.large += other.large;
        self.reserve += other.reserve;
        self.large_reserve += other.large_reserve;
    }
}

#[derive(Debug)]
enum Data {
    Own(Vec<u8>),
    Shared(Bytes),
}

/// Bytes that go out together.
#[derive(Debug)]
struct Chunk {
    data: Data,
    cost: Cost,
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match &self.data {
            Data::Own(bytes) => bytes,
            Data::Shared(bytes) => bytes,
        }
    }
}

/// A message that goes out in fragments.
#[derive(Debug)]
struct Large {
    fragments: Fragments,
    control: Control,
    cost: Cost,
    /// Later signals of the same pair of processes, which must wait for its end.
    behind: VecDeque<Behind>,
}

#[derive(Debug)]
enum Behind {
    Small(Control, Chunk),
    Large(Large),
}

impl Large {
    /// Whether a signal must wait for this message or for one behind it.
    fn holds(&self, control: &Control) -> bool {
        !control.may_overtake(&self.control)
            || self.behind.iter().any(|behind| match behind {
                Behind::Small(earlier, _) => !control.may_overtake(earlier),
                Behind::Large(large) => large.holds(control),
            })
    }
}

/// The queue of one connection.
#[derive(Debug)]
pub(super) struct Queue {
    flags: Flags,
    full: VecDeque<Chunk>,
    tail: Vec<u8>,
    tail_cost: Cost,
    large: VecDeque<Large>,
    /// Names the next fragmented message; OTP closes the connection on 0.
    sequence: u64,
    spare: Vec<Vec<u8>>,
    /// How many messages came since the last were taken.
    messages: usize,
    ticks: usize,
}

impl Queue {
    pub(super) fn new(flags: Flags) -> Queue {
        Queue {
            flags,
            full: VecDeque::new(),
            tail: Vec::new(),
            tail_cost: Cost::default(),
            large: VecDeque::new(),
            sequence: 1,
            spare: Vec::new(),
            messages: 0,
            ticks: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tail.is_empty() && self.full.is_empty() && self.large.is_empty()
    }

    /// Whether there is a whole piece, of many small messages or of one that is not small.
    pub(super) fn has_piece(&self) -> bool {
        !self.full.is_empty()
    }

    /// How many messages came since the last were taken.
    pub(super) fn messages(&self) -> usize {
        self.messages
    }

    /// Whether a signal must wait for a large message of the same pair of processes.
    pub(super) fn holds(&self, signal: &impl Signal) -> bool {
        if self.large.is_empty() {
            return false;
        }
        let control = signal.to_control();
        self.large.iter().any(|large| large.holds(&control))
    }

    /// The large message that a signal must wait for. If it must wait for several, as one to a name that may be anybody's, these
    /// go one after the other from now on, and it behind the last.
    fn ahead_of(&mut self, control: &Control) -> Option<&mut Large> {
        let first = self.large.iter().position(|large| large.holds(control))?;
        let others = self.large.split_off(first + 1);
        for other in others {
            match self.large.get_mut(first) {
                Some(large) if other.holds(control) => large.behind.push_back(Behind::Large(other)),
                _ => self.large.push_back(other),
            }
        }
        self.large.get_mut(first)
    }

    /// Appends a message whose payload is written now. `cost` says what so many bytes have taken.
    pub(super) fn write(
        &mut self,
        signal: &impl Signal,
        payload: impl FnOnce(&mut Vec<u8>),
        cost: impl FnOnce(usize) -> Cost,
    ) -> Result<(), FrameError> {
        if !self.large.is_empty() {
            let (control, flags) = (signal.to_control(), self.flags);
            if let Some(large) = self.ahead_of(&control) {
                let mut bytes = Vec::new();
                frame::write(&mut bytes, flags, signal, payload)?;
                let cost = cost(bytes.len());
                large.behind.push_back(Behind::Small(control, Chunk { data: Data::Own(bytes), cost }));
                return Ok(());
            }
        }
        let before = self.tail.len();
        frame::write(&mut self.tail, self.flags, signal, payload)?;
        self.appended(1, cost(self.tail.len() - before));
        Ok(())
    }

    /// Appends what answers a call whose function is done. It may overtake all that is queued.
    pub(super) fn answer(
        &mut self,
        request: &Execute,
        process: &Pid,
        reason: impl FnOnce(&mut Vec<u8>),
        cost: Cost,
    ) -> Result<(), FrameError> {
        frame::write_answer(&mut self.tail, self.flags, request, process, reason)?;
        self.appended(2, cost);
        Ok(())
    }

    /// So many messages have come to the tail.
    fn appended(&mut self, messages: usize, cost: Cost) {
        self.tail_cost += cost;
        self.messages += messages;
        if self.tail.len() >= CHUNK {
            self.seal();
        }
    }

    /// Appends a message whose payload is at hand.
    pub(super) fn push(
        &mut self,
        control: &Control,
        payload: &Payload,
        cost: impl FnOnce(usize) -> Cost,
    ) -> Result<(), FrameError> {
        if let Some(fragments) = Fragments::new(self.flags, self.sequence, control, payload) {
            self.sequence += 1;
            let large =
                Large { fragments, control: control.clone(), cost: cost(payload.len()), behind: VecDeque::new() };
            match self.ahead_of(control) {
                Some(before) => before.behind.push_back(Behind::Large(large)),
                None => self.large.push_back(large),
            }
            return Ok(());
        }
        if payload.len() < SHARED || !self.large.is_empty() {
            return self.write(control, |out| payload.write(out), cost);
        }
        let before = self.tail.len();
        frame::write_head(&mut self.tail, self.flags, control, payload.len())?;
        let size = self.tail.len() - before + payload.len();
        self.seal();
        self.messages += 1;
        push_shared(&mut self.full, payload.pieces().cloned(), cost(size));
        Ok(())
    }

    /// Appends a tick.
    pub(super) fn tick(&mut self) {
        self.tail.extend_from_slice(&frame::TICK);
        self.ticks += 1;
    }

    fn seal(&mut self) {
        let tail = self.take_tail();
        self.full.push_back(tail);
    }

    fn take_tail(&mut self) -> Chunk {
        let fresh = self.spare.pop().unwrap_or_default();
        let data = Data::Own(std::mem::replace(&mut self.tail, fresh));
        Chunk { data, cost: std::mem::take(&mut self.tail_cost) }
    }

    /// Takes all small messages, and fragments of large ones for a while.
    pub(super) fn take(&mut self, batch: &mut Batch) {
        batch.flow.messages += std::mem::take(&mut self.messages);
        batch.flow.ticks += std::mem::take(&mut self.ticks);
        if !self.full.is_empty() {
            batch.flow.bytes += self.full.iter().map(|chunk| chunk.bytes().len()).sum::<usize>();
            batch.chunks.append(&mut self.full);
        }
        if !self.tail.is_empty() {
            batch.flow.bytes += self.tail.len();
            batch.chunks.push_back(self.take_tail());
        }
        let mut size = 0;
        while size < ROUND
            && let Some(mut large) = self.large.pop_front()
        {
            let mut head = Vec::new();
            let Some(part) = large.fragments.next(&mut head) else { continue };
            size += part.len();
            batch.flow.bytes += head.len() + part.len();
            batch.flow.messages += usize::from(large.fragments.is_done());
            batch.chunks.push_back(Chunk { data: Data::Own(head), cost: Cost::default() });
            if !large.fragments.is_done() {
                push_shared(&mut batch.chunks, part.into_pieces(), Cost::default());
                self.large.push_back(large);
                continue;
            }
            push_shared(&mut batch.chunks, part.into_pieces(), large.cost);
            while let Some(behind) = large.behind.pop_front() {
                match behind {
                    Behind::Small(_, chunk) => {
                        batch.flow.bytes += chunk.bytes().len();
                        batch.chunks.push_back(chunk);
                    }
                    Behind::Large(mut next) => {
                        next.behind.append(&mut large.behind);
                        self.large.push_back(next);
                    }
                }
            }
        }
    }

    /// Takes emptied pieces back for what comes next.
    pub(super) fn reuse(&mut self, batch: &mut Batch) {
        while self.spare.len() < SPARE
            && let Some(bytes) = batch.emptied.pop()
        {
            self.spare.push(bytes);
        }
        batch.emptied.clear();
    }

    /// Gives memory back that only a busy queue needs.
    pub(super) fn shrink(&mut self) {
        self.spare.clear();
        if self.tail.is_empty() {
            self.tail = Vec::new();
        }
    }
}

/// Appends the pieces of a payload as they are. What it costs is given back when all of it is out.
fn push_shared(chunks: &mut VecDeque<Chunk>, pieces: impl Iterator<Item = Bytes>, cost: Cost) {
    chunks.extend(pieces.map(|piece| Chunk { data: Data::Shared(piece), cost: Cost::default() }));
    if let Some(last) = chunks.back_mut() {
        last.cost += cost;
    }
}

/// What is being written.
#[derive(Debug, Default)]
pub(super) struct Batch {
    chunks: VecDeque<Chunk>,
    /// How many bytes of the first are out.
    written: usize,
    emptied: Vec<Vec<u8>>,
    /// What was taken and has not been counted yet.
    pub(super) flow: Flow,
}

/// How much goes out.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) bytes: usize,
    pub(super) messages: usize,
    pub(super) ticks: usize,
}

impl Flow {
    /// Whether there is more in it than ticks.
    pub(super) fn says_something(&self) -> bool {
        self.bytes > self.ticks * frame::TICK.len()
    }
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// All that is left, if that is one piece.
    pub(super) fn lone(&self) -> Option<&[u8]> {
        match self.chunks.len() {
            1 => self.chunks.front().and_then(|chunk| chunk.bytes().get(self.written..)),
            _ => None,
        }
    }

    /// What comes next, as far as there is room in `slices`.
    pub(super) fn slices<'a, 'b>(&'a self, slices: &'b mut [IoSlice<'a>]) -> &'b [IoSlice<'a>] {
        let mut count = 0;
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            let skip = if count == 0 { self.written } else { 0 };
            *slice = IoSlice::new(chunk.bytes().get(skip..).unwrap_or_default());
            count += 1;
        }
        &slices[..count]
    }

    /// Takes off what is written, and says what is to be given back for it.
    pub(super) fn advance(&mut self, count: usize) -> Cost {
        let mut cost = Cost::default();
        self.written += count;
        while let Some(first) = self.chunks.front()
            && self.written >= first.bytes().len()
        {
            self.written -= first.bytes().len();
            let Some(chunk) = self.chunks.pop_front() else { break };
            cost += chunk.cost;
            if let Data::Own(mut bytes) = chunk.data
                && self.emptied.len() < SPARE
                && bytes.capacity() <= 2 * CHUNK
            {
                bytes.clear();
                self.emptied.push(bytes);
            }
        }
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_proto::frame::{Frame, Reader};
    use beamline_term::codec::encode;
    use beamline_term::{Creation, Pid, atom};
    use bytes::{Buf, BytesMut};
    use proptest::prelude::*;

    fn send(from: u32, to: u32) -> Control {
        let pid = |id| Pid::new(atom("a@h"), id, 0, Creation::new(3));
        Control::Send { from: Some(pid(from)), to: pid(to) }
    }

    fn payload(number: usize, size: usize) -> Bytes {
        let mut out = Vec::new();
        let mut content = (number as u64).to_be_bytes().to_vec();
        content.resize(size.max(8), number as u8);
        encode::binary(&mut out, &content);
        out.into()
    }

    fn push(queue: &mut Queue, control: &Control, number: usize, size: usize) {
        queue.push(control, &payload(number, size).into(), |bytes| Cost { small: bytes, ..Cost::default() }).unwrap();
    }

    /// Takes one batch off and appends its bytes to the stream; gives what is given back for them.
    fn take(queue: &mut Queue, batch: &mut Batch, stream: &mut Vec<u8>, piece: usize) -> Cost {
        let mut cost = Cost::default();
        queue.take(batch);
        while !batch.is_empty() {
            let mut slices = [IoSlice::new(&[]); 8];
            let first = batch.slices(&mut slices)[0].to_vec();
            let count = first.len().min(piece);
            stream.extend_from_slice(&first[..count]);
            cost += batch.advance(count);
        }
        queue.reuse(batch);
        cost
    }

    /// The messages of a stream by sender, receiver and number.
    fn read(stream: &[u8]) -> Vec<(u32, u32, usize)> {
        let mut reader = Reader::new(Flags::OFFERED, 64 << 20, BytesMut::from(stream));
        let mut messages = Vec::new();
        loop {
            match reader.next_frame().unwrap() {
                Some(Frame::Message(message)) => {
                    let Control::Send { from: Some(from), to } = &message.control else { panic!("another signal") };
                    let number = (&message.payload[5..13]).get_u64() as usize;
                    assert!(message.payload[13..].iter().all(|byte| *byte == number as u8));
                    messages.push((from.id(), to.id(), number));
                }
                Some(_) => {}
                None => return messages,
            }
        }
    }

    #[test]
    fn small_messages_pass_large_ones_of_others_only() {
        let (mut queue, mut batch, mut stream) = (Queue::new(Flags::OFFERED), Batch::default(), Vec::new());
        push(&mut queue, &send(1, 2), 0, 1 << 20);
        push(&mut queue, &send(1, 2), 1, 10);
        push(&mut queue, &send(3, 2), 2, 10);
        push(&mut queue, &send(1, 4), 3, 600 << 10);
        assert!(queue.holds(&send(1, 2)) && queue.holds(&send(1, 4)) && !queue.holds(&send(3, 2)));
        take(&mut queue, &mut batch, &mut stream, usize::MAX);
        assert!(stream.len() < ROUND + (128 << 10), "others have their turn soon: {}", stream.len());
        push(&mut queue, &send(3, 4), 4, 10);
        while !queue.is_empty() {
            take(&mut queue, &mut batch, &mut stream, usize::MAX);
        }
        let numbers: Vec<usize> = read(&stream).into_iter().map(|(_, _, number)| number).collect();
        assert_eq!(numbers, [2, 4, 3, 0, 1]);
    }

    #[test]
    fn a_lone_small_message_is_one_piece_in_memory_that_is_used_again() {
        let (mut queue, mut batch) = (Queue::new(Flags::OFFERED), Batch::default());
        let mut places = Vec::new();
        for number in 0..6 {
            push(&mut queue, &send(1, 2), number, 10);
            queue.take(&mut batch);
            assert_eq!(batch.chunks.len(), 1);
            places.push(batch.chunks[0].bytes().as_ptr());
            batch.advance(batch.chunks[0].bytes().len());
            queue.reuse(&mut batch);
        }
        places.sort();
        places.dedup();
        assert!(places.len() <= 2, "two pieces in turn");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn each_pair_keeps_its_order_and_everything_is_given_back(
            steps in prop::collection::vec((0..3u32, 0..3u32, prop_oneof![0..200usize, 0..20_000usize, 60_000..400_000usize], any::<bool>()), 1..40),
            piece in 1_000..100_000usize,
        ) {
            let (mut queue, mut batch, mut stream) = (Queue::new(Flags::OFFERED), Batch::default(), Vec::new());
            let (mut cost, mut taken) = (Cost::default(), Cost::default());
            for (number, (from, to, size, take_now)) in steps.iter().enumerate() {
                let counted = |bytes| { taken += Cost { small: bytes, ..Cost::default() }; Cost { small: bytes, ..Cost::default() } };
                queue.push(&send(*from, *to), &payload(number, *size).into(), counted).unwrap();
                if *take_now {
                    cost += take(&mut queue, &mut batch, &mut stream, piece);
                }
            }
            while !queue.is_empty() {
                cost += take(&mut queue, &mut batch, &mut stream, piece);
            }
            prop_assert_eq!(cost, taken);
            let got = read(&stream);
            prop_assert_eq!(got.len(), steps.len());
            for (from, to) in (0..3).flat_map(|from| (0..3).map(move |to| (from, to))) {
                let numbers: Vec<usize> = got.iter().filter(|(a, b, _)| (*a, *b) == (from, to)).map(|(_, _, n)| *n).collect();
                prop_assert!(numbers.is_sorted(), "from {} to {}: {:?}", from, to, numbers);
            }
        }
    }
}
