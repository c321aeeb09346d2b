//! Spawn requests: how peers call functions. `erpc:execute_call/4` answers through the reason with which its process ends;
//! any other function of the table runs for its effect.

mod end;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use beamline_proto::control::{Control, ControlError, Down, Execute, Signal, SpawnRequest, Started};
use beamline_proto::ties::Watcher;
use beamline_term::codec::{Decoder, tag};
use beamline_term::{Atom, DecodeError, Pid, Reference};
use bytes::{Buf, Bytes};

use self::end::End;
use super::running::Running;
use crate::connection::Connection;
use crate::functions::{Answer, Begun, By, Exported, FunctionName, Named, Raise};
use crate::node::Inner;
use crate::process::{Birth, Cell, Line, Tie, panic_reason, reason};
use crate::remote_spawn::Spawned;

/// What a spawned process does.
struct Job {
    function: FunctionName,
    arguments: Bytes,
    /// What the answer begins with, encoded, if one is wanted.
    tag: Option<Bytes>,
}

/// A function that has begun, for a process that nobody knows yet.
struct Task {
    pid: Pid,
    begun: Begun,
    began: Instant,
    tag: Option<Bytes>,
    /// The reason of its end, if it is over.
    reason: Option<Bytes>,
}

/// Starts the process that is asked for, and says so. Called by the reader, which hands on nothing else meanwhile. It is
/// `now`; gives when a function was done that ran at once.
pub(crate) fn request(
    node: &Arc<Inner>,
    connection: &Arc<Connection>,
    request: Box<SpawnRequest>,
    payload: Bytes,
    now: Instant,
) -> Option<Instant> {
    let refuse = |reason: &'static str| {
        let (reference, to) = (request.reference.clone(), request.from.clone());
        let reply = Control::SpawnReply { reference, to, flags: 0, result: Err(Atom::from_static(reason)) };
        let _ = connection.send(&reply, |_| {});
        None
    };
    let Ok(Job { function, arguments, tag }) = job(&request, payload) else { return refuse("badarg") };
    if !Running::is_allowed(node) {
        return refuse("system_limit");
    }
    let (pid, leader) = (node.numbers.pid(), || Some(request.group_leader.clone()));
    let caller = By { node: connection.peer.name.as_atom(), group_leader: &leader, process: Some(&pid) };
    let mut begun = node.functions.start((&function).into(), arguments, caller, node.name.as_atom());
    let (end, done) = at_once(node, &mut begun, now, tag.as_deref());
    let reason = end.map(End::into_reason);
    proceed(node, connection, *request, Task { pid, begun, began: now, tag, reason });
    done
}

/// As [`request`], of what almost all of them ask for. A function that is done at once needs no more than is read of it.
pub(crate) fn execute(
    node: &Arc<Inner>,
    connection: &Arc<Connection>,
    execute: &Execute,
    now: Instant,
) -> Result<Option<Instant>, ControlError> {
    let Some((module, function)) = execute.name().filter(|_| Running::is_allowed(node)) else {
        let (whole, payload) = execute.whole()?;
        return Ok(request(node, connection, whole, payload, now));
    };
    let (pid, leader) = (node.numbers.pid(), || execute.group_leader());
    let caller = By { node: connection.peer.name.as_atom(), group_leader: &leader, process: Some(&pid) };
    let mut begun = node.functions.start(Named { module, function }, execute.arguments(), caller, node.name.as_atom());
    let (end, done) = at_once(node, &mut begun, now, Some(execute.tag()));
    if let Some(end) = &end
        && connection.try_answer(execute, &pid, end.len(), |out| end.write(out)).is_some()
    {
        return Ok(done);
    }
    let reason = end.map(End::into_reason);
    let tag = Some(Bytes::copy_from_slice(execute.tag()));
    let (whole, _) = execute.whole()?;
    proceed(node, connection, *whole, Task { pid, begun, began: now, tag, reason });
    Ok(done)
}

