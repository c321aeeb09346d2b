//! Whatever the bytes of a message: no panic; a signal that was read is written and read again as the same one.
#![no_main]

use beamline_proto::control::{Control, Message};
use beamline_proto::flags::Flags;
use beamline_proto::frame::{self, Frame, Reader};
use bytes::{BufMut, BytesMut};

fn read(flags: Flags, head: &[u8], body: &[u8]) -> Option<Message> {
    let mut frame = BytesMut::new();
    frame.put_u32((head.len() + body.len()) as u32);
    frame.put_slice(head);
    frame.put_slice(body);
    match Reader::new(flags, 1 << 20, frame).next_frame() {
        Ok(Some(Frame::Message(message))) => Some(message),
        _ => None,
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let pass_through = Flags::OFFERED.without(Flags::FRAGMENTS);
    let _ = read(pass_through, &[112, 131], data);
    let Some(message) = read(Flags::OFFERED, &[131, 68, 0], data) else { return };
    let mut out = Vec::new();
    frame::write(&mut out, Flags::OFFERED, &message.control, |out| out.extend_from_slice(&message.payload))
        .expect("it is as small as what was read");
    // What is written has no sender that was not told, and no other payload than it was given.
    let again = read(Flags::OFFERED, &[], &out[4..]).expect("what was written can be read");
    assert_eq!(again.payload, if message.control.has_payload() { message.payload } else { Default::default() });
    assert!(matches!(message.control, Control::SpawnRequest(_)) || again.control == message.control);
});
