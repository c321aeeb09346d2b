//! How busy a node's schedulers are. Only the node itself can count that, and only while it is told to: `observer_backend`
//! there has a process for it, which runs while somebody looks.

use std::sync::{Arc, Mutex, PoisonError};

use beamline_node::{Node, NodeName, Process};
use beamline_term::{Term, atom};
use tokio::sync::oneshot;

/// Between two of its messages, in milliseconds.
const EVERY: u32 = 1000;

/// The node's process ends with this.
#[derive(Debug)]
pub(super) struct Load {
    latest: Arc<Mutex<Option<f32>>>,
    _stop: oneshot::Sender<()>,
}

impl Load {
    /// Begins to count. A node that cannot gives no figures, and that is all.
    pub(super) fn follow(node: &Node, peer: &NodeName, schedulers: u64) -> Load {
        let latest = Arc::new(Mutex::new(None));
        let (stop, stopped) = oneshot::channel();
        let (peer, told) = (peer.clone(), Arc::clone(&latest));
        node.spawn(move |me| follow(me, peer, schedulers, told, stopped));
        Load { latest, _stop: stop }
    }

    /// Of all schedulers in the last second, 0 to 1.
    pub(super) fn latest(&self) -> Option<f32> {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn follow(
    mut me: Process,
    peer: NodeName,
    schedulers: u64,
    latest: Arc<Mutex<Option<f32>>>,
    mut stopped: oneshot::Receiver<()>,
) {
    me.set_mailbox_limit(4 << 20);
    // It ends with us, if this node dies; if it ends first, there is nothing to follow.
    me.trap_exit(true);
    let arguments = (me.pid().clone(), EVERY);
    let Ok(counter) = me.spawn_link_on(&peer, ("observer_backend", "fetch_stats"), arguments).await else { return };
    let set = |value| *latest.lock().unwrap_or_else(PoisonError::into_inner) = value;
    let mut before = None;
    loop {
        let message = tokio::select! {
            message = me.receive() => message,
            _ = &mut stopped => break,
        };
        let Some(message) = message.filter(|message| message.as_exit().is_none()) else { break };
        let Ok(message) = message.term() else { continue };
        let now = times(&message, schedulers);
        if let Some(value) = before.zip(now).and_then(|(before, now)| share(before, now)) {
            set(Some(value));
        }
        before = now.or(before);
    }
    set(None);
    // Any message ends it.
    let _ = me.send(&counter.pid, &atom("stop")).await;
}

/// Of `{stats, 1, [{Id, Active, Total}], _, _}` the sums of the normal schedulers.
fn times(message: &Term, schedulers: u64) -> Option<(u64, u64)> {
    let [tag, _, list, _, _] = message.as_tuple()? else { return None };
    if !tag.is_atom("stats") {
        return None;
    }
    let (mut active, mut total) = (0_u64, 0_u64);
    for scheduler in list.as_list()?.iter() {
        let [id, busy, all] = scheduler.as_tuple()? else { return None };
        if id.as_u64()? <= schedulers {
            active = active.saturating_add(busy.as_u64()?);
            total = total.saturating_add(all.as_u64()?);
        }
    }
    Some((active, total))
}

fn share(before: (u64, u64), now: (u64, u64)) -> Option<f32> {
    let (active, total) = (now.0.checked_sub(before.0)?, now.1.checked_sub(before.1)?);
    (total > 0).then(|| (active as f64 / total as f64).min(1.0) as f32)
}

#[cfg(test)]
mod tests {
    use beamline_term::term;

    use super::*;

    #[test]
    fn the_share_of_the_normal_schedulers() {
        let stats = |active: u64| {
            let list = Term::list([(1, active, 100 * active).into(), (2, 0, 0).into(), (3, 999, 999).into()]);
            Term::tuple([atom("stats").into(), 1.into(), list, Term::nil(), Term::nil()])
        };
        let (before, now) = (times(&stats(1), 2).unwrap(), times(&stats(3), 2).unwrap());
        assert_eq!(share(before, now), Some(0.01));
        assert_eq!(share(now, before), None);
        assert_eq!(times(&term!({:stats, 1, :junk, 0, 0}), 2), None);
    }
}
