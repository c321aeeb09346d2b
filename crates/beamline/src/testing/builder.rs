//! What a cluster under test is to be.

use std::fmt;
use std::time::Duration;

use beamline_node::{Epmd, Listen, Node, NodeBuilder};
use beamline_proto::NodeName;

use super::cluster::LocalCluster;
use super::error::{BoxError, Error};
use super::member::{Member, Recipe};
use super::network::{Network, OUTSIDE};
use super::program::Program;
use super::started::{Start, Started};

/// How long a node may take from its start until it answers, and a program from SIGTERM to its end.
const PATIENCE: Duration = Duration::from_secs(30);

/// The host of every name.
const HOST: &str = "127.0.0.1";

/// A cluster of several groups of nodes that does not run yet; see [`LocalCluster::builder`].
#[must_use = "a cluster does nothing until it is started"]
pub struct Builder {
    groups: Vec<Group>,
    discovery: bool,
    patience: Duration,
}

struct Group {
    base: String,
    count: usize,
    recipe: Recipe,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.groups.iter().map(|group| (&group.base, group.count));
        f.debug_struct("Builder").field("groups", &groups.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

impl Builder {
    pub(super) fn new() -> Builder {
        Builder { groups: Vec::new(), discovery: true, patience: PATIENCE }
    }

    /// So many nodes in this process, called `BASE1@127.0.0.1` and on. `start` gets a builder that has the name, the cookie and
    /// the epmd, and gives the node, or the node and what shall live with it. It is called again when a node is started again.
    ///
    /// ```
    /// use beamline::node::NodeBuilder;
    /// use beamline::prelude::*;
    /// use beamline::testing::LocalCluster;
    ///
    /// let hello = || Module::new("Elixir.AppA").function("hello", || async { Ok(atom("world")) });
    /// let start = move |builder: NodeBuilder| builder.module(hello()).start();
    /// let builder = LocalCluster::builder().nodes("app_a", 3, start);
    /// ```
    pub fn nodes<F, Fut, S, E>(mut self, base: &str, count: usize, start: F) -> Builder
    where
        F: Fn(NodeBuilder) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, E>> + Send + 'static,
        S: Into<Started>,
        E: Into<BoxError>,
    {
        self.groups.push(Group { base: base.to_owned(), count, recipe: Recipe::Node(Start::new(start)) });
        self
    }

    /// So many child processes, whose nodes are called `BASE1@127.0.0.1` and on.
    pub fn programs(mut self, base: &str, count: usize, program: Program) -> Builder {
        self.groups.push(Group { base: base.to_owned(), count, recipe: Recipe::Program(program) });
        self
    }

    /// Whether the kit lets nodes find each other: those of this process run the strategy `local_epmd`, and programs are told to by
    /// `LIBCLUSTER_STRATEGY`. If not, connecting is the matter of the nodes or of the test. Default true.
    pub fn discovery(mut self, discovery: bool) -> Builder {
        self.discovery = discovery;
        self
    }

    /// How long a node may take from its start until it answers, and a program from SIGTERM to its end. Default 30 s.
    pub fn patience(mut self, patience: Duration) -> Builder {
        self.patience = patience;
        self
    }

    /// Starts all nodes at once and waits until each answers calls; not until they are connected, for which there is
    /// [`LocalCluster::wait_until_connected`].
    ///
    /// # Errors
    /// One does not start. None is left then.
    pub async fn start(self) -> Result<LocalCluster, Error> {
        let network = Network::new().await.map_err(Error::Listen)?;
        let cookie = format!("{:032x}", rand::random::<u128>());
        let outside = outside(&network, &cookie).await?;
        let mut members: Vec<Member> = Vec::new();
        for group in self.groups {
            for number in 1..=group.count {
                let name = name(&group.base, number)?;
                if members.iter().any(|member| member.name == name) {
                    return Err(Error::SameName(name));
                }
                let place = network.add(Some((&name).into())).await.map_err(Error::Listen)?;
                members.push(Member::new(name, number, place, group.recipe.clone()));
            }
        }
        let cluster = LocalCluster::new(members, network, outside, cookie, self.discovery, self.patience);
        cluster.start_all().await?;
        Ok(cluster)
    }
}

fn name(base: &str, number: usize) -> Result<NodeName, Error> {
    let name = format!("{base}{number}@{HOST}");
    name.parse().map_err(|source| Error::Name { name, source })
}

/// The hidden node that calls from outside. It ticks often, so that nodes with a short `net_ticktime` keep it.
async fn outside(network: &Network, cookie: &str) -> Result<Node, Error> {
    let epmd = Epmd::External(([127, 0, 0, 1], network.epmd_port(OUTSIDE)).into());
    let name = format!("outside_{:016x}@{HOST}", rand::random::<u64>());
    let builder = Node::builder(name).cookie(cookie).epmd(epmd).listen(Listen::Off).net_tickintensity(240);
    builder.start().await.map_err(Error::Outside)
}
