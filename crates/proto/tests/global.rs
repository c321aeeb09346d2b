//! Cores of `global` over a virtual network, under seeds: whatever happened, once it is quiet all members of a component
//! have the same table, no name has a dead owner, no lock is left, and `sync` completes.
//!
//! [`World`] is at the same time the compact example of a shell: see `World::effect`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashSet};
use std::time::Duration;

use beamline_proto::NodeName;
use beamline_proto::global::{
    CallFailure, CallId, Completion, Config, Effect, Global, LockId, Method, RequestId, resolve,
};
use beamline_term::{Atom, Creation, Pid, Term, atom};

type Connection = u64;

#[derive(Debug, Clone)]
enum Event {
    /// Comes over a connection, unless that has ended.
    Arrive(Connection, NodeName, Parcel),
    Dial(NodeName, NodeName, u32),
    /// The next deadline of a core, as it was when this was noted.
    Tick(NodeName, u32),
    /// Asked for by a node of itself.
    Local(NodeName, u32, Parcel),
}

#[derive(Debug, Clone)]
enum Parcel {
    Message(Term),
    Reply(CallId, Term),
    Failed(CallId),
    NoReply(CallId),
    Rpc(CallId, NodeName, Vec<Term>),
    RpcReply(CallId, Term),
    Watch(Pid, NodeName),
    Down(Pid),
    Kill(Pid),
}

struct Node {
    core: Global,
    incarnation: u32,
    tick: Option<Duration>,
    processes: u32,
    watchers: BTreeSet<(Pid, NodeName)>,
}

struct World {
    now: Duration,
    seed: u64,
    order: u64,
    events: BinaryHeap<Reverse<(Duration, u64)>>,
    contents: BTreeMap<u64, Event>,
    nodes: BTreeMap<NodeName, Node>,
    incarnations: u32,
    links: BTreeMap<(NodeName, NodeName), Connection>,
    blocked: BTreeSet<(NodeName, NodeName)>,
    alive: HashSet<Pid>,
    requests: u64,
    completed: BTreeMap<RequestId, Completion>,
    overlap: bool,
    /// Nodes that are started now take no part.
    apart: bool,
    trace: bool,
}

fn name(index: usize) -> NodeName {
    format!("n{index}@host{}", index % 2).parse().expect("a node's name")
}

fn pair(a: &NodeName, b: &NodeName) -> (NodeName, NodeName) {
    if a < b { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) }
}

impl World {
    fn new(seed: u64, size: usize) -> World {
        let mut world = World {
            now: Duration::ZERO,
            seed,
            order: 0,
            events: BinaryHeap::new(),
            contents: BTreeMap::new(),
            nodes: BTreeMap::new(),
            incarnations: 0,
            links: BTreeMap::new(),
            blocked: BTreeSet::new(),
            alive: HashSet::new(),
            requests: 0,
            completed: BTreeMap::new(),
            overlap: false,
            apart: false,
            trace: std::env::var_os("GLOBAL_TRACE").is_some(),
        };
        for index in 0..size {
            world.start(&name(index));
        }
        world
    }

    fn random(&mut self, bound: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % bound
    }

    fn start(&mut self, node: &NodeName) {
        self.incarnations += 1;
        let creation = Creation::new(self.incarnations);
        let pid = |id| Pid::new(node.to_atom(), id, 0, creation);
        let config = Config {
            node: node.clone(),
            name_server: pid(1),
            locker: pid(2),
            connect_all: !self.apart,
            prevent_overlapping_partitions: !self.overlap,
            seed: self.random(u64::MAX),
        };
        self.alive.extend([pid(1), pid(2)]);
        let core = Global::new(config);
        let (incarnation, watchers) = (self.incarnations, BTreeSet::new());
        self.nodes.insert(node.clone(), Node { core, incarnation, tick: None, processes: 10, watchers });
    }

    fn kill(&mut self, node: &NodeName) {
        self.nodes.remove(node);
        self.alive.retain(|pid| pid.node() != node.as_atom());
        let peers: Vec<_> = self.links.keys().filter(|(a, b)| a == node || b == node).cloned().collect();
        for (a, b) in peers {
            self.unlink(&a, &b);
        }
    }

