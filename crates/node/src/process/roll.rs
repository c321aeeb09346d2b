//! Which processes have ties over a connection: those must hear when it is lost, and nobody else need be asked.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::connection::Connection;
use crate::reference::ByNumber;

/// The processes tied over one connection, by number.
#[derive(Debug)]
pub(crate) struct Roll(Mutex<Option<HashSet<u64, ByNumber>>>);

impl Default for Roll {
    fn default() -> Roll {
        Roll(Mutex::new(Some(HashSet::default())))
    }
}

impl Roll {
    fn lock(&self) -> MutexGuard<'_, Option<HashSet<u64, ByNumber>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False when the connection is lost.
    pub(super) fn join(&self, number: u64) -> bool {
        match &mut *self.lock() {
            Some(members) => {
                members.insert(number);
                true
            }
            None => false,
        }
    }

    pub(super) fn leave(&self, number: u64) {
        if let Some(members) = &mut *self.lock() {
            members.remove(&number);
        }
    }

    /// The connection is lost; who must hear of it is given once.
    pub(crate) fn close(&self) -> HashSet<u64, ByNumber> {
        self.lock().take().unwrap_or_default()
    }

    pub(super) fn members(&self) -> Vec<u64> {
        self.lock().iter().flatten().copied().collect()
    }
}

/// A connection as a tie knows it. Two are the same if they are one connection, whatever their peers are called.
#[derive(Clone, Debug)]
pub(crate) struct Line(pub(crate) Arc<Connection>);

impl PartialEq for Line {
    fn eq(&self, other: &Line) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Line {
    pub(super) fn roll(&self) -> &Roll {
        &self.0.roll
    }
}
