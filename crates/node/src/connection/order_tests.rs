//! The order of signals from the queue of one node to the reader of another, under seeds: nothing arrives before an earlier
//! signal of the same pair of processes, and all else may.

use std::io::IoSlice;

use beamline_proto::control::{Control, Message, Target};
use beamline_proto::flags::Flags;
use beamline_proto::frame::{Frame, Payload, Reader};
use beamline_term::codec::encode;
use beamline_term::{Creation, Pid, Reference, atom};
use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::queue::{Batch, Cost, Queue};

/// A binary that begins with a number.
fn payload(number: usize, size: usize) -> Bytes {
    let mut content = (number as u64).to_be_bytes().to_vec();
    content.resize(size.max(8), number as u8);
    let mut out = Vec::new();
    encode::binary(&mut out, &content);
    out.into()
}

/// Takes one batch off and appends its bytes to the stream, as a writer whose socket takes so much at a time.
fn take(queue: &mut Queue, batch: &mut Batch, stream: &mut Vec<u8>, piece: usize) {
    queue.take(batch);
    while !batch.is_empty() {
        let mut slices = [IoSlice::new(&[]); 8];
        let first = &batch.slices(&mut slices)[0];
        let count = first.len().min(piece);
        stream.extend_from_slice(&first[..count]);
        batch.advance(count);
    }
    queue.reuse(batch);
}

/// A signal of one of three processes to one of three, without a payload or with one of any size, by pid or by name. A name
/// or an alias may be anybody's, so those keep their order with all that their sender sends.
fn signal(kind: u8, from: u32, to: u32, number: u32) -> Control {
    let own = |id| Pid::new(atom("a@h"), id, 0, Creation::new(3));
    let far = |id| Pid::new(atom("b@h"), id, 0, Creation::new(4));
    let reference = || Reference::at(own(from).origin(), &[number, 0, 0]).unwrap();
    let (pid, peer) = (own(from), far(to));
    match kind {
        0 => Control::Send { from: Some(pid), to: peer },
        1 => Control::RegSend { from: pid, to: atom("name") },
        2 => Control::AliasSend { from: pid, to: reference() },
        3 => Control::Exit2 { from: pid, to: peer },
        4 => Control::MonitorExit { from: Target::Pid(pid), to: peer, reference: reference() },
        5 => Control::Link { from: pid, to: peer },
        6 => Control::UnlinkId { id: u64::from(number) + 1, from: pid, to: peer },
        7 => Control::Monitor { from: pid, to: Target::Pid(peer), reference: reference() },
        _ => Control::Monitor { from: pid, to: Target::Name(atom("name")), reference: reference() },
    }
}

/// What of 40 signals overtook one that it must not, and whether any overtook another at all. They are queued as
/// connections queue them, taken at any time, and read off the stream in pieces.
fn disorder(seed: u64) -> (Vec<(usize, usize)>, bool) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    let (mut queue, mut batch, mut stream) = (Queue::new(Flags::OFFERED), Batch::default(), Vec::new());
    let mut sent = Vec::new();
    for number in 0..40 {
        let control = signal(random(9) as u8, random(3) as u32, random(3) as u32, number);
        let size = [0, 100, 9_000, 80_000, 150_000, 300_000][random(6) as usize];
        let body = payload(number as usize, size);
        let free = |_| Cost::default();
        // What is known to be small is encoded straight into the queue.
        if size <= 100 {
            queue.write(&control, |out| out.extend_from_slice(&body), free).unwrap();
        } else if control.has_payload() {
            queue.push(&control, &body.clone().into(), free).unwrap();
        } else {
            queue.push(&control, &Payload::default(), free).unwrap();
        }
        sent.push(control);
        if random(4) == 0 {
            take(&mut queue, &mut batch, &mut stream, 1000 + random(100_000) as usize);
        }
    }
    while !queue.is_empty() {
        take(&mut queue, &mut batch, &mut stream, 1000 + random(100_000) as usize);
    }

    let mut reader = Reader::new(Flags::OFFERED, 64 << 20, BytesMut::new());
    let (mut arrived, mut rest) = (Vec::new(), &stream[..]);
    while !rest.is_empty() {
        let mut space = reader.space();
        let count = rest.len().min(space.remaining_mut()).min(500 + random(50_000) as usize);
        space.put_slice(&rest[..count]);
        rest = &rest[count..];
        while let Some(frame) = reader.next_frame().unwrap() {
            let Frame::Message(Message { control, payload }) = frame else { continue };
            let place = match control.has_payload() {
                true => (&payload[5..13]).get_u64() as usize,
                // By its number, or the next of those that look alike.
                false => (0..sent.len()).find(|place| sent[*place] == control && !arrived.contains(place)).unwrap(),
            };
            assert_eq!(sent[place], control);
            arrived.push(place);
        }
    }
    assert_eq!(arrived.len(), sent.len(), "all arrive");
    let pairs = (0..arrived.len()).flat_map(|at| (0..at).map(move |before| (before, at)));
    let overtaken: Vec<(usize, usize)> =
        pairs.map(|(before, at)| (arrived[before], arrived[at])).filter(|(first, second)| first > second).collect();
    let is_any = !overtaken.is_empty();
    // The test's own rule, not the queue's: one sender, and a receiver that is or may be the same.
    let ends = |place: usize| {
        let (from, to) = match &sent[place] {
            Control::Send { from: Some(from), to } => (from, Some(to)),
            Control::RegSend { from, .. } | Control::AliasSend { from, .. } => (from, None),
            Control::Exit2 { from, to } | Control::Link { from, to } | Control::UnlinkId { from, to, .. } => {
                (from, Some(to))
            }
            Control::MonitorExit { from: Target::Pid(from), to, .. } => (from, Some(to)),
            Control::Monitor { from, to: Target::Pid(to), .. } => (from, Some(to)),
            Control::Monitor { from, .. } => (from, None),
            other => panic!("{other:?} was not sent"),
        };
        (from.clone(), to.cloned())
    };
    let is_bad = |(later, earlier): &(usize, usize)| {
        let ((from, to), (earlier_from, earlier_to)) = (ends(*later), ends(*earlier));
        from == earlier_from && to.zip(earlier_to).is_none_or(|(to, earlier_to)| to == earlier_to)
    };
    (overtaken.into_iter().filter(is_bad).collect(), is_any)
}

#[test]
fn over_the_wire_a_pair_keeps_its_order_and_others_overtake() {
    let mut overtook = 0;
    for seed in 1..=300 {
        let (bad, is_any) = disorder(seed);
        assert!(bad.is_empty(), "seed {seed}: these came before those that were sent before them: {bad:?}");
        overtook += usize::from(is_any);
    }
    assert!(overtook > 250, "with large messages about, small ones of others pass: in {overtook} of 300");
}
