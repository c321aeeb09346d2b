//! Calling functions and servers on other nodes.

use std::future::{Future, IntoFuture, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use ::serde::Serialize;
use ::serde::de::DeserializeOwned;
use beamline_proto::NodeName;
use beamline_proto::control::{Caller, Control, Signal, Target};
use beamline_term::codec::{Decoder, encode, tag};
use beamline_term::serde::{self, Error};
use beamline_term::{Atom, Pid, Reference, Term};
use bytes::{Buf, Bytes};
use tokio::time::Instant;

use crate::connection::{Closed, Connection, Unsent};
use crate::destination::Destination;
use crate::error::CallError;
use crate::functions::{By, FunctionName, Kind};
use crate::node::Inner;
use crate::patience::Patience;
use crate::waiting::{Place, Waiting};

/// How a call ended, undecoded.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// A message to the call's alias.
    Reply(Bytes),
    /// The process that served it ended, with this reason.
    Down(Bytes),
    /// The process was not started.
    Refused(Atom),
    /// The node is gone.
    Lost,
    /// Its time is over.
    Late,
}

/// A call that has not begun: `.await` it, or set a [`timeout`](Call::timeout) first.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<T> {
    node: Arc<Inner>,
    peer: Peer,
    work: Work,
    body: Result<Vec<u8>, Error>,
    timeout: Duration,
    /// In whose name it is made, if not the node's.
    from: Option<Pid>,
    /// For whom it is made, if not for this node itself.
    behalf: Option<NodeName>,
    /// Who does its input and output, if anybody.
    leader: Option<Pid>,
    answer: PhantomData<fn() -> T>,
}

enum Work {
    Function(FunctionName),
    Server(Target),
}

/// Whom a call is to. A connection costs no more to keep than a name, and need not be looked for.
enum Peer {
    Connected(Arc<Connection>),
    Named(NodeName),
}

impl Peer {
    fn name(&self) -> &NodeName {
        match self {
            Peer::Connected(connection) => &connection.peer.name,
            Peer::Named(name) => name,
        }
    }
}

impl<T> std::fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("peer", self.peer.name()).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl<T> Call<T> {
    pub(crate) fn function(
        node: &Arc<Inner>,
        peer: &NodeName,
        function: FunctionName,
        arguments: &impl Serialize,
    ) -> Call<T> {
        Call::new(node, peer, Work::Function(function), argument_list(arguments))
    }

    /// A call to a server, wherever it is.
    pub(crate) fn to(node: &Arc<Inner>, server: Destination, request: &impl Serialize) -> Call<T> {
        let own = || node.name.clone();
        match server {
            Destination::Pid(pid) => {
                // A pid of a node whose name is none is nobody's, which our own node says best.
                let peer = NodeName::from_atom(pid.node()).unwrap_or_else(|_| own());
                Call::server(node, &peer, Target::Pid(pid), request)
            }
            Destination::Name(name) => Call::server(node, &own(), Target::Name(name), request),
            Destination::Remote(name, peer) => Call::server(node, &peer, Target::Name(name), request),
            Destination::Alias(_) => Call::server(node, &own(), Target::Name(Atom::from_static("")), request),
        }
    }

    pub(crate) fn server(node: &Arc<Inner>, peer: &NodeName, server: Target, request: &impl Serialize) -> Call<T> {
        let mut out = Vec::new();
        let body = serde::write(request, &mut out).map(|()| out);
        Call::new(node, peer, Work::Server(server), body)
    }

    fn new(node: &Arc<Inner>, peer: &NodeName, work: Work, body: Result<Vec<u8>, Error>) -> Call<T> {
        let timeout = node.settings.limits.call_timeout;
        let peer = match node.slots.get(peer.as_atom()) {
            Some(connection) => Peer::Connected(connection),
            None => Peer::Named(peer.clone()),
        };
        let node = Arc::clone(node);
        Call { node, peer, work, body, timeout, from: None, behalf: None, leader: None, answer: PhantomData }
    }

