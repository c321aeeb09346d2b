//! Processes of three nodes over a virtual network, under seeds: links, monitors by pid and by name, aliases and processes
//! that are tied from their first step, while signals are delayed, connections break at each side in its own time, processes
//! end, names change hands and nodes restart.
//!
//! Here signals of one pair of processes keep their order, and between pairs any order may happen: that this is so on the wire
//! is shown where it is written, by `connection::order_tests` of the node. [`World`] is also the compact example of an owner
//! of [`Ties`]: see `World::arrive`.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use beamline_proto::control::{Control, SpawnOptions, SpawnRequest, Target};
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
    watching: HashMap<Reference, Object>,
}

/// What a monitor looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Object {
    Pid(Pid),
    /// Whoever has the name of this node.
    Name(usize),
}

impl Object {
    fn node(&self) -> usize {
        match self {
            Object::Pid(pid) => node_of(pid),
            Object::Name(node) => *node,
        }
    }

    fn target(&self) -> Target {
        match self {
            Object::Pid(pid) => Target::Pid(pid.clone()),
            Object::Name(_) => Target::Name(NAME),
        }
    }
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
    /// All that ever were, also those that have ended and those of nodes that have restarted.
    known: Vec<Pid>,
    /// Who has the one name of each node.
    names: [Option<Pid>; NODES],
    /// Who asked for a process, and over which connection.
    asked: BTreeMap<Reference, (Pid, Line)>,
    /// Which connection each side believes in.
    up: BTreeMap<(usize, usize), Line>,
    /// Signals under way, in order by connection and pair.
    wire: BTreeMap<(Line, usize, String), VecDeque<Control>>,
    /// Aliases of all processes, with a bit for whether messages still go there.
    aliases: BTreeMap<Reference, Pid>,
}

