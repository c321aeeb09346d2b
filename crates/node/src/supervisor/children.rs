//! The children of a supervisor in the order of their start, and what is done with them.

use std::time::Duration;

use beamline_term::{Pid, Term};
use tokio::time::Instant;
use tracing::{error, warn};

use super::handle::{ChildCounts, ChildInfo, ChildState, SupervisorError};
use super::intensity::Intensity;
use super::spec::{ChildSpec, Restart, Shutdown};
use super::{Strategy, Supervisor};
use crate::process::{Message, Process};

pub(super) struct Children {
    strategy: Strategy,
    intensity: Intensity,
    list: Vec<Child>,
}

struct Child {
    spec: ChildSpec,
    state: State,
}

#[derive(Clone, PartialEq)]
enum State {
    Running(Pid),
    Stopped,
    /// It did not start again, and is tried once more.
    Restarting,
}

/// What follows from a child's end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// A child must be tried again, when the messages that wait have been looked at.
    TryAgain(String),
    /// Too many restarts.
    GiveUp,
}

impl Children {
    pub(super) fn new(supervisor: &Supervisor) -> Children {
        let intensity = Intensity::new(supervisor.restarts, supervisor.within);
        Children { strategy: supervisor.strategy, intensity, list: Vec::new() }
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.list.iter().position(|child| child.spec.id == id)
    }

    /// Adds a child and starts it.
    pub(super) async fn add(&mut self, me: &Process, spec: ChildSpec) -> Result<Pid, SupervisorError> {
        if let Some(place) = self.place(&spec.id) {
            let id = spec.id;
            return Err(match &self.list[place].state {
                State::Running(pid) => SupervisorError::AlreadyStarted { id, pid: pid.clone() },
                _ => SupervisorError::AlreadyPresent { id },
            });
        }
        match spec.start(me).await {
            Ok(pid) => {
                self.list.push(Child { spec, state: State::Running(pid.clone()) });
                Ok(pid)
            }
            Err(reason) => Err(SupervisorError::NotStarted { id: spec.id, reason }),
        }
    }

    /// A process that was linked has ended. False if it is no child.
    pub(super) async fn exited(&mut self, me: &mut Process, pid: &Pid, reason: &Term) -> Option<Outcome> {
        let place = self.list.iter().position(|child| child.state == State::Running(pid.clone()))?;
        let child = &mut self.list[place];
        let again = child.spec.is_restarted_after(reason);
        if again || child.spec.restart == Restart::Temporary {
            warn!(supervisor = ?me.pid(), child = child.spec.id, ?pid, "a child has ended: {reason}");
        }
        if again {
            return Some(self.restart(me, place).await);
        }
        self.forget(place);
        Some(Outcome::Done)
    }

    /// A child that did not start is tried again, unless somebody did so or took it away.
    pub(super) async fn try_again(&mut self, me: &mut Process, id: String) -> Outcome {
        match self.place(&id) {
            Some(place) if self.list[place].state == State::Restarting => self.restart(me, place).await,
            _ => Outcome::Done,
        }
    }

    /// Leaves a child that is not to run where it is, and a temporary one out.
    fn forget(&mut self, place: usize) {
        self.list[place].state = State::Stopped;
        if self.list[place].spec.restart == Restart::Temporary {
            self.list.remove(place);
        }
    }

    async fn restart(&mut self, me: &mut Process, place: usize) -> Outcome {
        self.list[place].state = State::Stopped;
        if !self.intensity.allows(Instant::now()) {
            error!(supervisor = ?me.pid(), child = self.list[place].spec.id, "too many restarts; the supervisor gives up");
            return Outcome::GiveUp;
        }
        let (first, last) = match self.strategy {
            Strategy::OneForOne => (place, place + 1),
            Strategy::RestForOne => (place, self.list.len()),
            Strategy::OneForAll => (0, self.list.len()),
        };
        let after = self.stop_range(me, first, last).await;
        self.start_range(me, first, after).await
    }

    /// Stops children from the last to the first. Temporary ones are forgotten: nobody starts them again. Gives where the
    /// range ends now.
    async fn stop_range(&mut self, me: &mut Process, first: usize, last: usize) -> usize {
        let mut end = last;
        for place in (first..last).rev() {
            let child = &mut self.list[place];
            if let State::Running(pid) = child.state.clone() {
                stop(me, &pid, &child.spec).await;
            }
            let length = self.list.len();
            self.forget(place);
            end -= length - self.list.len();
        }
        end
    }

