//! Processes of three nodes over a virtual network, under seeds: links, monitors and aliases while signals are delayed,
//! connections break at each side in its own time, processes end and nodes restart.
//!
//! Signals of one pair of processes keep their order; between pairs any order may happen. [`World`] is also the compact
//! example of an owner of [`Ties`]: see `World::arrive`.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use beamline_proto::control::{Control, Target};
use beamline_proto::ties::{Alias, Ties, Watch, Watcher};
use beamline_term::{Atom, Creation, Pid, Reference, atom};

type Line = u64;

/// What a process is told, and what it did itself: the basis of every check.
#[derive(Default)]
struct Journal {
    /// Links that became active, by peer, and how each of them ended.
    established: HashMap<Pid, u32>,
    ended: HashMap<Pid, u32>,
    /// Peers whose exit signals it may hear: linked, and not unlinked by itself since.
    open: HashSet<Pid>,
    /// Monitors that it set and neither took away nor heard of.
    watching: HashMap<Reference, Pid>,
    /// The last number that came from each sender, directly or through an alias.
    heard: HashMap<Pid, u64>,
}

struct Process {
    ties: Ties<Line>,
    traps: bool,
    journal: Journal,
}

struct World {
    seed: u64,
    numbers: u64,
    /// How many processes a node begins with. With one, signals of the same pair meet all the time.
    each: usize,
    creations: [u32; NODES],
    /// By pid, so that a seed gives the same schedule each time.
    processes: BTreeMap<Pid, Process>,
    /// Which connection each side believes in.
    up: BTreeMap<(usize, usize), Line>,
    /// Signals under way, in order by connection and pair.
    wire: BTreeMap<(Line, usize, String), VecDeque<Signal>>,
    /// Aliases of all processes, with a bit for whether messages still go there.
    aliases: BTreeMap<Reference, Pid>,
}

struct Signal {
    control: Control,
    number: u64,
}

const NODES: usize = 3;

fn name(node: usize) -> Atom {
    [atom("a@h"), atom("b@h"), atom("c@h")][node].clone()
}

fn node_of(pid: &Pid) -> usize {
    (0..NODES).find(|node| name(*node) == *pid.node()).expect("a node of this world")
}

impl World {
    fn new(seed: u64) -> World {
        World {
            seed: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            numbers: 0,
            each: if seed.is_multiple_of(2) { 1 } else { 3 },
            creations: [1; NODES],
            processes: BTreeMap::new(),
            up: BTreeMap::new(),
            wire: BTreeMap::new(),
            aliases: BTreeMap::new(),
        }
    }

    fn random(&mut self, bound: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed % bound as u64) as usize
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn spawn(&mut self, node: usize) {
        let pid = Pid::new(name(node), self.number() as u32, 0, Creation::new(self.creations[node]));
        let traps = self.random(4) > 0;
        self.processes.insert(pid, Process { ties: Ties::default(), traps, journal: Journal::default() });
    }

    fn any(&mut self) -> Option<Pid> {
        let count = self.processes.len();
        let index = self.random(count.max(1));
        self.processes.keys().nth(index).cloned()
    }

    fn process(&mut self, pid: &Pid) -> &mut Process {
        self.processes.get_mut(pid).expect("it lives")
    }

    /// Both sides get a new connection; a side that has not noticed the end of the last one does so now.
    fn connect(&mut self, a: usize, b: usize) {
        if self.up.contains_key(&(a, b)) && self.up.contains_key(&(b, a)) {
            return;
        }
        self.notice(a, b);
        self.notice(b, a);
        let line = self.number();
        self.up.insert((a, b), line);
        self.up.insert((b, a), line);
    }

    /// One side sees that its connection is gone. What was under way to it is lost; what it sent may still arrive.
    fn notice(&mut self, own: usize, peer: usize) {
        let Some(line) = self.up.remove(&(own, peer)) else { return };
        self.wire.retain(|(over, to, _), _| (*over, *to) != (line, own));
        let here: Vec<Pid> = self.processes.keys().filter(|pid| node_of(pid) == own).cloned().collect();
        for pid in here {
            let Some(process) = self.processes.get_mut(&pid) else { continue };
            let lost = process.ties.lost(&line);
            for (reference, _) in lost.watches {
                self.told_down(&pid, &reference);
            }
            for peer in lost.links {
                self.told_exit(&pid, &peer);
            }
        }
    }

