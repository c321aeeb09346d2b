//! Control messages: their exact bytes, in each form, and round trips.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

use beamline_proto::control::{Caller, Control, ControlError, Message, Signal, SpawnOptions, SpawnRequest, Target};
use beamline_proto::flags::Flags;
use beamline_proto::frame::{Frame, FrameError, Reader, TICK, write, write_answer};
use beamline_term::codec::{Decoder, encode};
use beamline_term::{Atom, Creation, Origin, Pid, Reference, Term, atom};
use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;

fn read(flags: Flags, bytes: &[u8]) -> Result<Message, FrameError> {
    let mut reader = Reader::new(flags, 1 << 20, BytesMut::from(bytes));
    match reader.next_frame()? {
        Some(Frame::Message(message)) => Ok(message),
        other => panic!("no message, but {other:?}"),
    }
}

/// What a frame with this control message and this payload gives.
fn decode(control: &Term, payload: Option<&Term>) -> Result<Message, FrameError> {
    let mut body = vec![131, 68, 0];
    encode::term(&mut body, control);
    if let Some(payload) = payload {
        encode::term(&mut body, payload);
    }
    read(Flags::OFFERED, &[&(body.len() as u32).to_be_bytes()[..], &body].concat())
}

/// The control message, as a term, that is written for a signal.
fn encoded(flags: Flags, control: &Control) -> (Term, Option<Term>) {
    let mut out = Vec::new();
    write(&mut out, flags, control, |out| encode::atom_str(out, "payload")).unwrap();
    let body = Bytes::from(out.split_off(7));
    let mut decoder = Decoder::new(&body);
    let control = decoder.term().unwrap();
    let rest = decoder.rest();
    let payload = (!rest.is_empty()).then(|| Decoder::new(&rest).term().unwrap());
    (control, payload)
}

fn own(id: u32) -> Pid {
    Pid::new(atom("a@h"), id, 0, Creation::new(7))
}

fn reference() -> Reference {
    Reference::at(&Origin::new(atom("a@h"), Creation::new(7)), &[1, 2, 3]).unwrap()
}

fn tuple<const N: usize>(elements: [Term; N]) -> Term {
    Term::Tuple(elements.to_vec().into())
}

fn token() -> Term {
    tuple([0.into(), 1.into(), 2.into(), own(9).into(), 3.into()])
}

#[test]
fn bytes_of_a_send_are_those_of_otp() {
    let mut out = Vec::new();
    let control = Control::Send { from: Some(own(1)), to: own(2) };
    write(&mut out, Flags::OFFERED, &control, |out| encode::atom_str(out, "x")).unwrap();
    let pid = |id: u8| [&[88, 119, 3][..], b"a@h", &[0, 0, 0, id, 0, 0, 0, 0, 0, 0, 0, 7]].concat();
    let body = [&[131, 68, 0, 104, 3, 97, 22][..], &pid(1), &pid(2), &[119, 1, b'x']].concat();
    assert_eq!(out, [&[0, 0, 0, body.len() as u8][..], &body].concat());

    let mut out = Vec::new();
    let flags = Flags::OFFERED.without(Flags::FRAGMENTS);
    write(&mut out, flags, &control, |out| encode::atom_str(out, "x")).unwrap();
    let body = [&[112, 131, 104, 3, 97, 22][..], &pid(1), &pid(2), &[131, 119, 1, b'x']].concat();
    assert_eq!(out, [&[0, 0, 0, body.len() as u8][..], &body].concat());
}

