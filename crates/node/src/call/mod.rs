//! Calling functions and servers on other nodes.

mod arguments;
mod request;
mod server;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::serde::Serialize;
use ::serde::de::DeserializeOwned;
use beamline_proto::NodeName;
use beamline_proto::control::Target;
use beamline_term::serde;
use beamline_term::{Atom, Pid};
use bytes::Bytes;

pub(crate) use self::arguments::argument_list;
use self::request::{Request, Sent, Work};
pub(crate) use self::server::ServerCall;
use crate::destination::Destination;
use crate::erpc::Short;
use crate::error::CallError;
use crate::functions::FunctionName;
use crate::node::Inner;

/// How a call ended, undecoded.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// What the function returned, if whoever waits [knows](crate::waiting::Place::of_call) this form.
    Returned(Short),
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
pub struct Call<T>(State<T>);

enum State<T> {
    New(Request),
    /// Only the answer is waited for.
    Sent(Sent),
    /// What has to wait for more than that is rarer, and larger.
    Running(Pin<Box<dyn Future<Output = Result<T, CallError>> + Send>>),
    Over,
}

impl<T> std::fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut call = f.debug_struct("Call");
        if let State::New(request) = &self.0 {
            call.field("peer", request.peer.name()).field("timeout", &request.timeout);
        }
        call.finish_non_exhaustive()
    }
}

impl<T> Call<T> {
    pub(crate) fn function(
        node: &Arc<Inner>,
        peer: &NodeName,
        function: FunctionName,
        arguments: &impl Serialize,
    ) -> Call<T> {
        Call::new(Request::new(node, peer, Work::Function(function), argument_list(arguments)))
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
        Call::new(Request::new(node, peer, Work::Server(server), body))
    }

    fn new(request: Request) -> Call<T> {
        Call(State::New(request))
    }

    /// Changes what is asked, as long as it is not.
    fn with(mut self, change: impl FnOnce(&mut Request)) -> Call<T> {
        if let State::New(request) = &mut self.0 {
            change(request);
        }
        self
    }

    /// Calls functions of this node as if that node did: what [`Access`](crate::Access) denies it is denied here. Calls of
    /// other nodes are made in the name of this one all the same.
    pub fn on_behalf_of(self, node: &NodeName) -> Call<T> {
        self.with(|request| request.rare().behalf = Some(node.clone()))
    }

    /// Makes that process the group leader of what serves the call: it gets, as requests of the Erlang I/O protocol, what the
    /// function prints and asks. Without one, what a function prints goes nowhere.
    pub fn led_by(self, leader: &Pid) -> Call<T> {
        self.with(|request| request.rare().leader = Some(leader.clone()))
    }

    /// In whose name it is made: the node's, unless this says another.
    pub(crate) fn in_name_of(self, from: Pid) -> Call<T> {
        self.with(|request| request.rare().from = Some(from))
    }

    /// How long to wait for the answer, the connection included. Default 5 s, as in OTP, unless the node has
    /// [another](crate::Limits::call_timeout). Of a second and more, its end may be noticed 25 ms late.
    pub fn timeout(self, timeout: Duration) -> Call<T> {
        self.with(|request| request.timeout = timeout)
    }
}

impl<T: DeserializeOwned + Send + 'static> Future for Call<T> {
    type Output = Result<T, CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let state = &mut self.0;
        let answer = match state {
            State::New(_) => {
                let State::New(request) = std::mem::replace(state, State::Over) else { return Poll::Pending };
                match request.begin(context.waker()) {
                    Ok(sent) => {
                        *state = State::Sent(sent);
                        return Poll::Pending;
                    }
                    Err(request) => {
                        *state = State::Running(Box::pin((*request).run()));
                        return self.poll(context);
                    }
                }
            }
            State::Sent(sent) => {
                let outcome = ready!(sent.poll_outcome(context));
                sent.answer(outcome)
            }
            State::Running(run) => ready!(run.as_mut().poll(context)),
            State::Over => unreachable!("a call is polled after its answer"),
        };
        *state = State::Over;
        Poll::Ready(answer)
    }
}
