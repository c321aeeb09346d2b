//! What ties one process to others: links, monitors in both directions, aliases.
//!
//! Follows "Signals" of the Erlang reference manual and "Protocol for Links" of the distribution protocol. The owner calls
//! one method for what its process does and one for each signal that arrives; what comes back says which signal must go out.
//! Two rules are the owner's:
//!
//! - The signal that a method asks for goes out before the next method is called. A link would otherwise outlive its removal
//!   on one side.
//! - Between processes of one node there is no line and no acknowledgement: both ends of a link change together
//!   ([`Ties::link`] with [`Ties::linked`], [`Ties::unlink_here`] on both).
//!
//! Every tie to another node belongs to the connection (`L`, the line) over which it was made. It ends with that connection
//! ([`Ties::lost`]), and no signal of another touches it: what a restarted peer says never reaches the ties of its past.
//! Nothing here sends, waits or knows the time.

mod alias;
mod table;

use beamline_term::{Atom, Pid, Reference, Term};

use crate::control::Target;
use table::Table;

pub use alias::Alias;

/// The ties of one process. `L` names a connection and is cheap to clone.
#[derive(Debug)]
pub struct Ties<L> {
    links: Table<Pid, Link<L>>,
    watches: Table<Reference, Watch<L>>,
    watchers: Table<Reference, Watcher<L>>,
    aliases: Table<Reference, Alias>,
    lines: Vec<L>,
}

impl<L> Default for Ties<L> {
    fn default() -> Ties<L> {
        Ties {
            links: Table::default(),
            watches: Table::default(),
            watchers: Table::default(),
            aliases: Table::default(),
            lines: Vec::new(),
        }
    }
}

#[derive(Debug)]
struct Link<L> {
    line: Option<L>,
    /// The number of the request that takes it away, until that is acknowledged.
    unlinking: Option<u64>,
}

/// A monitor that the process has set.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch<L> {
    /// What it watches.
    pub target: Target,
    /// The node on which that is.
    pub node: Atom,
    /// The connection over which it was set; `None` for a process of the same node.
    pub line: Option<L>,
    /// What its DOWN begins with, if not with the atom `DOWN`.
    pub tag: Option<Term>,
}

/// A monitor that another process has set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watcher<L> {
    /// Who watches.
    pub pid: Pid,
    /// By which name, if by one: its DOWN carries the name.
    pub name: Option<Atom>,
    /// The connection over which it was set; `None` for a process of the same node.
    pub line: Option<L>,
}

/// What a lost connection took away. Each of these must be told to the process.
#[derive(Debug)]
pub struct Lost<L> {
    /// Links that were active: exit signals with the reason `noconnection`.
    pub links: Vec<Pid>,
    /// Monitors: DOWN with the reason `noconnection`.
    pub watches: Vec<(Reference, Watch<L>)>,
}

/// Whom the end of a process concerns.
#[derive(Debug)]
pub struct Farewell<L> {
    /// Each gets an exit signal over its link.
    pub links: Vec<(Pid, Option<L>)>,
    /// Each gets a DOWN.
    pub watchers: Vec<(Reference, Watcher<L>)>,
    /// Each is told that it is watched no longer.
    pub watches: Vec<(Reference, Watch<L>)>,
    /// Aliases that lead nowhere now.
    pub aliases: Vec<Reference>,
    /// Connections on whose roll the process stood.
    pub lines: Vec<L>,
}

impl<L: Clone + PartialEq> Ties<L> {
    /// Puts the process on the roll of a connection, whose loss concerns it from now on; true if it was not there yet.
    pub fn enroll(&mut self, line: &L) -> bool {
        let fresh = !self.lines.contains(line);
        if fresh {
            self.lines.push(line.clone());
        }
        fresh
    }

    /// The process links. True if a LINK must go out: the link was not active.
    pub fn link(&mut self, peer: &Pid, line: Option<L>) -> bool {
        match self.links.get_mut(peer) {
            Some(link) if link.unlinking.is_none() => false,
            // The removal that is under way is overtaken; its acknowledgement will mean nothing.
            Some(link) => {
                *link = Link { line, unlinking: None };
                true
            }
            None => {
                self.links.insert(peer.clone(), Link { line, unlinking: None });
                true
            }
        }
    }

