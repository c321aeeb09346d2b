//! What is asked of a node, from the request to the answer.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ::serde::de::DeserializeOwned;
use beamline_proto::NodeName;
use beamline_proto::control::{Caller, Signal, Target};
use beamline_term::Pid;
use beamline_term::codec::Decoder;
use beamline_term::serde::{self, Error};
use bytes::Bytes;
use tokio::time::Instant;

use super::Outcome;
use super::server::{AskHere, ServerCall};
use crate::connection::{Closed, Connection, Unsent};
use crate::erpc::{self, Answer};
use crate::error::CallError;
use crate::functions::{By, FunctionName, Kind};
use crate::metrics::Since;
use crate::node::Inner;
use crate::patience::{Patience, deadline};
use crate::waiting::{OfNode, Place};

/// A request that is not sent.
pub(super) struct Request {
    node: Arc<Inner>,
    pub(super) peer: Peer,
    work: Work,
    body: Result<Vec<u8>, Error>,
    pub(super) timeout: Duration,
    rare: Option<Box<Rare>>,
}

pub(super) enum Work {
    Function(FunctionName),
    Server(Target),
}

/// What few calls say.
#[derive(Default)]
pub(super) struct Rare {
    /// In whose name it is made, if not the node's.
    pub(super) from: Option<Pid>,
    /// For whom it is made, if not for this node itself.
    pub(super) behalf: Option<NodeName>,
    /// Who does its input and output, if anybody.
    pub(super) leader: Option<Pid>,
}

/// Whom a call is to. A connection costs no more to keep than a name, and need not be looked for.
pub(super) enum Peer {
    Connected(Arc<Connection>),
    Named(NodeName),
}

impl Peer {
    pub(super) fn name(&self) -> &NodeName {
        match self {
            Peer::Connected(connection) => &connection.peer.name,
            Peer::Named(name) => name,
        }
    }
}

/// A request for a function that is on its way.
pub(super) struct Sent {
    place: Place<OfNode>,
    peer: Peer,
    began: Instant,
    timeout: Duration,
}

impl Sent {
    pub(super) fn poll_outcome(&mut self, context: &mut Context<'_>) -> Poll<Outcome> {
        std::pin::Pin::new(&mut self.place).poll(context)
    }

    pub(super) fn answer<T: DeserializeOwned>(&self, outcome: Outcome) -> Result<T, CallError> {
        let (node, peer) = (self.place.node(), self.peer.name());
        let answer = match outcome {
            Outcome::Returned(value) => {
                node.metrics.made.record(true, Since(self.began));
                return read(Decoder::of_slice(value.as_bytes()), peer);
            }
            outcome => answer_in(outcome, node, peer, self.place.number(), self.timeout),
        };
        node.metrics.made.record(answer.is_ok(), Since(self.began));
        read(Decoder::new(&answer?), peer)
    }
}

fn read<T: DeserializeOwned>(mut answer: Decoder<'_>, node: &NodeName) -> Result<T, CallError> {
    serde::read(&mut answer).map_err(|source| CallError::Answer { node: node.clone(), source })
}

/// The answer in how a function's call ended.
fn answer_in(
    outcome: Outcome,
    own: &Inner,
    peer: &NodeName,
    number: u64,
    timeout: Duration,
) -> Result<Bytes, CallError> {
    let node = peer.clone();
    let reason = match outcome {
        Outcome::Down(reason) => reason,
        Outcome::Refused(reason) => return Err(CallError::Refused { node, reason }),
        Outcome::Late => return Err(CallError::Timeout { node, after: timeout }),
        Outcome::Returned(_) | Outcome::Reply(_) | Outcome::Lost => return Err(CallError::NodeDown { node }),
    };
    match erpc::read(reason, own.numbers.origin(), own.numbers.words(number)) {
        Ok(Answer::Returned(value)) => Ok(value),
        Ok(Answer::Thrown(value)) => Err(CallError::Thrown { node, value }),
        Ok(Answer::Exited(reason)) => Err(CallError::Exited { node, reason }),
        Ok(Answer::Raised { reason, stack }) => Err(CallError::Raised { node, reason, stack }),
        Err(source) => Err(CallError::Answer { node, source: source.into() }),
    }
}

