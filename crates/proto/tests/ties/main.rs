//! Processes of three nodes over a virtual network, under seeds: links, monitors by pid and by name, aliases and processes
//! that are tied from their first step, while signals are delayed, connections break at each side in its own time, processes
//! end, names change hands and nodes restart.
//!
//! Here signals of one pair of processes keep their order, and between pairs any order may happen: that this is so on the wire
//! is shown where it is written, by `connection::order_tests` of the node. [`World`] is also the compact example of an owner
//! of [`Ties`]: see `World::arrive`.

mod act;
mod arrive;
mod check;

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
