//! What the engine knows of a notebook: its code cells, in their order, and who builds on whom. Everything else in the file
//! is none of its business.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

/// A cell's name, which it keeps while its notebook is open, wherever it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct CellId(pub u64);

/// A section's name, which it keeps likewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct SectionId(pub u64);

/// In what a cell is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub(crate) enum Language {
    /// Evaluated by an Elixir node itself; for others here, with calls to the node.
    Elixir,
    /// Evaluated by nodes that are a BEAM.
    Erlang,
    /// Shown, and not run: no node of a cluster runs it.
    Python,
}

/// A code cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodeCell {
    /// Its name.
    pub(crate) id: CellId,
    /// In what it is written.
    pub(crate) language: Language,
    /// Its text.
    pub(crate) source: Arc<str>,
    /// Whether it runs again by itself when a cell above it has run.
    pub(crate) reevaluate_automatically: bool,
    /// Whether what is queued below it runs though it fails.
    pub(crate) continue_on_error: bool,
}

impl CodeCell {
    /// A cell as a notebook has it unless it says otherwise.
    pub(crate) fn new(id: CellId, language: Language, source: &str) -> CodeCell {
        CodeCell { id, language, source: source.into(), reevaluate_automatically: false, continue_on_error: false }
    }

    /// Whether others can build on it: it is run, and has something in it.
    fn counts(&self) -> bool {
        self.language != Language::Python && !self.source.trim().is_empty()
    }
}

/// A section with its code cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// Its name.
    pub(crate) id: SectionId,
    /// The earlier section that it branches off from: it sees that one's cells and what they see, runs beside the sections
    /// that follow, and nobody builds on it. Of a section that is not there, or not earlier, this is ignored.
    pub(crate) parent: Option<SectionId>,
    /// Its code cells.
    pub(crate) cells: Vec<CodeCell>,
}

/// The code of a notebook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// The setup cell, if there is one: all build on it.
    pub(crate) setup: Option<CodeCell>,
    /// The sections in their order.
    pub(crate) sections: Vec<Section>,
}

/// The cells in order, each with the one that it builds on.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) places: Vec<Place>,
    index: HashMap<CellId, usize>,
}

/// Cells of one lane run one after the other: those of the main flow, and those of each branch.
pub(super) type Lane = Option<SectionId>;

#[derive(Debug)]
pub(super) struct Place {
    pub(super) cell: CodeCell,
    pub(super) section: Option<SectionId>,
    pub(super) lane: Lane,
    /// The nearest above that counts; always earlier in the order.
    pub(super) above: Option<usize>,
    /// Whether it is run, and others build on it.
    pub(super) counts: bool,
}

impl Order {
    pub(super) fn of(outline: &Outline) -> Order {
        let mut order = Order::default();
        let root = outline.setup.as_ref().and_then(|cell| order.push(cell, None, None, None));
        // Behind which cell each section that was met ends, and behind which the main flow.
        let mut ends: HashMap<SectionId, Option<usize>> = HashMap::new();
        let mut main = root;
        for section in &outline.sections {
            let parent = section.parent.and_then(|parent| ends.get(&parent));
            let lane = parent.map(|_| section.id);
            let mut above = parent.copied().unwrap_or(main);
            for cell in &section.cells {
                above = order.push(cell, Some(section.id), lane, above);
            }
            if lane.is_none() {
                main = above;
            }
            ends.insert(section.id, above);
        }
        order
    }

    /// Gives what the next one builds on. A cell that is there already is left out: its name has to be its own.
    fn push(&mut self, cell: &CodeCell, section: Option<SectionId>, lane: Lane, above: Option<usize>) -> Option<usize> {
        let at = self.places.len();
        if *self.index.entry(cell.id).or_insert(at) != at {
            return above;
        }
        let counts = cell.counts();
        self.places.push(Place { cell: cell.clone(), section, lane, above, counts });
        if counts { Some(at) } else { above }
    }

    pub(super) fn at(&self, cell: CellId) -> Option<usize> {
        self.index.get(&cell).copied()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Place> {
        self.places.get(at)
    }

    /// Those above a place, the nearest first.
    pub(super) fn all_above(&self, at: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.get(at).and_then(|place| place.above), |at| self.get(*at)?.above)
    }

    /// Those below a place, in their order.
    pub(super) fn all_below(&self, at: usize) -> Vec<usize> {
        let mut is_below = vec![false; self.places.len()];
        let mut found = Vec::new();
        for (place, next) in self.places.iter().zip(0..) {
            let below = place.above.is_some_and(|above| above == at || is_below.get(above) == Some(&true));
            if below && let Some(flag) = is_below.get_mut(next) {
                *flag = true;
                found.push(next);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: u64, parent: Option<u64>, cells: &[(u64, &str)]) -> Section {
        let cells = cells.iter().map(|(id, text)| CodeCell::new(CellId(*id), Language::Elixir, text)).collect();
        Section { id: SectionId(id), parent: parent.map(SectionId), cells }
    }

    fn above(order: &Order, cell: u64) -> Vec<u64> {
        let at = order.at(CellId(cell)).expect("it is there");
        order.all_above(at).filter_map(|at| Some(order.get(at)?.cell.id.0)).collect()
    }

    #[test]
    fn branches_see_their_parent_and_nobody_sees_them() {
        let order = Order::of(&Outline {
            setup: Some(CodeCell::new(CellId(0), Language::Elixir, "s")),
            sections: vec![
                section(1, None, &[(1, "a"), (2, "b")]),
                section(2, Some(1), &[(3, "c"), (4, "d")]),
                section(3, None, &[(5, "e")]),
                section(4, Some(2), &[(6, "f")]),
            ],
        });
        assert_eq!(above(&order, 2), [1, 0]);
        assert_eq!(above(&order, 4), [3, 2, 1, 0]);
        assert_eq!(above(&order, 5), [2, 1, 0]);
        assert_eq!(above(&order, 6), [4, 3, 2, 1, 0]);
        let below: Vec<u64> = order.all_below(2).into_iter().map(|at| order.places[at].cell.id.0).collect();
        assert_eq!(below, [3, 4, 5, 6]);
        let lanes: Vec<Lane> = order.places.iter().map(|place| place.lane).collect();
        let (second, fourth) = (Some(SectionId(2)), Some(SectionId(4)));
        assert_eq!(lanes, [None, None, None, second, second, None, fourth]);
    }

    #[test]
    fn empty_cells_and_those_of_other_languages_are_passed_through() {
        let mut outline = Outline { setup: None, sections: vec![section(1, None, &[(1, "a"), (2, " "), (3, "b")])] };
        outline.sections[0].cells.insert(1, CodeCell::new(CellId(9), Language::Python, "print(1)"));
        // A name that is taken, and a parent that is none.
        outline.sections.push(section(2, Some(7), &[(1, "again"), (4, "c")]));
        let order = Order::of(&outline);
        assert_eq!(above(&order, 3), [1]);
        assert_eq!(above(&order, 9), [1]);
        assert_eq!(above(&order, 4), [3, 1]);
        assert_eq!(order.places.len(), 5);
    }
}