#[test]
fn older_and_traced_forms_mean_the_same() {
    let (from, to): (Term, Term) = (own(1).into(), own(2).into());
    let name = Term::atom("rex");
    let nothing = Term::atom("");
    let payload = Term::atom("payload");
    let op = |number: i64| Term::from(number);
    let send = Control::Send { from: Some(own(1)), to: own(2) };
    let anonymous = Control::Send { from: None, to: own(2) };
    let reg_send = Control::RegSend { from: own(1), to: atom("rex") };
    let alias_send = Control::AliasSend { from: own(1), to: reference() };
    let exit = Control::Exit { from: own(1), to: own(2) };
    let exit2 = Control::Exit2 { from: own(1), to: own(2) };
    let down = Control::MonitorExit { from: Target::Pid(own(1)), to: own(2), reference: reference() };
    let alias: Term = reference().into();
    let with_payload = [
        (tuple([op(2), nothing.clone(), to.clone()]), &anonymous),
        (tuple([op(2), Term::nil(), to.clone()]), &anonymous),
        (tuple([op(12), nothing.clone(), to.clone(), token()]), &anonymous),
        (tuple([op(22), from.clone(), to.clone()]), &send),
        (tuple([op(23), from.clone(), to.clone(), token()]), &send),
        (tuple([op(6), from.clone(), nothing.clone(), name.clone()]), &reg_send),
        (tuple([op(16), from.clone(), nothing, name.clone(), token()]), &reg_send),
        (tuple([op(24), from.clone(), to.clone()]), &exit),
        (tuple([op(25), from.clone(), to.clone(), token()]), &exit),
        (tuple([op(26), from.clone(), to.clone()]), &exit2),
        (tuple([op(27), from.clone(), to.clone(), token()]), &exit2),
        (tuple([op(28), from.clone(), to.clone(), alias.clone()]), &down),
        (tuple([op(33), from.clone(), alias.clone()]), &alias_send),
        (tuple([op(34), from.clone(), alias.clone(), token()]), &alias_send),
        (tuple([op(37), 0.into(), from.clone(), to.clone()]), &send),
        (tuple([op(37), 1.into(), from.clone(), to.clone()]), &send),
        (tuple([op(37), 2.into(), from.clone(), to.clone(), token()]), &send),
        (tuple([op(37), 5.into(), from.clone(), alias.clone()]), &alias_send),
        (tuple([op(37), 9.into(), from.clone(), name.clone()]), &reg_send),
        (tuple([op(37), 17.into(), from.clone(), to.clone()]), &exit2),
        // Bits and elements of a later release.
        (tuple([op(37), op(0x1_0000_0044), from.clone(), alias.clone(), token(), 1.into()]), &alias_send),
    ];
    for (term, control) in with_payload {
        let message = decode(&term, Some(&payload)).unwrap_or_else(|error| panic!("{term}: {error}"));
        assert_eq!(message.control, *control, "{term}");
        assert_eq!(message.payload_term().unwrap().as_ref(), Some(&payload), "{term}");
        let bare = decode(&term, None);
        assert!(matches!(bare, Err(FrameError::Control(ControlError::Payload { .. }))), "{term} without: {bare:?}");
    }
    let with_reason_inside = [
        (tuple([op(3), from.clone(), to.clone(), payload.clone()]), &exit),
        (tuple([op(13), from.clone(), to.clone(), token(), payload.clone()]), &exit),
        (tuple([op(8), from.clone(), to.clone(), payload.clone()]), &exit2),
        (tuple([op(18), from.clone(), to.clone(), token(), payload.clone()]), &exit2),
        (tuple([op(21), from.clone(), to.clone(), alias, payload.clone()]), &down),
    ];
    for (term, control) in with_reason_inside {
        let message = decode(&term, None).unwrap_or_else(|error| panic!("{term}: {error}"));
        assert_eq!((&message.control, message.payload_term().unwrap().as_ref()), (control, Some(&payload)), "{term}");
        assert!(decode(&term, Some(&payload)).is_err(), "{term}");
    }
}

#[test]
fn exits_of_names_and_aliases() {
    let from: Term = own(1).into();
    let reason = Term::atom("kill");
    let message = decode(&tuple([37.into(), 20.into(), from.clone(), reference().into()]), Some(&reason)).unwrap();
    assert_eq!(message.control, Control::AliasExit2 { from: own(1), to: reference() });
    let message = decode(&tuple([37.into(), 25.into(), from, Term::atom("rex")]), Some(&reason)).unwrap();
    assert_eq!(message.control, Control::RegExit2 { from: own(1), to: atom("rex") });
}

