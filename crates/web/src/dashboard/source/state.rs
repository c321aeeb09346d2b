//! Who is in the cluster, as the members themselves tell it. Decides with time as an argument, and asks nobody.
//!
//! A node is listed while it answers, or while one that answers sees it. A target that is neither is kept apart, and asked
//! on. What has left is remembered for a while, so that its pages can show what was last seen.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use beamline_proto::NodeName;
use tokio::time::Instant;

use super::event::{Events, What};
use super::figures::Sample;
use super::history::History;
use super::identity::Identity;
use super::topology::Topology;
use super::trouble::Trouble;

/// So many nodes are read; more are named only. With their histories they take less than 16 MB.
pub(crate) const MEMBERS: usize = 256;

/// So many that have left are remembered.
const DEPARTED: usize = 64;

/// A link is called missing when it was not there for so long: nodes that have just met connect one after another.
const SETTLING: Duration = Duration::from_millis(1500);

/// What is known of a node. A cheap clone.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: NodeName,
    pub(crate) reach: Reach,
    /// Whether others see it as hidden, and nobody as visible. To a dashboard that is hidden itself every node seems so.
    pub(crate) is_hidden: bool,
    pub(crate) identity: Option<Arc<Identity>>,
    /// The last sample, and when it was taken.
    pub(crate) sample: Option<(Arc<Sample>, Instant)>,
    /// Of all its schedulers, 0 to 1, while somebody looks.
    pub(crate) utilisation: Option<f32>,
    /// How long the last sample took.
    pub(crate) cost: Duration,
    /// Whom of the cluster it does not see, and since when.
    pub(crate) missing: BTreeMap<NodeName, Instant>,
}

/// Whether the dashboard can ask a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It has not answered yet.
    New,
    /// It answers.
    Up,
    /// It does not, since when and why.
    Down { since: Instant, why: Trouble },
}

/// A node that has left.
#[derive(Debug, Clone)]
pub(crate) struct Departed {
    pub(crate) member: Member,
    pub(crate) at: SystemTime,
    pub(crate) history: History,
}

/// What came of asking a node.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) identity: Arc<Identity>,
    pub(crate) sample: Sample,
    pub(crate) utilisation: Option<f32>,
}

/// What follows from a change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Who is to be read from now on.
    pub(crate) start: Vec<NodeName>,
    /// Who no longer.
    pub(crate) stop: Vec<NodeName>,
    /// Whether pages that are open should be shown anew.
    pub(crate) is_news: bool,
}

/// All that is known.
#[derive(Debug)]
pub(crate) struct State {
    roots: BTreeSet<NodeName>,
    entries: BTreeMap<NodeName, Entry>,
    departed: VecDeque<Departed>,
    pub(crate) events: Events,
    /// Nodes past [`MEMBERS`].
    pub(crate) unread: usize,
}

#[derive(Debug)]
struct Entry {
    member: Member,
    is_listed: bool,
    history: History,
    /// Missing links of which an event tells.
    told: BTreeSet<NodeName>,
    /// How its last connection ended, if it did.
    ended: Option<String>,
}

impl Entry {
    fn new(name: NodeName, is_listed: bool) -> Entry {
        let member = Member {
            name,
            reach: Reach::New,
            is_hidden: false,
            identity: None,
            sample: None,
            utilisation: None,
            cost: Duration::ZERO,
            missing: BTreeMap::new(),
        };
        Entry { member, is_listed, history: History::default(), told: BTreeSet::new(), ended: None }
    }
}

impl State {
    /// Begins with the nodes that are asked whatever others say of them.
    pub(crate) fn new(roots: impl IntoIterator<Item = NodeName>) -> State {
        let roots: BTreeSet<NodeName> = roots.into_iter().collect();
        let entries = roots.iter().map(|name| (name.clone(), Entry::new(name.clone(), false))).collect();
        State { roots, entries, departed: VecDeque::new(), events: Events::default(), unread: 0 }
    }

