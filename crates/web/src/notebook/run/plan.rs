//! What runs when, and what of that still holds: the rules of a notebook, with no node, no task and no clock in them.
//!
//! Whether a cell is fresh is not kept but found out: it has the text that was evaluated, on top of the evaluation of the
//! cell above that is still that one's last, and that cell is fresh itself. So no order of edits, moves and runs can
//! leave a cell fresh that would give something else from the start.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::outline::{CellId, CodeCell, Lane, Language, Order, Outline, SectionId};

/// One evaluation of a cell; later ones have higher numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct Evaluation(pub u64);

/// How it is with a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub(crate) enum Mark {
    /// It has not been evaluated.
    New,
    /// It waits for its turn.
    Queued,
    /// It runs.
    Evaluating,
    /// What it gave holds.
    Fresh,
    /// It failed, and would again: nothing has changed.
    Failed,
    /// It, or something above it, has changed since, or the node has gone.
    Stale,
    /// It was given up: somebody cancelled it, the node went, or a cell above it failed.
    Aborted,
    /// It is of a language that is shown and not run.
    NotRun,
}

/// What is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Ask {
    /// That cell, and before it those above it that have not been evaluated.
    Cell(CellId),
    /// All cells of a section.
    Section(SectionId),
    /// Everything that is not fresh, but for what failed and would again.
    Stale,
    /// Everything.
    All,
}

/// How an evaluation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Those below see what it bound.
    Value,
    /// Those below see what those above it bound.
    Failed,
    /// It was ended.
    Aborted,
}

/// A cell that is to be evaluated now.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) cell: CodeCell,
    pub(super) number: Evaluation,
    pub(super) lane: Lane,
    /// The nearest above whose variables it sees.
    pub(super) context: Option<CellId>,
}

/// The plan of one notebook at one node.
#[derive(Debug, Default)]
pub(super) struct Plan {
    order: Order,
    records: HashMap<CellId, Record>,
    pending: HashMap<CellId, Pending>,
    aborted: HashSet<CellId>,
    last: u64,
}

/// The last evaluation of a cell that came to an end.
#[derive(Debug)]
struct Record {
    number: Evaluation,
    source: Arc<str>,
    /// The last evaluation of the cell above when this one began.
    above: Option<(CellId, Option<Evaluation>)>,
    is_value: bool,
    /// The node has forgotten it.
    is_lost: bool,
}

#[derive(Debug)]
enum Pending {
    Queued,
    Evaluating { number: Evaluation, source: Arc<str>, above: Option<(CellId, Option<Evaluation>)>, lane: Lane },
}

/// What a change of the notebook leaves to be done at the node.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Gone {
    /// Cells that are no more: their variables are to be forgotten.
    pub(super) cells: Vec<CellId>,
    /// Those of them that run, and are to be ended.
    pub(super) running: Vec<(CellId, Evaluation)>,
}

impl Plan {
    /// The notebook is now this.
    pub(super) fn outline(&mut self, outline: &Outline) -> Gone {
        self.order = Order::of(outline);
        let order = &self.order;
        let is_gone = |cell: &CellId| order.at(*cell).is_none();
        let mut gone = Gone::default();
        for (cell, pending) in &self.pending {
            if let (true, Pending::Evaluating { number, .. }) = (is_gone(cell), pending) {
                gone.running.push((*cell, *number));
            }
        }
        gone.cells.extend(self.records.keys().filter(|cell| is_gone(cell)));
        self.records.retain(|cell, _| !is_gone(cell));
        self.pending.retain(|cell, pending| !is_gone(cell) || matches!(pending, Pending::Evaluating { .. }));
        self.aborted.retain(|cell| !is_gone(cell));
        gone.cells.sort();
        gone.running.sort();
        gone
    }

    /// The cells in their order.
    pub(super) fn cells(&self) -> impl Iterator<Item = &CodeCell> {
        self.order.places.iter().map(|place| &place.cell)
    }

    pub(super) fn cell(&self, cell: CellId) -> Option<&CodeCell> {
        Some(&self.order.get(self.order.at(cell)?)?.cell)
    }

