//! That all were told once, and nothing is left.

use super::*;

impl World {
    pub(super) fn settle(&mut self) {
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

    pub(super) fn check(&self) {
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
    pub(super) fn let_go(&mut self) {
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
