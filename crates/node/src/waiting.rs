//! What waits for the answer to a reference: calls to other nodes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beamline_proto::NodeName;
use beamline_term::{Atom, Reference};
use tokio::sync::oneshot;

use crate::call::Outcome;
use crate::reference::{ByNumber, Numbers};

/// In parts by number, so that calls of several tasks seldom wait for each other.
#[derive(Default)]
pub(crate) struct Waiting([Mutex<HashMap<u64, Entry, ByNumber>>; PARTS]);

const PARTS: usize = 16;

struct Entry {
    peer: NodeName,
    tell: oneshot::Sender<Outcome>,
}

/// A place in the table, given up when dropped.
pub(crate) struct Place {
    waiting: Arc<Waiting>,
    number: u64,
    pub(crate) reference: Reference,
    pub(crate) outcome: oneshot::Receiver<Outcome>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waiting.lock(self.number).remove(&self.number);
    }
}

impl Waiting {
    fn lock(&self, number: u64) -> MutexGuard<'_, HashMap<u64, Entry, ByNumber>> {
        self.0[number as usize % PARTS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn place(self: &Arc<Self>, numbers: &Numbers, peer: &NodeName) -> Place {
        let (reference, number) = numbers.reference();
        let (tell, outcome) = oneshot::channel();
        self.lock(number).insert(number, Entry { peer: peer.clone(), tell });
        Place { waiting: Arc::clone(self), number, reference, outcome }
    }

    /// Tells whoever waits for a reference; the first outcome counts. False if nobody does, as when a call was given up.
    pub(crate) fn settle(&self, numbers: &Numbers, reference: &Reference, outcome: Outcome) -> bool {
        let entry = numbers.number_of(reference).and_then(|number| self.lock(number).remove(&number));
        entry.is_some_and(|entry| {
            let _ = entry.tell.send(outcome);
            true
        })
    }

    /// Tells all who wait for this node that it is gone.
    pub(crate) fn node_down(&self, peer: &Atom) {
        for part in &self.0 {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            let gone: Vec<Entry> = part.extract_if(|_, entry| entry.peer.as_atom() == peer).map(|(_, e)| e).collect();
            drop(part);
            for entry in gone {
                let _ = entry.tell.send(Outcome::Lost);
            }
        }
    }
}