    /// Calls functions of this node as if that node did: what [`Access`](crate::Access) denies it is denied here. Calls of
    /// other nodes are made in the name of this one all the same.
    pub fn on_behalf_of(mut self, node: &NodeName) -> Call<T> {
        self.behalf = Some(node.clone());
        self
    }

    /// Makes that process the group leader of what serves the call: it gets, as requests of the Erlang I/O protocol, what the
    /// function prints and asks. Without one, what a function prints goes nowhere.
    pub fn led_by(mut self, leader: &Pid) -> Call<T> {
        self.leader = Some(leader.clone());
        self
    }

    /// In whose name it is made: the node's, unless this says another.
    pub(crate) fn in_name_of(mut self, from: Pid) -> Call<T> {
        self.from = Some(from);
        self
    }

    fn from(&self) -> &Pid {
        self.from.as_ref().unwrap_or(&self.node.caller)
    }

    /// How long to wait for the answer, the connection included. Default 5 s, as in OTP, unless the node has
    /// [another](crate::Limits::call_timeout). Of a second and more, its end may be noticed 25 ms late.
    pub fn timeout(mut self, timeout: Duration) -> Call<T> {
        self.timeout = timeout;
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> IntoFuture for Call<T> {
    type Output = Result<T, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut call = self;
            let body = std::mem::replace(&mut call.body, Ok(Vec::new())).map_err(CallError::Arguments)?;
            let patience = Patience::new(call.timeout);
            let waker = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
            let answer = match call.begin(&body, &patience, waker) {
                Some(mut place) => {
                    let outcome = patience.bound(&mut place).await.unwrap_or(Outcome::Late);
                    call.answer_in(outcome, place.number())
                }
                // The rarer ways are apart, since this future is as large as the largest thing in it.
                None => {
                    let run = Box::pin(call.run(body.into(), &patience));
                    patience.bound(run).await.unwrap_or_else(|| Err(call.late()))
                }
            };
            call.node.metrics.made.record(answer.is_ok(), patience.since());
            let answer = answer?;
            let wrong = |source| CallError::Answer { node: call.peer.name().clone(), source };
            serde::read(&mut Decoder::new(&answer)).map_err(wrong)
        })
    }
}

impl<T> Call<T> {
    /// Sends the request for a function of another node, if nothing has to be waited for before. The place is polled before
    /// the poll with this waker ends.
    fn begin(&self, arguments: &[u8], patience: &Patience, waker: Waker) -> Option<Place<&Waiting>> {
        let (Work::Function(function), Peer::Connected(connection)) = (&self.work, &self.peer) else { return None };
        if self.from.is_some() || self.leader.is_some() {
            return None;
        }
        let (node, waiting, until) = (&*self.node, &*self.node.waiting, patience.deadline());
        let place = Place::with_waker(waiting, node, Some(connection), until, Some(waker));
        let call = node.calls.call(node.numbers.words(place.number()));
        let write = |out: &mut Vec<u8>| call.write(out, &function.module, &function.function, arguments);
        connection.try_deliver(&call, arguments.len() + HEAD, write)?;
        patience.hand_over();
        Some(place)
    }

    async fn run(&self, body: Bytes, patience: &Patience) -> Result<Bytes, CallError> {
        match &self.work {
            Work::Function(function) if *self.peer.name() == self.node.name => self.here(function, body).await,
            Work::Function(function) => self.there(function, body, patience).await,
            Work::Server(server) if *self.peer.name() == self.node.name => self.ask_here(server, &body, patience).await,
            Work::Server(server) => self.ask(server, body, patience).await,
        }
    }

    async fn here(&self, function: &FunctionName, arguments: Bytes) -> Result<Bytes, CallError> {
        let own = self.node.name.as_atom();
        let node = self.peer.name().clone();
        let caller = self.behalf.as_ref().map_or(own, NodeName::as_atom);
        let by = By { node: caller, group_leader: &|| self.leader.clone(), process: None };
        match self.node.functions.start(function.into(), arguments, by, own).answer.await {
            Ok(value) => Ok(Bytes::from(value)),
            Err(raise) => Err(match raise.kind {
                Kind::Error => CallError::Raised { node, stack: raise.stack(), reason: raise.reason },
                Kind::Throw => CallError::Thrown { node, value: raise.reason },
                Kind::Exit => CallError::Exited { node, reason: raise.reason },
            }),
        }
    }

