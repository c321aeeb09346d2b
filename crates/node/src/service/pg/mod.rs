//! `pg`: groups of processes over all nodes that run the same scope.
//!
//! The rules are `beamline_proto::pg`; [`shell`] is the process of one scope, registered under its name, that feeds them and
//! carries out what they ask for. Look-ups read a table that the shell keeps and take no lock.

mod shell;
mod watch;

use std::sync::Arc;

use beamline_proto::NodeName;
use beamline_proto::pg::Members;
use beamline_term::{Atom, Pid, Term, atom};
use tokio::sync::{mpsc, oneshot};

use crate::node::{Inner, Node};

pub use watch::{Change, GroupWatch};

/// What a scope hears of, beside the messages of others.
enum Input {
    NodeUp(NodeName),
    Join(Term, Vec<Pid>, oneshot::Sender<bool>),
    Leave(Term, Vec<Pid>, oneshot::Sender<bool>),
}

/// What others know of a scope: where to tell it things, and its table.
struct Shared {
    inputs: mpsc::UnboundedSender<Input>,
    groups: papaya::HashMap<Term, Members>,
    changed: tokio::sync::watch::Sender<()>,
}

/// The scopes that run on a node.
#[derive(Default)]
pub(crate) struct Scopes(papaya::HashMap<Atom, Arc<Shared>>);

impl Scopes {
    /// A node is connected. A visible node looks for scopes on visible nodes, as OTP does; nobody looks for those of a
    /// hidden one, so it looks everywhere itself.
    pub(crate) fn node_up(&self, node: &NodeName, hidden: bool, we_are_hidden: bool) {
        if hidden && !we_are_hidden {
            return;
        }
        for scope in self.0.pin().values() {
            // Nobody listens once the node stops.
            let _ = scope.inputs.send(Input::NodeUp(node.clone()));
        }
    }
}

/// Why a scope was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PgError {
    /// A process has the name, and is no scope.
    #[error("the scope {scope} cannot run: its name belongs to the process {pid:?}; choose another")]
    Taken {
        /// The scope's name.
        scope: Atom,
        /// Who has it.
        pid: Pid,
    },
}

impl Node {
    /// The scope of this name, started if need be; `"pg"` is the default one of OTP. All nodes that run a scope of one name
    /// know its groups.
    ///
    /// # Errors
    /// The name belongs to another process of this node.
    pub fn pg(&self, scope: impl Into<PgName>) -> Result<Pg, PgError> {
        let name = scope.into().0;
        let node = Arc::clone(self.inner());
        if let Some(shared) = node.scopes.0.pin().get(&name) {
            return Ok(Pg { node: Arc::clone(&node), shared: Arc::clone(shared) });
        }
        let (inputs, receiver) = mpsc::unbounded_channel();
        let changed = tokio::sync::watch::Sender::new(());
        let shared = Arc::new(Shared { inputs, groups: papaya::HashMap::new(), changed });
        // The registered name decides between two that start it at once.
        match shell::start(&node, &name, Arc::clone(&shared), receiver) {
            Ok(()) => Ok(Pg { node, shared }),
            Err(pid) => match node.scopes.0.pin().get(&name) {
                Some(shared) => Ok(Pg { node: Arc::clone(&node), shared: Arc::clone(shared) }),
                None => Err(PgError::Taken { scope: name, pid }),
            },
        }
    }
}

/// The name of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgName(Atom);

impl From<&'static str> for PgName {
    fn from(name: &'static str) -> PgName {
        PgName(Atom::from_static(name))
    }
}

impl From<Atom> for PgName {
    fn from(name: Atom) -> PgName {
        PgName(name)
    }
}

impl Default for PgName {
    fn default() -> PgName {
        PgName(atom("pg"))
    }
}

/// A scope of process groups, as OTP's `pg`.
///
/// There is no lock and no vote: each node says which of its own processes are in a group, and all others believe it. So a
/// join costs one message to each node, and after a partition everybody is right again as soon as the connections are back.
///
/// A hidden node can take part too. It finds scopes when it connects; one that a BEAM node starts later finds it only when
/// the two connect again.
///
/// ```no_run
/// # async fn example(node: beamline_node::Node) -> Result<(), Box<dyn std::error::Error>> {
/// let worker = node.spawn(|mut me| async move { while me.receive().await.is_some() {} });
/// let pg = node.pg("pg")?;
/// pg.join("workers", &[worker]).await;
/// for pid in pg.members(&"workers".into()).iter() {
///     node.send(pid, &"to work").await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Pg {
    node: Arc<Inner>,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Pg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pg").field("node", &self.node.name).field("groups", &self.shared.groups.len()).finish()
    }
}

impl Pg {
    /// Lets processes of this node join a group; each leaves when it ends. A process may join several times, and then is a
    /// member as often. Processes of other nodes are left out.
    pub async fn join(&self, group: impl Into<Term>, pids: &[Pid]) {
        let (group, pids) = (group.into(), pids.to_vec());
        self.ask(|tell| Input::Join(group, pids, tell)).await;
    }

    /// Lets processes of this node leave a group, once each. False if none of them was in it.
    pub async fn leave(&self, group: impl Into<Term>, pids: &[Pid]) -> bool {
        let (group, pids) = (group.into(), pids.to_vec());
        self.ask(|tell| Input::Leave(group, pids, tell)).await
    }

    /// The members of a group on all nodes, those of this node apart.
    pub fn members(&self, group: &Term) -> Members {
        self.shared.groups.pin().get(group).cloned().unwrap_or_default()
    }

    /// All groups that have members, in no particular order.
    pub fn groups(&self) -> Vec<Term> {
        self.shared.groups.pin().keys().cloned().collect()
    }

    /// All groups with members on this node.
    pub fn local_groups(&self) -> Vec<Term> {
        let groups = self.shared.groups.pin();
        groups.iter().filter(|(_, members)| !members.local().is_empty()).map(|(group, _)| group.clone()).collect()
    }

    /// Watches a group: its members now, and from then on who joins and leaves. Changes that come faster than they are read
    /// are summed up, so that whoever adds them up is always right.
    pub fn watch(&self, group: impl Into<Term>) -> (Members, GroupWatch) {
        GroupWatch::new(self.clone(), group.into())
    }

    async fn ask(&self, input: impl FnOnce(oneshot::Sender<bool>) -> Input) -> bool {
        let (tell, answer) = oneshot::channel();
        let _ = self.shared.inputs.send(input(tell));
        answer.await.unwrap_or(false)
    }
}