impl Request {
    pub(super) fn new(node: &Arc<Inner>, peer: &NodeName, work: Work, body: Result<Vec<u8>, Error>) -> Request {
        let timeout = node.settings.limits.call_timeout;
        let peer = match node.slots.get(peer.as_atom()) {
            Some(connection) => Peer::Connected(connection),
            None => Peer::Named(peer.clone()),
        };
        Request { node: Arc::clone(node), peer, work, body, timeout, rare: None }
    }

    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    fn from(&self) -> &Pid {
        self.rare.as_ref().and_then(|rare| rare.from.as_ref()).unwrap_or(&self.node.caller)
    }

    fn leader(&self) -> Option<&Pid> {
        self.rare.as_ref().and_then(|rare| rare.leader.as_ref())
    }

    /// Sends the request, if it is for a function of another node, and nothing but the answer has to be waited for. Who
    /// calls this in a poll with that waker waits for the outcome, as if [`Sent::poll_outcome`] had been called.
    pub(super) fn begin(self, waker: &Waker) -> Result<Sent, Box<Request>> {
        let began = Instant::now();
        match self.try_begin(began, waker) {
            Some(number) => {
                let Request { node, peer, timeout, .. } = self;
                Ok(Sent { place: Place::kept(OfNode(node), number), peer, began, timeout })
            }
            None => Err(Box::new(self)),
        }
    }

    fn try_begin(&self, began: Instant, waker: &Waker) -> Option<u64> {
        let (Work::Function(function), Peer::Connected(connection), Ok(arguments), None) =
            (&self.work, &self.peer, &self.body, &self.rare)
        else {
            return None;
        };
        // A shorter time needs a timer.
        let (node, until) = (&*self.node, deadline(began, self.timeout)?);
        let place = Place::of_call(node, connection, until, waker.clone());
        let call = node.calls.call(node.numbers.words(place.number()));
        let write = |out: &mut Vec<u8>| call.write(out, &function.module, &function.function, arguments);
        connection.try_deliver(&call, arguments.len() + HEAD, write)?;
        Some(place.leave())
    }

    /// The whole call, whatever it has to wait for.
    pub(super) async fn run<T: DeserializeOwned>(mut self) -> Result<T, CallError> {
        let body = std::mem::replace(&mut self.body, Ok(Vec::new())).map_err(CallError::Arguments)?;
        let patience = Patience::new(self.timeout);
        let answer = {
            let work = Box::pin(self.work(body.into(), &patience));
            patience.bound(work).await.unwrap_or_else(|| Err(self.late()))
        };
        self.node.metrics.made.record(answer.is_ok(), patience.since());
        read(Decoder::new(&answer?), self.peer.name())
    }

    async fn work(&self, body: Bytes, patience: &Patience) -> Result<Bytes, CallError> {
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
        let behalf = self.rare.as_ref().and_then(|rare| rare.behalf.as_ref());
        let caller = behalf.map_or(own, NodeName::as_atom);
        let by = By { node: caller, group_leader: &|| self.leader().cloned(), process: None };
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
        let leader = self.leader().unwrap_or(&node.caller);
        let caller = Caller::new(self.from().clone(), leader.clone());
        let call = caller.call(node.numbers.words(place.number()));
        let mut payload = Vec::with_capacity(arguments.len() + HEAD);
        call.write(&mut payload, &function.module, &function.function, &arguments);
        let sent = connection.deliver(&call.to_control(), &Bytes::from(payload).into()).await;
        sent.map_err(|unsent| self.unsent(unsent))?;
        patience.hand_over();
        let outcome = (&mut place).await;
        answer_in(outcome, node, self.peer.name(), place.number(), self.timeout)
    }

    /// The connection, with nothing of the caller waiting before this.
    async fn connection(&self) -> Result<Arc<Connection>, CallError> {
        if let Some(from) = self.rare.as_ref().and_then(|rare| rare.from.as_ref())
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
        let call = AskHere { node: &self.node, server, from: self.from(), until: patience.deadline() };
        patience.hand_over();
        call.ask(request, self.timeout).await
    }
}

/// What the list of arguments for `erpc:execute_call/4` takes beside the function's own, unless names are long.
const HEAD: usize = 128;
