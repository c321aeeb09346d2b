//! Where a message goes, and what can be taken for it.

use beamline_proto::NodeName;
use beamline_proto::control::Target;
use beamline_term::{Atom, Pid, Reference};

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Destination {
    /// A process.
    Pid(Pid),
    /// A registered name of this node.
    Name(Atom),
    /// A registered name of another.
    Remote(Atom, NodeName),
    /// A reference that a process made its alias.
    Alias(Reference),
}

impl From<Pid> for Destination {
    fn from(pid: Pid) -> Destination {
        Destination::Pid(pid)
    }
}

impl From<Atom> for Destination {
    fn from(name: Atom) -> Destination {
        Destination::Name(name)
    }
}

impl From<Target> for Destination {
    fn from(target: Target) -> Destination {
        match target {
            Target::Pid(pid) => Destination::Pid(pid),
            Target::Name(name) => Destination::Name(name),
        }
    }
}

impl From<&Reference> for Destination {
    fn from(alias: &Reference) -> Destination {
        Destination::Alias(alias.clone())
    }
}

impl From<&Pid> for Destination {
    fn from(pid: &Pid) -> Destination {
        Destination::Pid(pid.clone())
    }
}

impl From<&'static str> for Destination {
    fn from(name: &'static str) -> Destination {
        Destination::Name(Atom::from_static(name))
    }
}

impl From<(&'static str, &NodeName)> for Destination {
    fn from((name, node): (&'static str, &NodeName)) -> Destination {
        Destination::Remote(Atom::from_static(name), node.clone())
    }
}

impl From<(Atom, &NodeName)> for Destination {
    fn from((name, node): (Atom, &NodeName)) -> Destination {
        Destination::Remote(name, node.clone())
    }
}