    async fn start_range(&mut self, me: &mut Process, first: usize, end: usize) -> Outcome {
        for place in first..end {
            let child = &mut self.list[place];
            match child.spec.start(me).await {
                Ok(pid) => child.state = State::Running(pid),
                Err(reason) => {
                    error!(supervisor = ?me.pid(), child = child.spec.id, "a child did not start again: {reason}");
                    child.state = State::Restarting;
                    return Outcome::TryAgain(child.spec.id.clone());
                }
            }
        }
        Outcome::Done
    }

    /// Stops all children, the last one first.
    pub(super) async fn stop_all(&mut self, me: &mut Process) {
        self.stop_range(me, 0, self.list.len()).await;
    }

    pub(super) async fn terminate(&mut self, me: &mut Process, id: &str) -> Result<(), SupervisorError> {
        let place = self.place(id).ok_or_else(|| not_found(id))?;
        self.stop_range(me, place, place + 1).await;
        Ok(())
    }

    pub(super) async fn restart_by_hand(&mut self, me: &Process, id: &str) -> Result<Pid, SupervisorError> {
        let place = self.place(id).ok_or_else(|| not_found(id))?;
        let child = &mut self.list[place];
        match child.state {
            State::Running(_) => Err(SupervisorError::Running { id: id.to_owned() }),
            State::Restarting => Err(SupervisorError::Restarting { id: id.to_owned() }),
            State::Stopped => match child.spec.start(me).await {
                Ok(pid) => {
                    child.state = State::Running(pid.clone());
                    Ok(pid)
                }
                Err(reason) => Err(SupervisorError::NotStarted { id: id.to_owned(), reason }),
            },
        }
    }

    pub(super) fn delete(&mut self, id: &str) -> Result<(), SupervisorError> {
        let place = self.place(id).ok_or_else(|| not_found(id))?;
        match self.list[place].state {
            State::Running(_) => Err(SupervisorError::Running { id: id.to_owned() }),
            State::Restarting => Err(SupervisorError::Restarting { id: id.to_owned() }),
            State::Stopped => {
                self.list.remove(place);
                Ok(())
            }
        }
    }

    pub(super) fn info(&self) -> Vec<ChildInfo> {
        let of = |child: &Child| ChildInfo {
            id: child.spec.id.clone(),
            state: match child.state {
                State::Running(_) => ChildState::Running,
                State::Stopped => ChildState::Stopped,
                State::Restarting => ChildState::Restarting,
            },
            pid: match &child.state {
                State::Running(pid) => Some(pid.clone()),
                _ => None,
            },
            is_supervisor: child.spec.is_supervisor,
        };
        self.list.iter().map(of).collect()
    }

    pub(super) fn counts(&self) -> ChildCounts {
        let supervisors = self.list.iter().filter(|child| child.spec.is_supervisor).count();
        let active = self.list.iter().filter(|child| matches!(child.state, State::Running(_))).count();
        ChildCounts { specs: self.list.len(), active, supervisors, workers: self.list.len() - supervisors }
    }
}

fn not_found(id: &str) -> SupervisorError {
    SupervisorError::NotFound { id: id.to_owned() }
}

/// Stops one child, as its specification says, and waits for its end.
async fn stop(me: &mut Process, pid: &Pid, spec: &ChildSpec) {
    let monitor = me.monitor(pid);
    // From here on its end is told by the monitor alone, and what the link told before is taken out of the mailbox.
    me.unlink(pid);
    let is_exit = |message: &Message| message.as_exit().is_some_and(|exit| exit.from == *pid);
    me.receive_matching_within(Duration::ZERO, is_exit).await;
    let wait = match spec.shutdown {
        Shutdown::BrutalKill => None,
        Shutdown::Timeout(time) => Some(time),
        Shutdown::Infinity => Some(Duration::MAX),
    };
    if let Some(time) = wait {
        me.send_exit(pid, beamline_term::atom("shutdown"));
        let down = |message: &Message| message.as_down().is_some_and(|down| down.reference == monitor);
        if me.receive_matching_within(time, down).await.is_some() {
            return;
        }
        warn!(supervisor = ?me.pid(), child = spec.id, "a child did not stop within {time:?} and is killed");
    }
    me.send_exit(pid, beamline_term::atom("kill"));
    me.receive_down(&monitor).await;
}
