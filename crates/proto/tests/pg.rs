//! Scopes of `pg` over a virtual network, under seeds: once it is quiet, every node sees exactly the memberships of the
//! nodes that it is connected with, and its own.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashSet};

use beamline_proto::NodeName;
use beamline_proto::pg::{Effect, Scope};
use beamline_term::{Creation, Pid, Term, atom};

#[derive(Debug, Clone)]
enum Event {
    Message { link: u64, to: usize, message: Term },
    Down { to: usize, incarnation: u32, pid: Pid },
}

struct Node {
    scope: Scope,
    incarnation: u32,
    processes: Vec<Pid>,
    /// Processes of anywhere that the scope watches.
    watched: HashSet<Pid>,
    /// What the application asked for.
    joined: BTreeMap<(Term, Pid), usize>,
}

struct World {
    seed: u64,
    now: u64,
    order: u64,
    incarnations: u32,
    nodes: Vec<Node>,
    links: BTreeMap<(usize, usize), u64>,
    events: BinaryHeap<Reverse<(u64, u64)>>,
    contents: BTreeMap<u64, Event>,
    /// When the last event on a way arrives: none overtakes another.
    busy: BTreeMap<(usize, usize), u64>,
}

fn name(index: usize) -> NodeName {
    format!("n{index}@host").parse().expect("a name")
}

fn home(pid: &Pid) -> usize {
    pid.node().as_str()[1..2].parse().expect("a number")
}

impl World {
    fn new(seed: u64, size: usize) -> World {
        let mut world = World {
            seed: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            now: 0,
            order: 0,
            incarnations: 0,
            nodes: Vec::new(),
            links: BTreeMap::new(),
            events: BinaryHeap::new(),
            contents: BTreeMap::new(),
            busy: BTreeMap::new(),
        };
        for index in 0..size {
            let node = world.fresh(index);
            world.nodes.push(node);
        }
        world
    }

    fn fresh(&mut self, index: usize) -> Node {
        self.incarnations += 1;
        let pid = |id| Pid::new(name(index).to_atom(), id, 0, Creation::new(self.incarnations));
        Node {
            scope: Scope::new(pid(1)),
            incarnation: self.incarnations,
            processes: (2..6).map(pid).collect(),
            watched: HashSet::new(),
            joined: BTreeMap::new(),
        }
    }

    fn random(&mut self, bound: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % bound
    }