    /// LINK arrives. Two that meet make one link. True if the peer had an active link over an earlier connection, of whose
    /// end the process hears now: an exit signal with the reason `noconnection` comes before the new link.
    pub fn linked(&mut self, peer: &Pid, line: Option<L>) -> bool {
        if self.links.get(peer).is_some_and(|link| link.line == line) {
            return false;
        }
        let earlier = self.links.remove(peer);
        self.links.insert(peer.clone(), Link { line, unlinking: None });
        earlier.is_some_and(|link| link.unlinking.is_none())
    }

    /// The process unlinks from a process of another node, under a number that it has not used before and that is not 0.
    /// Gives the connection over which UNLINK_ID must go out. From now on no exit signal of this link is heard.
    pub fn unlink(&mut self, peer: &Pid, id: u64) -> Option<L> {
        let link = self.links.get_mut(peer).filter(|link| link.unlinking.is_none())?;
        let line = link.line.clone()?;
        link.unlinking = Some(id);
        Some(line)
    }

    /// Takes away a link within the node; both ends do it together. False if there was none.
    pub fn unlink_here(&mut self, peer: &Pid) -> bool {
        self.links.get(peer).is_some_and(|link| link.line.is_none()) && self.links.remove(peer).is_some()
    }

    /// UNLINK_ID arrives. It must be acknowledged in any case, also for a process that has ended, before anything else is
    /// sent to that process.
    pub fn unlinked(&mut self, peer: &Pid, line: &L) {
        if self.links.get(peer).is_some_and(|link| link.unlinking.is_none() && link.line.as_ref() == Some(line)) {
            self.links.remove(peer);
        }
    }

    /// UNLINK_ID_ACK arrives.
    pub fn unlink_acknowledged(&mut self, peer: &Pid, id: u64, line: &L) {
        if self.links.get(peer).is_some_and(|link| link.unlinking == Some(id) && link.line.as_ref() == Some(line)) {
            self.links.remove(peer);
        }
    }

    /// An exit signal arrives over a link; true if the process must hear it.
    pub fn exited(&mut self, peer: &Pid, line: Option<&L>) -> bool {
        self.is_linked_over(peer, line) && self.links.remove(peer).is_some()
    }

    fn is_linked_over(&self, peer: &Pid, line: Option<&L>) -> bool {
        self.links.get(peer).is_some_and(|link| link.unlinking.is_none() && link.line.as_ref() == line)
    }

    /// Whom it is linked with.
    pub fn links(&self) -> impl Iterator<Item = &Pid> {
        self.links.iter().filter(|(_, link)| link.unlinking.is_none()).map(|(peer, _)| peer)
    }

    /// The process watches; MONITOR must go out.
    pub fn watch(&mut self, reference: Reference, watch: Watch<L>) {
        self.watches.insert(reference, watch);
    }

    /// The process stops watching; DEMONITOR must go out for what comes back. From now on no DOWN of it is heard.
    pub fn unwatch(&mut self, reference: &Reference) -> Option<Watch<L>> {
        self.end_alias_of_monitor(reference);
        self.watches.remove(reference)
    }

    /// DOWN arrives; what comes back must be told to the process.
    pub fn down(&mut self, reference: &Reference, line: Option<&L>) -> Option<Watch<L>> {
        self.watches.get(reference).filter(|watch| watch.line.as_ref() == line)?;
        self.unwatch(reference)
    }

    /// MONITOR arrives.
    pub fn watched(&mut self, reference: Reference, watcher: Watcher<L>) {
        self.watchers.insert(reference, watcher);
    }

    /// DEMONITOR arrives. False if that monitor is not known.
    pub fn unwatched(&mut self, reference: &Reference, line: Option<&L>) -> bool {
        let known = self.watchers.get(reference).is_some_and(|watcher| watcher.line.as_ref() == line);
        known && self.watchers.remove(reference).is_some()
    }

