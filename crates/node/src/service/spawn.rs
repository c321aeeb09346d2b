//! Spawn requests: how peers call functions. `erpc:execute_call/4` answers through the reason with which its process ends;
//! any other function of the table runs for its effect.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use beamline_proto::control::{Control, SpawnRequest, Target};
use beamline_proto::ties::Watcher;
use beamline_term::codec::{Decoder, encode, tag};
use beamline_term::{Atom, DecodeError, Pid, Reference};
use bytes::Bytes;

use crate::connection::Connection;
use crate::functions::{Answer, FunctionName, Pace, Raise, Started};
use crate::metrics::Counted;
use crate::node::Inner;
use crate::process::{Cell, Line, Tie, panic_reason, reason};
use crate::remote_spawn::Spawned;

/// What a spawned process does.
struct Job {
    function: FunctionName,
    arguments: Bytes,
    /// The encoded reference that the answer begins with, if one is wanted.
    answer_to: Option<Bytes>,
}

/// Starts the process that is asked for, and says so. Called by the reader, which hands on nothing else meanwhile.
pub(crate) fn request(node: &Arc<Inner>, connection: &Arc<Connection>, request: SpawnRequest, payload: Bytes) {
    let refuse = |reason: &'static str| {
        let (reference, to) = (request.reference.clone(), request.from.clone());
        let reply = Control::SpawnReply { reference, to, flags: 0, result: Err(Atom::from_static(reason)) };
        let _ = connection.send(&reply, |_| {});
    };
    let Ok(job) = job(&request, &payload) else { return refuse("badarg") };
    let Some(running) = Running::begin(node) else { return refuse("system_limit") };
    let requester = Requester {
        linked: request.has_option("link"),
        monitored: request.has_option("monitor"),
        reference: request.reference,
        pid: request.from,
    };
    let pid = node.numbers.pid();
    let reply = Control::SpawnReply {
        reference: requester.reference.clone(),
        to: requester.pid.clone(),
        flags: u8::from(requester.linked) | u8::from(requester.monitored) << 1,
        result: Ok(pid.clone()),
    };
    let _ = connection.send(&reply, |_| {});
    let (caller, own) = (connection.peer.name.as_atom(), node.name.as_atom());
    let Started { mut answer, pace } = node.functions.start(&job.function, job.arguments, caller, own);
    let pace_now = pace.as_ref().filter(|pace| pace.is_quick());
    let reason = pace_now.and_then(|pace| at_once(&mut answer, pace, &running, job.answer_to.as_ref()));
    if let Some(reason) = &reason
        && let Some(room) = connection.try_room(reason.len())
    {
        let _promise = connection.promise(room);
        return requester.tell_end(connection, pid, reason);
    }
    // It is a process that others can see, if it has more to do.
    let cell = node.insert_cell(pid, &request.group_leader);
    requester.tie(&cell, connection);
    let (process, task_node, connection) = (Arc::clone(&cell), Arc::clone(node), Arc::clone(connection));
    node.run(cell, async move {
        let reason = match reason {
            Some(reason) => reason,
            None => {
                let outcome = learning(answer, pace).await;
                running.end(outcome.is_ok());
                end_reason(outcome, job.answer_to.as_ref())
            }
        };
        // The answer goes with the end, which cannot wait; so it waits before.
        let room = connection.room_for_answer(reason.len()).await;
        let _promise = room.map(|room| connection.promise(room));
        process.conclude(reason);
        task_node.process_ended(&process, "normal");
    });
}

/// Starts a function of this node as a process, in the name of a process of this node.
pub(crate) fn here(
    node: &Arc<Inner>,
    own: &Arc<Cell>,
    function: FunctionName,
    arguments: Bytes,
    tie: Tie,
) -> Result<Spawned, Atom> {
    let running = Running::begin(node).ok_or(Atom::from_static("system_limit"))?;
    let cell = node.new_cell(&own.group_leader());
    let pid = cell.pid.clone();
    let monitor = match tie {
        Tie::None => None,
        Tie::Link => {
            node.link(own, &pid);
            None
        }
        Tie::Monitor => Some(node.monitor(own, (&pid).into(), None, None)),
    };
    let (process, task_node) = (Arc::clone(&cell), Arc::clone(node));
    node.run(cell, async move {
        let own = task_node.name.as_atom();
        let outcome = task_node.functions.call(&function, arguments, own, own).await;
        running.end(outcome.is_ok());
        process.conclude(end_reason(outcome, None));
    });
    Ok(Spawned { pid, monitor })
}

/// Who asked for a process, and what it wants to hear of it.
struct Requester {
    pid: Pid,
    reference: Reference,
    linked: bool,
    monitored: bool,
}

impl Requester {
    /// Ties the process to who asked for it.
    fn tie(self, cell: &Arc<Cell>, connection: &Arc<Connection>) {
        if !self.linked && !self.monitored {
            return;
        }
        let line = Line(Arc::clone(connection));
        let tied = cell.with(|state| {
            if !state.join(&line, cell.number) {
                return false;
            }
            if self.linked {
                state.ties.linked(&self.pid, Some(line.clone()));
            }
            if self.monitored {
                let watcher = Watcher { pid: self.pid.clone(), name: None, line: Some(line) };
                state.ties.watched(self.reference, watcher);
            }
            true
        });
        // The connection is lost: a linked process hears of that before its first step, a watched one runs on.
        if self.linked && tied == Some(false) {
            cell.exit_signal(&self.pid, reason("noconnection"));
        }
    }

