//! Servers in the manner of OTP's `gen_server`: a state, and what it does on calls, casts and other messages.
//!
//! Any process of any node can call them, `GenServer.call` and `GenServer.cast` of Elixir among them. Answers go to the alias
//! in the caller's tag if there is one, and give the tag back as it came: `[alias | Ref]`, `[[alias | Ref] | Term]`,
//! `{Ref, Node}` and plain references alike. System messages (`:sys.get_state`, `:sys.suspend`, ...) are answered.

mod caller;
mod client;
mod multi_call;
mod run;
mod system;

use std::future::{Future, ready};
use std::time::Duration;

use beamline_term::Term;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use caller::Caller;
pub use client::{Server, StartServer, StartServerError};
pub use multi_call::{MultiCall, Replies};
pub(crate) use run::is_orderly;

use crate::process::Process;

/// A server: its state is `self`.
///
/// ```
/// use beamline_node::{Answer, Caller, GenServer, Next, Process};
/// use serde::{Deserialize, Serialize};
///
/// struct Counter(i64);
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(rename_all = "snake_case")]
/// enum Ask {
///     Get, // :get
///     Add(i64), // {:add, number}
/// }
///
/// impl GenServer for Counter {
///     type Call = Ask;
///     type Reply = i64;
///     type Cast = i64;
///     type Info = ();
///
///     async fn call(&mut self, request: Ask, _: Caller<i64>, _: &mut Process) -> Answer<i64> {
///         if let Ask::Add(number) = request {
///             self.0 += number;
///         }
///         self.0.into()
///     }
///
///     async fn cast(&mut self, number: i64, _: &mut Process) -> Next {
///         self.0 += number;
///         Next::Wait
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use beamline_node::{Listen, Node};
/// # let node = Node::builder("a@127.0.0.1").cookie("secret").listen(Listen::Off).start().await?;
/// let counter = node.start_server(Counter(0)).name("counter").await?;
/// counter.cast(&1).await?;
/// assert_eq!(counter.call(&Ask::Add(2)).await?, 3);
/// # Ok(())
/// # }
/// ```
///
/// A call that is none of [`Call`](GenServer::Call) is answered with `{:error, {:badarg, why}}`, and other messages that do
/// not fit are logged and dropped: no peer can end a server by what it sends. (OTP's would end with `function_clause`.)
pub trait GenServer: Sized + Send + 'static {
    /// What it is called with. `Term` takes anything.
    type Call: DeserializeOwned + Send;
    /// What calls are answered with.
    type Reply: Serialize + Send;
    /// What it is cast.
    type Cast: DeserializeOwned + Send;
    /// Other messages.
    type Info: DeserializeOwned + Send;

    /// Comes first, in the new process; who starts the server waits for it.
    fn init(&mut self, me: &mut Process) -> impl Future<Output = Next> + Send {
        let _ = me;
        ready(Next::Wait)
    }

    /// A call. To answer it later, keep `caller` and give [`Answer::later`].
    fn call(
        &mut self,
        request: Self::Call,
        caller: Caller<Self::Reply>,
        me: &mut Process,
    ) -> impl Future<Output = Answer<Self::Reply>> + Send;

    /// A cast.
    fn cast(&mut self, request: Self::Cast, me: &mut Process) -> impl Future<Output = Next> + Send {
        let _ = (request, me);
        ready(Next::Wait)
    }

    /// Any other message: of timers, of monitors, of `send`.
    fn info(&mut self, message: Self::Info, me: &mut Process) -> impl Future<Output = Next> + Send {
        let _ = (message, me);
        ready(Next::Wait)
    }

    /// No message came within [`Next::Timeout`].
    fn timeout(&mut self, me: &mut Process) -> impl Future<Output = Next> + Send {
        let _ = me;
        ready(Next::Wait)
    }

    /// What [`Next::Continue`] asked for, before the next message.
    fn resume(&mut self, what: Term, me: &mut Process) -> impl Future<Output = Next> + Send {
        let _ = (what, me);
        ready(Next::Wait)
    }

    /// The server stops by itself, or its parent ends and it traps exits. Others end it without this.
    fn terminate(&mut self, reason: &Term, me: &mut Process) -> impl Future<Output = ()> + Send {
        let _ = (reason, me);
        ready(())
    }

    /// The state that `:sys.get_state` of other nodes is shown; `None`, unless told otherwise, keeps it private.
    fn state(&self) -> Option<Term> {
        None
    }
}

/// What a server does next.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Next {
    /// Waits for the next message.
    #[default]
    Wait,
    /// The same, and does [`GenServer::timeout`] if none comes for so long.
    Timeout(Duration),
    /// Does [`GenServer::resume`] with this.
    Continue(Term),
    /// Stops, with this reason. `normal` and `shutdown` are no failures.
    Stop(Term),
}

impl Next {
    /// Stops as a server does whose work is done.
    pub fn stop() -> Next {
        Next::Stop(Term::atom("normal"))
    }
}

/// The answer to a call, if it is known now, and what comes next. A value turns into its answer: `value.into()`.
#[derive(Debug)]
pub struct Answer<R> {
    reply: Option<R>,
    next: Next,
}

impl<R> From<R> for Answer<R> {
    fn from(reply: R) -> Answer<R> {
        Answer { reply: Some(reply), next: Next::Wait }
    }
}

impl<R> Answer<R> {
    /// This answer.
    pub fn now(reply: R) -> Answer<R> {
        reply.into()
    }

    /// None yet: [`Caller::reply`] gives it.
    pub fn later() -> Answer<R> {
        Answer { reply: None, next: Next::Wait }
    }

    /// What comes after it.
    pub fn then(mut self, next: Next) -> Answer<R> {
        self.next = next;
        self
    }
}