    fn send(&mut self, line: Line, to: &Pid, from: &Pid, control: Control) {
        let number = self.number();
        // A side that does not believe in the connection any more sends into the void.
        if self.up.get(&(node_of(from), node_of(to))) == Some(&line)
            && self.up.get(&(node_of(to), node_of(from))) == Some(&line)
        {
            let pair = (line, node_of(to), format!("{from:?} {to:?}"));
            self.wire.entry(pair).or_default().push_back(Signal { control, number });
        }
    }

    fn deliver_one(&mut self) -> bool {
        let count = self.wire.len();
        if count == 0 {
            return false;
        }
        let index = self.random(count);
        let Some((key, mut queue)) = self.wire.keys().nth(index).cloned().and_then(|key| self.wire.remove_entry(&key))
        else {
            return false;
        };
        let signal = queue.pop_front();
        let (line, to, _) = key;
        if !queue.is_empty() {
            self.wire.insert(key, queue);
        }
        if let Some(signal) = signal {
            // Who has noticed the end of the connection reads it no more.
            if (0..NODES).any(|from| self.up.get(&(to, from)) == Some(&line)) {
                self.arrive(line, signal);
            }
        }
        true
    }

    fn arrive(&mut self, line: Line, Signal { control, number }: Signal) {
        match control {
            Control::Link { from, to } => match self.processes.get_mut(&to) {
                Some(process) => {
                    let before = process.ties.links().any(|peer| *peer == from);
                    let replaced = process.ties.linked(&from, Some(line));
                    assert!(!replaced, "a lost connection is noticed before a new one is used");
                    let fresh = !before && process.ties.links().any(|peer| *peer == from);
                    if fresh {
                        *process.journal.established.entry(from.clone()).or_default() += 1;
                        process.journal.open.insert(from);
                    }
                }
                None => self.send(line, &from.clone(), &to.clone(), Control::Exit { from: to, to: from }),
            },
            Control::UnlinkId { id, from, to } => {
                if let Some(process) = self.processes.get_mut(&to) {
                    let before = process.ties.links().count();
                    process.ties.unlinked(&from, &line);
                    if process.ties.links().count() < before {
                        *process.journal.ended.entry(from.clone()).or_default() += 1;
                        process.journal.open.remove(&from);
                    }
                }
                self.send(line, &from.clone(), &to.clone(), Control::UnlinkIdAck { id, from: to, to: from });
            }
            Control::UnlinkIdAck { id, from, to } => {
                if let Some(process) = self.processes.get_mut(&to) {
                    process.ties.unlink_acknowledged(&from, id, &line);
                }
            }
            Control::Exit { from, to } => {
                if self.processes.get_mut(&to).is_some_and(|process| process.ties.exited(&from, Some(&line))) {
                    self.told_exit(&to, &from);
                }
            }
            Control::Monitor { from, to: Target::Pid(to), reference } => match self.processes.get_mut(&to) {
                Some(process) => {
                    process.ties.watched(reference, Watcher { pid: from, name: None, line: Some(line) });
                }
                None => {
                    let control = Control::MonitorExit { from: Target::Pid(to.clone()), to: from.clone(), reference };
                    self.send(line, &from, &to, control);
                }
            },
            Control::Demonitor { to: Target::Pid(to), reference, .. } => {
                if let Some(process) = self.processes.get_mut(&to) {
                    process.ties.unwatched(&reference, Some(&line));
                }
            }
            Control::MonitorExit { to, reference, .. } => {
                if let Some(process) = self.processes.get_mut(&to)
                    && process.ties.down(&reference, Some(&line)).is_some()
                {
                    self.told_down(&to, &reference);
                }
            }
            Control::Send { from: Some(from), to } => self.told(&to, &from, number),
            Control::AliasSend { from, to } => {
                let Some(owner) = self.aliases.get(&to).cloned() else { return };
                let Some(process) = self.processes.get_mut(&owner) else { return };
                let Some(through) = process.ties.through(&to) else { return };
                self.told(&owner, &from, number);
                if let Some(watch) = through.unwatched {
                    self.process(&owner).journal.watching.remove(&to);
                    self.demonitor_out(&owner, to, watch);
                }
            }
            other => panic!("{other:?} is not sent here"),
        }
    }

