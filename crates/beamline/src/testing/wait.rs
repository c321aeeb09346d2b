//! Waiting for what nodes do in their own time, with a deadline.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use beamline_node::CallError;
use beamline_proto::NodeName;
use beamline_term::Atom;
use tokio::time::{Instant, sleep, timeout_at};

use super::cluster::LocalCluster;
use super::error::Error;
use super::member::Member;
use super::which::Which;

/// Between two looks.
pub(super) const PAUSE: Duration = Duration::from_millis(20);

/// How long a node may take to answer one look.
const LOOK: Duration = Duration::from_secs(2);

impl LocalCluster {
    /// Looks again and again until the answer is `Ok`, and gives it. A look that hangs ends at the deadline too.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use beamline::testing::{Error, LocalCluster};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Error> {
    /// let cluster = LocalCluster::start("app_a", 2).await?;
    /// cluster
    ///     .wait_for("app_a1 has a peer", Duration::from_secs(20), async || {
    ///         let peers: Vec<String> = cluster.call(0, ("erlang", "nodes"), ()).await.map_err(|error| error.to_string())?;
    ///         if peers.is_empty() { Err("none yet".to_owned()) } else { Ok(peers) }
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Deadline`], with `what` was waited for and the last `Err` of a look.
    pub async fn wait_for<T, E: Display>(
        &self,
        what: &str,
        deadline: Duration,
        mut look: impl AsyncFnMut() -> Result<T, E>,
    ) -> Result<T, Error> {
        let end = Instant::now() + deadline;
        let mut last = None;
        loop {
            match timeout_at(end, look()).await {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(seen)) => last = Some(seen.to_string()),
                Err(_) => {}
            }
            if Instant::now() >= end {
                let last = last.unwrap_or_else(|| "nothing, since the first look did not end".to_owned());
                return Err(self.trouble(Error::Deadline { what: what.to_owned(), after: deadline, last }));
            }
            sleep(PAUSE).await;
        }
    }

    /// Waits until each node that runs and is not paused lists exactly the others that do, as by `Node.list()`.
    ///
    /// # Errors
    /// [`Error::Deadline`], with what each node listed last where that differs.
    pub async fn wait_until_connected(&self, deadline: Duration) -> Result<(), Error> {
        let what = "every node that runs lists all others";
        self.wait_for(what, deadline, async || {
            let awake: Vec<&Member> = self.members.iter().filter(|member| member.is_awake()).collect();
            let mut faults = Vec::new();
            for member in &awake {
                let others = awake.iter().map(|other| &other.name).filter(|name| **name != member.name);
                faults.extend(self.fault(member, &others.cloned().collect()).await);
            }
            if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
        })
        .await
    }

    /// Waits until a node lists exactly these others of the cluster.
    ///
    /// # Errors
    /// There is no such node; or [`Error::Deadline`], with what it listed last.
    pub async fn wait_until_lists<W: Into<Which>>(
        &self,
        which: impl Into<Which>,
        others: impl IntoIterator<Item = W>,
        deadline: Duration,
    ) -> Result<(), Error> {
        let member = self.member(which)?;
        let others = others.into_iter().map(|other| self.name(other)).collect::<Result<BTreeSet<_>, _>>()?;
        let what = format!("{} lists {}", member.name, shown(&others));
        self.wait_for(&what, deadline, async || match self.fault(member, &others).await {
            None => Ok(()),
            Some(fault) => Err(fault),
        })
        .await
    }

    /// The visible nodes that a node is connected with, as it tells by `erlang:nodes/0`, in order.
    ///
    /// # Errors
    /// There is no such node, or it gives no answer.
    pub async fn list(&self, which: impl Into<Which>) -> Result<Vec<NodeName>, Error> {
        let listed = self.listed(self.member(which)?).await.map_err(|error| self.trouble(error.into()))?;
        Ok(listed.into_iter().collect())
    }

    async fn listed(&self, member: &Member) -> Result<BTreeSet<NodeName>, CallError> {
        let nodes: Vec<Atom> = self.outside.call(&member.name, ("erlang", "nodes"), ()).timeout(LOOK).await?;
        Ok(nodes.iter().filter_map(|node| NodeName::from_atom(node).ok()).collect())
    }

    /// How what it lists differs.
    async fn fault(&self, member: &Member, wanted: &BTreeSet<NodeName>) -> Option<String> {
        match self.listed(member).await {
            Ok(listed) if listed == *wanted => None,
            Ok(listed) => Some(format!("{} lists {}", member.name, shown(&listed))),
            Err(error) => Some(format!("{} does not say whom it lists: {error}", member.name)),
        }
    }
}

fn shown(nodes: &BTreeSet<NodeName>) -> String {
    let names: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}
