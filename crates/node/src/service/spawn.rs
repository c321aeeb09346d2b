//! Spawn requests: how peers call functions. `erpc:execute_call/4` answers through the reason with which its process ends;
//! any other function of the table runs for its effect.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use beamline_proto::control::{Control, Down, Signal, SpawnRequest, Started};
use beamline_proto::ties::Watcher;
use beamline_term::codec::{Decoder, encode, tag};
use beamline_term::{Atom, DecodeError, Pid, Reference};
use bytes::{Buf, Bytes};

use crate::connection::Connection;
use crate::functions::{Answer, By, Exported, FunctionName, Kind, Pace, Raise};
use crate::metrics::Counted;
use crate::node::Inner;
use crate::process::{Birth, Cell, Line, Tie, panic_reason, reason};
use crate::remote_spawn::Spawned;

/// What a spawned process does.
struct Job {
    function: FunctionName,
    arguments: Bytes,
    /// The encoded reference that the answer begins with, if one is wanted.
    answer_to: Option<Bytes>,
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
    let Ok(job) = job(&request, payload) else { return refuse("badarg") };
    let Some(running) = Running::begin(node, now) else { return refuse("system_limit") };
    let SpawnRequest { reference, from, group_leader, options, .. } = *request;
    let requester = Requester { linked: options.link, monitored: options.monitor, reference, pid: from };
    let pid = node.numbers.pid();
    let flags = u8::from(requester.linked) | u8::from(requester.monitored) << 1;
    let started = Started { reference: &requester.reference, to: &requester.pid, flags, pid: &pid };
    let _ = connection.send(&started, |_| {});
    let caller = By { node: connection.peer.name.as_atom(), group_leader: Some(&group_leader), process: Some(&pid) };
    let mut begun = node.functions.start(job.function, job.arguments, caller, node.name.as_atom());
    let quick = begun.function.as_deref().and_then(Exported::pace).filter(|pace| pace.is_quick());
    let (end, done) = match quick {
        Some(pace) => at_once(&mut begun.answer, pace, &running, job.answer_to.as_ref()),
        None => (None, None),
    };
    if let Some(end) = &end
        && requester.tell_end(connection, &pid, end)
    {
        return done;
    }
    // It is a process that others can see, if it has more to do.
    let birth = Birth { parent: requester.pid.clone(), group_leader, code: begun.code() };
    let cell = node.insert_cell(pid, birth);
    requester.tie(&cell, connection);
    let (process, task_node, connection) = (Arc::clone(&cell), Arc::clone(node), Arc::clone(connection));
    node.run(cell, async move {
        let reason = match end {
            Some(end) => end.to_reason(),
            None => {
                let outcome = learning(begun.answer, begun.function).await;
                running.end(running.began.elapsed(), outcome.is_ok());
                End::of(outcome, job.answer_to.as_ref()).to_reason()
            }
        };
        // The answer goes with the end, which cannot wait; so it waits before.
        let room = connection.room_for_answer(reason.len()).await;
        let _promise = room.map(|room| connection.promise(room));
        process.conclude(reason);
        task_node.process_ended(&process, "normal");
    });
    None
}