    fn told(&mut self, pid: &Pid, from: &Pid, number: u64) {
        if let Some(process) = self.processes.get_mut(pid) {
            let last = process.journal.heard.insert(from.clone(), number).unwrap_or(0);
            assert!(last < number, "{pid:?} hears {number} of {from:?} after {last}");
        }
    }

    fn told_exit(&mut self, pid: &Pid, peer: &Pid) {
        let Some(process) = self.processes.get_mut(pid) else { return };
        assert!(process.journal.open.remove(peer), "{pid:?} hears an exit of {peer:?} that it did not wait for");
        *process.journal.ended.entry(peer.clone()).or_default() += 1;
        if !process.traps {
            self.end(&pid.clone());
        }
    }

    fn told_down(&mut self, pid: &Pid, reference: &Reference) {
        if let Some(process) = self.processes.get_mut(pid) {
            let known = process.journal.watching.remove(reference);
            assert!(known.is_some(), "{pid:?} hears a DOWN twice, or of a monitor that it took away");
        }
    }

    fn end(&mut self, pid: &Pid) {
        let Some(process) = self.processes.remove(pid) else { return };
        let farewell = process.ties.end();
        for (peer, line) in farewell.links {
            match line {
                Some(line) => self.send(line, &peer.clone(), pid, Control::Exit { from: pid.clone(), to: peer }),
                None => {
                    if self.processes.get_mut(&peer).is_some_and(|peer| peer.ties.exited(pid, None)) {
                        self.told_exit(&peer, pid);
                    }
                }
            }
        }
        for (reference, watcher) in farewell.watchers {
            match watcher.line {
                Some(line) => {
                    let (from, to) = (Target::Pid(pid.clone()), watcher.pid.clone());
                    self.send(line, &watcher.pid, pid, Control::MonitorExit { from, to, reference });
                }
                None => {
                    if let Some(other) = self.processes.get_mut(&watcher.pid)
                        && other.ties.down(&reference, None).is_some()
                    {
                        self.told_down(&watcher.pid, &reference);
                    }
                }
            }
        }
        for (reference, watch) in farewell.watches {
            self.demonitor_out(pid, reference, watch);
        }
        for alias in farewell.aliases {
            self.aliases.remove(&alias);
        }
    }

    fn demonitor_out(&mut self, from: &Pid, reference: Reference, watch: Watch<Line>) {
        let Target::Pid(to) = watch.target else { return };
        match watch.line {
            Some(line) => {
                let control = Control::Demonitor { from: from.clone(), to: Target::Pid(to.clone()), reference };
                self.send(line, &to, from, control);
            }
            None => {
                if let Some(process) = self.processes.get_mut(&to) {
                    process.ties.unwatched(&reference, None);
                }
            }
        }
    }

    fn link(&mut self, own: &Pid, peer: &Pid) {
        let (here, there) = (node_of(own), node_of(peer));
        if own == peer {
            return;
        }
        let line = (here != there).then(|| {
            self.connect(here, there);
            self.up[&(here, there)]
        });
        // Connecting may have been the end of it.
        let Some(process) = self.processes.get_mut(own) else { return };
        if !process.ties.link(peer, line) {
            return;
        }
        *process.journal.established.entry(peer.clone()).or_default() += 1;
        process.journal.open.insert(peer.clone());
        match line {
            Some(line) => self.send(line, peer, own, Control::Link { from: own.clone(), to: peer.clone() }),
            None => match self.processes.get_mut(peer) {
                Some(other) => {
                    other.ties.linked(own, None);
                    *other.journal.established.entry(own.clone()).or_default() += 1;
                    other.journal.open.insert(own.clone());
                }
                None => {
                    if self.process(own).ties.exited(peer, None) {
                        self.told_exit(own, peer);
                    }
                }
            },
        }
    }

