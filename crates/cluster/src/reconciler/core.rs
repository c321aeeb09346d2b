//! What to do about whom: no sockets, no clock, no log. Times are those since the topology's start.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use beamline_proto::NodeName;
use rand::{SeedableRng, rngs::StdRng};

use super::pace::{Budget, FIRST_PAUSE, FOREIGN_PAUSE, jittered, longer};

/// How many dials may run at once.
pub const MAX_DIALS: usize = 64;
/// How many names that somebody said but that never were connected are remembered; beyond that the one said longest ago is
/// forgotten.
pub const MAX_STRANGERS: usize = 1024;
/// For so long a node that was connected is dialed again although nobody says its name any more.
pub const KEEP: Duration = Duration::from_secs(60);
/// A lost connection is made anew after a pause up to this: both sides notice at the same moment, and `global` may still be
/// telling the others of the loss, so that a node that comes back meanwhile is asked to leave again.
const LOST_PAUSE: Duration = Duration::from_millis(600);

/// When nodes that an answer removed are disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pruning {
    /// Whether at all.
    pub(crate) enabled: bool,
    /// How long after the answer.
    pub(crate) grace: Duration,
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Dial(NodeName),
    Disconnect(NodeName),
    /// Tell of a connection that was lost and will be made anew.
    Lost(NodeName),
}

/// Why a dial failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: Arc<str>,
    pub(crate) code: &'static str,
    /// The cookies differ.
    pub(crate) foreign: bool,
}

/// What a failed dial is worth to those who read the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// The first of its kind.
    Fresh,
    /// As the last time.
    Stale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// It is in the last answer.
    Listed,
    /// Somebody said its name, and a dial is owed.
    Said,
    /// Somebody said its name, and it had its dial.
    Heard,
    /// Somebody said its name, and it was connected: it is one of us.
    Met,
    /// An answer removed it: it is disconnected then.
    Leaving { at: Duration },
}

#[derive(Debug)]
pub(super) struct Peer {
    wanted: Wanted,
    /// When it was last said or connected, whichever is later.
    said: Duration,
    pub(super) up: bool,
    /// Whether it is hidden, if that was found out since it came up.
    pub(super) hidden: Option<bool>,
    pub(super) dialing: bool,
    pub(super) due: Duration,
    pause: Duration,
    pub(super) failure: Option<Failure>,
}

impl Peer {
    fn new(wanted: Wanted, now: Duration) -> Self {
        Self {
            wanted,
            said: now,
            up: false,
            hidden: None,
            dialing: false,
            due: now,
            pause: Duration::ZERO,
            failure: None,
        }
    }

    fn is_stranger(&self) -> bool {
        matches!(self.wanted, Wanted::Said | Wanted::Heard) && !self.up
    }

    /// Whether it should be dialed when its time has come.
    pub(super) fn is_owed(&self) -> bool {
        !self.up && matches!(self.wanted, Wanted::Listed | Wanted::Said | Wanted::Met)
    }

    fn set_up(&mut self, now: Duration) {
        (self.up, self.said, self.pause, self.failure) = (true, now, Duration::ZERO, None);
        if matches!(self.wanted, Wanted::Said | Wanted::Heard) {
            self.wanted = Wanted::Met;
        }
    }

    /// When it will be disconnected.
    pub(super) fn leaves_at(&self) -> Option<Duration> {
        if let Wanted::Leaving { at } = self.wanted { Some(at) } else { None }
    }

    pub(super) fn is_listed(&self) -> bool {
        self.wanted == Wanted::Listed
    }
}

/// The state of one topology.
#[derive(Debug)]
pub(crate) struct Core {
    own: NodeName,
    pruning: Pruning,
    pub(super) peers: HashMap<NodeName, Peer>,
    strangers: usize,
    running: usize,
    budget: Budget,
    random: StdRng,
    told_of_foreigners: bool,
}

