//! Calls of servers: a monitor, the request, and an answer to the alias.

use std::sync::Arc;
use std::time::Duration;

use beamline_proto::NodeName;
use beamline_proto::control::{Control, Target};
use beamline_term::codec::{Decoder, encode};
use beamline_term::serde::Error;
use beamline_term::{Pid, Reference, Term};
use bytes::Bytes;
use tokio::time::Instant;

use super::Outcome;
use crate::connection::Connection;
use crate::destination::Destination;
use crate::error::CallError;
use crate::node::Inner;
use crate::waiting::Place;

/// A call of a server whose request is on its way: what its sender sends afterwards comes after it.
pub(crate) struct ServerCall {
    place: Place,
    unwatch: Unwatch,
}

impl ServerCall {
    /// Queues the request, without waiting for room. After `until` nobody waits for its answer any more.
    pub(crate) fn send(
        node: &Arc<Inner>,
        connection: Arc<Connection>,
        server: &Target,
        from: Pid,
        request: &[u8],
        until: Option<Instant>,
    ) -> Result<ServerCall, CallError> {
        let place = Place::new(Arc::clone(&node.waiting), node, Some(&connection), until);
        // Of a loss after this the place is told; of one before, nobody would tell it.
        if connection.is_closed() {
            return Err(CallError::NodeDown { node: connection.peer.name.clone() });
        }
        let reference = node.numbers.reference_of(place.number());
        let watch = Control::Monitor { from: from.clone(), to: server.clone(), reference: reference.clone() };
        let message = match server {
            Target::Pid(pid) => Control::Send { from: Some(from.clone()), to: pid.clone() },
            Target::Name(name) => Control::RegSend { from: from.clone(), to: name.clone() },
        };
        let mut payload = Vec::with_capacity(request.len() + 128);
        write_call(&mut payload, &from, &reference, request);
        let together = connection.together();
        let sent = connection.send(&watch, |_| {}).and_then(|()| connection.send_bytes(&message, &payload.into()));
        drop(together);
        sent.map_err(|error| CallError::Arguments(Error::message(error)))?;
        let control = Control::Demonitor { from, to: server.clone(), reference };
        Ok(ServerCall { place, unwatch: Unwatch { connection, control: Some(control) } })
    }

    /// Waits for the answer, for as long as the server and its node live, or until its time is over, which was `after`.
    pub(crate) async fn answer(mut self, after: Duration) -> Result<Bytes, CallError> {
        let outcome = (&mut self.place).await;
        let node = self.unwatch.connection.peer.name.clone();
        match outcome {
            Outcome::Reply(payload) => {
                drop(self.unwatch);
                reply_in(&payload, node)
            }
            Outcome::Late => Err(CallError::Timeout { node, after }),
            other => {
                self.unwatch.disarm();
                Err(unanswered(other, node))
            }
        }
    }
}

/// The answer in `{Tag, Answer}`.
fn reply_in(payload: &Bytes, node: NodeName) -> Result<Bytes, CallError> {
    let mut decoder = Decoder::new(payload);
    let answer = decoder.tuple_header().and_then(|_| decoder.skip()).map(|_| decoder.rest());
    answer.map_err(|source| CallError::Answer { node, source: source.into() })
}

fn unanswered(outcome: Outcome, node: NodeName) -> CallError {
    match outcome {
        Outcome::Down(reason) => {
            let reason = Decoder::new(&reason).term().unwrap_or_else(|_| Term::atom("undefined"));
            CallError::Exited { node, reason }
        }
        _ => CallError::NodeDown { node },
    }
}

/// A call of a server of this node itself.
pub(super) struct AskHere<'a> {
    pub(super) node: &'a Inner,
    pub(super) server: &'a Target,
    pub(super) from: &'a Pid,
    /// After this nobody waits for its answer any more.
    pub(super) until: Option<Instant>,
}

impl AskHere<'_> {
    /// Asks it, and waits for its answer until the time is over, which is `after`.
    pub(super) async fn ask(self, request: &[u8], after: Duration) -> Result<Bytes, CallError> {
        let AskHere { node, server, from, until } = self;
        let mut place = Place::new(&*node.waiting, node, None, until);
        let reference = node.numbers.reference_of(place.number());
        if !node.watch_here(from, server, &reference) {
            return Err(CallError::Exited { node: node.name.clone(), reason: Term::atom("noproc") });
        }
        let unwatch = UnwatchHere { node, server, reference: &reference };
        let mut message = Vec::with_capacity(96 + request.len());
        write_call(&mut message, from, &reference, request);
        let to = match server {
            Target::Pid(pid) => Destination::Pid(pid.clone()),
            Target::Name(name) => Destination::Name(name.clone()),
        };
        node.deliver_here(&to, message.into());
        let outcome = (&mut place).await;
        drop(unwatch);
        match outcome {
            Outcome::Reply(payload) => reply_in(&payload, node.name.clone()),
            Outcome::Late => Err(CallError::Timeout { node: node.name.clone(), after }),
            other => Err(unanswered(other, node.name.clone())),
        }
    }
}

/// Takes the monitor of a call within the node away when it is answered or given up.
struct UnwatchHere<'a> {
    node: &'a Inner,
    server: &'a Target,
    reference: &'a Reference,
}

impl Drop for UnwatchHere<'_> {
    fn drop(&mut self) {
        self.node.unwatch_here(self.server, self.reference);
    }
}

/// Takes the monitor of a server call away when it is answered or given up.
struct Unwatch {
    connection: Arc<Connection>,
    control: Option<Control>,
}

impl Unwatch {
    fn disarm(mut self) {
        self.control = None;
    }
}

impl Drop for Unwatch {
    fn drop(&mut self) {
        if let Some(control) = self.control.take() {
            let _ = self.connection.send(&control, |_| {});
        }
    }
}

/// `{'$gen_call', {From, [alias | Reference]}, Request}`
fn write_call(out: &mut Vec<u8>, from: &Pid, reference: &Reference, request: &[u8]) {
    encode::tuple_header(out, 3);
    encode::atom_str(out, "$gen_call");
    encode::tuple_header(out, 2);
    encode::pid(out, from);
    encode::list_header(out, 1);
    encode::atom_str(out, "alias");
    encode::reference(out, reference);
    out.extend_from_slice(request);
}