    fn unlink(&mut self, own: &Pid, peer: &Pid) {
        let id = self.number();
        let process = self.process(own);
        if process.ties.unlink_here(peer) {
            process.journal.open.remove(peer);
            *process.journal.ended.entry(peer.clone()).or_default() += 1;
            let other = self.process(peer);
            assert!(other.ties.unlink_here(own), "both ends of a link within a node change together");
            other.journal.open.remove(own);
            *other.journal.ended.entry(own.clone()).or_default() += 1;
        } else if let Some(line) = process.ties.unlink(peer, id) {
            process.journal.open.remove(peer);
            *process.journal.ended.entry(peer.clone()).or_default() += 1;
            self.send(line, peer, own, Control::UnlinkId { id, from: own.clone(), to: peer.clone() });
        }
    }

    fn monitor(&mut self, own: &Pid, peer: &Pid) {
        let (here, there) = (node_of(own), node_of(peer));
        let line = (here != there).then(|| {
            self.connect(here, there);
            self.up[&(here, there)]
        });
        let number = self.number() as u32;
        let reference = Reference::at(own.origin(), &[number, 0, 0]).expect("three words");
        let kind = [
            None,
            None,
            Some(Alias::Explicit),
            Some(Alias::Reply),
            Some(Alias::Demonitor),
            Some(Alias::ReplyDemonitor),
        ];
        let kind = kind[self.random(kind.len())];
        let Some(process) = self.processes.get_mut(own) else { return };
        let watch = Watch { target: Target::Pid(peer.clone()), node: peer.node().clone(), line, tag: None };
        process.ties.watch(reference.clone(), watch);
        process.journal.watching.insert(reference.clone(), peer.clone());
        if let Some(kind) = kind {
            process.ties.alias(reference.clone(), kind);
            self.aliases.insert(reference.clone(), own.clone());
        }
        let to = Target::Pid(peer.clone());
        match line {
            Some(line) => self.send(line, peer, own, Control::Monitor { from: own.clone(), to, reference }),
            None => match self.processes.get_mut(peer) {
                Some(other) => other.ties.watched(reference, Watcher { pid: own.clone(), name: None, line: None }),
                None => {
                    self.process(own).ties.down(&reference, None).expect("it has just been set");
                    self.told_down(own, &reference);
                }
            },
        }
    }

    fn demonitor(&mut self, own: &Pid, reference: &Reference) {
        if let Some(watch) = self.process(own).ties.unwatch(reference) {
            self.process(own).journal.watching.remove(reference);
            self.demonitor_out(own, reference.clone(), watch);
        }
    }

    fn mischief(&mut self, known: &mut Vec<Pid>) {
        let Some(own) = self.any() else { return };
        // Also those that have ended, and those of nodes that have restarted.
        let peer = known[self.random(known.len())].clone();
        match self.random(24) {
            0..6 => self.link(&own, &peer),
            _ if self.each == 1 && self.random(2) == 0 => self.unlink(&own, &peer),
            6..10 => self.unlink(&own, &peer),
            10..14 => self.monitor(&own, &peer),
            14..16 => {
                let mut set: Vec<Reference> = self.process(&own).journal.watching.keys().cloned().collect();
                set.sort();
                if !set.is_empty() {
                    let index = self.random(set.len());
                    self.demonitor(&own, &set[index]);
                }
            }
            16..18 => {
                if let Some(line) = self.up.get(&(node_of(&own), node_of(&peer))).copied() {
                    self.send(line, &peer, &own, Control::Send { from: Some(own.clone()), to: peer.clone() });
                }
            }
            18..20 => {
                let index = self.random(self.aliases.len().max(1));
                let Some((alias, owner)) = self.aliases.iter().nth(index).map(|(a, o)| (a.clone(), o.clone())) else {
                    return;
                };
                if let Some(line) = self.up.get(&(node_of(&own), node_of(&owner))).copied() {
                    self.send(line, &owner, &own, Control::AliasSend { from: own.clone(), to: alias });
                }
            }
            20 if self.each > 1 || self.random(4) == 0 => {
                self.end(&own);
                self.spawn(node_of(&own));
                known.extend(self.processes.keys().last().cloned());
            }
            21 if self.each > 1 => self.end(&own),
            22 if self.each > 1 || self.random(4) == 0 => {
                // One side notices now; the other when it likes, or when they connect again.
                let (a, b) = (self.random(NODES), self.random(NODES));
                self.notice(a, b);
            }
            _ if self.random(10) == 0 => self.restart(node_of(&own), known),
            _ => {}
        }
    }

