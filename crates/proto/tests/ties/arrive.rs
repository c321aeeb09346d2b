//! What a signal does that has arrived, and who is told.

use super::*;

impl World {
    pub(super) fn arrive(&mut self, line: Line, at: usize, control: Control) {
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
    pub(super) fn started(&mut self, line: Line, reference: Reference, own: &Pid, flags: u8, pid: Pid) {
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
    pub(super) fn unwatched_by_name(&mut self, node: usize, reference: &Reference, line: Option<Line>) {
        let here = self.processes.iter_mut().filter(|(pid, _)| node_of(pid) == node);
        for (_, process) in here {
            process.ties.unwatched(reference, line.as_ref());
        }
    }

    pub(super) fn told_exit(&mut self, pid: &Pid, peer: &Pid) {
        let Some(process) = self.processes.get_mut(pid) else { return };
        assert!(process.journal.open.remove(peer), "{pid:?} hears an exit of {peer:?} that it did not wait for");
        *process.journal.ended.entry(peer.clone()).or_default() += 1;
        if !process.traps {
            self.end(&pid.clone());
        }
    }

    pub(super) fn told_down(&mut self, pid: &Pid, reference: &Reference) {
        if let Some(process) = self.processes.get_mut(pid) {
            let known = process.journal.watching.remove(reference);
            assert!(known.is_some(), "{pid:?} hears a DOWN twice, or of a monitor that it took away");
        }
    }
}
