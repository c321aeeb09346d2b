//! Changes to the order of things: cells and sections that come, go and move.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::cell::{Cell, Id, Kind};
use super::markdown;
use super::metadata::Metadata;
use super::notebook::{Notebook, Section};
use super::span::Span;

/// Which way a cell moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Toward the beginning.
    Up,
    /// Toward the end.
    Down,
}

impl Notebook {
    fn fresh(&mut self) -> Id {
        let id = Id(self.next);
        self.next = self.next.saturating_add(1);
        id
    }

    /// A cell, to be edited.
    pub fn cell_mut(&mut self, id: Id) -> Option<&mut Cell> {
        let sections = self.sections.iter_mut().flat_map(|section| &mut section.cells);
        self.setup.iter_mut().chain(sections).find(|cell| cell.id == id)
    }

    /// Where a cell is: the index of its section, and its own in it. Cells of the setup are nowhere.
    fn place(&self, id: Id) -> Option<(usize, usize)> {
        self.sections.iter().enumerate().find_map(|(section, it)| {
            let cell = it.cells.iter().position(|cell| cell.id == id)?;
            Some((section, cell))
        })
    }

    /// Gives the notebook another name; one that is blank changes nothing.
    pub fn rename(&mut self, name: &str) {
        let name = markdown::heading(name);
        if !name.is_empty() && name != self.name {
            self.name = name;
            self.head.edited = true;
        }
    }

    /// Whether outputs are written to the file.
    pub fn set_persists_outputs(&mut self, on: bool) {
        if self.metadata.set("persist_outputs", Value::Bool(on)) {
            self.head.edited = true;
            let sections = self.sections.iter_mut().flat_map(|section| &mut section.cells);
            sections.for_each(|cell| cell.outputs_edited = true);
        }
    }

    /// The code that is to be run before all other; nothing, if it is blank.
    pub fn set_setup(&mut self, source: &str) {
        match self.setup.first_mut() {
            Some(cell) => cell.set_source(source),
            None if source.trim().is_empty() => {}
            None => {
                let id = self.fresh();
                let source = markdown::newlines(source);
                self.setup.push(Cell::new(id, Kind::Code(super::Language::Elixir), source, Metadata::default()));
            }
        }
    }

    /// Puts an empty cell into a section, before the one at `index`, or at the end. None if there is no such section.
    pub fn insert_cell(&mut self, section: Id, index: usize, kind: Kind) -> Option<Id> {
        let id = self.fresh();
        let section = self.sections.iter_mut().find(|it| it.id == section)?;
        let kind = if kind == Kind::Smart { Kind::Code(super::Language::Elixir) } else { kind };
        let index = index.min(section.cells.len());
        section.cells.insert(index, Cell::new(id, kind, String::new(), Metadata::default()));
        Some(id)
    }

    /// Takes a cell out. None if there is no such cell.
    pub fn remove_cell(&mut self, id: Id) -> Option<Cell> {
        let (section, index) = self.place(id)?;
        Some(self.sections.get_mut(section)?.cells.remove(index))
    }

    /// Moves a cell past its neighbour, or into the next section if it has none; true if it moved.
    pub fn move_cell(&mut self, id: Id, direction: Direction) -> bool {
        let Some((section, index)) = self.place(id) else { return false };
        let last = self.sections[section].cells.len() - 1;
        let (target, at) = match direction {
            Direction::Up if index > 0 => (section, index - 1),
            Direction::Up if section > 0 => (section - 1, self.sections[section - 1].cells.len()),
            Direction::Down if index < last => (section, index + 1),
            Direction::Down if section + 1 < self.sections.len() => (section + 1, 0),
            Direction::Up | Direction::Down => return false,
        };
        let cell = self.sections[section].cells.remove(index);
        self.sections[target].cells.insert(at, cell);
        true
    }

