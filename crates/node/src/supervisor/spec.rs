//! What a supervisor knows of a child: how it is started, when again, and how it is stopped.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use beamline_term::{Pid, Term, atom};

use super::{Supervisor, run};
use crate::gen_server::{GenServer, StartServer, StartServerError, is_orderly};
use crate::process::{Code, Process, Tie};

type Started = Pin<Box<dyn Future<Output = Result<Pid, Term>> + Send>>;

/// When a child that has ended is started again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Restart {
    /// Always.
    #[default]
    Permanent,
    /// If it failed: its reason is none of `normal`, `shutdown` and `{shutdown, _}`.
    Transient,
    /// Never. The supervisor forgets it.
    Temporary,
}

/// How a child is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// At once, by `kill`.
    BrutalKill,
    /// By `shutdown`, and by `kill` if it has not ended in that time. (A process that does not trap exits ends at once.)
    Timeout(Duration),
    /// By `shutdown`, however long it takes. For supervisors.
    Infinity,
}

/// What a supervisor knows of a child.
#[derive(Clone)]
pub struct ChildSpec {
    pub(super) id: String,
    pub(super) restart: Restart,
    pub(super) shutdown: Shutdown,
    pub(super) is_supervisor: bool,
    start: Arc<dyn Fn(&Process) -> Started + Send + Sync>,
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ChildSpec { id, restart, shutdown, .. } = self;
        f.debug_struct("ChildSpec").field("id", id).field("restart", restart).field("shutdown", shutdown).finish()
    }
}

impl ChildSpec {
    fn new(id: String, start: impl Fn(&Process) -> Started + Send + Sync + 'static) -> ChildSpec {
        let shutdown = Shutdown::Timeout(Duration::from_secs(5));
        ChildSpec { id, restart: Restart::Permanent, shutdown, is_supervisor: false, start: Arc::new(start) }
    }

    /// A process that runs this closure, anew each time it is started. Permanent, 5 s to stop.
    pub fn process<F, Fut>(id: impl Into<String>, run: F) -> ChildSpec
    where
        F: Fn(Process) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let run = Arc::new(run);
        ChildSpec::new(id.into(), move |parent| {
            let run = Arc::clone(&run);
            let (pid, _) = parent.node.spawn_process(&parent.cell, Tie::Link, Code::of::<F>(), move |me| run(me));
            Box::pin(async move { Ok(pid) })
        })
    }

    /// A server whose state this closure makes, anew each time. The next child starts when its `init` is done.
    pub fn server<S: GenServer>(id: impl Into<String>, state: impl Fn() -> S + Send + Sync + 'static) -> ChildSpec {
        ChildSpec::new(id.into(), move |parent| Box::pin(server(parent.start_server(state()))))
    }

    /// The same, registered under the child's id.
    pub fn named_server<S: GenServer>(
        name: impl Into<String>,
        state: impl Fn() -> S + Send + Sync + 'static,
    ) -> ChildSpec {
        let name = name.into();
        ChildSpec::new(name.clone(), move |parent| Box::pin(server(parent.start_server(state()).name(name.clone()))))
    }

    /// When it is started again; [`Restart::Permanent`] unless set.
    pub fn restart(mut self, restart: Restart) -> ChildSpec {
        self.restart = restart;
        self
    }

    /// How it is stopped.
    pub fn shutdown(mut self, shutdown: Shutdown) -> ChildSpec {
        self.shutdown = shutdown;
        self
    }

    pub(super) async fn start(&self, parent: &Process) -> Result<Pid, Term> {
        let starting = (self.start)(parent);
        starting.await
    }

    /// Whether a child that ended for this reason is started again.
    pub(super) fn is_restarted_after(&self, reason: &Term) -> bool {
        match self.restart {
            Restart::Permanent => true,
            Restart::Transient => !is_orderly(reason),
            Restart::Temporary => false,
        }
    }
}

async fn server<S: GenServer>(starting: StartServer<S>) -> Result<Pid, Term> {
    match starting.await {
        Ok(server) => server.pid().cloned().ok_or_else(|| Term::atom("undefined")),
        Err(StartServerError::Init { reason }) => Err(reason),
        Err(error) => Err((atom("badarg"), error.to_string()).into()),
    }
}

/// A supervisor as a child.
pub(super) fn supervisor(id: String, supervisor: Supervisor) -> ChildSpec {
    let mut spec = ChildSpec::new(id, move |parent| {
        let (node, own, supervisor) = (Arc::clone(&parent.node), Arc::clone(&parent.cell), supervisor.clone());
        Box::pin(async move {
            let started = run::start(&node, &own, Tie::Link, supervisor).await;
            started.map(|handle| handle.pid().clone()).map_err(|error| (atom("shutdown"), error.to_string()).into())
        })
    });
    (spec.is_supervisor, spec.shutdown) = (true, Shutdown::Infinity);
    spec
}