    /// Who is to be read at the beginning.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &NodeName> {
        self.roots.iter()
    }

    /// The members of the cluster, by name.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.entries.values().filter(|entry| entry.is_listed).map(|entry| &entry.member)
    }

    /// Targets that are no members at this moment.
    pub(crate) fn absent(&self) -> impl Iterator<Item = &Member> {
        self.entries.values().filter(|entry| !entry.is_listed).map(|entry| &entry.member)
    }

    /// A node that is being read.
    pub(crate) fn member(&self, name: &NodeName) -> Option<&Member> {
        Some(&self.entries.get(name)?.member)
    }

    /// A node that has left, and not come back.
    pub(crate) fn departed(&self, name: &NodeName) -> Option<&Departed> {
        self.departed.iter().rev().find(|departed| departed.member.name == *name)
    }

    pub(crate) fn history(&self, name: &NodeName) -> Option<&History> {
        match self.entries.get(name) {
            Some(entry) => Some(&entry.history),
            None => Some(&self.departed(name)?.history),
        }
    }

    /// A node has answered, or failed to.
    pub(crate) fn took(
        &mut self,
        name: &NodeName,
        reading: Result<Reading, Trouble>,
        cost: Duration,
        now: Instant,
    ) -> Outcome {
        let before = self.events.count();
        let Some(entry) = self.entries.get_mut(name) else { return Outcome::default() };
        entry.member.cost = cost;
        let is_moved = match reading {
            Ok(reading) => entry.answered(reading, now, &mut self.events),
            Err(why) => entry.failed(why, now, &mut self.events),
        };
        let mut outcome = if is_moved { self.settle() } else { Outcome::default() };
        self.look_for_gaps(name, now);
        outcome.is_news |= is_moved || self.events.count() != before;
        outcome
    }

    /// The dashboard's own connection with a node has ended.
    pub(crate) fn lost(&mut self, name: &NodeName, reason: &str, now: Instant) -> Outcome {
        let Some(entry) = self.entries.get_mut(name) else { return Outcome::default() };
        entry.ended = Some(reason.to_owned());
        let why = Trouble::Lost { node: name.clone(), question: "anything".to_owned() };
        if !entry.failed(why, now, &mut self.events) {
            return Outcome::default();
        }
        let outcome = self.settle();
        Outcome { is_news: true, ..outcome }
    }

    /// Who is listed, after somebody's answer has changed.
    fn settle(&mut self) -> Outcome {
        let (mut seen, mut hidden, mut listed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for entry in self.entries.values().filter(|entry| entry.member.reach == Reach::Up) {
            listed.insert(entry.member.name.clone());
            if let Some((sample, _)) = &entry.member.sample {
                seen.extend(sample.visible.iter().cloned());
                hidden.extend(sample.hidden.iter().cloned());
            }
        }
        listed.extend(seen.iter().cloned());
        let mut outcome = Outcome::default();
        let gone = |name: &NodeName| !listed.contains(name);
        for (name, entry) in &mut self.entries {
            if entry.is_listed && gone(name) {
                let why = entry.ended.take().unwrap_or_else(|| "its peers do not see it any more".to_owned());
                self.events.add(name, What::NodeDown(why));
            } else if !entry.is_listed && listed.contains(name) {
                self.events.add(name, What::NodeUp);
            }
            entry.is_listed = listed.contains(name);
            entry.member.is_hidden = hidden.contains(name) && !seen.contains(name);
        }
        let leaving = self.entries.extract_if(.., |name, _| gone(name) && !self.roots.contains(name));
        for (name, entry) in leaving {
            outcome.stop.push(name);
            if self.departed.len() == DEPARTED {
                self.departed.pop_front();
            }
            let (member, history) = (entry.member, entry.history);
            self.departed.push_back(Departed { member, at: SystemTime::now(), history });
        }
        self.unread = 0;
        for name in listed {
            if self.entries.contains_key(&name) {
                continue;
            }
            if self.entries.len() >= MEMBERS {
                self.unread += 1;
                continue;
            }
            self.events.add(&name, What::NodeUp);
            self.departed.retain(|departed| departed.member.name != name);
            self.entries.insert(name.clone(), Entry::new(name.clone(), true));
            outcome.start.push(name);
        }
        outcome
    }

    /// Whom of the cluster a node does not see.
    fn look_for_gaps(&mut self, name: &NodeName, now: Instant) {
        let others: BTreeSet<NodeName> = self
            .members()
            .filter(|other| other.name != *name && !other.is_hidden)
            .map(|other| other.name.clone())
            .collect();
        let Some(entry) = self.entries.get_mut(name) else { return };
        let Member { reach, is_hidden, sample, missing, .. } = &mut entry.member;
        let seen = match sample {
            Some((sample, _)) if entry.is_listed && *reach == Reach::Up && !*is_hidden => &sample.visible,
            // What it sees is not known any more.
            _ => return missing.clear(),
        };
        missing.retain(|other, _| others.contains(other) && seen.binary_search(other).is_err());
        for other in &others {
            if seen.binary_search(other).is_err() {
                missing.entry(other.clone()).or_insert(now);
            }
        }
        let is_due = |since: &Instant| now.duration_since(*since) >= SETTLING;
        for (other, _) in missing.iter().filter(|(_, since)| is_due(since)) {
            if entry.told.insert(other.clone()) {
                self.events.add(name, What::LinkMissing(other.clone()));
            }
        }
        let events = &mut self.events;
        entry.told.retain(|other| {
            let is_missing = missing.contains_key(other);
            if !is_missing && others.contains(other) {
                events.add(name, What::LinkBack(other.clone()));
            }
            is_missing
        });
    }
}