const NODES: usize = 3;
const NAME: Atom = atom("server");

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
            known: Vec::new(),
            names: [const { None }; NODES],
            asked: BTreeMap::new(),
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

    fn spawn(&mut self, node: usize) -> Pid {
        let pid = Pid::new(name(node), self.number() as u32, 0, Creation::new(self.creations[node]));
        let traps = self.random(4) > 0;
        self.processes.insert(pid.clone(), Process { ties: Ties::default(), traps, journal: Journal::default() });
        self.known.push(pid.clone());
        pid
    }

    fn reference(&mut self, own: &Pid) -> Reference {
        Reference::at(own.origin(), &[self.number() as u32, 0, 0]).expect("three words")
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
        self.asked.retain(|_, (pid, over)| node_of(pid) != own || *over != line);
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
        self.send_in_order(line, (node_of(from), node_of(to)), format!("{from:?} {to:?}"), control);
    }

    /// The same for what is not between two processes, with all that must keep its order with it.
    fn send_in_order(&mut self, line: Line, (here, there): (usize, usize), order: String, control: Control) {
        // A side that does not believe in the connection any more sends into the void.
        if self.up.get(&(here, there)) == Some(&line) && self.up.get(&(there, here)) == Some(&line) {
            self.wire.entry((line, there, order)).or_default().push_back(control);
        }
    }

    /// To whoever has a name.
    fn send_to_name(&mut self, line: Line, there: usize, from: &Pid, control: Control) {
        self.send_in_order(line, (node_of(from), there), format!("{from:?} name"), control);
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
        if let Some(control) = signal {
            // Who has noticed the end of the connection reads it no more.
            if (0..NODES).any(|from| self.up.get(&(to, from)) == Some(&line)) {
                self.arrive(line, to, control);
            }
        }
        true
    }

    fn arrive(&mut self, line: Line, at: usize, control: Control) {
        match control {
            Control::Link { from, to } => match self.processes.get_mut(&to) {
                Some(process) => {
                    process.linked(&from, line);
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
            Control::Monitor { from, to: Target::Name(name), reference } => match self.names[at].clone() {
                Some(to) => {
                    let watcher = Watcher { pid: from, name: Some(name), line: Some(line) };
                    self.process(&to).ties.watched(reference, watcher);
                }
                None => {
                    let order = format!("name {from:?}");
                    let there = node_of(&from);
                    let control = Control::MonitorExit { from: Target::Name(name), to: from, reference };
                    self.send_in_order(line, (at, there), order, control);
                }
            },
            Control::Demonitor { to: Target::Pid(to), reference, .. } => {
                if let Some(process) = self.processes.get_mut(&to) {
                    process.ties.unwatched(&reference, Some(&line));
                }
            }
            Control::Demonitor { reference, .. } => self.unwatched_by_name(at, &reference, Some(line)),
            Control::MonitorExit { to, reference, .. } => {
                if let Some(process) = self.processes.get_mut(&to)
                    && process.ties.down(&reference, Some(&line)).is_some()
                {
                    self.told_down(&to, &reference);
                }
            }
            Control::SpawnRequest(request) => {
                let SpawnRequest { reference, from, options, .. } = *request;
                let pid = self.spawn(at);
                let process = self.process(&pid);
                if options.link {
                    process.linked(&from, line);
                }
                if options.monitor {
                    let watcher = Watcher { pid: from.clone(), name: None, line: Some(line) };
                    process.ties.watched(reference.clone(), watcher);
                }
                let flags = u8::from(options.link) | u8::from(options.monitor) << 1;
                let reply = Control::SpawnReply { reference, to: from.clone(), flags, result: Ok(pid.clone()) };
                self.send(line, &from, &pid, reply);
            }
            Control::SpawnReply { reference, to, flags, result: Ok(pid) } => {
                self.started(line, reference, &to, flags, pid);
            }
            Control::AliasSend { to, .. } => {
                let Some(owner) = self.aliases.get(&to).cloned() else { return };
                let Some(process) = self.processes.get_mut(&owner) else { return };
                let Some(through) = process.ties.through(&to) else { return };
                if let Some(watch) = through.unwatched {
                    self.process(&owner).journal.watching.remove(&to);
                    self.demonitor_out(&owner, to, watch);
                }
            }
            other => panic!("{other:?} is not sent here"),
        }
    }

    /// Who asked for a process hears of it, and is tied before anything else of it is looked at.
    fn started(&mut self, line: Line, reference: Reference, own: &Pid, flags: u8, pid: Pid) {
        let asked = self.asked.remove(&reference);
        assert_eq!(asked, Some((own.clone(), line)), "the connection over which it was asked for is there");
        let (is_linked, is_watched) = (flags & 1 != 0, flags & 2 != 0);
        let has_given_up = self.random(8) == 0;
        if let Some(process) = self.processes.get_mut(own)
            && (!has_given_up || process.ties.links().any(|peer| *peer == pid))
        {
            if is_linked {
                process.linked(&pid, line);
            }
            if is_watched {
                let object = Object::Pid(pid);
                process.watch(reference, object, Some(line));
            }
            return;
        }
        if is_linked {
            self.send(line, &pid, own, Control::Exit { from: own.clone(), to: pid.clone() });
        }
        if is_watched {
            let to = Target::Pid(pid.clone());
            self.send(line, &pid, own, Control::Demonitor { from: own.clone(), to, reference });
        }
    }

    /// A monitor by name is taken away: the name may be another's by now.
    fn unwatched_by_name(&mut self, node: usize, reference: &Reference, line: Option<Line>) {
        let here = self.processes.iter_mut().filter(|(pid, _)| node_of(pid) == node);
        for (_, process) in here {
            process.ties.unwatched(reference, line.as_ref());
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
        self.names.iter_mut().for_each(|owner| drop(owner.take_if(|owner| owner == pid)));
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
                    let from = watcher.name.map_or_else(|| Target::Pid(pid.clone()), Target::Name);
                    let to = watcher.pid.clone();
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
        let Target::Pid(to) = watch.target else {
            let there = (0..NODES).find(|node| name(*node) == watch.node).expect("a node of this world");
            return match watch.line {
                Some(line) => {
                    let control = Control::Demonitor { from: from.clone(), to: Target::Name(NAME), reference };
                    self.send_to_name(line, there, from, control);
                }
                None => self.unwatched_by_name(there, &reference, None),
            };
        };
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

    fn monitor(&mut self, own: &Pid, object: &Object) {
        let (here, there) = (node_of(own), object.node());
        let line = (here != there).then(|| {
            self.connect(here, there);
            self.up[&(here, there)]
        });
        let reference = self.reference(own);
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
        process.watch(reference.clone(), object.clone(), line);
        if let Some(kind) = kind {
            process.ties.alias(reference.clone(), kind);
            self.aliases.insert(reference.clone(), own.clone());
        }
        if let Some(line) = line {
            let control = Control::Monitor { from: own.clone(), to: object.target(), reference };
            return match object {
                Object::Pid(peer) => self.send(line, peer, own, control),
                Object::Name(_) => self.send_to_name(line, there, own, control),
            };
        }
        let (peer, name) = match object {
            Object::Pid(peer) => (Some(peer.clone()), None),
            Object::Name(node) => (self.names[*node].clone(), Some(NAME)),
        };
        match peer.and_then(|peer| self.processes.get_mut(&peer)) {
            Some(other) => other.ties.watched(reference, Watcher { pid: own.clone(), name, line: None }),
            None => {
                self.process(own).ties.down(&reference, None).expect("it has just been set");
                self.told_down(own, &reference);
            }
        }
    }

    /// Asks another node for a process that is tied to this one.
    fn spawn_on(&mut self, own: &Pid, there: usize) {
        let here = node_of(own);
        if here == there {
            return;
        }
        self.connect(here, there);
        // Connecting may have been the end of it.
        if !self.processes.contains_key(own) {
            return;
        }
        let line = self.up[&(here, there)];
        let reference = self.reference(own);
        let (link, monitor) = [(true, false), (false, true), (true, true)][self.random(3)];
        self.asked.insert(reference.clone(), (own.clone(), line));
        let request = SpawnRequest {
            reference,
            from: own.clone(),
            group_leader: own.clone(),
            module: atom("worker"),
            function: atom("run"),
            arity: 0,
            options: SpawnOptions { link, monitor },
        };
        self.send_in_order(line, (here, there), format!("{own:?} spawns"), Control::SpawnRequest(Box::new(request)));
    }

    fn demonitor(&mut self, own: &Pid, reference: &Reference) {
        if let Some(watch) = self.process(own).ties.unwatch(reference) {
            self.process(own).journal.watching.remove(reference);
            self.demonitor_out(own, reference.clone(), watch);
        }
    }

    fn mischief(&mut self) {
        let Some(own) = self.any() else { return };
        let index = self.random(self.known.len());
        let peer = self.known[index].clone();
        match self.random(28) {
            0..6 => self.link(&own, &peer),
            _ if self.each == 1 && self.random(2) == 0 => self.unlink(&own, &peer),
            6..10 => self.unlink(&own, &peer),
            10..14 if self.random(3) == 0 => self.monitor(&own, &Object::Name(node_of(&peer))),
            10..14 => self.monitor(&own, &Object::Pid(peer)),
            14..16 => {
                let mut set: Vec<Reference> = self.process(&own).journal.watching.keys().cloned().collect();
                set.sort();
                if !set.is_empty() {
                    let index = self.random(set.len());
                    self.demonitor(&own, &set[index]);
                }
            }
            // The name of its node becomes its own, or nobody's.
            16 => self.names[node_of(&own)] = Some(own.clone()),
            17 => self.names[node_of(&own)] = None,
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
            }
            21 if self.each > 1 => self.end(&own),
            22 if self.each > 1 || self.random(4) == 0 => {
                // One side notices now; the other when it likes, or when they connect again.
                let (a, b) = (self.random(NODES), self.random(NODES));
                self.notice(a, b);
            }
            // Few are enough: they stay until something ends them.
            23..26 if self.processes.len() < NODES * (self.each + 2) => self.spawn_on(&own, node_of(&peer)),
            26 if self.processes.len() > NODES * self.each => self.end(&own),
            _ if self.random(10) == 0 => self.restart(node_of(&own)),
            _ => {}
        }
    }

    fn restart(&mut self, node: usize) {
        let old: Vec<Pid> = self.processes.keys().filter(|pid| node_of(pid) == node).cloned().collect();
        // It says nothing more.
        old.iter().for_each(|pid| drop(self.processes.remove(pid)));
        self.aliases.retain(|_, owner| node_of(owner) != node);
        self.names[node] = None;
        for peer in 0..NODES {
            self.notice(node, peer);
        }
        self.creations[node] += 1;
        for _ in 0..self.each {
            self.spawn(node);
        }
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
        }
        // A monitor that one side forgot would either never fire or never be forgotten by the other.
        let mut set: Vec<(&Pid, Object)> = Vec::new();
        let mut known: Vec<(&Pid, Object)> = Vec::new();
        for (pid, process) in &self.processes {
            set.extend(process.journal.watching.values().map(|object| (pid, object.clone())));
            known.extend(process.ties.watchers().map(|watcher| match watcher.name {
                None => (&watcher.pid, Object::Pid(pid.clone())),
                Some(_) => (&watcher.pid, Object::Name(node_of(pid))),
            }));
        }
        set.sort();
        known.sort();
        assert_eq!(set, known, "who watches, and who is known as watching");
        assert!(self.asked.is_empty(), "who asked for a process was answered, or lost the connection");
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

impl Process {
    /// It becomes linked by what a peer says.
    fn linked(&mut self, peer: &Pid, line: Line) {
        let before = self.ties.links().any(|other| other == peer);
        let replaced = self.ties.linked(peer, Some(line));
        assert!(!replaced, "a lost connection is noticed before a new one is used");
        if !before && self.ties.links().any(|other| other == peer) {
            *self.journal.established.entry(peer.clone()).or_default() += 1;
            self.journal.open.insert(peer.clone());
        }
    }

    fn watch(&mut self, reference: Reference, object: Object, line: Option<Line>) {
        let watch = Watch { target: object.target(), node: name(object.node()), line, tag: None };
        self.ties.watch(reference.clone(), watch);
        self.journal.watching.insert(reference, object);
    }
}

fn schedule(seed: u64) {
    let mut world = World::new(seed);
    for node in 0..NODES {
        for _ in 0..world.each {
            world.spawn(node);
        }
    }
    for _ in 0..3 {
        for _ in 0..120 {
            world.mischief();
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