/// Starts a function of this node as a process, in the name of a process of this node.
pub(crate) fn here(
    node: &Arc<Inner>,
    own: &Arc<Cell>,
    function: FunctionName,
    arguments: Bytes,
    tie: Tie,
) -> Result<Spawned, Atom> {
    let running = Running::begin(node, Instant::now()).ok_or(Atom::from_static("system_limit"))?;
    let (pid, leader) = (node.numbers.pid(), own.group_leader());
    let caller = By { node: node.name.as_atom(), group_leader: Some(&leader), process: Some(&pid) };
    let begun = node.functions.start(function, arguments, caller, node.name.as_atom());
    let cell = node.insert_cell(pid.clone(), Birth::of(own, begun.code()));
    let monitor = match tie {
        Tie::None => None,
        Tie::Link => {
            node.link(own, &pid);
            None
        }
        Tie::Monitor => Some(node.monitor(own, (&pid).into(), None, None)),
    };
    let process = Arc::clone(&cell);
    node.run(cell, async move {
        let outcome = begun.answer.await;
        running.end(running.began.elapsed(), outcome.is_ok());
        process.conclude(End::of(outcome, None).to_reason());
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
    fn tell_end(&self, connection: &Connection, process: &Pid, end: &End) -> bool {
        let down = Down { from: process, to: &self.pid, reference: &self.reference };
        let write = |out: &mut Vec<u8>| end.write(out);
        if self.monitored && !self.linked && connection.try_deliver(&down, end.len(), write).is_some() {
            return true;
        }
        let Some(room) = connection.try_room(end.len()) else { return false };
        let _promise = connection.promise(room);
        let reason = end.to_reason();
        if self.linked {
            let _ = connection.send_bytes(&Control::Exit { from: process.clone(), to: self.pid.clone() }, &reason);
        }
        if self.monitored {
            let _ = connection.send_bytes(&down.to_control(), &reason);
        }
        true
    }
}

/// With what the process of a function ends that does not wait for anything, and when. The function may go on later if it
/// does: nothing that it waits for has been told to wake this task.
fn at_once(
    answer: &mut Answer,
    pace: &Pace,
    running: &Running,
    answer_to: Option<&Bytes>,
) -> (Option<End>, Option<Instant>) {
    let mut context = Context::from_waker(Waker::noop());
    let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(&mut context)));
    // It began when it was counted, a moment ago.
    let now = Instant::now();
    let took = now - running.began;
    pace.learn(took, !matches!(polled, Ok(Poll::Pending)));
    let end = match polled {
        Ok(Poll::Ready(outcome)) => {
            running.end(took, outcome.is_ok());
            Some(End::of(outcome, answer_to))
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

/// Counts a call as running until it is dropped.
struct Running {
    node: Arc<Inner>,
    began: Instant,
    _counted: Counted,
}

impl Running {
    /// `None` if too many run already.
    fn begin(node: &Arc<Inner>, now: Instant) -> Option<Running> {
        // Counted first: what is refused is taken off again when this is dropped.
        let before = node.running_calls.fetch_add(1, Ordering::Relaxed);
        let _counted = Counted::one(&node.metrics.running_calls);
        let running = Running { node: Arc::clone(node), began: now, _counted };
        (before < node.settings.limits.running_calls).then_some(running)
    }

    fn end(&self, after: Duration, is_ok: bool) {
        self.node.metrics.served.record(is_ok, after);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.node.running_calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// With what reason the process of a function ends.
enum End {
    /// `{Reference, return, Value}`, of these two encoded terms.
    Answer(Bytes, Vec<u8>),
    Reason(Bytes),
}

impl End {
    fn of(outcome: Result<Vec<u8>, Raise>, answer_to: Option<&Bytes>) -> End {
        let raise = match (outcome, answer_to) {
            (Ok(value), Some(reference)) => return End::Answer(reference.clone(), value),
            (Ok(_), None) => return End::Reason(reason("normal")),
            (Err(raise), _) => raise,
        };
        let mut out = Vec::new();
        match answer_to {
            Some(reference) => {
                encode::tuple_header(&mut out, if raise.kind == Kind::Error { 4 } else { 3 });
                out.extend_from_slice(reference);
                raise.write_erpc(&mut out);
            }
            None => encode::term(&mut out, &raise.exit_reason()),
        }
        End::Reason(out.into())
    }

    /// How many bytes the reason has.
    fn len(&self) -> usize {
        match self {
            End::Answer(reference, value) => HEAD.len() + reference.len() + RETURN.len() + value.len(),
            End::Reason(reason) => reason.len(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            End::Answer(reference, value) => {
                out.extend_from_slice(&HEAD);
                out.extend_from_slice(reference);
                out.extend_from_slice(&RETURN);
                out.extend_from_slice(value);
            }
            End::Reason(reason) => out.extend_from_slice(reason),
        }
    }

    fn to_reason(&self) -> Bytes {
        match self {
            End::Reason(reason) => reason.clone(),
            End::Answer(..) => {
                let mut out = Vec::with_capacity(self.len());
                self.write(&mut out);
                out.into()
            }
        }
    }
}

/// A tuple of three.
const HEAD: [u8; 2] = [tag::SMALL_TUPLE, 3];
/// The atom `return`.
const RETURN: [u8; 8] = [tag::SMALL_ATOM_UTF8, 6, b'r', b'e', b't', b'u', b'r', b'n'];

/// Reads what is to be run. The arguments of the function itself stay encoded.
fn job(request: &SpawnRequest, mut payload: Bytes) -> Result<Job, DecodeError> {
    let is =
        |module, function, arity| request.arity == arity && request.module == module && request.function == function;
    let mut decoder = Decoder::new(&payload);
    let answer_to = if is("erpc", "execute_call", 4) {
        elements(&mut decoder, 4)?;
        Some(decoder.skip()?)
    } else if is("erpc", "execute_cast", 3) || is("erlang", "apply", 3) {
        elements(&mut decoder, 3)?;
        None
    } else {
        // Code of a peer is not run: its fun finds no `erlang:apply/2` in the table.
        let function = FunctionName { module: request.module.clone(), function: request.function.clone() };
        return Ok(Job { function, arguments: payload, answer_to: None });
    };
    let function = FunctionName { module: decoder.atom()?, function: decoder.atom()? };
    // They are the last element; behind them is the end of the list.
    let start = decoder.position();
    payload.advance(start);
    match payload.split_last() {
        Some((&tag::NIL, arguments)) => payload.truncate(arguments.len()),
        _ => return Err(DecodeError::Invalid { what: "argument list", at: start }),
    }
    Ok(Job { function, arguments: payload, answer_to })
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
        let reason = End::of(Ok(value), Some(&reference.clone().into())).to_reason();
        assert_eq!(Decoder::new(&reason).term().unwrap().to_string(), "{:ref, :return, :world}");
        let reason = End::of(Err(Raise::error(atom("oops"))), Some(&reference.into())).to_reason();
        assert_eq!(Decoder::new(&reason).term().unwrap().to_string(), "{:ref, :error, :oops, []}");
    }
}