#[test]
fn what_the_beam_closes_on_is_an_error() {
    let (from, to): (Term, Term) = (own(1).into(), own(2).into());
    let payload = Term::atom("payload");
    let huge = Term::from(-1i64 << 62);
    let broken = [
        tuple([5.into()]),
        tuple([4.into(), from.clone(), to.clone()]),
        tuple([99.into(), from.clone(), to.clone()]),
        tuple([22.into(), from.clone()]),
        tuple([22.into(), from.clone(), to.clone(), to.clone()]),
        tuple([22.into(), Term::atom("me"), to.clone()]),
        tuple([1.into(), from.clone(), Term::atom("rex")]),
        tuple([35.into(), 0.into(), from.clone(), to.clone()]),
        tuple([35.into(), (-1).into(), from.clone(), to.clone()]),
        tuple([36.into(), 0.into(), from.clone(), to.clone()]),
        tuple([37.into(), (-1).into(), from.clone(), to.clone()]),
        tuple([37.into(), huge, from.clone(), to.clone()]),
        tuple([37.into(), 12.into(), from.clone(), to.clone()]),
        tuple([37.into(), 4.into(), from.clone(), to.clone()]),
        tuple([37.into(), 2.into(), from.clone(), to.clone()]),
        tuple([37.into(), 0.into(), from.clone()]),
        Term::atom("no_tuple"),
    ];
    for term in broken {
        assert!(decode(&term, Some(&payload)).is_err(), "{term}");
        assert!(decode(&term, None).is_err(), "{term}");
    }
    let monitor = tuple([19.into(), from, to, reference().into()]);
    assert!(decode(&monitor, None).is_ok());
    assert!(decode(&monitor, Some(&payload)).is_err(), "a payload that does not belong there");
}

#[test]
fn the_newest_form_that_was_agreed_is_written() {
    let alias_send = Control::AliasSend { from: own(1), to: reference() };
    let (from, to, alias): (Term, Term, Term) = (own(1).into(), own(2).into(), reference().into());
    let payload = Term::atom("payload");
    let older = Flags::OFFERED.without(Flags::ALTACT_SIG).without(Flags::EXIT_PAYLOAD).without(Flags::SEND_SENDER);
    for (flags, control, written, behind) in [
        (Flags::OFFERED, &alias_send, tuple([37.into(), 4.into(), from.clone(), alias.clone()]), true),
        (older, &alias_send, tuple([33.into(), from.clone(), alias.clone()]), true),
        (
            Flags::OFFERED,
            &Control::AliasExit2 { from: own(1), to: reference() },
            tuple([37.into(), 20.into(), from.clone(), alias.clone()]),
            true,
        ),
        (
            Flags::OFFERED,
            &Control::RegExit2 { from: own(1), to: atom("rex") },
            tuple([37.into(), 24.into(), from.clone(), Term::atom("rex")]),
            true,
        ),
        (older, &Control::Send { from: Some(own(1)), to: own(2) }, tuple([2.into(), Term::atom(""), to.clone()]), true),
        (
            Flags::OFFERED,
            &Control::GroupLeader { from: own(1), to: own(2) },
            tuple([7.into(), from.clone(), to.clone()]),
            false,
        ),
    ] {
        let expected = behind.then(|| payload.clone());
        assert_eq!(encoded(flags, control), (written, expected), "{control:?}");
    }
    // The older exits hold their reason.
    for (control, written) in [
        (Control::Exit { from: own(1), to: own(2) }, tuple([3.into(), from.clone(), to.clone(), payload.clone()])),
        (Control::Exit2 { from: own(1), to: own(2) }, tuple([8.into(), from.clone(), to.clone(), payload.clone()])),
        (
            Control::MonitorExit { from: Target::Name(atom("rex")), to: own(2), reference: reference() },
            tuple([21.into(), Term::atom("rex"), to, alias, payload]),
        ),
    ] {
        assert_eq!(encoded(older, &control), (written, None), "{control:?}");
    }
}