    /// A connection is lost, and every tie over it.
    pub fn lost(&mut self, line: &L) -> Lost<L> {
        self.lines.retain(|other| other != line);
        let links = self.links.extract(|link| link.line.as_ref() == Some(line));
        self.watchers.extract(|watcher| watcher.line.as_ref() == Some(line));
        let watches = self.watches.extract(|watch| watch.line.as_ref() == Some(line));
        for (reference, _) in &watches {
            self.end_alias_of_monitor(reference);
        }
        let active = links.into_iter().filter(|(_, link)| link.unlinking.is_none());
        Lost { links: active.map(|(peer, _)| peer).collect(), watches }
    }

    /// The process has ended.
    pub fn end(self) -> Farewell<L> {
        let active = self.links.into_iter().filter(|(_, link)| link.unlinking.is_none());
        Farewell {
            links: active.map(|(peer, link)| (peer, link.line)).collect(),
            watchers: self.watchers.into_iter().collect(),
            watches: self.watches.into_iter().collect(),
            aliases: self.aliases.into_iter().map(|(reference, _)| reference).collect(),
            lines: self.lines,
        }
    }

    /// What it watches.
    pub fn watches(&self) -> impl Iterator<Item = &Watch<L>> {
        self.watches.iter().map(|(_, watch)| watch)
    }

    /// Who watches it.
    pub fn watchers(&self) -> impl Iterator<Item = &Watcher<L>> {
        self.watchers.iter().map(|(_, watcher)| watcher)
    }

    /// How many ties there are, aliases and unfinished removals included.
    pub fn len(&self) -> usize {
        self.links.len() + self.watches.len() + self.watchers.len() + self.aliases.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_term::{Creation, atom};

    fn pid(number: u32) -> Pid {
        Pid::new(atom("b@h"), number, 0, Creation::new(1))
    }

    #[test]
    fn an_unlinked_process_hears_no_exit_and_the_acknowledgement_clears_the_entry() {
        let mut ties = Ties::default();
        assert!(ties.link(&pid(1), Some(7)));
        assert!(!ties.link(&pid(1), Some(7)), "it is linked already");
        assert_eq!(ties.unlink(&pid(1), 1), Some(7));
        assert_eq!(ties.unlink(&pid(1), 2), None, "one removal at a time");
        assert!(!ties.exited(&pid(1), Some(&7)));
        ties.unlink_acknowledged(&pid(1), 2, &7);
        assert_eq!(ties.len(), 1, "another number acknowledges nothing");
        ties.unlink_acknowledged(&pid(1), 1, &7);
        assert!(ties.is_empty());
    }

    #[test]
    fn a_link_made_again_outlives_the_acknowledgement_of_its_removal() {
        let mut ties = Ties::default();
        ties.link(&pid(1), Some(7));
        ties.unlink(&pid(1), 1);
        assert!(ties.link(&pid(1), Some(7)));
        ties.unlink_acknowledged(&pid(1), 1, &7);
        assert!(ties.exited(&pid(1), Some(&7)));
    }

    #[test]
    fn a_link_that_meets_its_removal_is_removed() {
        let mut ties = Ties::default();
        ties.link(&pid(1), Some(7));
        ties.unlink(&pid(1), 1);
        ties.linked(&pid(1), Some(7));
        ties.unlink_acknowledged(&pid(1), 1, &7);
        assert!(ties.is_empty());
    }

    #[test]
    fn a_tie_belongs_to_its_connection() {
        let mut ties = Ties::default();
        ties.link(&pid(1), Some(7));
        let watch = Watch { target: Target::Pid(pid(1)), node: atom("b@h"), line: Some(7), tag: None };
        let reference = Reference::at(pid(1).origin(), &[1, 2, 3]).unwrap();
        ties.watch(reference.clone(), watch.clone());
        assert!(!ties.exited(&pid(1), Some(&8)) && ties.down(&reference, Some(&8)).is_none());
        assert!(ties.lost(&8).links.is_empty());
        let lost = ties.lost(&7);
        assert_eq!((lost.links, lost.watches), (vec![pid(1)], vec![(reference, watch)]));
        assert!(ties.is_empty());
    }

    #[test]
    fn a_process_stands_once_on_the_roll_of_a_connection() {
        let mut ties: Ties<u8> = Ties::default();
        assert!(ties.enroll(&7) && !ties.enroll(&7) && ties.enroll(&8));
        ties.lost(&7);
        assert_eq!(ties.end().lines, [8]);
    }
}
