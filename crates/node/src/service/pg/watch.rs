//! Watching a group: the difference between what was seen last and what is.

use std::collections::HashMap;

use beamline_proto::pg::Members;
use beamline_term::{Pid, Term};
use tokio::sync::watch;

use super::Pg;

/// How a group has changed since the last look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Who has joined, each as often as it did.
    pub joined: Vec<Pid>,
    /// Who has left.
    pub left: Vec<Pid>,
}

/// The changes of one group, as they happen. Costs nothing while nobody looks, and never falls behind.
pub struct GroupWatch {
    scope: Pg,
    group: Term,
    seen: Members,
    changed: watch::Receiver<()>,
}

impl std::fmt::Debug for GroupWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupWatch").field("group", &self.group).finish_non_exhaustive()
    }
}

impl GroupWatch {
    pub(super) fn new(scope: Pg, group: Term) -> (Members, GroupWatch) {
        let changed = scope.shared.changed.subscribe();
        let seen = scope.members(&group);
        (seen.clone(), GroupWatch { scope, group, seen, changed })
    }

    /// Waits until the group is not as it was at the last look. `None` when the node has stopped.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            let now = self.scope.members(&self.group);
            if now != self.seen {
                let change = difference(&self.seen, &now);
                self.seen = now;
                if change != Change::default() {
                    return Some(change);
                }
            }
            let stopped = self.scope.shared.inputs.closed();
            tokio::select! {
                changed = self.changed.changed() => changed.ok()?,
                () = stopped => return None,
            }
        }
    }
}

fn difference(before: &Members, now: &Members) -> Change {
    let mut counts: HashMap<&Pid, i64> = HashMap::new();
    now.iter().for_each(|pid| *counts.entry(pid).or_default() += 1);
    before.iter().for_each(|pid| *counts.entry(pid).or_default() -= 1);
    let mut change = Change::default();
    for (pid, count) in counts {
        let side = if count > 0 { &mut change.joined } else { &mut change.left };
        side.extend(std::iter::repeat_n(pid.clone(), count.unsigned_abs() as usize));
    }
    change.joined.sort();
    change.left.sort();
    change
}