    fn restart(&mut self, node: usize, known: &mut Vec<Pid>) {
        let old: Vec<Pid> = self.processes.keys().filter(|pid| node_of(pid) == node).cloned().collect();
        // It says nothing more.
        old.iter().for_each(|pid| drop(self.processes.remove(pid)));
        self.aliases.retain(|_, owner| node_of(owner) != node);
        for peer in 0..NODES {
            self.notice(node, peer);
        }
        self.creations[node] += 1;
        for _ in 0..self.each {
            self.spawn(node);
        }
        known.extend(self.processes.keys().filter(|pid| node_of(pid) == node).cloned());
    }

    fn settle(&mut self) {
        // A side whose peer has lost the connection notices.
        for a in 0..NODES {
            for b in 0..NODES {
                if self.up.get(&(b, a)) != self.up.get(&(a, b)) {
                    self.notice(a, b);
                    self.notice(b, a);
                }
            }
        }
        while self.deliver_one() {}
    }

    fn check(&self) {
        for (pid, process) in &self.processes {
            let links: HashSet<&Pid> = process.ties.links().collect();
            for peer in &links {
                let back = self.processes.get(*peer).is_some_and(|other| other.ties.links().any(|end| end == pid));
                assert!(back, "{pid:?} is linked with {peer:?}, which is not linked with it");
            }
            let journal = &process.journal;
            for (peer, established) in &journal.established {
                let ended = journal.ended.get(peer).copied().unwrap_or(0) + u32::from(links.contains(peer));
                assert_eq!(*established, ended, "every link of {pid:?} with {peer:?} ends once, or lasts");
            }
            assert_eq!(
                links,
                journal.open.iter().collect(),
                "{pid:?} waits for the exits of those that it is linked with"
            );
            for (reference, target) in &journal.watching {
                let other = self.processes.get(target);
                assert!(other.is_some(), "{pid:?} was not told of the end of {target:?} ({reference:?})");
            }
        }
    }

    /// Everybody lets go of everything.
    fn let_go(&mut self) {
        let everybody: Vec<Pid> = self.processes.keys().cloned().collect();
        for pid in &everybody {
            let peers: Vec<Pid> = self.process(pid).ties.links().cloned().collect();
            for peer in peers {
                self.unlink(pid, &peer);
            }
            let set: Vec<Reference> = self.process(pid).journal.watching.keys().cloned().collect();
            for reference in set {
                self.demonitor(pid, &reference);
            }
            let own: Vec<Reference> =
                self.aliases.iter().filter(|(_, owner)| *owner == pid).map(|(alias, _)| alias.clone()).collect();
            for alias in own {
                self.process(pid).ties.unalias(&alias);
            }
        }
        self.settle();
        for (pid, process) in &self.processes {
            assert!(process.ties.is_empty(), "{pid:?} keeps {:?}", process.ties);
        }
    }
}

fn schedule(seed: u64) {
    let mut world = World::new(seed);
    for node in 0..NODES {
        for _ in 0..world.each {
            world.spawn(node);
        }
    }
    let mut known: Vec<Pid> = world.processes.keys().cloned().collect();
    for _ in 0..3 {
        for _ in 0..120 {
            world.mischief(&mut known);
            // In bursts, so that several signals of a pair are under way at a time.
            if world.random(4) == 0 {
                for _ in 0..world.random(8) {
                    world.deliver_one();
                }
            }
        }
        world.settle();
        world.check();
    }
    world.let_go();
}

#[test]
fn everybody_is_told_once_and_nothing_is_left() {
    let count = std::env::var("TIES_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let first = std::env::var("TIES_FIRST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let failed: Vec<u64> =
        (first..first + count).filter(|seed| std::panic::catch_unwind(|| schedule(*seed)).is_err()).collect();
    assert!(failed.is_empty(), "{} of {count} seeds failed: {failed:?}", failed.len());
}
