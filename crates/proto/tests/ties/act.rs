//! What processes and nodes do, and which of it a seed lets happen.

use super::*;

impl World {
    pub(super) fn end(&mut self, pid: &Pid) {
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

    pub(super) fn demonitor_out(&mut self, from: &Pid, reference: Reference, watch: Watch<Line>) {
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

    pub(super) fn link(&mut self, own: &Pid, peer: &Pid) {
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

    pub(super) fn unlink(&mut self, own: &Pid, peer: &Pid) {
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

    pub(super) fn monitor(&mut self, own: &Pid, object: &Object) {
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
    pub(super) fn spawn_on(&mut self, own: &Pid, there: usize) {
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

    pub(super) fn demonitor(&mut self, own: &Pid, reference: &Reference) {
        if let Some(watch) = self.process(own).ties.unwatch(reference) {
            self.process(own).journal.watching.remove(reference);
            self.demonitor_out(own, reference.clone(), watch);
        }
    }

    pub(super) fn mischief(&mut self) {
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

    pub(super) fn restart(&mut self, node: usize) {
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
}
