//! All local processes by number and by registered name.

use std::sync::Arc;

use beamline_term::{Atom, Pid};

use super::Cell;

#[derive(Default)]
pub(crate) struct Table {
    cells: papaya::HashMap<u64, Arc<Cell>>,
    names: papaya::HashMap<Atom, Arc<Cell>>,
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

    pub(crate) fn all(&self) -> Vec<Arc<Cell>> {
        self.cells.pin().values().cloned().collect()
    }

    /// Gives a name to a process, unless it is taken.
    pub(crate) fn register(&self, name: &Atom, cell: &Arc<Cell>) -> Result<(), Pid> {
        match self.names.pin().try_insert(name.clone(), Arc::clone(cell)) {
            Ok(_) => {
                if !cell.add_name(name) {
                    self.names.pin().remove(name);
                }
                Ok(())
            }
            Err(taken) => Err(taken.current.pid.clone()),
        }
    }

    pub(crate) fn unregister(&self, name: &Atom) {
        self.names.pin().remove(name);
    }

    pub(crate) fn named(&self, name: &Atom) -> Option<Arc<Cell>> {
        self.names.pin().get(name).cloned()
    }

    pub(crate) fn names(&self) -> Vec<Atom> {
        self.names.pin().keys().cloned().collect()
    }
}