    fn spawn(&mut self, node: &NodeName) -> Pid {
        let entry = self.nodes.get_mut(node).expect("a running node");
        entry.processes += 1;
        let pid = Pid::new(node.to_atom(), entry.processes, 0, Creation::new(entry.incarnation));
        self.alive.insert(pid.clone());
        pid
    }

    fn end(&mut self, pid: &Pid) {
        if !self.alive.remove(pid) {
            return;
        }
        let home = NodeName::from_atom(pid.node()).expect("a node's name");
        let Some(node) = self.nodes.get_mut(&home) else { return };
        let watchers: Vec<_> = node.watchers.iter().filter(|(of, _)| of == pid).cloned().collect();
        for (pid, watcher) in watchers {
            self.post(&home, &watcher, Parcel::Down(pid));
        }
    }

    fn request(&mut self, node: &NodeName, act: impl FnOnce(&mut Global, RequestId, Duration)) -> RequestId {
        self.requests += 1;
        let (id, now) = (RequestId(self.requests), self.now);
        act(&mut self.nodes.get_mut(node).expect("a running node").core, id, now);
        self.carry_out(node);
        id
    }

    // Connections.

    fn dial(&mut self, from: &NodeName, to: &NodeName) {
        let (delay, incarnation) = (2 * self.delay(from, to), self.nodes[from].incarnation);
        self.schedule(delay, Event::Dial(from.clone(), to.clone(), incarnation));
    }

    fn link(&mut self, a: &NodeName, b: &NodeName) -> bool {
        let key = pair(a, b);
        if self.links.contains_key(&key) {
            return true;
        }
        if self.blocked.contains(&key) || !self.nodes.contains_key(a) || !self.nodes.contains_key(b) {
            return false;
        }
        self.order += 1;
        self.links.insert(key, self.order);
        let now = self.now;
        for (here, there) in [(a, b), (b, a)] {
            self.with(here, |core| core.node_up(there, now));
        }
        true
    }

    fn unlink(&mut self, a: &NodeName, b: &NodeName) {
        if self.links.remove(&pair(a, b)).is_none() {
            return;
        }
        let now = self.now;
        for (here, there) in [(a, b), (b, a)] {
            if let Some(node) = self.nodes.get_mut(here) {
                node.watchers.retain(|(_, watcher)| watcher != there);
            }
            self.with(here, |core| core.node_down(there, false, now));
        }
    }