fn any_atom() -> impl Strategy<Value = Atom> {
    "[a-z]{0,8}(@[a-z.]{1,20})?".prop_map(|text| Atom::new(&text).unwrap())
}

fn any_pid() -> impl Strategy<Value = Pid> {
    (any_atom(), any::<u32>(), any::<u32>(), any::<u32>())
        .prop_map(|(node, id, serial, creation)| Pid::new(node, id, serial, Creation::new(creation)))
}

fn any_reference() -> impl Strategy<Value = Reference> {
    (any_atom(), any::<u32>(), prop::collection::vec(any::<u32>(), 1..=5))
        .prop_map(|(node, creation, words)| Reference::at(&Origin::new(node, Creation::new(creation)), &words).unwrap())
}

fn any_target() -> impl Strategy<Value = Target> {
    prop_oneof![any_pid().prop_map(Target::Pid), any_atom().prop_map(Target::Name)]
}

fn any_control() -> impl Strategy<Value = Control> {
    let pids = || (any_pid(), any_pid());
    prop_oneof![
        pids().prop_map(|(from, to)| Control::Link { from, to }),
        pids().prop_map(|(from, to)| Control::Send { from: Some(from), to }),
        any_pid().prop_map(|to| Control::Send { from: None, to }),
        (any_pid(), any_atom()).prop_map(|(from, to)| Control::RegSend { from, to }),
        (any_pid(), any_reference()).prop_map(|(from, to)| Control::AliasSend { from, to }),
        pids().prop_map(|(from, to)| Control::Exit { from, to }),
        pids().prop_map(|(from, to)| Control::Exit2 { from, to }),
        (any_pid(), any_atom()).prop_map(|(from, to)| Control::RegExit2 { from, to }),
        (any_pid(), any_reference()).prop_map(|(from, to)| Control::AliasExit2 { from, to }),
        (1..=u64::MAX, any_pid(), any_pid()).prop_map(|(id, from, to)| Control::UnlinkId { id, from, to }),
        (1..=u64::MAX, any_pid(), any_pid()).prop_map(|(id, from, to)| Control::UnlinkIdAck { id, from, to }),
        pids().prop_map(|(from, to)| Control::GroupLeader { from, to }),
        (any_pid(), any_target(), any_reference()).prop_map(|(from, to, reference)| Control::Monitor {
            from,
            to,
            reference
        }),
        (any_pid(), any_target(), any_reference()).prop_map(|(from, to, reference)| Control::Demonitor {
            from,
            to,
            reference
        }),
        (any_target(), any_pid(), any_reference()).prop_map(|(from, to, reference)| Control::MonitorExit {
            from,
            to,
            reference
        }),
        (any_reference(), any_pid(), any_pid(), any_atom(), any_atom(), any::<i64>(), any::<(bool, bool)>()).prop_map(
            |(reference, from, group_leader, module, function, arity, (link, monitor))| {
                let options = SpawnOptions { link, monitor };
                let request = SpawnRequest { reference, from, group_leader, module, function, arity, options };
                Control::SpawnRequest(Box::new(request))
            }
        ),
        (any_reference(), any_pid(), 0..4u8, any_target()).prop_map(|(reference, to, flags, result)| {
            let result = match result {
                Target::Pid(pid) => Ok(pid),
                Target::Name(reason) => Err(reason),
            };
            Control::SpawnReply { reference, to, flags, result }
        }),
    ]
}

/// The reference of an answer.
fn reference_of(control: &Control) -> Option<&Reference> {
    match control {
        Control::MonitorExit { reference, .. } | Control::SpawnReply { reference, .. } => Some(reference),
        _ => None,
    }
}

/// What the forms of these flags cannot say: who sends, in the form that does not tell it.
fn as_told(control: &Control, flags: Flags) -> Control {
    match control {
        Control::Send { to, .. } if !flags.contains(Flags::SEND_SENDER) => Control::Send { from: None, to: to.clone() },
        other => other.clone(),
    }
}