    fn schedule(&mut self, at: u64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((at, self.order)));
        self.contents.insert(self.order, event);
    }

    fn effects(&mut self, me: usize) {
        while let Some(effect) = self.nodes[me].scope.next_effect() {
            match effect {
                Effect::SendName { node, message } => {
                    let to = (0..self.nodes.len()).find(|index| name(*index) == node).expect("a node");
                    self.send(me, to, message);
                }
                Effect::Send { pid, message } => self.send(me, home(&pid), message),
                Effect::Monitor(pid) => {
                    let to = home(&pid);
                    let lives = to == me || self.links.contains_key(&(me.min(to), me.max(to)));
                    if lives && pid.creation().get() == self.nodes[to].incarnation {
                        self.nodes[me].watched.insert(pid);
                    } else {
                        let (now, incarnation) = (self.now, self.nodes[me].incarnation);
                        self.schedule(now, Event::Down { to: me, incarnation, pid });
                    }
                }
                Effect::Demonitor(pid) => drop(self.nodes[me].watched.remove(&pid)),
                _ => {}
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, message: Term) {
        if let Some(link) = self.links.get(&(from.min(to), from.max(to))).copied() {
            let after = self.now + 1 + self.random(50);
            let busy = self.busy.entry((from, to)).or_default();
            *busy = after.max(*busy + 1);
            let at = *busy;
            self.schedule(at, Event::Message { link, to, message });
        }
    }

    fn connect(&mut self, a: usize, b: usize) {
        let key = (a.min(b), a.max(b));
        if a != b && !self.links.contains_key(&key) {
            self.order += 1;
            self.links.insert(key, self.order);
            for (here, there) in [(a, b), (b, a)] {
                self.nodes[here].scope.node_up(&name(there));
                self.effects(here);
            }
        }
    }

    fn disconnect(&mut self, a: usize, b: usize) {
        if self.links.remove(&(a.min(b), a.max(b))).is_some() {
            for (here, there) in [(a, b), (b, a)] {
                let gone: Vec<Pid> =
                    self.nodes[here].watched.iter().filter(|pid| home(pid) == there).cloned().collect();
                for pid in gone {
                    self.down(here, &pid);
                }
            }
        }
    }

    fn down(&mut self, at: usize, pid: &Pid) {
        if self.nodes[at].watched.remove(pid) {
            self.nodes[at].scope.process_down(pid);
            self.effects(at);
        }
    }

    fn mischief(&mut self) {
        let size = self.nodes.len() as u64;
        let (a, b) = (self.random(size) as usize, self.random(size) as usize);
        let group = Term::from(self.random(3) as i64);
        let which = self.random(4) as usize;
        let pid = self.nodes[a].processes[which].clone();
        match self.random(12) {
            0..=4 => {
                *self.nodes[a].joined.entry((group.clone(), pid.clone())).or_default() += 1;
                self.nodes[a].scope.join(&group, &[pid]);
            }
            5..=6 => {
                let key = (group.clone(), pid.clone());
                let count = self.nodes[a].joined.remove(&key).unwrap_or(0);
                assert_eq!(self.nodes[a].scope.leave(&group, &[pid]), count > 0);
                if count > 1 {
                    self.nodes[a].joined.insert(key, count - 1);
                }
            }
            7 => {
                let number = 100 + self.order;
                let fresh = Pid::new(pid.node().clone(), number as u32, 0, pid.creation());
                self.nodes[a].processes[which] = fresh;
                self.nodes[a].joined.retain(|(_, member), _| *member != pid);
                self.down(a, &pid);
            }
            8..=9 => self.connect(a, b),
            10 => self.disconnect(a, b),
            _ => {
                for other in 0..self.nodes.len() {
                    self.disconnect(a, other);
                }
                self.nodes[a] = self.fresh(a);
            }
        }
        self.effects(a);
    }

    fn run(&mut self, until: u64) {
        while let Some(Reverse((at, order))) = self.events.peek().copied() {
            if at > until {
                break;
            }
            self.events.pop();
            self.now = at;
            match self.contents.remove(&order).expect("it was scheduled") {
                Event::Message { link, to, message } if self.links.values().any(|live| *live == link) => {
                    self.nodes[to].scope.message(&message);
                    self.effects(to);
                }
                Event::Down { to, incarnation, pid } if self.nodes[to].incarnation == incarnation => {
                    self.nodes[to].scope.process_down(&pid);
                    self.effects(to);
                }
                _ => {}
            }
        }
        self.now = until;
    }

    fn check(&self, label: &str) {
        for (here, node) in self.nodes.iter().enumerate() {
            let mut expected: BTreeMap<(Term, Pid), usize> = BTreeMap::new();
            for (there, other) in self.nodes.iter().enumerate() {
                if here == there || self.links.contains_key(&(here.min(there), here.max(there))) {
                    expected.extend(other.joined.clone());
                }
            }
            let mut found: BTreeMap<(Term, Pid), usize> = BTreeMap::new();
            for group in node.scope.groups() {
                for pid in node.scope.members(group).expect("a group").iter() {
                    *found.entry((group.clone(), pid.clone())).or_default() += 1;
                }
            }
            assert_eq!(found, expected, "{label}: what node {here} sees");
            let peers: BTreeSet<usize> = node.scope.peers().map(home).collect();
            assert_eq!(peers.len(), node.scope.peers().count(), "{label}: one scope a node");
        }
    }
}

#[test]
fn memberships_agree_whatever_happened() {
    for seed in 1..=500 {
        let size = 2 + (seed % 4) as usize;
        let mut world = World::new(seed, size);
        for phase in 0..4 {
            for _ in 0..30 {
                world.mischief();
                let pause = [0, 1, 10, 100][world.random(4) as usize];
                let until = world.now + pause;
                world.run(until);
            }
            let until = world.now + 10_000;
            world.run(until);
            world.check(&format!("seed {seed}, phase {phase}"));
        }
    }
}

#[test]
fn the_messages_are_those_of_otp() {
    let pid = |node: &str, id| {
        Pid::new(format!("{node}@h").parse::<NodeName>().expect("a name").to_atom(), id, 0, Creation::new(4))
    };
    let (mut scope, peer) = (Scope::new(pid("a", 1)), pid("b", 1));
    let said = |scope: &mut Scope| -> Vec<String> {
        std::iter::from_fn(|| scope.next_effect())
            .filter_map(|effect| match effect {
                Effect::Send { message, .. } | Effect::SendName { message, .. } => Some(message.to_string()),
                _ => None,
            })
            .collect()
    };
    scope.join(&atom("g").into(), &[pid("a", 7)]);
    scope.node_up(&"b@h".parse().expect("a name"));
    assert_eq!(said(&mut scope), ["{:discover, #PID<a@h.1.0>}"]);
    scope.message(&(atom("discover"), peer.clone(), 1).into());
    let sync = "{:\"$gen_cast\", {:sync, #PID<a@h.1.0>, [g: [#PID<a@h.7.0>]]}}";
    assert_eq!(said(&mut scope), [sync, "{:discover, #PID<a@h.1.0>}"]);
    scope.join(&"x".into(), &[pid("a", 8), pid("a", 8)]);
    scope.leave(&"x".into(), &[pid("a", 8)]);
    scope.process_down(&pid("a", 8));
    let heard = [
        "{:join, #PID<a@h.1.0>, \"x\", [#PID<a@h.8.0>, #PID<a@h.8.0>]}",
        "{:leave, #PID<a@h.1.0>, #PID<a@h.8.0>, [\"x\"]}",
        "{:leave, #PID<a@h.1.0>, #PID<a@h.8.0>, [\"x\"]}",
    ];
    assert_eq!(said(&mut scope), heard);
    // A scope speaks for its own node alone, and what is no message of pg changes nothing.
    for odd in [
        Term::from((atom("join"), peer.clone(), 1, pid("c", 1))),
        (atom("join"), pid("c", 1), 1, pid("c", 2)).into(),
        (atom("leave"), peer.clone(), pid("b", 9), Term::list([1.into()])).into(),
        (atom("sync"), peer.clone(), Term::nil()).into(),
        atom("junk").into(),
    ] {
        scope.message(&odd);
    }
    assert!(said(&mut scope).is_empty());
    assert_eq!(scope.groups().count(), 1);
    scope.message(&(atom("join"), peer.clone(), 1, pid("b", 2)).into());
    assert_eq!(scope.members(&1.into()).expect("members").remote(), [pid("b", 2)]);
    scope.process_down(&peer);
    assert!(scope.members(&1.into()).is_none());
}