    /// Tells the end of a process that was over before anybody else could see it.
    fn tell_end(self, connection: &Connection, process: Pid, reason: &Bytes) {
        if self.linked {
            let _ = connection.send_bytes(&Control::Exit { from: process.clone(), to: self.pid.clone() }, reason);
        }
        if self.monitored {
            let exit = Control::MonitorExit { from: Target::Pid(process), to: self.pid, reference: self.reference };
            let _ = connection.send_bytes(&exit, reason);
        }
    }
}

/// With what the process of a function ends that does not wait for anything. The function may go on later if it does:
/// nothing that it waits for has been told to wake this task.
fn at_once(answer: &mut Answer, pace: &Pace, running: &Running, answer_to: Option<&Bytes>) -> Option<Bytes> {
    let mut context = Context::from_waker(Waker::noop());
    let began = Instant::now();
    let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(&mut context)));
    pace.learn(began, !matches!(polled, Ok(Poll::Pending)));
    match polled {
        Ok(Poll::Ready(outcome)) => {
            running.end(outcome.is_ok());
            Some(end_reason(outcome, answer_to))
        }
        Ok(Poll::Pending) => None,
        // As a task's end by it.
        Err(panic) => Some(panic_reason(panic.as_ref())),
    }
}

/// Runs a function, and learns whether it answers at once.
async fn learning(mut answer: Answer, pace: Option<Arc<Pace>>) -> Result<Vec<u8>, Raise> {
    let began = Instant::now();
    let mut is_first = true;
    poll_fn(|context| {
        let polled = answer.as_mut().poll(context);
        if std::mem::take(&mut is_first)
            && let Some(pace) = &pace
        {
            pace.learn(began, polled.is_ready());
        }
        polled
    })
    .await
}

/// Counts a call as running until it is dropped.
struct Running {
    node: Arc<Inner>,
    began: Instant,
    _counted: Counted,
}

impl Running {
    /// `None` if too many run already.
    fn begin(node: &Arc<Inner>) -> Option<Running> {
        // Counted first: what is refused is taken off again when this is dropped.
        let before = node.running_calls.fetch_add(1, Ordering::Relaxed);
        let _counted = Counted::one(&node.metrics.running_calls);
        let running = Running { node: Arc::clone(node), began: Instant::now(), _counted };
        (before < node.settings.limits.running_calls).then_some(running)
    }

    fn end(&self, is_ok: bool) {
        self.node.metrics.served.record(is_ok, self.began.elapsed());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.node.running_calls.fetch_sub(1, Ordering::Relaxed);
    }
}

fn end_reason(outcome: Result<Vec<u8>, Raise>, answer_to: Option<&Bytes>) -> Bytes {
    let Some(reference) = answer_to else {
        return match outcome {
            Ok(_) => reason("normal"),
            Err(raise) => {
                let mut out = Vec::new();
                encode::term(&mut out, &raise.exit_reason());
                out.into()
            }
        };
    };
    let value_len = outcome.as_ref().map_or(64, Vec::len);
    let mut out = Vec::with_capacity(reference.len() + value_len + 16);
    match outcome {
        Ok(value) => {
            encode::tuple_header(&mut out, 3);
            out.extend_from_slice(reference);
            encode::atom_str(&mut out, "return");
            out.extend_from_slice(&value);
        }
        Err(raise) => {
            encode::tuple_header(&mut out, if raise.kind == crate::functions::Kind::Error { 4 } else { 3 });
            out.extend_from_slice(reference);
            raise.write_erpc(&mut out);
        }
    }
    out.into()
}

/// Reads what is to be run. The arguments of the function itself stay encoded.
fn job(request: &SpawnRequest, payload: &Bytes) -> Result<Job, DecodeError> {
    let wanted = (request.module.as_str(), request.function.as_str());
    let mut decoder = Decoder::new(payload);
    match wanted {
        ("erpc", "execute_call") if request.arity == 4 => {
            elements(&mut decoder, 4)?;
            let answer_to = Some(decoder.skip()?);
            let function = FunctionName { module: decoder.atom()?, function: decoder.atom()? };
            Ok(Job { function, arguments: decoder.skip()?, answer_to })
        }
        ("erpc", "execute_cast") if request.arity == 3 => {
            elements(&mut decoder, 3)?;
            let function = FunctionName { module: decoder.atom()?, function: decoder.atom()? };
            Ok(Job { function, arguments: decoder.skip()?, answer_to: None })
        }
        ("erlang", "apply") if request.arity == 3 => {
            elements(&mut decoder, 3)?;
            let function = FunctionName { module: decoder.atom()?, function: decoder.atom()? };
            Ok(Job { function, arguments: decoder.skip()?, answer_to: None })
        }
        // Code of a peer is not run: its fun finds no `erlang:apply/2` in the table.
        _ => {
            let function = FunctionName { module: request.module.clone(), function: request.function.clone() };
            Ok(Job { function, arguments: payload.clone(), answer_to: None })
        }
    }
}

fn elements(decoder: &mut Decoder<'_>, wanted: usize) -> Result<(), DecodeError> {
    if decoder.peek_tag()? == tag::LIST && decoder.list_header()? == wanted {
        return Ok(());
    }
    Err(DecodeError::Invalid { what: "argument list", at: decoder.position() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_term::{Term, atom};

    #[test]
    fn an_answer_begins_with_the_callers_reference() {
        let mut reference = Vec::new();
        encode::term(&mut reference, &Term::atom("ref"));
        let mut value = Vec::new();
        encode::atom_str(&mut value, "world");
        let reason = end_reason(Ok(value), Some(&reference.clone().into()));
        assert_eq!(Decoder::new(&reason).term().unwrap().to_string(), "{:ref, :return, :world}");
        let reason = end_reason(Err(Raise::error(atom("oops"))), Some(&reference.into()));
        assert_eq!(Decoder::new(&reason).term().unwrap().to_string(), "{:ref, :error, :oops, []}");
    }
}