impl Core {
    pub(crate) fn new(own: NodeName, pruning: Pruning, seed: u64) -> Self {
        Self {
            own,
            pruning,
            peers: HashMap::new(),
            strangers: 0,
            running: 0,
            budget: Budget::new(),
            random: StdRng::seed_from_u64(seed),
            told_of_foreigners: false,
        }
    }

    /// The strategy answered in full: these, and nobody else. Gives those that are new.
    pub(crate) fn answer(&mut self, now: Duration, names: &BTreeSet<NodeName>) -> Vec<NodeName> {
        let mut discovered = Vec::new();
        for name in names.iter().filter(|name| **name != self.own) {
            match self.peers.get_mut(name) {
                Some(peer) => {
                    if matches!(peer.wanted, Wanted::Said | Wanted::Heard) {
                        peer.due = now;
                    }
                    peer.wanted = Wanted::Listed;
                }
                None => {
                    self.peers.insert(name.clone(), Peer::new(Wanted::Listed, now));
                    discovered.push(name.clone());
                }
            }
        }
        let pruning = self.pruning;
        self.peers.retain(|name, peer| {
            if !peer.is_listed() || names.contains(name) {
                return true;
            }
            peer.wanted = Wanted::Leaving { at: now + pruning.grace };
            // A dial that runs ends before its name is forgotten.
            pruning.enabled || peer.dialing
        });
        self.count_strangers();
        discovered
    }

    /// Somebody said this name, perhaps a stranger. True if it is new; see [`Core::act_on`] for what to do about it.
    pub(crate) fn said(&mut self, now: Duration, name: &NodeName, is_connected: bool) -> bool {
        if *name == self.own {
            return false;
        }
        if let Some(peer) = self.peers.get_mut(name) {
            peer.said = now;
            if is_connected && !peer.up {
                peer.set_up(now);
                self.count_strangers();
            } else if peer.wanted == Wanted::Heard && now >= peer.due {
                peer.wanted = Wanted::Said;
            }
            return false;
        }
        // A name that cannot be dialed now is not worth remembering: it will be said again.
        if !is_connected && self.running >= MAX_DIALS {
            return false;
        }
        let mut peer = Peer::new(Wanted::Said, now);
        if is_connected {
            peer.set_up(now);
        } else if self.budget.spend(now) {
            self.make_room();
            self.strangers += 1;
        } else {
            return false;
        }
        self.peers.insert(name.clone(), peer);
        true
    }

    /// What to do about this one name that was just said for the first time, or again.
    pub(crate) fn act_on(&mut self, now: Duration, name: &NodeName, is_new: bool) -> Option<Action> {
        let peer = self.peers.get_mut(name)?;
        let is_due = peer.is_owed() && !peer.dialing && peer.due <= now && self.running < MAX_DIALS;
        // What is new has been paid for.
        if !is_due || !(is_new || self.budget.spend(now)) {
            return None;
        }
        peer.dialing = true;
        self.running += 1;
        Some(Action::Dial(name.clone()))
    }

    /// Looks at everybody: who is due, who came, who went, whose grace is over.
    pub(crate) fn act(
        &mut self,
        now: Duration,
        is_connected: impl Fn(&NodeName) -> bool,
        is_hidden: impl Fn(&NodeName) -> bool,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        let pruning = self.pruning.enabled;
        self.peers.retain(|name, peer| {
            let up = is_connected(name);
            if up && !peer.up {
                peer.set_up(now);
            } else if peer.up && !up {
                (peer.up, peer.hidden) = (false, None);
                peer.due = now + jittered(&mut self.random, LOST_PAUSE);
                peer.said = now;
                if peer.is_owed() {
                    actions.push(Action::Lost(name.clone()));
                }
            }
            if up && peer.hidden.is_none() {
                peer.hidden = Some(is_hidden(name));
            }
            if peer.dialing {
                return true;
            }
            match peer.wanted {
                Wanted::Leaving { .. } if !up || !pruning => return false,
                Wanted::Leaving { at } if at <= now => {
                    actions.push(Action::Disconnect(name.clone()));
                    // Asked again if it is still there.
                    peer.wanted = Wanted::Leaving { at: now + FIRST_PAUSE * 2 };
                }
                Wanted::Met if !up && now >= peer.said + KEEP => return false,
                _ => {}
            }
            if peer.is_owed() && peer.due <= now && self.running < MAX_DIALS && self.budget.spend(now) {
                peer.dialing = true;
                self.running += 1;
                actions.push(Action::Dial(name.clone()));
            }
            true
        });
        self.count_strangers();
        actions
    }