    async fn there(&self, function: &FunctionName, arguments: Bytes, patience: &Patience) -> Result<Bytes, CallError> {
        let connection = self.connection().await?;
        let node = &*self.node;
        let mut place = Place::new(&*node.waiting, node, Some(&connection), patience.deadline());
        let leader = self.leader.as_ref().unwrap_or(&node.caller);
        let caller = Caller::new(self.from().clone(), leader.clone());
        let call = caller.call(node.numbers.words(place.number()));
        let mut payload = Vec::with_capacity(arguments.len() + HEAD);
        call.write(&mut payload, &function.module, &function.function, &arguments);
        let sent = connection.deliver(&call.to_control(), &payload.into()).await;
        sent.map_err(|unsent| self.unsent(unsent))?;
        patience.hand_over();
        let outcome = (&mut place).await;
        self.answer_in(outcome, place.number())
    }

    /// The answer in how a function's call ended.
    fn answer_in(&self, outcome: Outcome, number: u64) -> Result<Bytes, CallError> {
        match outcome {
            Outcome::Down(reason) => self.answer_of(reason, number),
            Outcome::Refused(reason) => Err(CallError::Refused { node: self.peer.name().clone(), reason }),
            Outcome::Late => Err(self.late()),
            Outcome::Reply(_) | Outcome::Lost => Err(self.lost()),
        }
    }

    /// The connection, with nothing of the caller waiting before this.
    async fn connection(&self) -> Result<Arc<Connection>, CallError> {
        if let Some(from) = &self.from
            && let Some(cell) = self.node.cell(from)
        {
            self.node.turn(&cell, self.peer.name().as_atom()).await;
        }
        Ok(self.node.reach(self.peer.name()).await?)
    }

    fn lost(&self) -> CallError {
        CallError::NodeDown { node: self.peer.name().clone() }
    }

    fn late(&self) -> CallError {
        CallError::Timeout { node: self.peer.name().clone(), after: self.timeout }
    }

    fn unsent(&self, unsent: Unsent) -> CallError {
        match unsent {
            Unsent::Closed => self.lost(),
            Unsent::TooLarge(error) => CallError::Arguments(Error::message(error)),
        }
    }

    /// Takes the answer out of the reason with which the serving process ended.
    fn answer_of(&self, mut reason: Bytes, number: u64) -> Result<Bytes, CallError> {
        let (node, numbers) = (|| self.peer.name().clone(), &self.node.numbers);
        let wrong = |source: beamline_term::DecodeError| CallError::Answer { node: node(), source: source.into() };
        let mut decoder = Decoder::new(&reason);
        let is_answer = decoder.peek_tag().is_ok_and(|tag| tag == tag::SMALL_TUPLE)
            && decoder.tuple_header().is_ok_and(|arity| arity >= 3)
            && decoder.own_reference(numbers.origin()).is_some_and(|words| words == numbers.words(number));
        if !is_answer {
            let reason = Decoder::new(&reason).term().map_err(wrong)?;
            return Err(CallError::Exited { node: node(), reason });
        }
        let kind = decoder.atom().map_err(wrong)?;
        if kind == "return" {
            let start = decoder.position();
            reason.advance(start);
            return Ok(reason);
        }
        let value = decoder.term().map_err(wrong)?;
        Err(match kind.as_str() {
            "throw" => CallError::Thrown { node: node(), value },
            "exit" => CallError::Exited { node: node(), reason: value },
            _ => {
                let stack = decoder.term().unwrap_or_else(|_| Term::nil());
                CallError::Raised { node: node(), reason: value, stack }
            }
        })
    }

