//! Calls whose functions run under a group leader of the caller's choice: what they print goes there. So they do by
//! `Call::led_by` of the node, but that knows no pid of what serves it, and so leaves it running when nobody waits any more;
//! here a process of its own starts it, and ends it when somebody at a prompt gives up.

use beamline_node::{AliasKind, CallError, Down, FunctionName, Node, Process, Spawned};
use beamline_proto::NodeName;
use beamline_term::{Pid, Reference, Term, atom};
use tokio::sync::oneshot;

/// Calls a function of another node, as `:erpc.call` without a deadline, in a process there whose group leader is `leader`.
/// Dropping the future ends that process.
///
/// # Errors
/// As those of [`Node::call`].
pub async fn led_call(
    node: &Node,
    peer: &NodeName,
    leader: &Pid,
    function: impl Into<FunctionName>,
    arguments: Vec<Term>,
) -> Result<Term, CallError> {
    let (tell, told) = oneshot::channel();
    let call = Led { peer: peer.clone(), leader: leader.clone(), function: function.into(), arguments };
    node.spawn(move |me| call.run(me, tell));
    told.await.map_err(|_| CallError::NodeDown { node: peer.clone() })?
}

struct Led {
    peer: NodeName,
    leader: Pid,
    function: FunctionName,
    arguments: Vec<Term>,
}

impl Led {
    async fn run(self, mut me: Process, mut tell: oneshot::Sender<Result<Term, CallError>>) {
        me.set_group_leader(&self.leader, &me.pid().clone());
        let alias = me.alias(AliasKind::Explicit);
        let FunctionName { module, function } = self.function;
        let list = (alias.clone(), module, function, Term::list(self.arguments));
        let result = match me.spawn_monitor_on(&self.peer, ("erpc", "execute_call"), list).await {
            Ok(Spawned { pid, monitor: Some(monitor), .. }) => tokio::select! {
                down = me.receive_down(&monitor) => answer(&self.peer, &alias, down),
                () = tell.closed() => {
                    me.send_exit(&pid, atom("kill"));
                    return;
                }
            },
            Ok(_) => Err(CallError::NodeDown { node: self.peer }),
            Err(error) => Err(error),
        };
        // Who has given up in this moment takes no answer.
        let _ = tell.send(result);
    }
}

/// The answer in the reason with which the process ended.
fn answer(peer: &NodeName, alias: &Reference, down: Option<Down>) -> Result<Term, CallError> {
    let node = peer.clone();
    let Some(down) = down.filter(|down| !down.reason.is_atom("noconnection")) else {
        return Err(CallError::NodeDown { node });
    };
    match down.reason.as_tuple() {
        Some([Term::Reference(to), kind, rest @ ..]) if to == alias => {
            match (kind.as_atom().map(|kind| kind.as_str()), rest) {
                (Some("return"), [value]) => Ok(value.clone()),
                (Some("throw"), [value]) => Err(CallError::Thrown { node, value: value.clone() }),
                (Some("error"), [reason, stack]) => {
                    Err(CallError::Raised { node, reason: reason.clone(), stack: stack.clone() })
                }
                (_, [reason, ..]) => Err(CallError::Exited { node, reason: reason.clone() }),
                _ => Err(CallError::Exited { node, reason: down.reason }),
            }
        }
        _ => Err(CallError::Exited { node, reason: down.reason }),
    }
}