    /// When [`Core::act`] has something to do again, unless something happens before.
    pub(crate) fn next(&self, now: Duration) -> Option<Duration> {
        let of = |peer: &Peer| match peer.wanted {
            _ if peer.dialing => None,
            // At the limits, what is due waits for a dial to end, after which everybody is looked at, or for the budget.
            _ if peer.is_owed() && peer.due <= now && self.running >= MAX_DIALS => None,
            _ if peer.is_owed() && peer.due <= now => Some(self.budget.next().max(now)),
            _ if peer.is_owed() => Some(peer.due),
            Wanted::Leaving { at } => Some(at),
            _ => None,
        };
        self.peers.values().filter_map(of).min()
    }

    /// A dial has ended. `is_connected`: another connection with it may be there though this dial failed.
    pub(crate) fn dialed(
        &mut self,
        now: Duration,
        name: &NodeName,
        result: Result<(), Failure>,
        is_connected: bool,
    ) -> News {
        self.running = self.running.saturating_sub(1);
        let Some(peer) = self.peers.get_mut(name) else { return News::Stale };
        peer.dialing = false;
        let mut news = News::Fresh;
        match result {
            Err(failure) if !is_connected => {
                let is_listed = peer.is_listed();
                peer.pause = if failure.foreign { FOREIGN_PAUSE } else { longer(peer.pause) };
                peer.due = now + jittered(&mut self.random, peer.pause);
                if peer.wanted == Wanted::Said {
                    peer.wanted = Wanted::Heard;
                }
                if peer.failure.as_ref().is_some_and(|last| last.code == failure.code) {
                    news = News::Stale;
                } else if failure.foreign && !is_listed {
                    // A cluster of others that is heard here: one of them stands for all.
                    news = if self.told_of_foreigners { News::Stale } else { News::Fresh };
                    self.told_of_foreigners = true;
                }
                peer.failure = Some(failure);
            }
            _ => peer.set_up(now),
        }
        self.count_strangers();
        news
    }

    /// Whether this node is to stay connected, as far as this topology goes.
    pub(crate) fn wants(&self, name: &NodeName) -> bool {
        self.peers.get(name).is_some_and(|peer| !matches!(peer.wanted, Wanted::Leaving { .. }))
    }

    /// Leaves the node to others.
    pub(crate) fn forget(&mut self, name: &NodeName) {
        self.peers.remove(name);
    }

    /// How many nodes are wanted, and how many of them are connected.
    pub(crate) fn figures(&self) -> (usize, usize) {
        let wanted = self.peers.values().filter(|peer| peer.is_listed() || peer.wanted == Wanted::Met);
        wanted.fold((0, 0), |(all, up), peer| (all + 1, up + usize::from(peer.up)))
    }

    fn count_strangers(&mut self) {
        self.strangers = self.peers.values().filter(|peer| peer.is_stranger()).count();
    }

    fn make_room(&mut self) {
        if self.strangers < MAX_STRANGERS {
            return;
        }
        let idle = self.peers.iter().filter(|(_, peer)| peer.is_stranger() && !peer.dialing);
        if let Some(oldest) = idle.min_by_key(|(_, peer)| peer.said).map(|(name, _)| name.clone()) {
            self.peers.remove(&oldest);
            self.strangers -= 1;
        }
    }
}
