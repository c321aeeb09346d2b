//! A stream of any bytes, in pieces of any size: no panic, and the same frames whatever the pieces. The first byte of the
//! input chooses the flags, the second the size of the pieces.
#![no_main]

use beamline_proto::flags::Flags;
use beamline_proto::frame::{Frame, FrameError, Reader};
use bytes::{BufMut, BytesMut};

const LIMIT: usize = 1 << 20;

fn read(flags: Flags, mut stream: &[u8], piece: usize) -> (Vec<Frame>, Option<FrameError>) {
    let mut reader = Reader::new(flags, LIMIT, BytesMut::new());
    let mut frames = Vec::new();
    while !stream.is_empty() {
        let mut space = reader.space();
        assert!(space.has_remaining_mut(), "there is always room for more");
        let count = stream.len().min(space.remaining_mut()).min(piece);
        space.put_slice(&stream[..count]);
        stream = &stream[count..];
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [choice, piece, stream @ ..] = data else { return };
    let flags = if choice & 1 == 0 { Flags::OFFERED } else { Flags::OFFERED.without(Flags::FRAGMENTS) };
    let whole = read(flags, stream, usize::MAX);
    let pieces = read(flags, stream, usize::from(*piece) * usize::from(*piece) + 1);
    assert_eq!(whole.0, pieces.0);
    assert_eq!(whole.1.is_some(), pieces.1.is_some());
});
