//! Whatever the bytes of a message: no panic; a signal that was read is written and read again as the same one; a call that
//! is read by its fixed shape says what the whole signal says, and is answered to whom it is from.
#![no_main]

use beamline_proto::control::{Control, Execute, Message, Target};
use beamline_proto::flags::Flags;
use beamline_proto::frame::{self, Frame, Reader};
use beamline_term::codec::{Decoder, encode};
use beamline_term::{Creation, Origin, Pid, atom};
use bytes::{BufMut, BytesMut};

fn framed(head: &[u8], body: &[u8]) -> BytesMut {
    let mut frame = BytesMut::new();
    frame.put_u32((head.len() + body.len()) as u32);
    frame.put_slice(head);
    frame.put_slice(body);
    frame
}

fn read(flags: Flags, head: &[u8], body: &[u8]) -> Option<Message> {
    match Reader::new(flags, 1 << 20, framed(head, body)).next_frame() {
        Ok(Some(Frame::Message(message))) => Some(message),
        _ => None,
    }
}

/// All that can be asked of a call, against the message that it is; `None` where that is not as it should be.
fn compare(call: &Execute, message: Option<&Message>) {
    let (name, arguments, tag, leader) = (call.name(), call.arguments(), call.tag(), call.group_leader());
    assert!(!arguments.is_empty() && !tag.is_empty());
    let whole = call.whole();
    let Some(Message { control, payload }) = message else { return assert!(whole.is_err()) };
    let (request, rest) = whole.expect("the message is as it should be");
    assert_eq!((&Control::SpawnRequest(request.clone()), &rest), (control, payload));
    assert_eq!(leader.as_ref(), Some(&request.group_leader));
    assert!(call.is_of(request.from.node()) && !call.is_of(&atom("nobody@nowhere")));
    assert!(request.options.monitor && !request.options.link);
    // The payload says the same, where it is all well-formed.
    let mut decoder = Decoder::new(payload);
    let Ok(asked) = decoder.term() else { return };
    // What has more than it should be ends in something else than an empty list.
    let Some(asked) = asked.as_list().filter(|asked| asked.iter().len() == 4 && decoder.rest().is_empty()) else {
        return;
    };
    let asked: Vec<_> = asked.iter().collect();
    let [reference, module, function, values] = &asked[..] else { panic!("four elements") };
    let name = name.expect("both are texts");
    assert!(module.is_atom(name.0) && function.is_atom(name.1));
    assert_eq!(Decoder::new(&arguments).term().as_ref(), Ok(&**values));
    assert_eq!(Decoder::new(&tag.to_vec().into()).term().as_ref(), Ok(&**reference));

    let process = Pid::new(atom("a@h"), 1, 2, Creation::new(7));
    let mut out = Vec::new();
    frame::write_answer(&mut out, Flags::OFFERED, call, &process, |out| encode::atom_str(out, "why"))
        .expect("it is small");
    let mut reader = Reader::new(Flags::OFFERED, 1 << 20, BytesMut::from(&out[..]));
    let mut next = || match reader.next_frame() {
        Ok(Some(Frame::Message(message))) => message.control,
        other => panic!("no message, but {other:?}"),
    };
    let (to, reference) = (request.from.clone(), request.reference.clone());
    assert_eq!(next(), Control::SpawnReply { reference, to, flags: 2, result: Ok(process.clone()) });
    let (to, reference) = (request.from, request.reference);
    assert_eq!(next(), Control::MonitorExit { from: Target::Pid(process), to, reference });
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let pass_through = Flags::OFFERED.without(Flags::FRAGMENTS);
    let _ = read(pass_through, &[112, 131], data);
    let message = read(Flags::OFFERED, &[131, 68, 0], data);
    let own = Origin::new(atom("a@h"), Creation::new(7));
    let mut reader = Reader::new(Flags::OFFERED, 1 << 20, framed(&[131, 68, 0], data)).of_node(&own);
    match reader.next_frame() {
        Ok(Some(Frame::Execute(call))) => compare(&call, message.as_ref()),
        Ok(Some(Frame::Message(other))) => assert_eq!(Some(other), message),
        _ => assert!(message.is_none()),
    }
    let Some(message) = message else { return };
    let mut out = Vec::new();
    frame::write(&mut out, Flags::OFFERED, &message.control, |out| out.extend_from_slice(&message.payload))
        .expect("it is as small as what was read");
    // What is written has no sender that was not told, and no other payload than it was given.
    let again = read(Flags::OFFERED, &[], &out[4..]).expect("what was written can be read");
    assert_eq!(again.payload, if message.control.has_payload() { message.payload } else { Default::default() });
    assert!(matches!(message.control, Control::SpawnRequest(_)) || again.control == message.control);
});