    /// Every pair has its own, so that messages overtake each other on different ways.
    fn delay(&self, a: &NodeName, b: &NodeName) -> Duration {
        let (a, b) = pair(a, b);
        let sum =
            a.as_str().bytes().chain(b.as_str().bytes()).fold(7u64, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte));
        Duration::from_micros(100 + sum % 5000)
    }

    fn schedule(&mut self, after: Duration, event: Event) {
        self.order += 1;
        self.events.push(Reverse((self.now + after, self.order)));
        self.contents.insert(self.order, event);
    }

    fn post(&mut self, from: &NodeName, to: &NodeName, parcel: Parcel) {
        if from == to {
            let incarnation = self.nodes[from].incarnation;
            return self.schedule(Duration::ZERO, Event::Local(to.clone(), incarnation, parcel));
        }
        if let Some(connection) = self.links.get(&pair(from, to)).copied() {
            let delay = self.delay(from, to);
            self.schedule(delay, Event::Arrive(connection, to.clone(), parcel));
        }
    }

    // The shell.

    fn with(&mut self, node: &NodeName, act: impl FnOnce(&mut Global)) {
        if let Some(entry) = self.nodes.get_mut(node) {
            act(&mut entry.core);
            self.carry_out(node);
        }
    }

    fn carry_out(&mut self, node: &NodeName) {
        while let Some(effect) = self.nodes.get_mut(node).and_then(|entry| entry.core.next_effect()) {
            self.effect(node, effect);
        }
        let Some(entry) = self.nodes.get_mut(node) else { return };
        let deadline = entry.core.next_deadline();
        if deadline != entry.tick {
            entry.tick = deadline;
            let incarnation = entry.incarnation;
            if let Some(deadline) = deadline {
                self.schedule(deadline.saturating_sub(self.now), Event::Tick(node.clone(), incarnation));
            }
        }
    }

    fn effect(&mut self, me: &NodeName, effect: Effect) {
        if self.trace {
            println!("{:?} {me}: {effect:?}", self.now);
        }
        let home = |pid: &Pid| NodeName::from_atom(pid.node()).expect("a node's name");
        match effect {
            Effect::Send { node, message } => self.post(me, &node, Parcel::Message(message)),
            Effect::SendPid { pid, message } => {
                // A locker of another version reads these itself; ours takes them through the name server.
                self.post(me, &home(&pid), Parcel::Message((atom("$gen_cast"), message).into()));
            }
            Effect::Call { id, node, from, request } => {
                // It may have been given up a moment ago, by an effect before this one.
                if !self.links.contains_key(&pair(me, &node)) {
                    return self.post(me, me, Parcel::NoReply(id));
                }
                let call = (atom("$gen_call"), (from, id.0), request).into();
                self.post(me, &node, Parcel::Message(call));
            }
            Effect::Reply { to, reply } => {
                let [pid, tag] = to.as_tuple().expect("a caller") else { panic!("not a caller: {to}") };
                let id = CallId(tag.as_u64().expect("a tag of this test"));
                self.post(me, &home(pid.as_pid().expect("a pid")), Parcel::Reply(id, reply));
            }
            Effect::Rpc { id, node, function, arguments, .. } => {
                assert!(function.is_atom("resolve_it"));
                if node != *me && !self.links.contains_key(&pair(me, &node)) {
                    return self.post(me, me, Parcel::Failed(id));
                }
                self.post(me, &node, Parcel::Rpc(id, me.clone(), arguments));
            }
            Effect::Connect(node) => self.dial(me, &node),
            Effect::Disconnect(node) => self.unlink(me, &node),
            Effect::Monitor(pid) => {
                let home = home(&pid);
                if home == *me || self.links.contains_key(&pair(me, &home)) {
                    self.post(me, &home, Parcel::Watch(pid, me.clone()));
                } else {
                    self.post(me, me, Parcel::Down(pid));
                }
            }
            Effect::Kill(pid) => self.post(me, &home(&pid), Parcel::Kill(pid)),
            Effect::Complete { request, completion } => {
                self.completed.insert(request, completion);
            }
            // A monitor that is not taken away fires for nothing, which a core must stand.
            Effect::Demonitor(_) | Effect::Name { .. } | Effect::Warn(_) => {}
            other => panic!("an effect that this shell does not know: {other:?}"),
        }
    }

    fn receive(&mut self, me: &NodeName, parcel: Parcel) {
        let now = self.now;
        match parcel {
            Parcel::Message(message) => self.with(me, |core| core.message(&message, now)),
            Parcel::Reply(id, reply) => self.with(me, |core| core.reply(id, Ok(reply), now)),
            Parcel::NoReply(id) => self.with(me, |core| core.reply(id, Err(CallFailure::NodeDown), now)),
            Parcel::Failed(id) => self.with(me, |core| core.rpc_reply(id, Err(CallFailure::NodeDown), now)),
            Parcel::RpcReply(id, reply) => self.with(me, |core| core.rpc_reply(id, Ok(reply), now)),
            Parcel::Rpc(id, caller, arguments) => {
                let [method, name, first, second] = arguments.as_slice() else { panic!("four arguments") };
                let (first, second) = (first.as_pid().expect("a pid"), second.as_pid().expect("a pid"));
                let outcome = resolve(&Method::from_term(method), name, first, second).expect("a method of global");
                if let Some(loser) = &outcome.kill {
                    self.effect(me, Effect::Kill(loser.clone()));
                }
                self.post(me, &caller, Parcel::RpcReply(id, outcome.to_term()));
            }
            Parcel::Watch(pid, watcher) => {
                if self.alive.contains(&pid) {
                    self.nodes.get_mut(me).expect("a running node").watchers.insert((pid, watcher));
                } else {
                    self.post(me, &watcher, Parcel::Down(pid));
                }
            }
            Parcel::Down(pid) => self.with(me, |core| core.process_down(&pid, now)),
            Parcel::Kill(pid) => self.end(&pid),
        }
    }

    /// Lets time pass.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(Reverse((at, order))) = self.events.peek().copied() {
            if at > end {
                break;
            }
            self.events.pop();
            self.now = at;
            let now = at;
            match self.contents.remove(&order).expect("what was scheduled") {
                Event::Arrive(connection, to, parcel) => {
                    if self.links.iter().any(|((a, b), link)| *link == connection && (*a == to || *b == to)) {
                        self.receive(&to, parcel);
                    }
                }
                Event::Local(node, incarnation, parcel) => {
                    if self.is_running(&node, incarnation) {
                        self.receive(&node, parcel);
                    }
                }
                Event::Dial(from, to, incarnation) => {
                    if self.is_running(&from, incarnation) && !self.link(&from, &to) {
                        self.with(&from, |core| core.connect_failed(&to, now));
                    }
                }
                Event::Tick(node, incarnation) => {
                    if self.is_running(&node, incarnation) && self.nodes[&node].tick.is_some_and(|due| due <= now) {
                        self.nodes.get_mut(&node).expect("a running node").tick = None;
                        self.with(&node, |core| core.tick(now));
                    }
                }
            }
        }
        self.now = end;
    }

    fn is_running(&self, node: &NodeName, incarnation: u32) -> bool {
        self.nodes.get(node).is_some_and(|entry| entry.incarnation == incarnation)
    }

    /// Connects all that can be, as a discovery strategy does, until nothing changes.
    fn calm(&mut self) {
        for _ in 0..12 {
            let nodes: Vec<_> = self.nodes.keys().cloned().collect();
            for (index, a) in nodes.iter().enumerate() {
                for b in &nodes[index + 1..] {
                    if !self.links.contains_key(&pair(a, b)) {
                        self.link(a, b);
                    }
                }
            }
            self.run(Duration::from_secs(5));
        }
    }

    fn table(&self, node: &NodeName) -> BTreeMap<String, Pid> {
        self.nodes[node].core.registered().map(|(name, pid)| (name.to_string(), pid.clone())).collect()
    }

    /// What must hold when it is quiet.
    fn check(&mut self, label: &str) {
        let nodes: Vec<_> = self.nodes.keys().cloned().collect();
        for node in &nodes {
            let group: Vec<_> = nodes.iter().filter(|other| !self.blocked.contains(&pair(node, other))).collect();
            let others: BTreeSet<_> = group.iter().copied().filter(|other| *other != node).cloned().collect();
            let known: BTreeSet<_> = self.nodes[node].core.known().cloned().collect();
            assert_eq!(known, others, "{label}: whom {node} knows");
            let locks: Vec<_> = self.nodes[node].core.locks().collect();
            assert!(locks.is_empty(), "{label}: locks left on {node}: {locks:?}");
            let table = self.table(node);
            for (name, pid) in &table {
                assert!(self.alive.contains(pid), "{label}: {name} on {node} is of dead {pid:?}");
            }
            for other in group {
                assert_eq!(table, self.table(other), "{label}: tables of {node} and {other}");
            }
        }
        for node in &nodes {
            let sync = self.request(node, |core, id, now| core.sync(id, now));
            assert_eq!(self.completed.get(&sync), Some(&Completion::Done), "{label}: sync on {node}");
        }
    }

    fn mischief(&mut self, size: usize) {
        let node = name(self.random(size as u64) as usize);
        let other = name(self.random(size as u64) as usize);
        let name = Term::Integer(self.random(6) as i64);
        let running = self.nodes.contains_key(&node);
        match self.random(20) {
            0..=6 if running => {
                let pid = self.spawn(&node);
                self.request(&node, |core, id, now| core.register(id, name, pid, now));
            }
            7 if running => {
                let pid = self.spawn(&node);
                let method = Method::RandomExit;
                self.request(&node, |core, id, now| core.re_register(id, name, pid, &method, now));
            }
            8 if running => {
                self.request(&node, |core, id, now| core.unregister(id, name, now));
            }
            9..=11 if running => {
                let mut pids: Vec<_> =
                    self.alive.iter().filter(|pid| pid.node() == node.as_atom() && pid.id() > 10).cloned().collect();
                pids.sort();
                if !pids.is_empty() {
                    let chosen = self.random(pids.len() as u64) as usize;
                    self.end(&pids[chosen].clone());
                }
            }
            12..=14 if node != other && running => {
                self.link(&node, &other);
            }
            // Without prevention, a node between two that lost each other sees names that one of them does not: OTP too.
            15 if node != other && !self.overlap => self.unlink(&node, &other),
            16 => self.kill(&node),
            17..=18 if !running => self.start(&node),
            19 if running => {
                let pid = self.spawn(&node);
                let lock = LockId { resource: atom("job").into(), requester: pid.clone().into() };
                let nodes: Vec<_> = self.nodes[&node].core.visible().cloned().chain([node.clone()]).collect();
                self.request(&node, |core, id, now| core.set_lock(id, pid.clone(), lock, nodes, Some(1), now));
                if self.random(2) == 0 {
                    self.run(Duration::from_millis(1));
                }
                self.end(&pid);
            }
            _ => {}
        }
    }

    /// Divides the nodes in two, or unites them.
    fn divide(&mut self, size: usize) {
        let sides = if self.random(2) == 0 { 0 } else { self.random(1 << size) };
        self.blocked.clear();
        for a in 0..size {
            for b in a + 1..size {
                if (sides >> a) & 1 != (sides >> b) & 1 {
                    self.blocked.insert(pair(&name(a), &name(b)));
                    self.unlink(&name(a), &name(b));
                }
            }
        }
    }
}

