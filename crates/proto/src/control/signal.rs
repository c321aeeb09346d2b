//! Signals that are written without being built: their makers keep the parts, and write many of them.

use beamline_term::codec::encode;
use beamline_term::{Atom, Pid, Reference};

use super::encode::{down, options, spawn_reply};
use super::{Control, Place, SpawnOptions, SpawnRequest, Target};
use crate::flags::Flags;

/// A signal that can be written.
pub trait Signal {
    /// Appends the control tuple, up to the term that belongs to it, in the newest form that these flags allow.
    fn encode(&self, out: &mut Vec<u8>, flags: Flags) -> Place;

    /// The same signal with parts of its own.
    fn to_control(&self) -> Control;
}

impl Signal for Control {
    fn encode(&self, out: &mut Vec<u8>, flags: Flags) -> Place {
        Control::encode(self, out, flags)
    }

    fn to_control(&self) -> Control {
        self.clone()
    }
}

/// As [`SpawnRequest`].
#[derive(Clone, Copy, Debug)]
pub struct Spawn<'a> {
    /// Names the request, and the monitor if one is asked for.
    pub reference: &'a Reference,
    /// Who asks.
    pub from: &'a Pid,
    /// Where the new process writes.
    pub group_leader: &'a Pid,
    /// Module.
    pub module: &'a Atom,
    /// Function.
    pub function: &'a Atom,
    /// How many arguments are said to follow.
    pub arity: i64,
    /// What is asked for beside.
    pub options: SpawnOptions,
}

impl<'a> From<&'a SpawnRequest> for Spawn<'a> {
    fn from(request: &'a SpawnRequest) -> Spawn<'a> {
        let SpawnRequest { reference, from, group_leader, module, function, arity, options } = request;
        Spawn { reference, from, group_leader, module, function, arity: *arity, options: *options }
    }
}

impl Signal for Spawn<'_> {
    fn encode(&self, out: &mut Vec<u8>, _: Flags) -> Place {
        encode::tuple_header(out, 6);
        encode::integer(out, 29);
        encode::reference(out, self.reference);
        encode::pid(out, self.from);
        encode::pid(out, self.group_leader);
        encode::tuple_header(out, 3);
        encode::atom(out, self.module);
        encode::atom(out, self.function);
        encode::integer(out, self.arity);
        options(out, self.options);
        Place::Behind
    }

    fn to_control(&self) -> Control {
        Control::SpawnRequest(Box::new(SpawnRequest {
            reference: self.reference.clone(),
            from: self.from.clone(),
            group_leader: self.group_leader.clone(),
            module: self.module.clone(),
            function: self.function.clone(),
            arity: self.arity,
            options: self.options,
        }))
    }
}

/// As [`Control::SpawnReply`], of success.
#[derive(Clone, Copy, Debug)]
pub struct Started<'a> {
    /// The request.
    pub reference: &'a Reference,
    /// Who asked.
    pub to: &'a Pid,
    /// 1: a link was set; 2: a monitor was set.
    pub flags: u8,
    /// The process.
    pub pid: &'a Pid,
}

impl Signal for Started<'_> {
    fn encode(&self, out: &mut Vec<u8>, _: Flags) -> Place {
        spawn_reply(out, self.reference, self.to, self.flags, Ok(self.pid));
        Place::Nowhere
    }

    fn to_control(&self) -> Control {
        let (reference, to) = (self.reference.clone(), self.to.clone());
        Control::SpawnReply { reference, to, flags: self.flags, result: Ok(self.pid.clone()) }
    }
}

/// As [`Control::MonitorExit`], of a process that was watched by its pid.
#[derive(Clone, Copy, Debug)]
pub struct Down<'a> {
    /// What was watched.
    pub from: &'a Pid,
    /// Who watched.
    pub to: &'a Pid,
    /// Its reference.
    pub reference: &'a Reference,
}

impl Signal for Down<'_> {
    fn encode(&self, out: &mut Vec<u8>, flags: Flags) -> Place {
        down(out, flags, |out| encode::pid(out, self.from), self.to, self.reference)
    }

    fn to_control(&self) -> Control {
        let (from, to) = (Target::Pid(self.from.clone()), self.to.clone());
        Control::MonitorExit { from, to, reference: self.reference.clone() }
    }
}
