//! Frames off a stream that arrives in pieces of any size, fragments among them.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

use beamline_proto::control::{Control, Message};
use beamline_proto::flags::Flags;
use beamline_proto::frame::{FRAGMENT, Fragments, Frame, FrameError, Reader, TICK, WHOLE, write, write_head};
use beamline_term::codec::encode;
use beamline_term::serde::to_rope;
use beamline_term::{Creation, Pid, Term, atom};
use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;

const LIMIT: usize = 4 << 20;

fn pid(id: u32) -> Pid {
    Pid::new(atom("a@h"), id, 2, Creation::new(3))
}

fn control(id: u32) -> Control {
    Control::RegSend { from: pid(id), to: atom("rex") }
}

fn payload(size: usize, seed: u8) -> Bytes {
    let mut out = Vec::new();
    let content: Vec<u8> = (0..size).map(|place| (place as u8).wrapping_mul(31).wrapping_add(seed)).collect();
    encode::binary(&mut out, &content);
    out.into()
}

/// All frames of a stream that arrives in pieces of these sizes, in turn.
fn read_all(reader: &mut Reader, mut stream: &[u8], pieces: &[usize]) -> Result<Vec<Frame>, FrameError> {
    let mut frames = Vec::new();
    let mut pieces = pieces.iter().cycle();
    while !stream.is_empty() {
        let mut space = reader.space();
        assert!(space.has_remaining_mut(), "there is always room for more");
        let count = stream.len().min(space.remaining_mut()).min(*pieces.next().unwrap());
        space.put_slice(&stream[..count]);
        stream = &stream[count..];
        while let Some(frame) = reader.next_frame()? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

fn messages(frames: Vec<Frame>) -> Vec<Message> {
    let message = |frame| if let Frame::Message(message) = frame { Some(message) } else { None };
    frames.into_iter().filter_map(message).collect()
}

fn fresh(flags: Flags) -> Reader {
    Reader::new(flags, LIMIT, BytesMut::new())
}

/// The frames of a message in parts.
fn parts(sequence: u64, control: &Control, payload: &Bytes) -> Vec<Vec<u8>> {
    cut(Fragments::new(Flags::OFFERED, sequence, control, &payload.clone().into()).unwrap())
}

fn cut(mut fragments: Fragments) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    loop {
        let mut frame = Vec::new();
        let Some(part) = fragments.next(&mut frame) else { return frames };
        part.write(&mut frame);
        frames.push(frame);
    }
}

#[test]
fn a_message_comes_out_as_it_went_in_byte_by_byte() {
    for flags in [Flags::OFFERED, Flags::OFFERED.without(Flags::FRAGMENTS)] {
        let mut out = TICK.to_vec();
        write(&mut out, flags, &control(1), |out| encode::atom_str(out, "hello")).unwrap();
        let frames = read_all(&mut fresh(flags), &out, &[1]).unwrap();
        let [Frame::Tick, Frame::Message(message)] = frames.as_slice() else { panic!("{frames:?}") };
        assert_eq!(message.control, control(1));
        assert!(message.payload_term().unwrap().unwrap().is_atom("hello"));
    }
}

#[test]
fn the_bytes_of_fragments_are_those_of_otp() {
    let payload = payload(2 * FRAGMENT, 0);
    let frames = parts(9, &control(1), &payload);
    let mut whole = Vec::new();
    write_head(&mut whole, Flags::OFFERED, &control(1), 0).unwrap();
    let control = &whole[7..];
    let [first, second, third] = frames.as_slice() else { panic!("{} frames", frames.len()) };
    let head = [&[131, 69, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 3, 0][..], control].concat();
    let length = (head.len() + FRAGMENT) as u32;
    assert_eq!(*first, [&length.to_be_bytes()[..], &head, &payload[..FRAGMENT]].concat());
    let head = [&[0, 1, 0, 18][..], &[131, 70, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 2]].concat();
    assert_eq!(*second, [&head[..], &payload[FRAGMENT..2 * FRAGMENT]].concat());
    let head = [&[0, 0, 0, 18 + 5][..], &[131, 70, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1]].concat();
    assert_eq!(*third, [&head[..], &payload[2 * FRAGMENT..]].concat());
}

#[test]
fn pieces_are_cut_up_as_the_whole_is() {
    let shared = |size: usize| Term::from(Bytes::from(vec![size as u8; size]));
    for sizes in [vec![200_000], vec![FRAGMENT, 10, 20_000, 5], vec![9_000, 2 * FRAGMENT - 9_010, 8_192, 70_000]] {
        let term = Term::list(sizes.into_iter().map(shared));
        let rope = to_rope(&term, 8 << 10).unwrap();
        let mut whole = Vec::new();
        encode::term(&mut whole, &term);
        assert!(rope.pieces().count() > 1);
        let fragments = Fragments::new(Flags::OFFERED, 9, &control(1), &rope.into()).unwrap();
        assert_eq!(fragments.left(), whole.len());
        assert_eq!(cut(fragments), parts(9, &control(1), &whole.into()));
    }
}

#[test]
fn what_is_small_or_not_agreed_is_not_cut_up() {
    let (small, large) = (payload(10, 0).into(), payload(WHOLE, 0).into());
    assert!(Fragments::new(Flags::OFFERED, 1, &control(1), &small).is_none());
    assert!(Fragments::new(Flags::OFFERED, 1, &control(1), &payload(FRAGMENT, 0).into()).is_none(), "for five bytes");
    assert!(Fragments::new(Flags::OFFERED.without(Flags::FRAGMENTS), 1, &control(1), &large).is_none());
    let exit = Control::Exit { from: pid(1), to: pid(2) };
    assert!(Fragments::new(Flags::OFFERED, 1, &exit, &large).is_some());
    assert!(Fragments::new(Flags::OFFERED.without(Flags::EXIT_PAYLOAD), 1, &exit, &large).is_none());
}

#[test]
fn a_large_frame_that_is_not_cut_up_arrives_too() {
    let flags = Flags::OFFERED.without(Flags::FRAGMENTS);
    let large = payload(1 << 20, 5);
    let mut stream = Vec::new();
    write_head(&mut stream, flags, &control(1), large.len()).unwrap();
    stream.extend_from_slice(&large);
    stream.extend_from_slice(&TICK);
    for pieces in [&[1 << 20][..], &[4096], &[30, 100_000]] {
        let frames = read_all(&mut fresh(flags), &stream, pieces).unwrap();
        let [Frame::Message(message), Frame::Tick] = frames.as_slice() else { panic!("other frames") };
        assert_eq!((&message.control, &message.payload), (&control(1), &large));
    }
}

#[test]
fn memory_grows_with_what_arrives_not_with_what_is_claimed() {
    let mut reader = Reader::new(Flags::OFFERED, 512 << 20, BytesMut::new());
    let mut space = reader.space();
    space.put_u32(500 << 20);
    space.put_slice(&[131, 68, 0]);
    space.put_slice(&[0; 100]);
    assert!(reader.next_frame().unwrap().is_none());
    assert!(reader.space().get_ref().capacity() < 256 << 10);
}

#[test]
fn a_frame_over_the_limit_is_refused_before_it_arrives() {
    let mut reader = Reader::new(Flags::OFFERED, 1000, BytesMut::from(&[0x7f, 0xff, 0xff, 0xff][..]));
    assert!(matches!(reader.next_frame(), Err(FrameError::TooLarge { .. })));
}

#[test]
fn the_parts_of_all_messages_together_have_a_limit() {
    let size = 1 << 20;
    let mut reader = fresh(Flags::OFFERED);
    let mut error = None;
    for sequence in 0..5 {
        let frames = parts(sequence, &control(1), &payload(size, 0));
        let stream = frames[..frames.len() - 1].concat();
        error = read_all(&mut reader, &stream, &[1 << 16]).err();
        if error.is_some() {
            break;
        }
    }
    assert!(matches!(error, Some(FrameError::TooLarge { limit: LIMIT, .. })), "{error:?}");
}

#[test]
fn messages_that_begin_and_never_end_have_a_limit() {
    let first = &parts(0, &control(1), &payload(2 * FRAGMENT, 0))[0];
    // A first fragment of little.
    let mut little = first[..first.len() - FRAGMENT + 1].to_vec();
    let length = little.len() as u32 - 4;
    little[..4].copy_from_slice(&length.to_be_bytes());
    let mut reader = fresh(Flags::OFFERED);
    let mut begun = 0u64;
    let error = loop {
        little[6..14].copy_from_slice(&begun.to_be_bytes());
        match read_all(&mut reader, &little, &[1 << 16]) {
            Ok(_) => begun += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, FrameError::TooMany { .. }), "{error}");
    assert!(begun > 10_000, "as many processes may send at a time");
}

#[test]
fn fragments_against_the_rules_end_the_connection() {
    let whole = payload(3 * FRAGMENT, 0);
    let frames = parts(1, &control(1), &whole);
    let (first, second, last) = (&frames[0], &frames[1], &frames[3]);
    let mut cut_off = first[..20].to_vec();
    cut_off[..4].copy_from_slice(&16u32.to_be_bytes());
    let mut number_0 = first.clone();
    number_0[14..22].fill(0);
    let mut with_atoms = first.clone();
    with_atoms[22] = 1;
    // The control message does not fit in.
    let mut torn = first[..45].to_vec();
    torn[..4].copy_from_slice(&41u32.to_be_bytes());
    for (what, stream) in [
        ("never begun", second.clone()),
        ("begun twice", [first.clone(), first.clone()].concat()),
        ("out of order", [first.clone(), last.clone()].concat()),
        ("twice the same", [first.clone(), second.clone(), second.clone()].concat()),
        ("cut off", cut_off),
        ("number 0", number_0),
        ("with atoms", with_atoms),
        ("torn control message", torn),
        ("fragments that were not agreed", [&[0, 0, 0, 3][..], &[131, 70, 0]].concat()),
    ] {
        for pieces in [&[1 << 20][..], &[4000]] {
            let flags = if what.contains("agreed") { Flags::OFFERED.without(Flags::FRAGMENTS) } else { Flags::OFFERED };
            let result = read_all(&mut fresh(flags), &stream, pieces);
            assert!(matches!(result, Err(FrameError::Form { .. } | FrameError::Control(_))), "{what}: {result:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Several large messages, their fragments in any order that keeps each message's own, small ones and ticks between.
    #[test]
    fn interleaved_fragments_come_together(
        sizes in prop::collection::vec(WHOLE..4 * FRAGMENT, 1..5),
        order in prop::collection::vec(any::<usize>(), 0..40),
        pieces in prop::collection::vec(1..200_000usize, 1..6),
    ) {
        let wanted: Vec<(Control, Bytes)> =
            sizes.iter().enumerate().map(|(n, size)| (control(n as u32), payload(*size, n as u8))).collect();
        let mut queues: Vec<std::collections::VecDeque<Vec<u8>>> =
            wanted.iter().enumerate().map(|(n, (control, payload))| parts(n as u64 + 77, control, payload).into()).collect();
        let mut small = 0;
        let mut stream = Vec::new();
        let mut order = order.into_iter().chain(0..);
        while queues.iter().any(|queue| !queue.is_empty()) {
            let choice = order.next().unwrap();
            match choice % 7 {
                0 => {
                    small += 1;
                    write(&mut stream, Flags::OFFERED, &control(1000), |out| encode::integer(out, small)).unwrap();
                }
                1 => stream.extend_from_slice(&TICK),
                _ => {
                    let count = queues.len();
                    if let Some(frame) = queues[choice % count].pop_front() {
                        stream.extend_from_slice(&frame);
                    }
                }
            }
        }
        let got = messages(read_all(&mut fresh(Flags::OFFERED), &stream, &pieces).unwrap());
        let (small_ones, large_ones): (Vec<_>, Vec<_>) = got.into_iter().partition(|message| message.control == control(1000));
        let numbers: Vec<i64> = small_ones.iter().map(|m| m.payload_term().unwrap().unwrap().as_i64().unwrap()).collect();
        prop_assert_eq!(numbers, (1..=small).collect::<Vec<_>>());
        prop_assert_eq!(large_ones.len(), wanted.len());
        for (control, payload) in wanted {
            prop_assert!(large_ones.iter().any(|message| message.control == control && message.payload == payload));
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), pieces in prop::collection::vec(1..40usize, 1..4)) {
        let _ = read_all(&mut fresh(Flags::OFFERED), &bytes, &pieces);
        let _ = read_all(&mut fresh(Flags::OFFERED.without(Flags::FRAGMENTS)), &bytes, &pieces);
    }

    #[test]
    fn fragments_with_changed_bytes_never_panic(changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..5), pieces in prop::collection::vec(1..100_000usize, 1..4)) {
        let mut stream = parts(1, &control(1), &payload(2 * FRAGMENT, 0)).concat();
        for (place, byte) in changes {
            // Where the heads are.
            let heads = [0, FRAGMENT + 60, 2 * FRAGMENT + 90];
            let place = (heads[place % 3] + place / 3 % 90) % stream.len();
            stream[place] = byte;
        }
        let _ = read_all(&mut fresh(Flags::OFFERED), &stream, &pieces);
    }
}
