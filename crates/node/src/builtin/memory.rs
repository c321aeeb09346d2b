//! `erlang:memory/0,1`: what the program takes, in the classes that BEAM's tools show.
//!
//! The total is what the system says that the program has in memory; where it does not say, what the node knows of. What is
//! not a process counts as `system`, the code of the program and what is queued toward peers (`binary`) included. Atoms are
//! part of the terms that they stand in, and tables are the program's own, so both are 0.

use beamline_term::{Atom, Term, atom};

use super::badarg;
use crate::functions::Raise;
use crate::node::Inner;

/// Bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    pub(super) total: u64,
    pub(super) processes: u64,
    binary: u64,
    code: u64,
}

impl Memory {
    pub(super) fn of(node: &Inner) -> Memory {
        let processes = node.processes.memory() as u64;
        let binary = node.slots.all().iter().map(|connection| connection.queued() as u64).sum();
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let size = |name| kilobytes(&status, name);
        let resident = size("VmRSS:");
        // Of the code only what is in memory counts.
        let code = size("VmExe:").unwrap_or(0).min(size("RssFile:").unwrap_or(0));
        let known = processes + binary;
        Memory { total: resident.unwrap_or(0).max(known), processes, binary, code }
    }

    fn classes(self) -> [(&'static str, u64); 9] {
        let Memory { total, processes, binary, code } = self;
        [
            ("total", total),
            ("processes", processes),
            ("processes_used", processes),
            ("system", total.saturating_sub(processes)),
            ("atom", 0),
            ("atom_used", 0),
            ("binary", binary),
            ("code", code),
            ("ets", 0),
        ]
    }

    fn class(self, name: &Atom) -> Option<u64> {
        self.classes().into_iter().find(|(class, _)| *name == **class).map(|(_, bytes)| bytes)
    }

    /// `[{Class, Bytes}]`
    pub(super) fn to_list(self) -> Vec<Term> {
        self.classes().into_iter().map(|(class, bytes)| (atom(class), bytes).into()).collect()
    }
}

/// A line as `VmRSS:      5120 kB`, in bytes.
fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// All classes.
pub(super) fn all(node: &Inner) -> Term {
    Term::list(Memory::of(node).to_list())
}

/// One class, or those in a list.
pub(super) fn item(node: &Inner, item: &Term) -> Result<Term, Raise> {
    let memory = Memory::of(node);
    let one =
        |item: &Term| item.as_atom().and_then(|name| Some((name.clone(), memory.class(name)?))).ok_or_else(badarg);
    match item.as_list() {
        Some(items) => {
            let classes = items.iter().map(|item| one(&item).map(Term::from)).collect::<Result<Vec<_>, _>>();
            classes.map(Term::list)
        }
        None => one(item).map(|(_, bytes)| bytes.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_system_says() {
        let status = "Name:\tapp\nVmRSS:\t    5120 kB\nVmExe:\t     bad kB\n";
        assert_eq!(kilobytes(status, "VmRSS:"), Some(5120 * 1024));
        assert_eq!((kilobytes(status, "VmExe:"), kilobytes(status, "VmLib:")), (None, None));
    }

    #[test]
    fn processes_and_system_are_all() {
        let memory = Memory { total: 100, processes: 30, binary: 20, code: 10 };
        assert_eq!(memory.class(&atom("system")), Some(70));
        assert_eq!(memory.class(&atom("binaries")), None);
        assert_eq!(memory.to_list().len(), 9);
    }
}
