//! The cluster under test: calling its nodes, and what may happen to them.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use beamline_node::{FunctionName, Node, NodeBuilder};
use beamline_proto::NodeName;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::builder::Builder;
use super::error::Error;
use super::life::FLUSH;
use super::member::{Body, Member};
use super::network::{Network, OUTSIDE};
use super::program::Program;
use super::which::Which;

/// Nodes of this host that are a cluster for the time of a test; see the [module](super) for what can be done with them.
///
/// Dropping it ends them all, also when the test panics.
pub struct LocalCluster {
    pub(super) members: Vec<Member>,
    pub(super) outside: Node,
    pub(super) network: Network,
    pub(super) cookie: String,
    pub(super) discovery: bool,
    pub(super) patience: Duration,
    /// Whether an error was given.
    troubled: AtomicBool,
}

impl fmt::Debug for LocalCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCluster").field("nodes", &self.names()).finish_non_exhaustive()
    }
}

impl LocalCluster {
    pub(super) fn new(
        members: Vec<Member>,
        network: Network,
        outside: Node,
        cookie: String,
        discovery: bool,
        patience: Duration,
    ) -> LocalCluster {
        LocalCluster { members, outside, network, cookie, discovery, patience, troubled: AtomicBool::new(false) }
    }

    /// So many plain nodes in this process, `BASE1@127.0.0.1` and on, that find each other. For nodes that can do
    /// something there is [`Builder::nodes`].
    ///
    /// # Errors
    /// One does not start.
    pub async fn start(base: &str, count: usize) -> Result<LocalCluster, Error> {
        let plain = |builder: NodeBuilder| builder.start();
        LocalCluster::builder().nodes(base, count, plain).start().await
    }

    /// So many child processes of a program: a path, or the name of a binary that cargo has built. The nodes have
    /// its name: `app_a1@127.0.0.1` and on. For arguments and more than one program there is [`Builder::programs`].
    ///
    /// # Errors
    /// One does not start, or ends.
    pub async fn programs(program: impl Into<PathBuf>, count: usize) -> Result<LocalCluster, Error> {
        let program = Program::new(program);
        LocalCluster::builder().programs(&program.stem(), count, program).start().await
    }

    /// A cluster of several groups.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The names of all nodes in order, also of those that do not run.
    pub fn names(&self) -> Vec<NodeName> {
        self.members.iter().map(|member| member.name.clone()).collect()
    }

    /// The name of a node.
    ///
    /// # Errors
    /// There is none such.
    pub fn name(&self, which: impl Into<Which>) -> Result<NodeName, Error> {
        self.member(which).map(|member| member.name.clone())
    }

    /// The cookie, made for this cluster alone.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// The port of an epmd that knows all nodes, for tools: `ERL_EPMD_PORT=.. beamline nodes app_a1@127.0.0.1`.
    pub fn epmd_port(&self) -> u16 {
        self.network.epmd_port(OUTSIDE)
    }

    /// The hidden node of the test, from which [`call`](Self::call) calls. No partition keeps it from a node.
    pub fn outside(&self) -> &Node {
        &self.outside
    }

    /// A node of this process.
    ///
    /// # Errors
    /// It does not run, or is a program.
    pub fn node(&self, which: impl Into<Which>) -> Result<Node, Error> {
        let member = self.member(which)?;
        let runs = member.life().is_some();
        let none = if runs { Error::NotInProcess } else { Error::NotRunning };
        member.node().ok_or_else(|| self.trouble(none(member.name.clone())))
    }

    /// What a program has written to stdout and stderr so far, the last 256 KiB at least; nothing of a node in this process.
    ///
    /// # Errors
    /// There is no such node.
    pub fn output(&self, which: impl Into<Which>) -> Result<String, Error> {
        Ok(self.member(which)?.output.text())
    }

    /// Calls a function on a node from outside, as `:rpc.call` from a visitor's shell, and waits for the answer for 5 s;
    /// [`outside`](Self::outside) has more.
    ///
    /// ```
    /// # use beamline::testing::{Error, LocalCluster};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Error> {
    /// let cluster = LocalCluster::start("app_a", 1).await?;
    /// let alive: bool = cluster.call("app_a1", ("erlang", "is_alive"), ()).await?;
    /// assert!(alive);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// There is no such node, or the call gives no answer of the type.
    pub async fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        which: impl Into<Which>,
        function: impl Into<FunctionName>,
        arguments: impl Serialize,
    ) -> Result<T, Error> {
        let member = self.member(which)?;
        self.outside.call(&member.name, function, arguments).await.map_err(|error| self.trouble(error.into()))
    }

    /// Parts the nodes of the one side from those of the other: their connections are closed and new ones fail, until they
    /// are [healed](Self::heal). The nodes of a side still have each other.
    ///
    /// Both ends notice at once; for a silence, of which nodes learn by `net_ticktime`, [pause](Self::pause) one.
    ///
    /// # Errors
    /// There is no such node.
    pub fn partition<A: Into<Which>, B: Into<Which>>(
        &self,
        one: impl IntoIterator<Item = A>,
        other: impl IntoIterator<Item = B>,
    ) -> Result<(), Error> {
        self.cut(one, other, true)
    }

    /// Takes back a partition between these nodes. Who connects them again is the nodes' discovery, with its own pauses.
    ///
    /// # Errors
    /// There is no such node.
    pub fn heal<A: Into<Which>, B: Into<Which>>(
        &self,
        one: impl IntoIterator<Item = A>,
        other: impl IntoIterator<Item = B>,
    ) -> Result<(), Error> {
        self.cut(one, other, false)
    }

    /// Takes back all partitions.
    pub fn heal_all(&self) {
        self.network.heal();
    }

    fn cut<A: Into<Which>, B: Into<Which>>(
        &self,
        one: impl IntoIterator<Item = A>,
        other: impl IntoIterator<Item = B>,
        cut: bool,
    ) -> Result<(), Error> {
        let one = one.into_iter().map(|which| self.member(which)).collect::<Result<Vec<_>, _>>()?;
        let other = other.into_iter().map(|which| self.member(which)).collect::<Result<Vec<_>, _>>()?;
        let pairs = one.iter().flat_map(|a| other.iter().map(move |b| (a.place, b.place)));
        pairs.filter(|(a, b)| a != b).for_each(|(a, b)| self.network.cut(a, b, cut));
        Ok(())
    }

    pub(super) fn member(&self, which: impl Into<Which>) -> Result<&Member, Error> {
        let which = which.into();
        let mut members = self.members.iter().enumerate();
        let found = members.find(|(index, member)| which.is(*index, &member.name));
        found
            .map(|(_, member)| member)
            .ok_or_else(|| self.trouble(Error::NoNode { wanted: which.to_string(), there: self.names() }))
    }

    /// Remembers that there was an error.
    pub(super) fn trouble(&self, error: Error) -> Error {
        self.troubled.store(true, Ordering::Relaxed);
        error
    }
}

impl Drop for LocalCluster {
    fn drop(&mut self) {
        let show = thread::panicking() || self.troubled.load(Ordering::Relaxed);
        for member in &self.members {
            let life = member.life().take();
            let is_program = matches!(&life, Some(life) if matches!(life.body, Body::Program(_)));
            drop(life);
            if show && is_program {
                member.output.settle(FLUSH);
            }
            let output = member.output.text();
            if show && (is_program || !output.is_empty()) {
                eprintln!("---- {} wrote:\n{output}", member.name);
            }
        }
    }
}