    /// Begins a section before the one at `index`, or at the end. None only if the name cannot be one.
    pub fn insert_section(&mut self, index: usize, name: &str) -> Option<Id> {
        let name = markdown::heading(name);
        if name.is_empty() {
            return None;
        }
        let id = self.fresh();
        let index = index.min(self.sections.len());
        let (metadata, span) = (Metadata::default(), Span::default());
        let section = Section { id, name, parent: None, metadata, cells: Vec::new(), span, implicit: false };
        self.sections.insert(index, section);
        self.number_parents();
        Some(id)
    }

    /// Gives a section another name; one that is blank changes nothing. True if there is such a section.
    pub fn rename_section(&mut self, id: Id, name: &str) -> bool {
        let name = markdown::heading(name);
        let Some(section) = self.sections.iter_mut().find(|section| section.id == id) else { return false };
        if !name.is_empty() && name != section.name {
            section.name = name;
            section.span.edited = true;
        }
        true
    }

    /// Takes a section out with its cells; what branched from it goes on from where it stands. None if there is no such section.
    pub fn remove_section(&mut self, id: Id) -> Option<Section> {
        let index = self.sections.iter().position(|section| section.id == id)?;
        let section = self.sections.remove(index);
        for other in &mut self.sections {
            if other.parent == Some(id) {
                other.parent = None;
                other.span.edited = true;
            }
        }
        self.number_parents();
        Some(section)
    }

    /// Lets a section branch from an earlier one, or go on from the one above. False if the parent does not come before it or is a
    /// branch itself, or if the section has branches.
    pub fn set_parent(&mut self, id: Id, parent: Option<Id>) -> bool {
        let Some(index) = self.sections.iter().position(|section| section.id == id) else { return false };
        if let Some(parent) = parent {
            let earlier = self.sections[..index].iter().any(|it| it.id == parent && it.parent.is_none());
            let has_branches = self.sections.iter().any(|it| it.parent == Some(id));
            if !earlier || has_branches {
                return false;
            }
        }
        let section = &mut self.sections[index];
        if section.parent != parent {
            section.parent = parent;
            section.span.edited = true;
        }
        true
    }

    /// Sections name their parent by its number in the file, so those that branch are written anew when sections come or go.
    fn number_parents(&mut self) {
        for section in &mut self.sections {
            section.span.edited |= section.parent.is_some();
        }
    }
}

impl Notebook {
    /// Gives cells and sections the [`Id`]s that equal ones have in an earlier reading of the file, in their order; all others
    /// get ids that none had there. For a file that was changed outside: what is remembered by id (what a cell gave, where the
    /// cursor is) stays with what it belongs to.
    pub fn adopt(&mut self, old: &Notebook) {
        let mut known: HashMap<(Kind, &str), VecDeque<Id>> = HashMap::new();
        for cell in old.cells() {
            known.entry((cell.kind, &cell.source)).or_default().push_back(cell.id);
        }
        let mut sections: HashMap<&str, VecDeque<Id>> = HashMap::new();
        for section in &old.sections {
            sections.entry(&section.name).or_default().push_back(section.id);
        }
        let mut next = old.next.max(self.next);
        let mut fresh = || {
            next = next.saturating_add(1);
            Id(next - 1)
        };
        let mut moved = HashMap::new();
        for section in &mut self.sections {
            let id = sections.get_mut(section.name.as_str()).and_then(VecDeque::pop_front).unwrap_or_else(&mut fresh);
            moved.insert(section.id, id);
            section.id = id;
        }
        for section in &mut self.sections {
            section.parent = section.parent.and_then(|parent| moved.get(&parent).copied());
        }
        let cells = self.sections.iter_mut().flat_map(|section| &mut section.cells);
        for cell in self.setup.iter_mut().chain(cells) {
            let id = known.get_mut(&(cell.kind, cell.source.as_str())).and_then(VecDeque::pop_front);
            cell.id = id.unwrap_or_else(&mut fresh);
        }
        self.next = next;
    }
}
