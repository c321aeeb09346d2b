//! All local processes by number, by registered name and by alias.

use std::sync::Arc;

use beamline_term::{Atom, Pid};

use super::Cell;
use crate::reference::ByNumber;

#[derive(Default)]
pub(crate) struct Table {
    cells: papaya::HashMap<u64, Arc<Cell>, ByNumber>,
    names: papaya::HashMap<Atom, Arc<Cell>, foldhash::fast::RandomState>,
    /// By the number of the reference.
    aliases: papaya::HashMap<u64, Arc<Cell>, ByNumber>,
}

/// Why a process did not get a name of this node. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameTaken {
    /// Another process has it.
    #[error("the name {name} is taken by {pid:?}; choose another, or end that process")]
    Taken {
        /// The name.
        name: Atom,
        /// Who has it.
        pid: Pid,
    },
    /// The process has a name, and can have one only.
    #[error("{pid:?} has the name {name} already; take that away first")]
    HasName {
        /// The name that it has.
        name: Atom,
        /// The process.
        pid: Pid,
    },
    /// It has ended, or is not of this node.
    #[error("{pid:?} is no living process of this node")]
    NoProcess {
        /// The process.
        pid: Pid,
    },
    /// Not every text can be an atom.
    #[error("{text:?} cannot be a name: {source}")]
    NoAtom {
        /// The text.
        text: String,
        /// Why.
        source: beamline_term::AtomError,
    },
}

impl Table {
    pub(crate) fn insert(&self, number: u64, cell: Arc<Cell>) {
        self.cells.pin().insert(number, cell);
    }

    pub(crate) fn remove(&self, number: u64) {
        self.cells.pin().remove(&number);
    }

    pub(crate) fn get(&self, number: u64) -> Option<Arc<Cell>> {
        self.cells.pin().get(&number).cloned()
    }

    pub(crate) fn count(&self) -> usize {
        self.cells.len()
    }

    /// All, the oldest first.
    pub(crate) fn in_order(&self) -> Vec<Arc<Cell>> {
        let mut cells = self.all();
        cells.sort_unstable_by_key(|cell| cell.number);
        cells
    }

    /// What the node knows that they take, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.cells.pin().values().map(|cell| cell.memory()).sum()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Cell>> {
        self.cells.pin().values().cloned().collect()
    }

    /// Gives a name to a process, unless it is taken or the process has one.
    pub(crate) fn register(&self, name: &Atom, cell: &Arc<Cell>) -> Result<(), NameTaken> {
        let names = self.names.pin();
        while let Err(taken) = names.try_insert(name.clone(), Arc::clone(cell)) {
            let holder = taken.current;
            if holder.is_alive() {
                return Err(NameTaken::Taken { name: name.clone(), pid: holder.pid.clone() });
            }
            // It has ended, and its name is about to be taken away.
            self.unregister_from(name, holder);
        }
        let named = cell.set_name(name);
        if named.is_err() {
            names.remove(name);
        }
        named
    }

    /// Takes a name away; false if nobody has it.
    pub(crate) fn unregister(&self, name: &Atom) -> bool {
        match self.names.pin().remove(name) {
            Some(cell) => {
                cell.clear_name();
                true
            }
            None => false,
        }
    }

    /// Takes a name from this process alone, whoever has it by now.
    pub(crate) fn unregister_from(&self, name: &Atom, cell: &Arc<Cell>) {
        // It may have been taken away, or be another's: both are as well.
        let _ = self.names.pin().remove_if(name, |_, holder| Arc::ptr_eq(holder, cell));
    }

    /// Who has a name and has not ended.
    pub(crate) fn whereis(&self, name: &Atom) -> Option<Pid> {
        self.named(name).filter(|cell| cell.is_alive()).map(|cell| cell.pid.clone())
    }

    /// Who has a name, though it may have ended a moment ago.
    pub(crate) fn named(&self, name: &Atom) -> Option<Arc<Cell>> {
        self.names.pin().get(name).cloned()
    }

    pub(crate) fn names(&self) -> Vec<Atom> {
        self.names.pin().keys().cloned().collect()
    }

    pub(crate) fn add_alias(&self, number: u64, cell: &Arc<Cell>) {
        self.aliases.pin().insert(number, Arc::clone(cell));
    }

    pub(crate) fn remove_alias(&self, number: u64) {
        self.aliases.pin().remove(&number);
    }

    pub(crate) fn by_alias(&self, number: u64) -> Option<Arc<Cell>> {
        self.aliases.pin().get(&number).cloned()
    }
}