    /// Queues what is asked for.
    pub(super) fn queue(&mut self, ask: Ask) {
        let marks = self.all_marks();
        let wanted: Vec<usize> = match ask {
            Ask::Cell(cell) => self.order.at(cell).into_iter().collect(),
            _ => (0..self.order.places.len())
                .filter(|at| match ask {
                    Ask::Section(section) => self.order.get(*at).is_some_and(|place| place.section == Some(section)),
                    Ask::Stale => matches!(marks.get(*at), Some(Mark::New | Mark::Stale | Mark::Aborted)),
                    _ => true,
                })
                .collect(),
        };
        let unknown = |at: &usize| {
            self.order.get(*at).is_some_and(|place| {
                let record = self.records.get(&place.cell.id);
                record.is_none_or(|record| record.is_lost) && !self.pending.contains_key(&place.cell.id)
            })
        };
        let before: Vec<usize> =
            wanted.iter().flat_map(|at| self.order.all_above(*at).filter(unknown).collect::<Vec<_>>()).collect();
        for at in before.into_iter().chain(wanted) {
            self.enqueue(at);
        }
    }

    fn enqueue(&mut self, at: usize) {
        let Some(place) = self.order.get(at).filter(|place| place.counts) else { return };
        // What runs is not run twice; it is asked for again when it is done.
        if let Entry::Vacant(free) = self.pending.entry(place.cell.id) {
            free.insert(Pending::Queued);
            self.aborted.remove(&place.cell.id);
        }
    }

    /// The cells that can run now: nothing that they build on waits or runs, nor does anything else in their lane.
    pub(super) fn start(&mut self) -> Vec<Job> {
        let mut busy: HashSet<Lane> = HashSet::new();
        for pending in self.pending.values() {
            if let Pending::Evaluating { lane, .. } = pending {
                busy.insert(*lane);
            }
        }
        let mut waits = vec![false; self.order.places.len()];
        let mut jobs = Vec::new();
        for at in 0..self.order.places.len() {
            let Some(place) = self.order.get(at) else { continue };
            let id = place.cell.id;
            let above_waits = place.above.is_some_and(|above| waits.get(above) == Some(&true));
            if let Some(flag) = waits.get_mut(at) {
                *flag = above_waits || self.pending.contains_key(&id);
            }
            if above_waits || !matches!(self.pending.get(&id), Some(Pending::Queued)) || !busy.insert(place.lane) {
                continue;
            }
            self.last += 1;
            let number = Evaluation(self.last);
            let job = Job { cell: place.cell.clone(), number, lane: place.lane, context: self.context(at) };
            let (source, lane) = (Arc::clone(&place.cell.source), place.lane);
            let evaluating = Pending::Evaluating { number, source, above: self.evaluation_above(at), lane };
            self.pending.insert(id, evaluating);
            jobs.push(job);
        }
        jobs
    }

    /// The nearest above a place whose variables are known to the node.
    fn context(&self, at: usize) -> Option<CellId> {
        let id = |at: usize| Some(self.order.get(at)?.cell.id);
        let known = |id: &CellId| self.records.get(id).is_some_and(|record| record.is_value && !record.is_lost);
        self.order.all_above(at).filter_map(id).find(known)
    }

    /// Whose variables a text in that cell sees before the cell itself has run.
    pub(super) fn context_of(&self, cell: CellId) -> Option<CellId> {
        self.context(self.order.at(cell)?)
    }

    fn evaluation_above(&self, at: usize) -> Option<(CellId, Option<Evaluation>)> {
        let above = self.order.get(self.order.get(at)?.above?)?.cell.id;
        Some((above, self.records.get(&above).map(|record| record.number)))
    }

    /// An evaluation has ended. False if nobody waits for it any more.
    pub(super) fn done(&mut self, cell: CellId, number: Evaluation, end: End) -> bool {
        let runs = matches!(self.pending.get(&cell), Some(Pending::Evaluating { number: now, .. }) if *now == number);
        let Some(Pending::Evaluating { source, above, .. }) = runs.then(|| self.pending.remove(&cell)).flatten() else {
            return false;
        };
        let Some(at) = self.order.at(cell) else { return false };
        if end == End::Aborted {
            self.records.remove(&cell);
            self.aborted.insert(cell);
        } else {
            let record = Record { number, source, above, is_value: end == End::Value, is_lost: false };
            self.records.insert(cell, record);
        }
        let goes_on = self.order.get(at).is_some_and(|place| place.cell.continue_on_error);
        let below = self.order.all_below(at);
        if end == End::Aborted || (end == End::Failed && !goes_on) {
            self.give_up(&below);
            return true;
        }
        for at in below {
            let again = self
                .order
                .get(at)
                .is_some_and(|place| place.cell.reevaluate_automatically && self.records.contains_key(&place.cell.id));
            if again {
                self.enqueue(at);
            }
        }
        true
    }