fn schedule(seed: u64) {
    let mut world = World::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, 0);
    let size = 2 + world.random(4) as usize;
    world.overlap = world.random(3) == 0;
    for index in 0..size {
        world.start(&name(index));
    }
    for phase in 0..3 {
        world.divide(size);
        for _ in 0..20 {
            world.mischief(size);
            let pause = [0, 1, 20, 400][world.random(4) as usize];
            world.run(Duration::from_millis(pause));
        }
        // Whatever locks the test's own processes hold goes with them.
        world.calm();
        world.check(&format!("seed {seed}, phase {phase}"));
    }
}

#[test]
fn tables_agree_whatever_happened() {
    let count = std::env::var("GLOBAL_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2000);
    let first = std::env::var("GLOBAL_FIRST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut failed = Vec::new();
    for seed in first..first + count {
        if std::panic::catch_unwind(|| schedule(seed)).is_err() {
            failed.push(seed);
        }
    }
    assert!(failed.is_empty(), "{} of {count} seeds failed: {failed:?}", failed.len());
}

/// A visible node without `connect_all` has names of its own, and nobody waits for it.
#[test]
fn nobody_waits_for_a_node_that_takes_no_part() {
    let mut world = World::new(7, 2);
    world.apart = true;
    world.start(&name(2));
    let everybody = [name(0), name(1), name(2)];
    world.link(&name(0), &name(1));
    world.link(&name(0), &name(2));
    let sync = everybody.each_ref().map(|node| world.request(node, |core, id, now| core.sync(id, now)));
    world.run(Duration::from_secs(20));
    for sync in sync {
        assert_eq!(world.completed.get(&sync), Some(&Completion::Done));
    }
    for node in &everybody {
        let pid = world.spawn(node);
        let name: Term = Atom::new(node.alive()).expect("short").into();
        let register = world.request(node, |core, id, now| core.register(id, name, pid, now));
        world.run(Duration::from_secs(20));
        assert_eq!(world.completed.get(&register), Some(&Completion::Done), "{node}");
    }
    let names = everybody.each_ref().map(|node| world.table(node).into_keys().collect::<Vec<_>>());
    assert_eq!(names, [vec![":n0", ":n1"], vec![":n0", ":n1"], vec![":n2"]]);
    assert_eq!(world.nodes[&name(0)].core.known().cloned().collect::<Vec<_>>(), [name(1)]);
    // Nothing goes back and forth for ever.
    world.run(Duration::from_secs(60));
    assert!(world.events.is_empty());
}