/// A request to call a function with `[1, x]`. Of the options the first two are those that calls have.
fn call_frame(
    (reference, tag): (&Reference, &Reference),
    (from, group_leader): (&Pid, &Pid),
    (module, function): (&Atom, &Atom),
    options: u8,
) -> Vec<u8> {
    let what = tuple([Term::atom("erpc"), Term::atom("execute_call"), 4.into()]);
    let (monitor, reply) = (Term::atom("monitor"), tuple([Term::atom("reply"), Term::atom("error_only")]));
    let options = match options {
        0 => Term::list([monitor]),
        1 => Term::list([reply, monitor]),
        2 => Term::list([Term::atom("link"), monitor]),
        _ => Term::nil(),
    };
    let control =
        tuple([29.into(), reference.clone().into(), from.clone().into(), group_leader.clone().into(), what, options]);
    let arguments = Term::list([1.into(), Term::atom("x")]);
    let payload = Term::list([tag.clone().into(), module.clone().into(), function.clone().into(), arguments]);
    let mut body = vec![131, 68, 0];
    encode::term(&mut body, &control);
    encode::term(&mut body, &payload);
    [&(body.len() as u32).to_be_bytes()[..], &body].concat()
}

proptest! {
    #[test]
    fn every_signal_comes_out_as_it_went_in(control in any_control(), leave in any::<u8>()) {
        let optional = [Flags::FRAGMENTS, Flags::EXIT_PAYLOAD, Flags::SEND_SENDER, Flags::ALTACT_SIG];
        let left = optional.iter().enumerate().filter(|(place, _)| leave & 1 << place != 0);
        let flags = left.fold(Flags::OFFERED, |flags, (_, flag)| flags.without(*flag));
        let payload = Term::list([1.into(), Term::atom("x")]);
        let mut out = Vec::new();
        write(&mut out, flags, &control, |out| encode::term(out, &payload)).unwrap();
        let message = read(flags, &out).unwrap();
        prop_assert_eq!(&message.control, &as_told(&control, flags));
        prop_assert_eq!(message.payload_term().unwrap(), control.has_payload().then_some(payload));
    }

    #[test]
    fn an_answer_says_what_the_whole_signal_says(control in any_control(), is_ours in any::<bool>()) {
        let wanted = match &control {
            Control::MonitorExit { from: Target::Pid(_), reference, .. } => Some((reference, true)),
            Control::SpawnReply { reference, result: Ok(_), .. } => Some((reference, false)),
            _ => None,
        };
        let own = match wanted {
            Some((reference, _)) if is_ours => reference.origin().clone(),
            _ => Origin::new(atom("another@host"), Creation::new(1)),
        };
        let mut out = Vec::new();
        write(&mut out, Flags::OFFERED, &control, |out| encode::atom_str(out, "why")).unwrap();
        out.extend_from_slice(&TICK);
        let mut reader = Reader::new(Flags::OFFERED, 1 << 20, BytesMut::from(&out[..])).of_node(&own);
        let (is_expected, words) = match wanted {
            Some((reference, _)) => (is_ours && reference.words().len() == 3, reference.words()),
            None => (false, &[][..]),
        };
        match reader.next_answer() {
            Some(answer) => {
                prop_assert!(is_expected);
                prop_assert_eq!(&answer.words[..], words);
                prop_assert_eq!(Some(answer.is_end()), wanted.map(|(_, is_end)| is_end));
            }
            None => prop_assert!(!is_expected),
        }
        // Left alone, it is read like any other.
        let Some(Frame::Message(message)) = reader.next_frame().unwrap() else { panic!("no message") };
        prop_assert_eq!(&message.control, &as_told(&control, Flags::OFFERED));
        let mut reader = Reader::new(Flags::OFFERED, 1 << 20, BytesMut::from(&out[..])).of_node(&own);
        if let Some(answer) = reader.next_answer() {
            prop_assert_eq!(answer.into_reason(), message.payload);
            prop_assert_eq!(reader.next_frame(), Ok(Some(Frame::Tick)));
        }
    }

    #[test]
    fn a_call_is_read_and_answered_as_the_whole_signal_says(
        (reference, tag) in (any_reference(), any_reference()),
        (from, group_leader, process) in (any_pid(), any_pid(), any_pid()),
        (module, function) in (any_atom(), any_atom()),
        (options, is_plain) in prop_oneof![Just((0, true)), Just((1, true)), Just((2, false)), Just((3, false))],
    ) {
        let arguments = Term::list([1.into(), Term::atom("x")]);
        let bytes = call_frame((&reference, &tag), (&from, &group_leader), (&module, &function), options);
        let message = read(Flags::OFFERED, &bytes).unwrap();
        let own = Origin::new(atom("own@host"), Creation::new(1));
        let mut reader = Reader::new(Flags::OFFERED, 1 << 20, BytesMut::from(&bytes[..])).of_node(&own);
        let execute = match reader.next_frame().unwrap() {
            Some(Frame::Execute(execute)) => execute,
            other => {
                prop_assert!(!is_plain, "{other:?}");
                return Ok(());
            }
        };
        prop_assert!(is_plain);
        prop_assert_eq!(execute.name(), Some((module.as_str(), function.as_str())));
        let term = |bytes: &Bytes| Decoder::new(bytes).term().unwrap();
        prop_assert_eq!(term(&execute.arguments()), arguments);
        prop_assert_eq!(term(&Bytes::copy_from_slice(execute.tag())), Term::from(tag));
        prop_assert_eq!(execute.group_leader(), Some(group_leader));
        prop_assert!(!execute.is_of(&atom("nobody@nowhere")));
        prop_assert!(execute.is_of(from.node()));
        let (request, rest) = execute.whole().unwrap();
        prop_assert_eq!(&Message { control: Control::SpawnRequest(request), payload: rest }, &message);

        let mut out = Vec::new();
        write_answer(&mut out, Flags::OFFERED, &execute, &process, |out| encode::atom_str(out, "why")).unwrap();
        let mut reader = Reader::new(Flags::OFFERED, 1 << 20, BytesMut::from(&out[..]));
        let mut next = || match reader.next_frame().unwrap() {
            Some(Frame::Message(message)) => message,
            other => panic!("no message, but {other:?}"),
        };
        let started = next();
        let expected = Control::SpawnReply { reference: reference.clone(), to: from.clone(), flags: 2, result: Ok(process.clone()) };
        prop_assert_eq!(started.control, expected);
        let ended = next();
        prop_assert_eq!(&ended.control, &Control::MonitorExit { from: Target::Pid(process), to: from, reference });
        prop_assert_eq!(ended.payload_term().unwrap(), Some(Term::atom("why")));
    }

    #[test]
    fn changed_bytes_never_panic(
        control in any_control(),
        call in prop::option::of((any_reference(), any_pid(), any_atom(), 0..4_u8)),
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..4),
        cut in any::<usize>(),
    ) {
        let mut out = Vec::new();
        match call {
            Some((reference, pid, name, options)) => {
                out = call_frame((&reference, &reference), (&pid, &pid), (&name, &name), options);
            }
            None => write(&mut out, Flags::OFFERED, &control, |out| encode::atom_str(out, "payload")).unwrap(),
        }
        // Of calls the end counts for much, so most are left whole.
        if cut % 2 == 0 {
            out.truncate(8 + cut % (out.len() - 7));
        }
        let length = out.len();
        for (place, byte) in changes {
            out[7 + place % (length - 7)] = byte;
        }
        out[..4].copy_from_slice(&((length - 4) as u32).to_be_bytes());
        let _ = read(Flags::OFFERED, &out);
        let origin = reference_of(&control).map_or_else(|| own(1).origin().clone(), |reference| reference.origin().clone());
        let mut reader = Reader::new(Flags::OFFERED, 1 << 20, BytesMut::from(&out[..])).of_node(&origin);
        if let Some(answer) = reader.next_answer() {
            prop_assert_eq!(answer.end().is_some(), answer.is_end());
            let _ = answer.into_reason();
        }
        if let Ok(Some(Frame::Execute(call))) = reader.next_frame() {
            let (_, arguments, tag, _) = (call.name(), call.arguments(), call.tag(), call.group_leader());
            prop_assert!(!arguments.is_empty() && !tag.is_empty() && !call.is_of(&atom("nobody@nowhere")));
            let whole = read(Flags::OFFERED, &out).ok();
            let request = call.whole().ok().map(|(request, payload)| Message { control: Control::SpawnRequest(request), payload });
            prop_assert_eq!(request, whole);
            let mut answer = Vec::new();
            write_answer(&mut answer, Flags::OFFERED, &call, &own(1), |out| encode::atom_str(out, "why")).unwrap();
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 1..200), headers in any::<bool>()) {
        let (flags, head): (Flags, &[u8]) =
            if headers { (Flags::OFFERED, &[131, 68, 0, 104]) } else { (Flags::OFFERED.without(Flags::FRAGMENTS), &[112, 131, 104]) };
        let mut frame = BytesMut::new();
        frame.put_u32((bytes.len() + head.len()) as u32);
        frame.put_slice(head);
        frame.put_slice(&bytes);
        let _ = read(flags, &frame);
    }
}