    /// Takes what waits of these places out of the queue.
    fn give_up(&mut self, places: &[usize]) {
        for at in places {
            let Some(place) = self.order.get(*at) else { continue };
            if matches!(self.pending.get(&place.cell.id), Some(Pending::Queued)) {
                self.pending.remove(&place.cell.id);
                self.aborted.insert(place.cell.id);
            }
        }
    }

    /// Takes a cell out of the queue with all that waits for it; gives the evaluation that is to be ended if it runs.
    pub(super) fn cancel(&mut self, cell: CellId) -> Option<Evaluation> {
        let at = self.order.at(cell)?;
        let below = self.order.all_below(at);
        self.give_up(&below);
        match self.pending.get(&cell)? {
            Pending::Evaluating { number, .. } => Some(*number),
            Pending::Queued => {
                self.give_up(&[at]);
                None
            }
        }
    }

    /// In which lane an evaluation runs, if it does.
    pub(super) fn lane_of(&self, cell: CellId, number: Evaluation) -> Option<Lane> {
        match self.pending.get(&cell)? {
            Pending::Evaluating { number: now, lane, .. } if *now == number => Some(*lane),
            _ => None,
        }
    }

    /// The cells that run.
    pub(super) fn running(&self) -> Vec<(CellId, Evaluation)> {
        let number = |(cell, pending): (&CellId, &Pending)| match pending {
            Pending::Evaluating { number, .. } => Some((*cell, *number)),
            Pending::Queued => None,
        };
        self.pending.iter().filter_map(number).collect()
    }

    /// The node has gone, or another takes its place: nothing of what was evaluated is known any more.
    pub(super) fn lost(&mut self) {
        self.aborted.extend(self.pending.drain().map(|(cell, _)| cell).filter(|cell| self.order.at(*cell).is_some()));
        self.records.values_mut().for_each(|record| record.is_lost = true);
    }

    /// Whether nothing waits and nothing runs.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    /// How it is with each cell, in their order.
    pub(super) fn marks(&self) -> Vec<(CellId, Mark)> {
        self.order.places.iter().map(|place| place.cell.id).zip(self.all_marks()).collect()
    }

    fn all_marks(&self) -> Vec<Mark> {
        let mut fresh = vec![false; self.order.places.len()];
        let mut marks = Vec::with_capacity(fresh.len());
        for (at, place) in self.order.places.iter().enumerate() {
            let id = place.cell.id;
            let record = self.records.get(&id).filter(|record| !record.is_lost);
            let pending = self.pending.get(&id);
            let is_fresh = record.is_some_and(|record| {
                record.source == place.cell.source
                    && record.above == self.evaluation_above(at)
                    && place.above.is_none_or(|above| fresh.get(above) == Some(&true))
            }) && !matches!(pending, Some(Pending::Evaluating { .. }))
                && !self.aborted.contains(&id);
            if let Some(flag) = fresh.get_mut(at) {
                *flag = is_fresh;
            }
            marks.push(match (pending, record) {
                _ if place.cell.language == Language::Python => Mark::NotRun,
                (Some(Pending::Queued), _) => Mark::Queued,
                (Some(Pending::Evaluating { .. }), _) => Mark::Evaluating,
                _ if self.aborted.contains(&id) => Mark::Aborted,
                (None, None) if !self.records.contains_key(&id) => Mark::New,
                (None, Some(record)) if is_fresh && record.is_value => Mark::Fresh,
                (None, Some(_)) if is_fresh => Mark::Failed,
                _ => Mark::Stale,
            });
        }
        marks
    }
}

#[cfg(test)]
mod tests;