/// Goes on with a function as a process, which others can see if it has more to do.
fn proceed(node: &Arc<Inner>, connection: &Arc<Connection>, request: SpawnRequest, task: Task) {
    let SpawnRequest { reference, from, group_leader, options, .. } = request;
    let requester = Requester { linked: options.link, monitored: options.monitor, reference, pid: from };
    let Task { pid, begun, began, tag, reason } = task;
    let flags = u8::from(requester.linked) | u8::from(requester.monitored) << 1;
    let started = Started { reference: &requester.reference, to: &requester.pid, flags, pid: &pid };
    let _ = connection.send(&started, |_| {});
    if let Some(reason) = &reason
        && requester.tell_end(connection, &pid, reason)
    {
        return;
    }
    let running = Running::begin(node);
    let birth = Birth { parent: requester.pid.clone(), group_leader, code: begun.code() };
    let cell = node.insert_cell(pid, birth);
    requester.tie(&cell, connection);
    let (process, task_node, connection) = (Arc::clone(&cell), Arc::clone(node), Arc::clone(connection));
    node.run(cell, async move {
        let reason = match reason {
            Some(reason) => reason,
            None => {
                let outcome = learning(begun.answer, begun.function).await;
                task_node.metrics.served.record(outcome.is_ok(), began.elapsed());
                End::of(outcome, tag.as_deref()).into_reason()
            }
        };
        drop(running);
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
    if !Running::is_allowed(node) {
        return Err(Atom::from_static("system_limit"));
    }
    let (running, began) = (Running::begin(node), Instant::now());
    let (pid, leader) = (node.numbers.pid(), own.group_leader());
    let caller = By { node: node.name.as_atom(), group_leader: &|| Some(leader.clone()), process: Some(&pid) };
    let begun = node.functions.start((&function).into(), arguments, caller, node.name.as_atom());
    let cell = node.insert_cell(pid.clone(), Birth::of(own, begun.code()));
    let monitor = node.tie(own, &pid, tie);
    let (process, task_node) = (Arc::clone(&cell), Arc::clone(node));
    node.run(cell, async move {
        let outcome = begun.answer.await;
        task_node.metrics.served.record(outcome.is_ok(), began.elapsed());
        drop(running);
        process.conclude(End::of(outcome, None).into_reason());
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

    /// Tells the end of a process that was over before anybody else could see it, if there is room for that.
    fn tell_end(&self, connection: &Connection, process: &Pid, reason: &Bytes) -> bool {
        let Some(room) = connection.try_room(reason.len()) else { return false };
        let _promise = connection.promise(room);
        if self.linked {
            let _ = connection.send_bytes(&Control::Exit { from: process.clone(), to: self.pid.clone() }, reason);
        }
        if self.monitored {
            let down = Down { from: process, to: &self.pid, reference: &self.reference };
            let _ = connection.send_bytes(&down.to_control(), reason);
        }
        true
    }
}

/// With what the process of a function ends that does not wait for anything, and when, if it is known as quick. The function
/// may go on later if it does: nothing that it waits for has been told to wake this task.
fn at_once<'a>(
    node: &Inner,
    Begun { answer, function }: &mut Begun,
    began: Instant,
    tag: Option<&'a [u8]>,
) -> (Option<End<'a>>, Option<Instant>) {
    let pace = function.as_deref().and_then(Exported::pace).filter(|pace| pace.is_quick());
    let Some(pace) = pace else { return (None, None) };
    let mut context = Context::from_waker(Waker::noop());
    let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(&mut context)));
    let now = Instant::now();
    let took = now - began;
    pace.learn(took, !matches!(polled, Ok(Poll::Pending)));
    let end = match polled {
        Ok(Poll::Ready(outcome)) => {
            node.metrics.served.record(outcome.is_ok(), took);
            Some(End::of(outcome, tag))
        }
        Ok(Poll::Pending) => None,
        // As a task's end by it.
        Err(panic) => Some(End::Reason(panic_reason(panic.as_ref()))),
    };
    (end, Some(now))
}

/// Runs a function, and learns whether it answers at once.
async fn learning(mut answer: Answer, function: Option<Arc<Exported>>) -> Result<Vec<u8>, Raise> {
    let began = Instant::now();
    let mut is_first = true;
    poll_fn(|context| {
        let polled = answer.as_mut().poll(context);
        if std::mem::take(&mut is_first)
            && let Some(pace) = function.as_deref().and_then(Exported::pace)
        {
            pace.learn(began.elapsed(), polled.is_ready());
        }
        polled
    })
    .await
}

/// Reads what is to be run. The arguments of the function itself stay encoded.
fn job(request: &SpawnRequest, mut payload: Bytes) -> Result<Job, DecodeError> {
    let is =
        |module, function, arity| request.arity == arity && request.module == module && request.function == function;
    let mut decoder = Decoder::new(&payload);
    let tag = if is("erpc", "execute_call", 4) {
        elements(&mut decoder, 4)?;
        Some(decoder.skip()?)
    } else if is("erpc", "execute_cast", 3) || is("erlang", "apply", 3) {
        elements(&mut decoder, 3)?;
        None
    } else {
        // Code of a peer is not run: its fun finds no `erlang:apply/2` in the table.
        let function = FunctionName { module: request.module.clone(), function: request.function.clone() };
        return Ok(Job { function, arguments: payload, tag: None });
    };
    let function = FunctionName { module: decoder.atom()?, function: decoder.atom()? };
    // They are the last element; behind them is the end of the list.
    let start = decoder.position();
    payload.advance(start);
    match payload.split_last() {
        Some((&tag::NIL, arguments)) => payload.truncate(arguments.len()),
        _ => return Err(DecodeError::Invalid { what: "argument list", at: start }),
    }
    Ok(Job { function, arguments: payload, tag })
}

fn elements(decoder: &mut Decoder<'_>, wanted: usize) -> Result<(), DecodeError> {
    if decoder.peek_tag()? == tag::LIST && decoder.list_header()? == wanted {
        return Ok(());
    }
    Err(DecodeError::Invalid { what: "argument list", at: decoder.position() })
}
