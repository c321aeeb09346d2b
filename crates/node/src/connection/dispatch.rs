//! Every signal of a peer goes through here to whom it is for.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use beamline_proto::control::{Control, Execute, Message};
use beamline_proto::frame::Answer;
use beamline_term::Reference;
use beamline_term::codec::Decoder;
use bytes::Bytes;

use super::Connection;
use crate::call::Outcome;
use crate::destination::Destination;
use crate::erpc::Short;
use crate::events::DownReason;
use crate::node::Inner;
use crate::process;
use crate::service::spawn;
use crate::waiting::Ends;

/// Handles one message. Never waits. `clock` is when the one before was done, if somebody has looked, and is then that of
/// this one: to look takes as long as to read a message.
///
/// # Errors
/// The peer breaks the protocol; the connection must be closed.
pub(super) fn message(
    node: &Arc<Inner>,
    connection: &Arc<Connection>,
    message: Message,
    clock: &mut Option<Instant>,
) -> Result<(), &'static str> {
    let Message { control, payload } = message;
    let now = clock.take();
    if let Some(from) = control.own_process()
        && from.node() != connection.peer.name.as_atom()
    {
        return Err(FOREIGN);
    }
    match control {
        Control::Send { to, .. } => {
            // Only who calls for the node itself may find the answer's alias in its tag.
            if to == node.caller
                && let Some(alias) = tag_alias(&payload)
                && node.waiting.settle(&node.numbers, &alias, Outcome::Reply(payload.clone()))
            {
                return Ok(());
            }
            if let Some(cell) = node.cell(&to) {
                cell.message(process::Message::arrived(payload));
            }
        }
        Control::RegSend { to, .. } => {
            if let Some(cell) = node.processes.named(&to) {
                cell.message(process::Message::arrived(payload));
            }
        }
        Control::AliasSend { to, .. } => node.through_alias(&to, payload),
        Control::Link { from, to } => {
            node.link_arrives(connection, from, to);
        }
        Control::UnlinkId { id, from, to } => node.unlink_arrives(connection, id, from, to),
        Control::UnlinkIdAck { id, from, to } => node.unlink_ack_arrives(connection, id, &from, &to),
        Control::Exit { from, to } => node.linked_exit_arrives(connection, &from, &to, &payload),
        Control::Exit2 { from, to } => node.exit_arrives(&from, &to.into(), payload),
        Control::RegExit2 { from, to } => node.exit_arrives(&from, &Destination::Name(to), payload),
        Control::AliasExit2 { from, to } => node.exit_arrives(&from, &Destination::Alias(to), payload),
        Control::Monitor { from, to, reference } => {
            node.monitor_arrives(connection, from, to, reference);
        }
        Control::Demonitor { to, reference, .. } => node.demonitor_arrives(connection, &to, &reference),
        Control::MonitorExit { to, reference, .. } => node.down_arrives(connection, &to, &reference, payload),
        Control::GroupLeader { from, to } => {
            if let Some(cell) = node.cell(&to) {
                cell.set_group_leader(from);
            }
        }
        Control::SpawnRequest(request) => {
            *clock = spawn::request(node, connection, request, payload, now.unwrap_or_else(Instant::now));
        }
        Control::SpawnReply { reference, flags, result, .. } => {
            node.spawn_reply_arrives(connection, &reference, flags, result);
        }
        _ => return Err("a signal that is not understood"),
    }
    Ok(())
}

/// Handles a call of a function. As [`message`].
///
/// # Errors
/// The peer breaks the protocol; the connection must be closed.
pub(super) fn execute(
    node: &Arc<Inner>,
    connection: &Arc<Connection>,
    execute: &Execute,
    clock: &mut Option<Instant>,
) -> Result<(), DownReason> {
    if !execute.is_of(connection.peer.name.as_atom()) {
        return Err(DownReason::Protocol(FOREIGN.to_owned()));
    }
    let now = clock.take().unwrap_or_else(Instant::now);
    *clock = spawn::execute(node, connection, execute, now).map_err(|error| DownReason::Protocol(error.to_string()))?;
    Ok(())
}

const FOREIGN: &str = "a signal in the name of a process of another node";

/// Handles an answer if it is to a call, whose task is to be woken later. Others are left. Never waits.
pub(super) fn answer(node: &Inner, answer: Answer<'_>, ends: &mut Ends<'_>, answered: &mut Vec<Waker>) -> bool {
    if !answer.is_end() {
        // That its process was started says nothing to a call that the answer does not.
        let is_taken = node.spawns.is_empty();
        if is_taken {
            answer.pass();
        }
        return is_taken;
    }
    let number = node.numbers.number_in(answer.words);
    let outcome = |is_brief| match answer.end() {
        Some((reference, reason)) if is_brief && let Some(value) = Short::returned(reference, reason) => {
            answer.pass();
            Outcome::Returned(value)
        }
        _ => Outcome::Down(answer.into_reason()),
    };
    match number.and_then(|number| ends.end(number, outcome)) {
        Some(waker) => {
            answered.extend(waker);
            true
        }
        None => false,
    }
}

/// The alias in an answer `{[alias | Ref], Answer}` that was sent to a pid, as `net_kernel` of OTP 25 does.
fn tag_alias(payload: &Bytes) -> Option<Reference> {
    let mut decoder = Decoder::new(payload);
    let is_answer =
        decoder.tuple_header() == Ok(2) && decoder.list_header() == Ok(1) && decoder.atom().ok()? == "alias";
    if is_answer { decoder.reference().ok() } else { None }
}
