//! Writing control messages, in the newest form that both sides know.

use beamline_term::codec::encode;
use beamline_term::{Atom, Pid, Reference};

use super::decode::altact;
use super::{Control, Signal, Spawn, SpawnOptions, Target};
use crate::flags::Flags;

/// Where the term that belongs to a signal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// There is none.
    Nowhere,
    /// Behind the control message, as a term of its own.
    Behind,
    /// In it, as its last element: the older form of exits.
    Inside,
}

impl Control {
    /// Appends the control tuple, up to the term that belongs to it.
    pub(crate) fn encode(&self, out: &mut Vec<u8>, flags: Flags) -> Place {
        let exit_payload = flags.contains(Flags::EXIT_PAYLOAD);
        match self {
            Control::Link { from, to } => pair(out, 1, from, to),
            Control::Send { from: Some(from), to } if flags.contains(Flags::SEND_SENDER) => pair(out, 22, from, to),
            Control::Send { to, .. } => {
                head(out, 2, 3);
                encode::atom_str(out, "");
                encode::pid(out, to);
            }
            Control::RegSend { from, to } => {
                head(out, 6, 4);
                encode::pid(out, from);
                encode::atom_str(out, "");
                encode::atom(out, to);
            }
            Control::AliasSend { from, to } => {
                if flags.contains(Flags::ALTACT_SIG) {
                    altact_head(out, altact::ALIAS, from);
                } else {
                    head(out, 33, 3);
                    encode::pid(out, from);
                }
                encode::reference(out, to);
            }
            Control::Exit { from, to } => exit(out, (24, 3), exit_payload, from, to),
            Control::Exit2 { from, to } => exit(out, (26, 8), exit_payload, from, to),
            Control::RegExit2 { from, to } => {
                altact_head(out, altact::NAME | altact::EXIT, from);
                encode::atom(out, to);
            }
            Control::AliasExit2 { from, to } => {
                altact_head(out, altact::ALIAS | altact::EXIT, from);
                encode::reference(out, to);
            }
            Control::GroupLeader { from, to } => pair(out, 7, from, to),
            Control::UnlinkId { id, from, to } => numbered(out, 35, *id, from, to),
            Control::UnlinkIdAck { id, from, to } => numbered(out, 36, *id, from, to),
            Control::Monitor { from, to, reference } => watch(out, 19, from, to, reference),
            Control::Demonitor { from, to, reference } => watch(out, 20, from, to, reference),
            Control::MonitorExit { from, to, reference } => {
                return down(out, flags, |out| target(out, from), to, reference);
            }
            Control::SpawnRequest(request) => return Spawn::from(&**request).encode(out, flags),
            Control::SpawnReply { reference, to, flags, result } => {
                spawn_reply(out, reference, to, *flags, result.as_ref());
            }
        }
        match self {
            Control::Exit { .. } | Control::Exit2 { .. } if !exit_payload => Place::Inside,
            _ if self.has_payload() => Place::Behind,
            _ => Place::Nowhere,
        }
    }
}

fn head(out: &mut Vec<u8>, operation: i64, arity: usize) {
    encode::tuple_header(out, arity);
    encode::integer(out, operation);
}

fn pair(out: &mut Vec<u8>, operation: i64, from: &Pid, to: &Pid) {
    head(out, operation, 3);
    encode::pid(out, from);
    encode::pid(out, to);
}

/// An exit in its newer form, or in the older one that holds the reason.
fn exit(out: &mut Vec<u8>, (newer, older): (i64, i64), payload: bool, from: &Pid, to: &Pid) {
    if payload {
        return pair(out, newer, from, to);
    }
    head(out, older, 4);
    encode::pid(out, from);
    encode::pid(out, to);
}

fn numbered(out: &mut Vec<u8>, operation: i64, id: u64, from: &Pid, to: &Pid) {
    head(out, operation, 4);
    encode::unsigned(out, id);
    encode::pid(out, from);
    encode::pid(out, to);
}

fn watch(out: &mut Vec<u8>, operation: i64, from: &Pid, to: &Target, reference: &Reference) {
    head(out, operation, 4);
    encode::pid(out, from);
    target(out, to);
    encode::reference(out, reference);
}

fn altact_head(out: &mut Vec<u8>, flags: u64, from: &Pid) {
    head(out, 37, 4);
    encode::unsigned(out, flags);
    encode::pid(out, from);
}

fn target(out: &mut Vec<u8>, target: &Target) {
    match target {
        Target::Pid(pid) => encode::pid(out, pid),
        Target::Name(name) => encode::atom(out, name),
    }
}

/// A part of a signal: a value, or bytes in which it is encoded already.
pub(super) trait Part {
    fn append_to(&self, out: &mut Vec<u8>);
}

impl Part for Pid {
    fn append_to(&self, out: &mut Vec<u8>) {
        encode::pid(out, self);
    }
}

impl Part for Reference {
    fn append_to(&self, out: &mut Vec<u8>) {
        encode::reference(out, self);
    }
}

impl Part for [u8] {
    fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

pub(super) fn down(
    out: &mut Vec<u8>,
    flags: Flags,
    from: impl FnOnce(&mut Vec<u8>),
    to: &(impl Part + ?Sized),
    reference: &(impl Part + ?Sized),
) -> Place {
    let is_behind = flags.contains(Flags::EXIT_PAYLOAD);
    if is_behind {
        head(out, 28, 4);
    } else {
        head(out, 21, 5);
    }
    from(out);
    to.append_to(out);
    reference.append_to(out);
    if is_behind { Place::Behind } else { Place::Inside }
}

pub(super) fn spawn_reply(
    out: &mut Vec<u8>,
    reference: &(impl Part + ?Sized),
    to: &(impl Part + ?Sized),
    flags: u8,
    result: Result<&Pid, &Atom>,
) {
    head(out, 31, 5);
    reference.append_to(out);
    to.append_to(out);
    encode::integer(out, i64::from(flags));
    match result {
        Ok(pid) => encode::pid(out, pid),
        Err(reason) => encode::atom(out, reason),
    }
}

pub(super) fn options(out: &mut Vec<u8>, SpawnOptions { link, monitor }: SpawnOptions) {
    let count = usize::from(link) + usize::from(monitor);
    if count > 0 {
        encode::list_header(out, count);
    }
    if link {
        encode::atom_str(out, "link");
    }
    if monitor {
        encode::atom_str(out, "monitor");
    }
    encode::nil(out);
}