#[test]
fn a_call_is_written_as_the_signal_that_it_is() {
    let caller = Caller::new(own(1), own(2));
    let call = caller.call([1, 2, 3]);
    let mut out = vec![0; 5];
    let payload = |out: &mut Vec<u8>| call.write(out, &atom("m"), &atom("f"), &[106]);
    write(&mut out, Flags::OFFERED, &call, payload).unwrap();
    let message = read(Flags::OFFERED, &out[5..]).unwrap();
    assert_eq!(message.control, call.to_control());
    let expected = Term::list([reference().into(), Term::atom("m"), Term::atom("f"), Term::nil()]);
    assert_eq!(message.payload_term().unwrap(), Some(expected));
    let Control::SpawnRequest(request) = message.control else { panic!("another signal") };
    assert_eq!((&request.reference, &request.from, &request.group_leader), (&reference(), &own(1), &own(2)));
    assert_eq!((request.module.as_str(), request.function.as_str(), request.arity), ("erpc", "execute_call", 4));
    assert_eq!(request.options, SpawnOptions { monitor: true, link: false });
}

#[test]
fn options_of_a_spawn_are_found_among_others() {
    let reference = Reference::at(&Origin::new(atom("a@h"), Creation::new(7)), &[1, 2, 3]).unwrap();
    let pid = Pid::new(atom("a@h"), 1, 0, Creation::new(7));
    let options_in = |options: Term| {
        let what = Term::tuple([Term::atom("m"), Term::atom("f"), 0.into()]);
        let (reference, pid) = (Term::Reference(reference.clone()), Term::Pid(pid.clone()));
        let control = Term::tuple([29.into(), reference, pid.clone(), pid, what, options]);
        match decode(&control, Some(&Term::nil())).map(|message| message.control) {
            Ok(Control::SpawnRequest(request)) => Some((request.options.link, request.options.monitor)),
            _ => None,
        }
    };
    let pair = |name, value: Term| Term::tuple([Term::atom(name), value]);
    assert_eq!(options_in(Term::nil()), Some((false, false)));
    assert_eq!(options_in(Term::list([Term::atom("monitor")])), Some((false, true)));
    let many = [pair("priority", Term::atom("link")), Term::atom("link"), 5.into(), Term::tuple([])];
    assert_eq!(options_in(Term::list(many)), Some((true, false)));
    let alias = pair("monitor", Term::list([pair("alias", Term::atom("link"))]));
    assert_eq!(options_in(Term::list([alias])), Some((false, true)));
    assert_eq!(options_in(Term::charlist("ab")), Some((false, false)));
    assert_eq!(options_in(Term::atom("link")), Some((false, false)));
}
