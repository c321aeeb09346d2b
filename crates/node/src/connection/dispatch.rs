//! Every signal of a peer goes through here to whom it is for.

use std::sync::Arc;

use beamline_proto::control::{Control, Message, Target};
use beamline_term::codec::{Decoder, encode};
use beamline_term::{Atom, Pid, Reference};
use bytes::Bytes;

use super::Connection;
use crate::call::Outcome;
use crate::node::Inner;
use crate::process::{self, Cell, Signal};
use crate::service::spawn;

/// Handles one message. Never waits.
///
/// # Errors
/// The peer breaks the protocol; the connection must be closed.
pub(super) fn message(node: &Arc<Inner>, connection: &Arc<Connection>, message: Message) -> Result<(), &'static str> {
    let Message { control, payload } = message;
    match control {
        Control::Send { to, .. } => {
            if let Some(alias) = tag_alias(&payload)
                && node.waiting.settle(&node.numbers, &alias, Outcome::Reply(payload.clone()))
            {
                return Ok(());
            }
            if let Some(cell) = node.cell(&to) {
                cell.deliver(Signal::Message(process::Message::new(payload)));
            }
        }
        Control::RegSend { to, .. } => {
            if let Some(cell) = node.processes.named(&to) {
                cell.deliver(Signal::Message(process::Message::new(payload)));
            }
        }
        Control::AliasSend { to, .. } => {
            node.waiting.settle(&node.numbers, &to, Outcome::Reply(payload));
        }
        Control::Link { from, to } => {
            of_peer(connection, &from)?;
            link(node, connection, from, to);
        }
        Control::UnlinkId { id, from, to } => {
            let _ = connection.send(&Control::UnlinkIdAck { id, from: to.clone(), to: from.clone() }, |_| {});
            if let Some(cell) = node.cell(&to) {
                cell.ties(|ties| {
                    if ties.links.get(&from) == Some(&process::Link::Active) {
                        ties.links.remove(&from);
                    }
                });
            }
        }
        Control::UnlinkIdAck { id, from, to } => {
            if let Some(cell) = node.cell(&to) {
                cell.ties(|ties| {
                    if ties.links.get(&from) == Some(&process::Link::Unlinking(id)) {
                        ties.links.remove(&from);
                    }
                });
            }
        }
        Control::Exit { from, to } => {
            if let Some(cell) = node.cell(&to) {
                cell.deliver(Signal::LinkedExit { from, reason: payload });
            }
        }
        Control::Exit2 { from, to } => {
            if let Some(cell) = node.cell(&to) {
                cell.deliver(Signal::Exit { from, reason: payload });
            }
        }
        Control::Monitor { from, to, reference } => {
            of_peer(connection, &from)?;
            let (cell, name): (Option<Arc<Cell>>, Option<Atom>) = match &to {
                Target::Pid(pid) => (node.cell(pid), None),
                Target::Name(name) => (node.processes.named(name), Some(name.clone())),
            };
            let watched =
                cell.and_then(|cell| cell.ties(|ties| ties.watchers.insert(reference.clone(), (from.clone(), name))));
            if watched.is_none() {
                let exit = Control::MonitorExit { from: to, to: from, reference };
                let _ = connection.send(&exit, |out| encode::atom_str(out, "noproc"));
            }
        }
        Control::Demonitor { to, reference, .. } => {
            let cell = match &to {
                Target::Pid(pid) => node.cell(pid),
                Target::Name(name) => node.processes.named(name),
            };
            // A spawn request's monitor is taken away by its reference and pid; a name may be another's by now.
            if let Some(cell) = cell {
                cell.ties(|ties| ties.watchers.remove(&reference));
            }
        }
        Control::MonitorExit { from, to, reference } => {
            // Calls are made in the name of processes, but it is the call that waits.
            if !node.waiting.settle(&node.numbers, &reference, Outcome::Down(payload.clone()))
                && let Some(cell) = node.cell(&to)
            {
                cell.deliver(Signal::Down { reference, from, reason: payload });
            }
        }
        Control::SpawnRequest(request) => spawn::request(node, connection, *request, payload),
        Control::SpawnReply { reference, result: Err(reason), .. } => {
            node.waiting.settle(&node.numbers, &reference, Outcome::Refused(reason));
        }
        // Success says nothing that the answer does not; group leaders mean nothing here.
        Control::SpawnReply { .. } | Control::GroupLeader { .. } => {}
        _ => return Err("a signal that is not understood"),
    }
    Ok(())
}

/// The alias in an answer `{[alias | Ref], Answer}` that was sent to a pid, as `net_kernel` of OTP 25 does.
fn tag_alias(payload: &Bytes) -> Option<Reference> {
    let mut decoder = Decoder::new(payload);
    let is_answer =
        decoder.tuple_header() == Ok(2) && decoder.list_header() == Ok(1) && decoder.atom().ok()? == "alias";
    if is_answer { decoder.reference().ok() } else { None }
}

fn of_peer(connection: &Connection, pid: &Pid) -> Result<(), &'static str> {
    if pid.node() == connection.peer.name.as_atom() { Ok(()) } else { Err("a signal from a process of another node") }
}

fn link(node: &Inner, connection: &Connection, from: Pid, to: Pid) {
    let linked = node.cell(&to).and_then(|cell| {
        cell.ties(|ties| {
            ties.links.entry(from.clone()).or_insert(process::Link::Active);
        })
    });
    if linked.is_none() {
        let exit = Control::Exit { from: to, to: from };
        let _ = connection.send(&exit, |out| encode::atom_str(out, "noproc"));
    }
}