impl Member {
    /// Whether a link that should be there has been missing for long enough to be called so.
    pub(crate) fn lacks(&self, other: &NodeName, now: Instant) -> bool {
        self.missing.get(other).is_some_and(|since| now.duration_since(*since) >= SETTLING)
    }

    /// What its own topologies tell.
    pub(crate) fn topologies(&self) -> &[Topology] {
        self.sample.as_ref().map_or(&[], |(sample, _)| &sample.topologies)
    }

    /// Whom it sees; `None` if it could not be asked.
    pub(crate) fn visible(&self) -> Option<&[NodeName]> {
        self.sample.as_ref().map(|(sample, _)| sample.visible.as_slice())
    }
}

impl Entry {
    /// Whether who is listed may have changed.
    fn answered(&mut self, reading: Reading, now: Instant, events: &mut Events) -> bool {
        let Reading { identity, sample, utilisation } = reading;
        let member = &mut self.member;
        self.history.add(now, &sample.figures, utilisation);
        if member.identity.as_ref().is_some_and(|before| before.creation != identity.creation) {
            events.add(&member.name, What::Restarted);
        }
        let before = member.sample.as_ref();
        tell_of_topologies(&member.name, before.map_or(&[], |(sample, _)| &sample.topologies), &sample, events);
        let is_other = |before: &Sample| (&before.visible, &before.hidden) != (&sample.visible, &sample.hidden);
        let is_moved = member.reach != Reach::Up || before.is_none_or(|(before, _)| is_other(before));
        (member.reach, self.ended) = (Reach::Up, None);
        (member.identity, member.utilisation) = (Some(identity), utilisation);
        member.sample = Some((Arc::new(sample), now));
        is_moved
    }

    fn failed(&mut self, why: Trouble, now: Instant, events: &mut Events) -> bool {
        let member = &mut self.member;
        let since = match &member.reach {
            Reach::Down { since, .. } => *since,
            _ => now,
        };
        let is_moved = member.reach == Reach::Up;
        let is_new = matches!(&why, Trouble::Unreachable { .. } | Trouble::Late { .. })
            && !matches!(&member.reach, Reach::Down { why: before, .. } if std::mem::discriminant(before) == std::mem::discriminant(&why));
        if is_new && self.is_listed {
            events.add(&member.name, What::Unreachable(why.to_string()));
        }
        member.reach = Reach::Down { since, why };
        member.utilisation = None;
        is_moved
    }
}

/// What has changed between two answers of `Beamline.Cluster.status/0`.
fn tell_of_topologies(node: &NodeName, before: &[Topology], now: &Sample, events: &mut Events) {
    for topology in &now.topologies {
        let before = before.iter().find(|before| before.name == topology.name);
        let error_before = before.and_then(|before| before.last_error.as_ref());
        match (error_before, &topology.last_error) {
            (before, Some(reason)) if before != Some(reason) => {
                let (topology, reason) = (topology.name.clone(), reason.clone());
                events.add(node, What::StrategyFailed { topology, reason });
            }
            (Some(_), None) => events.add(node, What::StrategyBack { topology: topology.name.clone() }),
            _ => {}
        }
        for peer in &topology.peers {
            let known = before.and_then(|before| before.peers.iter().find(|known| known.node == peer.node));
            let failure_before = known.and_then(|known| known.last_failure.as_ref());
            if let Some(reason) = peer.last_failure.as_ref().filter(|reason| failure_before != Some(reason)) {
                events.add(node, What::DialFailed { peer: peer.node.clone(), reason: reason.clone() });
            }
        }
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
