//! A stream of any bytes, in pieces of any size: no panic, the same frames whatever the pieces, and the same frames where
//! calls and answers are read by their fixed shapes, as a node reads them, as where all is decoded. The first byte of the
//! input chooses the flags and what becomes of answers, the second the size of the pieces.
#![no_main]

use beamline_proto::control::{Control, Message};
use beamline_proto::flags::Flags;
use beamline_proto::frame::{Frame, FrameError, Reader};
use beamline_term::codec::encode;
use beamline_term::{Creation, Origin, Reference, atom};
use bytes::{BufMut, Bytes, BytesMut};

const LIMIT: usize = 1 << 20;

/// What a reader gave.
#[derive(Debug, PartialEq)]
enum Read {
    Frame(Frame),
    /// An answer that was taken as such.
    Answer {
        words: [u32; 3],
        /// Of an end, unless it was passed over.
        reason: Option<Bytes>,
        is_end: bool,
    },
}

/// What is done with answers, each in turn.
#[derive(Clone, Copy)]
enum Answers {
    Taken,
    Left,
    Passed,
}

fn own() -> Origin {
    Origin::new(atom("a@h"), Creation::new(7))
}

fn reference(words: [u32; 3]) -> Reference {
    Reference::at(&own(), &words).unwrap()
}

fn answers(reader: &mut Reader, plan: &[Answers], reads: &mut Vec<Read>) {
    loop {
        let plan = plan[reads.len() % plan.len()];
        let Some(answer) = reader.next_answer() else { return };
        let (words, is_end) = (answer.words, answer.is_end());
        assert_eq!(answer.end().is_some(), is_end);
        if let Some((found, reason)) = answer.end() {
            let mut expected = Vec::new();
            encode::reference(&mut expected, &reference(words));
            assert!(found == expected && !reason.is_empty());
        }
        let reason = match plan {
            Answers::Taken => Some(answer.into_reason()),
            Answers::Passed => {
                answer.pass();
                None
            }
            Answers::Left => return,
        };
        reads.push(Read::Answer { words, reason, is_end });
    }
}

fn read(mut reader: Reader, mut stream: &[u8], piece: usize, plan: &[Answers]) -> (Vec<Read>, Option<FrameError>) {
    let mut reads = Vec::new();
    while !stream.is_empty() {
        let mut space = reader.space();
        assert!(space.has_remaining_mut(), "there is always room for more");
        let count = stream.len().min(space.remaining_mut()).min(piece);
        space.put_slice(&stream[..count]);
        stream = &stream[count..];
        loop {
            answers(&mut reader, plan, &mut reads);
            match reader.next_frame() {
                Ok(Some(frame)) => reads.push(Read::Frame(frame)),
                Ok(None) => break,
                Err(error) => return (reads, Some(error)),
            }
        }
    }
    (reads, None)
}

/// Whether what was read by its shape is what was decoded.
fn is_same(read: Read, frame: Frame) -> bool {
    let (words, reason, is_end) = match read {
        Read::Frame(Frame::Execute(execute)) => {
            let (request, payload) = execute.whole().expect("it was decoded");
            let message = Message { control: Control::SpawnRequest(request), payload };
            return frame == Frame::Message(message);
        }
        Read::Frame(other) => return other == frame,
        Read::Answer { words, reason, is_end } => (words, reason, is_end),
    };
    let Frame::Message(Message { control, payload }) = frame else { return false };
    match control {
        Control::MonitorExit { reference: of, .. } => {
            is_end && of == reference(words) && reason.is_none_or(|reason| reason == payload)
        }
        Control::SpawnReply { reference: of, result: Ok(_), .. } => !is_end && of == reference(words),
        _ => false,
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [choice, piece, stream @ ..] = data else { return };
    let flags = if choice & 1 == 0 { Flags::OFFERED } else { Flags::OFFERED.without(Flags::FRAGMENTS) };
    let plan: &[Answers] = match choice >> 1 & 3 {
        0 => &[Answers::Taken],
        1 => &[Answers::Left],
        2 => &[Answers::Passed],
        _ => &[Answers::Taken, Answers::Left, Answers::Passed],
    };
    let piece = usize::from(*piece) * usize::from(*piece) + 1;
    let plain = || Reader::new(flags, LIMIT, BytesMut::new());
    let whole = read(plain(), stream, usize::MAX, plan);
    let pieces = read(plain(), stream, piece, plan);
    assert_eq!(whole.0, pieces.0);
    assert_eq!(whole.1.is_some(), pieces.1.is_some());

    let by_shape = read(plain().of_node(&own()), stream, usize::MAX, plan);
    let in_pieces = read(plain().of_node(&own()), stream, piece, plan);
    assert_eq!(by_shape.0, in_pieces.0);
    assert_eq!(by_shape.1.is_some(), in_pieces.1.is_some());
    // What is not as it should be may go through where nobody looks at all of it; never the other way round.
    assert!(by_shape.0.len() >= whole.0.len());
    for (read, decoded) in by_shape.0.into_iter().zip(whole.0) {
        let Read::Frame(frame) = decoded else { panic!("an answer without a node") };
        assert!(is_same(read, frame));
    }
});
