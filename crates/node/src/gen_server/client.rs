//! Starting servers, and talking with them.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use beamline_term::codec::encode;
use beamline_term::{Pid, Term, atom};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::{GenServer, run};
use crate::call::Call;
use crate::destination::Destination;
use crate::error::SendError;
use crate::node::{Inner, Node};
use crate::process::{Cell, Code, Down, NameTaken, Process, Tie, encoded};

/// A server of any node, by pid or name. Cheap to clone; dropping it does not stop the server.
pub struct Server<S> {
    node: Arc<Inner>,
    to: Destination,
    server: PhantomData<fn() -> S>,
}

impl<S> Clone for Server<S> {
    fn clone(&self) -> Server<S> {
        Server { node: Arc::clone(&self.node), to: self.to.clone(), server: PhantomData }
    }
}

impl<S> std::fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({:?})", self.to)
    }
}

impl<S: GenServer> Server<S> {
    /// Its pid, unless it is known by name only.
    pub fn pid(&self) -> Option<&Pid> {
        match &self.to {
            Destination::Pid(pid) => Some(pid),
            _ => None,
        }
    }

    /// Calls it: sends a request and waits for the answer, 5 s unless a [`timeout`](Call::timeout) is set.
    pub fn call(&self, request: &S::Call) -> Call<S::Reply>
    where
        S::Call: Serialize,
        S::Reply: DeserializeOwned + 'static,
    {
        Call::to(&self.node, self.to.clone(), request)
    }

    /// Casts: sends a request that is not answered.
    ///
    /// # Errors
    /// It could not be sent.
    pub async fn cast(&self, request: &S::Cast) -> Result<(), SendError>
    where
        S::Cast: Serialize,
    {
        self.node.send_from(&self.node.caller_cell, self.to.clone(), cast_message(request)?.into()).await
    }

    /// Stops it with this reason, and waits until it has ended. Gives the reason with which it did.
    pub async fn stop(&self, reason: impl Into<Term>) -> Option<Down> {
        let (tell, told) = oneshot::channel();
        let (to, reason) = (self.to.clone(), reason.into());
        self.node.spawn_process(&self.node.caller_cell, Tie::None, Code::service("stop"), move |mut me| async move {
            let monitor = me.monitor(to.clone());
            let from: Term = (me.pid().clone(), monitor.clone()).into();
            let message: Term = (atom("system"), from, Term::from((atom("terminate"), reason))).into();
            me.node.send_now(&me.cell, &to, encoded(&message), true);
            if let Some(down) = me.receive_down(&monitor).await {
                // Who asked may have given up.
                let _ = tell.send(down);
            }
        });
        told.await.ok()
    }
}

/// `{'$gen_cast', Request}`
fn cast_message(request: &impl Serialize) -> Result<Bytes, beamline_term::serde::Error> {
    let mut out = Vec::new();
    encode::tuple_header(&mut out, 2);
    encode::atom_str(&mut out, "$gen_cast");
    beamline_term::serde::write(request, &mut out)?;
    Ok(out.into())
}

/// Why a server did not start. Nothing is left behind.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StartServerError {
    /// It could not have its name.
    #[error(transparent)]
    Name(#[from] NameTaken),
    /// Its `init` stopped, or failed.
    #[error("the server stopped in its init: {reason}")]
    Init {
        /// The reason.
        reason: Term,
    },
}

/// A server that has not been started: `.await` it, or give it a [`name`](StartServer::name) first.
#[must_use = "a server is not started until this is awaited"]
pub struct StartServer<S> {
    node: Arc<Inner>,
    parent: Arc<Cell>,
    tie: Tie,
    state: S,
    name: Option<String>,
}

impl<S> std::fmt::Debug for StartServer<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StartServer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Node {
    /// Starts a server, as `GenServer.start`.
    pub fn start_server<S: GenServer>(&self, state: S) -> StartServer<S> {
        let (node, parent) = (Arc::clone(self.inner()), Arc::clone(&self.inner().caller_cell));
        StartServer { node, parent, tie: Tie::None, state, name: None }
    }

    /// A server that runs already, here or on another node.
    ///
    /// ```no_run
    /// # use beamline_node::{GenServer, Node, Server};
    /// # fn example<Counter: GenServer>(node: Node, peer: beamline_proto::NodeName) {
    /// let counter: Server<Counter> = node.server(("counter", &peer));
    /// # }
    /// ```
    pub fn server<S: GenServer>(&self, server: impl Into<Destination>) -> Server<S> {
        Server { node: Arc::clone(self.inner()), to: server.into(), server: PhantomData }
    }
}

impl Process {
    /// Starts a server that is linked with this process, as `GenServer.start_link`.
    pub fn start_server<S: GenServer>(&self, state: S) -> StartServer<S> {
        let (node, parent) = (Arc::clone(&self.node), Arc::clone(&self.cell));
        StartServer { node, parent, tie: Tie::Link, state, name: None }
    }
}

impl<S> StartServer<S> {
    /// Registers it under this name.
    pub fn name(mut self, name: impl Into<String>) -> StartServer<S> {
        self.name = Some(name.into());
        self
    }
}

impl<S: GenServer> IntoFuture for StartServer<S> {
    type Output = Result<Server<S>, StartServerError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let StartServer { node, parent, tie, state, name } = self;
            let (tell, told) = oneshot::channel();
            let (pid, _) = node.spawn_process(&parent, tie, Code::server::<S>(), move |me| async move {
                if let Some(name) = name
                    && let Err(error) = me.register(name)
                {
                    // Who starts it is told, and its link with a reason that is none: nothing has begun.
                    let _ = tell.send(Err(error.into()));
                    return;
                }
                let begun = |outcome: Result<(), Term>| {
                    let _ = tell.send(outcome.map_err(|reason| StartServerError::Init { reason }));
                };
                run::run(state, me, begun).await;
            });
            match told.await {
                Ok(Ok(())) => Ok(Server { node, to: Destination::Pid(pid), server: PhantomData }),
                Ok(Err(error)) => Err(error),
                // It panicked, or was ended, before it had begun.
                Err(_) => Err(StartServerError::Init { reason: Term::atom("killed") }),
            }
        })
    }
}
