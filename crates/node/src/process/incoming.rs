//! Signals that come over a connection, each to the process that it is for. None of these waits.

use std::sync::Arc;

use beamline_proto::control::{Control, Target};
use beamline_proto::ties::Watcher;
use beamline_term::codec::encode;
use beamline_term::{Pid, Reference};
use bytes::Bytes;

use super::message::reason;
use super::roll::Line;
use super::{Cell, Message};
use crate::call::Outcome;
use crate::connection::Connection;
use crate::destination::Destination;
use crate::node::Inner;

impl Inner {
    pub(crate) fn link_arrives(&self, connection: &Arc<Connection>, from: Pid, to: Pid) {
        let line = Line(Arc::clone(connection));
        let cell = self.cell(&to);
        let linked = cell.as_ref().and_then(|cell| {
            // If the connection is lost by now, the peer knows as well.
            cell.with(|state| state.join(&line, cell.number) && state.ties.linked(&from, Some(line)))
        });
        match (linked, cell) {
            (Some(true), Some(cell)) => cell.exit_signal(&from, reason("noconnection")),
            (Some(_), _) => {}
            (None, _) => {
                let exit = Control::Exit { from: to, to: from };
                let _ = connection.send(&exit, |out| encode::atom_str(out, "noproc"));
            }
        }
    }

    pub(crate) fn unlink_arrives(&self, connection: &Arc<Connection>, id: u64, from: Pid, to: Pid) {
        let line = Line(Arc::clone(connection));
        let acknowledge = |from: &Pid, to: &Pid| {
            let _ = connection.send(&Control::UnlinkIdAck { id, from: to.clone(), to: from.clone() }, |_| {});
        };
        let done = self.cell(&to).and_then(|cell| {
            cell.with(|state| {
                state.ties.unlinked(&from, &line);
                // Before the lock is given up: nothing else may go out to that process first.
                acknowledge(&from, &to);
            })
        });
        if done.is_none() {
            acknowledge(&from, &to);
        }
    }

    pub(crate) fn unlink_ack_arrives(&self, connection: &Arc<Connection>, id: u64, from: &Pid, to: &Pid) {
        if let Some(cell) = self.cell(to) {
            let line = Line(Arc::clone(connection));
            cell.with(|state| state.ties.unlink_acknowledged(from, id, &line));
        }
    }

    pub(crate) fn linked_exit_arrives(&self, connection: &Arc<Connection>, from: &Pid, to: &Pid, why: &Bytes) {
        if let Some(cell) = self.cell(to) {
            cell.linked_exit(from, Some(&Line(Arc::clone(connection))), why);
        }
    }

    /// `exit/2` of a peer, to a pid, a name or an alias.
    pub(crate) fn exit_arrives(&self, from: &Pid, to: &Destination, why: Bytes) {
        let cell = match to {
            Destination::Pid(pid) => self.cell(pid),
            Destination::Name(name) | Destination::Remote(name, _) => self.processes.named(name),
            Destination::Alias(alias) => {
                match self.numbers.number_of(alias).and_then(|number| self.processes.by_alias(number)) {
                    Some(cell) if cell.with(|state| state.is_alias(alias)) == Some(true) => Some(cell),
                    _ => None,
                }
            }
        };
        if let Some(cell) = cell {
            cell.exit(from, why);
        }
    }

    pub(crate) fn monitor_arrives(&self, connection: &Arc<Connection>, from: Pid, to: Target, reference: Reference) {
        let line = Line(Arc::clone(connection));
        let (cell, name) = self.target(&to);
        let watched = cell.and_then(|cell| {
            cell.with(|state| {
                if state.join(&line, cell.number) {
                    let watcher = Watcher { pid: from.clone(), name, line: Some(line) };
                    state.ties.watched(reference.clone(), watcher);
                }
            })
        });
        if watched.is_none() {
            let exit = Control::MonitorExit { from: to, to: from, reference };
            let _ = connection.send(&exit, |out| encode::atom_str(out, "noproc"));
        }
    }

    pub(crate) fn demonitor_arrives(&self, connection: &Arc<Connection>, to: &Target, reference: &Reference) {
        let line = Line(Arc::clone(connection));
        let unwatch = |cell: Arc<Cell>| cell.with(|state| state.ties.unwatched(reference, Some(&line))) == Some(true);
        let found = self.target(to).0.is_some_and(unwatch);
        // The name has gone to another process; the one that had it is on the roll of this connection.
        if !found && matches!(to, Target::Name(_)) {
            connection.roll.members().into_iter().filter_map(|number| self.processes.get(number)).any(unwatch);
        }
    }

    pub(crate) fn down_arrives(&self, connection: &Arc<Connection>, to: &Pid, reference: &Reference, why: Bytes) {
        // Calls are made in the name of processes, but it is the call that waits.
        if self.waiting.settle(&self.numbers, reference, Outcome::Down(why.clone())) {
            return;
        }
        if let Some(cell) = self.cell(to) {
            self.down_here(&cell, reference, Some(&Line(Arc::clone(connection))), &why);
        }
    }

    /// A message to an alias: to the call that waits for it, or to the process that has it.
    pub(crate) fn through_alias(&self, alias: &Reference, payload: Bytes) {
        let Some(number) = self.numbers.number_of(alias) else { return };
        let Some(cell) = self.processes.by_alias(number) else {
            self.waiting.settle(&self.numbers, alias, Outcome::Reply(payload));
            return;
        };
        let through = cell.with(|state| {
            let mut through = state.ties.through(alias)?;
            if through.spent {
                self.processes.remove_alias(number);
            }
            if through.unwatched.as_ref().is_some_and(|watch| watch.line.is_some())
                && let Some(watch) = through.unwatched.take()
            {
                self.unwatch(&cell.pid, watch, alias.clone());
            }
            Some(through)
        });
        let Some(Some(through)) = through else { return };
        cell.message(Message::arrived(payload));
        if let Some(watch) = through.unwatched {
            self.unwatch(&cell.pid, watch, alias.clone());
        }
    }

    /// Tells each process what it lost with a connection.
    pub(crate) fn ties_lost(&self, connection: &Arc<Connection>) {
        let line = Line(Arc::clone(connection));
        let noconnection = reason("noconnection");
        for number in connection.roll.close() {
            let Some(cell) = self.processes.get(number) else { continue };
            let Some(lost) = cell.with(|state| state.ties.lost(&line)) else { continue };
            for (reference, watch) in lost.watches {
                if cell.with(|state| state.is_alias(&reference)) == Some(false) {
                    self.forget_alias(&reference);
                }
                let object = (&watch.target, &watch.node);
                cell.message(Message::down(watch.tag.as_ref(), &reference, object, &noconnection));
            }
            for from in lost.links {
                cell.exit_signal(&from, noconnection.clone());
            }
        }
    }
}