    /// A `GenServer` call: a monitor, the request, and an answer to the alias.
    async fn ask(&self, server: &Target, request: Bytes, patience: &Patience) -> Result<Bytes, CallError> {
        let connection = self.connection().await?;
        let room = connection.room(request.len()).await.map_err(|Closed| self.lost())?;
        let promise = connection.promise(room);
        let (from, until) = (self.from().clone(), patience.deadline());
        let call = ServerCall::send(&self.node, Arc::clone(&connection), server, from, &request, until);
        drop(promise);
        patience.hand_over();
        call?.answer(self.timeout).await
    }

    /// The same for a server of this node.
    async fn ask_here(&self, server: &Target, request: &[u8], patience: &Patience) -> Result<Bytes, CallError> {
        let mut place = Place::new(&*self.node.waiting, &self.node, None, patience.deadline());
        patience.hand_over();
        let reference = self.node.numbers.reference_of(place.number());
        if !self.node.watch_here(self.from(), server, &reference) {
            return Err(CallError::Exited { node: self.peer.name().clone(), reason: Term::atom("noproc") });
        }
        let unwatch = UnwatchHere { node: &self.node, server, reference: &reference };
        let mut message = Vec::with_capacity(96 + request.len());
        write_call(&mut message, self.from(), &reference, request);
        let to = match server {
            Target::Pid(pid) => Destination::Pid(pid.clone()),
            Target::Name(name) => Destination::Name(name.clone()),
        };
        self.node.deliver_here(&to, message.into());
        let outcome = (&mut place).await;
        drop(unwatch);
        match outcome {
            Outcome::Reply(payload) => reply_in(&payload, self.peer.name().clone()),
            Outcome::Late => Err(self.late()),
            other => Err(unanswered(other, self.peer.name().clone())),
        }
    }
}

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

/// What the list of arguments for `erpc:execute_call/4` takes beside the function's own, unless names are long.
const HEAD: usize = 128;

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

/// Arguments given as a tuple, a sequence or nothing, as an encoded list.
pub(crate) fn argument_list(arguments: &impl Serialize) -> Result<Vec<u8>, Error> {
    // The head of a list is three bytes longer than that of a small tuple, which is then written over in its place.
    const BEFORE: usize = 3;
    let mut out = Vec::with_capacity(64);
    out.extend_from_slice(&[0; BEFORE]);
    serde::write(arguments, &mut out)?;
    match out.get(BEFORE..) {
        Some([tag::SMALL_TUPLE, 0, ..] | [tag::LARGE_TUPLE, 0, 0, 0, 0, ..]) => return Ok(vec![tag::NIL]),
        Some(&[tag::SMALL_TUPLE, arity, ..]) => {
            out[..BEFORE + 2].copy_from_slice(&[tag::LIST, 0, 0, 0, arity]);
            out.push(tag::NIL);
            return Ok(out);
        }
        Some([tag::LARGE_TUPLE, ..]) => {
            out[BEFORE] = tag::LIST;
            out.push(tag::NIL);
        }
        _ => {}
    }
    out.drain(..BEFORE);
    match out.as_slice() {
        [tag::NIL | tag::LIST | tag::STRING, ..] => Ok(out),
        [tag::SMALL_ATOM_UTF8, 3, b'n', b'i', b'l'] => Ok(vec![tag::NIL]),
        _ => Err(Error::message("arguments are given as a tuple or a list")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_term::atom;

    fn list(arguments: &impl Serialize) -> String {
        Decoder::new(&argument_list(arguments).unwrap().into()).term().unwrap().to_string()
    }

    #[test]
    fn arguments_become_a_list_however_they_are_given() {
        assert_eq!(list(&()), "[]");
        assert_eq!(list(&(1, "two", atom("three"))), "[1, \"two\", :three]");
        assert_eq!(list(&[1000, 2000, 3000]), "[1000, 2000, 3000]");
        assert_eq!(list(&Term::nil()), "[]");
        let many = |number| (0..number).map(|_| Term::from(1000)).collect::<Vec<_>>();
        for number in [0, 1, 255, 256, 1000] {
            let tuple = Bytes::from(argument_list(&Term::tuple(many(number))).unwrap());
            assert_eq!(Decoder::new(&tuple).term(), Ok(Term::list(many(number))), "{number}");
        }
        assert!(argument_list(&5).is_err());
    }
}
